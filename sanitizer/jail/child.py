"""One worker as the process that has it sees it: what is sent, what is heard, and until when.

Rule: nothing of what a worker says is believed; each length is bounded before it is waited for,
and of the file it is given nothing but what lies in it.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sanitizer.errors import Malformed
from sanitizer.jail import shared, wire
from sanitizer.pieces import HELD, read_exactly
from sanitizer.source import UntrustedSource

_RECEIVE = 1 << 20


class Died(Exception):
    """A worker, or the zygote, is gone."""


class Overdue(Exception):
    """A worker has not answered in time."""


@dataclass(slots=True)
class Child:
    """One worker: the stream to it, read with one deadline, and the memory that it reads.

    ``has_begun`` tells that it has had a byte of the file that it was asked about.
    """

    number: int
    stream: socket.socket
    until: float = 0.0
    memory: shared.SharedMemory | None = None
    has_begun: bool = False
    _held: bytes = b""

    def ask(self, source: UntrustedSource, order: Callable[[bool], bytes]) -> None:
        """Send an order, and with it all of a file that is short; raises Died, Overdue.

        ``order`` makes the frame, told whether the file lies in the shared memory.
        """
        self.has_begun = False
        memory = self.memory if source.length <= HELD else None
        if memory is not None:
            memory.write(read_exactly(source, 0, source.length))
        self.put(order(memory is not None))
        self.has_begun = memory is not None

    def heard(self, source: UntrustedSource) -> tuple[bytes, bytes]:
        """Hand out what is wanted of the file until there is an answer: its letter, its payload.

        Raises Died, Overdue, and Malformed where the worker is rude.
        """
        while True:
            letter, length = wire.HEAD.unpack(self.take(wire.HEAD.size))
            if length > wire.MOST_WORDS:
                raise Malformed("the worker's answer cannot be read")
            payload = self.take(length)
            if letter != b"R" or length != wire.WANTED.size:
                return letter, payload
            self.has_begun = True
            offset, count = wire.WANTED.unpack(payload)
            if count > wire.MOST_WANTED or offset + count > source.length:
                raise Malformed("the worker wants bytes that are not there")
            self.put(read_exactly(source, offset, count))

    def put(self, data: bytes) -> None:
        """Send all of ``data``; raises Died, Overdue."""
        with self._within():
            self.stream.sendall(data)

    def take(self, count: int) -> bytes:
        """Return exactly ``count`` bytes; raises Died, Overdue."""
        parts, left = [self._held[:count]], count - len(self._held)
        self._held = self._held[count:]
        while left > 0:
            with self._within():
                data = self.stream.recv(max(left, 4096) if left < _RECEIVE else _RECEIVE)
            if not data:
                raise Died
            parts.append(data[:left])
            self._held = data[left:]
            left -= len(data)
        return b"".join(parts)

    def require_end(self) -> None:
        """Raise Malformed where bytes have come that nobody asked for."""
        if self._held:
            raise Malformed("the worker's answer goes on")

    def close(self) -> None:
        """Close the stream and the memory; the worker dies of that, or is killed."""
        self.stream.close()
        if self.memory is not None:
            self.memory.close()

    @contextlib.contextmanager
    def _within(self) -> Iterator[None]:
        left = self.until - time.monotonic()
        if left <= 0:
            raise Overdue
        self.stream.settimeout(left)
        try:
            yield
        except TimeoutError:
            raise Overdue from None
        except OSError:
            raise Died from None
