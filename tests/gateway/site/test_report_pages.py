"""A report, from the first page to the receipt; and every way in which it can go wrong."""

from __future__ import annotations

import html
import io
import re
import threading
import time
import zlib
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from gateway.errors import Busy, NoValidRoster
from gateway.intake import FilesGone, Intake
from gateway.site.app import HERE
from gateway.site.tokens import FormToken
from gateway.site.words import load_words
from tests.support.media import phone_photo
from tests.support.rehearsal import Rehearsal, TestClock, fields_of, make_rehearsal
from tests.support.site import (
    ANSWERS,
    COMMON,
    Writer,
    code_of,
    errors_of,
    kept_files,
    post_files,
    token_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

PHOTO = phone_photo(b"canary", width=64, height=48)
WORDS = load_words(HERE / "translations")


def moved(rehearsal: Rehearsal, seconds: int) -> None:
    assert isinstance(rehearsal.clock, TestClock)
    rehearsal.clock.seconds += seconds


def staged(rehearsal: Rehearsal) -> list[str]:
    """Names of blobs in the vault's folder, staged ones included."""
    return [one.name for one in rehearsal.config.blobs.rglob("*") if one.is_file()]


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
@pytest.mark.parametrize("category", sorted(ANSWERS))
def test_a_report_reaches_the_operators_in_every_language_and_category(
    rehearsal: Rehearsal, client: FlaskClient, lang: str, category: str
) -> None:
    receipt = Writer(client, lang, category).report()
    assert receipt.status_code == 200
    assert re.fullmatch(r"(\d{4} ){6}\d{4}", code_of(receipt))
    report = rehearsal.report(rehearsal.only_case())
    assert (report.language, report.category, report.form_version) == (lang, category, 2)
    assert fields_of(report)["description"] == COMMON["description"]
    assert fields_of(report)["danger_now"] == "no"
    assert report.sealed_by == "gateway"


def test_the_first_page_asks_for_what_was_left_out_and_keeps_the_rest(client: FlaskClient) -> None:
    page = client.post("/en/write", data={"danger_now": "unsure"})
    assert page.status_code == 422
    assert errors_of(page) == ["Please choose one of the answers."]
    assert 'value="unsure" checked' in page.text
    page = client.post("/en/write", data={"category": "astrology", "danger_now": "perhaps"})
    assert len(errors_of(page)) == 2


@pytest.mark.parametrize("danger", ["yes", "unsure"])
def test_in_danger_the_numbers_come_first_and_then_the_form(
    client: FlaskClient, danger: str
) -> None:
    data = {"danger_now": danger, "category": "threats"}
    page = client.post("/fr/write", data=data)
    assert page.status_code == 200
    assert 'href="tel:19"' in page.text
    assert 'name="token"' not in page.text
    page = client.post("/fr/write", data={**data, "go_on": "1"})
    assert 'name="token"' in page.text
    assert 'href="tel:19"' in page.text
    calm = client.post("/fr/write", data={"danger_now": "no", "category": "threats"})
    assert 'href="tel:19"' not in calm.text


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_a_form_with_mistakes_comes_back_with_everything_that_was_typed_and_every_file(
    rehearsal: Rehearsal, client: FlaskClient, lang: str
) -> None:
    writer = Writer(client, lang)
    text = 'Two lines,\nwith <b>signs</b> & "quotes", وكلمات'
    typed: dict[str, object] = {
        "scam_type": None,
        "description": text,
        "money_lost": "yes",
        "amount": "lots",
        "payments-1-bank": "Bank of <Nowhere>",
        "payments-1-method": "card",
        "urls": ["one.example/?a=1&b=2", "two.example"],
        "ids_given_away": ["photos"],
        "identity_mode": "full_identity",
        "identity-name": "فاطمة",
        "when-ongoing": "yes",
    }
    page = writer.send(writer.begin(), changes=typed, files=(("IMG_1.jpg", PHOTO),))
    assert page.status_code == 422
    assert len(errors_of(page)) == 3
    shown = html.unescape(page.text)
    for kept in (text, "Bank of <Nowhere>", "one.example/?a=1&b=2", "two.example", "فاطمة", "lots"):
        assert kept in shown
    assert re.search(r'value="card" selected', page.text)
    for box in ('value="photos" checked', 'value="full_identity" checked'):
        assert box in page.text
    assert re.search(r'name="when-ongoing" value="yes" checked', page.text)
    assert kept_files(page) == ["photo-1.jpg"]
    assert rehearsal.stored() == ()
    # Corrected, it is accepted with the file that had arrived, which is not sent a second time.
    again = writer.send(page, changes={"description": text})
    assert again.status_code == 200, errors_of(again)
    ((manifest, content),) = rehearsal.evidence(rehearsal.only_case())
    assert manifest.name == "photo-1.jpg"
    assert content.startswith(b"\xff\xd8")
    assert fields_of(rehearsal.report(rehearsal.only_case()))["description"] == text


@pytest.mark.claim("C-TYPED")
def test_ten_thousand_characters_too_many_are_an_error_and_not_the_end(writer: Writer) -> None:
    text = "ك" * 20_000
    page = writer.send(writer.begin(), changes={"description": text})
    assert page.status_code == 422
    assert text in page.text
    (error,) = errors_of(page)
    assert "10000" in error


@pytest.mark.claim("C-TYPED")
def test_a_name_beside_without_a_name_is_asked_about_and_kept(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    typed = {"identity-name": "Fatima", "identity-phone": "0612345678", "amount": "500"}
    page = writer.send(writer.begin(), changes=typed, files=(("a", PHOTO),))
    assert page.status_code == 422
    assert errors_of(page) == [
        (
            "You wrote in “How much”, but to “Was money lost?” you answered “No”. With that "
            "answer it is not sent. Choose another answer there, or empty what you wrote here."
        ),
        (
            "You wrote in “Telephone”, “First name and family name”, but to “How you want to "
            "report” you answered “Without a name”. With that answer it is not sent. Choose "
            "another answer there, or empty what you wrote here."
        ),
    ]
    for kept in typed.values():
        assert f'value="{kept}"' in page.text
    assert kept_files(page) == ["photo-1.jpg"]
    assert rehearsal.stored() == ()
    named = {**typed, "identity_mode": "full_identity", "money_lost": "yes"}
    assert writer.send(page, changes=named).status_code == 200
    (identity,) = [one for one in rehearsal.stored() if one.header.kind is Kind.IDENTITY]
    assert rehearsal.identity(identity).identity == {"name": "Fatima", "phone": "0612345678"}


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("fr", "mais vous n’avez pas répondu à «\u00a0A-t-on payé quelque chose\u00a0?\u00a0»."),
        ("ar", "لكنك لم تجب عن «هل دُفع شيء؟»."),
    ],
)
def test_payments_without_an_answer_whether_anything_was_paid_are_asked_about(
    client: FlaskClient, lang: str, sentence: str
) -> None:
    writer = Writer(client, lang, "sextortion")
    typed = {"payments-0-bank": "First Bank", "payments-1-bank": "Other Bank"}
    page = writer.send(writer.begin(), changes=typed)
    (error,) = errors_of(page)
    assert sentence in error
    # One name for the two inputs of the same column, and the folded part stands open.
    assert error.count("«") == 2
    assert re.search(r"<details open>\s*<summary>(Paiements|الأداءات)", page.text)


