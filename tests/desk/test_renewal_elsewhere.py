"""Claim C-RENEWED: what another case, or another kind, vouches for takes nothing away here.

An id is nobody's secret.  Whoever runs the server can seal what they like under one, and begin a
case of their own in which they are the reporter.
"""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.evidence import views
from desk.index import Index
from desk.opening import Opener
from desk.verify import Judge
from tests.desk.test_renewal import another, for_others, said, shown, wraps
from tests.desk.world import JPEG, Reporter, of_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import EnvelopeId
    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-RENEWED")

KNIFE = "He has a knife"


@dataclass
class Scene:
    """The reporter's case with one envelope of each kind in it, and whoever runs the server."""

    world: World
    reporter: Reporter
    thief: Reporter
    liar: Reporter
    rows: dict[str, Row] = field(default_factory=dict)

    @classmethod
    def make(cls, world: World, reporter: Reporter) -> Scene:
        """Seal all of it; nothing is on a server yet."""
        scene = cls(world, reporter, Reporter(world, case=reporter.case), Reporter(world))
        photo = reporter.evidence("p.jpg", "image/jpeg", JPEG)
        report, locked, _ = reporter.report([photo], danger_now="yes", description=KNIFE)
        scene.rows = {
            "report": report,
            "message": reporter.follow_up("He is inside", body_changes={"identity": locked.ref})[0],
            "file": photo,
            "identity": locked,
            "entry": world.entry(reporter.case),
            "reply": world.reply(reporter.case, "We are coming.", reporter.reply_key),
        }
        return scene

    def as_of(self, who: Reporter, kind: str, name: EnvelopeId) -> tuple[Row, list[Row]]:
        """What somebody shows under an id, and the report that vouches for it."""
        if kind == "message":
            return who.follow_up("spam", envelope=name)[0], who.report()
        if kind == "entry":
            return self.world.entry(who.case, "closed", envelope=name), who.report()
        sealer = self.world.sealer(Kind.EVIDENCE, who.case, envelope=name)
        photo = who.evidence("x.jpg", "image/jpeg", b"x", sealer=sealer)
        return photo, who.report([photo])[:2]


@pytest.fixture
def scene(world: World, reporter: Reporter) -> Scene:
    return Scene.make(world, reporter)


def pin(desk: Desk, scene: Scene) -> EnvelopeId | None:
    return desk.store.origins().get(scene.reporter.case)


