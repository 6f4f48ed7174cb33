"""(1) Receive: a multipart form whose files never touch a disk in plaintext.  Claim C-NODISK.

Werkzeug would write an upload of more than 500 KB to a plaintext temporary file.  Here each file
part is encrypted as it arrives, under a key that lives in this request's memory, into a file that
has no name from the start.
"""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Request
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    HTTPException,
    RequestEntityTooLarge,
)

from crypto.spool import SpoolReader, SpoolWriter
from sanitizer.errors import Refused, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from werkzeug.formparser import FormDataParser

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
TEXT_BYTES = 1024 * 1024
"""All text fields of one form together: the longest form filled whole, in Arabic, and once more.

What comes is shown again, escaped, five times as long at worst: so this bounds the memory of those
who never read their answers, too.
"""
PARTS_MOST = 2000
"""All fields and files of one form together; no page of ours has a quarter of them."""
_READ_BYTES = 64 * 1024
_BROKEN = "amana.broken"


class NoRoom(Refused):
    """There is no room for a file; words are still taken."""

    reason = "no_room"


def _always(_: int) -> bool:
    return True


class SpooledFile(io.RawIOBase):
    """One file of a form: ciphertext in a nameless file; also the sanitizer's UntrustedSource.

    Past ``file_bytes`` nothing more is stored, only counted, so that the text and the other files
    of the same form survive (``too_large``).
    """

    def __init__(
        self, folder: Path, file_bytes: int, has_room: Callable[[int], bool] = _always
    ) -> None:
        super().__init__()
        self._fd = _nameless(folder)
        self._writer = SpoolWriter(self._fd)
        self._reader: SpoolReader | None = None
        self._most = file_bytes
        self._has_room = has_room
        self._failed = False
        self.received = 0

    @property
    def too_large(self) -> bool:
        """Whether more came than one file may have."""
        return self.received > self._most

    @property
    def length(self) -> int:
        """Bytes of plaintext that are there to be read."""
        return self._finished().length

    def writable(self) -> bool:
        """A form parser writes here."""
        return True

    def seekable(self) -> bool:
        """Only back to the start, once, which ends the writing."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 the buffer protocol has no type in 3.11
        """Encrypt and store, or only count when the file is too large already."""
        self.received += len(data)
        if not self._has_room(len(data)):
            self._failed = True
        if not (self.too_large or self._failed):
            try:
                self._writer.write(bytes(data))
            except OSError:
                # A full disk costs this file, not the text that comes after it.
                self._failed = True
        return len(data)

    def require_whole(self) -> None:
        """Raise TooLarge or NoRoom where not all was stored, or a clean copy has no room."""
        if self.too_large:
            raise TooLarge("longer than one file may be")
        if self._failed or not self._has_room(self.received):
            raise NoRoom("the disk is too full")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """End the writing: the parser rewinds each file when its last byte has come."""
        if (offset, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation("only back to the start")
        self._finished()
        return 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Return plaintext from ``offset``, fewer bytes only at the end."""
        return self._finished().read_at(offset, length)

    def close(self) -> None:
        """Give the disk space back; the file had no name, so nothing of it is left."""
        if not self.closed:
            os.close(self._fd)
        super().close()

    def _finished(self) -> SpoolReader:
        if self._reader is None:
            self._reader = self._writer.finish()
        return self._reader


def _nameless(folder: Path) -> int:
    """Open a file that no directory ever lists; a kill leaves nothing behind."""
    with suppress(OSError):  # a file system without O_TMPFILE
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fd, name = tempfile.mkstemp(dir=folder)
    Path(name).unlink()
    return fd


class _Metered:
    """The body's stream, which ends in a 413 when the text in it, files apart, grows too long.

    Or when a form without files has too many fields: Werkzeug counts those of a multipart form
    only, and a million empty ones would fit into the bytes.  And in a 400 where fewer bytes came
    than were announced: half a form is never read as a whole one, and gunicorn does not look.
    """

    def __init__(self, stream: IO[bytes], request: UploadRequest) -> None:
        self._stream = stream
        self._request = request
        self._seen = 0
        self._fields = 1 if request.mimetype == URLENCODED else None

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(_READ_BYTES), b""))
        if self._request.environ.get(_BROKEN):
            # What is read behind a break would look like a short, whole body.
            raise ClientDisconnected
        try:
            return self._read(size)
        except (HTTPException, OSError):
            self._request.environ[_BROKEN] = True
            raise

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        announced = self._request.content_length
        if size and not data and announced is not None and self._seen < announced:
            raise ClientDisconnected
        self._seen += len(data)
        if self._fields is not None:
            self._fields += data.count(b"&")
            if self._fields > PARTS_MOST:
                raise RequestEntityTooLarge
        files = sum(one.received for one in self._request.spooled)
        # The parser lags a piece behind, and headers of parts count as text.
        if self._seen - files > TEXT_BYTES + 2 * _READ_BYTES:
            raise RequestEntityTooLarge
        return data


class UploadRequest(Request):
    """A request whose files are spooled encrypted.  ``spool_folder`` is set by the application."""

    max_form_memory_size = TEXT_BYTES
    max_form_parts = PARTS_MOST
    spool_folder: Path
    file_bytes: int
    has_room: Callable[[int], bool] = staticmethod(_always)

    @property
    def spooled(self) -> list[SpooledFile]:
        """Every file part of this request so far, also those that were never finished."""
        found: list[SpooledFile] = self.environ.setdefault("amana.spooled", [])
        return found

    def close_spools(self) -> None:
        """Give all spools back at the end of the request, however it ended."""
        for one in self.spooled:
            one.close()

    def make_form_data_parser(self) -> FormDataParser:
        """Read a form as Werkzeug does, but tell of one that is none."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser

    def _load_form_data(self) -> None:
        """Raise BadRequest for what is no form: taken for an empty one, it would lose the words."""
        try:
            super()._load_form_data()
        except (ValueError, KeyError):
            self.environ[_BROKEN] = True
            raise BadRequest from None
        # A part without a name.
        if None in self.form or None in self.files:
            raise BadRequest

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 Werkzeug's signature
        content_type: str | None,  # noqa: ARG002 the same
        filename: str | None = None,  # noqa: ARG002 a reporter's file name is not looked at
        content_length: int | None = None,  # noqa: ARG002 the same
    ) -> IO[bytes]:
        one = SpooledFile(self.spool_folder, self.file_bytes, self.has_room)
        self.spooled.append(one)
        return one  # type: ignore[return-value]  # the parser writes, rewinds and closes, no more

    def _get_stream_for_parsing(self) -> IO[bytes]:
        return _Metered(super()._get_stream_for_parsing(), self)  # type: ignore[return-value]  # read() is all that is used
