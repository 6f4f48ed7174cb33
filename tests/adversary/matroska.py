"""Matroska and WebM: elements of every id, tracks without a player, frames with messages."""

import struct
import zlib
from collections.abc import Callable

from tests.adversary import bases, exif
from tests.adversary.films import message, nal
from tests.adversary.jpeg import zipped
from tests.adversary.words import GPS_TEXT, Word
from tests.support import ebml
from tests.support.ebml import (
    ATTACHMENTS,
    BLOCK,
    CHAPTERS,
    CLUSTER,
    CRC,
    CUES,
    EBML,
    ENTRY,
    INFO,
    SEEK_HEAD,
    SEGMENT,
    SIMPLE,
    TAGS,
    TRACKS,
    VIDEO,
    VOID,
    Tree,
    el,
    put,
    swap,
    uint,
)

Build = Callable[[Word], bytes]


def plain() -> bytes:
    """Return a film whose elements all say how long they are."""
    return ebml.flat(ebml.tree(bases.mkv()))


def add(*path: int, kind: int, body: bytes, first: bool = False, data: bytes = b"") -> bytes:
    """Return the film with one element more."""
    return ebml.edited(data or plain(), put(kind, body, first=first), *path)


def instead(*path: int, kind: int, body: bytes) -> bytes:
    """Return the film with an element that says something else."""
    return ebml.edited(plain(), swap(kind, body), *path)


def tag(name: bytes, value: bytes, kind: int = 0x4487) -> bytes:
    """Return a tag."""
    return el(0x7373, el(0x63C0) + el(0x67C8, el(0x45A3, name) + el(kind, value)))


def track(kind: int, codec: bytes, private: bytes) -> bytes:
    """Return the entry of a track of a kind."""
    told = uint(0xD7, 9) + uint(0x73C5, 9) + uint(0x83, kind)
    return told + el(0x86, codec) + el(0x63A2, private)


def with_track(  # noqa: PLR0913 - what a track may say
    kind: int,
    codec: bytes,
    private: bytes,
    frame: bytes,
    flags: bytes = b"",
    *,
    first: bool = False,
) -> bytes:
    """Return the film with a track more, and a block of it."""
    body = track(kind, codec, private) + flags
    more = add(SEGMENT, TRACKS, kind=ENTRY, body=body, first=first)
    return add(SEGMENT, CLUSTER, kind=SIMPLE, body=ebml.block(9, 0, frame), data=more)


def in_first_block(change: Callable[[bytes], bytes]) -> bytes:
    """Return the film with its first frame changed."""

    def changed(nodes: Tree) -> None:
        place = next(n for n, (kind, _) in enumerate(nodes) if kind == SIMPLE)
        body = nodes[place][1]
        assert isinstance(body, bytes)
        nodes[place] = (SIMPLE, body[:4] + change(body[4:]))

    return ebml.edited(plain(), changed, SEGMENT, CLUSTER)


def grouped(*more: bytes) -> bytes:
    """Return the film with its first block in a group that says more."""

    def changed(nodes: Tree) -> None:
        place = next(n for n, (kind, _) in enumerate(nodes) if kind == SIMPLE)
        body = nodes[place][1]
        assert isinstance(body, bytes)
        nodes[place] = (0xA0, el(BLOCK, body[:3] + b"\0" + body[4:]) + b"".join(more))

    return ebml.edited(plain(), changed, SEGMENT, CLUSTER)


def private(change: Callable[[bytes], bytes]) -> bytes:
    """Return the film with another decoder configuration of its pictures."""

    def changed(nodes: Tree) -> None:
        swap(0x63A2, change(ebml.value(nodes, 0x63A2)))(nodes)

    return ebml.edited(plain(), changed, SEGMENT, TRACKS, ENTRY)


def attachment(name: bytes, kind: bytes, data: bytes) -> bytes:
    """Return an attached file."""
    return el(0x61A7, el(0x466E, name) + el(0x4660, kind) + el(0x465C, data) + uint(0x46AE, 7))


