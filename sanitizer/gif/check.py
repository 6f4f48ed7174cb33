"""Re-read a cleaned GIF and refuse it unless every byte is accounted for.

Rule: shares no code with the writer; a narrow grammar, and for each frame the proof that its code
is the one that its pixels have: decoded and coded again, it comes out the same.
"""

import struct
from typing import BinaryIO

from PIL import Image

from sanitizer.errors import MetadataSurvived

LOOP = b"\x0bNETSCAPE2.0\3\1"
"""The one application's block that may stand in a result: how often it loops."""


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a GIF as we write them."""
    head = file.read(13)
    if len(head) != 13 or head[:6] != b"GIF89a" or head[10] & 0x78 != 0x70 or head[12]:  # noqa: PLR2004 - the screen
        raise MetadataSurvived("the result does not begin like a GIF")
    colours = _skip_table(file, head[10])
    if head[11] >= max(colours, 1):
        raise MetadataSurvived("a background that is no colour")
    width, height = struct.unpack_from("<HH", head, 6)
    mark = file.read(2)
    if mark == b"!\xff":
        if file.read(len(LOOP)) != LOOP or file.read(3)[2:] != b"\0":
            raise MetadataSurvived("an application's block in the result")
        mark = file.read(2)
    while True:
        if mark == b"!\xf9":
            _control(file.read(6))
            mark = file.read(2)
        if mark[:1] != b",":
            raise MetadataSurvived("a block of the result is no image")
        _image(mark[1:] + file.read(8), file, width, height)
        mark = file.read(2)
        if mark == b";":
            break


def _control(block: bytes) -> None:
    # The length, flags, two bytes of delay, a colour, the empty block.
    if len(block) != 6 or block[0] != 4 or block[5]:  # noqa: PLR2004 - as said
        raise MetadataSurvived("an extension that should be gone")
    if block[1] & 0xF2 or (not block[1] & 1 and block[4]) or not any(block[1:4]):
        raise MetadataSurvived("a control block says too much")


def _skip_table(file: BinaryIO, flags: int) -> int:
    if not flags & 0x80:
        if flags & 7:
            raise MetadataSurvived("the size of a table that is not there")
        return 0
    size = 3 * (2 << (flags & 7))
    if len(file.read(size)) != size:
        raise MetadataSurvived("the result ends inside its colours")
    return size // 3


def _image(descriptor: bytes, file: BinaryIO, width: int, height: int) -> None:
    if len(descriptor) != 9 or descriptor[8] & 0x78:  # noqa: PLR2004 - its length
        raise MetadataSurvived("an image of the result says too much")
    left, top, across, down = struct.unpack_from("<HHHH", descriptor)
    if left + across > width or top + down > height or not across * down:
        raise MetadataSurvived("an image of the result lies outside")
    _skip_table(file, descriptor[8])
    bits = file.read(1)
    code, last = bytearray(), 255
    while length := file.read(1)[:1].lstrip(b"\0"):
        block = file.read(length[0])
        if last != 255 or len(block) != length[0]:  # noqa: PLR2004 - a full block
            raise MetadataSurvived("an image of the result is cut where it should not be")
        last = length[0]
        code += length + block
    try:
        size = (across, down)
        image = Image.frombytes("L", size, bytes(code) + b"\0", "gif", bits[0], 0, -1)
    except (ValueError, IndexError):
        raise MetadataSurvived("an image of the result cannot be read again") from None
    again = image.tobytes("gif", "L", bits[0], 0)
    if again != bytes(code):
        raise MetadataSurvived("the code of an image is not the one that its pixels have")
