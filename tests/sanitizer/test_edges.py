"""The odd corners of each format, built by hand."""

import io
import struct
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from sanitizer.clean import sanitize
from sanitizer.detect import Format, detect
from sanitizer.errors import (
    Encrypted,
    ImageTooLarge,
    JailUnavailable,
    Malformed,
    MetadataSurvived,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.jail import program as jail_module
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.jpeg import progressive
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from sanitizer.mp4 import check_index as mp4_check_index
from sanitizer.mp4 import fragments as mp4_fragments
from sanitizer.mp4.assemble import Assembler
from sanitizer.mp4.boxes import TopBox, children
from sanitizer.mp4.edits import trim
from sanitizer.mp4.model import Movie, Samples, Track
from sanitizer.mp4.read import numbers
from sanitizer.numbers import unpack
from sanitizer.pieces import Plan, Range
from sanitizer.reread import check as reread
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned
from tests.sanitizer.test_png import built
from tests.sanitizer.test_video import (
    FRAGMENTS,
    PICTURE,
    RESULT,
    SOUND,
    described,
    judge,
    read_again,
    track,
)
from tests.support.boxes import box, find, full
from tests.support.media import drawing, phone_photo, phone_video


@pytest.mark.parametrize(
    "dirty", [phone_photo(CANARY), phone_video(CANARY)], ids=["photo", "video"]
)
def test_every_kind_that_is_told_is_on_the_list(dirty: bytes) -> None:
    assert set(cleaned(dirty)[1].removed) <= KINDS


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", **options)
    return made.getvalue()


# --- what a file is ----------------------------------------------------------------------------

KNOWN = {
    b"\xff\xd8\xff\xe0": Format.JPEG,
    b"\x89PNG\r\n\x1a\n": Format.PNG,
    b"GIF89a": Format.GIF,
    b"MM\0*": Format.TIFF,
    b"BM": Format.BMP,
    b"RIFFxxxxWEBP": Format.WEBP,
    b"RIFFxxxxWAVE": Format.WAV,
    b"RIFFxxxxAVI ": Format.AVI,
    b"FORMxxxxAIFC": Format.AIFF,
    b"OggS": Format.OGG,
    b"fLaC": Format.FLAC,
    b"ID3\4\0\0\0\0\0\2xxfLaC": Format.FLAC,
    b"ID3\4\0\0\0\0\0\2xx\xff\xf1\x50\x80": Format.AAC,
    b"ID3\4\0\0\0\0\0\2xx\0\0\0\0": Format.MP3,
    b"\xff\xfb\x90\x64": Format.MP3,
    b"\xff\xf1\x50\x80": Format.AAC,
    b"#!AMR\n": Format.AMR,
    b"xxxxftypM4A ": Format.MP4,
    b"xxxxftypheic": Format.HEIF,
    b"xxxxftypavif": Format.HEIF,
    b"junk%PDF-1.7": Format.PDF,
    b"plain words, \xd8\xa3\xd9\x85\xd8\xa7\xd9\x86\xd8\xa9": Format.TEXT,
    b"\xff\xfea\0": Format.TEXT,
    b"G".ljust(188, b"x") * 4: Format.MPEG_TS,
    b"xxxx" + b"G".ljust(192, b"x") * 4: Format.MPEG_TS,
}
REFUSED = {
    b"PK\3\4": Unsupported,
    b"FORMxxxxILBM": Unsupported,
    b"XXXXxxxxWEBP": Unsupported,
    b"xxxxftypcrx ": Unsupported,
    b"\xff\xfb\xf0\0": Unsupported,
    b"\xd8\xa3\xd9\xff and more": Unsupported,
    b"age-encryption.org/v1": Encrypted,
    b"plain words and \0": Unsupported,
}


@pytest.mark.parametrize("head", KNOWN)
def test_a_file_is_what_its_first_bytes_say(head: bytes) -> None:
    with MemorySource(head) as source:
        assert detect(source) is KNOWN[head]


def test_a_letter_cut_in_two_at_the_end_of_the_look_is_still_text() -> None:
    with MemorySource(b"x" * 4095 + "\u0623".encode()) as source:
        assert detect(source) is Format.TEXT


@pytest.mark.parametrize("head", REFUSED)
def test_other_files_are_refused_by_what_their_bytes_say(head: bytes) -> None:
    with (
        MemorySource(head.ljust(64, b"\0")) as source,
        pytest.raises(REFUSED[head]) as refused,
    ):
        detect(source)
    assert type(refused.value) is REFUSED[head]


def test_a_file_without_a_type_but_with_an_index_is_a_video() -> None:
    with pytest.raises(Malformed):
        clean(box(b"moov", b""))


def test_an_image_beyond_its_limit_is_refused() -> None:
    with pytest.raises(ImageTooLarge):
        clean(phone_photo(CANARY), Limits(image_bytes=100))
    with pytest.raises(TooLarge) as whole:
        clean(phone_photo(CANARY), Limits(file_bytes=100))
    assert whole.value.reason == "too_large"


def test_what_broken_numbers_do_to_a_parser_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.clean.detect", lambda source: b""[source.length])
    with MemorySource(b"x") as source, pytest.raises(Malformed):
        sanitize(source, Limits())


def test_a_result_that_exifread_cannot_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("sanitizer.reread.exifread.process_file", fail)
    with MemorySource(b"") as source, pytest.raises(MetadataSurvived):
        reread(Plan(source, [b"x"]))


# --- JPEG ----------------------------------------------------------------------------------------


def test_a_photo_without_a_marker_ends_in_a_refusal() -> None:
    with pytest.raises(Malformed):
        clean(b"\xff\xd8\xff" + bytes(3000))


def test_a_megabyte_of_fill_bytes_is_one_step() -> None:
    data = saved(drawing(64, 48))
    assert clean(data[:-2] + b"\xff" * (3 << 20) + data[-1:]) == clean(data)
    assert clean(data[:-2] + b"\xff" * (1 << 20) + b"\0\0" + data[-2:]) == clean(data)


def test_a_frame_header_of_the_wrong_length_is_refused() -> None:
    data = saved(drawing(64, 48))
    at = data.index(b"\xff\xc0")
    with pytest.raises(Malformed):
        clean(data[: at + 9] + b"\2" + data[at + 10 :])


def test_an_earlier_restart_interval_loses_its_slack_and_a_missing_one_is_noticed() -> None:
    data = saved(drawing(64, 48), restart_marker_rows=1)
    first, last = data.index(b"\xff\xd0"), data.rindex(b"\xff\xd1")
    assert clean(data[:first] + b"slack" + data[first:]) == clean(data)
    with pytest.raises(Malformed):
        clean(data[:last] + b"\xff\xd9")
    for cut in (first - 1, first - 2, first - 30):
        with pytest.raises(Malformed):
            clean(data[:cut] + data[first:])
    extra = data[:-2] + b"\xff\xd2" + CANARY + data[-2:]
    assert clean(extra) == clean(data)


def test_a_suspicious_scan_too_long_to_be_checked_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sanitizer.jpeg.entropy._MAX_CODED", 1000)
    monkeypatch.setattr("sanitizer.jpeg.entropy.EXACT_BYTES", 10)
    data = saved(drawing(400, 300), quality=95)
    clean(data)
    with pytest.raises(TooComplex):
        clean(data[:-2] + CANARY + data[-2:])


@pytest.mark.parametrize("size", [(40, 24), (301, 203)])
@pytest.mark.parametrize(
    "options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0, "quality": 97}]
)
def test_slack_behind_any_pass_of_a_progressive_photo_goes(
    size: tuple[int, int], options: dict[str, object]
) -> None:
    data = saved(drawing(*size), progressive=True, **options)
    at, places = data.index(b"\xff\xda"), []
    while at >= 0:
        places.append(at)
        at = data.find(b"\xff\xda", at + 2)
    once = clean(data)
    assert clean(data[:-2] + CANARY + data[-2:]) == once
    for place in places[1:]:
        start = (
            data.rindex(b"\xff\xc4", 0, place) if b"\xff\xc4" in data[place - 90 : place] else place
        )
        assert clean(data[:start] + CANARY + data[start:]) == once
    with pytest.raises(Malformed):
        clean(data[:-8] + data[-2:])


def table(*symbols: int) -> list[int]:
    """Return a look-ahead of codes of eight bits, the first all zeros."""
    counts = bytes(7) + bytes([len(symbols)]) + bytes(8)
    return progressive.symbols(b"\x10" + counts + bytes(symbols))


def test_a_progressive_run_beyond_its_band_is_refused() -> None:
    with pytest.raises(Malformed):
        progressive.first_ac(progressive.Bits(bytes(20)), table(0xF0), [0], range(1), (1, 8))
    with pytest.raises(Malformed):
        progressive.first_ac(progressive.Bits(b"\xff" * 20), table(0xF0), [0], range(1), (1, 63))


def test_a_refining_pass_skips_sixteen_zeros_and_spends_bits_on_the_others() -> None:
    bits = progressive.Bits(bytes(20))
    blocks = [0b1000]
    progressive.refine_ac(bits, table(0xF0), blocks, range(1), (1, 20))
    assert bits.used == 8 + 1 + 8
    bits = progressive.Bits(b"\0\x80" + bytes(20))
    progressive.refine_ac(bits, table(0x11), blocks, range(1), (1, 4))
    assert blocks[0] & ~0b1000


# --- PNG ------------------------------------------------------------------------------------------


def test_a_picture_that_unpacks_in_many_steps_keeps_its_data() -> None:
    header = (b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0))
    data = built(header, (b"IDAT", zlib.compress(bytes(1024 * 3073))), (b"IEND", b""))
    assert clean(data) == data


