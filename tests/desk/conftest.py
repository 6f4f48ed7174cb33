"""One deployment, one simulated server, one enrolled desk, for every test of the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desk.cases import Cases
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.journal import Journal
from tests.desk.running import Run, running
from tests.desk.server import serving
from tests.desk.world import PASSPHRASE, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Synced = Callable[..., SyncReport]


@pytest.fixture
def world() -> World:
    return World.make()


@pytest.fixture
def server(world: World) -> Iterator[FakeServer]:
    with serving(world) as fake:
        yield fake


@pytest.fixture
def desk(tmp_path: Path, world: World, server: FakeServer) -> Desk:
    return make_desk(tmp_path / "desk", world, server.url)


@pytest.fixture
def reporter(world: World) -> Reporter:
    return Reporter(world)


@pytest.fixture
def report(reporter: Reporter) -> list[Row]:
    """The report, its identity and no files; on no server yet."""
    return reporter.report()


@pytest.fixture
def journal(world: World, reporter: Reporter, report: list[Row]) -> Journal:
    """What operators do to that case."""
    return Journal(world, reporter, report[0])


@pytest.fixture
def sync(desk: Desk, server: FakeServer) -> Synced:
    """Put rows on the server and sync the desk."""

    def put_and_sync(*rows: Row) -> SyncReport:
        server.put(*rows)
        return synchronise(desk, Silence(), stamp="2026-11-22 09:40")

    return put_and_sync


@pytest.fixture
def read(desk: Desk, reporter: Reporter) -> Callable[[], Case]:
    """The reporter's case as the desk reads it."""
    return lambda: Cases(desk).find(reporter.case.hex())


@pytest.fixture
def phrase(tmp_path: Path) -> Path:
    """The file that every desk's passphrase is read from."""
    path = tmp_path / "phrase"
    path.write_text(f"{PASSPHRASE}\n")
    return path


@pytest.fixture
def run(desk: Desk, phrase: Path) -> Run:
    """Run a command on the enrolled desk."""
    return running(desk.home.folder, phrase)
