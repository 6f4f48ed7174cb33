"""A case that a message began is the writer's, whatever a server puts beside it afterwards."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.ids import Day, EnvelopeId
from crypto.manifest import IDENTITY_LATER
from desk import custody, words
from desk.alarms import Sign
from desk.cases import Cases
from desk.client import ClientLimits, SyncClient
from desk.custody_words import Why, refused
from desk.desk import Desk
from desk.errors import CustodyRefused, NotAnswerable, ServerUnreachable
from desk.evidence import views
from desk.index import Index
from desk.origins import AFTER_A_MESSAGE, BESIDE, DOUBTED, SEVERAL_WROTE, SHOWN_MOST
from desk.outbox import answer
from desk.progress import Silence
from desk.summary import case_json
from desk.sync import synchronise
from desk.transmission.reading import report_page
from tests.desk.test_believed_together import browser
from tests.desk.world import JPEG, TODAY, Reporter, World, make_desk, of_kind, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FORGED", "C-RENEWED")

POSTS = "/v1/envelopes"
OURS = {"Host": "127.0.0.1:8002"}
KNIFE = "He is at my door with a knife"
CALM = "I was mistaken, all is well"


def signs(case: Case) -> set[Sign]:
    return {alarm.sign for alarm in case.alarms}


def said(case: Case) -> list[str]:
    return [one.body.text for one in case.follow_ups]


def tomorrow(desk: Desk, server: FakeServer) -> Desk:
    server.today = TODAY + 1
    return Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 1))


def reads(who: Reporter, server: FakeServer) -> int:
    """How many answers whoever has that receipt can open."""
    opened = 0
    for one in server.rows.values():
        if one.header.kind is Kind.REPLY:
            with suppress(CryptoError):
                who.receipt.open_reply(one.header, one.wraps)
                opened += 1
    return opened


@pytest.fixture
def thief(world: World, reporter: Reporter) -> Reporter:
    """Whoever runs the server, with a receipt of their own."""
    return Reporter(world, case=reporter.case)


@pytest.fixture
def message(reporter: Reporter, sync: Synced) -> Row:
    """What began the case, and was read here."""
    made = reporter.follow_up(KNIFE)
    sync(*made)
    return made[0]


def test_a_report_that_is_put_there_takes_neither_the_message_nor_an_answer_that_waits(
    desk: Desk, reporter: Reporter, thief: Reporter, server: FakeServer, read: Read, run: Run,
    message: Row,
) -> None:  # fmt: skip
    assert desk.store.origins() == {reporter.case: message.id}
    assert answer(desk, read(), "We are coming.")
    server.answers[POSTS] = (503, b"{}")
    assert not answer(desk, read(), "SECRET: wait at the blue gate.")
    fake = thief.report(description=CALM, danger_now="yes", category="threats")
    server.put(*fake)
    assert synchronise(desk, Silence()).posted == 0
    server.answers.clear()
    case = read()
    assert said(case) == [KNIFE]
    assert [one.body.text for one in case.replies][1:] == ["SECRET: wait at the blue gate."]
    assert signs(case) == {Sign.REPORT_MISSING, Sign.REPORT_TWICE}
    assert (case.reply_key, case.origin.words) == (reporter.reply_key, AFTER_A_MESSAGE)
    # It is shown, and its danger counts; of the case itself it says nothing.
    assert (case.danger, case.priority, case.report, case.category) == (True, "P1", None, "")
    assert [one.danger for one in Index(desk).rows()] == [True]
    later = tomorrow(desk, server)
    assert synchronise(later, Silence()).posted == 1
    for one in fake:
        server.rows.pop(one.id)
    synchronise(later, Silence())
    assert answer(later, Cases(later).find(reporter.case.hex()), "A new answer.")
    assert (reads(reporter, server), reads(thief, server)) == (3, 0)
    assert desk.store.origins() == {reporter.case: message.id}
    for face in (
        " ".join(run("show", reporter.case.hex()).output.split()),
        browser(desk).get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True),
    ):
        assert KNIFE in face
        assert CALM in face
        assert "Answers go to the writer of the message alone" in face
        assert "The reporter</b> wrote message 1" in face or "The reporter wrote message 1" in face


def test_what_lies_beside_it_is_told_as_that_in_every_shape(
    desk: Desk, thief: Reporter, sync: Synced, read: Read, message: Row
) -> None:
    photo = thief.evidence("x.jpg", "image/jpeg", JPEG)
    fake = thief.report([photo], description=CALM, day=Day(TODAY - 300))
    sync(*fake, *thief.follow_up("Erase it.", body_changes={"type": "withdrawal"}))
    case = read()
    told = case_json(desk, case)
    assert (told["report"], told["report_is_sure"], told["withdrawn"]) == ("", False, False)
    assert [one["id"] for one in told["other_reports"]] == [fake[0].id.hex()]  # type: ignore[attr-defined]
    conversation = told["conversation"]
    assert {one["text"]: one["of_report"] for one in conversation} == {  # type: ignore[attr-defined]
        KNIFE: "", "Erase it.": fake[0].id.hex(),
    }  # fmt: skip
    json.dumps(told)
    # Neither its file nor its day is the case's.
    assert case.files_of(fake[0].id) == ()
    assert (case.day, len(views(desk, case))) == (message.header.day, 0)
    page = report_page(case, desk.rules, []).decode()
    assert page.index("A message began this case") < page.index(CALM) < page.index(KNIFE)
    assert f"Whoever sent report {fake[0].id.hex()[:8]}" in page
    assert "Several people wrote" not in page


@pytest.mark.parametrize("what", ["for others", "spoilt", "another message"])
def test_what_does_not_open_and_what_another_writes_change_nothing(
    desk: Desk, world: World, reporter: Reporter, thief: Reporter, sync: Synced, read: Read,
    message: Row, what: str,
) -> None:  # fmt: skip
    before = read()
    if what == "another message":
        made = thief.follow_up("No, me.")[0]
    else:
        made = thief.report()[0]
        sealed = world.sealer(Kind.REPORT, reporter.case).seal(b"{}", World.make().everybody())
        made = row(sealed) if what == "for others" else made
        if what == "spoilt":
            made.wraps = bytes(byte ^ (at % 148 == 147) for at, byte in enumerate(made.wraps))
    for _ in range(2):
        sync(made)
        case = read()
        assert said(case) == [KNIFE]
        assert (case.reply_key, case.unanswered) == (before.reply_key, True)
        assert Sign.REPORT_MISSING in signs(case)
        assert case.origin.words is None
        assert desk.store.origins() == {reporter.case: message.id}


def test_a_report_with_the_same_two_keys_is_the_report_and_others_are_beside_it(
    desk: Desk, reporter: Reporter, thief: Reporter, sync: Synced, read: Read, message: Row
) -> None:
    sync(*thief.report(danger_now="yes"))
    own = reporter.report(description="What happened")
    sync(*own)
    case = read()
    assert (case.report_id, case.origin.words) == (own[0].id, BESIDE)
    assert (case.reply_key, said(case)) == (reporter.reply_key, [KNIFE])
    assert signs(case) == {Sign.REPORT_TWICE}
    assert desk.store.origins() == {reporter.case: own[0].id}
    assert message.id != own[0].id


def test_of_two_reports_with_the_same_keys_none_is_the_report_and_the_writer_is_answered(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, message: Row
) -> None:
    sync(*reporter.report(), *reporter.report())
    case = read()
    assert (case.report, len(case.origin.others)) == (None, 2)
    assert (case.reply_key, case.origin.words) == (reporter.reply_key, AFTER_A_MESSAGE)
    assert said(case) == [KNIFE]
    assert Sign.REPORT_MISSING in signs(case)
    assert desk.store.origins() == {reporter.case: message.id}


def test_as_many_reports_are_shown_beside_it_as_beside_a_report(
    reporter: Reporter, world: World, sync: Synced, read: Read, message: Row
) -> None:
    many = [Reporter(world, case=reporter.case).report()[0] for _ in range(SHOWN_MOST + 2)]
    sync(*many)
    case = read()
    assert (len(case.origin.others), case.origin.unshown) == (SHOWN_MOST, 2)
    assert len(case.origin.proofs) == SHOWN_MOST + 1
    assert message.id == case.origin.proofs[0].of


def test_the_first_of_one_writers_messages_is_pinned_and_of_two_writers_none(
    desk: Desk, reporter: Reporter, thief: Reporter, world: World, sync: Synced
) -> None:
    first = reporter.follow_up("First", day=Day(TODAY - 1))[0]
    other = Reporter(world)
    sync(reporter.follow_up("Second")[0], first, *other.follow_up("One"))
    assert desk.store.origins()[reporter.case] == first.id
    sync(*Reporter(world, case=other.case).follow_up("Two"))
    assert other.case in desk.store.origins()
    both = Reporter(world)
    sync(*both.follow_up("Me"), *Reporter(world, case=both.case).follow_up("No, me"))
    # What is signed with another key than it names vouches for nobody.
    unproven = Reporter(world)
    sync(*unproven.follow_up("Hm", signer=thief.sign))
    assert not {both.case, unproven.case} & desk.store.origins().keys()


def test_nothing_is_pinned_before_a_list_was_read_to_its_end(
    desk: Desk, reporter: Reporter, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the list may have the report."""
    server.put(*reporter.follow_up(KNIFE))
    index = SyncClient.index
    monkeypatch.setattr(desk.client, "limits", ClientLimits(page=1), raising=False)

    def breaks(client: SyncClient, after: str | None) -> object:
        if after is not None:
            raise ServerUnreachable("The line broke.")
        return index(client, after)

    monkeypatch.setattr(SyncClient, "index", breaks)
    with pytest.raises(ServerUnreachable):
        synchronise(desk, Silence())
    assert desk.store.outsides()
    assert desk.store.origins() == {}
    monkeypatch.undo()
    synchronise(desk, Silence())
    assert desk.store.origins().keys() == {reporter.case}


