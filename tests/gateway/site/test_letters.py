"""The Tifinagh face: from us, on the Amazigh pages alone, and kept nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gateway.headers import STRICT
from gateway.site.app import HERE
from gateway.site.words import LANGUAGES
from tests.support.browser import served
from tests.support.pages import every_page

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser

    from tests.support.rehearsal import Rehearsal

LETTERS = HERE / "static" / "letters"
OTHERS = [one.code for one in LANGUAGES if not one.letters]
LOADED = "() => document.fonts.size && [...document.fonts].every(one => one.status === 'loaded')"
# The letters are as wide in the page's face as in ours alone: they are ours.
DRAWN = """() => {
    const draw = family => {
        const context = document.createElement('canvas').getContext('2d');
        context.font = `100px ${family}`;
        return context.measureText('ⴰⴱⴳⵟⵥⵯ').width;
    };
    return [...document.fonts].map(one => [one.family, one.status]).concat(
        [[draw(getComputedStyle(document.body).fontFamily), draw('"Site Tifinagh"')]]);
}"""


def test_a_browser_fetches_the_face_on_the_amazigh_pages_and_on_no_other(
    rehearsal: Rehearsal, browser: Browser
) -> None:
    with served(rehearsal.site()) as address, browser.new_context(base_url=address) as context:
        page = context.new_page()
        asked: list[str] = []
        refused: list[str] = []
        page.on("request", lambda one: asked.append(one.url.removeprefix(address)))
        page.on("console", lambda one: refused.append(one.text))
        for path in ("/", *(f"/{lang}/{name}" for lang in OTHERS for name in ("", "about"))):
            page.goto(path)
            page.evaluate("document.fonts.ready")
        assert [one for one in asked if "letters" in one] == []
        for path in ("/zgh/", "/zgh/thread", "/zgh/nowhere"):
            asked.clear()
            page.goto(path)
            page.wait_for_function(LOADED)
            fonts = page.evaluate(DRAWN)
            assert [one for one in asked if "letters" in one] == ["/letters.css", "/letters.woff2"]
            assert fonts[0] == ["Site Tifinagh", "loaded"]
            assert fonts[-1][0] == fonts[-1][1]
        # The console says that /zgh/nowhere is not there, and of nothing that was forbidden.
        assert [one for one in refused if "404" not in one] == []


@pytest.mark.parametrize("lang", [one.code for one in LANGUAGES])
def test_only_a_page_that_shows_the_letters_may_fetch_a_face(
    rehearsal: Rehearsal, lang: str
) -> None:
    for name, page in every_page(rehearsal, lang).items():
        lettered = lang == "zgh" and name not in {"languages", "problem in all languages"}
        linked = 'href="/letters.css"' in page.text
        assert linked == (lettered and name != "leave"), name
        assert ("font-src 'self'" in page.headers["Content-Security-Policy"]) >= linked, name
        if not lettered:
            assert "font-src" not in page.headers["Content-Security-Policy"], name


def test_the_face_is_kept_nowhere_and_asks_for_nothing(client: FlaskClient) -> None:
    for path, kind in (("/letters.css", "text/css"), ("/letters.woff2", "font/woff2")):
        answer = client.get(path)
        assert answer.mimetype == kind
        assert {name: answer.headers[name] for name, _ in STRICT} == dict(STRICT)
        assert "ETag" not in answer.headers
    style = client.get("/letters.css").text
    assert re.findall(r"url\(.*?\)", style) == ['url("letters.woff2")']
    assert "unicode-range: U+2D30-2D7F" in style
    assert "font-display: swap" in style


def test_the_face_is_small_and_its_licence_stands_beside_it() -> None:
    face = (LETTERS / "tifinagh.woff2").read_bytes()
    assert face[:4] == b"wOF2"
    assert len(face) < 19 * 1024
    licence = (LETTERS / "OFL.txt").read_text("utf-8")
    assert "The Noto Project Authors" in licence
    assert "SIL OPEN FONT LICENSE" in licence
    readme = (HERE.parents[1] / "README.md").read_text("utf-8")
    assert "gateway/site/static/letters/OFL.txt" in readme
