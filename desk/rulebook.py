"""The rules by which cases are worked, in words for whoever never saw the file.

Rule: what is said follows from the rules alone (desk.rules); ids stand beside their words, because
commands and journals name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.public_status import public_words
from desk.rules import RECEIVED
from desk.sentence import Counted, Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from desk.rules import Clock, Outcome, Rules, State, Thing

NEEDS = {
    "other_operator": "Four eyes: another operator than the one who made it ready.",
    "checked": "Anonymous: the seriousness check comes first.",
    "duplicate": "First link it with the case that it repeats.",
}
"""Who may, and when: the rules that a state names, as a case's page says them."""
FACTS = {
    "service": "a service and a legal basis",
    "basis": "a legal basis",
    "reason": "a reason",
    "instruction": "what was instructed",
    "court": "a court",
    "ref": "their reference",
    "text": "words",
    "day": "a day",
    "package": "the package",
}
"""What whoever sets a state must give, or can."""
MOMENTS = {
    "received": "the report comes",
    "answered": "the reporter is answered",
    "second_look": "somebody has looked a second time",
}
ONLY = {
    "identified": "Only where the reporter gave a name or a contact.",
    "anonymous": "Only where the report is anonymous.",
}


def of_state(rules: Rules, state: State) -> Iterator[Sentence]:
    """What is to be known of a state before it is set."""
    if state.id == RECEIVED:
        yield Sentence("Every case begins here.")
    if state.fast:
        yield Sentence(
            "The fast lane, for danger to life: whoever is alone may transmit from here at once, "
            "and another operator looks again afterwards."
        )
    if state.asks:
        yield Sentence("It asks for: {facts}.", facts=_facts(state.asks))
    if state.asks_if_known:
        yield Sentence("If known: {facts}.", facts=_facts(state.asks_if_known))
    for name in state.needs:
        yield Sentence(NEEDS[name])
    if state.reporter:
        status = Sentence(public_words(state.reporter))
        yield Sentence("The reporter’s page can say then: “{status}”.", status=status)
    if not any(state.id in one.leads_to for one in rules.states.values()) and state.id != RECEIVED:
        yield Sentence("No state leads here.")


def of_clock(rules: Rules, clock: Clock) -> Iterator[Sentence]:
    """When a clock begins and ends, how long it runs, and which cases it binds."""
    days = Counted(clock.days, "day") if clock.days else Sentence("the same day")
    yield Sentence(
        "From when {begin}, until {end}: {days}.",
        begin=_moment(rules, clock.start),
        end=Several("; ", (_moment(rules, one) for one in clock.until)),
        days=days,
    )
    if clock.priorities:
        names = Several(", ", clock.priorities)
        yield Sentence("Only for these priorities: {priorities}.", priorities=names)
    if clock.only:
        yield Sentence(ONLY[clock.only])


def of_outcome(rules: Rules, outcome: Outcome) -> Iterator[Sentence]:
    """Whom an event is about, and what it ends."""
    if outcome.person:
        yield Sentence("About a person.")
    else:
        yield Sentence("About the case.")
    if outcome.ends:
        ended = rules.outcomes[outcome.ends].said()
        yield Sentence("It ends an earlier “{outcome}” of the same person.", outcome=ended)


def lines(rules: Rules) -> Iterator[str]:
    """All of it for a terminal; what belongs to a thing stands below it, indented."""
    for state in rules.states.values():
        yield f"{state.id}: {state.said()}"
        yield f"    leads to: {', '.join(state.leads_to) or '-'}"
        yield from (f"    {line}" for line in of_state(rules, state))
    for clock in rules.clocks.values():
        yield f"clock {clock.id}: {clock.said()}"
        yield from (f"    {line}" for line in of_clock(rules, clock))
    for outcome in rules.outcomes.values():
        yield f"outcome {outcome.id}: {outcome.said()}"
        yield from (f"    {line}" for line in of_outcome(rules, outcome))
    for priority in rules.priorities.values():
        yield f"priority {priority.id}: {priority.said()}{' (usual)' if priority.usual else ''}"
    for kind in ("tags", "reasons", "instructions"):
        for thing in getattr(rules, kind).values():
            yield f"{kind[:-1]} {thing.id}: {thing.said()}"
    for ready in rules.answers.values():
        yield f"answer {ready.id}: {ready.said()} ({', '.join(ready.text)})"
    for service in rules.services.values():
        yield f"service {service.id}: {service.said()}"
        yield f"    {', '.join(service.bases)}"


def to_json(rules: Rules) -> dict[str, object]:
    """The stable shape of `rules --json`."""

    def plain(things: Iterable[Thing], *names: str) -> list[dict[str, object]]:
        return [
            {"id": one.id, "words": dict(one.words)} | {name: getattr(one, name) for name in names}
            for one in things
        ]

    return {
        "digest": rules.digest,
        "states": plain(
            rules.states.values(), "leads_to", "asks", "asks_if_known", "needs", "reporter", "fast"
        ),
        "priorities": plain(rules.priorities.values(), "usual"),
        "clocks": [
            row | {"from": row.pop("start")}
            for row in plain(rules.clocks.values(), "start", "until", "days", "priorities", "only")
        ],
        "outcomes": plain(rules.outcomes.values(), "person", "ends"),
        "services": plain(rules.services.values(), "bases"),
        **{
            name: plain(getattr(rules, name).values())
            for name in ("bases", "reasons", "instructions", "tags")
        },
        "answers": plain(rules.answers.values(), "text", "status"),
    }


def _facts(names: Iterable[str]) -> Several:
    return Several(", ", (Sentence(FACTS[name]) for name in names))


def _moment(rules: Rules, name: str) -> Sentence:
    if name in MOMENTS:
        return Sentence(MOMENTS[name])
    left = name.removeprefix("left:")
    state = rules.states[left].said()
    if left != name:
        return Sentence("the case leaves “{state}”", state=state)
    return Sentence("the case becomes “{state}”", state=state)
