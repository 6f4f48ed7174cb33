"""FLAC: what goes, what stays, and what is refused."""

import random
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Empty, Malformed, MetadataSurvived, Refused, TooComplex
from sanitizer.limits import Limits
from sanitizer.sound import crc
from sanitizer.sound.flac import check_frame, frame
from sanitizer.sound.flac import header as headers
from sanitizer.sound.flac.check import FlacChecker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused, streamed
from tests.support.sounds import MONO, STEREO, ape, id3v1, id3v2, made

TOLD = ("-metadata", "title=" + CANARY.decode())
SOUNDS = {
    "stereo": made("flac", STEREO.format(2), "-c:a", "flac", "-sample_fmt", "s16", *TOLD),
    "fine": made(
        "flac", STEREO.format(1), "-c:a", "flac", "-sample_fmt", "s32", "-ar", "96000", *TOLD
    ),
    "sine": made("flac", "sine=d=1", "-c:a", "flac", "-compression_level", "12", *TOLD),
    "silence": made("flac", "anullsrc=d=1", "-c:a", "flac", *TOLD),
    "fast": made("flac", MONO.format(1), "-c:a", "flac", "-compression_level", "0", *TOLD),
    "odd rate": made("flac", MONO.format(1), "-c:a", "flac", "-ar", "12345", *TOLD),
    "six channels": made("flac", "sine=d=1,pan=5.1|c0=c0|c2=c0", "-c:a", "flac", *TOLD),
}
STEREO_FILE = SOUNDS["stereo"]
BARE = clean(STEREO_FILE)
INFO = 42


def blocks(*added: tuple[int, bytes], sound: bytes = BARE) -> bytes:
    """Return a FLAC file with metadata blocks behind its first."""
    told = [(0, sound[8:INFO]), *added]
    return (
        b"fLaC"
        + b"".join(
            bytes([kind | (0x80 if place == len(told) - 1 else 0)])
            + len(data).to_bytes(3, "big")
            + data
            for place, (kind, data) in enumerate(told)
        )
        + sound[INFO:]
    )


def frames_of(data: bytes) -> list[bytes]:
    """Cut a clean FLAC at the numbers of its frames."""
    info = headers.StreamInfo.from_bytes(data[8:INFO])
    found, at = [], INFO
    while at < len(data):
        header = headers.parse(data[at : at + 16], info)
        assert header
        found.append(frame.clean(data[at:], header, header.number))
        at += len(found[-1])
    return found


FRAMES = frames_of(BARE)
MIDDLE = INFO + len(b"".join(FRAMES[:9]))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", SOUNDS)
def test_a_flac_says_nothing_and_sounds_the_same(name: str) -> None:
    result, facts = prove(SOUNDS[name], ".flac")
    assert hashes(result, decoded=True) == hashes(SOUNDS[name], decoded=True)
    assert hashes(result) == hashes(SOUNDS[name])
    assert {"other_metadata", "software"} <= set(facts.removed)


