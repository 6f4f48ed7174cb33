"""The pages of a desk, a browser that was let in, and the work that runs beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desk.pages.app import create_pages
from desk.pages.background import Background
from desk.pages.door import Bind, OneTimeLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from desk.desk import Desk

NOW = "2026-11-22 10:00"


@pytest.fixture
def beside() -> Iterator[Background]:
    """What runs beside the pages; its clock stands still."""
    made = Background(now=lambda: NOW)
    yield made
    made.end()


@pytest.fixture
def page(desk: Desk, beside: Background) -> FlaskClient:
    """A browser that was let in."""
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link, None, beside).test_client()
    entered = client.get(f"/link/{link.token}", headers={"Host": "127.0.0.1:8002"})
    assert entered.status_code == 303
    return client
