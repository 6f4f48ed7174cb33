"""One deployment per test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.deployment import Deployment, make_deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = make_deployment(tmp_path / "home")
    yield made
    made.vault.close()
