"""A stay that was left: what is posted from it again is answered by a page that says nothing."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from werkzeug.exceptions import TooManyRequests

from crypto.ids import Day
from crypto.token import TokenKey, seal_token
from gateway.site.app import HERE
from gateway.site.stays import Heard
from tests.support.site import Writer, code_of, token_of
from vault.statements import LEFT, LEFT_DAYS

if TYPE_CHECKING:
    from flask import Request
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.rehearsal import Rehearsal

OVER = "This page is over"
STAY = re.compile(r'<input type="hidden" name="stay" value="([^"]+)">')
MULTIPART = "multipart/form-data; boundary=b"


def stay_of(page: TestResponse) -> str:
    """The page's stay, which is one and the same in each of its forms."""
    found = set(STAY.findall(page.text))
    assert len(found) == 1, found
    return str(found.pop())


def leave(client: FlaskClient, stay: str) -> None:
    assert client.post("/en/leave", data={"stay": stay}).status_code == 200


def is_over(client: FlaskClient, stay: str, path: str = "/en/device") -> bool:
    page = client.post(path, data={"stay": stay})
    assert page.status_code in {200, 410, 422}
    return page.status_code == 410


@pytest.mark.claim("C-LEAVE")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_every_form_of_a_stay_that_was_left_gets_the_same_page(
    client: FlaskClient, lang: str
) -> None:
    writer = Writer(client, lang)
    stay = stay_of(client.get(f"/{lang}/"))
    form = client.post(
        f"/{lang}/write", data={"stay": stay, "category": "fraud", "danger_now": "no"}
    )
    receipt = writer.send(form, changes={"stay": stay_of(form)})
    code = code_of(receipt)
    talk = client.post(f"/{lang}/thread", data={"stay": stay_of(receipt), "code": code})
    bodies: dict[str, dict[str, object]] = {
        "": {},
        "write": {"category": "fraud", "danger_now": "no"},
        "send": {"token": token_of(form), "description": "He waits."},
        "confirm": {"token": token_of(receipt)},
        "thread": {"code": code},
        "message": {"token": token_of(talk), "text": "He waits."},
        "device": {},
        "about": {},
        "data": {},
    }
    leave(client, stay_of(talk))
    pages = {
        name: client.post(f"/{lang}/{name}", data={"stay": stay_of(page), **body})
        for page in (form, talk)
        for name, body in bodies.items()
    }
    texts = {STAY.sub("", page.text) for page in pages.values()}
    assert {page.status_code for page in pages.values()} == {410}
    assert len(texts) == 1
    assert "He waits." not in texts.pop()
    # Nothing there goes on with the stay that is over: what begins from it is new.
    assert not STAY.search(pages["send"].text)
    assert not STAY.search(client.post("/", data={"stay": stay}).text)
    assert client.get(f"/{lang}/").status_code == 200


@pytest.mark.claim("C-LEAVE")
def test_all_pages_that_answer_a_form_carry_its_stay(client: FlaskClient) -> None:
    first = stay_of(client.get("/en/"))
    page = client.post("/", data={"stay": first})
    for path in ("/en/", "/en/about", "/en/data", "/en/thread", "/en/device"):
        page = client.post(path, data={"stay": stay_of(page)})
        assert page.status_code == 200
        # No way on that loses it: a link would begin a new one.
        hrefs = set(re.findall(r'href="(/[^"]*)"', page.text)) - {"/style.css"}
        assert not hrefs, path
    leave(client, stay_of(page))
    assert is_over(client, first)


