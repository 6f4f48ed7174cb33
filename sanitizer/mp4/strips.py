"""Which messages the frames of a track can hold, and so what takes them out.

Rule: read from the sample entry that we wrote ourselves, never from the file's own. What is made
here serves one track: some codecs are stripped with what came before in mind.
"""

import struct
from collections.abc import Iterator

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import jpeg, mpeg2, mpeg4, packets, prores, sound, strip, vpx
from sanitizer.mp4 import esds
from sanitizer.mp4.entries import AVC, HEVC, JPEG, PRORES
from sanitizer.mp4.entry import Entry
from sanitizer.sound.flac import frame as flac_frame
from sanitizer.sound.flac import header as flac_header
from sanitizer.sound.mp3.frame import layout, length
from sanitizer.sound.mp3.reservoir import Reservoir
from sanitizer.sound.ogg.opus import Opus

_FLAC_HEADER = 16
_TOGETHER = 16
_BY_CODEC: dict[bytes, strip.Strip] = {
    b"av01": strip.av1,
    b"vp08": vpx.vp8,
    b"vp09": vpx.vp9,
    b"samr": packets.amr_narrow,
    b"sawb": packets.amr_wide,
    b"alac": packets.alac,
    b"ac-3": sound.ac3,
    b"ec-3": sound.ac3,
    **dict.fromkeys(PRORES, prores.strip),
}


def strip_of(entry: Entry, height: int = 0) -> strip.Strip | None:
    """Return what strips the frames of a track, or None where nothing can be told from sound.

    ``height`` is the picture's, in lines.
    """
    codec, data = entry.codec, entry.data
    if codec in AVC:
        record = data[data.index(b"avcC") + 4 :]
        return strip.avc((record[4] & 3) + 1, record)
    if codec in HEVC:
        return strip.hevc((data[data.index(b"hvcC") + 25] & 3) + 1)
    if codec in JPEG:
        return jpeg.Frames(height).strip
    if codec == b"mp4v":
        return mpeg4.Pictures().strip if _object_type(data) == esds.MPEG4 else mpeg2.strip
    return _sound(codec, data)


def _sound(codec: bytes, data: bytes) -> strip.Strip | None:
    if codec == b"mp4a":
        return strip.aac
    if codec == b"Opus":
        return _opus(data[data.index(b"dOps") + 4 :])
    return _flac(data) if codec == b"fLaC" else _BY_CODEC.get(codec)


def is_mp3(entry: Entry) -> bool:
    """Tell whether a track is of MP3, whose frames reach into one another."""
    coded = entry.codec == b"mp4a" and _object_type(entry.data) != esds.AAC
    return coded or entry.codec == b".mp3"


class Mp3Frames:
    """Strips MP3: a frame is ready once no later one can reach into it."""

    def __init__(self) -> None:
        """Begin with no frame."""
        self.has_messages = False
        self._reservoir: Reservoir | None = None
        self._layout: object = None
        self._sizes: list[int] = []

    def add(self, frame: bytes) -> Iterator[bytes]:
        """Take a frame, yield those that are ready. Raises Malformed, Unsupported."""
        if len(frame) < 4 or length(frame) != len(frame) or frame[1] & 6 != 2:  # noqa: PLR2004 - layer III
            raise Unsupported("packets of sound that are no frames of MP3")
        shape = layout(frame)
        if self._reservoir is None:
            self._reservoir, self._layout = Reservoir(shape, frame[3] & 3), shape
        if shape is not self._layout or len(frame) < 6 + shape.side:
            raise Malformed("a sound that becomes another")
        self._sizes.append(len(frame))
        self._reservoir.add(frame)
        if len(self._sizes) >= _TOGETHER:
            yield from self._take(self._reservoir, is_over=False)

    def finish(self) -> Iterator[bytes]:
        """Yield the frames that are left."""
        if self._reservoir is not None:
            yield from self._take(self._reservoir, is_over=True)

    def _take(self, reservoir: Reservoir, *, is_over: bool) -> Iterator[bytes]:
        ready, count = reservoir.take(is_over=is_over)
        self.has_messages = reservoir.has_blanked
        at = 0
        for size in self._sizes[:count]:
            yield ready[at : at + size]
            at += size
        del self._sizes[:count]


def _object_type(data: bytes) -> int:
    return esds.read(data[data.index(b"esds") + 4 :])[0]


def _opus(setup: bytes) -> strip.Strip:
    """Return what takes the padding out of a packet; ``setup`` is the content of dOps."""
    channels, skip, rate, gain, family = struct.unpack_from(">BHIhB", setup, 1)
    head = b"OpusHead\1" + struct.pack("<BHIhB", channels, skip, rate, gain, family)
    stream = Opus(head + setup[11:])
    return lambda untrusted: stream.packet(untrusted)[0]


def _flac(data: bytes) -> strip.Strip:
    """Return what cuts a frame where it ends."""
    start = data.index(b"dfLa") + 12
    info = flac_header.StreamInfo.from_bytes(data[start : start + flac_header.INFO_BYTES])

    def cut(untrusted: bytes) -> bytes:
        header = flac_header.parse(untrusted[:_FLAC_HEADER], info)
        if header is None:
            raise Malformed("a packet of sound whose parts do not add up")
        return flac_frame.clean(untrusted, header, header.number)

    return cut
