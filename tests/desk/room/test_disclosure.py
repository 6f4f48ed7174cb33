"""What a bulletin keeps back, nobody computes from what it publishes."""

from __future__ import annotations

import random
from collections import defaultdict
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import pytest

from desk.room.disclosure import LEAST, STEP, Sum, protect, rounded
from desk.room.public import lines, true_counts
from desk.rules import load
from tests.desk.room.attacker import HALF, Attacker
from tests.quarter.facts import fact
from tests.quarter.plan import FIRST, LAST, PUBLISHED, SMALL, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from desk.room.period import Period

ONE = [Sum("n", ("a", "b", "c"))]
TWO = [Sum("n", ("a", "b")), Sum("n", ("x", "y"))]
NESTED = [Sum("n", ("t", "x")), Sum("t", ("a", "b")), Sum("n", ("p", "q"))]


def broken(
    counts: Mapping[str, int], public: Mapping[str, int | None], sums: Sequence[Sum],
    *, rounded: bool = True,
) -> list[str]:  # fmt: skip
    """The counts that were kept back, and that the attacker narrows to fewer than ten values."""
    attacker = Attacker(public, sums, rounded=rounded)
    told = []
    for name, count in public.items():
        if count is None:
            low, high = attacker.bounds(name)
            assert low <= counts[name]
            assert high is None or counts[name] <= high
            if high is not None and int(high) - -(-low // 1) < LEAST - 1:
                told.append(name)
    return told


def whole_of(counts: dict[str, int], sums: Iterable[Sum]) -> dict[str, int]:
    """Fill in the wholes, from the deepest up."""
    found = dict(counts)
    for one in reversed(list(sums)):
        found.setdefault(one.whole, sum(found[part] for part in one.parts))
    return found


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("counts", [PUBLISHED, SMALL], ids=["the quarter", "a fiftieth"])
def test_a_linear_program_over_all_tables_tells_nothing_that_was_kept_back(
    counts: object,
) -> None:
    facts = [fact(one) for one in plan(counts)]  # type: ignore[arg-type]  # one of the two
    found = true_counts(facts, Period(FIRST, LAST), load(), ("daesh",))
    public = {
        f"{one.table}.{one.id}": one.count
        for one in lines(facts, Period(FIRST, LAST), load(), ("daesh",))
    }
    assert any(one is None for one in public.values())
    assert broken(found.counts, public, found.sums) == []
    # Nor would it if nothing were rounded.
    exact = {name: None if one is None else found.counts[name] for name, one in public.items()}
    assert broken(found.counts, exact, found.sums, rounded=False) == []
    for name, shown in public.items():
        assert shown is None or (shown % STEP == 0 and abs(shown - found.counts[name]) <= HALF)
        assert found.counts[name] >= LEAST or shown is None


@pytest.mark.claim("C-BULLETIN")
def test_hiding_the_small_counts_alone_would_tell_them() -> None:
    """The positive control: without companions the attacker finds what was hidden."""
    counts = {"n": 63, "a": 3, "b": 20, "c": 40}
    naive = {name: None if count < LEAST else count for name, count in counts.items()}
    assert broken(counts, naive, ONE, rounded=False) == ["a"]
    assert Attacker(naive, ONE, rounded=False).bounds("a") == (Fraction(3), Fraction(3))
    assert broken(counts, protect(counts, ONE), ONE) == []


def test_a_linear_program_tells_nothing_of_random_tables() -> None:
    rng = random.Random(7)  # noqa: S311  # made-up tables
    for _ in range(60):
        leaves = {name: rng.choice((0, 1, 4, 9, 10, 11, 13, 30, 200)) for name in "abxp"}
        total = leaves["a"] + leaves["b"] + leaves["x"]
        leaves["p"] = min(leaves["p"], total)
        counts = {
            "n": total, "t": leaves["a"] + leaves["b"], "x": leaves["x"], "a": leaves["a"],
            "b": leaves["b"], "p": leaves["p"], "q": total - leaves["p"],
        }  # fmt: skip
        public = protect(counts, NESTED)
        kept_back = {name for name, one in public.items() if one is None}
        assert {name for name, count in counts.items() if count < LEAST} <= kept_back
        if len(kept_back) < len(counts):
            assert broken(counts, public, NESTED) == [], counts


def of_one_table(most: int) -> Iterator[dict[str, int]]:
    for a, b, c in product(range(most + 1), repeat=3):
        yield {"n": a + b + c, "a": a, "b": b, "c": c}


def of_two_tables(most: int) -> Iterator[dict[str, int]]:
    for whole in range(most + 1):
        for a, x in product(range(whole + 1), repeat=2):
            yield {"n": whole, "a": a, "b": whole - a, "x": x, "y": whole - x}


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize(
    ("worlds", "most", "sums"),
    [(of_one_table, 27, ONE), (of_two_tables, 40, TWO)],
    ids=["one table", "two tables of one whole"],
)
def test_even_whoever_knows_the_rule_finds_ten_values_for_whatever_is_kept_back(
    worlds: Callable[[int], Iterator[dict[str, int]]], most: int, sums: Sequence[Sum]
) -> None:
    """Every small table there is: those that are published alike cannot be told apart."""
    alike: dict[tuple[tuple[str, int | None], ...], list[dict[str, int]]] = defaultdict(list)
    for counts in worlds(most):
        alike[tuple(protect(counts, sums).items())].append(counts)
    looked_at = 0
    for public, found in alike.items():
        whole = dict(public)["n"]
        if whole is not None and whole + HALF > most:
            continue  # beyond the edge of what was enumerated
        for name, shown in public:
            if shown is None:
                looked_at += 1
                assert len({counts[name] for counts in found}) >= LEAST, (public, name)
    assert looked_at > 30


def test_a_part_alone_is_not_hidden_without_a_companion_and_a_whole_stays_if_it_can() -> None:
    public = protect({"n": 295, "a": 5, "b": 290}, [Sum("n", ("a", "b"))])
    assert public == {"n": 295, "a": None, "b": None}
    assert protect({"n": 12, "a": 5, "b": 7}, [Sum("n", ("a", "b"))]) == dict.fromkeys("nab")
    assert protect({"n": 30, "a": 20, "b": 10}, [Sum("n", ("a", "b"))]) == {
        "n": 30, "a": 20, "b": 10,
    }  # fmt: skip


def test_a_whole_that_its_own_parts_would_tell_takes_one_of_them_along() -> None:
    sums = [Sum("n", ("x", "t")), Sum("x", ("a", "b", "c"))]
    counts = whole_of({"a": 100, "b": 60, "c": 40, "t": 4}, sums)
    public = protect(counts, sums)
    assert public == {"a": 100, "b": 60, "c": None, "t": None, "x": None, "n": 205}


@pytest.mark.parametrize(
    ("counts", "sums"),
    [
        ({"n": 1, "m": 1, "a": 1}, [Sum("n", ("a",)), Sum("m", ("a",))]),
        ({"n": 1, "a": 1}, [Sum("n", ("a",)), Sum("a", ("n",))]),
        ({"n": 3, "a": 1, "b": 1}, [Sum("n", ("a", "b"))]),
    ],
    ids=["a part of two", "a circle", "a sum that does not hold"],
)
def test_tables_that_cannot_be_judged_are_refused(counts: dict[str, int], sums: list[Sum]) -> None:
    with pytest.raises(ValueError, match=r"a whole|two wholes|itself"):
        protect(counts, sums)


def test_rounding_goes_to_the_nearest_five() -> None:
    assert [rounded(one) for one in (10, 12, 13, 17, 18, 7083)] == [10, 10, 15, 15, 20, 7085]
