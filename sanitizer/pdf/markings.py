"""Annotations without an appearance of their own, drawn as viewers draw them (ISO 32000-1, 12.5.6).

Rule: what may cover or carry something is drawn, or the file is refused: a black box that
vanished would show the name beneath it. What is drawn is drawn as large as any viewer would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pikepdf

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.pdf import reading
from sanitizer.pdf.model import number

# Symbols, and what no viewer draws by itself.
_WITHOUT_LOOK = {
    b"Text", b"Popup", b"FileAttachment", b"Sound", b"Movie", b"Screen", b"3D", b"RichMedia",
    b"TrapNet", b"PrinterMark", b"Caret", b"Watermark", b"Projection", b"",
}  # fmt: skip
_LINED = {b"Link", b"Line", b"Square", b"Circle", b"Ink", b"Polygon", b"PolyLine"}
_QUADS = {b"Highlight", b"Underline", b"StrikeOut", b"Squiggly"}
# How far a curve's handles lie from its ends, for a quarter of a circle.
_ROUND = 0.5522847498
_STEEPEST = 10
_ABOVE = 1.3
_STEP = 2.0
_BULGE = 0.25
_MOST_WAVES = 5000
_DOT = 0.5
_ADVICE = "a note without an appearance: print the document into a new PDF, or take a screenshot"

Point = tuple[float, float]


@dataclass(slots=True)
class Markings:
    """Draws annotations of one document; ``left`` numbers of theirs may still come."""

    pdf: pikepdf.Pdf
    left: int

    def form(self, kind: bytes, source: reading.Source) -> pikepdf.Stream | None:
        """Return a form in the page's own coordinates, or None for what shows nothing.

        Raises Unsupported for what would show something, but is not drawn here; TooComplex.
        """
        if kind in _WITHOUT_LOOK:
            return None
        if kind not in _LINED | _QUADS or _is_elaborate(kind, source):
            raise Unsupported(_ADVICE)
        rectangle = self._numbers(reading.value_of(source, "Rect"))
        box = _rectangle(rectangle) if len(rectangle) == 4 else None  # noqa: PLR2004 - its sides
        width = pen(source)
        colour = colour_of(source, "C", b"G RG K")
        if kind in _QUADS:
            lines, points = self._marked(kind, source, box)
        else:
            lines, points = self._shaped(kind, source, box, width)
        if not lines:
            return None
        head = [b"/A gs", colour if colour is not None else b"0 G"]
        if kind == b"Highlight":
            head[1] = head[1].lower()
        else:
            head += [b"%b w" % spelled(width if kind in _LINED else 1.0), _dash(source)]
        if not head[1] and kind == b"Highlight":
            # Some viewers draw nothing, and some a black box.
            raise Unsupported(_ADVICE)
        if not head[1]:
            # Transparent, but for what is inside.
            lines = [line for line in lines if line not in {b"S", b"s"}]
            lines = [{b"B": b"f", b"b": b"f"}.get(line, line) for line in lines]
            lines = [] if kind in _QUADS or lines[-1] != b"f" else lines
        return self._made(kind, source, head + lines, _around(points, width)) if lines else None

    def _numbers(self, untrusted: object) -> list[float]:
        found = [float(each) for each in reading.items(untrusted) if reading.is_number(each)]  # type: ignore[arg-type]
        self.left -= len(found) + 1
        if self.left < 0:
            raise TooComplex("annotations of more points than the limit")
        return found

    def _points(self, untrusted: object) -> list[Point]:
        found = self._numbers(untrusted)
        return list(zip(found[::2], found[1::2], strict=False))

    def _shaped(
        self, kind: bytes, source: reading.Source, box: list[Point] | None, width: float
    ) -> tuple[list[bytes], list[Point]]:
        """Return a shape's path with its painting, and the points that it touches."""
        inside = colour_of(source, "IC", b"g rg k") or b""
        if kind in {b"Square", b"Circle", b"Link"}:
            return _boxed(kind, box, width, inside)
        if kind == b"Ink":
            told = reading.items(reading.value_of(source, "InkList"))
            strokes = [self._points(each) for each in told]
        else:
            key = "L" if kind == b"Line" else "Vertices"
            strokes = [self._points(reading.value_of(source, key))]
        points = [each for stroke in strokes for each in stroke]
        path = [line for stroke in strokes for line in _path(stroke)]
        if not path:
            return [], []
        if kind == b"Polygon":
            return [inside, *path, b"b" if inside else b"s"], points
        return [*path, b"S"], points

    def _marked(
        self, kind: bytes, source: reading.Source, box: list[Point] | None
    ) -> tuple[list[bytes], list[Point]]:
        """Return the marks over, under or through words, and the points that they touch."""
        points = self._points(reading.value_of(source, "QuadPoints"))
        quads = [points[at : at + 4] for at in range(0, len(points) - 3, 4)]
        if not quads and box is not None:
            (left, low), (right, high) = box
            quads = [[(left, high), (right, high), (left, low), (right, low)]]
        lines: list[bytes] = []
        for quad in quads:
            first, second, third, fourth = quad
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
            if (bx - ax) * (dx - cx) + (by - ay) * (dy - cy) < 0:
                # Written around the words, as the standard says, and not as programs do.
                third, fourth = fourth, third
            if kind == b"Highlight":
                lines += [*_bulged(first, second, fourth, third), b"f"]
            elif kind == b"StrikeOut":
                lines += [*_path([_between(first, third), _between(second, fourth)]), b"S"]
            else:
                lines += [*_path(_below(kind, third, fourth)), b"S"]
        return lines, [each for quad in quads for each in quad]

    def _made(
        self, kind: bytes, source: reading.Source, lines: list[bytes], box: list[float]
    ) -> pikepdf.Stream:
        state = pikepdf.Dictionary()
        opacity = reading.real(reading.value_of(source, "CA"))
        if opacity is not None:
            clear = min(max(float(opacity), 0.0), 1.0)
            state.CA = state.ca = clear
        if kind == b"Highlight":
            state.BM = pikepdf.Name.Multiply
        return self.pdf.make_stream(
            b"\n".join(line for line in lines if line),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=pikepdf.Array(box),
            Resources=pikepdf.Dictionary(ExtGState=pikepdf.Dictionary(A=state)),
        )


