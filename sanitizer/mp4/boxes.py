"""Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, section 4.2), read with bounds.

Rule: a box lies wholly within what holds it, or the file is malformed; nothing is recursive.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pieces import read_exactly
from sanitizer.source import UntrustedSource

_LONG = 16
View = TypeVar("View", bytes, "memoryview[int]")
"""Untrusted bytes, or a part of them that is no copy."""


@dataclass(frozen=True, slots=True)
class TopBox:
    """A box at the top of the file: its type, and where its content begins and ends."""

    kind: bytes
    start: int
    content: int
    end: int


def top_boxes(source: UntrustedSource, most: int) -> Iterator[TopBox]:
    """Yield the boxes at the top. What follows the last whole one is yielded as ``b""``.

    Raises TooComplex beyond ``most`` boxes, Malformed where an mdat or moov is cut short.
    """
    at = number = 0
    while True:
        if at == source.length:
            return
        head = source.read_at(at, _LONG)
        if len(head) < 8:  # noqa: PLR2004 - the shortest box
            yield TopBox(b"", at, at, source.length)
            return
        size, kind = struct.unpack_from(">I4s", head)
        content = at + 8
        if size == 1 and len(head) == _LONG:
            (size,) = struct.unpack_from(">Q", head, 8)
            content = at + _LONG
        elif size == 0:
            size = source.length - at
        if at + size > source.length or at + size < content:
            if kind in {b"mdat", b"moov", b"moof", b"ftyp"}:
                raise Malformed("the video ends in the middle of a part")
            yield TopBox(b"", at, at, source.length)
            return
        number += 1
        if number > most:
            raise TooComplex("too many boxes")
        yield TopBox(kind, at, content, at + size)
        at += size


def read_box(source: UntrustedSource, box: TopBox, most: int) -> bytes:
    """Return a top box's content; raises TooComplex beyond ``most`` bytes."""
    if box.end - box.content > most:
        raise TooComplex("an index too long to be read")
    return read_exactly(source, box.content, box.end - box.content)


def children(untrusted: View, start: int = 0) -> Iterator[tuple[bytes, View]]:
    """Yield (type, content) of the boxes in a content. Four zero bytes may end the list.

    Contents of a memoryview are views, so that a long index is in memory once.
    """
    at, end = start, len(untrusted)
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", untrusted, at)
        content = at + 8
        if size == 1 and content + 8 <= end:
            (size,) = struct.unpack_from(">Q", untrusted, content)
            content += 8
        elif size == 0:
            size = end - at
        if size < content - at or at + size > end:
            raise Malformed("a box reaches beyond the one that holds it")
        yield kind, untrusted[content : at + size]
        at += size


def child(untrusted: View, kind: bytes, start: int = 0) -> View | None:
    """Return the content of the first box of a type, or None."""
    return next((content for name, content in children(untrusted, start) if name == kind), None)


def needed(untrusted: View, kind: bytes, start: int = 0) -> View:
    """Return the content of the first box of a type; raises Malformed where there is none."""
    content = child(untrusted, kind, start)
    if content is None:
        raise Malformed("a part that every video has is missing")
    return content


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box of ours."""
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def full_box(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box of ours with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)
