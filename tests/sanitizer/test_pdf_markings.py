"""PDF: notes without an appearance, which viewers draw themselves: drawn, or a refusal."""

import pytest
from PIL import ImageChops

from sanitizer.errors import TooComplex, Unsupported
from sanitizer.limits import Limits
from tests.conftest import judge
from tests.sanitizer.kit import CANARY as C
from tests.sanitizer.kit import prove
from tests.sanitizer.pdfs import drawn, looks_the_same, opened, paged, planned, remade

SECRET = b"BT /F 12 Tf 30 40 Td (name) Tj ET 0 0 1 rg 180 80 9 9 re f"
HELV = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def noted(entries: bytes) -> bytes:
    note = b"<</Type/Annot/F 4/Rect[20 30 120 70]%s>>" % entries
    return paged(SECRET, HELV, note, page=b"/Annots[5 0 R]")


QUAD = b"/QuadPoints[20 60 90 60 20 40 90 40]"
SEEN = {
    "a black box": b"/Subtype/Square/C[0 0 0]/IC[0 0 0]",
    "a frame": b"/Subtype/Square/C[1 0 0]/BS<</W 4>>",
    "a frame of no colour told": b"/Subtype/Square",
    "a frame in gray": b"/Subtype/Square/C[.5]",
    "a box without a frame": b"/Subtype/Square/IC[1 0 0]/Border[0 0 0]",
    "a frame of dashes": b"/Subtype/Square/C[1 0 0]/BS<</S/D/D[4 2]/W 2>>",
    "a line": b"/Subtype/Line/C[1 0 0]/L[20 30 120 70]/LE[/None/None]",
    "many lines": b"/Subtype/PolyLine/C[0 0 1]/Vertices[20 30 60 70 110 30]",
    "a link with a border": b"/Subtype/Link/C[1 0 0]/Border[0 0 2]",
    "a link without one": b"/Subtype/Link/A<</S/URI/URI(x:)>>",
    "a link with a border of no width": b"/Subtype/Link/Border[0 0 0]",
    "a hidden box": b"/Subtype/Square/IC[0 0 0]/F 2",
}


@pytest.mark.parametrize("case", SEEN)
def test_a_note_that_viewers_draw_is_drawn_alike(case: str) -> None:
    judge("pdftoppm")
    dirty = noted(SEEN[case]).replace(b"/F 4", b"") if b"/F 2" in SEEN[case] else noted(SEEN[case])
    made = remade(dirty)
    assert looks_the_same(dirty, made)
    assert b"Annot" not in made


@pytest.mark.claim("C-META")
def test_what_a_drawn_note_says_goes_and_the_black_box_over_a_name_stays() -> None:
    judge("pdftoppm")
    dirty = noted(b"/Subtype/Square/IC[0 0 0]/T(%s)/Contents(%s)/RC(%s)" % (C, C, C))
    made, facts = prove(dirty, ".pdf")
    assert drawn(made)[0].getpixel((35, 56)) == (0, 0, 0)
    assert drawn(made)[0].crop((22, 32, 118, 68)).getcolors() == [(96 * 36, (0, 0, 0))]
    assert "annotations" in facts.removed


ROUGHLY = {
    "a disc": b"/Subtype/Circle/C[1 0 0]/IC[0 1 0]/BS<</W 3>>",
    "ink": b"/Subtype/Ink/C[1 0 0]/InkList[[20 30 50 70 90 40][30 30 60 60]]/BS<</W 3>>",
    "a polygon": b"/Subtype/Polygon/C[0 0 1]/IC[1 0 0]/Vertices[20 30 60 70 110 30]",
    "the outline of a polygon": b"/Subtype/Polygon/C[0 0 1]/Vertices[20 30 60 70 110 30]",
    "highlighted": b"/Subtype/Highlight/C[1 1 0]" + QUAD,
    "highlighted in black": b"/Subtype/Highlight/C[0 0 0]" + QUAD,
    "underlined": b"/Subtype/Underline/C[1 0 0]" + QUAD,
    "struck out": b"/Subtype/StrikeOut/C[1 0 0]" + QUAD,
    "underlined by a wave": b"/Subtype/Squiggly/C[1 0 0]" + QUAD,
    "half transparent": b"/Subtype/Square/C[1 0 0]/IC[1 0 0]/CA .5",
    "a frame in four inks": b"/Subtype/Square/C[0 1 1 0]/IC[0 1 1 0]",
}


