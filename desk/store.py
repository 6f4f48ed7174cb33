"""What this machine holds: envelopes exactly as they were received, and nothing opened.

Rule: no plaintext and no key ever reaches this module, so nothing it writes can hold
one.  Ids, sizes and days are on the disk in clear, as they are at the server; sealed
parts lie in a folder beside the database, under the envelope's id.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crypto.ids import CaseId, EnvelopeId
from desk import alarms as signs
from desk import held
from desk.alarms import Alarm, Sign
from desk.damage import forget_spoilt_rosters, header_of, require_named, transaction, whole_note

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from crypto.header import Header, Kind
    from desk.config import DeskHome

_AT_A_TIME = 500
"""Values of one question at most."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope as the server gave it, or as this desk sealed it.

    `sizes` are the sealed sizes of parts 1.. in bytes; `whole` is true once every part
    lies here and matches the header's parts_root; `posted` is false while something
    this desk wrote has not reached the server.  `late_after` is the epoch of a newer
    roster than its own, where this desk had read a whole index under that one before it
    first saw this; 0 otherwise.
    """

    header: Header
    wraps: bytes = field(repr=False)
    manifest: bytes = field(repr=False)
    sizes: tuple[int, ...] = ()
    whole: bool = True
    posted: bool = True
    late_after: int = 0

    @property
    def id(self) -> EnvelopeId:
        """The envelope's 16 random bytes."""
        return self.header.envelope

    @property
    def case(self) -> CaseId:
        """The case's 16 random bytes."""
        return self.header.case

    @property
    def kind(self) -> Kind:
        """What it says it is; the wraps prove it when they open."""
        return self.header.kind

    @property
    def weight(self) -> int:
        """The bytes that it takes without its parts, about."""
        return len(self.wraps) + len(self.manifest)

    @property
    def digest(self) -> bytes:
        """A digest of all that an index says of it."""
        return held.digest_of(self.header.to_bytes(), self.wraps, self.manifest, self.sizes)


