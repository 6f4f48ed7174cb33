"""Reports that a server puts beside the true one hide no danger, and no answer goes astray."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import Day, EnvelopeId
from desk import custody
from desk.alarms import Sign
from desk.cases import Cases
from desk.custody_words import Why, refused
from desk.errors import CustodyRefused, NotAnswerable
from desk.index import Index
from desk.keyring import Keyring
from desk.origins import BESIDE, DOUBTED, SHOWN_MOST, UNSURE
from desk.outbox import answer
from desk.progress import Silence
from desk.store import Store
from desk.summary import case_json
from desk.sync import synchronise
from desk.transmission.reading import report_page
from tests.desk.server import serving
from tests.desk.test_believed_together import browser
from tests.desk.world import JPEG, TODAY, Reporter, World, make_desk, of_kind, row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

KNIFE: dict[str, Any] = {"danger_now": "yes", "description": "He is at my door with a knife"}
OURS = {"Host": "127.0.0.1:8002"}
CALM = "I was mistaken, all is well"
LOW = EnvelopeId(bytes(16))


def for_others(world: World, reporter: Reporter) -> Row:
    """A report of the case that is sealed to nobody who is known here."""
    sealed = world.sealer(Kind.REPORT, reporter.case).seal(b"{}", World.make().everybody())
    return row(sealed)


def forged(world: World, reporter: Reporter, files: Sequence[Row] = (), **said: Any) -> Row:
    """A report that opens, which the server wrote, under an id before all others."""
    thief = Reporter(world, case=reporter.case)
    sealer = world.sealer(Kind.REPORT, reporter.case, envelope=LOW)
    return thief.report(files, sealer=sealer, **{"description": CALM, **said})[0]


def signs(case: Case) -> set[Sign]:
    return {alarm.sign for alarm in case.alarms}


@pytest.fixture
def true(reporter: Reporter) -> list[Row]:
    """The reporter's own: somebody is in danger."""
    return reporter.report(**KNIFE)


@pytest.mark.claim("C-RENEWED", "C-FORGED")
def test_one_that_opens_for_nobody_does_not_stand_in_the_way_of_a_report_of_danger(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read,
    true: list[Row],
) -> None:  # fmt: skip
    fake = for_others(world, reporter)
    sync(fake)
    assert desk.store.origins() == {}
    del server.rows[fake.id]
    sync(*true)
    case = read()
    assert (case.danger, case.priority, case.reply_key) == (True, "P1", reporter.reply_key)
    assert case.fields["description"] == KNIFE["description"]
    assert case.origin.words is None
    # What was put there is shouted about all the same.
    assert signs(case) >= {Sign.REPORT_TWICE, Sign.WRAP_LEFT_OUT}
    assert [row.danger for row in Index(desk).rows()] == [True]
    assert desk.store.origins() == {reporter.case: true[0].id}


def spoilt(world: World, reporter: Reporter) -> Row:
    """One that names this desk, and does not open there."""
    fake = forged(world, reporter)
    fake.wraps = bytes(byte ^ (at % 148 == 147) for at, byte in enumerate(fake.wraps))
    return fake


@pytest.mark.claim("C-RENEWED", "C-FORGED")
def test_one_that_stood_alone_and_never_opened_stands_in_nobodys_way(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, true: list[Row]
) -> None:
    fake = spoilt(world, reporter)
    sync(fake)
    assert desk.store.firsts() == {reporter.case: fake.id}
    Index(desk).rows()
    assert desk.store.origins() == {}
    sync(*true)
    case = read()
    assert (case.danger, case.reply_key, case.origin.words) == (True, reporter.reply_key, None)
    assert desk.store.origins() == {reporter.case: true[0].id}
    assert desk.store.firsts() == {}


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("is_read", [False, True])
def test_one_that_stood_alone_is_the_one_whether_or_not_its_case_was_read_before_another_came(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, true: list[Row],
    is_read: bool,  # noqa: FBT001  # one of two worlds
) -> None:  # fmt: skip
    sync(*true)
    assert desk.store.firsts() == {reporter.case: true[0].id}
    if is_read:
        index, states = Index(desk), desk.store.states(b"")
        rows = index.rows()
        assert desk.store.firsts() == {}
        assert desk.store.origins() == {reporter.case: true[0].id}
        # That it is known to open makes no row anew.
        assert desk.store.states(b"") == states
        assert index.rows() == rows == Index(desk).rows()
    sync(forged(world, reporter))
    case = read()
    assert (case.reply_key, case.origin.words) == (reporter.reply_key, BESIDE)
    assert case.fields["description"] == KNIFE["description"]
    assert desk.store.origins() == {reporter.case: true[0].id}


