"""One rehearsal for all journeys: started as a person would start it, stopped with one Ctrl-C."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.running import RunningDemo, running_demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def eyes() -> None:
    """The right to look into the gateway's processes, which refuse their own user."""
    if os.geteuid() != 0:
        pytest.skip("only root can look into a process that lets nobody look into it")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A running rehearsal."""
    home = tmp_path_factory.mktemp("rehearsal") / "home"
    with running_demo(home) as running:
        yield running