def _is_elaborate(kind: bytes, source: reading.Source) -> bool:
    """Tell whether a line has a head, legs or words, or an outline is a cloud."""
    if kind not in {b"Line", b"PolyLine", b"Polygon"}:
        return False
    ends = reading.items(reading.value_of(source, "LE"))
    effect = reading.dictionary(reading.value_of(source, "BE"))
    return (
        any(reading.name(each) != b"None" for each in ends)
        or any(reading.value_of(source, key) not in {None, 0} for key in ("LL", "LLE", "LLO"))
        or bool(reading.truth(reading.value_of(source, "Cap")))
        or (effect is not None and reading.name(reading.value_of(effect, "S")) == b"C")
    )


def pen(source: reading.Source) -> float:
    """Return how wide a border is."""
    style = reading.dictionary(reading.value_of(source, "BS"))
    border = reading.items(reading.value_of(source, "Border"))
    told = reading.value_of(style, "W") if style is not None else None
    if style is None and len(border) > 2:  # noqa: PLR2004 - two radii and a width
        told = border[2]
    found = reading.real(told)
    return max(0.0, float(found)) if found is not None else 1.0


def _dash(source: reading.Source) -> bytes:
    style = reading.dictionary(reading.value_of(source, "BS"))
    border = reading.items(reading.value_of(source, "Border"))
    told: object = border[3] if len(border) > 3 else None  # noqa: PLR2004 - behind the width
    if style is not None:
        told = reading.value_of(style, "D")
        if reading.name(reading.value_of(style, "S")) != b"D":
            return b""
    lengths = [each for each in reading.floats(told, len(reading.items(told))) or [] if each > 0]
    if not lengths:
        return b"[3] 0 d" if style is not None else b""
    return b"[%b] 0 d" % b" ".join(map(spelled, lengths[:16]))


def colour_of(source: reading.Source, key: str, operators: bytes) -> bytes | None:
    """Return an operator that sets a colour: empty where there is none, None where none is told."""
    told = reading.items(reading.value_of(source, key))
    found = reading.floats(reading.value_of(source, key), len(told)) if told else None
    if not isinstance(reading.value_of(source, key), pikepdf.Array):
        return None
    if not told:
        return b""
    names = dict(zip((1, 3, 4), operators.split(), strict=True))
    if found is None or len(found) not in names:
        return None
    return b" ".join([*map(spelled, found), names[len(found)]])