def test_a_message_that_this_disk_spoilt_is_no_reason_to_believe_a_report_instead(
    desk: Desk, reporter: Reporter, thief: Reporter, server: FakeServer, sync: Synced, message: Row
) -> None:
    with closing(sqlite3.connect(desk.home.database)) as connection, connection:
        connection.execute("UPDATE envelopes SET manifest=? WHERE envelope=?", (b"", message.id))
    del server.rows[message.id]
    sync(*thief.report())
    again = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
    case = Cases(again).find(reporter.case.hex())
    assert case.origin.words == DOUBTED
    with pytest.raises(NotAnswerable, match="may be the reporter"):
        answer(again, case, "To whom?")
    # And once it is shown as it was, all is as it was.
    server.put(message)
    synchronise(again, Silence())
    case = Cases(again).find(reporter.case.hex())
    assert (said(case), case.reply_key) == ([KNIFE], reporter.reply_key)


def test_no_twin_takes_the_place_of_the_message_or_of_what_its_writer_said_later(
    desk: Desk, world: World, reporter: Reporter, thief: Reporter, sync: Synced, read: Read,
    message: Row,
) -> None:  # fmt: skip
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    more = reporter.follow_up("He is inside", [photo])
    sync(*more)
    sync(*thief.report())
    twins = [
        thief.follow_up("All is well", envelope=one.id)[0] for one in (message, more[0])
    ] + [
        thief.evidence(
            "p.jpg", "image/jpeg", b"x",
            sealer=world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id),
        )
    ]  # fmt: skip
    sync(*twins)
    case = read()
    assert sorted(said(case)) == sorted([KNIFE, "He is inside"])
    assert {one.header for one in of_kind(desk, Kind.FOLLOW_UP)} == {message.header, more[0].header}
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [photo.header]
    assert Sign.ENVELOPE_CHANGED in signs(case)
    # What the writer signed takes the place of what another put there under its id.
    last = reporter.follow_up("Hurry")[0]
    sync(thief.follow_up("Do not hurry", envelope=last.id)[0])
    sync(last)
    assert "Hurry" in said(read())
    assert "Do not hurry" not in said(read())


