"""PDF: every place where something may hide, a word planted there, and where it is afterwards."""

import io
import zlib
from collections.abc import Callable

import pikepdf
import pytest

from sanitizer.detect import Format
from sanitizer.errors import Encrypted
from sanitizer.jail.pool import shared_pool
from sanitizer.limits import Limits
from sanitizer.source import BytesSource
from tests.conftest import judge
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.kit import CANARY, cleaned, prove
from tests.sanitizer.pdfs import (
    TREE,
    document,
    drawn,
    looks_the_same,
    opened,
    paged,
    remade,
    stream,
)
from tests.support.leaks import leaks
from tests.support.media import drawing, phone_exif, xmp_packet

C = CANARY
DRAWING = b"1 0 0 rg 10 10 80 50 re f"
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 50 50]"


def jpeg_with_gps() -> bytes:
    made = io.BytesIO()
    drawing(40, 30).save(made, "JPEG", exif=phone_exif(C), comment=C)
    return made.getvalue() + C


def image(data: bytes, entries: bytes = b"", codec: bytes = b"/DCTDecode") -> bytes:
    size = b"/Type/XObject/Subtype/Image/Width 40/Height 30/BitsPerComponent 8"
    return stream(data, size + b"/ColorSpace/DeviceRGB/Filter" + codec + entries)


def pictured(
    data: bytes, entries: bytes = b"", codec: bytes = b"/DCTDecode", *more: bytes
) -> bytes:
    return paged(
        b"q 80 0 0 60 10 10 cm /Im Do Q",
        b"/XObject<</Im 5 0 R>>",
        image(data, entries, codec),
        *more,
    )


def in_root(entry: bytes, *more: bytes) -> bytes:
    return paged(DRAWING, b"", *more, root=entry)


def on_page(entry: bytes, *more: bytes) -> bytes:
    return paged(DRAWING, b"", *more, page=entry)


def drawn_with(content: bytes, resources: bytes = b"", *more: bytes) -> bytes:
    return paged(DRAWING + b"\n" + content, resources, *more)


def annotated(entries: bytes, appearance: bytes = b"0 1 0 rg 0 0 50 50 re f") -> bytes:
    note = b"<</Type/Annot/Rect[120 20 170 70]/AP<</N 6 0 R>>%s>>" % entries
    return on_page(b"/Annots[5 0 R]", note, stream(appearance, FORM))


def earlier() -> bytes:
    first = paged(b"BT /F 9 Tf (%s) Tj ET" % C, b"/Font<</F<</Type/Font/Subtype/Type1>>>>")
    at = len(first)
    body = b"4 0 obj\n" + stream(DRAWING) + b"\nendobj\n"
    table = b"xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\n" % (
        at,
        first.rindex(b"xref\n0"),
    )
    return first + body + table + b"startxref\n%d\n%%%%EOF\n" % (at + len(body))


