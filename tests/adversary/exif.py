"""EXIF blocks by hand, in both byte orders, for every container that holds one."""

import struct

from tests.adversary.words import GPS, Word
from tests.support.media import phone_exif


def block(word: Word | None) -> bytes:
    """Return a phone's EXIF with its name; the word in every directory, or in none."""
    return phone_exif(word.canary if word else b"nothing", orientation=1)


def position() -> bytes:
    """Return EXIF with a GPS position in fractions, and not a letter that is anybody's."""
    rows = struct.pack(">HHI4s", 1, 2, 2, b"N\0\0\0")
    rows += struct.pack(">HHII", 2, 5, 3, 80) + struct.pack(">HHI4s", 3, 2, 2, b"W\0\0\0")
    rows += struct.pack(">HHII", 4, 5, 3, 104)
    gps = struct.pack(">H", 4) + rows + bytes(4)
    made = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, 0x8825, 4, 1, 26, 0)
    return b"Exif\0\0" + (made + gps).ljust(80, b"\0") + struct.pack(">12I", *GPS)


def _directory(
    order: str, at: int, tag: tuple[int, int], value: bytes, following: int = 0
) -> bytes:
    """Return a directory of one tag (number, type), at ``at``, its value right behind it."""
    number, kind = tag
    entry = struct.pack(order + "HHHII", 1, number, kind, len(value), at + 18)
    return entry + struct.pack(order + "I", following) + value


def tiff(word: Word, order: str = ">") -> bytes:
    """Return the smallest block with a word in it."""
    return _start(order) + _directory(order, 8, (0x13B, 2), word.told)


def odd(word: Word, kind: int) -> bytes:
    """Return a block with a private tag of some type."""
    return _start(">") + _directory(">", 8, (0xFDE8, kind), word.told)


def number(word: Word) -> bytes:
    """Return a block whose private tag is a number of 64 bits, as serial numbers are."""
    return _start(">") + _directory(">", 8, (0xA431, 7), struct.pack(">Q", word.long))


def gap(word: Word) -> bytes:
    """Return a block with a word where no tag points."""
    start = 8 + len(word.told) + len(word.told) % 2
    head = b"MM\0*" + struct.pack(">I", start) + word.told.ljust(start - 8, b"\0")
    return head + _directory(">", start, (0x112, 7), b"\0\1")


def thumbnail(picture: bytes) -> bytes:
    """Return a block with a thumbnail, as it stands."""
    rows = struct.pack(">HHII", 0x201, 4, 1, 44) + struct.pack(">HHII", 0x202, 4, 1, len(picture))
    return _start(">") + bytes(2) + struct.pack(">IH", 14, 2) + rows + bytes(4) + picture


def chain(word: Word, count: int) -> bytes:
    """Return a block of directories in a chain; the last one has the word."""
    made = _start(">")
    for number in range(count):
        value = word.told if number == count - 1 else b"nothing!"
        following = len(made) + 18 + len(value) if number < count - 1 else 0
        made += _directory(">", len(made), (0x10E, 2), value, following)
    return made


def _start(order: str) -> bytes:
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
