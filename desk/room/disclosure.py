"""Which counts may be public: small ones are kept back, and so is whatever would tell them.

Rule: a count below ten is never published, nought included. Further counts are kept back until
nobody who knows everything that is published, before it is even rounded, and knows which ones are
small, can narrow any of them down to fewer than ten possible values. Then what is left is rounded
to a multiple of five.

The sums that tie counts together form trees (a count is a part of one whole at most), so bounds
that are passed along them, as often as there are sums, are exact: they are what a linear program
would find.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEAST = 10
"""The smallest count that is published, and how many values each other one can at least have."""
STEP = 5


class Sum(NamedTuple):
    """A whole and the parts that make it, each counted once."""

    whole: str
    parts: tuple[str, ...]


@dataclass(slots=True)
class Bounds:
    """What is known of a count: at least, at most."""

    low: float
    high: float

    def narrow(self, low: float, high: float) -> None:
        """Take what was learnt."""
        self.low, self.high = max(self.low, low), min(self.high, high)


def protect(counts: Mapping[str, int], sums: Sequence[Sum]) -> dict[str, int | None]:
    """Every count as it may be published: rounded, or None where it is kept back.

    Raises:
        ValueError: the sums are not trees, or do not hold.
    """
    _require_trees(counts, sums)
    small = {name for name, count in counts.items() if count < LEAST}
    beside: set[str] = set()
    while found := _next_beside(counts, sums, small, beside):
        beside |= found - small
    kept_back = small | beside
    return {name: None if name in kept_back else rounded(count) for name, count in counts.items()}


def rounded(count: int) -> int:
    """The nearest multiple of five."""
    return STEP * ((count + STEP // 2) // STEP)


def known(
    counts: Mapping[str, int], sums: Iterable[Sum], small: set[str], beside: set[str]
) -> dict[str, Bounds]:
    """What follows for every count from those that are published, and from why the others are not.

    It is assumed to be known which counts are kept back for being `small`, and which `beside` them.
    """
    every = tuple(sums)
    found = {name: Bounds(count, count) for name, count in counts.items()}
    found |= {name: Bounds(0, LEAST - 1) for name in small}
    found |= {name: Bounds(LEAST, math.inf) for name in beside}
    # In a tree, news reaches everything in as many rounds as there are sums.
    for _ in every:
        for one in every:
            parts = [found[part] for part in one.parts]
            whole = found[one.whole]
            whole.narrow(sum(part.low for part in parts), sum(part.high for part in parts))
            for part in parts:
                others_low = sum(other.low for other in parts if other is not part)
                others_high = sum(other.high for other in parts if other is not part)
                part.narrow(whole.low - others_high, whole.high - others_low)
    return found


def _next_beside(
    counts: Mapping[str, int], sums: Sequence[Sum], small: set[str], beside: set[str]
) -> set[str]:
    """What to keep back beside a count of which the others tell too much; empty at the end."""
    bounds = known(counts, sums, small, beside)
    for name in counts:
        if name in small | beside and bounds[name].high - bounds[name].low < LEAST - 1:
            companions = _companions(name, sums, small | beside)
            if companions:
                return companions
    return set()


def _companions(weak: str, sums: Sequence[Sum], hidden: set[str]) -> set[str]:
    """What to hide next beside a weak count: the last part near it, or else a whole.

    A whole is kept back because it is about as small as what it is made of in one table: what
    is published of it in another table would tell whoever knows this rule how small, and goes
    with it.

    Near is whatever a sum ties to it, directly or through counts that are hidden already. Which
    one it is depends on no count: were it the smallest, it would tell that it is smaller than
    what is published, and whoever knows this rule could compute both.
    """
    wholes: list[str] = []
    seen: set[str] = set()
    near = {weak}
    while near:
        seen |= near
        touching = [one for one in sums if not near.isdisjoint((one.whole, *one.parts))]
        parts = [part for one in touching for part in one.parts if part not in hidden]
        if parts:
            return {parts[-1]}
        wholes += [one.whole for one in touching if one.whole not in hidden]
        near = {name for one in touching for name in (one.whole, *one.parts) if name in hidden}
        near -= seen
    if not wholes:
        # Where all that is tied together is hidden, what is known of it is why.
        return set()
    return {wholes[0], *(part for one in sums if one.whole == wholes[0] for part in one.parts)}


def _require_trees(counts: Mapping[str, int], sums: Sequence[Sum]) -> None:
    parts = [part for one in sums for part in one.parts]
    if len(set(parts)) != len(parts):
        raise ValueError("a count is a part of two wholes")
    above = {part: one.whole for one in sums for part in one.parts}
    for name in above:
        at = name
        for _ in above:
            at = above.get(at, "")
        if at:
            raise ValueError("a count is a part of itself")
    for one in sums:
        if counts[one.whole] != sum(counts[part] for part in one.parts):
            raise ValueError("a whole is not the sum of its parts")
