"""MP4 and MOV: what goes, what stays, and what is refused."""

import functools
import os
import struct
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.clean import sanitize
from sanitizer.errors import (
    AlreadyRead,
    Empty,
    Encrypted,
    JailUnavailable,
    Malformed,
    MetadataSurvived,
    NotRead,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.limits import Limits
from sanitizer.mp4 import entries as mp4_entries
from sanitizer.mp4 import feed as mp4_feed
from sanitizer.mp4 import read as mp4_read
from sanitizer.mp4.check import Checker, Expected
from sanitizer.mp4.check_index import Description, check_movie, ranges_of
from sanitizer.mp4.check_result import ResultChecker
from sanitizer.mp4.check_units import check_units
from sanitizer.mp4.edits import trim
from sanitizer.mp4.model import Samples, Track
from sanitizer.mp4.strips import for_codec
from sanitizer.mp4.video import arguments, without_user_data
from sanitizer.source import FileSource, MemorySource
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, hashes, surprises
from tests.support import boxes
from tests.support.boxes import box, find, full, split
from tests.support.media import GPS_TEXT, big_video, phone_video, plain_video, run_ffmpeg

CODECS = ["libx264", "libx265"]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("codec", CODECS)
def test_nothing_a_phone_writes_into_a_video_is_in_the_clean_one(codec: str) -> None:
    dirty = phone_video(CANARY, codec=codec)
    assert dirty.count(CANARY) >= 10
    assert GPS_TEXT[:8] in dirty
    made, facts = cleaned(dirty)
    for secret in (CANARY, GPS_TEXT[:8], b"x264", b"x265", b"Lavc", b"Lavf", b"mebx"):
        assert secret not in made
    assert {"gps", "capture_time", "camera_model", "location_track", "trailing_data"} <= set(
        facts.removed
    )
    assert facts.length == len(made)


@pytest.mark.claim("C-META")
@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
@pytest.mark.parametrize("codec", CODECS)
def test_exiftool_finds_nothing_but_the_pictures_in_a_clean_video(codec: str) -> None:
    dirty = phone_video(CANARY, codec=codec)
    assert len(surprises(dirty, ".mov")) > 5
    assert surprises(clean(dirty), ".mp4") == set()


@pytest.mark.parametrize("codec", CODECS)
def test_every_picture_and_sound_of_a_clean_video_is_the_same(codec: str) -> None:
    dirty = phone_video(CANARY, codec=codec)
    assert hashes(clean(dirty), decoded=True) == hashes(dirty, decoded=True)


def test_packets_without_messages_are_kept_bit_by_bit() -> None:
    plain = run_ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=160x120:rate=10:duration=2",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=2",
        "-c:v",
        "libx264",
        "-bsf:v",
        "filter_units=remove_types=6",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
    )
    assert hashes(clean(plain))[0] == hashes(plain)[0]


def test_a_video_taken_sideways_stays_turned() -> None:
    made = clean(phone_video(CANARY))
    header = find(made, b"moov", b"trak", b"tkhd")
    assert header[52:88] == boxes._SIDEWAYS


def test_cleaning_a_video_twice_changes_nothing() -> None:
    once = clean(phone_video(CANARY))
    again, facts = cleaned(once)
    assert again == once
    assert facts.removed == ()


def lavfi(*options: str, sound: bool = True, seconds: int = 3) -> bytes:
    tone = ["-f", "lavfi", "-i", f"sine=duration={seconds}"] if sound else []
    picture = ["-f", "lavfi", "-i", f"testsrc=size=160x120:rate=10:duration={seconds}"]
    return run_ffmpeg(*picture, *tone, "-pix_fmt", "yuv420p", *options)


