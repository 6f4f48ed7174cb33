"""What the room's figures know of one case: days, ids and counts, and no word that anybody wrote.

Rule: a fact holds ids of ours alone.  What a form or another desk says that is none of them is
counted as `other`, so that nobody can write into a figure, a chart or a table.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

from crypto.ids import Day, day_of
from desk import acts
from desk.rules import RECEIVED, UNKNOWN
from desk.verify import FollowUp
from desk.whose import is_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.rules import Rules
    from desk.verify import Entry, Reply

OTHER = "other"
NOT_SAID = "not_said"
IN_COUNTRY = "in_country"
TERRORISM = "terrorism"
CATEGORIES = (*acts.CATEGORIES, OTHER)
IDENTITY_MODES = ("full_identity", "contact_only", "anonymous", OTHER)
REGIONS = (
    "europe", "asia", "middle_east", "north_africa", "sub_saharan_africa", "americas", "oceania",
    OTHER,
)  # fmt: skip
"""Abroad, by the reporter's own word; `in_country` and `not_said` are not abroad."""
LANGUAGES = ("ar", "fr", "en", "zgh", OTHER)
CURRENCIES = ("MAD", "EUR", "USD", "GBP", OTHER)
LOSS_MOST = Decimal(10**12)
"""A larger amount was mistyped, or made up to spoil the sum."""


class Step(NamedTuple):
    """A state that was set: which, on which day, for which service or reason."""

    state: str
    day: int
    service: str
    reason: str


class Timer(NamedTuple):
    """One clock of the case: by when it was due, and when it stopped, if it did."""

    clock: str
    since: int
    due: int
    met: int | None


class Event(NamedTuple):
    """An outcome that stands: what, on which day, and which person (a random id), if any."""

    name: str
    day: int
    person: str


class Question(NamedTuple):
    """The day a question was asked, and the day of the reporter's next message, if one came."""

    asked: int
    answered: int | None


