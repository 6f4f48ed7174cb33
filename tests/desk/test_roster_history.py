"""A desk that slept, or came later, learns the rosters of the past, and no false one."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import EntryBody
from crypto.roster import RosterDraft, sign_roster
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.client import ClientLimits, SyncClient
from desk.config import Membership
from desk.desk import Desk, enrol
from desk.errors import RosterNotTrusted, ServerRefused, ServerUnreachable
from desk.keyring import Keyring
from desk.progress import Silence
from desk.roster_history import HistoryLimits
from desk.sync import synchronise
from desk.trust import Trust
from tests.desk.world import TODAY, World, make_desk, operator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.roster import Roster
    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

MISSING = Alarm(Sign.ROSTER_HISTORY_MISSING)
REFUSED = Alarm(Sign.ROSTER_HISTORY_REFUSED)
FORKED = Alarm(Sign.ROSTER_FORKED)


def asked(server: FakeServer) -> list[int]:
    """The epochs that were asked for, and forget them."""
    found = [re.search(r"/v1/roster\?epoch=(\d+)$", one) for one in server.requests]
    server.requests.clear()
    return [int(one[1]) for one in found if one]


def opened_again(desk: Desk, limits: HistoryLimits | None = None) -> Desk:
    """The desk after a restart."""
    again = Desk.open(desk.home, desk.keyring, today=desk.today)
    membership = Membership.load(desk.home.membership)
    return Desk(
        home=again.home,
        keyring=again.keyring,
        store=again.store,
        trust=Trust(again.home, again.store, membership, limits=limits),
        client=again.client,
        opener=again.opener,
        server=again.server,
        rules=again.rules,
        today=again.today,
    )


# --- what is learned


def test_a_desk_that_slept_through_an_epoch_reads_what_was_signed_in_it(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.renew()
    server.put(world.entry(reporter.case, "assessment"))
    server.renew()
    assert sync().alarms == []
    case = read()
    assert (case.state, case.alarms) == ("assessment", ())
    assert asked(server) == [2]


def test_what_was_learned_once_is_kept_and_not_fetched_again(
    desk: Desk, server: FakeServer, sync: Synced
) -> None:
    for _ in range(4):
        server.renew()
    sync()
    assert asked(server) == [4, 3, 2]
    server.renew()
    again = opened_again(desk)
    assert again.trust.complete
    synchronise(again, Silence())
    assert asked(server) == []
    assert opened_again(desk).trust.epoch == 6


def test_a_desk_enrolled_late_learns_the_rosters_from_before_its_time(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    late = Keyring.generate("late")
    world.operators = (*world.operators, late)
    server.renew(operators=(*world.roster.operators, operator(9, late)))
    report = reporter.report()
    server.put(*report, world.entry(reporter.case, "assessment"))
    server.renew(operators=world.roster.operators)
    desk = make_desk(tmp_path / "late", world, server.url, keyring=late)
    assert synchronise(desk, Silence()).alarms == []
    assert asked(server) == [2, 1]
    assert Cases(desk).find(reporter.case.hex()).state == "assessment"


def test_an_operators_old_word_counts_after_they_were_removed_and_no_new_one_does(
    desk: Desk, world: World, server: FakeServer, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    leaving = world.operators[1]
    second = server.renew()
    server.put(world.entry(reporter.case, "assessment"))
    remaining = Keyring.generate("remaining")
    server.renew(operators=(second.operators[0], operator(7, remaining)))
    assert sync().alarms == []
    assert read().state == "assessment"
    # Under the list that no longer names them.
    forged = world.entry(reporter.case, "closed", signer=leaving.sign)
    # Under the list that did: its days are not over, and the day is anybody's to write.
    world.roster = second
    backdated = world.entry(reporter.case, "closed", day=Day(TODAY - 2))
    honest = world.entry(reporter.case, "triage", signer=world.operators[0].sign)
    sync(forged, backdated)
    case = opened_case(desk, reporter)
    assert case.state == "assessment"
    assert {alarm.sign: alarm.envelope for alarm in case.alarms} == {
        Sign.ENTRY_FORGED: forged.id.hex(),
        Sign.SIGNED_TOO_LATE: backdated.id.hex(),
    }
    # Who is still an operator is believed, however late it came.
    sync(honest)
    assert len(opened_case(desk, reporter).timeline) == 2


def opened_case(desk: Desk, reporter: Reporter) -> Case:
    return Cases(opened_again(desk)).find(reporter.case.hex())


def test_a_late_word_under_a_list_that_was_not_known_then_is_judged_when_it_is(
    desk: Desk, world: World, server: FakeServer, reporter: Reporter, sync: Synced, read: Read
) -> None:
    second = server.renew()
    remaining = Keyring.generate("remaining")
    server.renew(operators=(second.operators[0], operator(7, remaining)))
    del server.history[2]
    sync(*reporter.report())
    world.roster = second
    late = world.entry(reporter.case, "closed")
    sync(late)
    assert {one.sign for one in read().alarms} == {Sign.SIGNER_UNKNOWN}
    server.history[2] = second.note
    assert sync().alarms == []
    assert {one.sign for one in opened_case(desk, reporter).alarms} == {Sign.SIGNED_TOO_LATE}


# --- what the server could try


@pytest.mark.claim("C-ROSTER")
@pytest.mark.parametrize("lie", ["gap", "forged", "older", "newest", "fork"])
def test_a_false_past_is_shouted_and_not_believed_and_the_present_goes_on(
    desk: Desk,
    world: World,
    server: FakeServer,
    reporter: Reporter,
    sync: Synced,
    read: Read,
    lie: str,
) -> None:
    first = world.roster
    second = server.renew()
    server.put(*reporter.report(), world.entry(reporter.case, "assessment"))
    third = server.renew()
    notes = {
        "forged": second.note.replace(b"operator 1", b"operator x"),
        "older": first.note,
        "newest": third.note,
        # The root did sign it: but not as the one that the third follows.
        "fork": sign_roster(_draft_of(second, quorum=1, rehearsal=False), world.root).note,
    }
    server.history.pop(2)
    if lie in notes:
        server.history[2] = notes[lie]
    expected = REFUSED if lie in notes else MISSING
    assert sync().alarms == [expected]
    assert desk.trust.epoch == 3
    assert not desk.trust.complete
    assert desk.trust.named(second.hash) is None
    case = read()
    assert case.report is not None
    assert {one.sign for one in case.alarms} == {Sign.SIGNER_UNKNOWN}
    # When the true one comes, the alarm ends and the word counts.
    server.history[2] = second.note
    assert sync().alarms == []
    assert desk.store.alarms() == ()
    assert read().state == "assessment"


def _draft_of(roster: Roster, **changes: object) -> RosterDraft:
    fields = {name: getattr(roster, name) for name in RosterDraft.__dataclass_fields__}
    return RosterDraft(**{**fields, **changes})


@pytest.mark.claim("C-ROSTER", "C-ALARMS")
@pytest.mark.parametrize("last", [3, 4], ids=["number-by-number", "with-a-jump"])
def test_a_list_from_another_past_than_the_one_that_was_seen_is_refused_and_shouted(
    desk: Desk, world: World, server: FakeServer, sync: Synced, last: int
) -> None:
    first = world.roster
    second = server.renew()
    sync()
    # The root's key in other hands: another second roster, and those that follow it.
    world.roster = first
    server.renew(rehearsal=False)
    while world.roster.epoch < last:
        server.renew()
    offered = world.roster
    server.requests.clear()
    for _ in range(2):
        with pytest.raises(RosterNotTrusted, match="another past"):
            sync()
    assert desk.store.alarms() == (FORKED,)
    assert Membership.load(desk.home.membership).epoch == 2
    assert desk.trust.newest == second
    assert opened_again(desk).trust.named(offered.hash) is None
    assert not any("/v1/index" in one for one in server.requests)
    with pytest.raises(RosterNotTrusted):
        enrol(desk.home, desk.keyring, server.url, world.root_public.to_text(), today=desk.today)
    # What was offered, and what leaves the line, is kept for whoever has to judge it.
    offered_notes = {offered.note, server.history[3]}
    assert {one.read_bytes() for one in desk.home.refused_rosters.iterdir()} == offered_notes
    world.roster = second
    server.renew()
    assert sync().alarms == []
    # The server shows the true one again: what the root signed besides is so all the same.
    assert desk.store.alarms() == (FORKED,)
    desk.store.quieten(FORKED)
    assert sync().alarms == []
    assert desk.store.alarms() == ()
    assert len(list(desk.home.refused_rosters.iterdir())) == len(offered_notes)


@pytest.mark.claim("C-ROSTER")
def test_a_fork_that_a_gap_hid_is_seen_when_the_gap_closes(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    sync()
    world.roster = world.renewed(epoch=1, previous=bytes(32), rehearsal=False)
    server.renew()
    server.renew()
    hidden = server.history.pop(2)
    assert sync().alarms == [MISSING]
    server.history[2] = hidden
    with pytest.raises(RosterNotTrusted, match="another past"):
        sync()
    assert FORKED in desk.store.alarms()


def test_a_long_past_is_fetched_over_several_syncs(
    desk: Desk, server: FakeServer, world: World
) -> None:
    for _ in range(7):
        server.renew()
    few = HistoryLimits(notes=4)
    slow = opened_again(desk, few)
    assert synchronise(slow, Silence()).alarms == []
    assert asked(server) == [7, 6, 5, 4]
    assert not slow.trust.complete
    slow = opened_again(desk, few)
    assert synchronise(slow, Silence()).alarms == []
    assert asked(server) == [3, 2]
    assert slow.trust.complete
    assert world.roster.epoch == 8


def test_a_walk_that_takes_too_long_stops_and_goes_on_the_next_time(
    desk: Desk, server: FakeServer
) -> None:
    for _ in range(3):
        server.renew()
    hurried = opened_again(desk, HistoryLimits(seconds=-1.0))
    assert synchronise(hurried, Silence()).alarms == []
    assert asked(server) == []
    assert synchronise(opened_again(desk), Silence()).alarms == []
    assert asked(server) == [3, 2]


def test_a_server_that_drips_a_roster_is_given_up(desk: Desk) -> None:
    slow = SyncClient(desk.server, desk.keyring.api, limits=ClientLimits(roster_seconds=-1.0))
    with pytest.raises(ServerUnreachable, match="too slowly"):
        slow.roster()
    assert ClientLimits().roster_seconds <= 60


def test_a_server_that_fails_in_the_middle_of_the_past_ends_the_sync_and_loses_nothing(
    desk: Desk, server: FakeServer, sync: Synced
) -> None:
    for _ in range(3):
        server.renew()
    server.answers["/v1/roster?epoch=2"] = (500, b"")
    with pytest.raises(ServerRefused, match="500"):
        sync()
    assert desk.trust.epoch == 1
    server.answers.clear()
    assert sync().alarms == []
    assert desk.trust.complete


# --- whose wrap was left out


def test_a_wrap_left_out_under_a_list_that_was_slept_through_is_shouted(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    sync()
    server.renew()
    report = reporter.report()
    server.left_out.add(report[0].id)
    server.renew()
    assert sync(*report).alarms == [
        Alarm(Sign.WRAP_LEFT_OUT, reporter.case.hex(), report[0].id.hex())
    ]
    assert world.roster.epoch == 3


def test_a_wrap_left_out_before_a_desk_was_enrolled_is_shouted(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    """Its keys were in the list already; that it was not enrolled is nobody else's excuse."""
    late = Keyring.generate("late")
    world.operators = (*world.operators, late)
    server.renew(operators=(*world.roster.operators, operator(9, late)))
    report = reporter.report(day=Day(TODAY - 8))
    server.put(*report)
    server.left_out.add(report[0].id)
    server.renew(operators=world.roster.operators, not_before=Day(TODAY - 5))
    desk = make_desk(tmp_path / "late", world, server.url, keyring=late)
    done = synchronise(desk, Silence())
    assert done.alarms == [Alarm(Sign.WRAP_LEFT_OUT, reporter.case.hex(), report[0].id.hex())]


