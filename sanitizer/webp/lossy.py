"""The partitions of a VP8 frame: where each begins, and where a decoder stops to read it.

Rule (RFC 6386, sections 9 and 19): the sizes in the frame say where partitions stand, and not how
much of them is ever read. A decoder fails where it wants more than there is; so the shortest
partition that still decodes is what the picture needs, and the rest is no picture. Its last bytes
are looked ahead at, and zeros where they change no pixel.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import Malformed

_HEAD = 10
_START_CODE = b"\x9d\x01\x2a"
_PROFILES = 4
_LOOKAHEAD = (2, 1)
_SEGMENT_FIELDS = ((7, 4), (6, 4))
_FILTER_FIELDS = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A key frame: its size, its profile, and its partitions as (start, length)."""

    width: int
    height: int
    profile: int
    parts: tuple[tuple[int, int], ...]

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Frame":
        """Parse a VP8 chunk; raises Malformed."""
        if len(untrusted) <= _HEAD or untrusted[3:6] != _START_CODE:
            raise Malformed("a picture that does not begin like one")
        tag = int.from_bytes(untrusted[:3], "little")
        width, height = struct.unpack_from("<HH", untrusted, 6)
        profile, shown, first = tag >> 1 & 7, tag >> 4 & 1, tag >> 5
        if tag & 1 or not shown or profile >= _PROFILES or _HEAD + first > len(untrusted):
            raise Malformed("a picture that is no whole key frame")
        count = _count(untrusted[_HEAD : _HEAD + first])
        at = _HEAD + first + 3 * (count - 1)
        sizes = untrusted[_HEAD + first : at]
        parts = [(_HEAD, first)]
        for number in range(count - 1):
            size = int.from_bytes(sizes[3 * number : 3 * number + 3], "little")
            parts.append((at, size))
            at += size
        if at > len(untrusted):
            raise Malformed("a picture whose parts reach beyond it")
        parts.append((at, len(untrusted) - at))
        return cls(width & 0x3FFF, height & 0x3FFF, profile, tuple(parts))

    def assembled(self, parts: list[bytes]) -> bytes:
        """Return a frame of these partitions, never scaled."""
        tag = len(parts[0]) << 5 | 1 << 4 | self.profile << 1
        size = struct.pack("<HH", self.width, self.height)
        sizes = b"".join(len(part).to_bytes(3, "little") for part in parts[1:-1])
        head = tag.to_bytes(3, "little") + _START_CODE + size
        return b"".join([head, parts[0], sizes, *parts[1:]])


class _Bits:
    """The evenly distributed bits at the beginning of a first partition (section 7.3)."""

    def __init__(self, data: bytes) -> None:
        self._data = data.ljust(2, b"\0")
        self._value, self._at = int.from_bytes(self._data[:2], "big"), 2
        self._range, self._count = 255, 0

    def take(self, bits: int) -> int:
        """Return a number of some bits, the highest first."""
        number = 0
        for _ in range(bits):
            split = 1 + ((self._range - 1) * 128 >> 8)
            bit = self._value >= split << 8
            if bit:
                self._range -= split
                self._value -= split << 8
            else:
                self._range = split
            number = number << 1 | bit
            while self._range < 128:  # noqa: PLR2004 - half of a byte's range
                self._shift()
        return number

    def _shift(self) -> None:
        self._value <<= 1
        self._range <<= 1
        self._count += 1
        if self._count == 8:  # noqa: PLR2004 - a byte is used up
            self._count = 0
            self._value |= self._data[self._at] if self._at < len(self._data) else 0
            self._at += 1


def _count(first: bytes) -> int:
    """Return how many partitions of coefficients the header in the first partition announces."""
    bits = _Bits(first)
    bits.take(2)  # colour space, clamping
    if bits.take(1):
        update_map, update_data = bits.take(1), bits.take(1)
        if update_data:
            bits.take(1)
            for size, count in _SEGMENT_FIELDS:
                _optional(bits, size + 1, count)
        if update_map:
            _optional(bits, 8, 3)
    bits.take(1 + 6 + 3)  # the filter's kind, level and sharpness
    if bits.take(1) and bits.take(1):
        _optional(bits, 6 + 1, _FILTER_FIELDS)
    return 1 << bits.take(2)


def _optional(bits: _Bits, size: int, count: int) -> None:
    for _ in range(count):
        if bits.take(1):
            bits.take(size)


def shortest(length: int, is_enough: Callable[[int], bool]) -> int:
    """Return the least length that is enough, where ``length`` is known to be.

    Most partitions have nothing behind them: the end is tried first.
    """
    low, high, step = -1, length, 1
    while high > 0:
        tried = max(0, length - step)
        if not is_enough(tried):
            low = tried
            break
        high, step = tried, step * 2
    while high - low > 1:
        tried = (low + high) // 2
        low, high = (low, tried) if is_enough(tried) else (tried, high)
    return high


def trimmed(untrusted: bytes, digest: Callable[[bytes], bytes | None]) -> bytes:
    """Return a VP8 chunk's data cut to what its picture needs; raises Malformed.

    ``digest`` of a frame's bytes is that of its pixels, or None where it does not decode.
    """
    # Decoders take the byte that fills up a chunk for a part of it, and a picture may need it.
    untrusted += bytes(len(untrusted) % 2)
    frame = Frame.from_bytes(untrusted)
    parts = [untrusted[start : start + length] for start, length in frame.parts]
    pixels = digest(frame.assembled(parts))
    if pixels is None:
        raise Malformed("a picture that does not decode")
    trim = _Trim(frame, parts, digest, pixels)
    for number in range(len(parts)):
        trim.cut(number)
        # Zeros may let the decoder come to its end sooner.
        while trim.quieten(number):
            trim.cut(number)
    made = frame.assembled(parts)
    if digest(made) != pixels:
        raise Malformed("a picture that depends on what it should not read")
    return made


@dataclass(frozen=True, slots=True)
class _Trim:
    """One frame on its way to what its picture needs; ``parts`` is what remains of it."""

    frame: Frame
    parts: list[bytes]
    digest: Callable[[bytes], bytes | None]
    pixels: bytes

    def cut(self, number: int) -> None:
        """Cut one partition to its shortest."""
        part = self.parts[number]
        length = shortest(len(part), lambda length: self._is_same(number, part[:length]))
        self.parts[number] = part[:length]

    def quieten(self, number: int) -> bool:
        """Put zeros in place of what is only looked ahead at; tell whether something changed."""
        part = self.parts[number]
        for zeros in _LOOKAHEAD:
            if len(part) >= zeros and part[-zeros]:
                quiet = part[:-zeros] + bytes(zeros)
                if self._is_same(number, quiet):
                    self.parts[number] = quiet
                    return True
        return False

    def _is_same(self, number: int, part: bytes) -> bool:
        """Tell whether the picture is the same with another partition in place of one."""
        parts = list(self.parts)
        parts[number] = part
        made = self.frame.assembled(parts)
        if len(made) % 2:
            # The decoder would read the byte that fills up the chunk. Another partition, which
            # has all that it needs, takes one that is not read.
            parts[0 if number else -1] += b"\0"
            made = self.frame.assembled(parts)
        return self.digest(made) == self.pixels
