"""Count the indicators of a period: pure functions from facts to tables.

Rule: what a report *is* (its category, who wrote it, from where) is counted on the day it came;
what *happened* (transmitted, identified, brought before justice) on the day it happened; where
things *stand* (states, backlog) as of the period's last day, or today where that is earlier.
Terrorism is counted apart: every other category is technology crime, and its shares are of that.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from crypto.ids import Day, date_of, day_of
from desk.room import fact as f
from desk.room.pace import backlog, clocks, first_look, is_open, questions
from desk.room.persons import persons_of
from desk.room.tables import Figures, Median, Ratio, Row, Share, Table, shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desk.room.fact import Fact
    from desk.room.period import Period
    from desk.rules import Rules

CRIMES = tuple(one for one in f.CATEGORIES if one != f.TERRORISM)
_DAYS_BY_DAY = 45
_DAYS_BY_WEEK = 400


def figures(facts: Iterable[Fact], period: Period, rules: Rules, today: Day) -> Figures:
    """Every figure of a period, from every case there is."""
    every = tuple(facts)
    readable = tuple(one for one in every if one.readable)
    as_of = min(period.last, today)
    came = tuple(one for one in readable if one.day in period)
    terror = tuple(one for one in came if one.category == f.TERRORISM)
    crime = tuple(one for one in came if one.category != f.TERRORISM)
    tables = (
        _overview(readable, period, as_of, rules),
        Table("nature", ("reports",), (
            Row("technology", (Share(len(crime), len(came)),)),
            Row("terrorism", (Share(len(terror), len(came)),)),
        ), "stacked"),
        _counted("categories", crime, "category", CRIMES),
        _choices(came),
        _tags(came, terror, rules),
        _counted("identity", came, "identity", f.IDENTITY_MODES, "stacked"),
        _origin(came),
        _counted("regions", [one for one in came if one.is_abroad], "reporting_from", f.REGIONS),
        _counted("languages", came, "language", f.LANGUAGES),
        _counted("priorities", came, "priority", (*rules.priorities, f.OTHER)),
        _losses(came),
        clocks(readable, period, today, rules),
        backlog(readable, as_of),
        _states(came, as_of, rules),
        _transmitted(readable, period, rules),
        _closed(readable, period, rules),
        _outcomes(readable, period, rules),
        _series(came, period),
    )  # fmt: skip
    unreadable = sum(one.day in period for one in every) - len(came)
    return Figures(period, as_of, unreadable, tables)


def transmitted_in(facts: Iterable[Fact], period: Period) -> tuple[Fact, ...]:
    """The cases that went to a service in the period."""
    return tuple(
        one
        for one in facts
        if any(step.state == "transmitted" and step.day in period for step in one.steps)
    )


def came_back(fact: Fact, as_of: int) -> bool:
    """Whether a service said that it is not competent."""
    return any(step.state == "returned" and step.day <= as_of for step in fact.steps)


def is_repeated(one: Fact, as_of: Day) -> bool:
    """Whether a case repeats another, by a link or by its state."""
    return one.duplicate or one.state(as_of) == "duplicate"


def _overview(readable: Sequence[Fact], period: Period, as_of: Day, rules: Rules) -> Table:
    came = [one for one in readable if one.day in period]
    terror = sum(one.category == f.TERRORISM for one in came)
    total = len(came)
    modes = Counter(one.identity for one in came)
    who = persons_of(readable, period, as_of, rules)
    sent = transmitted_in(readable, period)
    asked = questions(readable, period)
    waiting = [one for one in readable if is_open(one, as_of)]
    elapsed = max(as_of - period.first + 1, 0)
    rows: dict[str, object] = {
        "received": total,
        "per_day": Ratio(total, elapsed),
        "technology": Share(total - terror, total),
        "terrorism": Share(terror, total),
        "full_identity": Share(modes["full_identity"], total),
        "contact_only": Share(modes["contact_only"], total),
        "anonymous": Share(modes["anonymous"], total),
        "not_by_name": Share(total - modes["full_identity"], total),
        "abroad": Share(sum(one.is_abroad for one in came), total),
        "urgent": Share(sum(one.priority == rules.urgent for one in came), total),
        "duplicates": Share(sum(is_repeated(one, as_of) for one in came), total),
        "withdrawn": Share(sum(one.withdrawn is not None for one in came), total),
        "looked_at": Share(sum(one.first_look is not None for one in came), total),
        "first_look": first_look(came),
        "answered_questions": Share(sum(one.answered is not None for one in asked), len(asked)),
        "backlog": len(waiting),
        "backlog_age": Median.of(as_of - one.day for one in waiting),
        "transmitted": len(sent),
        "returned": Share(sum(came_back(one, as_of) for one in sent), len(sent)),
        "identified": len(who.identified),
        "presented": len(who.presented),
        "notices_issued": len(who.issued),
        "wanted": len(who.wanted),
        "investigated": Share(len(who.investigated), len(who.identified)),
        "yield": Ratio(total, len(who.identified)),
    }
    return Table("overview", ("figure",), tuple(Row(name, (cell,)) for name, cell in rows.items()))  # type: ignore[arg-type]  # cells of several types


def _counted(
    name: str, facts: Sequence[Fact], field: str, ids: Iterable[str], chart: str = "bars"
) -> Table:
    counts = Counter(getattr(one, field) for one in facts)
    pairs = [(one, counts[one]) for one in ids]
    return Table(name, ("reports",), tuple(shares(pairs, len(facts))), chart)


def _choices(came: Sequence[Fact]) -> Table:
    """What reporters chose beside what operators confirmed: nobody's word is lost in another's."""
    chosen = Counter(one.told for one in came)
    counted = Counter(one.category for one in came)
    confirmed = Counter(one.category for one in came if one.confirmed)
    moved = Counter(one.told for one in came if one.confirmed and one.told != one.category)
    rows = tuple(
        Row(name, (chosen[name], counted[name], confirmed[name], moved[name]))
        for name in f.CATEGORIES
        if name != f.OTHER or chosen[name] or counted[name]
    )
    return Table("choices", ("chosen", "counted", "confirmed", "moved"), rows)


def _tags(came: Sequence[Fact], terror: Sequence[Fact], rules: Rules) -> Table:
    rows = []
    for name in rules.tags:
        marked = sum(name in one.tags for one in terror)
        everywhere = sum(name in one.tags for one in came)
        rows.append(Row(name, (Share(marked, len(terror)), Share(everywhere, len(came)))))
    return Table("tags", ("of_terrorism", "of_all"), tuple(rows))


def _origin(came: Sequence[Fact]) -> Table:
    abroad = sum(one.is_abroad for one in came)
    silent = sum(one.reporting_from == f.NOT_SAID for one in came)
    pairs = [
        (f.IN_COUNTRY, len(came) - abroad - silent), ("abroad", abroad), (f.NOT_SAID, silent),
    ]  # fmt: skip
    return Table("origin", ("reports",), tuple(shares(pairs, len(came))), "stacked")


def _losses(came: Sequence[Fact]) -> Table:
    rows = []
    for currency in f.CURRENCIES:
        amounts = [one.amount for fact in came for one in fact.losses if one.currency == currency]
        if amounts:
            rows.append(Row(currency, (len(amounts), sum(amounts), Median.of(amounts))))
    return Table("losses", ("reports", "sum", "median"), tuple(rows))


def _states(came: Sequence[Fact], as_of: Day, rules: Rules) -> Table:
    counts = Counter(one.state(as_of) for one in came)
    pairs = [(name, counts[name]) for name in (*rules.states, "unknown") if counts[name]]
    return Table("states", ("reports",), tuple(shares(pairs, len(came))), "bars")


def _transmitted(readable: Sequence[Fact], period: Period, rules: Rules) -> Table:
    sent = transmitted_in(readable, period)
    counts = Counter(
        [s.service for s in one.steps if s.state == "transmitted" and s.day in period][-1]
        for one in sent
    )
    pairs = [(name, counts[name]) for name in (*rules.services, f.OTHER)]
    pairs.append((f.NOT_SAID, counts[""]))
    rows = tuple(one for one in shares(pairs, len(sent)) if one.id != f.NOT_SAID or one.size)
    return Table("transmitted", ("cases",), rows, "bars")


def _closed(readable: Sequence[Fact], period: Period, rules: Rules) -> Table:
    last = [
        [step.reason for step in one.steps if step.state == "closed" and step.day in period][-1:]
        for one in readable
    ]
    counts = Counter(reason for reasons in last for reason in reasons)
    pairs = [(name, counts[name]) for name in (*rules.reasons, f.OTHER)]
    pairs.append((f.NOT_SAID, counts[""]))
    of = counts.total()
    rows = tuple(one for one in shares(pairs, of) if one.id != f.NOT_SAID or one.size)
    return Table("closed", ("cases",), rows, "bars")


def _outcomes(readable: Sequence[Fact], period: Period, rules: Rules) -> Table:
    """Each event of the period once: for each person, or for each case where it is about that."""
    persons: dict[str, set[str]] = {}
    cases: dict[str, set[str]] = {}
    for one in readable:
        for event in one.events:
            if event.day in period:
                cases.setdefault(event.name, set()).add(one.case)
                if event.person:
                    persons.setdefault(event.name, set()).add(event.person)
    rows = tuple(
        Row(name, (
            len(persons.get(name, ())) if outcome.person else None, len(cases.get(name, ())),
        ))
        for name, outcome in rules.outcomes.items()
    )  # fmt: skip
    return Table("outcomes", ("persons", "cases"), rows)


def _series(came: Sequence[Fact], period: Period) -> Table:
    """Reports by day; of a long period by week (from its Monday), of a longer one by month."""
    begin = _day if period.days <= _DAYS_BY_DAY else _monday
    if period.days > _DAYS_BY_WEEK:
        begin = _month
    counts = Counter((begin(one.day), one.category == f.TERRORISM) for one in came)
    days = dict.fromkeys(begin(day) for day in period)
    rows = tuple(
        Row(str(date_of(Day(day))), (counts[day, False], counts[day, True])) for day in days
    )
    return Table("series", ("technology", "terrorism"), rows, "line")


def _day(day: int) -> int:
    return day


def _monday(day: int) -> int:
    date = date_of(Day(day))
    return day_of(date - dt.timedelta(days=date.weekday()))


def _month(day: int) -> int:
    return day_of(date_of(Day(day)).replace(day=1))
