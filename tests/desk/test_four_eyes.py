"""Claim C-FOUR-EYES: what takes two people takes two, whatever one desk was changed to say."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
import random
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from crypto.header import Kind
from crypto.ids import HeaderHash
from crypto.manifest import EntryBody
from desk import work
from desk.alarms import Sign
from desk.cases import Cases
from desk.errors import ActRefused
from desk.fold import FOUR_EYES, fold
from desk.next_word import next_word
from desk.order import Node, ordered
from desk.progress import Silence
from desk.rules import load
from desk.sync import synchronise
from desk.transmission.possible import Competence, competence, reasons_against
from desk.trust import Signer
from desk.verify import Entry
from tests.desk.journal import READY, Journal
from tests.desk.world import TODAY, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.fold import Work
    from desk.next_word import NextWord
    from desk.rules import Rules
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FOUR-EYES")


def alarmed(case: Case) -> bool:
    signs = {one.sign for one in case.alarms}
    assert signs <= {Sign.FOUR_EYES}
    return bool(signs)


def test_leaving_out_ones_own_act_hides_nothing(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """A changed desk makes it ready, and then transmits as if it had never heard of that."""
    triage, assessed = journal.state("triage", by=0), journal.state("assessment", by=0)
    checked = journal.state("seriousness_check", by=0)
    ready = journal.state("ready", by=1, **READY)
    sent = journal.state("transmitted", by=1, after=checked, **READY)
    sync(*report, triage, assessed, checked, ready, sent)
    assert alarmed(read())


def test_an_earlier_colleagues_hand_does_not_cover_ones_own(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    """It was ready by a colleague once, came back, and was made ready again by one alone."""
    rows = [
        journal.state("triage"), journal.state("assessment"), journal.state("seriousness_check"),
        once := journal.state("ready", by=0, **READY), journal.state("assessment", by=0),
        journal.state("ready", by=1, **READY),
    ]  # fmt: skip
    sent = journal.state("transmitted", by=1, after=once, **READY)
    sync(*report, *rows, sent)
    assert alarmed(read())


def test_the_fast_lane_of_long_ago_does_not_cover_it_either(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [
        journal.state("triage"), fast := journal.state("imminent"), journal.state("assessment"),
        journal.state("seriousness_check"), journal.state("ready", **READY),
    ]  # fmt: skip
    sync(*report, *rows, journal.state("transmitted", after=fast, **READY))
    assert alarmed(read())


@pytest.mark.parametrize("before", [[], ["triage"], ["triage", "assessment"]], ids=str)
def test_what_nobody_made_ready_is_not_transmitted_quietly(
    journal: Journal, report: list[Row], sync: Synced, read: Read, before: list[str]
) -> None:
    rows = [journal.state(name, by=0) for name in before]
    sync(*report, *rows, journal.state("transmitted", by=1, **READY))
    assert alarmed(read())


def test_two_hands_are_two_however_often_it_goes_and_comes(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    rows = [
        journal.state("triage"), journal.state("assessment"), journal.state("seriousness_check"),
        journal.state("ready", by=0, **READY), journal.state("transmitted", by=1, **READY),
        journal.state("returned", by=1, text="Not ours."), journal.state("ready", by=1, **READY),
        journal.state("transmitted", by=0, **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    assert not alarmed(read())
    assert not read().work.irregular


@pytest.mark.parametrize("kind", ["one after the other", "side by side"])
def test_a_colleague_who_floods_a_case_stops_nobody(
    world: World, reporter: Reporter, kind: str
) -> None:
    """The fold alone: to seal thousands of acts takes longer than that."""
    first = reporter.report()[0]
    author = Signer(world.roster.operators[1])
    entries, nodes = [], {first.header.hash: Node(first.header.hash, TODAY, ())}
    last = first.header.hash
    for number in range(4000):
        name = HeaderHash(hashlib.sha256(b"%d" % number).digest())
        node = Node(name, TODAY, (last,), by_operator=True)
        nodes[name] = node
        state = "transmitted" if number % 2 else "ready"
        body = EntryBody(type="status", data={"state": state, **READY})
        entries.append(Entry(None, node, body, author))  # type: ignore[arg-type]  # never opened
        last = name if kind == "one after the other" else last
    begun = time.process_time()
    folded = fold(entries, nodes, load(), anonymous=True)
    assert time.process_time() - begun < 8
    assert len(folded.irregular) == 4000


# Two who did not know of each other

OTHER: dict[str, Any] = {"service": "regional_unit", "basis": "place_of_act"}


@pytest.fixture
def desks(desk: Desk, tmp_path: Path, world: World, server: FakeServer) -> tuple[Desk, Desk]:
    """Both operators' desks."""
    theirs = make_desk(tmp_path / "colleague", world, server.url, keyring=world.operators[1])
    return desk, theirs


