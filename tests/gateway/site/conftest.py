"""One rehearsal per test, and a writer at its site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.rehearsal import Rehearsal, make_rehearsal
from tests.support.site import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    """Two operators, one custodian, a vault in a folder."""
    made = make_rehearsal(tmp_path)
    yield made
    made.vault.close()


@pytest.fixture
def client(rehearsal: Rehearsal) -> FlaskClient:
    """A browser without cookies."""
    return rehearsal.site_client()


@pytest.fixture
def writer(client: FlaskClient) -> Writer:
    """Somebody who writes about a fraud, in English."""
    return Writer(client)
