"""Whoever knows the rule sees a bulletin: which worlds could it be of?

Every world of a small tree is enumerated; for the real trees, worlds are built that look alike.
What is published is taken before it is rounded: rounding only makes more worlds look alike.
"""

from __future__ import annotations

import random
from collections import defaultdict
from functools import partial
from itertools import combinations, pairwise, permutations
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from desk.room import disclosure
from desk.room.disclosure import LEAST, Sum, kept_back
from desk.room.fact import NOT_SAID, OTHER, Fact
from desk.room.period import Period
from desk.room.public import KINDS, LANGUAGES, MODES, REGIONS, Counts, lines, true_counts
from desk.rules import load
from tests.quarter.facts import fact
from tests.quarter.plan import FIRST, LAST, PUBLISHED, SMALL, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    World = dict[str, int]
    Rule = Callable[[Mapping[str, int], Sequence[Sum], Mapping[str, str]], Collection[str]]

SHAPES: dict[str, tuple[list[Sum], dict[str, str]]] = {
    "one table": ([Sum("n", ("a", "b", "c"))], {}),
    "two tables of one whole": ([Sum("n", ("a", "b")), Sum("n", ("x", "y"))], {}),
    "three parts and two": ([Sum("n", ("a", "b", "c")), Sum("n", ("x", "y"))], {}),
    "three tables of one whole": (
        [Sum("n", ("a", "b")), Sum("n", ("x", "y")), Sum("n", ("p", "q"))], {},
    ),
    "a whole below": ([Sum("n", ("t", "x")), Sum("t", ("a", "b"))], {}),
    "a whole below, last": ([Sum("n", ("x", "t")), Sum("t", ("a", "b"))], {}),
    "a whole below, amid three": ([Sum("n", ("x", "t", "y")), Sum("t", ("a", "b"))], {}),
    "a whole below, two tables": (
        [Sum("n", ("t", "x")), Sum("t", ("a", "b")), Sum("n", ("p", "q"))], {},
    ),
    "two tables of a whole below": (
        [Sum("n", ("t", "x")), Sum("t", ("a", "b")), Sum("t", ("c", "d"))], {},
    ),
    "two wholes below, each with a table": (
        [Sum("n", ("t", "x")), Sum("t", ("a", "b")), Sum("x", ("e", "f"))], {},
    ),
    "two floors below": (
        [Sum("n", ("t", "x")), Sum("t", ("a", "b")), Sum("b", ("e", "f"))], {},
    ),
    "as terrorism and the kinds": ([Sum("n", ("t", "a", "b"))], {"x": "t"}),
    "as with a mark": ([Sum("n", ("t", "a", "b")), Sum("t", ("m", "u"))], {"x": "t"}),
    "as with two marks": (
        [Sum("n", ("t", "a", "b")), Sum("t", ("m", "u")), Sum("t", ("v", "w"))], {"x": "t"},
    ),
    "as with a mark, two tables": (
        [Sum("n", ("t", "a", "b")), Sum("t", ("m", "u")), Sum("n", ("p", "q"))], {"x": "t"},
    ),
}  # fmt: skip

TOTALS: dict[str, Sequence[int]] = {
    "one table": range(49),
    "two tables of one whole": range(41),
    "three parts and two": (*range(12), 19, 20, 21, 30),
    "three tables of one whole": (*range(12), 19, 20, 21, 30),
    "a whole below": range(49),
    "a whole below, two tables": (*range(12), 19, 20, 21, 30),
    "two tables of a whole below": (*range(12), 19, 20, 21, 30, 40),
    "two wholes below, each with a table": (*range(21), 28, 29, 30, 38, 40, 48),
    "as with a mark": (*range(12), 19, 20, 21, 30, 40),
    "as with two marks": (*range(12), 20, 24),
}
"""What is enumerated with the real bar of ten; every shape with a bar of three."""


