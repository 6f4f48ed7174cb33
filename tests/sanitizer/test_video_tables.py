"""The odd corners of an MP4's tables: fragments, edits, uncompressed sound, order."""

import struct
from array import array

import pytest

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.mp4 import fragments as mp4_fragments
from sanitizer.mp4 import order, tables
from sanitizer.mp4.boxes import TopBox, children
from sanitizer.mp4.edits import trim
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.model import Movie, Samples, Track
from sanitizer.mp4.tables import numbers
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes
from tests.sanitizer.videos import PLAIN, STBL, edited, lavfi, sounding
from tests.support import boxes
from tests.support.boxes import box, find, full
from tests.support.media import run_ffmpeg


def test_boxes_of_long_lengths_and_to_the_end_are_read() -> None:
    long = struct.pack(">I4sQ", 1, b"long", 19) + b"abc"
    assert list(children(long + b"\0\0\0\0rest123")) == [(b"long", b"abc"), (b"rest", b"123")]


def test_a_table_that_ends_inside_a_number_has_one_number_less() -> None:
    assert list(numbers("Q", memoryview(bytes(15)))) == [0]


def movie(**edits: object) -> Movie:
    track = Track(1, True, 1000, b"", b"", Entry(b"s263"), Samples(), **edits)  # type: ignore[arg-type]  # noqa: FBT003 - a plain record
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
    made.tracks.append(Track(2, False, 1000, b"", b"", Entry(b"mp4a"), Samples()))  # noqa: FBT003 - a plain record
    run = full(b"trun", struct.pack(">I", 1))
    late = full(b"tfdt", struct.pack(">I", 500))
    later = b"\1\0\0\0" + struct.pack(">Q", 800)
    read_fragments(
        made,
        moof(traf(1, full(b"tfdt", bytes(4)), run), traf(2, late, run)),
        moof(traf(1, box(b"tfdt", later), run)),
    )
    assert list(made.tracks[0].samples.durations) == [800, 40]
    assert made.tracks[1].edits[0] == (500, -1)


def test_a_fragment_may_say_everything_itself() -> None:
    made = movie()
    head = struct.pack(">IQIIII", 1, 5000, 1, 30, 7, 0x10000)
    run = full(b"trun", struct.pack(">IiIi", 1, 11, 6, -5), flags=0xA01)
    read_fragments(made, moof(box(b"traf", full(b"tfhd", head, flags=0x3B), run)))
    samples = made.tracks[0].samples
    assert (samples.sizes[0], samples.offsets[0], samples.durations[0]) == (6, 5011, 30)
    assert list(samples.shifts) == [-5]


def test_a_key_frame_shown_after_the_cut_is_not_the_one_to_begin_with() -> None:
    made = track(12, [(20, 50)], keys={0, 4}, shifts=array("i", [0] * 4 + [30] + [0] * 7))
    trim(made, 10)
    assert made.samples.keys is not None
    assert len(made.samples) > 5


# --- edits ---------------------------------------------------------------------------------------


def track(frames: int, edits: list[tuple[int, int]], **other: object) -> Track:
    samples = Samples(
        array("I", [9] * frames), array("Q", range(frames)), array("I", [10] * frames)
    )
    samples.keys = other.pop("keys", {0, 4, 8})  # type: ignore[assignment]
    samples.shifts = other.pop("shifts", array("i"))  # type: ignore[assignment]
    return Track(1, bool(other.get("is_video", True)), 10, b"", b"", Entry(b""), samples, edits)


@pytest.mark.parametrize(
    ("edits", "kept", "start"),
    [
        ([(50, 0)], 6, 0),
        ([(20, 60)], 5, 20),
        ([(20, -1), (20, 60)], 5, 20),
        ([(500, 0)], 12, 0),
        ([(20, 900)], 0, -1),
        ([], 12, None),
    ],
)
def test_edits_keep_what_is_shown_and_what_it_takes_to_decode_it(
    edits: list[tuple[int, int]], kept: int, start: int | None
) -> None:
    made = track(12, edits)
    assert bool(trim(made, 10) - {"cut_frames"}) == (kept != 12)
    assert len(made.samples) == kept
    assert [e[1] for e in made.edits][-1:] == ([] if start is None else [start])


