"""A reporter without a browser: posts what a browser with scripts off would post, byte for byte.

Written against the pages and not against the code behind them: forms are read from the HTML that
was served, as a browser reads them.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUNDARY = "----amana-test-boundary-7f1c"
CHUNK = 1 << 18


@dataclass(slots=True)
class Form:
    """One form of a page: where it goes, and what it holds before anybody types."""

    action: str
    values: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **answers: str | list[str]) -> list[tuple[str, str]]:
        """Its values with `answers` put in the place of what was there."""
        kept = [(name, value) for name, value in self.values if name not in answers]
        for name, answer in answers.items():
            kept += [(name, one) for one in ([answer] if isinstance(answer, str) else answer)]
        return kept


class _Forms(HTMLParser):
    """Collects a page's forms with the values a browser would send untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.forms.append(Form(said.get("action") or ""))
        elif tag == "input" and self.forms and (name := said.get("name")):
            kind = said.get("type") or "text"
            if kind in {"radio", "checkbox"} and "checked" not in said:
                return
            if kind not in {"file", "submit", "button"}:
                self.forms[-1].values.append((name, said.get("value") or ""))


def forms_of(page: str) -> list[Form]:
    """Every form of an HTML page, in order."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


def form_to(page: str, ending: str) -> Form:
    """The page's form whose action ends so."""
    found = [form for form in forms_of(page) if form.action.endswith(ending)]
    assert found, f"no form to {ending} in {page[:2000]}"
    return found[0]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a browser sends it; `content` may be bytes or an open file of `length` bytes."""

    filename: str
    content: bytes | IO[bytes]
    length: int = 0
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the site."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The page's HTML."""
        return self.body.decode()

    @property
    def receipt(self) -> str:
        """The receipt code's 28 digits."""
        found = re.search(r'id="receipt-code"[^>]*>(.*?)</', self.text, flags=re.DOTALL)
        assert found, self.text
        shown = re.sub(r"<[^>]*>", "", self.text[found.start(1) : found.start(1) + 300])
        return "".join(re.findall(r"\d", shown))[:28]


@dataclass(slots=True)
class Reporter:
    """Somebody at a browser without scripts."""

    site: str
    language: str = "en"
    agent: str = "a browser"

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._request("GET", path, None, {})

    def post(self, path: str, values: list[tuple[str, str]]) -> Page:
        """Send a form without files."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", path, urlencode(values).encode(), kind)

    def post_files(self, path: str, values: list[tuple[str, str]], files: list[Attachment]) -> Page:
        """Send a form with files, as a stream."""
        pieces = list(_pieces(values, files))
        length = sum(len(p) if isinstance(p, bytes) else p.length for p in pieces)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(length),
        }
        return self._request("POST", path, _stream(pieces), headers)

    def write(self, category: str = "fraud", danger: str = "no") -> Page:
        """From the first page to the form."""
        start = self.get(f"/{self.language}/")
        form = form_to(start.text, "/write")
        return self.post(form.action, form.filled(category=category, danger_now=danger))

    def send(self, page: Page, files: list[Attachment] | None = None, **answers: str) -> Page:
        """Fill the form on `page`, attach, and send it."""
        form = form_to(page.text, "/send")
        values = form.filled(action="send", **answers)
        return self.post_files(form.action, values, files or [])

    def open_thread(self, code: str) -> Page:
        """Come back with a code."""
        form = form_to(self.get(f"/{self.language}/thread").text, "/thread")
        return self.post(form.action, form.filled(code=code))

    def _request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]
    ) -> Page:
        where = urlsplit(self.site)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
        try:
            same_site = {"Sec-Fetch-Site": "same-origin"} if method == "POST" else {}
            said = {"User-Agent": self.agent, **headers, **same_site}
            connection.request(method, path, body=body, headers=said)
            answer = connection.getresponse()
            return Page(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


def _pieces(values: list[tuple[str, str]], files: list[Attachment]) -> Iterator[bytes | Attachment]:
    for name, value in values:
        yield (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        ).encode()
    for one in files:
        yield (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="evidence"; '
            f'filename="{one.filename}"\r\nContent-Type: {one.media_type}\r\n\r\n'
        ).encode()
        yield one.content if isinstance(one.content, bytes) else one
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


def _stream(pieces: list[bytes | Attachment]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        elif not isinstance(piece.content, bytes):
            piece.content.seek(0)
            while chunk := piece.content.read(CHUNK):
                yield chunk
