"""Matroska and WebM: what goes, what stays."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from sanitizer.clean import sanitize
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, hashes, surprises
from tests.support import ebml
from tests.support.ebml import (
    AUDIO,
    CLUSTER,
    CUES,
    ENTRY,
    INFO,
    SEEK_HEAD,
    SEGMENT,
    TIMESTAMP,
    TRACKS,
    VIDEO,
    edited,
    el,
    find,
    real,
    swap,
    times,
    uint,
    unsized,
    value,
)

PICTURES = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=2", "-pix_fmt", "yuv420p")
TONE = ("-f", "lavfi", "-i", "sine=duration=2")
BOTH = (*PICTURES[:4], *TONE, *PICTURES[4:])
QUICK = ("-deadline", "realtime", "-cpu-used", "8")
X265 = ("-c:v", "libx265", "-x265-params", "log-level=none")
HDR = (
    *("-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "smpte2084"),
    *("-colorspace", "bt2020nc", "-color_range", "tv"),
)


def webm(*options: str) -> bytes:
    return ebml.made("webm", *BOTH, *options)


def mkv(*options: str) -> bytes:
    return ebml.made("mkv", *BOTH, *options)


def plain() -> bytes:
    """Return a small file of VP8 and Opus: short to make and short to mend."""
    return webm("-c:v", "libvpx", *QUICK, "-c:a", "libopus", "-g", "5")


KINDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "VP8 and Vorbis": ("video/webm", lambda: webm("-c:v", "libvpx", *QUICK, "-c:a", "libvorbis")),
    "VP9 and Opus": ("video/webm", lambda: webm("-c:v", "libvpx-vp9", *QUICK, "-c:a", "libopus")),
    "VP9 with hidden pictures": (
        "video/webm",
        lambda: webm("-c:v", "libvpx-vp9", "-auto-alt-ref", "1", "-lag-in-frames", "16"),
    ),
    "AV1 and Opus": ("video/webm", lambda: webm("-c:v", "libsvtav1", "-c:a", "libopus")),
    "AV1 of libaom": (
        "video/x-matroska",
        lambda: mkv("-c:v", "libaom-av1", "-cpu-used", "8", "-c:a", "flac"),
    ),
    "VP8 with alpha": (
        "video/webm",
        lambda: ebml.made(
            "webm",
            *PICTURES[:4],
            "-vf",
            "format=yuva420p,colorchannelmixer=aa=0.5",
            "-c:v",
            "libvpx",
            *QUICK,
            "-auto-alt-ref",
            "0",
        ),
    ),
    "live": (
        "video/webm",
        lambda: webm("-c:v", "libvpx", *QUICK, "-c:a", "libopus", "-live", "1"),
    ),
    "H.264 and AAC": ("video/x-matroska", lambda: mkv("-c:v", "libx264", "-c:a", "aac")),
    "H.265 and AC-3": ("video/x-matroska", lambda: mkv(*X265, "-c:a", "ac3")),
    "H.265 in HDR": ("video/x-matroska", lambda: mkv(*X265, *HDR, "-c:a", "eac3")),
    "MPEG-4 and MP3": ("video/x-matroska", lambda: mkv("-c:v", "mpeg4", "-c:a", "libmp3lame")),
    "H.264 and samples": (
        "video/x-matroska",
        lambda: mkv("-c:v", "libx264", "-c:a", "pcm_s24le", "-ar", "44100"),
    ),
    "H.264 and ALAC": ("video/x-matroska", lambda: mkv("-c:v", "libx264", "-c:a", "alac")),
    "H.264 and MP2": (
        "video/x-matroska",
        lambda: mkv("-c:v", "libx264", "-c:a", "mp2", "-cluster_time_limit", "300"),
    ),
    "sound of Opus": ("audio/webm", lambda: ebml.made("webm", *TONE, "-c:a", "libopus")),
    "sound of FLAC": ("audio/x-matroska", lambda: ebml.made("mka", *TONE, "-c:a", "flac")),
    "sound of MP3 at another speed": (
        "audio/x-matroska",
        lambda: ebml.made("mka", *TONE, "-ar", "22050", "-c:a", "libmp3lame"),
    ),
    "sound of MP1": (
        "audio/x-matroska",
        lambda: ebml.made("mka", *TONE, "-ar", "32000", "-c:a", "libmp3lame"),
    ),
}
EXTENSIONS = {
    "video/webm": "webm", "audio/webm": "webm", "video/x-matroska": "mkv",
    "audio/x-matroska": "mka",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_keeps_its_pictures_its_sounds_and_their_times(kind: str) -> None:
    media_type, make = KINDS[kind]
    dirty = make()
    with MemorySource(dirty) as source:
        file = sanitize(source, Limits())
        made = b"".join(file.chunks())
    assert (file.media_type, file.extension) == (media_type, EXTENSIONS[media_type])
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert [row.rsplit(" ", 1)[0] for row in times(made)] == [
        row.rsplit(" ", 1)[0] for row in times(dirty)
    ]
    if "H.264" not in kind and "MP" not in kind:
        assert times(made) == times(dirty)
    for secret in (b"Lavc", b"Lavf", b"x264", b"x265", b"Xiph", b"LAME"):
        assert secret not in made
    again, facts = cleaned(made)
    assert again == made
    assert facts.removed == ()


@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
@pytest.mark.parametrize("kind", ["VP8 and Vorbis", "H.265 in HDR", "sound of FLAC"])
def test_exiftool_finds_nothing_but_the_pictures_in_a_clean_file(kind: str) -> None:
    media_type, make = KINDS[kind]
    dirty = make()
    assert surprises(dirty, ".mkv")
    assert surprises(clean(dirty), "." + EXTENSIONS[media_type]) == set()


def test_a_clean_file_says_from_its_first_bytes_on_how_long_it_is_and_where_to_jump() -> None:
    made = clean(plain())
    segment = find(ebml.tree(made), SEGMENT)
    kinds = [kind for kind, _ in segment]
    assert kinds[:4] == [SEEK_HEAD, INFO, TRACKS, CUES]
    assert set(kinds[4:]) == {CLUSTER}
    body = ebml.value(ebml.tree(made), SEGMENT)
    start = made.index(b"\x18\x53\x80\x67") + 12
    for _, point in ebml.split(value(ebml.tree(made), SEGMENT, CUES)):
        when, where = (content for _, content in ebml.split(point))
        at = start + int.from_bytes(dict(ebml.split(where))[0xF1], "big")
        assert made[at : at + 4] == b"\x1f\x43\xb6\x75"
        assert made[at + 12 : at + 22] == el(TIMESTAMP, when)
    assert struct.unpack(">d", value(ebml.tree(made), SEGMENT, INFO, 0x4489))[0] >= 2000
    assert len(body) > 1000


def ffmpeg_reads(data: bytes, at: str) -> str:
    """Return the hash of the first picture that ffmpeg shows after a jump."""
    told = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", at, "-i", "pipe:0", "-map", "0:v",
         "-frames:v", "1", "-f", "framehash", "-"],
        input=data, check=True, capture_output=True,
    ).stdout.decode()  # fmt: skip
    return told.splitlines()[-1].rsplit(",", 1)[1]


def test_a_jump_lands_on_the_same_picture_as_before() -> None:
    dirty = plain()
    assert ffmpeg_reads(clean(dirty), "1.2") == ffmpeg_reads(dirty, "1.2")


def test_how_bright_and_how_wide_colours_are_meant_survives() -> None:
    places = [real(0x55D1 + n, 0.1 * (n + 1)) for n in range(8)]
    screen = b"".join([*places, real(0x55D9, 1000.0), real(0x55DA, 0.005)])
    colour = uint(0x55B1, 9) + uint(0x55BA, 16) + uint(0x55BB, 9) + uint(0x55B9, 1)
    colour += uint(0x55BC, 1000) + uint(0x55BD, 400) + el(0x55D0, screen)
    made = clean(edited(plain(), swap(0x55B0, colour), SEGMENT, TRACKS, ENTRY, VIDEO))
    told = dict(ebml.split(value(ebml.tree(made), SEGMENT, TRACKS, ENTRY, VIDEO, 0x55B0)))
    assert told[0x55BC] == b"\x03\xe8"
    assert struct.unpack(">d", dict(ebml.split(told[0x55D0]))[0x55DA])[0] == 0.005


SETTINGS: dict[str, tuple[bytes, dict[int, bytes]]] = {
    "cropped": (uint(0x54AA, 2) + uint(0x54DD, 3), {0x54AA: b"\2", 0x54DD: b"\3"}),
    "cropped to nothing": (uint(0x54AA, 100) + uint(0x54BB, 20), {}),
    "shown wider": (uint(0x54B0, 320) + uint(0x54BA, 120), {0x54B0: b"\1\x40", 0x54BA: b"\x78"}),
    "shown in a ratio": (
        uint(0x54B0, 16) + uint(0x54BA, 9) + uint(0x54B2, 3),
        {0x54B0: b"\x10", 0x54BA: b"\x09", 0x54B2: b"\3"},
    ),
    "shown in inches": (uint(0x54B0, 16) + uint(0x54BA, 9) + uint(0x54B2, 2), {}),
    "shown without a height": (uint(0x54B0, 16) + uint(0x54BA, 0), {}),
    "for two eyes": (uint(0x53B8, 3), {0x53B8: b"\3"}),
    "for too many eyes": (uint(0x53B8, 99), {}),
    "in fields": (uint(0x9A, 1) + uint(0x9D, 6), {0x9A: b"\1", 0x9D: b"\6"}),
    "turned": (
        el(0x7670, uint(0x7671, 0) + real(0x7675, -90.2)),
        {0x7670: real(0x7675, -90.0)},
    ),
    "a sphere": (
        el(0x7670, uint(0x7671, 1) + el(0x7672, CANARY)),
        {0x7670: uint(0x7671, 1)},
    ),
    "a mesh": (el(0x7670, uint(0x7671, 3) + el(0x7672, CANARY)), {}),
    "turned by too much": (el(0x7670, real(0x7673, 900.0)), {}),
    "colours beyond any table": (
        el(0x55B0, uint(0x55B1, 200) + el(0x55D0, real(0x55D1, 7.0))),
        {},
    ),
    "light beyond any screen": (el(0x55B0, el(0x55D0, real(0x55D9, 1e9))), {}),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_what_a_picture_needs_is_kept_and_what_cannot_be_is_not(kind: str) -> None:
    told, kept = SETTINGS[kind]
    size = {0xB0: b"\xa0", 0xBA: b"\x78"}
    dirty = edited(
        plain(), swap(VIDEO, uint(0xB0, 160) + uint(0xBA, 120) + told), SEGMENT, TRACKS, ENTRY
    )
    made = clean(dirty)
    assert dict(ebml.split(value(ebml.tree(made), SEGMENT, TRACKS, ENTRY, VIDEO))) == size | kept
    assert clean(made) == made


@pytest.mark.parametrize(
    ("told", "kept"),
    [(33_366_667, 33_366_666), (40_000_000, 40_000_000), (41_708_333, 41_708_333),
     (133_333_333, 133_333_333), (31_415_926, None), (1, None), (0, None)],
)  # fmt: skip
def test_a_frame_rate_is_rounded_to_one_that_exists(told: int, kept: int | None) -> None:
    dirty = edited(plain(), swap(0x23E383, told.to_bytes(8, "big")), SEGMENT, TRACKS, ENTRY)
    made = clean(dirty)
    entry = dict(ebml.split(value(ebml.tree(made), SEGMENT, TRACKS, ENTRY)))
    assert (int.from_bytes(entry[0x23E383], "big") if kept else entry.get(0x23E383)) == kept
    assert clean(made) == made


def second(made: bytes) -> dict[int, bytes]:
    """Return the entry of the second track."""
    entries = ebml.split(value(ebml.tree(made), SEGMENT, TRACKS))
    return dict(ebml.split(entries[1][1]))


def in_second(data: bytes, kind: int, content: bytes) -> bytes:
    """Return a file whose second track says something else."""
    nodes = ebml.tree(data)
    entries = [body for name, body in find(nodes, SEGMENT, TRACKS) if name == ENTRY]
    inside = entries[1]
    assert not isinstance(inside, bytes)
    swap(kind, content)(inside)
    return ebml.flat(nodes)


@pytest.mark.parametrize(
    ("told", "kept"),
    [(20_000_000, 20_000_000), (20_000_001, 20_000_000), (20_010_000, None), (1 << 40, None)],
)
def test_a_sound_s_frame_is_rounded_to_whole_samples(told: int, kept: int | None) -> None:
    made = clean(in_second(plain(), 0x23E383, told.to_bytes(8, "big")))
    entry = second(made)
    assert (int.from_bytes(entry[0x23E383], "big") if kept else entry.get(0x23E383)) == kept
    assert clean(made) == made


def test_a_delay_is_rounded_to_whole_samples_and_an_impossible_one_dropped() -> None:
    assert second(clean(in_second(plain(), 0x56AA, (6_500_003).to_bytes(4, "big"))))[0x56AA] == (
        6_500_000
    ).to_bytes(3, "big")
    assert 0x56AA not in second(clean(in_second(plain(), 0x56AA, b"\x7f" * 8)))


def test_a_speed_that_doubles_is_kept_and_another_is_not() -> None:
    sound = real(0xB5, 24000.0) + uint(0x9F, 1)
    for above, kept in ((48000.0, True), (31337.0, False)):
        made = clean(in_second(plain(), AUDIO, sound + real(0x78B5, above)))
        assert (0x78B5 in dict(ebml.split(second(made)[AUDIO]))) is kept


@pytest.mark.parametrize(
    ("scale", "tick"),
    [(1_000_000, 1_000_000), (3_000_000, 1_000_000), (100_000, 100_000), (20_000, 10_000),
     (22_675, 10_000)],
)  # fmt: skip
def test_the_clock_ticks_in_one_of_three_ways(scale: int, tick: int) -> None:
    dirty = edited(plain(), swap(0x2AD7B1, scale.to_bytes(4, "big")), SEGMENT, INFO)
    made = clean(dirty)
    assert int.from_bytes(value(ebml.tree(made), SEGMENT, INFO, 0x2AD7B1), "big") == tick
    before = [(t, when * scale) for t, when, _, _ in ebml.frames(dirty)]
    after = [(t, when * tick) for t, when, _, _ in ebml.frames(made)]
    assert [track for track, _ in before] == [track for track, _ in after]
    assert all(abs(b[1] - a[1]) <= tick for a, b in zip(after, before, strict=True))
    assert clean(made) == made


def test_a_file_without_information_ticks_in_milliseconds() -> None:
    made = clean(edited(plain(), ebml.without(INFO), SEGMENT))
    assert times(made) == times(plain())


def later(data: bytes, by: int) -> bytes:
    """Return a file whose clusters all begin later."""
    nodes = ebml.tree(data)
    for kind, body in find(nodes, SEGMENT):
        if kind == CLUSTER:
            assert not isinstance(body, bytes)
            base = int.from_bytes(value(body, TIMESTAMP), "big")
            swap(TIMESTAMP, (base + by).to_bytes(8, "big"))(body)
    return ebml.flat(nodes)


def test_a_recording_that_began_at_a_time_of_day_begins_at_zero() -> None:
    made, facts = cleaned(later(plain(), 1_760_000_000_000))
    assert "capture_time" in facts.removed
    assert made == clean(plain())


def test_a_broken_off_recording_ends_with_its_last_whole_frame() -> None:
    whole = plain()
    head, (_, segment) = el(*ebml.split(whole)[0]), ebml.split(whole)[1]
    parts = ebml.split(segment)
    open_clusters = b"".join(
        unsized(kind, body) if kind == CLUSTER else el(kind, body)
        for kind, body in parts
        if kind in {INFO, TRACKS, CLUSTER}
    )
    live = head + unsized(SEGMENT, open_clusters)
    assert clean(live) == clean(whole)
    made, facts = cleaned(live[:-7])
    assert len(ebml.frames(made)) == len(ebml.frames(whole)) - 1
    assert "trailing_data" in facts.removed
    assert clean(made) == made
    only_a_head = live + b"\xa3"
    assert ebml.frames(clean(only_a_head)) == ebml.frames(clean(whole))
    closed = b"".join(el(kind, body) for kind, body in parts if kind in {INFO, TRACKS, CLUSTER})
    assert len(ebml.frames(clean((head + unsized(SEGMENT, closed))[:-7]))) == len(ebml.frames(made))


def test_an_old_name_of_aac_becomes_a_setup() -> None:
    dirty = mkv("-c:v", "mpeg4", "-c:a", "aac", "-ar", "44100")
    nodes = ebml.tree(dirty)
    inside = [body for name, body in find(nodes, SEGMENT, TRACKS) if name == ENTRY][1]
    assert not isinstance(inside, bytes)
    swap(0x86, b"A_AAC/MPEG4/LC")(inside)
    ebml.without(0x63A2)(inside)
    made = clean(ebml.flat(nodes))
    assert second(made)[0x86] == b"A_AAC"
    assert second(made)[0x63A2] == bytes.fromhex("1208")
    assert hashes(made, decoded=True)[1] == hashes(dirty, decoded=True)[1]


def test_pictures_of_a_browser_that_brings_their_sets_along_are_kept() -> None:
    dirty = ebml.made(
        "mkv", *PICTURES, "-c:v", "libx264", "-bf", "0", "-x264-params", "annexb=1",
        "-bsf:v", "dump_extra=freq=all",
    )  # fmt: skip
    nodes = ebml.tree(dirty)
    ebml.without(0x63A2)(find(nodes, SEGMENT, TRACKS, ENTRY))
    for kind, body in find(nodes, SEGMENT):
        if kind == CLUSTER:
            assert not isinstance(body, bytes)
            body[:] = [(k, _with_start_codes(k, b)) for k, b in body]
    live = ebml.flat(nodes)
    made, facts = cleaned(live)
    assert "sei" in facts.removed
    assert b"x264" not in made
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert clean(made) == made


def _with_start_codes(kind: int, body: "bytes | ebml.Tree") -> "bytes | ebml.Tree":
    """Return a block whose units are led by start codes instead of lengths."""
    if kind != ebml.SIMPLE:
        return body
    assert isinstance(body, bytes)
    made, at = body[:4], 4
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        made += b"\0\0\0\1" + body[at + 4 : at + 4 + size]
        at += 4 + size
    return made


def test_the_alpha_of_each_picture_is_kept() -> None:
    dirty = KINDS["VP8 with alpha"][1]()

    def alphas(data: bytes) -> list[bytes]:
        found = []
        for kind, body in find(ebml.tree(data), SEGMENT):
            for name, group in body if kind == CLUSTER and isinstance(body, list) else []:
                if name == ebml.GROUP and isinstance(group, list):
                    more = ebml.split(value(group, 0x75A1))[0][1]
                    found.append(dict(ebml.split(more))[0xA5])
        return found

    assert len(alphas(dirty)) == 20
    assert alphas(clean(dirty)) == alphas(dirty)


def test_motion_jpeg_keeps_its_pictures() -> None:
    dirty = ebml.made("mkv", *PICTURES[:4], "-c:v", "mjpeg", "-frames:v", "4")
    made, facts = cleaned(dirty)
    assert b"Lavc" in dirty
    assert b"Lavc" not in made
    assert "sei" in facts.removed
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


@pytest.mark.claim("C-MEMORY")
def test_a_long_file_is_cleaned_in_flat_memory(tmp_path: Path) -> None:
    """The peak of a fresh process may not grow by more than 64 MB for a large file."""
    path = tmp_path / "big.mkv"
    nodes = ebml.split(ebml.value(ebml.tree(plain()), SEGMENT))
    picture = next(frame for track, _, _, frame in ebml.frames(plain()) if track == 1)
    frame = picture + bytes(400_000)
    with path.open("wb") as file:
        file.write(el(*ebml.split(plain())[0]) + unsized(SEGMENT))
        file.write(b"".join(el(k, body) for k, body in nodes if k in {INFO, TRACKS}))
        for second_ in range(100):
            blocks = [el(ebml.SIMPLE, ebml.block(1, n * 100, frame)) for n in range(5)]
            file.write(el(CLUSTER, uint(TIMESTAMP, second_ * 500) + b"".join(blocks)))
    assert path.stat().st_size > 190_000_000
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom sanitizer.clean import sanitize\n"
        "from sanitizer.limits import Limits\nfrom sanitizer.source import FileSource\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "n = sum(len(c) for c in sanitize(FileSource(Path(sys.argv[1])), Limits()).chunks())\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    made = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    length, grown = map(int, made.stdout.split())
    assert length > 190_000_000
    assert grown < 64 * 1024