def both_ready(
    journal: Journal, *, first: int, theirs: dict[str, Any] = READY
) -> tuple[list[Row], tuple[Row, Row]]:
    """Both operators make it ready at once; of the two acts, `first`'s has the lower hash."""
    before = [
        journal.state("triage", by=0), journal.state("assessment", by=1),
        checked := journal.state("seriousness_check", by=0),
    ]  # fmt: skip
    while True:
        pair = (
            journal.state("ready", by=0, after=checked, **READY),
            journal.state("ready", by=1, after=checked, **theirs),
        )
        if (pair[0].header.hash < pair[1].header.hash) == (first == 0):
            return before, pair


def sent_after(journal: Journal, pair: tuple[Row, ...], *, by: int, **facts: str) -> Row:
    """That it was transmitted, by a desk that asked nobody."""
    body = EntryBody(type="status", data={"state": "transmitted", **facts})
    return journal.world.by_operator(
        Kind.ENTRY, journal.reporter.case, body.to_json(),
        parents=[one.header.hash for one in pair], signer=journal.world.operators[by].sign,
    )  # fmt: skip


@pytest.mark.parametrize("first", [0, 1], ids=["mine is first", "theirs is first"])
@pytest.mark.parametrize("who", [0, 1], ids=["I transmit", "they transmit"])
def test_where_both_made_it_ready_for_one_service_either_transmits_it_and_nobody_is_accused(
    desks: tuple[Desk, Desk], journal: Journal, report: list[Row], sync: Synced,
    first: int, who: int,
) -> None:  # fmt: skip
    before, pair = both_ready(journal, first=first)
    sync(*report, *before, *pair)
    synchronise(desks[1], Silence())
    ref = journal.reporter.case.hex()
    assert not Cases(desks[who]).find(ref).work.conflicts
    assert work.set_state(desks[who], Cases(desks[who]).find(ref), "transmitted", **READY)
    for one in desks:
        synchronise(one, Silence())
        case = Cases(one).find(ref)
        assert (case.state, case.alarms, case.work.irregular) == ("transmitted", (), ())


@pytest.mark.parametrize("first", [0, 1], ids=["mine is first", "theirs is first"])
@pytest.mark.parametrize("who", [0, 1], ids=["I transmit", "they transmit"])
def test_a_ready_for_another_service_is_no_second_hand(
    desks: tuple[Desk, Desk], journal: Journal, report: list[Row], sync: Synced,
    first: int, who: int,
) -> None:  # fmt: skip
    before, pair = both_ready(journal, first=first, theirs=OTHER)
    sync(*report, *before, *pair)
    synchronise(desks[1], Silence())
    case = Cases(desks[who]).find(journal.reporter.case.hex())
    mine = (READY, OTHER)[who]
    with pytest.raises(ActRefused, match="Four eyes"):
        work.set_state(desks[who], case, "transmitted", **mine)
    # Nor does the order of two hashes choose a service: that is settled first.
    for chosen in (READY, OTHER):
        with pytest.raises(ActRefused, match="another service or basis"):
            competence(case, **chosen)
        said = reasons_against(desks[who], case, Competence(**chosen))
        assert "competence" in {why.rule for why in said}
    assert not alarmed(case)
    sync(sent_after(journal, pair, by=who, **mine))
    synchronise(desks[1], Silence())
    assert all(alarmed(Cases(one).find(case.id.hex())) for one in desks)


@pytest.mark.parametrize(
    "facts", [OTHER, {**READY, "basis": "place_of_arrest"}, {"service": "cyber_unit"}, {}],
    ids=["service", "basis", "no basis", "neither"],
)  # fmt: skip
def test_what_was_made_ready_for_one_is_not_transmitted_to_another(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read,
    facts: dict[str, Any],
) -> None:  # fmt: skip
    rows = [
        journal.state("triage"), journal.state("assessment"), journal.state("seriousness_check"),
        journal.state("ready", **READY),
    ]  # fmt: skip
    sync(*report, *rows)
    why = work.allowed(desk, read(), {"state": "transmitted", **facts})
    assert FOUR_EYES in {one.rule for one in why}
    sync(journal.state("transmitted", by=0, **facts))
    assert alarmed(read())


@pytest.mark.parametrize("back", ["assessment", "of a newer desk"])
def test_a_ready_that_its_author_took_back_is_no_second_hand_beside_ones_own(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read, back: str
) -> None:
    before, (mine, _) = both_ready(journal, first=0)
    theirs = journal.last
    taken = journal.state(back, by=1, after=theirs)
    sync(*report, *before, mine, theirs, taken)
    why = work.allowed(desk, read(), {"state": "transmitted", **READY})
    assert FOUR_EYES in {one.rule for one in why}
    sync(sent_after(journal, (mine, taken), by=0, **READY))
    assert FOUR_EYES in {why.rule for one in read().work.irregular for why in one.why}


