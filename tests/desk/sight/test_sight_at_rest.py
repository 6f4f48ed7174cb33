"""Looking at files leaves nothing readable on the disk: of no file, of nothing made of it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from desk.cases import Cases
from desk.evidence import views
from desk.sight import redaction, shown
from desk.sight.closing import close
from sanitizer.sight.boxes import Box
from tests.desk.sight import kit
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter

    Synced = Callable[..., SyncReport]

MARKER = b"MARKER-sight-7d1e"


def found_in(folders: list[Path], planted: dict[str, bytes]) -> set[str]:
    return {
        name
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
        for name, piece in planted.items()
        if piece in path.read_bytes()
    }


@needs_seccomp
@needs_jail
@pytest.mark.claim("C-DESK-REST")
@pytest.mark.claim("C-PREVIEW")
def test_looking_blacking_out_and_closing_write_nothing_readable(
    desk: Desk, reporter: Reporter, sync: Synced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(temporary)
    photo, film, tone, pdf = kit.picture(), kit.film(), kit.tone(), kit.document()
    rows = [
        reporter.evidence("photo-1.jpg", "image/jpeg", photo),
        reporter.evidence("video-2.mov", "video/quicktime", film),
        reporter.evidence("voice-3.mp3", "audio/mpeg", tone),
        reporter.evidence("doc-4.pdf", "application/pdf", pdf),
        reporter.evidence("note-5.txt", "text/plain", MARKER),
    ]
    sync(*reporter.report(rows, description=f"Samira {MARKER.decode()}"))
    case = Cases(desk).find(reporter.case.hex())
    one, two, three, four, five = (row.id.hex() for row in rows)
    made = {
        "picture": shown.picture(desk, case, one).content,
        "sheet": shown.picture(desk, case, two).content,
        "clip": shown.clip(desk, case, two).content,
        "sound": shown.sound(desk, case, three).content,
        "page": shown.picture(desk, case, four).content,
    }
    assert MARKER.decode() in shown.words(desk, case, five)
    redaction.redact(desk, case, one, [Box(5, 5, 50, 50)])
    case = Cases(desk).find(reporter.case.hex())
    redaction.redact_answer(desk, case, "description", [(0, 6)])
    copies = [
        view.id for view in views(desk, Cases(desk).find(reporter.case.hex())) if view.is_copy
    ]
    case = Cases(desk).find(reporter.case.hex())
    made |= {"copy": shown.picture(desk, case, copies[0]).content}
    close(desk, case, views(desk, case)[1], "custodian 1", MARKER.decode())

    made |= {"photo": photo, "film": film, "tone": tone, "document": pdf}
    # From the middle: beginnings are alike everywhere.
    planted = {name: piece[len(piece) // 2 :][:60] for name, piece in made.items()}
    assert min(len(set(piece)) for piece in planted.values()) > 4, planted
    planted["marker"] = MARKER
    places = [desk.home.folder, temporary]
    # The scan can find what it looks for.
    (temporary / "control").write_bytes(b"x" * 9_000 + b"".join(planted.values()))
    assert found_in([temporary], planted) == set(planted)
    (temporary / "control").unlink()
    assert found_in(places, planted) == set()
    assert os.listdir(temporary) == []  # noqa: PTH208  # names alone
