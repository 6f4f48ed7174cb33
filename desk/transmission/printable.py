"""Which characters the letters that we ship can print.

Rule: what cannot be printed is said (`[U+1F600]`) and never left out: somebody may go by the paper.
"""

from __future__ import annotations

import functools
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("letters")
_SEGMENTS = 4
"""The one format of a character map that is read here: ranges of the basic plane."""


def printable(text: str) -> str:
    """The text with everything that we have no letter for spelled as its number."""
    known = _known()
    return "".join(one if one in known or one == "\n" else f"[U+{ord(one):04X}]" for one in text)


@functools.cache
def _known() -> frozenset[str]:
    """Every character of the regular faces, whatever else is bold."""
    return frozenset(
        chr(code)
        for path in FOLDER.glob("*-Regular.ttf")
        for start, stop in _ranges(path.read_bytes())
        for code in range(max(start, 0x20), stop + 1)
    )


def _ranges(font: bytes) -> Iterator[tuple[int, int]]:
    """The first and last character of each range of a font's map (OpenType, `cmap`)."""
    (tables,) = struct.unpack_from(">4xH", font)
    entries = (struct.unpack_from(">4s4xII", font, 12 + 16 * at) for at in range(tables))
    cmap = next(offset for tag, offset, _ in entries if tag == b"cmap")
    (maps,) = struct.unpack_from(">2xH", font, cmap)
    for at in range(maps):
        (offset,) = struct.unpack_from(">4xI", font, cmap + 4 + 8 * at)
        table = cmap + offset
        kind, doubled = struct.unpack_from(">H4xH", font, table)
        if kind == _SEGMENTS:
            count = doubled // 2
            stops = struct.unpack_from(f">{count}H", font, table + 14)
            starts = struct.unpack_from(f">{count}H", font, table + 16 + doubled)
            yield from zip(starts[:-1], stops[:-1], strict=True)