class Office:
    """Some operators who act on what each has, and hear of each other now and then."""

    def __init__(self, world: World, rules: Rules, chance: random.Random, first: Node) -> None:
        self.rules, self.chance = rules, chance
        self.hands = [Signer(one) for one in world.roster.operators]
        self.nodes = {first.hash: first}
        self.entries: dict[HeaderHash, Entry] = {}
        self.known = [{first.hash} for _ in self.hands]

    def seen(self, names: set[HeaderHash]) -> Work:
        """What a desk that has these makes of it."""
        nodes = {name: self.nodes[name] for name in names}
        acts = [self.entries[one.hash] for one in ordered(nodes.values()) if one.by_operator]
        return fold(acts, nodes, self.rules, anonymous=False)

    def turn(self, honest: int = 2) -> bool:
        """Somebody hears what another has, or does what their desk allows; whether it was sent."""
        who = self.chance.randrange(honest)
        if self.chance.random() < 0.4:
            self.known[who] |= self.chance.choice(self.known)
            return False
        now, rules = self.seen(self.known[who]), self.rules
        named = self.named(who, now)
        states = [str(one.body.data["state"]) for one in named.front]
        before = [rules.states[one] for one in states if one in rules.states]
        leads = [name for one in before or [rules.states["received"]] for name in one.leads_to]
        state = self.chance.choice([*leads, *sorted({"ready", "transmitted"} & set(leads)) * 3])
        data: dict[str, Json] = {"state": state, **dict.fromkeys(rules.states[state].asks, "x")}
        if "service" in data:
            data |= self.chance.choice([READY, READY, OTHER])
        desk = SimpleNamespace(rules=rules, signer=self.hands[who])
        case = SimpleNamespace(work=now, is_anonymous=False, next_word=named)
        if work.allowed(cast("Desk", desk), cast("Case", case), data):
            return False
        self.write(who, EntryBody(type="status", data=data), named.heads)
        return state == "transmitted"

    def named(self, who: int, now: Work) -> NextWord:
        """What this operator's next word names."""
        nodes = {name: self.nodes[name] for name in self.known[who]}
        timeline = [self.entries[one.hash] for one in ordered(nodes.values()) if one.by_operator]
        return next_word(timeline, nodes, now, self.hands[who].key)

    def write(self, who: int, body: EntryBody, parents: tuple[HeaderHash, ...]) -> None:
        """An entry, that names these."""
        name = HeaderHash(self.chance.randbytes(32))
        self.nodes[name] = node = Node(name, TODAY, parents, by_operator=True)
        self.entries[name] = Entry(None, node, body, self.hands[who])  # type: ignore[arg-type]
        self.known[who].add(name)

    def flood(self, who: int) -> None:
        """Somebody's changed desk names what it likes: nothing, or one word of somebody else's."""
        for _ in range(self.chance.randrange(12)):
            parents = self.chance.sample(sorted(self.nodes), self.chance.randrange(2))
            data: dict[str, Json] = {"text": "."}
            kind = self.chance.choice(["note", "note", "status"])
            if kind == "status":
                data = {"state": self.chance.choice(["triage", "assessment", "x"])}
            self.write(who, EntryBody(type=kind, data=data), tuple(parents))
        self.known[who] |= set(self.nodes)


def test_whom_their_desk_let_through_no_desk_accuses_whatever_came_in_which_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "myself", lambda desk: desk.signer)
    rules, sent = load(), 0
    for seed in range(60):
        first = Node(HeaderHash(bytes(32)), TODAY, ())
        office = Office(world, rules, random.Random(seed), first)  # noqa: S311  # chosen histories
        sent += sum(office.turn() for _ in range(60))
        assert not office.seen(set(office.nodes)).irregular, seed
    assert sent > 100


def test_nor_does_one_where_a_colleague_floods_the_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More heads than one word names: it names its author's own and every colleague's front."""
    monkeypatch.setattr(work, "myself", lambda desk: desk.signer)
    monkeypatch.setattr("desk.next_word.HEADS_MOST", 9)
    rules, sent, world = load(), 0, World.make(operators=3)
    for seed in range(60):
        first = Node(HeaderHash(bytes(32)), TODAY, ())
        office = Office(world, rules, random.Random(seed), first)  # noqa: S311  # chosen histories
        honest = set()
        for _ in range(60):
            before = set(office.entries)
            if office.chance.random() < 0.1:
                office.flood(2)
            else:
                sent += office.turn(2)
                honest |= set(office.entries) - before
        seen = office.seen(set(office.nodes))
        accused = {one.entry.node.hash for one in (*seen.irregular, *seen.untold)}
        assert not accused & honest, seed
    assert sent > 50
