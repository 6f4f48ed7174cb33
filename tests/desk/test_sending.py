"""What waits here: one that cannot go stops nothing else, and what was kept was said."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from crypto.header import Kind
from crypto.ids import Day, EnvelopeId
from crypto.keys import ReplyPublicKey
from desk import acts, sending
from desk.alarms import Sign
from desk.cases import Cases
from desk.desk import Desk
from desk.disk import Disk
from desk.errors import NotAnswerable
from desk.outbox import answer, append
from desk.progress import Silence
from desk.sending import send_waiting
from desk.store import Store
from desk.sync import synchronise
from desk.work import set_state, write_note
from tests.desk.world import JPEG, TODAY, Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import CaseId
    from crypto.receipt import ReceiptKeys
    from desk.cases import Case
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

POSTS = "/v1/envelopes"
COPIED = b"Nothing that names anybody."


def after(desk: Desk, server: FakeServer, days: int = 1) -> Desk:
    """The same desk, opened on a day on which the server takes nothing of today any more."""
    server.today = TODAY + days
    return Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + days))


def of(desk: Desk, reporter: Reporter) -> Case:
    return Cases(desk).find(reporter.case.hex())


def written(server: FakeServer, reporter: Reporter) -> list[Kind]:
    """What operators' desks wrote into a case, as the server has it."""
    kinds = (Kind.REPLY, Kind.ENTRY)
    rows = server.rows.values()
    return [
        one.header.kind for one in rows if one.header.case == reporter.case
        and one.header.kind in kinds
    ]  # fmt: skip


def signs(desk: Desk) -> list[Sign]:
    return [one.sign for one in desk.store.alarms()]


def flip(desk: Desk, one: Envelope) -> None:
    """One bit of this disk, in what waits."""
    spoilt = bytearray(one.manifest)
    spoilt[40] ^= 1
    with closing(sqlite3.connect(desk.home.database)) as connection, connection:
        connection.execute(
            "UPDATE envelopes SET manifest=? WHERE envelope=?", (bytes(spoilt), one.id)
        )


@pytest.fixture
def other(world: World) -> Reporter:
    """Somebody else, in danger, whose case has nothing to do with the first."""
    return Reporter(world)


# --- one that cannot go stops nothing else


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("what", ["a message", "a report", "a report that is pinned"])
def test_an_answer_whose_case_another_key_is_shown_in_goes_to_the_one_it_was_for_and_stops_no_sync(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced, what: str
) -> None:
    sync(*reporter.follow_up("Is anybody there?"))
    server.answers[POSTS] = (503, b"{}")
    assert not answer(desk, of(desk, reporter), "We hear you.")
    server.answers.clear()
    # A second person, or the server itself, says that this case is theirs.
    thief = Reporter(reporter.world, case=reporter.case)
    photo = other.evidence("photo-1.jpg", "image/jpeg", JPEG)
    later = after(desk, server)
    made = thief.report() if "report" in what else thief.follow_up("No, me.", day=Day(TODAY + 1))
    server.put(*made)
    server.put(*other.report([photo], danger_now="yes"))
    if "pinned" in what:
        later.store.pin_origins({reporter.case: made[0].id})
    done = synchronise(later, Silence(), stamp="now")
    # However it came that the case has another key: what was sealed to one goes to no other.
    assert (of(later, reporter).reply_key == thief.reply_key) == ("pinned" in what)
    assert (done.posted, done.waiting, done.files) == (1, 0, 1)
    assert later.store.noted("last_sync") == "now"
    (reply,) = [one for one in server.rows.values() if one.header.kind is Kind.REPLY]
    assert reporter.receipt.open_reply(reply.header, reply.wraps)
    assert reply.header.day == TODAY + 1


