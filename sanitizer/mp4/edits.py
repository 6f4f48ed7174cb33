"""Let go of frames that an edit list hides: what was cut out of a video must not travel in it.

Rule: what is shown stays, with what it takes to decode it (back to a key frame; a few packets of
sound); frames before and after go, and the edits count from the new first frame.
"""

from array import array
from bisect import bisect_right
from itertools import accumulate

from sanitizer.mp4.model import Track

_SOUND_BEFORE = 4
"""Packets of sound a decoder may need before the first that is heard."""


def trim(track: Track, movie_timescale: int) -> bool:
    """Cut a track to what its edits show; return whether anything went."""
    spans = _spans(track, movie_timescale)
    total = len(track.samples)
    if not spans or not total:
        return False
    starts = [0, *accumulate(track.samples.durations)]
    shifts = track.samples.shifts or array("i", bytes(4 * total))
    shown = [start + shift for start, shift in zip(starts, shifts, strict=False)]
    begin = min(first for first, _ in spans)
    end = max(last for _, last in spans)
    wanted = [
        number
        for number, (time, length) in enumerate(zip(shown, track.samples.durations, strict=True))
        if time < end and time + length > begin
    ]
    if not wanted:
        return False
    first, last = _decodable(track, shown, wanted[0], begin), wanted[-1] + 1
    if (first, last) == (0, total):
        return False
    _cut(track, first, last)
    track.edits = [
        (length, start - starts[first] if start >= 0 else start, rate)
        for length, start, rate in track.edits
    ]
    return True


def _spans(track: Track, movie_timescale: int) -> list[tuple[int, int]]:
    """Return (first, last) tick that each edit shows; none where an edit changes the speed."""
    spans = []
    for length, start, rate in track.edits:
        if rate != 1 << 16:
            return []
        if start >= 0:
            ticks = length * track.timescale // max(1, movie_timescale) + 1
            spans.append((start, start + ticks))
    return spans


def _decodable(track: Track, shown: list[int], number: int, begin: int) -> int:
    """Return the frame from which on frame ``number`` can be decoded."""
    if not track.is_video:
        return max(0, number - _SOUND_BEFORE)
    if track.samples.keys is None:
        return number
    keys = sorted(track.samples.keys)
    place = bisect_right(keys, number) - 1
    while place > 0 and shown[keys[place]] > begin:
        place -= 1
    return keys[place] if place >= 0 else 0


def _cut(track: Track, first: int, last: int) -> None:
    samples = track.samples
    samples.sizes = samples.sizes[first:last]
    samples.offsets = samples.offsets[first:last]
    samples.durations = samples.durations[first:last]
    samples.shifts = samples.shifts[first:last]
    if samples.keys is not None:
        samples.keys = {key - first for key in samples.keys if first <= key < last}
