"""What happens in the quarter, decided by a seed: reports, acts, answers, each with its day.

Rule: the published counts are exact; whatever was not published (which languages, how many were
transmitted) is made up, and stands in the tables below.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from crypto.ids import Day, day_of
from tests.quarter import texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIRST, LAST = day_of(dt.date(2024, 6, 3)), day_of(dt.date(2024, 9, 2))
_SEEN = LAST - 3
"""Whatever came by then was looked at in the quarter."""
_T = TypeVar("_T")
ALONE, CONTACT, NAMED = "anonymous", "contact_only", "full_identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The quarter's numbers; the first group was published, the second is made up."""

    categories: dict[str, int]
    daesh: int
    named: int
    abroad: dict[str, int]
    identified: int
    presented: int
    wanted: int

    contact: int
    silent: int
    """Reports that do not say where they come from."""
    languages: dict[str, int]
    transmitted: int
    returned: int

    @property
    def total(self) -> int:
        """All reports."""
        return sum(self.categories.values())


PUBLISHED = Counts(
    # 60, 20, 10, 5 and 5 % of 6,788, by the largest remainders; and 295.
    categories={
        "fraud": 4073, "sextortion": 1358, "defamation": 679, "threats": 339, "incitement": 339,
        "terrorism": 295,
    },
    daesh=85, named=4117,
    abroad={"europe": 331, "middle_east": 112, "north_africa": 68, "asia": 53},
    identified=82, presented=23, wanted=9,
    contact=771, silent=604,
    languages={"ar": 4391, "fr": 1983, "en": 283, "zgh": 426},
    transmitted=1180, returned=41,
)  # fmt: skip

SMALL = Counts(
    categories={
        "fraud": 73, "sextortion": 24, "defamation": 12, "threats": 6, "incitement": 6,
        "terrorism": 19,
    },
    daesh=5, named=81, abroad={"europe": 6, "middle_east": 2, "north_africa": 2, "asia": 1},
    identified=8, presented=3, wanted=2, contact=14, silent=12,
    languages={"ar": 80, "fr": 40, "en": 10, "zgh": 10}, transmitted=30, returned=3,
)  # fmt: skip
"""A fiftieth of it, for tests."""


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator (0 or 1) does to a case on a day: an entry of one type."""

    day: int
    by: int
    kind: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operator answers on a day; words may be empty where a status stands."""

    day: int
    by: int
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the reporter writes later."""

    day: int
    text: str


@dataclass(slots=True)
class Planned:
    """One report and its history, in order."""

    number: int
    day: int
    category: str
    told: str
    identity: str
    region: str
    language: str
    urgent: bool
    amount: str
    history: list[Act | Answer | Said] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, object]:
        """The form's answers."""
        answers: dict[str, object] = {
            "role": "victim",
            "danger_now": "yes" if self.urgent else "no",
            "description": texts.description(self.category, self.language, self.number),
        }
        if self.region:
            answers["reporting_from"] = self.region
        if self.amount:
            answers["money_lost"] = "yes"
            answers["amount"] = {"value": self.amount, "currency": "MAD"}
        return answers


def plan(counts: Counts = PUBLISHED, seed: int = 2024) -> list[Planned]:
    """The whole quarter; the same for the same seed.  A duplicate's link names a number."""
    rng = random.Random(seed)  # noqa: S311  # made-up reports; every key is drawn elsewhere
    total = counts.total
    categories = _dealt(rng, counts.categories)
    identities = _dealt(
        rng,
        {
            NAMED: counts.named,
            CONTACT: counts.contact,
            ALONE: total - counts.named - counts.contact,
        },
    )
    home = total - counts.silent - sum(counts.abroad.values())
    regions = _dealt(rng, {"in_country": home, "": counts.silent, **counts.abroad})
    languages = _dealt(rng, counts.languages)
    days = sorted(_days(rng, total))
    reports = []
    for at in range(total):
        category = categories[at]
        is_loss = category == "fraud" and rng.random() < 0.7
        told = _told(rng, category) if days[at] <= _SEEN else category
        reports.append(Planned(
            number=at + 1, day=days[at], category=category, told=told,
            identity=identities[at], region=regions[at], language=languages[at],
            urgent=rng.random() < (0.08 if category == "terrorism" else 0.012),
            amount=str(rng.choice((300, 850, 1200, 2500, 4000, 15000))) if is_loss else "",
        ))  # fmt: skip
    _Desk(rng, counts, reports).work()
    return reports


