"""The setup header of Vorbis, read to its last bit (Vorbis I specification, 4.2.4 and 3.2.1).

Rule: every field is walked in its order, fields that must be zero are, and the header ends with
its framing bit. Its tables shape the sound and stay as they are.
"""

from sanitizer.errors import Malformed

_MOST = 1 << 18
_BOOK = 0x564342
_LONGEST_WORD = 32


class Setup:
    """What a setup header says: ``data`` cut to what it needs, ``flags`` the modes' sizes."""

    def __init__(self, untrusted: bytes, channels: int) -> None:
        """Walk the header; raises Malformed."""
        if untrusted[:7] != b"\5vorbis" or len(untrusted) > _MOST:
            raise Malformed("a header of sound is missing")
        self._data = untrusted
        self._at = 56
        self._channels = channels
        for _ in range(self._take(8) + 1):
            self._codebook()
        for _ in range(self._take(6) + 1):
            self._zero(16)
        for _ in range(self._take(6) + 1):
            self._floor()
        for _ in range(self._take(6) + 1):
            self._residue()
        for _ in range(self._take(6) + 1):
            self._mapping()
        self.flags = []
        for _ in range(self._take(6) + 1):
            self.flags.append(self._take(1))
            self._zero(32)
            self._take(8)
        if not self._take(1):
            raise Malformed("a header of sound without its end")
        last = untrusted[self._at - 1 >> 3] & (1 << (self._at - 1 & 7) + 1) - 1
        self.data = untrusted[: self._at - 1 >> 3] + bytes([last])

    def _take(self, width: int) -> int:
        """Read a number of at most 32 bits, the lowest bit first."""
        place = self._at >> 3
        value = int.from_bytes(self._data[place : place + 5], "little") >> (self._at & 7)
        self._skip(width)
        return value & (1 << width) - 1

    def _skip(self, width: int) -> None:
        self._at += width
        if self._at > 8 * len(self._data):
            raise Malformed("a header of sound is cut short")

    def _zero(self, width: int) -> None:
        if self._take(width):
            raise Malformed("a header of sound that contradicts itself")

    def _codebook(self) -> None:
        if self._take(24) != _BOOK:
            raise Malformed("a header of sound that contradicts itself")
        dimensions, entries = self._take(16), self._take(24)
        if self._take(1):
            self._ordered(entries)
        elif self._take(1):
            for _ in range(entries):
                if self._take(1):
                    self._skip(5)
        else:
            self._skip(5 * entries)
        kind = self._take(4)
        if kind > 2:  # noqa: PLR2004 - no table, a lattice, a list
            raise Malformed("a header of sound that contradicts itself")
        if kind:
            self._skip(64)
            width = self._take(4) + 1
            self._skip(1)
            number = _lattice(entries, dimensions) if kind == 1 else entries * dimensions
            self._skip(number * width)

    def _ordered(self, entries: int) -> None:
        current, length = 0, self._take(5) + 1
        while current < entries:
            current += self._take((entries - current).bit_length())
            length += 1
            if length > _LONGEST_WORD + 1:
                raise Malformed("a header of sound that contradicts itself")
        if current > entries:
            raise Malformed("a header of sound that contradicts itself")

    def _floor(self) -> None:
        kind = self._take(16)
        if kind == 0:
            self._skip(8 + 16 + 16 + 6 + 8)
            self._skip(8 * (self._take(4) + 1))
        elif kind == 1:
            self._curve()
        else:
            raise Malformed("a header of sound that contradicts itself")

    def _curve(self) -> None:
        """Walk a floor of type 1 (section 7.2.2)."""
        classes = [self._take(4) for _ in range(self._take(5))]
        widths = []
        for _ in range(max(classes, default=-1) + 1):
            widths.append(self._take(3) + 1)
            subclasses = self._take(2)
            if subclasses:
                self._skip(8)
            self._skip(8 << subclasses)
        self._skip(2)
        bits = self._take(4)
        self._skip(bits * sum(widths[each] for each in classes))

    def _residue(self) -> None:
        if self._take(16) > 2:  # noqa: PLR2004 - three types (section 8)
            raise Malformed("a header of sound that contradicts itself")
        self._skip(24 + 24 + 24)
        number = self._take(6) + 1
        self._skip(8)
        books = 0
        for _ in range(number):
            cascade = self._take(3)
            if self._take(1):
                cascade |= self._take(5) << 3
            books += cascade.bit_count()
        self._skip(8 * books)

    def _mapping(self) -> None:
        self._zero(16)
        submaps = self._take(4) + 1 if self._take(1) else 1
        if self._take(1):
            width = (self._channels - 1).bit_length()
            self._skip(2 * width * (self._take(8) + 1))
        self._zero(2)
        if submaps > 1:
            self._skip(4 * self._channels)
        for _ in range(submaps):
            # A place for a time configuration that no decoder reads.
            self._zero(8)
            self._skip(16)


def _lattice(entries: int, dimensions: int) -> int:
    """Return the largest number whose power of ``dimensions`` is at most ``entries`` (9.2.3)."""
    if dimensions == 0:
        raise Malformed("a header of sound that contradicts itself")
    if dimensions > entries.bit_length():
        return min(1, entries)
    low, high = 0, entries
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**dimensions <= entries else (low, middle - 1)
    return low
