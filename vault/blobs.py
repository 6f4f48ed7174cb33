"""Sealed content parts as files with random names, in one folder, through obstore.

A blob has its name only once it is whole (obstore writes ``name#1`` beside it and renames), and is
acknowledged only once file and folder were fsynced: obstore's folder store never does that itself.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from crypto.ids import day_of
from vault.errors import BlobIncomplete, UnsupportedStore
from vault.outside import BlobRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from crypto.ids import Day

NAME_BYTES = 16
CHUNK_BYTES = 1024 * 1024

# What obstore raises where a disk refuses is not always an OSError: its own errors are no subclass.
_REFUSALS = (OSError, BaseError)

# Two pieces in flight at most: a 2 GB upload adds a few MiB of memory, whatever its size.
_CONCURRENT_CHUNKS = 2

# Neither says anything.  The access time lies in the future (2038): Linux's relatime then never
# replaces it, so that a file does not tell when a desk fetched it.  ctime cannot be set: it stays.
_TIMES = (2**31 - 1, 0)


class BlobWriter:
    """One blob on its way: write ciphertext in any pieces, then commit, or abort.

    A context manager: leaving it without ``commit`` aborts.  Memory stays flat.
    """

    def __init__(self, store: LocalStore, folder: str) -> None:
        """Begin a blob under a fresh random name; made by `BlobShelf.new`."""
        self._folder = folder
        self._name = secrets.token_hex(NAME_BYTES)
        self._size = 0
        self._open = True
        self._writer = obstore.open_writer(
            store, self._name, buffer_size=CHUNK_BYTES, max_concurrency=_CONCURRENT_CHUNKS
        )

    def write(self, data: bytes) -> None:
        """Append bytes.  Raises BlobIncomplete when the disk refuses or the writer is closed."""
        try:
            self._writer.write(data)
        except _REFUSALS as error:
            raise BlobIncomplete("a blob could not be written") from error
        self._size += len(data)

    def commit(self) -> BlobRef:
        """Make the blob durable and return its name and size.  Raises BlobIncomplete."""
        path = os.path.join(self._folder, self._name)  # noqa: PTH118 # a hot path of plain strings
        try:
            self._writer.close()
            os.utime(path, _TIMES)
            _fsync(path, os.O_RDONLY)
            _fsync(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        except _REFUSALS as error:
            raise BlobIncomplete("a blob could not be made durable") from error
        self._open = False
        return BlobRef(self._name, self._size)

    def abort(self) -> None:
        """Forget what was written; harmless after a commit or a second time."""
        if not self._open:
            return
        self._open = False
        if not self._writer.closed():
            # Leaving with an error is how obstore is told to remove its staging file.
            self._writer.__exit__(BlobIncomplete, BlobIncomplete(), None)
        # A commit that failed after the rename left a whole file under the final name.
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._folder, self._name))  # noqa: PTH108, PTH118 # as above

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


class BlobShelf:
    """The folder of blobs."""

    def __init__(self, url: str) -> None:
        """Take ``file:///folder`` (absolute, existing).  Raises UnsupportedStore."""
        parsed = urlsplit(url)
        if parsed.scheme != "file" or parsed.netloc or not parsed.path.startswith("/"):
            raise UnsupportedStore("blobs must be kept in file:///folder")
        self.folder = unquote(parsed.path)
        if not os.path.isdir(self.folder):  # noqa: PTH112 # a folder is a string here
            raise UnsupportedStore("the folder of blobs is not there")
        self._store = LocalStore(self.folder)

    def new(self) -> BlobWriter:
        """Begin a blob."""
        return BlobWriter(self._store, self.folder)

    def read(self, ref: BlobRef, offset: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes from ``offset``, at most 1 MiB at a time.

        Raises BlobIncomplete when the file is missing or shorter than what was acknowledged.
        """
        end = offset + length
        if not 0 <= offset <= end <= ref.size:
            raise BlobIncomplete("no such range in the blob")
        while offset < end:
            upto = min(end, offset + CHUNK_BYTES)
            try:
                piece = bytes(obstore.get_range(self._store, ref.name, start=offset, end=upto))
            except _REFUSALS as error:
                raise BlobIncomplete("a blob is missing or too short") from error
            if len(piece) != upto - offset:
                raise BlobIncomplete("a blob is too short")
            yield piece
            offset = upto

    def remove(self, names: Iterable[str]) -> int:
        """Remove blobs, those that are gone already included; returns how many were there."""
        removed = 0
        for name in names:
            # obstore would not remove its own staging names (name#1), which a crash leaves behind.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.folder, name))  # noqa: PTH108, PTH118 # as above
                removed += 1
        if removed:
            _fsync(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        return removed

    def untouched_since(self, day: Day) -> set[str]:
        """Names in the folder, staging names too, that nothing changed on ``day`` or after it."""
        names = set()
        with os.scandir(self.folder) as entries:
            for entry in entries:
                # ctime alone is real: the other times of a blob are fixed to mean nothing.
                changed = dt.datetime.fromtimestamp(entry.stat().st_ctime, tz=dt.UTC)
                if day_of(changed.date()) < day:
                    names.add(entry.name)
        return names


def _fsync(path: str, flags: int) -> None:
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
