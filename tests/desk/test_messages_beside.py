"""Whoever sent a report beside the case's own is heard, and decides nothing in the case."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import Day, EnvelopeId
from crypto.manifest import IDENTITY_LATER, WITHDRAWAL
from desk import custody, words
from desk.alarms import Sign
from desk.cases import Cases
from desk.custody_words import Why, refused
from desk.errors import CustodyRefused
from desk.evidence import views
from desk.index import Index
from desk.keyring import Keyring
from desk.origins import BESIDE, DOUBTED, SEVERAL_WROTE, UNSURE
from desk.progress import Silence
from desk.room.fact import fact_of
from desk.sealed_for import may_be_for_others
from desk.summary import case_json
from desk.sync import synchronise
from desk.transmission.possible import Competence, reasons_against
from desk.transmission.reading import report_page
from desk.trust import Trust
from tests.desk.server import serving
from tests.desk.test_believed_together import browser
from tests.desk.world import JPEG, TODAY, Reporter, World, make_desk, of_kind, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FORGED")

OURS = {"Host": "127.0.0.1:8002"}
KNIFE = "He has a knife NOW"
FIRST, LAST = EnvelopeId(bytes(16)), EnvelopeId(b"\xff" * 16)


def signs(case: Case) -> set[Sign]:
    return {alarm.sign for alarm in case.alarms}


def said(case: Case) -> list[str]:
    return [one.body.text for one in case.follow_ups]


@pytest.fixture
def thief(world: World, reporter: Reporter) -> Reporter:
    """Whoever runs the server, with a receipt of their own."""
    return Reporter(world, case=reporter.case)


def test_with_a_planted_report_first_the_reporters_messages_are_shown_as_theirs(
    desk: Desk, reporter: Reporter, thief: Reporter, sync: Synced, read: Read, run: Run
) -> None:
    sync(*thief.report(description="all is well"))
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    true = reporter.report([photo], description="He beats me")
    more = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG + b"2")
    said_so = reporter.follow_up(KNIFE, [more])
    sync(*true, *said_so)
    case = read()
    assert (said(case), case.origin.words) == ([KNIFE], BESIDE)
    assert signs(case) == {Sign.REPORT_TWICE}
    assert case.reply_key == thief.reply_key
    # Of their files none is the case's own: what a stranger names decides nothing in it.
    assert (case.files, views(desk, case)) == ((), ())
    assert case.unanswered
    (row,) = Index(desk).rows()
    assert KNIFE.lower() in row.folded
    conversation = case_json(desk, case)["conversation"]
    assert [each["author"] for each in conversation] == ["unknown"]  # type: ignore[attr-defined]
    assert [each["of_report"] for each in conversation] == [true[0].id.hex()]  # type: ignore[attr-defined]
    name = true[0].id.hex()[:8]
    page = browser(desk)
    faces = [
        run("show", reporter.case.hex()).output,
        page.get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True),
        report_page(case, desk.rules, []).decode(),
    ]
    for face in (one.replace("<bdi>", "").replace("</bdi>", "") for one in faces):
        assert f"Whoever sent report {name}" in face
        assert KNIFE in face
        assert "The reporter" not in face.split(KNIFE)[0].splitlines()[-2]
    for code, mark in (("fr", "Qui a envoyé le signalement"), ("ar", "مُرسِل التبليغ")):
        headers = {**OURS, "Accept-Language": code}
        face = page.get(f"/case/{reporter.case.hex()}", headers=headers).get_data(as_text=True)
        assert mark in face
        assert name in face.split(mark)[1][:80]


def test_where_nobody_can_tell_each_message_is_shown_with_its_report(
    reporter: Reporter, thief: Reporter, world: World, sync: Synced, read: Read
) -> None:
    sealed = {
        who: world.sealer(Kind.REPORT, reporter.case, envelope=name)
        for who, name in (("thief", FIRST), ("reporter", LAST))
    }
    sync(*reporter.report(sealer=sealed["reporter"]), *thief.report(sealer=sealed["thief"]))
    sync(*reporter.follow_up(KNIFE), *thief.follow_up("All is well"))
    case = read()
    assert case.origin.words == UNSURE
    senders = {one.body.text: str(words.writer(case, one)) for one in case.follow_ups}
    assert senders == {
        KNIFE: "Whoever sent report ffffffff",
        "All is well": "Whoever sent report 00000000",
    }
    assert case.reply_key is None
    assert signs(case) == {Sign.REPORT_TWICE}
    # So is one that no report here explains, and which vouches for itself.
    third = Reporter(world, case=reporter.case)
    began = third.follow_up("Who am I?")
    sync(*began)
    case = read()
    senders = {one.body.text: str(words.writer(case, one)) for one in case.follow_ups}
    assert senders["Who am I?"] == f"Whoever first wrote {began[0].id.hex()[:8]}"
    assert (case.origin.words, case.reply_key) == (SEVERAL_WROTE, None)
    # One that does not even vouch for itself is not shown.
    changed = {"follow_up_key": reporter.sign.public}
    other = Reporter(world, case=reporter.case)
    sync(*other.follow_up("And I?", body_changes=changed))
    assert Sign.FOLLOW_UP_UNPROVEN in signs(read())
    assert len(read().messages) == 3


GIVEN: dict[str, Any] = {"type": IDENTITY_LATER, "identity_mode": "full_identity"}
ASKED: dict[str, Any] = {"type": WITHDRAWAL}


def test_who_is_known_to_be_another_neither_withdraws_nor_names_nor_answers(
    desk: Desk, world: World, reporter: Reporter, thief: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    asked = world.entry(reporter.case, "info_requested", parents=[report[0].header.hash])
    sync(*report, asked)
    sync(*thief.report())
    after = [asked.header.hash]
    sync(
        *thief.follow_up("Erase it", parents=after, body_changes=ASKED),
        *thief.follow_up("It is me", parents=after, body_changes=GIVEN),
    )
    case = read()
    assert sorted(said(case)) == ["Erase it", "It is me"]
    assert (case.withdrawals, case.later_identities, case.identity_mode) == ((), (), "anonymous")
    assert {one.by for one in case.identities} == {report[0].id}
    assert Sign.IDENTITY_NOT_NAMED not in signs(case)
    assert [row.withdrawn for row in Index(desk).rows()] == [False]
    assert [one.answered for one in fact_of(case, desk.rules).questions] == [None]
    with pytest.raises(CustodyRefused, match=str(refused(Why.NOTHING))):
        custody._wanted(case)
    chosen = Competence("nobody", "nothing")
    assert "withdrawn" not in {why.rule for why in reasons_against(desk, case, chosen)}
    own = reporter.follow_up("Erase it all", parents=after, body_changes=ASKED)
    sync(*own)
    case = read()
    assert [one.envelope.id for one in case.withdrawals] == [own[0].id]
    assert "withdrawn" in {why.rule for why in reasons_against(desk, case, chosen)}
    assert fact_of(case, desk.rules).questions[0].answered is not None


def test_where_nobody_can_tell_a_withdrawal_of_any_counts_and_a_name_of_none(
    desk: Desk, reporter: Reporter, thief: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report(), *thief.report())
    sync(*thief.follow_up("It is me", body_changes=GIVEN))
    case = read()
    assert (case.identity_mode, case.later_identities) == ("anonymous", ())
    sync(*reporter.follow_up("Erase it", body_changes=ASKED))
    case = read()
    assert len(case.withdrawals) == 1
    chosen = Competence("nobody", "nothing")
    assert "withdrawn" in {why.rule for why in reasons_against(desk, case, chosen)}


def test_no_strangers_message_or_file_changes_a_number_or_a_name_of_the_reporters(
    desk: Desk, reporter: Reporter, thief: Reporter, sync: Synced, read: Read
) -> None:
    files = [reporter.evidence("\u202ex", "image/jpeg", JPEG + bytes([one])) for one in range(3)]
    report = reporter.report(files[:1])
    own = reporter.follow_up("Mine", files[1:])
    sync(*report, *own)
    before = {one.id: one.name for one in views(desk, read())}
    assert read().number_of(own[0].id) == 1
    theirs = thief.evidence("\u202ex", "image/jpeg", b"x")
    more = thief.evidence("\u202ex", "image/jpeg", b"y")
    sync(*thief.report([theirs]))
    sync(*thief.follow_up("Theirs", [more], day=Day(TODAY - 1)))
    case = read()
    after = {one.id: one.name for one in views(desk, case)}
    assert after == before
    assert (case.number_of(own[0].id), said(case)) == (1, ["Mine", "Theirs"])


def test_what_a_stranger_says_of_a_file_takes_none_of_the_cases_own_away(
    world: World, reporter: Reporter, thief: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    twin = thief.evidence(
        "p.jpg", "image/jpeg", b"x",
        sealer=world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id),
    )  # fmt: skip
    sync(*reporter.report([photo]))
    sync(*thief.report([twin])[:1], *thief.follow_up("See", [twin])[:1])
    case = read()
    assert [(one.ref, one.envelope is not None) for one in case.files] == [(photo.ref, True)]
    assert Sign.EVIDENCE_SWAPPED not in signs(case)


@pytest.mark.claim("C-RENEWED")
def test_under_one_id_the_reporters_word_stands_before_a_strangers_and_that_before_a_forgery(
    desk: Desk, reporter: Reporter, thief: Reporter, world: World, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    sync(*thief.report())
    forger = Reporter(world, case=reporter.case)
    true = reporter.follow_up("Mine")[0]
    theirs = thief.follow_up("Theirs", envelope=true.id)[0]
    forgery = forger.follow_up("Forged", envelope=true.id)[0]
    for made, shown in (
        (forgery, []), (theirs, ["Theirs"]), (forgery, ["Theirs"]), (true, ["Mine"]),
        (theirs, ["Mine"]), (forgery, ["Mine"]),
    ):  # fmt: skip
        sync(made)
        assert said(read()) == shown
    assert [one.header for one in of_kind(desk, Kind.FOLLOW_UP)] == [true.header]


@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("day", [TODAY - 8, TODAY])
def test_whoever_holds_the_old_lists_back_for_one_sync_has_no_report_of_theirs_answered(
    tmp_path: Path, world: World, reporter: Reporter, thief: Reporter, day: int
) -> None:
    late, first = Keyring.generate("late"), world.roster
    with serving(world) as server:
        true = reporter.report(day=Day(day))
        world.operators = (*world.operators, late)
        server.renew(not_before=Day(TODAY - 5))
        server.history.pop(1)
        desk = make_desk(tmp_path / "late", world, server.url, keyring=late)
        server.put(*true, *thief.report(danger_now="yes"))
        synchronise(desk, Silence())
        for _ in range(2):
            case = Cases(desk).find(reporter.case.hex())
            assert (case.origin.words, case.danger) == (DOUBTED, True)
            assert case.reply_key is None
            assert desk.store.origins() == {}
            server.history[1] = first.note
            synchronise(desk, Silence())


def test_with_all_lists_known_one_under_an_unknown_list_stands_in_nobodys_way(
    world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    world.operators = (*world.operators, Keyring.generate("late"))
    server.renew()
    sealer = world.sealer(Kind.REPORT, reporter.case, roster_hash=bytes(32))
    unknown = row(sealer.seal(b"{}", World.make().everybody()))
    sync(*reporter.report(), unknown)
    case = read()
    assert (case.reply_key, case.origin.words) == (reporter.reply_key, None)
    assert Sign.REPORT_TWICE in signs(case)


def test_a_desk_that_lost_the_list_it_pinned_takes_none_for_complete(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = world.sealer(Kind.REPORT, reporter.case, roster_hash=bytes(32))
    header = row(sealer.seal(b"{}", World.make().everybody())).header
    sync()
    assert not may_be_for_others(desk, header)
    monkeypatch.setattr(Trust, "_pinned", lambda _: None)
    assert may_be_for_others(desk, header)


@pytest.mark.claim("C-RENEWED")
def test_where_nobody_can_tell_whose_the_case_is_nobodys_naming_replaces_a_file(
    desk: Desk, world: World, reporter: Reporter, thief: Reporter, sync: Synced
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    twin = thief.evidence(
        "p.jpg", "image/jpeg", b"x",
        sealer=world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id),
    )  # fmt: skip
    first = world.sealer(Kind.REPORT, reporter.case, envelope=FIRST)
    sync(*reporter.report([photo]), thief.report([twin], sealer=first)[0])
    sync(twin)
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [photo.header]
