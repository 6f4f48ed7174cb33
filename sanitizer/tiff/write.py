"""Write a TIFF anew: directory, values, data, page by page, without a gap.

Rule (TIFF 6.0): tags by allow-list, in their canonical types, ordered; the byte order of the
source stays, because samples of 16 bits are written in it. JPEG stays JPEG, uncompressed samples
stay where they lie, everything else becomes Deflate.
"""

import struct
import zlib
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex, TooManyPixels, Unsupported
from sanitizer.frames import jpeg
from sanitizer.limits import Limits
from sanitizer.pieces import Piece, Range, read_exactly, size_of
from sanitizer.source import UntrustedSource
from sanitizer.tiff.page import DEFLATE, JPEG, NONE, PALETTE, YCBCR, Page
from sanitizer.tiff.samples import is_whole, samples

_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7
_LAYOUTS = {_SHORT: "H", _LONG: "I", _RATIONAL: "I", _UNDEFINED: "B"}
_LEVEL = 6
_EOI = b"\xff\xd9"

Tag = tuple[int, int, tuple[int, ...]]
"""A tag's number, type, and values; two for each fraction."""


@dataclass(slots=True)
class Writer:
    """Takes pages, and makes the file of them."""

    source: UntrustedSource
    limits: Limits
    order: str
    pieces: list[Piece] = field(default_factory=list)
    at: int = 8
    raw: int = 0
    made: int = 0
    parts: int = 0

    def write(self, pages: list[Page]) -> list[Piece]:
        """Return the whole file."""
        head = {"<": b"II", ">": b"MM"}[self.order]
        self.pieces = [head + struct.pack(self.order + "HI", 42, 8)]
        for number, page in enumerate(pages, 1):
            self._page(page, is_last=number == len(pages))
        return self.pieces

    def _page(self, page: Page, *, is_last: bool) -> None:
        number = page.parts
        self.parts += number
        if self.parts > self.limits.worker_pieces // 2:
            raise TooComplex("too many strips or tiles")
        is_kept = page.coding == NONE and all(is_whole(page, place) for place in range(number))
        palette = set[int]()
        data = [self._part(page, place, palette, is_kept=is_kept) for place in range(number)]
        lengths = [sum(size_of(piece) for piece in part) for part in data]
        coding = JPEG if page.coding == JPEG else NONE if is_kept else DEFLATE
        tags = _tags(page, coding, lengths, palette)
        # The places are numbers of fixed width: the directory's length is known with zeros.
        start = self.at + len(self._directory(tags, is_last=True, end=0))
        offsets, place = [], start
        for length in lengths:
            offsets.append(place)
            place += length
        end = place + place % 2
        tag = 324 if page.is_tiled else 273
        tags = sorted([*(each for each in tags if each[0] != tag), (tag, _LONG, tuple(offsets))])
        self.pieces.append(self._directory(tags, is_last=is_last, end=end))
        self.pieces += [piece for part in data for piece in part]
        self.pieces.append(bytes(end - place))
        self.at = end

    def _part(self, page: Page, place: int, used: set[int], *, is_kept: bool) -> list[Piece]:
        """Return the data of one strip or tile."""
        length = page.raw_length(place)
        self.raw += length
        if self.raw > self.limits.image_sample_bytes:
            raise TooManyPixels("more samples than the limit")
        told = page.counts[place] if page.counts else length
        if page.coding == JPEG:
            return [self._count(self._jpeg(page, place, told))]
        if is_kept and page.photometric != PALETTE:
            if told < length or page.offsets[place] + length > self.source.length:
                raise Malformed("a picture whose data ends before it does")
            return [Range(page.offsets[place], length)]
        stream = zlib.compressobj(_LEVEL)
        made: list[bytes] = []
        for piece in samples(self.source, page, place, told, self.limits):
            if page.photometric == PALETTE:
                used.update(set(piece))
            made.append(self._count(piece if is_kept else stream.compress(piece)))
        if not is_kept:
            made.append(self._count(stream.flush()))
        return [b"".join(made)]

    def _count(self, made: bytes) -> bytes:
        self.made += len(made)
        if self.made > self.limits.worker_bytes:
            raise TooComplex("a picture too long to be written anew")
        return made

    def _jpeg(self, page: Page, place: int, length: int) -> bytes:
        """Return a strip or tile as a JPEG that needs no tables beside it."""
        if length > self.limits.sample_bytes:
            raise TooComplex("a part of a picture that is too long")
        data = read_exactly(self.source, page.offsets[place], length)
        tables, _, _ = page.jpeg_tables.rpartition(_EOI)
        if data[:2] != b"\xff\xd8":
            raise Malformed("a strip that is no JPEG")
        made = jpeg.strip((tables or data[:2]) + data[2:])
        if made.find(data[:2], 2) >= 0:
            raise Unsupported("several pictures in the place of one")
        rows = page.rows if page.is_tiled else page.rows_of(place)
        planes = 1 if page.planes > 1 else page.samples
        if _frame(made) != (page.bits, rows, page.columns, planes):
            raise Malformed("a strip of another size than the picture's")
        return made

    def _directory(self, tags: list[Tag], *, is_last: bool, end: int) -> bytes:
        """Return a directory and its values; the next one stands at ``end``."""
        place = self.at + 2 + 12 * len(tags) + 4
        entries, values = [struct.pack(self.order + "H", len(tags))], list[bytes]()
        for tag, kind, numbers in tags:
            value = struct.pack(f"{self.order}{len(numbers)}{_LAYOUTS[kind]}", *numbers)
            count = len(numbers) // (2 if kind == _RATIONAL else 1)
            entries.append(struct.pack(self.order + "HHI", tag, kind, count))
            if len(value) <= 4:  # noqa: PLR2004 - room for a value in the entry
                entries.append(value.ljust(4, b"\0"))
                continue
            entries.append(struct.pack(self.order + "I", place))
            values.append(value + bytes(len(value) % 2))
            place += len(values[-1])
        following = struct.pack(self.order + "I", 0 if is_last else end)
        return b"".join([*entries, following, *values])


