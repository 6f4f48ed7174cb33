"""Small files that would take long: each is refused, or cleaned, before anybody waits."""

import functools
import io
import itertools
import struct
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from sanitizer import clean as cleaning
from sanitizer.clean import sanitize
from sanitizer.detect import Format
from sanitizer.errors import Malformed, Refused, TooComplex, TooManyPixels
from sanitizer.frames import jpeg as frame_jpeg
from sanitizer.gif.clean import clean as clean_gif
from sanitizer.jail.program import Jail
from sanitizer.jpeg import write as jpeg
from sanitizer.jpeg.entropy import CodedScan
from sanitizer.limits import Limits
from sanitizer.mp4 import edits
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.model import Samples, Track
from sanitizer.pdf import cmap
from sanitizer.pdf.shown import Shown
from sanitizer.result import Planner
from sanitizer.source import BytesSource, ClockedSource, UntrustedSource
from sanitizer.webp.clean import clean as clean_webp
from sanitizer.words import clean as clean_text
from tests.sanitizer.pdfs import paged, planned
from tests.support.media import drawing

SECONDS = 4
"""No file of this module may take longer; most take a hundredth of it."""


@pytest.fixture(autouse=True)
def _nobody_waits() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS


# --- the clock of streams ------------------------------------------------------------------------


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def test_a_source_cannot_be_read_when_its_time_is_up() -> None:
    clock = Clock()
    source = ClockedSource(BytesSource(b"abcd"), 10, clock)
    clock.now = 10
    assert (source.length, source.read_at(1, 2)) == (4, b"bc")
    clock.now = 10.5
    with pytest.raises(TooComplex):
        source.read_at(1, 2)


def test_the_time_that_others_take_is_not_counted() -> None:
    clock = Clock()
    source = ClockedSource(BytesSource(b"abcd"), 10, clock)
    clock.now = 4
    source.pause()
    clock.now = 1000
    source.go_on()
    clock.now = 1006
    source.check()
    clock.now = 1006.5
    with pytest.raises(TooComplex):
        source.check()


class Slow:
    """A cleaner that takes a second for each chunk, and reads only if it is told to."""

    media_type, extension = "audio/x-slow", "slow"

    def __init__(self, source: UntrustedSource, clock: Clock, *, reads: bool) -> None:
        self.kinds: set[str] = set()
        self._source, self._clock, self._reads = source, clock, reads

    def chunks(self) -> Iterator[bytes]:
        """Yield a hundred bytes."""
        for _ in range(100):
            self._clock.now += 1
            yield self._source.read_at(0, 1) if self._reads else b"x"


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(
    ("seconds", "most", "fits"), [(99, 1800, False), (100, 1800, True), (100, 99, False)]
)
def test_a_stream_that_takes_too_long_is_refused(
    monkeypatch: pytest.MonkeyPatch, seconds: int, most: int, *, reads: bool, fits: bool
) -> None:
    clock = Clock()

    def slow(source: UntrustedSource, _limits: Limits, _jail: Jail | None) -> Slow:
        return Slow(source, clock, reads=reads)

    monkeypatch.setattr(cleaning, "STREAMED", {Format.WAV: slow})
    monkeypatch.setattr(cleaning, "ClockedSource", functools.partial(ClockedSource, clock=clock))
    limits = Limits(
        stream_seconds=seconds - 1, stream_bytes_per_second=16, stream_most_seconds=most
    )
    made = sanitize(BytesSource(b"RIFF\x08\0\0\0WAVEfmt "), limits)
    taken = 0
    try:
        for data in made.chunks():
            taken += len(data)
            # Whoever takes the result away may be slow.
            clock.now += 1000
    except TooComplex:
        assert not fits
    else:
        assert (fits, taken) == (True, 100)


# --- edits ---------------------------------------------------------------------------------------


def track(frames: int, edits: list[tuple[int, int]], **other: object) -> Track:
    samples = Samples(
        array("I", bytes(4 * frames)), array("Q", bytes(8 * frames)), array("I", [10] * frames)
    )
    samples.keys = other.get("keys")  # type: ignore[assignment]
    samples.shifts = other.get("shifts", array("i"))  # type: ignore[assignment]
    return Track(1, is_video=True, timescale=10, matrix=b"", size=b"", entry=Entry(b""),
                 samples=samples, edits=edits)  # fmt: skip


