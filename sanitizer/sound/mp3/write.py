"""A clean MP3 file: whole frames of one sound, with nothing before, between and behind them.

Rule: (1) the frames are found; of tags, at either end or between, nothing stays (2) a first frame
that is an index is written anew (3) in the others, what is no sound is blanked. Bits of sound stay
as they are, and decode to the same samples.
"""

from collections.abc import Iterator
from itertools import islice

from sanitizer.errors import Unsupported
from sanitizer.limits import Limits
from sanitizer.sound import tags
from sanitizer.sound.mp3 import info as index
from sanitizer.sound.mp3.frame import layout, length, measure
from sanitizer.sound.mp3.reservoir import Reservoir
from sanitizer.sound.walk import Walk
from sanitizer.source import UntrustedSource

_READY = 600
_EMPHASIS = 3


class Mp3Writer:
    """Makes one clean MP3 file."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Find the first frame, and count them where an index is needed; raises Refused."""
        _refuse_others(source)
        self._walk = Walk(source, limits, measure)
        self.kinds = self._walk.kinds
        self.frames = 0
        self._first, is_whole = next(self._walk.frames())
        self._emphasis = self._first[3] & _EMPHASIS
        self._info = index.read(self._first) if is_whole else None
        self._head = b""
        if self._info:
            places = index.Places()
            for frame, _ in islice(self._walk.frames(), 1, None):
                places.add(len(frame))
            if places.frames:
                self._head = index.write(self._info, self._first, self._emphasis, places)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file; raises a leaf of Refused."""
        reservoir = Reservoir(layout(self._first), self._emphasis)
        if self._head:
            self.frames = 1
            if self._head != self._first:
                self.kinds |= tags.kinds(self._first)
            yield self._head
        found = islice(self._walk.frames(), bool(self._info), None)
        for number, (frame, is_whole) in enumerate(found):
            # A frame that may be half something else keeps its place, and is silent.
            reservoir.add(frame if is_whole else _silent(frame))
            if number % _READY == _READY - 1:
                ready, count = reservoir.take()
                self.frames += count
                yield ready
        ready, count = reservoir.take(is_over=True)
        self.frames += count
        if reservoir.has_blanked:
            self.kinds.add("other_metadata")
        yield ready


def _silent(frame: bytes) -> bytes:
    """Return a frame of the same length without a sound, and without a checksum."""
    return bytes([0xFF, frame[1] | 1, *frame[2:4]]).ljust(len(frame), b"\0")


def _refuse_others(source: UntrustedSource) -> None:
    """Raise Unsupported where the sound is of another layer, or of a rate of its own."""
    at = tags.id3_length(source.read_at(0, 10))
    head = source.read_at(at, 4)
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - a header; eleven ones
        return
    is_layer_3 = head[1] & 6 == 2  # noqa: PLR2004 - layer III
    if not is_layer_3 or (not head[2] & 0xF0 and not length(head)):
        raise Unsupported("MPEG audio of another layer, or of free format")
