"""What cleaning costs: against mat2's library, jpegtran and ffmpeg, and in bytes a second."""

from __future__ import annotations

import io
import os
import shutil
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import imageio_ffmpeg
from PIL import Image, ImageChops

from sanitizer.clean import sanitize
from sanitizer.digest import Digest
from sanitizer.limits import Limits
from sanitizer.planned import PLANNED
from sanitizer.source import FileSource
from sanitizer.workers import Here, Worker, workers
from tests.bench.measure import MIB, in_turn, row, seconds
from tests.support.media import big_video

_PHOTOS = 100
_AT_ONCE = len(os.sched_getaffinity(0))
_OCTAVES = ((9, 90), (8, 70), (7, 50), (6, 36), (5, 26), (4, 18), (3, 12), (2, 8), (1, 6), (0, 3))


def _plane(width: int, height: int) -> Image.Image:
    """Shapes of every size, the larger the stronger, as nature has them, and a sensor's noise."""
    plane = Image.new("L", (width, height), 128)
    for step, strength in _OCTAVES:
        size = (max(2, width >> step), max(2, height >> step))
        shapes = Image.effect_noise(size, strength).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        plane = ImageChops.add(plane, shapes, 1, -128)
    return plane


def picture(width: int, height: int) -> Image.Image:
    """A picture whose spectrum is a photo's: as many bytes as a phone's, at the same quality."""
    colours = [
        _plane(width // 8, height // 8)
        .resize((width, height), Image.Resampling.BICUBIC)
        .point(lambda value: 128 + (value - 128) // 4)
        for _ in "br"
    ]
    return Image.merge("YCbCr", (_plane(width, height), *colours)).convert("RGB")


def photo(width: int, height: int) -> bytes:
    """A photo of quality 90, with a position, a camera and a comment in it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    exif.get_ifd(0x8825)[2] = (33.0, 58.0, 12.0)
    out = io.BytesIO()
    picture(width, height).save(out, "JPEG", quality=90, exif=exif, comment=b"by somebody")
    return out.getvalue()


def clean(path: Path, worker: Worker | None = None, *, is_hashed: bool = False) -> None:
    """Clean a file into nowhere."""
    with FileSource(path) as source:
        chunks = sanitize(source, Limits(), worker=worker).chunks()
        for _ in Digest().through(chunks) if is_hashed else chunks:
            pass


def _many(path: Path, count: int) -> None:
    """Clean a photo many times, as the forms of two people at once would."""

    def form(number: int) -> None:
        with workers().lease() as worker:
            for _ in range(number):
                clean(path, worker)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(form, [count // _AT_ONCE] * _AT_ONCE))


def photos(folder: Path) -> None:
    """A 12-megapixel photo through the jailed workers: warm process against warm process."""
    path = folder / "photo.jpg"
    path.write_bytes(photo(4000, 3000))
    size = path.stat().st_size
    clean(path)
    _many(path, 4)
    alone = statistics.median(seconds(lambda: clean(path)) for _ in range(20))
    ours, theirs = [], []
    has_mat2 = shutil.which("mat2") is not None
    for _ in range(3):
        ours.append(seconds(lambda: _many(path, _PHOTOS)) / _PHOTOS)
        if has_mat2:
            theirs.append(_mat2(path))
    mine = statistics.median(ours)
    what = f"JPEG, 12 MP, {size / 1e6:.1f} MB, {_PHOTOS} of them, {_AT_ONCE} at a time: "
    what += f"{mine * 1e3:.1f} ms ({alone * 1e3:.1f} alone)"
    if has_mat2:
        mat2 = statistics.median(theirs)
        row(f"{what}, mat2 {mat2 * 1e3:.0f} ms", f"{mat2 / mine:.0f} x", ">= 50 x mat2's speed")
    else:
        row(what, "mat2 is not here", ">= 50 x mat2's speed")
    if shutil.which("jpegtran"):
        command = ["jpegtran", "-copy", "none", "-outfile", os.devnull, str(path)]
        a, b, ratio = in_turn(partial(clean, path), partial(subprocess.run, command, check=True), 9)
        what = (
            f"JPEG, one photo: {a * 1e3:.1f} ms, the program jpegtran -copy none {b * 1e3:.0f} ms"
        )
        row(what, f"{1 / ratio:.1f} x", ">= 1 x jpegtran's speed")


def _mat2(path: Path) -> float:
    script = str(Path(__file__).with_name("mat2_photos.py"))
    done = subprocess.run(  # Debian's Python, which has mat2's library
        ["/usr/bin/python3", script, str(path), "10"], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def rates(folder: Path) -> None:
    """Bytes a second of each main format, in one process; a long video is hashed beside."""
    screen, here = folder / "screen.png", Here(PLANNED)
    picture(2000, 1500).save(screen)
    video = folder / "short.mp4"
    big_video(video, 50 * MIB)
    for name, path in (("JPEG", folder / "photo.jpg"), ("PNG", screen), ("MP4", video)):
        clean(path, here)
        best = min(seconds(partial(clean, path, here)) for _ in range(3))
        rate = path.stat().st_size / best / 1e6
        row(
            f"{name}, {path.stat().st_size / 1e6:.0f} MB in one process", f"{rate:.0f} MB/s", "told"
        )


def videos(folder: Path) -> None:
    """500 MB of video out of the page cache into nowhere, against ffmpeg's copying."""
    path = folder / "long.mp4"
    big_video(path, 500 * MIB)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0"]
    command += [
        "-c",
        "copy",
        "-movflags",
        "frag_keyframe+empty_moov",
        "-f",
        "mp4",
        "-y",
        os.devnull,
    ]
    copy = partial(subprocess.run, command, check=True)
    ours, theirs, ratio = in_turn(partial(clean, path), copy, 3)
    size = path.stat().st_size / 1e6
    what = f"MP4, {size:.0f} MB: {size / ours:.0f} MB/s, ffmpeg -c copy {size / theirs:.0f} MB/s"
    row(what, f"{1 / ratio:.2f} x", ">= 0.5 x ffmpeg's speed")
    hashed = min(seconds(partial(clean, path, is_hashed=True)) for _ in range(3))
    row("the same, with the SHA-256 of the result beside", f"{size / hashed:.0f} MB/s", "told")
    path.unlink()
