"""Write this folder's vectors for envelopes: `python -m tests.vectors.make_vectors`.

Padding, header, key and signature vectors are the same at each run.  Envelopes are not: a salt and
a sealed box are fresh each time, so theirs are vectors to open, and a new run replaces them all.
"""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nacl.bindings import crypto_box_seal

from crypto.body import part_encryptor
from crypto.envelope import Custodians, EnvelopeSealer, Operators, OperatorsAndReceipt
from crypto.header import Header, Kind, parts_root
from crypto.ids import CaseId, Day, EnvelopeId, HeaderHash, deployment_of
from crypto.keys import ReplyPublicKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey, open_data_key
from crypto.padding import padme
from crypto.signing import SigningPrivateKey, Statement
from crypto.wrap import Recipients, parse_wraps

HERE = Path(__file__).parent
Vector = dict[str, Any]


def _seed(name: str, length: int = 32) -> bytes:
    return hashlib.shake_256(b"amana test vector: " + name.encode()).digest(length)


DEPLOYMENT = deployment_of(SigningPrivateKey(_seed("root")).public.raw)
CASE = CaseId(_seed("case", 16))
ROSTER_HASH = _seed("roster")
OPERATORS = [OperatorPrivateKey(_seed(f"operator {n}")) for n in (1, 2)]
STRANGER = OperatorPrivateKey(_seed("stranger"))
RECEIPT = OperatorPrivateKey(_seed("receipt"))
CUSTODIANS = [CustodianPrivateKey(_seed(f"custodian {n}")) for n in (1, 2, 3)]


@dataclasses.dataclass(frozen=True)
class Made:
    """An envelope as bytes, with what it should open to."""

    header: bytes
    wraps: bytes
    parts: tuple[bytes, ...]
    manifest: bytes
    contents: tuple[bytes, ...]

    def vector(self, name: str, why: str, expect: str, keys: Sequence[bytes], role: str) -> Vector:
        """Return the vector as data; `expect` is `opens` or the name of the refusal."""
        return {
            "name": name,
            "why": why,
            "role": role,
            "private_keys": [key.hex() for key in keys],
            "header": self.header.hex(),
            "wraps": _b64(self.wraps),
            "parts": [_b64(part) for part in self.parts],
            "lengths": [len(content) for content in self.contents],
            "manifest": self.manifest.decode(),
            "contents_sha256": [hashlib.sha256(content).hexdigest() for content in self.contents],
            "expect": expect,
        }


def make(
    name: str,
    kind: Kind,
    to: Recipients,
    *contents: bytes,
    case: CaseId = CASE,
    manifest: bytes = b'{"v":1}',
) -> Made:
    """Seal an envelope of fixed ids and contents."""
    sealer = EnvelopeSealer(
        kind=kind,
        deployment=DEPLOYMENT,
        case=case,
        roster_hash=ROSTER_HASH,
        day=Day(20_700),
        envelope=EnvelopeId(_seed(name, 16)),
    )
    parts = []
    for content in contents:
        chunks: list[bytes] = []
        part = sealer.part(chunks.append)
        part.write(content)
        part.finish()
        parts.append(b"".join(chunks))
    sealed = sealer.seal(manifest, to)
    return Made(
        sealed.header.to_bytes(), sealed.wraps, (sealed.manifest, *parts), manifest, contents
    )


def padding_vectors() -> list[Vector]:
    """Lengths and what they are padded to."""
    lengths = [0, 1, 4096, 4097, 5000, 16_384, 16_385, 40_000, 2**20 + 1, 2**31, 2**31 + 1]
    return [{"length": length, "padded": padme(length)} for length in lengths]


def header_vectors() -> list[Vector]:
    """Headers that parse, and that do not."""
    good = Header(
        kind=Kind.EVIDENCE,
        deployment=DEPLOYMENT,
        case=CASE,
        envelope=EnvelopeId(_seed("header", 16)),
        roster_hash=ROSTER_HASH,
        day=Day(20_700),
        parts=2,
        parts_root=parts_root([_seed("part 0"), _seed("part 1")]),
    )
    raw = good.to_bytes()

    def with_byte(at: int, value: int) -> bytes:
        return raw[:at] + bytes([value]) + raw[at + 1 :]

    malformed = "EnvelopeMalformed"
    cases = [
        ("good", raw, "parses"),
        ("wrong magic", with_byte(0, 0x61), malformed),
        ("version 2", with_byte(8, 2), malformed),
        ("suite 0", with_byte(9, 0), malformed),
        ("suite 2 where it is not available", with_byte(9, 2), "SuiteUnavailable"),
        ("suite 3", with_byte(9, 3), malformed),
        ("kind 0", with_byte(10, 0), malformed),
        ("kind 7", with_byte(10, 7), malformed),
        ("a flag", with_byte(11, 1), malformed),
        ("no parts", with_byte(99, 0), malformed),
        ("17 parts", with_byte(99, 17), malformed),
        ("last byte not zero", with_byte(139, 1), malformed),
        ("truncated", raw[:-1], malformed),
        ("trailing byte", raw + b"\0", malformed),
    ]
    return [
        {"name": name, "header": header.hex(), "expect": expect}
        | ({"hash": good.hash.hex()} if expect == "parses" else {})
        for name, header, expect in cases
    ]


