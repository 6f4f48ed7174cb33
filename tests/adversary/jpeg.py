"""JPEG: segments of every name, tables that no scan uses, and files behind the file."""

import io
import struct
import zipfile
from collections.abc import Callable

from tests.adversary import bases, exif, icc
from tests.adversary.words import Word
from tests.support.media import xmp_packet

XMP = b"http://ns.adobe.com/xap/1.0/\0"
MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"


def segment(marker: int, payload: bytes) -> bytes:
    """Return a segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def plain(**options: object) -> bytes:
    """Return a JPEG that says nothing."""
    return bases.picture("JPEG", quality=70, **options)


def head(marker: int, payload: bytes) -> bytes:
    """Return the JPEG with a segment at its head."""
    made = plain()
    return made[:2] + segment(marker, payload) + made[2:]


def vendor(marker: int) -> Callable[[Word], bytes]:
    """Return a maker of JPEGs with a vendor's segment."""
    return lambda w: head(marker, b"vendor\0" + w.told)


def before(marker: int, data: bytes, added: bytes) -> bytes:
    """Return a JPEG with bytes before its first segment of a kind."""
    at = data.index(bytes([0xFF, marker]))
    return data[:at] + added + data[at:]


def tail(added: bytes) -> bytes:
    """Return the JPEG with bytes behind its end."""
    return plain() + added


