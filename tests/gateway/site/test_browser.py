"""The pages in a real browser: what is seen, what Enter does, in which order numbers stand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from tests.support.browser import LEFT_TO_RIGHT
from tests.support.site import ANSWERS, COMMON, Writer, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.rehearsal import Rehearsal

# Inputs that a person sees but whose words she does not: a label or a legend counts when it has a
# size and is not clipped; where a fold hides its question's legend, the fold says the same.
WORDLESS = """() => {
    const seen = one => {
        const box = one.getBoundingClientRect();
        return box.width > 2 && box.height > 2 && getComputedStyle(one).clipPath === 'none';
    };
    const legend = one => {
        const asked = one.closest('fieldset');
        if (!asked) return null;
        const fold = asked.parentElement;
        return (fold.tagName === 'DETAILS' ? fold : asked).querySelector('summary, legend');
    };
    const inputs = 'input:not([type=hidden], [type=radio], [type=checkbox]), select, textarea';
    return [...document.querySelectorAll(inputs)].filter(seen).filter(one => {
        const words = one.labels.length ? one.labels[0] : legend(one);
        return !words || !seen(words) || !words.innerText.trim();
    }).map(one => one.name);
}"""
OUTSIDE_LANDMARKS = """() => {
    const landmarks = 'main, header, footer, nav, aside, [role=alert], .skip';
    return [...document.querySelectorAll('body a, body button, body p, body h1')]
        .filter(one => !one.closest(landmarks)).map(one => one.outerHTML);
}"""


@pytest.fixture
def page(browser: Browser, rehearsal: Rehearsal) -> Iterator[Page]:
    """A narrow window at a running site, without a script of the page's own."""
    server = make_server("127.0.0.1", 0, rehearsal.site(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, base_url=f"http://127.0.0.1:{server.port}"
    )
    yield context.new_page()
    context.close()
    server.shutdown()
    thread.join()


def begin(page: Page, lang: str, category: str) -> None:
    page.goto(f"/{lang}/")
    page.check('input[name=danger_now][value="no"]')
    page.check(f'input[name=category][value="{category}"]')
    page.click("main form button")
    page.wait_for_url("**/write")


@pytest.mark.parametrize("category", sorted(ANSWERS))
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr"])
def test_every_input_that_is_seen_has_words_that_are_seen(
    page: Page, lang: str, category: str
) -> None:
    begin(page, lang, category)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.locator("input[name=suspect-phones]").is_visible()
    assert page.evaluate(WORDLESS) == []
    assert page.evaluate(OUTSIDE_LANDMARKS) == []
    # Positive control: the rule that once hid these legends.
    page.evaluate(
        "document.querySelectorAll('details legend').forEach(one => {"
        " one.style.clipPath = 'inset(50%)'; })"
    )
    assert page.evaluate(WORDLESS) == ["suspect-phones", "suspect-emails"]


def test_enter_in_a_line_sends_nothing_and_moves_nothing(page: Page, rehearsal: Rehearsal) -> None:
    begin(page, "en", "fraud")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.fill("input[name=place-city]", "Fes")
    for name in ("urls", "amount", "place-city"):
        page.focus(f"input[name={name}]")
        before = page.evaluate("scrollY")
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        assert requests == []
        assert page.evaluate("scrollY") == before
    assert page.input_value("input[name=place-city]") == "Fes"
    # Positive control: without the button that stands in the way, Enter posts the form.
    page.evaluate("document.querySelector('main form > button[disabled]').remove()")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert requests[0].endswith("/en/send")
    assert rehearsal.stored() == ()


def test_enter_opens_a_conversation_where_a_code_was_typed(
    page: Page, rehearsal: Rehearsal
) -> None:
    code = code_of(Writer(rehearsal.site_client()).report())
    page.goto("/fr/thread")
    page.fill("input[name=code]", code)
    page.press("input[name=code]", "Enter")
    page.wait_for_selector("textarea[name=text]")


def test_a_whole_code_is_seen_in_its_field_and_comes_back_in_groups(page: Page) -> None:
    page.goto("/ar/thread")
    page.fill("input[name=code]", "1" * 28)
    page.keyboard.press("Enter")
    page.wait_for_selector(".error")
    field = page.locator("input[name=code]")
    assert field.input_value() == " ".join(["1111"] * 7)
    assert field.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_one_more_line_brings_the_page_back_to_that_line(page: Page) -> None:
    begin(page, "ar", "threats")
    page.fill("textarea[name=description]", str(COMMON["description"]))
    page.click('button[name=more][value="accounts"]')
    line = page.locator("[name=accounts-1-platform]")
    line.wait_for()
    assert line.evaluate("one => one === document.activeElement")
    assert line.evaluate("one => one.getBoundingClientRect().top < innerHeight")
    assert page.input_value("textarea[name=description]") == COMMON["description"]


def test_a_telephone_number_in_an_arabic_answer_is_read_from_left_to_right(
    page: Page, rehearsal: Rehearsal
) -> None:
    number, hours = "+212 6 12 34 56 78", "9 - 12"
    code = code_of(Writer(rehearsal.site_client(), "ar").report())
    case = rehearsal.only_case()
    rehearsal.reply(case, rehearsal.report(case).reply_key, f"رقمنا {number} من {hours} غدا")
    page.goto("/ar/thread")
    page.fill("input[name=code]", code)
    page.click('form[action$="/thread"] button')
    page.wait_for_selector("p.words")
    words = page.locator("p.words")
    seen = words.evaluate(LEFT_TO_RIGHT)
    assert number in seen
    assert hours in seen
    # Positive control: without its isolation the number turns round.
    words.evaluate("one => { one.textContent = one.textContent; }")
    seen = words.evaluate(LEFT_TO_RIGHT)
    assert number not in seen
    assert hours not in seen
