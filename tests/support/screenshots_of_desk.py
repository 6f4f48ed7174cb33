"""Pictures of every page of the desk, in the languages that it has: part of `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.desk.looks.office import furnished
from tests.desk.looks.pages import LANGUAGES, Walk
from tests.desk.looks.window import Window, slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

# A picture that is scrolled to is fetched then; on a picture of the whole page nobody scrolls.
_ALL_AT_ONCE = "document.querySelectorAll('img').forEach(one => { one.loading = 'eager'; })"


def desk_pages(
    browser: Browser, folder: Path, wanted: Sequence[str], widths: Sequence[int],
    schemes: Sequence[Literal["light", "dark"]],
) -> None:  # fmt: skip
    """Take every page that the desk can show, in those of its languages that are wanted."""
    languages = [one for one in LANGUAGES if one in wanted]
    if not languages:
        return
    with tempfile.TemporaryDirectory() as name, furnished(Path(name)) as office:
        walk = Walk(office)
        pages = {language: walk.every_page(language) for language in languages}
        for language in languages:
            for width in widths:
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, reduced_motion="reduce"
                )
                window = Window(context, walk, pages)
                for one in pages[language]:
                    page = window.go(language, one, unfolded=False)
                    page.evaluate(_ALL_AT_ONCE)
                    page.wait_for_load_state("networkidle")
                    for scheme in schemes:
                        page.emulate_media(color_scheme=scheme)
                        picture = folder / f"desk-{language}-{width}-{scheme}-{slug(one)}.png"
                        page.screenshot(path=picture, full_page=True)
                context.close()
