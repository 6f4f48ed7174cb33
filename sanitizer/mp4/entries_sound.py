"""Sample descriptions of sound (ISO/IEC 14496-12, 12.2; 23003-5; QuickTime File Format).

Rule: as in sanitizer.mp4.entries. Uncompressed sound keeps the version of its description where
its numbers fit into no other; all numbers that say the same thing twice are written by us.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import ac3_setup, setup
from sanitizer.mp4 import esds
from sanitizer.mp4.boxes import box, child, full_box, needed
from sanitizer.mp4.entry import Entry, UnknownCodec
from sanitizer.numbers import unpack
from sanitizer.sound.flac.header import INFO_BYTES, StreamInfo

HEAD = 28
_V1, _V2 = 16, 36
_MORE = {0: 0, 1: _V1, 2: _V2}
_AAC_OF_MPEG2, _MP3 = {0x66, 0x67, 0x68}, {0x69, 0x6B}
PCM = {
    b"raw ": (8,), b"NONE": (8, 16), b"sowt": (8, 16), b"twos": (8, 16), b"ulaw": (8,),
    b"alaw": (8,), b"in24": (24,), b"in32": (32,), b"fl32": (32,), b"fl64": (64,),
    b"lpcm": (8, 16, 24, 32, 64), b"ipcm": (16, 24, 32), b"fpcm": (32, 64),
}  # fmt: skip
"""Uncompressed sound, and how many bits one number of it may have."""
_TOLD_BY_NAME = frozenset({b"ulaw", b"alaw", b"in24", b"in32", b"fl32", b"fl64"})
_WITH_WAVE = frozenset({b"in24", b"in32", b"fl32", b"fl64"})
_ISO = frozenset({b"ipcm", b"fpcm"})
IMA4, _IMA4_BYTES, _IMA4_TICKS = b"ima4", 34, 64
_LPCM_FLAGS = 0x1F
_MAX_CHANNELS = 64


class _Numbers(NamedTuple):
    """What any version of a sound description says."""

    version: int
    channels: int
    bits: int
    rate: float
    flags: int
    inside: bytes
    """The boxes in it."""


def canonical(kind: bytes, content: bytes) -> Entry:
    """Return the description of ours for one of the file's. Raises Unsupported, Malformed."""
    if kind not in CODED and kind not in PCM and kind != IMA4:
        raise UnknownCodec("a codec that cannot be cleaned here")
    numbers = _read(content)
    if kind in PCM:
        return _pcm(kind, numbers)
    if kind == IMA4:
        unit = _IMA4_BYTES * numbers.channels
        rest = struct.pack(">IIII", _IMA4_TICKS, _IMA4_BYTES, unit, 2)
        wave = box(b"wave", box(b"frma", kind), bytes([0, 0, 0, 8, 0, 0, 0, 0]))
        data = box(kind, _head(numbers, 1, 16), rest, wave)
        return Entry(kind, data, unit, _IMA4_TICKS, is_quicktime=True)
    wave_or_none = child(numbers.inside, b"wave")
    config = CODED[kind](wave_or_none if wave_or_none is not None else numbers.inside)
    return Entry(kind, box(kind, _head(numbers, 0, numbers.bits), config))


def _read(content: bytes) -> _Numbers:
    version, channels, bits, rate = unpack("H6xHH4xI", content, 8)
    if version not in _MORE:
        raise Malformed("a sound description of an unknown version")
    flags, exact = 0, rate / 65536
    if version == 2:  # noqa: PLR2004 - QuickTime's version 2 keeps its numbers elsewhere
        channels, bits, flags = unpack("I4xII", content, 40)
        (exact,) = struct.unpack_from(">d", content, 32)
    if not 0 < channels <= _MAX_CHANNELS or not 0 <= exact < 1 << 24 or bits > 64:  # noqa: PLR2004 - as a double has
        raise Unsupported("a sound layout that cannot be cleaned here")
    return _Numbers(version, channels, bits, exact, flags, content[HEAD + _MORE[version] :])


def _head(numbers: _Numbers, version: int, bits: int) -> bytes:
    rate = min(int(numbers.rate), 0xFFFF) << 16
    return struct.pack(
        ">6xHH6xHHhHI", 1, version, numbers.channels, bits, -2 if version == 1 else 0, 0, rate
    )


