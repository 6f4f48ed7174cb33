"""A still picture in JPEG, as an item.

Rule (ISO/IEC 23008-12, annex H): what stands once for several items, in jpgC, is put in front of
each; the whole is cleaned as any JPEG is (sanitizer.jpeg), must be as large as its item says, and
is whole in the result.
"""

from collections.abc import Sequence

from sanitizer.errors import Malformed, TooComplex, TooManyPixels
from sanitizer.heif.model import Item
from sanitizer.heif.select import size_of
from sanitizer.jpeg.write import plan
from sanitizer.limits import Limits
from sanitizer.numbers import unpack
from sanitizer.pieces import Piece, Plan, Range
from sanitizer.source import BytesSource, UntrustedSource

_MOST = 256
_MOST_SHARED = 4 << 20
_FRAMES = {0xFFC0, 0xFFC1, 0xFFC2}


def bound(items: Sequence[Item], limits: Limits) -> None:
    """Raise TooManyPixels or TooComplex where those of the items that are JPEG make much work."""
    found = [item for item in items if item.kind == b"jpeg"]
    # What is coded by Huffman is stepped over, block by block.
    if sum(width * height for width, height in map(size_of, found)) > limits.image_pixels:
        raise TooManyPixels("more pixels than the limit")
    # Codes are worked out anew for each picture, and a shared beginning is read again.
    shared = sum(
        len(each.property.content)
        for item in found
        for each in item.properties
        if each.property.kind == b"jpgC"
    )
    if len(found) > _MOST or shared > _MOST_SHARED:
        raise TooComplex("too many pictures in one")


def cleaned(
    item: Item, shared: bytes, source: UntrustedSource, limits: Limits, kinds: set[str]
) -> list[Piece]:
    """Return the pieces of the item's picture, ``shared`` in front; raises a leaf of Refused."""
    clean, found = plan(BytesSource(shared + item.data(source)), limits)
    kinds |= found
    if _size(clean) != size_of(item):
        raise Malformed("a picture of another size than its item says")
    made: list[Piece] = []
    for piece in clean.pieces:
        if isinstance(piece, Range) and piece.start >= len(shared):
            made += item.ranges(piece.start - len(shared), piece.length)
        elif isinstance(piece, Range):
            made.append(clean.source.read_at(piece.start, piece.length))
        else:
            made.append(piece)
    return made


def _size(clean: Plan) -> tuple[int, int]:
    """Return the width and height of a clean JPEG, which has its frame before its first scan."""
    at = 2
    while True:
        marker, length = unpack("HH", clean.read_at(at, 4))
        if marker in _FRAMES:
            height, width = unpack("HH", clean.read_at(at + 5, 4))
            return width, height
        at += 2 + length
