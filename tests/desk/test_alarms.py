"""Alarms are kept one by one, as many as somebody can read, and cleared as they were shown."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.ids import new_case_id, new_envelope_id
from desk import alarms
from desk.alarms import Alarm, Sign
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.running import done
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Row, World

MOST = 5


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "MOST", MOST)


def spoilt(row: Row) -> Row:
    """A row whose content is not the one that its header names: it is not kept."""
    row.manifest = bytes(len(row.manifest))
    return row


def elsewhere(row: Row) -> Row:
    """The same id, and a header that was made up."""
    made_up = row.copy()
    made_up.header = replace(row.header, case=new_case_id())
    return made_up


@pytest.mark.claim("C-ALARMS")
@pytest.mark.usefixtures("few")
def test_invented_rows_raise_so_many_alarms_and_one_that_says_there_were_more(
    desk: Desk, world: World, sync: Synced
) -> None:
    rows = [spoilt(Reporter(world).report()[0]) for _ in range(3 * MOST)]
    told = sync(*rows).alarms
    kept = desk.store.alarms()
    refused = [one for one in kept if one.sign is Sign.PARTS_REFUSED]
    assert len(refused) == MOST
    assert set(kept) - set(refused) == {Alarm(Sign.TOO_MANY)}
    assert set(told) == set(kept)
    assert len(told) == len(kept)
    # And no more of them the next day, whatever else is invented.
    sync(*(spoilt(Reporter(world).report()[0]) for _ in range(3)))
    assert set(desk.store.alarms()) == set(kept)


@pytest.mark.claim("C-ALARMS")
@pytest.mark.usefixtures("few")
def test_a_flood_of_one_sign_leaves_room_for_every_other(
    desk: Desk, world: World, sync: Synced, server: FakeServer
) -> None:
    (honest, _) = Reporter(world).report()
    sync(honest)
    server.rows.pop(honest.id, None)
    told = sync(*(spoilt(Reporter(world).report()[0]) for _ in range(2 * MOST))).alarms
    assert Alarm(Sign.MISSING, honest.header.case.hex(), honest.id.hex()) in told
    assert Alarm(Sign.MISSING, honest.header.case.hex(), honest.id.hex()) in desk.store.alarms()


def test_another_case_under_a_known_id_is_told_of_the_case_that_is_here(
    desk: Desk, world: World, sync: Synced, server: FakeServer
) -> None:
    (known, _) = Reporter(world).report()
    sync(known)
    for _ in range(3):
        server.rows[known.id] = elsewhere(known)
        synchronise(desk, Silence())
    # One, and not one for each case that was made up.
    assert desk.store.alarms() == (
        Alarm(Sign.ENVELOPE_CHANGED, known.header.case.hex(), known.id.hex()),
    )


@pytest.mark.usefixtures("few")
def test_what_is_kept_already_and_what_is_the_servers_own_needs_no_room(desk: Desk) -> None:
    store = desk.store
    many = [
        Alarm(Sign.MISSING, new_case_id().hex(), new_envelope_id().hex()) for _ in range(MOST + 1)
    ]
    assert [store.shout(one) for one in many] == [*many[:MOST], Alarm(Sign.TOO_MANY)]
    assert store.shout(many[0]) == many[0]
    assert store.shout(Alarm(Sign.ROSTER_FORKED)) == Alarm(Sign.ROSTER_FORKED)
    assert store.shout(Alarm(Sign.WRAP_LEFT_OUT, "aa", "bb")).sign is Sign.WRAP_LEFT_OUT
    assert store.quieten(*many) == MOST
    assert store.shout(many[-1]) == many[-1]


def test_thousands_of_alarms_of_one_case_are_read_at_once(desk: Desk, sync: Synced) -> None:
    # A positive control of the bound itself: what it allows is no burden.
    assert alarms.MOST <= 2_000
    with sqlite3.connect(desk.home.database) as connection:
        rows = [(str(Sign.MISSING), "00" * 16, f"{n:032x}") for n in range(alarms.MOST)]
        connection.executemany("INSERT INTO alarms VALUES (?,?,?)", rows)
    sync()
    assert len({one.key for one in desk.store.alarms()}) == alarms.MOST


def test_a_key_tells_one_alarm_from_every_other() -> None:
    several = [
        Alarm(Sign.MISSING), Alarm(Sign.MISSING, "ab", "cd"), Alarm(Sign.MISSING, "abcd"),
        Alarm(Sign.MISSING, "", "abcd"), Alarm(Sign.CANNOT_OPEN, "ab", "cd"),
    ]  # fmt: skip
    assert len({one.key for one in several}) == len(several)
    assert Alarm(Sign.MISSING, "ab", "cd").key == several[1].key


@pytest.mark.claim("C-ALARMS")
def test_the_command_clears_what_it_printed_or_those_that_are_named(desk: Desk, run: Run) -> None:
    one, other = Alarm(Sign.MISSING, "ab" * 16, "cd" * 16), Alarm(Sign.ROSTER_REFUSED)
    for alarm in (one, other):
        desk.store.shout(alarm)
    rows = json.loads(done(run("alarms", "--json")))["alarms"]
    assert {row["key"] for row in rows} == {one.key, other.key}
    assert one.key[:8] in done(run("alarms"))
    assert run("alarms", "--clear", "--only", "ffff").exit_code == 1
    assert run("alarms", "--only", one.key).exit_code == 2
    assert set(desk.store.alarms()) == {one, other}
    shown = done(run("alarms", "--clear", "--only", one.key[:8]))
    assert "missing-that-was-there" in shown
    assert "roster-refused" not in shown
    assert desk.store.alarms() == (other,)
    done(run("alarms", "--clear"))
    assert desk.store.alarms() == ()
    assert "No alarms." in done(run("alarms"))
