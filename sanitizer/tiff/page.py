"""One picture of a TIFF: its shape, and the numbers that make its samples a picture.

Rule (TIFF 6.0, sections 3 to 23): every number is read into a field with bounds, and nothing that
is not a field here is ever written. Camera raw files and unusual codings are refused by name.
"""

from dataclasses import dataclass
from fractions import Fraction

from sanitizer import icc
from sanitizer.errors import Malformed, TooManyPixels, Unsupported
from sanitizer.limits import Limits
from sanitizer.ratio import common
from sanitizer.tiff.read import Directory, Reader

NONE, LZW, JPEG, DEFLATE, PACK_BITS = 1, 5, 7, 8, 32773
OLD_DEFLATE = 32946
FAX = {2, 3, 4}
_PREDICTED = {LZW, DEFLATE, OLD_DEFLATE}
_CODINGS = {NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS, *FAX}
_REFUSED = {
    6: "a JPEG of the old kind in a TIFF", 34712: "JPEG 2000 in a TIFF", 34887: "LERC in a TIFF",
    50000: "Zstandard in a TIFF", 50001: "WebP in a TIFF", 50002: "JPEG XL in a TIFF",
    34661: "JBIG in a TIFF", 34925: "LZMA in a TIFF",
}  # fmt: skip
_RAW = {32803, 34892}
WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
_CHANNELS = {WHITE: 1, BLACK: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}
_SPACES = {
    WHITE: b"GRAY",
    BLACK: b"GRAY",
    RGB: b"RGB ",
    CMYK: b"CMYK",
    YCBCR: b"RGB ",
    LAB: b"Lab ",
}
LUMA = {(2990, 5870, 1140), (2126, 7152, 722), (2125, 7154, 721)}
"""The weights of BT.601, and of BT.709 in two spellings."""
_FORMATS = {1, 2, 3, 4}
_MAX_BITS = 64
_MAX_PALETTE_BITS = 8
_FLOATS = 3
_MAX_EXTRA = 1
_TURNS = range(1, 9)
_TILE_SIDE = 512
_DNG_VERSION, _TILE_WIDTH = 50706, 322
_MOST_RATIO = 0xFFFF
_INCH = 2