def _pcm(kind: bytes, numbers: _Numbers) -> Entry:
    allowed = PCM[kind]
    bits = allowed[0] if kind in _TOLD_BY_NAME else numbers.bits
    if kind in _ISO:
        config = needed(numbers.inside, b"pcmC")
        flags, bits = unpack("BB", config, 4)
        setting = full_box(b"pcmC", bytes([flags & 1, bits]))
    if bits not in allowed or (numbers.version == 1 and kind == b"lpcm"):
        raise Unsupported("a sound layout that cannot be cleaned here")
    unit = numbers.channels * bits // 8
    if kind in _ISO:
        return Entry(kind, box(kind, _head(numbers, 0, bits), setting), unit)
    if numbers.version == 2:  # noqa: PLR2004 - QuickTime's long description
        return Entry(kind, box(kind, _long(numbers, bits, unit)), unit, is_quicktime=True)
    if kind == b"lpcm":
        raise Unsupported("a sound layout that cannot be cleaned here")
    if kind not in _WITH_WAVE:
        said = 16 if kind in _TOLD_BY_NAME else bits
        return Entry(kind, box(kind, _head(numbers, 0, said)), unit, is_quicktime=True)
    order = child(child(numbers.inside, b"wave") or b"", b"enda") or b"\0\0"
    little = b"\0" + bytes([order[-1] & 1])
    wave = box(b"wave", box(b"frma", kind), box(b"enda", little), bytes([0, 0, 0, 8, 0, 0, 0, 0]))
    rest = struct.pack(">IIII", 1, bits // 8, unit, bits // 8)
    return Entry(kind, box(kind, _head(numbers, 1, 16), rest, wave), unit, is_quicktime=True)


def _long(numbers: _Numbers, bits: int, unit: int) -> bytes:
    """Return a description of version 2, whose numbers follow from one another."""
    return struct.pack(
        ">6xHH6xHHhHIIdIIIIII",
        *(1, 2, 3, 16, -2, 0, 65536, 72, float(round(numbers.rate)), numbers.channels, 0x7F000000),
        *(bits, numbers.flags & _LPCM_FLAGS, unit, 1),
    )


def _exact(kind: bytes, lengths: frozenset[int]) -> Callable[[bytes], bytes]:
    """Return a writer for a configuration of fixed length, all of whose bytes are numbers."""

    def write(content: bytes) -> bytes:
        data = needed(content, kind)
        if len(data) not in lengths:
            raise Unsupported("a codec set up in an unusual way")
        return box(kind, data)

    return write


def _amr(content: bytes) -> bytes:
    data = needed(content, b"damr")
    return box(b"damr", bytes(5) + data[5:9].ljust(4, b"\0"))


def _opus(content: bytes) -> bytes:
    """Write dOps anew (Opus in ISOBMFF, 4.3.2): a table of channels only where it says so."""
    data = needed(content, b"dOps")
    channels, family = unpack("xB8xB", data)
    more = 2 + channels if family else 0
    if data[0] or len(data) < 11 + more:
        raise Unsupported("a codec set up in an unusual way")
    # The rate that the microphone had is a hint for nobody: sound is decoded at 48 kHz.
    return box(b"dOps", data[:4], (48000).to_bytes(4, "big"), data[8 : 11 + more])


def _flac(content: bytes) -> bytes:
    """Write dfLa anew (FLAC in ISOBMFF, 3.3.2): the stream's numbers, without its digest."""
    data = needed(content, b"dfLa")
    if data[4:8] not in {b"\0\0\0\x22", b"\x80\0\0\x22"}:
        raise Malformed("a sound set up in an impossible way")
    info = StreamInfo.from_bytes(data[8 : 8 + INFO_BYTES])
    return full_box(b"dfLa", b"\x80\0\0\x22", info.to_bytes(0))


def _nothing(_content: bytes) -> bytes:
    return b""


def _esds(content: bytes) -> bytes:
    object_type, told = esds.read(needed(content, b"esds"))
    if object_type in _MP3:
        return esds.write(object_type, esds.AUDIO, b"")
    if object_type != esds.AAC and object_type not in _AAC_OF_MPEG2:
        raise UnknownCodec("a codec that cannot be cleaned here")
    return esds.write(esds.AAC, esds.AUDIO, setup.aac(told))


CODED: dict[bytes, Callable[[bytes], bytes]] = {
    b"mp4a": _esds,
    b".mp3": _nothing,
    b"samr": _amr,
    b"sawb": _amr,
    b"ac-3": lambda content: box(b"dac3", ac3_setup.ac3(needed(content, b"dac3"))),
    b"ec-3": lambda content: box(b"dec3", ac3_setup.eac3(needed(content, b"dec3"))),
    b"alac": _exact(b"alac", frozenset({28})),
    b"Opus": _opus,
    b"fLaC": _flac,
}
"""Codecs of sound that stay, and how the setup of each is written anew."""
