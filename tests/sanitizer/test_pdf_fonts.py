"""Fonts in PDFs: the letters look as they did, and know nothing of where they come from."""

import struct

import pytest

from sanitizer.errors import Malformed, MetadataSurvived, TooComplex, Unsupported
from sanitizer.pdf import cff, check_fonts, cmap, glyphs, sfnt, type1
from sanitizer.pdf.glyphs import Names
from sanitizer.pdf.shown import Shown
from tests.conftest import judge
from tests.sanitizer import fontkit
from tests.sanitizer.fontkit import FORM_0, FORM_4, FORM_6, FORM_12, SQUARE, TAIL, outline, truetype
from tests.sanitizer.kit import CANARY, prove
from tests.sanitizer.pdfs import looks_the_same, opened, paged, planned, remade, stream
from tests.support.leaks import leaks

C = CANARY
TEXT = b"BT /F 40 Tf 10 30 Td (ABAB) Tj ET"
WIDTHS = b"/FirstChar 65/LastChar 66/Widths[700 700]"
DESCRIBED = (
    b"<</Type/FontDescriptor/FontName/ABCDEF+%s/Flags %d/FontBBox[0 -200 700 700]/ItalicAngle 0"
    b"/Ascent 700/Descent -200/CapHeight 700/StemV 80/FontFamily(%s)/CharSet(/%s)/Lang/%s"
    b"/%s 7 0 R>>"
)


def simple(  # noqa: PLR0913 - a font has this many parts
    program: bytes,
    key: bytes = b"FontFile2",
    subtype: bytes = b"TrueType",
    entries: bytes = b"",
    *,
    flags: int = 32,
    more: bytes = b"",
) -> bytes:
    return paged(
        TEXT,
        b"/Font<</F 5 0 R>>",
        b"<</Type/Font/Subtype/%s/BaseFont/ABCDEF+%s%s/FontDescriptor 6 0 R%s>>"
        % (subtype, C, WIDTHS, entries),
        DESCRIBED % (C, flags, C, C, C, key),
        stream(program, more, packed=True),
    )


def numbered(program: bytes, key: bytes, subtype: bytes, entries: bytes = b"") -> bytes:
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[8 0 R]>>" % C
    )
    inner = (
        b"<</Type/Font/Subtype/%s/BaseFont/%s/FontDescriptor 6 0 R/DW 700/CIDSystemInfo"
        b"<</Registry(%s)/Ordering(%s)/Supplement 7>>%s>>" % (subtype, C, C, C, entries)
    )
    more = b"/Subtype/CIDFontType0C" if key == b"FontFile3" else b""
    return paged(
        b"BT /F 40 Tf 10 30 Td <000100020001> Tj ET",
        b"/Font<</F 5 0 R>>",
        font,
        DESCRIBED % (C, 4, C, C, C, key),
        stream(program, more, packed=True),
        inner,
    )


GLYPHS = [b"", outline(SQUARE, C), outline(TAIL, C, b"\x4f")]
NAMED = {b"name": C, b"DSIG": C, b"meta": C, b"OS/2": b"\0\4" + bytes(56) + C[:4] + bytes(6) + C}
POST = fontkit.post([b"A", C], [0, 258, 259])


def typical(**options: object) -> bytes:
    maps = options.pop("cmap", fontkit.cmap((1, 0, FORM_0), (3, 1, FORM_4)))
    return truetype(GLYPHS, maps, gap=C, **{"more": NAMED, "post": POST, **options})  # type: ignore[arg-type]


