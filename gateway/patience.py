"""How long a connection is waited for before its thread is given to somebody else.

A slow phone has its time, a silent connection has not.  What is counted is the time that we wait
for the other side, never the time that we take ourselves.  A request's head and short body are
waited for without a thread (gateway.arrival, gateway.worker); this is for what a thread reads.
"""

from __future__ import annotations

import errno
import math
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A phone with two bars has several times as much.
RATE = 1024
_SEND_MOST = 256 * 1024
# As much as the form's parser takes at once.  gunicorn asks for a MiB, and would copy what is left
# of it at every one of the parser's reads: eight MiB of copies for one of a film.
_RECEIVE_MOST = 64 * 1024


class TooSlow(ConnectionResetError):
    """We end this connection; gunicorn treats it as one that the client ended, and is silent."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the other side is too slow")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds.

    ``silence`` for any byte at all, ``head`` for the whole head of a request, ``first`` for the
    first byte of a new connection, ``grace`` until a body, or an answer, that moves at less than
    ``rate`` bytes per second on average is given up.
    """

    silence: float
    head: float
    first: float
    grace: float
    rate: int = RATE

    @classmethod
    def of(cls, receive_seconds: float) -> Patience:
        """From the one setting, AMANA_RECEIVE_SECONDS: 30 gives 30, 20, 10 and 60 seconds."""
        third = receive_seconds / 3
        return cls(silence=3 * third, head=2 * third, first=third, grace=6 * third)


class _Meter:
    """What moved in one direction, and how long that was waited for."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._waited = 0.0
        self._moved = 0

    def too_slow(self, waited: float, moved: int) -> bool:
        """Add a step; whether it is now too slow."""
        self._waited += waited
        self._moved += moved
        enough = self._patience.rate * self._waited
        return self._waited > self._patience.grace and self._moved < enough


def _nothing() -> None:
    pass


class PatientSocket(socket.socket):
    """A client's socket whose reads and writes raise TooSlow; it takes the given socket over."""

    def __init__(
        self,
        taken: socket.socket,
        patience: Patience,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        source: bytes | None = None,
        closed: Callable[[], None] = _nothing,
    ) -> None:
        """Take it over; ``source`` is whose it is, as far as known; ``closed`` hears its end."""
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self.patience = patience
        self._now = monotonic
        self._closed_call = closed
        self._ahead = b""
        self._no_more = False
        self.source = source
        self.gave_up = False
        self._deadline = math.inf
        self.begin_body()

    def begin_head(self) -> None:
        """From here on a request's head is read."""
        self._begin(self._now() + self.patience.head)

    def begin_body(self, close_after_answer: Callable[[], None] = _nothing) -> None:
        """From here on a request's body is read and its answer written.

        ``close_after_answer`` tells the server that no other request is to come through here.
        """
        self._begin(math.inf)
        self.close_after_answer = close_after_answer

    def finish_within(self, seconds: float) -> None:
        """Wait no longer than that for all that is still to be read of this request."""
        self._deadline = min(self._deadline, self._now() + seconds)

    def hand_on(self, data: bytes, *, is_all: bool) -> None:
        """Let the next reads give ``data``, and with ``is_all`` no byte after it but TooSlow."""
        self._ahead += data
        self._no_more = is_all

    def take_ahead(self) -> bytes:
        """Return what was handed on and not read."""
        ahead, self._ahead = self._ahead, b""
        return ahead

    @property
    def has_ahead(self) -> bool:
        """Whether something was handed on and not read."""
        return bool(self._ahead)

    def holds(self, size: int) -> bool:
        """Whether so many bytes can be read without a wait; or all that there will be."""
        if self._no_more or len(self._ahead) >= size:
            return True
        before = self.gettimeout()
        self.settimeout(0)
        try:
            return len(super().recv(size, socket.MSG_PEEK)) >= size
        except OSError:
            return False
        finally:
            self.settimeout(before)

    def receive_now(self, size: int) -> bytes:
        """Read what is there, for somebody who does not wait.  Raises BlockingIOError."""
        return super().recv(size)

    def close(self) -> None:
        """Close, and tell it once."""
        super().close()
        told, self._closed_call = self._closed_call, _nothing
        told()

    def _begin(self, deadline: float) -> None:
        self._deadline = deadline
        self._received = _Meter(self.patience)
        self._sent = _Meter(self.patience)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Read what there is, waiting as long as patience has it.  Raises TooSlow."""
        bufsize = min(bufsize, _RECEIVE_MOST)
        if self._ahead:
            first, self._ahead = self._ahead[:bufsize], self._ahead[bufsize:]
            return first
        if self._no_more:
            raise self._given_up()
        left = min(self.patience.silence, self._deadline - self._now())
        found: list[bytes] = []

        def step() -> int:
            found.append(super(PatientSocket, self).recv(bufsize, flags))
            return len(found[0])

        self._step(step, left, self._received)
        return found[0]

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override] # gunicorn sends bytes
        """Write everything, however long it takes while it moves.  Raises TooSlow."""
        rest = memoryview(data)

        def step() -> int:
            return super(PatientSocket, self).send(rest[:_SEND_MOST], flags)

        while rest:
            rest = rest[self._step(step, self.patience.silence, self._sent) :]

    def _step(self, step: Callable[[], int], left: float, meter: _Meter) -> int:
        """One system call that moves bytes, within the seconds that are left."""
        before = self.gettimeout()
        # gunicorn sets timeouts of its own where it closes a connection: the shorter one counts.
        left = left if before is None else min(left, before)
        if left <= 0:
            raise self._given_up()
        started = self._now()
        self.settimeout(left)
        try:
            moved = step()
        except TimeoutError:
            raise self._given_up() from None
        finally:
            self.settimeout(before)
        if meter.too_slow(self._now() - started, moved):
            raise self._given_up()
        return moved

    def _given_up(self) -> TooSlow:
        self.gave_up = True
        return TooSlow()
