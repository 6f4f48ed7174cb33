"""Look at a live site as anybody can: its headers, its cookies, its pages.

The auditor does not believe the gateway's code: the headers that a page must carry are written
down here a second time, from threat_model.md, and not imported from the room that sends them.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import urllib3

from audit.errors import Unreachable
from audit.finding import Finding
from crypto.receipt import ReceiptCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 20.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LANGUAGES = ("ar", "en", "fr", "zgh")

# What every response must say, word for word.
REQUIRED = {
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-content-type-options": "nosniff",
}
POLICY = ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'")
DENIED = ("camera", "geolocation", "microphone")
TOKEN = re.compile(rb'(name="(?:token|stay)" value=")([^"]*)')
FOREIGN = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
_OWN_SCRIPT = re.compile(r"/[a-z]+\.js\Z")
LOADING = {"script", "img", "iframe", "link", "video", "audio", "source", "object", "embed"}

_ADDRESS = re.compile(r"https?://[^/?#\s]+/?", re.IGNORECASE)
_ERRORS = urllib3.exceptions
# The special before the general: a name that is not found is a connection that is not made.
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (_ERRORS.NameResolutionError, "has a name that no network knows"),
    (_ERRORS.SSLError, "does not prove who it is: its certificate is not one to be believed"),
    (_ERRORS.NewConnectionError, "cannot be reached: nobody answers there"),
    (_ERRORS.TimeoutError, f"did not answer within {SECONDS:.0f} seconds"),
    (_ERRORS.LocationParseError, "is not the address of a site"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, headers (names in lower case), body."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Loads(HTMLParser):
    """What a page makes a browser run, or fetch from another place.

    The site's own scripts have an address of it; whatever stands in a page itself may be anybody's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts in the page, event handlers, and what is loaded from another place."""
        if tag == "script" and not _OWN_SCRIPT.match(dict(attrs).get("src") or ""):
            self.scripts.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.scripts.append(name)
            if tag in LOADING and name in {"src", "href"} and FOREIGN.match(value or ""):
                self.foreign.append(value or "")


class Site:
    """One deployment's site, over the network; no cookie is ever sent back."""

    def __init__(self, address: str) -> None:
        """Take `http://HOST` or `https://HOST`, with a port perhaps.  Raises Unreachable."""
        if not _ADDRESS.fullmatch(address):
            raise Unreachable(
                f"{address!r} is not the address of a site, like https://report.example.org"
            )
        self._address = address.rstrip("/")
        self._pool = urllib3.PoolManager(timeout=SECONDS, retries=False)

    def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Answer:
        """Send one request.

        Raises:
            Unreachable: there was no answer.
        """
        try:
            got = self._pool.request(
                method,
                self._address + path,
                body=urlencode(fields) if fields else None,
                headers=FORM if fields else None,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as failure:
            raise Unreachable(f"{self._address} {_why(failure)}") from failure
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Answer(path, got.status, headers, got.data)


def _why(failure: urllib3.exceptions.HTTPError) -> str:
    """What kept an answer from coming, in words."""
    for kind, words in _WHY:
        if isinstance(failure, kind):
            return words
    return f"does not answer as a site does ({type(failure).__name__})"


def audit_site(site: Site) -> Iterator[Finding]:
    """Every check that needs nothing but the address.  Raises Unreachable."""
    answers = [site.ask("GET", path) for path in _paths()]
    answers.append(site.ask("POST", f"/{LANGUAGES[0]}/send"))
    answers.append(site.ask("PUT", f"/{LANGUAGES[0]}/"))
    for answer in answers:
        yield _headers(answer)
    pages = [answer for answer in answers if "html" in answer.headers.get("content-type", "")]
    yield _nothing_runs(pages)
    yield _no_cookie(answers)
    yield _unknown_codes_look_alike(site)


def _paths() -> list[str]:
    places = [f"/{language}/{page}" for language in LANGUAGES for page in ("", "thread")]
    return ["/", *places, "/nowhere-" + secrets.token_hex(4), "/static/nothing"]


def _headers(answer: Answer) -> Finding:
    """The strict headers, on this answer."""
    wrong = [name for name, value in REQUIRED.items() if answer.headers.get(name) != value]
    policy = answer.headers.get("content-security-policy", "")
    wrong += [part for part in POLICY if part not in policy]
    wrong += [word for word in ("unsafe", "http:", "https:", "data:", "*") if word in policy]
    if "no-store" not in answer.headers.get("cache-control", ""):
        wrong.append("cache-control")
    denied = answer.headers.get("permissions-policy", "")
    wrong += [f"permissions-policy: {power}" for power in DENIED if f"{power}=()" not in denied]
    seen = "missing or weak: " + ", ".join(wrong) if wrong else "all there"
    return Finding(f"strict headers on {answer.path} ({answer.status})", not wrong, seen)


def _nothing_runs(pages: list[Answer]) -> Finding:
    loads = _Loads()
    for page in pages:
        loads.feed(page.body.decode("utf-8", "replace"))
    found = [*loads.scripts, *loads.foreign]
    seen = f"{len(pages)} pages: " + (", ".join(found) if found else "nothing")
    check = "no script in a page, and nothing from elsewhere"
    return Finding(check, bool(pages) and not found, seen)


def _no_cookie(answers: list[Answer]) -> Finding:
    setting = [answer.path for answer in answers if "set-cookie" in answer.headers]
    return Finding(
        "no cookie", not setting, ", ".join(setting) or f"none on {len(answers)} answers"
    )


def _unknown_codes_look_alike(site: Site) -> Finding:
    """Two codes that nobody was ever given get one and the same page."""
    name = "two codes that were never given get the same answer"
    first, second = (_open(site, ReceiptCode.generate()) for _ in range(2))
    if first.status != second.status or _masked(first.body) != _masked(second.body):
        return Finding(name, holds=False, seen="the pages differ")
    varying = {"date"}
    differ = [
        header
        for header in {*first.headers, *second.headers} - varying
        if first.headers.get(header) != second.headers.get(header)
    ]
    seen = "headers differ: " + ", ".join(differ) if differ else f"{len(first.body)} same bytes"
    return Finding(name, not differ, seen)


def _masked(page: bytes) -> bytes:
    """The page without the random tokens of its forms, whose length still counts."""
    return TOKEN.sub(lambda found: found[1] + b"x" * len(found[2]), page)


def _open(site: Site, code: ReceiptCode) -> Answer:
    return site.ask("POST", f"/{LANGUAGES[0]}/thread", {"code": code.digits})