FONTS: dict[str, bytes] = {
    "TrueType": simple(typical(), entries=b"/Encoding/WinAnsiEncoding"),
    "TrueType with long places": simple(typical(is_long=True)),
    "TrueType with symbols": simple(
        typical(cmap=fontkit.cmap((3, 0, FORM_6), (1, 0, FORM_6))), flags=4
    ),
    "TrueType with large characters": simple(
        typical(cmap=fontkit.cmap((3, 10, FORM_12), (3, 1, FORM_6))),
        entries=b"/Encoding/MacRomanEncoding",
    ),
    "TrueType by names": simple(
        typical(), entries=b"/Encoding<</Type/Encoding/Differences[65/A/%s 70 0.5/B]>>" % C
    ),
    "CID TrueType": numbered(typical(), b"FontFile2", b"CIDFontType2", b"/CIDToGIDMap/Identity"),
    "compact": simple(
        fontkit.compact(
            fontkit.operator(0, 391) + fontkit.operator(1, 392) + fontkit.operator(13, 77)
            + fontkit.operator(5, 0, 0, 700, 700)
            + fontkit.operator(1207, 0.001, 0, 0, 0.001, 0, 0),
            strings=(C, C + b"x"),
        ),
        b"FontFile3", b"Type1", more=b"/Subtype/Type1C",
    ),
    "compact with names of its own": simple(
        fontkit.compact(
            strings=(b"unused", C, b"A.sc"),
            charset=struct.pack(">BHB", 1, 392, 1),
            encoding=b"\x80\2AB\2C\1\x88D\0\1",
        ),
        b"FontFile3", b"Type1", b"/Encoding<</Differences[65/%s/A.sc]>>" % C,
        more=b"/Subtype/Type1C",
    ),
    "compact by ranges": simple(
        fontkit.compact(charset=struct.pack(">BHH", 2, 34, 1), encoding=b"\1\1A\1"),
        b"FontFile3", b"Type1", more=b"/Subtype/Type1C",
    ),
    "compact by number": numbered(
        fontkit.compact(
            strings=(C, C),
            cid=(b"\0\0\1\1", fontkit.operator(1230, 391, 392, 0) + fontkit.operator(1234, 3)),
            charset=struct.pack(">BHH", 0, 1, 2),
        ),
        b"FontFile3", b"CIDFontType0",
    ),
    "compact by number in ranges": numbered(
        fontkit.compact(
            strings=(C, C),
            cid=(struct.pack(">BHHBHBH", 3, 2, 0, 0, 1, 1, 3), fontkit.operator(1230, 391, 392, 0)),
            charset=struct.pack(">BHH", 2, 1, 1),
        ),
        b"FontFile3", b"CIDFontType0",
    ),
    "OpenType": simple(
        fontkit.sfnt({b"CFF ": fontkit.compact(strings=(C,)), b"name": C}, b"OTTO"),
        b"FontFile3", b"Type1", more=b"/Subtype/OpenType",
    ),
    "Type 1": simple(
        fontkit.type1(
            clear=b"%!PS-AdobeFont-1.0: " + C + b"\n%%CreationDate: " + C
            + b"\n/FontMatrix[0.001 0 0 0.001 0 0]readonly def/FontBBox{0 0 700 700}readonly def"
            + b"\n/Notice(" + C + b")def/UniqueID 7 def/StrokeWidth 0 def\n",
        )[0], b"FontFile", b"Type1",
    ),
    "Type 1 with names of its own": simple(
        fontkit.type1(
            names=(b".notdef", C, b"B"),
            encoding=b"/Encoding 256 array\ndup 16#41/" + C + b" put readonly def\n"
        )[0], b"FontFile", b"Type1",
        b"/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/%s]>>" % C,
    ),
    "Type 1 in hexadecimal": simple(
        fontkit.type1(
            hexadecimal=True, private=b"/Secret(" + C + b")def/ForceBold true def\n", lead=C[:4]
        )[0], b"FontFile", b"Type1",
    ),
    "Type 1 without secrets": simple(
        fontkit.type1(
            lead=b"", private=b"/lenIV -1 def\n", subroutines=(),
            encoding=b"/Encoding StandardEncoding def\n",
        )[0], b"FontFile", b"Type1",
    ),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", FONTS)
def test_a_font_in_a_pdf_keeps_its_letters_and_forgets_its_history(kind: str) -> None:
    judge("pdftoppm")
    dirty = FONTS[kind]
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    assert b"CANARY" not in opened(made)


def test_a_font_in_the_frames_of_a_disk_is_read() -> None:
    font, split = fontkit.type1(tail=b"")
    framed = b"".join(
        b"\x80" + bytes([kind]) + struct.pack("<I", len(part)) + part
        for kind, part in ((1, font[:split]), (2, font[split:]))
    )
    judge("pdftoppm")
    made = remade(simple(framed + b"\x80\3", b"FontFile", b"Type1"))
    assert looks_the_same(simple(font, b"FontFile", b"Type1"), made)
    wrapped = font.replace(b"eexec\n", b"eexec\r\n")
    assert remade(simple(wrapped, b"FontFile", b"Type1")) == made


def test_one_program_of_two_fonts_is_written_once() -> None:
    dirty = paged(
        b"BT /F 40 Tf (A) Tj /G 9 Tf (B) Tj ET",
        b"/Font<</F 5 0 R/G 8 0 R>>",
        b"<</Type/Font/Subtype/TrueType/BaseFont/A%s/FontDescriptor 6 0 R>>" % WIDTHS,
        DESCRIBED % (b"a", 4, b"a", b"a", b"a", b"FontFile2"),
        stream(typical()),
        b"<</Type/Font/Subtype/TrueType/BaseFont/A%s/FontDescriptor 6 0 R>>" % WIDTHS,
    )
    made = remade(dirty)
    assert made.count(b"/FontFile2 ") == 2
    assert made.count(b"/Length1 ") == 1
    assert b"/AAAAAA+Font" in made
    assert b"/AAAAAB+Font" in made


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "flags", "weight", "new"),
    [
        (b"Helvetica", 0, 0, b"Helvetica"),
        (b"ABCDEF+Arial,BoldItalic", 0, 0, b"Arial,BoldItalic"),
        (b"TimesNewRomanPS-BoldMT", 0, 0, b"TimesNewRomanPS-BoldMT"),
        (b"Courier New", 0, 0, b"Courier New"),
        (b"JohnsHand", 0, 0, b"Helvetica"),
        (b"JohnsHand-Bold", 2, 0, b"Times-Bold"),
        (b"JohnsHand", 2, 0, b"Times-Roman"),
        (b"JohnsHand", 66, 700, b"Times-BoldItalic"),
        (b"JohnsHand-Oblique", 1, 0, b"Courier-Oblique"),
        (b"Arial/\xff", 1 << 18, 0, b"Helvetica-Bold"),
        (b"ArialJohn", 0, 0, b"Helvetica"),
    ],
    ids=ascii,
)
def test_a_font_that_is_not_embedded_is_called_like_a_common_one(
    old: bytes, flags: int, weight: float, new: bytes
) -> None:
    assert glyphs.installed_name(old, flags, weight) == new