def in_object_streams() -> bytes:
    pdf = pikepdf.open(io.BytesIO(paged(DRAWING, trailer=b"/Info<</Author(%s)>>" % C)))
    pdf.Root.Secret = pikepdf.String(C.decode())
    made = io.BytesIO()
    pdf.save(made, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    return made.getvalue()


def font_file() -> bytes:
    return b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/%s>>>>" % C


PACKED = zlib.compress(bytes(40 * 30 * 3))
PROFILE = zlib.compress(bytes(36) + b"acsp" + C)
SPACED = b"<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace"
PLACES: dict[str, Callable[[], bytes]] = {
    "before the head": lambda: C + b"\n" + paged(DRAWING),
    "the head's comment": lambda: document(
        b"<</Type/Catalog/Pages 2 0 R>>",
        TREE,
        b"<</Type/Page/MediaBox[0 0 99 99]/Contents 4 0 R>>",
        stream(DRAWING),
        head=b"%PDF-1.4\n%" + C + b"\n",
    ),
    "behind the end": lambda: paged(DRAWING) + C,
    "between objects": lambda: paged(DRAWING).replace(b"endobj\n2", b"endobj\n%" + C + b"\n2"),
    "an orphan": lambda: paged(DRAWING, b"", b"(%s)" % C),
    "an orphan stream": lambda: paged(DRAWING, b"", stream(C, packed=True)),
    "an earlier version": earlier,
    "object streams": in_object_streams,
    "an unknown key of the trailer": lambda: paged(DRAWING, trailer=b"/Secret(%s)" % C),
    "the identifier": lambda: paged(DRAWING, trailer=b"/ID[<%s><00>]" % C.hex().encode()),
    "the author": lambda: paged(DRAWING, trailer=b"/Info<</Author(%s)>>" % C),
    "the keywords": lambda: paged(DRAWING, trailer=b"/Info<</Keywords(%s)/Custom(x)>>" % C),
    "XMP of the document": lambda: in_root(
        b"/Metadata 5 0 R", stream(xmp_packet(C), b"/Type/Metadata/Subtype/XML")
    ),
    "XMP of the page": lambda: on_page(b"/Metadata 5 0 R", stream(xmp_packet(C), packed=True)),
    "the language": lambda: in_root(b"/Lang(%s)" % C),
    "an attachment": lambda: in_root(
        b"/Names<</EmbeddedFiles<</Names[(a)5 0 R]>>>>",
        b"<</Type/Filespec/F(%s)/EF<</F 6 0 R>>>>" % C,
        stream(C, b"/Type/EmbeddedFile"),
    ),
    "an associated file": lambda: in_root(b"/AF[5 0 R]", b"<</F(x)/EF<</F 6 0 R>>>>", stream(C)),
    "a portfolio": lambda: in_root(b"/Collection<</D(%s)>>" % C),
    "a script": lambda: in_root(
        b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(%s)>>]>>>>" % C
    ),
    "an action": lambda: in_root(b"/OpenAction<</S/URI/URI(http://%s)>>" % C),
    "a page's action": lambda: on_page(b"/AA<</O<</S/JavaScript/JS(%s)>>>>" % C),
    "an outline": lambda: in_root(
        b"/Outlines<</First 5 0 R/Last 5 0 R>>", b"<</Title(%s)/Dest[3 0 R/Fit]>>" % C
    ),
    "a destination": lambda: in_root(b"/Dests<</%s[3 0 R/Fit]>>" % C),
    "page labels": lambda: in_root(b"/PageLabels<</Nums[0<</P(%s)>>]>>" % C),
    "the structure": lambda: in_root(b"/StructTreeRoot<</K<</S/P/Alt(%s)>>>>" % C),
    "threads": lambda: in_root(b"/Threads[<</I<</Title(%s)>>>>]" % C),
    "a capture from the web": lambda: in_root(b"/SpiderInfo<</V 1/IDS<<>>/C[<</U(%s)>>]>>" % C),
    "permissions": lambda: in_root(b"/Perms<</DocMDP<</Name(%s)>>>>" % C),
    "proofs of signatures": lambda: in_root(b"/DSS<</Certs[5 0 R]>>", stream(C)),
    "viewer preferences": lambda: in_root(b"/ViewerPreferences<</Secret(%s)>>" % C),
    "private data of the document": lambda: in_root(b"/PieceInfo<</X<</Private(%s)>>>>" % C),
    "private data of the page": lambda: on_page(b"/PieceInfo<</X<</Private(%s)>>>>" % C),
    "an unknown key of the page": lambda: on_page(b"/%s 1" % C),
    "the time of the page": lambda: on_page(b"/LastModified(%s)" % C),
    "a measure": lambda: on_page(b"/VP[<</Measure<</Type/Measure/R(%s)>>>>]" % C),
    "a thumbnail": lambda: on_page(b"/Thumb 5 0 R", image(jpeg_with_gps())),
    "the tree of pages": lambda: paged(DRAWING).replace(b"/Count 1", b"/Count 1/Secret(%s)" % C),
    "a comment in drawing": lambda: drawn_with(b"%" + C + b"\n0 0 5 5 re f"),
    "marked drawing": lambda: drawn_with(b"/Span<</ActualText(%s)>>BDC 0 0 5 5 re f EMC" % C),
    "a point of marked drawing": lambda: drawn_with(b"/%s MP /X<</T(%s)>>DP" % (C, C)),
    "a mark's name": lambda: drawn_with(b"/%s BMC EMC" % C),
    "a mark's properties": lambda: drawn_with(
        b"/X/P BDC EMC", b"/Properties<</P<</Secret(%s)>>>>" % C
    ),
    "an unknown operator": lambda: drawn_with(b"BX (%s) secret EX" % C),
    "an operator's spare operands": lambda: drawn_with(b"(%s) 2 w" % C),
    "operands without an operator": lambda: drawn_with(b"(%s)" % C),
    "a wrong operand": lambda: drawn_with(b"(%s) w" % C),
    "text outside of any font": lambda: drawn_with(b"BT (%s) Tj (x)' 1 1 (x)\" ET" % C),
    "text in a missing font": lambda: drawn_with(b"BT /No 9 Tf (%s) Tj ET" % C),
    "invisible text": lambda: drawn_with(
        b"BT /F 9 Tf 3 Tr (%s) Tj [(%s)] TJ (%s)' 1 1 (%s)\" ET" % (C, C, C, C),
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>",
    ),
    "the name of a resource": lambda: drawn_with(b"/%s gs" % C, b"/ExtGState<</%s<</LW 1>>>>" % C),
    "a resource that nobody uses": lambda: drawn_with(
        b"", b"/XObject<</X 5 0 R>>", stream(C, FORM)
    ),
    "an unknown sort of resource": lambda: drawn_with(b"", b"/Secret(%s)" % C),
    "a state's unknown key": lambda: drawn_with(b"/G gs", b"/ExtGState<</G<</Secret(%s)>>>>" % C),
    "a halftone's name": lambda: drawn_with(
        b"/G gs", b"/ExtGState<</G<</HT<</HalftoneType 1/HalftoneName(%s)>>>>>>" % C
    ),
    "a font's name": lambda: drawn_with(b"BT /F 9 Tf (a) Tj ET", font_file()),
    "a form's unknown key": lambda: drawn_with(
        b"/X Do", b"/XObject<</X 5 0 R>>", stream(b"0 0 9 9 re f", FORM + b"/Name/%s" % C)
    ),
    "a form's private data": lambda: drawn_with(
        b"/X Do",
        b"/XObject<</X 5 0 R>>",
        stream(b"0 0 9 9 re f", FORM + b"/PieceInfo<</X(%s)>>/Metadata 6 0 R" % C),
        stream(xmp_packet(C)),
    ),
    "a file beside a form": lambda: drawn_with(
        b"/X Do", b"/XObject<</X 5 0 R>>", stream(b"", FORM + b"/Ref<</F(%s)/Page 0>>" % C)
    ),
    "behind compressed drawing": lambda: document(
        b"<</Type/Catalog/Pages 2 0 R>>",
        TREE,
        b"<</Type/Page/MediaBox[0 0 99 99]/Contents 4 0 R>>",
        stream(zlib.compress(DRAWING) + C, b"/Filter/FlateDecode"),
    ),
    "EXIF in a JPEG": lambda: pictured(jpeg_with_gps()),
    "EXIF in a compressed JPEG": lambda: pictured(
        zlib.compress(jpeg_with_gps()), b"", b"[/FlateDecode/DCTDecode]"
    ),
    "a picture's unknown key": lambda: pictured(PACKED, b"/Secret(%s)" % C, b"/FlateDecode"),
    "a picture's XMP": lambda: pictured(
        PACKED, b"/Metadata 6 0 R", b"/FlateDecode", stream(xmp_packet(C))
    ),
    "a picture's alternate": lambda: pictured(
        PACKED, b"/Alternates[<</Image 6 0 R>>]", b"/FlateDecode", image(jpeg_with_gps())
    ),
    "a picture's OPI": lambda: pictured(PACKED, b"/OPI<</2.0<</F(%s)>>>>" % C, b"/FlateDecode"),
    "behind a picture's data": lambda: pictured(PACKED + C, b"", b"/FlateDecode"),
    "behind a picture's samples": lambda: pictured(
        zlib.compress(bytes(3600) + C), b"", b"/FlateDecode"
    ),
    "behind the samples of rows": lambda: pictured(
        zlib.compress(bytes(30 * 121) + C),
        b"/DecodeParms<</Predictor 15/Colors 3/Columns 40>>",
        b"/FlateDecode",
    ),
    "behind an inline picture": lambda: drawn_with(
        b"BI /W 1/H 1/BPC 8/CS/G/F/AHx/Secret(%s) ID 80>%s EI" % (C, C)
    ),
    "a profile": lambda: drawn_with(
        b"/C cs",
        b"/ColorSpace<</C[/ICCBased 5 0 R]>>",
        stream(PROFILE, b"/N 3/Filter/FlateDecode/Metadata 6 0 R"),
        stream(xmp_packet(C)),
    ),
    "a spot colour's name": lambda: drawn_with(
        b"/C cs 1 scn 0 0 9 9 re f",
        b"/ColorSpace<</C[/Separation/%s/DeviceRGB 5 0 R]>>" % C,
        b"<</FunctionType 2/Domain[0 1]/N 1/C0[0 0 0]/C1[1 0 0]>>",
    ),
    "an indexed space's table": lambda: drawn_with(
        b"/C cs", b"/ColorSpace<</C[/Indexed/DeviceRGB 1(abcdef%s)]>>" % C
    ),
    "a function's table": lambda: drawn_with(
        b"/S sh",
        b"/Shading<</S<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 9 9]/Function 5 0 R>>>>",
        stream(
            b"\0\xff" + C,
            b"/FunctionType 0/Domain[0 1]/Range[0 1]/Size[2]/BitsPerSample 8",
        ),
    ),
    "a calculator's comment": lambda: drawn_with(
        b"/S sh",
        b"/Shading<</S<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 9 9]/Function 5 0 R>>>>",
        stream(b"{%" + C + b"\n1 exch sub}%" + C, b"/FunctionType 4/Domain[0 1]/Range[0 1]"),
    ),
    "an author of a note": lambda: annotated(
        b"/Subtype/Stamp/T(%s)/Contents(%s)/NM(%s)/CreationDate(%s)" % (C, C, C, C)
    ),
    "a link": lambda: annotated(b"/Subtype/Link/A<</S/URI/URI(http://%s)>>" % C),
    "a note that pops up": lambda: annotated(b"/Subtype/Popup/Contents(%s)" % C),
    "a hidden note": lambda: annotated(b"/Subtype/Stamp/F 2", b"%" + C + b"\n0 0 5 5 re f"),
    "a file of a note": lambda: annotated(b"/Subtype/FileAttachment/FS<</F(%s)>>" % C),
    "a field's hidden value": lambda: annotated(b"/Subtype/Widget/FT/Tx/T(%s)/V(%s)" % (C, C)),
    "a certificate": lambda: annotated(
        b"/Subtype/Widget/FT/Sig/V<</Type/Sig/Filter/X/Name(%s)/Contents<%s>>>"
        % (C, C.hex().encode())
    ),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_pdf_is_emptied(place: str) -> None:
    made, facts = prove(PLACES[place](), ".pdf")
    assert made.startswith(b"%PDF-1.7")
    assert facts.length == len(made)


@pytest.mark.claim("C-META")
def test_a_cleaned_pdf_shows_what_it_showed() -> None:
    judge("pdftoppm")
    places = (
        "the author", "EXIF in a JPEG", "a spot colour's name", "an author of a note",
        "a certificate", "object streams", "behind compressed drawing", "a calculator's comment",
    )  # fmt: skip
    for place in places:
        dirty = PLACES[place]()
        assert looks_the_same(dirty, remade(dirty)), place


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("before the head", "trailing_data"),
        ("behind the end", "trailing_data"),
        ("an earlier version", "earlier_versions"),
        ("the author", "author"),
        ("XMP of the page", "xmp"),
        ("an attachment", "attachments"),
        ("a file of a note", "attachments"),
        ("a script", "scripts"),
        ("an outline", "outline"),
        ("a thumbnail", "thumbnail"),
        ("EXIF in a JPEG", "gps"),
        ("an author of a note", "annotations"),
        ("invisible text", "hidden_text"),
        ("a profile", "icc_description"),
    ],
)
def test_what_was_found_in_a_pdf_is_told_by_its_kind(place: str, kind: str) -> None:
    assert kind in cleaned(PLACES[place]())[1].removed


