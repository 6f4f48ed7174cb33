"""Custody on the pages: ask, carry, answer, open; and what was opened is on one page only."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from tests.desk.custody.conftest import NAME, Office
from tests.desk.forms import seen
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

BIND = Bind("127.0.0.1", 8002)
FORM = {
    "Host": "127.0.0.1:8002",
    "Origin": "http://127.0.0.1:8002",
    "Sec-Fetch-Site": "same-origin",
}


def browser(office: Office, who: str) -> FlaskClient:
    """A browser that was let in to somebody's desk."""
    link = OneTimeLink()
    client = create_pages(office.desk(who), BIND, link).test_client()
    assert client.get(f"/link/{link.token}", headers=FORM).status_code == 303
    return client


def post(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    """Send a form of the case's page as it is now, or of the custodian's own page."""
    address = seen(client, path) if path.startswith("/case/") else path
    return client.post(address, headers=FORM, data=data)


def uploaded(*texts: str) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(text.encode()), f"{n}.txt") for n, text in enumerate(texts)]


def test_an_operator_asks_on_the_page_and_opens_with_what_the_custodians_answered(
    office: Office,
) -> None:
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    page = client.get(path, headers=FORM).text
    assert "Ask the custodians for it" in page
    assert "locked" in page
    asked = post(client, f"{path}/identity/ask", text="They <b>must</b> be warned.")
    assert (asked.status_code, asked.location) == (303, path)
    page = client.get(path, headers=FORM).text
    assert "Carry the request to the custodians" in page
    assert "They &lt;b&gt;must&lt;/b&gt; be warned." in page
    (letter,) = re.findall(rf"{path}/identity/[0-9a-f]{{64}}/letter", page)
    download = client.get(letter, headers=FORM)
    assert download.headers["Content-Disposition"].startswith("attachment; filename=")
    assert download.headers["Cache-Control"] == "no-store"
    yes = [office.yes(number, download.text) for number in (1, 2)]
    opening = letter.replace("/letter", "/open")
    few = post(client, opening, answers=uploaded(yes[0]))
    assert few.status_code == 422
    assert "2 custodians must say yes" in html.unescape(few.text)
    assert NAME not in few.text
    opened = post(client, opening, answers=uploaded(yes[0]), pasted=f"{yes[1]}\n")
    assert opened.status_code == 200
    assert NAME in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert "custodian 2" in opened.text
    again = client.get(path, headers=FORM).text
    assert NAME not in again
    assert "opened the identity on request" in again
    assert client.get(letter, headers=FORM).status_code == 404
    assert post(client, opening, answers=uploaded(*yes)).status_code == 422


def test_a_refusal_that_is_uploaded_stands_in_the_journal_at_once(office: Office) -> None:
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    asked = office.ask()
    no = office.no(3, asked.text, "Ask <b>a judge</b>.")
    page = post(client, f"{path}/identity/{asked.id.hex()}/open", answers=uploaded(no))
    assert page.status_code == 422
    for shown in (page.text, browser(office, "operator 2").get(path, headers=FORM).text):
        text = " ".join(re.sub(r"<[^>]*>", " ", html.unescape(shown)).split())
        assert "Refused by custodian 3 on 22 Nov 2026" in text
        assert f"custodian 3 refused request {asked.id.hex()[:8]}" in text
        assert "Ask &lt;b&gt;a judge&lt;/b&gt;." in shown


def test_what_cannot_be_asked_is_said_and_the_reason_comes_back(office: Office) -> None:
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    refused = post(client, f"{path}/identity/ask", text="x" * 4001)
    assert refused.status_code == 422
    assert "A reason is needed" in refused.text
    assert "x" * 4001 in refused.text
    office.reporter = Reporter(office.world)
    office.server.put(*office.reporter.report())
    office.desk("operator 1")
    path = f"/case/{office.reporter.case.hex()}"
    assert "Ask the custodians" not in client.get(path, headers=FORM).text
    assert "neither a name" in post(client, f"{path}/identity/ask", text="x").text


def test_a_request_that_waits_offline_says_so(office: Office) -> None:
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    post(client, f"{path}/identity/ask", text="x")
    assert "it goes out at the next sync" in client.get(path, headers=FORM).text


