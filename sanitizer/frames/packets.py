"""What hides in packets of AMR and ALAC: bytes that belong to no frame, bits that nobody hears.

Rule (3GPP TS 26.101, annex A; TS 26.201, annex A; Apple's ALAC specification): a packet is frames,
each as long as its first byte says; what a frame may hold beside sound is refused.
"""

from functools import partial

from sanitizer.errors import Malformed, Unsupported

# Bits of speech by frame type; None is a type that holds no sound of ours.
_NARROW = (95, 103, 118, 134, 148, 159, 204, 244, 39, *[None] * 6, 0)
_WIDE = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40, *[None] * 4, 0, 0)
_KEPT = 0x7C
_ALAC_SOUND = {0, 1, 3}


def _amr(lengths: tuple[int | None, ...], untrusted: bytes) -> bytes:
    """Return the frames of a packet, with blank bits where a frame does not fill its last byte."""
    made, at = bytearray(untrusted), 0
    while at < len(made):
        bits = lengths[made[at] >> 3 & 15]
        if bits is None:
            raise Malformed("a packet of sound whose parts do not add up")
        made[at] &= _KEPT
        at += 1 + -(-bits // 8)
        if at > len(made):
            raise Malformed("a packet of sound whose parts do not add up")
        if bits % 8:
            made[at - 1] &= 0xFF00 >> bits % 8 & 0xFF
    return bytes(made)


amr_narrow = partial(_amr, _NARROW)
"""Strips a packet of AMR."""
amr_wide = partial(_amr, _WIDE)
"""Strips a packet of AMR-WB."""


def alac(untrusted: bytes) -> bytes:
    """Return a packet of ALAC once it begins with sound; raises Unsupported."""
    if untrusted[0] >> 5 not in _ALAC_SOUND:
        raise Unsupported("a packet of sound that begins with something else")
    return untrusted
