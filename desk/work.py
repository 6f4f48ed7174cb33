"""Do something to a case: an act that the rules allow, signed, sealed and appended.

Rule: what may be done is asked here, once, for the command line and for the pages; what is
refused says why, and nothing is written then.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

from crypto.ids import Day, date_of
from desk import acts
from desk.errors import ActRefused, StateUnknown
from desk.fold import why_not
from desk.four_eyes import other_hand
from desk.outbox import append
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.fold import Why
    from desk.rules import Rules
    from desk.trust import Signer

_FIRST_DAY = dt.date(1900, 1, 1)


def parse_state(untrusted: str, rules: Rules) -> str:
    """The state's id from what an operator typed: any case, spaces or dashes for underscores.

    Raises:
        StateUnknown: there is no such state; the message lists them.
    """
    name = untrusted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in rules.states:
        known = Several(", ", rules.states)
        raise StateUnknown(
            Sentence("No state is called that. The states are: {known}.", known=known)
        )
    return name


def set_state(desk: Desk, case: Case, untrusted_state: str, /, **facts: str) -> bool:
    """Set a case's state, with the facts that the state asks for; empty ones were not given.

    Returns:
        True when the server has it, False when it waits here for the next sync.

    Raises:
        StateUnknown: there is no such state.
        ActRefused: the rules do not allow it now, or a fact is not one.
    """
    state = parse_state(untrusted_state, desk.rules)
    data: dict[str, Json] = {"state": state}
    data |= {name: value for name, value in facts.items() if value}
    _require_facts(desk.rules, data)
    problems = allowed(desk, case, data)
    if problems:
        why = Several("; ", (one.words for one in problems), capital=True)
        raise ActRefused(Sentence("{why}. Nothing was written.", why=why))
    return append(desk, case, acts.STATUS, data)


def allowed(desk: Desk, case: Case, data: Mapping[str, Json]) -> tuple[Why, ...]:
    """Why this operator may not set this state now; empty where they may."""
    work = case.work
    return why_not(
        desk.rules,
        case.next_word.passed,
        case.next_word.front,
        data,
        myself(desk),
        anonymous=case.is_anonymous,
        duplicate=acts.DUPLICATE in work.links.values(),
    )


def myself(desk: Desk) -> Signer:
    """Who this desk's operator is, as the roster in force names them.

    Raises:
        ActRefused: the roster does not name this desk's signing key.
    """
    found = desk.trust.signer(
        desk.keyring.sign.public.kid, desk.trust.in_force(desk.today()).hash, desk.today()
    )
    if found is None:
        raise ActRefused("The roster in force does not name this desk as an operator's.")
    return found


def set_priority(desk: Desk, case: Case, priority: str) -> bool:
    """Say how soon a case must be looked at; returns as `set_state`, raises ActRefused."""
    return append(
        desk, case, acts.PRIORITY,
        {"priority": _known("priority", priority.strip().upper(), desk.rules.priorities)},
    )  # fmt: skip


def confirm_category(desk: Desk, case: Case, category: str) -> bool:
    """Say what a case is, whatever its reporter chose; raises ActRefused."""
    return append(
        desk, case, acts.CATEGORY, {"category": _known("category", category, acts.CATEGORIES)}
    )


def assign(desk: Desk, case: Case, operator: str) -> bool:
    """Give a case to an operator of the roster in force, or to nobody (`""`); raises ActRefused."""
    labels = operators(desk)
    return append(
        desk, case, acts.ASSIGNMENT,
        {"operator": _known("operator", operator.strip(), ("", *labels))},
    )  # fmt: skip


def operators(desk: Desk) -> tuple[str, ...]:
    """The labels of the operators in the roster in force."""
    return tuple(one.label for one in desk.trust.in_force(desk.today()).operators)


def write_note(desk: Desk, case: Case, text: str) -> bool:
    """Write something for the other operators; the reporter never reads it.  Raises ActRefused."""
    return append(desk, case, acts.NOTE, {"text": _text(text, "The note")})


def mark(desk: Desk, case: Case, tag: str, *, on: bool = True) -> bool:
    """Put one of the institution's marks on a case, or take it off; raises ActRefused."""
    return append(desk, case, acts.TAG, {"tag": _known("tag", tag, desk.rules.tags), "on": on})


def link(desk: Desk, case: Case, other: Case, kind: str) -> bool:
    """Say how this case and another belong together; raises ActRefused."""
    if other.id == case.id:
        raise ActRefused("A case cannot be linked to itself.")
    return append(
        desk, case, acts.LINK, {"case": other.id.hex(), "kind": _known("link", kind, acts.LINKS)}
    )


