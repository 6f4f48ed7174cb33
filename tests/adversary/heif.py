"""HEIC, AVIF and TIFF: items that nothing shows, properties, directories beside directories."""

import struct
from collections.abc import Callable
from dataclasses import replace

from tests.adversary import bases, exif, icc
from tests.adversary.jpeg import head as jpeg_with
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.support.boxes import box, full, split
from tests.support.heif import File, Thing
from tests.support.media import drawing, xmp_packet

Build = Callable[[Word], bytes]
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
ALPHA = b"\0\0\0\0urn:mpeg:hevc:2015:auxid:1\0"
DEPTH = b"\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0"


def said(*properties: tuple[bytes, bytes]) -> bytes:
    """Return a HEIC of which more is said."""
    thing = bases.hevc_item()
    more = [(kind, content, False) for kind, content in properties]
    return File({1: replace(thing, properties=[*thing.properties, *more])}).to_bytes()


def beside(*things: Thing, **options: object) -> bytes:
    """Return a HEIC with more items than its picture."""
    file = bases.heic(**options)
    file.things |= dict(enumerate(things, 2))
    return file.to_bytes()


def exif_thing(block: bytes, **options: object) -> Thing:
    """Return EXIF as an item."""
    data = struct.pack(">I", 0) + block
    return Thing(b"Exif", data, references={b"cdsc": [1]}, **options)  # type: ignore[arg-type]


def with_unit(unit: bytes, *, last: bool = False) -> bytes:
    """Return a HEIC with a NAL unit beside its picture's."""
    thing, more = bases.hevc_item(), struct.pack(">I", len(unit)) + unit
    return File(
        {1: replace(thing, data=thing.data + more if last else more + thing.data)}
    ).to_bytes()


def with_setup(change: Callable[[bytes], bytes]) -> bytes:
    """Return a HEIC with another decoder configuration."""
    thing = bases.hevc_item()
    told = [(k, change(c) if k == b"hvcC" else c, m) for k, c, m in thing.properties]
    return File({1: replace(thing, properties=told)}).to_bytes()


def with_set(kind: int, unit: bytes) -> bytes:
    """Return a HEIC with one array more in its decoder configuration."""
    array = bytes([kind, 0, 1]) + struct.pack(">H", len(unit)) + unit
    return with_setup(lambda s: s[:22] + bytes([s[22] + 1]) + s[23:] + array)


def avif_with(kind: bytes, added: bytes) -> bytes:
    """Return an AVIF with bytes behind its boxes, or with a box of a kind made longer."""
    made = b""
    for name, content in split(bases.avif()):
        made += (
            box(name, content + added) if name == kind and kind == b"mdat" else box(name, content)
        )
    return made + (added if kind == b"" else b"")


