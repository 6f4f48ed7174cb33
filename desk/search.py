"""Find cases: words that must occur, phrases, and filters, over rows in memory.

Rule: what is searched for is an operator's secret as the cases are: it is compared in memory, and
never written down by the desk unless the operator saves it as a view of their own, sealed.

```
casablanca 0612345678        every word occurs in the case, however spelt (desk.text_folding)
"je vais le dire"            the words occur one after the other
state:triage tag:daesh       filters: FILTERS; a value of several words in quotes
state:ready,returned         one or the other
-tag:daesh -"spam"           not
mine                         as is:mine; in quotes it is a word
```
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk.cases import iso
from desk.errors import SearchRefused
from desk.sentence import Sentence, Several
from desk.text_folding import digits_of, folded
from desk.words import LABELS, label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crypto.ids import Day
    from desk.row import Row
    from desk.rules import Rules, Thing

_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
QUERY_MOST = 500
"""Characters of a search at most."""
TERMS_MOST = 40
WEEK = 7

Test = Callable[["Row"], bool]

# Every character is looked at once: a term ends at a space that no quote encloses.
_TERM = re.compile(
    r'(?P<no>-?)(?:(?P<key>[A-Za-z_]{2,12}):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))'
)
"""A minus, a filter's name, and a phrase or a word."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a search is asked on: by which rules, by whom, on which day."""

    rules: Rules
    me: str
    today: Day


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood: a row passes if it passes every test."""

    tests: tuple[Test, ...]

    def chosen(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that pass, in their order."""
        return [row for row in rows if all(test(row) for test in self.tests)]


def understood(untrusted: str, here: Here) -> Query:
    """Read what an operator typed.

    Raises:
        SearchRefused: too long, or a filter has a value that it does not know; the message lists
            those it knows.
    """
    if len(untrusted) > QUERY_MOST:
        raise SearchRefused(Sentence("A search has at most {most} characters.", most=QUERY_MOST))
    # Phones write quotes of their own.
    text = untrusted.translate(_QUOTES)
    terms = list(_TERM.finditer(text))
    if len(terms) > TERMS_MOST:
        raise SearchRefused(
            Sentence("A search has at most {most} words and filters.", most=TERMS_MOST)
        )
    tests = [_test(one, here) for one in terms]
    return Query(tuple(one for one in tests if one is not None))


_QUOTES = str.maketrans("“”„«»", '"' * 5)


def _test(term: re.Match[str], here: Here) -> Test | None:
    key, phrase, word = term["key"], term["phrase"], term["word"]
    said = phrase if word is None else word
    name = (key or "").lower()
    found: Test | None
    if word == "mine" and key is None:
        found = _is("mine", here)
    elif name in FILTERS:
        found = FILTERS[name](said, here)
    else:
        # An address is no filter: `https://…` is looked for as it stands.
        found = _occurs(said if key is None else f"{key}:{said}")
    if found is None or not term["no"]:
        return found
    return _not(found)


def _not(test: Test) -> Test:
    return lambda row: not test(row)


def _occurs(text: str) -> Test | None:
    wanted = folded(text)
    number = digits_of(wanted)
    if number and number != wanted:
        return lambda row: wanted in row.folded or number in row.folded
    return (lambda row: wanted in row.folded) if wanted else None


# --- filters


def _is(said: str, here: Here) -> Test:
    known: dict[str, Test] = {
        "mine": lambda row: row.assigned == here.me and bool(here.me),
        "unassigned": lambda row: not row.assigned,
        "open": lambda row: not is_closed(row, here.rules),
        "closed": lambda row: is_closed(row, here.rules),
        "danger": lambda row: row.danger,
        "urgent": lambda row: row.danger or row.priority == here.rules.urgent,
        "unanswered": lambda row: row.unanswered and row.readable,
        "withdrawn": lambda row: row.withdrawn,
        "anonymous": lambda row: row.identity_mode == "anonymous",
        "unchecked": lambda row: is_unchecked(row, here.rules),
        "alarmed": lambda row: bool(row.alarms),
        "conflict": lambda row: bool(row.state_conflict),
        "files": lambda row: bool(row.file_ids),
        "unreadable": lambda row: not row.readable,
    }
    return _any([known[_known("is", one, known)] for one in said.split(",")])


