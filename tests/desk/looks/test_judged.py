"""Every page of the desk, judged by others: axe-core, html-validate, a ruler, a keyboard.

Rule: one page of each kind is judged in every visit, and every other page in one; the ruler
measures all of them where they are narrowest, too.  With AMANA_JUDGE=whole all are judged in all.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

from tests.desk.looks.pages import FACES, LANGUAGES
from tests.desk.looks.window import Window, slug
from tests.gateway.site.test_judged import WCAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.desk.looks.pages import Pages, Walk

AXE: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": WCAG},
    "resultTypes": ["violations"],
    "preload": False,
    "iframes": False,
    # Off unless it is asked for, though WCAG 2.2 AA has it.
    "rules": {"target-size": {"enabled": True}},
}
# What hangs over an edge and does not stand in a strip that scrolls by itself.
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const strips = '.filters, .scroll, .skip, .unseen, caption, legend, .bench .first, '
        + '.bench .words input';
    const out = [...document.querySelectorAll('body *')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.width && (box.right > width + 1 || box.left < -1) && !one.closest(strips);
    });
    return out.map(one => one.outerHTML.slice(0, 200)).slice(0, 3).concat(
        document.documentElement.scrollWidth > width ? ['sideways: ' + width] : []);
}"""


def violations(page: Page, options: dict[str, Any]) -> dict[str, str]:
    """What axe finds, by its rule, with a first example."""
    found = Axe().run(page, options=options).response["violations"]
    return {
        one["id"]: f"{len(one['nodes'])} times, as at {one['nodes'][0]['html'][:200]} "
        f"{one['nodes'][0].get('failureSummary', '')}"
        for one in found
    }


NARROWEST = 320


class Visit(NamedTuple):
    """How all pages are looked at once."""

    language: str
    scheme: Literal["light", "dark"]
    width: int
    size: int

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.width}px-{self.size}%"


def visits() -> list[Visit]:
    """Each language, each scheme, narrow, wide and letters of twice the size: once at least."""
    ways: list[tuple[Literal["light", "dark"], int, int]] = [
        ("light", 1280, 100),
        ("dark", 320, 100),
        ("light", 640, 200),
    ]
    count = max(len(ways), len(LANGUAGES))
    several = islice(zip(cycle(LANGUAGES), cycle(ways), strict=False), count)
    return [Visit(language, *way) for language, way in several]


def chosen_of(names: Iterable[str]) -> dict[Visit, set[str]]:
    """By visit: the pages that are judged then."""
    known, made = list(names), visits()
    if os.environ.get("AMANA_JUDGE") == "whole":
        return {one: set(known) for one in made}
    return {
        one: {name for at, name in enumerate(known) if name in FACES or at % len(made) == turn}
        for turn, one in enumerate(made)
    }


class Judged(NamedTuple):
    """What the judges of one visit found: nothing, one hopes."""

    axe: dict[str, dict[str, str]]
    wide: dict[str, list[str]]
    elsewhere: list[str]


@pytest.fixture(scope="module", params=visits(), ids=str)
def judged(
    request: pytest.FixtureRequest, browser: Browser, walk: Walk, all_pages: dict[str, Pages]
) -> Judged:
    """Every page once, unfolded."""
    visit: Visit = request.param
    chosen = chosen_of(all_pages[visit.language])[visit]
    context = browser.new_context(
        viewport={"width": visit.width, "height": 800},
        color_scheme=visit.scheme, reduced_motion="reduce",
    )  # fmt: skip
    window = Window(context, walk, all_pages)
    found = Judged({}, {}, window.asked_elsewhere)
    for name in all_pages[visit.language]:
        if name not in chosen and visit.width > NARROWEST:
            continue
        page = window.go(visit.language, name)
        if visit.size != 100:
            page.evaluate(f"document.documentElement.style.fontSize = '{visit.size}%'")
        if name in chosen and (wrong := violations(page, AXE)):
            found.axe[name] = wrong
        if wide := page.evaluate(TOO_WIDE):
            found.wide[name] = wide
    context.close()
    return found


@pytest.fixture
def window(browser: Browser, walk: Walk, all_pages: dict[str, Pages]) -> Iterator[Window]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield Window(context, walk, all_pages)
    context.close()


def test_axe_finds_nothing_on_any_page(judged: Judged) -> None:
    assert judged.axe == {}


def test_no_page_scrolls_sideways(judged: Judged) -> None:
    assert judged.wide == {}


def test_no_page_asks_anything_of_another_place(judged: Judged) -> None:
    assert judged.elsewhere == []


