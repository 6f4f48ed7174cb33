"""Which of a case's acts knew of which, for all of them at once.

Rule: a case of thousands of acts costs about as much as they are many: a colleague who floods one
does not stop the others' desks.  Sets of words are bits of whole numbers: in time that is little,
in memory a bit for each two words (fifty thousand of one chain: 700 MB).

A word that names what is not proven here is torn: what its author knew through that name, nobody
here can say.  What was torn is asked for before anybody is accused of what they did not know.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol, TypeVar

from desk.order import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import HeaderHash
    from desk.order import Node
    from desk.verify import Entry


class Word(Protocol):
    """What an operator signed: an answer, or an entry."""

    @property
    def node(self) -> Node:
        """Its place in the case."""
        ...


_W = TypeVar("_W", bound=Word)


class Reach:
    """A case's words, each with a bit of its own, and what every one of them knew of."""

    def __init__(self, acts: Sequence[Entry], nodes: Mapping[HeaderHash, Node]) -> None:
        """Walk the case once forth and once back; `nodes` are all of it, the acts' among them."""
        self._acts = list(acts)
        self._bits = {one.node.hash: 1 << number for number, one in enumerate(acts)}
        # What a reporter's message names, whoever acts after it need not have had (desk.order).
        self._words = [node for node in ordered(nodes.values()) if node.by_operator]
        self._before: dict[HeaderHash, int] = {}
        self._after: dict[HeaderHash, int] = {}
        self._torn = self._below_torn = 0
        for node in self._words:
            mine = self._bits.setdefault(node.hash, 1 << len(self._bits))
            before = 0
            for parent in node.parents:
                before |= self._before.get(parent, 0) | self._bits.get(parent, 0)
            self._before[node.hash] = before
            self._torn |= mine if any(parent not in nodes for parent in node.parents) else 0
            self._below_torn |= mine if (before | mine) & self._torn else 0
        for node in reversed(self._words):
            known = self._after.get(node.hash, 0) | self._bits.get(node.hash, 0)
            for parent in node.parents:
                self._after[parent] = self._after.get(parent, 0) | known

    def bits(self, some: Iterable[Word]) -> int:
        """These words, as bits."""
        found = 0
        for one in some:
            found |= self._bits[one.node.hash]
        return found

    def acts(self, bits: int) -> list[Entry]:
        """The acts of some bits, in order; other words are left out."""
        found = []
        bits &= (1 << len(self._acts)) - 1
        while bits:
            lowest = bits & -bits
            found.append(self._acts[lowest.bit_length() - 1])
            bits ^= lowest
        return found

    def before(self, one: Word) -> int:
        """What a word's author knew of."""
        return self._before.get(one.node.hash, 0)

    def after(self, one: Word) -> int:
        """What knew of a word."""
        return self._after.get(one.node.hash, 0)

    def known_to(self, names: Iterable[HeaderHash]) -> int:
        """What a word that named these would know of."""
        known = 0
        for name in names:
            known |= self._bits.get(name, 0) | self._before.get(name, 0)
        return known

    def is_whole(self, one: Word) -> bool:
        """Whether all that its author knew of is proven here."""
        return not self.bits([one]) & self._below_torn

    def whole(self, bits: int) -> int:
        """Those of some words whose authors' whole knowledge is proven here."""
        return bits & ~self._below_torn

    def is_sure(self, one: Word, front: Iterable[Word]) -> bool:
        """Whether nothing that is not proven here can stand beside the front that a word knew.

        What those who made the front knew of has given way to it, whatever it was.
        """
        torn = (self.bits([one]) | self.before(one)) & self._torn
        for other in front:
            if not torn:
                break
            torn &= ~(self.bits([other]) | self.before(other))
        return not torn

    def newest(self, some: Sequence[_W]) -> tuple[_W, ...]:
        """Those of some words that no other of them knew of."""
        overtaken = 0
        for one in some:
            overtaken |= self.before(one)
        return tuple(one for one in some if not self._bits[one.node.hash] & overtaken)

    def fronts(self, some: Sequence[Entry]) -> dict[HeaderHash, Sequence[Entry]]:
        """By each of some acts: the newest of them that it knew of, in order.

        They are what it knew of, without what those that it knew of had known of themselves; so
        nothing is put together anew for each word.  Acts of one front share one object.
        """
        wanted, names = self.bits(some), {one.node.hash for one in some}
        unread = Counter(parent for node in self._words for parent in node.parents)
        overtaken: dict[HeaderHash, int] = {}
        shared: dict[int, Sequence[Entry]] = {}
        fronts: dict[HeaderHash, Sequence[Entry]] = {}
        for node in self._words:
            gone = 0
            for parent in node.parents:
                gone |= overtaken.get(parent, 0)
                gone |= self._before.get(parent, 0) if parent in names else 0
                # Read for the last time: a long case keeps no more than what it still needs.
                unread[parent] -= 1
                if not unread[parent]:
                    overtaken.pop(parent, None)
            if unread[node.hash]:
                overtaken[node.hash] = gone
            if node.hash in names:
                front = self._before[node.hash] & wanted & ~gone
                if front not in shared:
                    shared[front] = tuple(self.acts(front))
                fronts[node.hash] = shared[front]
        return fronts
