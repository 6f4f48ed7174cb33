"""MP3, AAC, Ogg, FLAC and AMR: tags of every maker, between frames and in what fills them up."""

import base64
import struct
from collections.abc import Callable

from tests.adversary import bases, exif
from tests.adversary.jpeg import head as jpeg_with
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.support.media import xmp_packet
from tests.support.sounds import ape, id3v1, id3v2, joined, lyrics3, packets, page, pages

Build = Callable[[Word], bytes]
KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def mp3() -> bytes:
    """Return an MP3 without tags."""
    return bases.sound("mp3")


def mp3_frames() -> list[bytes]:
    """Return its frames."""
    data, found, at = mp3(), [], 0
    while at < len(data):
        size = 144000 * KBITS[data[at + 2] >> 4] // 44100 + (data[at + 2] >> 1 & 1)
        found.append(data[at : at + size])
        at += size
    return found


def aac_frames() -> list[bytes]:
    """Return the frames of an AAC."""
    data, found, at = bases.sound("adts"), [], 0
    while at < len(data):
        size = int.from_bytes(data[at + 3 : at + 6], "big") >> 5 & 8191
        found.append(data[at : at + size])
        at += size
    return found


def aac_block(block: bytes) -> bytes:
    """Return a frame of AAC around a block."""
    head, size = aac_frames()[0], 7 + len(block)
    tail = [head[3] & 0xFC | size >> 11, size >> 3 & 255, size << 5 & 0xE0 | 31, 0xFC]
    return head[:1] + bytes([head[1] | 1, head[2], *tail]) + block


def middle(frames: list[bytes], added: bytes) -> bytes:
    """Return a sound with bytes in its middle."""
    half = len(frames) // 2
    return b"".join(frames[:half]) + added + b"".join(frames[half:])


def unsynchronised(word: bytes) -> bytes:
    """Return an ID3v2.4 tag, unsynchronised, with an extended header and a footer."""
    frame = b"TXXX" + bytes([0, 0, 0, len(word) + 3]) + b"\0\0\3a\0" + word
    body = b"\0\0\0\6\1\0" + frame
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\4\0\xd0" + size + body + b"3DI\4\0\xd0" + size


def xing(word: bytes) -> bytes:
    """Return a frame of silence with an index that says which program wrote it."""
    first = mp3_frames()[0]
    told = b"Xing\0\0\0\x0f" + bytes(8) + bytes(100) + bytes(4) + word
    return (first[:4] + bytes(32) + told).ljust(len(first), b"\0")[: len(first)]


def frames_of_id3(kind: bytes, content: bytes) -> bytes:
    """Return ID3v2.3 with one frame."""
    body = kind + struct.pack(">IH", len(content), 0) + content
    return b"ID3\3\0\0" + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


def tagged(tag: Callable[[bytes], bytes]) -> Build:
    """Return a maker of MP3s with a tag before the sound."""
    return lambda w: tag(w.told) + mp3()


