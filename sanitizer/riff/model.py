"""What an AVI is, once read: its kept streams, and for each packet where it lies.

Rule: plain numbers in flat arrays, 13 bytes a packet, so that hours of video stay small.
"""

from array import array
from dataclasses import dataclass, field

from sanitizer.riff.picture import Picture
from sanitizer.riff.sound import Sound


@dataclass(slots=True)
class Stream:
    """One stream that is kept: what codes it, and its clock (``rate`` by ``scale`` a second).

    ``sample`` is how many bytes count as one tick, 0 where each packet is one; ``start`` is the
    tick that it begins at; ``aspect`` is that of the whole picture, where the file says it.
    """

    coding: Picture | Sound
    scale: int
    rate: int
    start: int
    sample: int
    aspect: tuple[int, int] | None = None

    @property
    def letters(self) -> bytes:
        """What follows the number in the names of its packets."""
        return b"dc" if isinstance(self.coding, Picture) else b"wb"


@dataclass(slots=True)
class Packets:
    """The packets of all kept streams, in the order of the file."""

    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    streams: "array[int]" = field(default_factory=lambda: array("B"))

    def __len__(self) -> int:
        return len(self.sizes)
