"""PNG and APNG by chunks: an allow-list of what a decoder needs, image data kept bit by bit.

Rule (W3C PNG, third edition): each chunk's checksum and length are proven; the compressed data
is unpacked as it streams by and must hold exactly the pixels that IHDR declares, so that nothing
hides behind its end; text, times, profiles, private chunks and all after IEND go. What stays is
written anew, in one order and in the few forms of sanitizer.png.forms; data is cut into chunks of
one length.  Colours of a palette go where no pixel has them, and palettes that only suggest.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer import icc
from sanitizer.errors import Malformed, TooComplex, TooManyPixels
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, Piece, Plan, read_exactly
from sanitizer.png import forms
from sanitizer.png.data import ImageData, Shape, unpack
from sanitizer.png.palette import Palette, Rows
from sanitizer.png.stream import Cut
from sanitizer.png.text import Told
from sanitizer.source import UntrustedSource

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {b"tIME": "capture_time", b"caBX": "c2pa"}
_TOLD = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
_COLOUR = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}
_ORDER = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"pHYs", b"eXIf", b"acTL")
_TRANSPARENT = {0: range(2, 3), 2: range(6, 7)}
_SIGNIFICANT = {0: {1}, 2: {3}, 3: {3}, 4: {2}, 6: {4}}
_MAX_KEPT = 16 << 20
_MAX_PROFILE = 4 << 20
_OVERHEAD = 12
_PALETTE = 3
_MOST_COLOURS = 256
_MOST_DISPOSALS, _MOST_BLENDS = 2, 1


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
    """One walk through one PNG: ``kept`` chunks by their kind, ``body`` the frames and data."""

    source: UntrustedSource
    limits: Limits
    shape: Shape
    kept: dict[bytes, bytes] = field(default_factory=dict)
    body: list[Piece] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    colour: icc.Colour | None = None
    seen: set[bytes] = field(default_factory=set)
    animation: _Animation = field(default_factory=_Animation)
    data: ImageData | None = None
    data_kind: bytes = b""
    cut: Cut = field(init=False)
    palette: Palette | None = None
    pixels: int = 0

    def run(self) -> None:
        """Walk from IHDR to IEND."""
        self._count(self.shape)
        self.cut = Cut(b"", self.body)
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

    def pieces(self) -> list[Piece]:
        """Return the clean PNG: our chunks in one order, then the data."""
        self._add_ours()
        made: list[Piece] = [SIGNATURE, chunk(b"IHDR", self.kept[b"IHDR"])]
        made += [chunk(kind, self.kept[kind]) for kind in _ORDER if kind in self.kept]
        colours, alphas = self.kept.get(b"PLTE"), self.kept.get(b"tRNS")
        if self.palette and colours:
            made.append(chunk(b"PLTE", self.palette.emptied(colours)))
            alphas = self.palette.without_unused(alphas or b"")
        if alphas:
            made.append(chunk(b"tRNS", alphas))
        return [*made, *self.body, chunk(b"IEND", b"")]

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
        # What stands between the parts of a frame does not end it; IDAT ends at the next chunk.
        if part.kind == b"fcTL" or self.data_kind == b"IDAT":
            self._finish_data()
        keep = part.length <= _MAX_KEPT
        data = b"".join(window for window in self._windows(part) if keep)
        if part.kind in _TOLD:
            self._note(part.kind, data)
        elif part.kind == b"IHDR":
            self.kept[b"IHDR"] = data
        elif part.kind == b"acTL":
            self._animate(data)
        elif part.kind == b"fcTL":
            self._frame(data)
        elif not self._is_kept(part.kind, data):
            if part.kind[0] < ord("a") and part.kind != b"PLTE":
                raise Malformed("a chunk that no decoder may skip, and nobody knows")
            self.told.kinds.add(_KINDS.get(part.kind, "other_metadata"))
        self.seen.add(part.kind)

    def _is_kept(self, kind: bytes, data: bytes) -> bool:
        """Tell whether an ancillary chunk stays: known, once, in its place, of its length."""
        length, colour = len(data), self.shape.colour
        if kind == b"PLTE":
            most = 1 << self.shape.depth if colour == _PALETTE else _MOST_COLOURS
            if not 0 < length // 3 <= most or length % 3 or self.seen & {b"IDAT", b"PLTE"}:
                raise Malformed("a palette in the wrong place or of the wrong size")
            # In a picture of true colours it only suggests some to old screens.
            if colour != _PALETTE:
                return False
            self.palette = Palette(length // 3, self.shape.depth)
            self.kept[kind] = data
            return True
        if kind in self.seen or b"IDAT" in self.seen:
            return False
        if kind == b"tRNS" and self.palette and 0 < length <= self.palette.size:
            self.kept[kind] = data
            return True
        before_palette = b"PLTE" not in self.seen
        fits = {
            b"tRNS": length in _TRANSPARENT.get(colour, ()),
            b"sBIT": length in _SIGNIFICANT[colour] and before_palette,
            b"pHYs": length == 9,  # noqa: PLR2004 - two numbers and a unit
        }
        if not fits.get(kind, _COLOUR.get(kind) == length and before_palette):
            return False
        form = forms.form(kind, data, 8 if colour == _PALETTE else self.shape.depth)
        if form is not None:
            self.kept[kind] = form
        return True

    def _note(self, kind: bytes, data: bytes) -> None:
        """Take what a text, an EXIF block or a profile says that the picture needs."""
        if kind != b"iCCP":
            self.told.take(kind, data)
            return
        self.told.kinds.add("icc_description")
        _, nul, rest = data.partition(b"\0")
        if nul and rest[:1] == b"\0" and not self.seen & {b"PLTE", b"IDAT", b"iCCP"}:
            self.colour = icc.replace(unpack(rest[1:], _MAX_PROFILE))

    def _animate(self, data: bytes) -> None:
        if len(data) != 8 or self.seen & {b"IDAT", b"acTL", b"fcTL"}:  # noqa: PLR2004 - two numbers
            raise Malformed("an animation that begins in the wrong place")
        self.animation.frames, times = struct.unpack(">II", data)
        self.kept[b"acTL"] = data[:4] + struct.pack(">I", forms.plays(times))

    def _frame(self, data: bytes) -> None:
        if len(data) != 26:  # noqa: PLR2004 - the length of fcTL
            raise Malformed("a frame header of the wrong length")
        self.animation.next(data[:4])
        self.animation.headers += 1
        width, height, left, top = struct.unpack_from(">IIII", data, 4)
        frame = self.shape.resized(width, height)
        if left + width > self.shape.width or top + height > self.shape.height:
            raise Malformed("a frame outside its picture")
        if data[24] > _MOST_DISPOSALS or data[25] > _MOST_BLENDS:
            raise Malformed("a frame drawn in a way that is none")
        if b"IDAT" in self.seen:
            self._count(frame)
            is_first = self.animation.headers == 1 and frame == self.shape
            if is_first:
                self._forget_default()
            self._begin(b"fdAT", frame)
            self.cut.kind = b"IDAT" if is_first else b"fdAT"
        elif frame != self.shape or b"fcTL" in self.seen:
            raise Malformed("a first frame smaller than its picture, or two of them")
        self.body.append(chunk(b"fcTL", struct.pack(">I", self.cut.sequence) + data[4:]))
        self.cut.sequence += 1

    def _count(self, shape: Shape) -> None:
        self.pixels += shape.width * shape.height
        if max(shape.width, shape.height) > self.limits.image_side or (
            self.pixels > self.limits.image_pixels
        ):
            raise TooManyPixels("more pixels than the limit")

    def _forget_default(self) -> None:
        """Let the first frame stand for a default picture that no animation shows."""
        self.told.kinds.add("hidden_frames")
        self.body.clear()
        if self.palette:
            self.palette = Palette(self.palette.size, self.shape.depth)

    def _begin(self, kind: bytes, shape: Shape) -> None:
        rows = Rows(self.palette, shape.passes()) if self.palette else None
        self.data = ImageData(shape.raw_length(), rows)
        self.data_kind = self.cut.kind = kind

    def _image_data(self, part: _Chunk) -> None:
        if part.kind == b"IDAT" and b"IDAT" not in self.seen:
            if self.shape.colour == _PALETTE and not self.palette:
                raise Malformed("a picture without its palette")
            self._begin(b"IDAT", self.shape)
            self.seen.add(b"IDAT")
        if self.data is None or self.data_kind != part.kind:
            raise Malformed("image data in the wrong place")
        skip = 4 if part.kind == b"fdAT" else 0
        start, used = part.start, skip
        for window in self._windows(part):
            body = window[skip:]
            if skip:
                self.animation.next(window[:4])
            mine = 0 if self.data.ended else self.data.feed(body)
            self.cut.add(start + skip, body[:mine])
            start, used, skip = start + len(window), used + mine, 0
        if used < part.length:
            self.told.kinds.add("trailing_data")

    def _finish_data(self) -> None:
        if self.data is not None:
            self.data.finish()
            self.cut.finish()
            self.data = None

    def _add_ours(self) -> None:
        """Add our own colour and orientation to what is kept."""
        colour, greys = self.colour, self.shape.colour in {0, 4}
        if colour is not None and colour.is_srgb and not greys:
            self.kept.setdefault(b"sRGB", b"\0")
        elif colour is not None and colour.profile is not None and not colour.is_srgb:
            space = b"GRAY" if greys else b"RGB "
            if colour.profile[16:20] == space:
                self.kept[b"iCCP"] = b"icc\0\0" + zlib.compress(colour.profile, 9)
                # Decoders believe the profile.
                self.kept.pop(b"sRGB", None)
        block = self.told.block()
        if block:
            self.kept[b"eXIf"] = block


def plan(source: UntrustedSource, limits: Limits) -> tuple[Plan, set[str]]:
    """Return the clean PNG as a plan, and the kinds of what it leaves out.

    Raises a leaf of Refused.
    """
    header = read_exactly(source, 0, 33)
    if header[8:16] != b"\0\0\0\x0dIHDR":
        raise Malformed("a PNG that does not begin with its header")
    writer = _Writer(source, limits, Shape.from_bytes(header[16:29]))
    writer.run()
    return Plan(source, writer.pieces()), writer.told.kinds
