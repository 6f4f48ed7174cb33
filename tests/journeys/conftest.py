"""One rehearsal for all journeys: started as a person would start it, stopped with one Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.running import RunningDemo, running_demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A running rehearsal."""
    home = tmp_path_factory.mktemp("rehearsal") / "home"
    with running_demo(home) as running:
        yield running