def test_an_identity_that_was_left_empty_says_so_and_an_entry_that_waits(office: Office) -> None:
    office.reporter = Reporter(office.world)
    office.server.put(*office.reporter.report(identity_mode="contact_only"))
    asked = office.ask()
    yes = [office.yes(number, asked.text) for number in (1, 3)]
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    opened = post(client, f"{path}/identity/{asked.id.hex()}/open", answers=uploaded(*yes))
    assert "the reporter left it so" in opened.text
    assert "goes out at the next sync" in opened.text


def test_another_operators_request_is_seen_and_not_opened(office: Office) -> None:
    asked = office.ask()
    client, path = browser(office, "operator 2"), f"/case/{office.reporter.case.hex()}"
    page = client.get(path, headers=FORM).text
    assert "Only who asked can open it." in page
    name = asked.id.hex()
    assert client.get(f"{path}/identity/{name}/letter", headers=FORM).status_code == 404
    refused = post(client, f"{path}/identity/{name}/open", pasted=asked.text)
    assert "no such request of this desk" in html.unescape(refused.text)
    for bad in ("zz", "00"):
        assert post(client, f"{path}/identity/{bad}/open").status_code == 422


def test_requests_that_are_old_or_written_elsewhere_say_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = office.ask()
    desk = office.desk("operator 1")
    client, path = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}"
    desk.store.note(f"custody-request:{asked.id.hex()}", "")
    assert "file was written elsewhere" in client.get(path, headers=FORM).text
    monkeypatch.setattr("desk.custody_letters.DAYS_MOST", -1)
    assert "Out of date: ask anew." in client.get(path, headers=FORM).text


@pytest.mark.parametrize("by", ["file", "paste"])
def test_a_custodian_reads_and_says_yes_or_no_on_their_own_pages(office: Office, by: str) -> None:
    asked = office.ask("They must be warned.")
    client = browser(office, "custodian 1")
    case_page = client.get(f"/case/{office.reporter.case.hex()}", headers=FORM).text
    assert "Answer an operator’s request" in case_page
    assert "Read it" in client.get("/custody", headers=FORM).text
    given = {"answers": uploaded(asked.text)} if by == "file" else {"pasted": asked.text}
    page = post(client, "/custody/read", **given).text
    assert "operator 1" in page
    assert "They must be warned." in page
    (letter,) = set(re.findall(r'name="letter" value="([^"]+)"', page))
    text = html.unescape(letter)
    yes = post(client, "/custody/answer", letter=text, answer="yes")
    assert yes.headers["Content-Disposition"].startswith("attachment; filename=")
    assert len(office.open(asked, yes.text, office.yes(2, asked.text)).identities) == 1
    no = post(client, "/custody/answer", letter=text, answer="no", text="Not so.")
    assert "BEGIN AMANA CUSTODY ANSWER" in no.text
    kept = client.get("/custody", headers=FORM).text
    assert "Answered on this desk" in kept
    assert "<b>Yes</b>" in kept
    assert "<b>No</b>" in kept
    without = post(client, "/custody/answer", letter=text, answer="no", text="  ")
    assert (without.status_code, "A reason is needed" in without.text) == (422, True)
    assert "They must be warned." in without.text


def test_a_custodian_is_told_what_is_no_request(office: Office) -> None:
    client = browser(office, "custodian 1")
    for given in (
        {"pasted": "hello"},
        {"pasted": ""},
        {"answers": uploaded("é")},
        {"pasted": office.ask().text * 2},
    ):
        refused = post(client, "/custody/read", **given)
        assert refused.status_code == 422
        assert "no letter between desks" in refused.text
    refused = post(client, "/custody/answer", letter="x", answer="yes")
    assert (refused.status_code, "no letter between desks" in refused.text) == (422, True)


def test_an_operator_is_told_to_carry_it_to_a_custodian(office: Office) -> None:
    asked = office.ask()
    client = browser(office, "operator 1")
    refused = post(client, "/custody/answer", letter=asked.text, answer="yes")
    assert "Carry the request to them" in refused.text


def test_a_letter_from_elsewhere_is_not_taken_from_another_site(office: Office) -> None:
    client = browser(office, "custodian 1")
    strange = {**FORM, "Origin": "http://evil.example"}
    assert client.post("/custody/answer", headers=strange, data={}).status_code == 403
