"""Frames out of blocks, and blocks around frames (RFC 9559, sections 5.1.3.5 and 10).

Rule: every way to lace frames is understood and one is written: equal lengths where they are
equal, Xiph's otherwise. Flags and references say whether a picture stands alone, and no more.
"""

import struct

from sanitizer.errors import Malformed
from sanitizer.matroska import ids
from sanitizer.matroska.ebml import element, integer, natural, number
from sanitizer.matroska.model import Block

_XIPH, _FIXED = 2, 4
_KEY = 0x80
_FOUR_BYTES = 0x1000_0000
_simple = struct.Struct(">BIBhB").pack


def laced(untrusted: bytes, at: int, lacing: int) -> tuple[bytes, ...]:
    """Return the frames of a block whose head ends at ``at``; raises Malformed."""
    end = len(untrusted)
    if at >= end:
        raise Malformed("a block without frames")
    count = untrusted[at] + 1
    at += 1
    if lacing == _FIXED:
        each, rest = divmod(end - at, count)
        sizes = [each] * count
        if rest:
            raise Malformed("a block whose frames do not add up")
    else:
        read = _xiph if lacing == _XIPH else _ebml
        sizes, at = read(untrusted, at, count - 1)
        sizes.append(end - at - sum(sizes))
    frames = []
    for size in sizes:
        if size <= 0:
            raise Malformed("a block whose frames do not add up")
        frames.append(untrusted[at : at + size])
        at += size
    return tuple(frames)


def _xiph(untrusted: bytes, at: int, count: int) -> tuple[list[int], int]:
    sizes, end = [], len(untrusted)
    for _ in range(count):
        size, byte = 0, 255
        while byte == 255:  # noqa: PLR2004 - 255 says that more follows
            if at >= end:
                raise Malformed("a block whose frames do not add up")
            byte = untrusted[at]
            size += byte
            at += 1
        sizes.append(size)
    return sizes, at


def _ebml(untrusted: bytes, at: int, count: int) -> tuple[list[int], int]:
    """Read the first length, and the signed differences of the others to the one before."""
    sizes: list[int] = []
    end = len(untrusted)
    for place in range(count):
        value, at, width = number(untrusted, at, end)
        if value is None:
            raise Malformed("a block whose frames do not add up")
        sizes.append(sizes[-1] + value - ((1 << 7 * width - 1) - 1) if place else value)
    return sizes, at


def _payload(frames: tuple[bytes, ...]) -> tuple[int, tuple[bytes, ...]]:
    """Return (lacing, what stands behind the head of a block)."""
    if len(frames) == 1:
        return 0, frames
    lengths = [len(frame) for frame in frames]
    count = bytes([len(frames) - 1])
    if len(set(lengths)) == 1:
        return _FIXED, (count, *frames)
    sizes = b"".join(b"\xff" * (size // 255) + bytes([size % 255]) for size in lengths[:-1])
    return _XIPH, (count, sizes, *frames)


def written(block: Block, place: int, shift: int) -> tuple[int, tuple[bytes, ...]]:
    """Return (length, parts) of a block of ours for track ``place``, ``shift`` into its cluster."""
    lacing, parts = _payload(block.frames)
    size = 4 + sum(map(len, parts))
    if block.duration or block.padding or block.alpha:
        return _group(block, struct.pack(">BhB", place | 0x80, shift, lacing), parts)
    flags = lacing | _KEY if block.is_key else lacing
    head = _simple(ids.SIMPLE_BLOCK, size | _FOUR_BYTES, place | 0x80, shift, flags)
    return size + 5, (head, *parts)


def _group(block: Block, head: bytes, parts: tuple[bytes, ...]) -> tuple[int, tuple[bytes, ...]]:
    made = element(ids.BLOCK, head, *parts)
    if block.duration:
        made += natural(ids.BLOCK_DURATION, block.duration)
    if not block.is_key:
        made += integer(ids.REFERENCE_BLOCK, -1)
    if block.padding:
        made += integer(ids.DISCARD_PADDING, block.padding)
    if block.alpha:
        more = natural(ids.BLOCK_ADD_ID, 1) + element(ids.BLOCK_ADDITIONAL, block.alpha)
        made += element(ids.BLOCK_ADDITIONS, element(ids.BLOCK_MORE, more))
    group = element(ids.BLOCK_GROUP, made)
    return len(group), (group,)