# --- MP4 ------------------------------------------------------------------------------------------


def test_boxes_of_long_lengths_and_to_the_end_are_read() -> None:
    long = struct.pack(">I4sQ", 1, b"long", 19) + b"abc"
    assert list(children(long + b"\0\0\0\0rest123")) == [(b"long", b"abc"), (b"rest", b"123")]


def test_a_table_that_ends_inside_a_number_has_one_number_less() -> None:
    assert list(numbers("Q", bytes(15))) == [0]


def movie(**edits: object) -> Movie:
    track = Track(1, True, 1000, b"", b"", b"s263", b"", Samples(), **edits)  # type: ignore[arg-type]  # noqa: FBT003 - a plain record
    return Movie(1000, [track])


def moof(*boxes: bytes) -> bytes:
    return box(b"moof", full(b"mfhd", bytes(4)), *boxes)


def read_fragments(made: Movie, *moofs: bytes) -> None:
    data = b"".join(moofs)
    tops, at = [], 0
    for part in moofs:
        tops.append(TopBox(part[4:8], at, at + 8, at + len(part)))
        at += len(part)
    with MemorySource(data) as source:
        mp4_fragments.read(source, tops, made, {1: (1, 40, 9, 0)}, Limits())


def traf(number: int, *rest: bytes, flags: int = 0) -> bytes:
    return box(b"traf", full(b"tfhd", struct.pack(">I", number), flags=flags), *rest)


