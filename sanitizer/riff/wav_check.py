"""Read a cleaned WAV as it streams by: a head of few forms, then sound, then nothing.

Rule: shares no code with what wrote it. The head is matched byte by byte against the forms that
it may have; the lengths in it must be those of the file.
"""

import re
import struct

from sanitizer.errors import MetadataSurvived
from sanitizer.riff.sound_check import SoundChecker

_HEAD = re.compile(
    rb"(?:RIFF(?P<size>.{4})WAVE|RF64\xff{4}WAVEds64\x1c\x00\x00\x00(?P<long>.{24})\x00{4})"
    rb"fmt (?P<length>.)\x00\x00\x00(?P<tag>..)(?P<numbers>.{14}(?P<extra>.*?))"
    rb"(?P<fact>fact\x04\x00\x00\x00.{4})?data(?P<data>.{4})",
    re.DOTALL,
)
_MS_TABLE = bytes.fromhex("070000010000000200ff00000000c0004000f0000000cc0130ff880118ff")
_GUIDS = {
    bytes([codec, 0]) + bytes.fromhex(tail)
    for codec in (1, 3, 6, 7)
    for tail in ("000000001000800000aa00389b71", "00002107d3118644c8c1ca000000")
}
_UNSAID = b"\xff" * 4
_EXTRA = {2: 34, 0x11: 4, 0x31: 4, 3: 2, 6: 2, 7: 2, 1: 0, 0xFFFE: 24}


class Checker(SoundChecker):
    """Knows the heads of WAV and RF64."""

    form = _HEAD
    most = 256

    def sound_after(self, head: "re.Match[bytes]") -> int:
        """Judge the description and the lengths; raises MetadataSurvived."""
        tag = int.from_bytes(head["tag"], "little")
        extra = head["extra"]
        (align,) = struct.unpack_from("<H", head["numbers"], 10)
        size: int
        if head["long"] is None:
            whole, size = struct.unpack("<II", head["size"] + head["data"])
        else:
            whole, size, _ = struct.unpack("<QQQ", head["long"])
        plain = tag == 1 or (tag == 0xFFFE and extra[8:10] == b"\1\0")  # noqa: PLR2004 - PCM
        if (
            head["length"][0] != 16 + len(extra)
            or len(extra) != _EXTRA.get(tag)
            or plain != (head["fact"] is None)
            or (head["long"] is not None and head["data"] != _UNSAID)
            or whole + 8 != head.end() + size + (size & 1)
            or align == 0
            or size % align
            or not _is_known(tag, extra)
            or not _is_count(head, tag, size // align)
        ):
            raise MetadataSurvived("the result's description is not as it should be")
        return size


def _is_known(tag: int, extra: bytes) -> bool:
    """Tell whether the bytes behind the numbers are those that the codec has."""
    if extra and int.from_bytes(extra[:2], "little") != len(extra) - 2:
        return False
    if tag == 0xFFFE:  # noqa: PLR2004 - extensible
        return extra[8:] in _GUIDS and extra[6] < 4 and extra[7] == 0  # noqa: PLR2004 - eighteen speakers
    return tag != 2 or extra[4:] == _MS_TABLE  # noqa: PLR2004 - MS ADPCM


def _is_count(head: "re.Match[bytes]", tag: int, blocks: int) -> bool:
    """Tell whether the counts of samples are those of so many blocks."""
    per_block = 320 if tag == 0x31 else 1  # noqa: PLR2004 - GSM 6.10
    if tag in {2, 0x11}:
        (per_block,) = struct.unpack_from("<H", head["extra"], 2)
    counts = [int.from_bytes(head["fact"][8:], "little")] if head["fact"] else []
    counts += [int.from_bytes(head["long"][16:], "little")] if head["long"] else []
    most = blocks * per_block
    return all(most - per_block < count <= most or count == 0xFFFFFFFF for count in counts)  # noqa: PLR2004 - too many to tell