def summary_of(page: TestResponse) -> list[str]:
    """The lines of the list at the top."""
    box = re.search(r'<div class="errors".*?<ul>(.*?)</ul>', page.text, flags=re.DOTALL)
    assert box
    lines = re.findall("<li>(.*?)</li>", box[1])
    return [html.unescape(re.sub("<[^>]+>", "", line)) for line in lines]


def test_the_list_of_mistakes_names_each_question_in_the_order_of_the_page(writer: Writer) -> None:
    changes: dict[str, object] = {
        "notice_read": None,
        "role": None,
        "money_lost": "yes",
        "payments-1-amount": "lots",
        "payments-0-amount": "many",
        "suspect-phones": ["none", "no", "0612345678"],
        "identity_mode": "full_identity",
        "identity-name": "Fatima",
        "identity-email": "foo@@",
        "amount": "3",
        "amount-currency": "XXX",
        "surprise": "x",
    }
    page = writer.send(writer.begin(), changes=changes, files=(("bad.jpg", b"PK\3\4"),))
    phone = "Please write a telephone number with its digits."
    choose = "Please choose one of the answers."
    amount = "Please write the sum in digits, for example 1500,50."
    lines = summary_of(page)
    assert lines[0].startswith("The form held something")
    assert lines[1:5] == [
        f"You are – {choose}",
        f"How much – {choose}",
        f"Payments › Line 1 › Sum – {amount}",
        f"Payments › Line 2 › Sum – {amount}",
    ]
    assert lines[5] == f"The person who did it › Telephone numbers – {phone} × 2"
    assert lines[6].startswith("bad.jpg – This kind of file")
    assert lines[7:] == [
        (
            "Your contact and your name › E-mail – "
            "Please write an e-mail address such as name@example.org."
        ),
        "I have read how my data is handled – Please tick this box once you have read the text.",
    ]
    assert errors_of(page).count(f"{phone} × 2") == 1
    for target in re.findall(r'href="#(f-[^"]+)"', page.text):
        assert page.text.count(f'id="{target}"') == 1
    assert len(set(re.findall(r' id="([^"]+)"', page.text))) == len(
        re.findall(r' id="([^"]+)"', page.text)
    )


