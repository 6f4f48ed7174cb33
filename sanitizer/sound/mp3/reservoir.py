"""The sound in MP3 frames and the bytes between, which belong to nobody.

Rule: what a frame sounds with may begin in frames before it (main_data_begin) and has a length
(part2_3_length). Bits that no frame lays claim to are ancillary data: encoders sign them, anyone
may write there, and all are set to zero. Private bits too; checksums are computed anew.
"""

from sanitizer.sound.crc import crc16
from sanitizer.sound.mp3.frame import Layout

_HEAD = 4
_CHECKSUM = 2
# As far back as main_data_begin can point, in bytes.
_REACH = 511
_PRIVATE, _COPY_AND_EMPHASIS, _EXTENSION = 0x01, 0x0F, 0x30
_JOINT = 1


class Reservoir:
    """Frames that later ones may still reach into, and those that are done."""

    def __init__(self, layout: Layout, emphasis: int) -> None:
        """Begin with no frame; ``emphasis`` is that of all."""
        self._layout = layout
        self._emphasis = emphasis
        self._heads: list[tuple[bytes, int]] = []
        self._main = bytearray()
        self._base = self._total = 0
        self._claimed = 0
        self.has_blanked = False

    def add(self, frame: bytes) -> None:
        """Take the next frame."""
        layout = self._layout
        is_protected = not frame[1] & 1
        at = _HEAD + (_CHECKSUM if is_protected else 0)
        side = int.from_bytes(frame[at : at + layout.side], "big")
        clean_side = (side & layout.private).to_bytes(layout.side, "big")
        is_joint = frame[3] >> 6 == _JOINT
        last = frame[3] & ~_COPY_AND_EMPHASIS & (0xFF if is_joint else ~_EXTENSION) | self._emphasis
        head = bytes([0xFF, frame[1], frame[2] & ~_PRIVATE, last])
        if is_protected:
            # The register begins with ones, which is as if the first two bytes were inverted.
            told = bytes([head[2] ^ 0xFF, head[3] ^ 0xFF]) + clean_side
            head += crc16(told).to_bytes(2, "big")
        head += clean_side
        begin = 8 * (self._total - (side >> layout.begin))
        self._blank(begin)
        self._main += frame[at + layout.side :]
        self._heads.append((head, len(frame) - at - layout.side))
        self._total += len(frame) - at - layout.side
        bits = sum(side >> place & 0xFFF for place in layout.lengths)
        self._claimed = max(self._claimed, min(begin + bits, 8 * self._total))
        self.has_blanked |= head != frame[: len(head)]

    def _blank(self, until: int) -> None:
        """Set to zero what lies between the last claimed bit and this one."""
        if until <= self._claimed:
            return
        main, first, last = self._main, self._claimed - 8 * self._base, until - 8 * self._base
        begin, end = -(-first // 8), last // 8
        if first % 8:
            kept = main[begin - 1] & 0xFF00 >> first % 8
            self.has_blanked |= kept != main[begin - 1]
            main[begin - 1] = kept
        if main.count(0, begin, end) < end - begin:
            self.has_blanked = True
            main[begin:end] = bytes(end - begin)
        self._claimed = until

    def take(self, *, is_over: bool = False) -> tuple[bytes, int]:
        """Return the frames that no later one can reach, and how many; all, at the end."""
        sure = self._total - (0 if is_over else _REACH)
        self._blank(8 * sure)
        parts: list[bytes] = []
        at = number = 0
        for head, size in self._heads:
            if self._base + at + size > sure:
                break
            parts += (head, bytes(self._main[at : at + size]))
            at += size
            number += 1
        del self._main[:at]
        del self._heads[:number]
        self._base += at
        return b"".join(parts), number