def test_a_file_that_the_writer_names_takes_the_place_of_another_under_its_id(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, message: Row
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    sealer = world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id)
    other = Reporter(world, case=reporter.case).evidence("p.jpg", "image/jpeg", b"x", sealer=sealer)
    sync(*reporter.follow_up("See", [other])[:1], other)
    assert message.id in desk.store.origins().values()
    sync(photo)
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [other.header]
    later = reporter.evidence("q.jpg", "image/jpeg", JPEG)
    sealer = world.sealer(Kind.EVIDENCE, reporter.case, envelope=later.id)
    sync(Reporter(world, case=reporter.case).evidence("q", "image/jpeg", b"x", sealer=sealer))
    sync(*reporter.follow_up("And this", [later]))
    assert later.header in {one.header for one in of_kind(desk, Kind.EVIDENCE)}


def test_custodians_can_be_asked_for_what_its_writer_gave_and_for_nothing_else(
    reporter: Reporter, thief: Reporter, sync: Synced, read: Read, message: Row
) -> None:
    named = thief.identity("Somebody else")
    sync(*thief.report(identity=named, identity_mode="full_identity"))
    assert read().identity_mode == ""
    with pytest.raises(CustodyRefused, match=str(refused(Why.NOTHING))):
        custody._wanted(read())
    given = {"type": IDENTITY_LATER, "identity_mode": "full_identity"}
    mine = reporter.follow_up("It is me", body_changes=given)
    sync(*mine, *thief.follow_up("It is me", body_changes=given))
    case = read()
    assert case.identity_mode == "full_identity"
    assert [one.id for one in custody._wanted(case)] == [mine[1].id]
    assert {one.by for one in case.identities} == {message.id, mine[0].id}


