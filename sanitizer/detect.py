"""What a file is, decided from its first bytes and never from its name.

Rule: three families are taken; whatever else is recognised is refused with its name, so that
the person who sent it knows what to do.
"""

from enum import Enum

from sanitizer.errors import Encrypted, Heic, Sound, Unsupported
from sanitizer.source import UntrustedSource


class Format(Enum):
    """The families that can be cleaned."""

    JPEG = "jpeg"
    PNG = "png"
    VIDEO = "video"


_HEAD = 64
_VIDEO_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_STILL_BRANDS = {b"avif", b"avis", b"miaf", b"crx "}
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A "}
_SOUNDS = (
    (0, b"OggS", "Ogg"),
    (0, b"fLaC", "FLAC"),
    (0, b"ID3", "MP3"),
    (0, b"\xff\xfb", "MP3"),
    (0, b"\xff\xf3", "MP3"),
    (0, b"\xff\xf2", "MP3"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"#!AMR", "AMR"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
    (8, b"WAVE", "WAV"),
)
_OTHERS = (
    (0, b"GIF8", "GIF"),
    (0, b"%PDF", "PDF"),
    (0, b"II*\0", "TIFF or camera raw"),
    (0, b"MM\0*", "TIFF or camera raw"),
    (0, b"BM", "BMP"),
    (0, b"PK\3\4", "ZIP, or a document in one"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (8, b"WEBP", "WebP"),
    (8, b"AVI ", "AVI"),
)


def detect(source: UntrustedSource) -> Format:
    """Return the family of a file; raises Unsupported, Sound, Heic, Encrypted else."""
    head = source.read_at(0, _HEAD)
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head[4:8] in _VIDEO_BOXES:
        return _of_brand(head)
    if head.startswith((b"age-encryption.org", b"-----BEGIN PGP")):
        raise Encrypted("an encrypted file")
    for place, magic, name in _SOUNDS:
        if head[place : place + len(magic)] == magic:
            raise Sound(name)
    for place, magic, name in _OTHERS:
        if head[place : place + len(magic)] == magic:
            raise Unsupported(name)
    raise Unsupported("not a photo or a video of a kind that can be cleaned")


def _of_brand(head: bytes) -> Format:
    brand = head[8:12]
    if head[4:8] == b"ftyp":
        if brand in _HEIC_BRANDS:
            raise Heic("HEIC")
        if brand in _STILL_BRANDS:
            raise Unsupported("AVIF or camera raw")
        if brand in _SOUND_BRANDS:
            raise Sound("a sound recording")
    return Format.VIDEO
