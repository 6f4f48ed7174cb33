"""The tables of a desk's database, and what one look through all of them tells.

Rule: what is told of an envelope follows from every byte that is kept of it, so that two that are
told alike are alike.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from crypto.errors import EnvelopeMalformed
from crypto.header import Header
from crypto.ids import CaseId, EnvelopeId
from desk.errors import StoreDamaged
from desk.sentence import Sentence

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SCHEMA = """
CREATE TABLE IF NOT EXISTS envelopes (
    envelope BLOB PRIMARY KEY, case_id BLOB NOT NULL, kind INTEGER NOT NULL,
    header BLOB NOT NULL, wraps BLOB NOT NULL, manifest BLOB NOT NULL,
    whole INTEGER NOT NULL, posted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS envelopes_of_case ON envelopes (case_id, envelope);
CREATE INDEX IF NOT EXISTS envelopes_of_kind ON envelopes (kind, envelope);
CREATE TABLE IF NOT EXISTS parts (
    envelope BLOB NOT NULL, part INTEGER NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (envelope, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rosters (
    hash BLOB PRIMARY KEY, epoch INTEGER NOT NULL, note BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (
    sign TEXT NOT NULL, case_id TEXT NOT NULL, envelope TEXT NOT NULL,
    PRIMARY KEY (sign, case_id, envelope)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origins (
    case_id BLOB PRIMARY KEY, envelope BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late (
    envelope BLOB PRIMARY KEY, epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS renewed (
    envelope BLOB PRIMARY KEY, outside BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
"""`renewed`: what took the place of what came wrong first (desk.renewal), by its digest."""


DAMAGED = Sentence(
    "This desk's database was damaged on its disk. What the server has can come again: move "
    "store.sqlite and the files named after it out of the desk's folder, enrol, and sync. Keep "
    "them: what was not sent yet is in them alone."
)


class Outside(NamedTuple):
    """What is known of an envelope without opening it; `digest` is of all that an index says."""

    header: bytes
    digest: bytes
    posted: bool


def header_of(kept: bytes) -> Header:
    """Read a header that was whole when it was kept.  Raises StoreDamaged."""
    try:
        return Header.from_bytes(kept)
    except EnvelopeMalformed:
        raise StoreDamaged(DAMAGED) from None


def digest_of(header: bytes, wraps: bytes, manifest: bytes, sizes: Sequence[int]) -> bytes:
    """A digest of all that the index gives of an envelope."""
    parts = ",".join(map(str, sizes)).encode("ascii")
    lengths = b"%d %d %d %d\0" % (len(header), len(wraps), len(manifest), len(parts))
    return hashlib.sha256(b"".join((lengths, header, wraps, manifest, parts))).digest()


def outsides(connection: sqlite3.Connection) -> dict[EnvelopeId, Outside]:
    """Every envelope's, by id."""
    sizes: dict[bytes, list[int]] = {}
    for envelope, size in connection.execute(
        "SELECT envelope, size FROM parts ORDER BY envelope, part"
    ):
        sizes.setdefault(envelope, []).append(size)
    rows = connection.execute("SELECT envelope, header, wraps, manifest, posted FROM envelopes")
    return {
        EnvelopeId(name): Outside(
            header, digest_of(header, wraps, manifest, sizes.get(name, ())), bool(posted)
        )
        for name, header, wraps, manifest, posted in rows
    }


def states(connection: sqlite3.Connection, begun: bytes) -> dict[CaseId, bytes]:
    """Of each case, a digest of all that is held about it; `begun` goes into every one.

    What a case reads as follows from its envelopes' outsides, from what is known of when they
    came, from the pinned report and from the alarms.  The sealed insides are named in the
    headers, by their digests; where the first that came was not it, by what took its place.
    """
    held: dict[bytes, list[bytes]] = {}
    for case, header, wraps, late_after in connection.execute(
        "SELECT case_id, header, wraps, COALESCE(epoch, 0) "
        "FROM envelopes LEFT JOIN late USING (envelope) ORDER BY envelope"
    ):
        sizes = b"%d %d %d\0" % (len(header), len(wraps), late_after)
        held.setdefault(case, [begun]).extend((sizes, header, wraps))
    for case, envelope in connection.execute("SELECT case_id, envelope FROM origins"):
        if case in held:
            held[case].append(b"origin" + envelope)
    for case, envelope, outside in connection.execute(
        "SELECT case_id, envelope, outside FROM renewed JOIN envelopes USING (envelope) "
        "ORDER BY envelope"
    ):
        held[case].append(b"renewed" + envelope + outside)
    for sign, case, envelope in connection.execute(
        "SELECT sign, case_id, envelope FROM alarms ORDER BY sign, case_id, envelope"
    ):
        if bytes.fromhex(case) in held:
            held[bytes.fromhex(case)].append(f"alarm {sign} {envelope}\0".encode())
    return {
        CaseId(case): hashlib.sha256(b"".join(pieces)).digest() for case, pieces in held.items()
    }
