"""Uploads in pieces against the program as it runs: lines cut in mid-body, workers killed."""

from __future__ import annotations

import hashlib
import html
import http.client
import json
import os
import re
import signal
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from crypto.pieces import CHUNK_BYTES
from tests.gateway.served import Running, start, stop
from tests.support.media import phone_photo
from tests.support.reporter import Reporter, form_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.deployment import Deployment

FILE = phone_photo(b"CANARY-7f3a91", width=64, height=48) + bytes(40 * CHUNK_BYTES)
STEP = 4 * CHUNK_BYTES


@pytest.fixture
def running(deployment: Deployment) -> Iterator[Running]:
    served = start(deployment, which="site", AMANA_WORKERS="2", AMANA_RECEIVE_SECONDS="3")
    yield served
    stop(served)


class Script:
    """What the page's script does, over connections of its own."""

    def __init__(self, running: Running) -> None:
        self.port = running.port
        page = Reporter(f"http://127.0.0.1:{running.port}").write()
        self.token = dict(form_to(page.text, "/send").values)["token"]
        told = json.loads(html.unescape(re.findall(r'data-told="([^"]*)"', page.text)[0]))
        assert told["piece"] == "/en/piece"

    def post(self, path: str, **data: str) -> tuple[int, dict[str, Any]]:
        """A few fields."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._post(path, urlencode({"token": self.token, **data}).encode(), kind)

    def piece(self, ticket: str, offset: int) -> tuple[int, dict[str, Any]]:
        """The piece at an offset."""
        body, headers = self.request(ticket, offset)
        return self._post("piece", body, headers)

    @staticmethod
    def request(ticket: str, offset: int) -> tuple[bytes, dict[str, str]]:
        """A piece's body and headers."""
        piece = FILE[offset : offset + STEP]
        return ticket.encode() + b"\n" + piece, {
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
            "Piece-Digest": hashlib.sha256(piece).hexdigest(),
        }

    def cut(self, ticket: str, offset: int, after: int, *, linger: float = 0) -> None:
        """Send a piece, and break the line after so many bytes of the whole request."""
        body, headers = self.request(ticket, offset)
        head = [f"POST /en/piece HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"]
        head += [f"{name}: {value}\r\n" for name, value in headers.items()]
        whole = ("".join(head) + f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(whole[: after % len(whole)])
            time.sleep(linger)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        for _ in range(100):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.request("POST", f"/en/{path}", body, headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # a worker was killed: the script tries again, too
            finally:
                connection.close()
        raise TimeoutError


def spool_of(deployment: Deployment) -> list[Path]:
    return sorted(deployment.config.spool.iterdir())


@pytest.mark.claim("C-RESUME")
def test_lines_that_break_and_workers_that_are_killed_lose_a_piece_at_most(
    deployment: Deployment, running: Running
) -> None:
    script = Script(running)
    _, answer = script.post("begin", length=str(len(FILE)))
    ticket, there = answer["ticket"], 0
    cuts = iter((10, 150, 300, 700, 1200, 70_000, 200_000, STEP + 500))
    while there < len(FILE):
        cut = next(cuts, None)
        if cut is not None:
            script.cut(ticket, there, cut)
        if cut in {300, 200_000}:
            for pid in running.children():
                os.kill(pid, signal.SIGKILL)
        status, answer = script.piece(ticket, there)
        assert status == 200
        there = answer["offset"]
    assert there == len(FILE)
    # The answer to the last request of all may be lost with its worker, too.
    first = script.post("whole", ticket=ticket)
    for pid in running.children():
        os.kill(pid, signal.SIGKILL)
    again = script.post("whole", ticket=ticket)
    assert first[0] == again[0] == 200
    assert first[1]["id"] == again[1]["id"]
    assert script.post("drop", ticket=ticket)[0] == 200
    assert spool_of(deployment) == []
    assert "CANARY" not in "".join(running.printed)
    assert "127.0.0.1" not in "".join(running.printed)


@pytest.mark.claim("C-RESUME")
def test_a_worker_that_is_killed_while_it_cleans_is_followed_by_another(running: Running) -> None:
    script = Script(running)
    _, answer = script.post("begin", length=str(len(FILE)))
    ticket = answer["ticket"]
    for offset in range(0, len(FILE), STEP):
        script.piece(ticket, offset)
    body = urlencode({"token": script.token, "ticket": ticket}).encode()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", running.port)) as line:
            line.sendall(
                b"POST /en/whole HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            time.sleep(0.02)
            for pid in running.children():
                os.kill(pid, signal.SIGKILL)
    status = 202
    for _ in range(600):
        status, answer = script.post("whole", ticket=ticket)
        if status != 202:
            break
        time.sleep(0.1)
    assert status == 200
    assert answer["name"] == "photo-1.jpg"
