"""Re-read the index of a cleaned file: each box on a list, each field that could speak empty.

Rule: shares no code with what wrote it; raises MetadataSurvived at the first surprise.
"""

import itertools
import struct
from array import array
from dataclasses import dataclass, replace

from sanitizer.errors import MetadataSurvived
from sanitizer.mp4 import check_shape
from sanitizer.mp4.check_entries import Description, boxes, entry

_UND = 0x55C4
_CLOCK = 36
_ONE = b"\0\1\0\0"
_IDENTITY = _ONE + bytes(12) + _ONE + bytes(12) + b"\x40\0\0\0"
_REFERENCE = b"\0\0\0\0\0\0\0\1\0\0\0\x0curl \0\0\0\1"
_ROWS = {b"stts": 8, b"stsc": 12, b"ctts": 8, b"stss": 4, b"co64": 8}
TABLES = [b"stsd", b"stts", b"stsc", b"stsz", b"co64"]
"""The tables that every track of a result has."""
MORE_TABLES: tuple[list[bytes], ...] = ([], [b"ctts"], [b"stss"], [b"ctts", b"stss"])
"""Those that one may have besides."""


@dataclass(frozen=True, slots=True)
class Tables:
    """One track of the result, as its index tells it."""

    description: Description
    entry: bytes
    timescale: int
    frames: int
    ticks: int
    sizes: bytes
    """The rows of the table of sizes, empty where all have one."""
    places: bytes
    """The rows of the table of places."""
    chunks: bytes
    """The rows of the table of chunks."""

    def counts(self, chunks: int) -> "array[int]":
        """Return how many frames each of so many chunks holds."""
        rows = [*struct.iter_unpack(">III", self.chunks), (chunks + 1, 0, 1)]
        counts, following = array("I"), 1
        for (first, each, number), (after, _, _) in itertools.pairwise(rows):
            if first != following or not first < after <= chunks + 1 or number != 1:
                raise _fail()
            counts.extend(array("I", [each]) * (after - first))
            following = after
        return counts


def _fail() -> MetadataSurvived:
    return MetadataSurvived("the index of the result holds more than it may")


def check_movie(content: bytes) -> list[Tables]:
    """Return the tracks of a moov, after checking every byte of it."""
    found = boxes(content)
    if [kind for kind, _ in found] != [b"mvhd"] + [b"trak"] * (len(found) - 1):
        raise _fail()
    header = found[0][1]
    fixed = _ONE + b"\1\0" + bytes(10) + _IDENTITY + bytes(24) + struct.pack(">I", len(found))
    if header[:20] != b"\1" + bytes(19) or header[32:] != fixed or len(header) != 112:  # noqa: PLR2004 - version 1
        raise _fail()
    check_shape.clock(int.from_bytes(header[20:24], "big"))
    return [_track(box, number) for number, (_, box) in enumerate(found[1:], 1)]


def _parts(content: bytes, *wanted: list[bytes]) -> list[bytes]:
    """Return the contents of the boxes in a content, whose types must be one of these lists."""
    found = boxes(content)
    if [kind for kind, _ in found] not in wanted:
        raise _fail()
    for kind, box in found:
        if kind in _ROWS and len(box) != 8 + _ROWS[kind] * int.from_bytes(box[4:8], "big"):
            raise _fail()
    return [box for _, box in found]


def _track(content: bytes, number: int) -> Tables:
    header, *edits, media = _parts(content, [b"tkhd", b"mdia"], [b"tkhd", b"edts", b"mdia"])
    for box in edits:
        (table,) = _parts(box, [b"elst"])
        if table[:4] != b"\1\0\0\0" or len(table) != 8 + 20 * int.from_bytes(table[4:8], "big"):
            raise _fail()
        if any(table[at : at + 4] != _ONE for at in range(24, len(table), 20)):
            raise _fail()
    clock, handler, information = _parts(media, [b"mdhd", b"hdlr", b"minf"])
    is_video = handler[8:12] == b"vide"
    kind = b"vide" if is_video else b"soun"
    if handler != bytes(8) + kind + bytes(13):
        raise _fail()
    _track_header(header, number, is_video=is_video)
    timescale, language = struct.unpack_from(">I8xI", clock, 20)
    is_silent = len(clock) == _CLOCK and clock[:20] == b"\1" + bytes(19)
    if not is_silent or language != _UND << 16:
        raise _fail()
    check_shape.track_clock(timescale)
    look, reference, table = _parts(
        information, [b"vmhd" if is_video else b"smhd", b"dinf", b"stbl"]
    )
    if look != (b"\0\0\0\1" + bytes(8) if is_video else bytes(8)):
        raise _fail()
    if _parts(reference, [b"dref"]) != [_REFERENCE]:
        raise _fail()
    tables = _tables(table, timescale, is_video=is_video)
    if is_video:
        check_shape.shown(header[52:88], header[88:], tables.description.height)
    return tables


def _track_header(header: bytes, number: int, *, is_video: bool) -> None:
    flags, said, group, volume = struct.unpack_from(">I16xI22xHH", header)
    if (
        len(header) != 96  # noqa: PLR2004 - version 1
        or flags not in {1 << 24 | 2, 1 << 24 | 3}
        or any(header[4:20])
        or said != number
        or any(header[24:28])
        or any(header[36:46])
        or group > 32  # noqa: PLR2004 - as many as there may be tracks
        or volume != (0 if is_video else 256)
        or any(header[50:52])
        or (not is_video and header[52:] != _IDENTITY + bytes(8))
    ):
        raise _fail()


def _tables(content: bytes, timescale: int, *, is_video: bool) -> Tables:
    found = _parts(content, *[TABLES + more for more in MORE_TABLES])
    described, times, chunks, sizes, places = found[:5]
    if described[:8] != b"\0\0\0\0\0\0\0\1" or any(sizes[:4]):
        raise _fail()
    description = entry(described[8:], is_video=is_video)
    same, count = struct.unpack_from(">II", sizes, 4)
    wanted = description.unit if description.ticks == 1 else 1
    if description.ticks > 1 and not same:
        # Packets of a known length may be counted as packets, too.
        description = replace(description, unit=0)
    if same != (wanted if description.unit else 0) or len(sizes) != 12 + 4 * count * (not same):
        raise _fail()
    rows = list(struct.iter_unpack(">II", times[8:]))
    if sum(repeat for repeat, _ in rows) != count:
        raise _fail()
    if any(any(box[1:4]) for box in found):
        raise _fail()
    ticks = sum(repeat * length for repeat, length in rows)
    return Tables(
        *(description, described[8:], timescale, count, ticks),
        *(sizes[12:], places[8:], chunks[8:]),
    )
