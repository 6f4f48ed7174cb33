"""A clean FLAC file: the stream information written anew, and frames, each cut where it ends.

Rule: (1) tags before the file and all metadata blocks but the first are dropped (2) the frames
are found once, to count them (3) and walked once more, bit by bit, as they are written, numbered
by us from 0 (4) what stands between, before and behind them is dropped; a frame that is missing,
or damaged, is an error.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator

from sanitizer.errors import Empty, Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.sound import tags
from sanitizer.sound.flac import frame
from sanitizer.sound.flac.header import INFO_BYTES, Header, StreamInfo, parse
from sanitizer.sound.window import Window
from sanitizer.source import UntrustedSource

_HEADER = 16
_READY = 1 << 18
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_LOOK = 1 << 18
# By chance two bytes look like the start of a frame once in 64 KiB.
_CHANCE = 4096
_SMALLEST_BLOCK = 16
_INFO = b"\0\0\0\x22"
_LAST_BLOCK = 0x80


class FlacWriter:
    """Makes one clean FLAC file."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Read the metadata and count the frames; raises a leaf of Refused."""
        self.kinds: set[str] = set()
        self.frames = 0
        self._window = Window(source)
        self._limits = limits
        self._failed = 0
        self._start, self._info = self._metadata()
        self._sync = _SYNC
        self._counted = self._samples = 0
        self._count()

    def _metadata(self) -> tuple[int, StreamInfo]:
        """Return where the frames begin, and what the stream says of itself; (1) of the walk."""
        take = self._window.take
        at = 0
        while length := tags.id3_length(take(at, 10)):
            self.kinds |= tags.kinds(take(at, min(length, _LOOK)))
            at += length
        if take(at, 4) != b"fLaC" or take(at + 4, 4)[1:] != _INFO[1:]:
            raise Malformed("a header of sound is missing")
        info = StreamInfo.from_bytes(take(at + 8, INFO_BYTES))
        at += 4
        for place in range(self._limits.sound_parts):
            head = take(at, 4)
            if len(head) < 4:  # noqa: PLR2004 - a block's header
                raise Malformed("a header of sound is cut short")
            length = 4 + int.from_bytes(head[1:], "big")
            if place:
                self.kinds |= tags.of_block(take(at, min(length, _LOOK)))
            at += length
            if head[0] & _LAST_BLOCK:
                return at, info
        raise TooComplex("too many headers")

    def _next(self, at: int, end: int, number: int | None) -> tuple[Header | None, int]:
        """Return the next frame header before ``end`` that has ``number``, and where it stands."""
        while at < end:
            at = self._window.find(self._sync, at, end)
            header = parse(self._window.take(at, _HEADER), self._info)
            if header and number in {None, header.number}:
                return header, at
            self._failed += 1
            if self._failed > self._limits.sound_resyncs + at // _CHANCE:
                raise TooComplex("too many things that look like frames")
            at += 1
        return None, end

    def _found(self) -> Iterator[tuple[int, int, Header]]:
        """Yield the place of each frame, that of the next one, and its header.

        For the last frame, the second is as far as a frame may reach.
        """
        self._failed = 0
        far = self._start + self._limits.sound_packet_bytes
        header, at = self._next(self._start, min(far, self._window.length), None)
        while header:
            self._sync = re.compile(re.escape(b"\xff\xf9" if header.is_variable else b"\xff\xf8"))
            far = min(at + self._limits.sound_packet_bytes, self._window.length)
            number = header.number + (header.block if header.is_variable else 1)
            following, place = self._next(at + header.length, far, number)
            yield at, place, header
            header, at = following, place

    def _count(self) -> None:
        """Count frames and samples, the last one if it is whole; (2) of the walk."""
        largest, last = _SMALLEST_BLOCK, None
        for last in self._found():
            largest = max(largest, last[2].block)
            self._counted += 1
            self._samples += last[2].block
            if self._counted > self._limits.sound_frames:
                raise TooComplex("too many frames")
        if last is None:
            raise Empty("no sound in it")
        at, end, header = last
        try:
            end = at + len(frame.clean(self._window.take(at, end - at), header, header.number))
        except frame.CutShort:
            self._counted -= 1
            self._samples -= header.block
            end = at + header.length
        if end < self._window.length:
            self.kinds.add("trailing_data")
        if self._next(end, self._window.length, None)[0]:
            raise Malformed("a frame of sound is missing")
        smallest = _SMALLEST_BLOCK if header.is_variable else largest
        self._info = dataclasses.replace(self._info, smallest=smallest, largest=largest)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file; raises a leaf of Refused. (3) and (4) of the walk."""
        ready = [b"fLaC", bytes([_LAST_BLOCK]), _INFO[1:], self._info.to_bytes(self._samples)]
        size = number = 0
        reached = self._start
        for at, end, header in itertools.islice(self._found(), self._counted):
            made = frame.clean(self._window.take(at, end - at), header, number)
            number += header.block if header.is_variable else 1
            self.frames += 1
            if at > reached:
                self.kinds.add("other_metadata")
            reached = at + len(made)
            ready.append(made)
            size += len(made)
            if size > _READY:
                yield b"".join(ready)
                ready, size = [], 0
        yield b"".join(ready)
