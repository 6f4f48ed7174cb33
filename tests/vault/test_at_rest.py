"""What a stolen disk says: the columns, the days, the order, and what was deleted."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crypto.header import Kind
from crypto.ids import Day
from tests.vault.builders import Shelf, envelope, make_shelf, new_case, urls
from vault.vault import Vault

COLUMNS = json.loads(Path(__file__).with_name("columns.json").read_text())


def dump(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "vault.sqlite") as connection:
        return list(connection.iterdump())


def values(folder: Path) -> list[tuple[str, str, Any]]:
    """Every value of every table: (table, column, value)."""
    found = []
    with sqlite3.connect(folder / "vault.sqlite") as connection:
        for table, columns in COLUMNS.items():
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}"):  # noqa: S608 # names from our own list
                found += [(table, name, value) for name, value in zip(columns, row, strict=True)]
    return found


def lived(shelf: Shelf) -> None:
    """A day in a vault's life: reports, files, a message, a desk's reply, a nonce."""
    vault = shelf.vault
    for _ in range(3):
        case = new_case()
        early = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
        vault.stage(early)
        late = envelope(case.case_id, Kind.EVIDENCE, shelf.blob(), shelf.blob())
        vault.accept_report(case, [envelope(case.case_id), late], [early.id])
        vault.accept_follow_up(
            case.case_id,
            [envelope(case.case_id, Kind.FOLLOW_UP)],
            old_state=case.thread_state,
            new_state=bytes(92),
        )
        vault.append(envelope(case.case_id, Kind.REPLY))
        vault.remember_nonce(bytes(16), os.urandom(16))
        vault.touch_thread(None, old_state=b"", new_state=bytes(92))
        list(vault.read_part(late.id, 2))


def test_the_tables_have_the_columns_that_are_accounted_for_and_no_other(shelf: Shelf) -> None:
    with sqlite3.connect(shelf.folder / "vault.sqlite") as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for (name,) in tables
        }
    assert {name: set(columns) for name, columns in found.items()} == {
        name: set(columns) for name, columns in COLUMNS.items()
    }


def test_no_table_of_reports_has_a_rowid_that_counts_arrivals(shelf: Shelf) -> None:
    with sqlite3.connect(shelf.folder / "vault.sqlite") as connection:
        made = dict(
            connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
        )
    del made["alembic_version"]  # one row for ever
    assert [name for name, sql in made.items() if "WITHOUT ROWID" not in sql] == []


@pytest.mark.claim("C-DAY")
def test_no_value_in_the_database_is_finer_than_a_day(shelf: Shelf) -> None:
    lived(shelf)
    numbers = [(t, c, v) for t, c, v in values(shelf.folder) if isinstance(v, int)]
    assert {(t, c) for t, c, _ in numbers} == {
        ("cases", "received_day"),
        ("envelopes", "day"),
        ("envelopes", "released"),
        ("nonces", "day"),
        ("parts", "part"),
        ("parts", "size"),
        ("scratch", "slot"),
    }
    assert {v for _, c, v in numbers if c in {"day", "received_day"}} == {shelf.calendar.day}
    texts = {(t, c) for t, c, v in values(shelf.folder) if isinstance(v, str)}
    assert texts == {("parts", "blob"), ("alembic_version", "version_num")}


@pytest.mark.claim("C-DAY")
def test_a_blob_has_a_random_name_and_times_that_mean_nothing_even_after_it_was_read(
    shelf: Shelf,
) -> None:
    lived(shelf)
    found = {(p.stat().st_mtime, p.stat().st_atime) for p in shelf.blobs.iterdir()}
    assert found == {(0, 2**31 - 1)}
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in shelf.blob_names())


@pytest.mark.claim("C-ORDER")
def test_whether_a_came_before_b_cannot_be_read_from_a_dump(tmp_path: Path) -> None:
    template = make_shelf(tmp_path / "template")
    template.vault.close()
    one, other = new_case(), new_case()
    reports = {case.case_id: envelope(case.case_id) for case in (one, other)}
    replies = {case.case_id: envelope(case.case_id, Kind.REPLY) for case in (one, other)}
    dumps: list[list[str]] = []
    for order in ((one, other), (other, one)):
        folder = tmp_path / f"run{len(dumps)}"
        shutil.copytree(template.folder, folder)
        vault = Vault.open(*urls(folder), today=template.calendar.today)
        for case in order:
            vault.accept_report(case, [reports[case.case_id]])
        for case in order:
            vault.append(replies[case.case_id])
            vault.remember_nonce(b"k" * 16, case.case_id)
        vault.close()
        dumps.append(dump(folder))
    assert dumps[0] == dumps[1]


def test_the_comparison_of_dumps_would_notice_an_order_of_arrival() -> None:
    dumps = []
    for order in ((b"a", b"b"), (b"b", b"a")):
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE cases (case_id BLOB PRIMARY KEY)")
            connection.executemany("INSERT INTO cases VALUES (?)", [(one,) for one in order])
            dumps.append(list(connection.iterdump()))
    assert dumps[0] != dumps[1]


MARKER = b"planted-marker-that-must-go" * 152


def on_disk(folder: Path, marker: bytes) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and marker in p.read_bytes()]


def test_what_was_deleted_is_in_no_file_of_the_database(shelf: Shelf) -> None:
    early = envelope(new_case().case_id, Kind.EVIDENCE, shelf.blob(MARKER), manifest=MARKER)
    shelf.vault.stage(early)
    # The control: before, it is found, in the database (or its log) and in the blob.
    assert len(on_disk(shelf.folder, MARKER[:27])) >= 2
    shelf.calendar.day = Day(shelf.calendar.day + 2)
    shelf.vault.expire()
    assert on_disk(shelf.folder, MARKER[:27]) == []


def test_without_secure_deletion_the_same_search_finds_what_was_deleted(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "careless.sqlite") as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)")
        connection.execute("INSERT INTO t VALUES (1, ?)", (MARKER,))
        connection.commit()
        connection.execute("DELETE FROM t")
    connection.close()
    assert on_disk(tmp_path, MARKER[:27]) == ["careless.sqlite"]


def test_the_database_says_itself_that_it_is_set_to_be_durable_and_to_forget(shelf: Shelf) -> None:
    assert shelf.vault.describe() == {
        "journal_mode": "wal",
        "synchronous": "2",
        "secure_delete": "1",
        "foreign_keys": "1",
    }
