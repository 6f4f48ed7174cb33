"""PNG and APNG: what goes, what stays, and what is refused."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from sanitizer.errors import Malformed, MetadataSurvived, Refused, TooComplex, TooManyPixels
from sanitizer.limits import Limits
from sanitizer.pieces import Piece, Range
from sanitizer.png import check as png_check
from sanitizer.png import palette as png_palette
from sanitizer.png import write as png
from sanitizer.png.stream import Cut
from tests.sanitizer.kit import CANARY, HAS_EXIFTOOL, clean, cleaned, prove, surprises
from tests.support.media import drawing, phone_exif, xmp_packet


def saved(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "PNG", **options)
    return made.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def built(*chunks: tuple[bytes, bytes]) -> bytes:
    return data_of(chunks)


def data_of(chunks: object) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)  # type: ignore[attr-defined]


def after_header(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return picture.mode, picture.size, picture.tobytes()


PLAIN = saved(drawing(48, 32))
HEADER = parts(PLAIN)[0]
DATA = dict(parts(PLAIN))[b"IDAT"]
END = (b"IEND", b"")


def text_of_exif() -> bytes:
    """Return EXIF as ImageMagick keeps it."""
    block = phone_exif(CANARY)
    lines = block.hex()
    return b"Raw profile type exif\0\nexif\n%8d\n" % len(block) + lines.encode()


PLACES: dict[str, tuple[bytes, bytes]] = {
    "text": (b"tEXt", b"Author\0" + CANARY),
    "compressed text": (b"zTXt", b"Comment\0\0" + zlib.compress(CANARY)),
    "broken compressed text": (b"zTXt", b"Comment\0\0" + CANARY),
    "XMP": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_packet(CANARY)),
    "compressed XMP": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp_packet(CANARY))),
    "raw EXIF": (b"tEXt", text_of_exif()),
    "broken raw EXIF": (b"tEXt", b"Raw profile type exif\0\n\n\n" + CANARY),
    "EXIF": (b"eXIf", phone_exif(CANARY)[6:]),
    "time": (b"tIME", CANARY[:7]),
    "provenance": (b"caBX", CANARY),
    "palette name": (b"sPLT", CANARY),
    "calibration name": (b"pCAL", CANARY),
    "private": (b"prVt", CANARY),
    "private safe to copy": (b"prVt"[:3] + b"t", CANARY),
    "gamma of a wrong length": (b"gAMA", CANARY),
    "transparency of a wrong length": (b"tRNS", CANARY),
    "background of a wrong length": (b"bKGD", CANARY),
    "a profile's name": (b"iCCP", CANARY + b"\0\0" + zlib.compress(b"no profile")),
    "a profile without a name's end": (b"iCCP", CANARY),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_png_is_emptied(place: str) -> None:
    dirty = after_header(PLAIN, PLACES[place])
    made, facts = cleaned(dirty)
    assert CANARY not in made
    assert zlib.decompress(DATA) == zlib.decompress(dict(parts(made))[b"IDAT"])
    assert facts.removed


@pytest.mark.claim("C-META")
@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
def test_exiftool_finds_nothing_but_the_picture_in_a_clean_png() -> None:
    dirty = after_header(PLAIN, *(PLACES[name] for name in ("text", "XMP", "EXIF")))
    assert surprises(dirty, ".png")
    assert surprises(clean(dirty), ".png") == set()


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [b"tEXt", b"IDAT"])
def test_bytes_behind_the_end_of_a_png_go(kind: bytes) -> None:
    made, facts = cleaned(PLAIN + chunk(kind, CANARY) + CANARY)
    assert made == clean(PLAIN)
    assert facts.removed == ("trailing_data",)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("pieces", [(DATA + CANARY,), (DATA, CANARY), (DATA, b"", CANARY)])
def test_bytes_behind_the_compressed_picture_go(pieces: tuple[bytes, ...]) -> None:
    dirty = built(HEADER, *((b"IDAT", piece) for piece in pieces), END)
    made, facts = cleaned(dirty)
    assert CANARY not in made
    assert pixels(made) == pixels(PLAIN)
    assert "trailing_data" in facts.removed


@pytest.mark.parametrize("told", ["EXIF", "raw EXIF", "XMP"])
def test_an_orientation_is_kept_wherever_it_was_told(told: str) -> None:
    xmp = xmp_packet(b"x").replace(b"exif:UserComment", b'tiff:Orientation="6" exif:UserComment')
    places = {**PLACES, "XMP": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)}
    made = clean(after_header(PLAIN, places[told]))
    assert Image.open(io.BytesIO(made)).getexif()[0x0112] == 6
    assert pixels(made)[1] == (32, 48)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_keeps_its_pixels(mode: str) -> None:
    picture = drawing(33, 21).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = picture.convert("I").point(lambda v: v * 200).convert("I;16")
    dirty = after_header(saved(picture), PLACES["text"])
    assert pixels(clean(dirty)) == pixels(dirty)


BT709 = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def test_colour_and_transparency_chunks_stay() -> None:
    grey = saved(drawing(20, 20, "L"), transparency=7, dpi=(300, 150))
    kept = [(b"gAMA", struct.pack(">I", 45455)), (b"sBIT", b"\x08"), (b"cHRM", BT709)]
    made = clean(after_header(grey, *kept, (b"cICP", b"\1\x0d\0\1")))
    found = dict(parts(made))
    assert set(kept) <= set(found.items())
    assert found[b"cICP"] == b"\1\x0d\0\1"
    assert found[b"tRNS"] == b"\0\7"
    assert found[b"pHYs"] == struct.pack(">IIB", 2, 1, 0)
    palette = drawing(20, 20).convert("P")
    dirty = saved(palette, transparency=b"\0\1\2")
    assert pixels(clean(dirty)) == pixels(dirty)
    late = dict(parts(dirty))
    order = [HEADER_OF(dirty), (b"PLTE", late[b"PLTE"]), (b"gAMA", bytes(4)), (b"sBIT", b"\1\1\1")]
    made = clean(built(*order, (b"IDAT", late[b"IDAT"]), (b"gAMA", bytes(4)), END))
    assert b"gAMA" not in made
    assert b"sBIT" not in made


def HEADER_OF(data: bytes) -> tuple[bytes, bytes]:  # noqa: N802 - as the constant above
    return parts(data)[0]


def animation() -> bytes:
    frames = [drawing(32, 32), drawing(32, 32).rotate(90), drawing(32, 32).rotate(180)]
    made = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", CANARY.decode())
    frames[0].save(made, "PNG", save_all=True, append_images=frames[1:], pnginfo=info)
    return made.getvalue()


def test_an_animated_png_keeps_its_frames() -> None:
    dirty = animation()
    made = clean(dirty)
    before, after = Image.open(io.BytesIO(dirty)), Image.open(io.BytesIO(made))
    assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1) == 3
    for number in range(3):
        before.seek(number)
        after.seek(number)
        assert before.tobytes() == after.tobytes()
    assert CANARY not in made


def test_bytes_behind_a_frame_of_an_animation_go() -> None:
    chunks = parts(animation())
    last = max(i for i, (kind, _) in enumerate(chunks) if kind == b"fdAT")
    chunks[last] = (b"fdAT", chunks[last][1] + CANARY)
    made = clean(data_of(chunks))
    assert CANARY not in made
    assert getattr(Image.open(io.BytesIO(made)), "n_frames", 1) == 3


def test_an_interlaced_png_is_measured_rightly() -> None:
    raw = b""
    for left, top, across, down in [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]:
        width, height = -(-(3 - left) // across), -(-(5 - top) // down)
        raw += (b"\0" + bytes(max(width, 0))) * max(height, 0) if width > 0 else b""
    header = struct.pack(">IIBBBBB", 3, 5, 8, 0, 0, 0, 1)
    data = built((b"IHDR", header), (b"IDAT", zlib.compress(raw)), END)
    assert clean(data) == data
    with pytest.raises(Malformed):
        clean(built((b"IHDR", header), (b"IDAT", zlib.compress(raw[:-1])), END))


def animated(*chunks: tuple[bytes, bytes]) -> bytes:
    return built(HEADER, *chunks, END)


def indexed(
    rows: bytes, width: int, depth: int, *extra: tuple[bytes, bytes], interlaced: bool = False
) -> bytes:
    """Return a picture of a palette, from its filtered rows."""
    height = 4 if interlaced else len(rows) // (1 + -(-width * depth // 8))
    header = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, interlaced)
    return built((b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), END)


def filtered(kind: int, rows: list[bytes]) -> bytes:
    """Return rows as a filter has them (W3C PNG, 9.2), slowly."""
    made, above = b"", bytes(len(rows[0]))
    for row in rows:
        out = []
        for at, value in enumerate(row):
            left = row[at - 1] if at else 0
            corner = above[at - 1] if at else 0
            up = above[at]
            near = left + up - corner
            best = min((left, up, corner), key=lambda each, n=near: abs(each - n))  # type: ignore[misc]
            out.append(value - (0, left, up, (left + up) // 2, best)[kind] & 255)
        made, above = made + bytes([kind, *out]), row
    return made


SPELT = b"\1\2\3" * 20 + (CANARY + b"\0\0") * 12


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", range(5))
def test_colours_that_no_pixel_has_go(kind: int) -> None:
    rows = [bytes((x * y) % 20 for x in range(40)) for y in range(30)]
    colours = (b"PLTE", SPELT), (b"tRNS", bytes(20) + CANARY)
    dirty = indexed(filtered(kind, rows), 40, 8, *colours)
    made, _ = prove(dirty, ".png")
    found = dict(parts(made))
    assert found[b"PLTE"] == SPELT[:60].ljust(len(SPELT), b"\0")
    assert found[b"tRNS"] == bytes(20)
    before, after = (Image.open(io.BytesIO(each)).convert("RGBA") for each in (dirty, made))
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_pixel_is_found_wherever_in_a_byte_it_stands(depth: int) -> None:
    for place in range(7):
        values = [0] * 7
        values[place] = 1
        word = sum(value << 32 - depth * (n + 1) for n, value in enumerate(values))
        # Bits behind the last pixel belong to none.
        row = (word | (1 << 32 - 7 * depth) - 1).to_bytes(4, "big")[: -(-7 * depth // 8)]
        colours = bytes(range(9, 9 + 3 * (1 << depth)))
        made = clean(indexed(b"\0" + row, 7, depth, (b"PLTE", colours)))
        assert dict(parts(made))[b"PLTE"] == colours[:6].ljust(len(colours), b"\0")


def test_the_passes_of_an_interlaced_palette_picture_are_all_looked_at() -> None:
    # The only pixel of colour 2 stands in the last pass.
    rows = b"\0\0" + b"\0\0" + b"\0\1" * 2 + b"\0\0\0\0" + b"\0\0\0\2"
    head = struct.pack(">IIBBBBB", 3, 3, 8, 3, 0, 0, 1)
    rows = b"\0\1" + b"\0\1" + b"\0\1\1" + b"\0\1" * 2 + b"\0\1\1\2"
    colours = b"abcdefghijkl"
    made = clean(built((b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(rows)), END))
    assert dict(parts(made))[b"PLTE"] == b"\0\0\0defghi\0\0\0"


def test_a_palette_of_an_animation_keeps_what_any_frame_shows() -> None:
    header = (b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
    frame = struct.pack(">IIIIHHBB", 2, 1, 0, 0, 1, 1, 0, 0)
    dirty = built(
        header,
        (b"acTL", struct.pack(">II", 2, 0)),
        (b"PLTE", b"aaabbbccc" + CANARY[:9]),
        (b"fcTL", struct.pack(">I", 0) + frame),
        (b"IDAT", zlib.compress(b"\0\0\0")),
        (b"fcTL", struct.pack(">I", 1) + frame),
        (b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0\2\2")),
        END,
    )
    made = clean(dirty)
    assert dict(parts(made))[b"PLTE"] == b"aaa\0\0\0ccc" + bytes(9)
    assert clean(made) == made


def test_rows_are_understood_however_they_are_cut() -> None:
    colours = b"aaabbbccc"
    for stop in range(1, 8):
        palette = png_palette.Palette(3, 8)
        rows = png_palette.Rows(palette, [(3, 2)])
        rows.feed(b"\0\0\0\0\0\0\0\1"[:stop])
        rows.feed(b"\0\0\0\0\0\0\0\1"[stop:])
        assert palette.emptied(colours) == b"aaabbb\0\0\0"
        rows.feed(b"")
    palette.unused.clear()
    rows.feed(b"x")


def still_and_moving(*, width: int = 2) -> bytes:
    """Return an animation of a palette whose default picture is none of its frames."""
    frame = struct.pack(">IIIIHHBB", width, 1, 0, 0, 1, 1, 0, 0)
    return built(
        (b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)),
        (b"acTL", struct.pack(">II", 2, 0)),
        (b"PLTE", b"aaabbbccc"),
        (b"IDAT", zlib.compress(b"\0\2\2")),
        (b"fcTL", struct.pack(">I", 0) + frame),
        (b"tEXt", b"Comment\0" + CANARY),
        (b"fdAT", struct.pack(">I", 1) + zlib.compress(b"\0\0\0"[: 1 + width])),
        (b"fcTL", struct.pack(">I", 2) + frame),
        (b"fdAT", struct.pack(">I", 3) + zlib.compress(b"\0\1\1"[: 1 + width])),
        END,
    )


@pytest.mark.claim("C-META")
def test_a_default_picture_that_no_animation_shows_gives_way_to_the_first_frame() -> None:
    made, facts = prove(still_and_moving(), ".png")
    listed = parts(made)
    kinds = [kind for kind, _ in listed]
    assert kinds[3:] == [b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"IEND"]
    found = dict(listed)
    assert found[b"PLTE"] == b"aaabbb\0\0\0"
    assert zlib.decompress(found[b"IDAT"]) == bytes(3)
    assert found[b"fdAT"][:4] == b"\0\0\0\2"
    assert "hidden_frames" in facts.removed
    assert getattr(Image.open(io.BytesIO(made)), "n_frames", 1) == 2


def test_a_default_picture_stays_where_no_frame_could_stand_for_it() -> None:
    made = clean(still_and_moving(width=1))
    assert dict(parts(made))[b"IDAT"] == zlib.compress(b"\0\2\2")
    assert clean(made) == made


def test_a_default_picture_without_a_palette_gives_way_too() -> None:
    header = (b"fcTL", b"\0\0\0\0" + FCTL[1][4:])
    dirty = animated(ACTL, IDAT, header, (b"fdAT", b"\0\0\0\1" + DATA))
    assert clean(dirty) == clean(animated(ACTL, FCTL, IDAT))


def test_rows_of_a_filter_that_is_none_are_refused() -> None:
    with pytest.raises(Malformed):
        clean(indexed(b"\5\0", 1, 8, (b"PLTE", b"abcdef")))


def test_looking_for_unused_colours_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    dirty = indexed(filtered(4, [bytes(40)] * 40), 40, 8, (b"PLTE", b"abcdef"))
    assert dict(parts(clean(dirty)))[b"PLTE"] == b"abc\0\0\0"
    monkeypatch.setattr(png_palette, "_SLOW_BYTES", 100)
    made = clean(dirty)
    assert dict(parts(made))[b"PLTE"] == b"abcdef"
    assert clean(made) == made


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    ("kind", "data", "left"),
    [
        (b"PLTE", CANARY + b"--", None),
        (b"bKGD", b"SN4207", None),
        (b"gAMA", b"\0\0\xb1\x90", 45455),
        (b"gAMA", b"SN42", None),
        (b"gAMA", bytes(4), None),
        (b"gAMA", struct.pack(">I", 47123), 47000),
        (b"cHRM", (CANARY * 3)[:32], None),
        (b"cHRM", bytes(32), None),
        (b"pHYs", b"SN7f3a91\1", (47, 29)),
        (b"pHYs", struct.pack(">II", 2835, 2834) + b"Z", None),
        (b"pHYs", struct.pack(">II", 0, 2834) + b"Z", None),
        (b"pHYs", struct.pack(">II", 9000, 1) + b"Z", None),
        (b"pHYs", struct.pack(">II", 1000, 3000) + b"\1", (1, 3)),
        (b"sRGB", b"S", None),
        (b"sBIT", b"\x08SN", None),
        (b"sBIT", b"\5\6\5", b"\5\6\5"),
        (b"cICP", b"SN42", None),
        (b"tRNS", b"SNR042", b"\0N\x000\x002"),
    ],
)
def test_a_number_in_a_png_says_no_more_than_its_picture_needs(
    kind: bytes, data: bytes, left: bytes | int | tuple[int, int] | None
) -> None:
    made = clean(after_header(PLAIN, (kind, data)))
    if isinstance(left, int):
        left = struct.pack(">I", left)
    elif isinstance(left, tuple):
        left = struct.pack(">IIB", *left, 0)
    assert dict(parts(made)).get(kind) == left
    assert clean(made) == made


def test_colours_of_a_screen_are_rounded_and_those_of_a_known_space_are_exact() -> None:
    measured = (31312, 32881, 63912, 33120, 29900, 60123, 15101, 6020)
    made = clean(after_header(PLAIN, (b"cHRM", struct.pack(">8I", *measured))))
    assert dict(parts(made))[b"cHRM"] == BT709
    odd = (31691, 32881, 61234, 34321, 30123, 59876, 14987, 7654)
    made = clean(after_header(PLAIN, (b"cHRM", struct.pack(">8I", *odd))))
    kept = struct.unpack(">8I", dict(parts(made))[b"cHRM"])
    assert kept == (31500, 33000, 61000, 34500, 30000, 60000, 15000, 7500)
    assert clean(made) == made


def test_a_palette_where_none_belongs_goes() -> None:
    grey = saved(drawing(20, 20, "L"))
    assert clean(after_header(grey, (b"PLTE", CANARY + b"--"))) == clean(grey)


@pytest.mark.claim("C-META")
def test_how_an_encoder_cut_its_data_is_not_kept() -> None:
    cuts = [DATA[:1], b"", DATA[1:7], b"", b"", DATA[7:], b"", b""]
    assert clean(built(HEADER, *((b"IDAT", cut) for cut in cuts), END)) == clean(PLAIN)
    chunks = parts(animation())
    last = max(i for i, (kind, _) in enumerate(chunks) if kind == b"fdAT")
    number, data = int.from_bytes(chunks[last][1][:4], "big"), chunks[last][1][4:]
    cut = [b"", data[:5], b"", data[5:], b""]
    chunks[last : last + 1] = [
        (b"fdAT", struct.pack(">I", number + n) + part) for n, part in enumerate(cut)
    ]
    made = clean(data_of(chunks))
    assert made == clean(animation())
    assert getattr(Image.open(io.BytesIO(made)), "n_frames", 1) == 3


def test_long_data_is_cut_into_chunks_that_every_decoder_takes() -> None:
    noise = Image.effect_noise((1500, 1000), 90)
    dirty = saved(noise)
    made = clean(dirty)
    lengths = [len(data) for kind, data in parts(made) if kind == b"IDAT"]
    assert lengths[0] == 1 << 20
    assert len(lengths) == 2
    assert pixels(made) == pixels(dirty)
    assert clean(made) == made


def test_data_that_fills_its_last_chunk_gets_no_empty_one() -> None:
    pieces: list[Piece] = []
    cut = Cut(b"IDAT", pieces)
    cut.add(7, bytes(1 << 20))
    cut.finish()
    assert pieces[:2] == [struct.pack(">I4s", 1 << 20, b"IDAT"), Range(7, 1 << 20)]
    assert len(pieces) == 3


def test_how_often_an_animation_plays_is_kept_where_somebody_could_count() -> None:
    chunks = parts(animation())
    place = [kind for kind, _ in chunks].index(b"acTL")
    for told, kept in ((3, 3), (int.from_bytes(b"SN42", "big"), 0)):
        chunks[place] = (b"acTL", struct.pack(">II", 3, told))
        assert dict(parts(clean(data_of(chunks))))[b"acTL"] == struct.pack(">II", 3, kept)


ACTL = (b"acTL", struct.pack(">II", 1, 0))
FCTL = (b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 32, 0, 0, 1, 1, 0, 0))
IDAT = (b"IDAT", DATA)
BROKEN: dict[str, Callable[[], bytes]] = {
    "no end": lambda: PLAIN[:-12],
    "cut in its data": lambda: PLAIN[: len(PLAIN) // 2],
    "cut in its head": lambda: PLAIN[:20],
    "another first chunk": lambda: built((b"tEXt", b"x" * 13), IDAT, END),
    "a wrong checksum": lambda: PLAIN[:32] + b"x" + PLAIN[33:],
    "a wrong checksum of a text": lambda: (
        PLAIN[:33] + chunk(*PLACES["text"])[:-1] + b"x" + PLAIN[33:]
    ),
    "a chunk beyond the file": lambda: PLAIN[:33] + b"\xff\xff\xff\xfftEXt",
    "two headers": lambda: built(HEADER, HEADER, IDAT, END),
    "no data": lambda: built(HEADER, END),
    "too little data": lambda: built(HEADER, (b"IDAT", zlib.compress(b"\0" * 99)), END),
    "too much data": lambda: built(HEADER, (b"IDAT", zlib.compress(b"\0" * 9999)), END),
    "broken data": lambda: built(HEADER, (b"IDAT", CANARY), END),
    "data in two places": lambda: built(HEADER, IDAT, PLACES["text"], IDAT, END),
    "an unknown critical chunk": lambda: after_header(PLAIN, (b"QQQQ", b"")),
    "no palette": lambda: built((b"IHDR", HEADER[1][:9] + b"\3\0\0\0"), IDAT, END),
    "a palette of a wrong length": lambda: after_header(PLAIN, (b"PLTE", b"1234")),
    "two palettes": lambda: after_header(PLAIN, (b"PLTE", b"123"), (b"PLTE", b"123")),
    "no width": lambda: built((b"IHDR", bytes(4) + HEADER[1][4:]), IDAT, END),
    "an impossible depth": lambda: built(
        (b"IHDR", HEADER[1][:8] + b"\7" + HEADER[1][9:]), IDAT, END
    ),
    "frames promised and missing": lambda: animated(
        (b"acTL", struct.pack(">II", 2, 0)), FCTL, IDAT
    ),
    "a frame without an animation": lambda: animated(FCTL, IDAT),
    "a frame header of a wrong length": lambda: animated(ACTL, (b"fcTL", b"short"), IDAT),
    "an animation too late": lambda: animated(IDAT, ACTL),
    "a frame's data without its header": lambda: animated(ACTL, IDAT, (b"fdAT", bytes(4) + DATA)),
    "a frame outside its picture": lambda: animated(
        ACTL, IDAT, (b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 32, 1, 0, 1, 1, 0, 0))
    ),
    "a frame larger than its picture": lambda: animated(
        ACTL, IDAT, (b"fcTL", struct.pack(">IIIIIHHBB", 0, 49, 32, 0, 0, 1, 1, 0, 0))
    ),
    "two headers of a first frame": lambda: animated(
        (b"acTL", struct.pack(">II", 2, 0)), FCTL, (b"fcTL", b"\0\0\0\1" + FCTL[1][4:]), IDAT
    ),
    "an unknown disposal": lambda: animated(ACTL, (b"fcTL", FCTL[1][:24] + b"\3\0"), IDAT),
    "an unknown blending": lambda: animated(ACTL, (b"fcTL", FCTL[1][:25] + b"\2"), IDAT),
    "a small first frame": lambda: animated(
        ACTL, (b"fcTL", struct.pack(">IIIIIHHBB", 0, 4, 3, 0, 0, 1, 1, 0, 0)), IDAT
    ),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_png_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        clean(BROKEN[damage]())


def test_a_png_that_would_unpack_without_end_is_refused_before_it_does() -> None:
    bomb = built(HEADER, (b"IDAT", zlib.compress(bytes(64 << 20), 9)), END)
    with pytest.raises(Malformed):
        clean(bomb)
    huge = built((b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)), IDAT, END)
    with pytest.raises(TooManyPixels):
        clean(huge)
    profile = after_header(PLAIN, (b"iCCP", b"x\0\0" + zlib.compress(bytes(8 << 20), 9)))
    with pytest.raises(Malformed):
        clean(profile)


def test_a_png_of_too_many_parts_is_refused() -> None:
    many = after_header(PLAIN, *[(b"tEXt", b"a\0b")] * 60)
    with pytest.raises(TooComplex):
        clean(many, Limits(image_parts=50))


def test_a_huge_text_goes_without_being_unpacked() -> None:
    bomb = after_header(PLAIN, (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9)))
    assert clean(bomb) == clean(PLAIN)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "survivor",
    [
        b"",
        after_header(PLAIN, PLACES["text"]),
        after_header(PLAIN, PLACES["EXIF"]),
        after_header(PLAIN, (b"eXIf", CANARY * 2)),
        after_header(PLAIN, (b"eXIf", (CANARY * 2).ljust(26))),
        after_header(PLAIN, PLACES["a profile's name"]),
        PLAIN + CANARY,
        PLAIN[:-1] + b"x",
        PLAIN[:60],
        built(HEADER, IDAT, (b"gAMA", bytes(4)), END),
        built(HEADER, (b"gAMA", bytes(4)), (b"gAMA", bytes(4)), IDAT, END),
        built((b"tEXt", CANARY), IDAT, END),
        after_header(PLAIN, (b"gAMA", b"SN42")),
        after_header(PLAIN, (b"cHRM", (CANARY * 3)[:32])),
        after_header(PLAIN, (b"pHYs", b"SN7f3a91\0")),
        after_header(PLAIN, (b"pHYs", struct.pack(">IIB", 2, 4, 0))),
        after_header(PLAIN, (b"pHYs", struct.pack(">IIB", 2, 3, 1))),
        after_header(PLAIN, (b"tRNS", b"SN4207")),
        after_header(PLAIN, (b"sRGB", b"S")),
        after_header(PLAIN, (b"sBIT", b"SN4")),
        after_header(PLAIN, (b"cICP", b"SN42")),
        after_header(PLAIN, (b"PLTE", b"SN4")),
        after_header(PLAIN, (b"bKGD", b"SN4207")),
        after_header(PLAIN, (b"acTL", b"\0\0\0\0SN42")),
        built(HEADER, IDAT, (b"IDAT", b""), END),
        built(HEADER, ACTL, (b"fcTL", FCTL[1][:24] + b"SN"), IDAT, END),
        built(HEADER, ACTL, (b"fcTL", b"SN42" + FCTL[1][4:]), IDAT, END),
    ],
)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_png(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        png_check.check(io.BytesIO(survivor))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_makes_a_png_crash_the_cleaner(data: st.DataObject) -> None:
    source = parts(data.draw(st.sampled_from([PLAIN, animation()])))
    number = data.draw(st.integers(0, len(source) - 1))
    kind, content = source[number]
    at = data.draw(st.integers(0, len(content)))
    cut = (
        content[:at]
        + data.draw(st.binary(max_size=4))
        + content[at + data.draw(st.integers(0, 4)) :]
    )
    source[number] = (data.draw(st.sampled_from([kind, b"tEXt", b"fcTL", b"PLTE"])), cut)
    try:
        made = clean(data_of(source))
    except Refused:
        return
    assert made.endswith(chunk(b"IEND", b""))


def test_our_own_chunks_are_written_with_their_checksum() -> None:
    assert png.chunk(b"IEND", b"") == PLAIN[-12:]
