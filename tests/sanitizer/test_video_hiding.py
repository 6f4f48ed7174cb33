"""A planted word in every place of an MP4 that can hold one, and nowhere in what comes out."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Refused
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove
from tests.sanitizer.videos import PLAIN, SOUNDS, edited, lavfi, nal, nal_hevc, sounding
from tests.support.boxes import box, full, split
from tests.support.leaks import leaks
from tests.support.media import plain_video

SILENT = clean(PLAIN)
M4A = sounding(*SOUNDS["AAC"])
HEVC = plain_video(1, "libx265")
STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def added(data: bytes, inside: bytes, extra: bytes, *, first: bool = False) -> bytes:
    """Return a file (index last) with a box more in the first box of a type."""

    def walk(content: bytes) -> bytes:
        made, is_done = b"", False
        for kind, inner in split(content):
            new = inner
            if not is_done and kind == inside:
                new = extra + inner if first else inner + extra
            elif not is_done and kind in {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf"}:
                new = walk(inner)
            is_done |= new != inner
            made += box(kind, new)
        return made

    return walk(data)


def changed(kind: bytes, at: int, new: bytes) -> Callable[[], bytes]:
    """Return a maker of the plain video with bytes of its first box of a type replaced."""

    def make() -> bytes:
        place = PLAIN.index(kind, PLAIN.index(b"moov")) + 4 + at
        return PLAIN[:place] + new + PLAIN[place + len(new) :]

    return make


LEVELS: dict[str, Callable[[], bytes]] = {
    f"{name} in {inside.decode()}": lambda inside=inside, extra=extra: added(PLAIN, inside, extra)  # type: ignore[misc]
    for inside in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf")
    for name, extra in {
        "user data": box(b"udta", box(b"\xa9cmt", struct.pack(">HH", 13, 0) + CANARY)),
        "a free box": box(b"free", CANARY),
        "a private box": box(b"uuid", bytes(16), CANARY),
        "an unknown box": box(b"XtRa", CANARY),
        "metadata": full(
            b"meta", full(b"hdlr", bytes(4) + b"mdir", bytes(13)), box(b"xml ", CANARY)
        ),
    }.items()
}
PLACES: dict[str, Callable[[], bytes]] = {
    **LEVELS,
    "sample groups": lambda: added(PLAIN, b"stbl", full(b"sgpd", CANARY) + full(b"sbgp", CANARY)),
    "auxiliary data": lambda: added(PLAIN, b"stbl", full(b"saiz", CANARY) + full(b"saio", CANARY)),
    "priorities of samples": lambda: added(PLAIN, b"stbl", full(b"sdtp", CANARY)),
    "composition times": lambda: added(PLAIN, b"stbl", full(b"cslg", CANARY)),
    "a preview": lambda: added(PLAIN, b"moov", box(b"pnot", CANARY)),
    "a second index of movies": lambda: added(PLAIN, b"moov", box(b"rmra", box(b"rmda", CANARY))),
    "an object descriptor": lambda: added(PLAIN, b"moov", full(b"iods", CANARY)),
    "a track's look": lambda: added(PLAIN, b"trak", box(b"tapt", box(b"clef", CANARY))),
    "loading hints": lambda: added(PLAIN, b"trak", box(b"load", CANARY)),
    "a reference": lambda: added(PLAIN, b"trak", box(b"tref", box(b"cdsc", CANARY))),
    "a reference to another file": lambda: added(PLAIN, b"dinf", full(b"alis", CANARY)),
    "the end of a table": lambda: edited(lambda d: d + CANARY, *STBL, b"stts"),
    "the end of the chunks": lambda: edited(lambda d: d + CANARY, *STBL, b"stsc"),
    "the end of the sizes": lambda: edited(lambda d: d + CANARY, *STBL, b"stsz"),
    "the end of the places": lambda: edited(lambda d: d + CANARY, *STBL, b"stco"),
    "the end of the description": lambda: edited(
        lambda d: d + box(b"free", CANARY), *STBL, b"stsd"
    ),
    "the end of the movie header": lambda: edited(lambda d: d + CANARY, b"moov", b"mvhd"),
    "the end of a track header": lambda: edited(lambda d: d + CANARY, b"moov", b"trak", b"tkhd"),
    "the end of the handler": lambda: edited(
        lambda d: d + CANARY, b"moov", b"trak", b"mdia", b"hdlr"
    ),
    "unused fields of the movie": changed(b"mvhd", 80, CANARY),
    "a vendor of pictures": changed(b"avc1", 8, CANARY[:8]),
    "the compressor's name": changed(b"avc1", 42, bytes([len(CANARY)]) + CANARY),
    "a box in a setup": lambda: PLAIN + box(b"mdat", CANARY),
    "an event message": lambda: PLAIN + full(b"emsg", CANARY),
    "an index of segments": lambda: PLAIN + full(b"sidx", CANARY),
    "a random access table": lambda: PLAIN + box(b"mfra", CANARY),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_word_in_any_place_of_a_video_is_nowhere_in_the_clean_one(place: str) -> None:
    dirty = PLACES[place]()
    assert CANARY[:8] in dirty
    assert clean(dirty) == SILENT


@pytest.mark.parametrize("at", [48, 60, 72])
def test_the_third_column_of_a_matrix_says_nothing(at: int) -> None:
    assert clean(changed(b"tkhd", at, CANARY[:4])()) == SILENT


def test_the_video_that_the_others_become_is_silent() -> None:
    assert not leaks(CANARY[:8], SILENT)
    assert clean(SILENT) == SILENT


@pytest.mark.claim("C-META")
def test_a_fragment_of_nobody_says_nothing() -> None:
    dirty = PLAIN + box(b"moof", full(b"mfhd", bytes(4)), box(b"uuid", CANARY))
    assert prove(dirty, ".mov")


@pytest.mark.claim("C-META")
def test_a_voice_memo_loses_its_name_its_place_and_its_cover() -> None:
    udta = box(
        b"udta",
        full(
            b"meta",
            full(b"hdlr", bytes(4) + b"mdirappl", bytes(9)),
            box(
                b"ilst",
                box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0), CANARY)),
                box(b"\xa9day", box(b"data", struct.pack(">II", 1, 0), b"2026-01-02")),
                box(b"\xa9too", box(b"data", struct.pack(">II", 1, 0), b"com.apple.VoiceMemos")),
                box(b"covr", box(b"data", struct.pack(">II", 13, 0), CANARY)),
                box(b"----", full(b"mean", b"com.apple"), full(b"name", b"place"), CANARY),
            ),
        ),
        box(b"date", CANARY),
    )
    dirty = added(M4A, b"moov", udta)
    made, facts = prove(dirty, ".m4a")
    assert {"comment", "capture_time", "software", "cover"} <= set(facts.removed)
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


def with_unit(data: bytes, unit: bytes) -> bytes:
    """Return a video (index last, one chunk a track) with a unit more before its first frame."""
    index = data.index(b"moov") - 4
    begin = data.index(b"mdat") + 4
    data = data[:begin] + unit + data[begin:]
    data = data[: begin - 8] + struct.pack(">I", index - begin + 8 + len(unit)) + data[begin - 4 :]
    sizes = data.index(b"stsz") + 16
    (first,) = struct.unpack_from(">I", data, sizes)
    data = data[:sizes] + struct.pack(">I", first + len(unit)) + data[sizes + 4 :]
    places = [at for at in range(len(data)) if data.startswith(b"stco", at)]
    made = bytearray(data)
    for table in places:
        (count,) = struct.unpack_from(">I", made, table + 8)
        for row in range(table + 12, table + 12 + 4 * count, 4):
            (place,) = struct.unpack_from(">I", made, row)
            struct.pack_into(">I", made, row, place + (len(unit) if place != begin else 0))
    return bytes(made)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6, 12, 14, 15, 20, 22, 24, 30, 31])
def test_a_unit_of_h264_that_speaks_is_nowhere_in_the_clean_video(kind: int) -> None:
    dirty = with_unit(PLAIN, nal(kind, b"\5" + CANARY))
    made, facts = prove(dirty, ".mov")
    assert "sei" in facts.removed
    assert made == SILENT


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [22, 38, 39, 40, 41, 47, 48, 62, 63])
def test_a_unit_of_h265_that_speaks_is_nowhere_in_the_clean_video(kind: int) -> None:
    made, _ = prove(with_unit(HEVC, nal_hevc(kind, b"\1" + CANARY)), ".mov")
    assert made == clean(HEVC)


@pytest.mark.claim("C-META")
def test_bytes_of_mdat_that_no_table_names_do_not_come_along() -> None:
    begin, index = PLAIN.index(b"mdat"), PLAIN.index(b"moov") - 4
    grown = struct.pack(">I", index - begin + 4 + len(CANARY))
    dirty = PLAIN[: begin - 4] + grown + PLAIN[begin:index] + CANARY + PLAIN[index:]
    made, _ = prove(dirty, ".mov")
    assert made == SILENT


def test_numbers_of_a_layout_do_not_come_along() -> None:
    """The same film, laid out by two programs, is cleaned to the same bytes."""
    together = lavfi("-c:v", "libx264", "-c:a", "aac", "-f", "mov", seconds=2)
    apart = lavfi("-c:v", "libx264", "-c:a", "aac", "-f", "mp4", "-chunk_duration", "100000",
                  "-movflags", "faststart", seconds=2)  # fmt: skip
    assert together != apart
    cleaned_together, cleaned_apart = clean(together), clean(apart)
    assert len(cleaned_together) == len(cleaned_apart)
    data = cleaned_together.rindex(b"moov")
    assert cleaned_together[:data] == cleaned_apart[:data]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_planted_word_survive(data: st.DataObject) -> None:
    """Frames are left alone, for in them any word may be a picture."""
    whole = PLACES[data.draw(st.sampled_from(sorted(PLACES)))]()
    dirty = bytearray(whole)
    start = dirty.index(b"moov") - 4
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(start, len(dirty) - 1))
        dirty[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        made, _ = cleaned(bytes(dirty))
    except Refused:
        return
    assert CANARY not in made[made.rindex(b"moov") :]