ID3: dict[str, Callable[[bytes], bytes]] = {
    "a private frame": lambda t: frames_of_id3(b"PRIV", b"www.x\0" + t),
    "a number of the shop": lambda t: frames_of_id3(b"UFID", b"http://x\0" + t),
    "a cover": lambda t: frames_of_id3(b"APIC", b"\0image/jpeg\0\3\0" + jpeg_with(0xFE, t)),
    "an object": lambda t: frames_of_id3(b"GEOB", b"\0\0\0\0" + t),
    "an owner": lambda t: frames_of_id3(b"OWNE", b"\0EUR1\0" + b"20260102" + t),
    "chapters": lambda t: frames_of_id3(b"CHAP", b"a\0" + bytes(16) + t),
    "XMP": lambda t: frames_of_id3(b"PRIV", b"XMP\0" + t),
    "an old tag": lambda t: (
        b"ID3\2\0\0" + bytes([0, 0, 0, 6 + len(t)]) + b"TT2" + len(t).to_bytes(3, "big") + t
    ),
    "a tag in a tag": lambda t: frames_of_id3(b"GEOB", b"\0\0\0\0" + id3v2(t)),
    "a tag with a footer": unsynchronised,
    "padding": lambda t: id3v2(b"x", padding=400)[:-100] + t.ljust(100, b"\0")[:100],
}
MP3S: dict[str, Build] = {
    **{f"ID3, {name}": tagged(build) for name, build in ID3.items()},
    "ID3 of EXIF": lambda w: frames_of_id3(b"PRIV", exif.block(w)) + mp3(),
    "ID3v1": lambda w: mp3() + id3v1(w.told),
    "a longer ID3v1": lambda w: mp3() + b"TAG+" + w.told.ljust(223, b"\0") + id3v1(b"x"),
    "APE": lambda w: mp3() + ape(w.told),
    "APE before": lambda w: ape(w.told) + mp3(),
    "APE between ID3s": lambda w: id3v2(b"x") + ape(w.told) + mp3() + ape(w.told) + id3v1(b"x"),
    "lyrics": lambda w: mp3() + lyrics3(w.told) + id3v1(b"x"),
    "MusicMatch": lambda w: (
        mp3() + b"18273645" + w.told.ljust(8192, b"\0") + b"Brava Software Inc.             3.1"
    ),
    "the program in the index": lambda w: xing(w.canary) + mp3(),
    "an index of another maker": lambda w: (
        xing(b"").replace(b"Xing", b"VBRI") + id3v2(w.told) + mp3()
    ),
    "between frames": lambda w: middle(mp3_frames(), w.text),
    "between frames, as a tag": lambda w: middle(mp3_frames(), id3v2(w.told)),
    "between frames, as free format": lambda w: middle(mp3_frames(), b"\xff\xfb\x00\x00" + w.text),
    "private bits, and a word behind": lambda w: (
        b"".join(f[:2] + bytes([f[2] | 1]) + f[3:] for f in mp3_frames()) + w.told
    ),
    "behind": lambda w: mp3() + w.told,
    "behind, cut off like a frame": lambda w: mp3() + mp3()[:4] + w.told,
    "an archive behind": lambda w: mp3() + zipped(w.told),
    "in a RIFF": lambda w: mp3() + b"LIST" + struct.pack("<I", 40) + b"INFO" + w.told,
    "a text encoded": lambda w: (
        frames_of_id3(b"COMM", b"\1eng\xff\xfe\0\0\xff\xfe" + w.canary.decode().encode("utf-16-le"))
        + mp3()
    ),
}
AACS: dict[str, Build] = {
    "ID3": lambda w: id3v2(w.told) + bases.sound("adts"),
    "ID3 between frames": lambda w: middle(aac_frames(), id3v2(w.told)),
    "ID3v1": lambda w: bases.sound("adts") + id3v1(w.told),
    "APE": lambda w: bases.sound("adts") + ape(w.told),
    "a data element": lambda w: middle(
        aac_frames(), aac_block(b"\x81" + bytes([len(w.told)]) + w.told + b"\xe0")
    ),
    "a data element before the sound": lambda w: middle(
        aac_frames(), aac_block(b"\x81" + bytes([len(w.text)]) + w.text + aac_frames()[2][7:])
    ),
    "a frame of filler": lambda w: middle(aac_frames(), aac_block(b"\xe0" + w.text)),
    "between frames": lambda w: middle(aac_frames(), w.text),
    "behind": lambda w: bases.sound("adts") + w.told,
    "an archive behind": lambda w: bases.sound("adts") + zipped(w.told),
}


def comments(text: bytes, maker: bytes = b"") -> bytes:
    """Return the comments of Ogg and FLAC."""
    return struct.pack("<I", len(maker)) + maker + struct.pack("<II", 1, len(text)) + text


def ogg(kind: str, place: int, *packs: bytes) -> bytes:
    """Return an Ogg with the packets of one of its first pages replaced."""
    told = pages(bases.sound(kind))
    old = told[place]
    told[place] = page(old.flags, old.granule, old.serial, old.sequence, *packs)
    return joined(told)


def instead(data: bytes, place: int, new: bytes) -> bytes:
    """Return bytes with others in their place."""
    return data[:place] + new + data[place + len(new) :]


def opus_note() -> list[bytes]:
    """Return the pages of an Opus file, in bytes."""
    return [each.to_bytes() for each in pages(bases.sound("opus"))]


def with_opus(place: int, added: bytes) -> bytes:
    """Return an Opus file with bytes before one of its pages (99: behind the last)."""
    told = opus_note()
    told.insert(place, added)
    return b"".join(told)


