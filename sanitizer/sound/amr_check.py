"""Re-read a clean AMR: the magic, then frames of known kinds up to the last byte.

Rule: shares no code with the writer. The bits that a frame does not use are zero (3GPP TS 26.101,
table 2; TS 26.201, table 2), and a frame that is words is none.
"""

import string

from sanitizer.errors import MetadataSurvived

_MAGICS = (b"#!AMR-WB\n", b"#!AMR\n")
# Bytes of a frame with its first one, and how many low bits of the last are not used.
_WIDE = ((18, 4), (24, 7), (33, 3), (37, 3), (41, 3), (47, 3), (51, 3), (59, 3), (61, 3), (6, 0))
_NARROW = ((13, 1), (14, 1), (16, 2), (18, 2), (20, 4), (21, 1), (27, 4), (32, 4), (6, 1))
_NOTHING = (1, 0)
_LONG = 19
_LETTERS = string.printable.replace("\x0b", "").replace("\x0c", "").encode()


class AmrChecker:
    """Reads the result as it passes."""

    def __init__(self) -> None:
        """Expect the magic."""
        self._rest = b""
        self._table: dict[int, tuple[int, int]] = {}
        self._frames = 0

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result; raises MetadataSurvived."""
        rest = self._rest + data
        at = 0
        if not self._table:
            magic = next((each for each in _MAGICS if rest.startswith(each)), None)
            if magic is None:
                raise MetadataSurvived("something stands before the sound")
            self._table = dict(enumerate(_WIDE if magic == _MAGICS[0] else _NARROW))
            self._table |= {15: _NOTHING, 14: _NOTHING} if magic == _MAGICS[0] else {15: _NOTHING}
            at = len(magic)
        while at < len(rest):
            size, unused = self._table.get(rest[at] >> 3, (0, 0))
            if rest[at] & 3 or not size or (size > 1 and not rest[at] & 4):
                raise MetadataSurvived("a frame of the result is none")
            frame = rest[at : at + size]
            if len(frame) < size:
                break
            if frame[-1] & (1 << unused) - 1 or (size >= _LONG and not frame[1:].strip(_LETTERS)):
                raise MetadataSurvived("a frame of the result is not as it must be")
            at += size
            self._frames += 1
        self._rest = rest[at:]

    def finish(self) -> int:
        """Judge the end; return how many frames there are."""
        if self._rest:
            raise MetadataSurvived("the result ends within a frame")
        return self._frames
