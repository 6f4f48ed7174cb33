"""Parameter sets of H.265, written again up to where their own syntax ends.

Rule (ITU-T H.265, 7.3.2.1 to 7.3.2.3, annex E): each bit that stays is one that the standard
gives a meaning in a stream of one layer. Bytes behind the trailing bits go; reserved bits are
blank; what speaks of further layers (annexes F to I: a second eye, depth), whose pictures are
not kept, and of an imagined decoder's buffer (HRD, E.2.2) goes, for no player needs it and both
have room for free bytes; so does extension data that has no meaning yet, which a decoder
ignores. Interface: ``clean(unit)``; a set is read without any other.
"""

from dataclasses import dataclass

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames.reference_sets import lists, reference_sets
from sanitizer.frames.set_bits import SetBits, appearance

VIDEO, SEQUENCE, PICTURE = 32, 33, 34
_HEAD = 2
_MAX_LAYERS = 6
_FULL_CHROMA = 3
_RANGE, _LAYERS, _DEPTH, _SCREEN = 0x80, 0x40, 0x20, 0x10


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a decoder setup repeats of its sequence."""

    profile: bytes
    """Profile, flags and level: 12 bytes."""
    layers: int
    nested: int
    chroma: int
    depths: tuple[int, int]


def clean(untrusted_unit: bytes) -> bytes:
    """Return a set of type 32, 33 or 34, header included; raises Malformed, Unsupported."""
    bits = SetBits(untrusted_unit, _HEAD)
    {VIDEO: _video, SEQUENCE: sequence, PICTURE: _picture}[untrusted_unit[0] >> 1 & 63](bits)
    return bits.unit()


def sequence_of(unit: bytes) -> Sequence:
    """Return what a clean set of type 33 says; raises Malformed."""
    return sequence(SetBits(unit, _HEAD))


def _video(bits: SetBits) -> None:
    bits.take(6)
    bits.blank(6)
    layers = _sub_layers(bits)
    bits.take(1)
    bits.blank(16, 0xFFFF)
    _profile(bits, layers)
    _ordering(bits, layers)
    begin = bits.at
    most = bits.take(6)
    if sets := bits.few(1023):
        bits.take((most + 1) * sets)
        # No layer but the first, and no set of layers but that one.
        bits.replace(begin, 7, 1)
    if bits.take(1):
        bits.take(64)
        bits.golombs(bits.take(1))
        begin = bits.at
        for place in range(bits.few(1024)):
            bits.golomb()
            if place and not bits.take(1):
                raise Unsupported("a video whose buffers are told in parts")
            _buffers(bits, layers)
        bits.replace(begin, 1, 1)
    bits.blank(1)


def _sub_layers(bits: SetBits) -> int:
    layers = bits.take(3)
    if layers > _MAX_LAYERS:
        raise Malformed("a parameter set that says what cannot be")
    return layers


def _profile(bits: SetBits, layers: int) -> None:
    """Read profile and level, of the whole and of the ``layers`` of time below it (7.3.3)."""
    _flags(bits)
    bits.take(8)
    told = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.blank(2 * (8 - layers) if layers else 0)
    for has_profile, has_level in told:
        if has_profile:
            _flags(bits)
        bits.take(8 * has_level)


def _flags(bits: SetBits) -> None:
    """Read a profile: 12 of it are known, and 10 of its constraints."""
    bits.take(20)
    bits.blank(20)
    bits.take(14)
    bits.blank(33)
    bits.take(1)


def _ordering(bits: SetBits, layers: int) -> None:
    bits.golombs(3 * (layers + 1) if bits.take(1) else 3)


def _buffers(bits: SetBits, layers: int) -> None:
    """Read what an imagined decoder would hold (E.2.2)."""
    kinds = bits.take(1) + bits.take(1)
    details = bits.take(1) if kinds else 0
    bits.take(23 + 23 * details if kinds else 0)
    for _ in range(layers + 1):
        is_fixed = bits.take(1) or bits.take(1)
        is_late = 0
        if is_fixed:
            bits.golomb()
        else:
            is_late = bits.take(1)
        count = 1 if is_late else bits.few(31) + 1
        for _ in range(kinds * count):
            bits.golombs(4 if details else 2)
            bits.take(1)


def sequence(bits: SetBits) -> Sequence:
    """Read a sequence (7.3.2.2) and return what its setup repeats."""
    bits.take(4)
    layers, nested = _sub_layers(bits), bits.take(1)
    begin = bits.at
    _profile(bits, layers)
    end = bits.at
    bits.back(begin)
    profile = bits.take(96).to_bytes(12, "big")
    bits.back(end)
    bits.few(15)
    chroma = bits.few(_FULL_CHROMA)
    bits.take(1 if chroma == _FULL_CHROMA else 0)
    bits.golombs(2)
    bits.golombs(4 * bits.take(1))
    depths = (bits.few(8) + 8, bits.few(8) + 8)
    order = bits.few(12) + 4
    _ordering(bits, layers)
    bits.golombs(6)
    if bits.take(1) and bits.take(1):
        lists(bits)
    bits.take(2)
    if bits.take(1):
        bits.take(8)
        bits.golombs(2)
        bits.take(1)
    reference_sets(bits)
    if bits.take(1):
        bits.take((order + 1) * bits.few(32))
    bits.take(2)
    if bits.take(1):
        _looks(bits, layers)
    if bits.take(1):
        _more_sequence(bits, chroma, depths)
    return Sequence(profile, layers + 1, nested, chroma, depths)


def _looks(bits: SetBits, layers: int) -> None:
    """Read the video usability information (E.2.1)."""
    appearance(bits)
    bits.take(3)
    bits.golombs(4 * bits.take(1))
    if bits.take(1):
        bits.take(64)
        bits.golombs(bits.take(1))
        begin = bits.at
        if bits.take(1):
            _buffers(bits, layers)
            bits.replace(begin, 1, 0)
    if bits.take(1):
        bits.take(3)
        bits.golombs(5)


def _extensions(bits: SetBits) -> int:
    """Return which known extensions follow, and leave only those that one layer has."""
    begin = bits.at
    told = bits.take(8)
    if told & _SCREEN and told & (_LAYERS | _DEPTH):
        raise Unsupported("a picture of several layers")
    bits.replace(begin, 8, told & (_RANGE | _SCREEN))
    return told


def _more_sequence(bits: SetBits, chroma: int, depths: tuple[int, int]) -> None:
    """Read the extensions of a sequence: of range, and for screens (7.3.2.2.2, 7.3.2.2.3)."""
    told = _extensions(bits)
    bits.take(9 if told & _RANGE else 0)
    if told & _SCREEN:
        bits.take(1)
        if bits.take(1):
            bits.golombs(2)
            if bits.take(1):
                entries = bits.few(1023) + 1
                bits.take(entries * (depths[0] + (2 * depths[1] if chroma else 0)))
        bits.take(3)


def _picture(bits: SetBits) -> None:
    bits.few(63)
    bits.few(15)
    bits.take(7)
    bits.golombs(3)
    bits.take(1)
    can_skip = bits.take(1)
    bits.golombs(bits.take(1))
    bits.golombs(2)
    bits.take(4)
    has_tiles = bits.take(1)
    bits.take(1)
    if has_tiles:
        columns, rows = bits.few(1023), bits.few(1023)
        bits.golombs(0 if bits.take(1) else columns + rows)
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        bits.take(1)
        bits.golombs(0 if bits.take(1) else 2)
    if bits.take(1):
        lists(bits)
    bits.take(1)
    bits.golomb()
    bits.take(1)
    if bits.take(1):
        _more_picture(bits, can_skip)


def _more_picture(bits: SetBits, can_skip: int) -> None:
    """Read the extensions of a picture's set (7.3.2.3.2, 7.3.2.3.3)."""
    told = _extensions(bits)
    if told & _RANGE:
        bits.golombs(can_skip)
        bits.take(1)
        if bits.take(1):
            bits.golomb()
            bits.golombs(2 * bits.few(5) + 2)
        bits.golombs(2)
    if told & _SCREEN:
        bits.take(1)
        if bits.take(1):
            bits.take(1)
            bits.golombs(3)
        if bits.take(1):
            _palette(bits)


def _palette(bits: SetBits) -> None:
    entries = bits.few(1024)
    if entries:
        is_grey, luma = bits.take(1), bits.few(8) + 8
        chroma = 0 if is_grey else bits.few(8) + 8
        bits.take(entries * (luma + 2 * chroma))
