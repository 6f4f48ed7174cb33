"""What a tag on a sound gives away, and where tags begin and end.

Rule: names of fields are looked for in the first part of a tag, for the kinds that people are
told; nothing depends on them. A tag at the end of a file is believed when it begins as it must.
ID3: id3.org, id3v2.4.0-structure, sections 3.1 and 3.4; APEv2: wiki.hydrogenaud.io, APE Tags
Header; Lyrics3: id3.org/Lyrics3v2.
"""

import re

from sanitizer.sound.window import Window

_LOOK = 1 << 18
_FIELDS = (
    ("cover", rb"APIC|PIC\0|METADATA_BLOCK_PICTURE|COVERART|image/(?:jpe?g|png)"),
    ("author", rb"TPE[1-4]|TCOM|TCOP|TOWN|ARTIST=|PERFORMER=|COPYRIGHT=|CONTACT=|\0Artist"),
    ("comment", rb"COMM|USLT|COMMENT=|DESCRIPTION=|LYRICS|\0Comment"),
    ("capture_time", rb"TDRC|TYER|TDAT|TIME\0|TRDA|TDEN|TDTG|DATE="),
    ("software", rb"TSSE|TENC|ENCODER|ENCODED|LAME3"),
    ("gps", rb"LOCATION=|GEO_|LATITUDE|GPS"),
    ("xmp", rb"x:xmpmeta|ns\.adobe\.com"),
    ("chapters", rb"CHAP|CTOC|CHAPTER\d"),
)
_PATTERNS = tuple((kind, re.compile(names, re.IGNORECASE)) for kind, names in _FIELDS)
_HEADER = 10
_HAS_FOOTER = 0x10
_PADDING, _SEEK_TABLE, _COMMENT, _PICTURE = 1, 3, 4, 6
_EMPTY_COMMENT = 9
_BEGINNINGS = (b"TAG", b"APETAGEX", b"LYRICSBEGI")
_NAMES = (b"APETAGEX", b"LYRICSBEGIN", b"ID3\3\0", b"ID3\4\0", b"xpacket")
_ID3V1, _ENHANCED = 128, 227
# As long as the tags without a length may be.
_TAIL = 1 << 13


def kinds(untrusted: bytes) -> set[str]:
    """Return the kinds of what a tag speaks of: at least ``other_metadata``."""
    head = untrusted[:_LOOK]
    return {kind for kind, pattern in _PATTERNS if pattern.search(head)} | {"other_metadata"}


def id3_length(head: bytes) -> int:
    """Return how many bytes an ID3v2 tag says it has, its header and footer included.

    ``head`` is the first 10 bytes; 0 where they are no such tag.
    """
    if len(head) < _HEADER or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + _HEADER + (_HEADER if head[5] & _HAS_FOOTER else 0)


def of_comment(untrusted: bytes) -> set[str]:
    """Return the kinds of what a Vorbis comment speaks of; ``untrusted`` begins with its length.

    Nothing for one with neither a maker's name nor a comment.
    """
    return (
        kinds(untrusted) if untrusted[:8].strip(b"\0") or len(untrusted) > _EMPTY_COMMENT else set()
    )


def of_block(untrusted: bytes) -> set[str]:
    """Return the kinds of what a FLAC metadata block, its header included, speaks of.

    The stream information is the first one, of which nobody asks.
    """
    kind = untrusted[0] & 0x7F if untrusted else _PADDING
    if kind == _COMMENT:
        return of_comment(untrusted[4:])
    if kind in {_PADDING, _SEEK_TABLE}:
        return {"other_metadata"} if kind == _PADDING and any(untrusted[4:]) else set()
    return kinds(untrusted) | ({"cover"} if kind == _PICTURE else set())


def is_tag(head: bytes) -> bool:
    """Tell whether what begins here (10 bytes of it) is a tag."""
    return head.startswith(_BEGINNINGS) or id3_length(head) > 0


def holds_tag(frame: bytes) -> bool:
    """Tell whether a frame was cut off and a tag has taken the place of its end."""
    return ends_in_tag(frame) or any(name in frame for name in _NAMES)


def ends_in_tag(tail: bytes) -> bool:
    """Tell whether the end of a file is read as a tag that only its place makes known."""
    return tail[-_ID3V1:][:3] == b"TAG" or tail[-_ENHANCED:][:4] == b"TAG+"


def sound_end(window: Window, most: int) -> int:
    """Return where the tags at the end of a file begin, of which there are at most ``most``."""
    end = window.length
    for _ in range(most):
        begin = end - _last_tag(window, end)
        if begin == end:
            break
        end = begin
    return end


def _last_tag(window: Window, end: int) -> int:
    """Return the length of the tag that ends here, 0 where none does."""
    tail = window.take(max(0, end - _TAIL), min(end, _TAIL)).rjust(_TAIL, b"\0")
    if tail[-_ID3V1:][:3] == b"TAG":
        return _ID3V1
    if tail[-_ENHANCED:][:4] == b"TAG+":
        return _ENHANCED
    if tail[-9:] == b"LYRICSEND":
        place = tail.rfind(b"LYRICSBEGIN")
        return _TAIL - place if place >= 0 else 0
    length, beginning = 0, b""
    if tail[-32:-24] == b"APETAGEX":
        length = int.from_bytes(tail[-20:-16], "little")
        if not tail[-9] & 0x80:
            # The first version has no header to be known by.
            return length if length <= min(end, _TAIL) else 0
        length, beginning = length + 32, b"APETAGEX"
    elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        length, beginning = int(tail[-15:-9]) + 15, b"LYRICSBEGIN"
    elif tail[-10:-7] == b"3DI":
        length, beginning = id3_length(b"ID3" + tail[-7:]), b"ID3"
    is_true = beginning and window.take(max(0, end - length), len(beginning)) == beginning
    return length if is_true and length <= end else 0
