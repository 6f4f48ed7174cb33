"""Several programs of one desk, open pages and a timer: they believe the same rosters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.roster import verify_past_roster
from crypto.wrap import parse_wraps
from desk import outbox, trust, work
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.config import Membership
from desk.desk import Desk, enrol
from desk.errors import AlreadySyncing, DeskError, NotEnrolled, RosterNotTrusted, StoreDamaged
from desk.evidence import views
from desk.locks import alone
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.roster_history import HistoryLimits
from desk.sight.closing import close
from desk.sync import synchronise
from desk.trust import Trust, remember
from tests.desk.forms import OURS, seen
from tests.desk.server import serving
from tests.desk.world import JPEG, TODAY, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from desk.cases import Case
    from tests.desk.server import FakeServer

BACKWARDS = Alarm(Sign.ROSTER_WENT_BACKWARDS)


def another(desk: Desk) -> Desk:
    """The same desk, unlocked by another program: a timer, a command."""
    return Desk.open(desk.home, desk.keyring, today=desk.today)


def timer(desk: Desk) -> Desk:
    """The same desk after a timer's sync."""
    made = another(desk)
    synchronise(made, Silence())
    return made


def browser(desk: Desk) -> FlaskClient:
    """A browser that was let in to the desk's pages."""
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=OURS)
    return client


def pinned(desk: Desk) -> int:
    """The epoch that desk.json names."""
    return Membership.load(desk.home.membership).epoch


@pytest.fixture
def colleague(tmp_path: Path, world: World, server: FakeServer) -> Desk:
    """The desk of the other operator."""
    return make_desk(tmp_path / "colleague", world, server.url, keyring=world.operators[1])


@pytest.fixture
def begun(desk: Desk, colleague: Desk, server: FakeServer, reporter: Reporter) -> str:
    """A case with a photo on both desks; its reference."""
    photo = reporter.evidence("photo.jpg", "image/jpeg", JPEG)
    server.put(*reporter.report([photo]))
    for one in (desk, colleague):
        synchronise(one, Silence())
    return reporter.case.hex()


@pytest.fixture
def renewed(colleague: Desk, server: FakeServer, begun: str) -> Case:
    """The case at the colleague's, who has the next roster; nobody else has."""
    server.renew()
    synchronise(colleague, Silence())
    return Cases(colleague).find(begun)


# --- what another program accepted is believed at once

READERS: dict[str, Callable[[Desk, Case], tuple[str, bool, int]]] = {
    "find": lambda desk, case: told(Cases(desk).find(case.id.hex())),
    "all": lambda desk, _: told(*Cases(desk).all()),
    "chosen": lambda desk, case: told(*Cases(desk).chosen([case.id])),
}


def told(case: Case) -> tuple[str, bool, int]:
    return case.state, case.unanswered, len(case.alarms)


@pytest.mark.claim("C-ROSTER")
@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_what_a_colleague_signed_under_a_roster_that_a_timer_accepted_counts_in_open_pages(
    desk: Desk, colleague: Desk, renewed: Case,
    read: Callable[[Desk, Case], tuple[str, bool, int]],
) -> None:  # fmt: skip
    assert desk.index.rows()[0].state == "received"
    work.set_state(colleague, renewed, "triage")
    outbox.answer(colleague, Cases(colleague).find(renewed.id.hex()), "We read you.")
    timer(desk)
    assert read(desk, renewed) == ("triage", False, 0)
    assert desk.index.rows()[0].state == "triage"
    assert desk.index.rows()[0].alarms == ()


@pytest.mark.claim("C-ROSTER")
@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_a_case_that_is_being_read_while_a_timer_syncs_is_never_read_without_its_roster(
    desk: Desk, colleague: Desk, renewed: Case, monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Desk, Case], tuple[str, bool, int]],
) -> None:  # fmt: skip
    """The sync falls between the page's first look at the rosters and the reading of the case."""
    work.set_state(colleague, renewed, "triage")
    select, late = type(desk.store)._select, [desk]

    def slowly(store: Any, condition: str, *values: Any) -> Any:
        if late and store is desk.store:
            timer(late.pop())
        return select(store, condition, *values)

    monkeypatch.setattr(type(desk.store), "_select", slowly)
    desk.trust.renew()
    state, _, alarms = read(desk, renewed)
    assert (state, alarms) == ("triage", 0)
    assert late == []


