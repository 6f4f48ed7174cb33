"""Write custody.json anew: `python -m tests.vectors.make_custody`.

Letters are fresh at each run (a key and sealed boxes are drawn); their ids, and what is signed, are
the same.  So each is a vector to open, and a new run replaces them all.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from crypto.custody import Share, subset_of
from crypto.custody_letters import CustodyAnswer, CustodyRequest, IdentityShares
from crypto.ids import CaseId, Day, EnvelopeId, HeaderHash, deployment_of
from crypto.letter import Letter, LetterKind, Reader, seal_letter, to_text
from crypto.manifest import EvidenceRef
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.signing import SigningPrivateKey

CUSTODY = Path(__file__).parent / "custody.json"


def _seed(name: str, length: int = 32) -> bytes:
    return hashlib.shake_256(b"amana test vector: " + name.encode()).digest(length)


DEPLOYMENT = deployment_of(SigningPrivateKey(_seed("root")).public.raw)
CASE = CaseId(_seed("case", 16))
OPERATOR = OperatorPrivateKey(_seed("operator 1"))
STRANGER = OperatorPrivateKey(_seed("stranger"))
OPERATOR_SIGN = SigningPrivateKey(_seed("operator 1 sign"))
CUSTODIANS = [CustodianPrivateKey(_seed(f"custodian {n}")) for n in (1, 2, 3)]
CUSTODIAN_SIGN = SigningPrivateKey(_seed("custodian 1 sign"))
IDENTITY = EvidenceRef(EnvelopeId(_seed("identity", 16)), HeaderHash(_seed("its header")))


def request() -> CustodyRequest:
    """Return the request of every vector."""
    return CustodyRequest(
        case=CASE,
        identities=(IDENTITY,),
        operator=OPERATOR.public.kid,
        label="operator 1",
        reason="The victim is in danger and must be reached.",
        day=Day(20_700),
        roster_hash=_seed("roster"),
        nonce=_seed("nonce", 16),
    )


def request_letter() -> Letter:
    """Return the request, signed; its id is the same at each run."""
    return Letter.write(
        LetterKind.REQUEST,
        OPERATOR_SIGN,
        deployment=DEPLOYMENT,
        recipients=[reader.kid for reader in request_readers()],
        body=request().to_json(),
    )


def request_readers() -> list[Reader]:
    """Return the custodians, then the operator."""
    return [*(one.public for one in CUSTODIANS), OPERATOR.public]


def answer_letter(**changes: Any) -> Letter:
    """Return the first custodian's answer, signed."""
    kids = [one.public.kid for one in CUSTODIANS]
    holder = kids[0]
    shares = tuple(
        Share(holder, subset_of([holder, other]), _seed(f"share with {n}"))
        for n, other in enumerate(kids[1:], 2)
    )
    usual: dict[str, Any] = {
        "case": CASE,
        "request": request_letter().id,
        "custodian": holder,
        "label": "custodian 1",
        "day": Day(20_701),
        "identities": (IdentityShares(IDENTITY, shares),),
    }
    return Letter.write(
        LetterKind.ANSWER,
        CUSTODIAN_SIGN,
        deployment=DEPLOYMENT,
        recipients=[OPERATOR.public.kid],
        body=CustodyAnswer(**{**usual, **changes}).to_json(),
    )


def custody_vectors() -> list[dict[str, Any]]:
    """Letters as text: who opens them, what they say, or the refusal."""
    asked, said = request_letter(), answer_letter()
    refused = answer_letter(identities=(), reason="Ask the prosecutor first.")
    sealed = seal_letter(asked, request_readers())
    answer = seal_letter(said, [OPERATOR.public])
    last = sealed[:-1] + bytes([sealed[-1] ^ 1])
    moved = sealed[:10] + bytes([3]) + sealed[11 : 11 + 3 * 116] + sealed[11 + 4 * 116 :]
    kind = sealed[:9] + bytes([2]) + sealed[10:]
    return [
        *(
            _vector(f"a request, for custodian {n}", sealed, one.raw, "custodian", asked)
            for n, one in enumerate(CUSTODIANS, 1)
        ),
        _vector("a request, for its writer", sealed, OPERATOR.raw, "operator", asked),
        _vector("an answer that says yes", answer, OPERATOR.raw, "operator", said),
        _vector(
            "an answer that says no",
            seal_letter(refused, [OPERATOR.public]),
            OPERATOR.raw,
            "operator",
            refused,
        ),
        _vector("for somebody else", answer, STRANGER.raw, "operator", "NotARecipient"),
        _vector("a byte changed", last, OPERATOR.raw, "operator", "CannotOpen"),
        _vector("a byte missing", sealed[:-1], OPERATOR.raw, "operator", "CannotOpen"),
        _vector("a reader left out", moved, CUSTODIANS[0].raw, "custodian", "CannotOpen"),
        _vector("a request as an answer", kind, OPERATOR.raw, "operator", "CannotOpen"),
        _vector(
            "another version",
            sealed[:8] + b"\x02" + sealed[9:],
            OPERATOR.raw,
            "operator",
            "LetterMalformed",
        ),
        _vector(
            "another kind",
            sealed[:9] + b"\x03" + sealed[10:],
            OPERATOR.raw,
            "operator",
            "LetterMalformed",
        ),
        _vector(
            "no reader",
            sealed[:10] + b"\x00" + sealed[11:],
            OPERATOR.raw,
            "operator",
            "LetterMalformed",
        ),
        _vector(
            "a reader twice",
            sealed[: 11 + 116] + sealed[11 : 11 + 116] + sealed[11 + 2 * 116 :],
            OPERATOR.raw,
            "operator",
            "LetterMalformed",
        ),
    ]


def _vector(
    name: str, sealed: bytes, private: bytes, role: str, expect: Letter | str
) -> dict[str, Any]:
    vector: dict[str, Any] = {
        "name": name,
        "role": role,
        "private_key": private.hex(),
        "letter": base64.b64encode(sealed).decode(),
    }
    if isinstance(expect, str):
        return vector | {"expect": expect}
    signer = OPERATOR_SIGN if expect.kind is LetterKind.REQUEST else CUSTODIAN_SIGN
    return vector | {
        "expect": "opens",
        "text": to_text(sealed),
        "signer_public_key": signer.public.raw.hex(),
        "id": expect.id.hex(),
        "body": expect.body,
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(custody_vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    CUSTODY.write_text(text(), encoding="utf-8")