HEICS: dict[str, Build] = {
    "EXIF": lambda w: beside(exif_thing(exif.block(w)[6:])),
    "EXIF that belongs to nothing": lambda w: beside(Thing(b"Exif", bytes(4) + exif.tiff(w))),
    "EXIF that lies far behind its length": lambda w: beside(
        replace(exif_thing(b""), data=struct.pack(">I", 99) + bytes(99) + exif.tiff(w))
    ),
    "EXIF that says GPS alone": lambda _: beside(exif_thing(exif.position()[6:])),
    "XMP": lambda w: beside(
        Thing(b"mime", xmp_packet(w.text), [], {b"cdsc": [1]}, rest=b"application/rdf+xml\0")
    ),
    "the type of a file within": lambda w: beside(
        Thing(b"mime", b"x", rest=w.text + b"\0" + w.text + b"\0")
    ),
    "an address": lambda w: beside(Thing(b"uri ", w.told, rest=b"urn:" + w.text + b"\0")),
    "an item of an unknown kind": lambda w: beside(Thing(b"what", w.told)),
    "an item whose kind is the word": lambda w: beside(Thing(w.canary[7:11], w.told)),
    "a picture that nothing shows": lambda w: beside(replace(bases.hevc_item(90), name=w.text)),
    "a hidden picture": lambda w: beside(replace(bases.hevc_item(90), flags=1, name=w.text)),
    "a thumbnail": lambda w: beside(
        replace(bases.hevc_item(180), references={b"thmb": [1]}, name=w.text)
    ),
    "a depth map": lambda w: beside(
        replace(
            bases.hevc_item(270),
            references={b"auxl": [1]},
            flags=1,
            properties=[*bases.hevc_item().properties, (b"auxC", DEPTH + w.told, True)],
        )
    ),
    "an item without data": lambda w: beside(Thing(b"iden", b"", name=w.text)),
    "the picture's name": lambda w: File({1: replace(bases.hevc_item(), name=w.text)}).to_bytes(),
    "the handler's name": lambda w: bases.heic(handler_name=w.text + b"\0").to_bytes(),
    "the version of its brand": lambda w: (
        bases.heic()
        .to_bytes()
        .replace(b"ftypheic\0\0\0\0", b"ftypheic" + struct.pack(">I", w.short))
    ),
    "its other brands": lambda w: bases.heic(brands=b"mif1heic" + w.canary[7:]).to_bytes(),
    "a box before": lambda w: bases.heic(before=box(b"skip", w.told)).to_bytes(),
    "a box behind": lambda w: bases.heic(after=box(b"free", w.told)).to_bytes(),
    "provenance": lambda w: bases.heic(after=box(b"uuid", C2PA, w.told)).to_bytes(),
    "a motion photo": lambda w: bases.heic(after=box(b"mpvd", bases.mp4(), w.told)).to_bytes(),
    "Samsung's": lambda w: bases.heic(after=box(b"sefd", w.told)).to_bytes(),
    "bytes behind": lambda w: bases.heic(after=w.told).to_bytes(),
    "a picture behind": lambda w: bases.heic(after=beside(exif_thing(exif.tiff(w)))).to_bytes(),
    "an archive behind": lambda w: bases.heic(after=zipped(w.told)).to_bytes(),
    "gaps in the data": lambda w: bases.heic(slack=w.told).to_bytes(),
    "a second mdat": lambda w: bases.heic(after=box(b"mdat", w.told)).to_bytes(),
    "a box in the index": lambda w: bases.heic(meta_extra=box(b"free", w.told)).to_bytes(),
    "XML in the index": lambda w: bases.heic(meta_extra=full(b"xml ", w.text)).to_bytes(),
    "a second index": lambda w: bases.heic(
        after=full(b"meta", full(b"hdlr", bytes(4), b"pict", bytes(12), w.text))
    ).to_bytes(),
    "a film's index": lambda w: bases.heic(after=box(b"moov", box(b"udta", w.told))).to_bytes(),
    "groups": lambda w: bases.heic(
        meta_extra=box(b"grpl", full(b"ster", struct.pack(">III", w.short, 1, 1)))
    ).to_bytes(),
    "behind the index's data": lambda w: bases.heic(idat_extra=w.told).to_bytes(),
    "a box among the items": lambda w: bases.heic(iinf_extra=box(b"free", w.told)).to_bytes(),
    "a box among the properties": lambda w: bases.heic(ipco_extra=box(b"free", w.told)).to_bytes(),
    "behind the associations": lambda w: bases.heic(ipma_extra=w.told).to_bytes(),
    "a description": lambda w: said((b"udes", bytes(4) + b"en\0" + w.text + b"\0\0\0")),
    "the times": lambda w: said(
        (b"crtt", bytes(4) + struct.pack(">Q", w.long)),
        (b"mdft", bytes(4) + struct.pack(">Q", w.long)),
    ),
    "a camera's numbers": lambda w: said(
        (b"cmin", bytes(4) + struct.pack(">QQ", w.long, w.long)), (b"cmex", bytes(4) + w.told)
    ),
    "a property of one's own": lambda w: said((b"uuid", bytes(16) + w.told)),
    "behind the size": lambda w: with_setup(lambda s: s + w.told),
    "behind a rotation": lambda w: said((b"irot", b"\1" + w.told)),
    "behind a mirror": lambda w: said((b"imir", b"\0" + w.told)),
    "behind depths": lambda w: said((b"pixi", b"\0\0\0\0\3\x08\x08\x08" + w.told)),
    "behind colours' codes": lambda w: said((b"colr", b"nclx\0\1\0\x0d\0\6\x80" + w.told)),
    "a profile": lambda w: said((b"colr", b"prof" + icc.profile(w.text))),
    "a restricted profile": lambda w: said((b"colr", b"rICC" + icc.profile(b"x", gap=w.told))),
    "an aspect": lambda w: said((b"pasp", struct.pack(">II", w.short, w.short))),
    "light": lambda w: said(
        (b"clli", struct.pack(">I", w.short)), (b"mdcv", struct.pack(">QQQ", *[w.long] * 3))
    ),
    "layers": lambda w: said((b"lsel", b"\0\0" + w.told)),
    "an SEI message": lambda w: with_unit(
        b"\x4e\1\5" + bytes([len(w.canary)]) + w.canary + b"\x80"
    ),
    "an SEI message behind": lambda w: with_unit(
        b"\x50\1\5" + bytes([len(w.canary)]) + w.canary + b"\x80", last=True
    ),
    "filler": lambda w: with_unit(b"\x4c\1" + w.text + b"\x80"),
    "a unit of nobody's": lambda w: with_unit(b"\x60\1" + w.text),
    "an access unit's delimiter": lambda w: with_unit(b"\x46\1" + w.text),
    "an SEI in the setup": lambda w: with_set(
        39, b"\x4e\1\5" + bytes([len(w.canary)]) + w.canary + b"\x80"
    ),
    "a parameter set that nobody uses": lambda w: with_set(34, b"\x44\1\x30" + w.text),
    "a thing of nobody's in the setup": lambda w: with_set(48, w.text),
}
AVIFS: dict[str, Build] = {
    "bytes behind": lambda w: avif_with(b"", w.told),
    "a box behind": lambda w: avif_with(b"", box(b"free", w.told)),
    "provenance": lambda w: avif_with(b"", box(b"uuid", C2PA, w.told)),
    "an archive behind": lambda w: avif_with(b"", zipped(w.told)),
    "behind the data": lambda w: avif_with(b"mdat", w.told),
    "behind the data, as a message of AV1": lambda w: avif_with(
        b"mdat", b"\x2a" + bytes([len(w.canary) + 1]) + b"\4" + w.canary
    ),
}
Row = tuple[int, int, bytes]
"""Tag, type, value."""


