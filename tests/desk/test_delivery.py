"""What a line does not let through stops nothing else, and its case says so."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from desk.alarms import Sign
from desk.client import SyncClient
from desk.errors import ServerUnreachable
from desk.outbox import answer
from desk.progress import Silence
from desk.sync import synchronise
from desk.work import write_note
from tests.desk.test_sending import copy_of, of, signs, waiting, written
from tests.desk.world import JPEG, Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Synced = Callable[..., SyncReport]


@pytest.fixture
def other(world: World) -> Reporter:
    """Somebody else, whose case has nothing to do with the first."""
    return Reporter(world)


class Line:
    """What lies between this desk and the server, and breaks at whatever `cuts` says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cuts: Callable[[Envelope], bool] = lambda _: False
        self.is_down = False
        self.tried: list[Envelope] = []
        post, roster = SyncClient.post, SyncClient.roster

        def posted(client: SyncClient, envelope: Envelope, parts: Sequence[bytes] = ()) -> None:
            self.tried.append(envelope)
            if self.cuts(envelope):
                raise ServerUnreachable("The connection broke.")
            post(client, envelope, parts)

        def asked(client: SyncClient, epoch: int | None = None) -> bytes:
            if self.is_down and self.tried:  # it went down after the sync had begun
                raise ServerUnreachable("No answer.")
            return roster(client, epoch)

        monkeypatch.setattr(SyncClient, "post", posted)
        monkeypatch.setattr(SyncClient, "roster", asked)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def note(desk: Desk, case: Case) -> bool:
    return write_note(desk, case, "A note.")


@pytest.mark.claim("C-CUT")
def test_one_that_never_gets_through_keeps_no_other_case_and_no_file_and_its_case_says_so(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced, line: Line
) -> None:
    sync(*reporter.report())
    (cut,) = waiting(desk, server, note, reporter).values()
    photo = other.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.put(*other.report([photo]))
    line.cuts = lambda one: one.id == cut.id
    for files in (1, 0):
        done = synchronise(desk, Silence())
        assert (done.waiting, done.files) == (1, files)
        assert [(one.sign, one.envelope) for one in done.alarms] == [
            (Sign.NOT_LET_THROUGH, cut.id.hex())
        ]
    assert [one.sign for one in of(desk, reporter).alarms] == [Sign.NOT_LET_THROUGH]
    assert answer(desk, of(desk, other), "We read you.")
    line.cuts = lambda _: False
    done = synchronise(desk, Silence())
    assert (done.posted, done.waiting, signs(desk)) == (1, 0, [])


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("many", [2, 5])
def test_however_many_a_line_does_not_let_through_what_it_does_goes_and_each_case_says_so(
    desk: Desk, reporter: Reporter, world: World, server: FakeServer, sync: Synced, line: Line,
    many: int,
) -> None:  # fmt: skip
    """A proxy that resets what is large: a film's copies in some cases, an answer in another."""
    stopped = [Reporter(world) for _ in range(many)]
    sync(*reporter.report(), *(row for one in stopped for row in one.report()))
    waiting(desk, server, copy_of, *stopped)
    waiting(desk, server, note, *stopped)
    waiting(desk, server, lambda at, case: answer(at, case, "Go to the police."), reporter)
    cut = {one.id for one in desk.store.unposted() if one.sizes}
    line.cuts = lambda one: one.id in cut
    line.tried.clear()
    desk.store.note("last_sync", "before")
    done = synchronise(desk, Silence(), stamp="now")
    assert written(server, reporter) == [Kind.REPLY]
    assert (done.posted, done.waiting) == (1, 2 * many)
    assert {one.envelope for one in done.alarms} == {one.hex() for one in cut}
    assert set(signs(desk)) == {Sign.NOT_LET_THROUGH}
    assert desk.store.noted("last_sync") == "now"
    # Once it lets them through all is sent, and nothing is said of it any more.
    line.cuts = lambda _: False
    assert synchronise(desk, Silence()).posted == 2 * many
    assert signs(desk) == []


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("many", [1, 3])
def test_a_line_that_is_down_is_no_cases_doing_and_is_said_as_what_it_is(
    desk: Desk, reporter: Reporter, world: World, server: FakeServer, sync: Synced, line: Line,
    many: int,
) -> None:  # fmt: skip
    people = [reporter, *(Reporter(world) for _ in range(many - 1))]
    sync(*(row for one in people for row in one.report()))
    waiting(desk, server, note, *people)
    line.cuts, line.is_down = lambda _: True, True
    line.tried.clear()
    photo = people[0].evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.put(*people[0].follow_up("A photo.", [photo]))
    with pytest.raises(ServerUnreachable, match="broke"):
        synchronise(desk, Silence())
    # The third was not tried; and the files came first.
    assert len(line.tried) == min(many, 2)
    assert signs(desk) == []
    assert desk.store.part_path(photo.id, 1).exists()
    line.cuts, line.is_down = lambda _: False, False
    assert synchronise(desk, Silence()).posted == many


@pytest.mark.claim("C-CUT")
def test_what_broke_before_another_went_through_was_not_the_line(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced, line: Line
) -> None:
    sync(*reporter.report(), *other.report())
    waiting(desk, server, note, reporter, other)
    line.tried.clear()
    line.cuts = lambda one: one is line.tried[0]
    line.is_down = True  # not asked: what was taken says it
    done = synchronise(desk, Silence())
    (said,) = done.alarms
    assert (done.posted, done.waiting, said.sign) == (1, 1, Sign.NOT_LET_THROUGH)
    assert said.envelope == line.tried[0].id.hex()


def test_small_things_go_before_large_ones_and_each_case_keeps_its_order(
    desk: Desk, reporter: Reporter, other: Reporter, server: FakeServer, sync: Synced, line: Line
) -> None:
    sync(*reporter.report(), *other.report())
    waiting(desk, server, copy_of, reporter)
    waiting(desk, server, note, reporter)
    waiting(desk, server, copy_of, other)
    waiting(desk, server, note, other)
    line.tried.clear()
    assert synchronise(desk, Silence()).posted == 4
    for person in (reporter, other):
        assert [bool(one.sizes) for one in line.tried if one.case == person.case] == [True, False]
    waiting(desk, server, copy_of, reporter)
    waiting(desk, server, note, other)
    waiting(desk, server, copy_of, other)
    line.tried.clear()
    assert synchronise(desk, Silence()).posted == 3
    assert line.tried[0].case == other.case
    assert [bool(one.sizes) for one in line.tried] == [False, True, True]
