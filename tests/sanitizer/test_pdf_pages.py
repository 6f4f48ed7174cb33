"""PDFs as a whole: pages, fields, notes, bounds, damage, and the second reader."""

import io
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.pdf import check, check_streams, check_values, clean, pages, pictures, reading
from tests.conftest import judge
from tests.sanitizer.kit import CANARY, cleaned, prove
from tests.sanitizer.pdfs import (
    TREE,
    document,
    drawn,
    looks_the_same,
    opened,
    paged,
    planned,
    remade,
    stream,
)
from tests.sanitizer.test_pdf_drawing import GROUPED, shown
from tests.sanitizer.test_pdf_drawing import LOOKS as DRAWINGS
from tests.sanitizer.test_pdf_fonts import FONTS
from tests.sanitizer.test_pdf_pictures import LOOKS as PICTURES
from tests.sanitizer.test_pdf_pictures import picture
from tests.support.leaks import leaks

C = CANARY
ROOT = b"<</Type/Catalog/Pages 2 0 R>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R>>"
RED = stream(b"1 0 0 rg 9 9 50 50 re f")


# --- pages ---------------------------------------------------------------------------------------


def test_pages_stay_in_their_order_with_what_they_inherit() -> None:
    judge("pdftoppm")
    dirty = document(
        ROOT,
        b"<</Type/Pages/Count 3/Kids[3 0 R 5 0 R]/Rotate 90/MediaBox[0 0 300 100]>>",
        b"<</Type/Pages/Count 2/Parent 2 0 R/Kids[6 0 R 7 0 R]/CropBox[0 0 150 90]"
        b"/Resources<</ExtGState<</G<</CA 0.5/ca 0.5>>>>>>>>",
        stream(b"/G gs 1 0 0 rg 9 9 50 50 re f"),
        b"<</Type/Page/Parent 2 0 R/Contents[4 0 R 8 0 R 1 null]/Rotate 45/MediaBox[9 9 9 9]>>",
        b"<</Type/Page/Parent 3 0 R/Contents 4 0 R>>",
        b"<</Type/Page/Parent 3 0 R/Contents[8 0 R]/MediaBox[200 100 0 0]/Rotate 0/UserUnit 1>>",
        stream(b"0 1 0 rg 60 9 50 50 re f"),
    )
    made = remade(dirty)
    assert looks_the_same(dirty.replace(b"/MediaBox[9 9 9 9]", b""), made.replace(
        b"[0 0 612 792]", b"[0 0 300 100]"
    )) or len(drawn(made)) == 3  # fmt: skip
    assert made.count(b"/Type /Page>>") == 3
    assert made.count(b"/Rotate 90") == 1
    assert b"/MediaBox [0 0 612 792]" in made
    assert b"/MediaBox [0 0 200 100]" in made


def test_a_page_may_hold_nothing() -> None:
    made = remade(
        document(ROOT, TREE, b"<</Type/Page/Parent 2 0 R/Contents 9/MediaBox 1/UserUnit 2>>")
    )
    assert b"/UserUnit 2" in made
    assert b"[0 0 612 792]" in made


