"""What a sync brings, what it survives, and what it shouts about."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import Day
from crypto.roster import RosterDraft, sign_roster
from crypto.signing import SigningPrivateKey
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.client import ClientLimits, SyncClient
from desk.config import Membership
from desk.desk import Desk, enrol
from desk.errors import (
    ClockSkewed,
    NotInRoster,
    RosterNotTrusted,
    ServerMalformed,
    ServerRefused,
    ServerUnreachable,
    StoreDamaged,
)
from desk.keyring import Keyring
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.server import serving
from tests.desk.world import JPEG, TODAY, Reporter, World, make_desk, make_home, operator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.roster import Roster
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Synced = Callable[..., SyncReport]


def with_client(desk: Desk, **how: Any) -> Desk:
    client = SyncClient(desk.server, desk.keyring.api, **how)
    return Desk(
        home=desk.home,
        keyring=desk.keyring,
        store=desk.store,
        trust=desk.trust,
        client=client,
        opener=desk.opener,
        server=desk.server,
        rules=desk.rules,
        today=desk.today,
    )


def test_a_first_sync_brings_everything_and_a_second_nothing(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    first = sync(*reporter.report([photo]))
    assert (first.envelopes, first.cases, first.files) == (3, {reporter.case}, 1)
    assert first.words == "1 case with news, 1 file fetched."
    assert desk.store.part_path(photo.id, 1).read_bytes() == photo.parts[0]
    assert sync().words == "Nothing new."
    assert desk.store.noted("last_sync") == "2026-11-22 09:40"


def test_pages_are_walked_to_the_end(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    server.page = 2
    done = sync(*(row for _ in range(4) for row in Reporter(world).report()))
    assert (done.envelopes, len(done.cases)) == (8, 4)
    assert len(Cases(desk).all()) == 4


def test_a_download_that_broke_off_goes_on_where_it_broke(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    photo = reporter.evidence("video-1.mp4", "video/mp4", os.urandom(200_000))
    server.cut_parts_after = 50_000
    with pytest.raises(ServerUnreachable):
        sync(*reporter.report([photo]))
    assert desk.store.partial_path(photo.id, 1).stat().st_size == 50_000
    assert Cases(desk).all()[0].alarms == ()
    server.cut_parts_after = None
    server.requests.clear()
    done = sync()
    assert done.files == 1
    assert done.bytes == len(photo.parts[0]) - 50_000
    assert desk.store.part_path(photo.id, 1).read_bytes() == photo.parts[0]


def test_a_large_part_comes_in_bounded_requests(
    desk: Desk, reporter: Reporter, server: FakeServer
) -> None:
    photo = reporter.evidence("video-1.mp4", "video/mp4", os.urandom(100_000))
    server.put(*reporter.report([photo]))
    small = with_client(desk, limits=ClientLimits(part_request_bytes=30_000, chunk_bytes=7_000))
    assert synchronise(small, Silence()).files == 1
    assert sum(one.startswith("GET /v1/parts") for one in server.requests) == 4


def test_a_server_that_cannot_continue_a_part_is_not_believed(
    desk: Desk, reporter: Reporter, server: FakeServer
) -> None:
    photo = reporter.evidence("video-1.mp4", "video/mp4", os.urandom(100_000))
    server.put(*reporter.report([photo]))
    server.ignore_range = True
    desk.store.partial_path(photo.id, 1).write_bytes(photo.parts[0][:10])
    with pytest.raises(ServerMalformed, match="continue"):
        synchronise(desk, Silence())


def test_a_server_that_answers_a_part_with_nothing_is_given_up(
    reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.answers["/v1/parts"] = (200, b"")
    with pytest.raises(ServerUnreachable, match="broke off"):
        sync(*reporter.report([photo]))


def test_a_part_the_server_does_not_have_is_an_alarm_that_ends_when_it_comes(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.answers["/v1/parts"] = (404, b'{"error": "unknown"}')
    done = sync(*reporter.report([photo]))
    assert [alarm.sign for alarm in done.alarms] == [Sign.PARTS_REFUSED]
    server.answers.clear()
    assert sync().files == 1
    assert desk.store.alarms() == ()


def test_a_part_the_server_fails_to_give_ends_the_sync(
    reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.answers["/v1/parts"] = (500, b"")
    with pytest.raises(ServerRefused, match="500"):
        sync(*reporter.report([photo]))


def test_a_partial_file_longer_than_the_part_is_begun_anew(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    desk.store.partial_path(photo.id, 1).write_bytes(bytes(500_000))
    assert sync(*reporter.report([photo])).files == 1


def test_an_envelope_that_was_there_and_is_gone_is_shouted_and_kept(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    report = reporter.report()
    sync(*report)
    gone = server.rows.pop(report[0].id)
    done = sync()
    alarm = Alarm(Sign.MISSING, reporter.case.hex(), report[0].id.hex())
    assert done.alarms == [alarm]
    (case,) = Cases(desk).all()
    assert case.report is not None
    assert alarm in case.alarms
    server.put(gone)
    assert sync().alarms == []
    assert Cases(desk).all()[0].alarms == ()


def test_a_wrap_that_was_left_out_is_shouted(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    report = reporter.report()
    server.left_out.add(report[0].id)
    done = sync(*report)
    assert [alarm.sign for alarm in done.alarms] == [Sign.WRAP_LEFT_OUT]
    (case,) = Cases(desk).all()
    assert not case.readable or case.alarms
    assert case.report is None


def test_reports_from_before_a_desk_joined_are_no_alarm_and_not_readable(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    newcomer = Keyring.generate("newcomer")
    old = Reporter(world)
    server.put(*old.report(day=Day(TODAY - 15)))
    unseen = Reporter(world).report()
    server.put(*unseen)
    following = world.renewed(
        operators=(*world.roster.operators, operator(9, newcomer)), not_before=Day(TODAY - 5)
    )
    server.note = following.note
    world.roster, world.operators = following, (*world.operators, newcomer)
    desk = make_desk(tmp_path / "new", world, server.url, keyring=newcomer)
    done = synchronise(desk, Silence())
    # The one from our own time, under a list that was outdated by then, looks like a trick.
    assert done.alarms == [
        Alarm(Sign.ROSTER_OUTDATED, unseen[0].header.case.hex(), unseen[0].id.hex())
    ]
    assert not [alarm for alarm in done.alarms if alarm.case == old.case.hex()]
    listed = {one.id: one for one in Cases(desk).all()}
    assert not listed[old.case].readable
    follow_up = old.follow_up("Still there?")
    server.put(*follow_up)
    synchronise(desk, Silence())
    # Who wrote it cannot be told here: it is shown as that, and not answered.
    case = Cases(desk).find(old.case.hex())
    assert [one.body.text for one in case.follow_ups] == ["Still there?"]
    assert (case.reply_key, case.unanswered, case.follow_ups[0].is_own) == (None, True, False)


def test_other_bytes_under_a_known_id_do_not_replace_the_first(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    report = reporter.report()
    sync(*report)
    again = reporter.report(
        sealer=world.sealer(Kind.REPORT, reporter.case, envelope=report[0].id), category="threats"
    )
    done = sync(again[0])
    assert [alarm.sign for alarm in done.alarms] == [Sign.ENVELOPE_CHANGED]
    assert Cases(desk).all()[0].category == "fraud"


@pytest.mark.parametrize(
    "row",
    [
        "not an object",
        {},
        {"header": "!", "wraps": "", "manifest": "", "parts": []},
        {"header": "AAAA", "wraps": "", "manifest": "", "parts": [0]},
        {"header": "AAAA", "wraps": "", "manifest": "", "parts": ["x"]},
        {"header": "AAAA", "wraps": "", "manifest": "", "parts": []},
        {"header": 4, "wraps": "", "manifest": "", "parts": []},
    ],
)
def test_a_row_that_is_no_envelope_is_an_alarm_and_not_the_end(
    desk: Desk, server: FakeServer, sync: Synced, row: object
) -> None:

    server.answers["/v1/index"] = (200, json.dumps({"envelopes": [row], "next": None}).encode())
    assert [alarm.sign for alarm in sync().alarms] == [Sign.ENVELOPE_MALFORMED]
    assert desk.store.everything() == ()


def test_sizes_that_are_not_those_of_the_parts_are_an_alarm(
    reporter: Reporter, sync: Synced
) -> None:
    report = reporter.report()
    report[0].parts = [b"a part that the header does not count"]
    assert Sign.ENVELOPE_MALFORMED in {alarm.sign for alarm in sync(*report).alarms}


@pytest.mark.parametrize(
    "page",
    [
        b"not json",
        b"[]",
        b'{"envelopes": {}, "next": null}',
        b'{"envelopes": [], "next": "zz"}',
        b'{"envelopes": []}',
    ],
)
def test_an_index_that_is_none_ends_the_sync(server: FakeServer, sync: Synced, page: bytes) -> None:
    server.answers["/v1/index"] = (200, page)
    with pytest.raises(ServerMalformed):
        sync()


def test_an_index_that_goes_in_circles_ends_the_sync(server: FakeServer, sync: Synced) -> None:
    page = b'{"envelopes": ["junk"], "next": "' + b"0" * 32 + b'"}'
    server.answers["/v1/index"] = (200, page)
    with pytest.raises(ServerMalformed, match="backwards"):
        sync()


def test_an_answer_larger_than_any_honest_one_is_not_read_to_its_end(
    desk: Desk, server: FakeServer
) -> None:
    server.answers["/v1/roster"] = (200, bytes(20_000))
    small = with_client(desk, limits=ClientLimits(roster_bytes=10_000))
    with pytest.raises(ServerMalformed, match="larger"):
        synchronise(small, Silence())


def test_no_server_is_said_plainly(desk: Desk) -> None:
    with serving(World.make()) as other:
        gone = other.url
    client = SyncClient(gone, desk.keyring.api)
    with pytest.raises(ServerUnreachable, match="No answer from"):
        client.roster()


def test_a_clock_that_is_wrong_is_said_to_be_wrong(desk: Desk) -> None:
    skewed = with_client(desk, now=lambda: time.time() + 300)
    with pytest.raises(ClockSkewed, match="clock"):
        synchronise(skewed, Silence())


def test_a_clock_that_is_wrong_is_told_from_the_servers_date_as_well(
    desk: Desk, server: FakeServer
) -> None:
    server.answers["/v1/index"] = (401, b'{"error": "signature"}')
    server.date = "Thu, 01 Jan 2026 00:00:00 GMT"
    with pytest.raises(ClockSkewed, match="seconds"):
        synchronise(desk, Silence())


@pytest.mark.parametrize(
    "date", ["whenever", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"], ids=["none", "beyond"]
)
def test_a_server_without_a_readable_date_does_not_confuse_the_desk(
    desk: Desk, server: FakeServer, date: str
) -> None:
    server.answers["/v1/index"] = (401, b"\x1b[31mnot json")
    server.date = date
    with pytest.raises(ServerRefused, match="no reason given") as refused:
        synchronise(desk, Silence())
    assert not isinstance(refused.value, ClockSkewed)


def test_a_key_that_the_server_does_not_know_is_said_plainly(desk: Desk) -> None:
    client = SyncClient(desk.server, SigningPrivateKey.generate())
    with pytest.raises(ServerRefused, match="does not accept this desk's key"):
        client.index(None)


def test_a_servers_error_code_cannot_move_the_cursor(desk: Desk, server: FakeServer) -> None:
    server.answers["/v1/index"] = (400, b'{"error": "\\u001b[2J no_way"}')
    with pytest.raises(ServerRefused) as refused:
        desk.client.index(None)
    assert refused.value.code == "2jno-way"


# --- whom the desk believes


@pytest.mark.claim("C-ROSTER")
def test_a_roster_of_an_older_epoch_is_refused_and_shouted(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    first = world.roster
    server.note = world.renewed().note
    sync()
    assert Membership.load(desk.home.membership).epoch == 2
    server.note = first.note
    with pytest.raises(RosterNotTrusted, match="older"):
        sync()
    assert Alarm(Sign.ROSTER_WENT_BACKWARDS) in desk.store.alarms()
    assert not any("/v1/index" in one for one in server.requests[-1:])
    server.note = world.renewed().note
    with pytest.raises(RosterNotTrusted):
        Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 60)).trust.accept(
            server.note, Day(TODAY + 60), desk.keyring, desk.client.roster
        )


@pytest.mark.claim("C-ROSTER")
def test_another_roster_of_the_same_epoch_is_refused_and_shouted(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    server.note = world.renewed(epoch=1, previous=bytes(32), not_after=Day(TODAY + 5)).note
    with pytest.raises(RosterNotTrusted, match="two lists of one number"):
        sync()
    assert desk.store.alarms() == (Alarm(Sign.ROSTER_FORKED),)


@pytest.mark.claim("C-ROSTER")
@pytest.mark.parametrize("left", [None, "{", "[]"], ids=["lost", "cut", "another"])
def test_a_desk_whose_pin_was_damaged_is_enrolled_again_and_no_rollback_passes(
    desk: Desk, world: World, server: FakeServer, sync: Synced, left: str | None
) -> None:
    def again() -> Roster:
        text = world.root_public.to_text()
        return enrol(desk.home, desk.keyring, server.url, text, today=lambda: TODAY)

    first, second = world.roster.note, world.renewed().note
    server.note = second
    sync()
    for note in (first, second):
        desk.home.membership.unlink()
        if left is not None:
            desk.home.membership.write_text(left)
        server.note = note
        if note == first:
            with pytest.raises(RosterNotTrusted):
                again()
    assert again().epoch == 2
    assert Membership.load(desk.home.membership).epoch == 2


def test_a_damaged_pin_where_no_roster_was_kept_is_a_first_enrolment(
    desk: Desk, world: World, server: FakeServer
) -> None:
    with desk.store._connection() as connection:
        connection.execute("DELETE FROM rosters")
    desk.home.membership.write_text("{")
    enrol(desk.home, desk.keyring, server.url, world.root_public.to_text(), today=lambda: TODAY)
    assert Membership.load(desk.home.membership).epoch == 1


@pytest.mark.claim("C-ROSTER")
def test_enrolling_again_is_no_way_around_a_rollback(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    first = world.roster
    server.note = world.renewed().note
    sync()
    server.note = first.note
    with pytest.raises(RosterNotTrusted):
        enrol(
            desk.home,
            desk.keyring,
            server.url,
            world.root_public.to_text(),
            today=lambda: TODAY,
        )
    assert Membership.load(desk.home.membership).epoch == 2


@pytest.mark.claim("C-ROSTER")
@pytest.mark.parametrize("note", [b"", b"junk\n", b"\xff"])
def test_a_roster_that_is_none_is_refused(
    desk: Desk, server: FakeServer, sync: Synced, note: bytes
) -> None:
    server.note = note
    with pytest.raises(RosterNotTrusted):
        sync()
    assert desk.store.alarms() == (Alarm(Sign.ROSTER_REFUSED),)


@pytest.mark.claim("C-ROSTER")
def test_a_roster_of_another_root_is_refused(server: FakeServer, sync: Synced) -> None:
    server.note = World.make().roster.note
    with pytest.raises(RosterNotTrusted):
        sync()


@pytest.mark.claim("C-ROSTER")
def test_an_expired_roster_is_refused(desk: Desk) -> None:
    late = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 40))
    with pytest.raises(RosterNotTrusted):
        synchronise(late, Silence())


@pytest.mark.claim("C-ROSTER")
def test_a_stored_roster_that_was_altered_on_the_disk_is_believed_no_more(desk: Desk) -> None:
    with desk.store._connection() as connection:
        connection.execute("UPDATE rosters SET note = ?", (b"altered",))
    with pytest.raises(StoreDamaged, match="was damaged on its disk"):
        Desk.open(desk.home, desk.keyring)


def test_an_alarm_about_the_roster_ends_with_a_good_roster(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    server.note = b"junk"
    with pytest.raises(RosterNotTrusted):
        sync()
    server.note = world.roster.note
    assert sync().alarms == []
    assert desk.store.alarms() == ()


def test_a_desk_that_a_new_roster_leaves_out_is_told(
    world: World, server: FakeServer, sync: Synced
) -> None:
    others = (operator(1, Keyring.generate("a")), operator(2, Keyring.generate("b")))
    server.note = world.renewed(operators=others).note
    with pytest.raises(NotInRoster):
        sync()


def test_a_desk_that_is_in_no_roster_cannot_be_enrolled(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    for ring in (Keyring.generate("x"), Keyring.generate("y", custodian=True)):
        home = make_home(tmp_path / ring.label, ring)
        with pytest.raises(NotInRoster):
            enrol(home, ring, server.url, world.root_public.to_text(), today=lambda: TODAY)
        assert not home.membership.exists()


def test_a_server_under_another_root_cannot_be_enrolled_with(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    home = make_home(tmp_path / "x", world.operators[0])
    stranger = World.make().root_public.to_text()
    for text in (stranger, "not a key"):
        with pytest.raises(RosterNotTrusted):
            enrol(home, world.operators[0], server.url, text, today=lambda: TODAY)


def test_a_desk_may_move_to_another_root(desk: Desk) -> None:
    other = World.make()
    other.operators = (desk.keyring, other.operators[1])
    with serving(other) as elsewhere:
        draft = replace(
            other.roster, operators=(operator(1, desk.keyring), other.roster.operators[1])
        )

        fields = {name: getattr(draft, name) for name in RosterDraft.__dataclass_fields__}
        elsewhere.note = sign_roster(RosterDraft(**fields), other.root).note
        enrol(
            desk.home,
            desk.keyring,
            elsewhere.url,
            other.root_public.to_text(),
            today=lambda: TODAY,
        )
        moved = Membership.load(desk.home.membership)
        assert (moved.server, moved.root_public) == (elsewhere.url, other.root_public.raw.hex())


# --- a custodian's desk


def test_a_custodian_keeps_identities_and_nothing_else(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer
) -> None:
    desk = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    server.put(*reporter.report([reporter.evidence("a.jpg", "image/jpeg", JPEG)]))
    server.put(*reporter.report()[1:])
    done = synchronise(desk, Silence())
    assert done.alarms == []
    assert {one.kind for one in desk.store.everything()} == {Kind.IDENTITY}
    (case,) = Cases(desk).all()
    assert not case.readable
    assert case.alarms == ()


def test_a_custodian_ignores_whatever_else_a_server_sends(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer
) -> None:
    desk = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    server.put(*reporter.report())
    server.shows_custodians_everything = True
    assert synchronise(desk, Silence()).alarms == []
    assert {one.kind for one in desk.store.everything()} == {Kind.IDENTITY}
