"""What the pages leave in the operator's terminal: which kind of error, and where; nothing else."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.pages.quiet import QuietLogger, describe, report
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desk.desk import Desk

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}
SECRET = "who-reported"
PROGRAM = """
import sys
from desk.pages.door import Bind
from desk.pages.quiet import QuietFlask
from desk.pages.serve import DeskServer, listening

app = QuietFlask("pages")

@app.route("/case/<ref>")
def case(ref):
    raise RuntimeError("locals of " + ref)

@app.route("/stream/<ref>")
def stream(ref):
    def pieces():
        yield b"begun"
        raise RuntimeError("locals of " + ref)
    return pieces()

with listening(Bind("127.0.0.1", int(sys.argv[1]))) as listener:
    print("listening", flush=True)
    DeskServer(app, listener).run()
"""


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    (port,) = free_ports(1)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"listening\n"
    yield child, port
    child.kill()
    child.communicate()


def said_to(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(request)
        caller.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := caller.recv(65_536):
                answer += chunk
        return answer


def test_neither_malformed_requests_nor_broken_pages_leave_a_path_in_the_terminal(
    served: tuple[subprocess.Popen[bytes], int],
) -> None:
    child, port = served
    path = f"/case/{SECRET}".encode()
    answers = [
        said_to(port, request)
        for request in (
            b"GET " + path + b" HTTP/9.9\r\n\r\n",
            b"\x00" + path + b"\r\n\r\n",
            b"GET " + path + b" HTTP/1.1\r\nBad Header\x01: " + SECRET.encode() + b"\r\n\r\n",
            b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\n",
            b"GET " + path + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n",
            b"GET /stream/" + SECRET.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
    ]
    assert [b" 400 " in one for one in answers[:4]] == [True] * 4
    assert b" 500 " in answers[-1]
    child.terminate()
    out, err = child.communicate(timeout=20)
    assert SECRET.encode() not in out + err
    assert b"127.0.0.1" not in out + err
    # The positive control: an error of ours does show, by its type and place.
    assert b"RuntimeError at " in err
    assert b"locals of" not in err


def test_a_broken_page_leaves_its_type_and_place_and_no_traceback(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    link = OneTimeLink()
    client = create_pages(desk, BIND, link).test_client()
    client.get(f"/link/{link.token}", headers=OURS)

    def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("desk.pages.app.Cases", broken)
    assert client.get(f"/case/{SECRET}", headers=OURS).status_code == 500
    said = capfd.readouterr().err
    assert said.startswith("amana-desk: failed: RuntimeError at pages/test_quiet.py:")
    assert said.count("\n") == 1
    assert SECRET not in said
    assert "Traceback" not in said


def test_an_error_is_told_with_those_it_came_from_and_without_their_words() -> None:
    try:
        try:
            os.environ[SECRET]
        except KeyError as first:
            raise ValueError(SECRET) from first
    except ValueError as error:
        told = describe(error)
    assert told.startswith("ValueError at pages/test_quiet.py:")
    assert ", from KeyError at " in told
    assert SECRET not in told
    assert describe(OSError(SECRET)) == "OSError"


def test_the_logger_says_nothing_but_errors(capfd: pytest.CaptureFixture[str]) -> None:
    class Settings:
        pass

    logger = QuietLogger(Settings())
    for say in (logger.critical, logger.error, logger.warning, logger.info, logger.debug):
        say("of %s", SECRET)
    logger.access(None, None, None, None)
    logger.log(50, SECRET)
    logger.exception(SECRET)  # noqa: LOG004  # gunicorn's, where a worker ends
    report(SystemExit(SECRET))
    assert capfd.readouterr() == ("", "")
    try:
        os.environ[SECRET]
    except KeyError:
        logger.error(SECRET, exc_info=True)  # noqa: G201  # as gunicorn calls it
    said = capfd.readouterr().err
    assert "KeyError at" in said
    assert SECRET not in said


def test_a_sync_that_is_under_way_is_said_and_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = OneTimeLink()
    app = create_pages(desk, BIND, link)
    entered = app.test_client().get(f"/link/{link.token}", headers=OURS)
    cookie = entered.headers["Set-Cookie"].partition(";")[0]
    ours = {**OURS, "Origin": BIND.origin, "Cookie": cookie}
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        begun.set()
        go_on.wait(20)
        raise RuntimeError

    def press() -> int:
        return app.test_client(use_cookies=False).post("/sync", headers=ours).status_code

    def shown() -> str:
        return app.test_client(use_cookies=False).get("/", headers=ours).text

    monkeypatch.setattr("desk.news.synchronise", slow)
    waiting = threading.Thread(target=press)
    waiting.start()
    assert begun.wait(20)
    assert press() == 303
    assert "under way already" in shown()
    go_on.set()
    waiting.join()
    # What broke left no lock behind.
    monkeypatch.undo()
    assert press() == 303
    assert "Synced: " in shown()


def test_a_server_that_drips_is_named_on_the_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = OneTimeLink()
    client = create_pages(desk, BIND, link).test_client()
    client.get(f"/link/{link.token}", headers=OURS)
    monkeypatch.setattr("desk.pages.syncing.SYNC_SECONDS", 0.0)
    client.post("/sync", headers={**OURS, "Origin": BIND.origin})
    assert "answers too slowly" in client.get("/", headers=OURS).text