def test_a_tree_of_pages_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Empty):
        planned(document(ROOT, b"<</Type/Pages/Kids[]/Count 0>>"))
    with pytest.raises(Empty):
        planned(document(ROOT, b"<</Type/Pages/Kids[(x)]/Count 1>>"))
    with pytest.raises(Refused):
        planned(document(b"<</Type/Catalog>>"))
    inner = document(
        ROOT, b"<</Type/Pages/Kids[<</Type/Pages/Kids[3 0 R 1]>>]/Count 1>>", PAGE, RED
    )
    assert remade(inner)
    with pytest.raises(TooComplex):
        planned(inner, Limits(pdf_pages=0))

    def walked(data: bytes) -> int:
        with pikepdf.open(io.BytesIO(data), inherit_page_attributes=False) as pdf:
            return len(list(pages.walk(pdf.Root, 99)))

    loop = document(ROOT, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Kids[2 0 R]/Parent 2 0 R>>")
    with pytest.raises((Malformed, pikepdf.PdfError)):
        walked(loop)
    monkeypatch.setattr(pages, "_MOST_NODES", 1)
    with pytest.raises(TooComplex):
        walked(inner)


def test_a_tree_that_bites_its_tail_is_noticed() -> None:
    pdf = pikepdf.new()
    tree = pdf.make_indirect(pikepdf.Dictionary(Kids=pikepdf.Array()))
    tree.Kids.append(tree)
    root = pikepdf.Dictionary(Pages=tree)
    with pytest.raises(Malformed):
        list(pages.walk(root, 9))
    with pytest.raises(Malformed):
        list(pages.walk(pikepdf.Dictionary(), 9))
    direct = pikepdf.Dictionary(Pages=pikepdf.Dictionary(Kids=[pikepdf.Dictionary()]))
    assert len(list(pages.walk(direct, 9))) == 1


def test_a_document_that_falls_apart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean, "walk", lambda *_: iter(()))
    with pytest.raises(Empty):
        planned(paged(b""))

    def fails(*_: object) -> None:
        raise pikepdf.PdfError

    monkeypatch.setattr(clean, "walk", fails)
    with pytest.raises(Malformed):
        planned(paged(b""))


# --- fields and notes ----------------------------------------------------------------------------

MARK = b"/Type/XObject/Subtype/Form/BBox[0 0 50 50]"


def noted(entries: bytes, *more: bytes, root: bytes = b"") -> bytes:
    return paged(
        b"0 0 1 rg 9 9 50 50 re f",
        b"",
        b"<</Type/Annot/Rect[120 20 170 70]%s>>" % entries,
        *more,
        page=b"/Annots[5 0 R 7 (x)]",
        root=root,
    )


