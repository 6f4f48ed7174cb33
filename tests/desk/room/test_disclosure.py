"""What a bulletin keeps back, nobody computes from what it publishes."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from desk.room.disclosure import LEAST, STEP, Sum, protect, rounded
from desk.room.public import lines, true_counts
from desk.rules import load
from tests.desk.room.attacker import HALF, Attacker
from tests.quarter.facts import fact
from tests.quarter.plan import FIRST, LAST, PUBLISHED, SMALL, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from desk.room.period import Period

ONE = [Sum("n", ("a", "b", "c"))]
NESTED = [Sum("n", ("x", "t")), Sum("t", ("a", "b")), Sum("n", ("p", "q"))]


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
    told = [*found.sums, Sum("reports.received", ("nature.technology", "nature.terrorism"))]
    assert broken(found.counts, public, told) == []
    # Nor would it if nothing were rounded.
    exact = {name: None if one is None else found.counts[name] for name, one in public.items()}
    assert broken(found.counts, exact, told, rounded=False) == []
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


def test_the_last_part_goes_with_a_small_one_and_another_with_them_where_they_are_few() -> None:
    of_two = [Sum("n", ("a", "b"))]
    assert protect({"n": 295, "a": 5, "b": 290}, of_two) == {"n": 295, "a": None, "b": None}
    assert protect({"n": 12, "a": 5, "b": 7}, of_two) == {"n": 10, "a": None, "b": None}
    assert protect({"n": 9, "a": 5, "b": 4}, of_two) == dict.fromkeys("nab")
    assert protect({"n": 30, "a": 20, "b": 10}, of_two) == {"n": 30, "a": 20, "b": 10}
    for a, b, c, shown in (
        (9, 30, 40, {"b"}), (9, 30, 1, {"b"}), (9, 30, 0, set()), (30, 40, 9, {"a"}),
        (30, 9, 10, {"a"}), (10, 10, 10, {"a", "b", "c"}), (0, 0, 10, set()),
    ):  # fmt: skip
        public = protect({"n": a + b + c, "a": a, "b": b, "c": c}, ONE)
        assert {name for name in "abc" if public[name] is not None} == shown, (a, b, c)


def test_where_a_whole_goes_all_that_is_below_it_goes_and_it_is_the_last_to_go() -> None:
    counts = {"n": 205, "x": 105, "t": 100, "a": 60, "b": 40, "p": 150, "q": 55}
    assert None not in protect(counts, NESTED).values()
    few = counts | {"n": 104, "x": 4, "p": 54, "q": 50}
    assert protect(few, NESTED) == {
        "n": 105, "x": None, "t": None, "a": None, "b": None, "p": 55, "q": 50,
    }  # fmt: skip
    # Another part is taken along before the whole of a table is, wherever it stands.
    sums = [Sum("n", ("x", "t", "y")), Sum("t", ("a", "b"))]
    public = protect({"n": 153, "x": 50, "t": 100, "y": 3, "a": 60, "b": 40}, sums)
    assert public == {"n": 155, "x": None, "t": 100, "y": None, "a": 60, "b": 40}


def test_a_rest_is_published_where_its_part_is_and_is_never_small() -> None:
    sums, rests = [Sum("n", ("t", "a", "b"))], {"r": "t"}
    for t, a, b, shown in ((40, 20, 30, "r"), (40, 4, 30, "r"), (9, 20, 30, ""), (40, 4, 5, "")):
        public = protect({"n": t + a + b, "r": a + b, "t": t, "a": a, "b": b}, sums, rests)
        assert public["r"] == (rounded(a + b) if shown else None)
        assert (public["t"] is None) == (public["r"] is None)


def test_the_quarter_is_published_but_for_what_is_small_and_what_goes_with_it() -> None:
    public = lines([fact(one) for one in plan(PUBLISHED)], Period(FIRST, LAST), load(), ("daesh",))
    assert {f"{one.table}.{one.id}" for one in public if one.count is None} == {
        "regions.asia", "regions.elsewhere", "persons.presented", "persons.wanted",
    }  # fmt: skip
    shares = {f"{one.table}.{one.id}": one.percent for one in public}
    assert (shares["nature.technology"], shares["nature.terrorism"]) == (96, 4)
    assert (shares["categories.fraud"], shares["tag_daesh.marked"]) == (60, 29)


def test_few_reports_of_terrorism_do_not_take_every_kind_along() -> None:
    few = [one for one in plan(PUBLISHED) if one.told != "terrorism"]
    few += [one for one in plan(PUBLISHED) if one.told == "terrorism"][:4]
    public = lines(map(fact, few), Period(FIRST, LAST), load(), ("daesh",))
    shown = {f"{one.table}.{one.id}" for one in public if one.count is not None}
    assert {"categories.fraud", "categories.sextortion", "categories.threats"} <= shown
    assert not shown & {
        "nature.technology", "nature.terrorism", "categories.incitement", "tag_daesh.unmarked",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "sums", "rests"),
    [
        ({"n": 2, "m": 2, "a": 1, "b": 1, "c": 1},
         [Sum("n", ("a", "b")), Sum("m", ("a", "c"))], {}),
        ({"n": 1, "a": 1, "b": 0, "c": 0}, [Sum("n", ("a", "b")), Sum("a", ("n", "c"))], {}),
        ({"n": 2, "a": 1}, [Sum("n", ("a", "a"))], {}),
        ({"n": 3, "a": 2, "b": 1, "c": 1, "d": 1},
         [Sum("a", ("c", "d")), Sum("n", ("a", "b"))], {}),
        ({"n": 3, "a": 3}, [Sum("n", ("a",))], {}),
        ({"n": 3, "a": 1, "b": 1}, [Sum("n", ("a", "b"))], {}),
        ({"n": 3, "a": 1, "b": 2, "r": 1}, [Sum("n", ("a", "b"))], {"r": "a"}),
        ({"n": 3, "a": 1, "b": 2, "r": 3}, [Sum("n", ("a", "b"))], {"r": "n"}),
        ({"n": 3, "a": 1, "b": 2}, [Sum("n", ("a", "b"))], {"b": "a"}),
    ],
    ids=[
        "a part of two", "a circle", "a part twice", "from below", "one part",
        "a sum that does not hold", "another rest", "a rest of no part", "a rest that is a part",
    ],
)  # fmt: skip
def test_tables_that_cannot_be_judged_are_refused(
    counts: dict[str, int], sums: list[Sum], rests: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"a whole|its whole|two wholes|a rest"):
        protect(counts, sums, rests)


def test_rounding_goes_to_the_nearest_five() -> None:
    assert [rounded(one) for one in (10, 12, 13, 17, 18, 7083)] == [10, 10, 15, 15, 20, 7085]
