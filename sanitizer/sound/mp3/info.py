"""The frame before the sound that says how long it is (Xing and LAME; Fraunhofer's VBRI).

Rule: read are its name and two numbers, how many samples the encoder put before and behind the
sound; without them a song has a gap. All else is computed from the frames that there are.
"""

import struct
from array import array
from dataclasses import dataclass

from sanitizer.errors import TooLarge
from sanitizer.sound.mp3.frame import layout, length

_HEAD = 4
_VBRI_AT = 36
_NAMES = (b"Xing", b"Info")
_ENCODERS = (b"LAME", b"Lavf", b"Lavc")
# Which of frames, bytes, table and quality are there, and how long each is.
_FIELDS = ((1, 4), (2, 4), (4, 100), (8, 4))
_ALL = 15
_TABLE = 100
_LAME_BYTES = 36
_DELAYS_AT = 21
_MOST = 8192


@dataclass(frozen=True, slots=True)
class Info:
    """What is kept of such a frame; ``delays`` are three bytes, or none."""

    name: bytes
    delays: bytes


def read(frame: bytes) -> Info | None:
    """Return what the first frame of a file says, or None where it is one of sound."""
    side = _HEAD + layout(frame).side
    for at in (side, side + 2):
        name = frame[at : at + 4]
        if name in _NAMES:
            flags = int.from_bytes(frame[at + 4 : at + 8], "big")
            lame = at + 8 + sum(size for flag, size in _FIELDS if flags & flag)
            delays = frame[lame + _DELAYS_AT : lame + _DELAYS_AT + 3]
            is_known = frame[lame : lame + 4] in _ENCODERS and len(delays) == 3  # noqa: PLR2004 - two numbers of twelve bits
            return Info(name, delays if is_known else b"")
    return Info(b"Xing", b"") if frame[_VBRI_AT : _VBRI_AT + 4] == b"VBRI" else None


class Places:
    """Where the frames begin, as many of them as a table of a hundred needs."""

    def __init__(self) -> None:
        """Begin with no frame."""
        self.frames = self.size = 0
        self._step = 1
        self._places = array("Q")

    def add(self, size: int) -> None:
        """Take the next frame's length."""
        if self.frames % self._step == 0:
            if len(self._places) == _MOST:
                self._places = self._places[::2]
                self._step *= 2
            self._places.append(self.size)
        self.frames += 1
        self.size += size

    def of(self, number: int) -> int:
        """Return about where a frame begins."""
        return self._places[number // self._step]


def write(info: Info, first: bytes, emphasis: int, places: Places) -> bytes:
    """Return such a frame for the sound whose first frame is ``first``."""
    side = _HEAD + layout(first).side
    needed = side + 8 + sum(size for _, size in _FIELDS) + _LAME_BYTES
    heads = (
        bytes([0xFF, first[1] | 1, rate << 4 | first[2] & 0x0C, first[3] & 0xC0 | emphasis])
        for rate in (first[2] >> 4, *range(1, 15))
    )
    head = next(each for each in heads if length(each) >= needed)
    total = places.size + length(head)
    if total >> 32:
        raise TooLarge("longer than its header can say")
    table = bytes(
        256 * (length(head) + places.of(part * places.frames // _TABLE)) // total
        for part in range(_TABLE)
    )
    made = head.ljust(side, b"\0") + info.name
    made += struct.pack(">III", _ALL, places.frames, total) + table + bytes(4)
    if info.delays:
        lame = b"LAME".ljust(_DELAYS_AT, b"\0") + info.delays + bytes(4) + struct.pack(">I", total)
        made += lame + bytes(2)
        made += _arc(made).to_bytes(2, "big")
    return made.ljust(length(head), b"\0")


def _arc(data: bytes) -> int:
    """Return the checksum that LAME puts behind its part (CRC-16/ARC)."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value
