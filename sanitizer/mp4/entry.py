"""What a sample description of ours is.

Rule: written by sanitizer.mp4.entries and sanitizer.mp4.entries_sound, never taken from a file.
"""

from typing import NamedTuple

from sanitizer.errors import Unsupported


class Entry(NamedTuple):
    """A sample description that we wrote."""

    codec: bytes
    data: bytes = b""
    """The whole box."""
    unit: int = 0
    """Bytes of one unit of uncompressed sound, all channels; 0 where packets have own lengths."""
    ticks: int = 1
    """How many ticks a unit lasts."""
    is_quicktime: bool = False
    """Whether only a QuickTime file may hold it."""


class UnknownCodec(Unsupported):
    """A codec that is not on the list."""
