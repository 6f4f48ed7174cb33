"""The clean files that the others begin as: small, whole, and the same on every run.

ffmpeg is told to be exact to the bit, so that it writes neither times nor numbers of chance.
"""

import functools
import io

from PIL import Image

from tests.support.containers import recorded
from tests.support.heif import File, Thing, coded
from tests.support.media import drawing

SIDE = (48, 32)
EXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "5", "-bf", "1")
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none:pools=none:frame-threads=1", "-g", "5")
PCM = ("-c:a", "pcm_s16le", "-ar", "8000")
AAC = ("-c:a", "aac", "-b:a", "32k", "-ar", "16000")


@functools.cache
def film(container: str, *codecs: str, sound: bool = True) -> bytes:
    """Return a second of bars, and of a tone, in a container of ffmpeg's."""
    picture = "testsrc=size=64x48:rate=5:duration=1"
    tone = "sine=frequency=440:duration=1" if sound else ""
    return recorded(container, *codecs, *EXACT, picture=picture, tone=tone)


@functools.cache
def tone(container: str, *codecs: str) -> bytes:
    """Return half a second of a tone."""
    return recorded(container, *codecs, *EXACT, picture="", tone="sine=frequency=440:duration=0.5")


def mp4() -> bytes:
    """Return an MP4 of H.264 and AAC, its index last."""
    return film("mp4", *H264, *AAC)


def hevc() -> bytes:
    """Return an MP4 of HEVC."""
    return film("mp4", *HEVC, "-tag:v", "hvc1", sound=False)


def mov() -> bytes:
    """Return a QuickTime film of H.264 and PCM."""
    return film("mov", *H264, *PCM)


def fragments() -> bytes:
    """Return a fragmented MP4."""
    return film("mp4", *H264, *AAC, "-movflags", "frag_keyframe+empty_moov+default_base_moof")


def m4a() -> bytes:
    """Return a voice memo."""
    return tone("ipod", *AAC)


def mkv() -> bytes:
    """Return a Matroska film of H.264 and AAC."""
    return film("matroska", *H264, *AAC)


def webm() -> bytes:
    """Return a WebM film of VP8 and Opus."""
    return film("webm", "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")


@functools.cache
def avi() -> bytes:
    """Return an AVI of motion JPEG and PCM; very small, for every block of it is looked at."""
    picture = "testsrc=size=16x16:rate=3:duration=1"
    codecs = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", *PCM)
    return recorded("avi", *codecs, *EXACT, picture=picture, tone="sine=frequency=440:duration=1")


def ts() -> bytes:
    """Return a transport stream of H.264 and AAC."""
    return film("mpegts", *H264, *AAC)


def m2ts() -> bytes:
    """Return a camcorder's transport stream."""
    return film("mpegts", *H264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1")


def sound(container: str) -> bytes:
    """Return a sound in a container, in its usual codec."""
    codecs = {
        "mp3": ("-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "0", "-write_xing", "0"),
        "adts": AAC,
        "opus": ("-c:a", "libopus"),
        "ogg": ("-c:a", "libvorbis"),
        "oga": ("-c:a", "flac", "-sample_fmt", "s16"),
        "flac": ("-c:a", "flac", "-sample_fmt", "s16"),
        "wav": PCM,
        "aiff": ("-c:a", "pcm_s16be", "-ar", "8000"),
        "amr": ("-c:a", "libopencore_amrnb", "-ar", "8000"),
    }[container]
    return tone(container, *codecs)


@functools.cache
def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    """Return a still picture as Pillow writes it."""
    made = io.BytesIO()
    drawing(*SIDE, mode).save(made, kind, **options)
    return made.getvalue()


@functools.cache
def moving(kind: str, frames: int = 3) -> bytes:
    """Return an animation as Pillow writes it."""
    made = io.BytesIO()
    turned = [drawing(*SIDE).rotate(40 * number) for number in range(frames)]
    turned[0].save(made, kind, save_all=True, append_images=turned[1:], duration=50, loop=2)
    return made.getvalue()


@functools.cache
def hevc_item(turn: int = 0) -> Thing:
    """Return a coded picture for a HEIC."""
    return coded(drawing(64, 64).rotate(turn))


def heic(**options: object) -> File:
    """Return a HEIC of one picture."""
    return File({1: hevc_item()}, **options)  # type: ignore[arg-type]


@functools.cache
def avif() -> bytes:
    """Return an AVIF as Pillow writes it."""
    made = io.BytesIO()
    drawing(*SIDE).save(made, "AVIF", speed=10, max_threads=1)
    return made.getvalue()


def cmyk() -> Image.Image:
    """Return a picture for printers."""
    return drawing(*SIDE).convert("CMYK")
