"""WebP by chunks: a container of ours around pictures that hold nothing but pixels.

Rule (RFC 9649): what stays is the canvas, for each frame its place, time and way of blending, the
loop count, a colour profile of ours, and an EXIF of one tag where a picture would else lie on its
side. Lossy pictures are cut to the bytes that their pixels need (sanitizer.webp.lossy); lossless
ones and alpha channels are coded anew, pixel by pixel the same. All else is gone: EXIF, XMP,
unknown chunks at the top and in frames, reserved bits, scaling hints, the background colour that
viewers ignore, bytes between chunks, behind pictures and behind the end.
"""

import struct
from dataclasses import dataclass, field

from sanitizer import exif, icc
from sanitizer.errors import Empty, Malformed, TooManyPixels
from sanitizer.limits import Limits
from sanitizer.pieces import Piece, Plan, read_exactly
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource
from sanitizer.webp import check
from sanitizer.webp.chunks import Chunk, Walker, chunk, file_of, whole
from sanitizer.webp.lossy import Frame, trimmed
from sanitizer.webp.pixels import Pixels, extended, is_large

_ICC, _ALPHA, _EXIF, _ANIMATION = 0x20, 0x10, 0x08, 0x02
_PICTURES = {b"VP8 ", b"VP8L"}
_KINDS = {b"C2PA": "c2pa", b"ANMF": "hidden_frames"}
_MAX_PROFILE = 4 << 20
_FRAME_HEADER = 16
_BLENDING = 0x03
_LOSSLESS_HEAD = 5
_CODERS_OWN = 8


@dataclass(slots=True)
class _Image:
    """One picture: its VP8 or VP8L chunk, its alpha channel, its frame header."""

    place: bytes = b""
    alpha: Chunk | None = None
    coded: Chunk | None = None
    size: tuple[int, int] = (0, 0)
    has_alpha: bool = False

    def most(self, limits: Limits) -> int:
        """Return how many pixels it may have, by what has to be done with them."""
        if self.alpha is None and self.coded is not None and self.coded.kind == b"VP8 ":
            return limits.decoded_pixels
        return limits.recoded_pixels

    def take(self, part: Chunk, source: UntrustedSource) -> bool:
        """Take a chunk that belongs to the picture; tell whether it does."""
        if part.kind == b"ALPH" and self.alpha is None and self.coded is None:
            self.alpha = part
            return True
        if part.kind not in _PICTURES or self.coded is not None:
            return False
        self.coded = part
        if part.kind == b"VP8 ":
            self.has_alpha = self.alpha is not None
            frame = part.read(source, 10)
            if len(frame) == 10:  # noqa: PLR2004 - up to its size
                width, height = struct.unpack_from("<HH", frame, 6)
                self.size = (width & 0x3FFF, height & 0x3FFF)
        else:
            head = part.read(source, _LOSSLESS_HEAD)
            if len(head) != _LOSSLESS_HEAD or head[0] != 0x2F or head[4] >> 5:  # noqa: PLR2004 - its signature
                raise Malformed("a picture that does not begin like one")
            bits = int.from_bytes(head[1:], "little")
            self.size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            self.has_alpha = bool(bits >> 28 & 1)
        return True


