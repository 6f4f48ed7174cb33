"""Several programs of one desk at once, pages, commands, a timer: nothing is said twice."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.ids import Day, EnvelopeId
from crypto.manifest import EntryBody
from desk import work
from desk.alarms import Sign
from desk.cases import Cases
from desk.client import SyncClient, UntrustedEnvelope, UntrustedPage
from desk.desk import Desk
from desk.errors import AlreadySyncing, CaseMoved, DeskError
from desk.locks import alone
from desk.outbox import answer, append
from desk.patience import SyncLimits
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.world import JPEG, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

HURRIED = SyncLimits(other_seconds=0.1)


def another(desk: Desk, day: Day = TODAY) -> Desk:
    """The same desk, unlocked by another program."""
    return Desk.open(desk.home, desk.keyring, today=lambda: day)


def replies(server: FakeServer) -> int:
    """How many answers the reporter would see."""
    return sum(one.header.kind is Kind.REPLY for one in server.rows.values())


@pytest.mark.claim("C-CUT")
def test_a_second_sync_waits_a_moment_and_then_says_that_one_is_under_way(
    desk: Desk, sync: Synced, reporter: Reporter
) -> None:
    with alone(desk.home.syncing, 0) as mine:
        assert mine
        with pytest.raises(AlreadySyncing, match="under way"):
            synchronise(another(desk), Silence(), limits=HURRIED)
    # A lock is over with whoever held it, and leaves nothing.
    assert sync(*reporter.report()).envelopes == 2


@pytest.mark.claim("C-CUT")
def test_one_file_that_two_fetch_is_whole_and_nobody_is_accused(
    desk: Desk, server: FakeServer, reporter: Reporter
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG * 300)
    server.put(*reporter.report([photo]))
    ended: list[object] = []

    def run(one: Desk) -> None:
        try:
            ended.append(synchronise(one, Silence()))
        except DeskError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(another(desk),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 3
    assert all(not getattr(one, "alarms", ()) for one in ended)
    assert desk.store.alarms() == ()
    assert desk.store.part_path(photo.id, 1).read_bytes() == photo.parts[0]


@pytest.mark.claim("C-CUT")
def test_what_waits_is_sealed_anew_once_however_many_send_it(
    desk: Desk, server: FakeServer, sync: Synced, reporter: Reporter, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"{}")
    assert not answer(desk, read(), "Come to the station on Monday.")
    server.answers.clear()
    (old,) = desk.store.unposted()
    fresh = replace(old, header=replace(old.header, envelope=EnvelopeId(b"1" * 16)))
    twin = replace(old, header=replace(old.header, envelope=EnvelopeId(b"2" * 16)))
    waiting = frozenset({old.id})
    assert desk.store.exchange([(old.id, fresh)], waiting)
    assert not desk.store.exchange([(old.id, twin)], waiting)
    assert desk.store.exchange([(old.id, twin)], frozenset({old.id, fresh.id}))
    assert [one.id for one in desk.store.unposted()] == [fresh.id]


@pytest.mark.claim("C-CUT")
def test_what_another_program_has_sent_meanwhile_is_not_put_aside(
    desk: Desk, server: FakeServer, sync: Synced, reporter: Reporter, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"{}")
    assert not answer(desk, read(), "Come to the station on Monday.")
    (old,) = desk.store.unposted()
    desk.store.mark_posted(old.id)
    twin = replace(old, header=replace(old.header, envelope=EnvelopeId(b"2" * 16)))
    assert desk.store.exchange([(old.id, twin)], frozenset({old.id}))
    assert twin.id not in desk.store.outsides()
    assert desk.store.outsides()[old.id] == (old.header.to_bytes(), old.digest, True)


@pytest.mark.claim("C-CUT")
def test_what_is_being_sent_is_not_sealed_anew_meanwhile(
    desk: Desk, server: FakeServer, sync: Synced, reporter: Reporter, read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    monkeypatch.setattr("desk.outbox.OTHER_SECONDS", 0.1)
    with alone(desk.home.sending, 0):
        assert not answer(desk, read(), "Come to the station on Monday.")
        with pytest.raises(AlreadySyncing):
            synchronise(another(desk), Silence())
    assert replies(server) == 0
    synchronise(another(desk, Day(TODAY + 1)), Silence())
    assert replies(server) == 1


@pytest.mark.claim("C-WORK")
def test_an_act_on_a_case_that_moved_meanwhile_is_not_written(
    desk: Desk, sync: Synced, reporter: Reporter, read: Read
) -> None:
    sync(*reporter.report())
    case = read()
    assert work.write_note(desk, case, "Called the bank.")
    before = read().known
    with pytest.raises(CaseMoved, match="nothing was written"):
        work.write_note(desk, case, "Called the bank.")
    with pytest.raises(CaseMoved):
        answer(desk, case, "Which bank?")
    with pytest.raises(CaseMoved):
        append(desk, case, "note", {"text": "With a copy."}, b"content")
    assert read().known == before
    assert not list(desk.home.parts.iterdir())
    sync(*reporter.follow_up("It was the other bank."))
    with pytest.raises(CaseMoved):
        answer(desk, replace(case, known=before), "Which bank?")
    # Nor where it holds less: what an act names as a parent must be there.
    with pytest.raises(CaseMoved):
        answer(desk, replace(read(), known=read().known | {EnvelopeId(bytes(16))}), "Which bank?")


@pytest.mark.claim("C-WORK")
def test_of_two_that_press_at_once_one_act_stands(
    desk: Desk, sync: Synced, reporter: Reporter, read: Read
) -> None:
    sync(*reporter.report())
    case, ready, ended = read(), threading.Barrier(4), list[str]()

    def press() -> None:
        mine = another(desk)
        ready.wait(30)
        try:
            work.write_note(mine, case, "Called the bank.")
            ended.append("written")
        except CaseMoved:
            ended.append("moved")

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["moved"] * 3 + ["written"]
    assert len(read().work.of("note")) == 1


@pytest.mark.parametrize("apart", [False, True], ids=["one page", "two pages"])
def test_a_twin_in_the_index_is_shouted_about_and_changes_nothing(
    desk: Desk, world: World, sync: Synced, reporter: Reporter, read: Read,
    monkeypatch: pytest.MonkeyPatch, *, apart: bool,
) -> None:  # fmt: skip
    report = reporter.report()
    sync(*report)
    note = world.by_operator(
        Kind.ENTRY, reporter.case, EntryBody(type="status", data={"state": "triage"}).to_json(),
        parents=[report[0].header.hash],
    )  # fmt: skip
    index = SyncClient.index

    def with_twin(client: SyncClient, after: str | None) -> UntrustedPage:
        if after == "twins":
            return UntrustedPage(tuple(twins), 0, None)
        page = index(client, after)
        made = [one for one in page.envelopes if one.header == note.header.to_bytes()]
        header = replace(
            note.header, roster_hash=type(note.header.roster_hash)(bytes(32)), parts=2
        ).to_bytes()
        twins.extend(replace(one, header=header, sizes=(100,)) for one in made)
        if apart:
            return replace(page, next="twins")
        return replace(page, envelopes=(*page.envelopes, *twins))

    twins: list[UntrustedEnvelope] = []
    monkeypatch.setattr(SyncClient, "index", with_twin)
    done = sync(note)
    assert {one.sign for one in done.alarms} == {Sign.ENVELOPE_CHANGED}
    (kept,) = [one for one in desk.store.everything() if one.id == note.id]
    assert (kept.sizes, kept.late_after, kept.header) == ((), 0, note.header)
    assert Cases(desk).find(reporter.case.hex()).state == "triage"
    assert {one.sign for one in read().alarms} == {Sign.ENVELOPE_CHANGED}
