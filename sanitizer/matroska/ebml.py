"""Elements of EBML (RFC 8794): an id, a length, a content; read with bounds, written in one form.

Rule: no length is believed before it has been compared with what is there; what is written has
one possible spelling, so that the choice between spellings can say nothing.
"""

import struct
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pieces import read_exactly
from sanitizer.source import UntrustedSource

WINDOW = 4 << 20
"""Bytes read from a source at a time: frames that straddle two windows are read twice."""
_LONGEST_HEADER = 12
_MOST_CHILDREN = 4096
_EIGHT_BYTES = 1 << 56
_DOUBLE = 8

Header = tuple[int, int, int | None]
"""(id with its marker, where the content begins, its length or None where that is unknown)."""


def number(untrusted: bytes, at: int, end: int) -> tuple[int | None, int, int]:
    """Return (value, following place, width) of a variable-length number (RFC 8794, section 4).

    The value is None where all its bits are set, which means an unknown length.
    """
    if at >= end or not untrusted[at]:
        raise Malformed("an element with an impossible length")
    width = 9 - untrusted[at].bit_length()
    following = at + width
    if following > end:
        raise Malformed("an element is cut short")
    mask = (1 << 7 * width) - 1
    value = int.from_bytes(untrusted[at:following], "big") & mask
    return (None if value == mask else value), following, width


def header(untrusted: bytes, at: int, end: int) -> Header | None:
    """Return the header that stands at ``at``; None where ``end`` comes before its own end."""
    if at >= end:
        return None
    width = 9 - untrusted[at].bit_length()
    if width > 4:  # noqa: PLR2004 - the longest id
        raise Malformed("an element with an impossible id")
    begin = at + width
    if begin >= end:
        return None
    first = untrusted[begin]
    if not first:
        raise Malformed("an element with an impossible length")
    content = begin + 9 - first.bit_length()
    if content > end:
        return None
    mask = (1 << 7 * (content - begin)) - 1
    size = int.from_bytes(untrusted[begin:content], "big") & mask
    return int.from_bytes(untrusted[at:begin], "big"), content, None if size == mask else size


def children(untrusted: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (id, content) of the elements of one level, which must hold nothing else."""
    at, end = 0, len(untrusted)
    for _ in range(_MOST_CHILDREN):
        if at == end:
            return
        found = header(untrusted, at, end)
        if found is None or found[2] is None or found[1] + found[2] > end:
            raise Malformed("an element is longer than what holds it")
        at = found[1] + found[2]
        yield found[0], untrusted[found[1] : at]
    raise TooComplex("too many elements")


def unsigned(untrusted: bytes) -> int:
    """Return an unsigned number; an empty one is zero."""
    if len(untrusted) > 8:  # noqa: PLR2004 - the longest number
        raise Malformed("a number of an impossible length")
    return int.from_bytes(untrusted, "big")


def signed(untrusted: bytes) -> int:
    """Return a signed number; an empty one is zero."""
    if len(untrusted) > 8:  # noqa: PLR2004 - the longest number
        raise Malformed("a number of an impossible length")
    return int.from_bytes(untrusted, "big", signed=True)


def floating(untrusted: bytes) -> float:
    """Return a floating-point number that is finite; an empty one is zero."""
    layout = {0: "", 4: ">f", 8: ">d"}.get(len(untrusted))
    if layout is None:
        raise Malformed("a number of an impossible length")
    value: float = struct.unpack(layout, untrusted)[0] if layout else 0.0
    if value - value != 0.0:
        raise Malformed("a number that is none")
    return value


def element(kind: int, *contents: bytes) -> bytes:
    """Return an element with the shortest length there is for its content."""
    content = b"".join(contents)
    width = 1
    while len(content) >= (1 << 7 * width) - 1:
        width += 1
    size = (1 << 7 * width) | len(content)
    return _id(kind) + size.to_bytes(width, "big") + content


def natural(kind: int, value: int) -> bytes:
    """Return an element with an unsigned number in as few bytes as it needs."""
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def integer(kind: int, value: int) -> bytes:
    """Return an element with a signed number in as few bytes as it needs."""
    bits = (value if value >= 0 else ~value).bit_length() + 1
    return element(kind, value.to_bytes((bits + 7) // 8, "big", signed=True))


def double(kind: int, value: float) -> bytes:
    """Return an element with a floating-point number of eight bytes."""
    return element(kind, struct.pack(">d", value))


def eight(kind: int, value: int) -> bytes:
    """Return an element with an unsigned number of eight bytes, whatever it is."""
    return element(kind, value.to_bytes(_DOUBLE, "big"))


def head_of(kind: int, size: int) -> bytes:
    """Return id and length of an element that holds others; the length has eight bytes."""
    return _id(kind) + (_EIGHT_BYTES | size).to_bytes(8, "big")


def _id(kind: int) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big")


class Window:
    """A source, read in windows; asked for places that mostly grow."""

    def __init__(self, source: UntrustedSource) -> None:
        """Take the source; nothing is read yet."""
        self.length = source.length
        self._source = source
        self._data = b""
        self._start = 0

    def header(self, at: int, end: int) -> Header | None:
        """Return the header at ``at`` with places in the source; None where it is cut short."""
        within = at - self._start
        if within < 0 or within + _LONGEST_HEADER > len(self._data):
            self._data = self._source.read_at(at, WINDOW)
            self._start, within = at, 0
        found = header(self._data, within, min(len(self._data), end - self._start))
        return None if found is None else (found[0], found[1] + self._start, found[2])

    def read(self, at: int, length: int) -> bytes:
        """Return ``length`` bytes; raises Malformed where the source ends before."""
        within = at - self._start
        if within < 0 or within + length > len(self._data):
            if length > WINDOW:
                return read_exactly(self._source, at, length)
            self._data = self._source.read_at(at, WINDOW)
            self._start, within = at, 0
            if length > len(self._data):
                raise Malformed("the file ends in the middle of a part")
        return self._data[within : within + length]
