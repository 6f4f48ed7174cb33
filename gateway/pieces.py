"""Uploads that come in pieces, between their first byte and their last: sealed files in the spool.

Whoever takes this disk has random names and ciphertext: key, name, length and end of an upload are
in a ticket that the sender's page holds (gateway.site.tickets).  How far an upload has come is the
length of its file, and what lies there is never written over.  Claims C-RESUME, C-NODISK.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from crypto.errors import CannotOpen
from crypto.pieces import (
    CHUNK_BYTES,
    SEALED_CHUNK_BYTES,
    PiecesKey,
    PiecesReader,
    open_note,
    seal_chunks,
    seal_note,
    sealed_length,
)
from gateway.errors import GatewayError
from gateway.sweeper import Sweeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gateway.config import PieceLimits

PIECE_MOST = 16 * CHUNK_BYTES
"""The longest piece: 1 MiB.  Every piece but the last is a multiple of 64 KiB."""
NAME_BYTES = 16
EACH_MOST = 6
"""Uploads of one case at a time: a page's script sends one after the other, others pause."""
EMPTY_SECONDS = 600
"""An upload of which no byte came is forgotten after this, so that nobody holds places for long."""
IDLE_SECONDS = 120
"""An upload that nobody moved for so long gives its place to one that begins, where all are taken.

So whoever would keep others out, from many pages, must send all the time.
"""
SUFFIX, NOTE_SUFFIX = ".pieces", ".note"
_NOTE_MOST = 64 * 1024
_LOCK_SECONDS = 2.0
_LOCK_STEP = 0.02
_WAKE_SECONDS = 60.0
_MARK_BYTES = 8


class Gone(GatewayError):
    """There is no such upload: expired, dropped, finished, or not what was written any more."""


class Full(GatewayError):
    """No room: too many uploads, too many bytes of them, or the disk's reserve is reached."""


class Enough(GatewayError):
    """This case, or this source, has as many uploads under way as it may have."""


class Taken(GatewayError):
    """Another request is at this upload: try again in a moment."""


class Misshapen(GatewayError):
    """A piece that no page of ours would send."""


class Misplaced(GatewayError):
    """A piece that does not begin where the upload ends; ``offset`` is where it does."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: 16 bytes that look random for a name, its key, its length in bytes."""

    name: bytes
    length: int
    key: PiecesKey = field(repr=False)

    @classmethod
    def new(cls, length: int, mark: bytes = b"") -> Self:
        """Draw a name, behind a mark where there is one, and a key."""
        name = mark + secrets.token_bytes(NAME_BYTES - len(mark))
        return cls(name, length, PiecesKey.generate())