def locked(user: str) -> bytes:
    pdf = pikepdf.open(io.BytesIO(paged(DRAWING, trailer=b"/Info<</Author(%s)>>" % C)))
    made = io.BytesIO()
    pdf.save(made, encryption=pikepdf.Encryption(owner="owner", user=user))
    return made.getvalue()


def test_a_pdf_that_only_forbids_printing_is_cleaned() -> None:
    made, facts = cleaned(locked(""))
    assert not leaks(C, made)
    assert b"/Encrypt" not in made
    assert "author" in facts.removed


@needs_seccomp
def test_a_pdf_that_only_forbids_printing_is_cleaned_where_nothing_can_be_opened() -> None:
    # AES-256 makes qpdf look for random numbers, which a jailed worker cannot open.
    pool = shared_pool()
    assert pool is not None
    with pool.lease() as lease:
        made = lease.clean(Format.PDF, BytesSource(locked("")), Limits())
    assert b"".join(made.plan.chunks()) == cleaned(locked(""))[0]


def test_a_pdf_with_a_password_is_refused() -> None:
    with pytest.raises(Encrypted):
        cleaned(locked("secret"))
    unusual = paged(DRAWING, trailer=b"/Encrypt<</Filter/Adobe.PubSec/V 9>>/ID[(a)(b)]")
    with pytest.raises(Encrypted):
        cleaned(unusual)


