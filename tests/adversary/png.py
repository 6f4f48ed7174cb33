"""PNG and APNG: chunks of every name, and frames that no animation shows."""

import struct
import zlib
from collections.abc import Callable

from tests.adversary import bases, exif, icc
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.support.media import xmp_packet

MAGIC = b"\x89PNG\r\n\x1a\n"
Part = tuple[bytes, bytes]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def parts(data: bytes) -> list[Part]:
    """Cut a PNG into its chunks."""
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def joined(all_parts: list[Part]) -> bytes:
    """Return a PNG of chunks."""
    return MAGIC + b"".join(chunk(*each) for each in all_parts)


def put(place: int, *added: Part, data: bytes = b"") -> bytes:
    """Return the PNG, or another, with chunks put before the one at ``place``."""
    listed = parts(data or bases.picture("PNG"))
    listed[place:place] = added
    return joined(listed)


def with_data(change: Callable[[bytes], bytes], *, mode: str = "RGB") -> bytes:
    """Return a PNG with the bytes of its rows changed before they are compressed."""
    listed = parts(bases.picture("PNG", mode))
    rows = zlib.decompress(b"".join(data for kind, data in listed if kind == b"IDAT"))
    kept = [each for each in listed if each[0] != b"IDAT"]
    return joined([*kept[:-1], (b"IDAT", zlib.compress(change(rows))), kept[-1]])


def palette(word: bytes, *extra: Part) -> bytes:
    """Return a picture of two colours whose palette spells a word in the others."""
    colours = b"\0\0\0\xff\xff\xff" + word
    colours += bytes(-len(colours) % 3)
    head = struct.pack(">IIBBBBB", 16, 16, 8, 3, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes([row & 1]) * 16 for row in range(16)))
    return joined([(b"IHDR", head), (b"PLTE", colours), *extra, (b"IDAT", rows), (b"IEND", b"")])


def stored(data: bytes) -> bytes:
    """Return a zlib stream that compresses nothing, with an empty block that is told aloud."""
    block = b"\1" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    return b"\x78\1" + block + struct.pack(">I", zlib.adler32(data))


def hidden_default(word: Word) -> bytes:
    """Return an APNG whose first picture is not part of it, and has the word in its pixels."""
    listed = parts(bases.moving("PNG"))
    first = next(data for kind, data in listed if kind == b"fcTL")
    rows = b"".join(b"\0" + (word.canary * 12)[: 48 * 3] for _ in range(32))
    told = [each for each in listed if each[0] not in {b"IDAT", b"fcTL", b"fdAT"}]
    frames = [data for kind, data in listed if kind == b"fdAT"]
    shown: list[Part] = [(b"fcTL", first), (b"fdAT", bytes(3) + b"\1" + frames[0][4:])]
    told[1] = (b"acTL", struct.pack(">II", 1, 0))
    return joined([*told[:2], (b"IDAT", stored(rows)), *shown, (b"IEND", b"")])


def moving(place: int, *added: Part) -> bytes:
    """Return the APNG with chunks put before the one at ``place``."""
    return put(place, *added, data=bases.moving("PNG"))


