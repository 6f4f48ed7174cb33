"""Sample descriptions: which codec, and the few numbers a decoder needs to begin.

Rule: each description is written anew from what was understood, by an allow-list of codecs;
names, vendors, compressor strings and bytes behind the parameter sets do not come along.
"""

import re
from collections.abc import Callable

from sanitizer.errors import Encrypted, Malformed, Unsupported
from sanitizer.mp4_boxes import box, child, children, full_box, needed, unpack

AVC, HEVC, AV1 = (
    frozenset({b"avc1", b"avc3"}),
    frozenset({b"hvc1", b"hev1"}),
    frozenset({b"av01"}),
)
_ENCRYPTED = {b"encv", b"enca", b"drmi", b"drms", b"p608"}
_VISUAL, _AUDIO = 78, 28
_QUICKTIME_AUDIO = {0: 0, 1: 16, 2: 36}
_MAX_CONFIG = 4096
_AVC_SETS = {7: "SPS", 8: "PPS"}
_HEVC_SETS = {32, 33, 34}
_AAC, _MP3, _MPEG4_VIDEO = 0x40, {0x69, 0x6B}, 0x20
_AAC_SETUP = 8
_USER_DATA = re.compile(rb"\x00\x00\x01\xb2.*?(?=\x00\x00\x01|\Z)", re.DOTALL)
_OBU_SEQUENCE = 1
_NCLX, _NCLC = 11, 10


def canonical(untrusted: bytes, *, is_video: bool) -> tuple[bytes, bytes]:
    """Return (codec, sample entry of ours) from the content of an stsd.

    Raises Encrypted, Unsupported (another codec, or several in one track), Malformed.
    """
    (count,) = unpack("I", untrusted, 4)
    entries = list(children(untrusted, 8))
    if not entries or count != len(entries):
        raise Malformed("a track without a description")
    kind, content = entries[0]
    if kind in _ENCRYPTED or child_or_none(content, is_video=is_video):
        raise Encrypted("the video is locked")
    if any(entry != entries[0] for entry in entries[1:]):
        raise Unsupported("a track that changes its codec")
    writers = _VIDEO if is_video else _SOUND
    if kind not in writers:
        raise Unsupported("a codec that cannot be cleaned here")
    write = _visual if is_video else _audio
    return kind, write(kind, content, writers[kind])


def child_or_none(content: bytes, *, is_video: bool) -> bool:
    """Tell whether an entry says that its frames are encrypted."""
    start = _VISUAL if is_video else _AUDIO
    try:
        return child(content, b"sinf", start) is not None
    except Malformed:
        return False


def _visual(kind: bytes, content: bytes, config: Callable[[bytes], bytes]) -> bytes:
    width, height = unpack("HH", content, 24)
    head = bytes(6) + b"\0\1" + bytes(16) + content[24:28] + b"\0\x48\0\0\0\x48\0\0" + bytes(4)
    head += b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
    if not width or not height:
        raise Malformed("a video without a size")
    extra = b""
    aspect = child(content, b"pasp", _VISUAL)
    if aspect is not None and len(aspect) == 8 and all(unpack("II", aspect)):  # noqa: PLR2004 - two numbers
        extra += box(b"pasp", aspect)
    colour = child(content, b"colr", _VISUAL)
    if colour is not None and colour[:4] == b"nclx" and len(colour) == _NCLX:
        extra += box(b"colr", colour[:10], bytes([colour[10] & 0x80]))
    elif colour is not None and colour[:4] == b"nclc" and len(colour) == _NCLC:
        extra += box(b"colr", b"nclx", colour[4:], b"\0")
    return box(kind, head, config(content), extra)


