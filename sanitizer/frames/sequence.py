"""Where a sequence header of AV1 ends, and the unit that holds it and nothing else.

Rule (AV1, 5.5.1 to 5.5.3 and 5.3.4): a header is what its syntax reads, a one and zeros up to a
whole byte. The standard lets zeros follow; what follows goes, whatever it is.
"""

from sanitizer.errors import Malformed
from sanitizer.frames.bits import Bits

_MAX_HEADER = 1024
_WITH_LENGTH = 0x0A
_TIERED = 7
_PROFESSIONAL = 2
_BT709, _SRGB, _IDENTITY = 1, 13, 0


class _Header(Bits):
    """Bits of a header, and how many of them have been read."""

    def __init__(self, untrusted: bytes) -> None:
        super().__init__(untrusted)
        self._length = 8 * len(untrusted)

    def close(self) -> int:
        """Read the trailing bits (5.3.4) and return how many bytes have been read."""
        is_closed = self.take(1)
        if self.take(self._left % 8) or not is_closed:
            raise Malformed("a sequence header without its end")
        return (self._length - self._left) // 8


def end_of(untrusted: bytes) -> int:
    """Return how many bytes of a unit's content the header takes; raises Malformed."""
    bits = _Header(untrusted[:_MAX_HEADER])
    profile, _, is_reduced = bits.take(3), bits.take(1), bits.take(1)
    if is_reduced:
        bits.take(5)
    else:
        _operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    bits.take(across + down)
    if not is_reduced and bits.take(1):
        bits.take(7)
    bits.take(3)
    if not is_reduced:
        _tools(bits)
    bits.take(3)
    _colours(bits, profile)
    bits.take(1)
    return bits.close()


def unit(content: bytes) -> bytes:
    """Return a unit of the header that ``content`` begins with, with a length, not extended."""
    end = end_of(content)
    length = bytes([end & 127 | 128, end >> 7]) if end > 127 else bytes([end])  # noqa: PLR2004 - LEB128
    return bytes([_WITH_LENGTH]) + length + content[:end]


def _operating_points(bits: _Header) -> None:
    """Read the times, and what each way of decoding needs (5.5.1, 5.5.3, 5.5.4, 5.5.5)."""
    delay = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.golomb()
        if bits.take(1):
            delay = bits.take(5) + 1
            bits.take(42)
    has_display = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _TIERED:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if has_display and bits.take(1):
            bits.take(4)


def _tools(bits: _Header) -> None:
    """Read which tools frames may use."""
    bits.take(4)
    has_order = bits.take(1)
    bits.take(2 * has_order)
    # Tools for screens: chosen by each frame, or by a flag; then, unless never, whole motion too.
    if (bits.take(1) or bits.take(1)) and not bits.take(1):
        bits.take(1)
    bits.take(3 * has_order)


def _colours(bits: _Header, profile: int) -> None:
    """Read the colours (5.5.2)."""
    is_deep = bits.take(1)
    is_deepest = bits.take(1) if profile == _PROFESSIONAL and is_deep else 0
    is_grey = bits.take(1) if profile != 1 else 0
    told = (bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else None
    if is_grey:
        bits.take(1)
        return
    if told != (_BT709, _SRGB, _IDENTITY):
        bits.take(1)
        across = down = int(profile == 0)
        if profile == _PROFESSIONAL:
            across = bits.take(1) if is_deepest else 1
            down = bits.take(1) if is_deepest and across else 0
        if across and down:
            bits.take(2)
    bits.take(1)
