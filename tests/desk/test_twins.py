"""One word in several envelopes: showing what a server kept for itself changes nothing."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import Day, HeaderHash, WordId
from crypto.manifest import EntryBody, ReplyBody
from desk import acts, twins
from desk.alarms import Sign
from desk.cases import Cases
from desk.desk import Desk
from desk.evidence import views
from desk.outbox import answer, append
from desk.progress import Silence
from desk.sync import synchronise
from desk.work import allowed, mark, set_state, write_note
from tests.desk.journal import READY
from tests.desk.test_sending import POSTS, copy_of
from tests.desk.world import TODAY, Reporter, Row, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from desk.cases import Case
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

WORD = WordId(b"W" * 16)
OTHER = WordId(b"V" * 16)


class Office:
    """Two operators, each at a desk, and a server that keeps for itself what it says it refused."""

    def __init__(
        self, tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
    ) -> None:
        self.server, self.reporter, self.world = server, reporter, world
        self.day = TODAY
        self.homes = [
            make_desk(tmp_path / f"d{n}", world, server.url, keyring=ring)
            for n, ring in enumerate(world.operators)
        ]
        self.kept: list[Envelope] = []
        self.everybody()

    def desk(self, number: int) -> Desk:
        """The desk of one of them, today."""
        one = self.homes[number]
        return Desk.open(one.home, one.keyring, today=lambda: Day(self.day))

    def case(self, number: int) -> Case:
        """The case as that desk reads it."""
        return Cases(self.desk(number)).find(self.reporter.case.hex())

    def everybody(self) -> None:
        """Sync both."""
        for number in range(len(self.homes)):
            synchronise(self.desk(number), Silence())

    def does(self, number: int, act: Callable[..., object], *given: Any, **more: Any) -> None:
        """One acts, and both sync."""
        act(self.desk(number), self.case(number), *given, **more)
        self.everybody()

    def takes_and_denies(
        self, number: int, act: Callable[..., object], *given: Any, **more: Any
    ) -> None:
        """The server keeps it, and says that it failed."""
        self.server.answers[POSTS] = (503, b"{}")
        act(self.desk(number), self.case(number), *given, **more)
        self.kept += self.desk(number).store.unposted()
        self.server.answers.clear()

    def next_day(self) -> None:
        """What waited is sealed anew, and sent."""
        self.day = Day(self.day + 1)
        self.server.today = self.day
        self.everybody()

    def shows(self, *some: Envelope) -> None:
        """What the server had all the time."""
        desk = self.homes[0].store
        for one in some or self.kept:
            parts = [desk.part_path(one.id, 1).read_bytes()] if one.sizes else []
            self.server.put(Row(one.header, one.wraps, one.manifest, parts))
        self.everybody()


@pytest.fixture
def office(tmp_path: Path, world: World, server: FakeServer, reporter: Reporter) -> Office:
    server.put(*reporter.report(identity_mode="contact_only"))
    return Office(tmp_path, world, server, reporter)


def accused(case: Case) -> tuple[object, ...]:
    return (*case.alarms, *case.work.irregular, *case.state_conflict)


@pytest.mark.claim("C-FOUR-EYES")
def test_whoever_did_all_by_the_rules_is_not_accused_of_what_a_server_kept_back(
    office: Office,
) -> None:
    office.does(1, set_state, "triage")
    office.does(1, set_state, "assessment")
    office.takes_and_denies(0, set_state, "ready", **READY)
    office.next_day()
    office.does(1, set_state, "assessment")
    office.does(1, set_state, "ready", **READY)
    sending = {"state": "transmitted", **READY, "package": "0" * 64}
    assert allowed(office.desk(0), office.case(0), sending) == ()
    office.does(0, append, "status", sending)
    office.shows()
    for number in (0, 1):
        case = office.case(number)
        assert (case.state, accused(case)) == ("transmitted", ())
        assert len(case.work.of(acts.STATUS)) == 6
        assert office.kept[0].id in case.known


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.claim("C-WORK")
@pytest.mark.claim("C-CUT")
def test_what_came_twice_is_opened_once_taken_back_once_and_answered_once(office: Office) -> None:
    opened = {"request": "ab" * 32, "custodians": ["custodian 1"], "text": "threats"}
    office.takes_and_denies(0, append, "identity_opened", opened)
    office.takes_and_denies(0, answer, "Come on Monday.")
    office.takes_and_denies(0, mark, "legal_hold", on=True)
    office.next_day()
    office.does(0, mark, "legal_hold", on=False)
    office.shows()
    for number in (0, 1):
        case = office.case(number)
        assert accused(case) == ()
        assert case.work.conflicts == {}
        assert case.work.tags == ()
        assert len(case.work.of(acts.IDENTITY_OPENED)) == 1
        assert [one.body.text for one in case.replies] == ["Come on Monday."]


@pytest.mark.claim("C-WORK")
def test_it_changes_nothing_which_of_them_a_server_shows_and_in_what_order(office: Office) -> None:
    """The second bears names that the first one gave: of the first, nobody has ever heard."""
    office.takes_and_denies(0, set_state, "triage")
    office.takes_and_denies(0, set_state, "assessment")
    opener = office.desk(0).opener
    triage = next(one for one in office.kept if "triage" in opener.signed(one).body)
    second = next(one for one in office.kept if "assessment" in opener.signed(one).body)
    office.next_day()
    office.shows(second)
    for number in (0, 1):
        case = office.case(number)
        assert (case.state, accused(case)) == ("assessment", ())
        assert len(case.work.entries) == 2
    office.does(1, write_note, "We look into it.")
    office.shows(triage)
    for number in (0, 1):
        case = office.case(number)
        assert (case.state, accused(case)) == ("assessment", ())
        assert len(case.work.entries) == 3


@pytest.mark.claim("C-WORK")
def test_whoever_was_shown_the_first_alone_named_the_word(office: Office) -> None:
    """One desk sees the one envelope, another desk the other; then both see both."""
    office.takes_and_denies(0, set_state, "triage")
    (first,) = office.kept
    office.server.put(Row(first.header, first.wraps, first.manifest))
    office.day = Day(office.day + 1)
    office.server.today = office.day
    synchronise(office.desk(1), Silence())
    assert set_state(office.desk(1), office.case(1), "assessment")
    del office.server.rows[first.id]
    synchronise(office.desk(0), Silence())
    # Positive control: what this desk has of it is torn apart.
    assert office.case(0).alarms
    office.shows()
    for number in (0, 1):
        case = office.case(number)
        assert (case.state, case.state_conflict, case.work.irregular) == ("assessment", (), ())
        assert {one.sign for one in case.alarms} <= {Sign.MISSING}


def test_of_a_copy_that_came_twice_the_one_with_its_bytes_is_shown(office: Office) -> None:
    office.takes_and_denies(0, copy_of)
    (first,) = office.kept
    sealed = office.desk(0).store.part_path(first.id, 1)
    part = sealed.read_bytes()
    sealed.unlink()
    office.next_day()
    office.server.put(Row(first.header, first.wraps, first.manifest, [part]))
    office.everybody()
    for number in (0, 1):
        (copy,) = views(office.desk(number), office.case(number))
        assert (copy.id, copy.problem) == (first.id.hex(), "")
        assert office.case(number).work.irregular == ()


# --- what an id does not do


@pytest.fixture
def said(world: World, reporter: Reporter) -> Callable[..., Row]:
    def row(
        text: str = "Call the bank.", *parents: Row, by: int = 1, word: WordId | None = WORD,
        day: int = TODAY, missing: Sequence[HeaderHash] = (),
    ) -> Row:  # fmt: skip
        body = EntryBody(type="note", data={"text": text}, word=word)
        return world.by_operator(
            Kind.ENTRY, reporter.case, body.to_json(), day=Day(day),
            parents=[*(one.header.hash for one in parents), *missing],
            signer=world.operators[by].sign,
        )  # fmt: skip

    return row


def notes(case: Case) -> list[str]:
    return [str(one.body.data["text"]) for one in case.work.entries]


def test_it_says_nothing_about_another_signer_another_text_or_what_bears_none(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    sync(
        *report, said("a"), said("a", by=0), said("b"), said("a", word=OTHER),
        said("a", word=None), said("a", word=None),
    )  # fmt: skip
    assert sorted(notes(read())) == ["a", "a", "a", "a", "a", "b"]
    assert read().alarms == ()


def test_the_last_stands_for_all_and_all_names_lead_to_it(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    first, last = said("a", *report[:1]), said("a", *report[:1], day=TODAY + 1)
    middle = said("a", *report[:1])
    sync(
        *report,
        first,
        last,
        middle,
        said("b", first, word=OTHER),
        said("c", middle, last, word=None),
    )
    case = read()
    assert sorted(notes(case)) == ["a", "b", "c"]
    by_text = {str(one.body.data["text"]): one for one in case.work.entries}
    assert by_text["a"].node.hash == last.header.hash
    assert by_text["a"].envelope.id == last.id
    assert by_text["b"].node.parents == by_text["c"].node.parents == (last.header.hash,)
    assert set(case.heads) == {by_text["b"].node.hash, by_text["c"].node.hash}


@pytest.mark.claim("C-FOUR-EYES")
def test_nobody_changes_afterwards_what_an_act_of_theirs_knew(
    journal: Any, world: World, reporter: Reporter, report: list[Row], sync: Synced, read: Read
) -> None:
    """Transmitted alone, and signed once more behind the colleague's word that came later."""
    before = [journal.state("triage", by=0), journal.state("assessment", by=0)]
    body = EntryBody(type="status", data={"state": "transmitted", **READY}, word=WORD).to_json()

    def sent(after: Row, day: int) -> Row:
        return world.by_operator(
            Kind.ENTRY, reporter.case, body, parents=[after.header.hash], day=Day(day)
        )

    alone = sent(before[-1], TODAY)
    ready = journal.state("ready", by=0, after=before[-1], **READY)
    sync(*report, *before, alone, ready, sent(ready, TODAY + 1))
    case = read()
    assert len([one for one in case.work.entries if one.body.data["state"] == "transmitted"]) == 2
    assert Sign.FOUR_EYES in {one.sign for one in case.alarms}


