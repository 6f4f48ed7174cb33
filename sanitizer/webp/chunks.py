"""The chunks of a WebP, and chunks of ours.

Rule (RFC 9649, section 2.3): a name, a length, that many bytes and one of zero where it is odd.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pieces import Piece, read_exactly, size_of
from sanitizer.source import UntrustedSource

_MOST_READ = 16 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its name and where its data stands."""

    kind: bytes
    start: int
    length: int

    def read(self, source: UntrustedSource, most: int = _MOST_READ) -> bytes:
        """Return its data, or the first ``most`` bytes of it."""
        return read_exactly(source, self.start, min(self.length, most))


@dataclass(slots=True)
class Walker:
    """Walks over chunks, at the top and in frames; ``left`` is how many may still come."""

    source: UntrustedSource
    left: int

    def walk(self, start: int, end: int) -> Iterator[Chunk]:
        """Yield the chunks of a range; raises Malformed for one that reaches beyond it."""
        while start + 8 <= end:
            self.left -= 1
            if self.left < 0:
                raise TooComplex("too many chunks")
            kind, length = struct.unpack("<4sI", read_exactly(self.source, start, 8))
            if start + 8 + length > end:
                raise Malformed("a chunk reaches beyond its file")
            yield Chunk(kind, start + 8, length)
            start += 8 + length + length % 2


def chunk(kind: bytes, *data: Piece) -> list[Piece]:
    """Return a chunk of ours."""
    length = sum(map(size_of, data))
    return [kind + struct.pack("<I", length), *data, bytes(length % 2)]


def file_of(*chunks: list[Piece]) -> list[Piece]:
    """Return a whole file of these chunks."""
    pieces = [piece for each in chunks for piece in each]
    length = 4 + sum(map(size_of, pieces))
    return [b"RIFF" + struct.pack("<I", length) + b"WEBP", *pieces]


def whole(*chunks: list[Piece]) -> bytes:
    """Return a whole file of chunks that are all bytes."""
    return b"".join(piece for piece in file_of(*chunks) if isinstance(piece, bytes))
