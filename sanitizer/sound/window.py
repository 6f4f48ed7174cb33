"""Read a long file front to back in windows, and look for what comes next in it.

Rule: one window is held, however long the file is and whatever its numbers say.
"""

import re

from sanitizer.pieces import WINDOW
from sanitizer.source import UntrustedSource

_OVERLAP = 16


class Window:
    """A view on a source that moves forward; going back costs one read."""

    def __init__(self, source: UntrustedSource) -> None:
        """Read nothing yet."""
        self._source = source
        self._start = 0
        self._data = b""
        self.length = source.length

    def take(self, at: int, length: int) -> bytes:
        """Return ``length`` bytes from ``at``, fewer only where the file ends."""
        begin = at - self._start
        if begin >= 0 and begin + length <= len(self._data):
            return self._data[begin : begin + length]
        wanted = max(0, min(length, self.length - at))
        if begin < 0 or begin + wanted > len(self._data):
            self._start, begin = at, 0
            self._data = self._source.read_at(at, max(WINDOW, wanted))
        return self._data[begin : begin + wanted]

    def find(self, pattern: re.Pattern[bytes], at: int, end: int | None = None) -> int:
        """Return where ``pattern`` (at most 16 bytes long) is found next; ``end`` where it is not.

        ``end`` is the file's length at most, and if it is not given.
        """
        end = self.length if end is None else min(end, self.length)
        while at < end:
            if at < self._start or at >= self._start + len(self._data) - _OVERLAP:
                self.take(at, WINDOW)
            stop = min(len(self._data), end - self._start)
            match = pattern.search(self._data, at - self._start, stop)
            if match:
                return self._start + match.start()
            if self._start + stop >= end:
                return end
            at = max(at + 1, self._start + stop - _OVERLAP)
        return end
