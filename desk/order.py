"""Order what was said by what it answers, for there is no clock to be believed.

Rule: a message comes after everything it names as a parent; between messages that do
not know of each other the day decides, and then the hash, so that two desks that hold
the same envelopes show the same order.

Who knew of what is another question.  An operator's word names all that its author's desk held
and no operator's word there had named, so its author knew what it names, and what the authors of
the operators' words among that knew.  What a reporter's message names, whoever reads it need not
have had: a server can hold that back, and have it named all the same.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.ids import Day, HeaderHash

HEADS_MOST = 1000
"""Parents of one word at most: whoever floods a case does not keep operators from writing in it."""


@dataclass(frozen=True, slots=True)
class Node:
    """One signed thing: its header hash, its sealer's day, what it says it answers."""

    hash: HeaderHash
    day: Day
    parents: tuple[HeaderHash, ...]
    by_operator: bool = False
    """Whether it is an operator's word, and says what its author knew."""


def ordered(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Parents first; ties by day, then hash.

    A circle of parents cannot be made without breaking SHA-256; nodes that claim one
    anyway come last, by day and hash, so that nothing is lost.
    """
    by_hash = {node.hash: node for node in nodes}
    waiting = {
        node.hash: {parent for parent in node.parents if parent in by_hash} - {node.hash}
        for node in by_hash.values()
    }
    children: dict[HeaderHash, list[HeaderHash]] = {}
    for name, parents in waiting.items():
        for parent in parents:
            children.setdefault(parent, []).append(name)
    ready = [(node.day, node.hash) for node in by_hash.values() if not waiting[node.hash]]
    heapq.heapify(ready)
    result: list[Node] = []
    while ready:
        _, name = heapq.heappop(ready)
        result.append(by_hash.pop(name))
        for child in children.get(name, ()):
            waiting[child].discard(name)
            if not waiting[child] and child in by_hash:
                heapq.heappush(ready, (by_hash[child].day, child))
    return (*result, *sorted(by_hash.values(), key=lambda node: (node.day, node.hash)))


def heads(nodes: Iterable[Node]) -> tuple[HeaderHash, ...]:
    """All that no operator's word names yet; where that is too much for one: desk.next_word."""
    known = list(nodes)
    named = {parent for node in known if node.by_operator for parent in node.parents}
    return tuple(sorted(node.hash for node in known if node.hash not in named))


def by_turns(
    first: Iterable[HeaderHash], queues: Iterable[Iterable[HeaderHash]], most: int
) -> tuple[HeaderHash, ...]:
    """So many at most: those that come first, and then one of each queue, again and again."""
    chosen = dict.fromkeys(itertools.islice(first, most))
    turns = [iter(one) for one in queues]
    while turns and len(chosen) < most:
        left = []
        for queue in turns:
            name = next((one for one in queue if one not in chosen), None)
            if name is not None and len(chosen) < most:
                chosen[name] = None
                left.append(queue)
        turns = left
    return tuple(chosen)


def known_to(words: Iterable[HeaderHash], nodes: Mapping[HeaderHash, Node]) -> set[HeaderHash]:
    """Everything that the authors of some operators' words knew, those words left out."""
    seen: set[HeaderHash] = set()
    unseen = [parent for name in words if name in nodes for parent in nodes[name].parents]
    while unseen:
        name = unseen.pop()
        if name not in seen:
            seen.add(name)
            unseen += nodes[name].parents if name in nodes and nodes[name].by_operator else ()
    return seen
