"""What may be said of an item, each statement written anew.

Rule (ISO/IEC 23008-12, section 6.5; 14496-12, 12.1.5; MIAF, 7.3.6): size, decoder setup, colour,
depth, rotation, mirror, aspect, a crop of the coder's padding (sanitizer.heif.padding), and that a
plane is alpha. What a reader must know and is not on the list is refused; everything else goes.
"""

from collections.abc import Callable
from fractions import Fraction

from sanitizer import icc
from sanitizer.errors import Malformed, Unsupported
from sanitizer.heif import padding
from sanitizer.heif.model import Item
from sanitizer.heif.select import ALPHA, size_of
from sanitizer.numbers import unpack

ESSENTIAL = {b"hvcC", b"av1C", b"clap", b"irot", b"imir"}
"""What a reader must know to show the item (14496-12, 8.11.14; MIAF, 7.3.6)."""
_SETUPS = {b"hvcC", b"av1C", b"jpgC"}
_KINDS = {
    b"udes": "comment", b"altt": "comment", b"crtt": "capture_time", b"mdft": "capture_time",
}  # fmt: skip
_CODES = (22, 18, 17)
_UNSPECIFIED = 2
_CHANNELS = range(1, 5)
_BITS = range(1, 17)
_LEVELS = 4
# Candela to the square metre: where the curve of SMPTE ST 2084 ends.
_BRIGHTEST = 10_000

_Make = Callable[[], bytes | None]
Rewritten = tuple[bytes, bytes]
"""A property's type and its content."""


def rewritten(item: Item, setup: Rewritten | None, kinds: set[str]) -> list[Rewritten]:
    """Return what stays of an item's properties, in their order, ``setup`` in place of its own.

    An empty setup is none: the picture says by itself how it is decoded.
    Raises Unsupported for what must be known and is not, Malformed for what cannot be.
    """
    made: list[Rewritten] = []
    seen: set[bytes] = set()
    for each in item.properties:
        kind, content = each.property.kind, each.property.content
        name = content[:4] if kind == b"colr" else kind
        if kind in {b"irot", b"imir", b"clap"} and kind in seen:
            raise Unsupported("a picture that is turned twice")
        if kind in _SETUPS:
            ours = setup[1] if setup and setup[0] == kind else None
        else:
            ours = _one(kind, content, item)
        if ours is None and each.is_essential and not _is_idle(kind, content):
            raise Unsupported("a picture with a property that is not known here")
        if ours is None or name in seen:
            kinds.add(_KINDS.get(kind, "other_metadata"))
        elif ours:
            made.append((kind, ours))
        if name in {b"prof", b"rICC"}:
            kinds.add("icc_description")
        elif len(ours or b"") < len(content) and kind not in _SETUPS:
            kinds.add("other_metadata")
        seen.add(name)
    return made


def _is_idle(kind: bytes, content: bytes) -> bool:
    """Tell whether a choice of layers chooses what there is: the only one, or all."""
    return content in {b"a1op": {b"\0"}, b"lsel": {b"\0\0", b"\xff\xff"}}.get(kind, set())


def _one(kind: bytes, content: bytes, item: Item) -> bytes | None:
    """Return a property's content written anew; empty where it says nothing, None if unknown."""
    make: dict[bytes, _Make] = {
        b"ispe": lambda: bytes(4) + b"".join(side.to_bytes(4, "big") for side in size_of(item)),
        b"irot": lambda: bytes([unpack("B", content)[0] & 3]),
        b"imir": lambda: bytes([unpack("B", content)[0] & 1]),
        b"pixi": lambda: _depths(content),
        b"colr": lambda: _colour(content),
        b"clap": lambda: _crop(content, item),
        b"pasp": lambda: _aspect(content),
        b"clli": lambda: _light(content),
        b"auxC": lambda: _alpha(content),
    }
    return make[kind]() if kind in make else None


def _light(content: bytes) -> bytes | None:
    """Return the brightest pixel and the brightest picture, where a screen could show them."""
    if len(content) != _LEVELS or max(unpack("HH", content)) > _BRIGHTEST:
        return None
    return content


def _alpha(content: bytes) -> bytes | None:
    urn = content[4:].partition(b"\0")[0]
    return bytes(4) + urn + b"\0" if urn in ALPHA else None


def _depths(content: bytes) -> bytes | None:
    (channels,) = unpack("B", content, 4)
    depths = content[5 : 5 + channels]
    if channels not in _CHANNELS or len(depths) != channels or not set(depths) <= set(_BITS):
        return None
    return bytes(4) + bytes([channels]) + depths


def _colour(content: bytes) -> bytes | None:
    if content[:4] == b"nclx":
        codes = unpack("HHH", content, 4)
        (full,) = unpack("B", content, 10)
        known = [
            code if code <= most else _UNSPECIFIED for code, most in zip(codes, _CODES, strict=True)
        ]
        return b"nclx" + b"".join(code.to_bytes(2, "big") for code in known) + bytes([full & 0x80])
    if content[:4] in {b"prof", b"rICC"}:
        profile = icc.replace(content[4:]).profile
        # A profile of ours even for sRGB: codes in its place would change how luma is read.
        return b"prof" + profile if profile else b""
    return None


def _crop(content: bytes, item: Item) -> bytes:
    """Return a crop in lowest terms; a crop of more than a coder's padding hides a picture.

    What lies beyond a grid has been judged with its tiles; a canvas needs no padding.
    """
    numbers = unpack("IIIIiIiI", content)
    width, height, right, down = (
        Fraction(numbers[at], numbers[at + 1]) if numbers[at + 1] else Fraction(-1)
        for at in range(0, 8, 2)
    )
    whole = size_of(item)
    for side, shift, most in ((width, right, whole[0]), (height, down, whole[1])):
        low = Fraction(most, 2) + shift - side / 2
        if side.denominator != 1 or low.denominator != 1 or low < 0 or low + side > most:
            raise Malformed("a crop beyond its picture")
        if low:
            # A coder's padding is to the right and below.
            raise Unsupported("a crop, behind which a part of the picture is still there")
        if item.kind != b"grid":
            padding.require([most], [side.numerator], padding.BLOCKS.get(item.kind, 1))
    return b"".join(
        value.numerator.to_bytes(4, "big", signed=value < 0) + value.denominator.to_bytes(4, "big")
        for value in (width, height, right, down)
    )


def _aspect(content: bytes) -> bytes:
    across, down = unpack("II", content)
    if not across or not down or across == down:
        return b""
    ratio = Fraction(across, down)
    if max(ratio.numerator, ratio.denominator) > 0xFFFF:  # noqa: PLR2004 - no screen has such pixels
        return b""
    return ratio.numerator.to_bytes(4, "big") + ratio.denominator.to_bytes(4, "big")