def test_a_disk_that_takes_no_pin_shows_the_list_all_the_same(
    desk: Desk, reporter: Reporter, sync: Synced, true: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*true)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError

    with monkeypatch.context() as changed:
        changed.setattr(Store, "pin_origins", full)
        assert [one.danger for one in Index(desk).rows()] == [True]
    assert desk.store.firsts() == {reporter.case: true[0].id}


@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("is_spoilt", [False, True])
def test_a_pin_of_what_does_not_open_gives_way_to_what_does(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, true: list[Row],
    is_spoilt: bool,  # noqa: FBT001  # one of two worlds
) -> None:  # fmt: skip
    fake = for_others(world, reporter)
    if is_spoilt:
        # As the pinned one would be whose bytes the disk has changed since.
        fake = spoilt(world, reporter)
    sync(fake)
    desk.store.pin_origins({reporter.case: fake.id})
    sync(*true)
    case = read()
    assert (case.danger, case.priority) == (True, "P1")
    assert Sign.REPORT_TWICE in signs(case)
    assert (case.reply_key is None) == is_spoilt
    assert case.origin.words == (DOUBTED if is_spoilt else None)
    assert desk.store.origins() == {reporter.case: fake.id if is_spoilt else true[0].id}


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("danger", ["no", "yes"])
def test_of_two_that_open_in_the_first_sync_both_are_shown_and_the_danger_of_either_counts(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read,
    run: Run, danger: str,
) -> None:  # fmt: skip
    photo = reporter.evidence("knife.jpg", "image/jpeg", JPEG)
    true = reporter.report([photo], **KNIFE)
    # The server's names the true one's file by its id, which anybody sees, and by another hash.
    lie = Reporter(world, case=reporter.case).evidence(
        "x", "image/jpeg", b"x",
        sealer=world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id),
    )  # fmt: skip
    sync(*true, forged(world, reporter, [lie], danger_now=danger))
    del server.rows[LOW]
    for _ in range(2):
        sync()
        case = read()
        assert (case.danger, case.priority, case.origin.words) == (True, "P1", UNSURE)
        told = [one.manifest.fields["description"] for one in case.origin.told]
        assert told == ([KNIFE["description"], CALM] if danger == "no" else [CALM, told[1]])
        assert desk.store.origins() == {}
    assert Sign.REPORT_TWICE in signs(case)
    # The file of the true one is there, and stands with it.
    assert [one.envelope is not None for one in case.files_of(true[0].id)] == [True]
    (listed,) = Index(desk).rows()
    assert (listed.danger, listed.priority) == (True, "P1")
    for said in (KNIFE["description"], CALM):
        assert said.lower() in listed.folded
    shown = run("show", reporter.case.hex()).output
    page = browser(desk).get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True)
    for face in (" ".join(shown.split()), page):
        assert KNIFE["description"] in face
        assert CALM in face
        assert "nobody here can say which is the reporter" in face
    assert 'name="text"' not in page.split("Answer the reporter")[1].split("</section>")[0]
    with pytest.raises(NotAnswerable, match="ask a colleague"):
        answer(desk, case, "To whom?")


