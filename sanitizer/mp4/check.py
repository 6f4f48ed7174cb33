"""Read what ffmpeg writes as it streams by, and refuse it unless every byte is accounted for.

Rule: shares no code with what wrote it. A list of boxes for each level, empty names, zero times,
frames and seconds counted against what went in. A video that
lost a track, a frame, or its end is an error, never a result.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sanitizer.errors import MetadataSurvived
from sanitizer.mp4.check_index import Description, check_movie

_MAX_INDEX = 32 << 20
_MAX_SAMPLE = 64 << 20
_FTYP_LENGTH = 64
_FROM_MOOF = 0x20000
_SHORTEST = 8
_TRUN_EACH = (0x100, 0x200, 0x400, 0x800)


@dataclass(frozen=True, slots=True)
class Expected:
    """What went in of one track, and so must come out."""

    is_video: bool
    frames: int
    seconds: float


class Sink(Protocol):
    """Takes the frames that passed."""

    def frame(self, track: int, description: Description, data: bytes) -> None:
        """Take one frame of the track with this place among the tracks."""
        ...


@dataclass(slots=True)
class _Track:
    """What came out of one track so far."""

    place: int
    description: Description
    frames: int = 0
    ticks: int = 0


@dataclass(slots=True)
class Checker:
    """Takes fragments in pieces of any size; ``finish`` judges the whole."""

    expected: Sequence[Expected]
    sink: Sink
    _buffer: bytearray = field(default_factory=bytearray)
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _defaults: dict[int, tuple[int, int]] = field(default_factory=dict)
    _samples: list[tuple[int, int]] = field(default_factory=list)
    _next: int = 0
    _in_data: bool = False
    _begun: bool = False

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        self._buffer += data
        while self._sample() if self._in_data else self._box():
            pass

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._buffer or self._in_data or self._samples:
            raise MetadataSurvived("the result ends in the middle")
        if len(self._tracks) != len(self.expected):
            raise MetadataSurvived("a track was lost")
        for track, wanted in zip(self._tracks.values(), self.expected, strict=True):
            seconds = track.ticks / track.description.timescale
            if track.description.is_video != wanted.is_video:
                raise MetadataSurvived("the tracks changed their order")
            if track.frames != wanted.frames:
                raise MetadataSurvived("frames were lost")
            if abs(seconds - wanted.seconds) > max(1.0, wanted.seconds / 50):
                raise MetadataSurvived("the result has another length")

    def _box(self) -> bool:
        """Take one box at the top; return whether there may be another in the buffer."""
        if len(self._buffer) < 16:  # noqa: PLR2004 - the longest header of a box
            return False
        size, kind = struct.unpack_from(">I4s", self._buffer)
        if kind == b"mdat":
            header = 16 if size == 1 else 8
            if size == 1:
                (size,) = struct.unpack_from(">Q", self._buffer, 8)
            if size - header != sum(length for _, length in self._samples) or not self._samples:
                raise MetadataSurvived("data that no frame owns")
            del self._buffer[:header]
            self._in_data = True
            return True
        if not _SHORTEST <= size <= _MAX_INDEX:
            raise MetadataSurvived("a box of the result has an impossible length")
        if len(self._buffer) < size:
            return False
        content = bytes(self._buffer[8:size])
        del self._buffer[:size]
        self._index(kind, content, size)
        return True

    def _index(self, kind: bytes, content: bytes, size: int) -> None:
        if kind == b"ftyp" and not self._begun and size <= _FTYP_LENGTH:
            self._begun = True
        elif kind == b"moov" and self._begun and not self._tracks:
            for place, (number, description) in enumerate(check_movie(content).items()):
                self._tracks[number] = _Track(place, description)
        elif kind == b"moof" and self._tracks and not self._samples:
            self._fragment(content, size)
        else:
            raise MetadataSurvived("a box that is not on the list")

    def _fragment(self, content: bytes, size: int) -> None:
        """Take a moof: learn where each of the coming frames lies."""
        places: list[tuple[int, int, int]] = []
        for kind, box in _boxes(content):
            if kind == b"traf":
                self._run(box, places)
            elif kind != b"mfhd" or len(box) != 8:  # noqa: PLR2004 - a sequence number
                raise MetadataSurvived("a box that is not on the list")
        places.sort()
        at = size + 8
        for offset, number, length in places:
            if offset != at:
                raise MetadataSurvived("data that no frame owns")
            at += length
            self._samples.append((number, length))
        self._next = 0

    def _run(self, traf: bytes, places: list[tuple[int, int, int]]) -> None:
        parts = list(_boxes(traf))
        kinds = [kind for kind, _ in parts]
        if kinds[:2] != [b"tfhd", b"tfdt"] or set(kinds[2:]) - {b"trun"}:
            raise MetadataSurvived("a box that is not on the list")
        head = parts[0][1]
        flags, number = struct.unpack_from(">II", head)
        # Of the optional numbers only duration, size and flags; positions count from the moof.
        if flags & ~0x38 != _FROM_MOOF or number not in self._tracks:
            raise MetadataSurvived("a fragment of an unexpected kind")
        values = iter(struct.unpack(f">{(len(head) - 8) // 4}I", head[8:]))
        duration = next(values) if flags & 8 else 0
        length = next(values) if flags & 16 else 0
        for _, trun in parts[2:]:
            self._frames(trun, number, (duration, length), places)

    def _frames(
        self,
        trun: bytes,
        number: int,
        defaults: tuple[int, int],
        places: list[tuple[int, int, int]],
    ) -> None:
        flags, count, offset = struct.unpack_from(">IIi", trun)
        flags &= 0xFFFFFF
        at = 16 if flags & 4 else 12
        each = [bool(flags & bit) for bit in _TRUN_EACH]
        if not flags & 1 or flags & ~0xF05 or len(trun) != at + 4 * sum(each) * count:
            raise MetadataSurvived("a fragment of an unexpected kind")
        rows = struct.unpack(f">{sum(each) * count}I", trun[at:])
        step = sum(each) or 1
        durations = rows[::step] if each[0] else (defaults[0],) * count
        lengths = rows[each[0] :: step] if each[1] else (defaults[1],) * count
        track = self._tracks[number]
        for duration, length in zip(durations, lengths, strict=True):
            track.frames += 1
            track.ticks += duration
            places.append((offset, number, length))
            offset += length

    def _sample(self) -> bool:
        """Take one frame; return whether there may be more in the buffer."""
        if self._next == len(self._samples):
            self._samples, self._in_data = [], False
            return True
        number, length = self._samples[self._next]
        if length > _MAX_SAMPLE:
            raise MetadataSurvived("a frame of an impossible length")
        if len(self._buffer) < length:
            return False
        track = self._tracks[number]
        frame = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        self.sink.frame(track.place, track.description, frame)
        self._next += 1
        return True


def _boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return all boxes of a content, which must hold nothing else."""
    found, at = [], 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content.ljust(at + 8, b"\0"), at)
        if size < 8 or at + size > len(content):  # noqa: PLR2004 - the shortest box
            raise MetadataSurvived("a box of the result is broken")
        found.append((kind, content[at + 8 : at + size]))
        at += size
    return found
