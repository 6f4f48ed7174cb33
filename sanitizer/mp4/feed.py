"""Write a plain MP4 of the kept tracks, index first, for ffmpeg to read from a pipe.

Rule: every box is ours, by number; of the source only the frames that the tables name pass
through. So ffmpeg needs neither a file nor a key, and bytes that no frame owns never reach it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sanitizer.mp4 import index as mp4_index
from sanitizer.mp4.boxes import box
from sanitizer.mp4.model import Movie, Samples
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.source import UntrustedSource

_SLICE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Frames ``first`` to ``last`` (not included) of a track, written in one go."""

    track: int
    first: int
    last: int


def chunks_of(movie: Movie) -> list[_Chunk]:
    """Cut the tracks into half seconds and put them in order of time."""
    made: list[tuple[float, _Chunk]] = []
    for index, track in enumerate(movie.tracks):
        limit = max(1, int(track.timescale * _SLICE_SECONDS))
        first = begin = now = size = 0
        for number, length in enumerate(track.samples.durations):
            if number > first and (now - begin >= limit or size >= WINDOW):
                made.append((begin / track.timescale, _Chunk(index, first, number)))
                first, begin, size = number, now, 0
            now += length
            size += track.samples.sizes[number]
        made.append((begin / track.timescale, _Chunk(index, first, len(track.samples))))
    made.sort(key=lambda pair: pair[0])
    return [chunk for _, chunk in made]


def stream(source: UntrustedSource, movie: Movie) -> Iterator[bytes]:
    """Yield the plain MP4. Raises Malformed where the source ends before a frame."""
    plan = chunks_of(movie)
    lengths = [sum(movie.tracks[c.track].samples.sizes[c.first : c.last]) for c in plan]
    head = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    # Offsets do not change the index's length: they are always of 64 bits.
    start = len(head) + len(_moov(movie, plan, lengths, 0)) + 16
    yield head + _moov(movie, plan, lengths, start)
    yield struct.pack(">I4sQ", 1, b"mdat", 16 + sum(lengths))
    for chunk in plan:
        yield from _frames(source, movie.tracks[chunk.track].samples, chunk)


def _moov(movie: Movie, plan: list[_Chunk], lengths: list[int], start: int) -> bytes:
    """Return the index: without edits, so that every frame comes through."""
    layouts = [mp4_index.Layout() for _ in movie.tracks]
    for chunk, length in zip(plan, lengths, strict=True):
        layouts[chunk.track].places.append(start)
        layouts[chunk.track].counts.append(chunk.last - chunk.first)
        start += length
    return mp4_index.moov(movie, layouts, with_edits=False)


def _frames(source: UntrustedSource, samples: Samples, chunk: _Chunk) -> Iterator[bytes]:
    """Yield a chunk's frames, those that lie side by side in one read."""
    begin = end = samples.offsets[chunk.first]
    for number in range(chunk.first, chunk.last):
        if samples.offsets[number] != end:
            yield from _range(source, begin, end)
            begin = end = samples.offsets[number]
        end += samples.sizes[number]
    yield from _range(source, begin, end)


def _range(source: UntrustedSource, begin: int, end: int) -> Iterator[bytes]:
    for at in range(begin, end, WINDOW):
        yield read_exactly(source, at, min(WINDOW, end - at))
