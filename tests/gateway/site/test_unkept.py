"""Claim C-UNKEPT: what a form sends does not stay in the browser's files, which outlive its window.

What is not defended is shown first: without our mark, Chromium does write the form down.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.support.browser import NO_BACK, QUIET, served
from tests.support.pages import every_page
from tests.support.site import ANSWERS, COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from tests.support.rehearsal import Rehearsal

pytestmark = pytest.mark.claim("C-UNKEPT")
SECRET = "It began on a Tuesday in Tetouan."
_WRITTEN_MS = 3500
"""Chromium writes what changed in its windows every two and a half seconds."""


@contextmanager
def ordinary_window(chromium: Path, profile: Path, address: str) -> Iterator[BrowserContext]:
    """A window that is not a private one, with its files in ``profile``."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=str(chromium),
            args=QUIET,
            ignore_default_args=[NO_BACK],
            base_url=address,
        )
        yield context
        context.close()


def holds(profile: Path, secret: str) -> list[str]:
    """The names of the files below ``profile`` in which a text stands, however it is written."""
    spellings = (secret.encode(), secret.encode("utf-16-le"), secret.replace(" ", "+").encode())
    return [
        path.name
        for path in profile.rglob("*")
        if path.is_file() and any(spelt in path.read_bytes() for spelt in spellings)
    ]


def tell(page: Page) -> None:
    """Write a report and send it."""
    page.goto("/en/")
    page.check('input[name=danger_now][value="no"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    page.wait_for_url("**/write")
    for name, value in {**COMMON, **ANSWERS["fraud"], "description": SECRET}.items():
        field = page.locator(f'main [name="{name}"]').first
        if field.get_attribute("type") in {"radio", "checkbox"}:
            page.check(f'main [name="{name}"][value="{value}"]')
        else:
            field.fill(str(value))


@pytest.mark.parametrize("marked", [False, True], ids=["the control", "as it is"])
def test_what_was_written_is_in_no_file_of_the_browser(
    rehearsal: Rehearsal, chromium: Path, tmp_path: Path, *, marked: bool
) -> None:
    with (
        served(rehearsal.site()) as address,
        ordinary_window(chromium, tmp_path / "profile", address) as window,
    ):
        page = window.new_page()
        tell(page)
        if not marked:
            page.evaluate("document.querySelectorAll('[type=password]').forEach(x => x.remove())")
        page.click('button[name="action"][value="send"]')
        page.wait_for_url("**/send")
        page.wait_for_timeout(_WRITTEN_MS)
    assert bool(holds(tmp_path / "profile", SECRET)) is not marked


def test_every_form_of_every_page_bears_the_mark(rehearsal: Rehearsal) -> None:
    mark = '<input type="password" value="1" autocomplete="off" hidden disabled>'
    forms = 0
    for name, page in every_page(rehearsal, "en").items():
        found = re.findall(r'<form\b[^>]*method="post".*?</form>', page.text, re.DOTALL)
        forms += len(found)
        assert all(mark in form for form in found), name
    assert forms > 50
