"""Fragments that ffmpeg writes in the jail, read as they stream and made into a clean plain MP4.

Rule: what only ffmpeg can take apart (MPEG transport streams) comes out of the jail as a
fragmented MP4, which is as untrusted as the file it was made of: our reader reads it, our writer
strips and writes, and the checker of every other video judges the result. Every byte of it is
accounted for: a frame that no fragment names is a refusal, not a loss.

How to use it:

    made = Remuxed(jail, arguments("mpegts", ["0:v:0", "0:a:0"]), feed, limits, most)
    yield from made.chunks()
    made.kinds, made.passed          # complete after the last chunk

``feed`` yields the bytes that ffmpeg reads from its standard input.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ffmpeg

from sanitizer.errors import Empty, Malformed, TooComplex
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits
from sanitizer.mp4 import edits as mp4_edits
from sanitizer.mp4 import read as mp4_read
from sanitizer.mp4.assemble import Assembler
from sanitizer.mp4.fragments import Fragments
from sanitizer.mp4.interleave import in_order
from sanitizer.mp4.model import Movie
from sanitizer.mp4.video import written

_MOVFLAGS = "frag_keyframe+delay_moov+default_base_moof+skip_trailer+negative_cts_offsets"
_FRAGMENT_MICROSECONDS = 1_000_000
_FRAGMENT_BYTES = 8 << 20
_MAX_INDEX = 16 << 20
_MAX_DATA = 256 << 20


@dataclass(frozen=True, slots=True)
class Passed:
    """What came through of one track: to be compared with what went in."""

    is_video: bool
    codec: bytes
    """Type of the sample entry: ``avc1``, ``hvc1``, ``mp4a``, ``ac-3``, …"""
    frames: int
    seconds: float


def arguments(
    demuxer: str, streams: Sequence[str], filters: Mapping[int, str] | None = None
) -> list[str]:
    """Return ffmpeg's arguments: ``streams`` (as ``-map`` names them) copied into fragments.

    ``demuxer`` is forced; ``filters`` are bitstream filters by place of the stream: AAC out of a
    transport stream needs ``aac_adtstoasc``, which a muxer that delays its moov does not add by
    itself. Made by ffmpeg-python; every name in them is ours.
    """
    taken = ffmpeg.input("pipe:0", f=demuxer, protocol_whitelist="pipe")
    options: dict[str, object] = {
        "format": "mp4",
        "c": "copy",
        "map_metadata": -1,
        "map_metadata:s": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "flags:a": "+bitexact",
        "empty_hdlr_name": 1,
        "write_tmcd": 0,
        "copyinkf": None,
        "movflags": _MOVFLAGS,
        "frag_duration": _FRAGMENT_MICROSECONDS,
        "frag_size": _FRAGMENT_BYTES,
    }
    options |= {f"bsf:{place}": name for place, name in (filters or {}).items()}
    chosen = [taken[name.removeprefix("0:")] for name in streams]
    made = ffmpeg.output(*chosen, "pipe:1", **options).global_args("-v", "error", "-nostdin")
    command: list[str] = made.compile(cmd="ffmpeg")
    return command[1:]


class Remuxed:
    """One clean MP4 on its way out of the jail. Satisfies sanitizer.result.Streamed.

    ``media_type`` is that of a video: what holds sound alone is not sent through here.
    """

    extension = "mp4"
    media_type = "video/mp4"

    def __init__(
        self,
        jail: Jail,
        ffmpeg_arguments: Sequence[str],
        feed: Iterator[bytes],
        limits: Limits,
        most: int,
    ) -> None:
        """Run nothing yet. ``most`` bytes may come out of ffmpeg."""
        self.kinds: set[str] = set()
        self.passed: tuple[Passed, ...] = ()
        """One for each track, in the order of the streams; empty before the last chunk."""
        self._made = _Fragmented(jail.run(ffmpeg_arguments, feed, limits, most), limits)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean MP4, once; raises a leaf of Refused, in the middle or at the end."""
        movie = self._made.index()
        if not movie.is_video:
            raise Empty("a video without frames")
        result = Assembler(movie)
        yield from written(in_order(self._made.frames(movie), movie), result, movie)
        self.kinds |= movie.kinds | ({"sei"} if result.has_messages else set())
        self.passed = tuple(
            Passed(t.is_video, t.entry.codec, len(t.samples), t.duration / t.timescale)
            for t in movie.tracks
        )


