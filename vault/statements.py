"""Statements that more than one walk needs, each inside a transaction that it is handed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from crypto.header import Kind
from crypto.ids import CaseId, Day
from vault import rows
from vault.errors import EnvelopeMismatch, ThreadMoved, UnknownCase
from vault.outside import BlobRef, RosterRow
from vault.tables import SCRATCH_SLOTS, cases, envelopes, nonces, parts, rosters, scratch

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from crypto.ids import EnvelopeId
    from vault.database import Database
    from vault.outside import StoredEnvelope

RECEIPT_WINDOW_BYTES = 48
PAGE_BYTES = 8 * 1024 * 1024
# Beside the nonces of desks, whose key ids are longer: what names a stay at the site that was left.
LEFT = b"left"
LEFT_DAYS = 31
# Where an envelope's kind stands in its header (crypto/FORMAT.md, section 3), counted from one.
_KIND_AT = 11


def of_kinds(kinds: Collection[Kind]) -> ColumnElement[bool]:
    """The condition that an envelope is of one of those kinds, as its header says."""
    return func.substr(envelopes.c.header, _KIND_AT, 1).in_([bytes([kind]) for kind in kinds])


def is_taken(connection: Connection, case_id: CaseId, locator: bytes) -> bool:
    """Whether there is a case of that id or of that locator."""
    query = select(cases.c.case_id).where(
        (cases.c.case_id == case_id) | (cases.c.locator == locator)
    )
    return connection.execute(query).first() is not None


def released(
    connection: Connection, where: ColumnElement[bool], limit: int | None
) -> list[StoredEnvelope]:
    """Released envelopes in the order of their ids; a limit bounds their number and bytes."""
    query = select(envelopes).where(where, envelopes.c.released == 1)
    page = connection.execute(query.order_by(envelopes.c.envelope_id).limit(limit))
    found = []
    size = 0
    for row in page:
        found.append(row)
        size += len(row.wraps) + len(row.manifest)
        if limit is not None and size > PAGE_BYTES:
            break
    page.close()
    of_these = parts.c.envelope_id.in_([row.envelope_id for row in found])
    order = (parts.c.envelope_id, parts.c.part)
    refs = rows.to_refs(connection.execute(select(parts).where(of_these).order_by(*order)))
    return [rows.to_envelope(row, refs.get(row.envelope_id, ())) for row in found]


def require_case(connection: Connection, case_id: CaseId) -> None:
    """Raise UnknownCase unless there is such a case."""
    if (
        connection.execute(select(cases.c.case_id).where(cases.c.case_id == case_id)).first()
        is None
    ):
        raise UnknownCase


def move_thread(connection: Connection, case_id: CaseId, old: bytes, new: bytes) -> None:
    """Compare and swap a thread's state.  Raises UnknownCase, ThreadMoved."""
    moved = connection.execute(
        update(cases)
        .where(cases.c.case_id == case_id, cases.c.thread_state == old)
        .values(thread_state=new)
    )
    if moved.rowcount != 1:
        require_case(connection, case_id)
        raise ThreadMoved


def shorten_wraps(
    connection: Connection, case_id: CaseId, left: Mapping[EnvelopeId, bytes]
) -> None:
    """Cut the beginning off the wraps of a case's replies.  Raises EnvelopeMismatch for more.

    What is left must be how the wraps ended: nobody's can be changed or put in this way.
    """
    for envelope_id, wraps in left.items():
        where = (
            (envelopes.c.envelope_id == envelope_id)
            & (envelopes.c.case_id == case_id)
            & (envelopes.c.released == 1)
            & of_kinds([Kind.REPLY])
        )
        present = connection.execute(select(envelopes.c.wraps).where(where)).scalar()
        if present is None or not wraps or not present.endswith(wraps):
            raise EnvelopeMismatch("not the end of a reply's wraps")
        connection.execute(update(envelopes).where(where).values(wraps=wraps))


