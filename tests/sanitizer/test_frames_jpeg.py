"""One frame of Motion JPEG: what goes, what stays, and what is refused."""

import hashlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sanitizer.errors import Malformed, MetadataSurvived, Refused, TooComplex, Unsupported
from sanitizer.frames import jpeg, jpeg_check
from tests.sanitizer.kit import CANARY
from tests.support.media import drawing


def saved(width: int = 48, height: int = 32, **options: object) -> bytes:
    made = io.BytesIO()
    drawing(width, height).save(made, "JPEG", **options)
    return made.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def noisy(width: int, height: int) -> bytes:
    """Return a picture of more than a few kilobytes."""
    grain = hashlib.shake_256(b"grain").digest(3 * width * height)
    noise = Image.frombytes("RGB", (width, height), grain)
    made = io.BytesIO()
    Image.blend(drawing(width, height), noise, 0.2).save(made, "JPEG", quality=90)
    return made.getvalue()


def parts(frame: bytes) -> list[tuple[int, bytes]]:
    """Return the segments up to the coded data."""
    found, at = [], 2
    while True:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        found.append((marker, frame[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return found


def pixels(frame: bytes) -> bytes:
    return Image.open(io.BytesIO(frame)).tobytes()


def without(frame: bytes, *markers: int) -> bytes:
    """Return a frame without some of its segments."""
    kept = [segment(m, payload) for m, payload in parts(frame) if m not in markers]
    scan = frame.index(segment(*parts(frame)[-1])) + len(segment(*parts(frame)[-1]))
    return frame[:2] + b"".join(kept) + frame[scan:]


def after_start(frame: bytes, *extra: bytes) -> bytes:
    return frame[:2] + b"".join(extra) + frame[2:]


FULL = saved()
PLAIN = without(FULL, 0xE0)
BARE = without(PLAIN, 0xC4)
"""Without Huffman tables, as AVI's frames may be."""
AVI1 = b"AVI1\1" + bytes(9)
PLACES: dict[str, bytes] = {
    "a comment": after_start(PLAIN, segment(0xFE, CANARY)),
    "EXIF": after_start(PLAIN, segment(0xE1, b"Exif\0\0" + CANARY)),
    "a maker's segment": after_start(PLAIN, segment(0xEA, CANARY)),
    "a short AVI1": after_start(PLAIN, segment(0xE0, b"AVI1"), segment(0xFE, CANARY)),
    "an unknown APP0": after_start(PLAIN, segment(0xE0, b"JFXX\0" + CANARY)),
    "an unknown APP14": after_start(PLAIN, segment(0xEE, CANARY)),
    "before the frame": CANARY + PLAIN,
    "between segments": after_start(PLAIN, CANARY),
    "before the end": PLAIN[:-2] + CANARY * 2 + PLAIN[-2:],
    "behind the end": PLAIN + CANARY,
    "in a second picture": PLAIN + after_start(PLAIN, segment(0xFE, CANARY)),
    "a table that nobody uses": after_start(PLAIN, segment(0xDB, b"\3" + CANARY.ljust(64, b"a"))),
    "a table that is replaced": after_start(PLAIN, segment(0xDB, b"\0" + CANARY.ljust(64, b"a"))),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_frame_is_emptied(place: str) -> None:
    assert CANARY in PLACES[place]
    assert jpeg.strip(PLACES[place]) == PLAIN
    jpeg_check.check(PLAIN)


def test_a_frame_of_numbers_alone_is_kept_bit_by_bit() -> None:
    for frame in (PLAIN, BARE, b"", without(saved(restart_marker_blocks=2), 0xE0)):
        assert jpeg.strip(frame) == frame
        jpeg_check.check(frame)


def test_a_frame_may_leave_out_its_tables_and_its_end() -> None:
    assert jpeg.strip(BARE[:-2]) == BARE
    assert jpeg.strip(BARE + CANARY) == BARE
    assert jpeg.strip(BARE[:-2] + b"slack" * 9 + BARE[-2:]) == BARE
    optimal = without(saved(optimize=True), 0xE0)
    assert jpeg.strip(optimal[:-2] + CANARY + optimal[-2:]) == optimal


def test_what_changes_the_look_stays_in_one_form() -> None:
    loud = after_start(
        PLAIN,
        segment(0xE0, b"JFIF\0\1\2\2" + struct.pack(">HH", 3, 2) + b"\1\1" + CANARY),
        segment(0xEE, b"Adobe" + CANARY[:6] + b"\1" + CANARY),
        segment(0xFE, b"CS=ITU601" + CANARY),
        segment(0xE0, b"AVI1\7" + CANARY),
    )
    made = jpeg.strip(loud)
    assert [payload for marker, payload in parts(made) if marker >= 0xE0] == [
        b"AVI1" + bytes(10),
        b"JFIF\0\1\1\0\0\3\0\2\0\0",
        b"Adobe\0\x64\0\0\0\0\1",
        b"CS=ITU601\0",
    ]
    assert jpeg.strip(made) == made
    jpeg_check.check(made)
    dense = after_start(
        PLAIN, segment(0xE0, b"JFIF\0\1\2\1" + struct.pack(">HH", 72, 72) + b"\0\0")
    )
    assert parts(jpeg.strip(dense))[0][1] == b"JFIF\0\1\1\0\0\1\0\1\0\0"


def test_two_fields_stay_two_fields() -> None:
    field = after_start(BARE, segment(0xE0, AVI1))
    assert jpeg.strip(field + bytes(7) + field + CANARY) == field + field
    jpeg_check.check(field + field)
    assert jpeg.Frames(64).strip(BARE + BARE) == BARE + BARE
    assert jpeg.Frames(32).strip(BARE + BARE) == BARE
    with pytest.raises(Malformed):
        jpeg.strip(field + after_start(saved(16, 16), segment(0xE0, AVI1)))


def test_a_long_frame_is_judged_by_its_end_and_cut_where_it_is_not_tight() -> None:
    frame = without(noisy(320, 240), 0xE0)
    assert len(frame) > 2 * jpeg._EXACT_BYTES
    frames = jpeg.Frames()
    assert frames.strip(frame) == frame
    assert frames._exact_left == jpeg._MAX_EXACT
    assert frames.strip(frame[:-2] + CANARY * 20 + frame[-2:]) == frame
    assert frames._exact_left < jpeg._MAX_EXACT
    assert pixels(frames.strip(noisy(320, 240))) == pixels(noisy(320, 240))


def test_too_much_that_must_be_decoded_is_refused() -> None:
    with pytest.raises(TooComplex):
        jpeg.Frames(0, 100).strip(PLAIN)


def test_fill_bytes_go() -> None:
    scanned = without(saved(64, 64, restart_marker_blocks=2), 0xE0)
    at = scanned.index(b"\xff\xd0", 300)
    filled = scanned[:at] + b"\xff\xff" + scanned[at:-2] + b"\xff\xff" + scanned[-2:]
    assert jpeg.strip(filled) == scanned


def broken_scan(first: int, second: int) -> bytes:
    scanned = without(saved(64, 64, restart_marker_blocks=2), 0xE0)
    return scanned.replace(bytes([0xFF, first]), bytes([0xFF, second]), 1)


SCAN = segment(*parts(PLAIN)[-1])
FRAME_HEADER = next(segment(m, payload) for m, payload in parts(PLAIN) if m == 0xC0)
REFUSED: dict[str, tuple[bytes, type[Refused]]] = {
    "no picture": (b"hello", Malformed),
    "nothing in it": (b"\xff\xd8\xff\xd9", Malformed),
    "progressive": (saved(progressive=True), Unsupported),
    "two headers": (after_start(PLAIN, FRAME_HEADER), Unsupported),
    "a scan before its header": (b"\xff\xd8" + SCAN, Unsupported),
    "a scan twice": (PLAIN[:-2] + PLAIN[PLAIN.index(SCAN) :], Malformed),
    "no quantization": (without(PLAIN, 0xDB), Malformed),
    "upside down": (after_start(PLAIN, segment(0xFE, b"AVID\1")), Unsupported),
    "restarts out of order": (broken_scan(0xD1, 0xD3), Malformed),
    "cut in a length": (PLAIN[:5], Malformed),
    "cut in a segment": (PLAIN[:30], Malformed),
    "cut in its data": (PLAIN[:-40], Malformed),
    "no data": (PLAIN[: PLAIN.index(SCAN) + len(SCAN)] + b"\xff\xd9", Malformed),
    "too many segments": (after_start(PLAIN, segment(0xFE, b"") * 1200), TooComplex),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    frame, reason = REFUSED[case]
    with pytest.raises(reason):
        jpeg.strip(frame)


QUANTIZATION = next(payload for marker, payload in parts(PLAIN) if marker == 0xDB)
WRONG: dict[str, bytes] = {
    **{name: PLACES[name] for name in ("a comment", "EXIF", "before the frame", "behind the end")},
    "three pictures": PLAIN * 3,
    "a comment twice": after_start(PLAIN, *[segment(0xFE, b"CS=ITU601\0")] * 2),
    "late": PLAIN[:2] + segment(0xDB, QUANTIZATION) + segment(0xFE, b"CS=ITU601\0") + PLAIN[2:],
    "between segments": after_start(PLAIN, b"!"),
    "cut": PLAIN[:20],
    "cut in its data": PLAIN[:-2],
    "no scan": b"\xff\xd8" + segment(0xDB, QUANTIZATION) + b"\xff\xd9",
    "a table too long": after_start(PLAIN, segment(0xDB, QUANTIZATION + b"!")),
    "an empty table": after_start(PLAIN, segment(0xC4, b"")),
    "the same table twice": after_start(PLAIN, segment(0xDB, b"\0" * 65 * 2)),
    "a long restart": after_start(PLAIN, segment(0xDD, b"\0\1!")),
    "a long header": PLAIN.replace(FRAME_HEADER, segment(0xC0, FRAME_HEADER[4:] + b"!")),
    "an empty header": PLAIN.replace(FRAME_HEADER, segment(0xC0, b"")),
    "an unknown segment": after_start(PLAIN, segment(0xCC, b"")),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_checker_refuses_what_must_not_be_left(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        jpeg_check.check(WRONG[case])


def test_the_checker_lets_a_restart_interval_through() -> None:
    jpeg_check.check(without(saved(restart_marker_blocks=2), 0xE0))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(at=st.integers(2, 900), new=st.binary(max_size=5), cut=st.integers(0, 9))
def test_a_broken_frame_is_refused_or_silent(at: int, new: bytes, cut: int) -> None:
    whole = after_start(PLAIN, segment(0xFE, CANARY), segment(0xE1, b"Exif\0\0" + CANARY)) + CANARY
    try:
        made = jpeg.strip(whole[:at] + new + whole[at + cut :])
    except (Refused, ValueError, LookupError, struct.error):
        return
    assert CANARY not in made
    jpeg_check.check(made)
    assert jpeg.strip(made) == made
