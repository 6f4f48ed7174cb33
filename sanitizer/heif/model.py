"""What a HEIC or AVIF file says it holds, before anything of it is believed."""

from dataclasses import dataclass, field

from sanitizer.errors import Malformed
from sanitizer.pieces import Range, read_exactly
from sanitizer.source import UntrustedSource


@dataclass(frozen=True, slots=True)
class Property:
    """One property of the list that items share: its type, and its content behind the header."""

    kind: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Association:
    """That an item has a property, and whether a reader must know it to show the item."""

    property: Property
    is_essential: bool


@dataclass(slots=True)
class Item:
    """One item as the file tells it. ``extents`` are places in the file, in their order."""

    kind: bytes
    is_protected: bool = False
    has_name: bool = False
    content_type: bytes = b""
    extents: list[Range] = field(default_factory=list)
    is_elsewhere: bool = False
    properties: list[Association] = field(default_factory=list)
    references: dict[bytes, list[int]] = field(default_factory=dict)

    def length(self) -> int:
        """Return the length of the item's data in bytes."""
        return sum(extent.length for extent in self.extents)

    def data(self, source: UntrustedSource) -> bytes:
        """Return the item's data; raises Malformed where it is not in this file."""
        if self.is_elsewhere:
            raise Malformed("a picture whose data is not where it should be")
        return b"".join(
            read_exactly(source, extent.start, extent.length) for extent in self.extents
        )

    def ranges(self, start: int, length: int) -> list[Range]:
        """Return where ``length`` bytes from ``start`` of the item's data lie in the file."""
        found: list[Range] = []
        for extent in self.extents:
            if length and start < extent.length:
                part = min(length, extent.length - start)
                found.append(Range(extent.start + start, part))
                start, length = 0, length - part
            else:
                start = max(0, start - extent.length)
        return found


@dataclass(slots=True)
class Index:
    """The index of the file: its items by number, and the one that is the picture.

    ``held`` counts the bytes of data that stand in the index itself.
    """

    primary: int
    items: dict[int, Item]
    held: int
