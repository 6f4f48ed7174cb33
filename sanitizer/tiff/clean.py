"""TIFF and BigTIFF: every page that is a picture, written anew.

Rule (TIFF 6.0): read, write, then let two readers look at the result who share no code with the
writer. Thumbnails, sub-directories, EXIF, GPS, XMP, IPTC, private tags and gaps are left behind;
a camera's raw file is refused, for its picture is what its private tags say.
"""

from sanitizer import reread
from sanitizer.errors import Empty, Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.pieces import Plan, Range
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource
from sanitizer.tiff.check import check
from sanitizer.tiff.page import NONE, Page, is_raw, page
from sanitizer.tiff.read import Directory, Reader
from sanitizer.tiff.write import Writer

_SUB, _EXIF, _GPS = 330, 34665, 34853
_KINDS = {
    269: "comment", 270: "comment", 271: "camera_model", 272: "camera_model", 285: "comment",
    305: "software", 306: "capture_time", 315: "author", 316: "other_metadata", 330: "thumbnail",
    700: "xmp", 33432: "author", 33723: "iptc", 34665: "exif", 34675: "icc_description",
    34853: "gps", 50735: "camera_serial",
    0x9003: "capture_time", 0x9004: "capture_time", 0x927C: "maker_note", 0x9286: "comment",
    0xA430: "author", 0xA431: "camera_serial", 0xA433: "camera_model", 0xA434: "camera_model",
    0xA435: "camera_serial",
}  # fmt: skip
_PICTURE = frozenset(
    {*range(254, 267), *range(273, 285), *range(317, 326), *range(292, 294), 296, 338, 339, 347}
    | {*range(529, 533)}
) - {269, 270}  # fmt: skip
_REDUCED, _MASK = 1, 4
_MAX_SUB = 8
_POINTERS = {4, 13, 16, 18}
_CANON = (b"CR", 8)
_STRUCTURAL = frozenset(
    {
        "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation",
        "StripOffsets", "Orientation", "SamplesPerPixel", "RowsPerStrip", "StripByteCounts",
        "XResolution", "YResolution", "PlanarConfiguration", "ResolutionUnit", "Predictor",
        "ColorMap", "TileWidth", "TileLength", "TileOffsets", "TileByteCounts", "ExtraSamples",
        "SampleFormat", "YCbCrCoefficients", "YCbCrSubSampling", "YCbCrPositioning",
        "ReferenceBlackWhite", "InterColorProfile", "TIFFThumbnail",
    }
)  # fmt: skip


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return the clean form of a TIFF; raises a leaf of Refused."""
    reader = Reader(source, limits)
    if source.read_at(_CANON[1], 2) == _CANON[0] and not reader.is_big:
        raise Unsupported("a camera's raw file")
    kinds: set[str] = set()
    pages, places = _pages(reader, limits, kinds)
    if not pages:
        raise Empty("a TIFF without a picture")
    _name_gaps(places, source.length, kinds)
    plan = Plan(source, Writer(source, limits, reader.order).write(pages))
    check(plan.open())
    reread.check(plan, _STRUCTURAL)
    return Planned(plan, kinds, "image/tiff", "tif")


def _pages(reader: Reader, limits: Limits, kinds: set[str]) -> tuple[list[Page], list[Range]]:
    """Return the pages that stay, and every place of the file that a directory names."""
    pages: list[Page] = []
    places = [Range(0, reader.head)]
    for number, directory in enumerate(reader.chain(), 1):
        if number > limits.image_pages:
            raise TooComplex("too many pages")
        if is_raw(reader, directory):
            raise Unsupported("a camera's raw file")
        _name(reader, directory, kinds)
        places += [directory.place, *(value.place for value in directory.tags.values())]
        kind = next(iter(reader.numbers(directory, 254)), 0)
        if kind & (_REDUCED | _MASK):
            kinds.add("thumbnail" if kind & _REDUCED else "other_metadata")
            continue
        made = page(reader, directory, limits)
        counts = made.counts or (made.raw_length(0),)
        places += [
            Range(start, length if made.coding != NONE else made.raw_length(part))
            for part, start, length in zip(range(made.parts), made.offsets, counts, strict=False)
        ]
        pages.append(made)
    return pages, places


def _name(reader: Reader, directory: Directory, kinds: set[str]) -> None:
    """Say what a directory's tags give away; refuse a camera's raw file."""
    kinds.update(_KINDS.get(tag, "other_metadata") for tag in directory.tags if tag not in _PICTURE)
    for tag in (_SUB, _EXIF, _GPS):
        value = directory.tags.get(tag)
        if value is None or value.count > _MAX_SUB:
            continue
        below = [] if value.kind not in _POINTERS else reader.numbers(directory, tag)
        for place in below:
            if place not in reader.seen and place < reader.source.length:
                _name_below(reader, place, tag, kinds)


def _name_below(reader: Reader, place: int, tag: int, kinds: set[str]) -> None:
    """Look at the tags of one sub-directory; one that is broken goes unread."""
    try:
        below, _ = reader.directory(place)
        is_camera = tag == _SUB and is_raw(reader, below)
    except (Malformed, TooComplex):
        return
    if is_camera:
        raise Unsupported("a camera's raw file")
    kinds.update(_KINDS[each] for each in below.tags if tag == _EXIF and each in _KINDS)


def _name_gaps(places: list[Range], length: int, kinds: set[str]) -> None:
    """Say so where there are bytes that no directory names, but for one to make a length even."""
    reached = 0
    for place in sorted(places, key=lambda each: each.start):
        if place.start > reached + 1:
            kinds.add("trailing_data")
        reached = max(reached, place.start + place.length)
    if length > reached + 1:
        kinds.add("trailing_data")
