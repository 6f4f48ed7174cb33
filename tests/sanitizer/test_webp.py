"""WebP, lossy, lossless and animated: what goes, what stays, and what is refused."""

import contextlib
import functools
import io
import struct
import subprocess
import sys
from collections.abc import Callable

import imageio_ffmpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sanitizer import icc
from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
)
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from sanitizer.webp import check as webp_check
from sanitizer.webp import lossy
from sanitizer.webp.pixels import Pixels
from tests.sanitizer.kit import CANARY, clean, cleaned, damaged, prove, silent_or_refused
from tests.sanitizer.test_icc import P3, SRGB_TABLE, profile
from tests.support.media import drawing, phone_exif, xmp_packet

Chunk = tuple[bytes, bytes]


def chunk(kind: bytes, data: bytes, pad: bytes = b"\0") -> bytes:
    return kind + struct.pack("<I", len(data)) + data + pad * (len(data) % 2)


def of(*chunks: Chunk, tail: bytes = b"") -> bytes:
    body = b"WEBP" + b"".join(chunk(*each) for each in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body + tail


def parts(data: bytes) -> list[Chunk]:
    found, at = [], 12
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def header(flags: int, size: tuple[int, int] = (48, 32), reserved: bytes = bytes(3)) -> Chunk:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    return b"VP8X", bytes((flags,)) + reserved + sides


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "WEBP", **options)
    return made.getvalue()


def glass(width: int = 48, height: int = 32) -> Image.Image:
    picture = drawing(width, height, "RGBA")
    picture.putalpha(Image.radial_gradient("L").resize((width, height)))
    return picture


def animation(**options: object) -> bytes:
    frames = [drawing(48, 32).rotate(40 * number) for number in range(4)]
    save = {"duration": [10, 20, 30, 40], "loop": 2, **options}
    return saved(frames[0], save_all=True, append_images=frames[1:], **save)


@functools.cache
def partitioned(slices: int) -> bytes:
    """Return a VP8 key frame of several partitions, as libvpx makes it."""
    picture = drawing(96, 160).convert("RGB").tobytes()
    made = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
         "-s", "96x160", "-i", "-", "-c:v", "libvpx", "-slices", str(slices), "-f", "ivf", "-"],
        input=picture, check=True, capture_output=True,
    ).stdout  # fmt: skip
    (length,) = struct.unpack_from("<I", made, 32)
    return made[44 : 44 + length]


def grown(frame: bytes, number: int, more: bytes) -> bytes:
    """Return a VP8 frame with something behind one of its partitions."""
    read = lossy.Frame.from_bytes(frame)
    pieces = [frame[start : start + length] for start, length in read.parts]
    pieces[number] += more
    return read.assembled(pieces)


def seen(data: bytes) -> list[object]:
    """Return each frame as Pillow shows it, upright, with its time."""
    picture = Image.open(io.BytesIO(data))
    made: list[object] = [getattr(picture, "n_frames", 1), picture.info.get("loop")]
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        time = picture.info.get("duration")
        made.append((upright.mode, upright.size, upright.tobytes(), time))
    return made


LOSSY = saved(drawing(48, 32), quality=70)
VP8 = dict(parts(LOSSY))[b"VP8 "]
LOSSLESS = saved(drawing(48, 32), lossless=True)
VP8L = dict(parts(LOSSLESS))[b"VP8L"]
GLASS = saved(glass(), quality=70)
ALPH = dict(parts(GLASS))[b"ALPH"]
GLASS_VP8 = dict(parts(GLASS))[b"VP8 "]
GLASS_VP8L = dict(parts(saved(glass(), lossless=True, exact=True)))[b"VP8L"]
ANIM: Chunk = (b"ANIM", bytes(6))
EXIF: Chunk = (b"EXIF", phone_exif(CANARY)[6:])
XMP: Chunk = (b"XMP ", xmp_packet(CANARY))
STILL: Chunk = (b"VP8 ", VP8)
WIDE = profile({**P3, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), SRGB_TABLE)})


