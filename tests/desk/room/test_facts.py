"""What the figures take from opened cases: ids of ours, whatever was written there."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk import acts
from desk.cases import Cases
from desk.errors import NoSuchCase
from desk.room import gather
from desk.room.fact import NOT_SAID, OTHER, Fact, Loss, Question, Step, fact_of
from desk.room.gather import Gatherer
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import HeaderHash
    from desk.cases import Case
    from desk.desk import Desk
    from tests.desk.world import Row, World

EVIL = "=HYPERLINK(\u202e\x1b[31m<script>"


def entry(world: World, reporter: Reporter, kind: str, data: dict[str, Any], *after: Row) -> Row:
    body = EntryBody(type=kind, data=data).to_json()
    parents: tuple[HeaderHash, ...] = tuple(one.header.hash for one in after)
    return world.by_operator(Kind.ENTRY, reporter.case, body, parents=parents)


def test_what_is_no_id_of_ours_is_counted_as_other_and_never_kept(
    desk: Desk,
    world: World,
    reporter: Reporter,
    sync: Callable[..., object],
    read: Callable[[], Case],
) -> None:
    rows = reporter.report(
        category=EVIL, reporting_from=EVIL, money_lost="yes",
        amount={"value": "12.50", "currency": EVIL},
    )  # fmt: skip
    acts_of: list[tuple[str, dict[str, Any]]] = [
        (acts.TAG, {"tag": "made up", "on": True}),
        (acts.STATUS, {"state": "elsewhere"}),
        (acts.STATUS, {"state": "closed", "reason": "because"}),
        (acts.OUTCOME, {"event": "sainted", "person": "", "label": "", "day": "2026-11-20",
                        "text": "", "on": True}),
        (acts.PRIORITY, {"priority": "P9"}),
    ]  # fmt: skip
    last = rows[0]
    for kind, data in acts_of:
        rows.append(entry(world, reporter, kind, data, last))
        last = rows[-1]
    sync(*rows)
    found = fact_of(read(), desk.rules)
    assert (found.category, found.told, found.reporting_from) == (OTHER, OTHER, OTHER)
    assert (found.tags, found.events, found.priority) == ((), (), OTHER)
    assert found.losses == (Loss(OTHER, Decimal("12.50")),)
    assert [(one.state, one.reason) for one in found.steps] == [("unknown", ""), ("closed", OTHER)]
    text = repr(dataclasses.asdict(found))
    assert not any(word in text for word in ("HYPERLINK", "elsewhere", "because", "made up", "P9"))


@pytest.mark.parametrize(
    "fields",
    [
        {"money_lost": "no", "amount": {"value": "5", "currency": "MAD"}},
        {"money_lost": "yes"},
        {"money_lost": "yes", "amount": "5 MAD"},
        {"money_lost": "yes", "amount": {"value": "much", "currency": "MAD"}},
        {"money_lost": "yes", "amount": {"value": "NaN", "currency": "MAD"}},
        {"money_lost": "yes", "amount": {"value": "-5", "currency": "MAD"}},
        {"money_lost": "yes", "amount": {"value": "1e400", "currency": "MAD"}},
    ],
    ids=["not lost", "none", "a text", "no number", "not a number", "negative", "endless"],
)
def test_an_amount_that_is_none_is_in_no_sum(
    desk: Desk, reporter: Reporter, sync: Callable[..., object], read: Callable[[], Case],
    fields: dict[str, Any],
) -> None:  # fmt: skip
    sync(*reporter.report(**fields, reporting_from=["europe"]))
    found = fact_of(read(), desk.rules)
    assert found.losses == ()
    assert found.reporting_from == OTHER


def test_a_question_is_answered_by_the_reporters_next_message(
    desk: Desk,
    world: World,
    reporter: Reporter,
    sync: Callable[..., object],
    read: Callable[[], Case],
) -> None:
    rows = reporter.report()
    asked = entry(world, reporter, acts.STATUS, {"state": "info_requested"}, rows[0])
    sync(*rows, asked)
    quiet = fact_of(read(), desk.rules)
    assert quiet.questions == (Question(quiet.day, None),)
    sync(*reporter.follow_up("Here it is.", parents=[asked.header.hash]))
    found = fact_of(read(), desk.rules)
    assert found.questions == (Question(found.day, found.day),)
    assert (found.reporting_from, found.withdrawn, found.duplicate) == (NOT_SAID, None, False)
    assert found.first_look == found.day
    assert found.state(found.day) == "info_requested"
    assert found.state(found.day - 1) == "received"


def test_a_withdrawal_and_a_repetition_are_seen(
    desk: Desk,
    world: World,
    reporter: Reporter,
    sync: Callable[..., object],
    read: Callable[[], Case],
) -> None:
    rows = reporter.report()
    link = entry(world, reporter, acts.LINK, {"case": "ab" * 16, "kind": "duplicate"}, rows[0])
    marked = entry(world, reporter, acts.TAG, {"tag": "daesh", "on": True}, link)
    gone = reporter.follow_up("", body_changes={"type": "withdrawal"})
    sync(*rows, link, marked, *gone)
    found = fact_of(read(), desk.rules)
    assert found.duplicate
    assert found.withdrawn == found.day
    assert found.tags == ("daesh",)


def test_a_case_is_opened_again_only_when_something_of_it_came(
    desk: Desk, world: World, reporter: Reporter, sync: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    opened: list[str] = []

    def counting(case: Case, rules: Any) -> Fact:
        opened.append(case.id.hex())
        return fact_of(case, rules)

    monkeypatch.setattr(gather, "fact_of", counting)
    gatherer = Gatherer(desk)
    assert gatherer.facts() == ()
    rows = reporter.report()
    sync(*rows)
    assert [one.state(one.day) for one in gatherer.facts()] == ["received"]
    gatherer.facts()
    assert opened == [reporter.case.hex()]
    sync(entry(world, reporter, acts.STATUS, {"state": "triage"}, rows[0]))
    assert [one.steps for one in gatherer.facts()] == [
        (Step("triage", rows[0].header.day, "", ""),)
    ]
    assert len(opened) == 2
    # Many at once are read together; what a new roster proves may be anything.
    monkeypatch.setattr(gather, "ONE_BY_ONE_MOST", 0)
    object.__setattr__(gatherer, "_rosters", frozenset())
    assert len(gatherer.facts()) == 1
    assert len(opened) == 3


def test_a_case_that_comes_between_two_looks_waits_for_the_next(
    desk: Desk, world: World, reporter: Reporter, sync: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    seen = desk.store.outsides()
    sync(*Reporter(world).report())
    monkeypatch.setattr(gather, "ONE_BY_ONE_MOST", 0)
    gatherer = Gatherer(desk)
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.store), "outsides", lambda _self: seen)
        assert [one.case for one in gatherer.facts()] == [reporter.case.hex()]
    assert len(gatherer.facts()) == 2


def test_a_case_that_goes_between_two_looks_is_left_out(
    desk: Desk, reporter: Reporter, sync: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*reporter.report())

    def gone(_self: Cases, _ref: str) -> Case:
        raise NoSuchCase

    gatherer = Gatherer(desk)
    with monkeypatch.context() as patch:
        patch.setattr(Cases, "find", gone)
        assert gatherer.facts() == ()
    assert len(gatherer.facts()) == 1
    monkeypatch.setattr(type(desk.store), "outsides", lambda _self: {})
    assert gatherer.facts() == ()