def changed(marker: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return the JPEG with the first segment of a kind changed."""
    made = plain()
    at = made.index(bytes([0xFF, marker]))
    (length,) = struct.unpack_from(">H", made, at + 2)
    return (
        made[:at]
        + segment(marker, change(made[at + 4 : at + 2 + length]))
        + made[at + 2 + length :]
    )


def between_scans(added: bytes) -> bytes:
    """Return a progressive JPEG with bytes before its third scan."""
    made = plain(progressive=True)
    at = [n for n in range(len(made) - 1) if made[n : n + 2] == b"\xff\xda"][2]
    return made[:at] + added + made[at:]


def with_restarts() -> bytes:
    """Return a JPEG with a restart marker behind each row."""
    return plain(restart_marker_rows=1)


def zipped(word: bytes) -> bytes:
    """Return an archive with a file that holds the word."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("notes.txt"), word * 4)
    return made.getvalue()


def table(word: bytes) -> bytes:
    """Return a quantisation table that spells the word, and that no component names."""
    return b"\x03" + word.ljust(64, b"\1")[:64].replace(b"\0", b"\1")


def codes(word: bytes) -> bytes:
    """Return a Huffman table whose symbols spell the word, and that no scan names."""
    return b"\x13" + bytes(7) + bytes([len(word)]) + bytes(8) + word


def rare(word: Word) -> bytes:
    """Return a JPEG that has the word in the symbols that no code of its scan stands for.

    They are the last ones of a table that its scan does use.
    """
    made = plain()
    end = made.index(b"\xff\xc4\0\xb5\x10") + 2 + 0xB5
    return made[: end - len(word.canary)] + word.canary + made[end:]


def mpf(word: Word) -> bytes:
    """Return a JPEG with a second one behind it, named by MPF; EXIF is in the second."""
    second = plain()[:2] + segment(0xE1, exif.block(word)) + plain()[2:]
    entries = struct.pack(">IIIHH", 0x030000, 0, 0, 0, 0) + struct.pack(
        ">IIIHH", 2, len(second), 0, 0, 0
    )
    rows = struct.pack(">HHII", 0xB001, 4, 1, 2) + struct.pack(">HHII", 0xB002, 7, 32, 50)
    return head(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\2" + rows + bytes(16) + entries) + second


def jumbf(word: bytes) -> bytes:
    """Return an APP11 of JUMBF, as C2PA writes it."""
    told = struct.pack(">I4s", 8 + 17 + len(word), b"jumd") + b"c2pa" + bytes(12) + b"\3" + word
    return b"JP\0\1\0\0\0\1" + struct.pack(">I4s", 8 + len(told), b"jumb") + told


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """Return a Photoshop resource."""
    called = bytes([len(name)]) + name
    called += bytes(len(called) & 1)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + called
        + struct.pack(">I", len(data))
        + data
        + bytes(len(data) & 1)
    )


def photoshop(*resources: bytes) -> bytes:
    """Return a JPEG with Photoshop's block."""
    return head(0xED, b"Photoshop 3.0\0" + b"".join(resources))


def nested(word: Word, depth: int = 3) -> bytes:
    """Return a JPEG whose thumbnail has a thumbnail, and so on; the innermost has a comment."""
    made = plain()[:2] + segment(0xFE, word.told) + plain()[2:]
    for _ in range(depth):
        made = plain()[:2] + segment(0xE1, b"Exif\0\0" + exif.thumbnail(made)) + plain()[2:]
    return made


PLACES: dict[str, tuple[str, Callable[[Word], bytes]]] = {
    name: ("jpg", build)
    for name, build in {
        "a comment": lambda w: head(0xFE, w.told),
        "a comment as long as it gets": lambda w: head(0xFE, bytes(65533 - len(w.told)) + w.told),
        "an empty segment before the comment": lambda w: before(
            0xFE, head(0xFE, w.told), b"\xff\xe7\0\2"
        ),
        "fill bytes before the comment": lambda w: before(0xFE, head(0xFE, w.told), b"\xff" * 9),
        **{f"an unknown APP{number}": vendor(0xE0 + number) for number in range(16)},
        "Kodak's Meta": lambda w: head(0xE3, b"Meta\0\0" + exif.tiff(w)),
        "FlashPix": lambda w: head(0xE2, b"FPXR\0\0\1" + w.told),
        "Ducky": lambda w: head(0xEC, b"Ducky\0\2" + struct.pack(">I", len(w.told)) + w.told),
        "SPIFF": lambda w: head(0xE8, b"SPIFF\0" + w.told),
        "GoPro": lambda w: head(0xE6, b"GoPro\0" + b"DEVC" + w.told),
        "C2PA": lambda w: head(0xEB, jumbf(w.told)),
        "EXIF of a phone": lambda w: head(0xE1, exif.block(w)),
        "EXIF of the other byte order": lambda w: head(0xE1, b"Exif\0\0" + exif.tiff(w, "<")),
        "EXIF whose name is in small letters": lambda w: head(0xE1, b"exif\0\0" + exif.tiff(w)),
        "EXIF that says GPS alone": lambda _: head(0xE1, exif.position()),
        "EXIF behind the tables": lambda w: before(0xDA, plain(), segment(0xE1, exif.block(w))),
        "EXIF twice, the second with a word": lambda w: before(
            0xE1, head(0xE1, exif.block(w)), segment(0xE1, exif.block(None))
        ),
        "EXIF in a chain of five directories": lambda w: head(0xE1, b"Exif\0\0" + exif.chain(w, 5)),
        "EXIF in a gap between directories": lambda w: head(0xE1, b"Exif\0\0" + exif.gap(w)),
        "EXIF with a type that does not exist": lambda w: head(0xE1, b"Exif\0\0" + exif.odd(w, 99)),
        "EXIF with a tag that nobody knows": lambda w: head(0xE1, b"Exif\0\0" + exif.odd(w, 7)),
        "a serial number": lambda w: head(0xE1, b"Exif\0\0" + exif.number(w)),
        "a thumbnail in a thumbnail in a thumbnail": nested,
        "XMP": lambda w: head(0xE1, XMP + xmp_packet(w.text)),
        "XMP in wide letters": lambda w: head(
            0xE1, XMP + xmp_packet(w.canary).decode().encode("utf-16")
        ),
        "XMP that goes on elsewhere": lambda w: head(
            0xE1, MORE_XMP + b"0" * 32 + struct.pack(">II", 99, 0) + w.told
        ),
        "XMP without its end": lambda w: head(0xE1, XMP[:-1] + w.told),
        "IPTC": lambda w: photoshop(
            resource(0x404, b"\x1c\2\x78" + struct.pack(">H", len(w.told)) + w.told)
        ),
        "Photoshop's thumbnail": lambda w: photoshop(
            resource(0x40C, bytes(28) + head(0xFE, w.told))
        ),
        "the name of a Photoshop resource": lambda w: photoshop(resource(0x7D0, b"path", w.text)),
        "an unknown Photoshop resource": lambda w: photoshop(resource(0xF00, w.told)),
        "behind a Photoshop resource": lambda w: photoshop(resource(0x404, b""), w.told),
        "a profile's description": lambda w: head(0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(w.text)),
        "a profile's private tag": lambda w: head(
            0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(b"x", {b"priv": b"data\0\0\0\0" + w.told})
        ),
        "between a profile's tags": lambda w: head(
            0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(b"x", gap=w.told)
        ),
        "behind a profile": lambda w: head(0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(b"x") + w.told),
        "a piece too much of a profile": lambda w: before(
            0xE2,
            head(0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(b"x")),
            segment(0xE2, b"ICC_PROFILE\0\7\1" + w.told),
        ),
        "a profile's numbers of its maker": lambda w: head(
            0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(b"x", maker=w.long)
        ),
        "a profile between scans": lambda w: between_scans(
            segment(0xE2, b"ICC_PROFILE\0\1\1" + icc.profile(w.text))
        ),
        "a thumbnail of JFIF": lambda w: changed(
            0xE0, lambda d: d[:-2] + b"\4\2" + w.canary.ljust(24)
        ),
        "behind JFIF": lambda w: changed(0xE0, lambda d: d + w.told),
        "a second JFIF": lambda w: before(0xDB, plain(), segment(0xE0, b"JFIF\0" + w.told)),
        "JFXX with a palette": lambda w: before(
            0xDB, plain(), segment(0xE0, b"JFXX\0\x11\1\1" + w.told.ljust(768) + b"\0")
        ),
        "the density": lambda w: changed(
            0xE0, lambda d: d[:8] + struct.pack(">I", w.short) + d[12:]
        ),
        "behind Adobe's": lambda w: before(
            0xDB, plain(), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + w.told)
        ),
        "Adobe's flags": lambda w: before(
            0xDB, plain(), segment(0xEE, b"Adobe\0\x64" + struct.pack(">I", w.short) + b"\1")
        ),
        "a quantisation table that nobody uses": lambda w: before(
            0xDB, plain(), segment(0xDB, table(w.text))
        ),
        "a quantisation table that is replaced": lambda w: before(
            0xDB, plain(), segment(0xDB, b"\0" + table(w.text)[1:])
        ),
        "a Huffman table that nobody uses": lambda w: before(
            0xC4, plain(), segment(0xC4, codes(w.canary))
        ),
        "a Huffman table that is replaced": lambda w: before(
            0xC4, plain(), segment(0xC4, b"\0" + codes(w.canary)[1:])
        ),
        "symbols that no block uses": rare,
        "an arithmetic table": lambda w: before(
            0xDA, plain(), segment(0xCC, b"\x10\1" * 4 + w.told)
        ),
        "a number of lines": lambda w: before(0xDA, plain(), segment(0xDC, w.told)),
        "a reserved marker": lambda w: before(0xDA, plain(), segment(0xF5, w.told)),
        "behind the restart interval": lambda w: before(
            0xDA, plain(), segment(0xDD, b"\0\0" + w.told)
        ),
        "a comment between scans": lambda w: between_scans(segment(0xFE, w.told)),
        "EXIF between scans": lambda w: between_scans(segment(0xE1, exif.block(w))),
        "a table between scans": lambda w: between_scans(segment(0xDB, table(w.text))),
        "behind the last block": lambda w: plain()[:-2] + w.text + b"\xff\xd9",
        "behind a restart": lambda w: with_restarts().replace(b"\xff\xd0", w.text + b"\xff\xd0", 1),
        "behind the last block, after a marker": lambda w: (
            plain()[:-2] + b"\xff\xd0" + w.text + b"\xff\xd9"
        ),
        "between two segments": lambda w: before(0xC0, plain(), w.text),
        "a comment behind the last scan": lambda w: (
            plain()[:-2] + segment(0xFE, w.told) + b"\xff\xd9"
        ),
        "a second picture in the same file": lambda w: plain()[:-2] + head(0xFE, w.told)[2:],
        "behind the end": lambda w: tail(w.told),
        "behind the end, far": lambda w: tail(bytes(9000) + w.told),
        "a second picture behind": lambda w: tail(head(0xE1, exif.block(w))),
        "MPF": mpf,
        "a motion photo": lambda w: before(
            0xDB, tail(bases.mp4() + w.told), segment(0xE1, XMP + b"<GCamera:MotionPhoto=1>")
        ),
        "Samsung's trailer": lambda w: tail(b"\0\0\1\x0a" + w.told + b"SEFH\x6b\0\0\0\1\0\0\0SEFT"),
        "ID3 behind": lambda w: tail(b"TAG" + w.told.ljust(125, b"\0")),
        "an archive behind": lambda w: tail(zipped(w.told)),
        "a web page in a comment": lambda w: head(
            0xFE, b"<html><script>fetch('//x/" + w.text + b"')</script><!--"
        ),
        "a document behind": lambda w: tail(
            b"%PDF-1.4\n1 0 obj<</A(" + w.text + b")>>endobj\n%%EOF"
        ),
        "an archive in a comment": lambda w: head(0xFE, zipped(w.told)),
    }.items()
}
REFUSABLE = {
    "between two segments",
    "a number of lines",
    "an arithmetic table",
    "a reserved marker",
    "a second picture in the same file",
    "behind a restart",
    "behind the last block, after a marker",
    "a Huffman table that nobody uses",
    "a Huffman table that is replaced",
    "behind the restart interval",
}
