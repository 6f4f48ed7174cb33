"""Each figure, from facts that were made for it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from desk.room import words
from desk.room.fact import CATEGORIES, Event, Fact, Loss, Question, Step, Timer
from desk.room.figures import figures
from desk.room.output import CSV_HEAD, to_csv, to_json
from desk.room.period import Period
from desk.room.tables import Figures, Median, Ratio, Row, Share, Table, plain, size
from desk.rules import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desk.room.tables import Cell

RULES = load()
WEEK = Period(Day(100), Day(106))
TODAY = Day(110)


def counted(*facts: Fact, period: Period = WEEK, today: Day = TODAY) -> Figures:
    return figures(facts, period, RULES, today)


def case(number: int, day: int = 100, *steps: tuple[str, int], **told: object) -> Fact:
    made = tuple(Step(state, when, "", "") for state, when in steps)
    usual = {"category": "fraud", "told": "fraud", "identity": "anonymous", "language": "fr"}
    return Fact(case=f"{number:032x}", day=day, steps=made, **{**usual, **told})  # type: ignore[arg-type]  # by name


def ids(rows: Iterable[Row]) -> dict[str, Cell]:
    return {row.id: row.cells[0] for row in rows}


def test_a_percentage_stands_with_its_numerator_and_denominator_everywhere() -> None:
    found = counted(case(1), case(2, identity="full_identity"))
    told = to_json(found, rehearsal=False)
    seen = 0
    waiting: list[object] = [told]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            seen += "percent" in one
            assert "percent" not in one or set(one) == {"count", "of", "percent"}
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    assert seen > 30
    assert plain(found["overview"]["full_identity"][0]) == {"count": 1, "of": 2, "percent": 50}
    assert words.shown(Share(4117, 7083)) == "4,117 of 7,083 (58.1\N{NO-BREAK SPACE}%)"
    assert plain(Share(0, 0)) == {"count": 0, "of": 0, "percent": None}
    assert words.shown(Share(0, 0)) == "0 of 0 (–)"
    assert words.shown(Ratio(7, 2)) == "3.5 (7 / 2)"
    assert plain(Ratio(7, 0)) == {"count": 7, "of": 0, "value": None}
    assert words.shown(Median.of([1, 2])) == "1.5 (of 2)"
    assert plain(Median.of([])) == {"median": None, "of": 0}
    assert words.shown(None) == "–"


def test_a_report_counts_on_its_day_and_an_event_on_its_own() -> None:
    early = case(1, 90, ("triage", 91), ("transmitted", 103), ("returned", 105))
    late = case(2, 106, ("transmitted", 107))
    found = counted(early, late)["overview"]
    assert found["received"] == (1,)
    assert found["transmitted"] == (1,)
    assert found["returned"] == (Share(1, 1),)
    assert found["per_day"] == (Ratio(1, 7),)


def test_a_period_that_goes_on_is_counted_until_today() -> None:
    found = counted(case(1, 100), period=Period(Day(100), Day(120)), today=Day(101))
    assert found.as_of == 101
    assert found["overview"]["per_day"] == (Ratio(1, 2),)
    later = counted(period=Period(Day(120), Day(121)), today=Day(101))
    assert later["overview"]["per_day"] == (Ratio(0, 0),)


def test_terrorism_is_apart_and_its_marks_are_of_it() -> None:
    found = counted(
        case(1, category="terrorism", tags=("daesh",)), case(2, category="terrorism"),
        case(3, tags=("daesh",)), case(4, category="csam"),
    )  # fmt: skip
    assert ids(found["nature"].rows) == {"technology": Share(2, 4), "terrorism": Share(2, 4)}
    assert found["tags"]["daesh"] == (Share(1, 2), Share(2, 4))
    kinds = ids(found["categories"].rows)
    assert "terrorism" not in kinds
    assert kinds["csam"] == Share(1, 2)
    assert set(kinds) == set(CATEGORIES) - {"terrorism", "other"}


def test_what_reporters_chose_stands_beside_what_operators_confirmed() -> None:
    found = counted(
        case(1, told="hacking_other", category="fraud", confirmed=True),
        case(2, confirmed=True), case(3), case(4, told="other", category="other"),
    )["choices"]  # fmt: skip
    assert found["fraud"] == (2, 3, 2, 0)
    assert found["hacking_other"] == (1, 0, 0, 1)
    assert found["other"] == (1, 1, 0, 0)


def test_where_reports_come_from_is_the_reporters_own_word() -> None:
    found = counted(
        case(1, reporting_from="in_country"), case(2), case(3, reporting_from="europe"),
        case(4, reporting_from="other"),
    )  # fmt: skip
    assert ids(found["origin"].rows) == {
        "in_country": Share(1, 4), "abroad": Share(2, 4), "not_said": Share(1, 4),
    }  # fmt: skip
    assert found["regions"]["europe"] == (Share(1, 2),)
    assert found["regions"]["other"] == (Share(1, 2),)


def test_one_person_in_many_cases_is_one_and_a_notice_counts_while_it_stands() -> None:
    def event(name: str, day: int, person: str) -> Event:
        return Event(name, day, person * 16)

    found = counted(
        case(1, 90, events=(event("identified", 101, "a"), event("wanted", 102, "a"))),
        case(2, 91, events=(event("identified", 103, "a"), event("identified", 103, "b"))),
        # Arrested: by law the notice falls.
        case(3, events=(event("wanted", 102, "b"), event("presented", 104, "b"))),
        # Cancelled; issued anew after a cancellation; cancelled after the period.
        case(4, events=(event("wanted", 101, "c"), event("notice_cancelled", 101, "c"))),
        case(5, events=(event("notice_cancelled", 101, "d"), event("wanted", 102, "d"))),
        case(6, events=(event("wanted", 102, "e"), event("notice_cancelled", 107, "e"))),
        case(7, events=(event("identified", 106, "f"), event("identified", 99, "a"))),
        case(8, events=(event("identified", 107, "9"), Event("content_removed", 101, ""))),
    )  # fmt: skip
    overview = found["overview"]
    assert overview["identified"] == (3,)  # a, b, f
    assert overview["presented"] == (1,)
    assert overview["notices_issued"] == (5,)
    assert overview["wanted"] == (3,)  # a, d, e
    assert overview["investigated"] == (Share(1, 3),)  # f
    assert overview["yield"] == (Ratio(6, 3),)
    outcomes = found["outcomes"]
    assert outcomes["identified"] == (3, 3)
    assert outcomes["content_removed"] == (None, 1)


def test_clocks_are_counted_as_they_stand_today() -> None:
    timers = (
        Timer("acknowledge", 100, 107, 105), Timer("acknowledge", 100, 107, 109),
        Timer("acknowledge", 100, 107, None), Timer("acknowledge", 104, 111, None),
        Timer("acknowledge", 99, 106, None),
    )  # fmt: skip
    found = counted(*(case(n, timers=(one,)) for n, one in enumerate(timers)))["clocks"]
    assert found["acknowledge"] == (Share(1, 3), 1, 1, 1)
    assert words.row("clocks", "first_look", RULES) == "First look (P2, P3, P4)"


def test_the_backlog_is_what_waits_for_this_desk_by_age() -> None:
    found = counted(
        case(1, 106), case(2, 100, ("triage", 101)), case(3, 80, ("returned", 90)),
        case(4, 20, ("closed", 107)), case(5, 1), case(6, 99, ("transmitted", 100)),
        case(7, 99, ("closed", 100), ("assessment", 105)), case(8, 107),
        case(9, 70, ("duplicate", 71)),
    )  # fmt: skip
    rows = {name: cell.count for name, cell in ids(found["backlog"].rows).items()}  # type: ignore[union-attr]  # shares
    assert rows == {"0_1": 1, "2_7": 2, "8_30": 1, "31_90": 1, "91_more": 1}
    assert found["overview"]["backlog"] == (6,)
    assert found["overview"]["backlog_age"] == (Median(Decimal("16.5"), 6),)


def test_first_looks_questions_and_repetitions() -> None:
    found = counted(
        case(1, 100, ("triage", 100)), case(2, 100, ("triage", 103)), case(3, 100),
        case(4, 100, ("received", 100), ("triage", 104), duplicate=True),
        case(5, 100, ("triage", 100), ("duplicate", 101), withdrawn=103),
        case(6, 80, questions=(Question(101, 105), Question(102, None), Question(99, 100))),
    )  # fmt: skip
    overview = found["overview"]
    assert overview["looked_at"] == (Share(4, 5),)
    assert overview["first_look"] == (Median(Decimal("1.5"), 4),)
    assert overview["answered_questions"] == (Share(1, 2),)
    assert overview["duplicates"] == (Share(2, 5),)
    assert overview["withdrawn"] == (Share(1, 5),)


def test_losses_by_currency_services_and_reasons() -> None:
    closed = replace(case(3), steps=(Step("closed", 101, "", "no_offence"),))
    silent = replace(case(4), steps=(Step("closed", 101, "", ""),))
    moved = replace(
        case(5),
        steps=(
            Step("transmitted", 101, "cyber_unit", ""), Step("returned", 102, "", ""),
            Step("transmitted", 103, "regional_unit", ""),
        ),
    )  # fmt: skip
    unnamed = replace(case(6), steps=(Step("transmitted", 101, "", ""),))
    found = counted(
        case(1, losses=(Loss("MAD", Decimal("100.50")),)),
        case(2, losses=(Loss("MAD", Decimal(300)),)), closed, silent, moved, unnamed,
    )  # fmt: skip
    assert found["losses"]["MAD"] == (2, Decimal("400.50"), Median(Decimal("200.25"), 2))
    assert len(found["losses"].rows) == 1
    assert found["closed"]["no_offence"] == (Share(1, 2),)
    assert found["closed"]["not_said"] == (Share(1, 2),)
    assert found["transmitted"]["regional_unit"] == (Share(1, 2),)
    assert found["transmitted"]["not_said"] == (Share(1, 2),)
    assert found["overview"]["returned"] == (Share(1, 2),)


@pytest.mark.parametrize(
    ("last", "rows", "second"), [(Day(106), 7, "1970-04-12"), (Day(190), 14, "1970-04-13"),
                                 (Day(600), 17, "1970-05-01")],
    ids=["by day", "by week", "by month"],
)  # fmt: skip
def test_time_is_by_day_week_or_month(last: Day, rows: int, second: str) -> None:
    found = counted(case(1), case(2, category="terrorism"), period=Period(Day(100), last))
    series = found["series"]
    assert len(series.rows) == rows
    assert series.rows[0].cells == (1, 1)
    assert series.rows[1].id == second


def test_cases_that_are_not_sealed_to_this_desk_are_told_and_counted_in_nothing() -> None:
    found = counted(case(1), case(2, readable=False), case(3, 90, readable=False))
    assert found.unreadable == 1
    assert found["overview"]["received"] == (1,)
    assert "1 case of the period was not sealed" in words.unreadable(1)
    assert "2 cases of the period were not sealed" in words.unreadable(2)


def test_csv_has_a_line_for_each_cell_and_no_formula() -> None:
    table = Table("languages", ("reports", "sum", "median", "counted"), (
        Row("=cmd()", (Share(1, 3), Decimal("2.5"), Median.of([4]), None)),
    ))  # fmt: skip
    ratio = Table("overview", ("figure",), (Row("yield", (Ratio(7, 2),)),))
    rows = list(csv.reader(io.StringIO(to_csv([table, ratio], RULES))))
    assert rows[0] == list(CSV_HEAD)
    assert rows[1] == ["languages", "=cmd()", "'=cmd()", "reports", "1", "3", "33.3"]
    assert [row[3:] for row in rows[2:5]] == [
        ["sum", "2.5", "", ""], ["median", "4", "1", ""], ["counted", "", "", ""],
    ]  # fmt: skip
    assert rows[5][4:] == ["3.5", "2", ""]


def test_every_table_column_and_row_has_its_words() -> None:
    found = counted(case(1, priority="P1"), case(2, 100, ("unknown", 101)))
    for table in found.tables:
        assert words.TITLES[table.id]
        assert words.NOTES[table.id]
        assert all(words.COLUMNS[name] for name in table.columns)
        for row in table.rows:
            said = words.row(table.id, row.id, RULES)
            assert table.id == "series" or ("_" not in said and said != row.id), (table.id, row.id)
    assert "losses" in found
    assert "nothing" not in found
    assert found["losses"].is_empty
    assert found["losses"].most == 1
    assert size(None) == 0
