"""The resources of one content stream, by their old names and by ours (ISO 32000-1, 7.8.3).

Rule: a resource is copied when content first names it, and not before; what nobody names does
not exist. Names are a letter and a number: an old name could be a message.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sanitizer.errors import TooComplex
from sanitizer.pdf import colour, reading
from sanitizer.pdf.model import Name, Ref, Text, Value

if TYPE_CHECKING:
    from sanitizer.pdf.copier import Copier
    from sanitizer.pdf.shown import Shown
    from sanitizer.pdf.tokens import Tokens

_LETTERS = {
    b"Font": b"F",
    b"XObject": b"X",
    b"ExtGState": b"G",
    b"ColorSpace": b"C",
    b"Pattern": b"P",
    b"Shading": b"S",
}
_DEFAULTS = ("DefaultGray", "DefaultRGB", "DefaultCMYK")
_MOST_INLINE = 20_000


class Scope:
    """The resources of one content stream, by their old names and by ours."""

    def __init__(self, copier: Copier, untrusted: reading.Source | None) -> None:
        self._copier = copier
        self._source = untrusted
        self._names: dict[tuple[bytes, bytes], Name | None] = {}
        self._made: dict[bytes, dict[bytes, Ref]] = {}
        self._lists: dict[bytes, dict[bytes, object]] = {}
        self._fonts: dict[tuple[bytes, bytes], Shown | None] = {}
        self._inline = 0
        self._pictures: dict[int, Name | None] = {}
        self.called: Counter[int] = Counter()

    def _old(self, kind: bytes, name: bytes) -> object:
        if kind not in self._lists:
            found = (
                reading.value_of(self._source, kind.decode()) if self._source is not None else None
            )
            self._lists[kind] = dict(reading.entries(found))
        return self._lists[kind].get(name)

    def named(self, kind: bytes, name: Name) -> Name | None:
        """Return our name of a resource; copies it when it is first asked for."""
        if kind == b"ColorSpace" and name in colour.DEVICES:
            return name
        key = (kind, name)
        if key not in self._names:
            self._names[key] = self._put(kind, self._copy(kind, name))
        found = self._names[key]
        if found is not None:
            self._call(self._made[kind][found])
        return found

    def _call(self, ref: Ref) -> None:
        self.called[ref.number] += 1

    def _put(self, kind: bytes, value: Value) -> Name | None:
        if not isinstance(value, Ref):
            return None
        made = self._made.setdefault(kind, {})
        new = Name(_LETTERS[kind] + b"%d" % len(made))
        made[new] = value
        return new

    def _copy(self, kind: bytes, name: Name) -> Value:
        old, copier, source = self._old(kind, name), self._copier, self._source
        if kind == b"Font":
            return copier.font(old, source)
        if kind == b"XObject":
            return copier.external(old, source)
        if kind == b"ExtGState":
            return copier.state(old, source)
        if kind == b"Pattern":
            return copier.pattern(old, source)
        if kind == b"Shading":
            return copier.shading(old)
        return self._space(old, source)

    def _space(self, old: object, source: reading.Source | None) -> Value:
        """Copy a colour space, once if it is an object of its own."""
        copier = self._copier
        held = old if isinstance(old, reading.Source) else None
        key = ("space", reading.identity(held) if held is not None else None)
        if key not in copier.document.copies:
            space = copier.space(old, source)
            if space is None:
                return None
            made = copier.document.add(space.value)
            if key[1] is None:
                return made
            copier.document.copies[key] = made
        return copier.document.copies[key]

    def letters(self, kind: bytes, name: Name) -> bool | None:
        """Tell whether a font or a state sets letters that are drawings; None: no letters."""
        source = reading.dictionary(self._old(kind, name))
        if source is not None and kind == b"ExtGState":
            font = reading.items(reading.value_of(source, "Font"))
            is_set = len(font) == 2 and reading.is_number(font[1])  # noqa: PLR2004 - and a size
            source = reading.dictionary(font[0]) if is_set else None
        return None if source is None else self._copier.fonts.is_drawn(source)

    def shows(self, kind: bytes, name: Name, operands: list[Value]) -> None:
        """Take down what is shown of the letters that a font, or a state, has set."""
        key = (kind, name)
        if key not in self._fonts:
            self._fonts[key] = self._shown(kind, name)
        font = self._fonts[key]
        texts = operands[-1] if isinstance(operands[-1], list) else operands[-1:]
        for text in texts:
            if font is not None and isinstance(text, Text):
                font.note(text)

    def _shown(self, kind: bytes, name: Name) -> Shown | None:
        copier, ref = self._copier, self._made[kind][self._names[kind, name] or Name()]
        source = reading.dictionary(self._old(kind, name))
        font: Value = ref
        if kind == b"ExtGState" and source is not None:
            font = copier.state_font(source, ref, self._source)
        return copier.shown[font.number] if isinstance(font, Ref) else None

    def hides(self, properties: Value) -> bool:
        """Tell whether a layer is hidden, by its name among the properties."""
        if not isinstance(properties, Name):
            return False
        return self._copier.layers.hides(self._old(b"Properties", properties))

    def inline(self, tokens: Tokens, *, hidden: bool) -> Name | None:
        """Make a picture of its own out of an inline image."""
        self._inline += 1
        if self._inline > _MOST_INLINE:
            raise TooComplex("too many inline images")
        spaces = reading.value_of(self._source, "ColorSpace") if self._source is not None else None
        made = self._copier.pictures.inline(tokens, dict(reading.entries(spaces)))
        if hidden or made is None:
            return None
        if made.number not in self._pictures:
            self._pictures[made.number] = self._put(b"XObject", made)
        self._call(made)
        return self._pictures[made.number]

    def drawn(self, form: Ref) -> Name:
        """Return the name of a form that was not the content's own wish."""
        self._call(form)
        return self._put(b"XObject", form) or Name(b"")

    def written(self) -> Value:
        """Return the new dictionary of resources."""
        made: dict[bytes, Value] = {kind: dict(each) for kind, each in sorted(self._made.items())}
        for key in _DEFAULTS:
            old = self._old(b"ColorSpace", key.encode())
            space = self._space(old, None) if old is not None else None
            held = made.setdefault(b"ColorSpace", {}) if space is not None else None
            if isinstance(held, dict):
                held[key.encode()] = space
        return made