def test_what_was_sealed_while_a_desk_was_off_the_list_is_no_alarm(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    sync()
    ours = world.roster.operators
    others = (ours[1], operator(7, Keyring.generate("other")))
    server.renew(operators=others, not_before=Day(TODAY - 9))
    report = reporter.report(day=Day(TODAY - 6))
    server.renew(operators=ours, not_before=Day(TODAY - 3))
    assert sync(*report).alarms == []


def test_what_is_sealed_under_an_outdated_list_is_shouted_from_the_day_after_its_end(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    honest, late = (reporter.report(day=Day(TODAY - ago)) for ago in (5, 4))
    newcomer = Keyring.generate("newcomer")
    world.operators = (*world.operators, newcomer)
    server.put(honest[0], late[0])
    operators = (*world.roster.operators, operator(9, newcomer))
    server.renew(operators=operators, not_before=Day(TODAY - 5))
    desk = make_desk(tmp_path / "new", world, server.url, keyring=newcomer)
    alarm = Alarm(Sign.ROSTER_OUTDATED, reporter.case.hex(), late[0].id.hex())
    assert synchronise(desk, Silence()).alarms == [alarm]


def test_what_was_sealed_under_one_old_list_when_another_old_one_had_begun_is_not_ours_to_judge(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    report = reporter.report(day=Day(TODAY - 5))
    server.put(*report, world.entry(reporter.case, day=Day(TODAY - 5)))
    server.renew(not_before=Day(TODAY - 8))
    newcomer = Keyring.generate("newcomer")
    world.operators = (*world.operators, newcomer)
    operators = (*world.roster.operators, operator(9, newcomer))
    server.renew(operators=operators, not_before=Day(TODAY - 2))
    desk = make_desk(tmp_path / "new", world, server.url, keyring=newcomer)
    assert synchronise(desk, Silence()).alarms == []
    case = Cases(desk).find(reporter.case.hex())
    assert (case.readable, case.alarms) == (False, ())


@pytest.mark.parametrize("day", [TODAY, TODAY - 100])
def test_what_is_sealed_under_a_list_that_the_root_never_signed_is_shouted_whatever_its_day(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced, day: int
) -> None:
    sealer = world.sealer(Kind.REPORT, reporter.case, roster_hash=bytes(32), day=Day(day))
    nobody = reporter.report(sealer=sealer)
    server.left_out.add(nobody[0].id)
    alarm = Alarm(Sign.ROSTER_UNKNOWN, reporter.case.hex(), nobody[0].id.hex())
    assert sync(*nobody).alarms == [alarm]


def test_an_old_envelope_is_judged_again_when_its_list_is_known(
    desk: Desk, world: World, server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    """Before, nobody could say; then it is left out, or was never ours."""
    server.renew(not_before=Day(TODAY - 9))
    left_out, second = reporter.report(day=Day(TODAY - 20)), world.roster
    others = (second.operators[1], operator(7, Keyring.generate("other")))
    server.renew(operators=others, not_before=Day(TODAY - 8))
    not_ours, third = reporter.report(day=Day(TODAY - 7)), world.roster
    server.renew(operators=second.operators, not_before=Day(TODAY - 5))
    server.left_out.add(left_out[0].id)
    del server.history[3]
    case = reporter.case.hex()
    assert set(sync(left_out[0], not_ours[0]).alarms) == {
        MISSING,
        Alarm(Sign.ROSTER_UNKNOWN, case, not_ours[0].id.hex()),
    }
    server.history[3] = third.note
    expected = Alarm(Sign.WRAP_LEFT_OUT, case, left_out[0].id.hex())
    assert sync().alarms == [expected]
    assert desk.store.alarms() == (expected,)


def test_an_entry_is_late_only_for_a_desk_that_had_read_everything_before(
    desk: Desk, world: World, server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    first = world.roster
    remaining = operator(7, Keyring.generate("remaining"))
    server.renew(operators=(first.operators[0], remaining))
    server.answers["/v1/index"] = (500, b"")
    with pytest.raises(ServerRefused):
        sync()
    server.answers.clear()
    world.roster = first
    body = EntryBody(type="status", data={"state": "triage"}).to_json()
    sync(*reporter.report(), world.by_operator(Kind.ENTRY, reporter.case, body))
    assert desk.trust.epoch == 2
    assert Cases(desk).find(reporter.case.hex()).state == "triage"