def test_fragments_without_times_or_places_follow_each_other() -> None:
    made = movie()
    run = full(b"trun", struct.pack(">I", 2))
    first = struct.pack(">IiI", 1, 100, 0x10000)
    read_fragments(
        made,
        moof(traf(1, run, run), traf(7, full(b"tfdt", bytes(4)), run)),
        box(b"free", b"x"),
        moof(traf(1, full(b"trun", first, flags=5))),
    )
    samples = made.tracks[0].samples
    assert list(samples.sizes) == [9] * 5
    assert list(samples.durations) == [40] * 5
    assert list(samples.offsets)[:4] == [0, 9, 18, 27]
    assert samples.keys == {0, 1, 2, 3}


def test_fragments_that_begin_late_and_leave_gaps_keep_their_times() -> None:
    made = movie()
    made.tracks.append(Track(2, False, 1000, b"", b"", b"mp4a", b"", Samples()))  # noqa: FBT003 - a plain record
    run = full(b"trun", struct.pack(">I", 1))
    late = full(b"tfdt", struct.pack(">I", 500))
    later = b"\1\0\0\0" + struct.pack(">Q", 800)
    read_fragments(
        made,
        moof(traf(1, full(b"tfdt", bytes(4)), run), traf(2, late, run)),
        moof(traf(1, box(b"tfdt", later), run)),
    )
    assert list(made.tracks[0].samples.durations) == [800, 40]
    assert made.tracks[1].edits[0] == (500, -1, 1 << 16)