def frame(*chunks: bytes, head: bytes | None = None) -> Chunk:
    place = bytes(6) + struct.pack("<I", 47)[:3] + struct.pack("<I", 31)[:3] + b"\x64\0\0\0"
    return b"ANMF", (place if head is None else head) + b"".join(chunks)


PLACES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "EXIF": ("gps", lambda: of(header(8), STILL, EXIF)),
    "EXIF with its name": ("gps", lambda: of(header(8), STILL, (b"EXIF", phone_exif(CANARY)))),
    "a second EXIF": ("gps", lambda: of(header(8), STILL, EXIF, EXIF)),
    "EXIF in a simple file": ("gps", lambda: of(STILL, EXIF)),
    "XMP": ("xmp", lambda: of(header(4), STILL, XMP)),
    "XMP before the picture": ("xmp", lambda: of(header(4), XMP, STILL)),
    "XMP in a simple file": ("xmp", lambda: of((b"VP8L", VP8L), XMP)),
    "a profile": ("icc_description", lambda: of(header(0x20), (b"ICCP", WIDE), STILL)),
    "a profile in a simple file": ("icc_description", lambda: of(STILL, (b"ICCP", WIDE))),
    "no profile": ("icc_description", lambda: of(header(0x20), (b"ICCP", CANARY), STILL)),
    "an unknown chunk": ("other_metadata", lambda: of(header(0), (b"XYZW", CANARY), STILL)),
    "an unknown chunk behind": ("other_metadata", lambda: of(STILL, (b"junk", CANARY))),
    "provenance": ("c2pa", lambda: of(header(0), STILL, (b"C2PA", CANARY))),
    "an animation's header": ("other_metadata", lambda: of(header(0), STILL, (b"ANIM", CANARY))),
    "a hidden frame": ("hidden_frames", lambda: of(header(0), STILL, frame(CANARY))),
    "a second picture": ("other_metadata", lambda: of(header(0), STILL, (b"VP8 ", VP8 + CANARY))),
    "a late alpha channel": ("other_metadata", lambda: of(header(0), STILL, (b"ALPH", CANARY))),
    "behind the end": ("trailing_data", lambda: LOSSY + CANARY),
    "behind the header": ("", lambda: of((b"VP8X", header(0)[1] + CANARY), STILL)),
    "behind a lossy picture": ("trailing_data", lambda: of((b"VP8 ", VP8 + CANARY))),
    "behind the first partition": ("trailing_data", lambda: of((b"VP8 ", grown(VP8, 0, CANARY)))),
    "behind a lossless picture": ("trailing_data", lambda: of((b"VP8L", VP8L + CANARY * 2))),
    "behind an alpha channel": (
        "trailing_data", lambda: of(header(16), (b"ALPH", ALPH + CANARY * 2), (b"VP8 ", GLASS_VP8)),
    ),
    "behind the loops": (
        "", lambda: of(header(2), (b"ANIM", bytes(6) + CANARY), frame(chunk(*STILL))),
    ),
    "in a frame": (
        "other_metadata",
        lambda: of(header(2), ANIM, frame(chunk(*STILL), chunk(b"priv", CANARY))),
    ),
    "behind a frame's picture": (
        "trailing_data", lambda: of(header(2), ANIM, frame(chunk(b"VP8 ", VP8 + CANARY))),
    ),
    "EXIF in an animation": (
        "gps", lambda: of(header(10), ANIM, frame(chunk(*STILL)), EXIF),
    ),
    "an unknown chunk in an animation": (
        "other_metadata", lambda: of(header(2), ANIM, (b"what", CANARY), frame(chunk(*STILL))),
    ),
}  # fmt: skip


REPAIRED = {"an animation's header", "a hidden frame", "a second picture", "behind the header"}
"""What libwebp does not read, and other readers may; the first picture is what they show."""


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_webp_is_emptied(place: str) -> None:
    kind, build = PLACES[place]
    dirty = build()
    made, facts = prove(dirty, ".webp")
    assert kind in {*facts.removed, ""}
    assert set(facts.removed) <= KINDS
    assert seen(made) == seen(of(STILL) if place in REPAIRED else dirty)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("number", range(5))