KINDS: dict[str, tuple[str, ...]] = {
    "MPEG-4 and AAC": ("-c:v", "mpeg4", "-c:a", "aac"),
    "H.264 and MP3": ("-c:v", "libx264", "-c:a", "libmp3lame", "-f", "mp4"),
    "AV1 and Opus": ("-c:v", "libsvtav1", "-c:a", "libopus", "-f", "mp4"),
    "VP9 and AC-3": ("-c:v", "libvpx-vp9", "-c:a", "ac3", "-f", "mp4"),
    "H.264 and ALAC": ("-c:v", "libx264", "-c:a", "alac", "-bf", "3"),
    "H.264 and E-AC-3": ("-c:v", "libx264", "-c:a", "eac3", "-f", "mp4"),
    "H.263 and AMR": (
        "-c:v",
        "h263",
        "-s",
        "176x144",
        "-ar",
        "8000",
        "-c:a",
        "libopencore_amrnb",
        "-f",
        "3gp",
    ),
    "fragments": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "fragments with edits": (
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-g",
        "10",
        "-movflags",
        "frag_keyframe+delay_moov",
    ),
    "fragments of DASH": (
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-g",
        "10",
        "-movflags",
        "dash+delay_moov",
        "-f",
        "mp4",
    ),
    "fragments with places of their own": (
        "-c:v",
        "libx264",
        "-g",
        "10",
        "-movflags",
        "frag_keyframe",
    ),
    "index first": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "faststart"),
    "colours and aspect": (
        "-c:v",
        "libx264",
        "-aspect",
        "2:1",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-movflags",
        "write_colr",
    ),
    "other colours": (
        "-c:v",
        "libx264",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-movflags",
        "write_colr",
        "-f",
        "mp4",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_video_keeps_its_pictures_and_sounds(kind: str) -> None:
    dirty = lavfi(*KINDS[kind])
    made = clean(dirty)
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    for secret in (b"Lavc", b"Lavf", b"x264", b"FFMP", b"VideoHandler"):
        assert secret not in made


def test_what_was_cut_out_of_a_video_does_not_travel_in_it(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mov"
    whole.write_bytes(plain_video(6))
    cut = run_ffmpeg("-ss", "2.75", "-i", str(whole), "-t", "2", "-c", "copy")
    dirty = cut
    made, facts = cleaned(dirty)
    assert "hidden_frames" in facts.removed
    assert len(made) < len(dirty)
    assert hashes(made, decoded=True)[0] == hashes(dirty, decoded=True)[0]


@pytest.mark.claim("C-MEMORY")
def test_a_long_video_is_cleaned_in_flat_memory(tmp_path: Path) -> None:
    """The peak of a fresh process may not grow by more than 64 MB for a large video."""
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom sanitizer.clean import sanitize\n"
        "from sanitizer.limits import Limits\nfrom sanitizer.source import FileSource\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "n = sum(len(c) for c in sanitize(FileSource(Path(sys.argv[1])), Limits()).chunks())\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    path = tmp_path / "big.mov"
    size = big_video(path, 200_000_000)
    assert path.stat().st_size == size
    made = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    length, grown = map(int, made.stdout.split())
    assert length > 190_000_000
    assert grown < 64 * 1024


def test_a_big_video_can_be_written_into_a_descriptor() -> None:
    descriptor = os.memfd_create("big")
    try:
        assert big_video(descriptor, 1_000_000) == os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def test_a_clean_file_streams_once_and_has_no_facts_before_its_end() -> None:
    with MemorySource(plain_video()) as source:
        file = sanitize(source, Limits())
        with pytest.raises(NotRead):
            _ = file.facts
        list(file.chunks())
        assert file.facts.length > 0
        with pytest.raises(AlreadyRead):
            file.chunks()


def test_a_file_can_be_read_from_a_disk(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcdef")
    with FileSource(path) as source:
        assert source.length == 6
        assert source.read_at(4, 10) == b"ef"
        assert source.read_at(9, 1) == b""


PLAIN = plain_video()


def edited(change: Callable[[bytes], bytes], *path: bytes) -> bytes:
    """Return the plain video with one box's content changed (index last, so places hold)."""
    *outer, kind = path
    made = b""
    for name, content in split(PLAIN):
        made += (
            box(name, _edit(content, change, outer[1:], kind))
            if name == b"moov"
            else box(name, content)
        )
    return made


def _edit(data: bytes, change: Callable[[bytes], bytes], outer: list[bytes], kind: bytes) -> bytes:
    made, done = b"", False
    for name, content in split(data):
        if not done and ((outer and name == outer[0]) or (not outer and name == kind)):
            done = True
            new = _edit(content, change, outer[1:], kind) if outer else change(content)
            made += box(name, new)
        else:
            made += box(name, content)
    return made


STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
ENTRY = 16


def stsd(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">II", 0, 1) + box(kind, content or bytes(100))


def count(number: int, at: int = 4) -> Callable[[bytes], bytes]:
    return lambda d: d[:at] + struct.pack(">I", number) + d[at + 4 :]


BROKEN: dict[str, tuple[Callable[[], bytes], type[Refused]]] = {
    "cut in its data": (lambda: PLAIN[: len(PLAIN) // 2], Malformed),
    "no index": (lambda: PLAIN[: PLAIN.index(b"moov") - 4], Malformed),
    "two indexes": (lambda: PLAIN + PLAIN[PLAIN.index(b"moov") - 4 :], Malformed),
    "frames beyond the end": (
        lambda: edited(lambda d: d, *STBL, b"stsd")[28 + 8 :].join([box(b"ftyp", bytes(8)), b""]),
        Malformed,
    ),
    "a compressed index": (
        lambda: edited(lambda _: b"", b"moov", b"mvhd").replace(b"mvhd", b"cmov"),
        Unsupported,
    ),
    "no movie header": (lambda: PLAIN.replace(b"mvhd", b"free"), Malformed),
    "no timescale": (lambda: edited(count(0, 12), b"moov", b"trak", b"mdia", b"mdhd"), Malformed),
    "a short track header": (
        lambda: edited(lambda d: d[:60], b"moov", b"trak", b"tkhd"),
        Malformed,
    ),
    "frames in another file": (
        lambda: edited(
            lambda d: d[:-1] + b"\0", b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"
        ),
        Unsupported,
    ),
    "locked": (lambda: edited(lambda _: stsd(b"encv"), *STBL, b"stsd"), Encrypted),
    "locked inside": (
        lambda: edited(lambda _: stsd(b"avc1", bytes(78) + box(b"sinf")), *STBL, b"stsd"),
        Encrypted,
    ),
    "an unknown codec": (lambda: edited(lambda _: stsd(b"zzzz"), *STBL, b"stsd"), Unsupported),
    "a broken description": (
        lambda: edited(lambda _: stsd(b"avc1", bytes(78) + b"\0\0\0\x50xxxx"), *STBL, b"stsd"),
        Malformed,
    ),
    "no description": (lambda: edited(lambda _: bytes(8), *STBL, b"stsd"), Malformed),
    "two descriptions": (
        lambda: edited(lambda d: d[:7] + b"\2" + d[8:] + box(b"avc1", bytes(99)), *STBL, b"stsd"),
        Unsupported,
    ),
    "no size": (lambda: edited(lambda d: d[:40] + bytes(4) + d[44:], *STBL, b"stsd"), Malformed),
    "more frames than the limit": (lambda: edited(count(1 << 31, 8), *STBL, b"stsz"), TooComplex),
    "more sizes than there are": (lambda: edited(count(21, 8), *STBL, b"stsz"), Malformed),
    "more times than there are": (lambda: edited(count(2), *STBL, b"stts"), Malformed),
    "fewer times than frames": (
        lambda: edited(lambda d: d[:8] + struct.pack(">I", 5) + d[12:], *STBL, b"stts"),
        Malformed,
    ),
    "no places": (lambda: edited(count(0), *STBL, b"stsc"), Malformed),
    "fewer places than frames": (lambda: edited(count(1), *STBL, b"stco"), Malformed),
    "a box beyond its own": (
        lambda: edited(lambda _: b"\0\0\xff\xffxxxx", b"moov", b"mvhd").replace(b"mvhd", b"mvex"),
        Malformed,
    ),
    "a long edit list": (
        lambda: edited(lambda d: d[:8] + b"\0\0\0\0\0\x40\0\0" + d[16:], b"moov", b"trak", b"edts"),
        Malformed,
    ),
    "a place beyond the end": (
        lambda: edited(lambda d: d[:8] + b"\x7f\xff\xff\xff" + d[12:], *STBL, b"stco"),
        Malformed,
    ),
    "frames of the wrong length": (
        lambda: edited(lambda d: d[:12] + struct.pack(">I", 7) + d[16:], *STBL, b"stsz"),
        Refused,
    ),
    "no frames": (lambda: edited(lambda _: bytes(12), *STBL, b"stsz"), Empty),
    "nothing but sound": (lambda: PLAIN.replace(b"vide", b"text"), Unsupported),
    "neither pictures nor sound": (
        lambda: PLAIN.replace(b"vide", b"text").replace(b"soun", b"text"),
        Unsupported,
    ),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_or_locked_video_is_refused_with_its_reason(damage: str) -> None:
    make, error = BROKEN[damage]
    with pytest.raises(error):
        clean(make())


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(file_bytes=1000), TooLarge),
        (Limits(video_boxes=2), TooComplex),
        (Limits(moov_bytes=100), TooComplex),
        (Limits(video_tracks=1), TooComplex),
        (Limits(output_slack_bytes=-20000), TooLarge),
    ],
)
def test_a_video_beyond_a_limit_is_refused(limits: Limits, error: type[Refused]) -> None:
    with pytest.raises(error):
        clean(PLAIN, limits)


def test_fragments_beyond_a_limit_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(lavfi(*KINDS["fragments"]), Limits(video_samples=10))


def test_a_fragment_that_is_longer_than_its_box_is_refused() -> None:
    data = lavfi(*KINDS["fragments"])
    at = data.index(b"trun") + 8
    with pytest.raises(Malformed):
        clean(data[:at] + b"\0\xff\xff\xff" + data[at + 4 :])


def test_a_deeply_nested_index_is_refused_at_once() -> None:
    data = b""
    for _ in range(3000):
        data = box(b"moov", data)
    with pytest.raises(Malformed):
        clean(box(b"ftyp", b"isom\0\0\0\0") + data)


@pytest.mark.parametrize(
    "extra",
    [
        box(b"skip", CANARY),
        box(b"free", CANARY),
        box(b"uuid", CANARY),
        box(b"sefd", CANARY),
        box(b"wide"),
        CANARY,
        struct.pack(">I4sQ", 1, b"free", 16 + len(CANARY)) + CANARY,
        b"\0\0\0\0free" + CANARY,
        box(b"free", bytes(9)),
        b"\0\0\0\1",
        b"\0\0\0\2free1234",
    ],
    ids=[
        "skip",
        "free",
        "uuid",
        "sefd",
        "wide",
        "no box",
        "long",
        "to the end",
        "empty",
        "half a header",
        "too short",
    ],
)
@pytest.mark.claim("C-META")
def test_what_stands_behind_the_last_box_of_a_video_goes(extra: bytes) -> None:
    assert clean(PLAIN + extra) == clean(PLAIN)


@pytest.mark.claim("C-META")
def test_a_cover_goes_and_a_film_of_pictures_is_refused() -> None:
    picture = box(b"jpeg", bytes(6), b"\0\1", bytes(70))
    cover = boxes.track(9, b"vide", picture, 40, 20, CANARY)
    moov = find(PLAIN, b"moov")
    with_cover = PLAIN[: PLAIN.index(b"moov") - 4] + box(b"moov", moov, cover)
    made, facts = cleaned(with_cover)
    assert made == clean(PLAIN)
    assert "cover" in facts.removed
    with pytest.raises(Unsupported):
        clean(lavfi("-c:v", "mjpeg", "-c:a", "aac"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_makes_a_video_crash_the_cleaner(data: st.DataObject) -> None:
    dirty = bytearray(data.draw(st.sampled_from([PLAIN, _fragmented()])))
    index = dirty.index(b"moov") - 4 if data.draw(st.booleans()) else 0
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(index, min(len(dirty), index + 3000) - 1))
        dirty[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        clean(bytes(dirty), jail=Shut())  # type: ignore[arg-type]
    except Refused:
        return


class Shut:
    """A jail that runs nothing: what comes before it is tried."""

    def run(self, *_: object) -> object:
        """Run nothing."""
        raise JailUnavailable


@functools.cache
def _fragmented() -> bytes:
    return lavfi(*KINDS["fragments"], seconds=1)


# --- the second reader ---------------------------------------------------------------------


class Nobody:
    """Takes frames and forgets them."""

    def frame(self, track: int, description: Description, data: bytes) -> None:
        """Forget."""


def fragments() -> bytes:
    """Return what ffmpeg hands to the checker: a clean video in fragments."""
    with MemorySource(PLAIN) as source:
        movie = mp4_read.read(source, Limits())
        feed = mp4_feed.stream(source, movie)
        made = ffmpeg_jail().run(arguments(movie), feed, Limits(), 1 << 24)
        return b"".join(without_user_data(made))


FRAGMENTS = fragments()
TWO = [
    Expected(is_video=True, frames=20, seconds=2.0),
    Expected(is_video=False, frames=88, seconds=2.04),
]


def judge(data: bytes, expected: list[Expected] = TWO, step: int = 5000) -> None:
    checker = Checker(expected, Nobody())
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    checker.finish()


def test_the_second_reader_agrees_with_a_whole_video() -> None:
    judge(FRAGMENTS)
    judge(FRAGMENTS[: FRAGMENTS.index(b"moof") - 4] + FRAGMENTS[FRAGMENTS.index(b"moof") - 4 :])


def moov_edit(old: bytes, new: bytes) -> Callable[[], bytes]:
    def change() -> bytes:
        assert old in FRAGMENTS
        return FRAGMENTS.replace(old, new, 1)

    return change


MOOF = FRAGMENTS.index(b"moof") - 4
LIES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no frames": lambda: FRAGMENTS[:MOOF],
    "cut": lambda: FRAGMENTS[:-10],
    "an unknown box at the top": lambda: FRAGMENTS[:MOOF] + box(b"free", CANARY) + FRAGMENTS[MOOF:],
    "an impossible length": lambda: (
        FRAGMENTS[:MOOF] + b"\0\0\0\1free" + bytes(8) + FRAGMENTS[MOOF:]
    ),
    "data before its fragment": lambda: FRAGMENTS[:MOOF] + box(b"mdat", CANARY) + FRAGMENTS[MOOF:],
    "data of a long box that nobody owns": lambda: (
        FRAGMENTS[:MOOF] + struct.pack(">I4sQ", 1, b"mdat", 50) + bytes(34)
    ),
    "another type": lambda: FRAGMENTS[4:].join([b"\0\0\0\x48", b""]),
    "a time": moov_edit(b"mvhd\0\0\0\0\0\0\0\0", b"mvhd\0\0\0\0\0\0\0\1"),
    "a language": moov_edit(b"\x55\xc4\0\0", b"\x15\xc7\0\0"),
    "a name": moov_edit(b"vide\0\0\0\0\0\0\0\0\0\0\0\0\0", b"vide\0\0\0\0\0\0\0\0\0\0\0\0X"),
    "another handler": moov_edit(b"soun\0", b"meta\0"),
    "a compressor": moov_edit(
        b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\1\0", b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\1\1"
    ),
    "a vendor of sound": moov_edit(b"mp4a\0\0\0\0\0\0\0\1\0\0\0\0", b"mp4a\0\0\0\0\0\0\0\1CANA"),
    "an unknown box in a track": moov_edit(b"smhd", b"sXhd"),
    "another place for frames": moov_edit(b"url \0\0\0\1", b"url \0\0\0\0"),
    "an unknown setup": moov_edit(b"esds", b"eXds"),
    "no setup": moov_edit(b"avcC", b"pasp"),
    "a row too many": moov_edit(b"stts\0\0\0\0\0\0\0\0", b"stts\0\0\0\0\0\0\0\1"),
    "a fragment's unknown box": moov_edit(b"mfhd", b"mXhd"),
    "an unknown box in a fragment": moov_edit(b"tfdt", b"tXdt"),
    "a fragment of an unknown track": moov_edit(
        b"tfhd\0\x02\0\x38\0\0\0\1", b"tfhd\0\x02\0\x38\0\0\0\7"
    ),
    "a fragment of another kind": moov_edit(b"tfhd\0\x02\0\x38", b"tfhd\0\0\0\x38"),
    "a run of another kind": lambda: (
        FRAGMENTS[: FRAGMENTS.index(b"trun") + 5]
        + b"\x01"
        + FRAGMENTS[FRAGMENTS.index(b"trun") + 6 :]
    ),
    "a broken box": lambda: FRAGMENTS[: MOOF + 8] + b"\xff\xff" + FRAGMENTS[MOOF + 10 :],
    "a broken box of the index": moov_edit(b"\0\0\0\x14vmhd", b"\0\0\xff\x14vmhd"),
    "half a box in the index": moov_edit(b"\0\0\0\x14vmhd", b"\0\0\0\x11vmhd"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("lie", LIES)
def test_the_second_reader_notices_what_ffmpeg_would_have_left(lie: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(LIES[lie]())


@pytest.mark.parametrize(
    "expected",
    [
        TWO[:1],
        TWO[::-1],
        [Expected(is_video=True, frames=21, seconds=2.0), TWO[1]],
        [Expected(is_video=True, frames=20, seconds=9.0), TWO[1]],
    ],
    ids=["a track", "the order", "a frame", "the length"],
)
def test_a_lost_track_frame_or_second_is_an_error_never_a_result(expected: list[Expected]) -> None:
    with pytest.raises(MetadataSurvived):
        judge(FRAGMENTS, expected)


def test_a_frame_of_an_impossible_length_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.mp4.check._MAX_SAMPLE", 10)
    with pytest.raises(MetadataSurvived):
        judge(FRAGMENTS)


@pytest.mark.parametrize("made", [[b""], [bytes(100)], [b"\0\0\0\x10free" + bytes(8)] * 3])
def test_an_answer_without_an_index_is_no_answer(made: list[bytes]) -> None:
    with pytest.raises(MetadataSurvived):
        list(without_user_data(iter(made)))


def test_an_endless_answer_without_an_index_is_not_waited_for() -> None:
    with pytest.raises(MetadataSurvived):
        list(without_user_data(iter([bytes(3 << 20)] * 9)))


RESULT = clean(PLAIN)
AT = RESULT.rindex(b"moov") - 4
FIRST_ROW = RESULT[RESULT.index(b"stsc", AT) :][:24]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"x" * 40,
        RESULT[:-1],
        RESULT + b"x",
        RESULT[:AT],
        RESULT[: AT - 3],
        RESULT[:AT] + struct.pack(">I4sQ", 1, b"mdat", 20) + CANARY[:4] + RESULT[AT:],
        RESULT[:AT] + struct.pack(">I4sQ", 1, b"free", 20) + CANARY[:4] + RESULT[AT:],
        RESULT[:AT] + RESULT[AT:].replace(b"stsz\0\0\0\0\0\0\0\0", b"stsz\0\0\0\0\0\0\0\1", 1),
        RESULT[:AT] + RESULT[AT:].replace(b"stsc", b"stss", 1),
        RESULT[:AT] + RESULT[AT:].replace(FIRST_ROW, FIRST_ROW[:-5] + b"\x7f" + FIRST_ROW[-4:], 1),
    ],
    ids=[
        "nothing",
        "another type",
        "cut",
        "more",
        "no index",
        "cut in its data",
        "data nobody owns",
        "an unknown box",
        "one size for all",
        "no table of chunks",
        "another table of chunks",
    ],
)
def test_the_last_reader_notices_a_byte_that_nobody_owns(lie: bytes) -> None:
    if lie == RESULT:
        pytest.fail("the lie changed nothing")
    with pytest.raises(MetadataSurvived):
        read_again(lie)


def read_again(made: bytes) -> None:
    checker = ResultChecker()
    for at in range(0, len(made), 700):
        checker.feed(made[at : at + 700])
    checker.finish()


def test_the_last_reader_stops_at_an_index_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.mp4.check_result._MAX_INDEX", 1000)
    checker = ResultChecker()
    with pytest.raises(MetadataSurvived):
        checker.feed(RESULT)


# --- units -----------------------------------------------------------------------------------


def nal(kind: int, body: bytes = b"\x80" * 5) -> bytes:
    return struct.pack(">I", len(body) + 1) + bytes([kind]) + body


def nal_hevc(kind: int, body: bytes = b"\1\x80" * 3) -> bytes:
    return struct.pack(">I", len(body) + 1) + bytes([kind << 1]) + body


def obu(kind: int, body: bytes = b"abc", *, extended: bool = False) -> bytes:
    return bytes([kind << 3 | 2 | 4 * extended]) + b"\0" * extended + bytes([len(body)]) + body


AVC_ENTRY = box(b"avc1", bytes(78), box(b"avcC", b"\1\x42\0\x1e\xff\xe0\0"))
HEVC_ENTRY = box(b"hvc1", bytes(78), box(b"hvcC", bytes(21) + b"\3\0"))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [0, 6, 12, 13, 14, 15, 19, 22, 30, 31])
def test_a_message_in_h264_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = for_codec(b"avc1", AVC_ENTRY)
    assert strip is not None
    frame = nal(9) + nal(kind, CANARY) + nal(5) + nal(kind, CANARY)
    assert strip(frame) == nal(9) + nal(5)
    description = Description(is_video=True, codec=b"avc1", timescale=1, nal_length=4)
    check_units(description, strip(frame))
    with pytest.raises(MetadataSurvived):
        check_units(description, frame)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [10, 38, 39, 40, 41, 48, 62, 63])
def test_a_message_in_hevc_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = for_codec(b"hvc1", HEVC_ENTRY)
    assert strip is not None
    frame = nal_hevc(kind, CANARY) + nal_hevc(19)
    assert strip(frame) == nal_hevc(19)
    description = Description(is_video=True, codec=b"hvc1", timescale=1, nal_length=4)
    check_units(description, strip(frame))
    with pytest.raises(MetadataSurvived):
        check_units(description, frame)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [2, 5, 8, 15])
def test_a_message_in_av1_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = for_codec(b"av01", b"")
    assert strip is not None
    last = bytes([6 << 3]) + b"rest"
    frame = obu(1, b"x" * 2) + obu(kind, CANARY) + obu(6, b"y" * 3, extended=True) + last
    kept = strip(frame)
    assert CANARY not in kept
    description = Description(is_video=True, codec=b"av01", timescale=1)
    check_units(description, kept)
    with pytest.raises(MetadataSurvived):
        check_units(description, frame)


def test_units_that_do_not_add_up_are_refused() -> None:
    avc, av1 = for_codec(b"avc1", AVC_ENTRY), for_codec(b"av01", b"")
    assert avc is not None
    assert av1 is not None
    for frame in (nal(5)[:-1], b"\0\0\0\0", b"\0\0\0"):
        with pytest.raises(Malformed):
            avc(frame)
        with pytest.raises(MetadataSurvived):
            check_units(Description(is_video=True, codec=b"avc1", timescale=1, nal_length=4), frame)
    for frame in (obu(6)[:-1], b"\x32", b"\x32" + b"\xff" * 9):
        with pytest.raises(Malformed):
            av1(frame)
        with pytest.raises(MetadataSurvived):
            check_units(Description(is_video=True, codec=b"av01", timescale=1), frame + b"\xff" * 0)


def test_a_signature_in_mpeg4_is_noticed() -> None:
    description = Description(is_video=True, codec=b"mp4v", timescale=1)
    check_units(description, b"\0\0\1\xb6picture")
    with pytest.raises(MetadataSurvived):
        check_units(description, b"\0\0\1\xb2XviD0046")


# --- descriptions ------------------------------------------------------------------------------


def described(kind: bytes, content: bytes, *, is_video: bool) -> bytes:
    return mp4_entries.canonical(stsd(kind, content), is_video=is_video)[1]


PICTURE = bytes(24) + b"\0\x10\0\x10" + bytes(50)
SOUND = bytes(16) + b"\0\2\0\x10" + bytes(8)
SETUP = b"\1\x42\0\x1e\xff\xe1\0\3\x67ab\1\0\2\x68c"


def esds(object_type: int, setup: bytes, flags: int = 0, extra: bytes = b"") -> bytes:
    config = (
        bytes([4, 13 + 2 + len(setup), object_type]) + bytes(12) + bytes([5, len(setup)]) + setup
    )
    inner = b"\0\1" + bytes([flags]) + extra + config + b"\6\1\2"
    return full(b"esds", bytes([3, len(inner)]) + inner)


@pytest.mark.claim("C-META")
def test_bytes_behind_the_parameter_sets_do_not_come_along() -> None:
    made = described(b"avc1", PICTURE + box(b"avcC", SETUP + CANARY), is_video=True)
    assert made.endswith(SETUP)
    other = SETUP.replace(b"\x67ab", b"\x66ab")
    assert b"\x66ab" not in described(b"avc1", PICTURE + box(b"avcC", other), is_video=True)
    with pytest.raises(Malformed):
        described(b"avc1", PICTURE + box(b"avcC", SETUP[:-1]), is_video=True)


@pytest.mark.claim("C-META")
def test_messages_in_the_setup_of_hevc_and_av1_do_not_come_along() -> None:
    array_ = (
        struct.pack(">BHH", 0xA0, 1, 3)
        + b"\x40\1x"
        + struct.pack(">BHH", 0xA7, 1, len(CANARY))
        + CANARY
    )
    made = described(b"hvc1", PICTURE + box(b"hvcC", bytes(22) + b"\2" + array_), is_video=True)
    assert CANARY not in made
    assert b"\x40\1x" in made
    units = obu(1, b"sequence") + obu(5, CANARY) + obu(15, b"", extended=True)
    made = described(b"av01", PICTURE + box(b"av1C", b"\x81\0\0\0", units), is_video=True)
    assert CANARY not in made
    assert b"sequence" in made


@pytest.mark.parametrize("flags", [(0, b""), (0x80, b"\0\0"), (0x40, b"\2ab"), (0x20, b"\0\0")])
def test_a_sound_setup_is_read_in_each_of_its_forms(flags: tuple[int, bytes]) -> None:
    made = described(b"mp4a", SOUND + esds(0x40, b"\x12\x10" + CANARY, *flags), is_video=False)
    assert b"\x12\x10" in made
    assert CANARY[:7] not in made


def test_quicktime_sounds_are_read_in_each_of_their_versions() -> None:
    inner = box(b"wave", box(b"frma", b"mp4a"), esds(0x40, b"\x12\x10"))
    for version, extra in ((1, bytes(16)), (2, struct.pack(">12xI20x", 2))):
        head = SOUND[:8] + struct.pack(">H", version) + SOUND[10:]
        made = described(b"mp4a", head + extra + inner, is_video=False)
        assert made[8 + 16 : 8 + 18] == b"\0\2"
        assert b"wave" not in made
    with pytest.raises(Malformed):
        described(b"mp4a", SOUND[:8] + b"\0\7" + SOUND[10:] + inner, is_video=False)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"mp4a", SOUND + esds(0xDD, b"\x12\x10")),
        (b"mp4a", SOUND + esds(0x40, b"\x12")),
        (b"mp4a", SOUND + esds(0x40, b"\x12\x00")),
        (b"mp4v", PICTURE + esds(0x6A, b"")),
        (b"ac-3", SOUND + box(b"dac3", b"too long")),
    ],
    ids=[
        "another codec",
        "a short setup",
        "a layout with a comment",
        "another MPEG",
        "a long setup",
    ],
)
def test_a_setup_that_cannot_be_understood_is_refused(kind: bytes, content: bytes) -> None:
    with pytest.raises(Unsupported):
        described(kind, content, is_video=kind == b"mp4v")


