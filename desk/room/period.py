"""The stretch of days that figures are about.

Rule: both ends are days of the calendar and belong to it; a name (`month`) ends today, a written
stretch (`2024-06`, `2024-Q3`, `2024-06-03..2024-09-02`) where it says.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.ids import Day, date_of, day_of
from desk.errors import DeskError
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("today", "week", "month", "quarter", "year")
"""Each begins where the calendar's does (a week on Monday) and ends today."""
DAYS_MOST = 3660

_QUARTER = re.compile(r"([0-9]{4})-[Qq]([1-4])")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


class PeriodMalformed(DeskError):
    """A period cannot be read so; the message says how one is written."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a first day to a last, both inside."""

    first: Day
    last: Day

    @property
    def days(self) -> int:
        """How many days."""
        return self.last - self.first + 1

    @property
    def text(self) -> str:
        """As it is written: `2024-06-03..2024-09-02`."""
        return f"{date_of(self.first)}..{date_of(self.last)}"

    def __contains__(self, day: int | None) -> bool:
        return day is not None and self.first <= day <= self.last

    def __iter__(self) -> Iterator[Day]:
        return (Day(day) for day in range(self.first, self.last + 1))


def chosen(name: str, first: str, last: str, today: Day) -> Period:
    """The period of a name, or between two days where one is given.  Raises PeriodMalformed."""
    return between(first, last, today) if first or last else parse_period(name, today)


def parse_period(untrusted: str, today: Day) -> Period:
    """Read a name of `NAMES`, a month, a quarter, a day, or two days with `..` between them.

    Raises:
        PeriodMalformed: it is none, is longer than DAYS_MOST, or ends before it begins.
    """
    said = untrusted.strip().lower()
    if said in NAMES:
        return Period(_beginning(said, today), today)
    try:
        return _bounded(*_written(untrusted.strip()))
    except (ValueError, OverflowError):
        raise PeriodMalformed(
            Sentence(
                "A period is one of {names}, or is written as 2024-06, 2024-Q3, 2024-06-03 or "
                "2024-06-03..2024-09-02.",
                names=Several(", ", NAMES),
            )
        ) from None


def between(untrusted_first: str, untrusted_last: str, today: Day) -> Period:
    """The stretch between two written days; an empty end is today, an empty beginning the end.

    Raises:
        PeriodMalformed: as `parse_period`.
    """
    last = untrusted_last.strip() or str(date_of(today))
    return parse_period(f"{untrusted_first.strip() or last}..{last}", today)


def _beginning(name: str, today: Day) -> Day:
    date = date_of(today)
    return day_of(
        {
            "today": date,
            "week": date - dt.timedelta(days=date.weekday()),
            "month": date.replace(day=1),
            "quarter": date.replace(month=date.month - (date.month - 1) % 3, day=1),
            "year": date.replace(month=1, day=1),
        }[name]
    )


def _written(said: str) -> tuple[dt.date, dt.date]:
    if match := _QUARTER.fullmatch(said):
        first = dt.date(int(match[1]), 3 * int(match[2]) - 2, 1)
        return first, _month_end(first.replace(month=first.month + 2))
    if match := _MONTH.fullmatch(said):
        first = dt.date(int(match[1]), int(match[2]), 1)
        return first, _month_end(first)
    begins, _, ends = said.partition("..")
    return dt.date.fromisoformat(begins), dt.date.fromisoformat(ends or begins)


def _month_end(date: dt.date) -> dt.date:
    following = date.replace(day=28) + dt.timedelta(days=4)
    return following - dt.timedelta(days=following.day)


def _bounded(first: dt.date, last: dt.date) -> Period:
    found = Period(day_of(first), day_of(last))
    if found.days < 1:
        raise PeriodMalformed("A period does not end before it begins.")
    if found.days > DAYS_MOST:
        raise PeriodMalformed(Sentence("A period has {most} days at most.", most=DAYS_MOST))
    return found
