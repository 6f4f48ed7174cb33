"""Claim C-FOUR-EYES: what one operator sent out of the fast lane is looked at by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desk import work
from desk.alarms import Sign
from desk.cases import Cases
from desk.errors import ActRefused
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.journal import READY, Journal
from tests.desk.world import make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FOUR-EYES")


def alarmed(case: Case) -> bool:
    signs = {one.sign for one in case.alarms}
    assert signs <= {Sign.FOUR_EYES}
    return bool(signs)


def looking(case: Case) -> bool:
    """Whether the second look is still waited for."""
    return "second_look" in {one.clock.id for one in case.clocks if one.met is None}


def test_a_second_look_before_there_was_a_first_stops_no_clock(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report, journal.state("triage"), journal.state("imminent"))
    with pytest.raises(ActRefused, match="Nothing was transmitted yet"):
        work.look_again(desk, read(), "It will be right.")
    sync(journal.act("second_look", {"text": "It will be right."}, by=0))
    sync(journal.state("transmitted", by=1, **READY))
    case = read()
    assert looking(case)
    assert not alarmed(case)
    assert [why.rule for one in case.work.irregular for why in one.why] == ["second_look"]
    sync(journal.act("second_look", {"text": "It was right."}, by=0))
    assert not looking(read())


def test_a_second_look_by_the_first_hand_is_an_alarm_and_stops_no_clock(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [journal.state("triage"), journal.state("imminent")]
    sync(*report, *rows, journal.state("transmitted", **READY))
    sync(journal.act("second_look", {"text": "I was right."}))
    assert looking(read())
    assert alarmed(read())
    assert not read().work.second_looks


def test_a_look_that_counted_goes_on_counting(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """Who looked at the first transmission may be who transmits it the next time."""
    rows = [
        journal.state("triage"), journal.state("imminent"),
        journal.state("transmitted", by=1, **READY),
        journal.act("second_look", {"text": "It was right."}, by=0),
        journal.state("returned", by=1, text="Not ours."), journal.state("ready", by=1, **READY),
        journal.state("transmitted", by=0, **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    assert not looking(read())
    assert not alarmed(read())


def test_a_second_look_waits_as_well(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [journal.state("triage"), journal.state("imminent")]
    sent = journal.state("transmitted", by=1, **READY)
    look = journal.act("second_look", {"text": "It was right."}, by=1)
    sync(*report, *rows, look)
    assert {one.sign for one in read().alarms} == {Sign.PARENT_MISSING}
    assert [[why.rule for why in one.why] for one in read().work.untold] == [["second_look"]]
    sync(sent)
    assert alarmed(read())


@pytest.fixture
def desks(desk: Desk, tmp_path: Path, world: World, server: FakeServer) -> tuple[Desk, Desk]:
    """Both operators' desks."""
    theirs = make_desk(tmp_path / "colleague", world, server.url, keyring=world.operators[1])
    return desk, theirs


def test_each_fast_sending_is_looked_at_by_the_other_hand(
    desks: tuple[Desk, Desk], journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """Op 1 sends it fast; it comes back; op 1 makes it ready and op 2 sends it: op 2 looks."""
    rows = [
        journal.state("triage", by=0), journal.state("imminent", by=0),
        journal.state("transmitted", by=0, **READY), journal.state("returned", by=1, text="Wrong."),
        journal.state("ready", by=0, **READY), journal.state("transmitted", by=1, **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    synchronise(desks[1], Silence())
    with pytest.raises(ActRefused, match="Four eyes"):
        work.look_again(desks[0], read(), "I was right.")
    theirs = Cases(desks[1]).find(read().id.hex())
    assert looking(theirs)
    assert work.look_again(desks[1], theirs, "It was right.")
    sync()
    assert not looking(read())
    assert not alarmed(read())
    sync(journal.act("second_look", {"text": "I was right."}, by=0))
    assert alarmed(read())


def test_of_two_fast_sendings_the_clock_waits_for_a_look_at_the_last(
    desks: tuple[Desk, Desk], journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [
        journal.state("triage", by=0), journal.state("imminent", by=0),
        journal.state("transmitted", by=0, **READY), journal.state("returned", by=1, text="Wrong."),
        journal.state("assessment", by=1), journal.state("imminent", by=1),
        journal.state("transmitted", by=1, **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    synchronise(desks[1], Silence())
    theirs = Cases(desks[1]).find(read().id.hex())
    assert work.look_again(desks[1], theirs, "The first was right.")
    sync()
    assert looking(read())
    assert work.look_again(desks[0], read(), "So was the second.")
    assert not looking(read())
    assert not alarmed(read())