def chapter(word: Word) -> bytes:
    """Return a chapter with a name and a number."""
    shown = el(0x80, el(0x85, word.text) + el(0x437C, b"ary"))
    return el(
        0x45B9, uint(0x45BC, word.long) + el(0xB6, uint(0x73C4, word.long) + uint(0x91, 0) + shown)
    )


FILMS: dict[str, Build] = {
    "a tag": lambda w: add(SEGMENT, kind=TAGS, body=tag(b"ARTIST", w.text)),
    "a tag's name": lambda w: add(SEGMENT, kind=TAGS, body=tag(w.text, b"x")),
    "a tag of bytes": lambda w: add(SEGMENT, kind=TAGS, body=tag(b"BIN", w.told, 0x4485)),
    "a position": lambda _: add(SEGMENT, kind=TAGS, body=tag(b"RECORDING_LOCATION", GPS_TEXT)),
    "a tag of EXIF": lambda w: add(SEGMENT, kind=TAGS, body=tag(b"EXIF", exif.block(w), 0x4485)),
    "a tag before everything": lambda w: add(
        SEGMENT, kind=TAGS, body=tag(b"TITLE", w.text), first=True
    ),
    "a title": lambda w: add(SEGMENT, INFO, kind=0x7BA9, body=w.text),
    "the writing program": lambda w: instead(SEGMENT, INFO, kind=0x5741, body=w.text),
    "the muxing program": lambda w: instead(SEGMENT, INFO, kind=0x4D80, body=w.text),
    "the date": lambda w: add(SEGMENT, INFO, kind=0x4461, body=struct.pack(">Q", w.long)),
    "the number of the segment": lambda w: instead(
        SEGMENT, INFO, kind=0x73A4, body=w.canary.ljust(16, b"!")
    ),
    "the name of the next segment's file": lambda w: add(SEGMENT, INFO, kind=0x3E83BB, body=w.text),
    "the family of the segment": lambda w: add(
        SEGMENT, INFO, kind=0x4444, body=w.canary.ljust(16, b"!")
    ),
    "a track's number of chance": lambda w: instead(
        SEGMENT, TRACKS, ENTRY, kind=0x73C5, body=struct.pack(">Q", w.long)
    ),
    "a track's name": lambda w: add(SEGMENT, TRACKS, ENTRY, kind=0x536E, body=w.text),
    "a track's language": lambda w: add(
        SEGMENT, TRACKS, ENTRY, kind=0x22B59D, body=b"ary-x-" + w.text
    ),
    "the codec's name": lambda w: add(SEGMENT, TRACKS, ENTRY, kind=0x258688, body=w.text),
    "the codec's settings": lambda w: add(SEGMENT, TRACKS, ENTRY, kind=0x3A9697, body=w.text),
    "the codec's address": lambda w: add(SEGMENT, TRACKS, ENTRY, kind=0x3B4040, body=w.text),
    "a link to an attachment": lambda w: add(
        SEGMENT, TRACKS, ENTRY, kind=0x7446, body=struct.pack(">Q", w.long)
    ),
    "additions that nobody makes": lambda w: add(
        SEGMENT, TRACKS, ENTRY, kind=0x41E4, body=el(0x41A4, w.text) + el(0x41ED, w.told)
    ),
    "a translation of tracks": lambda w: add(
        SEGMENT, TRACKS, ENTRY, kind=0x6624, body=el(0x66A5, w.told)
    ),
    "a projection's private bytes": lambda w: add(
        SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x7670, body=el(0x7672, w.told)
    ),
    "mastering as numbers": lambda w: add(
        SEGMENT,
        TRACKS,
        ENTRY,
        VIDEO,
        kind=0x55B0,
        body=el(
            0x55D0, el(0x55D1, struct.pack(">d", 0.25)) + el(0x55D9, struct.pack(">Q", w.long))
        ),
    ),
    "a colour space": lambda w: (
        add(SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x2EB524, body=w.canary[7:11]) + el(VOID, w.told)
    ),
    "an unknown element of a track": lambda w: add(
        SEGMENT, TRACKS, ENTRY, kind=0x4D4D, body=w.told
    ),
    "an unknown element of the file": lambda w: add(SEGMENT, kind=0x4D4D, body=w.told),
    "an unknown element of the header": lambda w: add(EBML, kind=0x4D4D, body=w.told),
    "a document's type of one's own": lambda w: add(
        EBML, kind=0x4281, body=el(0x4283, w.text) + uint(0x4284, 1)
    ),
    "void": lambda w: add(SEGMENT, kind=VOID, body=w.told, first=True),
    "void in the header": lambda w: add(EBML, kind=VOID, body=w.told),
    "void in a track": lambda w: add(SEGMENT, TRACKS, ENTRY, kind=VOID, body=w.told),
    "void in a cluster": lambda w: add(SEGMENT, CLUSTER, kind=VOID, body=w.told),
    "void between header and segment": lambda w: (
        el(EBML, ebml.split(plain())[0][1])
        + el(VOID, w.told)
        + el(SEGMENT, ebml.split(plain())[1][1])
    ),
    "void behind the segment": lambda w: plain() + el(VOID, w.told),
    "void with a length of eight bytes": lambda w: plain() + el(VOID, w.told, 8),
    "a checksum": lambda w: add(
        SEGMENT, INFO, kind=CRC, body=struct.pack("<I", w.short), first=True
    ),
    "a checksum too long": lambda w: add(SEGMENT, INFO, kind=CRC, body=w.told, first=True),
    "an attachment": lambda w: add(
        SEGMENT, kind=ATTACHMENTS, body=attachment(b"a.txt", b"text/plain", w.told)
    ),
    "an attachment's name": lambda w: add(
        SEGMENT, kind=ATTACHMENTS, body=attachment(w.text, b"text/plain", b"x")
    ),
    "an attached archive": lambda w: add(
        SEGMENT, kind=ATTACHMENTS, body=attachment(b"a.zip", b"application/zip", zipped(w.told))
    ),
    "a chapter": lambda w: add(SEGMENT, kind=CHAPTERS, body=chapter(w)),
    "an index that says more": lambda w: add(
        SEGMENT,
        kind=CUES,
        body=el(0xBB, uint(0xB3, w.long) + el(0xB7, uint(0xF7, 1) + uint(0xF1, w.long))),
    ),
    "a seek head to nowhere": lambda w: add(
        SEGMENT,
        kind=SEEK_HEAD,
        body=el(0x4DBB, el(0x53AB, w.canary[7:11]) + uint(0x53AC, w.long)),
        first=True,
    ),
    "a second segment": lambda w: plain() + el(SEGMENT, el(INFO, el(0x7BA9, w.text))),
    "a second header": lambda w: plain() + el(EBML, el(0x4282, w.text)),
    "a second list of information": lambda w: add(
        SEGMENT, kind=INFO, body=uint(0x2AD7B1, 1000000) + el(0x7BA9, w.text)
    ),
    "bytes behind": lambda w: plain() + w.told,
    "a film behind": lambda w: plain() + add(SEGMENT, kind=TAGS, body=tag(b"TITLE", w.text)),
    "a cluster's position": lambda w: add(
        SEGMENT, CLUSTER, kind=0xA7, body=struct.pack(">Q", w.long)
    ),
    "a cluster's silent tracks": lambda w: add(
        SEGMENT, CLUSTER, kind=0x5854, body=uint(0x58D7, w.long)
    ),
    "an encrypted block": lambda w: add(SEGMENT, CLUSTER, kind=0xAF, body=w.told),
    "a block of no track": lambda w: add(
        SEGMENT, CLUSTER, kind=SIMPLE, body=ebml.block(77, 0, w.told)
    ),
    "an empty block's flags": lambda w: add(
        SEGMENT, CLUSTER, kind=SIMPLE, body=ebml.block(78, 0, w.told, 0x78)
    ),
    "additions of a block": lambda w: grouped(
        el(0x75A1, el(0xA6, uint(0xEE, 4) + el(0xA5, w.told)))
    ),
    "a block's codec state": lambda w: grouped(el(0xA4, w.told)),
    "a block's virtual frame": lambda w: grouped(el(0xA2, w.told)),
    "a block's slices": lambda w: grouped(el(0x8E, el(0xE8, uint(0xCC, w.long)))),
    "a block's padding": lambda w: grouped(el(0x75A2, struct.pack(">Q", w.long))),
    "a reference of a block": lambda w: grouped(
        el(0xFA, struct.pack(">Q", w.long)), el(0xFD, struct.pack(">Q", w.long))
    ),
    "subtitles": lambda w: with_track(0x11, b"S_TEXT/UTF8", w.told, w.told),
    "styled subtitles": lambda w: with_track(
        0x11, b"S_TEXT/ASS", b"[Script Info]\nTitle: " + w.text, w.told
    ),
    "packed subtitles": lambda w: with_track(0x11, b"S_VOBSUB", b"x", zlib.compress(w.told)),
    "timed metadata": lambda w: with_track(0x21, b"M_GPS", w.told, GPS_TEXT + w.told),
    "buttons": lambda w: with_track(0x12, b"B_VOBBTN", w.told, w.told),
    "a logo": lambda w: with_track(0x10, b"L_WTMK", w.told, w.told),
    "an SEI message": lambda w: in_first_block(lambda f: nal(6, message(w.canary)) + f),
    "filler": lambda w: in_first_block(lambda f: f + nal(12, w.text + b"\x80")),
    "a unit of nobody's": lambda w: in_first_block(lambda f: f + nal(29, w.text + b"\x80")),
    "behind the setup": lambda w: private(lambda c: c + w.told),
    "pictures that are off": lambda w: with_track(
        1, b"V_VP8", w.told, w.told, el(0xB9, b"\0"), first=True
    ),
    "a sound that is off": lambda w: with_track(
        2, b"A_PCM/INT/LIT", w.told, w.told, el(0xB9, b"\0"), first=True
    ),
    "further pictures": lambda w: with_track(1, b"V_VP8", w.told, w.told, el(0x88, b"\0")),
}


