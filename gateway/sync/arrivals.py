"""An envelope that a desk brings: believed to be nothing until each of its bytes is accounted for.

The server cannot read it.  It can, and does, refuse what is not an operator's to bring, is sealed
under another roster, or leaves an operator out.
"""

from __future__ import annotations

import base64
import binascii
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from crypto.body import sealed_length
from crypto.errors import CryptoError
from crypto.header import Header, Kind
from crypto.ids import KID_ZERO
from crypto.wrap import parse_wraps
from gateway.sync.refusals import SyncRefused, malformed
from vault.outside import StoredEnvelope

if TYPE_CHECKING:
    from crypto.ids import Day
    from crypto.roster import Roster

_FIELDS = {"header", "wraps", "manifest"}
_KINDS = {Kind.ENTRY, Kind.REPLY}
_HEAD = 56
_CHUNK = 16 * 1024
_TAG = 16


def read_arrival(untrusted_body: bytes, roster: Roster, today: Day) -> StoredEnvelope:
    """Return the envelope of a POST's JSON; raises SyncRefused.

    (1) JSON  (2) header: kind, deployment, day, roster  (3) wraps: every operator, in a reply the
    receipt first  (4) the manifest's length.  The vault checks case, digest and id.
    """
    header_bytes, wraps, manifest = _read_json(untrusted_body)
    try:
        header = Header.from_bytes(header_bytes)
        present = [wrap.kid for wrap in parse_wraps(header, wraps)]
    except CryptoError:
        raise malformed("envelope") from None
    if header.kind not in _KINDS or header.parts != 1:
        raise malformed("kind")
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
    _require_padded(len(manifest))
    return StoredEnvelope(header, wraps, manifest)


def _read_json(untrusted_body: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        found = json.loads(untrusted_body)
    except (ValueError, RecursionError):
        raise malformed() from None
    if not isinstance(found, dict) or set(found) != _FIELDS:
        raise malformed()
    return _raw(found["header"]), _raw(found["wraps"]), _raw(found["manifest"])


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
