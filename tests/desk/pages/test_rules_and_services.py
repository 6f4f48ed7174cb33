"""The rules for somebody who never saw them, and services' keys that are compared before bound."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING

import pytest
from markupsafe import escape

from crypto.package import service_fingerprint, service_to_text
from crypto.package_opening import ServicePrivateKey
from desk import rulebook
from desk.desk import Desk
from desk.rules import FACTS, MOMENTS, NEEDS, load
from desk.transmission import services
from tests.desk.pages.test_home import browser, text
from tests.desk.running import done
from tests.desk.test_statuses import FORM

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from crypto.keys import ServicePublicKey
    from tests.desk.running import Run

UNIT = "cyber_unit"


def key(number: int = 7) -> ServicePublicKey:
    return ServicePrivateKey(bytes([number]) * 32).public


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return browser(desk)


def read(client: FlaskClient, pasted: str, service: str = UNIT) -> TestResponse:
    form = {"service": service, "pasted": pasted}
    return client.post("/services/read", headers=FORM, data=form)


def hidden(page: str) -> dict[str, str]:
    """The second form, as the page has it."""
    form = page.split('action="/services/bind"', 1)[1].split("</form>", 1)[0]
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


# --- rules


def test_every_thing_of_the_rules_is_on_the_page_in_words_and_by_its_id(
    desk: Desk, client: FlaskClient
) -> None:
    page = client.get("/rules", headers=FORM).text
    plain = text(client, "/rules")
    rules = desk.rules
    for things in (
        rules.states, rules.clocks, rules.outcomes, rules.services, rules.bases, rules.tags,
        rules.reasons, rules.instructions, rules.answers,
    ):  # fmt: skip
        for one in things.values():
            assert html.escape(one.said()) in page, one.id
            assert f">{one.id}</code>" in page, one.id
    for one in rules.priorities.values():
        assert f"{one.id} {one.said()}" in plain
    for said in (
        rules.digest, "Amana’s own", "Every case begins here.", "fast lane", "Four eyes",
        "From when the report comes , until the reporter is answered : 7 days .",
        "Only for these priorities", "Only where the reporter gave a name",
        "It ends an earlier “ Wanted notice issued ” of the same person.",
    ):  # fmt: skip
        assert said.replace(" ", "") in plain.replace(" ", ""), said
    assert 'href="#state-triage"' in page
    for answer in rules.answers.values():
        for language, written in answer.text.items():
            assert f'lang="{language}"' in page
            assert str(escape(written)) in page


def test_an_institutions_own_rules_are_shown_and_not_ours(desk: Desk) -> None:
    words = 'words = { en = "A", fr = "B", ar = "C" }'
    desk.home.rules.write_text(
        f"version = 1\n[states.received]\n{words}\n[states.lonely]\n{words}\n"
        f"[priorities.P1]\n{words}\nusual = true\n[clocks.c]\n{words}\nfrom = 'received'\n"
        "until = ['left:received', 'lonely']\ndays = 0\nonly = 'anonymous'\n"
    )
    own = Desk.open(desk.home, desk.keyring, today=desk.today)
    page = text(browser(own), "/rules")
    for said in (
        "in this desk’s folder", "No state leads here.", "This state leads nowhere.",
        "the same day", "Only where the report is anonymous.", "None.",
    ):  # fmt: skip
        assert said in page, said
    assert "Triage" not in page
    assert "The rules name no service." in text(browser(own), "/services")
    assert "leads to: -" in "\n".join(rulebook.lines(own.rules))


def test_every_rule_that_a_state_or_a_clock_can_name_has_words() -> None:
    rules = load()
    assert set(rulebook.NEEDS) == set(NEEDS)
    assert set(rulebook.FACTS) == set(FACTS)
    assert set(rulebook.MOMENTS) == set(MOMENTS)
    for clock in rules.clocks.values():
        assert list(rulebook.of_clock(rules, clock))


# --- services


def test_a_key_is_bound_by_the_second_press_and_by_no_other(
    desk: Desk, client: FlaskClient
) -> None:
    assert "No key on this desk yet" in text(client, "/services")
    shown = read(client, f"\n {service_to_text(key())}\n").text
    assert service_fingerprint(key()) in shown
    assert "Nothing is bound yet" in shown
    assert services.found(desk, UNIT).key is None
    form = hidden(shown)
    answer = client.post("/services/bind", headers=FORM, data=form)
    assert answer.location == f"/services#service-{UNIT}"
    page = text(client, "/services")
    assert "What goes to Specialised cybercrime unit is sealed to this key" in page
    assert service_fingerprint(key()) in page
    assert services.key_of(desk, UNIT) == key()
    assert "has already" in read(client, service_to_text(key())).text


def test_a_key_can_be_uploaded(client: FlaskClient) -> None:
    file = (io.BytesIO(service_to_text(key()).encode()), "unit.pub")
    form = {"service": UNIT, "file": file, "pasted": ""}
    page = client.post("/services/read", headers=FORM, data=form).text
    assert service_fingerprint(key()) in page
    odd = {"service": UNIT, "file": (io.BytesIO(b"\xff\xfe" * 9000), "x"), "pasted": ""}
    assert client.post("/services/read", headers=FORM, data=odd).status_code == 422


def test_another_key_takes_the_place_of_the_first_and_it_is_said(
    desk: Desk, client: FlaskClient, run: Run, tmp_path: Path
) -> None:
    services.bind(desk, UNIT, key())
    shown = read(client, service_to_text(key(9))).text
    assert "takes the place of another key" in shown
    assert service_fingerprint(key())[:11] in shown
    form = hidden(shown)
    # Somebody brings in a third one at a terminal meanwhile: what was shown is not there any more.
    path = tmp_path / "third.pub"
    path.write_text(service_to_text(key(8)))
    told = run("service-key", UNIT, str(path), "--fingerprint", service_fingerprint(key(8)))
    assert service_fingerprint(key()) in told.stderr
    refused = client.post("/services/bind", headers=FORM, data=form)
    assert refused.status_code == 422
    assert "meanwhile" in refused.text
    assert services.key_of(desk, UNIT) == key(8)
    again = hidden(read(client, service_to_text(key(9))).text)
    assert client.post("/services/bind", headers=FORM, data=again).status_code == 303
    assert services.key_of(desk, UNIT) == key(9)


def test_what_is_no_key_or_anothers_is_refused_where_it_was_typed(
    desk: Desk, client: FlaskClient
) -> None:
    services.bind(desk, "regional_unit", key(5))
    line = service_to_text(key()).strip()
    for typed, why in (
        ("hello <b>", "no service&#39;s public key"),
        (line[:-1] + ("A" if line[-1] != "A" else "B"), "a character of it was changed"),
        ("", "no service&#39;s public key"),
        (service_to_text(key(5)), "already <bdi>regional_unit</bdi>&#39;s"),
    ):
        for path, form in (
            ("/services/read", {"service": UNIT, "pasted": typed}),
            ("/services/bind", {"service": UNIT, "key": typed}),
        ):
            answer = client.post(path, headers=FORM, data=form)
            assert answer.status_code == 422, typed
            assert why in answer.text, (typed, path)
    assert "hello &lt;b&gt;</textarea>" in read(client, "hello <b>").text
    strange = read(client, line, service="nobody")
    assert (strange.status_code, "know no such service" in strange.text) == (422, True)
    assert services.found(desk, UNIT).key is None


def test_a_damaged_file_is_told_beside_the_others_and_can_be_replaced(
    desk: Desk, client: FlaskClient, run: Run
) -> None:
    services.bind(desk, UNIT, key())
    (desk.home.services / f"{UNIT}.pub").write_text("x")
    assert "Its file was damaged" in text(client, "/services")
    assert "DAMAGED" in done(run("services"))
    form = hidden(read(client, service_to_text(key())).text)
    assert client.post("/services/bind", headers=FORM, data=form).status_code == 303
    assert services.key_of(desk, UNIT) == key()
