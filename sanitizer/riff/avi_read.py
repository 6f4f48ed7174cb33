"""Read an AVI: the headers of its streams, and where each packet of them lies.

Rule (AVI RIFF File Reference; OpenDML AVI 1.02): packets are taken in the order of the file, as
players do, and never by an index; no length is believed beyond the file's end. Of pictures and of
sounds the first stream stays that is not turned off, as a player plays it. Streams of text, of
MIDI and of a vendor's own are left out and named; a codec that is not known is refused.
"""

import re
import struct
from dataclasses import dataclass, field

from sanitizer.errors import Empty, Malformed, TooComplex, TooLarge, Unsupported
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.riff import chunks as riff
from sanitizer.riff import picture, sound
from sanitizer.riff.model import Packets, Stream
from sanitizer.source import UntrustedSource

_HEAD = 12
_LOOK = 4096
_SMALL = 64
_DISABLED = 1
_MAX_HEADER = 4 << 20
_MAX_START = 3600
_LEFT_OUT = {b"txts": "subtitles", b"mids": "other_metadata"}
_PADDING = {b"JUNK", b"idx1", b"PAD "}
_LETTERS = re.compile(rb"[ -~]{4}")
_PLAIN = {b"hdrl", b"strl", b"odml"}


@dataclass(slots=True)
class _Header:
    """What one strl says, as it stands in the file."""

    told: bytes = b""
    coding: bytes = b""
    aspect: tuple[int, int] | None = None


