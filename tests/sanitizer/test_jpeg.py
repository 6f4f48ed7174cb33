"""JPEG: what goes, what stays, and what is refused."""

import io
import os
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from sanitizer import reread
from sanitizer.errors import (
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.jpeg import check as jpeg_check
from sanitizer.jpeg import write as jpeg
from sanitizer.limits import Limits
from sanitizer.pieces import Plan
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, surprises
from tests.support.media import drawing, phone_exif, phone_photo, xmp_packet


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", **options)
    return made.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return picture.mode, picture.size, picture.tobytes()


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def after_start(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


PLAIN = saved(drawing(64, 48))


@pytest.mark.claim("C-META")
def test_nothing_a_phone_writes_into_a_photo_is_in_the_clean_one() -> None:
    dirty = phone_photo(CANARY)
    assert dirty.count(CANARY) > 10
    made, facts = cleaned(dirty)
    assert CANARY not in made
    assert {"gps", "camera_serial", "camera_model", "thumbnail", "xmp", "iptc", "comment"} <= set(
        facts.removed
    )
    assert "trailing_data" in facts.removed
    assert facts.length == len(made)


@pytest.mark.claim("C-META")
@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
@pytest.mark.parametrize("orientation", [1, 6])
def test_exiftool_finds_nothing_but_the_picture_in_a_clean_photo(orientation: int) -> None:
    dirty = phone_photo(CANARY, orientation=orientation)
    assert len(surprises(dirty, ".jpg")) > 10
    assert surprises(clean(dirty), ".jpg") == set()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_clean_photo_stands_upright_as_before(orientation: int) -> None:
    dirty = phone_photo(CANARY, width=40, height=24, orientation=orientation)
    assert pixels(clean(dirty)) == pixels(dirty)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"subsampling": 0},
        {"subsampling": 2},
        {"restart_marker_blocks": 3},
        {"restart_marker_rows": 1},
        {"optimize": True, "quality": 95},
        {"keep_rgb": True},
    ],
)
def test_every_pixel_of_a_clean_photo_is_the_same(options: dict[str, object]) -> None:
    dirty = phone_photo(CANARY, width=120, height=88, **options)  # type: ignore[arg-type]
    made = clean(dirty)
    assert pixels(made) == pixels(dirty)
    assert CANARY not in made


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_photos_keep_their_colours(mode: str) -> None:
    dirty = after_start(saved(drawing(40, 40, mode)), segment(0xFE, CANARY))
    made = clean(dirty)
    assert pixels(made) == pixels(dirty)
    assert CANARY not in made


def test_the_coded_data_is_kept_bit_by_bit() -> None:
    dirty = phone_photo(CANARY, width=640, height=480)
    start = dirty.rindex(b"\xff\xda")
    assert dirty[start : dirty.rindex(b"\xff\xd9") + 2] in clean(dirty)


def test_cleaning_twice_changes_nothing() -> None:
    once = clean(phone_photo(CANARY))
    again, facts = cleaned(once)
    assert again == once
    assert set(facts.removed) <= {"exif"}


def test_an_orientation_that_only_xmp_tells_is_kept() -> None:
    told = xmp_packet(b"x").replace(b"exif:UserComment", b'tiff:Orientation="8" exif:UserComment')
    dirty = after_start(PLAIN, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + told))
    assert Image.open(io.BytesIO(clean(dirty))).getexif()[0x0112] == 8


def test_pixels_that_are_not_square_stay_so() -> None:
    picture = PLAIN.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\0\0\2\0\1")
    assert clean(picture)[2:20] == picture[2:20]
    dense = PLAIN.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1\0\x48\0\x48")
    assert clean(dense) == clean(PLAIN)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "extra",
    [
        segment(0xE0, b"JFXX\0\x10" + CANARY),
        segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + CANARY),
        segment(0xE0, b"AVI1" + CANARY),
        segment(0xE1, b"Exif\0\0II*\0" + CANARY),
        segment(0xE2, b"MPF\0" + CANARY),
        segment(0xEB, b"JP" + CANARY),
        segment(0xED, b"Photoshop 3.0\0" + CANARY),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + CANARY),
        segment(0xEF, CANARY),
        segment(0xFE, CANARY),
        segment(0xDB, b"\3" + CANARY.ljust(64, b"\1")),
        segment(0xC4, b"\x13" + bytes(15) + bytes([len(CANARY)]) + CANARY),
        b"\xff\xff\xff",
        segment(0xFE, b"") + CANARY,
        b"\xff\1",
    ],
)
def test_a_hiding_place_before_the_picture_is_emptied(extra: bytes) -> None:
    dirty = after_start(PLAIN, extra)
    made = clean(dirty)
    assert CANARY not in made
    assert pixels(made) == pixels(PLAIN)


