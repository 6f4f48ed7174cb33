"""Re-read a cleaned TIFF and refuse it unless every byte is accounted for.

Rule: shares no code with the writer. Directory, values, data, page after page in one order; tags
on a list in one type; data of exactly the length that the picture's samples have.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import jpeg_check

_WINDOW = 1 << 20
_LAYOUTS = {3: "H", 4: "I", 5: "II", 7: "B"}
TAGS = {
    256: 4, 257: 4, 258: 3, 259: 3, 262: 3, 273: 4, 274: 3, 277: 3, 278: 4, 279: 4, 282: 5, 283: 5,
    284: 3, 296: 3, 317: 3, 320: 3, 322: 4, 323: 4, 324: 4, 325: 4, 338: 3, 339: 3, 529: 5, 530: 3,
    531: 3, 532: 5, 34675: 7,
}  # fmt: skip
"""Which tags a result may have, and the type of each."""
_NEEDED = {256, 257, 258, 259, 262, 277, 282, 283, 284, 296}
_STRIPS, _TILES = {273, 278, 279}, {322, 323, 324, 325}
_VALUES = {
    259: {1, 7, 8}, 262: {0, 1, 2, 3, 5, 6, 8}, 274: set(range(2, 9)), 284: {1, 2}, 296: {1, 2},
    317: {2, 3}, 338: {0, 1, 2}, 339: {2, 3, 4}, 530: {1, 2, 4}, 531: {1, 2},
}  # fmt: skip
_COUNTS = {529: 6, 530: 2, 531: 1, 532: 12, 338: 1, 282: 2, 283: 2}
_MANY = {258, 273, 279, 320, 324, 325, 338, 339, 529, 530, 532, 34675, 282, 283}
_INCHES = {72, 96, 100, 150, 200, 240, 300, 400, 600, 1200}
_WEIGHTS = {(2990, 5870, 1140), (2126, 7152, 722), (2125, 7154, 721)}
_MOST = 16 << 20
_DEFLATE, _JPEG = 8, 7


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a TIFF of our narrow grammar."""
    head = file.read(8)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "<")
    _require(head[2:] == struct.pack(order + "HI", 42, 8), "the result does not begin like a TIFF")
    at = 8
    while at:
        _require(file.tell() == at, "the directories of the result are out of order")
        page, following = _directory(file, order)
        page.check()
        for number, (place, length) in enumerate(zip(page.places, page.lengths, strict=True)):
            _require(file.tell() == place, "the data of the result is out of order")
            page.check_data(file, number, length)
        if file.tell() % 2:
            _require(file.read(1) == b"\0", "bytes between the pages of the result")
        at = following
    _require(not file.read(1), "bytes after the end of the result")


def _require(condition: object, detail: str) -> None:
    if not condition:
        raise MetadataSurvived(detail)


