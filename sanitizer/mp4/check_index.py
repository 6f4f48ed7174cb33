"""Re-read the index of a cleaned video: each box on a list, each field that could speak empty.

Rule: shares no code with what wrote it; raises MetadataSurvived at the first surprise.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived

_UND = 0x55C4
_INSIDE = {
    b"moov": {b"mvhd", b"trak", b"mvex"},
    b"mvex": {b"trex"},
    b"trak": {b"tkhd", b"edts", b"mdia"},
    b"edts": {b"elst"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"smhd", b"dinf", b"stbl"},
    b"dinf": {b"dref"},
    b"stbl": {b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"co64", b"ctts", b"stss"},
}
_ROWS = {b"stts": 8, b"stsc": 12, b"ctts": 8, b"stss": 4, b"stco": 4, b"co64": 8}
_LENGTHS = {
    b"mvhd": {100, 112},
    b"tkhd": {84, 96},
    b"mdhd": {24, 36},
    b"vmhd": {12},
    b"smhd": {8},
    b"trex": {24},
}
_TIMED = {b"mvhd", b"tkhd", b"mdhd"}
_AVC, _HEVC = {b"avc1", b"avc3"}, {b"hvc1", b"hev1"}
_CONFIGS = {
    b"esds": range(20, 4200), b"d263": range(7, 8), b"vpcC": range(12, 13),
    b"av1C": range(4, 300), b"damr": range(9, 10), b"dac3": range(3, 4), b"dec3": range(5, 7),
    b"alac": range(28, 29), b"dOps": range(11, 12), b"pasp": range(8, 9), b"btrt": range(12, 13),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Description:
    """What a track of the result says of itself."""

    is_video: bool
    codec: bytes
    timescale: int
    nal_length: int = 0


def check_movie(content: bytes) -> dict[int, Description]:
    """Return the tracks of a moov by their number, after checking every byte of it."""
    found: dict[int, Description] = {}
    for kind, box in _walk(content, b"moov"):
        if kind == b"trak":
            number, description = _track(box)
            found[number] = description
        elif kind == b"mvex":
            _walk(box, b"mvex")
    return found


def _fail() -> MetadataSurvived:
    return MetadataSurvived("the index of the result holds more than it may")


def _boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at < len(content):
        if at + 8 > len(content):
            raise _fail()
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8 or at + size > len(content):  # noqa: PLR2004 - the shortest box
            raise _fail()
        found.append((kind, content[at + 8 : at + size]))
        at += size
    return found


def _walk(content: bytes, inside: bytes) -> list[tuple[bytes, bytes]]:
    """Return the boxes of one level after checking their types, lengths and times."""
    found = _boxes(content)
    for kind, box in found:
        if kind not in _INSIDE[inside] or len(box) not in _LENGTHS.get(kind, {len(box)}):
            raise _fail()
        if kind in _TIMED:
            width = 16 if box[0] == 1 else 8
            if any(box[4 : 4 + width]):
                raise _fail()
        if kind in _ROWS and len(box) != 8 + _ROWS[kind] * int.from_bytes(box[4:8], "big"):
            raise _fail()
    return found


def _only(found: list[tuple[bytes, bytes]], kind: bytes) -> bytes:
    contents = [box for name, box in found if name == kind]
    if len(contents) != 1:
        raise _fail()
    return contents[0]


def _track(content: bytes) -> tuple[int, Description]:
    parts = _walk(content, b"trak")
    header = _only(parts, b"tkhd")
    (number,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    for kind, box in parts:
        if kind == b"edts":
            _edits(_only(_walk(box, b"edts"), b"elst"))
    media = _walk(_only(parts, b"mdia"), b"mdia")
    clock = _only(media, b"mdhd")
    timescale, language = (
        struct.unpack_from(">I8xH", clock, 20)
        if clock[0] == 1
        else struct.unpack_from(">I4xH", clock, 12)
    )
    handler = _only(media, b"hdlr")
    kind = handler[8:12]
    if language != _UND or not timescale or kind not in {b"vide", b"soun"}:
        raise _fail()
    if any(handler[:8]) or any(handler[12:]) or len(handler) > 25:  # noqa: PLR2004 - an empty name
        raise _fail()
    information = _walk(_only(media, b"minf"), b"minf")
    reference = _only(_walk(_only(information, b"dinf"), b"dinf"), b"dref")
    if reference != b"\0\0\0\0\0\0\0\1\0\0\0\x0curl \0\0\0\1":
        raise _fail()
    table = _only(_walk(_only(information, b"stbl"), b"stbl"), b"stsd")
    entries = _boxes(table[8:])
    if len(entries) != 1:
        raise _fail()
    is_video = kind == b"vide"
    codec, entry = entries[0]
    nal_length = (_video if is_video else _sound)(codec, entry)
    return number, Description(is_video, codec, timescale, nal_length)


def _edits(table: bytes) -> None:
    (count,) = struct.unpack_from(">I", table, 4)
    if len(table) != 8 + count * (20 if table[0] == 1 else 12):
        raise _fail()


def _video(codec: bytes, entry: bytes) -> int:
    """Check a picture's description; return the width of its units' lengths, or 0."""
    if any(entry[:6]) or any(entry[8:24]) or any(entry[36:40]) or any(entry[42:74]):
        raise _fail()
    width = 0
    for kind, box in _boxes(entry[78:]):
        if kind == b"avcC" and codec in _AVC:
            width = _avc(box)
        elif kind == b"hvcC" and codec in _HEVC:
            width = _hevc(box)
        elif kind == b"colr" and box[:4] == b"nclx" and len(box) == 11:  # noqa: PLR2004 - nclx
            continue
        else:
            _config(kind, box)
    if not width and codec in _AVC | _HEVC:
        raise _fail()
    return width


def _sound(_codec: bytes, entry: bytes) -> int:
    if any(entry[:6]) or any(entry[8:16]) or any(entry[20:24]):
        raise _fail()
    for kind, box in _boxes(entry[28:]):
        _config(kind, box)
    return 0


def _config(kind: bytes, box: bytes) -> None:
    if len(box) not in _CONFIGS.get(kind, range(0)) or b"\0\0\1\xb2" in box:
        raise _fail()


def _avc(box: bytes) -> int:
    at = 5
    for mask, wanted in ((31, 7), (255, 8)):
        count = box[at] & mask
        at = _sets(box, at + 1, count, lambda head, wanted=wanted: head & 31 == wanted)  # type: ignore[misc]
    # The high profiles say three more numbers and count extensions, of which there are none.
    if box[at:] and (len(box) != at + 4 or box[at + 3]):
        raise _fail()
    return (box[4] & 3) + 1


def _hevc(box: bytes) -> int:
    at = 23
    for _ in range(box[22]):
        wanted, count = struct.unpack_from(">BH", box, at)
        if wanted & 63 not in {32, 33, 34}:
            raise _fail()
        at = _sets(box, at + 3, count, lambda head, wanted=wanted: head >> 1 & 63 == wanted & 63)  # type: ignore[misc]
    if at != len(box):
        raise _fail()
    return (box[21] & 3) + 1


def _sets(box: bytes, at: int, count: int, is_kind: Callable[[int], bool]) -> int:
    for _ in range(count):
        length = int.from_bytes(box[at : at + 2], "big")
        at += 2
        if not length or at + length > len(box) or not is_kind(box[at]):
            raise _fail()
        at += length
    return at


def ranges_of(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each chunk of a finished moov begins and ends, after checking all of it."""
    for kind, box in _walk(content, b"moov"):
        if kind == b"trak":
            _track(box)
            media = _walk(_only(_walk(box, b"trak"), b"mdia"), b"mdia")
            information = _walk(_only(media, b"minf"), b"minf")
            yield from _chunks(_walk(_only(information, b"stbl"), b"stbl"))


def _chunks(tables: list[tuple[bytes, bytes]]) -> Iterator[tuple[int, int]]:
    sizes_box = _only(tables, b"stsz")
    same, count = struct.unpack_from(">II", sizes_box, 4)
    if same or len(sizes_box) != 12 + 4 * count:
        raise _fail()
    sizes = struct.unpack(f">{count}I", sizes_box[12:])
    places_box = _only(tables, b"co64")
    places = struct.unpack(f">{len(places_box) // 8 - 1}Q", places_box[8:])
    rows = list(struct.iter_unpack(">III", _only(tables, b"stsc")[8:]))
    at, row = 0, 0
    for number, place in enumerate(places, 1):
        if row + 1 < len(rows) and rows[row + 1][0] == number:
            row += 1
        each = rows[row][1]
        yield place, place + sum(sizes[at : at + each])
        at += each
    if at != count:
        raise _fail()
