"""Re-read a cleaned bitmap and refuse it unless every bit is accounted for.

Rule: shares no code with the writer; knows the two headers that may stand in a result, and finds
zeros in whatever is not a pixel.
"""

import struct
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived

_PLAIN, _ALPHA = 40, 108
_SRGB = 0x73524742
_WINDOW = 1 << 20


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` is a bitmap as we write them."""
    head = file.read(54)
    if len(head) < 54 or head[:2] != b"BM":  # noqa: PLR2004 - both headers
        raise MetadataSurvived("the result does not begin like a bitmap")
    total, reserved, start, size, width, height, planes, bits, coding, length, *rest = (
        struct.unpack_from("<IIIIiiHHIIIIII", head, 2)
    )
    colours, silent = rest[2], rest[:2] + rest[3:]
    tail = file.read(start - 54) if start <= 54 + 1024 else b""
    fields = 0
    if coding in {1, 2} or bits <= 8:  # noqa: PLR2004 - pictures with a palette
        is_palette = len(tail) == 4 * colours and 0 < colours <= 1 << bits and size == _PLAIN
        if any(tail[3::4]) or not is_palette:
            raise MetadataSurvived("a palette of the result holds more than colours")
    else:
        fields = _fields(tail, size, bits, coding)
        silent.append(colours)
    if any(silent) or reserved or planes != 1 or start != 54 + len(tail):
        raise MetadataSurvived("the header of the result says too much")
    if start + length != total or size not in {_PLAIN, _ALPHA}:
        raise MetadataSurvived("the sizes of the result contradict each other")
    if coding in {1, 2}:
        _check_runs(file.read(length), width, height, 8 if coding == 1 else 4)
    else:
        _check_rows(file, width, abs(height), bits, fields)
    if file.read(1):
        raise MetadataSurvived("bytes after the end of the result")


def _fields(tail: bytes, size: int, bits: int, coding: int) -> int:
    """Return the bits of a pixel that mean something."""
    if coding == 0 and not tail and size == _PLAIN:
        return 0x7FFF if bits == 16 else 0xFFFFFF  # noqa: PLR2004 - X1R5G5B5 or X8R8G8B8
    if size == _PLAIN and len(tail) == 12:  # noqa: PLR2004 - three masks
        masks = list(struct.unpack("<III", tail))
    elif size == _ALPHA and len(tail) == 68 and not any(tail[20:]):  # noqa: PLR2004 - and a space
        *masks, space = struct.unpack_from("<IIIII", tail)
        if space != _SRGB:
            raise MetadataSurvived("the result names a colour space")
    else:
        raise MetadataSurvived("the masks of the result are not masks alone")
    every = 0
    for mask in masks:
        if every & mask or not mask or "01" in f"{mask:b}":
            raise MetadataSurvived("the masks of the result overlap")
        every |= mask
    return every


def _check_rows(file: BinaryIO, width: int, height: int, bits: int, fields: int) -> None:
    row = (width * bits + 7) // 8
    padding = -row % 4
    spare = (1 << row * 8 - width * bits) - 1
    many = max(1, _WINDOW // (row + padding))
    left = height
    silent = ~fields & ((1 << bits) - 1)
    columns = [at for at in range(bits // 8) if silent >> 8 * at & 0xFF] if bits in {16, 32} else []
    while left:
        count = min(many, left)
        data = file.read(count * (row + padding))
        if len(data) != count * (row + padding):
            raise MetadataSurvived("the result ends inside its picture")
        for column in range(row, row + padding):
            if data[column :: row + padding].strip(b"\0"):
                raise MetadataSurvived("something fills the rows of the result")
        if spare and any(byte & spare for byte in set(data[row - 1 :: row + padding])):
            raise MetadataSurvived("something fills the last bits of a row")
        for column in columns:
            hidden = silent >> 8 * column & 0xFF
            if any(byte & hidden for byte in set(data[column :: bits // 8])):
                raise MetadataSurvived("bits that no mask names are set")
        left -= count


def _check_runs(data: bytes, width: int, height: int, bits: int) -> None:
    """Walk the runs: each row is filled to its end, and the last is followed by the end."""
    at = 0
    for _ in range(height):
        x = 0
        while x < width:
            pair = data[at : at + 2]
            at += 2
            if len(pair) < 2 or (pair[0] == 0 and pair[1] < 3):  # noqa: PLR2004 - an escape
                raise MetadataSurvived("a row of the result ends too soon")
            x += pair[0] or pair[1]
            if not pair[0]:
                size = (pair[1] * bits + 7) // 8
                end = at + size + size % 2
                odd = bits == 4 and pair[1] % 2 and data[at + size - 1] & 15  # noqa: PLR2004 - half a byte
                if end > len(data) or odd or data[at + size : end].strip(b"\0"):
                    raise MetadataSurvived("something fills up a run of the result")
                at = end
        if x != width or data[at : at + 2] != b"\0\0":
            raise MetadataSurvived("a row of the result is too long")
        at += 2
    if data[at:] != b"\0\1":
        raise MetadataSurvived("bytes after the end of the picture")
