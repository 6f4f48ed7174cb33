"""A case's work: what its signed acts make of it, in the order in which they knew of each other.

Rule: of two acts on one thing, the later one counts if its author had seen the earlier; if
neither had, both stand, and the case says that they contradict each other until somebody settles
it. An act that the rules did not allow still counts (its author signed it, and what was
transmitted is transmitted): it is named as irregular.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from desk import acts
from desk.four_eyes import NEED, Steps, alone, looked_again
from desk.reach import Reach
from desk.rules import RECEIVED, UNKNOWN
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crypto.ids import HeaderHash
    from crypto.strict_json import Json
    from desk.order import Node
    from desk.rules import Rules
    from desk.trust import Signer
    from desk.verify import Entry


class Why(NamedTuple):
    """One reason against an act: the rule's name, and the rule in words."""

    rule: str
    words: str


FOUR_EYES = NEED
"""The rule whose breach is an alarm: two people were meant to agree, and one did it alone."""

_TWO = Why(
    FOUR_EYES,
    Sentence(
        "four eyes: one operator makes it ready, for this service and on this basis, and another "
        "transmits it"
    ),
)
_OTHER = Why(FOUR_EYES, Sentence("four eyes: the second look is another operator's than the first"))
_NOTHING_SENT = Why(
    "second_look", Sentence("nothing was transmitted yet that could be looked at again")
)

_ONCE = Why("once", Sentence("a request opens an identity once"))


@dataclass(frozen=True, slots=True)
class Irregular:
    """An act that the rules did not allow when its author did it, and why."""

    entry: Entry
    why: tuple[Why, ...]

    def broke(self, rule: str) -> bool:
        """Whether this rule stood against it."""
        return any(one.rule == rule for one in self.why)


@dataclass(frozen=True, slots=True)
class Work:
    """The fold of a case's acts; `settled` has the newest act of each thing that acts set."""

    state: str = RECEIVED
    settled: Mapping[str, Entry] = field(default_factory=dict)
    conflicts: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """The acts on one thing that did not know of each other and say different things."""
    front: tuple[Entry, ...] = ()
    """Every state that nothing took the place of: several may say the same, each by one hand."""
    entries: tuple[Entry, ...] = ()
    """Every act of a known type and shape, in order."""
    irregular: tuple[Irregular, ...] = ()
    second_looks: tuple[Entry, ...] = ()
    """Those that count: of something that was sent, by another hand."""
    malformed: tuple[Entry, ...] = ()
    unknown_states: tuple[Entry, ...] = ()

    def data(self, register: str) -> Mapping[str, Json]:
        """What the newest act on a thing says; empty where nobody said anything."""
        entry = self.settled.get(register)
        return entry.body.data if entry else {}

    def word(self, register: str) -> str:
        """The one word that a priority, a category or an assignment is; or empty."""
        key = "operator" if register == acts.ASSIGNMENT else register
        return str(self.data(register).get(key, ""))

    @property
    def states(self) -> tuple[str, ...]:
        """The states that contradict each other, or none."""
        found = (str(one.body.data["state"]) for one in self.conflicts.get(acts.STATUS, ()))
        return tuple(dict.fromkeys(found))

    @property
    def tags(self) -> tuple[str, ...]:
        """The marks that are on."""
        of_tags = (self.data(name) for name in self.settled if name.startswith(f"{acts.TAG}:"))
        return tuple(sorted(str(one["tag"]) for one in of_tags if one["on"]))

    @property
    def links(self) -> Mapping[str, str]:
        """By the other case's id in hex: what the link says."""
        of_links = (self.data(name) for name in self.settled if name.startswith(f"{acts.LINK}:"))
        return {str(one["case"]): str(one["kind"]) for one in of_links}

    @property
    def outcomes(self) -> tuple[Entry, ...]:
        """What happened and was not taken back, in order."""
        return tuple(
            one
            for name, one in self.settled.items()
            if name.startswith(f"{acts.OUTCOME}:") and one.body.data["on"]
        )

    @property
    def quarantined(self) -> Mapping[str, Entry]:
        """By file id in hex: the act that closed it.  There is no act that opens it again."""
        return {
            str(one.body.data["file"]): one
            for one in reversed(self.entries)
            if one.body.type == acts.QUARANTINE
        }

    def of(self, kind: str) -> tuple[Entry, ...]:
        """Every act of one type, in order."""
        return tuple(one for one in self.entries if one.body.type == kind)


