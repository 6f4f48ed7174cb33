"""A still picture in H.265: one coded picture and the parameter sets that it names.

Rule (ITU-T H.265, 7.3; ISO/IEC 14496-15, 8.3.3; 23008-12, B.2): the slices of one intra picture
remain, and of the parameter sets those that its slices use. The setup's header is written from
the sequence's own numbers, its hints and reserved bits are ours; the units' lengths too.
"""

from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex, TooManyPixels, Unsupported
from sanitizer.frames import parameter_sets_hevc
from sanitizer.frames.bits import Bits, unescaped
from sanitizer.heif import padding
from sanitizer.limits import Limits
from sanitizer.numbers import unpack

VPS, SPS, PPS = 32, 33, 34
_INTRA = range(16, 22)
_SETS = {VPS, SPS, PPS}
_MESSAGES = {39, 40}
_MAX_SET = 4096
_MAX_SETS = 64
_MAX_UNITS = 10_000
_GENERAL_PROFILE = slice(1, 13)
_FULL_CHROMA = 3
_MAX_DEPTH = 16
_MAX_BLOCK = 6
# Of chroma at half the width, and at half the height: in what steps a picture is cut (6.2).
_STEPS = {1: (2, 2), 2: (2, 1)}


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a sequence parameter set says, as far as the setup repeats it."""

    number: int
    video: int
    profile: bytes
    layers: int
    nested: int
    chroma: int
    depths: tuple[int, int]
    width: int
    height: int
    window: tuple[int, int, int, int]
    """What the stream itself cuts off: left, right, top and bottom, in pixels."""
    block: int
    """Side of the longest coding block, in pixels."""

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Sequence":
        """Read a unit, header included (H.265, 7.3.2.2); raises Malformed."""
        raw = unescaped(untrusted[2:])
        bits = Bits(raw)
        video, layers, nested = bits.take(4), bits.take(3) + 1, bits.take(1)
        bits.take(96)
        flags = [(bits.take(1), bits.take(1)) for _ in range(layers - 1)]
        bits.take(2 * (9 - layers) if layers > 1 else 0)
        for has_profile, has_level in flags:
            bits.take(88 * has_profile + 8 * has_level)
        number, chroma = bits.golomb(), bits.golomb()
        bits.take(1 if chroma == _FULL_CHROMA else 0)
        width, height = bits.golomb(), bits.golomb()
        edges = [bits.golomb() for _ in range(4)] if bits.take(1) else [0] * 4
        across, down = _STEPS.get(chroma, (1, 1))
        window = (edges[0] * across, edges[1] * across, edges[2] * down, edges[3] * down)
        depths = (bits.golomb() + 8, bits.golomb() + 8)
        if chroma > _FULL_CHROMA or max(depths) > _MAX_DEPTH or number >= 16:  # noqa: PLR2004 - sequences
            raise Malformed("a parameter set that says what cannot be")
        bits.golomb()
        for _ in range(3 * (layers if bits.take(1) else 1)):
            bits.golomb()
        block = bits.golomb() + 3 + bits.golomb()
        if block > _MAX_BLOCK:
            raise Malformed("a parameter set that says what cannot be")
        profile = raw[_GENERAL_PROFILE]
        told = (number, video, profile, layers, nested, chroma, depths, width, height)
        return cls(*told, window, 1 << block)

    def judge(self, shown: tuple[int, int]) -> None:
        """Raise Unsupported where more lies beyond what is shown than a coder's padding.

        Of what the item says and what the stream says, the smaller counts.
        """
        left, right, top, bottom = self.window
        if left or top:
            raise Unsupported("a crop, behind which a part of the picture is still there")
        width, height = min(shown[0], self.width - right), min(shown[1], self.height - bottom)
        padding.require_coded((self.width, self.height), (width, height), self.block)

    def header(self) -> bytes:
        """Return the 22 bytes that lead a setup, with lengths of four bytes."""
        luma, chroma = self.depths
        return (
            b"\1"
            + self.profile
            + bytes([0xF0, 0, 0xFC, 0xFC | self.chroma, 0xF8 | luma - 8, 0xF8 | chroma - 8, 0, 0])
            + bytes([self.layers << 3 | self.nested << 2 | 3])
        )


@dataclass(slots=True)
class Setup:
    """A decoder setup as the file tells it."""

    width: int
    sets: dict[int, list[bytes]] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, untrusted: bytes, kinds: set[str]) -> "Setup":
        """Read an hvcC; raises Malformed, TooComplex."""
        sizes, arrays = unpack("BB", untrusted, 21)
        setup, at, number = cls((sizes & 3) + 1), 23, 0
        for _ in range(arrays):
            kind, count = unpack("BH", untrusted, at)
            at += 3
            for _ in range(count):
                (length,) = unpack("H", untrusted, at)
                unit = untrusted[at + 2 : at + 2 + length]
                at += 2 + length
                number += 1
                if at > len(untrusted) or not unit:
                    raise Malformed("a parameter set is cut short")
                if number > _MAX_SETS:
                    raise TooComplex("too many parameter sets")
                if kind & 63 in _SETS and _is_plain(unit, kind & 63) and length <= _MAX_SET:
                    setup.sets.setdefault(kind & 63, []).append(unit)
                else:
                    kinds.add("sei" if kind & 63 in _MESSAGES else "other_metadata")
        if at < len(untrusted):
            kinds.add("other_metadata")
        return setup

    def of(
        self, pictures: set[int], shown: tuple[int, int], limits: Limits, kinds: set[str]
    ) -> bytes:
        """Return the setup for slices that use these picture parameter sets, written anew.

        ``shown`` is the size that the item is shown at.
        """
        sequences = {Sequence.from_bytes(unit).number: unit for unit in self.sets.get(SPS, [])}
        named = {_picture_set(unit): unit for unit in self.sets.get(PPS, [])}
        videos = {unit[2] >> 4: unit for unit in self.sets.get(VPS, []) if len(unit) > 2}  # noqa: PLR2004 - its header
        used = sorted(pictures)
        table = {number: (sequence, unit) for (number, sequence), unit in named.items()}
        if not used or not set(used) <= set(table):
            raise Malformed("a picture without its parameter sets")
        first = {table[number][0] for number in used}
        if len(first) != 1 or not first <= set(sequences):
            raise Malformed("a picture without its parameter sets")
        unit = sequences[first.pop()]
        sequence = Sequence.from_bytes(parameter_sets_hevc.clean(unit))
        if sequence.video not in videos:
            raise Malformed("a picture without its parameter sets")
        if sequence.width * sequence.height > 2 * limits.image_pixels:
            raise TooManyPixels("more pixels than the limit")
        sequence.judge(shown)
        chosen = {
            VPS: [videos[sequence.video]],
            SPS: [unit],
            PPS: [table[number][1] for number in used],
        }
        if any(unit not in chosen[kind] for kind, units in self.sets.items() for unit in units):
            kinds.add("other_metadata")
        # Each set ends where its syntax ends.
        ours = {kind: [*map(parameter_sets_hevc.clean, units)] for kind, units in chosen.items()}
        if ours != chosen:
            kinds.add("other_metadata")
        body = b"".join(
            bytes([0x80 | kind])
            + len(units).to_bytes(2, "big")
            + b"".join(len(each).to_bytes(2, "big") + each for each in units)
            for kind, units in ours.items()
        )
        return sequence.header() + bytes([len(chosen)]) + body


def _is_plain(unit: bytes, kind: int) -> bool:
    """Tell whether a unit has the header of the one layer that a still picture has."""
    return unit[:2] == bytes([kind << 1, 1])


def _picture_set(unit: bytes) -> tuple[int, int]:
    """Return the numbers of a picture parameter set and of its sequence's (7.3.2.3)."""
    bits = Bits(unescaped(unit[2:16]))
    return bits.golomb(), bits.golomb()


