"""MPEG-4 part 2: what leads a picture is written anew, and the time of day goes."""

import re
import struct
from pathlib import Path

import pytest

from sanitizer.errors import Malformed, MetadataSurvived, Unsupported
from sanitizer.frames import mpeg4, mpeg4_check, mpeg4_setup
from tests.sanitizer.kit import CANARY, clean, hashes
from tests.sanitizer.videos import lavfi
from tests.support.media import run_ffmpeg

START, VOP = b"\0\0\1", b"\0\0\1\xb6picture"


def bits(*fields: tuple[int, int]) -> bytes:
    """Return (value, width) fields, with the stuffing of the standard behind them."""
    text = "".join(f"{value:0{width}b}" for value, width in fields if width) + "0"
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


HEAD = [(0, 1), (1, 8), (0, 1), (1, 4)]
SIZE = [(1, 1), (25, 16), (1, 1), (0, 1), (1, 1), (176, 13), (1, 1), (144, 13), (1, 1), (1, 2)]
PLAIN_END = [(0, 1), (0, 1), (0, 1), (1, 1), (1, 1), (0, 1), (0, 1)]
"""No sprite, eight bits, no tables, no complexity, no markers, no partitions, no layers."""
LAYER = bits(*HEAD, (0, 1), (0, 2), *SIZE, *PLAIN_END)
LAYERS: dict[str, tuple[bytes, bytes]] = {
    "plain": (LAYER, LAYER),
    "text behind it": (LAYER + CANARY, LAYER),
    "an odd filling": (LAYER + bytes(4), LAYER),
    "markers that are none": (
        bits(*HEAD, (0, 3), *[(0, 1) if f == (1, 1) else f for f in SIZE], *PLAIN_END),
        LAYER,
    ),
    "a buffer": (
        bits(*HEAD, (1, 1), (5, 3), (1, 1), ((1 << 79) - 3, 79), (0, 2), *SIZE, *PLAIN_END),
        bits(*HEAD, (1, 1), (5, 3), (0, 1), (0, 2), *SIZE, *PLAIN_END),
    ),
    **{
        name: (made, made)
        for name, made in {
            "an aspect": bits(*HEAD[:3], (15, 4), (4, 8), (3, 8), (0, 3), *SIZE, *PLAIN_END),
            "a fixed rate": bits(
                *HEAD, (0, 3), *SIZE[:3], (1, 1), (1, 5), *SIZE[4:], *PLAIN_END
            ),
            "a later version": bits(
                *HEAD[:2], (1, 1), (2, 4), (1, 3), (1, 4), (0, 3), *SIZE,
                (2, 2), (1, 6), (0, 2), (0, 1), (0, 1), (0, 1), (1, 1), (1, 1), (1, 1), (1, 1),
                (1, 1), (0, 1), (0, 1), (0, 1),
            ),
            "tables": bits(
                *HEAD, (0, 3), *SIZE, (0, 1), (1, 1), (5, 4), (8, 4), (1, 1),
                (1, 1), *[(9, 8)] * 64, (1, 1), (8, 8), (0, 8), *PLAIN_END[3:],
            ),
        }.items()
    },
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_is_the_numbers_that_it_needs(case: str) -> None:
    dirty, quiet = LAYERS[case]
    for code in (0x20, 0x2F):
        head = START + bytes([code])
        assert mpeg4.strip(head + dirty + VOP) == head + quiet + VOP
        mpeg4_check.check(head + quiet + VOP)
    with pytest.raises(MetadataSurvived):
        mpeg4_check.check(START + b"\x20" + LAYER + CANARY * 20)


REFUSED: dict[str, tuple[bytes, type[Exception]]] = {
    "layers of quality": (bits((0, 1), (18, 8)), Unsupported),
    "a shape": (bits(*HEAD, (0, 1), (1, 2), *SIZE, *PLAIN_END), Unsupported),
    "no clock": (bits(*HEAD, (0, 3), (1, 1), (0, 16), *SIZE[2:], *PLAIN_END), Malformed),
    "a sprite": (bits(*HEAD, (0, 3), *SIZE, (1, 1), *[(0, 8)] * 20), Unsupported),
    "a still sprite": (
        bits(*HEAD[:2], (1, 1), (2, 4), (1, 3), (1, 4), (0, 3), *SIZE, (1, 2), *[(0, 8)] * 20),
        Unsupported,
    ),
    "complexity": (bits(*HEAD, (0, 3), *SIZE, *[(0, 1)] * 4, *[(0, 8)] * 4), Unsupported),
    "pictures that are asked for": (
        bits(*HEAD[:2], (1, 1), (2, 4), (1, 3), (1, 4), (0, 3), *SIZE, (0, 2), (0, 2), (0, 1),
             (1, 1), (1, 1), (0, 1), (1, 1), (0, 8)),
        Unsupported,
    ),
    "layers": (bits(*HEAD, (0, 3), *SIZE, *PLAIN_END[:-1], (1, 1), (0, 8)), Unsupported),
    "nothing": (b"", Malformed),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_layer_of_no_camera_is_refused(case: str) -> None:
    told, error = REFUSED[case]
    with pytest.raises(error):
        mpeg4_setup.layer(told)


@pytest.mark.claim("C-META")
def test_units_that_lead_a_picture_say_no_more_than_they_must() -> None:
    colours = bits((1, 1), (2, 4), (1, 3), (1, 4), (1, 1), (5, 3), (0, 1), (1, 1), (0x010101, 24))
    for code, quiet in (
        (0, b""), (0x1F, b""), (0xB0, b"\xf5"), (0xB1, b""), (0xB5, bits((0, 1), (1, 4), (0, 1))),
        (0xB5, colours), (0xB5, bits((0, 1), (3, 4))),
    ):  # fmt: skip
        unit = START + bytes([code]) + quiet
        assert mpeg4.strip(unit + CANARY + VOP) == unit + VOP
        mpeg4_check.check(unit + VOP)
        with pytest.raises(MetadataSurvived):
            mpeg4_check.check(unit + CANARY + VOP)
    for code in (0x30, 0xAF, 0xB4, 0xB7, 0xC3, 0xFF):
        assert mpeg4.strip(START + bytes([code]) + CANARY + VOP) == VOP
        with pytest.raises(MetadataSurvived):
            mpeg4_check.check(START + bytes([code]) + VOP)
    assert mpeg4.strip(START + b"\xb0") == b""


@pytest.mark.claim("C-META")
def test_behind_a_picture_and_beside_units_there_is_nothing() -> None:
    for code in (0, 0x20, 0xB0, 0xB2, 0xB3, 0xB5):
        unit = START + bytes([code]) + LAYER
        assert mpeg4.strip(VOP + unit + VOP + unit) == VOP + VOP
        with pytest.raises(MetadataSurvived):
            mpeg4_check.check(VOP + START + b"\0")
    assert mpeg4.strip(CANARY + VOP) == VOP
    assert mpeg4.strip(CANARY) == mpeg4.strip(b"\x7f") == mpeg4.strip(b"\0\0\x80" + CANARY) == b""
    with pytest.raises(MetadataSurvived):
        mpeg4_check.check(CANARY + VOP)


def group(hours: int, minutes: int, seconds: int, flags: int = 1) -> bytes:
    return START + b"\xb3" + bits((hours, 5), (minutes, 6), (1, 1), (seconds, 6), (flags, 2))


@pytest.mark.claim("C-META")
def test_the_time_of_day_is_set_back_to_zero_for_the_whole_stream() -> None:
    stream = mpeg4.Pictures()
    told = [(23, 59, 58), (23, 59, 59), (0, 0, 1), (1, 2, 3)]
    made = [stream.strip(group(*time) + VOP) for time in told]
    assert made == [group(*time) + VOP for time in ((0, 0, 0), (0, 0, 1), (0, 0, 3), (1, 2, 5))]
    checker = mpeg4_check.Mpeg4Checker()
    for packet in [VOP, *made]:
        checker.check(packet)
    with pytest.raises(MetadataSurvived):
        mpeg4_check.Mpeg4Checker().check(made[1])
    for lie in (b"\xc0\x10\x07", b"\0\0\x07", b"\0\x10\x08", b"\0\x10", b"\0\x10\x07\0"):
        with pytest.raises(MetadataSurvived):
            mpeg4_check.check(START + b"\xb3" + lie + VOP)
    with pytest.raises(Malformed):
        mpeg4.strip(START + b"\xb3\0")


def late(data: bytes) -> bytes:
    """Return a film whose groups of pictures begin at some time of a day."""

    def later(match: re.Match[bytes]) -> bytes:
        code = int.from_bytes(match[1], "big")
        seconds = (code >> 19) * 3600 + (code >> 13 & 63) * 60 + (code >> 6 & 63)
        at = seconds + 13 * 3600 + 37 * 60 + 40
        return group(at // 3600, at // 60 % 60, at % 60, code >> 4 & 3)

    return re.sub(rb"\x00\x00\x01\xb3(.{3})", later, data, flags=re.DOTALL)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("container", ["mp4", "avi", "matroska"])
def test_a_camcorders_clock_goes_and_every_picture_stays(container: str, tmp_path: Path) -> None:
    quiet = lavfi("-c:v", "mpeg4", "-bf", "2", "-g", "12", "-f", container, sound=False)
    dirty = late(quiet)
    assert dirty != quiet
    made = clean(dirty)
    assert made == clean(quiet)
    assert hashes(made, decoded=True) == hashes(quiet, decoded=True)
    assert group(0, 0, 0, 0)[:6] in made
    assert clean(made) == made
    path = tmp_path / f"film.{container}"
    path.write_bytes(made)
    assert run_ffmpeg("-i", str(path), "-c", "copy", "-f", "mp4")
    assert struct.unpack(">H", group(13, 37, 40)[4:6]) != (16,)
