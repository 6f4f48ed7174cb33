"""What somebody typed or sent stays there, or the page says truly that it does not."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from crypto.ids import Day, new_case_id
from crypto.receipt import ReceiptCode
from crypto.token import TokenKey
from gateway.errors import Busy, NoValidRoster
from gateway.intake import Intake
from gateway.site import files as site_files
from gateway.site.schema import FormSchema
from gateway.site.tokens import ThreadToken
from sanitizer.detect import Format
from sanitizer.errors import TooLarge
from tests.support.media import phone_photo
from tests.support.rehearsal import Rehearsal, TestClock
from tests.support.reporter import form_to
from tests.support.site import Writer, code_of, errors_of, kept_files, post_files, token_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


LONG = ("What took an hour to write. " * 20).strip()
PHOTO = phone_photo(b"CANARY-7f3a91", width=16, height=16)
NAME = "Somebody's name"


def box(page: TestResponse) -> str:
    """What the page's box holds."""
    found = re.search(r'<textarea id="i-kept"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def press(client: FlaskClient, page: TestResponse, ending: str, **typed: str) -> TestResponse:
    waits = form_to(page.text, ending)
    return client.post(waits.action, data={**dict(waits.values), **typed})


def outlast(rehearsal: Rehearsal) -> None:
    """Wait until the page is too old."""
    assert isinstance(rehearsal.clock, TestClock)
    rehearsal.clock.seconds += rehearsal.config.times.form_seconds


# Files.


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("where", ["report", "message"])
def test_a_file_that_another_tab_removed_takes_no_other_with_it(
    rehearsal: Rehearsal, writer: Writer, where: str
) -> None:
    both = (("a.jpg", PHOTO), ("b.jpg", PHOTO))
    if where == "report":
        page = writer.send(writer.begin(), changes={"action": "add"}, files=both)
    else:
        page = writer.say(writer.open(code_of(writer.report())), "", files=both, action="add")
    first = re.findall(r'name="drop" value="(\w+)"', page.text)[0]
    act = {"token": token_of(page), "action": "add", "drop": first}
    other = writer.client.post("/en/send" if where == "report" else "/en/message", data=act)
    assert kept_files(other) == ["photo-2.jpg"]
    sent = writer.send(page) if where == "report" else writer.say(page, LONG)
    assert sent.status_code == 422
    assert kept_files(sent) == ["photo-2.jpg"]
    assert "Some of the files" in sent.text
    again = writer.send(sent) if where == "report" else writer.say(sent, LONG)
    assert again.status_code == 200
    assert len(rehearsal.evidence(rehearsal.only_case())) == 1


@pytest.mark.claim("C-TYPED")
def test_a_form_past_its_time_keeps_the_files_that_are_still_there(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    page = writer.send(writer.begin("yes"), changes={"action": "add"}, files=(("a", PHOTO),))
    outlast(rehearsal)
    old = writer.send(page, changes={"description": LONG}, files=(("b", PHOTO),))
    assert old.status_code == 422
    assert kept_files(old) == ["photo-1.jpg", "photo-2.jpg"]
    assert "and so are the files" in old.text
    assert LONG in old.text
    sent = writer.send(old, changes={"description": LONG})
    assert code_of(sent)
    assert rehearsal.report(rehearsal.only_case()).fields["danger_now"] == "yes"
    assert len(rehearsal.evidence(rehearsal.only_case())) == 2


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("code", ["the same", "another"])
def test_a_conversation_past_its_time_finds_its_files_again_by_its_code(
    rehearsal: Rehearsal, writer: Writer, code: str
) -> None:
    mine, others = (code_of(writer.report()) for _ in range(2))
    page = writer.say(writer.open(mine), LONG, action="add", files=(("a", PHOTO),))
    outlast(rehearsal)
    old = writer.say(page, LONG)
    assert "open for too long" in old.text
    wrong = press(writer.client, old, "/thread", code="12 34", text=LONG)
    assert LONG in wrong.text
    opened = press(writer.client, wrong, "/thread", code=mine if code == "the same" else others)
    assert opened.status_code == 200
    assert kept_files(opened) == (["photo-1.jpg"] if code == "the same" else [])


@pytest.mark.claim("C-TYPED")
def test_a_file_that_comes_with_a_message_past_its_time_waits_for_the_code(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    code = code_of(writer.report())
    page = writer.say(writer.open(code), LONG, action="add", files=(("a", PHOTO),))
    outlast(rehearsal)
    old = writer.say(page, LONG, files=(("b", PHOTO),))
    assert "your files are kept" in old.text
    opened = press(writer.client, old, "/thread", code=code, text=LONG)
    assert kept_files(opened) == ["photo-1.jpg", "photo-2.jpg"]
    assert writer.say(opened, LONG).status_code == 200
    assert len(rehearsal.evidence(rehearsal.only_case())) == 2


@pytest.mark.claim("C-TYPED")
def test_a_page_past_its_time_says_which_file_is_not_kept(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    code = code_of(writer.report())
    page = writer.open(code)
    outlast(rehearsal)
    files = (("good.jpg", PHOTO), ("bad.exe", b"MZ\x90\x00" * 100))
    old = writer.say(page, LONG, files=files)
    assert "Add your files once more" in old.text
    assert "bad.exe" in old.text
    assert "#f-evidence" not in old.text
    opened = press(writer.client, old, "/thread", code=code, text=LONG)
    assert kept_files(opened) == ["photo-1.jpg"]


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("why", [Busy, NoValidRoster], ids=["busy", "closed"])
def test_a_file_that_cannot_be_kept_past_the_pages_time_is_asked_for_again(
    rehearsal: Rehearsal, writer: Writer, monkeypatch: pytest.MonkeyPatch, why: type[Exception]
) -> None:
    page = writer.open(code_of(writer.report()))
    outlast(rehearsal)
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "keys_of", mock.Mock(side_effect=why))
        old = writer.say(page, LONG, files=(("a", PHOTO),))
    assert "Add your files once more" in old.text
    assert LONG in old.text


@pytest.mark.claim("C-CHILD")
def test_no_file_about_a_child_is_kept_past_the_pages_time_either(
    rehearsal: Rehearsal, client: FlaskClient
) -> None:
    writer = Writer(client, "en", "csam")
    code = code_of(writer.report())
    page = writer.open(code)
    outlast(rehearsal)
    old = writer.say(page, LONG, files=(("a", PHOTO),))
    assert "under 18, so no file" in old.text
    opened = press(client, old, "/thread", code=code, text=LONG)
    assert kept_files(opened) == []
    assert not [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]


@pytest.mark.claim("C-TYPED")
def test_a_form_that_was_open_for_a_week_gives_its_text_back(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = rehearsal.clock.today()
    monkeypatch.setattr(type(rehearsal.clock), "today", lambda _: day)
    writer = Writer(rehearsal.site_client())
    page, asked = writer.begin(), writer.open(code_of(writer.report()))
    waits = form_to(page.text, "/send").values, form_to(asked.text, "/message").values
    day = Day(day + 8)
    assert isinstance(rehearsal.clock, TestClock)
    rehearsal.clock.seconds += 8 * 86_400
    for path, values in zip(("send", "message"), waits, strict=True):
        typed = {"description": LONG} if path == "send" else {"text": LONG}
        old = writer.client.post(f"/en/{path}", data={**dict(values), **typed})
        assert old.status_code == 422
        assert LONG in old.text


# Words.


@pytest.mark.claim("C-TYPED")
def test_the_words_of_a_question_that_went_away_are_in_a_box(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    page = writer.send(writer.begin(), changes={"gone_question": LONG, "gone-0-part": "A part."})
    assert page.status_code == 422
    assert box(page).splitlines() == [LONG, "A part."]
    again = writer.send(page, changes={"kept": box(page), "description": None})
    assert box(again).splitlines() == [LONG, "A part."]
    assert code_of(writer.send(again, changes={"kept": box(again)}))
    assert "A part." not in str(rehearsal.report(rehearsal.only_case()).fields)


@pytest.mark.claim("C-TYPED")
def test_the_words_of_a_kind_of_report_that_went_away_are_in_a_box(
    rehearsal: Rehearsal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = writer.send(writer.begin("yes"), changes={"action": "add"}, files=(("a", PHOTO),))
    real = FormSchema.category
    with monkeypatch.context() as patch:
        patch.setattr(FormSchema, "category", lambda *_: None)
        start = writer.send(page, changes={"description": LONG})
    assert start.status_code == 422
    assert LONG.strip() in box(start)
    assert "are no longer there" in start.text
    assert rehearsal.stored() == ()
    assert real is FormSchema.category
    # Chosen anew, through the page of danger, the words come along.
    danger = press(
        writer.client, start, "/write", category="threats", danger_now="yes", kept=box(start)
    )
    form = press(writer.client, danger, "/write")
    assert LONG.strip() in box(form)


@pytest.mark.claim("C-TYPED")
def test_a_form_of_an_earlier_key_does_not_say_that_nobody_is_in_danger(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    page = writer.send("no token", changes={"description": LONG})
    assert page.status_code == 422
    assert LONG in page.text
    assert code_of(writer.send(page))
    assert rehearsal.report(rehearsal.only_case()).fields["danger_now"] == "unsure"


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("token", ["old", "bad"])
def test_a_name_on_a_page_past_its_time_comes_back(
    rehearsal: Rehearsal, writer: Writer, token: str
) -> None:
    code = code_of(writer.report())
    asked = writer.say(writer.open(code), "A draft.", action="name")
    given = {
        "token": token_of(asked) if token == "old" else "bad",
        "action": "identity",
        "text": "A draft.",
        "identity_mode": "full_identity",
        "identity-name": NAME,
    }
    outlast(rehearsal)
    page = writer.client.post("/en/message", data=given)
    assert html.escape(NAME).replace("&#x27;", "&#39;") in page.text
    opened = press(writer.client, page, "/thread", code=code)
    assert opened.status_code == 200
    values = dict(form_to(opened.text, "/message").values)
    assert values["identity-name"] == NAME
    named = writer.client.post("/en/message", data={**values, "action": "name"})
    assert dict(form_to(named.text, "/message").values)["identity-name"] == NAME


# A second time, with other words.


@pytest.mark.claim("C-TYPED")
def test_other_words_in_a_second_sending_are_added_with_one_button(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.begin()
    writer.send(form)
    changes = {"description": LONG, "identity_mode": "full_identity", "identity-name": NAME}
    money = {"money_lost": "yes", "amount": "500", "amount-currency": "EUR"}
    again = writer.send(form, changes={**changes, **money})
    assert "had arrived already" in again.text
    assert LONG.strip() in again.text
    assert "name" not in str(form_to(again.text, "/message").values)
    text = second(again)
    assert NAME not in text
    # Nobody typed the currency: it stands in a list.
    assert "500" in text
    assert "EUR" not in text
    talk = press(writer.client, again, "/message", text=text)
    assert talk.status_code == 200
    assert LONG.strip() in talk.text
    assert writer.say(talk, text).status_code == 200
    (message,) = rehearsal.follow_ups(rehearsal.only_case())
    assert LONG.strip() in message.text


def second(page: TestResponse) -> str:
    found = re.search(r'<textarea id="i-text"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert found, errors_of(page)
    return html.unescape(found[1])


@pytest.mark.claim("C-TYPED")
def test_other_words_are_there_also_after_the_code_was_confirmed(writer: Writer) -> None:
    form = writer.begin()
    receipt = writer.send(form)
    code = code_of(receipt)
    last = code.replace(" ", "")[-4:]
    writer.client.post("/en/confirm", data={"token": token_of(receipt), "last_four": last})
    again = writer.send(form, changes={"description": LONG})
    assert "receipt-code" not in again.text
    text = second(again)
    opened = press(writer.client, again, "/thread", code=code, text=text)
    assert LONG.strip() in opened.text
    start = writer.client.post("/en/write", data={"kept": text})
    assert start.status_code == 200
    assert LONG.strip() in box(start)
    assert not errors_of(start)


# Limits.


@pytest.mark.parametrize("kind", [Format.TEXT, Format.PDF], ids=["text", "pdf"])
def test_the_limit_of_a_kind_is_told_before_and_in_the_refusal(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, kind: Format
) -> None:
    form = writer.begin()
    hint = re.sub("<[^>]*>", "", form.text)
    assert "A text may have 8 MB at most, a PDF 128 MB." in hint
    assert "&#34;text/plain&#34;: [8388608, &#34;" in form.text
    assert "&#34;application/pdf&#34;: [134217728, &#34;" in form.text
    monkeypatch.setitem(site_files.BY_KIND, kind, 10)
    monkeypatch.setattr(site_files, "sanitize", refuse)
    content = b"words that are many\n" if kind is Format.TEXT else b"%PDF-1.7\n" + bytes(64)
    page = writer.send(form, files=(("a", content),))
    (said,) = [one for one in errors_of(page) if one.startswith("a")]
    assert f"The most is {8 if kind is Format.TEXT else 128} MB" in said
    photo = writer.send(form, files=(("a", PHOTO),))
    assert "The most is 2 GB" in str(errors_of(photo))


def refuse(*_: object) -> None:
    raise TooLarge


@pytest.mark.claim("C-TYPED")
def test_files_that_belong_to_no_case_any_more_do_not_stand_in_the_way_for_ever(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    code = code_of(writer.report())
    key, now = TokenKey(rehearsal.secrets.token_key), rehearsal.clock.now()
    token = ThreadToken.new(case=new_case_id(), code=ReceiptCode.parse(code), now=now).seal(key)
    data = {"token": token, "text": LONG, "action": "send"}
    page = post_files(writer.client, "/en/message", data, (("a", PHOTO),))
    assert page.status_code == 422
    assert kept_files(page) == []
    assert "are no longer there" in page.text
    assert writer.say(page, LONG).status_code == 200
