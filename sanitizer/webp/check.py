"""Re-read a cleaned WebP and refuse it unless every byte is accounted for.

Rule: shares no code with the writer; a narrow grammar of chunks of exact lengths, whose flags
and sizes agree. A picture from which something more is cut must not decode: so nothing stands
behind it. Then Pillow, which reads chunks with libwebp, is asked what it finds.
"""

import io
import re
from typing import BinaryIO

from PIL import Image

from sanitizer.errors import MetadataSurvived

_UPRIGHT = re.compile(rb"MM\0\*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]\0{6}")
STILL = re.compile(r"(VP8X (ICCP )?)?(ALPH VP8  |VP8  |VP8L )(EXIF )?")
"""Which chunks a still picture may have, in their order."""
MOVING = re.compile(r"VP8X (ICCP )?ANIM (ANMF )+(EXIF )?")
"""Which chunks a moving picture may have, in their order."""
_INSIDE = re.compile(r"ALPH VP8  |VP8  |VP8L ")
_BITS = {"ICCP": 0x20, "EXIF": 0x08, "ANIM": 0x02}
_ORIENTATION = 0x0112
_END = 16
_TOLD = {"loop", "background", "icc_profile", "exif", "timestamp", "duration"}


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a WebP of our narrow grammar."""
    data = file.read()
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or _number(data, 4) != len(data) - 8:
        raise MetadataSurvived("the result does not begin like a WebP, or is of another length")
    parts = _parts(memoryview(data)[12:])
    order = "".join(f"{name} " for name, _ in parts)
    if not STILL.fullmatch(order) and not MOVING.fullmatch(order):
        raise MetadataSurvived("the chunks of the result are out of order")
    canvas = _check_header(dict(parts))
    frames = 0
    for name, body in parts:
        if name == "ANMF":
            frames += 1
            _check_frame(body, canvas)
        else:
            _check_part(name, body, canvas)
    _check_with_pillow(data, max(frames, 1))


def _number(data: bytes | memoryview, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _parts(data: memoryview) -> list[tuple[str, memoryview]]:
    """Return names and contents; raises MetadataSurvived where something is left over."""
    made, at = [], 0
    while at < len(data):
        length = _number(data, at + 4)
        end = at + 8 + length
        if end + length % 2 > len(data) or any(data[end : end + length % 2]):
            raise MetadataSurvived("a chunk of the result is not filled up with zero")
        made.append((bytes(data[at : at + 4]).decode("latin-1"), data[at + 8 : end]))
        at = end + length % 2
    return made


def _check_header(parts: dict[str, memoryview]) -> tuple[int, int] | None:
    """Check the flags of a VP8X against what is there; return the canvas if one is named."""
    head = parts.get("VP8X")
    if head is None:
        return None
    flags = sum(bit for name, bit in _BITS.items() if name in parts)
    if len(head) != 10 or head[0] & ~0x10 != flags or any(head[1:4]):  # noqa: PLR2004 - its length
        raise MetadataSurvived("the header of the result says too much")
    if "ALPH" in parts and not head[0] & 0x10:
        raise MetadataSurvived("an alpha channel that the result does not name")
    return _number(head, 4, 3) + 1, _number(head, 7, 3) + 1


def _check_frame(body: memoryview, canvas: tuple[int, int] | None) -> None:
    if len(body) < 16 or body[15] & ~3 or canvas is None:  # noqa: PLR2004 - a frame's header
        raise MetadataSurvived("a frame of the result says too much")
    left, top, width, height = (_number(body, at, 3) for at in (0, 3, 6, 9))
    if 2 * left + width >= canvas[0] or 2 * top + height >= canvas[1]:
        raise MetadataSurvived("a frame of the result lies outside")
    inside = _parts(body[16:])
    if not _INSIDE.fullmatch("".join(f"{name} " for name, _ in inside)):
        raise MetadataSurvived("more than a picture in a frame of the result")
    for name, part in inside:
        _check_part(name, part, (width + 1, height + 1))


def _check_part(name: str, body: memoryview, size: tuple[int, int] | None) -> None:
    if name == "EXIF" and not _UPRIGHT.fullmatch(body):
        raise MetadataSurvived("more than an orientation in the result")
    if name == "ANIM" and (len(body) != 6 or any(body[:4])):  # noqa: PLR2004 - its length
        raise MetadataSurvived("a background in the result")
    if name == "ICCP" and (
        _number(body[:4][::-1], 0) != len(body) or any(body[24:36]) or any(body[40:68])
        or any(body[4:8]) or any(body[80:128])
    ):  # fmt: skip
        raise MetadataSurvived("a profile of the result says who made it")
    if name == "ALPH" and body[0] & 0xF0:
        raise MetadataSurvived("reserved bits of an alpha channel are set")
    if name == "VP8L":
        bits = _number(body, 1)
        told = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        if body[0] != 0x2F or bits >> 29 or told != (size or told):  # noqa: PLR2004 - signature, version
            raise MetadataSurvived("a picture of the result begins with too much")
        _check_end(b"VP8L", bytes(body[:-_END]))
    if name == "VP8 ":
        width, height = _number(body, 6, 2), _number(body, 8, 2)
        if _number(body, 3, 3) != 0x2A019D or width >> 14 or height >> 14:  # noqa: PLR2004 - never scaled
            raise MetadataSurvived("a picture of the result begins with too much")
        if body[0] & 0x19 != 0x10 or (width, height) != (size or (width, height)):  # noqa: PLR2004 - a shown key frame
            raise MetadataSurvived("a picture of the result is of another size")
        _check_ends(bytes(body))


def _check_ends(frame: bytes) -> None:
    """Check that neither the first partition of a VP8 frame nor its last can do with less."""
    first = _number(frame, 0, 3) >> 5
    if not 2 <= first <= len(frame) - 10:  # noqa: PLR2004 - what is cut, and what stands before
        raise MetadataSurvived("a picture of the result has no first partition")
    # An even length: what fills up a chunk would be read as well.
    _check_end(b"VP8 ", frame[: (len(frame) - 1) // 2 * 2])
    tag = (_number(frame, 0, 3) - (2 << 5)).to_bytes(3, "little")
    _check_end(b"VP8 ", tag + frame[3 : 8 + first] + frame[10 + first :])


def _check_end(kind: bytes, less: bytes) -> None:
    filled = less + bytes(len(less) % 2)
    chunk = b"WEBP" + kind + len(less).to_bytes(4, "little") + filled
    file = io.BytesIO(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk)
    try:
        Image.open(file, formats=("WEBP",)).load()
    except (OSError, EOFError, SyntaxError):
        return
    raise MetadataSurvived("bytes behind a picture of the result")


def _check_with_pillow(data: bytes, frames: int) -> None:
    try:
        image = Image.open(io.BytesIO(data), formats=("WEBP",))
        tags = set(image.getexif())
    except (OSError, SyntaxError, ValueError):
        raise MetadataSurvived("the result cannot be read again") from None
    if tags - {_ORIENTATION} or set(image.info) - _TOLD:
        raise MetadataSurvived("tags were found in the result")
    if getattr(image, "n_frames", 0) != frames:
        raise MetadataSurvived("a frame of the result was lost")
