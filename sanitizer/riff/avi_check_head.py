"""Read the headers of a cleaned AVI: numbers in their places, zeros in all others.

Rule: shares no code with what wrote them. What a packet of each stream may hold is decided here,
from the letters that stand in the result.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import annexb_check, jpeg_check, mpeg4_check
from sanitizer.frames.check import aac
from sanitizer.sound.mp3.check import Mp3Checker

_MPEG4 = {b"XVID", b"DIVX", b"DX50", b"FMP4"}
_FRAMES: dict[bytes, Callable[[bytes], None]] = {
    b"MJPG": jpeg_check.check,
    b"H264": annexb_check.avc,
    b"HEVC": annexb_check.hevc,
    **dict.fromkeys(_MPEG4, mpeg4_check.check),
}
_RAW = {
    b"\0\0\0\0", b"YUY2", b"YUYV", b"YVYU", b"UYVY", b"I420", b"IYUV", b"YV12", b"NV12", b"Y800",
    b"GREY",
}  # fmt: skip
# Of each sound: how many bytes stand behind the sixteen that all have.
_SOUNDS = {
    1: {0}, 2: {34}, 3: {2}, 6: {2}, 7: {2}, 0x11: {4}, 0x31: {4}, 0x55: {14},
    0xFF: set(range(4, 11)), 0x2000: {2}, 0xFFFE: {24},
}  # fmt: skip
_MP3, _AAC, _AC3 = 0x55, 0xFF, 0x2000
_MP3_EXTRA = struct.pack("<HHIHHH", 12, 1, 2, 1152, 1, 1393)
_FLAGS = 0x910


@dataclass(slots=True)
class Told:
    """What the headers say of one stream."""

    letters: bytes
    check: Callable[[bytes], object]
    finish: Callable[[], object]
    ticks: int
    largest: int
    sample: int
    index: bytes | None


def _fail() -> MetadataSurvived:
    return MetadataSurvived("a header of the result is not as it should be")


def parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return all chunks of a content, which must hold nothing else."""
    found, at = [], 0
    while at < len(content):
        if at + 8 > len(content):
            raise _fail()
        kind, size = struct.unpack_from("<4sI", content, at)
        end = at + 8 + size
        if end + (size & 1) > len(content) or content[end : end + (size & 1)].strip(b"\0"):
            raise _fail()
        found.append((kind, content[at + 8 : end]))
        at = end + (size & 1)
    return found


def headers(content: bytes, streams: int) -> tuple[list[Told], bool, int]:
    """Read hdrl; return its streams, whether it has more than one RIFF, and a count of frames.

    Raises MetadataSurvived.
    """
    every = parts(content)
    kinds = [kind for kind, _ in every]
    is_long = len(every) == streams + 2
    if kinds != [b"avih", *[b"LIST"] * (streams + is_long)]:
        raise _fail()
    main = every[0][1]
    if len(main) != 56:  # noqa: PLR2004 - avih
        raise _fail()
    numbers = struct.unpack("<14I", main)
    if numbers[1:4] != (0, 0, _FLAGS) or numbers[5:7] != (0, streams) or any(numbers[10:]):
        raise _fail()
    if is_long:
        last = every.pop()[1]
        long = parts(last[4:])
        if last[:4] != b"odml" or [kind for kind, _ in long] != [b"dmlh"]:
            raise _fail()
        if len(long[0][1]) != 248 or any(long[0][1][4:]):  # noqa: PLR2004 - dmlh
            raise _fail()
    found = [_stream(data, is_long=is_long) for _, data in every[1:]]
    if len({each.letters for each in found}) != len(found):
        # Players play one of each, and nobody would know of another.
        raise _fail()
    return found, is_long, numbers[4]


def _stream(content: bytes, *, is_long: bool) -> Told:
    every = parts(content[4:])
    kinds = [kind for kind, _ in every]
    wanted = [b"strh", b"strf", *[b"indx"] * is_long]
    if content[:4] != b"strl" or kinds not in (wanted, [*wanted, b"vprp"]):
        raise _fail()
    head, form = every[0][1], every[1][1]
    if len(head) != 56 or any(head[8:20]):  # noqa: PLR2004 - strh
        raise _fail()
    _, _, _, ticks, largest, quality, sample = struct.unpack_from("<7I", head, 20)
    is_video = head[:4] == b"vids"
    if quality != 0xFFFFFFFF or (not is_video and (head[:4] != b"auds" or any(head[48:]))):  # noqa: PLR2004 - the default
        raise _fail()
    if kinds[-1] == b"vprp":
        _shape(every[-1][1])
    index = every[2][1] if is_long else None
    if is_video:
        return Told(b"dc", _picture(form, head[4:8]), int, ticks, largest, sample, index)
    check, finish = _sound(form, head[4:8])
    return Told(b"wb", check, finish, ticks, largest, sample, index)


