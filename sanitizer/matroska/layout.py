"""Lay the kept blocks out in clusters, and write what stands before them (RFC 9559, section 5.1).

Rule: everything is ours but the frames. The blocks pass twice: once to learn how long everything
is, once to be written; so lengths are known from the first byte on, the index of places stands in
front, and a browser can jump before the file has arrived whole.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sanitizer.errors import TooComplex
from sanitizer.limits import Limits
from sanitizer.matroska import ids
from sanitizer.matroska.blocks import written
from sanitizer.matroska.ebml import double, eight, element, head_of, natural
from sanitizer.matroska.model import Block, Facts, Track
from sanitizer.matroska.notes import OURS
from sanitizer.matroska.tracks import entry_of

_ENOUGH = 2 << 20
_SECOND = 1_000_000_000
_BETWEEN_PICTURES, _BETWEEN_SOUNDS = _SECOND, 5 * _SECOND
_MOST_SHIFT = 32_767
_FAR = 1 << 62
# Lengths of what always has the same length.
_TIMESTAMP = 10
_CLUSTER_HEAD = 12 + _TIMESTAMP
_SEEK_HEAD, _SEEK = 5, 3 + 7 + 11
_CUE_POINT = 2 + 10 + 2 + 3 + 10


@dataclass(slots=True)
class Cluster:
    """Blocks of the result from ``time`` (in ticks) on; ``size`` is that of all its blocks."""

    time: int
    is_jump: bool
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def written(self, start: int) -> bytes:
        """Return the cluster where the result's time begins at ``start``."""
        head = head_of(ids.CLUSTER, self.size + _TIMESTAMP)
        return b"".join([head, eight(ids.TIMESTAMP, self.time - start), *self.parts])


def clusters(blocks: Iterable[Block], tracks: Sequence[Track], facts: Facts) -> Iterator[Cluster]:
    """Yield the clusters of a result; tracks and facts must be known by the first block.

    A cluster begins where one can jump to: at a picture of the first such track that stands
    alone, once a second; and where the one before is full.
    """
    made: Cluster | None = None
    places: dict[int, int] = {}
    lead: Track | None = None
    next_jump, between = -_FAR, 0
    for block in blocks:
        if lead is None:
            lead = next((track for track in tracks if track.is_video), tracks[0])
            between = (_BETWEEN_PICTURES if lead.is_video else _BETWEEN_SOUNDS) // facts.tick
            places = {track.number: place for place, track in enumerate(tracks, 1)}
        time = block.time
        is_jump = block.is_key and block.track is lead and time >= next_jump
        if made is None or is_jump or made.size > _ENOUGH or abs(time - made.time) > _MOST_SHIFT:
            if made is not None:
                yield made
            made = Cluster(time, is_jump)
            next_jump = time + between if is_jump else next_jump
        size, parts = written(block, places[block.track.number], time - made.time)
        made.size += size
        made.parts.extend(parts)
    if made is not None:
        yield made


class Plan:
    """How long the result will be, when it begins and ends, and where one can jump to."""

    def __init__(self, blocks: Iterable[Block], tracks: Sequence[Track], facts: Facts) -> None:
        """Run through all blocks, keeping none. Raises a leaf of Refused."""
        self.start, self.end = _FAR, -_FAR
        self._facts = facts
        self._length = 0
        self._times, self._places = array("q"), array("Q")
        for cluster in clusters(self._seen(blocks), tracks, facts):
            if cluster.is_jump:
                self._times.append(cluster.time)
                self._places.append(self._length)
            self._length += _CLUSTER_HEAD + cluster.size

    def _seen(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Pass blocks on; learn when the first begins and the last ends."""
        for block in blocks:
            length = block.duration or len(block.frames) * block.track.duration // self._facts.tick
            self.start = min(self.start, block.time)
            self.end = max(self.end, block.time + length)
            yield block

    def head(self, tracks: Sequence[Track], *, is_webm: bool, limits: Limits) -> bytes:
        """Return all that stands before the first cluster."""
        if len(self._times) * _CUE_POINT > limits.moov_bytes:
            raise TooComplex("too many places to jump to")
        info = element(
            ids.INFO,
            natural(ids.TIMESTAMP_SCALE, self._facts.tick),
            element(ids.MUXING_APP, OURS),
            element(ids.WRITING_APP, OURS),
            double(ids.DURATION, self.end - self.start),
        )
        entries = [entry_of(track, place) for place, track in enumerate(tracks, 1)]
        parts = [(ids.INFO, info), (ids.TRACKS, element(ids.TRACKS, *entries))]
        cues = b""
        if self._times:
            lead = next((place for place, t in enumerate(tracks, 1) if t.is_video), 1)
            cues = head_of(ids.CUES, len(self._times) * _CUE_POINT)
            before = len(_seek_head(parts)) + _SEEK + sum(len(part) for _, part in parts)
            before += len(cues) + len(self._times) * _CUE_POINT
            cues += b"".join(
                _cue(time - self.start, before + place, lead)
                for time, place in zip(self._times, self._places, strict=True)
            )
            parts.append((ids.CUES, cues))
        content = _seek_head(parts) + b"".join(part for _, part in parts)
        segment = head_of(ids.SEGMENT, len(content) + self._length)
        return _WEBM_HEAD + segment + content if is_webm else _HEAD + segment + content


def _seek_head(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """Return where each of the parts begins, counted from the segment's content on."""
    made, at = b"", len(parts) * _SEEK + _SEEK_HEAD
    for kind, part in parts:
        seek = element(ids.SEEK_ID, kind.to_bytes(4, "big")), eight(ids.SEEK_POSITION, at)
        made += element(ids.SEEK, *seek)
        at += len(part)
    return element(ids.SEEK_HEAD, made)


def _cue(time: int, place: int, track: int) -> bytes:
    where = natural(ids.CUE_TRACK, track) + eight(ids.CUE_CLUSTER, place)
    point = eight(ids.CUE_TIME, time) + element(ids.CUE_TRACK_POSITIONS, where)
    return element(ids.CUE_POINT, point)


def _head(kind: bytes) -> bytes:
    return element(
        ids.EBML,
        natural(ids.EBML_VERSION, 1),
        natural(ids.EBML_READ_VERSION, 1),
        natural(ids.MAX_ID_LENGTH, 4),
        natural(ids.MAX_SIZE_LENGTH, 8),
        element(ids.DOC_TYPE, kind),
        natural(ids.DOC_TYPE_VERSION, 4),
        natural(ids.DOC_TYPE_READ_VERSION, 2),
    )


_WEBM_HEAD, _HEAD = _head(b"webm"), _head(b"matroska")
