"""The script's way over one real connection, for files of any length."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tests.support.reporter import form_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.reporter import Page

STEP = 1 << 20
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class PieceSender:
    """Sends one file in pieces for the form of a page."""

    def __init__(self, site: str, page: Page) -> None:
        where = urlsplit(site)
        self._line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=600)
        self.token = dict(form_to(page.text, "/send").values)["token"]

    def send(self, file: IO[bytes], length: int) -> tuple[float, float]:
        """All of it; returns the seconds of sending and of cleaning."""
        began = time.perf_counter()
        said = self._post("begin", urlencode({"token": self.token, "length": length}).encode())
        ticket, there = said["ticket"], 0
        while there < length:
            file.seek(there)
            piece = file.read(STEP)
            headers = {
                "Content-Type": "application/octet-stream",
                "Upload-Offset": str(there),
                "Piece-Digest": hashlib.sha256(piece).hexdigest(),
            }
            there = self._post("piece", ticket.encode() + b"\n" + piece, headers)["offset"]
        sent = time.perf_counter()
        said = self._post("whole", urlencode({"token": self.token, "ticket": ticket}).encode())
        self.token = said["token"]
        self._post("drop", urlencode({"ticket": ticket}).encode())
        return sent - began, time.perf_counter() - sent

    def fields(self, answers: Mapping[str, str]) -> dict[str, str]:
        """The form's answers, with the token that names the file."""
        return {**answers, "token": self.token, "action": "send"}

    def _post(self, path: str, body: bytes, headers: Mapping[str, str] = _FORM) -> dict[str, Any]:
        self._line.request("POST", f"/en/{path}", body, dict(headers))
        answer = self._line.getresponse()
        found = answer.read()
        assert answer.status == http.HTTPStatus.OK, (answer.status, found[:500])
        said: dict[str, Any] = json.loads(found)
        return said
