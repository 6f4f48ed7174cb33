"""Parameter sets end where their syntax ends: as real encoders write them, and as liars do.

The judge is ffmpeg's own reader of headers (``trace_headers``): it names each field of a set and
where it lies, and so says where the set ends.
"""

import re
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Malformed, MetadataSurvived, Refused
from sanitizer.frames import (
    annexb,
    annexb_check,
    check,
    parameter_sets_hevc,
    sets_check,
    setup,
)
from sanitizer.frames import sequence as av1_sequence
from sanitizer.frames import strip as strips
from sanitizer.frames.bits import unescaped
from sanitizer.frames.parameter_sets import AvcSets
from tests.sanitizer import sets
from tests.sanitizer.kit import CANARY
from tests.sanitizer.sets import (
    AVC_PICTURE,
    AVC_SEQUENCE,
    HEVC_PICTURE,
    HEVC_SEQUENCE,
    HEVC_VIDEO,
)

_START = re.compile(rb"\x00*\x00\x00\x01")
_FIELD = re.compile(r"\] (\d+) +(\S+) +([01]+) = (-?\d+)$")
_BUFFERS = re.compile(
    r"(nal_hrd|vcl_hrd|cpb|bit_rate|cbr|initial_cpb|dpb_output|time_offset|low_delay|sub_pic_hrd|"
    r"au_cpb|fixed_pic_rate|elemental|vui_hrd|vps_num_hrd|hrd_layer|rbsp)"
)
Field = tuple[str, int]


def avc(unit: bytes) -> bytes:
    """Clean one H.264 set; a picture's belongs to a sequence of the high profile."""
    cleaner = AvcSets()
    cleaner.clean(AVC_SEQUENCE)
    return cleaner.clean(unit)


def unhex(listed: dict[str, str], kind: int | None = None) -> dict[str, bytes]:
    units = {name: bytes.fromhex(text) for name, text in listed.items()}
    return {name: unit for name, unit in units.items() if kind is None or unit[0] == kind}


@cache
def traced(codec: str, units: tuple[bytes, ...]) -> list[tuple[int, list[Field]]]:
    """Return, for each unit, how many bits ffmpeg reads in it, and the fields it sees."""
    told: list[tuple[int, list[Field]]] = []
    for line in trace(codec, b"".join(b"\0\0\0\1" + unit for unit in units)).splitlines():
        found = _FIELD.search(line)
        if line.endswith("Parameter Set"):
            told.append((0, []))
        elif found:
            place, name, code, value = found.groups()
            told[-1] = (int(place) + len(code), [*told[-1][1], (name, int(value))])
    return told[: len(units)]