LAYERED = (
    b"0 0 1 rg 10 10 20 20 re f /OC/%s BDC 0 1 0 rg 60 10 20 20 re f "
    b"BT /F 9 Tf (" + C + b") Tj ET /X Do /S sh EMC 100 10 20 20 re f"
)


def layered(named: bytes, config: bytes, *more: bytes) -> bytes:
    return paged(
        LAYERED % named,
        b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</X 7 0 R>>"
        b"/Shading<</S 8 0 R>>/Properties<</A 5 0 R/B 6 0 R/M 9 0 R/V 10 0 R>>",
        b"<</Type/OCG/Name(%s)/Usage<</View<</ViewState/OFF>>>>>>" % C,
        b"<</Type/OCG/Name(b)/Usage<</View<</ViewState/ON>>>>>>",
        stream(b"0 0 9 9 re f %" + C, FORM),
        b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 9 9]"
        b"/Function<</FunctionType 2/Domain[0 1]/N 1>>>>",
        *(more or (b"<</Type/OCMD/OCGs[5 0 R 6 0 R]/P/AllOn>>", b"null")),
        root=b"/OCProperties<</OCGs[5 0 R 6 0 R]/D<<%s>>>>" % config,
    )


OFF = b"/OFF[5 0 R]"
GREEN = b"0 1 0 rg\n60 10 20 20 re\nf"
HIDDEN: dict[str, tuple[bytes, bytes, tuple[bytes, ...]]] = {
    "off": (b"A", OFF, ()),
    "all off but one": (b"A", b"/BaseState/OFF/ON[6 0 R]", ()),
    "by its use": (b"A", b"/AS[<</Event/View/OCGs[5 0 R 6 0 R]>>]", ()),
    "all must be on": (b"M", OFF, ()),
    "any must be on": (b"M", b"/BaseState/OFF", (b"<</Type/OCMD/OCGs 5 0 R>>", b"null")),
    "any off": (b"M", b"", (b"<</Type/OCMD/OCGs[5 0 R 6 0 R]/P/AnyOff>>", b"null")),
    "all off": (b"M", OFF, (b"<</Type/OCMD/OCGs[5 0 R 6 0 R]/P/AllOff>>", b"null")),
    "not": (b"V", b"", (b"null", b"<</Type/OCMD/VE[/Not 6 0 R]>>")),
    "and": (b"V", OFF, (b"null", b"<</Type/OCMD/VE[/And 5 0 R [/Or 6 0 R]]>>")),
}
SHOWN: dict[str, tuple[bytes, bytes, tuple[bytes, ...]]] = {
    "on": (b"B", OFF, ()),
    "no default": (b"A", b"/AS[1 <</Event/Print/OCGs[5 0 R]>>]", ()),
    "no groups": (b"M", OFF, (b"<</Type/OCMD/OCGs[]>>", b"null")),
    "deep": (b"V", OFF, (b"null", b"<</Type/OCMD/VE" + b"[/Or " * 9 + b"5 0 R" + b"]" * 9 + b">>")),
    "told to be on": (b"B", b"/AS[<</Event/View/OCGs[6 0 R]>>]", ()),
    "no properties": (b"N", OFF, ()),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("case", HIDDEN)
def test_what_a_hidden_layer_holds_goes(case: str) -> None:
    dirty = layered(*HIDDEN[case][:2], *HIDDEN[case][2])
    made, facts = prove(dirty, ".pdf")
    assert GREEN not in opened(made)
    assert b"20 20 re\nf\n0 1 0 rg\nBT" in opened(made)
    assert "layers" in facts.removed


@pytest.mark.parametrize("case", SHOWN)
def test_what_a_visible_layer_holds_stays(case: str) -> None:
    made = remade(layered(*SHOWN[case][:2], *SHOWN[case][2]))
    assert GREEN in opened(made)
    assert b" Tj\nET\n/X0 Do\n/S0 sh\n100 10 20 20 re" in opened(made)


def test_a_page_looks_the_same_without_its_hidden_layer() -> None:
    judge("pdftoppm")
    for case in (HIDDEN["off"], HIDDEN["all must be on"], SHOWN["on"]):
        dirty = layered(*case[:2], *case[2])
        assert looks_the_same(dirty, remade(dirty))


def test_a_hidden_form_or_picture_is_not_drawn() -> None:
    judge("pdftoppm")
    dirty = paged(
        DRAWING + b" /X Do",
        b"/XObject<</X 5 0 R>>",
        stream(b"%" + C + b"\n0 0 99 99 re f", FORM + b"/OC 6 0 R"),
        b"<</Type/OCG/Name(a)>>",
        root=b"/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>",
    )
    made, facts = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    assert "layers" in facts.removed
    plain = dirty.replace(b"/D<</OFF[6 0 R]>>", b"")
    assert drawn(remade(plain))[0].tobytes() != drawn(made)[0].tobytes()
