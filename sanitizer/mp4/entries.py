"""Sample descriptions: which codec, and the few numbers a decoder needs to begin.

Rule: each description is written anew from what was understood, by an allow-list of codecs;
names, vendors, compressor strings and bytes behind the parameter sets do not come along.
"""

from collections.abc import Callable

from sanitizer.errors import Encrypted, Malformed, Unsupported
from sanitizer.frames import setup
from sanitizer.mp4.boxes import box, child, children, full_box, needed
from sanitizer.numbers import unpack

AVC, HEVC, AV1 = (
    frozenset({b"avc1", b"avc3"}),
    frozenset({b"hvc1", b"hev1"}),
    frozenset({b"av01"}),
)
_ENCRYPTED = {b"encv", b"enca", b"drmi", b"drms", b"p608"}
_VISUAL, _AUDIO = 78, 28
_QUICKTIME_AUDIO = {0: 0, 1: 16, 2: 36}
_AAC, _MP3, _MPEG4_VIDEO = 0x40, {0x69, 0x6B}, 0x20
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


def _rewritten(kind: bytes, write: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return a writer for a setup that is written anew from its parts."""
    return lambda content: box(kind, write(needed(content, kind, _VISUAL)))


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
    object_type, told = _descriptors(needed(content, b"esds", _VISUAL))
    if object_type != _MPEG4_VIDEO:
        raise Unsupported("a codec that cannot be cleaned here")
    return _esds(object_type, 0x11, setup.mpeg4(told))


def _esds_audio(content: bytes) -> bytes:
    object_type, told = _descriptors(needed(content, b"esds"))
    if object_type in _MP3:
        return _esds(object_type, 0x15, b"")
    if object_type not in {_AAC, 0x66, 0x67, 0x68}:
        raise Unsupported("a codec that cannot be cleaned here")
    return _esds(_AAC, 0x15, setup.aac(told))


def _descriptors(esds: bytes) -> tuple[int, bytes]:
    """Return (object type, decoder setup) of an esds (ISO/IEC 14496-1, 7.2.6)."""
    at, object_type, told = 4, -1, b""
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
            if tag == 5 and not told:  # noqa: PLR2004 - decoder specific info
                told = esds[at : at + length]
            at += length
    return object_type, told


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


def _esds(object_type: int, stream: int, told: bytes) -> bytes:
    def tagged(tag: int, data: bytes) -> bytes:
        high, low = len(data) >> 7, len(data) & 127
        return bytes([tag, 0x80 | high, low]) + data

    config = bytes([object_type, stream]) + bytes(11) + (tagged(5, told) if told else b"")
    return full_box(b"esds", tagged(3, b"\0\1\0" + tagged(4, config) + tagged(6, b"\2")))


_VIDEO: dict[bytes, Callable[[bytes], bytes]] = {
    **dict.fromkeys(AVC, _rewritten(b"avcC", setup.avc)),
    **dict.fromkeys(HEVC, _rewritten(b"hvcC", setup.hevc)),
    b"av01": _rewritten(b"av1C", setup.av1),
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
