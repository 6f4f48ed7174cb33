"""The chunks of a RIFF file: four letters, a length, data, and a zero where that is odd.

Rule (RIFF, "Multimedia Programming Interface and Data Specifications 1.0", 2): places and
lengths are read, never believed beyond the file's end; nothing is kept but what others ask for.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sanitizer.errors import TooComplex
from sanitizer.source import UntrustedSource

HEADER = 8
_MAX_TEXT = 1 << 16
_INFO = {
    b"ICRD": "capture_time",
    b"IDIT": "capture_time",
    b"IDIV": "capture_time",
    b"ISFT": "software",
    b"ITCH": "author",
    b"IART": "author",
    b"IENG": "author",
    b"ICOP": "author",
    b"ICMS": "author",
    b"IMIT": "camera_model",
    b"ISMP": "capture_time",
    b"ISRF": "camera_model",
}
_CHUNKS = {
    b"bext": {"author", "capture_time", "software"},
    b"iXML": {"other_metadata"},
    b"axml": {"other_metadata"},
    b"id3 ": {"other_metadata"},
    b"ID3 ": {"other_metadata"},
    b"_PMX": {"xmp"},
    b"cue ": {"chapters"},
    b"plst": {"chapters"},
    b"PEAK": {"capture_time"},
    b"DISP": {"comment"},
    b"IDIT": {"capture_time"},
    b"ISMP": {"capture_time"},
    b"strd": {"maker_note"},
    b"ncdt": {"maker_note"},
    b"nctg": {"maker_note"},
    b"wavl": {"hidden_frames"},
    b"data": {"hidden_frames"},
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its letters and where its data stands; ``length`` is what the file says."""

    kind: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.start + self.length + (self.length & 1)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of ours, little-endian, filled up to an even length."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def walk(
    source: UntrustedSource, start: int, end: int, most: int, order: str = "<"
) -> Iterator[Chunk]:
    """Yield the chunks from ``start`` as long as a header fits in before ``end`` and is no zeros.

    A chunk may say that it is longer than there is room; it is then the last one. ``order`` is
    that of the numbers (``>`` in AIFF). Raises TooComplex beyond ``most`` chunks.
    """
    at = start
    for _ in range(most):
        head = source.read_at(at, HEADER)
        if at + HEADER > end or len(head) < HEADER:
            return
        kind, length = struct.unpack(f"{order}4sI", head)
        if kind == bytes(4):
            return
        found = Chunk(kind, at + HEADER, length)
        yield found
        at = found.end
    raise TooComplex("too many chunks")


def kinds_of(source: UntrustedSource, found: Chunk) -> set[str]:
    """Return what sort of thing a chunk is that does not stay."""
    if found.kind != b"LIST":
        return _CHUNKS.get(found.kind, {"other_metadata"})
    data = source.read_at(found.start, min(found.length, _MAX_TEXT))
    if data[:4] == b"adtl":
        return {"chapters"}
    kinds, at = {"comment"}, 4
    while data[:4] == b"INFO" and at + HEADER <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        kinds.add(_INFO.get(kind, "comment"))
        at += HEADER + length + (length & 1)
    return kinds
