"""How an operator's act reads in a case's journal.

Rule: ids that the rules name read as their words; whatever else an entry holds is another
person's text, and is shown as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk import acts, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crypto.strict_json import Json
    from desk.rules import Rules, Thing


def act(kind: str, data: Mapping[str, Json], rules: Rules) -> str:
    """What an entry says its author did, on one line; `text` has the words that belong to it."""
    if kind not in acts.TYPES or not acts.is_shaped(kind, data):
        return f"wrote an entry of the kind {words.cell(kind)}"
    return _TELLERS[kind](data, rules)


def text(kind: str, data: Mapping[str, Json]) -> str:
    """The free words of an act, which may be long; or empty."""
    if kind not in acts.TYPES or not acts.is_shaped(kind, data):
        return ""
    return str(data.get("text", ""))


def facts(data: Mapping[str, Json], rules: Rules) -> list[str]:
    """What a state was given, but for its free words: `Court: Rabat`."""
    named: dict[str, Mapping[str, Thing]] = {
        "service": rules.services, "basis": rules.bases, "reason": rules.reasons,
        "instruction": rules.instructions,
    }  # fmt: skip
    said = []
    for name, heading in _HEADINGS.items():
        if name in data:
            value = str(data[name])
            said.append(f"{heading}: {_name(named.get(name, {}), value)}")
    return said


_HEADINGS = {
    "service": "Service", "basis": "Basis", "reason": "Reason", "instruction": "Instruction",
    "court": "Court", "day": "Day", "ref": "Reference", "package": "Package",
}  # fmt: skip


def _name(known: Mapping[str, Thing], value: str) -> str:
    return known[value].said() if value in known else words.cell(value)


def _status(data: Mapping[str, Json], rules: Rules) -> str:
    told = facts(data, rules)
    more = f" ({'; '.join(told)})" if told else ""
    return f"set the state to {rules.state(str(data['state']))}{more}"


def _priority(data: Mapping[str, Json], rules: Rules) -> str:
    level = str(data["priority"])
    said = f" ({rules.priorities[level].said()})" if level in rules.priorities else ""
    return f"set the priority to {words.cell(level)}{said}"


def _category(data: Mapping[str, Json], _rules: Rules) -> str:
    return f"confirmed the category {words.label(str(data['category']))}"


def _assignment(data: Mapping[str, Json], _rules: Rules) -> str:
    whom = str(data["operator"])
    return f"gave the case to {words.cell(whom)}" if whom else "gave the case to nobody"


def _tag(data: Mapping[str, Json], rules: Rules) -> str:
    return f"{'marked' if data['on'] else 'unmarked'} it {_name(rules.tags, str(data['tag']))}"


def _link(data: Mapping[str, Json], _rules: Rules) -> str:
    other = str(data["case"])
    ref = f"{other[:4]}-{other[4:8]}"
    return {
        acts.DUPLICATE: f"said that it repeats {ref}",
        acts.RELATED: f"linked it with {ref}",
        acts.UNRELATED: f"compared it with {ref}: they do not belong together",
    }[str(data["kind"])]


def _outcome(data: Mapping[str, Json], rules: Rules) -> str:
    verb = "recorded" if data["on"] else "took back"
    whom = words.cell(str(data["label"])) if data["label"] else str(data["person"])
    about = f", {whom}" if whom else ""
    return f"{verb}: {_name(rules.outcomes, str(data['event']))}{about}, on {data['day']}"


def _quarantine(data: Mapping[str, Json], _rules: Rules) -> str:
    return (
        f"put file {str(data['file'])[:8]} in quarantine; custodian: "
        f"{words.cell(str(data['custodian']))}"
    )


def _identity_opened(data: Mapping[str, Json], _rules: Rules) -> str:
    custodians = data["custodians"]
    agreed = custodians if isinstance(custodians, list | tuple) else ()
    return (
        f"opened the identity on request {str(data['request'])[:8]}; agreed: "
        f"{', '.join(words.cell(str(one)) for one in agreed)}"
    )


def _identity_request(data: Mapping[str, Json], _rules: Rules) -> str:
    said = "asked the custodians for the identity"
    return f"{said}, request {str(data['request'])[:8]}" if "request" in data else said


def _redaction(data: Mapping[str, Json], _rules: Rules) -> str:
    if data["answer"]:
        return f"made a redacted copy of the answer {words.label(str(data['answer']))}"
    return f"made a redacted copy of file {str(data['file'])[:8]}"


def _plainly(said: str) -> Callable[[Mapping[str, Json], Rules], str]:
    return lambda _data, _rules: said


_TELLERS: dict[str, Callable[[Mapping[str, Json], Rules], str]] = {
    acts.STATUS: _status, acts.PRIORITY: _priority, acts.CATEGORY: _category,
    acts.ASSIGNMENT: _assignment, acts.TAG: _tag, acts.LINK: _link, acts.OUTCOME: _outcome,
    acts.QUARANTINE: _quarantine, acts.REDACTION: _redaction, acts.NOTE: _plainly("noted"),
    acts.SECOND_LOOK: _plainly("looked at it a second time"),
    acts.IDENTITY_REQUEST: _identity_request, acts.IDENTITY_OPENED: _identity_opened,
    acts.ERASURE: _plainly("asked that it be erased"),
}  # fmt: skip