def divided(count: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to divide a count, by where the walls between its parts stand."""
    for walls in combinations(range(count + parts - 1), parts - 1):
        edges = (-1, *walls, count + parts - 1)
        yield tuple(b - a - 1 for a, b in pairwise(edges))


def worlds(sums: Sequence[Sum], world: World) -> Iterator[World]:
    """Every way to fill the tables below what is known of a world."""
    if not sums:
        yield world
        return
    for values in divided(world[sums[0].whole], len(sums[0].parts)):
        yield from worlds(sums[1:], world | dict(zip(sums[0].parts, values, strict=True)))


def with_rests(world: World, sums: Sequence[Sum], rests: Mapping[str, str]) -> World:
    above = {part: one.whole for one in sums for part in one.parts}
    return world | {rest: world[above[part]] - world[part] for rest, part in rests.items()}


def fewest(
    rule: Rule, sums: Sequence[Sum], rests: Mapping[str, str], totals: Iterable[int], least: int
) -> int:
    """The fewest values that any count kept back is left with, over all worlds of these totals.

    Where the total is published, no world of another total looks alike; below `least` all do.
    """
    alike: dict[object, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for total in totals:
        for bare in worlds(sums, {"n": total}):
            world = with_rests(bare, sums, rests)
            hidden = rule(world, sums, rests)
            shown = tuple((name, one) for name, one in world.items() if name not in hidden)
            assert all(one >= least for _, one in shown)
            found = alike[shown]
            for name in hidden:
                found[name].add(world[name])
    return min(len(values) for found in alike.values() for values in found.values())


def orders(sums: Sequence[Sum]) -> Iterator[list[Sum]]:
    """The tables in every order that has a whole's before its parts'."""
    for order in permutations(sums):
        first = {one.whole: at for at, one in reversed(list(enumerate(order)))}
        if all(first.get(part, at) >= at for at, one in enumerate(order) for part in one.parts):
            yield list(order)


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_knows_the_rule_finds_a_bars_worth_of_values_for_whatever_is_kept_back(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every world up to four times the bar and more, with a bar of three."""
    sums, rests = SHAPES[shape]
    monkeypatch.setattr(disclosure, "LEAST", 3)
    for order in orders(sums):
        assert fewest(kept_back, order, rests, range(14), 3) == 3


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("shape", TOTALS)
def test_whoever_knows_the_rule_finds_ten_values_for_whatever_is_kept_back(shape: str) -> None:
    sums, rests = SHAPES[shape]
    for order in orders(sums) if shape.startswith("two wholes below") else [sums]:
        assert fewest(kept_back, order, rests, TOTALS[shape], LEAST) == LEAST


def only_small(
    counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str]
) -> frozenset[str]:
    """No rule at all: what is small, and nothing beside it."""
    assert (sums, rests) == SHAPES["one table"]
    return frozenset(name for name, count in counts.items() if count < LEAST)


def with_the_smallest(
    counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str]
) -> frozenset[str]:
    """What is usual: the smallest parts go along until ten are hidden together."""
    hidden = only_small(counts, sums, rests)
    for part in sorted("abc", key=lambda name: counts[name]):
        if 0 < len(hidden) < 4 and sum(counts[one] for one in hidden - {"n"}) < LEAST:
            hidden |= {part}
    return hidden


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize(("rule", "left"), [(only_small, 1), (with_the_smallest, 9)])
def test_a_weaker_rule_is_found_out(rule: Rule, left: int) -> None:
    """The positive control: with a companion that is chosen by its count, and with none."""
    sums, rests = SHAPES["one table"]
    assert fewest(rule, sums, rests, range(40), LEAST) <= left