COMMENT = struct.pack("<I", 0) + struct.pack("<I", 1) + struct.pack("<I", 20) + b"ARTIST=" + CANARY
CUE = CANARY.ljust(396, b"\0")
PLACES: dict[str, Callable[[], bytes]] = {
    "a comment": lambda: blocks((4, COMMENT)),
    "an application": lambda: blocks((2, b"what" + CANARY)),
    "a picture": lambda: blocks((6, bytes(8) + CANARY)),
    "padding": lambda: blocks((1, bytes(9) + CANARY)),
    "a seek table": lambda: blocks((3, CANARY.ljust(18))),
    "a cue sheet": lambda: blocks((5, CUE)),
    "a reserved block": lambda: blocks((77, CANARY)),
    "a second stream information": lambda: blocks((0, CANARY.ljust(34))),
    "ID3v2 before": lambda: id3v2(CANARY) + BARE,
    "two ID3v2 before": lambda: id3v2(b"no") + id3v2(CANARY) + BARE,
    "ID3v1 behind": lambda: BARE + id3v1(CANARY),
    "APE behind": lambda: BARE + ape(CANARY),
    "words behind": lambda: BARE + CANARY,
    "between the blocks and the sound": lambda: BARE[:INFO] + CANARY + BARE[INFO:],
    "between frames": lambda: BARE[:MIDDLE] + CANARY + BARE[MIDDLE:],
    "between frames, like one": lambda: BARE[:MIDDLE] + b"\xff\xf8" + CANARY + BARE[MIDDLE:],
    "the fingerprint of the sound": lambda: BARE[:26] + CANARY + bytes(3) + BARE[INFO:],
    "the sizes of frames": lambda: id3v2(CANARY) + BARE[:12] + b"ABCDEF" + BARE[18:],
    "the number of samples": lambda: id3v2(CANARY) + BARE[:22] + b"ABCD" + BARE[26:],
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_flac_is_emptied(place: str) -> None:
    result, facts = prove(PLACES[place](), ".flac")
    assert result == BARE
    assert facts.removed or place in {"the fingerprint of the sound", "a seek table"}


def test_frames_are_numbered_from_zero_whatever_they_were() -> None:
    info = headers.StreamInfo.from_bytes(BARE[8:INFO])
    for start in (100, 5000, 1 << 20, 1 << 24, (1 << 31) - 40):
        late = b""
        for number, each in enumerate(FRAMES):
            header = headers.parse(each[:16], info)
            assert header
            late += frame.clean(each, header, start + number)
        assert clean(BARE[:INFO] + late) == BARE


def variable() -> bytes:
    """Return the file with its frames as if their sizes were free: numbered by samples."""
    info, at, data = headers.StreamInfo.from_bytes(BARE[8:INFO]), 0, BARE[:INFO]
    for each in FRAMES:
        header = headers.parse(each[:16], info)
        assert header
        head = bytearray(headers.renumbered(each, header, at))
        head[1] |= 1
        head[-1] = crc.crc8(bytes(head[:-1]))
        whole = bytes(head) + each[header.length : -2]
        data += whole + crc.crc16(whole).to_bytes(2, "big")
        at += header.block
    return data


def test_frames_of_several_sizes_are_numbered_by_their_samples() -> None:
    result = clean(variable())
    assert judge(result) == len(FRAMES)
    assert clean(result) == result
    assert result[8:10] == b"\0\x10"
    assert hashes(result, decoded=True) == hashes(BARE, decoded=True)


def test_a_flac_that_was_cut_off_keeps_its_whole_frames() -> None:
    for cut in (1, 2, 100, len(FRAMES[-1]) - 20):
        result, facts = cleaned(BARE[:-cut])
        assert frames_of(result) == FRAMES[:-1]
        assert facts.removed == ("trailing_data",)


def with_tail(tail: bytes) -> bytes:
    """Return the file with bytes in its last frame, behind its sound, and right checksums."""
    whole = FRAMES[-1][:-2] + tail
    return b"".join([BARE[:INFO], *FRAMES[:-1], whole, crc.crc16(whole).to_bytes(2, "big")])


REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "bytes within a frame": (Malformed, lambda: with_tail(CANARY)),
    "a frame that is missing": (
        Malformed,
        lambda: BARE[:INFO] + b"".join(FRAMES[:5] + FRAMES[6:]),
    ),
    "a frame that is damaged": (
        Malformed,
        lambda: BARE[: MIDDLE + 99] + b"??" + BARE[MIDDLE + 101 :],
    ),
    "a second file behind": (Malformed, lambda: BARE + BARE),
    "no stream information": (Malformed, lambda: b"fLaC\x84\0\0\x04" + bytes(4) + BARE[INFO:]),
    "half a stream information": (Malformed, lambda: BARE[:30]),
    "no sampling rate": (
        Malformed,
        lambda: BARE[:18] + bytes(2) + bytes([BARE[20] & 15]) + BARE[21:],
    ),
    "blocks cut short": (Malformed, lambda: b"fLaC\0" + BARE[5:INFO] + b"\4"),
    "no frame": (Empty, lambda: BARE[:INFO]),
    "half a frame": (Empty, lambda: BARE[: INFO + 20]),
    "too many blocks": (TooComplex, lambda: blocks(*[(1, b"")] * 5000)),
    "marks": (TooComplex, lambda: BARE + b"\xff\xf8" * 500_000),
    "marks that are far": (TooComplex, lambda: BARE + bytes(3 << 20) + b"\xff\xf8" * 500_000),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    error, build = REFUSED[case]
    data = build()
    begun = time.process_time()
    with pytest.raises(error):
        clean(data)
    assert time.process_time() - begun < 2


def test_more_frames_than_the_limit_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(BARE, Limits(sound_frames=5))


# Frames, bit by bit ---------------------------------------------------------------------------

BITS = headers.StreamInfo(16, 65535, 44100, 1, 16)
ALIKE = headers.StreamInfo(16, 65535, 44100, 2, 16)


def coded(*fields: str, block: int = 16, mono: bool = True, number: bytes = b"\0") -> bytes:
    """Return a frame of subframes in bits, of 16 bits a sample at 44.1 kHz."""
    layout = 0x00 if mono else 0x80
    head = bytes([0xFF, 0xF8, 0x69, layout | 8]) + number + bytes([block - 1])
    head += bytes([crc.crc8(head)])
    text = "".join(fields)
    text += "0" * (-len(text) % 8)
    whole = head + int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]
    return whole + crc.crc16(whole).to_bytes(2, "big")


