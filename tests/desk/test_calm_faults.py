"""What the machine refuses is said in one calm line, and leaves nothing half made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk.config import DeskHome
from desk.program import Setting

if TYPE_CHECKING:
    from desk.desk import Desk
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter


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
        (sqlite3.DatabaseError("malformed"), "malformed. Nothing more was written. This"),
        (sqlite3.OperationalError("locked"), "database cannot be used: locked. Nothing more"),
    ],
    ids=["full", "not-ours", "damaged", "locked"],
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


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Type a line at a shell, where no terminal is."""
    here = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AMANA_DESK_PASSPHRASE_FILE": os.devnull, "PYTHONUNBUFFERED": "",
    }  # fmt: skip
    return subprocess.run(
        ["sh", "-c", line], env=here,
        capture_output=True, text=True, start_new_session=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("program", ["amana-desk", "amana-package"])
@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_a_disk_that_is_full_behind_the_output_is_one_line(program: str, asked: str) -> None:
    done = shell(f"{program} {asked} > /dev/full")
    assert (done.returncode, done.stderr) == (1, f"{program}: No space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", "</dev/null"])
@pytest.mark.parametrize("command", ["keygen --to . --name k", "open f --key k --root r --to t"])
def test_a_service_without_a_terminal_is_told_of_what_helps_there(
    tmp_path: Path, command: str, closed: str
) -> None:
    done = shell(f"cd {tmp_path} && amana-package {command} {closed}")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    # The variable is the sender's: a service has no desk.
    assert "Use --passphrase-file FILE." in done.stderr
    assert "AMANA_DESK" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def ref(run: Run, reporter: Reporter, server: FakeServer) -> str:
    """A case that came."""
    server.put(*reporter.report())
    assert run("sync").exit_code == 0
    return reporter.case.hex()[:8]


@pytest.mark.parametrize("said", [b"\xff\xfe", b"x" * 1024 * 1024 + b"x"], ids=["raw", "endless"])
@pytest.mark.parametrize(
    "command", ["reply REF --text -", "reply REF --text-file -", "note REF -", "list --search -"]
)
def test_what_is_no_text_on_standard_input_is_one_line(
    run: Run, ref: str, command: str, said: bytes
) -> None:
    refused = run(*command.replace("REF", ref).split(), input=said)
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert "Standard input" in refused.stderr


@pytest.mark.parametrize("command", ["reply REF --text", "note REF"])
def test_bytes_on_the_command_line_that_are_no_text_are_a_mistake_of_it(
    run: Run, ref: str, command: str
) -> None:
    refused = run(*command.replace("REF", ref).split(), "caf\udce9")
    assert (refused.exit_code, "not UTF-8 text" in refused.stderr) == (2, True)


@pytest.mark.parametrize("command", ["reply REF --text-file", "enrol --server x --root-public"])
def test_a_file_without_an_end_is_not_read_to_it(run: Run, ref: str, command: str) -> None:
    refused = run(*command.replace("REF", ref).split(), "/dev/zero")
    assert (refused.exit_code, "/dev/zero is too long" in refused.stderr) == (1, True)


def test_a_passphrase_file_without_an_end_is_none(run: Run) -> None:
    refused = run("list", "--passphrase-file", "/dev/zero")
    assert (refused.exit_code, "begins with no line" in refused.stderr) == (1, True)


def test_a_program_whose_input_was_closed_has_none(desk: Desk, phrase: Path, ref: str) -> None:
    home = f"AMANA_DESK_HOME={desk.home.folder} AMANA_DESK_PASSPHRASE_FILE={phrase}"
    done = shell(f"{home} amana-desk reply {ref} --text - <&-")
    assert (done.returncode, done.stderr) == (
        1,
        "amana-desk: The answer is empty. Nothing was sent.\n",
    )


@pytest.mark.parametrize("name", ["key", "root"])
def test_a_services_file_without_an_end_is_no_key(tmp_path: Path, name: str) -> None:
    (tmp_path / "phrase").write_text("six words that nobody ever said")
    files = {"key": "k", "root": "r", name: "/dev/zero"}
    given = f"--key {files['key']} --root {files['root']} --passphrase-file phrase"
    done = shell(f"cd {tmp_path} && amana-package open f {given} --to t")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    nameless = shell(f"cd {tmp_path} && amana-package open f --key '' --root r --to t </dev/null")
    assert (nameless.returncode, "Traceback" in nameless.stderr) == (1, False)
