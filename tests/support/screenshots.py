"""`make screenshots`: every page in every language, narrow and wide, light and dark.

The site's as they are without a script, then the desk's (`desk-...`).  For the eyes of whoever
changed something: look at them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import sync_playwright

from gateway.site.words import LANGUAGES
from tests.desk.looks.pages import LANGUAGES as DESK_LANGUAGES
from tests.support.browser import QUIET, STATIC_FILES, show
from tests.support.pages import every_page
from tests.support.rehearsal import make_rehearsal
from tests.support.screenshots_of_desk import desk_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from werkzeug.test import TestResponse

WIDTHS = (360, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def site_pages(browser: Browser, folder: Path, language: str) -> None:
    """Take every page in one language, as it is without a script."""
    with tempfile.TemporaryDirectory() as name:
        rehearsal = make_rehearsal(Path(name))
        found = every_page(rehearsal, language)
        rehearsal.vault.close()
    names = {name: f"/{language}/{name.replace(' ', '-')}" for name in found}
    served: dict[str, TestResponse | bytes] = {
        address: path.read_bytes() for address, path in STATIC_FILES.items()
    }
    served |= {names[name]: page for name, page in found.items()}
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(
                java_script_enabled=False,
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
            )
            show(context, served)
            page = context.new_page()
            for name, address in names.items():
                page.goto(f"http://localhost{address}")
                what = name.replace(",", "").replace(" ", "-")
                picture = folder / f"{language}-{width}-{scheme}-{what}.png"
                page.screenshot(path=picture, full_page=True)
            context.close()


def main() -> None:
    """Take them all, into the folder of argv[1]; of some languages alone, where more is said."""
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for language in wanted or [one.code for one in LANGUAGES]:
            site_pages(browser, folder, language)
        desk_pages(browser, folder, wanted or DESK_LANGUAGES, WIDTHS, SCHEMES)
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