def slices(
    untrusted: bytes, setup: Setup, kinds: set[str]
) -> tuple[list[tuple[int, int]], set[int]]:
    """Return (start, end) of the slices of one picture, and the parameter sets they use.

    Raises Malformed where the units do not add up, Unsupported for what is more than a picture.
    """
    kept: list[tuple[int, int]] = []
    pictures: set[int] = set()
    at, end, number = 0, len(untrusted), 0
    while at < end:
        number += 1
        if number > _MAX_UNITS:
            raise TooComplex("too many parts in a picture")
        start = at + setup.width
        at = start + int.from_bytes(untrusted[at:start], "big")
        if start + 3 > end or at > end or at < start + 2:
            raise Malformed("a picture whose parts do not add up")
        kind = untrusted[start] >> 1
        if kind in _INTRA:
            if untrusted[start + 1] != 1:
                raise Unsupported("a picture of several layers")
            is_first = untrusted[start + 2] >> 7
            if is_first != (not kept):
                raise Unsupported("several pictures in the place of one")
            kept.append((start, at))
            bits = Bits(untrusted[start + 2 : min(at, start + 8)])
            bits.take(2)
            pictures.add(bits.golomb())
        elif kind < _INTRA.stop:
            raise Unsupported("several pictures in the place of one")
        elif kind in _SETS and untrusted[start:at] not in setup.sets.get(kind, []):
            raise Unsupported("parameter sets in two places")
        elif kind not in _SETS:
            kinds.add("sei" if kind in _MESSAGES else "other_metadata")
    return kept, pictures