ZERO = "0" * 16
CONSTANT = "00000000" + ZERO
VERBATIM = "00000010" + ZERO * 16
RICE = "00" + "0000" + "0011" + "1010" * 8 + "0001101" * 8
FIXED = "00010000" + RICE
SECOND = "00010100" + ZERO * 2 + "00" + "0000" + "0000" + "1" * 14
ESCAPED = "00010000" + "00" + "0000" + "1111" + "00010" + "11" * 16
ESCAPED_WIDE = "00010000" + "01" + "0000" + "11111" + "00010" + "11" * 16
PARTS = "00010000" + "00" + "0001" + "0001" + "11" * 8 + "0000" + "1" * 8
PREDICTED = (
    "01000010" + ZERO * 2 + "0011" + "00001" + "0101" * 2 + "00" + "0000" + "0000" + "1" * 14
)
WASTED = "00000001" + "01" + "0" * 14
FRAME_FORMS = {
    "constant": CONSTANT,
    "verbatim": VERBATIM,
    "second order": SECOND,
    "escaped": ESCAPED,
    "escaped with wide parameters": ESCAPED_WIDE,
    "two partitions": PARTS,
    "predicted": PREDICTED,
    "wasted bits": WASTED,
}


@pytest.mark.parametrize("form", FRAME_FORMS)
def test_a_frame_ends_where_its_last_residual_does(form: str) -> None:
    whole = coded(FRAME_FORMS[form])
    header = headers.parse(whole[:16], BITS)
    assert header
    assert frame.clean(whole + CANARY, header, 0) == whole
    for cut in range(1, len(whole) - header.length):
        with pytest.raises(frame.CutShort):
            frame.clean(whole[:-cut], header, 0)


def test_the_side_of_a_stereo_frame_has_one_bit_more() -> None:
    for layout, first in ((8, 16), (9, 17), (10, 16)):
        head = bytes([0xFF, 0xF8, 0x69, layout << 4 | 8, 0, 15])
        head += bytes([crc.crc8(head)])
        header = headers.parse(head, ALIKE)
        assert header
        assert header.bits == (first, 33 - first)


@pytest.mark.parametrize(
    "bits",
    [
        "10000000" + ZERO,
        "00000100" + ZERO,
        "00100000" + ZERO * 40,
        "00000001" + "0" * 17 + "1" + ZERO,
        "00010000" + "10" + "0000" + ZERO * 9,
        "00010000" + "00" + "0101" + ZERO * 9,
        "00011000" + ZERO * 4 + "00" + "0011" + ZERO * 9,
        "00011010" + ZERO * 9,
        CONSTANT[:-1] + "0" + "00000001",
    ],
    ids=[
        "first bit",
        "reserved",
        "reserved order",
        "all wasted",
        "method",
        "partitions",
        "warm up",
        "high order",
        "behind",
    ],
)
def test_a_frame_that_contradicts_itself_is_refused(bits: str) -> None:
    whole = coded(bits)
    header = headers.parse(whole[:16], BITS)
    assert header
    with pytest.raises(Malformed):
        frame.clean(whole, header, 0)


