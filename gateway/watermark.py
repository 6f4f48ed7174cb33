"""How full the disk may get before the door closes.  Claim C-DOOR.

Three marks, from the first to the last: nothing new is begun; no file is taken; no text is taken.
Who began before the door closed can still send, files down to the second mark and words down to
the third: nobody types for an hour and is told then that there was no room.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gateway.config import GatewayConfig

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Free bytes below which nothing is begun, no file is taken, no text is taken."""

    door: int
    files: int
    text: int


class Watermark:
    """The free space of the folders that are written to.  Safe to share between threads."""

    def __init__(
        self,
        folders: Iterable[Path],
        marks: Marks,
        monotonic: Callable[[], float],
    ) -> None:
        self._folders = tuple(folders)
        self._marks = marks
        self._now = monotonic
        self._lock = threading.Lock()
        self._looked = -_LOOK_SECONDS
        self._free = 0

    @classmethod
    def of(cls, config: GatewayConfig, monotonic: Callable[[], float]) -> Watermark:
        """The one of a gateway's own settings."""
        marks = Marks(
            door=config.disk.door_bytes,
            files=config.pieces.reserve_bytes,
            text=config.disk.last_bytes,
        )
        return cls(written_folders(config), marks, monotonic)

    def is_open(self) -> bool:
        """Whether something new may be begun."""
        return self._free_bytes() >= self._marks.door

    def has_room(self, more: int) -> bool:
        """Whether so many bytes of files may still come."""
        return self._free_bytes() - more >= self._marks.files

    def has_room_for_text(self) -> bool:
        """Whether a report's words may still come."""
        return self._free_bytes() >= self._marks.text

    def _free_bytes(self) -> int:
        with self._lock:
            if abs(self._now() - self._looked) >= _LOOK_SECONDS:
                self._looked = self._now()
                self._free = min(map(free_bytes, self._folders))
            return self._free


def free_bytes(folder: Path) -> int:
    """How much may still be written to a folder, or to where it will be."""
    while not folder.exists():
        folder = folder.parent
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def written_folders(config: GatewayConfig) -> tuple[Path, ...]:
    """Give the folders that reports go to: those of the spool, the blobs and the database."""
    folders = [config.home, config.spool]
    for url in (config.blobs_url, config.database_url):
        parts = urlsplit(url)
        if parts.scheme == "file" or parts.scheme.startswith("sqlite"):
            # Of a database's address the path begins behind one more slash.
            path = unquote(parts.path) if parts.scheme == "file" else parts.path[1:]
            folders.append(config.home / path)
    return tuple(folders)