def fold(
    entries: Sequence[Entry], nodes: Mapping[HeaderHash, Node], rules: Rules, *, anonymous: bool
) -> Work:
    """Make a case's work of its proven entries; `entries` are parents first."""
    good: list[Entry] = []
    malformed: list[Entry] = []
    for one in entries:
        if one.body.type in acts.TYPES:
            shaped = acts.is_shaped(one.body.type, one.body.data)
            (good if shaped else malformed).append(one)
    by_register: dict[str, list[Entry]] = {}
    for one in good:
        by_register.setdefault(acts.register(one.body.type, one.body.data), []).append(one)
    by_register.pop("", None)
    reach = Reach(good, nodes)
    newest = {name: reach.newest(group) for name, group in by_register.items()}
    steps = by_register.get(acts.STATUS, [])
    last = newest.get(acts.STATUS, ())
    looks = [one for one in good if one.body.type == acts.SECOND_LOOK]
    odd_looks = tuple(_odd_looks(looks, steps, reach, rules))
    odd = {id(one.entry) for one in odd_looks}
    return Work(
        state=_known(last[-1], rules) if last else RECEIVED,
        settled={name: group[-1] for name, group in newest.items()},
        conflicts={name: group for name, group in newest.items() if _differ(group)},
        front=last,
        entries=tuple(good),
        irregular=(
            *_irregular(steps, reach, rules, anonymous=anonymous),
            *odd_looks,
            *_opened_again(good),
        ),
        second_looks=tuple(one for one in looks if id(one) not in odd),
        malformed=tuple(malformed),
        unknown_states=tuple(one for one in steps if _known(one, rules) == UNKNOWN),
    )


def why_not(  # noqa: PLR0913  # each is one thing that a rule can ask about
    rules: Rules, passed: Collection[str], newest: Sequence[Entry], data: Mapping[str, Json],
    signer: Signer, *, anonymous: bool, duplicate: bool,
) -> tuple[Why, ...]:  # fmt: skip
    """Why a state may not be set now; empty where it may.

    Args:
        rules: the institution's.
        passed: the states that the author knows of.
        newest: those of them that nothing takes the place of; several where their authors did not
            know of each other.
        data: what the act says.
        signer: whose act it is.
        anonymous: whether the reporter gave neither name nor contact.
        duplicate: whether a link says that the case repeats another.
    """
    name = str(data["state"])
    now = [str(one.body.data["state"]) for one in newest] or [RECEIVED]
    state = rules.states[name]
    leading = [rules.states[one] for one in now if one in rules.states]
    allowed = {target for one in leading for target in one.leads_to}
    if len(set(now)) > 1 or not leading:
        # Whoever settles a contradiction, or mends what no desk knows, may say what holds.
        allowed |= {*now, *(rules.states if not leading else ())}
    why = []
    if name not in allowed:
        targets = [rules.state(one) for one in sorted(allowed)] or [Sentence("nothing")]
        said = Sentence(
            "{now} does not lead to {state}; it leads to {targets}",
            now=rules.state(now[-1]), state=rules.state(name), targets=Several(", ", targets),
        )  # fmt: skip
        why.append(Why("leads_to", said))
    missing = [fact for fact in state.asks if fact not in data]
    if missing:
        facts = Several(", ", map(Sentence, missing))
        why.append(
            Why("asks", Sentence("{state} asks for: {facts}", state=rules.state(name), facts=facts))
        )
    if "checked" in state.needs and anonymous and "seriousness_check" not in passed:
        said = Sentence("an anonymous report passes the seriousness check first")
        why.append(Why("checked", said))
    if "duplicate" in state.needs and not duplicate:
        why.append(Why("duplicate", Sentence("no link says which case it repeats")))
    if name in allowed and alone(newest, data, signer, rules):
        why.append(_TWO)
    return tuple(why)


def _differ(group: Sequence[Entry]) -> bool:
    return len({repr(sorted(one.body.data.items())) for one in group}) > 1


def _known(entry: Entry, rules: Rules) -> str:
    """A state of ours, or `UNKNOWN`: an operator's own text never becomes a heading."""
    state = str(entry.body.data["state"])
    return state if state in rules.states else UNKNOWN


def _irregular(
    steps: Sequence[Entry], reach: Reach, rules: Rules, *, anonymous: bool
) -> Iterable[Irregular]:
    fronts, all_steps = reach.fronts(steps), Steps(steps, reach, rules)
    for step in steps:
        if _known(step, rules) == UNKNOWN:
            continue
        newest = fronts[step.node.hash]
        # Which links its author knew of is not asked again: a link may come in the same minute.
        why = why_not(
            rules, all_steps.passed(step), newest, step.body.data, step.signer,
            anonymous=anonymous, duplicate=True,
        )  # fmt: skip
        if _TWO not in why and all_steps.alone(step, newest):
            why = (*why, _TWO)
        if why:
            yield Irregular(step, why)


def _opened_again(entries: Iterable[Entry]) -> Iterable[Irregular]:
    """Every opening of an identity, by a request that had opened it already."""
    seen: set[tuple[bytes, str]] = set()
    for one in entries:
        if one.body.type == acts.IDENTITY_OPENED:
            name = one.signer.key.raw, str(one.body.data["request"])
            if name in seen:
                yield Irregular(one, (_ONCE,))
            seen.add(name)


def _odd_looks(
    looks: Iterable[Entry], steps: Sequence[Entry], reach: Reach, rules: Rules
) -> Iterable[Irregular]:
    for look in looks:
        is_after, is_other = looked_again(look, steps, reach, rules)
        if not is_after:
            yield Irregular(look, (_NOTHING_SENT,))
        elif not is_other:
            yield Irregular(look, (_OTHER,))
