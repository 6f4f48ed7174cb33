"""Elementary stream descriptors (ISO/IEC 14496-1, section 7.2.6): read, and written anew.

Rule: of all that they may say, two things are taken: the object type and the decoder's setup.
"""

from sanitizer.mp4.boxes import full_box
from sanitizer.numbers import unpack

AUDIO, VIDEO = 0x15, 0x11
"""Types of streams."""
AAC, MPEG4 = 0x40, 0x20
"""The object types of AAC and of MPEG-4 part 2."""
_ES, _CONFIG, _SETUP, _SYNC = 3, 4, 5, 6
_CONFIG_BYTES = 13


def read(esds: bytes) -> tuple[int, bytes]:
    """Return (object type, decoder setup); an object type of -1 where there is none."""
    at, object_type, told = 4, -1, b""
    while at < len(esds):
        tag, length, at = _descriptor(esds, at)
        if tag == _ES:  # a header, then more of them
            (flags,) = unpack("B", esds, at + 2)
            at += 3 + 2 * bool(flags & 0x80)
            at += 1 + unpack("B", esds, at)[0] if flags & 0x40 else 0
            at += 2 * bool(flags & 0x20)
        elif tag == _CONFIG:  # numbers, then the setup
            (object_type,) = unpack("B", esds, at)
            at += _CONFIG_BYTES
        else:
            if tag == _SETUP and not told:
                told = esds[at : at + length]
            at += length
    return object_type, told


def _descriptor(esds: bytes, at: int) -> tuple[int, int, int]:
    (tag,) = unpack("B", esds, at)
    length = 0
    for _ in range(4):
        at += 1
        (byte,) = unpack("B", esds, at)
        length = length << 7 | byte & 127
        if byte < 128:  # noqa: PLR2004 - the last byte of a length
            break
    return tag, length, at + 1


def write(object_type: int, stream: int, told: bytes) -> bytes:
    """Return an esds of ours: no rates, no buffer sizes, no names."""

    def tagged(tag: int, data: bytes) -> bytes:
        high, low = len(data) >> 7, len(data) & 127
        return bytes([tag, 0x80 | high, low]) + data

    config = bytes([object_type, stream]) + bytes(11) + (tagged(_SETUP, told) if told else b"")
    inner = b"\0\1\0" + tagged(_CONFIG, config) + tagged(_SYNC, b"\2")
    return full_box(b"esds", tagged(_ES, inner))
