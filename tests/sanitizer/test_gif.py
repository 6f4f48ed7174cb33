"""GIF, still and animated: what goes, what stays, and what is refused."""

import io
import struct
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
)
from sanitizer.gif import check as gif_check
from sanitizer.gif import pixels as gif_pixels
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, cleaned, damaged, prove, silent_or_refused
from tests.support.media import drawing, xmp_packet

RED_GREEN = b"\xff\0\0\0\xff\0"
FOUR = RED_GREEN + b"\0\0\xff\x80\x80\x80"
NETSCAPE = b"!\xff\x0bNETSCAPE2.0\3\1\5\0\0"


def chain(data: bytes, step: int = 255) -> bytes:
    cut = [data[at : at + step] for at in range(0, len(data), step)]
    return b"".join(bytes((len(part),)) + part for part in cut) + b"\0"


def coded(pixels: bytes, bits: int = 2, *, ends: bool = True) -> bytes:
    """Return LZW of single pixels, cleared before the codes would grow."""
    clear, codes = 1 << bits, []
    for number, pixel in enumerate(pixels):
        if number % (clear - 2) == 0:
            codes.append(clear)
        codes.append(pixel)
    codes += [clear + 1] if ends else []
    whole = sum(code << at * (bits + 1) for at, code in enumerate(codes))
    return whole.to_bytes((len(codes) * (bits + 1) + 7) // 8, "little")


def walked(data: bytes, bits: int) -> tuple[int, int]:
    """Return how many pixels LZW data holds and the bits behind its end code, by Python alone."""
    clear = 1 << bits
    lengths, size, previous, count, at = [1] * clear, bits + 1, 0, 0, 0
    whole = int.from_bytes(data, "little")
    while True:
        code = whole >> at & (1 << size) - 1
        at += size
        if code == clear:
            lengths, size, previous = [1] * clear + [0, 0], bits + 1, 0
        elif code == clear + 1:
            return count, whole >> at
        else:
            if previous and len(lengths) < 4096:
                lengths.append(previous + 1)
                if len(lengths) == 1 << size and size < 12:
                    size += 1
            previous = lengths[code]
            count += previous


def image(  # noqa: PLR0913 - a builder of anything
    size: tuple[int, int] = (4, 4),
    place: tuple[int, int] = (0, 0),
    pixels: bytes | None = None,
    *,
    flags: int = 0,
    table: bytes = b"",
    data: bytes | None = None,
    bits: int = 2,
) -> bytes:
    if data is None:
        data = coded(bytes(range(4)) * (size[0] * size[1] // 4) if pixels is None else pixels, bits)
    packed = flags | (0x80 | (len(table) // 3).bit_length() - 2 if table else 0)
    head = struct.pack("<BHHHHB", 0x2C, *place, *size, packed) + table
    return head + bytes((bits,)) + chain(data)


def control(flags: int = 0, delay: int = 0, number: int = 0, end: bytes = b"\0") -> bytes:
    return struct.pack("<BBBBHB", 0x21, 0xF9, 4, flags, delay, number) + end


def gif(  # noqa: PLR0913 - a builder of anything
    *blocks: bytes,
    table: bytes = FOUR,
    size: tuple[int, int] = (4, 4),
    flags: int = 0,
    background: int = 0,
    aspect: int = 0,
    version: bytes = b"GIF89a",
    end: bytes = b";",
) -> bytes:
    packed = flags | (0x80 | (len(table) // 3).bit_length() - 2 if table else 0)
    screen = struct.pack("<HHBBB", *size, packed, background, aspect)
    return version + screen + table + b"".join(blocks) + end


def shown(data: bytes) -> list[object]:
    """Return each frame as Pillow shows it, with its time, and how often all of it loops."""
    picture = Image.open(io.BytesIO(data))
    frames: list[object] = [getattr(picture, "n_frames", 1)]
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        told = {name: picture.info.get(name) for name in ("duration", "loop", "transparency")}
        frames.append((picture.mode, picture.size, picture.convert("RGBA").tobytes(), told))
    return frames


def animation(**options: object) -> bytes:
    turned = [drawing(40, 30).rotate(30 * number).quantize(30) for number in range(5)]
    made = io.BytesIO()
    save = {"duration": [10, 20, 30, 40, 50], "loop": 3, **options}
    turned[0].save(made, "GIF", save_all=True, append_images=turned[1:], **save)
    return made.getvalue()


PLAIN = gif(image())
XMP = b"!\xff\x0bXMP DataXMP" + xmp_packet(CANARY) + b"\1" + bytes(range(255, -1, -1)) + b"\0"
TAIL = coded(bytes(range(4)) * 4) + CANARY
PLACES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a comment": ("comment", lambda: gif(b"!\xfe" + chain(CANARY), image())),
    "a comment at the end": ("comment", lambda: gif(image(), b"!\xfe" + chain(CANARY))),
    "a plain text": ("comment", lambda: gif(b"!\x01\x0c" + bytes(12) + chain(CANARY), image())),
    "XMP": ("xmp", lambda: gif(XMP, image())),
    "a profile": (
        "icc_description", lambda: gif(b"!\xff\x0bICCRGBG1012" + chain(CANARY), image()),
    ),
    "an application": (
        "other_metadata", lambda: gif(b"!\xff\x0bMYPRIVATE01" + chain(CANARY), image()),
    ),
    "a loop that is none": (
        "other_metadata", lambda: gif(b"!\xff\x0bNETSCAPE2.0" + chain(b"\2" + CANARY), image()),
    ),
    "behind a loop": (
        "", lambda: gif(b"!\xff\x0bNETSCAPE2.0" + chain(b"\1\5\0" + CANARY), image(), image()),
    ),
    "behind a short loop": (
        "", lambda: gif(b"!\xff\x0bNETSCAPE2.0\2\1\5\0!\xfe" + chain(CANARY), image()),
    ),
    "an unknown extension": ("other_metadata", lambda: gif(b"!\x42" + chain(CANARY), image())),
    "behind a control": ("", lambda: gif(control(1, 5, 1, chain(CANARY)), image())),
    "a short control": ("other_metadata", lambda: gif(b"!\xf9\1x\0!\x42" + chain(CANARY), image())),
    "behind the end": ("trailing_data", lambda: PLAIN + CANARY),
    "behind the picture": ("trailing_data", lambda: gif(image(data=TAIL))),
    "behind a picture without its end code": (
        "trailing_data",
        lambda: gif(image(data=coded(bytes(range(4)) * 4, ends=False) + bytes(1) + CANARY)),
    ),
    "colours that no pixel uses": (
        "", lambda: gif(image(pixels=bytes(16)), table=RED_GREEN[:3] + CANARY + bytes(8)),
    ),
    "a frame's colours that no pixel uses": (
        "", lambda: gif(image(pixels=bytes(16), table=RED_GREEN[:3] + CANARY + bytes(8))),
    ),
    "colours of nobody": ("", lambda: gif(image(table=FOUR), table=b"\0\0\0" + CANARY + bytes(8))),
    "a second loop": (
        "comment", lambda: gif(NETSCAPE, NETSCAPE, b"!\xfe" + chain(CANARY), image(), image()),
    ),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_gif_is_emptied(place: str) -> None:
    kind, build = PLACES[place]
    dirty = build()
    made, facts = prove(dirty, ".gif")
    assert kind in {*facts.removed, ""}
    assert set(facts.removed) <= KINDS
    if place == "a short control":  # which Pillow cannot read
        assert made == clean(PLAIN)
        return
    before, after = shown(dirty), shown(made)
    assert before[0] == after[0]
    assert [each[:3] for each in before[1:]] == [each[:3] for each in after[1:]]  # type: ignore[index]


@pytest.mark.claim("C-META")
def test_small_numbers_that_say_something_are_set_to_nothing() -> None:
    dirty = gif(
        control(0xE2, 0, 77), image(flags=0x38), flags=0x38, background=9, aspect=33,
        version=b"GIF87a",
    )  # fmt: skip
    assert clean(dirty) == clean(gif(image(), flags=0x70)) == clean(PLAIN)
    assert clean(gif(control(), bytes(5), image(), end=b"")) == clean(PLAIN)


@pytest.mark.claim("C-META")
def test_the_choice_of_codes_for_the_same_pixels_says_nothing() -> None:
    picture = bytes(range(4)) * 4
    patient = clean(gif(image(pixels=picture)))
    assert clean(gif(image(data=coded(picture, 5), bits=5))) == patient
    split = chain(coded(picture), 1)
    assert clean(gif(image()[:11] + split)) == patient


def test_the_code_of_a_result_ends_with_its_last_pixel() -> None:
    large = drawing(120, 90).quantize(200)
    made = io.BytesIO()
    large.save(made, "GIF")
    result = clean(made.getvalue())
    start = result.index(b",") + 11
    at, data = start, b""
    while result[at]:
        data += result[at + 1 : at + 1 + result[at]]
        at += 1 + result[at]
    assert walked(data, result[start - 1]) == (120 * 90, 0)
    assert result[at:] == b"\0;"


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_every_kind_of_gif_keeps_its_pixels(mode: str) -> None:
    made = io.BytesIO()
    drawing(37, 23).convert(mode).save(made, "GIF", interlace=1)
    dirty = made.getvalue()
    assert shown(clean(dirty)) == shown(dirty)


ANIMATED: dict[str, Callable[[], bytes]] = {
    "kept": animation,
    "back to the background": lambda: animation(disposal=2, comment=CANARY),
    "back to the frame before": lambda: animation(disposal=3, transparency=3),
    "without a loop": lambda: gif(image(), control(0, 7), image(), image()),
    "a reserved disposal": lambda: gif(image(), control(7 << 2, 7), image(), image()),
    "small frames": lambda: gif(
        image(), control(9, 3, 1), image((2, 2), (1, 1)), control(5), image((2, 2), (2, 2))
    ),
    "colours of their own": lambda: gif(
        image(), image(table=FOUR[::-1]), image(table=RED_GREEN * 4)
    ),
    "a transparent colour of no table": lambda: gif(
        control(1, 0, 7), image(pixels=bytes([7, 1, 2, 3] * 4), bits=3), image()
    ),
    "a loop behind the first frame": lambda: gif(image(), NETSCAPE, image()),
    "a larger first frame": lambda: gif(image(), image(), size=(2, 0)),
    "greys": lambda: gif(image(), table=bytes(n for n in range(4) for _ in range(3))),
    "a table of greys with room for more": lambda: gif(
        image(pixels=bytes(16)), table=bytes(n for n in range(8) for _ in range(3))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANIMATED)
def test_frames_times_and_transparency_stay(name: str) -> None:
    dirty = ANIMATED[name]()
    made = clean(dirty)
    assert shown(made)[0] == shown(dirty)[0]
    if name != "a loop behind the first frame":  # which Pillow does not see
        assert shown(made) == shown(dirty)
    assert (b"NETSCAPE2.0\3\1" in made) == (b"NETSCAPE2.0" in dirty)
    assert clean(made) == made


def test_a_still_picture_loops_nowhere() -> None:
    assert clean(gif(NETSCAPE, image())) == clean(PLAIN)


def test_a_screen_without_colours_is_read_where_each_frame_has_its_own() -> None:
    dirty = gif(image(table=FOUR), table=b"", background=200)
    assert shown(clean(dirty)) == shown(dirty)


BROKEN: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "cut in its screen": (Malformed, lambda: PLAIN[:9]),
    "cut in its colours": (Malformed, lambda: PLAIN[:20]),
    "cut in a frame": (Malformed, lambda: PLAIN[:30]),
    "cut in its picture": (Malformed, lambda: PLAIN[:-5]),
    "no picture": (Empty, gif),
    "a comment alone": (Empty, lambda: gif(b"!\xfe" + CANARY, end=b"")),
    "bytes between blocks": (Malformed, lambda: gif(image(), CANARY, image())),
    "a frame without pixels": (Malformed, lambda: gif(image((0, 4)))),
    "a frame without height": (Malformed, lambda: gif(image((4, 0)))),
    "a frame outside": (Malformed, lambda: gif(image(), image((4, 4), (1, 0)))),
    "a frame below": (Malformed, lambda: gif(image(), image((4, 4), (0, 1)))),
    "too little data": (Malformed, lambda: gif(image(pixels=bytes(15)))),
    "no data": (Malformed, lambda: gif(image(data=b""))),
    "broken data": (Malformed, lambda: gif(image(data=b"\xff" * 9))),
    "a code of nothing": (Malformed, lambda: gif(image(bits=0, data=b"x"))),
    "a code too large": (Malformed, lambda: gif(image(bits=9, data=b"x"))),
    "a colour that is not there": (
        Malformed, lambda: gif(image(pixels=bytes([4] * 16), bits=3)),
    ),
    "no colours": (Malformed, lambda: gif(image(), table=b"")),
}  # fmt: skip


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_gif_is_refused(damage: str) -> None:
    reason, build = BROKEN[damage]
    with pytest.raises(reason):
        clean(build())


def test_a_gif_of_more_pixels_than_the_limits_is_refused_before_it_is_decoded() -> None:
    for huge in (
        gif(image((65_500, 65_500), data=b"x")), gif(image(), size=(65_500, 65_500)),
        gif(image((6000, 6000), data=b"x")),
    ):  # fmt: skip
        with pytest.raises(TooManyPixels):
            clean(huge)
    for limits in (Limits(image_side=3), Limits(animation_pixels=31)):
        with pytest.raises(TooManyPixels):
            clean(gif(image(), image()), limits)


def test_a_gif_of_too_many_blocks_is_refused() -> None:
    with pytest.raises(TooComplex):
        clean(gif(*[b"!\xfe\0"] * 60, image()), Limits(image_parts=50))
    with pytest.raises(TooComplex):
        clean(gif(b"!\xfe" + b"\1x" * 60 + b"\0", image()), Limits(gif_blocks=50))


def test_a_long_gif_is_read_in_windows() -> None:
    dirty = gif(b"!\xfe" + chain(bytes(3 << 20)), image())
    assert clean(dirty) == clean(PLAIN)


def test_a_coder_that_would_change_a_picture_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Image.Image.tobytes

    def wrong(self: Image.Image, *arguments: object) -> bytes:
        return real(self.point(lambda value: value ^ 1) if arguments else self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "tobytes", wrong)
    with pytest.raises(MetadataSurvived):
        gif_pixels.recode((4, 4), 2, coded(bytes(range(4)) * 4), interlaced=False)


RESULT = clean(PLAIN)
MOVING = clean(gif(NETSCAPE, control(1, 5, 3), image(), image()))
AT = RESULT.index(b",")


def changed(at: int, value: int, data: bytes = RESULT) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


SURVIVORS: dict[str, bytes] = {
    "nothing": b"",
    "an old version": RESULT.replace(b"89a", b"87a"),
    "an aspect": changed(12, 1),
    "a sort flag": changed(10, RESULT[10] | 8),
    "a background of no table": changed(11, 4),
    "the size of a table that is not there": changed(10, 0x71),
    "cut in its colours": RESULT[:20],
    "a comment": RESULT[:AT] + b"!\xfe" + chain(CANARY) + RESULT[AT:],
    "an application": RESULT[:AT] + b"!\xff\x0bMYPRIVATE01\3\1\0\0\0" + RESULT[AT:],
    "a loop of another length": MOVING.replace(b"\3\1\5\0\0", b"\3\1\5\0\1"),
    "two loops": MOVING.replace(NETSCAPE, NETSCAPE * 2),
    "a longer control": MOVING.replace(b"!\xf9\4", b"!\xf9\5"),
    "a control without its end": MOVING.replace(b"\3\0,", b"\3\1,"),
    "a control cut off": MOVING[: MOVING.index(b"!\xf9") + 5],
    "reserved bits": MOVING.replace(b"\xf9\4\1", b"\xf9\4\x21"),
    "a colour that is not transparent": MOVING.replace(b"\xf9\4\1", b"\xf9\4\0"),
    "a control that says nothing": RESULT[:AT] + control() + RESULT[AT:],
    "two controls": RESULT[:AT] + control(0, 1) * 2 + RESULT[AT:],
    "an interlaced frame": changed(AT + 9, 0x40),
    "a frame outside": changed(AT + 1, 1),
    "a frame without pixels": changed(AT + 5, 0),
    "cut in a frame": RESULT[: AT + 6],
    "small blocks": RESULT[: AT + 11] + chain(TAIL[:-13], 3) + b";",
    "a block cut off": RESULT[: AT + 14],
    "no code": RESULT[: AT + 10],
    "bytes behind the picture": RESULT[: AT + 11] + chain(TAIL) + b";",
    "other codes": RESULT[: AT + 11] + chain(coded(bytes(range(4)) * 4)) + b";",
    "bytes behind the end": RESULT + b"x",
    "no end": RESULT[:-1],
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_gif(survivor: str) -> None:
    gif_check.check(io.BytesIO(RESULT))
    gif_check.check(io.BytesIO(MOVING))
    assert SURVIVORS[survivor] not in {RESULT, MOVING}
    with pytest.raises(MetadataSurvived):
        gif_check.check(io.BytesIO(SURVIVORS[survivor]))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_gif_crash_the_cleaner(data: st.DataObject) -> None:
    sources = [build() for _, build in PLACES.values()] + [MOVING, animation(comment=CANARY)]
    silent_or_refused(damaged(data, data.draw(st.sampled_from(sources)), 6))


def test_what_is_told_of_a_clean_gif_is_nothing() -> None:
    assert cleaned(MOVING)[1].removed == ()
    assert cleaned(animation())[1].removed == ()


def test_nothing_is_imported_when_a_gif_is_cleaned() -> None:
    program = """
import sys
from sanitizer.gif.clean import clean
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
file = bytes.fromhex(sys.stdin.read())
before = set(sys.modules)
with MemorySource(file) as source:
    clean(source, Limits())
print(sorted(set(sys.modules) - before))
"""
    made = subprocess.run(
        [sys.executable, "-c", program],
        input=animation().hex(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert made.stdout.strip() == "[]"
