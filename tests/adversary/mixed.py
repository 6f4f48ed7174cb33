"""Plain text that says more than can be read, and files that are two things at once."""

from collections.abc import Callable

from tests.adversary import bases, exif
from tests.adversary.films import before_index
from tests.adversary.jpeg import head as jpeg_with
from tests.adversary.jpeg import segment, zipped
from tests.adversary.png import put as png_with
from tests.adversary.words import Word, bits, selectors, tags
from tests.support.boxes import box

Build = Callable[[Word], bytes]
VISIBLE = "Meet me at noon.\nBring nobody.\n"


def hidden(told: str) -> bytes:
    """Return words with others among them that nobody sees."""
    return VISIBLE.replace(" ", " " + told, 1).encode()


TEXTS: dict[str, Build] = {
    "tag characters": lambda w: hidden(tags(w.canary)),
    "variation selectors": lambda w: hidden(selectors(w.canary)),
    "joiners": lambda w: hidden(bits(w.canary, "\u200c", "\u200d")),
    "blanks without a width": lambda w: hidden(bits(w.canary, "\u200b", "\u2060")),
    "marks of direction": lambda w: hidden(bits(w.canary, "\u200e", "\u200f")),
    "blanks of two widths at the end": lambda w: (
        VISIBLE + bits(w.canary, "\u2009", "\u200a")
    ).encode(),
    "blanks and tabs at the end of a line": lambda w: VISIBLE.replace(
        "\n", bits(w.canary, " ", "\t") + "\n", 1
    ).encode(),
    "a mark of the byte order": lambda w: b"\xef\xbb\xbf" + hidden(tags(w.canary)),
    "ends of lines": lambda w: bits(w.canary, "a\n", "b\r\n").encode() + tags(w.canary).encode(),
    "wide letters": lambda w: hidden(tags(w.canary)).decode().encode("utf-16"),
    "a letter and its accents": lambda w: hidden("e" + bits(w.canary, "\u034f", "\u2063")),
}


BOTH: dict[str, tuple[str, Build]] = {
    "a JPEG that is an archive": (
        "jpg",
        lambda w: jpeg_with(0xFE, zipped(w.told)) + zipped(w.told),
    ),
    "a JPEG that is a web page": (
        "jpg",
        lambda w: (
            jpeg_with(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0<html><!--")
            + b"--><script>'"
            + w.text
            + b"'</script>"
        ),
    ),
    "a JPEG that is a document": (
        "jpg",
        lambda w: (
            jpeg_with(0xFE, b"%PDF-1.4\n1 0 obj<</W(" + w.text + b")>>stream\n")
            + b"\nendstream endobj\n%%EOF"
        ),
    ),
    "a JPEG that is a script": (
        "jpg",
        lambda w: jpeg_with(0xFE, b"*/='" + w.text + b"';/*") + b"*/",
    ),
    "a JPEG with a JPEG in each segment": (
        "jpg",
        lambda w: jpeg_with(0xE5, jpeg_with(0xE6, jpeg_with(0xE1, exif.block(w)))),
    ),
    "a JPEG with a PNG behind": (
        "jpg",
        lambda w: jpeg_with(0xE5, b"x") + png_with(1, (b"tEXt", b"a\0" + w.told)),
    ),
    "a JPEG with a film behind": (
        "jpg",
        lambda w: jpeg_with(0xE5, b"x") + bases.mp4() + box(b"free", w.told),
    ),
    "a JPEG with a segment of a film": (
        "jpg",
        lambda w: jpeg_with(0xE4, bases.m4a()[:9000] + w.told),
    ),
    "a PNG that is a web page": (
        "png",
        lambda w: png_with(1, (b"tEXt", b"<html>\0<script>'" + w.text + b"'</script><!--")),
    ),
    "a PNG with a JPEG in a chunk": (
        "png",
        lambda w: png_with(1, (b"jpEg", jpeg_with(0xE1, exif.block(w)))),
    ),
    "a PNG with a whole PNG in its text": (
        "png",
        lambda w: png_with(1, (b"zTXt", b"a\0\0" + png_with(1, (b"tEXt", b"b\0" + w.told)))),
    ),
    "a GIF that is a script": (
        "gif",
        lambda w: (
            bases.moving("GIF")[:-1]
            + b"!\xfe"
            + bytes([len(w.text) + 4])
            + b"*/='"
            + w.text
            + b"\0;"
        ),
    ),
    "a GIF that is an archive": ("gif", lambda w: bases.moving("GIF") + zipped(w.told)),
    "a film that is a web page": (
        "mp4",
        lambda w: before_index(box(b"free", b"--><script>'" + w.text + b"'</script><!--")),
    ),
    "a film that is an archive": ("mp4", lambda w: bases.mp4() + zipped(w.told)),
    "a film with a picture in free": (
        "mp4",
        lambda w: before_index(box(b"free", jpeg_with(0xE1, exif.block(w)))),
    ),
    "a WAV with a JPEG behind": ("wav", lambda w: bases.sound("wav") + jpeg_with(0xFE, w.told)),
    "an MP3 with a WAV behind": (
        "mp3",
        lambda w: bases.sound("mp3") + bases.sound("wav")[:99] + w.told,
    ),
    "a TIFF that is a raw JPEG": (
        "tif",
        lambda w: b"II*\0" + segment(0xFE, w.told) + jpeg_with(0xFE, w.told),
    ),
}
PLACES: dict[str, tuple[str, Build]] = {
    **{name: ("txt", build) for name, build in TEXTS.items()},
    **BOTH,
}
REFUSABLE = {"a TIFF that is a raw JPEG"}
