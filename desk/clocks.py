"""By when a case's next steps are due, and which of them were late.

Rule: days, never hours: a report bears the day of its arrival alone, for its reporter's sake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.ids import Day
from desk import acts
from desk.rules import RECEIVED
from desk.verify import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desk.fold import Work
    from desk.rules import Clock, Rules
    from desk.verify import Entry, FollowUp

_Moment = tuple[str, Day]


@dataclass(frozen=True, slots=True)
class Due:
    """One clock of one case: since when it runs, until when, and when it stopped, if it did."""

    clock: Clock
    since: Day
    due: Day
    met: Day | None

    def verdict(self, today: Day) -> str:
        """`kept`, `late`, `running` or `overdue`."""
        if self.met is not None:
            return "kept" if self.met <= self.due else "late"
        return "running" if today <= self.due else "overdue"


def clocks(  # noqa: PLR0913  # what a clock can depend on
    rules: Rules, day: Day, timeline: Sequence[FollowUp | Reply | Entry], work: Work,
    *, priority: str, anonymous: bool,
) -> tuple[Due, ...]:  # fmt: skip
    """Every clock that binds a case and has begun.

    A clock that begins anew (a second question) counts from its last beginning.
    """
    moments = list(_moments(day, timeline, work))
    found = []
    for clock in rules.clocks.values():
        binds = not clock.only or (clock.only == "anonymous") == anonymous
        begun = [at for at, (name, _) in enumerate(moments) if name == clock.start]
        if not binds or (clock.priorities and priority not in clock.priorities) or not begun:
            continue
        since = moments[begun[-1]][1]
        met = next((when for name, when in moments[begun[-1] + 1 :] if name in clock.until), None)
        found.append(Due(clock, since, Day(since + clock.days), met))
    return tuple(found)


def next_due(found: Sequence[Due]) -> Due | None:
    """The clock that runs out first of those that still run."""
    return min((one for one in found if one.met is None), key=lambda one: one.due, default=None)


def _moments(
    day: Day, timeline: Sequence[FollowUp | Reply | Entry], work: Work
) -> Iterator[_Moment]:
    yield RECEIVED, day
    steps = {id(one): str(one.body.data["state"]) for one in work.of(acts.STATUS)}
    looks = {id(one) for one in work.second_looks}
    now = RECEIVED
    for one in timeline:
        # A clock of whoever signed, not to be believed below the day the case began.
        when = max(day, one.node.day)
        if isinstance(one, Reply):
            if not one.elsewhere:
                yield "answered", when
        elif id(one) in looks:
            yield "second_look", when
        elif id(one) in steps:
            if steps[id(one)] != now:
                yield f"left:{now}", when
                now = steps[id(one)]
            yield now, when