@pytest.mark.claim("C-META")
def test_a_comment_between_the_passes_of_a_progressive_photo_goes() -> None:
    data = saved(drawing(64, 48), progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    dirty = data[:second] + segment(0xE1, b"Exif\0\0" + CANARY) + b"\xff\xff" + data[second:]
    made = clean(dirty)
    assert CANARY not in made
    assert pixels(made) == pixels(data)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("size", [(64, 48), (1600, 1200)])
@pytest.mark.parametrize("hidden", [CANARY, b"\0", b"\xff\xd0" + CANARY, b"\xff\xff\0" + CANARY])
@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0}])
def test_bytes_behind_the_last_block_go(
    size: tuple[int, int], hidden: bytes, options: dict[str, object]
) -> None:
    data = saved(drawing(*size), quality=95, **options)
    made, facts = cleaned(data[:-2] + hidden + data[-2:])
    assert made == clean(data)
    assert facts.removed


def test_a_long_photo_without_a_secret_keeps_its_data_by_its_place() -> None:
    data = saved(drawing(1600, 1200), quality=95)
    with MemorySource(data) as source:
        plan, kinds = jpeg.plan(source, Limits())
    assert sum(len(piece) for piece in plan._pieces if isinstance(piece, bytes)) < 2000
    assert kinds == set()


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


def test_an_srgb_profile_goes_because_it_says_what_all_assume() -> None:
    made, facts = cleaned(saved(drawing(32, 32), icc_profile=profile("sRGB")))
    assert b"ICC_PROFILE" not in made
    assert "icc_description" in facts.removed


