"""Numbers in the dictionaries of compact fonts (Adobe Technical Note 5176, section 4).

Rule: each has one spelling: the shortest for whole numbers, normal digits for real ones.
"""

import struct
from decimal import Decimal, InvalidOperation

from sanitizer.errors import Malformed
from sanitizer.numbers import unpack

_NIBBLES = "0123456789.EE -"


def whole(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return a whole number that begins with the byte ``first``, and where it ends."""
    if first == 28:  # noqa: PLR2004 - two bytes follow
        return unpack("h", data, at)[0], at + 2
    if first == 29:  # noqa: PLR2004 - four bytes follow
        return unpack("i", data, at)[0], at + 4
    if 32 <= first <= 246:  # noqa: PLR2004 - the number itself
        return first - 139, at
    (second,) = unpack("B", data, at)
    if 247 <= first <= 250:  # noqa: PLR2004 - a positive one
        return (first - 247) * 256 + second + 108, at + 1
    if 251 <= first <= 254:  # noqa: PLR2004 - a negative one
        return -(first - 251) * 256 - second - 108, at + 1
    raise Malformed("a font's dictionary is broken")


def real(data: bytes, at: int) -> tuple[str, int]:
    """Return a real number in our spelling, and where it ends."""
    text = ""
    while len(text) < 64:  # noqa: PLR2004 - digits of any number
        (byte,) = unpack("B", data, at)
        at += 1
        for nibble in (byte >> 4, byte & 15):
            if nibble == 15:  # noqa: PLR2004 - the end
                return _spelled(text), at
            text += "E-" if nibble == 12 else _NIBBLES[nibble]  # noqa: PLR2004 - E minus
    raise Malformed("a number without an end")


def _spelled(text: str) -> str:
    """Return the one spelling of a real number that we write."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Malformed("a number that is none") from None
    digits = f"{value.normalize():E}" if value else "0"
    mantissa, _, exponent = digits.partition("E")
    exponent = exponent.removeprefix("+")
    return f"{mantissa}E{exponent}" if exponent not in {"", "0"} else mantissa


def packed(value: int | str) -> bytes:
    """Return the bytes of a number, as few as can be."""
    if isinstance(value, str):
        signs = value.replace("E-", "c")
        nibbles = [12 if sign == "c" else _NIBBLES.index(sign) for sign in signs]
        nibbles += [15] * (2 - len(nibbles) % 2)
        pairs = zip(nibbles[::2], nibbles[1::2], strict=True)
        return b"\x1e" + bytes(high << 4 | low for high, low in pairs)
    if -107 <= value <= 107:  # noqa: PLR2004 - one byte
        return bytes([value + 139])
    if 108 <= value <= 1131:  # noqa: PLR2004 - two bytes
        return struct.pack(">H", value - 108 + (247 << 8))
    if -1131 <= value <= -108:  # noqa: PLR2004 - two bytes
        return struct.pack(">H", -value - 108 + (251 << 8))
    if -32768 <= value <= 32767:  # noqa: PLR2004 - three bytes
        return struct.pack(">Bh", 28, value)
    return struct.pack(">Bi", 29, value)