class Store:
    """The desk's database and parts folder; safe to share between threads."""

    def __init__(self, home: DeskHome) -> None:
        home.prepare()
        self._database = home.database
        self._parts = home.parts
        self._watch: tuple[int, sqlite3.Connection] | None = None
        self._parts.mkdir(mode=0o700, exist_ok=True)
        # Born private: sqlite would create it under the process's umask.
        os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(held.SCHEMA)

    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction on a connection of its own: threads share nothing."""
        return transaction(self._database)

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Many transactions in a row: what each wrote need not be merged before the next begins."""
        with closing(sqlite3.connect(self._database, timeout=30)) as idle:
            idle.execute("SELECT COUNT(*) FROM facts").fetchall()
            yield

    def generation(self) -> int:
        """A number that is another one as soon as any program committed anything here.

        One thread at a time; it keeps a connection, because the number is that connection's own.
        """
        if self._watch is None or self._watch[0] != os.getpid():
            # A connection does not outlive a fork.
            watch = sqlite3.connect(self._database, timeout=30, check_same_thread=False)
            weakref.finalize(self, watch.close)
            self._watch = (os.getpid(), watch)
        (number,) = self._watch[1].execute("PRAGMA data_version").fetchone()
        # Two connections count apart: a child's number says nothing about its parent's.
        return (os.getpid() << 64) + int(number)

    # --- envelopes

    def keep(self, envelopes: Sequence[Envelope]) -> None:
        """Add envelopes; one that is already here stays as it was."""
        with self._connection() as connection:
            _insert(connection, envelopes)

    def keep_after(self, known: frozenset[EnvelopeId], envelope: Envelope) -> bool:
        """Add an envelope to its case, if that holds what is `known` and no more; tell whether."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute(
                "SELECT envelope FROM envelopes WHERE case_id=?", (envelope.case,)
            )
            if {row[0] for row in rows} != known:
                return False
            _insert(connection, [envelope])
        return True

    def outsides(self) -> dict[EnvelopeId, held.Outside]:
        """What is known of every envelope without opening it, by id."""
        with self._connection() as connection:
            return held.outsides(connection)

    def renew(self, old: Envelope, new: Envelope) -> None:
        """Put what proves itself in the place of what came wrong under the same id."""
        with self._connection() as connection:
            for table in ("envelopes", "parts", "late"):
                connection.execute(f"DELETE FROM {table} WHERE envelope=?", (old.id,))  # noqa: S608  # ours
            if (old.case, old.kind) != (new.case, new.kind):
                connection.execute("DELETE FROM origins WHERE envelope=?", (old.id,))
                connection.execute("DELETE FROM firsts WHERE envelope=?", (old.id,))
            _insert(connection, [new])
            connection.execute("INSERT OR REPLACE INTO renewed VALUES (?,?)", (new.id, new.digest))
        for part in range(1, len(old.sizes) + 1):
            self.part_path(old.id, part).unlink(missing_ok=True)
            self.partial_path(old.id, part).unlink(missing_ok=True)

    def cases(self) -> tuple[CaseId, ...]:
        """The ids of all cases."""
        with self._connection() as connection:
            rows = connection.execute("SELECT DISTINCT case_id FROM envelopes").fetchall()
        return tuple(CaseId(row[0]) for row in rows)

    def of_case(self, case: CaseId) -> tuple[Envelope, ...]:
        """Everything of one case, in the meaningless order of random ids."""
        return self._select("case_id = ?", case)

    def unfinished(self) -> tuple[Envelope, ...]:
        """Envelopes whose parts are not all here yet."""
        return self._select("whole = ?", 0)

    def unposted(self) -> tuple[Envelope, ...]:
        """What this desk wrote and the server has not taken yet."""
        return self._select("posted = ?", 0)

    def everything(self) -> tuple[Envelope, ...]:
        """Every envelope."""
        return self._select("envelope >= ?", b"")

    def of_cases(self, cases: Sequence[CaseId]) -> tuple[Envelope, ...]:
        """Everything of several cases (at most 500), in the order of random ids."""
        return self._select(f"case_id IN ({','.join('?' * len(cases))})", *cases)

    def some(self, names: Sequence[EnvelopeId]) -> tuple[Envelope, ...]:
        """Those of these that are here."""
        few = range(0, len(names), _AT_A_TIME)
        asked = (names[start : start + _AT_A_TIME] for start in few)
        return tuple(
            one
            for some in asked
            for one in self._select(f"envelope IN ({','.join('?' * len(some))})", *some)
        )

    def states(self, begun: bytes) -> dict[CaseId, bytes]:
        """Of each case, a digest of all that this holds about it; `begun` goes into every one."""
        with self._connection() as connection:
            return held.states(connection, begun)

    def _select(self, condition: str, *values: bytes | int) -> tuple[Envelope, ...]:
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT envelope, case_id, kind, header, wraps, manifest, whole, posted, "  # noqa: S608  # ours
                "COALESCE(epoch, 0) AS epoch FROM envelopes LEFT JOIN late USING (envelope) "
                f"WHERE {condition} ORDER BY envelope",
                values,
            ).fetchall()
            sizes: dict[bytes, list[int]] = {}
            for envelope, size in connection.execute(
                "SELECT p.envelope, p.size FROM parts p JOIN envelopes USING (envelope) "  # noqa: S608  # ours
                f"WHERE {condition.replace('envelope', 'p.envelope')} "
                "ORDER BY p.envelope, p.part",
                values,
            ):
                sizes.setdefault(envelope, []).append(size)
        return tuple(_envelope(sizes.get(row[0], ()), row) for row in rows)

    def exchange(
        self, pairs: Sequence[tuple[EnvelopeId, Envelope]], waiting: frozenset[EnvelopeId]
    ) -> bool:
        """Put the same words, sealed anew, in the place of what was never posted; tell whether.

        In one step: a desk that ends in between would say a thing twice, or answer what is gone.
        What another program has posted or exchanged meanwhile is left as it is.  Where one has
        written more than was `waiting`, nothing is exchanged: that may answer what would go.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute("SELECT envelope FROM envelopes WHERE posted=0").fetchall()
            if pairs and not {row[0] for row in rows} <= waiting:
                return False
            for old, new in pairs:
                gone = connection.execute(
                    "DELETE FROM envelopes WHERE envelope=? AND posted=0", (old,)
                ).rowcount
                if gone:
                    connection.execute("DELETE FROM parts WHERE envelope=?", (old,))
                    _insert(connection, [new])
        for old, _ in pairs:
            with suppress(OSError):  # what could not be read may not be taken away either
                self.part_path(old, 1).unlink(missing_ok=True)
        return True

    def keep_part(self, envelope: EnvelopeId, part: int, sealed: bytes) -> None:
        """Lay down a part that was sealed here, before the envelope that names it is kept."""
        path = self.part_path(envelope, part)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())

    def mark_whole(self, envelope: EnvelopeId, *, is_so: bool = True) -> None:
        """All parts are here and proven; or they are not, and the next sync fetches them."""
        with self._connection() as connection:
            connection.execute("UPDATE envelopes SET whole=? WHERE envelope=?", (is_so, envelope))

    def mark_posted(self, envelope: EnvelopeId) -> None:
        """The server has taken it."""
        with self._connection() as connection:
            connection.execute("UPDATE envelopes SET posted=1 WHERE envelope=?", (envelope,))

    def of_kind(self, kind: Kind) -> dict[CaseId, list[EnvelopeId]]:
        """The envelopes of one kind, of each case that has any."""
        with self._connection() as connection:
            return held.of_kind(connection, kind)

    def note_firsts(self, firsts: Mapping[CaseId, EnvelopeId]) -> None:
        """Remember the report that stands alone in a case, before anybody read it."""
        with self._connection() as connection:
            connection.executemany("INSERT OR REPLACE INTO firsts VALUES (?,?)", firsts.items())

    def pin_origins(self, origins: Mapping[CaseId, EnvelopeId]) -> None:
        """Remember which report began a case and opens: one that comes later is not it."""
        with self._connection() as connection:
            connection.executemany("INSERT OR REPLACE INTO origins VALUES (?,?)", origins.items())
            gone = ((case,) for case in origins)
            connection.executemany("DELETE FROM firsts WHERE case_id=?", gone)

    def origins(self) -> dict[CaseId, EnvelopeId]:
        """The pinned report of each case."""
        with self._connection() as connection:
            return held.by_case(connection, "origins")

    def firsts(self) -> dict[CaseId, EnvelopeId]:
        """The report that stood alone in a case, where that is all that is known of it."""
        with self._connection() as connection:
            return held.by_case(connection, "firsts")

    def part_path(self, envelope: EnvelopeId, part: int) -> Path:
        """Where a proven sealed part lies."""
        return self._parts / f"{envelope.hex()}-{part}"

    def partial_path(self, envelope: EnvelopeId, part: int) -> Path:
        """Where a sealed part grows until it is proven."""
        return self._parts / f"{envelope.hex()}-{part}.partial"

    # --- rosters, alarms, facts

    def keep_roster(self, roster_hash: bytes, epoch: int, note: bytes) -> None:
        """Remember a verified roster, in the place of a note that was altered here meanwhile."""
        with self._connection() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO rosters VALUES (?,?,?)", (roster_hash, epoch, note)
            )

    def roster_notes(self, known: Container[bytes] = ()) -> tuple[bytes, ...]:
        """The notes of the rosters that were verified here, but for those of known hashes."""
        with self._connection() as connection:
            hashes = connection.execute("SELECT hash FROM rosters").fetchall()
            wanted = [one for one in hashes if one[0] not in known]
            note = "SELECT note FROM rosters WHERE hash=?"
            return tuple(
                whole_note(connection.execute(note, one).fetchone()[0], one[0]) for one in wanted
            )

    def forget_spoilt_rosters(self) -> None:
        """Forget what the disk made of a roster: whoever enrols gets it anew."""
        with self._connection() as connection:
            forget_spoilt_rosters(connection)

    def shout(self, alarm: Alarm) -> Alarm:
        """Remember an alarm until it is cleared; returns it, or TOO_MANY where its sign is full."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not _has_room(connection, alarm):
                alarm = Alarm(Sign.TOO_MANY)
            connection.execute("INSERT OR IGNORE INTO alarms VALUES (?,?,?)", _row(alarm))
        return alarm

    def quieten(self, *alarms: Alarm) -> int:
        """Forget alarms whose cause is gone or was seen to, in one step; how many there were."""
        with self._connection() as connection:
            return connection.executemany(
                "DELETE FROM alarms WHERE sign=? AND case_id=? AND envelope=?", map(_row, alarms)
            ).rowcount

    def alarms(self) -> tuple[Alarm, ...]:
        """Every remembered alarm."""
        with self._connection() as connection:
            rows = held.alarms(connection)
        return tuple(Alarm(Sign(sign), case, envelope) for sign, case, envelope in rows)

    def note(self, name: str, value: str) -> None:
        """Remember one fact about this desk (when it last synced)."""
        with self._connection() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (name, value))

    def noted(self, name: str) -> str:
        """The fact, or an empty string."""
        with self._connection() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def noted_all(self, beginning: str) -> tuple[str, ...]:
        """The facts whose names begin so, in the order of their names."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT value FROM facts WHERE substr(name, 1, ?)=? ORDER BY name",
                (len(beginning), beginning),
            ).fetchall()
        return tuple(row[0] for row in rows)


