"""Write previews into a folder that an operator named: what the jail rebuilt, never the file.

Rule: as desk.export: only where an operator said so, only new files, names of ours.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING

from desk.errors import NoSuchEvidence, NothingToSee
from desk.evidence import views
from desk.export import prepare
from desk.sight import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.sight.redaction import Copy

PAGES_MOST = 200
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def find_file(desk: Desk, case: Case, untrusted: str) -> FileView:
    """A file of the case by its name, or by the first digits of its id.

    Raises:
        NoSuchEvidence: none, or several.
    """
    wanted = untrusted.strip().lower()
    files = views(desk, case)
    found = [one for one in files if one.name.lower() == wanted] or [
        one for one in files if wanted and one.id.startswith(wanted)
    ]
    if len(found) != 1:
        known = ", ".join(one.name or one.id[:8] for one in files) or "none"
        raise NoSuchEvidence(f"No single file of this case is called so. Its files: {known}.")
    return found[0]


def export_previews(desk: Desk, case: Case, file: FileView, folder: Path) -> tuple[str, ...]:
    """Write what can be seen and heard of a file into a new or empty folder; returns the names.

    Raises:
        NothingToSee: there is no preview; then nothing was written.
        FileQuarantined, EvidenceUnsound, ExportRefused.
    """
    made = _previews(desk, case, file)
    first = next(made)
    prepare(desk, folder)
    stem, names = PurePath(file.name).stem, []
    for end, content in (first, *made):
        names.append(f"{stem}.{end}")
        _write(folder / names[-1], content)
    return tuple(names)


def export_copy(desk: Desk, file: FileView, copy: Copy, folder: Path) -> Path:
    """Write a copy of a file that is not signed yet into a new or empty folder; returns where.

    Raises:
        ExportRefused: as desk.export.
    """
    prepare(desk, folder)
    made = folder / f"{PurePath(file.name).stem}.redacted.png"
    _write(made, copy.content)
    return made


def _write(place: Path, content: bytes) -> None:
    descriptor = os.open(place, _NEW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)


def _previews(desk: Desk, case: Case, file: FileView) -> Iterator[tuple[str, bytes]]:
    if file.closing is not None:
        raise file.closing.error
    kind = shown.kind_of(file)
    if kind == shown.FILM:
        yield "sheet.png", shown.picture(desk, case, file.id).content
        yield "clip.webm", shown.clip(desk, case, file.id).content
    elif kind == shown.SOUND:
        yield "preview.wav", shown.sound(desk, case, file.id).content
    elif kind == shown.TEXT:
        yield "preview.txt", shown.words(desk, case, file.id).encode()
    elif kind == shown.PAGES:
        first = shown.picture(desk, case, file.id)
        yield "page-001.png", first.content
        for page in range(1, min(first.parts, PAGES_MOST)):
            yield f"page-{page + 1:03}.png", shown.picture(desk, case, file.id, part=page).content
    elif kind == shown.PICTURE:
        yield "preview.png", shown.picture(desk, case, file.id).content
    else:
        raise NothingToSee(shown.NO_KIND)
