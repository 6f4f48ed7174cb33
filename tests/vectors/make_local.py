"""Write local.json anew: `python -m tests.vectors.make_local`.

The nonces are given, so the file is the same at each run; a difference is a change of the format.
"""

import json
import secrets
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from crypto.local import LocalKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey

LOCAL = Path(__file__).with_name("local.json")
PRIVATE = bytes(range(32))
NONCE = bytes(range(24))
PLACE, STATE = b"p" * 16, b"s" * 32
BOUND = b"amana/v1/local-row\0" + bytes([len(PLACE)]) + PLACE + STATE


def _sealed(padded: bytes, bound: bytes = BOUND) -> bytes:
    key = LocalKey.of(OperatorPrivateKey(PRIVATE), "index").raw
    return NONCE + crypto_aead_xchacha20poly1305_ietf_encrypt(padded, bound, NONCE, key)


def _vector(name: str, sealed: bytes, expect: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "name": name,
        "role": "operator",
        "private_key": PRIVATE.hex(),
        "purpose": "index",
        "place": PLACE.hex(),
        "state": STATE.hex(),
        "sealed": sealed.hex(),
        "expect": expect,
    }
    return {**usual, **changes}


def local_vectors() -> list[dict[str, Any]]:
    """Return the vectors; `expect` is the content in hex, or `CannotOpen`."""
    with patch.object(secrets, "token_bytes", lambda count: bytes(range(count))):
        good = LocalKey.of(OperatorPrivateKey(PRIVATE), "index").seal(PLACE, STATE, b"a row")
        kept = LocalKey.of(CustodianPrivateKey(PRIVATE), "views").seal(PLACE, b"", bytes(5000))
    framed = b"\0\0\0\5a row"
    return [
        _vector("a row", good, b"a row".hex()),
        _vector(
            "a custodian's, of another purpose, longer than the smallest", kept,
            bytes(5000).hex(), role="custodian", purpose="views", state="",
        ),
        _vector("another purpose", good, "CannotOpen", purpose="views"),
        _vector("another key", good, "CannotOpen", private_key=bytes(32).hex()),
        _vector("another place", good, "CannotOpen", place=(b"q" * 16).hex()),
        _vector("another state", good, "CannotOpen", state=(b"t" * 32).hex()),
        _vector(
            "a byte moved from the place to the state", good, "CannotOpen",
            place=PLACE[:-1].hex(), state=(PLACE[-1:] + STATE).hex(),
        ),
        _vector("one byte short", good[:-1], "CannotOpen"),
        _vector("nothing", b"", "CannotOpen"),
        _vector("shorter than its length field", _sealed(b"\0\0\0"), "CannotOpen"),
        _vector("not padded", _sealed(framed), "CannotOpen"),
        _vector("padded with more", _sealed(framed.ljust(8192, b"\0")), "CannotOpen"),
        _vector("padded with ones", _sealed(framed.ljust(4096, b"\1")), "CannotOpen"),
        _vector(
            "longer than it is", _sealed((b"\0\1\0\0" + b"x").ljust(4096, b"\0")), "CannotOpen"
        ),
    ]  # fmt: skip


def text() -> str:
    """Return the file's text."""
    return json.dumps(local_vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    LOCAL.write_text(text(), encoding="utf-8")
