"""An overlay: pictures laid on a canvas, one over another.

Rule (ISO/IEC 23008-12, 6.6.2.2): written from its understood numbers, in the shortest form. Of the
pictures those stay that show something: one beside the canvas, or wholly under others that let
nothing through, is a picture that nobody sees. Those that stay lie on the canvas whole. A colour
that no pixel of the canvas has is black.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sanitizer.errors import Malformed, Unsupported
from sanitizer.numbers import unpack

MOST_LAYERS = 64
"""Most pictures on one canvas."""
_SHORT = range(-0x8000, 0x8000)
_SIDES = 10

Rect = tuple[int, int, int, int]
"""Left, top, right, bottom, the last two not included."""


@dataclass(frozen=True, slots=True)
class Layer:
    """How large a picture is shown, and whether nothing is seen through it."""

    width: int
    height: int
    is_opaque: bool


@dataclass(frozen=True, slots=True)
class Overlay:
    """The payload of an overlay item; ``places`` are (left, top), the lowest picture first."""

    fill: tuple[int, ...]
    width: int
    height: int
    places: tuple[tuple[int, int], ...]

    @classmethod
    def from_bytes(cls, untrusted: bytes, layers: int) -> tuple["Overlay", int]:
        """Read a payload for so many pictures, and say how long it is; raises Malformed."""
        version, flags = unpack("BB", untrusted)
        number, size = ("i", 4) if flags & 1 else ("h", 2)
        fill = unpack("4H", untrusted, 2)
        width, height = unpack(2 * number.upper(), untrusted, _SIDES)
        numbers = unpack(2 * layers * number, untrusted, _SIDES + 2 * size)
        if version or not width or not height:
            raise Malformed("an overlay that says what cannot be")
        places = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        return cls(fill, width, height, places), _SIDES + 2 * size * (1 + layers)

    def to_bytes(self) -> bytes:
        """Return the payload in its short form where its places fit; sides always do."""
        numbers = [number for place in self.places for number in place]
        is_long = not all(number in _SHORT for number in numbers)
        size = 4 if is_long else 2
        return (
            bytes([0, is_long])
            + b"".join(value.to_bytes(2, "big") for value in self.fill)
            + b"".join(side.to_bytes(size, "big") for side in (self.width, self.height))
            + b"".join(number.to_bytes(size, "big", signed=True) for number in numbers)
        )

    def seen(self, layers: Sequence[Layer]) -> tuple["Overlay", list[int]]:
        """Return an overlay of what shows, and which of the pictures that is, lowest first.

        Raises Unsupported where one of them reaches out of the canvas: whoever cut it off so would
        believe it gone. Raises Malformed where nothing shows.
        """
        chosen, has_canvas = self._from_above(layers)
        if not chosen:
            raise Malformed("an overlay of nothing")
        for at in chosen:
            left, top, right, bottom = self._rect(at, layers[at])
            if min(left, top) < 0 or right > self.width or bottom > self.height:
                raise Unsupported("an overlay, beyond which a part of a picture is still there")
        # Screens show eight bits of a canvas; what stands below them could say something.
        fill = tuple((value >> 8) * 257 if has_canvas else 0 for value in self.fill)
        places = tuple(self.places[at] for at in chosen)
        return Overlay(fill, self.width, self.height, places), chosen

    def _rect(self, at: int, layer: Layer) -> Rect:
        left, top = self.places[at]
        return left, top, left + layer.width, top + layer.height

    def _from_above(self, layers: Sequence[Layer]) -> tuple[list[int], bool]:
        """Return the pictures that show, and whether the canvas does."""
        open_parts: list[Rect] = [(0, 0, self.width, self.height)]
        found: list[int] = []
        for at in reversed(range(len(layers))):
            rect = self._rect(at, layers[at])
            if not any(_meet(part, rect) for part in open_parts):
                continue
            found.append(at)
            if layers[at].is_opaque:
                open_parts = [rest for part in open_parts for rest in _without(part, rect)]
        return found[::-1], bool(open_parts)


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _without(part: Rect, over: Rect) -> list[Rect]:
    """Return what of ``part`` is not under ``over``, in at most four pieces."""
    if not _meet(part, over):
        return [part]
    left, top, right, bottom = part
    low, high = max(top, over[1]), min(bottom, over[3])
    pieces = [
        (left, top, right, low),
        (left, high, right, bottom),
        (left, low, over[0], high),
        (over[2], low, right, high),
    ]
    return [piece for piece in pieces if piece[0] < piece[2] and piece[1] < piece[3]]
