"""Parameter sets put together bit by bit: each form that their syntax has, and its lies."""

import re

import pytest

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import ac3_setup, parameter_sets_hevc, setup
from sanitizer.frames import sequence as av1_sequence
from sanitizer.frames.bits import unescaped
from sanitizer.frames.parameter_sets import AvcSets
from tests.sanitizer.kit import CANARY
from tests.sanitizer.sets import (
    AV1_SEQUENCE,
    AVC_EXACT,
    AVC_PICTURE,
    AVC_SEQUENCE,
    HEVC_PICTURE,
    HEVC_SEQUENCE,
)


def packed(text: str) -> bytes:
    """Return bits, written as ones and zeros with spaces, and trailing bits behind them."""
    bits = text.replace(" ", "") + "1"
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", raw)


def ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


BASE = "1 1"
"""A picture's set of H.264: its number and its sequence's; then coding, groups, the rest."""
PICTURE = BASE + "1 0 1 1 1 0 00 1 1 1 0 0 0"
LISTS = "1 1" + "0" * 6 + "11" + ue(16) + "0" + "1"


def low(constraints: int = 0, profile: int = 77) -> bytes:
    """Return a small sequence of a low profile."""
    text = f"{profile:08b}{constraints:08b}{30:08b}" + "1 1 1 1 1 0 1 1 1 1 0 0"
    return b"\x67" + packed(text)


@pytest.mark.claim("C-META")
def test_a_picture_of_a_low_profile_loses_what_its_decoders_do_not_read() -> None:
    base, tail = b"\x68" + packed(PICTURE), b"\x80" + CANARY
    for sequence in (low(0x40), low(0x80, 66), low(0x20, 88)):
        cleaner = AvcSets()
        assert cleaner.clean(sequence) == sequence
        assert cleaner.clean(base + tail) == base
        assert cleaner.clean(b"\x68" + packed(PICTURE + LISTS)) == base
    # One that does not say firmly that it is low may be high: then its fields must add up.
    cleaner = AvcSets()
    assert cleaner.clean(low()) == low()
    assert cleaner.clean(base + tail) == base
    assert cleaner.clean(base + b"\xff" * 9) == base
    assert cleaner.clean(b"\x68" + packed(PICTURE + "0 0 1")) == b"\x68" + packed(PICTURE + "0 0 1")
    assert cleaner.clean(b"\x68" + packed(PICTURE + "1 1" + "1" * 5)) == base


def test_a_picture_of_the_high_profiles_is_read_with_its_lists() -> None:
    whole = b"\x68" + packed(PICTURE + LISTS)
    for cleaner in (AvcSets(), AvcSets()):
        assert cleaner.clean(whole) == whole
        cleaner.clean(AVC_SEQUENCE)
    cleaner.clean(AVC_SEQUENCE)
    assert cleaner.clean(whole + CANARY) == whole
    with pytest.raises(Malformed):
        cleaner.clean(b"\x68" + packed(PICTURE + "1 1" + "1" * 5))
    with pytest.raises(Unsupported):
        AvcSets().clean(whole + CANARY)
    with pytest.raises(Malformed):
        AvcSets().clean(b"\x68" + packed(PICTURE + "1 1" + "1" * 5))
    with pytest.raises(Unsupported):
        AvcSets().clean(b"\x68" + packed(BASE + "1 0" + ue(1)))


def test_a_sequence_of_h264_is_read_in_each_of_its_forms() -> None:
    size = "1 0 1 1"
    head = f"{244:08b}{0:08b}{30:08b}" + ue(0)
    lists = "".join("1" + ue(16) for _ in range(12))
    looks = "1 11111111" + "01" * 16 + "1 1 1 10101" + "01" * 12 + "1 1 1 1" + "01" * 32 + "1"
    for form in (
        head + ue(3) + "1 1 1 0 1" + lists + "1" + ue(0) + "1" + size + "1 1 0 0",
        head + ue(1) + "1 1 0 0 1" + ue(1) + "1" + ue(3) + ue(4) + ue(2) + ue(9) + ue(5)
        + size + "0 1 1 1" + ue(1) * 4 + "0",
        head + ue(0) + "1 1 0 0 1" + ue(2) + size + "1 1 0 1" + looks + "0 0 1 1 1" + ue(1) * 6,
    ):  # fmt: skip
        unit = b"\x67" + packed(form)
        assert AvcSets().clean(unit) == unit
        assert AvcSets().clean(unit + CANARY) == unit
    for lie in (head + ue(4), head + ue(1) + "1 1 0 0 1" + ue(3), f"{66:08b}{0:016b}" + ue(32)):
        with pytest.raises(Malformed):
            AvcSets().clean(b"\x67" + packed(lie + "1" * 40))


