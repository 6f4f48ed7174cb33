"""Claim C-RENEWED: what a server showed wrong is renewed once it shows it right; the rest stays."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.envelope import Custodians
from crypto.header import Kind
from crypto.ids import new_case_id
from crypto.manifest import EntryBody
from crypto.signing import SigningPrivateKey
from desk import disk
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.evidence import views
from desk.index import Index
from desk.outbox import append
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.server import serving
from tests.desk.world import JPEG, Reporter, World, make_desk, of_kind, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.ids import CaseId
    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Change = Callable[[Row], None]
    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]


def sizes(one: Row) -> None:
    one.parts = [part + b"x" for part in one.parts]


def manifest(one: Row) -> None:
    one.manifest = one.manifest[:-1] + bytes([one.manifest[-1] ^ 1])


def wraps(one: Row) -> None:
    """Flip a byte inside the sealed box of every wrap; the key ids stay."""
    each = 164 if one.header.kind is Kind.IDENTITY else 148
    flipped = bytearray(one.wraps)
    for at in range(each - 1, len(flipped), each):
        flipped[at] ^= 1
    one.wraps = bytes(flipped)


def keyless(one: Row) -> None:
    """Seal another key to everybody, under the true header: whoever has the roster can."""
    other = Reporter(World.make()).evidence("p.jpg", "image/jpeg", b"another")
    one.manifest = other.manifest


def day(one: Row) -> None:
    one.header = replace(one.header, day=type(one.header.day)(one.header.day + 1))


def case(one: Row) -> None:
    one.header = replace(one.header, case=new_case_id())


def everything(one: Row) -> None:
    sizes(one)
    manifest(one)
    wraps(one)


def shown(change: Change, one: Row) -> Row:
    """The row as it is shown wrong."""
    wrong = one.copy()
    change(wrong)
    return wrong


def for_others(world: World, where: CaseId, one: Row) -> Row:
    """One of its id and kind that is sealed to nobody who is known here."""
    recipients = World.make().everybody()
    sealer = world.sealer(one.header.kind, where, envelope=one.id)
    return row(sealer.seal(b"{}", recipients))


def another(reporter: Reporter, one: Row) -> Row:
    """A file that opens, under the id of another."""
    sealer = reporter.world.sealer(Kind.EVIDENCE, reporter.case, envelope=one.id)
    return reporter.evidence("q.jpg", "image/jpeg", b"another" * 99, sealer=sealer)


def said(desk: Desk) -> set[Sign]:
    kept = {alarm.sign for alarm in desk.store.alarms()}
    return kept | {alarm.sign for case in Cases(desk).all() for alarm in case.alarms}


def renewed(desk: Desk) -> int:
    with closing(sqlite3.connect(desk.home.database)) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM renewed").fetchone()
    return int(count)


@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("change", [sizes, manifest, wraps, keyless, everything, day, case])
def test_a_file_that_was_shown_wrong_is_fetched_once_it_is_shown_right(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, change: Change
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    report = reporter.report([photo])
    server.put(*report)
    assert sync(shown(change, photo)).alarms
    done = sync(photo)
    assert done.alarms == []
    # A file of another case by its header is known by its name a sync later at most.
    assert done.files == 1
    assert [one.problem for one in views(desk, read())] == [""]
    assert said(desk) == set()
    # And nothing is asked for again.
    assert sync().to_json() == {**sync().to_json(), "cases": [], "files": 0}


@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("change", [wraps, day, case])
def test_a_report_that_was_shown_wrong_is_read_and_its_danger_counts(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, change: Change
) -> None:
    report = reporter.report(danger_now="yes", description="Knife at the door")
    server.put(*report)
    sync(shown(change, report[0]))
    rows = Index(desk)
    assert not any(row.danger for row in rows.rows())
    assert said(desk)
    done = sync(report[0])
    assert done.words == "1 case with news."
    assert read().report is not None
    assert read().danger
    assert read().reply_key is not None
    assert [row.danger for row in rows.rows()] == [True]
    assert said(desk) == set()


def test_a_wrap_that_was_left_out_at_first_is_taken_later(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    server.left_out.add(report[0].id)
    sync(*report)
    assert said(desk) == {Sign.WRAP_LEFT_OUT}
    server.left_out.clear()
    sync()
    assert read().report is not None
    assert said(desk) == set()


@pytest.mark.parametrize("what", ["entry", "reply", "follow-up"])
@pytest.mark.parametrize("change", [wraps, day, case])
def test_words_that_were_shown_wrong_are_read_once_they_are_shown_right(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, what: str,
    change: Change,
) -> None:  # fmt: skip
    report = reporter.report()
    sync(*report)
    told = {
        "entry": lambda: world.entry(reporter.case),
        "reply": lambda: world.reply(reporter.case, "We read it.", reporter.reply_key),
        "follow-up": lambda: reporter.follow_up("They are back")[0],
    }[what]()
    sync(shown(change, told))
    before = read().seen
    assert read().timeline == ()
    sync(told)
    assert [one.envelope.id for one in read().timeline] == [told.id]
    # A page made before did not show it: what is written from that is refused.
    assert read().seen != before
    assert said(desk) <= {Sign.IDENTITY_MISSING}


@pytest.mark.parametrize("kind", [Kind.ENTRY, Kind.REPLY, Kind.FOLLOW_UP])
def test_what_is_signed_takes_the_place_of_what_was_forged_under_its_id_and_not_the_other_way(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, kind: Kind
) -> None:
    sync(*reporter.report())
    forger = SigningPrivateKey.generate()

    def made(signer: SigningPrivateKey | None, **how: Any) -> Row:
        if kind is Kind.ENTRY:
            return world.entry(reporter.case, signer=signer, **how)
        if kind is Kind.REPLY:
            return world.reply(reporter.case, "x", reporter.reply_key, signer=signer, **how)
        return reporter.follow_up("x", signer=signer, **how)[0]

    true = made(None)
    forged = made(forger, envelope=true.id)
    sync(forged)
    assert read().timeline == ()
    assert said(desk) >= {f"{kind.name.lower().replace('_', '-')}-forged"}
    sync(true)
    assert [one.envelope.id for one in read().timeline] == [true.id]
    assert said(desk) <= {Sign.IDENTITY_MISSING}
    for one in (forged, true, made(forger, envelope=true.id)):
        sync(one)
        assert [one.envelope.header for one in read().timeline] == [true.header]
    assert Sign.ENVELOPE_CHANGED in said(desk)
    assert renewed(desk) == 1


def test_a_message_that_vouches_for_itself_does_not_take_anothers_place(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    (first, *rest) = reporter.follow_up("Is anybody there?")
    sync(first, *rest)
    other = Reporter(world, case=reporter.case).follow_up("No", envelope=first.id)[0]
    assert [alarm.sign for alarm in sync(other).alarms] == [Sign.ENVELOPE_CHANGED]
    assert [one.body.text for one in read().follow_ups] == ["Is anybody there?"]


def test_a_message_that_begins_a_case_and_opens_takes_the_place_of_one_that_is_for_others(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    (first, *rest) = reporter.follow_up("He is at the door")
    sync(for_others(world, reporter.case, first))
    assert read().timeline == ()
    sync(first, *rest)
    assert [one.body.text for one in read().follow_ups] == ["He is at the door"]
    assert said(desk) == {Sign.REPORT_MISSING}


def test_a_file_that_the_report_names_waits_for_its_wraps_and_not_for_another_that_opens(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    other = another(reporter, photo)
    server.put(*reporter.report([photo]))
    sync(shown(wraps, photo))
    sync(other)
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [photo.header]
    assert sync(photo).files == 1
    assert [one.problem for one in views(desk, read())] == [""]


def test_what_the_report_names_takes_the_place_of_what_it_does_not(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    photo, locked = reporter.evidence("p.jpg", "image/jpeg", JPEG), reporter.identity()
    report = reporter.report([photo], identity=locked)
    swapped = another(reporter, photo)
    server.put(report[0])
    sync(swapped, shown(day, locked))
    assert said(desk) >= {Sign.EVIDENCE_SWAPPED, Sign.IDENTITY_SWAPPED}
    assert sync(photo, locked).alarms == []
    assert [one.problem for one in views(desk, read())] == [""]
    assert said(desk) == set()
    # And none of it goes away again.
    sync(swapped, shown(day, locked))
    assert [one.problem for one in views(desk, read())] == [""]
    assert said(desk) == {Sign.ENVELOPE_CHANGED}


@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("change", [sizes, manifest, wraps, everything, day])
def test_what_was_right_stays_however_often_it_is_shown_wrong(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, change: Change
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    report = reporter.report([photo])
    sync(*report)
    kept = [one.digest for one in desk.store.everything()]
    changed = [shown(change, one) for one in report if one.parts or change is not sizes]
    for rows in (changed, report, changed, report, changed):
        sync(*rows)
        assert [one.digest for one in desk.store.everything()] == kept
    assert read().report is not None
    assert [one.problem for one in views(desk, read())] == [""]
    assert renewed(desk) == 0


def test_a_server_that_alternates_is_met_by_the_same_envelope(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    server.put(*reporter.report([photo]))
    for change in (everything, sizes, manifest, wraps, everything) * 2:
        sync(shown(change, photo))
    # What was right in one of them was taken, piece by piece.
    (kept,) = of_kind(desk, Kind.EVIDENCE)
    assert kept.manifest == photo.manifest
    assert kept.sizes == tuple(map(len, photo.parts))
    assert kept.whole
    assert sync(photo).files == 0
    assert said(desk) == set()
    assert renewed(desk) == 1


def test_of_two_that_open_the_first_stays(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    sync(*report)
    again = reporter.report(
        sealer=world.sealer(Kind.REPORT, reporter.case, envelope=report[0].id), category="threats"
    )
    assert [alarm.sign for alarm in sync(again[0]).alarms] == [Sign.ENVELOPE_CHANGED]
    assert read().category == "fraud"


@pytest.mark.claim("C-RENEWED")
def test_a_report_that_opens_takes_the_place_of_one_that_is_for_others_and_its_danger_counts(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report(danger_now="yes")
    sync(for_others(world, reporter.case, report[0]))
    assert said(desk) == {Sign.WRAP_LEFT_OUT}
    sync(*report)
    assert (read().danger, read().priority) == (True, "P1")
    assert read().reply_key == reporter.reply_key
    assert said(desk) == set()
    # And stays: the other one is met by what opens.
    sync(for_others(world, reporter.case, report[0]))
    assert read().danger
    assert Sign.ENVELOPE_CHANGED in said(desk)


def test_what_a_colleague_answered_stays_although_it_was_not_sealed_to_this_desk(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    report = reporter.report()
    server.left_out.add(report[0].id)
    sync(*report, world.entry(reporter.case, parents=[report[0].header.hash]))
    server.left_out.clear()
    sealing = world.sealer(Kind.REPORT, reporter.case, envelope=report[0].id)
    other = reporter.report(sealer=sealing, category="threats")[0]
    server.rows[other.id] = other
    sync()
    assert of_kind(desk, Kind.REPORT)[0].header == report[0].header
    assert Sign.ENVELOPE_CHANGED in said(desk)


def test_a_manifest_that_was_refused_and_comes_right_ends_its_alarm(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    server.put(*report)
    assert [one.sign for one in sync(shown(manifest, report[0])).alarms] == [Sign.PARTS_REFUSED]
    assert sync(report[0]).alarms == []
    assert read().report is not None
    assert said(desk) == set()


def test_an_entry_with_content_changes_its_row_in_the_list_once_it_is_right(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([photo]))
    text = b"a copy without the names"
    body = EntryBody(
        type="redaction",
        data={
            "file": photo.id.hex(), "sha256": hashlib.sha256(text).hexdigest(),
            "media_type": "text/plain", "length": len(text), "answer": "", "text": "",
        },
    )  # fmt: skip
    entry = world.by_operator(Kind.ENTRY, reporter.case, body.to_json(), content=text)
    sync(shown(manifest, entry))
    rows = Index(desk)
    before = rows.rows()
    states = desk.store.states(b"")
    assert read().timeline == ()
    done = sync(entry)
    assert done.files == 1
    assert [one.envelope.id for one in read().timeline] == [entry.id]
    assert desk.store.states(b"") != states
    assert rows.rows() != before


def test_who_was_removed_cannot_date_an_entry_back_by_what_was_shown_before(
    tmp_path: Path,
) -> None:
    world = World.make(operators=3)
    reporter = Reporter(world)
    with serving(world) as server:
        desk = make_desk(tmp_path / "desk", world, server.url)
        server.put(*reporter.report())
        removed = world.entry(reporter.case, signer=world.operators[2].sign)
        server.put(shown(day, removed))
        synchronise(desk, Silence())
        server.renew(operators=world.roster.operators[:2])
        synchronise(desk, Silence())
        server.put(removed)
        synchronise(desk, Silence())
    assert Cases(desk).find(reporter.case.hex()).timeline == ()
    assert said(desk) == {Sign.SIGNED_TOO_LATE}


@pytest.mark.parametrize("quorum", [1, 2])
def test_a_custodians_desk_takes_what_has_shares_for_it_in_the_place_of_what_has_none(
    tmp_path: Path, quorum: int
) -> None:
    world, others = World.make(custodians=2, quorum=quorum), World.make(custodians=2, quorum=quorum)
    reporter = Reporter(world)
    locked = reporter.identity("Jo")
    fake = row(
        world.sealer(Kind.IDENTITY, reporter.case, envelope=locked.id).seal(
            b"{}", Custodians(others.roster.custodian_keys(), quorum)
        )
    )
    with serving(world) as server:
        keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
        server.shows_custodians_everything = True
        for one, strength in ((fake, 0), (locked, 1), (fake, 1)):
            server.put(one)
            synchronise(keeper, Silence())
            (kept,) = keeper.store.everything()
            assert keeper.opener.strength(kept) == strength
    assert kept.header == locked.header


@pytest.mark.parametrize("quorum", [1, 2])
@pytest.mark.parametrize("change", [wraps, day])
def test_a_custodians_desk_takes_what_opens_there(
    tmp_path: Path, quorum: int, change: Change
) -> None:
    world = World.make(custodians=2, quorum=quorum)
    locked = Reporter(world).identity("Jo")
    with serving(world) as server:
        keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
        strengths = []
        for one in (shown(change, locked), locked, shown(change, locked)):
            server.put(one)
            synchronise(keeper, Silence())
            (kept,) = keeper.store.everything()
            strengths.append(keeper.opener.strength(kept))
    assert strengths == [0, 1, 1]
    assert kept.header == locked.header


def test_where_there_is_no_room_it_waits(
    reporter: Reporter, sync: Synced, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = reporter.report()
    sync(shown(wraps, report[0]))
    with monkeypatch.context() as full:
        full.setattr(disk.Disk, "left_for_words", property(lambda _: 10))
        done = sync(report[0])
    assert done.is_cut
    assert read().report is None
    sync()
    assert read().report is not None


def test_what_was_written_here_and_bears_all_wraps_is_as_it_was(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    append(desk, read(), "status", {"state": "triage"})
    kept = desk.store.everything()
    assert sync().alarms == []
    assert desk.store.everything() == kept


def test_a_twin_on_the_same_page_of_one_that_was_refused_is_left_to_the_next_sync(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    wrong = shown(manifest, report[0])
    # Two rows of one id, the second under a key that is the simulator's alone.
    server.put(wrong)
    server.rows[b"\xff" * 16] = report[0]
    done = sync()
    assert Alarm(Sign.PARTS_REFUSED, reporter.case.hex(), wrong.id.hex()) in done.alarms
    del server.rows[b"\xff" * 16]
    sync(*report)
    assert read().report is not None
    assert said(desk) == set()


@pytest.mark.claim("C-RENEWED")
def test_of_two_that_an_operator_signed_under_one_id_the_first_stays(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    first = world.entry(reporter.case)
    sync(*reporter.report(), first)
    sync(world.entry(reporter.case, "closed", envelope=first.id))
    assert [one.header for one in of_kind(desk, Kind.ENTRY)] == [first.header]
    assert Sign.ENVELOPE_CHANGED in said(desk)
