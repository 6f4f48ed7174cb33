"""HEIC and AVIF: what goes, what stays, and what is refused."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sanitizer.errors import (
    Encrypted,
    ImageTooLarge,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.heif import check as heif_check
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, prove
from tests.sanitizer.sets import AV1_SEQUENCE
from tests.sanitizer.test_icc import profile
from tests.support.boxes import box, find, full, split
from tests.support.heif import File, Property, Thing, coded, cut, encoded, hidden, ispe
from tests.support.media import drawing, phone_exif, xmp_packet

SIDE = 64
ALPHA = b"\0\0\0\0urn:mpeg:hevc:2015:auxid:1\0"
URN = b"\0\0\0\0urn:com:apple:photo:2020:aux:hdrgainmap\0"
P3 = profile(
    {
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D),
        **{
            name: b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in values))
            for name, values in {
                b"rXYZ": (0.51512, 0.2412, -0.00105),
                b"gXYZ": (0.29198, 0.69225, 0.04189),
                b"bXYZ": (0.1571, 0.06657, 0.78407),
            }.items()
        },
        **dict.fromkeys(
            (b"rTRC", b"gTRC", b"bTRC"),
            b"para\0\0\0\0\0\3\0\0"
            + struct.pack(
                ">iiiii", *(round(v * 65536) for v in (2.4, 0.9479, 0.0521, 0.0774, 0.0405))
            ),
        ),
    }
)


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    made = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    return made.mode, made.size, bytes(made.data)


def seen(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """Return what Pillow shows of an AVIF, without its plug-in for HEIC."""
    picture = Image.open(io.BytesIO(data), formats=["AVIF"])
    return picture.mode, picture.size, picture.tobytes()


def meta_of(data: bytes) -> bytes:
    return find(data, b"meta")[4:]


def items_of(data: bytes) -> list[bytes]:
    return [content[8:12] for _, content in split(find(meta_of(data), b"iinf")[6:])]


def properties_of(data: bytes) -> list[tuple[bytes, bytes]]:
    return list(split(find(meta_of(data), b"iprp", b"ipco")))


def setup_of(data: bytes) -> bytes:
    return dict(properties_of(data))[b"hvcC"]


def grid(rows: int, columns: int, width: int, height: int, *, wide: bool = False) -> bytes:
    return struct.pack(
        ">BBBBII" if wide else ">BBBBHH", 0, wide, rows - 1, columns - 1, width, height
    )


def exif_item(owner: int = 1) -> Thing:
    data = struct.pack(">I", 6) + phone_exif(CANARY)
    return Thing(b"Exif", data, references={b"cdsc": [owner]})


def with_property(thing: Thing, *extra: Property) -> Thing:
    return replace(thing, properties=[*thing.properties, *extra])


def plain(**options: object) -> File:
    return File({1: coded(drawing(SIDE, SIDE))}, **options)  # type: ignore[arg-type]


def said(*extra: Property) -> bytes:
    """Return a plain picture of which more is said."""
    return File({1: with_property(coded(drawing(SIDE, SIDE)), *extra)}).to_bytes()


def phone() -> File:
    """Return what an iPhone writes: tiles in a grid, turned, with all that travels along."""
    picture = drawing(160, 120)
    tiles = [hidden(coded(tile)) for tile in cut(picture, SIDE)]
    numbers = list(range(10, 10 + len(tiles)))
    small, gain = coded(drawing(SIDE, SIDE).rotate(180)), coded(drawing(SIDE, SIDE).rotate(90))
    turned = [(b"irot", b"\3", True), (b"colr", b"prof" + P3, False)]
    bits = (b"pixi", b"\0\0\0\0\3\x08\x08\x08", False)
    top = Thing(
        b"grid",
        grid(2, 3, 160, 120),
        [ispe(160, 120), bits, *turned],
        {b"dimg": numbers},
        method=1,
    )
    things = {
        1: replace(top, name=CANARY),
        2: replace(small, references={b"thmb": [1]}),
        3: exif_item(),
        4: Thing(
            b"mime", xmp_packet(CANARY), [], {b"cdsc": [1]}, rest=b"application/rdf+xml\0" + CANARY
        ),
        5: replace(
            with_property(gain, (b"auxC", URN + CANARY, True)), references={b"auxl": [1]}, flags=1
        ),
        6: Thing(b"uri ", CANARY, rest=CANARY + b"\0"),
        7: coded(drawing(SIDE, SIDE).rotate(270)),
        **dict(zip(numbers, tiles, strict=True)),
    }
    file = File(things, places=1, handler_name=CANARY + b"\0", slack=CANARY)
    file.before = box(b"free", CANARY) + box(b"wide")
    file.after = box(b"uuid", bytes(16), CANARY) + box(b"mpvd", CANARY) + b"SEFT" + CANARY
    group = box(b"altr", struct.pack(">IIIII", 0, 9, 2, 1, 5))
    spare = box(b"free", CANARY)
    file.meta_extra = box(b"dinf", full(b"dref", bytes(4)), spare) + box(b"grpl", group)
    file.idat_extra = CANARY
    file.iprp_extra = box(b"free", CANARY)
    file.ipco_extra = box(b"free", CANARY)
    file.iinf_extra = box(b"free", CANARY)
    return file


@pytest.mark.claim("C-META")
def test_a_phones_heic_keeps_its_picture_its_colours_and_its_rotation_alone() -> None:
    dirty = phone().to_bytes()
    made, facts = prove(dirty, "heic")
    # No decoder opens a file with bytes behind its last box.
    assert pixels(made) == pixels(replace(phone(), after=b"").to_bytes())
    assert pixels(made)[1] == (120, 160)
    assert items_of(made) == [b"grid", *[b"hvc1"] * 6]
    assert [kind for kind, _ in split(made)] == [b"ftyp", b"meta", b"mdat"]
    assert {"gps", "exif", "xmp", "thumbnail", "hidden_frames", "icc_description"} <= set(
        facts.removed
    )
    (colour,) = [content for kind, content in properties_of(made) if kind == b"colr"]
    assert "Display P3".encode("utf-16-be") in colour
    info = pillow_heif.open_heif(io.BytesIO(made)).info
    assert not info.get("exif")
    assert not info.get("xmp")


def in_pieces() -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    message = b"\x4e\1\5" + CANARY * 40
    data = struct.pack(">I", len(message)) + message + thing.data
    return File({1: replace(thing, data=data, pieces=4)}, slack=b"x").to_bytes()


def behind_size() -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    kind, content, mark = thing.properties[0]
    return File(
        {1: replace(thing, properties=[(kind, content + CANARY, mark), *thing.properties[1:]])}
    ).to_bytes()


PLACES: dict[str, Callable[[], bytes]] = {
    "an item's name": lambda: File(
        {1: replace(coded(drawing(SIDE, SIDE)), name=CANARY)}
    ).to_bytes(),
    "the handler's name": lambda: plain(handler_name=CANARY + b"\0").to_bytes(),
    "the brands": lambda: (
        plain(brands=b"mif1" + CANARY[:12] + CANARY[-4:] + CANARY[:11]).to_bytes() + CANARY
    ),
    "a box before": lambda: plain(before=box(b"skip", CANARY)).to_bytes(),
    "a box behind": lambda: plain(after=box(b"free", CANARY)).to_bytes(),
    "provenance": lambda: plain(
        after=box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), CANARY)
    ).to_bytes(),
    "bytes behind": lambda: plain(after=CANARY).to_bytes(),
    "a box behind that is cut short": lambda: plain(after=b"\0\1\0\0free" + CANARY).to_bytes(),
    "a film behind": lambda: plain(after=box(b"moov", CANARY)).to_bytes(),
    "a second mdat": lambda: plain(after=box(b"mdat", CANARY)).to_bytes(),
    "a gap in mdat": lambda: plain(slack=CANARY).to_bytes(),
    "a box in the index": lambda: plain(meta_extra=box(b"free", CANARY)).to_bytes(),
    "a box with a name of its own": lambda: plain(
        meta_extra=box(b"uuid", bytes(16), CANARY)
    ).to_bytes(),
    "bytes of the index's data": lambda: plain(idat_extra=CANARY).to_bytes(),
    "a box among the items": lambda: plain(iinf_extra=box(b"free", CANARY)).to_bytes(),
    "an old item": lambda: plain(iinf_extra=full(b"infe", bytes(4), CANARY + b"\0")).to_bytes(),
    "a box among the properties": lambda: plain(ipco_extra=box(b"free", CANARY)).to_bytes(),
    "a box beside the properties": lambda: plain(iprp_extra=box(b"free", CANARY)).to_bytes(),
    "bytes behind the associations": lambda: plain(ipma_extra=CANARY).to_bytes(),
    "a reference from nowhere": lambda: plain(
        iref_extra=box(b"cdsc", b"\0\x63\0\1\0\1" + CANARY)
    ).to_bytes(),
    "an association of nothing": lambda: plain(
        iprp_extra=full(b"ipma", struct.pack(">I", 1), b"\0\x63\1\0", CANARY)
    ).to_bytes(),
    "a place of nothing": lambda: _changed(
        b"iloc", lambda t: t[:6] + b"\0\2" + t[8:] + b"\0\x63\0\0\0\0" + CANARY
    ),
    "a message in a picture in pieces": in_pieces,
    "a description": lambda: said((b"udes", bytes(4) + CANARY + b"\0", False)),
    "a time": lambda: said((b"crtt", CANARY, False)),
    "an unknown property": lambda: said((b"cmin", CANARY, False)),
    "behind a rotation": lambda: said((b"irot", b"\1" + CANARY, True)),
    "behind a mirror": lambda: said((b"imir", b"\xff" + CANARY, True)),
    "behind depths": lambda: said((b"pixi", b"\0\0\0\0\3\x08\x08\x08" + CANARY, False)),
    "depths of nothing": lambda: said((b"pixi", b"\0\0\0\0\x0d" + CANARY, False)),
    "behind colour codes": lambda: said((b"colr", b"nclx\0\1\0\x0d\0\6\xff" + CANARY, False)),
    "colour of an unknown kind": lambda: said((b"colr", CANARY, False)),
    "a broken profile": lambda: said((b"colr", b"prof" + CANARY, False)),
    "a profile's name": lambda: said((b"colr", b"rICC" + P3, False)),
    "a second profile": lambda: said(
        (b"colr", b"prof" + P3, False), (b"colr", b"prof" + P3 + CANARY, False)
    ),
    "an aspect": lambda: said((b"pasp", CANARY, False)),
    "light levels": lambda: said((b"clli", CANARY, False)),
    "a mastering display": lambda: said((b"mdcv", CANARY, False)),
    "behind a crop": lambda: said(
        (b"clap", struct.pack(">IIIIiIiI", 64, 1, 120, 2, 0, 9, -4, 2) + CANARY, True)
    ),
    "behind the size": behind_size,
    "a time's property of an item": lambda: said((b"mdft", CANARY, False)),
    "EXIF": lambda: File({1: coded(drawing(SIDE, SIDE)), 2: exif_item()}).to_bytes(),
    "EXIF that is broken": lambda: File(
        {1: coded(drawing(SIDE, SIDE)), 2: Thing(b"Exif", CANARY)}
    ).to_bytes(),
    "EXIF that lies elsewhere": lambda: File(
        {1: coded(drawing(SIDE, SIDE)), 2: replace(exif_item(), reference=1)}
    ).to_bytes(),
    "a grid's end": lambda: with_grid(grid(1, 2, 128, 64) + CANARY),
    "a message in the picture": lambda: with_unit(b"\x4e\1\5" + CANARY),
    "a suffix message": lambda: with_unit(b"\x50\1\5" + CANARY, last=True),
    "filler": lambda: with_unit(b"\x4c\1" + CANARY),
    "a private unit": lambda: with_unit(b"\x62\1" + CANARY),
    "a message in the setup": lambda: with_set(39, b"\x4e\1\5" + CANARY),
    "a private unit in the setup": lambda: with_set(50, CANARY),
    "a unit of another kind in the setup": lambda: with_set(32, b"\x42\1" + CANARY),
    "a parameter set that nobody uses": lambda: with_set(34, b"\x44\1\x30" + CANARY),
    "behind the setup": lambda: with_setup(lambda setup: setup + CANARY),
    "hints of the setup": lambda: with_setup(
        lambda setup: setup[:13] + CANARY[:6] + setup[19:] + CANARY
    ),
}


def with_setup(change: Callable[[bytes], bytes]) -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    properties = [
        (kind, change(content) if kind == b"hvcC" else content, mark)
        for kind, content, mark in thing.properties
    ]
    return File({1: replace(thing, properties=properties)}).to_bytes()


def with_set(kind: int, unit: bytes) -> bytes:
    array = bytes([kind, 0, 1]) + struct.pack(">H", len(unit)) + unit
    return with_setup(lambda setup: setup[:22] + bytes([setup[22] + 1]) + setup[23:] + array)


def with_unit(unit: bytes, *, last: bool = False) -> bytes:
    thing = coded(drawing(SIDE, SIDE))
    more = struct.pack(">I", len(unit)) + unit
    data = thing.data + more if last else more + thing.data
    return File({1: replace(thing, data=data)}).to_bytes()


def with_grid(payload: bytes, size: tuple[int, int] = (128, 64), tiles: int = 2) -> bytes:
    picture = drawing(128, 64)
    numbers = list(range(2, 2 + tiles))
    top = Thing(b"grid", payload, [ispe(*size)], {b"dimg": numbers})
    parts = [hidden(coded(tile)) for tile in cut(picture, SIDE)]
    return File({1: top, 2: parts[0], 3: parts[1]}).to_bytes()


UNREADABLE = {
    "a reference from nowhere",
    "colour of an unknown kind",
    "a private unit in the setup",
    "a unit of another kind in the setup",
    "hints of the setup",
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_heic_is_emptied(place: str) -> None:
    dirty = PLACES[place]()
    made, facts = prove(dirty, "heic", CANARY[:6] if place == "hints of the setup" else CANARY)
    # What no decoder would open is compared with the picture before something was planted.
    assert pixels(made) == pixels(plain().to_bytes() if place in UNREADABLE else dirty)
    silent = {"behind a rotation", "behind a mirror", "behind depths", "behind colour codes"}
    silent |= {"behind a crop", "the brands", "bytes behind the associations"}
    assert facts.removed or place in silent | {
        "behind the setup",
        "hints of the setup",
        "an aspect",
    }


@pytest.mark.parametrize("turn", [b"\0", b"\1", b"\2", b"\3"])
def test_a_heic_is_turned_as_before(turn: bytes) -> None:
    thing = with_property(coded(drawing(128, SIDE)), (b"irot", turn, True), (b"imir", b"\1", True))
    dirty = File({1: thing, 2: exif_item()}).to_bytes()
    assert pixels(clean(dirty)) == pixels(dirty)


def test_an_orientation_in_exif_that_no_reader_follows_turns_nothing() -> None:
    dirty = File({1: coded(drawing(128, SIDE)), 2: exif_item()}).to_bytes()
    assert pixels(clean(dirty))[1] == (128, SIDE)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(33, 21), (200, 100)])
def test_every_kind_of_heic_keeps_its_pixels(mode: str, size: tuple[int, int]) -> None:
    picture = drawing(*size, mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(size))
    dirty = encoded(picture.tobytes(), *size, mode=mode)
    made = clean(dirty)
    assert pixels(made) == pixels(dirty)
    assert clean(made) == made
    assert clean(dirty) == made


def test_a_heic_of_ten_bits_and_of_full_chroma_keeps_its_pixels() -> None:
    deep = Image.frombytes("RGB", (64, 48), drawing(64, 48).tobytes())
    made = io.BytesIO()
    wide = pillow_heif.from_bytes(
        mode="RGB;16", size=(64, 48), data=b"".join(bytes([7, v]) for v in deep.tobytes())
    )
    wide.save(made, quality=90, chroma=444)
    dirty = made.getvalue()
    assert pixels(clean(dirty)) == pixels(dirty)
    assert clean(dirty)[8:12] == b"heix"


def test_an_alpha_plane_stays_and_other_planes_go() -> None:
    top, plane = coded(drawing(SIDE, SIDE)), coded(drawing(SIDE, SIDE, "L"))
    alpha = replace(
        with_property(plane, (b"auxC", ALPHA + CANARY, True)), references={b"auxl": [1]}
    )
    depth = b"\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0"
    other = replace(with_property(plane, (b"auxC", depth, True)), references={b"auxl": [1]})
    blended = replace(top, references={b"prem": [2]})
    dirty = File({1: blended, 2: alpha, 3: other, 4: alpha}).to_bytes()
    made, facts = prove(dirty, "heic")
    assert pixels(made) == pixels(dirty)
    assert pixels(made)[0] == "RGBa"
    assert len(items_of(made)) == 2
    assert facts.removed == ("hidden_frames", "other_metadata")


def test_an_alpha_plane_of_tiles_stays() -> None:
    tile, plane = hidden(coded(drawing(SIDE, SIDE))), coded(drawing(SIDE, SIDE, "L"))
    top = Thing(b"grid", grid(1, 2, 128, 64, wide=True), [ispe(128, 64)], {b"dimg": [2, 2]})
    sheet = Thing(
        b"grid",
        grid(1, 2, 128, 64),
        [ispe(128, 64), (b"auxC", ALPHA, True)],
        {b"dimg": [4, 5], b"auxl": [1]},
    )
    dirty = File({1: top, 2: tile, 3: sheet, 4: hidden(plane), 5: hidden(plane)}).to_bytes()
    made = clean(dirty)
    assert pixels(made) == pixels(dirty)
    assert items_of(made) == [b"grid", b"hvc1", b"grid", b"hvc1", b"hvc1"]
    assert clean(made) == made


def test_tiles_may_share_one_alpha_plane_of_their_own() -> None:
    tile, plane = hidden(coded(drawing(SIDE, SIDE))), coded(drawing(SIDE, SIDE, "L"))
    top = Thing(b"grid", grid(1, 2, 128, 64), [ispe(128, 64)], {b"dimg": [2, 3]})
    alpha = replace(with_property(plane, (b"auxC", ALPHA, True)), references={b"auxl": [2, 3]})
    made = clean(File({1: top, 2: tile, 3: tile, 4: alpha}).to_bytes())
    (row,) = [
        content for kind, content in split(find(meta_of(made), b"iref")[4:]) if kind == b"auxl"
    ]
    assert row == b"\0\4\0\2\0\2\0\3"


def test_a_tone_map_goes_and_its_picture_stays() -> None:
    top = coded(drawing(SIDE, SIDE))
    gain = coded(drawing(SIDE, SIDE).rotate(90))
    tone = Thing(b"tmap", CANARY, [ispe(SIDE, SIDE)], {b"dimg": [2, 3]})
    dirty = File({1: tone, 2: top, 3: gain}).to_bytes()
    made, facts = prove(dirty, "heic")
    assert pixels(made) == pixels(File({1: top}).to_bytes())
    assert facts.removed == ("hidden_frames", "other_metadata")


@pytest.mark.parametrize(
    "file",
    [
        plain(wide=True, wide_properties=True),
        plain(places=1),
        File({1: replace(coded(drawing(SIDE, SIDE)), pieces=3)}, slack=CANARY),
        File({1: replace(coded(drawing(SIDE, SIDE)), method=1)}, places=1),
        File({1: replace(coded(drawing(SIDE, SIDE)), version=3)}, wide=True),
    ],
    ids=["wide numbers", "new places", "in pieces", "in the index", "a wide item"],
)
def test_every_way_to_write_an_index_is_read(file: File) -> None:
    dirty = file.to_bytes()
    if file.things[1].version == 2 and file.wide:
        dirty = File(
            {1: replace(file.things[1], version=3)}, wide=True, wide_properties=True
        ).to_bytes()
    made = clean(dirty)
    assert made == clean(plain().to_bytes())
    assert pixels(made) == pixels(plain().to_bytes())


def test_boxes_of_eight_byte_lengths_and_to_the_end_are_read() -> None:
    dirty = plain().to_bytes()
    meta, data = find(dirty, b"meta"), find(dirty, b"mdat")
    iprp = find(meta[4:], b"iprp")
    long = struct.pack(">I4sQ", 1, b"iprp", len(iprp) + 16) + iprp
    tables = b"".join(box(kind, content) for kind, content in split(meta[4:]) if kind != b"iprp")
    meta = bytes(4) + tables + long
    # The tables are eight bytes longer now; the picture's place moves with them.
    start = struct.unpack_from(">I", find(meta[4:], b"iloc"), 14)[0]
    meta = meta.replace(
        struct.pack(">II", start, len(data)), struct.pack(">II", start + 8, len(data))
    )
    made = box(b"ftyp", find(dirty, b"ftyp")) + box(b"meta", meta) + b"\0\0\0\0mdat" + data
    assert clean(made) == clean(dirty)
    ending = struct.pack(">I4s", 0, b"iprp") + iprp
    meta = bytes(4) + tables + ending
    made = box(b"ftyp", find(dirty, b"ftyp")) + box(b"meta", meta) + b"\0\0\0\0mdat" + data
    assert clean(made) == clean(dirty)


def test_a_setup_of_two_byte_lengths_and_a_setup_repeated_in_the_picture_are_read() -> None:
    thing = coded(drawing(SIDE, SIDE))
    setup = {kind: content for kind, content, _ in thing.properties}[b"hvcC"]
    unit = thing.data[4:]
    count = setup.index(b"\x40\1")
    video = setup[count : count + int.from_bytes(setup[count - 2 : count], "big")]
    data = struct.pack(">H", len(video)) + video + struct.pack(">H", len(unit)) + unit
    properties = [
        (kind, content[:21] + b"\x0d" + content[22:] if kind == b"hvcC" else content, mark)
        for kind, content, mark in thing.properties
    ]
    made = clean(File({1: replace(thing, data=data, properties=properties)}).to_bytes())
    assert made == clean(plain().to_bytes())


def avif(mode: str = "RGB", **options: object) -> bytes:
    made = io.BytesIO()
    picture = drawing(96, 64, mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize((96, 64)))
    picture.save(made, "AVIF", quality=60, speed=10, **options)
    return made.getvalue()


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_an_avif_keeps_its_picture_alone(mode: str) -> None:
    dirty = avif(mode, exif=phone_exif(CANARY)[6:], xmp=xmp_packet(CANARY), icc_profile=P3)
    made, facts = prove(dirty, "avif")
    assert seen(made) == seen(dirty)
    picture = Image.open(io.BytesIO(made))
    assert picture.getexif().get(0x0112, 6) == 6
    assert len(picture.getexif()) <= 1
    assert {"gps", "xmp", "exif", "icc_description"} <= set(facts.removed)
    assert b"D\0i\0s\0p\0l\0a\0y" in made
    assert made[8:12] == b"avif"


def av1_parts() -> tuple[Thing, bytes, list[tuple[int, bytes]]]:
    """Return an AVIF's item, and the units of its data."""
    whole = avif()
    meta = meta_of(whole)
    listed = list(split(find(meta, b"iprp", b"ipco")))
    start, length = struct.unpack_from(">II", find(meta, b"iloc"), 14)
    data = whole[start : start + length]
    kept = {b"ispe", b"av1C"}
    thing = Thing(b"av01", data, [(k, c, k == b"av1C") for k, c in listed if k in kept])
    units, at = [], 0
    while at < len(data):
        size = shift = 0
        head = data[at]
        while True:
            at += 1
            size |= (data[at] & 127) << shift
            shift += 7
            if data[at] < 128:
                break
        units.append((head >> 3, data[at + 1 : at + 1 + size]))
        at += 1 + size
    return thing, data, units


