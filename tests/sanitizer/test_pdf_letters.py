"""Fonts in PDFs say nothing of letters that nobody sees: names, texts, widths, drawings."""

import io
import re
import struct

import pytest

from sanitizer.errors import MetadataSurvived, TooComplex, Unsupported
from sanitizer.pdf import check, check_fonts, check_shown, cmap, glyphs, sfnt
from sanitizer.pdf.check_shown import Seen
from sanitizer.pdf.check_values import Held
from sanitizer.pdf.glyphs import Names
from sanitizer.pdf.shown import Shown
from tests.conftest import judge
from tests.sanitizer import fontkit
from tests.sanitizer.kit import CANARY, prove
from tests.sanitizer.pdfs import looks_the_same, opened, paged, planned, remade, stream

PERSON = b"AnnaSmith"
BOX = b"10 0 0 0 9 9 d1 0 0 %d 9 re f"


def simple(text: bytes, entries: bytes, *more: bytes) -> bytes:
    return paged(
        b"BT /F 20 Tf 10 30 Td (%s) Tj ET" % text,
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica%s>>>>" % entries,
        *more,
    )


def drawings(letters: bytes, differences: bytes, *procedures: bytes, shown: bytes = b"AB") -> bytes:
    """Return a page in a Type 3 font; ``procedures`` are objects from number 6 on."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[0.1 0 0 0.1 0 0]/FirstChar 65"
        b"/LastChar 70/Widths[10 10 10 10 10 1234]/Encoding<</Differences[65%s]>>/CharProcs<<%s>>"
        b"/Resources<</Font<</S 5 0 R/H<</Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        % (differences, letters)
    )
    content = b"BT /F 20 Tf 10 30 Td (%s) Tj ET" % shown
    return paged(content, b"/Font<</F 5 0 R>>", font, *procedures)


# --- what is not shown ---------------------------------------------------------------------------


@pytest.mark.claim("C-META")
def test_a_name_of_a_letter_that_nobody_sees_is_gone() -> None:
    judge("pdftoppm")
    names = b"/Encoding<</Differences[65/B 128/%s/C/A/N/A/R/Y 65/B]>>" % PERSON
    dirty = simple(b"AC", names)
    made, _ = prove(dirty, ".pdf", PERSON)
    assert looks_the_same(dirty, made)
    assert b"/Differences [65 /B]>>" in made


@pytest.mark.claim("C-META")
def test_a_name_of_a_letter_that_is_shown_is_a_standards_or_ours() -> None:
    judge("pdftoppm")
    names = (b".notdef", PERSON, b"Merkel")
    font = fontkit.type1(
        names=names,
        encoding=b"/Encoding 256 array\ndup 65/%s put dup 66/Merkel put readonly def\n" % PERSON,
    )[0]
    dirty = paged(
        b"BT /F 40 Tf 10 30 Td (ABC) Tj ET",
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/A/FirstChar 65/LastChar 67/Widths[700 700 9]"
        b"/FontDescriptor 5 0 R/Encoding<</Differences[67/%s 90/Obama]>>>>>>" % PERSON,
        b"<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 0 700 700]/FontFile 6 0 R>>",
        stream(font),
    )
    made, _ = prove(dirty, ".pdf", PERSON)
    assert looks_the_same(dirty, made)
    assert b"/Differences [67 /xqz0]" in made
    assert b"/xqz0 put\ndup 66 /xqz1 put" in opened(made)


@pytest.mark.claim("C-META")
def test_a_text_of_a_letter_that_nobody_sees_is_gone() -> None:
    said = b"".join(b"<%02x><%04x>" % (0x80 + n, each) for n, each in enumerate(CANARY))
    table = stream(b"99 beginbfchar<41><0041>" + said + b"endbfchar")
    made = opened(remade(simple(b"A", b"/ToUnicode 5 0 R", table)))
    assert b"1 beginbfchar\n<41> <0041>\nendbfchar" in made
    none = stream(b"9 beginbfchar" + said + b"endbfchar")
    assert b"ToUnicode" not in remade(simple(b"A", b"/ToUnicode 5 0 R", none))


@pytest.mark.claim("C-META")
def test_a_letter_stands_for_no_sentence() -> None:
    long = CANARY.decode().encode("utf-16-be").hex().encode()
    table = stream(b"2 beginbfchar<41><%s><42><006600660069>endbfchar" % long)
    dirty = simple(b"AB", b"/ToUnicode 5 0 R", table)
    made = remade(dirty)
    assert b"1 beginbfchar\n<42> <006600660069>\n" in opened(made)


def test_the_width_of_a_letter_that_nobody_sees_is_nothing() -> None:
    widths = b"/FirstChar 60/LastChar 120/Widths[%s]"
    told = b" ".join(b"%d" % (500 + n) for n in range(61))
    made = remade(simple(b"AC", widths % told))
    # The m tells a reader how narrow a font is that it has to find a relative for.
    assert b"/FirstChar 65 " in made
    assert b"/LastChar 109 " in made
    assert b"[505 0 507 " + b"0 " * 41 + b"549]" in made
    none = remade(simple(b"AC", b"/FirstChar 1/LastChar 2/Widths[7 7]"))
    assert b"/FirstChar 0 /LastChar 0" in none
    assert b"[0]" in none
    assert b"[505 0]" not in made


# --- drawn letters -------------------------------------------------------------------------------


HIDDEN = {
    "a picture": stream(b"9 0 d0 BI /W 1/H 1/BPC 8/CS/G ID x EI"),
    "text": stream(b"9 0 d0 BT /H 9 Tf (%s) Tj ET" % CANARY),
    "numbers": stream(b"9 0 d0 " + b" ".join(b"%d 0 m" % each for each in CANARY)),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", HIDDEN)
def test_a_drawn_letter_that_nobody_sees_is_gone(kind: str) -> None:
    judge("pdftoppm")
    boxes = stream(BOX % 5), stream(BOX % 8 + b" %" + CANARY)
    dirty = drawings(
        b"/A 6 0 R/B 7 0 R/%s 8 0 R" % CANARY, b"/A/B/%s" % CANARY, *boxes, HIDDEN[kind]
    )
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    assert re.search(rb"/CharProcs <</xqz0 \d 0 R /xqz1 \d 0 R>>", made)
    assert b"/Widths [10 10]" in made
    assert b"XObject" not in made
    assert b"d0" not in opened(made)


def test_drawn_letters_are_in_the_order_of_their_codes_and_stay_so() -> None:
    names = [b"g%d" % n for n in range(1, 13)]
    boxes = [stream(BOX % n) for n in range(1, 13)]
    letters = b"".join(b"/%s %d 0 R" % (name, 6 + n) for n, name in enumerate(names))
    order = b"".join(b"/" + name for name in names[::-1])
    dirty = drawings(letters, order, *boxes, shown=b"ABCDEFGHIJKL")
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert b"/Differences [65 " + b" ".join(b"/xqz%d" % n for n in range(12)) + b"]" in made


def test_a_drawn_letter_that_only_a_drawn_letter_shows_is_drawn() -> None:
    judge("pdftoppm")
    inner = stream(b"10 0 d0 BT /H 9 Tf 1 1 Td (x) Tj ET BT /T 1 Tf (A) Tj ET")
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65"
        b"/LastChar 65/Widths[10]/Encoding<</Differences[65/A/B]>>/CharProcs<</A 8 0 R/B 9 0 R>>>>"
    )
    boxes = stream(b"9 0 d0 0 0 5 5 re f"), stream(b"9 0 d0 " + CANARY)
    dirty = drawings(b"/A 6 0 R", b"/A/A", inner, font, *boxes)
    dirty = dirty.replace(b"/S 5 0 R", b"/T 7 0 R")
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert b"0 0 5 5 re" in opened(made)
    assert made.count(b"/CharProcs <</xqz0 ") == 2


def test_a_font_of_drawings_without_widths_or_codes_has_none() -> None:
    made = remade(drawings(b"", b"").replace(b"/Widths[10 10 10 10 10 1234]", b""))
    assert b"/FirstChar 0 " in made
    assert b"/Encoding <</Type /Encoding>>" in made
    bare = drawings(b"", b"").replace(b"/Encoding<</Differences[65]>>", b"")
    assert remade(bare).count(b"/CharProcs <<>>") == 1


def coded(encoding: bytes, text: bytes, letter: bytes = b"quotesingle") -> bytes:
    return paged(
        b"BT /F 20 Tf 20 40 Td (%s) Tj ET" % text,
        b"/Font<</F 5 0 R>>",
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/FirstChar 39"
        b"/LastChar 65/Widths[%s]/Encoding%s/CharProcs<</A 6 0 R/%s 7 0 R>>/Resources<<>>>>"
        % (b"9 " * 27, encoding, letter),
        stream(b"9 0 d0 0 0 8 8 re f"),
        stream(b"9 0 d0 0 0 8 2 re f"),
    )


@pytest.mark.parametrize(
    ("encoding", "letter"),
    [
        (b"/WinAnsiEncoding", b"quotesingle"),
        (b"<</BaseEncoding/MacRomanEncoding/Differences[65/A]>>", b"quotesingle"),
        (b"<</BaseEncoding/StandardEncoding>>", b"quoteright"),
        (b"<</Differences[39/quotesingle]>>", b"quotesingle"),
    ],
    ids=["by name", "by half", "by the standard", "by no word"],
)
def test_a_drawn_letter_that_readers_know_the_code_of_is_drawn(
    encoding: bytes, letter: bytes
) -> None:
    judge("pdftoppm")
    dirty = coded(encoding, b"A'", letter)
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert b"/Differences [39 /xqz0 65 /xqz1]" in made


def test_a_drawn_letter_that_may_be_asked_for_in_an_uncommon_way_refuses_the_file() -> None:
    with pytest.raises(Unsupported):
        planned(coded(b"/WinAnsiEncoding", b"A\344", b"adieresis"))
    assert remade(coded(b"/WinAnsiEncoding", b"A\344", b"mine"))
    assert remade(coded(b"<</Differences[228/adieresis]>>", b"A\344", b"adieresis"))
    assert remade(coded(b"/WinAnsiEncoding", b"AB", b"adieresis"))


def test_letters_set_by_a_state_are_shown() -> None:
    judge("pdftoppm")
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[65/B/C]>>>>"
    dirty = paged(
        b"/G gs BT 10 30 Td (A) Tj ET /H gs /I gs BT 50 30 Td [(A) 3 (A)] TJ ET",
        b"/ExtGState<</G<</Font[5 0 R 20]>>/H<</Font[5 0 R]>>/I<</LW 1>>>>",
        font,
    )
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert b"/Differences [65 /B]" in made


def test_a_font_of_two_pages_keeps_what_either_shows() -> None:
    font = b"/Font<</F<</Subtype/Type1/BaseFont/Helvetica>>/T 5 0 R/U 6 0 R>>/XObject<</X 9 0 R>>"
    dirty = paged(
        b"BT /T 9 Tf (A) Tj /U 9 Tf (A) Tj ET /X Do",
        font,
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65"
        b"/LastChar 66/Widths[9 8]/Encoding<</Differences[65/A/B/C]>>"
        b"/CharProcs<</A 7 0 R/B 8 0 R/C 7 0 R>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[65/B/C/D]>>>>",
        stream(BOX % 3),
        stream(BOX % 4),
        stream(
            b"BT /T 9 Tf (B) Tj /U 9 Tf (B) Tj ET",
            b"/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</T 5 0 R/U 6 0 R>>>>",
        ),
    )
    made = remade(dirty)
    assert b"/Differences [65 /B /C]" in made
    assert b"/Differences [65 /xqz0 /xqz1]" in made


# --- composite fonts -----------------------------------------------------------------------------


def composite(encoding: bytes, text: bytes, table: bytes) -> bytes:
    return opened(remade(paged(
        b"BT /F 9 Tf 9 9 Td <%s> Tj ET" % text,
        b"/Font<</F<</Type/Font/Subtype/Type0/BaseFont/x/DescendantFonts[5 0 R]/Encoding/%s"
        b"/ToUnicode 6 0 R>>>>" % encoding,
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/x"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 1>>>>",
        stream(table),
    )))  # fmt: skip


def test_a_text_of_a_numbered_letter_stays_only_if_it_is_shown() -> None:
    table = (
        b"9 beginbfchar<4142><0041><4241><0058><43><0059>endbfchar"
        b" 1 beginbfrange<4243><4245><0061>endbfrange"
    )
    made = composite(b"Identity-H", b"41424244", table)
    assert b"2 beginbfchar\n<4142> <0041>\n<4244> <0062>\nendbfchar" in made
    # Where a code may begin anywhere, more has to stay.
    made = composite(
        b"90ms-RKSJ-H",
        b"414143",
        b"9 beginbfchar<41><0041><4141><0042><4143><0043><44><0044>endbfchar",
    )
    assert b"<00> <ff>\n<0000> <ffff>\nendcodespacerange" in made
    assert b"3 beginbfchar\n<41> <0041>\n<4141> <0042>\n<4143> <0043>\nendbfchar" in made
    made = composite(
        b"UniJIS-UTF16-H", b"d840dc0b", b"1 beginbfrange<d840dc0a><d840dc0c><d840dc00>endbfrange"
    )
    assert b"1 beginbfchar\n<d840dc0b> <d840dc01>\nendbfchar" in made


def test_a_map_of_more_codes_than_there_are_is_refused() -> None:
    table = b"1 beginbfrange<00000000><ffffffff><0041>endbfrange"
    with pytest.raises(TooComplex):
        cmap.to_unicode(table, Shown(1, {0}, {0}))
    assert not cmap.to_unicode(b"1 beginbfrange<00><0011><0041>endbfrange", Shown(0, {0}))


# --- embedded programs ---------------------------------------------------------------------------


def test_a_number_of_a_character_is_a_name_only_where_a_font_is_asked_by_it() -> None:
    names = Names()
    post = fontkit.post([b"uni0041", b"uniCAFE", b"u1F600"], [0, 258, 259])
    glyphs_of = [b"", fontkit.outline(fontkit.SQUARE), fontkit.outline(fontkit.SQUARE)]
    made = sfnt.cleaned(
        fontkit.truetype(glyphs_of, fontkit.cmap((3, 1, fontkit.FORM_6)), post=post), names
    )
    assert b"\x07uni0041" in made
    assert b"CAFE" not in made
    assert names.of(b"u0042") == b"u0042"
    assert names.of(b"uni0043").startswith(b"xqz")
    old = Names()
    sfnt.cleaned(fontkit.truetype(glyphs_of, fontkit.cmap((1, 0, fontkit.FORM_6)), post=post), old)
    assert old.of(b"uni0041") != b"uni0041"
    assert glyphs.is_standard(b"a206")
    assert not glyphs.is_standard(b"a207")
    check_fonts.program({}, made)
    with pytest.raises(MetadataSurvived):
        check_fonts.program({}, _resummed(made, b"uni0041", b"uni0099"))
    wide = sfnt.cleaned(
        fontkit.truetype(
            glyphs_of,
            fontkit.cmap((3, 10, fontkit.FORM_12)),
            post=fontkit.post([b"u1F600"], [0, 258]),
        ),
        Names(),
    )
    assert b"u1F600" in wide
    check_fonts.program({}, wide)


def _resummed(font: bytes, old: bytes, new: bytes) -> bytes:
    """Return a font with other bytes in one of its tables, and a right sum of that table."""
    made = bytearray(font.replace(old, new, 1))
    for number in range(struct.unpack_from(">H", made, 4)[0]):
        place = 12 + 16 * number
        at, length = struct.unpack_from(">II", made, place + 8)
        if made[place : place + 4] != b"head":
            words = struct.unpack_from(f">{(length + 3) // 4}I", made, at)
            struct.pack_into(">I", made, place + 4, sum(words) & 0xFFFFFFFF)
    return bytes(made)


@pytest.mark.claim("C-META")
def test_numbers_of_a_truetype_font_that_draw_nothing_are_gone() -> None:
    shape = fontkit.outline(fontkit.SQUARE)
    numbers = struct.pack(">7H", 0, 1, 2, 3, 65535, 5, 9)
    head = struct.pack(">Ihhh", 0x10000, 800, -200, 0)
    more = {
        b"maxp": struct.pack(">IH", 0x10000, 3) + CANARY[:12] + numbers,
        b"hhea": head + CANARY + bytes(24 - len(CANARY)) + b"\0\3",
        b"OS/2": b"\0\4" + bytes(30) + CANARY[:10] + bytes(54),
    }
    post = b"\0\3\0\0" + CANARY[:12] + bytes(16)
    made = sfnt.cleaned(fontkit.truetype([b"", shape, shape], more=more, post=post), Names())
    assert not any(CANARY[at : at + 2] in made for at in range(0, 12, 2))
    assert sfnt.cleaned(made, Names()) == made
    rough = struct.pack(">7H", 0, 1, 2, 4, 65535, 8, 16)
    small = fontkit.truetype([b"", shape], more={b"maxp": b"\0\0\x50\0\0\2more"})
    check_fonts.program({}, made)
    check_fonts.program({}, sfnt.cleaned(small, Names()))
    measures = head[4:] + struct.pack(">H", 700) + bytes(6)
    for old, new in (
        (rough, rough[:-1] + b"\x11"),
        (measures + b"\0\1", measures + b"\0\2"),
        (measures, head[4:] + CANARY[:2] + bytes(6)),
        (b"\0\3\0\0" + bytes(8) + b"\0\0\0\1", b"\0\3\0\0\1" + bytes(7) + b"\0\0\0\1"),
        (b"\0\3\0\0" + bytes(8) + b"\0\0\0\1", b"\0\3\0\0" + bytes(8) + b"\0\0\0\2"),
    ):
        assert old in made
        with pytest.raises(MetadataSurvived):
            check_fonts.program({}, _resummed(made, old, new))


# --- the second reader ---------------------------------------------------------------------------


def judged(font: dict[str, object], seen: Seen, text: bytes | None = None) -> None:
    def resolved(value: object) -> Held:
        return Held({}, text) if value == "text" else Held(value, None)

    check_shown.judge(font, seen, resolved, lambda data: data or b"")


A = Seen({65, 66}, {b"AB"}, {b"BC"})
TEXTS = b"1 beginbfchar\n%s\nendbfchar\nend\nend\n"
OK: dict[str, tuple[dict[str, object], bytes | None]] = {
    "letters": ({"Encoding": {"Differences": [65, "A", "uni0042"]}}, None),
    "a width": ({"Widths": [7, 8], "FirstChar": 65, "LastChar": 66}, None),
    "the m": ({"Widths": [7], "FirstChar": 109, "LastChar": 109}, None),
    "a drawing": (
        {
            "Subtype": "Type3",
            "CharProcs": {"xqz0": 1},
            "Encoding": {"Differences": [65, "xqz0", "xqz0"]},
        },
        None,
    ),
    "a text": ({"ToUnicode": "text"}, TEXTS % b"<41> <0041>\n<42> <0042>"),
    "a long text": (
        {"ToUnicode": "text", "Subtype": "Type0"},
        TEXTS % b"<41> <0041>\n<4243> <0042>",
    ),
}
BAD: dict[str, tuple[dict[str, object], bytes | None]] = {
    "a name that is not shown": ({"Encoding": {"Differences": [65, "A", 67, "B"]}}, None),
    "a name": ({"Encoding": {"Differences": [65, "Anna"]}}, None),
    "a name before a code": ({"Encoding": {"Differences": ["A"]}}, None),
    "codes that go down": ({"Encoding": {"Differences": [66, "A", 65, "B"]}}, None),
    "a number of a character": (
        {"FontDescriptor": {"FontFile": 1}, "Encoding": {"Differences": [65, "uni0041"]}},
        None,
    ),
    "a number of no character": ({"Encoding": {"Differences": [65, "uFFFFFF"]}}, None),
    "a width that is not shown": ({"Widths": [7, 8], "FirstChar": 66, "LastChar": 67}, None),
    "widths beyond what is shown": ({"Widths": [7, 0], "FirstChar": 66, "LastChar": 67}, None),
    "a width of an m in a font": (
        {"FontDescriptor": {"FontFile": 1}, "Widths": [7], "FirstChar": 109, "LastChar": 109},
        None,
    ),
    "a wrong last code": ({"Widths": [7], "FirstChar": 65, "LastChar": 66}, None),
    "widths without a code": ({"Widths": [7]}, None),
    "a drawing's name": (
        {"Subtype": "Type3", "CharProcs": {"A": 1}, "Encoding": {"Differences": [65, "A"]}},
        None,
    ),
    "a drawing too many": (
        {
            "Subtype": "Type3",
            "CharProcs": {"xqz0": 1, "xqz1": 2},
            "Encoding": {"Differences": [65, "xqz0"]},
        },
        None,
    ),
    "drawings out of order": (
        {
            "Subtype": "Type3",
            "CharProcs": {"xqz1": 1, "xqz0": 2},
            "Encoding": {"Differences": [65, "xqz1", "xqz0"]},
        },
        None,
    ),
    "a text that is not shown": ({"ToUnicode": "text"}, TEXTS % b"<43> <0041>"),
    "texts out of order": ({"ToUnicode": "text"}, TEXTS % b"<42> <0041>\n<41> <0041>"),
    "a long text": ({"ToUnicode": "text"}, TEXTS % b"<41> <00410042004300440045>"),
    "a range of texts": ({"ToUnicode": "text"}, b"1 beginbfrange\n<41> <42> <0041>\nendbfrange\n"),
    "a space of codes": (
        {"ToUnicode": "text"},
        b"1 begincodespacerange\n<12> <ff>\nendcodespacerange\n",
    ),
    "a range": ({"ToUnicode": "text"}, b"1 beginnotdefrange\nendnotdefrange\n"),
    "a pair out of step": (
        {"ToUnicode": "text", "Subtype": "Type0", "Encoding": "Identity-H"},
        TEXTS % b"<4243> <0041>",
    ),
}


@pytest.mark.parametrize("kind", OK)
def test_the_second_reader_lets_pass_what_is_shown(kind: str) -> None:
    judged(OK[kind][0], A, OK[kind][1])


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", BAD)
def test_the_second_reader_notices_what_a_font_says_of_letters_that_nobody_sees(kind: str) -> None:
    with pytest.raises(MetadataSurvived):
        judged(BAD[kind][0], A, BAD[kind][1])


def test_the_second_reader_notices_letters_of_no_font_and_letters_too_many() -> None:
    made = remade(
        simple(b"A", b"/FirstChar 65/LastChar 65/Widths[7]/Encoding<</Differences[65/B]>>")
    )
    at = made.index(b"/Font <</F0 ") + len(b"/Font <</F0 ")
    for old, new in (
        (made[at : at + 5], b"false"),
        (b"/FirstChar 65 /LastChar 65", b"/FirstChar 64 /LastChar 64"),
        (b"[65 /B]", b"[66 /B]"),
    ):
        assert old in made
        with pytest.raises(MetadataSurvived):
            check.check(io.BytesIO(made.replace(old, new)))
