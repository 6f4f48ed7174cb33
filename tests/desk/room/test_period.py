"""A period as it is written, and as the calendar begins it."""

from __future__ import annotations

import datetime as dt

import pytest

from crypto.ids import Day, day_of
from desk.room.period import DAYS_MOST, Period, PeriodMalformed, between, parse_period

TODAY = day_of(dt.date(2026, 11, 25))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("today", "2026-11-25..2026-11-25"),
        ("week", "2026-11-23..2026-11-25"),
        ("MONTH ", "2026-11-01..2026-11-25"),
        ("quarter", "2026-10-01..2026-11-25"),
        ("year", "2026-01-01..2026-11-25"),
        ("2024-02", "2024-02-01..2024-02-29"),
        ("2023-12", "2023-12-01..2023-12-31"),
        ("2024-Q3", "2024-07-01..2024-09-30"),
        ("2024-q1", "2024-01-01..2024-03-31"),
        ("2024-06-03", "2024-06-03..2024-06-03"),
        ("2024-06-03..", "2024-06-03..2024-06-03"),
        ("2024-06-03..2024-09-02", "2024-06-03..2024-09-02"),
    ],
)
def test_a_period_is_read_as_it_is_meant(said: str, text: str) -> None:
    assert parse_period(said, TODAY).text == text


@pytest.mark.parametrize(
    "said",
    ["", "soon", "2024", "2024-13", "2024-Q5", "2024-06-31", "..2024-06-03",
     "9999-12", "0000-01", "²024-06"],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_how_one_is_written(said: str) -> None:
    with pytest.raises(PeriodMalformed, match="2024-Q3"):
        parse_period(said, TODAY)


def test_a_period_that_is_too_long_or_ends_too_early_is_told_so() -> None:
    assert parse_period("2014-01-01..2024-01-07", TODAY).days == DAYS_MOST - 1
    for first in ("2000-01-01", "2013-12-30"):
        with pytest.raises(PeriodMalformed, match="A period has 3660 days at most"):
            parse_period(f"{first}..2024-01-07", TODAY)
    with pytest.raises(PeriodMalformed, match="does not end before it begins"):
        parse_period("2024-06-03..2024-06-02", TODAY)


def test_two_days_of_which_one_may_be_left_out() -> None:
    assert between("2024-06-03", "2024-09-02", TODAY).days == 92
    assert between("2026-11-24", "", TODAY).days == 2
    assert between("", "2026-11-20", TODAY).days == 1
    with pytest.raises(PeriodMalformed):
        between("2026-11-26", "", TODAY)


def test_both_ends_belong_to_it() -> None:
    found = Period(Day(10), Day(12))
    assert list(found) == [10, 11, 12]
    assert [day in found for day in (9, 10, 12, 13)] == [False, True, True, False]
    assert None not in found
