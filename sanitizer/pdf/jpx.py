"""JPEG 2000 inside a PDF, without what is not the picture (ITU-T T.800, annexes A and I).

Rule: of the boxes those that a decoder needs, of the marker segments all but comments and tables
of places, every tile-part exactly as long as it says, nothing behind the end. What stands inside
a tile's packets is copied: this is no decoder.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sanitizer import icc
from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.numbers import unpack

_SIGNATURE = struct.pack(">I4sI", 12, b"jP  ", 0x0D0A870A)
_TYPE = struct.pack(">I4s4sI4s", 20, b"ftyp", b"jp2 ", 0, b"jp2 ")
_HEADERS = (b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef")
_SOT, _SOD, _EOC, _SIZ, _COM = 0xFF90, 0xFF93, 0xFFD9, 0xFF51, 0xFF64
# COD COC QCD QCC RGN POC PPM PPT CRG, and the capabilities of part 2 and 15 are not: CAP CPF
_KEPT = {0xFF51, 0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F, 0xFF60, 0xFF61, 0xFF63}
# TLM PLM PLT COM
_DROPPED = {0xFF55, 0xFF57, 0xFF58, 0xFF64}
_MOST_PARTS = 200_000
_ENUMERATED = {16, 17, 18, 12, 14, 0, 20}


@dataclass(frozen=True, slots=True)
class Picture:
    """A cleaned picture and the size that it has."""

    data: bytes
    width: int
    height: int


def cleaned(untrusted: bytes, kinds: set[str]) -> Picture:
    """Return a picture alone; raises Malformed, TooComplex or Unsupported."""
    if untrusted.startswith(b"\xff\x4f\xff\x51"):
        return _codestream(untrusted, kinds)
    header, picture = b"", None
    for kind, body in _boxes(untrusted):
        if kind == b"jp2h" and not header:
            header = _header(body)
        elif kind == b"jp2c" and picture is None:
            picture = _codestream(body, kinds)
        elif kind not in {b"jP  ", b"ftyp"}:
            kinds.add("xmp" if kind == b"uuid" else "other_metadata")
    if not header or picture is None:
        raise Malformed("a picture without its data")
    data = _SIGNATURE + _TYPE + _box(b"jp2h", header) + _box(b"jp2c", picture.data)
    return Picture(data, picture.width, picture.height)


def _boxes(untrusted: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_MOST_PARTS):
        if at + 8 > len(untrusted):
            return
        length, kind = struct.unpack_from(">I4s", untrusted, at)
        head = 8
        if length == 1:
            (length,), head = unpack("Q", untrusted, at + 8), 16
        if length == 0:
            length = len(untrusted) - at
        if length < head or at + length > len(untrusted):
            raise Malformed("a box reaches beyond its picture")
        yield kind, untrusted[at + head : at + length]
        at += length
    raise TooComplex("too many boxes in a picture")


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _header(untrusted: bytes) -> bytes:
    made = b""
    for kind, body in _boxes(untrusted):
        if kind == b"colr":
            body = _colours(body)  # noqa: PLW2901 - what is written in its place
        if kind in _HEADERS and body:
            made += _box(kind, _cut(kind, body))
    if made[4:8] != b"ihdr":
        raise Malformed("a picture without a header")
    return made


def _cut(kind: bytes, body: bytes) -> bytes:
    """Return a box of exactly the length that its own numbers need."""
    if kind == b"ihdr":
        return body[:14]
    if kind == b"pclr":
        entries, columns = unpack("HB", body)
        depths = body[3 : 3 + columns]
        width = sum((depth & 0x7F) // 8 + 1 for depth in depths)
        return body[: 3 + columns + entries * width]
    if kind == b"cdef":
        (count,) = unpack("H", body)
        return body[: 2 + 6 * count]
    return body[: len(body) // 4 * 4] if kind == b"cmap" else body


def _colours(body: bytes) -> bytes:
    """Return a colour box: a known space by number, or a profile of ours, or nothing."""
    if len(body) >= 7 and body[0] == 1:  # noqa: PLR2004 - a number of four bytes
        (space,) = unpack("I", body, 3)
        return b"\1\0\0" + struct.pack(">I", space) if space in _ENUMERATED else b""
    profile = icc.replace(body[3:]).profile
    return b"\2\0\0" + profile if profile else b""


def _codestream(untrusted: bytes, kinds: set[str]) -> Picture:
    """Return a codestream: its main header, then every tile-part."""
    if not untrusted.startswith(b"\xff\x4f\xff\x51"):
        raise Malformed("a picture without a beginning")
    made, at, size = [b"\xff\x4f"], 2, (0, 0)
    for _ in range(_MOST_PARTS):
        (marker,) = unpack("H", untrusted, at)
        if marker == _EOC:
            return Picture(b"".join([*made, b"\xff\xd9"]), *size)
        if marker == _SOT:
            at = _tile_part(untrusted, at, made, kinds)
            if at >= len(untrusted):
                return Picture(b"".join([*made, b"\xff\xd9"]), *size)
            continue
        segment = _segment(untrusted, at)
        if marker == _SIZ:
            right, bottom, left, top = unpack("IIII", segment, 6)
            size = (right - left, bottom - top)
        at += len(segment)
        _keep(marker, segment, made, kinds)
    raise TooComplex("too many parts in a picture")


def _segment(untrusted: bytes, at: int) -> bytes:
    (length,) = unpack("H", untrusted, at + 2)
    segment = untrusted[at : at + 2 + length]
    if len(segment) != 2 + length or length < 2:  # noqa: PLR2004 - the length counts itself
        raise Malformed("a segment reaches beyond its picture")
    return segment


def _keep(marker: int, segment: bytes, made: list[bytes], kinds: set[str]) -> None:
    if marker in _KEPT:
        made.append(segment)
    elif marker in _DROPPED:
        kinds |= {"comment"} if marker == _COM else set()
    else:
        raise Unsupported("a picture with parts of an unknown kind")


def _tile_part(untrusted: bytes, at: int, made: list[bytes], kinds: set[str]) -> int:
    """Write one tile-part; return where it ends."""
    tile, length, part, parts = unpack("HIBB", untrusted, at + 4)
    end = at + length if length else len(untrusted) - 2 * untrusted.endswith(b"\xff\xd9")
    begin, place = at, at + 12
    if end > len(untrusted) or end < place:
        raise Malformed("a tile reaches beyond its picture")
    kept: list[bytes] = []
    while True:
        (marker,) = unpack("H", untrusted, place)
        if marker == _SOD:
            break
        segment = _segment(untrusted, place)
        place += len(segment)
        if place > end:
            raise Malformed("a tile's header reaches beyond it")
        _keep(marker, segment, kept, kinds)
    body = b"".join([*kept, untrusted[place:end]])
    made.append(struct.pack(">HHHIBB", _SOT, 10, tile, 12 + len(body), part, parts) + body)
    return max(end, begin + 12)
