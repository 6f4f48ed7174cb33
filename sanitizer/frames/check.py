"""Walk one coded frame of a result: no unit in it may carry a message.

Rule: H.264 (ITU-T H.264, table 7-1), H.265 (table 7-1), AV1 (section 6.2.2): pictures, parameter
sets and ends, nothing else; AAC: what it says before it sounds is blank.
"""

import re
from collections.abc import Iterator

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import sets_check

AVC_UNITS = frozenset({1, 5, 7, 8, 9, 10, 11})
HEVC_UNITS = frozenset({*range(10), *range(16, 22), *range(32, 38)})
AVC_SETS, HEVC_SETS = frozenset({7, 8}), frozenset({32, 33, 34})
_AV1_SEQUENCE, _AV1_WRITTEN = 1, 0x0A
AV1_UNITS = frozenset({1, 3, 4, 6})
AVC_ENDS, HEVC_ENDS = frozenset({9, 10, 11}), frozenset({35, 36, 37})
# A delimiter says three bits, an end says nothing (H.264, 7.3.2.4 to 7.3.2.6; H.265, 7.3.2.5).
AVC_END = re.compile(rb"\x09[\x10\x30\x50\x70\x90\xb0\xd0\xf0]|\x0a|\x0b")
HEVC_END = re.compile(rb"\x46[\x01-\x07][\x10\x30\x50\x70\x90\xb0\xd0\xf0]|[\x48\x4a]\x01")
_AAC_LOOK = 1 << 13


def avc(frame: bytes, width: int) -> None:
    """Raise MetadataSurvived if an H.264 frame holds a unit that is not on the list."""
    avc_units(width, frame, 0, len(frame))


def hevc(frame: bytes, width: int) -> None:
    """Raise MetadataSurvived if an H.265 frame holds a unit that is not on the list."""
    hevc_units(width, frame, 0, len(frame))


def avc_units(width: int, made: bytes, at: int, end: int) -> None:
    """Look at the H.264 frame that lies between ``at`` and ``end``; raises MetadataSurvived."""
    for begin, length in _units(width, made, at, end):
        kind = made[begin] & 31
        if (
            kind not in AVC_UNITS
            or made[begin] & 0x80
            or (kind in AVC_ENDS and not AVC_END.fullmatch(made, begin, begin + length))
        ):
            raise MetadataSurvived("a message inside a picture")
        if kind in AVC_SETS:
            sets_check.check(made[begin : begin + length])


def hevc_units(width: int, made: bytes, at: int, end: int) -> None:
    """Look at the H.265 frame that lies between ``at`` and ``end``; raises MetadataSurvived."""
    for begin, length in _units(width, made, at, end):
        kind = made[begin] >> 1
        # The layer's number stands in six bits of both bytes: of none but the first is anything.
        if (
            kind not in HEVC_UNITS
            or made[begin] & 1
            or length < 2  # noqa: PLR2004 - the header itself
            or made[begin + 1] > 7  # noqa: PLR2004 - three bits of a temporal layer
            or (kind in HEVC_ENDS and not HEVC_END.fullmatch(made, begin, begin + length))
        ):
            raise MetadataSurvived("a message inside a picture")
        if kind in HEVC_SETS:
            sets_check.check(made[begin : begin + length])


def _units(width: int, made: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    while at < end:
        length = int.from_bytes(made[at : at + width], "big")
        at += width
        if length == 0 or at + length > end:
            raise MetadataSurvived("a picture of the result is broken")
        yield at, length
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
        # A sequence header has one form, and ends in the byte with its last one.
        is_odd = head >> 3 & 15 == _AV1_SEQUENCE and (
            head != _AV1_WRITTEN or not any(frame[at - 1 : at])
        )
        if at > end or head >> 3 & 15 not in AV1_UNITS or is_odd:
            raise MetadataSurvived("a message inside a picture")


def aac(packet: bytes) -> None:
    """Raise MetadataSurvived if an AAC packet begins with data or filling that is not blank."""
    bits = "".join(f"{byte:08b}" for byte in packet[:_AAC_LOOK]) if packet[:1] >= b"\x80" else ""
    at = 0
    while bits[at : at + 3] in {"100", "110"}:
        if bits[at + 1] == "1":
            length = int(bits[at + 3 : at + 7], 2)
            at += 7
            if length == 15:  # noqa: PLR2004 - the escape
                length += int(bits[at : at + 8], 2) - 1
                at += 8
            shapes = bits[at : at + 4] in {"1011", "1100", "1101", "1110"}
        else:
            aligned, length, shapes = bits[at + 7] == "1", int(bits[at + 8 : at + 16], 2), False
            at += 16
            if length == 255:  # noqa: PLR2004 - the escape
                length += int(bits[at : at + 8], 2)
                at += 8
            at += -at % 8 if aligned else 0
        if "1" in bits[at : at + 8 * length] and not shapes:
            raise MetadataSurvived("a message inside a packet of sound")
        at += 8 * length
