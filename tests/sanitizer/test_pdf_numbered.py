"""PDF: fonts whose codes are the numbers of their letters keep those that are shown, no others."""

import re
import struct
import zlib
from itertools import pairwise

import pytest

from sanitizer.errors import MetadataSurvived
from sanitizer.pdf import cff, numbered, outlines, sfnt
from sanitizer.pdf.check_outlines import Asked
from sanitizer.pdf.check_shown import Seen
from sanitizer.pdf.check_values import Held, Name, Ref
from sanitizer.pdf.glyphs import Names
from tests.conftest import judge
from tests.sanitizer import fontkit
from tests.sanitizer.fontkit import SQUARE, TAIL, outline, truetype
from tests.sanitizer.kit import CANARY as C
from tests.sanitizer.kit import prove
from tests.sanitizer.pdfs import looks_the_same, opened, paged, remade, stream

DESCRIPTOR = b"<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 -200 700 700]/%s 7 0 R>>"


def numbers(  # noqa: PLR0913 - a font has this many parts
    text: bytes,
    program: bytes,
    *more: bytes,
    entries: bytes = b"",
    kind: bytes = b"CIDFontType2",
    encoding: bytes = b"/Identity-H",
    other: bytes = b"",
) -> bytes:
    """Return a page that shows ``text`` by object 5; ``more`` are objects from number 9 on."""
    key = b"FontFile2" if kind == b"CIDFontType2" else b"FontFile3"
    sort = b"/Subtype/OpenType" if program.startswith(b"OTTO") else b"/Subtype/CIDFontType0C"
    told = b"BT /F 40 Tf 10 30 Td <%s> Tj %s ET" % (text, b"/G 40 Tf <0002> Tj" if other else b"")
    font = b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding %s/DescendantFonts[8 0 R]>>" % encoding
    inner = (
        b"<</Type/Font/Subtype/%s/BaseFont/A/FontDescriptor 6 0 R/DW 700/CIDSystemInfo"
        b"<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>%s>>" % (kind, entries)
    )
    return paged(
        told,
        b"/Font<</F 5 0 R%s>>" % (b"/G 9 0 R" if other else b""),
        font,
        DESCRIPTOR % key,
        stream(program, sort if key == b"FontFile3" else b"", packed=True),
        inner,
        *((other,) if other else ()),
        *more,
    )


def program_of(made: bytes) -> bytes:
    """Return the one font program of a file of ours."""
    for body in re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL):
        data = zlib.decompress(body)
        if data.startswith((b"\0\1\0\0", b"OTTO", b"\1\0\4\4")):
            return data
    raise AssertionError


def table(font: bytes, tag: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", font, 4)
    for n in range(count):
        name, _, at, length = struct.unpack_from(">4sIII", font, 12 + 16 * n)
        if name == tag:
            return font[at : at + length]
    return b""


def lengths(font: bytes) -> list[int]:
    """Return how long each outline is."""
    loca = table(font, b"loca")
    places = struct.unpack(f">{len(loca) // 4}I", loca)
    return [end - start for start, end in pairwise(places)]


SECRET = outline(TAIL, program=C)
MADE_OF = struct.pack(">hhhhhHHbb", -1, 0, 0, 9, 9, 2, 1, 0, 0)
MADE_OF_TWO = (
    struct.pack(">hhhhh", -1, 0, 0, 9, 9)
    + struct.pack(">HHbbh", 2 | 8 | 32, 3, 0, 0, 16384)
    + struct.pack(">HHhhhh", 3 | 64 | 32, 1, 0, 0, 16384, 16384)
    + struct.pack(">HHbbhhhh", 2 | 128, 4, 0, 0, 16384, 0, 0, 16384)
)
GLYPHS = [b"", outline(SQUARE), SECRET, MADE_OF, outline(TAIL), MADE_OF_TWO, SECRET]
SHARP = truetype(
    GLYPHS,
    fontkit.cmap((3, 1, struct.pack(">HHHHHHH", 6, 16, 0, 65, 3, 1, 2) + bytes(2))),
    post=fontkit.post([C], [258] * 7),
)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"00010001", [1]),
        (b"0003", [1, 3]),
        (b"0005", [1, 3, 4, 5]),
        (b"0001ffff", [1]),
    ],
    ids=ascii,
)
def test_an_outline_that_no_page_shows_is_gone(text: bytes, kept: list[int]) -> None:
    judge("pdftoppm")
    dirty = numbers(text, SHARP)
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    font = program_of(made)
    assert [at for at, length in enumerate(lengths(font)) if length] == kept
    assert not table(font, b"cmap")
    assert table(font, b"post")[:4] == b"\0\3\0\0"
    shown = struct.unpack(">14H", table(font, b"hmtx"))[::2]
    assert {at for at, width in enumerate(shown) if width} <= {0, *kept}


