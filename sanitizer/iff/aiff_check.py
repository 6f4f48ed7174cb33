"""Read a cleaned AIFF as it streams by: a head of two forms, then sound, then nothing.

Rule: shares no code with what wrote it. The head is matched byte by byte; the lengths and counts
in it must be those of the file.
"""

import re
import struct

from sanitizer.errors import MetadataSurvived
from sanitizer.riff.sound_check import SoundChecker

_HEAD = re.compile(
    rb"FORM(?P<size>.{4})(?:AIFFCOMM\x00\x00\x00\x12|"
    rb"AIFC(?P<version>FVER\x00\x00\x00\x04\xa2\x80\x51\x40)COMM\x00\x00\x00\x18)"
    rb"(?P<channels>..)(?P<frames>.{4})\x00(?P<bits>.)\x40(?P<rate>.{9})"
    rb"(?P<codec>(?(version)(?:NONE|twos|sowt|raw |in24|in32|fl32|FL32|fl64|FL64|alaw|ALAW|ulaw|"
    rb"ULAW)\x00\x00))SSND(?P<data>.{4})\x00{8}",
    re.DOTALL,
)
# A rate is exact to 1/65536 Hz; the mantissa's bits below that are zero.
_FINEST = 46


class Checker(SoundChecker):
    """Knows the heads of AIFF and AIFF-C."""

    form = _HEAD
    most = 72

    def sound_after(self, head: "re.Match[bytes]") -> int:
        """Judge COMM and the lengths; raises MetadataSurvived."""
        (channels,) = struct.unpack(">H", head["channels"])
        frames, size = struct.unpack(">II", head["frames"] + head["size"])
        length = int.from_bytes(head["data"], "big") - 8
        bits, codec = head["bits"][0], head["codec"][:4]
        one = codec in {b"alaw", b"ALAW", b"ulaw", b"ULAW", b"raw "}
        width = 1 if one else -(-bits // 8)
        (mantissa,) = struct.unpack(">Q", head["rate"][1:])
        exponent = head["rate"][0]
        if (
            frames * channels * width != length
            or size + 8 != head.end() + length + (length & 1)
            or not mantissa >> 63
            or mantissa & ((1 << max(0, _FINEST - exponent)) - 1)
        ):
            raise MetadataSurvived("the result's description is not as it should be")
        return length
