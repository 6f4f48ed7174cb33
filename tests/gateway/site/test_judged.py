"""Every page in every language, judged by others: html-validate, axe-core, and a ruler."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import template_rendered

from gateway.site.app import HERE
from gateway.site.forms import load_forms
from tests.support.browser import LEFT_TO_RIGHT, STATIC_FILES, show
from tests.support.pages import LANGUAGES, every_page
from tests.support.rehearsal import make_rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from werkzeug.test import TestResponse

KIB = 1024
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What hangs over the right or the left edge, or makes the page wider than its window.
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll('body *')].filter(one => {
        const box = one.getBoundingClientRect();
        const hidden = one.closest('.unseen, .skip, legend, [hidden]');
        return box.width && !hidden && (box.right > width + 1 || box.left < -1);
    });
    return out.map(one => one.outerHTML.slice(0, 200)).slice(0, 3).concat(
        document.documentElement.scrollWidth > width ? ['sideways: ' + width] : []);
}"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const bar = document.querySelector('.leave').getBoundingClientRect();
    const box = one.getBoundingClientRect();
    return {
        name: one.tagName + ' ' + (one.name || one.className || one.getAttribute('href') || ''),
        ring: style.outlineStyle + ' ' + style.outlineWidth,
        hidden: !one.closest('.leave, .skip') && box.bottom <= bar.bottom,
        behind: one.tabIndex,
    };
}"""


@pytest.fixture(scope="module")
def all_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, TestResponse]]:
    """Language to name to page."""
    found = {}
    for lang in LANGUAGES:
        rehearsal = make_rehearsal(tmp_path_factory.mktemp(lang))
        found[lang] = every_page(rehearsal, lang)
        rehearsal.vault.close()
    return found


