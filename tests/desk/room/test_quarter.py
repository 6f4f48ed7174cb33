"""E-Blagh's first quarter: the published figures go in, and the room's figures give them back."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from desk import acts
from desk.cases import Cases
from desk.room import gather
from desk.room.fact import fact_of
from desk.room.figures import figures
from desk.room.output import to_json
from desk.room.period import Period
from desk.room.tables import Share
from desk.rules import load
from tests.desk.world import TODAY
from tests.quarter.facts import fact
from tests.quarter.plan import FIRST, LAST, PUBLISHED, SMALL, Act, Planned, plan

if TYPE_CHECKING:
    from desk.desk import Desk

QUARTER = Period(FIRST, LAST)


@pytest.fixture(scope="module")
def full() -> list[Planned]:
    return plan()


def test_the_published_figures_come_back_from_the_whole_quarter(full: list[Planned]) -> None:
    found = figures(map(fact, full), QUARTER, load(), TODAY)
    told = json.loads(json.dumps(to_json(found, rehearsal=True)))
    overview = told["overview"]
    assert overview["received"] == 7083
    assert overview["per_day"] == {"count": 7083, "of": 92, "value": 77}
    assert overview["technology"] == {"count": 6788, "of": 7083, "percent": 95.8}
    assert overview["terrorism"] == {"count": 295, "of": 7083, "percent": 4.2}
    assert overview["full_identity"] == {"count": 4117, "of": 7083, "percent": 58.1}
    assert overview["not_by_name"] == {"count": 2966, "of": 7083, "percent": 41.9}
    assert overview["abroad"] == {"count": 564, "of": 7083, "percent": 8}
    assert overview["identified"] == 82
    assert overview["presented"] == 23
    assert overview["wanted"] == overview["notices_issued"] == 9
    assert overview["investigated"] == {"count": 50, "of": 82, "percent": 61}
    assert overview["yield"] == {"count": 7083, "of": 82, "value": 86.4}
    kinds = {one["id"]: one["reports"]["percent"] for one in told["tables"]["categories"]}
    assert [kinds[one] for one in ("fraud", "sextortion", "defamation")] == [60, 20, 10]
    assert kinds["threats"] == kinds["incitement"] == 5
    marks = {one["id"]: one["of_terrorism"] for one in told["tables"]["tags"]}
    assert marks["daesh"] == {"count": 85, "of": 295, "percent": 28.8}
    regions = {one["id"]: one["reports"]["count"] for one in told["tables"]["regions"]}
    assert {name for name, count in regions.items() if count} == set(PUBLISHED.abroad)
    assert sum(regions.values()) == 564


def test_a_sealed_synced_and_opened_quarter_gives_what_was_planned(
    quarter: Desk, reports: list[Planned]
) -> None:
    assert quarter.store.alarms() == ()
    opened = Cases(quarter).all()
    assert len(opened) == SMALL.total
    for case in opened:
        assert case.alarms == ()
        # Every act is one that the rules allow: four eyes, the seriousness check, and the rest.
        assert [one.why for one in case.work.irregular] == []
        assert (case.work.malformed, case.work.conflicts) == ((), {})
    found = figures(gather.facts(quarter), QUARTER, quarter.rules, TODAY)
    planned = figures(map(fact, reports), QUARTER, quarter.rules, TODAY)
    for table in planned.tables:
        if table.id != "clocks":
            assert found[table.id] == table, table.id
    assert found["overview"]["received"] == (SMALL.total,)
    assert found["overview"]["identified"] == (SMALL.identified,)
    assert found["overview"]["presented"] == (SMALL.presented,)
    assert found["overview"]["wanted"] == (SMALL.wanted,)
    assert found["tags"]["daesh"][0] == Share(SMALL.daesh, 19)


def test_the_clocks_of_the_opened_cases_are_those_of_the_desk(quarter: Desk) -> None:
    opened = Cases(quarter).all()
    verdicts = Counter(
        (one.clock.id, one.verdict(TODAY))
        for case in opened
        for one in case.clocks
        if one.since in QUARTER
    )
    facts = [fact_of(case, quarter.rules) for case in opened]
    found = figures(facts, QUARTER, quarter.rules, TODAY)["clocks"]
    for row in found.rows:
        kept, late, overdue, running = row.cells
        assert isinstance(kept, Share)
        assert kept.count == verdicts[row.id, "kept"]
        assert (late, overdue, running) == tuple(
            verdicts[row.id, name] for name in ("late", "overdue", "running")
        )
    assert verdicts.total() > 300


def test_every_report_says_that_it_is_synthetic_and_every_day_lies_in_the_quarter(
    full: list[Planned],
) -> None:
    for one in full:
        assert str(one.fields["description"]).startswith("[SYNTHETIC ")
        assert FIRST <= one.day <= LAST
        assert all(one.day <= said.day <= LAST for said in one.history)
        for said in one.history:
            if isinstance(said, Act) and said.kind != "link":
                assert acts.is_shaped(said.kind, said.data), said  # type: ignore[arg-type]  # JSON


def test_the_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert plan(SMALL, 1) == plan(SMALL, 1)
    assert plan(SMALL, 1) != plan(SMALL, 2)


def test_days_beyond_the_quarter_hold_nothing_of_it(full: list[Planned]) -> None:
    later = Period(Day(LAST + 1), Day(LAST + 30))
    found = figures(map(fact, full), later, load(), TODAY)
    assert found["overview"]["received"] == (0,)
    assert found["overview"]["identified"] == (0,)
    assert found["overview"]["full_identity"] == (Share(0, 0),)
    assert found["overview"]["backlog"] != (0,)
