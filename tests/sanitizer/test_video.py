"""MP4 and MOV: what goes, what stays, and what is refused."""

import functools
import os
import struct
import subprocess
import sys
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
    Malformed,
    NotRead,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.source import FileSource, MemorySource
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, hashes, surprises
from tests.sanitizer.videos import KINDS, PLAIN, SOUNDS, STBL, count, edited, lavfi, sounding, stsd
from tests.support import boxes
from tests.support.boxes import box, find
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


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_video_keeps_its_pictures_and_sounds(kind: str) -> None:
    dirty = lavfi(*KINDS[kind], seconds=2)
    made = clean(dirty)
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    for secret in (b"Lavc", b"Lavf", b"x264", b"FFMP", b"VideoHandler", b"apl0"):
        assert secret not in made
    assert clean(made) == made


@pytest.mark.parametrize("kind", SOUNDS)
def test_every_kind_of_sound_keeps_what_is_heard(kind: str) -> None:
    dirty = sounding(*SOUNDS[kind])
    with MemorySource(dirty) as source:
        file = sanitize(source, Limits())
        made = b"".join(file.chunks())
    assert (file.media_type, file.extension) in {
        ("audio/mp4", "m4a"), ("video/quicktime", "mov"),
    }  # fmt: skip
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert not {word for word in (b"Lavc", b"Lavf", b"FFMP") if word in made}
    assert clean(made) == made


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


ONE_RUN = PLAIN[PLAIN.index(b"stsc") :][:24]
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
        lambda: edited(
            lambda d: struct.pack(">II", 0, 2) + d[8:] + box(b"s263", d[16:]), *STBL, b"stsd"
        ).replace(ONE_RUN, b"stsc\0\0\0\0\0\0\0\1" + ONE_RUN[12:20] + b"\0\0\0\3"),
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
    "no sizes in the only track": (
        lambda: edited(lambda _: bytes(12), *STBL, b"stsz").replace(b"soun", b"text"),
        Empty,
    ),
    "no timescale of the movie": (lambda: edited(count(0, 12), b"moov", b"mvhd"), Unsupported),
    "frames that are one and the same": (
        lambda: edited(lambda d: d[:4] + struct.pack(">II", 30_000_000, 20), *STBL, b"stsz"),
        Malformed,
    ),
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
def test_a_result_that_comes_frame_by_frame_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.mp4.assemble._ENOUGH", 1)
    assert hashes(clean(PLAIN), decoded=True) == hashes(PLAIN, decoded=True)


@pytest.mark.claim("C-META")
def test_a_cover_goes() -> None:
    picture = box(b"jpeg", bytes(6), b"\0\1", bytes(70))
    cover = boxes.track(9, b"vide", picture, 40, 20, CANARY)
    moov = find(PLAIN, b"moov")
    with_cover = PLAIN[: PLAIN.index(b"moov") - 4] + box(b"moov", moov, cover)
    made, facts = cleaned(with_cover)
    assert made == clean(PLAIN)
    assert "cover" in facts.removed


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_makes_a_video_crash_the_cleaner(data: st.DataObject) -> None:
    dirty = bytearray(data.draw(st.sampled_from([PLAIN, _fragmented()])))
    index = dirty.index(b"moov") - 4 if data.draw(st.booleans()) else 0
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(index, min(len(dirty), index + 3000) - 1))
        dirty[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        made = clean(bytes(dirty))
    except Refused:
        return
    assert clean(made) == made


@functools.cache
def _fragmented() -> bytes:
    return lavfi(*KINDS["fragments"], seconds=1)