def padded(word: bytes) -> bytes:
    """Return an Opus file whose packets of sound have padding that is the word."""
    told = pages(bases.sound("opus"))
    old = told[2]
    sounds = [
        bytes([p[0] | 3, 0x41, len(word)]) + p[1:] + word if not p[0] & 3 else p
        for p in packets(old)
    ]
    told[2] = page(old.flags, old.granule, old.serial, old.sequence, *sounds)
    return joined(told)


def vorbis_comment(change: Callable[[bytes], bytes]) -> bytes:
    """Return a Vorbis file with another comment header."""
    told = pages(bases.sound("ogg"))
    old = told[1]
    comment, setup = packets(old)
    told[1] = page(old.flags, old.granule, old.serial, old.sequence, change(comment), setup)
    return joined(told)


def serial(word: Word) -> bytes:
    """Return an Opus file whose stream is numbered by the word."""
    return joined([each._replace(serial=word.short) for each in pages(bases.sound("opus"))])


GRANULE = pages(bases.sound("opus"))[-1].granule
PICTURE = b"METADATA_BLOCK_PICTURE="
OGGS: dict[str, tuple[str, Build]] = {
    "a comment": ("opus", lambda w: ogg("opus", 1, b"OpusTags" + comments(b"ARTIST=" + w.text))),
    "the maker": ("opus", lambda w: ogg("opus", 1, b"OpusTags" + comments(b"a=b", w.text))),
    "behind the comments": (
        "opus",
        lambda w: ogg("opus", 1, b"OpusTags" + comments(b"a=b") + b"\1" + w.told),
    ),
    "padding behind the comments": (
        "opus",
        lambda w: ogg("opus", 1, b"OpusTags" + comments(b"a=b") + bytes(300) + w.told),
    ),
    "a cover": (
        "opus",
        lambda w: ogg(
            "opus",
            1,
            b"OpusTags"
            + comments(PICTURE + base64.b64encode(bytes(30) + w.canary * 3 + bytes(30))),
        ),
    ),
    "a position": (
        "opus",
        lambda w: ogg(
            "opus", 1, b"OpusTags" + comments(b"GEO_LOCATION=+33.5731-007.5898/" + w.text)
        ),
    ),
    "behind the first header": (
        "opus",
        lambda w: ogg("opus", 0, pages(bases.sound("opus"))[0].body + w.told),
    ),
    "the number of the stream": ("opus", serial),
    "the numbers of samples": (
        "opus",
        lambda w: joined(
            [
                p._replace(granule=p.granule and w.short + p.granule - GRANULE)
                for p in pages(bases.sound("opus"))
            ]
        ),
    ),
    "the rate of the recorder": (
        "opus",
        lambda w: ogg(
            "opus",
            0,
            instead(pages(bases.sound("opus"))[0].body, 12, struct.pack("<I", w.short)),
        ),
    ),
    "padding of packets": ("opus", lambda w: padded(w.told)),
    "bytes between pages": ("opus", lambda w: with_opus(2, w.told)),
    "a page of no stream": ("opus", lambda w: with_opus(2, page(0, 9, 99, 0, w.told).to_bytes())),
    "a stream of text": (
        "opus",
        lambda w: with_opus(1, page(2, 0, 99, 0, b"\x80kate\0\0\0" + w.told).to_bytes()),
    ),
    "a skeleton": (
        "opus",
        lambda w: with_opus(0, page(2, 0, 99, 0, b"fishead\0" + w.told).to_bytes()),
    ),
    "a stream of pictures": (
        "opus",
        lambda w: with_opus(1, page(2, 0, 99, 0, b"\x80theora" + w.told).to_bytes()),
    ),
    "behind the last page": ("opus", lambda w: bases.sound("opus") + w.told),
    "a page behind the last page": (
        "opus",
        lambda w: with_opus(99, page(0, 9, 7, 99, w.told).to_bytes()),
    ),
    "an archive behind": ("opus", lambda w: bases.sound("opus") + zipped(w.told)),
    "ID3 behind": ("opus", lambda w: bases.sound("opus") + id3v1(w.told)),
    "Vorbis, a comment": (
        "ogg",
        lambda w: vorbis_comment(lambda _: b"\3vorbis" + comments(b"ARTIST=" + w.text) + b"\1"),
    ),
    "Vorbis, the maker": (
        "ogg",
        lambda w: vorbis_comment(lambda _: b"\3vorbis" + comments(b"a=b", w.text) + b"\1"),
    ),
    "Vorbis, behind the comments": ("ogg", lambda w: vorbis_comment(lambda c: c + w.told)),
    "Vorbis, bit rates": (
        "ogg",
        lambda w: ogg(
            "ogg",
            0,
            instead(pages(bases.sound("ogg"))[0].body, 16, struct.pack("<III", *[w.short] * 3)),
        ),
    ),
    "Vorbis, behind": ("ogg", lambda w: bases.sound("ogg") + w.told),
}


