"""Leaving without a trace, in a browser that keeps whole pages in memory for its Back button.

What is not defended is shown first: without leaving, this browser does bring such a page back.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Error
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, TooManyRequests
from werkzeug.wrappers import Response

from gateway.errors import Busy
from gateway.site.app import HERE
from tests.support.browser import chromium_as_people_have_it, served
from tests.support.site import ANSWERS, COMMON, Writer, code_of, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Request
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

    from tests.support.rehearsal import Rehearsal, TestClock

WITH_AND_WITHOUT = pytest.mark.parametrize("script", ["on", "off"])
# Everything that a person sees of a page, with what stands in its fields.
SEEN = """() => {
    const fields = [...document.querySelectorAll('input:not([type]), textarea')];
    const body = document.body;
    return (body ? body.innerText : '') + fields.map(one => one.value).join('\\n');
}"""
OVER = "This page is over"
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
        page.go_back(wait_until="commit")
    except Error as error:
        if "ERR_CACHE_MISS" not in error.message:
            raise
        return False
    finally:
        page.wait_for_timeout(100)
    return True


def seen(page: Page) -> str:
    """All that a person sees, with what stands in the fields."""
    for _ in range(20):
        try:
            return str(page.evaluate(SEEN))
        except Error as error:
            # Back at the empty page of the way out, which goes on by itself.
            if "context was destroyed" not in error.message:
                raise
            page.wait_for_timeout(100)
    raise AssertionError("the page never stood still")


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


def questions(page: Page) -> list[str]:
    """What the browser asks from now on; the answer is always yes."""
    asked: list[str] = []

    def answer(question: Dialog) -> None:
        asked.append(question.type)
        question.accept()

    page.on("dialog", answer)
    return asked


def begin(page: Page) -> None:
    page.goto("/en/")
    page.check('input[name=danger_now][value="no"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    page.wait_for_url("**/write")


def report(page: Page) -> str:
    """Fill the form and send it; return the code."""
    write(page)
    return page.locator("#receipt-code").inner_text()


def write(page: Page) -> None:
    """Fill the form and send it."""
    begin(page)
    for name, value in {**COMMON, **ANSWERS["fraud"]}.items():
        field = page.locator(f"[name={name}]").first
        if field.get_attribute("type") in {"radio", "checkbox"}:
            page.check(f'[name={name}][value="{value}"]')
        else:
            field.fill(str(value))
    page.click('button[name=action][value="send"]')


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
    # The form was sent once more on the way, and nothing was said of it.
    assert OVER in found
    assert "received" not in found


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
    found = seen_with_back(page)
    assert "Meet nobody." not in found
    assert code not in found
    assert OVER in found


def conversation(page: Page, rehearsal: Rehearsal) -> str:
    """Open a conversation that has an answer; return its code."""
    code = code_of(Writer(rehearsal.site_client()).report())
    case = rehearsal.only_case()
    rehearsal.reply(case, rehearsal.report(case).reply_key, "Meet nobody.")
    page.goto("/en/thread")
    page.fill("input[name=code]", code)
    page.click("main form button")
    page.wait_for_selector("p.words")
    return code


def after_one_message(page: Page, rehearsal: Rehearsal) -> None:
    conversation(page, rehearsal)
    page.fill("textarea[name=text]", "He waits at the corner.")
    page.click('button[name=action][value="send"]')
    page.get_by_role("status").filter(has_text="was sent").or_(
        page.locator("p.card[role=status]")
    ).first.wait_for()


def at_the_page_for_a_name(page: Page, rehearsal: Rehearsal) -> None:
    conversation(page, rehearsal)
    page.fill("textarea[name=text]", "He waits at the corner.")
    page.locator("summary", has_text="name").first.click()
    page.click('button[name=action][value="name"]')
    page.locator("button[value=identity]").wait_for()


def at_a_mistyped_code(page: Page, rehearsal: Rehearsal) -> None:
    code = conversation(page, rehearsal)
    page.goto("/en/thread")
    page.fill("input[name=code]", code[:-2])
    page.click("main form button")
    page.get_by_role("alert").wait_for()


def at_a_form_that_came_back(page: Page, _: Rehearsal) -> None:
    begin(page)
    page.fill("textarea[name=description]", "He waits at the corner.")
    page.click('button[name=action][value="send"]')
    page.wait_for_url("**/send")


def at_a_chosen_category(page: Page, _: Rehearsal) -> None:
    begin(page)


def at_the_numbers(page: Page, _: Rehearsal) -> None:
    page.goto("/en/")
    page.check('input[name=danger_now][value="yes"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    page.wait_for_url("**/write")


def at_a_confirmed_code(page: Page, _: Rehearsal) -> None:
    code = report(page)
    page.fill("input[name=last_four]", code[-4:])
    page.click("main form button")
    page.wait_for_url("**/confirm")


def behind_the_receipt(*ways: str) -> Callable[[Page, Rehearsal], None]:
    def go(page: Page, _: Rehearsal) -> None:
        report(page)
        for way in ways:
            page.click(f'[formaction="{way}"]')
            page.wait_for_url(f"**{way}")

    return go


PLACES = {
    "conversation": conversation,
    "message": after_one_message,
    "name": at_the_page_for_a_name,
    "mistyped": at_a_mistyped_code,
    "form": at_a_form_that_came_back,
    "category": at_a_chosen_category,
    "danger": at_the_numbers,
    "confirmed": at_a_confirmed_code,
    "device": behind_the_receipt("/en/device"),
    "about": behind_the_receipt("/en/about"),
    "data": behind_the_receipt("/en/data"),
    "thread": behind_the_receipt("/en/thread"),
    "first": behind_the_receipt("/en/"),
    "languages": behind_the_receipt("/", "/fr/", "/fr/device", "/"),
}
SECRETS = re.compile(
    rf"Meet nobody|corner|{re.escape(str(COMMON['description']))}|{CODE.pattern}"
    "|What happened|Help lines|What you wrote"
)


@pytest.mark.claim("C-LEAVE")
@pytest.mark.parametrize("place", PLACES)
@WITH_AND_WITHOUT
def test_no_page_comes_back_after_leaving_though_everything_is_sent_again(
    visit: BrowserContext, rehearsal: Rehearsal, place: str
) -> None:
    page = visit.new_page()
    PLACES[place](page, rehearsal)
    leave(page)
    found = seen_with_back(page)
    assert not SECRETS.search(found), SECRETS.findall(found)
    assert OVER in found


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_what_was_sent_can_be_seen_again_until_it_is_left(
    visit: BrowserContext, rehearsal: Rehearsal
) -> None:
    """That the walks above find nothing means something: without leaving, they find it."""
    page = visit.new_page()
    code = conversation(page, rehearsal)
    page.goto("/en/device")
    found = seen_with_back(page)
    assert "Meet nobody." in found
    assert code not in found
    assert OVER not in found


@pytest.mark.claim("C-LEAVE")
@WITH_AND_WITHOUT
def test_leaving_from_a_page_that_opened_beside_a_form_ends_the_form_too(
    visit: BrowserContext,
) -> None:
    page = visit.new_page()
    begin(page)
    page.fill("textarea[name=description]", "He waits at the corner.")
    with visit.expect_page() as opened:
        page.click('aside [formaction="/en/device"]')
    beside = opened.value
    beside.wait_for_url("**/device")
    assert "open in another tab" in seen(beside)
    assert "He waits at the corner." in seen(page)
    beside.click('footer [formaction="/en/about"]')
    beside.wait_for_url("**/about")
    assert "open in another tab" in seen(beside)
    leave(beside)
    page.click('button[name=action][value="send"]')
    page.wait_for_url("**/send")
    assert OVER in seen(page)
    assert "corner" not in seen_with_back(page)


@pytest.mark.claim("C-TYPED")
@WITH_AND_WITHOUT
def test_another_page_takes_nothing_from_what_is_being_written(visit: BrowserContext) -> None:
    page = visit.new_page()
    begin(page)
    page.fill("textarea[name=description]", "He waits at the corner.")
    for way in ("/en/device", "/en/about", "/en/data", "/en/thread", "/en/", "/"):
        with visit.expect_page() as opened:
            page.click(f'footer [formaction="{way}"]')
        opened.value.wait_for_load_state()
        assert opened.value.evaluate("window.opener") is None
        opened.value.close()
    assert page.input_value("textarea[name=description]") == "He waits at the corner."


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("script", ["on"])
@pytest.mark.parametrize(
    "error",
    [BadRequest(), TooManyRequests(), RuntimeError(), Busy(), RequestEntityTooLarge()],
    ids=["400", "429", "500", "503", "413"],
)
def test_what_the_page_of_an_error_advises_brings_the_text_home(
    visit: BrowserContext,
    rehearsal: Rehearsal,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    left = [error]

    def refuse_once(request: Request) -> None:
        if left and request.path == "/en/send":
            raise left.pop()

    monkeypatch.setattr("gateway.site.app.guard_post", refuse_once)
    page = visit.new_page()
    write(page)
    page.wait_for_url("**/send")
    advised = "reload it, and say yes" in seen(page)
    assert advised == (not isinstance(error, RequestEntityTooLarge))
    if advised:
        page.reload()
        assert CODE.search(page.locator("#receipt-code").inner_text())
        fields = rehearsal.report(rehearsal.only_case()).fields
        assert fields["description"] == COMMON["description"]
    else:
        assert "cannot be shown again" in seen(page)
    # And Back, which it warns of, does lose it.
    if not back(page):
        send_again(page)
    assert page.input_value("textarea[name=description]") == ""


@pytest.mark.parametrize("script", ["on"])
def test_what_was_typed_is_not_lost_without_a_question_and_whoever_leaves_is_asked_none(
    visit: BrowserContext,
) -> None:
    page = visit.new_page()
    asked = questions(page)
    begin(page)
    page.click("h1")
    page.goto("/en/device")
    assert not asked
    begin(page)
    page.locator("textarea[name=description]").press_sequentially("He")
    page.goto("/en/device")
    assert asked == ["beforeunload"]
    begin(page)
    page.locator("textarea[name=description]").press_sequentially("He")
    page.click('button[name=action][value="send"]')
    page.wait_for_url("**/send")
    # What came back with the page is typed text as well.
    page.click("h1")
    page.goto("/en/device")
    assert asked == ["beforeunload"] * 2
    begin(page)
    page.locator("textarea[name=description]").press_sequentially("He")
    leave(page)
    begin(page)
    page.locator("textarea[name=description]").press_sequentially("He")
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url("http://127.0.0.1:*/")
    assert asked == ["beforeunload"] * 2


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("script", ["on"])
def test_whoever_calls_for_help_is_asked_nothing_and_keeps_what_was_typed(
    visit: BrowserContext,
) -> None:
    page = visit.new_page()
    asked = questions(page)
    page.goto("/en/")
    page.check('input[name=danger_now][value="yes"]')
    page.check('input[name=category][value="threats"]')
    page.click("main form button")
    page.locator("main form button").last.click()
    page.locator("textarea[name=description]").press_sequentially("He")
    calls = page.locator('main a[href^="tel:"]')
    assert calls.count()
    for call in calls.all()[:3]:
        call.click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert not asked
    assert page.input_value("textarea[name=description]") == "He"
    # And a moment after a call whoever goes elsewhere is asked as ever.
    page.wait_for_timeout(600)
    page.goto("/en/device")
    assert asked == ["beforeunload"]


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
    page.locator(".keys").wait_for()
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
def test_nothing_is_left_ahead_of_a_page_that_was_left(
    visit: BrowserContext, elsewhere: str
) -> None:
    """Back from a form, then out: Forward does not bring the form."""
    page = visit.new_page()
    begin(page)
    back(page)
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(elsewhere)
    page.go_forward()
    assert page.url == elsewhere
    assert "fraud" not in seen_with_back(page).split("What is it about")[0]


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
    assert len(scripts["exit.js"].encode()) <= 1536
    for name, text in scripts.items():
        for word in (
            "cookie", "localStorage", "sessionStorage", "indexedDB", "caches", "serviceWorker",
            "http:", "https:", "import(", "eval(", "Function(",
        ):  # fmt: skip
            assert word not in text, (name, word)
    assert "fetch" not in scripts["exit.js"]