def test_a_page_that_reads_no_case_follows_too(desk: Desk, server: FakeServer) -> None:
    client = browser(desk)
    server.renew()
    timer(desk)
    assert client.get("/desk", headers=OURS).status_code == 200
    assert desk.trust.epoch == 2


def test_a_list_follows_where_nothing_came_but_a_roster(
    desk: Desk, world: World, server: FakeServer, reporter: Reporter
) -> None:
    """A roster of the past that the server gives later; no envelope of any case changed."""
    second = server.renew()
    server.put(*reporter.report(), world.entry(reporter.case))
    server.renew()
    del server.history[2]
    synchronise(desk, Silence())
    assert [one.state for one in desk.index.rows()] == ["received"]
    server.history[2] = second.note
    timer(desk)
    assert [one.state for one in desk.index.rows()] == ["triage"]


@pytest.mark.claim("C-CUT")
def test_open_pages_show_that_a_colleague_answered_and_do_not_answer_again(
    desk: Desk, colleague: Desk, server: FakeServer, begun: str, renewed: Case
) -> None:
    client = browser(desk)
    before = seen(client, f"/case/{begun}/answer")
    outbox.answer(colleague, renewed, "We read you.")
    timer(desk)
    page = client.get(f"/case/{begun}", headers=OURS).text
    assert "We read you." in page
    assert "signer" not in page
    assert client.post(before, headers=OURS, data={"text": "We read you."}).status_code == 422
    timer(desk)
    assert sum(one.header.kind is Kind.REPLY for one in server.rows.values()) == 1


@pytest.mark.claim("C-QUARANTINE")
def test_a_quarantine_under_a_roster_that_a_timer_accepted_closes_in_open_pages(
    desk: Desk, colleague: Desk, tmp_path: Path, begun: str, renewed: Case
) -> None:
    client = browser(desk)
    file = views(colleague, renewed)[0]
    assert client.get(f"/case/{begun}/file/{file.id}", headers=OURS).data == JPEG
    close(colleague, renewed, file, "custodian 1")
    timer(desk)
    refused = client.get(f"/case/{begun}/file/{file.id}", headers=OURS)
    assert refused.status_code == 404
    assert JPEG not in refused.data
    address = seen(client, f"/case/{begun}/clear")
    folder = tmp_path / "clear"
    client.post(address, headers=OURS, data={"in_clear": "yes", "folder": str(folder)})
    assert [one.name for one in folder.rglob("*") if one.is_file()] == ["case.json"]


# --- and never less


@pytest.fixture
def three(tmp_path: Path) -> Any:
    """An installation with three operators, its server, and a desk whose pages stand open."""
    world = World.make(operators=3)
    with serving(world) as server:
        yield world, server, make_desk(tmp_path / "open", world, server.url)


@pytest.mark.claim("C-ROSTER", "C-ALARMS")
def test_open_pages_do_not_go_back_to_a_roster_that_a_timer_left_behind(three: Any) -> None:
    world, server, pages = three
    reporter, old = Reporter(world), world.roster
    server.put(*reporter.report())
    synchronise(pages, Silence())
    server.renew(operators=old.operators[:2])
    assert timer(pages).trust.epoch == 2
    server.note = old.note
    for one in (another(pages), pages):
        with pytest.raises(RosterNotTrusted, match="older"):
            synchronise(one, Silence())
        assert pages.store.alarms() == (BACKWARDS,)
    outbox.answer(pages, Cases(pages).find(reporter.case.hex()), "To you alone.")
    (reply,) = [one for one in pages.store.everything() if one.kind is Kind.REPLY]
    kids = {wrap.kid for wrap in parse_wraps(reply.header, reply.wraps)}
    assert old.operators[1].evidence.kid in kids
    assert old.operators[2].evidence.kid not in kids