def test_other_codecs_are_described_by_their_numbers_alone() -> None:
    assert described(b"mp4a", SOUND + esds(0x6B, CANARY), is_video=False).count(CANARY) == 0
    assert described(b"mp4a", SOUND + esds(0x40, b"\xf9\x00"), is_video=False)
    made = described(b"samr", SOUND + box(b"damr", b"CANA\1\2\3\4\5"), is_video=False)
    assert b"CANA" not in made
    assert described(b"s263", PICTURE, is_video=True)
    assert described(b".mp3", SOUND, is_video=False)
    coloured = (
        PICTURE
        + box(b"d263", b"CANA\1\2\3")
        + box(b"pasp", b"CANARY")
        + box(b"colr", b"prof" + CANARY)
    )
    assert b"CANA" not in described(b"s263", coloured, is_video=True)
    nclc = PICTURE + box(b"colr", b"nclc\0\1\0\1\0\1") + box(b"pasp", struct.pack(">II", 1, 0))
    assert b"nclx\0\1\0\1\0\1\0" in described(b"s263", nclc, is_video=True)


# --- the index of a result -----------------------------------------------------------------------


def test_an_index_is_checked_to_its_last_row() -> None:
    index = find(RESULT, b"moov")
    assert len(list(ranges_of(index))) >= 2
    assert len(check_movie(index)) == 2