def unit(kind: int, content: bytes, *, extended: bytes = b"", spare: int = 0) -> bytes:
    size = len(content)
    digits = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14 | (128 if spare else 0)])
    return (
        bytes([kind << 3 | 2 | (4 if extended else 0)]) + extended + digits + bytes(spare) + content
    )


def of_units(*parts: bytes) -> bytes:
    thing, _, _ = av1_parts()
    return File({1: replace(thing, data=b"".join(parts))}, brand=b"avif").to_bytes()


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [2, 5, 7, 9, 15])
def test_a_unit_of_av1_that_is_no_picture_goes(kind: int) -> None:
    thing, data, units = av1_parts()
    (sequence, frame) = (content for number, content in units if number != 2)
    plain = File({1: thing}, brand=b"avif").to_bytes()
    dirty = of_units(unit(1, sequence), unit(kind, CANARY), unit(6, frame), unit(kind, CANARY))
    made, facts = prove(dirty, "avif")
    assert made == clean(plain)
    assert seen(made) == seen(plain)
    assert facts.removed == ("sei",) if kind == 5 else ("other_metadata",)
    assert made.endswith(frame)
    assert data


def test_units_of_av1_are_written_in_their_shortest_form() -> None:
    thing, _, units = av1_parts()
    (sequence, frame) = (content for number, content in units if number != 2)
    dirty = of_units(b"\x12\0", unit(1, sequence, extended=b"\7", spare=1), bytes([6 << 3]) + frame)
    assert clean(dirty) == clean(File({1: thing}, brand=b"avif").to_bytes())
    split_frame = of_units(unit(1, sequence), unit(3, b"\x10" * 9), unit(4, frame), unit(4, frame))
    assert clean(clean(split_frame)) == clean(split_frame)


