"""Leaving without a trace, in a browser that keeps whole pages in memory for its Back button.

What is not defended is shown first: without leaving, this browser does bring such a page back.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Error
from werkzeug.wrappers import Response

from gateway.site.app import HERE
from tests.support.browser import chromium_as_people_have_it, served
from tests.support.site import ANSWERS, COMMON, Writer, code_of, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.support.rehearsal import Rehearsal, TestClock

WITH_AND_WITHOUT = pytest.mark.parametrize("script", ["on", "off"])
# Everything that a person sees of a page, with what stands in its fields.
SEEN = """() => {
    const fields = [...document.querySelectorAll('input:not([type]), textarea')];
    const body = document.body;
    return (body ? body.innerText : '') + fields.map(one => one.value).join('\\n');
}"""
CODE = re.compile(r"\d{4} \d{4} \d{4}")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with chromium_as_people_have_it(chromium) as browser:
        yield browser


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with served(Response("<title>x</title>Weather", mimetype="text/html")) as address:
        yield address.replace("localhost", "127.0.0.1") + "/"


@pytest.fixture
def visit(
    browser: Browser, rehearsal: Rehearsal, elsewhere: str, script: str
) -> Iterator[BrowserContext]:
    """A browser at the site, whose exit leads to a page of another site."""
    config = replace(rehearsal.config, leave_url=elsewhere)
    with served(replace(rehearsal, config=config).site()) as address:
        context = browser.new_context(base_url=address, java_script_enabled=script == "on")
        yield context
        # No cookie, and nothing else that a browser would keep for a site.
        assert context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
        context.close()


def leave(page: Page) -> None:
    page.click(".exit a, .exit button")
    page.wait_for_url("http://127.0.0.1:*/")


def back(page: Page) -> bool:
    """Press Back; False where the browser shows a page of its own: send the form again?"""
    # A page from memory is there at once and never "loads".
    try:
        page.go_back(wait_until="commit", timeout=5000)
    except Error as error:
        if "ERR_CACHE_MISS" not in error.message:
            raise
        return False
    finally:
        page.wait_for_timeout(100)
    return True


def seen(page: Page) -> str:
    """All that a person sees, with what stands in the fields."""
    return str(page.evaluate(SEEN))


def seen_with_back(page: Page) -> str:
    """Press Back down to the empty window, and yes where the browser asks to send again."""
    found = ""
    while page.url != "about:blank":
        if not back(page):
            send_again(page)
        found += seen(page)
    return found


def send_again(page: Page) -> None:
    """Say yes to the browser's question; its own page is there a moment after the error."""
    for _ in range(20):
        try:
            page.reload()
        except Error as error:
            if "active page" not in error.message:
                raise
            page.wait_for_timeout(100)
        else:
            return
    raise AssertionError("the browser's own page never came")


