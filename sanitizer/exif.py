"""What an EXIF block says about orientation, and which kinds of things it gives away.

Rule: reads ids and never values, except the one number that keeps a picture upright; bounded,
never recursive, never trusting an offset. Written with piexif: an EXIF of one tag.
"""

import re
import struct
from dataclasses import dataclass, field

import piexif

_ORIENTATION = 0x0112
_SUB_IFDS = {0x8769: "exif", 0x8825: "gps", 0xA005: "interop"}
_KINDS = {
    0x010F: "camera_model",
    0x0110: "camera_model",
    0xA433: "camera_model",
    0xA434: "camera_model",
    0xA431: "camera_serial",
    0xA435: "camera_serial",
    0xC62F: "camera_serial",
    0xA420: "camera_serial",
    0x927C: "maker_note",
    0x0132: "capture_time",
    0x9003: "capture_time",
    0x9004: "capture_time",
    0x9010: "capture_time",
    0x0131: "software",
    0x013B: "author",
    0x8298: "author",
    0xA430: "author",
    0x9C9D: "author",
    0x010E: "comment",
    0x9286: "comment",
    0x9C9C: "comment",
    0x02BC: "xmp",
    0x83BB: "iptc",
    0x8825: "gps",
}
_MAX_IFDS = 16
_MAX_ENTRIES = 512
_MAX_ORIENTATION = 8
_SHORT = 3
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*([1-8])\s*[\"'<]")


@dataclass(slots=True)
class Exif:
    """Orientation (1 to 8, or None where the block says nothing) and kinds found."""

    orientation: int | None = None
    kinds: set[str] = field(default_factory=set)


def read(untrusted: bytes) -> Exif:
    """Read a TIFF block (what follows ``Exif`` and two zeros).

    Never raises: a broken block means that less is found.
    """
    found = Exif(kinds={"exif"})
    order = {b"II": "<", b"MM": ">"}.get(untrusted[:2])
    if order is None or len(untrusted) < 8:  # noqa: PLR2004 - a TIFF header is 8 bytes
        return found
    (first,) = struct.unpack_from(order + "I", untrusted, 4)
    waiting, seen = [(first, True)], set[int]()
    while waiting and len(seen) < _MAX_IFDS:
        offset, is_main = waiting.pop()
        if offset in seen or not 0 < offset <= len(untrusted) - 2:
            continue
        seen.add(offset)
        waiting.extend(_read_ifd(untrusted, order, offset, found, is_main=is_main))
    return found


def _read_ifd(
    untrusted: bytes, order: str, offset: int, found: Exif, *, is_main: bool
) -> list[tuple[int, bool]]:
    """Note one IFD's tags in ``found``; return (offset, is IFD0) of those that it names."""
    (count,) = struct.unpack_from(order + "H", untrusted, offset)
    names: list[tuple[int, bool]] = []
    at = offset + 2
    for _ in range(min(count, _MAX_ENTRIES)):
        if at + 12 > len(untrusted):
            return names
        tag, kind, _, value = struct.unpack_from(order + "HHII", untrusted, at)
        if tag == _ORIENTATION and is_main and kind == _SHORT and found.orientation is None:
            (number,) = struct.unpack_from(order + "H", untrusted, at + 8)
            found.orientation = number if 1 <= number <= _MAX_ORIENTATION else None
        if tag in _SUB_IFDS:
            names.append((value, False))
        if tag in _KINDS:
            found.kinds.add(_KINDS[tag])
        at += 12
    if is_main and at + 4 <= len(untrusted):
        (following,) = struct.unpack_from(order + "I", untrusted, at)
        if following:
            found.kinds.add("thumbnail")
            names.append((following, False))
    return names


def xmp_orientation(untrusted: bytes) -> int | None:
    """Return the orientation that an XMP packet states, or None."""
    match = _XMP_ORIENTATION.search(untrusted)
    return int(match[1]) if match else None


def of_orientation(orientation: int) -> bytes:
    """Return an EXIF block of one tag, ``Exif`` and two zeros included, as APP1 wants it."""
    block: bytes = piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}})
    return block
