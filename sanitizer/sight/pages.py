"""A page of a PDF as it is seen.  Jailed workers alone.

Rule: pdfium draws one page on white, with the notes that readers show; no script runs and no link
is followed (this pdfium has no engine for either), and what a page would fetch, the lock denies.
"""

from pypdfium2 import PdfBitmap, PdfDocument, raw

from sanitizer.errors import Malformed
from sanitizer.sight.order import CHANNELS, PARTS_MOST, SOURCE_SIDE_MOST, Order, Sight
from sanitizer.source import UntrustedSource

_THINNEST = 1 / 50
"""Of a page's sides the shorter is at least so much of the longer one."""


def draw(source: UntrustedSource, order: Order) -> Sight:
    """Return one page; raises Malformed, or what pdfium raises."""
    document = PdfDocument(source.read_at(0, source.length))
    parts = len(document)
    if order.part >= parts:
        raise Malformed("there is no such page")
    page = document[order.part]
    width, height = page.get_size()
    shorter, longer = min(width, height), max(width, height)
    if not 0 < longer <= SOURCE_SIDE_MOST or shorter < max(1, longer * _THINNEST):
        raise Malformed("a page of no size")
    # pdfium rounds a side up.
    bitmap = page.render(scale=(order.side - 1) / longer, rev_byteorder=True)
    drawn = (bitmap.width, bitmap.height)
    return Sight(*drawn, _rows(bitmap), round(width), round(height), min(parts, PARTS_MOST))


def _rows(bitmap: PdfBitmap) -> bytes:
    if bitmap.format != raw.FPDFBitmap_BGR:
        raise Malformed("a page of unknown colours")
    width, held = bitmap.width * CHANNELS, bytes(bitmap.buffer)
    rows = range(0, bitmap.height * bitmap.stride, bitmap.stride)
    return b"".join(held[start : start + width] for start in rows)
