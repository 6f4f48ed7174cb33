"""What operators' signed requests say of the identities that a custodian's desk does not have so.

Rule: a custodian's desk reads no report, so it cannot tell a true identity from another one that
the server showed first under its id.  An operator's desk can, and its signed request names the
header.  The next sync takes that one, where the server shows it; of two requests the last counts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.manifest import EvidenceRef
    from desk.store import Store

MOST = 500
"""Identities of which that is remembered; the oldest are forgotten first."""
_ASKED_FOR = "identities-asked-for"


def remember(store: Store, refs: Iterable[EvidenceRef]) -> None:
    """Note under which headers these identities are the true ones, as an operator signed it."""
    known = dict(asked_for(store))
    for ref in refs:
        known.pop(ref.id.hex(), None)
        known[ref.id.hex()] = ref.header_hash.hex()
    store.note(_ASKED_FOR, json.dumps(dict(list(known.items())[-MOST:])))


def asked_for(store: Store) -> Mapping[str, str]:
    """Header hashes by the envelopes' ids, all of them in hex."""
    found: dict[str, str] = json.loads(store.noted(_ASKED_FOR) or "{}")
    return found