def _frame(data: bytes) -> tuple[int, int, int, int]:
    """Return precision, height, width and number of planes of a JPEG of ours."""
    at = 2
    while data[at + 1] not in {0xC0, 0xC1}:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    precision, height, width, planes = struct.unpack_from(">BHHB", data, at + 4)
    return precision, height, width, planes


def _tags(page: Page, coding: int, lengths: list[int], used: set[int]) -> list[Tag]:
    """Return the tags of a page, in their order, with places still to be known."""
    told: list[tuple[int, int, tuple[int, ...]]] = [
        (256, _LONG, (page.width,)),
        (257, _LONG, (page.height,)),
        (258, _SHORT, (page.bits,) * page.samples),
        (259, _SHORT, (coding,)),
        (262, _SHORT, (page.photometric,)),
        (274, _SHORT, (page.orientation,) if page.orientation > 1 else ()),
        (277, _SHORT, (page.samples,)),
        (282, _RATIONAL, (page.ratio[0], 1)),
        (283, _RATIONAL, (page.ratio[1], 1)),
        (284, _SHORT, (page.planes,)),
        (296, _SHORT, (page.unit,)),
        (317, _SHORT, (page.predictor,) if page.predictor > 1 else ()),
        (320, _SHORT, _palette(page, used)),
        (338, _SHORT, page.extra),
        (339, _SHORT, (page.formats,) * page.samples if page.formats > 1 else ()),
        (34675, _UNDEFINED, tuple(page.profile)),
    ]
    places = tuple([0] * len(lengths))
    if page.is_tiled:
        told += [(322, _LONG, (page.columns,)), (323, _LONG, (page.rows,))]
        told += [(324, _LONG, places), (325, _LONG, tuple(lengths))]
    else:
        told += [(273, _LONG, places), (278, _LONG, (page.rows,)), (279, _LONG, tuple(lengths))]
    if page.photometric == YCBCR:
        weights = [number for each in page.coefficients for number in (each, 10_000)]
        codes = [number for each in page.reference for number in (each, 1)]
        told += [(529, _RATIONAL, tuple(weights)), (530, _SHORT, page.subsampling)]
        told += [(531, _SHORT, (page.positioning,)), (532, _RATIONAL, tuple(codes))]
    return sorted(each for each in told if each[2])


def _palette(page: Page, used: set[int]) -> tuple[int, ...]:
    """Return the colours, black where no pixel has them."""
    if page.photometric != PALETTE:
        return ()
    if page.bits not in {1, 2, 4, 8}:
        raise Unsupported("a palette of an odd size")
    mask, steps = (1 << page.bits) - 1, range(0, 8, page.bits)
    shown = {value >> step & mask for value in used for step in steps}
    size = 1 << page.bits
    return tuple(colour if at % size in shown else 0 for at, colour in enumerate(page.palette))
