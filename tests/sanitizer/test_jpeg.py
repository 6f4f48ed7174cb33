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
from sanitizer.jpeg import entropy
from sanitizer.jpeg import write as jpeg
from sanitizer.limits import Limits
from sanitizer.pieces import Plan, Range
from sanitizer.source import BytesSource, MemorySource, UntrustedSource
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, prove, surprises
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
    spelt = PLAIN.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1SN42")
    assert clean(spelt)[14:18] == struct.pack(">HH", 51, 32)


@pytest.mark.parametrize(
    ("unit", "across", "down", "is_kept"),
    [(1, 72, 72, True), (1, 300, 300, True), (1, 1200, 1200, True), (1, 301, 301, False),
     (2, 300, 300, False), (0, 300, 300, False), (3, 300, 300, False)],
)  # fmt: skip
def test_of_the_dots_per_inch_those_stay_that_many_machines_share(
    unit: int, across: int, down: int, *, is_kept: bool
) -> None:
    told = b"JFIF\0\1\1" + struct.pack(">BHH", unit, across, down)
    none = b"JFIF\0\1\1\0\0\1\0\1"
    made, kept = clean(PLAIN.replace(none, told)), clean(PLAIN)
    assert made == (kept.replace(none, told) if is_kept else kept)
    assert clean(made) == made


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
    assert sum(len(piece) for piece in plan.pieces if isinstance(piece, bytes)) < 2000
    assert kinds == set()


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


def test_an_srgb_profile_goes_because_it_says_what_all_assume() -> None:
    made, facts = cleaned(saved(drawing(32, 32), icc_profile=profile("sRGB")))
    assert b"ICC_PROFILE" not in made
    assert "icc_description" in facts.removed


def without(data: bytes, marker: int) -> bytes:
    """Return a photo without its segments of one kind."""
    made, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        made += b"" if data[at + 1] == marker else data[at : at + length]
        at += length
    return made + data[at:]