def directory(order: str, at: int, rows: list[Row], following: int = 0) -> bytes:
    """Return a directory that lies at ``at``, its long values behind it."""
    made, data = struct.pack(order + "H", len(rows)), b""
    behind = at + 2 + 12 * len(rows) + 4
    for tag, kind, value in sorted(rows):
        count = len(value) // {3: 2, 4: 4, 5: 8, 12: 8, 13: 4}.get(kind, 1)
        if len(value) > 4:
            told = struct.pack(order + "I", behind + len(data))
            data += value + bytes(len(value) & 1)
        else:
            told = value.ljust(4, b"\0")
        made += struct.pack(order + "HHI", tag, kind, count) + told
    return made + struct.pack(order + "I", following) + data


def page(order: str, strip: int, **change: int) -> list[Row]:
    """Return the tags of a grey picture of eight by eight pixels whose strip lies there."""
    numbers = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 277: 1, 278: 8}
    numbers |= {int(name[1:]): value for name, value in change.items()}
    short = [(tag, 3, struct.pack(order + "H", value)) for tag, value in numbers.items()]
    return [
        *short,
        (273, 4, struct.pack(order + "I", strip)),
        (279, 4, struct.pack(order + "I", 64)),
    ]


GREY = drawing(8, 8, "L").tobytes()


def tiff(
    *rows: Row,
    gap: bytes = b"",
    tail: bytes = b"",
    order: str = "<",
    sub: bytes = b"",
    **change: int,
) -> bytes:
    """Return a TIFF of one page; a tag's value of ``SUB`` becomes the place of ``sub``."""
    start = 8 + len(GREY) + len(gap) + len(sub)
    start += start & 1
    inside = 8 + len(GREY) + len(gap)
    told = [(t, k, struct.pack(order + "I", inside) if v == b"SUB" else v) for t, k, v in rows]
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, start)
    made = (head + GREY + gap + sub).ljust(start, b"\0")
    return made + directory(order, start, [*page(order, 8, **change), *told]) + tail


