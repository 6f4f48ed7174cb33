"""What the figures take from opened cases: ids of ours, whatever was written there."""

from __future__ import annotations

import dataclasses
import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk import acts, index
from desk.cases import Cases
from desk.desk import Desk
from desk.room.fact import NOT_SAID, OTHER, Loss, Question, Step, fact_of
from desk.room.gather import facts
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crypto.ids import CaseId, HeaderHash
    from desk.cases import Case
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


def test_figures_open_a_case_again_only_when_something_of_it_came(
    desk: Desk, world: World, reporter: Reporter, sync: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    judged: list[str] = []
    chosen = Cases.chosen

    def counting(self: Cases, cases: list[CaseId]) -> Iterator[Case]:
        judged.extend(one.hex() for one in cases)
        return chosen(self, cases)

    monkeypatch.setattr(Cases, "chosen", counting)
    assert facts(desk) == ()
    rows = reporter.report(
        money_lost="yes", amount={"value": "12.50", "currency": "MAD"}, reporting_from="europe"
    )
    sync(*rows, *Reporter(world).report())
    first = facts(desk)
    assert {one.state(one.day) for one in first} == {"received"}
    assert sorted(judged) == sorted(one.case for one in first)
    judged.clear()
    again = Desk.open(desk.home, desk.keyring, today=desk.today)
    assert facts(again) == facts(desk) == first
    assert judged == []
    sync(entry(world, reporter, acts.STATUS, {"state": "triage"}, rows[0]))
    (moved,) = (one for one in facts(again) if one.steps)
    assert moved.steps == (Step("triage", rows[0].header.day, "", ""),)
    assert moved.losses == (Loss("MAD", Decimal("12.50")),)
    assert judged == [moved.case] == [reporter.case.hex()]


@pytest.mark.claim("C-INDEX")
def test_another_way_to_count_makes_every_row_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index._program()
    # Copies of a part of this program that differ in how a case is counted, and in nothing else.
    for name in ("index.py", "room/fact.py"):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        shutil.copy(Path(index.__file__).parent / name, place)
    index._program.cache_clear()
    monkeypatch.setattr(index, "__file__", str(tmp_path / "index.py"))
    same = index._program()
    index._program.cache_clear()
    (tmp_path / "room" / "fact.py").write_text("# another")
    other = index._program()
    index._program.cache_clear()
    assert len({before, same, other}) == 3
