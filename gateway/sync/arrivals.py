"""An envelope that a desk brings: believed to be nothing until each of its bytes is accounted for.

The server cannot read it.  It can, and does, refuse what is not an operator's to bring, is sealed
under another roster, or leaves an operator out.  An entry may carry one content part: a copy with
something blacked out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from crypto.body import sealed_length
from crypto.errors import CryptoError
from crypto.header import Header, Kind, parts_root
from crypto.ids import KID_ZERO
from crypto.wrap import parse_wraps
from gateway.sync.refusals import SyncRefused, malformed
from vault.outside import StoredEnvelope

if TYPE_CHECKING:
    from crypto.ids import Day
    from crypto.roster import Roster

_FIELDS = {"header", "wraps", "manifest"}
_PARTS = "parts"
_KINDS = {Kind.ENTRY, Kind.REPLY}
_HEAD = 56
_CHUNK = 16 * 1024
_TAG = 16


@dataclass(frozen=True, slots=True)
class Arrival:
    """An envelope whose bytes are all accounted for, and its content parts, not stored yet."""

    envelope: StoredEnvelope
    parts: tuple[bytes, ...] = field(default=(), repr=False)


def read_arrival(untrusted_body: bytes, roster: Roster, today: Day) -> Arrival:
    """Return the envelope of a POST's JSON; raises SyncRefused.

    (1) JSON  (2) header: kind, parts, deployment, day, roster  (3) wraps: every operator, in a
    reply the receipt first  (4) lengths that a sealer makes  (5) with a content part, the digest of
    all.  The vault checks case and id, and where there is no content part the digest.
    """
    header_bytes, wraps, manifest, parts = _read_json(untrusted_body)
    try:
        header = Header.from_bytes(header_bytes)
        present = [wrap.kid for wrap in parse_wraps(header, wraps)]
    except CryptoError:
        raise malformed("envelope") from None
    if header.kind not in _KINDS or len(parts) > (header.kind is Kind.ENTRY):
        raise malformed("kind")
    if header.parts != 1 + len(parts):
        raise malformed("parts")
    if header.deployment != roster.deployment:
        raise malformed("deployment")
    if abs(header.day - today) > 1:
        raise malformed("day")
    if header.roster_hash != roster.hash:
        # Not a fault: the roster was renewed.  The desk fetches it and seals again.
        raise SyncRefused(HTTPStatus.CONFLICT, "roster")
    receipt = [KID_ZERO] if header.kind is Kind.REPLY else []
    if present != [*receipt, *(key.kid for key in roster.evidence_keys())]:
        raise malformed("recipients")
    for sealed in (manifest, *parts):
        _require_padded(len(sealed))
    digests = [hashlib.sha256(sealed).digest() for sealed in (manifest, *parts)]
    if parts and parts_root(digests) != header.parts_root:
        raise malformed("mismatch")
    return Arrival(StoredEnvelope(header, wraps, manifest), parts)


def _read_json(untrusted_body: bytes) -> tuple[bytes, bytes, bytes, tuple[bytes, ...]]:
    try:
        found = json.loads(untrusted_body)
    except (ValueError, RecursionError):
        raise malformed() from None
    if not isinstance(found, dict) or set(found) - {_PARTS} != _FIELDS:
        raise malformed()
    parts = found.get(_PARTS, [])
    if not isinstance(parts, list) or len(parts) > 1:
        raise malformed()
    header, wraps, manifest = (_raw(found[name]) for name in ("header", "wraps", "manifest"))
    return header, wraps, manifest, tuple(_raw(part) for part in parts)


def _raw(untrusted: object) -> bytes:
    if not isinstance(untrusted, str):
        raise malformed()
    try:
        return base64.b64decode(untrusted.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise malformed() from None


def _require_padded(sealed: int) -> None:
    """Refuse a manifest whose length no sealer makes: an odd size would be a mark."""
    whole, rest = divmod(sealed - _HEAD, _CHUNK + _TAG)
    padded = whole * _CHUNK + rest - _TAG
    if padded < 0 or sealed_length(padded) != sealed:
        raise malformed("length")