def test_the_last_width_stays_where_letters_behind_it_are_shown() -> None:
    wide = struct.pack(">HHHHHH", 500, 1, 600, 2, 700, 3) + struct.pack(">4h", 4, 5, 6, 7)
    more = {
        b"hmtx": wide,
        b"hhea": bytes(34) + b"\0\3",
        b"vmtx": wide,
        b"vhea": bytes(34) + b"\0\3",
    }
    more[b"VORG"] = bytes(8)
    font = program_of(remade(numbers(b"0004", truetype(GLYPHS, more=more))))
    made = struct.pack(">HHHHHH", 500, 1, 0, 0, 700, 0) + struct.pack(">4h", 0, 5, 0, 0)
    assert table(font, b"hmtx") == table(font, b"vmtx") == made
    assert not table(font, b"VORG")
    font = program_of(remade(numbers(b"0001", truetype(GLYPHS, more=more))))
    assert table(font, b"hmtx") == struct.pack(">HHHH", 500, 1, 600, 2) + bytes(12)


@pytest.mark.claim("C-META")
def test_widths_and_glyphs_of_letters_that_no_page_shows_are_gone() -> None:
    entries = (
        b"/W[1[500 88 600 77 66]9[55]10[44 33]3 20 600 50 60 22 0 99 11]"
        b"/W2[1[1 2 3 88 88 88 4 5 6]60 70 77 77 77 1 2 7 8 9]"
    )
    made = opened(remade(numbers(b"000100030006", SHARP, entries=entries)))
    assert b"[1 [500] 3 [600] 3 6 600 1 6 11]" in made
    assert b"[1 [1 2 3] 3 [4 5 6] 1 1 7 8 9]" in made
    made = opened(remade(numbers(b"000100020004", SHARP, entries=b"/W[1[500 600 700 800]]")))
    assert b"[1 [500 600] 4 [800]]" in made
    glyphs = stream(b"\0\0\0\4\0\1\0\3" + b"\0\2" * 9)
    dirty = numbers(b"00010003", SHARP, glyphs, entries=b"/CIDToGIDMap 9 0 R")
    font = program_of(remade(dirty))
    assert [at for at, length in enumerate(lengths(font)) if length] == [1, 3, 4]
    assert b"stream\n\0\0\0\4\0\0\0\3\nendstream" in opened(remade(dirty))
    # A letter beyond the map is none.
    assert b"stream\n\nendstream" in opened(remade(dirty.replace(b"<00010003>", b"<11111111>")))


COMPACT = fontkit.compact(
    strings=(C, C),
    cid=(b"\0\0\1\1", fontkit.operator(1230, 391, 392, 0) + fontkit.operator(1234, 3)),
    charset=struct.pack(">BHH", 0, 1, 2),
)
OPEN = fontkit.sfnt({b"CFF ": COMPACT}, b"OTTO")


@pytest.mark.parametrize("program", [COMPACT, OPEN], ids=["compact", "OpenType"])
def test_a_compact_letter_that_no_page_shows_draws_nothing(program: bytes) -> None:
    judge("pdftoppm")
    dirty = numbers(b"00020002", program, kind=b"CIDFontType0")
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert program_of(made).count(fontkit.LETTER) == 1
    assert program_of(remade(numbers(b"00010002", program, kind=b"CIDFontType0"))).count(
        fontkit.LETTER
    ) == 2  # fmt: skip


