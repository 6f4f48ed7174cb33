"""A gateway killed at any step: nothing acknowledged is lost, nothing half-stored is served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.header import Kind
from crypto.ids import Day
from tests.vault.builders import Calendar, make_shelf, urls
from tests.vault.killable import CONTENT
from vault.vault import Vault, utc_today

ROOT = Path(__file__).parents[2]
WHOLE = sorted([Kind.REPORT, Kind.IDENTITY, Kind.EVIDENCE, Kind.EVIDENCE])


def served(folder: Path) -> list[Kind]:
    """The kinds of what the vault gives after a restart, once each blob was read whole."""
    vault = Vault.open(*urls(folder), today=Calendar().today)
    found = vault.index()
    for one in found:
        for number, _ in enumerate(one.parts, start=1):
            assert b"".join(vault.read_part(one.id, number)) == CONTENT
    if found:
        assert vault.case(found[0].case) is not None
    vault.close()
    return sorted(one.header.kind for one in found)


def left_after_sweeping(folder: Path) -> int:
    calendar = Calendar(Day(utc_today() + 3))
    vault = Vault.open(*urls(folder), today=calendar.today)
    vault.expire()
    vault.close()
    return len(list((folder / "blobs").iterdir()))


@pytest.mark.claim("C-DURABLE")
def test_killed_at_any_step_a_report_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    make_shelf(tmp_path / "template").vault.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.killable", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [run["status"] for run in runs] == [9] * (len(runs) - 1) + [0], done.stderr
    outcomes = []
    for run in runs:
        folder = tmp_path / f"step{run['step']}"
        found = served(folder)
        assert found in ([], WHOLE)
        if run["acknowledged"]:
            assert found == WHOLE
        assert left_after_sweeping(folder) == (2 if found else 0)
        outcomes.append((bool(found), run["acknowledged"]))
    # The walk goes through three phases and never back: nothing, whole but not yet said, said.
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {(False, False), (True, False), (True, True)}
    assert len(runs) > 40