def test_axe_judges_every_page_and_one_of_each_kind_in_every_visit(
    all_pages: dict[str, Pages], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set(all_pages["en"])
    chosen = chosen_of(all_pages["en"])
    assert set().union(*chosen.values()) == names
    assert set.intersection(*chosen.values()) >= set(FACES)
    monkeypatch.setenv("AMANA_JUDGE", "whole")
    assert all(one == names for one in chosen_of(all_pages["en"]).values())


def test_every_visit_there_must_be_is_made() -> None:
    made = visits()
    assert {one.language for one in made} == set(LANGUAGES)
    assert {one.scheme for one in made} == {"light", "dark"}
    assert {(one.width, one.size) for one in made} == {(1280, 100), (320, 100), (640, 200)}


def test_the_judges_would_find_what_is_wrong(window: Window) -> None:
    page = window.go(LANGUAGES[0], "case, whole")
    page.evaluate("document.querySelector('main .under').style.color = '#ccc'")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    page.evaluate("document.querySelector('h1').style.width = '2000px'")
    assert {"color-contrast", "label"} <= violations(page, AXE).keys()
    assert page.evaluate(TOO_WIDE)
    with pytest.raises(Error, match="ERR_FAILED"):
        page.goto("http://elsewhere.example/")
    assert window.asked_elsewhere == ["http://elsewhere.example/"]


def test_the_html_of_every_page_validates(
    all_pages: dict[str, Pages], html_validate: list[str], tmp_path: Path
) -> None:
    config = tmp_path / ".htmlvalidate.json"
    config.write_text(json.dumps({"root": True, "extends": ["html-validate:standard"]}))
    for language, pages in all_pages.items():
        for name, shown in pages.items():
            (tmp_path / f"{language} {slug(name)}.html").write_bytes(shown.answer.data)
    # Positive control: a page that is wrong in one place.
    right = all_pages[LANGUAGES[0]]["list"].answer.data
    (tmp_path / "wrong.html").write_bytes(right.replace(b"<h1>", b'<h1 id="main">', 1))
    # Into a file: a pipe is cut at what it holds when the program ends.
    said = tmp_path / "said.json"
    command = [*html_validate, f"--formatter=json={said}", "--config", str(config), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    wrong: dict[str, set[str]] = defaultdict(set)
    for one in json.loads(said.read_text()):
        name = one["filePath"].removeprefix(f"{tmp_path}/")
        wrong[name] |= {f"{why['ruleId']}: {why['message']}" for why in one["messages"]}
    assert wrong.pop("wrong.html")
    assert dict(wrong) == {}


# What a person would step through, and a note of each thing that the focus comes to.
STOPS = """() => {
    const all = [...document.querySelectorAll('a, button, input, select, textarea, summary')]
        .filter(one => !one.disabled && one.type !== 'hidden' && one.checkVisibility()
            && one.tabIndex >= 0);
    window.came = [];
    addEventListener('focusin', event => {
        const at = all.indexOf(event.target);
        const beside = event.target.matches('.bench .words input') ? event.target.nextElementSibling
            : event.target;
        const style = getComputedStyle(beside);
        if (at >= 0 && window.came.at(-1)?.[0] !== at) {
            const ring = style.outlineStyle + ' ' + style.outlineWidth;
            window.came.push([at, event.target.outerHTML.slice(0, 120), ring]);
        }
    });
    const more = [...document.querySelectorAll('video, audio')].length * 8
        + [...document.querySelectorAll('[type=date]')].length * 3;
    return [all.length, all.length + more + 4];
}"""


@pytest.mark.parametrize("name", FACES)
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(
    window: Window, name: str
) -> None:
    page = window.go(LANGUAGES[-1], name)
    count, presses = page.evaluate(STOPS)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(presses):
        page.keyboard.press("Tab")
    came: list[tuple[int, str, str]] = page.evaluate("window.came")
    assert [at for at, *_ in came][:count] == list(range(count))
    assert [one for one in came if one[2] != "solid 3px"] == []


# Edges of what can be pressed, and whether the chosen one of several can be told from the others.
FORCED = """() => {
    const edge = one => {
        const style = getComputedStyle(one);
        return [style.borderTopStyle, style.borderTopWidth, style.borderTopColor
            !== style.backgroundColor].join(' ');
    };
    const pressed = [...document.querySelectorAll('button, .filters a, select, textarea')]
        .filter(one => one.checkVisibility());
    const chosen = document.querySelector('.filters [aria-current]');
    const other = document.querySelector('.filters a:not([aria-current])');
    return {
        without: pressed.filter(one => !/^solid [1-9]\\S* true$/.test(edge(one)))
            .map(one => one.outerHTML.slice(0, 150) + edge(one)),
        same: Boolean(chosen && other && edge(chosen) === edge(other)),
        // What keeps colours of its own: drawings on white, and words that are blacked out.
        own: [...document.querySelectorAll('body *')].filter(one =>
            getComputedStyle(one).forcedColorAdjust === 'none'
                && !one.closest('.chart, .key, .bench .words label'))
            .map(one => one.outerHTML.slice(0, 150)),
    };
}"""


@pytest.mark.parametrize("name", FACES)
def test_with_forced_colours_everything_can_be_read_and_told_apart(
    window: Window, name: str
) -> None:
    window.page.emulate_media(forced_colors="active")
    page = window.go(LANGUAGES[0], name)
    assert page.evaluate(FORCED) == {"without": [], "same": False, "own": []}


def test_a_printed_case_is_what_is_known_and_not_what_could_be_done(
    window: Window, tmp_path: Path, pdftotext: Path
) -> None:
    page = window.go("en", "case, whole", unfolded=False)
    page.pdf(path=tmp_path / "a.pdf", format="A4")
    done = subprocess.run(
        [pdftotext, "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True
    )
    for known in ("Since then", "4200.00", "Called the bank", "In quarantine"):
        assert known in done.stdout
    for act in ("Seal and send", "Sign the note", "Show the picture", "Black something out"):
        assert act not in done.stdout