def _dealt(rng: random.Random, of: dict[_T, int]) -> list[_T]:
    """So many of each, shuffled."""
    cards = [name for name, count in of.items() for _ in range(count)]
    rng.shuffle(cards)
    return cards


def _days(rng: random.Random, total: int) -> list[int]:
    """More on the first days, fewer at week ends; every day inside the quarter."""
    days = list(range(FIRST, LAST + 1))
    weights = [
        (0.7 if dt.date.fromordinal(719163 + day).weekday() > 4 else 1.0)
        * (1.6 if day < FIRST + 7 else 1.0)
        for day in days
    ]
    return rng.choices(days, weights, k=total)


def _told(rng: random.Random, category: str) -> str:
    """A few reporters choose another category than the operators will."""
    others = {"fraud": "hacking_other", "threats": "harassment", "defamation": "harassment"}
    return others.get(category, category) if rng.random() < 0.05 else category


@dataclass(slots=True)
class _Desk:
    """Two operators at work."""

    rng: random.Random
    counts: Counts
    reports: list[Planned]
    persons: list[str] = field(default_factory=list)

    def work(self) -> None:
        early = [one for one in self.reports if one.day <= LAST - 30]
        sent = self.rng.sample(early, self.counts.transmitted)
        # Each suspect in a case of their own, some of them in a second one, too.
        again = self.counts.identified // 3
        with_persons = sent[: self.counts.identified + again]
        for _ in range(self.counts.identified):
            self.persons.append(f"{self.rng.getrandbits(64):016x}")
        returned = {one.number for one in sent[-self.counts.returned :]}
        numbers = {one.number for one in sent}
        terror = [one for one in self.reports if one.category == "terrorism" and one.day <= _SEEN]
        daesh = {one.number for one in self.rng.sample(terror, self.counts.daesh)}
        for one in self.reports:
            self._first(one, marked=one.number in daesh)
            if one.number in numbers:
                self._transmit(one, back=one.number in returned)
            else:
                self._otherwise(one)
        for at, one in enumerate(with_persons):
            self._investigate(one, at % len(self.persons))
        for one in self.reports:
            one.history = _inside(one.history)

    def _first(self, one: Planned, *, marked: bool) -> None:
        by = self.rng.randrange(2)
        day = one.day + self.rng.choices((0, 1, 2, 3), (85, 11, 3, 1))[0]
        if one.urgent:
            day = one.day
        self._act(one, day, by, "status", state="triage")
        if one.told != one.category or self.rng.random() < 0.6:
            self._act(one, day, by, "category", category=one.category)
        if marked:
            self._act(one, day, by, "tag", tag="daesh", on=True)
        # Somebody whose report came on the last days is answered after the quarter.
        late = self.rng.choices((0, 1, 4, 9), (60, 30, 7, 3))[0]
        one.history.append(Answer(day + late, by, "examined", ""))

    def _transmit(self, one: Planned, *, back: bool) -> None:
        by, day = self.rng.randrange(2), _last(one) + 1
        service = "counter_terrorism" if one.category == "terrorism" else "cyber_unit"
        basis = "unknown_place"
        if one.urgent:
            self._act(one, day, by, "status", state="imminent")
        else:
            self._act(one, day, by, "status", state="assessment")
            if one.identity == ALONE:
                self._act(one, day + 1, by, "status", state="seriousness_check")
            day += 2
            self._act(one, day, by, "status", state="ready", service=service, basis=basis)
        self._act(one, day, 1 - by, "status", state="transmitted", service=service, basis=basis)
        if one.urgent:
            text = "Looked at again: rightly sent at once."
            self._act(one, day + 1, by, "second_look", text=text)
        one.history.append(Answer(day, 1 - by, "sent", ""))
        if back:
            self._act(one, day + 4, by, "status", state="returned", text="Not competent there.")
            where = {"service": "regional_unit", "basis": "residence_of_suspect"}
            self._act(one, day + 5, by, "status", state="ready", **where)
            self._act(one, day + 5, 1 - by, "status", state="transmitted", **where)
        day = _last(one) + 1
        told = {"court": "Rabat", "day": _date(day)}
        self._act(one, day, by, "status", state="prosecutor_informed", **told)

    def _investigate(self, one: Planned, at: int) -> None:
        by, day = self.rng.randrange(2), _last(one) + 2
        told = {"instruction": "open_inquiry", "day": _date(day)}
        self._act(one, day, by, "status", state="instructed", **told)
        one.history.append(Answer(day + 1, by, "sent", ""))
        self._act(one, day, by, "status", state="investigation")
        self._outcome(one, day + 4, by, "identified", at)
        if at < self.counts.presented:
            self._outcome(one, day + 8, by, "presented", at)
        elif at < self.counts.presented + self.counts.wanted:
            self._outcome(one, day + 8, by, "wanted", at)

    def _otherwise(self, one: Planned) -> None:
        """Closed, a duplicate, out of scope, a question, or still being assessed."""
        by, day = self.rng.randrange(2), _last(one) + 1
        fate = self.rng.choices(
            ("closed", "duplicate", "out_of_scope", "question", "assessment", "triage"),
            (58, 5, 6, 9, 14, 8),
        )[0]
        if one.urgent:
            fate = "closed"
        if fate == "duplicate" and one.number > 1:
            other = self.rng.randrange(1, one.number)
            self._act(one, day, by, "link", case=other, kind="duplicate")
            self._act(one, day, by, "status", state="duplicate")
        elif fate == "out_of_scope":
            text = "No crime by means of the internet."
            self._act(one, day, by, "status", state="out_of_scope", text=text)
            one.history.append(Answer(day, by, "closed", texts.CLOSINGS[one.language]))
        elif fate == "question":
            self._act(one, day, by, "status", state="assessment")
            self._act(one, day, by, "status", state="info_requested")
            one.history.append(Answer(day, by, "question", texts.QUESTIONS[one.language]))
            if self.rng.random() < 0.6:
                day += self.rng.randrange(1, 9)
                one.history.append(Said(day, texts.ANSWERS[one.language]))
                self._act(one, day, by, "status", state="assessment")
        elif fate == "closed":
            self._close(one, by, day)
        elif fate == "assessment":
            self._act(one, day, by, "status", state="assessment")

    def _close(self, one: Planned, by: int, day: int) -> None:
        """Only a seriousness check closes what was never transmitted."""
        reasons = ("no_offence", "insufficient", "no_further_action")
        self._act(one, day, by, "status", state="assessment")
        self._act(one, day + 3, by, "status", state="seriousness_check")
        day += 3 + self.rng.randrange(12)
        reason = self.rng.choices(reasons, (30, 60, 10))[0]
        self._act(one, day, 1 - by, "status", state="closed", reason=reason)
        one.history.append(Answer(day, 1 - by, "closed", texts.CLOSINGS[one.language]))

    @staticmethod
    def _act(one: Planned, day: int, by: int, kind: str, /, **data: object) -> None:
        one.history.append(Act(day, by, kind, data))

    def _outcome(self, one: Planned, day: int, by: int, event: str, at: int) -> None:
        self._act(
            one, day, by, "outcome", event=event, person=self.persons[at],
            label=f"Suspect {at + 1}", day=_date(day), text="", on=True,
        )  # fmt: skip


def _last(one: Planned) -> int:
    """The day of the newest act."""
    return max(two.day for two in one.history if isinstance(two, Act))


def _inside(history: list[Act | Answer | Said]) -> list[Act | Answer | Said]:
    """In the order of days; what lies behind the quarter's last day has not happened yet."""
    return sorted((one for one in history if one.day <= LAST), key=lambda one: one.day)


def _date(day: int) -> str:
    return str(dt.date(1970, 1, 1) + dt.timedelta(days=day))


def by_day(reports: Sequence[Planned]) -> Iterator[tuple[Day, list[Planned]]]:
    """The reports of each day of the quarter that has any."""
    found: dict[int, list[Planned]] = {}
    for one in reports:
        found.setdefault(one.day, []).append(one)
    for day in sorted(found):
        yield Day(day), found[day]