def test_a_fragment_may_say_everything_itself() -> None:
    made = movie()
    head = struct.pack(">IQIIII", 1, 5000, 1, 30, 7, 0x10000)
    run = full(b"trun", struct.pack(">IiIi", 1, 11, 6, -5), flags=0xA01)
    read_fragments(made, moof(box(b"traf", full(b"tfhd", head, flags=0x3B), run)))
    samples = made.tracks[0].samples
    assert (samples.sizes[0], samples.offsets[0], samples.durations[0]) == (6, 5011, 30)
    assert list(samples.shifts) == [-5]


def test_an_assembler_without_frames_has_nothing_to_pass_on() -> None:
    assert Assembler(movie())._box() == b""


def test_the_last_reader_takes_pieces_of_any_size() -> None:
    read_again(RESULT)
    for size in (1, 7, 16):
        checker_of(RESULT[:3000] if size == 1 else RESULT, size)


def checker_of(data: bytes, size: int) -> None:
    from sanitizer.mp4.check_result import ResultChecker  # noqa: PLC0415 - used here alone

    checker = ResultChecker()
    for at in range(0, len(data), size):
        checker.feed(data[at : at + size])


INDEX = find(FRAGMENTS, b"moov")


def swapped(old: bytes, new: bytes) -> Callable[[], bytes]:
    return lambda: INDEX.replace(old, new, 1)


def entry(kind: bytes, *inner: bytes) -> bytes:
    """Return the index with the picture's description replaced by one without these bytes."""
    place = INDEX.index(b"stsd") - 4
    (length,) = struct.unpack_from(">I", INDEX, place)
    old = INDEX[place : place + length]
    new = full(b"stsd", struct.pack(">I", 1), box(kind, bytes(7) + b"\1" + bytes(70), *inner))
    grown = len(new) - len(old)
    made = INDEX[:place] + new + INDEX[place + length :]
    for outer in (b"trak", b"mdia", b"minf", b"stbl"):
        at = INDEX.index(outer) - 4
        (size,) = struct.unpack_from(">I", made, at)
        made = made[:at] + struct.pack(">I", size + grown) + made[at + 4 :]
    return made


SPS = b"\1\x42\0\x1e\xff\xe1\0\3\x67ab\1\0\2\x68c"
HEVC = bytes(21) + b"\3\1"
UNTRUE: dict[str, Callable[[], bytes]] = {
    "half a box at the end": lambda: INDEX + b"\0\0\0\2",
    "no media header": swapped(b"mdhd", b"hdlr"),
    "an edit list of another length": swapped(b"elst\0\0\0\0\0\0\0\1", b"elst\0\0\0\0\0\0\0\2"),
    "no parameter sets": lambda: entry(b"avc1"),
    "bytes behind the parameter sets": lambda: entry(b"avc1", box(b"avcC", SPS + CANARY)),
    "another unit among the parameter sets": lambda: entry(
        b"avc1", box(b"avcC", SPS.replace(b"\x67", b"\x66"))
    ),
    "a message among the sets of HEVC": lambda: entry(
        b"hvc1", box(b"hvcC", HEVC + b"\x27\0\1\0\3\x4e\1x")
    ),
    "bytes behind the sets of HEVC": lambda: entry(
        b"hvc1", box(b"hvcC", HEVC + b"\x20\0\1\0\3\x40\1x" + CANARY)
    ),
    "another box in the description": lambda: entry(
        b"avc1", box(b"avcC", SPS), box(b"uuid", CANARY)
    ),
}


@pytest.mark.parametrize("what", UNTRUE)
def test_the_index_reader_notices(what: str) -> None:
    with pytest.raises(MetadataSurvived):
        mp4_check_index.check_movie(UNTRUE[what]())


