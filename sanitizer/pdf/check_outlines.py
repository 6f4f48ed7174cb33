"""Judge that a numbered font of a finished PDF draws what is shown, and has nothing else.

Rule: shares no code with the writer. Where codes are the numbers of letters, a letter that no
content shows has no width, no glyph and no outline, unless another letter is made of it; and a
program that is asked in this way alone has no characters and no names.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from sanitizer.errors import MetadataSurvived
from sanitizer.pdf.check_fonts import index, operators

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanitizer.pdf.check_shown import Seen
    from sanitizer.pdf.check_values import Held

_ENDCHAR = b"\x0e"
_CHARSET, _CHARSTRINGS, _ROS = 15, 17, 1230


def _require(fits: bool) -> None:  # noqa: FBT001 - the one thing that it asks
    if not fits:
        raise MetadataSurvived("a font of the result has letters that are not shown")


@dataclass(slots=True)
class Asked:
    """How the fonts of a document ask a program for its letters, by the program's object."""

    glyphs: dict[int, set[int]] = field(default_factory=dict)
    numbers: dict[int, set[int]] = field(default_factory=dict)
    otherwise: set[tuple[int, str]] = field(default_factory=set)
    """Programs that are asked in another way than by glyphs, or than by numbers."""

    def font(
        self,
        font: dict[str, object],
        seen: Seen,
        resolved: Callable[[object], Held],
        inflated: Callable[[bytes | None], bytes],
    ) -> None:
        """Judge a font's widths, and note what it asks of its program."""
        inner = font.get("DescendantFonts")
        held = resolved(inner[0]).value if isinstance(inner, list) and inner else font
        cid = held if isinstance(held, dict) else {}
        descriptor = resolved(cid.get("FontDescriptor")).value
        told = descriptor if isinstance(descriptor, dict) else {}
        programs = [each.number for key, each in told.items() if key.startswith("FontFile")]
        kind = str(cid.get("Subtype"))
        if str(resolved(font.get("Encoding")).value) not in {"Identity-H", "Identity-V"} or (
            font.get("Subtype") != "Type0"
        ):
            self.otherwise |= {(each, way) for each in programs for way in ("glyphs", "numbers")}
            return
        kept = {int.from_bytes(pair, "big") for pair in seen.even if len(pair) > 1}
        for key, each in (("W", 1), ("W2", 3)):
            _widths(resolved(cid.get(key)).value, each, kept)
        mapped = resolved(cid.get("CIDToGIDMap"))
        glyphs = kept
        if mapped.data is not None:
            codes = struct.unpack(f">{len(inflated(mapped.data)) // 2}H", inflated(mapped.data))
            _require(all(code in kept or not glyph for code, glyph in enumerate(codes)))
            _require(not codes or len(codes) - 1 in kept)
            glyphs = {codes[each] for each in kept if each < len(codes)}
        for each in programs:
            if kind == "CIDFontType0":
                self.numbers.setdefault(each, set()).update(kept)
                self.otherwise.add((each, "glyphs"))
            else:
                self.glyphs.setdefault(each, set()).update(glyphs)
                self.otherwise.add((each, "numbers"))

    def judge(self, number: int, data: bytes) -> None:
        """Judge a program's letters by what all fonts ask of it."""
        try:
            if data.startswith(b"\0\1\0\0"):
                if (number, "glyphs") not in self.otherwise:
                    _outlines(_tables(data), self.glyphs.get(number, set()))
                return
            if data.startswith(b"OTTO"):
                data = _tables(data)[b"CFF "]
            if (number, "numbers") not in self.otherwise and data.startswith(b"\1"):
                _letters(data, self.numbers.get(number, set()))
        except (struct.error, LookupError):
            raise MetadataSurvived("a font of the result is broken") from None


def _widths(told: object, each: int, kept: set[int]) -> None:
    rest = iter(told if isinstance(told, list) else [])
    for first in rest:
        second = next(rest, None)
        _require(isinstance(first, int))
        if isinstance(second, list):
            _require(all(first + n in kept for n in range(-(-len(second) // each))))
        else:
            _require(first in kept and second in kept)
            for _ in range(each):
                next(rest, None)


def _tables(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">H", data, 4)
    found = {}
    for number in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * number)
        found[tag] = data[offset : offset + length]
    return found


def _outlines(tables: dict[bytes, bytes], glyphs: set[int]) -> None:
    _require(b"cmap" not in tables and b"VORG" not in tables)
    _require(tables.get(b"post", b"\0\3\0\0").startswith(b"\0\3\0\0"))
    loca = tables[b"loca"]
    places = struct.unpack(f">{len(loca) // 4}I", loca)
    whole = [tables[b"glyf"][start:end] for start, end in pairwise(places)]
    allowed, waiting = {0}, [0, *glyphs]
    while waiting:
        glyph = waiting.pop()
        allowed.add(glyph)
        if glyph < len(whole) and whole[glyph][:1] >= b"\x80":
            waiting += _composed(whole[glyph]) - allowed
    _require(all(number in allowed for number, outline in enumerate(whole) if outline))
    for head, metrics in ((b"hhea", b"hmtx"), (b"vhea", b"vmtx")):
        if metrics in tables:
            (wide,) = struct.unpack_from(">H", tables[head], 34)
            words = tables[metrics]
            for number in range(len(whole)):
                if number in allowed:
                    continue
                at, size = (4 * number, 4) if number < wide else (2 * (wide + number), 2)
                # The last width is that of all letters behind it.
                _require(not any(words[at + (2 if number == wide - 1 else 0) : at + size]))


def _composed(outline: bytes) -> set[int]:
    found, at, more = set[int](), 10, True
    while more:
        flags, part = struct.unpack_from(">HH", outline, at)
        found.add(part)
        at += 6 + 2 * (flags & 1)
        at += 2 * ((flags >> 3 & 1) + 2 * (flags >> 6 & 1) + 4 * (flags >> 7 & 1))
        more = bool(flags & 0x20)
    return found


def _letters(data: bytes, numbers: set[int]) -> None:
    """Judge the letters of a compact font that are asked for by number."""
    found = _parts(data)
    if found is None:
        return
    charset, charstrings = found
    for number, code in zip(charset, charstrings[1:], strict=True):
        _require(number in numbers or code == _ENDCHAR)


def _parts(data: bytes) -> tuple[list[int], list[bytes]] | None:
    """Return the letters' numbers and their outlines; None where they have names."""
    _, at = index(data, 4)
    tops, _ = index(data, at)
    found = operators(tops[0])
    if _ROS not in found:
        return None
    charstrings, _ = index(data, found[_CHARSTRINGS][-1])
    many = len(charstrings) - 1
    at = found[_CHARSET][-1]
    _require(data[at] == 0)
    return list(struct.unpack_from(f">{many}H", data, at + 1)), charstrings
