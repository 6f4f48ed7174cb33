"""Which kinds of things a document gives away: told to the person, never what they said.

Rule: looks at keys and not at values; what is not found here goes all the same.
"""

import re

import pikepdf

from sanitizer.pdf import reading

_INFO = {
    "Author": "author",
    "Creator": "software",
    "Producer": "software",
    "CreationDate": "capture_time",
    "ModDate": "capture_time",
    "Title": "comment",
    "Subject": "comment",
    "Keywords": "comment",
}
_CATALOG = {
    "Metadata": "xmp",
    "AF": "attachments",
    "Collection": "attachments",
    "OpenAction": "scripts",
    "AA": "scripts",
    "Outlines": "outline",
    "Dests": "outline",
    "PageLabels": "outline",
    "OCProperties": "layers",
    "PieceInfo": "other_metadata",
    "StructTreeRoot": "other_metadata",
    "SpiderInfo": "other_metadata",
    "Threads": "other_metadata",
    "Legal": "other_metadata",
    "Perms": "other_metadata",
    "DSS": "other_metadata",
    "Lang": "other_metadata",
    "URI": "other_metadata",
}
_NAMES = {"EmbeddedFiles": "attachments", "JavaScript": "scripts", "Dests": "outline"}
_PAGE = {
    "Metadata": "xmp",
    "Thumb": "thumbnail",
    "PieceInfo": "other_metadata",
    "LastModified": "capture_time",
    "AA": "scripts",
    "AF": "attachments",
    "B": "other_metadata",
    "VP": "other_metadata",
}
_VERSION_END = re.compile(rb"startxref\s{1,8}\d{1,12}\s{1,8}%%EOF")


def around(untrusted: bytes, kinds: set[str]) -> None:
    """Look for what stands before, behind and beneath the document."""
    if not untrusted.startswith(b"%PDF-"):
        kinds.add("trailing_data")
    if untrusted[untrusted.rfind(b"%%EOF") + 5 :].strip(b"\0\t\n\f\r "):
        kinds.add("trailing_data")
    versions = sum(1 for _ in _VERSION_END.finditer(untrusted))
    # A file made for slow lines has two tables from the start.
    if versions > 1 + (b"/Linearized" in untrusted[:2048]):
        kinds.add("earlier_versions")


def within(pdf: pikepdf.Pdf, kinds: set[str]) -> None:
    """Look for what the document says about itself."""
    _note(reading.value_of(pdf.trailer, "Info"), _INFO, kinds)
    _note(pdf.Root, _CATALOG, kinds)
    names = reading.dictionary(pdf.Root)
    _note(reading.value_of(names, "Names") if names is not None else None, _NAMES, kinds)


def of_page(source: reading.Source, kinds: set[str]) -> None:
    """Look for what a page says about itself."""
    _note(source, _PAGE, kinds)


def _note(untrusted: object, table: dict[str, str], kinds: set[str]) -> None:
    source = reading.dictionary(untrusted)
    if source is not None:
        kinds |= {kind for key, kind in table.items() if reading.value_of(source, key) is not None}
