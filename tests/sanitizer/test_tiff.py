"""TIFF: what goes, what stays, and what is refused."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, TiffImagePlugin

from sanitizer import reread
from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.pieces import Plan
from sanitizer.source import MemorySource
from sanitizer.tiff import check as tiff_check
from tests.sanitizer.kit import CANARY, clean, damaged, prove, silent_or_refused
from tests.sanitizer.test_heif import P3
from tests.support.media import drawing, phone_exif, xmp_packet

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 11: 4, 12: 8, 13: 4, 16: 8}
LETTERS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 6: "b", 7: "B", 13: "I", 16: "Q"}

Tags = dict[int, tuple[int, object]]
"""Number to type and values: bytes, or a list of whole numbers (two for each fraction)."""


@dataclass
class Directory:
    """One page as the tests write it; its strips or tiles lie where ``data`` says."""

    tags: Tags
    data: list[bytes] = field(default_factory=list)
    subs: list["Directory"] = field(default_factory=list)
    sub_tag: int = 330


def tiff(*pages: Directory, order: str = "<", big: bool = False, gap: bytes = b"") -> bytes:
    """Return a TIFF: for each page its data, its values, then its directory."""
    made = {"<": b"II", ">": b"MM"}[order]
    made += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 0) if big else (42, 0)))
    link = 8 if big else 4
    for page in pages:
        made, at = added(made + gap, page, order, big=big)
        width = struct.calcsize(order + ("Q" if big else "I"))
        made = (
            made[:link]
            + at.to_bytes(width, "little" if order == "<" else "big")
            + made[link + width :]
        )
        link = len(made) - width
    return made + gap


def added(made: bytes, page: Directory, order: str, *, big: bool) -> tuple[bytes, int]:
    """Return the file with one more directory behind it, and the directory's place."""
    tags = dict(page.tags)
    places = []
    for part in page.data:
        places.append(len(made))
        made += part
    if page.data:
        tiled = 322 in tags
        tags.setdefault(324 if tiled else 273, (4, places))
        tags.setdefault(325 if tiled else 279, (4, [len(part) for part in page.data]))
    below = []
    for sub in page.subs:
        made, at = added(made, sub, order, big=big)
        below.append(at)
    if below:
        tags[page.sub_tag] = (4, below)
    rows = []
    for tag, (kind, values) in sorted(tags.items()):
        value = (
            values
            if isinstance(values, bytes)
            else b"".join(
                struct.pack(order + LETTERS[kind], number)
                for number in values  # type: ignore[attr-defined]
            )
        )
        count = len(value) // SIZES.get(kind, 1)
        room = 8 if big else 4
        if len(value) > room:
            place = len(made)
            made += value
            value = struct.pack(order + ("Q" if big else "I"), place)
        rows.append(
            struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, count)
            + value.ljust(room, b"\0")
        )
    at = len(made)
    made += struct.pack(order + ("Q" if big else "H"), len(rows)) + b"".join(rows)
    return made + bytes(8 if big else 4), at


def base(width: int = 20, height: int = 10, **more: Any) -> Tags:
    """Return the tags of a grey picture of one strip; ``more`` by ``t`` and the tag's number."""
    tags: Tags = {
        256: (3, [width]), 257: (3, [height]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]),
        277: (3, [1]), 278: (3, [height]),
    }  # fmt: skip
    tags.update({int(name[1:]): value for name, value in more.items()})
    return tags


def plain(**more: Any) -> bytes:
    return tiff(Directory(base(**more), [GREY]))


GREY = drawing(20, 10, "L").tobytes()


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "TIFF", **options)
    return made.getvalue()


