"""PDF: form fields without an appearance: drawn as viewers draw them, or a refusal."""

import re

import pytest

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.limits import Limits
from tests.conftest import judge
from tests.sanitizer.kit import CANARY as C
from tests.sanitizer.kit import prove
from tests.sanitizer.pdfs import drawn, looks_the_same, opened, paged, planned, remade, stream

NAME = b"BT /F 12 Tf 30 40 Td (name) Tj ET 0 0 1 rg 180 80 9 9 re f"
HELV = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>"
SAID = b"/DA(/Helv 12 Tf 1 0 0 rg)"
LOOK = b"/Type/XObject/Subtype/Form/BBox[0 0 100 40]"


def filled(
    entries: bytes, *more: bytes, form: bytes = b"", font: bytes = b"Helvetica", rect: bytes = b""
) -> bytes:
    """Return a page with one field, over a name; ``more`` are objects from number 7 on."""
    held = b"<</Type/Annot/Subtype/Widget/F 4/Rect[%s]%s>>" % (rect or b"20 30 120 70", entries)
    told = b"/AcroForm<</Fields[5 0 R]/DR<</Font<</Helv 6 0 R>>>>%s>>" % form
    return paged(NAME, HELV, held, FONT % font, *more, page=b"/Annots[5 0 R]", root=told)


def said(dirty: bytes) -> list[str]:
    """Return the texts of the clean form of a file, but for the page's own."""
    codes = re.findall(rb"<([0-9a-f]*)> Tj", opened(remade(dirty)))
    found = [bytes.fromhex(code.decode()).decode("cp1252") for code in codes]
    return [text for text in found if text != "name"]


ALIKE = {
    "a line": b"/FT/Tx/V(some text)" + SAID,
    "letters that Latin has": b"/FT/Tx/V<e4f6fc20df>" + SAID,
    "a line on the right": b"/FT/Tx/Q 2/V(some text)" + SAID,
    "a black box": b"/FT/Tx/MK<</BG[0 0 0]>>",
    "a black box of a signature": b"/FT/Sig/MK<</BG[0]>>",
    "a choice": b"/FT/Ch/Ff 131072/V(b)/Opt[(a)(b)]" + SAID,
    "an empty field": b"/FT/Tx/V()" + SAID,
    "a box that is not ticked": b"/FT/Btn/AS/Off" + SAID,
}


@pytest.mark.parametrize("case", ALIKE)
def test_a_field_that_viewers_draw_is_drawn_alike(case: str) -> None:
    judge("pdftoppm")
    dirty = filled(ALIKE[case])
    assert looks_the_same(dirty, remade(dirty))


@pytest.mark.claim("C-META")
def test_a_black_field_over_a_name_stays_and_what_it_says_besides_goes() -> None:
    judge("pdftoppm")
    dirty = filled(b"/FT/Tx/T(%s)/TU(%s)/DV(%s)/MK<</BG[0 0 0]/CA(%s)>>/AA<</K(%s)>>" % ((C,) * 5))
    made, facts = prove(dirty, ".pdf")
    assert drawn(made)[0].crop((21, 31, 119, 69)).getcolors() == [(98 * 38, (0, 0, 0))]
    assert "form_fields" in facts.removed


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("form", [b"", b"/NeedAppearances true"], ids=["unasked", "asked"])
def test_a_password_and_what_is_in_a_field_of_no_size_is_in_no_result(form: bytes) -> None:
    prove(filled(b"/FT/Tx/Ff 8192/V(%s)" % C + SAID, form=form), ".pdf")
    for rect in (b"20 30 20 30", b"20 30 21 31", b"x"):
        prove(filled(b"/FT/Tx/V(%s)" % C + SAID, form=form, rect=rect), ".pdf")


