"""A stay at the site: a chain of pages that one person went through, until they leave it.

A browser keeps the body of every POST, and Back with a yes to "send again?" brings its answer once
more.  So each form carries the 16 random bytes of its stay, sealed; leaving remembers a hash of
them with the day; and whatever is posted from a stay that was left is answered by a page that says
nothing.  Claim C-LEAVE.  No cookie, nothing in an address: where a person types an address, a new
stay begins.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import g, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from crypto.errors import TokenInvalid
from crypto.token import open_token, seal_token
from gateway.patience import PatientSocket
from gateway.upload import MULTIPART, URLENCODED
from vault.errors import Replayed
from vault.statements import LEFT, LEFT_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from crypto.ids import Day
    from crypto.token import TokenKey
    from vault.vault import Vault

FIELD = "stay"
APART = "apart"
FORM_TYPES = frozenset({MULTIPART, URLENCODED})
_PURPOSE = "stay"
_ID_BYTES = 16
_DAY_BYTES = 4
_LETTERS_MOST = 200
_BEGINNING_BYTES = 8192
_FIELD_BYTES = 1024
"""In so many bytes the first field of a form stands whole, whatever its boundary is."""
# The first field of each form, also of one that is too large to be read.
_IN_BODY = re.compile(rb'(?:name="stay"\r\n\r\n|(?:\A|&)stay=)([A-Za-z0-9_-]{1,200})')


@dataclass(frozen=True, slots=True)
class Stays:
    """The stays of one gateway; what this request belongs to is found once and kept beside it."""

    vault: Vault
    key: TokenKey
    today: Callable[[], Day]

    def is_over(self) -> bool:
        """Whether this request's stay was left, or is so old that nobody remembers whether."""
        stay = self._opened(request.form.get(FIELD))
        g.stay = None if stay is None or self.vault.was_left(_mark(stay)) else stay
        return g.stay is None

    def leave(self) -> None:
        """Remember that this request's stay was left, where it names one."""
        stay = self._opened(request.form.get(FIELD))
        if stay is not None and request.form.get(FIELD):
            with suppress(Replayed):
                self.vault.remember_nonce(LEFT, _mark(stay))

    def goes_on(self) -> bool:
        """Whether the page answers something that was sent: its ways on and out carry the stay."""
        return request.method == "POST" and self._current() is not None

    def is_apart(self) -> bool:
        """Whether the page was opened beside another one, where somebody writes."""
        return self.goes_on() and "form" in vars(request) and APART in request.form

    def hidden(self) -> Markup:
        """Give the first field of each form of this page: the stay of this request, or a new one.

        First, so that it is there where a body breaks off.
        """
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format(FIELD, self._sealed())

    def _sealed(self) -> str:
        facts = (self._current() or _new()) + int(self.today()).to_bytes(_DAY_BYTES, "big")
        return seal_token(self.key, _PURPOSE, facts)

    def _current(self) -> bytes | None:
        """This request's stay, a new one where it names none; None where it is over."""
        if "stay" not in g:
            g.stay = self._opened(_field())
        return cast("bytes | None", g.stay)

    def _opened(self, untrusted: str | None) -> bytes | None:
        if not untrusted:
            return _new()
        if len(untrusted) > _LETTERS_MOST:
            return None
        try:
            facts = open_token(self.key, _PURPOSE, untrusted)
        except TokenInvalid:
            # Of an earlier key: nobody here can say whether it was left.
            return None
        age = self.today() - int.from_bytes(facts[_ID_BYTES:], "big")
        return facts[:_ID_BYTES] if 0 <= age < LEFT_DAYS else None


class Heard:
    """A body's stream that remembers how it began: an error's page must know whose it is."""

    def __init__(self, stream: IO[bytes], connection: object = None) -> None:
        self._stream, self._connection = stream, connection
        self._began = b""

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._stream.read(size)
        self._began += data[: _BEGINNING_BYTES - len(self._began)]
        return data

    def beginning(self, length: int) -> bytes:
        """Give the first bytes, also of a body of that length of which nothing was read.

        Nobody is waited for: whoever drips would hold a thread by being refused.
        """
        connection = self._connection
        is_there = not isinstance(connection, PatientSocket) or connection.holds(_FIELD_BYTES)
        if not self._began and is_there:
            with suppress(OSError, HTTPException):
                self.read(min(length, _FIELD_BYTES))
        return self._began


def listen() -> None:
    """Let this request's body be heard, before anything reads it."""
    if request.mimetype in FORM_TYPES:
        request.environ["wsgi.input"] = Heard(
            request.environ["wsgi.input"], request.environ.get("gunicorn.socket")
        )


def _field() -> str | None:
    """The hidden field, also of a body that was refused or broke off before it was read."""
    if request.method != "POST":
        return None
    if "form" in vars(request):
        return request.form.get(FIELD)
    stream = request.environ["wsgi.input"]
    if not isinstance(stream, Heard):
        return None
    # Of a body that does not say how long it is, nobody waits for more.
    found = _IN_BODY.search(stream.beginning(request.content_length or 0))
    return None if found is None else found[1].decode()


def _new() -> bytes:
    return secrets.token_bytes(_ID_BYTES)


def _mark(stay: bytes) -> bytes:
    """What is kept: it opens nothing, and names nothing to whoever lacks the stay itself."""
    return hashlib.sha256(b"amana/stay\0" + stay).digest()[:_ID_BYTES]
