"""One rehearsal per test, and a writer at its site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import judge
from tests.support.rehearsal import Rehearsal, make_rehearsal
from tests.support.site import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="session")
def pdftotext() -> Path:
    """Poppler's reader of PDF, which reads what was printed."""
    return judge("pdftotext")


@pytest.fixture(scope="session")
def html_validate() -> list[str]:
    """The command that judges HTML; tools/install-judges installs it."""
    home = Path(sys.prefix)
    program = home / "html" / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
    if not program.exists():
        pytest.skip("html-validate is not installed")
    return [str(home / "bin" / "node"), str(program)]