@pytest.mark.claim("C-FORGED")
def test_an_answer_is_not_sealed_anew_to_an_operators_key_that_a_report_gave_for_the_reporters(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    """A key is known again by its id, and an operator's is among the recipients of every answer."""
    sync(*reporter.report())
    server.answers[POSTS] = (503, b"{}")
    assert not answer(desk, of(desk, reporter), "We hear you.")
    server.answers.clear()
    colleague = world.operators[1].enrolment.key
    keys = cast("ReceiptKeys", SimpleNamespace(reply_public=ReplyPublicKey(colleague.raw)))
    thief = Reporter(world, case=reporter.case, receipt=keys)
    # Before all others, so that it is looked at first.
    first = world.sealer(Kind.REPORT, reporter.case, envelope=EnvelopeId(bytes(16)))
    server.put(*thief.report(sealer=first))
    later = after(desk, server)
    assert synchronise(later, Silence()).posted == 1
    (reply,) = [one for one in server.rows.values() if one.header.kind is Kind.REPLY]
    assert reporter.receipt.open_reply(reply.header, reply.wraps)


@pytest.mark.parametrize("is_known", [True, False], ids=["a key said it", "none did"])
def test_an_answer_to_a_report_goes_to_its_key_though_that_is_uncertain_now_or_waits(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch, *, is_known: bool,
) -> None:  # fmt: skip
    sync(*reporter.report(), *reporter.follow_up("And this."))
    server.answers[POSTS] = (503, b"{}")
    answer(desk, of(desk, reporter), "We read you.")
    server.answers.clear()
    later, find = after(desk, server), Cases.find
    # However that came: several reports that open, or one that was spoilt.
    monkeypatch.setattr(Cases, "find", lambda at, ref: replace(find(at, ref), reply_key=None))
    if not is_known:
        monkeypatch.setattr(sending, "_keys_said", lambda *_: ())
    done = synchronise(later, Silence())
    assert (done.posted, done.waiting) == (int(is_known), int(not is_known))
    assert [one.sign for one in done.alarms] == [Sign.SENDING_FAILED][: not is_known]
    monkeypatch.undo()
    synchronise(later, Silence())
    (reply,) = [one for one in server.rows.values() if one.header.kind is Kind.REPLY]
    assert reporter.receipt.open_reply(reply.header, reply.wraps)


@pytest.mark.claim("C-CUT")
def test_what_cannot_be_sealed_anew_waits_with_its_case_and_says_so_there(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report(), *other.report())
    server.answers[POSTS] = (503, b"{}")
    write_note(desk, of(desk, reporter), "Before it.")
    answer(desk, of(desk, reporter), "It.")
    write_note(desk, of(desk, reporter), "After it.")
    answer(desk, of(desk, other), "Go to the police station now.")
    server.answers.clear()
    before = {one.id for one in desk.store.unposted() if one.case == reporter.case}
    later = after(desk, server)

    key = of(desk, other).reply_key

    def reply_key(_: Desk, one: Envelope, *__: object) -> ReplyPublicKey | None:
        if one.case == reporter.case:
            raise NotAnswerable("no key")
        return key

    monkeypatch.setattr(sending, "_reply_key", reply_key)
    done = synchronise(later, Silence())
    assert (done.posted, done.waiting) == (1, 3)
    assert [one.sign for one in done.alarms] == [Sign.SENDING_FAILED]
    assert [one.case for one in done.alarms] == [reporter.case.hex()]
    # All of a case or none: what it had before would else be named by nothing that is anywhere.
    assert {one.id for one in later.store.unposted()} == before
    monkeypatch.undo()
    assert synchronise(later, Silence()).posted == 3
    assert signs(later) == []
    assert of(later, reporter).alarms == ()


@pytest.mark.claim("C-CUT")
def test_a_bit_that_flipped_in_what_waits_takes_that_and_what_names_it_and_nothing_else(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report(), *other.report())
    server.answers[POSTS] = (503, b"{}")
    write_note(desk, of(desk, reporter), "First.")
    (first,) = desk.store.unposted()
    write_note(desk, of(desk, reporter), "Names the first.")
    write_note(desk, of(desk, other), "Another case.")
    server.answers.clear()
    flip(desk, first)
    again = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
    done = synchronise(again, Silence())
    assert (done.posted, done.waiting) == (1, 2)
    assert [one.sign for one in done.alarms] == [Sign.WRITTEN_LOST]
    assert Sign.WRITTEN_LOST in {one.sign for one in of(again, reporter).alarms}
    assert written(server, other) == [Kind.ENTRY]
    assert written(server, reporter) == []
    # What is written after that names what was never sent, and says at once that it waits.
    assert not write_note(again, of(again, reporter), "Later.")
    later = after(again, server)
    assert synchronise(later, Silence()).waiting == 3
    assert written(server, reporter) == []


@pytest.mark.claim("C-CUT")
def test_what_is_said_again_after_a_bit_flipped_goes_out(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.answers[POSTS] = (503, b"{}")
    write_note(desk, of(desk, reporter), "First.")
    server.answers.clear()
    flip(desk, desk.store.unposted()[0])
    again = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
    assert write_note(again, of(again, reporter), "Said again.")
    assert written(server, reporter) == [Kind.ENTRY]


@pytest.mark.claim("C-CUT")
def test_what_arrived_before_a_bit_flipped_is_whole_again_and_nothing_is_said_of_it(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.posts_lost = True
    write_note(desk, of(desk, reporter), "It arrived.")
    server.posts_lost = False
    flip(desk, desk.store.unposted()[0])
    again = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
    rows = dict(server.rows)
    for name, row in rows.items():
        if row.header.kind is Kind.ENTRY:
            del server.rows[name]
    assert [one.sign for one in synchronise(again, Silence()).alarms] == [Sign.WRITTEN_LOST]
    server.rows = rows
    done = synchronise(again, Silence())
    assert (done.waiting, done.alarms) == (0, [])
    assert of(again, reporter).alarms == ()
    assert [one.body.data["text"] for one in of(again, reporter).work.entries] == ["It arrived."]


def waiting(desk: Desk, server: FakeServer, write: Callable[[Desk, Case], bool], *about: Reporter
) -> dict[CaseId, Envelope]:  # fmt: skip
    """What was written about each of them while the server was away."""
    server.answers[POSTS] = (503, b"{}")
    for one in about:
        assert not write(desk, of(desk, one))
    server.answers.clear()
    return {one.case: one for one in desk.store.unposted()}


# --- what was kept was said


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("name", ["mark_posted", "unposted"])
def test_what_was_kept_is_never_told_as_failed_whatever_this_disk_does_next(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read,
    monkeypatch: pytest.MonkeyPatch, name: str,
) -> None:  # fmt: skip
    sync(*reporter.report())

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, name, full)
    monkeypatch.setattr(Store, "shout", full)
    assert answer(desk, read(), "Come on Monday.") is False
    monkeypatch.undo()
    synchronise(desk, Silence())
    assert written(server, reporter) == [Kind.REPLY]
    assert [one.body.text for one in read().replies] == ["Come on Monday."]
    assert read().alarms == ()


def test_what_is_not_kept_leaves_no_sealed_copy_behind(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*reporter.report())

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    case = read()
    monkeypatch.setattr(Store, "keep_after", full)
    with pytest.raises(sqlite3.OperationalError):
        copy_of(desk, case)
    assert list(desk.home.parts.iterdir()) == []


# --- a copy whose bytes were lost


def copy_of(desk: Desk, case: Case) -> bool:
    data = {
        "file": "", "answer": "description", "part": 0, "boxes": [], "spans": [],
        "media_type": "text/plain", "length": len(COPIED),
        "sha256": hashlib.sha256(COPIED).hexdigest(),
    }  # fmt: skip
    return append(desk, case, acts.REDACTION, data, COPIED)  # type: ignore[arg-type]  # JSON


@pytest.mark.parametrize("how", ["gone", "a folder"])
@pytest.mark.parametrize("days", [0, 1])
def test_a_waiting_copy_that_was_lost_goes_out_without_its_bytes_and_its_case_says_so(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced,
    how: str, days: int,
) -> None:  # fmt: skip
    sync(*reporter.report(), *other.report())
    server.answers[POSTS] = (503, b"{}")
    copy_of(desk, of(desk, reporter))
    (waiting,) = desk.store.unposted()
    path = desk.store.part_path(waiting.id, 1)
    path.unlink()
    if how == "a folder":
        path.mkdir()
    server.answers.clear()
    # Pressed: it is kept, and it waits, as what it answers cannot go as it is.
    assert not write_note(desk, of(desk, reporter), "A note.")
    assert Sign.SENDING_FAILED in signs(desk)
    later = after(desk, server, days)
    done = synchronise(later, Silence())
    assert (done.posted, done.waiting) == (2, 0)
    assert [one.sign for one in done.alarms] == [Sign.COPY_LOST]
    assert [one.sign for one in of(later, reporter).alarms] == [Sign.COPY_LOST]
    assert written(server, reporter) == [Kind.ENTRY, Kind.ENTRY]


def test_a_copy_that_cannot_be_read_for_a_moment_waits(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    server.answers[POSTS] = (503, b"{}")
    copy_of(desk, of(desk, reporter))
    server.answers.clear()

    def busy(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(sending, "open_evidence", busy)
    later = after(desk, server)
    done = synchronise(later, Silence())
    assert [one.sign for one in done.alarms] == [Sign.SENDING_FAILED]
    monkeypatch.undo()
    assert synchronise(later, Silence()).posted == 1
    assert signs(desk) == []
    assert [len(row.parts) for row in server.rows.values() if row.header.kind is Kind.ENTRY] == [1]


def test_what_cannot_be_looked_at_today_and_need_not_be_goes_as_it_is(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    server.answers[POSTS] = (503, b"{}")
    copy_of(desk, of(desk, reporter))
    server.answers.clear()

    def busy(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(sending, "open_evidence", busy)
    done = synchronise(desk, Silence())
    assert (done.posted, done.alarms) == (1, [])


def test_what_was_sealed_anew_in_vain_leaves_no_part(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    server.answers[POSTS] = (503, b"{}")
    copy_of(desk, of(desk, reporter))
    answer(desk, of(desk, reporter), "After it.")
    server.answers.clear()
    later = after(desk, server)

    def no_key(*_: object) -> None:
        raise NotAnswerable("no key")

    monkeypatch.setattr(sending, "_reply_key", no_key)
    assert send_waiting(later).waiting == 2
    (part,) = desk.home.parts.iterdir()
    assert part == desk.store.part_path(
        next(one.id for one in desk.store.unposted() if one.sizes), 1
    )
    monkeypatch.undo()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "exchange", full)
    with pytest.raises(sqlite3.OperationalError):
        send_waiting(later)
    assert list(desk.home.parts.iterdir()) == [part]


class Ended(BaseException):
    """What a signal's handler raises, wherever the program is."""


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("when", ["the old part goes", "the new ones are kept"])
def test_a_signal_after_what_was_sealed_anew_was_kept_takes_no_copy(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch, when: str,
) -> None:  # fmt: skip
    sync(*reporter.report())
    waiting(desk, server, copy_of, reporter)
    (old,) = desk.store.unposted()
    later = after(desk, server)
    exchange, unlink = Store.exchange, Path.unlink

    def unlinked(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002  # as pathlib has it
        if path == desk.store.part_path(old.id, 1):
            raise Ended
        unlink(path, missing_ok=missing_ok)

    def exchanged(store: Store, *given: object) -> bool:
        exchange(store, *given)  # type: ignore[arg-type]  # as it was called
        raise Ended

    with monkeypatch.context() as ended:
        if when == "the old part goes":
            ended.setattr(Path, "unlink", unlinked)
        else:
            ended.setattr(Store, "exchange", exchanged)
        with pytest.raises(Ended):
            synchronise(later, Silence())
    (fresh,) = desk.store.unposted()
    assert fresh.id != old.id
    assert desk.store.part_path(fresh.id, 1).exists()
    done = synchronise(later, Silence())
    assert (done.posted, done.alarms, of(later, reporter).alarms) == (1, [], ())
    assert [len(row.parts) for row in server.rows.values() if row.header.kind is Kind.ENTRY] == [1]


@pytest.mark.claim("C-CUT")
def test_a_signal_after_a_copy_was_kept_does_not_take_it(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    keep_after = Store.keep_after

    def kept(store: Store, *given: object) -> bool:
        keep_after(store, *given)  # type: ignore[arg-type]  # as it was called
        raise Ended

    with monkeypatch.context() as ended:
        ended.setattr(Store, "keep_after", kept)
        with pytest.raises(Ended):
            copy_of(desk, of(desk, reporter))
    assert synchronise(desk, Silence()).posted == 1
    assert [len(row.parts) for row in server.rows.values() if row.header.kind is Kind.ENTRY] == [1]
    assert signs(desk) == []


def test_where_the_store_cannot_be_asked_no_copy_is_taken_away(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*reporter.report())
    case = read()

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(Store, "keep_after", broken)
        failing.setattr(Store, "some", broken)
        with pytest.raises(sqlite3.OperationalError, match="I/O"):
            copy_of(desk, case)
    assert len(list(desk.home.parts.iterdir())) == 1


def test_a_part_that_the_disk_does_not_take_leaves_nothing(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*reporter.report())
    keep_part = Store.keep_part

    def full(store: Store, *given: object) -> None:
        keep_part(store, *given)  # type: ignore[arg-type]  # as it was called
        raise OSError(28, "No space left on device")

    case = read()
    monkeypatch.setattr(Store, "keep_part", full)
    with pytest.raises(OSError, match="No space"):
        copy_of(desk, case)
    assert list(desk.home.parts.iterdir()) == []
    assert desk.store.unposted() == ()


# --- nothing is said twice where the list was not read to its end


@pytest.mark.claim("C-CUT")
def test_after_a_walk_that_was_cut_nothing_is_sealed_anew(
    desk: Desk, reporter: Reporter, other: Reporter, world: World, server: FakeServer,
    sync: Synced, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report(), *other.report())
    server.posts_lost = True
    answer(desk, of(desk, reporter), "Come to room 12 on Monday.")
    server.posts_lost = False
    later = after(desk, server)
    # Of today, and so as it is: it need not wait for room on the disk.
    server.answers[POSTS] = (503, b"{}")
    answer(later, of(later, other), "Go to the police station now.")
    server.answers.clear()
    # Before the answer in the list, so that the walk ends before it has seen it.
    (said,) = [one for one in server.rows.values() if one.header.kind is Kind.REPLY]
    late = Reporter(world).report(day=Day(TODAY + 1))
    while min(one.id for one in late) > said.id:
        late = Reporter(world).report(day=Day(TODAY + 1))
    server.page = 1
    server.put(*late)
    with monkeypatch.context() as full:
        full.setattr(Disk, "left_for_words", property(lambda _: -1))
        done = synchronise(later, Silence())
    assert (done.is_cut, done.posted, done.waiting) == (True, 1, 1)
    synchronise(later, Silence())
    assert written(server, reporter) == [Kind.REPLY]
    assert [one.body.text for one in of(later, reporter).replies] == ["Come to room 12 on Monday."]
    assert later.store.unposted() == ()


def test_the_alarm_of_one_that_was_refused_ends_when_it_is_taken(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.answers[POSTS] = (413, b"{}")
    assert not set_state(desk, of(desk, reporter), "triage")
    assert signs(desk) == [Sign.ANSWER_REFUSED]
    server.answers.clear()
    assert synchronise(desk, Silence()).posted == 1
    assert signs(desk) == []
