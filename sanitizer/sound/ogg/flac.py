"""FLAC in Ogg (RFC 9639, section 10.1).

Rule: the stream information and an empty comment are written anew; each packet is one frame, cut
where it ends.
"""

from dataclasses import replace

from sanitizer.errors import Malformed
from sanitizer.sound import tags
from sanitizer.sound.flac import frame
from sanitizer.sound.flac.header import INFO_BYTES, StreamInfo, parse

_INFO_AT = 17
_LAST_COMMENT = 0x84
_SMALLEST_BLOCK, _LARGEST_BLOCK = 16, 65535


class OggFlac:
    """One FLAC stream."""

    has_lead = True
    skipped = 0

    def __init__(self, untrusted_head: bytes) -> None:
        """Read the first packet; raises Malformed."""
        head = untrusted_head[:_INFO_AT]
        if head[5:6] != b"\1" or head[9:13] != b"fLaC" or head[13:] != b"\0\0\0\x22":
            raise Malformed("a header of sound that contradicts itself")
        self._info = StreamInfo.from_bytes(untrusted_head[_INFO_AT : _INFO_AT + INFO_BYTES])
        self._next = 0
        self.kinds: set[str] = set()

    def is_header(self, packet: bytes, place: int) -> bool:
        """Tell whether a packet stands before the sound: frames begin with their sync."""
        return place == 0 or packet[:1] != b"\xff"

    def setup(self, packets: list[bytes]) -> list[bytes]:
        """Return the clean headers; ``packets`` are the untrusted ones."""
        for packet in packets[1:]:
            self.kinds |= tags.of_block(packet)
        head = b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22" + self._info.to_bytes(0)
        return [head, bytes([_LAST_COMMENT, 0, 0, 8]) + bytes(8)]

    def trim(self, packets: list[bytes]) -> list[bytes]:
        """Return the first packets as they are; their frames tell the sizes of all."""
        header = parse(packets[0][:16], self._info) if packets else None
        if header:
            block = max(header.block, _SMALLEST_BLOCK)
            sizes = (_SMALLEST_BLOCK, _LARGEST_BLOCK) if header.is_variable else (block, block)
            self._info = replace(self._info, smallest=sizes[0], largest=sizes[1])
        return packets

    def packet(self, untrusted: bytes) -> tuple[bytes, int]:
        """Return a frame, numbered by us, and its samples; raises Malformed."""
        header = parse(untrusted[:16], self._info)
        if header is None:
            raise Malformed("a packet of sound that is none")
        made = frame.clean(untrusted, header, self._next)
        self._next += header.block if header.is_variable else 1
        if len(made) < len(untrusted):
            self.kinds.add("other_metadata")
        return made, header.block