@pytest.mark.parametrize("is_sure", [True, False], ids=["sure", "doubled"])
@pytest.mark.parametrize("where", ["elsewhere", "here"])
@pytest.mark.parametrize("by", ["message", "file", "entry"])
@pytest.mark.parametrize("what", ["report", "message", "file", "identity", "entry", "reply"])
def test_under_its_id_nothing_of_another_case_or_kind_takes_what_is_kept_away(
    desk: Desk, scene: Scene, sync: Synced, read: Read, what: str, by: str, where: str,
    is_sure: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    kept = scene.rows[what]
    who = scene.liar if where == "elsewhere" else scene.thief
    wrong, vouching = scene.as_of(who, by, kept.id)
    # The server's own report comes after this desk read the first; or with it, and nobody can tell.
    doubled = [] if is_sure else (vouching[:1] if where == "here" else scene.thief.report()[:1])
    sync(*scene.rows.values(), *doubled)
    Index(desk).rows()
    pinned = scene.rows["report"].id if is_sure else None
    assert pin(desk, scene) == pinned
    assert read().origin.is_sure is is_sure
    before = {one.id: one.digest for one in desk.store.of_case(scene.reporter.case)}
    done = sync(*vouching, wrong)
    alarm = Alarm(Sign.ENVELOPE_CHANGED, scene.reporter.case.hex(), kept.id.hex())
    for one in (done, sync(kept), sync(wrong)):
        after = {one.id: one.digest for one in desk.store.of_case(scene.reporter.case)}
        assert before.items() <= after.items()
        assert pin(desk, scene) == pinned
        assert alarm in one.alarms or one is not done
        assert alarm in desk.store.alarms()
    case = read()
    assert case.danger
    photo = scene.rows["file"]
    assert desk.store.part_path(photo.id, 1).read_bytes() == photo.parts[0]
    assert photo.ref in [named.ref for named in case.files if named.envelope is not None]
    assert scene.rows["message"].id in {one.envelope.id for one in case.follow_ups}
    assert {scene.rows[one].id for one in ("entry", "reply")} <= {
        one.envelope.id for one in case.timeline
    }


@pytest.mark.parametrize("is_sure", [True, False], ids=["sure", "doubled"])
@pytest.mark.parametrize("where", ["elsewhere", "here"])
def test_a_named_file_whose_wraps_do_not_open_waits_for_them(
    desk: Desk,
    scene: Scene,
    sync: Synced,
    read: Read,
    where: str,
    is_sure: bool,  # noqa: FBT001
) -> None:
    report, locked, photo = (scene.rows[one] for one in ("report", "identity", "file"))
    doubled = [] if is_sure else scene.thief.report()[:1]
    sync(report, locked, *doubled, shown(wraps, photo))
    who = scene.liar if where == "elsewhere" else scene.thief
    wrong, vouching = scene.as_of(who, "file", photo.id)
    done = sync(*vouching, wrong)
    assert Sign.ENVELOPE_CHANGED in {alarm.sign for alarm in done.alarms}
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [photo.header]
    assert sync(photo).files == 1
    assert photo.ref in [one.ref for one in read().files if one.envelope is not None]
    assert [one.problem for one in views(desk, read()) if one.id == photo.id.hex()] == [""]


def test_what_a_message_names_waits_too_where_nobody_can_tell_whose_the_case_is(
    desk: Desk, scene: Scene, reporter: Reporter, sync: Synced
) -> None:
    later = reporter.evidence("q.jpg", "image/jpeg", JPEG)
    message = reporter.follow_up("And this", [later])
    sync(scene.rows["report"], *scene.thief.report(), *message[:2], shown(wraps, later))
    sync(another(scene.thief, later))
    assert [one.header for one in of_kind(desk, Kind.EVIDENCE)] == [later.header]
    # Positive control: what nobody names gives way to what opens.
    nobodys = reporter.evidence("r.jpg", "image/jpeg", JPEG)
    sync(shown(wraps, nobodys))
    other = another(scene.thief, nobodys)
    sync(other)
    assert other.header in [one.header for one in of_kind(desk, Kind.EVIDENCE)]


@pytest.mark.parametrize("by", ["message", "file", "entry"])
def test_what_a_colleague_answered_is_not_taken_by_another_case_although_it_is_for_others(
    desk: Desk, scene: Scene, world: World, sync: Synced, by: str
) -> None:
    report = for_others(world, scene.reporter.case, scene.rows["report"])
    wrong, vouching = scene.as_of(scene.liar, by, report.id)
    sync(report, world.entry(scene.reporter.case, parents=[report.header.hash]))
    sync(*vouching, wrong)
    assert report.header in [one.header for one in of_kind(desk, Kind.REPORT)]
    assert Sign.ENVELOPE_CHANGED in said(desk)


@pytest.mark.parametrize("where", ["elsewhere", "here"])
def test_a_message_of_one_of_several_writers_stays_although_no_report_explains_it(
    desk: Desk, scene: Scene, world: World, reporter: Reporter, sync: Synced, where: str
) -> None:
    """Two messages of two writers came together: nothing of that case is pinned."""
    message = scene.rows["message"]
    sync(message, Reporter(world, case=reporter.case).follow_up("All is well")[0])
    assert pin(desk, scene) is None
    who = scene.liar if where == "elsewhere" else scene.thief
    wrong, vouching = scene.as_of(who, "message", message.id)
    # A receipt that has a report here is better proven than the message is: for its own words.
    sync(*vouching)
    sync(wrong)
    assert message.header in [one.header for one in of_kind(desk, Kind.FOLLOW_UP)]
    assert Sign.ENVELOPE_CHANGED in said(desk)


def test_what_the_sender_of_another_report_wrote_gives_way_to_the_reporters_own_word_alone(
    desk: Desk, scene: Scene, world: World, reporter: Reporter, sync: Synced
) -> None:
    sync(*scene.rows.values())
    theirs = scene.thief.follow_up("All is well")[0]
    sync(*scene.thief.report(), theirs)
    stranger = Reporter(world, case=reporter.case)
    kid = reporter.sign.public.kid
    for wrong in (
        # It vouches for its own keys; it bears the name of the reporter's key.
        stranger.follow_up("Close it", envelope=theirs.id)[0],
        reporter.follow_up(
            "Close it", envelope=theirs.id, signer=stranger.sign,
            change=lambda signed: replace(signed, signer=kid),
        )[0],
    ):  # fmt: skip
        sync(wrong)
        assert theirs.header in [one.header for one in of_kind(desk, Kind.FOLLOW_UP)]
    assert Sign.ENVELOPE_CHANGED in said(desk)
    true = reporter.follow_up("Come now", envelope=theirs.id)[0]
    sync(true)
    assert true.header in [one.header for one in of_kind(desk, Kind.FOLLOW_UP)]
    assert Sign.ENVELOPE_CHANGED not in said(desk)


@pytest.mark.parametrize("where", ["elsewhere", "here"])
def test_what_does_not_open_and_nobody_names_gives_way_to_what_is_proven(
    desk: Desk, scene: Scene, world: World, reporter: Reporter, sync: Synced, where: str
) -> None:
    """A header that was shown wrong says another case as easily as another day."""
    sync(*scene.rows.values())
    true = reporter.follow_up("Come now")[0]
    case = reporter.case if where == "here" else scene.liar.case
    sync(for_others(world, case, true))
    sync(true)
    assert "Come now" in [one.body.text for one in Cases(desk).find(reporter.case.hex()).follow_ups]
    assert Sign.ENVELOPE_CHANGED not in said(desk)


def test_the_reports_of_a_case_are_judged_once_however_many_messages_are_shown_wrong(
    scene: Scene, world: World, reporter: Reporter, server: FakeServer, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sync(*scene.rows.values())
    messages = [reporter.follow_up(str(number))[0] for number in range(12)]
    reports = [Reporter(world, case=reporter.case).report()[0] for _ in range(5)]
    sync(*messages, *reports)
    calls = {"opened": 0, "judged": 0}

    def counted(name: str, of: type, method: str) -> None:
        told = getattr(of, method)

        def count(*given: object) -> object:
            calls[name] += 1
            return told(*given)

        monkeypatch.setattr(of, method, count)

    counted("opened", Opener, "report")
    counted("judged", Judge, "judge")

    def cost(odd: list[Row]) -> tuple[int, int]:
        server.put(*messages)
        server.put(*(reporter.follow_up("odd", envelope=one.id)[0] for one in odd))
        calls.update(opened=0, judged=0)
        assert len(sync().alarms) in {0, len(odd)}
        return calls["opened"], calls["judged"]

    few = cost(messages[:2])
    assert few > (0, 0)
    assert cost(messages) == few
