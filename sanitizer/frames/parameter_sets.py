"""Parameter sets of H.264, written again up to where their own syntax ends.

Rule (ITU-T H.264, 7.3.2.1, 7.3.2.2 and annex E): each bit that stays is one that the standard
gives a meaning; bytes behind the trailing bits go, reserved bits are zero, and so goes what
speaks of an imagined decoder's buffer (HRD, E.1.2): no player needs it, and it could hold
hundreds of free bytes. Interface: ``AvcSets().clean(unit)``, in the order of the stream, for a
picture's set is read by what its sequence said.
"""

from dataclasses import dataclass

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames.set_bits import MAX_SET, SetBits, appearance

SEQUENCE, PICTURE = 7, 8
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135, 144})
"""Profiles whose sequences say their chroma (7.3.2.1.1); 144 is the withdrawn one of 2003."""
_LOW = frozenset({66, 77, 88})
_LOW_CONSTRAINTS = 0b111000
_FULL_CHROMA = 3
_MOST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What of a sequence decides how its pictures' sets are read."""

    profile: int
    constraints: int
    chroma: int

    @property
    def is_surely_low(self) -> bool:
        """Whether decoders read a picture's set without the fields of the high profiles."""
        return self.profile in _LOW and bool(self.constraints & _LOW_CONSTRAINTS)


class AvcSets:
    """Cleans the sets of one stream."""

    def __init__(self) -> None:
        """Begin without any sequence."""
        self._sequences: dict[int, _Sequence] = {}
        self._done: dict[bytes, bytes] = {}

    def clean(self, untrusted_unit: bytes) -> bytes:
        """Return a set of type 7 or 8, header included; raises Malformed, Unsupported."""
        known = self._done.get(untrusted_unit)
        if known is not None:
            return known
        bits = SetBits(untrusted_unit, 1)
        if untrusted_unit[0] & 31 == SEQUENCE:
            number, sequence = _sequence(bits)
            self._sequences[number] = sequence
            self._done.clear()
        else:
            _picture(bits, self._sequences)
        made = bits.unit()
        if len(self._done) < _MOST_REMEMBERED and len(untrusted_unit) <= MAX_SET:
            self._done[untrusted_unit] = made
        return made


def _sequence(bits: SetBits) -> tuple[int, _Sequence]:
    profile, constraints = bits.take(8), bits.take(6)
    bits.blank(2)
    bits.take(8)
    number, chroma = bits.few(31), 1
    if profile in _HIGH:
        chroma = bits.few(_FULL_CHROMA)
        bits.take(1 if chroma == _FULL_CHROMA else 0)
        bits.golombs(2)
        bits.take(1)
        if bits.take(1):
            _matrices(bits, 12 if chroma == _FULL_CHROMA else 8)
    bits.golomb()
    order = bits.few(2)
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.golombs(2)
        bits.golombs(bits.few(255))
    bits.golomb()
    bits.take(1)
    bits.golombs(2)
    bits.take(1 if bits.take(1) else 2)
    bits.golombs(4 if bits.take(1) else 0)
    if bits.take(1):
        _looks(bits)
    return number, _Sequence(profile, constraints, chroma)


def _matrices(bits: SetBits, count: int) -> None:
    """Read the scaling lists that are there (7.3.2.1.1.1)."""
    for place in range(count):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if place < 6 else 64):  # noqa: PLR2004 - blocks of 4x4 come first
            if following:
                following = (last + bits.signed()) % 256
                last = following or last


def _looks(bits: SetBits) -> None:
    """Read the video usability information (E.1.1)."""
    appearance(bits)
    bits.take(65 * bits.take(1))
    has_buffers = False
    for _ in range(2):
        begin = bits.at
        if bits.take(1):
            _buffers(bits)
            has_buffers = True
            bits.replace(begin, 1, 0)
    if has_buffers:
        begin = bits.at
        bits.take(1)
        bits.replace(begin, 0, 0)
    bits.take(1)
    if bits.take(1):
        bits.take(1)
        bits.golombs(6)


def _buffers(bits: SetBits) -> None:
    """Read what an imagined decoder would hold (E.1.2)."""
    count = bits.few(31) + 1
    bits.take(8)
    for _ in range(count):
        bits.golombs(2)
        bits.take(1)
    bits.take(20)


def _picture(bits: SetBits, sequences: dict[int, _Sequence]) -> None:
    bits.few(255)
    sequence = sequences.get(bits.few(31))
    bits.take(2)
    if bits.golomb():
        raise Unsupported("pictures in groups of slices")
    bits.golombs(2)
    bits.take(3)
    bits.golombs(3)
    bits.take(3)
    if not bits.has_more() or (sequence is not None and sequence.is_surely_low):
        return
    # Here stand the fields of the high profiles; or, in a low one that does not say so firmly,
    # either these or what does not belong here, which no decoder could read to its end.
    begin = bits.at
    try:
        _high(bits, 6 if sequence is not None and sequence.chroma == _FULL_CHROMA else 2)
        is_whole = not bits.has_more()
    except Malformed:
        if sequence is None or sequence.profile not in _LOW:
            raise
        is_whole = False
    if sequence is None and not is_whole:
        raise Unsupported("pictures whose sequence is not known")
    if sequence is not None and sequence.profile in _LOW and not is_whole:
        bits.back(begin)


def _high(bits: SetBits, large: int) -> None:
    has_large = bits.take(1)
    if bits.take(1):
        _matrices(bits, 6 + large * has_large)
    bits.golomb()