@dataclass(slots=True)
class Reader:
    """One walk through one AVI. Afterwards ``streams``, ``packets`` and ``kinds`` are known."""

    source: UntrustedSource
    limits: Limits
    streams: list[Stream] = field(default_factory=list)
    packets: Packets = field(default_factory=Packets)
    kinds: set[str] = field(default_factory=set)
    _headers: list[_Header] = field(default_factory=list)
    _firsts: dict[int, bytes] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)
    _hidden: set[int] = field(default_factory=set)
    _chunks: int = 0
    _small: int = 0
    _window: bytes = b""
    _window_at: int = 0

    def run(self) -> None:
        """Walk from the first chunk to the last; raises a leaf of Refused."""
        at, end, has_data = _HEAD, self.source.length, False
        while at + riff.HEADER <= end:
            found = self._chunk(at)
            kind = self._look(at + 8, 4) if found.kind in {b"LIST", b"RIFF"} else b""
            if kind == b"hdrl" and not self._headers:
                self._read_headers(found)
            elif kind == b"movi":
                has_data = True
                found = self._movi(found)
            elif kind == b"AVIX" and found.kind == b"RIFF":
                at += _HEAD
                continue
            elif _is_packet(found.kind):
                raise Malformed("pictures beside the list that holds them")
            elif found.kind == b"RIFF" or found.start + found.length > end:
                break
            elif found.kind not in _PADDING:
                self.kinds |= riff.kinds_of(self.source, found)
            at = found.end
        if at < end:
            self.kinds.add("trailing_data")
        if not self._headers or not has_data:
            raise Malformed("a video without its headers or without its pictures")
        self._describe()

    def _chunk(self, at: int) -> riff.Chunk:
        kind, length = struct.unpack("<4sI", self._look(at, 8).ljust(8, b"\0"))
        self._chunks += 1
        self._small += length < _SMALL
        if self._chunks > self.limits.video_samples or self._small > self.limits.video_small_chunks:
            raise TooComplex("too many chunks")
        return riff.Chunk(kind, at + 8, length)

    def _look(self, at: int, length: int) -> bytes:
        """Return a few bytes, read together with what follows them: chunks may be small."""
        place = at - self._window_at
        if place < 0 or place + length > len(self._window):
            self._window, self._window_at, place = self.source.read_at(at, _LOOK), at, 0
        return self._window[place : place + length]

    def _read_headers(self, found: riff.Chunk) -> None:
        if found.length > _MAX_HEADER:
            raise Malformed("a header of an impossible length")
        data = read_exactly(self.source, found.start, found.length)
        at = 4
        while at + 8 <= len(data):
            kind, length = struct.unpack_from("<4sI", data, at)
            inside = data[at + 8 : at + 8 + length]
            at += 8 + length + (length & 1)
            if kind == b"LIST" and inside[:4] == b"strl":
                self._headers.append(self._read_stream(inside))
            elif kind == b"LIST" and inside[:4] not in _PLAIN:
                self.kinds.add("other_metadata")
            elif kind not in {b"avih", b"LIST"} | _PADDING:
                self.kinds |= riff.kinds_of(self.source, riff.Chunk(kind, 0, 0))
        if len(self._headers) > self.limits.video_tracks:
            raise TooComplex("too many streams")
        self._choose()

    def _choose(self) -> None:
        """Number the streams that players play: the first pictures and sound that are not off."""
        for kind in (b"vids", b"auds"):
            every = [at for at, each in enumerate(self._headers) if each.told[:4] == kind]
            played = [at for at in every if not self._headers[at].told[8] & _DISABLED] or every
            self._numbers.update(dict.fromkeys(played[:1], 0))
            self._hidden.update(set(every) - set(played[:1]))
        self._numbers = {stream: number for number, stream in enumerate(sorted(self._numbers))}
        if self._hidden:
            self.kinds.add("hidden_frames")

    def _read_stream(self, data: bytes) -> _Header:
        header, at = _Header(), 4
        while at + 8 <= len(data):
            kind, length = struct.unpack_from("<4sI", data, at)
            inside = data[at + 8 : at + 8 + length]
            at += 8 + length + (length & 1)
            if kind == b"strh":
                header.told = inside
            elif kind == b"strf":
                header.coding = inside
            elif kind == b"vprp" and len(inside) >= 32:  # noqa: PLR2004 - eight numbers
                header.aspect = _aspect(inside)
            elif kind == b"strn":
                self.kinds.add("comment")
            elif kind not in _PADDING | {b"indx"}:
                self.kinds |= riff.kinds_of(self.source, riff.Chunk(kind, 0, 0))
        if len(header.told) < 48:  # noqa: PLR2004 - all but the rectangle
            raise Malformed("a stream's header is too short")
        if header.told[:4] == b"iavs":
            raise Unsupported("a codec that cannot be cleaned here")
        if header.told[:4] not in {b"vids", b"auds"}:
            self.kinds.add(_LEFT_OUT.get(header.told[:4], "location_track"))
        return header

    def _movi(self, found: riff.Chunk) -> riff.Chunk:
        """Take the packets of a list; return the list as long as it really is."""
        end = self.source.length
        if found.length > 4 and found.start + found.length <= end:  # noqa: PLR2004 - its letters
            end = found.start + found.length
        at = found.start + 4
        while at + riff.HEADER <= end:
            inside = self._chunk(at)
            if inside.kind == b"LIST":
                # Groups of packets: their content simply goes on.
                at = inside.start + 4 if self._look(inside.start, 4) == b"rec " else inside.end
                continue
            if inside.kind == b"RIFF":
                # The list did not say how long it is, and the file goes on behind it.
                end = at
                break
            if inside.kind == bytes(4):
                self._zeros(at, end)
                break
            if inside.start + inside.length > end:
                self.kinds.add("trailing_data")
                break
            self._packet(inside)
            at = self._following(inside, end)
        return riff.Chunk(found.kind, found.start, end - found.start)

    def _following(self, inside: riff.Chunk, end: int) -> int:
        """Return where the next chunk is: some writers leave out the zero after an odd length."""
        bare = inside.start + inside.length
        if inside.length & 1 and bare + riff.HEADER <= end and _is_packet(self._look(bare, 4)):
            return bare
        return inside.end

    def _zeros(self, at: int, end: int) -> None:
        """Let a recorder's unused space go, once it is known to be nothing else."""
        self.kinds.add("trailing_data")
        for offset in range(at, end, WINDOW):
            if self.source.read_at(offset, min(WINDOW, end - offset)).strip(b"\0"):
                raise Malformed("pictures that cannot be found")

    def _packet(self, inside: riff.Chunk) -> None:
        if not _is_packet(inside.kind):
            if not _LETTERS.fullmatch(inside.kind):
                raise Malformed("pictures that cannot be found")
            if inside.kind[:2] != b"ix" and inside.kind not in _PADDING:
                self.kinds.add("other_metadata")
            return
        stream = int(inside.kind[:2])
        if stream not in self._numbers:
            # Of a stream that is left out, or that nobody described.
            self.kinds |= set() if stream in self._hidden else {"other_metadata"}
            return
        is_video = self._headers[stream].told[:4] == b"vids"
        letters = inside.kind[2:]
        if letters == b"pc":
            raise Unsupported("a video that changes its palette")
        if letters not in ({b"dc", b"db"} if is_video else {b"wb"}):
            self.kinds.add("other_metadata")
            return
        if inside.length > self.limits.sample_bytes:
            raise TooLarge("a frame longer than the limit")
        if inside.length and stream not in self._firsts:
            self._firsts[stream] = self.source.read_at(inside.start, _LOOK)
        self.packets.offsets.append(inside.start)
        self.packets.sizes.append(inside.length)
        self.packets.streams.append(self._numbers[stream])

    def _describe(self) -> None:
        """Turn the headers into streams, now that their first packets are known."""
        if not len(self.packets) or not any(self.packets.sizes):
            raise Empty("a video without a frame")
        for number, header in enumerate(self._headers):
            if number in self._numbers:
                self.streams.append(self._stream(number, header))
        seen = set(self.packets.streams)
        if any(
            isinstance(stream.coding, picture.Picture) and place not in seen
            for place, stream in enumerate(self.streams)
        ):
            raise Malformed("a stream without a frame")

    def _stream(self, number: int, header: _Header) -> Stream:
        scale, rate, start = struct.unpack_from("<III", header.told, 20)
        (sample,) = struct.unpack_from("<I", header.told, 44)
        if not scale or not rate or start * scale > _MAX_START * rate:
            raise Malformed("a stream with an impossible clock")
        first = self._firsts.get(number, b"")
        if header.told[:4] == b"vids":
            coding = picture.parse(header.coding, first, self.limits)
            return Stream(coding, scale, rate, start, 0, header.aspect)
        heard = sound.parse(header.coding, in_video=True)
        if heard.per_block and sample:
            sample = heard.align
        if sample > 8192:  # noqa: PLR2004 - a frame of sound at most
            raise Malformed("a stream with an impossible clock")
        return Stream(heard, scale, rate, start, sample)


def _is_packet(kind: bytes) -> bool:
    """Tell whether a chunk's letters are those of a stream's packet."""
    return kind[:2].isdigit() and kind[2:].isalpha() and kind[2:] != b"ix"


def _aspect(untrusted: bytes) -> tuple[int, int] | None:
    """Return (width, height) of the shape that a vprp says the picture has."""
    down, across = struct.unpack_from("<HH", untrusted, 20)
    return (across, down) if across and down else None
