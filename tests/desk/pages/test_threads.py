"""What the threads of one desk share while one of them works for minutes."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

from desk.cases import Cases
from desk.client import SyncClient
from desk.errors import Stopped
from desk.news import sync_and_tell
from desk.progress import Silence
from desk.proving import prove
from desk.sync import synchronise
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]


class Forgetful(dict[bytes, object]):
    """A memory that another thread clears after every look into it."""

    def __contains__(self, name: object) -> bool:
        """Tell, and forget."""
        found = super().__contains__(name)
        self.clear()
        return found

    def get(self, name: bytes, default: Any = None) -> Any:
        """Give, and forget."""
        found = super().get(name, default)
        self.clear()
        return found


def test_what_another_thread_forgets_is_still_given(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    assert Cases(desk).find(reporter.case.hex()).readable
    desk.opener._opened = Forgetful(desk.opener._opened)
    assert Cases(desk).find(reporter.case.hex()).readable


def test_a_roster_that_comes_changes_no_list_that_is_being_walked(
    desk: Desk, server: FakeServer
) -> None:
    walking = iter(desk.trust._believed.values())
    assert desk.trust.epoch == 1
    server.renew()
    synchronise(desk, Silence())
    assert desk.trust.epoch == 2
    assert [one.epoch for one in walking] == [1]


def test_cases_are_proven_and_listed_while_others_arrive(
    desk: Desk, world: World, server: FakeServer
) -> None:
    """A proof, a list and syncs at once, each in a thread of its own."""
    failed: list[BaseException] = []
    over = threading.Event()

    def keep(work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            while not over.is_set():
                try:
                    work()
                except BaseException as error:  # noqa: BLE001  # whatever it is, it is shown
                    failed.append(error)
                    return

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [
        keep(lambda: prove(desk, Silence())),
        keep(desk.index.rows),
    ]
    for number in range(6):
        one = Reporter(world)
        server.put(*one.report([one.evidence("a.jpg", "image/jpeg", JPEG)]))
        if number == 3:
            server.renew()
        sync_and_tell(desk, Silence(), None, stamp="now")
    over.set()
    for thread in threads:
        thread.join(20)
    assert failed == []
    done = prove(desk, Silence())
    assert (len(done.cases), done.files, done.all_alarms) == (6, 6, ())


def test_who_is_told_to_stop_asks_and_waits_no_more_and_others_do(
    desk: Desk, server: FakeServer
) -> None:
    asked = threading.Event()
    with desk.client.unless(asked.is_set):
        assert desk.client.roster()
        asked.set()
        server.requests.clear()
        with pytest.raises(Stopped):
            desk.client.roster()
        with desk.client.unless(lambda: False):
            assert desk.client.roster()
        with pytest.raises(Stopped):
            desk.client.roster()
    assert len(server.requests) == 1
    assert desk.client.roster()


def test_a_stop_at_whatever_moment_ends_the_request(desk: Desk, server: FakeServer) -> None:
    """Before it, while its headers come, in the middle of the answer: no byte is read on."""

    def ask(moments: float) -> int:
        told: list[bool] = []

        def is_over() -> bool:
            told.append(True)
            return len(told) > moments

        client = SyncClient(server.url, desk.keyring.api)
        with client.unless(is_over):
            assert client.roster() == server.note
        return len(told)

    assert ask(math.inf) > 3
    for moment in range(3):
        with pytest.raises(Stopped):
            ask(moment)
