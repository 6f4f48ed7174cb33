"""The pixels of one frame: out of the source's code, and into one of ours.

Rule (GIF89a, appendix F): Pillow's decoder turns the code into colour numbers, Pillow's encoder
turns them back. Nothing of the source's code is kept: not its choice of strings, which could say
something, nor what follows the last pixel or the end code. It must decode to the same numbers.
"""

from dataclasses import dataclass

from PIL import Image

from sanitizer.errors import Malformed, MetadataSurvived
from sanitizer.gif.blocks import chained

# Coding a picture would import what this does, and a jailed worker can import nothing any more.
Image.preinit()
_CODE_BITS = range(1, 9)
# The end code and the last string before it take less than this.
_END = 8


@dataclass(frozen=True, slots=True)
class Pixels:
    """One frame's code, canonical: the size of its first codes, a chain, the colours in it."""

    bits: int
    chain: bytes
    used: frozenset[int]
    had_more: bool


def recode(size: tuple[int, int], bits: int, untrusted: bytes, *, interlaced: bool) -> Pixels:
    """Decode a frame's code and code it anew, top to bottom; raises Malformed."""
    if bits not in _CODE_BITS:
        raise Malformed("a frame of a code that cannot be")
    try:
        image = _decoded(size, bits, chained(untrusted), interlaced=interlaced)
    except ValueError:
        raise Malformed("a frame whose data is broken or ends before it does") from None
    used = frozenset(number for number, count in enumerate(image.histogram()) if count)
    ours = max(2, max(used).bit_length())
    chain = image.tobytes("gif", "L", ours, 0) + b"\0"
    if _decoded(size, ours, chain, interlaced=False).tobytes() != image.tobytes():
        raise MetadataSurvived("the frame of the result is another one")
    # Only a code longer than ours is worth a second look.
    had_more = len(untrusted) > len(chain) and _ends_before(size, bits, untrusted, interlaced)
    return Pixels(ours, chain, used, had_more)


def _ends_before(size: tuple[int, int], bits: int, untrusted: bytes, interlaced: int) -> bool:
    """Tell whether a frame's code decodes without its last bytes."""
    try:
        _decoded(size, bits, chained(untrusted[:-_END]), interlaced=interlaced)
    except ValueError:
        return False
    return True


def _decoded(size: tuple[int, int], bits: int, chain: bytes, *, interlaced: int) -> Image.Image:
    return Image.frombytes("L", size, chain, "gif", bits, interlaced, -1)
