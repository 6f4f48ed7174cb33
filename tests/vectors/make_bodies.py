"""Write bodies.json anew: `python -m tests.vectors.make_bodies`.  The same at each run."""

import json
from pathlib import Path
from typing import Any

from crypto.keys import ReplyPublicKey
from crypto.manifest import STATUSES
from crypto.operator_opening import OperatorPrivateKey
from crypto.signing import SigningPrivateKey

BODIES = Path(__file__).parent / "bodies.json"
REPLY_KEY = ReplyPublicKey(OperatorPrivateKey(bytes(range(32))).public.raw)
FOLLOW_UP_KEY = SigningPrivateKey(bytes(range(32))).public


def body_vectors() -> list[dict[str, Any]]:
    """Bodies of replies and follow-ups and opened thread states: what they say, or the refusal."""
    refs = {"id": "45" * 16, "header_hash": "48" * 32}
    follow_up = {
        "v": 1,
        "text": "",
        "evidence": [],
        "identity": refs,
        "reply_key": REPLY_KEY.raw.hex(),
        "follow_up_key": FOLLOW_UP_KEY.raw.hex(),
        "language": "ar",
    }
    reply = {"v": 1, "text": "", "author_day": 20_700}
    entry = {"v": 1, "type": "note", "data": {"text": "Call the bank."}}
    refused = "ManifestMalformed"
    vectors = [
        _body("reply", "no status", reply | {"text": "We read it."}, {"status": None}),
        *(
            _body("reply", f"status {name}", reply | {"status": name}, {"status": name})
            for name in STATUSES
        ),
        *(
            _body("reply", f"status {name!r}", reply | {"status": name}, refused)
            for name in ("", "Received", "transmitted", None, 1, ["received"])
        ),
        _body(
            "reply", "of an id", reply | {"text": "Yes.", "word": "57" * 16}, {"word": "57" * 16}
        ),
        _body("entry", "of no id", entry, {"type": "note", "word": None}),
        _body("entry", "of an id", entry | {"word": "57" * 16}, {"word": "57" * 16}),
        *(
            _body(of, f"word {word!r}", body | {"word": word}, refused)
            for of, body in (("reply", reply), ("entry", entry))
            for word in ("", "57" * 15, "57" * 17, "AB" * 16, None, 57)
        ),
        _body("follow-up", "a message", follow_up, {"type": "message", "identity_mode": ""}),
        _body(
            "follow-up",
            "a withdrawal",
            follow_up | {"type": "withdrawal"},
            {"type": "withdrawal", "identity_mode": ""},
        ),
        _body(
            "follow-up",
            "an identity",
            follow_up | {"type": "identity", "identity_mode": "contact_only"},
            {"type": "identity", "identity_mode": "contact_only"},
        ),
    ]
    for name, more in {
        "a message that says so": {"type": "message"},
        "another type": {"type": "erase"},
        "an identity without its mode": {"type": "identity"},
        "an identity of an empty mode": {"type": "identity", "identity_mode": ""},
        "a message with a mode": {"identity_mode": "contact_only"},
        "a withdrawal with a mode": {"type": "withdrawal", "identity_mode": "contact_only"},
    }.items():
        vectors.append(_body("follow-up", name, follow_up | more, refused))
    tail = b"h" * 32 + (20_800).to_bytes(4, "big")
    for name, word, expect in (
        ("neither", 3, {"sequence": 3, "no_files": False, "withdrawn": False}),
        ("no files", 0x01000003, {"sequence": 3, "no_files": True, "withdrawn": False}),
        ("withdrawn", 0x02000003, {"sequence": 3, "no_files": False, "withdrawn": True}),
        ("both", 0x03FFFFFF, {"sequence": 0xFFFFFF, "no_files": True, "withdrawn": True}),
        ("a third flag", 0x04000003, "CannotOpen"),
        ("the highest flag", 0x80000003, "CannotOpen"),
    ):
        state = b"AMT1" + word.to_bytes(4, "big") + tail
        vectors.append(
            {"of": "thread-state", "name": name, "body": state.hex()} | _expected(expect)
        )
    return vectors


def _body(of: str, name: str, body: dict[str, Any], expect: dict[str, Any] | str) -> dict[str, Any]:
    return {"of": of, "name": f"{of}: {name}", "body": json.dumps(body)} | _expected(expect)


def _expected(expect: dict[str, Any] | str) -> dict[str, Any]:
    said = {"expect": expect} if isinstance(expect, str) else {"expect": "opens", "says": expect}
    return dict(said)


def text() -> str:
    """Return the file's text."""
    return json.dumps(body_vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    BODIES.write_text(text(), encoding="utf-8")
