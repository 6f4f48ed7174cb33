"""How soon things were done: clocks, first looks, questions, and what waits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from desk.room.tables import Median, Row, Share, Table, shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crypto.ids import Day
    from desk.room.fact import Fact, Question, Timer
    from desk.room.period import Period
    from desk.rules import Rules

WITH_OTHERS = ("transmitted", "prosecutor_informed", "instructed", "investigation")
"""A service or a prosecutor has it: nobody waits for this desk."""
ENDED = ("closed", "duplicate", "out_of_scope")
BANDS = (("0_1", 0, 1), ("2_7", 2, 7), ("8_30", 8, 30), ("31_90", 31, 90), ("91_more", 91, None))
"""Ages of the backlog, in days."""


def is_open(fact: Fact, as_of: int) -> bool:
    """Whether a case that has come by a day waits for this desk at its end."""
    return fact.day <= as_of and fact.state(as_of) not in (*WITH_OTHERS, *ENDED)


def backlog(facts: Iterable[Fact], as_of: Day) -> Table:
    """What waits, by how long ago it came."""
    ages = [as_of - one.day for one in facts if is_open(one, as_of)]
    pairs = [
        (name, sum(least <= age and (most is None or age <= most) for age in ages))
        for name, least, most in BANDS
    ]
    return Table("backlog", ("cases",), tuple(shares(pairs, len(ages))), "bars")


def first_look(came: Iterable[Fact]) -> Median:
    """Days from the day a report came to the day somebody set its state."""
    return Median.of(one.first_look - one.day for one in came if one.first_look is not None)


def questions(facts: Iterable[Fact], period: Period) -> tuple[Question, ...]:
    """The questions asked in the period."""
    return tuple(two for one in facts for two in one.questions if two.asked in period)


def verdict(timer: Timer, today: int) -> str:
    """`kept`, `late`, `running` or `overdue`, as desk.clocks says it."""
    if timer.met is not None:
        return "kept" if timer.met <= timer.due else "late"
    return "running" if today <= timer.due else "overdue"


def clocks(facts: Sequence[Fact], period: Period, today: Day, rules: Rules) -> Table:
    """The clocks that began in the period, as they stand today."""
    counts = Counter(
        (timer.clock, verdict(timer, today))
        for one in facts
        for timer in one.timers
        if timer.since in period
    )
    rows = []
    for name in rules.clocks:
        kept, late, overdue, running = (
            counts[name, one] for one in ("kept", "late", "overdue", "running")
        )
        rows.append(Row(name, (Share(kept, kept + late + overdue), late, overdue, running)))
    return Table("clocks", ("kept", "late", "overdue", "running"), tuple(rows), "parts")
