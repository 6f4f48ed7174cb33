"""Claims C-WORK, C-FOUR-EYES: which act of a case knew of which, told fast as told plainly."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto.ids import Day, HeaderHash
from crypto.manifest import EntryBody
from desk.four_eyes import CHECK, Steps
from desk.order import Node, known_to, ordered
from desk.reach import Reach
from desk.rules import load
from desk.trust import Signer
from desk.verify import Entry
from tests.desk.world import TODAY, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

pytestmark = [pytest.mark.claim("C-WORK"), pytest.mark.claim("C-FOUR-EYES")]
HANDS = [Signer(one) for one in World.make(operators=2).roster.operators]


def name_of(number: int) -> HeaderHash:
    return HeaderHash(hashlib.sha256(b"%d" % number).digest())


def step(node: Node, state: str = "triage", by: int = 0) -> Entry:
    body = EntryBody(type="status", data={"state": state})
    return Entry(None, node, body, HANDS[by])  # type: ignore[arg-type]  # never opened


STEP, WORD, MESSAGE = 0, 1, 2
_CASES = st.lists(
    # What it is, of which day, and how far back lies what it names: before the first, nothing.
    st.tuples(
        st.sampled_from([STEP, STEP, WORD, MESSAGE]),
        st.integers(0, 2),
        st.lists(st.integers(1, 4), max_size=3),
    ),
    min_size=4,
    max_size=12,
)  # fmt: skip


def nodes_of(case: Iterable[tuple[int, int, list[int]]]) -> tuple[dict[HeaderHash, Node], set[int]]:
    """A case's nodes, and the numbers of its steps."""
    nodes: dict[HeaderHash, Node] = {}
    steps: set[int] = set()
    for number, (kind, day, named) in enumerate(case):
        parents = tuple(
            HeaderHash(bytes(32)) if back > number else name_of(number - back) for back in named
        )
        nodes[name_of(number)] = Node(
            name_of(number), Day(TODAY + day), parents, by_operator=kind != MESSAGE
        )
        steps |= {number} if kind == STEP else set()
    return nodes, steps


def plainly(nodes: dict[HeaderHash, Node], steps: Sequence[Entry], one: Entry) -> list[Entry]:
    """The newest steps that one knew of, by the definition: those that no other of them knew of."""
    knew = known_to([one.node.hash], nodes)
    before = [other for other in steps if other.node.hash in knew]
    gone = known_to([other.node.hash for other in before], nodes)
    return [other for other in before if other.node.hash not in gone]


def is_sure(nodes: dict[HeaderHash, Node], one: Entry, front: Iterable[Entry]) -> bool:
    """Whether all torn words that one is or knew of are known to its front, or in it."""

    def told(word: Entry) -> set[HeaderHash]:
        return {word.node.hash} | known_to([word.node.hash], nodes)

    torn = {
        name
        for name, node in nodes.items()
        if node.by_operator and not nodes.keys() >= {*node.parents}
    }
    return not (told(one) & torn).difference(*map(told, front))


# Two that read one word, which knew of what another took the place of.
@example([(STEP, 0, []), (STEP, 0, [1]), (WORD, 0, [1]), (STEP, 0, [1]), (STEP, 0, [2])])
@settings(max_examples=300)
@given(_CASES)
def test_the_front_of_an_act_is_what_it_knew_of_and_nothing_it_knew_of_took_the_place_of(
    case: list[tuple[int, int, list[int]]],
) -> None:
    nodes, numbers = nodes_of(case)
    names = {name_of(one) for one in numbers}
    steps = [step(node) for node in ordered(nodes.values()) if node.hash in names]
    reach = Reach(steps, nodes)
    fronts = reach.fronts(steps)
    assert set(fronts) == names
    for one in steps:
        assert list(fronts[one.node.hash]) == plainly(nodes, steps, one)
        assert reach.is_sure(one, fronts[one.node.hash]) == is_sure(
            nodes, one, fronts[one.node.hash]
        )
    # Of some of them alone, too.
    some = steps[::2]
    fronts = reach.fronts(some)
    for one in some:
        assert list(fronts[one.node.hash]) == plainly(nodes, some, one)


def test_who_names_a_wide_front_again_and_again_costs_no_more_than_the_names() -> None:
    """A thousand states side by side, and hundreds of thousands of names that lead to them."""
    nodes: dict[HeaderHash, Node] = {}

    def word(*parents: HeaderHash) -> HeaderHash:
        name = name_of(len(nodes))
        nodes[name] = Node(name, TODAY, parents, by_operator=True)
        return name

    root = word()
    heads = [word(root) for _ in range(1000)]
    # Two that know of the same, and do not know of each other: equal, and not one object.
    both = word(*heads), word(*heads)
    middle = [word(*both) for _ in range(3000)]
    for _ in range(60):
        word(*middle)
    last = word(*middle), word(*middle)
    steps = [step(nodes[one]) for one in (*heads, *last)]
    reach = Reach(steps, nodes)
    begun = time.process_time()
    fronts = reach.fronts(steps)
    assert time.process_time() - begun < 1
    assert list(fronts[last[0]]) == steps[:1000]
    assert fronts[last[0]] is fronts[last[1]]
    assert not fronts[heads[0]]


def test_states_that_the_rules_do_not_know_are_one_however_many_are_invented() -> None:
    """But for the one that an anonymous report passes: an institution may ask for it by name."""
    rules = load()
    bare = replace(rules, states={name: one for name, one in rules.states.items() if name != CHECK})
    nodes: dict[HeaderHash, Node] = {}
    steps: list[Entry] = []
    for state in ("triage", CHECK, *(f"invented{number}" for number in range(50)), "ready"):
        name = name_of(len(nodes))
        nodes[name] = Node(name, TODAY, tuple(nodes)[-1:], by_operator=True)
        steps.append(step(nodes[name], state))
    for one in (rules, bare):
        known = Steps(steps, steps, Reach(steps, nodes), one)
        assert known.passed(steps[-1]) == {"triage", CHECK, ""}
        assert known.passed(steps[1]) == {"triage"}
        assert known.passed(steps[0]) == set()