def _rectangle(told: list[float]) -> list[Point]:
    (left, right), (low, high) = sorted((told[0], told[2])), sorted((told[1], told[3]))
    return [(left, low), (right, high)]


def _boxed(
    kind: bytes, box: list[Point] | None, width: float, inside: bytes
) -> tuple[list[bytes], list[Point]]:
    """Return a rectangle or an ellipse with its painting, and its corners."""
    if box is None or not (width or inside):
        return [], []
    if kind == b"Link":
        return [*_frame(box, 0), b"S"], box
    path = _ellipse(box, width) if kind == b"Circle" else _frame(box, width)
    if not inside:
        return [*path, b"S"], box
    return [inside, *path, b"B" if width else b"f"], box


def _frame(box: list[Point], width: float) -> list[bytes]:
    (left, low), (right, high) = box
    half = min(width, right - left, high - low) / 2
    sides = (left + half, low + half, right - left - 2 * half, high - low - 2 * half)
    return [b" ".join(map(spelled, sides)) + b" re"]


def _ellipse(box: list[Point], width: float) -> list[bytes]:
    (left, low), (right, high) = box
    half = min(width, right - left, high - low) / 2
    x, y = (left + right) / 2, (low + high) / 2
    wide, tall = (right - left) / 2 - half, (high - low) / 2 - half
    a, b = wide * _ROUND, tall * _ROUND
    curves = (
        (x + wide, y + b, x + a, y + tall, x, y + tall),
        (x - a, y + tall, x - wide, y + b, x - wide, y),
        (x - wide, y - b, x - a, y - tall, x, y - tall),
        (x + a, y - tall, x + wide, y - b, x + wide, y),
    )
    made = [b" ".join(map(spelled, curve)) + b" c" for curve in curves]
    return [b"%b %b m" % (spelled(x + wide), spelled(y)), *made, b"h"]


def _path(points: list[Point]) -> list[bytes]:
    if len(points) == 1:
        # A dot: a line of no length would not be seen.
        ((x, y),) = points
        points = [(x - _DOT, y), (x + _DOT, y)]
    steps = [b"m", *[b"l"] * (len(points) - 1)]
    return [
        b"%b %b %b" % (spelled(x), spelled(y), step)
        for (x, y), step in zip(points, steps, strict=False)
    ]


def _bulged(first: Point, second: Point, third: Point, fourth: Point) -> list[bytes]:
    """Return a box whose left and right sides stand out, as a felt pen's would."""
    ends = []
    for (ax, ay), (bx, by), sign in ((second, third, 1), (fourth, first, -1)):
        out = sign * _BULGE * math.dist((ax, ay), (bx, by))
        length = math.dist(first, second) or 1.0
        across, up = (second[0] - first[0]) * out / length, (second[1] - first[1]) * out / length
        near = (ax + (bx - ax) / 4 + across, ay + (by - ay) / 4 + up)
        far = (bx + (ax - bx) / 4 + across, by + (ay - by) / 4 + up)
        ends.append(b" ".join(map(spelled, (*near, *far, bx, by))) + b" c")
    return [*_path([first, second]), ends[0], _to(fourth), ends[1]]


def _to(point: Point) -> bytes:
    return b"%b %b l" % (spelled(point[0]), spelled(point[1]))


def _between(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _below(kind: bytes, start: Point, end: Point) -> list[Point]:
    """Return a line along the foot of words, or a wave."""
    (left, low), (right, high) = start, end
    count = int(min(abs(right - left) / _STEP, _MOST_WAVES)) if kind == b"Squiggly" else 0
    if count < 1:
        return [(left, low + _ABOVE), (right, high + _ABOVE)]
    return [
        (left + (right - left) * n / count, low + (high - low) * n / count + _STEP * (n % 2))
        for n in range(count + 1)
    ]


def _around(points: list[Point], width: float) -> list[float]:
    """Return a box that holds all points, and what a pen of a width draws around them."""
    space = (width + 1) * _STEEPEST
    across, up = [x for x, _ in points], [y for _, y in points]
    return [min(across) - space, min(up) - space, max(across) + space, max(up) + space]


def spelled(value: float) -> bytes:
    """Return a number for a content stream."""
    return number(repr(round(value, 4)).encode())
