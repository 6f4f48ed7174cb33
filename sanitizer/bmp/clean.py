"""A bitmap's header made anew, the colours that its pixels use, and the bits that are pixels.

Rule (Microsoft, "Bitmap Storage": BITMAPCOREHEADER to BITMAPV5HEADER): out of the source come its
size, its depth, its masks, the colours that pixels use and the pixels. What fills rows up to four
bytes, the bits that no mask names, gaps, profiles and resolution do not. Run-length coding is
done anew. A profile is dropped: hardly any reader of bitmaps has ever looked at one.
"""

import struct
from dataclasses import dataclass, field

from sanitizer.bmp import check, rle
from sanitizer.errors import Malformed, TooManyPixels, Unsupported
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, Piece, Plan, Range, read_exactly, size_of
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

_FILE_HEADER = 14
_CORE, _INFO, _V2, _V3, _OS2, _V4, _V5 = 12, 40, 52, 56, 64, 108, 124
_RGB, _RLE8, _RLE4, _FIELDS, _ALPHA_FIELDS = 0, 1, 2, 3, 6
FITS = {
    1: {_RGB},
    4: {_RGB, _RLE4},
    8: {_RGB, _RLE8},
    16: {_RGB, _FIELDS, _ALPHA_FIELDS},
    24: {_RGB},
    32: {_RGB, _FIELDS, _ALPHA_FIELDS},
}
"""Bits of a pixel, and how pixels of so many bits may be coded."""
_PALETTE_BITS = 8
_UNNAMED = {16: 0x7FFF, 32: 0xFFFFFF}
_WITH_ALPHA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_PROFILES = {b"DEBM", b"KNIL"}


