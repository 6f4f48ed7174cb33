"""Walk one frame of Motion JPEG of a result: tables, headers, coded data, and no message.

Rule: shares no code with what stripped it. A grammar narrower than JPEG's: four application
segments in exact forms, tables of exact lengths, one or two fields, and not a byte behind them.
Interface: ``check(frame)``.
"""

import re
import struct

from sanitizer.errors import MetadataSurvived

_APPLICATION = re.compile(
    rb"\xe0AVI1[\x00-\x02]\x00{9}|\xe0JFIF\x00\x01\x01\x00.{4}\x00\x00"
    rb"|\xeeAdobe\x00\x64\x00{4}.|\xfeCS=ITU601\x00",
    re.DOTALL,
)
_STOP = re.compile(rb"\xff[^\0\xd0-\xd7]")
_FIELDS = 2
_PER_COMPONENT = {0xC0: (6, 3, 5), 0xC1: (6, 3, 5), 0xDA: (4, 2, 0)}


def check(frame: bytes) -> None:
    """Raise MetadataSurvived unless ``frame`` is empty or one or two pictures of our grammar."""
    at = fields = 0
    while at < len(frame):
        at = _field(frame, at)
        fields += 1
    if fields > _FIELDS:
        raise MetadataSurvived("more than a picture in a frame")


def _field(frame: bytes, at: int) -> int:
    """Walk from SOI to EOI; return where it ends."""
    if frame[at : at + 2] != b"\xff\xd8":
        raise MetadataSurvived("bytes beside the picture in a frame")
    at += 2
    application: list[bytes] = []
    begun = scanned = False
    while frame[at : at + 2] != b"\xff\xd9":
        head = frame[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF:  # noqa: PLR2004 - a marker and a length
            raise MetadataSurvived("bytes between the segments of a frame")
        marker, (length,) = head[1], struct.unpack(">H", head[2:])
        payload = frame[at + 4 : at + 2 + length]
        if len(payload) != length - 2:
            raise MetadataSurvived("a segment of a frame is broken")
        at += 2 + length
        if marker >= 0xE0:  # noqa: PLR2004 - APPn and COM
            application.append(head[1:2] + payload[:5])
            if begun or not _APPLICATION.fullmatch(head[1:2] + payload):
                raise MetadataSurvived("a message inside a frame")
        else:
            begun = True
            _numbers(marker, payload)
        if marker == 0xDA:  # noqa: PLR2004 - start of scan
            scanned = True
            stop = _STOP.search(frame, at)
            at = stop.start() if stop else len(frame)
    if not scanned or len(set(application)) != len(application):
        raise MetadataSurvived("a frame without a picture")
    return at + 2


def _numbers(marker: int, payload: bytes) -> None:
    """Raise MetadataSurvived unless a segment is as long as its own numbers need."""
    if marker in _PER_COMPONENT and payload:
        fixed, each, place = _PER_COMPONENT[marker]
        fits = len(payload) > place and len(payload) == fixed + each * payload[place]
    elif marker == 0xDD:  # noqa: PLR2004 - DRI
        fits = len(payload) == 2  # noqa: PLR2004 - one number
    else:
        fits = marker in {0xDB, 0xC4} and _tables(marker, payload)
    if not fits:
        raise MetadataSurvived("a segment of a frame is not on the list")


def _tables(marker: int, payload: bytes) -> bool:
    at, seen = 0, set[int]()
    while at < len(payload) and payload[at] not in seen:
        seen.add(payload[at])
        if marker == 0xDB:  # noqa: PLR2004 - DQT
            at += 65 + 64 * (payload[at] >> 4)
        else:
            at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload) > 0
