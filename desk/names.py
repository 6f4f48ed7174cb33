"""The one name that a file of a case has: in `show`, on the pages, in JSON and in an export.

Rule: a name from inside an envelope is used where it is only a name, and never as a path.
Its end, which tells an operator's computer what to do with the file, is ours: it follows from the
media type, and what is no picture, sound or film that a reporter may send ends in `.bin`.
The gateway counts the files of each message anew, so a file that came with a later
message says with which: `message-2-photo-1.jpg`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PLAIN_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\.[A-Za-z0-9]{1,8})?")
# Names of devices: whoever opens one of these on Windows opens no file, whatever its end.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin|conout|com\d|lpt\d)", re.IGNORECASE)
_UNKNOWN_END = ".bin"
_ENDS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/apng": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "video/mp4": ".mp4",
    "video/x-m4v": ".m4v",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "video/3gpp2": ".3g2",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".weba",
    "audio/flac": ".flac",
    "audio/aac": ".aac",
    "audio/aiff": ".aiff",
    "audio/amr": ".amr",
    "audio/amr-wb": ".awb",
    "audio/x-matroska": ".mka",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


@dataclass(slots=True)
class Names:
    """Gives each file of one case its name, in the order in which the case names them."""

    _taken: set[str] = field(default_factory=set)

    def of(
        self,
        untrusted_name: str,
        media_type: str,
        number: int,
        message: int,
        *,
        is_original: bool = False,
    ) -> str:
        """A name that is only a name, given once; `number` counts the case's files from 1.

        `message` counts the reporter's messages from 1; the report itself is 0.  An original that
        nobody cleaned ends in `.bin` whatever it says it is.
        """
        end = _UNKNOWN_END if is_original else _ENDS.get(media_type, _UNKNOWN_END)
        plain = _PLAIN_NAME.fullmatch(untrusted_name)
        unknown = end == _UNKNOWN_END and not is_original
        ours = plain is None or _DEVICE.fullmatch(plain[1]) or unknown
        stem = f"file-{number}" if plain is None or ours else plain[1]
        stem = f"message-{message}-{stem}" if message else stem
        name, again = f"{stem}{end}", 2
        # A disk may take capitals and small letters for the same.
        while name.lower() in self._taken:
            name = f"{stem}-{again}{end}"
            again += 1
        self._taken.add(name.lower())
        return name
