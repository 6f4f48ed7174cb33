"""Walk the coded frames of a result by their codec: no unit in them may carry a message.

Rule: shares no code with what stripped them.
"""

from collections.abc import Callable
from functools import partial

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import (
    check,
    jpeg_check,
    mpeg2_check,
    mpeg4_check,
    packets_check,
    prores_check,
)
from sanitizer.mp4.check_entries import Description
from sanitizer.sound.flac import check_frame as flac_check
from sanitizer.sound.mp3.check import Mp3Checker
from sanitizer.sound.ogg.check_packets import OpusSounds

_PRORES = (b"apco", b"apcs", b"apcn", b"apch", b"ap4h", b"ap4x")
_AAC, _MPEG4 = 0x40, 0x20
_FLAC_HEADER = 16


class Walk:
    """Takes the frames of one track in their order; raises MetadataSurvived."""

    def __init__(self, look: Callable[[bytes, int, int], object]) -> None:
        """``look`` takes a buffer, and where a frame in it begins and ends."""
        self.look = look

    def finish(self) -> None:
        """Judge what only the last frame tells."""


class _Mp3(Walk):
    """Frames of MP3, which reach into one another."""

    def __init__(self) -> None:
        self._checker = Mp3Checker()
        super().__init__(_alone(self._checker.feed))

    def finish(self) -> None:
        self._checker.finish()


def _alone(look: Callable[[bytes], object]) -> Callable[[bytes, int, int], object]:
    """Return a look into a buffer out of a look at a frame alone."""
    return lambda made, at, end: look(made[at:end])


def walk_of(description: Description) -> Walk | None:
    """Return what walks the frames of a track, or None where there is nothing to walk."""
    codec, coded = description.codec, description.object_type
    if codec in {b"avc1", b"avc3"}:
        return Walk(partial(check.avc_units, description.nal_length))
    if codec in {b"hvc1", b"hev1"}:
        return Walk(partial(check.hevc_units, description.nal_length))
    if codec == b".mp3" or (codec == b"mp4a" and coded != _AAC):
        return _Mp3()
    if codec == b"mp4v":
        return Walk(_alone(_mpeg4() if coded == _MPEG4 else mpeg2_check.check))
    if codec == b"Opus":
        return Walk(_alone(OpusSounds(description.opus_head).sound))
    return Walk(_alone(_BY_CODEC[codec])) if codec in _BY_CODEC else None


def check_frame(description: Description, frame: bytes) -> None:
    """Walk one frame alone; raises MetadataSurvived."""
    walk = walk_of(description)
    if walk is not None:
        walk.look(frame, 0, len(frame))


def _mpeg4() -> Callable[[bytes], object]:
    return mpeg4_check.Mpeg4Checker().check


def _flac(frame: bytes) -> None:
    if flac_check.header(frame[:_FLAC_HEADER]) is None or not flac_check.is_whole(frame):
        raise MetadataSurvived("a message inside a packet of sound")


_BY_CODEC: dict[bytes, Callable[[bytes], None]] = {
    b"av01": check.av1,
    b"mp4a": check.aac,
    b"jpeg": jpeg_check.check,
    b"samr": packets_check.amr_narrow,
    b"sawb": packets_check.amr_wide,
    b"alac": packets_check.alac,
    b"fLaC": _flac,
    **dict.fromkeys(_PRORES, prores_check.check),
}
