"""The word that is planted: unique for each file, spelled in one of several ways, or a number.

Its last eight letters are hexadecimal digits of a 32-bit number without zero bytes, so that a
serial number, a time or a track's id can carry it too; the eight letters are a 64-bit one.
"""

import base64
import functools
import hashlib
import struct
import zlib
from dataclasses import dataclass

SPELLINGS = ("raw", "utf-16-le", "base64", "hex", "zlib", "backwards", "utf-16-be")
"""The ways a word is written, in the order in which places take them."""
_PRINTABLE = range(0x21, 0x7F)
_PAIRS = ("\u200c\u200d", "\u200b\u2060", "\u200e\u200f", "\u2009\u200a", " \t", "\u034f\u2063")
_SPECIAL = b"\0\xff\r\n()<>\\"
"""Bytes that mean something in JPEG, in PDF, or in a text that ends with a zero."""
GPS = (33, 1, 34, 1, 2316, 100, 7, 1, 35, 1, 2328, 100)
"""A public square, as EXIF counts: degrees, minutes and seconds in fractions."""
GPS_TEXT = b"+33.5731-007.5898/"
"""The same in the words of videos (ISO 6709)."""


def canary(name: str) -> bytes:
    """Return the word of the file called ``name``, the same on every run."""
    for number in range(1 << 16):
        digest = hashlib.blake2s(f"{name} {number}".encode(), digest_size=4).digest()
        if all(byte in _PRINTABLE for byte in digest) and len(set(digest)) == len(digest):
            return b"CANARY-" + digest.hex().encode()
    raise AssertionError("no such word")


@functools.cache
def packed(word: bytes) -> bytes:
    """Return a word compressed, in bytes that stand everywhere as they are."""
    told = (zlib.compress(word * number) for number in range(3, 999))
    return next(each for each in told if not set(each) & set(_SPECIAL))


@dataclass(frozen=True, slots=True)
class Word:
    """One file's word, and the one way in which that file spells it."""

    canary: bytes
    spelling: str = "raw"

    @property
    def told(self) -> bytes:
        """The word as this file spells it, in any bytes."""
        return {
            "raw": self.canary,
            "utf-16-le": self.canary.decode().encode("utf-16-le"),
            "utf-16-be": self.canary.decode().encode("utf-16-be"),
            "base64": base64.b64encode(self.canary),
            "hex": self.canary.hex().encode(),
            "zlib": packed(self.canary),
            "backwards": self.canary[::-1],
        }[self.spelling]

    @property
    def text(self) -> bytes:
        """The word in ASCII, for places that hold nothing else."""
        if self.spelling in {"base64", "hex", "backwards"}:
            return self.told
        return self.canary

    @property
    def plain(self) -> "Word":
        """The same word, spelled in letters."""
        return Word(self.canary)

    @property
    def long(self) -> int:
        """The word as a number of 64 bits, whose highest is not set."""
        return int.from_bytes(self.canary[7:], "big")

    @property
    def short(self) -> int:
        """The word as a number of 32 bits, whose highest is not set."""
        return int(self.canary[7:], 16)

    def numbers(self) -> tuple[bytes, ...]:
        """Return the numbers in bytes, both ways round."""
        return tuple(
            struct.pack(order + letter, number)
            for order in "<>"
            for letter, number in (("Q", self.long), ("I", self.short))
        )


def bits(word: bytes, zero: str, one: str) -> str:
    """Return a word as signs without a shape."""
    return "".join(
        one if byte >> place & 1 else zero for byte in word for place in range(7, -1, -1)
    )


def tags(word: bytes) -> str:
    """Return a word in tag characters, which nothing shows."""
    return "".join(chr(0xE0000 + byte) for byte in word)


def selectors(word: bytes) -> str:
    """Return a word in variation selectors."""
    return "".join(chr(0xE0100 + byte) for byte in word)


def unseen(word: bytes) -> tuple[bytes, ...]:
    """Return a word in signs that have no shape, in the encodings that text comes in."""
    ways = [tags(word), selectors(word), *(bits(word, *pair) for pair in _PAIRS)]
    return tuple(way.encode(code) for way in ways for code in ("utf-8", "utf-16-le"))


def positions() -> tuple[bytes, ...]:
    """Return the public square in each way of planting it."""
    return (*(struct.pack(f"{order}6I", *GPS[:6]) for order in "<>"), GPS_TEXT)