def test_a_colleague_who_had_it_first_answers_the_same(
    tmp_path: Path, world: World, reporter: Reporter, thief: Reporter, server: FakeServer,
    message: Row,
) -> None:  # fmt: skip
    colleague = make_desk(tmp_path / "b", world, server.url, keyring=world.operators[1])
    synchronise(colleague, Silence())
    server.put(*thief.report(sealer=world.sealer(
        Kind.REPORT, reporter.case, envelope=EnvelopeId(bytes(16)),
    )))  # fmt: skip
    synchronise(colleague, Silence())
    case = Cases(colleague).find(reporter.case.hex())
    assert (case.reply_key, case.origin.message is not None) == (reporter.reply_key, True)
    assert colleague.store.origins() == {reporter.case: message.id}


def test_what_vouches_for_itself_takes_the_place_of_nothing_that_opens(
    reporter: Reporter, thief: Reporter, sync: Synced, read: Read
) -> None:
    kept = reporter.follow_up("Hm", signer=thief.sign)[0]
    sync(kept)
    assert [one.sign for one in sync(thief.follow_up("Me", envelope=kept.id)[0]).alarms] == [
        Sign.ENVELOPE_CHANGED
    ]
    assert read().timeline == ()


@pytest.mark.parametrize("what", ["for others", "spoilt", "another message"])
def test_what_was_shown_beside_a_first_message_once_hides_neither_it_nor_what_follows(
    desk: Desk, world: World, reporter: Reporter, thief: Reporter, server: FakeServer,
    sync: Synced, read: Read, what: str,
) -> None:  # fmt: skip
    """All in the first sync, and the server honest ever after."""
    beside = {
        "for others": [
            row(world.sealer(Kind.REPORT, reporter.case).seal(b"{}", World.make().everybody()))
        ],
        "spoilt": thief.report()[:1],
        "another message": thief.follow_up(CALM)[:1],
    }[what]
    if what == "spoilt":
        wraps = beside[0].wraps
        beside[0].wraps = bytes(byte ^ (at % 148 == 147) for at, byte in enumerate(wraps))
    sync(*reporter.follow_up(KNIFE), *beside)
    for one in beside:
        server.rows.pop(one.id)
    sync(*reporter.follow_up("He is inside"))
    case = read()
    assert set(said(case)) - {CALM} == {KNIFE, "He is inside"}
    assert case.unanswered
    is_sure = what != "another message"
    assert (case.reply_key == reporter.reply_key, case.origin.is_sure) == (is_sure, is_sure)
    if not is_sure:
        with pytest.raises(NotAnswerable, match="Several people wrote"):
            answer(desk, case, "To whom?")
        # A report that comes then, with the keys of one of them, takes the case from nobody.
        sync(*thief.report(description=CALM))
        case = read()
        assert set(said(case)) == {CALM, KNIFE, "He is inside"}
        assert (case.reply_key, case.origin.words) == (None, SEVERAL_WROTE)
        assert desk.store.origins() == {}
        writers = {one.body.text: str(words.writer(case, one)) for one in case.follow_ups}
        assert writers[CALM].startswith("Whoever sent report")
        assert writers[KNIFE].startswith("Whoever first wrote")


def test_a_report_and_a_message_of_other_keys_that_come_together_are_both_shown_and_not_answered(
    desk: Desk, reporter: Reporter, thief: Reporter, sync: Synced, read: Read, run: Run
) -> None:
    sync(*reporter.follow_up(KNIFE), *thief.report(description=CALM))
    case = read()
    assert (said(case), case.reply_key, case.unanswered) == ([KNIFE], None, True)
    assert case.origin.words == SEVERAL_WROTE
    assert desk.store.origins() == {}
    for face in (
        " ".join(run("show", reporter.case.hex()).output.split()),
        browser(desk).get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True),
        report_page(case, desk.rules, []).decode(),
    ):
        assert KNIFE in face
        assert CALM in face
        assert "Whoever first wrote" in face
        assert case.origin.told[0].envelope.id.hex()[:8] in face