def opened(change: Callable[[Tree], object], *path: int) -> bytes:
    """Return the WebM film with something changed."""
    return ebml.edited(ebml.flat(ebml.tree(bases.webm())), change, *path)


WEBS: dict[str, Build] = {
    "a tag": lambda w: opened(put(TAGS, tag(b"ENCODER", w.text)), SEGMENT),
    "a title": lambda w: opened(put(0x7BA9, w.text), SEGMENT, INFO),
    "a duration in words": lambda w: opened(put(TAGS, tag(b"DURATION", w.text)), SEGMENT),
    "an attachment": lambda w: opened(put(ATTACHMENTS, attachment(b"x", b"x/x", w.told)), SEGMENT),
    "void": lambda w: opened(put(VOID, w.told), SEGMENT),
    "cues' void": lambda w: opened(put(CUES, el(VOID, w.told)), SEGMENT),
    "bytes behind": lambda w: bases.webm() + w.told,
}
PLACES: dict[str, tuple[str, Build]] = {
    **{name: ("mkv", build) for name, build in FILMS.items()},
    **{f"WebM: {name}": ("webm", build) for name, build in WEBS.items()},
}
REFUSABLE = {
    "a document's type of one's own",
    "a second segment",
    "a second header",
    "a second list of information",
    "a film behind",
    "an encrypted block",
    "a block's codec state",
    "a block's virtual frame",
    "a reference of a block",
    "an index that says more",
    "a block's padding",
}