def test_bytes_between_the_partitions_of_a_picture_go(number: int) -> None:
    whole = partitioned(4)
    assert len(lossy.Frame.from_bytes(whole).parts) == 5
    dirty = of((b"VP8 ", grown(whole, number, CANARY * 3)))
    made, facts = prove(dirty, ".webp")
    assert facts.removed == ("trailing_data",)
    assert made == clean(of((b"VP8 ", whole)))
    assert seen(made) == seen(dirty)


@pytest.mark.parametrize("slices", [1, 2, 8])
def test_pictures_of_another_coder_keep_their_pixels(slices: int) -> None:
    dirty = of((b"VP8 ", partitioned(slices)))
    assert seen(clean(dirty)) == seen(dirty)


@pytest.mark.claim("C-META")
def test_small_numbers_that_say_something_are_set_to_nothing() -> None:
    quiet = clean(LOSSY)
    assert clean(of(header(0xC1, reserved=b"abc"), STILL)) == quiet
    scaled = VP8[:7] + bytes((VP8[7] | 0xC0, VP8[8], VP8[9] | 0x40)) + VP8[10:]
    assert clean(of((b"VP8 ", scaled))) == quiet
    odd = next(part for part in (VP8, VP8 + b"\0") if len(part) % 2)
    body = b"WEBP" + chunk(b"VP8 ", odd, b"x")
    assert clean(b"RIFF" + struct.pack("<I", len(body)) + body) == quiet
    still = frame(chunk(*STILL))
    moving = of(header(2), ANIM, still)
    reserved = frame(chunk(*STILL), head=still[1][:15] + b"\xfc")
    assert clean(of(header(2), (b"ANIM", b"\1\2\3\4\0\0"), reserved)) == clean(moving)


@pytest.mark.claim("C-META")
def test_what_is_only_looked_ahead_at_cannot_say_something() -> None:
    quiet = clean(LOSSY)
    body = dict(parts(quiet))[b"VP8 "]
    for last in range(0, 256, 5):
        other = of((b"VP8 ", body + bytes((last,))))
        assert clean(other) == quiet


@pytest.mark.claim("C-META")
def test_a_picture_that_needs_the_byte_that_fills_it_up_is_emptied_as_well() -> None:
    tried = 0
    for quality in range(40, 90):
        body = dict(parts(clean(saved(drawing(48, 32), quality=quality))))[b"VP8 "]
        odd = b"x" * ((len(body) + len(CANARY)) % 2)
        dirty = of((b"VP8 ", grown(body[:-1], 0, CANARY + odd)))
        with contextlib.suppress(OSError, Malformed):
            shown = seen(dirty)
            made = clean(dirty)
            assert CANARY not in made
            assert seen(made) == shown
            tried += 1
    assert tried > 5


@pytest.mark.claim("C-META")
def test_a_lossless_picture_is_coded_anew_whatever_its_code_was() -> None:
    patient = saved(drawing(48, 32), lossless=True, quality=100, method=6)
    hasty = saved(drawing(48, 32), lossless=True, quality=0, method=0)
    assert patient != hasty
    assert clean(patient) == clean(hasty)


