"""Re-read a finished Matroska file as it streams by, and refuse it unless every byte has a reason.

Rule: shares no code with what wrote it. One order of elements, one spelling of each number, every
frame walked, every place that one can jump to looked at; frames and times are compared with what
went in. A file that lost a track, a frame or its end is an error, never a result.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived
from sanitizer.matroska.check_head import (
    Description,
    check_cues,
    check_info,
    check_seeks,
    check_tracks,
    is_whole,
)
from sanitizer.matroska.check_walk import elements, fail, in_order, natural

_BEGINS = (
    bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f38108428284")
    + b"webm"
    + bytes.fromhex("4287810442858102"),
    bytes.fromhex("1a45dfa3a34286810142f7810142f2810442f38108428288")
    + b"matroska"
    + bytes.fromhex("4287810442858102"),
)
_LONGEST_BEGIN = max(map(len, _BEGINS))
_SEGMENT = b"\x18\x53\x80\x67\x01"
_WIDE = 12
_SEEK_HEAD, _INFO, _TRACKS, _CUES, _CLUSTER = (
    0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1F43B675,
)  # fmt: skip
_WEBM = {b"V_VP8", b"V_VP9", b"V_AV1", b"A_OPUS", b"A_VORBIS"}
_SIMPLE, _GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_LENGTH, _REFERENCE, _PADDING, _ADDITIONS = 0x9B, 0xFB, 0x75A2, 0x75A1
_KEY, _FIXED, _XIPH = 0x80, 4, 2
_FIRST = 10
_HOUR = 3600 * 1_000_000_000
_simple = struct.Struct(">BIBhB").unpack_from
_IN_GROUP = {
    _BLOCK: bool, _LENGTH: bool, _REFERENCE: lambda c: c == b"\xff", _PADDING: bool,
    _ADDITIONS: bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """What went in of one track, and so must come out.

    ``times`` is the sum of the times of its blocks, ``last`` the latest, in ticks.
    """

    is_video: bool
    codec: bytes
    frames: int
    times: int
    last: int


@dataclass(slots=True)
class _Track:
    """What came out of one track so far."""

    told: Description
    frames: int = 0
    times: int = 0
    last: int = 0


class Checker:
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    def __init__(self, expected: Sequence[Expected], most: int) -> None:
        """Take what went in, and the length of the longest part there may be, in bytes."""
        self._expected = expected
        self._most = most
        self._buffer = bytearray()
        self._begun = self._opened = 0
        self._end = 0
        self._at = 0
        self._is_webm = False
        self._seeks: list[tuple[int, int]] = []
        self._parts: list[tuple[int, int]] = []
        self._tick = self._duration = 0
        self._tracks: list[_Track] = []
        self._jump_track = 0
        self._jumps: dict[int, int] = {}
        self._jumped = 0
        self._first, self._latest = 1 << 62, 0

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        self._buffer += data
        while self._take():
            pass

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._buffer or not self._opened or self._at != self._end:
            raise MetadataSurvived("the result ends in the middle")
        if self._seeks != self._parts or self._jumped != len(self._jumps):
            raise MetadataSurvived("the result points where nothing is")
        if self._first or self._latest != self._duration:
            raise MetadataSurvived("the result has another length")
        if self._is_webm != all(track.told.codec in _WEBM for track in self._tracks):
            raise fail()
        for track in self._tracks:
            track.told.finish()
        found = [
            Expected(t.told.is_video, t.told.codec, t.frames, t.times, t.last) for t in self._tracks
        ]
        if found != list(self._expected):
            raise MetadataSurvived("frames or tracks were lost")

    def _take(self) -> bool:
        """Take one part from the buffer; return whether there may be another."""
        buffer = self._buffer
        if not self._begun:
            begin = next((b for b in _BEGINS if buffer.startswith(b)), b"")
            if not begin and len(buffer) >= _LONGEST_BEGIN:
                raise fail()
            self._begun, self._is_webm = len(begin), begin == _BEGINS[0]
            del buffer[: len(begin)]
            return bool(begin)
        if len(buffer) < _WIDE:
            return False
        if not self._opened:
            if not buffer.startswith(_SEGMENT):
                raise fail()
            self._end = int.from_bytes(buffer[5:_WIDE], "big")
            self._opened = 1
            del buffer[:_WIDE]
            return True
        return self._part()

    def _part(self) -> bool:
        buffer = self._buffer
        kind = int.from_bytes(buffer[:4], "big")
        if kind in {_CUES, _CLUSTER}:
            head, size = _WIDE, int.from_bytes(buffer[4:_WIDE], "big") - (1 << 56)
        else:
            first = buffer[4]
            width = 9 - first.bit_length()
            head, size = 4 + width, int.from_bytes(buffer[4 : 4 + width], "big") - (1 << 7 * width)
            if width > 4 or (width > 1 and size < (1 << 7 * (width - 1)) - 1):  # noqa: PLR2004 - bytes
                raise fail()
        if not 0 < size <= self._most:
            raise fail()
        if len(buffer) < head + size:
            return False
        with memoryview(buffer) as view:
            content = bytes(view[head : head + size])
        del buffer[: head + size]
        self._judge(kind, content)
        self._at += head + size
        return True

    def _judge(self, kind: int, content: bytes) -> None:
        """Take a part by its place: seek head, information, tracks, cues, then clusters."""
        place = len(self._parts)
        if kind == _CLUSTER and self._tracks:
            self._cluster(content)
            return
        if kind == _SEEK_HEAD and not self._at:
            self._seeks = check_seeks(content)
            return
        if not self._seeks or self._first != 1 << 62:
            raise fail()
        self._parts.append((kind, self._at))
        if kind == _INFO and place == 0:
            self._tick, self._duration = check_info(content)
        elif kind == _TRACKS and place == 1:
            self._tracks = [_Track(told) for told in check_tracks(content)]
        elif kind == _CUES and place == 2:  # noqa: PLR2004 - the third part
            self._jump_track, self._jumps = check_cues(content)
        else:
            raise fail()

    def _cluster(self, data: bytes) -> None:
        if data[:2] != b"\xe7\x88":
            raise fail()
        base = int.from_bytes(data[2:10], "big")
        at, end = _FIRST, len(data)
        is_jump = self._at in self._jumps
        self._jumped += is_jump
        if at == end or self._jumps.get(self._at, base) != base:
            raise fail()
        while at < end:
            if data[at] == _SIMPLE and at + 9 < end:
                _, size, number, shift, flags = _simple(data, at)
                stop = at + 5 + (size & 0xFFFFFFF)
                if size >> 28 != 1 or stop > end:
                    raise fail()
                is_key = bool(flags & _KEY)
                self._frames(data[at + 9 : stop], number, base + shift, flags & ~_KEY)
            else:
                number, shift, is_key, stop = self._group(data, at, base)
            # A cluster begins when its first block does: its time is no number of its own.
            if at == _FIRST and (
                shift or (is_jump and (not is_key or number != 0x80 | self._jump_track))
            ):
                raise fail()
            at = stop

    def _group(self, data: bytes, at: int, base: int) -> tuple[int, int, bool, int]:
        """Take a group of one block.

        Returns (its track as written, its time in the cluster, is it a key, where it ends).
        """
        if data[at] != _GROUP or at + 2 >= len(data):
            raise fail()
        width = 9 - data[at + 1].bit_length()
        size = int.from_bytes(data[at + 1 : at + 1 + width], "big") - (1 << 7 * width)
        stop = at + 1 + width + size
        if stop > len(data):
            raise fail()
        kind, content = next(elements(data[at:stop]))
        told = in_order(content, _IN_GROUP)
        block = told.get(_BLOCK, b"")
        if kind != _GROUP or len(block) < 5 or not told.keys() & {_LENGTH, _PADDING, _ADDITIONS}:  # noqa: PLR2004 - a head
            raise fail()
        number, shift, flags = struct.unpack_from(">BhB", block)
        duration = natural(told.get(_LENGTH, b"\0"))
        track = self._frames(block[4:], number, base + shift, flags, duration)
        if duration * self._tick > _HOUR or (_LENGTH in told and not duration):
            raise fail()
        padding = told.get(_PADDING)
        if padding is not None:
            value = int.from_bytes(padding, "big", signed=True)
            needed = ((value if value >= 0 else ~value).bit_length() + 8) // 8
            if len(padding) != needed or not is_whole(value, track.told.rate):
                raise fail()
        if _ADDITIONS in told:
            self._alpha(track, told[_ADDITIONS])
        return number, shift, _REFERENCE not in told, stop

    def _alpha(self, track: _Track, content: bytes) -> None:
        additions = list(elements(content))
        if len(additions) != 1 or additions[0][0] != 0xA6 or not track.told.has_alpha:  # noqa: PLR2004 - one
            raise fail()
        more = in_order(additions[0][1], {0xEE: lambda c: c == b"\1", 0xA5: bool})
        if len(more) != 2:  # noqa: PLR2004 - an id and a picture
            raise fail()
        track.told.check(more[0xA5])

    def _frames(self, data: bytes, number: int, time: int, lacing: int, told: int = 0) -> _Track:
        """Take the frames of one block."""
        place = number - 0x81
        if not 0 <= place < len(self._tracks) or time < 0:
            raise fail()
        track = self._tracks[place]
        frames = [data] if not lacing else _laced(data, lacing)
        for frame in frames:
            track.told.check(frame)
        track.frames += len(frames)
        track.times += time
        track.last = max(track.last, time)
        self._first = min(self._first, time)
        length = told or len(frames) * track.told.duration // self._tick
        self._latest = max(self._latest, time + length)
        return track


def _laced(data: bytes, lacing: int) -> list[bytes]:
    """Return the frames of a block: of equal lengths, or of Xiph's where they differ."""
    count, at = data[0] + 1, 1
    if lacing == _FIXED:
        each = (len(data) - 1) // count
        sizes = [each] * count
    elif lacing == _XIPH:
        sizes = []
        for _ in range(count - 1):
            size = 0
            while data[at] == 255:  # noqa: PLR2004 - 255 says that more follows
                size += 255
                at += 1
            sizes.append(size + data[at])
            at += 1
        sizes.append(len(data) - at - sum(sizes))
        if len(set(sizes)) == 1:
            raise fail()
    else:
        raise fail()
    frames = []
    for size in sizes:
        frames.append(data[at : at + max(size, 0)])
        at += size
    if count == 1 or min(sizes) <= 0 or at != len(data):
        raise fail()
    return frames
