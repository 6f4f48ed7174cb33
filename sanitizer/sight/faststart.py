"""An MP4 with its index first, for a reader that cannot seek (ISO/IEC 14496-12).

Rule: our own films have their index behind their frames, because they are written in one pass.
The places in it are moved by its length as it is put in front; nothing else changes.  What is laid
out in another way goes as it is: whoever reads it will say what they make of it.
"""

import struct
from collections.abc import Iterator

from sanitizer.limits import MiB
from sanitizer.source import UntrustedSource

_INDEX_MOST = 48 * MiB
_BOXES_MOST = 8192
_AT_ONCE = MiB
_LONG = 1
_HOLDERS = {b"trak", b"mdia", b"minf", b"stbl"}
_PLACES = {b"stco": struct.Struct(">I"), b"co64": struct.Struct(">Q")}
_TABLE = 16
"""Bytes before the first place in a table: size, name, version, how many."""


def chunks(source: UntrustedSource) -> Iterator[bytes]:
    """Yield a film, its index before its frames where it is an MP4 that has it behind them."""
    found = _boxes(source)
    names = [name for name, _, _ in found]
    # Behind all frames, and only there: else not every place would move by the same.
    if b"mdat" in names and names.count(b"moov") == 1 and names[-1] == b"moov":
        _, at, length = found[-1]
        _, frames, _ = found[names.index(b"mdat")]
        moved = _moved(source.read_at(at, length)) if length <= _INDEX_MOST else None
        if moved is not None:
            yield from _stretch(source, 0, frames)
            yield moved
            yield from _stretch(source, frames, at)
            return
    yield from _stretch(source, 0, source.length)


def _boxes(source: UntrustedSource) -> list[tuple[bytes, int, int]]:
    """The name, place and length of each box of the file; empty where it is no row of boxes."""
    found: list[tuple[bytes, int, int]] = []
    at = 0
    while at < source.length:
        head = source.read_at(at, 16)
        if len(head) < 16 or len(found) == _BOXES_MOST:  # noqa: PLR2004 - a long box's head
            return []
        (length,) = struct.unpack_from(">I", head)
        if length == _LONG:
            (length,) = struct.unpack_from(">Q", head, 8)
        if length < 8 or at + length > source.length:  # noqa: PLR2004 - a box's head
            return []
        found.append((head[4:8], at, length))
        at += length
    return found


def _moved(index: bytes) -> bytes | None:
    """The index with every place moved by its own length; None where it cannot be read."""
    made = bytearray(index)
    return bytes(made) if _move(made, 8, len(made), len(made)) else None


def _move(index: bytearray, at: int, end: int, by: int) -> bool:
    while at < end:
        if end - at < 8:  # noqa: PLR2004 - a box's head
            return False
        (length,) = struct.unpack_from(">I", index, at)
        name = bytes(index[at + 4 : at + 8])
        if length < 8 or at + length > end:  # noqa: PLR2004 - a box's head
            return False
        whole = _move(index, at + 8, at + length, by) if name in _HOLDERS else True
        if not whole or (name in _PLACES and not _shift(index, at, length, _PLACES[name], by)):
            return False
        at += length
    return True


def _shift(index: bytearray, at: int, length: int, place: struct.Struct, by: int) -> bool:
    if length < _TABLE:
        return False
    (count,) = struct.unpack_from(">I", index, at + 12)
    if length != _TABLE + count * place.size:
        return False
    most = (1 << 8 * place.size) - 1
    for entry in range(at + _TABLE, at + length, place.size):
        (value,) = place.unpack_from(index, entry)
        if value + by > most:
            return False
        place.pack_into(index, entry, value + by)
    return True


def _stretch(source: UntrustedSource, start: int, stop: int) -> Iterator[bytes]:
    for at in range(start, stop, _AT_ONCE):
        yield source.read_at(at, min(_AT_ONCE, stop - at))
