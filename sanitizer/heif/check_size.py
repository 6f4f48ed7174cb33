"""Re-read how large the pictures of a cleaned HEIC or AVIF are coded, and how large they show.

Rule: shares no code with the writer. A crop begins at the first pixel; beyond it, and beyond what
the stream of H.265 itself lets show, lies less than a block, and beyond a grid less than a tile.
"""

import struct

from sanitizer.errors import MetadataSurvived

_MOST = {b"hvc1": 64, b"jpeg": 16, b"av01": 8, b"iovl": 1}
_SMALL = 64
_TILE = 512
_LONGEST = 4096
_Told = list[tuple[bytes, bytes]]


def shown(told: _Told, size: tuple[int, int]) -> tuple[int, int]:
    """Return the size that shows of an item of this size; raises MetadataSurvived."""
    crop = dict(told).get(b"clap")
    if crop is None:
        return size
    width, one, height, another, right, below, down, under = struct.unpack(">4IiIiI", crop)
    _require(one == another == 1 and 0 < width <= size[0] and 0 < height <= size[1])
    # From the middle of the picture to that of the crop: half of what goes, back to the corner.
    _require(2 * right == (width - size[0]) * below and 2 * down == (height - size[1]) * under)
    return width, height


def check(kind: bytes, told: _Told, size: tuple[int, int]) -> None:
    """Judge a coded picture or an overlay of this size; raises MetadataSurvived."""
    seen = shown(told, size)
    _fits(size, seen, _MOST[kind])
    setup = dict(told).get(b"hvcC")
    if setup is not None:
        coded, cut, block = _sequence(setup)
        for whole, *sides in zip(coded, cut, seen, strict=True):
            _fits((whole,), (min(sides),), _SMALL if whole <= _SMALL else block)


def check_grid(
    counts: tuple[int, int], tile: tuple[int, int], seen: tuple[int, int], kind: bytes
) -> None:
    """Judge a grid of so many tiles across and down; raises MetadataSurvived."""
    for count, side, length in zip(counts, tile, seen, strict=True):
        is_tiled = counts != (1, 1) and side <= _TILE
        _fits((count * side,), (length,), max(side, _MOST[kind]) if is_tiled else _MOST[kind])


def _require(condition: object) -> None:
    if not condition:
        raise MetadataSurvived("a part of a picture of the result that does not show")


def _fits(whole: tuple[int, ...], seen: tuple[int, ...], block: int) -> None:
    _require(all(0 <= one - other < block for one, other in zip(whole, seen, strict=True)))


class _Reader:
    """Bits of a unit, as a text of zeros and ones (H.265, 7.3.1.1 and 9.2)."""

    def __init__(self, unit: bytes) -> None:
        raw = unit[:_LONGEST].replace(b"\0\0\3", b"\0\0")
        self.bits = "".join(f"{byte:08b}" for byte in raw)
        self.at = 0

    def fixed(self, length: int) -> int:
        self.at += length
        _require(self.at <= len(self.bits))
        return int(self.bits[self.at - length : self.at] or "0", 2)

    def counted(self) -> int:
        one = self.bits.find("1", self.at, self.at + 32)
        _require(one >= 0)
        zeros, self.at = one - self.at, one
        return self.fixed(zeros + 1) - 1


def _sequence(setup: bytes) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Return a sequence's coded size, what it lets show of it, and its longest block (7.3.2.2)."""
    video = int.from_bytes(setup[26:28], "big")
    at = 28 + video + 3
    bits = _Reader(setup[at + 2 : at + 2 + int.from_bytes(setup[at : at + 2], "big")])
    bits.fixed(16 + 4)
    layers = bits.fixed(3)
    bits.fixed(1 + 96)
    below = [(bits.fixed(1), bits.fixed(1)) for _ in range(layers)]
    bits.fixed(2 * (8 - layers) if layers else 0)
    for profile, level in below:
        bits.fixed(88 * profile + 8 * level)
    bits.counted()
    chroma = bits.counted()
    bits.fixed(chroma == 3)  # noqa: PLR2004 - 4:4:4
    width, height = bits.counted(), bits.counted()
    left, right, top, bottom = [bits.counted() for _ in range(4)] if bits.fixed(1) else [0] * 4
    _require(not left and not top)
    across, down = 1 + (chroma in {1, 2}), 1 + (chroma == 1)
    bits.counted(), bits.counted(), bits.counted()
    for _ in range(layers + 1 if bits.fixed(1) else 1):
        bits.counted(), bits.counted(), bits.counted()
    smallest, more = bits.counted() + 3, bits.counted()
    _require(smallest + more <= 6)  # noqa: PLR2004 - blocks of 64
    return (width, height), (width - across * right, height - down * bottom), 1 << smallest + more
