"""The tests' own small writer of HEIC and AVIF: items with whatever a phone says of them."""

import functools
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pillow_heif
from PIL import Image

from tests.support.boxes import box, find, full, split

Property = tuple[bytes, bytes, bool]
"""Type, content, and whether it is marked as essential."""


@dataclass
class Thing:
    """One item as it will be written; ``places`` cuts its data into so many pieces."""

    kind: bytes
    data: bytes = b""
    properties: list[Property] = field(default_factory=list)
    references: dict[bytes, list[int]] = field(default_factory=dict)
    name: bytes = b""
    rest: bytes = b""
    flags: int = 0
    protection: int = 0
    method: int = 0
    reference: int = 0
    pieces: int = 1
    version: int = 2


@dataclass
class File:
    """A whole file; the fields behind ``things`` are places to hide in, or ways to be odd."""

    things: dict[int, Thing]
    primary: int = 1
    brand: bytes = b"heic"
    brands: bytes = b"mif1heic"
    handler: bytes = b"pict"
    handler_name: bytes = b"\0"
    places: int = 0
    wide: bool = False
    wide_properties: bool = False
    slack: bytes = b""
    before: bytes = b""
    after: bytes = b""
    data_first: bool = False
    meta_extra: bytes = b""
    iinf_extra: bytes = b""
    ipco_extra: bytes = b""
    iprp_extra: bytes = b""
    ipma_extra: bytes = b""
    iref_extra: bytes = b""
    idat_extra: bytes = b""
    tables: dict[bytes, bytes] = field(default_factory=dict)

    def number(self, value: int) -> bytes:
        """Return an item's number in the width of this file."""
        return struct.pack(">I" if self.wide else ">H", value)

    def to_bytes(self) -> bytes:
        """Return the file; offsets are found by writing it twice."""
        head = box(b"ftyp", self.brand, bytes(4), self.brands) + self.before
        if self.data_first:
            return head + self._data() + self._meta(len(head) + 8) + self.after
        empty = self._meta(0)
        return head + self._meta(len(head) + len(empty) + 8) + self._data() + self.after

    def _extents(self, thing: Thing) -> list[bytes]:
        step = -(-len(thing.data) // thing.pieces) if thing.data else 1
        return [thing.data[at : at + step] for at in range(0, len(thing.data), step)]

    def _data(self) -> bytes:
        parts = [
            part + self.slack
            for thing in self.things.values()
            if thing.method == 0
            for part in self._extents(thing)
        ]
        return box(b"mdat", *parts)

    def _meta(self, place: int) -> bytes:
        tables = {
            b"hdlr": full(b"hdlr", bytes(4), self.handler, bytes(12), self.handler_name),
            b"pitm": full(b"pitm", self.number(self.primary), flags=self.wide << 24),
            b"iloc": self._iloc(place),
            b"iinf": self._iinf(),
            b"iref": self._iref(),
            b"iprp": self._iprp(),
            b"idat": self._idat(),
            **self.tables,
        }
        return full(b"meta", *tables.values(), self.meta_extra)

    def _idat(self) -> bytes:
        parts = [thing.data for thing in self.things.values() if thing.method == 1]
        return box(b"idat", *parts, self.idat_extra) if parts or self.idat_extra else b""

    def _iloc(self, place: int) -> bytes:
        version = 2 if self.wide else self.places
        rows, within = b"", 0
        for number, thing in self.things.items():
            rows += self.number(number)
            rows += struct.pack(">H", thing.method) if version else b""
            parts = self._extents(thing)
            rows += struct.pack(">HH", thing.reference, len(parts))
            for part in parts:
                if thing.method:
                    rows += struct.pack(">II", within, len(part))
                    within += len(part)
                else:
                    rows += struct.pack(">II", place, len(part))
                    place += len(part) + len(self.slack)
        count = self.number(len(self.things))
        return full(b"iloc", b"\x44\0", count, rows, flags=version << 24)

    def _iinf(self) -> bytes:
        entries = [
            full(
                b"infe",
                struct.pack(">I" if thing.version == 3 else ">H", number),
                struct.pack(">H", thing.protection),
                thing.kind,
                thing.name,
                b"\0",
                thing.rest,
                flags=thing.version << 24 | thing.flags,
            )
            for number, thing in self.things.items()
        ]
        return full(b"iinf", struct.pack(">H", len(entries)), *entries, self.iinf_extra)

    def _iref(self) -> bytes:
        rows = [
            box(kind, self.number(number), struct.pack(">H", len(named)), *map(self.number, named))
            for number, thing in self.things.items()
            for kind, named in thing.references.items()
        ]
        made = full(b"iref", *rows, self.iref_extra, flags=self.wide << 24)
        return made if rows or self.iref_extra else b""

    def _iprp(self) -> bytes:
        listed: list[tuple[bytes, bytes]] = []
        rows = b""
        for number, thing in self.things.items():
            rows += self.number(number) + bytes([len(thing.properties)])
            for kind, content, essential in thing.properties:
                if (kind, content) not in listed:
                    listed.append((kind, content))
                place = listed.index((kind, content)) + 1
                if self.wide_properties:
                    rows += struct.pack(">H", place | essential << 15)
                else:
                    rows += bytes([place | essential << 7])
        count = struct.pack(">I", len(self.things))
        flags = self.wide << 24 | self.wide_properties
        return box(
            b"iprp",
            box(b"ipco", *[box(*each) for each in listed], self.ipco_extra),
            full(b"ipma", count, rows, self.ipma_extra, flags=flags),
            self.iprp_extra,
        )


def ispe(width: int, height: int) -> Property:
    """Return a size."""
    return b"ispe", struct.pack(">III", 0, width, height), False


@functools.cache
def encoded(
    picture_of: bytes, width: int, height: int, *, mode: str = "RGB", quality: int = 60
) -> bytes:
    """Return a HEIC of a picture given as raw pixels."""
    made = io.BytesIO()
    picture = Image.frombytes(mode, (width, height), picture_of)
    pillow_heif.from_pillow(picture).save(made, quality=quality)
    return made.getvalue()


def coded(picture: Image.Image, **options: int) -> Thing:
    """Return a coded picture as an item with its size and its setup."""
    whole = encoded(picture.tobytes(), *picture.size, mode=picture.mode, **options)
    meta = find(whole, b"meta")[4:]
    listed = list(split(find(meta, b"iprp", b"ipco")))
    setup = next(content for kind, content in listed if kind == b"hvcC")
    size = next(content for kind, content in listed if kind == b"ispe")
    base, _, offset, length = struct.unpack_from(">IHII", find(meta, b"iloc"), 12)
    start = base + offset
    return Thing(
        b"hvc1", whole[start : start + length], [(b"ispe", size, False), (b"hvcC", setup, True)]
    )


def cut(picture: Image.Image, side: int) -> Iterator[Image.Image]:
    """Yield square tiles, row by row, black where the picture has ended."""
    for top in range(0, picture.height, side):
        for left in range(0, picture.width, side):
            yield picture.crop((left, top, left + side, top + side))


def hidden(thing: Thing) -> Thing:
    """Return an item that is not shown alone."""
    return replace(thing, flags=1)
