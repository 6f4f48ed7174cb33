"""Pictures in JPEG as items of HEIF: cleaned as a JPEG is, and whole."""

import io
import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sanitizer.errors import (
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.heif import check as heif_check
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, cleaned, prove
from tests.sanitizer.test_heif import P3, exif_item, grid, items_of, meta_of, properties_of
from tests.support.boxes import box, find, split
from tests.support.heif import File, Thing, hidden, ispe
from tests.support.media import drawing, phone_exif

WIDE, HIGH = 96, 64
ALPHA = (b"auxC", b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", True)


def by_ffmpeg(data: bytes) -> bytes:
    """Return the pixels of a file's picture as ffmpeg shows it: no other decoder here can."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.heif"
        path.write_bytes(data)
        made = subprocess.run(
            [
                *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)),
                *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
            ],
            check=True,
            capture_output=True,
        )
    assert made.stdout
    return made.stdout


def jpeg(mode: str = "RGB", turn: int = 0, **options: object) -> bytes:
    made = io.BytesIO()
    drawing(WIDE, HIGH, mode).rotate(turn).save(made, "JPEG", quality=80, **options)
    return made.getvalue()


def item(data: bytes, *properties: tuple[bytes, bytes, bool]) -> Thing:
    return Thing(b"jpeg", data, [ispe(WIDE, HIGH), *properties])


def file(data: bytes, *properties: tuple[bytes, bytes, bool], **options: object) -> File:
    options = {"brand": b"mif1", "brands": b"mif1jpeg", **options}
    return File({1: item(data, *properties)}, **options)  # type: ignore[arg-type]


def pictures(made: bytes) -> list[bytes]:
    """Return the data of the items in mdat, by an independent walk of the table of places."""
    table = find(meta_of(made), b"iloc")
    found = []
    for at in range(8, len(table), 16):
        _, method, _, count, start, length = struct.unpack_from(">HHHHII", table, at)
        assert count == 1
        if method == 0:
            found.append(made[start : start + length])
    assert sum(map(len, found)) == len(find(made, b"mdat"))
    return found


def decoded(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    shown = Image.open(io.BytesIO(data), formats=["JPEG"])
    return shown.mode, shown.size, shown.tobytes()


@pytest.mark.claim("C-META")
def test_a_jpeg_in_heif_loses_what_a_jpeg_loses_and_keeps_its_picture() -> None:
    thumbnail = b"\xff\xe0" + struct.pack(">H", 8 + len(CANARY)) + b"JFXX\0\x10" + CANARY
    picture = jpeg(exif=phone_exif(CANARY), comment=CANARY, icc_profile=P3)
    picture = picture[:2] + thumbnail + picture[2:] + CANARY
    dirty = replace(file(picture, slack=CANARY), after=box(b"free", CANARY))
    dirty.things[2] = exif_item()
    made, facts = prove(dirty.to_bytes(), "heif")
    assert by_ffmpeg(made) == by_ffmpeg(file(picture).to_bytes())
    (ours,) = pictures(made)
    assert ours == clean(picture)
    assert decoded(ours) == decoded(picture)
    assert items_of(made) == [b"jpeg"]
    assert find(made, b"ftyp") == b"mif1\0\0\0\0mif1jpeg"
    assert {"gps", "exif", "comment", "thumbnail", "icc_description", "trailing_data"} <= set(
        facts.removed
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True], ids=["at once", "in passes"])
def test_every_kind_of_jpeg_in_heif_keeps_its_pixels(mode: str, progressive: bool) -> None:  # noqa: FBT001 - a parameter
    picture = jpeg(mode, progressive=progressive)
    dirty = file(picture, brand=b"jpeg").to_bytes()
    made, facts = cleaned(dirty)
    assert decoded(*pictures(made)) == decoded(picture)
    assert by_ffmpeg(made) == by_ffmpeg(dirty)
    assert clean(made) == made
    assert not facts.removed


def cut(picture: bytes, marker: bytes) -> tuple[bytes, bytes]:
    """Return what stands before a marker, and the rest."""
    at = picture.index(marker)
    return picture[:at], picture[at:]


SCAN, FRAME = b"\xff\xda", b"\xff\xc0"


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("beyond", [0, 30], ids=["at a marker", "within the coded data"])
def test_what_stands_once_for_all_items_is_put_into_each(beyond: int) -> None:
    """A beginning of one's own in jpgC, with a canary in it, and two tiles."""
    first = jpeg(comment=CANARY)
    shared, rest = cut(first, SCAN)
    shared, rest = shared + rest[:beyond], rest[beyond:]
    other = rest if beyond else cut(jpeg(turn=180), SCAN)[1]
    setup = (b"jpgC", shared, True)
    tiles = {2: hidden(item(rest, setup)), 3: hidden(item(other, setup))}
    top = Thing(b"grid", grid(1, 2, 2 * WIDE, HIGH), [ispe(2 * WIDE, HIGH)], {b"dimg": [2, 3]})
    dirty = File({1: top, **tiles}, brand=b"mif1", brands=b"mif1jpeg").to_bytes()
    made, facts = prove(dirty, "heif")
    assert [decoded(each) for each in pictures(made)] == [
        decoded(shared + rest),
        decoded(shared + other),
    ]
    assert b"jpgC" not in dict(properties_of(made))
    assert "comment" in facts.removed
    assert by_ffmpeg(made)


def test_an_alpha_plane_in_jpeg_stays() -> None:
    plane = replace(item(jpeg("L"), ALPHA), references={b"auxl": [1]})
    dirty = file(jpeg())
    dirty.things[2] = plane
    made = clean(dirty.to_bytes())
    assert [decoded(each)[0] for each in pictures(made)] == ["RGB", "L"]
    assert find(meta_of(made), b"iref")[4:] == box(b"auxl", b"\0\2\0\1\0\1")
    assert clean(made) == made


def test_an_overlay_of_jpegs_keeps_its_pixels() -> None:
    told = struct.pack(">BB4HHH4h", 0, 0, 0xFFFF, 0, 0, 0xFFFF, 160, 120, 0, 0, 60, 50)
    top = Thing(b"iovl", told, [ispe(160, 120)], {b"dimg": [2, 3]})
    things = {1: top, 2: hidden(item(jpeg())), 3: hidden(item(jpeg(turn=180)))}
    dirty = File(things, brand=b"mif1", brands=b"mif1jpeg").to_bytes()
    made = clean(dirty)
    assert by_ffmpeg(made) == by_ffmpeg(dirty)
    assert items_of(made) == [b"iovl", b"jpeg", b"jpeg"]
    assert find(meta_of(made), b"idat") == told


def test_a_jpeg_in_pieces_is_read() -> None:
    dirty = file(jpeg(), slack=CANARY)
    dirty.things[1].pieces = 7
    assert clean(dirty.to_bytes()) == clean(file(jpeg()).to_bytes())


def test_a_setup_of_another_codec_beside_a_jpeg_goes() -> None:
    made, facts = cleaned(file(jpeg(), (b"hvcC", CANARY, False)).to_bytes())
    assert made == clean(file(jpeg()).to_bytes())
    assert facts.removed == ("other_metadata",)


def comments(length: int) -> bytes:
    return (b"\xff\xfe\xff\xff" + bytes(65_533)) * (length // 65_537 + 1)


def tiled(number: int, *setup: tuple[bytes, bytes, bool]) -> File:
    """Return a file of two rows of tiles."""
    tile = hidden(item(cut(jpeg(), SCAN)[1] if setup else jpeg(), *setup))
    tiles = dict.fromkeys(range(2, 2 + 2 * number), tile)
    size = (WIDE * number, HIGH * 2)
    top = Thing(b"grid", grid(2, number, *size), [ispe(*size)], {b"dimg": list(tiles)})
    return File({1: top, **tiles}, brand=b"mif1")


REFUSED: dict[str, tuple[type[Refused], Callable[[], File]]] = {
    "none": (Malformed, lambda: file(CANARY)),
    "cut short": (Malformed, lambda: file(jpeg()[:400])),
    "of another size": (Malformed, lambda: file(jpeg("L"), ispe(WIDE, HIGH + 1))),
    "larger than it says": (
        Malformed,
        lambda: File({1: Thing(b"jpeg", jpeg(), [ispe(WIDE, 8)])}, brand=b"mif1"),
    ),
    "with two beginnings": (
        Malformed,
        lambda: file(cut(jpeg(), SCAN)[1], *[(b"jpgC", cut(jpeg(), SCAN)[0], True)] * 2),
    ),
    "whole behind a beginning": (
        Malformed,
        lambda: file(jpeg(), (b"jpgC", cut(jpeg(), SCAN)[0], True)),
    ),
    "with a long beginning": (
        TooComplex,
        lambda: file(jpeg(), (b"jpgC", jpeg()[:2] + bytes(4 << 20), True)),
    ),
    "one of too many": (TooComplex, lambda: tiled(129)),
    "with a beginning that is read too often": (
        TooComplex,
        lambda: tiled(2, (b"jpgC", cut(jpeg(), SCAN)[0] + comments(1 << 20), True)),
    ),
    "with another codec's setup": (Unsupported, lambda: file(jpeg(), (b"hvcC", CANARY, True))),
    "coded in arithmetic": (Unsupported, lambda: file(jpeg().replace(FRAME, b"\xff\xc9"))),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_jpeg_in_heif_that_cannot_be_proven_clean_is_refused(why: str) -> None:
    kind, make = REFUSED[why]
    with pytest.raises(kind) as raised:
        clean(make().to_bytes())
    assert type(raised.value) is kind


def test_jpegs_of_more_pixels_together_than_the_limit_are_refused() -> None:
    tile = hidden(item(jpeg()))
    top = Thing(b"grid", grid(1, 2, WIDE + 1, HIGH), [ispe(WIDE + 1, HIGH)], {b"dimg": [2, 3]})
    dirty = File({1: top, 2: tile, 3: tile}, brand=b"mif1", brands=b"mif1jpeg").to_bytes()
    assert clean(dirty, Limits(image_pixels=2 * WIDE * HIGH))
    with pytest.raises(TooManyPixels):
        clean(dirty, Limits(image_pixels=2 * WIDE * HIGH - 1))


MADE = clean(file(jpeg()).to_bytes())


def changed(change: Callable[[bytes], bytes]) -> bytes:
    """Return a clean file of one picture with its picture changed, its length with it."""
    (data,) = pictures(MADE)
    head, ours = MADE[: -len(data)], change(data)
    table = find(meta_of(MADE), b"iloc")
    places = table[:20] + struct.pack(">I", len(ours))
    return head.replace(table, places)[:-8] + box(b"mdat", ours)


SURVIVORS: dict[str, Callable[[bytes], bytes]] = {
    "a comment": lambda d: d[:2] + b"\xff\xfe\0\x0f" + CANARY + d[2:],
    "bytes behind": lambda d: d + CANARY,
    "no picture": lambda _: b"\xff\xd8\xff\xd9",
    "another size": lambda d: d.replace(b"\0\x11\x08\0\x40\0\x60", b"\0\x11\x08\0\x40\0\x5f"),
    "no frame": lambda d: d.replace(FRAME, b"\xff\xdb"),
    "restarts before the frame": lambda d: d.replace(FRAME, b"\xff\xdd\0\4\0\0" + FRAME),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_jpeg(survivor: str) -> None:
    made = changed(SURVIVORS[survivor])
    assert made != MADE
    with pytest.raises(MetadataSurvived):
        heif_check.check(io.BytesIO(made))


def test_the_second_reader_accepts_what_the_survivors_are_made_of() -> None:
    assert changed(bytes) == MADE
    heif_check.check(io.BytesIO(MADE))
    other = MADE.replace(b"infe\2\0\0\0\0\1\0\0jpeg", b"infe\2\0\0\0\0\1\0\0hvc1")
    with pytest.raises(MetadataSurvived):
        heif_check.check(io.BytesIO(other))
    assert [kind for kind, _ in split(MADE)] == [b"ftyp", b"meta", b"mdat"]


SEED = file(
    cut(jpeg(exif=phone_exif(CANARY), comment=CANARY), SCAN)[1],
    (b"jpgC", cut(jpeg(exif=phone_exif(CANARY), comment=CANARY), SCAN)[0], True),
).to_bytes()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_jpeg_in_heif_crash_the_cleaner_or_leak(data: st.DataObject) -> None:
    dirty = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(dirty) - 1))
        dirty[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        made = clean(bytes(dirty))
    except Refused:
        return
    assert CANARY not in made
