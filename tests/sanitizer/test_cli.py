"""``amana-sanitize`` as a program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sanitizer.cli import main
from tests.sanitizer.kit import CANARY
from tests.support.media import phone_photo, phone_video


def run(*arguments: object) -> tuple[int, str, str]:
    told = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return told.exit_code, told.stdout, told.stderr


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", ["photo.jpg", "video.mov", "-photo named so.txt"])
def test_a_clean_copy_is_written_and_nothing_else(tmp_path: Path, name: str) -> None:
    dirty = tmp_path / name
    dirty.write_bytes((phone_video if name.endswith("mov") else phone_photo)(CANARY))
    code, out, _ = run("--json", "--", dirty, tmp_path / "clean")
    assert code == 0
    assert CANARY not in (tmp_path / "clean").read_bytes()
    assert json.loads(out)["bytes"] == (tmp_path / "clean").stat().st_size
    assert "gps" in json.loads(out)["removed"]
    assert CANARY.decode() not in out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "clean"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"just words", "unsupported"), (b"\xff\xd8\xff\xe0", "malformed")],
)
def test_a_refused_file_leaves_no_copy(tmp_path: Path, content: bytes, reason: str) -> None:
    dirty = tmp_path / "named.jpg"
    dirty.write_bytes(content)
    code, out, err = run(dirty, tmp_path / "clean", "--json")
    assert code == 3
    assert reason in err
    assert json.loads(out) == {"clean": False, "reason": reason}
    assert [p.name for p in tmp_path.iterdir()] == ["named.jpg"]
    code, out, err = run(dirty, tmp_path / "clean")
    assert (code, out) == (3, "")


def test_a_refusal_in_the_middle_leaves_the_old_copy_alone(tmp_path: Path) -> None:
    dirty, target = tmp_path / "dirty", tmp_path / "clean"
    video = phone_video(CANARY)
    at = video.index(b"mdat") + 4
    dirty.write_bytes(video[:at] + b"\x7f" * 4 + video[at + 4 :])
    target.write_bytes(b"older")
    assert run(dirty, target)[0] == 3
    assert target.read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_given_to_whoever_asks(asked: str) -> None:
    code, out, _ = run(asked)
    assert code == 0
    assert "without its metadata" in out


def test_a_command_that_cannot_be_understood_exits_2(tmp_path: Path) -> None:
    assert run()[0] == 2
    assert run(tmp_path / "missing", tmp_path / "clean")[0] == 2
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(phone_photo(CANARY))
    assert run(dirty, tmp_path / "no folder" / "clean")[0] == 2
    assert run(dirty, tmp_path / "clean")[0] == 0


def test_a_copy_that_cannot_take_its_place_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(phone_photo(CANARY))

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refuse)
    assert run(dirty, tmp_path / "clean")[0] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["dirty.jpg"]


def test_the_program_is_installed_and_without_json_says_nothing(tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(phone_photo(CANARY))
    program = Path(sys.executable).parent / "amana-sanitize"
    told = subprocess.run([program, dirty, tmp_path / "clean"], capture_output=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
