"""Read the frames of a movie from its source: in order of time, in large pieces.

Rule: the order depends on the frames' times alone (half seconds of each track in turn), never on
how the file was laid out, so a layout carries nothing over. Of the source only what the tables
name is read; pieces that lie side by side are read in one go.
"""

import heapq
from collections.abc import Iterator, Sequence

from sanitizer.errors import TooComplex
from sanitizer.mp4.model import Movie, Track
from sanitizer.pieces import read_exactly
from sanitizer.source import UntrustedSource

_SLICES_A_SECOND = 2
_RUN_BYTES = 1 << 19
_RUN_FRAMES = 2048
_BATCH_BYTES = 1 << 19
_BATCH_RUNS = 256
# What is read is copied twice and hashed at once: beyond a core's cache all of that is slower.

_Run = tuple[float, int, int, int]
"""(time of its slice, place of the track, first frame, frame after the last)."""


def frames(source: UntrustedSource, movie: Movie, sample_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield (place of the track, frame) of every frame of every track.

    Raises TooComplex where a frame is longer than ``sample_bytes``, Malformed where the source
    ends before it.
    """
    for batch in _batches(movie):
        loaded = _load(source, movie, batch, sample_bytes)
        for _, place, first, last in batch:
            samples = movie.tracks[place].samples
            for begin, size in zip(
                samples.offsets[first:last], samples.sizes[first:last], strict=True
            ):
                at, data = loaded[begin]
                yield place, data[begin - at : begin - at + size]


def _runs(place: int, track: Track) -> Iterator[_Run]:
    """Cut a track where a half second begins; long slices are cut again, at the same time."""
    scale, samples = track.timescale, track.samples
    first = size = now = half = 0
    for number, length in enumerate(samples.durations):
        this = now * _SLICES_A_SECOND // scale
        if number > first and (this != half or size >= _RUN_BYTES or number - first >= _RUN_FRAMES):
            yield half / _SLICES_A_SECOND, place, first, number
            first, size = number, 0
        half = this
        now += length
        size += samples.sizes[number]
    if len(samples):
        yield half / _SLICES_A_SECOND, place, first, len(samples)


def _batches(movie: Movie) -> Iterator[list[_Run]]:
    """Take runs together that are read in one go."""
    batch: list[_Run] = []
    size = 0
    runs = [_runs(place, track) for place, track in enumerate(movie.tracks)]
    for run in heapq.merge(*runs, key=lambda run: run[0]):
        batch.append(run)
        _, place, first, last = run
        size += sum(movie.tracks[place].samples.sizes[first:last])
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_RUNS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _load(
    source: UntrustedSource, movie: Movie, batch: Sequence[_Run], sample_bytes: int
) -> dict[int, tuple[int, bytes]]:
    """Return, by where each frame begins, what was read around it and where that begins."""
    wanted: set[tuple[int, int]] = set()
    for _, place, first, last in batch:
        samples = movie.tracks[place].samples
        if max(samples.sizes[first:last]) > sample_bytes:
            raise TooComplex("a frame longer than the limit")
        wanted.update(zip(samples.offsets[first:last], samples.sizes[first:last], strict=True))
    loaded: dict[int, tuple[int, bytes]] = {}
    begins: list[int] = []
    start = end = 0

    def flush() -> None:
        data = read_exactly(source, start, end - start)
        for begin in begins:
            loaded[begin] = start, data

    for begin, size in sorted(wanted):
        if begins and (begin > end or (end - start >= _BATCH_BYTES and begin + size > end)):
            flush()
            begins, start = [], begin
        if not begins:
            start = end = begin
        begins.append(begin)
        end = max(end, begin + size)
    flush()
    return loaded
