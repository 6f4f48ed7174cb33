"""The database beneath: its migrations, its waiting, and what its errors do not say."""

from __future__ import annotations

import dataclasses
import fcntl
import multiprocessing
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from tests.vault.builders import envelope, make_shelf, new_case, urls
from vault.database import Database
from vault.errors import NotMigrated, ShelfUnavailable, UnsupportedStore
from vault.outside import RosterRow
from vault.tables import SCRATCH_SLOTS, metadata
from vault.vault import Vault, utc_today

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vault.builders import Shelf


def test_the_migrations_lead_to_the_tables_that_the_code_knows(shelf: Shelf) -> None:
    with shelf.vault._database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_the_migrated_tables_are_spelled_as_the_code_would_spell_them(shelf: Shelf) -> None:
    fresh = Database(f"sqlite:///{shelf.folder / 'fresh.sqlite'}")
    with fresh.writing() as connection:
        metadata.create_all(connection)

    def spelled(name: str) -> set[str]:
        with sqlite3.connect(shelf.folder / name) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            return {" ".join(sql.split()) for (sql,) in rows if "alembic_version" not in sql}

    assert spelled("fresh.sqlite") == spelled("vault.sqlite")
    fresh.close()


def test_migrating_again_changes_nothing(shelf: Shelf) -> None:
    case = new_case()
    shelf.vault.accept_report(case, [envelope(case.case_id)])
    Vault.migrate(urls(shelf.folder)[0])
    assert shelf.vault.case(case.case_id) is not None
    with sqlite3.connect(shelf.folder / "vault.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM scratch").fetchone() == (SCRATCH_SLOTS,)


def test_workers_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    database_url, blobs_url = urls(tmp_path)
    processes = [
        multiprocessing.get_context("fork").Process(target=Vault.migrate, args=(database_url,))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    Vault.open(database_url, blobs_url).close()


def test_a_vault_without_a_database_or_with_another_versions_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    with pytest.raises(NotMigrated):
        Vault.open(*urls(tmp_path))
    assert not (tmp_path / "vault.sqlite").exists()
    shelf = make_shelf(tmp_path / "later")
    with sqlite3.connect(shelf.folder / "vault.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NotMigrated):
        Vault.open(*urls(shelf.folder))
    shelf.vault.close()


def test_a_damaged_database_is_said_to_be_unavailable(shelf: Shelf) -> None:
    shelf.vault.close()
    for path in shelf.folder.glob("vault.sqlite*"):
        path.write_bytes(b"no database" * 1000)
    with pytest.raises(ShelfUnavailable):
        shelf.vault.index()
    with pytest.raises(ShelfUnavailable):
        shelf.vault.remember_nonce(bytes(16), bytes(16))


@pytest.mark.parametrize(
    "url", ["postgresql://host/x", "sqlite://", "sqlite:///:memory:", "sqlite:///a?mode=ro"]
)
def test_a_database_of_an_unknown_kind_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedStore):
        Database(url)


def test_a_database_error_does_not_show_what_was_to_be_stored(shelf: Shelf) -> None:
    def fail() -> None:
        with shelf.vault._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO scratch VALUES (?, ?)", (0, "a planted marker"))

    with pytest.raises(IntegrityError, match="hidden") as refused:
        fail()
    assert "marker" not in str(refused.value) + repr(refused.value)


def test_a_case_that_the_database_refuses_is_never_taken_for_one_that_is_safe(
    shelf: Shelf,
) -> None:
    case = dataclasses.replace(new_case(), receipt_window=b"too short")
    with pytest.raises(IntegrityError):
        shelf.vault.accept_report(case, [])


def test_whatever_writes_took_its_turn_at_the_beginning(shelf: Shelf) -> None:
    began: list[str] = []
    wrote: list[str] = []

    def note(*args: object) -> None:
        statement = str(args[2])
        if statement.startswith("BEGIN"):
            began.append(statement)
        elif not statement.startswith("SELECT"):
            wrote.append(began[-1])

    event.listen(shelf.vault._database._reading, "before_cursor_execute", note)
    case = new_case()
    shelf.vault.accept_report(case, [envelope(case.case_id)])
    shelf.vault.touch_thread(case.case_id, old_state=case.thread_state, new_state=bytes(92))
    shelf.vault.append(envelope(case.case_id))
    shelf.vault.close_receipt_window(case.case_id)
    shelf.vault.remember_nonce(bytes(16), bytes(16))
    shelf.vault.save_roster(RosterRow(1, bytes(32), b"note"))
    shelf.vault.expire()
    assert len(wrote) >= 8
    assert set(wrote) == {"BEGIN IMMEDIATE"}


def test_who_comes_second_waits_until_the_first_has_migrated(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    second = multiprocessing.get_context("fork").Process(
        target=Vault.migrate, args=(urls(tmp_path)[0],)
    )
    second.start()
    second.join(0.3)
    assert second.is_alive()
    assert list(tmp_path.iterdir()) == []
    fcntl.flock(folder, fcntl.LOCK_UN)
    second.join(30)
    assert second.exitcode == 0
    os.close(folder)


def test_the_day_is_the_utc_day() -> None:
    assert 20_000 < utc_today() < 60_000
