"""The rows of all cases, at once: what a list, a search, figures and comparisons are made from.

`desk.index.rows()` gives one `desk.row.Row` for each case on this machine (read that dataclass for
what it holds), never a stale one.  Judging and folding 10,000 cases takes seconds; their rows are
kept on the disk, sealed, and read in a fraction of one.

Rule: a row opens only under this desk's own key, for its own case, and in the state of everything
that it was made from: the case's envelopes, alarms and pinned report, the rosters believed, the
rules, and this program.  What does not open is made anew.  The file `index.sqlite` can be deleted
at any time: nothing is in it that is not in the store.

What it shows to whoever takes the disk: the ids of cases, which the store shows, too, and for each
the size of its row in Padme steps (4 KiB at least, then to about 12 %): how much was said in a
case, all in all, and of a copy from before, which cases changed since.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import itertools
import os
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crypto.errors import CannotOpen
from crypto.ids import CaseId
from crypto.local import LocalKey
from desk import unread
from desk.alarms import Sign
from desk.cases import Cases
from desk.origins import settle
from desk.row import Row, pack, row_of, unpack
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from desk.cases import Case
    from desk.desk import Desk
    from desk.progress import Progress

__all__ = ["Index", "Row"]

PURPOSE = "index"
BATCH = 250
"""Cases that are judged, and whose rows are written, at a time: a cut loses no more."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS rows (case_id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"
)


class Index:
    """The rows of one unlocked desk; safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._shelf = Shelf(desk.home.index)
        self._key: LocalKey | None = None
        self._kept: dict[CaseId, tuple[bytes, Row]] = {}
        self._rows: tuple[Row, ...] | None = None
        self._seen: tuple[int, bytes] = (0, b"")

    def rows(self, progress: Progress | None = None) -> tuple[Row, ...]:
        """Every case's row, in the order of their ids; made anew where anything changed.

        The same tuple comes back as long as nothing did.
        """
        with self._lock, _without_collecting():
            generation = self._desk.store.generation()
            if generation != self._seen[0]:
                # Only a roster that some program committed could be another one.
                self._desk.trust.renew()
            now = (generation, self._begun())
            if self._rows is not None and self._seen == now:
                return self._rows
            states = self._desk.store.states(now[1])
            if self._key is None:
                self._key = LocalKey.of(self._desk.keyring.key, PURPOSE)
                self._kept = dict(self._opened(self._key, states))
            stale = [case for case, state in states.items() if self._state_of(case) != state]
            stale += self._told_otherwise(states.keys() - set(stale))
            gone = self._kept.keys() - states.keys()
            if self._rows is not None and not stale and not gone:
                self._seen = now
                return self._rows
            self._make(self._key, stale, states, progress)
            for case in gone:
                del self._kept[case]
            self._shelf.keep_only(states.keys())
            self._rows = tuple(self._kept[case][1] for case in sorted(self._kept))
            self._seen = now
            return self._rows

    def _begun(self) -> bytes:
        """A digest of what all rows follow from: rosters, rules, this program."""
        digest = hashlib.sha256(_program() + bytes.fromhex(self._desk.rules.digest))
        for roster in sorted(self._desk.trust.hashes):
            digest.update(roster)
        return digest.digest()

    def _state_of(self, case: CaseId) -> bytes:
        return self._kept[case][0] if case in self._kept else b""

    def _told_otherwise(self, cases: Iterable[CaseId]) -> list[CaseId]:
        """The cases of which something is missing that was told otherwise before (desk.unread)."""
        store = self._desk.store
        is_unread = unread.is_unread(store, unread.reading(store))
        wrong = unread.OF_WHAT_IS_MISSING if is_unread else {Sign.LIST_NOT_READ}
        return [
            case
            for case in cases
            if any(alarm.sign in wrong for alarm in self._kept[case][1].alarms)
        ]

    def _opened(
        self, key: LocalKey, states: Mapping[CaseId, bytes]
    ) -> Iterator[tuple[CaseId, tuple[bytes, Row]]]:
        for case, sealed in self._shelf.everything():
            if case in states:
                with suppress(CannotOpen):
                    packed = key.open(case, states[case], sealed)
                    yield case, (states[case], unpack(packed, self._desk.rules))

    def _make(
        self,
        key: LocalKey,
        stale: Sequence[CaseId],
        states: Mapping[CaseId, bytes],
        progress: Progress | None,
    ) -> None:
        cases = Cases(self._desk).chosen(stale)
        alone = self._desk.store.firsts().keys()
        for start in range(0, len(stale), BATCH):
            if progress is not None:
                progress.step(
                    Sentence("Reading the cases ({start} of {all})", start=start, all=len(stale))
                )
            some = list(itertools.islice(cases, BATCH))
            rows = [row_of(one, self._desk.rules) for one in some]
            self._shelf.keep(
                [(row.id, key.seal(row.id, states[row.id], pack(row))) for row in rows]
            )
            self._kept |= {row.id: (states[row.id], row) for row in rows}
            self._settle(one for one in some if one.id in alone)

    def _settle(self, cases: Iterable[Case]) -> None:
        """What was alone in its case, and opens, is pinned: it stays the one if it is spoilt."""
        with suppress(sqlite3.OperationalError):
            # A full disk: it stays noted, and is pinned another time.
            settle(self._desk, {one.id: one.origin for one in cases})


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Rows are no circles: looking for some among so many takes longer than reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@functools.cache
def _program() -> bytes:
    """What this desk is, as a digest: another version may fold the same entries otherwise."""
    digest, folder = hashlib.sha256(), Path(__file__).parent
    for source in (*sorted(folder.glob("*.py")), folder / "room" / "fact.py"):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Shelf:
    """The file with the sealed rows.  It is a help and never a need: what fails costs time."""

    path: Path

    def everything(self) -> list[tuple[CaseId, bytes]]:
        """Every case's sealed row."""
        found = self._try("SELECT case_id, sealed FROM rows")
        return [(CaseId(case), sealed) for case, sealed in found if isinstance(sealed, bytes)]

    def keep(self, sealed: Sequence[tuple[CaseId, bytes]]) -> None:
        """Put rows in the place of those that were there."""
        self._try("INSERT OR REPLACE INTO rows VALUES (?,?)", sealed)

    def keep_only(self, cases: Collection[CaseId]) -> None:
        """Drop the rows of cases that are not on this machine any more."""
        gone = [(case,) for (case,) in self._try("SELECT case_id FROM rows") if case not in cases]
        if gone:
            self._try("DELETE FROM rows WHERE case_id=?", gone)

    def _try(self, statement: str, many: Sequence[tuple[bytes, ...]] | None = None) -> list[Any]:
        try:
            return self._run(statement, many)
        except (sqlite3.OperationalError, OSError):
            # Busy, full, read-only: the rows in memory do.
            return []
        except sqlite3.DatabaseError:
            for end in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)
            return []

    def _run(self, statement: str, many: Sequence[tuple[bytes, ...]] | None) -> list[Any]:
        # Born private: sqlite would create it under the process's umask.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute(_SCHEMA)
            if many is None:
                return connection.execute(statement).fetchall()
            connection.executemany(statement, many)
            return []
