"""Which messages the frames of a track can hold, and so what takes them out.

Rule: read from the sample entry that we wrote ourselves, never from the file's own.
"""

from sanitizer.frames import strip
from sanitizer.mp4.entries import AV1, AVC, HEVC

_AAC_SETUP = b"\x40\x15" + bytes(11)


def for_codec(codec: bytes, entry: bytes) -> strip.Strip | None:
    """Return what strips the frames of a track, or None where frames hold no units.

    ``entry`` is the sample entry that we wrote, which says how wide the units' lengths are.
    """
    if codec in AVC:
        return strip.avc((entry[entry.index(b"avcC") + 8] & 3) + 1)
    if codec in HEVC:
        return strip.hevc((entry[entry.index(b"hvcC") + 25] & 3) + 1)
    if codec in AV1:
        return strip.av1
    return strip.aac if codec == b"mp4a" and entry.find(_AAC_SETUP) > 0 else None
