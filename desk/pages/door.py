"""Who may see the pages: whoever holds the one-time link, in one browser, on this machine.

Rule: the link works exactly once, even across a worker that died; every request must
name the address that was bound (a foreign site that points its name at 127.0.0.1 does
not), and every form must come from these pages.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import mmap
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desk.errors import BindRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.datastructures import Headers

_PORT_MOST = 65_535


@dataclass(frozen=True, slots=True)
class Bind:
    """A loopback address and port, as `--bind` was given."""

    host: str
    port: int

    @classmethod
    def parse(cls, untrusted: str) -> Bind:
        """Read `127.0.0.1:8002` or `[::1]:8002`; the port 0 is one that is free.

        Raises:
            BindRefused: another form, a name, or an address that other machines could reach.
        """
        host, _, port = untrusted.rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > _PORT_MOST:
            raise BindRefused(f"--bind is HOST:PORT, like 127.0.0.1:8002; {untrusted!r} is not.")
        if host.lower().rstrip(".") == "localhost":
            # It names two addresses, of which one is ours: a browser may ask the other one first,
            # and hand the link's token to whoever listens there.
            raise BindRefused(
                f"localhost names more than one address of this machine, and a browser chooses. "
                f"Name the one: --bind 127.0.0.1:{port}"
            )
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise BindRefused(f"An IPv6 address stands in brackets: --bind [{host}]:{port}")
        try:
            loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise BindRefused(
                f"The pages show opened cases: they are served on this machine only, not on {host}."
            )
        return cls(host, int(port))

    def at(self, port: int) -> Bind:
        """The same address with the port that was free."""
        return Bind(self.host, port)

    @property
    def authority(self) -> str:
        """What a browser on this machine sends as Host."""
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """What it sends as Origin."""
        return f"http://{self.authority}"


@dataclass(slots=True)
class OneTimeLink:
    """A secret that opens the pages once.

    Whether it was used stands in memory shared with the process that forked the
    workers: a worker that is started anew does not bring the link back to life.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    root: str = field(default_factory=lambda: f"/{secrets.token_hex(16)}", repr=False)
    _used: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, 1), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def path(self) -> str:
        """The link, without the origin."""
        return f"{self.root}/link/{self.token}"

    def spend(self, untrusted: str) -> bool:
        """Whether this is the link and it was not used before; from now on it was."""
        with self._lock:
            right = hmac.compare_digest(untrusted.encode(), self.token.encode())
            if not right or self._used[0]:
                return False
            self._used[0] = 1
            return True


@dataclass(slots=True)
class Sessions:
    """The browsers that were let in; digests only, in memory only.

    A cookie knows no ports: whatever else is served on this address, on any port, gets it from a
    browser that asks there for a path below the cookie's.  That path is random (`Mounted`), and so
    is the cookie's name: nobody who cannot read the operator's screen asks for the one or waits
    for the other.  What the cookie opens ends with `Lock` and with the run.
    """

    cookie: str = field(default_factory=lambda: f"s{secrets.token_hex(8)}")
    _digests: set[bytes] = field(default_factory=set, repr=False)

    def begin(self) -> str:
        """Let one browser in; returns its cookie's value."""
        token = secrets.token_urlsafe(32)
        self._digests.add(_digest(token))
        return token

    def knows(self, untrusted: str | None) -> bool:
        """Whether this cookie was given out and not locked since."""
        # A digest is looked up, so the time taken says nothing about the token.
        return untrusted is not None and _digest(untrusted) in self._digests

    def end_all(self) -> None:
        """Lock: nobody is in any more."""
        self._digests.clear()


@dataclass(frozen=True, slots=True)
class Mounted:
    """The pages below a path that is drawn anew for each run, and nothing beside it.

    The path lets nobody in: it keeps the browser from sending the cookie to other ports.
    """

    pages: WSGIApplication = field(repr=False)
    root: str = field(repr=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the pages do, or that there is nothing."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(f"{self.root}/"):
            start_response(
                "404 Not Found", [("Content-Length", "0"), ("Cache-Control", "no-store")]
            )
            return [b""]
        inside = {
            **environ,
            "SCRIPT_NAME": self.root,
            "PATH_INFO": path.removeprefix(self.root),
        }
        return self.pages(inside, start_response)


def is_local(bind: Bind, headers: Headers) -> bool:
    """Whether the request names the bound address, and no foreign site sent it."""
    if headers.get("Host", "").lower() != bind.authority:
        return False
    origin = headers.get("Origin")
    return origin is None or origin == bind.origin


def is_own_form(bind: Bind, headers: Headers) -> bool:
    """Whether a form was sent by one of these pages: a browser says so in Origin."""
    return headers.get("Origin") == bind.origin and headers.get(
        "Sec-Fetch-Site", "same-origin"
    ) in ("same-origin", "none")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
