"""Take the envelopes in which one operator sealed the same words for one word.

Rule: what waited is sealed anew for another day or roster, and the server may have had it already
and have said that it had not; whenever it shows what it kept for itself, nothing changes.  The id
that the words bear is their author's: it says nothing about another's.  The last envelope stands
for all of them, and whoever names one names that.

Those are one word that name the same words as parents, each word counted once; one that names
something that nobody here can prove may name less besides (crypto/FORMAT.md, section 8).  So nobody
changes afterwards what an act of theirs knew.  Every word is made of its parents, which were made
before it: no circle of words can come of it, whatever was signed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import FollowUpBody, ReplyBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crypto.ids import HeaderHash
    from desk.store import Envelope
    from desk.verify import Entry, FollowUp, Genuine, Reply

    Said: TypeAlias = FollowUp | Reply | Entry

_Said = TypeVar("_Said", "FollowUp", "Reply", "Entry")
_BY_OPERATORS = (Kind.ENTRY, Kind.REPLY)
_WORDS_MOST = 8
"""Words of one id at most that one is compared with; an honest id has one."""


@dataclass(slots=True)
class _Word:
    """One word: its envelopes, the first of which says what it answers."""

    of: list[Said]
    parents: frozenset[HeaderHash] = field(default_factory=frozenset)

    @property
    def name(self) -> HeaderHash:
        return self.of[0].node.hash

    @property
    def last(self) -> Said:
        """The one that stands for it: of those that carry a copy, where any does."""
        return max(self.of, key=lambda one: (bool(one.envelope.sizes), one.node.day, one.node.hash))


def join(found: Genuine, envelopes: Iterable[Envelope]) -> None:
    """Leave in a case one of each word that operators said in it, and have all names lead there.

    `envelopes` are all that this desk holds of it: what is no operator's word is not missing,
    though nobody here opens it.
    """
    by_operators: list[Reply | Entry] = [*found.replies, *found.entries]
    if not _has_twins(by_operators):
        return
    said: list[Said] = [*found.follow_ups, *by_operators]
    others = [one.header.hash for one in envelopes if one.kind not in _BY_OPERATORS]
    words = _words(said, frozenset([*others, *(one.node.hash for one in said)]))
    leads = {one.node.hash: word for word in words for one in word.of}
    found.follow_ups = list(_named_anew(found.follow_ups, leads))
    found.replies = list(_named_anew(found.replies, leads))
    found.entries = list(_named_anew(found.entries, leads))


def _has_twins(said: Iterable[Reply | Entry]) -> bool:
    ids = Counter((one.signer.key.raw, one.body.word) for one in said if one.body.word)
    return any(number > 1 for number in ids.values())


def _named_anew(said: Iterable[_Said], leads: Mapping[HeaderHash, _Word]) -> Iterator[_Said]:
    for one in said:
        word = leads[one.node.hash]
        if one is word.last:
            named = (
                leads[parent].last.node.hash if parent in leads else parent
                for parent in word.of[0].node.parents
            )
            yield replace(one, node=replace(one.node, parents=tuple(dict.fromkeys(named))))


def _words(said: Sequence[Said], believed: frozenset[HeaderHash]) -> list[_Word]:
    words: list[_Word] = []
    of: dict[HeaderHash, _Word] = {}
    by_id: dict[tuple[object, ...], list[_Word]] = {}
    for one in _parents_first(said, believed):
        parents = frozenset(
            of[parent].name if parent in of else parent
            for parent in one.node.parents
            if parent in believed
        )
        is_whole = believed.issuperset(one.node.parents)
        alike = by_id.setdefault(_key(one), [])
        word = next(
            (each for each in alike[:_WORDS_MOST] if _are_one(each.parents, parents, is_whole)),
            None,
        )
        if word is None:
            word = _Word([], parents)
            words.append(word)
            alike.append(word)
        word.of.append(one)
        of[one.node.hash] = word
    return words


def _are_one(
    before: frozenset[HeaderHash],
    parents: frozenset[HeaderHash],
    is_whole: bool,  # noqa: FBT001
) -> bool:
    return parents == before if is_whole else parents <= before


def _key(one: Said) -> tuple[object, ...]:
    """What two envelopes of one word have in common; of what bears no id, its own hash."""
    body = one.body
    if isinstance(body, FollowUpBody) or body.word is None:
        return (one.node.hash,)
    if isinstance(body, ReplyBody):
        body = replace(body, author_day=Day(1))
    said = cast("Reply | Entry", one)
    # What is sealed to another receipt answers somebody else: it is another word.
    elsewhere = isinstance(body, ReplyBody) and cast("Reply", one).elsewhere
    return (one.envelope.kind, said.signer.key.raw, elsewhere, body.to_json())


def _parents_first(said: Sequence[Said], believed: frozenset[HeaderHash]) -> Iterator[Said]:
    """Parents first; what names something that is not here last, and of that the newest first."""
    by_hash = {one.node.hash: one for one in said}
    waits = {name: set(one.node.parents) & by_hash.keys() for name, one in by_hash.items()}
    children: dict[HeaderHash, list[HeaderHash]] = {}
    for name, parents in waits.items():
        for parent in parents:
            children.setdefault(parent, []).append(name)

    def turn(name: HeaderHash) -> tuple[bool, int, HeaderHash]:
        node = by_hash[name].node
        is_whole = believed.issuperset(node.parents)
        return not is_whole, node.day if is_whole else -node.day, name

    ready = [turn(name) for name, parents in waits.items() if not parents]
    heapq.heapify(ready)
    while ready:
        *_, name = heapq.heappop(ready)
        yield by_hash[name]
        for child in children.get(name, ()):
            waits[child].discard(name)
            if not waits[child]:
                heapq.heappush(ready, turn(child))
