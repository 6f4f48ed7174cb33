"""Sample descriptions: which codec, and the few numbers a decoder needs to begin.

Rule: each description is written anew from what was understood, by an allow-list of codecs;
names, vendors, compressor strings and bytes behind the parameter sets do not come along.
Pictures are here (ISO/IEC 14496-12, 12.1; 14496-15; QuickTime File Format), sound is in
sanitizer.mp4.entries_sound.
"""

from collections.abc import Callable
from itertools import islice

from sanitizer.errors import Encrypted, Malformed, Unsupported
from sanitizer.frames import mpeg2, mpeg4, setup
from sanitizer.mp4 import entries_sound, esds, shape
from sanitizer.mp4.boxes import box, child, children, full_box, needed
from sanitizer.mp4.entry import Entry, UnknownCodec
from sanitizer.numbers import unpack

AVC, HEVC = frozenset({b"avc1", b"avc3"}), frozenset({b"hvc1", b"hev1"})
PRORES = frozenset({b"apco", b"apcs", b"apcn", b"apch", b"ap4h", b"ap4x"})
JPEG = frozenset({b"jpeg"})
STILLS = frozenset({b"jpeg", b"png ", b"mjpa"})
_ENCRYPTED = frozenset({b"encv", b"enca", b"drmi", b"drms", b"p608"})
_VISUAL = 78
_NCLX, _NCLC = 11, 10
_MPEG2 = {*range(0x60, 0x66), 0x6A}
"""MPEG-2 in its profiles, and MPEG-1."""
_FIELDS = {
    (b"fiel", b"\1\0"),
    *((b"fiel", bytes([2, order])) for order in (0, 1, 6, 9, 14)),
}


def canonical(untrusted: bytes, *, is_video: bool, used: int | None = None) -> Entry:
    """Return the description of ours for the content of an stsd.

    ``used`` is the number of the one that the frames use, from 1, where they name but one.
    Raises Encrypted, Unsupported (several in one track), UnknownCodec, Malformed.
    """
    (count,) = unpack("I", untrusted, 4)
    entries = list(islice(children(untrusted, 8), count))
    if not entries or count != len(entries):
        raise Malformed("a track without a description")
    if used is not None and 1 <= used <= len(entries):
        entries = [entries[used - 1]]
    kind, content = entries[0]
    if kind in _ENCRYPTED or is_locked(content, is_video=is_video):
        raise Encrypted("the video is locked")
    if any(entry != entries[0] for entry in entries[1:]):
        raise Unsupported("a track that changes its codec")
    if not is_video:
        return entries_sound.canonical(kind, content)
    if kind not in PICTURES:
        raise UnknownCodec("a codec that cannot be cleaned here")
    quicktime = kind in JPEG | PRORES
    return Entry(kind, _visual(kind, content, PICTURES[kind]), is_quicktime=quicktime)


def is_locked(content: bytes, *, is_video: bool) -> bool:
    """Tell whether an entry says that its frames are encrypted."""
    start = _VISUAL if is_video else entries_sound.HEAD
    try:
        return child(content, b"sinf", start) is not None
    except Malformed:
        return False


def _visual(kind: bytes, content: bytes, config: Callable[[bytes], bytes]) -> bytes:
    width, height = unpack("HH", content, 24)
    head = bytes(6) + b"\0\1" + bytes(16) + content[24:28] + b"\0\x48\0\0\0\x48\0\0" + bytes(4)
    # Motion JPEG and ProRes say here whether there is transparency.
    depth = content[74:76] if content[74:76] in {b"\0\x18", b"\0\x20"} else b"\0\x18"
    head += b"\0\1" + bytes(32) + (depth if kind in PRORES else b"\0\x18") + b"\xff\xff"
    if not width or not height:
        raise Malformed("a video without a size")
    try:
        boxes = list(children(content, _VISUAL))
    except Malformed:
        boxes = []
    return box(kind, head, config(content), *_looks(boxes, width, height))


def _looks(boxes: list[tuple[bytes, bytes]], width: int, height: int) -> list[bytes]:
    """Return what says how the pictures look: aspect, crop, colours, brightness, fields."""
    found: dict[bytes, bytes] = {}
    for kind, data in boxes:
        is_known = (kind, len(data)) in {(b"mdcv", 24), (b"clli", 4)} or (kind, data) in _FIELDS
        made = data if is_known else None
        if (kind, len(data)) == (b"pasp", 8):
            made = shape.aspect(data)
        elif (kind, len(data)) == (b"clap", 32):
            made = shape.crop(data, width, height)
        if made is not None:
            found[kind] = made
        elif kind == b"colr" and data[:4] == b"nclx" and len(data) == _NCLX:
            found[kind] = data[:10] + bytes([data[10] & 0x80])
        elif kind == b"colr" and data[:4] == b"nclc" and len(data) == _NCLC:
            found.setdefault(kind, b"nclx" + data[4:] + b"\0")
    return [box(kind, found[kind]) for kind in sorted(found)]


def _rewritten(kind: bytes, write: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return a writer for a setup that is written anew from its parts."""
    return lambda content: box(kind, write(needed(content, kind, _VISUAL)))


def _vpx(content: bytes) -> bytes:
    """Write vpcC anew (VP codec ISO media binding, 2.2): eight numbers, no initialization data."""
    data = needed(content, b"vpcC", _VISUAL)
    if len(data) < 12 or data[0] > 1:  # noqa: PLR2004 - a full box of eight bytes
        raise Unsupported("a codec set up in an unusual way")
    return full_box(b"vpcC", data[4:10] + bytes(2), version=data[0])


def _h263(content: bytes) -> bytes:
    data = child(content, b"d263", _VISUAL)
    return box(b"d263", bytes(5) + data[5:7]) if data is not None else b""


def _mpeg(content: bytes) -> bytes:
    object_type, told = esds.read(needed(content, b"esds", _VISUAL))
    if object_type == esds.MPEG4:
        return esds.write(object_type, esds.VIDEO, mpeg4.strip(told))
    if object_type in _MPEG2:
        return esds.write(object_type, esds.VIDEO, mpeg2.strip(told))
    raise UnknownCodec("a codec that cannot be cleaned here")


def _nothing(_content: bytes) -> bytes:
    return b""


PICTURES: dict[bytes, Callable[[bytes], bytes]] = {
    **dict.fromkeys(AVC, _rewritten(b"avcC", setup.avc)),
    **dict.fromkeys(HEVC, _rewritten(b"hvcC", setup.hevc)),
    b"av01": _rewritten(b"av1C", setup.av1),
    b"vp08": _vpx,
    b"vp09": _vpx,
    b"mp4v": _mpeg,
    b"s263": _h263,
    b"h263": _h263,
    **dict.fromkeys(JPEG | PRORES, _nothing),
}
"""Codecs of pictures that stay, and how the setup of each is written anew."""
