"""Headers of MPEG audio, layer III, and where the numbers in its side information stand.

Rule: ISO/IEC 11172-3, 2.4.1.3 and 2.4.1.7; ISO/IEC 13818-3, 2.4.1.7. Versions 1, 2 and 2.5.
"""

from dataclasses import dataclass

_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLES = (44100, 48000, 32000)
_VERSION_1, _VERSION_2, _VERSION_25 = 3, 2, 0
_MONO = 3
_HEAD = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in the side information of one sound, in bits from its end."""

    side: int
    begin: int
    private: int
    lengths: tuple[int, ...]


def _layout(begin: int, private: int, shared: int, parts: int, width: int) -> Layout:
    bits = begin + private + shared + parts * width
    mask = (1 << private) - 1 << bits - begin - private
    places = tuple(width * (parts - 1 - part) + width - 12 for part in range(parts))
    return Layout(bits // 8, bits - begin, ~mask, places)


LAYOUTS = {
    (True, True): _layout(9, 5, 4, 2, 59),
    (True, False): _layout(9, 3, 8, 4, 59),
    (False, True): _layout(8, 1, 0, 1, 63),
    (False, False): _layout(8, 2, 0, 2, 63),
}
"""By whether it is version 1, and whether it is mono."""


def layout(head: bytes) -> Layout:
    """Return the layout of the frame that begins with this header."""
    return LAYOUTS[head[1] >> 3 & 3 == _VERSION_1, head[3] >> 6 == _MONO]


def length(head: bytes) -> int:
    """Return the length of a frame of layer III; 0 where its header holds a reserved value."""
    version, rate, place = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or place == 3 or rate in {0, 15}:  # noqa: PLR2004 - reserved, or free
        return 0
    is_first = version == _VERSION_1
    bits = (_RATES_1 if is_first else _RATES_2)[rate] * 1000
    samples = _SAMPLES[place] >> {_VERSION_1: 0, _VERSION_2: 1, _VERSION_25: 2}[version]
    return (144 if is_first else 72) * bits // samples + (head[2] >> 1 & 1)


def measure(head: bytes) -> tuple[object, int] | None:
    """Return what a header says of the sound, and the length of its frame."""
    if len(head) < _HEAD or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[3] & 3 == 2:  # noqa: PLR2004 - eleven ones, layer III; reserved
        return None
    found = length(head)
    if found < _HEAD + 2 + layout(head).side:
        return None
    return (head[1] & 0xFE, head[2] & 0x0C, head[3] >> 6 == _MONO), found