def test_bits_that_fill_up_a_frame_must_be_zero() -> None:
    whole = coded("00010000" + "00" + "0000" + "0000" + "1" * 16, "111111")
    header = headers.parse(whole[:16], BITS)
    assert header
    with pytest.raises(Malformed):
        frame.clean(whole, header, 0)


def test_a_frame_of_wasted_bits_without_an_end_is_cut_short() -> None:
    header = headers.Header(6, 16, 0, is_variable=False, bits=(16,))
    with pytest.raises(frame.CutShort):
        frame.clean(bytes(6) + b"\1" + bytes(9), header, 0)


def head(
    *, block: int = 6, rate: int = 9, layout: int = 8, number: bytes = b"\0", rest: bytes = b"\x0f"
) -> bytes:
    data = bytes([0xFF, 0xF8, block << 4 | rate, layout]) + number + rest
    return data + bytes([crc.crc8(data)])


HEADS: dict[str, tuple[bytes, int]] = {
    "192": (head(block=1, rest=b""), 192),
    "576": (head(block=2, rest=b""), 576),
    "4608": (head(block=5, rest=b""), 4608),
    "256": (head(block=8, rest=b""), 256),
    "32768": (head(block=15, rest=b""), 32768),
    "one byte": (head(), 16),
    "two bytes": (head(block=7, rest=b"\1\0"), 257),
    "no rate": (head(rate=0), 16),
    "rate in hertz": (head(rate=13, rest=b"\x0f\xac\x44"), 16),
    "rate in tens": (head(rate=14, rest=b"\x0f\x11\x3a"), 16),
    "no bits": (head(layout=0), 16),
    "seven bytes": (head(number=b"\xfe" + b"\x80" * 6), 16),
}


@pytest.mark.parametrize("name", HEADS)
def test_both_parsers_read_every_sort_of_header(name: str) -> None:
    data, block = HEADS[name]
    one, other = headers.parse(data, BITS), check_frame.header(data)
    assert one
    assert other
    assert (one.block, one.number) == (other.block, other.number) == (block, 0)
    assert headers.parse(data[:-1] + bytes([data[-1] ^ 1]), BITS) is None
    assert check_frame.header(data[:-1] + bytes([data[-1] ^ 1])) is None


@pytest.mark.parametrize(
    "value", [0, 127, 128, 2047, 2048, 65535, 1 << 16, 1 << 21, 1 << 26, 1 << 35]
)
def test_both_parsers_read_every_size_of_number(value: int) -> None:
    first = headers.parse(head(), BITS)
    assert first
    data = headers.renumbered(head(), first, value)
    one, other = headers.parse(data, BITS), check_frame.header(data)
    assert one
    assert other
    assert one.number == other.number == value


NO_HEADS = {
    "reserved block": head(block=0, rest=b""),
    "a block too long": head(block=7, rest=b"\xff\xff"),
    "another rate": head(rate=10),
    "a reserved rate": head(rate=15),
    "a rate in thousands": head(rate=12, rest=b"\x0f\x2c"),
    "other bits": head(layout=2),
    "another layout": head(layout=0x18),
    "sides of one channel": head(layout=0x88),
    "a reserved layout": head(layout=0xF8),
    "a number without a start": head(number=b"\x80"),
    "a number of eight bytes": head(number=b"\xff" + b"\x80" * 6),
    "a number that breaks off": head(number=b"\xc2\x00"),
    "a reserved bit": head(layout=9),
}


@pytest.mark.parametrize("name", NO_HEADS)
def test_what_is_no_header_of_this_stream_is_none(name: str) -> None:
    assert headers.parse(NO_HEADS[name], BITS) is None


