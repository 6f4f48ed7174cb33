"""Re-read a finished video as it streams by: type, data, index, and not a byte that nobody owns.

Rule: shares no code with what wrote it; the frames themselves were walked before they came here
(sanitizer.mp4.check), so what is proven here is that nothing stands between and around them.
"""

import struct
from dataclasses import dataclass, field

from sanitizer.errors import MetadataSurvived
from sanitizer.mp4.check_index import ranges_of

_TYPE = b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41"
_MAX_INDEX = 256 << 20


@dataclass(slots=True)
class ResultChecker:
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    _head: bytearray = field(default_factory=bytearray)
    _at: int = 0
    _skip: int = 0
    _data: list[tuple[int, int]] = field(default_factory=list)

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        view = memoryview(data)
        while view:
            step = min(len(view), self._wanted())
            if self._skip:
                self._skip -= step
            else:
                self._head += view[:step]
            view = view[step:]
            self._at += step
            if not self._skip:
                self._boxes()

    def _wanted(self) -> int:
        """Return how many bytes belong together from here on."""
        if self._skip:
            return self._skip
        if self._at < len(_TYPE):
            return len(_TYPE) - self._at
        return _MAX_INDEX if self._in_index() else 16 - len(self._head)

    def _in_index(self) -> bool:
        return self._head[4:8] == b"moov"

    def _boxes(self) -> None:
        """Recognise what stands in the buffer: the type at first, then data, then the index."""
        if self._at <= len(_TYPE):
            if self._head != _TYPE[: len(self._head)]:
                raise MetadataSurvived("the result does not begin like a video")
            if self._at == len(_TYPE):
                self._head.clear()
        elif len(self._head) >= 16 and not self._in_index():  # noqa: PLR2004 - a long header
            one, kind, size = struct.unpack_from(">I4sQ", self._head)
            if one != 1 or kind != b"mdat" or size <= 16:  # noqa: PLR2004 - the header itself
                raise MetadataSurvived("a box that is not on the list")
            self._skip = size - 16
            self._data.append((self._at, self._at + self._skip))
            self._head.clear()
        elif len(self._head) > _MAX_INDEX:
            raise MetadataSurvived("an index of an impossible length")

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if not self._in_index() or int.from_bytes(self._head[:4], "big") != len(self._head):
            raise MetadataSurvived("the result ends in the middle")
        owned: list[tuple[int, int]] = []
        for begin, end in sorted(ranges_of(bytes(self._head[8:]))):
            if owned and owned[-1][1] == begin:
                owned[-1] = (owned[-1][0], end)
            else:
                owned.append((begin, end))
        if owned != self._data:
            raise MetadataSurvived("data that no frame owns")
