"""The blocks of a GIF, read one after the other.

Rule (GIF89a, section 15): a chain of sub-blocks ends with an empty one, or with the file.
"""

from dataclasses import dataclass

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pieces import WINDOW
from sanitizer.source import UntrustedSource

_FULL = 255


@dataclass(slots=True)
class Cursor:
    """A place in the source; ``left`` is how many sub-blocks may still come."""

    source: UntrustedSource
    left: int
    at: int = 0
    _window: bytes = b""
    _start: int = 0

    def some(self, length: int) -> bytes:
        """Return ``length`` bytes (no more than a window), fewer at the end of the file."""
        place = self.at - self._start
        if place + length > len(self._window):
            self._window, self._start, place = self.source.read_at(self.at, WINDOW), self.at, 0
        data = self._window[place : place + length]
        self.at += len(data)
        return data

    def take(self, length: int) -> bytes:
        """Return ``length`` bytes; raises Malformed where the file ends before."""
        data = self.some(length)
        if len(data) != length:
            raise Malformed("a GIF that ends in the middle of a block")
        return data

    def chain(self, most: int) -> bytes:
        """Return what a chain of sub-blocks holds; what exceeds ``most`` bytes is passed over."""
        parts, size = [], 0
        while (length := self.some(1)) and length[0]:
            self.left -= 1
            if self.left < 0:
                raise TooComplex("too many blocks")
            data = self.some(length[0])
            if size < most:
                parts.append(data)
                size += len(data)
        return b"".join(parts)


def chained(data: bytes) -> bytes:
    """Return ``data`` in full sub-blocks and a last one, with the empty one at the end."""
    cut = [data[at : at + _FULL] for at in range(0, len(data), _FULL)]
    return b"".join(bytes((len(part),)) + part for part in cut) + b"\0"