@pytest.mark.parametrize(
    ("ordering", "name"),
    [
        (b"GB1", b"/STSong-Light "),
        (b"CNS1", b"/MSung-Light "),
        (b"Japan1", b"/HeiseiMin-W3 "),
        (b"Korea1", b"/HYSMyeongJo-Medium "),
        (b"Identity", b"/Helvetica "),
    ],
)
def test_letters_of_a_collection_are_asked_of_a_font_that_has_them(
    ordering: bytes, name: bytes
) -> None:
    dirty = paged(
        b"BT /F 20 Tf 10 40 Td <4e2d6587> Tj ET",
        b"/Font<</F<</Type/Font/Subtype/Type0/BaseFont/JohnsHand/Encoding/UniGB-UTF16-H"
        b"/DescendantFonts[5 0 R]>>>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/JohnsHand"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(%s)/Supplement 1>>>>" % ordering,
    )
    made = opened(remade(dirty))
    assert made.count(b"/BaseFont " + name) == 2
    assert b"John" not in made


def test_a_described_font_that_is_not_embedded_takes_its_nearest_relative() -> None:
    dirty = simple(b"").replace(b"/FontFile2 7 0 R", b"/FontWeight 700")
    made, _ = prove(dirty, ".pdf")
    assert b"/FontName /Helvetica-Bold" in made


# --- what the small parts refuse -----------------------------------------------------------------


BROKEN_SFNT: dict[str, bytes] = {
    "another kind": b"wOFF" + bytes(20),
    "no head": fontkit.sfnt({b"glyf": b"", b"loca": b""}),
    "a short head": fontkit.sfnt({b"head": bytes(50), b"glyf": b"", b"loca": b""}),
    "no letters": fontkit.sfnt({b"head": bytes(54)}),
    "no places": fontkit.sfnt({b"head": bytes(54), b"glyf": b"", b"loca": b""}),
    "too many tables": b"\0\1\0\0\xff\xff" + bytes(6),
    "groups out of order": typical(
        cmap=fontkit.cmap((3, 10, struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, 9, 5, 1)))
    ),
}


@pytest.mark.parametrize("damage", BROKEN_SFNT)
def test_a_broken_truetype_font_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        sfnt.cleaned(BROKEN_SFNT[damage], Names())


def test_a_truetype_font_with_too_many_characters_is_refused() -> None:
    count = 20
    form = struct.pack(
        f">7H{count}HH{count}H{count}H{count}H", 4, 0, 0, 2 * count, 0, 0, 0, *[0xFFFE] * count, 0,
        *[0] * count, *[0] * count, *[0] * count,
    )  # fmt: skip
    with pytest.raises(TooComplex):
        sfnt.cleaned(typical(cmap=fontkit.cmap((3, 1, form))), Names())
    form = struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, 9, 60_000, 1)
    many = {(3, 10), (3, 1), (0, 3), (0, 4), (0, 5), (0, 6), (1, 0), (3, 0)}
    font = typical(cmap=fontkit.cmap(*((*key, form) for key in sorted(many))))
    with pytest.raises(TooComplex):
        sfnt.cleaned(font.replace(b"\0\1\0\0\0\3\0\0", b"\0\1\0\0\xff\xff\0\0"), Names())
    back_and_forth = struct.pack(">HH", 0, 50_000) * 9
    unfolding = {b"loca": back_and_forth, b"glyf": bytes(100_000)}
    with pytest.raises(TooComplex):
        sfnt.cleaned(truetype([b""] * 17, more=unfolding), Names())


def table_of(font: bytes, tag: bytes) -> bytes:
    for number in range(struct.unpack_from(">H", font, 4)[0]):
        name, _, at, length = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if name == tag:
            return font[at : at + length]
    return b""


