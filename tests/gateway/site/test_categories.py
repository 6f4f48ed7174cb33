"""What each category asks, advises and refuses."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.datastructures import MultiDict

from crypto.header import Kind
from gateway.site.answers import AnswerReader
from gateway.site.forms import load_forms
from gateway.site.values import is_unknown
from tests.support.media import phone_photo
from tests.support.site import ANSWERS, COMMON, Writer, errors_of, kept_files

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from gateway.site.answers import Answers
    from tests.support.rehearsal import Rehearsal

PHOTO = phone_photo(b"x")
LANGUAGES = ["ar", "zgh", "fr", "en"]
SCHEMA = load_forms(None).schema
CATEGORIES = [form.id for form in SCHEMA.categories]
HELP = load_forms(None).help
WORDS = load_forms(None).words


def read(category: str, **changes: object) -> Answers:
    data = {**COMMON, **ANSWERS[category], **changes}
    form = SCHEMA.category(category)
    assert form is not None
    posted: MultiDict[str, Any] = MultiDict(
        {name: value for name, value in data.items() if value is not None}
    )
    return AnswerReader(form).read(posted)


def wrong(answers: Answers) -> dict[str, str]:
    return {error.name: error.key for error in answers.errors}


# What is asked.


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_is_required_may_be_answered_with_i_do_not_know(category: str) -> None:
    """Beside what the form must know: who writes, how they stay, and what changes the rules."""
    form = SCHEMA.category(category)
    assert form is not None
    rules = {"role", "identity_mode", "notice_read", "description"}
    for asked in form.fields():
        if asked.required and asked.id not in rules:
            ways = {"unknown", "unsure", "other", "no"}
            assert asked.unknown or ways & set(asked.options), f"{category}: {asked.id}"


@pytest.mark.parametrize("category", ["defamation", "incitement", "terrorism", "csam"])
def test_an_address_or_an_account_is_asked_for_and_not_to_know_it_is_an_answer(
    category: str,
) -> None:
    nothing: dict[str, object] = {
        "urls": None,
        "urls-unknown": None,
        "accounts-0-handle": None,
    }
    assert wrong(read(category, **nothing)) == {"urls": "error.address"}
    for given in (
        {"urls": "example.org/a"},
        {"accounts-0-handle": "@a"},
        {"urls-unknown": "yes"},
    ):
        assert read(category, **{**nothing, **given}).errors == ()
    assert read(category, **{**nothing, "urls-unknown": "yes"}).fields["urls"] == "unknown"
    both = read(category, **{**nothing, "urls-unknown": "yes", "urls": "example.org"})
    assert wrong(both) == {"urls": "error.unknown_filled"}
    # It does not take the place of a description, as an address would.
    quiet = read(category, **{**nothing, "urls-unknown": "yes", "description": None})
    assert wrong(quiet) == {"description": "error.describe"}


@pytest.mark.parametrize(
    "typed", ["?", "؟", "I don't know", "I don’t know.", "Je ne sais pas", "لا أعرف", "-", "…"]
)
def test_whoever_writes_that_they_do_not_know_has_answered(typed: str) -> None:
    answers = read(
        "fraud",
        money_lost="yes",
        amount=typed,
        when=typed,
        **{"payments-0-amount": typed, "payments-0-wallet_phone": typed, "suspect-phones": typed},
    )
    assert answers.errors == ()
    assert not {"amount", "when", "payments", "suspect"} & set(answers.fields)


def test_what_only_looks_like_not_knowing_is_read_as_what_it_is() -> None:
    assert not is_unknown("1500")
    assert not is_unknown("no idea who he is, somebody from the market " * 2)
    assert wrong(read("fraud", when="who knows")) == {"when": "error.date"}
    # A contact is needed, and to write that there is none gives none.
    contact = read("fraud", identity_mode="contact_only", **{"identity-phone": "?"})
    assert wrong(contact) == {"identity-phone": "error.contact"}
    # Text is never taken for anything but itself.
    assert read("threats", planned_place="?").fields["planned_place"] == "?"


def test_answers_are_typed_and_pruned_in_the_new_categories_too() -> None:
    answers = read(
        "hacking_other",
        kind="sim_swap",
        affected=["personal"],
        **{"login_traces-0-time": "22/11/2026 14:30", "login_traces-0-ip": "192.0.2.7"},
    )
    assert answers.errors == ()
    assert answers.fields["login_traces"] == [{"time": "2026-11-22T14:30", "ip": "192.0.2.7"}]
    assert wrong(read("defamation", consent="yes")) == {}
    assert "consent" not in read("defamation", consent="yes").fields
    shown = read("defamation", consent="no", false_claim_or_insult="private_image_or_recording")
    assert shown.fields["consent"] == "no"
    child = read("csam", child_known="yes", **{"child_details-age": "about 12"})
    assert child.fields["child_details"] == {"age": "about 12"}
    left = read("csam", child_known="no", **{"child_details-age": "12"})
    assert wrong(left) == {"child_details": "error.left_over"}
    since = read("harassment", since="2025", **{"since-ongoing": "yes"})
    assert since.fields["since"] == {"date": "2025", "ongoing": True}
    assert wrong(read("harassment", harassment_kind=None)) == {"harassment_kind": "error.choose"}
    assert wrong(read("harassment", when="2025")) == {"": "error.unknown_field"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_each_form_is_light(client: FlaskClient, category: str, lang: str) -> None:
    page = Writer(client, lang, category).begin("yes")
    assert len(gzip.compress(page.data)) <= 25_000


# Children.


@pytest.mark.claim("C-CHILD")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_form_about_children_has_no_file_field_and_says_not_to_copy(
    client: FlaskClient, lang: str
) -> None:
    page = Writer(client, lang, "csam").begin().text
    assert 'type="file"' not in page
    assert "evidence" not in page
    assert "originals" not in page
    assert WORDS[lang]("field.do_not_save") in page
    assert f'href="tel:{HELP.children}"' in page


@pytest.mark.claim("C-CHILD")
@pytest.mark.parametrize("action", ["add", "send"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_file_posted_with_the_form_about_children_is_never_kept(
    rehearsal: Rehearsal, client: FlaskClient, lang: str, action: str
) -> None:
    writer = Writer(client, lang, "csam")
    page = writer.send(writer.begin(), changes={"action": action}, files=(("a.jpg", PHOTO),))
    assert page.status_code == 200
    assert WORDS[lang]("files.none") in page.text
    assert kept_files(page) == []
    assert {one.header.kind for one in rehearsal.stored()} <= {Kind.REPORT, Kind.IDENTITY}
    if action == "add":
        assert str(COMMON["description"]) in page.text
    else:
        assert rehearsal.report(rehearsal.only_case()).evidence == ()


@pytest.mark.claim("C-CHILD")
def test_another_category_in_the_form_does_not_bring_the_file_field_back(
    rehearsal: Rehearsal, client: FlaskClient
) -> None:
    """The category is the token's: what the page says beside it changes nothing."""
    writer = Writer(client, "en", "csam")
    page = writer.send(
        writer.begin(), changes={"category": "fraud", "action": "add"}, files=(("a.jpg", PHOTO),)
    )
    assert kept_files(page) == []
    assert 'type="file"' not in page.text
    assert rehearsal.stored() == ()


