"""What the texts of a PNG say that the picture needs: its orientation. All else is only named.

Rule: bounded, never raises for a text that is broken; it goes in any case.
"""

import contextlib
from dataclasses import dataclass, field

from sanitizer import exif
from sanitizer.errors import Malformed
from sanitizer.png.data import unpack

_MAX_TEXT = 1 << 20
_KEYWORDS = {
    b"XML:com.adobe.xmp": "xmp",
    b"Raw profile type xmp": "xmp",
    b"Raw profile type iptc": "iptc",
    b"Software": "software",
    b"Creation Time": "capture_time",
    b"date:create": "capture_time",
    b"date:modify": "capture_time",
    b"Author": "author",
    b"Copyright": "author",
    b"Comment": "comment",
    b"Description": "comment",
    b"Title": "comment",
}
_RAW_EXIF = {b"Raw profile type exif", b"Raw profile type APP1"}


@dataclass(slots=True)
class Told:
    """Kinds found, and the orientation that each place told."""

    kinds: set[str] = field(default_factory=set)
    by_exif: int | None = None
    by_raw: int | None = None
    by_xmp: int | None = None

    def take(self, kind: bytes, data: bytes) -> None:
        """Take an eXIf, tEXt, zTXt or iTXt chunk."""
        if kind == b"eXIf":
            block = exif.read(data.removeprefix(b"Exif\0\0"))
            self.kinds |= block.kinds
            self.by_exif = self.by_exif or block.orientation
            return
        keyword, _, rest = data.partition(b"\0")
        text = b""
        with contextlib.suppress(Malformed):
            text = _text(kind, rest)
        if keyword in _RAW_EXIF:
            self._raw(text)
        else:
            self.kinds.add(_KEYWORDS.get(keyword, "comment"))
            self.by_xmp = self.by_xmp or exif.xmp_orientation(text)

    def _raw(self, text: bytes) -> None:
        """Read ImageMagick's way of keeping EXIF: a name, a length, hexadecimal lines."""
        block = b""
        with contextlib.suppress(ValueError):
            block = bytes.fromhex("".join(text.decode("ascii", "replace").split("\n")[3:]))
        found = exif.read(block.removeprefix(b"Exif\0\0"))
        self.kinds |= found.kinds
        self.by_raw = self.by_raw or found.orientation

    def block(self) -> bytes:
        """Return the EXIF of one tag that keeps the picture upright; empty where none is due."""
        orientation = self.by_exif or self.by_raw or self.by_xmp or 1
        return exif.of_orientation(orientation)[6:] if orientation != 1 else b""


def _text(kind: bytes, rest: bytes) -> bytes:
    """Return a text chunk's text, unpacked within bounds; empty for a broken one."""
    if kind == b"tEXt":
        return rest[:_MAX_TEXT]
    if kind == b"zTXt":
        return unpack(rest[1:], _MAX_TEXT)
    packed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    body = fields[-1]
    return unpack(body, _MAX_TEXT) if packed else body[:_MAX_TEXT]
