"""How an operator's act reads in a case's journal.

Rule: ids that the rules name read as their words; whatever else an entry holds is another
person's text, and is shown as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk import acts, words
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.rules import Rules, Thing
    from desk.verify import Entry


def act(kind: str, data: Mapping[str, Json], rules: Rules) -> str:
    """What an entry says its author did, on one line; `text` has the words that belong to it."""
    if kind not in acts.TYPES or not acts.is_shaped(kind, data):
        return Sentence("wrote an entry of the kind {kind}", kind=words.cell(kind))
    return _TELLERS[kind](data, rules)


def text(kind: str, data: Mapping[str, Json]) -> str:
    """The free words of an act, which may be long; or empty."""
    if kind not in acts.TYPES or not acts.is_shaped(kind, data):
        return ""
    return str(data.get("text", ""))


def contradictions(case: Case, rules: Rules) -> list[Sentence]:
    """What desks said without knowing of each other, and what the rules did not allow."""
    apart = [
        Sentence(
            "Apart from each other: {said}. Say it anew ({what}).",
            said=Several(" and ", (_done(one, rules) for one in several)),
            what=name,
        )
        for name, several in case.work.conflicts.items()
    ]
    against = [
        Sentence(
            "Against the rules: {said}: {why}.",
            said=_done(irregular.entry, rules),
            why=Several("; ", (one.words for one in irregular.why)),
        )
        for irregular in case.work.irregular
    ]
    untold = [
        Sentence(
            "Nobody here can tell whether the rules allowed this, because something that it "
            "answers is not on this machine or cannot be read: {said}: {why}.",
            said=_done(irregular.entry, rules),
            why=Several("; ", (one.words for one in irregular.why)),
        )
        for irregular in case.work.untold
    ]
    return [*apart, *against, *untold]


def _done(entry: Entry, rules: Rules) -> Sentence:
    """Who did what; what a stranger can write in it is plain."""
    told = act(entry.body.type, entry.body.data, rules)
    return Sentence("{who} {did}", who=words.plain(entry.signer.name), did=told)


def facts(data: Mapping[str, Json], rules: Rules) -> list[Sentence]:
    """What a state was given, but for its free words: `Court: Rabat`."""
    named: dict[str, Mapping[str, Thing]] = {
        "service": rules.services, "basis": rules.bases, "reason": rules.reasons,
        "instruction": rules.instructions,
    }  # fmt: skip
    said = []
    for name, pattern in _FACTS.items():
        if name in data:
            value = _name(named.get(name, {}), str(data[name]))
            said.append(Sentence(pattern, **{name: value}))
    return said


_FACTS = {
    "service": "Service: {service}", "basis": "Basis: {basis}", "reason": "Reason: {reason}",
    "instruction": "Instruction: {instruction}", "court": "Court: {court}", "day": "Day: {day}",
    "ref": "Reference: {ref}", "package": "Package: {package}",
}  # fmt: skip


def _name(known: Mapping[str, Thing], value: str) -> str:
    return known[value].said() if value in known else words.cell(value)


def _status(data: Mapping[str, Json], rules: Rules) -> str:
    told, state = facts(data, rules), rules.state(str(data["state"]))
    if told:
        return Sentence(
            "set the state to {state} ({facts})", state=state, facts=Several("; ", told)
        )
    return Sentence("set the state to {state}", state=state)


def _priority(data: Mapping[str, Json], rules: Rules) -> str:
    level = str(data["priority"])
    if level in rules.priorities:
        said = rules.priorities[level].said()
        return Sentence("set the priority to {level} ({said})", level=words.cell(level), said=said)
    return Sentence("set the priority to {level}", level=words.cell(level))


def _category(data: Mapping[str, Json], _rules: Rules) -> str:
    return Sentence(
        "confirmed the category {category}", category=words.label(str(data["category"]))
    )


def _assignment(data: Mapping[str, Json], _rules: Rules) -> str:
    whom = str(data["operator"])
    if not whom:
        return Sentence("gave the case to nobody")
    return Sentence("gave the case to {whom}", whom=words.cell(whom))


def _tag(data: Mapping[str, Json], rules: Rules) -> str:
    tag = _name(rules.tags, str(data["tag"]))
    return Sentence("marked it {tag}" if data["on"] else "unmarked it {tag}", tag=tag)


def _link(data: Mapping[str, Json], _rules: Rules) -> str:
    other = str(data["case"])
    ref = f"{other[:4]}-{other[4:8]}"
    return Sentence(_LINKS[str(data["kind"])], ref=ref)


_LINKS = {
    acts.DUPLICATE: "said that it repeats {ref}",
    acts.RELATED: "linked it with {ref}",
    acts.UNRELATED: "compared it with {ref}: they do not belong together",
}


def _outcome(data: Mapping[str, Json], rules: Rules) -> str:
    event, day = _name(rules.outcomes, str(data["event"])), str(data["day"])
    whom = words.cell(str(data["label"])) if data["label"] else str(data["person"])
    if whom:
        return Sentence(_OF_PERSONS[bool(data["on"])], event=event, whom=whom, day=day)
    return Sentence(_OF_CASES[bool(data["on"])], event=event, day=day)


_OF_PERSONS = {
    True: "recorded: {event}, {whom}, on {day}",
    False: "took back: {event}, {whom}, on {day}",
}
_OF_CASES = {True: "recorded: {event}, on {day}", False: "took back: {event}, on {day}"}


def _quarantine(data: Mapping[str, Json], _rules: Rules) -> str:
    return Sentence(
        "put file {file} in quarantine; custodian: {custodian}",
        file=str(data["file"])[:8], custodian=words.cell(str(data["custodian"])),
    )  # fmt: skip


def _identity_opened(data: Mapping[str, Json], _rules: Rules) -> str:
    custodians = data["custodians"]
    agreed = custodians if isinstance(custodians, list | tuple) else ()
    return Sentence(
        "opened the identity on request {request}; agreed: {custodians}",
        request=str(data["request"])[:8],
        custodians=Several(", ", (words.cell(str(one)) for one in agreed)),
    )


def _identity_request(data: Mapping[str, Json], _rules: Rules) -> str:
    if "request" not in data:
        return Sentence("asked the custodians for the identity")
    request = str(data["request"])[:8]
    return Sentence("asked the custodians for the identity, request {request}", request=request)


def _identity_refused(data: Mapping[str, Json], _rules: Rules) -> str:
    return Sentence(
        "filed that {custodian} refused request {request} on {day}",
        custodian=words.cell(str(data["custodian"])), request=str(data["request"])[:8],
        day=str(data["day"]),
    )  # fmt: skip


def _redaction(data: Mapping[str, Json], _rules: Rules) -> str:
    if message := acts.message_of(str(data["answer"])):
        return Sentence("made a redacted copy of message {message}", message=message[:8])
    if data["answer"]:
        answer = words.label(str(data["answer"]))
        return Sentence("made a redacted copy of the answer {answer}", answer=answer)
    return Sentence("made a redacted copy of file {file}", file=str(data["file"])[:8])


def _plainly(said: str) -> Callable[[Mapping[str, Json], Rules], str]:
    return lambda _data, _rules: Sentence(said)


_TELLERS: dict[str, Callable[[Mapping[str, Json], Rules], str]] = {
    acts.STATUS: _status, acts.PRIORITY: _priority, acts.CATEGORY: _category,
    acts.ASSIGNMENT: _assignment, acts.TAG: _tag, acts.LINK: _link, acts.OUTCOME: _outcome,
    acts.QUARANTINE: _quarantine, acts.REDACTION: _redaction, acts.NOTE: _plainly("noted"),
    acts.SECOND_LOOK: _plainly("looked at it a second time"),
    acts.IDENTITY_REQUEST: _identity_request, acts.IDENTITY_OPENED: _identity_opened,
    acts.IDENTITY_REFUSED: _identity_refused,
    acts.ERASURE: _plainly("asked that it be erased"),
}  # fmt: skip
