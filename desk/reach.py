"""Which of a case's acts knew of which, for all of them at once.

Rule: a case of thousands of acts costs about as much as they are many: a colleague who floods one
does not stop the others' desks.  Sets of acts are bits of whole numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.order import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import HeaderHash
    from desk.order import Node
    from desk.verify import Entry


class Reach:
    """Some acts of a case, each with a bit of its own, and what every one of them knew of."""

    def __init__(self, acts: Sequence[Entry], nodes: Mapping[HeaderHash, Node]) -> None:
        """Walk the case once forth and once back; `nodes` are all of it, the acts' among them."""
        self._acts = list(acts)
        self._bits = {one.node.hash: 1 << number for number, one in enumerate(acts)}
        # What a reporter's message names, whoever acts after it need not have had (desk.order).
        self._words = [node for node in ordered(nodes.values()) if node.by_operator]
        self._before: dict[HeaderHash, int] = {}
        self._after: dict[HeaderHash, int] = {}
        for node in self._words:
            for parent in node.parents:
                known = self._before.get(parent, 0) | self._bits.get(parent, 0)
                self._before[node.hash] = self._before.get(node.hash, 0) | known
        for node in reversed(self._words):
            known = self._after.get(node.hash, 0) | self._bits.get(node.hash, 0)
            for parent in node.parents:
                self._after[parent] = self._after.get(parent, 0) | known

    def bits(self, some: Iterable[Entry]) -> int:
        """These acts, as bits."""
        found = 0
        for one in some:
            found |= self._bits[one.node.hash]
        return found

    def acts(self, bits: int) -> list[Entry]:
        """The acts of some bits, in order."""
        found = []
        while bits:
            lowest = bits & -bits
            found.append(self._acts[lowest.bit_length() - 1])
            bits ^= lowest
        return found

    def before(self, one: Entry) -> int:
        """What an act knew of."""
        return self._before.get(one.node.hash, 0)

    def after(self, one: Entry) -> int:
        """What knew of an act."""
        return self._after.get(one.node.hash, 0)

    def newest(self, some: Sequence[Entry]) -> tuple[Entry, ...]:
        """Those of some acts that no other of them knew of."""
        overtaken = 0
        for one in some:
            overtaken |= self.before(one)
        return tuple(one for one in some if not self._bits[one.node.hash] & overtaken)

    def fronts(self, some: Sequence[Entry]) -> dict[HeaderHash, list[Entry]]:
        """By each of some acts: the newest of them that it knew of."""
        wanted = {one.node.hash: one for one in some}
        fronts: dict[HeaderHash, dict[HeaderHash, Entry]] = {}
        for node in self._words:
            front: dict[HeaderHash, Entry] = {}
            for parent in node.parents:
                mine = wanted.get(parent)
                front |= {parent: mine} if mine is not None else fronts.get(parent, {})
            if len(front) > 1:
                front = {one.node.hash: one for one in self.newest(list(front.values()))}
            fronts[node.hash] = front
        return {name: list(fronts[name].values()) for name in wanted}
