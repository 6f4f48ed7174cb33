"""`stats` and `bulletin`, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desk.room.gather import facts
from desk.trust import Trust
from desk.words import REHEARSAL
from tests.desk.running import running
from tests.quarter.plan import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from desk.desk import Desk
    from tests.desk.running import Run


DAYS = "2024-06-03..2024-09-02"


@pytest.fixture
def run(quarter: Desk, phrase: Path) -> Run:
    quarter.store.note("bulletins", "[]")
    return running(quarter.home.folder, phrase)


def test_stats_print_json_csv_or_tables(run: Run) -> None:
    told = json.loads(run("stats", "--period", DAYS, "--json").stdout)
    assert (told["from"], told["to"], told["days"]) == ("2024-06-03", "2024-09-02", 92)
    assert told["rehearsal"] is True
    assert told["overview"]["received"] == SMALL.total
    assert told["overview"]["full_identity"]["count"] == SMALL.named
    same = run("stats", "--from", "2024-06-03", "--to", "2024-09-02", "--json")
    assert json.loads(same.stdout) == told
    rows = run("stats", "--period", DAYS, "--csv").stdout
    assert f"overview,received,Reports,figure,{SMALL.total},," in rows
    printed = run("stats", "--period", DAYS).stdout
    assert printed.startswith(REHEARSAL)
    assert "By full identity" in printed
    assert f"{SMALL.named} of {SMALL.total} (" in printed
    assert "First look (P1)" in printed


def test_stats_of_this_month_have_the_glance_and_no_empty_table(run: Run) -> None:
    printed = run("stats")
    assert printed.exit_code == 0, printed.output
    assert "2026-11-01..2026-11-22" in printed.stdout
    assert "At a glance" in printed.stdout
    assert "Languages" not in printed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--period", "soon"], 1, "2024-Q3"),
        (["--period", "month", "--from", "2024-06-03"], 1, "Choose one"),
        (["--from", "2027-01-01"], 1, "before it begins"),
        (["--json", "--csv"], 2, "Choose one"),
    ],
    ids=["no period", "two periods", "backwards", "two shapes"],
)
def test_stats_say_what_they_did_not_understand(
    run: Run, arguments: list[str], code: int, said: str
) -> None:
    done = run("stats", *arguments)
    assert done.exit_code == code
    assert said in done.output


def test_cases_that_are_not_sealed_to_this_desk_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trust, "rehearsal", property(lambda _self: False))
    monkeypatch.setattr(
        "desk.commands_of_room.facts",
        lambda *given: tuple(replace(each, readable=False) for each in facts(*given)),
    )
    printed = run("stats", "--period", DAYS).stdout
    assert REHEARSAL not in printed
    assert f"{SMALL.total} cases of the period were not sealed to this desk" in printed


def test_a_bulletin_is_written_proven_and_not_written_twice(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    done = run("bulletin", "--period", DAYS, "--to", str(folder), "--tag", "daesh")
    assert done.exit_code == 0, done.output
    assert "counts are kept back" in done.stdout
    assert "holds: every file is as operator 1 signed it" in done.stdout
    told = json.loads(run("bulletin", "--check", str(folder), "--json").stdout)
    assert told["signer"] == "operator 1"
    assert told["kept_back"] is None
    assert "kept back" not in run("bulletin", "--check", str(folder)).stdout
    again = run("bulletin", "--period", "2024-06", "--to", str(tmp_path / "again"))
    assert again.exit_code == 1
    assert "subtracts" in again.output
    (folder / "bulletin.csv").write_text("")
    broken = run("bulletin", "--check", str(folder))
    assert broken.exit_code == 1
    assert "bulletin.csv is not the file that was signed" in broken.output


@pytest.mark.parametrize(
    "arguments",
    [[], ["--period", DAYS], ["--to", "x"], ["--check", "x", "--period", DAYS],
     ["--check", "x", "--to", "y"], ["--check", "x", "--preview"], ["--preview"],
     ["--period", DAYS, "--to", "x", "--preview"]],
    ids=["nothing", "no folder", "no period", "a period too much", "a folder too much",
         "a preview too much", "a preview of nothing", "both"],
)  # fmt: skip
def test_a_bulletin_is_made_or_proven_and_not_both(run: Run, arguments: list[str]) -> None:
    assert run("bulletin", *arguments).exit_code == 2


def test_what_would_be_public_is_shown_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    arguments = ["bulletin", "--period", "2023-05", "--tag", "daesh", "--preview"]
    shown = run(*arguments)
    assert shown.exit_code == 0, shown.output
    assert "Reports\n    Reports: –" in shown.stdout
    assert "Terrorism and radicalisation: Daesh" in shown.stdout
    assert "Nothing was written. " in shown.stdout
    told = json.loads(run(*arguments, "--json").stdout)
    assert (told["from"], told["figures"][0]["count"]) == ("2023-05-01", None)
    folder = tmp_path / "bulletin"
    assert run("bulletin", "--period", "2023-05", "--to", str(folder)).exit_code == 0
    again = run(*arguments, "--overlapping").stdout
    assert "Published from this desk before: 2023-05-01..2023-05-31" in again
    assert run(*arguments).exit_code == 1
