"""What hides in frames of VP8 and VP9, beside their pictures.

Rule: bytes that a decoder steps over go; a frame that is none of its codec is malformed. What
stands inside entropy-coded data cannot be told from a picture without decoding it.
"""

from sanitizer.errors import Malformed
from sanitizer.numbers import unpack

_VP8_KEY = b"\x9d\x01\x2a"
_HIGHEST_PROFILE = 3


def vp8(untrusted: bytes) -> bytes:
    """Return a frame of VP8 (RFC 6386, section 9.1) once its first bytes are those of one."""
    if len(untrusted) < 3:  # noqa: PLR2004 - the frame tag
        raise Malformed("a picture whose parts do not add up")
    tag = int.from_bytes(untrusted[:3], "little")
    is_key = not tag & 1
    if (is_key and untrusted[3:6] != _VP8_KEY) or tag >> 5 > len(untrusted) - 3:
        raise Malformed("a picture whose parts do not add up")
    return untrusted


def vp9(untrusted: bytes) -> bytes:
    """Return a frame of VP9 without bytes that belong to no picture.

    A superframe (VP9 bitstream, annex B) ends in an index of its frames' lengths; what stands
    between them and the index, and behind a frame that repeats an old one, goes.
    """
    last = untrusted[-1]
    count, width = (last & 7) + 1, (last >> 3 & 3) + 1
    length = 2 + count * width
    if last & 0xE0 != 0xC0 or untrusted[-length:][:1] != untrusted[-1:] or length > len(untrusted):  # noqa: PLR2004 - the marker
        return _one(untrusted)
    index = untrusted[-length + 1 : -1]
    frames, at = [], 0
    for place in range(0, len(index), width):
        size = int.from_bytes(index[place : place + width], "little")
        frames.append(_one(untrusted[at : at + size]))
        at += size
        if at > len(untrusted) - length:
            raise Malformed("a picture whose parts do not add up")
    sizes = b"".join(len(frame).to_bytes(width, "little") for frame in frames)
    return b"".join([*frames, untrusted[-1:], sizes, untrusted[-1:]])


def _one(untrusted: bytes) -> bytes:
    if not untrusted or untrusted[0] >> 6 != 2:  # noqa: PLR2004 - the marker of a frame
        raise Malformed("a picture whose parts do not add up")
    head = untrusted[0]
    if head >> 4 & 3 == _HIGHEST_PROFILE:
        # One reserved bit comes first, and the frame's number ends in the next byte.
        return bytes([head, unpack("B", untrusted, 1)[0] & 0x80]) if head & 4 else untrusted
    return untrusted[:1] if head & 8 else untrusted