@pytest.mark.claim("C-BULLETIN")
def test_what_goes_as_a_whole_must_take_its_tables_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control for trees: each table judged by itself tells of the others."""
    sums, rests = SHAPES["two wholes below, each with a table"]

    def by_itself(
        counts: Mapping[str, int], sums: Sequence[Sum], rests: Mapping[str, str]
    ) -> frozenset[str]:
        hidden: set[str] = set()
        for one in sums:
            alone = {name: counts[name] for name in (one.whole, *one.parts)}
            hidden |= kept_back(alone, [one], rests)
        return frozenset(hidden)

    monkeypatch.setattr(disclosure, "LEAST", 3)
    assert fewest(by_itself, sums, rests, range(14), 3) < 3


# --- the bulletin's own trees


def alike(found: Counts, hidden: Collection[str], name: str) -> Iterator[World]:
    """Ten worlds in which a count that is kept back has ten values: who saw one, saw them all.

    They are built as the rule's own argument says; that they look alike is the caller's to see.
    """
    table = {part: one for one in found.sums for part in one.parts}
    way = [name]
    while way[-1] in table and table[way[-1]].whole in hidden:
        way.append(table[way[-1]].whole)
    top = way[-1]
    for value in range(LEAST):
        world = dict(found.counts)
        if top not in table:
            world[top] = value
        else:
            wholes = {one.whole for one in found.sums}
            parts = [part for part in table[top].parts if part in hidden]
            *others, last = sorted(parts, key=lambda part: part not in wholes)
            chosen = others[0] if top == last else top
            whole = sum(world[part] for part in parts)
            world |= dict.fromkeys(parts, 0) | {chosen: value, last: whole - value}
        for one in found.sums:
            if one.whole in hidden:
                heir = next((part for part in one.parts if part in way), one.parts[0])
                world |= dict.fromkeys(one.parts, 0) | {heir: world[one.whole]}
        yield with_rests(world, found.sums, found.rests)


def left(found: Counts) -> dict[str, int]:
    """For each count that is kept back, how many values it has in bulletins that look alike."""
    hidden = kept_back(found.counts, found.sums, found.rests)
    values: dict[str, set[int]] = {name: set() for name in hidden}
    table = {part: one for one in found.sums for part in one.parts}
    for name in hidden:
        moved = found.rests.get(name, name)
        if name in found.rests and table[moved].whole in hidden:
            moved = table[moved].parts[-1]  # whatever is not that part is its rest
        for world in alike(found, hidden, moved):
            assert kept_back(world, found.sums, found.rests) == hidden
            assert all(world[one] == found.counts[one] for one in world if one not in hidden)
            values[name].add(world[name])
    return {name: len(ones) for name, ones in values.items()}


def month(kinds: Sequence[int], terrorism: int, marked: int) -> list[Fact]:
    """A month with so many reports of each of the public's kinds, and so many marked."""
    told = [kind for kind, count in zip(KINDS, kinds, strict=True) for _ in range(count)]
    made = partial(Fact, day=FIRST, identity="anonymous", reporting_from=NOT_SAID, language="ar")
    facts = [made(case=f"{at:032x}", category=one, told=one) for at, one in enumerate(told)]
    return facts + [
        made(
            case=f"{len(told) + at:032x}", category="terrorism", told="terrorism",
            tags=("daesh",) if at < marked else (),
        )
        for at in range(terrorism)
    ]  # fmt: skip


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize(
    ("kinds", "terrorism", "marked", "hidden"),
    [
        ((412, 112, 5, 4, 52), 18, 3, {"defamation", "threats", "incitement", "marked"}),
        ((412, 6, 6, 6, 52), 17, 3, {"sextortion", "defamation", "threats", "incitement"}),
        ((14, 1, 1, 1, 0), 21, 9, {"sextortion", "threats", "incitement", "marked", "unmarked"}),
        ((412, 112, 50, 40, 52), 4, 1, {"technology", "terrorism", "incitement", "unmarked"}),
        ((4, 1, 1, 1, 0), 60, 30, {"technology", "terrorism", "fraud", "unmarked"}),
        ((1, 1, 1, 1, 0), 4, 1, {"received", "technology", "terrorism", "fraud", "unmarked"}),
    ],
    ids=["few of two", "few of three", "few reports", "little terror", "little else", "nothing"],
)
def test_a_month_with_a_mark_leaves_ten_values_for_each_count_that_is_kept_back(
    kinds: tuple[int, ...], terrorism: int, marked: int, hidden: set[str]
) -> None:
    facts = month(kinds, terrorism, marked)
    found = true_counts(facts, Period(FIRST, LAST), load(), ("daesh",))
    values = left(found)
    assert set(values.values()) == {LEAST}
    assert hidden <= {name.split(".")[1] for name in values}
    shown = {one.id: one.count for one in lines(facts, Period(FIRST, LAST), load(), ("daesh",))}
    assert all(shown[name] is None for name in hidden)


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("counts", [PUBLISHED, SMALL], ids=["the quarter", "a fiftieth"])
@pytest.mark.parametrize("days", [7, 30, 92])
def test_the_quarter_in_any_rhythm_leaves_ten_values_for_each_count_that_is_kept_back(
    counts: object, days: int
) -> None:
    facts = [fact(one) for one in plan(counts)]  # type: ignore[arg-type]  # one of the two
    found = true_counts(facts, Period(FIRST, Day(FIRST + days - 1)), load(), ("daesh",))
    values = left(found)
    assert set(values.values()) == {LEAST}


@pytest.mark.claim("C-BULLETIN")
def test_made_up_bulletins_of_every_size_leave_ten_values_for_each_count_that_is_kept_back() -> (
    None
):
    rng = random.Random(8)  # noqa: S311  # made-up reports
    rules = load()
    looked_at = 0
    for total in (0, 5, 9, 10, 11, 15, 20, 25, 30, 40, 60, 90, 150, 300):
        odd = [rng.random() ** 3 for _ in range(40)]

        def one_of(names: Iterable[str]) -> str:
            return rng.choices(list(names), odd[: len(list(names))])[0]  # noqa: B023  # used at once

        facts = []
        for at in range(total):
            category = one_of((*KINDS, "terrorism", "csam", OTHER))
            facts.append(
                Fact(
                    case=f"{at:032x}", day=Day(FIRST + rng.randrange(92)), category=category,
                    told=category, tags=tuple(rng.sample(("daesh", "video"), rng.randrange(3))),
                    identity=one_of(MODES), language=one_of(LANGUAGES),
                    reporting_from=one_of((NOT_SAID, "in_country", *list(REGIONS)[:4])),
                    duplicate=rng.random() < odd[-1],
                )
            )  # fmt: skip
        found = true_counts(facts, Period(FIRST, LAST), rules, ("daesh", "video"))
        values = left(found)
        looked_at += len(values)
        assert set(values.values()) <= {LEAST}
    assert looked_at > 100
