"""Vorbis in Ogg (Vorbis I specification, xiph.org, sections 4 and A).

Rule: the identification header is written anew; the comment is empty; the setup header is read
to its last bit, and what stands behind that bit is dropped.
"""

import struct

from sanitizer.errors import Malformed
from sanitizer.sound import tags
from sanitizer.sound.ogg.vorbis_setup import Setup

_HEAD = struct.Struct("<7sIBIiiiBB")
_SMALLEST, _LARGEST = 6, 13
COMMENT = b"\3vorbis" + bytes(8) + b"\1"


class Vorbis:
    """One Vorbis stream."""

    has_lead = True
    skipped = 0

    def __init__(self, untrusted_head: bytes) -> None:
        """Read an identification header; raises Malformed."""
        if len(untrusted_head) < _HEAD.size:
            raise Malformed("a header of sound is too short")
        _, version, channels, rate, _, _, _, sizes, framing = _HEAD.unpack_from(untrusted_head)
        self._small, self._large = sizes & 15, sizes >> 4
        if (
            version
            or not channels
            or not rate
            or not framing & 1
            or not _SMALLEST <= self._small <= self._large <= _LARGEST
        ):
            raise Malformed("a header of sound that contradicts itself")
        self._channels, self._rate = channels, rate
        self._flags: list[int] = []
        self._shift = 0
        self._before = 0
        self.kinds: set[str] = set()

    def is_header(self, packet: bytes, place: int) -> bool:  # noqa: ARG002 - other codecs look
        """Tell whether a packet stands before the sound."""
        return place < 3  # noqa: PLR2004 - identification, comment, setup

    def setup(self, packets: list[bytes]) -> list[bytes]:
        """Return the clean headers; ``packets`` are the untrusted ones."""
        if packets[1][:7] != b"\3vorbis":
            raise Malformed("a header of sound is missing")
        self.kinds |= tags.of_comment(packets[1][7:])
        found = Setup(packets[2], self._channels)
        self._flags = found.flags
        self._shift = (len(self._flags) - 1).bit_length()
        if len(found.data) < len(packets[2]):
            self.kinds.add("other_metadata")
        sizes = self._large << 4 | self._small
        head = _HEAD.pack(b"\1vorbis", 0, self._channels, self._rate, 0, 0, 0, sizes, 1)
        return [head, COMMENT, found.data]

    def trim(self, packets: list[bytes]) -> list[bytes]:
        """Return the first packets as they are: Vorbis says by its positions what is cut."""
        return packets

    def packet(self, untrusted: bytes) -> tuple[bytes, int]:
        """Return a packet and the samples it completes; raises Malformed."""
        mode = untrusted[0] >> 1 & (1 << self._shift) - 1 if untrusted else 0
        if not untrusted or untrusted[0] & 1 or mode >= len(self._flags):
            raise Malformed("a packet of sound that is none")
        size = 1 << (self._large if self._flags[mode] else self._small)
        samples = (self._before + size) // 4 if self._before else 0
        self._before = size
        return untrusted, samples
