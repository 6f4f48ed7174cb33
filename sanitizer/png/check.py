"""Re-read a cleaned PNG and refuse it unless every byte is accounted for.

Rule: shares no code with the writer; knows only the chunks that may stand in a result.
"""

import binascii
import re
from math import gcd
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived

_WINDOW = 1 << 20
ORDER = re.compile(
    rb"IHDR(cICP)?(iCCP|sRGB)?(gAMA)?(cHRM)?(sBIT)?(pHYs)?(eXIf)?(acTL)?(PLTE)?(tRNS)?"
    rb"(fcTL)?IDAT(fcTLfdAT)*IEND"
)
"""In which order which chunks may stand in a result."""
_LENGTHS = {
    b"IHDR": {13},
    b"gAMA": {4},
    b"cHRM": {32},
    b"sRGB": {1},
    b"sBIT": {1, 2, 3, 4},
    b"cICP": {4},
    b"pHYs": {9},
    b"acTL": {8},
    b"fcTL": {26},
    b"eXIf": {26},
    b"IEND": {0},
}
_UPRIGHT = re.compile(rb"MM\0\*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]\0{6}")
_MANY = {b"IDAT", b"fdAT"}
# What the encoding of a known space says; other numbers are round.
_POWERS = {45455, 45471, 55556, 50994, 41667, 38462}
_PLACES = {
    (31270, 32900), (34570, 35850), (31400, 35100), (26500, 69000), (70800, 29200),
    (13100, 4600), (73470, 26530), (15960, 84040), (3660, 10),
}  # fmt: skip
_SAID = {b"gAMA", b"cHRM", b"pHYs", b"tRNS", b"eXIf", b"iCCP", b"sRGB", b"sBIT", b"cICP"}
_SAID |= {b"acTL", b"fcTL"}
_LARGEST, _PALETTE = 256, 3
_COLOURS = re.compile(rb"[\x01\x04-\x0c\x16][\x01\x04-\x12]\0[\0\x01]")


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a PNG of our narrow grammar."""
    if file.read(8) != b"\x89PNG\r\n\x1a\n":
        raise MetadataSurvived("the result does not begin like a PNG")
    order: list[bytes] = []
    header = b""
    number = 0
    while not order or order[-1] != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        first = _chunk(file, kind, length)
        if not order and kind != b"IHDR":
            raise MetadataSurvived("the result does not begin with its header")
        header = header or first
        if not _is_form(kind, first, header):
            raise MetadataSurvived("a number of the result is not in its form")
        if kind in {b"fcTL", b"fdAT"}:
            if int.from_bytes(first[:4], "big") != number:
                raise MetadataSurvived("the frames of the result are out of order")
            number += 1
        # One word for many: the order matters, not how often data was cut.
        if kind not in _MANY or order[-1:] != [kind]:
            order.append(kind)
    if file.read(1):
        raise MetadataSurvived("bytes after the end of the result")
    if not ORDER.fullmatch(b"".join(order)) or (b"PLTE" in order) != (header[9] == _PALETTE):
        raise MetadataSurvived("the chunks of the result are out of order")


def _chunk(file: BinaryIO, kind: bytes, length: int) -> bytes:
    """Read a chunk, prove its checksum, and return its first window."""
    if length not in _LENGTHS.get(kind, {length}):
        raise MetadataSurvived("a chunk of the result has the wrong length")
    crc, left, first = binascii.crc32(kind), length, b""
    while left > 0:
        data = file.read(min(left, _WINDOW))
        if not data:
            raise MetadataSurvived("the result ends inside a chunk")
        crc, left, first = binascii.crc32(data, crc), left - len(data), first or data
    if file.read(4) != crc.to_bytes(4, "big"):
        raise MetadataSurvived("a checksum of the result is wrong")
    if kind in _MANY and length <= 4 * (kind == b"fdAT"):
        raise MetadataSurvived("an empty part in the result")
    return first


def _is_form(kind: bytes, data: bytes, header: bytes) -> bool:
    """Tell whether a small chunk says one of the few things that it may say."""
    if kind not in _SAID:
        return True
    depth = 8 if header[9] == _PALETTE and kind == b"sBIT" else header[8]
    numbers = [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]
    if kind == b"gAMA":
        return numbers[0] in _POWERS or numbers[0] % 1000 == 0
    if kind == b"cHRM":
        places = zip(numbers[::2], numbers[1::2], strict=True)
        return all((x, y) in _PLACES or x % 500 == y % 500 == 0 for x, y in places)
    if kind == b"pHYs":
        across, down = numbers[:2]
        small = max(across, down) <= _LARGEST and data[8] == 0
        return across != down and gcd(across, down) == 1 and small
    if kind == b"tRNS" and header[9] != _PALETTE:
        return all(int.from_bytes(data[at : at + 2], "big") < 1 << depth for at in (0, 2, 4))
    return {
        b"eXIf": _UPRIGHT.fullmatch(data) is not None,
        b"iCCP": data.startswith(b"icc\0\0"),
        b"sRGB": data[:1] <= b"\x03",
        b"sBIT": 0 < min(data, default=0) <= max(data, default=0) <= depth,
        b"cICP": _COLOURS.fullmatch(data) is not None,
        b"acTL": numbers[1:] < [1000],
        b"fcTL": data[24:25] <= b"\x02" and data[25:26] <= b"\x01",
        b"tRNS": data[-1:] != b"\xff",
    }[kind]