class _Fragmented:
    """A fragmented MP4 that comes in pieces: a type, an index, then pairs of moof and mdat."""

    def __init__(self, made: Iterator[bytes], limits: Limits) -> None:
        self._made = made
        self._limits = limits
        self._buffer = bytearray()
        self._at = 0
        self._extends: dict[int, tuple[int, ...]] = {}

    def index(self) -> Movie:
        """Return the tracks, as yet without a frame."""
        (first, _), (kind, moov) = self._box(_MAX_INDEX), self._box(_MAX_INDEX)
        if (first, kind) != (b"ftyp", b"moov"):
            raise Malformed("ffmpeg found nothing to copy")
        self._extends = mp4_read.extends(moov)
        movie = mp4_read.read_index(moov, self._limits, 0)
        # What ffmpeg writes of itself is not what was found in the file.
        movie.kinds.clear()
        for track in movie.tracks:
            # Of several sounds it turns all but one off; the file that it read knew no such thing.
            track.is_enabled = True
        if not movie.timescale or any(len(track.samples) for track in movie.tracks):
            raise Malformed("ffmpeg wrote another kind of file")
        return movie

    def frames(self, movie: Movie) -> Iterator[tuple[int, bytes]]:
        """Yield (place of the track, frame); the movie's tables are complete at the end."""
        fragments = Fragments(movie, self._extends, self._limits)
        while self._fill(1):
            start = self._at
            kind, moof = self._box(_MAX_INDEX)
            if kind != b"moof":
                raise Malformed("ffmpeg wrote another kind of file")
            known = [len(track.samples) for track in movie.tracks]
            fragments.take(moof, start)
            yield from self._data(movie, known)
        fragments.finish()
        for track in movie.tracks:
            mp4_edits.bound(track, movie.timescale)
        if not all(len(track.samples) for track in movie.tracks):
            raise Malformed("a track without frames")

    def _data(self, movie: Movie, known: list[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the frames of one fragment in the order in which they lie."""
        kind, data = self._box(_MAX_DATA)
        begin = self._at - len(data)
        places = []
        for place, (track, first) in enumerate(zip(movie.tracks, known, strict=True)):
            samples = track.samples
            rows = zip(samples.offsets[first:], samples.sizes[first:], strict=True)
            places += [(offset - begin, size, place) for offset, size in rows]
        at = 0
        for offset, size, place in sorted(places):
            if offset != at or kind != b"mdat":
                raise Malformed("ffmpeg wrote data that no frame owns")
            at += size
            yield place, data[offset:at]
        if at != len(data):
            raise Malformed("ffmpeg wrote data that no frame owns")

    def _fill(self, wanted: int) -> bool:
        """Read until there are so many bytes; return whether there are."""
        while len(self._buffer) < wanted:
            data = next(self._made, b"")
            if not data:
                return False
            self._buffer += data
        return True

    def _box(self, most: int) -> tuple[bytes, bytes]:
        """Return type and content of the next box, which must be whole."""
        if not self._fill(8):
            raise Malformed("ffmpeg stopped in the middle")
        size, kind = struct.unpack_from(">I4s", self._buffer)
        if size > most:
            raise TooComplex("a fragment too long to be held")
        if size < 8 or not self._fill(size):  # noqa: PLR2004 - the shortest box
            raise Malformed("ffmpeg stopped in the middle")
        content = bytes(memoryview(self._buffer)[8:size])
        del self._buffer[:size]
        self._at += size
        return kind, content
