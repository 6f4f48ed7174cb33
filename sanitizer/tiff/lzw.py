"""LZW as TIFF has it (TIFF 6.0, section 13): from codes back to samples.

Rule: a table of at most 4096 strings, so that memory is bounded; what stands behind the last
sample is not read. Rewritten without this coding, a picture has no place for stray codes.
"""

from collections.abc import Iterator

from sanitizer.errors import Malformed, Unsupported

_END = 257
_FULL = 4096
_SINGLES = [bytes([value]) for value in range(256)] + [b"", b""]
# One code earlier than the table fills up: TIFF's own way of growing.
_GROWS = {511: 10, 1023: 11, 2047: 12}


def unpack(untrusted: bytes) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces; raises Malformed, Unsupported."""
    if untrusted[:1] == b"\0" and int.from_bytes(untrusted[1:2], "big") & 1:
        raise Unsupported("LZW of the old kind in a TIFF")
    padded, end = untrusted + b"\0\0", 8 * len(untrusted)
    at, is_over = 0, False
    while not is_over:
        piece, at, is_over = _until_cleared(padded, at, end)
        yield piece


def _until_cleared(untrusted: bytes, at: int, end: int) -> tuple[bytes, int, bool]:
    """Return what one table makes, the bit behind its last code, and whether it was the last."""
    # The two codes that are no strings are empty ones: strings have a byte at least.
    table, made, previous = _SINGLES.copy(), list[bytes](), b""
    width, size = 9, len(table)
    while at + width <= end and size <= _FULL:
        place = at >> 3
        bits = untrusted[place] << 16 | untrusted[place + 1] << 8 | untrusted[place + 2]
        code = bits >> 24 - width - (at & 7) & (1 << width) - 1
        at += width
        if code < size:
            string = table[code]
            if not string:
                return b"".join(made), at, code == _END
        elif code == size and previous:
            string = previous + previous[:1]
        else:
            raise Malformed("a coded picture that names what is not there")
        if previous:
            table.append(previous + string[:1])
            size += 1
            if size in _GROWS:
                width = _GROWS[size]
        made.append(string)
        previous = string
    if size > _FULL:
        raise Malformed("a coded picture whose table is full")
    return b"".join(made), end, True