def test_what_was_cut_out_of_the_middle_goes_too() -> None:
    made = track(30, [(20, 0), (10, -1), (30, 250), (5, 9999)], keys={0, 8, 20})
    assert trim(made, 10)
    assert list(made.samples.offsets) == [0, 1, 2, *range(20, 29)]
    assert made.samples.keys == {0, 3}
    assert [start for _, start in made.edits] == [0, -1, 250 - 170, -1]
    assert "hidden_frames" not in trim(made, 10)
    overlapping = track(12, [(50, 60), (50, 0)])
    assert "hidden_frames" not in trim(overlapping, 10)


def test_numbers_need_nothing_before_them() -> None:
    sound = track(12, [(20, 80)], is_video=False, keys=None)
    sound.entry = Entry(b"sowt", b"", 4)
    assert trim(sound, 10)
    assert len(sound.samples) == 3


def test_frames_shown_later_than_decoded_keep_an_earlier_key() -> None:
    made = track(12, [(30, 45)], shifts=array("i", [20] * 12))
    trim(made, 10)
    assert len(made.samples) == len(made.samples.shifts)
    assert made.samples.keys is not None
    assert 0 in made.samples.keys


def test_sound_keeps_a_few_packets_and_pictures_without_keys_none() -> None:
    sound = track(12, [(20, 80)], is_video=False, keys=None)
    trim(sound, 10)
    assert len(sound.samples) == 7
    pictures = track(12, [(20, 80)], keys=None)
    trim(pictures, 10)
    assert len(pictures.samples) == 3
    keyless = track(12, [(20, 80)], keys={11})
    trim(keyless, 10)
    assert len(keyless.samples) == 11


# --- uncompressed sound --------------------------------------------------------------------------

SOWT = Entry(b"sowt", b"", 4)
IMA4 = Entry(b"ima4", b"", 68, 64)


