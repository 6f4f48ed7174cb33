"""Find the rosters that this desk slept through or came after, back to the first.

Rule: only a roster in force is ever sealed to; those found here judge what was signed and sealed
in their time.  Each is asked for by its number, and believed because it is, byte for byte, the
one that the next one follows: a server can hold one back, and can give no other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.roster_history import verify_roster_before
from desk.alarms import Sign
from desk.errors import ServerRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crypto.roster import RootPublicKey, Roster

_FIRST_EPOCH = 1
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLimits:
    """How many notes one sync fetches, and for how long (seconds); the next one goes on there."""

    notes: int = 400
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Walked:
    """What one walk back found, newest first, and what is wrong with the rest (None: nothing).

    Where the line forked, none of what was found is to be believed.
    """

    found: tuple[Roster, ...]
    problem: Sign | None


def walk_back(
    newest: Roster,
    believed: Mapping[bytes, Roster],
    root: RootPublicKey,
    fetch: Callable[[int], bytes],
    limits: HistoryLimits,
) -> Walked:
    """Go from a verified roster to the first; `believed` (by hash) need not be fetched again.

    `fetch` gives the untrusted note of an epoch.  Raises what it raises, but for a 404, which is
    a problem: `ROSTER_HISTORY_MISSING`.  The others are `ROSTER_HISTORY_REFUSED` (a note that is
    forged, of another epoch, or not the one that is followed) and `ROSTER_FORKED` (the line
    contradicts what was believed: then not even `newest` may be).
    """
    found: list[Roster] = []
    by_epoch = {one.epoch: one for one in believed.values()}
    until = time.monotonic() + limits.seconds
    at = newest
    while at.epoch > _FIRST_EPOCH:
        if at.epoch - 1 in by_epoch:
            before = by_epoch[at.epoch - 1]
            if before.hash != at.previous:
                return Walked(tuple(found), Sign.ROSTER_FORKED)
        elif len(found) == limits.notes or time.monotonic() > until:
            break
        else:
            try:
                before = verify_roster_before(at, fetch(at.epoch - 1), root)
            except ServerRefused as refused:
                if refused.status != _NOT_FOUND:
                    raise
                return Walked(tuple(found), Sign.ROSTER_HISTORY_MISSING)
            except CryptoError:
                return Walked(tuple(found), Sign.ROSTER_HISTORY_REFUSED)
            found.append(before)
        at = before
    return Walked(tuple(found), None)


def reaches_the_first(newest: Roster, believed: Mapping[bytes, Roster]) -> bool:
    """Whether every roster from the newest back to epoch 1 is believed."""
    at: Roster | None = newest
    while at is not None and at.epoch > _FIRST_EPOCH:
        at = believed.get(at.previous)
    return at is not None