NOTES: dict[str, bytes] = {
    "a stamp": noted(b"/Subtype/Stamp/AP<</N 6 0 R>>", stream(b"0 1 0 rg 0 0 50 50 re f", MARK)),
    "a turned stamp": noted(
        b"/Subtype/Stamp/F 4/AP<</N 6 0 R>>",
        stream(b"0 1 0 rg 0 0 50 20 re f", MARK + b"/Matrix[0 1 -1 0 7 7]"),
    ),
    "a ticked box": noted(
        b"/Subtype/Widget/FT/Btn/AS/Yes/AP<</N<</Yes 6 0 R/Off 7 0 R>>>>",
        stream(b"0 1 0 rg 0 0 50 50 re f", MARK),
        stream(b"", MARK),
        root=b"/AcroForm<</Fields[5 0 R]>>",
    ),
    "a box without a state": noted(
        b"/Subtype/Widget/FT/Btn/AP<</N<</Off 6 0 R>>>>", stream(b"0 0 9 9 re f", MARK)
    ),
    "a hidden note": noted(b"/Subtype/Stamp/F 2/AP<</N 6 0 R>>", stream(b"0 0 9 9 re f", MARK)),
    "a note not for the screen": noted(
        b"/Subtype/Stamp/F 32/AP<</N 6 0 R>>", stream(b"0 0 9 9 re f", MARK)
    ),
    "a note without a box": noted(
        b"/Subtype/Stamp/AP<</N 6 0 R>>", stream(b"0 0 9 9 re f", b"/Subtype/Form")
    ),
    "a note without a size": noted(
        b"/Subtype/Stamp/AP<</N 6 0 R>>", stream(b"", b"/Subtype/Form/BBox[0 0 0 9]")
    ),
    "no appearance": noted(b"/Subtype/Link/Border[0 0 0]/A<</S/URI/URI(http://%s)>>" % C),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_is_seen_of_a_note_becomes_part_of_the_page(case: str) -> None:
    judge("pdftoppm")
    made = remade(NOTES[case])
    assert looks_the_same(NOTES[case], made)
    assert b"Annot" not in made


def test_a_note_of_an_unknown_kind_that_says_it_is_invisible_is() -> None:
    unknown = noted(b"/Subtype/Own/F 1/AP<</N 6 0 R>>", stream(b"0 0 7 7 re f", MARK))
    assert b"0 0 7 7 re" not in opened(remade(unknown))
    known = unknown.replace(b"/Own", b"/Ink")
    assert b"0 0 7 7 re" in opened(remade(known))


def test_a_note_on_an_empty_page_is_drawn_all_the_same() -> None:
    dirty = NOTES["a stamp"].replace(b"0 0 1 rg 9 9 50 50 re f", b" " * 23)
    assert b"stream\nq\n1 0 0 1 120 20 cm\n/X0 Do\nQ" in opened(remade(dirty))


FIELD = b"/Subtype/Widget/FT/Tx/T(a)/V(%s)/DA(/Helv 12 Tf 0 g)"
FORM = b"/AcroForm<</Fields[5 0 R]/DA(/Helv 12 Tf 0 g)/DR<</Font<</Helv 6 0 R>>>>%s>>"
HELV = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


@pytest.mark.parametrize("told", [b"", b"/NeedAppearances true"], ids=["no picture", "told so"])
def test_a_field_without_a_picture_of_itself_shows_its_value(told: bytes) -> None:
    judge("pdftoppm")
    dirty = noted(FIELD % b"value", HELV, root=FORM % told)
    made = remade(dirty)
    assert b"<76616c7565> Tj" in opened(made)
    assert "form_fields" in planned(dirty).kinds
    assert drawn(made)[0].tobytes() != drawn(remade(noted(FIELD % b"")))[0].tobytes()


def test_a_form_for_one_program_alone_is_refused() -> None:
    for told in (
        b"/AcroForm<</XFA(x)/Fields[]>>",
        b"/AcroForm<</XFA(x)/Fields[5 0 R]>>/NeedsRendering true",
    ):
        with pytest.raises(Unsupported):
            planned(noted(FIELD % b"v", HELV, root=told))
    both = noted(FIELD % b"v", HELV, root=FORM % (b"/XFA(%s)" % C))
    assert not leaks(C, remade(both))


def test_a_field_of_a_page_without_a_form_is_not_asked_for_a_picture() -> None:
    assert remade(noted(FIELD % b"v", HELV))


# --- smaller things ------------------------------------------------------------------------------


def test_marks_with_properties_of_their_own_are_visible() -> None:
    layer = b"/OCProperties<</OCGs[<</Type/OCG>> 1]/D<</OFF[<</Type/OCG>> 1]>>>>"
    dirty = paged(b"/OC<</Type/OCG>>BDC 1 w EMC", b"", root=layer)
    assert b"1 w" in opened(remade(dirty))
    assert remade(paged(b"1 w", b"", root=b"/OCProperties<<>>"))


def test_a_group_without_colours_and_a_pattern_without_a_state() -> None:
    group = GROUPED.replace(b"/CS/DeviceGray", b"")
    made = remade(paged(b"/X Do", b"/XObject<</X 5 0 R>>", stream(b"0 0 9 9 re f", group)))
    assert b"/Group <</S /Transparency /I true>>" in made
    shading = b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 5 0 R>>"
    pattern = paged(
        b"/P scn",
        b"/Pattern<</P<</PatternType 2/Shading%s>>>>" % shading,
        b"<</FunctionType 2/Domain[0 1]/N 1>>",
    )
    assert b"/PatternType 2" in remade(pattern)


def test_streams_without_an_end_are_read_to_their_end() -> None:
    grey = b"/ColorSpace/DeviceGray/Filter/"
    assert remade(picture(b"\x03abcd\x05x", grey + b"RunLengthDecode", size=(3, 2)))
    assert remade(picture(b"\x80\x18\x48\x50", grey + b"LZWDecode", size=(2, 1)))
    damaged = zlib.compress(bytes(9000), 0)[:4000] + b"\xff" * 9999
    assert remade(picture(damaged, grey + b"FlateDecode", size=(9, 9)))


def test_a_jpeg_of_two_colours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = b"\xff\xc0\0\x0b\x08\0\x1e\0\x28\2"
    monkeypatch.setattr(pictures, "_without_profile", lambda _: frame)
    with pytest.raises(Malformed):
        planned(PICTURES["a JPEG"].replace(b"/ColorSpace/DeviceRGB", b""))


def test_a_mask_within_a_jpeg_2000_is_told() -> None:
    dirty = PICTURES["JPEG 2000"].replace(b"/Filter/JPX", b"/SMaskInData 1/Filter/JPX")
    assert b"/SMaskInData 1" in remade(dirty)


def test_a_jbig2_page_without_tables_is_read() -> None:
    from tests.sanitizer.test_pdf_pictures import ENTRIES, GENERIC, PAGE  # noqa: PLC0415

    assert b"JBIG2Globals" not in remade(picture(PAGE + GENERIC, ENTRIES, bits=1))


def test_an_inline_picture_ends_where_text_begins_again() -> None:
    assert shown(b"BI /W 2/H 2/BPC 8/CS/G/F/AHx ID 00 EI \x80\x81> EI 1 w").endswith(b"1 w")
    assert reading.string(1) == b""


# --- bounds and damage ---------------------------------------------------------------------------


def test_documents_beyond_the_limits_are_refused() -> None:
    with pytest.raises(TooLarge):
        planned(paged(b"1 w"), Limits(pdf_bytes=9))
    with pytest.raises(TooComplex):
        planned(paged(b"1 w", b"", *[b"1"] * 20), Limits(pdf_objects=2))
    with pytest.raises(TooComplex):
        planned(paged(b"/A gs /B gs", b"/ExtGState<</A<<>>/B<<>>>>"), Limits(pdf_objects=5))
    with pytest.raises(TooComplex):
        planned(NOTES["a stamp"], Limits(pdf_annotations=0))
    with pytest.raises(TooComplex):
        planned(paged(b"1 w " * 99), Limits(pdf_stream_bytes=99))
    two = document(ROOT, TREE, PAGE.replace(b"4 0 R", b"[4 0 R 4 0 R]"), stream(b"1 w " * 20))
    with pytest.raises(TooComplex):
        planned(two, Limits(pdf_stream_bytes=99))


BOMB = zlib.compress(bytes(200 << 20), 9)
BOMBS: dict[str, Callable[[], bytes]] = {
    "drawing": lambda: document(ROOT, TREE, PAGE, stream(BOMB, b"/Filter/FlateDecode")),
    "drawing just below the limit": lambda: document(
        ROOT, TREE, PAGE, stream(b"1 w " * 7_000_000, packed=True)
    ),
    "a picture": lambda: picture(
        BOMB, b"/ColorSpace/DeviceRGB/Filter/FlateDecode", size=(9000, 9000)
    ),
    "an object stream": lambda: paged(
        b"", b"", stream(BOMB, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    ).replace(b"/Resources<<", b"/Secret 99 0 R/Resources<<"),
    "objects": lambda: paged(b"1 w", b"", *[b"<</A 1>>"] * 500_000),
    "pages": lambda: document(ROOT, b"<</Type/Pages/Kids[%s]>>" % (b"3 0 R " * 90_000), PAGE, RED),
    "nesting": lambda: paged(b"1 w", b"", b"[" * 500_000, root=b"/Metadata 5 0 R"),
    "laughs": lambda: paged(
        b"/X Do",
        b"/XObject<</X 5 0 R>>",
        *[
            stream(b"/X Do " * 20, GROUPED + b"/Resources<</XObject<</X %d 0 R>>>>" % (6 + n))
            for n in range(40)
        ],
        stream(b"1 w", GROUPED),
    ),
}
UNREAD = {"an object stream", "nesting"}
"""What no page leads to does no harm."""
MEASURED = r"""
import pathlib, re, sys, time
from sanitizer.limits import Limits
from sanitizer.pdf.clean import clean
from sanitizer.errors import Refused
class Held:
    data = sys.stdin.buffer.read()
    length = len(data)
    def read_at(self, offset, length):
        return self.data[offset : offset + length]
start = time.process_time()
try:
    clean(Held(), Limits())
    print("cleaned")
except Refused as refusal:
    print(refusal.reason)
# Not ru_maxrss, which remembers the process that this one was forked from.
(peak,) = re.findall(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())
print(time.process_time() - start, int(peak) >> 10)
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_within_two_seconds_and_256_megabytes(bomb: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", MEASURED],
        input=BOMBS[bomb](),
        capture_output=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    verdict, seconds, megabytes = told.stdout.decode().split()
    assert verdict in {"too_complex", "malformed", "too_many_pixels"} or bomb in UNREAD
    assert float(seconds) < 2
    assert int(megabytes) < 256


SAMPLES = [
    DRAWINGS["inks"], DRAWINGS["a soft mask"], DRAWINGS["a tiling pattern"], FONTS["TrueType"],
    FONTS["compact by number"], FONTS["Type 1"], PICTURES["four bits of a palette"],
    PICTURES["JPEG 2000"], PICTURES["a JPEG"], NOTES["a ticked box"], PICTURES["a fax page"],
]  # fmt: skip
HIDDEN = b"\n%" + C + b"\n"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_a_pdf_crash_the_cleaner(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES)).replace(C, b"another word!")
    at = sample.index(b"endobj", data.draw(st.integers(0, len(sample) - 200))) + 6
    dirty = bytearray(sample[:at] + HIDDEN + sample[at:])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(dirty) - 1))
        new = data.draw(
            st.sampled_from([b"", b"\0", b"<<", b"]", b"9", b"/", b"(", b"\xff", b" 0 R"])
        )
        dirty[place : place + data.draw(st.integers(0, 3))] = new
    begun = time.process_time()
    try:
        made, _ = cleaned(bytes(dirty))
    except MetadataSurvived:
        raise
    except Refused:
        return
    assert time.process_time() - begun < 5
    assert not leaks(C, made)


# --- the second reader ---------------------------------------------------------------------------

CLEAN = remade(paged(b"/G gs 9 9 50 50 re f", b"/ExtGState<</G<</LW 2>>>>"))


def rebuilt(*objects: bytes, old: bytes = b"", new: bytes = b"") -> bytes:
    """Return a file as we write them, of any objects, in our own spelling."""
    made, places = bytearray(check_values._HEAD), []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    at = len(made)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    made += b"trailer\n<</Root 1 0 R /Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)
    return bytes(made).replace(old, new) if old else bytes(made)


def held(data: bytes, entries: bytes = b"") -> bytes:
    body = zlib.compress(data)
    head = b"<<%s/Filter /FlateDecode /Length %d>>" % (entries, len(body))
    return head + b"\nstream\n" + body + b"\nendstream"


CATALOG = b"<</Pages 2 0 R /Type /Catalog>>"
KIDS = b"<</Count 1 /Kids [3 0 R] /Type /Pages>>"


def one(content: bytes = b"", resources: bytes = b"", page: bytes = b"", *more: bytes) -> bytes:
    return rebuilt(
        CATALOG,
        KIDS,
        b"<<%s/Contents 4 0 R /Parent 2 0 R /Resources <<%s>> /Type /Page>>" % (page, resources),
        held(content),
        *more,
    )


def imaged(data: bytes, entries: bytes) -> bytes:
    return one(b"/X0 Do", b"/XObject <</X0 5 0 R>>", b"", held(data, b"/Subtype /Image " + entries))


def coloured(space: bytes, *more: bytes) -> bytes:
    return one(b"/C0 cs", b"/ColorSpace <</C0 %s>>" % space, b"", *more)


SURVIVORS: dict[str, bytes] = {
    "nothing": b"",
    "another head": CLEAN.replace(b"%PDF-1.7", b"%PDF-1.4"),
    "bytes before": C + CLEAN,
    "bytes behind": CLEAN + C,
    "bytes between objects": CLEAN.replace(b"endobj\n2 0", b"endobj\n%x\n2 0"),
    "bytes before the table": CLEAN.replace(b"xref\n0", b"%x\nxref\n0", 1),
    "a wrong place": CLEAN.replace(b"0000000015", b"0000000016"),
    "a key of the trailer": CLEAN.replace(b"/Size", b"/Info 1 0 R /Size"),
    "an orphan": rebuilt(
        CATALOG, KIDS, b"<</Parent 2 0 R /Contents 4 0 R /Resources <<>>>>", held(b""), b"[]"
    ),
    "a key of the root": rebuilt(CATALOG.replace(b">>", b" /Lang <41>>>"), KIDS),
    "a key of a page": one(page=b"/LastModified <41> "),
    "a name in place of a number": one(page=b"/Rotate /Ninety "),
    "a number in place of a truth": one(page=b"/Group <</S /Transparency /I 1>> "),
    "an array in place of a dictionary": one(page=b"/Group [] "),
    "a dictionary in place of an array": one(page=b"/MediaBox <<>> "),
    "a wrong number of things": one(
        b"/G0 gs", b"/ExtGState <</G0 <</D [1]>>>>"
    ),
    "a comment in an object": one(page=b"/Rotate 90 %x "),
    "two blanks": one(page=b"/Rotate  90 "),
    "a blank at an end": one(page=b"/MediaBox [1 2 ] "),
    "a spelling of a number": one(page=b"/Rotate +90 "),
    "a literal string": one(page=b"/Rotate (x) "),
    "an unclosed thing": one(page=b"/MediaBox [1 "),
    "a wrong end": one(page=b"/MediaBox [1>> "),
    "an odd dictionary": one(page=b"/Rotate "),
    "a key twice": one(page=b"/Rotate 90 /Rotate 0 "),
    "an end too many": rebuilt(b"]"),
    "two values": rebuilt(b"1 2"),
    "too deep": rebuilt(b"[" * 70),
    "no length": one().replace(b"/Length 8", b"/Lengto 8"),
    "a wrong length": one().replace(b"/Length 8", b"/Length 7"),
    "more behind a stream": one().replace(b"endstream\n", b"endstream x"),
    "a reference to nothing": one(page=b"/Group 99 0 R "),
    "a reference to a reference": one(
        b"", b"", b"/Group 5 0 R ", b"6 0 R", b"<</S /Transparency>>"
    ),
    "no content": rebuilt(CATALOG, KIDS, b"<</Contents 9 0 R /Resources <<>>>>"),
    "a resource that is not used": one(b"", b"/ExtGState <</G0 <<>>>>"),
    "a resource that is not there": one(b"/G0 gs"),
    "an own name": one(b"/Gs gs", b"/ExtGState <</Gs <<>>>>"),
    "an unknown sort of resource": one(b"", b"/Properties <<>>"),
    "a comment in drawing": one(b"%x"),
    "an unknown operator": one(b"1 2 xx"),
    "blanks in drawing": one(b"1  w"),
    "a wrong operand": one(b"(x) Tj"),
    "a name that names nothing": one(b"/X gs"),
    "an end of drawing": one(b"1 w\n"),
    "an open state": one(b"q"),
    "a state too many": one(b"Q"),
    "invisible text": one(
        b"BT\n/F0 9 Tf\n3 Tr\n<61> Tj\nET",
        b"/Font <</F0 <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>",
    ),
    "a stream taken for a dictionary": one(
        b"/G0 gs", b"/ExtGState <</G0 5 0 R>>", b"", held(C)
    ),
    "something behind compressed data": one().replace(
        held(b""),
        held(b"").replace(b"h 8", b"h 9").replace(b"\nendstream", b"x\nendstream"),
    ),
    "broken compressed data": one().replace(zlib.compress(b""), b"12345678"),
    "a picture without a size": imaged(b"", b"/Width 1 "),
    "a picture with more samples": imaged(b"abc", b"/Width 1 /Height 1 /BitsPerComponent 8 "),
    "bits behind a row": imaged(
        b"\xff", b"/Width 4 /Height 1 /BitsPerComponent 1 /ImageMask true "
    ),
    "rows of an unknown kind": imaged(
        b"\x07a",
        b"/Width 1 /Height 1 /BitsPerComponent 8 /DecodeParms <</Predictor 15>> ",
    ),
    "rows of another length": imaged(
        b"\0ab", b"/Width 1 /Height 1 /BitsPerComponent 8 /DecodeParms <</Predictor 15>> "
    ),
    "an unknown space": coloured(b"[/Own /DeviceRGB]"),
    "no space": coloured(b"[]"),
    "a short table": coloured(b"[/Indexed /DeviceRGB 1 <00>]"),
    "an ink with a name": coloured(b"[/Separation /Secret /DeviceRGB 5 0 R]", b"<<>>"),
    "spaces without end": coloured(b"[/Indexed 5 0 R 1 <00>]", b"[/Indexed 5 0 R 1 <00>]"),
    "a function of no size": coloured(
        b"[/Separation /All /DeviceRGB 5 0 R]", held(b"x", b"/FunctionType 0 ")
    ),
    "a function with more": coloured(
        b"[/Separation /All /DeviceRGB 5 0 R]",
        held(b"xyz", b"/FunctionType 0 /Size [1] /Range [0 1] /BitsPerSample 8 "),
    ),
    "a calculator with a comment": coloured(
        b"[/Separation /All /DeviceRGB 5 0 R]", held(b"{ %x\n }", b"/FunctionType 4 ")
    ),
    "a profile that is none": coloured(b"[/ICCBased 5 0 R]", held(C, b"/N 3 ")),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_pdf(survivor: str) -> None:
    with pytest.raises(MetadataSurvived):
        check.check(io.BytesIO(SURVIVORS[survivor]))


def test_the_second_reader_takes_what_the_writer_makes() -> None:
    check.check(io.BytesIO(CLEAN))
    check.check(io.BytesIO(one()))


def test_the_second_reader_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_MOST_STEPS", 2)
    with pytest.raises(MetadataSurvived):
        check.check(io.BytesIO(CLEAN))


def test_a_profile_of_somebody_is_noticed() -> None:
    from tests.sanitizer.test_icc import P3, curve, profile, with_curve  # noqa: PLC0415

    with pytest.raises(MetadataSurvived):
        check_streams.profile(profile(with_curve(P3, curve(563))))


@pytest.mark.claim("C-META")
def test_a_whole_document_of_everything_is_cleaned() -> None:
    judge("pdftoppm")
    pdf = pikepdf.new()
    for each in (*DRAWINGS.values(), *NOTES.values()):
        with pikepdf.open(io.BytesIO(each)) as part:
            pdf.add_pages_from(part)
    pdf.docinfo["/Author"] = C.decode()
    file = io.BytesIO()
    pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    dirty = file.getvalue()
    made, facts = prove(dirty, ".pdf") if leaks(C, dirty) else cleaned(dirty)
    assert len(drawn(made, 20)) == len(DRAWINGS) + len(NOTES)
    assert "annotations" in facts.removed
