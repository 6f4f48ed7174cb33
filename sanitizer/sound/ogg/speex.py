"""Speex in Ogg (The Speex Codec Manual, version 1.2, chapters 6 and 7 and appendix).

Rule: the header is written anew from its numbers; of a packet stay the frames that the header
speaks of. Messages between them are blanked, whatever stands behind is dropped.
"""

import struct

from sanitizer.errors import Malformed
from sanitizer.sound import tags

_HEAD = struct.Struct("<8s20s13I")
_HEADER_BYTES = 80
_BITSTREAM = 4
_UNKNOWN = 0xFFFFFFFF
_MODES = 3
_STEREO = 2
_MOST_FRAMES = 10
_MOST_EXTRA = 16
_RATES = range(6000, 48001)
# Bits of a frame by its sub-mode, its own marks included.
_NARROW = (5, 43, 119, 160, 220, 300, 364, 492, 79)
_WIDE = (4, 36, 112, 192, 352)
_USER, _REQUEST = 13, 14
_STEREO_REQUEST = 9
_MESSAGE_BITS = (1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64)


class Speex:
    """One Speex stream."""

    has_lead = True
    skipped = 0

    def __init__(self, untrusted_head: bytes) -> None:
        """Read a header; raises Malformed."""
        if len(untrusted_head) < _HEADER_BYTES:
            raise Malformed("a header of sound is too short")
        told: tuple[int, ...] = _HEAD.unpack_from(untrusted_head)
        _, _, _, _, self._rate, self._mode, stream, self._channels = told[:8]
        _, self._size, self._is_vbr, self._number, self._extra = told[8:13]
        self._number = self._number or 1
        if (
            self._mode >= _MODES
            or stream != _BITSTREAM
            or self._rate not in _RATES
            or self._channels not in {1, _STEREO}
            or self._size != 160 << self._mode
            or self._number > _MOST_FRAMES
            or self._extra > _MOST_EXTRA
        ):
            raise Malformed("a header of sound that contradicts itself")
        self.kinds: set[str] = set()

    def is_header(self, packet: bytes, place: int) -> bool:  # noqa: ARG002 - other codecs look
        """Tell whether a packet stands before the sound."""
        return place <= 1 + self._extra

    def setup(self, packets: list[bytes]) -> list[bytes]:
        """Return the clean headers; ``packets`` are the untrusted ones."""
        self.kinds |= tags.of_comment(packets[1])
        if len(packets) > 2:  # noqa: PLR2004 - header and comment
            self.kinds.add("other_metadata")
        head = _HEAD.pack(
            b"Speex   ", bytes(20), 1, _HEADER_BYTES, self._rate, self._mode, _BITSTREAM,
            self._channels, _UNKNOWN, self._size, min(1, self._is_vbr), self._number, 0, 0, 0,
        )  # fmt: skip
        return [head, bytes(8)]

    def trim(self, packets: list[bytes]) -> list[bytes]:
        """Return the first packets as they are: Speex says by its positions what is cut."""
        return packets

    def packet(self, untrusted: bytes) -> tuple[bytes, int]:
        """Return a packet of frames alone, and its samples; raises Malformed."""
        bits = format(int.from_bytes(b"\1" + untrusted, "big"), "b")[1:]
        kept: list[str] = []
        at = frames = 0
        while len(bits) - at >= 5:  # noqa: PLR2004 - the shortest frame
            is_wide = bits[at] == "1"
            mode = int(bits[at + 1 : at + 4], 2) if is_wide else int(bits[at + 1 : at + 5], 2)
            if not is_wide and (mode > _REQUEST or frames == self._number):
                break
            piece = _piece(bits, at, mode, is_wide=is_wide)
            kept.append(piece)
            at += len(piece)
            frames += not is_wide and mode < _USER
        if frames == 0 or at > len(bits):
            raise Malformed("a packet of sound whose parts do not add up")
        whole = "".join(kept)
        fill = -len(whole) % 8
        whole += "0111111"[:fill]
        made = int(whole, 2).to_bytes(len(whole) // 8, "big")
        if made != untrusted:
            self.kinds.add("other_metadata")
        return made, self._size * self._number


def _piece(bits: str, at: int, mode: int, *, is_wide: bool) -> str:
    """Return one frame, or one message with nothing in it; raises Malformed."""
    table = _WIDE if is_wide else _NARROW
    if is_wide or mode < _USER:
        if mode >= len(table):
            raise Malformed("a packet of sound that is none")
        piece = bits[at : at + table[mode]]
        length = table[mode]
    else:
        number = int(bits[at + 5 : at + 9] or "0", 2)
        length = 5 + 8 * number if mode == _USER else _MESSAGE_BITS[number]
        is_kept = mode == _REQUEST and number == _STEREO_REQUEST
        body = bits[at + 9 : at + 9 + length]
        piece = bits[at : at + 9] + (body if is_kept else "0" * len(body))
        length += 9
    if len(piece) < length:
        raise Malformed("a packet of sound whose parts do not add up")
    return piece
