"""The shelf: sealed envelopes in, sealed envelopes out, and nothing else.

Blobs first, then one transaction; only when both are durable does a method return.  What is read
is what was released: a staged envelope is served to nobody.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from crypto.ids import CaseId, Day, EnvelopeId, day_of
from vault import rows, statements
from vault.blobs import BlobShelf
from vault.database import Database
from vault.errors import (
    AlreadyAccepted,
    EnvelopeConflict,
    EnvelopeMismatch,
    Replayed,
    RosterBehind,
    RosterForked,
    StagedMissing,
    UnknownCase,
    UnknownPart,
)
from vault.outside import BlobRef, Expired
from vault.tables import cases, envelopes, nonces, parts, rosters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from crypto.header import Kind
    from vault.blobs import BlobWriter
    from vault.outside import CaseRow, NewCase, RosterRow, StoredEnvelope

WINDOWS_AT_ONCE = 1000
LOG_SECONDS = 1
PAGE_MOST = 500


def utc_today() -> Day:
    """The day in UTC, as a number since 1970-01-01."""
    return day_of(dt.datetime.now(tz=dt.UTC).date())


class Vault:
    """The envelopes of one deployment.  Shared between threads; opened after a fork."""

    def __init__(self, database: Database, blobs: BlobShelf, today: Callable[[], Day]) -> None:
        """Take the parts; use `open`."""
        self._database = database
        self._blobs = blobs
        self._today = today

    @classmethod
    def open(
        cls, database_url: str, blobs_url: str, *, today: Callable[[], Day] = utc_today
    ) -> Vault:
        """Open ``sqlite:///path`` and ``file:///folder``.

        Raises UnsupportedStore, and NotMigrated when the tables are not those of this version.
        """
        database = Database(database_url)
        vault = cls(database, BlobShelf(blobs_url), today)
        database.require_migrated()
        return vault

    @staticmethod
    def migrate(database_url: str) -> None:
        """Create the tables or bring them up to date; two processes may do it at once."""
        database = Database(database_url)
        try:
            database.migrate()
        finally:
            database.close()

    def close(self) -> None:
        """Close the database's idle connections."""
        self._database.close()

    # Blobs: durable before a row names them.

    def new_blob(self) -> BlobWriter:
        """Begin a blob for a sealed content part; write, then commit, then store its envelope."""
        return self._blobs.new()

    def drop_blobs(self, refs: Collection[BlobRef]) -> None:
        """Forget blobs that were committed and whose envelope will not be stored."""
        self._blobs.remove(ref.name for ref in refs)

    # Accepting.

    def stage(self, envelope: StoredEnvelope) -> None:
        """Keep, unserved, what arrived before its report.  EnvelopeMismatch, EnvelopeConflict."""
        with self._database.writing() as connection:
            self._insert(connection, envelope, released=False)

    def staged_among(self, ids: Collection[EnvelopeId]) -> set[bytes]:
        """Those of some envelopes that are staged still."""
        return statements.staged_among(self._database, ids)

    def drop_staged(self, ids: Collection[EnvelopeId]) -> None:
        """Forget staged envelopes and their blobs; one that is released or gone stays as it is."""
        with self._database.writing() as connection:
            names, _ = statements.delete_staged(connection, envelopes.c.envelope_id.in_(ids))
        self._blobs.remove(names)

    def accept_report(
        self,
        case: NewCase,
        new: Sequence[StoredEnvelope],
        staged: Sequence[EnvelopeId] = (),
    ) -> None:
        """Open a case with its envelopes, and release its staged ones, in one transaction.

        Raises AlreadyAccepted, StagedMissing, EnvelopeMismatch, EnvelopeConflict; then nothing was
        stored.
        """
        with self._database.writing() as connection:
            # Asked and not guessed from a refused insert: a row that is refused for another reason
            # must never look like a report that is safe already.
            if statements.is_taken(connection, case.case_id, case.locator):
                raise AlreadyAccepted
            connection.execute(insert(cases), rows.of_case(case, self._today()))
            self._fill(connection, case.case_id, new, staged)

    def accept_follow_up(
        self,
        case_id: CaseId,
        new: Sequence[StoredEnvelope],
        staged: Sequence[EnvelopeId] = (),
        *,
        old_state: bytes,
        new_state: bytes,
    ) -> None:
        """Add the reporter's envelopes to a case, if its thread is still in ``old_state``.

        Raises UnknownCase, ThreadMoved, StagedMissing, EnvelopeMismatch, EnvelopeConflict; then
        nothing was stored.
        """
        with self._database.writing() as connection:
            statements.move_thread(connection, case_id, old_state, new_state)
            self._fill(connection, case_id, new, staged)

    def append(self, envelope: StoredEnvelope) -> bool:
        """Add a desk's envelope to a case that exists; the same bytes again change nothing.

        Returns whether it was new; where it was not, its blobs are nobody's.  Raises UnknownCase,
        EnvelopeMismatch, EnvelopeConflict.
        """
        with self._database.writing() as connection:
            statements.require_case(connection, envelope.case)
            present = connection.execute(
                select(envelopes).where(envelopes.c.envelope_id == envelope.id)
            ).first()
            if present is None:
                self._insert(connection, envelope, released=True)
            elif not rows.same_outside(present, envelope):
                raise EnvelopeConflict
        return present is None

    def shorten_wraps(
        self, case_id: CaseId, left: Mapping[EnvelopeId, bytes], *, noise: bytes
    ) -> None:
        """Keep of these replies of a case the wraps in ``left`` alone: the end of what was there.

        ``noise`` goes to a row that means nothing, so that taking nothing away is a write, too.
        Raises EnvelopeMismatch; then nothing changed.
        """
        with self._database.writing() as connection:
            statements.make_noise(connection, noise)
            statements.shorten_wraps(connection, case_id, left)
        # Emptied like that of a closed window: the log still holds the pages as they were.
        self._database.forget_deleted(LOG_SECONDS)

    # Reading.

    def case_by_locator(self, locator: bytes) -> CaseRow | None:
        """The case of a receipt code's 32-byte locator, or None."""
        return self._one_case(cases.c.locator == locator)

    def case(self, case_id: CaseId) -> CaseRow | None:
        """The case of a 16-byte id, or None."""
        return self._one_case(cases.c.case_id == case_id)

    def envelopes_of(self, case_id: CaseId, kinds: Collection[Kind]) -> tuple[StoredEnvelope, ...]:
        """The released envelopes of a case of those kinds, ordered by random id."""
        return tuple(self._read((envelopes.c.case_id == case_id) & statements.of_kinds(kinds)))

    def index(
        self, after: bytes = b"", limit: int = PAGE_MOST, *, since: Day | None = None
    ) -> tuple[StoredEnvelope, ...]:
        """A page of what is released, ordered by random id, beginning after ``after``.

        At most ``limit`` envelopes (500) and about 8 MiB; ``since`` leaves out earlier days.
        """
        where = envelopes.c.envelope_id > after
        if since is not None:
            where &= envelopes.c.day >= since
        return tuple(self._read(where, min(limit, PAGE_MOST)))

    def part_size(self, envelope_id: EnvelopeId, part: int) -> int:
        """The sealed size in bytes of a released content part (1..).  Raises UnknownPart."""
        return self._ref(envelope_id, part).size

    def read_part(
        self, envelope_id: EnvelopeId, part: int, offset: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Yield a released content part's ciphertext, at most 1 MiB at a time.

        Raises UnknownPart at once; BlobIncomplete, at the first piece that the disk lacks.
        """
        ref = self._ref(envelope_id, part)
        return self._blobs.read(ref, offset, ref.size - offset if length is None else length)

    # The thread.

    def touch_thread(self, case_id: CaseId | None, *, old_state: bytes, new_state: bytes) -> None:
        """Replace a thread's state if it still is ``old_state``; raises UnknownCase, ThreadMoved.

        Without a case the same write goes to a row that means nothing, so that a code that opens
        nothing costs the disk what one that does costs.
        """
        with self._database.writing() as connection:
            if case_id is None:
                statements.make_noise(connection, new_state)
            else:
                statements.move_thread(connection, case_id, old_state, new_state)

    def close_receipt_window(self, case_id: CaseId) -> None:
        """Overwrite the window with random bytes: the code is never shown again.  UnknownCase."""
        with self._database.writing() as connection:
            if statements.overwrite_windows(connection, [case_id]) != 1:
                raise UnknownCase

    def close_receipt_windows_of(self, case_ids: Sequence[CaseId]) -> int:
        """Overwrite the windows of these cases, in batches, and empty the log of what they held.

        Returns how many there were: a case that is not there needs nothing.
        """
        closed = 0
        for start in range(0, len(case_ids), WINDOWS_AT_ONCE):
            with self._database.writing() as connection:
                batch = case_ids[start : start + WINDOWS_AT_ONCE]
                closed += statements.overwrite_windows(connection, batch)
        if closed:
            # The write-ahead log still holds the pages as they were.  Where somebody reads it just
            # now, the next closing or `expire` empties it: nobody is kept waiting for it.
            self._database.forget_deleted(LOG_SECONDS)
        return closed

    def close_receipt_windows(self, is_over: Callable[[bytes], bool]) -> int:
        """Overwrite every window (48 bytes) of which ``is_over`` is true; returns how many.

        All cases are read, a page at a time; it is asked outside of any transaction, so that a
        million of them keep no writer waiting.
        """
        closed, after = 0, b""
        while page := self._windows_after(after):
            after = page[-1][0]
            closed += self.close_receipt_windows_of([one for one, held in page if is_over(held)])
        return closed

    # What the sync door must remember, for all workers.

    def remember_nonce(self, keyid: bytes, nonce: bytes) -> None:
        """Keep a verified signature's nonce.  Raises Replayed when it was there."""
        with self._database.writing() as connection:
            try:
                connection.execute(
                    insert(nonces), {"keyid": keyid, "nonce": nonce, "day": self._today()}
                )
            except IntegrityError:
                raise Replayed from None

    def was_left(self, stay: bytes) -> bool:
        """Whether a stay is remembered as left: its nonce, under ``statements.LEFT``."""
        with self._database.reading() as connection:
            return statements.was_left(connection, stay)

    def save_roster(self, row: RosterRow) -> None:
        """Keep a verified roster; the same one again changes nothing.

        Raises RosterBehind, RosterForked: rolled back, or another one under the same epoch.
        """
        with self._database.writing() as connection:
            highest = statements.highest_roster(connection)
            if highest is None or row.epoch > highest.epoch:
                connection.execute(
                    insert(rosters), {"epoch": row.epoch, "hash": row.hash, "note": row.note}
                )
            elif row.epoch < highest.epoch:
                raise RosterBehind
            elif row.hash != highest.hash:
                raise RosterForked

    def highest_roster(self) -> RosterRow | None:
        """The roster of the highest epoch that was ever in force here, or None."""
        with self._database.reading() as connection:
            return statements.highest_roster(connection)

    def roster_of_epoch(self, epoch: int) -> RosterRow | None:
        """The roster of an epoch that was in force here once, or None: to judge old signatures."""
        with self._database.reading() as connection:
            return statements.roster_of_epoch(connection, epoch)

    def describe(self) -> dict[str, str]:
        """How the database is set, as it says itself: for a check by its administrator."""
        return self._database.describe()

    # Forgetting.

    def expire(self, *, staged_days: int = 1, nonce_days: int = 1) -> Expired:
        """Remove what no longer has a use: old staged uploads, old nonces, blobs of no envelope.

        A blob without a row may be an upload on its way: only one that nothing touched for a whole
        day goes.
        """
        today = self._today()
        with self._database.writing() as connection:
            names, staged = statements.delete_staged(
                connection, envelopes.c.day < today - staged_days
            )
            old = statements.delete_nonces(connection, Day(today - nonce_days), today)
        removed = self._blobs.remove(names)
        # The folder is listed before the rows: a blob that is committed in between is not listed.
        orphans = self._blobs.untouched_since(Day(today - 1))
        with self._database.reading() as connection:
            orphans -= set(connection.execute(select(parts.c.blob)).scalars())
        removed += self._blobs.remove(orphans)
        self._database.forget_deleted()
        return Expired(staged=staged, blobs=removed, nonces=old)

    # Inside.

    def _fill(
        self,
        connection: Connection,
        case_id: CaseId,
        new: Sequence[StoredEnvelope],
        staged: Sequence[EnvelopeId],
    ) -> None:
        for envelope in new:
            if envelope.case != case_id:
                raise EnvelopeMismatch("an envelope of another case")
            self._insert(connection, envelope, released=True)
        ids = set(staged)
        released = connection.execute(
            update(envelopes)
            .where(
                envelopes.c.envelope_id.in_(ids),
                envelopes.c.case_id == case_id,
                envelopes.c.released == 0,
            )
            # The day of its release: a desk that asks since a day must not miss it.
            .values(released=1, day=self._today())
        )
        if released.rowcount != len(ids):
            raise StagedMissing

    def _insert(self, connection: Connection, envelope: StoredEnvelope, *, released: bool) -> None:
        today = self._today()
        rows.require_fitting(envelope, today)
        try:
            connection.execute(
                insert(envelopes), rows.of_envelope(envelope, today, released=released)
            )
            if envelope.parts:
                connection.execute(insert(parts), rows.of_parts(envelope))
        except IntegrityError:
            raise EnvelopeConflict from None

    def _windows_after(self, case_id: bytes) -> list[tuple[CaseId, bytes]]:
        with self._database.reading() as connection:
            return statements.windows_after(connection, case_id, WINDOWS_AT_ONCE)

    def _one_case(self, where: ColumnElement[bool]) -> CaseRow | None:
        with self._database.reading() as connection:
            row = connection.execute(select(cases).where(where)).first()
        return None if row is None else rows.to_case(row)

    def _read(self, where: ColumnElement[bool], limit: int | None = None) -> list[StoredEnvelope]:
        """Read released envelopes in the order of their ids; a limit bounds the bytes, too."""
        with self._database.reading() as connection:
            return statements.released(connection, where, limit)

    def _ref(self, envelope_id: EnvelopeId, part: int) -> BlobRef:
        with self._database.reading() as connection:
            found = statements.part(connection, envelope_id, part)
        if found is None:
            raise UnknownPart
        return found
