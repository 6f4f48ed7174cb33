"""How the coded streams of an MP4 are described, and what a description may not say."""

import struct

import pytest

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import setup
from sanitizer.mp4 import entries as mp4_entries
from tests.sanitizer.kit import CANARY
from tests.sanitizer.sets import AV1_SEQUENCE, AVC_PICTURE, AVC_SEQUENCE, HEVC_VIDEO
from tests.sanitizer.videos import PICTURE, SOUND, described, esds, obu, stsd
from tests.support.boxes import box, full

SETUP = b"".join(
    [
        b"\1\x64\0\x1f\xff\xe1" + struct.pack(">H", len(AVC_SEQUENCE)) + AVC_SEQUENCE,
        b"\1" + struct.pack(">H", len(AVC_PICTURE)) + AVC_PICTURE,
    ]
)
VIDEO = struct.pack(">H", len(HEVC_VIDEO)) + HEVC_VIDEO


@pytest.mark.claim("C-META")
def test_bytes_behind_the_parameter_sets_do_not_come_along() -> None:
    made = described(b"avc1", PICTURE + box(b"avcC", SETUP + CANARY), is_video=True)
    assert made.endswith(SETUP)
    other = SETUP.replace(b"\x67\x64", b"\x66\x64")
    assert b"\x66\x64" not in described(b"avc1", PICTURE + box(b"avcC", other), is_video=True)
    with pytest.raises(Malformed):
        described(b"avc1", PICTURE + box(b"avcC", SETUP[:-1]), is_video=True)


@pytest.mark.claim("C-META")
def test_messages_in_the_setup_of_hevc_and_av1_do_not_come_along() -> None:
    array_ = (
        struct.pack(">BH", 0xA0, 1) + VIDEO + struct.pack(">BHH", 0xA7, 1, len(CANARY)) + CANARY
    )
    made = described(b"hvc1", PICTURE + box(b"hvcC", bytes(22) + b"\2" + array_), is_video=True)
    assert CANARY not in made
    assert HEVC_VIDEO in made
    units = obu(1, AV1_SEQUENCE) + obu(5, CANARY) + obu(15, b"", extended=True)
    made = described(b"av01", PICTURE + box(b"av1C", b"\x81\0\0\0", units), is_video=True)
    assert CANARY not in made
    assert AV1_SEQUENCE in made


@pytest.mark.parametrize("flags", [(0, b""), (0x80, b"\0\0"), (0x40, b"\2ab"), (0x20, b"\0\0")])
def test_a_sound_setup_is_read_in_each_of_its_forms(flags: tuple[int, bytes]) -> None:
    made = described(b"mp4a", SOUND + esds(0x40, b"\x12\x10" + CANARY, *flags), is_video=False)
    assert b"\x12\x10" in made
    assert CANARY[:7] not in made


def test_quicktime_sounds_are_read_in_each_of_their_versions() -> None:
    inner = box(b"wave", box(b"frma", b"mp4a"), esds(0x40, b"\x12\x10"))
    for version, extra in ((1, bytes(16)), (2, struct.pack(">4xdI4xI12x", 44100.0, 2, 16))):
        head = SOUND[:8] + struct.pack(">H", version) + SOUND[10:]
        made = described(b"mp4a", head + extra + inner, is_video=False)
        assert made[8 + 16 : 8 + 18] == b"\0\2"
        assert b"wave" not in made
    with pytest.raises(Malformed):
        described(b"mp4a", SOUND[:8] + b"\0\7" + SOUND[10:] + inner, is_video=False)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"mp4a", SOUND + esds(0xDD, b"\x12\x10")),
        (b"mp4a", SOUND + esds(0x40, b"\xf9\x00\0\0")),
        (b"mp4a", SOUND + esds(0x40, b"\x12\x11")),
        (b"mp4v", PICTURE + esds(0x6C, b"")),
        (b"zzzz", SOUND),
        (b"Opus", SOUND + box(b"dOps", b"\1\2" + bytes(9))),
        (b"vp09", PICTURE + box(b"vpcC", b"\2" + bytes(11))),
        (b"lpcm", SOUND),
        (b"lpcm", SOUND[:8] + b"\0\1" + SOUND[10:] + bytes(16)),
        (b"ipcm", SOUND + full(b"pcmC", b"\1\x11")),
        (b"sowt", SOUND[:16] + bytes(4) + SOUND[20:]),
        (b"ac-3", SOUND + box(b"dac3", b"too long")),
        (b"alac", SOUND + box(b"alac", b"too short")),
    ],
    ids=[
        "another kind of object",
        "AAC of a later kind",
        "AAC with an extension",
        "a picture of JPEG",
        "another codec",
        "a later Opus",
        "a short setup of VP9",
        "numbers of no description",
        "numbers of a description too old",
        "numbers of no whole bytes",
        "no channels",
        "a long setup",
        "a short setup of ALAC",
    ],
)
def test_a_setup_that_cannot_be_understood_is_refused(kind: bytes, content: bytes) -> None:
    with pytest.raises(Unsupported):
        described(kind, content, is_video=kind in {b"mp4v", b"vp09"})


