"""What an operator's next word in a case names as its parents, and what it so knows of.

Rule: all that no operator's word names yet.  Where that is too much for one word, somebody may be
flooding the case: then the operator's own newest words come first, and after them one of each
author's by turns (the reporter is one of them), of each what stands first, its status before all
else.  So a flood pushes out its own author's words and nobody else's; what comes after names the
rest.  What the rules are asked of is what the word so knows of, and nothing else: every other desk
will judge it by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from desk import acts
from desk.order import HEADS_MOST, by_turns, heads
from desk.reach import Reach
from desk.verify import Entry, FollowUp, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import HeaderHash
    from crypto.keys import SigningPublicKey
    from desk.fold import Work
    from desk.order import Node

_REPORTER = b""


class NextWord(NamedTuple):
    """What an entry names, what an answer names, and the states that either knows of."""

    heads: tuple[HeaderHash, ...]
    answers_to: tuple[HeaderHash, ...]
    front: tuple[Entry, ...]
    """Those of the states that nothing took the place of."""
    passed: frozenset[str]


def next_word(
    timeline: Sequence[FollowUp | Reply | Entry],
    nodes: Mapping[HeaderHash, Node],
    work: Work,
    mine: SigningPublicKey,
) -> NextWord:
    """What the next word of the operator with this key names.

    An answer also names the answers that no other names: the reporter's page sees answers alone,
    and only through their own parents can it tell, of two of one day, which came last, when a
    message or an entry stands between them.
    """
    steps = work.of(acts.STATUS)
    free = heads(nodes.values())
    named = {parent for one in timeline if isinstance(one, Reply) for parent in one.node.parents}
    last = [one for one in timeline if isinstance(one, Reply) and one.node.hash not in named]
    answers_to = tuple(dict.fromkeys((*free, *(one.node.hash for one in last))))
    front = work.front
    if len(answers_to) > HEADS_MOST:
        reach = Reach(steps, nodes)
        fronts = [one for group in work.newest.values() for one in group]
        by_author = _Authors(timeline, nodes, reach, mine)
        answers_to = by_author.chosen((*fronts, *last), free)
        if len(free) > HEADS_MOST:
            free = tuple(sorted(by_author.chosen(fronts, free)))
            known = reach.known_to(free)
            steps = tuple(reach.acts(known))
            front = reach.newest(steps)
    return NextWord(
        free, answers_to, front, frozenset(str(one.body.data["state"]) for one in steps)
    )


class _Authors:
    """Who said what in a case."""

    def __init__(
        self,
        timeline: Sequence[FollowUp | Reply | Entry],
        nodes: Mapping[HeaderHash, Node],
        reach: Reach,
        mine: SigningPublicKey,
    ) -> None:
        self._nodes = nodes
        said = [one for one in timeline if not isinstance(one, FollowUp)]
        self._author = {one.node.hash: one.signer.key.raw for one in said}
        own = reach.newest([one for one in said if one.signer.key.raw == mine.raw])
        self._own = [one.node.hash for one in reversed(own)]

    def chosen(
        self, first: Iterable[Entry | Reply], free: Iterable[HeaderHash]
    ) -> tuple[HeaderHash, ...]:
        """As many names as one word bears."""
        queues: dict[bytes, list[HeaderHash]] = {}
        oldest = sorted(free, key=lambda name: (self._nodes[name].day, name))
        for name in (*(one.node.hash for one in first), *oldest):
            queues.setdefault(self._author.get(name, _REPORTER), []).append(name)
        return by_turns(self._own, queues.values(), HEADS_MOST)
