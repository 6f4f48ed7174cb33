"""Walk the packets of MPEG-4 part 2 of a result: known units, and two words that are ours.

Rule: shares no code with what stripped it (ISO/IEC 14496-2, table 6-3). What leads a picture has
the few bytes that it needs; behind a picture there are pictures alone; and the clock of a stream
begins at zero.
"""

import re

from sanitizer.errors import MetadataSurvived

_LEADING = re.compile(
    rb"""[\x00-\x1f\xb1]            # a video object, the end: nothing but their code
    |[\x20-\x2f].{5,150}         # a layer: some numbers, two tables of 64
    |\xb0.                       # a profile
    |\xb5.{1,6}                  # colours
    |\xb3[\x00-\xbf][\x10-\x1f\x30-\x3f\x50-\x5f\x70-\x7f\x90-\x9f\xb0-\xbf\xd0-\xdf\xf0-\xff][\x07\x17\x27\x37\x47\x57\x67\x77\x87\x97\xa7\xb7\xc7\xd7\xe7\xf7]
    |\xb2XviD0050
    |\xb2DivX(?:412|501|503)b(?:1393|1830)p?""",
    re.DOTALL | re.VERBOSE,
)
_ZERO = (b"\0\x10\x07", b"\0\x10\x17", b"\0\x10\x27", b"\0\x10\x37")


class Mpeg4Checker:
    """Takes the packets of one stream; raises MetadataSurvived."""

    def __init__(self) -> None:
        """Begin before the first group of pictures."""
        self._has_group = False

    def check(self, frame: bytes) -> None:
        """Look at one packet."""
        check(frame)
        group = frame.find(b"\0\0\1\xb3")
        if group >= 0:
            if not self._has_group and frame[group + 4 : group + 7] not in _ZERO:
                raise MetadataSurvived("a time inside a picture")
            self._has_group = True


def check(frame: bytes) -> None:
    """Raise MetadataSurvived if a packet, or a decoder's setup, holds a message."""
    before, *parts = frame.split(b"\0\0\1")
    if before:
        raise MetadataSurvived("a message inside a picture")
    has_picture = False
    for part in parts:
        has_picture |= part[:1] == b"\xb6"
        if part[:1] != b"\xb6" and (has_picture or not _LEADING.fullmatch(part)):
            raise MetadataSurvived("a message inside a picture")
