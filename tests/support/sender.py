"""A page's script that sends a file in pieces, in process and without a browser."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

STEP = 256 * 1024
OCTETS = "application/octet-stream"


@dataclass(slots=True)
class Sender:
    """Somebody's script, with the token of the page that it runs on."""

    client: FlaskClient
    token: str
    lang: str = "en"
    facts: dict[str, str] = field(default_factory=dict)

    def begin(self, length: int) -> TestResponse:
        """Ask for a ticket."""
        return self._post("begin", length=str(length))

    def ticket(self, length: int) -> str:
        """Ask for one and expect it."""
        answer = self.begin(length)
        assert answer.status_code == 200, answer.text
        return str(said(answer)["ticket"])

    def piece(
        self, ticket: str, offset: int, content: bytes, *, cut: int | None = None, **headers: str
    ) -> TestResponse:
        """Send one piece; ``cut`` breaks the line after so many bytes of the body."""
        body = ticket.encode() + b"\n" + content
        return self.client.post(
            f"/{self.lang}/piece",
            input_stream=io.BytesIO(body if cut is None else body[:cut]),
            content_length=len(body),
            content_type=headers.pop("content_type", OCTETS),
            headers={
                "Upload-Offset": str(offset),
                "Piece-Digest": hashlib.sha256(content).hexdigest(),
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def pieces(self, ticket: str, content: bytes, there: int = 0, step: int = STEP) -> None:
        """Send what is left of a file, going on where the gateway says that it ends."""
        while there < len(content):
            answer = self.piece(ticket, there, content[there : there + step])
            assert answer.status_code in {200, 409}, answer.text
            there = int(said(answer)["offset"])

    def whole(self, ticket: str, **facts: str) -> TestResponse:
        """Say that all of it is there; the page's token becomes the new one."""
        answer = self._post("whole", ticket=ticket, **facts)
        if answer.status_code == 200:
            self.token = str(said(answer)["token"])
        return answer

    def drop(self, ticket: str) -> TestResponse:
        """Give up."""
        return self._post("drop", ticket=ticket)

    def send(self, content: bytes, **facts: str) -> TestResponse:
        """All of it."""
        ticket = self.ticket(len(content))
        self.pieces(ticket, content)
        return self.whole(ticket, **facts)

    def _post(self, path: str, **data: str) -> TestResponse:
        data = {"token": self.token, **self.facts, **data}
        return self.client.post(f"/{self.lang}/{path}", data=data)


def said(answer: TestResponse) -> dict[str, Any]:
    """What an answer says, which must be JSON."""
    assert answer.mimetype == "application/json", answer.text
    found = answer.get_json()
    assert isinstance(found, dict)
    return found


def plain(words: str) -> str:
    """A sentence without the marks that isolate its parts."""
    return re.sub("[\u2066-\u2069]", "", words)