def pages(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    picture = Image.open(io.BytesIO(data))
    found = []
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        found.append((picture.mode, picture.size, picture.tobytes()))
    return found


def tags_of(data: bytes) -> dict[int, Any]:
    return dict(Image.open(io.BytesIO(data)).tag_v2)  # type: ignore[attr-defined]


def strip_of(data: bytes) -> bytes:
    """Return the coded data of a picture of one strip."""
    tags = tags_of(data)
    return data[tags[273][0] : tags[273][0] + tags[279][0]]


def text_picture() -> Image.Image:
    """Return black and white with every kind of run."""
    picture = Image.new("1", (2700, 96), 1)
    pen = ImageDraw.Draw(picture)
    for row in range(96):
        pen.line((row * 27, row, min(2699, row * 27 + row), row), 0)
        pen.line((13, row, 13 + row % 64, row), 0)
    pen.rectangle((5, 70, 2690, 80), 0)
    pen.rectangle((0, 81, 2699, 83), 0)
    pen.ellipse((300, 5, 420, 90), outline=0)
    return picture


PICTURES: dict[str, Callable[[], bytes]] = {
    **{
        f"{mode} {coding}": (
            lambda mode=mode, coding=coding: saved(  # type: ignore[misc]
                drawing(61, 43).convert("L").convert(mode)
                if mode == "1"
                else drawing(61, 43).convert(mode),
                compression=coding,
            )
        )
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F", "I")
        for coding in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
        if mode != "I;16"
    },
    **{
        f"fax {coding}": (lambda coding=coding: saved(text_picture(), compression=coding))  # type: ignore[misc]
        for coding in ("group3", "group4", "tiff_ccitt")
    },
    "fax of noise": lambda: saved(
        Image.frombytes("1", (320, 64), zlib.compress(GREY * 40, 9).ljust(2560, b"\x5b")),
        compression="group4",
    ),
    "fax of two dimensions": lambda: saved(text_picture(), compression="group3", tiffinfo={292: 1}),
    "JPEG": lambda: saved(drawing(61, 43), compression="jpeg", quality=80),
    "grey JPEG": lambda: saved(drawing(61, 43, "L"), compression="jpeg"),
    "deep grey": lambda: saved(
        Image.frombytes("I;16", (61, 43), drawing(61, 86, "L").tobytes()), compression="tiff_lzw"
    ),
    "a prediction": lambda: saved(drawing(61, 43), compression="tiff_lzw", tiffinfo={317: 2}),
    "many strips": lambda: saved(drawing(61, 43), compression="tiff_lzw", strip_size=61 * 3 * 8),
    "noise": lambda: saved(
        Image.frombytes("L", (700, 400), bytes(n * n * n % 251 for n in range(280_000))),
        strip_size=280_000,
        compression="tiff_lzw",
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_tiff_keeps_its_pixels(kind: str) -> None:
    dirty = PICTURES[kind]()
    made = clean(dirty)
    assert pages(made) == pages(dirty)
    assert clean(made) == made
    assert clean(dirty) == made


def exif_directory() -> Directory:
    gps = Directory({1: (2, b"N\0"), 27: (7, b"ASCII\0\0\0" + CANARY)})
    exif: Tags = {
        0x9003: (2, b"2026:01:02 03:04:05\0"),
        0x927C: (7, CANARY),
        0x9286: (7, b"ASCII\0\0\0" + CANARY),
        0xA431: (2, CANARY + b"\0"),
    }
    return Directory(base(), [GREY], [Directory(exif, subs=[gps], sub_tag=34853)], 34665)


def psd() -> bytes:
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(CANARY)) + CANARY + b"\0"


def coloured() -> bytes:
    """Return a picture of 16 colours that uses three; the others are letters."""
    colours = [*range(9, 48)] + [0] * 9
    for place, letter in enumerate(CANARY):
        colours[3 + place] = letter * 256
    letters = b"".join(struct.pack("<H", colour) for colour in colours)
    tags = base(t258=(3, [4]), t262=(3, [3]), t320=(3, letters))
    return tiff(Directory(tags, [bytes([0x01, 0x20] * 50)])) + CANARY


ONE_TAG = {
    "a description": (270, 2, "comment"),
    "a document's name": (269, 2, "comment"),
    "a maker": (271, 2, "camera_model"),
    "a model": (272, 2, "camera_model"),
    "a page's name": (285, 2, "comment"),
    "software": (305, 2, "software"),
    "a time": (306, 2, "capture_time"),
    "an author": (315, 2, "author"),
    "a computer": (316, 2, "other_metadata"),
    "a copyright": (33432, 2, "author"),
    "XMP": (700, 1, "xmp"),
    "IPTC": (33723, 7, "iptc"),
    "Photoshop": (34377, 1, "other_metadata"),
    "Photoshop's layers": (37724, 7, "other_metadata"),
    "a position on a map": (34737, 2, "other_metadata"),
    "GDAL": (42112, 2, "other_metadata"),
    "a camera's serial number": (50735, 2, "camera_serial"),
    "a private tag": (65000, 7, "other_metadata"),
    "an unknown type": (65001, 99, "other_metadata"),
    "a sub-directory that is none": (330, 7, None),
    "a profile": (34675, 7, "icc_description"),
    "dots": (336, 3, "other_metadata"),
    "free places": (288, 1, "other_metadata"),
    "a grey curve": (291, 7, "other_metadata"),
}
PLACES: dict[str, Callable[[], bytes]] = {
    **{
        name: (lambda tag=tag, kind=kind: plain(**{f"t{tag}": (kind, CANARY)}))  # type: ignore[misc]
        for name, (tag, kind, _) in ONE_TAG.items()
        if kind in {1, 2, 7}
    },
    "a value in the entry's spare bytes": lambda: (
        plain().replace(
            struct.pack("<HHIHH", 262, 3, 1, 1, 0), struct.pack("<HHIHH", 262, 3, 1, 1, 0x4143)
        )
        + CANARY
    ),
    "EXIF and GPS": lambda: tiff(exif_directory()),
    "a thumbnail below": lambda: tiff(
        Directory(base(), [GREY], [Directory(base(t270=(2, CANARY)), [GREY[::-1] + CANARY])])
    ),
    "a thumbnail as a page": lambda: tiff(
        Directory(base(), [GREY]), Directory(base(t254=(4, [1]), t270=(2, CANARY)), [GREY])
    ),
    "a mask as a page": lambda: tiff(
        Directory(base(), [GREY]), Directory(base(t254=(4, [4]), t270=(2, CANARY)), [GREY])
    ),
    "bytes behind": lambda: plain() + CANARY,
    "gaps": lambda: tiff(Directory(base(), [GREY]), Directory(base(), [GREY]), gap=CANARY),
    "behind the samples": lambda: tiff(Directory(base(), [GREY + CANARY])),
    "a strip too many": lambda: tiff(Directory(base(), [GREY, CANARY])),
    "a second description": lambda: (
        tiff(Directory(base(t270=(2, b"x" * 9), t258=(3, [8])), [GREY])) + CANARY
    ),
    "behind LZW": lambda: coded_by(5, compressed("tiff_lzw") + CANARY),
    "behind Deflate": lambda: coded_by(8, zlib.compress(GREY) + CANARY),
    "behind old Deflate": lambda: coded_by(32946, zlib.compress(GREY) + CANARY),
    "more samples in Deflate": lambda: coded_by(8, zlib.compress(GREY + CANARY, 0)),
    "behind PackBits": lambda: coded_by(
        32773, b"\x80\x7f" + GREY[:128] + b"\x47" + GREY[128:] + CANARY
    ),
    "more samples in PackBits": lambda: coded_by(
        32773, b"\x7f" + GREY[:128] + b"\x57" + GREY[128:] + CANARY * 2
    ),
    "behind a fax": lambda: faxed(fax_data() + CANARY),
    "a tile beyond the picture": lambda: tiled(lambda tile: tile),
    "a colour that no pixel has": coloured,
    "a profile with a name": lambda: rgb(t34675=(7, P3)),
    "in a JPEG": lambda: jpeg_page(
        lambda data: data[:2] + segment(0xE1, b"Exif\0\0" + CANARY) + data[2:]
    ),
    "a JPEG's comment": lambda: jpeg_page(lambda data: data[:2] + segment(0xFE, CANARY) + data[2:]),
    "behind a JPEG": lambda: jpeg_page(lambda data: data + CANARY),
    "in JPEG tables": lambda: jpeg_page(
        lambda data: data, t347=(7, b"\xff\xd8" + segment(0xFE, CANARY) + b"\xff\xd9" + CANARY)
    ),
    "numbers of dots": lambda: (
        plain(
            t282=(5, [*struct.unpack("<II", CANARY[:8])]),
            t283=(5, [*struct.unpack("<II", CANARY[4:12])]),
        )
        + CANARY
    ),
}


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def compressed(coding: str) -> bytes:
    """Return the strip of the grey picture as libtiff codes it."""
    made = saved(Image.frombytes("L", (20, 10), GREY), compression=coding)
    return strip_of(made)


def coded_by(coding: int, data: bytes) -> bytes:
    return tiff(Directory(base(t259=(3, [coding])), [data]))


def fax_data() -> bytes:
    picture = Image.new("1", (20, 10), 1)
    ImageDraw.Draw(picture).ellipse((2, 2, 15, 8), fill=0)
    made = saved(picture, compression="group4")
    return strip_of(made)


def faxed(data: bytes, coding: int = 4, **more: Any) -> bytes:
    tags = base(t258=(3, [1]), t259=(3, [coding]), t262=(3, [0]), **more)
    return tiff(Directory(tags, [data]))


def bits_of(data: bytes) -> bytes:
    """Return a picture of 19 columns of one bit: five bits of each row are nobody's."""
    return tiff(Directory(base(19, len(data) // 3, t258=(3, [1])), [data]))


def tiled(change: Callable[[bytes], bytes], width: int = 20, **more: Any) -> bytes:
    """Return a picture of two tiles of 16 by 16, the second mostly beyond it."""
    first = b"".join(
        (GREY[20 * n : 20 * n + 16] if n < 10 else CANARY.ljust(16)) for n in range(16)
    )
    second = b"".join(
        (GREY[20 * n + 16 : 20 * n + 20] if n < 10 else b"") + CANARY[:12] for n in range(16)
    )
    tags = base(width, 10, t322=(3, [16]), t323=(3, [16]), **more)
    del tags[278]
    return tiff(Directory(tags, [change(first.ljust(256)), change(second.ljust(256, b"x"))]))


def rgb(**more: Any) -> bytes:
    tags = base(t258=(3, [8, 8, 8]), t262=(3, [2]), t277=(3, [3]), **more)
    return tiff(Directory(tags, [drawing(20, 10).tobytes()]))


def jpeg_page(change: Callable[[bytes], bytes], **more: Any) -> bytes:
    made = io.BytesIO()
    drawing(20, 10).save(made, "JPEG")
    tags = base(
        t258=(3, [8, 8, 8]), t259=(3, [7]), t262=(3, [6]), t277=(3, [3]), t530=(3, [2, 2]), **more
    )
    return tiff(Directory(tags, [change(made.getvalue())]))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_tiff_is_emptied(place: str) -> None:
    dirty = PLACES[place]()
    made, facts = prove(dirty, "tif")
    before = pages(plain() if place == "a strip too many" else dirty)
    assert pages(made) == before[: len(pages(made))]
    assert (
        facts.removed
        or place
        in {"a sub-directory that is none", "in a JPEG"}
        | {
            "a JPEG's comment",
            "in JPEG tables",
            "behind a JPEG",
            "a tile beyond the picture",
        }
        or place.startswith(("behind", "more samples"))
    ), place


@pytest.mark.claim("C-META")
def test_bits_behind_the_last_column_become_zero() -> None:
    data = b"".join(b"\xaa\xaa" + bytes([0xA0 | letter & 31]) for letter in CANARY)
    dirty = bits_of(data)
    made = clean(dirty)
    assert zlib.decompress(strip_of(made)) == b"\xaa\xaa\xa0" * len(CANARY)
    assert pages(made) == pages(dirty)


@pytest.mark.claim("C-META")
def test_what_stands_in_a_tile_beyond_the_picture_becomes_zero() -> None:
    made = clean(tiled(lambda tile: tile))
    tags = tags_of(made)
    second = zlib.decompress(made[tags[324][1] : tags[324][1] + tags[325][1]])
    assert second == b"".join(
        GREY[20 * n + 16 : 20 * n + 20] + bytes(12) for n in range(10)
    ) + bytes(96)


@pytest.mark.claim("C-META")
def test_what_a_tiff_gave_away_is_named_by_kind() -> None:
    for name, (tag, kind, told) in ONE_TAG.items():
        _, facts = prove(
            plain(**{f"t{tag}": (kind if kind != 99 else 2, CANARY), "t65535": (7, CANARY)}), name
        )
        assert told is None or told in facts.removed
    _, facts = prove(tiff(exif_directory()), "tif")
    assert {"exif", "capture_time", "maker_note", "comment", "camera_serial"} <= set(facts.removed)
    _, facts = prove(plain(t34853=(4, [8]), t65535=(7, CANARY)), "tif")
    assert "gps" in facts.removed


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_every_byte_order_and_width_is_read(order: str, big: bool) -> None:  # noqa: FBT001 - a parameter of the test
    deep = struct.pack(order + "200H", *(level * 200 for level in GREY))
    sheet = Directory(base(t258=(3, [16]), t270=(2, CANARY)), [deep])
    dirty = tiff(sheet, Directory(base(t270=(2, CANARY)), [GREY]), order=order, big=big)
    made, _ = prove(dirty, "tif")
    # Pillow does not read a BigTIFF of the other order.
    assert pages(made) == pages(tiff(sheet, Directory(base(), [GREY]), order=order))
    assert len(pages(made)) == 2
    assert made[:4] == ({"<": b"II*\0", ">": b"MM\0*"}[order])


@pytest.mark.parametrize("turn", range(1, 9))
def test_an_orientation_is_kept_in_its_tag(turn: int) -> None:
    made = clean(plain(t274=(3, [turn])))
    assert tags_of(made).get(274, 1) == turn
    assert 274 not in tags_of(clean(plain(t274=(3, [9]))))


def test_the_colours_of_a_profile_stay_and_its_name_goes() -> None:
    made = clean(rgb(t34675=(7, P3)))
    profile = tags_of(made)[34675]
    assert "Display P3".encode("utf-16-be") in profile
    assert 34675 not in tags_of(clean(plain(t34675=(7, P3))))


@pytest.mark.parametrize(
    ("sides", "unit", "kept"),
    [
        ((204, 1, 98, 1), 2, (102, 49, 1)),
        ((72, 1, 144, 2), 2, (72, 72, 2)),
        ((600, 2, 300, 1), 2, (300, 300, 2)),
        ((300, 1, 300, 1), 3, (1, 1, 1)),
        ((300, 1, 300, 1), 1, (1, 1, 1)),
        ((301, 1, 301, 1), 2, (1, 1, 1)),
        ((72, 0, 72, 1), 2, (1, 1, 1)),
        ((1 << 30, 1, 3, 1), 2, (1, 1, 1)),
    ],
    ids=["a fax", "72", "300", "to a centimetre", "to nothing", "of one machine", "nothing",
         "a number that says something"],
)  # fmt: skip
def test_of_the_dots_per_inch_those_stay_that_many_machines_share_and_the_shape_of_a_pixel(
    sides: tuple[int, int, int, int], unit: int, kept: tuple[int, int, int]
) -> None:
    whole = clean(plain(t282=(5, sides[:2]), t283=(5, sides[2:]), t296=(3, [unit])))
    made = tags_of(whole)
    assert (made[282], made[283], made[296]) == kept
    assert clean(whole) == whole


def test_dots_per_inch_are_counted_where_nothing_is_said() -> None:
    made = tags_of(clean(plain(t282=(5, (300, 1)), t283=(5, (300, 1)))))
    assert (made[282], made[283], made[296]) == (300, 300, 2)


def test_planes_tiles_and_reversed_bits_keep_their_pixels() -> None:
    planar = base(t258=(3, [8, 8, 8]), t262=(3, [2]), t277=(3, [3]), t284=(3, [2]))
    sheets = [drawing(20, 10).getchannel(name).tobytes() for name in "RGB"]
    reversed_bits = bytes(int(f"{value:08b}"[::-1], 2) for value in GREY)
    for dirty in (
        tiff(Directory(planar, sheets)),
        tiff(Directory(planar | {259: (3, [8])}, [zlib.compress(each) for each in sheets])),
        tiled(lambda tile: tile),
        tiled(zlib.compress, t259=(3, [8])),
        tiled(lambda tile: tile, t258=(3, [4])),
        plain(t266=(3, [2])),
    ):
        made = clean(dirty)
        assert pages(made) == pages(dirty)
        assert clean(made) == made
    assert pages(clean(tiff(Directory(base(t266=(3, [2])), [reversed_bits])))) == pages(plain())


def test_a_tile_that_is_whole_stays_where_it_lies() -> None:
    tile = drawing(16, 16, "L").tobytes()
    tags = base(32, 16, t322=(3, [16]), t323=(3, [16]))
    del tags[278]
    dirty = tiff(Directory(tags, [tile, tile[::-1]]))
    made = clean(dirty)
    assert tags_of(made)[259] == 1
    assert pages(made) == pages(dirty)


def test_luma_and_chroma_without_coding_are_measured_rightly() -> None:
    units = bytes(range(60)) * 5
    tags = base(
        t258=(3, [8, 8, 8]), t262=(3, [6]), t277=(3, [3]), t530=(3, [2, 2]), t531=(3, [2]),
        t529=(5, [2126, 10000, 7152, 10000, 722, 10000]),
        t532=(5, [15, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1]),
    )  # fmt: skip
    made = clean(tiff(Directory(tags, [units])))
    assert made.endswith(units)
    assert tags_of(made)[531] == 2
    assert clean(made) == made


def test_a_fax_of_either_polarity_and_a_jpeg_with_tables_apart_keep_their_pixels() -> None:
    inverted = faxed(fax_data(), t292=(4, [0])).replace(
        struct.pack("<HHIHH", 262, 3, 1, 0, 0), struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    )
    assert pages(clean(inverted)) == pages(inverted)
    dirty = saved(drawing(64, 64), compression="jpeg", quality=70)
    assert 347 in tags_of(dirty)
    made = clean(dirty)
    assert 347 not in tags_of(made)
    assert pages(made) == pages(dirty)


def test_a_fax_without_ends_of_lines_is_read() -> None:
    white = int(("0001000" * 10).ljust(72, "0"), 2).to_bytes(9, "big")
    assert pages(clean(faxed(white, 3))) == [("1", (20, 10), b"\xff\xff\xf0" * 10)]


def test_lzw_need_not_end_where_its_samples_do() -> None:
    codes = [256, *GREY]
    data = int("".join(f"{code:09b}" for code in codes).ljust(1816, "0"), 2).to_bytes(227, "big")
    assert clean(coded_by(5, data)) == clean(coded_by(5, compressed("tiff_lzw")))


def test_a_strip_of_a_picture_of_one_strip_need_not_say_how_long_it_is() -> None:
    dirty = plain()
    table = dirty.replace(struct.pack("<HHI", 279, 4, 1), struct.pack("<HHI", 281, 4, 1))
    assert clean(table) == clean(dirty)


def test_a_sample_more_than_the_colour_has_is_kept_if_it_is_one() -> None:
    tags = base(t258=(3, [8, 8]), t277=(3, [2]))
    made = clean(tiff(Directory(tags, [GREY * 2])))
    assert tags_of(made)[338] == (0,)
    floats = base(t258=(3, [32]), t339=(3, [3]), t259=(3, [8]), t317=(3, [3]))
    made = clean(tiff(Directory(floats, [zlib.compress(bytes(800))])))
    assert (tags_of(made)[339], tags_of(made)[317]) == ((3,), 3)


def _lzw(*codes: int) -> bytes:
    bits = "".join(f"{code:09b}" for code in codes)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def _wide_lzw() -> bytes:
    """Return LZW that never clears its table."""
    bits, width = f"{256:09b}", 9
    for known in range(258, 4200):
        bits += f"{known % 7:0{width}b}"
        width = {511: 10, 1023: 11, 2047: 12}.get(known, width)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def _raw(**more: Any) -> bytes:
    return tiff(Directory(base(), [GREY], [Directory(base(**more), [GREY])]))


def _loop() -> bytes:
    made = plain()
    at = struct.unpack_from("<I", made, 4)[0]
    return made[:-4] + struct.pack("<I", at)


REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "no directory": (Empty, lambda: b"II*\0\0\0\0\0"),
    "no end of its header": (Malformed, lambda: b"II*\0"),
    "a directory beyond the file": (Malformed, lambda: b"II*\0\xff\xff\0\0"),
    "a directory cut short": (Malformed, lambda: plain()[:-9]),
    "directories in a circle": (Malformed, _loop),
    "BigTIFF with odd widths": (Malformed, lambda: b"II+\0\4\0\0\0" + bytes(8)),
    "too many tags": (TooComplex, lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(70_000)),
    "tags of endless length": (TooComplex, lambda: plain(t273=(4, [0])).replace(
        struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 0xFFFFFFF))),
    "values beyond the file": (Malformed, lambda: plain().replace(
        struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 0xFFFF))),
    "a size that is no number": (Malformed, lambda: plain(t256=(2, b"12\0"))),
    "no width": (Malformed, lambda: plain(t256=(3, [0]))),
    "thumbnails alone": (Empty, lambda: plain(t254=(4, [1]))),
    "a raw file's version": (Unsupported, lambda: plain(t50706=(1, b"\1\4\0\0"))),
    "a sensor's samples": (Unsupported, lambda: plain(t262=(3, [32803]))),
    "a sensor's samples below": (Unsupported, lambda: _raw(t262=(3, [32803]))),
    "Canon's raw file": (Unsupported, lambda: b"II*\0\x10\0\0\0CR\2\0"),
    "no kind of colour": (Unsupported, lambda: plain(t262=(3, [99]))),
    "old JPEG": (Unsupported, lambda: coded_by(6, GREY)),
    "Zstandard": (Unsupported, lambda: coded_by(50000, GREY)),
    "an unknown coding": (Unsupported, lambda: coded_by(4711, GREY)),
    "too few samples": (Malformed, lambda: plain(t262=(3, [2]))),
    "too many samples": (Unsupported, lambda: plain(
        t277=(3, [3]), t338=(3, [0, 0]), t258=(3, [8] * 3))),
    "samples of different depths": (Unsupported, lambda: rgb().replace(
        struct.pack("<HHH", 8, 8, 8), struct.pack("<HHH", 8, 8, 7))),
    "samples of different kinds": (Unsupported, lambda: rgb(t339=(3, [1, 2, 1]))),
    "inks with names": (Unsupported, lambda: plain(t332=(3, [2]))),
    "extra samples of an unknown kind": (Unsupported, lambda: plain(
        t277=(3, [2]), t338=(3, [7]), t258=(3, [8, 8]))),
    "no depth": (Malformed, lambda: plain(t258=(3, [0]))),
    "complex samples": (Malformed, lambda: plain(t339=(3, [6]))),
    "planes of an unknown kind": (Malformed, lambda: plain(t284=(3, [3]))),
    "no rows": (Malformed, lambda: plain(t278=(3, [0]))),
    "no strips": (Malformed, lambda: tiff(Directory(base()))),
    "too few strips": (Malformed, lambda: plain(t278=(3, [2]))),
    "coded strips without their lengths": (Malformed, lambda: coded_by(8, b"").replace(
        struct.pack("<HHI", 279, 4, 1), struct.pack("<HHI", 281, 4, 1))),
    "samples that are not all there": (Malformed, lambda: tiff(Directory(base(), [GREY[:-1]]))),
    "samples beyond the file": (Malformed, lambda: plain(t273=(4, [60_000]), t279=(4, [200]))),
    "reversed samples not all there": (Malformed, lambda: tiff(
        Directory(base(t266=(3, [2])), [GREY[:-1]]))),
    "broken Deflate": (Malformed, lambda: coded_by(8, CANARY)),
    "Deflate cut short": (Malformed, lambda: coded_by(8, zlib.compress(GREY)[:-20])),
    "PackBits cut short": (Malformed, lambda: coded_by(32773, b"\x7f" + GREY[:50])),
    "PackBits of nothing": (Malformed, lambda: coded_by(32773, b"\x80" * 9)),
    "LZW of the old kind": (Unsupported, lambda: coded_by(5, b"\0\1" + GREY)),
    "LZW without a beginning": (Malformed, lambda: coded_by(5, _lzw(256, 258))),
    "LZW that names what is not there": (Malformed, lambda: coded_by(5, _lzw(256, 1, 300))),
    "LZW with a full table": (Malformed, lambda: tiff(
        Directory(base(200, 100, t259=(3, [5])), [_wide_lzw()]))),
    "LZW cut short": (Malformed, lambda: coded_by(5, _lzw(256, 1, 258, 257))),
    "a prediction of an unknown kind": (Unsupported, lambda: tiff(
        Directory(base(t259=(3, [8]), t317=(3, [4])), [b""]))),
    "a prediction of bits": (Unsupported, lambda: tiff(
        Directory(base(t258=(3, [4]), t259=(3, [8]), t317=(3, [2])), [b""]))),
    "a palette of the wrong size": (Malformed, lambda: plain(t262=(3, [3]), t320=(3, [1, 2, 3]))),
    "a palette too large": (Unsupported, lambda: plain(t262=(3, [3]), t258=(3, [16]))),
    "a palette of an odd size": (Unsupported, lambda: tiff(
        Directory(base(t262=(3, [3]), t258=(3, [3]), t320=(3, [0] * 24)), [GREY]))),
    "tiles without a size": (Malformed, lambda: tiff(
        Directory(base(t322=(3, [0]), t323=(3, [16])), [GREY]))),
    "tiles of floats beyond the picture": (Unsupported, lambda: tiled(
        zlib.compress, t258=(3, [32]), t259=(3, [8]), t317=(3, [3]), t339=(3, [3]))),
    "great JPEG tiles beyond the picture": (Unsupported, lambda: tiled(
        bytes, t259=(3, [7])).replace(struct.pack("<HHIHH", 322, 3, 1, 16, 0),
                                      struct.pack("<HHIHH", 322, 3, 1, 1024, 0))),
    "a fax in colours": (Malformed, lambda: coded_by(4, fax_data())),
    "a fax that is partly not coded": (Unsupported, lambda: faxed(fax_data(), 3, t292=(4, [2]))),
    "a fax with an unknown code": (Malformed, lambda: faxed(b"\0\0\0")),
    "a fax with an unknown run": (Malformed, lambda: faxed(b"\x20\0\0\0")),
    "a fax with a run that is too long": (Malformed, lambda: faxed(b"\x36\xd8\xd8", 2)),
    "a fax with a row that is too long": (Malformed, lambda: faxed(
        _bits("110101000011000"), 2)),
    "a fax that is too long": (TooComplex, lambda: faxed(bytes((8 << 20) + 1))),
    "a fax with a change before the last": (Malformed, lambda: faxed(_bits("010000010"))),
    "a fax with two runs that are too long": (Malformed, lambda: faxed(
        _bits("00100100000001110010010000000111"))),
    "a fax cut short": (Malformed, lambda: faxed(fax_data()[:4])),
    "JPEG of 16 bits": (Malformed, lambda: plain(t258=(3, [16]), t259=(3, [7]))),
    "a JPEG that is none": (Malformed, lambda: jpeg_page(lambda _: CANARY)),
    "a JPEG of another size": (Malformed, lambda: jpeg_page(lambda _: jpeg(20, 18))),
    "two JPEGs in one": (Unsupported, lambda: jpeg_page(
        lambda data: field_of(data) + field_of(data))),
    "colour spread oddly": (Malformed, lambda: plain(t530=(3, [3, 1]))),
    "colour of unknown weights": (Unsupported, lambda: jpeg_page(
        bytes, t529=(5, [1, 2, 1, 4, 1, 4]))),
    "colour of unknown codes": (Unsupported, lambda: jpeg_page(
        bytes, t532=(5, [999, 1] * 6))),
    "deep luma and chroma": (Unsupported, lambda: plain(
        t262=(3, [6]), t277=(3, [3]), t258=(3, [12] * 3))),
}  # fmt: skip


def _bits(text: str) -> bytes:
    return int(text.ljust(64, "0"), 2).to_bytes(8, "big")


def jpeg(width: int, height: int) -> bytes:
    made = io.BytesIO()
    drawing(width, height).save(made, "JPEG")
    return made.getvalue()


def field_of(data: bytes) -> bytes:
    return data[:2] + segment(0xE0, b"AVI1\1" + bytes(9)) + data[2:]


@pytest.mark.parametrize("why", REFUSED)
def test_a_tiff_that_cannot_be_proven_clean_is_refused(why: str) -> None:
    kind, make = REFUSED[why]
    with pytest.raises(kind) as raised:
        clean(make())
    assert type(raised.value) is kind


def test_a_tiff_that_would_unpack_without_end_is_refused() -> None:
    with pytest.raises(TooManyPixels):
        clean(plain(t256=(4, [4_000_000]), t257=(4, [500])))
    with pytest.raises(TooManyPixels):
        clean(plain(t256=(4, [60_000]), t257=(4, [60_000])))
    deep = base(10_000, 20_000, t258=(3, [64]), t259=(3, [8]))
    with pytest.raises(TooManyPixels):
        clean(tiff(Directory(deep, [zlib.compress(bytes(1 << 20))])))
    many = [Directory(base(1, 1), [b"x"])] * 12
    with pytest.raises(TooComplex):
        clean(tiff(*many), Limits(image_pages=11))
    with pytest.raises(TooComplex):
        clean(plain(), Limits(image_index_bytes=20))
    with pytest.raises(TooComplex):
        clean(plain(), Limits(worker_pieces=1))
    for dirty in (coded_by(5, compressed("tiff_lzw")), jpeg_page(bytes), bits_of(bytes(300))):
        with pytest.raises(TooComplex):
            clean(dirty, Limits(sample_bytes=9))
    with pytest.raises(TooComplex):
        clean(coded_by(8, zlib.compress(GREY)), Limits(worker_bytes=9))
    packed = base(4000, 4000, t259=(3, [32773]))
    made = clean(tiff(Directory(packed, [b"\x81\0" * 126_000])))
    assert len(made) < 30_000


def test_a_sub_directory_that_cannot_be_read_goes_unread() -> None:
    for places in ([8, 8], [1 << 31], [0], [4], list(range(9))):
        assert clean(plain(t330=(4, places))) == clean(plain())
    looped = tiff(Directory(base(t330=(4, [8])), [GREY]))
    assert clean(looped) == clean(plain())


ONE = clean(plain())
RGB_ONE = clean(rgb(t34675=(7, P3)))
PACKED = clean(coded_by(5, compressed("tiff_lzw")))
JPEG_ONE = clean(jpeg_page(bytes))
TWO = clean(tiff(Directory(base(), [GREY]), Directory(base(), [GREY])))


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def with_data(made: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a clean file of one strip with its data changed, and its length with it."""
    start, length = tags_of(made)[273][0], tags_of(made)[279][0]
    data = change(strip_of(made))
    made = made[:start].replace(entry(279, 4, 1, length), entry(279, 4, 1, len(data))) + data
    return made + bytes(len(made) % 2)


def moved_value() -> bytes:
    at = ONE.index(struct.pack("<HHI", 282, 5, 1)) + 8
    return ONE[:at] + b"\1" + ONE[at + 1 :]


def between() -> bytes:
    """Return a page of an odd length with something else than zero behind it."""
    made = clean(tiff(Directory(base(5, 5), [GREY[:25]])))
    return made[:-1] + b"x"


SURVIVORS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "another place of the directory": lambda: ONE[:4] + b"\x0a" + ONE[5:],
    "bytes behind": lambda: ONE + CANARY,
    "a directory cut short": lambda: ONE[:40],
    "data cut short": lambda: ONE[:-7],
    "data cut short in its directory": lambda: JPEG_ONE[:-300],
    "a description": lambda: ONE.replace(entry(284, 3, 1, 1), entry(270, 2, 3, 0x414141)),
    "tags out of order": lambda: ONE.replace(
        entry(256, 4, 1, 20) + entry(257, 4, 1, 10), entry(257, 4, 1, 10) + entry(256, 4, 1, 20)
    ),
    "a tag of another type": lambda: ONE.replace(entry(256, 4, 1, 20), entry(256, 7, 4, 20)),
    "a tag without a value": lambda: ONE.replace(entry(256, 4, 1, 20), entry(256, 4, 0, 20)),
    "a tag of endless length": lambda: ONE.replace(
        entry(256, 4, 1, 20), entry(256, 4, 1 << 30, 20)
    ),
    "a value elsewhere": lambda: ONE.replace(
        struct.pack("<HHI", 282, 5, 1), struct.pack("<HHI", 282, 5, 2)
    ),
    "a value that is not where it says": moved_value,
    "spare bytes of a value": lambda: ONE.replace(
        entry(284, 3, 1, 1), entry(284, 3, 1, 0x41410001)
    ),
    "two numbers for one": lambda: ONE.replace(entry(284, 3, 1, 1), entry(284, 3, 2, 0x10001)),
    "a wrong number": lambda: ONE.replace(entry(296, 3, 1, 1), entry(296, 3, 1, 2)),
    "a page without its colours": lambda: ONE.replace(entry(296, 3, 1, 1), entry(317, 3, 1, 2)),
    "samples of different depths": lambda: RGB_ONE.replace(
        struct.pack("<HHH", 8, 8, 8), struct.pack("<HHH", 8, 8, 9)
    ),
    "samples of an odd depth": lambda: ONE.replace(entry(258, 3, 1, 8), entry(258, 3, 1, 65)),
    "a palette missing": lambda: ONE.replace(entry(262, 3, 1, 1), entry(262, 3, 1, 3)),
    "dots that say something": lambda: ONE.replace(
        struct.pack("<IIII", 1, 1, 1, 1), struct.pack("<IIII", 1, 1, 1, 77)
    ),
    "a profile with a maker": lambda: RGB_ONE.replace(
        b"acsp" + bytes(28), b"acsp" + CANARY + bytes(15)
    ),
    "a strip elsewhere": lambda: ONE.replace(*shifted()),
    "too many strips": lambda: ONE.replace(entry(278, 4, 1, 10), entry(278, 4, 1, 5)),
    "longer data": lambda: with_data(ONE, lambda data: data + CANARY),
    "behind Deflate": lambda: with_data(PACKED, lambda data: data + CANARY),
    "Deflate without an end": lambda: with_data(PACKED, lambda data: data[:-4]),
    "more samples in Deflate": lambda: with_data(PACKED, lambda _: zlib.compress(GREY + CANARY)),
    "broken Deflate": lambda: with_data(PACKED, lambda _: CANARY),
    "a message in a JPEG": lambda: with_data(
        JPEG_ONE, lambda data: data[:2] + segment(0xFE, CANARY) + data[2:]
    ),
    "a second JPEG": lambda: with_data(JPEG_ONE, lambda data: data + data),
    "bytes between pages": between,
    "weights of nothing": lambda: weighed(struct.pack("<6I", 1, 2, 3, 4, 5, 6)),
    "codes in parts": lambda: weighed(b"", struct.pack("<12I", *range(12))),
}


def weighed(weights: bytes, codes: bytes = b"") -> bytes:
    """Return a clean picture in luma and chroma with its weights or its codes changed."""
    told: dict[str, tuple[int, list[int]]] = {
        "t529": (5, [2126, 10000, 7152, 10000, 722, 10000]),
        "t532": (5, [15, 1, 235, 1, 128, 1, 240, 1, 128, 1, 241, 1]),
    }
    made = clean(jpeg_page(bytes, **told))
    for (_, numbers), change in zip(told.values(), (weights, codes), strict=True):
        old = struct.pack(f"<{len(numbers)}I", *numbers)
        made = made.replace(old, change or old)
    return made


def shifted() -> tuple[bytes, bytes]:
    start = tags_of(ONE)[273][0]
    return entry(273, 4, 1, start), entry(273, 4, 1, start - 2)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_tiff(survivor: str) -> None:
    with pytest.raises(MetadataSurvived):
        tiff_check.check(io.BytesIO(SURVIVORS[survivor]()))


def test_the_second_reader_accepts_what_the_survivors_are_made_of() -> None:
    for made in (
        ONE,
        RGB_ONE,
        PACKED,
        JPEG_ONE,
        TWO,
        with_data(PACKED, bytes),
        with_data(JPEG_ONE, bytes),
    ):
        tiff_check.check(io.BytesIO(made))


def test_the_third_reader_knows_the_tags_of_a_page_by_name() -> None:
    with MemorySource(plain(t270=(2, CANARY))) as source:
        dirty = Plan(source, [source.read_at(0, source.length)])
        with pytest.raises(MetadataSurvived):
            reread.check(dirty, frozenset({"ImageWidth", "ImageLength"}))


def phone_tiff() -> bytes:
    """Return what a scanner writes: pages, EXIF, XMP, a thumbnail, private tags."""
    told = base(
        t270=(2, CANARY), t271=(2, CANARY), t700=(1, xmp_packet(CANARY)), t34377=(1, psd()),
        t34675=(7, P3), t65000=(7, phone_exif(CANARY)[6:]),
    )  # fmt: skip
    page = exif_directory()
    page.tags = told
    second = Directory(base(t259=(3, [5])), [compressed("tiff_lzw") + CANARY])
    third = Directory(base(t258=(3, [1]), t259=(3, [4]), t262=(3, [0])), [fax_data()])
    return tiff(page, second, third, gap=CANARY)


SEEDS = [phone_tiff(), jpeg_page(bytes), tiled(zlib.compress, t259=(3, [8])), rgb(t34675=(7, P3))]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_tiff_crash_the_cleaner_or_leak(data: st.DataObject) -> None:
    silent_or_refused(damaged(data, data.draw(st.sampled_from(SEEDS)), most=6))


def test_a_clean_tiff_of_pillows_own_names_no_software() -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[305] = CANARY.decode()
    made, _ = prove(saved(drawing(20, 10), tiffinfo=info), "tif")
    assert 305 not in tags_of(made)
