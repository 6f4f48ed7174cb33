"""WAV, also RF64 and BW64: a description of ours, and the sound bit by bit.

Rule (RIFF 1.0; Microsoft, "Multiple channel audio data and WAVE files"; EBU Tech 3306 for RF64;
ITU-R BS.2088 for BW64): one ``fmt ``, a ``fact`` where the codec wants one, one ``data`` of whole
blocks; RF64 only where 32 bits are not enough. Every other chunk goes, wherever it stands.
"""

import re
import struct
from collections.abc import Iterator

from sanitizer.errors import Empty, Malformed, TooComplex
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.riff import chunks as riff
from sanitizer.riff import sound
from sanitizer.riff.wav_check import Checker
from sanitizer.source import UntrustedSource
from sanitizer.streaming import through

_HEAD = 12
_MAX_FORMAT = 256
_SHORT = 0xFFFFFFFF
_TAIL = 16 << 20
_FILLERS = {b"JUNK", b"PAD ", b"FLLR", b"fact", b"fmt ", b"ds64"}
# What a program writes behind the sound. Only looked for where nobody says how long that is.
_BEHIND = re.compile(
    rb"LIST|INFO|id3 |ID3[\x02-\x04]|bext|iXML|axml|_PMX|cue |plst|adtl|DISP|PEAK|LGWV|JUNK|PAD |"
    rb"FLLR|smpl|inst|umid|chna|afsp|TAG|APETAGEX"
)
_ID3V1, _APE_FOOTER = 128, 32


class Wav:
    """One WAV file on its way through: its chunks are found at once, its sound streams."""

    media_type = "audio/wav"
    extension = "wav"

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Find the description and the sound; raises a leaf of Refused."""
        self.kinds: set[str] = set()
        self._source = source
        self._limits = limits
        self._long = -1
        self._blocks = -1
        self._is_long = read_exactly(source, 0, _HEAD)[:4] != b"RIFF"
        form, data = self._find()
        self._sound = sound.parse(read_exactly(source, form.start, min(form.length, _MAX_FORMAT)))
        if form.length != len(self._sound.to_bytes()):
            self.kinds.add("other_metadata")
        self._start = data.start
        self._length = self._length_of(data)
        if self._length == 0:
            raise Empty("a sound file without sound")

    def _find(self) -> tuple[riff.Chunk, riff.Chunk]:
        """Return the description and the sound; note what stands before the sound."""
        form = None
        most = self._limits.video_boxes
        for found in riff.walk(self._source, _HEAD, self._source.length, most):
            if found.kind == b"data":
                if form is None:
                    raise Malformed("sound before its description")
                return form, found
            if found.kind == b"fmt ":
                if form is not None:
                    raise Malformed("two descriptions of one sound")
                form = found
            elif found.kind == b"ds64" and self._is_long:
                (self._long,) = struct.unpack("<Q", read_exactly(self._source, found.start + 8, 8))
            elif found.kind == b"fact" and found.length >= 4:  # noqa: PLR2004 - one number
                (self._blocks,) = struct.unpack("<I", read_exactly(self._source, found.start, 4))
            self._note(found)
        raise Malformed("a sound file without sound")

    def _note(self, found: riff.Chunk) -> None:
        if found.kind not in _FILLERS:
            self.kinds |= riff.kinds_of(self._source, found)

    def _length_of(self, data: riff.Chunk) -> int:
        """Return how many bytes of sound there are, in whole blocks; note what comes behind."""
        there = self._source.length - data.start
        said = self._long if self._is_long and data.length == _SHORT else data.length
        if 0 < said <= there and said != _SHORT:
            length = said
            self._behind(data.start + said + (said & 1))
        else:
            # A recorder that crashed, or that could not go back to write the length.
            length = self._end_unsaid(data.start) - data.start
            if length < there:
                self.kinds.add("trailing_data")
        return length - length % self._sound.align

    def _behind(self, at: int) -> None:
        end, most = self._source.length, self._limits.video_boxes
        for found in riff.walk(self._source, at, end, most):
            if found.start + found.length > end or not found.kind.isascii():
                self.kinds.add("trailing_data")
                return
            self._note(found)
            at = found.end
        if at < end:
            self.kinds.add("trailing_data")

    def _end_unsaid(self, start: int) -> int:
        """Return where the sound ends in a file that does not say it.

        That is the end of the file, unless chunks that reach exactly to there, or a tag as MP3
        files have it, stand before.
        """
        end = self._source.length
        begin = max(start, end - _TAIL)
        tail = self._source.read_at(begin, end - begin)
        left = self._limits.image_parts
        for match in _BEHIND.finditer(tail):
            at = match.start()
            reached, steps = _chain(tail, at, left)
            if reached or _is_tag(tail, at, match[0]):
                return begin + at
            left -= steps
            if left <= 0:
                raise TooComplex("too many things that may stand behind the sound")
        return end

    def chunks(self) -> Iterator[bytes]:
        """Return the clean file; raises MetadataSurvived if it is not as it should be."""
        checker = Checker()
        return through(self._made(), checker.feed, checker.finish)

    def _made(self) -> Iterator[bytes]:
        form = self._sound
        body = riff.chunk(b"fmt ", form.to_bytes())
        count = self._frames()
        if form.codec != sound.PCM:
            body += riff.chunk(b"fact", struct.pack("<I", min(count, _SHORT)))
        odd = self._length & 1
        whole = 4 + len(body) + riff.HEADER + self._length + odd
        if whole <= _SHORT:
            head = b"RIFF" + struct.pack("<I", whole) + b"WAVE"
            size = self._length
        else:
            long = struct.pack("<QQQI", whole + 36, self._length, count, 0)
            head = b"RF64\xff\xff\xff\xffWAVE" + riff.chunk(b"ds64", long)
            size = _SHORT
        yield head + body + b"data" + struct.pack("<I", size)
        for offset in range(0, self._length, WINDOW):
            wanted = min(WINDOW, self._length - offset)
            yield read_exactly(self._source, self._start + offset, wanted)
        if odd:
            yield b"\0"

    def _frames(self) -> int:
        """Return how many sample frames there are: the file's own count where it can be true."""
        per_block = self._sound.per_block
        most = self._length // self._sound.align * per_block
        return self._blocks if most - per_block < self._blocks <= most else most


def _chain(tail: bytes, at: int, most: int) -> tuple[bool, int]:
    """Return whether chunks stand from here on, exactly up to the end, and how many were seen."""
    for step in range(1, most + 1):
        if at + riff.HEADER > len(tail):
            return False, step
        (length,) = struct.unpack_from("<I", tail, at + 4)
        at += riff.HEADER + length
        if at == len(tail):
            return True, step
        at += length & 1
        if at == len(tail):
            return True, step
    return False, most


def _is_tag(tail: bytes, at: int, name: bytes) -> bool:
    """Tell whether a tag of MP3 stands here and reaches to the end of the file."""
    left = len(tail) - at
    if name == b"TAG":
        return left == _ID3V1
    if name == b"APETAGEX":
        return left >= _APE_FOOTER
    size = int.from_bytes(bytes(tail[at + 6 : at + 10]), "big")
    size = size & 127 | (size >> 1) & 0x3F80 | (size >> 2) & 0x1FC000 | (size >> 3) & 0xFE00000
    return name.startswith(b"ID3") and left in {10 + size, 20 + size, 10 + size + _ID3V1}