@pytest.mark.claim("C-ROSTER", "C-ALARMS")
def test_open_pages_do_not_lower_what_the_disk_has_pinned(three: Any) -> None:
    _, server, pages = three
    second = server.renew()
    server.renew(operators=second.operators[:2])
    assert timer(pages).trust.epoch == 3
    server.note = second.note
    for one in (another(pages), pages, another(pages)):
        with pytest.raises(RosterNotTrusted, match="older"):
            synchronise(one, Silence())
        assert (pinned(pages), one.trust.epoch) == (3, 3)
        assert pages.store.alarms() == (BACKWARDS,)
    server.note = server.history[3]
    synchronise(pages, Silence())
    # An older list was shown, and that stays so until an operator has seen to it.
    assert pages.store.alarms() == (BACKWARDS,)
    assert [one.read_bytes() for one in pages.home.refused_rosters.iterdir()] == [second.note]
    pages.store.quieten(BACKWARDS)
    synchronise(pages, Silence())
    assert pages.store.alarms() == ()


@pytest.mark.claim("C-ROSTER")
def test_of_two_programs_at_once_the_second_compares_with_what_the_first_accepted(
    desk: Desk, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one of them asks for the rosters before the newest, no other accepts any."""
    monkeypatch.setattr(trust, "_OTHER_SECONDS", 0.1)
    second = server.renew()
    server.renew()
    met: list[DeskError] = []

    def slowly(epoch: int) -> bytes:
        with pytest.raises(AlreadySyncing, match="reading the rosters") as refused:
            another(desk).trust.accept(second.note, TODAY, desk.keyring, desk.client.roster)
        met.append(refused.value)
        return desk.client.roster(epoch)

    other = another(desk)
    other.trust.accept(server.note, TODAY, desk.keyring, slowly)
    assert len(met) == 1
    assert pinned(desk) == 3
    with alone(desk.home.believing, 0) as is_mine:
        assert is_mine
        with pytest.raises(AlreadySyncing):
            remember(desk.home, Membership.load(desk.home.membership))


@pytest.mark.claim("C-ROSTER")
def test_a_program_that_was_killed_before_it_named_the_newest_roster_goes_on_from_it(
    desk: Desk, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = server.note
    server.renew()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Membership, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            synchronise(another(desk), Silence())
    assert pinned(desk) == 1
    server.note = old
    for one in (desk, another(desk)):
        with pytest.raises(RosterNotTrusted, match="older"):
            synchronise(one, Silence())
    server.note = server.history[2]
    assert timer(desk).trust.epoch == pinned(desk) == 2


@pytest.mark.claim("C-ROSTER")
def test_a_file_that_somebody_put_back_is_no_reason_to_go_back(
    desk: Desk, server: FakeServer
) -> None:
    old = desk.home.membership.read_bytes()
    server.renew()
    synchronise(desk, Silence())
    desk.home.membership.write_bytes(old)
    assert desk.trust.in_force(TODAY).epoch == another(desk).trust.epoch == 2
    synchronise(desk, Silence())
    assert pinned(desk) == 2


@pytest.mark.claim("C-ROSTER")
def test_enrolling_again_beside_a_sync_keeps_the_newer_roster(
    desk: Desk, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync falls between what enrolling accepted and what it writes."""
    accept = Trust.accept

    def then_a_sync(one: Trust, *given: Any) -> Any:
        monkeypatch.setattr(Trust, "accept", accept)
        found = one.accept(*given)
        server.renew()
        timer(desk)
        return found

    monkeypatch.setattr(Trust, "accept", then_a_sync)
    root = desk.trust.root.to_text()
    assert enrol(desk.home, desk.keyring, server.url, root, today=desk.today).epoch == 1
    assert pinned(desk) == 2


# --- what is refused


def test_a_program_goes_on_no_more_where_the_desk_was_enrolled_anew_beside_it(
    desk: Desk, begun: str
) -> None:
    client = browser(desk)
    moved = replace(Membership.load(desk.home.membership), server="https://other.example.org")
    moved.save(desk.home.membership)
    for refused in (
        desk.trust.renew,
        lambda: desk.trust.in_force(TODAY),
        lambda: Cases(desk).find(begun),
        lambda: synchronise(desk, Silence()),
    ):
        with pytest.raises(NotEnrolled, match="End it and start it again"):
            refused()
    page = client.get("/", headers=OURS)
    assert (page.status_code, "enrolled anew" in page.text) == (500, True)
    assert another(desk).trust.epoch == 1


def test_pages_whose_desk_is_damaged_show_nothing_and_still_lock(desk: Desk, begun: str) -> None:
    client = browser(desk)
    desk.home.membership.write_bytes(b"junk")
    page = client.get(f"/case/{begun}", headers=OURS)
    assert (page.status_code, "damaged" in page.text) == (500, True)
    assert client.post("/lock", headers=OURS).status_code == 200
    assert client.get("/", headers=OURS).status_code == 401


# --- what it costs, and what is read


def test_where_there_is_nothing_new_no_signature_is_checked(
    desk: Desk, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []

    def counting(note: bytes, root: Any) -> Any:
        checked.append(note)
        return verify(note, root)

    verify = verify_past_roster
    monkeypatch.setattr(trust, "verify_past_roster", counting)
    for _ in range(3):
        desk.trust.renew()
    assert checked == []
    server.renew()
    timer(desk)
    checked.clear()
    for _ in range(3):
        desk.trust.renew()
    assert checked == [server.note]


@pytest.mark.parametrize("harm", ["note=x'ff'", "hash=CAST(x'00' || substr(hash, 2) AS BLOB)"])
def test_a_note_that_was_altered_here_is_put_right_by_the_server(
    desk: Desk, server: FakeServer, harm: str
) -> None:
    """By a program that never believed it: one that runs still has it in its memory."""
    with desk.store._connection() as connection:
        connection.execute(f"UPDATE rosters SET {harm}")  # noqa: S608  # ours
    with pytest.raises(StoreDamaged, match="was damaged on its disk"):
        another(desk).trust.in_force(TODAY)
    enrol(desk.home, desk.keyring, server.url, desk.trust.root.to_text(), today=desk.today)
    assert another(desk).trust.in_force(TODAY).epoch == 1


@pytest.mark.claim("C-CUT")
def test_a_roster_that_comes_while_the_index_is_read_makes_nobody_late(
    three: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that was posted under the old one, before the new one, and read by the next sync."""
    world, server, desk = three
    reporter = Reporter(world)
    server.put(*reporter.report())
    held = world.entry(reporter.case, signer=world.operators[2].sign)
    index = type(desk.client).index

    def enrols_meanwhile(client: Any, after: str | None) -> Any:
        page = index(client, after)
        if world.roster.epoch == 1:
            server.renew(operators=world.roster.operators[:2])
            server.put(held)
            enrol(desk.home, desk.keyring, server.url, desk.trust.root.to_text(), today=desk.today)
            desk.trust.renew()
        return page

    monkeypatch.setattr(type(desk.client), "index", enrols_meanwhile)
    for _ in range(2):
        synchronise(desk, Silence())
    case = Cases(desk).find(reporter.case.hex())
    assert (case.state, case.alarms) == ("triage", ())


@pytest.mark.claim("C-CUT")
def test_what_came_under_a_roster_that_was_unknown_is_judged_by_the_next_sync_that_knows_it(
    desk: Desk, server: FakeServer, reporter: Reporter
) -> None:
    """Even where it was another program that accepted the roster, and then ended."""
    old = server.note
    new = server.renew()
    locked = reporter.report()[0]
    server.left_out.add(locked.id)
    server.put(locked)
    server.note = old
    names = {"case": reporter.case.hex(), "envelope": locked.id.hex()}
    assert synchronise(desk, Silence()).alarms == [Alarm(Sign.ROSTER_UNKNOWN, **names)]
    server.note = new.note
    another(desk).trust.accept(new.note, TODAY, desk.keyring, desk.client.roster)
    desk.trust.renew()
    assert synchronise(desk, Silence()).alarms == [Alarm(Sign.WRAP_LEFT_OUT, **names)]
    assert desk.store.alarms() == (Alarm(Sign.WRAP_LEFT_OUT, **names),)
    desk.store.quieten(*desk.store.alarms())
    assert synchronise(another(desk), Silence()).alarms == []


def test_history_that_another_program_learned_is_known_here(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    server.renew()
    server.renew()
    late = make_desk(tmp_path / "late", world, server.url)
    first = Trust(
        late.home, late.store, Membership.load(late.home.membership), limits=HistoryLimits(notes=0)
    )
    assert not first.complete
    timer(late)
    first.renew()
    assert first.complete
