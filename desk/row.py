"""One case as lists, searches, figures and comparisons need it: its folded summary and its words.

Rule: a row is made from a `Case` and from nothing else; it lives in memory, and on the disk only
sealed (desk.index).  It is plain data and frozen: whoever needs more opens the case.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from crypto.ids import CaseId, Day
from desk import acts
from desk.alarms import Alarm, Sign
from desk.cases import REF_DIGITS, iso
from desk.clocks import Due, next_due
from desk.form_ids import CHOICES
from desk.room.fact import Fact, fact_of
from desk.text_folding import searchable
from desk.verify import FollowUp, Reply
from desk.words import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.rules import Rules

TEXT_MOST = 200_000
"""Characters of a case that are searched and compared; `Row.is_cut` tells where there are more."""

ACT_TEXT_MOST = 2_000
"""Characters of one text of an act that its row repeats; they are searched whole."""


class Act(NamedTuple):
    """An operator's act of a known type and shape (desk.acts), by whom and on which day."""

    kind: str
    day: Day
    by: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Row:
    """One case.  What `Case` has under the same name means the same here, but for the counts."""

    id: CaseId
    day: Day
    category: str
    """As an operator confirmed it, or else by the reporter's choice, which is `told_category`."""
    told_category: str
    identity_mode: str
    is_anonymous: bool
    """Whether nobody can be asked or called: no name and no contact was given."""
    language: str
    """Of the report: `ar`, `fr`, `en`, `zgh`; empty without a report."""
    state: str
    state_conflict: tuple[str, ...]
    priority: str
    assigned: str
    tags: tuple[str, ...]
    public_status: str
    danger: bool
    unanswered: bool
    withdrawn: bool
    readable: bool
    messages: int
    file_ids: tuple[str, ...]
    """The evidence that the report and the messages name, in hex."""
    asked_on: tuple[Day, ...]
    """The days of the reporter's messages after the report."""
    answered_on: tuple[Day, ...]
    """The days of the operators' answers."""
    alarms: tuple[Alarm, ...]
    clocks: tuple[Due, ...]
    due: Due | None
    """The clock that runs out first of those that still run."""
    acts: tuple[Act, ...]
    """Every act that counts or counted, in order; texts are cut to ACT_TEXT_MOST."""
    links: Mapping[str, str]
    """By the other case's id in hex: `duplicate`, `related` or `unrelated`."""
    fields: Mapping[str, Json] = field(repr=False)
    """The report's answers by field id, as they were typed or chosen."""
    told: tuple[str, ...] = field(repr=False)
    """What the reporter wrote since, message by message."""
    folded: str = field(repr=False)
    """Everything that a search looks at: all words of the case, folded (desk.text_folding)."""
    is_cut: bool
    """Whether the case has more text than is searched and compared here."""
    fact: Fact
    """What the figures of the command room count of it."""

    @property
    def ref(self) -> str:
        """The first eight hex digits, in two groups."""
        digits = self.id.hex()[:REF_DIGITS]
        return f"{digits[:4]}-{digits[4:]}"

    @property
    def files(self) -> int:
        """How many files the case names."""
        return len(self.file_ids)

    def passed(self, state: str) -> bool:
        """Whether the case ever was in a state that an operator set."""
        return any(one.kind == acts.STATUS and one.data["state"] == state for one in self.acts)

    def to_json(self) -> dict[str, object]:
        """One row of `list --json`; the shape is stable and described in `list --help`."""
        return {
            "case": self.id.hex(),
            "ref": self.ref,
            "day": iso(self.day),
            "category": self.category,
            "identity_mode": self.identity_mode,
            "withdrawn": self.withdrawn,
            "public_status": self.public_status,
            "danger": self.danger,
            "files": self.files,
            "messages": self.messages,
            "unanswered": self.unanswered,
            "state": self.state,
            "told_category": self.told_category,
            "priority": self.priority,
            "assigned": self.assigned,
            "tags": list(self.tags),
            "due": iso(self.due.due) if self.due else "",
            "due_for": self.due.clock.id if self.due else "",
            "readable": self.readable,
            "alarms": [alarm.to_json() for alarm in self.alarms],
        }


