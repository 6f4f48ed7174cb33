"""Find the frames of a sound without a container: each begins with a header that has its length.

Rule: the first frame that others follow says what the sound is, and all that are believed agree
with it. A frame is whole when another one follows it, or a tag, or the end: else it may have been
cut off, and what somebody has written behind it may stand within its length. Whatever is no frame
is dropped.
"""

import re
from collections.abc import Callable, Iterator

from sanitizer.errors import Empty, Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.sound import tags
from sanitizer.sound.window import Window
from sanitizer.source import UntrustedSource

HEAD = 8
"""Bytes of a header that are looked at."""
Measure = Callable[[bytes], tuple[object, int] | None]
"""Returns what a header says of the sound, and the frame's length; None where it is none."""
_ID3_HEADER = 10
_LOOK = 1 << 18
# Two bytes of anything look like the start of a frame so often, at most.
_CHANCE = 4096
_ENOUGH = 3
_SYNC = re.compile(rb"\xff[\xe0-\xff]")


class Walk:
    """The frames of one file."""

    def __init__(self, source: UntrustedSource, limits: Limits, measure: Measure) -> None:
        """Find the first frame; raises Malformed where there is none."""
        self.kinds: set[str] = set()
        self._window = Window(source)
        self._limits = limits
        self._measure = measure
        self._failed = self._tags = 0
        self._sync = _SYNC
        self._same: object = None
        self._end = tags.sound_end(self._window, limits.sound_parts)
        self._start = self._first()

    def _at(self, at: int) -> int:
        """Return the length of the frame of this sound that begins here, 0 if none does."""
        measured = self._measure(self._window.take(at, HEAD)) if at < self._end else None
        if measured is None or (self._same is not None and measured[0] != self._same):
            return 0
        return measured[1]

    def _first(self) -> int:
        """Return where the first frame begins, once it is known what the sound is."""
        at, is_first = self._behind_tags(0), True
        if at >= self._end:
            raise Empty("nothing but tags")
        while at < self._end:
            measured = self._measure(self._window.take(at, HEAD))
            if measured is not None:
                self._same = measured[0]
                if self._follow(at) >= (1 if is_first else _ENOUGH):
                    head = self._window.take(at, 2)
                    pair = re.escape(bytes([head[1] & 0xFE])) + re.escape(bytes([head[1] | 1]))
                    self._sync = re.compile(b"\xff[" + pair + b"]")
                    return at
                self._same = None
            self._miss(at)
            at, is_first = self._window.find(self._sync, at + 1, self._end), False
        raise Malformed("no frame of sound in this file")

    def _follow(self, at: int) -> int:
        """Count the whole frames that follow each other from here, up to enough."""
        number = 0
        while number < _ENOUGH and (length := self._at(at)) and at + length <= self._end:
            at += length
            number += 1
        return number

    def _miss(self, at: int) -> None:
        self._failed += 1
        if self._failed > self._limits.sound_resyncs + at // _CHANCE:
            raise TooComplex("too many things that look like frames")

    def _behind_tags(self, at: int) -> int:
        """Return where the ID3v2 tags that stand here end; one that lies about it is none."""
        while True:
            length = tags.id3_length(self._window.take(at, _ID3_HEADER))
            if not length or at + length > self._window.length:
                return at
            self._tags += 1
            if self._tags > self._limits.sound_parts:
                raise TooComplex("too many tags")
            self.kinds |= tags.kinds(self._window.take(at, min(length, _LOOK)))
            at += length

    def frames(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the frames, and whether each is surely whole; ``kinds`` is complete at the end."""
        take, number = self._window.take, 0
        self._failed = self._tags = 0
        at, is_lost = self._start, False
        if self._behind_tags(0) < at:
            self.kinds.add("other_metadata")
        length = self._at(at)
        while at < self._end:
            following = self._at(at + length) if length else 0
            is_whole = following > 0 or (not is_lost and self._is_end(at + length))
            if length and (is_whole or not (is_lost or self._is_overlapped(at, length))):
                number += 1
                if number > self._limits.sound_frames:
                    raise TooComplex("too many frames")
                frame = take(at, length)
                yield frame, is_whole and not tags.holds_tag(frame)
                at, length, is_lost = at + length, following, False
                continue
            behind = self._behind_tags(at)
            if behind == at:
                self.kinds.add("trailing_data")
                self._miss(at)
                behind = self._window.find(self._sync, at + 1, self._end)
            at, is_lost = behind, True
            length = self._at(at)
        if self._end < self._window.length:
            self.kinds |= {"trailing_data"} | tags.kinds(take(self._end, _LOOK))

    def _is_overlapped(self, at: int, length: int) -> bool:
        """Tell whether a frame that nothing follows is no frame, or goes beyond the end.

        A sound frame, one that another follows, begins within it.
        """
        end = at + length
        place = at
        while end <= self._end and (place := self._window.find(self._sync, place + 1, end)) < end:
            within = self._at(place)
            if within and self._at(place + within):
                return True
            self._miss(place)
        return end > self._end

    def _is_end(self, at: int) -> bool:
        """Tell whether a frame that ends here ends where a file, or a tag, lets it."""
        if at >= self._end:
            return at == self._end
        return tags.is_tag(self._window.take(at, _ID3_HEADER))