def flac(*blocks: tuple[int, bytes], sound: bytes = b"") -> bytes:
    """Return a FLAC with metadata blocks behind its first."""
    data = bases.sound("flac")
    at, head = 4, b""
    while True:
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        head = head or data[at + 4 : at + 4 + length]
        is_last = data[at] & 0x80
        at += 4 + length
        if is_last:
            break
    told = [(0, head), *blocks, (4, comments(b"a=b"))]
    made = b"fLaC"
    for number, (kind, content) in enumerate(told):
        made += (
            bytes([kind | 0x80 * (number == len(told) - 1)])
            + len(content).to_bytes(3, "big")
            + content
        )
    return made + sound + data[at:]


FLACS: dict[str, Build] = {
    "a comment": lambda w: flac((4, comments(b"ARTIST=" + w.text))),
    "the maker": lambda w: flac((4, comments(b"a=b", w.text))),
    "an application": lambda w: flac((2, b"riff" + w.told)),
    "a picture": lambda w: flac(
        (
            6,
            struct.pack(">II", 3, 10)
            + b"image/jpeg"
            + struct.pack(">I", len(w.text))
            + w.text
            + bytes(16)
            + struct.pack(">I", 1)
            + b"x",
        )
    ),
    "EXIF in a picture": lambda w: flac(
        (6, struct.pack(">II", 3, 10) + b"image/jpeg" + bytes(20) + jpeg_with(0xE1, exif.block(w)))
    ),
    "padding": lambda w: flac((1, bytes(40) + w.told)),
    "a cue sheet": lambda w: flac((5, w.text.ljust(128, b"\0") + bytes(268))),
    "a seek table": lambda w: flac((3, struct.pack(">QQH", w.long, w.long, 9))),
    "a reserved block": lambda w: flac((50, w.told)),
    "a second first block": lambda w: flac((0, w.canary.ljust(34))),
    "the fingerprint": lambda w: (
        bases.sound("flac")[:26] + w.canary + b"!" + bases.sound("flac")[42:]
    ),
    "the sizes of frames": lambda w: (
        bases.sound("flac")[:12] + w.canary[7:13] + bases.sound("flac")[18:] + w.told
    ),
    "XMP": lambda w: flac((2, b"XMP " + xmp_packet(w.text))),
    "before the sound": lambda w: flac(sound=w.text),
    "ID3 before": lambda w: id3v2(w.told) + bases.sound("flac"),
    "ID3v1 behind": lambda w: bases.sound("flac") + id3v1(w.told),
    "behind": lambda w: bases.sound("flac") + w.told,
    "an archive behind": lambda w: bases.sound("flac") + zipped(w.told),
}
AMRS: dict[str, Build] = {
    "behind": lambda w: bases.sound("amr") + w.told + b"\xff",
    "ID3 behind": lambda w: bases.sound("amr") + id3v1(w.told),
    "a box behind": lambda w: bases.sound("amr") + b"\0\0\0\x40uuid" + w.told,
    "an archive behind": lambda w: bases.sound("amr") + zipped(w.told),
}
PLACES: dict[str, tuple[str, Build]] = {
    **{f"MP3: {name}": ("mp3", build) for name, build in MP3S.items()},
    **{f"AAC: {name}": ("aac", build) for name, build in AACS.items()},
    **{f"Ogg: {name}": place for name, place in OGGS.items()},
    **{f"FLAC: {name}": ("flac", build) for name, build in FLACS.items()},
    **{f"AMR: {name}": ("amr", build) for name, build in AMRS.items()},
}
REFUSABLE = {
    "MP3: APE before",
    "Ogg: a stream of pictures",
    "MP3: between frames, as free format",
    "FLAC: a second first block",
}
