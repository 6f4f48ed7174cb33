"""How long the desk waits for its server: never for ever, wherever an answer is held up.

Rule: every read from the server's connection, that of its status line and headers among
them, ends when the time is up that `within` gave to this thread.  A server that sends a byte now
and then is never silent, and without this would hold the desk for as long as it likes.
"""

from __future__ import annotations

import io
import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from desk.errors import ServerUnreachable, Stopped

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_LEAST_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncLimits:
    """How long a sync and its steps may take (seconds), and how many pages an index may have.

    The files' step may take `files_seconds`, and longer by what they weigh.  For another program
    of this desk that syncs, one waits `other_seconds`.
    """

    seconds: float = math.inf
    rosters_seconds: float = 600.0
    index_seconds: float = 3600.0
    sending_seconds: float = 600.0
    files_seconds: float = 600.0
    least_bytes_a_second: int = 8 * 1024
    pages: int = 20_000
    other_seconds: float = 5.0


class _Time(threading.local):
    """When this thread stops to wait, by the monotonic clock, and what else ends its waiting."""

    until: float = math.inf
    is_over: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The time that is left, for each thread.

    `connect` and `silence` are seconds.
    """

    connect: float
    silence: float
    _time: _Time = field(default_factory=_Time)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Nothing in this block waits longer than so many seconds, all waits together."""
        return self.until(time.monotonic() + seconds)

    @contextmanager
    def until(self, moment: float) -> Iterator[None]:
        """Nothing in this block waits beyond a moment of the monotonic clock.

        Raises:
            ServerUnreachable: the time is up, at the beginning or in the middle.
        """
        before = self._time.until
        self._time.until = min(before, moment)
        try:
            self.require()
            yield
        except (TimeoutError, HTTPError):
            self.require()
            raise
        finally:
            self._time.until = before

    @contextmanager
    def unless(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Nothing in this block asks or waits any more once `is_over` says so; raises Stopped."""
        before = self._time.is_over
        self._time.is_over = is_over
        try:
            yield
        finally:
            self._time.is_over = before

    @property
    def left(self) -> float:
        """Seconds that are left; zero or less when the time is up, or nobody waits any more."""
        return 0.0 if self._is_over else self._time.until - time.monotonic()

    @property
    def _is_over(self) -> bool:
        return self._time.is_over is not None and self._time.is_over()

    def require(self) -> None:
        """Raise `ServerUnreachable` if the time is up, and Stopped where `unless` says so."""
        if self.left <= 0:
            if self._is_over:
                raise Stopped("It was stopped.")
            raise ServerUnreachable(
                "The server answers too slowly to go on. What came is kept: try again, and if "
                "this stays, ask who runs the server."
            )

    def pool(self, server: str) -> HTTPConnectionPool:
        """The connections to one server; each read from them asks how much time is left."""
        patience = self

        class Response(HTTPResponse):
            def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  # as http.client declares it
                super().__init__(sock, *arguments, **named)
                self.fp = io.BufferedReader(_Waiting(self.fp.detach(), sock, patience))

        class Plain(HTTPConnection):
            response_class = Response

        class Sealed(HTTPSConnection):
            response_class = Response

        timeout = urllib3.Timeout(connect=self.connect, read=self.silence)
        # A signature is good once: a repeated request must be signed anew, by us.
        made = urllib3.connection_from_url(server, timeout=timeout, retries=False)
        made.ConnectionCls = Sealed if isinstance(made, HTTPSConnectionPool) else Plain
        return made


class _Waiting(io.RawIOBase):
    """A connection's bytes; each read waits for the silence allowed, or the rest of the time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: Patience) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = patience

    def readable(self) -> bool:
        """As it is."""
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401  # as io declares it
        """Some bytes; TimeoutError when the time is up."""
        patience = self._patience
        if patience.left <= 0:
            raise TimeoutError
        self._sock.settimeout(max(_LEAST_SECONDS, min(patience.silence, patience.left)))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the connection's side of it."""
        self._raw.close()
        super().close()