# Danger and advice.


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_in_danger_the_dated_numbers_come_before_anything_else(
    client: FlaskClient, category: str, lang: str
) -> None:
    data = {"category": category, "danger_now": "unsure"}
    page = client.post(f"/{lang}/write", data=data).text
    numbers = re.findall(r'<a href="tel:(\d+)">', page)
    child = (
        [HELP.children] if category in {"csam", "sextortion", "harassment", "incitement"} else []
    )
    assert numbers == [HELP.police, HELP.gendarmerie, *child]
    assert page.index("tel:") < page.index('name="go_on"')
    assert WORDS[lang]("danger.as_of", day=WORDS[lang].day(HELP.as_of)) in page


@pytest.mark.parametrize(
    ("category", "changes", "said", "numbers"),
    [
        ("csam", {"what": "child_exploited_now"}, "A child may be in danger now", True),
        ("csam", {"child_known": "it_is_me"}, "not your fault, and it was right", False),
        ("csam", {"meeting_planned": "yes"}, "the child should not go", True),
        ("terrorism", {"imminent": "unsure"}, "do not wait for an answer here", True),
        ("threats", {"suspect_near_victim": "lives_with"}, "Think first of a safe place", True),
        ("harassment", {"suspect_near_victim": "yes"}, "Think first of a safe place", True),
        ("harassment", {"target": "a_child"}, "If a child is at risk", False),
        ("incitement", {"people_at_risk": "minor"}, "If a child is at risk", False),
        ("sextortion", {"self_harm_thoughts": "yes"}, "You are not alone", True),
        ("hacking_other", {"kind": "ransomware"}, "Paying does not make sure", False),
        ("hacking_other", {"kind": "sim_swap"}, "Call your telephone company now", False),
        ("hacking_other", {"still_locked_out": "yes"}, "Ask for your account back", False),
        ("fraud", {"device_shared": "yes"}, "Somebody else uses this device", False),
    ],
)
def test_advice_comes_with_the_answer_that_calls_for_it(
    client: FlaskClient, category: str, changes: dict[str, object], said: str, *, numbers: bool
) -> None:
    writer = Writer(client, "en", category)
    plain = writer.send(writer.begin())
    assert said not in plain.text
    # When the form comes back, and with the receipt.
    for page in (
        writer.send(writer.begin(), changes={**changes, "action": "add"}),
        writer.send(writer.begin(), changes=changes),
    ):
        assert page.status_code == 200, errors_of(page)
        card = re.search(
            rf'<div class="card">\s*<p>[^<]*(?:<bdi[^<]*</bdi>[^<]*)*{said}.*?</div>',
            page.text,
            flags=re.DOTALL,
        )
        assert card
        assert (f'href="tel:{HELP.police}"' in card[0]) is numbers
