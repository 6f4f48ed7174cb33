"""Answers and entries: sealed to whom they should be, kept when nobody takes them."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto.body import open_manifest
from crypto.header import Kind
from crypto.ids import KID_ZERO, Day
from crypto.manifest import EntryBody, ReplyBody
from crypto.signed import SignedManifest
from crypto.wrap import parse_wraps
from desk import delivery, outbox, sending
from desk.alarms import Sign
from desk.cases import Cases
from desk.desk import Desk
from desk.errors import ActRefused, NothingToSay, RosterNotTrusted, ServerRefused, StateUnknown
from desk.outbox import TEXT_MOST, answer, append
from desk.progress import Silence
from desk.sync import synchronise
from desk.work import mark, set_state
from tests.desk.world import TODAY, Reporter, World, make_desk, of_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]


def replies(server: FakeServer) -> list[Row]:
    return [one for one in server.rows.values() if one.header.kind is Kind.REPLY]


def as_reporter(reporter: Reporter, one: Row) -> SignedManifest:
    """What the holder of the receipt reads."""
    assert parse_wraps(one.header, one.wraps)[0].kid == KID_ZERO
    key = reporter.receipt.open_reply(one.header, one.wraps)
    return SignedManifest.from_json(open_manifest(key, one.header, one.manifest))


def test_the_reporter_can_read_an_answer_and_prove_who_wrote_it(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    sync(*report)
    assert answer(desk, read(), "  Thank you.\r\nWhich bank?  ")
    (one,) = replies(server)
    signed = as_reporter(reporter, one)
    key = world.operators[0].sign.public
    raw = signed.verify(one.header, key, reporter.reply_key.kid)
    body = ReplyBody.from_json(raw)
    assert body.word is not None
    assert (body.text, body.author_day) == ("Thank you.\nWhich bank?", TODAY)
    assert signed.parents == (report[0].header.hash,)
    assert not read().unanswered


def test_another_operators_desk_shows_the_answer_and_the_state(
    tmp_path: Path,
    desk: Desk,
    world: World,
    reporter: Reporter,
    server: FakeServer,
    sync: Synced,
    read: Read,
) -> None:
    sync(*reporter.report())
    answer(desk, read(), "Thank you.")
    set_state(desk, read(), "Triage")
    other = make_desk(tmp_path / "other", world, server.url, keyring=world.operators[1])
    synchronise(other, Silence())
    (case,) = Cases(other).all()
    assert case.state == "triage"
    assert [one.body.text for one in case.messages] == ["Thank you."]
    assert case.alarms == ()
    assert not case.unanswered


def test_a_question_after_an_answer_waits_for_an_answer_again(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    said = world.reply(
        reporter.case, "Thanks.", reporter.reply_key, parents=[report[0].header.hash]
    )
    sync(*report, said)
    assert not read().unanswered
    sync(*reporter.follow_up("And now?", parents=[report[0].header.hash]))
    assert read().unanswered


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * (TEXT_MOST + 1)])
def test_nothing_and_too_much_are_not_sent(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, text: str
) -> None:
    sync(*reporter.report())
    with pytest.raises(NothingToSay):
        answer(desk, read(), text)
    assert replies(server) == []
    assert desk.store.unposted() == ()


def test_a_state_that_does_not_exist_is_not_set(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    with pytest.raises(StateUnknown, match="triage"):
        set_state(desk, read(), "nonsense")


def test_nothing_is_sealed_under_a_roster_that_is_not_in_force(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    late = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 60))
    with pytest.raises(RosterNotTrusted, match="not in force"):
        answer(late, read(), "Hello.")
    assert desk.store.unposted() == ()


def test_an_answer_written_without_a_server_goes_out_with_the_next_sync(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    assert not answer(desk, read(), "Later.")
    assert [one.envelope.posted for one in read().messages] == [False]
    server.answers.clear()
    done = sync()
    assert (done.posted, done.waiting, done.words) == (1, 0, "1 sent.")
    assert len(replies(server)) == 1
    assert desk.store.unposted() == ()


def test_an_answer_waits_when_the_connection_breaks(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.posts_lost = True
    assert not answer(desk, read(), "Did it arrive?")
    server.posts_lost = False
    # It had arrived: the sync finds it there and does not send it twice.
    done = sync()
    assert (done.posted, done.waiting) == (0, 0)
    assert len(replies(server)) == 1
    assert desk.store.unposted() == ()
    assert len(read().messages) == 1


def test_what_waited_past_a_new_roster_is_sealed_anew_to_its_operators(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    answer(desk, read(), "First.")
    set_state(desk, read(), "triage")
    before = {one.id for one in desk.store.unposted()}
    server.answers.clear()
    world.roster = world.renewed()
    server.note = world.roster.note
    done = sync()
    assert (done.posted, done.waiting, done.alarms) == (2, 0, [])
    assert not before & set(desk.store.outsides())
    assert {one.header.roster_hash for one in replies(server)} == {world.roster.hash}
    case = read()
    assert case.alarms == ()
    assert (case.state, [one.body.text for one in case.messages]) == ("triage", ["First."])
    signed = as_reporter(reporter, replies(server)[0])
    # The entry's parent is the new name of the answer.
    entry = desk.opener.signed(of_kind(desk, Kind.ENTRY)[0])
    assert entry.parents == (replies(server)[0].header.hash,)
    assert signed.signer == world.operators[0].sign.public.kid


def test_an_answer_under_a_roster_the_server_has_left_behind_waits(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    world.roster = world.renewed()
    server.note = world.roster.note
    assert not answer(desk, read(), "Under the old one.")
    assert desk.store.alarms() == ()
    assert sync().posted == 1


def test_what_waited_over_midnight_is_sealed_anew(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    answer(desk, read(), "Yesterday.")
    server.answers.clear()
    server.today = TODAY + 3
    later = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 3))
    assert synchronise(later, Silence()).posted == 1
    assert [one.header.day for one in replies(server)] == [TODAY + 3]


def test_what_the_server_refuses_is_kept_shouted_and_tried_again(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (400, b'{"error": "recipients"}')
    assert not answer(desk, read(), "Refused.")
    assert {alarm.sign for alarm in read().alarms} == {Sign.ANSWER_REFUSED}
    done = sync()
    assert (done.posted, done.waiting) == (0, 1)
    assert {alarm.sign for alarm in done.alarms} == {Sign.ANSWER_REFUSED}
    assert "still waiting" in done.words
    server.answers.clear()
    assert sync().posted == 1
    assert read().alarms == ()


def test_a_key_that_was_struck_off_is_said_plainly(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (401, b'{"error": "unknown-key"}')
    assert not answer(desk, read(), "Hello.")
    with pytest.raises(ServerRefused, match="does not accept this desk's key"):
        sync()
    del server.answers["/v1/envelopes"]
    sync()
    assert len(replies(server)) == 1


def test_two_states_set_apart_are_shown_as_a_conflict_until_one_follows_both(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    parents = [report[0].header.hash]
    one = world.entry(reporter.case, "triage", parents=parents)
    two = world.entry(reporter.case, "closed", parents=parents)
    sync(*report, one, two)
    assert sorted(read().state_conflict) == ["closed", "triage"]
    set_state(desk, read(), "assessment")
    assert (read().state, read().state_conflict) == ("assessment", ())


def test_an_entry_of_a_kind_this_desk_does_not_know_leaves_the_state_alone(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    body = EntryBody(type="note", data={"text": "look again"}).to_json()
    sync(
        *reporter.report(),
        world.by_operator(Kind.ENTRY, reporter.case, body),
    )
    assert read().state == "received"
    assert read().alarms == ()


def test_a_first_message_to_an_unused_code_can_be_answered(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.follow_up("Is anybody there?"))
    assert {alarm.sign for alarm in read().alarms} == {Sign.REPORT_MISSING}
    answer(desk, read(), "Yes.")
    assert as_reporter(reporter, replies(server)[0]).body


def test_a_case_without_a_report_that_two_people_claim_cannot_be_answered(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    thief = Reporter(reporter.world, case=reporter.case)
    forged = reporter.follow_up("x", signer=thief.sign)
    sync(*reporter.follow_up("Me."), *thief.follow_up("No, me."), *forged)
    case = read()
    assert case.reply_key is None
    # Each is shown as its writer's: what the thief signed in the reporter's name, as the thief's.
    writers = {one.body.text: one.of for one in case.follow_ups}
    assert writers["x"] == writers["No, me."] != writers["Me."]
    assert {alarm.sign for alarm in case.alarms} >= {Sign.KEYS_CHANGED}


def test_a_custodians_desk_writes_nothing_into_a_case(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    named = reporter.identity("Samira Alaoui")
    server.put(*reporter.report(identity=named, identity_mode="full_identity"))
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    synchronise(keeper, Silence())
    case = Cases(keeper).find(reporter.case.hex())
    with pytest.raises(ActRefused, match="writes nothing"):
        append(keeper, case, "note", {"text": "hi"})
    with pytest.raises(ActRefused, match="writes nothing"):
        answer(keeper, case, "hi")
    assert keeper.store.unposted() == ()


# --- what waits, and what answers it


@pytest.fixture
def colleague(tmp_path: Path, world: World, server: FakeServer) -> Desk:
    """Another operator's desk, on another machine."""
    return make_desk(tmp_path / "other", world, server.url, keyring=world.operators[1])