def test_two_words_that_would_answer_each_other_stay_apart(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    """Two people sign, twice each, so that whoever joined all of it would go in a circle."""
    one, two = said("a"), said("b", by=0, word=OTHER)
    between = said("c", two, word=None)
    three = said("b", one, by=0, word=OTHER, day=TODAY + 1)
    sync(*report, one, two, between, three, said("a", between, day=TODAY + 1))
    case = read()
    # One of the two may be one word; both may not.
    assert len(notes(case)) == 5
    assert case.heads


def test_one_that_names_what_nobody_here_has_is_one_with_the_other(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    gone = said("never shown", word=OTHER).header.hash
    first = said("a", *report[:1], missing=[gone])
    here = said("here", word=OTHER)
    last = said("a", report[0], here, day=TODAY + 1)
    sync(*report, first, here, last)
    assert sorted(notes(read())) == ["a", "here"]
    assert read().alarms == ()


def test_where_all_of_them_name_what_nobody_has_that_is_still_said(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    gone = said("never shown", word=OTHER).header.hash
    rows = [said("a", report[0], missing=[gone], day=day) for day in (TODAY, TODAY + 1)]
    sync(*report, *rows)
    assert notes(read()) == ["a"]
    assert Sign.PARENT_MISSING in {one.sign for one in read().alarms}


def test_an_answer_that_was_sealed_anew_differs_by_its_day_alone(
    world: World, reporter: Reporter, report: list[Row], sync: Synced, read: Read
) -> None:
    def reply(day: int, **more: Any) -> Row:
        body = ReplyBody(**{"text": "Yes.", "author_day": Day(day), "word": WORD, **more})
        return world.by_operator(
            Kind.REPLY, reporter.case, body.to_json(), parents=[report[0].header.hash],
            reply_key=reporter.reply_key, day=Day(day),
        )  # fmt: skip

    sync(*report, reply(TODAY), reply(TODAY + 1), reply(TODAY, status="examined"))
    days = sorted((one.body.author_day, one.body.status) for one in read().replies)
    assert days == [(TODAY, "examined"), (TODAY + 1, None)]
    assert not read().unanswered


@pytest.mark.parametrize("days", [(0, 1), (1, 0)], ids=["reporter-first", "reporter-last"])
def test_what_is_sealed_to_another_receipt_does_not_stand_for_what_the_reporter_reads(
    world: World, reporter: Reporter, report: list[Row], sync: Synced, read: Read,
    days: tuple[int, int],
) -> None:  # fmt: skip
    """A colleague seals one word twice: to the reporter, and to a receipt of somebody else."""
    body = ReplyBody(text="Complain to X.", author_day=TODAY, status="closed", word=WORD).to_json()
    keys = (reporter.reply_key, Reporter(world).reply_key)
    replies = [
        world.by_operator(
            Kind.REPLY, reporter.case, body, parents=[report[0].header.hash], reply_key=key,
            day=Day(TODAY + day),
        )
        for key, day in zip(keys, days, strict=True)
    ]  # fmt: skip
    sync(*report, *replies)
    case = read()
    assert {one.envelope.id for one in case.messages} == {one.id for one in replies}
    assert [one.envelope.id for one in case.replies] == [replies[0].id]
    assert (case.public_status, case.unanswered) == ("closed", False)
    assert [one.sign for one in case.alarms] == [Sign.REPLY_ELSEWHERE]


def test_a_flood_of_one_id_costs_about_as_much_as_it_is_large(
    said: Callable[..., Row], report: list[Row], sync: Synced, read: Read
) -> None:
    known = said("first", word=None)
    sync(*report, known)
    (entry,) = read().work.entries
    plain, flood = [], []
    for number in range(6000):
        name = HeaderHash((10**6 + number).to_bytes(32, "big"))
        plain.append(replace(entry, node=replace(entry.node, hash=name)))
        node = replace(
            entry.node, hash=HeaderHash(number.to_bytes(32, "big")), parents=(name,)
        )  # fmt: skip
        flood.append(replace(entry, node=node, body=replace(entry.body, word=WORD)))
    said_here = [*plain, *flood]
    believed = frozenset(one.node.hash for one in said_here)
    begun = time.monotonic()
    words = twins._words(said_here, believed)
    assert sum(len(one.of) for one in words) == 12_000
    assert time.monotonic() - begun < 2