def trace(codec: str, stream: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream"
        path.write_bytes(stream)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-f", codec, "-i", str(path)]
        command += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
        return subprocess.run(command, check=False, capture_output=True, text=True).stderr


def encoded(*options: str, codec: str, size: str = "160x120") -> bytes:
    """Return a short stream of start codes and units."""
    source = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=10:duration=0.4"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *source, *options]
    made = subprocess.run([*command, "-f", codec, "-"], check=True, capture_output=True)
    return made.stdout


def units_of(stream: bytes) -> list[bytes]:
    return [unit.rstrip(b"\0") for unit in _START.split(stream)[1:]]


def judged(codec: str, units: Iterable[bytes], before: tuple[bytes, ...] = ()) -> None:
    """Let ffmpeg say that each unit ends with its last byte; ``before`` are sets they need."""
    listed = tuple(units)
    told = traced(codec, (*before, *listed))[len(before) :]
    assert len(told) == len(listed)
    for unit, (bits, fields) in zip(listed, told, strict=True):
        assert bits == 8 * len(unescaped(unit)), unit.hex()
        assert "rbsp_stop_one_bit" in dict(fields)


AVC_EXACT, HEVC_EXACT = unhex(sets.AVC_EXACT), unhex(sets.HEVC_EXACT)


@pytest.mark.parametrize("name", AVC_EXACT)
def test_a_set_of_h264_stays_as_its_encoder_wrote_it(name: str) -> None:
    assert avc(AVC_EXACT[name]) == AVC_EXACT[name]


@pytest.mark.parametrize("name", HEVC_EXACT)
def test_a_set_of_hevc_stays_as_its_encoder_wrote_it(name: str) -> None:
    assert parameter_sets_hevc.clean(HEVC_EXACT[name]) == HEVC_EXACT[name]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("tail", [CANARY, b"\0" * 3 + CANARY, b"\xff" * 40, b"\0\0\1", b"\0"])
def test_what_stands_behind_a_set_goes(tail: bytes) -> None:
    for unit in [*AVC_EXACT.values(), AVC_SEQUENCE]:
        # Behind a picture's set of the high profiles, fields may follow that decoders would read.
        if unit[0] & 31 == 7 or unit == AVC_PICTURE:
            assert avc(unit + tail) == unit
    for unit in HEVC_EXACT.values():
        assert parameter_sets_hevc.clean(unit + tail) == unit


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", sets.AVC_WITH_JUNK)
def test_what_a_camera_left_behind_its_set_goes(name: str) -> None:
    text, junk = sets.AVC_WITH_JUNK[name]
    unit = bytes.fromhex(text)
    made = avc(unit)
    if name == "a camera that leaves a start code behind":
        # It speaks of buffers, too.
        judged("h264", [made])
        assert len(made) < len(unit) - junk
    else:
        assert made == unit[:-junk]


@pytest.mark.claim("C-META")
def test_buffers_go_and_nothing_else_does() -> None:
    dirty = tuple(unhex(sets.AVC_WITH_BUFFERS).values())
    made = tuple(map(avc, dirty))
    hevc_dirty = tuple(unhex(sets.HEVC_WITH_BUFFERS).values())
    hevc_made = tuple(map(parameter_sets_hevc.clean, hevc_dirty))
    judged("h264", made)
    judged("hevc", hevc_made, before=(HEVC_VIDEO,))
    before = traced("h264", dirty) + traced("hevc", (HEVC_VIDEO, *hevc_dirty))[1:]
    after = traced("h264", made) + traced("hevc", (HEVC_VIDEO, *hevc_made))[1:]
    for (_, old), (_, new) in zip(before, after, strict=True):
        kept = [field for field in old if not _BUFFERS.match(field[0])]
        assert kept == [field for field in new if not _BUFFERS.match(field[0])]
        names = {name for name, value in new if value}
        assert not {name for name in names if "hrd" in name}


def test_ffmpeg_reads_each_set_to_its_last_byte() -> None:
    """A positive control of the reader: it and ffmpeg agree on every set that is known."""
    judged("h264", [unit for unit in AVC_EXACT.values() if unit[0] & 31 == 7])
    pictures = [unit for unit in AVC_EXACT.values() if unit[0] & 31 == 8]
    judged("h264", pictures, before=(AVC_SEQUENCE,))
    videos = [unit for unit in HEVC_EXACT.values() if unit[0] == 0x40]
    judged("hevc", [*videos, HEVC_VIDEO, HEVC_SEQUENCE, HEVC_PICTURE])
    layered = {unit for unit in HEVC_EXACT.values() if unit[0] == 0x42 and unit[2] >> 1 & 7}
    plain = [u for u in HEVC_EXACT.values() if u[0] == 0x42 and u not in layered]
    judged("hevc", plain, before=(HEVC_VIDEO,))
    screens = HEVC_EXACT["screens, picture"]
    few = [u for u in HEVC_EXACT.values() if u[0] == 0x44 and u != screens]
    judged("hevc", few, before=(HEVC_VIDEO, HEVC_SEQUENCE))
    judged("hevc", [screens], before=(HEVC_VIDEO, HEVC_EXACT["screens"]))
    two = HEVC_EXACT["two layers of time, video"]
    judged("hevc", [HEVC_EXACT["two layers of time"]], before=(two,))


X264 = ("-c:v", "libx264", "-preset", "ultrafast")
X265 = ("-c:v", "libx265", "-preset", "ultrafast")
STREAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "x264 baseline": ("h264", (*X264, "-profile:v", "baseline", "-pix_fmt", "yuv420p")),
    "x264 main": ("h264", (*X264, "-profile:v", "main", "-pix_fmt", "yuv420p")),
    "x264 high": ("h264", ("-c:v", "libx264", "-pix_fmt", "yuv420p")),
    "x264 4:2:2 of 10 bits": (
        "h264", (*X264, "-pix_fmt", "yuv422p10le", "-x264-params", "cqm=jvt"),
    ),
    "x264 4:4:4 with lists": (
        "h264", ("-c:v", "libx264", "-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt"),
    ),
    "x264 lossless": ("h264", (*X264, "-qp", "0", "-pix_fmt", "yuv444p")),
    "x264 with lists of its own": (
        "h264", ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params",
                 "cqm8i=" + ",".join(["17", "19"] * 32) + ":cqm4=" + ",".join(["9"] * 16)),
    ),
    "x264 interlaced": ("h264", (*X264, "-flags", "+ilme+ildct", "-pix_fmt", "yuv420p")),
    "x264 grey": ("h264", (*X264, "-pix_fmt", "gray")),
    "x264 of all looks": (
        "h264", (*X264, "-pix_fmt", "yuv420p", "-aspect", "11:7", "-color_range", "pc",
                 "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
                 "-x264-params", "overscan=crop:chromaloc=2:pic-struct=1"),
    ),
    "x264 intra alone": ("h264", (*X264, "-g", "1", "-profile:v", "high10", "-pix_fmt",
                                  "yuv420p10le")),
    "openh264": ("h264", ("-c:v", "libopenh264", "-pix_fmt", "yuv420p")),
    "openh264 high": ("h264", ("-c:v", "libopenh264", "-profile:v", "high", "-pix_fmt", "yuv420p")),
    "x265 main": ("hevc", (*X265, "-pix_fmt", "yuv420p")),
    "x265 slow": ("hevc", ("-c:v", "libx265", "-preset", "slow", "-pix_fmt", "yuv420p")),
    "x265 of high dynamic range": (
        "hevc", (*X265, "-pix_fmt", "yuv420p10le", "-x265-params",
                 ("hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:repeat-headers=1"
                 ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(1,1)")),
    ),
    "x265 4:2:2 of 12 bits": ("hevc", (*X265, "-pix_fmt", "yuv422p12le")),
    "x265 4:4:4": ("hevc", (*X265, "-pix_fmt", "yuv444p10le")),
    "x265 grey": ("hevc", (*X265, "-pix_fmt", "gray")),
    "x265 layers of time": ("hevc", (*X265, "-pix_fmt", "yuv420p", "-x265-params",
                                     "temporal-layers=3:bframes=3:b-adapt=0")),
    "x265 with lists": ("hevc", (*X265, "-pix_fmt", "yuv420p", "-x265-params",
                                 "scaling-list=default:rskip=0:cutree=0")),
    "x265 of many tools": (
        "hevc", (*X265, "-pix_fmt", "yuv420p", "-x265-params",
                 ("cbqpoffs=2:crqpoffs=-2:tskip=1:cu-lossless=1:weightb=1:ctu=16:deblock=1,-2:"
                 "overscan=crop:videoformat=pal:chromaloc=1:sar=5:constrained-intra=1:amp=1:rect=1")),
    ),
    "x265 interlaced": ("hevc", (*X265, "-pix_fmt", "yuv420p", "-x265-params", "interlace=tff")),
    "x265 intra": ("hevc", (*X265, "-pix_fmt", "yuv420p", "-profile:v", "main-intra")),
    "x265 still": ("hevc", (*X265, "-frames:v", "1", "-profile:v", "mainstillpicture",
                            "-pix_fmt", "yuv420p")),
    "kvazaar": ("hevc", ("-c:v", "libkvazaar", "-pix_fmt", "yuv420p")),
    "kvazaar in tiles": (
        "hevc", ("-c:v", "libkvazaar", "-pix_fmt", "yuv420p", "-kvazaar-params",
                 "tiles=2x2,gop=0,signhide=1,transform-skip=1,vaq=5"),
    ),
    "kvazaar with lists": (
        "hevc", ("-c:v", "libkvazaar", "-pix_fmt", "yuv420p", "-kvazaar-params",
                 "scaling-list=default,lossless=0,wpp=1,tiles-width-split=64"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_what_an_encoder_writes_comes_through_and_ffmpeg_reads_it_all(name: str) -> None:
    codec, options = STREAMS[name]
    size = "256x256" if "kvazaar" in name else "160x120"
    stream = encoded(*options, codec=codec, size=size)
    kinds = {7, 8} if codec == "h264" else {32, 33, 34}
    made, cleaner = [], AvcSets()
    for unit in units_of(stream):
        kind = unit[0] & 31 if codec == "h264" else unit[0] >> 1
        if kind in kinds and unit not in made:
            clean = cleaner.clean(unit) if codec == "h264" else parameter_sets_hevc.clean(unit)
            assert clean == unit
            assert (cleaner.clean if codec == "h264" else parameter_sets_hevc.clean)(
                unit + CANARY
            ) == unit or kind == 8
            made.append(unit)
    assert len(made) >= len(kinds)
    judged(codec, made)


def test_buffers_of_encoders_go() -> None:
    hrd = "nal-hrd=vbr:vbv-maxrate=200:vbv-bufsize=200"
    for stream, codec in (
        (encoded(*X264, "-pix_fmt", "yuv420p", "-x264-params", hrd, codec="h264"), "h264"),
        (
            encoded(
                *X265, "-pix_fmt", "yuv420p", "-x265-params",
                "hrd=1:hrd-concat=1:vbv-maxrate=200:vbv-bufsize=200:bitrate=100", codec="hevc",
            ),
            "hevc",
        ),
    ):  # fmt: skip
        clean = AvcSets().clean if codec == "h264" else parameter_sets_hevc.clean
        kinds = {7, 8} if codec == "h264" else {32, 33, 34}
        found = [
            u for u in units_of(stream) if (u[0] & 31 if codec == "h264" else u[0] >> 1) in kinds
        ]
        made = [clean(unit) for unit in found]
        assert sum(map(len, made)) < sum(map(len, found))
        judged(codec, made)


SAMPLES = [*AVC_EXACT.values(), *unhex(sets.AVC_WITH_BUFFERS).values()]
HEVC_SAMPLES = [*HEVC_EXACT.values(), *unhex(sets.HEVC_WITH_BUFFERS).values()]


@st.composite
def mutated(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A real set with a few of its bytes changed, or any bytes behind a real head."""
    made = bytearray(draw(st.sampled_from(samples)))
    if draw(st.booleans()):
        return bytes(made[:4]) + draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 5))):
        made[draw(st.integers(2, len(made) - 1))] = draw(st.integers(0, 255))
    return bytes(made) + draw(st.sampled_from([b"", CANARY, b"\0", b"\xff" * 50]))


@settings(max_examples=300, derandomize=True, deadline=1000)
@given(mutated(SAMPLES))
def test_any_bits_of_h264_are_cleaned_for_good_or_refused(unit: bytes) -> None:
    settled(avc, unit)


@settings(max_examples=300, derandomize=True, deadline=1000)
@given(mutated(HEVC_SAMPLES))
def test_any_bits_of_hevc_are_cleaned_for_good_or_refused(unit: bytes) -> None:
    settled(parameter_sets_hevc.clean, unit)


def settled(clean: Callable[[bytes], bytes], unit: bytes) -> None:
    try:
        made = clean(unit)
    except Refused:
        return
    sets_check.check(made)
    assert clean(made) == made
    assert clean(made + b"\0") == made


@settings(max_examples=200, derandomize=True, deadline=1000)
@given(st.binary(max_size=120), st.binary(max_size=40))
def test_any_bits_of_av1_have_an_end_or_are_refused(start: bytes, tail: bytes) -> None:
    try:
        end = av1_sequence.end_of(start + tail)
    except Refused:
        return
    assert end <= len(start + tail)
    assert av1_sequence.end_of((start + tail)[:end]) == end


@settings(max_examples=200, derandomize=True, deadline=1000)
@given(mutated(SAMPLES + HEVC_SAMPLES), st.binary(max_size=60))
def test_any_frame_and_any_setup_is_cleaned_or_refused(unit: bytes, rest: bytes) -> None:
    frame = struct.pack(">I", len(unit)) + unit + rest
    record = bytes(22) + b"\1\xa1\0\1" + struct.pack(">H", len(unit)) + unit + rest
    walks: list[tuple[Callable[[bytes], bytes], bytes]] = [
        (strips.avc(4), frame), (strips.hevc(4), frame), (setup.hevc, record),
        (setup.avc, b"\1" * 5 + b"\1" + record[26:]), (annexb.avc, b"\0\0\1" + unit + rest),
        (annexb.hevc, b"\0\0\1" + unit + rest), (strips.av1, rest), (setup.av1, bytes(4) + rest),
    ]  # fmt: skip
    for clean, data in walks:
        try:
            made = clean(data)
        except Refused:
            continue
        assert clean(made) == made


def test_a_novel_of_bits_is_refused_soon() -> None:
    """Neither a number without end nor a set without end takes long."""
    with pytest.raises(Malformed):
        AvcSets().clean(b"\x67\x42\x00\x1e" + b"\0" * 100_000)
    assert len(AvcSets().clean(AVC_SEQUENCE[:9] + b"\xff" * 100_000)) < 100
    with pytest.raises(MetadataSurvived):
        check.avc(struct.pack(">I", 9000) + AVC_SEQUENCE.ljust(9000, b"a"), 4)
    with pytest.raises(MetadataSurvived):
        annexb_check.avc(b"\0\0\1" + AVC_SEQUENCE.ljust(9000, b"a"))
