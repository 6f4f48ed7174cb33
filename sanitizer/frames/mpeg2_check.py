"""Walk one packet of MPEG-1 or MPEG-2 video of a result (ISO/IEC 13818-2, table 6-1).

Rule: shares no code with what stripped it.
"""

from sanitizer.errors import MetadataSurvived

_REFUSED = {0xB0, 0xB1, 0xB2, 0xB6, *range(0xB9, 0x100)}


def check(frame: bytes) -> None:
    """Raise MetadataSurvived if a packet, or a decoder's setup, holds a message."""
    for part in frame.split(b"\0\0\1")[1:]:
        code = part[:1]
        if not code or code[0] in _REFUSED:
            raise MetadataSurvived("a message inside a picture")
        if code == b"\xb8" and (part[1:4] != b"\0\x08\0" or part[4:5] > b"\x7f" or part[4] & 31):
            raise MetadataSurvived("a time inside a picture")