# --- edits ---------------------------------------------------------------------------------------


def track(frames: int, edits: list[tuple[int, int, int]], **other: object) -> Track:
    samples = Samples(
        array("I", [9] * frames), array("Q", range(frames)), array("I", [10] * frames)
    )
    samples.keys = other.pop("keys", {0, 4, 8})  # type: ignore[assignment]
    samples.shifts = other.pop("shifts", array("i"))  # type: ignore[assignment]
    return Track(1, bool(other.get("is_video", True)), 10, b"", b"", b"", b"", samples, edits)


ONE = 1 << 16


@pytest.mark.parametrize(
    ("edits", "kept", "start"),
    [
        ([(50, 0, ONE)], 6, 0),
        ([(20, 60, ONE)], 5, 20),
        ([(20, -1, ONE), (20, 60, ONE)], 5, 20),
        ([(500, 0, ONE)], 12, 0),
        ([(20, 60, 2 * ONE)], 12, 60),
        ([(20, 900, ONE)], 12, 900),
        ([], 12, None),
    ],
)
def test_edits_keep_what_is_shown_and_what_it_takes_to_decode_it(
    edits: list[tuple[int, int, int]], kept: int, start: int | None
) -> None:
    made = track(12, edits)
    assert trim(made, 10) == (kept != 12)
    assert len(made.samples) == kept
    assert [e[1] for e in made.edits][-1:] == ([] if start is None else [start])


