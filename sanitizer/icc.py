"""Colour profiles: the numbers that make colours right, without whose screen they came from.

Rule: no byte of a stranger's profile is passed on except measured curves and tables of exact
length. sRGB needs no profile; well-known spaces get a small profile of ours; a rare calibrated
one is rebuilt with an empty name, no dates, no makers, no serial numbers.
"""

import struct
from dataclasses import dataclass

_HEADER = 128
_MAX_TAGS = 100
_MAX_PROFILE = 4 << 20
_MAX_CURVE = 4096
_TOLERANCE = 0.004
_CURVE_TOLERANCE = 0.012
_D50 = (0x0000F6D6, 0x00010000, 0x0000D32D)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_SPACES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "sRGB": (
        (0.4361, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141),
        _SRGB_CURVE,
    ),
    "Display P3": (
        (0.51512, 0.2412, -0.00105, 0.29198, 0.69225, 0.04189, 0.1571, 0.06657, 0.78407),
        _SRGB_CURVE,
    ),
    "Adobe RGB": (
        (0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457),
        (2.19921875,),
    ),
}
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
_LUT_TAGS = (b"A2B0", b"A2B1", b"A2B2")
_CHANNELS = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}


@dataclass(frozen=True, slots=True)
class Colour:
    """What to write in place of a profile: nothing when ``is_srgb`` or ``profile`` is None."""

    is_srgb: bool = False
    profile: bytes | None = None


def replace(untrusted: bytes) -> Colour:
    """Return what stands for this profile. Never raises: an unreadable profile is dropped."""
    try:
        return _replace(untrusted)
    except (struct.error, ValueError, KeyError, OverflowError):
        return Colour()


def _replace(untrusted: bytes) -> Colour:
    tags = _tags(untrusted)
    space = untrusted[16:20]
    if space == b"RGB " and all(name in tags for name in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC")):
        colorants = _colorants(tags)
        points = [_curve_at(tags[b"rTRC"], x) for x in (0.1, 0.25, 0.5, 0.75)]
        for name, (known, curve) in _SPACES.items():
            if _close(colorants, known, _TOLERANCE) and _close(
                points, [_para(curve, x) for x in (0.1, 0.25, 0.5, 0.75)], _CURVE_TOLERANCE
            ):
                return Colour(is_srgb=name == "sRGB", profile=_named(name, known, curve))
        return Colour(profile=_rebuilt(untrusted, tags, _matrix_tags(tags)))
    if space == b"GRAY" and b"kTRC" in tags:
        kept = {b"kTRC": _exact_curve(tags[b"kTRC"])}
        return Colour(profile=_rebuilt(untrusted, tags, kept))
    return Colour(profile=_rebuilt(untrusted, tags, _tables(tags, _CHANNELS[space])))


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


def _colorants(tags: dict[bytes, bytes]) -> list[float]:
    values: list[float] = []
    for name in (b"rXYZ", b"gXYZ", b"bXYZ"):
        values += [v / 65536 for v in struct.unpack_from(">iii", tags[name], 8)]
    return values


def _close(left: list[float], right: list[float] | tuple[float, ...], tolerance: float) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))


def _para(parameters: tuple[float, ...], x: float) -> float:
    """Return a parametric curve (gamma alone, or the five numbers of type 3) at ``x``."""
    if len(parameters) == 1:
        return float(x ** parameters[0])
    gamma, a, b, c, d = parameters
    return float((a * x + b) ** gamma) if x >= d else c * x


def _curve_at(tag: bytes, x: float) -> float:
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        numbers = struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)
        values = tuple(v / 65536 for v in numbers)
        if kind not in {0, 3}:
            raise ValueError
        return _para(values, x)
    (count,) = struct.unpack_from(">I", tag, 8)
    if count > _MAX_CURVE:
        raise ValueError
    numbers = struct.unpack_from(f">{count}H", tag, 12)
    if count == 0:
        return x
    if count == 1:
        return float(x ** (numbers[0] / 256))
    place = x * (count - 1)
    low = int(place)
    return float(numbers[low] + (numbers[low + 1] - numbers[low]) * (place - low)) / 65535


def _exact_curve(tag: bytes) -> bytes:
    """Return a curve tag cut to the bytes that its own numbers need."""
    kind = tag[:4]
    if kind == b"para":
        (function,) = struct.unpack_from(">H", tag, 8)
        return _exact(b"para\0\0\0\0", tag, 8, 4 + 4 * _PARAMETERS[function])
    (count,) = struct.unpack_from(">I", tag, 8)
    if kind != b"curv" or count > _MAX_CURVE:
        raise ValueError
    return _exact(b"curv\0\0\0\0", tag, 8, 4 + 2 * count)


def _exact(head: bytes, tag: bytes, start: int, length: int) -> bytes:
    if len(tag) < start + length:
        raise ValueError
    return head + tag[start : start + length]


def _matrix_tags(tags: dict[bytes, bytes]) -> dict[bytes, bytes]:
    kept = {
        name: _exact(b"XYZ \0\0\0\0", tags[name], 8, 12) for name in (b"rXYZ", b"gXYZ", b"bXYZ")
    }
    kept.update({name: _exact_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")})
    return kept


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
            kept[name] = _exact(b"mft1\0\0\0\0", tag, 8, 40 + 256 * (inputs + outputs) + cube)
        else:
            first, last = struct.unpack_from(">HH", tag, 48)
            numbers = first * inputs + last * outputs + cube
            kept[name] = _exact(b"mft2\0\0\0\0", tag, 8, 44 + 2 * numbers)
    if not kept:
        raise ValueError
    return kept


def _rebuilt(untrusted: bytes, tags: dict[bytes, bytes], kept: dict[bytes, bytes]) -> bytes:
    """Return a profile with the same numbers and nothing else."""
    white = _exact(b"XYZ \0\0\0\0", tags[b"wtpt"], 8, 12)
    version = b"\2\x20\0\0" if untrusted[8] < 4 else b"\4\x20\0\0"  # noqa: PLR2004 - ICC v4
    space, connection = untrusted[16:20], untrusted[20:24]
    if connection not in {b"XYZ ", b"Lab "}:
        raise ValueError
    kept = {b"wtpt": white, **kept}
    return _assemble(version, space, connection, _text(b"", version), kept)


def _named(name: str, colorants: tuple[float, ...], curve: tuple[float, ...]) -> bytes:
    """Return our own small profile of a well-known space."""
    xyz = [b"XYZ \0\0\0\0" + _fixed(colorants[i : i + 3]) for i in (0, 3, 6)]
    kind = 0 if len(curve) == 1 else 3
    trc = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(curve)
    version = b"\4\x20\0\0"
    tags = {
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">III", *_D50),
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), xyz, strict=True)),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), trc),
    }
    text = _text(name.encode("utf-16-be"), version)
    return _assemble(version, b"RGB ", b"XYZ ", text, tags)


def _fixed(values: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


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
