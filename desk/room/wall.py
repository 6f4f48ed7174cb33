"""What hangs on the room's wall: tiles, a trend and three charts; a page and a terminal show it.

Rule: numbers, our own words and the institution's, and nothing that anybody else wrote: whoever
passes sees it.  It reads what is on this machine, and syncs nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.ids import Day
from desk.room import words
from desk.room.figures import figures
from desk.room.gather import facts as gathered
from desk.room.period import Period, parse_period
from desk.room.tables import Median, size
from desk.sentence import Sentence

if TYPE_CHECKING:
    from desk.desk import Desk
    from desk.progress import Progress
    from desk.room.tables import Cell, Figures, Table

SECONDS = 60
"""How often a wall asks anew."""
STALE = dt.timedelta(hours=1)
"""Older than this, the last sync is too old for a wall that people believe to be live."""
CHARTS = ("categories", "identity", "regions")
_TREND_DAYS = 30
_TREND_DAYS_LEAST = 7
_OVER = (
    "received", "technology", "terrorism", "full_identity", "abroad", "urgent", "transmitted",
    "identified", "presented",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number, and what it counts."""

    words: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Wall:
    """What a wall shows of a period: `now` beside it, `over` it, the trend, and the charts."""

    period: Period
    stamp: str
    last_sync: str
    age: str
    alarms: int
    now: tuple[Tile, ...]
    over: tuple[Tile, ...]
    trend_words: str
    trend: Table
    charts: tuple[Table, ...]


def wall(desk: Desk, period: Period, stamp: str, progress: Progress | None = None) -> Wall:
    """Count it, from the cases as they are on this desk now; `stamp` is the minute."""
    today, facts = desk.today(), gathered(desk, progress)

    def of(chosen: Period) -> Figures:
        return figures(facts, chosen, desk.rules, today)

    found = of(period)
    is_short = period.days < _TREND_DAYS_LEAST
    trend = of(Period(Day(today - _TREND_DAYS + 1), today)) if is_short else found
    last_sync = desk.store.noted("last_sync")
    return Wall(
        period=period,
        stamp=stamp,
        last_sync=last_sync,
        age=age_of(stamp, last_sync),
        alarms=len(desk.store.alarms()),
        now=_now(found, of(parse_period("today", today)), of(parse_period("week", today))),
        over=_over(found),
        trend_words=Sentence(words.WALL["trend"] if is_short else words.TITLES["series"]),
        trend=trend["series"],
        charts=tuple(found[name] for name in CHARTS),
    )


def _now(found: Figures, today: Figures, week: Figures) -> tuple[Tile, ...]:
    waited = found["overview"]["backlog_age"][0]
    overdue = sum(size(row.cells[2]) for row in found["clocks"].rows)
    return (
        Tile(Sentence(words.WALL["today"]), today["overview"]["received"][0]),
        Tile(Sentence(words.WALL["week"]), week["overview"]["received"][0]),
        _tile(found, "backlog"),
        Tile(
            Sentence(words.WALL["oldest"]), waited.value if isinstance(waited, Median) else waited
        ),
        Tile(Sentence(words.WALL["overdue"]), overdue),
    )


def _over(found: Figures) -> tuple[Tile, ...]:
    wanted = found["overview"]["wanted"][0]
    return (
        *(_tile(found, name) for name in _OVER),
        Tile(Sentence(words.WALL["wanted"]), wanted),
    )


def _tile(found: Figures, name: str) -> Tile:
    return Tile(Sentence(words.ROWS[name]), found["overview"][name][0])


def age_of(now: str, last_sync: str) -> str:
    """What is to be said of a last sync that is too old, or of a clock that cannot be right."""
    try:
        age = dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(last_sync)
    except ValueError:
        # Never synced, which is said already.
        return ""
    if age > STALE:
        return Sentence("More than an hour ago: what came since is missing here.")
    # An hour less: clocks are set back in autumn.
    return Sentence("That is yet to come: look at this machine's clock.") if age < -STALE else ""
