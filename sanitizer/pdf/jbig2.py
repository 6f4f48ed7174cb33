"""JBIG2 inside a PDF, without what is not the picture (ITU-T T.88, 7.2; ISO 32000-1, 7.4.7).

Rule: of the segments those that draw or that drawing needs, each exactly as long as it says;
comments and all that a page may not hold go. What stands inside the coded data is copied: this
is no decoder.
"""

import struct
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.numbers import unpack

_DRAWN = {4, 6, 7, 20, 22, 23, 36, 38, 39, 40, 42, 43}
_TABLES = {0, 16, 53}
_PAGE, _END_OF_STRIPE = 48, 50
# end of page, end of file, profiles, colours, comments and other extensions
_DROPPED = {49, 51, 52, 54, 62}
_MOST_SEGMENTS = 100_000
_UNKNOWN = 0xFFFFFFFF


def cleaned(untrusted: bytes, kinds: set[str], size: tuple[int, int] | None) -> bytes:
    """Return the segments of a page of that size, or of shared tables where it is None.

    Raises Malformed, TooComplex or Unsupported.
    """
    made = []
    for kind, head, body in _segments(untrusted):
        if kind in _DROPPED:
            if kind not in {49, 51}:
                kinds.add("comment")
            continue
        if kind == _PAGE:
            body = _page(body, size)  # noqa: PLW2901 - what is written in its place
        elif kind == _END_OF_STRIPE:
            body = body[:4]  # noqa: PLW2901 - the same
        elif kind not in _DRAWN | _TABLES:
            raise Unsupported("a picture with parts of an unknown kind")
        made.append(head + struct.pack(">I", len(body)) + body)
    if not made:
        raise Malformed("a picture without its data")
    return b"".join(made)


def _page(body: bytes, size: tuple[int, int] | None) -> bytes:
    """Return a page's facts, without how many dots make an inch."""
    width, height = unpack("II", body)
    flags, striping = unpack("BH", body, 16)
    if size is None or width != size[0] or height not in {size[1], _UNKNOWN}:
        raise Malformed("a picture's size contradicts itself")
    return struct.pack(">IIIIBH", width, height, 0, 0, flags, striping)


def _segments(untrusted: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each segment's kind, its head without the length, and its data."""
    at = 0
    for _ in range(_MOST_SEGMENTS):
        if at + 11 > len(untrusted):
            return
        start = at
        number, flags, referred = unpack("IBB", untrusted, at)
        at += 5
        count = referred >> 5
        if count == 7:  # noqa: PLR2004 - the long form
            (count,) = unpack("I", untrusted, at)
            count &= 0x1FFFFFFF
            at += 4 + (count + 8) // 8
        else:
            at += 1
        each = 1 if number <= 256 else 2 if number <= 65536 else 4  # noqa: PLR2004 - T.88, 7.2.5
        at += count * each + (4 if flags & 0x40 else 1)
        head = untrusted[start:at]
        (length,) = unpack("I", untrusted, at)
        at += 4
        if length == _UNKNOWN:
            raise Unsupported("a picture with parts of an unknown length")
        if at + length > len(untrusted):
            raise Malformed("a segment reaches beyond its picture")
        yield flags & 0x3F, head, untrusted[at : at + length]
        at += length
    raise TooComplex("too many parts in a picture")
