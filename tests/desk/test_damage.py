"""A desk's database that its disk damaged: every face says how everything comes again."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from desk import damage
from desk.alarms import Alarm, Sign
from desk.errors import StoreDamaged
from desk.pages.app import create_pages
from desk.pages.background import Background, Job
from desk.pages.door import Bind, OneTimeLink
from desk.pages.syncing import Syncing
from desk.room import bulletin
from tests.desk.running import done
from tests.desk.sight.kit import FORM, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.running import Run
    from tests.desk.world import Reporter

WAY_OUT = "move store.sqlite and the files named after it out of the desk's folder"
TABLES = {
    "envelopes": "envelope case_id kind header wraps manifest whole posted",
    "parts": "envelope size",
    "rosters": "hash note",
    "origins": "case_id envelope",
    "firsts": "case_id envelope",
    "late": "epoch",
    "renewed": "outside",
    "alarms": "sign case_id envelope",
    "facts": "value",
}
COLUMNS = [(table, column) for table, names in TABLES.items() for column in names.split()]
ANOTHER_TYPE, NO_HEX, NO_UTF_8, SHORT = "-1.5", "'\u00e9'", "CAST(x'ff41' AS TEXT)", "x'00'"
FITS = {
    # Any text is a fact's, and SQLite makes a text of a number there.
    "value": (ANOTHER_TYPE, NO_HEX),
    # What they hold is sealed: the seal tells.
    "wraps": (SHORT,),
    "manifest": (SHORT,),
}


def harm(desk: Desk, statement: str) -> None:
    """Write what no program of ours writes."""
    connection = sqlite3.connect(desk.home.database)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def full(desk: Desk, reporter: Reporter, sync: Synced) -> Desk:
    """A desk with a row in every table."""
    sync(*reporter.report([reporter.evidence("photo.jpg", "image/jpeg", b"a photo")]))
    one = desk.store.everything()[0]
    desk.store.shout(Alarm(Sign.MISSING, one.case.hex(), one.id.hex()))
    with desk.store._connection() as connection:
        connection.execute("INSERT INTO origins VALUES (?,?)", (one.case, one.id))
        connection.execute("INSERT INTO late VALUES (?,1)", (one.id,))
        connection.execute("INSERT INTO renewed VALUES (?,?)", (one.id, one.digest))
        for table in TABLES:
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() > (0,)  # noqa: S608  # ours
    return desk


def read_all(desk: Desk) -> None:
    """Everything that any program reads of its database."""
    store = desk.store
    store.outsides()
    store.states(b"")
    store.everything()
    store.alarms()
    store.origins()
    store.firsts()
    store.roster_notes()
    store.noted_all("")


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_what_nothing_here_can_have_written_is_damage_wherever_it_stands(
    full: Desk, table: str, column: str
) -> None:
    read_all(full)
    harm(full, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole = full.home.database.read_bytes()
    for odd in (ANOTHER_TYPE, NO_HEX, NO_UTF_8, SHORT):
        if odd in FITS.get(column, ()):
            continue
        row = f"WHERE {column} = (SELECT {column} FROM {table} LIMIT 1)"  # noqa: S608  # ours
        harm(full, f"UPDATE {table} SET {column} = {odd} {row}")  # noqa: S608  # ours
        with pytest.raises(StoreDamaged, match=WAY_OUT):
            read_all(full)
        for path in full.home.folder.glob("store.sqlite*"):
            path.unlink()
        full.home.database.write_bytes(whole)


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize("column", ["envelope", "case_id", "kind"])
def test_an_envelope_that_lies_under_another_name_than_its_own_is_damage(
    full: Desk, column: str
) -> None:
    before = full.store.everything()[0]
    harm(
        full,
        f"UPDATE envelopes SET {column} = "  # noqa: S608  # ours
        + ("kind + 1" if column == "kind" else "CAST(x'00' || substr(envelope, 2) AS BLOB)")
        + f" WHERE envelope = x'{before.id.hex()}'",
    )
    for reads in (full.store.outsides, full.store.everything, lambda: full.store.states(b"")):
        with pytest.raises(StoreDamaged, match=WAY_OUT):
            reads()


def test_a_header_of_a_suite_that_is_none_of_ours_is_damage(full: Desk) -> None:
    kept = full.store.everything()[0].header.to_bytes()
    for other in (kept[:9] + b"\x02" + kept[10:], b"x" + kept[1:]):
        with pytest.raises(StoreDamaged, match=WAY_OUT):
            damage.header_of(other)


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rosters SET hash = CAST(x'00ff' || substr(hash, 3) AS BLOB)",
        "UPDATE rosters SET note = CAST(note || x'0a' AS BLOB)",
        "UPDATE alarms SET sign = 'too-manz'",
        "UPDATE alarms SET case_id = 'z' || substr(case_id, 2)",
        "UPDATE facts SET value = 'y' || value",
        "UPDATE envelopes SET case_id = CAST(x'00' || substr(case_id, 2) AS BLOB)",
        "ALTER TABLE facts RENAME COLUMN value TO vblue",
    ],
    ids=["roster's hash", "roster", "sign", "case of an alarm", "facts", "case of one", "schema"],
)
def test_every_command_says_how_what_was_damaged_comes_again(
    full: Desk, run: Run, statement: str
) -> None:
    harm(full, statement)
    said = [run(command) for command in ("list", "sync", "verify")]
    assert [(one.exit_code, one.stdout) for one in said] == [(1, "")] * 3
    assert all(WAY_OUT in one.stderr for one in said)


def test_a_schema_that_sqlite_cannot_even_quote_is_damage(full: Desk, run: Run) -> None:
    harm(full, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole = full.home.database.read_bytes()
    assert b"sign TEXT NOT NULL" in whole
    full.home.database.write_bytes(whole.replace(b"sign TEXT NOT NULL", b"sign TEXT NOT N\xccLL"))
    refused = run("list")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert WAY_OUT in refused.stderr


def test_days_of_bulletins_that_cannot_be_read_are_damage(desk: Desk, run: Run) -> None:
    for kept in ("[[1,", "[1]", '[["x", 2]]'):
        desk.store.note(bulletin._PUBLISHED, kept)
        with pytest.raises(StoreDamaged, match=WAY_OUT):
            bulletin.published(desk)
    harm(desk, "DELETE FROM facts")
    assert bulletin.published(desk) == ()
    done(run("list"))


@pytest.mark.parametrize("fact", ["-1", "x", "\u0661", "1" * 19, "1.0"])
def test_a_number_that_nobody_noted_is_damage(fact: str) -> None:
    with pytest.raises(StoreDamaged, match=WAY_OUT):
        damage.noted_number(fact)
    assert (damage.noted_number(""), damage.noted_number("12")) == (0, 12)


# --- and what is no damage


@pytest.mark.claim("C-VERIFY")
def test_a_fault_of_ours_and_a_database_that_is_busy_are_not_called_damage(
    full: Desk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyError), full.store._connection():
        raise KeyError
    with pytest.raises(sqlite3.ProgrammingError):
        full.store.noted(object())  # type: ignore[arg-type]

    def busy(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(type(full.store), "alarms", busy)
    refused = run("list")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "amana-desk: The desk's own database cannot be used: database is locked. Nothing more was "
        "written.\n"
    )


# --- the pages


@pytest.fixture
def client(full: Desk) -> Iterator[FlaskClient]:
    beside, link = Background(), OneTimeLink()
    browser = create_pages(full, Bind("127.0.0.1", 8002), link, None, beside).test_client()
    assert browser.get(f"/link/{link.token}", headers=OURS).status_code == 303
    yield browser
    beside.end()


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize(
    ("language", "said"),
    [("en", WAY_OUT), ("fr", "hors du dossier du poste"), ("ar", "خارج مجلد المكتب")],
)
def test_the_pages_say_how_what_was_damaged_comes_again(
    full: Desk, client: FlaskClient, capfd: pytest.CaptureFixture[str], language: str, said: str
) -> None:
    client.post("/language", headers=FORM, data={"language": language})
    harm(full, "UPDATE alarms SET sign = 'too-manz'")
    found = client.get("/", headers=OURS)
    assert (found.status_code, said in found.text.replace("&#39;", "'")) == (500, True)
    harm(full, "ALTER TABLE alarms RENAME TO alarmz")
    noticed = client.get("/", headers=OURS)
    assert (noticed.status_code, said in noticed.text.replace("&#39;", "'")) == (500, True)
    assert client.post("/lock", headers=FORM).status_code == 200
    assert capfd.readouterr().err == ""


def test_what_runs_beside_the_pages_says_it_too(full: Desk) -> None:
    beside = Background()
    syncing = Syncing(full, None, beside.over)
    harm(full, "ALTER TABLE alarms RENAME TO alarmz")
    syncing.by_itself()
    assert WAY_OUT in syncing.failure
    job = Job("verify", "Verifying", "/")
    beside.begin(job, lambda _: full.store.alarms())
    for thread in beside._threads:
        thread.join()
    assert WAY_OUT in job.problem
    beside.end()


def test_a_kept_row_of_another_type_costs_no_more_than_time(full: Desk, run: Run) -> None:
    shown = done(run("list"))
    with sqlite3.connect(full.home.index) as connection:
        connection.execute("UPDATE rows SET sealed = 'text'")
    connection.close()
    assert done(run("list")) == shown
