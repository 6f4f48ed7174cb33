"""A picture as 64 bits that stay nearly the same when it is made smaller or saved anew.

Rule: what is hashed are pixels that a jailed worker made (desk.sight.shown): no picture is decoded
here.  A difference hash: of a grid of 9 by 8 fields, whether each is brighter than the one to its
right.  It tells that two pictures are alike, never what is in them.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanitizer.sight.order import Sight

LOOKED_AT = 72
"""Longest side in pixels of what is asked for: 8 to each field."""
_ACROSS, _DOWN = 9, 8
_RED, _GREEN, _BLUE = 299, 587, 114


def picture_hash(sight: Sight) -> int:
    """Return 64 bits, the grid's first row highest; 0 for what is smaller than the grid."""
    if sight.width < _ACROSS or sight.height < _DOWN:
        return 0
    fields = [
        [_brightness(sight, column, row) for column in range(_ACROSS)] for row in range(_DOWN)
    ]
    bits = 0
    for row in fields:
        for left, right in itertools.pairwise(row):
            bits = bits << 1 | (left > right)
    return bits


def _brightness(sight: Sight, column: int, row: int) -> int:
    """The mean of one field, in thousandths."""
    left, right = (sight.width * at // _ACROSS for at in (column, column + 1))
    total = 0
    lines = range(sight.height * row // _DOWN, sight.height * (row + 1) // _DOWN)
    for line in lines:
        pixels = sight.pixels[3 * (line * sight.width + left) : 3 * (line * sight.width + right)]
        total += _RED * sum(pixels[::3]) + _GREEN * sum(pixels[1::3]) + _BLUE * sum(pixels[2::3])
    return total // ((right - left) * len(lines))