def signature_vectors() -> list[Vector]:
    """Inner signatures: who, over what, and whether they hold."""
    key = SigningPrivateKey(_seed("signer"))
    kids = [operator.public.kid for operator in OPERATORS]
    fields: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "case": CASE,
        "envelope": EnvelopeId(_seed("signed", 16)),
        "recipients": kids,
        "parents": [HeaderHash(_seed("parent"))],
        "body": b'{"author_day":20700,"text":"We have read your report.","v":1}',
    }
    signature = Statement(kind=Kind.REPLY, **fields).sign(key)
    joined = {"recipients": [], "parents": [kids[0] + kids[1], *fields["parents"]]}
    other_case = {"case": CaseId(_seed("another case", 16))}
    cases: list[tuple[str, Kind, dict[str, Any], bytes]] = [
        ("good", Kind.REPLY, {}, signature),
        ("an entry's label", Kind.ENTRY, {}, signature),
        ("another case", Kind.REPLY, other_case, signature),
        ("a reader left out", Kind.REPLY, {"recipients": kids[:1]}, signature),
        ("readers in another order", Kind.REPLY, {"recipients": kids[::-1]}, signature),
        ("two readers read as a parent", Kind.REPLY, joined, signature),
        ("no parent", Kind.REPLY, {"parents": []}, signature),
        ("another body", Kind.REPLY, {"body": b"{}"}, signature),
        ("a kind that is never signed", Kind.REPORT, {}, signature),
        ("truncated", Kind.REPLY, {}, signature[:-1]),
    ]
    return [
        {
            "name": name,
            "kind": int(kind),
            "public_key": key.public.raw.hex(),
            "signature": given.hex(),
            "expect": "holds" if name == "good" else "SignatureInvalid",
        }
        | {field: _hexed(value) for field, value in (fields | changed).items()}
        for name, kind, changed, given in cases
    ]


def envelope_vectors() -> list[Vector]:
    """Envelopes for operators: one that opens, and what an attacker makes of it."""
    to = Operators([operator.public for operator in OPERATORS])
    photo = _seed("photo", 33_000) + bytes(50)
    made = make("evidence", Kind.EVIDENCE, to, photo)
    other = make("other", Kind.EVIDENCE, to, photo)
    elsewhere = make("elsewhere", Kind.EVIDENCE, to, b"", case=CaseId(_seed("case 2", 16)))
    # Small on purpose, and twice the same: only their places tell these parts apart.
    twins = make(
        "twins", Kind.EVIDENCE, to, b"same", b"same", manifest=b'{"v":1,"text":"\xd9\x86"}'
    )
    content = made.parts[1]
    head, first, second, rest = (
        content[:56],
        content[56:16_456],
        content[16_456:32_856],
        content[32_856:],
    )
    vectors = [
        made.vector("opens", "a photo that ends in zeros", "opens", [OPERATORS[0].raw], "operator"),
        twins.vector("second operator", "two parts", "opens", [OPERATORS[1].raw], "operator"),
        twins.vector(
            "stranger", "no wrap for this key", "NotARecipient", [STRANGER.raw], "operator"
        ),
    ]

    def refused(name: str, why: str, bad: Made, expect: str = "CannotOpen") -> None:
        vectors.append(bad.vector(name, why, expect, [OPERATORS[0].raw], "operator"))

    def with_content(changed: bytes) -> Made:
        return dataclasses.replace(made, parts=(made.parts[0], changed))

    refused("last chunk cut off", "truncated at a chunk", with_content(head + first + second))
    refused("one byte cut off", "truncated", with_content(content[:-1]))
    refused("chunks reordered", "first and second", with_content(head + second + first + rest))
    refused("trailing byte in a part", "bytes after the end", with_content(content + b"\0"))
    one, two = twins.parts[1:]
    t_with = dataclasses.replace
    refused("parts swapped", "1 and 2", t_with(twins, parts=(twins.parts[0], two, one)))
    refused("part of another envelope", "same content", with_content(other.parts[1]))
    refused("wrap of another envelope", "same case", t_with(twins, wraps=other.wraps))
    refused("wrap of another case", "moved", t_with(twins, wraps=elsewhere.wraps))
    refused("manifest cut off", "truncated", t_with(twins, parts=(twins.parts[0][:-1], one, two)))
    refused(
        "trailing byte in wraps",
        "bytes after the end",
        t_with(twins, wraps=twins.wraps + b"\0"),
        "EnvelopeMalformed",
    )
    refused(
        "wraps twice",
        "one reader, two wraps",
        t_with(twins, wraps=twins.wraps * 2),
        "EnvelopeMalformed",
    )
    refused("no wrap", "left out by the server", t_with(twins, wraps=b""), "NotARecipient")
    refused(
        "trailing byte in the header",
        "bytes after the end",
        t_with(twins, header=twins.header + b"\0"),
        "EnvelopeMalformed",
    )
    refused(
        "suite 2",
        "where it is not available",
        t_with(twins, header=twins.header[:9] + b"\2" + twins.header[10:]),
        "SuiteUnavailable",
    )
    altered = twins.header[:95] + bytes([twins.header[95] ^ 1]) + twins.header[96:]
    refused("another day", "the header is bound by every wrap", t_with(twins, header=altered))
    refused("bare sealed box", "a wrap without its context", _bare_wrap(twins))
    refused("padding not zero", "in a part", _ill_padded(b"same".ljust(4095, b"\0") + b"\1", 1))
    refused("padding too long", "in a part", _ill_padded(b"same".ljust(8192, b"\0"), 1))
    framed = b'\0\0\0\7{"v":1}'
    refused("manifest padding not zero", "part 0", _ill_padded(framed.ljust(4095, b"\0") + b" ", 0))
    refused(
        "manifest length beyond the end",
        "part 0",
        _ill_padded((b"\0\0\x10\0" + framed[4:]).ljust(4096, b"\0"), 0),
    )
    return vectors