def make_noise(connection: Connection, noise: bytes) -> None:
    """Write to a row that means nothing: the work of a write, and no trace of whose."""
    slot = secrets.randbelow(SCRATCH_SLOTS)
    connection.execute(update(scratch).where(scratch.c.slot == slot).values(noise=noise))


def part(connection: Connection, envelope_id: EnvelopeId, number: int) -> BlobRef | None:
    """The blob of a released envelope's content part, or None."""
    row = connection.execute(
        select(parts.c.blob, parts.c.size)
        .join(envelopes, envelopes.c.envelope_id == parts.c.envelope_id)
        .where(
            parts.c.envelope_id == envelope_id,
            parts.c.part == number,
            envelopes.c.released == 1,
        )
    ).first()
    return None if row is None else BlobRef(row.blob, row.size)


def windows_after(connection: Connection, case_id: bytes, most: int) -> list[tuple[CaseId, bytes]]:
    """A page of cases and their receipt windows, in the order of ids."""
    query = select(cases.c.case_id, cases.c.receipt_window).where(cases.c.case_id > case_id)
    page = connection.execute(query.order_by(cases.c.case_id).limit(most))
    return [(CaseId(row.case_id), row.receipt_window) for row in page]


def overwrite_windows(connection: Connection, case_ids: Sequence[CaseId]) -> int:
    """Put random bytes where the receipt windows of cases stood; returns how many there were."""
    statement = (
        update(cases)
        .where(cases.c.case_id == bindparam("one"))
        .values(receipt_window=bindparam("noise"))
    )
    noise = [{"one": one, "noise": secrets.token_bytes(RECEIPT_WINDOW_BYTES)} for one in case_ids]
    return connection.execute(statement, noise).rowcount


def staged_among(database: Database, ids: Collection[bytes]) -> set[bytes]:
    """Give those of some envelopes that are staged still."""
    where = envelopes.c.envelope_id.in_(ids) & (envelopes.c.released == 0)
    with database.reading() as connection:
        return set(connection.scalars(select(envelopes.c.envelope_id).where(where)))


def delete_staged(connection: Connection, where: ColumnElement[bool]) -> tuple[list[str], int]:
    """Delete staged envelopes; returns the names of blobs to remove after the commit, and a count.

    Rows before files: a crash in between leaves a blob that nothing names, which expiry sweeps.
    """
    staged = (envelopes.c.released == 0) & where
    ids = select(envelopes.c.envelope_id).where(staged)
    names = connection.execute(select(parts.c.blob).where(parts.c.envelope_id.in_(ids))).scalars()
    found = list(names)
    return found, connection.execute(delete(envelopes).where(staged)).rowcount


def was_left(connection: Connection, stay: bytes) -> bool:
    """Whether a stay is remembered as left."""
    where = (nonces.c.keyid == LEFT) & (nonces.c.nonce == stay)
    return connection.execute(select(nonces.c.day).where(where)).first() is not None


def delete_nonces(connection: Connection, before: Day, today: Day) -> int:
    """Forget the nonces from before a day; stays that were left are kept for `LEFT_DAYS`."""
    left = (nonces.c.keyid == LEFT) & (nonces.c.day < today - LEFT_DAYS)
    others = (nonces.c.keyid != LEFT) & (nonces.c.day < before)
    return connection.execute(delete(nonces).where(left | others)).rowcount


def highest_roster(connection: Connection) -> RosterRow | None:
    """The roster of the highest epoch, or None."""
    row = connection.execute(select(rosters).order_by(rosters.c.epoch.desc()).limit(1)).first()
    return None if row is None else RosterRow(row.epoch, row.hash, row.note)


def roster_of_epoch(connection: Connection, epoch: int) -> RosterRow | None:
    """The roster of one epoch, or None."""
    row = connection.execute(select(rosters).where(rosters.c.epoch == epoch)).first()
    return None if row is None else RosterRow(row.epoch, row.hash, row.note)
