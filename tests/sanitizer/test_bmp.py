"""Bitmaps: what goes, what stays, and what is refused."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sanitizer.bmp import check as bmp_check
from sanitizer.bmp.clean import clean as bmp_clean
from sanitizer.bmp.rle import Coder
from sanitizer.detect import Format, detect
from sanitizer.errors import Malformed, MetadataSurvived, Refused, TooManyPixels, Unsupported
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned, damaged, prove, silent_or_refused
from tests.support.media import drawing

GREYS = b"".join(bytes((grey,)) * 3 + b"\0" for grey in range(256))
COLOURS = bytes(range(1, 65))
SRGB = b"BGRs"


@dataclass(frozen=True)
class Bmp:
    """A bitmap built by hand."""

    width: int = 8
    height: int = 4
    bits: int = 24
    coding: int = 0
    pixels: bytes = b""
    palette: bytes = b""
    header: int = 40
    rest: bytes = b""
    colours: int = 0
    gap: bytes = b""
    start: int | None = None
    reserved: int = 0
    density: tuple[int, int] = (0, 0)

    def data(self) -> bytes:
        """Return the file."""
        if self.header == 12:
            head = struct.pack("<IHHHH", 12, self.width, self.height, 1, self.bits)
        else:
            head = struct.pack(
                "<IiiHHIIIIII", self.header, self.width, self.height, 1, self.bits, self.coding,
                len(self.pixels), *self.density, self.colours, 7,
            )  # fmt: skip
        head += self.rest.ljust(self.header - len(head), b"\0") + self.palette + self.gap
        start = 14 + len(head) if self.start is None else self.start
        body = head + (self.pixels or bytes(range(1, 97)))
        return struct.pack("<2sIII", b"BM", 14 + len(body), self.reserved, start) + body


def saved(mode: str) -> bytes:
    made = io.BytesIO()
    drawing(21, 13).convert(mode).save(made, "BMP")
    return made.getvalue()


def seen(data: bytes) -> tuple[str, tuple[int, int], bytes, bytes]:
    picture = Image.open(io.BytesIO(data))
    return picture.mode, picture.size, picture.tobytes(), picture.convert("RGBA").tobytes()


def runs(bits: int, width: int, height: int, data: bytes, gap: bytes = b"") -> bytes:
    coding, palette = (1, COLOURS) if bits == 8 else (2, COLOURS)
    return Bmp(
        width, height, bits, coding, data, palette, colours=16, gap=gap
    ).data()  # fmt: skip


FIELDS = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
ALPHA = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
PLAIN = Bmp().data()
PLACES: dict[str, Callable[[], bytes]] = {
    "behind the end": lambda: PLAIN + CANARY,
    "between header and pixels": lambda: Bmp(gap=CANARY).data(),
    "colours that no pixel uses": lambda: Bmp(
        bits=8, pixels=bytes([0, 1, 2, 3] * 8), palette=COLOURS[:32] + CANARY + bytes(3), colours=12
    ).data(),
    "colours of an old header": lambda: Bmp(
        bits=4, pixels=bytes(16), palette=CANARY.ljust(48, b"x"), header=12
    ).data(),
    "a palette that nobody needs": lambda: Bmp(palette=CANARY + bytes(3), colours=4).data(),
    "the end points of a space": lambda: Bmp(header=108, rest=ALPHA + bytes(4) + CANARY).data(),
    "a profile": lambda: Bmp(header=124, rest=ALPHA + b"DEBM" + bytes(60)).data() + CANARY,
    "a linked profile": lambda: Bmp(header=124, rest=ALPHA + b"KNIL" + bytes(60)).data() + CANARY,
    "the fields of OS/2": lambda: Bmp(header=64, rest=CANARY).data(),
    "behind the end of runs": lambda: runs(8, 4, 1, b"\4\1\0\1" + CANARY),
    "behind the end of runs of half bytes": lambda: runs(4, 4, 1, b"\4\x12\0\1" + CANARY),
    "a run that goes on outside": lambda: runs(
        8, 4, 1, b"\0\x11\1\1\1\1" + CANARY + b"\0\0\1"
    ),
    "between the colours and the runs": lambda: runs(8, 4, 1, b"\4\1\0\1", CANARY + b"x"),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_bitmap_is_emptied(place: str) -> None:
    dirty = PLACES[place]()
    made, facts = prove(dirty, ".bmp")
    assert set(facts.removed) <= KINDS
    assert seen(made) == seen(dirty)


@pytest.mark.claim("C-META")
def test_what_fills_rows_up_and_bits_without_a_meaning_are_zeros() -> None:
    pixels = b"".join(bytes(range(9)) + CANARY[at : at + 3] for at in (0, 3, 6, 9))
    made = clean(Bmp(3, 4, pixels=pixels).data())
    assert [made[54 + at : 57 + at] for at in (9, 21, 33, 45)] == [b"\0\0\0"] * 4
    fourth = b"".join(b"\1\2\3" + CANARY[at : at + 1] for at in range(8))
    made, facts = cleaned(Bmp(8, 1, 32, pixels=fourth).data())
    assert made[54:] == b"\1\2\3\0" * 8
    assert facts.removed == ("other_metadata",)
    assert cleaned(Bmp(8, 1, 32, pixels=b"\1\2\3\xff" * 8).data())[1].removed == ()
    assert clean(Bmp(2, 1, 16, pixels=b"\xff\xff\xff\xff").data())[54:] == b"\xff\x7f\xff\x7f"
    made = clean(Bmp(3, 2, 1, pixels=b"\xffabc\xffabc", palette=b"abc\0def\0").data())
    assert made[62:] == b"\xe0\0\0\0" * 2


@pytest.mark.claim("C-META")
def test_numbers_that_say_something_are_set_to_nothing() -> None:
    dirty = Bmp(reserved=0x12345678, density=(2835, 2836)).data()
    assert cleaned(dirty)[1].removed == ("other_metadata",)
    assert clean(dirty) == clean(Bmp().data())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_every_kind_of_bitmap_keeps_its_pixels(mode: str) -> None:
    dirty = saved(mode)
    made = clean(dirty + CANARY)
    assert seen(made) == seen(dirty)
    assert clean(made) == made


LAYOUTS: dict[str, Bmp] = {
    "top down": Bmp(height=-4),
    "an old header": Bmp(header=12),
    "an old header with colours": Bmp(bits=8, header=12, palette=COLOURS * 12, pixels=bytes(32)),
    "few colours": Bmp(bits=8, palette=COLOURS, colours=16, pixels=bytes(range(16)) * 2),
    "fewer colours than promised": Bmp(bits=8, palette=COLOURS, pixels=bytes(32), start=54 + 64),
    "half bytes": Bmp(bits=4, palette=COLOURS, pixels=bytes(range(16))),
    "greys in their order": Bmp(bits=8, palette=GREYS, pixels=bytes(range(32))),
    "no place for the pixels": Bmp(bits=8, palette=GREYS, pixels=bytes(range(32)), start=0),
    "no place for pixels without colours": Bmp(start=0),
    "a place before the colours": Bmp(bits=8, palette=GREYS, pixels=bytes(32), start=54),
    "16 bits": Bmp(bits=16, pixels=bytes(range(64))),
    "16 bits with masks": Bmp(bits=16, coding=3, palette=FIELDS, pixels=bytes(range(64))),
    "masks in the header": Bmp(bits=16, coding=3, header=52, rest=FIELDS, pixels=bytes(range(64))),
    "32 bits with masks": Bmp(4, 4, 32, 3, bytes(range(64)), palette=ALPHA[:12]),
    "alpha in a third header": Bmp(4, 4, 32, 3, bytes(range(64)), header=56, rest=ALPHA),
    "alpha in a fourth header": Bmp(4, 4, 32, 3, bytes(range(64)), header=108, rest=ALPHA + SRGB),
    "masks of nothing": Bmp(4, 4, 32, 3, bytes(range(64)), palette=bytes(12)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_a_bitmap_keeps_its_pixels(layout: str) -> None:
    dirty = LAYOUTS[layout].data()
    made = clean(dirty)
    assert seen(made) == seen(dirty)
    assert clean(made) == made


def test_four_masks_behind_an_old_header_are_read() -> None:
    made = clean(Bmp(4, 4, 32, 6, bytes(range(64)), palette=ALPHA).data())
    assert made == clean(LAYOUTS["alpha in a third header"].data())


def test_words_that_begin_like_a_bitmap_are_words() -> None:
    words = b"BMX riders met at the square again."
    with MemorySource(words) as source:
        assert detect(source) is Format.TEXT
    with MemorySource(Bmp(header=41).data()) as source, pytest.raises(Unsupported):
        bmp_clean(source, Limits())


def test_a_last_row_without_its_filling_is_read() -> None:
    whole = Bmp(3, 4, pixels=bytes(48))
    assert clean(whole.data()[:-3]) == clean(whole.data())


def test_a_large_bitmap_is_kept_by_its_places_and_where_it_is_clean() -> None:
    pixels = bytes(2048 * 3) * 599 + b"\1" * 2048 * 3
    large = Bmp(2048, 600, pixels=pixels).data()
    assert clean(large) == clean(large + CANARY)
    assert clean(large)[54:] == pixels


RUNS = {
    "runs and absolute": (8, 6, 3, b"\3\1\3\2\0\0\0\5\1\2\3\4\5\0\1\6\0\0\6\7\0\1", 18),
    "skips": (8, 6, 3, b"\1\1\0\2\2\1\1\2\0\1", 18),
    "lines that end early": (8, 6, 3, b"\1\1\0\0\0\0\2\3\0\0\0\1", 18),
    "no end": (8, 6, 1, b"\6\1", 6),
    "no end but a line's": (8, 6, 1, b"\6\1\0\0", 6),
    "half bytes": (4, 6, 2, b"\6\x12\0\0\0\5\x12\x34\x50\0\1\6\0\1", 12),
    "an odd absolute run": (4, 5, 1, b"\0\5\x12\x34\x5f\0\0\0\0\1", 5),
}


@pytest.mark.parametrize("name", RUNS)
def test_runs_are_coded_anew_and_paint_the_same(name: str) -> None:
    bits, width, height, data, _ = RUNS[name]
    dirty = runs(bits, width, height, data)
    made = clean(dirty)
    assert clean(made) == made
    if name not in {
        "skips",
        "lines that end early",
        "an odd absolute run",
    }:  # which Pillow reads otherwise
        assert seen(made) == seen(dirty)


def test_lines_that_end_early_are_black_lines() -> None:
    made = clean(runs(*RUNS["lines that end early"][:4]))
    assert Image.open(io.BytesIO(made)).tobytes() == b"\3\3" + bytes(10) + b"\1" + bytes(5)


def test_long_runs_and_noise_are_coded_anew() -> None:
    row = bytes(range(16)) * 40 + bytes(700) + b"\5\5"
    for bits in (4, 8):
        data = b"".join(bytes((1, value * (17 if bits == 4 else 1))) for value in row) + b"\0\1"
        dirty = runs(bits, len(row), 1, data)
        made = clean(dirty)
        assert seen(made) == seen(dirty)
        assert len(made) < len(dirty)


BROKEN: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "no header": (Malformed, lambda: b"BM" + bytes(5)),
    "cut in its header": (Malformed, lambda: PLAIN[:30]),
    "cut in its pixels": (Malformed, lambda: PLAIN[:-1]),
    "a picture of another format": (Unsupported, lambda: Bmp(bits=24, coding=4).data()),
    "a depth of nothing": (Unsupported, lambda: Bmp(bits=0, coding=5).data()),
    "two bits": (Unsupported, lambda: Bmp(bits=2).data()),
    "a coding of OS/2": (Unsupported, lambda: Bmp(bits=16, coding=3, header=64).data()),
    "no width": (Malformed, lambda: Bmp(width=0).data()),
    "no height": (Malformed, lambda: Bmp(height=0).data()),
    "runs from the top": (Malformed, lambda: runs(8, 4, -1, b"\4\1\0\1")),
    "pixels in the header": (Malformed, lambda: Bmp(start=20).data()),
    "no colours": (Malformed, lambda: Bmp(bits=8, pixels=bytes(32), start=56).data()),
    "a colour that is not there": (
        Malformed, lambda: Bmp(bits=8, palette=COLOURS, colours=16, pixels=b"\x10" * 32).data(),
    ),
    "masks that overlap": (
        Malformed, lambda: Bmp(bits=16, coding=3, palette=FIELDS[:8] * 2).data(),
    ),
    "masks with holes": (
        Malformed, lambda: Bmp(bits=16, coding=3, palette=struct.pack("<III", 5, 8, 16)).data(),
    ),
    "masks beyond a pixel": (Malformed, lambda: Bmp(bits=16, coding=3, palette=ALPHA[:12]).data()),
    "a colour without a mask": (
        Malformed, lambda: Bmp(bits=16, coding=3, palette=FIELDS[:8] + bytes(4)).data(),
    ),
    "runs outside": (Malformed, lambda: runs(8, 4, 1, b"\4\1\1\1\0\1")),
    "runs above": (Malformed, lambda: runs(8, 4, 1, b"\4\1\0\0\1\1\0\1")),
    "runs that end too soon": (Malformed, lambda: runs(8, 4, 2, b"\4\1")),
    "runs that end in a line": (Malformed, lambda: runs(8, 4, 1, b"\3\1")),
    "runs cut in a skip": (Malformed, lambda: runs(8, 4, 1, b"\0\2\1")),
    "runs cut in an absolute run": (Malformed, lambda: runs(8, 4, 1, b"\0\4\1")),
    "runs cut before half bytes": (Malformed, lambda: runs(4, 4, 1, b"\0\4")),
}  # fmt: skip


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_bitmap_is_refused(damage: str) -> None:
    reason, build = BROKEN[damage]
    with pytest.raises(reason):
        clean(build())


def test_bitmaps_of_more_pixels_than_the_limits_are_refused_before_they_are_read() -> None:
    for huge in (Bmp(65_536, 1), Bmp(60_000, 60_000), Bmp(-1 & 0x7FFFFFFF, 0x7FFFFFFF)):
        with pytest.raises(TooManyPixels):
            clean(huge.data())
    with pytest.raises(TooManyPixels):
        clean(runs(8, 4, 1, b"\4\1\0\1"), Limits(decoded_pixels=3))


def test_runs_without_end_are_not_walked_without_end() -> None:
    with pytest.raises(Malformed):
        clean(runs(8, 4, 2, b"\0\2\0\0" * 100_000))


def judged(**changed: object) -> bytes:
    """Return a result with some fields of its header changed."""
    fields = {
        "magic": b"BM", "total": 54 + 96, "reserved": 0, "start": 54, "size": 40, "width": 8,
        "height": 4, "planes": 1, "bits": 24, "coding": 0, "length": 96, "x": 0, "y": 0,
        "colours": 0, "important": 0,
    }  # fmt: skip
    return struct.pack("<2sIIIIiiHHIIIIII", *(fields | changed).values()) + bytes(96)


def of_runs(data: bytes, width: int = 4, height: int = 1, *, bits: int = 8) -> bytes:
    head = judged(
        bits=bits, coding=1 if bits == 8 else 2, length=len(data), start=58, total=58 + len(data),
        width=width, height=height, colours=1,
    )  # fmt: skip
    return head[:54] + bytes(4) + data


def of_masks(masks: tuple[int, ...], more: bytes = b"", **changed: object) -> bytes:
    tail = struct.pack(f"<{len(masks)}I", *masks) + more
    start, pixels = 54 + len(tail), bytes(96)
    fields = {"bits": 16, "coding": 3, "start": start, "total": start + 96, "width": 12, **changed}
    return judged(**fields)[:54] + tail + pixels


SURVIVORS: dict[str, bytes] = {
    "nothing": b"",
    "another magic": judged(magic=b"BA"),
    "a reserved number": judged(reserved=1),
    "planes": judged(planes=2),
    "a resolution": judged(x=1),
    "important colours": judged(important=1),
    "colours that are not there": judged(colours=1),
    "a gap": judged(start=55, total=151) + b"x",
    "a long gap": judged(start=1 << 20),
    "another header": judged(size=124),
    "another length": judged(length=97),
    "bytes behind": judged() + b"x",
    "an end too soon": judged()[:-1],
    "a palette's fourth byte": of_runs(b"\4\1\0\0\0\1")[:57] + b"x" + of_runs(b"\4\1\0\0\0\1")[58:],
    "no palette": judged(bits=8),
    "a palette behind another header": judged(bits=8, colours=1, start=58, total=154, size=108)
    + bytes(4),
    "filling": judged(width=7)[:54] + bytes(21) + b"x" + bytes(74),
    "filling bits": judged(bits=1, width=3, height=24, colours=2, start=62, total=158)[:54]
    + bytes(8) + b"\x01" + bytes(95),
    "a fourth channel": judged(bits=32, width=6)[:-1] + b"x",
    "a sixteenth bit": judged(bits=16, width=12)[:-1] + b"\x80",
    "masks that overlap": of_masks((1, 3, 4)),
    "a mask of nothing": of_masks((1, 0, 4)),
    "a mask with a hole": of_masks((5, 8, 16)),
    "five masks": of_masks((1, 2, 4, 8, 16)),
    "another space": of_masks((1, 2, 4, 8), b"LINK" + bytes(48), size=108),
    "end points": of_masks((1, 2, 4, 8), SRGB + bytes(47) + b"x", size=108),
    "a bit without a mask": of_masks((1, 2, 4))[:-1] + b"x",
    "a row too short": of_runs(b"\3\1\0\0\0\1"),
    "a row too long": of_runs(b"\5\1\0\0\0\1"),
    "a row without its end": of_runs(b"\4\1\0\1\0\1"),
    "a run that does not end": of_runs(b"\0\4\1"),
    "half a run": of_runs(b"\1\1"),
    "filling behind a run": of_runs(b"\0\3\1\1\1x\1\1\0\0\0\1"),
    "half a byte behind a run": of_runs(b"\0\3\x11\x1f\1\x10\0\0\0\1", bits=4),
    "bytes behind the runs": of_runs(b"\4\1\0\0\0\1x"),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_bitmap(
    survivor: str,
) -> None:
    bmp_check.check(io.BytesIO(judged()))
    bmp_check.check(io.BytesIO(of_runs(b"\4\1\0\0\0\1")))
    bmp_check.check(io.BytesIO(of_masks((0x7C00, 0x3E0, 0x1F))))
    with pytest.raises(MetadataSurvived):
        bmp_check.check(io.BytesIO(SURVIVORS[survivor]))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_bitmap_crash_the_cleaner(data: st.DataObject) -> None:
    sources = [PLACES[name]() for name in PLACES] + [LAYOUTS[name].data() for name in LAYOUTS]
    silent_or_refused(damaged(data, data.draw(st.sampled_from(sources)), 2))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.sampled_from([4, 8]), st.data())
def test_any_picture_survives_its_runs(width: int, bits: int, data: st.DataObject) -> None:
    most = (1 << bits) - 1
    rows = data.draw(
        st.lists(st.lists(st.integers(0, most), min_size=width, max_size=width), max_size=5)
    ) or [[0] * width]
    coded = b"".join(
        b"".join(bytes((1, value if bits == 8 else value << 4)) for value in row) + b"\0\0"
        for row in rows
    )
    coder = Coder(width, len(rows), bits)
    assert coder.run(coded + b"\0\1") == len(coded) + 2
    again = Coder(width, len(rows), bits)
    again.run(bytes(coder.made))
    assert again.made == coder.made
    assert again.used == {value for row in rows for value in row}
