"""A colleague's desk beside the one that every test of the room has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.world import make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.desk import Desk
    from tests.desk.server import FakeServer
    from tests.desk.world import World


@pytest.fixture
def theirs(tmp_path: Path, world: World, server: FakeServer) -> Desk:
    """The second operator's desk, which has not synced yet."""
    return make_desk(tmp_path / "theirs", world, server.url, keyring=world.operators[1])


@pytest.fixture
def they_sync(theirs: Desk) -> Callable[[], None]:
    """Sync the second operator's desk."""

    def sync() -> None:
        synchronise(theirs, Silence(), stamp="x")

    return sync
