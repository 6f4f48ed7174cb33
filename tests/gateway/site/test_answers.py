"""Answers are typed and pruned by the form's data; unknown names are refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.datastructures import MultiDict

from gateway.site.answers import AnswerReader, Answers, _read_one, filled_inputs, row_count
from gateway.site.forms import load_forms
from gateway.site.schema import LISTS, SINGLE, CategoryForm, Field
from tests.support.site import ANSWERS, COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.site.values import FieldError

SCHEMA = load_forms(None).schema


def form(category: str) -> CategoryForm:
    found = SCHEMA.category(category)
    assert found is not None
    return found


def read(category: str, **changes: object) -> Answers:
    data = {**COMMON, **ANSWERS[category], **changes}
    posted: MultiDict[str, Any] = MultiDict(
        {name: value for name, value in data.items() if value is not None}
    )
    return AnswerReader(form(category)).read(posted)


def wrong(answers: Answers) -> dict[str, str]:
    return {error.name: error.key for error in answers.errors}


@pytest.mark.parametrize("category", sorted(ANSWERS))
def test_the_smallest_report_of_each_category_is_enough(category: str) -> None:
    answers = read(category)
    assert answers.errors == ()
    assert answers.fields["role"] == "victim"
    assert answers.identity_mode == "anonymous"
    assert answers.sealed_apart == {}


def test_everything_that_is_needed_is_reported_at_once() -> None:
    answers = AnswerReader(form("sextortion")).read(MultiDict())
    assert wrong(answers) == {
        "role": "error.choose",
        "victim_minor": "error.choose",
        "shared_already": "error.choose",
        "accounts-0-platform": "error.required",
        "description": "error.describe",
        "notice_read": "error.tick",
    }


def test_a_description_is_not_needed_beside_an_address_or_an_account() -> None:
    assert read("fraud", description=None, urls=["example.org/x"]).errors == ()
    assert read("fraud", description=None, **{"accounts-0-handle": "@him"}).errors == ()
    assert wrong(read("fraud", description=" ")) == {"description": "error.describe"}
    assert wrong(read("fraud", description="short")) == {"description": "error.too_short"}


def test_ten_thousand_characters_too_many_are_counted_and_not_cut() -> None:
    (error,) = read("fraud", description="a" * 20_000).errors
    assert (error.name, error.key) == ("description", "error.too_long")
    assert error.facts == {"most": 10_000, "over": 10_000}
    assert read("fraud", description="ا" * 10_000).errors == ()


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("category", sorted(ANSWERS))
@pytest.mark.parametrize(
    "typed",
    ["1" + " " * 1_000_000 + "x", "1" * 1_000_000, "x1 " * 333_333, "1" + "T ،," * 250_000 + "x"],
    ids=["spaces", "digits", "mixed", "separators"],
)
def test_a_megabyte_in_any_one_line_is_an_error_at_once(category: str, typed: str) -> None:
    """Every input of every type of field that has one line; lists and rows too."""
    asked_here = list(lines_of(form(category)))
    began = time.process_time()
    for name, asked in asked_here:
        errors: list[FieldError] = []
        assert _read_one(asked, name, typed, errors) is None
        assert [(error.name, error.key) for error in errors] == [(name, "error.far_too_long")]
    assert time.process_time() - began < 2
    assert {"approx_date", "text", "phone", "list:phone"} <= {one.type for _, one in asked_here}


def lines_of(form: CategoryForm) -> Iterator[tuple[str, Field]]:
    for asked in form.fields():
        for one in asked.columns or (asked,):
            if one.type in (SINGLE | LISTS | {"money", "select", "radio"}) - {"textarea"}:
                yield one.id, one


@pytest.mark.claim("C-TYPED")
def test_a_line_that_is_too_long_is_counted_and_spaces_around_it_are_not() -> None:
    long = read("fraud", **{"place-city": "a" * 1_500})
    (error,) = long.errors
    assert (error.key, error.facts) == ("error.too_long", {"most": 100, "over": 1_400})
    assert read("fraud", **{"place-city": " " * 5_000 + "Fes\n"}).fields["place"] == {"city": "Fes"}
    assert wrong(read("fraud", when="1" * 1_001)) == {"when": "error.too_long"}


def test_a_name_that_the_form_does_not_have_is_refused() -> None:
    for name in ("surprise", "payments-99-amount", "payments-0-colour", "place-galaxy", "evidence"):
        assert wrong(read("fraud", **{name: "x"})) == {"": "error.unknown_field"}


def test_an_answer_to_a_question_that_does_not_apply_is_pruned() -> None:
    empty = {"payments-0-amount": " ", "payments-0-method": "", "amount-currency": "EUR"}
    answers = read("fraud", money_lost="no", amount="", bank_alerted="yes", **empty)
    assert answers.errors == ()
    assert not {"amount", "payments", "bank_alerted"} & set(answers.fields)


@pytest.mark.claim("C-TYPED")
def test_what_was_written_where_nothing_is_asked_is_a_mistake_and_is_not_dropped() -> None:
    name = {"identity-name": "Fatima", "identity-phone": "0612345678", "safe_contact-hours": "six"}
    errors = read("fraud", identity_mode="anonymous", **name).errors
    assert [(error.name, error.key) for error in errors] == [
        ("identity", "error.left_over"),
        ("safe_contact", "error.left_over"),
    ]
    assert errors[0].facts == {
        "controller": "identity_mode",
        "chosen": "anonymous",
        "filled": "identity-phone identity-name",
    }
    errors = read("fraud", identity_mode="contact_only", **name).errors
    assert [(error.name, error.key) for error in errors] == [("identity-name", "error.left_over")]
    assert wrong(read("fraud", amount="100", **{"payments-1-method": "card"})) == {
        "amount": "error.left_over",
        "payments": "error.left_over",
    }
    shown = read("sextortion", shared_already="no", shared_where=["", "x.example"])
    assert wrong(shown) == {"shared_where": "error.left_over"}


@pytest.mark.claim("C-TYPED")
def test_what_depends_on_a_question_without_an_answer_is_not_dropped_either() -> None:
    assert wrong(read("sextortion", **{"payments-0-bank": "First Bank"})) == {
        "payments": "error.left_over_open"
    }


@pytest.mark.claim("C-TYPED")
def test_i_do_not_know_beside_an_account_is_a_mistake() -> None:
    assert wrong(read("sextortion", **{"accounts-0-handle": "@him"})) == {
        "accounts": "error.unknown_filled"
    }


def test_all_that_stands_in_a_question_s_inputs_is_found() -> None:
    asked = {one.id: one for one in form("fraud").fields()}
    posted = MultiDict({"when-ongoing": "yes", "role": "victim", "notice_read": "yes"})
    assert filled_inputs(asked["when"], posted) == ["when-ongoing"]
    assert filled_inputs(asked["role"], posted) == []
    assert filled_inputs(asked["notice_read"], posted) == ["notice_read"]


def test_each_type_becomes_what_it_is() -> None:
    answers = read(
        "fraud",
        money_lost="yes",
        amount="1.500,50",
        ids_given_away=["id_card", "photos", "id_card"],
        when="11/2026",
        reporting_from="europe",
        **{
            "amount-currency": "EUR",
            "when-ongoing": "yes",
            "payments-0-date": "22/11/2026",
            "payments-0-amount": "٧٥٠",
            "payments-0-currency": "MAD",
            "payments-0-card_last4": "4321",
            "payments-2-bank": "A bank",
            "place-city": "Fes",
            "suspect-phones": ["0612345678", ""],
            "urls": ["http://one.example", "  ", "two.example"],
        },
    )
    assert answers.errors == ()
    assert answers.fields["amount"] == {"value": "1500.50", "currency": "EUR"}
    assert answers.fields["ids_given_away"] == ["id_card", "photos"]
    assert answers.fields["when"] == {"date": "2026-11", "ongoing": True}
    assert answers.fields["payments"] == [
        {"date": "2026-11-22", "amount": "750", "currency": "MAD", "card_last4": "4321"},
        {"bank": "A bank"},
    ]
    assert answers.fields["place"] == {"city": "Fes"}
    assert answers.fields["suspect"] == {"phones": ["0612345678"]}
    assert answers.fields["urls"] == ["http://one.example", "two.example"]


def test_still_going_on_needs_no_date_and_a_date_needs_no_tick() -> None:
    assert read("fraud", **{"when-ongoing": "yes"}).fields["when"] == {"ongoing": True}
    assert read("fraud", when="2026").fields["when"] == {"date": "2026"}


def test_each_wrong_value_is_named_at_its_own_input() -> None:
    answers = read(
        "fraud",
        money_lost="yes",
        amount="100",
        scam_type="witchcraft",
        when="soon",
        ids_given_away=["soul"],
        urls=["x"] * 21,
        **{
            "amount-currency": "XXX",
            "payments-0-wallet_phone": "none",
            "payments-1-amount": "lots",
            "suspect-phones": ["zero"],
        },
    )
    assert wrong(answers) == {
        "scam_type": "error.choose",
        "amount-currency": "error.choose",
        "when": "error.date",
        "ids_given_away": "error.choose",
        "urls": "error.too_many",
        "payments-0-wallet_phone": "error.phone",
        "payments-1-amount": "error.amount",
        "suspect-phones": "error.phone",
    }


def test_an_amount_that_is_wrong_asks_for_no_currency() -> None:
    assert wrong(read("fraud", money_lost="yes", amount="lots")) == {"amount": "error.amount"}
    answers = read("fraud", money_lost="yes", amount="12")
    assert answers.fields["amount"] == {"value": "12", "currency": "MAD"}


def test_i_do_not_know_is_an_answer_where_the_data_says_so() -> None:
    assert read("sextortion").fields["accounts"] == "unknown"
    known = read("sextortion", **{"accounts-unknown": None, "accounts-0-phone": "0612345678"})
    assert known.fields["accounts"] == [{"phone": "0612345678"}]
    assert read("threats", weapon_seen="unknown").fields["weapon_seen"] == "unknown"
    wrong_phone = read("sextortion", **{"accounts-unknown": None, "accounts-0-phone": "no"})
    assert wrong(wrong_phone) == {"accounts-0-phone": "error.phone"}


def test_a_name_goes_apart_and_is_asked_for_only_with_full_identity() -> None:
    contact = {"identity-phone": "0612345678", "identity-name": "Fatima"}
    answers = read("threats", identity_mode="contact_only", **{"identity-phone": "0612345678"})
    assert answers.errors == ()
    assert answers.sealed_apart == {"identity": {"phone": "0612345678"}}
    answers = read("threats", identity_mode="full_identity", **contact)
    assert answers.sealed_apart == {"identity": {"phone": "0612345678", "name": "Fatima"}}
    assert "identity" not in answers.fields
    assert wrong(read("threats", identity_mode="contact_only")) == {
        "identity-phone": "error.contact"
    }
    assert wrong(
        read("threats", identity_mode="full_identity", **{"identity-email": "a@b.ma"})
    ) == {"identity-name": "error.required"}


def test_rows_grow_with_what_was_posted_and_never_beyond_what_is_allowed() -> None:
    payments = next(one for one in form("fraud").fields() if one.id == "payments")
    urls = next(one for one in form("fraud").fields() if one.id == "urls")
    assert row_count(payments, MultiDict()) == 1
    assert row_count(payments, MultiDict({"payments-3-bank": ""})) == 4
    assert row_count(payments, MultiDict({"payments-999-bank": ""})) == payments.max_items
    assert row_count(urls, MultiDict([("urls", "a"), ("urls", "")])) == 2
