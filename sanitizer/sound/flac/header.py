"""The stream information and the frame headers of FLAC (RFC 9639, sections 8.2 and 9.1).

Rule: a header is believed when its own checksum is right and it says what the stream says.
"""

import struct
from dataclasses import dataclass

from sanitizer.errors import Malformed
from sanitizer.sound.crc import crc8

INFO_BYTES = 34
_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
_MOST_BLOCK = 65535
_SMALLEST_BLOCK = 16
_LEFT_SIDE, _SIDE_RIGHT, _MID_SIDE = 8, 9, 10


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is kept of a STREAMINFO: block sizes, samples a second, channels, bits a sample."""

    smallest: int
    largest: int
    rate: int
    channels: int
    bits: int

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "StreamInfo":
        """Read the content of a STREAMINFO block; raises Malformed."""
        if len(untrusted) != INFO_BYTES:
            raise Malformed("a header of sound is cut short")
        smallest, largest = struct.unpack_from(">HH", untrusted)
        packed = int.from_bytes(untrusted[10:18], "big")
        bits = (packed >> 36 & 31) + 1
        made = cls(smallest, largest, packed >> 44, (packed >> 41 & 7) + 1, bits)
        if made.rate == 0 or bits < 4 or not _SMALLEST_BLOCK <= smallest <= largest:  # noqa: PLR2004 - bits a sample
            raise Malformed("a header of sound that contradicts itself")
        return made

    def to_bytes(self, samples: int) -> bytes:
        """Return a STREAMINFO for ``samples`` samples, 0 where their number is unknown.

        Without the sizes of frames and without the fingerprint of the sound, which may be left
        open: a fingerprint that nobody has computed is sixteen bytes for a message.
        """
        packed = self.rate << 44 | self.channels - 1 << 41 | self.bits - 1 << 36
        packed |= samples if samples < 1 << 36 else 0
        sizes = struct.pack(">HH", self.smallest, self.largest)
        return sizes + bytes(6) + packed.to_bytes(8, "big") + bytes(16)


@dataclass(frozen=True, slots=True)
class Header:
    """One frame header: its length in bytes, samples, number, and the bits of each channel."""

    length: int
    block: int
    number: int
    is_variable: bool
    bits: tuple[int, ...]


def parse(data: bytes, info: StreamInfo) -> Header | None:
    """Return the frame header that ``data`` begins with, or None where it is none."""
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8 or data[3] & 1:  # noqa: PLR2004 - the shortest; sync
        return None
    block_code, rate_code = data[2] >> 4, data[2] & 15
    number, at = _number(data)
    block_bytes = {6: 1, 7: 2}.get(block_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    length = at + block_bytes + rate_bytes + 1
    if at == 0 or len(data) < length or crc8(data[:length]):
        return None
    extra = int.from_bytes(data[at : at + block_bytes], "big")
    told = int.from_bytes(data[at + block_bytes : length - 1], "big")
    block = _block(block_code, extra)
    rate = {0: info.rate, 12: told * 1000, 13: told, 14: told * 10}.get(
        rate_code, _RATES[rate_code] if rate_code < len(_RATES) else 0
    )
    bits = _channels(data[3], info)
    if block == 0 or block > info.largest or rate != info.rate or not bits:
        return None
    return Header(length, block, number, bool(data[1] & 1), bits)


def _number(data: bytes) -> tuple[int, int]:
    """Return the coded number (as in UTF-8, up to seven bytes) and what follows; 0, 0 if none."""
    first = data[4]
    if first < 0x80:  # noqa: PLR2004 - one byte
        return first, 5
    ones = 8 - (first ^ 0xFF).bit_length()
    rest = data[5 : 4 + ones]
    if ones == 1 or ones == 8 or len(rest) < ones - 1 or any(b & 0xC0 != 0x80 for b in rest):  # noqa: PLR1714, PLR2004 - as in UTF-8
        return 0, 0
    value = first & (1 << 7 - ones) - 1 if ones < 7 else 0  # noqa: PLR2004 - the longest has no bits there
    for byte in rest:
        value = value << 6 | byte & 63
    return value, 4 + ones


def _block(code: int, extra: int) -> int:
    if code in {6, 7}:
        return extra + 1 if extra < _MOST_BLOCK else 0
    if code == 1:
        return 192
    if 2 <= code <= 5:  # noqa: PLR2004 - the table of RFC 9639, 9.1.1
        return 144 << code
    return 1 << code if code >= 8 else 0  # noqa: PLR2004 - the same table


def _channels(byte: int, info: StreamInfo) -> tuple[int, ...]:
    """Return the bits of each channel, or nothing where they are not the stream's."""
    layout, size = byte >> 4, byte >> 1 & 7
    if size and _BITS.get(size) != info.bits:
        return ()
    if layout < _LEFT_SIDE:
        return (info.bits,) * info.channels if layout + 1 == info.channels else ()
    if layout > _MID_SIDE or info.channels != 2:  # noqa: PLR2004 - stereo alone has sides
        return ()
    side = info.bits + 1
    return (side, info.bits) if layout == _SIDE_RIGHT else (info.bits, side)


def renumbered(data: bytes, header: Header, number: int) -> bytes:
    """Return the header of a frame with ``number`` in the place of its own."""
    _, after = _number(data)
    made = data[:4] + _coded(number) + data[after : header.length - 1]
    return made + bytes([crc8(made)])


def _coded(number: int) -> bytes:
    if number < 0x80:  # noqa: PLR2004 - one byte
        return bytes([number])
    rest: list[int] = []
    room = 6
    while number >> room:
        rest.insert(0, 0x80 | number & 63)
        number >>= 6
        room -= 1
    return bytes([(0xFF << room + 1) & 0xFF | number, *rest])