BROKEN: dict[str, tuple[Callable[[bytes], bytes], type[Refused]]] = {
    "no end marker": (lambda d: d[:-2], Malformed),
    "cut in its head": (lambda d: d[:200], Malformed),
    "cut in its data": (lambda d: d[: len(d) - 40] + b"\xff\xd9", Malformed),
    "a segment of length one": (lambda d: d[:3] + b"\xe0\0\1" + d[6:], Malformed),
    "a short restart interval": (lambda d: after_start(d, segment(0xDD, b"\0")), Malformed),
    "a short quantization table": (lambda d: after_start(d, segment(0xDB, b"\0\1")), Malformed),
    "a short Huffman table": (lambda d: after_start(d, segment(0xC4, b"\0\1")), Malformed),
    "a second start": (lambda d: after_start(d, b"\xff\xd8"), Malformed),
    "arithmetic conditioning": (lambda d: after_start(d, segment(0xCC, b"\0\0")), Unsupported),
    "an unknown segment": (lambda d: after_start(d, segment(0xF0, b"\0\0")), Unsupported),
    "arithmetic coding": (lambda d: d.replace(b"\xff\xc0", b"\xff\xc9"), Unsupported),
    "no height": (
        lambda d: d.replace(b"\xff\xc0\0\x11\x08\0\x30", b"\xff\xc0\0\x11\x08\0\0"),
        Unsupported,
    ),
    "twelve bits in a baseline frame": (
        lambda d: d.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        Unsupported,
    ),
    "a short frame header": (lambda d: d.replace(b"\xff\xc0\0\x11", b"\xff\xc0\0\x02"), Malformed),
    "no frame": (lambda d: d.replace(b"\xff\xc0\0\x11", b"\xff\xfe\0\x11"), Malformed),
    "sampling out of range": (
        lambda d: d.replace(b"\x03\x01\x22\0\x02\x11\1", b"\x03\x01\x52\0\x02\x11\1"),
        Malformed,
    ),
    "two components of one id": (
        lambda d: d.replace(b"\x03\x01\x22\0\x02\x11\1", b"\x03\x01\x22\0\x01\x11\1"),
        Malformed,
    ),
    "a table that is missing": (
        lambda d: d.replace(b"\x03\x01\x22\0\x02\x11\1", b"\x03\x01\x22\2\x02\x11\1"),
        Malformed,
    ),
    "a scan header of the wrong length": (
        lambda d: d.replace(b"\xff\xda\0\x0c\x03\1", b"\xff\xda\0\x0c\x02\1"),
        Malformed,
    ),
    "a scan of an unknown component": (
        lambda d: d.replace(b"\xff\xda\0\x0c\x03\1", b"\xff\xda\0\x0c\x03\4"),
        Malformed,
    ),
    "a table id out of range": (
        lambda d: d.replace(b"\xff\xda\0\x0c\x03\1\0", b"\xff\xda\0\x0c\x03\1\x40"),
        Malformed,
    ),
    "a Huffman table that is missing": (
        lambda d: d.replace(b"\xff\xda\0\x0c\x03\1\0", b"\xff\xda\0\x0c\x03\1\x20"),
        Malformed,
    ),
    "two frames": (lambda d: after_start(d, d[d.index(b"\xff\xc0") :][:19]), Malformed),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_photo_is_refused_with_its_reason(damage: str) -> None:
    change, error = BROKEN[damage]
    broken = change(PLAIN)
    assert broken != PLAIN
    with pytest.raises(error):
        clean(broken)


def test_a_photo_cut_short_anywhere_is_refused() -> None:
    data = saved(drawing(200, 160), quality=90)
    for end in range(10, len(data) - 2, 97):
        with pytest.raises(Malformed):
            clean(data[:end])
        with pytest.raises(Malformed):
            clean(data[:end].rstrip(b"\xff") + b"\xff\xd9")


def test_a_photo_of_more_pixels_than_the_limit_is_refused_before_it_is_decoded() -> None:
    at = PLAIN.index(b"\xff\xc0") + 5
    huge = PLAIN[:at] + b"\xff\xdc\xff\xdc" + PLAIN[at + 4 :]
    with pytest.raises(TooManyPixels):
        clean(huge)


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(after_start(PLAIN, segment(0xFE, b"") * 100), Limits(image_parts=50))
    fill = PLAIN[:-2] + b"\xff\xff\0" * 100 + PLAIN[-2:]
    with pytest.raises(TooComplex):
        clean(fill, Limits(image_parts=50))


def test_thousands_of_passes_are_refused() -> None:
    data = saved(drawing(16, 16), progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    passes = data[:first] + data[first:second] * 300 + data[second:]
    with pytest.raises(TooComplex):
        clean(passes)


@pytest.mark.parametrize("numbers", [b"\0\x01\0", b"\1\x40\0", b"\5\1\0", b"\0\0\x31", b"\0\0\x0e"])
def test_a_pass_of_impossible_numbers_is_refused(numbers: bytes) -> None:
    data = saved(drawing(16, 16), progressive=True)
    end = data.index(b"\xff\xda") + 2 + 12
    with pytest.raises(Malformed):
        clean(data[: end - 3] + numbers + data[end:])


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "survivor",
    [
        b"",
        after_start(PLAIN, segment(0xFE, CANARY)),
        after_start(PLAIN, segment(0xE1, phone_exif(CANARY))),
        PLAIN + CANARY,
        PLAIN[:-2] + segment(0xFE, CANARY) + b"\xff\xd9",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + CANARY,
        b"\xff\xd8\xff\xdb\xff\xff",
        clean(PLAIN)[:-2],
        after_start(PLAIN, segment(0xE2, b"ICC_PROFILE\0\1\1" + b"x" * 200)),
        after_start(clean(PLAIN), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + CANARY)),
        after_start(clean(PLAIN), clean(PLAIN)[2:20]),
        clean(PLAIN)[:-2] + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + b"\xff\xd9",
    ],
)
def test_the_second_reader_notices_what_a_writer_would_have_left(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        jpeg_check.check(io.BytesIO(survivor))


@pytest.mark.claim("C-META")
def test_exifread_too_looks_at_every_result() -> None:
    with MemorySource(b"") as source:
        with pytest.raises(MetadataSurvived):
            reread.check(Plan(source, [phone_photo(CANARY)]))
        reread.check(Plan(source, [clean(phone_photo(CANARY))]))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_makes_a_photo_crash_the_cleaner(data: st.DataObject) -> None:
    dirty = bytearray(
        phone_photo(CANARY, width=32, height=32, progressive=data.draw(st.booleans()))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(dirty) - 1))
        dirty[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        made = clean(bytes(dirty))
    except Refused:
        return
    assert made.startswith(b"\xff\xd8")
    assert made.endswith(b"\xff\xd9")


def test_random_noise_behind_a_photo_goes_whatever_it_looks_like() -> None:
    noise = os.urandom(5000)
    assert clean(PLAIN + noise) == clean(PLAIN)
