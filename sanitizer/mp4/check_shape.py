"""Re-read the numbers of a result that players need: each is one of the few that it may be.

Rule: shares no code with what wrote them; raises MetadataSurvived at the first surprise.
"""

import struct
from itertools import product
from math import gcd

from sanitizer.errors import MetadataSurvived

_ONE, _LAST = 0x10000, 0x40000000
_CLOCKS = {
    *(1, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240, 300, 480, 500, 600, 960, 1000, 1200, 2400),
    *(2500, 2997, 3000, 5000, 5994, 6000, 8000, 10000, 11025, 11988, 12000, 12288, 12800, 15000),
    *(15360, 16000, 19200, 22050, 23976, 24000, 25000, 25600, 29970, 30000, 30720, 32000, 44100),
    *(48000, 50000, 57600, 59940, 60000, 61440, 88200, 90000, 96000, 100000, 120000, 180000),
    *(192000, 240000, 1000000, 10000000),
}
_FASTEST = 10**8
_MOST = 0xFFFF
_WIDEST = 16


def _fail() -> MetadataSurvived:
    return MetadataSurvived("a number in the result says more than it may")


def clock(ticks: int) -> None:
    """Raise unless programs use so many ticks in a second of a movie."""
    if ticks not in _CLOCKS:
        raise _fail()


def track_clock(ticks: int) -> None:
    """Raise unless a track may have so many ticks in a second."""
    if not 0 < ticks <= _FASTEST:
        raise _fail()


def shown(matrix: bytes, size: bytes, height: int) -> None:
    """Raise unless a picture of a ``height`` is turned by right angles and has whole sides."""
    wide, high = struct.unpack(">II", size)
    if wide % _ONE or high != height * _ONE or not wide:
        raise _fail()
    known = []
    for left, up in product((1, -1), repeat=2):
        upright = (left, 0, 0, 0, up, 0), (wide * (left < 0), high * (up < 0))
        sideways = (0, left, 0, up, 0, 0), (high * (up < 0), wide * (left < 0))
        for ways, place in (upright, sideways):
            known.append(struct.pack(">9i", *(way * _ONE for way in ways), *place, _LAST))
    if matrix not in known:
        raise _fail()


def look(kind: bytes, content: bytes) -> None:
    """Raise unless fractions are bounded and in lowest terms: a pixel's shape, what is shown."""
    if kind == b"pasp":
        across, down = struct.unpack(">II", content)
        wide = max(across, down) > _WIDEST * min(across, down)
        if gcd(across, down) != 1 or max(across, down) > _MOST or wide:
            raise _fail()
    elif kind == b"clap":
        for top, bottom in struct.iter_unpack(">iI", content):
            if gcd(top, bottom) != 1 or bottom > _MOST or abs(top) > _MOST * bottom:
                raise _fail()
