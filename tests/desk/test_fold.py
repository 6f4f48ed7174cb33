"""A case's work: order without clocks, contradictions, rules that were broken; and what is due."""

# ruff: noqa: PLR0913, PLR0917 - the names say it; a test names the fixtures that it needs

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import EntryBody
from desk.alarms import Sign
from desk.cases import Cases
from desk.outbox import answer
from desk.progress import Silence
from desk.sync import synchronise
from desk.telling import contradictions
from desk.work import set_state
from tests.desk.journal import READY, Journal
from tests.desk.world import TODAY, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]


def test_a_case_that_nobody_touched_is_received_and_has_its_clocks(
    report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report)
    case = read()
    assert (case.state, case.priority, case.assigned, case.category) == (
        "received", "P3", "", "fraud",
    )  # fmt: skip
    assert {one.clock.id: one.due - TODAY for one in case.clocks} == {
        "first_look": 1, "acknowledge": 7, "feedback": 91,
    }  # fmt: skip
    assert case.due is not None
    assert case.due.clock.id == "first_look"


def test_danger_has_the_first_priority_until_an_operator_says_otherwise(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report(danger_now="unsure")
    sync(*report)
    assert read().priority == "P1"
    assert read().clocks[0].clock.id == "first_look_at_once"
    journal = Journal(world, reporter, report[0])
    sync(journal.act("priority", {"priority": "P4"}))
    assert read().priority == "P4"


def test_every_register_holds_what_was_said_last(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    other = "ab" * 16
    sync(
        *report,
        journal.act("category", {"category": "threats"}),
        journal.act("assignment", {"operator": "operator 2"}),
        journal.act("tag", {"tag": "daesh", "on": True}),
        journal.act("tag", {"tag": "legal_hold", "on": True}),
        journal.act("tag", {"tag": "daesh", "on": False}),
        journal.act("link", {"case": other, "kind": "related"}),
        journal.act("link", {"case": other, "kind": "unrelated"}),
        journal.act("note", {"text": "Called the bank."}),
    )
    case = read()
    assert (case.category, case.told_category) == ("threats", "fraud")
    assert case.assigned == "operator 2"
    assert case.work.tags == ("legal_hold",)
    assert dict(case.work.links) == {other: "unrelated"}
    assert [one.body.data["text"] for one in case.work.of("note")] == ["Called the bank."]
    assert case.work.conflicts == {}
    assert case.alarms == ()


def test_outcomes_are_events_that_can_be_taken_back(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    def event(name: str, person: str, *, on: bool = True) -> Row:
        return journal.act(
            "outcome",
            {"event": name, "person": person, "label": "first suspect", "day": "2026-11-22",
             "text": "", "on": on},
        )  # fmt: skip

    one, two = "01" * 8, "02" * 8
    sync(*report, event("identified", one), event("identified", two), event("wanted", one),
         event("identified", two, on=False))  # fmt: skip
    found = [(x.body.data["event"], x.body.data["person"]) for x in read().work.outcomes]
    assert sorted(found) == [("identified", one), ("wanted", one)]


@pytest.mark.claim("C-WORK")
def test_two_desks_that_worked_apart_show_one_case_and_its_contradictions(
    tmp_path: Path, world: World, server: FakeServer, desk: Desk, journal: Journal,
    report: list[Row], sync: Synced, read: Read,
) -> None:  # fmt: skip
    first = report[0]
    mine = journal.act("assignment", {"operator": "operator 1"}, after=first, by=0)
    theirs = journal.act("assignment", {"operator": "operator 2"}, after=first)
    same = journal.act("priority", {"priority": "P2"}, after=first, by=0)
    also = journal.act("priority", {"priority": "P2"}, after=first)
    sync(*report, mine, theirs, same, also)
    other = make_desk(tmp_path / "other", world, server.url, keyring=world.operators[1])
    synchronise(other, Silence())
    seen = Cases(other).find(read().id.hex())
    assert seen.work.settled.keys() == read().work.settled.keys()
    assert seen.assigned == read().assigned
    assert [one.node.hash for one in seen.timeline] == [one.node.hash for one in read().timeline]
    assert set(read().work.conflicts) == {"assignment"}
    (line,) = contradictions(read(), desk.rules)
    assert "operator 1 gave the case to operator 1" in line
    assert "operator 2 gave the case to operator 2" in line
    settled = world.by_operator(
        Kind.ENTRY, read().id,
        EntryBody(type="assignment", data={"operator": ""}).to_json(), parents=read().heads,
    )  # fmt: skip
    sync(settled)
    assert (read().assigned, read().work.conflicts) == ("", {})


@pytest.mark.claim("C-WORK")
def test_states_that_contradict_each_other_are_settled_by_saying_one_of_them(
    desk: Desk, world: World, reporter: Reporter, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report, world.entry(reporter.case, "triage", parents=[report[0].header.hash]))
    one = world.entry(reporter.case, "assessment", parents=read().heads)
    two = world.entry(reporter.case, "out_of_scope", parents=read().heads)
    sync(one, two)
    assert set(read().state_conflict) == {"assessment", "out_of_scope"}
    set_state(desk, read(), "assessment")
    assert (read().state, read().state_conflict) == ("assessment", ())


@pytest.mark.claim("C-WORK")
@pytest.mark.parametrize("told", [True, False], ids=["named by the reporter", "named by nobody"])
def test_an_act_that_was_held_back_is_not_known_through_a_message_that_names_it(
    desk: Desk, reporter: Reporter, journal: Journal, report: list[Row], sync: Synced, read: Read,
    *, told: bool,
) -> None:  # fmt: skip
    """The server hides an act from a desk, and gives its name to whoever writes as the reporter."""
    sync(*report, journal.state("triage"))
    hidden = journal.state("out_of_scope")
    message = reporter.follow_up("And now?", parents=[hidden.header.hash] if told else [])
    sync(*message)
    assert ({one.sign for one in read().alarms} == {Sign.PARENT_MISSING}) is told
    set_state(desk, read(), "assessment")
    sync(hidden)
    assert set(read().state_conflict) == {"assessment", "out_of_scope"}
    # Whoever has seen both settles it, whatever a message says in between.
    set_state(desk, read(), "assessment")
    assert (read().state, read().state_conflict) == ("assessment", ())


@pytest.mark.claim("C-WORK")
def test_an_honest_message_between_two_acts_makes_no_contradiction(
    desk: Desk, world: World, reporter: Reporter, journal: Journal, report: list[Row],
    sync: Synced, read: Read,
) -> None:  # fmt: skip
    triage = journal.state("triage")
    first = reporter.follow_up("And now?", parents=[triage.header.hash])
    sync(*report, triage, *first)
    set_state(desk, read(), "assessment")
    said = world.reply(reporter.case, "Soon.", reporter.reply_key, parents=read().answers_to)
    sync(*reporter.follow_up("When?", parents=[said.header.hash]), said)
    set_state(desk, read(), "info_requested")
    case = read()
    assert (case.state, case.state_conflict, case.alarms) == ("info_requested", (), ())
    assert case.work.irregular == ()


@pytest.mark.parametrize("held", [True, False], ids=["held back", "there"])
def test_a_message_that_was_held_back_is_not_answered_by_the_answer_to_the_next(
    desk: Desk, reporter: Reporter, report: list[Row], sync: Synced, read: Read, *, held: bool
) -> None:
    first = reporter.follow_up("He stands at my door.")
    second = reporter.follow_up("Are you there?", parents=[first[0].header.hash])
    sync(*report, *second, *(() if held else first))
    assert answer(desk, read(), "Yes, we are.")
    assert not read().unanswered
    sync(*first)
    assert read().unanswered is held
    assert answer(desk, read(), "The police are coming.")
    assert not read().unanswered


def test_an_act_of_a_newer_desk_is_shown_and_does_nothing(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report, journal.act("hologram", {"light": "blue"}))
    assert len(read().timeline) == 1
    assert (read().work.entries, read().alarms, read().state) == ((), (), "received")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("priority", {}), ("priority", {"priority": ""}), ("priority", {"priority": "P1", "x": 1}),
        ("category", {"category": "astrology"}), ("assignment", {"operator": 7}),
        ("assignment", {"operator": "a\nb"}), ("note", {"text": "  "}),
        ("note", {"text": "x" * 20_001}), ("tag", {"tag": "daesh", "on": "yes"}),
        ("link", {"case": "abc", "kind": "related"}), ("link", {"case": "ab" * 16, "kind": "?"}),
        ("status", {"state": "closed", "reason": ""}), ("status", {"state": "closed", "why": "x"}),
        ("status", {"state": "closed", "day": "2026-13-01"}),
        ("status", {"state": "closed", "day": "20261122"}),
        ("quarantine", {"file": "ab" * 16, "sha256": "xy", "custodian": "Ms K", "text": ""}),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_an_act_of_another_shape_does_nothing_and_is_shouted_about(
    journal: Journal, report: list[Row], sync: Synced, read: Read, kind: str, data: dict[str, Any]
) -> None:
    sync(*report, journal.act(kind, data))
    case = read()
    assert {one.sign for one in case.alarms} == {Sign.ACT_MALFORMED}
    assert (case.work.entries, case.state, case.priority) == ((), "received", "P3")


@pytest.mark.claim("C-FOUR-EYES")
def test_one_hand_that_made_it_ready_and_transmitted_it_is_an_alarm(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(
        *report, journal.state("triage"), journal.state("assessment"),
        journal.state("seriousness_check"), journal.state("ready", **READY),
        journal.state("transmitted", **READY),
    )  # fmt: skip
    case = read()
    assert case.state == "transmitted"
    assert {one.sign for one in case.alarms} == {Sign.FOUR_EYES}
    assert "four eyes" in " ".join(contradictions(case, desk.rules))


def test_two_hands_are_no_alarm(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(
        *report, journal.state("triage"), journal.state("assessment"),
        journal.state("seriousness_check"), journal.state("ready", **READY),
        journal.state("transmitted", by=0, **READY),
    )  # fmt: skip
    assert (read().alarms, read().work.irregular) == ((), ())


def test_the_fast_lane_needs_no_second_hand_but_a_second_look(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(
        *report, journal.state("triage"), journal.state("imminent"),
        journal.state("transmitted", **READY),
    )  # fmt: skip
    assert (read().alarms, read().work.irregular) == ((), ())
    running = {one.clock.id for one in read().clocks if one.met is None}
    assert "second_look" in running
    sync(journal.act("second_look", {"text": "It was right."}, by=0))
    assert "second_look" not in {one.clock.id for one in read().clocks if one.met is None}


def test_what_the_rules_did_not_allow_counts_and_is_named(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report, journal.state("ready"))
    case = read()
    assert (case.state, case.alarms) == ("ready", ())
    (irregular,) = case.work.irregular
    assert {one.rule for one in irregular.why} == {"leads_to", "asks", "checked"}
    assert not irregular.broke("duplicate")
    (line,) = contradictions(case, desk.rules)
    assert "Against the rules: operator 2 set the state to Ready" in line


def test_clocks_stop_and_say_whether_they_were_kept(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    began = Day(TODAY - 9)
    report = reporter.report(day=began)
    journal = Journal(world, reporter, report[0])
    sync(
        *report, journal.state("triage", day=Day(TODAY - 9)),
        journal.state("assessment", day=Day(TODAY - 8)),
        journal.state("info_requested", day=Day(TODAY - 7)),
        journal.state("assessment", day=Day(TODAY - 6)),
        journal.state("info_requested", day=Day(TODAY - 5)),
        world.reply(
            reporter.case, "Which bank?", reporter.reply_key, parents=[journal.last.header.hash]
        ),
    )  # fmt: skip
    found = {one.clock.id: one for one in read().clocks}
    assert found["first_look"].verdict(TODAY) == "kept"
    assert found["acknowledge"].verdict(TODAY) == "late"
    assert found["feedback"].verdict(TODAY) == "running"
    assert found["feedback"].verdict(Day(TODAY + 100)) == "overdue"
    # The second question begins its clock anew.
    assert (found["information"].since, found["information"].met) == (TODAY - 5, None)
    assert read().due is found["information"] or read().due == found["information"]


def test_a_complainant_is_told_of_the_decision_and_an_anonymous_one_has_no_such_clock(
    reporter: Reporter, report: list[Row], journal: Journal, sync: Synced, read: Read
) -> None:
    sync(*report, journal.state("instructed", instruction="no_action", day=TODAY))
    assert "decision_told" not in {one.clock.id for one in read().clocks}
    later = reporter.follow_up(
        "", body_changes={"type": "identity", "identity_mode": "full_identity"},
        parents=[journal.last.header.hash],
    )  # fmt: skip
    sync(*later)
    assert not read().is_anonymous
    assert "decision_told" in {one.clock.id for one in read().clocks}


def test_the_same_state_twice_leaves_nothing_between(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    sync(*report, journal.state("triage"), journal.state("triage"))
    assert read().state == "triage"
    assert [one.broke("leads_to") for one in read().work.irregular] == [True]


def test_what_is_quarantined_stays_so(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    closed = {"file": "ab" * 16, "sha256": "cd" * 32, "custodian": "Ms K", "text": ""}
    sync(*report, journal.act("quarantine", closed),
         journal.act("quarantine", {**closed, "custodian": "Mr L"}))  # fmt: skip
    (entry,) = read().work.quarantined.values()
    # The first custodian named is the one who has it.
    assert entry.body.data["custodian"] == "Ms K"
