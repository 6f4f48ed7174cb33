"""A content stream written anew: what paints and what it needs (ISO 32000-1, 8 and 9).

Rule: operators by allow-list, each with operands of its own kinds; resources get names of ours;
marked content, comments and unknown operators vanish. What cannot be seen goes: text in the
invisible mode, paths that are never painted, and whatever a hidden layer holds. State that later
painting needs (colours, matrices, clips) is kept also inside a hidden layer.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.pdf.model import Name, Number, Text, Value, written
from sanitizer.pdf.tokens import Tokens

# n a number, s a string, a an array of strings and numbers, d an array of numbers
OPERANDS = {
    **dict.fromkeys((b"q", b"Q", b"h", b"W", b"W*", b"BT", b"ET", b"T*"), ""),
    **dict.fromkeys((b"w", b"J", b"j", b"M", b"i", b"Tc", b"Tw", b"Tz", b"TL", b"Tr"), "n"),
    **dict.fromkeys((b"Ts", b"G", b"g"), "n"),
    **dict.fromkeys((b"m", b"l", b"Td", b"TD", b"d0"), "nn"),
    **dict.fromkeys((b"RG", b"rg"), "nnn"),
    **dict.fromkeys((b"v", b"y", b"re", b"K", b"k"), "nnnn"),
    **dict.fromkeys((b"cm", b"c", b"Tm", b"d1"), "nnnnnn"),
    **dict.fromkeys((b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"n"), ""),
    b"d": "dn",
    b"Tj": "s",
    b"'": "s",
    b'"': "nns",
    b"TJ": "a",
}
"""Operators that stay, and the kinds of their operands."""
_RESOURCES = {
    b"Tf": b"Font",
    b"gs": b"ExtGState",
    b"cs": b"ColorSpace",
    b"CS": b"ColorSpace",
    b"sh": b"Shading",
    b"Do": b"XObject",
}
_PATH = {b"m", b"l", b"c", b"v", b"y", b"h", b"re"}
_PAINT = {b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"n"}
_SHOW = {b"Tj", b"TJ", b"'", b'"'}
_PLACE = {b"Td", b"TD", b"Tm", b"T*", b"'", b'"', b"BT", b"ET"}
_INTENTS = {b"AbsoluteColorimetric", b"RelativeColorimetric", b"Saturation", b"Perceptual"}
_OPEN_MARKS = {b"BMC", b"BDC"}
_MOST_SAVED = 10_000
_MOST_COLOURS = 33
_GATHERED = 4096
_UNSEEN = b"3"


class Resources(Protocol):
    """What a content stream asks its surroundings for."""

    def named(self, kind: bytes, name: Name) -> Name | None:
        """Return our name of a resource, or None where there is none or it is hidden."""
        ...

    def letters(self, kind: bytes, name: Name) -> bool | None:
        """Tell whether a font, or a state, sets letters that are drawings (Type 3).

        None where it sets no letters at all.
        """
        ...

    def shows(self, kind: bytes, name: Name, operands: list[Value]) -> None:
        """Take down what is shown of the letters that a font, or a state, has set."""
        ...

    def hides(self, properties: Value) -> bool:
        """Tell whether marked content with these properties is hidden."""
        ...

    def inline(self, tokens: Tokens, *, hidden: bool) -> Name | None:
        """Read an inline image, up to and with its EI; return our name unless it is hidden."""
        ...


@dataclass(slots=True)
class _State:
    """What q saves: the text mode; whether letters are drawings, None if there are none.

    ``font`` is the kind and the name of the resource that has set the letters.
    """

    mode: bytes = b"0"
    letters: bool | None = None
    font: tuple[bytes, Name] = (b"", Name())


@dataclass(slots=True)
class Content:
    """One content stream on its way; ``removed`` holds kinds of what was left out.

    ``most`` operators may come; ``count`` have.
    """

    resources: Resources
    is_glyph: bool = False
    most: int = 1_000_000
    count: int = 0
    removed: set[str] = field(default_factory=set)
    _made: list[bytes] = field(default_factory=list)
    _path: list[tuple[bool, bytes]] = field(default_factory=list)
    _clips: bool = False
    _state: _State = field(default_factory=_State)
    _saved: list[_State] = field(default_factory=list)
    _marks: list[bool] = field(default_factory=list)
    _in_text: bool = False
    _moved: bool = False

    def rewritten(self, data: bytes) -> bytes:
        """Return the new content. Raises a leaf of Refused."""
        tokens = Tokens(data)
        whole = bytearray()
        for operator, operands in tokens.operations():
            self.count += 1
            if self.count > self.most:
                raise TooComplex("more drawing than the limit")
            if len(self._made) > _GATHERED:
                # Many small pieces take far more room than the text that they make.
                whole += b"\n".join(self._made) + b"\n"
                self._made.clear()
            if operator == b"BI":
                self._inline(tokens)
            elif operator in _OPEN_MARKS:
                self._open_mark(operator, operands)
            elif operator == b"EMC":
                del self._marks[-1:]
            else:
                self._take(operator, operands)
        self._paint(b"n")
        if self._in_text:
            self._made.append(b"ET")
        self._made += [b"Q"] * len(self._saved)
        whole += b"\n".join(self._made)
        return bytes(whole).removesuffix(b"\n")

    @property
    def _is_hidden(self) -> bool:
        # Each mark also holds what is true of those around it.
        return bool(self._marks and self._marks[-1])

    def _open_mark(self, operator: bytes, operands: list[Value]) -> None:
        if len(self._marks) >= _MOST_SAVED:
            raise TooComplex("marks nested too deeply")
        is_layer = operator == b"BDC" and len(operands) > 1 and operands[-2] == Name(b"OC")
        hidden = is_layer and self.resources.hides(operands[-1])
        if hidden:
            self.removed.add("layers")
        self._marks.append(hidden or self._is_hidden)

    def _take(self, operator: bytes, operands: list[Value]) -> None:
        if operator in _RESOURCES:
            self._named(operator, operands)
        elif operator in {b"sc", b"SC", b"scn", b"SCN"}:
            self._colour(operator, operands)
        elif operator == b"ri":
            if operands and operands[-1] in _INTENTS and isinstance(operands[-1], Name):
                self._emit(written(operands[-1]), operator)
        elif operator in OPERANDS:
            fitting = _fitting(OPERANDS[operator], operands)
            if fitting is not None:
                self._known(operator, fitting)

    def _known(self, operator: bytes, operands: list[Value]) -> None:
        spelled = [*map(written, operands)]
        if operator in _PATH:
            self._path.append((True, b" ".join([*spelled, operator])))
        elif operator in {b"W", b"W*"}:
            self._path.append((True, operator))
            self._clips = True
        elif operator in _PAINT:
            self._paint(operator)
        elif operator in _SHOW:
            self._show(operator, spelled, operands)
        elif operator in {b"q", b"Q"}:
            self._save(operator)
        elif operator in {b"BT", b"ET"}:
            self._text(operator)
        elif operator not in {b"d0", b"d1"} or self.is_glyph:
            if operator == b"Tr":
                self._state.mode = spelled[0]
            if operator in _PLACE:
                self._moved = False
            self._emit(*spelled, operator)

    def _emit(self, *parts: bytes) -> None:
        """Write an operation; between the steps of a path it stays between them."""
        if self._path:
            self._path.append((False, b" ".join(parts)))
        else:
            self._made.append(b" ".join(parts))

    def _paint(self, operator: bytes) -> None:
        if self._is_hidden:
            operator = b"n"
        path, paints = self._path, operator != b"n" or self._clips
        self._path, self._clips = [], False
        if path:
            self._made += [part for is_path, part in path if paints or not is_path]
            self._made += [operator] * paints

    def _show(self, operator: bytes, spelled: list[bytes], operands: list[Value]) -> None:
        if operator in _PLACE:
            self._moved = False
        if self._state.letters is None:
            # Without a font nothing is seen, and nothing is moved.
            self.removed.add("hidden_text")
            if operator in _PLACE:
                self._emit(b"T*")
            return
        unseen = self._state.mode == _UNSEEN and not self._state.letters
        if unseen or self._is_hidden:
            self.removed.add("hidden_text" if unseen else "layers")
            if operator == b'"':
                self._emit(spelled[0], b"Tw")
                self._emit(spelled[1], b"Tc")
            if operator in _PLACE:
                self._emit(b"T*")
            self._moved = True
            return
        if self._moved:
            # The hidden words would have pushed these to their place.
            raise Unsupported("visible text placed by invisible text")
        self.resources.shows(*self._state.font, operands)
        self._emit(*spelled, operator)

    def _save(self, operator: bytes) -> None:
        if operator == b"q":
            if len(self._saved) >= _MOST_SAVED:
                raise TooComplex("states nested too deeply")
            self._saved.append(self._state)
            self._state = replace(self._state)
            self._emit(b"q")
        elif self._saved:
            self._state = self._saved.pop()
            self._emit(b"Q")

    def _text(self, operator: bytes) -> None:
        self._moved = False
        if self._in_text:
            self._emit(b"ET")
        self._in_text = operator == b"BT"
        if self._in_text:
            self._emit(b"BT")

    def _named(self, operator: bytes, operands: list[Value]) -> None:
        """Write an operator that names a resource, under the name that is ours."""
        size = operands[-1:] if operator == b"Tf" else []
        wanted = operands[-2:-1] if operator == b"Tf" else operands[-1:]
        if not wanted or not isinstance(wanted[0], Name) or not all(_is_number(n) for n in size):
            return
        if self._is_hidden and operator in {b"Do", b"sh"}:
            self.removed.add("layers")
            return
        found = self.resources.named(_RESOURCES[operator], wanted[0])
        if operator in {b"Tf", b"gs"}:
            letters = self.resources.letters(_RESOURCES[operator], wanted[0])
            if operator == b"Tf" or letters is not None:
                self._state.letters = letters
                self._state.font = _RESOURCES[operator], wanted[0]
        if found is not None:
            self._emit(written(found), *map(written, size), operator)

    def _colour(self, operator: bytes, operands: list[Value]) -> None:
        pattern: list[bytes] = []
        name = operands[-1] if operands else None
        if isinstance(name, Name):
            operands = operands[:-1]
            found = self.resources.named(b"Pattern", name)
            if found is None or not operator.lower().endswith(b"n"):
                return
            pattern = [written(found)]
        if all(map(_is_number, operands)) and len(operands) < _MOST_COLOURS:
            self._emit(*map(written, operands), *pattern, operator)

    def _inline(self, tokens: Tokens) -> None:
        found = self.resources.inline(tokens, hidden=self._is_hidden)
        if self._is_hidden:
            self.removed.add("layers")
        elif found is not None:
            self._emit(written(found), b"Do")


def _is_number(value: Value) -> bool:
    return isinstance(value, Number)


def _fitting(kinds: str, operands: list[Value]) -> list[Value] | None:
    """Return the last operands, as many as there must be, or None where a kind is wrong."""
    if not kinds:
        return []
    taken = operands[-len(kinds) :]
    if len(taken) < len(kinds):
        return None
    made = [_of_kind(kind, value) for kind, value in zip(kinds, taken, strict=True)]
    return None if None in made else made


def _of_kind(kind: str, value: Value) -> Value:
    if kind == "n":
        return value if isinstance(value, Number) else None
    if kind == "s":
        return value if isinstance(value, Text) else None
    allowed: tuple[type, ...] = (Number,) if kind == "d" else (Number, Text)
    if not isinstance(value, list):
        return None
    return [each for each in value if isinstance(each, allowed)]