def record_outcome(  # noqa: PLR0913  # what an event is
    desk: Desk, case: Case, event: str, *, day: str, person: str = "", label: str = "",
    text: str = "", on: bool = True,
) -> bool:  # fmt: skip
    """Record that something happened, to a person or in the case; `on=False` takes it back.

    A person has a random id of 16 hex digits, which links their events in several cases; a new one
    is made where an event about a person is given none (`label` is what operators call them).

    Raises:
        ActRefused: the event or the day is none, the day has not come or is of another age, or a
            person was given where none belongs.
    """
    _known("outcome", event, desk.rules.outcomes)
    # What was recorded of such a day, by a desk that did not ask, can be taken back.
    if on:
        _require_past(day, desk.today())
    about_person = desk.rules.outcomes[event].person
    if person and not about_person:
        raise ActRefused("This outcome is about the case, and not about a person.")
    if about_person and not person:
        person = secrets.token_hex(8)
    data: dict[str, Json] = {
        "event": event, "person": person, "label": label.strip(), "day": day,
        "text": text.strip(), "on": on,
    }  # fmt: skip
    return append(desk, case, acts.OUTCOME, data)


def _require_past(day: str, today: Day) -> None:
    """A slip of one key puts an event where no figure of anybody's lifetime counts it."""
    try:
        happened = dt.date.fromisoformat(day)
    except ValueError:
        # No date at all, which is refused as whatever is not of the act's shape.
        return
    # Days are UTC's: east of it, what happened since midnight bears tomorrow's.
    if not _FIRST_DAY <= happened <= date_of(Day(today + 1)):
        raise ActRefused(
            Sentence(
                "This cannot have happened on {day}: that day has not come yet, or lies before "
                "{first}. Nothing was written.",
                day=day,
                first=str(_FIRST_DAY),
            )
        )


def look_again(desk: Desk, case: Case, text: str) -> bool:
    """Record the second look at what went through the fast lane.

    Raises:
        ActRefused: nothing was transmitted, or by this operator alone, or there are no words.
    """
    if not case.work.sendings:
        raise ActRefused(
            "Nothing was transmitted yet that could be looked at again. Nothing was written."
        )
    if not other_hand(case.work.sendings, myself(desk)):
        raise ActRefused("Four eyes: the second look is another operator's than the first.")
    return append(desk, case, acts.SECOND_LOOK, {"text": _text(text, "The second look")})


def ask_identity(desk: Desk, case: Case, text: str, request: str = "") -> bool:
    """Ask the custodians for the identity, with the reason; raises ActRefused.

    `request` is the id of the letter that asks them (desk.custody), where there is one.
    """
    named: dict[str, Json] = {"request": request} if request else {}
    return append(desk, case, acts.IDENTITY_REQUEST, {"text": _text(text, "The reason"), **named})


def ask_erasure(desk: Desk, case: Case, text: str) -> bool:
    """Ask that a case be erased, with the reason; raises ActRefused."""
    return append(desk, case, acts.ERASURE, {"text": _text(text, "The reason")})


def _require_facts(rules: Rules, data: Mapping[str, Json]) -> None:
    known = {
        "reason": rules.reasons, "instruction": rules.instructions, "service": rules.services,
    }  # fmt: skip
    state = rules.states[str(data["state"])]
    may = {*state.asks, *state.asks_if_known, *(("basis",) if "service" in state.asks else ())}
    for name in data.keys() - may - {"state"}:
        raise ActRefused(
            Sentence(
                "{state} takes no {fact}. Nothing was written.",
                state=state.said(),
                fact=Sentence(name),
            )
        )
    for name in acts.wrong_facts(data):
        raise ActRefused(
            Sentence("{fact} cannot be read so. Nothing was written.", fact=Sentence(name))
        )
    for name, choices in known.items():
        if name in data:
            _known(name, str(data[name]), choices)
    if "service" in data:
        _known("basis", str(data.get("basis", "")), rules.services[str(data["service"])].bases)


def _known(name: str, given: str, known: Iterable[str]) -> str:
    if given not in known:
        raise ActRefused(
            Sentence(
                "There is no such {thing}. It is one of: {choices}. Nothing was written.",
                thing=Sentence(name),
                choices=Several(", ", filter(None, known)),
            )
        )
    return given


def _text(given: str, what: str) -> str:
    said = given.replace("\r\n", "\n").strip()
    if not said:
        raise ActRefused(Sentence("{what} is empty. Nothing was written.", what=Sentence(what)))
    if len(said) > acts.TEXT_MOST:
        raise ActRefused(
            Sentence(
                "{what} has {count:,} characters, and {most:,} is the most. Nothing was written.",
                what=Sentence(what),
                count=len(said),
                most=acts.TEXT_MOST,
            )
        )
    return said
