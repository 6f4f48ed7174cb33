"""Re-read the setup that a decoder gets beforehand: sets of parameters, and nothing behind them.

Rule: shares no code with what wrote it; each returns the width of its frames' lengths, or 0.
"""

import struct
from collections.abc import Callable
from functools import partial

from sanitizer.frames import mpeg4_check, sets_check
from sanitizer.matroska.check_walk import fail
from sanitizer.sound.ogg.check_packets import OpusSounds, VorbisSounds

_SPS, _PPS = 7, 8


def _empty(data: bytes) -> int:
    if data:
        raise fail()
    return 0


def _sets(data: bytes, at: int, count: int, is_kind: Callable[[int], bool]) -> int:
    """Walk ``count`` sets of one kind, told by their first byte; return where they end."""
    for _ in range(count):
        length = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if not length or at + length > len(data) or not is_kind(data[at]):
            raise fail()
        sets_check.check(data[at : at + length])
        at += length
    return at


def _avc(data: bytes) -> int:
    if not data:
        return 0
    at = _sets(data, 6, data[5] & 31, lambda head: head & 31 == _SPS)
    at = _sets(data, at + 1, data[at], lambda head: head & 31 == _PPS)
    # The high profiles say three more numbers and count extensions, of which there are none.
    if data[at:] and (len(data) != at + 4 or data[at + 3]):
        raise fail()
    return (data[4] & 3) + 1


def _is_hevc(kind: int, head: int) -> bool:
    return head >> 1 & 63 == kind


def _hevc(data: bytes) -> int:
    at = 23
    for _ in range(data[22]):
        kind, count = struct.unpack_from(">BH", data, at)
        if kind & 63 not in {32, 33, 34}:
            raise fail()
        at = _sets(data, at + 3, count, partial(_is_hevc, kind & 63))
    if at != len(data):
        raise fail()
    return (data[21] & 3) + 1


def _av1(data: bytes) -> int:
    at = 4
    while at < len(data):
        # A sequence header with a length of its own, and no extension.
        if data[at] & 0xFE != 0x0A:  # noqa: PLR2004 - type 1, with a length
            raise fail()
        length = shift = 0
        more = True
        while more:
            at += 1
            length |= (data[at] & 127) << shift
            shift += 7
            more = data[at] > 127 and shift < 28  # noqa: PLR2004 - LEB128
        at += 1 + length
    if at != len(data) or data[0] != 0x81:  # noqa: PLR2004 - marker and version
        raise fail()
    return 0


def _vp9(data: bytes) -> int:
    keys = list(data[::3])
    if len(data) % 3 or set(data[1::3]) - {1} or keys != sorted(set(keys) & {1, 2, 3, 4}):
        raise fail()
    return 0


def _mpeg4(data: bytes) -> int:
    mpeg4_check.check(data)
    return 0


def _opus(data: bytes) -> int:
    OpusSounds(data)
    if data[:9] != b"OpusHead\1" or data[12:16] != b"\x80\xbb\0\0":
        raise fail()
    return 0


def _vorbis(data: bytes) -> int:
    ident = data[3:33]
    sounds = VorbisSounds(ident)
    sounds.take(data[33:49])
    sounds.take(data[49:])
    if data[:3] != bytes([2, 30, 16]) or ident[:11] != b"\1vorbis\0\0\0\0":
        raise fail()
    if any(ident[16:28]) or ident[29] != 1:
        raise fail()
    return 0


def _aac(data: bytes) -> int:
    if not 2 <= len(data) <= 8:  # noqa: PLR2004 - an AudioSpecificConfig
        raise fail()
    return 0


def _flac(data: bytes) -> int:
    if len(data) != 42 or data[:8] != b"fLaC\x80\0\0\x22":  # noqa: PLR2004 - one block
        raise fail()
    if any(data[12:18]) or data[21] & 15 or any(data[22:]):
        raise fail()
    return 0


def _alac(data: bytes) -> int:
    if len(data) != 24:  # noqa: PLR2004 - its numbers
        raise fail()
    return 0


SETUPS: dict[bytes, Callable[[bytes], int]] = {
    b"V_VP8": _empty,
    b"V_VP9": _vp9,
    b"V_AV1": _av1,
    b"V_MPEG4/ISO/AVC": _avc,
    b"V_MPEGH/ISO/HEVC": _hevc,
    b"V_MPEG4/ISO/ASP": _mpeg4,
    b"V_MJPEG": _empty,
    b"A_OPUS": _opus,
    b"A_VORBIS": _vorbis,
    b"A_AAC": _aac,
    b"A_FLAC": _flac,
    b"A_ALAC": _alac,
    b"A_AC3": _empty,
    b"A_EAC3": _empty,
    b"A_MPEG/L1": _empty,
    b"A_MPEG/L2": _empty,
    b"A_MPEG/L3": _empty,
    b"A_PCM/INT/LIT": _empty,
    b"A_PCM/INT/BIG": _empty,
    b"A_PCM/FLOAT/IEEE": _empty,
}
"""The codecs that a result may hold, and what checks their setup."""
