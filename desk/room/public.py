"""The counts that a bulletin is made of, and how they hang together.

Rule: tables are of one dimension, their groups are fixed, and each count is a part of one whole at
most: on that rests what desk.room.disclosure says of what somebody could compute.  Terrorism and
the kinds of technology crime are one table of all reports, and technology is the rest beside
terrorism: as a whole of its own it would go where terrorism is small, and take every kind along.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.ids import Day, date_of
from desk.room import fact as f
from desk.room.disclosure import Sum, protect
from desk.room.figures import came_back, is_repeated, transmitted_in
from desk.room.persons import persons_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from desk.room.fact import Fact
    from desk.room.period import Period
    from desk.rules import Rules

KINDS = {
    "fraud": ("fraud",),
    "sextortion": ("sextortion",),
    "defamation": ("defamation",),
    "threats": ("threats", "harassment"),
    "incitement": ("incitement", "csam", "hacking_other", f.OTHER),
}
"""The public's five kinds of technology crime: fixed, so that no grouping tells of a count."""
MODES = {
    "full_identity": ("full_identity",),
    "contact_only": ("contact_only",),
    "anonymous": ("anonymous", f.OTHER),
}
REGIONS = {
    "europe": ("europe",),
    "middle_east": ("middle_east",),
    "north_africa": ("north_africa",),
    "asia": ("asia",),
    "elsewhere": ("sub_saharan_africa", "americas", "oceania", f.OTHER),
}
LANGUAGES = {"ar": ("ar",), "fr": ("fr",), "zgh": ("zgh",), "en": ("en", f.OTHER)}


@dataclass(frozen=True, slots=True)
class Line:
    """One public count: None where it is kept back; its share is of the whole it is a part of."""

    table: str
    id: str
    count: int | None
    of: int | None

    @property
    def percent(self) -> int | None:
        """Of the rounded whole, in whole per cent; None where either is kept back or nought."""
        if self.count is None or not self.of:
            return None
        return round(100 * self.count / self.of)


@dataclass(slots=True)
class Counts:
    """True counts, and which of them make which: never published as they stand.

    `of` names what a count is a share of; `rests` is as in `protect`.
    """

    counts: dict[str, int]
    sums: list[Sum]
    of: dict[str, str]
    rests: dict[str, str]

    def split(
        self, whole: str, table: str, parts: Mapping[str, int], beside: tuple[str, ...] = ()
    ) -> None:
        """Add a table of parts that make a whole, with counts `beside` them that are there."""
        names = {f"{table}.{name}": count for name, count in parts.items()}
        self.counts |= names
        self.sums.append(Sum(whole, (*beside, *names)))
        self.of |= dict.fromkeys((*beside, *names), whole)


def lines(
    facts: Iterable[Fact], period: Period, rules: Rules, tags: Sequence[str] = ()
) -> tuple[Line, ...]:
    """The public counts of a period, in their fixed order."""
    found = true_counts(facts, period, rules, tags)
    public = protect(found.counts, found.sums, found.rests)
    return tuple(
        Line(name.split(".")[0], name.split(".")[1], count, public.get(found.of.get(name, "")))
        for name, count in public.items()
    )


def true_counts(facts: Iterable[Fact], period: Period, rules: Rules, tags: Sequence[str]) -> Counts:
    """What is counted, and how the counts hang together."""
    readable = [one for one in facts if one.readable]
    came = [one for one in readable if one.day in period]
    crime = [one for one in came if one.category != f.TERRORISM]
    terror = [one for one in came if one.category == f.TERRORISM]
    all_of, technology, terrorism = "reports.received", "nature.technology", "nature.terrorism"
    kinds = _grouped(crime, "category", KINDS)
    found = Counts({all_of: len(came)}, [], {}, {technology: terrorism})
    found.counts |= {technology: len(crime), terrorism: len(terror)}
    found.split(all_of, "categories", kinds, beside=(terrorism,))
    found.of |= {technology: all_of, **{f"categories.{name}": technology for name in kinds}}
    for tag in tags:
        marked = sum(tag in one.tags for one in terror)
        found.split(terrorism, f"tag_{tag}", {"marked": marked, "unmarked": len(terror) - marked})
    found.split(all_of, "identity", _grouped(came, "identity", MODES))
    abroad = [one for one in came if one.is_abroad]
    silent = sum(one.reporting_from == f.NOT_SAID for one in came)
    home = len(came) - len(abroad) - silent
    origin = {"in_country": home, "abroad": len(abroad), "not_said": silent}
    found.split(all_of, "origin", origin)
    found.split("origin.abroad", "regions", _grouped(abroad, "reporting_from", REGIONS))
    found.split(all_of, "languages", _grouped(came, "language", LANGUAGES))
    months = Counter(str(date_of(Day(one.day)))[:7] for one in came)
    if names := list(dict.fromkeys(str(date_of(day))[:7] for day in period))[1:]:
        first = str(date_of(period.first))[:7]
        found.split(all_of, "months", {name: months[name] for name in (first, *names)})
    repeats = sum(is_repeated(one, period.last) for one in came)
    found.split(all_of, "repeats", {"first": len(came) - repeats, "repeated": repeats})
    sent = transmitted_in(readable, period)
    back = sum(came_back(one, period.last) for one in sent)
    found.counts["sent.transmitted"] = len(sent)
    found.split("sent.transmitted", "returned", {"kept": len(sent) - back, "returned": back})
    who = persons_of(readable, period, period.last, rules)
    found.counts["suspects.identified"] = len(who.identified)
    found.split("suspects.identified", "persons", {
        "investigated": len(who.investigated), "presented": len(who.brought),
        "wanted": len(who.sought),
    })  # fmt: skip
    return found


def _grouped(
    facts: Sequence[Fact], field: str, groups: Mapping[str, tuple[str, ...]]
) -> dict[str, int]:
    counts = Counter(getattr(one, field) for one in facts)
    return {name: sum(counts[one] for one in ids) for name, ids in groups.items()}