@dataclass(slots=True)
class _Picture:
    """What the headers say, and what was found in the pixels."""

    width: int
    height: int
    top_down: bool
    bits: int
    coding: int
    colours: int
    start: int
    masks: tuple[int, ...] = ()
    palette: list[bytes] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    @property
    def row(self) -> int:
        """Return the bytes of one row that hold pixels."""
        return (self.width * self.bits + 7) // 8

    @property
    def stride(self) -> int:
        """Return the bytes of one row and of what fills it up."""
        return (self.width * self.bits + 31) // 32 * 4


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return a bitmap with nothing but its picture; raises a leaf of Refused."""
    picture = _read(source, limits)
    if picture.coding in {_RLE4, _RLE8}:
        pixels = _coded(source, picture, limits)
    else:
        pixels = _plain(source, picture)
    plan = Plan(source, [*_headers(picture, sum(map(size_of, pixels))), *pixels])
    check.check(plan.open())
    return Planned(plan, picture.kinds, "image/bmp", "bmp")


def _read(source: UntrustedSource, limits: Limits) -> _Picture:
    head = read_exactly(source, 0, _FILE_HEADER + 4)
    _, reserved, start, size = struct.unpack_from("<IIII", head, 2)
    if size not in {_CORE, _INFO, _V2, _V3, _OS2, _V4, _V5}:
        raise Unsupported("a bitmap with a header that nobody knows")
    header = read_exactly(source, _FILE_HEADER, size)
    picture = _shape(header, start)
    if max(picture.width, picture.height) > limits.image_side or (
        picture.width * picture.height > limits.image_pixels
    ):
        raise TooManyPixels("more pixels than the limit")
    if reserved:
        picture.kinds.add("other_metadata")
    if size == _V5 and header[56:60] in _PROFILES:
        picture.kinds.add("icc_description")
    at = _FILE_HEADER + size
    if picture.coding in {_FIELDS, _ALPHA_FIELDS}:
        at = _read_masks(source, picture, header, at)
    if picture.bits <= _PALETTE_BITS:
        _read_palette(source, picture, size, at)
    elif start == 0:
        picture.start = at
    if picture.start < at:
        raise Malformed("a bitmap whose pixels begin in its header")
    return picture


def _shape(header: bytes, start: int) -> _Picture:
    """Return what the second header says of size, depth and coding."""
    if len(header) == _CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", header, 4)
        coding, colours = _RGB, 0
    else:
        width, height, _, bits, coding = struct.unpack_from("<iiHHI", header, 4)
        (colours,) = struct.unpack_from("<I", header, 32)
    if coding not in FITS.get(bits, set()) or (len(header) == _OS2 and coding == _FIELDS):
        raise Unsupported("a bitmap of a depth or a coding that nobody writes")
    if width <= 0 or height == 0 or (height < 0 and coding in {_RLE8, _RLE4}):
        raise Malformed("a bitmap of a size that cannot be")
    return _Picture(width, abs(height), height < 0, bits, coding, colours, start)


def _read_masks(source: UntrustedSource, picture: _Picture, header: bytes, at: int) -> int:
    """Take the masks out of the header or from behind it; return where they end."""
    if len(header) == _INFO:
        count = 3 if picture.coding == _FIELDS else 4
        masks = struct.unpack(f"<{count}I", read_exactly(source, at, 4 * count))
        at += 4 * count
    else:
        masks = struct.unpack_from("<III" if len(header) == _V2 else "<IIII", header, 40)
    picture.masks = (*masks, 0)[:4]
    if not any(masks) and picture.bits == 32:  # noqa: PLR2004 - a whole pixel
        picture.masks = _WITH_ALPHA
    together = 0
    for mask in picture.masks:
        # One run of ones: adding its lowest bit carries it out of the top.
        if mask & together or mask & (mask + (mask & -mask)) or mask >> picture.bits:
            raise Malformed("masks that are no masks")
        together |= mask
    if not all(picture.masks[:3]):
        raise Malformed("a colour without a mask")
    return at


def _read_palette(source: UntrustedSource, picture: _Picture, size: int, at: int) -> None:
    """Take the colours, and set where the pixels begin if the file does not say so."""
    entry = 3 if size == _CORE else 4
    most = 1 << picture.bits
    count = picture.colours or most
    if picture.start in {0, _FILE_HEADER + size}:
        picture.start = at + entry * count
    # Some writers store fewer colours than they promise; pixels come right behind.
    count = min(count, most, max(0, picture.start - at) // entry)
    data = read_exactly(source, at, entry * count)
    picture.palette = [data[i : i + 3] for i in range(0, len(data), entry)]
    if not picture.palette:
        raise Malformed("a bitmap without its colours")


def _colours(picture: _Picture) -> bytes:
    """Return the palette with black for every colour that no pixel uses.

    A palette of greys in their order says nothing, and readers recognise it: it stays.
    """
    count = len(picture.palette)
    if picture.used and max(picture.used) >= count:
        raise Malformed("a pixel of a colour that is not there")
    greys = [0, 255] if count == 2 else range(count)  # noqa: PLR2004 - black and white
    if picture.palette != [bytes((grey,)) * 3 for grey in greys]:
        picture.palette = [
            colour if number in picture.used else b"\0\0\0"
            for number, colour in enumerate(picture.palette)
        ]
    return b"".join(colour + b"\0" for colour in picture.palette)


def _headers(picture: _Picture, length: int) -> list[Piece]:
    """Return both headers, the masks and the palette, for ``length`` bytes of pixels."""
    palette = _colours(picture) if picture.bits <= _PALETTE_BITS else b""
    size, coding, tail = _INFO, picture.coding, palette
    if picture.masks and picture.masks[3]:
        # Alpha has a place in this header, and in no older one that everybody reads.
        size, coding = _V4, _FIELDS
        tail = struct.pack("<IIII4s", *picture.masks, b"BGRs") + bytes(48)
    elif picture.masks:
        coding, tail = _FIELDS, struct.pack("<III", *picture.masks[:3])
    start = _FILE_HEADER + _INFO + len(tail)
    height = -picture.height if picture.top_down else picture.height
    return [
        struct.pack("<2sIII", b"BM", start + length, 0, start),
        struct.pack("<IiiHHII", size, picture.width, height, 1, picture.bits, coding, length),
        struct.pack("<IIII", 0, 0, len(picture.palette), 0),
        tail,
    ]


def _coded(source: UntrustedSource, picture: _Picture, limits: Limits) -> list[Piece]:
    pixels = picture.width * picture.height
    if pixels > limits.decoded_pixels:
        raise TooManyPixels("more pixels than can be decoded")
    # No pixel takes more than two bytes, no row more than two to end; twice that is too much.
    most = 4 * pixels + 4 * picture.height + 4
    untrusted = source.read_at(picture.start, most)
    coder = rle.Coder(picture.width, picture.height, picture.bits)
    used = coder.run(untrusted)
    picture.used = coder.used
    if picture.start + used < source.length:
        picture.kinds.add("trailing_data")
    return [bytes(coder.made)]


def _plain(source: UntrustedSource, picture: _Picture) -> list[Piece]:
    """Return the rows, in ranges of the source where they are clean and in copies where not."""
    end = picture.start + picture.stride * picture.height
    # The last row may come without what fills it up.
    if end - (picture.stride - picture.row) > source.length:
        raise Malformed("a bitmap that ends before its picture does")
    if end < source.length:
        picture.kinds.add("trailing_data")
    pieces: list[Piece] = []
    step = max(1, WINDOW // picture.stride) * picture.stride
    for at in range(picture.start, end, step):
        length = min(step, end - at)
        data = source.read_at(at, length).ljust(length, b"\0")
        rows = _cleaned(picture, data)
        if rows != data or at + length > source.length:
            # A fourth byte of all ones is what many writers put there, and tells nothing.
            is_usual = picture.bits == 32 and not data[3::4].strip(b"\xff")  # noqa: PLR2004 - a byte to spare
            if rows != data and not is_usual:
                picture.kinds.add("other_metadata")
            pieces.append(rows)
        elif pieces and isinstance(pieces[-1], Range):
            pieces[-1] = Range(pieces[-1].start, pieces[-1].length + length)
        else:
            pieces.append(Range(at, length))
    return pieces


def _cleaned(picture: _Picture, data: bytes) -> bytes:
    """Return some whole rows with zeros in every bit that is no pixel; note the colours used."""
    if picture.bits in _UNNAMED:
        data = _masked(picture, data)
    rows = bytearray(data)
    count = len(rows) // picture.stride
    spare = picture.row * 8 - picture.width * picture.bits
    if spare:
        kept = 0xFF << spare & 0xFF
        last = slice(picture.row - 1, None, picture.stride)
        rows[last] = rows[last].translate(bytes(byte & kept for byte in range(256)))
    for column in range(picture.row, picture.stride):
        rows[column :: picture.stride] = bytes(count)
    if picture.bits <= _PALETTE_BITS:
        mask = (1 << picture.bits) - 1
        for byte in set(rows):
            picture.used.update(byte >> shift & mask for shift in range(0, 8, picture.bits))
    return bytes(rows)


def _masked(picture: _Picture, data: bytes) -> bytes:
    """Return rows with zeros in the bits that no mask names."""
    named = sum(picture.masks) or _UNNAMED[picture.bits]
    size = picture.bits // 8
    if named == (1 << picture.bits) - 1:
        return data
    every = int.from_bytes(named.to_bytes(size, "little") * (len(data) // size), "little")
    return (int.from_bytes(data, "little") & every).to_bytes(len(data), "little")
