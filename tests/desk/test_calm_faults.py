"""What the machine refuses is said in one calm line, and leaves nothing half made."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from desk.config import DeskHome
from desk.program import Setting

if TYPE_CHECKING:
    from pathlib import Path

    from tests.desk.running import Run


def test_an_enrolment_that_ends_in_the_middle_leaves_nothing(tmp_path: Path, run: Run) -> None:
    empty, out, home = tmp_path / "empty", tmp_path / "e.json", DeskHome(tmp_path / "mine")
    empty.write_text("\n")
    made = ("keygen", "--label", "x", "--out", str(out), "--passphrase-file", str(empty))
    assert run(*made, home=home).exit_code == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied"),
        (sqlite3.DatabaseError("malformed"), "database cannot be used: malformed. Nothing more"),
    ],
    ids=["full", "not-ours", "damaged"],
)
def test_what_the_machine_refuses_is_one_calm_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(Setting, "unlock", refuse)
    refused = run("list")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert said in refused.stderr
