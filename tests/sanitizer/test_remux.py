"""What ffmpeg makes of a transport stream in the jail, made into a clean plain MP4."""

import struct
from collections.abc import Callable, Iterator

import pytest

from sanitizer.errors import Empty, JailUnavailable, Malformed, Refused, TooComplex
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.limits import Limits
from sanitizer.mp4 import remux
from sanitizer.mp4.remux import Remuxed, arguments
from tests.sanitizer.kit import CANARY, clean, hashes
from tests.sanitizer.videos import lavfi, sounding
from tests.support.boxes import box

STREAM = lavfi("-c:v", "libx264", "-c:a", "aac", "-bf", "2", "-f", "mpegts", seconds=2)
COPY = arguments("mpegts", ["0:v:0", "0:a:0"], {1: "aac_adtstoasc"})


class Said:
    """A jail in which a program has said all that it will say."""

    def __init__(self, made: bytes, step: int = 1000) -> None:
        self._made = made
        self._step = step

    def run(self, *_: object) -> Iterator[bytes]:
        """Yield what was said."""
        for at in range(0, len(self._made), self._step):
            yield self._made[at : at + self._step]


def through(jail: object, limits: Limits | None = None) -> tuple[bytes, Remuxed]:
    made = Remuxed(jail, COPY, iter([STREAM]), limits or Limits(), 1 << 24)  # type: ignore[arg-type]
    return b"".join(made.chunks()), made


def test_a_transport_stream_becomes_a_clean_mp4_with_the_same_pictures() -> None:
    made, told = through(ffmpeg_jail())
    assert hashes(made, decoded=True) == hashes(STREAM, decoded=True)
    assert clean(made) == made
    assert told.kinds == {"sei"}
    assert [(p.is_video, p.codec, p.frames) for p in told.passed] == [
        (True, b"avc1", 20),
        (False, b"mp4a", told.passed[1].frames),
    ]
    assert abs(told.passed[0].seconds - 2) < 0.2
    assert not {word for word in (b"x264", b"Lavc", b"Lavf", b"FFmpeg") if word in made}


def fragments() -> bytes:
    feed = iter([STREAM])
    jail = ffmpeg_jail()
    return b"".join(jail.run(COPY, feed, Limits(), 1 << 24))


FRAGMENTS = fragments()
MOOF = FRAGMENTS.index(b"moof") - 4
CLOCK = FRAGMENTS.index(b"mvhd") + 16
MDAT = FRAGMENTS.index(b"mdat") - 4


def changed(old: bytes, new: bytes) -> Callable[[], bytes]:
    def change() -> bytes:
        assert old in FRAGMENTS
        return FRAGMENTS.replace(old, new, 1)

    return change


LIES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "half a box": lambda: b"\0\0\0",
    "no index": lambda: FRAGMENTS[: FRAGMENTS.index(b"moov") - 4] + FRAGMENTS[MOOF:],
    "no clock": lambda: FRAGMENTS[: CLOCK] + bytes(4) + FRAGMENTS[CLOCK + 4 :],
    "no frames": lambda: FRAGMENTS[:MOOF],
    "another box between": lambda: FRAGMENTS[:MOOF] + box(b"free", CANARY) + FRAGMENTS[MOOF:],
    "a box that is too short": lambda: FRAGMENTS[:MOOF] + b"\0\0\0\1free" + FRAGMENTS[MOOF:],
    "no data": lambda: FRAGMENTS[:MDAT],
    "cut data": lambda: FRAGMENTS[: MDAT + 100],
    "data by another name": changed(b"mdat", b"free"),
    "data that nobody owns": lambda: FRAGMENTS[:MDAT] + box(b"mdat", FRAGMENTS[MDAT + 8 :], CANARY),
    "frames beyond the data": lambda: FRAGMENTS[:MDAT] + box(b"mdat"),
    "a track that has no frames": changed(b"tfhd\0\2\0\x38\0\0\0\2", b"tfhd\0\2\0\x38\0\0\0\7"),
}  # fmt: skip


def test_the_fragments_that_the_lies_are_made_of_are_good() -> None:
    assert through(Said(FRAGMENTS))[0] == through(ffmpeg_jail())[0]


@pytest.mark.parametrize("lie", LIES)
def test_what_ffmpeg_should_not_have_written_is_refused(lie: str) -> None:
    told = LIES[lie]()
    assert told != FRAGMENTS
    with pytest.raises(Malformed):
        through(Said(told))


def test_sound_alone_is_no_video() -> None:
    tone = sounding("-c:a", "aac", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov")
    with pytest.raises(Empty):
        through(Said(tone))


def test_a_fragment_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remux, "_MAX_DATA", 1000)
    with pytest.raises(TooComplex):
        through(Said(FRAGMENTS))


def test_filters_are_named_by_the_place_of_their_stream() -> None:
    made = arguments("mpegts", ["0:1"], {0: "h264_mp4toannexb"})
    assert made[made.index("-bsf:0") + 1] == "h264_mp4toannexb"
    assert made[made.index("-f") + 1] == "mpegts"


def test_a_jail_that_cannot_lock_is_a_refusal() -> None:
    class Shut:
        def run(self, *_: object) -> Iterator[bytes]:
            raise JailUnavailable

    with pytest.raises(Refused):
        through(Shut())


def test_a_sound_that_would_only_pause_is_heard() -> None:
    said = through(ffmpeg_jail())[0]
    pause = struct.pack(">Qq", 0, -1)
    broken = bytearray(FRAGMENTS)
    at = 0
    while (at := broken.find(b"elst", at)) > 0:
        size = int.from_bytes(broken[at - 4 : at], "big")
        whole = box(b"elst", bytes(4), struct.pack(">III", 1, 0, 0xFFFFFFFF) + b"\0\1\0\0")
        broken[at - 4 : at - 4 + size] = whole.ljust(size, b"\0") if size >= len(whole) else whole
        at += 4
    assert pause not in through(Said(bytes(broken)))[0]
    assert pause not in said
