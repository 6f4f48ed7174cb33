"""Walk the frames of a result by their codec: nothing in them may carry a message.

Rule: shares no code with what stripped them. A codec that is not on the list has no check, and so
no result. What stands inside entropy-coded data is not looked at.
"""

from collections.abc import Callable, Sequence
from functools import partial

from sanitizer.frames import annexb_check, check, jpeg_check, mpeg4_check, packets_check
from sanitizer.matroska.check_setup import SETUPS
from sanitizer.matroska.check_walk import fail
from sanitizer.sound.flac import check_frame
from sanitizer.sound.mp3.check import Mp3Checker
from sanitizer.sound.ogg.check_packets import OpusSounds

FrameCheck = Callable[[bytes], None]
Finish = Callable[[], object]
_KILOBITS: dict[tuple[bool, str], Sequence[int]] = {
    (True, "11"): range(0, 480, 32),
    (True, "10"): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, "01"): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, "11"): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, "01"): (0, *range(8, 64, 8), *range(64, 176, 16)),
}
_SIGNED = (b"Xing", b"Info", b"VBRI")


def frame_check(codec: bytes, private: bytes, *, is_video: bool) -> tuple[FrameCheck, Finish]:
    """Return what checks the frames of a track, and their end, once its setup has been checked."""
    setup = SETUPS.get(codec)
    if setup is None or codec.startswith(b"V_") != is_video:
        raise fail()
    width = setup(private)
    if codec == b"V_MPEG4/ISO/AVC" and private:
        return partial(_avc, width), _end
    if codec == b"V_MPEGH/ISO/HEVC":
        return partial(_hevc, width), _end
    if codec == b"A_OPUS":
        return partial(_opus, OpusSounds(private)), _end
    if codec == b"A_MPEG/L3":
        checker = Mp3Checker()
        return partial(_layer3, checker), checker.finish
    return _CHECKS.get(codec, _nothing), _end


def _end() -> None:
    """Each frame was judged alone."""


def _layer3(checker: Mp3Checker, frame: bytes) -> None:
    _mpeg(frame)
    checker.feed(frame)


def _avc(width: int, frame: bytes) -> None:
    check.avc(frame, width)


def _hevc(width: int, frame: bytes) -> None:
    check.hevc(frame, width)


def _opus(sounds: OpusSounds, frame: bytes) -> None:
    if frame.startswith((b"OpusHead", b"OpusTags")):
        raise fail()
    sounds.sound(frame)


def _nothing(_frame: bytes) -> None:
    """Samples, or a codec without units: all of it is sound."""


def _vp8(frame: bytes) -> None:
    if len(frame) < 3 or (not frame[0] & 1 and frame[3:6] != b"\x9d\x01\x2a"):  # noqa: PLR2004 - a tag
        raise fail()


def _vp9(frame: bytes) -> None:
    mark = frame[-1]
    count = (mark & 7) + 1
    width = (mark >> 3 & 3) + 1
    begin = len(frame) - 2 - count * width
    if mark >> 5 != 6 or begin < 0 or frame[begin] != mark:  # noqa: PLR2004 - an index
        _vp9_picture(frame)
        return
    at = 0
    for place in range(begin + 1, len(frame) - 1, width):
        size = int.from_bytes(frame[place : place + width], "little")
        _vp9_picture(frame[at : at + size])
        at += size
    if at != begin:
        raise fail()


def _vp9_picture(frame: bytes) -> None:
    if not frame or frame[0] & 0xC0 != 0x80:  # noqa: PLR2004 - the marker
        raise fail()
    is_high = frame[0] & 0x30 == 0x30  # noqa: PLR2004 - profile 3
    repeats = frame[0] & (4 if is_high else 8)
    if repeats and (len(frame) != 1 + is_high or (is_high and frame[1] & 0x7F)):
        raise fail()


def _vorbis(frame: bytes) -> None:
    if frame[0] & 1:
        raise fail()


def _flac(frame: bytes) -> None:
    if check_frame.header(frame[:16]) is None or not check_frame.is_whole(frame):
        raise fail()


def _ac3(frame: bytes) -> None:
    _whole(frame, _ac3_length)


def _mpeg(frame: bytes) -> None:
    _whole(frame, _mpeg_length)
    if any(word in frame[4:40] for word in _SIGNED):
        raise fail()


def _whole(packet: bytes, length_of: Callable[[bytes], int]) -> None:
    """Walk frames that follow each other; nothing is left behind the last."""
    at = 0
    while at < len(packet):
        length = length_of(packet[at : at + 6])
        at += length
        if not length or at > len(packet):
            raise fail()


def _ac3_length(head: bytes) -> int:
    """Return the length of a frame of AC-3 or E-AC-3 by its header, or 0 (ETSI TS 102 366)."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":  # noqa: PLR2004 - sync and sizes
        return 0
    if head[5] >= 11 << 3:
        return 2 + 2 * (int.from_bytes(head[2:4], "big") % 2048)
    code = head[4] % 64
    if code >= 38 or head[4] >= 0xC0:  # noqa: PLR2004 - reserved
        return 0
    eighths = (4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 72, 80)[code // 2]
    if head[4] < 64:  # noqa: PLR2004 - 48 kHz
        return eighths * 32
    return eighths * 48 if head[4] >= 128 else 2 * (eighths * 768000 // 44100 + code % 2)  # noqa: PLR2004 - 32 kHz


def _mpeg_length(head: bytes) -> int:
    """Return the length of a frame of MPEG audio by its header, or 0 (ISO/IEC 11172-3, 13818-3)."""
    bits = f"{int.from_bytes(head[:4], 'big'):032b}"
    version, layer, rate, clock = bits[11:13], bits[13:15], int(bits[16:20], 2), bits[20:22]
    if bits[:11] != "1" * 11 or version == "01" or layer == "00" or clock == "11":
        return 0
    if rate in {0, 15}:
        return 0
    hertz = {"00": 44100, "01": 48000, "10": 32000}[clock]
    hertz //= {"11": 1, "10": 2, "00": 4}[version]
    kilobits = _KILOBITS[version == "11", layer if version == "11" or layer == "11" else "01"][rate]
    padding = int(bits[22])
    if layer == "11":
        return kilobits * 12000 // hertz * 4 + 4 * padding
    return kilobits * (72000 if layer == "01" and version != "11" else 144000) // hertz + padding


_CHECKS: dict[bytes, FrameCheck] = {
    b"V_VP8": _vp8,
    b"V_VP9": _vp9,
    b"V_AV1": check.av1,
    b"V_MPEG4/ISO/AVC": annexb_check.avc,
    b"V_MPEG4/ISO/ASP": mpeg4_check.check,
    b"V_MJPEG": jpeg_check.check,
    b"A_VORBIS": _vorbis,
    b"A_AAC": check.aac,
    b"A_ALAC": packets_check.alac,
    b"A_FLAC": _flac,
    b"A_AC3": _ac3,
    b"A_EAC3": _ac3,
    b"A_MPEG/L1": _mpeg,
    b"A_MPEG/L2": _mpeg,
}
