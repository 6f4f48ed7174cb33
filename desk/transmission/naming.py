"""Build a folder where it was asked for, and give it its name when all of it is proven.

Rule: not a byte lies on another disk than the one that was named.  A folder that is there, and may
be a volume of its own, mounted or encrypted, is built inside itself; one that is new, beside its
name.  The name is taken before the last word is asked for, so that nothing but the disk itself can
fail after it; and what fails leaves none of it.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk.durable import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desk.unfinished import Ledger


@dataclass(frozen=True, slots=True)
class Building:
    """A folder that is not proven yet, at `place`, and the name that it is to have."""

    place: Path
    target: Path

    @property
    def _is_inside(self) -> bool:
        return self.place.parent == self.target

    @contextmanager
    def named(self, last: str) -> Iterator[None]:
        """Take the name, and let it have the name when the block ends well.

        `last` is the file without which what is there is nothing whole: inside a folder that was
        there, one thing comes after the other.

        Raises OSError where somebody has put something there, or the disk fails.
        """
        if self._is_inside:
            if list(self.target.iterdir()) != [self.place]:
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(self.target))
            with suppress(OSError):
                # Where the disk knows owners: for this one alone, as a new one is.
                self.target.chmod(0o700)
            yield
            self._move_out(last)
            return
        # Only where it is free.
        self.target.mkdir(mode=0o700)
        try:
            yield
            self.place.rename(self.target)
            settle(self.target.parent)
        except BaseException:
            if self.place.is_dir():
                with suppress(OSError):
                    self.target.rmdir()
            else:
                remove(self.target)
            raise

    def _move_out(self, last: str) -> None:
        done: list[Path] = []
        try:
            for one in sorted(self.place.iterdir(), key=lambda path: path.name == last):
                there = self.target / one.name
                _require_free(there)
                done.append(there)
                one.rename(there)
            self.place.rmdir()
            settle(self.target)
        except BaseException:
            remove(*done)
            raise


@contextmanager
def building(ledger: Ledger, target: Path) -> Iterator[Building]:
    """A folder to fill and prove, for a target that is new or empty; gone unless it was named."""
    # `.` has no name to put another one beside.
    target = target.absolute()
    with ledger.making(target, inside=target.is_dir()) as place:
        yield Building(place, target)


def remove(*paths: Path) -> None:
    """Remove files and folders, as far as the disk lets."""
    for one in paths:
        with suppress(OSError):
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink()


def _require_free(target: Path) -> None:
    if os.path.lexists(target):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
