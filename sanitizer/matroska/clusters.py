"""Walk a cluster: its blocks, one after the other, their frames stripped (RFC 9559, 5.1.3).

Rule: what is no block of a kept track is left behind and counted; times become ticks of the
result. A recording that was broken off ends with its last whole block.
"""

from collections.abc import Generator

from sanitizer.errors import Malformed, TooComplex, TooLarge
from sanitizer.limits import Limits
from sanitizer.matroska import ids
from sanitizer.matroska.blocks import laced
from sanitizer.matroska.ebml import Header, Window, children, number, signed, unsigned
from sanitizer.matroska.model import Block, Facts, Track
from sanitizer.matroska.notes import note_element
from sanitizer.matroska.tracks import whole_samples
from sanitizer.source import UntrustedSource

_OUTSIDE = ids.LEVEL_1 | {ids.EBML, ids.SEGMENT}
_IN_GROUP = {
    ids.BLOCK, ids.BLOCK_DURATION, ids.REFERENCE_BLOCK, ids.DISCARD_PADDING, ids.CRC_32,
    ids.BLOCK_ADDITIONS,
}  # fmt: skip
_KEY, _LACING = 0x80, 6
_MAX_TIME = 1 << 44
_LONGEST = 3600 * 1_000_000_000
_CLUSTER_ID = ids.CLUSTER.to_bytes(4, "big")


class Clusters:
    """The clusters of one file; ``tracks`` are those that are kept, by their number in it."""

    def __init__(
        self, source: UntrustedSource, window: Window, facts: Facts, limits: Limits
    ) -> None:
        """Take what is read from, and the facts, whose scale and tick must be known in time."""
        self.tracks: dict[int, Track] = {}
        self.is_cut = False
        self.room = limits.video_boxes
        """Most elements that are no block of a kept track."""
        self._source = source
        self._window = window
        self._facts = facts
        self._limits = limits
        self._elements = 0

    def count_element(self) -> None:
        """Count one element that is no block of a kept track. Raises TooComplex."""
        self._elements += 1
        if self._elements > self.room:
            raise TooComplex("too many elements")

    def blocks(self, at: int, end: int, *, is_open: bool) -> Generator[Block, None, int]:
        """Yield the blocks of the cluster whose content begins at ``at``; return where it ends.

        An open one may end before ``end``: with an element of the segment, or broken off.
        """
        base: int | None = None
        window = self._window
        while at < end:
            found = window.header(at, end)
            if found is not None and is_open and found[0] in _OUTSIDE:
                return at
            kind, content, size = found or (0, at, None)
            if size is None or content + size > end:
                self._cut(at, found, is_open=is_open)
                return at
            at = content + size
            if kind in {ids.SIMPLE_BLOCK, ids.BLOCK_GROUP}:
                if size > self._limits.sample_bytes:
                    raise TooLarge("a frame longer than the limit")
                if base is None:
                    raise Malformed("frames without a time")
                data = window.read(content, size)
                block = (self._group if kind == ids.BLOCK_GROUP else self._simple)(data, base)
                if block is not None:
                    yield block
                else:
                    self.count_element()
                continue
            self.count_element()
            if kind == ids.TIMESTAMP and base is None:
                base = unsigned(window.read(content, min(size, 9)))
            else:
                note_element(kind, self._source, content, size, self._facts.kinds)
        return at

    def _cut(self, at: int, found: Header | None, *, is_open: bool) -> None:
        """Take note that a recording was broken off here. Raises Malformed where it was not."""
        rest = self._window.length - at
        is_block = found is None or found[0] in {ids.SIMPLE_BLOCK, ids.BLOCK_GROUP}
        if not is_open or not is_block or (found and found[2] is None):
            raise Malformed("an element is longer than what holds it")
        if rest > self._limits.sample_bytes or _CLUSTER_ID in self._window.read(at, rest):
            raise Malformed("an element is longer than what holds it")
        self.is_cut = True

    def _simple(self, data: bytes, base: int) -> Block | None:
        return self._block(data, base, is_key=None)

    def _group(self, data: bytes, base: int) -> Block | None:
        """Return the block of a group with what else is kept of it."""
        told = dict(children(data))
        block = self._block(told.get(ids.BLOCK, b""), base, is_key=ids.REFERENCE_BLOCK not in told)
        if told.keys() - _IN_GROUP:
            self._facts.kinds.add("other_metadata")
        if block is None:
            return None
        duration = self._ticks(unsigned(told.get(ids.BLOCK_DURATION, b"")))
        padding = whole_samples(signed(told.get(ids.DISCARD_PADDING, b"")), block.track.rate)
        alpha = b""
        for _, content in children(told.get(ids.BLOCK_ADDITIONS, b"")):
            more = dict(children(content))
            picture = more.get(ids.BLOCK_ADDITIONAL, b"")
            is_alpha = unsigned(more.get(ids.BLOCK_ADD_ID, b"\1")) == 1 and picture
            if is_alpha and block.track.has_alpha and block.track.strip is not None:
                alpha = block.track.strip(picture)
            else:
                self._facts.kinds.add("other_metadata")
        if duration * self._facts.tick > _LONGEST:
            duration = 0
        return block._replace(duration=duration, padding=padding, alpha=alpha)

    def _ticks(self, told: int) -> int:
        """Return ticks of the source as ticks of the result, rounded."""
        scale, tick = self._facts.scale, self._facts.tick
        return told * (scale // tick) if scale % tick == 0 else (told * scale + tick // 2) // tick

    def _block(self, data: bytes, base: int, *, is_key: bool | None) -> Block | None:
        """Return a block's frames, stripped; None where the track is not kept, or nothing is left.

        ``is_key`` is None where the block's own flags say it.
        """
        end = len(data)
        told, at, _ = number(data, 0, end)
        if at + 3 >= end:
            raise Malformed("a block without frames")
        track = self.tracks.get(told or 0)
        if track is None:
            return None
        flags = data[at + 2]
        time = self._ticks(base + int.from_bytes(data[at : at + 2], "big", signed=True))
        if abs(time) > _MAX_TIME:
            raise Malformed("a frame at an impossible time")
        at += 3
        frames = laced(data, at, flags & _LACING) if flags & _LACING else (data[at:],)
        if track.prefix:
            frames = tuple([track.prefix + frame for frame in frames])
        if track.strip is not None:
            stripped = tuple([taken for frame in frames if (taken := track.strip(frame))])
            if stripped != frames:
                self._facts.kinds.add("sei" if track.is_video else "other_metadata")
                frames = stripped
                if not frames:
                    return None
        return Block(track, time, bool(flags & _KEY) if is_key is None else is_key, frames)
