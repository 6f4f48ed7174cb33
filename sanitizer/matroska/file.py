"""One Matroska or WebM file on its way through.

Rule: nothing is passed on that the checker has not read again; tracks, frames and times of the
result are compared with what was read, so that nothing is lost in silence.
"""

from collections.abc import Iterator

from sanitizer.errors import Empty, TooComplex
from sanitizer.limits import Limits
from sanitizer.matroska import codecs
from sanitizer.matroska.check import Checker, Expected
from sanitizer.matroska.layout import Plan, clusters
from sanitizer.matroska.read import Reader
from sanitizer.source import UntrustedSource
from sanitizer.streaming import through

_LATE = 10 * 1_000_000_000
_MOST_TRACKS = 126
_SLACK = 16 << 20


class Matroska:
    """Satisfies sanitizer.result.Streamed: read through once at first, cleaned while it streams."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Read the whole file once, keeping no frame; raises a leaf of Refused."""
        self._limits = limits
        self._reader = reader = Reader(source, limits)
        self._plan = Plan(reader.first(), reader.tracks, reader.facts)
        tracks = [track for track in reader.tracks if track.frames]
        has_video = any(track.is_video for track in tracks)
        if not tracks or has_video != any(track.is_video for track in reader.tracks):
            raise Empty("a video without frames")
        if len(tracks) > _MOST_TRACKS:
            raise TooComplex("too many tracks")
        if len(tracks) != len(reader.tracks):
            # Where one can jump to depends on which tracks there are.
            self._plan = Plan(reader.again(), tracks, reader.facts)
        self._tracks = tracks
        if self._plan.start * reader.facts.tick >= _LATE:
            # A stream that was joined in its middle, or a clock on the wall.
            reader.facts.kinds.add("capture_time")
        self._is_webm = all(track.codec in codecs.WEBM for track in tracks)
        kind = "video" if has_video else "audio"
        self.media_type = f"{kind}/webm" if self._is_webm else f"{kind}/x-matroska"
        self.extension = "webm" if self._is_webm else "mkv" if has_video else "mka"

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found."""
        return self._reader.facts.kinds

    def chunks(self) -> Iterator[bytes]:
        """Return the clean file; raises a leaf of Refused, in the middle or at the end."""
        start = self._plan.start
        expected = [
            Expected(
                track.is_video,
                track.codec,
                track.frames,
                track.times - start * track.blocks,
                track.last - start,
            )
            for track in self._tracks
        ]
        checker = Checker(expected, self._limits.sample_bytes + _SLACK)
        return through(self._made(start), checker.feed, checker.finish)

    def _made(self, start: int) -> Iterator[bytes]:
        yield self._plan.head(self._tracks, is_webm=self._is_webm, limits=self._limits)
        for cluster in clusters(self._reader.again(), self._tracks, self._reader.facts):
            yield cluster.written(start)
