"""One message of a conversation: how long its text may be, and by what it is known again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crypto.ids import ID_BYTES, EnvelopeId
from gateway.site.values import BadValue, FieldError, read_text

if TYPE_CHECKING:
    from gateway.site.tokens import ThreadToken

TEXT_MOST = 10_000


def too_long(text: str) -> FieldError | None:
    """Give what is wrong with a text that does not fit into one message."""
    try:
        read_text(text, 0, TEXT_MOST)
    except BadValue as bad:
        return FieldError("text", bad.key, bad.facts)
    return None


def envelope_id(token: ThreadToken, kind: str, text: str) -> EnvelopeId:
    """The same for the same thing sent twice, and another for whatever else this page sends."""
    said = b"\0".join((token.message, kind.encode(), text.encode()))
    return EnvelopeId(hashlib.sha256(b"amana/message-id\0" + said).digest()[:ID_BYTES])


def id_of(untrusted: str) -> bytes:
    """Read an id that a page sent back; nothing where it is none."""
    try:
        return bytes.fromhex(untrusted)
    except ValueError:
        return b""