def segments(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Cut a photo into the segments before its first scan, and the rest."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found, data[at:]


def joined(found: list[tuple[int, bytes]], rest: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segment(*each) for each in found) + rest


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("size", [(64, 48), (1200, 900)])
def test_symbols_that_no_code_says_go(size: tuple[int, int]) -> None:
    data = saved(drawing(*size), quality=75)
    found, rest = segments(data)
    # The last symbols of the usual table: long runs of zeros before large numbers.
    spelt = [(m, p[: -len(CANARY)] + CANARY if m == 0xC4 and len(p) > 99 else p) for m, p in found]
    dirty = joined(spelt, rest)
    assert pixels(dirty) == pixels(data)
    made, _ = prove(dirty, ".jpg")
    assert pixels(made) == pixels(data)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("progressive", [False, True])
def test_codes_that_were_added_to_a_table_say_nothing(*, progressive: bool) -> None:
    flat = Image.new("RGB", (64, 64), (9, 200, 30))
    data = saved(flat, optimize=True, progressive=progressive)
    found, rest = segments(data)
    word = CANARY * 9
    spelt = [(m, p[:16] + bytes([len(word)]) + p[17:] + word if m == 0xC4 else p) for m, p in found]
    dirty = joined(spelt, rest)
    made, _ = prove(dirty, ".jpg")
    assert pixels(made) == pixels(data)


@pytest.mark.claim("C-META")
def test_tables_that_every_encoder_writes_stay_as_they_are() -> None:
    found, _ = segments(clean(PLAIN))
    theirs, _ = segments(PLAIN)
    assert {p for m, p in found if m == 0xC4} == {p for m, p in theirs if m == 0xC4}


def test_a_table_that_became_the_one_before_is_written_once() -> None:
    # Each plane has a scan and a table of its own, which differ in what no code says.
    data = saved(Image.new("YCbCr", (8, 8)), subsampling=0, optimize=True)
    assert pixels(clean(data)) == pixels(data)
    head, _ = segments(data)
    frame = next(p for m, p in head if m == 0xC0)
    others = [(m, p) for m, p in head if m not in {0xC4, 0xC0}]
    made = joined([*others, (0xC0, frame)], b"")
    for name, letter in zip(b"\1\2\3", b"\5\6\7", strict=True):
        for kind in (0, 0x10):
            made += segment(0xC4, bytes([kind, 1, 1]) + bytes(14) + bytes([0, letter]))
        made += segment(0xDA, bytes([1, name, 0, 0, 63, 0])) + b"\x3f"
    once = clean(made + b"\xff\xd9")
    assert once.count(b"\xff\xc4") == 2
    assert clean(once) == once
    assert pixels(once) == pixels(made + b"\xff\xd9")


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("progressive", [False, True])
def test_a_second_picture_under_the_first_is_refused(*, progressive: bool) -> None:
    first, second = drawing(64, 48), drawing(64, 48).rotate(180)
    shown, hidden = (saved(each, progressive=progressive) for each in (first, second))
    both = shown[:-2] + hidden[hidden.index(b"\xff\xda") :]
    with pytest.raises(Malformed):
        clean(both)


def renamed(data: bytes, names: bytes) -> bytes:
    """Return a photo of three planes with other ids."""
    found, rest = segments(data)
    frame = next(p for m, p in found if m == 0xC0)
    called = frame[:6] + b"".join(names[n : n + 1] + frame[7 + 3 * n : 9 + 3 * n] for n in range(3))
    scan = b"".join(names[n : n + 1] + rest[6 + 2 * n : 7 + 2 * n] for n in range(3))
    return joined([(m, called if m == 0xC0 else p) for m, p in found], rest[:5] + scan + rest[11:])


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("names", [b"SN7", b"\0\1\2", b"\2\1\3", b"RGB", b"BGR"])
@pytest.mark.parametrize("marker", ["JFIF", "Adobe", "none"])
def test_planes_are_called_by_their_number(names: bytes, marker: str) -> None:
    data = renamed(PLAIN, names)
    if marker != "JFIF":
        data = without(data, 0xE0)
    if marker == "Adobe":
        data = after_start(data, segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"))
    made = clean(data)
    frame = next(p for m, p in segments(made)[0] if m == 0xC0)
    assert frame[6::3] == (b"RGB" if names == b"RGB" else b"\1\2\3")
    assert pixels(made) == pixels(data)
    assert clean(made) == made


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("marker", [(0xDD, b"S7"), (0xDD, b"\0\x0c")])
def test_a_restart_interval_that_restarts_nothing_goes(marker: tuple[int, bytes]) -> None:
    assert clean(after_start(PLAIN, segment(*marker))) == clean(PLAIN)


@pytest.mark.parametrize(("told", "kept"), [(0, 0), (1, 1), (2, 1), (83, 1)])
def test_a_transform_of_colours_is_one_that_there_is(told: int, kept: int) -> None:
    data = after_start(without(PLAIN, 0xE0), segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes([told])))
    made = clean(data)
    assert segments(made)[0][0] == (0xEE, b"Adobe\0d\0\0\0\0" + bytes([kept]))
    assert pixels(made) == pixels(data)
    grey = after_start(saved(drawing(40, 40, "L")), segment(0xEE, b"Adobe\0d\0\0\0\0S"))
    assert clean(grey) == clean(saved(drawing(40, 40, "L")))


BROKEN: dict[str, tuple[Callable[[bytes], bytes], type[Refused]]] = {
    "cut in its head": (lambda d: d[:200], Malformed),
    "cut in its data": (lambda d: d[: len(d) - 40] + b"\xff\xd9", Malformed),
    "a segment of length one": (lambda d: d[:3] + b"\xe0\0\1" + d[6:], Malformed),
    "a short restart interval": (lambda d: after_start(d, segment(0xDD, b"\0")), Malformed),
    "a short quantization table": (lambda d: after_start(d, segment(0xDB, b"\0\1")), Malformed),
    "a short Huffman table": (lambda d: after_start(d, segment(0xC4, b"\0\1")), Malformed),
    "a second start": (lambda d: after_start(d, b"\xff\xd8"), Malformed),
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


ODD: dict[str, Callable[[bytes], bytes]] = {
    "no end marker": lambda d: d[:-2],
    "half an end marker": lambda d: d[:-1],
    "zeros where the end marker was": lambda d: d[:-2] + bytes(300),
    "a comment where the end marker was": lambda d: d[:-2] + segment(0xFE, CANARY),
    "half a marker behind a comment": lambda d: d[:-2] + segment(0xFE, CANARY) + b"\xff",
    "arithmetic conditioning": lambda d: after_start(d, segment(0xCC, b"\0\x10")),
    "fill bytes before each table": lambda d: d.replace(b"\xff\xdb", b"\xff\xff\xff\xdb"),
    "bytes before its data": lambda d: d.replace(b"\xff\xda", b"\1\2\xff\xda", 1),
}


@pytest.mark.parametrize("size", [(64, 48), (700, 500)])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("what", ODD)
def test_a_photo_that_decoders_show_whole_is_cleaned(
    what: str, size: tuple[int, int], *, progressive: bool
) -> None:
    data = saved(drawing(*size), quality=95, progressive=progressive)
    odd = ODD[what](data)
    assert odd != data
    made = clean(odd)
    assert made == clean(data)
    assert pixels(made) == pixels(data)


def test_a_photo_without_tables_gets_those_that_every_decoder_knows() -> None:
    data = saved(drawing(64, 48))
    bare = without(data, 0xC4)
    assert len(bare) < len(data)
    assert clean(bare) == clean(data)
    assert pixels(clean(bare)) == pixels(bare)


def test_a_progressive_photo_that_lacks_passes_and_its_end_is_refused() -> None:
    data = saved(drawing(64, 48), progressive=True)
    for end in range(data.index(b"\xff\xda") + 40, data.rindex(b"\xff\xda"), 40):
        with pytest.raises(Malformed):
            clean(data[:end])
    with pytest.raises(Malformed):
        clean(data[: data.rindex(b"\xff\xda")])


def test_long_photos_are_walked_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = phone_photo(CANARY, width=640, height=480)
    once = clean(data)
    cut = clean(data[:-2])
    for size in (2, 7, 64, 1000):
        monkeypatch.setattr(jpeg, "_HELD_BYTES", size)
        assert clean(data) == once
        assert clean(data[:-2]) == cut


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [1, 50, 100])
def test_no_photo_of_an_ordinary_encoder_is_refused(
    mode: str, quality: int, *, progressive: bool
) -> None:
    noise = Image.effect_noise((61, 45), 90)
    busy = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180))).convert(mode)
    for picture in (busy, drawing(33, 70, mode), Image.new(mode, (50, 3)), busy.resize((1, 1))):
        for options in ({}, {"optimize": True}, {"restart_marker_blocks": 2}):
            data = saved(picture, quality=quality, progressive=progressive, **options)
            made = clean(data)
            assert pixels(made) == pixels(data)
            assert clean(made) == made


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


