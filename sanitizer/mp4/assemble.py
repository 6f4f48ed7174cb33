"""Put stripped frames into a plain MP4: type, data, and at last the index.

Rule: knows the frames' bytes and the movie's own numbers; times, edits and order are those that
the person recorded. Messages inside frames go here, and the checker's own walk looks at what is
left. The index comes last because its length is known last and nothing is kept in memory that
could be passed on.
"""

import struct
from array import array
from typing import NamedTuple

from sanitizer.mp4 import index as mp4_index
from sanitizer.mp4.boxes import box
from sanitizer.mp4.model import Movie, Track
from sanitizer.mp4.strips import Mp3Frames, is_mp3, strip_of

VIDEO = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
SOUND = box(b"ftyp", b"M4A \0\0\2\0M4A isomiso2")
QUICKTIME = box(b"ftyp", b"qt  \0\0\2\0qt  ")
_HEADER = 16
_ENOUGH = 1 << 20

Chunk = tuple[int, "array[int]"]
"""(place of the track, lengths of its frames that lie side by side)."""


class Part(NamedTuple):
    """About a megabyte of the result that can be passed on, and whose frames are in them."""

    data: bytes
    chunks: list[Chunk]


def type_of(movie: Movie) -> bytes:
    """Return the file type box of a movie."""
    if movie.is_quicktime:
        return QUICKTIME
    return VIDEO if movie.is_video else SOUND


class Assembler:
    """Takes frames in the order in which they shall lie; makes the result."""

    def __init__(self, movie: Movie) -> None:
        """Take the movie whose frames will come; its sizes and places are made new."""
        self.has_messages = False
        self._movie = movie
        self._strips = [strip_of(track.entry, track.height) for track in movie.tracks]
        self._waiting = {
            place: Mp3Frames() for place, track in enumerate(movie.tracks) if is_mp3(track.entry)
        }
        self._sizes = [array("I") for _ in movie.tracks]
        self._layouts = [mp4_index.Layout() for _ in movie.tracks]
        self._frames: list[bytes] = []
        self._chunks: list[Chunk] = []
        self._pending = 0
        self._at = 0
        self._last = -1

    def begin(self) -> bytes:
        """Return what the file begins with."""
        head = type_of(self._movie)
        self._at = len(head)
        return head

    def add(self, place: int, frame: bytes) -> None:
        """Add one frame of a track; a few may be held back until ``close``."""
        waiting, strip = self._waiting.get(place), self._strips[place]
        if waiting is not None and frame:
            for ready in waiting.add(frame):
                self._put(place, ready)
            return
        if strip is not None and frame:
            before, frame = frame, strip(frame)
            if frame is not before and frame != before:
                self.has_messages = True
        self._put(place, frame)

    def close(self) -> None:
        """Add the frames that were held back: there will be no more."""
        for place, waiting in self._waiting.items():
            for ready in waiting.finish():
                self._put(place, ready)
            self.has_messages |= waiting.has_messages

    def _put(self, place: int, frame: bytes) -> None:
        """Lay down one frame; frames of one track side by side are one chunk."""
        if place != self._last:
            self._chunks.append((place, array("I")))
            self._last = place
        self._chunks[-1][1].append(len(frame))
        self._frames.append(frame)
        self._pending += len(frame)

    @property
    def has_frames(self) -> bool:
        """Whether there is something to take."""
        return bool(self._frames)

    @property
    def is_ready(self) -> bool:
        """Whether there is enough for a part."""
        return self._pending >= _ENOUGH

    def take(self) -> Part:
        """Return what is there in a box of its own."""
        header = struct.pack(">I4sQ", 1, b"mdat", _HEADER + self._pending)
        part = Part(b"".join([header, *self._frames]), self._chunks)
        self._at += _HEADER
        for place, sizes in self._chunks:
            layout = self._layouts[place]
            layout.places.append(self._at)
            layout.counts.append(self._units(self._movie.tracks[place], sizes))
            self._sizes[place].extend(sizes)
            self._at += sum(sizes)
        self._frames, self._chunks, self._pending, self._last = [], [], 0, -1
        return part

    def _units(self, track: Track, sizes: "array[int]") -> int:
        """Return what the table of chunks counts: frames, or ticks of uncompressed sound."""
        entry = track.entry
        return sum(sizes) // entry.unit * entry.ticks if entry.unit else len(sizes)

    def finish(self) -> bytes:
        """Return the index, once every part has been taken."""
        for track, sizes in zip(self._movie.tracks, self._sizes, strict=True):
            track.samples.sizes = sizes
        return mp4_index.moov(self._movie, self._layouts)
