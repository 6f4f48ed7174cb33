"""How an institution works its cases, as data: states, priorities, clocks, outcomes, services.

Rule: what a case may become is said by one file that an institution edits (`workflow.toml`), and
by no line of code. A file that cannot be meant is refused as a whole, with its line.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from crypto.manifest import STATUSES
from desk.errors import RulesMalformed
from desk.sentence import Sentence, Worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RECEIVED = "received"
UNKNOWN = "unknown"
"""The state of a case whose newest entry names none of ours: of a newer desk, or made up."""

FACTS = ("service", "basis", "reason", "instruction", "court", "ref", "text", "day", "package")
"""What a state can ask for; desk.acts says what each looks like."""
NEEDS = ("other_operator", "checked", "duplicate")
MOMENTS = ("received", "answered", "second_look")
LANGUAGES = ("en", "fr", "ar")
REPORTERS = ("ar", "zgh", "fr", "en")
"""The languages that a reporter's page can be in, and so an answer."""

_OWN_FILE = Path(__file__).with_name("workflow.toml")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MOST_BYTES = 256 * 1024
_MOST_WORDS = 120
_MOST_ANSWER = 4000
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Thing:
    """Whatever the file names: an id that entries carry, and words in three languages."""

    id: str
    words: Mapping[str, str]

    def said(self, language: str = "en") -> str:
        """The words, in English where the language is none of ours."""
        return Worded(self.words, language)


@dataclass(frozen=True, slots=True)
class State(Thing):
    """Where a case stands, what it may become, and what setting it asks for."""

    leads_to: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    asks_if_known: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reporter: str = ""
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Priority(Thing):
    """How soon a case must be looked at."""

    usual: bool = False


@dataclass(frozen=True, slots=True)
class Clock(Thing):
    """By when something must have happened, in days."""

    start: str = RECEIVED
    until: tuple[str, ...] = ()
    days: int = 0
    priorities: tuple[str, ...] = ()
    only: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Thing):
    """Something that happened, to a person or in a case; may cancel an earlier one."""

    person: bool = False
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Service(Thing):
    """Who can be competent, and on which legal bases."""

    bases: tuple[str, ...] = ()
    usual: bool = False


@dataclass(frozen=True, slots=True)
class ReadyAnswer(Thing):
    """An answer to begin with, by the reporter's language; and what their page says then."""

    text: Mapping[str, str] = field(default_factory=dict)
    status: str = ""

    def written(self, language: str) -> tuple[str, str]:
        """The language that it is there in, and the text: the reporter's, or the file's first."""
        chosen = language if language in self.text else next(iter(self.text))
        return chosen, self.text[chosen]


@dataclass(frozen=True, slots=True)
class Rules:
    """One institution's way of working."""

    states: Mapping[str, State]
    priorities: Mapping[str, Priority]
    clocks: Mapping[str, Clock]
    reasons: Mapping[str, Thing]
    instructions: Mapping[str, Thing]
    outcomes: Mapping[str, Outcome]
    services: Mapping[str, Service]
    bases: Mapping[str, Thing]
    tags: Mapping[str, Thing]
    answers: Mapping[str, ReadyAnswer]
    digest: str = field(repr=False)
    """SHA-256 of the file, in hex: two desks that show the same work by the same rules."""

    @property
    def urgent(self) -> str:
        """The first priority: what a case in danger has until somebody says otherwise."""
        return next(iter(self.priorities))

    @property
    def usual(self) -> str:
        """The priority of a case about which nobody has said anything."""
        return next(name for name, one in self.priorities.items() if one.usual)

    def state(self, name: str, language: str = "en") -> str:
        """How a state reads; what is not one of ours is never repeated."""
        one = self.states.get(name)
        return one.said(language) if one else Sentence("Unknown state")


def load(path: Path | None = None) -> Rules:
    """Read an institution's file, or our own without one.

    Raises:
        RulesMalformed: it cannot be read, or cannot be meant; the message names the line.
    """
    chosen = path or _OWN_FILE
    try:
        with chosen.open("rb") as source:
            raw = source.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise RulesMalformed(f"{chosen} cannot be read as text.") from None
    if len(raw) > _MOST_BYTES:
        raise RulesMalformed(f"{chosen} is longer than {_MOST_BYTES // 1024} KiB.")
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise RulesMalformed(f"{chosen.name}: {wrong}.") from None
    return _Reader(chosen.name, text).rules(told, hashlib.sha256(raw).hexdigest())