PICTURES: dict[str, Callable[[], bytes]] = {
    "lossy": lambda: LOSSY,
    "lossless": lambda: LOSSLESS,
    "lossy with alpha": lambda: GLASS,
    "lossless with alpha": lambda: of((b"VP8L", GLASS_VP8L)),
    "raw alpha": lambda: of(
        header(16), (b"ALPH", b"\0" + bytes(range(256)) * 6), (b"VP8 ", GLASS_VP8)
    ),
    "opaque alpha": lambda: of(
        header(16), (b"ALPH", b"\0" + b"\xff" * 1536), (b"VP8 ", GLASS_VP8)
    ),
    "opaque and lossless": lambda: of(
        (b"VP8L", VP8L[:4] + bytes((VP8L[4] | 0x10,)) + VP8L[5:])
    ),
    "an animation": animation,
    "an animation without loss": lambda: animation(lossless=True, background=(1, 2, 3, 4)),
    "an animation of glass": lambda: saved(
        glass(), save_all=True, append_images=[glass().rotate(90)], duration=70
    ),
    "an animation that says alpha": lambda: of(header(18), ANIM, frame(chunk(*STILL))),
    "an animation without its header": lambda: of(
        header(2), (b"ANIM", bytes(4) + b"\3\0"), frame(chunk(*STILL)), ANIM
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_webp_keeps_its_pixels(name: str) -> None:
    dirty = PICTURES[name]()
    made = clean(dirty)
    assert seen(made) == seen(dirty)
    assert clean(made) == made
    assert cleaned(dirty)[1].removed == ()


def test_a_large_lossless_picture_is_coded_in_the_fast_way() -> None:
    dirty = saved(drawing(1500, 1400), lossless=True, quality=0, method=0)
    made = clean(dirty)
    assert seen(made) == seen(dirty)


@pytest.mark.parametrize("told", ["EXIF", "XMP"])
def test_an_orientation_is_kept_wherever_it_was_told(told: str) -> None:
    xmp = xmp_packet(b"x").replace(b"exif:UserComment", b'tiff:Orientation="6" exif:UserComment')
    dirty = of(header(12), STILL, EXIF if told == "EXIF" else (b"XMP ", xmp))
    made = clean(dirty)
    assert Image.open(io.BytesIO(made)).getexif()[0x0112] == 6
    assert dict(parts(made))[b"VP8X"][0] == 8
    assert seen(made)[2][1] == (32, 48)  # type: ignore[index]


def test_an_upright_picture_gets_no_exif() -> None:
    dirty = of(header(8), STILL, (b"EXIF", phone_exif(CANARY, orientation=1)))
    assert clean(dirty) == clean(LOSSY)


def test_wide_colours_stay_and_others_need_no_profile() -> None:
    made = clean(of(header(0x20), (b"ICCP", WIDE), STILL))
    ours = icc.replace(WIDE).profile
    assert dict(parts(made))[b"ICCP"] == ours
    assert clean(made) == made
    assert ours is not None
    assert clean(of(header(0x20), (b"ICCP", WIDE), (b"ICCP", b"x"), STILL)) == made
    name, curve = icc._SPACES["sRGB"]
    srgb = icc._named("sRGB", name, curve)
    assert clean(of(header(0x20), (b"ICCP", srgb), STILL)) == clean(LOSSY)
    grey = ours.replace(b"RGB XYZ ", b"GRAYXYZ ")
    assert clean(of(header(0x20), (b"ICCP", grey), STILL)) == clean(LOSSY)


def test_a_printers_profile_in_a_webp_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    printing = icc.Colour(profile=bytes(16) + b"CMYK" + bytes(108))
    monkeypatch.setattr("sanitizer.webp.clean.icc.replace", lambda _: printing)
    assert clean(of(header(0x20), (b"ICCP", CANARY), STILL)) == clean(LOSSY)


THIRD = lossy.Frame.from_bytes(partitioned(4)).parts[3][0]
BROKEN: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "cut behind its header": (Empty, lambda: LOSSY[:12]),
    "cut in its first chunk": (Empty, lambda: LOSSY[:14]),
    "cut in its picture": (Malformed, lambda: LOSSY[:-9]),
    "nothing": (Empty, of),
    "another first chunk": (Malformed, lambda: of(EXIF, STILL)),
    "alpha first": (Malformed, lambda: of((b"ALPH", ALPH), (b"VP8 ", GLASS_VP8))),
    "a header too short": (Malformed, lambda: of((b"VP8X", bytes(9)), STILL)),
    "no picture": (Empty, lambda: of(header(0), EXIF)),
    "no frame": (Empty, lambda: of(header(2), ANIM)),
    "a picture outside an animation": (
        Malformed, lambda: of(header(2), ANIM, frame(chunk(*STILL)), STILL),
    ),
    "an alpha channel outside an animation": (
        Malformed, lambda: of(header(2), ANIM, (b"ALPH", ALPH), frame(chunk(*STILL))),
    ),
    "loops too short": (Malformed, lambda: of(header(2), (b"ANIM", bytes(5)), frame())),
    "a frame without its header": (Malformed, lambda: of(header(2), ANIM, (b"ANMF", bytes(9)))),
    "a frame without a picture": (Malformed, lambda: of(header(2), ANIM, frame())),
    "a frame outside": (
        Malformed,
        lambda: of(
            header(2), ANIM,
            frame(chunk(*STILL), head=b"\1\0\0" + frame()[1][3:]),
        ),
    ),
    "a frame below": (
        Malformed,
        lambda: of(
            header(2), ANIM,
            frame(chunk(*STILL), head=b"\0\0\0\1" + frame()[1][4:]),
        ),
    ),
    "a picture of another size": (Malformed, lambda: of(header(0, (48, 33)), STILL)),
    "a lossless picture of another version": (
        Malformed, lambda: of((b"VP8L", VP8L[:4] + b"\x20" + VP8L[5:])),
    ),
    "a lossless picture that begins otherwise": (Malformed, lambda: of((b"VP8L", b"x" + VP8L[1:]))),
    "a lossless picture without a head": (Malformed, lambda: of((b"VP8L", VP8L[:4]))),
    "a lossless picture cut off": (Malformed, lambda: of((b"VP8L", VP8L[:-20]))),
    "an alpha channel that is none": (
        Malformed, lambda: of(header(16), (b"ALPH", b"\1xyz"), (b"VP8 ", GLASS_VP8)),
    ),
    "a lossy picture without a head": (Malformed, lambda: of((b"VP8 ", VP8[:9]))),
    "a lossy picture that begins otherwise": (
        Malformed, lambda: of((b"VP8 ", VP8[:3] + b"x" + VP8[4:])),
    ),
    "no key frame": (Malformed, lambda: of((b"VP8 ", bytes((VP8[0] | 1,)) + VP8[1:]))),
    "a frame that is not shown": (
        Malformed, lambda: of((b"VP8 ", bytes((VP8[0] & ~16,)) + VP8[1:])),
    ),
    "an unknown profile": (Malformed, lambda: of((b"VP8 ", bytes((VP8[0] | 8,)) + VP8[1:]))),
    "a first partition beyond": (Malformed, lambda: of((b"VP8 ", VP8[:2] + b"\xff" + VP8[3:]))),
    "partitions beyond": (Malformed, lambda: of((b"VP8 ", partitioned(4)[: THIRD - 2]))),
    "no second partition": (
        Malformed, lambda: of((b"VP8 ", VP8[: 10 + (int.from_bytes(VP8[:3], "little") >> 5)])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_webp_is_refused(damage: str) -> None:
    reason, build = BROKEN[damage]
    with pytest.raises(reason):
        clean(build())


def test_a_file_of_another_kind_is_no_webp() -> None:
    from sanitizer.source import MemorySource  # noqa: PLC0415 - used here alone
    from sanitizer.webp.clean import clean as direct  # noqa: PLC0415 - the same

    for other in (b"RIFX" + LOSSY[4:], LOSSY[:8] + b"WAVE" + LOSSY[12:]):
        with MemorySource(other) as source, pytest.raises(Malformed):
            direct(source, Limits())


def claiming(size: tuple[int, int]) -> bytes:
    bits = (size[0] - 1) | (size[1] - 1) << 14
    return b"\x2f" + struct.pack("<I", bits) + bytes(20)


def test_a_webp_of_more_pixels_than_the_limits_is_refused_before_it_is_decoded() -> None:
    side = 16384
    huge = VP8[:6] + struct.pack("<HH", 16383, 16383) + VP8[10:]
    moving = frame(chunk(*STILL))
    canvas = header(2, (1 << 24, 1 << 24))
    for bomb in (
        of((b"VP8L", claiming((side, side)))),
        of((b"VP8 ", huge)),
        of(canvas, ANIM, moving),
    ):
        with pytest.raises(TooManyPixels):
            clean(bomb)
    for limits in (Limits(decoded_pixels=1535), Limits(image_pixels=1535)):
        with pytest.raises(TooManyPixels):
            clean(LOSSY, limits)
    for recoded in (LOSSLESS, GLASS):
        with pytest.raises(TooManyPixels):
            clean(recoded, Limits(recoded_pixels=1535))


def test_a_webp_that_would_have_to_be_decoded_too_often_is_refused() -> None:
    with pytest.raises(TooComplex):
        clean(LOSSY, Limits(decoding_pixels=50_000))
    with pytest.raises(TooComplex):
        clean(of(header(0), *[(b"junk", b"")] * 60, STILL), Limits(image_parts=50))


def test_a_coder_without_memory_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(TooManyPixels):
        clean(LOSSLESS)


def test_a_coder_that_would_change_a_picture_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Image.Image.save

    def wrong(self: Image.Image, *arguments: object, **options: object) -> None:
        real(self.transpose(Image.Transpose.ROTATE_180), *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "save", wrong)
    with pytest.raises(MetadataSurvived):
        clean(LOSSLESS)
    slope = Image.linear_gradient("L").resize((48, 32)).tobytes()
    sloping = of(header(16), (b"ALPH", b"\0" + slope), (b"VP8 ", GLASS_VP8))
    with pytest.raises(MetadataSurvived):
        clean(sloping)


def test_a_picture_that_changes_when_it_is_cut_is_refused() -> None:
    answers = iter([b"as it was", *[b"other"] * 9])
    with pytest.raises(Malformed):
        lossy.trimmed(VP8, lambda _: next(answers))


def test_any_header_of_a_picture_announces_some_partitions() -> None:
    counts = {lossy._count(bytes((first, 0x5A, 0x33, first, 0xC5))) for first in range(256)}
    assert counts == {1, 2, 4, 8}


def test_the_least_length_is_found_wherever_it_is() -> None:
    for length in (0, 1, 2, 7, 100):
        for need in range(length + 1):
            assert lossy.shortest(length, need.__le__) == need


def test_a_frame_without_an_alpha_channel_has_none() -> None:
    assert Pixels(10**6, is_large=False)._alpha_of(ALPH, b"broken", (48, 32)) is None


QUIET = parts(clean(LOSSY))[0]
MOVING = parts(clean(animation()))
UPRIGHT: Chunk = parts(clean(of(header(8), STILL, EXIF)))[-1]
OURS: Chunk = (b"ICCP", parts(clean(PLACES["a profile"][1]()))[1][1])


def with_byte(part: Chunk, at: int, value: int) -> Chunk:
    return part[0], part[1][:at] + bytes((value,)) + part[1][at + 1 :]


def moving(*changes: tuple[int, Chunk]) -> bytes:
    made = list(MOVING)
    for number, part in changes:
        made[number] = part
    return of(*made)


ODD = chunk(b"VP8 ", QUIET[1] + bytes(1 - len(QUIET[1]) % 2), b"x")
SURVIVORS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "another length": lambda: of(QUIET) + b"xx",
    "a byte that fills up": lambda: b"RIFF" + struct.pack("<I", 4 + len(ODD)) + b"WEBP" + ODD,
    "half a chunk": lambda: of(QUIET)[:-2].replace(
        struct.pack("<I", len(of(QUIET)) - 8), struct.pack("<I", len(of(QUIET)) - 10), 1
    ),
    "EXIF": lambda: of(header(8), QUIET, EXIF),
    "EXIF that no flag names": lambda: of(header(0), QUIET, UPRIGHT),
    "a flag without EXIF": lambda: of(header(8), QUIET),
    "reserved bytes": lambda: of(header(8, reserved=b"abc"), QUIET, UPRIGHT),
    "a longer header": lambda: of((b"VP8X", header(8)[1] + b"x"), QUIET, UPRIGHT),
    "an alpha channel without a flag": lambda: of(header(0), (b"ALPH", ALPH), (b"VP8 ", GLASS_VP8)),
    "reserved bits of alpha": lambda: of(
        header(16), with_byte((b"ALPH", ALPH), 0, 0xF1), (b"VP8 ", GLASS_VP8)
    ),
    "XMP": lambda: of(header(4), QUIET, XMP),
    "an unknown chunk": lambda: of(QUIET, (b"junk", CANARY)),
    "somebody's profile": lambda: of(header(0x20), (b"ICCP", WIDE), QUIET),
    "a profile's date": lambda: of(header(0x20), with_byte(OURS, 24, 1), QUIET),
    "a profile's maker": lambda: of(header(0x20), with_byte(OURS, 4, 1), QUIET),
    "a profile's tail": lambda: of(header(0x20), with_byte(OURS, 100, 1), QUIET),
    "a profile's platform": lambda: of(header(0x20), with_byte(OURS, 40, 1), QUIET),
    "a longer profile": lambda: of(header(0x20), (b"ICCP", OURS[1] + b"x"), QUIET),
    "a background": lambda: moving((1, with_byte(MOVING[1], 0, 1))),
    "longer loops": lambda: moving((1, (b"ANIM", bytes(7)))),
    "reserved bits of a frame": lambda: moving((2, with_byte(MOVING[2], 15, 0xFC))),
    "a frame outside": lambda: moving((2, with_byte(MOVING[2], 2, 1))),
    "a frame cut off": lambda: moving((2, (b"ANMF", bytes(9)))),
    "more in a frame": lambda: moving((2, (b"ANMF", MOVING[2][1] + chunk(b"junk", CANARY)))),
    "a frame of another size": lambda: moving((2, with_byte(MOVING[2], 6, 46))),
    "a scaled picture": lambda: of(with_byte(QUIET, 7, 0x40)),
    "another start code": lambda: of(with_byte(QUIET, 3, 0)),
    "a picture of another size": lambda: of(header(8, (48, 33)), QUIET, UPRIGHT),
    "a picture that is not shown": lambda: of(with_byte(QUIET, 0, QUIET[1][0] & ~16)),
    "bytes behind a picture": lambda: of((b"VP8 ", QUIET[1] + CANARY)),
    "two bytes behind a picture": lambda: of((b"VP8 ", QUIET[1] + b"xx")),
    "bytes behind the first partition": lambda: of((b"VP8 ", grown(QUIET[1], 0, CANARY))),
    "bytes behind a picture without loss": lambda: of((b"VP8L", VP8L + CANARY * 2)),
    "no first partition": lambda: of((b"VP8 ", b"\x30\0\0" + QUIET[1][3:])),
    "a first partition beyond": lambda: of((b"VP8 ", QUIET[1][:2] + b"\xff" + QUIET[1][3:])),
    "a lossless picture of another size": lambda: of(
        header(8, (48, 33)), (b"VP8L", VP8L), UPRIGHT
    ),
    "a lossless picture of another version": lambda: of(with_byte((b"VP8L", VP8L), 4, 0x20)),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_webp(survivor: str) -> None:
    for good in (
        of(QUIET),
        of(*MOVING),
        of(header(8), QUIET, UPRIGHT),
        of(header(32), OURS, QUIET),
    ):
        webp_check.check(io.BytesIO(good))
    with pytest.raises(MetadataSurvived):
        webp_check.check(io.BytesIO(SURVIVORS[survivor]()))


@pytest.mark.claim("C-META")
def test_what_pillow_finds_in_a_webp_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong, frames in ((of(*MOVING), 3), (of((b"VP8L", b"\x2f")), 1)):
        with pytest.raises(MetadataSurvived):
            webp_check._check_with_pillow(wrong, frames)
    monkeypatch.setattr(webp_check, "_TOLD", set())
    with pytest.raises(MetadataSurvived):
        webp_check.check(io.BytesIO(of(QUIET)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_webp_crash_the_cleaner(data: st.DataObject) -> None:
    sources = [build() for _, build in PLACES.values()] + [build() for build in PICTURES.values()]
    silent_or_refused(damaged(data, data.draw(st.sampled_from(sources)), 12))


def test_nothing_is_imported_when_a_webp_is_cleaned() -> None:
    program = """
import sys
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from sanitizer.webp.clean import clean
files = [bytes.fromhex(line) for line in sys.stdin.read().split()]
before = set(sys.modules)
for file in files:
    with MemorySource(file) as source:
        clean(source, Limits())
print(sorted(set(sys.modules) - before))
"""
    files = "\n".join(file.hex() for file in (LOSSY, LOSSLESS, GLASS, animation()))
    made = subprocess.run(
        [sys.executable, "-c", program], input=files, check=True, capture_output=True, text=True
    )
    assert made.stdout.strip() == "[]"
