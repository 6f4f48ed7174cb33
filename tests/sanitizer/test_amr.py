"""AMR voice recordings: what goes, what stays, and what is refused."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Empty, Malformed, MetadataSurvived, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.sound.amr_check import AmrChecker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused, streamed
from tests.support.sounds import MONO, id3v1, id3v2, made

NARROW = made("amr", MONO.format(4), "-ar", "8000", "-ac", "1", "-b:a", "12.2k")
SLOW = made("amr", MONO.format(4), "-ar", "8000", "-ac", "1", "-b:a", "4.75k", "-dtx", "1")
MAGIC, WIDE_MAGIC = b"#!AMR\n", b"#!AMR-WB\n"
# Bytes of a frame, its first one included, by kind.
NARROW_SIZES = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
WIDE_SIZES = {0: 18, 1: 24, 2: 33, 3: 37, 4: 41, 5: 47, 6: 51, 7: 59, 8: 61, 9: 6, 14: 1, 15: 1}
CHANCE = random.Random(7)  # noqa: S311 - the same on every run


def wide(kind: int, quality: int = 4) -> bytes:
    return bytes([kind << 3 | quality]) + CHANCE.randbytes(WIDE_SIZES[kind] - 1)


WIDE = WIDE_MAGIC + b"".join(wide(kind) for kind in [2, 2, 8, 9, 15, 14, 2, 0] * 9)


@pytest.mark.parametrize("data", [NARROW, SLOW], ids=["12.2", "4.75"])
def test_a_recording_stays_as_it_is(data: bytes) -> None:
    result, facts = cleaned(data)
    assert result == data
    assert facts.removed == ()


def test_a_wide_recording_keeps_its_sound() -> None:
    result, facts = cleaned(WIDE)
    assert len(result) == len(WIDE)
    assert clean(result) == result
    assert facts.removed == ("other_metadata",)


SECOND = len(NARROW) - 32 * 100
TAILS: dict[str, bytes] = {
    "a word": CANARY,
    "a tag": id3v1(CANARY),
    "a longer tag": id3v2(CANARY),
    "words that begin like a frame": b"<" + CANARY * 3,
    "words that look like frames": (b"<" + CANARY * 2 + b".....") * 3,
    "words of the length of a frame": b"<" + (CANARY * 3)[:31],
    "words in a frame cut short": b"<" + CANARY,
    "a frame cut short, of another kind": b"\x04" + CANARY[:9],
    "a box": b"\0\0\0\x20uuid" + CANARY + bytes(11),
    "words behind what looks like a frame": b"<" + bytes(range(40, 71)) + b"!" + CANARY,
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("tail", TAILS)
def test_what_is_behind_a_recording_is_dropped(tail: str) -> None:
    result, facts = prove(NARROW + TAILS[tail] + CANARY, ".amr")
    assert NARROW.startswith(result)
    assert len(NARROW) - 32 * 17 <= len(result)
    assert "trailing_data" in facts.removed


@pytest.mark.claim("C-META")
def test_words_in_the_middle_end_a_recording() -> None:
    dirty = NARROW[:SECOND] + (b"<" + CANARY * 3)[:32] + NARROW[SECOND:]
    result, _ = prove(dirty, ".amr")
    assert NARROW[:SECOND].startswith(result)


@pytest.mark.claim("C-META")
def test_a_word_in_bits_that_no_frame_uses_is_gone() -> None:
    told = iter(f"{int.from_bytes(CANARY * 9, 'big'):b}")
    dirty = bytearray(NARROW)
    for end in range(6 + 31, len(NARROW), 32):
        dirty[end] = dirty[end] & 0xF0 | int("".join(next(told) for _ in range(4)), 2)
    result, facts = cleaned(bytes(dirty))
    assert result == NARROW
    assert facts.removed == ("other_metadata",)


def test_a_recording_that_was_cut_off_keeps_its_whole_frames() -> None:
    result, facts = cleaned(NARROW[:-5])
    assert result == NARROW[:-32]
    assert facts.removed == ("trailing_data",)
    assert hashes(result, decoded=True)


@pytest.mark.claim("C-META")
def test_a_tag_where_a_recording_was_cut_off_is_not_taken_for_sound() -> None:
    for cut in (5, 20, 31):
        result, facts = prove(NARROW[:-cut] + id3v1(CANARY), ".amr")
        assert result == NARROW[:-32]
        assert "trailing_data" in facts.removed


def test_a_recording_that_is_damaged_in_its_middle_is_refused() -> None:
    long = MAGIC + NARROW[6:] * 40
    with pytest.raises(Malformed):
        clean(long[: 6 + 320] + b"\xff" + long[6 + 321 :])


def test_no_sound_is_empty() -> None:
    for data in (MAGIC, WIDE_MAGIC, MAGIC + CANARY, MAGIC + b"\x3c"):
        with pytest.raises(Empty):
            clean(data)


def test_several_channels_are_refused() -> None:
    with pytest.raises(Unsupported):
        clean(b"#!AMR_MC1.0\n\0\0\0\2" + NARROW[6:])


def test_more_frames_than_the_limit_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(MAGIC + b"\x7c" * 100_000, Limits(sound_frames=50_000))
    with pytest.raises(TooComplex):
        clean(NARROW, Limits(sound_frames=20))


def test_a_long_recording_streams_in_parts() -> None:
    data = MAGIC + NARROW[6:] * 200
    parts, *kind = streamed(data)
    assert len(parts) > 2
    assert b"".join(parts) == data
    assert kind == ["audio/amr", "amr"]
    assert streamed(WIDE)[1:] == ("audio/amr-wb", "awb")


def judge(data: bytes, step: int = 100) -> int:
    checker = AmrChecker()
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    return checker.finish()


@pytest.mark.parametrize("magic", [MAGIC, WIDE_MAGIC], ids=["narrow", "wide"])
def test_the_checker_knows_the_same_frames_as_the_writer(magic: bytes) -> None:
    sizes = NARROW_SIZES if magic == MAGIC else WIDE_SIZES
    for kind in range(16):
        for quality in range(8):
            frame = bytes([kind << 3 | quality]) + CHANCE.randbytes(sizes.get(kind, 1) - 1)
            dirty = magic + (frame * 30 if quality == 4 else frame * 2)
            if kind in sizes and (quality == 4 or (quality == 0 and sizes[kind] == 1)):
                result = clean(dirty)
                assert judge(result) == (30 if quality == 4 else 2)
                if result != dirty:
                    with pytest.raises(MetadataSurvived):
                        judge(dirty)
            else:
                with pytest.raises(Empty):
                    clean(dirty)
                with pytest.raises(MetadataSurvived):
                    judge(dirty)


DIRTY: dict[str, Callable[[], bytes]] = {
    "another magic": lambda: b"#!AMX\n" + NARROW[6:],
    "a tag behind": lambda: NARROW + id3v1(CANARY),
    "words as a frame": lambda: NARROW + b"<" + (CANARY * 2 + b"....0")[:31],
    "half a frame": lambda: NARROW[:-1],
    "a bit that is not used": lambda: NARROW[:-1] + bytes([NARROW[-1] | 1]),
}


@pytest.mark.parametrize("case", DIRTY)
def test_the_checker_finds_what_a_writer_could_have_let_pass(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(DIRTY[case]())


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from([NARROW, SLOW, WIDE]), st.integers(0, 1 << 30), st.integers(0, 6))
def test_any_bytes_are_cleaned_or_refused(whole: bytes, seed: int, ways: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    data = bytearray(whole)
    for _ in range(ways):
        data[chance.randrange(9, len(data))] = chance.randrange(256)
    if ways % 2:
        del data[chance.randrange(9, len(data)) :]
    silent_or_refused(bytes(data) + id3v1(CANARY))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("stray", [b"\0", b"CANARY7", b"\x04x"], ids=["a zero", "a word", "a head"])
def test_a_stray_byte_behind_a_recording_costs_no_frame(stray: bytes) -> None:
    result, facts = cleaned(NARROW + stray)
    assert result == NARROW
    assert facts.removed == ("trailing_data",)
    assert clean(result) == result


def test_eight_bytes_or_frames_of_several_kinds_cost_the_last_ones() -> None:
    assert cleaned(NARROW + bytes(8))[0] == NARROW[: -32 * 16]
    mixed = WIDE_MAGIC + wide(2) * 20 + wide(8)
    assert len(clean(mixed + b"\0")) == len(WIDE_MAGIC) + 33 * 5