def renamed(kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return the APNG with each chunk of a kind changed."""
    return joined([(n, change(d) if n == kind else d) for n, d in parts(bases.moving("PNG"))])


def late(word: Word) -> bytes:
    """Return a PNG of 16 x 1 pixels whose rows go on after the last one."""
    head = struct.pack(">IIBBBBB", 16, 1, 8, 0, 0, 0, 0)
    rows = b"\0" + bytes(16) + word.canary
    return joined([(b"IHDR", head), (b"IDAT", stored(rows)), (b"IEND", b"")])


PLACES: dict[str, tuple[str, Callable[[Word], bytes]]] = {
    name: ("png", build)
    for name, build in {
        "text": lambda w: put(1, (b"tEXt", b"Author\0" + w.told)),
        "text behind the picture": lambda w: put(-1, (b"tEXt", b"Comment\0" + w.told)),
        "the name of a text": lambda w: put(1, (b"tEXt", w.text + b"\0x")),
        "compressed text": lambda w: put(1, (b"zTXt", b"Comment\0\0" + zlib.compress(w.told))),
        "text compressed in an unknown way": lambda w: put(1, (b"zTXt", b"Comment\0\7" + w.told)),
        "behind compressed text": lambda w: put(
            1, (b"zTXt", b"C\0\0" + zlib.compress(b"x") + w.told)
        ),
        "text twice compressed": lambda w: put(
            1, (b"zTXt", b"C\0\0" + zlib.compress(zlib.compress(w.told * 9)))
        ),
        "text in a language": lambda w: put(1, (b"iTXt", b"T\0\0\0" + w.text + b"\0\0x")),
        "a translated name": lambda w: put(1, (b"iTXt", b"T\0\0\0ar\0" + w.text + b"\0x")),
        "XMP": lambda w: put(1, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_packet(w.text))),
        "compressed XMP": lambda w: put(
            1, (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp_packet(w.text)))
        ),
        "EXIF": lambda w: put(1, (b"eXIf", exif.block(w)[6:])),
        "EXIF with its name": lambda w: put(1, (b"eXIf", exif.block(w))),
        "EXIF twice": lambda w: put(
            1, (b"eXIf", exif.block(None)[6:]), (b"eXIf", exif.block(w)[6:])
        ),
        "EXIF behind the picture": lambda w: put(-1, (b"eXIf", exif.tiff(w))),
        "EXIF that says GPS alone": lambda _: put(1, (b"eXIf", exif.position()[6:])),
        "EXIF in an old chunk": lambda w: put(
            1, (b"zxIf", b"\0\0\0\0" + zlib.compress(exif.tiff(w)))
        ),
        "a raw profile": lambda w: put(
            1,
            (
                b"zTXt",
                b"Raw profile type exif\0\0"
                + zlib.compress(b"\nexif\n  99\n" + exif.tiff(w.plain).hex().encode()),
            ),
        ),
        "a raw profile of IPTC": lambda w: put(
            1, (b"tEXt", b"Raw profile type iptc\0\niptc\n  99\n" + w.canary.hex().encode())
        ),
        "the time": lambda w: put(
            1, (b"tIME", struct.pack(">Q", w.long)[1:]), (b"tEXt", b"date:create\0" + w.text)
        ),
        "a profile's name": lambda w: put(
            1, (b"iCCP", w.text + b"\0\0" + zlib.compress(icc.profile(b"x")))
        ),
        "a profile's description": lambda w: put(
            1, (b"iCCP", b"x\0\0" + zlib.compress(icc.profile(w.text)))
        ),
        "behind a profile": lambda w: put(
            1, (b"iCCP", b"x\0\0" + zlib.compress(icc.profile(b"x")) + w.told)
        ),
        "a profile beside sRGB": lambda w: put(
            1, (b"sRGB", b"\0"), (b"iCCP", w.text + b"\0\0" + zlib.compress(icc.profile(b"x")))
        ),
        "provenance": lambda w: put(1, (b"caBX", b"\0\0\0\x40jumb" + w.told)),
        "a suggested palette": lambda w: put(1, (b"sPLT", w.text + b"\0\x08" + bytes(6))),
        "the colours of a suggested palette": lambda w: put(1, (b"sPLT", b"x\0\x08" + w.told)),
        "a calibration": lambda w: put(
            1, (b"pCAL", w.text + b"\0" + bytes(8) + b"\0\2m\0" + b"0\0" + b"1")
        ),
        "a scale": lambda w: put(1, (b"sCAL", b"\1" + w.text + b"\0" + b"1")),
        "a position on paper": lambda w: put(1, (b"oFFs", struct.pack(">Q", w.long) + b"\1")),
        "a histogram": lambda w: palette(b"", (b"hIST", w.canary[:4])) + w.told,
        "stereo": lambda w: put(1, (b"sTER", w.told)),
        "a fractal's numbers": lambda w: put(1, (b"fRAc", w.told)),
        "a GIF's extension": lambda w: put(1, (b"gIFx", b"XMP DataXMP" + w.told)),
        "a GIF's text": lambda w: put(1, (b"gIFt", bytes(24) + w.told)),
        "an Android's nine patches": lambda w: put(1, (b"npTc", w.told), (b"npLb", w.told)),
        "an Apple's": lambda w: put(
            1, (b"CgBI"[:0] + b"iDOT", struct.pack(">QQ", w.long, w.long) + w.told)
        ),
        "a screenshot's": lambda w: put(1, (b"skRf", w.told), (b"skMf", w.told)),
        "Fireworks'": lambda w: put(1, (b"prVW", w.told), (b"mkBF", w.told), (b"mkBS", w.told)),
        "a private chunk": lambda w: put(1, (b"vpAg", w.told)),
        "a private chunk that is safe to copy": lambda w: put(-1, (b"vpag", w.told)),
        "a name of letters that are none": lambda w: put(1, (b"\x01\x02\x03\x04", w.told)),
        "a critical chunk that nobody knows": lambda w: put(1, (b"VENd", w.told)),
        "a gamma too long": lambda w: put(1, (b"gAMA", struct.pack(">I", 45455) + w.told)),
        "a gamma as a number": lambda w: put(1, (b"gAMA", struct.pack(">I", w.short))),
        "colours as numbers": lambda w: put(1, (b"cHRM", struct.pack(">QQQQ", *[w.long] * 4))),
        "a density as a number": lambda w: put(
            1, (b"pHYs", struct.pack(">II", w.short, w.short) + b"\0")
        ),
        "light as a number": lambda w: put(1, (b"cLLI", struct.pack(">Q", w.long))),
        "a mastering display as numbers": lambda w: put(
            1, (b"mDCV", struct.pack(">QQQ", *[w.long] * 3))
        ),
        "transparency of colours that nobody uses": lambda w: palette(
            bytes(90), (b"tRNS", b"\xff\xff" + w.told[:30])
        ),
        "the palette of colours that nobody uses": lambda w: palette(w.told),
        "a palette that suggests": lambda w: put(1, (b"PLTE", (w.told + bytes(-len(w.told) % 3)))),
        "a second palette": lambda w: palette(b"", (b"PLTE", w.canary)),
        "behind the rows": lambda w: with_data(lambda rows: rows + w.told),
        "behind the rows, stored": late,
        "behind the compressed rows": lambda w: put(-1, (b"IDAT", w.told)),
        "data behind another chunk": lambda w: put(-1, (b"tEXt", b"a\0b"), (b"IDAT", w.told)),
        "a second header": lambda w: put(
            1, (b"IHDR", struct.pack(">II", 48, 32) + b"\x08\2\0\0\0" + w.told)
        ),
        "behind the header": lambda w: joined(
            [(k, d + w.told if k == b"IHDR" else d) for k, d in parts(bases.picture("PNG"))]
        ),
        "the checksum of a chunk": lambda w: (
            MAGIC
            + b"".join(
                chunk(*p)[:-4] + (struct.pack(">I", w.short) if p[0] == b"tEXt" else chunk(*p)[-4:])
                for p in parts(put(1, (b"tEXt", b"a\0b")))
            )
        ),
        "the end with a word in it": lambda w: joined(
            [*parts(bases.picture("PNG"))[:-1], (b"IEND", w.told)]
        ),
        "behind the end": lambda w: bases.picture("PNG") + w.told,
        "a chunk behind the end": lambda w: bases.picture("PNG") + chunk(b"tEXt", b"a\0" + w.told),
        "a picture behind the end": lambda w: (
            bases.picture("PNG") + put(1, (b"eXIf", exif.tiff(w)))
        ),
        "an archive behind the end": lambda w: bases.picture("PNG") + zipped(w.told),
        "a web page in a text": lambda w: put(
            1, (b"tEXt", b"<html>\0<script>'" + w.text + b"'</script>")
        ),
        "APNG: text": lambda w: moving(2, (b"tEXt", b"a\0" + w.told)),
        "APNG: text between frames": lambda w: moving(
            -2, (b"zTXt", b"a\0\0" + zlib.compress(w.told))
        ),
        "APNG: a default picture that is never shown": hidden_default,
        "APNG: a frame too much": lambda w: moving(-1, (b"fdAT", struct.pack(">I", 99) + w.told)),
        "APNG: behind a frame's rows": lambda w: moving(
            -1, (b"fdAT", struct.pack(">I", 5) + w.told)
        ),
        "APNG: behind a frame's header": lambda w: renamed(b"fcTL", lambda d: d + w.told),
        "APNG: behind the animation's header": lambda w: renamed(b"acTL", lambda d: d + w.told),
        "APNG: how often it plays": lambda w: renamed(
            b"acTL", lambda d: d[:4] + struct.pack(">I", w.short)
        ),
        "APNG: an animation's header without animation": lambda w: put(
            1, (b"acTL", struct.pack(">II", w.short, w.short))
        ),
    }.items()
}
REFUSABLE = {
    "behind the rows",
    "behind the rows, stored",
    "a name of letters that are none",
    "a critical chunk that nobody knows",
    "a second header",
    "a second palette",
    "behind the header",
    "APNG: a frame too much",
    "APNG: behind a frame's rows",
    "APNG: behind a frame's header",
    "APNG: behind the animation's header",
    "APNG: an animation's header without animation",
    "data behind another chunk",
    "the end with a word in it",
    "the checksum of a chunk",
}
