"""What a file is, decided from its bytes and never from its name.

Rule: whatever is recognised and cannot be cleaned is refused with its name, so that the person
who sent it knows what to do. Text comes last: it is what nothing else is.
"""

from enum import Enum

from sanitizer.errors import Encrypted, Unsupported
from sanitizer.source import UntrustedSource


class Format(Enum):
    """The families of files. The value is the name in messages and in the documentation."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    HEIF = "HEIC or AVIF"
    TIFF = "TIFF"
    BMP = "BMP"
    MP4 = "MP4 or QuickTime"
    MATROSKA = "Matroska or WebM"
    AVI = "AVI"
    MPEG_TS = "MPEG transport stream"
    MP3 = "MP3"
    AAC = "AAC"
    OGG = "Ogg"
    FLAC = "FLAC"
    WAV = "WAV"
    AIFF = "AIFF"
    AMR = "AMR"
    PDF = "PDF"
    TEXT = "plain text"


VIDEOS = frozenset({Format.MP4, Format.MATROSKA, Format.AVI, Format.MPEG_TS})
"""Moving pictures."""
_HEAD = 64
_PDF_WITHIN = 1024
_TEXT_WITHIN = 4096
_ID3_HEADER = 10
_ID3_TAGS = 4
_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"}
_HEIF_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
    b"miaf", b"jpeg", b"jpgs",
}  # fmt: skip
_PACKETS = ((0, 188), (4, 192))
_PACKETS_SEEN = 4
_BMP_HEAD = 18
_BMP_SIZES = {bytes((size, 0, 0, 0)) for size in (12, 40, 52, 56, 64, 108, 124)}
_KNOWN = (
    (0, b"\xff\xd8\xff", Format.JPEG),
    (0, b"\x89PNG\r\n\x1a\n", Format.PNG),
    (0, b"GIF87a", Format.GIF),
    (0, b"GIF89a", Format.GIF),
    (0, b"II*\0", Format.TIFF),
    (0, b"MM\0*", Format.TIFF),
    (0, b"II+\0", Format.TIFF),
    (0, b"MM\0+", Format.TIFF),
    (0, b"BM", Format.BMP),
    (0, b"\x1aE\xdf\xa3", Format.MATROSKA),
    (0, b"OggS", Format.OGG),
    (0, b"fLaC", Format.FLAC),
    (0, b"#!AMR", Format.AMR),
    (8, b"WEBP", Format.WEBP),
    (8, b"WAVE", Format.WAV),
    (8, b"AVI ", Format.AVI),
    (8, b"AIFF", Format.AIFF),
    (8, b"AIFC", Format.AIFF),
)
_LOCKED = (b"age-encryption.org", b"-----BEGIN PGP", b"-----BEGIN AGE")
_REFUSED = (
    (0, b"PK\3\4", "ZIP, or a document in one"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"{\\rtf", "RTF"),
    (0, b"%!PS", "PostScript"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL ", "JPEG XL"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\x30\x26\xb2\x75", "Windows Media"),
    (0, b"FLV", "Flash video"),
    (0, b"\0\0\1\xba", "MPEG program stream"),
    (0, b"8BPS", "Photoshop"),
    (0, b"Rar!", "RAR"),
    (0, b"7z\xbc\xaf", "7-Zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"#EXTM3U", "a play list"),
)


def detect(source: UntrustedSource) -> Format:
    """Return the family of a file; raises Unsupported or Encrypted else."""
    head = source.read_at(0, _HEAD)
    for place, magic, known in _KNOWN:
        if head[place : place + len(magic)] == magic and _is_whole(head, known):
            return known
    if head.startswith(_LOCKED):
        raise Encrypted("an encrypted file")
    for place, magic, name in _REFUSED:
        if head[place : place + len(magic)] == magic:
            raise Unsupported(name)
    if head[4:8] in _MP4_BOXES:
        return _of_brand(head)
    found = _of_packets(source) or _of_sound(source) or _of_words(source)
    if found is None:
        raise Unsupported("not a file of a kind that can be cleaned")
    return found


def _is_whole(head: bytes, known: Format) -> bool:
    """Tell whether what a magic in the middle promises begins as its family must."""
    containers = {Format.WEBP: b"RIFF", Format.AVI: b"RIFF", Format.AIFF: b"FORM"}
    if known is Format.WAV:
        return head[:4] in {b"RIFF", b"RF64", b"BW64"}
    if known is Format.BMP:
        # Two letters may begin any text; behind them stands the length of the second header.
        return len(head) < _BMP_HEAD or head[14:18] in _BMP_SIZES
    return head.startswith(containers.get(known, b""))


def _of_brand(head: bytes) -> Format:
    brand = head[8:12]
    if head[4:8] == b"ftyp":
        if brand in _HEIF_BRANDS:
            return Format.HEIF
        if brand == b"crx ":
            raise Unsupported("a camera's raw file")
    return Format.MP4


def _of_packets(source: UntrustedSource) -> Format | None:
    """Recognise a transport stream by the sync bytes of its first packets."""
    for start, step in _PACKETS:
        marks = [source.read_at(start + step * n, 1) for n in range(_PACKETS_SEEN)]
        if marks == [b"G"] * _PACKETS_SEEN:
            return Format.MPEG_TS
    return None


def _of_sound(source: UntrustedSource) -> Format | None:
    """Look behind ID3 tags, which stand before MP3, and before FLAC and AAC where they should not.

    A frame header is believed when its reserved values are not used.
    """
    at = 0
    for _ in range(_ID3_TAGS):
        head = source.read_at(at, _ID3_HEADER)
        if head[:3] != b"ID3" or len(head) < _ID3_HEADER:
            break
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += _ID3_HEADER + size + (_ID3_HEADER if head[5] & 0x10 else 0)
    mark = source.read_at(at, 4)
    if mark == b"fLaC":
        return Format.FLAC
    if len(mark) == 4 and mark[0] == 0xFF and mark[1] & 0xE0 == 0xE0:  # noqa: PLR2004 - a frame header
        layer, version = mark[1] >> 1 & 3, mark[1] >> 3 & 3
        if layer == 0 and mark[1] & 0xF0 == 0xF0:  # noqa: PLR2004 - ADTS: twelve ones, layer 0
            return Format.AAC
        if layer in {1, 2} and version != 1 and mark[2] >> 4 != 15 and mark[2] >> 2 & 3 != 3:  # noqa: PLR2004 - reserved
            return Format.MP3
    return Format.MP3 if at else None


def _of_words(source: UntrustedSource) -> Format | None:
    """Recognise a PDF with something before it, and text that is text in UTF-8 or UTF-16."""
    head = source.read_at(0, _TEXT_WITHIN)
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return Format.PDF
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Format.TEXT
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):  # noqa: PLR2004 - control characters
        return None
    try:
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A letter may be cut in two where our look ends.
        if error.start < len(head) - 3:
            return None
    return Format.TEXT
