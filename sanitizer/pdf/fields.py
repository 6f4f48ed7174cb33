"""Form fields without an appearance, drawn as viewers draw them (ISO 32000-1, 12.7.3.3, 12.7.4).

Rule: as for notes: the box that may cover something and the value that somebody gave are drawn,
or the file is refused. A value is set in one of the fonts that every reader has; letters that
those do not have are a reason to refuse. A password is not drawn: nobody sees it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import pikepdf

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.pdf import reading
from sanitizer.pdf.lettering import (
    ADVICE,
    LARGEST,
    LEADING,
    SPACE,
    Hand,
    coded,
    combed,
    line,
    paragraphs,
    placed,
)
from sanitizer.pdf.markings import colour_of, pen, spelled
from sanitizer.pdf.model import Number
from sanitizer.pdf.tokens import Tokens

_DEEPEST = 32
_MULTILINE, _PASSWORD, _RADIO, _PUSH = 1 << 12, 1 << 13, 1 << 15, 1 << 16
_COMBO, _COMB = 1 << 17, 1 << 24
_LONGEST = 20_000
_MOST_OPTIONS = 10_000
_TURNS: dict[int, list[int]] = {90: [0, 1, -1, 0], 180: [-1, 0, 0, -1], 270: [0, -1, 1, 0]}
_MARKS = b"4luHn8"


@dataclass(slots=True)
class Fields:
    """Draws the fields of one document."""

    pdf: pikepdf.Pdf
    form: reading.Source | None
    left: int
    """How many letters may still be laid out."""
    _fonts: dict[str, pikepdf.Object] = field(default_factory=dict, init=False)

    def drawn(self, source: reading.Source) -> pikepdf.Stream | None:
        """Return what a field shows, or None for nothing.

        Raises Unsupported for what would show something, but cannot be drawn here; TooComplex.
        """
        rectangle = reading.floats(reading.value_of(source, "Rect"), 4)
        if rectangle is None:
            return None
        wide, tall = abs(rectangle[2] - rectangle[0]), abs(rectangle[3] - rectangle[1])
        look = reading.dictionary(reading.value_of(source, "MK"))
        turn = reading.whole(reading.value_of(look, "R"), 0, 359) if look is not None else None
        if turn in {90, 270}:
            wide, tall = tall, wide
        lines = _box(source, look, wide, tall)
        font = ""
        hand = self._hand(source)
        if hand is not None:
            text = self._written(source, hand, wide, tall)
            font, text_lines = text if text is not None else ("", [])
            lines += text_lines
        if not lines:
            return None
        resources = pikepdf.Dictionary()
        if font:
            resources.Font = pikepdf.Dictionary(F=self._font(font))
        made = self.pdf.make_stream(
            b"\n".join(lines),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=pikepdf.Array([0, 0, round(wide, 4), round(tall, 4)]),
            Resources=resources,
        )
        if turn in _TURNS:
            made.Matrix = pikepdf.Array([*_TURNS[turn], 0, 0])
        return made

    def _font(self, name: str) -> pikepdf.Object:
        if name not in self._fonts:
            made = pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name("/" + name),
            )
            if name != "ZapfDingbats":
                made.Encoding = pikepdf.Name.WinAnsiEncoding
            self._fonts[name] = self.pdf.make_indirect(made)
        return self._fonts[name]

    def told(self, source: reading.Source, key: str) -> object:
        """Return what a field, or one that it belongs to, says of a key."""
        holder: reading.Source | None = source
        for _ in range(_DEEPEST):
            if holder is None:
                return None
            found = reading.value_of(holder, key)
            if found is not None:
                return found
            holder = reading.dictionary(reading.value_of(holder, "Parent"))
        raise TooComplex("a form's field within fields without end")

    def _hand(self, source: reading.Source) -> Hand | None:
        """Return how text is written; None where nobody could tell, and so nobody shows it."""
        told = self.told(source, "DA")
        if told is None and self.form is not None:
            told = reading.value_of(self.form, "DA")
        if not isinstance(told, pikepdf.String):
            return None
        self.spend(len(bytes(told)))
        font, size, colour = "", 0.0, b"0 g"
        for operator, operands in Tokens(reading.string(told)).operations():
            wanted = {b"g": 1, b"rg": 3, b"k": 4}.get(operator, 0)
            if operator == b"Tf" and len(operands) > 1:
                font = self._known_font(operands[-2])
                size = abs(float(operands[-1])) if _is_number(operands[-1]) else 0.0  # type: ignore[arg-type]
            elif wanted and len(operands) >= wanted and all(map(_is_number, operands[-wanted:])):
                colour = b" ".join([*operands[-wanted:], operator])  # type: ignore[list-item]
        return Hand(font, min(size, 1000.0), colour) if font else None

    def _known_font(self, name: object) -> str:
        """Return the one of the fonts which every reader has that is most like a form's font."""
        told = bytes(name) if isinstance(name, bytes) else b""
        font = reading.dictionary(self._known().get(told))
        base = reading.name(reading.value_of(font, "BaseFont")) if font is not None else None
        text = bytes(base or told).lower()
        is_bold = b"bold" in text or text in {b"hebo", b"cobo", b"tibo"}
        if b"cour" in text or text.startswith(b"co"):
            return "Courier-Bold" if is_bold else "Courier"
        if b"times" in text or text.startswith(b"ti"):
            return "Times-Bold" if is_bold else "Times-Roman"
        return "Helvetica-Bold" if is_bold else "Helvetica"

    def _known(self) -> dict[bytes, object]:
        """Return the fonts of the form, by their names."""
        resources = reading.value_of(self.form, "DR") if self.form is not None else None
        held = reading.dictionary(resources)
        return dict(reading.entries(reading.value_of(held, "Font"))) if held is not None else {}

    def spend(self, letters: int) -> None:
        """Count what is read or laid out; raises TooComplex."""
        self.left -= letters
        if self.left < 0:
            raise TooComplex("form fields with more text than the limit")

    # --- what stands in a field -------------------------------------------------------------------

    def _written(
        self, source: reading.Source, hand: Hand, wide: float, tall: float
    ) -> tuple[str, list[bytes]] | None:
        """Return a font and the lines that write a field's value with it."""
        kind = reading.name(self.told(source, "FT"))
        flags = reading.whole(self.told(source, "Ff"), 0, (1 << 32) - 1) or 0
        value = self.told(source, "V")
        if kind == b"Btn":
            mark = b"" if flags & _PUSH else self._mark(source, value, flags)
            size = 0.8 * min(wide, tall)
            place = (wide - 0.8 * size) / 2, (tall - 0.7 * size) / 2
            return ("ZapfDingbats", placed([(*place, mark)], hand, size)) if mark else None
        if kind == b"Ch" and not flags & _COMBO:
            return hand.font, self._list(source, value, hand, (wide, tall))
        text = ""
        if kind == b"Ch":
            text, flags = self._displayed(source, value), 0
        elif kind == b"Tx" and not flags & _PASSWORD:
            text = _text(value)
        if not text.strip() or min(wide, tall) < SPACE:
            return None
        self.spend(len(text))
        return hand.font, self._typed(source, text, flags, hand, (wide, tall))

    def _typed(
        self,
        source: reading.Source,
        text: str,
        flags: int,
        hand: Hand,
        box: tuple[float, float],
    ) -> list[bytes]:
        """Write what was typed: lines, letters in cells, or one line."""
        side = reading.whole(self.told(source, "Q"), 0, 2) or 0
        if flags & _MULTILINE:
            return paragraphs(text, side, hand, box, self.spend)
        text = text.replace("\n", " ")
        if flags & _COMB:
            cells = reading.whole(self.told(source, "MaxLen"), 1, _LONGEST) or 1
            return combed(text, max(cells, len(text)), hand, box)
        return line(text, side, hand, box)

    def _mark(self, source: reading.Source, value: object, flags: int) -> bytes:
        """Return the mark in a box that is ticked."""
        state = reading.name(reading.value_of(source, "AS")) or reading.name(value) or b"Off"
        if state == b"Off":
            return b""
        look = reading.dictionary(reading.value_of(source, "MK"))
        told = reading.string(reading.value_of(look, "CA")) if look is not None else b""
        usual = b"l" if flags & _RADIO else b"4"
        return told if len(told) == 1 and told in _MARKS else usual

    def _options(self, source: reading.Source) -> list[tuple[str, str]]:
        """Return what may be chosen: what is meant, and what is shown."""
        told = reading.items(self.told(source, "Opt"))
        if len(told) > _MOST_OPTIONS:
            raise TooComplex("a form's field with too many options")
        self.spend(len(told))
        pairs = [reading.items(each) or [each] for each in told]
        return [(_text(pair[0]), _text(pair[-1])) for pair in pairs]

    def _displayed(self, source: reading.Source, value: object) -> str:
        """Return what is shown of what was chosen."""
        chosen = _text((reading.items(value) or [value])[0])
        return dict(self._options(source)).get(chosen, chosen)

    def _list(
        self, source: reading.Source, value: object, hand: Hand, box: tuple[float, float]
    ) -> list[bytes]:
        """Write the options of a list from the top, those that are chosen on a darker ground."""
        chosen = {_text(each) for each in reading.items(value) or [value]}
        first = reading.whole(self.told(source, "TI"), 0, _MOST_OPTIONS) or 0
        size = hand.size or LARGEST
        wide, tall = box
        lines: list[bytes] = []
        items: list[tuple[float, float, bytes]] = []
        for number, (meant, shown) in enumerate(self._options(source)[first:]):
            low = tall - SPACE - (number + 1) * LEADING * size
            if low < -size:
                break
            if meant in chosen:
                sides = b" ".join(map(spelled, (0.0, low, wide, LEADING * size)))
                lines += [b".6 .75 .85 rg", sides + b" re", b"f"]
            items.append((SPACE, low + 0.25 * size, coded(shown)))
        return lines + placed(items, hand, size) if items else []


def _is_number(value: object) -> bool:
    return isinstance(value, Number)


def _box(
    source: reading.Source, look: reading.Source | None, wide: float, tall: float
) -> list[bytes]:
    """Return the ground and the border of a field."""
    if look is None:
        return []
    ground = colour_of(look, "BG", b"g rg k")
    border = colour_of(look, "BC", b"G RG K")
    lines: list[bytes] = []
    if ground:
        lines += [ground, b" ".join(map(spelled, (0.0, 0.0, wide, tall))) + b" re", b"f"]
    width = min(pen(source), wide / 2, tall / 2)
    if border and width:
        sides = (width / 2, width / 2, wide - width, tall - width)
        lines += [border, spelled(width) + b" w", b" ".join(map(spelled, sides)) + b" re", b"S"]
    return lines


def _text(value: object) -> str:
    """Return a text in signs that are seen, and ends of lines."""
    if isinstance(value, pikepdf.Stream):
        raise Unsupported(ADVICE)
    if not isinstance(value, pikepdf.String):
        return ""
    if len(bytes(value)) > 4 * _LONGEST:
        raise TooComplex("a form's field with too long a text")
    text = unicodedata.normalize("NFC", str(value))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(each for each in text if each == "\n" or each.isprintable())