def stbl(
    size: int, times: tuple[int, ...], chunks: tuple[int, ...], places: tuple[int, ...]
) -> memoryview:
    """Return sample tables of sound whose units are all of one size."""
    total = sum(times[::2])
    made = b"".join(
        [
            full(b"stsz", struct.pack(">II", size, total)),
            full(b"stts", struct.pack(f">I{len(times)}I", len(times) // 2, *times)),
            full(b"stsc", struct.pack(f">I{len(chunks)}I", len(chunks) // 3, *chunks)),
            full(b"stco", struct.pack(f">I{len(places)}I", len(places), *places)),
        ]
    )
    return memoryview(made)


@pytest.mark.parametrize(
    ("entry", "size", "times", "chunks", "sizes"),
    [
        (SOWT, 4, (10_000, 1), (1, 5000, 1), [16384, 3616, 12768, 7232]),
        (SOWT, 1, (10_000, 1), (1, 5000, 1), [16384, 3616, 12768, 7232]),
        (SOWT, 8, (5000, 2), (1, 2500, 1), [16384, 3616, 12768, 7232]),
        (IMA4, 1, (640, 1), (1, 320, 1), [340, 340]),
    ],
    ids=["as they are", "as QuickTime counts", "two together", "IMA"],
)
def test_numbers_are_taken_up_in_blocks_on_a_grid(
    entry: Entry, size: int, times: tuple[int, ...], chunks: tuple[int, ...], sizes: list[int]
) -> None:
    table = stbl(size, times, chunks, (0, 70_000))
    made = tables.read(table, tables.counted(table, entry), 100, 1 << 20)
    assert list(made.sizes) == sizes
    assert made.offsets[0] == 0
    assert 70_000 in made.offsets


@pytest.mark.parametrize(
    ("entry", "size", "times", "chunks", "error"),
    [
        (SOWT, 3, (10, 1), (1, 10, 1), Unsupported),
        (SOWT, 4, (10, 2), (1, 10, 1), Unsupported),
        (SOWT, 4, (10, 1), (1, 9, 1), Malformed),
        (SOWT, 4, (1 << 30, 1), (1, 10, 1), Malformed),
        (SOWT, 4, (200_000, 1), (1, 200_000, 1), TooComplex),
        (IMA4, 1, (630, 1), (1, 630, 1), Malformed),
    ],
    ids=["odd", "slow", "too few", "too many", "too many blocks", "half a packet"],
)
def test_numbers_that_do_not_add_up_are_refused(
    entry: Entry,
    size: int,
    times: tuple[int, ...],
    chunks: tuple[int, ...],
    error: type[Exception],
) -> None:
    table = stbl(size, times, chunks, (0,))
    with pytest.raises(error):
        tables.read(table, entry, 10, 1 << 20)


def test_packets_that_are_counted_as_packets_have_no_unit() -> None:
    assert tables.counted(stbl(68, (9, 64), (1, 9, 1), (0,)), IMA4).unit == 0


def test_a_track_without_a_table_of_chunks_uses_no_description() -> None:
    assert tables.description_used(memoryview(b"")) is None
    assert tables.description_used(stbl(4, (9, 1), (1, 4, 1, 2, 5, 2), (0, 1))) is None
    assert tables.description_used(stbl(4, (9, 1), (1, 4, 2), (0,))) == 2


# --- order ---------------------------------------------------------------------------------------


def film(*tracks: tuple[list[int], list[int], list[int]]) -> Movie:
    made = Movie(1000)
    for offsets, sizes, lengths in tracks:
        samples = Samples(array("I", sizes), array("Q", offsets), array("I", lengths))
        made.tracks.append(Track(1, True, 10, b"", b"", Entry(b"s263"), samples))  # noqa: FBT003 - a plain record
    return made


def test_frames_come_in_order_of_time_wherever_they_lie() -> None:
    data = bytes(range(100))
    late_first = film(
        ([50, 40, 30, 20], [5] * 4, [3] * 4), ([0, 2, 50], [2, 2, 9], [5, 5, 5]), ([], [], [])
    )
    with MemorySource(data) as source:
        made = list(order.frames(source, late_first, 10))
    assert [place for place, _ in made] == [0, 0, 1, 0, 0, 1, 1]
    assert [frame[0] for _, frame in made] == [50, 40, 0, 30, 20, 2, 50]
    assert len(made[-1][1]) == 9


def test_a_frame_beyond_its_limit_is_not_read() -> None:
    with MemorySource(bytes(50)) as source, pytest.raises(TooComplex):
        list(order.frames(source, film(([0], [20], [1])), 19))


def test_long_stretches_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 8
    count = 200
    many = film((list(range(0, 10 * count, 10)), [10] * count, [0] * count))
    overlapping = film((list(range(count)), [50] * count, [0] * count))
    with MemorySource(data) as source:
        whole = [list(order.frames(source, made, 99)) for made in (many, overlapping)]
        for name, value in (("_RUN_BYTES", 40), ("_BATCH_BYTES", 100), ("_RUN_FRAMES", 7)):
            monkeypatch.setattr(f"sanitizer.mp4.order.{name}", value)
            assert [list(order.frames(source, made, 99)) for made in (many, overlapping)] == whole


# --- which tracks stay ---------------------------------------------------------------------------

INDEX = find(PLAIN, b"moov")
FRONT = PLAIN[: PLAIN.index(b"moov") - 4]


def with_track(trak: bytes, change: bytes = b"") -> bytes:
    return FRONT + box(b"moov", change or INDEX, trak)


def unknown(*, flags: int = 15, group: int = 0) -> bytes:
    """Return a track of a codec that nobody knows."""
    trak = boxes.track(9, b"soun", box(b"apac", bytes(28)), 40, 20, CANARY)
    head = trak.index(b"tkhd") + 4
    made = trak[:head] + struct.pack(">I", flags) + trak[head + 4 :]
    return made[: head + 34] + struct.pack(">H", group) + made[head + 36 :]


def grouped(number: int) -> bytes:
    """Return the index with its sound in a group of alternatives."""
    at = INDEX.rindex(b"tkhd") + 4
    place = at + (46 if INDEX[at] else 34)
    return INDEX[:place] + struct.pack(">H", number) + INDEX[place + 2 :]


def test_an_alternative_of_an_unknown_codec_goes_and_is_told() -> None:
    """As iPhones record: the same sound twice, once as nobody else can read it."""
    made, facts = cleaned(with_track(unknown(group=1), grouped(1)))
    assert "other_metadata" in facts.removed
    assert hashes(made) == hashes(clean(PLAIN))
    assert clean(with_track(unknown(flags=14))) == clean(PLAIN)
    for trak in (unknown(), unknown(group=2)):
        with pytest.raises(Unsupported):
            clean(with_track(trak, grouped(1)))


def test_two_sounds_that_are_alternatives_stay_so_unless_one_is_turned_off() -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=1")
    dirty = run_ffmpeg(*tone, *tone, "-map", "0", "-map", "1", "-c:a", "aac", "-f", "mp4")
    made, facts = cleaned(dirty)
    assert "hidden_frames" in facts.removed
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)[:1]
    at = dirty.rindex(b"tkhd") + 4
    dirty = dirty[: at + 3] + b"\3" + dirty[at + 4 :]
    made = clean(dirty)
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    flags = [content for kind, content in boxes.split(find(made, b"moov")) if kind == b"trak"]
    heads = [find(trak, b"tkhd") for trak in flags]
    assert [head[3] for head in heads] == [3, 3]
    assert [head[46:48] for head in heads] == [b"\0\1", b"\0\1"]


@pytest.mark.claim("C-META")
def test_chapters_go_be_they_words_or_pictures() -> None:
    named = box(b"tref", box(b"chap", struct.pack(">I", 9)))
    at = INDEX.index(b"trak") - 4
    (size,) = struct.unpack_from(">I", INDEX, at)
    index = INDEX[:at] + box(b"trak", named, INDEX[at + 8 : at + size]) + INDEX[at + size :]
    picture = box(b"avc1", bytes(6), b"\0\1", bytes(70))
    for handler in (b"vide", b"text"):
        made, facts = cleaned(with_track(boxes.track(9, handler, picture, 40, 20, CANARY), index))
        assert made == clean(PLAIN)
        assert "chapters" in facts.removed


def test_tracks_without_a_frame_go_and_the_others_stay() -> None:
    tone = boxes.track(9, b"soun", box(b".mp3", bytes(16), b"\0\2\0\x10", bytes(8)), 40, 20, b"")
    at = tone.index(b"stsz") + 12
    silent = tone[:at] + bytes(4) + tone[at + 4 :]
    at = silent.index(b"stts") + 8
    silent = silent[:at] + bytes(8) + silent[at + 8 :]
    assert clean(with_track(silent)) == clean(PLAIN)


def test_a_tone_that_is_cut_out_of_numbers_is_cut_exactly_enough() -> None:
    dirty = sounding("-c:a", "pcm_s16le", seconds=2)
    edit = find(dirty, b"moov", b"trak", b"edts", b"elst")
    half = edit[:8] + struct.pack(">I", 500) + edit[12:]
    made, facts = cleaned(dirty.replace(edit, half))
    assert "hidden_frames" in facts.removed
    assert len(made) < len(dirty) * 0.35
    assert clean(made) == made


def test_fragments_of_numbers_are_read() -> None:
    dirty = sounding("-c:a", "pcm_s16le", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov")
    made = clean(dirty)
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert clean(made) == made


def test_frames_that_are_longer_together_than_their_file_are_refused() -> None:
    repeated = edited(lambda d: d[:4] + struct.pack(">II", 30_000, 1 << 16), *STBL, b"stsz")
    with pytest.raises((TooComplex, Malformed)):
        clean(repeated)


def test_a_fragmented_film_has_no_description_in_use() -> None:
    dirty = lavfi("-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov", "-an", seconds=1)
    assert clean(dirty, Limits(video_samples=10))
