"""MP4, MOV, M4V and 3GP by stream copy: ffmpeg in the jail between a reader and a checker.

Rule: (1) our reader finds the frames (2) our writer hands ffmpeg a plain file through a pipe,
index first (3) ffmpeg, which sees neither the source nor a key, copies the packets out of it into
fragments (4) the checker accounts for every byte of them as it passes (5) the frames lose their
messages and are put into a plain file again, its index last (6) which is read once more. No
picture and no sound is coded again, and every frame that went in comes out.
"""

import struct
from collections.abc import Iterator

import ffmpeg

from sanitizer.errors import MetadataSurvived
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits
from sanitizer.mp4 import feed as mp4_feed
from sanitizer.mp4 import read as mp4_read
from sanitizer.mp4.assemble import Assembler
from sanitizer.mp4.check import Checker, Expected
from sanitizer.mp4.check_result import ResultChecker
from sanitizer.mp4.model import Movie
from sanitizer.source import UntrustedSource

_MOVFLAGS = "frag_keyframe+delay_moov+default_base_moof+skip_trailer+negative_cts_offsets"
_FRAGMENT_MICROSECONDS = 5_000_000
_MAX_HEAD = 8 << 20
# Encoders of MPEG-4 repeat their header, signed, before key frames; the index has it already.
_ONLY_3GP = {b"s263", b"h263", b"samr", b"sawb"}
_FILTERS = {b"mp4v": "remove_extra=freq=all"}


def arguments(movie: Movie) -> list[str]:
    """Return ffmpeg's arguments for a movie, made by ffmpeg-python; the names in them are ours."""
    taken = ffmpeg.input("pipe:0", f="mov", protocol_whitelist="pipe")
    options: dict[str, object] = {
        "format": "3gp" if any(t.codec in _ONLY_3GP for t in movie.tracks) else "mp4",
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
    }
    for number, track in enumerate(movie.tracks):
        if track.codec in _FILTERS:
            options[f"bsf:{number}"] = _FILTERS[track.codec]
    streams = [taken[str(number)] for number in range(len(movie.tracks))]
    made = ffmpeg.output(*streams, "pipe:1", **options).global_args("-v", "error", "-nostdin")
    command: list[str] = made.compile(cmd="ffmpeg")
    return command[1:]


class Video:
    """One video on its way through: read at once, cleaned while it is streamed."""

    media_type = "video/mp4"
    extension = "mp4"

    def __init__(self, source: UntrustedSource, limits: Limits, jail: Jail) -> None:
        """Read the index; raises a leaf of Refused."""
        self._source = source
        self._limits = limits
        self._jail = jail
        self._movie = mp4_read.read(source, limits)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean video; raises a leaf of Refused, in the middle or at the end."""
        movie = self._movie
        result = Assembler(movie)
        checker = Checker(
            [
                Expected(track.is_video, len(track.samples), track.duration / track.timescale)
                for track in movie.tracks
            ],
            result,
        )
        again = ResultChecker()
        most = self._source.length + self._limits.output_slack_bytes
        feed = mp4_feed.stream(self._source, movie)
        made = self._jail.run(arguments(movie), feed, self._limits, most)
        for data in without_user_data(made):
            checker.feed(data)
            ready = result.take()
            if ready:
                again.feed(ready)
                yield ready
        checker.finish()
        last = result.finish()
        again.feed(last)
        again.finish()
        yield last
        if result.messages:
            movie.kinds.add("sei")

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found; complete after the last chunk."""
        return self._movie.kinds


def without_user_data(made: Iterator[bytes]) -> Iterator[bytes]:
    """Pass a fragmented MP4 on, without the empty ``udta`` that ffmpeg puts into its index."""
    head = b""
    for data in made:
        head += data
        index = _index_of(head)
        if index is not None:
            start, end = index
            inner = head[start + 8 : end]
            kept = b"".join(
                inner[at : at + size] for kind, at, size in _parts(inner) if kind != b"udta"
            )
            yield head[:start] + struct.pack(">I4s", len(kept) + 8, b"moov") + kept + head[end:]
            break
        if len(head) > _MAX_HEAD:
            raise MetadataSurvived("ffmpeg wrote no index")
    else:
        raise MetadataSurvived("ffmpeg wrote no index")
    yield from made


def _index_of(head: bytes) -> tuple[int, int] | None:
    """Return where the moov begins and ends, or None while it is not whole."""
    for kind, at, size in _parts(head):
        if kind == b"moov":
            return at, at + size
    return None


def _parts(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, place, length) of the whole boxes in ``data``."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):  # noqa: PLR2004 - the shortest box
            return
        yield kind, at, size
        at += size
