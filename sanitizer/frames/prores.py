"""A frame of Apple ProRes without the name of what made it, and without what stands behind it.

Rule (SMPTE RDD 36, 5.1 and 5.2): a frame is its header, one or two pictures, and nothing else; the
creator's identifier is blank, and the header holds the numbers and matrices that it announces.
"""

import struct

from sanitizer.errors import Malformed

_HEADER = 20
_MATRIX = 64
_MIN_PICTURE = 8


def strip(untrusted: bytes) -> bytes:
    """Return one frame without its messages; raises Malformed."""
    if len(untrusted) < 8 + _HEADER or untrusted[4:8] != b"icpf":
        raise Malformed("a picture whose parts do not add up")
    header, version = struct.unpack_from(">HH", untrusted, 8)
    flags = untrusted[27]
    needed = _HEADER + _MATRIX * (bool(flags & 2) + bool(flags & 1))
    if header < needed or 8 + header > len(untrusted):
        raise Malformed("a picture whose parts do not add up")
    fields = 1 if untrusted[20] >> 2 & 3 == 0 else 2
    begin = at = 8 + header
    for _ in range(fields):
        (length,) = struct.unpack_from(">I", untrusted[at : at + _MIN_PICTURE].ljust(8, b"\0"), 1)
        at += length
        if length < _MIN_PICTURE or at > len(untrusted):
            raise Malformed("a picture whose parts do not add up")
    # What the header says up to the matrices, but for the creator and the reserved bits.
    told = untrusted[16:20] + bytes([untrusted[20] & 0xCC, *untrusted[21:25], untrusted[25] & 15])
    head = struct.pack(">HH4x", needed, version & 1) + told + bytes([0, flags & 3])
    body = head + untrusted[28 : 8 + needed] + untrusted[begin:at]
    return struct.pack(">I4s", 8 + len(body), b"icpf") + body
