"""Which entries of a palette a picture's pixels name; the others go (W3C PNG, 9.2 and 11.2.2).

Rule: no decoder looks at an entry that no pixel names, so it may spell anything.  Rows are
unfiltered as they stream by; those of two filters are slow in Python, and so counted: beyond
``_SLOW_BYTES`` of them every entry passes for named.
"""

import sys
from array import array
from dataclasses import dataclass, field
from itertools import accumulate

from sanitizer.errors import Malformed

_SLOW_BYTES = 12 << 20
_UP, _AVERAGE, _PAETH = 2, 3, 4
_LOWEST = 0 if sys.byteorder == "little" else -1


@dataclass(slots=True)
class Palette:
    """The entries (``size`` of them) that no pixel has named yet."""

    size: int
    depth: int
    unused: set[int] = field(init=False)
    slow_left: int = field(default_factory=lambda: _SLOW_BYTES)
    _met: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with every entry unused."""
        self.unused = set(range(self.size))

    def take(self, row: bytes, spare: int) -> None:
        """Take a row of pixels whose last byte has ``spare`` bits that belong to none."""
        pixels = 8 // self.depth
        self._name(set(row[:-1] if spare else row), pixels)
        if spare:
            # Told apart by a bit that no byte has: it holds fewer pixels than others.
            last = row[-1] >> spare
            for place in range(pixels - spare // self.depth):
                self.unused.discard(last >> place * self.depth & ((1 << self.depth) - 1))

    def _name(self, values: set[int], pixels: int) -> None:
        for value in values - self._met:
            for place in range(pixels):
                self.unused.discard(value >> place * self.depth & ((1 << self.depth) - 1))
        self._met |= values

    def emptied(self, colours: bytes) -> bytes:
        """Return PLTE's data with the colours black that no pixel has."""
        made = bytearray(colours)
        for number in self.unused:
            made[3 * number : 3 * number + 3] = bytes(3)
        return bytes(made)

    def without_unused(self, alphas: bytes) -> bytes:
        """Return tRNS's data with the entries opaque that no pixel has; what is opaque may lack."""
        made = (b"\xff" if n in self.unused else bytes([a]) for n, a in enumerate(alphas))
        return b"".join(made).rstrip(b"\xff")


@dataclass(slots=True)
class Rows:
    """The rows of one picture: ``passes`` holds the width in pixels and the height of each pass."""

    palette: Palette
    passes: list[tuple[int, int]]
    _waiting: bytes = b""
    _above: bytes = b""
    _row: int = 0

    def feed(self, untrusted: bytes) -> None:
        """Take unpacked data as it comes; raises Malformed for a filter that is none."""
        if not self.palette.unused:
            return
        data, at = self._waiting + untrusted, 0
        while self.passes and self.palette.unused:
            width, height = self.passes[0]
            bits = width * self.palette.depth
            length = -(-bits // 8)
            if len(data) < at + 1 + length:
                break
            above = self._above if self._row else bytes(length)
            self._above = self._unfiltered(data[at], data[at + 1 : at + 1 + length], above)
            self.palette.take(self._above, -bits % 8)
            at += 1 + length
            self._row += 1
            if self._row == height:
                self._row = 0
                del self.passes[0]
        self._waiting = data[at:]

    def _unfiltered(self, kind: int, row: bytes, above: bytes) -> bytes:
        if kind > _PAETH:
            raise Malformed("a row filtered in a way that is none")
        if kind >= _AVERAGE:
            self.palette.slow_left -= len(row)
            if self.palette.slow_left < 0:
                self.palette.unused.clear()
                return row
            return _average(row, above) if kind == _AVERAGE else _paeth(row, above)
        if kind == _UP:
            return _added(row, above)
        # Sums of a row fit into four bytes; the lowest of them is the pixel.
        return bytes(array("I", accumulate(row)).tobytes()[_LOWEST % 4 :: 4]) if kind else row


def _added(row: bytes, above: bytes) -> bytes:
    """Add two rows byte by byte, in one long sum whose carries stay inside their bytes."""
    left, right = int.from_bytes(row, "big"), int.from_bytes(above, "big")
    low = int.from_bytes(b"\x7f" * len(row), "big")
    return ((left & low) + (right & low) ^ (left ^ right) & ~low).to_bytes(len(row), "big")


def _average(row: bytes, above: bytes) -> bytes:
    made, left = bytearray(), 0
    for value, up in zip(row, above, strict=True):
        left = value + (left + up >> 1) & 255
        made.append(left)
    return bytes(made)


def _paeth(row: bytes, above: bytes) -> bytes:
    made, left, corner = bytearray(), 0, 0
    for value, up in zip(row, above, strict=True):
        across, down = up - corner, left - corner
        both = abs(across + down)
        across, down = abs(across), abs(down)
        guess = left if across <= down and across <= both else up if down <= both else corner
        left, corner = value + guess & 255, up
        made.append(left)
    return bytes(made)
