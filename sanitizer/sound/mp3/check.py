"""Re-read a clean MP3: frames from the first byte to the last, and zeros where nobody sounds.

Rule: shares no code with the writer. ISO/IEC 11172-3, 2.4.1 and ISO/IEC 13818-3, 2.4.1: no private
bit, no copyright bits, checksums right; an index of computed numbers alone; every bit of main data
that no frame lays claim to is zero.
"""

from sanitizer.errors import MetadataSurvived

_VERSION_1, _RESERVED = 3, 3
_SYNCS = {bytes([0xFF, byte]) for byte in (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)}
_KBITS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
# Side information: its bytes, the bits of main_data_begin, the private ones behind it, and where
# each length of main data begins. By version 1, and mono.
_SIDES = {
    (True, True): (17, 9, 5, (18, 77)),
    (True, False): (32, 9, 3, (20, 79, 138, 197)),
    (False, True): (9, 8, 1, (9,)),
    (False, False): (17, 8, 2, (10, 73)),
}
_BACK = 511
_JUDGE = 1 << 16
_DIRTY = "a frame of the result is not as it must be"


class Mp3Checker:
    """Reads the result as it passes."""

    def __init__(self) -> None:
        """Expect the first frame."""
        self._rest = b""
        self._same: bytes = b""
        self._frames = 0
        self._told: tuple[int, int] | None = None
        self._bytes = 0
        self._main = bytearray()
        self._main_at = self._main_end = self._free = 0

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result; raises MetadataSurvived."""
        rest = self._rest + data
        at = 0
        while len(rest) - at >= 4:  # noqa: PLR2004 - a header
            length = self._length(rest[at : at + 4])
            if len(rest) - at < length:
                break
            self._frame(rest[at : at + length])
            at += length
        self._rest = rest[at:]
        self._bytes += at

    def _length(self, head: bytes) -> int:
        version, rate, hertz = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
        same = bytes([head[1] | 1, head[2] & 12, head[3] & 3, head[3] >= 0xC0])  # noqa: PLR2004 - mono
        self._same = self._same or same
        is_joint = head[3] >> 6 == 1
        if (
            head[:2] not in _SYNCS
            or rate in {0, 15}
            or hertz == _RESERVED
            or head[2] & 1
            or head[3] & 0x0C
            or (head[3] & 0x30 and not is_joint)
            or same != self._same
        ):
            raise MetadataSurvived(_DIRTY)
        is_first = version == _VERSION_1
        kbits = _KBITS[is_first][rate - 1]
        samples = 1152 if is_first else 576
        return samples * 125 * kbits // _HERTZ[version][hertz] + (head[2] >> 1 & 1)

    def _frame(self, frame: bytes) -> None:
        size, begin_bits, private, lengths = _SIDES[frame[1] & 24 == 24, frame[3] >= 0xC0]  # noqa: PLR2004 - version 1, mono
        at = 4 if frame[1] & 1 else 6
        self._frames += 1
        if self._frames == 1 and frame[at + size : at + size + 4] in {b"Xing", b"Info"}:
            self._index(frame, at + size)
            return
        side = frame[at : at + size]
        bits = int.from_bytes(side, "big")
        width = 8 * size
        if bits >> width - begin_bits - private & (1 << private) - 1:
            raise MetadataSurvived(_DIRTY)
        if at > 4 and _crc(frame[2:4] + side) != int.from_bytes(frame[4:6], "big"):  # noqa: PLR2004 - protected
            raise MetadataSurvived(_DIRTY)
        start = 8 * (self._main_end - (bits >> width - begin_bits))
        self._judge(start)
        self._main += frame[at + size :]
        self._main_end += len(frame) - at - size
        start += sum(bits >> width - place - 12 & 4095 for place in lengths)
        self._free = max(self._free, min(start, 8 * self._main_end))
        if len(self._main) > _JUDGE:
            self._judge(8 * (self._main_end - _BACK))
            done = self._free // 8 - self._main_at
            del self._main[: min(done, len(self._main) - _BACK)]
            self._main_at = self._main_end - len(self._main)

    def _judge(self, until: int) -> None:
        """See that all bits from the last claimed one to this one, a byte's first, are zero."""
        if until <= self._free:
            return
        first = self._free // 8
        piece = self._main[first - self._main_at : until // 8 - self._main_at]
        piece[0] &= 0xFF >> self._free % 8
        if piece.strip(b"\0"):
            raise MetadataSurvived("something stands between the sounds of two frames")
        self._free = until

    def _index(self, frame: bytes, at: int) -> None:
        """See that an index holds nothing but numbers that were computed."""
        told = frame[at + 4 : at + 16]
        table, lame = frame[at + 16 : at + 116], frame[at + 120 : at + 156]
        blank = frame[4:at] + frame[at + 116 : at + 120] + frame[at + 156 :]
        if lame[:4] == b"LAME":
            blank += lame[4:21] + lame[24:28] + lame[32:34]
            if lame[28:32] != told[8:12]:
                raise MetadataSurvived("an index in the result is not as it must be")
        else:
            blank += lame
        if any(blank) or told[:4] != b"\0\0\0\x0f" or list(table) != sorted(table):
            raise MetadataSurvived("an index in the result is not as it must be")
        self._told = int.from_bytes(told[4:8], "big"), int.from_bytes(told[8:12], "big")

    def finish(self) -> int:
        """Judge the end; return how many frames there are, an index among them."""
        self._judge(8 * self._main_end)
        if self._rest or (self._told and self._told != (self._frames - 1, self._bytes)):
            raise MetadataSurvived("the result does not end as it must")
        return self._frames


def _crc(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = value << 1 & 0xFFFF ^ (0x8005 if value & 0x8000 else 0)
    return value
