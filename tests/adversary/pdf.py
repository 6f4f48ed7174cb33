"""PDF: everything that hangs on a page and is not on it, and what stands around the document."""

import struct
import zlib
from collections.abc import Callable

from tests.adversary import bases, exif, icc
from tests.adversary.jpeg import head as jpeg_with
from tests.adversary.jpeg import zipped
from tests.adversary.words import Word
from tests.sanitizer.pdfs import document, paged, stream
from tests.support.media import xmp_packet

Build = Callable[[Word], bytes]
DRAWN = b"0.5 g 10 10 50 50 re f"


def text(word: bytes) -> bytes:
    """Return a string object."""
    return b"(" + word + b")"


def page(more: bytes, *objects: bytes) -> bytes:
    """Return a document whose page says more."""
    return paged(DRAWN, b"", *objects, page=more)


def root(more: bytes, *objects: bytes) -> bytes:
    """Return a document whose root says more."""
    return paged(DRAWN, b"", *objects, root=more)


def note(kind: bytes, more: bytes, *objects: bytes) -> bytes:
    """Return a document with an annotation."""
    return page(
        b"/Annots[5 0 R]", b"<</Type/Annot/Subtype/%s/Rect[1 1 20 20]%s>>" % (kind, more), *objects
    )


def drawn_note(kind: bytes, more: bytes) -> bytes:
    """Return a document with an annotation that says how it looks."""
    look = stream(b"1 0 0 RG 1 1 17 17 re S", b"/Type/XObject/Subtype/Form/BBox[0 0 19 19]")
    return note(kind, b"/AP<</N 6 0 R>>" + more, look)


def picture(data: bytes, more: bytes = b"", kind: bytes = b"DCTDecode") -> bytes:
    """Return a document that shows a picture."""
    width, height = bases.SIDE
    told = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB"
        % (width, height)
    )
    shown = stream(data, told + b"/Filter/" + kind + more)
    return paged(b"q 48 0 0 32 10 10 cm /P Do Q", b"/XObject<</P 5 0 R>>", shown)


def form(entries: bytes, content: bytes = DRAWN) -> bytes:
    """Return a document that shows a form."""
    told = b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]" + entries
    return paged(b"/F Do", b"/XObject<</F 5 0 R>>", stream(content, told))


def colour(profile: bytes) -> bytes:
    """Return a document with a colour space of its own."""
    return paged(
        b"/C cs 0.5 0.5 0.5 sc 10 10 50 50 re f",
        b"/ColorSpace<</C[/ICCBased 5 0 R]>>",
        stream(profile, b"/N 3"),
    )


def updated(word: bytes) -> bytes:
    """Return a document whose older page had the word on it."""
    old = paged(b"%% " + word + b"\nBT (x) Tj ET")
    at = len(old)
    new = b"4 0 obj\n" + stream(DRAWN) + b"\nendobj\n"
    table = b"xref\n4 1\n%010d 00000 n \n" % at
    start = old.rindex(b"startxref\n") + 10
    before = int(old[start : old.index(b"\n", start)])
    tail = b"trailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        before,
        at + len(new),
    )
    return old + new + table + tail


def layered(word: bytes) -> bytes:
    """Return a document with a layer that is switched off."""
    told = b"/OCProperties<</OCGs[5 0 R]/D<</OFF[5 0 R]/Order[5 0 R]>>>>"
    content = DRAWN + b" /OC /L BDC BT /T 9 Tf " + text(word) + b" Tj ET EMC"
    layer = b"<</Type/OCG/Name" + text(word) + b">>"
    return paged(content, b"/Properties<</L 5 0 R>>", layer, root=told)


def file_of(name: bytes = b"a.txt") -> bytes:
    """Return a file's specification that embeds object 6."""
    return b"<</Type/Filespec/F(" + name + b")/EF<</F 6 0 R>>>>"


