"""The setups of AC-3 and E-AC-3 in an MP4, written anew without their reserved bits.

Rule (ETSI TS 102 366, F.4 and F.6; its E.1.1 for the mark of objects): every bit is understood,
and nothing follows.
"""

from sanitizer.errors import Unsupported
from sanitizer.frames.bits import Bits

_AC3_BYTES = 3
_MOST_BITS = 96


def ac3(untrusted: bytes) -> bytes:
    """Return the content of a dac3; raises Unsupported."""
    if len(untrusted) != _AC3_BYTES:
        raise Unsupported("a codec set up in an unusual way")
    return untrusted[:2] + bytes([untrusted[2] & 0xE0])


def eac3(untrusted: bytes) -> bytes:
    """Return the content of a dec3; raises Unsupported, or Malformed where it is cut short."""
    bits = Bits(untrusted)
    rate, streams = bits.take(13), bits.take(3) + 1
    made, length = rate << 3 | streams - 1, 16
    for _ in range(streams):
        shape = bits.take(7)
        bits.take(1)
        kind = bits.take(8)
        bits.take(3)
        below = bits.take(4)
        made = ((made << 7 | shape) << 9 | kind) << 7 | below
        # Where further channels stand, or one bit that is reserved.
        made = made << 9 | bits.take(9) if below else made << 1
        bits.take(0 if below else 1)
        length += 32 if below else 24
    if 8 * len(untrusted) >= length + 16:
        bits.take(7)
        has_objects, count = bits.take(1), bits.take(8)
        if has_objects:
            made, length = (made << 8 | 1) << 8 | count, length + 16
    if length > _MOST_BITS:
        raise Unsupported("a codec set up in an unusual way")
    return made.to_bytes(length // 8, "big")
