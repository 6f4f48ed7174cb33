"""Two people for what leaves the house: one makes it ready, another transmits it, or looks again.

Rule: behind what one operator transmits stands an act of another that nothing took the place of
and that names this very service and basis.  The desk that writes and every desk that reads ask
that of the same acts (`behind`), so that nobody is let through and then accused.  It is judged by
every word that a desk holds, and not by those alone that an act names as its parents: a desk that
was changed would leave out the one that speaks against it.  An honest desk names all that its own
key signed before, so of two words of one key one knows of the other.  Where what an act answers is
not proven here, nobody is accused, and it is said that it cannot be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.rules import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import HeaderHash
    from crypto.strict_json import Json
    from desk.reach import Reach, Word
    from desk.rules import Rules
    from desk.trust import Signer
    from desk.verify import Entry, Reply

NEED = "other_operator"
"""What a state of the institution's rules needs, where it takes two."""

CHECK = "seriousness_check"
"""The state that an anonymous report passes first, where the rules ask for that."""
_OTHER = ""
"""What all states are called together that the rules do not know, and that nothing asks for: a
colleague can invent as many as they set.  No state of the rules has this name."""
_AGREED = ("service", "basis")
"""What two people agree on, where a state asks for a service."""


def same_hand(entries: Iterable[Entry], signer: Signer) -> bool:
    """Whether one of these is this operator's, by number, label or key."""
    mine = signer.operator
    return any(
        mine.number == one.signer.operator.number
        or mine.label == one.signer.operator.label
        or mine.sign == one.signer.operator.sign
        for one in entries
    )


def sent(steps: Iterable[Entry], rules: Rules) -> list[Entry]:
    """Those of a case's states that take two people."""
    return [one for one in steps if NEED in _state(one, rules).needs]


def behind(
    newest: Iterable[Entry], data: Mapping[str, Json], signer: Signer, rules: Rules
) -> list[Entry]:
    """The acts of others that let this operator do what takes two.

    Whether the operator made it ready too takes nothing away from them: where two pressed it
    before either saw the other's, either may transmit it, and two have agreed.

    Args:
        newest: the states that nothing takes the place of, as the operator knows them: all.
        data: what the act says that takes two.
        signer: whose act it is.
        rules: the institution's.
    """
    name = str(data["state"])
    state = rules.states.get(name)
    asked = _AGREED if state is not None and _AGREED[0] in state.asks else ()
    return [
        one
        for one in newest
        if name in _state(one, rules).leads_to
        and all(one.body.data.get(fact) == data.get(fact) for fact in asked)
        and not same_hand([one], signer)
    ]


def alone(newest: Sequence[Entry], data: Mapping[str, Json], signer: Signer, rules: Rules) -> bool:
    """Whether one operator would do what takes two; the arguments are those of `behind`."""
    state = rules.states.get(str(data["state"]))
    if state is None or NEED not in state.needs:
        return False
    if any(_state(one, rules).fast for one in newest):
        return False  # the fast lane: a second look comes afterwards
    return not behind(newest, data, signer, rules)


class Steps:
    """Every state of a case on this desk, and who knew of whom."""

    def __init__(
        self, steps: Sequence[Entry], said: Iterable[Entry | Reply], reach: Reach, rules: Rules
    ) -> None:
        """Sort them once: by what they are, and by whose.  `said` are all words of operators."""
        self._reach = reach
        self._rules = rules
        by_state: dict[str, list[Entry]] = {}
        by_hand: dict[object, list[Entry]] = {}
        for one in steps:
            name = str(one.body.data["state"])
            known = name if name in rules.states or name == CHECK else _OTHER
            by_state.setdefault(known, []).append(one)
            mine = one.signer.operator
            by_hand.setdefault((mine.number, mine.label, mine.sign), []).append(one)
        self._of_state = {name: reach.bits(group) for name, group in by_state.items()}
        self._of_hand = [(group[:1], reach.bits(group)) for group in by_hand.values()]
        by_key: dict[bytes, list[Word]] = {}
        for word in said:
            by_key.setdefault(word.signer.key.raw, []).append(word)
        self._of_key = {name: reach.bits(group) for name, group in by_key.items()}

    def passed(self, step: Entry) -> set[str]:
        """The states that the author of one knew of; what nobody asks for has one name."""
        known = self._reach.before(step)
        return {name for name, bits in self._of_state.items() if bits & known}

    def alone(self, step: Entry, newest: Sequence[Entry]) -> bool | None:
        """Whether one operator did what takes two; None where that cannot be told here.

        `newest` are the states that held then, as the author says.
        """
        if not sent([step], self._rules):
            return False
        data = step.body.data
        hidden = self._left_out(step, str(data["state"]))
        is_sure = self._reach.is_sure(step, newest)
        if self._reach.is_whole(step) and self._reach.whole(hidden):
            return True
        if is_sure and alone(newest, data, step.signer, self._rules):
            return True
        return None if hidden or not is_sure else False

    def _left_out(self, step: Entry, target: str) -> int:
        """The words of its author that it does not say it knew, and that did not know of it.

        Of their other keys, for whoever has another by now: the states alone that lead to it.  What
        an earlier key said, a server may have kept from the desk that has the new one.
        """
        leading = mine = 0
        for name, bits in self._of_state.items():
            state = self._rules.states.get(name)
            leading |= bits if state is not None and target in state.leads_to else 0
        for example, bits in self._of_hand:
            mine |= bits if same_hand(example, step.signer) else 0
        told = self._reach.before(step) | self._reach.after(step) | self._reach.bits([step])
        return (leading & mine | self._of_key.get(step.signer.key.raw, 0)) & ~told


def looked_for(
    steps: Iterable[Entry], fronts: Mapping[HeaderHash, Sequence[Entry]], rules: Rules
) -> list[Entry]:
    """What a second look is at: what was sent by one hand, out of the fast lane."""
    return [
        one
        for one in sent(steps, rules)
        if any(_state(before, rules).fast for before in fronts[one.node.hash])
    ]


def other_hand(sendings: Iterable[Entry], signer: Signer) -> bool:
    """Whether one of these may have its second look by this operator: it is another's."""
    return any(not same_hand([one], signer) for one in sendings)


def _state(entry: Entry, rules: Rules) -> State:
    """What the rules say of the state that an act set; of one they do not know, nothing."""
    name = str(entry.body.data["state"])
    return rules.states.get(name) or State(name, {})