def test_frames_shown_later_than_decoded_keep_an_earlier_key() -> None:
    made = track(12, [(30, 45, ONE)], shifts=array("i", [20] * 12))
    trim(made, 10)
    assert len(made.samples) == len(made.samples.shifts)
    assert made.samples.keys is not None
    assert 0 in made.samples.keys


def test_sound_keeps_a_few_packets_and_pictures_without_keys_none() -> None:
    sound = track(12, [(20, 80, ONE)], is_video=False, keys=None)
    trim(sound, 10)
    assert len(sound.samples) == 7
    pictures = track(12, [(20, 80, ONE)], keys=None)
    trim(pictures, 10)
    assert len(pictures.samples) == 3
    keyless = track(12, [(20, 80, ONE)], keys={11})
    trim(keyless, 10)
    assert len(keyless.samples) == 11


def test_a_packet_of_sound_loses_what_it_says_before_it_sounds() -> None:
    entry = box(b"mp4a", bytes(28), mp4_entries._esds(0x40, 0x15, b"\x12\x10"))
    strip = for_codec(b"mp4a", entry)
    assert strip is not None
    said = int.from_bytes(CANARY, "big")
    fill = "110" + f"{len(CANARY):04b}" + f"{said:0{8 * len(CANARY)}b}"
    longer = "110" + "1111" + f"{len(CANARY) * 2 - 14:08b}" + f"{said:0{8 * len(CANARY)}b}" * 2
    data = "100" + "00000" + f"{len(CANARY):08b}" + f"{said:0{8 * len(CANARY)}b}"
    aligned = "100" + "00001" + f"{255:08b}" + f"{0:08b}" + "01" * 255 * 4
    sound = "001" + "1011" * 20
    sounding = "110" + "0001" + "1101" + "1111"
    for element in (fill, longer, data, aligned):
        text = element + sounding + sound
        packet = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
        made = strip(packet)
        left = f"{int.from_bytes(made, 'big'):0{8 * len(made)}b}"
        assert len(made) == len(packet)
        assert left.rstrip("0").endswith((sounding + sound).rstrip("0"))
        assert left.count("1") < text.count("1") - 20
    assert strip(b"") == b""
    assert strip(b"\x21sound") == b"\x21sound"
    with pytest.raises(Malformed):
        strip(b"\xdf\xff")
    assert for_codec(b"samr", b"") is None
