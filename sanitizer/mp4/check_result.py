"""Re-read a finished video or sound as it streams by, and account for every byte of it.

Rule: shares no code with what wrote it. (1) it begins with one of three types (2) data is boxes of
frames, side by side, each walked by its codec as it passes (3) the index comes last, says nothing
that is not on the list, and names exactly the frames that were walked, as the codec they were
walked as (4) tracks, frames and seconds are those that went in: a track that was lost is an error.
"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from sanitizer.errors import MetadataSurvived
from sanitizer.mp4.check_entries import entry
from sanitizer.mp4.check_index import Tables, check_movie
from sanitizer.mp4.check_units import Walk, walk_of

_QUICKTIME = b"\0\0\0\x14ftypqt  \0\0\2\0qt  "
_TYPES = {
    b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41": "video/mp4",
    b"\0\0\0\x1cftypM4A \0\0\2\0M4A isomiso2": "audio/mp4",
    _QUICKTIME: "video/quicktime",
}
_HEADER = 16


@dataclass(frozen=True, slots=True)
class Expected:
    """What went in of one track, and so must come out."""

    is_video: bool
    frames: int
    ticks: int
    timescale: int


@dataclass(slots=True)
class _Seen:
    """What passed of one track: its sample entry, its walk, and where its frames lie."""

    entry: bytes
    walk: Walk | None
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    places: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))


class ResultChecker:
    """Takes the result part by part; ``finish`` judges the whole. Raises MetadataSurvived."""

    def __init__(self, tracks: Sequence[tuple[bytes, bool]]) -> None:
        """Take the sample entry of each track, and whether it is one of pictures."""
        self._seen = [
            _Seen(data, walk_of(entry(data, is_video=is_video))) for data, is_video in tracks
        ]
        self._at = 0
        self._type = ""

    def head(self, made: bytes) -> None:
        """Take the file type box."""
        self._type = _TYPES.get(made, "")
        if not self._type or self._at:
            raise MetadataSurvived("the result does not begin like a video")
        self._at = len(made)

    def data(self, made: bytes, chunks: Sequence[tuple[int, Sequence[int]]]) -> None:
        """Take a box of data, and whose frames are said to lie in it, in this order."""
        if made[:8] != b"\0\0\0\1mdat" or int.from_bytes(made[8:_HEADER], "big") != len(made):
            raise MetadataSurvived("a box that is not on the list")
        at = _HEADER
        for place, sizes in chunks:
            seen = self._seen[place]
            seen.places.append(self._at + at)
            seen.counts.append(len(sizes))
            seen.sizes.extend(sizes)
            for size in sizes:
                if at + size > len(made):
                    raise MetadataSurvived("a frame beyond its box")
                if seen.walk is not None and size:
                    seen.walk.look(made, at, at + size)
                at += size
        if at != len(made):
            raise MetadataSurvived("data that no frame owns")
        self._at += at

    def finish(self, made: bytes, expected: Sequence[Expected]) -> None:
        """Take the index, which must end the file, and judge the whole."""
        size, kind = struct.unpack_from(">I4s", made.ljust(8, b"\0"))
        if kind != b"moov" or size != len(made) or not self._type:
            raise MetadataSurvived("the result ends in the middle")
        tracks = check_movie(made[8:])
        if len(tracks) != len(expected) or len(tracks) != len(self._seen):
            raise MetadataSurvived("a track was lost")
        for tables, seen, wanted in zip(tracks, self._seen, expected, strict=True):
            if seen.walk is not None:
                seen.walk.finish()
            self._judge(tables, seen, wanted)
        self._judge_type(tracks)

    def _judge(self, tables: Tables, seen: _Seen, wanted: Expected) -> None:
        said = tables.description
        if tables.entry != seen.entry:
            raise MetadataSurvived("a track became another")
        if tables.places != _packed(seen.places):
            raise MetadataSurvived("data that no frame owns")
        units, sizes = seen.counts, seen.sizes
        if said.unit:
            units, at = array("I"), 0
            for count in seen.counts:
                units.append(sum(sizes[at : at + count]) // said.unit * said.ticks)
                at += count
            whole = sum(units) * said.unit == sum(sizes) * said.ticks
        else:
            whole = tables.sizes == _packed(sizes)
        if not whole or tables.counts(len(units)) != units or tables.frames != sum(units):
            raise MetadataSurvived("data that no frame owns")
        if (said.is_video, len(sizes)) != (wanted.is_video, wanted.frames):
            raise MetadataSurvived("frames were lost")
        if (tables.ticks, tables.timescale) != (wanted.ticks, wanted.timescale):
            raise MetadataSurvived("the result has another length")

    def _judge_type(self, tracks: Sequence[Tables]) -> None:
        old = any(tables.description.is_quicktime for tables in tracks)
        pictures = any(tables.description.is_video for tables in tracks)
        is_right = {
            "video/quicktime": old,
            "video/mp4": pictures and not old,
            "audio/mp4": not pictures and not old,
        }
        if not is_right[self._type]:
            raise MetadataSurvived("the result has another type")


def _packed(values: "array[int]") -> bytes:
    """Return numbers as a table of an index has them."""
    step = 1 << 15
    slices = (values[at : at + step] for at in range(0, len(values), step))
    return b"".join(struct.pack(f">{len(part)}{part.typecode}", *part) for part in slices)