def _due(said: str, here: Here) -> Test:
    def by(days: int) -> Test:
        return lambda row: row.due is not None and row.due.due <= here.today + days

    known: dict[str, Test] = {
        "today": by(0),
        "overdue": by(-1),
        "week": by(WEEK),
        "none": lambda row: row.due is None,
    }
    return _any([known[_known("due", one, known)] for one in said.split(",")])


def _state(said: str, here: Here) -> Test:
    wanted = _ids("state", said, here.rules.states)
    return lambda row: row.state in wanted


def _priority(said: str, here: Here) -> Test:
    wanted = _ids("priority", said, here.rules.priorities)
    return lambda row: row.priority in wanted


def _tag(said: str, here: Here) -> Test:
    wanted = _ids("tag", said, here.rules.tags)
    return lambda row: not wanted.isdisjoint(row.tags)


def _category(said: str, _: Here) -> Test:
    by_words = {folded(label(one)): one for one in LABELS} | {folded(one): one for one in LABELS}
    wanted = {by_words.get(folded(one), one) for one in said.split(",")}
    return lambda row: row.category in wanted


def _assigned(said: str, _: Here) -> Test:
    wanted = {folded(one) for one in said.split(",")}
    return lambda row: folded(row.assigned) in wanted


def _who(said: str, _: Here) -> Test:
    known = {"anonymous": "anonymous", "contact": "contact_only", "name": "full_identity"}
    wanted = {known[_known("who", one, known)] for one in said.split(",")}
    return lambda row: row.identity_mode in wanted


def _language(said: str, _: Here) -> Test:
    wanted = {folded(one) for one in said.split(",")}
    return lambda row: row.language in wanted


def _day(said: str, _: Here) -> Test:
    """A day, a month or a year, by how it begins; or two days with `..` between them."""
    first, dots, last = said.partition("..")
    asked = (first, last) if dots else (first,)
    if not any(asked) or not all(_DAY.fullmatch(one) for one in asked if one):
        examples = Several(", ", ("day:2026", "day:2026-11", "day:2026-11-03..2026-11-15"))
        raise SearchRefused(
            Sentence("{said} is no day. A search knows {known}.", said=said, known=examples)
        )
    if dots:
        return lambda row: first <= iso(row.day) and (not last or iso(row.day)[: len(last)] <= last)
    return lambda row: iso(row.day).startswith(first)


def _ref(said: str, _: Here) -> Test:
    wanted = said.lower().replace("-", "")
    return lambda row: row.id.hex().startswith(wanted)


FILTERS: dict[str, Callable[[str, Here], Test]] = {
    "is": _is,
    "due": _due,
    "state": _state,
    "priority": _priority,
    "tag": _tag,
    "category": _category,
    "assigned": _assigned,
    "who": _who,
    "language": _language,
    "day": _day,
    "ref": _ref,
}


def is_closed(row: Row, rules: Rules) -> bool:
    """Whether nothing more is to be done: the rules tell the reporter so, or it repeats another.

    Where two desks contradict each other, a case is closed only if both say so.
    """
    found = [rules.states.get(name) for name in row.state_conflict or (row.state,)]
    return all(one and (one.reporter == "closed" or "duplicate" in one.needs) for one in found)


def is_unchecked(row: Row, rules: Rules) -> bool:
    """Whether an anonymous report has yet to pass the check that the rules ask for."""
    checked = row.passed("seriousness_check") and row.state != "seriousness_check"
    sent = any(
        row.passed(name) for name, state in rules.states.items() if "other_operator" in state.needs
    )
    return row.readable and row.is_anonymous and not (checked or sent or is_closed(row, rules))


def _any(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)


def _ids(name: str, said: str, things: Mapping[str, Thing]) -> set[str]:
    """The ids that several values mean: an id, or its words in any of our languages."""
    by_words = {folded(words): one.id for one in things.values() for words in one.words.values()}
    by_words |= {folded(one.replace("_", " ")): one for one in things}
    by_words |= {folded(one): one for one in things}
    return {by_words[_known(name, one, by_words, things)] for one in said.split(",")}


def _known(name: str, said: str, known: Collection[str], shown: Iterable[str] | None = None) -> str:
    wanted = folded(said)
    if wanted not in known:
        choices = Several(", ", shown or known)
        raise SearchRefused(
            Sentence("The filter `{name}:` knows: {choices}.", name=name, choices=choices)
        )
    return wanted
