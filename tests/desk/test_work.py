"""What an operator may do: each act asked once, refused with its reason, written by nobody else."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.ids import Day
from desk import acts, telling, work
from desk.cases import Cases
from desk.desk import Desk
from desk.errors import ActRefused, RosterNotTrusted, RulesMalformed, StateUnknown
from desk.outbox import append
from desk.progress import Silence
from desk.rules import load
from desk.sync import synchronise
from tests.desk.world import Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

SERVICE = {"service": "cyber_unit", "basis": "place_of_act"}


@pytest.fixture
def case(sync: Synced, reporter: Reporter, read: Read) -> Case:
    sync(*reporter.report())
    return read()


@pytest.fixture
def colleague(tmp_path: Path, world: World, server: FakeServer) -> Desk:
    return make_desk(tmp_path / "colleague", world, server.url, keyring=world.operators[1])


@pytest.mark.claim("C-FOUR-EYES")
def test_a_case_is_worked_from_arrival_to_its_end_by_two_operators(
    desk: Desk, colleague: Desk, case: Case, read: Read
) -> None:
    def step(by: Desk, state: str, **facts: str) -> None:
        synchronise(by, Silence())
        assert work.set_state(by, Cases(by).find(case.ref), state, **facts)
        synchronise(desk, Silence())

    for state in ("triage", "assessment", "seriousness_check"):
        step(desk, state)
    step(desk, "ready", **SERVICE, text="All is proven.")
    with pytest.raises(ActRefused, match="Four eyes"):
        step(desk, "transmitted", **SERVICE)
    step(colleague, "transmitted", **SERVICE, ref="PJ 12/26", package="ab" * 32)
    step(desk, "returned", text="The act was in Fez.")
    step(desk, "ready", service="regional_unit", basis="place_of_act")
    step(colleague, "transmitted", service="regional_unit", basis="place_of_act")
    step(desk, "prosecutor_informed", court="Fez", day="2026-11-22")
    step(desk, "instructed", instruction="open_inquiry", day="2026-11-22", court="Fez")
    step(desk, "investigation")
    work.record_outcome(desk, read(), "identified", day="2026-11-22", label="first suspect")
    step(desk, "closed", reason="outcome", text="Judged.")
    synchronise(colleague, Silence())
    for one in (desk, colleague):
        seen = Cases(one).find(case.ref)
        assert (seen.state, seen.alarms, seen.work.irregular) == ("closed", (), ())
        said = [telling.act(x.body.type, x.body.data, one.rules) for x in seen.work.entries]
        assert (
            "set the state to Transmitted (Service: Specialised cybercrime unit; Basis: Place "
            "of the act; Reference: PJ 12/26; Package: abababababababababababababababa…)" in said
        )
    step(desk, "assessment")
    assert read().state == "assessment"


@pytest.mark.parametrize(
    ("state", "facts", "why"),
    [
        ("closed", {"reason": "no_offence"}, "Received does not lead to Closed"),
        ("ready", SERVICE, "seriousness check first"),
        ("ready", {}, "asks for: service"),
        ("ready", {"service": "astrologers", "basis": "x"}, "no such service"),
        ("ready", {"service": "cyber_unit"}, "no such basis"),
        ("ready", {"service": "counter_terrorism", "basis": "place_of_arrest"}, "no such basis"),
        ("closed", {"reason": "bored"}, "no such reason"),
        ("instructed", {"instruction": "sing", "day": "2026-11-22"}, "no such instruction"),
        ("prosecutor_informed", {"court": "Fez", "day": "yesterday"}, "day cannot be read so"),
        ("triage", {"court": "Fez"}, "Triage takes no court"),
        ("duplicate", {}, "no link says which case it repeats"),
        ("returned", {"text": "x" * 20_001}, "text cannot be read so"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_state_that_may_not_be_set_says_why_and_writes_nothing(
    desk: Desk, case: Case, read: Read, state: str, facts: dict[str, str], why: str
) -> None:
    with pytest.raises(ActRefused, match=why) as refused:
        work.set_state(desk, case, state, **facts)
    assert "Nothing was written." in str(refused.value)
    assert read().timeline == ()
    assert desk.store.unposted() == ()


def test_a_duplicate_needs_the_link_and_then_may_be_set(
    desk: Desk, case: Case, sync: Synced, world: World, read: Read
) -> None:
    other = Reporter(world)
    sync(*other.report())
    work.set_state(desk, case, "triage")
    assert work.link(desk, read(), Cases(desk).find(other.case.hex()), acts.DUPLICATE)
    assert work.set_state(desk, read(), "duplicate")
    assert read().state == "duplicate"
    with pytest.raises(ActRefused, match="linked to itself"):
        work.link(desk, read(), read(), acts.RELATED)


@pytest.mark.claim("C-FOUR-EYES")
def test_the_second_look_is_another_operators(
    desk: Desk, colleague: Desk, case: Case, read: Read
) -> None:
    work.set_state(desk, case, "triage")
    work.set_state(desk, read(), "imminent")
    work.set_state(desk, read(), "transmitted", **SERVICE)
    with pytest.raises(ActRefused, match="another operator's than the first"):
        work.look_again(desk, read(), "I was right.")
    synchronise(colleague, Silence())
    assert work.look_again(colleague, Cases(colleague).find(case.ref), "They were right.")


def test_small_acts_are_written_and_read(desk: Desk, case: Case, read: Read) -> None:
    assert work.set_priority(desk, case, " p2 ")
    assert work.confirm_category(desk, read(), "threats")
    assert work.assign(desk, read(), "operator 2")
    assert work.write_note(desk, read(), " Called.\r\nTwice. ")
    assert work.mark(desk, read(), "daesh")
    assert work.ask_identity(desk, read(), "To hear the witness.")
    assert work.ask_erasure(desk, read(), "Withdrawn.")
    now = read()
    assert (now.priority, now.category, now.assigned, now.work.tags) == (
        "P2", "threats", "operator 2", ("daesh",),
    )  # fmt: skip
    said = [telling.act(x.body.type, x.body.data, desk.rules) for x in now.work.entries]
    assert said == [
        "set the priority to P2 (Today)",
        "confirmed the category Threats or violence",
        "gave the case to operator 2",
        "noted",
        "marked it Daesh",
        "asked the custodians for the identity",
        "asked that it be erased",
    ]
    noted = [telling.text(x.body.type, x.body.data) for x in now.work.entries]
    assert noted[3:] == ["Called.\nTwice.", "", "To hear the witness.", "Withdrawn."]
    work.mark(desk, now, "daesh", on=False)
    work.assign(desk, read(), "")
    assert (read().work.tags, read().assigned) == ((), "")


@pytest.mark.claim("C-WORK")
def test_the_server_sees_that_something_was_written_and_not_what(
    desk: Desk, case: Case, server: FakeServer, read: Read
) -> None:
    before = set(server.rows)
    work.set_state(desk, case, "triage")
    work.set_priority(desk, read(), "P1")
    work.confirm_category(desk, read(), "terrorism")
    work.assign(desk, read(), "operator 2")
    work.mark(desk, read(), "daesh")
    work.write_note(desk, read(), "They live in Fez.")
    entries = [one for name, one in server.rows.items() if name not in before]
    assert {one.header.kind for one in entries} == {Kind.ENTRY}
    outside = [one.header.to_bytes() + one.wraps + one.manifest for one in entries]
    # Long enough that no ciphertext says them by chance.
    words = (b"triage", b"priority", b"terrorism", b"operator 2", b"daesh", b"They live in Fez")
    assert not [word for word in words for one in outside if word in one]
    # The search would find them: the same bytes, opened.
    opened = b"".join(desk.opener.signed(one).body.encode() for one in desk.store.everything()
                      if one.kind is Kind.ENTRY)  # fmt: skip
    assert all(word in opened for word in words)
    # And no act is told from another by its size.
    assert len({len(one.manifest) for one in entries}) == 1


def test_small_acts_are_refused_with_the_choices(desk: Desk, case: Case, read: Read) -> None:
    refusals: list[tuple[Callable[[], bool], str]] = [
        (lambda: work.set_priority(desk, case, "P9"), "one of: P1, P2, P3, P4"),
        (lambda: work.confirm_category(desk, case, "x"), "no such category"),
        (lambda: work.assign(desk, case, "Nobody Known"), "one of: operator 1, operator 2"),
        (lambda: work.write_note(desk, case, " \n"), "The note is empty"),
        (lambda: work.write_note(desk, case, "x" * 20_001), "20,001 characters, and 20,000"),
        (lambda: work.mark(desk, case, "x"), "no such tag"),
        (lambda: work.record_outcome(desk, case, "x", day="2026-11-22"), "no such outcome"),
        (lambda: work.record_outcome(desk, case, "wanted", day="soon"), "or no date"),
        (lambda: work.record_outcome(desk, case, "wanted", day="20261122"), "or no date"),
        (
            lambda: work.record_outcome(desk, case, "wanted", day="2026-11-22", person="me"),
            "or no date",
        ),
        (
            lambda: work.record_outcome(
                desk, case, "funds_frozen", day="2026-11-22", person="ab" * 8
            ),
            "not about a person",
        ),
    ]
    for act, why in refusals:
        with pytest.raises(ActRefused, match=why):
            act()
    with pytest.raises(StateUnknown, match="The states are: received, triage"):
        work.set_state(desk, case, "nonsense")
    assert read().timeline == ()


@pytest.mark.parametrize("day", ["2062-11-22", "2999-01-01", "2026-11-24", "1899-12-31"])
def test_what_has_not_happened_yet_is_not_recorded_and_can_be_taken_back(
    desk: Desk, case: Case, read: Read, day: str
) -> None:
    with pytest.raises(ActRefused, match=f"cannot have happened on {day}"):
        work.record_outcome(desk, case, "presented", day=day)
    assert read().timeline == ()
    # As a desk recorded it that did not ask.
    person = "ab" * 8
    told: dict[str, Json] = {
        "event": "presented", "person": person, "label": "", "day": day, "text": "", "on": True,
    }  # fmt: skip
    append(desk, case, acts.OUTCOME, told)
    assert len(read().work.outcomes) == 1
    work.record_outcome(desk, read(), "presented", day=day, person=person, on=False)
    assert read().work.outcomes == ()


@pytest.mark.parametrize("day", ["1900-01-01", "2026-11-22", "2026-11-23"])
def test_a_day_that_has_come_somewhere_is_taken(
    desk: Desk, case: Case, read: Read, day: str
) -> None:
    """A desk's days are UTC's; in Rabat the next one begins an hour earlier."""
    work.record_outcome(desk, case, "presented", day=day)
    assert read().work.outcomes[0].body.data["day"] == day


def test_one_person_has_one_id_in_several_cases(
    desk: Desk, case: Case, sync: Synced, world: World, read: Read
) -> None:
    work.record_outcome(desk, case, "identified", day="2026-11-22", label="the cousin")
    (first,) = read().work.outcomes
    person = str(first.body.data["person"])
    other = Reporter(world)
    sync(*other.report())
    second = Cases(desk).find(other.case.hex())
    work.record_outcome(desk, second, "wanted", day="2026-11-22", person=person)
    work.record_outcome(desk, read(), "funds_frozen", day="2026-11-22")
    told = [telling.act(x.body.type, x.body.data, desk.rules) for x in read().work.outcomes]
    assert told == [
        "recorded: Suspect identified, the cousin, on 2026-11-22",
        "recorded: Funds frozen, on 2026-11-22",
    ]
    (wanted,) = Cases(desk).find(other.case.hex()).work.outcomes
    assert person in telling.act("outcome", wanted.body.data, desk.rules)
    work.record_outcome(desk, read(), "identified", day="2026-11-22", person=person, on=False)
    back = [telling.act(x.body.type, x.body.data, desk.rules) for x in read().work.entries]
    assert any(one.startswith("took back: Suspect identified") for one in back)


def test_whoever_the_roster_does_not_name_sets_no_state(
    desk: Desk, world: World, case: Case
) -> None:
    stranger = replace(desk.keyring, sign=world.custodians[0].sign)
    with pytest.raises(ActRefused, match="does not name this desk"):
        work.myself(replace(desk, keyring=stranger))
    late = replace(desk, today=lambda: Day(90_000))
    with pytest.raises(RosterNotTrusted):
        work.set_state(late, case, "triage")


def test_an_institutions_own_rules_bind_its_desk(desk: Desk, case: Case) -> None:
    own = desk.home.rules
    ours = (load.__globals__["_OWN_FILE"]).read_text("utf-8")
    own.write_text(ours.replace('leads_to = ["triage"]', 'leads_to = ["triage", "closed"]', 1))
    again = Desk.open(desk.home, desk.keyring, today=desk.today)
    assert work.set_state(again, Cases(again).find(case.ref), "closed", reason="no_offence")
    own.write_text("version = 3\n")
    with pytest.raises(RulesMalformed, match="version = 1"):
        Desk.open(desk.home, desk.keyring, today=desk.today)


def test_what_an_operator_wrote_is_told_as_text(desk: Desk) -> None:
    rules = desk.rules
    other = secrets.token_hex(16)
    assert telling.act("link", {"case": other, "kind": "duplicate"}, rules).startswith("said that")
    assert "linked it" in telling.act("link", {"case": other, "kind": "related"}, rules)
    assert "compared" in telling.act("link", {"case": other, "kind": "unrelated"}, rules)
    assert telling.act("assignment", {"operator": ""}, rules) == "gave the case to nobody"
    assert telling.act("tag", {"tag": "x", "on": False}, rules) == "unmarked it x"
    assert telling.act("priority", {"priority": "Z"}, rules) == "set the priority to Z"
    closed = {"file": "ab" * 16, "sha256": "cd" * 32, "custodian": "Ms K", "text": ""}
    assert "file abababab in quarantine" in telling.act("quarantine", closed, rules)
    assert telling.act("second_look", {"text": "x"}, rules) == "looked at it a second time"
    assert telling.text("hologram", {"text": "x"}) == ""
    assert telling.text("note", {"text": ""}) == ""
