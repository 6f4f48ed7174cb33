"""The odd corners of each format, built by hand."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from sanitizer.clean import sanitize
from sanitizer.detect import Format, detect
from sanitizer.errors import (
    Encrypted,
    ImageTooLarge,
    JailUnavailable,
    Malformed,
    MetadataSurvived,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.jail import program as jail_module
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.jpeg import progressive
from sanitizer.jpeg.codes import Bits, Chain, block
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from sanitizer.numbers import unpack
from sanitizer.pieces import Plan, Range
from sanitizer.reread import check as reread
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned
from tests.sanitizer.test_png import built
from tests.support.boxes import box
from tests.support.media import drawing, phone_photo, phone_video


@pytest.mark.parametrize(
    "dirty", [phone_photo(CANARY), phone_video(CANARY)], ids=["photo", "video"]
)
def test_every_kind_that_is_told_is_on_the_list(dirty: bytes) -> None:
    assert set(cleaned(dirty)[1].removed) <= KINDS


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", **options)
    return made.getvalue()


# --- what a file is ----------------------------------------------------------------------------

KNOWN = {
    b"\xff\xd8\xff\xe0": Format.JPEG,
    b"\x89PNG\r\n\x1a\n": Format.PNG,
    b"GIF89a": Format.GIF,
    b"MM\0*": Format.TIFF,
    b"BM": Format.BMP,
    b"RIFFxxxxWEBP": Format.WEBP,
    b"RIFFxxxxWAVE": Format.WAV,
    b"RIFFxxxxAVI ": Format.AVI,
    b"FORMxxxxAIFC": Format.AIFF,
    b"OggS": Format.OGG,
    b"fLaC": Format.FLAC,
    b"ID3\4\0\0\0\0\0\2xxfLaC": Format.FLAC,
    b"ID3\4\0\0\0\0\0\2xx\xff\xf1\x50\x80": Format.AAC,
    b"ID3\4\0\0\0\0\0\2xx\0\0\0\0": Format.MP3,
    b"\xff\xfb\x90\x64": Format.MP3,
    b"\xff\xf1\x50\x80": Format.AAC,
    b"#!AMR\n": Format.AMR,
    b"xxxxftypM4A ": Format.MP4,
    b"xxxxftypheic": Format.HEIF,
    b"xxxxftypavif": Format.HEIF,
    b"junk%PDF-1.7": Format.PDF,
    b"plain words, \xd8\xa3\xd9\x85\xd8\xa7\xd9\x86\xd8\xa9": Format.TEXT,
    b"\xff\xfea\0": Format.TEXT,
    b"G".ljust(188, b"x") * 4: Format.MPEG_TS,
    b"xxxx" + b"G".ljust(192, b"x") * 4: Format.MPEG_TS,
}
REFUSED = {
    b"PK\3\4": Unsupported,
    b"FORMxxxxILBM": Unsupported,
    b"XXXXxxxxWEBP": Unsupported,
    b"xxxxftypcrx ": Unsupported,
    b"\xff\xfb\xf0\0": Unsupported,
    b"\xd8\xa3\xd9\xff and more": Unsupported,
    b"age-encryption.org/v1": Encrypted,
    b"plain words and \0": Unsupported,
}


@pytest.mark.parametrize("head", KNOWN)
def test_a_file_is_what_its_first_bytes_say(head: bytes) -> None:
    with MemorySource(head) as source:
        assert detect(source) is KNOWN[head]


def test_a_letter_cut_in_two_at_the_end_of_the_look_is_still_text() -> None:
    with MemorySource(b"x" * 4095 + "\u0623".encode()) as source:
        assert detect(source) is Format.TEXT


@pytest.mark.parametrize("head", REFUSED)
def test_other_files_are_refused_by_what_their_bytes_say(head: bytes) -> None:
    with (
        MemorySource(head.ljust(64, b"\0")) as source,
        pytest.raises(REFUSED[head]) as refused,
    ):
        detect(source)
    assert type(refused.value) is REFUSED[head]


def test_a_file_without_a_type_but_with_an_index_is_a_video() -> None:
    with pytest.raises(Malformed):
        clean(box(b"moov", b""))


def test_an_image_beyond_its_limit_is_refused() -> None:
    with pytest.raises(ImageTooLarge):
        clean(phone_photo(CANARY), Limits(image_bytes=100))
    with pytest.raises(TooLarge) as whole:
        clean(phone_photo(CANARY), Limits(file_bytes=100))
    assert whole.value.reason == "too_large"


def test_what_broken_numbers_do_to_a_parser_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.clean.detect", lambda source: b""[source.length])
    with MemorySource(b"x") as source, pytest.raises(Malformed):
        sanitize(source, Limits())


def test_a_result_that_exifread_cannot_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("sanitizer.reread.exifread.process_file", fail)
    with MemorySource(b"") as source, pytest.raises(MetadataSurvived):
        reread(Plan(source, [b"x"]))


# --- JPEG ----------------------------------------------------------------------------------------


def test_a_photo_without_a_marker_ends_in_a_refusal() -> None:
    with pytest.raises(Malformed):
        clean(b"\xff\xd8\xff" + bytes(3000))


def test_a_megabyte_of_fill_bytes_is_one_step() -> None:
    data = saved(drawing(64, 48))
    assert clean(data[:-2] + b"\xff" * (3 << 20) + data[-1:]) == clean(data)
    assert clean(data[:-2] + b"\xff" * (1 << 20) + b"\0\0" + data[-2:]) == clean(data)


def test_a_frame_header_of_the_wrong_length_is_refused() -> None:
    data = saved(drawing(64, 48))
    at = data.index(b"\xff\xc0")
    with pytest.raises(Malformed):
        clean(data[: at + 9] + b"\2" + data[at + 10 :])


def test_an_earlier_restart_interval_loses_its_slack_and_a_missing_one_is_noticed() -> None:
    data = saved(drawing(64, 48), restart_marker_rows=1)
    first, last = data.index(b"\xff\xd0"), data.rindex(b"\xff\xd1")
    assert clean(data[:first] + b"slack" + data[first:]) == clean(data)
    with pytest.raises(Malformed):
        clean(data[:last] + b"\xff\xd9")
    for cut in (first - 1, first - 2, first - 30):
        with pytest.raises(Malformed):
            clean(data[:cut] + data[first:])
    extra = data[:-2] + b"\xff\xd2" + CANARY + data[-2:]
    assert clean(extra) == clean(data)


def test_a_suspicious_scan_too_long_to_be_checked_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sanitizer.jpeg.entropy._MAX_CODED", 1000)
    monkeypatch.setattr("sanitizer.jpeg.entropy.EXACT_BYTES", 10)
    data = saved(drawing(400, 300), quality=95)
    clean(data)
    with pytest.raises(TooComplex):
        clean(data[:-2] + CANARY + data[-2:])


@pytest.mark.parametrize("size", [(40, 24), (301, 203)])
@pytest.mark.parametrize(
    "options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0, "quality": 97}]
)
def test_slack_behind_any_pass_of_a_progressive_photo_goes(
    size: tuple[int, int], options: dict[str, object]
) -> None:
    data = saved(drawing(*size), progressive=True, **options)
    at, places = data.index(b"\xff\xda"), []
    while at >= 0:
        places.append(at)
        at = data.find(b"\xff\xda", at + 2)
    once = clean(data)
    assert clean(data[:-2] + CANARY + data[-2:]) == once
    for place in places[1:]:
        start = (
            data.rindex(b"\xff\xc4", 0, place) if b"\xff\xc4" in data[place - 90 : place] else place
        )
        assert clean(data[:start] + CANARY + data[start:]) == once
    with pytest.raises(Malformed):
        clean(data[:-8] + data[-2:])


def codes(*symbols: int) -> Chain:
    """Return a table of codes of eight bits, the first all zeros."""
    return Chain(b"\x10" + bytes(7) + bytes([len(symbols)]) + bytes(8) + bytes(symbols), runs=True)


def test_a_progressive_run_beyond_its_band_is_refused() -> None:
    for data, band in ((bytes(20), (1, 8)), (b"\xff" * 20, (1, 63))):
        with pytest.raises(Malformed):
            progressive.first_ac(Bits(data), codes(0xF0), [0], range(1), band)
    with pytest.raises(Malformed):
        progressive.refine_ac(Bits(b"\xff" * 20), codes(0xF0), [0], range(1), (1, 63))


def test_a_refining_pass_skips_sixteen_zeros_and_spends_bits_on_the_others() -> None:
    bits = Bits(bytes(20))
    blocks = [0b1000]
    progressive.refine_ac(bits, codes(0xF0), blocks, range(1), (1, 20))
    assert bits.used == 8 + 1 + 8
    bits = Bits(b"\0\x80" + bytes(20))
    progressive.refine_ac(bits, codes(0x11), blocks, range(1), (1, 4))
    assert blocks[0] & ~0b1000


def test_codes_that_lie_together_in_a_look_end_with_their_own_block() -> None:
    # Codes of two bits: one coefficient (0), the end of a block (1), two zeros and one (2).
    table = Chain(b"\x10\0\3" + bytes(14) + bytes([0x01, 0x00, 0x21]), runs=True)
    bits = Bits(b"\0\0\x10")
    assert block(bits, table, 60, 64) == (0b1111 << 60, 0)
    assert bits.used == 12
    assert block(bits, table, 1, 64) == (0b110, 1)
    assert bits.used == 20
    assert Bits(b"\x80").take(1) == 1
    assert block(Bits(b"\x40"), table, 1, 64) == (0, 1)
    with pytest.raises(Malformed):
        block(Bits(b"\x80"), table, 62, 64)


# --- PNG ------------------------------------------------------------------------------------------


def test_a_picture_that_unpacks_in_many_steps_keeps_its_data() -> None:
    header = (b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0))
    data = built(header, (b"IDAT", zlib.compress(bytes(1024 * 3073))), (b"IEND", b""))
    assert clean(data) == data


# --- the jail and the pieces -----------------------------------------------------------------


def test_a_launcher_that_could_not_lock_is_told_from_a_broken_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "launcher.py"
    fake.write_text("import os\nos._exit(125)\n")
    monkeypatch.setattr(jail_module, "_LAUNCHER", fake)
    with pytest.raises(JailUnavailable):
        list(ffmpeg_jail().run([], iter([]), Limits(), 1))


def test_a_plan_can_be_read_at_any_place() -> None:
    with MemorySource(b"0123456789") as source:
        plan = Plan(source, [b"ab", Range(2, 3), b"", Range(8, 2)])
        assert plan.read_at(0, 99) == b"ab23489"
        assert plan.read_at(3, 2) == b"34"
        with plan.open() as file:
            file.seek(-2, io.SEEK_END)
            assert file.read() == b"89"
        with pytest.raises(Malformed):
            Plan(source, [Range(9, 5)]).read_at(0, 5)


def coded(blocks: int, data: bytes) -> bytes:
    """Return a grey photo whose every block is two bits, and whose data never breaks its code."""

    def segment(marker: int, payload: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload

    codes = b"\2" + bytes(15) + b"\0\0"
    head = segment(0xDB, b"\0" + b"\1" * 64)
    head += segment(0xC0, struct.pack(">BHHB", 8, 8, 8 * blocks, 1) + b"\1\x11\0")
    head += segment(0xC4, b"\0" + codes) + segment(0xC4, b"\x10" + codes)
    return b"\xff\xd8" + head + segment(0xDA, b"\1\1\0\0\x3f\0") + data + b"\xff\xd9"


def test_coded_data_that_any_bits_would_continue_is_still_counted() -> None:
    assert clean(coded(48, bytes(12)))
    assert clean(coded(48, bytes(14))) == clean(coded(48, bytes(12)))
    for blocks, length in ((48, 5), (47, 11)):
        with pytest.raises(Malformed):
            clean(coded(blocks, bytes(length)))


def test_numbers_that_are_not_there_are_no_numbers() -> None:
    with pytest.raises(Malformed):
        unpack("I", b"abc")


@pytest.mark.parametrize(
    "data",
    [b"caf\xe9 au lait, in an old encoding", b"\x80" * 40, b"a" * 100 + b"\xff" + b"b" * 100],
    ids=["latin-1", "no letter", "in the middle"],
)
def test_words_in_an_old_encoding_are_no_text_of_ours(data: bytes) -> None:
    with MemorySource(data) as source, pytest.raises(Unsupported):
        detect(source)