def test_what_is_handed_over_has_all_of_them_and_says_so(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, true: list[Row]
) -> None:
    sync(*true, forged(world, reporter))
    page = report_page(read(), desk.rules, []).decode()
    assert KNIFE["description"] in page
    assert CALM in page
    assert "Several people wrote" in page
    told = json.loads(json.dumps(case_json(desk, read())))
    assert [one["fields"]["description"] for one in told["other_reports"]] == [CALM]
    assert (told["report"], told["report_is_sure"]) == (true[0].id.hex(), False)


def test_nobody_is_asked_for_the_identity_of_one_that_may_be_anothers(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    named = reporter.report(identity=reporter.identity("Jo"), identity_mode="full_identity")
    sync(*named, forged(world, reporter))
    with pytest.raises(CustodyRefused, match=str(refused(Why.UNSURE))):
        custody.ask(desk, read(), "threats")


@pytest.mark.claim("C-FORGED")
def test_one_that_comes_later_is_shown_with_its_danger_and_answers_go_to_the_first(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, true: list[Row],
    run: Run,
) -> None:  # fmt: skip
    # The server's came alone, and opens: nobody could know.
    sync(forged(world, reporter))
    first = read()
    assert answer(desk, first, "Good to hear")
    assert not read().unanswered
    sync(*true)
    case = read()
    assert (case.danger, case.priority, case.origin.words) == (True, "P1", BESIDE)
    assert case.reply_key == first.reply_key
    assert case.seen != first.seen
    assert case.unanswered
    assert signs(case) >= {Sign.REPORT_TWICE}
    for face in (
        " ".join(run("show", reporter.case.hex()).output.split()),
        browser(desk).get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True),
    ):
        assert KNIFE["description"] in face
        assert "Answers go to the first alone" in face
    done = run("reply", reporter.case.hex(), "--text", "Whoever you are")
    assert done.exit_code == 0
    assert "Answers go to the first alone" in done.stderr
    assert not read().unanswered
    for sent in of_kind(desk, Kind.REPLY):
        assert reporter.reply_key.kid not in desk.opener.signed(sent).recipients


@pytest.mark.claim("C-FORGED")
def test_one_beside_another_from_before_this_desks_time_is_shown_and_not_answered(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer
) -> None:
    late = Keyring.generate("late")
    server.put(reporter.report()[0])
    world.operators = (*world.operators, late)
    server.renew()
    desk = make_desk(tmp_path / "late", world, server.url, keyring=late)
    synchronise(desk, Silence())
    assert desk.store.origins() == {}
    server.put(forged(world, reporter, **KNIFE))
    synchronise(desk, Silence())
    case = Cases(desk).find(reporter.case.hex())
    assert (case.danger, case.origin.words) == (True, DOUBTED)
    assert desk.store.origins() == {}
    with pytest.raises(NotAnswerable, match="may be the reporter"):
        answer(desk, case, "To whom?")


def test_the_day_of_a_case_is_the_first_of_those_that_may_be_its_reports(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    other = Reporter(world, case=reporter.case)
    sync(*reporter.report(), *other.report(day=Day(TODAY - 3)))
    assert read().day == TODAY - 3


def test_more_than_anybody_reads_are_counted(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, run: Run
) -> None:
    sync(*(Reporter(world, case=reporter.case).report()[0] for _ in range(SHOWN_MOST + 2)))
    case = read()
    assert (len(case.origin.others), case.origin.unshown) == (SHOWN_MOST - 1, 2)
    assert "And 2 more" in run("show", reporter.case.hex()).output
    page = browser(desk).get(f"/case/{reporter.case.hex()}", headers=OURS).get_data(as_text=True)
    assert "And 2 more" in page


def test_a_desk_of_a_custodian_has_no_reports_and_pins_none(tmp_path: Path) -> None:
    world = World.make()
    with serving(world) as server:
        server.put(*Reporter(world).report())
        server.shows_custodians_everything = True
        keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
        synchronise(keeper, Silence())
    assert keeper.store.origins() == {}
