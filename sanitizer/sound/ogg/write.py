"""A clean Ogg file: one stream of sound, its headers of ours, its packets in pages of ours.

Rule: (1) the streams that begin are named; one of them is a sound (2) its headers are written
anew (3) its packets are cleaned one by one (4) positions are counted by us from the packets; kept
are only how much of the first and of the last packet is not heard (5) what follows the end, and
what belongs to another stream, is dropped.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Protocol

from sanitizer.errors import Empty, Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.sound.ogg.flac import OggFlac
from sanitizer.sound.ogg.opus import Opus
from sanitizer.sound.ogg.packets import Packets
from sanitizer.sound.ogg.pages import FIRST, LAST, NO_GRANULE, Page, PageWriter, read
from sanitizer.sound.ogg.speex import Speex
from sanitizer.sound.ogg.vorbis import Vorbis
from sanitizer.source import UntrustedSource


class Codec(Protocol):
    """One sound stream: what its headers and its packets become."""

    kinds: set[str]
    skipped: int
    """How many samples at the start have been dropped."""
    has_lead: bool
    """Whether the first positions may say that some samples at the start are not heard."""

    def is_header(self, packet: bytes, place: int) -> bool:
        """Tell whether the packet at ``place`` stands before the sound."""
        ...

    def setup(self, packets: list[bytes]) -> list[bytes]:
        """Return the clean headers."""
        ...

    def trim(self, packets: list[bytes]) -> list[bytes]:
        """Return the packets of the first page, before any of them is cleaned."""
        ...

    def packet(self, untrusted: bytes) -> tuple[bytes, int]:
        """Return a clean packet and how many samples it completes; raises Malformed."""
        ...


_SOUNDS: tuple[tuple[bytes, Callable[[bytes], Codec]], ...] = (
    (b"OpusHead", Opus),
    (b"\1vorbis", Vorbis),
    (b"\x7fFLAC", OggFlac),
    (b"Speex   ", Speex),
)
# Codecs of pictures and of rarer sounds: to drop them would lose what somebody sent.
_REFUSED = (
    b"\x80theora", b"BBCD\0", b"\x80daala", b"OVP80", b"\1video", b"\1audio", b"CELT    ",
    b"PCM     ",
)  # fmt: skip
_TEXTS = (b"\x80kate", b"CMML\0", b"\1text")
_READY = 1 << 18
# Vorbis and Speex skip less than a packet; three leave room for those that count otherwise.
_LEAD = 3


@dataclasses.dataclass(slots=True)
class _Turn:
    """The packets that end on one page, and what the page says of them."""

    codec: Codec
    packets: list[bytes]
    granule: int
    is_last: bool


class OggWriter:
    """Makes one clean Ogg file."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Read as far as the headers go; raises a leaf of Refused."""
        self.kinds: set[str] = set()
        self.frames = 0
        self._most = limits.sound_packet_bytes
        self._most_frames = limits.sound_frames
        self._serial: int | None = None
        self._codec: Codec | None = None
        self._ignored: set[int] = set()
        self._most_streams = self._most_headers = limits.sound_parts
        self._turns = self._of_one_stream(read(source, limits, self.kinds))
        self._headers, self._first = self._head()

    def _of_one_stream(self, pages: Iterator[Page]) -> Iterator[_Turn]:
        """Yield what the pages of the sound hold; (1) and (5) of the walk."""
        packets = Packets(self._most)
        is_over = False
        for page in pages:
            if page.flags & FIRST:
                self._begin(page)
            if self._codec is None or page.serial != self._serial or is_over:
                self.kinds.add("trailing_data" if is_over else "other_metadata")
                continue
            ended = packets.feed(page)
            is_over = bool(page.flags & LAST)
            yield _Turn(self._codec, ended, page.granule, is_over)
        if packets.has_lost:
            self.kinds.add("trailing_data")

    def _begin(self, page: Page) -> None:
        """Name a stream that begins."""
        if page.body.startswith(_REFUSED):
            raise Unsupported("pictures, or a rare sound, in Ogg")
        for magic, codec in _SOUNDS:
            if page.body.startswith(magic):
                if self._codec is not None:
                    raise Unsupported("more than one sound in a file")
                self._codec, self._serial = codec(page.body), page.serial
                return
        if page.serial == self._serial:
            raise Malformed("a stream that begins twice")
        self._ignored.add(page.serial)
        if len(self._ignored) > self._most_streams:
            raise TooComplex("too many streams")
        self.kinds.add("subtitles" if page.body.startswith(_TEXTS) else "other_metadata")

    def _head(self) -> tuple[list[bytes], _Turn]:
        """Return the headers, and the first packets of sound; (2) of the walk."""
        headers: list[bytes] = []
        for turn in self._turns:
            for place, packet in enumerate(turn.packets):
                if not turn.codec.is_header(packet, len(headers)):
                    sounds = list(filter(None, turn.packets[place:]))
                    return headers, dataclasses.replace(turn, packets=sounds)
                headers.append(packet)
                if len(headers) > self._most_headers:
                    raise TooComplex("too many headers")
        raise Empty("no sound in it")

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file; raises a leaf of Refused."""
        first = self._first
        codec, pages = first.codec, PageWriter()
        first.packets = codec.trim(first.packets)
        for header in codec.setup(self._headers):
            pages.add(header, 0)
            if not pages.sequence:
                pages.flush()
        pages.flush()
        begun = pages.sequence
        positions = _Positions(codec.skipped, has_lead=codec.has_lead)
        for turn in itertools.chain([first], self._turns):
            packets = [self._packet(codec, packet) for packet in turn.packets if packet]
            self.frames += len(packets)
            if self.frames > self._most_frames:
                raise TooComplex("too many packets")
            kept = positions.of_page([samples for _, samples in packets], turn)
            if len(kept) < len(packets):
                self.kinds.add("hidden_frames")
                self.frames -= len(packets) - len(kept)
            if turn.is_last and kept and pages.sequence == begun:
                # The last page may say that its end goes unheard; on a page that is the first
                # as well, players take that for the beginning.
                pages.end_first()
            for (packet, _), granule in zip(packets, kept, strict=False):
                pages.add(packet, granule)
            if pages.ready_bytes > _READY:
                yield pages.take()
        if self.frames:
            pages.flush(LAST)
        self.kinds |= codec.kinds
        yield pages.take()

    def _packet(self, codec: Codec, untrusted: bytes) -> tuple[bytes, int]:
        if len(untrusted) > self._most:
            raise TooComplex("a packet of sound that is too long")
        return codec.packet(untrusted)


class _Positions:
    """Counts samples, page by page; (4) of the walk."""

    def __init__(self, skipped: int, *, has_lead: bool) -> None:
        self._at = 0
        self._skipped = skipped
        self._offset: int | None = None
        self._has_lead = has_lead

    def of_page(self, samples: list[int], turn: _Turn) -> list[int]:
        """Return the positions behind the packets of a page; fewer where the last go unheard."""
        begin, total = self._at, sum(samples)
        told = None if turn.granule == NO_GRANULE or not samples else turn.granule
        if self._offset is None and told is not None:
            self._offset = self._skipped if turn.is_last else told - begin - total
            if self._offset < 0 and self._has_lead:
                if -self._offset > sum(samples[:_LEAD]):
                    raise Unsupported("a part of the sound is hidden at its beginning")
                begin, self._offset = begin + self._offset, 0
        ends = list(itertools.accumulate(samples, initial=begin))
        self._at = ends[-1]
        if told is None or not turn.is_last:
            self._offset = self._offset if told is None else told - self._at
            return ends[1:]
        last = told - (self._offset or 0)
        if not begin < last < self._at:
            return ends[1:]
        heard = bisect.bisect_left(ends, last)
        return [*ends[1:heard], last]