def test_what_is_no_header_at_all_is_none_to_the_checker_too() -> None:
    names = ("reserved block", "a number without a start", "a number of eight bytes")
    for name in (*names, "a number that breaks off", "a reserved bit"):
        assert check_frame.header(NO_HEADS[name]) is None
    assert check_frame.header(b"\xff\xf8\x69\x08\xfe\x80") is None
    assert headers.parse(b"\xff\xf8\x69\x08\xfe\x80\x80", BITS) is None


def test_the_checksum_without_a_loop_is_that_of_the_loop() -> None:
    chance = random.Random(5)  # noqa: S311 - the same on every run
    for size in [*range(40), 500, 4097]:
        data = chance.randbytes(size)
        value = 0
        for byte in data:
            value ^= byte << 8
            for _ in range(8):
                value = value << 1 & 0xFFFF ^ (0x8005 if value & 0x8000 else 0)
        assert crc.crc16(data) == value
        assert check_frame.is_whole(data + value.to_bytes(2, "big"))
        assert not check_frame.is_whole(data + (value ^ 1).to_bytes(2, "big"))


# The checker ---------------------------------------------------------------------------------


def judge(data: bytes, step: int = 999) -> int:
    checker = FlacChecker()
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    return checker.finish()


@pytest.mark.parametrize("name", SOUNDS)
def test_the_checker_passes_what_the_writer_makes(name: str) -> None:
    result = clean(SOUNDS[name])
    assert judge(result) == judge(result, 1 << 20) == judge(result, 7) > 0


def test_a_sound_of_small_frames_passes_too() -> None:
    small = b"".join(coded(CONSTANT, number=bytes([n])) for n in range(5))
    told = headers.StreamInfo(16, 16, 44100, 1, 16).to_bytes(80)
    result = clean(b"fLaC\x80\0\0\x22" + told + small)
    assert result[INFO:] == small
    assert judge(result) == 5
    assert judge(clean(result[: INFO + len(small) // 5])) == 1


DIRTY: dict[str, Callable[[], bytes]] = {
    "a tag before": lambda: id3v2(CANARY) + BARE,
    "a tag behind": lambda: BARE + id3v1(CANARY),
    "a block": lambda: blocks((4, COMMENT)),
    "a fingerprint": lambda: BARE[:26] + CANARY + bytes(3) + BARE[INFO:],
    "sizes of frames": lambda: BARE[:12] + b"ABCDEF" + BARE[18:],
    "a number of samples": lambda: BARE[:22] + b"ABCD" + BARE[26:],
    "bytes before the frames": lambda: BARE[:INFO] + CANARY * 3 + BARE[INFO:],
    "bytes between": lambda: BARE[:MIDDLE] + CANARY + BARE[MIDDLE:],
    "frames that begin late": lambda: BARE[:INFO] + b"".join(FRAMES[1:]),
    "a frame that is missing": lambda: BARE[:INFO] + b"".join(FRAMES[:5] + FRAMES[6:]),
    "a long stretch of nothing": lambda: BARE + bytes(6 << 20),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("case", DIRTY)
def test_the_checker_finds_what_a_writer_could_have_let_pass(case: str) -> None:
    data = DIRTY[case]()
    with pytest.raises(MetadataSurvived):
        judge(data, 1 << 18)


def test_a_sound_streams_in_parts() -> None:
    long = made("flac", STEREO.format(12), "-c:a", "flac", "-sample_fmt", "s16")
    parts, *kind = streamed(long)
    assert len(parts) > 2
    assert kind == ["audio/flac", "flac"]
    assert hashes(b"".join(parts), decoded=True) == hashes(long, decoded=True)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SOUNDS)), st.integers(0, 1 << 30), st.integers(0, 4))
def test_whatever_is_done_to_a_file_nothing_planted_comes_out(
    name: str, seed: int, ways: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    data = bytearray(SOUNDS[name])
    for _ in range(ways // 2):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    at = chance.randrange(4, len(data))
    data[at:at] = CANARY
    if ways == 4:
        del data[chance.randrange(len(data)) :]
    silent_or_refused(bytes(data))
