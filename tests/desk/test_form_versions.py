"""A report is read with whatever form it was written: old, new, or one that nobody here knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from desk.console import print_case
from desk.form_ids import CHOICES, DANGERS
from desk.summary import case_json
from desk.words import answers
from gateway.site.forms import load_forms
from gateway.site.schema import CHOICES as CHOICE_TYPES
from gateway.site.schema import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desk.cases import Case
    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.world import Reporter

    Read = Callable[[], Case]

# As the form of version 1 sealed them (nine of its questions; it had three categories).
VERSION_1: dict[str, Any] = {
    "role": "for_someone_else",
    "scam_type": "purchase_or_rental",
    "money_lost": "yes",
    "amount": {"value": "1500.50", "currency": "MAD"},
    "payments": [{"method": "cash_agency", "mtcn_or_ref": "ref_77_b", "agency": "wafa_cash"}],
    "bank_alerted": "no",
    "accounts": [{"platform": "facebook", "handle": "crypto_king_77"}],
    "when": {"date": "2026-11", "ongoing": True},
    "suspect": {"known": "online_only", "phones": ["0600", "0700"]},
}
VERSION_2: dict[str, Any] = {
    "role": "professional",
    "kind": "sim_swap",
    "affected": ["personal", "company"],
    "urls": "unknown",
    "still_locked_out": "unknown",
    "login_traces": [{"time": "2026-11-22T14:30", "ip": "192.0.2.7", "device": "old_phone"}],
    "incident_reported_to_macert": "no",
}


# Version: what was sealed, and what is shown of it.
REPORTS: dict[int, tuple[dict[str, Any], dict[str, tuple[str, ...]]]] = {
    1: (
        VERSION_1,
        {
            "Role": ("For someone else",),
            "Scam type": ("Purchase or rental",),
            "Money lost": ("Yes",),
            "Amount": ("1500.50 MAD",),
            "Payments": ("Agency: wafa_cash; Method: Cash agency; Transfer reference: ref_77_b",),
            "Bank alerted": ("No",),
            "Accounts": ("Handle: crypto_king_77; Platform: Facebook",),
            "When it happened": ("Date: 2026-11; Ongoing: Yes",),
            "Suspect": ("Known: Online only; Phones: 0600, 0700",),
        },
    ),
    2: (
        VERSION_2,
        {
            "Role": ("Professional",),
            "Kind": ("SIM swap",),
            "Affected": ("Personal", "Company"),
            "Addresses (links)": ("unknown",),
            "Still locked out": ("Unknown",),
            "Login traces": ("Device: old_phone; IP address: 192.0.2.7; Time: 2026-11-22T14:30",),
            "Reported to maCERT": ("No",),
        },
    ),
    77: (
        {
            "of_a_newer_form": "an_id_nobody_knows",
            "nested": {"deep": [{"er": "x_y"}]},
            "count": 0,
            "told": False,
        },
        {
            "Of a newer form": ("an_id_nobody_knows",),
            "Nested": ("Deep: Er: x_y",),
            "Count": ("0",),
            "Told": ("No",),
        },
    ),
}


def fields_of(form_fields: Iterator[Field]) -> Iterator[Field]:
    for one in form_fields:
        yield one
        yield from one.columns


def test_the_desk_knows_every_question_of_choice_that_the_form_asks() -> None:
    asked = [one for form in load_forms(None).schema.categories for one in fields_of(form.fields())]
    choices = {one.id for one in asked if one.type in CHOICE_TYPES} | {"currency", "danger_now"}
    assert choices == CHOICES
    # None of them is a question of free text elsewhere: what was typed is never read as an id.
    assert CHOICES.isdisjoint(one.id for one in asked if one.type not in CHOICE_TYPES)
    offered: dict[str, set[str]] = {}
    for one in asked:
        offered.setdefault(one.id, set()).update(one.options)
    for name, values in DANGERS.items():
        assert name == "danger_now" or values <= offered[name], name


@pytest.mark.parametrize("version", REPORTS)
def test_a_report_of_any_version_is_shown_without_loss(
    desk: Desk,
    reporter: Reporter,
    sync: Synced,
    read: Read,
    version: int,
) -> None:
    fields, shown = REPORTS[version]
    sync(*reporter.report(form_version=version, **fields))
    case = read()
    found = dict(answers(case.fields))
    assert {name: found[name] for name in shown} == shown
    assert set(found) == {*shown, "Somebody in danger now", "Description"}
    whole = case_json(desk, case)
    assert whole["form_version"] == version
    assert whole["fields"] == {"danger_now": "no", "description": "They took my money.", **fields}
    console = Console(width=200, highlight=False)
    with console.capture() as capture:
        print_case(console, desk, case)
    for name, lines in shown.items():
        assert name in capture.get()
        for line in lines:
            assert line in capture.get()


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        ("csam", {"what": "child_exploited_now"}),
        ("csam", {"what": "adult_contacting_child"}),
        ("csam", {"child_known": "it_is_me"}),
        ("csam", {"meeting_planned": "yes"}),
        ("sextortion", {"victim_minor": "yes"}),
        ("sextortion", {"victim_minor": "unsure"}),
        ("incitement", {"people_at_risk": ["identified_victim", "minor"]}),
        ("harassment", {"target": "a_child"}),
        ("harassment", {"suspect_near_victim": "unsure"}),
        ("threats", {"suspect_near_victim": "lives_with"}),
        ("terrorism", {"imminent": "unsure"}),
    ],
)
def test_a_child_at_risk_and_a_life_in_danger_come_first(
    reporter: Reporter, sync: Synced, read: Read, category: str, fields: dict[str, Any]
) -> None:
    sync(*reporter.report(category=category, form_version=2, **fields))
    assert read().danger


@pytest.mark.parametrize(
    "fields", [{"child_known": "no"}, {"what": ["x"]}, {"what": {"a": "b"}}, {"imminent": True}]
)
def test_other_answers_are_no_danger(
    reporter: Reporter, sync: Synced, read: Read, fields: dict[str, Any]
) -> None:
    sync(*reporter.report(category="csam", form_version=2, **fields))
    assert not read().danger
