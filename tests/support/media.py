"""Builders of realistic media with a canary in every place that a phone leaves metadata.

Nothing here comes from anybody's camera: pictures are drawn, sounds are tones, and the places
named are a public square.
"""

import functools
import io
import struct
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
import piexif
from PIL import Image

from tests.support import boxes

GPS_TEXT = b"+33.5731-007.5898/"
"""The position planted as text in videos (ISO 6709)."""
_GPS = {
    piexif.GPSIFD.GPSLatitudeRef: b"N",
    piexif.GPSIFD.GPSLatitude: ((33, 1), (34, 1), (2316, 100)),
    piexif.GPSIFD.GPSLongitudeRef: b"W",
    piexif.GPSIFD.GPSLongitude: ((7, 1), (35, 1), (2328, 100)),
    piexif.GPSIFD.GPSDateStamp: b"2026:01:02",
}


def drawing(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture with slopes and edges, the same on every run."""
    slope = Image.linear_gradient("L").resize((width, height))
    round_ = Image.radial_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (slope, round_, slope.transpose(Image.Transpose.ROTATE_180)))
    picture.paste((200, 30, 40), (width // 8, height // 8, width // 3, height // 2))
    return picture.convert(mode)


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def xmp_packet(canary: bytes) -> bytes:
    """Return an XMP packet that names a place."""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="33,34.38N" '
        b'exif:UserComment="' + canary + b'"/></rdf:RDF></x:xmpmeta>'
    )


def phone_exif(canary: bytes, *, orientation: int = 6) -> bytes:
    """Return ``Exif``, two zeros and a TIFF block with a canary in each IFD, and a thumbnail."""
    thumbnail = io.BytesIO()
    drawing(96, 64).save(thumbnail, "JPEG", comment=canary)
    block: bytes = piexif.dump(
        {
            "0th": {
                piexif.ImageIFD.Make: b"Rehearsal",
                piexif.ImageIFD.Model: b"Phone " + canary,
                piexif.ImageIFD.Orientation: orientation,
                piexif.ImageIFD.Software: b"Camera " + canary,
                piexif.ImageIFD.DateTime: b"2026:01:02 03:04:05",
                piexif.ImageIFD.Artist: canary,
            },
            "Exif": {
                piexif.ExifIFD.DateTimeOriginal: b"2026:01:02 03:04:05",
                piexif.ExifIFD.BodySerialNumber: canary,
                piexif.ExifIFD.MakerNote: b"Rehearsal\0" + canary,
                piexif.ExifIFD.UserComment: b"ASCII\0\0\0" + canary,
            },
            "GPS": {**_GPS, piexif.GPSIFD.GPSProcessingMethod: b"ASCII\0\0\0" + canary},
            "1st": {piexif.ImageIFD.Make: canary},
            "thumbnail": thumbnail.getvalue(),
        }
    )
    return block


def phone_photo(
    canary: bytes, *, width: int = 640, height: int = 480, orientation: int = 6, **save: object
) -> bytes:
    """Return a JPEG as a phone makes it: EXIF with GPS, thumbnail, XMP, maker note, comment.

    ``canary`` (ASCII, at most 60 bytes) stands raw in each of them, in an unknown segment and
    behind the end. ``orientation`` is the EXIF one; ``save`` goes to Pillow's JPEG writer.
    """
    made = io.BytesIO()
    options = {"quality": 85, **save}
    drawing(width, height).save(made, "JPEG", **options)
    picture = made.getvalue()
    head = (
        _segment(0xE1, phone_exif(canary, orientation=orientation))
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp_packet(canary))
        + _segment(0xE4, b"SAMS" + canary)
        + _segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x78" + canary)
        + _segment(0xFE, canary)
    )
    return picture[:2] + head + picture[2:] + b"SEFT" + canary


@functools.cache
def plain_video(seconds: int = 2, codec: str = "libx264", canary: bytes = b"") -> bytes:
    """Return a MOV of moving bars and a tone; with ``canary`` in an SEI message (libx264)."""
    message = []
    if canary and codec == "libx264":
        told = "086f3693-b7b3-4f2c-9653-21492feee5b8+" + canary.decode("ascii")
        message = ["-bsf:v", f"h264_metadata=sei_user_data={told}"]
    return run_ffmpeg(
        "-f", "lavfi", "-i", f"testsrc=size=160x120:rate=10:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}",
        "-c:v", codec, "-pix_fmt", "yuv420p", "-g", "10", "-bf", "2", "-tag:v",
        "hvc1" if codec == "libx265" else "avc1", "-c:a", "aac", *message,
    )  # fmt: skip


@functools.cache
def _heavy_video() -> bytes:
    """Return a MOV of noise, key frames alone, a few megabytes."""
    return run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=480x320:rate=10:duration=2,noise=alls=100:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p", "-g", "1",
    )  # fmt: skip


def run_ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg as a tool of the tests (no jail: its input is ours); return a MOV, index last."""
    with tempfile.TemporaryDirectory(prefix="amana-media-") as folder:
        path = Path(folder) / "made.mov"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments]
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        return path.read_bytes()


def phone_video(canary: bytes, *, seconds: int = 2, codec: str = "libx264") -> bytes:
    """Return a MOV as a phone makes it: location, SEI, rotation, moov last, a data track.

    ``canary`` (ASCII, at most 60 bytes) stands raw in the SEI message of each key frame, in the
    location, in maker and model, in the handler's name, in a timed metadata track, a free box,
    unreferenced bytes of mdat, and bytes behind the last box; ``GPS_TEXT`` is the position.
    ``codec`` is an ffmpeg encoder: ``libx264`` or ``libx265`` (whose SEI names its options).
    """
    return boxes.as_from_a_phone(plain_video(seconds, codec, canary), canary, GPS_TEXT)


def big_video(path_or_fd: Path | int, size: int) -> int:
    """Write a MOV of about ``size`` bytes, streaming in flat memory; return its exact length.

    Its frames are real ones, about 100 KB each, the same few over and over.
    """
    return boxes.write_big(_heavy_video(), path_or_fd, size)
