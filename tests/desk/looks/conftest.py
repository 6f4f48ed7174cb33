"""One furnished office, walked once in each language; every judge looks at those pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sanitizer.jail.pool import shared_pool
from sanitizer.jail.program import ffmpeg_jail
from tests.desk.looks.office import furnished
from tests.desk.looks.pages import LANGUAGES, Walk
from tests.gateway.site.conftest import html_validate, pdftotext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desk.looks.pages import Pages

__all__ = ["html_validate", "pdftotext"]


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The browsers of the office; what they draw of files is drawn in the jail."""
    if shared_pool() is None or not ffmpeg_jail().is_whole:
        pytest.skip("no worker can be locked in on this kernel")
    with furnished(tmp_path_factory.mktemp("office")) as office:
        yield Walk(office)


@pytest.fixture(scope="session")
def all_pages(walk: Walk) -> dict[str, Pages]:
    """Language to name to page."""
    return {language: walk.every_page(language) for language in LANGUAGES}
