"""Opus in Ogg (RFC 7845) and the framing of its packets (RFC 6716, section 3.2).

Rule: the identification header is written anew from its numbers; a packet keeps its frames bit
by bit and loses its padding, where anything could stand.
"""

import struct

from sanitizer.errors import Malformed, Unsupported
from sanitizer.sound import tags

_HEAD = struct.Struct("<8sBBHIhB")
_RATE = 48000
_MOST_SAMPLES = 5760
_MOST_FRAME = 1275
_STEREO = 2
_SILENT = 255
_MAPPED = {1, 2, 255}
_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)
SAMPLES = (*_SILK * 3, *_HYBRID * 2, *_CELT * 4)
"""Samples of a frame at 48 kHz, by the configuration in a packet's first five bits."""
# Before a seek, and so before a cut, a decoder needs 80 ms to settle (RFC 7845, 4.6).
_SETTLE = 3840


class Opus:
    """One Opus stream."""

    has_lead = False

    def __init__(self, untrusted_head: bytes) -> None:
        """Read an OpusHead; raises Malformed, or Unsupported for a layout in matrices."""
        if len(untrusted_head) < _HEAD.size:
            raise Malformed("a header of sound is too short")
        _, version, channels, self._skip, _, gain, family = _HEAD.unpack_from(untrusted_head)
        if version & 0xF0 or channels == 0:
            raise Malformed("a header of sound that contradicts itself")
        self._streams = 1
        table = b""
        if family in _MAPPED:
            table = untrusted_head[_HEAD.size : _HEAD.size + 2 + channels]
            if len(table) < 2 + channels or table[0] == 0 or table[1] > table[0]:
                raise Malformed("a header of sound that contradicts itself")
            self._streams = table[0]
        elif family:
            raise Unsupported("a sound layout that cannot be cleaned here")
        elif channels > _STEREO:
            raise Malformed("a header of sound that contradicts itself")
        if any(place != _SILENT and place >= sum(table[:2]) for place in table[2:]):
            raise Malformed("a header of sound that contradicts itself")
        self._fixed = channels, gain, family, table
        self.skipped = 0
        self.kinds: set[str] = set()

    def is_header(self, packet: bytes, place: int) -> bool:  # noqa: ARG002 - other codecs look
        """Tell whether a packet stands before the sound."""
        return place < 2  # noqa: PLR2004 - identification and comment

    def setup(self, packets: list[bytes]) -> list[bytes]:
        """Return the clean headers; ``packets`` are the untrusted ones."""
        if packets[1][:8] != b"OpusTags":
            raise Malformed("a header of sound is missing")
        self.kinds |= tags.of_comment(packets[1][8:])
        channels, gain, family, table = self._fixed
        # The rate that the microphone had is a hint for nobody; sound is decoded at 48 kHz.
        head = _HEAD.pack(b"OpusHead", 1, channels, self._skip, _RATE, gain, family)
        return [head + table, b"OpusTags" + bytes(8)]

    def trim(self, packets: list[bytes]) -> list[bytes]:
        """Drop the first packets where more is skipped than a decoder needs to settle."""
        kept = list(packets)
        while len(kept) > 1 and (samples := self.packet(kept[0])[1]) <= self._skip - _SETTLE:
            self._skip -= samples
            self.skipped += samples
            self.kinds.add("hidden_frames")
            del kept[0]
        return kept

    def packet(self, untrusted: bytes) -> tuple[bytes, int]:
        """Return a packet without padding, and its samples; raises Malformed."""
        at, samples, parts = 0, 0, []
        for left in range(self._streams - 1, -1, -1):
            part, at, samples = _stream(untrusted, at, is_delimited=left > 0)
            parts.append(part)
        if samples > _MOST_SAMPLES:
            raise Malformed("a packet of sound that is too long")
        made = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(made) < len(untrusted):
            self.kinds.add("other_metadata")
        return made, samples


def _stream(data: bytes, at: int, *, is_delimited: bool) -> tuple[bytes, int, int]:
    """Return one stream's part of a packet, where the next one's begins, and its samples.

    All but the last are self-delimited: the length of the last frame is told (appendix B).
    """
    lead, count, is_equal, padding, sizes = _shape(data, at)
    told = (0 if is_equal else count - 1) + is_delimited
    lengths, at = _lengths(data, sizes, told)
    end = len(data) - padding
    if is_delimited:
        body = sum(lengths) * (count if is_equal else 1)
    else:
        body = end - at
        rest = body - sum(lengths)
        if rest < 0 or (is_equal and rest % count):
            raise Malformed("a packet of sound whose parts do not add up")
        lengths.append(rest // count if is_equal else rest)
    if at + body > end or max(lengths) > _MOST_FRAME:
        raise Malformed("a packet of sound whose parts do not add up")
    following = at + body + padding
    return lead + data[sizes : at + body], following, SAMPLES[lead[0] >> 3] * count


def _shape(data: bytes, at: int) -> tuple[bytes, int, bool, int, int]:
    """Return how a packet begins without padding, its frames, and how long the padding was.

    Third is whether the frames are of one length, last where the lengths stand.
    """
    toc = data[at : at + 1]
    code = toc[0] & 3 if toc else 3
    if code < 3:  # noqa: PLR2004 - one frame, or two
        return toc, 1 if code == 0 else 2, code < 2, 0, at + 1  # noqa: PLR2004 - two of two lengths
    shape = data[at + 1] if at + 1 < len(data) else 0
    count = shape & 63
    if count == 0:
        raise Malformed("a packet of sound whose parts do not add up")
    padding, sizes = _padding(data, at + 2) if shape & 64 else (0, at + 2)
    return toc + bytes([shape & ~64]), count, not shape & 128, padding, sizes


def _padding(data: bytes, at: int) -> tuple[int, int]:
    """Return how long the padding is (255 means 254 and more to come), and what follows."""
    total = 0
    while at < len(data):
        value = data[at]
        at += 1
        if value < 255:  # noqa: PLR2004 - the last one
            return total + value, at
        total += 254
    raise Malformed("a packet of sound whose parts do not add up")


def _lengths(data: bytes, at: int, number: int) -> tuple[list[int], int]:
    """Return the lengths of frames, of one or two bytes each, and what follows."""
    found = []
    for _ in range(number):
        pair = data[at : at + 2]
        if not pair or (pair[0] > 251 and len(pair) == 1):  # noqa: PLR2004 - two bytes from 252 on
            raise Malformed("a packet of sound whose parts do not add up")
        is_long = pair[0] > 251  # noqa: PLR2004 - as above
        found.append(pair[0] + 4 * pair[1] if is_long else pair[0])
        at += 2 if is_long else 1
    return found, at