@pytest.mark.parametrize("case", ROUGHLY)
def test_marks_on_words_are_drawn_much_alike(case: str) -> None:
    judge("pdftoppm")
    dirty = noted(ROUGHLY[case])
    before, after = drawn(dirty)[0], drawn(remade(dirty))[0]
    far = ImageChops.difference(before, after).convert("L").histogram()
    assert sum(far[64:]) < 200
    bare = drawn(remade(noted(b"/Subtype/Text")))[0]
    assert ImageChops.difference(bare, after).getbbox() is not None


SIDES = b"130 60 130 40 120 30 c\n20 30 l\n10 40 10 60 20 70 c\n"


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        (b"/Subtype/Highlight/C[0 0 0]", b"0 0 0 rg\n20 70 m\n120 70 l\n" + SIDES + b"f"),
        (
            b"/Subtype/Highlight/QuadPoints[20 40 90 40 90 60 20 60]",
            b"0 g\n20 40 m\n90 40 l\n95 45 95 55 90 60 c\n20 60 l\n15 55 15 45 20 40 c\nf",
        ),
        (b"/Subtype/Ink/InkList[[50 50]]/C(x)", b"0 G\n1 w\n49.5 50 m\n50.5 50 l\nS"),
        (b"/Subtype/Square/C[]/IC[1]/Border[0 0 2[3 1]]", b"1 g\n21 31 98 38 re\nf"),
        (b"/Subtype/Polygon/C[]/IC[1]/Vertices[1 2 3 4]", b"1 g\n1 2 m\n3 4 l\nf"),
        (b"/Subtype/Square/C[1 2]/Border[0 0 1[3 1]]", b"0 G\n1 w\n[3 1] 0 d"),
        (b"/Subtype/Square/BS<</S/D>>", b"1 w\n[3] 0 d"),
        (b"/Subtype/Squiggly/QuadPoints[5 9 6 9 5 2 6 2]", b"5 3.3 m\n6 3.3 l\nS"),
    ],
    ids=[
        "no quads",
        "quads around",
        "a dot",
        "no outline",
        "open",
        "dashes",
        "usual dashes",
        "short",
    ],
)
def test_a_note_is_drawn_in_these_steps(entries: bytes, lines: bytes) -> None:
    assert lines in opened(remade(noted(entries)))


@pytest.mark.parametrize(
    "entries",
    [
        b"/Subtype/Square/C[]",
        b"/Subtype/Square/Border[0 0 0]",
        b"/Subtype/Underline/C[]",
        b"/Subtype/Ink",
        b"/Subtype/Highlight/Rect 7",
        b"/Subtype/Square/Rect[1 2 3]",
        b"/Subtype/Text/Contents(x)",
        b"/Subtype/Popup",
        b"/Subtype/Watermark",
        b"",
    ],
)
def test_a_note_that_shows_nothing_is_not_drawn(entries: bytes) -> None:
    dirty = noted(entries)
    if b"Rect" in entries:
        dirty = dirty.replace(b"/Rect[20 30 120 70]", b"")
    assert b"/XObject" not in remade(dirty)


@pytest.mark.parametrize(
    "entries",
    [
        b"/Subtype/FreeText/DA(/Helv 12 Tf 0 g)/Contents(words)",
        b"/Subtype/Stamp/Name/Approved",
        b"/Subtype/Redact/IC[0 0 0]",
        b"/Subtype/Own",
        b"/Subtype/Highlight/C[]/QuadPoints[20 60 90 60 20 40 90 40]",
        b"/Subtype/Line/L[1 2 3 4]/LE[/None/OpenArrow]",
        b"/Subtype/Line/L[1 2 3 4]/LL 5",
        b"/Subtype/Line/L[1 2 3 4]/Cap true",
        b"/Subtype/Polygon/Vertices[1 2 3 4]/BE<</S/C>>",
    ],
)
def test_a_note_that_would_be_seen_and_is_not_drawn_here_refuses_the_file(entries: bytes) -> None:
    with pytest.raises(Unsupported, match="screenshot"):
        planned(noted(entries))


def test_a_black_highlight_covers_all_that_any_viewer_covers_with_it() -> None:
    judge("pdftoppm")
    dirty = noted(b"/Subtype/Highlight/C[0 0 0]" + QUAD)
    assert looks_the_same(dirty, remade(dirty))
    point = noted(b"/Subtype/Highlight/C[0]/QuadPoints[30 40 30 40 30 40 30 40]")
    assert b"30 40 m\n30 40 l\n30 40 30 40 30 40 c" in opened(remade(point))


def test_points_without_end_are_refused() -> None:
    dirty = noted(b"/Subtype/Ink/InkList[%s]" % (b"[1 2 3 4]" * 30))
    with pytest.raises(TooComplex):
        planned(dirty, Limits(pdf_operations=100))
