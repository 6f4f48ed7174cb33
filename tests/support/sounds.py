"""Sounds as recorders and shops make them, and the tags that are hung on them.

Everything is made by ffmpeg from tones and noise; nothing comes from anybody's microphone.
"""

import functools
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg

STEREO = "aevalsrc=0.3*sin(440*t*6)+0.1*random(0)|0.2*sin(3*t*t):d={}"
"""A tone with noise at the left, a rising one at the right; the seconds are to be filled in."""
MONO = "aevalsrc=0.3*sin(440*t*6)+0.1*random(0):d={}"
"""The left one alone."""


@functools.cache
def made(suffix: str, source: str, *arguments: str) -> bytes:
    """Return a file of ``suffix`` that ffmpeg makes of a lavfi ``source``."""
    with tempfile.TemporaryDirectory(prefix="amana-sounds-") as folder:
        path = Path(folder) / f"made.{suffix}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-f", "lavfi"]
        subprocess.run(
            [*command, "-i", source, *arguments, str(path)], check=True, capture_output=True
        )
        return path.read_bytes()


def id3v2(canary: bytes, *, kind: bytes = b"TXXX", padding: int = 0) -> bytes:
    """Return an ID3v2.3 tag with one text frame."""
    text = b"\0name\0" + canary
    body = kind + struct.pack(">IH", len(text), 0) + text + bytes(padding)
    size = len(body)
    return b"ID3\3\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + body


def id3v1(canary: bytes) -> bytes:
    """Return an ID3v1 tag."""
    return b"TAG" + canary.ljust(125, b"\0")


def ape(canary: bytes) -> bytes:
    """Return an APEv2 tag with a header and a footer."""
    item = struct.pack("<II", len(canary), 0) + b"Artist\0" + canary
    ends = [
        struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, flags)
        for flags in (0xA0000000, 0x80000000)
    ]
    return ends[0] + item + ends[1]


def lyrics3(canary: bytes) -> bytes:
    """Return a Lyrics3v2 block."""
    body = b"LYRICSBEGIN" + b"LYR%05d" % len(canary) + canary
    return body + b"%06dLYRICS200" % len(body)


class Page(NamedTuple):
    """An Ogg page; bodies are cut into packets by ``lacing``."""

    flags: int
    granule: int
    serial: int
    sequence: int
    lacing: bytes
    body: bytes

    def to_bytes(self) -> bytes:
        """Return the page with the right checksum, computed bit by bit."""
        head = struct.pack("<4sBBqIII", b"OggS", 0, *self[:4], 0)
        page = head + bytes([len(self.lacing)]) + self.lacing + self.body
        value = 0
        for byte in page:
            value ^= byte << 24
            for _ in range(8):
                value = value << 1 ^ (0x104C11DB7 if value & 0x80000000 else 0)
        return page[:22] + struct.pack("<I", value) + page[26:]


def pages(data: bytes) -> list[Page]:
    """Cut an Ogg file into its pages."""
    found, at = [], 0
    while at < len(data):
        _, _, flags, granule, serial, sequence, _, count = struct.unpack_from(
            "<4sBBqIIIB", data, at
        )
        lacing = data[at + 27 : at + 27 + count]
        body = at + 27 + count
        at = body + sum(lacing)
        found.append(Page(flags, granule, serial, sequence, lacing, data[body:at]))
    return found


def page(flags: int, granule: int, serial: int, sequence: int, *packets: bytes) -> Page:
    """Return a page of whole packets, of less than 64 KB in all."""
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    return Page(flags, granule, serial, sequence, lacing, b"".join(packets))


def packets(page: Page) -> list[bytes]:
    """Return the packets that lie wholly on a page."""
    found, at, size = [], 0, 0
    for value in page.lacing:
        size += value
        if value < 255:
            found.append(page.body[at : at + size])
            at, size = at + size, 0
    return found


def joined(all_pages: list[Page]) -> bytes:
    """Return an Ogg file of these pages."""
    return b"".join(each.to_bytes() for each in all_pages)
