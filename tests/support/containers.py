"""Sound and video in any container that ffmpeg writes, and RIFF chunks by hand."""

import functools
import struct
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg

PICTURE = "testsrc=size=64x48:rate=10:duration=1"
TONE = "sine=frequency=440:duration=1"


@functools.cache
def recorded(container: str, *arguments: str, picture: str = PICTURE, tone: str = TONE) -> bytes:
    """Return what ffmpeg makes of bars and a tone (empty: left out) in a container."""
    inputs = [
        part for source in (picture, tone) if source for part in ("-f", "lavfi", "-i", source)
    ]
    with tempfile.TemporaryDirectory(prefix="amana-media-") as folder:
        path = Path(folder) / "made"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *inputs, *arguments]
        subprocess.run([*command, "-f", container, str(path)], check=True, capture_output=True)
        return path.read_bytes()


def chunk(kind: bytes, data: bytes, order: str = "<") -> bytes:
    """Return a RIFF chunk, or with ``>`` an IFF chunk."""
    return kind + struct.pack(order + "I", len(data)) + data + bytes(len(data) & 1)


def listed(kind: bytes, *parts: bytes) -> bytes:
    """Return a LIST of chunks."""
    return chunk(b"LIST", kind + b"".join(parts))


def split(data: bytes, at: int = 12, order: str = "<") -> list[tuple[bytes, bytes]]:
    """Return (letters, data) of the chunks from ``at`` on."""
    found = []
    while at + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found
