"""The acts that a case's page offers, and what becomes of their forms.

Rule: a page asks desk.work and decides nothing: what it offers is what the rules allow now, and
what is refused comes back with its reason and with what was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.ids import Day
from desk import acts, work
from desk.cases import Cases, iso
from desk.errors import ActRefused, DeskError
from desk.rules import FACTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desk.cases import Case
    from desk.desk import Desk
    from desk.rules import State

LINK_KINDS = {
    acts.RELATED: "They belong together",
    acts.DUPLICATE: "This one repeats that one",
    acts.UNRELATED: "Compared: they do not",
}
"""How two cases belong together, as the form of a link asks it."""
LINK_ANSWERS = {
    acts.RELATED: "Yes: link them",
    acts.DUPLICATE: "This one repeats that one",
    acts.UNRELATED: "No: do not show it again",
}
"""The same, as answers to whether a case that resembles this one belongs to it."""


def offered(desk: Desk, case: Case) -> dict[str, object]:
    """What the page shows to choose from, and the clocks."""
    try:
        colleagues = work.operators(desk)
    except DeskError:
        # Without a roster in force nothing can be sealed; the page still reads.
        colleagues = ()
    today = desk.today()
    return {
        "next_states": _next_states(desk, case),
        "colleagues": colleagues,
        "categories": acts.CATEGORIES,
        "link_kinds": LINK_KINDS,
        "link_answers": LINK_ANSWERS,
        "today": iso(today),
        "latest": iso(Day(today + 1)),
        "clocks": [(one, one.verdict(today)) for one in case.clocks],
        "persons": _persons(case),
        "linked": [(other, kind) for other, kind in sorted(case.work.links.items())],
    }


def do(desk: Desk, case: Case, kind: str, form: Mapping[str, str]) -> bool:
    """Do what a form says.

    Raises:
        ActRefused, StateUnknown, NoSuchCase, AmbiguousCase: it cannot be done; nothing was written.
    """
    if kind not in _DOERS:
        raise ActRefused("There is no such act. Nothing was written.")
    return _DOERS[kind](desk, case, form)


def _next_states(desk: Desk, case: Case) -> list[State]:
    """The states that can follow; of those that contradict each other, each again."""
    now = case.state_conflict or (case.state,)
    known = [desk.rules.states[one] for one in now if one in desk.rules.states]
    names = [*(now if len(now) > 1 else ()), *(name for one in known for name in one.leads_to)]
    if not known:
        names = list(desk.rules.states)
    states = desk.rules.states
    return [states[name] for name in dict.fromkeys(names) if name in states]


def _persons(case: Case) -> dict[str, str]:
    """The persons of a case, by id: what operators call them."""
    return {
        str(one.body.data["person"]): str(one.body.data["label"] or one.body.data["person"])
        for one in case.work.of(acts.OUTCOME)
        if one.body.data["person"]
    }


def _status(desk: Desk, case: Case, form: Mapping[str, str]) -> bool:
    facts = {name: form.get(name, "").strip() for name in FACTS}
    service, _, basis = form.get("service", "").partition("/")
    return work.set_state(
        desk, case, form.get("state", ""), **(facts | {"service": service, "basis": basis})
    )


def _outcome(desk: Desk, case: Case, form: Mapping[str, str]) -> bool:
    return work.record_outcome(
        desk, case, form.get("event", ""), day=form.get("day", ""), person=form.get("person", ""),
        label=form.get("label", ""), text=form.get("text", ""),
    )  # fmt: skip


def _link(desk: Desk, case: Case, form: Mapping[str, str]) -> bool:
    return work.link(desk, case, Cases(desk).find(form.get("case", "")), form.get("kind", ""))


_DOERS: dict[str, Callable[[Desk, Case, Mapping[str, str]], bool]] = {
    acts.STATUS: _status,
    acts.PRIORITY: lambda desk, case, form: work.set_priority(desk, case, form.get("priority", "")),
    acts.CATEGORY: lambda desk, case, form: work.confirm_category(
        desk, case, form.get("category", "")
    ),
    acts.ASSIGNMENT: lambda desk, case, form: work.assign(desk, case, form.get("operator", "")),
    acts.NOTE: lambda desk, case, form: work.write_note(desk, case, form.get("text", "")),
    acts.TAG: lambda desk, case, form: work.mark(
        desk, case, form.get("tag", ""), on=form.get("on") != "no"
    ),
    acts.LINK: _link,
    acts.OUTCOME: _outcome,
    acts.SECOND_LOOK: lambda desk, case, form: work.look_again(desk, case, form.get("text", "")),
    acts.IDENTITY_REQUEST: lambda desk, case, form: work.ask_identity(
        desk, case, form.get("text", "")
    ),
    acts.ERASURE: lambda desk, case, form: work.ask_erasure(desk, case, form.get("text", "")),
}
