"""Sound in frames of a codec of its own, whose bytes an AVI cuts into packets wherever it likes.

Rule: the packets of a stream are read as one run of bytes; of that only whole frames that agree
with each other stay, without what they say beside the sound, and are cut again where they were.
MP3 as in sanitizer.sound.mp3; AC-3 as ETSI TS 102 366, 4.4.1 and 5.3.1 (E-AC-3 has another tag).
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from sanitizer.errors import Unsupported
from sanitizer.frames import strip
from sanitizer.pieces import read_exactly
from sanitizer.riff import sound
from sanitizer.sound.mp3 import frame as mp3
from sanitizer.sound.mp3.reservoir import Reservoir
from sanitizer.sound.window import Window
from sanitizer.source import UntrustedSource

_READY = 600
_EMPHASIS = 3
_AC3_SYNC = b"\x0b\x77"
_AC3_KBITS = (
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
)  # fmt: skip
_AC3_VERSION, _AC3_HEAD = 10, 6
_HEAD = 8
_MAX_BEHIND = 4096
Measure = Callable[[bytes], tuple[object, int] | None]


class Joined:
    """The packets of one stream, one behind the other, as a source."""

    def __init__(self, source: UntrustedSource, places: "array[int]", sizes: "array[int]") -> None:
        """Take where each packet lies, and how long it is."""
        self._source = source
        self._places = places
        self._starts = array("Q", accumulate(sizes, initial=0))
        self.length = self._starts[-1]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the stream, fewer at its end."""
        parts = []
        end = min(offset + length, self.length)
        packet = bisect_right(self._starts, offset) - 1
        while offset < end:
            within = offset - self._starts[packet]
            wanted = min(end, self._starts[packet + 1]) - offset
            if wanted:
                parts.append(read_exactly(self._source, self._places[packet] + within, wanted))
            offset += wanted
            packet += 1
        return b"".join(parts)


def _frames(joined: Joined, measure: Measure) -> Iterator[bytes]:
    """Yield the frames of a stream; raises Unsupported where they do not follow each other."""
    window, at, same = Window(joined), 0, None
    while at < joined.length:
        measured = measure(window.take(at, _HEAD))
        is_frame = measured is not None and (same is None or measured[0] == same)
        if measured is None or not is_frame or at + measured[1] > joined.length:
            # A tag, or a frame that is cut, may stand at the end.
            if joined.length - at > _MAX_BEHIND or not at:
                raise Unsupported("sound with bytes between its frames")
            return
        same, length = measured
        yield window.take(at, length)
        at += length


def _mp3(joined: Joined, measure: Measure) -> Iterator[bytes]:
    frames = _frames(joined, measure)
    first = next(frames)
    reservoir = Reservoir(mp3.layout(first), first[3] & _EMPHASIS)
    reservoir.add(first)
    for number, frame in enumerate(frames):
        reservoir.add(frame)
        if number % _READY == _READY - 1:
            yield reservoir.take()[0]
    yield reservoir.take(is_over=True)[0]


def measure_ac3(head: bytes) -> tuple[object, int] | None:
    """Return what a header of AC-3 says of the sound, and the length of its frame."""
    if len(head) < _AC3_HEAD or head[:2] != _AC3_SYNC or head[5] >> 3 > _AC3_VERSION:
        return None
    rate, size = head[4] >> 6, head[4] & 63
    if rate == 3 or size >= 2 * len(_AC3_KBITS):  # noqa: PLR2004 - reserved
        return None
    kbits = _AC3_KBITS[size // 2]
    words = (2 * kbits, kbits * 96000 // 44100 + (size & 1), 3 * kbits)[rate]
    return (rate, head[5] >> 3), 2 * words


def whole(codec: int) -> Callable[[Joined], Iterator[bytes]] | None:
    """Return what cleans a stream as one run of bytes, or None where packets stand alone."""
    if codec == sound.MP3:
        return lambda joined: _mp3(joined, mp3.measure)
    return (lambda joined: _frames(joined, measure_ac3)) if codec == sound.AC3 else None


def packet(codec: int) -> strip.Strip | None:
    """Return what cleans a packet that stands alone, or None where it is numbers."""
    return strip.aac if codec == sound.AAC else None


class Cutter:
    """Cuts a clean run of bytes where the packets were cut that it came in."""

    def __init__(self, made: Iterator[bytes]) -> None:
        """Take the run."""
        self._made = made
        self._ready = bytearray()

    def take(self, length: int) -> bytes:
        """Return the next bytes; a run has as many as are asked for."""
        while len(self._ready) < length:
            self._ready += next(self._made)
        data = bytes(self._ready[:length])
        del self._ready[:length]
        return data
