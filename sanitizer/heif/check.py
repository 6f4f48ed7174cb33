"""Re-read a cleaned HEIC or AVIF and refuse it unless every byte is accounted for.

Rule: shares no code with the writer. One order of boxes, each field of them fixed or bounded;
items numbered from one, nameless, end to end; nothing in their data but one coded picture each.
"""

import re
import struct
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import sets_check
from sanitizer.heif import check_derived, check_size
from sanitizer.heif.check_derived import DERIVED, Reference, Told, shape
from sanitizer.jpeg import check as jpeg_check
from sanitizer.source import BytesSource

BRANDS = {
    b"heic\0\0\0\0mif1heicmiaf": b"hvc1",
    b"heix\0\0\0\0mif1heixmiaf": b"hvc1",
    b"avif\0\0\0\0avifmif1miaf": b"av01",
    b"mif1\0\0\0\0mif1jpeg": b"jpeg",
}
"""What a result may say it is, and how its pictures are coded then."""
TABLES = (b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat")
"""The boxes of an index, in their order."""
_OPTIONAL = {b"iref", b"idat"}
PROPERTIES = {
    b"ispe": rb"\0{4}(?!\0{4}).{4}(?!\0{4}).{4}",
    b"irot": rb"[\0-\x03]",
    b"imir": rb"[\0\x01]",
    b"pixi": rb"\0{4}(?:\x01[\x01-\x10]|\x02[\x01-\x10]{2}|\x03[\x01-\x10]{3}|\x04[\x01-\x10]{4})",
    b"colr": (
        rb"nclx\0[\0-\x16]\0[\0-\x12]\0[\0-\x11][\0\x80]|"
        rb"prof.{4}\0{4}.{16}\0{12}acsp\0{28}.*"
    ),
    b"clap": rb"(?:\0\0..\0{3}\x01){2}(?:(?:\0\0|\xff\xff)..\0{3}[\x01\x02]){2}",
    b"pasp": rb"\0\0..\0\0..",
    b"clli": rb"(?:[\0-\x26].|\x27[\0-\x10]){2}",
    b"auxC": (rb"\0{4}urn:mpeg:(?:mpegB:cicp:systems:auxiliary:alpha|hevc:2015:auxid:1)\0"),
    b"av1C": rb"\x81..\0",
    b"hvcC": (
        rb"\x01.{12}\xf0\0\xfc[\xfc-\xff][\xf8-\xff][\xf8-\xff]\0\0[\0-\x3f]\x03"
        rb".+"
    ),
}
"""What may be said of an item, and in which bytes."""
_SHAPES = {kind: re.compile(shape, re.DOTALL) for kind, shape in PROPERTIES.items()}
_ESSENTIAL = {b"hvcC", b"av1C", b"clap", b"irot", b"imir"}
_REFERENCES = {b"dimg", b"auxl", b"prem"}
_MOST = 64 << 20
_HEAD = 8
_SLICES = range(16, 22)


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a picture of our narrow grammar."""
    brands = _box(file, b"ftyp")
    _require(brands in BRANDS, "the result does not begin like a picture")
    meta = _box(file, b"meta")
    place = file.tell() + 8
    tables = _tables(meta)
    codec = BRANDS[brands]
    kinds = _kinds(tables[b"iinf"])
    _require(set(kinds) <= {codec, *DERIVED}, "an item of the result is no picture")
    lengths, made = _places(tables[b"iloc"], kinds, place, tables.get(b"idat", b""))
    told = _properties(tables[b"iprp"], kinds)
    for number, kind in enumerate(kinds, 1):
        if kind != b"grid":
            check_size.check(kind, told[number], shape(told[number]))
    check_derived.check(kinds, made, _references(tables.get(b"iref"), len(kinds)), told)
    end = place + sum(lengths.values())
    size = struct.pack(">I", end - place + 8)
    _require(file.read(8) == size + b"mdat", "the data of the result is out of order")
    walk = {b"hvc1": _hevc, b"av01": _av1, b"jpeg": _jpeg}[codec]
    for number, length in lengths.items():
        data = file.read(length)
        _require(len(data) == length, "the result ends inside a picture")
        walk(data, told[number])
    _require(not file.read(1), "bytes after the end of the result")


def _require(condition: object, detail: str) -> None:
    if not condition:
        raise MetadataSurvived(detail)


def _box(file: BinaryIO, kind: bytes) -> bytes:
    head = file.read(8)
    size = int.from_bytes(head[:4], "big")
    _require(
        head[4:] == kind and _HEAD <= size <= _MOST, "the boxes of the result are out of order"
    )
    content = file.read(size - 8)
    _require(len(content) == size - 8, "the result ends inside a box")
    return content


def _boxes(content: bytes, at: int) -> list[tuple[bytes, bytes]]:
    found = []
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content.ljust(at + 8, b"\0"), at)
        _require(_HEAD <= size <= len(content) - at, "a box of the result is broken")
        found.append((kind, content[at + 8 : at + size]))
        at += size
    return found


def _tables(meta: bytes) -> dict[bytes, bytes]:
    _require(meta[:4] == bytes(4), "an index of the result of an unknown kind")
    found = _boxes(meta, 4)
    names = [kind for kind, _ in found]
    expected = [kind for kind in TABLES if kind in names or kind not in _OPTIONAL]
    _require(names == expected, "the tables of the result are out of order")
    tables = dict(found)
    _require(
        tables[b"hdlr"] == bytes(8) + b"pict" + bytes(13) and tables[b"pitm"] == b"\0\0\0\0\0\1",
        "a table of the result says more than it should",
    )
    return tables


def _kinds(table: bytes) -> list[bytes]:
    entries = _boxes(table, 6)
    _require(
        table[:6] == bytes(4) + len(entries).to_bytes(2, "big"), "the items of the result are odd"
    )
    kinds = []
    for number, (kind, entry) in enumerate(entries, 1):
        what, hidden = entry[8:12], entry[3:4]
        expected = b"\2\0\0" + hidden + number.to_bytes(2, "big") + bytes(2) + what + b"\0"
        _require(
            kind == b"infe" and entry == expected and hidden in {b"\0", b"\1"},
            "an item of the result says more than it should",
        )
        kinds.append(what)
    return kinds


def _places(
    table: bytes, kinds: list[bytes], place: int, inside: bytes
) -> tuple[dict[int, int], dict[int, bytes]]:
    """Return, by number, the lengths of coded items, and what the index holds of derived ones.

    Both lie end to end, in the order of their numbers.
    """
    head = b"\1\0\0\0\x44\0" + len(kinds).to_bytes(2, "big")
    _require(
        table[:8] == head and len(table) == 8 + 16 * len(kinds), "the places in the result are odd"
    )
    lengths: dict[int, int] = {}
    made: dict[int, bytes] = {}
    used = 0
    for number, kind in enumerate(kinds, 1):
        at = 16 * number - 8
        start, length = struct.unpack_from(">II", table, at + 8)
        is_made = kind in DERIVED
        row = number.to_bytes(2, "big") + bytes([0, is_made, 0, 0, 0, 1])
        _require(
            table[at : at + 8] == row and start == (used if is_made else place) and length,
            "an item of the result is not where it should be",
        )
        if is_made:
            made[number] = inside[used : used + length]
            used += length
        else:
            lengths[number] = length
            place += length
    _require(used == len(inside), "bytes that no item owns in the result")
    return lengths, made


def _references(table: bytes | None, items: int) -> list[Reference]:
    if table is None:
        return []
    _require(table[:4] == bytes(4) and len(table) > 4, "the references of the result are odd")  # noqa: PLR2004 - not empty
    found: list[Reference] = []
    for kind, content in _boxes(table, 4):
        numbers = struct.unpack(f">{len(content) // 2}H", content[: len(content) // 2 * 2])
        _require(
            kind in _REFERENCES
            and len(content) % 2 == 0
            and numbers[1:2] == (len(numbers) - 2,)
            and all(0 < number <= items for number in (numbers[0], *numbers[2:])),
            "a reference of the result is not on the list",
        )
        found.append((kind, numbers[0], numbers[2:]))
    return found


def _properties(content: bytes, kinds: list[bytes]) -> dict[int, Told]:
    """Return what is said of each item, by its number."""
    parts = _boxes(content, 0)
    _require([kind for kind, _ in parts] == [b"ipco", b"ipma"], "the properties are out of order")
    listed = _boxes(parts[0][1], 0)
    for kind, told in listed:
        shape = _SHAPES.get(kind)
        _require(
            shape and shape.fullmatch(told), "a property of the result says more than it should"
        )
        if kind == b"hvcC":
            _check_sets(told)
    table = parts[1][1]
    wide = 2 if len(listed) > 127 else 1  # noqa: PLR2004 - seven bits
    head = bytes([0, 0, 0, wide - 1]) + len(kinds).to_bytes(4, "big")
    _require(table[:8] == head, "the properties of the result are odd")
    at, used = 8, set[int]()
    said: dict[int, Told] = {}
    for number in range(1, len(kinds) + 1):
        head = table[at : at + 3].ljust(3, b"\0")
        end = at + 3 + wide * head[2]
        said[number] = []
        _require(
            head[:2] == number.to_bytes(2, "big") and end <= len(table), "an item is out of order"
        )
        for place in range(at + 3, end, wide):
            value = int.from_bytes(table[place : place + wide], "big")
            index, flag = value & ((0x80 << 8 * (wide - 1)) - 1), value >> (8 * wide - 1)
            _require(0 < index <= len(listed), "a property of the result is not there")
            _require(flag == (listed[index - 1][0] in _ESSENTIAL), "a property is marked wrongly")
            used.add(index)
            said[number].append(listed[index - 1])
        at = end
    _require(at == len(table) and len(used) == len(listed), "properties that nobody has")
    return said


def _check_sets(setup: bytes) -> None:
    """Walk the parameter sets of H.265: one of video, one of sequence, some of pictures."""
    at = 23
    for kind in (32, 33, 34):
        count = int.from_bytes(setup[at + 1 : at + 3], "big")
        _require(setup[at : at + 1] == bytes([0x80 | kind]), "a setup of the result is odd")
        _require(count == 1 or (kind == 34 and count), "a setup of the result is odd")  # noqa: PLR2004 - pictures
        at += 3
        for _ in range(count):
            length = int.from_bytes(setup[at : at + 2], "big")
            _require(
                setup[at + 2 : at + 4] == bytes([kind << 1, 1]), "a setup of the result is odd"
            )
            sets_check.check(setup[at + 2 : at + 2 + length])
            at += 2 + length
    _require(at == len(setup), "a setup of the result says more than it should")


def _hevc(data: bytes, _told: Told) -> None:
    at, first = 0, True
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        unit = data[at + 4 : at + 7].ljust(3, b"\0")
        at += 4 + length
        _require(
            length > 2 and at <= len(data) and unit[1] == 1 and unit[0] >> 1 in _SLICES,  # noqa: PLR2004 - a unit's header
            "a message inside a picture",
        )
        _require(unit[0] & 1 == 0 and unit[2] >> 7 == first, "a second picture behind a picture")
        first = False


def _av1(data: bytes, _told: Told) -> None:
    at, order = 0, b""
    while at < len(data):
        order += data[at : at + 1]
        length = shift = 0
        more = True
        while more and shift < 35:  # noqa: PLR2004 - five times seven bits
            at += 1
            byte = (data[at : at + 1] or b"\0")[0]
            length |= (byte & 127) << shift
            shift += 7
            more = byte > 127  # noqa: PLR2004 - the last byte of a LEB128
        _require(
            byte or shift == 7,  # noqa: PLR2004 - one byte
            "a length of the result is longer than it need be",
        )
        at += 1 + length
    # Sequence header, then a frame, or a frame's header and its tiles; each with a length.
    _require(
        at == len(data) and re.fullmatch(rb"\x0a(?:\x32|\x1a\x22+)", order),
        "a message inside a picture",
    )


def _jpeg(data: bytes, told: Told) -> None:
    jpeg_check.check(BytesSource(data))
    at = 2
    # The tables in front of the frame; what has passed has segments up to its scan.
    while data[at + 1] in {0xDB, *range(0xE0, 0xF0)}:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    height, width = struct.unpack_from(">HH", data, at + 5)
    _require(
        data[at + 1] in range(0xC0, 0xC3) and (width, height) == shape(told),
        "a picture of the result is of another size",
    )
