"""How moving pictures are coded: the BITMAPINFO of a video stream in an AVI.

Rule (Microsoft, BITMAPINFOHEADER; VFW's list of four letters): an allow-list of codecs, a header
of ours, a palette of exact length, and what takes the messages out of the codec's frames.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import Malformed, TooManyPixels, Unsupported
from sanitizer.frames import annexb, mpeg4
from sanitizer.frames.jpeg import Frames
from sanitizer.limits import Limits

Strip = Callable[[bytes], bytes]
_HEADER = 40
_MAX_SETUP = 4096
MPEG4 = {
    **dict.fromkeys((b"XVID", b"xvid"), b"XVID"),
    **dict.fromkeys((b"DIVX", b"divx"), b"DIVX"),
    **dict.fromkeys((b"DX50", b"dx50"), b"DX50"),
    **dict.fromkeys((b"FMP4", b"fmp4", b"MP4V", b"mp4v", b"M4S2", b"m4s2"), b"FMP4"),
}
"""Names of MPEG-4, and the one that each becomes."""
OTHERS = {
    **dict.fromkeys((b"MJPG", b"mjpg", b"JPEG", b"jpeg"), b"MJPG"),
    **dict.fromkeys((b"H264", b"h264", b"X264", b"x264", b"avc1", b"AVC1"), b"H264"),
    **dict.fromkeys((b"HEVC", b"hevc", b"H265", b"h265"), b"HEVC"),
    **dict.fromkeys((b"\0\0\0\0", b"DIB ", b"RGB ", b"raw "), b"\0\0\0\0"),
}
"""Names of other codecs, and the one that each becomes."""
PLANES = {
    b"YUY2": (16, 2, 1),
    b"YUYV": (16, 2, 1),
    b"YVYU": (16, 2, 1),
    b"UYVY": (16, 2, 1),
    b"I420": (12, 2, 2),
    b"IYUV": (12, 2, 2),
    b"YV12": (12, 2, 2),
    b"NV12": (12, 2, 2),
    b"Y800": (8, 1, 1),
    b"GREY": (8, 1, 1),
}
"""Names of planes without compression: bits a pixel, and by how much colours are coarser."""
_RGB_BITS = {8, 16, 24, 32}


@dataclass(frozen=True, slots=True)
class Picture:
    """A video stream's coding: four letters and a header of ours, and how to clean a frame.

    ``strip`` is None where a frame is numbers alone; ``is_key`` is None where every frame is one.
    """

    codec: bytes
    width: int
    height: int
    header: bytes
    strip: Strip | None
    is_key: Callable[[bytes], bool] | None = None


def parse(untrusted: bytes, first: bytes, limits: Limits) -> Picture:
    """Parse a BITMAPINFO; ``first`` is the stream's first frame, where encoders sign.

    Raises Malformed, TooManyPixels, or Unsupported for a codec that is not on the list.
    """
    if len(untrusted) < _HEADER:
        raise Malformed("a description of pictures is too short")
    _, width, height, _, bits, codec = struct.unpack_from("<IiiHH4s", untrusted)
    lines = abs(height)
    if width <= 0 or lines == 0:
        raise Malformed("a video without a size")
    if max(width, lines) > limits.image_side:
        raise TooManyPixels("more pixels than the limit")
    if codec in MPEG4:
        return _mpeg4(untrusted, first, width, lines)
    if codec in PLANES:
        return _planes(codec, width, lines)
    name = OTHERS.get(codec)
    if name == bytes(4):
        return _rgb(untrusted, width, height, bits)
    strips: dict[bytes, tuple[Strip, Callable[[bytes], bool] | None]] = {
        b"MJPG": (Frames(lines).strip, None),
        b"H264": (annexb.avc, annexb.avc_is_key),
        b"HEVC": (annexb.hevc, annexb.hevc_is_key),
    }
    if name is None:
        raise Unsupported("a codec that cannot be cleaned here")
    strip, is_key = strips[name]
    return Picture(
        name, width, lines, _header(name, (width, lines), 3 * width * lines), strip, is_key
    )


def _header(
    codec: bytes, shape: tuple[int, int], size: int, bits: int = 24, extra: bytes = b""
) -> bytes:
    """Return a header of ours; ``size`` is how many bytes a picture takes."""
    numbers = (_HEADER + len(extra), *shape, 1, bits, codec, size & 0xFFFFFFFF)
    return struct.pack("<IiiHH4sI16x", *numbers) + extra


def _mpeg4(untrusted: bytes, first: bytes, width: int, height: int) -> Picture:
    setup = untrusted[_HEADER:_MAX_SETUP]
    name = MPEG4[untrusted[16:20]]
    signed = mpeg4.signature(setup) or mpeg4.signature(first)
    if signed == b"":
        # Another encoder's stream under these letters would be read with Xvid's first mistakes.
        name = b"FMP4"
    extra = mpeg4.strip(setup)
    # What stands before the first unit, or is none, belongs to no decoder.
    extra = extra[extra.index(b"\0\0\1") :] if b"\0\0\1" in extra else b""
    header = _header(name, (width, height), 3 * width * height, 24, extra)
    return Picture(name, width, height, header, mpeg4.Pictures().strip, mpeg4.is_key)


def _planes(codec: bytes, width: int, height: int) -> Picture:
    bits, across, down = PLANES[codec]
    luma = width * height
    chroma = -(-width // across) * -(-height // down)
    whole = {8: luma, 12: luma + 2 * chroma, 16: 4 * chroma}[bits]
    header = _header(codec, (width, height), whole, bits)
    return Picture(codec, width, height, header, _exactly(whole))


def _exactly(whole: int) -> Strip:
    """Return what lets a frame through that is as long as its pixels, or empty."""

    def strip(untrusted: bytes) -> bytes:
        if len(untrusted) not in {0, whole}:
            raise Malformed("a picture of another length than its pixels")
        return untrusted

    return strip


def _rgb(untrusted: bytes, width: int, height: int, bits: int) -> Picture:
    if bits not in _RGB_BITS:
        raise Unsupported("a codec that cannot be cleaned here")
    row = width * bits // 8
    stride = -(-row // 4) * 4
    exactly = _exactly(stride * abs(height))
    gap = bytes(stride - row)

    def strip(untrusted: bytes) -> bytes:
        exactly(untrusted)
        if not gap:
            return untrusted
        # Rows are filled up to four bytes; what fills them is never seen.
        rows = (untrusted[at : at + row] for at in range(0, len(untrusted), stride))
        return b"".join(part + gap for part in rows)

    palette = b""
    if bits == 8:  # noqa: PLR2004 - the only depth with a palette
        (colours,) = struct.unpack_from("<I", untrusted, 32)
        colours = colours if 0 < colours <= 256 else 256  # noqa: PLR2004 - a byte's values
        told = untrusted[_HEADER : _HEADER + 4 * colours].ljust(4 * colours, b"\0")
        palette = b"".join(told[at : at + 3] + b"\0" for at in range(0, len(told), 4))
    # A palette is no part of the header's own length.
    header = bytearray(_header(bytes(4), (width, height), stride * abs(height), bits) + palette)
    struct.pack_into("<I", header, 32, len(palette) // 4)
    return Picture(bytes(4), width, abs(height), bytes(header), strip)