def test_more_edits_than_anybody_makes_are_refused() -> None:
    edits.trim(track(600, [(10, 10 * at) for at in range(512)]), 10)
    with pytest.raises(TooComplex):
        edits.trim(track(600, [(10, 10 * at) for at in range(513)]), 10)


def test_edits_that_each_look_at_every_frame_are_refused() -> None:
    # One frame is shown very late, and so any frame might be.
    shifts = array("i", [0] * 100_000 + [1 << 24])
    with pytest.raises(TooComplex):
        edits.trim(track(100_001, [(1, 5_000_000)] * 500, shifts=shifts), 10)


def test_edits_that_each_look_at_every_key_frame_are_refused() -> None:
    shifts = array("i", [1 << 24] * 300_000)
    made = [(1, (1 << 24) + 10 * at - 1) for at in range(299_900, 299_999)]
    late = track(300_000, made, shifts=shifts, keys=set(range(300_000)))
    edits.trim(late, 10)
    # Every key frame but the first is shown after the cut.
    shifts = array("i", [0, *range(2_999_980, -10, -10)])
    late = track(300_000, [(2, 2_999_975)] * 500, shifts=shifts, keys=set(range(300_000)))
    with pytest.raises(TooComplex):
        edits.trim(late, 10)


def test_many_cuts_among_many_key_frames_take_no_time() -> None:
    made = track(
        200_000, [(1, 4000 * at + 15) for at in range(500)], keys=set(range(0, 200_000, 2))
    )
    edits.trim(made, 10)
    assert made.samples.keys == set(range(0, 1000, 2))


# --- pictures ------------------------------------------------------------------------------------


def saved(width: int, height: int, kind: str = "JPEG", **options: object) -> bytes:
    made = io.BytesIO()
    drawing(width, height).save(made, kind, **options)
    return made.getvalue()


def plan(data: bytes) -> None:
    jpeg.plan(BytesSource(data), Limits())


def passes(data: bytes) -> list[bytes]:
    """Split a progressive picture before each of its passes and at its end."""
    places = [at for at in range(len(data)) if data[at : at + 2] in {b"\xff\xda", b"\xff\xd9"}]
    return [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]


def test_a_progressive_picture_brings_each_bit_once_and_in_order() -> None:
    whole = passes(saved(40, 40, progressive=True))
    plan(b"".join(whole))
    for place in range(1, len(whole) - 1):
        with pytest.raises(Malformed):
            plan(b"".join([*whole[: place + 1], *whole[place:]]))
    with pytest.raises(Malformed):
        plan(b"".join([whole[0], *whole[-3:]]))


def test_passes_without_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(40, 40, progressive=True)
    monkeypatch.setattr(jpeg, "_MAX_SCANS", 5)
    with pytest.raises(TooComplex):
        plan(data)


def test_passes_are_counted_by_the_blocks_that_they_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(40, 40, progressive=True)
    monkeypatch.setattr(jpeg, "_MOST_VISITS", 1)
    plan(data)
    monkeypatch.setattr(jpeg, "_FREE_VISITS", 75)
    with pytest.raises(TooComplex):
        plan(data)


