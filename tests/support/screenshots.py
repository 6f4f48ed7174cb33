"""`make screenshots`: every page of the site in every language, narrow and wide, light and dark."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import sync_playwright

from tests.support.answers import FRAUD
from tests.support.media import phone_photo
from tests.support.running import RunningDemo, running_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LANGUAGES = ("ar", "fr", "en")
WIDTHS = (360, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


class Album:
    """Takes the pictures of one language, width and scheme."""

    def __init__(self, page: Page, folder: Path, name: str) -> None:
        self._page = page
        self._folder = folder
        self._name = name
        self._count = 0

    def take(self, what: str) -> None:
        """Save the whole page, numbered in the order of the walk."""
        self._count += 1
        path = self._folder / f"{self._name}-{self._count:02d}-{what}.png"
        self._page.screenshot(path=path, full_page=True)


def walk(demo: RunningDemo, page: Page, language: str, album: Album, photo: Path) -> None:
    """From the first page to the thread, as a person would go, with one mistake on the way."""
    page.goto(f"{demo.site}/")
    album.take("languages")
    page.goto(f"{demo.site}/{language}/")
    album.take("start")
    page.check('input[name=danger_now][value="no"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    album.take("form")
    page.set_input_files("input[name=evidence]", [photo])
    page.click('button[name=action][value="send"]')
    album.take("form-with-errors")
    for name in ("role", "scam_type", "money_lost", "identity_mode"):
        page.check(f'input[name={name}][value="{FRAUD[name]}"]')
    page.fill("textarea[name=description]", FRAUD["description"])
    page.check("input[name=notice_read]")
    page.click("#f-originals summary")
    page.check("input[name=originals]")
    page.set_input_files("input[name=evidence]", [photo])
    page.click('button[name=action][value="send"]')
    album.take("original-doubted")
    page.uncheck("input[name=originals]")
    page.click('button[name=action][value="send"]')
    album.take("receipt")
    code = page.locator("#receipt-code").inner_text()
    page.goto(f"{demo.site}/{language}/thread")
    album.take("code")
    page.fill("input[name=code]", code)
    page.click('form[action$="/thread"] button')
    album.take("thread")
    page.goto(f"{demo.site}/{language}/nowhere")
    album.take("not-found")
    page.goto(f"{demo.site}/{language}/")
    page.check('input[name=danger_now][value="yes"]')
    page.check('input[name=category][value="threats"]')
    page.click("main form button")
    album.take("danger")


def desk_pages(demo: RunningDemo, browser: Browser, folder: Path) -> None:
    """The desk's list and a case; one session, the window resized."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.desk_link)
    page.locator("button", has_text="Sync").first.click()
    for what, go in (("list", None), ("case", "ul.cases a")):
        if go:
            page.locator(go).first.click()
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=folder / f"desk-{what}-{width}-{scheme}.png", full_page=True)
    context.close()


def main() -> None:
    """Take them all, into the folder of argv[1]."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        photo = Path(name, "photo.jpg")
        photo.write_bytes(phone_photo(b"screenshot"))
        with running_demo(Path(name, "home")) as demo:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=ARGUMENTS
            )
            for language in LANGUAGES:
                for width in WIDTHS:
                    for scheme in SCHEMES:
                        context = browser.new_context(
                            java_script_enabled=False,
                            viewport={"width": width, "height": 800},
                            color_scheme=scheme,
                        )
                        album = Album(context.new_page(), folder, f"{language}-{width}-{scheme}")
                        page = context.pages[0]
                        walk(demo, page, language, album, photo)
                        context.close()
            desk_pages(demo, browser, folder)
            browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
