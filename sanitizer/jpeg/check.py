"""Re-read a cleaned JPEG and refuse it unless every byte is accounted for.

Rule: shares no code with the writer. The grammar is narrower than JPEG: only the segments that
we write, in their exact form, and nothing else anywhere.
"""

import re
import struct
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived

_WINDOW = 1 << 20
_STOP = re.compile(rb"\xff(?![\x00\xd0-\xd7])", re.DOTALL)
_ORIENTATIONS = {
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([n]) + bytes(6)
    for n in range(2, 9)
}
_JFIF = 14
_FIXED = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD}


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a JPEG of our narrow grammar."""
    if file.read(2) != b"\xff\xd8":
        raise MetadataSurvived("the result does not begin like a JPEG")
    seen: set[int] = set()
    while True:
        head = file.read(2)
        if head == b"\xff\xd9":
            break
        if len(head) != 2 or head[0] != 0xFF:  # noqa: PLR2004 - a marker
            raise MetadataSurvived("bytes between the segments of the result")
        (length,) = struct.unpack(">H", file.read(2).rjust(2, b"\0"))
        payload = file.read(max(0, length - 2))
        if length != len(payload) + 2:
            raise MetadataSurvived("a segment of the result is broken")
        _check_segment(head[1], payload, seen)
        if head[1] == 0xDA:  # noqa: PLR2004 - start of scan
            _skip_scan(file)
    if file.read(1):
        raise MetadataSurvived("bytes after the end of the result")
    if 0xDA not in seen:  # noqa: PLR2004 - start of scan
        raise MetadataSurvived("the result has no picture")


def _check_segment(marker: int, payload: bytes, seen: set[int]) -> None:
    once = marker in seen and marker in {0xE0, 0xE1, 0xEE, 0xC0, 0xC1, 0xC2}
    late = 0xDA in seen and marker >= 0xE0  # noqa: PLR2004 - start of scan, APP0
    seen.add(marker)
    allowed = {
        0xE0: len(payload) == _JFIF and payload[:8] + payload[12:] == b"JFIF\0\1\1\0\0\0",
        0xE1: payload in _ORIENTATIONS,
        0xEE: len(payload) == 12 and payload.startswith(b"Adobe\0\x64\0\0\0\0"),  # noqa: PLR2004 - Adobe's length
        0xE2: payload.startswith(b"ICC_PROFILE\0") and _is_nameless(payload),
        0xDA: len(payload) == 4 + 2 * payload[0] if payload else False,
    }
    if once or late or not allowed.get(marker, marker in _FIXED):
        raise MetadataSurvived("a segment of the result is not on the list")


def _is_nameless(payload: bytes) -> bool:
    """Tell whether a first ICC part has an empty date, maker, model and creator."""
    profile = payload[14:]
    return payload[12] != 1 or (
        profile[4:8] == bytes(4) and profile[24:36] == bytes(12) and profile[40:68] == bytes(28)
    )


def _skip_scan(file: BinaryIO) -> None:
    """Stand on the first marker that is no restart."""
    while True:
        start = file.tell()
        window = file.read(_WINDOW)
        match = _STOP.search(window)
        if match and match.end() < len(window):
            file.seek(start + match.start())
            return
        if len(window) < 2:  # noqa: PLR2004 - no room for a marker
            raise MetadataSurvived("the result's data has no end")
        file.seek(start + len(window) - 1)