def test_refining_passes_over_an_empty_picture_take_no_time() -> None:
    """One code of fifteen bits ends 16384 blocks: a pass over millions of pixels is a few bytes."""
    side = 6000
    table = bytes([0x10, 1]) + bytes(15) + b"\xe0"
    blocks = (-(-side // 8)) ** 2
    runs = -(-blocks // (1 << 14))
    coded = bytes(-(-15 * runs // 8))

    def segment(marker: int, payload: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload

    def scan(last: int, high: int, low: int) -> bytes:
        first = 1 if last else 0
        sos = segment(0xDA, bytes([1, 1, 0, first, last, high << 4 | low]))
        return sos + (coded if last else bytes(-(-blocks // 8)))

    data = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    data += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
    data += segment(0xC4, b"\0\1" + bytes(15) + b"\0" + table)
    data += scan(0, 0, 0) + scan(63, 0, 13)
    data += b"".join(scan(63, high, high - 1) for high in range(13, 0, -1)) + b"\xff\xd9"
    plan(data)


def test_a_frame_of_motion_jpeg_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[bytes] = []
    before = CodedScan.without_slack

    def counted(self: CodedScan, *given: object, **named: object) -> object:
        judged.append(b"")
        return before(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(CodedScan, "without_slack", counted)
    frame, other = saved(48, 32), saved(32, 48)
    frames = frame_jpeg.Frames()
    assert [frames.strip(frame) for _ in range(3)] == [frames.strip(frame)] * 3
    assert len(judged) == 1
    frames.strip(other)
    assert len(judged) == 2
    # Appended bytes are looked at each time; they make it another scan.
    end = frame.rindex(b"\xff\xd9")
    longer = frame[:end] + b"CANARY" + frame[end:]
    assert frames.strip(longer) == frames.strip(longer) == frames.strip(frame)
    assert len(judged) == 4
    monkeypatch.setattr(frame_jpeg, "_MOST_REMEMBERED", 0)
    full = frame_jpeg.Frames()
    full.strip(frame)
    full.strip(frame)
    assert len(judged) == 6


@pytest.mark.parametrize(("kind", "clean"), [("GIF", clean_gif), ("WEBP", clean_webp)])
def test_a_short_file_may_not_decode_as_many_pixels_as_a_long_one(
    kind: str, clean: Planner
) -> None:
    source = BytesSource(saved(64, 64, kind))
    none = Limits(
        small_animation_pixels=0,
        small_decoding_pixels=0,
        animation_pixels_per_byte=0,
        decoding_pixels_per_byte=0,
    )
    clean(source, replace(none, small_animation_pixels=9999, small_decoding_pixels=999_999))
    clean(source, replace(none, animation_pixels_per_byte=99, decoding_pixels_per_byte=9999))
    with pytest.raises(Refused):
        clean(source, none)


def test_a_small_animation_of_large_empty_pictures_is_refused() -> None:
    empty = io.BytesIO()
    Image.new("P", (2000, 2000)).save(empty, "GIF")
    data = empty.getvalue()
    begin = data.index(b",\0\0\0\0")
    bomb = data[:begin] + data[begin:-1] * 20 + b";"
    with pytest.raises(TooManyPixels):
        clean_gif(BytesSource(bomb), Limits(small_animation_pixels=10_000_000))


# --- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["\u0301", "\u0323\u0301", "\u0f73", "\u05b8\u05b0", "\u0344"])
def test_a_pile_of_marks_on_a_letter_takes_no_time(mark: str) -> None:
    text = "x" + mark * 100_000 + " é " + "ب\u064e\u0651" * 10 + "\n"
    made = clean_text(BytesSource(text.encode()), Limits())
    clean = made.plan.read_at(0, made.plan.length)
    assert made.kinds == {"hidden_text"}
    assert len(clean.decode()) < 100
    again = clean_text(BytesSource(clean), Limits())
    assert again.plan.read_at(0, again.plan.length) == clean
    assert not again.kinds


def test_thirty_marks_on_a_letter_stay() -> None:
    text = "x" + "\u0323" * 15 + "\u0301" * 15 + "\n"
    made = clean_text(BytesSource(text.encode()), Limits())
    assert len(made.plan.read_at(0, made.plan.length).decode()) in {30, 31, 32}


# --- PDF -----------------------------------------------------------------------------------------


def test_a_page_of_many_fonts_takes_no_time() -> None:
    fonts = b"".join(b"/F%d<</Type/Font/Subtype/Type1/BaseFont/Times>>" % n for n in range(300))
    shown = b"".join(b"/F%d 9 Tf (a) Tj " % n for n in range(300))
    assert planned(paged(b"BT " + shown + b"ET", b"/Font<<" + fonts + b">>"))


def test_a_font_that_tells_the_text_of_very_many_letters_takes_no_time() -> None:
    lines = b"".join(b"<%04x><%04x>" % (n, 0x4E00 + n) for n in range(20_000))
    many = Shown(2, set(), set(range(5000)))
    made = cmap.to_unicode(b"1 beginbfchar" + lines + b"endbfchar", many)
    assert made.count(b"> <") == 5001


def test_very_many_widths_of_very_many_letters_take_no_time() -> None:
    text = b"".join(b"%04x" % n for n in range(1 << 16))
    for widths in (
        b"0 65535 5 " * 30_000,
        b"".join(b"%d[%s]" % (n, b"5 " * 1000) for n in range(60)),
    ):
        dirty = paged(
            b"BT /F 9 Tf <" + text + b"> Tj ET",
            b"/Font<</F<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[5 0 R]>>>>",
            b"<</Subtype/CIDFontType2/W[%s]>>" % widths,
        )
        assert planned(dirty)
