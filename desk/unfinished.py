"""What is being written in clear and is not proven yet: never left behind without anybody knowing.

Rule: it stands in a folder of its own, whose name says what it is; that folder is written down
before it is made, and is removed when the writing ends, however it ends.  So is a sealed package
that nobody may have yet.  Where a program was killed outright, the next one finds what was written
down, removes the rest, and says so; an empty place is no proof that nothing is left, where another
disk is seen there than before.  What is deleted is not wiped: a disk can keep its bytes.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import stat
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from crypto.errors import CannotOpen
from crypto.local import LocalKey
from desk.durable import settle
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from desk.desk import Desk

PURPOSE = "unfinished"
_MARK, _SEALED = ".unproven-", ".sealed"
_NAME = re.compile(r"(.*)\.unproven-[0-9a-f]{16}(?:\.sealed)?", re.DOTALL)
_ENTRY = re.compile(r"h?[0-9a-f]{16}")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_HANDING = "h"
"""Begins an entry's name that is about a hand-over; the others' are digits, and are read before."""
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_GONE = Sentence(
    "Writing in clear was cut off. What was not proven yet has been removed: {place}. What is "
    "deleted is not wiped from the disk."
)
_PART_GONE = Sentence(
    "Writing in clear was cut off. What was not finished has been removed: {place}. What else lies "
    "in {beside} may be a part of it: remove that, too. What is deleted is not wiped from the disk."
)
_LEFT = Sentence(
    "Writing in clear was cut off, and the rest of it could not be removed: {place} may lie there, "
    "readable. Remove it, and then {entry}."
)
_HANDED = Sentence(
    "Handing a case over was cut off before it ended: {place} may be all of it, and the case's "
    "journal may not say so. Where it does not say that the case was handed over, destroy {place}."
)
_HANDED_AWAY = Sentence(
    "Handing a case over was cut off before it ended, and its disk is not here: {place} may be all "
    "of it, and the case's journal may not say so. Bring the disk, or remove {entry}."
)
_PACKAGE_GONE = Sentence(
    "Handing a case over was cut off, and what there was of its package has been removed: {place}. "
    "Where the case's journal says that an identity was opened for it, the request to the "
    "custodians is used up: ask them anew."
)
_PACKAGE_LEFT = Sentence(
    "Handing a case over was cut off, and its package could not be removed: {place} may lie there, "
    "sealed to the service. Remove it, and then {entry}. Where the case's journal says that an "
    "identity was opened for it, the request to the custodians is used up: ask them anew."
)


@dataclass(frozen=True, slots=True)
class Rest:
    """What a killed program left: where it was, and whether it is gone now.

    `beside` is the folder where a part of it may lie, under the names that it was to have;
    `is_handed`: it is what was handed over, perhaps whole, and perhaps not in the journal;
    `is_away`: and on a disk that is not here.
    """

    place: str
    gone: bool
    entry: Path
    beside: str = ""
    is_handed: bool = False
    is_away: bool = False

    @property
    def words(self) -> str:
        """What there is to say of it."""
        return Sentence(self._sentence, place=self.place, entry=str(self.entry), beside=self.beside)

    @property
    def _sentence(self) -> str:
        if self.is_handed:
            return _HANDED_AWAY if self.is_away else _HANDED
        if self.place.endswith(_SEALED):
            return _PACKAGE_GONE if self.gone else _PACKAGE_LEFT
        if not self.gone:
            return _LEFT
        return _PART_GONE if self.beside else _GONE


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where it is written down what is not finished: a small file for each, locked meanwhile.

    With a key, what they say is sealed; without a folder, nothing is written down.
    """

    folder: Path | None = None
    key: LocalKey | None = None

    @classmethod
    def of(cls, desk: Desk) -> Ledger:
        """An unlocked desk's."""
        return cls(desk.home.unfinished, LocalKey.of(desk.keyring.key, PURPOSE))

    @contextmanager
    def making(self, target: Path, *, inside: bool = False) -> Iterator[Path]:
        """Make a folder for what is not proven yet; the block gives it its name.

        It stands beside the target, or `inside` one that is there: only so it is surely on the
        disk, and under the encryption, that somebody chose for that.  Raises OSError where it
        cannot be made.
        """
        target, name = target.absolute(), f"{_MARK}{secrets.token_hex(8)}"
        place = target / name if inside else target.with_name(target.name + name)
        with self._written_down(place), _ending_in_order():
            try:
                place.mkdir(mode=0o700)
                yield place
            finally:
                _erase(place)

    @contextmanager
    def sealing(self, target: Path) -> Iterator[Path]:
        """Name a file beside a target, for a package until the block gives it its name."""
        target = target.absolute()
        place = target.with_name(f"{target.name}{_MARK}{secrets.token_hex(8)}{_SEALED}")
        with self._written_down(place), _ending_in_order():
            try:
                yield place
            finally:
                _erase(place)

    @contextmanager
    def handing(self, target: Path) -> Iterator[Self]:
        """Remember that the journal does not name yet what will stand at a target."""
        with self._written_down(target.absolute(), _HANDING):
            yield self

    def rests(self) -> list[Rest]:
        """Remove what killed programs left; what a program is still writing stays."""
        found: list[Rest] = []
        is_kept = self.folder is not None and self.folder.is_dir()
        for entry in sorted(self.folder.iterdir()) if self.folder and is_kept else ():
            if entry.name.startswith(".") or not _is_plain(entry):
                # Not written yet, nothing of ours, ended by now: no start of the desk ends at it.
                continue
            with _held(entry) as content:
                if content is not None:
                    found += self._settled(entry, content)
        return found

    def _settled(self, entry: Path, content: bytes) -> Iterator[Rest]:
        if not content and _ENTRY.fullmatch(entry.name):
            # An entry has its name only once it is written: it says nothing, and never did.
            entry.unlink()
            return
        place, disk = self._read(entry, content)
        if place is None:
            yield Rest("?", gone=False, entry=entry)
            return
        if entry.name.startswith(_HANDING):
            yield from _handed(place, disk, entry)
            return
        was_there = os.path.lexists(place)
        if was_there:
            _erase(place)
            _free_the_name(place)
        elif disk in (b"", _disk(place.parent)) and os.path.isdir(place.parent):  # noqa: PTH112  # never raises
            # Nothing was made yet, or all was done but this.
            entry.unlink()
            return
        gone = was_there and not os.path.lexists(place)
        if gone:
            entry.unlink()
        yield Rest(str(place), gone, entry, _beside(place) if gone else "")

    def _read(self, entry: Path, content: bytes) -> tuple[Path | None, bytes]:
        """What an entry names, and on which disk; None where it is not ours to remove."""
        try:
            said = self.key.open(entry.name.encode(), b"", content) if self.key else content
        except CannotOpen:
            return None, b""
        named, _, disk = said.partition(b"\0")
        place = Path(os.fsdecode(named))
        is_ours = entry.name.startswith(_HANDING) or _NAME.fullmatch(place.name)
        return place if place.is_absolute() and is_ours else None, disk

    @contextmanager
    def _written_down(self, place: Path, kind: str = "") -> Iterator[None]:
        with ExitStack() as held:
            # Where nothing can be written down (a key on a medium that is read-only), the name of
            # the place, which everybody sees, has to do.
            with suppress(OSError):
                held.enter_context(self._entry(place, kind))
            yield

    @contextmanager
    def _entry(self, place: Path, kind: str) -> Iterator[None]:
        if self.folder is None:
            yield
            return
        name = f"{kind}{secrets.token_hex(8)}"
        entry, draft = self.folder / name, self.folder / f".{name}"
        content = os.fsencode(place) + b"\0" + _disk(place if place.is_dir() else place.parent)
        if self.key is not None:
            content = self.key.seal(name.encode(), b"", content)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as file:
            # Locked before it has its name: whoever finds it sees that its program runs.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            draft.rename(entry)
            settle(self.folder)
            try:
                yield
            finally:
                if kind or not os.path.lexists(place):
                    entry.unlink(missing_ok=True)


