"""The order in which a reporter reads answers: as plainly said, at the price of reading them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto.ids import Day, HeaderHash
from gateway.site.visits import ShownReply, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator


def name_of(number: int) -> HeaderHash:
    return HeaderHash(hashlib.sha256(b"%d" % number).digest())


def reply(number: int, day: int, parents: tuple[HeaderHash, ...]) -> ShownReply:
    return ShownReply("", str(number), name_of(number), parents, Day(day))


def plainly(replies: tuple[ShownReply, ...]) -> list[ShownReply]:
    """Of those that wait for none, or else of all, the earliest; and again."""
    waiting, told = list(replies), []
    while waiting:
        names = {one.hash for one in waiting}
        free = [one for one in waiting if not names & set(one.parents)]
        told.append(min(free or waiting, key=lambda one: (one.author_day, one.hash)))
        waiting.remove(told[-1])
    return told


# One waits for itself, two for each other, one for one of those, and one is named twice.
@example([(3, [0]), (5, [2]), (5, [1]), (4, [1, 1]), (2, [9])])
@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.lists(st.integers(0, 12), max_size=3)), max_size=10)
)
def test_answers_stand_after_what_they_name_and_else_by_day_circles_too(
    said: list[tuple[int, list[int]]],
) -> None:
    replies = tuple(
        reply(number, day, tuple(map(name_of, named))) for number, (day, named) in enumerate(said)
    )
    assert list(in_order(replies)) == plainly(replies)


class Counting(tuple[HeaderHash, ...]):
    """What an answer names, which counts how often it was read."""

    __slots__ = ()
    read = 0

    def __iter__(self) -> Iterator[HeaderHash]:
        Counting.read += 1
        return super().__iter__()


def test_thousands_of_answers_of_one_day_cost_what_they_are_many() -> None:
    """Each names the one before it: of that many, nobody's visit may hold a thread for seconds."""
    replies = tuple(
        reply(number, 1, Counting([name_of(number - 1)])) for number in reversed(range(2000))
    )
    Counting.read = 0
    assert list(in_order(replies)) == list(reversed(replies))
    assert 0 < Counting.read <= 2 * len(replies)