@dataclass(slots=True)
class _Reader:
    """One walk through one WebP."""

    source: UntrustedSource
    limits: Limits
    walker: Walker
    canvas: tuple[int, int] = (0, 0)
    flags: int = 0
    loops: bytes | None = None
    images: list[_Image] = field(default_factory=list)
    profile: bytes | None = None
    by_exif: int | None = None
    by_xmp: int | None = None
    kinds: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Walk over all chunks, and decide what the picture is."""
        magic, length, name = struct.unpack("<4sI4s", read_exactly(self.source, 0, 12))
        if magic != b"RIFF" or name != b"WEBP":
            raise Malformed("a WebP that does not begin like one")
        end = min(8 + length, self.source.length)
        if end < self.source.length:
            self.kinds.add("trailing_data")
        parts = self.walker.walk(12, end)
        first = next(parts, None)
        if first is None:
            raise Empty("a WebP without a picture")
        still = _Image()
        if first.kind == b"VP8X":
            self._header(first.read(self.source, 10))
        elif first.kind not in _PICTURES:
            raise Malformed("a WebP that does not begin with a picture")
        else:
            still.take(first, self.source)
        for part in parts:
            self._take(part, still)
        self._settle(still)
        self._measure()

    def _settle(self, still: _Image) -> None:
        """Decide between a still picture and an animation."""
        if self.flags & _ANIMATION:
            if still.coded is not None or still.alpha is not None:
                raise Malformed("a picture outside an animation")
        elif still.coded is not None:
            self.images.append(still)
        if not self.images:
            raise Empty("a WebP without a picture")
        if self.canvas == (0, 0):
            self.canvas = still.size

    def _header(self, data: bytes) -> None:
        if len(data) != 10:  # noqa: PLR2004 - its length
            raise Malformed("a header that is too short")
        self.flags = data[0]
        width = int.from_bytes(data[4:7], "little") + 1
        self.canvas = (width, int.from_bytes(data[7:10], "little") + 1)

    def _take(self, part: Chunk, still: _Image) -> None:
        is_extended = self.canvas != (0, 0)
        if part.kind in {b"EXIF", b"XMP ", b"ICCP"}:
            self._note(part, is_extended=is_extended)
        elif is_extended and self.flags & _ANIMATION and part.kind == b"ANIM":
            if part.length < 6:  # noqa: PLR2004 - a colour and a count
                raise Malformed("an animation's header that is too short")
            self.loops = self.loops or part.read(self.source, 6)[4:]
        elif is_extended and self.flags & _ANIMATION and part.kind == b"ANMF":
            self._frame(part)
        elif not is_extended or not still.take(part, self.source):
            self.kinds.add(_KINDS.get(part.kind, "other_metadata"))

    def _note(self, part: Chunk, *, is_extended: bool) -> None:
        """Take what EXIF, XMP or a profile says that the picture needs."""
        data = part.read(self.source)
        if part.kind == b"ICCP":
            self.kinds.add("icc_description")
            if is_extended and self.profile is None:
                self.profile = data[: _MAX_PROFILE + 1]
            return
        if part.kind == b"XMP ":
            self.kinds.add("xmp")
            found = exif.xmp_orientation(data)
            self.by_xmp = self.by_xmp or (found if is_extended else None)
            return
        block = exif.read(data.removeprefix(b"Exif\0\0"))
        self.kinds |= block.kinds
        self.by_exif = self.by_exif or (block.orientation if is_extended else None)

    def _frame(self, part: Chunk) -> None:
        """Take a frame of an animation: where, how long, and its picture."""
        head = part.read(self.source, _FRAME_HEADER)
        if len(head) != _FRAME_HEADER:
            raise Malformed("a frame without its header")
        # Reserved bits go.
        image = _Image(head[:15] + bytes((head[15] & _BLENDING,)))
        for inner in self.walker.walk(part.start + _FRAME_HEADER, part.start + part.length):
            if not image.take(inner, self.source):
                self.kinds.add(_KINDS.get(inner.kind, "other_metadata"))
        if image.coded is None:
            raise Malformed("a frame without a picture")
        self.images.append(image)

    def _measure(self) -> None:
        """Check sizes against the canvas and the limits before anything is decoded."""
        width, height = self.canvas
        total = 0
        for image in self.images:
            left, top, across, down = 0, 0, width, height
            if image.place:
                left, top, across, down = (
                    int.from_bytes(image.place[at : at + 3], "little") for at in (0, 3, 6, 9)
                )
                left, top, across, down = 2 * left, 2 * top, across + 1, down + 1
            if (across, down) != image.size:
                raise Malformed("a picture of another size than its frame")
            if left + across > width or top + down > height:
                raise Malformed("a frame outside its canvas")
            total += across * down
            if across * down > image.most(self.limits):
                raise TooManyPixels("more pixels than can be decoded")
        # Whoever shows an animation holds its whole canvas; so does our second reader.
        if total > self.limits.image_pixels or width * height > self.limits.decoded_pixels:
            raise TooManyPixels("more pixels than the limit")


@dataclass(slots=True)
class _Writer:
    """Makes the clean file out of what was read; ``pixels`` does what needs a decoder."""

    reader: _Reader
    pixels: Pixels
    is_rebuilt: bool = False

    def pieces(self) -> list[Piece]:
        """Return the clean WebP."""
        reader = self.reader
        body: list[list[Piece]] = []
        head: list[list[Piece]] = []
        is_animated = bool(reader.flags & _ANIMATION)
        for image in reader.images:
            made = self._picture(image)
            inside = [piece for each in made for piece in each]
            body += [chunk(b"ANMF", image.place, *inside)] if is_animated else made
        flags = _ANIMATION if is_animated else 0
        has_alpha = any(image.has_alpha for image in reader.images)
        # Of an animation, readers believe the header about alpha; a simple file needs no header.
        if is_animated and reader.flags & _ALPHA:
            has_alpha = True
        needs_header = len(body) > 1
        profile = self._profile()
        orientation = reader.by_exif or reader.by_xmp or 1
        if profile:
            flags |= _ICC
            head.append(chunk(b"ICCP", profile))
        if is_animated:
            head.append(chunk(b"ANIM", bytes(4), reader.loops or b"\0\0"))
        if orientation != 1:
            flags |= _EXIF
            body.append(chunk(b"EXIF", exif.of_orientation(orientation)[6:]))
        if flags or needs_header:
            flags |= _ALPHA if has_alpha else 0
            head.insert(0, chunk(b"VP8X", extended(flags, *reader.canvas)))
        return file_of(*head, *body)

    def _profile(self) -> bytes | None:
        """Return a profile of ours where the source's said something else than sRGB."""
        untrusted = self.reader.profile
        if untrusted is None:
            return None
        colour = icc.replace(untrusted)
        if colour.is_srgb or colour.profile is None or colour.profile[16:20] != b"RGB ":
            return None
        return colour.profile

    def _picture(self, image: _Image) -> list[list[Piece]]:
        """Return the chunks of one picture: an alpha channel, and what is coded."""
        source, part = self.reader.source, image.coded
        width, height = image.size
        assert part is not None  # noqa: S101 - _Reader keeps none without
        untrusted = read_exactly(source, part.start, part.length)
        if part.kind == b"VP8L":
            made, had_more = self.pixels.lossless(untrusted, width * height)
            self._recoded(had_more=had_more)
            return [chunk(b"VP8L", made)]
        lossy = trimmed(untrusted, self._digest)
        # Coders leave a few bytes at a partition's end; more than that is somebody's.
        if len(untrusted) - len(lossy) > _CODERS_OWN * len(Frame.from_bytes(lossy).parts):
            self.reader.kinds.add("trailing_data")
        chunks = [chunk(b"VP8 ", lossy)]
        if image.alpha is not None:
            alpha = read_exactly(source, image.alpha.start, image.alpha.length)
            channel, had_more = self.pixels.alpha(alpha, lossy, image.size)
            self._recoded(had_more=had_more)
            chunks.insert(0, chunk(b"ALPH", channel))
        return chunks

    def _recoded(self, *, had_more: bool) -> None:
        self.is_rebuilt = True
        if had_more:
            self.reader.kinds.add("trailing_data")

    def _digest(self, frame: bytes) -> bytes | None:
        size = Frame.from_bytes(frame)
        return self.pixels.digest(whole(chunk(b"VP8 ", frame)), size.width * size.height)


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return a WebP with nothing but its pictures; raises a leaf of Refused."""
    reader = _Reader(source, limits, Walker(source, limits.image_parts))
    reader.run()
    total = sum(width * height for width, height in (image.size for image in reader.images))
    more = limits.decoding_pixels_per_byte * source.length
    most = min(limits.decoding_pixels, limits.small_decoding_pixels + more)
    writer = _Writer(reader, Pixels(most, is_large(total)))
    plan = Plan(source, writer.pieces())
    check.check(plan.open())
    return Planned(plan, reader.kinds, "image/webp", "webp", is_rebuilt=writer.is_rebuilt)
