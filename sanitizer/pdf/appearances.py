"""Form fields and annotations, as they are seen (ISO 32000-1, 12.5 and 12.7).

Rule: what a field or a note shows on the page becomes part of the page; what it says besides
(authors, dates, texts that pop up, addresses behind links, scripts) does not exist in the result.
Hidden ones are not drawn; those that viewers draw by themselves are drawn, or the file is refused.
"""

from dataclasses import dataclass

import pikepdf

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.pdf import reading
from sanitizer.pdf.fields import Fields
from sanitizer.pdf.filters import Decoder
from sanitizer.pdf.layers import Layers
from sanitizer.pdf.markings import Markings
from sanitizer.pdf.model import Number, number
from sanitizer.pdf.tokens import Tokens

_INVISIBLE, _HIDDEN, _NO_VIEW = 1, 2, 32
_STANDARD = {
    b"Text", b"Link", b"FreeText", b"Line", b"Square", b"Circle", b"Polygon", b"PolyLine",
    b"Highlight", b"Underline", b"Squiggly", b"StrikeOut", b"Caret", b"Stamp", b"Ink",
    b"FileAttachment", b"Sound", b"Movie", b"Screen", b"Widget", b"PrinterMark", b"TrapNet",
    b"Watermark", b"3D", b"Redact", b"Popup",
}  # fmt: skip
_WITH_TEXT = {b"Tx", b"Ch"}
_SHOWS = {b"Tj", b"TJ", b"'", b'"', b"Do"}
_NEVER = {b"Popup", b"TrapNet", b"PrinterMark"}
_IN_PLACE = [number(each) for each in (1, 0, 0, 1, 0, 0)]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A form to be drawn on a page, and the matrix that puts it in its place."""

    form: pikepdf.Stream
    matrix: list[Number]


class Appearances:
    """What the annotations of one document show."""

    def __init__(self, pdf: pikepdf.Pdf, layers: Layers, limits: Limits, kinds: set[str]) -> None:
        self._pdf = pdf
        self._layers = layers
        self._kinds = kinds
        self._left = limits.pdf_annotations
        self._markings = Markings(pdf, limits.pdf_operations)
        form = reading.dictionary(reading.value_of(pdf.Root, "AcroForm"))
        self._fields = Fields(pdf, form, limits.pdf_operations)
        self._anew = False
        self._decoder = Decoder(limits)
        if form is None:
            return
        kinds.add("form_fields")
        has_fields = bool(reading.items(reading.value_of(form, "Fields")))
        has_xfa = reading.value_of(form, "XFA") is not None
        if has_xfa and (
            not has_fields or reading.truth(reading.value_of(pdf.Root, "NeedsRendering"))
        ):
            raise Unsupported("a form that only one maker's program can show")
        self._anew = bool(reading.truth(reading.value_of(form, "NeedAppearances")))

    def of(self, page: reading.Source) -> list[Drawing]:
        """Return what a page's annotations show, in their order."""
        made = []
        for each in reading.items(reading.value_of(page, "Annots")):
            source = reading.dictionary(each)
            if source is None:
                continue
            self._left -= 1
            if self._left < 0:
                raise TooComplex("too many annotations")
            drawing = self._drawing(source)
            if drawing is not None:
                made.append(drawing)
        return made

    def _drawing(self, source: reading.Source) -> Drawing | None:
        kind = reading.name(reading.value_of(source, "Subtype")) or b""
        if kind != b"Widget":
            self._kinds.add("attachments" if kind == b"FileAttachment" else "annotations")
        flags = reading.whole(reading.value_of(source, "F"), 0, 1 << 31) or 0
        if flags & (_HIDDEN | _NO_VIEW) or (flags & _INVISIBLE and kind not in _STANDARD):
            return None
        if kind in _NEVER or self._layers.hides(reading.value_of(source, "OC")):
            return None
        form = _shown(source)
        if kind == b"Widget":
            form = self._field(source, form)
        elif form is None:
            form = self._markings.form(kind, source)
            return None if form is None else Drawing(form, list(_IN_PLACE))
        matrix = _placed(source, form) if form is not None else None
        return None if form is None or matrix is None else Drawing(form, matrix)

    def _field(self, source: reading.Source, own: pikepdf.Stream | None) -> pikepdf.Stream | None:
        """Return what a field shows, drawn here where it says that it must be, or has no look."""
        told = reading.dictionary(reading.value_of(source, "AP"))
        has_look = told is not None and reading.dictionary(reading.value_of(told, "N")) is not None
        if not has_look:
            return self._fields.drawn(source)
        if not self._anew or reading.name(self._fields.told(source, "FT")) not in _WITH_TEXT:
            return own
        try:
            # What was typed since it was last drawn: every viewer draws it anew.
            return self._fields.drawn(source)
        except Unsupported:
            # What viewers show that do not draw it anew; if it is a frame alone, a text is missing.
            if own is None or not self._has_text(own):
                raise
            return own

    def _has_text(self, form: pikepdf.Stream) -> bool:
        data = self._decoder.plain(form)
        self._fields.spend(len(data))
        return any(operator in _SHOWS for operator, _ in Tokens(data).operations())


def _shown(source: reading.Source) -> pikepdf.Stream | None:
    """Return the form that an annotation shows in its present state."""
    appearances = reading.dictionary(reading.value_of(source, "AP"))
    normal = reading.value_of(appearances, "N") if appearances is not None else None
    states = reading.dictionary(normal)
    if states is None or reading.stream(states) is not None:
        return reading.stream(normal)
    state = reading.name(reading.value_of(source, "AS")) or b"Off"
    return reading.stream(dict(reading.entries(states)).get(state))


def _placed(source: reading.Source, form: pikepdf.Stream) -> list[Number] | None:
    """Return the matrix that lays a form's box over its rectangle (12.5.5, algorithm 8.1)."""
    rectangle = reading.floats(reading.value_of(source, "Rect"), 4)
    box = reading.floats(reading.value_of(form, "BBox"), 4)
    if rectangle is None or box is None:
        return None
    a, b, c, d, e, f = reading.floats(reading.value_of(form, "Matrix"), 6) or [1, 0, 0, 1, 0, 0]
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    across = [a * x + c * y + e for x, y in corners]
    up = [b * x + d * y + f for x, y in corners]
    left, right = sorted((rectangle[0], rectangle[2]))
    low, high = sorted((rectangle[1], rectangle[3]))
    width, height = max(across) - min(across), max(up) - min(up)
    if not width or not height:
        return None
    wide, tall = (right - left) / width, (high - low) / height
    numbers = [wide, 0.0, 0.0, tall, left - min(across) * wide, low - min(up) * tall]
    return [number(repr(each).encode()) for each in numbers]