def _shape(told: bytes) -> None:
    """Judge a vprp: the picture's own size, and its shape."""
    if len(told) != 68:  # noqa: PLR2004 - nine numbers and a field
        raise _fail()
    numbers = struct.unpack("<17I", told)
    across, down = numbers[3:5]
    fits = numbers[6:13] == (across, down, 1, down, across, down, across)
    if any(numbers[:2]) or not fits or any(numbers[13:]):
        raise _fail()


def _picture(form: bytes, handler: bytes) -> Callable[[bytes], None]:
    """Judge a BITMAPINFO; return what judges a frame."""
    if len(form) < 40:  # noqa: PLR2004 - its header
        raise _fail()
    size, width, height, planes, bits = struct.unpack_from("<IiiHH", form)
    codec, extra = form[16:20], form[40:]
    whole, _, _, colours, important = struct.unpack_from("<5I", form, 20)
    palette = extra if codec == bytes(4) and bits == 8 else b""  # noqa: PLR2004 - a palette's depth
    if (
        size != len(form) - len(palette)
        or planes != 1
        or any(form[24:32])
        or important
        or colours * 4 != len(palette)
        or any(palette[3::4])
        or handler != codec
    ):
        raise _fail()
    if codec in _RAW and len(extra) == len(palette):
        row = width * bits // 8 if codec == bytes(4) else 0
        return _raw(whole, row, abs(height))
    if codec not in _FRAMES or (extra and codec not in _MPEG4):
        raise _fail()
    if extra[:3] not in {b"", b"\0\0\1"}:
        raise _fail()
    mpeg4_check.check(extra)
    return _FRAMES[codec]


def _raw(whole: int, row: int, lines: int) -> Callable[[bytes], None]:
    stride = whole // lines

    def check(frame: bytes) -> None:
        if len(frame) not in {0, whole}:
            raise MetadataSurvived("a picture of another length than its pixels")
        if row % 4:
            gaps = (frame[at + row : at + stride] for at in range(0, len(frame), stride))
            if any(any(gap) for gap in gaps):
                raise MetadataSurvived("bytes beside the picture in a frame")

    return check


def _sound(form: bytes, handler: bytes) -> tuple[Callable[[bytes], object], Callable[[], object]]:
    """Judge a WAVEFORMAT; return what judges a packet, and the stream's end."""
    tag = int.from_bytes(form[:2], "little")
    extra = form[16:]
    fits = not extra or int.from_bytes(extra[:2], "little") == len(extra) - 2
    if any(handler) or len(form) < 16 or not fits or len(extra) not in _SOUNDS.get(tag, set()):  # noqa: PLR2004 - WAVEFORMAT
        raise _fail()
    if tag == _MP3 and extra != _MP3_EXTRA:
        raise _fail()
    if tag == _MP3:
        mp3 = Mp3Checker()
        return mp3.feed, mp3.finish
    if tag == _AC3:
        ac3 = _Ac3()
        return ac3.feed, ac3.finish
    # What stands alone is numbers, but for AAC.
    return (aac if tag == _AAC else len), int


class _Ac3:
    """Sees that AC-3 is whole frames, one behind the other (ETSI TS 102 366, table 4.13)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> None:
        rest, at = self._rest + data, 0
        while len(rest) - at >= 6:  # noqa: PLR2004 - up to the codec's version
            rate, size = rest[at + 4] >> 6, rest[at + 4] & 63
            if rest[at : at + 2] != b"\x0b\x77" or rate > 2 or size > 37:  # noqa: PLR2004 - the table
                raise MetadataSurvived("a frame of sound of the result is broken")
            bits = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512,
                    576, 640)[size >> 1]  # fmt: skip
            # Bytes of 1536 samples at 48, 44.1 and 32 kHz.
            length = (4 * bits, 2 * (bits * 320 // 147 + (size & 1)), 6 * bits)[rate]
            if at + length > len(rest):
                break
            at += length
        self._rest = rest[at:]

    def finish(self) -> None:
        if self._rest:
            raise MetadataSurvived("a frame of sound of the result is broken")
