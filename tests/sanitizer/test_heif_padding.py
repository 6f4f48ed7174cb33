"""HEIC and AVIF: beyond what shows of a picture lies no more than a coder's padding."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace

import pillow_heif
import pytest

from sanitizer.errors import Malformed, MetadataSurvived, Unsupported
from sanitizer.heif import check as heif_check
from sanitizer.heif import check_size, padding
from sanitizer.heif.hevc import Sequence
from tests.sanitizer.kit import CANARY, clean, prove
from tests.sanitizer.test_heif import av1_parts, exif_item, grid, pixels, seen, setup_of
from tests.sanitizer.test_heif_jpeg import file as jpeg_file
from tests.sanitizer.test_heif_jpeg import jpeg
from tests.support.heif import File, Property, Thing, coded, hidden, ispe
from tests.support.media import drawing

SIDE = 128


def crop(size: tuple[int, int], left: int, top: int = 0, *, shift: int = 0) -> Property:
    """Return a crop of so many pixels to the right and below, ``shift`` of them to the left."""
    told = (size[0] - left, 1, size[1] - top, 1, 2 * shift - left, 2, -top, 2)
    return b"clap", struct.pack(">IIIIiIiI", *told), True


def hevc(left: int, top: int = 0, *, shift: int = 0) -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    told = [*thing.properties, crop((SIDE, SIDE), left, top, shift=shift)]
    return File({1: replace(thing, properties=told), 2: exif_item()}).to_bytes()


def in_jpeg(left: int, top: int = 0) -> bytes:
    return jpeg_file(jpeg(), crop((96, 64), left, top)).to_bytes()


def in_av1(left: int, top: int = 0) -> bytes:
    thing = av1_parts()[0]
    size = struct.unpack(">II", next(c for k, c, _ in thing.properties if k == b"ispe")[4:])
    told = [*thing.properties, crop(size, left, top)]
    return File({1: replace(thing, properties=told)}, brand=b"avif").to_bytes()


def tiled(
    counts: tuple[int, int], size: tuple[int, int], *more: Property, side: int = SIDE
) -> bytes:
    """Return a grid of one tile, shown so often across and down."""
    columns, rows = counts
    top = Thing(
        b"grid", grid(rows, columns, *size), [ispe(*size), *more], {b"dimg": [2] * columns * rows}
    )
    return File({1: top, 2: hidden(coded(drawing(side, side)))}).to_bytes()


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (65, 33), (101, 75), (517, 300)])
@pytest.mark.parametrize("chroma", [420, 444])
def test_a_heic_of_any_size_keeps_its_pixels(size: tuple[int, int], chroma: int) -> None:
    made = io.BytesIO()
    pillow_heif.from_pillow(drawing(*size)).save(made, quality=50, chroma=chroma)
    kept = clean(made.getvalue())
    assert pixels(kept) == pixels(made.getvalue())
    assert pixels(kept)[1] == size
    assert clean(kept) == kept


def smaller() -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    told = [ispe(64, SIDE), *(each for each in thing.properties if each[0] != b"ispe")]
    return File({1: replace(thing, properties=told)}).to_bytes()


FITS: dict[str, Callable[[], bytes]] = {
    "less than a block of H.265": lambda: hevc(63, 63),
    "less than a block of JPEG": lambda: in_jpeg(15, 15),
    "less than a block of AV1": lambda: in_av1(7, 7),
    "less than a tile": lambda: tiled((3, 2), (2 * SIDE + 1, SIDE + 1)),
    "less than a tile, with a crop": lambda: tiled(
        (2, 1), (2 * SIDE, SIDE), crop((2 * SIDE, SIDE), SIDE - 1, SIDE - 1)
    ),
    "a telephone's tiles": lambda: tiled((2, 2), (600, 700), side=512),
    "less than a block beyond one tile": lambda: tiled((1, 1), (SIDE - 63, SIDE)),
}
HIDES: dict[str, Callable[[], bytes]] = {
    "a block of H.265": lambda: hevc(64),
    "a block of H.265 below": lambda: hevc(0, 64),
    "what is to the left": lambda: hevc(2, shift=1),
    "a block of JPEG": lambda: in_jpeg(16),
    "a block of JPEG below": lambda: in_jpeg(0, 16),
    "a block of AV1": lambda: in_av1(8),
    "a tile, with a crop": lambda: tiled((2, 1), (2 * SIDE, SIDE), crop((2 * SIDE, SIDE), SIDE)),
    "a part of one tile": lambda: tiled((1, 1), (SIDE - 64, SIDE)),
    "a part of large tiles": lambda: tiled((2, 1), (1216 - 64, 608), side=608),
    "a part of an item that says it is smaller": smaller,
}


@pytest.mark.parametrize("what", FITS)
def test_a_coders_padding_is_kept(what: str) -> None:
    dirty = FITS[what]()
    made = clean(dirty)
    if what == "less than a block of AV1":
        assert seen(made) == seen(dirty)
    elif "JPEG" not in what:
        assert pixels(made) == pixels(dirty)
    assert clean(made) == made


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("what", HIDES)
def test_a_part_of_a_picture_that_does_not_show_is_refused(what: str) -> None:
    with pytest.raises(Unsupported):
        clean(HIDES[what]())


@pytest.mark.claim("C-META")
def test_a_crop_that_is_kept_says_nothing_else() -> None:
    dirty = hevc(9, 5).replace(struct.pack(">iI", -9, 2), struct.pack(">iI", -63, 14))
    made, _ = prove(dirty, "heic", CANARY)
    assert made == clean(hevc(9, 5))


# A sequence of one layer: its number, chroma, sides and edges, two depths, order, and its blocks.
def told(  # noqa: PLR0913 - what a sequence says
    *, chroma: int = 1, size: tuple[int, int] = (128, 128), edges: tuple[int, ...] = (),
    blocks: tuple[int, int] = (0, 3), layers: int = 0, each: int = 0,
) -> bytes:  # fmt: skip
    text = "0000" + f"{layers:03b}" + "1" + "0" * 96
    text += "11" * layers + "00" * (8 - layers if layers else 0) + "0" * 96 * layers
    text += golomb(0) + golomb(chroma) + "0" * (chroma == 3)
    text += "".join(golomb(n) for n in size) + str(int(bool(edges)))
    text += "".join(golomb(n) for n in (*edges, 0, 0, 0)) + str(each)
    text += "".join(golomb(0) for _ in range(3 * (layers + 1 if each else 1)))
    text += "".join(golomb(n) for n in blocks) + "1"
    whole = -len(text) % 8
    data = int(text + "0" * whole, 2).to_bytes((len(text) + whole) // 8, "big")
    return b"\x42\1" + data.replace(b"\0\0", b"\0\0\3")


def golomb(number: int) -> str:
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits


def setup(unit: bytes) -> bytes:
    return bytes(23) + b"\xa0\0\1\0\3aaa" + b"\xa1\0\1" + struct.pack(">H", len(unit)) + unit


SEQUENCES: dict[str, tuple[bytes, tuple[int, int], bool]] = {
    "whole": (told(), (128, 128), True),
    "cut to the right and below": (told(edges=(0, 5, 0, 31)), (128, 128), True),
    "cut less than it says": (told(edges=(0, 5, 0, 5)), (70, 70), True),
    "a block cut off": (told(edges=(0, 32, 0, 0)), (128, 128), False),
    "a block cut off below": (told(edges=(0, 0, 0, 32)), (128, 128), False),
    "cut to the left": (told(edges=(1, 0, 0, 0)), (128, 128), False),
    "cut above": (told(edges=(0, 0, 1, 0)), (128, 128), False),
    "blocks of 16": (told(blocks=(0, 1)), (113, 128), True),
    "more than a block of 16": (told(blocks=(0, 1)), (112, 128), False),
    "the smallest picture": (told(size=(64, 64), blocks=(0, 1)), (1, 1), True),
    "larger than it is": (told(), (129, 128), True),
    "in 4:2:2": (told(chroma=2, edges=(0, 31, 0, 63)), (128, 128), True),
    "a block in 4:2:2": (told(chroma=2, edges=(0, 0, 0, 64)), (128, 128), False),
    "in 4:4:4": (told(chroma=3, edges=(0, 63, 0, 63)), (128, 128), True),
    "grey": (told(chroma=0, edges=(0, 63, 0, 63)), (128, 128), True),
    "of three layers": (told(layers=2, blocks=(0, 1)), (113, 113), True),
    "of three layers, each told": (told(layers=2, each=1, blocks=(0, 1)), (112, 113), False),
}


@pytest.mark.parametrize("what", SEQUENCES)
def test_writer_and_checker_read_one_size_from_a_sequence(what: str) -> None:
    unit, shown, fits = SEQUENCES[what]
    said = [(b"hvcC", setup(unit))]
    if shown == (70, 70):
        said.append((b"clap", struct.pack(">IIIIiIiI", 70, 1, 70, 1, -29, 1, -29, 1)))
        size = (128, 128)
    else:
        size = shown
    if fits:
        Sequence.from_bytes(unit).judge(shown)
        check_size.check(b"hvc1", said, size)
        return
    with pytest.raises(Unsupported):
        Sequence.from_bytes(unit).judge(shown)
    with pytest.raises(MetadataSurvived):
        check_size.check(b"hvc1", said, size)


def test_a_sequence_of_impossible_blocks_or_cut_short_is_refused() -> None:
    huge = told(blocks=(0, 4))
    with pytest.raises(Malformed):
        Sequence.from_bytes(huge)
    for unit in (huge, told()[:20], b"\x42\1" + bytes(60)):
        with pytest.raises(MetadataSurvived):
            check_size.check(b"hvc1", [(b"hvcC", setup(unit))], (128, 128))


SIZE = (SIDE, SIDE)
CROPS: dict[str, bytes] = {
    "to the left": crop(SIZE, 2, shift=1)[1],
    "above": struct.pack(">IIIIiIiI", 128, 1, 120, 1, 0, 1, -3, 1),
    "of nothing": struct.pack(">IIIIiIiI", 0, 1, 128, 1, -64, 1, 0, 1),
    "of no lines": struct.pack(">IIIIiIiI", 128, 1, 0, 1, 0, 1, -64, 1),
    "of more than there is": struct.pack(">IIIIiIiI", 129, 1, 128, 1, 1, 2, 0, 1),
    "of more lines than there are": struct.pack(">IIIIiIiI", 128, 1, 129, 1, 0, 1, 1, 2),
    "of halves": struct.pack(">IIIIiIiI", 255, 2, 128, 1, -1, 4, 0, 1),
    "of other halves": struct.pack(">IIIIiIiI", 128, 1, 255, 2, 0, 1, -1, 4),
    "of a block": crop(SIZE, 64)[1],
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("what", CROPS)
def test_the_second_reader_notices_a_crop_that_hides(what: str) -> None:
    check_size.check(b"hvc1", [(b"clap", crop(SIZE, 63)[1])], SIZE)
    with pytest.raises(MetadataSurvived):
        check_size.check(b"hvc1", [(b"clap", CROPS[what])], SIZE)


@pytest.mark.parametrize(
    ("kind", "most"), [(b"hvc1", 63), (b"jpeg", 15), (b"av01", 7), (b"iovl", 0)]
)
def test_the_second_reader_knows_the_blocks_of_each_codec(kind: bytes, most: int) -> None:
    check_size.check(kind, [(b"clap", crop(SIZE, most)[1])], SIZE)
    with pytest.raises(MetadataSurvived):
        check_size.check(kind, [(b"clap", crop(SIZE, most + 1)[1])], SIZE)


@pytest.mark.parametrize(
    ("counts", "side", "most"),
    [((2, 1), 512, 511), ((1, 1), 512, 63), ((2, 1), 513, 63), ((2, 1), 8, 63)],
)
def test_writer_and_checker_let_as_much_lie_beyond_a_grid(
    counts: tuple[int, int], side: int, most: int
) -> None:
    whole = counts[0] * side
    for over in range(most - 1, most + 1):
        padding.require_grid(counts, (side, side), (whole - over, side), b"hvc1")
        check_size.check_grid(counts, (side, side), (whole - over, side), b"hvc1")
    with pytest.raises(Unsupported):
        padding.require_grid(counts, (side, side), (whole - most - 1, side), b"hvc1")
    with pytest.raises(MetadataSurvived):
        check_size.check_grid(counts, (side, side), (whole - most - 1, side), b"hvc1")


@pytest.mark.claim("C-META")
def test_the_second_reader_notices_a_size_that_hides() -> None:
    made = clean(File({1: coded(drawing(SIDE, SIDE))}).to_bytes())
    assert check_size.shown([(b"hvcC", setup_of(made))], SIZE) == SIZE
    for told_size in ((64, SIDE), (SIDE, 64)):
        size = struct.pack(">II", SIDE, SIDE), struct.pack(">II", *told_size)
        with pytest.raises(MetadataSurvived):
            heif_check.check(io.BytesIO(made.replace(*size, 1)))