COMPOSITES = {
    "by bytes": struct.pack(">hhhhhHHbb", -1, 0, 0, 9, 9, 2, 1, 0, 0),
    "by words": struct.pack(">hhhhhHHhh", -1, 0, 0, 9, 9, 3, 1, 0, 0),
    "scaled": struct.pack(">hhhhhHHbbh", -1, 0, 0, 9, 9, 2 | 8, 1, 0, 0, 16384),
    "scaled both ways": struct.pack(">hhhhhHHbbhh", -1, 0, 0, 9, 9, 2 | 64, 1, 0, 0, 1, 1),
    "turned": struct.pack(">hhhhhHHbbhhhh", -1, 0, 0, 9, 9, 2 | 128, 1, 0, 0, 1, 0, 0, 1),
    "two and a program": struct.pack(">hhhhhHHbb", -1, 0, 0, 9, 9, 2 | 32, 1, 0, 0)
    + struct.pack(">HHbbH", 2 | 256, 1, 0, 0, 1)
    + b"\x4f",
}


@pytest.mark.parametrize("kind", COMPOSITES)
def test_a_letter_made_of_letters_ends_where_it_ends(kind: str) -> None:
    font = sfnt.cleaned(truetype([b"", outline(SQUARE), COMPOSITES[kind] + C]), Names())
    assert not leaks(C, font)
    assert COMPOSITES[kind] in font
    check_fonts.program({}, font)


@pytest.mark.parametrize(
    "glyph",
    [
        struct.pack(">hhhhhH", 1, 0, 0, 9, 9, 60),
        struct.pack(">hhhhhHHBB", 1, 0, 0, 9, 9, 60, 0, 9, 200),
        struct.pack(">hhhhhHHB", 1, 0, 0, 9, 9, 60, 0, 9),
        struct.pack(">hhhhhHHBB", 1, 0, 0, 9, 9, 1, 0, 1, 1),
        struct.pack(">hhhhhHHbb", -1, 0, 0, 9, 9, 2 | 128, 1, 0, 0),
        b"short",
    ],
    ids=["no program", "no end", "a cut repeat", "no steps", "no matrix", "no head"],
)
def test_a_letter_that_nobody_can_draw_is_empty(glyph: bytes) -> None:
    font = sfnt.cleaned(truetype([glyph, outline(SQUARE)]), Names())
    assert struct.unpack_from(">II", table_of(font, b"loca")) == (0, 0)


def test_small_steps_of_an_outline_are_measured_rightly() -> None:
    flags = bytes([1 | 2 | 4, 1 | 16 | 32, 1 | 2 | 32])
    glyph = struct.pack(">hhhhhHH", 1, 0, 0, 9, 9, 2, 0) + flags + b"\1\2\3"
    font = sfnt.cleaned(truetype([glyph + C, struct.pack(">hhhhh", 0, 0, 0, 0, 0) + C]), Names())
    assert table_of(font, b"glyf").startswith(glyph + b"\0")
    assert not leaks(C, font)


def test_metrics_maps_and_names_are_cut_to_what_they_say() -> None:
    vertical = struct.pack(">Ihhh", 0x10000, 1, 2, 3) + bytes(24) + struct.pack(">H", 1)
    more = {
        b"vhea": vertical + C,
        b"vmtx": bytes(8) + C,
        b"VORG": struct.pack(">HHhHHh", 1, 0, 0, 1, 1, 9) + C,
        b"cvt ": b"\0\1",
        b"OS/2": b"short",
    }
    maps = fontkit.cmap(
        (3, 1, FORM_6), (3, 1, FORM_6), (2, 0, FORM_6), (0, 3, struct.pack(">HHHH", 2, 9, 0, 0)),
        (1, 0, struct.pack(">HHHHHH", 6, 12, 0, 9, 1, 99)), (0, 4, FORM_12),
    )  # fmt: skip
    font = sfnt.cleaned(truetype(GLYPHS, maps, more=more, post=b"\0\3\0\0" + C * 3), Names())
    assert not leaks(C, font)
    assert table_of(font, b"post")[:4] == b"\0\3\0\0"
    assert not table_of(font, b"OS/2")
    assert struct.unpack_from(">HH", table_of(font, b"cmap")) == (0, 2)
    check_fonts.program({}, font)
    again = sfnt.cleaned(font, Names())
    assert again == font
    old = sfnt.cleaned(truetype(GLYPHS, post=b"\0\1\0\0" + bytes(28) + C), Names())
    assert len(table_of(old, b"post")) == 32
    assert not table_of(sfnt.cleaned(truetype(GLYPHS, post=b"short"), Names()), b"post")
    few = truetype(GLYPHS, post=fontkit.post([b"A"], [0, 300, 258]), cmap=fontkit.cmap())
    assert b"\x07.notdef\1A" in table_of(sfnt.cleaned(few, Names()), b"post")
    many = {code * 2: 1 + code % 2 for code in range(9000)}
    groups = b"".join(struct.pack(">III", code, code, glyph) for code, glyph in many.items())
    form = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(many)) + groups
    big = sfnt.cleaned(truetype(GLYPHS, fontkit.cmap((3, 10, form))), Names())
    assert table_of(big, b"cmap")[12:14] == b"\0\x0c"
    last = struct.pack(">HHHHHH", 6, 12, 0, 0xFFFF, 1, 1)
    assert sfnt.cleaned(truetype(GLYPHS, fontkit.cmap((3, 1, last))), Names())


