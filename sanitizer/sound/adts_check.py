"""Re-read a clean ADTS stream: frames from the first byte to the last, their headers all alike.

Rule: shares no code with the writer. ISO/IEC 14496-3, 1.A.3.2: no checksum, no private, original,
home or copyright bit, one block a frame, one layout; a block begins with nothing but sound.
"""

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import check

_HEAD = 7


class AdtsChecker:
    """Reads the result as it passes."""

    def __init__(self) -> None:
        """Expect the first frame."""
        self._rest = b""
        self._same = b""
        self._frames = 0

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result; raises MetadataSurvived."""
        rest = self._rest + data
        at = 0
        while len(rest) - at >= _HEAD:
            head = rest[at : at + _HEAD]
            length = int.from_bytes(head[3:6], "big") >> 5 & 8191
            if length <= _HEAD:
                raise MetadataSurvived("a frame of the result is not as it must be")
            if at + length > len(rest):
                break
            self._frame(head, rest[at + _HEAD : at + length])
            at += length
        self._rest = rest[at:]

    def _frame(self, head: bytes, block: bytes) -> None:
        same = head[:3] + bytes([head[3] & 0xFC])
        self._same = self._same or same
        layout = int.from_bytes(head[2:4], "big") >> 6 & 7
        if (
            same != self._same
            or head[:2] not in {b"\xff\xf1", b"\xff\xf9"}
            or head[2] & 2
            or head[3] & 0x3C
            or not layout
            or head[5] & 31 != 31  # noqa: PLR2004 - fullness, all ones
            or head[6] != 0xFC  # noqa: PLR2004 - the rest of it, and one block
        ):
            raise MetadataSurvived("a header of the result is not as it must be")
        check.aac(block)
        self._frames += 1

    def finish(self) -> int:
        """Judge the end; return how many frames there are."""
        if self._rest:
            raise MetadataSurvived("the result ends within a frame")
        return self._frames
