"""A case's work: what its signed acts make of it, in the order in which they knew of each other.

Rule: of two acts on one thing, the later one counts if its author had seen the earlier; if
neither had, both stand, and the case says that they contradict each other until somebody settles
it. An act that the rules did not allow still counts (its author signed it, and what was
transmitted is transmitted): it is named as irregular, once all that it answers is proven here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from desk import acts
from desk.four_eyes import CHECK, NEED, Steps, alone, looked_for, other_hand, sent
from desk.reach import Reach
from desk.rules import RECEIVED, UNKNOWN
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from crypto.ids import HeaderHash
    from crypto.strict_json import Json
    from desk.order import Node
    from desk.rules import Rules
    from desk.trust import Signer
    from desk.verify import Entry, Reply


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
    newest: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """The same for each thing that acts set, the state first."""
    irregular: tuple[Irregular, ...] = ()
    untold: tuple[Irregular, ...] = ()
    """The acts of which nobody here can say whether the rules allowed them, and which rules."""
    sendings: tuple[Entry, ...] = ()
    """What a second look is at."""
    second_looks: tuple[Entry, ...] = ()
    """Those that count: of what was sent last, by another hand."""
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
    entries: Sequence[Entry], nodes: Mapping[HeaderHash, Node], rules: Rules, *, anonymous: bool,
    replies: Sequence[Reply] = (),
) -> Work:  # fmt: skip
    """Make a case's work of its proven entries; `entries` are parents first.

    What a word names and `nodes` do not have is missing; they also have what is here and is no
    operator's word.
    """
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
    steps = by_register.pop(acts.STATUS, [])
    newest = {acts.STATUS: reach.newest(steps)} if steps else {}
    newest |= {name: reach.newest(group) for name, group in by_register.items()}
    last = newest.get(acts.STATUS, ())
    fronts = reach.fronts(steps)
    judged = _Judged(fronts, Steps(steps, [*entries, *replies], reach, rules), reach, rules)
    judged.states(steps, anonymous=anonymous)
    looks = [one for one in good if one.body.type == acts.SECOND_LOOK]
    all_sent, by_one = sent(steps, rules), looked_for(steps, fronts, rules)
    second_looks = tuple(judged.looks(looks, all_sent, by_one))
    return Work(
        state=_known(last[-1], rules) if last else RECEIVED,
        settled={name: group[-1] for name, group in newest.items()},
        conflicts={name: group for name, group in newest.items() if _differ(group)},
        front=last,
        newest=newest,
        entries=tuple(good),
        irregular=(*judged.irregular, *_opened_again(good)),
        untold=tuple(judged.untold),
        sendings=tuple(by_one or all_sent),
        second_looks=second_looks,
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
    if name not in rules.states:
        said = Sentence("this desk's rules know no state {state}", state=name)
        return (Why("leads_to", said),)
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
    if "checked" in state.needs and anonymous and CHECK not in passed:
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


class _Judged:
    """What of a case's acts was against the rules, and of what that cannot be told."""

    def __init__(
        self, fronts: Mapping[HeaderHash, Sequence[Entry]], steps: Steps, reach: Reach, rules: Rules
    ) -> None:
        self._fronts, self._steps, self._reach, self._rules = fronts, steps, reach, rules
        self.irregular: list[Irregular] = []
        self.untold: list[Irregular] = []

    def states(self, steps: Iterable[Entry], *, anonymous: bool) -> None:
        """Judge every state that the rules know."""
        for step in steps:
            if _known(step, self._rules) != UNKNOWN:
                self._state(step, anonymous=anonymous)

    def _state(self, step: Entry, *, anonymous: bool) -> None:
        newest = self._fronts[step.node.hash]
        # Which links its author knew of is not asked again: a link may come in the same minute.
        why = why_not(
            self._rules, self._steps.passed(step), newest, step.body.data, step.signer,
            anonymous=anonymous, duplicate=True,
        )  # fmt: skip
        alone = self._steps.alone(step, newest)
        if (alone or alone is None) and _TWO not in why:
            why = (*why, _TWO)
        open_ = set() if self._reach.is_whole(step) else {"checked"}
        open_ |= set() if self._reach.is_sure(step, newest) else {"leads_to"}
        open_ |= {FOUR_EYES} if alone is None else set()
        self._keep(step, why, open_)

    def _keep(self, one: Entry, why: Iterable[Why], open_: Collection[str]) -> None:
        against = tuple(rule for rule in why if rule.rule not in open_)
        unsaid = tuple(rule for rule in why if rule.rule in open_)
        if against:
            self.irregular.append(Irregular(one, against))
        if unsaid:
            self.untold.append(Irregular(one, unsaid))

    def looks(
        self, looks: Iterable[Entry], sent: Iterable[Entry], by_one: Iterable[Entry]
    ) -> Iterator[Entry]:
        """Judge every second look; yields those that count."""
        reach, all_sent, alone_sent = self._reach, self._reach.bits(sent), self._reach.bits(by_one)
        for look in looks:
            known = reach.before(look)
            before = reach.acts(alone_sent & known) or reach.acts(all_sent & known)
            if other_hand(before, look.signer):
                if other_hand(reach.newest(before), look.signer):
                    yield look
                continue
            open_ = () if reach.is_whole(look) else ("second_look", FOUR_EYES)
            self._keep(look, [_OTHER if before else _NOTHING_SENT], open_)


def _opened_again(entries: Iterable[Entry]) -> Iterable[Irregular]:
    """Every opening of an identity, by a request that had opened it already."""
    seen: set[tuple[bytes, str]] = set()
    for one in entries:
        if one.body.type == acts.IDENTITY_OPENED:
            name = one.signer.key.raw, str(one.body.data["request"])
            if name in seen:
                yield Irregular(one, (_ONCE,))
            seen.add(name)
