"""The compressed data of one picture, cut into chunks of ours.

Rule: bit by bit as it was; but how an encoder cut it, and how it numbered the parts, is not kept.
"""

import struct
import zlib
from dataclasses import dataclass, field

from sanitizer.pieces import Piece, Range

_LONGEST = 1 << 20


@dataclass(slots=True)
class Cut:
    """IDAT or fdAT chunks in the making; ``sequence`` is the animation's next number."""

    kind: bytes
    pieces: list[Piece]
    sequence: int = 0
    _ranges: list[Range] = field(default_factory=list)
    _length: int = 0
    _crc: int = 0

    def add(self, start: int, data: bytes) -> None:
        """Append bytes of the stream, which stand at ``start`` in the source."""
        at = 0
        while at < len(data):
            part = data[at : at + _LONGEST - self._length]
            if not self._length:
                self._crc = zlib.crc32(self.kind + self._number())
            self._crc = zlib.crc32(part, self._crc)
            self._ranges.append(Range(start + at, len(part)))
            self._length += len(part)
            at += len(part)
            if self._length == _LONGEST:
                self.finish()

    def finish(self) -> None:
        """Write the chunk that is begun, if one is."""
        if not self._length:
            return
        number = self._number()
        self.pieces.append(struct.pack(">I", self._length + len(number)) + self.kind + number)
        self.pieces += self._ranges
        self.pieces.append(struct.pack(">I", self._crc))
        self.sequence += bool(number)
        self._ranges, self._length = [], 0

    def _number(self) -> bytes:
        return struct.pack(">I", self.sequence) if self.kind == b"fdAT" else b""
