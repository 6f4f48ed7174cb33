"""A picture of MPEG-1 or MPEG-2 without user data and without the time of day.

Rule (ISO/IEC 13818-2, 6.2.1, table 6-1): units of known start codes stay, all others go; the time
code of a group of pictures, where camcorders count the hours of a day, is set to zero.
"""

import re

_UNIT = re.compile(rb"\x00\x00\x01[\xb0-\xff]")
_KEPT = frozenset({0xB3, 0xB4, 0xB5, 0xB7, 0xB8})
_GROUP = 0xB8
_FLAGS = 0x60


def strip(untrusted: bytes) -> bytes:
    """Return a packet, or a decoder's setup, without its messages."""
    made: list[bytes] = []
    begin = 0
    for unit in _UNIT.finditer(untrusted):
        if unit.start() < begin:
            continue
        code = untrusted[unit.end() - 1]
        if code not in _KEPT:
            made.append(untrusted[begin : unit.start()])
            following = untrusted.find(b"\0\0\1", unit.end())
            begin = following if following >= 0 else len(untrusted)
        elif code == _GROUP:
            flags = untrusted[unit.end() + 3 : unit.end() + 4] or b"\0"
            made += [untrusted[begin : unit.end()], b"\0\x08\0", bytes([flags[0] & _FLAGS])]
            begin = unit.end() + 4
    return b"".join([*made, untrusted[begin:]]) if made else untrusted
