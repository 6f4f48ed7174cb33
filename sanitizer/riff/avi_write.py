"""Write an AVI around packets: headers, lists and indexes made of numbers that are understood.

Rule (AVI RIFF File Reference; OpenDML AVI 1.02): one RIFF where a gigabyte is enough, and else
as many as it takes, each with indexes of its own; names, languages, times and paddings are zero.
All lengths are known before the first byte is written.
"""

import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sanitizer.riff.chunks import chunk
from sanitizer.riff.model import Stream
from sanitizer.riff.picture import Picture

RIFF_BYTES = 1 << 30
"""How long one RIFF may become, beside its indexes."""
KEY = 0x80
"""Set in a packet's flag: it can be decoded alone."""
_HAS_INDEX, _INTERLEAVED, _TRUST_TYPES = 0x10, 0x100, 0x800
_KEYFRAME = 0x10
_NOT_KEY = 1 << 31
_HEADER = 8
_ENTRIES = 4096


@dataclass(slots=True)
class _Part:
    """One RIFF: its packets from ``first`` to ``end``, and where its index chunks will be."""

    first: int
    end: int = 0
    movi: int = 4
    counts: dict[int, int] = field(default_factory=dict)
    sounding: dict[int, int] = field(default_factory=dict)


def _list(kind: bytes, *parts: bytes) -> bytes:
    return chunk(b"LIST", kind + b"".join(parts))


def name(number: int, stream: Stream) -> bytes:
    """Return the letters that lead a packet."""
    return b"%02d" % number + stream.letters