def test_a_setup_of_av1_loses_what_the_picture_says_again() -> None:
    thing, _, _ = av1_parts()
    longer = [
        (kind, content[:3] + b"\x1f" + content[4:] + CANARY if kind == b"av1C" else content, mark)
        for kind, content, mark in thing.properties
    ]
    dirty = File({1: replace(thing, properties=longer)}, brand=b"avif").to_bytes()
    made, _ = prove(dirty, "avif")
    assert made == clean(File({1: thing}, brand=b"avif").to_bytes())


@pytest.mark.parametrize("choice", [(b"a1op", b"\0"), (b"lsel", b"\0\0"), (b"lsel", b"\xff\xff")])
def test_a_choice_among_one_layer_is_no_choice(choice: tuple[bytes, bytes]) -> None:
    thing, _, _ = av1_parts()
    told = with_property(thing, (*choice, True), (b"a1lx", bytes(7), False))
    dirty = File({1: told}, brand=b"avif").to_bytes()
    assert clean(dirty) == clean(File({1: thing}, brand=b"avif").to_bytes())


def _two(thing: Thing) -> bytes:
    return File({1: thing, 2: coded(drawing(SIDE, SIDE))}).to_bytes()


def _crop(*numbers: int) -> bytes:
    return said((b"clap", struct.pack(">IIIIiIiI", *numbers), True))


