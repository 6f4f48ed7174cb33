"""Look at a copy of a server's disk, as a thief would: what do the tables tell without any key?

Reads SQLite through its own read-only mode and writes nothing beside the copy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from audit.errors import Unreachable
from audit.finding import Finding
from crypto.errors import CryptoError
from crypto.header import Header, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Everything the vault may hold, and what each column means: threat_model.md, C-DAY and C-REST.
COLUMNS = {
    "cases": {"case_id", "locator", "received_day", "thread_state", "receipt_window"},
    "envelopes": {"envelope_id", "case_id", "header", "wraps", "manifest", "day", "released"},
    "parts": {"envelope_id", "part", "blob", "size"},
    "nonces": {"keyid", "nonce", "day"},
    "rosters": {"epoch", "hash", "note"},
    "scratch": {"slot", "noise"},
}
BOOKKEEPING = {"alembic_version"}


def audit_shelf(database: Path, blobs: Path) -> Iterator[Finding]:
    """Check a copy of the database and of the folder of blobs.

    Raises:
        Unreachable: one of them cannot be read.
    """
    if not database.is_file() or not blobs.is_dir():
        raise Unreachable(f"{database} and {blobs} should be a database file and a folder")
    address = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield _columns(connection)
            yield _order(connection)
            yield from _outsides(connection)
            yield _identities(connection)
            yield _blobs(connection, blobs)
    except sqlite3.DatabaseError as failure:
        raise Unreachable(f"{database} is not a vault's database") from failure


def _tables(connection: sqlite3.Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
    return {name: sql for name, sql in connection.execute(query) if name not in BOOKKEEPING}


def _columns(connection: sqlite3.Connection) -> Finding:
    seen = {
        table: {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}
        for table in _tables(connection)
    }
    extra = [f"{t}.{c}" for t, have in seen.items() for c in have - COLUMNS.get(t, set())]
    lost = [f"{t}.{c}" for t, want in COLUMNS.items() for c in want - seen.get(t, set())]
    told = ", ".join(extra + [f"no {name}" for name in lost]) or "as the threat model lists them"
    return Finding("the tables hold the columns they may hold", not extra and not lost, told)


def _order(connection: sqlite3.Connection) -> Finding:
    ordered = [name for name, sql in _tables(connection).items() if "WITHOUT ROWID" not in sql]
    told = ", ".join(ordered) or "no table numbers its rows"
    return Finding("no order of arrival in the tables", not ordered, told)


def _outsides(connection: sqlite3.Connection) -> Iterator[Finding]:
    wrong = days = count = 0
    for case, envelope, header, day in connection.execute(
        "SELECT case_id, envelope_id, header, day FROM envelopes"
    ):
        count += 1
        try:
            outside = Header.from_bytes(bytes(header))
        except CryptoError:
            wrong += 1
            continue
        wrong += (bytes(case), bytes(envelope)) != (outside.case, outside.envelope)
        days += abs(outside.day - int(day)) > 1
    told = f"{count} envelopes, {wrong} malformed or filed wrongly"
    yield Finding("every envelope's outside is whole, and filed under its case", not wrong, told)
    yield Finding("days agree with the sealer's", not days, f"{days} differ by more than one")


def _identities(connection: sqlite3.Connection) -> Finding:
    """Every report and follow-up has its identity envelope, and all have one size."""
    query = "SELECT header, length(manifest) FROM envelopes WHERE released"
    kinds = [(_kind(bytes(header)), size) for header, size in connection.execute(query)]
    talking = sum(kind in {Kind.REPORT, Kind.FOLLOW_UP} for kind, _ in kinds)
    sizes = [size for kind, size in kinds if kind == Kind.IDENTITY]
    told = f"{talking} reports and follow-ups, {len(sizes)} identities of {len(set(sizes))} size(s)"
    holds = len(sizes) == talking and len(set(sizes)) <= 1
    return Finding("an identity envelope for each, all of one size", holds, told)


def _kind(header: bytes) -> Kind | None:
    try:
        return Header.from_bytes(header).kind
    except CryptoError:
        return None  # counted among the outsides already


def _blobs(connection: sqlite3.Connection, folder: Path) -> Finding:
    named = dict(connection.execute("SELECT blob, size FROM parts"))
    there = {path.name: path.stat() for path in folder.rglob("*") if path.is_file()}
    lost = [
        name for name, size in named.items() if name not in there or there[name].st_size != size
    ]
    dated = sum(int(there[name].st_mtime) % 86400 != 0 for name in named if name in there)
    told = f"{len(named)} parts, {len(lost)} missing or of another size, {dated} with a time of day"
    return Finding("every part is there, whole and without a time", not lost and not dated, told)
