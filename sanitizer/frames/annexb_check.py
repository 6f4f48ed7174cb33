"""Walk one packet of H.264 or H.265 with start codes of a result: no unit may carry a message.

Rule: shares no code with what stripped it; the units of ITU-T H.264, table 7-1, and H.265, table
7-1, that make pictures.
"""

from collections.abc import Iterator

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import sets_check
from sanitizer.frames.check import (
    AVC_END,
    AVC_ENDS,
    AVC_SETS,
    AVC_UNITS,
    HEVC_END,
    HEVC_ENDS,
    HEVC_SETS,
    HEVC_UNITS,
)


def avc(frame: bytes) -> None:
    """Raise MetadataSurvived if an H.264 packet holds a unit that is not on the list."""
    for unit in _units(frame):
        kind = unit[0] & 31
        is_end = kind not in AVC_ENDS or AVC_END.fullmatch(unit.rstrip(b"\0"))
        if unit[0] & 0x80 or kind not in AVC_UNITS or not is_end:
            raise MetadataSurvived("a message inside a picture")
        if kind in AVC_SETS:
            sets_check.check(unit)


def hevc(frame: bytes) -> None:
    """Raise MetadataSurvived if an H.265 packet holds a unit that is not on the list."""
    for unit in _units(frame):
        kind = unit[0] >> 1
        # The layer's number stands in six bits of both bytes: of none but the first is anything.
        is_end = kind not in HEVC_ENDS or HEVC_END.fullmatch(unit.rstrip(b"\0"))
        if kind not in HEVC_UNITS or unit[0] & 1 or unit[1:2] > b"\7" or not is_end:
            raise MetadataSurvived("a message inside a picture")
        if kind in HEVC_SETS:
            sets_check.check(unit)


def _units(frame: bytes) -> Iterator[bytes]:
    at = frame.find(b"\0\0\1")
    if frame[: at if at >= 0 else len(frame)].strip(b"\0"):
        raise MetadataSurvived("bytes beside the picture in a frame")
    while at >= 0:
        following = frame.find(b"\0\0\1", at + 3)
        # The zero before a start code belongs to what it leads.
        end = following - (frame[following - 1] == 0) if following >= 0 else len(frame)
        if end <= at + 3:
            raise MetadataSurvived("a message inside a picture")
        yield frame[at + 3 : end]
        at = following
