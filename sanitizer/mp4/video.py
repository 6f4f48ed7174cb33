"""MP4, MOV, M4V, M4A and 3GP, copied frame by frame without coding a picture or a sound again.

Rule: (1) our reader finds the frames (2) they are read in order of time, lose their messages, and
are put into a plain file whose index comes last (3) the checker, which shares no code with either,
walks every frame as it passes, then reads the index, and compares tracks, frames and seconds with
what was read in (1). No parser written in C meets the file.
"""

from collections.abc import Iterator

from sanitizer.limits import Limits
from sanitizer.mp4 import order
from sanitizer.mp4 import read as mp4_read
from sanitizer.mp4.assemble import QUICKTIME, VIDEO, Assembler, type_of
from sanitizer.mp4.check_result import Expected, ResultChecker
from sanitizer.mp4.model import Movie
from sanitizer.source import UntrustedSource

_TYPES = {QUICKTIME: ("video/quicktime", "mov"), VIDEO: ("video/mp4", "mp4")}
_SOUND_ALONE = ("audio/mp4", "m4a")


class Video:
    """One file on its way through: its index is read at once, its frames while it is streamed."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Read the index; raises a leaf of Refused."""
        self._source = source
        self._limits = limits
        self._movie = mp4_read.read(source, limits)
        self.media_type, self.extension = _TYPES.get(type_of(self._movie), _SOUND_ALONE)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file; raises a leaf of Refused, in the middle or at the end."""
        movie = self._movie
        frames = order.frames(self._source, movie, self._limits.sample_bytes)
        result = Assembler(movie)
        yield from written(frames, result, movie)
        if result.has_messages:
            movie.kinds.add("sei")

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found; complete after the last chunk."""
        return self._movie.kinds


def written(
    frames: Iterator[tuple[int, bytes]], result: Assembler, movie: Movie
) -> Iterator[bytes]:
    """Yield the result of an assembler that takes ``frames``, once the checker has seen it.

    A movie's tracks must be known before; its frames must be complete when ``frames`` ends.
    """
    checker = ResultChecker([(track.entry.data, track.is_video) for track in movie.tracks])
    head = result.begin()
    checker.head(head)
    yield head
    for place, frame in frames:
        result.add(place, frame)
        if result.is_ready:
            part = result.take()
            checker.data(part.data, part.chunks)
            yield part.data
    result.close()
    expected = [Expected(t.is_video, len(t.samples), t.duration, t.timescale) for t in movie.tracks]
    if result.has_frames:
        part = result.take()
        checker.data(part.data, part.chunks)
        yield part.data
    last = result.finish()
    checker.finish(last, expected)
    yield last