@pytest.fixture
def page(browser: Browser, all_pages: dict[str, dict[str, TestResponse]]) -> Iterator[Page]:
    """A window in which every page stands at the address of its language and name."""
    context = browser.new_context(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    named = {
        f"/{lang}/{name.replace(' ', '-')}": one
        for lang, pages in all_pages.items()
        for name, one in pages.items()
    }
    files = {address: path.read_bytes() for address, path in STATIC_FILES.items()}
    # The page of a turn would go on by itself, in the middle of being looked at.
    show(context, {**named, **files, "/turn.js": b""})
    yield context.new_page()
    context.close()


def go(page: Page, lang: str, name: str) -> None:
    """Open one page, everything on it unfolded."""
    page.goto(f"http://localhost/{lang}/{name.replace(' ', '-')}")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")


def test_there_is_a_page_of_every_template(
    all_pages: dict[str, dict[str, TestResponse]], tmp_path: Path
) -> None:
    shown: set[str] = set()
    rehearsal = make_rehearsal(tmp_path)
    with template_rendered.connected_to(lambda _, template, **__: shown.add(template.name)):
        every_page(rehearsal, "en")
    rehearsal.vault.close()
    # What has a block or is a macro alone is no page of its own.
    parts = {"base.html", "fields.html", "notice.html", "numbers.html", "second.html", "ways.html"}
    assert shown == {path.name for path in (HERE / "templates").glob("*.html")} - parts
    forms = {f"form {form.id}" for form in load_forms(None).schema.categories}
    assert len(forms) >= 8
    assert forms <= set(all_pages["ar"])
    for pages in all_pages.values():
        for name, page in pages.items():
            status = re.search(r"problem (\d+)", name)
            wanted = {int(status[1])} if status else {503} if name == "turn" else {200, 404, 422}
            assert page.status_code in wanted, name


def test_the_html_of_every_page_validates(
    all_pages: dict[str, dict[str, TestResponse]], html_validate: list[str], tmp_path: Path
) -> None:
    config = tmp_path / ".htmlvalidate.json"
    config.write_text(json.dumps({"root": True, "extends": ["html-validate:standard"]}))
    count = 0
    for lang, pages in all_pages.items():
        for name, page in pages.items():
            (tmp_path / f"{lang} {name}.html").write_bytes(page.data)
            count += 1
    # Positive control: a page that is wrong in one place.
    (tmp_path / "wrong.html").write_bytes(
        all_pages["en"]["start"].data.replace(b"<h1>", b'<h1 id="main">', 1)
    )
    command = [*html_validate, "--formatter=json", "--config", str(config), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    found = {one["filePath"]: one["messages"] for one in json.loads(done.stdout)}
    wrong = found.pop(str(tmp_path / "wrong.html"))
    assert wrong
    assert found == {}, found
    assert count > 120


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_on_any_page_light_or_dark(
    page: Page, all_pages: dict[str, dict[str, TestResponse]], lang: str
) -> None:
    axe = Axe()
    quick = {"resultTypes": ["violations"], "preload": False, "iframes": False}
    light = {"runOnly": {"type": "tag", "values": WCAG}, **quick}
    # In the dark only the colours are others; and colours are no language's own.
    dark = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, **quick}
    schemes = [("light", light), ("dark", dark)]
    if lang not in ("ar", "fr"):
        schemes = [("light", {**light, "rules": {"color-contrast": {"enabled": False}}})]
    for name in all_pages[lang]:
        go(page, lang, name)
        for scheme, options in schemes:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = axe.run(page, options=options)
            assert found.response["violations"] == [], (name, scheme, found.generate_report())


def test_axe_would_find_what_is_wrong(page: Page) -> None:
    go(page, "en", "start")
    page.evaluate("document.querySelector('main p').style.color = '#ccc'")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    found = {one["id"] for one in Axe().run(page).response["violations"]}
    assert {"color-contrast", "label"} <= found


def packed(*parts: bytes) -> int:
    """Bytes over the network, each answer compressed by itself as a front would."""
    return sum(len(gzip.compress(part, 6, mtime=0)) for part in parts)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_and_every_form_are_light(
    all_pages: dict[str, dict[str, TestResponse]], lang: str
) -> None:
    pages = all_pages[lang]
    for name in ("languages", "start"):
        parts = re.findall(r'(?:href|src)="(/[a-z]+\.(?:css|js))"', pages[name].text)
        assert {"/style.css", "/exit.js"} <= set(parts)
        loaded = [STATIC_FILES[part].read_bytes() for part in parts]
        assert packed(pages[name].data, *loaded) <= 30 * KIB, name
        # No face but where its letters are.
        lettered = name == "start" and lang == "zgh"
        assert ("/letters.css" in parts) == lettered
        if lettered:
            loaded.append(STATIC_FILES["/letters.woff2"].read_bytes())
            assert packed(pages[name].data, *loaded) <= 30 * KIB
    for form in load_forms(None).schema.categories:
        assert packed(pages[f"form {form.id}"].data) <= 25 * KIB, form.id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_scrolls_sideways_narrow_or_in_large_letters(
    page: Page, all_pages: dict[str, dict[str, TestResponse]], lang: str
) -> None:
    for name in all_pages[lang]:
        go(page, lang, name)
        for width, size in ((320, 100), (640, 200)):
            page.set_viewport_size({"width": width, "height": 640})
            page.evaluate(f"document.documentElement.style.fontSize = '{size}%'")
            assert page.evaluate(TOO_WIDE) == [], (name, width, size)
    # Positive control.
    page.evaluate("document.querySelector('h1').style.width = '2000px'")
    assert page.evaluate(TOO_WIDE)


@pytest.mark.parametrize(
    "name", ["start", "form fraud", "receipt", "code", "thread with an answer"]
)
@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(
    page: Page, lang: str, name: str
) -> None:
    go(page, lang, name)
    # What a person would step through: a group of radio buttons is one stop.
    stops = page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
            .filter(one => !one.disabled && one.type !== 'hidden' && one.checkVisibility())
            .filter((one, at, all) => one.type !== 'radio' ||
                all.findIndex(other => other.name === one.name) === at).length"""
    )
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    found = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        found.append(page.evaluate(FOCUSED))
    assert found[0]["name"] == "A skip"
    assert [one for one in found if one["ring"] != "solid 3px"] == []
    assert [one for one in found if one["hidden"] or one["behind"] > 0] == []
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["name"].startswith("BODY")
    # The skip link leads behind what stands on every page.
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_what_is_read_aloud_stands_in_the_order_that_is_seen(
    page: Page, all_pages: dict[str, dict[str, TestResponse]], lang: str
) -> None:
    css = STATIC_FILES["/style.css"].read_text("utf-8")
    assert not re.search(r"(?<![a-z-])order:|-reverse|float:", css)
    for name in all_pages[lang]:
        go(page, lang, name)
        tops = page.evaluate(
            """() => [...document.querySelectorAll('main > *, main form > *, footer')]
                .filter(one => one.checkVisibility() && !one.closest('.unseen'))
                .map(one => one.getBoundingClientRect().top)"""
        )
        assert all(one <= other + 1 for one, other in pairwise(tops)), name
        levels = [int(one) for one in re.findall(r"<h(\d)", all_pages[lang][name].text)]
        assert levels[:1] == [1], name
        assert all(other <= one + 1 for one, other in pairwise(levels)), name


def test_with_forced_colours_buttons_keep_an_edge_and_the_picture_its_contrast(
    page: Page,
) -> None:
    page.emulate_media(forced_colors="active")
    go(page, "en", "receipt")
    edges = page.evaluate(
        """() => [...document.querySelectorAll('button:not(.way), .exit a')].map(one => {
            const style = getComputedStyle(one);
            return style.borderStyle + ' ' + style.borderWidth + ' ' +
                (style.borderColor !== style.backgroundColor);
        })"""
    )
    assert set(edges) == {"solid 2px true"}
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.qr')).backgroundColor")
        == "rgb(255, 255, 255)"
    )


def test_codes_and_telephone_numbers_in_arabic_pages_are_read_from_left_to_right(
    page: Page, all_pages: dict[str, dict[str, TestResponse]]
) -> None:
    go(page, "ar", "receipt")
    code = page.locator("#receipt-code")
    wanted = code.inner_text()
    assert re.fullmatch(r"(\d{4} ){6}\d{4}", wanted)
    assert code.evaluate(LEFT_TO_RIGHT) == wanted
    # Positive control: as plain text of the page, its groups turn round.
    code.evaluate("one => { one.textContent = one.textContent; }")
    assert code.evaluate(LEFT_TO_RIGHT) == " ".join(reversed(wanted.split()))
    go(page, "ar", "danger")
    for number in page.locator("a[href^='tel:'] bdi, .safety bdi").all():
        wanted = number.inner_text()
        assert re.fullmatch(r"\+?[\d ]+", wanted)
        assert number.evaluate(LEFT_TO_RIGHT) == wanted
    go(page, "ar", "thread with an answer")
    assert "06 12 34 56 78" in page.locator("p.words").first.evaluate(LEFT_TO_RIGHT)
    assert all_pages["ar"]["about"].text.count('<bdi dir="ltr">C-') > 5


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_printed_receipt_is_the_code_alone(
    page: Page, lang: str, scheme: str, tmp_path: Path, pdftotext: Path
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    go(page, lang, "receipt")
    code = page.locator("#receipt-code").inner_text()
    # As a browser's dialogue does it: with margins it adds the day, the title and the address.
    margin = dict.fromkeys(("top", "right", "bottom", "left"), "1.5cm")
    page.pdf(path=tmp_path / "a.pdf", display_header_footer=True, format="A4", margin=margin)  # type: ignore[arg-type]
    done = subprocess.run(
        [pdftotext, "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\f") == 1
    assert " ".join(done.stdout.split()) == code
