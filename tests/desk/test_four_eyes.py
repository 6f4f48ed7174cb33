"""Claim C-FOUR-EYES: what takes two people takes two, whatever one desk was changed to say."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import pytest

from crypto.ids import HeaderHash
from crypto.manifest import EntryBody
from desk import work
from desk.alarms import Sign
from desk.errors import ActRefused
from desk.fold import fold
from desk.order import Node
from desk.rules import load
from desk.trust import Signer
from desk.verify import Entry
from tests.desk.journal import READY, Journal
from tests.desk.world import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter, Row, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FOUR-EYES")


@pytest.fixture
def report(reporter: Reporter) -> list[Row]:
    return reporter.report()


@pytest.fixture
def journal(world: World, reporter: Reporter, report: list[Row]) -> Journal:
    return Journal(world, reporter, report[0])


def alarmed(case: Case) -> bool:
    signs = {one.sign for one in case.alarms}
    assert signs <= {Sign.FOUR_EYES}
    return bool(signs)


def looking(case: Case) -> bool:
    """Whether the second look is still waited for."""
    return "second_look" in {one.clock.id for one in case.clocks if one.met is None}


def test_leaving_out_ones_own_act_hides_nothing(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """A changed desk makes it ready, and then transmits as if it had never heard of that."""
    triage, assessed = journal.state("triage", by=0), journal.state("assessment", by=0)
    checked = journal.state("seriousness_check", by=0)
    ready = journal.state("ready", by=1, **READY)
    sent = journal.state("transmitted", by=1, after=checked, **READY)
    sync(*report, triage, assessed, checked, ready, sent)
    assert alarmed(read())


def test_an_earlier_colleagues_hand_does_not_cover_ones_own(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """It was ready by a colleague once, came back, and was made ready again by one alone."""
    rows = [
        journal.state("triage"), journal.state("assessment"), journal.state("seriousness_check"),
        once := journal.state("ready", by=0, **READY), journal.state("assessment", by=0),
        journal.state("ready", by=1, **READY),
    ]  # fmt: skip
    sent = journal.state("transmitted", by=1, after=once, **READY)
    sync(*report, *rows, sent)
    assert alarmed(read())


def test_the_fast_lane_of_long_ago_does_not_cover_it_either(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [
        journal.state("triage"), fast := journal.state("imminent"), journal.state("assessment"),
        journal.state("seriousness_check"), journal.state("ready", **READY),
    ]  # fmt: skip
    sync(*report, *rows, journal.state("transmitted", after=fast, **READY))
    assert alarmed(read())


@pytest.mark.parametrize("before", [[], ["triage"], ["triage", "assessment"]], ids=str)
def test_what_nobody_made_ready_is_not_transmitted_quietly(
    journal: Journal, report: list[Row], sync: Synced, read: Read, before: list[str]
) -> None:
    rows = [journal.state(name, by=0) for name in before]
    sync(*report, *rows, journal.state("transmitted", by=1, **READY))
    assert alarmed(read())


def test_two_hands_are_two_however_often_it_goes_and_comes(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [
        journal.state("triage"), journal.state("assessment"), journal.state("seriousness_check"),
        journal.state("ready", by=0, **READY), journal.state("transmitted", by=1, **READY),
        journal.state("returned", by=1, text="Not ours."), journal.state("ready", by=1, **READY),
        journal.state("transmitted", by=0, **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    assert not alarmed(read())
    assert not read().work.irregular


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


@pytest.mark.parametrize("kind", ["one after the other", "side by side"])
def test_a_colleague_who_floods_a_case_stops_nobody(
    world: World, reporter: Reporter, kind: str
) -> None:
    """The fold alone: to seal thousands of acts takes longer than that."""
    first = reporter.report()[0]
    author = Signer(world.roster.operators[1])
    entries, nodes = [], {first.header.hash: Node(first.header.hash, TODAY, ())}
    last = first.header.hash
    for number in range(4000):
        name = HeaderHash(hashlib.sha256(b"%d" % number).digest())
        node = Node(name, TODAY, (last,))
        nodes[name] = node
        state = "transmitted" if number % 2 else "ready"
        body = EntryBody(type="status", data={"state": state, **READY})
        entries.append(Entry(None, node, body, author))  # type: ignore[arg-type]  # never opened
        last = name if kind == "one after the other" else last
    begun = time.process_time()
    folded = fold(entries, nodes, load(), anonymous=True)
    assert time.process_time() - begun < 8
    assert len(folded.irregular) == 4000
