"""AAC in ADTS frames: what goes, what stays, and what is refused."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Empty, Malformed, MetadataSurvived, Refused, TooComplex, Unsupported
from sanitizer.sound.adts_check import AdtsChecker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused, streamed
from tests.support.sounds import MONO, STEREO, ape, id3v1, id3v2, made

SIGNED = made("aac", STEREO.format(2), "-c:a", "aac")
BARE = clean(SIGNED)
SPEECH = made("aac", MONO.format(2), "-c:a", "aac", "-ar", "16000", "-ac", "1")


def frames(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at + 3 : at + 6], "big") >> 5 & 8191
        found.append(data[at : at + size])
        at += size
    return found


def frame(block: bytes, head: bytes = BARE, *, checksum: bytes = b"", last: int = 0xFC) -> bytes:
    """Return a frame around a block of sound, with a header like another's."""
    size = 7 + len(checksum) + len(block)
    first = head[1] & 0xFE if checksum else head[1]
    tail = [head[3] & 0xFC | size >> 11, size >> 3 & 255, size << 5 & 0xE0 | 31, last]
    return bytes([0xFF, first, head[2], *tail]) + checksum + block


FRAMES = frames(BARE)
MIDDLE = len(b"".join(FRAMES[:40]))


def data_element(what: bytes) -> bytes:
    """Return a data stream element of bytes, aligned, at the start of a block."""
    return bytes([0x80 | 1, len(what)]) + what


def fill_element(what: bytes) -> str:
    """Return a fill element of bytes, as bits."""
    length = len(what)
    count = f"{length:04b}" if length < 15 else f"1111{length - 14:08b}"
    return "110" + count + "".join(f"{byte:08b}" for byte in what)


def bits(text: str) -> bytes:
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def spelled() -> bytes:
    """Spell the word in the bits of headers that nobody needs."""
    told = iter(f"{int.from_bytes(CANARY * 30, 'big'):b}")
    made_of = []
    for each in FRAMES:
        head = bytearray(each)
        head[2] |= int(next(told)) << 1
        for shift in (5, 4, 3, 2):
            head[3] |= int(next(told)) << shift
        head[5] = head[5] & 0xE0 | int("".join(next(told) for _ in range(5)), 2)
        head[6] = int("".join(next(told) for _ in range(6)), 2) << 2
        made_of.append(bytes(head))
    return b"".join(made_of)


