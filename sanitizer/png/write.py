"""PNG and APNG by chunks: an allow-list of what a decoder needs, image data kept bit by bit.

Rule (W3C PNG, third edition): each chunk's checksum and length are proven; the compressed data
is unpacked as it streams by and must hold exactly the pixels that IHDR declares, so that nothing
hides behind its end; text, times, profiles, private chunks and all after IEND go.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer import icc
from sanitizer.errors import Malformed, TooComplex, TooManyPixels
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, Piece, Plan, Range, read_exactly
from sanitizer.png.data import ImageData, Shape, unpack
from sanitizer.png.text import Told
from sanitizer.source import UntrustedSource

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {b"tIME": "capture_time", b"caBX": "c2pa"}
_TOLD = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
_COLOUR = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}
_TRANSPARENT = {0: range(2, 3), 2: range(6, 7)}
_BACKGROUND = {0: {2}, 2: {6}, 3: {1}, 4: {2}, 6: {6}}
_SIGNIFICANT = {0: {1}, 2: {3}, 3: {3}, 4: {2}, 6: {4}}
_MAX_KEPT = 16 << 20
_MAX_PROFILE = 4 << 20
_OVERHEAD = 12
_PALETTE = 3


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of ours."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk: its type and where its data stands."""

    kind: bytes
    start: int
    length: int


@dataclass(slots=True)
class _Animation:
    """What an APNG promised and what has come so far."""

    frames: int | None = None
    headers: int = 0
    sequence: int = 0

    def next(self, untrusted: bytes) -> None:
        """Check that a sequence number is the next one."""
        if self.frames is None or untrusted != struct.pack(">I", self.sequence):
            raise Malformed("an animation's parts are out of order")
        self.sequence += 1


