"""Walk one coded frame of a result: no unit in it may carry a message.

Rule: H.264 (ITU-T H.264, table 7-1), H.265 (table 7-1), AV1 (section 6.2.2): pictures, parameter
sets and ends, nothing else. Other codecs: what could sign a name is looked for.
"""

from sanitizer.errors import MetadataSurvived

AVC_UNITS = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 10, 11})
HEVC_UNITS = frozenset({*range(10), *range(16, 22), *range(32, 38)})
AV1_UNITS = frozenset({1, 3, 4, 6, 7})
_MPEG4_USER_DATA = b"\0\0\1\xb2"


def avc(frame: bytes, width: int) -> None:
    """Raise MetadataSurvived if an H.264 frame holds a unit that is not on the list."""
    _nal_units(frame, width, AVC_UNITS, 0, 31)


def hevc(frame: bytes, width: int) -> None:
    """Raise MetadataSurvived if an H.265 frame holds a unit that is not on the list."""
    _nal_units(frame, width, HEVC_UNITS, 1, 63)


def mpeg4(frame: bytes) -> None:
    """Raise MetadataSurvived if an MPEG-4 part 2 frame carries user data."""
    if _MPEG4_USER_DATA in frame:
        raise MetadataSurvived("a message inside a picture")


def _nal_units(frame: bytes, width: int, allowed: frozenset[int], shift: int, mask: int) -> None:
    at, end = 0, len(frame)
    while at < end:
        length = int.from_bytes(frame[at : at + width], "big")
        at += width
        if length == 0 or at + length > end:
            raise MetadataSurvived("a picture of the result is broken")
        if frame[at] >> shift & mask not in allowed or frame[at] & 0x80:
            raise MetadataSurvived("a message inside a picture")
        at += length


def av1(frame: bytes) -> None:
    """Raise MetadataSurvived if an AV1 frame holds a unit that is not on the list."""
    at, end = 0, len(frame)
    while at < end:
        head = frame[at]
        at += 2 if head & 4 else 1
        if head & 2:
            # A LEB128 number: seven bits in each byte, the last one below 128.
            last = next((i for i in range(at, min(at + 5, end)) if frame[i] < 128), end)  # noqa: PLR2004
            digits = frame[at : last + 1]
            at = last + 1 + sum((byte & 127) << 7 * place for place, byte in enumerate(digits))
        else:
            at = end
        if at > end or head >> 3 & 15 not in AV1_UNITS:
            raise MetadataSurvived("a message inside a picture")
