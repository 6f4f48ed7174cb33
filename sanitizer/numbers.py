"""Big-endian numbers out of untrusted bytes, with bounds."""

import struct

from sanitizer.errors import Malformed


def unpack(layout: str, untrusted: "bytes | memoryview[int]", at: int = 0) -> tuple[int, ...]:
    """Unpack big-endian numbers; raises Malformed where there are too few bytes."""
    try:
        return struct.unpack_from(">" + layout, untrusted, at)
    except struct.error:
        raise Malformed("a part of the index is too short") from None
