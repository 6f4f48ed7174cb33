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
from sanitizer.pdf.layers import Layers
from sanitizer.pdf.markings import Markings
from sanitizer.pdf.model import Number, number

_INVISIBLE, _HIDDEN, _NO_VIEW = 1, 2, 32
_STANDARD = {
    b"Text", b"Link", b"FreeText", b"Line", b"Square", b"Circle", b"Polygon", b"PolyLine",
    b"Highlight", b"Underline", b"Squiggly", b"StrikeOut", b"Caret", b"Stamp", b"Ink",
    b"FileAttachment", b"Sound", b"Movie", b"Screen", b"Widget", b"PrinterMark", b"TrapNet",
    b"Watermark", b"3D", b"Redact", b"Popup",
}  # fmt: skip
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
        if form is None:
            return
        kinds.add("form_fields")
        has_fields = bool(reading.items(reading.value_of(form, "Fields")))
        has_xfa = reading.value_of(form, "XFA") is not None
        if has_xfa and (
            not has_fields or reading.truth(reading.value_of(pdf.Root, "NeedsRendering"))
        ):
            raise Unsupported("a form that only one maker's program can show")
        if reading.truth(reading.value_of(form, "NeedAppearances")):
            try:
                pdf.generate_appearance_streams()
            except (pikepdf.PdfError, ValueError, RuntimeError):
                # What the fields show by themselves is then all there is.
                kinds.add("form_fields")

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
        if form is None and kind == b"Widget" and self._generated(source):
            form = _shown(source)
        if form is None and kind != b"Widget":
            form = self._markings.form(kind, source)
            return None if form is None else Drawing(form, list(_IN_PLACE))
        matrix = _placed(source, form) if form is not None else None
        return None if form is None or matrix is None else Drawing(form, matrix)

    def _generated(self, source: reading.Source) -> bool:
        """Let qpdf draw a field that has a value and no picture of it."""
        if not isinstance(source, pikepdf.Dictionary) or not self._pdf.acroform.exists:
            return False
        try:
            annotation = pikepdf.Annotation(source)
            found = self._pdf.acroform.get_field_for_annotation(annotation)
            if found is None or not found.value_as_string:
                return False
            found.generate_appearance(annotation)
        except (pikepdf.PdfError, ValueError, RuntimeError, TypeError):
            return False
        return True


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
