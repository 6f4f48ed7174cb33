"""The index: never stale, never another's, never needed; and what it says is what a case says."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crypto.errors import CannotOpen
from crypto.header import Kind
from crypto.local import LocalKey
from desk import acts, work
from desk import index as index_module
from desk.alarms import Alarm, Sign
from desk.cases import Cases, iso
from desk.config import Membership
from desk.desk import Desk
from desk.index import PURPOSE, Index
from desk.outbox import answer
from desk.progress import Silence
from desk.room.fact import fact_of
from desk.row import ACT_TEXT_MOST, TEXT_MOST, pack, row_of, unpack
from desk.sync import synchronise
from tests.desk.world import JPEG, PASSPHRASE, TODAY, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import CaseId
    from desk.cases import Case
    from desk.row import Row
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Synced = Callable[..., SyncReport]


class Said(Silence):
    """Progress that remembers its steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, words: str) -> None:
        """Remember it."""
        self.steps.append(words)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cases were judged anew, each time some were."""
    counts: list[int] = []
    true = Cases.chosen

    def counting(self: Cases, cases: list[CaseId]) -> object:
        if cases:
            counts.append(len(cases))
        return true(self, cases)

    monkeypatch.setattr(Cases, "chosen", counting)
    return counts


def again(desk: Desk) -> Desk:
    """The same desk, in a program that has just begun."""
    return Desk.open(desk.home, desk.keyring, today=lambda: TODAY)


def true_rows(desk: Desk) -> list[Row]:
    return sorted((row_of(one, desk.rules) for one in Cases(desk).all()), key=lambda row: row.id)


def told_of(case: Case) -> dict[str, object]:
    """What `list --json` says of a case."""
    return {
        "case": case.id.hex(),
        "ref": case.ref,
        "day": iso(case.day),
        "category": case.category,
        "identity_mode": case.identity_mode,
        "withdrawn": bool(case.withdrawals),
        "public_status": case.public_status,
        "danger": case.danger,
        "files": len(case.files),
        "messages": len(case.messages),
        "unanswered": case.unanswered,
        "state": case.state,
        "told_category": case.told_category,
        "priority": case.priority,
        "assigned": case.assigned,
        "tags": list(case.work.tags),
        "due": iso(case.due.due) if case.due else "",
        "due_for": case.due.clock.id if case.due else "",
        "readable": case.readable,
        "alarms": [alarm.to_json() for alarm in case.alarms],
    }


def busy_case(desk: Desk, world: World, reporter: Reporter, sync: Synced) -> None:
    """A case in which everything happened that a row tells."""
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    report = reporter.report(
        [photo], imminent="unsure", phones=["0612 345678"], money={"amount": 300, "paid": True},
        scam_type="purchase_or_rental", empty=None,
    )  # fmt: skip
    asked = reporter.follow_up("And my brother's, too", parents=[report[0].header.hash])
    said = world.reply(
        reporter.case, "Thank you", reporter.reply_key, parents=[asked[0].header.hash]
    )
    sync(*report, *asked, said)
    case = Cases(desk).find(reporter.case.hex())
    work.set_state(desk, case, "triage")
    for do, given in (
        (work.write_note, "Looks like the Rabat gang " + "x" * ACT_TEXT_MOST),
        (work.assign, "operator 2"),
        (work.mark, "daesh"),
        (work.confirm_category, "threats"),
    ):
        do(desk, Cases(desk).find(reporter.case.hex()), given)


def test_a_row_says_what_its_case_says(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    busy_case(desk, world, reporter, sync)
    other = Reporter(world)
    sync(*other.report())
    work.link(desk, Cases(desk).find(other.case.hex()), Cases(desk).find(reporter.case.hex()),
              acts.DUPLICATE)  # fmt: skip
    desk.store.shout(Alarm(Sign.MISSING, reporter.case.hex(), "00"))
    desk.store.shout(Alarm(Sign.ROSTER_REFUSED))
    by_id = {row.id: row for row in desk.index.rows()}
    for case in Cases(desk).all():
        row = by_id[case.id]
        assert row.to_json() == told_of(case)
        assert row.fact == fact_of(case, desk.rules)
        assert (row.ref, row.clocks, row.due) == (case.ref, case.clocks, case.due)
        assert unpack(pack(row), desk.rules) == row
    row = by_id[reporter.case]
    assert (row.asked_on, row.answered_on) == ((TODAY,), (TODAY,))
    assert row.told == ("And my brother's, too",)
    assert row.passed("triage")
    assert not row.passed("closed")
    assert row.fields["phones"] == ["0612 345678"]
    assert [one.kind for one in row.acts] == [
        acts.STATUS, acts.NOTE, acts.ASSIGNMENT, acts.TAG, acts.CATEGORY,
    ]  # fmt: skip
    assert len(str(row.acts[1].data["text"])) == ACT_TEXT_MOST
    assert {one.by for one in row.acts} == {"operator 1"}
    # What anybody typed is found, and what a choice reads as; ids and answers yes or no are not.
    for word in ("took my money", "0612345678", "brother's", "thank you", "rabat gang", "300",
                 "purchase or rental", row.ref):  # fmt: skip
        assert word in row.folded, word
    assert "operator 2" not in row.folded
    assert by_id[other.case].links == {reporter.case.hex(): acts.DUPLICATE}


def test_a_case_that_cannot_be_read_here_has_a_row(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer
) -> None:
    desk = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    server.put(*reporter.report())
    synchronise(desk, Silence())
    (row,) = desk.index.rows()
    assert (row.readable, row.language) == (False, "")
    assert again(desk).index.rows() == (row,)


def test_a_text_without_end_is_searched_to_a_bound(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    report = reporter.report(description="the beginning")
    parents = [report[0].header.hash]
    long = "word " * 2_000
    many = [reporter.follow_up(long, parents=parents) for _ in range(TEXT_MOST // len(long) + 1)]
    sync(*report, *(row for one in many for row in one))
    (row,) = desk.index.rows()
    assert row.is_cut
    assert sum(map(len, row.told)) == TEXT_MOST
    assert "the beginning" in row.folded
    assert unpack(pack(row), desk.rules) == row


def test_only_what_changed_is_judged_again(
    desk: Desk, world: World, sync: Synced, judged: list[int]
) -> None:
    reporters = [Reporter(world) for _ in range(4)]
    sync(*(row for one in reporters for row in one.report()))
    first = desk.index.rows()
    assert judged == [4]
    assert desk.index.rows() is first
    fresh = again(desk)
    assert fresh.index.rows() == first
    assert judged == [4]
    work.set_state(fresh, Cases(fresh).find(reporters[0].case.hex()), "triage")
    assert {row.state for row in fresh.index.rows()} == {"received", "triage"}
    assert judged == [4, 1]
    # The other program on this machine sees it, too, without being told.
    assert desk.index.rows() == fresh.index.rows()
    sync(*reporters[1].follow_up("More"))
    assert sorted(row.messages for row in desk.index.rows()) == [0, 0, 0, 1]
    assert sum(judged) == 4 + 1 + 1 + 1


def test_a_rebuild_says_how_far_it_is_and_a_cut_keeps_what_was_done(
    desk: Desk, world: World, sync: Synced, monkeypatch: pytest.MonkeyPatch, judged: list[int]
) -> None:
    monkeypatch.setattr(index_module, "BATCH", 2)
    sync(*(row for _ in range(5) for row in Reporter(world).report()))
    true = LocalKey.seal
    sealed: list[bytes] = []

    def cut_in_the_fourth(self: LocalKey, place: bytes, state: bytes, content: bytes) -> bytes:
        sealed.append(place)
        if len(sealed) == 4:
            raise KeyboardInterrupt
        return true(self, place, state, content)

    monkeypatch.setattr(LocalKey, "seal", cut_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        desk.index.rows()
    monkeypatch.setattr(LocalKey, "seal", true)
    assert gc.isenabled()
    judged.clear()
    said = Said()
    assert len(again(desk).index.rows(said)) == 5
    assert sum(judged) == 3
    assert said.steps == ["Reading the cases (0 of 3)", "Reading the cases (2 of 3)"]
    assert len(desk.index.rows()) == 5


@pytest.mark.claim("C-INDEX")
def test_a_row_that_was_moved_to_another_case_is_never_shown(
    desk: Desk, world: World, sync: Synced, judged: list[int]
) -> None:
    one, other = Reporter(world), Reporter(world)
    sync(*one.report(), *other.report(category="threats"))
    rows = desk.index.rows()
    with sqlite3.connect(desk.home.index) as connection:
        (sealed,) = connection.execute(
            "SELECT sealed FROM rows WHERE case_id=?", (one.case,)
        ).fetchone()
        connection.execute("UPDATE rows SET sealed=?", (sealed,))
    assert again(desk).index.rows() == rows
    assert judged == [2, 1]


@pytest.mark.claim("C-INDEX")
def test_a_row_from_before_is_never_shown(
    desk: Desk, reporter: Reporter, sync: Synced, tmp_path: Path
) -> None:
    sync(*reporter.report())
    desk.index.rows()
    kept = tmp_path / "kept"
    shutil.copy(desk.home.index, kept)
    work.set_state(desk, Cases(desk).find(reporter.case.hex()), "triage")
    assert desk.index.rows()[0].state == "triage"
    shutil.copy(kept, desk.home.index)
    assert again(desk).index.rows()[0].state == "triage"


@pytest.mark.claim("C-INDEX")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO alarms SELECT 'four-eyes', lower(hex(case_id)), '' FROM origins",
        "UPDATE envelopes SET wraps=x''",
        "DELETE FROM envelopes WHERE kind=5",
        "INSERT INTO late SELECT envelope, 9 FROM envelopes",
        "DELETE FROM origins",
    ],
    ids=["an alarm", "wraps", "an envelope less", "what came late", "the pinned report"],
)
def test_whatever_a_row_follows_from_makes_it_anew(
    desk: Desk, reporter: Reporter, sync: Synced, judged: list[int], statement: str
) -> None:
    assert int(Kind.ENTRY) == 5, "two of the changes name entries"
    world = reporter.world
    sync(*reporter.report(), world.entry(reporter.case), *Reporter(world).report())
    desk.index.rows()
    judged.clear()
    _write(desk, statement)
    assert list(desk.index.rows()) == true_rows(desk)
    assert 1 <= sum(judged) <= 2
    judged.clear()
    assert list(again(desk).index.rows()) == true_rows(desk)
    assert judged == []


def _write(desk: Desk, statement: str) -> None:
    with desk.store._connection() as connection:
        connection.execute(statement)


def test_another_roster_other_rules_another_program_make_every_row_anew(
    desk: Desk, server: FakeServer, sync: Synced, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(*(row for _ in range(2) for row in Reporter(server.world).report()))
    desk.index.rows()
    judged.clear()
    server.renew()
    sync()
    desk.index.rows()
    assert judged == [2]
    own = desk.rules.digest
    shipped = Path(work.__file__).with_name("workflow.toml").read_text()
    desk.home.rules.write_text(f"{shipped}\n# ours\n")
    other = again(desk)
    assert other.rules.digest != own
    other.index.rows()
    assert judged == [2, 2]
    monkeypatch.setattr(index_module, "_program", lambda: b"another version")
    again(desk).index.rows()
    assert judged == [2, 2, 2]


def test_cases_that_are_gone_leave_no_row(desk: Desk, world: World, sync: Synced) -> None:
    one, other = Reporter(world), Reporter(world)
    sync(*one.report(), *other.report())
    desk.index.rows()
    with desk.store._connection() as connection:
        connection.execute("DELETE FROM envelopes WHERE case_id=?", (one.case,))
        connection.execute("INSERT INTO alarms VALUES ('parts-refused', ?, '')", (one.case.hex(),))
    assert [row.id for row in desk.index.rows()] == [other.case]
    with sqlite3.connect(desk.home.index) as connection:
        assert connection.execute("SELECT case_id FROM rows").fetchall() == [(other.case,)]
    # And a row that another program left behind is not read.
    with sqlite3.connect(desk.home.index) as connection:
        connection.execute("INSERT INTO rows VALUES (?, ?)", (bytes(16), b"x"))
    assert [row.id for row in again(desk).index.rows()] == [other.case]


@pytest.mark.claim("C-INDEX")
@pytest.mark.parametrize("damage", ["gone", "no database", "shortened", "a folder"])
def test_an_index_that_is_lost_or_broken_loses_nothing(
    desk: Desk, world: World, sync: Synced, damage: str
) -> None:
    sync(*(row for _ in range(3) for row in Reporter(world).report()))
    rows = desk.index.rows()
    path = desk.home.index
    if damage == "no database":
        path.write_bytes(os.urandom(5000))
    elif damage == "shortened":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        path.unlink()
        if damage == "a folder":
            path.mkdir()
    for _ in range(2):
        assert again(desk).index.rows() == rows
    if damage != "a folder":
        assert path.stat().st_size > 10_000
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.claim("C-INDEX")
def test_another_key_opens_no_row(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    desk.index.rows()
    with sqlite3.connect(desk.home.index) as connection:
        ((case, sealed),) = connection.execute("SELECT case_id, sealed FROM rows").fetchall()
    (state,) = desk.store.states(desk.index._begun()).values()
    assert b"They took" in LocalKey.of(desk.keyring.key, PURPOSE).open(case, state, sealed)
    for wrong in (
        LocalKey.of(world.operators[1].key, PURPOSE),
        LocalKey.of(desk.keyring.key, "views"),
    ):
        with pytest.raises(CannotOpen):
            wrong.open(case, state, sealed)


def test_threads_share_one_index(desk: Desk, world: World, sync: Synced, judged: list[int]) -> None:
    sync(*(row for _ in range(6) for row in Reporter(world).report()))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(desk.index.rows()))) for _ in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [6] * 6
    assert judged == [6]


def test_a_process_that_was_forked_watches_for_itself(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    rows = desk.index.rows()
    child = os.fork()
    if child == 0:
        os._exit(0 if desk.index.rows() == rows else 1)
    assert os.waitpid(child, 0)[1] == 0
    answer(desk, Cases(desk).find(reporter.case.hex()), "Here")
    assert desk.index.rows()[0].messages == 1


@pytest.mark.claim("C-INDEX")
def test_what_came_between_a_fork_and_the_first_look_is_not_overlooked(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    desk.index.rows()
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(here, 1)
        os._exit(0 if desk.index.rows()[0].messages == 1 else 1)
    answer(again(desk), Cases(desk).find(reporter.case.hex()), "Here")
    os.write(there, b".")
    assert os.waitpid(child, 0)[1] == 0
    os.close(here)
    os.close(there)


def test_the_list_says_nothing_of_a_key(desk: Desk) -> None:
    assert isinstance(desk.index, Index)
    assert Membership.load(desk.home.membership).server == desk.server
    assert PASSPHRASE not in repr(desk.index)
    assert "Index" not in repr(desk)


def test_who_switched_the_search_for_circles_off_finds_it_off(desk: Desk) -> None:
    gc.disable()
    try:
        assert desk.index.rows() == ()
        assert not gc.isenabled()
    finally:
        gc.enable()
