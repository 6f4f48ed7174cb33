"""What stands in a picture's place until somebody asks for it: some grey dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.sight.shown import Shown
from sanitizer.sight import png
from sanitizer.sight.order import CHANNELS

if TYPE_CHECKING:
    from sanitizer.sight.order import Sight

DOTS = 16
"""Along the longer side: enough to tell a page from a face, and not whose."""


def veil(sight: Sight) -> Shown:
    """Grey dots, each of one pixel in the middle of what it stands for."""
    longest = max(sight.width, sight.height)
    width = max(1, DOTS * sight.width // longest)
    height = max(1, DOTS * sight.height // longest)
    dots = bytearray()
    for y in range(height):
        row = (2 * y + 1) * sight.height // (2 * height)
        for x in range(width):
            column = (2 * x + 1) * sight.width // (2 * width)
            at = (row * sight.width + column) * CHANNELS
            grey = sum(sight.pixels[at : at + CHANNELS]) // CHANNELS
            dots += bytes([grey]) * CHANNELS
    content = png.written(width, height, bytes(dots))
    return Shown("image/png", content, width, height, sight.of_width, sight.of_height, sight.parts)
