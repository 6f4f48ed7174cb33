"""Which letters of a numbered font are shown, and what only the others have (ISO 32000-1, 9.7.4).

Rule: where a font's codes are its letters' numbers (Identity-H and -V), widths, glyph numbers and
outlines of letters that no content shows do not exist in the result. Where a map stands between
codes and numbers, which every reader reads in its own way, all of them stay.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanitizer.errors import TooComplex
from sanitizer.pdf import reading
from sanitizer.pdf.model import Number, Value, number

if TYPE_CHECKING:
    import pikepdf

    from sanitizer.pdf.shown import Shown

_MOST_WIDTHS = 100_000
_MOST_MAP_BYTES = 1 << 17
_MOST_CID = 65_535
PROGRAMS = ("FontFile", "FontFile2", "FontFile3")
"""Where a descriptor may hold an embedded program."""


def cids(source: reading.Source, shown: Shown) -> set[int] | None:
    """Return the numbers of the letters that a composite font shows; None: who knows."""
    codes = reading.name(reading.value_of(source, "Encoding"))
    return shown.pairs if codes in {b"Identity-H", b"Identity-V"} else None


def descendant(source: reading.Source) -> reading.Source | None:
    """Return the numbered font within a composite font."""
    inner = reading.items(reading.value_of(source, "DescendantFonts"))
    return reading.dictionary(inner[0]) if inner else None


def program_of(source: reading.Source) -> tuple[str, pikepdf.Stream] | None:
    """Return the program that is embedded for a font, and the key that it stands under."""
    descriptor = reading.dictionary(reading.value_of(source, "FontDescriptor"))
    for key in PROGRAMS if descriptor is not None else ():
        stream = reading.stream(reading.value_of(descriptor, key))  # type: ignore[arg-type]
        if stream is not None:
            return key, stream
    return None


@dataclass(slots=True)
class Wanted:
    """The letters of one program that all fonts show which use it.

    ``by_glyph``: by their places in a TrueType font; ``by_number``: by their numbers in a compact
    one.  None: all of them, or another way of asking.
    """

    by_glyph: set[int] | None = field(default_factory=set)
    by_number: set[int] | None = field(default_factory=set)

    def ask(self, glyphs: set[int] | None, numbers: set[int] | None) -> None:
        """Add what one font shows."""
        both = self.by_glyph is not None and glyphs is not None
        self.by_glyph = self.by_glyph | glyphs if both else None  # type: ignore[operator]
        both = self.by_number is not None and numbers is not None
        self.by_number = self.by_number | numbers if both else None  # type: ignore[operator]


ALL = Wanted(None, None)
"""Every letter."""


def glyph_map(data: bytes, kept: set[int] | None) -> bytes:
    """Return which glyph each number shows, for the numbers that are shown."""
    data = data[: min(len(data), _MOST_MAP_BYTES) // 2 * 2]
    if kept is None:
        return data
    order = sorted(each for each in kept if 2 * each < len(data))
    made = bytearray(2 * (order[-1] + 1) if order else 0)
    for each in order:
        made[2 * each : 2 * each + 2] = data[2 * each : 2 * each + 2]
    return bytes(made)


def mapped(data: bytes | None, kept: set[int]) -> set[int]:
    """Return the glyphs of some numbers."""
    if data is None:
        return kept
    return {int.from_bytes(data[2 * each : 2 * each + 2], "big") for each in kept}


def widths(untrusted: list[object], each: int, kept: set[int] | None) -> list[Value]:
    """Return widths of letters: a number and a list, or two numbers and a width (or three)."""
    made: list[Value] = []
    order = None if kept is None else sorted(kept)
    at, total = 0, 0
    while at + 1 < len(untrusted):
        first = reading.whole(untrusted[at], 0, _MOST_CID)
        inner = reading.items(untrusted[at + 1])
        if first is None:
            at += 1
            continue
        if inner:
            told: list[Value] = [reading.real(one) or number(0) for one in inner]
            made += _listed(first, told, each, kept)
            at, total = at + 2, total + len(inner)
        else:
            last, *run = (reading.real(one) for one in untrusted[at + 1 : at + 2 + each])
            if last is not None and len(run) == each and None not in run:
                made += _run(first, last, list(run), order)
            at += 2 + each
        if total > _MOST_WIDTHS:
            raise TooComplex("too many widths in a font")
    return made


def _listed(first: int, told: list[Value], each: int, kept: set[int] | None) -> list[Value]:
    """Return the widths of letters that follow each other, without those that are not shown."""
    if kept is None:
        return [number(first), told]
    made: list[Value] = []
    run: list[Value] = []
    for place in range(0, len(told), each):
        if first + place // each in kept:
            if not run:
                made += [number(first + place // each), run]
            run += told[place : place + each]
        else:
            run = []
    return made


def _run(first: int, last: Number, told: list[Value], order: list[int] | None) -> list[Value]:
    """Return one width of many letters, for those between the first and last that are shown."""
    if order is None:
        return [number(first), last, *told]
    begin, end = bisect_left(order, first), bisect_right(order, float(last))
    return [number(order[begin]), number(order[end - 1]), *told] if begin < end else []
