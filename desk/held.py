"""The tables of a desk's database, and what one look through all of them tells.

Rule: what is told of an envelope follows from every byte that is kept of it, so that two that are
told alike are alike.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from crypto.ids import CaseId, EnvelopeId
from desk.damage import require_named

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from crypto.header import Kind

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
CREATE TABLE IF NOT EXISTS firsts (
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
"""What the tables hold whose names do not say it.

origins  of a case, what began it here: a report that opened before any other came (desk.origins)
firsts   the same of a case that was not read yet: a report that stood there alone
renewed  what took the place of what came wrong first (desk.renewal), by its digest
"""


class Outside(NamedTuple):
    """What is known of an envelope without opening it; `digest` is of all that an index says."""

    header: bytes
    digest: bytes
    posted: bool


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
    found: dict[EnvelopeId, Outside] = {}
    for name, case, kind, header, wraps, manifest, posted in connection.execute(
        "SELECT envelope, case_id, kind, header, wraps, manifest, posted FROM envelopes"
    ):
        require_named(header, name, case, kind)
        digest = digest_of(header, wraps, manifest, sizes.get(name, ()))
        found[name] = Outside(header, digest, bool(posted))
    return found


def of_kind(connection: sqlite3.Connection, kind: Kind) -> dict[CaseId, list[EnvelopeId]]:
    """The envelopes of one kind, of each case that has any."""
    found: dict[CaseId, list[EnvelopeId]] = {}
    for case, envelope in connection.execute(
        "SELECT case_id, envelope FROM envelopes WHERE kind=?", (int(kind),)
    ):
        found.setdefault(CaseId(case), []).append(EnvelopeId(envelope))
    return found


def by_case(connection: sqlite3.Connection, table: str) -> dict[CaseId, EnvelopeId]:
    """The envelope that a table names of each case."""
    rows = connection.execute(f"SELECT case_id, envelope FROM {table}")  # noqa: S608  # ours
    return {CaseId(case): EnvelopeId(envelope) for case, envelope in rows}


def alarms(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every remembered alarm's sign, case and envelope, in order."""
    return connection.execute(
        "SELECT sign, case_id AS of_case, envelope AS of_envelope FROM alarms "
        "ORDER BY sign, case_id, envelope"
    ).fetchall()


def states(connection: sqlite3.Connection, begun: bytes) -> dict[CaseId, bytes]:
    """Of each case, a digest of all that is held about it; `begun` goes into every one.

    What a case reads as follows from its envelopes' outsides, from what is known of when they
    came, from the pinned report and from the alarms.  The sealed insides are named in the
    headers, by their digests; where the first that came was not it, by what took its place.
    """
    held: dict[bytes, list[bytes]] = {}
    for name, case, kind, header, wraps, late_after in connection.execute(
        "SELECT envelope, case_id, kind, header, wraps, COALESCE(epoch, 0) AS epoch "
        "FROM envelopes LEFT JOIN late USING (envelope) ORDER BY envelope"
    ):
        require_named(header, name, case, kind)
        sizes = b"%d %d %d\0" % (len(header), len(wraps), late_after)
        held.setdefault(case, [begun]).extend((sizes, header, wraps))
    for case, envelope in connection.execute(
        "SELECT case_id, envelope FROM origins UNION ALL SELECT case_id, envelope FROM firsts"
    ):
        if case in held:
            held[case].append(b"origin" + envelope)
    for case, envelope, outside in connection.execute(
        "SELECT case_id, envelope, outside FROM renewed JOIN envelopes USING (envelope) "
        "ORDER BY envelope"
    ):
        held[case].append(b"renewed" + envelope + outside)
    for sign, case, envelope in alarms(connection):
        if bytes.fromhex(case) in held:
            held[bytes.fromhex(case)].append(f"alarm {sign} {envelope}\0".encode())
    return {
        CaseId(case): hashlib.sha256(b"".join(pieces)).digest() for case, pieces in held.items()
    }
