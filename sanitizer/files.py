"""Clean one file on a disk into another.

Rule: the clean copy appears whole under its name, or not at all; it is its owner's alone, and its
times are those of the cleaning.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sanitizer.clean import CleanFacts, CleanFile, sanitize
from sanitizer.digest import Digest
from sanitizer.errors import Malformed, Refused, SanitizerError
from sanitizer.limits import Limits
from sanitizer.source import FileSource


class CannotWrite(SanitizerError):
    """No clean copy can be written there, of this file or another."""


class Stopped(SanitizerError):
    """Somebody has asked for an end in the middle of a file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: ``out``, ``facts`` and ``sha256`` where it is clean, or ``reason``.

    ``sha256`` is 32 raw bytes; ``reason`` is one of sanitizer.advice's; ``detail`` a phrase of ours
    that never quotes the file.
    """

    path: Path
    reason: str = ""
    detail: str = ""
    out: Path | None = None
    media_type: str = ""
    is_rebuilt: bool = False
    facts: CleanFacts | None = None
    sha256: bytes = b""

    def as_json(self) -> dict[str, object]:
        """Return all that is known, under the same keys for every outcome."""
        facts = self.facts
        return {
            "path": str(self.path),
            "out": None if self.out is None else str(self.out),
            "clean": facts is not None,
            "reason": self.reason or None,
            "detail": self.detail or None,
            "media_type": self.media_type or None,
            "bytes": None if facts is None else facts.length,
            "sha256": self.sha256.hex() or None,
            "removed": None if facts is None else list(facts.removed),
            "rebuilt": None if facts is None else self.is_rebuilt,
        }


Names = Callable[[str], Iterable[Path]]
"""Gives the names that a result of some extension may have, the best first."""


def clean_file(
    path: Path,
    drafts: Path,
    names: Names,
    *,
    replace: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Clean ``path`` into the first of ``names`` that is free, by way of a draft in ``drafts``.

    ``replace`` takes the first name, free or not. Raises CannotWrite and Stopped.
    """
    with _draft(drafts) as (file, draft):
        try:
            clean, sha256 = _written(path, file, is_stopped)
        except Refused as refusal:
            return Outcome(path, refusal.reason, refusal.detail)
        except OSError:
            return Outcome(path, "unreadable", "the file cannot be read")
        try:
            out = _placed(draft, names(clean.extension), replace=replace)
        except OSError:
            return Outcome(path, "unwritable", "the copy cannot have its name there")
    return Outcome(
        path,
        out=out,
        media_type=clean.media_type,
        is_rebuilt=clean.is_rebuilt,
        facts=clean.facts,
        sha256=sha256,
    )


@contextlib.contextmanager
def _draft(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Make a file that nobody else may read, gone at the end unless it was given a name."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".amana-", dir=folder)
    except OSError:
        raise CannotWrite("no file can be made there") from None
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield file, Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _written(path: Path, file: BinaryIO, is_stopped: Callable[[], bool]) -> tuple[CleanFile, bytes]:
    """Write the clean form of a file, and return it with its SHA-256.

    Raises Refused, OSError of reading, CannotWrite, Stopped.
    """
    digest = Digest()
    with FileSource(path) as source:
        try:
            clean = sanitize(source, Limits())
            for data in digest.through(clean.chunks()):
                _write(file, data, is_stopped)
        except (SanitizerError, OSError):
            raise
        except Exception:  # noqa: BLE001 - whatever a file does to a cleaner: it is not clean
            raise Malformed("the file broke its reader") from None
    return clean, digest.sha256


def _write(file: BinaryIO, data: bytes, is_stopped: Callable[[], bool]) -> None:
    if is_stopped():
        raise Stopped
    view = memoryview(data)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError:
        raise CannotWrite("the copy cannot be written") from None


def _placed(draft: Path, names: Iterable[Path], *, replace: bool) -> Path:
    """Give a draft the first name that is free, or the first of all; raises OSError."""
    for name in names:
        _make_folder(name.parent)
        if replace:
            draft.replace(name)
            return name
        with contextlib.suppress(FileExistsError):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                draft.replace(name)
            except OSError:
                name.unlink()
                raise
            return name
    raise FileExistsError


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, for its owner alone; raises OSError."""
    for one in (*reversed(folder.parents), folder):
        if not one.is_dir():
            try:
                one.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                # A file stands in its place: no other name below it would do.
                raise NotADirectoryError from None
