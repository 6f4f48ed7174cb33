"""How much of a coded picture may lie beyond what is shown of it.

Rule: no more than rounding up explains. A coder codes whole blocks, and what it adds to the right
and below is cut off again: in H.265 less than a coding tree block (H.265, 7.4.3.2), in JPEG less
than sixteen pixels (T.81, A.2.4), in AV1 less than eight. Beyond a grid it is less than a tile. Any
more, or anything to the left or above, is a part of a picture that somebody believes to be gone.
"""

from collections.abc import Sequence

from sanitizer.errors import Unsupported

BLOCKS = {b"hvc1": 64, b"jpeg": 16, b"av01": 8}
"""The longest side of a block, in pixels, by the kind of item."""
SMALLEST = 64
"""Some coders of H.265 code no picture whose sides are shorter."""
_TILE = 512


def require(coded: Sequence[int], shown: Sequence[int], block: int) -> None:
    """Raise Unsupported where one of the ``coded`` sides is too long for the one that shows."""
    for whole, side in zip(coded, shown, strict=True):
        if not 0 <= whole - side < block:
            raise Unsupported("a crop, behind which a part of the picture is still there")


def require_coded(coded: Sequence[int], shown: Sequence[int], block: int) -> None:
    """Raise Unsupported likewise, for sides as the coder of H.265 itself tells them."""
    for whole, side in zip(coded, shown, strict=True):
        require([whole], [side], max(block, SMALLEST) if whole <= SMALLEST else block)


def require_grid(
    counts: Sequence[int], tile: Sequence[int], shown: Sequence[int], kind: bytes
) -> None:
    """Raise Unsupported likewise, for so many tiles across and down, each coded as ``kind``."""
    is_one = set(counts) == {1}
    for count, side, seen in zip(counts, tile, shown, strict=True):
        block = BLOCKS[kind] if is_one or side > _TILE else max(BLOCKS[kind], side)
        require([count * side], [seen], block)