@pytest.mark.parametrize("bound", ["_MAX_SCANS", "_FREE_VISITS"])
def test_the_passes_of_a_photo_are_bounded(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(drawing(16, 16), progressive=True)
    assert clean(data)
    monkeypatch.setattr(jpeg, "_MOST_VISITS", 1)
    monkeypatch.setattr(jpeg, bound, 3)
    with pytest.raises(TooComplex):
        clean(data)


def test_a_pass_that_comes_twice_is_refused() -> None:
    data = saved(drawing(16, 16), progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    passes = data[:first] + data[first:second] * 2 + data[second:]
    with pytest.raises(Malformed):
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
        renamed(clean(PLAIN), b"SN7"),
        clean(PLAIN).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\0SN42"),
        clean(PLAIN).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1SN42"),
        clean(PLAIN).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1\0\x48\0\x60"),
        clean(PLAIN).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\2\0\x48\0\x48"),
        clean(PLAIN).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\0\0\2\0\2"),
        after_start(without(clean(PLAIN), 0xE0), segment(0xEE, b"Adobe\0\x64\0\0\0\0S")),
        after_start(PLAIN, segment(0xE2, b"ICC_PROFILE\0\1\1" + b"x" * 200)),
        after_start(clean(PLAIN), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + CANARY)),
        after_start(clean(PLAIN), clean(PLAIN)[2:20]),
        clean(PLAIN)[:-2] + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + b"\xff\xd9",
    ],
)
def test_the_second_reader_notices_what_a_writer_would_have_left(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        jpeg_check.check(BytesSource(survivor))


@pytest.mark.parametrize("size", [2, 3, 7, 64])
def test_the_second_reader_misses_nothing_between_two_windows(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    made = clean(PLAIN)
    monkeypatch.setattr(jpeg_check, "_WINDOW", size)
    jpeg_check.check(BytesSource(made))
    for at in range(len(made) - 70, len(made) - 2):
        # A stuffed byte is data, a marker in front of it is not.
        if made[at - 1] != 0xFF and made[at] != 0:
            with pytest.raises(MetadataSurvived):
                jpeg_check.check(BytesSource(made[:at] + b"\xff\xfe\0\3S" + made[at:]))


@pytest.mark.parametrize(
    ("ends", "is_tight"),
    [
        ([(8, 0), (8, 0), None], True),
        ([(8, 0), (7, 0), (8, 0)], True),
        ([(7, 0), (8, 0), (8, 0)], True),
        ([(8, 0), (7, 0), (6, 0)], False),
        ([(8, 1), (8, 1), None], False),
        ([(-8, 0), (-8, 0), None], False),
        ([(8, 0), (-8, 0), (-8, 0)], False),
    ],
)
def test_a_long_scan_ends_where_most_walks_over_its_tail_end(
    monkeypatch: pytest.MonkeyPatch, ends: list[tuple[int, int] | None], *, is_tight: bool
) -> None:
    data = saved(drawing(1600, 1200), quality=95)
    left = iter(ends)

    def walk(plain: bytes, *_: object) -> tuple[int, int]:
        end = next(left)
        # No walk more than it takes to know.
        assert end is not None
        return len(plain) * 8 - 8 + end[0], end[1]

    monkeypatch.setattr(entropy, "_walk", walk)
    found: list[bool] = []
    judge = entropy.CodedScan.tail_is_tight

    def judged(scan: entropy.CodedScan, source: UntrustedSource, kept: list[Range]) -> bool:
        found.append(judge(scan, source, kept))
        return True

    monkeypatch.setattr(entropy.CodedScan, "tail_is_tight", judged)
    with MemorySource(data) as source:
        jpeg.plan(source, Limits())
    assert found == [is_tight]


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
    if dirty.startswith(b"\xff\xd8\xff"):  # else it is taken for what it has become
        assert made.startswith(b"\xff\xd8")
        assert made.endswith(b"\xff\xd9")


def test_random_noise_behind_a_photo_goes_whatever_it_looks_like() -> None:
    noise = os.urandom(5000)
    assert clean(PLAIN + noise) == clean(PLAIN)
