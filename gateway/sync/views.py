"""What of an envelope goes to whom.

An operator sees every envelope's outside, and of its wraps the one that is theirs.  A custodian
sees identity envelopes alone, with the shares that are theirs.  Both see for whom else it was
sealed: a desk that was left out can then say so aloud.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from crypto.header import Kind
from crypto.wrap import parse_wraps

if TYPE_CHECKING:
    from gateway.sync.proof import Caller
    from vault.outside import StoredEnvelope


def may_see(caller: Caller, envelope: StoredEnvelope) -> bool:
    """Whether an envelope is any of the caller's business."""
    return not caller.is_custodian or envelope.header.kind is Kind.IDENTITY


def outside_for(caller: Caller, envelope: StoredEnvelope) -> dict[str, Any]:
    """The JSON of one envelope for one caller.

    ``wraps`` are the caller's own, perhaps none; ``parts`` the sealed sizes of parts 1..;
    ``recipients`` every key id that it was sealed to, in order, each once (zeros: a receipt).
    """
    wraps = parse_wraps(envelope.header, envelope.wraps)
    own = b"".join(wrap.to_bytes() for wrap in wraps if wrap.kid == caller.reads_with)
    return {
        "header": _base64(envelope.header.to_bytes()),
        "wraps": _base64(own),
        "manifest": _base64(envelope.manifest),
        "parts": [ref.size for ref in envelope.parts],
        "recipients": list(dict.fromkeys(wrap.kid.hex() for wrap in wraps)),
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
