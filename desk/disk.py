"""How much of this machine's disk a server can take: never the last of it.

Rule: there are two marks.  Files come down to the first: a twentieth of the disk stays free, but no
less than 1 GiB (what the machine, the desk's own databases and an answer still need to be written)
and no more than 8 GiB (what nobody misses on a large one).  Words, which are reports, messages and
entries without their files, come down to the second, 256 MiB: somebody's danger to life weighs some
kilobytes, and waits for no tidying up.  What the desk's operator writes is not bounded by this.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MiB = 1024 * 1024
GiB = 1024 * MiB
_SHARE = 20
LEAST, MOST = 1 * GiB, 8 * GiB
WORDS_LEAST = 256 * MiB
"""Bytes that stay free of words, too: what a database needs to write at all."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that a folder lies on."""

    folder: Path

    @property
    def left(self) -> int:
        """Bytes of files that may still come; below zero where too few are free."""
        free, total = self._state()
        return free - floor(total)

    @property
    def left_for_words(self) -> int:
        """Bytes of envelopes without their parts that may; below zero where too few are free."""
        return self._state()[0] - WORDS_LEAST

    def _state(self) -> tuple[int, int]:
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize


def floor(total: int) -> int:
    """The bytes that stay free of files, of a disk of so many."""
    return min(max(total // _SHARE, LEAST), MOST)