def begin(page: Page) -> None:
    page.goto("/en/")
    page.check('input[name=danger_now][value="no"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    page.wait_for_url("**/write")


def report(page: Page) -> str:
    """Fill the form and send it; return the code."""
    begin(page)
    for name, value in {**COMMON, **ANSWERS["fraud"]}.items():
        field = page.locator(f"[name={name}]").first
        if field.get_attribute("type") in {"radio", "checkbox"}:
            page.check(f'[name={name}][value="{value}"]')
        else:
            field.fill(str(value))
    page.click('button[name=action][value="send"]')
    return page.locator("#receipt-code").inner_text()


@WITH_AND_WITHOUT
def test_this_browser_brings_back_what_was_not_left(visit: BrowserContext) -> None:
    page = visit.new_page()
    page.goto("/en/")
    page.check('input[name=category][value="threats"]')
    page.click('footer a[href="/en/device"]')
    page.wait_for_url("**/device")
    assert back(page)
    # Nobody loses a choice by looking at another page; and this is what leaving has to undo.
    assert page.is_checked('input[name=category][value="threats"]')


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_a_choice_does_not_come_back_after_leaving(visit: BrowserContext) -> None:
    page = visit.new_page()
    page.goto("/en/")
    page.check('input[name=category][value="threats"]')
    leave(page)
    while page.url != "about:blank":
        back(page)
        chosen = page.locator('input[value="threats"]')
        assert not chosen.count() or not chosen.is_checked()


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_a_typed_code_does_not_come_back_after_leaving(visit: BrowserContext) -> None:
    page = visit.new_page()
    page.goto("/en/thread")
    page.fill("input[name=code]", "1234 5678")
    assert "1234 5678" in seen(page)
    leave(page)
    assert "1234" not in seen_with_back(page)


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_what_was_being_written_does_not_come_back_after_leaving(visit: BrowserContext) -> None:
    page = visit.new_page()
    begin(page)
    page.fill("textarea[name=description]", "He waits at the corner.")
    page.fill("input[name=amount]", "7654321")
    leave(page)
    found = seen_with_back(page)
    assert "He waits" not in found
    assert "7654321" not in found


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_neither_the_code_nor_the_report_comes_back_after_leaving(
    visit: BrowserContext,
) -> None:
    page = visit.new_page()
    code = report(page)
    assert CODE.search(code)
    assert code in seen(page)
    leave(page)
    found = seen_with_back(page)
    assert code not in found
    assert not CODE.search(found)
    assert str(COMMON["description"]) not in found
    # The form was sent once more on the way, and was known.
    assert "This report was received" in found


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_an_answer_does_not_come_back_after_leaving(
    visit: BrowserContext, rehearsal: Rehearsal
) -> None:
    code = code_of(Writer(rehearsal.site_client()).report())
    case = rehearsal.only_case()
    rehearsal.reply(case, rehearsal.report(case).reply_key, "Meet nobody.")
    page = visit.new_page()
    page.goto("/en/thread")
    page.fill("input[name=code]", code)
    page.click("main form button")
    page.wait_for_selector("p.words")
    assert "Meet nobody." in seen(page)
    leave(page)
    for _ in range(2):
        back(page)
        assert "Meet nobody." not in seen(page)
        assert code not in seen(page)


@pytest.mark.claim("C-LOST-ANSWER")
@WITH_AND_WITHOUT
def test_the_code_is_not_shown_again_once_its_last_digits_were_typed(visit: BrowserContext) -> None:
    page = visit.new_page()
    code = report(page)
    page.reload()
    assert code in seen(page)  # the answer might have been lost
    page.fill("input[name=last_four]", code[-4:])
    page.click("main form button")
    page.wait_for_url("**/confirm")
    assert code not in seen(page)
    page.reload()
    assert code not in seen(page)
    assert code not in seen_with_back(page)


@pytest.mark.claim("C-LOST-ANSWER")
@WITH_AND_WITHOUT
def test_the_code_is_not_shown_again_after_its_time(
    visit: BrowserContext, rehearsal: Rehearsal
) -> None:
    page = visit.new_page()
    code = report(page)
    cast("TestClock", rehearsal.clock).seconds += 15 * 60 - 30
    page.reload()
    assert code in seen(page)
    cast("TestClock", rehearsal.clock).seconds += 2 * 60
    page.reload()
    assert code not in seen(page)
    page.goto("/en/device")
    assert code not in seen_with_back(page)


@pytest.mark.parametrize("script", ["on"])
def test_shift_three_times_blanks_the_page_at_once_and_leaves(
    visit: BrowserContext, rehearsal: Rehearsal, elsewhere: str
) -> None:
    page = visit.new_page()
    code = report(page)
    assert page.locator(".keys").is_visible()
    for key in ("Shift", "Shift", "a", "Shift", "Shift", "A"):
        page.keyboard.press(key)
    assert page.url.endswith("/en/send")
    # A way out that never ends: the page is blank before it is left.
    page.evaluate("() => { HTMLFormElement.prototype.submit = () => { window.went = true; }; }")
    for _ in range(3):
        page.keyboard.press("Shift")
    assert page.evaluate("window.went")
    assert not page.locator("body").is_visible()
    page.reload()
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(elsewhere)
    assert code not in seen_with_back(page)
    assert rehearsal.stored()


@pytest.mark.parametrize("script", ["on"])
def test_with_a_script_the_page_that_is_left_is_no_longer_behind_back(
    visit: BrowserContext, elsewhere: str
) -> None:
    page = visit.new_page()
    page.goto("/en/device")
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(elsewhere)
    back(page)
    assert page.url == "about:blank"


@pytest.mark.parametrize("script", ["off"])
def test_without_a_script_nothing_is_said_of_keys(visit: BrowserContext) -> None:
    page = visit.new_page()
    page.goto("/fr/device")
    assert not page.locator(".keys").is_visible()


@pytest.mark.claim("C-LEAVE")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_the_way_out_asks_the_browser_to_forget_twice(client: FlaskClient, lang: str) -> None:
    receipt = Writer(client, lang).report()
    for first in (
        client.get(f"/{lang}/leave"),
        client.post(f"/{lang}/leave", data={"token": token_of(receipt)}),
    ):
        assert first.status_code == 200
        assert first.headers["Refresh"] == f"0; url=/{lang}/left"
        assert first.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert first.headers["Cache-Control"] == "no-store"
        # For whoever looks: the page has a link, and not a word of what it leaves.
        assert re.findall('href="([^"]+)"', first.text) == [f"/{lang}/left"]
    last = client.get(f"/{lang}/left")
    assert last.status_code == 303
    assert last.headers["Location"] == "https://www.wikipedia.org/"
    assert last.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


@pytest.mark.claim("C-NOCOOKIE")
def test_no_script_of_ours_keeps_anything_or_asks_anybody_else() -> None:
    scripts = {path.name: path.read_text("utf-8") for path in (HERE / "static").glob("*.js")}
    assert len(scripts["exit.js"].encode()) <= 1024
    for name, text in scripts.items():
        for word in (
            "cookie", "localStorage", "sessionStorage", "indexedDB", "caches", "serviceWorker",
            "http:", "https:", "import(", "eval(", "Function(",
        ):  # fmt: skip
            assert word not in text, (name, word)
    assert "fetch" not in scripts["exit.js"]
