"""Name the kinds of what is left behind: tags, attachments, chapters, and what nobody knows.

Rule: looked at in passing and bounded; what is not understood goes too, under a general name.
"""

from sanitizer.matroska import ids
from sanitizer.source import UntrustedSource

OURS = b"amana"
"""What we write where a program's name must stand."""
_TOLD = {
    b"LOCATION": "gps",
    b"GPS": "gps",
    b"MAKE": "camera_model",
    b"MODEL": "camera_model",
    b"DATE": "capture_time",
    b"CREATION": "capture_time",
    b"ENCODER": "software",
    b"ARTIST": "author",
    b"AUTHOR": "author",
    b"COMMENT": "comment",
    b"DESCRIPTION": "comment",
    b"TITLE": "comment",
    b"XMPMETA": "xmp",
    b"IMAGE/": "cover",
}
_SILENT = {ids.SEEK_HEAD, ids.CUES, ids.CRC_32, ids.POSITION, ids.PREV_SIZE}
_MAX_LOOKED_AT = 1 << 16


def note_element(kind: int, source: UntrustedSource, at: int, size: int, kinds: set[str]) -> None:
    """Add the kinds of an element that is not kept."""
    if kind in _SILENT or not size:
        return
    if kind == ids.CHAPTERS:
        kinds.add("chapters")
        return
    told = source.read_at(at, min(size, _MAX_LOOKED_AT))
    if kind == ids.VOID and not told.strip(b"\0"):
        return
    loud = told.upper()
    kinds |= {name for token, name in _TOLD.items() if token in loud} or {"other_metadata"}


def note_info(told: dict[int, bytes], kinds: set[str]) -> None:
    """Add the kinds of what a segment says of itself."""
    if ids.DATE in told:
        kinds.add("capture_time")
    if ids.TITLE in told:
        kinds.add("comment")
    if {told.get(ids.MUXING_APP, OURS), told.get(ids.WRITING_APP, OURS)} != {OURS}:
        kinds.add("software")
    known = {ids.TIMESTAMP_SCALE, ids.DURATION, ids.DATE, ids.TITLE, ids.CRC_32}
    if told.keys() - known - {ids.MUXING_APP, ids.WRITING_APP}:
        kinds.add("other_metadata")
