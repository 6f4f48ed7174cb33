"""A PDF in, a new PDF of the same pages out.

Rule: (1) qpdf reads the document, out of memory and within limits (2) each page is copied by
allow-list with what its content uses (3) fields and annotations become part of their page (4) we
write the file ourselves (5) another reader, which knows neither qpdf nor the writer, judges it.
Nothing else of the document exists in the result.
"""

import io

import pikepdf
import pikepdf.settings

from sanitizer.errors import Empty, Encrypted, Malformed, TooComplex, TooLarge
from sanitizer.limits import Limits
from sanitizer.pdf import check, found, reading
from sanitizer.pdf.appearances import Appearances
from sanitizer.pdf.copier import Copier
from sanitizer.pdf.filters import Decoder
from sanitizer.pdf.layers import Layers
from sanitizer.pdf.model import Name, NewDocument, Ref, Value, number, written
from sanitizer.pdf.pages import Page, walk
from sanitizer.pdf.scope import Scope
from sanitizer.pieces import Plan, read_exactly
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

_NESTING = 100
_CONTAINER = 400_000
_OBJECTS_READ = 8
_MOST_WARNINGS = 2000
_UINT32 = (1 << 32) - 1


def _prepare() -> None:
    """Let qpdf look for random numbers now: AES-256 wants to know where they are, even to read.

    A jailed worker, which can open nothing, is forked from a process that has imported this.
    """
    locked = io.BytesIO()
    with pikepdf.Pdf.new() as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="", user="", R=6))


_prepare()


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return the pages of a document as a new document.

    Raises a leaf of Refused.
    """
    if source.length > limits.pdf_bytes:
        raise TooLarge("a document longer than the limit")
    untrusted = read_exactly(source, 0, source.length)
    if untrusted.count(b" obj") > _OBJECTS_READ * limits.pdf_objects:
        raise TooComplex("too many objects")
    kinds: set[str] = set()
    try:
        with _opened(untrusted, limits) as pdf:
            found.around(untrusted, kinds)
            found.within(pdf, kinds)
            document, root = _copied(pdf, limits, kinds)
    except (pikepdf.PdfError, RuntimeError):
        # RuntimeError: what qpdf throws beyond its own limits.
        raise Malformed("the document contradicts itself") from None
    plan = Plan(source, document.pieces(root))
    check.check(plan.open())
    return Planned(plan, kinds, "application/pdf", "pdf", is_rebuilt=True)


def _opened(untrusted: bytes, limits: Limits) -> pikepdf.Pdf:
    """Return the document as qpdf sees it; raises Encrypted or Malformed."""
    most = min(limits.pdf_stream_bytes, _UINT32)
    pikepdf.settings.set_qpdf_limits(
        doc_max_warnings=_MOST_WARNINGS,
        parser_max_nesting=_NESTING,
        parser_max_container_size=_CONTAINER,
        flate_max_memory=most,
        run_length_max_memory=most,
        # A predictor undoes what has been measured before; see filters.
        png_max_memory=min(2 * limits.pdf_image_bytes, _UINT32),
        tiff_max_memory=min(2 * limits.pdf_image_bytes, _UINT32),
    )
    try:
        return pikepdf.Pdf.open(
            io.BytesIO(untrusted),
            inherit_page_attributes=False,
            suppress_warnings=True,
            access_mode=pikepdf.AccessMode.stream,
        )
    except pikepdf.PasswordError:
        raise Encrypted("a document with a password") from None
    except (pikepdf.PdfError, RuntimeError) as error:
        if "no pages" in str(error):
            raise Empty("a document without a page") from None
        if b"/Encrypt" in untrusted:
            raise Encrypted("a document that is locked in an uncommon way") from None
        raise Malformed("not a whole document") from None


def _copied(pdf: pikepdf.Pdf, limits: Limits, kinds: set[str]) -> tuple[NewDocument, Ref]:
    catalog = pdf.Root
    layers = Layers(catalog)
    document = NewDocument(limits.pdf_objects)
    copier = Copier(document, Decoder(limits), layers, limits, kinds)
    appearances = Appearances(pdf, layers, limits, kinds)
    root, tree = document.reserve(), document.reserve()
    pages: list[Ref] = []
    for page in walk(catalog, limits.pdf_pages):
        ref = document.reserve()
        pages.append(ref)
        document.fill(ref, {**_page(page, copier, appearances, ref), b"Parent": tree})
        copier.run()
    if not pages:
        raise Empty("a document without a page")
    copier.finish()
    copier.check_expansion(pages)
    kids: list[Value] = list(pages)
    document.fill(root, {b"Type": Name(b"Catalog"), b"Pages": tree})
    document.fill(tree, {b"Type": Name(b"Pages"), b"Count": number(len(pages)), b"Kids": kids})
    return document, root


def _page(page: Page, copier: Copier, appearances: Appearances, ref: Ref) -> dict[bytes, Value]:
    """Return a page's dictionary, but for its parent."""
    found.of_page(page.source, copier.kinds)
    resources = reading.dictionary(page.inherited.get("Resources"))
    scope = Scope(copier, resources)
    parts, length = list[bytes](), 0
    for stream in page.contents():
        parts.append(copier.decoder.plain(stream))
        length += len(parts[-1])
        if length > copier.limits.pdf_stream_bytes:
            raise TooComplex("a page with more drawing than the limit")
    data = copier.content(b"\n".join(parts), scope, ref)
    drawings = appearances.of(page.source)
    if drawings:
        lines = [b"q", data, b"Q"] if data else []
        for drawing in drawings:
            name = scope.drawn(copier.form(drawing.form, None))
            matrix = b" ".join(drawing.matrix)
            lines += [b"q", matrix + b" cm", written(name) + b" Do", b"Q"]
        data = b"\n".join(lines)
        copier.count_calls(scope, ref)
    made: dict[bytes, Value] = {b"Type": Name(b"Page"), **page.geometry()}
    group = copier.group(reading.value_of(page.source, "Group"))
    if group is not None:
        made[b"Group"] = group
    made[b"Contents"] = copier.document.add_packed({}, data)
    made[b"Resources"] = scope.written()
    return made
