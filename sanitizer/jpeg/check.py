"""Re-read a cleaned JPEG and refuse it unless every byte is accounted for.

Rule: shares no code with the writer. The grammar is narrower than JPEG: only the segments that
we write, in their exact form, and nothing else anywhere.
"""

import re
import struct
from math import gcd

from sanitizer.errors import MetadataSurvived
from sanitizer.pieces import view
from sanitizer.source import UntrustedSource

_WINDOW = 1 << 18
_STOP = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_ORIENTATIONS = {
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([n]) + bytes(6)
    for n in range(2, 9)
}
_JFIF, _LARGEST = 14, 256
_INCHES = {(n, n) for n in (72, 96, 100, 150, 200, 240, 300, 400, 600, 1200)}
_FIXED = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD}
MARKERS = frozenset(_FIXED | {0xDA, 0xE0, 0xE1, 0xE2, 0xEE})
"""Segments that may stand in a result, by their markers."""


def check(result: UntrustedSource) -> None:
    """Raise MetadataSurvived unless ``result`` holds a JPEG of our narrow grammar."""
    if result.read_at(0, 2) != b"\xff\xd8":
        raise MetadataSurvived("the result does not begin like a JPEG")
    at, seen = 2, set[int]()
    while True:
        head = result.read_at(at, 2)
        if head == b"\xff\xd9":
            break
        if len(head) != 2 or head[0] != 0xFF:  # noqa: PLR2004 - a marker
            raise MetadataSurvived("bytes between the segments of the result")
        (length,) = struct.unpack(">H", result.read_at(at + 2, 2).rjust(2, b"\0"))
        payload = result.read_at(at + 4, max(0, length - 2))
        if length != len(payload) + 2:
            raise MetadataSurvived("a segment of the result is broken")
        _check_segment(head[1], payload, seen)
        at += length + 2
        if head[1] == 0xDA:  # noqa: PLR2004 - start of scan
            at = _end_of_scan(result, at)
    if result.read_at(at + 2, 1):
        raise MetadataSurvived("bytes after the end of the result")
    if 0xDA not in seen:  # noqa: PLR2004 - start of scan
        raise MetadataSurvived("the result has no picture")


def _check_segment(marker: int, payload: bytes, seen: set[int]) -> None:
    once = marker in seen and marker in {0xE0, 0xE1, 0xEE, 0xC0, 0xC1, 0xC2}
    late = 0xDA in seen and marker >= 0xE0  # noqa: PLR2004 - start of scan, APP0
    seen.add(marker)
    allowed = {
        0xE0: len(payload) == _JFIF and _is_ratio(payload),
        0xE1: payload in _ORIENTATIONS,
        0xEE: payload in {b"Adobe\0\x64\0\0\0\0" + bytes([n]) for n in range(3)},
        0xE2: payload.startswith(b"ICC_PROFILE\0") and _is_nameless(payload),
        0xDA: len(payload) == 4 + 2 * payload[0] if payload else False,
    }
    if marker in {0xC0, 0xC1, 0xC2}:
        allowed[marker] = _has_plain_names(payload)
    if once or late or marker not in MARKERS or not allowed.get(marker, True):
        raise MetadataSurvived("a segment of the result is not on the list")


def _is_ratio(payload: bytes) -> bool:
    """Tell whether a JFIF segment holds a ratio in small terms, or a common size, and no more."""
    unit, across, down = struct.unpack_from(">BHH", payload, 7)
    small = not unit and max(across, down) <= _LARGEST and gcd(across, down) == 1
    told = small or (unit == 1 and (across, down) in _INCHES)
    return payload[:7] + payload[12:] == b"JFIF\0\1\1\0\0" and told


def _has_plain_names(payload: bytes) -> bool:
    """Tell whether the planes of a frame are called 1, 2, 3, or R, G, B."""
    names = payload[6::3]
    plain = names in {bytes(range(1, 1 + len(names))), b"RGB"}
    return plain and len(payload) == 6 + 3 * payload[5]


def _is_nameless(payload: bytes) -> bool:
    """Tell whether a first ICC part has an empty date, maker, model and creator."""
    profile = payload[14:]
    return payload[12] != 1 or (
        profile[4:8] == bytes(4) and profile[24:36] == bytes(12) and profile[40:68] == bytes(28)
    )


def _end_of_scan(result: UntrustedSource, at: int) -> int:
    """Return where the first marker from ``at`` on stands that is no restart."""
    while True:
        window = view(result, at, _WINDOW)
        match = _STOP.search(window)
        if match:
            return at + match.start()
        if len(window) < 2:  # noqa: PLR2004 - no room for a marker
            raise MetadataSurvived("the result's data has no end")
        # The last byte may be the first half of a marker.
        at += len(window) - 1
