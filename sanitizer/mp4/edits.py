"""Let go of frames that an edit list hides: what was cut out of a video must not travel in it.

Rule: what is shown stays, with what it takes to decode it (back to a key frame; a few packets of
sound); frames before, between and after go, and the edits count from the new first frame. Without
coding the video again a cut between two key frames cannot be finer: that pictures from before it
stay is told (``cut_frames``). Edits are no longer than what they show.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from sanitizer.errors import Malformed, TooComplex
from sanitizer.mp4.model import Edit, Track

_SOUND_BEFORE = 4
"""Packets of sound a decoder may need before the first that is heard."""
_LONGEST_PAUSE = 60 * 60
_MOST_EDITS = 512
_MOST_LOOKS = 2_000_000
_LOOKS_PER_FRAME = 4

_Range = tuple[int, int]
"""(first frame, frame after the last)."""


def trim(track: Track, movie_timescale: int) -> set[str]:
    """Cut a track to what its edits show; return the kinds of what was hidden.

    A track whose edits show nothing of it is left without a frame.
    """
    if not track.edits or not track.samples:
        return set()
    times = _Times(track)
    made = list(_bounded(track, times, movie_timescale))
    kept = _merged([frames for _, frames in made if frames is not None])
    track.edits = [
        (length, start - times.dropped(frames, kept) if frames else -1)
        for (length, start), frames in made
    ]
    kinds = {"cut_frames"} if times.has_lead else set()
    if kept != [(0, len(track.samples))]:
        kinds.add("hidden_frames")
        _cut(track, kept)
    return kinds


def bound(track: Track, movie_timescale: int) -> None:
    """Let the edits of a track whose frames have passed already be no longer than what they show.

    Where they would hide a frame that has passed, all of it is shown: what cannot be let go of any
    more must not travel unseen.
    """
    if not track.edits or not track.samples:
        return
    made = list(_bounded(track, _Times(track), movie_timescale))
    kept = _merged([frames for _, frames in made if frames is not None])
    is_whole = kept == [(0, len(track.samples))]
    track.edits = [edit for edit, _ in made] if is_whole else []


def _bounded(
    track: Track, times: "_Times", movie_timescale: int
) -> Iterator[tuple[Edit, _Range | None]]:
    """Yield each edit, no longer than what it shows, and the frames that this takes."""
    if len(track.edits) > _MOST_EDITS:
        raise TooComplex("too many edits")
    for length, start in track.edits:
        ticks = length * track.timescale // movie_timescale + 1
        frames = times.needed(start, start + ticks) if start >= 0 else None
        if frames is not None:
            most = times.shown_until(frames, start, start + ticks) - start
            shown = -(-most * movie_timescale // track.timescale)
            yield (min(length, shown), start), frames
        elif length > _LONGEST_PAUSE * movie_timescale:
            raise Malformed("a pause longer than an hour")
        else:
            # An edit that shows nothing is a pause.
            yield (length, -1), None


class _Times:
    """When the frames of a track are decoded and shown."""

    def __init__(self, track: Track) -> None:
        samples = track.samples
        self.has_lead = False
        """Whether pictures stay that are not shown."""
        self._track = track
        self._lengths = samples.durations
        self._starts = array("Q", accumulate(samples.durations, initial=0))
        self._shifts = samples.shifts or array("i", bytes(4 * len(samples)))
        self._early, self._late = min(self._shifts), max(self._shifts)
        self._longest = max(self._lengths)
        self._keys = None if samples.keys is None else sorted(samples.keys)
        self._left = _MOST_LOOKS + _LOOKS_PER_FRAME * len(samples)

    def _look(self, frames: int) -> None:
        """Count frames that are looked at; raises TooComplex where each is, edit after edit."""
        self._left -= frames
        if self._left < 0:
            raise TooComplex("too many edits")

    def needed(self, begin: int, end: int) -> _Range | None:
        """Return the frames that it takes to show these ticks; None where there is none."""
        starts = self._starts
        low = bisect_left(starts, max(0, begin - self._longest - self._late))
        high = min(bisect_right(starts, max(0, end - self._early)), len(self._lengths))
        self._look(max(0, high - low))
        numbers = range(low, high)
        first = next((number for number in numbers if self._is_shown(number, begin, end)), None)
        if first is None:
            return None
        last = next(number for number in reversed(numbers) if self._is_shown(number, begin, end))
        decodable = self._decodable(first, begin)
        self.has_lead |= self._track.is_video and decodable < first
        return decodable, last + 1

    def _is_shown(self, number: int, begin: int, end: int) -> bool:
        at = self._starts[number] + self._shifts[number]
        return at < end and at + self._lengths[number] > begin

    def shown_until(self, frames: _Range, begin: int, end: int) -> int:
        """Return the tick at which the last of an edit's frames goes."""
        latest = 0
        for number in reversed(range(*frames)):
            start = self._starts[number]
            if start + self._late + self._longest <= latest:
                break
            if self._is_shown(number, begin, end):
                latest = max(latest, start + self._shifts[number] + self._lengths[number])
        return latest

    def _decodable(self, number: int, begin: int) -> int:
        """Return the frame from which on frame ``number`` can be decoded."""
        if not self._track.is_video:
            return number if self._track.entry.unit else max(0, number - _SOUND_BEFORE)
        keys = self._keys
        if keys is None:
            return number
        place = bisect_right(keys, number) - 1
        while place > 0 and self._starts[keys[place]] + self._shifts[keys[place]] > begin:
            place -= 1
            self._look(1)
        return keys[place] if place >= 0 else 0

    def dropped(self, frames: _Range | None, kept: list[_Range]) -> int:
        """Return how many ticks go before the frames of an edit."""
        first = frames[0] if frames else 0
        ticks = end = 0
        for begin, following in kept:
            if begin > first:
                break
            ticks += self._starts[begin] - self._starts[end]
            end = following
        return ticks


def _merged(ranges: list[_Range]) -> list[_Range]:
    merged: list[_Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _cut(track: Track, kept: list[_Range]) -> None:
    samples = track.samples
    sizes, offsets, lengths, shifts = array("I"), array("Q"), array("I"), array("i")
    keys: set[int] = set()
    old = sorted(samples.keys or ())
    for first, last in kept:
        mine = old[bisect_left(old, first) : bisect_left(old, last)]
        keys.update(key - first + len(sizes) for key in mine)
        sizes += samples.sizes[first:last]
        offsets += samples.offsets[first:last]
        lengths += samples.durations[first:last]
        shifts += samples.shifts[first:last]
    samples.sizes, samples.offsets, samples.durations, samples.shifts = (
        sizes, offsets, lengths, shifts,
    )  # fmt: skip
    if samples.keys is not None:
        samples.keys = keys
