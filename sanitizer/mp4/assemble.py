"""Put checked frames into a plain MP4: type, data, and at last the index.

Rule: knows the frames' bytes and the movie's own numbers, nothing of what ffmpeg said about
them; so times, edits and order are those that the person recorded. Messages inside frames go
here, and the checker's own walk looks at what is left. The index comes last because its length
is known last and nothing is kept that could be passed on.
"""

import struct
from array import array

from sanitizer.mp4 import index as mp4_index
from sanitizer.mp4.boxes import box
from sanitizer.mp4.check_index import Description
from sanitizer.mp4.check_units import check_units
from sanitizer.mp4.model import Movie
from sanitizer.mp4.strips import for_codec

FILE_TYPE = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
_HEADER = 16
_ENOUGH = 2 << 20


class Assembler:
    """The sink of the checker, and the maker of the result."""

    def __init__(self, movie: Movie) -> None:
        """Take the movie whose frames will come; its sizes and places are made new."""
        self.messages = False
        self._movie = movie
        self._strips = [for_codec(track.codec, track.entry) for track in movie.tracks]
        self._sizes = [array("I") for _ in movie.tracks]
        self._layouts = [mp4_index.Layout() for _ in movie.tracks]
        self._type = FILE_TYPE
        self._frames: list[bytes] = []
        self._pending = 0
        self._at = len(FILE_TYPE)
        self._last = -1

    def frame(self, track: int, description: Description, data: bytes) -> None:
        """Add one frame; frames of one track side by side are one chunk."""
        strip = self._strips[track]
        if strip is not None:
            before, data = data, strip(data)
            self.messages |= data != before
        check_units(description, data)
        if not self._frames:
            self._at += _HEADER
            self._last = -1
        layout = self._layouts[track]
        if track != self._last:
            layout.places.append(self._at)
            layout.counts.append(0)
            self._last = track
        layout.counts[-1] += 1
        self._sizes[track].append(len(data))
        self._frames.append(data)
        self._pending += len(data)
        self._at += len(data)

    def take(self) -> bytes:
        """Return what can be passed on now: nothing, or some megabytes in a box of their own."""
        return self._box() if self._pending >= _ENOUGH else b""

    def _box(self) -> bytes:
        if not self._frames:
            return b""
        header = struct.pack(">I4sQ", 1, b"mdat", _HEADER + self._pending)
        ready = b"".join([self._type, header, *self._frames])
        self._type, self._frames, self._pending = b"", [], 0
        return ready

    def finish(self) -> bytes:
        """Return the rest: the last frames, and the index."""
        for track, sizes in zip(self._movie.tracks, self._sizes, strict=True):
            track.samples.sizes = sizes
        return self._box() + mp4_index.moov(self._movie, self._layouts, with_edits=True)