def _directory(file: BinaryIO, order: str) -> tuple["_Page", int]:
    (count,) = struct.unpack(order + "H", file.read(2).ljust(2, b"\0"))
    table = file.read(12 * count + 4)
    _require(len(table) == 12 * count + 4, "the result ends inside a directory")
    tags: dict[int, tuple[int, ...]] = {}
    last = 0
    for at in range(0, 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", table, at)
        _require(tag > last and TAGS.get(tag) == kind, "a tag of the result is not on the list")
        layout = order + _LAYOUTS[kind]
        length = struct.calcsize(layout) * number
        _require(0 < length <= _MOST, "a tag of the result is too long")
        value = table[at + 8 : at + 12]
        if length > 4:  # noqa: PLR2004 - room for a value in the entry
            _require(struct.unpack(order + "I", value) == (file.tell(),), "a value is out of order")
            value = file.read(length + length % 2)
        rest = value[length:]
        _require(len(value) >= length and not rest.strip(b"\0"), "bytes behind a value")
        tags[tag] = tuple(
            each for group in struct.iter_unpack(layout, value[:length]) for each in group
        )
        last = tag
    (following,) = struct.unpack_from(order + "I", table, 12 * count)
    return _Page(tags), following


@dataclass(slots=True)
class _Page:
    """The tags of one directory, whole numbers all of them."""

    tags: dict[int, tuple[int, ...]]

    @property
    def places(self) -> tuple[int, ...]:
        return self.tags[324 if 324 in self.tags else 273]  # noqa: PLR2004 - TileOffsets

    @property
    def lengths(self) -> tuple[int, ...]:
        return self.tags[325 if 325 in self.tags else 279]  # noqa: PLR2004 - TileByteCounts

    def _one(self, tag: int, default: int = 1) -> int:
        return self.tags.get(tag, (default,))[0]

    def check(self) -> None:
        """Raise MetadataSurvived unless the tags are those of one picture."""
        names, tags = set(self.tags), self.tags
        fits = names >= _NEEDED and (names & (_STRIPS | _TILES)) in (_STRIPS, _TILES)
        _require(fits, "a page of the result is not whole")
        for tag, values in tags.items():
            known = _VALUES.get(tag)
            _require(known is None or set(values) <= known, "a tag of the result says too much")
            _require(len(values) == 1 or tag in _MANY, "a tag of the result says too much")
            _require(len(values) == _COUNTS.get(tag, len(values)), "a tag of the result is odd")
        samples, photometric = self._one(277), self._one(262)
        _require(
            tags[258] == tags[258][:1] * samples
            and tags.get(339, (1,)) == tags.get(339, (1,))[:1] * len(tags.get(339, (1,)))
            and len(tags.get(339, tags[258])) == samples
            and 1 <= tags[258][0] <= 64,  # noqa: PLR2004 - bits
            "samples of different kinds in the result",
        )
        _require(
            len(tags.get(320, ())) == (3 << tags[258][0] if photometric == 3 else 0),  # noqa: PLR2004 - palette
            "a palette of the result is odd",
        )
        is_common = tags[282] == tags[283] and tags[282][0] in _INCHES
        _require(
            tags[282][1] == tags[283][1] == 1 and (self._one(296) == 1 or is_common),
            "a shape of pixels in the result is odd",
        )
        weights = tags.get(529, (2990, 10_000, 5870, 10_000, 1140, 10_000))
        _require(
            weights[::2] in _WEIGHTS and set(weights[1::2]) == {10_000},
            "colours of the result are odd",
        )
        _require(set(tags.get(532, (1, 1))[1::2]) == {1}, "colours of the result are odd")
        profile = bytes(tags.get(34675, ()))
        nameless = profile[4:8] + profile[24:36] + profile[40:68]
        _require(not nameless.strip(b"\0"), "a profile of the result has a name")
        _require(len(self.places) == len(self.lengths) == self._parts(), "a page is not whole")

    def _sides(self) -> tuple[int, int]:
        if 322 in self.tags:  # noqa: PLR2004 - TileWidth
            return self._one(322), self._one(323)
        return self._one(256), self._one(278)

    def _parts(self) -> int:
        columns, rows = self._sides()
        down = -(-self._one(257) // rows)
        planes = self._one(277) if self._one(284) == 2 else 1  # noqa: PLR2004 - one plane each
        return -(-self._one(256) // columns) * down * planes

    def _length(self, place: int) -> int:
        """Return how many bytes of samples a strip or tile must have."""
        columns, rows = self._sides()
        if 322 not in self.tags:  # noqa: PLR2004 - TileWidth
            down = -(-self._one(257) // rows)
            rows = min(rows, self._one(257) - place % down * rows)
        planes = 1 if self._one(284) == 2 else self._one(277)  # noqa: PLR2004 - one plane each
        bits = self._one(258)
        if self._one(262) == 6 and self._one(284) == 1:  # noqa: PLR2004 - luma and chroma
            across, down = self.tags[530]
            return -(-columns // across) * -(-rows // down) * (across * down + 2) * bits // 8
        return -(-columns * planes * bits // 8) * rows

    def check_data(self, file: BinaryIO, place: int, length: int) -> None:
        """Raise MetadataSurvived unless the next bytes are one strip or tile, and that alone."""
        coding, expected = self._one(259), self._length(place)
        if coding == _JPEG:
            data = file.read(length)
            _require(len(data) == length and data, "the result ends inside a picture")
            _require(data.find(b"\xff\xd8", 2) < 0, "a second picture behind a picture")
            jpeg_check.check(data)
            return
        stream = zlib.decompressobj() if coding == _DEFLATE else None
        left, made = length, 0
        while left > 0:
            data = file.read(min(left, _WINDOW))
            _require(data, "the result ends inside a picture")
            left -= len(data)
            made += len(data) if stream is None else _inflate(stream, data)
        _require(made == expected, "data of the result that is no picture")
        _require(stream is None or stream.eof, "data of the result without an end")


def _inflate(stream: "zlib._Decompress", data: bytes) -> int:
    made = 0
    while True:
        try:
            piece = stream.decompress(data, _WINDOW)
        except zlib.error:
            raise MetadataSurvived("data of the result is broken") from None
        made += len(piece)
        data = stream.unconsumed_tail
        _require(not stream.unused_data, "bytes behind the data of the result")
        if not data and len(piece) < _WINDOW:
            return made