def test_a_collection_of_fonts_gives_its_first_one() -> None:
    font = typical()
    at = 16
    moved = bytearray(font)
    for number in range(struct.unpack_from(">H", font, 4)[0]):
        place = 12 + 16 * number + 8
        moved[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", font, place)[0] + at)
    collection = b"ttcf" + struct.pack(">III", 0x10000, 1, at) + bytes(moved)
    assert sfnt.cleaned(collection, Names()) == sfnt.cleaned(font, Names())


def test_a_collection_of_compact_fonts_is_one_of_them_and_stays_so() -> None:
    font = fontkit.sfnt({b"CFF ": fontkit.compact()}, b"OTTO")
    at = 16
    moved = font[:20] + struct.pack(">I", struct.unpack_from(">I", font, 20)[0] + at) + font[24:]
    made = remade(simple(b"ttcf" + struct.pack(">III", 0x10000, 1, at) + moved))
    assert b"/FontFile3" in made
    assert b"/Subtype /OpenType" in made


def test_the_places_of_letters_may_end_before_their_number() -> None:
    font = bytearray(truetype(GLYPHS))
    at = font.index(b"maxp")
    place = struct.unpack_from(">I", font, at + 8)[0]
    font[place + 4 : place + 6] = b"\0\7"
    made = sfnt.cleaned(bytes(font), Names())
    assert len(table_of(made, b"loca")) == 32


BROKEN_CFF: dict[str, bytes] = {
    "another version": b"\2\0\4\1" + bytes(9),
    "no font": b"\1\0\4\1" + bytes(8),
    "a broken index": b"\1\0\4\1\0\1\5" + bytes(20),
    "an index out of bounds": b"\1\0\4\1\0\1\1\1\xff" + bytes(9),
    "an old kind": fontkit.compact(fontkit.operator(1206, 1)),
    "no letters": b"\1\0\4\1\0\1\1\1\2F\0\1\1\1\1\0\0\0\0",
    "an empty index of letters": b"\1\0\4\1\0\1\1\1\2F\0\1\1\1\7\x1d\0\0\0\x19\x11" + bytes(6),
    "letters nowhere": b"\1\0\4\1\0\1\1\1\2F\0\1\1\1\3\x8a\x11\0\0\0\0",
    "a bad private part": fontkit.compact(fontkit.operator(18, 9)),
    "an endless dictionary": fontkit.compact(b"\x8b" * 600),
    "a number that is none": fontkit.compact(b"\x1e\xaa\xaf" + fontkit.operator(5)),
    "an endless number": fontkit.compact(b"\x1e" + b"\x11" * 40),
    "a reserved byte": fontkit.compact(b"\xff\xff"),
    "names of an unknown form": fontkit.compact(charset=b"\5"),
    "letters of no font": fontkit.compact(cid=(b"\0\0\1\2", fontkit.operator(1230, 1, 2, 0))),
    "parts of an unknown form": fontkit.compact(cid=(b"\7", fontkit.operator(1230, 1, 2, 0))),
    "parts out of order": fontkit.compact(
        cid=(struct.pack(">BHHBH", 3, 1, 1, 0, 3), fontkit.operator(1230, 1, 2, 0))
    ),
    "parts that are too few": fontkit.compact(
        cid=(struct.pack(">BHHBH", 3, 1, 0, 0, 2), fontkit.operator(1230, 1, 2, 0))
    ),
}


@pytest.mark.parametrize("damage", BROKEN_CFF)
def test_a_broken_compact_font_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        cff.cleaned(BROKEN_CFF[damage], Names())


def test_compact_fonts_that_unfold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    top = fontkit.operator(1230, 1, 2, 0)
    many = fontkit.compact(cid=(b"\0\0\1\1", top), subroutines=(bytes(900),), fonts=9)
    with pytest.raises(TooComplex):
        cff.cleaned(many, Names())
    monkeypatch.setattr(cff, "_MOST_FONTS", 1)
    with pytest.raises(Malformed):
        cff.cleaned(fontkit.compact(cid=(b"\0\0\1\1", top)), Names())


def test_a_compact_font_may_name_two_letters_alike() -> None:
    font = fontkit.compact(strings=(C, C), charset=struct.pack(">BHH", 0, 391, 392), subroutines=())
    made = cff.cleaned(font, Names())
    assert made.count(b"xqz0") == 1
    check_fonts.program({}, made)


def test_every_form_of_a_number_is_read_and_written() -> None:
    values = [0, 107, -107, 108, 1131, -108, -1131, 1132, -1132, 32767, 40000, -40000]
    packed = b"".join(
        bytes([v + 139]) if -107 <= v <= 107 else
        struct.pack(">H", v - 108 + (247 << 8)) if 0 < v <= 1131 else
        struct.pack(">H", -v - 108 + (251 << 8)) if -1131 <= v < 0 else
        b"\x1c" + struct.pack(">h", v) if abs(v) < 32768 else fontkit.number(v)
        for v in values
    )  # fmt: skip
    real = b"\x1e\xe2\xa5\xff" + b"\x1e\x1c\x3f" + b"\x1e\x2b\x4f" + b"\x1e\x0f"
    font = fontkit.compact(packed + real + b"\x06", private=packed + real + b"\x06")
    made = cff.cleaned(font, Names())
    assert packed in made
    assert cff.cleaned(made, Names()) == made
    check_fonts.program({}, made)


def test_known_charsets_and_encodings_keep_their_numbers() -> None:
    def renumbered(font: bytes, key: int, value: int) -> bytes:
        at = font.index(bytes([key]), font.index(b"\x1d", 30) + 4)
        return font[: at - 5] + fontkit.number(value) + font[at:]

    font = fontkit.compact()
    known = renumbered(renumbered(font, 15, 1), 16, 1)
    made = cff.cleaned(known, Names())
    assert cff.cleaned(made, Names()) == made
    check_fonts.program({}, made)
    zero = cff.cleaned(renumbered(renumbered(font, 15, 0), 16, 0), Names())
    assert b"\x0f" not in zero[20:40]
    by_number = fontkit.compact(
        cid=(b"\0\0\1\1", fontkit.operator(1230, 391, 392, 0)), strings=(b"Adobe", b"Identity")
    )
    plain = cff.cleaned(renumbered(by_number, 15, 0), Names())
    assert struct.pack(">BHH", 0, 1, 2) in plain


def test_large_compact_fonts_have_large_places() -> None:
    for size in (300, 70_000, 17_000_000):
        made = cff._packed_index([bytes(size)])
        assert cff._index(made, 0)[0] == [bytes(size)]


BROKEN_TYPE1: dict[str, bytes] = {
    "no secrets": b"%!PS",
    "no letters": b"%! eexec " + fontkit.coded(b"Rand/Private", 55665),
    "no letter": fontkit.type1(names=())[0],
    "a cut letter": b"%! eexec\n" + fontkit.coded(b"Rand/CharStrings 1 dict /A 99 RD xx", 55665),
    "a number that is none": fontkit.type1(private=b"/BlueValues[1e]def")[0],
}


@pytest.mark.parametrize("damage", BROKEN_TYPE1)
def test_a_broken_type_1_font_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        type1.cleaned(BROKEN_TYPE1[damage], Names())


def test_a_type_1_font_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooComplex):
        type1.cleaned(bytes(9 << 20), Names())
    monkeypatch.setattr(type1, "_MOST_LETTERS", 1)
    with pytest.raises(TooComplex):
        type1.cleaned(fontkit.type1()[0], Names())


