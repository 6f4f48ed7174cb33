"""Read the index of a HEIC or AVIF file (ISO/IEC 14496-12, 8.11; 23008-12, section 9).

Rule: one index, each of its tables once, every number within its table and every table within
the limits; nothing is recursive, and an item's data is only named here, never read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.heif.model import Association, Index, Item, Property
from sanitizer.limits import Limits
from sanitizer.numbers import unpack
from sanitizer.pieces import Range

_TABLES = frozenset({b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat"})
_WIDTHS = {0, 4, 8}
_NEW_ITEM = 2
_WIDE_ITEM = 3
_MAX_ITEMS = 0xFFFF
_OF_FILE, _OF_INDEX = 0, 1


@dataclass(slots=True)
class _Cursor:
    """A place in a table, moved by each number that is read."""

    untrusted: bytes
    at: int

    def number(self, width: int) -> int:
        """Return a number of ``width`` bytes; raises Malformed behind the end."""
        end = self.at + width
        if end > len(self.untrusted):
            raise Malformed("a table of the index is cut short")
        value = int.from_bytes(self.untrusted[self.at : end], "big")
        self.at = end
        return value


@dataclass(slots=True)
class _Reader:
    """One walk through one index that begins at ``base`` in the file."""

    untrusted: bytes
    base: int
    length: int
    limits: Limits
    kinds: set[str]
    parts: int = 0
    tables: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)

    def run(self) -> Index:
        """Read every table."""
        for kind, start, end in self.boxes(4, len(self.untrusted)):
            if kind not in _TABLES:
                self.kinds.add("c2pa" if kind == b"uuid" else "other_metadata")
            elif kind in self.tables:
                raise Malformed("a table of the index comes twice")
            else:
                self.tables[kind] = (start, end)
        handler = self._table(b"hdlr")
        if handler[8:12] != b"pict":
            raise Unsupported("an index of something other than pictures")
        # Twelve reserved bytes, and a name.
        if handler[12:].strip(b"\0"):
            self.kinds.add("other_metadata")
        self._read_items()
        self._read_places()
        self._read_references()
        self._read_properties()
        primary = self._table(b"pitm")
        (number,) = unpack("I" if primary[0] else "H", primary, 4)
        if number not in self.items:
            raise Malformed("a file without its picture")
        start, end = self.tables.get(b"idat", (0, 0))
        return Index(number, self.items, end - start)

    def boxes(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield (type, content's start, end) of the boxes in a part of the index."""
        while start < end:
            (size,) = unpack("I", self.untrusted, start)
            content, kind = start + 8, self.untrusted[start + 4 : start + 8]
            if size == 1:
                (size,) = unpack("Q", self.untrusted, content)
                content += 8
            elif size == 0:
                size = end - start
            if not content <= start + size <= end:
                raise Malformed("a box reaches beyond the one that holds it")
            self.count(1)
            yield kind, content, start + size
            start += size

    def count(self, number: int) -> None:
        """Count parts; raises TooComplex beyond the limit."""
        self.parts += number
        if self.parts > 8 * self.limits.image_parts:
            raise TooComplex("too many parts")

    def _table(self, kind: bytes) -> bytes:
        if kind not in self.tables:
            raise Malformed("a table that every picture has is missing")
        start, end = self.tables[kind]
        return self.untrusted[start:end]

    def _read_items(self) -> None:
        """Read iinf: what each item is (14496-12, 8.11.6)."""
        table = self._table(b"iinf")
        start, end = self.tables[b"iinf"]
        (count,) = unpack("I" if table[:1] > b"\0" else "H", table, 4)
        for kind, at, stop in self.boxes(start + (8 if table[0] else 6), end):
            if kind != b"infe":
                self.kinds.add("other_metadata")
                continue
            entry = self.untrusted[at:stop]
            version = entry[0] if entry else 0
            if version not in {_NEW_ITEM, _WIDE_ITEM}:
                self.kinds.add("other_metadata")
                continue
            wide = 4 if version == _WIDE_ITEM else 2
            number, protection = unpack("IH" if version == _WIDE_ITEM else "HH", entry, 4)
            what = entry[6 + wide : 10 + wide]
            name, _, rest = entry[10 + wide :].partition(b"\0")
            if number in self.items:
                raise Malformed("an item comes twice")
            self.items[number] = Item(
                kind=what,
                is_protected=protection != 0,
                has_name=bool(name),
                content_type=rest.partition(b"\0")[0],
            )
        if len(self.items) > min(count, self.limits.image_parts, _MAX_ITEMS):
            raise TooComplex("too many items")

    def _read_places(self) -> None:
        """Read iloc: where each item's data lies (14496-12, 8.11.3)."""
        cursor = _Cursor(self._table(b"iloc"), 0)
        version = cursor.number(4) >> 24
        sizes = cursor.number(2)
        offset_size, length_size = sizes >> 12, sizes >> 8 & 15
        base_size, index_size = sizes >> 4 & 15, sizes & 15
        if version > _NEW_ITEM or not {offset_size, length_size, base_size} <= _WIDTHS:
            raise Malformed("a table of places of an unknown kind")
        wide = 4 if version == _NEW_ITEM else 2
        for _ in range(cursor.number(wide)):
            self.count(1)
            number = cursor.number(wide)
            method = cursor.number(2) & 15 if version else _OF_FILE
            reference = cursor.number(2)
            base = cursor.number(base_size)
            extents: list[Range] = []
            for _ in range(cursor.number(2)):
                self.count(1)
                if version:
                    cursor.number(index_size)
                place = base + cursor.number(offset_size)
                extents.append(Range(place, cursor.number(length_size)))
            item = self.items.get(number)
            if item is None:
                self.kinds.add("other_metadata")
            elif item.extents or item.is_elsewhere:
                raise Malformed("an item lies in two places")
            else:
                self._place(item, extents, method if reference == 0 else -1)

    def _place(self, item: Item, extents: list[Range], method: int) -> None:
        """Give an item its places in the file, if all of them are in it."""
        start, stop = 0, self.length
        if method == _OF_INDEX:
            start, stop = (self.base + at for at in self.tables.get(b"idat", (0, 0)))
        elif method != _OF_FILE:
            item.is_elsewhere = True
            return
        for extent in extents:
            # A length of 0 would mean "all the file", which no writer of pictures means.
            if extent.length == 0 or start + extent.start + extent.length > stop:
                item.is_elsewhere = True
                return
            item.extents.append(Range(start + extent.start, extent.length))

    def _read_references(self) -> None:
        """Read iref: which item is made of, or belongs to, which (14496-12, 8.11.12)."""
        if b"iref" not in self.tables:
            return
        start, end = self.tables[b"iref"]
        (version,) = unpack("B", self.untrusted[start:end], 0)
        wide = 4 if version else 2
        for kind, at, stop in self.boxes(start + 4, end):
            cursor = _Cursor(self.untrusted[at:stop], 0)
            owner = cursor.number(wide)
            count = cursor.number(2)
            self.count(count)
            named = [cursor.number(wide) for _ in range(count)]
            item = self.items.get(owner)
            if item is None:
                self.kinds.add("other_metadata")
            elif kind in item.references:
                raise Malformed("an item is made twice")
            else:
                item.references[kind] = named

    def _read_properties(self) -> None:
        """Read iprp: what is said of each item (23008-12, 9.3)."""
        self._table(b"iprp")
        listed: list[Property] | None = None
        tables: list[tuple[int, int]] = []
        for kind, start, end in self.boxes(*self.tables[b"iprp"]):
            if kind == b"ipco" and listed is None:
                listed = [
                    Property(name, self.untrusted[at:stop])
                    for name, at, stop in self.boxes(start, end)
                ]
            elif kind == b"ipma":
                tables.append((start, end))
            elif kind == b"ipco":
                raise Malformed("a table of the index comes twice")
            else:
                self.kinds.add("other_metadata")
        # Place 0 stands for no property.
        seen, used = set[int](), {0}
        for start, end in tables:
            self._associate(self.untrusted[start:end], listed or [], seen, used)
        if len(used) <= len(listed or []):
            self.kinds.add("other_metadata")

    def _associate(
        self, table: bytes, listed: list[Property], seen: set[int], used: set[int]
    ) -> None:
        cursor = _Cursor(table, 0)
        head = cursor.number(4)
        wide = 2 if head & 1 else 1
        flag = 0x80 << 8 * (wide - 1)
        for _ in range(cursor.number(4)):
            self.count(1)
            number = cursor.number(4 if head >> 24 else 2)
            values = [cursor.number(wide) for _ in range(cursor.number(1))]
            self.count(len(values))
            if number in seen:
                raise Malformed("an item is described twice")
            seen.add(number)
            item = self.items.get(number)
            if item is None:
                self.kinds.add("other_metadata")
            for value in values:
                place = value & (flag - 1)
                if place > len(listed):
                    raise Malformed("a property that is not there")
                used.add(place)
                if item is not None and place:
                    item.properties.append(Association(listed[place - 1], bool(value & flag)))


def read(untrusted: bytes, base: int, length: int, limits: Limits, kinds: set[str]) -> Index:
    """Read the content of the box ``meta`` that lies at ``base`` in a file of ``length`` bytes.

    Adds to ``kinds`` what will go. Raises Malformed, TooComplex, Unsupported or Encrypted.
    """
    return _Reader(untrusted, base, length, limits, kinds).run()
