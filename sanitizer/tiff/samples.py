"""The samples of one strip or tile, whatever they were coded with.

Rule: what is kept are the samples that the picture shows and not one bit more: coded data is
decoded, bits between rows and tiles' parts beyond the picture become zero, and what follows the
last sample is not read. Nothing is longer than the picture's own numbers say.
"""

import zlib
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.source import UntrustedSource
from sanitizer.tiff import fax, lzw
from sanitizer.tiff.page import DEFLATE, FAX, LZW, NONE, PACK_BITS, Page

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_BYTE = 8
_NOTHING = 128
_MAX_FAX = 8 << 20


def is_whole(page: Page, place: int) -> bool:
    """Tell whether a strip or tile may stay as it lies: nothing but samples of the picture."""
    whole = page.rows_of(place) == page.rows and page.columns_of(place) == page.columns
    return (
        page.coding == NONE
        and not page.is_reversed
        and (whole or not page.is_tiled)
        and (page.is_subsampled or page.row_bits(page.columns) % _BYTE == 0)
    )


def samples(
    source: UntrustedSource, page: Page, place: int, length: int, limits: Limits
) -> Iterator[bytes]:
    """Yield the samples of a strip or tile that has ``length`` coded bytes; raises Malformed."""
    left = page.raw_length(place)
    pieces = _cut(_decoded(source, page, place, length, limits), left)
    bits = page.row_bits(page.columns)
    overhangs = page.is_tiled and (
        page.rows_of(place) < page.rows or page.columns_of(place) < page.columns
    )
    if page.is_subsampled or not (bits % _BYTE or overhangs):
        yield from pieces
        return
    if left > limits.sample_bytes:
        raise TooComplex("a part of a picture that is too long")
    yield _shown(b"".join(pieces), page, place)


def _cut(pieces: Iterator[bytes], left: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:left]
        left -= min(left, len(piece))
        if not left:
            return
    raise Malformed("a picture whose data ends before it does")


def _shown(raw: bytes, page: Page, place: int) -> bytes:
    """Return the samples with zeros for all that the picture does not show."""
    stride = -(-page.row_bits(page.columns) // _BYTE)
    bits = page.row_bits(page.columns_of(place))
    used, spare = -(-bits // _BYTE), -bits % _BYTE
    mask = 0xFF << spare & 0xFF
    rows = page.rows_of(place)
    made = []
    for at in range(0, rows * stride, stride):
        last = raw[at + used - 1] & mask
        made.append(raw[at : at + used - 1] + bytes([last]) + bytes(stride - used))
    return b"".join(made).ljust(len(raw), b"\0")


def _decoded(
    source: UntrustedSource, page: Page, place: int, length: int, limits: Limits
) -> Iterator[bytes]:
    start = page.offsets[place]
    if page.coding in {NONE, DEFLATE}:
        windows = _windows(source, page, start, length)
        yield from windows if page.coding == NONE else _inflated(windows)
        return
    if length > (_MAX_FAX if page.coding in FAX else limits.sample_bytes):
        raise TooComplex("a part of a picture that is too long")
    data = b"".join(_windows(source, page, start, length))
    if page.coding == LZW:
        yield from lzw.unpack(data)
    elif page.coding == PACK_BITS:
        yield from _unpacked(data)
    else:
        yield fax.unpack(data, page, place)


def _windows(source: UntrustedSource, page: Page, start: int, length: int) -> Iterator[bytes]:
    for at in range(0, length, WINDOW):
        data = read_exactly(source, start + at, min(WINDOW, length - at))
        yield data.translate(_REVERSED) if page.is_reversed else data


def _inflated(windows: Iterator[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    for window in windows:
        waiting = window
        while waiting:
            try:
                yield stream.decompress(waiting, WINDOW)
            except zlib.error:
                raise Malformed("the picture's data is broken") from None
            waiting = stream.unconsumed_tail
    yield stream.flush()


def _unpacked(untrusted: bytes) -> Iterator[bytes]:
    """Undo PackBits (TIFF 6.0, section 9): a head, and bytes as they are or one many times."""
    at, end = 0, len(untrusted)
    while at < end:
        made, size = list[bytes](), 0
        while at < end and size < WINDOW:
            head = untrusted[at]
            if head == _NOTHING:
                at += 1
                continue
            if head < _NOTHING:
                made.append(untrusted[at + 1 : at + 2 + head])
                at += 2 + head
            else:
                made.append(untrusted[at + 1 : at + 2] * (257 - head))
                at += 2
            size += len(made[-1])
        yield b"".join(made)
