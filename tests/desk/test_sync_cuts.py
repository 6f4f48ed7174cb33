"""A sync that is cut, at whatever kind of byte or between whichever writes, goes on from there."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.ids import Day
from desk.cases import Cases
from desk.client import ClientLimits, SyncClient
from desk.config import DeskHome
from desk.desk import Desk
from desk.errors import ServerUnreachable
from desk.harden import MEMORY
from desk.outbox import answer
from desk.progress import Silence
from desk.store import Store
from desk.sync import synchronise
from desk.work import write_note
from tests.desk.cutting import breaking
from tests.desk.world import TODAY, Reporter, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desk.sync import SyncReport
    from tests.desk.cutting import Line
    from tests.desk.server import FakeServer

LIMITS = ClientLimits(part_request_bytes=40_000, chunk_bytes=7_000, page=6)
FILE_BYTES = 100_000
TEXT = "An answer that waits"


@pytest.fixture
def line(server: FakeServer) -> Iterator[Line]:
    with breaking(server.url) as found:
        yield found


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """Where this file's desks are: in memory, for each is written to the disk many times."""
    in_memory = MEMORY if os.access(MEMORY, os.W_OK) else str(tmp_path)
    with TemporaryDirectory(prefix="amana-cuts-", dir=in_memory) as folder:
        yield Path(folder)


@pytest.fixture
def desk(shelf: Path, server: FakeServer) -> Desk:
    return make_desk(shelf / "desk", server.world, server.url)


@pytest.fixture
def begin(desk: Desk, server: FakeServer, line: Line, shelf: Path) -> Callable[[], Desk]:
    """A desk as it was: it saw one case, and answered it while the server was away.

    Since then a roster, a file, a message and two cases came.
    """
    first = Reporter(server.world)
    server.put(*first.report())
    synchronise(desk, Silence())
    offline = replace(desk, client=SyncClient("http://127.0.0.1:9", desk.keyring.api))
    assert not answer(offline, Cases(desk).find(first.case.hex()), TEXT)
    # What comes after the answer names it as its parent, and both wait.
    assert not write_note(offline, Cases(desk).find(first.case.hex()), "told them")
    server.renew()
    film = first.evidence("video-1.mp4", "video/mp4", os.urandom(FILE_BYTES))
    server.put(*first.follow_up("More", [film]), *Reporter(server.world).report())
    server.put(*Reporter(server.world).report())
    shutil.copytree(desk.home.folder, shelf / "before")
    rows = {name: one.copy() for name, one in server.rows.items()}

    def fresh() -> Desk:
        shutil.rmtree(desk.home.folder)
        shutil.copytree(shelf / "before", desk.home.folder)
        server.rows.clear()
        server.put(*rows.values())
        again = Desk.open(DeskHome(desk.home.folder), desk.keyring, today=lambda: Day(TODAY))
        return replace(again, client=SyncClient(line.url, desk.keyring.api, limits=LIMITS))

    return fresh


def held(desk: Desk) -> set[tuple[bytes, bool, bool]]:
    """What a desk has, but for what it wrote: that may have been sealed anew."""
    return {
        (one.id, one.whole, one.posted)
        for one in desk.store.everything()
        if one.kind not in (Kind.REPLY, Kind.ENTRY)
    }


def whole_sync(desk: Desk) -> SyncReport:
    done = synchronise(desk, Silence(), stamp="now")
    assert done.alarms == []
    assert desk.store.unfinished() == desk.store.unposted() == ()
    assert not list(desk.home.parts.glob("*.partial"))
    assert desk.store.noted("last_sync") == "now"
    return done


def assert_nothing_lost_and_nothing_twice(desk: Desk, server: FakeServer) -> None:
    said = [one for one in server.rows.values() if one.header.kind is Kind.REPLY]
    assert len(said) == 1
    (mine,) = (one for one in desk.store.everything() if one.kind is Kind.REPLY)
    assert mine.id == said[0].id
    assert {one.id for one in desk.store.everything()} == server.rows.keys()
    cases = Cases(desk).all()
    assert [one.alarms for one in cases] == [()] * 3
    assert sum(one.body.text == TEXT for case in cases for one in case.replies) == 1
    for one in desk.store.everything():
        for number, sent in enumerate(server.rows[one.id].parts, 1):
            assert desk.store.part_path(one.id, number).read_bytes() == sent


def answers_of(stream: bytes) -> list[tuple[int, int, int]]:
    """Where each answer of a server begins, where its body begins, and where it ends."""
    found, at = [], 0
    while at < len(stream):
        head = stream.index(b"\r\n\r\n", at) + 4
        length = re.search(rb"Content-Length: (\d+)", stream[at:head])
        assert length is not None
        found.append((at, head, head + int(length[1])))
        at = found[-1][2]
    return found


