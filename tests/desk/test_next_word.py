"""Claims C-WORK, C-FOUR-EYES: what a word names where a case has more than one word can name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from crypto.ids import HeaderHash
from crypto.manifest import EntryBody, ReplyBody
from desk.fold import fold
from desk.next_word import next_word
from desk.order import HEADS_MOST, Node, by_turns
from desk.rules import load
from desk.trust import Signer
from desk.verify import Entry, FollowUp, Reply
from tests.desk.world import TODAY, World

if TYPE_CHECKING:
    from crypto.strict_json import Json
    from desk.next_word import NextWord

pytestmark = [pytest.mark.claim("C-WORK"), pytest.mark.claim("C-FOUR-EYES")]

MOST = 9
ME, COLLEAGUE, FLOODER = 0, 1, 2


class Told:
    """A case that is written by hand, and never sealed."""

    def __init__(self) -> None:
        self.hands = [Signer(one) for one in World.make(operators=3).roster.operators]
        self.timeline: list[FollowUp | Reply | Entry] = []
        self.nodes: dict[HeaderHash, Node] = {}

    def _node(self, parents: tuple[HeaderHash, ...], *, by_operator: bool = True) -> Node:
        name = HeaderHash(hashlib.sha256(b"%d" % len(self.nodes)).digest())
        self.nodes[name] = Node(name, TODAY, parents, by_operator)
        return self.nodes[name]

    def act(self, by: int, kind: str, *parents: HeaderHash, **data: Json) -> HeaderHash:
        """An entry."""
        node = self._node(parents)
        body = EntryBody(type=kind, data=data or {"text": "."})
        self.timeline.append(
            Entry(None, node, body, self.hands[by])  # type: ignore[arg-type]  # never opened
        )
        return node.hash

    def answer(self, by: int, *parents: HeaderHash) -> HeaderHash:
        """A reply."""
        body = ReplyBody(text="Yes.", author_day=TODAY)
        node = self._node(parents)
        self.timeline.append(
            Reply(None, node, body, self.hands[by])  # type: ignore[arg-type]
        )
        return node.hash

    def message(self, *parents: HeaderHash) -> HeaderHash:
        """The reporter's."""
        node = self._node(parents, by_operator=False)
        self.timeline.append(FollowUp(None, node, None))  # type: ignore[arg-type]
        return node.hash

    def flood(self, kind: str = "note", *, times: int = 4 * MOST, **data: Json) -> None:
        """Words that name nothing."""
        for _ in range(times):
            self.act(FLOODER, kind, **data)

    def next(self) -> NextWord:
        """What my next word names."""
        entries = [one for one in self.timeline if isinstance(one, Entry)]
        work = fold(entries, self.nodes, load(), anonymous=False)
        return next_word(self.timeline, self.nodes, work, self.hands[ME].key)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """An empty case, in which a word names few others."""
    monkeypatch.setattr("desk.next_word.HEADS_MOST", MOST)
    return Told()


def test_where_it_is_not_too_much_all_is_named_that_no_word_names_and_nothing_else(
    told: Told,
) -> None:
    old = told.act(COLLEAGUE, "status", state="triage")
    asked = told.message()
    done = told.act(ME, "note", old, text=".")
    first = told.answer(COLLEAGUE, old)
    assert told.next().heads == tuple(sorted((asked, done, first)))
    after = told.act(ME, "note", asked, done, first, text=".")
    assert told.next().heads == (after,)
    assert told.next().answers_to == (after, first)
    assert told.next().passed == {"triage"}


def test_ones_own_newest_words_are_named_whoever_else_names_them(told: Told) -> None:
    """The colleague's one note that names mine may be the one that is left out."""
    old = told.act(ME, "note", text="1")
    mine = told.act(ME, "note", old, text="2")
    for _ in range(4 * MOST):
        told.act(FLOODER, "note", mine, text=".")
    named = told.next()
    assert len(named.heads) == len(named.answers_to) == MOST
    assert mine in named.heads
    assert mine in named.answers_to
    assert old not in named.heads


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("status", {"state": "ready"}), ("priority", {"priority": "P1"}),
        ("tag", {"tag": "legal_hold", "on": True}),
    ],
    ids=["status", "priority", "tag"],
)  # fmt: skip
@pytest.mark.parametrize("flood", ["note", "status", "tag"])
def test_what_a_colleague_set_is_named_whatever_the_flood_is_of(
    told: Told, kind: str, data: dict[str, Json], flood: str
) -> None:
    theirs = told.act(COLLEAGUE, kind, **data)
    told.act(FLOODER, "note", theirs, text="As if it were known through this.")
    for number in range(4 * MOST):
        of: dict[str, dict[str, Json]] = {
            "status": {"state": "triage"}, "tag": {"tag": f"t{number}", "on": True},
        }  # fmt: skip
        told.act(FLOODER, flood, **of.get(flood, {"text": "."}))
    assert theirs in told.next().heads
    assert theirs in told.next().answers_to


def test_the_status_stands_before_what_else_its_author_set(told: Told) -> None:
    for number in range(2 * MOST):
        told.act(COLLEAGUE, "tag", tag=f"t{number}", on=True)
    theirs = told.act(COLLEAGUE, "status", state="ready")
    told.flood()
    assert theirs in told.next().heads


def test_a_message_is_named_beside_a_flood_of_acts(told: Told) -> None:
    asked = told.message()
    told.flood("status", state="triage")
    assert asked in told.next().heads


def test_the_rules_are_asked_of_the_states_that_are_named(told: Told) -> None:
    """What is not named, no other desk will believe to have been known."""
    told.flood("status", state="triage")
    left = told.act(FLOODER, "status", state="ready")
    named = told.next()
    assert left not in named.heads
    assert {one.body.data["state"] for one in named.front} == {"triage"}
    assert named.passed == {"triage"}
    assert len(named.front) == MOST


def test_what_comes_after_names_the_rest(told: Told) -> None:
    told.flood()
    counts = []
    while len(heads := told.next().heads) > 1:
        counts.append(len(heads))
        told.act(ME, "note", *heads, text=".")
    assert counts == [MOST, MOST, MOST, MOST, 4]


def test_an_answer_names_no_more_than_that_and_its_authors_own_last_one(told: Told) -> None:
    mine, theirs = told.answer(ME), told.answer(COLLEAGUE)
    for _ in range(4 * MOST):
        told.answer(FLOODER)
    told.act(ME, "note", *told.nodes, text="Seen.")
    named = told.next()
    assert len(named.heads) == 1
    assert len(named.answers_to) == MOST
    assert {mine, theirs, named.heads[0]} <= set(named.answers_to)


def test_turns_end_with_the_last_of_the_longest_queue() -> None:
    name = [HeaderHash(bytes([number]) * 32) for number in range(8)]
    queues = [name[0:1], name[1:6], [name[0], name[6]]]
    assert by_turns([name[7]], queues, 99) == (
        name[7], name[0], name[1], name[6], name[2], name[3], name[4], name[5],
    )  # fmt: skip
    assert by_turns(name, queues, 3) == tuple(name[:3])
    assert by_turns([], queues, 2) == (name[0], name[1])
    assert HEADS_MOST == 1000
