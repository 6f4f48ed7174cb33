"""Half a form is no form: what a broken line cut is never taken for what a person sent."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.gateway.served import Running, start, stop
from tests.support.media import phone_photo
from tests.support.site import ANSWERS, COMMON, Writer, code_of, errors_of, kept_files, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.gateway.deployment import Deployment
    from tests.support.rehearsal import Rehearsal

LONG = "The beginning of the text. " + "And much more. " * 20 + "The end matters."
BOUNDARY = "boundary-of-the-test"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
PHOTO = phone_photo(b"CANARY-7f3a91", width=16, height=16)


def answers(token: str) -> dict[str, Any]:
    return {"token": token, "action": "send", **COMMON, **ANSWERS["fraud"], "description": LONG}


def encoded(kind: str, data: dict[str, Any]) -> bytes:
    if kind == URLENCODED:
        return urlencode(data).encode()
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in data.items()
    ]
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def cut_post(client: FlaskClient, path: str, kind: str, body: bytes, cut: int) -> TestResponse:
    """Announce all of a body and send its beginning, by a server that does not look itself."""
    return client.post(
        path,
        input_stream=io.BytesIO(body[:cut]),
        content_type=kind,
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(body))},
    )


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART], ids=["urlencoded", "multipart"])
@pytest.mark.parametrize("left", [1, 30, 150])
def test_a_report_that_was_cut_on_its_way_is_no_report(
    rehearsal: Rehearsal, writer: Writer, kind: str, left: int
) -> None:
    body = encoded(kind, answers(token_of(writer.begin())))
    page = cut_post(writer.client, "/en/send", kind, body, len(body) - left)
    assert page.status_code == 400
    assert rehearsal.stored() == ()
    # Sent again whole, it is the first one, and all of it is there.
    again = cut_post(writer.client, "/en/send", kind, body, len(body))
    assert code_of(again)
    assert "had arrived already" not in again.text
    assert rehearsal.report(rehearsal.only_case()).fields["description"] == LONG


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("first", [True, False], ids=["action first", "action last"])
def test_a_name_that_was_cut_on_its_way_sends_nothing(
    rehearsal: Rehearsal, writer: Writer, *, first: bool
) -> None:
    asked = writer.say(writer.open(code_of(writer.report())), "A draft.", action="name")
    data = {
        "token": token_of(asked),
        "text": "A draft.",
        "identity_mode": "full_identity",
        "identity-name": "A name",
        "safe_contact-phone": "0612345678",
    }
    body = encoded(URLENCODED, {"action": "identity", **data} if first else data)
    body += b"" if first else b"&action=identity"
    before = len(rehearsal.stored())
    for left in (1, 3, 5, 9, 16, 40):
        page = cut_post(writer.client, "/en/message", URLENCODED, body, len(body) - left)
        assert page.status_code == 400
    assert len(rehearsal.stored()) == before


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        (MULTIPART, "no end"),
        (MULTIPART, "no name"),
        (MULTIPART, "no disposition"),
        ("multipart/form-data", "no boundary"),
        (URLENCODED, "no letters"),
    ],
    ids=lambda one: one.replace(" ", "-") if " " in one else "in",
)
def test_what_is_no_form_is_not_taken_for_an_empty_one(
    rehearsal: Rehearsal, writer: Writer, kind: str, odd: str
) -> None:
    data = answers(token_of(writer.begin()))
    whole = encoded(URLENCODED if odd == "no letters" else MULTIPART, data)
    last = f"--{BOUNDARY}--\r\n".encode()
    head = f"--{BOUNDARY}\r\n".encode()
    nameless = head + b"Content-Disposition: form-data\r\n\r\nx\r\n"
    body = {
        "no end": whole.removesuffix(last),
        "no name": whole.replace(last, nameless + last),
        "no disposition": whole.replace(last, head + b"X: y\r\n\r\nx\r\n" + last),
        "no boundary": whole,
        "no letters": whole + b"&kept=\xff\xfe",
    }[odd]
    page = writer.client.post("/en/send", data=body, content_type=kind)
    assert page.status_code == 400
    assert "keep this page open, reload it" in page.text
    assert rehearsal.stored() == ()
    sent = writer.client.post("/en/send", data=encoded(MULTIPART, data), content_type=MULTIPART)
    assert code_of(sent)


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("path", ["write", "confirm", "thread", "begin", "whole", "drop"])
def test_no_route_reads_half_a_form(writer: Writer, path: str) -> None:
    body = encoded(URLENCODED, {"token": token_of(writer.begin()), "code": "1", "category": "x"})
    page = cut_post(writer.client, f"/en/{path}", URLENCODED, body, len(body) - 1)
    assert page.status_code == 400


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("pressed", [None, "", "sen", "identity", ["send", "add"]], ids=repr)
def test_only_the_button_that_sends_sends_a_report(
    rehearsal: Rehearsal, writer: Writer, pressed: object
) -> None:
    page = writer.send(
        writer.begin(),
        changes={"action": pressed, "description": LONG},
        files=(("a.jpg", PHOTO),),
    )
    assert page.status_code == 422
    assert "has not been sent yet" in page.text
    assert LONG in page.text
    assert kept_files(page) == ["photo-1.jpg"]
    assert rehearsal.stored() == ()
    assert code_of(writer.send(page))


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("pressed", [None, "ident", ["send", "add"]], ids=repr)
def test_only_the_button_that_sends_sends_a_message(
    rehearsal: Rehearsal, writer: Writer, pressed: object
) -> None:
    talk = writer.open(code_of(writer.report()))
    before = len(rehearsal.stored())
    data = {"token": token_of(talk), "text": LONG, "action": pressed}
    page = writer.client.post(
        "/en/message", data={name: value for name, value in data.items() if value is not None}
    )
    assert page.status_code == 422
    assert "has not been sent yet" in page.text
    assert LONG in page.text
    assert len(rehearsal.stored()) == before


@pytest.mark.claim("C-CHILD")
def test_of_two_answers_to_one_question_the_careful_one_counts(
    rehearsal: Rehearsal, client: FlaskClient
) -> None:
    writer = Writer(client, category="sextortion")
    both = {"victim_minor": ["no", "yes"]}
    page = writer.send(writer.begin(), changes=both, files=(("a.jpg", PHOTO),))
    assert page.status_code == 422
    assert kept_files(page) == []
    assert "were destroyed" in page.text
    assert rehearsal.stored() == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [("description", ["one text", "another"]), ("scam_type", ["romance", "shop"])],
)
def test_two_different_answers_to_one_question_are_asked_again(
    rehearsal: Rehearsal, writer: Writer, name: str, said: list[str]
) -> None:
    page = writer.send(writer.begin(), changes={name: said})
    assert page.status_code == 422
    assert "does not belong to it" in page.text
    assert rehearsal.stored() == ()


def test_lists_and_boxes_have_as_many_answers_as_they_like(writer: Writer) -> None:
    page = writer.send(writer.begin(), changes={"urls": ["example.org/a", "example.org/b"]})
    assert code_of(page), errors_of(page)


@pytest.fixture
def running(deployment: Deployment) -> Iterator[Running]:
    served = start(deployment, which="site", AMANA_WORKERS="1", AMANA_RECEIVE_SECONDS="3")
    yield served
    stop(served)


def exchange(running: Running, head: str, body: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", running.port), 10) as line:
        line.sendall(head.encode() + b"\r\n\r\n" + body)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.mark.claim("C-TYPED")
def test_the_program_takes_no_half_of_anything(running: Running) -> None:
    head = f"POST /en/write HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {URLENCODED}"
    body = encoded(URLENCODED, {"danger_now": "no", "category": "fraud"})
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    whole = [
        (f"{head}\r\nContent-Length: {len(body)}", body),
        (f"{head}\r\nTransfer-Encoding: chunked", chunk + b"0\r\n\r\n"),
    ]
    for given, sent in whole:
        assert exchange(running, given, sent).startswith(b"HTTP/1.1 200")
    # Longer than what is waited for without a thread, too.
    filled = body + b"&x=" + b"x" * 100_000
    broken = [
        (f"{head}\r\nContent-Length: {len(body) + 1}", body),
        (f"{head}\r\nContent-Length: {len(filled) + 1}", filled),
        (f"{head}\r\nTransfer-Encoding: chunked", chunk),
        (f"{head}\r\nTransfer-Encoding: chunked", chunk + b"0\r\n"),
        (f"{head}\r\nTransfer-Encoding: chunked", chunk[:-4]),
    ]
    for given, sent in broken:
        assert exchange(running, given, sent).startswith(b"HTTP/1.1 400")
