"""Decoder setups: the parameter sets that a codec needs to begin, and nothing behind them.

Rule: each setup is written anew from its parts; takes and returns the record alone (the content
of ``avcC``, ``hvcC``, ``av1C``; a Matroska CodecPrivate), whatever container it stood in.
"""

import re

from sanitizer.errors import Malformed, Unsupported
from sanitizer.numbers import unpack

_MAX_CONFIG = 4096
_HEVC_SETS = {32, 33, 34}
_OBU_SEQUENCE = 1
_AAC_BYTES = 8
_USER_DATA = re.compile(rb"\x00\x00\x01\xb2.*?(?=\x00\x00\x01|\Z)", re.DOTALL)


def avc(data: bytes) -> bytes:
    """Rebuild avcC (ISO/IEC 14496-15, 5.3.3.1) with its parameter sets and nothing behind."""
    (sizes,) = unpack("B", data, 4)
    kept = data[:4] + bytes([0xFC | sizes & 3])
    at = 5
    for mask, kind in ((0x1F, 7), (0xFF, 8)):
        (count,) = unpack("B", data, at)
        sets, at = [], at + 1
        for _ in range(count & mask):
            nal, at = _sized(data, at)
            if nal[:1] and nal[0] & 31 == kind:
                sets.append(len(nal).to_bytes(2, "big") + nal)
        kept += bytes([0xE0 | len(sets) if kind == 7 else len(sets)]) + b"".join(sets)  # noqa: PLR2004 - SPS
    return kept


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = unpack("H", data, at)
    nal = data[at + 2 : at + 2 + length]
    if len(nal) != length or length > _MAX_CONFIG:
        raise Malformed("a parameter set is cut short")
    return nal, at + 2 + length


def hevc(data: bytes) -> bytes:
    """Rebuild hvcC (ISO/IEC 14496-15, 8.3.3.1) with VPS, SPS and PPS arrays alone."""
    (count,) = unpack("B", data, 22)
    arrays, at = [], 23
    for _ in range(count):
        head, number = unpack("BH", data, at)
        at += 3
        nals = []
        for _ in range(number):
            nal, at = _sized(data, at)
            nals.append(len(nal).to_bytes(2, "big") + nal)
        if head & 63 in _HEVC_SETS:
            arrays.append(bytes([head & 0xBF]) + number.to_bytes(2, "big") + b"".join(nals))
    return b"".join([data[:22], bytes([len(arrays)]), *arrays])


def av1(data: bytes) -> bytes:
    """Rebuild av1C (AV1 in ISOBMFF, 2.3) with its sequence header alone."""
    kept, at = data[:4], 4
    while at < len(data):
        kind = data[at] >> 3 & 15
        start = at
        at += 2 if data[at] & 4 else 1
        length = shift = 0
        while True:
            (byte,) = unpack("B", data, at)
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 28:  # noqa: PLR2004 - the last byte of a LEB128
                break
        at += length
        if kind == _OBU_SEQUENCE:
            kept += data[start:at]
    return kept


def mpeg4(data: bytes) -> bytes:
    """Return an MPEG-4 part 2 header without its user data, where encoders sign their name."""
    return _USER_DATA.sub(b"", data[:_MAX_CONFIG])


def aac(data: bytes) -> bytes:
    """Return an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), cut to what it can need.

    Raises Unsupported where the layout stands in a program config element, which may carry a
    comment.
    """
    if len(data) < 2:  # noqa: PLR2004 - the shortest there is
        raise Unsupported("a codec that cannot be cleaned here")
    explicit = data[0] >> 3 == 31 or (data[0] & 7) << 1 | data[1] >> 7 == 15  # noqa: PLR2004 - escapes
    channels = data[1] >> 3 & 15
    if not explicit and channels == 0:
        raise Unsupported("a sound layout that cannot be cleaned here")
    return data[:_AAC_BYTES]
