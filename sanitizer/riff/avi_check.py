"""Read a cleaned AVI as it streams by, and refuse it unless every byte is accounted for.

Rule: shares no code with what wrote it. Headers, then packets of the streams that they name, then
indexes that name exactly these packets; lengths and counts must be those of the file.
"""

import struct
from array import array
from collections.abc import Generator

from sanitizer.errors import MetadataSurvived
from sanitizer.riff.avi_check_head import Told, headers

_MAX_HEADER = 16 << 20
_MAX_PACKET = 64 << 20
_BATCH = 4096
_Walk = Generator[int, bytes, None]


class Checker:
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    def __init__(self, packets: int, streams: int) -> None:
        """Take how many packets and streams went in, and so must come out."""
        self._expected = packets
        self._count = streams
        self._streams: list[Told] = []
        self._is_long = False
        self._in_first = 0
        self._seen: list[tuple[int, int, int]] = []
        self._rows: list[bytes] = []
        self._offsets, self._sizes = array("I"), array("I")
        self._owners = array("B")
        self._at = 0
        self._is_whole = False
        self._buffer = bytearray()
        self._walk = self._file()
        self._wanted = next(self._walk)

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= self._wanted:
            part = bytes(memoryview(self._buffer)[at : at + self._wanted])
            at += self._wanted
            self._at += len(part)
            self._wanted = self._walk.send(part)
        del self._buffer[:at]

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._buffer or not self._is_whole:
            raise MetadataSurvived("the result ends in the middle")
        if sum(packets for packets, _, _ in self._seen) != self._expected:
            raise MetadataSurvived("frames were lost")
        for told, (packets, total, largest), rows in zip(
            self._streams, self._seen, self._rows, strict=True
        ):
            told.finish()
            ticks = total // told.sample if told.sample else packets
            if told.ticks != ticks or told.largest != largest:
                raise MetadataSurvived("the counts of the result are not its own")
            if self._is_long and (told.index or b"")[24:] != rows:
                raise MetadataSurvived("an index of the result is not its own")

    def _file(self) -> _Walk:
        first = True
        while True:
            self._is_whole = not first
            head = yield 12
            self._is_whole = False
            start = self._at - 12
            riff, size, kind = struct.unpack("<4sI4s", head)
            if riff != b"RIFF" or kind != (b"AVI " if first else b"AVIX"):
                raise MetadataSurvived("bytes after the end of the result")
            if first:
                yield from self._headers()
            elif not self._is_long:
                raise MetadataSurvived("bytes after the end of the result")
            yield from self._movi()
            if first:
                yield from self._old_index()
            if self._at != start + 8 + size:
                raise MetadataSurvived("a list of the result has another length")
            first = False

    def _headers(self) -> _Walk:
        head = yield 12
        kind, size, name = struct.unpack("<4sI4s", head)
        if kind + name != b"LISThdrl" or not 4 <= size <= _MAX_HEADER or size & 1:  # noqa: PLR2004 - its letters
            raise MetadataSurvived("the result does not begin like a video")
        content = yield size - 4
        self._streams, self._is_long, self._in_first = headers(content, self._count)
        self._seen = [(0, 0, 0)] * self._count
        self._rows = [b""] * self._count

    def _movi(self) -> _Walk:
        head = yield 12
        kind, size, name = struct.unpack("<4sI4s", head)
        start = self._at - 4
        end = start + size
        if kind + name != b"LISTmovi":
            raise MetadataSurvived("a list that is not on the list")
        self._offsets, self._sizes, self._owners = array("I"), array("I"), array("B")
        indexed: set[int] = set()
        while self._at < end:
            head = yield 8
            kind, size = struct.unpack("<4sI", head)
            owner = int(kind[:2]) if kind[:2].isdigit() else -1
            if 0 <= owner < self._count and not indexed:
                yield from self._packet(owner, kind, size, self._at - 8 - start)
            elif self._is_long and kind[:2] == b"ix" and kind[2:].isdigit():
                indexed.add(int(kind[2:]))
                yield from self._standard_index(int(kind[2:]), size, start)
            else:
                raise MetadataSurvived("a part that is not on the list")
        if self._at != end or (self._is_long and indexed != set(self._owners)):
            raise MetadataSurvived("a list of the result has another length")

    def _packet(self, owner: int, kind: bytes, size: int, offset: int) -> _Walk:
        told = self._streams[owner]
        if kind[2:] != told.letters or size > _MAX_PACKET:
            raise MetadataSurvived("a part that is not on the list")
        if size:
            packet = yield size
            told.check(packet)
        if size & 1 and (yield 1) != b"\0":
            raise MetadataSurvived("bytes between the parts of the result")
        self._offsets.append(offset)
        self._sizes.append(size)
        self._owners.append(owner)
        packets, total, largest = self._seen[owner]
        self._seen[owner] = packets + 1, total + size, max(largest, size)

    def _standard_index(self, owner: int, size: int, start: int) -> _Walk:
        place, content = self._at - 8, (yield size)
        mine = [n for n, each in enumerate(self._owners) if each == owner]
        told = self._streams[owner] if owner < self._count else None
        if told is None or size != 24 + 8 * len(mine):
            raise MetadataSurvived("an index of the result is not its own")
        name = b"%02d" % owner + told.letters
        head = struct.pack("<HBBI4sQI", 2, 0, 1, len(mine), name, start, 0)
        rows = struct.unpack(f"<{2 * len(mine)}I", content[24:])
        lengths = [row & 0x7FFFFFFF for row in rows[1::2]]
        if (
            content[:24] != head
            or list(rows[::2]) != [self._offsets[n] + 8 for n in mine]
            or lengths != [self._sizes[n] for n in mine]
        ):
            raise MetadataSurvived("an index of the result is not its own")
        total = sum(lengths)
        ticks = total // told.sample if told.sample else len(mine)
        self._rows[owner] += struct.pack("<QII", place, size + 8, ticks)

    def _old_index(self) -> _Walk:
        head = yield 8
        count = len(self._sizes)
        if head != struct.pack("<4sI", b"idx1", 16 * count):
            raise MetadataSurvived("an index of the result is not its own")
        pictures = [n for n, told in enumerate(self._streams) if told.letters == b"dc"]
        frames = sum(1 for owner in self._owners if owner == pictures[0]) if pictures else 0
        if frames != self._in_first:
            raise MetadataSurvived("the counts of the result are not its own")
        for begin in range(0, count, _BATCH):
            end = min(begin + _BATCH, count)
            rows = yield 16 * (end - begin)
            for n, (name, key, offset, size) in enumerate(
                struct.iter_unpack("<4sIII", rows), begin
            ):
                owner = self._owners[n]
                wanted = b"%02d" % owner + self._streams[owner].letters
                if (name, offset, size) != (wanted, self._offsets[n], self._sizes[n]) or (
                    key not in {0, 16}
                ):
                    raise MetadataSurvived("an index of the result is not its own")
