"""Re-read a clean FLAC: one block of nothing but numbers, then frames without a byte between.

Rule: shares no code with the writer. ``fLaC``, one STREAMINFO of known fields, then frames that
carry the checksums and the number they must; their samples add up to those that are told.
"""

from sanitizer.errors import MetadataSurvived
from sanitizer.sound.flac import check_frame

_HEAD = 42
_LONGEST_HEADER = 16
_SHORTEST_FRAME = 9
_MOST_FRAME = 5 << 20
_NOT_YET = check_frame.Seen(-1, 0, is_variable=False)


class FlacChecker:
    """Reads the result as it passes."""

    def __init__(self) -> None:
        """Expect the four letters."""
        self._rest = b""
        self._looked = 0
        self._is_over = False
        self._now = _NOT_YET
        self._told = self._samples = self._frames = 0

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result; raises MetadataSurvived."""
        self._rest += data
        if self._now is _NOT_YET:
            if len(self._rest) < _HEAD + _LONGEST_HEADER:
                return
            self._begin()
        begin = 0
        while (place := self._following(begin)) is not None:
            self._frame(self._rest[begin:place])
            begin, self._looked = place, 0
        self._rest = self._rest[begin:]
        self._looked = max(0, len(self._rest) - _LONGEST_HEADER)
        if len(self._rest) > _MOST_FRAME:
            raise MetadataSurvived("a frame of the result is broken")

    def _begin(self) -> None:
        head, self._rest = self._rest[:_HEAD], self._rest[_HEAD:]
        if head[:8] != b"fLaC\x80\0\0\x22" or any(head[12:18]) or any(head[26:]):
            raise MetadataSurvived("something stands before the sound")
        self._told = int.from_bytes(head[21:26], "big") & (1 << 36) - 1
        first = check_frame.header(self._rest[:_LONGEST_HEADER])
        if first is None or first.number:
            raise MetadataSurvived("something stands before the sound")
        self._now = first

    def _following(self, begin: int) -> int | None:
        """Return where the next frame begins, or None where that cannot be told yet."""
        wanted = self._now.number + (self._now.block if self._now.is_variable else 1)
        sync = b"\xff\xf9" if self._now.is_variable else b"\xff\xf8"
        place = self._rest.find(sync, begin + max(self._looked, _SHORTEST_FRAME))
        # The header behind a sync is all there, or nothing more will come.
        last = len(self._rest) - (0 if self._is_over else _LONGEST_HEADER)
        while 0 <= place <= last:
            seen = check_frame.header(self._rest[place : place + _LONGEST_HEADER])
            if seen and seen.number == wanted and seen.is_variable == self._now.is_variable:
                self._samples += self._now.block
                self._now = seen
                return place
            place = self._rest.find(sync, place + 1)
        return None

    def _frame(self, frame: bytes) -> None:
        if not check_frame.is_whole(frame):
            raise MetadataSurvived("something stands between two frames")
        self._frames += 1

    def finish(self) -> int:
        """Judge the last frame and the sum of all; return how many there are."""
        self._is_over = True
        if self._now is _NOT_YET:
            self._begin()
        begin = 0
        self._looked = 0
        while (place := self._following(begin)) is not None:
            self._frame(self._rest[begin:place])
            begin = place
        self._frame(self._rest[begin:])
        if self._samples + self._now.block != self._told:
            raise MetadataSurvived("the result does not say how long it is")
        return self._frames
