"""MP4 and QuickTime films taken apart, changed in one place, and put together again."""

import struct
from collections.abc import Callable

from tests.adversary import bases
from tests.adversary.words import Word
from tests.support.boxes import box, find, full, split, track

Change = Callable[[bytes], bytes]
MOOV, TRAK = (b"moov",), (b"moov", b"trak")
MDIA = (*TRAK, b"mdia")
MINF = (*MDIA, b"minf")
STBL = (*MINF, b"stbl")
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
SPHERE = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
SEI_UUID = bytes.fromhex("086f3693b7b34f2c965321492feee5b8")


def edited(data: bytes, path: tuple[bytes, ...], change: Change, *, each: bool = False) -> bytes:
    """Return a film with the content of the first box on a path changed, or of each."""
    made, done = b"", False
    for kind, content in split(data):
        if kind == path[0] and (each or not done):
            done = True
            inside = edited(content, path[1:], change, each=each) if path[1:] else change(content)
            made += box(kind, inside)
        else:
            made += box(kind, content)
    return made


def put(path: tuple[bytes, ...], added: bytes, data: bytes = b"", *, first: bool = False) -> bytes:
    """Return the film, or another, with bytes added in the box at the end of a path."""
    return edited(data or bases.mp4(), path, lambda c: added + c if first else c + added)


def at(place: int, number: bytes) -> Change:
    """Return a change of the bytes at a place."""
    return lambda content: content[:place] + number + content[place + len(number) :]


def user(kind: bytes, content: bytes) -> bytes:
    """Return a box of user data."""
    return box(b"udta", box(kind, content))


def apple(word: bytes, key: bytes = b"com.apple.quicktime.location.ISO6709") -> bytes:
    """Return a meta box as Apple's phones write it."""
    keys = full(b"keys", struct.pack(">I", 1), box(b"mdta", key))
    value = box(b"ilst", box(b"\0\0\0\1", box(b"data", struct.pack(">II", 1, 0), word)))
    return box(b"meta", full(b"hdlr", bytes(4), b"mdta", bytes(13)), keys, value)


def tunes(kind: bytes, word: bytes) -> bytes:
    """Return user data as iTunes writes it."""
    value = box(b"ilst", box(kind, box(b"data", struct.pack(">II", 1, 0), word)))
    return box(b"udta", full(b"meta", full(b"hdlr", bytes(4), b"mdirappl", bytes(9)), value))


def with_track(handler: bytes, entry: bytes, sample: bytes, name: bytes = b"x") -> bytes:
    """Return the film with a track more, whose sample lies in a second mdat."""
    film = bases.mp4()
    front = b"".join(box(k, c) for k, c in split(film) if k != b"moov")
    data = box(b"mdat", sample)
    moov = find(film, b"moov") + track(9, handler, entry, len(front) + 8, len(sample), name)
    return front + data + box(b"moov", moov)


def entry(kind: bytes, content: bytes = b"") -> bytes:
    """Return a sample entry."""
    return box(kind, bytes(6), b"\0\1", content)


def disabled(word: Word) -> bytes:
    """Return a film with a second track of pictures, disabled, that has a name."""
    film = bases.mp4()
    moov = find(film, b"moov")
    trak = next(c for k, c in split(moov) if k == b"trak")
    header = find(trak, b"tkhd")
    again = edited(
        box(b"trak", trak),
        (b"trak", b"tkhd"),
        lambda _: bytes(4) + header[4:12] + b"\0\0\0\x09" + header[16:],
    )
    named = edited(again, (b"trak", b"mdia", b"hdlr"), lambda c: c[:24] + word.text + b"\0")
    return put(MOOV, named)


def nal(kind: int, payload: bytes) -> bytes:
    """Return an H.264 unit with its length."""
    return struct.pack(">IB", len(payload) + 1, kind) + payload


