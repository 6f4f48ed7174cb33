"""Codes, numbers and addresses on Arabic pages, measured glyph by glyph in Chromium.

What is written from left to right stands so between Arabic words and in the fields that give it
back: the box of each character is asked where it is, on every page there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browser import show
from tests.support.pages import every_page
from tests.support.site import Writer, code_of, kept_files, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Page
    from werkzeug.test import TestResponse

    from tests.support.rehearsal import Rehearsal

PHONE, IBAN = "+212 6 12 34 56 78", "MA64 0117 8000 0012 3456 7890 1234"
RIB, URL = "230 780 1234567890123456 78", "https://example.org/2026/11/?a=1-2&b=/"
LINK = "t.example/+a_1-2/"
# What the person typed, by field; the amount is the mistake that brings the form back.
TYPED = {
    "urls": URL,
    "accounts-0-handle": "@some-body_1",
    "accounts-0-profile_url": LINK,
    "accounts-0-numeric_id": "100 023 4567-8",
    "suspect-phones": PHONE,
    "suspect-emails": "a.b-c@example.org",
    "payments-0-rib_or_iban": RIB,
    "payments-0-mtcn_or_ref": "12-34/56",
    "payments-0-wallet_phone": "06 12 34 56 78",
    "payments-0-date": "2026-11",
    "identity-phone": PHONE,
    "identity-email": "x@example.org",
}
# Each run of what is written from left to right, and its characters by where they are seen.
# A field's text has no boxes of its own: it is measured in a copy with the field's direction.
SEEN = """() => {
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    const runs = /[+@#A-Za-z0-9٠-٩](?:[!-~٠-٩× ]*[A-Za-z0-9٠-٩\\/=_&+%#@~-])?/g;
    const found = [];
    const measure = (node, name) => {
        for (const run of node.data.matchAll(runs)) {
            const boxes = [];
            for (let at = run.index; at < run.index + run[0].length; at++) {
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + 1);
                const box = [...range.getClientRects()].find(one => one.width > 0);
                if (box) boxes.push([box.top, box.left, node.data[at]]);
            }
            const line = (a, b) => Math.abs(a[0] - b[0]) < 8 ? 0 : a[0] - b[0];
            const lines = boxes.slice().sort((a, b) => line(a, b) || a[1] - b[1]);
            const text = list => list.map(one => one[2]).join('').replace(/ /g, '');
            if (boxes.length > 1) found.push([name, text(boxes), text(lines)]);
        }
    };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walk.nextNode()) {
        if (!walk.currentNode.parentElement.closest('script, style, textarea, option, template'))
            texts.push(walk.currentNode);
    }
    texts.forEach(one => measure(one, ''));
    const typed = 'input:not([type=hidden], [type=radio], [type=checkbox], [type=file]), textarea';
    for (const one of document.querySelectorAll(typed)) {
        if (!one.value) continue;
        const copy = document.createElement('p');
        const style = getComputedStyle(one);
        copy.style.direction = style.direction;
        copy.style.unicodeBidi = style.unicodeBidi === 'plaintext' ? 'plaintext' : 'isolate';
        copy.style.whiteSpace = 'pre';
        copy.textContent = one.value;
        document.body.append(copy);
        measure(copy.firstChild, one.name);
        copy.remove();
    }
    return found;
}"""
WITHOUT_ISOLATION = """() => {
    document.querySelectorAll('bdi').forEach(one => one.replaceWith(one.textContent));
    document.querySelectorAll('[dir]:not(html)').forEach(one => one.removeAttribute('dir'));
    document.body.normalize();
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, base_url="http://localhost"
    )
    yield context.new_page()
    context.close()


def look(page: Page, answers: Mapping[str, TestResponse], rehearsal: Rehearsal) -> Iterator[str]:
    """Open one page after the other; give the name of the one that is open."""
    style = rehearsal.site_client().get("/style.css").data
    found: dict[str, TestResponse | bytes] = {"/style.css": style}
    found |= {f"/{number}": answer for number, answer in enumerate(answers.values())}
    show(page.context, found)
    for number, name in enumerate(answers):
        page.goto(f"/{number}")
        yield name


def turned(page: Page) -> list[list[str]]:
    """The runs of the open page that are not seen in the order in which they are written."""
    return [one for one in page.evaluate(SEEN) if one[1] != one[2]]


def test_no_number_and_no_address_turns_round_on_any_arabic_page(
    page: Page, rehearsal: Rehearsal
) -> None:
    answers = {name: one for name, one in every_page(rehearsal, "ar").items() if one.data}
    numbers = set()
    for name in look(page, answers, rehearsal):
        assert turned(page) == [], name
        numbers |= {one[1] for one in page.evaluate(SEEN)}
    assert {"177", "2511", code_of(answers["receipt"]).replace(" ", "")} <= numbers
    # Of an operator's answer.
    assert "0612345678" in numbers


def test_what_a_person_typed_comes_back_from_left_to_right(
    page: Page, rehearsal: Rehearsal
) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    files = (("صورة ١.txt", b"What she wrote."), ("b.txt", b"And this."))
    answer = writer.send(
        writer.begin(),
        changes={**TYPED, "identity_mode": "contact_only", "amount": "x"},
        files=files,
    )
    assert answer.status_code == 422
    (name,) = look(page, {"form": answer}, rehearsal)
    del name
    page.goto("/0")
    seen = page.evaluate(SEEN)
    assert [one for one in seen if one[1] != one[2]] == []
    back = {(one[0], one[1]) for one in seen}
    assert {(key, text.replace(" ", "")) for key, text in TYPED.items()} <= back
    assert len(kept_files(answer)) == len(files)
    assert {("", one) for one in kept_files(answer)} <= back
    # Positive control: the same page without its isolation and its directions.
    page.evaluate(WITHOUT_ISOLATION)
    wrong = {one[0] for one in turned(page)}
    assert {"urls", "accounts-0-profile_url", "suspect-phones", "payments-0-rib_or_iban"} <= wrong


def test_what_an_operator_writes_keeps_its_order_between_arabic_words(
    page: Page, rehearsal: Rehearsal
) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    code = code_of(writer.report())
    case = rehearsal.only_case()
    text = f"اتصل بالرقم {PHONE} غدا، أو حول إلى {IBAN} من الحساب {RIB}، أو افتح {URL} الآن"
    rehearsal.reply(case, rehearsal.report(case).reply_key, text)
    (_,) = look(page, {"talk": writer.open(code)}, rehearsal)
    page.goto("/0")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert turned(page) == []
    seen = {one[1] for one in page.evaluate(SEEN)}
    assert {PHONE.replace(" ", ""), IBAN.replace(" ", ""), RIB.replace(" ", ""), URL} <= seen
    page.evaluate(WITHOUT_ISOLATION)
    wrong = {one[1] for one in turned(page)}
    assert {PHONE.replace(" ", ""), RIB.replace(" ", "")} <= wrong


def test_the_code_of_a_receipt_is_seen_as_it_is_written(page: Page, rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    receipt = writer.report()
    code = code_of(receipt).replace(" ", "")
    token = {"token": token_of(receipt), "last_four": "12-34"}
    wrong = writer.client.post("/ar/confirm", data=token)
    asked = writer.open(code_of(receipt)[:-5])
    for name in look(page, {"receipt": receipt, "wrong": wrong, "asked": asked}, rehearsal):
        assert turned(page) == [], name
        seen = {one[1] for one in page.evaluate(SEEN)}
        assert (code[:-4] if name == "asked" else code) in seen
    page.goto("/0")
    page.evaluate(WITHOUT_ISOLATION)
    assert code in {one[1] for one in turned(page)}