def row_of(case: Case, rules: Rules) -> Row:
    """Make a case's row; `rules` are those that the case was folded by."""
    told = tuple(one.body.text for one in case.follow_ups if one.body.text)
    kept, cut = _within(told)
    said, cut_too = _within(_words_of(case))
    return Row(
        id=case.id,
        day=case.day,
        category=case.category,
        told_category=case.told_category,
        identity_mode=case.identity_mode,
        is_anonymous=case.is_anonymous,
        language=case.report.language if case.report else "",
        state=case.state,
        state_conflict=case.state_conflict,
        priority=case.priority,
        assigned=case.assigned,
        tags=case.work.tags,
        public_status=case.public_status,
        danger=case.danger,
        unanswered=case.unanswered,
        withdrawn=bool(case.withdrawals),
        readable=case.readable,
        messages=len(case.messages),
        file_ids=tuple(one.ref.id.hex() for one in case.files),
        asked_on=tuple(one.node.day for one in case.follow_ups),
        answered_on=tuple(one.node.day for one in case.replies),
        alarms=case.alarms,
        clocks=case.clocks,
        due=case.due,
        acts=tuple(
            Act(one.body.type, one.node.day, one.signer.name, _shortened(one.body.data))
            for one in case.work.entries
        ),
        links=case.work.links,
        fields=case.fields,
        told=kept,
        folded=searchable((case.ref, *said)),
        is_cut=cut or cut_too,
        fact=fact_of(case, rules),
    )


def pack(row: Row) -> bytes:
    """A row as bytes, for `unpack` alone: a list, in the order of the fields."""
    return json.dumps(
        [
            row.id.hex(), row.day, row.category, row.told_category, row.identity_mode,
            row.is_anonymous, row.language, row.state, row.state_conflict, row.priority,
            row.assigned, row.tags, row.public_status, row.danger, row.unanswered,
            row.withdrawn, row.readable, row.messages, row.file_ids, row.asked_on, row.answered_on,
            [(one.sign, one.case, one.envelope) for one in row.alarms],
            [(one.clock.id, one.since, one.due, one.met) for one in row.clocks],
            row.acts, dict(row.links), dict(row.fields), row.told, row.folded, row.is_cut,
            row.fact.packed(),
        ],
        ensure_ascii=False, separators=(",", ":"),
    ).encode("utf-8", "surrogatepass")  # fmt: skip


def unpack(packed: bytes, rules: Rules) -> Row:
    """The row again, under the rules that it was made by."""
    untold: list[Any] = json.loads(packed.decode("utf-8", "surrogatepass"))
    (
        case, day, category, told_category, identity_mode, is_anonymous, language, state,
        state_conflict, priority, assigned, tags, public_status, danger, unanswered, withdrawn,
        readable, messages, file_ids, asked_on, answered_on, alarms, clocks, done, links,
        fields, told, folded, is_cut, fact,
    ) = untold  # fmt: skip
    ticking = tuple(Due(rules.clocks[name], since, due, met) for name, since, due, met in clocks)
    return Row(
        CaseId(bytes.fromhex(case)), day, category, told_category, identity_mode, is_anonymous,
        language, state, tuple(state_conflict), priority, assigned, tuple(tags), public_status,
        danger, unanswered, withdrawn, readable, messages, tuple(file_ids), tuple(asked_on),
        tuple(answered_on),
        tuple(Alarm(Sign(sign), where, envelope) for sign, where, envelope in alarms),
        ticking, next_due(ticking), tuple(Act(*one) for one in done), links, fields, tuple(told),
        folded, is_cut, Fact.unpacked(fact),
    )  # fmt: skip


def _words_of(case: Case) -> Iterable[str]:
    """Whatever somebody typed in a case: answers of the form, messages, answers, notes."""
    for report in case.origin.told:
        for name, value in report.manifest.fields.items():
            yield from _strings(value, chosen=name in CHOICES)
    for one in case.timeline:
        if isinstance(one, (FollowUp, Reply)):
            yield one.body.text
    for entry in case.work.entries:
        yield from (
            value
            for name, value in entry.body.data.items()
            if isinstance(value, str) and name not in _IDS
        )


def _strings(value: Json, *, chosen: bool) -> Iterable[str]:
    """What stands in an answer; where the form offers ids, the words that they read as."""
    if isinstance(value, str):
        yield label(value) if chosen else value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, chosen=name in CHOICES)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, chosen=chosen)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


_IDS = ("state", "priority", "category", "operator", "tag", "case", "kind", "person", "event",
        "file", "sha256", "package", "day")  # fmt: skip
"""What an act says in ids: filters ask for those, and not a search for words."""


def _within(texts: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """The texts up to TEXT_MOST characters in all, and whether there were more."""
    kept, left = [], TEXT_MOST
    for one in texts:
        kept.append(one[:left])
        if len(one) > left:
            return tuple(kept), True
        left -= len(one)
    return tuple(kept), False


def _shortened(data: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: value[:ACT_TEXT_MOST] if isinstance(value, str) else value
        for name, value in data.items()
    }