def test_the_first_page_names_the_questions_too(client: FlaskClient) -> None:
    assert summary_of(client.post("/en/write", data={"category": ""})) == [
        "Is somebody in danger now? – Please choose one of the answers.",
        "What is it about? – Please choose one of the answers.",
    ]


def test_what_is_needed_is_said_before_the_writing(client: FlaskClient) -> None:
    for lang, hint, only_if in (
        ("en", "in 10 to 10,000 characters", "“Yes” or “Only an attempt”"),
        ("fr", "en 10 à 10\u202f000 caractères", "« Oui » ou « Seulement une tentative »"),
        ("ar", "بين 10 و10.000 حرف", "«نعم» أو «محاولة فقط»"),
    ):
        page = Writer(client, lang).begin()
        text = re.sub("<[^>]+>", "", page.text).replace("\u00a0", " ")
        assert hint in text
        assert only_if in text


def test_the_line_that_was_asked_for_is_where_the_writing_goes_on(writer: Writer) -> None:
    form = writer.begin()
    assert "autofocus" not in form.text
    for more, line in (
        ("payments", 'name="payments-1-date"'),
        ("accounts", 'name="accounts-1-platform"'),
        ("suspect-phones", 'name="suspect-phones"'),
    ):
        page = writer.send(form, changes={"more": more})
        (focused,) = re.findall(r"<[^>]+ autofocus>", page.text)
        assert line in focused
    page = writer.send(form, changes={"more": "payments"}, files=(("a", b"PK\3\4 no picture"),))
    assert "autofocus" not in page.text


