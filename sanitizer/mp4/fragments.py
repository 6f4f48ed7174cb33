"""Read the fragments of a fragmented MP4 (ISO/IEC 14496-12, section 8.8) into a movie's tracks.

Rule: as in sanitizer.mp4.read; a fragment of a track that is not kept is passed over.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from sanitizer.errors import Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.mp4.boxes import TopBox, child, children, needed, read_box
from sanitizer.mp4.model import Movie, Track
from sanitizer.numbers import unpack
from sanitizer.source import UntrustedSource

_MAX_MOOF = 16 << 20
_NOT_KEY = 0x10000
_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 1, 2, 8, 16, 32
_OFFSET, _FIRST = 1, 4
_EACH = (0x100, 0x200, 0x400, 0x800)

Defaults = tuple[int, ...]
"""A trex: description, duration, size, flags."""


@dataclass(slots=True)
class _Place:
    """Where the next run of frames lies when it does not say so itself."""

    moof: int
    following: int


class Fragments:
    """Takes the fragments of a file one by one, and appends their frames to a movie's tracks."""

    def __init__(self, movie: Movie, extends: dict[int, Defaults], limits: Limits) -> None:
        """Take the movie that the moov described, and what it says about its fragments."""
        self._movie = movie
        self._extends = extends
        self._limits = limits
        self._tracks = {track.number: track for track in movie.tracks}
        self._starts: dict[int, int] = {}

    def take(self, moof: bytes, start: int) -> None:
        """Take the content of a moof that begins at ``start`` in its file."""
        place = _Place(start, start)
        for name, content in children(moof):
            if name == b"traf":
                self._fragment(content, place)

    def finish(self) -> None:
        """Put the tracks side by side, once the last fragment is known."""
        _shift(self._movie, self._starts)
        for track in self._movie.tracks:
            lengths = track.samples.durations
            if not track.is_video and len(lengths) > 1 and not track.entry.unit:
                # In fragments decoders play the last packet whole, whatever its length says.
                lengths[-1] = max(lengths[-1], lengths[-2])
            if track.edits:
                # What the index says of the length was written before the fragments were known.
                _, start = track.edits[-1]
                track.edits[-1] = (_until_end(track, start, self._movie.timescale), start)

    def _fragment(self, traf: bytes, place: _Place) -> None:
        head = needed(traf, b"tfhd")
        flags, number = unpack("II", head)
        at, base = 8, place.moof
        if flags & _BASE:
            (base,) = unpack("Q", head, at)
            at += 8
        at += 4 if flags & _DESCRIPTION else 0
        defaults = list(self._extends.get(number, (1, 0, 0, 0)))[1:]
        for index, bit in enumerate((_DURATION, _SIZE, _FLAGS)):
            if flags & bit:
                (defaults[index],) = unpack("I", head, at)
                at += 4
        track = self._tracks.get(number)
        if track is not None:
            _at_time(track, traf, self._starts)
        place.following = max(place.following, base)
        for name, content in children(traf):
            if name == b"trun":
                _run(content, track, defaults, base, place)
        if track is not None and len(track.samples) > self._limits.video_samples:
            raise TooComplex("too many frames")


def read(
    source: UntrustedSource,
    tops: Iterable[TopBox],
    movie: Movie,
    extends: dict[int, Defaults],
    limits: Limits,
) -> None:
    """Append the frames of every moof to the movie's tracks. Raises a leaf of Refused."""
    fragments = Fragments(movie, extends, limits)
    for top in tops:
        if top.kind == b"moof":
            fragments.take(read_box(source, top, _MAX_MOOF), top.start)
    fragments.finish()


def _at_time(track: Track, traf: bytes, starts: dict[int, int]) -> None:
    """Stretch the last frame to where this fragment says it begins."""
    time = child(traf, b"tfdt")
    if time is None:
        starts.setdefault(track.number, 0)
        return
    (begin,) = unpack("Q" if time[:1] == b"\1" else "I", time, 4)
    durations = track.samples.durations
    start = starts.setdefault(track.number, 0 if durations else begin)
    gap = begin - start - track.duration
    if gap > 0 and durations:
        durations[-1] = min(durations[-1] + gap, 0xFFFFFFFF)


def _run(trun: bytes, track: Track | None, defaults: list[int], base: int, place: _Place) -> None:
    flags, count = unpack("II", trun)
    flags &= 0xFFFFFF
    at, offset = 8, place.following
    if flags & _OFFSET:
        offset = base + unpack("i", trun, at)[0]
        at += 4
    first_flags = unpack("I", trun, at)[0] if flags & _FIRST else None
    at += 4 if flags & _FIRST else 0
    present = [bool(flags & bit) for bit in _EACH]
    step = 4 * sum(present)
    if len(trun) < at + step * count or offset < 0 or (not step and count > 1 << 16):
        raise Malformed("a fragment longer than its box")
    duration, size, flag = defaults
    for number in range(count):
        values = iter(unpack("I" * sum(present), trun, at))
        length = next(values) if present[0] else duration
        bytes_ = next(values) if present[1] else size
        flags_ = next(values) if present[2] else flag
        shift = next(values) if present[3] else 0
        if number == 0 and first_flags is not None:
            flags_ = first_flags
        if track is not None:
            _append(track, offset, bytes_, length, shift, is_key=not flags_ & _NOT_KEY)
        offset += bytes_
        at += step
    place.following = offset


def _append(track: Track, offset: int, size: int, length: int, shift: int, *, is_key: bool) -> None:  # noqa: PLR0913 - a frame has so many numbers
    samples = track.samples
    number = len(samples)
    signed = shift - (1 << 32) if shift >> 31 else shift
    if signed and not samples.shifts:
        samples.shifts = array("i", bytes(4 * number))
    if samples.shifts or signed:
        samples.shifts.append(signed)
    if samples.keys is None and not is_key:
        samples.keys = set(range(number))
    if samples.keys is not None and is_key:
        samples.keys.add(number)
    samples.sizes.append(size)
    samples.offsets.append(offset)
    samples.durations.append(length)


def _shift(movie: Movie, starts: dict[int, int]) -> None:
    """Keep sound and picture together when tracks begin at different times."""
    begins = {t.number: starts.get(t.number, 0) / t.timescale for t in movie.tracks}
    first = min(begins.values(), default=0.0)
    for track in movie.tracks:
        late = round((begins[track.number] - first) * movie.timescale)
        if late > 0 and not track.edits:
            track.edits = [(late, -1), (0, 0)]


def _until_end(track: Track, start: int, timescale: int) -> int:
    """Return the length of an edit that fragments leave open, in the movie's ticks."""
    latest = max(track.samples.shifts, default=0)
    return max(0, track.duration + latest - start) * timescale // track.timescale
