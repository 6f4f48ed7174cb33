"""What leads the pictures of MPEG-4 part 2, written again up to where its own syntax ends.

Rule (ISO/IEC 14496-2, 6.2.2 to 6.2.4): a unit is the bits that the standard gives a meaning, and
stuffing up to a whole byte; what speaks of an imagined decoder's buffer goes. Shapes, sprites and
layers that no camera makes are refused: their headers have room for more than a few numbers.
"""

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames.bits import Bits

DAY = 24 * 60 * 60
_ANY_SHAPE, _FINE_GRAINED = 15, 18
_BUFFER_BITS = 79
_MOVING = 2
_WITH_SIGNAL = {1, 2}
_GROUP = 3


class _Copier(Bits):
    """Reads bits and writes them again."""

    def __init__(self, untrusted: bytes) -> None:
        super().__init__(untrusted)
        self._made = 1

    def copy(self, width: int = 1) -> int:
        """Take bits and keep them."""
        value = self.take(width)
        self.put(value, width)
        return value

    def put(self, value: int, width: int = 1) -> None:
        """Keep bits of ours."""
        self._made = self._made << width | value

    def mark(self) -> None:
        """Take a marker bit, which is always one."""
        self.take(1)
        self.put(1)

    def unit(self) -> bytes:
        """Return what was kept, and stuffing: a zero, then ones."""
        self.put(0)
        while (self._made.bit_length() - 1) % 8:
            self.put(1)
        return self._made.to_bytes(self._made.bit_length() // 8 + 1, "big")[1:]


def visual_object(untrusted: bytes) -> bytes:
    """Return what says which colours a stream has (6.2.2, VisualObject)."""
    bits = _Copier(untrusted)
    bits.copy(7 * bits.copy())
    if bits.copy(4) in _WITH_SIGNAL and bits.copy():
        bits.copy(4)
        bits.copy(24 * bits.copy())
    return bits.unit()


def layer(untrusted: bytes) -> bytes:
    """Return what says how pictures are coded (6.2.3, VideoObjectLayer)."""
    bits = _Copier(untrusted)
    bits.copy()
    if bits.copy(8) == _FINE_GRAINED:
        raise Unsupported("pictures in layers")
    version = 1
    if bits.copy():
        version = bits.copy(4)
        bits.copy(3)
    if bits.copy(4) == _ANY_SHAPE:
        bits.copy(16)
    if bits.copy():
        bits.copy(3)
        bits.take(_BUFFER_BITS * bits.take(1))
        bits.put(0)
    if bits.copy(2):
        raise Unsupported("pictures that are no rectangles")
    bits.mark()
    ticks = bits.copy(16)
    bits.mark()
    if not ticks:
        raise Malformed("a video without a clock")
    bits.copy(max(1, (ticks - 1).bit_length()) * bits.copy())
    for _ in range(2):
        bits.mark()
        bits.copy(13)
    bits.mark()
    bits.copy(2)
    sprite = bits.copy(1 if version == 1 else 2)
    if sprite and (sprite != _MOVING or version == 1):
        raise Unsupported("pictures cut out of another")
    bits.copy(9 if sprite else 0)
    _numbers(bits, version)
    return bits.unit()


def _numbers(bits: _Copier, version: int) -> None:
    """Read how numbers are coded: the second half of a layer."""
    bits.copy(8 * bits.copy())
    if bits.copy():
        for _ in range(2):
            left = 64 * bits.copy()
            while left and bits.copy(8):
                left -= 1
    bits.copy(version != 1)
    if not bits.copy():
        raise Unsupported("pictures that tell their complexity")
    bits.copy()
    bits.copy(bits.copy())
    if version != 1:
        if bits.copy():
            raise Unsupported("pictures that are asked for")
        bits.copy()
    if bits.copy():
        raise Unsupported("pictures in layers")


def group(untrusted: bytes, begin: int | None) -> tuple[bytes, int]:
    """Return a group of pictures whose clock began at ``begin``, and when it says that it is.

    Times are seconds of a day (6.2.4). Pictures between two groups are placed by the difference
    of the groups' times, so a clock is set back for a whole stream and never in the middle.
    """
    bits = Bits(untrusted[:_GROUP])
    hours, minutes, _, seconds, flags = (bits.take(width) for width in (5, 6, 1, 6, 2))
    now = (hours * 60 + minutes) * 60 + seconds
    since = (now - (now if begin is None else begin)) % DAY
    code = since // 3600 << 13 | since // 60 % 60 << 7 | 1 << 6 | since % 60
    return (code << 6 | flags << 4 | 7).to_bytes(_GROUP, "big"), now
