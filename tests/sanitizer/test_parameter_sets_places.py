"""Words behind parameter sets, in each container that carries them: planted, and gone."""

import io
import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import pytest

from sanitizer.errors import Malformed, MetadataSurvived
from sanitizer.frames import annexb, annexb_check, check, sets_check, setup
from sanitizer.frames import strip as strips
from tests.sanitizer.kit import CANARY, clean, hashes, prove
from tests.sanitizer.sets import (
    AV1_SEQUENCE,
    AVC_PICTURE,
    AVC_SEQUENCE,
    HEVC_OF_TWO_EYES,
    HEVC_PICTURE,
    HEVC_SEQUENCE,
    HEVC_VIDEO,
)
from tests.sanitizer.videos import obu
from tests.support.boxes import find, replaced, split
from tests.support.heif import File, Thing, coded
from tests.support.media import drawing

AVC, HEVC, AV1 = "h264", "hevc", "ivf"
_CODECS = {AVC: ("libx264", 7, 9), HEVC: ("libx265", 32, 35), AV1: ("libaom-av1", 1, 2)}
TAIL = b"\x80" + CANARY


def run(*arguments: str, data: bytes, form: str, out: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in"
        made = Path(folder) / f"out.{out}"
        path.write_bytes(data)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-f", form]
        command += ["-i", str(path), *arguments, str(made)]
        subprocess.run(command, check=True, capture_output=True)
        return made.read_bytes()


@cache
def stream(codec: str) -> bytes:
    """Return two groups of pictures; each begins with its parameter sets."""
    encoder = _CODECS[codec][0]
    options = ["-c:v", encoder, "-pix_fmt", "yuv420p", "-g", "5", "-keyint_min", "5"]
    if codec == AV1:
        options += ["-cpu-used", "8", "-strict", "experimental"]
    if codec == HEVC:
        options += ["-x265-params", "repeat-headers=1:keyint=5:min-keyint=5"]
    source = ["-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:duration=1"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *options, "-f", codec, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def tailed(codec: str, data: bytes, tail: bytes = TAIL) -> bytes:
    """Return a stream of start codes with ``tail`` behind each of its parameter sets."""
    _, first, end = _CODECS[codec]
    made = []
    for part in data.split(b"\0\0\1")[1:]:
        kind = part[0] & 31 if codec == AVC else part[0] >> 1
        zeros = part[len(part.rstrip(b"\0")) :]
        made.append(part.rstrip(b"\0") + tail + zeros if first <= kind < end else part)
    return b"\0" + b"".join(b"\0\0\1" + part for part in made)


def muxed(data: bytes, codec: str, options: tuple[str, ...], suffix: str) -> bytes:
    """Return a stream in a container, by way of one that gives it times."""
    if suffix not in {"mkv", "ts"}:
        return run("-c", "copy", *options, data=data, form=codec, out=suffix)
    timed = run("-c", "copy", data=data, form=codec, out="mov")
    return run("-c", "copy", *options, data=timed, form="mov", out=suffix)


CONTAINERS = {
    "MP4": (AVC, ("-tag:v", "avc1"), "mp4"),
    "MP4 with sets in frames": (AVC, ("-tag:v", "avc3"), "mp4"),
    "MOV": (HEVC, ("-tag:v", "hvc1"), "mov"),
    "MOV with sets in frames": (HEVC, ("-tag:v", "hev1"), "mov"),
    "Matroska": (AVC, (), "mkv"),
    "Matroska of HEVC": (HEVC, (), "mkv"),
    "AVI": (AVC, ("-tag:v", "H264"), "avi"),
    "AVI of HEVC": (HEVC, ("-tag:v", "HEVC"), "avi"),
    "transport stream": (AVC, (), "ts"),
    "transport stream of HEVC": (HEVC, (), "ts"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", CONTAINERS)
def test_words_behind_parameter_sets_go_and_the_pictures_stay(name: str) -> None:
    codec, options, suffix = CONTAINERS[name]
    dirty = muxed(tailed(codec, stream(codec)), codec, options, suffix)
    plain = muxed(stream(codec), codec, options, suffix)
    assert dirty.count(CANARY) >= (2 if codec == AVC else 3)
    made, _ = prove(dirty, "." + suffix)
    assert hashes(made, decoded=True) == hashes(plain, decoded=True)
    assert clean(plain) == made


def long_unit(data: bytes) -> bytes:
    """Return data with words behind the first sequence header of AV1 in it."""
    place = data.index(b"\x0a")
    size = data[place + 1]
    header = data[place + 2 : place + 2 + size]
    return data[:place] + obu(1, header + TAIL) + data[place + 2 + size :]


@pytest.mark.claim("C-META")
def test_words_behind_a_sequence_header_of_av1_go() -> None:
    plain = run("-c", "copy", "-frames:v", "1", data=stream(AV1), form=AV1, out="mp4")
    stbl = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    frame = long_unit(find(plain, b"mdat"))
    size = find(plain, *stbl, b"stsz")
    dirty = replaced(plain, stbl, {b"stsz": size[:4] + struct.pack(">I", len(frame)) + size[8:]})
    described = find(plain, *stbl, b"stsd")
    at = described.index(b"av1C")
    start = described.index(b"av01") - 4
    (whole,) = struct.unpack_from(">I", described, start)
    record = long_unit(described[at + 4 : at - 4 + int.from_bytes(described[at - 4 : at], "big")])
    entry = described[start + 8 : at - 4] + struct.pack(">I", 8 + len(record)) + b"av1C" + record
    entry += described[at - 4 + int.from_bytes(described[at - 4 : at], "big") : start + whole]
    made = described[:start] + struct.pack(">I", 8 + len(entry)) + b"av01" + entry
    dirty = replaced(dirty, stbl, {b"stsd": made})
    dirty = replaced(dirty, (), {b"mdat": frame})
    assert dirty.count(CANARY) == 2
    cleaned, _ = prove(dirty, ".mp4")
    assert cleaned == clean(plain)
    assert hashes(cleaned, decoded=True) == hashes(plain, decoded=True)


@pytest.mark.claim("C-META")
def test_words_behind_the_sets_of_a_heic_go() -> None:
    def longer(record: bytes) -> bytes:
        made, at = record[:23], 23
        for _ in range(record[22]):
            length = int.from_bytes(record[at + 3 : at + 5], "big")
            unit = record[at + 5 : at + 5 + length] + TAIL
            made += record[at : at + 3] + struct.pack(">H", len(unit)) + unit
            at += 5 + length
        return made

    thing = coded(drawing(64, 64))
    properties = [
        (kind, longer(content) if kind == b"hvcC" else content, mark)
        for kind, content, mark in thing.properties
    ]
    dirty = File({1: replace(thing, properties=properties)}).to_bytes()
    assert dirty.count(CANARY) == 3
    made, facts = prove(dirty, "heic")
    assert made == clean(File({1: thing}).to_bytes())
    assert "other_metadata" in facts.removed


@pytest.mark.claim("C-META")
def test_words_behind_the_header_of_an_avif_go() -> None:
    whole = io.BytesIO()
    drawing(96, 64).save(whole, "AVIF", quality=60, speed=10)
    meta = find(whole.getvalue(), b"meta")[4:]
    listed = split(find(meta, b"iprp", b"ipco"))
    start, length = struct.unpack_from(">II", find(meta, b"iloc"), 14)
    data = whole.getvalue()[start : start + length]
    place = data.index(b"\x0a")
    size = data[place + 1]
    content = data[place + 2 : place + 2 + size]
    kept = [(k, c, k == b"av1C") for k, c in listed if k in {b"ispe", b"av1C"}]

    def avif(content: bytes) -> bytes:
        coded_data = obu(1, content) + data[place + 2 + size :]
        return File({1: Thing(b"av01", coded_data, kept)}, brand=b"avif").to_bytes()

    made, facts = prove(avif(content + TAIL), "avif")
    assert made == clean(avif(content))
    assert "other_metadata" in facts.removed


def led(*units: bytes, width: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(width, "big") + unit for unit in units)


def test_a_set_in_a_frame_is_cut_and_its_neighbours_stay() -> None:
    strip = strips.avc(4, b"\1\x64\0\x1f\xff\xe1" + led(AVC_SEQUENCE, width=2) + b"\0")
    frame = led(b"\x09\xf0", AVC_SEQUENCE + TAIL, AVC_PICTURE + TAIL, b"\x65abc", b"\x41abc")
    assert strip(frame) == led(b"\x09\xf0", AVC_SEQUENCE, AVC_PICTURE, b"\x65abc", b"\x41abc")
    assert strips.avc(4)(led(AVC_SEQUENCE, b"\x65abc")) == led(AVC_SEQUENCE, b"\x65abc")
    frame = led(HEVC_VIDEO + TAIL, HEVC_SEQUENCE, HEVC_PICTURE + TAIL, b"\x26\1abc")
    wanted = led(HEVC_VIDEO, HEVC_SEQUENCE, HEVC_PICTURE, b"\x26\1abc")
    assert strips.hevc(4)(frame) == wanted


def test_a_set_that_becomes_too_long_for_its_length_is_refused() -> None:
    """Emulation prevention that was left out is put in, and takes room."""
    # Twenty-nine offsets of a type of order that nobody uses, each of 62 zeros and a one.
    text = "11010111" + "000011110" + ("0" * 31 + "1" + "0" * 31) * 29 + "101111001"
    text += "0" * (-len(text) % 8)
    unit = b"\x67\x42\x00\x1e" + int(text, 2).to_bytes(len(text) // 8, "big")
    assert len(unit) < 256
    with pytest.raises(Malformed):
        strips.avc(1)(led(unit, width=1))


def test_sets_of_further_layers_go_from_a_setup_and_from_a_stream() -> None:
    second = b"\x42\x09" + HEVC_SEQUENCE[2:] + CANARY
    odd = b"\x43\x01" + HEVC_SEQUENCE[2:] + CANARY
    array = b"\xa1\0\3" + led(HEVC_SEQUENCE, second, odd, width=2)
    made = setup.hevc(bytes(22) + b"\1" + array)
    assert made.endswith(b"\xa1\0\1" + led(HEVC_SEQUENCE, width=2))
    units = [HEVC_VIDEO, HEVC_SEQUENCE, second, odd, b"\x26\1abc", b"\x26\x09" + CANARY]
    frame = b"".join(b"\0\0\0\1" + unit for unit in units)
    wanted = b"".join(b"\0\0\0\1" + units[place] for place in (0, 1, 4))
    assert annexb.hevc(frame) == wanted
    annexb_check.hevc(wanted)
    with pytest.raises(MetadataSurvived):
        annexb_check.hevc(frame)


def test_a_film_for_two_eyes_keeps_the_first() -> None:
    array = b"\xa0\0\1" + led(HEVC_OF_TWO_EYES, width=2)
    made = setup.hevc(bytes(22) + b"\1" + array)
    assert made[23:] == b"\xa0\0\1" + led(
        bytes.fromhex("40010c01ffff016000000300b0000003000003003c15c090"), width=2
    )


def test_the_head_of_a_setup_says_what_its_sequence_says() -> None:
    array = b"\xa1\0\1" + led(HEVC_SEQUENCE, width=2)
    made = setup.hevc(b"\xff" * 21 + b"\xfd\1" + array)
    profile = bytes.fromhex("0160000000b0000000000078")
    assert made[:23] == b"\1" + profile + b"\xf0\0\xfc\xfd\xf8\xf8\0\0\x0d\1"
    # Without one, what is known of a profile stays, and nothing in its reserved bits.
    made = setup.hevc(b"\xff" * 22 + b"\0")
    known = bytes.fromhex("fffff00000fffc00000001ff")
    assert made == b"\1" + known + b"\xf0\0\xfc\xff\xff\xff\0\0\x3f\0"
    made = setup.avc(b"\1\xff\xff\xff\xff\xe1" + led(AVC_SEQUENCE, width=2) + b"\0")
    assert made[:6] == b"\1\x64\0\x1f\xff\xe1"
    assert setup.avc(b"\7\xff\xff\xff\xff\xe0\0") == b"\1\xff\xfc\xff\xff\xe0\0"


def test_a_setup_of_av1_keeps_one_header() -> None:
    head, plain = b"\x81\x04\x0c\0", obu(1, AV1_SEQUENCE)
    for units in (
        obu(1, AV1_SEQUENCE + TAIL),
        obu(5, CANARY) + obu(1, AV1_SEQUENCE, extended=True) + obu(1, AV1_SEQUENCE),
        b"\x08" + AV1_SEQUENCE + TAIL,
    ):
        assert setup.av1(b"\xff\x04\x0c\xff" + units) == head + plain
    assert setup.av1(head) == head
    private = bytes([5 << 3 | 2, 0x80, 1]) + CANARY.ljust(128)
    assert setup.av1(head + private + plain) == head + plain
    with pytest.raises(Malformed):
        setup.av1(b"\x81\0")
    with pytest.raises(Malformed):
        setup.av1(head + b"\x0a\2\0\0")


SHAPES: dict[str, Callable[[], object]] = {
    "nothing": lambda: sets_check.check(b""),
    "zeros behind": lambda: sets_check.check(AVC_SEQUENCE + b"\0"),
    "a start code": lambda: sets_check.check(AVC_SEQUENCE + b"\0\0\1a"),
    "zeros inside": lambda: sets_check.check(AVC_SEQUENCE + b"\0\0\0a"),
    "prevention of nothing": lambda: sets_check.check(AVC_SEQUENCE + b"\0\0\3a"),
    "prevention at the end": lambda: sets_check.check(AVC_SEQUENCE + b"\0\0\3"),
    "a novel": lambda: sets_check.check(AVC_SEQUENCE + b"a" * 5000),
    "in a frame": lambda: check.avc(led(AVC_SEQUENCE + b"\0"), 4),
    "in a frame of HEVC": lambda: check.hevc(led(HEVC_VIDEO + b"\0"), 4),
    "a message behind start codes": lambda: annexb_check.avc(b"\0\0\1\6" + CANARY),
    "behind start codes": lambda: annexb_check.avc(b"\0\0\0\1" + AVC_SEQUENCE + b"\0\0"),
    "behind start codes of HEVC": lambda: annexb_check.hevc(b"\0\0\1" + HEVC_VIDEO + b"\0\0"),
    "an extended header of AV1": lambda: check.av1(obu(1, AV1_SEQUENCE, extended=True)),
    "zeros behind a header of AV1": lambda: check.av1(obu(1, AV1_SEQUENCE + b"\0")),
    "a header of AV1 of nothing": lambda: check.av1(b"\x0a\0"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_second_reader_notices_a_set_that_does_not_close(shape: str) -> None:
    with pytest.raises(MetadataSurvived):
        SHAPES[shape]()


def test_the_second_reader_lets_whole_sets_pass() -> None:
    sets_check.check(AVC_SEQUENCE)
    check.avc(led(AVC_SEQUENCE, AVC_PICTURE), 4)
    check.hevc(led(HEVC_VIDEO, HEVC_SEQUENCE, HEVC_PICTURE), 4)
    check.av1(obu(1, AV1_SEQUENCE))
    annexb_check.avc(b"\0\0\0\1" + AVC_SEQUENCE + b"\0\0\0\1" + AVC_PICTURE)
