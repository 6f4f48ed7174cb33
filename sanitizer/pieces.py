"""A clean file as a list of pieces: bytes of ours, or ranges of the source.

Rule: an image is never copied whole into memory; what is kept is named by its place.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from sanitizer.errors import Malformed
from sanitizer.source import UntrustedSource

WINDOW = 1 << 20
"""Bytes read from a source at a time."""
HELD = 8 << 20
"""Longest file that is held in memory whole."""
# Small enough for a processor's cache, large enough that to begin one costs little.
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Range:
    """``length`` bytes of the source from ``start``, kept bit by bit."""

    start: int
    length: int


Piece = bytes | Range


def size_of(piece: Piece) -> int:
    """Return the length of a piece in bytes."""
    return piece.length if isinstance(piece, Range) else len(piece)


def read_exactly(source: UntrustedSource, offset: int, length: int) -> bytes:
    """Return ``length`` bytes of the source; raises Malformed where it ends before."""
    data = source.read_at(offset, length)
    if len(data) != length:
        raise Malformed("the file ends in the middle of a part")
    return data


def view(source: UntrustedSource, offset: int, length: int) -> bytes | memoryview:
    """Return what ``read_at`` does: not a copy, where the source has its bytes in memory."""
    look: Callable[[int, int], bytes | memoryview]
    look = getattr(source, "view_at", source.read_at)
    return look(offset, length)


class Plan:
    """What the clean file will be; readable at any place without being written anywhere."""

    def __init__(self, source: UntrustedSource, pieces: list[Piece]) -> None:
        """Take the pieces in their order; empty ones do no harm."""
        self.source = source
        self.pieces = pieces
        self._starts = [0, *accumulate(size_of(piece) for piece in pieces)]
        self.length = self._starts[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes of the clean file, fewer at its end."""
        parts = []
        end = min(offset + length, self.length)
        index = bisect_right(self._starts, offset) - 1
        while offset < end:
            within = offset - self._starts[index]
            wanted = min(end, self._starts[index + 1]) - offset
            piece = self.pieces[index]
            if isinstance(piece, Range):
                parts.append(read_exactly(self.source, piece.start + within, wanted))
            else:
                parts.append(piece[within : within + wanted])
            offset += wanted
            index += 1
        return b"".join(parts)

    def view_at(self, offset: int, length: int) -> bytes | memoryview:
        """Return what ``read_at`` returns: not a copy, where it lies in memory in one piece."""
        length = min(length, self.length - offset)
        index = bisect_right(self._starts, offset) - 1
        if length <= 0 or offset + length > self._starts[index + 1]:
            return self.read_at(offset, length)
        piece, within = self.pieces[index], offset - self._starts[index]
        if isinstance(piece, Range):
            return view(self.source, piece.start + within, length)
        return memoryview(piece)[within : within + length]

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file in windows, or in one, where it is short and held as one."""
        match self.pieces:
            case [bytes(whole)] if len(whole) <= HELD:
                yield whole
                return
        for offset in range(0, self.length, _CHUNK):
            yield self.read_at(offset, _CHUNK)

    def open(self) -> io.BufferedReader:
        """Return the clean file as a file object, for readers that want one."""
        return io.BufferedReader(_PlanFile(self), 4096)


class _PlanFile(io.RawIOBase):
    """The virtual file behind ``Plan.open``."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._plan.length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._plan.read_at(self._at, len(buffer)) if self._at < self._plan.length else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
