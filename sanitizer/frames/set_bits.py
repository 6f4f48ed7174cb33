"""Bits of a parameter set that are read to its own end, and written again without what follows.

Rule (ITU-T H.264, 7.2 and 7.4.1; H.265, 7.2 and 7.4.2): a set is what its syntax reads, a stop
bit and zeros up to a whole byte. Reserved bits may be replaced on the way; emulation prevention
bytes are put in anew.
"""

import re

from sanitizer.errors import Malformed
from sanitizer.frames.bits import Bits, unescaped

MAX_SET = 4096
"""Bytes of a set that are looked at; the longest scaling lists take some 2,000."""
_ANY_SHAPE = 255
_TO_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class SetBits(Bits):
    """Reads the content of one set, ``head`` bytes of header in front of it."""

    def __init__(self, untrusted_unit: bytes, head: int) -> None:
        if len(untrusted_unit) <= head:
            raise Malformed("a parameter set is cut short")
        content = unescaped(untrusted_unit[head : head + MAX_SET])
        super().__init__(content)
        self._head = untrusted_unit[:head]
        self._length = 8 * len(content)
        self._edits: list[tuple[int, int, int, int]] = []

    @property
    def at(self) -> int:
        """How many bits have been read."""
        return self._length - self._left

    def back(self, at: int) -> None:
        """Return to a place that was read before; nothing was replaced behind it."""
        self._left = self._length - at

    def golombs(self, count: int) -> None:
        """Read ``count`` Exp-Golomb numbers, of either sign."""
        for _ in range(count):
            self.golomb()

    def signed(self) -> int:
        """Return a signed Exp-Golomb number, se(v)."""
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)

    def few(self, most: int) -> int:
        """Return an Exp-Golomb number that may be no larger than ``most``."""
        value = self.golomb()
        if value > most:
            raise Malformed("a parameter set that says what cannot be")
        return value

    def blank(self, width: int, value: int = 0) -> None:
        """Read ``width`` bits, and let them be ``value``."""
        begin = self.at
        self.take(width)
        self.replace(begin, width, value)

    def replace(self, begin: int, width: int, value: int) -> None:
        """Let what was read since ``begin`` be ``value``, in ``width`` bits."""
        self._edits.append((begin, self.at, width, value))

    def has_more(self) -> bool:
        """Tell whether there is more than trailing bits, more_rbsp_data()."""
        rest = self._value & ((1 << self._left) - 1)
        return rest not in {0, 1 << self._left >> 1}

    def unit(self) -> bytes:
        """Return header, what was read, and the trailing bits: a whole unit."""
        made, done = 1, 0
        for begin, end, width, value in [*self._edits, (self.at, self.at, 1, 1)]:
            kept = self._value >> (self._length - begin) & ((1 << begin - done) - 1)
            made = (made << begin - done | kept) << width | value
            done = end
        made <<= -(made.bit_length() - 1) % 8
        raw = made.to_bytes(made.bit_length() // 8 + 1, "big")[1:]
        return self._head + _TO_ESCAPE.sub(b"\0\0\3", raw)


def appearance(bits: SetBits) -> None:
    """Read how the pictures are to be shown, with which both codecs' usability information begins.

    Shape of a pixel, overscan, colours, and where chroma samples lie: H.264 (E.1.1) and H.265
    (E.2.1) say it in the same bits.
    """
    if bits.take(1) and bits.take(8) == _ANY_SHAPE:
        bits.take(32)
    bits.take(bits.take(1))
    if bits.take(1):
        bits.take(4)
        bits.take(24 * bits.take(1))
    bits.golombs(2 * bits.take(1))
