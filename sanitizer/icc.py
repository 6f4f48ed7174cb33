"""Colour profiles: the numbers that make colours right, without whose screen they came from.

Rule (ICC.1:2022): no text, date, maker or serial number of a stranger's profile is passed on.
sRGB needs no profile; well-known spaces get a small profile of ours.  The profile of one screen
(systems put it into each screenshot) is unlike any other's, so its numbers go too: its primaries
are rounded as coarsely, and its curves replaced by ones as plain, as the eye allows.  Lookup
tables (of printers, mostly: a product's, not a person's) are passed on number by number, of exact
length; threat_model.md says so.
"""

import struct
from dataclasses import dataclass

from sanitizer import colours
from sanitizer.colours import Curve, Matrix

_HEADER = 128
_MAX_TAGS = 100
_MAX_PROFILE = 4 << 20
_MAX_CURVE = 4096
_D50 = (0x0000F6D6, 0x00010000, 0x0000D32D)
_WHITE = b"XYZ \0\0\0\0" + struct.pack(">III", *_D50)
# The matrix of a table whose samples are not XYZ must be the one that changes nothing (10.10).
_STRAIGHT = b"\0" + struct.pack(">9I", *(0x10000 * (n % 4 == 0) for n in range(9)))
_LUT_TAGS = (b"A2B0", b"A2B1", b"A2B2")
_CHANNELS = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}
_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES = (b"rTRC", b"gTRC", b"bTRC")
_SPACES = {
    "sRGB": (colours.PRIMARIES["sRGB"], colours.SRGB),
    "Display P3": (colours.PRIMARIES["Display P3"], colours.SRGB),
    "Adobe RGB": (colours.PRIMARIES["Adobe RGB"], colours.curve(2.19921875)),
}
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}


@dataclass(frozen=True, slots=True)
class Colour:
    """What to write in place of a profile: nothing when ``is_srgb`` or ``profile`` is None."""

    is_srgb: bool = False
    profile: bytes | None = None


def replace(untrusted: bytes) -> Colour:
    """Return what stands for this profile. Never raises: an unreadable profile is dropped."""
    try:
        return _replace(untrusted)
    except (struct.error, ValueError, KeyError, OverflowError, ZeroDivisionError):
        return Colour()


def _replace(untrusted: bytes) -> Colour:
    tags = _tags(untrusted)
    space, connection = untrusted[16:20], untrusted[20:24]
    if space == b"RGB " and all(name in tags for name in (*_COLORANTS, *_CURVES)):
        if connection != b"XYZ ":
            raise ValueError
        return _of_screen(untrusted, tags)
    if space == b"GRAY" and b"kTRC" in tags:
        if connection not in {b"XYZ ", b"Lab "}:
            raise ValueError
        curve = colours.plain_curve(_curve(tags[b"kTRC"]))
        return Colour(profile=_ours("", {b"kTRC": curve}, space, connection))
    return Colour(profile=_rebuilt(untrusted, _tables(tags, _CHANNELS[space])))


def _of_screen(untrusted: bytes, tags: dict[bytes, bytes]) -> Colour:
    """Return the profile of a known space, or a plain one that looks like this one."""
    matrix = tuple(
        value for name in _COLORANTS for value in struct.unpack_from(">iii", tags[name], 8)
    )
    theirs = colours.Screen(matrix, [_curve(tags[name]) for name in _CURVES])
    for plain in theirs.settled():
        ours = _of(plain)
        # What we wrote before is left as it is.
        if ours == untrusted:
            return Colour(profile=ours)
    for name, (matrix, curve) in _SPACES.items():
        if theirs.looks_like(colours.Screen(matrix, [curve] * 3)):
            return Colour(is_srgb=name == "sRGB", profile=_named(name, matrix, curve))
    return Colour(profile=_of(theirs.plain()))


def _named(name: str, matrix: Matrix, curve: Curve) -> bytes:
    """Return our own small profile of a well-known space."""
    return _of(colours.Screen(matrix, [curve] * 3), name)


def _of(screen: colours.Screen, name: str = "") -> bytes:
    curves = dict(zip(_CURVES, screen.curves, strict=True))
    return _ours(name, curves, b"RGB ", b"XYZ ", screen.matrix)


def _ours(
    name: str, curves: dict[bytes, Curve], space: bytes, connection: bytes, matrix: Matrix = ()
) -> bytes:
    """Return a profile of our own making."""
    version = b"\4\x20\0\0"
    tags = {b"wtpt": _WHITE}
    for at, colorant in enumerate(_COLORANTS if matrix else ()):
        tags[colorant] = b"XYZ \0\0\0\0" + struct.pack(">iii", *matrix[3 * at : 3 * at + 3])
    tags |= {tag: _written(curve) for tag, curve in curves.items()}
    return _assemble(version, space, connection, _text(name.encode("utf-16-be"), version), tags)