def test_a_code_beyond_a_byte_shows_no_letter() -> None:
    font, _ = fontkit.type1(encoding=b"/Encoding 256 array\ndup 999/A put dup 65/A put\n")
    made, _ = type1.cleaned(font, Names())
    assert made.count(b"dup ") == 1


# --- maps ----------------------------------------------------------------------------------------


MAP = (
    b"%%Title: (" + C + b")\n/CIDInit/ProcSet findresource begin begincmap\n"
    b"/CIDSystemInfo<</Registry(" + C + b")>>def/CMapName/" + C + b" def\n"
    b"1 begincodespacerange<00><FF>endcodespacerange\n"
    b"4 beginbfchar<4142434445><41><41><0041><42><"
    + (C * 2).hex().encode()
    + b"><43>/"
    + C
    + b" endbfchar\n"
    b"5 beginbfrange<44><46><0044><47><48>[<0047><" + (C * 2).hex().encode() + b">]<49><4b>[<0050>]"
    b"<4c><4d><41><4e><004f><0050>endbfrange\n"
    b"1 begincidrange<41><42>65 endcidrange 1 begincidchar<43>(x)<44>7 endcidchar\n"
    b"1 beginnotdefrange<00><1f>1 endnotdefrange endcmap"
)


def mapped(entries: bytes, *more: bytes) -> bytes:
    return paged(
        b"BT /F 9 Tf 9 9 Td (ABEGHIJLMN) Tj ET",
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica%s>>/G<</Subtype/Type1>>>>"
        % entries,
        *more,
    )


@pytest.mark.claim("C-META")
def test_a_map_to_text_keeps_short_texts_and_nothing_else() -> None:
    made, _ = prove(mapped(b"/ToUnicode 5 0 R", stream(MAP, b"/CMapName/" + C)), ".pdf")
    shown = opened(made)
    texts = b"<41> <0041>\n<45> <0045>\n<47> <0047>\n<49> <0050>\n<4c> <41>\n"
    assert b"<00> <ff>\nendcodespacerange\n5 beginbfchar\n" + texts + b"endbfchar" in shown
    assert b"cidrange" not in shown
    twice = paged(
        b"BT /F 9 Tf 9 9 Td (AB) Tj /G 9 Tf (BA) Tj ET",
        b"/Font<</F<</Subtype/Type1/ToUnicode 5 0 R>>/G<</Subtype/Type1/ToUnicode 5 0 R>>>>",
        stream(MAP),
    )
    assert remade(twice).count(b"stream\n") == 4


