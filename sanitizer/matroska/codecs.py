"""Which codecs are kept, how each is set up anew, and what is taken out of its frames.

Rule: an allow-list of codec ids (RFC 9559, section 11.4 and the codec registry); another codec is
refused, for a track that is lost in silence would be a lie about what was recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import annexb, jpeg, mpeg4, setup, sound, strip, vpx
from sanitizer.frames.strip import Strip
from sanitizer.matroska import sounds

AAC = b"A_AAC"
OPUS = b"A_OPUS"
WEBM = frozenset({b"V_VP8", b"V_VP9", b"V_AV1", b"A_OPUS", b"A_VORBIS"})
"""What a file may hold and still be called WebM."""
WITH_ALPHA = frozenset({b"V_VP8", b"V_VP9"})
WITH_DEPTH = (b"A_PCM/", b"A_FLAC", b"A_ALAC")
"""Codecs whose sound has a number of bits in each sample."""
_MAX_PRIVATE = 1 << 20


@dataclass(frozen=True, slots=True)
class Codec:
    """A kept codec: its id in the result, its setup of ours, what strips its frames."""

    name: bytes
    private: bytes
    strip: Strip | None


def video(name: bytes, private: bytes) -> Codec:
    """Return how a track of pictures is kept; raises Unsupported, Malformed."""
    write = PICTURES.get(name)
    if write is None:
        raise Unsupported("a codec that cannot be cleaned here")
    if len(private) > _MAX_PRIVATE:
        raise Malformed("a codec set up in an impossible way")
    return Codec(name, *write(private))


def audio(name: bytes, private: bytes, rate: int, channels: int) -> Codec:
    """Return how a track of sound is kept; raises Unsupported, Malformed."""
    if len(private) > _MAX_PRIVATE:
        raise Malformed("a codec set up in an impossible way")
    if name == AAC or name.startswith(AAC + b"/"):
        return Codec(AAC, sounds.aac_setup(name, private, rate, channels), strip.aac)
    if name not in SOUNDS:
        raise Unsupported("a codec that cannot be cleaned here")
    return Codec(name, *SOUNDS[name](private))


def _avc(private: bytes) -> tuple[bytes, Strip]:
    """Keep the sets of parameters; without any, the frames bring them, led by start codes."""
    if not private:
        return b"", annexb.avc
    if len(private) < 7 or private[0] != 1:  # noqa: PLR2004 - without a set
        raise Unsupported("pictures without a setup")
    return setup.avc(private), strip.avc((private[4] & 3) + 1, private)


def _hevc(private: bytes) -> tuple[bytes, Strip]:
    if len(private) < 23:  # noqa: PLR2004 - without a set
        raise Unsupported("pictures without a setup")
    return setup.hevc(private), strip.hevc((private[21] & 3) + 1)


def _av1(private: bytes) -> tuple[bytes, Strip]:
    if len(private) < 4 or private[0] != 0x81:  # noqa: PLR2004 - marker and version
        raise Unsupported("pictures without a setup")
    return setup.av1(private), strip.av1


def _vp9(private: bytes) -> tuple[bytes, Strip]:
    """Keep profile, level, depth and subsampling: four pairs of an id and one byte."""
    told: dict[int, int] = {}
    at = 0
    while at + 2 < len(private):
        if 1 <= private[at] <= 4 and private[at + 1] == 1:  # noqa: PLR2004 - four numbers
            told[private[at]] = private[at + 2]
        at += 2 + private[at + 1]
    return b"".join(bytes([key, 1, told[key]]) for key in sorted(told)), vpx.vp9


PICTURES: dict[bytes, Callable[[bytes], tuple[bytes, Strip]]] = {
    b"V_VP8": lambda _: (b"", vpx.vp8),
    b"V_VP9": _vp9,
    b"V_AV1": _av1,
    b"V_MPEG4/ISO/AVC": _avc,
    b"V_MPEGH/ISO/HEVC": _hevc,
    b"V_MPEG4/ISO/ASP": lambda private: (mpeg4.strip(private), mpeg4.Pictures().strip),
    b"V_MJPEG": lambda _: (b"", jpeg.Frames().strip),
}
"""Codecs of pictures that stay: how each is set up anew, and what strips its frames."""
SOUNDS: dict[bytes, Callable[[bytes], tuple[bytes, Strip | None]]] = {
    OPUS: sounds.opus_track,
    b"A_VORBIS": sounds.vorbis_track,
    b"A_FLAC": sounds.flac_track,
    b"A_ALAC": sounds.alac_track,
    **dict.fromkeys((b"A_AC3", b"A_EAC3"), lambda _: (b"", sound.ac3)),
    **dict.fromkeys((b"A_MPEG/L1", b"A_MPEG/L2", b"A_MPEG/L3"), lambda _: (b"", sound.mpeg)),
    **dict.fromkeys(
        (b"A_PCM/INT/LIT", b"A_PCM/INT/BIG", b"A_PCM/FLOAT/IEEE"), lambda _: (b"", None)
    ),
}
"""The same for sound."""