def nal_hevc(kind: int, payload: bytes) -> bytes:
    """Return an HEVC unit with its length."""
    return struct.pack(">IBB", len(payload) + 2, kind << 1, 1) + payload


def message(word: bytes, kind: int = 5) -> bytes:
    """Return the payload of an SEI unit."""
    told = (SEI_UUID if kind == 5 else b"\xb5\0\x77") + word
    return bytes([kind, len(told)]) + told + b"\x80"


def in_sample(unit: bytes, film: bytes = b"", *, last: bool = False) -> bytes:
    """Return a film whose first sample has a unit more; every later chunk moves."""
    film = film or bases.mp4()
    table = find(film, *STBL)
    sizes = find(table, b"stsz")
    (first,) = struct.unpack_from(">I", find(table, b"stco"), 8)
    (size,) = struct.unpack_from(">I", sizes, 12)
    place = first + size if last else first
    longer = film[:place] + unit + film[place:]
    start = film.index(b"mdat") - 4
    (length,) = struct.unpack_from(">I", film, start)
    longer = longer[:start] + struct.pack(">I", length + len(unit)) + longer[start + 4 :]

    def later(content: bytes) -> bytes:
        (count,) = struct.unpack_from(">I", content, 4)
        told = struct.unpack_from(f">{count}I", content, 8)
        return content[:8] + struct.pack(f">{count}I", *(n + len(unit) * (n > first) for n in told))

    made = edited(longer, (*STBL, b"stsz"), at(12, struct.pack(">I", size + len(unit))))
    return edited(made, (*STBL, b"stco"), later, each=True)


def setup(
    change: Change, film: bytes = b"", kinds: tuple[bytes, bytes] = (b"avc1", b"avcC")
) -> bytes:
    """Return a film with another decoder configuration."""

    def inside(content: bytes) -> bytes:
        head, rest = content[:8], content[8:]
        return head + edited(
            rest, (kinds[0],), lambda c: c[:78] + edited(c[78:], (kinds[1],), change)
        )

    return edited(film or bases.mp4(), (*STBL, b"stsd"), inside)


def in_entry(added: bytes, film: bytes = b"") -> bytes:
    """Return a film with a box more in its first sample entry."""
    return edited(
        film or bases.mp4(),
        (*STBL, b"stsd"),
        lambda c: c[:8] + edited(c[8:], (b"avc1",), lambda e: e + added),
    )


def late(word: Word) -> bytes:
    """Return a film whose edit list shows its last frame alone; a unit hides in the first."""
    edits = full(b"elst", struct.pack(">IIiI", 1, 200, 8192, 1 << 16))
    return edited(
        in_sample(nal(6, message(word.canary))),
        TRAK,
        lambda c: box(b"edts", edits) + b"".join(box(k, d) for k, d in split(c) if k != b"edts"),
    )


def slack(word: bytes) -> bytes:
    """Return a film with bytes at the end of mdat that no table names."""
    return edited(bases.mp4(), (b"mdat",), lambda c: c + word)


def before_index(added: bytes, film: bytes = b"") -> bytes:
    """Return a film with bytes between its data and its index."""
    film = film or bases.mp4()
    place = film.index(b"moov") - 4
    return film[:place] + added + film[place:]


def before_fragment(added: bytes) -> bytes:
    """Return fragments with a box before the first."""
    film = bases.fragments()
    place = film.index(b"moof") - 4
    return film[:place] + added + film[place:]


def in_fragments(path: tuple[bytes, ...], added: bytes) -> bytes:
    """Return fragments with a box more in each, and its data as much farther behind."""

    def later(content: bytes) -> bytes:
        (place,) = struct.unpack_from(">i", content, 8)
        # There are two tracks in a fragment, and each has grown.
        grown = len(added) * (2 if b"traf" in path else 1)
        return at(8, struct.pack(">i", place + grown))(content)

    made = edited(bases.fragments(), path, lambda c: c + added, each=True)
    return edited(made, (b"moof", b"traf", b"trun"), later, each=True)