def test_a_named_map_to_text_stays() -> None:
    assert b"/ToUnicode /Identity-H" in remade(mapped(b"/ToUnicode/Identity-V"))
    assert b"/ToUnicode" not in remade(mapped(b"/ToUnicode/" + C))


def coded_by(
    encoding: bytes, *more: bytes, inner: bytes = b"", kind: bytes = b"CIDFontType0"
) -> bytes:
    return paged(
        b"BT /F 9 Tf 9 9 Td <4142> Tj ET",
        b"/Font<</F<</Type/Font/Subtype/Type0/BaseFont/x/DescendantFonts[5 0 R]/Encoding %s>>>>"
        % encoding,
        b"<</Type/Font/Subtype/%s/BaseFont/x/CIDSystemInfo<</Ordering(Japan1)/Supplement 99>>%s>>"
        % (kind, inner),
        *more,
    )


@pytest.mark.claim("C-META")
def test_a_map_of_codes_is_written_anew() -> None:
    system = b"/CIDSystemInfo<</Ordering(Japan1)/Supplement 4>>"
    vertical = stream(MAP + b"/Identity-H usecmap", b"/WMode 1" + system)
    made, _ = prove(coded_by(b"6 0 R", vertical), ".pdf")
    shown = opened(made)
    assert b"/UseCMap /Identity-H" in shown
    assert b"/WMode 1 def" in shown
    assert b"<41> <42> 65" in shown
    assert b"<44> 7" in shown
    assert b"bfchar" not in shown
    plain = opened(remade(coded_by(b"6 0 R", stream(b""))))
    assert b"<0000> <ffff>" in plain


def test_codes_of_an_unknown_kind_are_refused() -> None:
    for encoding, more in (
        (b"/Unknown-H", ()),
        (b"6 0 R", (stream(b"/Unknown usecmap"),)),
        (b"6 0 R", (stream(b"", b"/UseCMap 7 0 R"), stream(b""))),
    ):
        with pytest.raises(Unsupported):
            planned(coded_by(encoding, *more))
    with pytest.raises(Malformed):
        planned(coded_by(b"9"))
    with pytest.raises(Unsupported):
        planned(coded_by(b"/Identity-H", kind=b"Type1"))
    with pytest.raises(Malformed):
        planned(coded_by(b"/Identity-H").replace(b"[5 0 R]", b"[]"))
    with pytest.raises(Unsupported):
        planned(mapped(b"").replace(b"/Subtype/Type1", b"/Subtype/TypeX"))


def test_a_map_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmap, "_MOST_LINES", 2)
    with pytest.raises(TooComplex):
        cmap.to_unicode(MAP, Shown(bytes_={*b"AB"}))
    with pytest.raises(TooComplex):
        cmap.to_glyphs(MAP + b" 3 begincidchar<41>1<42>2<43>3 endcidchar", vertical=False)


def test_widths_of_numbered_letters_are_read_by_their_form() -> None:
    widths = b"/DW2[880 -1000]/W[1[500 /x]2 9 600 1.5 3 (x) 4 5]/W2[1[1 2 3]7 8 1 2 3 9 9 1]"
    inner = widths + b"/CIDToGIDMap 6 0 R"
    made = opened(
        remade(coded_by(b"/90ms-RKSJ-V", stream(b"\0\1\0\2\0"), inner=inner, kind=b"CIDFontType2"))
    )
    assert b"[1 [500 0] 2 9 600 1 3 0]" not in made
    assert b"/DW2 [880 -1000]" in made
    assert b"[1 [1 2 3] 7 8 1 2 3]" in made
    assert b"\0\1\0\2\nendstream" in made
    assert (
        b"/Ordering <4a6170616e31> /Registry <41646f6265> /Supplement 0" in made
        or b"Japan" in made.replace(b"4a6170616e31", b"Japan")
    )


def test_a_numbered_font_may_say_little() -> None:
    made = opened(remade(coded_by(b"/H", inner=b"/W[(x) 1 [2]]", kind=b"CIDFontType2")))
    assert b"CIDToGIDMap" not in made
    assert b"[1 [2]]" in made


def test_a_simple_font_may_say_little() -> None:
    plain = simple(typical()).replace(b"/FontBBox[0 -200 700 700]", b"")
    assert b"FontBBox" not in remade(plain)
    entries = b"/Encoding<</Differences[254/A/B/C 65/%s/uni0041 71/K]>>" % C
    made = opened(remade(mapped(entries)))
    assert b"/Differences [65 /.notdef /uni0041 71 /K]" in made


