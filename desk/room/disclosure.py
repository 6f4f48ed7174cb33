"""Which counts may be public: small ones are kept back, and so is whatever would tell them.

Rule, from the top of each tree of sums down; a count is small below ten, nought included:

```
(1) the top of a tree is kept back where it is small
(2) below a whole that is kept back, all of its tables are, with all that is below them
(3) of a table whose whole is published, every small part is kept back; where there is one, the
    last part is as well, and the last of the others if what is kept back is small together
```

Parts with tables of their own stand before the others: then they go last. No count decides the
order. What is left is rounded to a multiple of five.

Whoever knows this rule and everything that is published, before it is even rounded, is left with
ten possible values or more for each count that is kept back:

- Of a table whose whole is published, the parts kept back are the last one and at least one other,
  and come to ten or more together: a last part that is alone is small, and takes another along.
  Give each of them but the last any value of 0 to 9 that leaves nothing negative, and the last what
  remains: by (3) the very same parts are kept back then, and what is published is the same. So each
  but the last can be 0 to 9, and the last has ten values as well, whatever the true counts are.
- Below a part that is kept back nothing is published, so its tables can be divided in any way: a
  count there can be anything from nought to the most that the part can be, which is nine or more.
  The same holds for a top that is kept back, which can be 0 to 9, and for all that is below it.
- A rest beside a part, of a whole that is published, has a value for each value of the part; of a
  whole that is kept back, it is one of the counts below it.
- What one table shows depends on its own parts and on whether its whole is published, on nothing
  else: what other tables show, of the same whole or elsewhere, takes none of these values away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST = 10
"""The smallest count that is published, and how many values each other one can at least have."""
STEP = 5


class Sum(NamedTuple):
    """A table: a whole, and the parts that make it, each counted once."""

    whole: str
    parts: tuple[str, ...]


def protect(
    counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str] | None = None
) -> dict[str, int | None]:
    """Every count as it may be published: rounded, or None where it is kept back.

    Args:
        counts: every true count by its name.
        sums: the tables, those of a whole before those of its parts; a count is in one at most.
        rests: names for what a part leaves of its whole. Such a name says no more than the part
            does, and no less: it is published where the part is.

    Raises:
        ValueError: the sums are not trees from the top down, a table has one part, or a sum does
            not hold.
    """
    hidden = kept_back(counts, sums, rests or {})
    return {name: None if name in hidden else rounded(count) for name, count in counts.items()}


def rounded(count: int) -> int:
    """The nearest multiple of five."""
    return STEP * ((count + STEP // 2) // STEP)


def kept_back(
    counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str]
) -> frozenset[str]:
    """The names of the counts that may not be published; arguments and errors as `protect`."""
    _require_trees(counts, sums, rests)
    wholes = {one.whole for one in sums}
    below = {part for one in sums for part in one.parts}
    hidden = {
        name for name, count in counts.items()
        if count < LEAST and name not in below and name not in rests
    }  # fmt: skip
    for one in sums:
        if one.whole in hidden:
            hidden.update(one.parts)
        else:
            # False sorts first: a part that is a whole itself stands before those that are not.
            hidden |= _of_table(counts, sorted(one.parts, key=lambda part: part not in wholes))
    # No small rest is published: what it is made of is small, then, goes, and takes the part along.
    return frozenset(hidden | {rest for rest, part in rests.items() if part in hidden})


def _of_table(counts: Mapping[str, int], parts: Sequence[str]) -> set[str]:
    """Step (3); the whole is at least ten, so that there is always something to take along."""
    hidden = {part for part in parts if counts[part] < LEAST}
    if hidden:
        hidden.add(parts[-1])
        if sum(counts[part] for part in hidden) < LEAST:
            hidden.add([part for part in parts if part not in hidden][-1])
    return hidden


def _require_trees(
    counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str]
) -> None:
    seen: set[str] = set()
    above: dict[str, str] = {}
    for one in sums:
        seen.add(one.whole)
        if not seen.isdisjoint(one.parts) or len(set(one.parts)) != len(one.parts):
            raise ValueError("a count is a part of two wholes, of itself, or of a later whole")
        if len(one.parts) == 1:
            raise ValueError("a table of one part says its whole again")
        if counts[one.whole] != sum(counts[part] for part in one.parts):
            raise ValueError("a whole is not the sum of its parts")
        seen.update(one.parts)
        above |= dict.fromkeys(one.parts, one.whole)
    for rest, part in rests.items():
        if rest in seen or part not in above or counts[rest] != counts[above[part]] - counts[part]:
            raise ValueError("a rest is not what its part leaves of the whole")
