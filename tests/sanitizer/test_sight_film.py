"""Films and sounds as they are seen and heard, and MP4s whose index is put first."""

import dataclasses
import io
import struct
import wave
from collections.abc import Iterator, Sequence

import pytest

from sanitizer.clean import sanitize
from sanitizer.errors import Empty, Malformed, Refused, Unsupported
from sanitizer.jail.program import Jail, ffmpeg_jail
from sanitizer.limits import Limits
from sanitizer.sight import faststart, film
from sanitizer.sight.ask import LIMITS
from sanitizer.source import BytesSource
from tests.desk.sight.kit import film as moving
from tests.desk.sight.kit import tone
from tests.support.boxes import box
from tests.support.heif import encoded
from tests.support.media import GPS_TEXT, drawing

needs_jail = pytest.mark.skipif(not ffmpeg_jail().is_whole, reason="ffmpeg cannot be locked in")


@dataclasses.dataclass(frozen=True)
class Says(Jail):
    """A jail that says what a test wants it to."""

    said: bytes = b""
    heard: list[str] = dataclasses.field(default_factory=list)

    def run(
        self,
        arguments: Sequence[str],
        feed: Iterator[bytes],  # noqa: ARG002 - as the jail has it
        limits: Limits,  # noqa: ARG002 - the same
        most: int,  # noqa: ARG002 - the same
    ) -> Iterator[bytes]:
        """Hear the arguments, and say what it was given to say."""
        self.heard.extend(arguments)
        yield from (self.said[at : at + 1000] for at in range(0, len(self.said), 1000))


def says(said: bytes) -> Says:
    return Says("none", (), 0, has_seccomp=False, said=said)


SOURCE = BytesSource(b"film")


@needs_jail
def test_a_film_is_seen_as_frames_a_clip_and_samples() -> None:
    source = BytesSource(b"".join(sanitize(BytesSource(moving()), Limits()).chunks()))
    jail = ffmpeg_jail()
    sheet = film.sheet(jail, source, LIMITS)
    assert (sheet.width, sheet.height, sheet.parts) == (640, 240, 2)
    assert len(set(sheet.pixels)) > 50
    clip = film.clip(jail, source, LIMITS)
    assert clip[:4] == b"\x1aE\xdf\xa3"
    for canary in (b"CANARY", GPS_TEXT, b"Lavf", b"libvpx"):
        assert canary not in clip
    with wave.open(io.BytesIO(film.sound(jail, source, LIMITS))) as heard:
        assert heard.getparams()[:3] == (1, 2, film.SAMPLES_A_SECOND)
        assert 1.5 < heard.getnframes() / film.SAMPLES_A_SECOND < 2.5


@needs_jail
def test_a_sound_is_heard_and_has_no_frames() -> None:
    source = BytesSource(tone())
    assert film.sound(ffmpeg_jail(), source, LIMITS)[:4] == b"RIFF"
    with pytest.raises(Refused):
        film.sheet(ffmpeg_jail(), source, LIMITS)


@needs_jail
def test_a_picture_that_ffmpeg_alone_reads_is_seen() -> None:
    sight = film.picture(
        ffmpeg_jail(), BytesSource(encoded(drawing(80, 60).tobytes(), 80, 60)), 40, LIMITS
    )
    assert max(sight.width, sight.height) <= 40


@needs_jail
@pytest.mark.parametrize("file", [b"", b"\0" * 9000, b"RIFF\xff\xff\xff\xffAVI junk" * 90])
def test_a_hostile_film_is_refused(file: bytes) -> None:
    for look in (film.sheet, film.clip, film.sound):
        with pytest.raises(Refused):
            look(ffmpeg_jail(), BytesSource(file), LIMITS)


@pytest.mark.parametrize(
    "said",
    [b"", b"P5\n1 1\n255\n" + bytes(3), b"P6\n1 1\n255\n" + bytes(4),
     b"P6\n41 1\n255\n" + bytes(123), b"P6\n0 0\n255\n"],
)  # fmt: skip
def test_a_picture_that_is_none_is_refused(said: bytes) -> None:
    with pytest.raises(Malformed):
        film.picture(says(said), SOURCE, 40, LIMITS)


def test_where_nothing_comes_out_there_is_nothing_to_see() -> None:
    for look in (film.sheet, film.clip, film.sound):
        with pytest.raises(Empty):
            look(says(b""), SOURCE, LIMITS)


