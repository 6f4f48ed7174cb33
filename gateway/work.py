"""Work that a browser does while it waits, so that it waits less.  Never asked of anybody.

A number n for which SHA-256 of ``challenge.n`` begins with zero bits, so many.  A challenge belongs
to one turn, and a turn works once: the work of one wait is of no use for another.  Whoever has no
script waits for the turn that was promised, and gets it.
"""

from __future__ import annotations

import hashlib
import hmac

BITS = 15
"""Some 33,000 digests: seconds for an old phone."""
_CHALLENGE_BYTES = 16
_DIGITS_MOST = 12
_DIGEST_BITS = 256


def challenge(key: bytes, turn: int) -> str:
    """Return the challenge of a turn, 32 letters, under a random key of this server's start."""
    told = hmac.digest(key, b"amana/v1/work\0%d" % turn, hashlib.sha256)
    return told[:_CHALLENGE_BYTES].hex()


def is_done(challenge_text: str, untrusted: str) -> bool:
    """Whether a number is the work that was wanted."""
    if not (untrusted.isascii() and untrusted.isdigit() and len(untrusted) <= _DIGITS_MOST):
        return False
    digest = hashlib.sha256(f"{challenge_text}.{untrusted}".encode()).digest()
    return int.from_bytes(digest, "big") >> (_DIGEST_BITS - BITS) == 0
