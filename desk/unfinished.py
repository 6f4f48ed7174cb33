"""What is being written in clear and is not proven yet: never left behind without anybody knowing.

Rule: it stands in a folder of its own, whose name says what it is; that folder is written down
before it is made, and is removed when the writing ends, however it ends.  Where a program was
killed outright, the next one finds what was written down, removes the rest, and says so.  What is
deleted is not wiped: a disk can keep its bytes.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from crypto.errors import CannotOpen
from crypto.local import LocalKey
from desk.locks import alone
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desk.desk import Desk

PURPOSE = "unfinished"
_NAME = re.compile(r".+\.unproven-[0-9a-f]{16}", re.DOTALL)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Rest:
    """What a killed program left: where it was, and whether it is gone now."""

    place: str
    gone: bool
    entry: Path

    @property
    def words(self) -> str:
        """What there is to say of it."""
        if self.gone:
            return Sentence(
                "Writing in clear was cut off. What was not proven yet has been removed: {place}. "
                "What is deleted is not wiped from the disk.",
                place=self.place,
            )
        return Sentence(
            "Writing in clear was cut off, and the rest of it could not be removed: {place} may "
            "lie there, readable. Remove it, and then {entry}.",
            place=self.place, entry=str(self.entry),
        )  # fmt: skip


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
    def making(self, target: Path) -> Iterator[Path]:
        """Make a folder beside a target, for what is not proven yet; the block renames it.

        Raises OSError where it cannot be made.
        """
        place = target.absolute().with_name(f"{target.name}.unproven-{secrets.token_hex(8)}")
        with self._written_down(place), _ending_in_order():
            try:
                place.mkdir(mode=0o700)
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)

    def rests(self) -> list[Rest]:
        """Remove what killed programs left; what a program is still writing stays."""
        found: list[Rest] = []
        is_kept = self.folder is not None and self.folder.is_dir()
        for entry in sorted(self.folder.iterdir()) if self.folder and is_kept else ():
            with alone(entry, 0) as is_mine:
                if is_mine and not entry.name.startswith("."):
                    found += self._settled(entry)
        return found

    def _settled(self, entry: Path) -> Iterator[Rest]:
        place = self._read(entry)
        if place is not None and not os.path.lexists(place) and place.parent.is_dir():
            # Nothing was made yet, or all was done but this.
            entry.unlink()
            return
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        gone = place is not None and place.parent.is_dir() and not os.path.lexists(place)
        if gone:
            entry.unlink()
        yield Rest(str(place or "?"), gone, entry)

    def _read(self, entry: Path) -> Path | None:
        """The folder that an entry names; None where it names none that is ours to remove."""
        content = entry.read_bytes()
        try:
            named = self.key.open(entry.name.encode(), b"", content) if self.key else content
        except CannotOpen:
            return None
        place = Path(os.fsdecode(named))
        return place if place.is_absolute() and _NAME.fullmatch(place.name) else None

    @contextmanager
    def _written_down(self, place: Path) -> Iterator[None]:
        with ExitStack() as held:
            # Where nothing can be written down (a key on a medium that is read-only), the name of
            # the place, which everybody sees, has to do.
            with suppress(OSError):
                held.enter_context(self._entry(place))
            yield

    @contextmanager
    def _entry(self, place: Path) -> Iterator[None]:
        if self.folder is None:
            yield
            return
        name = secrets.token_hex(8)
        entry, draft = self.folder / name, self.folder / f".{name}"
        content = os.fsencode(place)
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
            _settle(self.folder)
            try:
                yield
            finally:
                if not os.path.lexists(place):
                    entry.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
