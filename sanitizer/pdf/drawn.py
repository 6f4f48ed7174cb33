"""Fonts whose letters are drawings (Type 3; ISO 32000-1, 9.6.5).

Rule: a letter is copied when its code is shown, and not because it is there. Letters are called
by number in the order of their codes: their old names could be a message, and an order by them
would change when the result is cleaned again. A code that the font says nothing of asks for the
letter that it stands for in the standard's encodings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanitizer.errors import Unsupported
from sanitizer.pdf import reading
from sanitizer.pdf.cff_strings import STANDARD
from sanitizer.pdf.fonts import listed, simple_widths
from sanitizer.pdf.glyphs import is_standard, our_name
from sanitizer.pdf.model import Name, Ref, Value, number

if TYPE_CHECKING:
    import pikepdf

    from sanitizer.pdf.copier import Copier
    from sanitizer.pdf.scope import Scope

# What codes ask for of which a font says nothing: readers know it by heart.
_FIRST_USUAL, _LAST_USUAL = 32, 126
_STANDARD = dict(enumerate(STANDARD[1 : _LAST_USUAL - _FIRST_USUAL + 2], _FIRST_USUAL))
_COMMON = {**_STANDARD, ord("'"): b"quotesingle", ord("`"): b"grave"}
_NO_WIDTHS: dict[bytes, Value] = {
    b"FirstChar": number(0),
    b"LastChar": number(0),
    b"Widths": [number(0)],
}


@dataclass(slots=True)
class DrawnFont:
    """One font on its way: its letters are drawn anew once something shows them."""

    copier: Copier
    source: reading.Source
    ref: Ref
    scope: Scope
    _asked: dict[int, bytes] = field(init=False)
    _procedures: dict[bytes, pikepdf.Stream] = field(init=False)
    _drawn: dict[bytes, bytes] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Read which code asks for which letter, and which letters there are."""
        named = reading.value_of(self.source, "Encoding")
        encoding = reading.dictionary(named)
        told = reading.value_of(encoding, "Differences") if encoding is not None else None
        base = reading.value_of(encoding, "BaseEncoding") if encoding is not None else named
        usual = _STANDARD if reading.name(base) in {None, b"StandardEncoding"} else _COMMON
        self._asked = {**usual, **listed(reading.items(told))}
        letters = reading.entries(reading.value_of(self.source, "CharProcs"))
        self._procedures = {
            name: procedure
            for name, untrusted in letters
            if (procedure := reading.stream(untrusted)) is not None
        }

    def _letters(self) -> dict[int, bytes]:
        """Return the codes that are shown and have a letter, in order, and its old name."""
        shown = self.copier.shown[self.ref.number].bytes_
        spare = self._procedures.keys() - self._asked.values()
        unknown = any(code > _LAST_USUAL for code in shown - self._asked.keys())
        if unknown and any(map(is_standard, spare)):
            raise Unsupported("letters that are drawings, asked for by an uncommon encoding")
        found = ((code, self._asked.get(code, b"")) for code in sorted(shown))
        return {code: name for code, name in found if name in self._procedures}

    def draw(self) -> bool:
        """Copy the letters that are shown since this was last asked; tell whether there were any.

        A letter may show letters of its own.
        """
        new = [name for name in dict.fromkeys(self._letters().values()) if name not in self._drawn]
        for name in new:
            data = self.copier.decoder.plain(self._procedures[name])
            made = self.copier.content(data, self.scope, self.ref, is_glyph=True)
            self._drawn[name] = made
        return bool(new)

    def write(self) -> None:
        """Fill the font's place, once everything that shows anything has been copied."""
        copier, shown = self.copier, self.copier.shown[self.ref.number]
        letters = self._letters()
        order = {name: our_name(n) for n, name in enumerate(dict.fromkeys(letters.values()))}
        made: dict[bytes, Value] = {
            b"Type": Name(b"Font"),
            b"Subtype": Name(b"Type3"),
            b"FontBBox": reading.numbers(reading.value_of(self.source, "FontBBox"), 4, 4)
            or [number(0)] * 4,
            b"FontMatrix": reading.required(
                reading.numbers(reading.value_of(self.source, "FontMatrix"), 6, 6)
            ),
            **simple_widths(self.source, shown.bytes_, _NO_WIDTHS),
            b"Encoding": copier.fonts.differences(
                {b"Type": Name(b"Encoding")},
                {code: Name(order[name]) for code, name in letters.items()},
            ),
            b"CharProcs": {
                new: copier.document.add_packed({}, self._drawn[old]) for old, new in order.items()
            },
            b"Resources": self.scope.written(),
        }
        copier.fonts.put_text(self.source, made, shown)
        copier.document.fill(self.ref, made)