TEXTS = {
    "a line in two": (b"/FT/Tx/V(one\ntwo\r\n)", ["one two "]),
    "lines": (b"/FT/Tx/Ff 4096/V(one\rtwo)", ["one", "two"]),
    "lines that are broken": (b"/FT/Tx/Ff 4096/V(some words that are long)", None),
    "inherited": (b"/Parent 7 0 R", ["from above"]),
    "signs without a shape": (b"/FT/Tx/V<feff0061200b0062>", ["ab"]),
    "what is shown of a choice": (b"/FT/Ch/Ff 131072/V(1)/Opt[[(1)(one)][(2)(two)]]", ["one"]),
    "several choices": (b"/FT/Ch/Ff 131072/V[(2)(1)]/Opt[[(1)(one)][(2)(two)]]", ["two"]),
    "a choice of one's own": (b"/FT/Ch/Ff 131072/V(9)/Opt[(1)]", ["9"]),
    "a list": (b"/FT/Ch/V(2)/Opt[[(1)(one)](2)(3)(4)(5)(6)(7)]", ["one", "2", "3"]),
    "a list from its second": (b"/FT/Ch/TI 1/V(2)/Opt[(1)(2)]", ["2"]),
    "an empty list": (b"/FT/Ch", []),
    "a tick": (b"/FT/Btn/V/Yes", ["4"]),
    "a tick of another shape": (b"/FT/Btn/AS/Yes/MK<</CA(8)>>", ["8"]),
    "a tick of no shape": (b"/FT/Btn/AS/Yes/MK<</CA(xx)>>", ["4"]),
    "a dot": (b"/FT/Btn/Ff 32768/AS/Yes", ["l"]),
    "a button": (b"/FT/Btn/Ff 65536/V/Yes/MK<</CA(Send)>>", []),
    "of no kind": (b"/V(x)", []),
    "no text": (b"/FT/Tx/V 7", []),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_field_says_what_was_put_into_it(case: str) -> None:
    entries, texts = TEXTS[case]
    above = b"<</FT/Tx/V(from above)/Kids[5 0 R]>>"
    found = said(filled(entries + SAID, above))
    assert found == texts or (texts is None and " ".join(found) == "some words that are long")


@pytest.mark.parametrize(
    ("spelled", "lines"),
    [
        (b"/DA(/Helv 9 Tf .5 g)", b"0.5 g\n/F0 9 Tf"),
        (b"/DA(/Helv 9 Tf 0 0 0 1 k)", b"0 0 0 1 k\n/F0 9 Tf"),
        (b"/DA(/Helv 0 Tf 1 (x) 0 rg)", b"0 g\n/F0 26.8 Tf"),
        (b"/DA(/Helv x Tf)", b"BT\n"),
        (b"/DA(/Helv /x Tf)", b"/F0 26.8 Tf"),
        (b"/Q 1/DA(/Helv 12 Tf)", b"1 0 0 1 33.998 15.2 Tm"),
        (b"/Ff 4096/DA(/Helv 0 Tf)", b"/F0 12 Tf"),
        (b"/Ff 16777216/DA(/Helv 0 Tf)", b"/F0 12 Tf\n1 0 0 1 5.668 15.2 Tm"),
        (b"/MK<</R 90>>/DA(/Helv 9 Tf)", b"/Matrix [0 1 -1 0 0 0]"),
        (b"/MK<</R 180>>/DA(/Helv 9 Tf)", b"/Matrix [-1 0 0 -1 0 0]"),
        (b"/MK<</BC[1]>>/DA(/Helv 9 Tf)", b"1 G\n1 w\n0.5 0.5 99 39 re\nS"),
        (b"/MK<</BC[1]>>/BS<</W 0>>/DA(/Helv 9 Tf)", b"q\n1 0 0 1 20 30 cm"),
    ],
    ids=[
        "gray", "four inks", "as it fits", "no size", "a name for a size", "in the middle",
        "as lines fit", "as cells fit", "turned", "over head", "framed", "framed by nothing",
    ],
)  # fmt: skip
def test_a_field_is_written_in_these_steps(spelled: bytes, lines: bytes) -> None:
    assert lines in opened(remade(filled(b"/FT/Tx/V(words)" + spelled)))


@pytest.mark.parametrize(
    ("font", "spelled", "wanted"),
    [
        (b"Helvetica-Bold", b"/Helv", b"/Helvetica-Bold"),
        (b"CourierNew", b"/Helv", b"/Courier "),
        (b"Courier-Bold", b"/Helv", b"/Courier-Bold"),
        (b"Secret", b"/CoBo", b"/Courier-Bold"),
        (b"TimesNewRoman", b"/Helv", b"/Times-Roman"),
        (b"Secret", b"/TiBo", b"/Times-Bold"),
        (b"Secret", b"/Helv", b"/Helvetica "),
        (b"Secret", b"()", b"/Helvetica "),
    ],
)
def test_a_field_is_written_in_a_font_that_every_reader_has(
    font: bytes, spelled: bytes, wanted: bytes
) -> None:
    told = b"/FT/Tx/V(words)/DA(%s 12 Tf)" % spelled.replace(b"()", b"\\(\\)")
    assert wanted in opened(remade(filled(told, font=font)))


def test_a_long_word_is_broken_and_a_long_text_is_set_smaller() -> None:
    long = said(filled(b"/FT/Tx/Ff 4096/V(%s x)" % (b"w" * 50) + SAID))
    assert "".join(long) == "w" * 50 + " x"
    assert len(long) > 1
    small = opened(remade(filled(b"/FT/Tx/Ff 4096/V(%s)" % (b"words " * 60) + SAID)))
    assert b"/F0 4 Tf" in small
    # What would stand below the box is not there.
    many = said(filled(b"/FT/Tx/Ff 4096/V(%s)" % (b"word\\n" * 60) + SAID))
    assert 5 < len(many) < 60
    # Nor is what would stand beside it.
    (one,) = said(filled(b"/FT/Tx/V(%s)" % (b"word " * 60) + SAID))
    assert "word word" in one
    assert len(one) < 30
    assert said(filled(b"/FT/Tx/V(i)/DA(/Helv 900 Tf)")) == ["i"]


def test_wide_letters_and_those_of_a_typewriter_have_their_widths() -> None:
    wide = said(filled(b"/FT/Tx/Ff 4096/V<%s>/DA(/Helv 12 Tf)" % (b"80" * 20)))
    assert [len(line) for line in wide] == [8, 8, 4]
    typed = said(filled(b"/FT/Tx/Ff 4096/V(%s)/DA(/Helv 12 Tf)" % (b"i" * 30), font=b"Courier"))
    assert [len(line) for line in typed] == [14, 14, 2]


LETTERS = b"/FT/Tx/V<feff062a0642>"


def test_letters_that_cannot_be_written_refuse_the_file() -> None:
    for entries in (LETTERS, b"/FT/Tx/V 7 0 R"):
        with pytest.raises(Unsupported, match="print the document"):
            planned(filled(entries + SAID, stream(b"words")))


def test_a_field_is_drawn_anew_where_its_document_says_so() -> None:
    look = stream(b"0 1 0 rg 1 2 3 4 re f", LOOK)
    told = b"/AP<</N 7 0 R>>" + SAID
    anew = b"/NeedAppearances true"
    assert b"1 2 3 4 re" in opened(remade(filled(b"/FT/Tx/V(new)" + told, look)))
    assert said(filled(b"/FT/Tx/V(new)" + told, look, form=anew)) == ["new"]
    assert b"1 2 3 4 re" not in opened(remade(filled(b"/FT/Tx/V(new)" + told, look, form=anew)))
    for kept in (b"/FT/Sig", b"/FT/Btn"):
        assert b"1 2 3 4 re" in opened(remade(filled(kept + told, look, form=anew)))
    # What cannot be written anew is shown as it was written.
    font = b"/Resources<</Font<</F 6 0 R>>>>"
    written = stream(b"0 1 0 rg 1 2 3 4 re f BT /F 9 Tf (old) Tj ET", LOOK + font)
    assert b"1 2 3 4 re" in opened(remade(filled(LETTERS + told, written, form=anew)))
    states = b"/AP<</N<</On 7 0 R>>>>" + SAID
    for entries, own in ((told, look), (states, written)):
        with pytest.raises(Unsupported):
            planned(filled(LETTERS + entries, own, form=anew))


def test_two_fields_are_written_in_one_font() -> None:
    other = b"<</Type/Annot/Subtype/Widget/F 4/Rect[20 3 120 29]/FT/Tx/V(two)%s>>" % SAID
    dirty = filled(b"/FT/Tx/V(one)" + SAID, other).replace(b"[5 0 R]>>", b"[5 0 R 7 0 R]>>")
    assert said(dirty) == ["one", "two"]
    assert remade(dirty).count(b"/BaseFont /Helvetica ") == 2


def test_a_field_without_a_form_or_a_word_on_how_to_write_shows_its_box() -> None:
    box = b"/FT/Tx/V(x)/MK<</BG[1 0 0]>>"
    alone = filled(box).replace(b"/AcroForm", b"/AcroNone")
    assert b"1 0 0 rg" in opened(remade(alone))
    assert said(alone) == said(filled(box)) == []
    assert said(filled(box, form=b"/DA(/Helv 9 Tf)")) == ["x"]
    written = filled(box + SAID).replace(b"/AcroForm", b"/AcroNone")
    assert said(written) == ["x"]
    assert said(filled(box + SAID).replace(b"/DR", b"/No")) == ["x"]
    assert said(filled(box + b"/DA()")) == []


def test_fields_without_end_are_refused() -> None:
    loop = filled(b"/Parent 7 0 R" + SAID, b"<</Parent 7 0 R>>")
    options = filled(b"/FT/Ch/Opt[%s]" % (b"()" * 10_001) + SAID)
    long = filled(b"/FT/Tx/V(%s)" % (b"x" * 80_001) + SAID)
    for dirty in (loop, options, long):
        with pytest.raises(TooComplex):
            planned(dirty)
    with pytest.raises(TooComplex):
        planned(filled(b"/FT/Tx/V(%s)" % (b"x" * 200) + SAID), Limits(pdf_operations=100))
