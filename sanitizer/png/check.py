"""Re-read a cleaned PNG and refuse it unless every byte is accounted for.

Rule: shares no code with the writer; knows only the chunks that may stand in a result.
"""

import binascii
import re
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived

_WINDOW = 1 << 20
_ORDER = re.compile(
    rb"IHDR(iCCP|sRGB)?(eXIf)?((gAMA|cHRM|sRGB|sBIT|cICP|pHYs|bKGD|tRNS|acTL|fcTL|PLTE))*"
    rb"(IDAT)+(fcTL(fdAT)+)*(PLTE|bKGD|tRNS){0}IEND"
)
_LENGTHS = {
    b"IHDR": {13},
    b"gAMA": {4},
    b"cHRM": {32},
    b"sRGB": {1},
    b"sBIT": {1, 2, 3, 4},
    b"cICP": {4},
    b"pHYs": {9},
    b"bKGD": {1, 2, 6},
    b"acTL": {8},
    b"fcTL": {26},
    b"eXIf": {26},
    b"IEND": {0},
}
_UPRIGHT = re.compile(rb"MM\0\*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]\0{6}")
_MANY = {b"IDAT", b"fdAT", b"fcTL"}


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a PNG of our narrow grammar."""
    if file.read(8) != b"\x89PNG\r\n\x1a\n":
        raise MetadataSurvived("the result does not begin like a PNG")
    order: list[bytes] = []
    while not order or order[-1] != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        _check_chunk(file, kind, length)
        # One word for many: the order matters, not how often data was cut.
        if kind not in _MANY or order[-1] != kind:
            order.append(kind)
    if file.read(1):
        raise MetadataSurvived("bytes after the end of the result")
    singles = [kind for kind in order if kind not in _MANY]
    if len(set(singles)) != len(singles) or not _ORDER.fullmatch(b"".join(order)):
        raise MetadataSurvived("the chunks of the result are out of order")


def _check_chunk(file: BinaryIO, kind: bytes, length: int) -> None:
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
    if kind == b"eXIf" and not _UPRIGHT.fullmatch(first):
        raise MetadataSurvived("more than an orientation in the result")
    if kind == b"iCCP" and not first.startswith(b"icc\0\0"):
        raise MetadataSurvived("a profile of the result has a name")