@pytest.mark.claim("C-META")
def test_reserved_bits_of_a_set_are_blank() -> None:
    made = AvcSets().clean(AVC_SEQUENCE[:2] + b"\3" + AVC_SEQUENCE[3:])
    assert made == AVC_SEQUENCE
    bits = int.from_bytes(unescaped(HEVC_SEQUENCE), "big")
    length = 8 * len(unescaped(HEVC_SEQUENCE))
    reserved = [*range(44, 64), *range(78, 111)]
    for place in reserved:
        raw = (bits | 1 << (length - 1 - place)).to_bytes(length // 8, "big")
        dirty = re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", raw)
        assert dirty != HEVC_SEQUENCE
        assert parameter_sets_hevc.clean(dirty) == HEVC_SEQUENCE


VIDEO_HEAD = "0000 11 000000 000 1" + "1" * 16
PROFILE = "00 0 00001" + "0110" + "0" * 28 + "1001" + "0" * 44 + f"{93:08b}"
ORDER = "1 1 1 1"


def hevc_set(kind: int, text: str) -> bytes:
    return bytes([kind << 1, 1]) + packed(text)


@pytest.mark.claim("C-META")
def test_what_a_video_says_of_layers_and_buffers_goes() -> None:
    timing = "1" + "01" * 32 + "1" + ue(7)
    common = "1 1" + "1" + "0" * 19 + "0" * 8 + "0" * 4 + "0" * 15
    rates = (ue(5) * 4 + "1") * 2
    layered = "1" + common + "1" + ue(1) + ue(0) + rates
    late = common + "0 0 1" + rates
    many = "0 0" + "0 1" + ue(1) + ue(2)
    plain = VIDEO_HEAD + PROFILE + ORDER
    wanted = hevc_set(32, plain + "000000 1" + timing + "1 0")
    for buffers in (
        ue(1) + ue(0) + common + "1" + ue(1) + ue(0) + rates,
        ue(1) + ue(0) + late,
        ue(1) + ue(0) + many,
        ue(2) + ue(0) + late + ue(0) + layered,
    ):
        dirty = plain + "000000 1" + timing + buffers
        for end in ("0", "1" + "01" * 99):
            assert parameter_sets_hevc.clean(hevc_set(32, dirty + end)) == wanted
    with pytest.raises(Unsupported):
        parameter_sets_hevc.clean(
            hevc_set(32, plain + "000000 1" + timing + ue(2) + ue(0) + late + ue(0) + "0")
        )
    two = VIDEO_HEAD.replace("000000", "000001", 1) + PROFILE + ORDER
    made = parameter_sets_hevc.clean(hevc_set(32, two + "000001" + ue(1) + "11" + "0 1" + "01" * 9))
    assert made == hevc_set(32, plain + "000000 1 0 0")


def test_layers_of_time_are_read() -> None:
    head = VIDEO_HEAD.replace(" 000 1", " 010 1")
    layers = "11" + "01" + "00" * 6 + PROFILE[:-8].replace(" ", "") + f"{90:08b}{60:08b}"
    text = head + PROFILE + layers + "1" + "111" * 3 + "000000 1 0 0"
    unit = hevc_set(32, text)
    assert parameter_sets_hevc.clean(unit) == unit
    with pytest.raises(Malformed):
        parameter_sets_hevc.clean(hevc_set(32, VIDEO_HEAD.replace(" 000 1", " 111 1") + "0" * 999))


SEQUENCE_HEAD = "0000 000 1" + PROFILE + ue(0)
TOOLS = "1 1 1 1 1 1"


def hevc_sequence(  # noqa: PLR0913 - its parts
    *, chroma: str = "", size: str = "0", lists: str = "0", pcm: str = "0", references: str = "1",
    long: str = "0", looks: str = "0", more: str = "0",
) -> bytes:  # fmt: skip
    text = SEQUENCE_HEAD + (chroma or ue(1)) + ue(64) + ue(64) + size + ue(2) + ue(2) + ue(0)
    text += ORDER + TOOLS + lists + "0 1" + pcm + references + long + "1 1" + looks + more
    return hevc_set(33, text)


EVERY_LIST = "".join(
    "1" + (ue(4) if size > 1 else "") + ue(1) * (16 if size == 0 else 64)
    for size in range(4)
    for _ in range(2 if size == 3 else 6)
)
PREDICTED = (
    ue(4)
    + ue(1) + ue(1) + ue(0) + "1" + ue(2) + "0"
    + "1 0" + ue(0) + "1 1 1"
    + "1 1" + ue(1) + "01 00 1"
    + "0" + ue(2) + ue(0) + ue(0) + "1" + ue(3) + "1"
)  # fmt: skip
SCREEN = "1 00010000" + "1" + "1" + ue(3) + ue(1) + "1" + ue(1) + "01" * 30 + "10 1"


def test_a_sequence_of_hevc_is_read_in_each_of_its_forms() -> None:
    looks = (
        "1 1 11111111" + "01" * 16 + "1 1" + "1 010 1 1" + "01" * 12 + "1" + ue(1) * 2 + "1 1 1"
        + "1" + ue(1) * 4 + "1" + "01" * 32 + "1" + ue(1) + "0" + "1 1 1 1" + ue(1) * 5
    )  # fmt: skip
    for unit in (
        hevc_sequence(),
        hevc_sequence(chroma=ue(3) + "1", size="1" + ue(1) * 4),
        hevc_sequence(lists="1 1" + EVERY_LIST),
        hevc_sequence(lists="1 1" + ("0" + ue(0)) * 20),
        hevc_sequence(lists="1 0"),
        hevc_sequence(pcm="1" + "01" * 4 + ue(1) * 2 + "1"),
        hevc_sequence(references=PREDICTED),
        hevc_sequence(long="1" + ue(2) + "10101" * 2),
        hevc_sequence(looks=looks),
        hevc_sequence(looks="1" + "0" * 10),
        hevc_sequence(more="1 10000000" + "1" * 9),
        hevc_sequence(more=SCREEN),
        hevc_sequence(chroma=ue(0), more="1 00010000 0 1 1 1" + "1" + ue(1) + "01" * 10 + "10 1"),
        hevc_sequence(more="1 00010000 0 1 1 1 0 01 1"),
        hevc_sequence(more="1 00010000 0 0 01 1"),
    ):
        assert parameter_sets_hevc.clean(unit) == unit
        assert parameter_sets_hevc.clean(unit + b"\x80" + CANARY) == unit


@pytest.mark.claim("C-META")
def test_extensions_that_mean_nothing_here_go() -> None:
    words = "".join(f"{byte:08b}" for byte in CANARY)
    plain = hevc_sequence(more="1 00000000")
    for flags in ("01000000", "00100000", "00001111", "00000001"):
        assert parameter_sets_hevc.clean(hevc_sequence(more="1" + flags + words)) == plain
    ranged = hevc_sequence(more="1 10000000" + "1" * 9)
    assert parameter_sets_hevc.clean(hevc_sequence(more="1 11001111" + "1" * 9 + words)) == ranged
    with pytest.raises(Unsupported):
        parameter_sets_hevc.clean(hevc_sequence(more="1 01010000" + words))


def hevc_picture(  # noqa: PLR0913 - its parts
    *, skip: str = "0", delta: str = "0", tiles: str = "0 0", filters: str = "0", lists: str = "0",
    more: str = "0",
) -> bytes:  # fmt: skip
    text = "1 1 0 0 000 0 0 1 1 1 0" + skip + delta + "1 1 0 0 0 0"
    text += tiles + "1" + filters + lists + "0 1 0" + more
    return hevc_set(34, text)


def test_a_picture_of_hevc_is_read_in_each_of_its_forms() -> None:
    offsets = "1" + ue(1) + ue(1) + ue(2) * 4 + ue(0) * 2
    for unit in (
        hevc_picture(),
        hevc_picture(delta="1" + ue(2)),
        hevc_picture(tiles="1 1" + ue(1) + ue(2) + "1 1"),
        hevc_picture(tiles="1 0" + ue(1) + ue(2) + "0" + ue(3) * 3 + "1"),
        hevc_picture(filters="1 1 0" + ue(1) * 2),
        hevc_picture(filters="1 0 1"),
        hevc_picture(lists="1" + EVERY_LIST),
        hevc_picture(skip="1", more="1 10000000" + ue(1) + "1" + offsets),
        hevc_picture(more="1 10000000 1 0" + ue(1) * 2),
        hevc_picture(more="1 00010000 1 1 1" + ue(1) * 3 + "1" + ue(1) + "0 1 1" + "01" * 12),
        hevc_picture(more="1 00010000 1 0 1" + ue(2) + "1 1" + "01" * 8),
        hevc_picture(more="1 00010000 1 0 1" + ue(0)),
        hevc_picture(more="1 00010000 1 0 0"),
    ):
        assert parameter_sets_hevc.clean(unit) == unit
        assert parameter_sets_hevc.clean(unit + b"\x80" + CANARY) == unit
    words = "".join(f"{byte:08b}" for byte in CANARY)
    cut = parameter_sets_hevc.clean(hevc_picture(more="1 01101111" + words))
    assert cut == hevc_picture(more="1 00000000")
    too_many = ue(2) + ue(9) + ue(9)
    with pytest.raises(Malformed):
        parameter_sets_hevc.clean(hevc_sequence(references=too_many + (ue(0) + "1") * 40))


@pytest.mark.parametrize("unit", [b"", b"\x67", b"\x68", b"\x67\x42", AVC_SEQUENCE[:9]])
def test_a_set_of_h264_that_is_cut_short_is_malformed(unit: bytes) -> None:
    with pytest.raises(Malformed):
        AvcSets().clean(unit)


@pytest.mark.parametrize("unit", [b"\x40\1", b"\x42\1\1", HEVC_SEQUENCE[:20], HEVC_PICTURE[:3]])
def test_a_set_of_hevc_that_is_cut_short_is_malformed(unit: bytes) -> None:
    with pytest.raises(Malformed):
        parameter_sets_hevc.clean(unit)


def test_sets_that_come_again_are_known_again() -> None:
    cleaner = AvcSets()
    other = bytes.fromhex(AVC_EXACT["x264 wide"])
    for _ in range(2):
        assert cleaner.clean(AVC_SEQUENCE) == AVC_SEQUENCE
        assert cleaner.clean(AVC_PICTURE) == cleaner.clean(AVC_PICTURE) == AVC_PICTURE
        assert cleaner.clean(other) == other
    for number in range(100):
        assert cleaner.clean(AVC_PICTURE + b"a" * number) == AVC_PICTURE
    assert cleaner.clean(AVC_PICTURE + b"a" * 9000) == AVC_PICTURE


HEADERS = {
    "a still picture": "000 1 1 00001" + "0001 0001 11 11" + "0 1 1" + "0 1 0",
    "with times": (
        "000 0 0 1" + "01" * 32 + "1" + ue(3) + "1 00011" + "01" * 16 + "00100 00101" + "1 00001"
        + "0" * 12 + "01000 1" + "1" + "0001 0001 1" + "1 0101" + "0" * 12 + "00111" + "0" + "0"
    ),
}  # fmt: skip
OPERATING = "0 0 00000" + "0" * 12 + "01000 0"
SIZE = "0001 0001 11 11"
COLOURS = {
    "plain": (0, "0 0 0 0 00 0"),
    "grey": (0, "1 1 1" + "00000001" * 3 + "1"),
    "of one matrix": (1, "0 1 00000001 00001101 00000000 1"),
    "full": (1, "0 1 00000001 00000001 00000001 1 0"),
    "4:2:2": (2, "1 0 0 0 0 0"),
    "12 bits, 4:4:4": (2, "1 1 0 0 0 0 0"),
    "12 bits, 4:2:2": (2, "1 1 0 0 0 1 0 0"),
    "12 bits, 4:2:0": (2, "1 1 0 0 0 1 1 10 0"),
    "professional, 8 bits": (2, "0 0 0 0 0"),
}
TOOLS_OF_AV1 = {
    "none": "0 0 0 0 0 0 0",
    "chosen by each frame": "1 1 1 1 0 1 1",
    "never for screens": "1 1 1 1 0 0 0",
    "always, whole motion": "1 1 1 1 1 1 1 0 1 0 1 011",
    "always, motion by frame": "1 1 1 1 1 1 1 0 1 1 011",
}


def header(text: str) -> bytes:
    return packed(text).replace(b"\0\0\3", b"\0\0")


def test_a_header_of_av1_is_read_in_each_of_its_forms() -> None:
    made = [header(HEADERS["a still picture"] + "0 0 0 0 00 0" + "0")]
    timed = HEADERS["with times"] + SIZE + "1 0010 011" + "0 1 1" + "0 0 0 0 0 1 1" + "0 1 0"
    made.append(header(timed + "0 0 0 0 00 0" + "1"))
    for profile, colours in COLOURS.values():
        start = f"{profile:03b} 0 0" + OPERATING + SIZE + "0" + "1 1 1" + "0 0 0 0 0 1 1"
        made.append(header(start + "0 1 0" + colours + "0"))
    for tools in TOOLS_OF_AV1.values():
        start = "000 0 0" + OPERATING + SIZE + "0" + "1 1 1" + tools
        made.append(header(start + "0 1 0" + "0 0 0 0 00 0" + "0"))
    for content in made:
        assert av1_sequence.end_of(content) == len(content)
        assert av1_sequence.end_of(content + CANARY) == len(content)
        assert av1_sequence.unit(content + b"\0\0") == bytes([0x0A, len(content)]) + content


def test_a_header_of_av1_that_does_not_close_is_malformed() -> None:
    assert av1_sequence.end_of(AV1_SEQUENCE + CANARY) == len(AV1_SEQUENCE)
    still = header(HEADERS["a still picture"] + COLOURS["plain"][1] + "0")
    assert not still[-1] & 1
    for broken in (
        b"",
        AV1_SEQUENCE[:-1],
        AV1_SEQUENCE[:-1] + b"\0",
        still[:-1] + bytes([still[-1] | 1]),
    ):
        with pytest.raises(Malformed):
            av1_sequence.end_of(broken)


def test_a_long_header_of_av1_gets_a_length_of_two_bytes() -> None:
    points = "00000 11111"[6:] + ("0" * 12 + "00001" + "1" + "1" * 65) * 32
    text = "000 0 0 1" + "01" * 32 + "0" + "1 11111" + "01" * 21 + "0" + points
    content = header(text + SIZE + "0" + "1 1 1" + "0 0 0 0 0 1 1" + "0 1 0" + "0 0 0 0 00 0" + "0")
    size = len(content)
    assert size > 128
    assert (
        av1_sequence.unit(content + CANARY) == bytes([0x0A, size & 127 | 128, size >> 7]) + content
    )


@pytest.mark.claim("C-META")
def test_a_layout_of_aac_says_nothing_of_data() -> None:
    """A program config element: two channels in front, one low, seven kinds of data, a coupling."""
    head = "00010 0100 0000 0 0 0" + "0000 01 0100"
    counts, rest = "0001 0000 0000 01 {} 0001 0 0 0", "1 0000 0001"
    coupled = "1 0010"

    def whole(text: str, comment: bytes) -> bytes:
        bits = text.replace(" ", "")
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big") + bytes([len(comment)]) + comment

    told = head + counts.format("111") + rest + "1010 0101" * 3 + "0110" + coupled
    silent = head + counts.format("000") + rest + coupled
    assert setup.aac(whole(told, CANARY)) == whole(silent, b"")
    assert setup.aac(whole(silent, b"")) == whole(silent, b"")


@pytest.mark.claim("C-META")
def test_setups_of_ac3_have_no_bits_to_spare() -> None:
    assert ac3_setup.ac3(b"\x10\x3d\xff") == b"\x10\x3d\xe0"
    plain = bytes.fromhex("0600200f00")
    assert ac3_setup.eac3(plain) == plain
    spare = bytes([*plain[:2], plain[2] | 1, plain[3], plain[4] | 0xE1])
    assert ac3_setup.eac3(spare) == plain
    assert ac3_setup.eac3(spare + b"\xfe\x10" + CANARY) == plain
    assert ac3_setup.eac3(plain + b"\xff\x10" + CANARY) == plain + b"\1\x10"
    below = bytes.fromhex("0600200f0301")
    assert ac3_setup.eac3(below) == below
    assert ac3_setup.eac3(bytes.fromhex("0601200f00200f00")) == bytes.fromhex("0601200f00200f00")
    for odd in (b"\x10\x3d", b"\x10\x3d\xe0\0"):
        with pytest.raises(Unsupported):
            ac3_setup.ac3(odd)
    with pytest.raises(Malformed):
        ac3_setup.eac3(plain[:4])
    with pytest.raises(Unsupported):
        ac3_setup.eac3(b"\6\7" + plain[2:] * 8)