def subs(word: Word, tag: int, rows: list[Row] | None = None, gap: bytes = b"") -> bytes:
    """Return a TIFF with a directory below its first, which has the word in a tag."""
    inside = directory("<", 8 + len(GREY) + len(gap), rows or [(315, 2, word.told)])
    return tiff((tag, 4, b"SUB"), sub=inside, gap=gap)


def second_page(word: Word, kind: int) -> bytes:
    """Return a TIFF with a second page, which says what it is: a preview, a mask."""
    first = tiff()
    at = len(first) + len(first) % 2
    rows = [
        *page("<", 8),
        (254, 4, struct.pack("<I", kind)),
        (285, 2, word.told),
        (305, 2, word.told),
    ]
    place = struct.unpack_from("<I", first, 4)[0] + 2 + 12 * 9
    return (first[:place] + struct.pack("<I", at) + first[place + 4 :]).ljust(
        at, b"\0"
    ) + directory("<", at, rows)


def tagged(tag: int, kind: int) -> Build:
    """Return a maker of TIFFs with one tag more."""
    return lambda w: tiff((tag, kind, w.told))


NAMED = {
    "a description": 270,
    "a maker": 271,
    "a model": 272,
    "a page's name": 285,
    "a program": 305,
    "a time": 306,
    "an author": 315,
    "a computer": 316,
    "a copyright": 33432,
    "a document": 269,
    "inks": 333,
    "a target": 337,
}
BYTES = {
    "XMP": 700,
    "IPTC": 33723,
    "Photoshop": 34377,
    "a profile": 34675,
    "Photoshop's layers": 37724,
    "a maker's note": 37500,
    "GeoTIFF": 34737,
    "GDAL": 42112,
    "a private tag": 65000,
    "MODI's text": 37679,
    "an old preview's tables": 347,
    "an opaque tag": 51111,
    "C2PA": 52545,
    "a camera's serial": 50735,
}
TIFFS: dict[str, Build] = {
    **{name: tagged(tag, 2) for name, tag in NAMED.items()},
    **{name: tagged(tag, 7) for name, tag in BYTES.items()},
    "the other byte order": lambda w: tiff((315, 2, w.told), order=">"),
    "EXIF below": lambda w: subs(w, 34665, [(42033, 2, w.told)]),
    "GPS below": lambda w: subs(w, 34853, [(27, 7, w.told)]),
    "a page below": lambda w: subs(w, 330, [*page("<", 8), (305, 2, w.told)]),
    "a global directory": lambda w: subs(w, 400),
    "slack before the directory": lambda w: tiff(gap=w.told),
    "slack behind the directory": lambda w: tiff(tail=w.told),
    "a reduced page": lambda w: second_page(w, 1),
    "a mask": lambda w: second_page(w, 4),
    "a type that does not exist": lambda w: tiff((65001, 99, w.told)),
    "a value too long for its type": lambda w: tiff((296, 7, w.told)),
    "a resolution as a number": lambda w: tiff(
        (282, 5, struct.pack("<II", w.short, w.short)),
        (283, 5, struct.pack("<II", w.short, w.short)),
    ),
    "colours that nobody uses": lambda w: tiff((320, 3, w.canary.ljust(1536, b"\0")), t262=3),
    "behind the picture in its strip": lambda w: tiff((65002, 4, b"SUB"), sub=w.told, t278=99),
    "an archive behind": lambda w: tiff(tail=zipped(w.told)),
    "a JPEG in a tag": lambda w: tiff((46275, 7, jpeg_with(0xFE, w.told))),
    "old JPEG's preview": lambda w: tiff(
        (513, 4, b"SUB"), (514, 4, struct.pack("<I", 500)), sub=jpeg_with(0xFE, w.told)
    ),
}
PLACES: dict[str, tuple[str, Build]] = {
    **{f"HEIC: {name}": ("heic", build) for name, build in HEICS.items()},
    **{f"AVIF: {name}": ("avif", build) for name, build in AVIFS.items()},
    **{f"TIFF: {name}": ("tif", build) for name, build in TIFFS.items()},
}
REFUSABLE = {
    "TIFF: a type that does not exist",
    "TIFF: a value too long for its type",
    "HEIC: a second index",
    "HEIC: a picture behind",
}