def _is_plain(entry: Path) -> bool:
    with suppress(FileNotFoundError):
        return stat.S_ISREG(entry.lstat().st_mode)
    return False


@contextmanager
def _held(entry: Path) -> Iterator[bytes | None]:
    """What an entry says, which is held meanwhile; None where its program runs or has ended.

    Never made anew: that would be an entry that nobody wrote.
    """
    try:
        file = os.fdopen(os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Whoever ends takes the name away before the lock goes: what has it no more is over.
        yield file.read() if _is_named(entry, file.fileno()) else None


def _is_named(entry: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(entry.lstat(), os.fstat(descriptor))
    return False


def _disk(folder: Path) -> bytes:
    """What tells a folder from another disk's that is seen under the same name."""
    try:
        return b"%d:%d" % (folder.stat().st_ino, os.statvfs(folder).f_fsid)
    except OSError:
        return b""


def _erase(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        return
    with suppress(OSError):
        place.unlink(missing_ok=True)


def _beside(place: Path) -> str:
    """The folder that it was made inside, where something lies there still."""
    with suppress(OSError):
        if place.name.startswith(_MARK) and any(place.parent.iterdir()):
            return str(place.parent)
    return ""


def _handed(place: Path, disk: bytes, entry: Path) -> Iterator[Rest]:
    """What bears the name that somebody chose is theirs: it is told, and not removed."""
    if disk not in (_disk(place), _disk(place.parent)):
        yield Rest(str(place), gone=False, entry=entry, is_handed=True, is_away=True)
        return
    entry.unlink()
    if os.path.lexists(place) and not _is_empty(place):
        yield Rest(str(place), gone=False, entry=entry, is_handed=True)


def _is_empty(place: Path) -> bool:
    with suppress(OSError):
        return not any(place.iterdir()) if place.is_dir() else place.lstat().st_size == 0
    return False


def _free_the_name(place: Path) -> None:
    """Let go of the name that was taken and holds nothing yet (desk.transmission.naming)."""
    named = _NAME.fullmatch(place.name)
    if named is None or not named[1]:
        return
    target = place.with_name(named[1])
    with suppress(OSError):
        if not place.name.endswith(_SEALED):
            target.rmdir()
        elif target.is_file() and _is_empty(target):
            target.unlink()


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Whoever is asked to end (a closed terminal, a shutdown) cleans up first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    mine = [one for one in _ENDINGS if signal.getsignal(one) is signal.SIG_DFL]
    for one in mine:
        signal.signal(one, _end)
    try:
        yield
    finally:
        for one in mine:
            signal.signal(one, signal.SIG_DFL)


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