PLACES: dict[str, Callable[[], bytes]] = {
    "ID3v2": lambda: id3v2(CANARY) + BARE,
    "two ID3v2": lambda: id3v2(b"no") + id3v2(CANARY) + BARE,
    "ID3v2 between, as in live streams": lambda: BARE[:MIDDLE] + id3v2(CANARY) + BARE[MIDDLE:],
    "ID3v1": lambda: BARE + id3v1(CANARY),
    "APE": lambda: BARE + ape(CANARY),
    "a checksum": lambda: (
        b"".join(frame(each[7:], checksum=CANARY[:2]) for each in FRAMES) + id3v1(CANARY)
    ),
    "a data element": lambda: b"".join(
        [*FRAMES[:9], frame(data_element(CANARY) + bits("111")), *FRAMES[9:]]
    ),
    "a long data element": lambda: b"".join(
        [*FRAMES[:9], frame(b"\x81\xff\x09" + CANARY.ljust(264) + bits("111")), *FRAMES[9:]]
    ),
    "a frame that says nothing": lambda: b"".join(
        [*FRAMES[:9], frame(b"\xe0" + CANARY), *FRAMES[9:]]
    ),
    "a fill element": lambda: b"".join(
        [*FRAMES[:9], frame(bits(fill_element(b"\0" + CANARY) + "111")), *FRAMES[9:]]
    ),
    "a long fill element": lambda: b"".join(
        [*FRAMES[:9], frame(bits(fill_element(b"\0" + CANARY * 9) + "111")), *FRAMES[9:]]
    ),
    "between, like a frame": lambda: BARE[:MIDDLE] + BARE[:5] + CANARY + BARE[MIDDLE:],
    "a frame of another sound": lambda: (
        BARE[:MIDDLE]
        + id3v2(b"no")
        + frame(CANARY, frames(SPEECH)[0])
        + id3v2(b"no")
        + BARE[MIDDLE:]
    ),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_aac_is_emptied(place: str) -> None:
    dirty = PLACES[place]()
    if CANARY in dirty:
        result, facts = prove(dirty, ".aac")
    else:
        result, facts = cleaned(dirty)
        assert shifted(dirty) not in result
    assert result == BARE
    assert facts.removed


def shifted(dirty: bytes) -> bytes:
    """Return the bytes that the word makes in a fill element, which begins in mid-byte."""
    for shift in range(1, 8):
        whole = int.from_bytes(CANARY, "big") << shift
        inner = whole.to_bytes(len(CANARY) + 1, "big")[1:-1]
        if inner in dirty:
            return inner
    raise AssertionError("nothing is planted")


@pytest.mark.claim("C-META")
def test_a_sound_in_aac_keeps_its_samples() -> None:
    assert b"Lavc" in SIGNED
    assert b"Lavc" not in BARE
    assert hashes(BARE, decoded=True) == hashes(SIGNED, decoded=True)
    assert hashes(clean(SPEECH), decoded=True) == hashes(SPEECH, decoded=True)


@pytest.mark.claim("C-META")
def test_a_word_in_single_bits_of_many_headers_is_gone() -> None:
    assert clean(spelled()) == BARE


@pytest.mark.claim("C-META")
def test_a_data_element_before_the_sound_is_blanked_where_it_stands() -> None:
    dirty = b"".join([*FRAMES[:9], frame(data_element(CANARY) + FRAMES[9][7:]), *FRAMES[10:]])
    result, facts = prove(dirty, ".aac")
    assert frames(result)[9] == frame(data_element(bytes(13)) + FRAMES[9][7:])
    assert facts.removed == ("other_metadata",)
    assert hashes(result, decoded=True) == hashes(dirty, decoded=True)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("junk", [CANARY, CANARY * 30], ids=["word", "words"])
def test_a_frame_before_something_unknown_goes_with_it(junk: bytes) -> None:
    result, facts = prove(BARE[:MIDDLE] + junk + BARE[MIDDLE:], ".aac")
    assert result == b"".join([*FRAMES[:39], *FRAMES[40:]])
    assert "trailing_data" in facts.removed
    assert prove(BARE + junk, ".aac")[0] == b"".join(FRAMES[:-1])


@pytest.mark.claim("C-META")
def test_a_tag_where_a_frame_was_cut_off_is_not_taken_for_its_end() -> None:
    assert len(FRAMES[40]) > 128
    dirty = b"".join(FRAMES[:41])[:-128] + id3v1(CANARY)
    result, _ = prove(dirty, ".aac")
    assert result == b"".join(FRAMES[:40])


@pytest.mark.parametrize(("word", "before"), [(b"TAG", 128), (b"TAG+", 227)])
@pytest.mark.parametrize("many", [1, 20])
def test_sound_that_would_pass_for_a_tag_at_the_end_goes(
    word: bytes, before: int, many: int
) -> None:
    # In the middle of the file they are sound; what follows is none, and goes.
    last = frame(FRAMES[40][7:8] + bytes(300 // many)) * many
    said = bytearray(BARE[:MIDDLE] + last)
    said[-before : len(word) - before] = word
    made_of = clean(bytes(said) + frame(bytes([0xE0]))[:-1])
    assert clean(made_of) == made_of
    assert BARE[:MIDDLE].startswith(made_of[:MIDDLE])


def test_a_sound_that_was_cut_off_keeps_its_whole_frames() -> None:
    result, facts = cleaned(BARE[:-50])
    assert frames(result) == FRAMES[:-1] or frames(result) == FRAMES[:-2]
    assert "trailing_data" in facts.removed


REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "several blocks in a frame": (Unsupported, lambda: frame(FRAMES[5][7:], last=0xFD) * 5),
    "a layout of its own": (
        Unsupported,
        lambda: frame(FRAMES[5][7:], bytes([255, 241, BARE[2] & 0xFE, BARE[3] & 0x3F])) * 5,
    ),
    "a layout in a block": (Unsupported, lambda: frame(b"\xa0" + CANARY) * 5),
    "a layout behind data": (
        Unsupported,
        lambda: frame(data_element(b"no") + b"\xa0" + CANARY) * 5,
    ),
    "a data element that does not fit": (Malformed, lambda: frame(b"\x81\xff") * 5),
    "nothing that sounds": (Empty, lambda: frame(b"\xe0") * 5),
    "empty frames": (Empty, lambda: frame(b"") * 5),
    "fill alone": (Malformed, lambda: frame(bits(fill_element(b"\0\0"))) * 5),
    "a header alone": (Malformed, lambda: BARE[:7]),
    "a header cut short": (Malformed, lambda: BARE[:5]),
    "a reserved rate": (Malformed, lambda: bytes([255, 241, 0x7C, 0x80]) + bytes(99)),
    "a frame shorter than its header": (
        Malformed,
        lambda: bytes([255, 240, BARE[2], BARE[3], 1, 0x1F, 0xFC, 0, 0]),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    error, build = REFUSED[case]
    with pytest.raises(error):
        clean(build())


def test_a_bomb_of_marks_is_refused_soon() -> None:
    begun = time.process_time()
    with pytest.raises(TooComplex):
        clean(BARE + BARE[:4] * 300_000)
    assert time.process_time() - begun < 2


def test_a_sound_streams_in_parts() -> None:
    long = made("aac", STEREO.format(30), "-c:a", "aac", "-b:a", "256k")
    parts, *kind = streamed(long)
    assert len(parts) > 1
    assert kind == ["audio/aac", "aac"]
    assert hashes(b"".join(parts), decoded=True) == hashes(long, decoded=True)


def judge(data: bytes, step: int = 700) -> int:
    checker = AdtsChecker()
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    return checker.finish()


def with_head(place: int, value: int) -> bytes:
    return BARE[:place] + bytes([value]) + BARE[place + 1 :]


DIRTY: dict[str, Callable[[], bytes]] = {
    "a tag before": lambda: id3v2(CANARY) + BARE,
    "a tag behind": lambda: BARE + id3v1(CANARY),
    "a few bytes behind": lambda: BARE + b"abc",
    "a checksum": lambda: frame(FRAMES[5][7:], checksum=b"ab") * 3,
    "a private bit": lambda: with_head(2, BARE[2] | 2),
    "a home bit": lambda: with_head(3, BARE[3] | 16),
    "another sound": lambda: BARE + clean(SPEECH),
    "fullness": lambda: with_head(5, BARE[5] & 0xFE),
    "more fullness": lambda: with_head(6, 0xF8),
    "two blocks": lambda: with_head(6, 0xFD),
    "no layout": lambda: frame(FRAMES[5][7:], bytes([255, 241, BARE[2] & 0xFE, BARE[3] & 0x3F])),
    "data": lambda: frame(data_element(CANARY) + FRAMES[9][7:]),
    "an empty frame": lambda: frame(b""),
}


@pytest.mark.parametrize("case", DIRTY)
def test_the_checker_finds_what_a_writer_could_have_let_pass(case: str) -> None:
    assert judge(BARE) == len(FRAMES)
    with pytest.raises(MetadataSurvived):
        judge(DIRTY[case]())


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 1 << 30), st.integers(0, 12))
def test_any_bytes_are_cleaned_or_refused(seed: int, ways: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    data = bytearray(chance.choice([SIGNED, SPEECH]))
    for _ in range(ways):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if ways % 3 == 0:
        del data[: chance.randrange(len(data))]
    if ways % 4 == 0:
        del data[chance.randrange(len(data)) :]
    silent_or_refused(id3v2(CANARY) + bytes(data) + id3v1(CANARY))
