"""Which roster is in force, at this moment, without a restart.

A roster is used only while it verifies against the pinned root, on this day, and is not older than
the highest epoch that any worker ever saw.  Otherwise the gateway accepts nothing.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.roster import verify_roster
from gateway.errors import NoValidRoster
from vault.errors import RosterBehind, RosterForked
from vault.outside import RosterRow

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import Day
    from crypto.roster import RootPublicKey, Roster
    from gateway.clock import Clock
    from vault.vault import Vault

_FileState = tuple[int, int, int, int]


class CurrentRoster:
    """The roster in force.  Safe to share between threads."""

    def __init__(self, path: Path, root_public: RootPublicKey, vault: Vault, clock: Clock) -> None:
        """Watch the file at ``path``; reads nothing yet."""
        self._path = path
        self._root_public = root_public
        self._vault = vault
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[_FileState, Day] | None = None
        self._roster: Roster | None = None

    def get(self) -> Roster:
        """The valid roster; raises NoValidRoster (answer 503).

        The file is read again when it was replaced or the day has changed; a file that is refused
        stops the gateway until a good one is put in place: it never goes on with an older one.
        """
        today = self._clock.today()
        with self._lock:
            try:
                seen = (_state_of(self._path), today)
                if seen != self._seen or self._roster is None:
                    self._roster = None
                    note = self._path.read_bytes()
                    roster = check_roster(note, self._root_public, today, self._vault)
                    remember_roster(roster, self._vault)
                    self._roster, self._seen = roster, seen
            except OSError:
                self._roster = None
                raise NoValidRoster("there is no roster file") from None
            return self._roster


def check_roster(
    untrusted_note: bytes, root_public: RootPublicKey, today: Day, vault: Vault
) -> Roster:
    """Verify a note against the root, the day and what was seen; raises NoValidRoster and says why.

    Nothing is remembered: that is `remember_roster`'s, once the note is where it is read from.
    """
    highest = vault.highest_roster()
    last_seen = None if highest is None else (highest.epoch, highest.hash)
    try:
        return verify_roster(untrusted_note, root_public, today, last_seen)
    except CryptoError as error:
        raise NoValidRoster(f"the roster is refused: {error}") from None


def remember_roster(roster: Roster, vault: Vault) -> None:
    """Keep a roster's epoch for all workers, so that no older one is ever used again."""
    try:
        vault.save_roster(RosterRow(roster.epoch, roster.hash, roster.note))
    except (RosterBehind, RosterForked):
        # Another worker was faster, with a newer one.
        raise NoValidRoster("the roster is refused: a newer one was seen meanwhile") from None


def _state_of(path: Path) -> _FileState:
    found = os.stat(path)  # noqa: PTH116 # once per request
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
