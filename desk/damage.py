"""What a desk's database can hold, and what is said where its disk gives something else.

Rule: every row is looked at as it is read, and a value that nothing here can have written is
StoreDamaged, with the way out.  Values are looked at and no exception is taken for another one: a
fault of ours still shows as what it is, and sends nobody to move a good database away.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crypto.errors import EnvelopeMalformed, SuiteUnavailable
from crypto.header import HEADER_BYTES, Header
from crypto.ids import HASH_BYTES, ID_BYTES
from desk.alarms import Sign
from desk.errors import StoreDamaged
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from crypto.ids import CaseId, EnvelopeId

DAMAGED = Sentence(
    "This desk's database was damaged on its disk. What the server has can come again: move "
    "store.sqlite and the files named after it out of the desk's folder, enrol, and sync. Keep "
    "them: what was not sent yet is in them alone, and so is what this desk alone knew, such as "
    "which of two reports in a case came first."
)

_KIND = 10
_NAMES = slice(28, 60)
"""Where a header has its kind, and its case and its own id: crypto/FORMAT.md, section 3."""
_SIGNS = frozenset(map(str, Sign))
_HEX = frozenset("0123456789abcdef")
_DIGITS_MOST = 18


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on a connection of its own, which gives no row but one that fits.

    Raises:
        sqlite3.Error: the file cannot be used.
        StoreDamaged: a row, or what SQLite itself would say of one, is none that was written here.
    """
    connection = sqlite3.connect(path, timeout=30)
    connection.row_factory, connection.text_factory = _row, _text
    try:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA secure_delete=ON")
        with connection:
            yield connection
    except UnicodeDecodeError:
        # SQLite's own message, with what stands in a damaged schema.  Nothing is decoded within.
        raise StoreDamaged(DAMAGED) from None
    finally:
        connection.close()


def unusable(error: sqlite3.Error) -> Sentence:
    """What is said where SQLite refuses; of damage, how everything comes again as well."""
    said = Sentence(
        "The desk's own database cannot be used: {error}. Nothing more was written.",
        error=str(error),
    )
    if not _is_damage(error):
        return said
    return Sentence("{done} {complaint}", done=said, complaint=DAMAGED)


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is no database any more, or does not know a table or a column of ours.

    One that is locked, or that has no room, is whole.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_ERROR or type(error) is sqlite3.DatabaseError


def header_of(kept: bytes) -> Header:
    """Read a header that was whole when it was kept.  Raises StoreDamaged."""
    try:
        return Header.from_bytes(kept)
    except (EnvelopeMalformed, SuiteUnavailable):
        raise StoreDamaged(DAMAGED) from None


def require_named(header: bytes, envelope: EnvelopeId, case: CaseId, kind: int) -> None:
    """See that a header lies under its own id, case and kind.  Raises StoreDamaged."""
    if header[_NAMES] != case + envelope or header[_KIND] != kind:
        raise StoreDamaged(DAMAGED)


def whole_note(kept: bytes, name: bytes) -> bytes:
    """A roster's note, if it lies under its own hash.  Raises StoreDamaged."""
    if hashlib.sha256(kept).digest() != name:
        raise StoreDamaged(DAMAGED)
    return kept


def forget_spoilt_rosters(connection: sqlite3.Connection) -> None:
    """Forget each roster that lies under another hash than its own.  What is pinned stays."""
    rows = connection.execute("SELECT hash, note FROM rosters").fetchall()
    spoilt = [(name,) for name, note in rows if hashlib.sha256(note).digest() != name]
    connection.executemany("DELETE FROM rosters WHERE hash=?", spoilt)


def noted_number(fact: str) -> int:
    """A number that was noted as a fact; 0 where none was.  Raises StoreDamaged."""
    if not (fact.isascii() and fact.isdigit() and len(fact) <= _DIGITS_MOST) and fact:
        raise StoreDamaged(DAMAGED)
    return int(fact or 0)


def _row(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row as it was read, if each of its columns holds what such a column can hold."""
    for column, value in zip(cursor.description, row, strict=True):
        fits = _FITS.get(column[0])
        if fits is not None and not fits(value):
            raise StoreDamaged(DAMAGED)
    return row


def _text(kept: bytes) -> str:
    try:
        return kept.decode()
    except UnicodeDecodeError:
        raise StoreDamaged(DAMAGED) from None


def _is_id(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == ID_BYTES


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _is_header(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HEADER_BYTES


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_yes_or_no(value: object) -> bool:
    return value in (0, 1)


def _is_where(value: object) -> bool:
    """An alarm's case or envelope: in hex, or nothing."""
    return isinstance(value, str) and len(value) % 2 == 0 and _HEX.issuperset(value)


_FITS: Mapping[str, Callable[[object], bool]] = {
    "envelope": _is_id, "case_id": _is_id, "kind": _is_number, "header": _is_header,
    "wraps": _is_bytes, "manifest": _is_bytes, "whole": _is_yes_or_no, "posted": _is_yes_or_no,
    "size": _is_number, "hash": _is_hash, "epoch": _is_number, "note": _is_bytes,
    "outside": _is_hash, "value": _is_text,
    "sign": _SIGNS.__contains__, "of_case": _is_where, "of_envelope": _is_where,
}  # fmt: skip
"""By a column's name in what was asked; another one (a count) is SQLite's own."""
