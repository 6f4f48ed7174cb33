"""AIFF and AIFF-C: what goes, what stays, and what is refused."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.iff.aiff import Aiff
from sanitizer.iff.aiff_check import Checker
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused
from tests.sanitizer.test_wav import Endless
from tests.support import containers
from tests.support.containers import recorded

SOUND = bytes(range(256)) * 4
RATE = bytes.fromhex("400bfa00000000000000")
"""8000 Hz."""
VERSION = b"FVER\0\0\0\4\xa2\x80\x51\x40"


def chunk(kind: bytes, data: bytes) -> bytes:
    return containers.chunk(kind, data, ">")


def form(*parts: bytes, kind: bytes = b"AIFF") -> bytes:
    body = kind + b"".join(parts)
    return b"FORM" + struct.pack(">I", len(body)) + body


def common(frames: int = 256, bits: int = 16, channels: int = 2, rate: bytes = RATE) -> bytes:
    return struct.pack(">HIH", channels, frames, bits) + rate


def sounding(data: bytes = SOUND, gap: bytes = b"") -> bytes:
    return chunk(b"SSND", struct.pack(">II", len(gap), 0) + gap + data)


def packed(codec: bytes, bits: int, name: bytes = b"\0\0", frames: int = 0) -> bytes:
    return form(
        VERSION, chunk(b"COMM", common(frames, bits) + codec + name), sounding(), kind=b"AIFC"
    )


COMMON = chunk(b"COMM", common())
PLAIN = form(COMMON, sounding())
PLACES: dict[str, tuple[bytes, str]] = {
    "a name": (chunk(b"NAME", CANARY), "comment"),
    "an author": (chunk(b"AUTH", CANARY), "author"),
    "a copyright": (chunk(b"(c) ", CANARY), "author"),
    "an annotation": (chunk(b"ANNO", CANARY), "comment"),
    "comments": (chunk(b"COMT", b"\0\1" + bytes(8) + CANARY), "comment"),
    "marks": (chunk(b"MARK", CANARY), "chapters"),
    "an instrument": (chunk(b"INST", CANARY), "other_metadata"),
    "MIDI": (chunk(b"MIDI", CANARY), "other_metadata"),
    "a recorder's bits": (chunk(b"AESD", CANARY), "other_metadata"),
    "a program's own": (chunk(b"APPL", CANARY), "other_metadata"),
    "ID3": (chunk(b"ID3 ", b"ID3\4" + CANARY), "other_metadata"),
    "accelerators": (chunk(b"SAXL", CANARY), "other_metadata"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_an_aiff_is_emptied(place: str) -> None:
    part, kind = PLACES[place]
    for number in range(3):
        parts = [COMMON, sounding()]
        parts.insert(number, part)
        made, facts = cleaned(form(*parts))
        assert made == PLAIN
        assert facts.removed == (kind,)
    prove(form(part, COMMON, sounding()), "aiff")


SLACK: dict[str, bytes] = {
    "before the sound": form(COMMON, sounding(gap=CANARY)),
    "behind the sound": form(COMMON, sounding(SOUND + CANARY)),
    "behind the numbers": form(chunk(b"COMM", common() + CANARY), sounding()),
    "behind the last chunk": PLAIN + CANARY,
    "behind the last chunk, short": form(chunk(b"NAME", CANARY), COMMON, sounding()) + b"tail",
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", SLACK)
def test_slack_in_an_aiff_goes(place: str) -> None:
    made, _ = prove(SLACK[place], "aiff")
    assert made == PLAIN


@pytest.mark.claim("C-META")
def test_the_name_of_a_compression_goes() -> None:
    dirty = packed(b"sowt", 16, bytes([len(CANARY)]) + CANARY)
    made, facts = prove(dirty, "aifc")
    assert made == packed(b"sowt", 16, frames=256)
    assert facts.removed == ("comment",)


@pytest.mark.claim("C-META")
def test_the_zero_behind_an_odd_length_is_a_zero() -> None:
    told = chunk(b"COMM", common(5, 8, 1))
    assert clean(form(told, sounding(b"sound")[:-1] + b"C")) == form(told, sounding(b"sound"))


def test_sound_may_stand_before_its_description() -> None:
    assert clean(form(sounding(), COMMON)) == PLAIN


def test_sound_that_is_cut_is_kept_up_to_the_last_whole_frame() -> None:
    cut = PLAIN[:-5]
    assert clean(cut) == form(chunk(b"COMM", common(254)), sounding(SOUND[: 254 * 4]))


CODECS = {
    b"NONE": 16, b"twos": 24, b"sowt": 16, b"raw ": 8, b"in24": 24, b"in32": 32, b"fl32": 32,
    b"FL32": 32, b"fl64": 64, b"FL64": 64, b"alaw": 16, b"ALAW": 8, b"ulaw": 16, b"ULAW": 8,
}  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
def test_each_kind_of_sound_is_copied_in_whole_frames(codec: bytes) -> None:
    made, _ = cleaned(packed(codec, CODECS[codec]))
    sound = made[made.index(b"SSND") + 16 :]
    assert SOUND.startswith(sound)
    assert len(sound) > 1000
    assert clean(made) == made


@pytest.mark.parametrize(
    "codec", ["pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_f32be", "pcm_alaw", "pcm_mulaw", "pcm_s16le"]
)
def test_what_is_heard_is_the_same(codec: str) -> None:
    title = "title=" + CANARY.decode()
    dirty = recorded("aiff", "-c:a", codec, "-metadata", title, picture="")
    made, _ = prove(dirty, "aiff")
    assert hashes(made) == hashes(dirty)


RATES = {
    "22254.545454...": ("400dadddd1745d1745d1", "400dadddd17400000000"),
    "44100": ("400eac44000000000000", "400eac44000000000000"),
    "2": ("40008000000000000000", "40008000000000000000"),
    "just below 2": ("3fffffffffffffffffff", "40008000000000000000"),
    "a message in the last bits": ("400eac4400005eadbeef", "400eac44000000000000"),
    "rounded up": ("400eac447fffffffffff", "400eac44800000000000"),
}


@pytest.mark.parametrize("rate", RATES)
def test_a_rate_is_kept_to_the_65536th_part_of_a_hertz(rate: str) -> None:
    told, kept = (bytes.fromhex(text) for text in RATES[rate])
    if rate == "just below 2":
        with pytest.raises(Malformed):
            clean(form(chunk(b"COMM", common(rate=told)), sounding()))
        return
    assert clean(form(chunk(b"COMM", common(rate=told)), sounding()))[28:38].hex() == kept.hex()


REFUSED: dict[str, tuple[bytes, type[Refused]]] = {
    "an unknown compression": (packed(b"ima4", 16), Unsupported),
    "bits that cannot be": (packed(b"fl32", 16), Malformed),
    "no channels": (form(chunk(b"COMM", common(channels=0)), sounding()), Malformed),
    "a negative rate": (
        form(chunk(b"COMM", common(rate=b"\xc0" + RATE[1:])), sounding()),
        Malformed,
    ),
    "a rate of nothing": (form(chunk(b"COMM", common(rate=bytes(10))), sounding()), Malformed),
    "a rate beyond hearing": (
        form(chunk(b"COMM", common(rate=b"\x40\x20" + RATE[2:])), sounding()),
        Malformed,
    ),
    "a short description": (form(chunk(b"COMM", common()[:17]), sounding()), Malformed),
    "no compression": (form(COMMON, sounding(), kind=b"AIFC"), Malformed),
    "two descriptions": (form(COMMON, COMMON, sounding()), Malformed),
    "two sounds": (form(COMMON, sounding(), sounding()), Malformed),
    "no sound": (form(COMMON), Malformed),
    "less than a frame": (form(COMMON, sounding(b"\1\2\3")), Empty),
    "a gap beyond the end": (form(COMMON, chunk(b"SSND", b"\0\1\0\0\0\0\0\0" + SOUND)), Empty),
    "much more sound than is said": (form(COMMON, sounding(bytes(70_000))), Malformed),
    "a sound that is cut in its head": (form(COMMON, sounding())[:-1025], Malformed),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    dirty, reason = REFUSED[case]
    with pytest.raises(reason):
        clean(dirty)


def test_bombs_of_chunks_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(form(COMMON, chunk(b"ANNO", b"") * 50, sounding()), Limits(video_boxes=40))


def test_more_sound_than_32_bits_can_count_is_refused() -> None:
    told = chunk(b"COMM", common(0x3FFFFFFF))
    head = form(told, b"SSND\xff\xff\xff\xff" + bytes(8))
    with pytest.raises(TooLarge):
        Aiff(Endless(head, 1 << 33), Limits())


def wrong() -> Iterator[tuple[str, bytes]]:
    """Yield heads and tails that a writer gone wrong might make."""
    yield "a name", form(COMMON, chunk(b"NAME", CANARY), sounding())
    yield "a name behind", PLAIN + chunk(b"NAME", CANARY)
    yield "another length", PLAIN[:4] + b"\0\0\0\0" + PLAIN[8:]
    yield "cut", PLAIN[:-1]
    yield "only a head", PLAIN[:40]
    yield "no head", bytes(300)
    told = chunk(b"COMM", common(5, 8, 1))
    yield "a filler that is none", form(told, sounding(b"sound")[:-1] + b"C")
    yield "a gap", form(COMMON, sounding(gap=CANARY))
    yield "more than is counted", form(COMMON, sounding(SOUND + b"more"))
    yield "a name of a compression", packed(b"sowt", 16, b"\1x", frames=256)
    yield (
        "a rate that is a message",
        form(chunk(b"COMM", common(rate=RATE[:6] + b"lost")), sounding()),
    )
    yield (
        "a rate that is not normal",
        form(chunk(b"COMM", common(rate=RATE[:2] + b"\x7a" + RATE[3:])), sounding()),
    )


@pytest.mark.parametrize("case", dict(wrong()))
def test_the_checker_refuses_what_the_writer_must_not_make(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(dict(wrong())[case])


def judge(made: bytes) -> None:
    checker = Checker()
    for at in range(0, len(made), 7):
        checker.feed(made[at : at + 7])
    checker.finish()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(at=st.integers(12, 120), new=st.binary(max_size=9), cut=st.integers(0, 12))
def test_a_broken_aiff_is_refused_or_silent(at: int, new: bytes, cut: int) -> None:
    whole = form(chunk(b"NAME", CANARY), COMMON, sounding(), chunk(b"ID3 ", CANARY))
    silent_or_refused(whole[:at] + new + whole[at + cut :])