SAME = b"/BaseFont/A/FontDescriptor 6 0 R"
NUMBERED = b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding%s/DescendantFonts[<</Subtype/%s%s>>]>>"
OTHERS = {
    "a font of single bytes": b"<</Type/Font/Subtype/TrueType%s>>" % SAME,
    "a map of codes": NUMBERED % (b"/H", b"CIDFontType2", SAME),
    "a font that asks by number": NUMBERED % (b"/Identity-V", b"CIDFontType0", SAME),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_program_that_another_font_asks_in_another_way_keeps_its_letters(kind: str) -> None:
    made = remade(numbers(b"0001", SHARP, other=OTHERS[kind]))
    assert all(lengths(program_of(made))[1:])
    assert table(program_of(made), b"cmap")


def test_a_program_of_two_fonts_keeps_what_either_shows() -> None:
    other = NUMBERED % (b"/Identity-V", b"CIDFontType2", SAME)
    font = program_of(remade(numbers(b"0001", SHARP, other=other)))
    assert [at for at, length in enumerate(lengths(font)) if length] == [1, 2]


def test_a_program_that_is_asked_for_what_it_is_not_keeps_its_letters() -> None:
    assert all(lengths(program_of(remade(numbers(b"0001", SHARP, kind=b"CIDFontType0"))))[1:])
    for program in (COMPACT, fontkit.compact()):
        made = remade(numbers(b"0001", program, kind=b"CIDFontType2"))
        assert program_of(made).count(fontkit.LETTER) == 2
    made = remade(numbers(b"0001", fontkit.compact(), kind=b"CIDFontType0"))
    assert program_of(made).count(fontkit.LETTER) == 2


# --- the second reader ---------------------------------------------------------------------------

ONE = Seen(even={b"\0\1", b"\0"})
FULL = sfnt.cleaned(SHARP, Names())
BARE = sfnt.cleaned(SHARP, Names(), numbered.Wanted({1}, None))
SMALL = cff.cleaned(COMPACT, Names(), {1})


def judged(data: bytes, kind: str = "CIDFontType2", **entries: object) -> None:
    """Judge a program that one numbered font of this kind shows letter 1 of."""
    inner = {"Subtype": Name(kind), "FontDescriptor": {"FontFile2": Ref(7)}, **entries}
    asked = Asked()
    font: dict[str, object] = {
        "Subtype": Name("Type0"),
        "Encoding": Name("Identity-H"),
        "DescendantFonts": [inner],
    }
    held = {9: Held({}, b"\0\0\0\4"), 8: Held({}, b"\0\0\0\0\0\0"), 6: Held({}, b"\0\4\0\1")}
    asked.font(
        font,
        ONE,
        lambda value: held[value.number] if isinstance(value, Ref) else Held(value, None),
        lambda found: found or b"",
    )
    asked.judge(7, data)


def test_the_second_reader_lets_pass_what_is_shown() -> None:
    judged(BARE)
    judged(sfnt.cleaned(SHARP, Names(), numbered.Wanted({4}, None)), CIDToGIDMap=Ref(9))
    judged(SMALL, "CIDFontType0")
    judged(sfnt.cleaned(OPEN, Names(), numbered.Wanted(None, {1})), "CIDFontType0")
    judged(cff.cleaned(fontkit.compact(), Names()), "CIDFontType0")
    judged(BARE, W=[1, [5], 1, 1, 6], W2=[1, [5, 6, 7], 1, 1, 6, 7, 8])


SURVIVORS: dict[str, tuple[bytes, str, dict[str, object]]] = {
    "outlines": (FULL, "CIDFontType2", {}),
    "letters": (cff.cleaned(COMPACT, Names()), "CIDFontType0", {}),
    "letters in OpenType": (sfnt.cleaned(OPEN, Names()), "CIDFontType0", {}),
    "a width": (BARE, "CIDFontType2", {"W": [1, [5, 6]]}),
    "a width of many": (BARE, "CIDFontType2", {"W": [1, 2, 6]}),
    "a width going down": (BARE, "CIDFontType2", {"W2": [2, [1, 2, 3]]}),
    "a number of nothing": (BARE, "CIDFontType2", {"W": [1, [5], 1]}),
    "widths without a number": (BARE, "CIDFontType2", {"W": [[5], [5]]}),
    "a glyph": (BARE, "CIDFontType2", {"CIDToGIDMap": Ref(6)}),
    "an empty place": (BARE, "CIDFontType2", {"CIDToGIDMap": Ref(8)}),
    "half a program": (BARE[:40], "CIDFontType2", {}),
    "another outline": (BARE, "CIDFontType2", {"CIDToGIDMap": Ref(9)}),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", SURVIVORS)
def test_the_second_reader_notices_a_letter_that_nobody_sees(kind: str) -> None:
    data, subtype, entries = SURVIVORS[kind]
    with pytest.raises(MetadataSurvived):
        judged(data, subtype, **entries)


@pytest.mark.claim("C-META")
def test_the_second_reader_notices_what_a_bare_font_would_still_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = numbered.Wanted({1}, None)
    real = outlines.bare
    for tag in (b"cmap", b"post", b"hmtx"):

        def kept(
            tables: dict[bytes, bytes], asked: set[int], count: int, tag: bytes = tag
        ) -> dict[bytes, bytes]:
            return {**real(tables, asked, count), tag: tables[tag]}

        monkeypatch.setattr(outlines, "bare", kept)
        with pytest.raises(MetadataSurvived):
            judged(sfnt.cleaned(SHARP, Names(), wanted))
    monkeypatch.setattr(outlines, "bare", lambda tables, _, count: real(tables, {0, 1}, count))
    judged(sfnt.cleaned(SHARP, Names(), wanted))
    monkeypatch.setattr(outlines, "closure", lambda *_: set(range(7)))
    with pytest.raises(MetadataSurvived):
        judged(sfnt.cleaned(SHARP, Names(), wanted))
