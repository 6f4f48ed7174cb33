"""What of a video is shown is what is sent; and the numbers that players need spell nothing."""

import struct
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sanitizer.errors import Empty, Malformed, MetadataSurvived, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.mp4 import check_shape, shape
from sanitizer.mp4.edits import bound, trim
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.model import Movie, Samples, Track
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove
from tests.sanitizer.test_video_check import GOOD, judge
from tests.sanitizer.videos import PLAIN, STBL, edited, lavfi
from tests.support.boxes import box, find, split
from tests.support.media import plain_video, run_ffmpeg

SILENT = clean(PLAIN)
ONE = 1 << 16
TKHD, ELST = (b"moov", b"trak", b"tkhd"), (b"moov", b"trak", b"edts", b"elst")
MDHD = (b"moov", b"trak", b"mdia", b"mdhd")
TWO_FILMS = (
    *("-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=2"),
    *("-f", "lavfi", "-i", "mandelbrot=size=160x120:rate=10:end_pts=20", "-t", "2"),
    *("-map", "0", "-map", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p"),
)


def put(new: bytes, at: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + new + content[at + len(new) :]


def rows(*edits: tuple[int, int, int]) -> Callable[[bytes], bytes]:
    """Return a change of an edit list to these (length, start, speed)."""
    told = b"".join(struct.pack(">IiI", *edit) for edit in edits)
    return lambda _: struct.pack(">II", 0, len(edits)) + told


# --- what is shown -------------------------------------------------------------------------------


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("speed", [0, 1, ONE + 1, 2 * ONE, 0xFFFFFFFF])
def test_a_strange_speed_keeps_no_frame_that_is_not_shown(speed: int) -> None:
    """Players show a tenth of it, whatever the speed says: the rest would have travelled along."""
    short = edited(rows((4410, 2048, ONE)), *ELST)
    assert len(clean(short)) < len(SILENT)
    with pytest.raises(Unsupported):
        clean(edited(rows((4410, 2048, speed)), *ELST))


def test_the_speed_of_a_pause_says_nothing() -> None:
    """Nobody shows a pause faster: what stands there is ours."""
    quiet = edited(rows((4410, -1, ONE), (44100, 2048, ONE)), *ELST)
    spelled = edited(rows((4410, -1, 0x534E3432), (44100, 2048, ONE)), *ELST)
    assert quiet != spelled
    assert clean(spelled) == clean(quiet)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("is_off", [True, False])
def test_a_second_film_that_nobody_sees_goes_and_is_told(*, is_off: bool) -> None:
    dirty = run_ffmpeg(*TWO_FILMS, "-f", "mp4")
    flags = dirty.rindex(b"tkhd") + 7
    dirty = dirty[:flags] + (b"\2" if is_off else b"\3") + dirty[flags + 1 :]
    assert len(hashes(dirty)) == 2
    made, facts = prove(dirty + box(b"free", CANARY), ".mp4")
    assert "hidden_frames" in facts.removed
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)[:1]


def test_of_two_films_the_one_that_is_turned_on_stays() -> None:
    dirty = run_ffmpeg(*TWO_FILMS, "-f", "mp4")
    first, second = dirty.index(b"tkhd") + 7, dirty.rindex(b"tkhd") + 7
    dirty = dirty[:first] + b"\2" + dirty[first + 1 : second] + b"\3" + dirty[second + 1 :]
    assert hashes(clean(dirty), decoded=True) == [
        hashes(dirty, decoded=True)[1].replace("1,v", "0,v")
    ]


def test_pictures_before_a_cut_that_cannot_go_are_told(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(lavfi("-c:v", "libx264", "-g", "100", "-bf", "0", sound=False))
    dirty = run_ffmpeg("-ss", "1.55", "-i", str(whole), "-c", "copy")
    made, facts = cleaned(dirty)
    assert "cut_frames" in facts.removed
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert "cut_frames" not in cleaned(whole.read_bytes())[1].removed


def test_a_video_that_shows_nothing_is_refused_and_a_sound_goes() -> None:
    with pytest.raises(Empty):
        clean(edited(rows((100, 1 << 30, ONE)), *ELST))
    at = PLAIN.rindex(b"elst") + 4
    silenced = PLAIN[: at + 12] + struct.pack(">i", 1 << 30) + PLAIN[at + 16 :]
    made, facts = cleaned(silenced)
    assert "hidden_frames" in facts.removed
    assert len(hashes(made)) == 1


def test_an_edit_is_no_longer_than_what_it_shows() -> None:
    spelled = edited(put(b"SN42", 8), *ELST)
    assert clean(spelled) == SILENT
    with pytest.raises(Malformed):
        clean(edited(rows((0x534E3432, -1, ONE), (44100, 2048, ONE)), *ELST))


def films(frames: int, edits: list[tuple[int, int]], shifts: list[int] | None = None) -> Track:
    samples = Samples(
        array("I", [9] * frames), array("Q", range(frames)), array("I", [10] * frames)
    )
    samples.shifts = array("i", shifts or [])
    return Track(1, True, 10, b"", b"", Entry(b""), samples, edits)  # noqa: FBT003 - a plain record


def test_frames_shown_in_another_order_end_with_the_last_that_is_shown() -> None:
    made = films(6, [(900, 0)], [0, 30, 0, 0, 0, -20])
    assert trim(made, 10) == set()
    assert made.edits == [(50, 0)]
    again = films(6, [(50, 0)], [0, 30, 0, 0, 0, -20])
    bound(again, 10)
    assert again.edits == made.edits
    late = films(4, [(900, 0)], [0, 90, -10, -30])
    assert trim(late, 10) == set()
    assert late.edits == [(110, 0)]
    before = films(6, [(900, 20)], [0, 90, 0, 0, -60, 0])
    assert trim(before, 10) == {"hidden_frames"}
    assert before.edits == [(90, 10)]
    empty = films(0, [(5, 0)])
    bound(empty, 10)
    assert empty.edits == [(5, 0)]


@pytest.mark.parametrize("edits", [[(25, 0)], [(900, 20)], [(5, -1)], [(20, 0), (900, 40)]])
def test_edits_hide_no_frame_that_has_passed_already(edits: list[tuple[int, int]]) -> None:
    made = films(6, edits)
    bound(made, 10)
    assert (made.edits, len(made.samples)) == ([], 6)


def test_many_edits_of_many_frames_are_refused_at_once() -> None:
    with pytest.raises(TooComplex):
        trim(films(31_000, [(1, 0)] * 1000), 10)
    with pytest.raises(TooComplex):
        trim(films(31_000, [(310_000, 0)] * 100), 10)


def test_many_empty_frames_are_refused_at_once() -> None:
    count = 1_000_001
    sizes = edited(lambda _: struct.pack(">III", 0, 0, count) + bytes(4 * count), *STBL, b"stsz")
    index = find(sizes, b"moov")
    index = index.replace(b"edts", b"free", 1)
    at = index.index(b"stts") + 4
    index = index[: at + 8] + struct.pack(">I", count) + index[at + 12 :]
    at = index.index(b"stsc") + 12
    index = index[: at + 4] + struct.pack(">I", count) + index[at + 8 :]
    front = b"".join(box(kind, content) for kind, content in split(sizes) if kind != b"moov")
    with pytest.raises(TooComplex):
        clean(front + box(b"moov", index))


def test_a_table_of_keys_that_names_all_frames_is_left_out() -> None:
    dirty = lavfi("-c:v", "libx264", "-g", "1", sound=False, seconds=1)
    told = struct.pack(">II10I", 0, 10, *range(1, 11))
    table = box(b"stss", told)
    at = dirty.index(b"stsz") - 4
    if b"stss" not in dirty:
        grown = dirty[:at] + table + dirty[at:]
        for kind in STBL:
            place = grown.index(kind) - 4
            (size,) = struct.unpack_from(">I", grown, place)
            grown = grown[:place] + struct.pack(">I", size + len(table)) + grown[place + 4 :]
        dirty = grown
    made = clean(dirty)
    assert b"stss" not in made
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


# --- numbers -------------------------------------------------------------------------------------


def nine(*ways: int, place: tuple[int, int] = (0, 0)) -> bytes:
    return struct.pack(">9i", *ways[:2], 0, *ways[2:], 0, *place, 1 << 30)


SIDES = struct.pack(">II", 160 << 16, 120 << 16)
WAYS = {
    "upright": ((1, 0, 0, 1), (0, 0)),
    "right": ((0, 1, -1, 0), (120, 0)),
    "around": ((-1, 0, 0, -1), (160, 120)),
    "left": ((0, -1, 1, 0), (0, 160)),
    "mirrored": ((-1, 0, 0, 1), (160, 0)),
    "upside down": ((1, 0, 0, -1), (0, 120)),
    "across": ((0, 1, 1, 0), (0, 0)),
    "across and around": ((0, -1, -1, 0), (120, 160)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_stays_turned_and_its_matrix_says_nothing_else(way: str) -> None:
    numbers, (right, down) = WAYS[way]
    exact = nine(*(number * ONE for number in numbers), place=(right << 16, down << 16))
    spelled = nine(*(number * (3 * ONE + 1) for number in numbers), place=(0x534E3432, 0x37663361))
    assert shape.matrix(spelled[:8] + CANARY[:4] + spelled[12:], SIDES) == exact
    check_shape.shown(exact, SIDES, 120)
    made = clean(edited(put(spelled, 40), *TKHD))
    assert b"SN42" not in made
    assert find(made, *TKHD)[52:88] == exact


def test_an_empty_matrix_is_no_turn_and_a_strange_one_is_refused() -> None:
    assert shape.matrix(bytes(36), SIDES) == nine(ONE, 0, 0, ONE)
    assert shape.matrix(nine(ONE - 9, 7, -7, ONE - 9), SIDES) == nine(ONE, 0, 0, ONE)
    for strange in (
        nine(ONE, ONE, -ONE, ONE), nine(ONE, 0, 0, 0), nine(ONE, 0, 0, ONE // 2),
        nine(ONE, ONE // 9, -ONE // 9, ONE), nine(ONE, ONE, 0, 0), nine(ONE, 0, ONE, 0),
    ):  # fmt: skip
        with pytest.raises(Unsupported):
            shape.matrix(strange, SIDES)
        with pytest.raises(MetadataSurvived):
            check_shape.shown(strange, SIDES, 120)


def test_the_size_of_a_picture_is_that_of_its_description() -> None:
    assert clean(edited(put(b"SN7f3a91", 76), *TKHD)) == SILENT
    assert clean(edited(put(bytes(8), 76), *TKHD)) == SILENT
    entry = box(b"avc1", bytes(24), struct.pack(">HH", 160, 120), bytes(50))
    for told, wide in ((200, 200), (159, 160), (9999, 160), (5, 160), (0, 160)):
        size = struct.pack(">II", told << 16 | 99, 120 << 16)
        assert shape.size(entry, size) == struct.pack(">II", wide << 16, 120 << 16)
    assert shape.size(entry, bytes(8)) == SIDES
    aspect = box(b"avc1", entry[8:], box(b"pasp", struct.pack(">II", 4, 3)))
    assert shape.size(aspect, b"SN7f3a91") == struct.pack(">II", 213 << 16, 120 << 16)


def test_a_clock_that_no_program_uses_becomes_one_that_they_do() -> None:
    made = clean(edited(put(struct.pack(">I", 1013), 12), b"moov", b"mvhd"))
    assert struct.unpack_from(">I", find(made, b"moov", b"mvhd"), 20) == (1000,)
    assert clean(made) == made
    with pytest.raises(Malformed):
        clean(edited(put(b"SN42", 12), *MDHD))
    movie = Movie(7, [films(3, [(14, 0), (7, -1)])])
    shape.set_clock(movie)
    assert (movie.timescale, movie.tracks[0].edits) == (1000, [(2000, 0), (1000, -1)])
    shape.set_clock(movie)
    assert movie.timescale == 1000


def test_fractions_are_in_lowest_terms_or_go() -> None:
    assert shape.aspect(struct.pack(">II", 400, 300)) == struct.pack(">II", 4, 3)
    for strange in ((0, 0), (0, 1), (1, 0), (0x534E3432, 0x37663361), (17, 1), (1, 17)):
        assert shape.aspect(struct.pack(">II", *strange)) is None
    crop = (320, 2, 120, 1, -10, 2, 0, 7)
    made = shape.crop(struct.pack(">iIiIiIiI", *crop), 160, 120)
    assert made == struct.pack(">iIiIiIiI", 160, 1, 120, 1, -5, 1, 0, 1)
    check_shape.look(b"clap", made or b"")
    check_shape.look(b"clli", b"SN42")
    for place, strange_one in ((0, 999), (0, 0), (1, 0), (4, 999), (5, 0), (3, 0x534E3432)):
        numbers = [*crop]
        numbers[place] = strange_one
        assert shape.crop(struct.pack(">iIiIiIiI", *numbers), 160, 120) is None


LIES: dict[str, Callable[[], object]] = {
    "a speed": lambda: judged(b"elst", 24, b"SN42"),
    "a clock": lambda: judged(b"mvhd", 20, b"SN42"),
    "a track's clock": lambda: judged(b"mdhd", 20, b"SN42"),
    "a matrix": lambda: judged(b"tkhd", 76, b"SN42"),
    "a width": lambda: judged(b"tkhd", 90, b"\1\1"),
    "a height": lambda: judged(b"tkhd", 92, b"\1\1"),
    "no width": lambda: judged(b"tkhd", 88, bytes(4)),
    "an aspect that could be simpler": lambda: check_shape.look(b"pasp", b"\0\0\0\2" * 2),
    "an aspect of large numbers": lambda: check_shape.look(b"pasp", b"SN42\0\0\0\1"),
    "an aspect of a line": lambda: check_shape.look(b"pasp", b"\0\0\0\x11\0\0\0\1"),
    "a crop that could be simpler": lambda: check_shape.look(b"clap", b"\0\0\0\2" * 8),
    "a crop of a large part": lambda: check_shape.look(b"clap", b"\0\0\0\1SN43" * 4),
    "a crop of a large number": lambda: check_shape.look(b"clap", b"SN42\0\0\0\1" * 4),
}


def judged(kind: bytes, at: int, new: bytes) -> None:
    place = GOOD.index.index(kind) + 4 + at
    told = GOOD.index[:place] + new + GOOD.index[place + len(new) :]
    assert told != GOOD.index
    judge(replace(GOOD, index=told))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("lie", LIES)
def test_the_second_reader_notices_a_number_that_speaks(lie: str) -> None:
    with pytest.raises(MetadataSurvived):
        LIES[lie]()


def test_a_plain_video_has_no_hidden_frame() -> None:
    assert not {"cut_frames", "hidden_frames"} & set(cleaned(plain_video())[1].removed)
    assert Limits().video_small_frames < Limits().video_samples