@pytest.mark.claim("C-LEAVE")
def test_a_stay_is_answered_for_as_long_as_it_is_remembered_whether_it_was_left(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = rehearsal.clock.today()
    monkeypatch.setattr(type(rehearsal.clock), "today", lambda _: day)
    monkeypatch.setattr(rehearsal.vault, "_today", lambda: day)
    client = rehearsal.site_client()
    left, other = (stay_of(client.get("/en/")) for _ in range(2))
    leave(client, left)
    leave(client, left)
    assert not is_over(client, other)
    for _ in range(LEFT_DAYS + 2):
        rehearsal.vault.expire()
        assert is_over(client, left)
        day = Day(day + 1)
    # Nobody remembers any more, and nobody needs to: it is too old.
    assert is_over(client, other)
    assert not is_over(client, stay_of(client.get("/en/thread")))


@pytest.mark.claim("C-LEAVE")
def test_a_stay_of_a_day_to_come_is_over(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that went back would else let a stay outlive the memory that it was left.
    day = rehearsal.clock.today()
    monkeypatch.setattr(type(rehearsal.clock), "today", lambda _: day)
    client = rehearsal.site_client()
    stay = stay_of(client.get("/en/"))
    assert not is_over(client, stay)
    day = Day(day - 1)
    assert is_over(client, stay)


@pytest.mark.claim("C-LEAVE")
def test_what_is_no_stay_of_ours_is_over(client: FlaskClient) -> None:
    foreign = seal_token(TokenKey.generate(), "stay", bytes(20))
    for stay in ("nonsense", foreign, "a" * 5000):
        assert is_over(client, stay)
        leave(client, stay)
    # A form without one, of an older page, is answered as ever.
    assert client.post("/en/device", data={"stay": ""}).status_code == 200


def test_of_a_stay_that_was_left_a_day_is_kept_and_nothing_that_opens_it(
    rehearsal: Rehearsal, client: FlaskClient
) -> None:
    stay = stay_of(client.get("/en/"))
    leave(client, stay)
    with rehearsal.vault._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT keyid, nonce, day FROM nonces").all()
    assert [(row[0], len(row[1]), row[2]) for row in rows] == [
        (LEFT, 16, Day(rehearsal.clock.today()))
    ]
    # Leaving what brings no stay writes nothing.
    client.post("/en/leave", data={})
    client.get("/en/leave")
    with rehearsal.vault._database.reading() as connection:
        assert len(connection.exec_driver_sql("SELECT * FROM nonces").all()) == 1


@pytest.mark.claim("C-LEAVE")
def test_nobody_is_kept_by_an_error_of_ours(
    rehearsal: Rehearsal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("a full disk")

    receipt = Writer(client).report()
    monkeypatch.setattr(rehearsal.vault, "remember_nonce", fail)
    leave(client, stay_of(receipt))
    data = {"token": token_of(receipt), "stay": stay_of(receipt)}
    assert client.post("/en/leave", data=data).headers["Refresh"] == "0; url=/en/left"
    # What could be closed was.
    monkeypatch.undo()
    assert "confirm" not in client.post("/en/confirm", data={"token": data["token"]}).text


def body_of(stay: str) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="stay"\r\n\r\n'
    return head + stay.encode() + b'\r\n--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'


@pytest.mark.claim("C-LEAVE")
def test_an_error_page_leaves_what_was_being_sent_though_it_could_not_be_read(
    rehearsal: Rehearsal,
) -> None:
    limits = replace(rehearsal.config.site, form_bytes=100_000)
    config = replace(rehearsal.config, site=limits)
    client = replace(rehearsal, config=config).site_client()
    for body, status, length in (
        (b"x", 413, 200_000),
        (b"x", 413, 10**12),
        (b"cut", 400, 5000),
    ):
        stay = stay_of(client.get("/en/"))
        sent = io.BytesIO(body_of(stay) + body)
        said = {"CONTENT_LENGTH": str(length)}
        page = client.post(
            "/en/send", input_stream=sent, content_type=MULTIPART, environ_overrides=said
        )
        assert page.status_code == status
        leave(client, stay_of(page))
        assert is_over(client, stay)


@pytest.mark.claim("C-LEAVE")
@pytest.mark.parametrize("parsed", [False, True])
def test_who_is_refused_before_anything_is_looked_at_can_leave_too(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, *, parsed: bool
) -> None:
    client = rehearsal.site_client()
    stay = stay_of(client.get("/en/"))

    def refuse(request: Request) -> None:
        assert not parsed or request.form
        raise TooManyRequests

    with monkeypatch.context() as only:
        only.setattr("gateway.site.app.guard_post", refuse)
        page = client.post("/en/write", data={"category": "fraud", "stay": stay})
    assert page.status_code == 429
    leave(client, stay_of(page))
    assert is_over(client, stay)


def test_what_was_heard_of_a_body_is_its_beginning() -> None:
    heard = Heard(io.BytesIO(b"a" * 5000 + b"b" * 5000))
    assert len(heard.read(5000)) == 5000
    assert heard.read() == b"b" * 5000
    assert heard.beginning(9) == b"a" * 5000 + b"b" * 3192

    assert Heard(io.BytesIO(b"a" * 9000)).beginning(5) == b"a" * 5
    assert len(Heard(io.BytesIO(b"a" * 9000)).beginning(9000)) == 1024

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError

    assert Heard(Broken()).beginning(9) == b""


@pytest.mark.claim("C-LEAVE")
def test_every_form_of_every_page_begins_with_its_stay() -> None:
    """First, so that a body which breaks off names it too; the way out may have none to name."""
    found = 0
    for path in sorted((HERE / "templates").glob("*.html")):
        for form in re.split(r"<form\b", path.read_text("utf-8"))[1:]:
            # The mark before it has no name and is not sent.
            content = form.split('">', 1)[1].removeprefix("{{ unkept }}").lstrip()
            ways_out = ("{% block leaving %}", "{% if goes_on %}{{ stay }}{% endif %}")
            assert content.startswith(("{{ stay }}", *ways_out)), path.name
            found += 1
    assert found >= 12