class Loss(NamedTuple):
    """Money that a reporter says was lost."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One case, as the figures count it.  Days are days since 1970."""

    case: str
    day: int
    readable: bool = True
    category: str = OTHER
    told: str = OTHER
    confirmed: bool = False
    tags: tuple[str, ...] = ()
    identity: str = OTHER
    reporting_from: str = NOT_SAID
    language: str = OTHER
    priority: str = ""
    duplicate: bool = False
    withdrawn: int | None = None
    steps: tuple[Step, ...] = ()
    timers: tuple[Timer, ...] = ()
    questions: tuple[Question, ...] = ()
    events: tuple[Event, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def is_abroad(self) -> bool:
        """Whether the reporter says that they write from another country."""
        return self.reporting_from not in (IN_COUNTRY, NOT_SAID)

    @property
    def first_look(self) -> int | None:
        """The day on which somebody first set a state, or None."""
        return next((one.day for one in self.steps if one.state != RECEIVED), None)

    def state(self, day: int) -> str:
        """Where the case stood at the end of a day."""
        past = [one.state for one in self.steps if one.day <= day]
        return past[-1] if past else RECEIVED

    def packed(self) -> list[Any]:
        """As a list of plain data, for `unpacked` alone, in the order of the fields."""
        return [
            self.case, self.day, self.readable, self.category, self.told, self.confirmed,
            self.tags, self.identity, self.reporting_from, self.language, self.priority,
            self.duplicate, self.withdrawn, self.steps, self.timers, self.questions, self.events,
            [(one.currency, str(one.amount)) for one in self.losses],
        ]  # fmt: skip

    @classmethod
    def unpacked(cls, packed: list[Any]) -> Fact:
        """The fact again."""
        (
            case, day, readable, category, told, confirmed, tags, identity, reporting_from,
            language, priority, duplicate, withdrawn, steps, timers, questions, events, losses,
        ) = packed  # fmt: skip
        return cls(
            case=case, day=day, readable=readable, category=category, told=told,
            confirmed=confirmed, tags=tuple(tags), identity=identity,
            reporting_from=reporting_from, language=language, priority=priority,
            duplicate=duplicate, withdrawn=withdrawn, steps=tuple(Step(*one) for one in steps),
            timers=tuple(Timer(*one) for one in timers),
            questions=tuple(Question(*one) for one in questions),
            events=tuple(Event(*one) for one in events),
            losses=tuple(Loss(currency, Decimal(amount)) for currency, amount in losses),
        )  # fmt: skip


def fact_of(case: Case, rules: Rules) -> Fact:
    """What the figures know of a case."""
    report = case.report
    return Fact(
        case=case.id.hex(),
        day=case.day,
        readable=case.readable,
        category=_known(case.category, CATEGORIES),
        told=_known(case.told_category, CATEGORIES),
        confirmed=bool(case.work.word(acts.CATEGORY)),
        tags=tuple(one for one in case.work.tags if one in rules.tags),
        identity=_known(case.identity_mode, IDENTITY_MODES),
        reporting_from=_region(case.fields.get("reporting_from")),
        language=_known(report.language if report else "", LANGUAGES),
        priority=_known(case.priority, tuple(rules.priorities)),
        duplicate=acts.DUPLICATE in case.work.links.values(),
        withdrawn=min((max(case.day, one.node.day) for one in case.withdrawals), default=None),
        steps=tuple(_steps(case, rules)),
        timers=tuple(Timer(one.clock.id, one.since, one.due, one.met) for one in case.clocks),
        questions=tuple(_questions(case)),
        events=tuple(_events(case, rules)),
        losses=tuple(_losses(case.fields)),
    )


def _known(untrusted: str, known: tuple[str, ...]) -> str:
    return untrusted if untrusted in known else OTHER


def _region(untrusted: Json) -> str:
    if untrusted is None or untrusted == "":
        return NOT_SAID
    known = (IN_COUNTRY, *REGIONS)
    return untrusted if isinstance(untrusted, str) and untrusted in known else OTHER


def _steps(case: Case, rules: Rules) -> Iterator[Step]:
    for one in case.work.of(acts.STATUS):
        data = one.body.data
        state = str(data["state"])
        yield Step(
            state if state in rules.states else UNKNOWN,
            _day(case, one),
            _named(data, "service", rules.services),
            _named(data, "reason", rules.reasons),
        )


def _named(data: Mapping[str, Json], name: str, known: Mapping[str, object]) -> str:
    if name not in data:
        return ""
    value = str(data[name])
    return value if value in known else OTHER


def _questions(case: Case) -> Iterator[Question]:
    steps = {id(one): str(one.body.data["state"]) for one in case.work.of(acts.STATUS)}
    said = case.timeline
    for at, one in enumerate(said):
        if steps.get(id(one)) == "info_requested":
            answers = (two for two in said[at + 1 :] if isinstance(two, FollowUp))
            own = (_day(case, two) for two in answers if not is_beside(case.origin, two))
            yield Question(_day(case, one), next(own, None))


def _events(case: Case, rules: Rules) -> Iterator[Event]:
    for one in case.work.outcomes:
        data = one.body.data
        if data["event"] in rules.outcomes:
            day = day_of(dt.date.fromisoformat(str(data["day"])))
            yield Event(str(data["event"]), day, str(data["person"]))


def _losses(fields: Mapping[str, Json]) -> Iterator[Loss]:
    told = fields.get("amount")
    if fields.get("money_lost") != "yes" or not isinstance(told, dict):
        return
    try:
        amount = Decimal(str(told.get("value", "")))
    except InvalidOperation:
        return
    if amount.is_finite() and 0 < amount <= LOSS_MOST:
        yield Loss(_known(str(told.get("currency", "")), CURRENCIES), amount)


def _day(case: Case, one: Entry | FollowUp | Reply) -> Day:
    """A signer's own day, never believed below the one on which the case began."""
    return max(case.day, one.node.day)