def _envelope(sizes: Sequence[int], row: Sequence[Any]) -> Envelope:
    name, case, kind, header, wraps, manifest, whole, posted, late_after = row
    require_named(header, name, case, kind)
    return Envelope(
        header_of(header), wraps, manifest, tuple(sizes), bool(whole), bool(posted), late_after
    )


def _row(alarm: Alarm) -> tuple[str, str, str]:
    return str(alarm.sign), alarm.case, alarm.envelope


def _has_room(connection: sqlite3.Connection, alarm: Alarm) -> bool:
    """Whether an alarm is kept already, or can be kept as well."""
    (known, count) = connection.execute(
        "SELECT COALESCE(SUM(case_id=? AND envelope=?), 0), COUNT(*) FROM alarms WHERE sign=?",
        (alarm.case, alarm.envelope, str(alarm.sign)),
    ).fetchone()
    return bool(known) or count < signs.MOST


def _insert(connection: sqlite3.Connection, envelopes: Sequence[Envelope]) -> None:
    for one in envelopes:
        row = (
            one.id, one.case, int(one.kind), one.header.to_bytes(), one.wraps, one.manifest,
            int(one.whole), int(one.posted),
        )  # fmt: skip
        new = connection.execute("INSERT OR IGNORE INTO envelopes VALUES (?,?,?,?,?,?,?,?)", row)
        if not new.rowcount:
            continue  # what a twin of it says of parts and of when it came is not believed of it
        parts = [(one.id, number, size) for number, size in enumerate(one.sizes, 1)]
        connection.executemany("INSERT INTO parts VALUES (?,?,?)", parts)
        if one.late_after:
            connection.execute("INSERT INTO late VALUES (?,?)", (one.id, one.late_after))
