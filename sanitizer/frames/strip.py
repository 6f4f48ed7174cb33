"""Take the messages out of a coded frame: supplemental information, filler, private units.

Rule: pictures by an allow-list of unit types (H.264 and H.265, table 7-1; AV1, 6.2.2): a unit
stays whole or goes whole, but for parameter sets, which are cut where their syntax ends; a frame
whose units do not add up is malformed, not guessed at.
Sound keeps its packets' lengths: what AAC can say before it sounds is blanked.
"""

from collections.abc import Callable
from functools import partial

from sanitizer.errors import Malformed
from sanitizer.frames import parameter_sets_hevc, sequence, setup
from sanitizer.frames.parameter_sets import AvcSets

Strip = Callable[[bytes], bytes]
_DATA, _FILL = 4, 6
# Fill elements that shape the sound: dynamic range, spatial audio, band replication.
_SOUNDING = {0b1011, 0b1100, 0b1101, 0b1110}
# Not 2 to 4, a picture in parts by importance: decoders of today step over them, whatever they say.
_AVC_KEPT = frozenset({1, 5, 7, 8, 9, 10, 11})
_HEVC_KEPT = frozenset({*range(10), *range(16, 22), *range(32, 38)})
# First bytes of the units that stay: their type and, for H.264, how much depends on them.
_AVC_HEADS = frozenset(
    # Nothing depends on a delimiter or an end.
    byte
    for byte in range(128)
    if byte & 31 in _AVC_KEPT and (byte < 32 or byte & 31 < 9)  # noqa: PLR2004 - see above
)
_HEVC_HEADS = frozenset(kind << 1 for kind in _HEVC_KEPT)
_AVC_SETS = frozenset(byte for byte in _AVC_HEADS if byte & 31 in {7, 8})
_HEVC_SETS = frozenset(kind << 1 for kind in range(32, 35))
# Units of a few bits have few forms: a delimiter, which says three bits, and two kinds of end.
_THREE_BITS = [bytes([kind << 5 | 16]) for kind in range(8)]
AVC_SHORT = {9: frozenset(b"\t" + bits for bits in _THREE_BITS)} | {
    kind: frozenset({bytes([kind])}) for kind in (10, 11)
}
HEVC_SHORT = {
    70: frozenset(bytes([70, layer]) + bits for layer in range(1, 8) for bits in _THREE_BITS)
} | {kind << 1: frozenset({bytes([kind << 1, 1])}) for kind in (36, 37)}
_NOTHING = -1
_BASE_LAYER = frozenset(bytes([layer]) for layer in range(1, 8))
_AV1_SEQUENCE = 1
# Not 7, a header that comes again: what it says stands before it, and nobody compares.
_AV1_KEPT = frozenset({3, 4, 6})


def avc(width: int, record: bytes = b"") -> Strip:
    """Return what strips a frame of H.264 whose units are led by lengths of ``width`` bytes.

    ``record`` is the setup: pictures' sets in frames may belong to the sequences in it.
    """
    sets = AvcSets()
    if record:
        setup.avc(record, sets)
    return partial(_nal_units, width, (_AVC_HEADS, _AVC_SETS), AVC_SHORT, sets.clean)


def hevc(width: int) -> Strip:
    """Return what strips a frame of H.265 whose units are led by lengths of ``width`` bytes.

    Units of further layers (a second eye, depth) go: without the boxes that announce them no
    player would show them.
    """
    clean = parameter_sets_hevc.clean
    return partial(_nal_units, width, (_HEVC_HEADS, _HEVC_SETS), HEVC_SHORT, clean)


def _nal_units(
    width: int,
    kept: tuple[frozenset[int], frozenset[int]],
    short: dict[int, frozenset[bytes]],
    clean: Callable[[bytes], bytes],
    untrusted: bytes,
) -> bytes:
    """Return the units whose first byte is on the list; the ``short`` in one of their forms alone.

    ``kept`` are the first bytes of all that stay, and of the sets, which ``clean`` writes anew.
    """
    stay: list[bytes] = []
    heads, sets = kept
    has_layers = heads is _HEVC_HEADS
    at = begin = 0
    end = len(untrusted)
    while at < end:
        body = at + width
        following = body + int.from_bytes(untrusted[at:body], "big")
        if body > end or following > end:
            raise Malformed("a picture whose parts do not add up")
        # Some encoders pad with units of no length.
        first = untrusted[body] if following > body else _NOTHING
        if (
            first not in heads
            or (first in short and untrusted[body:following] not in short[first])
            or (has_layers and untrusted[body + 1 : min(body + 2, following)] not in _BASE_LAYER)
        ):
            stay.append(untrusted[begin:at])
            begin = following
        elif first in sets:
            unit = untrusted[body:following]
            made = clean(unit)
            if made != unit:
                stay += [untrusted[begin:at], _led(width, made)]
                begin = following
        at = following
    return untrusted if begin == 0 else b"".join([*stay, untrusted[begin:]])


def _led(width: int, unit: bytes) -> bytes:
    if len(unit) >> 8 * width:
        raise Malformed("a picture whose parts do not add up")
    return len(unit).to_bytes(width, "big") + unit


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
        body, at = at, at + length if head & 2 else end
        if at > end:
            raise Malformed("a picture whose parts do not add up")
        kind = head >> 3 & 15
        if kind == _AV1_SEQUENCE:
            stay.append(sequence.unit(untrusted[body:at]))
        elif kind in _AV1_KEPT:
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