@dataclass(frozen=True, slots=True)
class Page:
    """One picture. ``rows`` and ``columns`` are those of one strip or tile; sides in pixels."""

    width: int
    height: int
    bits: int
    coding: int
    photometric: int
    samples: int
    planes: int
    is_reversed: bool
    predictor: int
    orientation: int
    columns: int
    rows: int
    is_tiled: bool
    extra: tuple[int, ...]
    formats: int
    subsampling: tuple[int, int]
    positioning: int
    unit: int
    """1 where ``ratio`` is the shape of a pixel, 2 where it is how many make an inch."""
    ratio: tuple[int, int]
    palette: tuple[int, ...]
    coefficients: tuple[int, ...]
    reference: tuple[int, ...]
    profile: bytes
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    fax_options: int
    jpeg_tables: bytes

    @property
    def across(self) -> int:
        """How many strips or tiles stand side by side."""
        return -(-self.width // self.columns)

    @property
    def down(self) -> int:
        """How many strips or tiles stand one below the other."""
        return -(-self.height // self.rows)

    @property
    def parts(self) -> int:
        """How many strips or tiles there are, over all planes."""
        return self.across * self.down * (self.samples if self.planes > 1 else 1)

    def rows_of(self, place: int) -> int:
        """Return how many rows of the picture a strip or tile holds."""
        row = place % (self.across * self.down) // self.across
        return min(self.rows, self.height - row * self.rows)

    def columns_of(self, place: int) -> int:
        """Return how many columns of the picture a strip or tile holds."""
        return min(self.columns, self.width - place % self.across * self.columns)

    def row_bits(self, columns: int) -> int:
        """Return the bits of one row of a strip or tile of so many columns."""
        return columns * self.bits * (1 if self.planes > 1 else self.samples)

    def raw_length(self, place: int) -> int:
        """Return how many bytes the samples of a strip or tile take."""
        rows = self.rows if self.is_tiled else self.rows_of(place)
        if self.is_subsampled:
            across, down = self.subsampling
            unit = (across * down + 2) * self.bits // 8
            return -(-self.columns // across) * -(-rows // down) * unit
        return -(-self.row_bits(self.columns) // 8) * rows

    @property
    def is_subsampled(self) -> bool:
        """Whether luma and chroma stand in units of several pixels (section 21)."""
        return self.photometric == YCBCR and self.coding != JPEG and self.planes == 1


def _one(reader: Reader, directory: Directory, tag: int, default: int) -> int:
    return next(iter(reader.numbers(directory, tag)), default)


def is_raw(reader: Reader, directory: Directory) -> bool:
    """Tell whether a directory is one of a camera's raw file: DNG's version, a sensor's samples."""
    return _DNG_VERSION in directory.tags or _one(reader, directory, 262, 0) in _RAW


def page(reader: Reader, directory: Directory, limits: Limits) -> Page:
    """Read one picture; raises Malformed, Unsupported, TooManyPixels."""
    one = _Numbers(reader, directory)
    width, height = one(256, 0), one(257, 0)
    if not width or not height:
        raise Malformed("a picture without its size")
    if max(width, height) > limits.image_side or width * height > limits.image_pixels:
        raise TooManyPixels("more pixels than the limit")
    coding, photometric = one(259, NONE), one(262, -1)
    if coding not in _CODINGS:
        raise Unsupported(_REFUSED.get(coding, "a coding that is not known here"))
    if photometric not in _CHANNELS:
        raise Unsupported("a kind of colour that is not known here")
    samples, planes = one(277, 1), one(284, 1)
    extra, bits = _depth(one, photometric, samples)
    if planes not in {1, 2}:
        raise Malformed("planes that cannot be")
    is_tiled = _TILE_WIDTH in directory.tags
    columns, rows = (one(322, 0), one(323, 0)) if is_tiled else (width, one(278, height))
    rows = rows if is_tiled else min(rows, height)
    if not 0 < columns <= limits.image_side or not 0 < rows <= limits.image_side:
        raise Malformed("parts without a size")
    subsampling = one.all(530) or (2, 2)
    if len(subsampling) != 2 or not set(subsampling) <= {1, 2, 4}:  # noqa: PLR2004 - across and down
        raise Malformed("colour that is spread in a way that cannot be")
    orientation = one(274, 1)
    unit, shape = _density(reader, directory, one(296, _INCH))
    made = Page(
        width=width,
        height=height,
        bits=bits,
        coding=DEFLATE if coding == OLD_DEFLATE else coding,
        photometric=photometric,
        samples=samples,
        planes=planes if samples > 1 else 1,
        is_reversed=one(266, 1) == 2 and coding != JPEG,  # noqa: PLR2004 - TIFF's FillOrder
        predictor=one(317, 1) if coding in _PREDICTED else 1,
        orientation=orientation if orientation in _TURNS else 1,
        columns=columns,
        rows=rows,
        is_tiled=is_tiled,
        extra=extra,
        formats=one(339, 1),
        subsampling=(subsampling[0], subsampling[1]),
        positioning=2 if one(531, 1) == 2 else 1,  # noqa: PLR2004 - cosited
        unit=unit,
        ratio=shape,
        palette=_palette(one, photometric, bits),
        coefficients=_coefficients(reader, directory),
        reference=_reference(reader, directory, bits),
        profile=_profile(reader, directory, photometric),
        offsets=one.all(324 if is_tiled else 273),
        counts=one.all(325 if is_tiled else 279),
        fax_options=one(292, 0) if coding == 3 else 0,  # noqa: PLR2004 - T.4
        jpeg_tables=reader.octets(directory, 347) if coding == JPEG else b"",
    )
    _check(made)
    return made


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A directory's whole numbers by tag."""

    reader: Reader
    directory: Directory

    def __call__(self, tag: int, default: int) -> int:
        return _one(self.reader, self.directory, tag, default)

    def all(self, tag: int) -> tuple[int, ...]:
        return self.reader.numbers(self.directory, tag)


def _depth(one: _Numbers, photometric: int, samples: int) -> tuple[tuple[int, ...], int]:
    """Return the extra samples and the bits of every sample."""
    extra = one.all(338)
    depths = set(one.all(258) or (1,))
    if samples != _CHANNELS[photometric] + len(extra):
        # A writer that forgot to say what its one extra sample is.
        if samples != _CHANNELS[photometric] + 1 or extra:
            raise Malformed("samples that do not make a colour")
        extra = (0,)
    if len(extra) > _MAX_EXTRA:
        raise Unsupported("more samples than a picture shows")
    if len(depths) != 1 or not set(extra) <= {0, 1, 2}:
        raise Unsupported("samples of different kinds")
    if len(set(one.all(339) or (1,))) != 1 or one(332, 1) != 1:
        raise Unsupported("samples of different kinds")
    return extra, depths.pop()


def _check(made: Page) -> None:
    """Raise where the numbers contradict each other."""
    number = made.parts
    if not 1 <= made.bits <= _MAX_BITS or made.formats not in _FORMATS:
        raise Malformed("samples that cannot be")
    # A picture of one strip that is not coded is as long as its samples.
    lengths = number if made.counts or number > 1 or made.coding != NONE else 0
    if len(made.offsets) < number or len(made.counts) < lengths:
        raise Malformed("a picture whose parts are not all there")
    if made.predictor not in {1, 2, 3} or (
        made.predictor > 1 and (made.bits % 8 or made.is_subsampled or made.palette)
    ):
        raise Unsupported("a prediction that is not known here")
    overhangs = made.width % made.columns or made.height % made.rows
    if (
        made.is_tiled
        and overhangs
        and (
            made.is_subsampled
            or made.predictor == _FLOATS
            or (made.coding == JPEG and max(made.columns, made.rows) > _TILE_SIDE)
        )
    ):
        raise Unsupported("tiles that hold more than the picture")
    if made.is_subsampled and made.bits not in {8, 16}:
        raise Unsupported("a kind of colour that is not known here")
    if made.coding in FAX and (made.bits, made.samples, made.photometric > 1) != (1, 1, False):
        raise Malformed("a fax that is not black and white")
    if made.coding == JPEG and (made.bits not in {8, 12} or made.photometric == PALETTE):
        raise Malformed("a JPEG of samples that it cannot have")


def _palette(one: _Numbers, photometric: int, bits: int) -> tuple[int, ...]:
    if photometric != PALETTE:
        return ()
    colours = one.all(320)
    if bits > _MAX_PALETTE_BITS:
        raise Unsupported("a palette of more than 256 colours")
    if len(colours) != 3 << bits or max(colours) > _MOST_RATIO:
        raise Malformed("a palette of the wrong size")
    return colours


def _density(reader: Reader, directory: Directory, unit: int) -> tuple[int, tuple[int, int]]:
    """Return a unit and how many pixels it has each way: a common size, or a shape (unit 1)."""
    sides = [next(iter(reader.ratios(directory, tag)), (0, 0)) for tag in (282, 283)]
    if any(0 in side for side in sides):
        return 1, (1, 1)
    across, down = (Fraction(*side) for side in sides)
    inch = common(across, down) if unit == _INCH else None
    if inch:
        return _INCH, (inch, inch)
    ratio = across / down
    if max(ratio.numerator, ratio.denominator) > _MOST_RATIO:
        return 1, (1, 1)
    return 1, (ratio.numerator, ratio.denominator)


def _coefficients(reader: Reader, directory: Directory) -> tuple[int, ...]:
    """Return the weights of red, green and blue in luma, in ten-thousandths; empty for BT.601."""
    told = reader.ratios(directory, 529)
    if not told:
        return ()
    weights = tuple(round(10_000 * part / (whole or 1)) for part, whole in told)
    if weights not in LUMA:
        raise Unsupported("a kind of colour that is not known here")
    return weights


def _reference(reader: Reader, directory: Directory, bits: int) -> tuple[int, ...]:
    """Return the codes of black and white in each plane, if they are codes."""
    told = reader.ratios(directory, 532)
    if not told:
        return ()
    codes = tuple(part // (whole or 1) for part, whole in told)
    if len(codes) != 6 or max(codes) >> min(bits, 16):  # noqa: PLR2004 - two for each plane
        raise Unsupported("a kind of colour that is not known here")
    return codes


def _profile(reader: Reader, directory: Directory, photometric: int) -> bytes:
    told = reader.octets(directory, 34675)
    profile = (icc.replace(told).profile if told else None) or b""
    return profile if profile[16:20] == _SPACES.get(photometric) else b""