def test_other_codecs_are_described_by_their_numbers_alone() -> None:
    assert described(b"mp4a", SOUND + esds(0x6B, CANARY), is_video=False).count(CANARY) == 0
    made = described(b"samr", SOUND + box(b"damr", b"CANA\1\2\3\4\5"), is_video=False)
    assert b"CANA" not in made
    assert described(b"s263", PICTURE, is_video=True)
    assert described(b".mp3", SOUND, is_video=False)
    coloured = (
        PICTURE
        + box(b"d263", b"CANA\1\2\3")
        + box(b"pasp", b"CANARY")
        + box(b"colr", b"prof" + CANARY)
    )
    assert b"CANA" not in described(b"s263", coloured, is_video=True)
    nclc = PICTURE + box(b"colr", b"nclc\0\1\0\1\0\1") + box(b"pasp", struct.pack(">II", 1, 0))
    assert b"nclx\0\1\0\1\0\1\0" in described(b"s263", nclc, is_video=True)


def test_what_a_picture_looks_like_stays_and_its_profile_goes() -> None:
    bright = box(b"mdcv", b"m" * 24) + box(b"clli", b"clli") + box(b"fiel", b"\2\x09")
    crop = box(b"clap", struct.pack(">8I", 16, 1, 16, 1, 0, 1, 0, 1))
    colours = box(b"colr", b"prof" + CANARY) + box(b"colr", b"nclx\0\1\0\1\0\1\x80")
    made = described(b"s263", PICTURE + colours + bright + crop, is_video=True)
    assert CANARY not in made
    for kept in (b"nclx\0\1\0\1\0\1\x80", bright[:32], crop):
        assert kept in made
    nothing = box(b"fiel", b"\2\x63") + box(b"clap", bytes(32)) + box(b"mdcv", CANARY)
    made = described(b"s263", PICTURE + nothing, is_video=True)
    assert made == described(b"s263", PICTURE, is_video=True)
    broken = described(b"apch", PICTURE + b"\0\0\0\x50xxxx", is_video=True)
    assert broken == described(b"apch", PICTURE, is_video=True)


def test_only_the_description_that_frames_use_is_looked_at() -> None:
    two = struct.pack(">II", 0, 2) + box(b"s263", PICTURE) + box(b"zzzz", CANARY)
    assert mp4_entries.canonical(two, is_video=True, used=1).codec == b"s263"
    with pytest.raises(Unsupported):
        mp4_entries.canonical(two, is_video=True, used=2)
    with pytest.raises(Unsupported):
        mp4_entries.canonical(two, is_video=True)
    assert mp4_entries.canonical(stsd(b"s263", PICTURE), is_video=True, used=9).codec == b"s263"


def test_a_layout_of_channels_loses_its_comment() -> None:
    """A program config element: one pair in front, one single, a low one, a coupled one."""
    said = CANARY.hex()
    layout = "0000" + "01" + "0100" + "0010" + "0000" + "0000" + "01" + "000" + "0001"
    layout += "0" + "1" + "0011" + "1" + "001"
    layout += "1" + "0000" + "0" + "0001" + "0000" + "1" + "0010"
    head = "00010" + "0100" + "0000" + "000" + layout
    bits = head.ljust(-(-len(head) // 8) * 8, "0")
    dirty = int(bits, 2).to_bytes(len(bits) // 8, "big")
    dirty += bytes([len(CANARY)]) + bytes.fromhex(said)
    made = setup.aac(dirty + b"\x56\xe5\x00" + CANARY)
    assert made == dirty[: len(bits) // 8] + b"\0" + b"\x56\xe5\x00"
    assert setup.aac(made) == made


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("1210", "1210"),
        ("121056e500", "121056e500"),
        ("139056e5a54800", "139056e5a54800"),
        ("139056e5a548800000", "139056e5a54880"),
        ("139056e5a000001234", "139056e5a0"),
        ("1210123456789a", "1210"),
        ("2b928800ff", "2b928800"),
        ("17800000ac4410ffff", "17800000ac4410"[:12]),
    ],
)
def test_a_setup_of_aac_keeps_the_bits_that_mean_something(dirty: str, clean: str) -> None:
    made = setup.aac(bytes.fromhex(dirty))
    assert made.hex().startswith(clean[:4])
    assert len(made) <= len(clean) // 2 + 1
    assert setup.aac(made) == made


def test_other_units_among_the_parameter_sets_of_hevc_do_not_come_along() -> None:
    sets = b"\x20\0\2" + VIDEO + b"\0\x0f\x4e\1" + CANARY
    made = setup.hevc(bytes(22) + b"\1" + sets)
    assert CANARY not in made
    assert made.endswith(b"\x20\0\1" + VIDEO)


def test_long_lengths_in_a_setup_are_read() -> None:
    long = bytes([5 << 3 | 2, 0x80, 1]) + CANARY.ljust(128) + obu(1, AV1_SEQUENCE)
    assert AV1_SEQUENCE in described(b"av01", PICTURE + box(b"av1C", bytes(4), long), is_video=True)
    deep = full(b"esds", b"\3\x80\x80\x80\x80" + bytes(9))
    with pytest.raises(Unsupported):
        described(b"mp4a", SOUND + deep, is_video=False)


def test_flac_is_described_without_its_digest() -> None:
    info = (
        struct.pack(">HH", 4096, 4096)
        + CANARY[:6]
        + (44100 << 44 | 1 << 41 | 15 << 36).to_bytes(8, "big")
    )
    blocks = b"\0\0\0\x22" + info + CANARY.ljust(16, b"x") + b"\x84\0\0\x0d" + CANARY
    made = described(b"fLaC", SOUND + full(b"dfLa", blocks), is_video=False)
    assert CANARY[:6] not in made
    assert made.endswith(bytes(16))
    with pytest.raises(Malformed):
        described(b"fLaC", SOUND + full(b"dfLa", b"\4" + blocks[1:]), is_video=False)