@pytest.mark.claim("C-TYPED")
def test_an_unknown_field_is_refused_and_the_text_is_kept(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    page = writer.send(writer.begin(), changes={"surprise": "x"})
    assert page.status_code == 422
    assert str(COMMON["description"]) in page.text
    form = writer.begin()
    data = {"token": token_of(form), "action": "send", **COMMON, **ANSWERS["fraud"]}
    data["threat_screens"] = (io.BytesIO(PHOTO), "a.jpg")
    page = writer.client.post("/en/send", data=data, content_type="multipart/form-data")
    assert page.status_code == 422
    assert rehearsal.stored() == ()


def test_rows_are_added_without_a_script_and_keep_what_stood_there(writer: Writer) -> None:
    form = writer.begin()
    page = writer.send(form, changes={"more": "payments", "payments-0-bank": "First Bank"})
    assert page.status_code == 200
    assert errors_of(page) == []
    assert 'name="payments-1-bank"' in page.text
    assert 'value="First Bank"' in page.text
    page = writer.send(page, changes={"more": "urls", "urls": ["a.example"]})
    assert page.text.count('name="urls"') == 2
    page = writer.send(page, changes={"more": "urls", "urls": ["x"] * 20})
    assert page.text.count('name="urls"') == 20
    assert 'name="more" value="urls"' not in page.text


def test_files_can_be_sent_first_and_removed_again(rehearsal: Rehearsal, writer: Writer) -> None:
    page = writer.send(
        writer.begin(), changes={"action": "add"}, files=(("a", PHOTO), ("b", PHOTO))
    )
    assert page.status_code == 200
    assert kept_files(page) == ["photo-1.jpg", "photo-2.jpg"]
    assert len(staged(rehearsal)) == 2
    drop = re.findall(r'name="drop" value="([0-9a-f]{32})"', page.text)[0]
    page = writer.send(page, changes={"action": "add", "drop": drop}, files=(("c", PHOTO),))
    assert kept_files(page) == ["photo-2.jpg", "photo-3.jpg"]
    assert len(staged(rehearsal)) == 2
    writer.send(page)
    assert len(rehearsal.evidence(rehearsal.only_case())) == 2


@pytest.mark.claim("C-NAMES")
def test_a_file_s_name_is_nowhere_in_what_is_kept(rehearsal: Rehearsal, writer: Writer) -> None:
    name = "Fatima-2026-canary.jpg"
    page = writer.send(writer.begin(), files=((name, PHOTO), (name, b"PK\3\4 no picture")))
    assert name in page.text  # positive control: it is looked at, to say which one was refused
    assert kept_files(page) == ["photo-1.jpg"]
    writer.send(page)
    ((manifest, _),) = rehearsal.evidence(rehearsal.only_case())
    assert manifest.name == "photo-1.jpg"
    for file in rehearsal.config.home.rglob("*"):
        if file.is_file():
            assert b"canary" not in file.read_bytes()
    token = FormToken.open(
        rehearsal.intake().token_key,
        token_of(page),
        now=rehearsal.clock.now(),
        seconds=10,
    )
    assert "canary" not in repr(token)


@pytest.mark.claim("C-LOST-ANSWER")
def test_the_same_form_again_shows_the_same_code_and_stores_nothing_twice(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.send(writer.begin(), changes={"action": "add"}, files=(("a", PHOTO),))
    first = writer.send(form, files=(("b", PHOTO),))
    before = (rehearsal.stored(), sorted(staged(rehearsal)))
    moved(rehearsal, 14 * 60)
    second = writer.send(form, files=(("b", PHOTO),), changes={"description": "Something else."})
    assert code_of(second) == code_of(first)
    assert "It had arrived already" in second.text
    assert (rehearsal.stored(), sorted(staged(rehearsal))) == before
    assert len(before[0]) == 4


@pytest.mark.claim("C-LOST-ANSWER")
def test_after_a_quarter_of_an_hour_the_code_is_not_shown_again(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.begin()
    receipt = writer.send(form)
    moved(rehearsal, 16 * 60)  # the window begins with its minute
    for page in (
        writer.send(form),
        writer.client.post(
            "/en/confirm", data={"token": token_of(receipt), "last_four": code_of(receipt)[-4:]}
        ),
    ):
        assert page.status_code == 200
        assert "This report was received" in page.text
        assert code_of(receipt) not in page.text
    assert writer.open(code_of(receipt)).status_code == 200
    assert len(rehearsal.stored()) == 2


@pytest.mark.claim("C-LOST-ANSWER")
@pytest.mark.parametrize("digits", ["{}", "  {} ", "arabic", "apart"])
def test_once_confirmed_no_refresh_and_no_second_sending_shows_the_code(
    writer: Writer, digits: str
) -> None:
    form = writer.begin()
    receipt = writer.send(form)
    last = code_of(receipt)[-4:]
    typed = last.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    if digits != "arabic":
        typed = " ".join(last) if digits == "apart" else digits.format(last)
    data = {"token": token_of(receipt), "last_four": "12"}
    wrong = writer.client.post("/en/confirm", data=data)
    assert wrong.status_code == 422
    assert code_of(wrong) == code_of(receipt)
    page = writer.client.post("/en/confirm", data={**data, "last_four": typed})
    assert "you kept your code" in page.text
    for again in (writer.send(form), writer.client.post("/en/confirm", data=data)):
        assert "This report was received" in again.text
        assert last not in again.text


@pytest.mark.claim("C-LOST-ANSWER")
def test_once_left_no_second_sending_shows_the_code(writer: Writer) -> None:
    form = writer.begin()
    receipt = writer.send(form)
    page = writer.client.post("/en/leave", data={"token": token_of(receipt)})
    assert page.headers["Refresh"] == "0; url=/en/left"
    assert code_of(receipt) not in page.text
    assert "This report was received" in writer.send(form).text


@pytest.mark.claim("C-LOST-ANSWER")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_leaving_from_the_form_closes_the_receipt_whose_answer_was_lost(
    rehearsal: Rehearsal, client: FlaskClient, lang: str
) -> None:
    writer = Writer(client, lang)
    for form in (writer.begin(), writer.send(writer.begin(), changes={"description": None})):
        # The exit of the form's page, as a browser without script would press it.
        page_exit = re.search(r'<div class="exit">(.*?)</div>', form.text, flags=re.DOTALL)
        assert page_exit
        assert f'<form method="post" action="/{lang}/leave">' in page_exit[1]
        token = re.search(r'name="token" value="([^"]+)"', page_exit[1])
        assert token
        before = len(rehearsal.stored())
        code = code_of(writer.send(form))  # the answer is lost on its way
        left = client.post(f"/{lang}/leave", data={"token": token[1]})
        assert left.headers["Refresh"] == f"0; url=/{lang}/left"
        again = writer.send(form)
        assert again.status_code == 200
        assert code not in again.text
        assert len(rehearsal.stored()) == before + 2


@pytest.mark.claim("C-LOST-ANSWER")
def test_the_same_form_again_is_one_report_even_when_it_grew_too_old_meanwhile(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.send(writer.begin(), changes={"action": "add"}, files=(("a", PHOTO),))
    moved(rehearsal, rehearsal.config.times.form_seconds - 60)
    first = writer.send(form)
    before = (rehearsal.stored(), sorted(staged(rehearsal)))
    moved(rehearsal, 120)
    again = writer.send(form)
    assert code_of(again) == code_of(first)
    assert (rehearsal.stored(), sorted(staged(rehearsal))) == before
    # The receipt's own page is as old as its form, and is confirmed and left all the same.
    last = code_of(first)[-4:]
    data = {"token": token_of(again), "last_four": last}
    assert "you kept your code" in writer.client.post("/en/confirm", data=data).text
    assert code_of(first) not in writer.send(form).text


@pytest.mark.claim("C-LOST-ANSWER")
def test_a_receipt_is_left_even_when_its_form_grew_too_old(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.begin()
    moved(rehearsal, rehearsal.config.times.form_seconds - 60)
    receipt = writer.send(form)
    moved(rehearsal, 120)
    writer.client.post("/en/leave", data={"token": token_of(receipt)})
    assert code_of(receipt) not in writer.send(form).text
    assert len(rehearsal.stored()) == 2


def test_leaving_works_whatever_the_page_brings_along(writer: Writer) -> None:
    for token in ("", "nonsense", token_of(writer.begin())):
        assert writer.client.post("/ar/leave", data={"token": token}).status_code == 200


@pytest.mark.claim("C-LOST-ANSWER")
def test_the_same_form_twice_at_once_is_one_report_with_one_code(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = rehearsal.site()
    writer = Writer(app.test_client(use_cookies=False))
    form = writer.begin()
    meet = threading.Barrier(2)
    seal = Intake.seal_report

    def together(self: Intake, report: object, late: float | None) -> None:
        meet.wait(60)
        seal(self, report, late)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "seal_report", together)
    pages = []

    def send() -> None:
        other = Writer(app.test_client(use_cookies=False))
        pages.append(other.send(form, files=(("a", PHOTO),)))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert code_of(pages[0]) == code_of(pages[1])
    assert len(rehearsal.stored()) == 3
    assert len(staged(rehearsal)) == 1


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("token", ["", "AAAA", "é", "x" * 5000])
def test_a_token_that_is_not_ours_gets_a_new_form_with_the_text(
    rehearsal: Rehearsal, writer: Writer, token: str
) -> None:
    page = writer.send(token)
    assert page.status_code == 422
    assert str(COMMON["description"]) in page.text
    assert "Add your files once more" in page.text
    assert writer.send(page).status_code == 200
    assert len(rehearsal.stored()) == 2
    nowhere = writer.send(token, changes={"category": "astrology"})
    assert nowhere.status_code == 422
    assert 'name="danger_now"' in nowhere.text


@pytest.mark.claim("C-TYPED")
def test_a_form_that_was_open_for_a_day_comes_back_with_the_files_that_are_still_there(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.send(writer.begin("yes"), changes={"action": "add"}, files=(("a", PHOTO),))
    moved(rehearsal, rehearsal.config.times.form_seconds)
    page = writer.send(form)
    assert page.status_code == 422
    assert str(COMMON["description"]) in page.text
    assert kept_files(page) == ["photo-1.jpg"]
    assert len(staged(rehearsal)) == 1
    assert writer.send(page).status_code == 200
    assert fields_of(rehearsal.report(rehearsal.only_case()))["danger_now"] == "yes"


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize(
    ("error", "status"), [(Busy(), 503), (NoValidRoster("expired"), 503), (FilesGone(), 422)]
)
def test_what_goes_wrong_while_sealing_loses_no_text(
    rehearsal: Rehearsal,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def fail(*_: object) -> None:
        raise error

    form = writer.begin()
    with monkeypatch.context() as broken:
        broken.setattr(Intake, "seal_report", fail)
        page = writer.send(form, files=(("a", PHOTO),))
    assert page.status_code == status
    assert str(COMMON["description"]) in page.text
    if not isinstance(error, Busy):  # whoever waits for a turn sees it counted in the end
        assert kept_files(page) == ["photo-1.jpg"]
    assert writer.send(page).status_code == 200
    assert len(rehearsal.stored()) == 3


@pytest.mark.claim("C-ROSTER")
@pytest.mark.claim("C-TYPED")
def test_without_a_valid_roster_nothing_is_accepted_and_the_text_is_kept(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.begin()
    note = rehearsal.config.roster_path.read_bytes()
    rehearsal.config.roster_path.write_bytes(note.replace(b"operator-1", b"operator-9"))
    assert writer.client.get("/en/").status_code == 503
    page = writer.send(form, files=(("a", PHOTO),))
    assert page.status_code == 503
    assert str(COMMON["description"]) in page.text
    assert writer.client.get("/en/device").status_code == 200
    rehearsal.config.roster_path.write_bytes(note)
    assert writer.send(page).status_code == 200


@pytest.mark.claim("C-CHILD")
def test_once_the_victim_is_said_to_be_a_minor_files_are_destroyed_and_the_text_is_kept(
    rehearsal: Rehearsal, client: FlaskClient
) -> None:
    writer = Writer(client, "fr", "sextortion")
    form = writer.send(writer.begin(), changes={"action": "add"}, files=(("a", PHOTO),))
    assert len(staged(rehearsal)) == 1
    minor: dict[str, object] = {"victim_minor": "yes"}
    page = writer.send(form, changes={**minor, "action": "add"}, files=(("b", PHOTO),))
    assert kept_files(page) == []
    assert staged(rehearsal) == []
    assert "ont été détruits" in page.text
    assert str(COMMON["description"]) in page.text
    receipt = writer.send(page, changes=minor, files=(("c", PHOTO),))
    assert receipt.status_code == 200
    assert "ont été détruits" in receipt.text
    assert "2511" in receipt.text
    assert staged(rehearsal) == []
    report = rehearsal.report(rehearsal.only_case())
    assert report.evidence == ()
    assert fields_of(report)["victim_minor"] == "yes"
    # Nothing is said about files where there were none.
    quiet = Writer(client, "fr", "sextortion").report(victim_minor="yes")
    assert "ont été détruits" not in quiet.text


@pytest.mark.claim("C-IDENTITY")
def test_a_name_is_sealed_to_the_custodian_and_every_identity_looks_alike(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    named: dict[str, object] = {
        "identity_mode": "full_identity",
        "identity-name": "Fatima Example",
        "identity-email": "fatima@example.org",
        "safe_contact-hours": "after six",
    }
    assert writer.send(writer.begin(), changes=named).status_code == 200
    assert writer.report().status_code == 200
    identities = [one for one in rehearsal.stored() if one.header.kind is Kind.IDENTITY]
    assert len(identities) == 2
    assert len({(len(one.manifest), len(one.wraps), one.parts) for one in identities}) == 1
    opened = sorted(
        (rehearsal.identity(one) for one in identities), key=lambda one: one.identity_mode
    )
    assert (opened[0].identity_mode, opened[0].identity) == ("anonymous", {})
    assert opened[1].identity == {"name": "Fatima Example", "email": "fatima@example.org"}
    assert opened[1].safe_contact == {"hours": "after six"}
    for one in rehearsal.stored():
        if one.header.kind is Kind.REPORT:
            assert b"atima" not in rehearsal.manifest(one)


@pytest.mark.claim("C-TYPED")
def test_a_name_that_would_not_fit_into_the_one_size_is_said_before_sealing(
    rehearsal: Rehearsal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crypto.manifest.IDENTITY_MOST", 60)
    changes = {"identity_mode": "full_identity", "identity-name": "a" * 90, "identity-phone": "123"}
    page = writer.send(writer.begin(), changes=changes)
    assert page.status_code == 422
    assert errors_of(page) == ["What you wrote about yourself is too long. Please shorten it."]
    assert rehearsal.stored() == ()


def test_the_longest_name_that_the_form_takes_fits(rehearsal: Rehearsal, writer: Writer) -> None:
    changes: dict[str, object] = {
        "identity_mode": "full_identity",
        "identity-name": "ظ" * 100,
        "identity-city": "ظ" * 80,
        "identity-email": "ظ" * 60 + "@" + "ظ" * 50 + ".المغرب",
        "identity-phone": "+" + "1" * 20,
        "identity-birth_year": "1990",
        "safe_contact-hours": "ظ" * 80,
        "safe_contact-channel": "phone_call",
        "safe_contact-language": "zgh",
    }
    page = writer.send(writer.begin(), changes=changes)
    assert page.status_code == 200, errors_of(page)
    assert len(rehearsal.stored()) == 2


def test_advice_is_shown_with_the_receipt_where_an_answer_calls_for_it(
    client: FlaskClient,
) -> None:
    fraud = Writer(client).report(money_lost="yes", bank_alerted="no")
    assert "Call your bank now" in fraud.text
    assert "Call your bank now" not in Writer(client).report(bank_alerted="no").text
    care = Writer(client, "en", "sextortion").report(self_harm_thoughts="yes")
    assert "You are not alone" in care.text


def test_a_category_that_was_taken_out_of_the_data_starts_again(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    intake = rehearsal.intake()
    now = rehearsal.clock.now()
    token = FormToken.new(category="gone", danger="no", now=now).seal(intake.token_key)
    page = writer.send(token)
    assert page.status_code == 422
    assert 'name="danger_now"' in page.text


def test_a_rehearsal_says_so_on_every_page_and_a_real_site_does_not(
    tmp_path: Path, client: FlaskClient
) -> None:
    sentence = "تجربة"
    for path in ("/", "/ar/", "/ar/device", "/ar/thread", "/ar/nothing"):
        assert sentence in client.get(path).text
    real = make_rehearsal(tmp_path / "real", rehearsal=False)
    for path in ("/", "/ar/", "/ar/device"):
        assert sentence not in real.site_client().get(path).text
    real.vault.close()


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_confirming_something_that_is_no_receipt_is_not_told_that_it_was_received(
    rehearsal: Rehearsal, client: FlaskClient, lang: str
) -> None:
    words = WORDS[lang]
    form = token_of(Writer(client, lang).begin())
    for token in ("", form):
        page = client.post(f"/{lang}/confirm", data={"token": token, "last_four": "1234"})
        assert page.status_code == 200
        assert str(words("no_receipt.text")) in page.text
        assert str(words("received.heading")) not in page.text
    moved(rehearsal, rehearsal.config.times.form_seconds)
    page = client.post(f"/{lang}/confirm", data={"token": form, "last_four": "1234"})
    assert str(words("no_receipt.text")) in page.text


def test_a_report_that_had_arrived_is_not_said_to_hold_what_was_changed_afterwards(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    form = writer.begin()
    writer.send(form)
    moved(rehearsal, 16 * 60)  # the window begins with its minute
    page = writer.send(form, changes={"description": "Something else."}, files=(("a", PHOTO),))
    assert "was not kept" in page.text
    assert "Nothing is lost" not in page.text
    assert fields_of(rehearsal.report(rehearsal.only_case()))["description"] != "Something else."
    assert staged(rehearsal) == []


def test_the_notice_promises_no_erasure_that_the_site_would_do_by_itself(
    client: FlaskClient,
) -> None:
    for lang, sentence in (
        ("en", "Nothing is erased or changed by itself."),
        ("fr", "Rien n’est effacé ni modifié automatiquement."),
        ("ar", "لا يُمحى شيء ولا يُغيَّر تلقائيا."),
    ):
        assert sentence in Writer(client, lang).begin().text


@pytest.mark.claim("C-TYPED")
def test_a_list_is_echoed_no_longer_than_it_may_be_and_the_page_says_so(writer: Writer) -> None:
    page = writer.send(
        writer.begin(), changes={"urls": ["", *(f"n{n}.example" for n in range(900))]}
    )
    assert page.status_code == 422
    (error,) = errors_of(page)
    assert error.startswith("There are more than 20 lines: only the first 20 are still here.")
    assert re.findall(r'name="urls" value="([^"]*)"', page.text) == [
        f"n{n}.example" for n in range(20)
    ]
    assert len(page.data) < 120_000


@pytest.mark.claim("C-TYPED")
def test_a_line_beyond_all_measure_comes_back_shortened_and_the_page_says_so(
    writer: Writer,
) -> None:
    typed = "a" * 400_000
    page = writer.send(writer.begin(), changes={"place-city": typed, "urls": [typed]})
    assert page.status_code == 422
    assert len(errors_of(page)) == 1 + 1
    assert all("Only its beginning is still here" in one for one in errors_of(page))
    assert 'value="' + "a" * 10_000 + '"' in page.text
    assert len(page.data) < 120_000
    kept = writer.send(writer.begin(), changes={"place-city": "a" * 10_000})
    assert "a" * 10_000 in kept.text
    assert "Nothing was cut off" in errors_of(kept)[0]


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize(
    ("category", "name"), [("sextortion", "deadline"), ("threats", "planned_time")]
)
def test_a_megabyte_of_spaces_in_a_time_stops_nobody(
    client: FlaskClient, category: str, name: str
) -> None:
    writer = Writer(client, "en", category)
    form = writer.begin()
    began = time.process_time()
    for typed in ("1" + " " * 1_000_000 + "x", "1" + " " * 900 + "x"):
        page = writer.send(form, changes={name: typed})
        assert page.status_code == 422
        assert len(errors_of(page)) == 1
    assert time.process_time() - began < 5


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_form_of_thousands_of_fields_is_refused_in_its_own_language(
    rehearsal: Rehearsal, client: FlaskClient, lang: str, kind: str
) -> None:
    token = token_of(Writer(client, lang).begin())
    data = {"token": token, "action": "send", "urls": ["a"] * 2_001}
    page = client.post(f"/{lang}/send", data=data, content_type=kind)
    assert page.status_code == 413
    assert str(WORDS[lang]("problem.413.heading")) in page.text
    assert len(page.data) < 20_000
    data["urls"] = ["a"] * 1_990
    assert client.post(f"/{lang}/send", data=data, content_type=kind).status_code == 422
    assert rehearsal.stored() == ()


def test_four_digits_are_looked_for_in_a_few_characters_only(writer: Writer) -> None:
    receipt = writer.report()
    data = {"token": token_of(receipt), "last_four": " " * 900_000 + code_of(receipt)[-4:]}
    assert writer.client.post("/en/confirm", data=data).status_code == 422


def test_the_form_is_posted_in_no_other_way_than_a_form(client: FlaskClient) -> None:
    assert client.post("/en/send", json={}).status_code == 415
    assert client.post("/en/send", data=b"x", content_type="text/plain").status_code == 415
    assert client.get("/en/send").status_code == 405
    assert client.get("/en/send").headers["Allow"] == "POST"
    page = post_files(client, "/en/send", {})
    assert page.status_code == 422


def test_pages_stay_small(client: FlaskClient) -> None:
    style = len(client.get("/style.css").data)
    assert style <= 10_000
    for lang in ("ar", "zgh", "fr", "en"):
        for path in ("/", f"/{lang}/"):
            assert len(client.get(path).data) + style <= 30_000
        for category in ANSWERS:
            form = Writer(client, lang, category).begin().data
            assert len(zlib.compress(form)) <= 25_000
