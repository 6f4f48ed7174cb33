"""Read the directories of a TIFF (TIFF 6.0, section 2; BigTIFF), one after the other.

Rule: a directory lies wholly in the file, is read once, and values are fetched only for tags
that somebody asks for; what else there is, is named by its tag and never looked at.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.pieces import Range, read_exactly
from sanitizer.source import UntrustedSource

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BIG_SIZES = {16: 8, 17: 8, 18: 8}
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_RATIONAL = 5
_MAX_TAGS = 1000
_BIG = 43


@dataclass(frozen=True, slots=True)
class Value:
    """Where a tag's value lies: its type, how many, and the place of its bytes in the file."""

    kind: int
    count: int
    place: Range


@dataclass(slots=True)
class Directory:
    """One directory: its tags (the first of each), and its own place in the file."""

    tags: dict[int, Value]
    place: Range


@dataclass(slots=True)
class Reader:
    """A TIFF whose directories and values are read on demand, within one budget."""

    source: UntrustedSource
    limits: Limits
    order: str = "<"
    is_big: bool = False
    first: int = 0
    read: int = 0
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read the header; raises Malformed."""
        head = self.source.read_at(0, 16)
        self.order = {b"II": "<", b"MM": ">"}[head[:2]]
        (version,) = struct.unpack_from(self.order + "H", head, 2)
        self.is_big = version == _BIG
        if self.is_big:
            width, zero, self.first = struct.unpack_from(self.order + "HHQ", head, 4)
            if (width, zero) != (8, 0):
                raise Malformed("a TIFF header that says what cannot be")
        else:
            (self.first,) = struct.unpack_from(self.order + "I", head, 4)

    @property
    def head(self) -> int:
        """Length of the header in bytes."""
        return 16 if self.is_big else 8

    def chain(self) -> Iterator[Directory]:
        """Yield the directories of the file's main chain; raises Malformed for a loop."""
        at = self.first
        while at:
            if at in self.seen:
                raise Malformed("directories that name each other in a circle")
            directory, at = self.directory(at)
            yield directory

    def directory(self, at: int) -> tuple[Directory, int]:
        """Return the directory at a place, and the place of the next one (0: none)."""
        self.seen.add(at)
        wide, entry, link = ("Q", 20, 8) if self.is_big else ("H", 12, 4)
        width = struct.calcsize(self.order + wide)
        (count,) = struct.unpack(self.order + wide, self._fetch(at, width))
        if count > _MAX_TAGS:
            raise TooComplex("too many tags")
        table = self._fetch(at + width, count * entry + link)
        tags: dict[int, Value] = {}
        for number in range(count):
            self._entry(table, number * entry, at + width, tags)
        last = self.order + ("Q" if self.is_big else "I")
        (following,) = struct.unpack_from(last, table, count * entry)
        return Directory(tags, Range(at, width + len(table))), following

    def _entry(self, table: bytes, at: int, base: int, tags: dict[int, Value]) -> None:
        layout = "HHQQ" if self.is_big else "HHII"
        tag, kind, count, place = struct.unpack_from(self.order + layout, table, at)
        size = (_SIZES | _BIG_SIZES if self.is_big else _SIZES).get(kind, 0) * count
        inside = 8 if self.is_big else 4
        if size <= inside:
            place = base + at + (12 if self.is_big else 8)
        tags.setdefault(tag, Value(kind, count, Range(place, size)))

    def _fetch(self, at: int, length: int) -> bytes:
        self.read += length
        if self.read > self.limits.image_index_bytes:
            raise TooComplex("directories too long to be read")
        return read_exactly(self.source, at, length)

    def numbers(self, directory: Directory, tag: int) -> tuple[int, ...]:
        """Return a tag's whole numbers; empty where the tag is missing."""
        value = directory.tags.get(tag)
        if value is None:
            return ()
        if value.kind not in _WHOLE:
            raise Malformed("a tag of a type that it cannot have")
        data = self._fetch(value.place.start, value.place.length)
        return struct.unpack(f"{self.order}{value.count}{_WHOLE[value.kind]}", data)

    def ratios(self, directory: Directory, tag: int) -> tuple[tuple[int, int], ...]:
        """Return a tag's fractions; empty where the tag is missing or of another type."""
        value = directory.tags.get(tag)
        if value is None or value.kind != _RATIONAL:
            return ()
        data = self._fetch(value.place.start, value.place.length)
        flat = struct.unpack(f"{self.order}{2 * value.count}I", data)
        return tuple(zip(flat[::2], flat[1::2], strict=True))

    def octets(self, directory: Directory, tag: int) -> bytes:
        """Return a tag's bytes; empty where the tag is missing."""
        value = directory.tags.get(tag)
        return b"" if value is None else self._fetch(value.place.start, value.place.length)
