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
