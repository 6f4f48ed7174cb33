"""AIFF and AIFF-C: a description of ours, and the sound bit by bit.

Rule (Apple, "Audio Interchange File Format" 1.3, and AIFF-C draft 8/26/91): FVER where it is
AIFF-C, COMM with an empty name, SSND from its first sample on. Every other chunk goes, and so do
the gap that SSND may begin with and what stands behind the frames that COMM counts.
"""

import struct
from collections.abc import Iterator

from sanitizer.errors import Empty, Malformed, TooLarge, Unsupported
from sanitizer.iff.aiff_check import Checker
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.riff import chunks as iff
from sanitizer.source import UntrustedSource
from sanitizer.streaming import through

_HEAD = 12
_COMMON = 18
_VERSION = 0xA2805140
_MAX_CHANNELS = 64
_MAX_RATE = 1 << 20
_MAX_BEHIND = 1 << 16
_BIAS = 16383
CODECS: dict[bytes, tuple[int, range | set[int]]] = {
    b"NONE": (0, range(1, 33)),
    b"twos": (0, range(1, 33)),
    b"sowt": (0, range(1, 33)),
    b"raw ": (1, {8}),
    b"in24": (3, {24}),
    b"in32": (4, {32}),
    b"fl32": (4, {32}),
    b"FL32": (4, {32}),
    b"fl64": (8, {64}),
    b"FL64": (8, {64}),
    b"alaw": (1, {8, 16}),
    b"ALAW": (1, {8, 16}),
    b"ulaw": (1, {8, 16}),
    b"ULAW": (1, {8, 16}),
}
"""Compression, its width in bytes (0: as many as the bits take), and the bits it may have."""
_KINDS = {
    b"NAME": "comment",
    b"ANNO": "comment",
    b"COMT": "comment",
    b"AUTH": "author",
    b"(c) ": "author",
    b"MARK": "chapters",
}


class Aiff:
    """One AIFF file on its way through: its chunks are found at once, its sound streams."""

    media_type = "audio/aiff"

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Find the description and the sound; raises a leaf of Refused."""
        self.kinds: set[str] = set()
        self._source = source
        self._frames = self._align = 0
        self._is_packed = read_exactly(source, 0, _HEAD)[8:] == b"AIFC"
        self.extension = "aifc" if self._is_packed else "aiff"
        common, data = self._find(limits)
        self._read(read_exactly(source, common.start, min(common.length, 256)))
        room = min(data.length, source.length - data.start) - 8
        offset, _ = struct.unpack(">II", read_exactly(source, data.start, 8))
        there = max(0, room - offset) // self._align
        if self._frames and (there - self._frames) * self._align > _MAX_BEHIND:
            raise Malformed("much more sound than the description says")
        self._frames = min(self._frames or there, there)
        self._start = data.start + 8 + offset
        self._length = self._frames * self._align
        if not self._frames:
            raise Empty("a sound file without sound")
        if self._length + 128 > 0xFFFFFFFF:  # noqa: PLR2004 - the format's 32 bits
            raise TooLarge("more sound than an AIFF holds")
        if room - offset > self._length or offset:
            self.kinds.add("trailing_data")

    def _find(self, limits: Limits) -> tuple[iff.Chunk, iff.Chunk]:
        """Return the description and the sound, which may stand in any order."""
        found: dict[bytes, iff.Chunk] = {}
        end, at = self._source.length, _HEAD
        for each in iff.walk(self._source, _HEAD, end, limits.video_boxes, ">"):
            if each.kind in {b"COMM", b"SSND"}:
                if each.kind in found:
                    raise Malformed("two descriptions of one sound, or two sounds")
                found[each.kind] = each
            elif each.start + each.length > end:
                self.kinds.add("trailing_data")
            elif each.kind != b"FVER":
                self.kinds.add(_KINDS.get(each.kind, "other_metadata"))
            at = each.end
        if len(found) != 2:  # noqa: PLR2004 - COMM and SSND
            raise Malformed("a sound file without sound or without its description")
        if at < end:
            self.kinds.add("trailing_data")
        return found[b"COMM"], found[b"SSND"]

    def _read(self, untrusted: bytes) -> None:
        """Take the numbers of COMM."""
        if len(untrusted) < _COMMON + 4 * self._is_packed:
            raise Malformed("a description of sound is too short")
        channels, self._frames, bits = struct.unpack_from(">HIH", untrusted)
        codec = untrusted[18:22] if self._is_packed else b"NONE"
        if codec not in CODECS:
            raise Unsupported("a sound codec that cannot be cleaned here")
        width, possible = CODECS[codec]
        if not 1 <= channels <= _MAX_CHANNELS or bits not in possible:
            raise Malformed("a description of sound whose numbers do not fit")
        self._align = channels * (width or -(-bits // 8))
        self._shape = struct.pack(">H", channels), struct.pack(">H", bits)
        self._rate = _rate(untrusted[8:18])
        if self._is_packed:
            # The name of the compression: none.
            self._rate += codec + bytes(2)
            if len(untrusted) > _COMMON + 6 or any(untrusted[22:]):
                self.kinds.add("comment")

    def chunks(self) -> Iterator[bytes]:
        """Return the clean file; raises MetadataSurvived if it is not as it should be."""
        checker = Checker()
        return through(self._made(), checker.feed, checker.finish)

    def _made(self) -> Iterator[bytes]:
        odd = self._length & 1
        channels, bits = self._shape
        common = channels + struct.pack(">I", self._frames) + bits + self._rate
        body = (
            b"AIFC" + _chunk(b"FVER", struct.pack(">I", _VERSION)) if self._is_packed else b"AIFF"
        )
        body += _chunk(b"COMM", common)
        body += b"SSND" + struct.pack(">III", self._length + 8, 0, 0)
        yield b"FORM" + struct.pack(">I", len(body) + self._length + odd) + body
        for offset in range(0, self._length, WINDOW):
            wanted = min(WINDOW, self._length - offset)
            yield read_exactly(self._source, self._start + offset, wanted)
        if odd:
            yield b"\0"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack(">I", len(data)) + data


def _rate(untrusted: bytes) -> bytes:
    """Return a rate of 80 bits, exact to 1/65536 Hz; finer bits could only carry a message."""
    exponent, mantissa = struct.unpack(">HQ", untrusted)
    shift = _BIAS + 63 - 16 - exponent
    # A rate below 2 Hz has another first byte, which the checker does not know.
    if not 1 <= shift < 64 or not 2 << 16 <= mantissa >> shift < _MAX_RATE << 16:  # noqa: PLR2004 - bits
        raise Malformed("a sound with an impossible rate")
    kept = (mantissa >> shift) + (mantissa >> shift - 1 & 1)
    high = kept.bit_length() - 1
    return struct.pack(">HQ", _BIAS + high - 16, kept << 63 - high)
