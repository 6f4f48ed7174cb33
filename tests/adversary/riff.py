"""AVI, WAV and AIFF: chunks of every name, at every level, and behind the end."""

import struct
from collections.abc import Callable

from tests.adversary import bases, exif
from tests.adversary.jpeg import head as jpeg_with
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.support import sounds
from tests.support.containers import chunk, split
from tests.support.media import xmp_packet

Build = Callable[[Word], bytes]
Parts = list[tuple[bytes, bytes]]


def closed(letters: bytes, kind: bytes, parts: Parts, order: str = "<", tail: bytes = b"") -> bytes:
    """Return a file of chunks."""
    body = kind + b"".join(chunk(*part, order) for part in parts)
    return letters + struct.pack(order + "I", len(body)) + body + tail


def put(data: bytes, place: int, *added: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    """Return a RIFF or FORM with chunks put before the one at a place (or last: 99)."""
    order = ">" if data.startswith(b"FORM") else "<"
    parts = split(data, order=order)
    parts[place:place] = added
    return closed(data[:4], data[8:12], parts, order, tail)


def changed(data: bytes, kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a RIFF or FORM with the chunks of a kind changed."""
    order = ">" if data.startswith(b"FORM") else "<"
    parts = [(k, change(d) if k == kind else d) for k, d in split(data, order=order)]
    return closed(data[:4], data[8:12], parts, order)


def info(*named: bytes) -> Callable[[Word], tuple[bytes, bytes]]:
    """Return a maker of a list of names."""
    return lambda w: (b"LIST", b"INFO" + b"".join(chunk(name, w.told) for name in named))


def in_list(kind: bytes, change: Callable[[Parts], Parts]) -> bytes:
    """Return the AVI with the chunks of one of its lists changed."""

    def opened(data: bytes) -> bytes:
        if data[:4] != kind:
            return data
        return kind + b"".join(chunk(*part) for part in change(split(data, 4)))

    return changed(bases.avi(), b"LIST", opened)


def in_stream(
    added: tuple[bytes, bytes] | None = None,
    *,
    kind: bytes = b"",
    change: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return the AVI with a chunk more in its first stream's list, or with one changed."""

    def opened(parts: Parts) -> Parts:
        place = next(n for n, (k, d) in enumerate(parts) if k == b"LIST" and d[:4] == b"strl")
        inside = split(parts[place][1], 4)
        inside = [(k, change(d) if k == kind else d) for k, d in inside] + (
            [added] if added else []
        )
        parts[place] = (b"LIST", b"strl" + b"".join(chunk(*part) for part in inside))
        return parts

    return in_list(b"hdrl", opened)


def first(parts: Parts, *added: tuple[bytes, bytes]) -> Parts:
    """Return chunks with others before them."""
    return [*added, *parts]


def frame(parts: Parts, change: Callable[[bytes], bytes]) -> Parts:
    """Return packets with the first picture changed."""
    place = next(n for n, (k, _) in enumerate(parts) if k == b"00dc")
    parts[place] = (b"00dc", change(parts[place][1]))
    return parts


def further(word: Word, flags: bytes = bytes(4)) -> bytes:
    """Return the AVI with a second stream of pictures, of one frame."""

    def opened(parts: Parts) -> Parts:
        stream = next(data for kind, data in parts if kind == b"LIST" and data[:4] == b"strl")
        at = stream.index(b"strh") + 16
        return [*parts, (b"LIST", stream[:at] + flags + stream[at + 4 :])]

    def spoken(data: bytes) -> bytes:
        return data + chunk(b"02dc", word.told) if data[:4] == b"movi" else data

    return changed(in_list(b"hdrl", opened), b"LIST", spoken)


COMMENT = b"\xff\xfe"
AVIS: dict[str, Build] = {
    "names": lambda w: put(bases.avi(), 0, info(b"IART", b"ICRD", b"ISFT")(w)),
    "a time": lambda w: in_list(b"hdrl", lambda p: [*p, (b"IDIT", w.told)]),
    "a time code": lambda w: in_list(b"hdrl", lambda p: [*p, (b"ISMP", w.told)]),
    "junk": lambda w: put(bases.avi(), 1, (b"JUNK", w.told)),
    "junk in the headers": lambda w: in_list(b"hdrl", lambda p: [*p, (b"JUNK", w.told)]),
    "junk between packets": lambda w: in_list(b"movi", lambda p: first(p, (b"JUNK", w.told))),
    "junk in a stream": lambda w: in_stream((b"JUNK", w.told)),
    "a stream's name": lambda w: in_stream((b"strn", w.told)),
    "a stream's data": lambda w: in_stream((b"strd", w.told)),
    "a stream's priority and language": lambda w: in_stream(
        kind=b"strh", change=lambda d: d[:12] + struct.pack(">I", w.short) + d[16:]
    ),
    "a stream's handler": lambda w: (
        in_stream(
            kind=b"strh",
            change=lambda d: d[:4] + w.canary[7:11] + d[8:44] + w.canary[7:11] + d[48:],
        )
        + w.told
    ),
    "a stream's frame": lambda w: in_stream(
        kind=b"strh", change=lambda d: d[:48] + struct.pack(">Q", w.long)
    ),
    "a stream's buffer": lambda w: in_stream(
        kind=b"strh", change=lambda d: d[:36] + struct.pack(">I", w.short) + d[40:]
    ),
    "behind the picture's numbers": lambda w: in_stream(kind=b"strf", change=lambda d: d + w.told),
    "the picture's density": lambda w: in_stream(
        kind=b"strf", change=lambda d: d[:24] + struct.pack(">Q", w.long) + d[32:]
    ),
    "the reserved numbers": lambda w: in_list(
        b"hdrl",
        lambda p: [
            (k, d[:40] + struct.pack(">QQ", w.long, w.long) if k == b"avih" else d) for k, d in p
        ],
    ),
    "a camera's": lambda w: put(bases.avi(), 1, (b"LIST", b"ncdt" + chunk(b"nctg", w.told))),
    "EXIF of a camera": lambda w: put(bases.avi(), 1, (b"LIST", b"exif" + chunk(b"emnt", w.told))),
    "a thumbnail": lambda w: put(bases.avi(), 1, (b"THUM", jpeg_with(0xFE, w.told))),
    "XMP": lambda w: put(bases.avi(), 1, (b"_PMX", xmp_packet(w.text))),
    "an unknown chunk": lambda w: put(bases.avi(), 1, (b"wtmk", w.told)),
    "an unknown list": lambda w: put(
        bases.avi(), 1, (b"LIST", w.canary[7:11] + chunk(b"what", w.told))
    ),
    "a packet of no stream": lambda w: in_list(b"movi", lambda p: first(p, (b"05dc", w.told))),
    "a packet of text": lambda w: in_list(b"movi", lambda p: first(p, (b"00tx", w.told))),
    "an index": lambda w: put(bases.avi(), 99, (b"idx1", w.told)),
    "an index's places": lambda w: changed(
        bases.avi(), b"idx1", lambda d: d[:8] + struct.pack("<II", w.short, w.short) + d[16:]
    ),
    "a comment in a frame": lambda w: in_list(
        b"movi",
        lambda p: frame(
            p, lambda d: d[:2] + COMMENT + struct.pack(">H", len(w.told) + 2) + w.told + d[2:]
        ),
    ),
    "an APP0 of a frame": lambda w: in_list(
        b"movi",
        lambda p: frame(
            p,
            lambda d: (
                d[:2] + b"\xff\xe0" + struct.pack(">H", len(w.told) + 6) + b"AVI1" + w.told + d[2:]
            ),
        ),
    ),
    "behind a frame": lambda w: in_list(b"movi", lambda p: frame(p, lambda d: d + w.told)),
    "EXIF in a frame": lambda w: (
        in_list(b"movi", lambda p: frame(p, lambda d: jpeg_with(0xE1, exif.block(w))[:2] + d[2:]))
        + exif.tiff(w)
    ),
    "behind the end": lambda w: bases.avi() + w.told,
    "an archive behind": lambda w: bases.avi() + zipped(w.told),
    "a second file behind": lambda w: bases.avi() + closed(b"RIFF", b"WAVE", [(b"fmt ", w.told)]),
    "further pictures": further,
    "pictures that are off": lambda w: further(w, b"\1\0\0\0"),
}
WAVS: dict[str, Build] = {
    "names": lambda w: put(bases.sound("wav"), 1, info(b"INAM", b"IART", b"ICMT")(w)),
    "names behind": lambda w: put(bases.sound("wav"), 99, info(b"ISRC", b"ITCH")(w)),
    "a broadcaster's": lambda w: put(bases.sound("wav"), 0, (b"bext", w.told.ljust(602, b"\0"))),
    "a broadcaster's number": lambda w: put(
        bases.sound("wav"), 1, (b"bext", bytes(338) + struct.pack("<Q", w.long) + bytes(256))
    ),
    "a recorder's XML": lambda w: put(
        bases.sound("wav"), 99, (b"iXML", b"<BWFXML><LOCATION>" + w.text)
    ),
    "AXML": lambda w: put(bases.sound("wav"), 99, (b"axml", w.told)),
    "XMP": lambda w: put(bases.sound("wav"), 99, (b"_PMX", xmp_packet(w.text))),
    "ID3": lambda w: put(bases.sound("wav"), 99, (b"id3 ", sounds.id3v2(w.told))),
    "ID3 under another name": lambda w: put(
        bases.sound("wav"), 99, (b"ID3 ", sounds.id3v2(w.told))
    ),
    "marks": lambda w: put(
        bases.sound("wav"),
        99,
        (b"cue ", struct.pack("<I", 1) + struct.pack("<QQQ", w.long, w.long, w.long)),
    ),
    "labels": lambda w: put(
        bases.sound("wav"), 99, (b"LIST", b"adtl" + chunk(b"labl", b"\1\0\0\0" + w.told))
    ),
    "a sampler's": lambda w: put(
        bases.sound("wav"), 99, (b"smpl", struct.pack("<QQQQ", *[w.long] * 4) + bytes(4))
    ),
    "an instrument": lambda w: put(
        bases.sound("wav"), 99, (b"inst", w.canary[:7]), (b"JUNK", w.told)
    ),
    "peaks and their time": lambda w: put(
        bases.sound("wav"), 1, (b"PEAK", struct.pack("<III", 1, w.short, w.short))
    ),
    "a fact": lambda w: put(bases.sound("wav"), 1, (b"fact", struct.pack("<I", w.short))),
    "behind a fact": lambda w: put(bases.sound("wav"), 1, (b"fact", bytes(4) + w.told)),
    "junk": lambda w: put(bases.sound("wav"), 0, (b"JUNK", w.told)),
    "filler": lambda w: put(bases.sound("wav"), 1, (b"FLLR", w.told)),
    "silence": lambda w: put(bases.sound("wav"), 1, (b"slnt", struct.pack("<I", w.short))),
    "an Adobe's": lambda w: put(bases.sound("wav"), 99, (b"Tdat", w.told), (b"SyLp", w.told)),
    "a Zoom's": lambda w: put(bases.sound("wav"), 0, (b"ZOOM", w.told)),
    "levels": lambda w: put(bases.sound("wav"), 0, (b"levl", w.told)),
    "a digest": lambda w: put(bases.sound("wav"), 99, (b"MD5 ", w.canary)),
    "behind the numbers": lambda w: changed(
        bases.sound("wav"), b"fmt ", lambda d: d + struct.pack("<H", len(w.told)) + w.told
    ),
    "a second format": lambda w: put(bases.sound("wav"), 99, (b"fmt ", w.told)),
    "the odd byte": lambda w: put(bases.sound("wav"), 99, (b"odd?", w.text + b"!")),
    "a name of a chunk": lambda w: put(
        bases.sound("wav"), 99, (w.canary[7:11], w.canary[11:]), (b"what", w.told)
    ),
    "behind the end": lambda w: bases.sound("wav") + w.told,
    "ID3v1 behind the end": lambda w: bases.sound("wav") + sounds.id3v1(w.told),
    "an archive behind": lambda w: bases.sound("wav") + zipped(w.told),
}


def called(name: bytes) -> Build:
    """Return a maker of AIFFs with a chunk of some name."""
    return lambda w: put(bases.sound("aiff"), 1, (name.ljust(4), w.told))


AIFFS: dict[str, Build] = {
    **{
        f"a chunk called {name}": called(name.encode())
        for name in ["NAME", "AUTH", "ANNO", "APPL", "MIDI", "AESD", "ID3", "CSET", "what", "(c)"]
    },
    "comments with times": lambda w: put(
        bases.sound("aiff"), 1, (b"COMT", struct.pack(">HIHH", 1, w.short, 0, len(w.told)) + w.told)
    ),
    "marks": lambda w: put(
        bases.sound("aiff"), 1, (b"MARK", struct.pack(">HHIB", 1, 1, w.short, len(w.text)) + w.text)
    ),
    "behind the numbers": lambda w: changed(bases.sound("aiff"), b"COMM", lambda d: d + w.told),
    "before the sound": lambda w: changed(
        bases.sound("aiff"),
        b"SSND",
        lambda d: struct.pack(">II", len(w.canary), 0) + w.canary + d[8:],
    ),
    "behind the end": lambda w: bases.sound("aiff") + w.told,
    "a chunk behind the sound": lambda w: put(
        bases.sound("aiff"), 99, (b"ID3 ", sounds.id3v2(w.told))
    ),
}
PLACES: dict[str, tuple[str, Build]] = {
    **{f"AVI: {name}": ("avi", build) for name, build in AVIS.items()},
    **{f"WAV: {name}": ("wav", build) for name, build in WAVS.items()},
    **{f"AIFF: {name}": ("aiff", build) for name, build in AIFFS.items()},
}
REFUSABLE = {"WAV: a second format", "AVI: EXIF in a frame"}