def test_too_many_widths_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from sanitizer.pdf import numbered  # noqa: PLC0415 - to bend its bounds

    monkeypatch.setattr(numbered, "_MOST_WIDTHS", 1)
    with pytest.raises(TooComplex):
        planned(coded_by(b"/H", inner=b"/W[1[1 2 3]]"))


# --- drawn letters -------------------------------------------------------------------------------


def test_a_font_of_drawings_keeps_what_it_uses() -> None:
    judge("pdftoppm")
    font = (
        b"<</Type/Font/Subtype/Type3/Name/%s/FontBBox[0 0 9 9]/FontMatrix[0.1 0 0 0.1 0 0]"
        b"/FirstChar 65/LastChar 67/Widths[10 10 /x]/Encoding<</Differences[65/A/%s/no]>>"
        b"/CharProcs<</A 6 0 R/%s 7 0 R/unused 8 0 R/broken 1>>"
        b"/Resources<</ExtGState<</G<</LW 2>>>>>>>>" % (C, C, C)
    )
    dirty = paged(
        b"BT /F 20 Tf 0 Tr 10 30 Td (ABAB) Tj ET",
        b"/Font<</F 5 0 R>>",
        font,
        stream(b"10 0 0 0 9 9 d1 0 0 9 9 re f %" + C),
        stream(b"10 0 d0 /G gs 1 0 0 RG 1 1 7 7 re S"),
        stream(b"10 0 d0 (%s) Tj" % C),
    )
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    # By the standard no mode hides such letters, whatever some viewers do.
    assert b"3 Tr\n10 30 Td\n<41424142> Tj" in opened(remade(dirty.replace(b"0 Tr", b"3 Tr")))
    bare = dirty.replace(b"/Resources<</ExtGState<</G<</LW 2>>>>>>>>", b">>", 1)
    assert looks_the_same(bare, remade(bare))
    none = dirty.replace(b"/Encoding<</Differences[65/A/%s/no]>>" % C, b"").replace(
        b"/Widths[10 10 /x]", b""
    )
    assert b"/Widths [0]" in remade(none)


# --- the second reader ---------------------------------------------------------------------------


def broken(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


TRUE = sfnt.cleaned(typical(), Names())
SMALL = cff.cleaned(fontkit.compact(), Names())
OLD, LENGTHS = type1.cleaned(fontkit.type1()[0], Names())
TOLD: dict[str, object] = {"Length1": LENGTHS[0], "Length2": LENGTHS[1]}


def old(clear: bytes = b"", plain: tuple[bytes, bytes] = (b"", b""), tail: bytes = b"") -> bytes:
    """Return our Type 1 font with something else in it."""
    head, secret = OLD[: LENGTHS[0]], OLD[LENGTHS[0] :]
    inner = check_fonts._decoded(secret)
    return head.replace(b"/PaintType", clear + b"/PaintType") + fontkit.coded(
        inner.replace(*plain, 1) if plain[0] else inner, 55665
    ) + tail  # fmt: skip


SURVIVORS: dict[str, bytes] = {
    "an unknown table": broken(TRUE, b"head", b"name"),
    "bytes behind a font": TRUE + b"more",
    "a short font": TRUE[:40],
    "a very short font": TRUE[:13],
    "a maker": broken(TRUE, b"cmap", b"OS/2"),
    "a name of a letter": broken(TRUE, b"xqz0", b"xq-0"),
    "a font's name": broken(SMALL, b"F", b"G"),
    "bytes between parts": cff.cleaned(fontkit.compact(), Names()).replace(
        b"\0\0\2AB", b"\0\0\2AB"
    ),
    "a comment": old(b"% " + C + b"\n"),
    "another end": old(tail=b"x"),
    "another program": old(plain=(b"/password", b"/Password")),
    "random bytes": old(plain=(bytes(4), C[:4])),
    "no letters": old(plain=(b"2 index", b"3 index")),
    "random bytes of a letter": old(plain=(fontkit.coded(bytes(4), 4330), C[:4])),
    "a letter's name": old(plain=(b"/A ", b"/9 ")),
    "a wrong number of letters": old(plain=(b"/CharStrings 3", b"/CharStrings 4")),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_font(survivor: str) -> None:
    data = SURVIVORS[survivor]
    if survivor == "bytes between parts":
        top = data.index(b"\x1d")
        place = struct.unpack_from(">i", data, top + 1)[0]
        data = data[:top] + fontkit.number(place + 1) + data[top + 5 :]
    with pytest.raises(MetadataSurvived):
        check_fonts.program(TOLD, data)


def test_the_second_reader_notices_a_sentence_in_a_map() -> None:
    with pytest.raises(MetadataSurvived):
        check_fonts.mapping(cmap.to_unicode(MAP, Shown(bytes_={*b"AB"})).replace(b"begincmap", C))
    with pytest.raises(MetadataSurvived):
        check_fonts.mapping(cmap.to_unicode(MAP, Shown(bytes_={*b"AB"})) + C)
