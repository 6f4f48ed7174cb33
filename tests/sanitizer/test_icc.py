"""Colour profiles: the colours stay, the owner's screen goes."""

import io
import struct

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


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "tag",
    [
        curve(),
        curve(int(1.8 * 256)),
        curve(0, 9000, 65535),
        b"para" + struct.pack(">IHHi", 0, 0, 0, 1 << 17),
        b"para" + struct.pack(">IHH5i", 0, 3, 0, 157286, 62119, 3417, 5072, 2651),
    ],
    ids=["straight", "a power", "a table", "parametric", "parametric with a straight part"],
)
def test_a_screens_own_profile_keeps_its_numbers_and_loses_its_name(tag: bytes) -> None:
    made = icc.replace(
        profile(with_curve(ODD, tag + CANARY), version=4 if b"para" in tag else 2)
    ).profile
    assert made is not None
    assert CANARY not in made
    assert ODD[b"rXYZ"] in made
    assert ImageCms.getProfileDescription(io.BytesIO(made)).strip() == ""


def test_a_grey_profile_keeps_its_curve() -> None:
    made = icc.replace(profile({b"wtpt": WHITE, b"kTRC": curve(512)}, b"GRAY")).profile
    assert made is not None
    assert curve(512) in made


def lut(kind: bytes, channels: int) -> bytes:
    head = kind + bytes(4) + bytes([channels, 3, 2, 0]) + bytes(36)
    if kind == b"mft1":
        return head + bytes(256 * (channels + 3) + 2**channels * 3)
    return head + struct.pack(">HH", 2, 2) + bytes(2 * (2 * channels + 2 * 3 + 2**channels * 3))


@pytest.mark.parametrize("kind", [b"mft1", b"mft2"])
def test_a_printing_profile_keeps_its_tables_of_exact_length(kind: bytes) -> None:
    table = lut(kind, 4)
    theirs = profile({b"wtpt": WHITE, b"A2B0": table + CANARY}, b"CMYK", b"Lab ")
    made = icc.replace(theirs).profile
    assert made is not None
    assert table in made
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