def informed(name: bytes) -> Build:
    """Return a maker of documents with an entry of the information dictionary."""
    return lambda w: paged(DRAWN, b"", b"<</" + name + text(w.told) + b">>", trailer=b"/Info 5 0 R")


DOCUMENTS: dict[str, Build] = {
    **{
        f"the {name}": informed(name.encode())
        for name in ("Author", "Title", "Producer", "CreationDate", "Company", "Secret")
    },
    "the ID": lambda w: paged(DRAWN, trailer=b"/ID[" + text(w.canary) + text(w.told) + b"]"),
    "a name of the trailer": lambda w: paged(DRAWN, trailer=b"/Whatever" + text(w.told)),
    "XMP": lambda w: root(
        b"/Metadata 5 0 R", stream(xmp_packet(w.text), b"/Type/Metadata/Subtype/XML")
    ),
    "packed XMP": lambda w: root(
        b"/Metadata 5 0 R", stream(xmp_packet(w.text), b"/Type/Metadata", packed=True)
    ),
    "XMP of a page": lambda w: page(
        b"/Metadata 5 0 R", stream(xmp_packet(w.text), b"/Type/Metadata")
    ),
    "a private entry of the root": lambda w: root(
        b"/PieceInfo<</App<</Private" + text(w.told) + b">>>>"
    ),
    "a private entry of a page": lambda w: page(
        b"/PieceInfo<</App<</LastModified(D:2026)/Private" + text(w.told) + b">>>>"
    ),
    "an unknown key of a page": lambda w: page(b"/Watermark" + text(w.told)),
    "the name of a key": lambda w: page(
        b"/" + w.text.replace(b"=", b"#3d").replace(b"/", b"#2f") + b" 1"
    ),
    "when a page was changed": lambda w: page(b"/LastModified" + text(w.told)),
    "a thumbnail": lambda w: page(
        b"/Thumb 5 0 R",
        stream(w.told, b"/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"),
    ),
    "a viewport's measure": lambda w: page(
        b"/VP[<</Type/Viewport/BBox[0 0 9 9]/Name"
        + text(w.told)
        + b"/Measure<</Subtype/GEO/GPTS[33.5731 -7.5898]>>>>]"
    ),
    "a transition": lambda w: page(b"/Trans<</S/R/X" + text(w.told) + b">>"),
    "an action of a page": lambda w: page(b"/AA<</O<</S/JavaScript/JS" + text(w.told) + b">>>>"),
    "a script": lambda w: root(b"/OpenAction<</S/JavaScript/JS" + text(w.told) + b">>"),
    "scripts by name": lambda w: root(
        b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS" + text(w.told) + b">>]>>>>"
    ),
    "an address to call": lambda w: root(b"/OpenAction<</S/URI/URI(http://x/" + w.text + b")>>"),
    "a base address": lambda w: root(b"/URI<</Base(http://x/" + w.text + b")>>"),
    "an outline": lambda w: root(
        b"/Outlines<</First 5 0 R/Last 5 0 R/Count 1>>",
        b"<</Title" + text(w.told) + b"/Dest[3 0 R/Fit]>>",
    ),
    "names of pages": lambda w: root(b"/PageLabels<</Nums[0<</P" + text(w.told) + b">>]>>"),
    "destinations": lambda w: root(b"/Dests<</" + w.canary + b"[3 0 R/Fit]>>"),
    "an attachment": lambda w: root(
        b"/Names<</EmbeddedFiles<</Names[(a)5 0 R]>>>>",
        file_of(),
        stream(w.told, b"/Type/EmbeddedFile"),
    ),
    "an attachment's name": lambda w: root(
        b"/AF[5 0 R]", file_of(w.text), stream(b"x", b"/Type/EmbeddedFile")
    ),
    "an attached archive": lambda w: root(
        b"/AF[5 0 R]", file_of(), stream(zipped(w.told), b"/Type/EmbeddedFile")
    ),
    "a form's XML": lambda w: root(b"/AcroForm<</Fields[]/XFA 5 0 R>>", stream(w.told)),
    "a signature's place": lambda w: root(b"/Perms<</DocMDP<</Contents" + text(w.told) + b">>>>"),
    "a language": lambda w: root(b"/Lang" + text(w.told)),
    "a structure's words": lambda w: root(
        b"/StructTreeRoot<</Type/StructTreeRoot/K<</S/Figure/Alt" + text(w.told) + b">>>>"
    ),
    "an output's profile": lambda w: root(
        b"/OutputIntents[<</S/GTS_PDFA1/OutputConditionIdentifier"
        + text(w.told)
        + b"/DestOutputProfile 5 0 R>>]",
        stream(icc.profile(w.text), b"/N 3"),
    ),
    "threads": lambda w: root(b"/Threads[<</I<</Author" + text(w.told) + b">>>>]"),
    "a legal note": lambda w: root(b"/Legal<</Attestation" + text(w.told) + b">>"),
    "extensions": lambda w: root(
        b"/Extensions<</WTMK<</BaseVersion/1.7/URL" + text(w.told) + b">>>>"
    ),
    "a collection": lambda w: root(b"/Collection<</D" + text(w.told) + b">>"),
    "requirements": lambda w: root(b"/Requirements[<</S/X/RH" + text(w.told) + b">>]"),
    "a web capture": lambda w: root(b"/SpiderInfo<</V 1/C[<</URL" + text(w.told) + b">>]>>"),
    "a note's text": lambda w: note(b"Text", b"/Contents" + text(w.told)),
    "a note's author": lambda w: note(
        b"Highlight", b"/QuadPoints[1 1 9 1 1 9 9 9]/T" + text(w.told)
    ),
    "a note's number": lambda w: note(b"Square", b"/NM" + text(w.told)),
    "a note's time": lambda w: note(
        b"Square", b"/M" + text(w.told) + b"/CreationDate" + text(w.told)
    ),
    "a rich note": lambda w: drawn_note(b"FreeText", b"/RC" + text(w.told) + b"/DA(/Helv 9 Tf)"),
    "a rich note without an appearance": lambda w: note(
        b"FreeText", b"/RC" + text(w.told) + b"/DA(/Helv 9 Tf)"
    ),
    "a pop-up": lambda w: note(b"Popup", b"/Contents" + text(w.told)),
    "a link's address": lambda w: note(b"Link", b"/A<</S/URI/URI(http://x/" + w.text + b")>>"),
    "a hidden note": lambda w: note(b"Square", b"/F 2/Contents" + text(w.told)),
    "a sound": lambda w: note(b"Sound", b"/Sound 6 0 R", stream(w.told, b"/R 8000")),
    "a film": lambda w: note(b"Screen", b"/A<</S/Rendition/R<</S/MR/N" + text(w.told) + b">>>>"),
    "a 3D model": lambda w: note(b"3D", b"/3DD 6 0 R", stream(w.told, b"/Subtype/U3D")),
    "an attached note": lambda w: note(b"FileAttachment", b"/FS<</F(" + w.text + b")>>"),
    "a printer's mark": lambda w: note(b"TrapNet", b"/Version" + text(w.told)),
    "a redaction that was not applied": lambda w: drawn_note(
        b"Redact", b"/OverlayText" + text(w.told)
    ),
    "a redaction without an appearance": lambda w: note(b"Redact", b"/OverlayText" + text(w.told)),
    "EXIF of a picture": lambda w: picture(jpeg_with(0xE1, exif.block(w))),
    "a comment in a picture": lambda w: picture(jpeg_with(0xFE, w.told)),
    "behind a picture": lambda w: picture(bases.picture("JPEG", quality=70) + w.told),
    "XMP of a picture": lambda w: picture(
        bases.picture("JPEG", quality=70), b"/Metadata<</A" + text(w.told) + b">>"
    ),
    "a picture's name": lambda w: picture(bases.picture("JPEG", quality=70), b"/Name/" + w.canary),
    "another picture in its place": lambda w: picture(
        bases.picture("JPEG", quality=70), b"/Alternates[<</Image<</A" + text(w.told) + b">>>>]"
    ),
    "a picture's OPI": lambda w: picture(
        bases.picture("JPEG", quality=70), b"/OPI<</2.0<</F" + text(w.told) + b">>>>"
    ),
    "a picture that no page shows": lambda w: paged(
        DRAWN,
        b"/XObject<</P 5 0 R>>",
        stream(
            jpeg_with(0xFE, w.told),
            b"/Subtype/Image/Width 48/Height 32/ColorSpace/DeviceRGB/BitsPerComponent 8"
            b"/Filter/DCTDecode",
        ),
    ),
    "more samples than pixels": lambda w: picture(
        zlib.compress(bytes(48 * 32 * 3) + w.told), kind=b"FlateDecode"
    ),
    "behind packed samples": lambda w: picture(
        zlib.compress(bytes(48 * 32 * 3)) + w.told, kind=b"FlateDecode"
    ),
    "a form's private entry": lambda w: form(b"/PieceInfo<</A<</Private" + text(w.told) + b">>>>"),
    "a form's XMP": lambda w: form(b"/Metadata<</A" + text(w.told) + b">>"),
    "a comment in the content": lambda w: paged(DRAWN + b"\n%" + w.text + b"\n"),
    "marked content": lambda w: paged(
        b"/Span<</ActualText" + text(w.told) + b">>BDC " + DRAWN + b" EMC"
    ),
    "a marked point": lambda w: paged(b"/WTMK<</W" + text(w.told) + b">>DP " + DRAWN),
    "an operator that does not exist": lambda w: paged(
        b"BX " + text(w.text) + b" WTMK EX " + DRAWN
    ),
    "behind the end of an inline picture": lambda w: paged(
        b"q BI/W 1/H 1/CS/G/BPC 8 ID x EI Q " + DRAWN + b"\n%" + w.text
    ),
    "text of a font that is not there": lambda w: paged(
        DRAWN + b" BT /None 1 Tf 3 Tr " + text(w.canary) + b" Tj ET"
    ),
    "a layer that is off": lambda w: layered(w.canary),
    "a profile": lambda w: colour(icc.profile(w.text)),
    "an object that nothing names": lambda w: paged(DRAWN, b"", b"<</A" + text(w.told) + b">>"),
    "a stream that nothing names": lambda w: paged(DRAWN, b"", stream(w.told, packed=True)),
    "between objects": lambda w: page(b"", b"0\nendobj\n%" + w.text + b"\n7 0 obj 0"),
    "an older version": lambda w: updated(w.text),
    "before the head": lambda w: b"%" + w.text + b"\n" + paged(DRAWN),
    "behind the head": lambda w: document(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        head=b"%PDF-1.7\n%" + w.text + b"\n",
    ),
    "behind the end": lambda w: paged(DRAWN) + w.told,
    "an archive behind": lambda w: paged(DRAWN) + zipped(w.told),
    "a fingerprint behind the end": lambda w: (
        paged(DRAWN) + b"%BeginExifToolUpdate\n" + struct.pack(">Q", w.long) + w.told
    ),
}
PLACES: dict[str, tuple[str, Build]] = {name: ("pdf", build) for name, build in DOCUMENTS.items()}
REFUSABLE = {
    "a collection",
    "a form's XML",
    "more samples than pixels",
    "behind packed samples",
    "an operator that does not exist",
    "text of a font that is not there",
    "another picture in its place",
    "a 3D model",
    "a film",
}
# What covers something must be drawn, and only its maker's program knows how.
REFUSED = dict.fromkeys(
    ("a rich note without an appearance", "a redaction without an appearance"),
    "a note without an appearance",
)
