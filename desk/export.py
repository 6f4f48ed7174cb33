"""Write an opened case into a folder: `case.json`, and the files under `evidence/`.

Untouched originals, which nobody cleaned, stand apart under `originals/`, redacted copies under
`redacted/`.  What is in quarantine is left out.

Rule: this is the one place where the desk writes plaintext, and only where an operator
told it to.  A file stands apart (desk.unfinished) until its length and SHA-256 are those
of the sealed manifest; no name from inside an envelope is ever used as a path.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk.errors import EvidenceUnsound, ExportRefused
from desk.evidence import open_evidence, views
from desk.sentence import Sentence
from desk.summary import case_json
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.progress import Progress

CUSTODIAN = Sentence(
    "This is a custodian's desk: no report is sealed to it, so there is nothing to write."
)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: the folder, each file's path below it, and what could not be written."""

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def export_case(desk: Desk, case: Case, folder: Path, progress: Progress | None = None) -> Export:
    """Write the case into `folder`, which must be new or empty.

    A file that is unsound or not here is left out and named in `left_out` and in
    case.json (`"path": null`); the rest is written.

    Raises:
        ExportRefused: the folder is not empty, or a link, or cannot be written; or this is a
            custodian's desk.
    """
    if desk.is_custodian:
        raise ExportRefused(CUSTODIAN)
    prepare(desk, folder)
    try:
        return _exported(desk, case, folder, progress)
    except OSError as error:
        raise ExportRefused(
            Sentence(
                "{path} cannot be written: {why}. What was written so far lies there, in clear.",
                path=str(folder), why=str(error.strerror),
            )
        ) from None  # fmt: skip


def export_file(desk: Desk, case: Case, file: FileView, folder: Path) -> Path:
    """Write one file as it is into `folder`, which must be new or empty; returns where.

    Raises:
        NoSuchEvidence, FileQuarantined: it cannot be opened; nothing was made.
        EvidenceUnsound: it is not what its manifest says; it was removed again.
        ExportRefused: the folder is not empty, or a link, or cannot be written.
    """
    chunks = open_evidence(desk, case, file.id).whole()
    prepare(desk, folder)
    try:
        with Ledger.of(desk).making(folder / "file") as unproven:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                _write_proven(unproven / file.id, descriptor, file.name, chunks)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise ExportRefused(
            Sentence("{path} cannot be written: {why}.", path=str(folder), why=str(error.strerror))
        ) from None
    return folder / file.name


def _exported(desk: Desk, case: Case, folder: Path, progress: Progress | None) -> Export:
    shown = views(desk, case)
    left_out: list[str] = []
    written: dict[str, str] = {}
    with Ledger.of(desk).making(folder / "case") as unproven:
        for name, files in (
            ("evidence", [one for one in shown if not one.is_original and not one.is_copy]),
            ("redacted", [one for one in shown if one.is_copy]),
            ("originals", [one for one in shown if one.is_original]),
        ):
            if not files and name != "evidence":
                continue
            with _opened(folder / name) as descriptor:
                for one in files:
                    if one.problem:
                        continue
                    if progress is not None:
                        progress.step(Sentence("Writing {file}", file=one.name))
                    try:
                        chunks = open_evidence(desk, case, one.id).whole()
                        _write_proven(unproven / one.id, descriptor, one.name, chunks)
                        written[one.id] = f"{name}/{one.name}"
                    except EvidenceUnsound:
                        left_out.append(one.id)
    left_out += [one.id for one in shown if one.problem]
    _write_json(folder, desk, case, written)
    return Export(folder, tuple(written.values()), tuple(left_out))


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A new folder's descriptor; what was put into it is on the disk at the end."""
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def inside(place: Path) -> Sentence:
    """Why nothing is written where the desk keeps its own."""
    return Sentence(
        "{path} lies in this desk's own folder, which holds only what is sealed. Name another one. "
        "Nothing was written.",
        path=str(place),
    )


def prepare(desk: Desk, folder: Path) -> None:
    """Make a folder that is new or empty, for its owner alone; raises ExportRefused.

    Not within the desk's own, which whoever copies or keeps it takes for sealed.
    """
    try:
        if desk.home.holds(folder):
            raise ExportRefused(inside(folder))
        if folder.is_symlink():
            raise ExportRefused(
                Sentence("{path} is a link. Name the folder itself.", path=str(folder))
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ExportRefused(
                Sentence("{path} is not empty. An export goes into a new folder.", path=str(folder))
            )
        folder.chmod(0o700)
    except OSError as error:
        raise ExportRefused(
            Sentence("{path} cannot be written: {why}.", path=str(folder), why=str(error.strerror))
        ) from None


def _write_proven(unproven: Path, folder: int, name: str, chunks: Iterator[bytes]) -> None:
    with os.fdopen(os.open(unproven, _NEW, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    os.rename(unproven, name, dst_dir_fd=folder)


def _write_json(folder: Path, desk: Desk, case: Case, written: dict[str, str]) -> None:
    content = case_json(desk, case)
    files = content["files"]
    if isinstance(files, list):
        content["files"] = [{**one, "path": written.get(str(one["id"]))} for one in files]
    descriptor = os.open(folder / "case.json", _NEW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
        file.write("\n")