def after(desk: Desk, server: FakeServer, days: int = 3) -> Desk:
    """The same desk on a day on which the server takes nothing of today any more."""
    server.today = TODAY + days
    return Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + days))


def the_case(desk: Desk) -> Case:
    (case,) = Cases(desk).all()
    return case


def becomes(monkeypatch: pytest.MonkeyPatch, one: Envelope, outcome: str) -> None:
    """Whatever is sent goes as always, but for this one."""
    deliver = delivery.deliver

    def delivered(desk: Desk, sent: Envelope) -> str:
        return outcome if sent.id == one.id else deliver(desk, sent)

    for room in (delivery, sending):
        monkeypatch.setattr(room, "deliver", delivered)


@pytest.mark.claim("C-WORK")
def test_what_answers_a_waiting_act_waits_for_its_new_name(
    desk: Desk, colleague: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    assert not set_state(desk, the_case(desk), "triage")
    server.answers.clear()
    later = after(desk, server)
    # The server takes no act of that day; it would take this one, which names it.
    assert not set_state(later, the_case(later), "assessment")
    assert not answer(later, the_case(later), "We look into it.")
    assert [one.header.kind for one in server.rows.values()].count(Kind.ENTRY) == 0
    assert synchronise(later, Silence()).posted == 3
    there = after(colleague, server)
    assert synchronise(there, Silence()).alarms == []
    for one in (later, there):
        case = the_case(one)
        assert (case.state, case.state_conflict, case.alarms) == ("assessment", (), ())
        assert not case.work.irregular
        assert not case.unanswered


@pytest.mark.claim("C-WORK")
def test_what_was_taken_back_stays_taken_back_whenever_it_goes_out(
    desk: Desk, colleague: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    for state in ("triage", "assessment"):
        set_state(desk, the_case(desk), state)
    server.answers["/v1/envelopes"] = (503, b"")
    assert not mark(desk, the_case(desk), "legal_hold", on=True)
    server.answers.clear()
    later = after(desk, server)
    assert not mark(later, the_case(later), "legal_hold", on=False)
    synchronise(later, Silence())
    there = after(colleague, server)
    synchronise(there, Silence())
    assert the_case(there).work.tags == the_case(later).work.tags == ()


def test_what_waited_goes_first_and_as_it_is_where_the_server_still_takes_it(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    set_state(desk, the_case(desk), "triage")
    (waiting,) = desk.store.unposted()
    server.answers.clear()
    assert set_state(desk, the_case(desk), "assessment")
    assert desk.store.unposted() == ()
    assert waiting.id in server.rows
    assert list(server.rows)[-2] == waiting.id


def test_in_a_sync_what_answers_one_that_is_not_taken_waits_with_it(
    desk: Desk, reporter: Reporter, world: World, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    both = (reporter, Reporter(world))
    sync(*(row for one in both for row in one.report()))
    server.answers["/v1/envelopes"] = (503, b"")
    for one in both:
        set_state(desk, Cases(desk).find(one.case.hex()), "triage")
    first, second = delivery.in_order(desk, desk.store.unposted())
    set_state(desk, Cases(desk).find(first.case.hex()), "assessment")
    server.answers.clear()
    becomes(monkeypatch, first, "waits")
    done = sync()
    assert (done.posted, done.waiting) == (1, 2)
    # The other case is not kept waiting.
    assert second.id in server.rows
    assert all(one.case == first.case for one in desk.store.unposted())
    monkeypatch.undo()
    assert sync().waiting == 0


def test_what_waits_of_one_case_keeps_no_other_waiting(
    desk: Desk, reporter: Reporter, world: World, server: FakeServer, sync: Synced
) -> None:
    both = (reporter, Reporter(world))
    sync(*(row for one in both for row in one.report()))
    server.answers["/v1/envelopes"] = (503, b"")
    set_state(desk, Cases(desk).find(reporter.case.hex()), "triage")
    server.answers.clear()
    later = after(desk, server)
    assert set_state(later, Cases(later).find(both[1].case.hex()), "triage")
    assert [one.case for one in later.store.unposted()] == [reporter.case]


@pytest.mark.claim("C-WORK")
def test_what_answers_one_that_is_refused_for_good_waits_with_it_and_no_other_case_does(
    desk: Desk, colleague: Desk, reporter: Reporter, world: World, server: FakeServer,
    sync: Synced, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = Reporter(world)
    sync(*reporter.report(), *other.report())
    server.answers["/v1/envelopes"] = (503, b"")
    set_state(desk, Cases(desk).find(reporter.case.hex()), "triage")
    (first,) = desk.store.unposted()
    server.answers.clear()
    becomes(monkeypatch, first, "refused")
    assert not set_state(desk, Cases(desk).find(reporter.case.hex()), "assessment")
    assert set_state(desk, Cases(desk).find(other.case.hex()), "triage")
    done = sync()
    assert (done.posted, done.waiting) == (0, 2)
    # The next day all of it is sealed anew, and then the server takes it: nothing was torn apart.
    monkeypatch.undo()
    later = after(desk, server)
    assert synchronise(later, Silence()).posted == 2
    there = after(colleague, server)
    assert synchronise(there, Silence()).alarms == []
    case = Cases(there).find(reporter.case.hex())
    assert (case.state, case.state_conflict, case.alarms) == ("assessment", (), ())
    assert not case.work.irregular


@pytest.mark.claim("C-WORK")
def test_what_is_written_while_a_sync_seals_anew_names_what_it_seals(
    desk: Desk, colleague: Desk, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    set_state(desk, the_case(desk), "triage")
    server.answers.clear()
    later = after(desk, server)
    sealed_anew = sending._sealed_anew
    written: list[Envelope] = []

    def meanwhile(at: Desk, *given: Any) -> sending._Ready:
        fresh = sealed_anew(at, *given)
        if not written:
            # Another program of the desk, which does not send while this one does.
            case = the_case(at)
            entry = outbox.drafted(at, case, "status", {"state": "assessment"})
            outbox.keep(at, case, entry)
            written.append(entry)
        return fresh

    monkeypatch.setattr(sending, "_sealed_anew", meanwhile)
    assert synchronise(later, Silence()).posted == 2
    assert len(written) == 1
    there = after(colleague, server)
    assert synchronise(there, Silence()).alarms == []
    for one in (later, there):
        case = the_case(one)
        assert (case.state, case.state_conflict, case.alarms) == ("assessment", (), ())
    # What was made ready in vain lies nowhere.
    assert {one.id for one in later.store.of_case(reporter.case)} == {
        one.id for one in there.store.of_case(reporter.case)
    }
