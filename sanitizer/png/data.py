"""The compressed data of a PNG: how much there must be, and where it really ends.

Rule: unpacked as it streams by, never kept; too much is refused before it is too much.
"""

import struct
import zlib
from dataclasses import dataclass, field

from sanitizer.errors import Malformed
from sanitizer.png.palette import Rows

_OUT = 1 << 18
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_MAX_SIDE = 2**31 - 1
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
_ADAM7_LAST = (0, 1, 1, 2)


@dataclass(frozen=True, slots=True)
class Shape:
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Shape":
        """Parse the 13 bytes of an IHDR; raises Malformed."""
        width, height, depth, colour, packing, filters, interlace = struct.unpack(
            ">IIBBBBB", untrusted
        )
        if (
            not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE)
            or depth not in _DEPTHS.get(colour, set())
            or packing
            or filters
            or interlace > 1
        ):
            raise Malformed("a PNG header that says what cannot be")
        return cls(width, height, depth, colour, bool(interlace))

    def raw_length(self) -> int:
        """Return how many bytes the pixels and their filter bytes take when unpacked."""
        bits = self.depth * _CHANNELS[self.colour]
        return sum(height * (1 + -(-width * bits // 8)) for width, height in self.passes())

    def passes(self) -> list[tuple[int, int]]:
        """Return width and height of each pass: of one, where the picture is not interlaced."""
        if not self.interlaced:
            return [(self.width, self.height)]
        each = [
            (-(-(self.width - left) // across), -(-(self.height - top) // down))
            for left, top, across, down in (*_ADAM7, _ADAM7_LAST)
        ]
        return [(width, height) for width, height in each if width > 0 and height > 0]

    def resized(self, width: int, height: int) -> "Shape":
        """Return the same kind of picture in another size: a frame of an animation."""
        if not (0 < width <= self.width and 0 < height <= self.height):
            raise Malformed("a frame larger than its picture")
        return Shape(width, height, self.depth, self.colour, self.interlaced)


@dataclass(slots=True)
class ImageData:
    """One compressed stream that must unpack to exactly ``left`` bytes; ``rows`` looks at them."""

    left: int
    rows: Rows | None = None
    _stream: "zlib._Decompress" = field(default_factory=zlib.decompressobj)

    @property
    def ended(self) -> bool:
        """Whether the stream has come to its own end."""
        return self._stream.eof

    def feed(self, untrusted: bytes) -> int:
        """Unpack and forget; return how many of the bytes belong to the stream."""
        waiting = untrusted
        while True:
            try:
                made = self._stream.decompress(waiting, _OUT)
            except zlib.error:
                raise Malformed("the picture's data is broken") from None
            self.left -= len(made)
            if self.left < 0:
                raise Malformed("more data than the picture has pixels")
            if self.rows:
                self.rows.feed(made)
            waiting = self._stream.unconsumed_tail
            if self._stream.eof or (not waiting and len(made) < _OUT):
                break
        return len(untrusted) - len(self._stream.unused_data)

    def finish(self) -> None:
        """Raise Malformed unless the stream ended with the last pixel."""
        if self.left or not self.ended:
            raise Malformed("the picture's data ends before the picture does")


def unpack(untrusted: bytes, most: int) -> bytes:
    """Unpack a small compressed text or profile; raises Malformed beyond ``most`` bytes."""
    stream = zlib.decompressobj()
    try:
        made = stream.decompress(untrusted, most)
    except zlib.error:
        raise Malformed("compressed data is broken") from None
    if not stream.eof and stream.unconsumed_tail:
        raise Malformed("compressed data is too long")
    return made
