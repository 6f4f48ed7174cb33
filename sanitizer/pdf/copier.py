"""What pages use, copied into the new file: states, patterns, shadings, forms (ISO 32000-1, 7-9).

Rule: one allow-list of keys for each sort of object; an object that is named twice is copied
once; nothing is copied because it is there, only because content uses it. A queue instead of
recursion: what an object names is copied later, under a number that is already known.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pikepdf

from sanitizer.errors import Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.pdf import colour, reading
from sanitizer.pdf.content import Content
from sanitizer.pdf.drawn import DrawnFont
from sanitizer.pdf.filters import Decoder
from sanitizer.pdf.fonts import FontCopier
from sanitizer.pdf.layers import Layers
from sanitizer.pdf.model import Name, NewDocument, Ref, Value, number, packed
from sanitizer.pdf.pictures import PictureCopier
from sanitizer.pdf.scope import Scope
from sanitizer.pdf.shown import Shown

_BLENDS = frozenset(
    {
        b"Normal", b"Compatible", b"Multiply", b"Screen", b"Overlay", b"Darken", b"Lighten",
        b"ColorDodge", b"ColorBurn", b"HardLight", b"SoftLight", b"Difference", b"Exclusion",
        b"Hue", b"Saturation", b"Color", b"Luminosity",
    }
)  # fmt: skip
_STATE_NUMBERS = ("LW", "LC", "LJ", "ML", "FL", "SM", "CA", "ca", "OPM")
_STATE_TRUTHS = ("OP", "op", "SA", "AIS", "TK")
_INTENTS = {b"AbsoluteColorimetric", b"RelativeColorimetric", b"Saturation", b"Perceptual"}


@dataclass(slots=True)
class Copier:
    """Copies objects of one document into another."""

    document: NewDocument
    decoder: Decoder
    layers: Layers
    limits: Limits
    kinds: set[str] = field(default_factory=set)
    jobs: deque[Callable[[], None]] = field(default_factory=deque)
    calls: dict[int, Counter[int]] = field(default_factory=dict)
    shown: dict[int, Shown] = field(default_factory=dict)
    """What content shows of each font, by the number of its copy."""
    _drawn_fonts: list[DrawnFont] = field(default_factory=list)
    _other_fonts: list[tuple[reading.Source, Ref]] = field(default_factory=list)
    _state_fonts: dict[int, Value] = field(default_factory=dict)
    _operations: int = field(init=False)
    pictures: PictureCopier = field(init=False)
    fonts: FontCopier = field(init=False)

    def __post_init__(self) -> None:
        """Give the parts that know pictures and fonts what they need."""
        self._operations = self.limits.pdf_operations
        self.pictures = PictureCopier(self.document, self.decoder, self.limits, self.kinds)
        self.fonts = FontCopier(self.document, self.decoder, self.kinds)

    def run(self) -> None:
        """Do what is waiting, until nothing is."""
        while self.jobs:
            self.jobs.popleft()()

    def finish(self) -> None:
        """Copy the fonts, once all that shows their letters has been copied."""
        self.run()
        while [font for font in list(self._drawn_fonts) if font.draw()]:
            self.run()
        for drawn in self._drawn_fonts:
            drawn.write()
        for source, ref in self._other_fonts:
            self.fonts.foresee(source, self.shown[ref.number])
        for source, ref in self._other_fonts:
            self.fonts.copy(source, ref, self.shown[ref.number])

    def once(self, untrusted: reading.Source, kind: object, make: Callable[[Ref], None]) -> Ref:
        """Return the copy of an object; ``make`` fills it, later, if it is new."""
        key = reading.identity(untrusted)
        if key is not None and (kind, key) in self.document.copies:
            return self.document.copies[kind, key]
        ref = self.document.reserve()
        if key is not None:
            self.document.copies[kind, key] = ref
        self.jobs.append(lambda: make(ref))
        return ref

    # --- content --------------------------------------------------------------------------------

    def content(self, data: bytes, scope: Scope, owner: Ref, *, is_glyph: bool = False) -> bytes:
        """Return content written anew; ``scope`` then knows what it uses."""
        work = Content(scope, is_glyph=is_glyph, most=self._operations)
        made = work.rewritten(data)
        self._operations -= work.count
        self.kinds |= work.removed
        self.count_calls(scope, owner)
        return made

    def count_calls(self, scope: Scope, owner: Ref) -> None:
        """Note what a content stream has drawn since this was last asked."""
        if scope.called:
            self.calls.setdefault(owner.number, Counter()).update(scope.called)
            scope.called.clear()

    # --- the sorts of resources -----------------------------------------------------------------

    def external(self, untrusted: object, outer: reading.Source | None) -> Value:
        """Copy an XObject: a picture or a form; None for anything else or what is hidden."""
        source = reading.stream(untrusted)
        if source is None:
            return None
        if self.layers.hides(reading.value_of(source, "OC")):
            self.kinds.add("layers")
            return None
        subtype = reading.name(reading.value_of(source, "Subtype"))
        if subtype == b"Image":
            return self.once(source, "picture", lambda ref: self.pictures.copy(source, ref))
        if subtype != b"Form":
            return None
        return self.form(source, outer)

    def form(self, source: pikepdf.Stream, outer: reading.Source | None) -> Ref:
        """Copy a form; one without resources of its own uses those around it."""
        own = reading.dictionary(reading.value_of(source, "Resources"))
        inherited = outer if own is None else None
        around = reading.identity(inherited) if inherited is not None else None

        def make(ref: Ref) -> None:
            entries: dict[bytes, Value] = {
                b"Type": Name(b"XObject"),
                b"Subtype": Name(b"Form"),
                b"BBox": reading.numbers(reading.value_of(source, "BBox"), 4, 4) or [number(0)] * 4,
            }
            self._put_matrix(entries, source)
            group = self.group(reading.value_of(source, "Group"))
            if group is not None:
                entries[b"Group"] = group
            self._fill(ref, source, entries, own if own is not None else outer)

        return self.once(source, ("form", around), make)

    def _fill(
        self,
        ref: Ref,
        source: pikepdf.Stream,
        entries: dict[bytes, Value],
        resources: reading.Source | None,
    ) -> None:
        """Fill a form or a tiling pattern: its content, and what that uses."""
        scope = Scope(self, resources)
        data = self.content(self.decoder.plain(source), scope, ref)
        entries[b"Resources"] = scope.written()
        self.document.fill(ref, packed(entries, data))

    def _put_matrix(self, entries: dict[bytes, Value], source: reading.Source) -> None:
        matrix = reading.numbers(reading.value_of(source, "Matrix"), 6, 6)
        if matrix is not None:
            entries[b"Matrix"] = matrix

    def group(self, untrusted: object) -> Value:
        """Copy what makes a page or a form transparent as a whole."""
        source = reading.dictionary(untrusted)
        if source is None or reading.name(reading.value_of(source, "S")) != b"Transparency":
            return None
        made: dict[bytes, Value] = {b"S": Name(b"Transparency")}
        space = self.space(reading.value_of(source, "CS"), None)
        if space is not None:
            made[b"CS"] = space.value
        for key in ("I", "K"):
            if reading.truth(reading.value_of(source, key)):
                made[key.encode()] = True
        return made

    def space(self, untrusted: object, resources: reading.Source | None) -> "colour.Space | None":
        """Copy a colour space; a name may be one of ``resources``."""
        return colour.copy(untrusted, resources, self.decoder, self.document, self.kinds)

    def pattern(self, untrusted: object, outer: reading.Source | None) -> Value:
        """Copy a tiling or a shading pattern."""
        source = reading.dictionary(untrusted)
        if source is None:
            return None
        tile = reading.stream(source)
        if tile is not None:
            own = reading.dictionary(reading.value_of(source, "Resources"))
            around = reading.identity(outer) if own is None and outer is not None else None
            kind = ("tiling", around)
            return self.once(source, kind, lambda ref: self._tiling(tile, ref, outer))
        return self.once(source, "pattern", lambda ref: self._shaded(source, ref))

    def _tiling(self, source: pikepdf.Stream, ref: Ref, outer: reading.Source | None) -> None:
        entries: dict[bytes, Value] = {b"PatternType": number(1)}
        for key, least, most in (("PaintType", 1, 2), ("TilingType", 1, 3)):
            found = reading.whole(reading.value_of(source, key), least, most)
            entries[key.encode()] = number(found or 1)
        entries[b"BBox"] = reading.required(reading.numbers(reading.value_of(source, "BBox"), 4, 4))
        for key in ("XStep", "YStep"):
            entries[key.encode()] = reading.required(reading.real(reading.value_of(source, key)))
        self._put_matrix(entries, source)
        own = reading.dictionary(reading.value_of(source, "Resources"))
        self._fill(ref, source, entries, own if own is not None else outer)

    def _shaded(self, source: reading.Source, ref: Ref) -> None:
        entries: dict[bytes, Value] = {b"PatternType": number(2)}
        entries[b"Shading"] = reading.required(self.shading(reading.value_of(source, "Shading")))
        self._put_matrix(entries, source)
        state = self.state(reading.value_of(source, "ExtGState"), None)
        if state is not None:
            entries[b"ExtGState"] = state
        self.document.fill(ref, entries)

    def shading(self, untrusted: object) -> Value:
        """Copy a smooth transition of colours."""
        source = reading.dictionary(untrusted)
        if source is None:
            return None
        return self.once(
            source,
            "shading",
            lambda ref: self.document.fill(
                ref, colour.shading(source, self.decoder, self.document, self.kinds)
            ),
        )

    # --- graphics state -------------------------------------------------------------------------

    def state(self, untrusted: object, outer: reading.Source | None) -> Value:
        """Copy the parameters of a graphics state."""
        source = reading.dictionary(untrusted)
        if source is None:
            return None
        return self.once(source, "state", lambda ref: self._state(source, ref, outer))

    def _state(self, source: reading.Source, ref: Ref, outer: reading.Source | None) -> None:
        made: dict[bytes, Value] = {}
        for key in _STATE_NUMBERS:
            made[key.encode()] = reading.real(reading.value_of(source, key))
        for key in _STATE_TRUTHS:
            made[key.encode()] = reading.truth(reading.value_of(source, key))
        made[b"BM"] = _blend(reading.value_of(source, "BM"))
        intent = reading.name(reading.value_of(source, "RI"))
        made[b"RI"] = intent if intent in _INTENTS else None
        dash = reading.items(reading.value_of(source, "D"))
        if len(dash) == 2:  # noqa: PLR2004 - an array and a phase
            made[b"D"] = [reading.numbers(dash[0], 0, 64) or [], reading.real(dash[1]) or number(0)]
        font = self.state_font(source, ref, outer)
        if isinstance(font, Ref):
            size = reading.real(reading.items(reading.value_of(source, "Font"))[1])
            made[b"Font"] = [font, size]
        made[b"SMask"] = self._soft_mask(reading.value_of(source, "SMask"), outer)
        mask = made[b"SMask"]
        if isinstance(mask, dict) and isinstance(mask[b"G"], Ref):
            self.calls[ref.number] = Counter([mask[b"G"].number])
        self.document.fill(ref, {key: each for key, each in made.items() if each is not None})

    def state_font(self, source: reading.Source, ref: Ref, outer: reading.Source | None) -> Value:
        """Return the copy of the font that a state sets; ``ref`` is the state's own copy."""
        if ref.number not in self._state_fonts:
            told = reading.items(reading.value_of(source, "Font"))
            is_set = len(told) == 2 and reading.is_number(told[1])  # noqa: PLR2004 - and a size
            self._state_fonts[ref.number] = self.font(told[0], outer) if is_set else None
        return self._state_fonts[ref.number]

    def _soft_mask(self, untrusted: object, outer: reading.Source | None) -> Value:
        if reading.name(untrusted) == b"None":
            return Name(b"None")
        source = reading.dictionary(untrusted)
        form = reading.stream(reading.value_of(source, "G")) if source is not None else None
        if source is None or form is None:
            return None
        kind = reading.name(reading.value_of(source, "S"))
        made: dict[bytes, Value] = {
            b"S": Name(b"Alpha" if kind == b"Alpha" else b"Luminosity"),
            b"G": self.form(form, outer),
        }
        backdrop = reading.numbers(reading.value_of(source, "BC"), 1, 32)
        if backdrop is not None:
            made[b"BC"] = backdrop
        transfer = reading.value_of(source, "TR")
        if reading.dictionary(transfer) is not None:
            made[b"TR"] = colour.function(transfer, self.decoder, self.document, 0)
        return made

    # --- fonts ----------------------------------------------------------------------------------

    def font(self, untrusted: object, outer: reading.Source | None) -> Value:
        """Copy a font."""
        source = reading.dictionary(untrusted)
        if source is None:
            return None
        is_drawn = self.fonts.is_drawn(source)
        if is_drawn:
            ref = self.once(source, "drawn font", lambda ref: self._drawn_font(source, ref, outer))
        else:
            ref = self.once(source, "font", lambda ref: self._other_fonts.append((source, ref)))
        self.shown.setdefault(ref.number, Shown(self.fonts.stride(source)))
        return ref

    def _drawn_font(self, source: reading.Source, ref: Ref, outer: reading.Source | None) -> None:
        """Take down a Type 3 font: its letters are copied when something shows them."""
        resources = reading.dictionary(reading.value_of(source, "Resources"))
        scope = Scope(self, resources if resources is not None else outer)
        self._drawn_fonts.append(DrawnFont(self, source, ref, scope))

    def check_expansion(self, pages: list[Ref]) -> None:
        """Raise where forms call each other in a circle or unfold without end.

        A reader that draws the result would otherwise do in a moment what no clock can end.
        """
        totals: dict[int, int] = {}
        for page in pages:
            waiting = [page.number]
            on_way: set[int] = set()
            while waiting:
                top = waiting[-1]
                inner = [n for n in self.calls.get(top, ()) if n not in totals]
                if top not in totals and inner and top not in on_way:
                    on_way.add(top)
                    if on_way & set(inner):
                        raise Malformed("drawings that contain themselves")
                    waiting += dict.fromkeys(inner)
                    continue
                waiting.pop()
                on_way.discard(top)
                called = self.calls.get(top, Counter()).items()
                totals[top] = 1 + sum(totals[inner] * count for inner, count in called)
                if totals[top] > self.limits.pdf_drawings:
                    raise TooComplex("drawings within drawings within drawings")


def _blend(untrusted: object) -> Value:
    only = reading.name(untrusted)
    names = [only] if only else [reading.name(each) for each in reading.items(untrusted)]
    return next((each for each in names if each in _BLENDS), None)