_Thing = TypeVar("_Thing", bound=Thing)


@dataclass(slots=True)
class _Reader:
    """Holds the file's lines against what is said of them."""

    name: str
    text: str

    def rules(self, told: dict[str, Any], digest: str) -> Rules:
        sections: dict[str, Callable[..., Any]] = {
            "states": self._state, "priorities": self._priority, "clocks": self._clock,
            "reasons": Thing, "instructions": Thing, "outcomes": self._outcome,
            "services": self._service, "bases": Thing, "tags": Thing,
            "answers": self._answer,
        }  # fmt: skip
        if told.pop("version", None) != 1:
            self._refuse("", "", "`version = 1` is missing")
        for unknown in told.keys() - sections.keys():
            self._refuse(unknown, "", f"[{unknown}] is no section")
        made = {
            section: dict(self._things(section, told.get(section, {}), make))
            for section, make in sections.items()
        }
        rules = Rules(**made, digest=digest)
        self._hold_together(rules)
        return rules

    def _things(
        self, section: str, told: object, make: Callable[..., _Thing]
    ) -> Iterator[tuple[str, _Thing]]:
        if not isinstance(told, dict):
            self._refuse(section, "", f"[{section}] holds no entries")
        for name, entry in told.items():
            if not _ID.fullmatch(name) or not isinstance(entry, dict):
                self._refuse(section, name, f"{name!r} is no id with entries of its own")
            given = dict(entry)
            words = given.pop("words", None)
            good = isinstance(words, dict) and set(words) == set(LANGUAGES)
            if not good or not all(
                isinstance(one, str) and 0 < len(one.strip()) <= _MOST_WORDS
                for one in words.values()
            ):
                self._refuse(
                    section, name, f"`words` needs {', '.join(LANGUAGES)}, each a short text"
                )
            try:
                yield name, make(id=name, words=words, **given)
            except TypeError:
                self._refuse(section, name, "an unknown key")
            except ValueError as wrong:
                self._refuse(section, name, str(wrong))

    # --- one maker for each section; an unknown key is a TypeError, a wrong value a ValueError

    @staticmethod
    def _state(  # noqa: PLR0913  # the keys of a state
        *, id: str, words: dict[str, str], leads_to: object = (), asks: object = (),  # noqa: A002
        asks_if_known: object = (), needs: object = (), reporter: object = "", fast: object = False,
    ) -> State:  # fmt: skip
        return State(
            id, words, _texts("leads_to", leads_to), _among("asks", asks, FACTS),
            _among("asks_if_known", asks_if_known, FACTS), _among("needs", needs, NEEDS),
            _one("reporter", reporter, ("", *STATUSES)), _flag("fast", fast),
        )  # fmt: skip

    @staticmethod
    def _priority(*, id: str, words: dict[str, str], usual: object = False) -> Priority:  # noqa: A002
        return Priority(id, words, _flag("usual", usual))

    @staticmethod
    def _clock(**told: Any) -> Clock:  # noqa: ANN401  # `from` is a word of Python
        start, until = told.pop("from", ""), told.pop("until", ())
        days, only = told.pop("days", None), told.pop("only", "")
        priorities = told.pop("priority", ())
        name, words = told.pop("id"), told.pop("words")
        if told:
            raise TypeError
        if type(days) is not int or not 0 <= days <= _MOST_DAYS:
            raise ValueError(f"`days` is a number from 0 to {_MOST_DAYS}")
        return Clock(
            name, words, _text("from", start), _texts("until", until), days,
            _texts("priority", priorities),
            _one("only", only, ("", "identified", "anonymous")),
        )  # fmt: skip

    @staticmethod
    def _outcome(
        *, id: str, words: dict[str, str], person: object = False, ends: object = ""  # noqa: A002
    ) -> Outcome:  # fmt: skip
        return Outcome(id, words, _flag("person", person), _text("ends", ends))

    @staticmethod
    def _service(
        *, id: str, words: dict[str, str], bases: object = (), usual: object = False  # noqa: A002
    ) -> Service:  # fmt: skip
        return Service(id, words, _texts("bases", bases), _flag("usual", usual))

    @staticmethod
    def _answer(
        *, id: str, words: dict[str, str], text: object = None, status: object = ""  # noqa: A002
    ) -> ReadyAnswer:  # fmt: skip
        if not isinstance(text, dict) or not text or not set(text) <= set(REPORTERS):
            raise ValueError(f"`text` is by language: some of {', '.join(REPORTERS)}")
        for one in text.values():
            if not isinstance(one, str) or not 0 < len(one.strip()) <= _MOST_ANSWER:
                raise ValueError(f"`text` has at most {_MOST_ANSWER} characters")
        return ReadyAnswer(
            id, words, {code: one.strip() for code, one in text.items()},
            _one("status", status, ("", *STATUSES)),
        )  # fmt: skip

    # --- what one entry says of another

    def _hold_together(self, rules: Rules) -> None:
        for state in rules.states.values():
            self._exist("states", state.id, "leads_to", state.leads_to, rules.states)
            if "service" in (*state.asks, *state.asks_if_known) and not rules.services:
                self._refuse("states", state.id, "it asks for a service, and there is none")
        self._agree(rules)
        moments = {*rules.states, *MOMENTS, *(f"left:{name}" for name in rules.states)}
        for clock in rules.clocks.values():
            self._exist("clocks", clock.id, "from", (clock.start,), moments)
            self._exist("clocks", clock.id, "until", clock.until or ("",), moments)
            self._exist("clocks", clock.id, "priority", clock.priorities, rules.priorities)
        for outcome in rules.outcomes.values():
            self._exist("outcomes", outcome.id, "ends", (outcome.ends,), {"", *rules.outcomes})
        for service in rules.services.values():
            self._exist("services", service.id, "bases", service.bases, rules.bases)
            if not service.bases:
                self._refuse("services", service.id, "`bases` names no legal basis")
        if RECEIVED not in rules.states:
            self._refuse("states", "", f"[states.{RECEIVED}] is missing: every case begins there")
        usual = Counter(one.usual for one in rules.priorities.values())[True]
        if usual != 1:
            self._refuse("priorities", "", "one priority, and only one, is `usual = true`")

    def _agree(self, rules: Rules) -> None:
        """Two people agree on a service: who makes ready names it, as who transmits does."""
        for state in rules.states.values():
            for one in (rules.states[name] for name in state.leads_to):
                takes_two = "other_operator" in one.needs and "service" in one.asks
                if takes_two and not state.fast and "service" not in state.asks:
                    why = "which takes two operators: ask for the service here, too, or be `fast`"
                    self._refuse("states", state.id, f"`leads_to` names {one.id!r}, {why}")

    def _exist(
        self, section: str, name: str, key: str, given: tuple[str, ...],
        known: Mapping[str, object] | set[str],
    ) -> None:  # fmt: skip
        for one in given:
            if one not in known:
                self._refuse(section, name, f"`{key}` names {one!r}, which there is not")

    def _refuse(self, section: str, name: str, why: str) -> NoReturn:
        heading = f"[{section}.{name}]" if name else f"[{section}"
        lines = self.text.splitlines()
        at = next((n for n, line in enumerate(lines, 1) if line.strip().startswith(heading)), 0)
        place = f"{self.name}, line {at}, {heading}" if at and name else self.name
        raise RulesMalformed(f"{place}: {why}.") from None


def _texts(key: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"`{key}` is a list of texts")
    if len(set(given)) != len(given):
        raise ValueError(f"`{key}` names something twice")
    return tuple(given)


def _among(key: str, given: object, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = _texts(key, given)
    for one in chosen:
        if one not in known:
            raise ValueError(f"`{key}` knows {', '.join(known)}; not {one!r}")
    return chosen


def _one(key: str, given: object, known: tuple[str, ...]) -> str:
    if given not in known:
        raise ValueError(f"`{key}` is one of {', '.join(filter(None, known))}")
    return str(given)


def _text(key: str, given: object) -> str:
    if not isinstance(given, str):
        raise ValueError(f"`{key}` is a text")  # noqa: TRY004  # one way to say it
    return given


def _flag(key: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"`{key}` is true or false")  # noqa: TRY004  # one way to say it
    return given
