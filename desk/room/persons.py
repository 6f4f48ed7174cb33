"""Suspects, as the outcomes of all cases tell of them: distinct persons, whatever they are in.

Rule: a person is a random id that operators gave; one id in five cases is one person. A wanted
notice counts while it stands: what ends it (an arrest, by law) is said by the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desk.room.fact import Event, Fact
    from desk.room.period import Period
    from desk.rules import Rules

IDENTIFIED, PRESENTED, WANTED = "identified", "presented", "wanted"


@dataclass(frozen=True, slots=True)
class Persons:
    """Distinct persons, by what happened to them in the period.

    `wanted` are those whose notice was issued in it and stands at its end; `investigated` those
    identified in it who were neither brought before justice by its end nor are wanted then.
    """

    identified: frozenset[str]
    presented: frozenset[str]
    issued: frozenset[str]
    wanted: frozenset[str]
    brought: frozenset[str]
    """Of those identified in the period: brought before justice by its end."""
    sought: frozenset[str]
    """Of those identified in the period: wanted at its end."""

    @property
    def investigated(self) -> frozenset[str]:
        """Of those identified in the period: neither of the two."""
        return self.identified - self.brought - self.sought


def persons_of(facts: Iterable[Fact], period: Period, as_of: int, rules: Rules) -> Persons:
    """Sort the persons of every case, whenever it came."""
    by_person: dict[str, list[Event]] = {}
    for fact in facts:
        for event in fact.events:
            if event.person and event.day <= as_of:
                by_person.setdefault(event.person, []).append(event)

    def did(name: str) -> frozenset[str]:
        return frozenset(
            who
            for who, events in by_person.items()
            if any(one.name == name and one.day in period for one in events)
        )

    sought = frozenset(who for who, events in by_person.items() if _is_wanted(events, rules))
    before_justice = frozenset(
        who for who, events in by_person.items() if any(one.name == PRESENTED for one in events)
    )
    identified, issued = did(IDENTIFIED), did(WANTED)
    return Persons(
        identified=identified,
        presented=did(PRESENTED),
        issued=issued,
        wanted=issued & sought,
        brought=identified & before_justice - sought,
        sought=identified & sought,
    )


def _is_wanted(events: list[Event], rules: Rules) -> bool:
    """Whether a notice was issued, and nothing ended it that day or later."""
    issued = [one.day for one in events if one.name == WANTED]
    if not issued:
        return False
    ending = (rules.outcomes[one.name].ends == WANTED and one.day >= max(issued) for one in events)
    return not any(ending)
