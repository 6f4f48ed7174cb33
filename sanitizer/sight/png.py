"""Pixels as a PNG, written here (RFC 2083, and zlib): a header, the pixels, an end; nothing else.

Rule: no parser and no library of pictures: what is written is what was given, three bytes a pixel.
"""

import struct
import zlib

from sanitizer.sight.order import CHANNELS

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS, _RGB, _UP = 8, 2, 2


def written(width: int, height: int, pixels: bytes, *, level: int = 1) -> bytes:
    """Return a PNG of rows from the top, red, green and blue; ``level`` is zlib's."""
    row = width * CHANNELS
    if len(pixels) != row * height:
        raise ValueError("not that many pixels")
    header = struct.pack(">IIBBBBB", width, height, _EIGHT_BITS, _RGB, 0, 0, 0)
    packed = zlib.compress(_filtered(row, pixels), level)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _filtered(row: int, pixels: bytes) -> bytes:
    """Each row as its difference from the one above it: of photos half of the bytes, and fast.

    The bytes of a row are subtracted all at once, as one number each: the highest bit of every byte
    is set beforehand so that nothing is borrowed from its neighbour.
    """
    high = int.from_bytes(b"\x80" * row)
    low = int.from_bytes(b"\x7f" * row)
    above, parts = 0, []
    for start in range(0, len(pixels), row):
        here = int.from_bytes(pixels[start : start + row])
        changed = ((here | high) - (above & low)) ^ ((here ^ above ^ high) & high)
        parts.append(bytes([_UP]) + changed.to_bytes(row))
        above = here
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
