"""Colour profiles that mean what they say, and say more than they mean."""

import struct
from collections.abc import Mapping

_WHITE = (0xF6D6, 0x10000, 0xD32D)
_COLOURS = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
}


def profile(
    told: bytes,
    tags: Mapping[bytes, bytes] | None = None,
    *,
    gap: bytes = b"",
    maker: int = 0,
) -> bytes:
    """Return a display's profile that describes itself as ``told`` (ASCII).

    ``tags`` are added; ``gap`` lies where no tag points; ``maker`` fills two fields of the header.
    """
    described = b"desc\0\0\0\0" + struct.pack(">I", len(told) + 1) + told + bytes(79)
    all_tags = {
        b"desc": described,
        b"cprt": b"text\0\0\0\0" + told + b"\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">III", *_WHITE),
        **{
            name: b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in values))
            for name, values in _COLOURS.items()
        },
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0\0\0\0\1\2\x33\0\0"),
        **(tags or {}),
    }
    rows, data, start = b"", b"", 128 + 4 + 12 * len(all_tags) + len(gap)
    for name, value in all_tags.items():
        rows += struct.pack(">4sII", name, start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    body = struct.pack(">I", len(all_tags)) + rows + gap + data
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(body), b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(8) + struct.pack(">Q", maker)
    head = head.ljust(68, b"\0") + struct.pack(">III", *_WHITE)
    return head.ljust(128, b"\0") + body
