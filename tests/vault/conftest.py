"""One empty vault per test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vault.builders import Shelf, make_shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = make_shelf(tmp_path / "shelf")
    yield made
    made.vault.close()
