"""Pages of an Ogg stream, read and written (RFC 3533, section 6).

Rule: a page is believed when its checksum is right; all between two such pages is dropped. Pages
are written by us alone: one stream, its number 1, counted from 0, full ones but the last.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sanitizer.errors import TooComplex
from sanitizer.limits import Limits
from sanitizer.sound.window import Window
from sanitizer.source import UntrustedSource

CONTINUED, FIRST, LAST = 1, 2, 4
NO_GRANULE = (1 << 64) - 1
_HEAD = struct.Struct("<4sBBQIIIB")
_MAGIC = re.compile(rb"OggS\0")
_SERIAL = 1
_MOST_LACING = 255
_FULL = 4096
# Bit by bit the other way round: Ogg's checksum is zlib's over mirrored bytes, begun at zero.
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Page(NamedTuple):
    """One page: flags, granule position, stream number, place in its stream, lacing, body."""

    flags: int
    granule: int
    serial: int
    sequence: int
    lacing: bytes
    body: bytes


def checksum(page: bytes) -> bytes:
    """Return the four bytes that stand in a page's checksum field (polynomial 0x04C11DB7)."""
    blank = b"".join([page[:22], b"\0\0\0\0", page[26:]])
    mirrored = zlib.crc32(blank.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return mirrored.to_bytes(4, "big").translate(_MIRROR)


def read(source: UntrustedSource, limits: Limits, kinds: set[str]) -> Iterator[Page]:
    """Yield the whole pages of a file; notes in ``kinds`` that something stood between them."""
    window = Window(source)
    at = failed = idle = 0
    while at < window.length:
        found = _page(window, at)
        if found is None:
            failed += 1
            if failed > limits.sound_resyncs:
                raise TooComplex("too many damaged pages")
            kinds.add("trailing_data")
            at = window.find(_MAGIC, at + 1)
            continue
        page, length = found
        at += length
        idle += not page.body
        if idle > limits.sound_parts:
            raise TooComplex("too many empty pages")
        yield page


def _page(window: Window, at: int) -> tuple[Page, int] | None:
    head = window.take(at, _HEAD.size)
    if len(head) < _HEAD.size or head[:5] != b"OggS\0":
        return None
    _, _, flags, granule, serial, sequence, _, count = _HEAD.unpack(head)
    lacing = window.take(at + _HEAD.size, count)
    start = _HEAD.size + count
    length = start + sum(lacing)
    data = window.take(at, length)
    if len(data) < length or checksum(data) != data[22:26]:
        return None
    return Page(flags, granule, serial, sequence, lacing, data[start:]), length


class PageWriter:
    """Lay packets into pages. The last page is held back, for it must say that it is the last."""

    def __init__(self) -> None:
        """Begin with the page that carries the first header."""
        self._done: list[bytes] = []
        self._body: list[bytes] = []
        self._lacing = b""
        self._size = 0
        self._granule = NO_GRANULE
        self._flags = FIRST
        self.sequence = 0
        self.ready_bytes = 0

    def add(self, packet: bytes, granule: int) -> None:
        """Append a packet; ``granule`` is the position behind it."""
        lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        if self._lacing and (
            (self._size >= _FULL and self._granule > 0)
            or len(self._lacing) + len(lacing) > _MOST_LACING
        ):
            self.flush()
        while len(lacing) > _MOST_LACING:
            self._lacing, lacing = lacing[:_MOST_LACING], lacing[_MOST_LACING:]
            self._body.append(packet[: 255 * _MOST_LACING])
            packet = packet[255 * _MOST_LACING :]
            self.flush()
            self._flags = CONTINUED
        self._lacing += lacing
        self._body.append(packet)
        self._size += len(packet)
        self._granule = granule

    def end_first(self) -> None:
        """End the page if it is begun and its position is one that may stand on a first page."""
        if self._lacing and self._granule > 0:
            self.flush()

    def flush(self, flags: int = 0) -> None:
        """End the page; the next packet begins another one."""
        head = _HEAD.pack(
            b"OggS", 0, self._flags | flags, self._granule & NO_GRANULE, _SERIAL, self.sequence, 0,
            len(self._lacing),
        )  # fmt: skip
        page = b"".join([head, self._lacing, *self._body])
        self._done.append(b"".join([page[:22], checksum(page), page[26:]]))
        self.ready_bytes += len(page)
        self._body, self._lacing, self._size = [], b"", 0
        self._granule, self._flags = NO_GRANULE, 0
        self.sequence += 1

    def take(self) -> bytes:
        """Return the pages that are ready."""
        ready = b"".join(self._done)
        self._done, self.ready_bytes = [], 0
        return ready