def test_a_clip_that_is_no_webm_is_refused() -> None:
    with pytest.raises(Unsupported):
        film.clip(says(tone()), SOURCE, LIMITS)


@pytest.mark.parametrize(
    ("frames", "shown"), [(1, 1), (5, 5), (20, 20), (39, 20), (41, 20), (170, 20)]
)
def test_of_many_frames_those_are_shown_that_stand_evenly(frames: int, shown: int) -> None:
    kept = film._thinned(bytes([n]) for n in range(frames))
    assert len(kept) == shown
    places = [one[0] for one in kept]
    assert places == sorted(set(places))
    assert places[0] == 0
    assert places[-1] >= frames * 3 // 4 - 1


def test_frames_stand_side_by_side() -> None:
    size = film.FRAME_WIDTH * film.FRAME_HEIGHT * 3
    frames = b"".join(bytes([n]) * size for n in range(1, 6))
    sheet = film.sheet(says(frames + b"half"), SOURCE, LIMITS)
    assert (sheet.width, sheet.height, sheet.parts) == (1280, 480, 5)
    row = 1280 * 3
    assert {sheet.pixels[0], sheet.pixels[row - 1], sheet.pixels[240 * row]} == {1, 4, 5}
    assert sheet.pixels[-1] == 0


# --- the index first


def stco(*places: int) -> bytes:
    return box(b"stco", struct.pack(f">II{len(places)}I", 0, len(places), *places))


def index(*tables: bytes) -> bytes:
    body = box(b"stbl", b"".join(tables))
    return box(b"moov", box(b"mvhd", bytes(9)) + box(b"trak", box(b"mdia", box(b"minf", body))))


def laid(*boxes_: bytes) -> bytes:
    return b"".join(faststart.chunks(BytesSource(b"".join(boxes_))))


FTYP, FRAMES = box(b"ftyp", bytes(12)), box(b"mdat", b"frames")


def test_an_index_behind_the_frames_comes_first_and_its_places_move() -> None:
    co64 = box(b"co64", struct.pack(">IIQ", 0, 1, 28))
    behind, size = index(stco(28, 30), co64), len(index(stco(28, 30), co64))
    moved = index(stco(28 + size, 30 + size), box(b"co64", struct.pack(">IIQ", 0, 1, 28 + size)))
    assert laid(FTYP, FRAMES, FRAMES, behind) == FTYP + moved + FRAMES + FRAMES


def test_frames_in_a_long_box_are_frames() -> None:
    long = struct.pack(">I4sQ", 1, b"mdat", 22) + b"frames"
    size = len(index(stco(36)))
    assert laid(FTYP, long, index(stco(36))) == FTYP + index(stco(36 + size)) + long


@pytest.mark.parametrize(
    "parts",
    [
        (FTYP, index(stco(9)), FRAMES),
        (FTYP, FRAMES, index(stco(9)), FRAMES),
        (FTYP, FRAMES, index(), index(), FTYP),
        (b"RIFF", b"no boxes at all" * 9),
        (FTYP, FRAMES, struct.pack(">I4s", 99, b"moov"), bytes(16)),
        (FTYP, FRAMES, struct.pack(">I4s", 7, b"moov"), bytes(16)),
        (FTYP, FRAMES, index(stco(2**32 - 1))),
        (FTYP, FRAMES, index(box(b"stco", bytes(4)))),
        (FTYP, FRAMES, index(box(b"stco", struct.pack(">II", 0, 7)))),
        (FTYP, FRAMES, index(b"\0\0\0\7stsd")),
        (FTYP, FRAMES, index(b"\0\0\0")),
        (FTYP, FRAMES, index(b"\0\0\1\0stsd")),
        tuple(box(b"free", b"12345678") for _ in range(9000)),
    ],
    ids=[
        "first", "between", "twice", "none", "beyond", "short", "overflow", "no-table", "count",
        "tiny", "rest", "long", "many",
    ],
)  # fmt: skip
def test_what_is_laid_out_in_another_way_goes_as_it_is(parts: tuple[bytes, ...]) -> None:
    assert laid(*parts) == b"".join(parts)


def test_an_index_that_is_too_long_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faststart, "_INDEX_MOST", 9)
    assert laid(FTYP, FRAMES, index(stco(9))) == FTYP + FRAMES + index(stco(9))
