"""Media that a gateway would have let through, hostile ones, and what tests of looking share."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import TYPE_CHECKING

import pikepdf
from PIL import Image

from desk.pages.door import Bind
from tests.support.media import drawing, phone_video
from tests.support.sounds import made

if TYPE_CHECKING:
    from collections.abc import Sequence

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}
FORM = {**OURS, "Origin": "http://127.0.0.1:8002", "Sec-Fetch-Site": "same-origin"}


def picture(kind: str = "JPEG", size: tuple[int, int] = (400, 300), mode: str = "RGB") -> bytes:
    """A drawn picture."""
    held = io.BytesIO()
    drawing(*size, mode).save(held, kind)
    return held.getvalue()


@functools.cache
def film() -> bytes:
    """Two seconds of bars and a tone, as a MOV with its index behind its frames."""
    return phone_video(b"CANARY")


@functools.cache
def tone() -> bytes:
    """A second of a tone."""
    return made("mp3", "sine=frequency=440:duration=1", "-c:a", "libmp3lame")


def document(pages: Sequence[str] = ("Hello",), size: tuple[float, float] = (300, 400)) -> bytes:
    """A PDF with a line of text and a red square on each page."""
    pdf = pikepdf.new()
    for text in pages:
        page = pdf.add_blank_page(page_size=size)
        page.Contents = pdf.make_stream(
            b"BT /F1 24 Tf 40 300 Td (" + text.encode() + b") Tj ET 1 0 0 rg 50 50 100 100 re f"
        )
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    held = io.BytesIO()
    pdf.save(held)
    return held.getvalue()


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG that says it is enormous, of few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1 << 20), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def opened(png: bytes) -> Image.Image:
    """Read a preview as another program does."""
    return Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")