def reply_vectors() -> list[Vector]:
    """A reply, for the receipt whose key id is written as zeros."""
    to = OperatorsAndReceipt([OPERATORS[0].public], ReplyPublicKey(RECEIPT.public.raw))
    made = make("reply", Kind.REPLY, to, manifest=b'{"v":1,"text":"We have read your report."}')
    return [
        made.vector("operator reads", "the second wrap", "opens", [OPERATORS[0].raw], "operator"),
        made.vector("receipt reads", "the first wrap", "opens", [RECEIPT.raw], "receipt"),
        made.vector("another receipt", "not theirs", "CannotOpen", [STRANGER.raw], "receipt"),
    ]


def identity_vectors() -> list[Vector]:
    """Identities, one of one and two of three."""
    manifest = (
        b'{"identity":{"name":"A. Reporter"},"identity_mode":"named","safe_contact":{},"v":1}'
    )
    publics = [custodian.public for custodian in CUSTODIANS]
    alone = make("identity 1", Kind.IDENTITY, Custodians(publics[:1], 1), manifest=manifest)
    quorum = make("identity 2", Kind.IDENTITY, Custodians(publics, 2), manifest=manifest)
    first, second, third = (custodian.raw for custodian in CUSTODIANS)
    own = b"".join(
        wrap.to_bytes()
        for wrap in parse_wraps(Header.from_bytes(quorum.header), quorum.wraps)
        if wrap.kid != publics[2].kid
    )
    role = "custodian"
    return [
        alone.vector("one of one", "", "opens", [first], role),
        quorum.vector("two of three", "the first subset", "opens", [first, second], role),
        quorum.vector("another two of three", "the last subset", "opens", [third, second], role),
        quorum.vector("all three", "more than needed", "opens", [third, second, first], role),
        quorum.vector("one of two", "too few", "SharesInsufficient", [second], role),
        alone.vector("an operator", "no data key is wrapped", "NotARecipient", [first], "operator"),
        dataclasses.replace(quorum, wraps=own).vector(
            "a selection of the wraps", "as a server gives them", "opens", [first, second], role
        ),
        dataclasses.replace(alone, wraps=quorum.wraps).vector(
            "shares of another identity", "moved", "CannotOpen", [first, second], role
        ),
    ]


def _bare_wrap(made: Made) -> Made:
    operator = OPERATORS[0]
    data_key = open_data_key(operator, Header.from_bytes(made.header), made.wraps)
    inner = bytes(52) + data_key.raw
    wrap = operator.public.kid + crypto_box_seal(inner, operator.public.raw)
    return dataclasses.replace(made, wraps=wrap)


def _ill_padded(plain: bytes, index: int) -> Made:
    """An envelope whose root and wraps are right, and one of whose parts is ill padded."""
    made = make("ill padded", Kind.EVIDENCE, Operators([OPERATORS[0].public]), b"same")
    header = Header.from_bytes(made.header)
    data_key = open_data_key(OPERATORS[0], header, made.wraps)
    cipher = part_encryptor(data_key, header, index)
    parts = list(made.parts)
    parts[index] = cipher.update(plain) + cipher.finalize()
    root = parts_root([hashlib.sha256(part).digest() for part in parts])
    header = dataclasses.replace(header, parts_root=root)
    wraps = Operators([OPERATORS[0].public]).wraps(data_key, header.hash)
    return dataclasses.replace(made, header=header.to_bytes(), wraps=wraps, parts=tuple(parts))


def _hexed(value: bytes | Sequence[bytes]) -> str | list[str]:
    return value.hex() if isinstance(value, bytes) else [item.hex() for item in value]


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


MAKERS = {
    "padding": padding_vectors,
    "headers": header_vectors,
    "signatures": signature_vectors,
    "envelopes": envelope_vectors,
    "replies": reply_vectors,
    "identities": identity_vectors,
}
THE_SAME_EACH_TIME = ("padding", "headers", "signatures")


def text_of(vectors: list[Vector]) -> str:
    """Return a file's text."""
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every file."""
    for name, vectors in MAKERS.items():
        (HERE / f"{name}.json").write_text(text_of(vectors()), encoding="utf-8")


if __name__ == "__main__":
    main()
