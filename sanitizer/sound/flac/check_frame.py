"""Re-read one frame of a clean FLAC: its two checksums and its number (RFC 9639, 9.1 and 9.3).

Rule: shares no code with the writer. The long checksum is that of the frame as one number, modulo
x^16+x^15+x^2+1: folded at powers of two, where that polynomial has four terms still.
"""

from typing import NamedTuple

_SHORT, _LONG = 0x107, 0x18005
_BLOCKS = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608, **{n: 256 << n - 8 for n in range(8, 16)}}
_RATE_BYTES = {12: 1, 13: 2, 14: 2}
_FOLDED = 512


class Seen(NamedTuple):
    """What a frame header says: its number, and how many samples the frame has."""

    number: int
    block: int
    is_variable: bool


def header(data: bytes) -> Seen | None:
    """Read the frame header that ``data`` begins with, or None where it is none."""
    if len(data) < 6 or data[:2] not in {b"\xff\xf8", b"\xff\xf9"} or data[3] & 1:  # noqa: PLR2004 - the shortest
        return None
    lead = data[4]
    ones = f"{lead:08b}".index("0") if lead < 0xFF else 8  # noqa: PLR2004 - all ones
    follow = max(0, ones - 1)
    if ones in {1, 8}:
        return None
    number = int(f"{lead:08b}"[ones + 1 :] or "0", 2)
    for byte in data[5 : 5 + follow]:
        if byte >> 6 != 2:  # noqa: PLR2004 - as UTF-8 goes on
            return None
        number = number * 64 + byte % 64
    shape, rate = divmod(data[2], 16)
    at = 5 + follow
    told = shape - 5 if shape in {6, 7} else 0
    block = int.from_bytes(data[at : at + told], "big") + 1 if told else _BLOCKS.get(shape, 0)
    end = at + told + _RATE_BYTES.get(rate, 0) + 1
    if end > len(data) or not block or _remainder(data[:end]):
        return None
    return Seen(number, block, data[1] == 0xF9)  # noqa: PLR2004 - blocks of several sizes


def _remainder(head: bytes) -> int:
    value = int.from_bytes(head, "big")
    while value.bit_length() > 8:  # noqa: PLR2004 - the polynomial's degree
        value ^= _SHORT << value.bit_length() - 9
    return value


def is_whole(frame: bytes) -> bool:
    """Tell whether a frame ends with its own checksum."""
    value = int.from_bytes(frame, "big")
    step = 1 << max(0, value.bit_length().bit_length() - 4)
    while value.bit_length() > _FOLDED:
        while value >> 16 * step:
            high = value >> 16 * step
            value ^= high << 16 * step ^ high << 15 * step ^ high << 2 * step ^ high
        step //= 2
    while value.bit_length() > 16:  # noqa: PLR2004 - the polynomial's degree
        value ^= _LONG << value.bit_length() - 17
    return value == 0
