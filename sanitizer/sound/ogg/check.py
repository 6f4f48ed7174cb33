"""Re-read a clean Ogg: pages of one stream without a byte between, headers of nothing but numbers.

Rule: shares no code with the writer. Page by page (RFC 3533, section 6): version, flags, stream
number and place as they must be, checksum right; then packet by packet by the codec's own list.
"""

import re
import zlib

from sanitizer.errors import MetadataSurvived
from sanitizer.sound.ogg.check_packets import (
    FlacSounds,
    OpusSounds,
    Sounds,
    SpeexSounds,
    VorbisSounds,
)

_HEAD = 27
_MOST_PACKET = 5 << 20
_NONE = (1 << 64) - 1
FORMS: tuple[tuple[re.Pattern[bytes], type[Sounds]], ...] = (
    (re.compile(
        rb"OpusHead\x01[^\0].{2}\x80\xbb\0{2}.{2}"
        rb"(?:\0|[\x01\x02\xff].{3,257})", re.DOTALL), OpusSounds),
    (re.compile(rb"\x01vorbis\0{4}[^\0].{4}\0{12}.\x01", re.DOTALL), VorbisSounds),
    (re.compile(
        rb"\x7fFLAC\x01\0\0\x01fLaC\0{3}\x22.{4}\0{6}.{3}"
        rb"[\0\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0]\0{20}",
        re.DOTALL), FlacSounds),
    (re.compile(
        rb"Speex   \0{20}\x01\0{3}\x50\0{3}..\0{2}[\0-\x02]\0{3}\x04\0{3}"
        rb"[\x01\x02]\0{3}\xff{4}.{2}\0{2}[\0\x01]\0{3}[\x01-\x0a]\0{15}",
        re.DOTALL), SpeexSounds),
)  # fmt: skip
"""The first packet of each codec, and what judges the others."""
_BACK = bytes(sum((byte >> bit & 1) << 7 - bit for bit in range(8)) for byte in range(256))


class OggChecker:
    """Reads the result as it passes."""

    def __init__(self) -> None:
        """Expect the first page."""
        self._rest = b""
        self._pages = 0
        self._packet = b""
        self._is_open = False
        self._is_over = False
        self._sounds: Sounds | None = None

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result; raises MetadataSurvived."""
        rest = self._rest + data
        at = 0
        while len(rest) - at >= _HEAD:
            lacing = rest[at + _HEAD : at + _HEAD + rest[at + 26]]
            end = at + _HEAD + len(lacing) + sum(lacing)
            if len(lacing) < rest[at + 26] or end > len(rest):
                break
            self._page(rest[at:end], lacing)
            at = end
        self._rest = rest[at:]

    def _page(self, page: bytes, lacing: bytes) -> None:
        flags = page[5]
        wanted = (1 if self._is_open else 0) | (0 if self._pages else 2)
        told = page[14:22] == b"\1\0\0\0" + self._pages.to_bytes(4, "little")
        mirrored = zlib.crc32((page[:22] + bytes(4) + page[26:]).translate(_BACK), 0xFFFFFFFF)
        if (
            page[:5] != b"OggS\0"
            or self._is_over
            or flags & ~4 != wanted
            or not told
            or (mirrored ^ 0xFFFFFFFF).to_bytes(4, "big").translate(_BACK) != page[22:26]
        ):
            raise MetadataSurvived("a page of the result is not as it must be")
        self._is_over = flags == 4 or flags == 5  # noqa: PLR1714, PLR2004 - the last page
        self._pages += 1
        self._body(page, lacing)

    def _body(self, page: bytes, lacing: bytes) -> None:
        at, begin = _HEAD + len(lacing), 0
        for place, size in enumerate(lacing):
            if size == 255:  # noqa: PLR2004 - more to come
                continue
            length = sum(lacing[begin : place + 1])
            self._take(self._packet + page[at : at + length])
            self._packet = b""
            at += length
            begin = place + 1
        self._packet += page[at:]
        self._is_open = begin < len(lacing)
        granule = int.from_bytes(page[6:14], "little")
        if begin == 0:
            if granule != _NONE or not self._is_open or len(self._packet) > _MOST_PACKET:
                raise MetadataSurvived("a page of the result is not as it must be")
        elif self._sounds is None or not self._sounds.is_at(granule, is_last=self._is_over):
            raise MetadataSurvived("a position in the result is not as it must be")

    def _take(self, packet: bytes) -> None:
        if self._sounds is None:
            for form, sounds in FORMS:
                if form.fullmatch(packet):
                    self._sounds = sounds(packet)
                    return
            raise MetadataSurvived("a header of the result is not as it must be")
        self._sounds.take(packet)

    def finish(self) -> int:
        """Judge the end; return how many packets of sound there are."""
        if self._rest or self._is_open or not self._is_over or self._sounds is None:
            raise MetadataSurvived("the result does not end as it must")
        return self._sounds.packets
