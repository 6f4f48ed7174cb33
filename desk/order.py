"""Order what was said by what it answers, for there is no clock to be believed.

Rule: a message comes after everything it names as a parent; between messages that do
not know of each other the day decides, and then the hash, so that two desks that hold
the same envelopes show the same order.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.ids import Day, HeaderHash


@dataclass(frozen=True, slots=True)
class Node:
    """One signed thing: its header hash, its sealer's day, what it says it answers."""

    hash: HeaderHash
    day: Day
    parents: tuple[HeaderHash, ...]


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
    """The hashes that nothing answers yet: what the next thing said will name as parents."""
    known = list(nodes)
    answered = {parent for node in known for parent in node.parents}
    return tuple(sorted(node.hash for node in known if node.hash not in answered))


def ancestors(of: Iterable[HeaderHash], nodes: Mapping[HeaderHash, Node]) -> set[HeaderHash]:
    """Everything that `of` answers, directly or through others, itself left out."""
    seen: set[HeaderHash] = set()
    unseen = [parent for name in of if name in nodes for parent in nodes[name].parents]
    while unseen:
        name = unseen.pop()
        if name not in seen:
            seen.add(name)
            unseen += nodes[name].parents if name in nodes else ()
    return seen