def test_two_descriptions_in_one_track_are_noticed() -> None:
    good = entry(b"avc1", box(b"avcC", SPS + b"\xfd\xf8\xf8\0"), box(b"colr", b"nclx" + bytes(7)))
    assert len(mp4_check_index.check_movie(good)) == 2
    doubled = entry(b"avc1", box(b"avcC", SPS)).replace(b"avc1", b"avc1")
    place = doubled.index(b"stsd") - 4
    (size,) = struct.unpack_from(">I", doubled, place)
    extra = box(b"free")
    made = doubled[:place] + struct.pack(">I", size + 8) + doubled[place + 4 : place + size]
    made += extra + doubled[place + size :]
    for outer in (b"trak", b"mdia", b"minf", b"stbl"):
        at = made.index(outer) - 4
        (size,) = struct.unpack_from(">I", made, at)
        made = made[:at] + struct.pack(">I", size + 8) + made[at + 4 :]
    with pytest.raises(MetadataSurvived):
        mp4_check_index.check_movie(made)


def test_a_launcher_that_could_not_lock_is_told_from_a_broken_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "launcher.py"
    fake.write_text("import os\nos._exit(125)\n")
    monkeypatch.setattr(jail_module, "_LAUNCHER", fake)
    with pytest.raises(JailUnavailable):
        list(ffmpeg_jail().run([], iter([]), Limits(), 1))


def test_a_plan_can_be_read_at_any_place() -> None:
    with MemorySource(b"0123456789") as source:
        plan = Plan(source, [b"ab", Range(2, 3), b"", Range(8, 2)])
        assert plan.read_at(0, 99) == b"ab23489"
        assert plan.read_at(3, 2) == b"34"
        with plan.open() as file:
            file.seek(-2, io.SEEK_END)
            assert file.read() == b"89"
        with pytest.raises(Malformed):
            Plan(source, [Range(9, 5)]).read_at(0, 5)


def coded(blocks: int, data: bytes) -> bytes:
    """Return a grey photo whose every block is two bits, and whose data never breaks its code."""

    def segment(marker: int, payload: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload

    codes = b"\2" + bytes(15) + b"\0\0"
    head = segment(0xDB, b"\0" + b"\1" * 64)
    head += segment(0xC0, struct.pack(">BHHB", 8, 8, 8 * blocks, 1) + b"\1\x11\0")
    head += segment(0xC4, b"\0" + codes) + segment(0xC4, b"\x10" + codes)
    return b"\xff\xd8" + head + segment(0xDA, b"\1\1\0\0\x3f\0") + data + b"\xff\xd9"


def test_coded_data_that_any_bits_would_continue_is_still_counted() -> None:
    assert clean(coded(48, bytes(12)))
    assert clean(coded(48, bytes(14))) == clean(coded(48, bytes(12)))
    for blocks, length in ((48, 5), (47, 11)):
        with pytest.raises(Malformed):
            clean(coded(blocks, bytes(length)))


def test_numbers_that_are_not_there_are_no_numbers() -> None:
    with pytest.raises(Malformed):
        unpack("I", b"abc")


def test_fragments_may_come_in_small_pieces_and_frames_out_of_place_are_noticed() -> None:
    judge(FRAGMENTS, step=50)
    at = FRAGMENTS.index(b"trun") + 12
    (offset,) = struct.unpack_from(">I", FRAGMENTS, at)
    moved = FRAGMENTS[:at] + struct.pack(">I", offset + 1) + FRAGMENTS[at + 4 :]
    with pytest.raises(MetadataSurvived):
        judge(moved)


def test_a_key_frame_shown_after_the_cut_is_not_the_one_to_begin_with() -> None:
    made = track(12, [(20, 50, 1 << 16)], keys={0, 4}, shifts=array("i", [0] * 4 + [30] + [0] * 7))
    trim(made, 10)
    assert made.samples.keys is not None
    assert len(made.samples) > 5


def test_long_lengths_in_a_setup_are_read() -> None:
    long = bytes([1 << 3 | 2, 0x80, 1]) + b"s" * 128
    assert b"s" * 128 in described(b"av01", PICTURE + box(b"av1C", bytes(4), long), is_video=True)
    deep = full(b"esds", b"\3\x80\x80\x80\x80" + bytes(9))
    with pytest.raises(Unsupported):
        described(b"mp4a", SOUND + deep, is_video=False)
