"""Read a cleaned AIFF as it streams by: a head of two forms, then sound, then nothing.

Rule: shares no code with what wrote it. The head is matched byte by byte; the lengths and counts
in it must be those of the file.
"""

import re
import struct
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived

_HEAD = re.compile(
    rb"FORM(?P<size>.{4})(?:AIFFCOMM\x00\x00\x00\x12|"
    rb"AIFC(?P<version>FVER\x00\x00\x00\x04\xa2\x80\x51\x40)COMM\x00\x00\x00\x18)"
    rb"(?P<channels>..)(?P<frames>.{4})\x00(?P<bits>.)\x40(?P<rate>.{9})"
    rb"(?P<codec>(?(version)(?:NONE|twos|sowt|raw |in24|in32|fl32|FL32|fl64|FL64|alaw|ALAW|ulaw|"
    rb"ULAW)\x00\x00))SSND(?P<data>.{4})\x00{8}",
    re.DOTALL,
)
_MOST = 72
# A rate is exact to 1/65536 Hz; the mantissa's bits below that are zero.
_FINEST = 46


@dataclass(slots=True)
class Checker:
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    _head: bytes = b""
    _left: int = -1
    _odd: int = 0

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        if self._left < 0:
            self._head += data
            match = _HEAD.match(self._head[:_MOST])
            if match is None:
                if len(self._head) >= _MOST:
                    raise MetadataSurvived("the result does not begin like a sound")
                return
            self._begin(match)
            data, self._head = self._head[match.end() :], b""
        sound = min(self._left, len(data))
        self._left -= sound
        rest = data[sound:]
        if len(rest) > self._odd or any(rest):
            raise MetadataSurvived("bytes after the end of the result")
        self._odd -= len(rest)

    def _begin(self, match: "re.Match[bytes]") -> None:
        (channels,) = struct.unpack(">H", match["channels"])
        (frames, size, data) = struct.unpack(
            ">III", match["frames"] + match["size"] + match["data"]
        )
        bits, codec = match["bits"][0], match["codec"][:4]
        one = codec in {b"alaw", b"ALAW", b"ulaw", b"ULAW", b"raw "}
        width = 1 if one else -(-bits // 8)
        (mantissa,) = struct.unpack(">Q", match["rate"][1:])
        exponent = match["rate"][0]
        self._left, self._odd = data - 8, data & 1
        if (
            frames * channels * width != data - 8
            or size + 8 != match.end() + data - 8 + self._odd
            or not mantissa >> 63
            or mantissa & ((1 << max(0, _FINEST - exponent)) - 1)
        ):
            raise MetadataSurvived("the result's description is not as it should be")

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._left or self._odd:
            raise MetadataSurvived("the result ends in the middle")
