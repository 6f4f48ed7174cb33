"""Films and sounds as they are seen and heard: frames, a small clip, samples.  ffmpeg in the jail.

Rule: frames come out as pixels and sounds as samples, and what is shown is written from them here.
The clip is coded in the jail (VP8 and Opus), and read as a stranger's film: our own cleaner of
WebM takes it apart and lays it down anew, or there is none.
"""

import re
import struct
from collections.abc import Iterator, Sequence

from sanitizer.clean import sanitize
from sanitizer.errors import Empty, Malformed, Unsupported
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits, MiB
from sanitizer.sight import faststart
from sanitizer.sight.order import CHANNELS, SIDE_MOST, Sight
from sanitizer.source import BytesSource, UntrustedSource

FRAME_WIDTH, FRAME_HEIGHT = 320, 240
COLUMNS, ROWS = 4, 5
FRAMES_MOST = COLUMNS * ROWS
CLIP_SECONDS = 300
SOUND_SECONDS = 1200
SAMPLES_A_SECOND = 16_000
_CLIP_BYTES = 48 * MiB
_KEYS_MOST = 20_000
_PICTURE_BYTES = SIDE_MOST * SIDE_MOST * CHANNELS + 64
_HEAD = re.compile(rb"P6\n(\d{1,5}) (\d{1,5})\n255\n")
# All input goes by one pipe; of what the file describes nothing is copied.
_QUIET = ("-nostdin", "-v", "quiet")
_INTO = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")


def picture(jail: Jail, source: UntrustedSource, side: int, limits: Limits) -> Sight:
    """Return a picture that ffmpeg alone reads (HEIC); raises a leaf of Refused."""
    fit = f"scale='min({side},iw)':'min({side},ih)':force_original_aspect_ratio=decrease:flags=area"
    arguments = (
        *_QUIET, "-i", "pipe:0", *_INTO, "-an", "-frames:v", "1", "-vf", fit,
        "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "pipe:1",
    )  # fmt: skip
    made = b"".join(jail.run(arguments, faststart.chunks(source), limits, _PICTURE_BYTES))
    head = _HEAD.match(made)
    if head is None:
        raise Malformed("no picture came out")
    width, height = int(head[1]), int(head[2])
    pixels = made[head.end() :]
    if not 0 < max(width, height) <= side or len(pixels) != width * height * CHANNELS:
        raise Malformed("no picture came out")
    return Sight(width, height, pixels, width, height)


def sheet(jail: Jail, source: UntrustedSource, limits: Limits) -> Sight:
    """Return frames from all over a film, side by side; raises a leaf of Refused.

    Of key frames alone: they are decoded by themselves, so that an hour is looked through soon.
    """
    box = f"{FRAME_WIDTH}:{FRAME_HEIGHT}"
    arguments = (
        *_QUIET, "-skip_frame", "nokey", "-i", "pipe:0", *_INTO, "-an",
        "-frames:v", str(_KEYS_MOST), "-fps_mode", "passthrough", "-vf",
        f"scale={box}:force_original_aspect_ratio=decrease,pad={box}:(ow-iw)/2:(oh-ih)/2,setsar=1",
        "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1",
    )  # fmt: skip
    size = FRAME_WIDTH * FRAME_HEIGHT * CHANNELS
    frames = _thinned(_frames(jail.run(arguments, faststart.chunks(source), limits,
                                       _KEYS_MOST * size), size))  # fmt: skip
    if not frames:
        raise Empty("a film without a frame")
    return _tiled(frames)


def clip(jail: Jail, source: UntrustedSource, limits: Limits) -> bytes:
    """Return the beginning of a film, small, as a WebM; raises a leaf of Refused."""
    arguments = (
        *_QUIET, "-i", "pipe:0", *_INTO, "-t", str(CLIP_SECONDS), "-vf",
        "fps=12,scale=426:320:force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1",
        "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "400k", "-g", "48",
        "-ac", "1", "-c:a", "libopus", "-b:a", "32k", "-fflags", "+bitexact",
        "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-f", "webm", "pipe:1",
    )  # fmt: skip
    made = b"".join(jail.run(arguments, faststart.chunks(source), limits, _CLIP_BYTES))
    if not made:
        raise Empty("a film without a frame")
    clean = sanitize(BytesSource(made), limits, jail)
    if clean.media_type != "video/webm":
        raise Unsupported("no clip came out")
    return b"".join(clean.chunks())


def sound(jail: Jail, source: UntrustedSource, limits: Limits) -> bytes:
    """Return what is heard, as a WAV of one channel; raises a leaf of Refused."""
    arguments = (
        *_QUIET, "-i", "pipe:0", *_INTO, "-vn", "-t", str(SOUND_SECONDS),
        "-ac", "1", "-ar", str(SAMPLES_A_SECOND), "-f", "s16le", "pipe:1",
    )  # fmt: skip
    most = (SOUND_SECONDS + 1) * SAMPLES_A_SECOND * 2
    samples = b"".join(jail.run(arguments, faststart.chunks(source), limits, most))
    if not samples:
        raise Empty("a sound without a sample")
    return wav(samples[: len(samples) // 2 * 2])


def wav(samples: bytes) -> bytes:
    """Return samples of 16 bits, one channel, as a WAV."""
    form = struct.pack("<HHIIHH", 1, 1, SAMPLES_A_SECOND, SAMPLES_A_SECOND * 2, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples


def _frames(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]


def _thinned(frames: Iterator[bytes]) -> list[bytes]:
    """Of any number of frames as many as fit, evenly: at twice as many, every other goes."""
    kept: list[bytes] = []
    step = 1
    for number, frame in enumerate(frames):
        if number % step == 0:
            kept.append(frame)
        if len(kept) == 2 * FRAMES_MOST:
            kept = kept[::2]
            step *= 2
    return [kept[number * len(kept) // min(len(kept), FRAMES_MOST)]
            for number in range(min(len(kept), FRAMES_MOST))]  # fmt: skip


def _tiled(frames: Sequence[bytes]) -> Sight:
    columns = min(COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    line = FRAME_WIDTH * CHANNELS
    black = bytes(line * FRAME_HEIGHT)
    parts = []
    for row in range(rows):
        beside = list(frames[row * columns : (row + 1) * columns])
        beside += [black] * (columns - len(beside))
        parts += [frame[y * line : (y + 1) * line] for y in range(FRAME_HEIGHT) for frame in beside]
    width, height = columns * FRAME_WIDTH, rows * FRAME_HEIGHT
    return Sight(width, height, b"".join(parts), width, height, len(frames))
