"""The commands that work a case, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.desk.running import done
from tests.desk.world import Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.sync import SyncReport
    from tests.desk.running import Run

    Synced = Callable[..., SyncReport]


@pytest.fixture
def ref(sync: Synced, reporter: Reporter) -> str:
    sync(*reporter.report())
    return reporter.case.hex()[:8]


def test_a_case_is_worked_from_the_command_line(run: Run, ref: str) -> None:
    said = f"{ref[:4]}-{ref[4:]}: "
    assert done(run("status", ref, "triage")) == f"{said}Triage\n"
    assert done(run("priority", ref, "p1")) == f"{said}P1\n"
    assert done(run("category", ref, "threats")) == f"{said}threats\n"
    assert done(run("assign", ref, "operator 2")) == f"{said}operator 2\n"
    assert done(run("assign", ref)) == f"{said}nobody's\n"
    assert done(run("note", ref, "Called the bank.")) == f"{said}noted\n"
    assert done(run("note", ref, "-", input="Read from a pipe.\n")) == f"{said}noted\n"
    assert done(run("tag", ref, "daesh")) == f"{said}daesh\n"
    shown = done(run("show", ref))
    for words in ("Triage", "P1", "#Daesh", "Called the bank.", "Read from a pipe.", "due 20"):
        assert words in shown
    assert done(run("tag", ref, "daesh", "--off")) == f"{said}no marks\n"
    row = json.loads(done(run("list", "--json")))["cases"][0]
    assert (row["priority"], row["category"], row["told_category"]) == ("P1", "threats", "fraud")
    assert (row["due"], row["due_for"]) == ("2026-11-29", "acknowledge")


def test_outcomes_and_links(run: Run, ref: str, sync: Synced, world: World) -> None:
    told = done(run("outcome", ref, "identified", "--day", "2026-11-22", "--label", "a cousin"))
    person = told.split()[-1]
    assert len(person) == 16
    back = run("outcome", ref, "identified", "--day", "2026-11-22", "--person", person, "--off")
    assert "no outcomes" in done(back)
    other = Reporter(world)
    sync(*other.report())
    assert "1 links" in done(run("link", ref, other.case.hex(), "--kind", "duplicate"))
    refused = run("link", ref, ref)
    assert (refused.exit_code, "linked to itself" in refused.stderr) == (1, True)


def test_a_refusal_says_what_can_be_done(run: Run, ref: str) -> None:
    refused = run("status", ref, "closed", "--reason", "no_offence")
    assert refused.exit_code == 1
    assert "Received does not lead to Closed; it leads to Triage. Nothing was" in refused.stderr
    assert run("category", ref, "astrology").exit_code == 2
    for state in ("triage", "imminent"):
        done(run("status", ref, state))
    done(run("status", ref, "transmitted", "--service", "cyber_unit", "--basis", "unknown_place"))
    assert "Four eyes" in run("second-look", ref, "Right.").stderr


def test_an_erasure_is_asked_for_with_its_reason(run: Run, ref: str) -> None:
    assert "is empty" in run("erasure", ref, " ").stderr
    assert "asked that it be erased" in done(run("erasure", ref, "They wrote twice."))
    assert "They wrote twice." in done(run("show", ref))


def test_what_is_due(run: Run, ref: str) -> None:
    lines = done(run("due")).splitlines()
    assert [line.split()[0] for line in lines] == ["2026-11-23", "2026-11-29", "2027-02-21"]
    assert "running   First look" in lines[0]
    done(run("status", ref, "triage"))
    assert len(done(run("due")).splitlines()) == 2
    rows = json.loads(done(run("due", "--all", "--json")))["due"]
    assert [(one["clock"], one["verdict"]) for one in rows] == [
        ("first_look", "kept"), ("acknowledge", "running"), ("feedback", "running"),
    ]  # fmt: skip


def test_the_rules_are_printed_and_another_file_is_held_against_them(
    run: Run, tmp_path: Path
) -> None:
    told = done(run("rules"))
    assert "info_requested: Question asked" in told
    assert "Four eyes: another operator than the one who made it ready." in told
    assert "From when the report comes, until the reporter is answered: 7 days." in told
    assert "tag daesh: Daesh" in told
    found = json.loads(done(run("rules", "--json")))
    assert f"sha-256 {found['digest']}" in told
    assert {"id", "words", "leads_to", "needs"} <= found["states"][0].keys()
    clocks = {one["id"]: one for one in found["clocks"]}
    assert (clocks["feedback"]["from"], clocks["feedback"]["days"]) == ("received", 91)
    odd = tmp_path / "odd.toml"
    odd.write_text("version = 1\n[tags.x]\nwords = 4\n")
    refused = run("rules", "--file", str(odd))
    assert (refused.exit_code, "odd.toml, line 2, [tags.x]" in refused.stderr) == (1, True)
