"""Read a cleaned WAV as it streams by: a head of few forms, then sound, then nothing.

Rule: shares no code with what wrote it. The head is matched byte by byte against the forms that
it may have; the lengths in it must be those of the file.
"""

import re
import struct
from dataclasses import dataclass, field

from sanitizer.errors import MetadataSurvived

_HEAD = re.compile(
    rb"(?:RIFF(?P<size>.{4})WAVE|RF64\xff{4}WAVEds64\x1c\x00\x00\x00(?P<long>.{24})\x00{4})"
    rb"fmt (?P<length>.)\x00\x00\x00(?P<tag>..)(?P<numbers>.{14}(?P<extra>.*?))"
    rb"(?P<fact>fact\x04\x00\x00\x00.{4})?data(?P<data>.{4})",
    re.DOTALL,
)
_MOST = 256
_MS_TABLE = bytes.fromhex("070000010000000200ff00000000c0004000f0000000cc0130ff880118ff")
_GUIDS = {
    bytes([codec, 0]) + bytes.fromhex(tail)
    for codec in (1, 3, 6, 7)
    for tail in ("000000001000800000aa00389b71", "00002107d3118644c8c1ca000000")
}
_EXTRA = {2: 34, 0x11: 4, 0x31: 4, 3: 2, 6: 2, 7: 2, 1: 0, 0xFFFE: 24}


@dataclass(slots=True)
class Checker:
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    _head: bytes = b""
    _left: int = -1
    _odd: int = field(default=0)

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        if self._left < 0:
            self._head += data
            match = _HEAD.match(self._head[:_MOST])
            if match is None:
                if len(self._head) > _MOST:
                    raise MetadataSurvived("the result does not begin like a sound")
                return
            self._begin(match)
            data, self._head = self._head[match.end() :], b""
        sound = min(self._left, len(data))
        self._left -= sound
        rest = data[sound:]
        if len(rest) > self._odd or rest.strip(b"\0"):
            raise MetadataSurvived("bytes after the end of the result")
        self._odd -= len(rest)

    def _begin(self, match: "re.Match[bytes]") -> None:
        tag = int.from_bytes(match["tag"], "little")
        extra = match["extra"]
        (align,) = struct.unpack_from("<H", match["numbers"], 10)
        (size,) = struct.unpack("<I", match["data"])
        if match["long"] is None:
            (whole,) = struct.unpack("<I", match["size"])
        else:
            whole, size, _ = struct.unpack("<QQQ", match["long"])
        self._left, self._odd = size, size & 1
        plain = tag == 1 or (tag == 0xFFFE and extra[8:10] == b"\1\0")  # noqa: PLR2004 - PCM
        if (
            match["length"][0] != 16 + len(extra)
            or len(extra) != _EXTRA.get(tag)
            or plain != (match["fact"] is None)
            or whole + 8 != match.end() - match.start() + size + self._odd
            or align == 0
            or size % align
            or not _is_known(tag, extra)
            or not _is_count(match, tag, size // align)
        ):
            raise MetadataSurvived("the result's description is not as it should be")

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._left or self._odd:
            raise MetadataSurvived("the result ends in the middle")


def _is_known(tag: int, extra: bytes) -> bool:
    """Tell whether the bytes behind the numbers are those that the codec has."""
    if extra and int.from_bytes(extra[:2], "little") != len(extra) - 2:
        return False
    if tag == 0xFFFE:  # noqa: PLR2004 - extensible
        return extra[8:] in _GUIDS and extra[6] < 4 and extra[7] == 0  # noqa: PLR2004 - eighteen speakers
    return tag != 2 or extra[4:] == _MS_TABLE  # noqa: PLR2004 - MS ADPCM


def _is_count(match: "re.Match[bytes]", tag: int, blocks: int) -> bool:
    """Tell whether the counts of samples are those of so many blocks."""
    per_block = 320 if tag == 0x31 else 1  # noqa: PLR2004 - GSM 6.10
    if tag in {2, 0x11}:
        (per_block,) = struct.unpack_from("<H", match["extra"], 2)
    counts = [int.from_bytes(match["fact"][8:], "little")] if match["fact"] else []
    counts += [int.from_bytes(match["long"][16:], "little")] if match["long"] else []
    most = blocks * per_block
    return all(most - per_block < count <= most or count == 0xFFFFFFFF for count in counts)  # noqa: PLR2004 - too many to tell
