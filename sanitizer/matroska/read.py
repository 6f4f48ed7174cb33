"""Read a Matroska or WebM file: what is in it, and its blocks, as often as they are asked for.

Rule: bounded, in Python, trusting no number. Only sound and pictures are taken up; everything
else is named by its kind and left behind. RFC 9559, section 5; recordings that were written live
have no lengths and end where their last whole block ends.
"""

from array import array
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex, TooLarge, Unsupported
from sanitizer.limits import Limits
from sanitizer.matroska import ids, tracks
from sanitizer.matroska.clusters import Clusters
from sanitizer.matroska.ebml import Header, Window, children, floating, unsigned
from sanitizer.matroska.layer3 import blanked
from sanitizer.matroska.model import Block, Facts, Track
from sanitizer.matroska.notes import note_element, note_info
from sanitizer.source import UntrustedSource

_MAX_HEADER = 4096
_MAX_DESCRIPTION = 4 << 20
_TICKS = (1_000_000, 100_000, 10_000)
_MAX_SCALE = 1_000_000_000
# More frames of a track in one second than any sound or picture has, and how many may be at once.
_FRAMES_A_SECOND, _FRAMES_AT_ONCE = 2000, 10_000
_SECOND = 1_000_000_000
_FAR = 1 << 62


class Reader:
    """One file: its head is read at once, its blocks by ``first`` and then by ``again``."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Take the source; ``first`` must be run through before anything else is asked."""
        self.facts = Facts()
        self.tracks: list[Track] = []
        self._source = source
        self._limits = limits
        self._window = Window(source)
        self._clusters = Clusters(source, self._window, self.facts, limits)
        self._spans = array("Q")
        self._is_live = False
        self._has_info = False

    def first(self) -> Iterator[Block]:
        """Yield all blocks in their order while learning what else there is.

        Raises a leaf of Refused. Frames are stripped; those of which nothing is left are not
        among them.
        """
        at = self._head()
        found = self._next(at, self._window.length)
        while found is not None and found[0] != ids.SEGMENT:
            at = self._skipped(found)
            found = self._next(at, self._window.length)
        if found is None:
            raise Malformed("a video without a segment")
        _, at, size = found
        self._is_live = size is None
        end = self._window.length if size is None else at + size
        if end > self._window.length:
            raise Malformed("the video ends before its last part")
        yield from blanked(self._counted(self._segment(at, end)), self.facts.kinds)

    def again(self) -> Iterator[Block]:
        """Yield the same blocks once more."""
        return blanked(self._spanned(), self.facts.kinds)

    def _spanned(self) -> Iterator[Block]:
        for place in range(0, len(self._spans), 2):
            begin, end = self._spans[place : place + 2]
            yield from self._clusters.blocks(begin, end, is_open=False)

    def _counted(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Pass blocks on; refuse more of them than there is time for."""
        frames, room = 0, min(_FRAMES_AT_ONCE, self._limits.video_samples)
        first, latest = _FAR, -_FAR
        for block in blocks:
            track, time = block.track, block.time
            frames += len(block.frames)
            track.frames += len(block.frames)
            track.blocks += 1
            track.times += time
            track.last = max(track.last, time)
            first, latest = min(first, time), max(latest, time)
            if frames > room:
                seconds = (latest - first) * self.facts.tick // _SECOND
                room = _FRAMES_AT_ONCE + _FRAMES_A_SECOND * len(self.tracks) * seconds
                if frames > min(room, self._limits.video_samples):
                    raise TooComplex("too many frames")
            yield block

    def _next(self, at: int, end: int) -> Header | None:
        """Return the next header; None at the end."""
        self._clusters.count_element()
        found = self._window.header(at, end)
        if found is None and at != end:
            raise Malformed("an element is cut short")
        return found

    def _head(self) -> int:
        """Check the EBML header; return where it ends."""
        _, at, size = self._window.header(0, self._window.length) or (0, 0, None)
        if size is None or size > _MAX_HEADER:
            raise Malformed("a file that does not begin like a video")
        told = dict(children(self._window.read(at, size)))
        kind = told.get(ids.DOC_TYPE, b"").rstrip(b"\0")
        if kind not in {b"webm", b"matroska"}:
            raise Unsupported("a file of EBML that is no video")
        if (
            unsigned(told.get(ids.EBML_READ_VERSION, b"\1")) != 1
            or unsigned(told.get(ids.MAX_ID_LENGTH, b"\4")) > 4  # noqa: PLR2004 - ids have four bytes
            or unsigned(told.get(ids.MAX_SIZE_LENGTH, b"\x08")) > 8  # noqa: PLR2004 - and lengths eight
        ):
            raise Unsupported("EBML of a kind that is not known")
        known = {ids.EBML_VERSION, ids.EBML_READ_VERSION, ids.MAX_ID_LENGTH, ids.MAX_SIZE_LENGTH}
        known |= {ids.DOC_TYPE, ids.DOC_TYPE_VERSION, ids.DOC_TYPE_READ_VERSION, ids.CRC_32}
        if told.keys() - known or told.get(ids.DOC_TYPE, b"") != kind:
            self.facts.kinds.add("other_metadata")
        return at + size

    def _skipped(self, found: Header) -> int:
        """Note an element that is not kept; return where it ends."""
        kind, at, size = found
        if size is None or at + size > self._window.length:
            raise Malformed("an element is longer than what holds it")
        note_element(kind, self._source, at, size, self.facts.kinds)
        return at + size

    def _segment(self, at: int, end: int) -> Iterator[Block]:
        while (found := self._next(at, end)) is not None:
            kind, content, size = found
            if self._is_live and kind in {ids.EBML, ids.SEGMENT}:
                break
            if kind == ids.CLUSTER:
                if not self.tracks:
                    raise Malformed("a video whose tracks are not told before its frames")
                stop = end if size is None else content + size
                if stop > end and not self._is_live:
                    raise Malformed("an element is longer than what holds it")
                is_open = self._is_live and (size is None or stop > end)
                at = yield from self._clusters.blocks(content, min(stop, end), is_open=is_open)
                self._spans.extend((content, at))
                if self._clusters.is_cut:
                    break
            elif size is None or content + size > end:
                raise Malformed("an element is longer than what holds it")
            else:
                at = content + size
                self._part(kind, content, size)
        if at < self._window.length:
            self.facts.kinds.add("trailing_data")

    def _part(self, kind: int, at: int, size: int) -> None:
        """Take an element beside the clusters."""
        if kind == ids.INFO and not self._spans and not self._has_info:
            if size > _MAX_DESCRIPTION:
                raise TooLarge("a description longer than the limit")
            self._has_info = True
            self._info(self._window.read(at, size))
        elif kind == ids.TRACKS and not self.tracks:
            if size > _MAX_DESCRIPTION:
                raise TooLarge("a description longer than the limit")
            self._tracks(self._window.read(at, size))
        else:
            note_element(kind, self._source, at, size, self.facts.kinds)

    def _info(self, untrusted: bytes) -> None:
        told = dict(children(untrusted))
        facts = self.facts
        note_info(told, facts.kinds)
        facts.scale = unsigned(told[ids.TIMESTAMP_SCALE]) if ids.TIMESTAMP_SCALE in told else 10**6
        if not 0 < facts.scale <= _MAX_SCALE:
            raise Malformed("a clock of an impossible speed")
        facts.tick = next((tick for tick in _TICKS if facts.scale % tick == 0), _TICKS[-1])
        floating(told.get(ids.DURATION, b""))

    def _tracks(self, untrusted: bytes) -> None:
        entries = [content for kind, content in children(untrusted) if kind == ids.TRACK_ENTRY]
        if len(entries) > self._limits.video_tracks:
            raise TooComplex("too many tracks")
        for kind, content in children(untrusted):
            if kind not in {ids.TRACK_ENTRY, ids.CRC_32} and content.strip(b"\0"):
                self.facts.kinds.add("other_metadata")
        shown = tracks.shown(entries, self.facts.kinds)
        if len(shown) < len(entries):
            # Frames that go are as many as frames that stay.
            self._clusters.room += self._limits.video_samples
        for entry in shown:
            track = tracks.read(entry, self.facts.kinds)
            if track is not None:
                self.tracks.append(track)
        if not self.tracks:
            raise Unsupported("no sound or pictures in it, or none that can be cleaned")
        self._clusters.tracks = {track.number: track for track in self.tracks}
