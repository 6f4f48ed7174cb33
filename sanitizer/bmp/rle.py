"""Run-length coding of bitmaps, undone and done anew.

Rule (Microsoft, "Bitmap Compression"): the source's runs are walked to their end and never kept;
what they paint is coded in one way only, so that neither the choice of runs nor anything behind
the end can say something. Pixels that the source skips get the first colour, as readers do it.
"""

import re
from dataclasses import dataclass, field

from sanitizer.errors import Malformed

_LINE, _END, _DELTA = 0, 1, 2
_RUN = re.compile(rb"(.)\1{2,254}", re.DOTALL)
_MOST = 255
_SHORTEST = 3


@dataclass(slots=True)
class Coder:
    """One picture, row by row; ``made`` is its new coding and ``used`` its colours."""

    width: int
    height: int
    bits: int
    made: bytearray = field(default_factory=bytearray)
    used: set[int] = field(default_factory=set)
    _row: bytearray = field(default_factory=bytearray)
    _x: int = 0
    _y: int = 0

    def run(self, untrusted: bytes) -> int:
        """Walk to the end of the bitmap; return how many bytes that took. Raises Malformed."""
        self._row = bytearray(self.width)
        at, length = 0, len(untrusted)
        while at + 2 <= length:
            count, value = untrusted[at], untrusted[at + 1]
            at += 2
            if count:
                self._paint(self._repeated(count, value))
            elif value == _LINE:
                self._advance(1)
            elif value == _END:
                self._finish()
                return at
            elif value == _DELTA:
                if at + 2 > length:
                    break
                self._x += untrusted[at]
                self._advance(untrusted[at + 1], self._x)
                at += 2
            else:
                size = (value * self.bits + 7) // 8
                self._paint(self._literal(untrusted[at : at + size], value))
                at += size + size % 2
        # Without its end, a picture is whole if its last row is.
        if self._y < self.height - 1 or (self._y == self.height - 1 and self._x < self.width):
            raise Malformed("a bitmap that ends before its picture does")
        self._finish()
        return min(at, length)

    def _repeated(self, count: int, value: int) -> bytes:
        if self.bits == 8:  # noqa: PLR2004 - a pixel is a byte
            return bytes((value,)) * count
        return (bytes((value >> 4, value & 15)) * (count // 2 + 1))[:count]

    def _literal(self, data: bytes, count: int) -> bytes:
        if self.bits != 8:  # noqa: PLR2004 - a pixel is half a byte
            data = bytes.fromhex("0" + "0".join(data.hex())) if data else b""
        if len(data) < count:
            raise Malformed("a bitmap that ends inside a run")
        return data[:count]

    def _paint(self, pixels: bytes) -> None:
        if self._y >= self.height or self._x >= self.width:
            raise Malformed("a run outside its picture")
        end = min(self._x + len(pixels), self.width)
        self._row[self._x : end] = pixels[: end - self._x]
        self._x = end

    def _advance(self, rows: int, column: int = 0) -> None:
        """Go up some rows, to ``column``."""
        for _ in range(min(rows, self.height - self._y)):
            self._code()
        self._y = min(self.height, self._y + rows)
        self._x = column

    def _finish(self) -> None:
        self._advance(self.height - self._y)
        self.made += bytes((0, _END))

    def _code(self) -> None:
        """Append the row's coding to ``made`` and begin an empty row."""
        row = bytes(self._row)
        self.used.update(row)
        at = 0
        for match in _RUN.finditer(row):
            self._code_literal(row[at : match.start()])
            value = match[1][0]
            if self.bits != 8:  # noqa: PLR2004 - two pixels in a byte
                value *= 17
            self.made += bytes((match.end() - match.start(), value))
            at = match.end()
        self._code_literal(row[at:])
        self.made += bytes((0, _LINE))
        self._row = bytearray(self.width)

    def _code_literal(self, pixels: bytes) -> None:
        for start in range(0, len(pixels), _MOST):
            part = pixels[start : start + _MOST]
            packed = part
            if self.bits != 8:  # noqa: PLR2004 - two pixels in a byte
                packed = bytes.fromhex((part + bytes(len(part) % 2)).hex()[1::2])
            if len(part) >= _SHORTEST:
                self.made += bytes((0, len(part))) + packed + bytes(len(packed) % 2)
                continue
            for value in part:
                self.made += bytes((1, value if packed is part else value << 4))
