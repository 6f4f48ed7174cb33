"""Colour profiles: the colours stay, the owner's screen goes."""

import io
import struct
from typing import Literal

import pytest
from PIL import Image, ImageCms

from sanitizer import icc
from tests.sanitizer.kit import CANARY, clean
from tests.support.media import drawing


def profile(
    tags: dict[bytes, bytes], space: bytes = b"RGB ", connection: bytes = b"XYZ ", version: int = 2
) -> bytes:
    """Return a profile with a serial number and a name in it."""
    every = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(CANARY) + 1) + CANARY + bytes(80),
        **tags,
    }
    at = 132 + 12 * len(every)
    table, body = struct.pack(">I", len(every)), b""
    for name, data in every.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = (
        struct.pack(">I", at + len(body))
        + b"appl"
        + bytes([version, 16, 0, 0])
        + b"mntr"
        + space
        + connection
        + bytes(12)
    )
    head += (
        b"acsp" + bytes(12) + CANARY[:4] + bytes(12) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    )
    return head.ljust(128, b"\0") + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def curve(*values: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


WHITE = xyz(0.9642, 1.0, 0.8249)
P3 = {
    b"wtpt": WHITE,
    b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
    b"gXYZ": xyz(0.2920, 0.6922, 0.0419),
    b"bXYZ": xyz(0.1571, 0.0666, 0.7841),
}
SRGB_TABLE = curve(
    *(
        round(
            65535
            * (x / 1023 / 12.92 if x / 1023 < 0.04045 else ((x / 1023 + 0.055) / 1.055) ** 2.4)
        )
        for x in range(1024)
    )
)
ODD = {**P3, b"rXYZ": xyz(0.5, 0.25, 0.0)}


def with_curve(tags: dict[bytes, bytes], tag: bytes) -> dict[bytes, bytes]:
    return {**tags, b"rTRC": tag, b"gTRC": tag, b"bTRC": tag}


def test_a_display_p3_profile_becomes_a_small_one_of_ours() -> None:
    made = icc.replace(profile(with_curve(P3, SRGB_TABLE))).profile
    assert made is not None
    assert len(made) < 700
    assert CANARY not in made
    assert ImageCms.getProfileDescription(io.BytesIO(made)).strip() == "Display P3"


@pytest.mark.claim("C-META")
def test_colours_look_the_same_through_our_profile() -> None:
    theirs = profile(with_curve(P3, SRGB_TABLE))
    ours = icc.replace(theirs).profile
    assert ours is not None
    srgb = ImageCms.createProfile("sRGB")
    picture = drawing(64, 64)
    both = [ImageCms.profileToProfile(picture, io.BytesIO(p), srgb) for p in (theirs, ours)]
    assert all(p is not None for p in both)
    left, right = (p.tobytes() for p in both)  # type: ignore[union-attr]
    assert max(abs(a - b) for a, b in zip(left, right, strict=True)) <= 2


def test_an_srgb_profile_is_recognised_whatever_it_is_called() -> None:
    known = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert icc.replace(known).is_srgb


TAGS = {
    "straight": curve(),
    "a power": curve(int(1.8 * 256)),
    "a table": curve(0, 9000, 65535),
    "a measured table": curve(*(round(65535 * (x / 255) ** 2.21) for x in range(256))),
    "parametric": b"para" + struct.pack(">IHHi", 0, 0, 0, 1 << 17),
    "parametric with a straight part": b"para"
    + struct.pack(">IHH5i", 0, 3, 0, 157286, 62119, 3417, 5072, 2651),
    "parametric with an offset": b"para" + struct.pack(">IHH3i", 0, 1, 0, 1 << 17, 60000, 5536),
    "parametric with a floor": b"para" + struct.pack(">IHH4i", 0, 2, 0, 1 << 17, 60000, 5000, 99),
    "parametric with all": b"para"
    + struct.pack(">IHH7i", 0, 4, 0, 1 << 17, 60000, 5000, 3000, 2651, 99, 99),
}


def converted(
    picture: Image.Image, theirs: bytes, to: Literal["sRGB", "LAB"] = "sRGB"
) -> Image.Image:
    made = ImageCms.profileToProfile(
        picture, io.BytesIO(theirs), ImageCms.createProfile(to), outputMode=to[-3:]
    )
    assert made is not None
    return made


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("tag", TAGS)
def test_a_screens_own_profile_keeps_its_look_and_loses_its_name_and_numbers(tag: str) -> None:
    measured = {**ODD, b"gXYZ": xyz(0.302317, 0.682311, 0.041971)}
    theirs = profile(
        with_curve(measured, TAGS[tag] + CANARY), version=4 if "parametric" in tag else 2
    )
    made = icc.replace(theirs).profile
    assert made is not None
    assert CANARY not in made
    assert measured[b"gXYZ"] not in made
    assert ImageCms.getProfileDescription(io.BytesIO(made)).strip() == ""
    assert icc.replace(made).profile == made
    left, right = (converted(drawing(64, 64), each, "LAB").tobytes() for each in (theirs, made))
    assert max(min(abs(a - b), 256 - abs(a - b)) for a, b in zip(left, right, strict=True)) <= 3


SCREENS = {
    "wide": ((0.5159, 0.2409, -0.0008), (0.2912, 0.6931, 0.0411), 2.2),
    "usual": ((0.4356, 0.2229, 0.0142), (0.3857, 0.7164, 0.0968), 2.2),
    "narrow": ((0.4131, 0.2243, 0.0193), (0.4011, 0.7013, 0.1003), 2.24),
    "wide, measured by its owner": ((0.5231, 0.2479, 0.0031), (0.2793, 0.6829, 0.0301), 2.17),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("screen", SCREENS)
def test_pictures_of_a_screen_look_the_same_without_its_own_numbers(screen: str) -> None:
    red, green, power = SCREENS[screen]
    white = (0.9642, 1.0, 0.8249)
    blue = tuple(w - r - g for w, r, g in zip(white, red, green, strict=True))
    tags = {b"wtpt": WHITE, b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
    for name, more in ((b"rTRC", 0.0), (b"gTRC", 0.006), (b"bTRC", -0.004)):
        points = (x / 1023 for x in range(1024))
        tags[name] = curve(*(round(65535 * x ** (power + more)) for x in points))
    theirs = profile(tags)
    made = icc.replace(theirs).profile
    assert made is not None
    assert len(made) < 600
    assert not any(tags[name] in made for name in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC"))
    assert icc.replace(made).profile == made
    # Muted colours, as photos and windows have them.
    muted = drawing(64, 64).point(lambda value: 64 + value // 2)
    left, right = (converted(muted, each).tobytes() for each in (theirs, made))
    apart = [abs(a - b) for a, b in zip(left, right, strict=True)]
    assert max(apart) <= 5
    assert sum(apart) / len(apart) < 1


@pytest.mark.claim("C-META")
def test_two_screens_of_one_make_get_one_profile() -> None:
    one = profile(with_curve(P3, curve(*(round(65535 * (x / 255) ** 2.2) for x in range(256)))))
    other = {**P3, b"rXYZ": xyz(0.5162, 0.2419, -0.0006), b"bXYZ": xyz(0.1562, 0.0659, 0.7838)}
    two = profile(with_curve(other, curve(*(round(65535 * (x / 255) ** 2.21) for x in range(256)))))
    assert one != two
    assert icc.replace(one) == icc.replace(two)


@pytest.mark.claim("C-META")
def test_primaries_that_spell_a_word_are_none() -> None:
    spelt = dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ"), b"XYZ \x00\x00\x00\x00" + CANARY[:12])
    assert icc.replace(profile(with_curve({**P3, **spelt}, curve(512)))) == icc.Colour()
    one = {**P3, b"bXYZ": xyz(0.1571, 0.0666, 2.5)}
    assert icc.replace(profile(with_curve(one, curve(512)))) == icc.Colour()


@pytest.mark.claim("C-META")
def test_a_curve_that_spells_a_word_is_drawn_anew() -> None:
    word = curve(*sorted(struct.unpack(">12H", (CANARY * 2)[:24])))
    theirs = profile(with_curve(P3, word))
    made = icc.replace(theirs).profile
    assert made is not None
    assert not any(CANARY[at : at + 4] in made for at in range(9))
    assert icc.replace(made).profile == made


def test_a_curve_that_no_plain_one_follows_is_followed_from_afar() -> None:
    jump = curve(*[0] * 400, *[65535] * 3696)
    made = icc.replace(profile(with_curve(P3, jump))).profile
    assert made is not None
    assert len(made) < 700
    assert icc.replace(made).profile == made


def test_a_screen_that_is_not_quite_white_stays_so() -> None:
    theirs = profile(with_curve({**P3, b"bXYZ": xyz(0.1571, 0.0666, 0.75)}, curve(512)))
    made = icc.replace(theirs).profile
    assert made is not None
    assert icc.replace(made).profile == made
    assert made.count(xyz(0.157, 0.066, 0.75)[8:10]) > 0


@pytest.mark.parametrize("tag", [curve(512), TAGS["a table"], curve(547)])
@pytest.mark.parametrize("connection", [b"XYZ ", b"Lab "])
def test_a_grey_profile_keeps_its_look(tag: bytes, connection: bytes) -> None:
    theirs = profile({b"wtpt": WHITE, b"kTRC": tag}, b"GRAY", connection)
    made = icc.replace(theirs).profile
    assert made is not None
    assert icc.replace(made).profile == made
    assert CANARY not in made


def lut(kind: bytes, channels: int) -> bytes:
    head = kind + bytes(4) + bytes([channels, 3, 2, 0])
    head += struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    if kind == b"mft1":
        return head + bytes(256 * (channels + 3) + 2**channels * 3)
    return head + struct.pack(">HH", 2, 2) + bytes(2 * (2 * channels + 2 * 3 + 2**channels * 3))


@pytest.mark.parametrize("kind", [b"mft1", b"mft2"])
def test_a_printing_profile_keeps_its_tables_of_exact_length(kind: bytes) -> None:
    table = lut(kind, 4)
    spelt = table[:11] + (CANARY * 3)[:37] + table[48:]
    white = b"XYZ \0\0\0\0" + CANARY[:12]
    theirs = profile({b"wtpt": white, b"A2B0": spelt + CANARY}, b"CMYK", b"Lab ")
    made = icc.replace(theirs).profile
    assert made is not None
    assert table in made
    assert CANARY[:12] not in made
    assert CANARY not in made


def truncated() -> bytes:
    return profile(with_curve(ODD, curve(1, 2, 3)))[:-20]


UNUSABLE = {
    "nothing": b"",
    "no profile": b"x" * 200,
    "too many tags": profile({})[:128] + b"\xff" * 200,
    "an unknown space": profile({b"wtpt": WHITE}, b"Luv "),
    "no tables": profile({b"wtpt": WHITE}, b"CMYK"),
    "tables for other channels": profile({b"wtpt": WHITE, b"A2B0": lut(b"mft2", 3)}, b"CMYK"),
    "a short table": profile({b"wtpt": WHITE, b"A2B0": lut(b"mft2", 4)[:60]}, b"CMYK"),
    "an unknown connection": profile(with_curve(ODD, curve(512)), connection=b"Luv "),
    "an unknown connection of a grey": profile(
        {b"wtpt": WHITE, b"kTRC": curve(512)}, b"GRAY", b"Luv "
    ),
    "a printer's unknown connection": profile({b"A2B0": lut(b"mft2", 4)}, b"CMYK", b"Luv "),
    "an unknown curve": profile(with_curve(ODD, b"qqqq" + bytes(12))),
    "an unknown function": profile(
        with_curve(ODD, b"para" + struct.pack(">IHH", 0, 9, 0) + bytes(40))
    ),
    "a function of another kind": profile(
        with_curve(ODD, b"para" + struct.pack(">IHH", 0, 4, 0) + bytes(40))
    ),
    "a curve too long": profile(with_curve(ODD, curve(*range(5000)))),
    "a grey curve of another kind": profile(
        {b"wtpt": WHITE, b"kTRC": b"qqqq" + bytes(12)}, b"GRAY"
    ),
    "cut": truncated(),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_unusable_profile_is_dropped_and_never_an_error(what: str) -> None:
    assert icc.replace(UNUSABLE[what]) == icc.Colour()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_keeps_its_wide_colours(form: str) -> None:
    made = io.BytesIO()
    drawing(32, 32).save(made, form, icc_profile=profile(with_curve(P3, SRGB_TABLE)))
    kept = clean(made.getvalue())
    told = Image.open(io.BytesIO(kept)).info["icc_profile"]
    assert ImageCms.getProfileDescription(io.BytesIO(told)).strip() == "Display P3"
    assert CANARY not in kept


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_profile_for_another_kind_of_picture_is_dropped(form: str) -> None:
    made = io.BytesIO()
    drawing(32, 32, "L").save(made, form, icc_profile=profile(with_curve(P3, SRGB_TABLE)))
    assert "icc_profile" not in Image.open(io.BytesIO(clean(made.getvalue()))).info


def test_an_srgb_profile_in_a_png_becomes_one_byte() -> None:
    made = io.BytesIO()
    known = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    drawing(32, 32).save(made, "PNG", icc_profile=known)
    assert b"sRGB\0" in clean(made.getvalue())