@dataclass(slots=True)
class _Writer:
    """One walk through one PNG; ``pieces`` is what remains of it."""

    source: UntrustedSource
    limits: Limits
    shape: Shape
    pieces: list[Piece] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    colour: icc.Colour | None = None
    seen: set[bytes] = field(default_factory=set)
    animation: _Animation = field(default_factory=_Animation)
    data: ImageData | None = None
    data_kind: bytes = b""
    palette: int = 0
    pixels: int = 0

    def run(self) -> None:
        """Walk from IHDR to IEND."""
        self._count(self.shape)
        chunks, number = self._chunks(), 0
        while True:
            part = next(chunks)
            number += 1
            if number > self.limits.image_parts:
                raise TooComplex("too many chunks")
            if (part.kind == b"IHDR") != (number == 1):
                raise Malformed("a header in the wrong place")
            if part.kind == b"IEND":
                self._finish_data()
                end = part.start + part.length + 4
                if part.length or end < self.source.length:
                    self.told.kinds.add("trailing_data")
                break
            self._take(part)
        promised = self.animation.frames
        if b"IDAT" not in self.seen or promised not in {None, self.animation.headers}:
            raise Malformed("the picture is not all there")

    def _chunks(self) -> Iterator[_Chunk]:
        at = len(SIGNATURE)
        while True:
            length, kind = struct.unpack(">I4s", read_exactly(self.source, at, 8))
            if at + length + _OVERHEAD > self.source.length or not kind.isalpha():
                raise Malformed("a chunk reaches beyond the file")
            yield _Chunk(kind, at + 8, length)
            at += length + _OVERHEAD

    def _windows(self, part: _Chunk) -> Iterator[bytes]:
        """Yield a chunk's data, and raise Malformed at its end if the checksum is wrong."""
        crc = zlib.crc32(part.kind)
        end = part.start + part.length
        for offset in range(part.start, end, WINDOW):
            data = read_exactly(self.source, offset, min(WINDOW, end - offset))
            crc = zlib.crc32(data, crc)
            yield data
        if read_exactly(self.source, end, 4) != struct.pack(">I", crc):
            raise Malformed("a chunk's checksum is wrong")

    def _take(self, part: _Chunk) -> None:
        if part.kind in {b"IDAT", b"fdAT"}:
            self._image_data(part)
            return
        if part.kind == b"fcTL" or b"IDAT" in self.seen:
            self._finish_data()
        keep = part.length <= _MAX_KEPT
        data = b"".join(window for window in self._windows(part) if keep)
        if part.kind in _TOLD:
            self._note(part.kind, data)
        elif part.kind == b"IHDR":
            self.pieces += [SIGNATURE, chunk(b"IHDR", data)]
        elif part.kind in {b"acTL", b"fcTL"}:
            self._animate(part.kind, data)
        elif not self._is_kept(part.kind, data):
            if part.kind[0] < ord("a"):
                raise Malformed("a chunk that no decoder may skip, and nobody knows")
            self.told.kinds.add(_KINDS.get(part.kind, "other_metadata"))
        else:
            self.pieces.append(chunk(part.kind, data))
        self.seen.add(part.kind)

    def _is_kept(self, kind: bytes, data: bytes) -> bool:
        """Tell whether an ancillary chunk stays: known, once, in its place, of its length."""
        length = len(data)
        if kind == b"PLTE":
            self.palette = length // 3
            most = 1 << self.shape.depth if self.shape.colour == _PALETTE else 256
            if not 0 < self.palette <= most or length % 3 or self.seen & {b"IDAT", b"PLTE"}:
                raise Malformed("a palette in the wrong place or of the wrong size")
            return True
        if kind in self.seen or b"IDAT" in self.seen:
            return False
        colour, before_palette = self.shape.colour, b"PLTE" not in self.seen
        transparent = _TRANSPARENT.get(colour, range(0))
        if colour == _PALETTE:
            transparent = range(1, self.palette + 1)
        fits = {
            b"tRNS": length in transparent,
            b"bKGD": length in _BACKGROUND[colour],
            b"sBIT": length in _SIGNIFICANT[colour] and before_palette,
            b"pHYs": length == 9,  # noqa: PLR2004 - two numbers and a unit
        }
        return fits.get(kind, _COLOUR.get(kind) == length and before_palette)

    def _note(self, kind: bytes, data: bytes) -> None:
        """Take what a text, an EXIF block or a profile says that the picture needs."""
        if kind != b"iCCP":
            self.told.take(kind, data)
            return
        self.told.kinds.add("icc_description")
        _, nul, rest = data.partition(b"\0")
        if nul and rest[:1] == b"\0" and not self.seen & {b"PLTE", b"IDAT", b"iCCP"}:
            self.colour = icc.replace(unpack(rest[1:], _MAX_PROFILE))

    def _animate(self, kind: bytes, data: bytes) -> None:
        animation = self.animation
        if kind == b"acTL":
            if len(data) != 8 or self.seen & {b"IDAT", b"acTL", b"fcTL"}:  # noqa: PLR2004 - two numbers
                raise Malformed("an animation that begins in the wrong place")
            animation.frames = int.from_bytes(data[:4], "big")
        else:
            if len(data) != 26:  # noqa: PLR2004 - the length of fcTL
                raise Malformed("a frame header of the wrong length")
            animation.next(data[:4])
            animation.headers += 1
            width, height, left, top = struct.unpack_from(">IIII", data, 4)
            frame = self.shape.resized(width, height)
            if left + width > self.shape.width or top + height > self.shape.height:
                raise Malformed("a frame outside its picture")
            if b"IDAT" in self.seen:
                self._count(frame)
                self.data, self.data_kind = ImageData(frame.raw_length()), b"fdAT"
            elif frame != self.shape:
                raise Malformed("a first frame smaller than its picture")
        self.pieces.append(chunk(kind, data))

    def _count(self, shape: Shape) -> None:
        self.pixels += shape.width * shape.height
        if max(shape.width, shape.height) > self.limits.image_side or (
            self.pixels > self.limits.image_pixels
        ):
            raise TooManyPixels("more pixels than the limit")

    def _image_data(self, part: _Chunk) -> None:
        if part.kind == b"IDAT" and b"IDAT" not in self.seen:
            if self.shape.colour == _PALETTE and not self.palette:
                raise Malformed("a picture without its palette")
            self.data, self.data_kind = ImageData(self.shape.raw_length()), b"IDAT"
            self.seen.add(b"IDAT")
            self._insert_ours()
        if self.data is None or self.data_kind != part.kind:
            raise Malformed("image data in the wrong place")
        used, crc = 0, zlib.crc32(part.kind)
        skip = 4 if part.kind == b"fdAT" else 0
        for window in self._windows(part):
            body = window[skip:]
            if skip:
                self.animation.next(window[:4])
            mine = 0 if self.data.ended else self.data.feed(body)
            crc = zlib.crc32(window[: skip + mine], crc)
            used, skip = used + skip + mine, 0
        if used == part.length:
            self.pieces.append(Range(part.start - 8, part.length + _OVERHEAD))
            return
        self.told.kinds.add("trailing_data")
        if used or part.kind == b"fdAT":
            self.pieces += [
                struct.pack(">I4s", used, part.kind),
                Range(part.start, used),
                struct.pack(">I", crc),
            ]

    def _finish_data(self) -> None:
        if self.data is not None:
            self.data.finish()
            self.data = None

    def _insert_ours(self) -> None:
        """Put our own colour and orientation where decoders look: before palette and data."""
        ours: list[Piece] = []
        colour, greys = self.colour, self.shape.colour in {0, 4}
        if colour is not None and colour.is_srgb and b"sRGB" not in self.seen and not greys:
            ours.append(chunk(b"sRGB", b"\0"))
        elif colour is not None and colour.profile is not None and not colour.is_srgb:
            space = b"GRAY" if greys else b"RGB "
            if colour.profile[16:20] == space:
                ours.append(chunk(b"iCCP", b"icc\0\0" + zlib.compress(colour.profile, 9)))
        block = self.told.block()
        if block:
            ours.append(chunk(b"eXIf", block))
        self.pieces[2:2] = ours


def plan(source: UntrustedSource, limits: Limits) -> tuple[Plan, set[str]]:
    """Return the clean PNG as a plan, and the kinds of what it leaves out.

    Raises a leaf of Refused.
    """
    header = read_exactly(source, 0, 33)
    if header[8:16] != b"\0\0\0\x0dIHDR":
        raise Malformed("a PNG that does not begin with its header")
    writer = _Writer(source, limits, Shape.from_bytes(header[16:29]))
    writer.run()
    return Plan(source, [*writer.pieces, chunk(b"IEND", b"")]), writer.told.kinds