def _audio(kind: bytes, content: bytes, config: Callable[[bytes], bytes]) -> bytes:
    version, channels, bits, rate = unpack("H6xHH4xI", content, 8)
    extra = _QUICKTIME_AUDIO.get(version)
    if extra is None:
        raise Malformed("a sound description of an unknown version")
    if version == 2:  # noqa: PLR2004 - QuickTime's version 2 keeps its numbers elsewhere
        (channels,) = unpack("I", content, 40)
    inside = content[_AUDIO + extra :]
    wave = child(inside, b"wave")
    head = bytes(6) + b"\0\1" + bytes(8) + channels.to_bytes(4, "big")[2:]
    head += bits.to_bytes(2, "big") + bytes(4) + rate.to_bytes(4, "big")
    return box(kind, head, config(wave if wave is not None else inside))


def _avc(content: bytes) -> bytes:
    """Rebuild avcC (ISO/IEC 14496-15, 5.3.3.1) with its parameter sets and nothing behind."""
    data = needed(content, b"avcC", _VISUAL)
    (sizes,) = unpack("B", data, 4)
    kept = data[:4] + bytes([0xFC | sizes & 3])
    at = 5
    for mask, kind in ((0x1F, 7), (0xFF, 8)):
        (count,) = unpack("B", data, at)
        sets, at = [], at + 1
        for _ in range(count & mask):
            nal, at = _sized(data, at)
            if nal[:1] and nal[0] & 31 == kind:
                sets.append(len(nal).to_bytes(2, "big") + nal)
        kept += bytes([0xE0 | len(sets) if kind == 7 else len(sets)]) + b"".join(sets)  # noqa: PLR2004 - SPS
    return box(b"avcC", kept)


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = unpack("H", data, at)
    nal = data[at + 2 : at + 2 + length]
    if len(nal) != length or length > _MAX_CONFIG:
        raise Malformed("a parameter set is cut short")
    return nal, at + 2 + length


def _hevc(content: bytes) -> bytes:
    """Rebuild hvcC (ISO/IEC 14496-15, 8.3.3.1) with VPS, SPS and PPS arrays alone."""
    data = needed(content, b"hvcC", _VISUAL)
    (count,) = unpack("B", data, 22)
    arrays, at = [], 23
    for _ in range(count):
        head, number = unpack("BH", data, at)
        at += 3
        nals = []
        for _ in range(number):
            nal, at = _sized(data, at)
            nals.append(len(nal).to_bytes(2, "big") + nal)
        if head & 63 in _HEVC_SETS:
            arrays.append(bytes([head & 0xBF]) + number.to_bytes(2, "big") + b"".join(nals))
    return box(b"hvcC", data[:22], bytes([len(arrays)]), *arrays)


def _av1(content: bytes) -> bytes:
    """Rebuild av1C with its sequence header alone."""
    data = needed(content, b"av1C", _VISUAL)
    kept, at = data[:4], 4
    while at < len(data):
        kind = data[at] >> 3 & 15
        start = at
        at += 2 if data[at] & 4 else 1
        length = shift = 0
        while True:
            (byte,) = unpack("B", data, at)
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 28:  # noqa: PLR2004 - the last byte of a LEB128
                break
        at += length
        if kind == _OBU_SEQUENCE:
            kept += data[start:at]
    return box(b"av1C", kept)


def _exact(kind: bytes, lengths: set[int], start: int = 0) -> Callable[[bytes], bytes]:
    """Return a writer for a configuration of fixed length, all of whose bytes are numbers."""

    def write(content: bytes) -> bytes:
        data = needed(content, kind, start)
        if len(data) not in lengths:
            raise Unsupported("a codec set up in an unusual way")
        return box(kind, data)

    return write


def _amr(content: bytes) -> bytes:
    data = needed(content, b"damr")
    return box(b"damr", bytes(5) + data[5:9].ljust(4, b"\0"))


def _nothing(_content: bytes) -> bytes:
    return b""


def _h263(content: bytes) -> bytes:
    data = child(content, b"d263", _VISUAL)
    return box(b"d263", bytes(5) + data[5:7]) if data is not None else b""


