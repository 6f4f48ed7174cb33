"""What is asked of a jailed worker that looks at a file, and what it may answer.

Rule: as sanitizer.jail.wire; nothing that arrives is a program, and nothing of it is believed but
its length.  Gateway to worker: ``V`` an order (JSON), and bytes of the source as they are wanted.
Worker to gateway: ``H`` ready, ``R`` wants, ``P`` a picture (JSON) and then its pixels, ``E`` why
there is none.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sanitizer.errors import Malformed, TooManyPixels
from sanitizer.jail import wire

PICTURE_LETTER = b"P"
ORDER_LETTER = b"V"
SIDE_MOST = 4096
"""Longest side of a picture that is made, in pixels."""
SOURCE_SIDE_MOST = 65_535
SOURCE_PIXELS_MOST = 120_000_000
"""Most pixels of a picture that is decoded whole."""
PARTS_MOST = 5_000
"""Most pages or frames that are counted."""
CHANNELS = 3


class Subject(StrEnum):
    """How a file is read."""

    PICTURE = "picture"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which part of a file is drawn, and how large.

    ``side`` is the longest side in pixels: a picture is made smaller for it and never larger, a
    page is drawn at it.  ``part`` counts pages, or the pictures of one file, from 0.
    """

    subject: Subject
    length: int
    side: int
    part: int = 0
    is_shared: bool = False

    def to_bytes(self) -> bytes:
        """Return the frame that asks for it."""
        told = {
            "subject": self.subject.value,
            "length": self.length,
            "side": self.side,
            "part": self.part,
            "is_shared": self.is_shared,
        }
        return wire.frame(ORDER_LETTER, json.dumps(told).encode())

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Order":
        """Read a frame's payload, which the asking side wrote."""
        told = json.loads(payload)
        return cls(**{**told, "subject": Subject(told["subject"])})


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture made of pixels: rows from the top, three bytes each, red, green and blue.

    ``of_width`` and ``of_height`` are what the whole has, upright; ``parts`` is how many pages or
    pictures the file has.
    """

    width: int
    height: int
    pixels: bytes
    of_width: int
    of_height: int
    parts: int = 1


def seen(sight: Sight) -> list[bytes]:
    """Return the frame of a picture, in parts: its numbers, its pixels."""
    told = {
        "width": sight.width,
        "height": sight.height,
        "of_width": sight.of_width,
        "of_height": sight.of_height,
        "parts": sight.parts,
    }
    return [wire.frame(PICTURE_LETTER, json.dumps(told).encode()), sight.pixels]


def read_sight(untrusted: bytes, take: Callable[[int], bytes], order: Order) -> Sight:
    """Read a ``P`` frame: its payload, and by ``take`` its pixels.

    Raises Malformed, and TooManyPixels where it is larger than was asked for.
    """
    told = wire.words(untrusted)
    width, height = _number(told, "width", SIDE_MOST), _number(told, "height", SIDE_MOST)
    of_width = _number(told, "of_width", SOURCE_SIDE_MOST)
    of_height = _number(told, "of_height", SOURCE_SIDE_MOST)
    if max(width, height) > order.side:
        raise TooManyPixels("the worker's picture is larger than it may be")
    pixels = take(width * height * CHANNELS)
    return Sight(width, height, pixels, of_width, of_height, _number(told, "parts", PARTS_MOST))


def _number(told: dict[str, object], name: str, most: int) -> int:
    value = told.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise Malformed("the worker's answer is not on the list")
    return value
