"""Re-read a sample description of a result: each field that could speak is empty, or a number.

Rule: shares no code with what wrote it; raises MetadataSurvived at the first surprise.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived
from sanitizer.frames import sets_check
from sanitizer.mp4 import check_shape

_AVC, _HEVC = {b"avc1", b"avc3"}, {b"hvc1", b"hev1"}
_PRORES = {b"apco", b"apcs", b"apcn", b"apch", b"ap4h", b"ap4x"}
_PCM = {
    b"raw ": {1}, b"NONE": {1, 2}, b"sowt": {1, 2}, b"twos": {1, 2}, b"ulaw": {1}, b"alaw": {1},
    b"in24": {3}, b"in32": {4}, b"fl32": {4}, b"fl64": {8}, b"lpcm": {1, 2, 3, 4, 8},
    b"ipcm": {2, 3, 4}, b"fpcm": {4, 8},
}  # fmt: skip
"""Bytes that one number of uncompressed sound may have."""
_BY_NAME = {b"ulaw": 1, b"alaw": 1, b"in24": 3, b"in32": 4, b"fl32": 4, b"fl64": 8}
_ISO = {b"ipcm", b"fpcm"}
# What each codec's description must hold, once; and how long it may be.
_SETUPS: dict[bytes, tuple[bytes, range]] = {
    b"mp4v": (b"esds", range(20, 4200)), b"av01": (b"av1C", range(4, 4200)),
    b"vp08": (b"vpcC", range(12, 13)), b"vp09": (b"vpcC", range(12, 13)),
    b"s263": (b"d263", range(7, 8)), b"h263": (b"d263", range(7, 8)),
    b"mp4a": (b"esds", range(20, 60)), b"samr": (b"damr", range(9, 10)),
    b"sawb": (b"damr", range(9, 10)), b"ac-3": (b"dac3", range(3, 4)),
    b"ec-3": (b"dec3", range(5, 13)), b"alac": (b"alac", range(28, 29)),
    b"Opus": (b"dOps", range(11, 269)), b"fLaC": (b"dfLa", range(42, 43)),
    b"ipcm": (b"pcmC", range(6, 7)), b"fpcm": (b"pcmC", range(6, 7)),
}  # fmt: skip
_NEEDLESS = {b"s263", b"h263"}
_BARE = {b"jpeg", b".mp3"} | _PRORES
LOOKS = {b"pasp": {8}, b"clap": {32}, b"mdcv": {24}, b"clli": {4}, b"fiel": {2}, b"colr": {11}}
"""Boxes about the look of pictures, and their lengths."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a track of the result says of itself."""

    is_video: bool
    codec: bytes
    height: int = 0
    """Of pictures, in lines."""
    nal_length: int = 0
    """Bytes of the lengths of H.264 and H.265 units."""
    unit: int = 0
    """Bytes of a unit of uncompressed sound."""
    ticks: int = 1
    object_type: int = 0
    """Of an MPEG-4 description: what is coded."""
    is_quicktime: bool = False
    opus_head: bytes = b""
    """What Opus' own header would say."""


def _fail() -> MetadataSurvived:
    return MetadataSurvived("a description in the result holds more than it may")


def boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return all boxes of a content, which must hold nothing else."""
    found, at = [], 0
    while at < len(content):
        if at + 8 > len(content):
            raise _fail()
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8 or at + size > len(content):  # noqa: PLR2004 - the shortest box
            raise _fail()
        found.append((kind, content[at + 8 : at + size]))
        at += size
    return found


def entry(data: bytes, *, is_video: bool) -> Description:
    """Return what a sample entry says, after checking every byte of it."""
    found = boxes(data)
    if len(found) != 1:
        raise _fail()
    codec, content = found[0]
    return _video(codec, content) if is_video else _sound(codec, content)


def _video(codec: bytes, content: bytes) -> Description:
    head = content[:78]
    still = b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\1" + bytes(32)
    if (
        head[:24] != b"\0\0\0\0\0\0\0\1" + bytes(16)
        or head[28:74] != still
        or head[74:] not in ({b"\0\x18\xff\xff", b"\0\x20\xff\xff"})
        or (head[75] != 24 and codec not in _PRORES)  # noqa: PLR2004 - bits of a pixel
    ):
        raise _fail()
    rest, width, object_type = boxes(content[78:]), 0, 0
    seen: set[bytes] = set()
    for kind, box in rest:
        if kind in seen:
            raise _fail()
        seen.add(kind)
        if kind == b"avcC" and codec in _AVC:
            width = _avc(box)
        elif kind == b"hvcC" and codec in _HEVC:
            width = _hevc(box)
        elif kind in LOOKS:
            if len(box) not in LOOKS[kind] or (kind == b"colr" and box[:4] != b"nclx"):
                raise _fail()
            check_shape.look(kind, box)
        else:
            _setup(codec, kind, box)
            object_type = _object_type(box) if kind == b"esds" else 0
    wanted = {b"avcC", b"hvcC", _SETUPS.get(codec, (b"",))[0]} & seen
    if not wanted and codec not in _BARE | _NEEDLESS:
        raise _fail()
    old = codec in _PRORES | {b"jpeg"}
    (height,) = struct.unpack_from(">H", head, 26)
    return Description(True, codec, height, width, object_type=object_type, is_quicktime=old)  # noqa: FBT003 - it is one


def _setup(codec: bytes, kind: bytes, box: bytes) -> None:
    name, lengths = _SETUPS.get(codec, (b"", range(0)))
    if kind != name or len(box) not in lengths:
        raise _fail()
    if kind == b"vpcC" and (any(box[1:4]) or any(box[10:])):
        raise _fail()
    if kind == b"dfLa" and (box[:8] != b"\0\0\0\0\x80\0\0\x22" or any(box[26:])):
        raise _fail()
    if kind == b"dOps" and (box[0] or len(box) != 11 + (2 + box[1] if box[10] else 0)):
        raise _fail()
    if kind in {b"damr", b"d263"} and any(box[:5]):
        raise _fail()


def _sound(codec: bytes, content: bytes) -> Description:
    head = content[:28]
    version, channels, bits, other = struct.unpack_from(">H6xHHH", head, 8)
    if head[:8] != b"\0\0\0\0\0\0\0\1" or any(head[10:16]) or any(head[22:24]):
        raise _fail()
    if version == 2:  # noqa: PLR2004 - QuickTime's long description
        return _long(codec, content)
    if any(head[26:28]) or version > 1 or other != (0xFFFE if version else 0):
        raise _fail()
    if version:
        return _wave(codec, channels, bits, content[28:])
    rest = boxes(content[28:])
    if codec in _PCM:
        return _uncompressed(codec, channels, bits, rest)
    kinds = [kind for kind, _ in rest]
    wanted = [] if codec in _BARE else [_SETUPS.get(codec, (b"",))[0]]
    if kinds != wanted:
        raise _fail()
    for kind, box in rest:
        _setup(codec, kind, box)
    object_type = _object_type(rest[0][1]) if codec == b"mp4a" else 0
    head = _opus_head(rest[0][1]) if codec == b"Opus" else b""
    return Description(False, codec, object_type=object_type, opus_head=head)  # noqa: FBT003 - it is none


def _opus_head(setup: bytes) -> bytes:
    channels, skip, rate, gain = struct.unpack_from(">BHIh", setup, 1)
    return b"OpusHead\1" + struct.pack("<BHIh", channels, skip, rate, gain) + setup[10:]


def _uncompressed(
    codec: bytes, channels: int, bits: int, rest: list[tuple[bytes, bytes]]
) -> Description:
    size = _BY_NAME.get(codec, bits // 8)
    if codec in _ISO:
        if [kind for kind, _ in rest] != [b"pcmC"] or any(rest[0][1][:4]) or rest[0][1][4] > 1:
            raise _fail()
        size = rest[0][1][5] // 8
    elif rest:
        raise _fail()
    if size not in _PCM[codec]:
        raise _fail()
    unit = size * channels
    return Description(False, codec, unit=unit, is_quicktime=codec not in _ISO)  # noqa: FBT003 - it is none


def _object_type(esds: bytes) -> int:
    """Return what an esds of ours is of, after checking that it is one of ours."""
    # version, ES descriptor (number 1), decoder config: all lengths are of two bytes.
    if esds[4:5] + esds[7:11] != b"\3\0\1\0\4" or any(esds[15:26]) or esds[-4:] != b"\6\x80\1\2":
        raise _fail()
    return esds[13]


def _wave(codec: bytes, channels: int, bits: int, content: bytes) -> Description:
    """Check a QuickTime description of version 1: four numbers and a wave box."""
    size, ticks = (34, 64) if codec == b"ima4" else (_BY_NAME.get(codec, 0), 1)
    unit = size * channels
    if struct.unpack_from(">IIII", content) != (ticks, size, unit, 2 if ticks > 1 else size):
        raise _fail()
    kinds = dict(boxes(content[16:]))
    inner = kinds.get(b"wave", b"")
    order = inner[12:22]
    is_right = order in {b"\0\0\0\x0aenda\0\0", b"\0\0\0\x0aenda\0\1"}
    if (
        not unit or bits != 16 or list(kinds) != [b"wave"]  # noqa: PLR2004 - as compressed sound says
        or inner[:12] != b"\0\0\0\x0cfrma" + codec
        or not (is_right if ticks == 1 else order == b"\0\0\0\x08\0\0\0\0")
        or inner[22 if ticks == 1 else 20 :] not in ({b"\0\0\0\x08\0\0\0\0", b""})
    ):  # fmt: skip
        raise _fail()
    return Description(False, codec, unit=unit, ticks=ticks, is_quicktime=True)  # noqa: FBT003 - it is none


def _long(codec: bytes, content: bytes) -> Description:
    """Check a QuickTime description of version 2, whose numbers follow from one another."""
    three, sixteen, minus, zero, one, length, rate, channels, same, bits, flags, unit, frames = (
        struct.unpack_from(">HHhHIIdIIIIII", content, 16)
    )
    if (
        (three, sixteen, minus, zero, one, length) != (3, 16, -2, 0, 65536, 72)
        or rate != int(rate)
        or (same, frames, unit) != (0x7F000000, 1, channels * bits // 8)
        or flags > 31  # noqa: PLR2004 - five flags
        or bits // 8 not in _PCM.get(codec, ())
        or len(content) != 64  # noqa: PLR2004 - nothing follows
    ):
        raise _fail()
    return Description(False, codec, unit=unit, is_quicktime=True)  # noqa: FBT003 - it is none


def _avc(box: bytes) -> int:
    at = 5
    for mask, wanted in ((31, 7), (255, 8)):
        count = box[at] & mask
        at = _sets(box, at + 1, count, lambda head, wanted=wanted: head & 31 == wanted)  # type: ignore[misc]
    # The high profiles say three more numbers and count extensions, of which there are none.
    if box[at:] and (len(box) != at + 4 or box[at + 3]):
        raise _fail()
    return (box[4] & 3) + 1


def _hevc(box: bytes) -> int:
    at = 23
    for _ in range(box[22]):
        wanted, count = struct.unpack_from(">BH", box, at)
        if wanted & 63 not in {32, 33, 34}:
            raise _fail()
        at = _sets(box, at + 3, count, lambda head, wanted=wanted: head >> 1 & 63 == wanted & 63)  # type: ignore[misc]
    if at != len(box):
        raise _fail()
    return (box[21] & 3) + 1


def _sets(box: bytes, at: int, count: int, is_kind: Callable[[int], bool]) -> int:
    for _ in range(count):
        length = int.from_bytes(box[at : at + 2], "big")
        at += 2
        if not length or at + length > len(box) or not is_kind(box[at]):
            raise _fail()
        sets_check.check(box[at : at + length])
        at += length
    return at
