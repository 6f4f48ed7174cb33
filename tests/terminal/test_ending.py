"""A program whose output finds no room says so in one line, whichever program it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from terminal.ending import to_its_end

PROGRAMS = ["amana-audit", "amana-desk", "amana-gateway", "amana-package", "amana-root"]
FULL = Path("/dev/full")


class Refused(Exception):  # it is what the test asks for
    """What a program made of the reason."""


def refuse(why: str) -> NoReturn:
    raise Refused(why)


@pytest.mark.parametrize("program", [*PROGRAMS, "amana-sanitize"])
def test_a_full_disk_behind_a_programs_output_is_a_line_and_a_failure(program: str) -> None:
    path = Path(sys.executable).parent / program
    with FULL.open("wb") as full:
        done = subprocess.run(
            [path, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode not in (0, 120), done
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_whoever_closes_a_pipe_has_read_what_they_wanted() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        path = Path(sys.executable).parent / "amana-audit"
        done = subprocess.run([path, "--help"], stdout=nobody, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""
    assert done.returncode in (0, 1)  # as click ends there


def test_what_the_machine_refuses_is_told_with_its_file_and_without_a_number() -> None:
    def missing() -> None:
        Path("/nowhere/at/all").read_bytes()

    def unnamed() -> None:
        raise OSError("no room")

    with pytest.raises(Refused, match=r"^/nowhere/at/all: No such file or directory$"):
        to_its_end(missing, refuse)
    with pytest.raises(Refused, match=r"^no room$"):
        to_its_end(unnamed, refuse)


@pytest.mark.parametrize("code", [1, 3, "words"])
def test_half_a_report_is_said_to_be_one_and_its_exit_code_stays(
    monkeypatch: pytest.MonkeyPatch, code: object
) -> None:
    told: list[str] = []

    def says(why: str) -> NoReturn:
        told.append(why)
        sys.exit(7)

    def ends() -> None:
        sys.stdout.write("2 alarms\n")
        raise SystemExit(code)

    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            to_its_end(ends, says)
        # What no room was found for is not tried again.
        full.flush()
    assert (ended.value.code, told) == (code, ["No space left on device"])


def test_a_desk_that_finds_no_room_in_the_middle_says_so_once(tmp_path: Path) -> None:
    program = (
        "import click\n"
        "from desk.command_group import Group\n"
        "@click.command(cls=Group)\n"
        "def main(): pass\n"
        "@main.command('list')\n"
        "def of(): click.echo('one case')\n"
        "main(['list'])\n"
    )
    path = tmp_path / "program.py"
    path.write_text(program)
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, path], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": ""},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "amana-desk: No space left on device\n")


@pytest.mark.parametrize("code", [0, 3])
def test_a_program_ends_as_it_would_have_ended(code: int) -> None:
    def ends() -> None:
        sys.exit(code)

    with pytest.raises(SystemExit) as ended:
        to_its_end(ends, refuse)
    assert ended.value.code == code


def test_what_a_program_gives_is_given() -> None:
    assert to_its_end(lambda: 7, refuse) == 7


def test_a_program_without_an_output_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends() -> None:
        sys.exit(0)

    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit):
        to_its_end(ends, refuse)
