"""Bits of a parameter set or a slice header, read with bounds (ITU-T H.264 and H.265, 9.1, 9.2).

Rule: behind the last bit there is nothing, and asking for it means that the file is malformed.
"""

import re

from sanitizer.errors import Malformed

_ESCAPED = re.compile(rb"\x00\x00\x03")
_MAX_ZEROS = 32


def unescaped(untrusted: bytes) -> bytes:
    """Return a unit's content without its emulation prevention bytes (H.265, 7.3.1.1)."""
    return _ESCAPED.sub(b"\0\0", untrusted)


class Bits:
    """A reader of bits, from the highest of the first byte on."""

    def __init__(self, untrusted: bytes) -> None:
        self._value = int.from_bytes(untrusted, "big")
        self._left = 8 * len(untrusted)

    def take(self, width: int) -> int:
        """Return the next ``width`` bits as a number; raises Malformed behind the end."""
        self._left -= width
        if self._left < 0:
            raise Malformed("a parameter set is cut short")
        return self._value >> self._left & ((1 << width) - 1)

    def golomb(self) -> int:
        """Return an Exp-Golomb number, ue(v); raises Malformed behind the end."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MAX_ZEROS:
                raise Malformed("a parameter set that says what cannot be")
        return (1 << zeros | self.take(zeros)) - 1