PLACES: dict[str, Callable[[int, int, int], int]] = {
    "before anything": lambda begin, _, __: begin,
    "in the status": lambda begin, _, __: begin + 5,
    "in the headers": lambda begin, head, _: (begin + head) // 2,
    "before the body": lambda _, head, __: head,
    "after one byte": lambda _, head, end: min(head + 1, end - 1),
    "in the middle": lambda _, head, end: (head + end) // 2,
    "before the last byte": lambda _, __, end: end - 1,
}


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("place", PLACES)
def test_an_answer_that_breaks_off_is_asked_for_again(
    begin: Callable[[], Desk], line: Line, server: FakeServer, place: str
) -> None:
    desk = begin()
    whole_sync(desk)
    expected, answers = held(desk), answers_of(bytes(line.answered))
    for kind in ("GET /v1/roster", "GET /v1/index", "POST /v1/envelopes", "GET /v1/parts"):
        assert any(one.startswith(kind) for one in server.requests), kind
    # The roster, the index and its end, the post, and the film in pieces.
    assert len(answers) >= 7
    for where in answers:
        desk = begin()
        line.answered.clear()
        line.mend()
        line.answers_most = PLACES[place](*where)
        with pytest.raises(ServerUnreachable):
            synchronise(desk, Silence(), stamp="cut")
        assert desk.store.noted("last_sync") != "cut"
        # What is here can be read meanwhile, and no alarm about it will be remembered.
        assert Cases(desk).all()
        assert desk.store.alarms() == ()
        line.mend()
        whole_sync(desk)
        assert held(desk) == expected
        assert_nothing_lost_and_nothing_twice(desk, server)


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_question_that_breaks_off_is_asked_again(
    begin: Callable[[], Desk], line: Line, server: FakeServer, share: float
) -> None:
    desk = begin()
    whole_sync(desk)
    expected, most = held(desk), len(line.asked)
    desk = begin()
    line.asked.clear()
    line.asked_most = int(most * share)
    with pytest.raises(ServerUnreachable):
        synchronise(desk, Silence())
    line.mend()
    whole_sync(desk)
    assert held(desk) == expected
    assert_nothing_lost_and_nothing_twice(desk, server)


def test_a_film_is_not_fetched_twice_however_often_its_line_breaks(
    begin: Callable[[], Desk], line: Line
) -> None:
    whole_sync(begin())
    besides = len(line.answered) - FILE_BYTES
    desk, fetched = begin(), 0
    for _ in range(9):
        line.answered.clear()
        line.mend()
        line.answers_most = besides + 40_000
        try:
            done = synchronise(desk, Silence())
        except ServerUnreachable:
            growing = list(desk.home.parts.glob("*.partial"))
            size = sum(one.stat().st_size for one in growing)
            assert size >= fetched
            fetched = size
        else:
            break
    assert done.files == 1
    assert fetched > FILE_BYTES / 2


WRITES = [
    (Store, "keep"), (Store, "note"), (Store, "pin_origins"), (Store, "mark_posted"),
    (Store, "exchange"), (Store, "mark_whole"), (Store, "keep_roster"), (Store, "quieten"),
    (Path, "replace"), (os, "fsync"),
]  # fmt: skip
"""Whatever a sync changes on the disk goes through one of these."""


def _die_at(number: int) -> None:
    """In a child: end without a word before the n-th write."""
    seen = 0

    def wrapped(true: Callable[..., object]) -> Callable[..., object]:
        def dying(*arguments: object, **named: object) -> object:
            nonlocal seen
            seen += 1
            if seen == number:
                os._exit(9)
            return true(*arguments, **named)

        return dying

    for where, name in WRITES:
        setattr(where, name, wrapped(getattr(where, name)))


@pytest.mark.claim("C-CUT")
def test_a_sync_that_is_killed_between_any_two_writes_goes_on(
    begin: Callable[[], Desk], server: FakeServer
) -> None:
    desk = begin()
    whole_sync(desk)
    direct = SyncClient(server.url, desk.keyring.api, limits=LIMITS)
    expected, killed = held(desk), 0
    for number in range(1, 200):
        desk = replace(begin(), client=direct)
        child = os.fork()
        if child == 0:
            _die_at(number)
            try:
                synchronise(desk, Silence())
            finally:
                os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        killed += 1
        again = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY))
        whole_sync(replace(again, client=direct))
        assert held(again) == expected, number
        assert_nothing_lost_and_nothing_twice(again, server)
    assert killed >= 12
