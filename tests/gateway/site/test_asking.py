"""A neighbour behind the same address who asks without end costs nobody what they wrote."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

import pytest

from crypto.receipt import ReceiptCode
from gateway.budgets import ASKING, WORK
from gateway.patience import Patience, PatientSocket
from tests.support.media import phone_photo
from tests.support.rehearsal import Rehearsal, TestClock
from tests.support.reporter import form_to
from tests.support.site import ANSWERS, COMMON, Writer, code_of, kept_files, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


LONG = "What took an hour to write. " * 50
PHOTO = phone_photo(b"CANARY-7f3a91", width=16, height=16)


@pytest.fixture
def crowd(client: FlaskClient) -> Iterator[FlaskClient]:
    """A browser behind an address that may ask for nothing more."""
    ours, theirs = socket.socketpair()
    with PatientSocket(ours, Patience.of(30), source=b"s" * 16) as patient, theirs:
        client.environ_base.update({"gunicorn.socket": cast("str", patient)})
        yield client


def clock_of(rehearsal: Rehearsal) -> TestClock:
    assert isinstance(rehearsal.clock, TestClock)
    return rehearsal.clock


def flood(client: FlaskClient) -> None:
    """Ask for pages until none comes."""
    for _ in range(ASKING.burst):
        client.get("/turn.js")
    assert client.get("/en/").status_code == 429


def flood_of_words(client: FlaskClient) -> None:
    """Bring something until nothing more is taken."""
    flood(client)
    for _ in range(WORK.burst + 1):
        answer = client.post("/en/write", data={"x": "1"})
    assert answer.status_code == 429


def form(token: str, **changes: object) -> dict[str, object]:
    return {"token": token, "action": "send", **COMMON, **ANSWERS["fraud"], **changes}


def again(client: FlaskClient, page: TestResponse, ending: str) -> TestResponse:
    """Press the waiting page's button."""
    waits = form_to(page.text, ending)
    data: dict[str, list[str]] = {}
    for name, value in waits.values:
        data.setdefault(name, []).append(value)
    return client.post(waits.action, data=data, content_type="multipart/form-data")


@pytest.mark.claim("C-TURN")
@pytest.mark.claim("C-TYPED")
def test_a_flood_of_pages_leaves_a_report_with_its_file_alone(
    rehearsal: Rehearsal, crowd: FlaskClient
) -> None:
    writer = Writer(crowd)
    page = writer.begin()
    flood(crowd)
    sent = writer.send(page, changes={"description": LONG}, files=(("a.jpg", PHOTO),))
    assert code_of(sent)
    assert rehearsal.report(rehearsal.only_case()).fields["description"] == LONG.strip()
    assert kept_files(sent) == ["photo-1.jpg"]


@pytest.mark.claim("C-TURN")
@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_flood_of_words_leaves_a_report_in_a_page_that_goes_on(
    rehearsal: Rehearsal, crowd: FlaskClient, kind: str
) -> None:
    token = token_of(Writer(crowd).begin())
    flood_of_words(crowd)
    data = form(token, description=LONG, urls=["example.org/a", "example.org/b"])
    page = crowd.post("/en/send", data=data, content_type=kind)
    assert page.status_code == 429
    assert 'class="turn"' in page.text
    assert LONG in page.text
    seconds = int(page.headers["Retry-After"])
    assert rehearsal.stored() == ()
    # Asked early, it is kept as it is.
    early = again(crowd, page, "/send")
    assert 'class="turn"' in early.text
    assert LONG in early.text
    assert 'name="asked"' in early.text
    # At its time it goes on, though the flood does, and once.
    clock_of(rehearsal).ticks += seconds
    flood_on(crowd)
    assert code_of(again(crowd, page, "/send"))
    report = rehearsal.report(rehearsal.only_case())
    assert report.fields["description"] == LONG.strip()
    assert report.fields["urls"] == ["example.org/a", "example.org/b"]
    flood_on(crowd)
    assert again(crowd, page, "/send").status_code == 429


def flood_on(client: FlaskClient) -> None:
    """Use up what the time has given back."""
    for _ in range(ASKING.burst):
        client.get("/turn.js")
    while client.post("/en/write", data={"x": "1"}).status_code != 429:
        pass


@pytest.mark.claim("C-TURN")
@pytest.mark.claim("C-TYPED")
def test_a_flood_leaves_a_message_and_a_code_in_a_page(
    rehearsal: Rehearsal, crowd: FlaskClient
) -> None:
    writer = Writer(crowd)
    code = code_of(writer.report())
    talk = writer.open(code)
    flood_of_words(crowd)
    data = {"token": token_of(talk), "text": LONG, "action": "send"}
    waiting = crowd.post("/en/message", data=data)
    assert waiting.status_code == 429
    assert LONG in waiting.text
    digits = code.replace(" ", "")
    asked = crowd.post("/en/thread", data={"code": digits, "text": LONG})
    assert asked.status_code == 429
    assert digits not in asked.text
    assert LONG in asked.text
    mistyped = crowd.post("/en/thread", data={"code": digits[:-1]})
    assert digits[:-1] in mistyped.text
    clock_of(rehearsal).ticks += int(mistyped.headers["Retry-After"])
    flood_on(crowd)
    sent = again(crowd, waiting, "/message")
    assert sent.status_code == 200
    assert rehearsal.follow_ups(rehearsal.only_case())[0].text == LONG.strip()
    opened = again(crowd, asked, "/thread")
    assert opened.status_code == 200
    assert LONG in opened.text


@pytest.mark.claim("C-TURN")
def test_what_no_page_can_keep_gets_a_page_that_says_when(
    rehearsal: Rehearsal, crowd: FlaskClient
) -> None:
    page = Writer(crowd).begin()
    flood_of_words(crowd)
    small = Writer(crowd).send(page, files=(("a.jpg", PHOTO),))
    long = Writer(crowd).send(page, files=(("a.jpg", bytes(5 << 20)),))
    for answer in (small, long, crowd.get("/en/")):
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) == 60
        assert 'class="turn"' not in answer.text
    assert rehearsal.stored() == ()
    # Its style, and the script with which a page goes on, come all the same.
    for path in ("/style.css", "/turn.js"):
        assert crowd.get(path).status_code == 200


@pytest.mark.claim("C-TURN")
@pytest.mark.parametrize("asked", ["", "x", "forged", "old", "unpromised"])
def test_only_a_time_that_was_given_lets_anybody_on(
    rehearsal: Rehearsal, crowd: FlaskClient, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(Writer(crowd).begin())
    flood_of_words(crowd)
    if asked == "unpromised":
        monkeypatch.setattr("gateway.turns.LONGEST_SECONDS", -1e9)
    page = crowd.post("/en/send", data=form(token))
    given: Mapping[str, str] = dict(form_to(page.text, "/send").values)
    if asked in {"", "x"}:
        given = {**given, "asked": asked}
    elif asked == "forged":
        given = {**given, "asked": given["token"]}
    clock_of(rehearsal).ticks += 3000 if asked != "old" else 60
    clock_of(rehearsal).seconds += 10**6 if asked == "old" else 0
    flood_on(crowd)
    answer = crowd.post("/en/send", data=given)
    assert answer.status_code == 429
    assert rehearsal.stored() == ()


def test_a_code_waits_for_its_own_turn_even_here(crowd: FlaskClient) -> None:
    flood_of_words(crowd)
    page = crowd.post("/en/thread", data={"code": ReceiptCode.generate().digits})
    assert 'name="turn"' in page.text
    assert 'name="turn"' in again(crowd, page, "/thread").text