def _esds_video(content: bytes) -> bytes:
    object_type, setup = _descriptors(needed(content, b"esds", _VISUAL))
    if object_type != _MPEG4_VIDEO:
        raise Unsupported("a codec that cannot be cleaned here")
    # Encoders sign their name in the user data of the header.
    return _esds(object_type, 0x11, _USER_DATA.sub(b"", setup[:_MAX_CONFIG]))


def _esds_audio(content: bytes) -> bytes:
    object_type, setup = _descriptors(needed(content, b"esds"))
    if object_type in _MP3:
        return _esds(object_type, 0x15, b"")
    if object_type not in {_AAC, 0x66, 0x67, 0x68} or len(setup) < 2:  # noqa: PLR2004 - AAC's shortest
        raise Unsupported("a codec that cannot be cleaned here")
    explicit = setup[0] >> 3 == 31 or (setup[0] & 7) << 1 | setup[1] >> 7 == 15  # noqa: PLR2004 - escapes
    channels = setup[1] >> 3 & 15
    if not explicit and channels == 0:
        # The layout then stands in a program config element, which may carry a comment.
        raise Unsupported("a sound layout that cannot be cleaned here")
    return _esds(_AAC, 0x15, setup[:_AAC_SETUP])


def _descriptors(esds: bytes) -> tuple[int, bytes]:
    """Return (object type, decoder setup) of an esds (ISO/IEC 14496-1, 7.2.6)."""
    at, object_type, setup = 4, -1, b""
    while at < len(esds):
        tag, length, at = _descriptor(esds, at)
        if tag == 3:  # noqa: PLR2004 - ES descriptor: a header, then more of them
            (flags,) = unpack("B", esds, at + 2)
            at += 3 + 2 * bool(flags & 0x80) + 2 * bool(flags & 0x20)
            at += 1 + unpack("B", esds, at)[0] if flags & 0x40 else 0
        elif tag == 4:  # noqa: PLR2004 - decoder config: 13 bytes, then the setup
            (object_type,) = unpack("B", esds, at)
            at += 13
        else:
            if tag == 5 and not setup:  # noqa: PLR2004 - decoder specific info
                setup = esds[at : at + length]
            at += length
    return object_type, setup


def _descriptor(esds: bytes, at: int) -> tuple[int, int, int]:
    (tag,) = unpack("B", esds, at)
    length = 0
    for _ in range(4):
        at += 1
        (byte,) = unpack("B", esds, at)
        length = length << 7 | byte & 127
        if byte < 128:  # noqa: PLR2004 - the last byte of a length
            break
    return tag, length, at + 1


def _esds(object_type: int, stream: int, setup: bytes) -> bytes:
    def tagged(tag: int, data: bytes) -> bytes:
        high, low = len(data) >> 7, len(data) & 127
        return bytes([tag, 0x80 | high, low]) + data

    config = bytes([object_type, stream]) + bytes(11) + (tagged(5, setup) if setup else b"")
    return full_box(b"esds", tagged(3, b"\0\1\0" + tagged(4, config) + tagged(6, b"\2")))


_VIDEO: dict[bytes, Callable[[bytes], bytes]] = {
    **dict.fromkeys(AVC, _avc),
    **dict.fromkeys(HEVC, _hevc),
    b"av01": _av1,
    b"vp09": _exact(b"vpcC", {12}, _VISUAL),
    b"mp4v": _esds_video,
    b"s263": _h263,
    b"h263": _h263,
}
_SOUND: dict[bytes, Callable[[bytes], bytes]] = {
    b"mp4a": _esds_audio,
    b".mp3": _nothing,
    b"samr": _amr,
    b"sawb": _amr,
    b"ac-3": _exact(b"dac3", {3}),
    b"ec-3": _exact(b"dec3", {5, 6}),
    b"alac": _exact(b"alac", {28}),
    b"Opus": _exact(b"dOps", {11}),
}
