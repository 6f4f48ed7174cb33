"""What the tests of videos share: small films, and how to change one box of them."""

import struct
from collections.abc import Callable

from sanitizer.mp4 import entries as mp4_entries
from tests.support.boxes import box, full, split
from tests.support.media import plain_video, run_ffmpeg


def lavfi(*options: str, sound: bool = True, seconds: int = 3) -> bytes:
    tone = ["-f", "lavfi", "-i", f"sine=duration={seconds}"] if sound else []
    picture = ["-f", "lavfi", "-i", f"testsrc=size=160x120:rate=10:duration={seconds}"]
    return run_ffmpeg(*picture, *tone, "-pix_fmt", "yuv420p", *options)


KINDS: dict[str, tuple[str, ...]] = {
    "MPEG-4 and AAC": ("-c:v", "mpeg4", "-c:a", "aac"),
    "H.264 and MP3": ("-c:v", "libx264", "-c:a", "libmp3lame", "-f", "mp4"),
    "AV1 and Opus": ("-c:v", "libsvtav1", "-c:a", "libopus", "-f", "mp4"),
    "VP9 and AC-3": ("-c:v", "libvpx-vp9", "-c:a", "ac3", "-f", "mp4"),
    "H.264 and ALAC": ("-c:v", "libx264", "-c:a", "alac", "-bf", "3"),
    "H.264 and E-AC-3": ("-c:v", "libx264", "-c:a", "eac3", "-f", "mp4"),
    "H.263 and AMR": (
        "-c:v",
        "h263",
        "-s",
        "176x144",
        "-ar",
        "8000",
        "-c:a",
        "libopencore_amrnb",
        "-f",
        "3gp",
    ),
    "fragments": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "fragments with edits": (
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-g",
        "10",
        "-movflags",
        "frag_keyframe+delay_moov",
    ),
    "fragments of DASH": (
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-g",
        "10",
        "-movflags",
        "dash+delay_moov",
        "-f",
        "mp4",
    ),
    "fragments with places of their own": (
        "-c:v",
        "libx264",
        "-g",
        "10",
        "-movflags",
        "frag_keyframe",
    ),
    "index first": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "faststart"),
    "colours and aspect": (
        "-c:v",
        "libx264",
        "-aspect",
        "2:1",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-movflags",
        "write_colr",
    ),
    "other colours": (
        "-c:v",
        "libx264",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-movflags",
        "write_colr",
        "-f",
        "mp4",
    ),
    "HEVC of ten bits": (
        "-c:v",
        "libx265",
        "-pix_fmt",
        "yuv420p10le",
        "-tag:v",
        "hvc1",
        "-color_trc",
        "smpte2084",
    ),
    "MPEG-2": ("-c:v", "mpeg2video", "-g", "5", "-timecode", "13:37:42:03", "-f", "mp4"),
    "Motion JPEG and 16 bits": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"),
    "ProRes and 24 bits": ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"),
    "ProRes with alpha": (
        "-c:v",
        "prores_ks",
        "-profile:v",
        "4",
        "-pix_fmt",
        "yuva444p10le",
        "-c:a",
        "pcm_f32be",
    ),
    "ProRes of two fields": ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-flags", "+ildct"),
}
SOUNDS: dict[str, tuple[str, ...]] = {
    "AAC": ("-c:a", "aac", "-f", "ipod"),
    "AAC of six channels": ("-ac", "6", "-c:a", "aac", "-f", "mp4"),
    "ALAC": ("-c:a", "alac", "-f", "ipod"),
    "FLAC": ("-c:a", "flac", "-f", "mp4"),
    "Opus of six channels": ("-ac", "6", "-c:a", "libopus", "-f", "mp4"),
    "AC-3": ("-c:a", "ac3", "-f", "mp4"),
    "AMR": ("-ar", "8000", "-c:a", "libopencore_amrnb", "-f", "3gp"),
    "IMA ADPCM": ("-c:a", "adpcm_ima_qt", "-ac", "2"),
    "96 kHz": ("-c:a", "pcm_s24le", "-ar", "96000"),
    "integers in MP4": ("-c:a", "pcm_s24be", "-f", "mp4"),
    "floats in MP4": ("-c:a", "pcm_f32le", "-f", "mp4"),
    **{
        name: ("-c:a", name, "-ac", "2")
        for name in (
            "pcm_u8",
            "pcm_s8",
            "pcm_s16be",
            "pcm_s32le",
            "pcm_f64be",
            "pcm_mulaw",
            "pcm_alaw",
        )
    },
}


def sounding(*options: str, seconds: int = 1) -> bytes:
    """Return a file of a tone alone."""
    return run_ffmpeg("-f", "lavfi", "-i", f"sine=duration={seconds}", *options)


PLAIN = plain_video()


def edited(change: Callable[[bytes], bytes], *path: bytes) -> bytes:
    """Return the plain video with one box's content changed (index last, so places hold)."""
    *outer, kind = path
    made = b""
    for name, content in split(PLAIN):
        made += (
            box(name, _edit(content, change, outer[1:], kind))
            if name == b"moov"
            else box(name, content)
        )
    return made


def _edit(data: bytes, change: Callable[[bytes], bytes], outer: list[bytes], kind: bytes) -> bytes:
    made, done = b"", False
    for name, content in split(data):
        if not done and ((outer and name == outer[0]) or (not outer and name == kind)):
            done = True
            new = _edit(content, change, outer[1:], kind) if outer else change(content)
            made += box(name, new)
        else:
            made += box(name, content)
    return made


STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def stsd(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">II", 0, 1) + box(kind, content or bytes(100))


def count(number: int, at: int = 4) -> Callable[[bytes], bytes]:
    return lambda d: d[:at] + struct.pack(">I", number) + d[at + 4 :]


def described(kind: bytes, content: bytes, *, is_video: bool) -> bytes:
    return mp4_entries.canonical(stsd(kind, content), is_video=is_video).data


PICTURE = bytes(24) + b"\0\x10\0\x10" + bytes(50)
SOUND = bytes(16) + b"\0\2\0\x10" + bytes(8)


def esds(object_type: int, setup: bytes, flags: int = 0, extra: bytes = b"") -> bytes:
    config = (
        bytes([4, 13 + 2 + len(setup), object_type]) + bytes(12) + bytes([5, len(setup)]) + setup
    )
    inner = b"\0\1" + bytes([flags]) + extra + config + b"\6\1\2"
    return full(b"esds", bytes([3, len(inner)]) + inner)


def nal(kind: int, body: bytes = b"\x80" * 5) -> bytes:
    return struct.pack(">I", len(body) + 1) + bytes([kind]) + body


def nal_hevc(kind: int, body: bytes = b"\1\x80" * 3) -> bytes:
    return struct.pack(">I", len(body) + 1) + bytes([kind << 1]) + body


def obu(kind: int, body: bytes = b"abc", *, extended: bool = False) -> bytes:
    return bytes([kind << 3 | 2 | 4 * extended]) + b"\0" * extended + bytes([len(body)]) + body
