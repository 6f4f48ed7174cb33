"""Boxes over pixels: filled, not laid over; and the proof that nothing else changed.

Rule: code of ours over plain bytes.  What was in a box is in no byte of the result.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sanitizer.sight.order import CHANNELS, Sight

FILL = bytes(CHANNELS)
"""Black."""
MARGIN = 2
"""Pixels by which a box is made larger on every side: a decoder may have mixed neighbours in."""


_KEPT = bytes([255, 0]) + bytes(254)
"""From "is it covered" to what stays of a byte."""


class Box(NamedTuple):
    """A rectangle of a picture, in its pixels, from the left and from the top."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Box":
        """This box made larger by the margin, as far as the picture goes; it may be empty."""
        left, top = max(0, self.x - MARGIN), max(0, self.y - MARGIN)
        right = min(width, self.x + self.width + MARGIN)
        bottom = min(height, self.y + self.height + MARGIN)
        return Box(left, top, max(0, right - left), max(0, bottom - top))


def filled(sight: Sight, boxes: Sequence[Box]) -> Sight:
    """Return the picture with all boxes black."""
    pixels = bytearray(sight.pixels)
    for box in boxes:
        inner = box.within(sight.width, sight.height)
        for row in range(inner.y, inner.y + inner.height):
            start = (row * sight.width + inner.x) * CHANNELS
            pixels[start : start + inner.width * CHANNELS] = FILL * inner.width
    return Sight(
        sight.width, sight.height, bytes(pixels), sight.of_width, sight.of_height, sight.parts
    )


def is_only_filled(before: Sight, after: Sight, boxes: Sequence[Box]) -> bool:
    """Whether ``after`` is black in all boxes and the same as ``before`` everywhere else.

    Asked of what was decoded again: it walks the rows by themselves, and not as `filled` does.
    """
    if (before.width, before.height) != (after.width, after.height):
        return False
    inner = [box.within(before.width, before.height) for box in boxes]
    for y in range(before.height):
        covered = bytearray(before.width)
        for box in inner:
            if box.y <= y < box.y + box.height:
                covered[box.x : box.x + box.width] = b"\1" * box.width
        kept = bytes(covered.translate(_KEPT))
        for channel in range(CHANNELS):
            begin = y * before.width * CHANNELS
            at = slice(begin + channel, begin + before.width * CHANNELS, CHANNELS)
            if after.pixels[at] != _and(before.pixels[at], kept):
                return False
    return True


def _and(values: bytes, mask: bytes) -> bytes:
    return (int.from_bytes(values) & int.from_bytes(mask)).to_bytes(len(values))
