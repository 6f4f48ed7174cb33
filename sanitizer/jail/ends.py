"""What a jailed worker reads from and writes to: one stream, and memory that it cannot write.

Rule: whole frames; the end of the stream is the end of the work; a file is asked for window by
window, or lies in memory that is shared.  No parser is imported here: whoever works behind the
lock, on whatever, has these ends.
"""

import contextlib
import mmap
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar

from sanitizer.errors import Malformed, Refused, TooComplex
from sanitizer.jail import wire
from sanitizer.source import UntrustedSource

_WINDOW = wire.MOST_WANTED
_WINDOWS_HELD = 3
_READ = 1 << 16


class GatewayGone(BaseException):
    """The other end was closed: there is nobody to work for.  Nothing may swallow this."""


class Stream:
    """Whole frames over one descriptor."""

    def __init__(self, descriptor: int) -> None:
        """Read from and write to ``descriptor``, which blocks."""
        self._descriptor = descriptor

    def take(self, count: int) -> bytes:
        """Return exactly ``count`` bytes; raises GatewayGone where the gateway has gone."""
        parts, left = [b""], count
        while left:
            parts.append(os.read(self._descriptor, min(left, _READ)))
            left -= len(parts[-1])
            if not parts[-1]:
                raise GatewayGone
        return b"".join(parts)

    def next(self) -> tuple[bytes, bytes]:
        """Return the next frame: its letter and its payload."""
        kind, length = wire.HEAD.unpack(self.take(wire.HEAD.size))
        return kind, self.take(length)

    def put(self, data: bytes) -> None:
        """Write all of ``data``; raises GatewayGone."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BrokenPipeError:
                raise GatewayGone from None


class RemoteSource:
    """An UntrustedSource whose bytes lie with the gateway; the last windows of it are held here."""

    def __init__(self, stream: Stream, length: int) -> None:
        """Ask over ``stream`` for bytes of a file that is ``length`` bytes long."""
        self._stream = stream
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self.length = length

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end."""
        end = min(offset + length, self.length)
        parts = []
        while offset < end:
            number, within = divmod(offset, _WINDOW)
            part = self._window(number)[within : within + end - offset]
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _window(self, number: int) -> bytes:
        held = self._held.get(number)
        if held is None:
            if len(self._held) == _WINDOWS_HELD:
                self._held.popitem(last=False)
            start = number * _WINDOW
            count = min(_WINDOW, self.length - start)
            self._stream.put(wire.frame(b"R", wire.WANTED.pack(start, count)))
            held = self._held[number] = self._stream.take(count)
        else:
            self._held.move_to_end(number)
        return held


class SharedSource:
    """An UntrustedSource at the beginning of the memory that the gateway writes into."""

    def __init__(self, memory: mmap.mmap, length: int) -> None:
        """Read a file that is ``length`` bytes long, and nothing of what lies behind it."""
        self._memory = memory
        self.length = length

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end."""
        return self._memory[offset : min(offset + length, self.length)]

    def view_at(self, offset: int, length: int) -> memoryview:
        """Return what ``read_at`` returns, where it lies."""
        return memoryview(self._memory)[offset : min(offset + length, self.length)]


class Order(Protocol):
    """What every order says of its file."""

    @property
    def length(self) -> int:
        """Bytes of the file."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether it lies in the shared memory."""
        ...


_O = TypeVar("_O", bound=Order)


def serve(
    stream: Stream,
    memory: mmap.mmap | None,
    read: Callable[[bytes], _O],
    work: Callable[[UntrustedSource, _O], list[bytes]],
) -> None:
    """Say that the lock is closed, then do one order after the other until the gateway has gone.

    ``read`` reads an order's payload; ``work`` returns the answer in parts, or raises: whatever it
    or its libraries do over a file becomes a refusal.
    """
    with contextlib.suppress(GatewayGone):
        stream.put(wire.frame(b"H"))
        while True:
            _, payload = stream.next()
            order = read(payload)
            source = (
                SharedSource(memory, order.length)
                if memory is not None and order.is_shared
                else RemoteSource(stream, order.length)
            )
            for data in _answered(source, order, work):
                stream.put(data)


def _answered(
    source: UntrustedSource, order: _O, work: Callable[[UntrustedSource, _O], list[bytes]]
) -> list[bytes]:
    try:
        return work(source, order)
    except Refused as refused:
        told = refused
    except (MemoryError, RecursionError):
        told = TooComplex("the file asks for more memory than a worker has")
    except Exception:  # noqa: BLE001 - a library may raise what it likes: it did not say "done"
        told = Malformed("the file broke its reader")
    return [wire.refusal(told)]
