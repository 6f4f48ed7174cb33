"""Numbers about a movie that players need and that could spell a word: each in few values.

Rule (ISO/IEC 14496-12, 6.2.2, 8.2.2, 8.3.2 and 12.1.4): a picture is turned by right angles or
mirrored, and lies where that puts it; its size follows from its description; fractions are in
lowest terms and bounded; a movie's clock is one that programs use.
"""

import struct
from math import gcd

from sanitizer.errors import Unsupported
from sanitizer.mp4.boxes import child
from sanitizer.mp4.model import Edit, Movie
from sanitizer.numbers import unpack

_VISUAL = 8 + 78
_ONE = 1 << 16
_EXACT = 32
"""Of so many parts of a number one may be missing: roundings of programs."""
_CLOCK = 1000
_CLOCKS = frozenset(
    {1, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240, 300, 480, 500, 600, 960, 1000, 1200, 2400, 2500}
    | {2997, 3000, 5000, 5994, 6000, 8000, 10000, 11025, 11988, 12000, 12288, 12800, 15000, 15360}
    | {16000, 19200, 22050, 23976, 24000, 25000, 25600, 29970, 30000, 30720, 32000, 44100, 48000}
    | {50000, 57600, 59940, 60000, 61440, 88200, 90000, 96000, 100000, 120000, 180000, 192000}
    | {240000, 1000000, 10000000}
)
"""Ticks in a second of movies: of programs, pictures and sounds; any other becomes 1000."""
FASTEST = 100_000_000
"""Most ticks in a second of a track."""
_LARGEST, _WIDEST = 0xFFFF, 16


def matrix(untrusted: bytes, size: bytes) -> bytes:
    """Return how a picture of a ``size`` is turned; raises Unsupported for anything else."""
    across = struct.unpack_from(">ii", untrusted) + struct.unpack_from(">ii", untrusted, 12)
    longest = max(map(abs, across)) or _ONE
    ways = [_whole(number, longest) for number in across] if any(across) else [1, 0, 0, 1]
    a, b, c, d = ways
    if abs(a) != abs(d) or abs(b) != abs(c) or abs(a) == abs(b):
        raise Unsupported("a video that is turned or stretched in an unusual way")
    width, height = struct.unpack(">II", size)
    right, down = max(0, -a * width, -c * height), max(0, -b * width, -d * height)
    numbers = (a * _ONE, b * _ONE, 0, c * _ONE, d * _ONE, 0, right, down, _ONE << 14)
    return struct.pack(">9i", *numbers)


def _whole(number: int, longest: int) -> int:
    """Return a number as a share of the longest: 1, 0 or -1; raises Unsupported."""
    share = (abs(number) + longest // _EXACT) // longest
    if abs(abs(number) - share * longest) > longest // _EXACT:
        raise Unsupported("a video that is turned or stretched in an unusual way")
    return share if number > 0 else -share


def size(entry: bytes, untrusted: bytes) -> bytes:
    """Return how large a picture is shown, by its description (a box of ours).

    Where the description says no aspect, that of the size which the file told stays: players
    take it from there.
    """
    width, height = unpack("HH", entry, 8 + 24)
    aspect = child(entry, b"pasp", _VISUAL)
    told_width, told_height = unpack("II", untrusted)
    wide = width
    if aspect is not None:
        across, down = unpack("II", aspect)
        wide = round(width * across / down)
    elif told_width and told_height:
        said = round(height * told_width / told_height)
        is_other = abs(said - width) > 1 and width <= said * _WIDEST and said <= width * _WIDEST
        wide = said if is_other else width
    return struct.pack(
        ">II", min(max(1, wide), _LARGEST // 2) << 16, min(height, _LARGEST // 2) << 16
    )


def aspect(untrusted: bytes) -> bytes | None:
    """Return a pixel's shape in lowest terms (pasp), or None where it is of no use."""
    across, down = unpack("II", untrusted)
    common = gcd(across, down) or 1
    across, down = across // common, down // common
    is_use = 0 < across <= _LARGEST and 0 < down <= _LARGEST
    if not is_use or across > down * _WIDEST or down > across * _WIDEST:
        return None
    return struct.pack(">II", across, down)


def crop(untrusted: bytes, width: int, height: int) -> bytes | None:
    """Return which part of a picture is shown, in lowest terms (clap), or None for nonsense."""
    made = b""
    for place, (top, bottom) in enumerate(struct.iter_unpack(">iI", untrusted)):
        common = gcd(top, bottom) or 1
        top, bottom = top // common, bottom // common  # noqa: PLW2901 - in lowest terms
        side = (width, height)[place & 1]
        is_in = 0 < top <= side * bottom if place < 2 else 2 * abs(top) <= side * bottom  # noqa: PLR2004 - sizes come first
        if not 0 < bottom <= _LARGEST or not is_in:
            return None
        made += struct.pack(">iI", top, bottom)
    return made


def set_clock(movie: Movie) -> None:
    """Count a movie's time in ticks that programs use."""
    if movie.timescale in _CLOCKS:
        return
    for track in movie.tracks:
        track.edits = [_counted(edit, movie.timescale) for edit in track.edits]
    movie.timescale = _CLOCK


def _counted(edit: Edit, timescale: int) -> Edit:
    length, start = edit
    return -(-length * _CLOCK // timescale), start