class PieceShelf:
    """The uploads of one spool folder.  Safe to share between threads and processes."""

    def __init__(
        self,
        folder: Path,
        limits: PieceLimits,
        now: Callable[[], float] = time.time,
        *,
        key: bytes = b"",
    ) -> None:
        """Use a folder; ``key`` is random, of this start, in memory alone, and all workers' own."""
        self._folder = folder
        self._limits = limits
        self._now = now
        self._key = key or secrets.token_bytes(NAME_BYTES)

    def begin(self, length: int, owner: bytes = b"") -> Upload:
        """Make room for an upload of ``length`` bytes of one case.  Raises Full, Enough."""
        self.sweep()
        with self._alone():
            mark = self._free_mark(owner)
            self._make_room(length)
            self._require_room(length, sum(self._sizes()))
            upload = Upload.new(length, mark)
            try:
                os.close(os.open(self._path(upload), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except OSError:
                raise Full from None
        return upload

    def _make_room(self, length: int) -> None:
        """Take the places of those that lie still for longest, as far as needed.  Raises Full."""
        most, total = self._limits.most, self._limits.total_bytes
        idle = self._idle()
        while len(sizes := self._sizes()) >= most or sum(sizes) + length > total:
            if not idle or length > total:
                raise Full
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                self._remove_unless_used(idle.pop())

    def _idle(self) -> list[str]:
        """The paths of what was not moved for a while; what lies still for longest comes last."""
        found: list[tuple[float, str]] = []
        for entry in self._entries():
            with contextlib.suppress(FileNotFoundError):
                found.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
        end = self._now() - IDLE_SECONDS
        return [path for moved, path in sorted(found, reverse=True) if moved < end]

    def _free_mark(self, owner: bytes) -> bytes:
        """The beginning of a name that this case has and does not use.

        To whoever takes the disk it is random like the rest: which uploads are of one case, or of
        which, only the key tells.
        """
        names = {entry.name[: 2 * _MARK_BYTES] for entry in self._entries()}
        for number in range(EACH_MOST):
            said = b"amana/v1/pieces\0%d\0" % number + owner
            mark = hmac.digest(self._key, said, hashlib.sha256)[:_MARK_BYTES]
            if mark.hex() not in names:
                return mark
        raise Enough

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, in whichever process: what is counted stays true until it is used."""
        try:
            fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise Full from None
        try:
            _lock(fd, _LOCK_SECONDS)
            yield
        finally:
            os.close(fd)

    def append(self, upload: Upload, offset: int, piece: bytes) -> int:
        """Add a piece at its offset; returns how far the upload has come.

        A piece that is there already is compared, and harmless.  Raises Misshapen, Misplaced, Gone
        (also where other bytes are there), Full, Taken.
        """
        end = offset + len(piece)
        whole_chunks = len(piece) % CHUNK_BYTES == 0 or end == upload.length
        if offset % CHUNK_BYTES or not 0 < len(piece) <= PIECE_MOST or not whole_chunks:
            raise Misshapen
        with self._locked(upload, _LOCK_SECONDS) as fd:
            there = _there(fd, upload)
            if end <= there:
                _require_same(PiecesReader(fd, upload.length, upload.key), offset, piece)
                return there
            if offset != there or end > upload.length:
                raise Misplaced(there)
            self._require_room(len(piece), sum(self._sizes()))
            _write(fd, sealed_length(offset), seal_chunks(upload.key, offset, piece))
            return end

    @contextlib.contextmanager
    def whole(self, upload: Upload) -> Iterator[PiecesReader]:
        """Hand out an upload that is complete, for one request alone.

        Every byte is proven as it is read (CannotOpen).  Raises Misplaced, Gone, Taken.
        """
        with self._locked(upload, 0) as fd:
            there = _there(fd, upload)
            if there != upload.length:
                raise Misplaced(there)
            yield PiecesReader(fd, upload.length, upload.key)

    def settle(self, upload: Upload, note: bytes) -> None:
        """Put a note of what became of an upload into its place, sealed.

        Raises Full; and Gone where it was dropped meanwhile: then nothing is to be left of it.
        """
        if not self._path(upload).exists():
            raise Gone
        beside = self._path(upload, f".new{NOTE_SUFFIX}")
        try:
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            raise Full from None
        try:
            _write(fd, 0, seal_note(upload.key, note))
        finally:
            os.close(fd)
        # At once: who asks meanwhile sees no note, or all of it.
        beside.replace(self._path(upload, NOTE_SUFFIX))
        self._path(upload).unlink(missing_ok=True)

    def note(self, upload: Upload) -> bytes | None:
        """What became of an upload, or None while that is open.  Raises Gone."""
        try:
            with self._path(upload, NOTE_SUFFIX).open("rb") as file:
                return open_note(upload.key, file.read(_NOTE_MOST))
        except FileNotFoundError:
            return None
        except CannotOpen:
            raise Gone from None

    def drop(self, upload: Upload) -> bool:
        """Leave nothing of an upload, and say whether there was anything."""
        there = False
        for suffix in (SUFFIX, NOTE_SUFFIX):
            with contextlib.suppress(FileNotFoundError):
                self._path(upload, suffix).unlink()
                there = True
        return there

    def sweep(self) -> int:
        """Remove what was left alone for too long; returns how many files."""
        removed = 0
        for entry in self._entries():
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                state = entry.stat(follow_symlinks=False)
                patience = self._limits.seconds
                if not state.st_size:
                    patience = min(patience, EMPTY_SECONDS)
                # Either way: a clock that was set back must not keep a file for ever.
                if abs(self._now() - state.st_mtime) > patience:
                    self._remove_unless_used(entry.path)
                    removed += 1
        return removed

    @staticmethod
    def _remove_unless_used(path: str) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)  # noqa: PTH108 # a folder's entry is a string
        finally:
            os.close(fd)

    def _path(self, upload: Upload, suffix: str = SUFFIX) -> Path:
        return self._folder / f"{upload.name.hex()}{suffix}"

    def _entries(self) -> list[os.DirEntry[str]]:
        with os.scandir(self._folder) as entries:
            return [one for one in entries if one.name.endswith((SUFFIX, NOTE_SUFFIX))]

    def _sizes(self) -> list[int]:
        sizes = []
        for entry in self._entries():
            with contextlib.suppress(FileNotFoundError):
                sizes.append(entry.stat(follow_symlinks=False).st_size)
        return sizes

    def _require_room(self, more: int, there: int) -> None:
        state = os.statvfs(self._folder)
        free = state.f_bavail * state.f_frsize
        if there + more > self._limits.total_bytes or free - more < self._limits.reserve_bytes:
            raise Full

    @contextlib.contextmanager
    def _locked(self, upload: Upload, seconds: float) -> Iterator[int]:
        """The upload's file, for one request at a time, in whichever process.  Gone, Taken."""
        try:
            fd = os.open(self._path(upload), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Gone from None
        try:
            _lock(fd, seconds)
            if not os.fstat(fd).st_nlink:  # it went while it was waited for
                raise Gone
            yield fd
        finally:
            os.close(fd)


def _lock(fd: int, seconds: float) -> None:
    """Wait a moment, never for long: whoever holds an upload must not hold threads."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Taken from None
            time.sleep(_LOCK_STEP)
        else:
            return


def _there(fd: int, upload: Upload) -> int:
    """How many bytes of plaintext are there in whole chunks; a chunk cut short does not count."""
    size = os.fstat(fd).st_size
    whole = sealed_length(upload.length)
    if size > whole:
        raise Gone
    return upload.length if size == whole else size // SEALED_CHUNK_BYTES * CHUNK_BYTES


def _require_same(reader: PiecesReader, offset: int, piece: bytes) -> None:
    try:
        if reader.read_at(offset, len(piece)) == piece:
            return
    except CannotOpen:
        pass
    raise Gone


def _write(fd: int, at: int, sealed: bytes) -> None:
    """Write behind what is there, over nothing but a chunk that a kill cut short.  Raises Full."""
    os.ftruncate(fd, at)
    rest, place = memoryview(sealed), at
    try:
        while rest:
            written = os.pwrite(fd, rest, place)
            rest, place = rest[written:], place + written
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, at)
        raise Full from None


class PieceSweeper(Sweeper):
    """Sweeps the spool."""

    def __init__(self, shelf: PieceShelf) -> None:
        super().__init__("amana-pieces", _WAKE_SECONDS)
        self._shelf = shelf

    def _sweep(self) -> None:
        self._shelf.sweep()