class Writer:
    """Lays a file out, then writes it. ``flags`` holds stream numbers, with KEY set in some."""

    def __init__(self, streams: list[Stream], sizes: "array[int]", flags: "array[int]") -> None:
        """Take the streams and, for each packet, its length and its flag."""
        self._streams = streams
        self._sizes = sizes
        self._flags = flags
        self._parts = list(self._laid_out())
        self._is_long = len(self._parts) > 1
        self._totals = [0] * len(streams)
        self._counts = [0] * len(streams)
        self._largest = [0] * len(streams)
        for size, flag in zip(sizes, flags, strict=True):
            number = flag & ~KEY
            self._totals[number] += size
            self._counts[number] += 1
            self._largest[number] = max(self._largest[number], size)

    def _laid_out(self) -> Iterator[_Part]:
        part = _Part(0)
        for place, (size, flag) in enumerate(zip(self._sizes, self._flags, strict=True)):
            step = _HEADER + size + (size & 1)
            if part.movi + step > RIFF_BYTES and place > part.first:
                part.end = place
                yield part
                part = _Part(place)
            number = flag & ~KEY
            part.movi += step
            part.counts[number] = part.counts.get(number, 0) + 1
            part.sounding[number] = part.sounding.get(number, 0) + size
        part.end = len(self._sizes)
        yield part

    def chunks(self, packet: Callable[[int], bytes]) -> Iterator[bytes]:
        """Yield the file; ``packet`` returns each in its turn, as long as it was said to be."""
        at = 0
        head = self._head()
        indexes = self._super_indexes(12 + len(head)) if self._is_long else {}
        head = self._head(indexes)
        for number, part in enumerate(self._parts):
            whole = self._length(part, len(head) if number == 0 else 0)
            movi = part.movi + self._index_bytes(part)
            kind = b"AVI " if number == 0 else b"AVIX"
            begin = struct.pack("<4sI4s", b"RIFF", whole - _HEADER, kind)
            begin += head if number == 0 else b""
            begin += struct.pack("<4sI4s", b"LIST", movi, b"movi")
            yield begin
            for place in range(part.first, part.end):
                data = packet(place)
                stream = self._flags[place] & ~KEY
                lead = name(stream, self._streams[stream]) + struct.pack("<I", len(data))
                yield lead + data + bytes(len(data) & 1)
            base = at + len(begin) - 4
            for stream in sorted(part.counts) if self._is_long else ():
                yield self._standard_index(part, stream, base)
            if number == 0:
                yield from self._old_index(part)
            at += whole

    def _length(self, part: _Part, head: int) -> int:
        """Return the length of a RIFF in bytes."""
        old = _HEADER + 16 * (part.end - part.first) if part.first == 0 else 0
        return 12 + head + _HEADER + part.movi + self._index_bytes(part) + old

    def _index_bytes(self, part: _Part) -> int:
        if not self._is_long:
            return 0
        return sum(_HEADER + 24 + 8 * count for count in part.counts.values())

    def _head(self, indexes: "dict[int, bytes] | None" = None) -> bytes:
        """Return the list of headers; with empty indexes of the right length where none came."""
        first = next((s for s in self._streams if isinstance(s.coding, Picture)), None)
        coding = first.coding if first else None
        width, height = (coding.width, coding.height) if isinstance(coding, Picture) else (0, 0)
        pace = first.scale * 1_000_000 // first.rate if first else 0
        frames = self._counts_of(self._streams.index(first)) if first else (0, 0)
        flags = _HAS_INDEX | _INTERLEAVED | _TRUST_TYPES
        numbers = (min(pace, 0xFFFFFFFF), 0, 0, flags, frames[0], 0, len(self._streams))
        main = struct.pack("<7I", *numbers)
        main += struct.pack("<3I16x", max(self._largest, default=0) + _HEADER, width, height)
        lists = [
            self._stream(number, stream, indexes) for number, stream in enumerate(self._streams)
        ]
        if self._is_long:
            long = struct.pack("<I244x", frames[1])
            lists.append(_list(b"odml", chunk(b"dmlh", long)))
        return _list(b"hdrl", chunk(b"avih", main), *lists)

    def _counts_of(self, number: int) -> tuple[int, int]:
        """Return how many packets a stream has in the first RIFF, and in all."""
        return self._parts[0].counts.get(number, 0), self._counts[number]

    def _stream(self, number: int, stream: Stream, indexes: "dict[int, bytes] | None") -> bytes:
        coding = stream.coding
        ticks = self._counts[number]
        if stream.sample:
            ticks = self._totals[number] // stream.sample
        if isinstance(coding, Picture):
            kind, handler, form = b"vids", coding.codec, coding.header
            box = struct.pack("<4H", 0, 0, coding.width & 0xFFFF, coding.height & 0xFFFF)
        else:
            kind, handler, form, box = b"auds", bytes(4), coding.to_bytes(), bytes(8)
        clock = (stream.scale, stream.rate, stream.start, min(ticks, 0xFFFFFFFF))
        told = kind + handler + bytes(12) + struct.pack("<4I", *clock)
        told += struct.pack("<3I", self._largest[number], 0xFFFFFFFF, stream.sample) + box
        parts = [chunk(b"strh", told), chunk(b"strf", form)]
        if self._is_long:
            empty = bytes(24 + 16 * self._parts_of(number))
            parts.append(chunk(b"indx", (indexes or {}).get(number, empty)))
        if isinstance(coding, Picture) and stream.aspect is not None:
            parts.append(_shape(stream, coding, stream.aspect))
        return _list(b"strl", *parts)

    def _parts_of(self, number: int) -> int:
        return sum(number in part.counts for part in self._parts)

    def _super_indexes(self, first: int) -> dict[int, bytes]:
        """Return, for each stream, the index of its indexes (OpenDML 1.02, 3.1)."""
        rows: dict[int, bytes] = {}
        at = 0
        for part in self._parts:
            head = first if part.first == 0 else 12
            place = at + head + _HEADER + part.movi
            for number in sorted(part.counts):
                size = _HEADER + 24 + 8 * part.counts[number]
                sample = self._streams[number].sample
                ticks = part.sounding[number] // sample if sample else part.counts[number]
                row = struct.pack("<QII", place, size, min(ticks, 0xFFFFFFFF))
                rows[number] = rows.get(number, b"") + row
                place += size
            at += self._length(part, first - 12 if part.first == 0 else 0)
        return {
            number: struct.pack("<HBBI4s12x", 4, 0, 0, len(found) // 16, self._name(number)) + found
            for number, found in rows.items()
        }

    def _name(self, number: int) -> bytes:
        return name(number, self._streams[number])

    def _standard_index(self, part: _Part, number: int, base: int) -> bytes:
        """Return the index of one stream in one RIFF (OpenDML 1.02, 3.2)."""
        rows, at = array("I"), 4
        for place in range(part.first, part.end):
            size, flag = self._sizes[place], self._flags[place]
            if flag & ~KEY == number:
                rows.extend((at + _HEADER, size | (0 if flag & KEY else _NOT_KEY)))
            at += _HEADER + size + (size & 1)
        head = struct.pack("<HBBI4sQI", 2, 0, 1, len(rows) // 2, self._name(number), base, 0)
        body = head + struct.pack(f"<{len(rows)}I", *rows)
        return b"ix%02d" % number + struct.pack("<I", len(body)) + body

    def _old_index(self, part: _Part) -> Iterator[bytes]:
        """Yield the index of the first RIFF, which programs without OpenDML read."""
        yield struct.pack("<4sI", b"idx1", 16 * (part.end - part.first))
        at = 4
        for begin in range(part.first, part.end, _ENTRIES):
            rows = []
            for place in range(begin, min(begin + _ENTRIES, part.end)):
                size, flag = self._sizes[place], self._flags[place]
                key = _KEYFRAME if flag & KEY else 0
                rows.append(struct.pack("<4sIII", self._name(flag & ~KEY), key, at, size))
                at += _HEADER + size + (size & 1)
            yield b"".join(rows)


def _shape(stream: Stream, coding: Picture, aspect: tuple[int, int]) -> bytes:
    """Return a vprp that says what shape the picture has (OpenDML 1.02, 5)."""
    width, height = coding.width, coding.height
    across, down = aspect
    pace = min(round(stream.rate / stream.scale), 0xFFFFFFFF)
    numbers = (0, 0, pace, width, height, down | across << 16, width, height, 1)
    field_ = (height, width, height, width, 0, 0, 0, 0)
    return chunk(b"vprp", struct.pack("<17I", *numbers, *field_))
