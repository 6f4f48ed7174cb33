"""How sound is coded: the WAVEFORMATEX of a WAV file or of a sound stream in an AVI.

Rule (Microsoft's "New Multimedia Data Types and Data Techniques" and mmreg.h; ITU-T G.711; IMA):
an allow-list of codecs; every number is derived or bounded, extra bytes are written anew.
"""

import struct
from dataclasses import dataclass, replace

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import setup

PCM, MS_ADPCM, FLOAT, A_LAW, MU_LAW, IMA_ADPCM, GSM = 1, 2, 3, 6, 7, 0x11, 0x31
MP3, AAC, AC3, EXTENSIBLE = 0x55, 0xFF, 0x2000, 0xFFFE
PLAIN = frozenset({PCM, FLOAT, A_LAW, MU_LAW})
IN_BLOCKS = frozenset({MS_ADPCM, IMA_ADPCM, GSM})
IN_FRAMES = frozenset({MP3, AAC, AC3})
_MAX_CHANNELS = 64
_MAX_RATE = 1 << 20
_SPEAKERS = (1 << 18) - 1
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_AMBISONIC_TAIL = bytes.fromhex("00002107d3118644c8c1ca000000")
_MS_TABLE = (256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232)
_MS_EXTRA = struct.pack("<H14h", 7, *_MS_TABLE)
# An id, no padding, samples in a block, blocks, the delay that the specification gives.
_MP3_EXTRA = struct.pack("<HIHHH", 1, 2, 1152, 1, 1393)
_GSM_SAMPLES, _GSM_BYTES = 320, 65
_MAX_BLOCK = (1 << 16) - 1
_MAX_FRAME, _MAX_AVERAGE = 8192, 1 << 24
_WIDTHS = {FLOAT: {32, 64}, A_LAW: {8}, MU_LAW: {8}}


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound's coding. ``codec`` looks through the extensible form; ``align`` is bytes a block.

    ``per_block`` is how many sample frames a block holds: 1 where samples stand alone, 0 where
    only a decoder knows.
    """

    tag: int
    codec: int
    channels: int
    rate: int
    align: int
    bits: int
    per_block: int
    extra: bytes
    average: int

    def to_bytes(self) -> bytes:
        """Return the WAVEFORMAT: 16 bytes for PCM, and the length of the extra bytes else."""
        head = struct.pack(
            "<HHIIHH", self.tag, self.channels, self.rate, self.average, self.align, self.bits
        )
        if self.tag == PCM:
            return head
        return head + struct.pack("<H", len(self.extra)) + self.extra


@dataclass(frozen=True, slots=True)
class _Told:
    """The numbers that every description begins with, as the file says them."""

    tag: int
    channels: int
    rate: int
    average: int
    align: int
    bits: int

    def sound(self, codec: int, per_block: int, extra: bytes, average: int) -> Sound:
        """Return the sound that these numbers describe, once they have been judged."""
        numbers = (self.channels, self.rate, self.align, self.bits)
        return Sound(self.tag, codec, *numbers, per_block, extra, average)


def parse(untrusted: bytes, *, in_video: bool = False) -> Sound:
    """Parse a WAVEFORMAT, WAVEFORMATEX or WAVEFORMATEXTENSIBLE.

    Raises Malformed, or Unsupported for a codec that is not on the list.
    """
    if len(untrusted) < 16:  # noqa: PLR2004 - WAVEFORMAT and its bits
        raise Malformed("a description of sound is too short")
    told = _Told(*struct.unpack_from("<HHIIHH", untrusted))
    (length,) = struct.unpack_from("<H", untrusted.ljust(18, b"\0"), 16)
    extra = untrusted[18 : 18 + length]
    if not (1 <= told.channels <= _MAX_CHANNELS and 1 <= told.rate <= _MAX_RATE):
        raise Malformed("a sound without channels or without a rate")
    if told.tag == EXTENSIBLE:
        return _extensible(told, extra)
    if told.tag in PLAIN:
        return _plain(told, told.tag, b"")
    if told.tag in IN_BLOCKS:
        return _in_blocks(told)
    if told.tag in IN_FRAMES and in_video:
        return _in_frames(told, extra)
    raise Unsupported("a sound codec that cannot be cleaned here")


def _fits(*, fits: bool) -> None:
    if not fits:
        raise Malformed("a description of sound whose numbers do not fit")


def _plain(told: _Told, codec: int, extra: bytes) -> Sound:
    width = -(-told.bits // 8)
    known = told.bits in _WIDTHS.get(codec, range(1, 33))
    _fits(fits=known and told.align == told.channels * width)
    return told.sound(codec, 1, extra, told.rate * told.align)


def _extensible(told: _Told, extra: bytes) -> Sound:
    if len(extra) < 22:  # noqa: PLR2004 - valid bits, speakers, a GUID
        raise Malformed("a description of sound is too short")
    valid, speakers, codec = struct.unpack_from("<HIH", extra)
    tail = extra[8:22]
    if codec not in PLAIN or tail not in {_GUID_TAIL, _AMBISONIC_TAIL}:
        raise Unsupported("a sound codec that cannot be cleaned here")
    _fits(fits=valid <= told.bits and told.bits % 8 == 0)
    return _plain(told, codec, struct.pack("<HIH", valid, speakers & _SPEAKERS, codec) + tail)


def _in_blocks(told: _Told) -> Sound:
    """Return a sound in blocks of fixed length, whose samples a block are counted here."""
    channels, align, four = told.channels, told.align, told.bits == 4  # noqa: PLR2004 - bits
    extra = b""
    if told.tag == GSM:
        per_block = _GSM_SAMPLES
        fits = align == _GSM_BYTES and channels == 1 and told.bits == 0
    elif told.tag == IMA_ADPCM:
        body = align - 4 * channels
        per_block = body * 2 // channels + 1
        fits = four and body >= 0 and body % (4 * channels) == 0
    else:
        body = align - 7 * channels
        per_block, extra = body * 2 // channels + 2, _MS_EXTRA
        fits = four and body >= 0 and body % channels == 0 and channels <= 2  # noqa: PLR2004 - stereo
    _fits(fits=fits and per_block <= _MAX_BLOCK)
    extra = struct.pack("<H", per_block) + extra
    return told.sound(told.tag, per_block, extra, told.rate * align // per_block)


def _in_frames(told: _Told, extra: bytes) -> Sound:
    """Return a sound in frames of a codec of its own, as only an AVI may carry it."""
    _fits(fits=1 <= told.align <= _MAX_FRAME and told.average <= _MAX_AVERAGE)
    made = {MP3: _MP3_EXTRA}.get(told.tag, b"")
    if told.tag == AAC:
        made = setup.aac(extra)
    return replace(told, bits=0).sound(told.tag, 0, made, told.average)
