"""Two people for what leaves the house: one makes it ready, another transmits it, or looks again.

Rule: judged by every act that this desk holds, and not by those alone that an act names as its
parents: a desk that was changed would leave out the one that speaks against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.rules import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desk.reach import Reach
    from desk.rules import Rules
    from desk.trust import Signer
    from desk.verify import Entry

NEED = "other_operator"
"""What a state of the institution's rules needs, where it takes two."""


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


class Steps:
    """Every state of a case on this desk, and who knew of whom."""

    def __init__(self, steps: Sequence[Entry], reach: Reach, rules: Rules) -> None:
        """Sort them once: by what they are, and by whose."""
        self._reach = reach
        self._rules = rules
        by_state: dict[str, list[Entry]] = {}
        by_hand: dict[object, list[Entry]] = {}
        for one in steps:
            by_state.setdefault(str(one.body.data["state"]), []).append(one)
            mine = one.signer.operator
            by_hand.setdefault((mine.number, mine.label, mine.sign), []).append(one)
        self._of_state = {name: reach.bits(group) for name, group in by_state.items()}
        self._of_hand = [(group[:1], reach.bits(group)) for group in by_hand.values()]

    def passed(self, step: Entry) -> set[str]:
        """The states that the author of one knew of."""
        known = self._reach.before(step)
        return {name for name, bits in self._of_state.items() if bits & known}

    def alone(self, step: Entry, newest: Sequence[Entry]) -> bool:
        """Whether one operator did what takes two; `newest` held then, as the author says."""
        if not sent([step], self._rules):
            return False
        target = str(step.body.data["state"])
        if self._left_out(step, target):
            return True
        if any(_state(one, self._rules).fast for one in newest):
            return False  # the fast lane: a second look comes afterwards
        leads = any(target in _state(one, self._rules).leads_to for one in newest)
        return same_hand(newest, step.signer) or not leads

    def _left_out(self, step: Entry, target: str) -> bool:
        """Whether its author has set a state that leads to it and does not say so.

        An honest desk names all that it holds, its own first of all.
        """
        leading = mine = 0
        for name, bits in self._of_state.items():
            state = self._rules.states.get(name)
            leading |= bits if state is not None and target in state.leads_to else 0
        for example, bits in self._of_hand:
            mine |= bits if same_hand(example, step.signer) else 0
        told = self._reach.before(step) | self._reach.after(step) | self._reach.bits([step])
        return bool(leading & mine & ~told)


def looked_again(
    look: Entry, steps: Sequence[Entry], reach: Reach, rules: Rules
) -> tuple[bool, bool]:
    """Of a second look: whether something had been sent, and whether by another hand."""
    before = reach.acts(reach.bits(sent(steps, rules)) & reach.before(look))
    return bool(before), not same_hand(before, look.signer)


def _state(entry: Entry, rules: Rules) -> State:
    """What the rules say of the state that an act set; of one they do not know, nothing."""
    name = str(entry.body.data["state"])
    return rules.states.get(name) or State(name, {})
