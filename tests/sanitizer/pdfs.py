"""PDFs written by hand, so that anything can be put anywhere, and Debian's renderer as a judge."""

import io
import subprocess
import tempfile
import zlib
from pathlib import Path

from PIL import Image

from sanitizer.limits import Limits
from sanitizer.pdf.clean import clean as clean_pdf
from sanitizer.result import Planned
from sanitizer.source import MemorySource

HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
TREE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def document(*objects: bytes, trailer: bytes = b"", head: bytes = HEAD) -> bytes:
    """Return a file of these objects, the first of which is its root."""
    made, places = bytearray(head), []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    at = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer)
    return bytes(made + b"startxref\n%d\n%%%%EOF\n" % at)


def stream(data: bytes, entries: bytes = b"", *, packed: bool = False) -> bytes:
    """Return a stream object."""
    if packed:
        data, entries = zlib.compress(data), entries + b"/Filter/FlateDecode"
    return b"<<%s/Length %d>>stream\n" % (entries, len(data)) + data + b"\nendstream"


def paged(
    content: bytes,
    resources: bytes = b"",
    *more: bytes,
    page: bytes = b"",
    root: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """Return a file of one page; ``more`` are its objects from number 5 on."""
    return document(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % root,
        TREE,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<<%s>>%s>>"
        % (resources, page),
        stream(content),
        *more,
        trailer=trailer,
    )


def planned(data: bytes, limits: Limits | None = None) -> Planned:
    """Clean in this process, past the worker."""
    with MemorySource(data) as source:
        return clean_pdf(source, limits or Limits())


def remade(data: bytes, limits: Limits | None = None) -> bytes:
    """Return the clean form of a PDF, which must be the same when it is cleaned again."""
    made = b"".join(planned(data, limits).plan.chunks())
    assert b"".join(planned(made).plan.chunks()) == made
    return made


def opened(made: bytes) -> bytes:
    """Return a file of ours with its compressed streams unpacked in place, to look into."""
    parts = made.split(b"stream\n")
    for place in range(1, len(parts), 2):
        body = parts[place].removesuffix(b"\nend")
        unpacker = zlib.decompressobj()
        try:
            parts[place] = unpacker.decompress(body) + b"\nend"
        except zlib.error:
            continue
    return b"stream\n".join(parts)


def drawn(data: bytes, dots: int = 72) -> list[Image.Image]:
    """Return the pages as poppler draws them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.pdf"
        path.write_bytes(data)
        subprocess.run(
            ["pdftoppm", "-r", str(dots), str(path), str(Path(folder) / "page")],
            check=True,
            capture_output=True,
        )
        return [
            Image.open(io.BytesIO(each.read_bytes()))
            for each in sorted(Path(folder).glob("page*.ppm"))
        ]


def looks_the_same(dirty: bytes, made: bytes) -> bool:
    """Tell whether two files show the same pages, dot by dot, and something on them."""
    before, after = drawn(dirty), drawn(made)
    return [each.tobytes() for each in before] == [each.tobytes() for each in after] and all(
        len(set(each.tobytes())) > 1 for each in before
    )
