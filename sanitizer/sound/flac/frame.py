"""Where a FLAC frame ends: its subframes are walked bit by bit (RFC 9639, sections 9.2 and 9.3).

Rule: nothing is decoded, all is measured: a frame ends where its last residual does, filled up
with zeros to a byte, and two bytes of checksum behind. What stands there else is not the sound.
"""

import functools
import re

from sanitizer.errors import Malformed
from sanitizer.sound.crc import crc16
from sanitizer.sound.flac.header import Header, renumbered

_CONSTANT, _VERBATIM, _FIXED, _LPC = 0, 1, 8, 32
_MOST_FIXED = 12


class CutShort(Malformed):
    """A frame goes on where its bytes have ended."""


@functools.lru_cache(maxsize=2048)
def _residuals(bits: int, number: int) -> re.Pattern[str]:
    """Return what matches ``number`` Rice codes: zeros, a one, ``bits`` bits.

    It is matched in C and cannot wander: where zeros end, only one thing can follow.
    """
    return re.compile(f"(?:0*1{'.' * bits}){{{number}}}")


def clean(data: bytes, header: Header, number: int) -> bytes:
    """Return the frame that ``data`` begins with, cut where it ends, with ``number`` as its own.

    Raises CutShort where it is longer than ``data``, Malformed where it is damaged.
    """
    end = _end(data, header) + 2
    if len(data) < end:
        raise CutShort("a frame of sound is cut short")
    frame = data[:end]
    if crc16(frame):
        raise Malformed("a frame of sound is damaged")
    if number == header.number:
        return frame
    made = renumbered(frame, header, number) + frame[header.length : -2]
    return made + crc16(made).to_bytes(2, "big")


def _end(data: bytes, header: Header) -> int:
    """Return where the checksum of a frame begins."""
    start = header.length
    bits = format(int.from_bytes(b"\1" + data[start:], "big"), "b")
    at = 1
    for width in header.bits:
        at = _subframe(bits, at, width, header.block)
    if at > len(bits):
        raise CutShort("a frame of sound is cut short")
    fill = -(at - 1) % 8
    if "1" in bits[at : at + fill]:
        raise Malformed("a frame of sound with something behind it")
    return start + (at - 1 + fill) // 8


def _number(bits: str, at: int, width: int) -> int:
    piece = bits[at : at + width]
    if len(piece) < width:
        raise CutShort("a frame of sound is cut short")
    return int(piece, 2) if width else 0


def _subframe(bits: str, at: int, width: int, block: int) -> int:
    kind = _number(bits, at, 7)
    is_wasted = _number(bits, at + 7, 1)
    at += 8
    if is_wasted:
        last = bits.find("1", at)
        if last < 0:
            raise CutShort("a frame of sound is cut short")
        width -= last + 1 - at
        at = last + 1
    if kind >= 64 or width <= 0:  # noqa: PLR2004 - the first of the seven is zero
        raise Malformed("a frame of sound that contradicts itself")
    if kind == _CONSTANT:
        return at + width
    if kind == _VERBATIM:
        return at + width * block
    if _FIXED <= kind <= _MOST_FIXED:
        order = kind - _FIXED
        return _residual(bits, at + order * width, order, block)
    if kind < _LPC:
        raise Malformed("a frame of sound that contradicts itself")
    order = kind - _LPC + 1
    at += order * width
    precision = _number(bits, at, 4) + 1
    return _residual(bits, at + 9 + order * precision, order, block)


def _residual(bits: str, at: int, order: int, block: int) -> int:
    method, partitions = _number(bits, at, 2), 1 << _number(bits, at + 2, 4)
    at += 6
    size = 4 + method
    if method > 1 or block % partitions or block // partitions < order:
        raise Malformed("a frame of sound that contradicts itself")
    escape = (1 << size) - 1
    left = block // partitions - order
    for _ in range(partitions):
        parameter = _number(bits, at, size)
        at += size
        if parameter == escape:
            at += 5 + left * _number(bits, at, 5)
        else:
            match = _residuals(parameter, left).match(bits, at)
            if match is None:
                raise CutShort("a frame of sound is cut short")
            at = match.end()
        left = block // partitions
    return at
