"""Take the messages out of a coded frame: supplemental information, filler, private units.

Rule: pictures by an allow-list of unit types (H.264 and H.265, table 7-1; AV1, 6.2.2): a unit
stays whole or goes whole, and a frame whose units do not add up is malformed, not guessed at.
Sound keeps its packets' lengths: what AAC can say before it sounds is blanked.
"""

from collections.abc import Callable
from functools import partial

from sanitizer.errors import Malformed

Strip = Callable[[bytes], bytes]
_DATA, _FILL = 4, 6
# Fill elements that shape the sound: dynamic range, spatial audio, band replication.
_SOUNDING = {0b1011, 0b1100, 0b1101, 0b1110}
_AVC_KEPT = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 10, 11})
_HEVC_KEPT = frozenset({*range(10), *range(16, 22), *range(32, 38)})
_AV1_KEPT = frozenset({1, 3, 4, 6, 7})


def avc(width: int) -> Strip:
    """Return what strips a frame of H.264 whose units are led by lengths of ``width`` bytes."""
    return partial(_nal_units, width, _AVC_KEPT, 0, 31)


def hevc(width: int) -> Strip:
    """Return what strips a frame of H.265 whose units are led by lengths of ``width`` bytes."""
    return partial(_nal_units, width, _HEVC_KEPT, 1, 63)


def _nal_units(width: int, kept: frozenset[int], shift: int, mask: int, untrusted: bytes) -> bytes:
    stay: list[bytes] = []
    at = begin = 0
    end = len(untrusted)
    while at < end:
        body = at + width
        following = body + int.from_bytes(untrusted[at:body], "big")
        if body >= end or following > end or following == body:
            raise Malformed("a picture whose parts do not add up")
        if untrusted[body] >> shift & mask not in kept:
            stay.append(untrusted[begin:at])
            begin = following
        at = following
    return untrusted if begin == 0 else b"".join([*stay, untrusted[begin:]])


def av1(untrusted: bytes) -> bytes:
    """Return a frame of AV1 without its metadata, padding and private units."""
    stay: list[bytes] = []
    at, end = 0, len(untrusted)
    while at < end:
        start, head = at, untrusted[at]
        at += 2 if head & 4 else 1
        length = shift = 0
        while head & 2:
            if at >= end or shift > 28:  # noqa: PLR2004 - a LEB128 of more than 32 bits
                raise Malformed("a picture whose parts do not add up")
            byte = untrusted[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004 - the last byte of a LEB128
                break
        at = at + length if head & 2 else end
        if at > end:
            raise Malformed("a picture whose parts do not add up")
        if head >> 3 & 15 in _AV1_KEPT:
            stay.append(untrusted[start:at])
    return b"".join(stay)


def aac(untrusted: bytes) -> bytes:
    """Blank the data and fill elements that a packet begins with (ISO/IEC 14496-3, 4.4.2).

    They stay where they are, empty, for all behind them is counted from there. Elements behind
    the sound itself could be found by decoding it alone, which is not done.
    """
    if not untrusted or untrusted[0] >> 5 not in {_DATA, _FILL}:
        return untrusted
    bits = int.from_bytes(untrusted, "big")
    total, at = len(untrusted) * 8, 0

    def take(width: int) -> int:
        nonlocal at
        at += width
        if at > total:
            raise Malformed("a packet of sound whose parts do not add up")
        return bits >> (total - at) & ((1 << width) - 1)

    while (element := take(3)) in {_DATA, _FILL}:
        if element == _FILL:
            length = take(4)
            length += take(8) - 1 if length == 15 else 0  # noqa: PLR2004 - the escape
            kind = bits >> max(0, total - at - 4) & 15
        else:
            aligned = take(5) & 1
            length = take(8)
            length += take(8) if length == 255 else 0  # noqa: PLR2004 - the escape
            at += -at % 8 if aligned else 0
            kind = 0
        take(8 * length)
        if kind not in _SOUNDING:
            bits &= ~(((1 << 8 * length) - 1) << (total - at))
    return bits.to_bytes(len(untrusted), "big")
