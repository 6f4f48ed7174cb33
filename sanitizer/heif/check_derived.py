"""Re-read how the pictures of a cleaned HEIC or AVIF are made of others: grids, and an overlay.

Rule: shares no code with the writer. Each derived item names its parts once; a grid has as many as
it has places and is cut within its last tiles; every picture on an overlay shows something of
itself and lies on its canvas whole; a colour that nobody sees is black.
"""

import struct
from collections.abc import Sequence

from sanitizer.errors import MetadataSurvived
from sanitizer.heif import check_size

DERIVED = {b"grid", b"iovl"}
"""Kinds of items that are made of others."""
Reference = tuple[bytes, int, tuple[int, ...]]
"""What sort it is, whose it is, and whom it names."""
Told = list[tuple[bytes, bytes]]
"""The properties of one item, in their order: type and content."""
_LAYERS = 64
_GRID = struct.Struct(">BBBBHH")

_Rect = tuple[int, int, int, int]


def check(
    kinds: list[bytes], made: dict[int, bytes], references: list[Reference], told: dict[int, Told]
) -> None:
    """Raise MetadataSurvived unless every derived item is of our narrow grammar.

    ``made`` holds the payloads of the derived items, ``told`` each item's properties, by number.
    """
    parts = {owner: named for kind, owner, named in references if kind == b"dimg"}
    rows = [owner for kind, owner, _ in references if kind == b"dimg"]
    _require(sorted(rows) == sorted(made), "a picture of the result is made oddly")
    clear = {master for kind, _, named in references if kind == b"auxl" for master in named}
    for number, payload in made.items():
        below = {kinds[part - 1] for part in parts[number]}
        if kinds[number - 1] == b"grid":
            _require(not below & DERIVED, "a grid of the result is made of more than tiles")
            _grid(payload, len(parts[number]), shape(told[number]))
            tiles = {shape(told[part]) for part in parts[number]}
            _require(len(below) == len(tiles) == 1, "the tiles of the result are not alike")
            seen = check_size.shown(told[number], shape(told[number]))
            counts = payload[3] + 1, payload[2] + 1
            check_size.check_grid(counts, tiles.pop(), seen, below.pop())
        else:
            _require(b"iovl" not in below and number == 1, "an overlay of the result is hidden")
            opaque = [not {part, *parts.get(part, ())} & clear for part in parts[number]]
            sizes = [shape(told[part], turned=True) for part in parts[number]]
            _overlay(payload, shape(told[number]), sizes, opaque)


def _require(condition: object, detail: str) -> None:
    if not condition:
        raise MetadataSurvived(detail)


def shape(told: Told, *, turned: bool = False) -> tuple[int, int]:
    """Return an item's width and height, as it is coded, or as it is shown on a canvas."""
    sizes = [struct.unpack(">4x2I", content) for kind, content in told if kind == b"ispe"]
    _require(len(sizes) == 1, "an item of the result has no size")
    ((width, height),) = sizes
    for kind, content in told if turned else ():
        if kind == b"clap":
            width, _, height, _ = struct.unpack_from(">4I", content)
        elif kind == b"irot" and content in {b"\1", b"\3"}:
            width, height = height, width
    return width, height


def _grid(payload: bytes, tiles: int, size: tuple[int, int]) -> None:
    _require(len(payload) == _GRID.size, "a grid of the result says more than it should")
    version, flags, rows, columns, width, height = _GRID.unpack(payload)
    _require(
        (version, flags, width, height) == (0, 0, *size) and (rows + 1) * (columns + 1) == tiles,
        "a grid of the result says more than it should",
    )


def _overlay(
    payload: bytes,
    size: tuple[int, int],
    sizes: Sequence[tuple[int, int]],
    opaque: Sequence[bool],
) -> None:
    is_long = payload[1:2] == b"\1"
    numbers = 2 * len(sizes)
    layout = struct.Struct(f">2B4H2I{numbers}i" if is_long else f">2B4H2H{numbers}h")
    _require(
        len(payload) == layout.size and 0 < len(sizes) <= _LAYERS,
        "an overlay of the result says more than it should",
    )
    version, flags, *rest = layout.unpack(payload)
    fill, places = rest[:4], rest[6:]
    fits = all(-(1 << 15) <= place < 1 << 15 for place in places)
    _require(
        version == 0 and flags == (not fits) and tuple(rest[4:6]) == size,
        "an overlay of the result says more than it should",
    )
    across, down = size
    rects = [
        (left, top, left + width, top + height)
        for left, top, (width, height) in zip(places[::2], places[1::2], sizes, strict=True)
    ]
    for left, top, right, bottom in rects:
        _require(
            left >= 0 <= top and right <= across and bottom <= down,
            "a picture of the result reaches out of its canvas",
        )
    board = Board(rects, across, down)
    for at in range(len(rects)):
        above = [other for other in range(at + 1, len(rects)) if opaque[other]]
        _require(board.shows(at, above), "a picture of the result that nobody sees")
    has_canvas = board.shows(None, [at for at in range(len(rects)) if opaque[at]])
    _require(
        all(value % 257 == 0 for value in fill) and (has_canvas or not any(fill)),
        "a colour of the result says more than it should",
    )


class Board:
    """The canvas, cut along every edge of a picture: a field is seen whole, or not at all."""

    def __init__(self, rects: Sequence[_Rect], across: int, down: int) -> None:
        self.columns = sorted({0, across, *_within(rects, (0, 2), across)})
        self.rows = sorted({0, down, *_within(rects, (1, 3), down)})
        self.rects = rects

    def shows(self, lowest: int | None, above: Sequence[int]) -> bool:
        """Tell whether a picture, or the canvas, shows anything under those ``above`` it."""
        fields = [bytearray(len(self.columns) - 1) for _ in self.rows[1:]]
        if lowest is None:
            fields = [bytearray(b"\1" * len(row)) for row in fields]
        else:
            self._paint(fields, lowest, b"\1")
        for other in above:
            self._paint(fields, other, b"\0")
        return any(map(any, fields))

    def _paint(self, fields: list[bytearray], which: int, colour: bytes) -> None:
        left, top, right, bottom = self.rects[which]
        begin = sum(column < left for column in self.columns[:-1])
        end = sum(column < right for column in self.columns[:-1])
        for row, field in zip(self.rows[:-1], fields, strict=True):
            if top <= row < bottom:
                field[begin:end] = colour * (end - begin)


def _within(rects: Sequence[_Rect], which: tuple[int, int], most: int) -> set[int]:
    return {min(max(rect[side], 0), most) for rect in rects for side in which}
