"""Pictures in PDFs: the same samples, and nothing behind them or beside them."""

import base64
import io
import struct
import zlib

import pytest
from PIL import Image, ImageChops

from sanitizer.errors import (
    Malformed,
    MetadataSurvived,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.pdf import check_streams, jbig2, jpx
from tests.conftest import judge
from tests.sanitizer.kit import CANARY, prove
from tests.sanitizer.pdfs import drawn, looks_the_same, opened, paged, planned, remade, stream
from tests.sanitizer.test_icc import P3, curve, profile, with_curve
from tests.support.leaks import leaks
from tests.support.media import drawing

C = CANARY
WIDE, HIGH = 40, 30
PLACED = b"q 160 0 0 80 10 10 cm /Im Do Q"
PICTURE = drawing(WIDE, HIGH)


def picture(  # noqa: PLR0913 - an image has this many parts
    data: bytes,
    entries: bytes = b"/ColorSpace/DeviceRGB",
    *more: bytes,
    bits: int = 8,
    size: tuple[int, int] = (WIDE, HIGH),
    before: bytes = b"",
    resources: bytes = b"",
) -> bytes:
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d" % (*size, bits)
    return paged(
        before + PLACED,
        b"/XObject<</Im 5 0 R>>" + resources,
        stream(data, head + entries),
        *more,
    )


RAW = PICTURE.tobytes()
GREY = PICTURE.convert("L")
FLATE = b"/ColorSpace/DeviceRGB/Filter/FlateDecode"


def png_rows(data: bytes, row: int) -> bytes:
    """Return rows with the predictor that looks up."""
    made, above = b"", bytes(row)
    for at in range(0, len(data), row):
        line = data[at : at + row]
        made += b"\2" + bytes((a - b) & 255 for a, b in zip(line, above, strict=True))
        above = line
    return made


def runs(data: bytes) -> bytes:
    """Return run lengths: copies, one repeat, and the end."""
    made = b"".join(
        bytes([len(part) - 1]) + part
        for part in (data[at : at + 99] for at in range(0, len(data), 99))
    )
    return made + b"\xff\0\x80" + C


def lzw(data: bytes, early: int = 1) -> bytes:
    """Return LZW as old writers made it."""
    table = {bytes([n]): n for n in range(256)}
    width, bits, count, word = 9, 256, 9, b""

    def put(code: int) -> None:
        nonlocal bits, count
        bits, count = bits << width | code, count + width

    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
            continue
        put(table[word])
        table[longer] = len(table) + 2
        word = bytes([byte])
        if len(table) + 2 + early > 1 << width:
            width += 1
        if len(table) + 2 > 4090:
            put(256)
            table, width = {bytes([n]): n for n in range(256)}, 9
    put(table[word])
    if len(table) + 3 + early > 1 << width:
        width += 1
    put(257)
    bits <<= -count % 8
    return bits.to_bytes((count + 7) // 8, "big")


def tiff_part(image: Image.Image, compression: str) -> bytes:
    made = io.BytesIO()
    image.save(made, "TIFF", compression=compression, strip_size=1 << 20)
    loaded = Image.open(io.BytesIO(made.getvalue()))
    start, length = loaded.tag_v2[273][0], loaded.tag_v2[279][0]  # type: ignore[attr-defined]
    return made.getvalue()[start : start + length]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


BILEVEL = GREY.convert("1")
PARMS = b"/DecodeParms<</Predictor %d/Colors 3/BitsPerComponent 8/Columns 40>>"
PACKED = zlib.compress(RAW + C)
FAX = b"/ColorSpace/DeviceGray/Filter/CCITTFaxDecode/DecodeParms<<%s/Columns 40/Rows 30>>"
PALETTE = PICTURE.quantize(16)
PALETTE_BYTES = bytes(PALETTE.getpalette() or [])[:48]
FOUR = bytes(
    a << 4 | b
    for a, b in zip(PALETTE.tobytes()[::2], PALETTE.tobytes()[1::2], strict=True)
)  # fmt: skip
SIXTEEN = b"".join(struct.pack(">H", v * 257) for v in GREY.tobytes())
LOOKS: dict[str, bytes] = {
    "raw": picture(RAW + C),
    "deflated": picture(zlib.compress(RAW + C) + C, FLATE),
    "deflated in rows": picture(zlib.compress(png_rows(RAW, 120) + C), FLATE + PARMS % 15),
    "rows of another shape": picture(
        zlib.compress(png_rows(RAW, 60) + C),
        FLATE + b"/DecodeParms<</Predictor 12/Colors 1/Columns 60>>",
    ),
    "rows of TIFF": picture(zlib.compress(RAW), FLATE + PARMS % 2),
    "rows of nothing": picture(zlib.compress(RAW), FLATE + PARMS % 1),
    "hexadecimal": picture(
        RAW.hex().encode() + b">" + C, b"/ColorSpace/DeviceRGB/Filter/ASCIIHexDecode"
    ),
    "base 85": picture(
        base64.a85encode(RAW) + b"~>" + C,
        b"/ColorSpace/DeviceRGB/Filter[/ASCII85Decode]",
    ),
    "run lengths": picture(runs(RAW), b"/ColorSpace/DeviceRGB/Filter/RunLengthDecode"),
    "LZW": picture(lzw(RAW) + C, b"/ColorSpace/DeviceRGB/Filter/LZWDecode"),
    "LZW that changes late": picture(
        lzw(RAW, 0), b"/ColorSpace/DeviceRGB/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>"
    ),
    "two filters": picture(
        zlib.compress(zlib.compress(RAW)).hex().encode() + b">",
        b"/ColorSpace/DeviceRGB/Filter[/ASCIIHexDecode/FlateDecode/FlateDecode]"
        b"/DecodeParms[null null]",
    ),
    "no encryption": picture(
        zlib.compress(RAW), b"/ColorSpace/DeviceRGB/Filter[/Crypt/FlateDecode]"
    ),
    "a JPEG": picture(saved(PICTURE, "JPEG"), b"/ColorSpace/DeviceRGB/Filter/DCTDecode"),
    "a JPEG behind something": picture(
        C + saved(PICTURE, "JPEG"), b"/ColorSpace/DeviceRGB/Filter/DCTDecode"
    ),
    "a JPEG of inks": picture(
        saved(PICTURE.convert("CMYK"), "JPEG"),
        b"/ColorSpace/DeviceCMYK/Filter[/DCTDecode]/DecodeParms[<</ColorTransform 0>>]"
        b"/Decode[1 0 1 0 1 0 1 0]",
    ),
    "a JPEG with a profile": picture(
        saved(PICTURE, "JPEG", icc_profile=profile(with_curve(P3, curve(563)))),
        b"/ColorSpace/DeviceRGB/Filter/DCTDecode",
    ),
    "JPEG 2000": picture(
        saved(PICTURE, "JPEG2000", comment=C), b"/ColorSpace/DeviceRGB/Filter/JPXDecode"
    ),
    "JPEG 2000 of itself": picture(saved(PICTURE, "JPEG2000"), b"/Filter/JPXDecode"),
    "a bare JPEG 2000": picture(
        saved(PICTURE, "JPEG2000", no_jp2=True, comment=C),
        b"/ColorSpace/DeviceRGB/Filter/JPXDecode",
    ),
    "a fax page": picture(tiff_part(BILEVEL, "group4"), FAX % b"/K -1", bits=1),
    "a fax page upside down": picture(
        tiff_part(BILEVEL, "group4"), FAX % b"/K -1/BlackIs1 true", bits=1
    ),
    "an old fax page": picture(tiff_part(BILEVEL, "group3"), FAX % b"/K 0", bits=1),
    "four bits of a palette": picture(
        FOUR + C,
        b"/ColorSpace[/Indexed/DeviceRGB 15<%s>]" % PALETTE_BYTES.hex().encode(),
        bits=4,
    ),
    "one bit": picture(BILEVEL.tobytes() + C, b"/ColorSpace/DeviceGray/Decode[1 0]", bits=1),
    "two inks": picture(
        RAW[: 2 * WIDE * HIGH],
        b"/ColorSpace[/DeviceN[/Cyan/Own]/DeviceRGB 6 0 R]",
        stream(b"{0.5}", b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]"),
    ),
    "calibrated": picture(RAW, b"/ColorSpace[/CalRGB<</WhitePoint[0.95 1 1.09]>>]"),
    "sixteen bits": picture(SIXTEEN + C, b"/ColorSpace/DeviceGray/Interpolate true", bits=16),
    "a stencil": picture(
        BILEVEL.tobytes(), b"/ImageMask true/Intent/Saturation/Interpolate false", bits=1,
        before=b"1 0 0 rg ",
    ),
    "a soft mask": picture(
        RAW,
        b"/ColorSpace/DeviceRGB/SMask 6 0 R/Mask[1 2 3 4 5 6]",
        stream(
            zlib.compress(GREY.tobytes()),
            b"/Subtype/Image/Width 40/Height 30/BitsPerComponent 8/ColorSpace/DeviceGray"
            b"/Matte[0 0 0]/Filter/FlateDecode",
        ),
        before=b"0 0 1 rg 0 0 200 50 re f ",
    ),
    "a hard mask": picture(
        RAW,
        b"/ColorSpace/DeviceRGB/Mask 6 0 R",
        stream(BILEVEL.tobytes(), b"/Subtype/Image/Width 40/Height 30/ImageMask true"),
        before=b"0 0 1 rg 0 0 200 50 re f ",
    ),
    "a mask by colour": picture(
        RAW, b"/ColorSpace/DeviceRGB/Mask[0 99 0 255 0 255]", before=b"0 0 1 rg 0 0 200 50 re f "
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKS)
def test_a_picture_of_a_pdf_looks_the_same(case: str) -> None:
    judge("pdftoppm")
    made = remade(LOOKS[case])
    assert looks_the_same(LOOKS[case], made)
    assert not leaks(C, made)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("case", ["JPEG 2000", "a bare JPEG 2000", "deflated", "one bit"])
def test_a_word_in_a_picture_of_a_pdf_goes(case: str) -> None:
    prove(LOOKS[case], ".pdf")


def test_a_picture_with_a_profile_keeps_its_colours() -> None:
    judge("pdftoppm")
    own = stream(profile(with_curve(P3, curve(563))), b"/N 3")
    dirty = picture(RAW, b"/ColorSpace[/ICCBased 6 0 R]", own)
    before, after = drawn(dirty)[0], drawn(remade(dirty))[0]
    spread = ImageChops.difference(before, after).getextrema()
    assert max(most for _, most in spread) < 9  # type: ignore[misc]


def test_one_mask_of_two_pictures_is_written_once() -> None:
    image = b"/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray"
    dirty = paged(
        b"/A Do /B Do",
        b"/XObject<</A 5 0 R/B 6 0 R>>",
        stream(b"x", image + b"/SMask 7 0 R"),
        stream(b"y", image + b"/SMask 7 0 R"),
        stream(b"z", image),
    )
    assert remade(dirty).count(b"/Subtype /Image") == 3


@pytest.mark.claim("C-META")
def test_the_bits_behind_each_row_are_zeros() -> None:
    rows = b"\xff\xff" * 9
    made = opened(remade(picture(rows, b"/ColorSpace/DeviceGray", bits=1, size=(12, 9))))
    assert b"\xff\xf0" * 9 in made
    assert rows not in made


def sized(width: bytes, height: bytes, entries: bytes = b"") -> bytes:
    return paged(
        PLACED,
        b"/XObject<</Im 5 0 R>>",
        stream(
            b"",
            b"/Subtype/Image/Width %s/Height %s/BitsPerComponent 8/ColorSpace/DeviceRGB%s"
            % (width, height, entries),
        ),
    )


JPEG = saved(PICTURE, "JPEG")
JP2 = saved(PICTURE, "JPEG2000")
DCT = b"/ColorSpace/DeviceRGB/Filter/DCTDecode"
BROKEN: dict[str, bytes] = {
    "no size": sized(b"/x", b"1"),
    "no height": sized(b"1", b"0"),
    "a strange depth": picture(RAW, bits=3),
    "no colours": picture(RAW, b""),
    "too little data": picture(RAW[:900]),
    "unknown rows": picture(zlib.compress(b"\7" * 3630), FLATE + PARMS % 15),
    "a JPEG of another size": picture(JPEG, DCT, size=(40, 29)),
    "a JPEG of other colours": picture(JPEG, b"/ColorSpace/DeviceGray/Filter/DCTDecode"),
    "no JPEG": picture(C, DCT),
    "a JPEG 2000 of another size": picture(JP2, b"/Filter/JPXDecode", size=(40, 29)),
    "no JPEG 2000": picture(C * 9, b"/Filter/JPXDecode"),
    "a fax page of another width": picture(b"", FAX % b"/K -1", bits=1, size=(41, 30)),
    "a fax page in colours": picture(b"", FAX % b"/K -1", bits=8),
    "no fax page": picture(b"\0" * 9, FAX % b"/K -1", bits=1),
    "broken base 85": picture(b"zz~>z!z", b"/ColorSpace/DeviceRGB/Filter/ASCII85Decode"),
    "worse base 85": picture(b"uuuuu~>", b"/ColorSpace/DeviceRGB/Filter/ASCII85Decode"),
    "broken LZW": picture(b"\x80\x7f\xff\xff", b"/ColorSpace/DeviceRGB/Filter/LZWDecode"),
    "nothing deflated": picture(b"\0\0\0\0", FLATE),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_picture_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        planned(BROKEN[damage])


def test_pictures_of_unknown_kinds_are_refused() -> None:
    for entries in (
        b"/ColorSpace/DeviceRGB/Filter/UnknownDecode",
        b"/ColorSpace/DeviceRGB/Filter[/DCTDecode/FlateDecode]",
        b"/ColorSpace/DeviceRGB/Filter[1]",
        FAX % b"/K -1/EncodedByteAlign true",
    ):
        with pytest.raises(Unsupported):
            planned(picture(JPEG, entries, bits=1))


def test_a_grey_jpeg_of_two_components_has_no_colours() -> None:
    two = bytearray(saved(PICTURE.convert("CMYK"), "JPEG"))
    with pytest.raises((Malformed, Unsupported)):
        planned(picture(bytes(two[: len(two) // 2]), b"/Filter/DCTDecode"))


def test_a_fax_page_in_other_codes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    class Read:
        def __init__(self, file: io.BytesIO) -> None:
            seen.append(file.getvalue())

        def load(self) -> None:
            return

        def tobytes(self) -> bytes:
            return bytes(150)

    monkeypatch.setattr("PIL.TiffImagePlugin.TiffImageFile", Read)
    for told, compression in (
        (b"/K 1", 3), (b"/K 0/EncodedByteAlign true", 2), (b"/K 0/EndOfLine true", 3),
    ):  # fmt: skip
        planned(picture(b"abc", FAX % told, bits=1))
        assert struct.pack("<HHII", 259, 3, 1, compression) in seen[-1]


def test_pictures_beyond_the_limits_are_refused() -> None:
    with pytest.raises(Malformed):
        planned(sized(b"70000", b"1"))
    with pytest.raises(TooManyPixels):
        planned(picture(RAW), Limits(image_pixels=1000))
    with pytest.raises(TooManyPixels):
        planned(picture(RAW), Limits(pdf_image_bytes=1000))
    with pytest.raises(TooManyPixels):
        planned(picture(b"", FAX % b"/K -1", bits=1), Limits(pdf_image_bytes=100))
    with pytest.raises(TooComplex):
        planned(picture(RAW), Limits(pdf_decoded_bytes=1000))
    for data, name in (
        (
            zlib.compress(zlib.compress(bytes(40_000_000), 9)),
            b"[/FlateDecode/FlateDecode/FlateDecode]",
        ),
        (b"\x81\0" * 99_999, b"[/RunLengthDecode/FlateDecode]"),
        (lzw(bytes(99_999)), b"[/LZWDecode/FlateDecode]"),
        (JPEG, b"[" + b"/FlateDecode" * 9 + b"]"),
    ):
        with pytest.raises(TooComplex):
            planned(picture(data, b"/ColorSpace/DeviceRGB/Filter" + name))
    inline = b"BI /W 1/H 1/BPC 8/CS/G/F/Fl ID " + zlib.compress(bytes(9999)) + b" EI"
    with pytest.raises(TooComplex):
        planned(paged(inline))


def test_a_picture_that_says_little_is_completed() -> None:
    grey = opened(remade(picture(saved(GREY, "JPEG"), b"/Filter/DCTDecode")))
    assert b"/ColorSpace /DeviceGray" in grey
    assert RAW[:-5] + bytes(5) in opened(remade(picture(RAW[:-5])))
    marked = b"<~" + base64.a85encode(RAW) + b"~>"
    entries = b"/ColorSpace/DeviceRGB/Filter/ASCII85Decode"
    assert remade(picture(marked, entries)) == remade(picture(RAW))


def test_what_a_damaged_stream_still_gives_is_shown() -> None:
    data = zlib.compress(RAW, 0)
    damaged = data[:3400] + b"\xff" * 9 + data[3409:-4] + b"0000"
    assert remade(picture(damaged, FLATE))
    cut = picture(data[:-300], FLATE)
    assert remade(cut)


# --- JPEG 2000 -----------------------------------------------------------------------------------


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def codestream(*parts: bytes, end: bytes = b"\xff\xd9") -> bytes:
    size = struct.pack(">HHHIIIIIIIIH", 0xFF51, 41, 0, 9, 9, 0, 0, 9, 9, 0, 0, 1) + b"\7\1\1"
    return b"\xff\x4f" + size + b"".join(parts) + end


def tile(body: bytes = b"data", head: bytes = b"", length: int | None = None) -> bytes:
    whole = 12 + len(head) + 2 + len(body)
    start = struct.pack(">HHHIBB", 0xFF90, 10, 0, whole if length is None else length, 0, 1)
    return start + head + b"\xff\x93" + body


COMMENT = struct.pack(">HHH", 0xFF64, 4 + len(C), 1) + C
LENGTHS = struct.pack(">HHBB", 0xFF55, 4, 0, 0)
IHDR = box(b"ihdr", struct.pack(">IIHBBBB", 9, 9, 1, 7, 7, 0, 0))
P3_COLOUR = b"\2\0\0" + profile(with_curve(P3, curve(563)))


def boxed(*header: bytes, stream: bytes = b"", more: bytes = b"") -> bytes:
    made = jpx._SIGNATURE + jpx._TYPE + box(b"jp2h", IHDR + b"".join(header))
    return made + more + box(b"jp2c", stream or codestream(tile()))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "dirty",
    [
        boxed(more=box(b"xml ", C)),
        boxed(more=box(b"uuid", C)),
        boxed() + box(b"free", C),
        boxed(box(b"res ", C)),
        boxed(box(b"ihdr", bytes(14) + C)),
        boxed(box(b"colr", P3_COLOUR)),
        boxed(box(b"colr", b"\2\0\0" + C)),
        boxed(box(b"colr", b"\1\0\0\0\0\0\x10" + C)),
        boxed(box(b"colr", b"\1\0\0\0\0\1\x10")),
        boxed(box(b"pclr", b"\0\1\2\7\7ab" + C)),
        boxed(box(b"cdef", b"\0\1" + bytes(6) + C)),
        boxed(box(b"cmap", bytes(4) + C[:3])),
        boxed(box(b"bpcc", b"\7")),
        boxed(stream=codestream(COMMENT, tile(head=COMMENT + LENGTHS))),
        boxed(stream=codestream(LENGTHS, tile(length=0))),
        boxed(stream=codestream(tile(), end=b"\xff\xd9" + C)),
        boxed(stream=codestream(tile(), end=b"")),
        boxed(stream=codestream(tile(length=0), end=b"")),
        boxed(stream=codestream(tile()), more=box(b"jp2h", C)),
        boxed() + box(b"jp2c", C),
        jpx._SIGNATURE + jpx._TYPE + struct.pack(">I4sQ", 1, b"jp2h", 16 + len(IHDR)) + IHDR
        + struct.pack(">I4s", 0, b"jp2c") + codestream(tile()),
        codestream(COMMENT, tile()),
    ],
    ids=[f"place {number}" for number in range(22)],
)  # fmt: skip
def test_a_jpeg_2000_keeps_the_picture_alone(dirty: bytes) -> None:
    kinds: set[str] = set()
    made = jpx.cleaned(dirty, kinds)
    assert (made.width, made.height) == (9, 9)
    assert not leaks(C, made.data)
    assert not leaks(C[:3] + b"ARY-", made.data) or C not in dirty
    assert jpx.cleaned(made.data, set()).data == made.data
    check_streams.jpx(made.data)


@pytest.mark.parametrize(
    "broken",
    [
        boxed()[:40],
        jpx._SIGNATURE + box(b"jp2c", codestream(tile())),
        jpx._SIGNATURE + box(b"jp2h", box(b"colr", b"\1\0\0\0\0\0\x10")),
        boxed(stream=b"none"),
        boxed(stream=codestream(tile(length=9999))),
        boxed(stream=codestream(tile(length=12))),
        boxed(stream=codestream(struct.pack(">HH", 0xFF64, 999))),
        boxed(stream=codestream(struct.pack(">HH", 0xFF64, 1))),
        boxed(stream=codestream(tile(head=COMMENT, length=15))),
        boxed() + b"\0\0\0\4xml ",
    ],
    ids=[f"damage {number}" for number in range(10)],
)
def test_a_broken_jpeg_2000_is_refused(broken: bytes) -> None:
    with pytest.raises(Malformed):
        jpx.cleaned(broken, set())


def test_an_unusual_jpeg_2000_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsupported):
        jpx.cleaned(codestream(struct.pack(">HH", 0xFF77, 2), tile()), set())
    monkeypatch.setattr(jpx, "_MOST_PARTS", 2)
    with pytest.raises(TooComplex):
        jpx.cleaned(boxed(), set())
    with pytest.raises(TooComplex):
        jpx.cleaned(codestream(COMMENT, COMMENT, COMMENT), set())


# --- JBIG2 ---------------------------------------------------------------------------------------


def segment(
    kind: int, body: bytes, number: int = 1, head: bytes = b"\0\1", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">IB", number, kind) + head + struct.pack(">I", size) + body


PAGE = segment(48, struct.pack(">IIIIBH", WIDE, HIGH, 77, 88, 0, 0))
REGION = struct.pack(">IIIIB", WIDE, HIGH, 0, 0, 0) + b"\1\0\0\0\0\0\0\0\0\0"
GENERIC = segment(38, REGION)
ENTRIES = b"/ColorSpace/DeviceGray/Filter/JBIG2Decode"


@pytest.mark.claim("C-META")
def test_a_jbig2_page_keeps_the_picture_alone() -> None:
    dirty = (
        PAGE + segment(62, C) + GENERIC + segment(52, C)
        + segment(50, struct.pack(">I", 29) + C, head=b"\x20\1\1")
        + segment(0, b"", 300, b"\x40\0\1\0\2\1")
        + segment(53, b"", 70_000, b"\xe0\0\0\1\0\0\0\0\1\1")
        + segment(0x40, b"", 2, b"\0\0\0\0\1") + segment(49, b"") + segment(51, b"") + C[:9]
    )  # fmt: skip
    tables = segment(0, b"") + segment(62, C)
    shared = b"/DecodeParms<</JBIG2Globals 6 0 R>>"
    made, facts = prove(picture(dirty, ENTRIES + shared, stream(tables), bits=1), ".pdf")
    assert "comment" in facts.removed
    assert struct.pack(">IIII", WIDE, HIGH, 0, 0) in made
    assert b"/JBIG2Globals" in made


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        segment(48, bytes(19)),
        segment(48, b""),
        segment(38, b"", length=99),
        segment(62, C),
    ],
    ids=[f"damage {number}" for number in range(5)],
)
def test_a_broken_jbig2_page_is_refused(broken: bytes) -> None:
    with pytest.raises(Malformed):
        jbig2.cleaned(broken, set(), (WIDE, HIGH))


def test_an_unusual_jbig2_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for strange in (segment(12, b""), segment(38, b"", length=0xFFFFFFFF)):
        with pytest.raises(Unsupported):
            jbig2.cleaned(strange, set(), None)
    with pytest.raises(Malformed):
        jbig2.cleaned(PAGE, set(), None)
    monkeypatch.setattr(jbig2, "_MOST_SEGMENTS", 1)
    with pytest.raises(TooComplex):
        jbig2.cleaned(PAGE + GENERIC, set(), (WIDE, HIGH))


# --- the second reader ---------------------------------------------------------------------------


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "survivor",
    [
        boxed(more=box(b"xml ", C)),
        boxed() + b"more",
        boxed(box(b"res ", C)),
        boxed(box(b"colr", P3_COLOUR)),
        boxed(stream=codestream(COMMENT, tile())),
        boxed(stream=codestream(tile(head=COMMENT))),
        boxed(stream=codestream(tile(), end=b"")),
        boxed(stream=codestream(tile(length=0))),
        codestream(tile())[:-2] + b"more\xff\xd9",
    ],
    ids=[f"place {number}" for number in range(9)],
)
def test_the_second_reader_notices_more_than_a_picture_in_jpeg_2000(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        check_streams.jpx(survivor)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "survivor", [segment(62, C), PAGE, GENERIC + b"x" * 20], ids=["a comment", "dots", "a tail"]
)
def test_the_second_reader_notices_more_than_a_picture_in_jbig2(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        check_streams.jbig2(survivor)
