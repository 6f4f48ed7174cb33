"""The packets of a transport stream: where they lie, and what passes of each stream.

Rule (ISO/IEC 13818-1, 2.4.3; AVCHD's and Blu-ray's 192 bytes, four of them an arrival time): the
file is packets from its first byte to where they end; what stands behind goes, unless packets go
on there. Counted as they pass: what each stream begins, and over how long a time.
"""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer.errors import Encrypted, Malformed
from sanitizer.mpegts.tables import Tables, written
from sanitizer.source import UntrustedSource

_PACKET = 188
_AT_ONCE = 5000
_AGAIN = re.compile(rb"G(?s:.{187})G(?s:.{187})G(?s:.{187})G|G(?s:.{191})G(?s:.{191})G(?s:.{191})G")
_CLOCK = 1 << 33
_JUMP = 90_000 * 10
_SECOND = 90_000
_DESCRIPTIONS = {0x10: "other_metadata", 0x11: "other_metadata", 0x12: "other_metadata",
                 0x14: "capture_time", 0x1FFB: "capture_time"}  # fmt: skip


@dataclass(slots=True)
class Passing:
    """What has passed of one stream: how many parts began, and over how many ticks of 90 kHz."""

    parts: int = 0
    ticks: int = 0
    jumps: int = 0
    _last: int = -1

    @property
    def seconds(self) -> float | None:
        """How long it lasts up to the beginning of its last part; None where its clock jumps."""
        return None if self.jumps else self.ticks / _SECOND

    def take(self, packet: bytes) -> None:
        """Take a packet that begins a part of the stream (a PES packet)."""
        at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        head = packet[at : at + 19]
        if head[:3] != b"\0\0\1" or len(head) < 14:  # noqa: PLR2004 - up to a time
            return
        self.parts += 1
        if head[7] & 0x80:
            place = 14 if head[7] & 0x40 and len(head) == 19 else 9  # noqa: PLR2004 - decoding before presentation time
            told = int.from_bytes(head[place : place + 5], "big")
            # Three, fifteen and fifteen bits, with a marker behind each.
            time = told >> 3 & 7 << 30 | told >> 2 & 0x7FFF << 15 | told >> 1 & 0x7FFF
            step = (time - self._last) % _CLOCK if self._last >= 0 else 0
            if step > _JUMP and _CLOCK - step > _JUMP:
                self.jumps += 1
            elif step <= _JUMP:
                self.ticks += step
            self._last = time


def _headers(window: bytes, step: int, start: int) -> "array[int]":
    """Return the second and third byte of each packet as one number: flags and packet id."""
    number = len(window) // step
    pairs = bytearray(2 * number)
    high, low = (1, 0) if sys.byteorder == "little" else (0, 1)
    pairs[high::2] = window[start + 1 :: step][:number]
    pairs[low::2] = window[start + 2 :: step][:number]
    return array("H", bytes(pairs))


@dataclass(slots=True)
class Packets:
    """The packets of one file. ``scan`` first; then ``tables`` and ``kinds`` are known."""

    source: UntrustedSource
    tables: Tables = field(default_factory=Tables)
    kinds: set[str] = field(default_factory=set)
    passing: dict[int, Passing] = field(default_factory=dict)
    _step: int = _PACKET
    _start: int = 0
    _end: int = 0

    def scan(self) -> None:
        """Look at every packet's header; raises Malformed, Unsupported or TooComplex."""
        marks = [self.source.read_at(_PACKET * n, 1) for n in range(4)]
        if marks != [b"G"] * 4:
            self._step, self._start = 192, 4
        counts: Counter[int] = Counter()
        firsts: dict[int, bytes] = {}
        self._end = self.source.length
        for window in self._windows(looking=True):
            heads = _headers(window, self._step, self._start)
            fresh = Counter(number & 0x5FFF for number in heads)
            counts.update(fresh)
            wanted = {0} | self.tables.programs
            for place, head in enumerate(heads):
                number = head & 0x1FFF
                if number in wanted:
                    self.tables.take(self._packet(window, place))
                    wanted = {0} | self.tables.programs
                elif head & 0x4000 and number not in firsts:
                    firsts[number] = self._packet(window, place)
        self._judge(counts, firsts)

    def _packet(self, window: bytes, place: int) -> bytes:
        at = place * self._step + self._start
        return window[at : at + _PACKET]

    def _windows(self, *, looking: bool = False) -> Iterator[bytes]:
        """Yield whole packets, many at once; the first time, find where they end."""
        size = self._step * _AT_ONCE
        at = 0
        while at < self._end:
            window = self.source.read_at(at, min(size, self._end - at))
            if looking:
                marks = window[self._start :: self._step]
                bad = next((n for n, mark in enumerate(marks) if mark != ord("G")), len(marks))
                whole = min(bad, len(window) // self._step) * self._step
                if whole < len(window):
                    self._behind(at + whole)
                    self._end = at + whole
                    window = window[:whole]
            if window:
                yield window
            at += size

    def _behind(self, at: int) -> None:
        """Judge what stands behind the last packet: nothing that a player would still play."""
        self.kinds.add("trailing_data")
        overlap = 4 * 192
        for offset in range(at + 1, self.source.length, 1 << 20):
            if _AGAIN.search(self.source.read_at(offset, (1 << 20) + overlap)):
                raise Malformed("packets that are out of step")

    def _judge(self, counts: "Counter[int]", firsts: dict[int, bytes]) -> None:
        """Keep those streams that have begun and that players show; note or refuse the others."""
        tables = self.tables
        begun = {head & 0x1FFF for head in counts if head & 0x4000}
        hidden = tables.choose(begun)
        if hidden:
            self.kinds.add("hidden_frames")
        for number in begun - set(tables.streams) - hidden - tables.programs:
            if number in _DESCRIPTIONS:
                self.kinds.add(_DESCRIPTIONS[number])
            elif number in tables.unsure and _is_sounding(firsts[number]):
                raise Malformed("a stream that nobody describes")
            elif number != 0:
                self.kinds.add("other_metadata")
        self.kinds |= tables.kinds
        if not tables.streams:
            raise Malformed("a stream without a table, or a table without a stream")
        self.passing = {number: Passing() for number in tables.streams}

    def chunks(self) -> Iterator[bytes]:
        """Yield tables of ours and the packets of the streams that are kept, 188 bytes each."""
        streams = set(self.tables.streams)
        kept = {flags << 13 | number for flags in range(8) for number in streams}
        ours = written(self.tables.streams)
        for window in self._windows():
            heads = _headers(window, self._step, self._start)
            parts = [ours]
            for place, head in enumerate(heads):
                if head in kept:
                    packet = self._packet(window, place)
                    if packet[3] & 0xC0:
                        raise Encrypted("a stream that is locked")
                    if head & 0x4000:
                        self.passing[head & 0x1FFF].take(packet)
                    parts.append(packet)
            yield b"".join(parts)


def _is_sounding(packet: bytes) -> bool:
    """Tell whether a part that begins here looks like pictures or sound."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    head = packet[at : at + 9]
    if head[:3] != b"\0\0\1" or len(head) < 9:  # noqa: PLR2004 - a PES header
        return False
    body = packet[at + 9 + head[8] :]
    return 0xC0 <= head[3] <= 0xEF or head[3] == 0xFD or body[:2] in {b"\x0b\x77", b"\x7f\xfe"}  # noqa: PLR2004 - stream ids