def _changed(table: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a plain picture with one table of its index changed."""
    made = b""
    for kind, content in split(plain(data_first=True).to_bytes()):
        inside = content
        if kind == b"meta":
            inside = content[:4] + b"".join(
                box(name, change(rows) if name == table else rows)
                for name, rows in split(content[4:])
            )
        made += box(kind, inside)
    return made


def hiding_crop() -> bytes:
    crop = (b"clap", struct.pack(">IIIIiIiI", 64, 1, 64, 1, 0, 1, 0, 1), True)
    return File({1: with_property(coded(drawing(128, SIDE)), crop)}).to_bytes()


def _units(data: bytes) -> bytes:
    return File({1: replace(coded(drawing(SIDE, SIDE)), data=data)}).to_bytes()


def _slice() -> bytes:
    return coded(drawing(SIDE, SIDE)).data


def _av1(*parts: tuple[int, bytes]) -> bytes:
    return of_units(*(unit(*part) for part in parts))


GOOD = grid(1, 2, 128, 64)
REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "a sequence": (Unsupported, lambda: plain(brand=b"msf1").to_bytes()),
    "animated AVIF": (Unsupported, lambda: plain(brand=b"avis").to_bytes()),
    "animated JPEG": (Unsupported, lambda: plain(brand=b"jpgs").to_bytes()),
    "a film that readers prefer": (
        Unsupported,
        lambda: plain(brand=b"mif1", brands=b"mif1avis", after=box(b"moov", CANARY)).to_bytes(),
    ),
    "no brands": (Malformed, lambda: box(b"ftyp", b"heic")),
    "no index": (Malformed, lambda: box(b"ftyp", b"heic" + bytes(4)) + box(b"mdat")),
    "brands too short": (
        Malformed,
        lambda: box(b"ftyp", b"heic") + box(b"meta", find(plain().to_bytes(), b"meta")),
    ),
    "two indexes": (
        Malformed,
        lambda: plain(after=box(b"meta", find(plain().to_bytes(), b"meta"))).to_bytes(),
    ),
    "a table twice": (
        Malformed,
        lambda: plain(meta_extra=full(b"pitm", b"\0\1")).to_bytes(),
    ),
    "no items": (Malformed, lambda: plain(tables={b"iinf": b""}).to_bytes()),
    "no handler": (Malformed, lambda: plain(tables={b"hdlr": b""}).to_bytes()),
    "another handler": (Unsupported, lambda: plain(handler=b"null").to_bytes()),
    "no such picture": (Malformed, lambda: plain(primary=9).to_bytes()),
    "an item twice": (
        Malformed,
        lambda: plain(iinf_extra=full(b"infe", b"\0\1\0\0hvc1\0", flags=2 << 24)).to_bytes(),
    ),
    "a table cut short": (Malformed, lambda: _changed(b"iloc", lambda t: t[:-1])),
    "a box beyond its table": (
        Malformed,
        lambda: plain(ipco_extra=b"\0\0\1\0free").to_bytes(),
    ),
    "places of an unknown kind": (
        Malformed,
        lambda: _changed(b"iloc", lambda t: b"\3" + t[1:]),
    ),
    "places of an odd width": (
        Malformed,
        lambda: _changed(b"iloc", lambda t: t[:4] + b"\x14\0" + t[6:]),
    ),
    "an item in two places": (
        Malformed,
        lambda: _changed(b"iloc", lambda t: t[:6] + b"\0\2" + t[8:] + t[8:]),
    ),
    "data beyond the file": (
        Malformed,
        lambda: _changed(b"iloc", lambda t: t[:-4] + b"\x7f\0\0\0"),
    ),
    "data of no length": (
        Malformed,
        lambda: _changed(b"iloc", lambda t: t[:-4] + bytes(4)),
    ),
    "data in another file": (
        Malformed,
        lambda: File({1: replace(coded(drawing(SIDE, SIDE)), reference=1)}, places=1).to_bytes(),
    ),
    "data in another item": (
        Malformed,
        lambda: File({1: replace(coded(drawing(SIDE, SIDE)), method=2)}, places=1).to_bytes(),
    ),
    "a reference twice": (
        Malformed,
        lambda: plain(
            iref_extra=box(b"cdsc", b"\0\1\0\1\0\1") + box(b"cdsc", b"\0\1\0\1\0\1")
        ).to_bytes(),
    ),
    "two lists of properties": (Malformed, lambda: plain(iprp_extra=box(b"ipco")).to_bytes()),
    "an item described twice": (
        Malformed,
        lambda: plain(iprp_extra=full(b"ipma", struct.pack(">I", 1), b"\0\1\0")).to_bytes(),
    ),
    "a property that is not there": (
        Malformed,
        lambda: plain(iprp_extra=full(b"ipma", struct.pack(">I", 1), b"\0\x63\1\x7f")).to_bytes(),
    ),
    "a locked picture": (
        Encrypted,
        lambda: File({1: replace(coded(drawing(SIDE, SIDE)), protection=1)}).to_bytes(),
    ),
    "JPEG 2000 inside": (
        Unsupported,
        lambda: File({1: Thing(b"j2k1", CANARY, [ispe(64, 64)])}).to_bytes(),
    ),
    "an identity": (
        Unsupported,
        lambda: _two(Thing(b"iden", b"", [ispe(64, 64)], {b"dimg": [2]})),
    ),
    "a tone map of nothing": (Malformed, lambda: File({1: Thing(b"tmap", CANARY)}).to_bytes()),
    "a coded picture made of others": (
        Malformed,
        lambda: _two(replace(coded(drawing(SIDE, SIDE)), references={b"dimg": [2]})),
    ),
    "no size": (Malformed, lambda: File({1: Thing(b"hvc1", CANARY)}).to_bytes()),
    "a size of nothing": (
        Malformed,
        lambda: File({1: Thing(b"hvc1", CANARY, [ispe(0, 64)])}).to_bytes(),
    ),
    "no setup": (Malformed, lambda: File({1: Thing(b"hvc1", CANARY, [ispe(64, 64)])}).to_bytes()),
    "a grid of itself": (
        Malformed,
        lambda: File({1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [1, 1]})}).to_bytes(),
    ),
    "a grid of a grid": (
        Unsupported,
        lambda: File(
            {
                1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [2, 2]}),
                2: Thing(b"grid", GOOD, [ispe(64, 64)], {b"dimg": [1, 1]}),
            }
        ).to_bytes(),
    ),
    "a grid of what is not there": (
        Malformed,
        lambda: File({1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [8, 9]})}).to_bytes(),
    ),
    "a grid with a setup": (
        Unsupported,
        lambda: File(
            {
                1: Thing(
                    b"grid", GOOD, [ispe(128, 64), (b"hvcC", CANARY, True)], {b"dimg": [2, 2]}
                ),
                2: coded(drawing(SIDE, SIDE)),
            }
        ).to_bytes(),
    ),
    "an alpha plane that is a tile": (
        Malformed,
        lambda: File(
            {
                1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [2, 2]}),
                2: replace(
                    with_property(coded(drawing(SIDE, SIDE)), (b"auxC", ALPHA, True)),
                    references={b"auxl": [1]},
                ),
            }
        ).to_bytes(),
    ),
    "a grid of another version": (Malformed, lambda: with_grid(b"\1" + GOOD[1:])),
    "a grid without width": (Malformed, lambda: with_grid(grid(1, 2, 0, 64))),
    "a grid too short": (Malformed, lambda: with_grid(GOOD[:6])),
    "a grid too long": (Malformed, lambda: with_grid(GOOD + bytes(30_000))),
    "a grid of another size": (Malformed, lambda: with_grid(GOOD, (127, 64))),
    "a grid with too few tiles": (Malformed, lambda: with_grid(GOOD, tiles=1)),
    "a grid wider than its tiles": (
        Malformed,
        lambda: with_grid(grid(1, 2, 129, 64), (129, 64)),
    ),
    "a grid higher than its tiles": (
        Malformed,
        lambda: with_grid(grid(1, 2, 128, 65), (128, 65)),
    ),
    "a grid with a tile outside": (Malformed, lambda: with_grid(grid(1, 2, 64, 64), (64, 64))),
    "tiles of two sizes": (
        Malformed,
        lambda: File(
            {
                1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [2, 3]}),
                2: coded(drawing(SIDE, SIDE)),
                3: coded(drawing(128, SIDE)),
            }
        ).to_bytes(),
    ),
    "two codecs": (
        Malformed,
        lambda: File(
            {
                1: Thing(b"grid", GOOD, [ispe(128, 64)], {b"dimg": [2, 3]}),
                2: coded(drawing(SIDE, SIDE)),
                3: replace(
                    av1_parts()[0],
                    properties=[ispe(64, 64), *av1_parts()[0].properties[1:]],
                )
                if av1_parts()[0].properties[0][0] == b"ispe"
                else av1_parts()[0],
            }
        ).to_bytes(),
    ),
    "a property that must be known": (Unsupported, lambda: said((b"wipe", CANARY, True))),
    "a layer chosen": (Unsupported, lambda: said((b"lsel", b"\0\1", True))),
    "turned twice": (Unsupported, lambda: said((b"irot", b"\1", True), (b"irot", b"\2", True))),
    "a crop that hides": (Unsupported, hiding_crop),
    "a crop of nothing": (Malformed, lambda: _crop(64, 0, 64, 1, 0, 1, 0, 1)),
    "a crop between pixels": (Malformed, lambda: _crop(63, 1, 64, 1, 0, 1, 0, 1)),
    "a crop outside": (Malformed, lambda: _crop(64, 1, 64, 1, 0, 1, 1, 1)),
    "a picture cut short": (Malformed, lambda: _units(_slice()[:-1])),
    "a unit without a length": (Malformed, lambda: _units(_slice() + b"\0\0\0")),
    "a unit of one byte": (Malformed, lambda: _units(b"\0\0\0\1\x28" + _slice())),
    "two pictures": (Unsupported, lambda: _units(_slice() + _slice())),
    "a film's picture": (Unsupported, lambda: with_unit(b"\2\1\x80" + CANARY)),
    "a second layer": (Unsupported, lambda: with_unit(b"\x28\x09\x80" + CANARY)),
    "a picture without its beginning": (
        Unsupported,
        lambda: _units(_slice()[:6] + b"\x2f" + _slice()[7:]),
    ),
    "no picture": (Malformed, lambda: _units(b"\0\0\0\x06\x4e\1\5abc")),
    "another parameter set inside": (Unsupported, lambda: with_unit(b"\x44\1\x30" + CANARY)),
    "no parameter sets": (Malformed, lambda: with_setup(lambda s: s[:22] + b"\0")),
    "a picture's sets without a sequence": (Malformed, lambda: without_set(33)),
    "a sequence without its video": (Malformed, lambda: without_set(32)),
    "a parameter set cut short": (Malformed, lambda: with_setup(lambda s: s[:-1])),
    "a sequence cut short": (Malformed, lambda: with_set(33, b"\x42\1\1\1")),
    "two sizes": (Malformed, lambda: said(ispe(64, 65))),
    "a sequence of nothing": (Malformed, lambda: with_set(33, b"\x42\1" + bytes(40))),
    "a sequence of impossible depth": (
        Malformed,
        lambda: with_set(33, b"\x42\1" + sequence("00000001" + "0" * 7 + "1")),
    ),
    "a setup cut short": (Malformed, lambda: with_setup(lambda s: s[:20])),
    "AV1 without a sequence": (Malformed, lambda: _av1((6, CANARY))),
    "AV1 without a frame": (Malformed, lambda: _av1((1, CANARY))),
    "AV1 of two frames": (Unsupported, lambda: _av1((1, AV1_SEQUENCE), (6, b"b"), (6, CANARY))),
    "AV1 of a header alone": (Unsupported, lambda: _av1((1, AV1_SEQUENCE), (3, CANARY))),
    "AV1 of a frame and tiles": (
        Unsupported,
        lambda: _av1((1, AV1_SEQUENCE), (6, b"b"), (4, b"c")),
    ),
    "AV1 of two layers": (Unsupported, lambda: of_units(unit(1, b"a", extended=b"\x08"))),
    "AV1 cut short": (Malformed, lambda: of_units(unit(1, b"abc")[:-1])),
    "AV1 with a broken head": (Malformed, lambda: of_units(b"\x8a\1a")),
    "AV1 with an endless length": (Malformed, lambda: of_units(b"\x0a" + b"\xff" * 9)),
    "AV1 that ends in a length": (Malformed, lambda: of_units(b"\x0a")),
    "AV1 that ends in an extension": (Malformed, lambda: of_units(b"\x0e")),
    "an AV1 setup of another version": (
        Malformed,
        lambda: File(
            {1: replace(av1_parts()[0], properties=[ispe(96, 64), (b"av1C", b"\x82aaa", True)])},
            brand=b"avif",
        ).to_bytes(),
    ),
}


def sequence(bits: str) -> bytes:
    """Return a sequence parameter set of two temporal layers up to, and with, some bits."""
    text = "00000011" + "01" * 48 + "11" + "00" * 7 + "01" * 44 + "0" * 8
    text += "10101111111" + bits
    return int(text.ljust(400, "0"), 2).to_bytes(50, "big")


def without_set(kind: int) -> bytes:
    def cut_out(setup: bytes) -> bytes:
        made, at, count = b"", 23, 0
        while at < len(setup):
            length = int.from_bytes(setup[at + 3 : at + 5], "big")
            if setup[at] & 63 != kind:
                made += setup[at : at + 5 + length]
                count += 1
            at += 5 + length
        return setup[:22] + bytes([count]) + made

    return with_setup(cut_out)


@pytest.mark.parametrize("why", REFUSED)
def test_a_heic_that_cannot_be_proven_clean_is_refused(why: str) -> None:
    kind, make = REFUSED[why]
    with pytest.raises(kind) as raised:
        clean(make())
    assert type(raised.value) is kind


def test_a_grid_that_would_unpack_without_end_is_refused_before_it_does() -> None:
    many = {n: Thing(b"hvc1", b"", [ispe(60_000, 60_000)]) for n in range(2, 300)}
    top = Thing(b"grid", grid(1, 2, 60_000, 60_000), [ispe(60_000, 60_000)], {b"dimg": [2, 3]})
    with pytest.raises(TooManyPixels):
        clean(File({1: top, **many}).to_bytes())
    with pytest.raises(TooManyPixels):
        clean(File({1: Thing(b"grid", b"", [ispe(70_000, 1)])}).to_bytes())
    wide = with_set(33, b"\x42\1" + sequence("1" + "1"))
    with pytest.raises(TooManyPixels):
        clean(wide, Limits(image_pixels=SIDE * SIDE - 1))
    small = _changed(b"iprp", lambda t: t.replace(ispe(64, 64)[1], ispe(8, 8)[1]))
    with pytest.raises(TooManyPixels):
        clean(small, Limits(image_pixels=64))


def test_a_heic_of_too_many_parts_is_refused() -> None:
    with pytest.raises(TooComplex):
        clean(plain().to_bytes(), Limits(sample_bytes=10))
    with pytest.raises(TooComplex):
        clean(plain(meta_extra=full(b"free") * 900).to_bytes(), Limits(image_parts=100))
    with pytest.raises(TooComplex):
        clean(plain(after=full(b"free") * 200).to_bytes(), Limits(image_parts=100))
    with pytest.raises(TooComplex):
        clean(plain(meta_extra=box(b"free", bytes(900))).to_bytes(), Limits(image_index_bytes=900))
    things = {n: Thing(b"uri ", b"x") for n in range(2, 60)}
    with pytest.raises(TooComplex):
        clean(File({1: coded(drawing(SIDE, SIDE)), **things}).to_bytes(), Limits(image_parts=50))
    unit = with_setup(lambda s: s[:22] + b"\1\x27\0\x50" + b"\0\1x" * 80)
    with pytest.raises(TooComplex):
        clean(unit)
    with pytest.raises(TooComplex):
        clean(_units(b"\0\0\0\3\x4c\1\xff" * 10_001 + _slice()))
    with pytest.raises(TooComplex):
        clean(of_units(b"\x12\0" * 10_001))
    with pytest.raises(ImageTooLarge):
        clean(plain().to_bytes(), Limits(image_bytes=100))


def test_pictures_that_lie_on_top_of_each_other_are_refused() -> None:
    tile = coded(drawing(SIDE, SIDE))
    tiles = {n: hidden(tile) for n in range(2, 52)}
    top = Thing(b"grid", grid(1, 50, 3200, 64), [ispe(3200, 64)], {b"dimg": list(tiles)})
    rows = find(meta_of(File({1: top, **tiles}, data_first=True).to_bytes()), b"iloc")
    # Every tile lies where the first one does.
    same = [rows[at : at + 6] + rows[28:36] for at in range(22, len(rows), 14)]
    table = full(b"iloc", rows[4:22], *same)
    bomb = File({1: top, **tiles}, data_first=True, tables={b"iloc": table}).to_bytes()
    data = find(bomb, b"mdat")
    short = data[: len(data) - 49 * len(tile.data)]
    with pytest.raises(Malformed, match="on top"):
        clean(bomb.replace(box(b"mdat", data), box(b"mdat", short)))


def test_more_than_127_properties_and_tiles_are_written_wide() -> None:
    tile = coded(drawing(SIDE, SIDE))
    numbers = list(range(2, 142))
    tiles = {
        n: with_property(hidden(tile), (b"clli", struct.pack(">HH", n, n), False)) for n in numbers
    }
    top = Thing(b"grid", grid(1, 140, 140 * 64, 64), [ispe(140 * 64, 64)], {b"dimg": numbers})
    dirty = File({1: top, **tiles}, wide_properties=True).to_bytes()
    made = clean(dirty)
    # No decoder here takes more than a hundred: what is said of the last tile is looked up.
    assert len(properties_of(made)) == 143
    assert dict(properties_of(made))[b"clli"] == struct.pack(">HH", 141, 141)
    assert clean(made) == made


CLEAN = clean(phone().to_bytes())
CLEAN_AVIF = clean(avif())


def _with(table: bytes, change: Callable[[bytes], bytes], made: bytes = CLEAN) -> bytes:
    """Return a clean file with one table changed, lengths and places made to fit again."""
    meta = find(made, b"meta")
    tables = dict(split(meta[4:]))
    tables[table] = change(tables.get(table, b""))
    longer = sum(len(content) + 8 for content in tables.values()) + 4 - len(meta)
    if table != b"iloc":
        rows = tables[b"iloc"]
        for at in range(8, len(rows), 16):
            (start,) = struct.unpack_from(">I", rows, at + 8)
            if rows[at + 3] == 0:
                rows = rows[: at + 8] + struct.pack(">I", start + longer) + rows[at + 12 :]
        tables[b"iloc"] = rows
    meta = meta[:4] + b"".join(box(kind, content) for kind, content in tables.items() if content)
    return (
        box(b"ftyp", find(made, b"ftyp")) + box(b"meta", meta) + box(b"mdat", find(made, b"mdat"))
    )


def _data(change: Callable[[bytes], bytes], made: bytes) -> bytes:
    """Return a clean picture of one item with its data changed, and its length with it."""
    data = change(find(made, b"mdat"))
    changed = _with(b"iloc", lambda t: t[:20] + struct.pack(">I", len(data)), made)
    return changed[: changed.index(b"mdat") - 4] + box(b"mdat", data)


ONE = clean(plain().to_bytes())
SETUP = setup_of(ONE)
SURVIVORS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "other brands": lambda: CLEAN.replace(b"mif1heic", b"mif1HEIC"),
    "a box between": lambda: CLEAN[:28] + box(b"free", CANARY) + CLEAN[28:],
    "bytes behind": lambda: CLEAN + CANARY,
    "data cut short": lambda: CLEAN[:-3],
    "an index cut short": lambda: CLEAN[:100],
    "an index of another version": lambda: CLEAN.replace(b"meta\0", b"meta\1", 1),
    "an unknown table": lambda: _with(b"free", lambda _: CANARY),
    "a name": lambda: _with(b"hdlr", lambda t: t[:-1] + CANARY + b"\0"),
    "another picture": lambda: _with(b"pitm", lambda _: b"\0\0\0\0\0\2"),
    "an item's name": lambda: _with(
        b"iinf",
        lambda t: t[:6] + full(b"infe", b"\0\1\0\0grid" + CANARY + b"\0", flags=2 << 24) + t[27:],
    ),
    "an item's other flags": lambda: _with(b"iinf", lambda t: t[:17] + b"\7" + t[18:]),
    "another kind of item": lambda: _with(b"iinf", lambda t: t.replace(b"grid", b"Exif")),
    "a count of items": lambda: _with(b"iinf", lambda t: t[:5] + b"\x63" + t[6:]),
    "a box that is broken": lambda: _with(b"iinf", lambda t: t[:6] + b"\xff" + t[7:]),
    "other places": lambda: _with(b"iloc", lambda t: t[:4] + b"\x48" + t[5:]),
    "a gap": lambda: _with(b"iloc", lambda t: t[:32] + struct.pack(">I", 7) + t[36:]),
    "another item's place": lambda: _with(b"iloc", lambda t: t[:9] + b"\7" + t[10:]),
    "a longer grid": lambda: _with(b"iloc", lambda t: t[:20] + b"\0\0\0\x0c" + t[24:]),
    "data of the index": lambda: _with(b"idat", lambda t: t + CANARY),
    "a grid's flags": lambda: _with(b"idat", lambda t: b"\0\4" + t[2:]),
    "no references": lambda: _with(b"iref", lambda t: t[:4]),
    "a description": lambda: _with(b"iref", lambda t: t + box(b"cdsc", b"\0\2\0\1\0\1")),
    "a reference to nothing": lambda: _with(b"iref", lambda t: t + box(b"auxl", b"\0\2\0\1\0\x63")),
    "a reference too long": lambda: _with(b"iref", lambda t: t + box(b"auxl", b"\0\2\0\1\0\1x")),
    "no associations": lambda: _with(b"iprp", lambda t: box(b"ipco", find(t, b"ipco"))),
    "an unknown property": lambda: _with(b"iprp", lambda t: _property(t, b"udes", CANARY)),
    "a property nobody has": lambda: _with(b"iprp", lambda t: _property(t, b"irot", b"\1")),
    "a rotation that says more": lambda: _with(b"iprp", lambda t: _property(t, b"irot", CANARY)),
    "a profile with a maker": lambda: _with(b"iprp", lambda t: _property(t, b"colr", b"prof" + P3)),
    "other associations": lambda: _with(b"iprp", lambda t: t.replace(b"ipma\0", b"ipma\1")),
    "associations behind": lambda: _with(b"iprp", lambda t: _associations(t, lambda a: a + CANARY)),
    "associations of another": lambda: _with(
        b"iprp", lambda t: _associations(t, lambda a: a[:9] + b"\x09" + a[10:])
    ),
    "associations of nothing": lambda: _with(
        b"iprp", lambda t: _associations(t, lambda a: a[:11] + b"\x70" + a[12:])
    ),
    "an association marked wrongly": lambda: _with(
        b"iprp", lambda t: _associations(t, lambda a: a[:11] + bytes([a[11] ^ 0x80]) + a[12:])
    ),
    "a setup behind": lambda: _setup(SETUP + CANARY),
    "a setup of two videos": lambda: _setup(SETUP[:25] + b"\2" + SETUP[26:]),
    "a setup of messages": lambda: _setup(SETUP[:23] + b"\xa7" + SETUP[24:]),
    "a message in a setup": lambda: _setup(SETUP.replace(b"\x40\1", b"\x4e\1", 1)),
    "hints in a setup": lambda: _setup(SETUP[:13] + b"\xff" + SETUP[14:]),
    "a message in a picture": lambda: _data(lambda d: d + b"\0\0\0\7\x4e\1" + CANARY[:5], ONE),
    "a broken picture": lambda: _data(lambda d: d + b"\0", ONE),
    "a second picture": lambda: _data(lambda d: d + d, ONE),
    "an odd head in a picture": lambda: _data(lambda d: d[:4] + bytes([d[4] | 1]) + d[5:], ONE),
    "a message in AV1": lambda: _data(lambda d: d + b"\x2a\5" + CANARY[:5], CLEAN_AVIF),
    "a delimiter in AV1": lambda: _data(lambda d: b"\x12\0" + d, CLEAN_AVIF),
    "a second frame in AV1": lambda: _data(lambda d: d + b"\x32\1a", CLEAN_AVIF),
    "a long length in AV1": lambda: _data(
        lambda d: d[:1] + bytes([d[1] | 128, 0]) + d[2:], CLEAN_AVIF
    ),
    "AV1 cut short": lambda: _data(lambda d: d[:-1], CLEAN_AVIF),
    "a length without end in AV1": lambda: _data(lambda d: d + b"\x0a" + b"\xff" * 6, CLEAN_AVIF),
}


def _property(table: bytes, kind: bytes, content: bytes) -> bytes:
    (_, listed), (_, rows) = split(table)
    return box(b"ipco", listed, box(kind, content)) + box(b"ipma", rows)


def _associations(table: bytes, change: Callable[[bytes], bytes]) -> bytes:
    (_, listed), (_, rows) = split(table)
    return box(b"ipco", listed) + box(b"ipma", change(rows))


def _setup(setup: bytes) -> bytes:
    def change(table: bytes) -> bytes:
        (_, listed), (_, rows) = split(table)
        made = [box(k, setup if k == b"hvcC" else c) for k, c in split(listed)]
        return box(b"ipco", *made) + box(b"ipma", rows)

    return _with(b"iprp", change, ONE)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_heic(survivor: str) -> None:
    with pytest.raises(MetadataSurvived):
        heif_check.check(io.BytesIO(SURVIVORS[survivor]()))


def test_the_second_reader_accepts_what_the_survivors_are_made_of() -> None:
    for made in (CLEAN, CLEAN_AVIF, ONE, _with(b"hdlr", bytes), _data(bytes, ONE), _setup(SETUP)):
        heif_check.check(io.BytesIO(made))


SEEDS = [phone().to_bytes(), avif("RGBA", exif=phone_exif(CANARY)[6:], xmp=xmp_packet(CANARY))]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_heic_crash_the_cleaner_or_leak(data: st.DataObject) -> None:
    dirty = bytearray(data.draw(st.sampled_from(SEEDS)))
    # The index stands in front: most of the damage belongs there.
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(dirty), 2600) - 1))
        dirty[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        made = clean(bytes(dirty))
    except Refused:
        return
    assert CANARY not in made


@pytest.mark.parametrize(
    ("told", "kept"),
    [((4, 6), (2, 3)), ((1, 1), None), ((0, 1), None), ((1 << 20, 3), None)],
    ids=["a ratio", "square", "nothing", "a number that says something"],
)
def test_a_shape_of_pixels_is_kept_as_a_ratio(
    told: tuple[int, int], kept: tuple[int, int] | None
) -> None:
    made = clean(said((b"pasp", struct.pack(">II", *told), False)))
    assert dict(properties_of(made)).get(b"pasp") == (struct.pack(">II", *kept) if kept else None)
