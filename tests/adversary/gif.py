"""GIF, WebP and BMP: blocks, chunks, frames outside the canvas, colours that nobody uses."""

import struct
from collections.abc import Callable

from tests.adversary import bases, exif, icc
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.support import containers
from tests.support.media import xmp_packet

Build = Callable[[Word], bytes]


def blocks(data: bytes) -> bytes:
    """Return bytes in sub-blocks."""
    cut = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(each)]) + each for each in cut) + b"\0"


def application(name: bytes, data: bytes) -> bytes:
    """Return an application's extension."""
    return b"!\xff\x0b" + name + data


def lzw(pixels: bytes, bits: int = 2, tail: bytes = b"") -> bytes:
    """Return LZW in which every pixel is told aloud, and the codes never grow."""
    clear, told = 1 << bits, []
    for number, pixel in enumerate(pixels):
        if number % (clear - 2) == 0:
            told.append(clear)
        told.append(pixel)
    told.append(clear + 1)
    whole = sum(code << at * (bits + 1) for at, code in enumerate(told))
    return whole.to_bytes((len(told) * (bits + 1) + 7) // 8, "little") + tail


def image(
    place: tuple[int, int] = (0, 0), *, table: bytes = b"", tail: bytes = b"", pixels: bytes = b""
) -> bytes:
    """Return a picture of eight by eight pixels of four colours, or of the colours given."""
    bits = max(2, (len(table) // 3 - 1).bit_length()) if table else 2
    flags = 0x80 | bits - 1 if table else 0
    head = struct.pack("<BHHHHB", 0x2C, *place, 8, 8, flags) + table
    return head + bytes([bits]) + blocks(lzw(pixels or bytes(range(4)) * 16, bits, tail))


def screen(
    *parts: bytes,
    table: bytes = bytes(range(12)),
    flags: int = 0x81,
    aspect: int = 0,
    end: bytes = b";",
    version: bytes = b"GIF89a",
) -> bytes:
    """Return a GIF of eight by eight pixels."""
    return version + struct.pack("<HHBBB", 8, 8, flags, 0, aspect) + table + b"".join(parts) + end


def control(delay: int = 5, more: bytes = b"") -> bytes:
    """Return a graphic control, which shows the next picture for a time."""
    return b"!\xf9" + bytes([4 + len(more)]) + struct.pack("<BHB", 4, delay, 0) + more + b"\0"


def colours(word: bytes) -> bytes:
    """Return a table of 64 colours, of which the pictures here use the first four."""
    return (bytes(range(12)) + word).ljust(192, b"\7")[:192]


LOOP = application(b"NETSCAPE2.0", b"\3\1\0\0\0")
GIFS: dict[str, Build] = {
    "a comment": lambda w: screen(b"!\xfe" + blocks(w.told), image()),
    "a comment behind the picture": lambda w: screen(image(), b"!\xfe" + blocks(w.told)),
    "a comment in blocks of one byte": lambda w: screen(
        b"!\xfe" + b"".join(b"\1" + bytes([b]) for b in w.canary) + b"\0",
        b"!\xfe" + blocks(w.canary),
        image(),
    ),
    "a plain text": lambda w: screen(
        b"!\1\x0c" + struct.pack("<HHHHBBBB", 0, 0, 8, 8, 8, 8, 1, 0) + blocks(w.text), image()
    ),
    "a plain text's grid": lambda w: screen(b"!\1\x0c" + w.canary[:12] + blocks(w.told), image()),
    "XMP": lambda w: screen(
        application(b"XMP DataXMP", xmp_packet(w.text) + b"\1" + bytes(range(255, -1, -1)) + b"\0"),
        image(),
    ),
    "XMP in blocks": lambda w: screen(
        application(b"XMP DataXMP", blocks(xmp_packet(w.text))), image()
    ),
    "EXIF": lambda w: screen(application(b"EXIF    1.0", blocks(exif.tiff(w))), image()),
    "a profile": lambda w: screen(
        application(b"ICCRGBG1012", blocks(icc.profile(w.text))), image()
    ),
    "provenance": lambda w: screen(application(b"C2PA_GIF\1\0\0", blocks(w.told)), image()),
    "an application's name": lambda w: screen(application(w.canary[:11], blocks(w.told)), image()),
    "behind the loops": lambda w: screen(
        application(b"NETSCAPE2.0", b"\3\1\0\0" + blocks(w.told)),
        control(),
        image(),
        control(),
        image(),
    ),
    "a loop in another form": lambda w: screen(
        application(b"NETSCAPE2.0", b"\5\2" + struct.pack(">I", w.short) + b"\0"),
        control(),
        image(),
        control(),
        image(),
    ),
    "an unknown extension": lambda w: screen(b"!\x77" + blocks(w.told), image()),
    "behind a graphic control": lambda w: screen(b"!\xf9\4\4\5\0\0" + blocks(w.told), image()),
    "a longer graphic control": lambda w: screen(control(more=w.canary), image()),
    "a control without a picture": lambda w: screen(image(), control(), b"!\xfe" + blocks(w.told)),
    "behind the last pixel": lambda w: screen(image(tail=w.told)),
    "more pixels than there are": lambda w: screen(
        image(table=colours(b"")[:384].ljust(384, b"\1"), pixels=bytes(64) + w.canary)
    ),
    "colours that nobody uses": lambda w: screen(image(), table=colours(w.told), flags=0x85),
    "colours of a picture that nobody uses": lambda w: screen(image(table=colours(w.told))),
    "colours of the screen that no picture uses": lambda w: screen(
        image(table=bytes(range(12))), table=colours(w.told), flags=0x85
    ),
    "a frame outside the canvas": lambda w: screen(
        control(), image(), control(), image((2000, 2000), table=colours(w.told))
    ),
    "a frame whose colours are its word": lambda w: screen(
        control(), image(), control(), image((9, 9), table=colours(w.told))
    ),
    "the background's colour": lambda w: screen(
        image(), version=b"GIF87a", aspect=200, end=b";" + w.told
    ),
    "behind the end": lambda w: screen(image()) + w.told,
    "a picture behind the end": lambda w: (
        screen(image()) + screen(b"!\xfe" + blocks(w.told), image())
    ),
    "an archive behind the end": lambda w: screen(image()) + zipped(w.told),
    "bytes between blocks": lambda w: screen(b"\0" + w.text.replace(b"!", b""), image()),
    "an animation's comment": lambda w: bases.moving("GIF")[:-1] + b"!\xfe" + blocks(w.told) + b";",
    "a script in a comment": lambda w: screen(
        b"!\xfe" + blocks(b"*/=1;fetch('//x/" + w.text + b"')//"), image()
    ),
}


def riff(data: bytes) -> list[tuple[bytes, bytes]]:
    """Cut a WebP into its chunks."""
    return containers.split(data)


def webp(*parts: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    """Return a WebP of chunks."""
    body = b"WEBP" + b"".join(containers.chunk(*each) for each in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body + tail


def extended(flags: int, reserved: bytes = bytes(3)) -> tuple[bytes, bytes]:
    """Return the header of an extended WebP."""
    return b"VP8X", bytes([flags]) + reserved + b"\x2f\0\0\x1f\0\0"


def lossy() -> tuple[bytes, bytes]:
    """Return the picture of a WebP."""
    return riff(bases.picture("WEBP", quality=60))[0]


def lossless() -> tuple[bytes, bytes]:
    """Return the picture of a lossless WebP."""
    return riff(bases.picture("WEBP", lossless=True))[0]


def in_frames(change: Callable[[bytes], bytes]) -> bytes:
    """Return an animation with each frame changed."""
    told = riff(bases.moving("WEBP"))
    return webp(*[(k, change(d) if k == b"ANMF" else d) for k, d in told])


def offset(word: Word) -> bytes:
    """Return an animation with a frame outside its canvas, which holds the word."""
    told = riff(bases.moving("WEBP"))
    frame = next(d for k, d in told if k == b"ANMF")
    return webp(*told, (b"ANMF", b"\xff\xff\0\xff\xff\0" + frame[6:] + word.told))


WEBPS: dict[str, Build] = {
    "EXIF": lambda w: webp(extended(8), lossy(), (b"EXIF", exif.block(w))),
    "EXIF that no flag tells of": lambda w: webp(extended(0), lossy(), (b"EXIF", exif.tiff(w))),
    "EXIF in a simple file": lambda w: webp(lossless(), (b"EXIF", exif.tiff(w))),
    "EXIF twice": lambda w: webp(
        extended(8), lossy(), (b"EXIF", exif.block(None)), (b"EXIF", exif.tiff(w))
    ),
    "EXIF that says GPS alone": lambda _: webp(extended(8), lossy(), (b"EXIF", exif.position())),
    "XMP": lambda w: webp(extended(4), lossy(), (b"XMP ", xmp_packet(w.text))),
    "XMP before the picture": lambda w: webp(extended(4), (b"XMP ", xmp_packet(w.text)), lossy()),
    "XMP under a wrong name": lambda w: webp(extended(4), lossy(), (b"XMP\0", xmp_packet(w.text))),
    "a profile": lambda w: webp(extended(32), (b"ICCP", icc.profile(w.text)), lossy()),
    "behind a profile": lambda w: webp(
        extended(32), (b"ICCP", icc.profile(b"x") + w.told), lossy()
    ),
    "provenance": lambda w: webp(extended(0), lossy(), (b"C2PA", w.told)),
    "an unknown chunk": lambda w: webp(extended(0), lossy(), (b"meta", w.told)),
    "an unknown chunk before": lambda w: webp(extended(0), (b"\0\1\2\3", w.told), lossy()),
    "the name of a chunk": lambda w: webp(
        extended(0), lossy(), (w.canary[7:11], b""), (w.canary[11:15], w.told)
    ),
    "reserved bytes": lambda w: webp(extended(0, w.canary[:3]), lossy(), (b"zzzz", w.told)),
    "behind the header": lambda w: webp((b"VP8X", extended(0)[1] + w.told), lossy()),
    "behind a lossy picture": lambda w: webp((b"VP8 ", lossy()[1] + w.told)),
    "behind a lossless picture": lambda w: webp((b"VP8L", lossless()[1] + w.told)),
    "a second picture": lambda w: webp(extended(0), lossy(), (b"VP8 ", lossy()[1] + w.told)),
    "alpha that is not shown": lambda w: webp(extended(0), (b"ALPH", b"\0" + w.told), lossy()),
    "the byte that fills up": lambda w: webp(extended(0), lossy(), (b"odd!", w.text[:13])) + w.told,
    "behind the end": lambda w: webp(lossy(), tail=w.told),
    "a chunk behind the end": lambda w: webp(lossy(), tail=containers.chunk(b"EXIF", exif.tiff(w))),
    "a chunk that is too long": lambda w: webp(
        extended(0), lossy(), tail=b"EXIF\xff\xff\0\0" + w.told
    ),
    "behind the loops": lambda w: webp(
        *[(k, d + w.told if k == b"ANIM" else d) for k, d in riff(bases.moving("WEBP"))]
    ),
    "the background of an animation": lambda w: webp(
        *[
            (k, struct.pack(">I", w.short) + d[4:] if k == b"ANIM" else d)
            for k, d in riff(bases.moving("WEBP"))
        ]
    ),
    "a chunk in a frame": lambda w: in_frames(lambda d: d + containers.chunk(b"meta", w.told)),
    "behind a frame's picture": lambda w: in_frames(lambda d: d + w.told),
    "EXIF in a frame": lambda w: in_frames(
        lambda d: d[:16] + containers.chunk(b"EXIF", exif.tiff(w)) + d[16:]
    ),
    "a frame outside the canvas": offset,
    "a frame in a still picture": lambda w: webp(
        extended(0), lossy(), (b"ANMF", bytes(16) + w.told)
    ),
}


def bmp(
    *, bits: int = 24, palette: bytes = b"", gap: bytes = b"", tail: bytes = b"", **more: bytes
) -> bytes:
    """Return a bitmap of eight by four pixels; ``more`` names parts of its header."""
    rows = b"".join(bytes([row]) * 24 for row in range(4)) if bits == 24 else bytes([0, 1] * 16)
    size = 40 + len(more.get("header", b""))
    density = more.get("density", bytes(8))
    used = struct.pack("<II", len(palette) // 4, 0)
    head = struct.pack("<IiiHHII", size, 8, 4, 1, bits, 0, len(rows)) + density + used
    head += more.get("header", b"") + palette + gap
    start = struct.pack(
        "<I4sI", 14 + len(head) + len(rows), more.get("reserved", bytes(4)), 14 + len(head)
    )
    return b"BM" + start + head + rows + tail


MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0)
BMPS: dict[str, Build] = {
    "behind the end": lambda w: bmp(tail=w.told),
    "between header and pixels": lambda w: bmp(gap=w.told),
    "the reserved bytes": lambda w: bmp(reserved=struct.pack(">I", w.short)),
    "the density": lambda w: bmp(density=struct.pack(">Q", w.long)),
    "a palette that nobody needs": lambda w: bmp(palette=w.told + bytes(-len(w.told) % 4)),
    "colours that nobody uses": lambda w: bmp(
        bits=8, palette=bytes(8) + w.told + bytes(-len(w.told) % 4)
    ),
    "the end points of a space": lambda w: bmp(
        header=MASKS + bytes(4) + w.canary.ljust(36) + bytes(12)
    ),
    "a profile": lambda w: bmp(
        header=MASKS + b"DEBM" + bytes(48) + struct.pack("<IIII", 4, 234, 500, 0),
        tail=icc.profile(w.text),
    ),
    "a profile that lies elsewhere": lambda w: bmp(
        header=MASKS + b"KNIL" + bytes(48) + struct.pack("<IIII", 4, 234, 50, 0),
        tail=b"C:\\" + w.text,
    ),
    "the reserved field of the fifth header": lambda w: bmp(
        header=MASKS + b"BGRs" + bytes(60) + struct.pack(">I", w.short)
    ),
    "a picture behind the end": lambda w: bmp(tail=bmp(gap=w.told)),
    "an archive behind the end": lambda w: bmp(tail=zipped(w.told)),
}
PLACES: dict[str, tuple[str, Build]] = {
    **{f"GIF: {name}": ("gif", build) for name, build in GIFS.items()},
    **{f"WebP: {name}": ("webp", build) for name, build in WEBPS.items()},
    **{f"BMP: {name}": ("bmp", build) for name, build in BMPS.items()},
}
REFUSABLE = {
    "GIF: a frame outside the canvas",
    "GIF: a frame whose colours are its word",
    "WebP: alpha that is not shown",
    "GIF: more pixels than there are",
    "GIF: bytes between blocks",
    "GIF: a longer graphic control",
    "WebP: a frame outside the canvas",
    "WebP: a frame in a still picture",
    "WebP: a second picture",
    "WebP: behind the header",
    "WebP: behind a frame's picture",
    "WebP: a chunk that is too long",
}
