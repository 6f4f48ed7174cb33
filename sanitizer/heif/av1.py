"""A still picture in AV1: one sequence header and one frame.

Rule (AV1, 5.3 to 5.11; AV1 Image File Format, 2.1): units are written with the shortest header
and length there is; metadata, padding, copies of headers and private units go. Several layers
or frames are refused, for one of them could be another picture.
"""

from dataclasses import dataclass

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.frames import sequence

_SEQUENCE, _DELIMITER, _HEADER, _TILES, _METADATA, _FRAME = 1, 2, 3, 4, 5, 6
_COPY, _PADDING = 7, 15
_EXTENDED, _SIZED = 4, 2
_MAX_LENGTH_BYTES = 5
_SETUP = 4
_MAX_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its type, and where its content begins and ends."""

    kind: int
    start: int
    end: int

    def head(self) -> bytes:
        """Return the header and the length of the unit, as short as they can be."""
        made, left = bytearray([self.kind << 3 | _SIZED]), self.end - self.start
        while left > 127:  # noqa: PLR2004 - LEB128: seven bits in each byte
            made.append(left & 127 | 128)
            left >>= 7
        made.append(left)
        return bytes(made)


def setup(untrusted: bytes) -> bytes:
    """Return av1C (AV1 in ISOBMFF, 2.3) without what the picture itself says again."""
    if len(untrusted) < _SETUP or untrusted[0] != 0x81:  # noqa: PLR2004 - marker and version
        raise Malformed("a decoder setup of an unknown kind")
    return untrusted[:3] + b"\0"


def units(untrusted: bytes, kinds: set[str]) -> list[Unit]:
    """Return the units that stay; raises Malformed or Unsupported."""
    kept: list[Unit] = []
    at, end, number = 0, len(untrusted), 0
    while at < end:
        number += 1
        if number > _MAX_UNITS:
            raise TooComplex("too many parts in a picture")
        head = untrusted[at]
        at += 1
        if head & _EXTENDED:
            if untrusted[at : at + 1] > b"\7":
                raise Unsupported("a picture of several layers")
            at += 1
        stop = end
        if head & _SIZED:
            length, at = _length(untrusted, at)
            stop = at + length
        if stop > end or at > end or head & 0x80:
            raise Malformed("a picture whose parts do not add up")
        kind = head >> 3 & 15
        if kind in {_SEQUENCE, _HEADER, _TILES, _FRAME}:
            kept.append(Unit(kind, at, _end(kind, untrusted[at:stop], kinds) + at))
        elif kind != _DELIMITER or at != stop:
            kinds.add("sei" if kind == _METADATA else "other_metadata")
        at = stop
    _judge([unit.kind for unit in kept])
    return kept


def _end(kind: int, content: bytes, kinds: set[str]) -> int:
    """Return how many bytes of a unit stay: of a sequence header, what its syntax takes."""
    end = sequence.end_of(content) if kind == _SEQUENCE else len(content)
    if end < len(content):
        kinds.add("other_metadata")
    return end


def _judge(order: list[int]) -> None:
    """Raise unless there is a sequence header, and then one frame in one or several units."""
    if order[:1] != [_SEQUENCE] or order[1:2] not in ([_FRAME], [_HEADER]):
        raise Malformed("a picture without its header")
    if set(order[2:]) - {_TILES} or (order[1] == _HEADER) != (len(order) > 2):  # noqa: PLR2004 - the headers
        raise Unsupported("several pictures in the place of one")


def _length(untrusted: bytes, at: int) -> tuple[int, int]:
    length = 0
    for place in range(_MAX_LENGTH_BYTES):
        byte = untrusted[at + place : at + place + 1]
        length |= (byte[0] & 127 if byte else 0) << 7 * place
        if byte < b"\x80":
            return length, at + place + 1
    raise Malformed("a picture whose parts do not add up")
