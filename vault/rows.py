"""Between rows and values: the one place that knows which column holds what."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

from crypto.header import Header, Kind, parts_root
from crypto.ids import CaseId, Day
from vault.errors import EnvelopeMismatch
from vault.outside import BlobRef, CaseRow, NewCase, StoredEnvelope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

DAYS_APART = 1


def require_fitting(envelope: StoredEnvelope, today: Day) -> None:
    """Raise EnvelopeMismatch unless header and content fit each other, and the day today."""
    header = envelope.header
    if abs(header.day - today) > DAYS_APART:
        raise EnvelopeMismatch("sealed on another day")
    if header.parts != 1 + len(envelope.parts):
        raise EnvelopeMismatch("another number of parts")
    # Blobs were hashed by whoever sealed them, and are by whoever opens them; the manifest is here.
    if not envelope.parts:
        digest = hashlib.sha256(envelope.manifest).digest()
        if parts_root([digest]) != header.parts_root:
            raise EnvelopeMismatch("another manifest")


def of_case(case: NewCase, today: Day) -> dict[str, Any]:
    """The row of a new case."""
    return {
        "case_id": case.case_id,
        "locator": case.locator,
        "received_day": today,
        "thread_state": case.thread_state,
        "receipt_window": case.receipt_window,
    }


def of_envelope(envelope: StoredEnvelope, today: Day, *, released: bool) -> dict[str, Any]:
    """The row of an envelope."""
    return {
        "envelope_id": envelope.id,
        "case_id": envelope.case,
        "day": today,
        "released": int(released),
        "header": envelope.header.to_bytes(),
        "wraps": envelope.wraps,
        "manifest": envelope.manifest,
    }


def of_parts(envelope: StoredEnvelope) -> list[dict[str, Any]]:
    """The rows of an envelope's blobs; part 0 is the manifest and has none."""
    return [
        {"envelope_id": envelope.id, "part": number, "blob": ref.name, "size": ref.size}
        for number, ref in enumerate(envelope.parts, start=1)
    ]


def to_case(row: Row[Any]) -> CaseRow:
    """The case of a row."""
    return CaseRow(
        case_id=CaseId(row.case_id),
        locator=row.locator,
        received_day=Day(row.received_day),
        thread_state=row.thread_state,
        receipt_window=row.receipt_window,
    )


def to_refs(rows: Iterable[Row[Any]]) -> dict[bytes, tuple[BlobRef, ...]]:
    """The blobs of each envelope, from rows ordered by envelope and part."""
    return {
        envelope_id: tuple(BlobRef(row.blob, row.size) for row in group)
        for envelope_id, group in groupby(rows, key=lambda row: row.envelope_id)
    }


def to_envelope(row: Row[Any], refs: tuple[BlobRef, ...]) -> StoredEnvelope:
    """The envelope of a row and its blobs."""
    return StoredEnvelope(Header.from_bytes(row.header), row.wraps, row.manifest, refs)


def same_outside(row: Row[Any], envelope: StoredEnvelope) -> bool:
    """Whether a row holds the same bytes as an envelope without blobs.

    Of a reply, the wraps may have been shortened since: a desk that lost our answer and sends it
    again has brought nothing new, and what was taken away stays away.
    """
    outside = (envelope.header.to_bytes(), envelope.manifest)
    if (row.header, row.manifest) != outside:
        return False
    shortened = envelope.header.kind is Kind.REPLY and envelope.wraps.endswith(row.wraps)
    return shortened or bool(row.wraps == envelope.wraps)