def _written(curve: Curve) -> bytes:
    if curve.table:
        return struct.pack(f">4sII{len(curve.table)}H", b"curv", 0, len(curve.table), *curve.table)
    numbers = [round(value * 65536) for value in curve.parameters]
    kind = 0 if len(numbers) == 1 else 3
    return struct.pack(f">4sIHH{len(numbers)}i", b"para", 0, kind, 0, *numbers)


def _tags(untrusted: bytes) -> dict[bytes, bytes]:
    """Return the tag table; raises ValueError for anything out of bounds."""
    if not _HEADER + 4 <= len(untrusted) <= _MAX_PROFILE or untrusted[36:40] != b"acsp":
        raise ValueError
    (count,) = struct.unpack_from(">I", untrusted, _HEADER)
    if count > _MAX_TAGS:
        raise ValueError
    tags = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", untrusted, _HEADER + 4 + 12 * index)
        tags[name] = untrusted[offset : offset + size]
    return tags


def _curve(tag: bytes) -> Curve:
    """Read a tone curve; raises ValueError for one of an unknown kind."""
    kind = tag[:4]
    if kind == b"para":
        (function,) = struct.unpack_from(">H", tag, 8)
        numbers = struct.unpack_from(f">{_PARAMETERS[function]}i", tag, 12)
        return Curve(tuple(value / 65536 for value in numbers))
    (count,) = struct.unpack_from(">I", tag, 8)
    if kind != b"curv" or count > _MAX_CURVE:
        raise ValueError
    table = struct.unpack_from(f">{count}H", tag, 12)
    if count == 0:
        return Curve((1.0,))
    return Curve((table[0] / 256,)) if count == 1 else Curve((), table)


def _exact(tag: bytes, start: int, length: int) -> bytes:
    if len(tag) < start + length:
        raise ValueError
    return tag[start : start + length]


def _tables(tags: dict[bytes, bytes], channels: int) -> dict[bytes, bytes]:
    """Return the lookup tables towards the connection space, each of its exact length."""
    kept = {}
    for name in _LUT_TAGS:
        tag = tags.get(name, b"")
        if tag[:4] not in {b"mft1", b"mft2"}:
            continue
        inputs, outputs, grid = tag[8], tag[9], tag[10]
        cube = grid**inputs * outputs
        if inputs != channels:
            raise ValueError
        if tag[:4] == b"mft1":
            length = 256 * (inputs + outputs) + cube
            kept[name] = tag[:4] + bytes(4) + tag[8:11] + _STRAIGHT + _exact(tag, 48, length)
        else:
            first, last = struct.unpack_from(">HH", tag, 48)
            numbers = first * inputs + last * outputs + cube
            lengths = _exact(tag, 48, 4 + 2 * numbers)
            kept[name] = tag[:4] + bytes(4) + tag[8:11] + _STRAIGHT + lengths
    if not kept:
        raise ValueError
    return kept


def _rebuilt(untrusted: bytes, kept: dict[bytes, bytes]) -> bytes:
    """Return a profile with the same tables and nothing else."""
    version = b"\2\x20\0\0" if untrusted[8] < 4 else b"\4\x20\0\0"  # noqa: PLR2004 - ICC v4
    space, connection = untrusted[16:20], untrusted[20:24]
    if connection not in {b"XYZ ", b"Lab "}:
        raise ValueError
    kept = {b"wtpt": _WHITE, **kept}
    return _assemble(version, space, connection, _text(b"", version), kept)


def _text(utf16: bytes, version: bytes) -> bytes:
    """Return a description tag: a v4 text, or the empty v2 one."""
    if version[0] == 4:  # noqa: PLR2004 - the ICC version
        return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(utf16), 28) + utf16
    return b"desc\0\0\0\0" + struct.pack(">I", 1) + bytes(1 + 4 + 4 + 2 + 1 + 67)


def _assemble(
    version: bytes, space: bytes, connection: bytes, text: bytes, tags: dict[bytes, bytes]
) -> bytes:
    copyright_text = text if version[0] == 4 else b"text\0\0\0\0\0"  # noqa: PLR2004 - ICC v4
    every = {b"desc": text, b"cprt": copyright_text, **tags}
    table = struct.pack(">I", len(every))
    at = _HEADER + 4 + 12 * len(every)
    body, places = b"", dict[bytes, int]()
    for name, data in every.items():
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    kind = b"mntr" if space != b"CMYK" else b"prtr"
    head = struct.pack(">I", at + len(body)) + bytes(4) + version + kind + space + connection
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">III", *_D50)
    return head.ljust(_HEADER, b"\0") + table + body
