"""The lists of keys that a server offered and that contradict what this desk had seen.

Rule: what an alarm is about is kept as it came, in this desk's folder, for whoever has to judge it
(the keyholder of the root, an auditor).  Nothing here is believed, and nothing reads it back; lists
of keys are public.  A server can invent any number: the first few of each kind are kept.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from desk.alarms import Sign

MOST = 50
"""Notes of one sign that are kept."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def keep(folder: Path, sign: Sign, *notes: bytes) -> None:
    """Keep what was offered; where it cannot be written, the alarm does without it."""
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        for note in notes:
            if len(list(folder.glob(f"{sign}-*"))) < MOST:
                name = f"{sign}-{hashlib.sha256(note).hexdigest()}.note"
                with suppress(FileExistsError):
                    _write(folder / name, note)


def _write(path: Path, note: bytes) -> None:
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
