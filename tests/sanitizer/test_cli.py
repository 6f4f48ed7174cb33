"""``amana-sanitize`` as a program."""

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from sanitizer import cli, files, folders
from sanitizer.advice import ADVICE
from sanitizer.cli import main
from sanitizer.errors import Refused
from tests.sanitizer.kit import CANARY
from tests.support.leaks import leaks
from tests.support.media import phone_photo, phone_video

PROGRAM = Path(sys.executable).parent / "amana-sanitize"
PHOTO = phone_photo(CANARY)
KEYS = {
    "path", "out", "clean", "reason", "detail", "media_type", "bytes", "sha256", "removed",
    "rebuilt",
}  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    told = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return told.exit_code, told.stdout, told.stderr


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


# --- One file ------------------------------------------------------------------------------------


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", ["photo.jpg", "video.mov", "-photo named so.txt"])
def test_a_clean_copy_is_written_and_nothing_else(tmp_path: Path, name: str) -> None:
    dirty = tmp_path / name
    dirty.write_bytes(phone_video(CANARY) if name.endswith("mov") else PHOTO)
    code, out, _ = run("--json", "--", dirty, tmp_path / "clean")
    assert code == 0
    assert CANARY not in (tmp_path / "clean").read_bytes()
    told = json.loads(out)
    assert set(told) == KEYS
    assert told["bytes"] == (tmp_path / "clean").stat().st_size
    assert "gps" in told["removed"]
    assert (told["clean"], told["reason"], told["rebuilt"]) == (True, None, False)
    assert CANARY.decode() not in out
    assert names(tmp_path) == sorted([name, "clean"])


@pytest.mark.claim("C-REFUSE")
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"no file \0 at all", "unsupported"), (b"\xff\xd8\xff\xe0", "malformed")],
)
def test_a_refused_file_leaves_no_copy(tmp_path: Path, content: bytes, reason: str) -> None:
    dirty = tmp_path / "named.jpg"
    dirty.write_bytes(content)
    code, out, err = run(dirty, tmp_path / "clean", "--json")
    assert code == 3
    assert reason in err
    assert ADVICE[reason] in err
    told = json.loads(out)
    assert set(told) == KEYS
    assert (told["clean"], told["reason"], told["out"]) == (False, reason, None)
    assert names(tmp_path) == ["named.jpg"]
    code, out, err = run(dirty, tmp_path / "clean")
    assert (code, out) == (3, "")


@pytest.mark.claim("C-REFUSE")
def test_a_refusal_in_the_middle_leaves_the_old_copy_alone(tmp_path: Path) -> None:
    dirty, target = tmp_path / "dirty", tmp_path / "clean"
    video = phone_video(CANARY)
    at = video.index(b"mdat") + 4
    dirty.write_bytes(video[:at] + b"\x7f" * 4 + video[at + 4 :])
    target.write_bytes(b"older")
    assert run(dirty, target)[0] == 3
    assert target.read_bytes() == b"older"
    assert len(names(tmp_path)) == 2


def test_a_copy_replaces_an_older_one_and_never_its_original(tmp_path: Path) -> None:
    dirty, target = tmp_path / "dirty.jpg", tmp_path / "clean.jpg"
    dirty.write_bytes(PHOTO)
    target.write_bytes(b"older")
    (tmp_path / "link").hardlink_to(dirty)
    for same in (dirty, tmp_path / "link"):
        code, _, err = run(dirty, same)
        assert code == 2
        assert "never overwritten" in err
    assert dirty.read_bytes() == PHOTO
    assert run(dirty, target)[0] == 0
    assert target.read_bytes().startswith(b"\xff\xd8")


def test_a_copy_is_its_owners_alone_and_has_not_the_times_of_its_file(tmp_path: Path) -> None:
    dirty, target = tmp_path / "dirty.jpg", tmp_path / "clean.jpg"
    dirty.write_bytes(PHOTO)
    os.utime(dirty, (1_000_000_000, 1_000_000_000))
    assert run(dirty, target)[0] == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert abs(target.stat().st_mtime - time.time()) < 60


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_given_to_whoever_asks(asked: str) -> None:
    code, out, _ = run(asked)
    assert code == 0
    assert "without their metadata" in out
    assert "amana-sanitize holiday/ clean/" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_command_that_cannot_be_understood_exits_2(tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(PHOTO)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for wrong in (
        (),
        (dirty,),
        (tmp_path / "missing", tmp_path / "clean"),
        (dirty, tmp_path / "no folder" / "clean"),
        (dirty, tmp_path / "folder"),
        (tmp_path / "pipe", tmp_path / "clean"),
        ("--rename", dirty, tmp_path / "clean"),
        (tmp_path / "folder", dirty),
    ):
        assert run(*wrong)[0] == 2, wrong
    # A copy takes a name: written over a device as root, the machine would have it no more.
    assert run(dirty, tmp_path / "pipe")[0] == 2
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["dirty.jpg", "pipe"]
    assert run(dirty, tmp_path / "clean")[0] == 0


def test_a_file_that_cannot_be_read_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(PHOTO)
    monkeypatch.setattr(os, "pread", fails(OSError))
    assert run(dirty, tmp_path / "clean")[0] == 2
    assert names(tmp_path) == ["dirty.jpg"]


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_copy_that_cannot_take_its_place_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(PHOTO)
    monkeypatch.setattr(Path, "replace", fails(PermissionError))
    assert run(*options, dirty, tmp_path / "clean")[0] == 2
    assert names(tmp_path) == ["dirty.jpg"]


def test_a_full_disk_ends_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(PHOTO)

    def draft(**_: object) -> tuple[int, str]:
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "draft")

    monkeypatch.setattr("tempfile.mkstemp", draft)
    for source in (tmp_path / "in", tmp_path / "in" / "0.jpg"):
        code, _, err = run(source, tmp_path / "out" / source.stem)
        (tmp_path / "out").mkdir(exist_ok=True)
        assert (code, "OUT cannot be" in err or "OUT is no folder" in err) == (2, True)
    for source in (tmp_path / "in", tmp_path / "in" / "0.jpg"):
        assert "OUT cannot be written" in run(source, tmp_path / "out" / source.stem)[2]
    assert names(tmp_path) == [f"in/{number}.jpg" for number in range(4)]


def test_a_name_that_is_taken_stays_another_s_unless_it_may_be_replaced(tmp_path: Path) -> None:
    dirty, target = tmp_path / "dirty.jpg", tmp_path / "clean.jpg"
    dirty.write_bytes(PHOTO)
    target.write_bytes(b"another's")
    told = files.clean_file(dirty, tmp_path, lambda _: [target])
    assert told.reason == "unwritable"
    assert target.read_bytes() == b"another's"


@pytest.mark.claim("C-REFUSE")
def test_a_file_that_breaks_a_cleaner_is_refused_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(PHOTO)
    for error in (TypeError, MemoryError, RecursionError):
        monkeypatch.setattr(files, "sanitize", fails(error))
        code, _, err = run(dirty, tmp_path / "clean")
        assert (code, names(tmp_path)) == (3, ["dirty.jpg"])
        assert "malformed" in err


def test_the_program_is_installed_and_without_json_says_nothing(tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(PHOTO)
    told = subprocess.run([PROGRAM, dirty, tmp_path / "clean"], capture_output=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")


def test_the_formats_are_told() -> None:
    told = subprocess.run([PROGRAM, "--formats"], capture_output=True, check=False, text=True)
    assert told.returncode == 0
    assert "| JPEG" in told.stdout


@pytest.mark.parametrize("asked", ["--help", "--formats", "photos clean", "--json photos clean"])
def test_a_disk_that_is_full_behind_the_output_is_one_line(tmp_path: Path, asked: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "dirty.jpg").write_bytes(PHOTO)
    line = f"{PROGRAM} {asked} > /dev/full"
    told = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert told.stderr.endswith("Error: No space left on device\n")
    assert "Traceback" not in told.stderr
    assert "ignored" not in told.stderr


@pytest.mark.parametrize(
    ("asked", "content", "code"),
    [(("--help",), PHOTO, 2), (("photos", "clean"), PHOTO, 2), (("photos", "clean"), b"\0", 3)],
    ids=["at once", "at the end", "after a refusal"],
)
def test_output_without_room_is_an_end_of_its_own(  # noqa: PLR0913, PLR0917 - pytest's fixtures
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    asked: tuple[str, ...], content: bytes, code: int,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("photos/dirty.jpg").write_bytes(content)
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main(asked)
        monkeypatch.undo()
    # What else there is to tell keeps its code, and that this output is cut off is said beside it.
    assert ended.value.code == code
    assert "No space left on device" in capsys.readouterr().err


def test_output_that_nobody_reads_to_its_end_or_that_was_closed_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as broken:
        for number, stdout in enumerate((broken, None)):
            monkeypatch.setattr(sys, "stdout", stdout)
            with pytest.raises(SystemExit) as ended:
                main([str(tmp_path / "photos"), str(tmp_path / str(number))])
            assert ended.value.code == 0
        monkeypatch.undo()


def test_every_reason_has_its_advice() -> None:
    leaves, reasons = [Refused], set()
    while leaves:
        leaf = leaves.pop()
        leaves += leaf.__subclasses__()
        # The gateway has one more, for what never comes to a cleaner.
        is_ours = leaf is not Refused and leaf.__module__.startswith("sanitizer.")
        reasons |= {leaf.reason} if is_ours else set()
    assert set(ADVICE) == reasons | {"unreadable", "unwritable", "not_a_file"}


def fails(error: type[BaseException]) -> object:
    """A function that can only fail."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


# --- A folder ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything in it that folders have."""
    made = tmp_path / "in"
    (made / "sub" / ".hidden").mkdir(parents=True)
    (made / "empty").mkdir()
    (made / "photo.JPG").write_bytes(PHOTO)
    (made / ".secret").write_bytes(PHOTO)
    (made / "sub" / "film.3gp").write_bytes(phone_video(CANARY))
    (made / "sub" / ".hidden" / "called.png").write_bytes(PHOTO)
    (made / "sub" / "notes").write_text("Salut\n")
    (made / "sub" / "table.csv").write_text("a,b\n")
    (made / "map.svg").write_text("<svg/>")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.jpg").write_bytes(PHOTO)
    (made / "way out").symlink_to(tmp_path / "elsewhere")
    (made / "link.jpg").symlink_to(tmp_path / "elsewhere" / "other.jpg")
    os.mkfifo(made / "pipe")
    return made


CLEAN = [
    ".secret.jpg", "photo.JPG", "sub/.hidden/called.jpg", "sub/film.mp4", "sub/notes.txt",
    "sub/table.csv",
]  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.claim("C-REFUSE")
def test_a_folder_is_cleaned_whole_and_what_is_refused_is_told(
    folder: Path, tmp_path: Path
) -> None:
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    code, out, err = run(folder, tmp_path / "out")
    assert (code, err) == (3, "")
    assert names(tmp_path / "out") == CLEAN
    for name in CLEAN:
        assert not leaks(CANARY, (tmp_path / "out" / name).read_bytes())
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        assert abs(path.stat().st_mtime - time.time()) < 60
    assert out.splitlines()[0] == f"6 of 10 files cleaned into {tmp_path}/out"
    for refused in ("map.svg (", "way out (a link", "link.jpg (a link", "pipe (neither"):
        assert refused in out
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_folder_without_a_refusal_exits_0_and_again_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("map.svg", "way out", "link.jpg", "pipe"):
        (folder / name).unlink()
    assert run(folder, tmp_path / "out")[0] == 0
    assert run("--jobs", "1", tmp_path / "out", tmp_path / "again")[0] == 0
    assert names(tmp_path / "again") == CLEAN
    for name in CLEAN:
        made = (tmp_path / "out" / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == made


def test_of_a_folder_a_line_of_json_is_told_for_each_file(folder: Path, tmp_path: Path) -> None:
    code, out, err = run("--json", folder, tmp_path / "out")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert all(set(one) == KEYS for one in told)
    assert [one["path"] for one in told] == sorted([*names(folder), "way out"])
    assert [one["out"] for one in told if one["clean"]] == CLEAN
    assert {one["reason"] for one in told if not one["clean"]} == {"unsupported", "not_a_file"}
    assert err.startswith("6 of 10 files cleaned")


def test_names_that_say_nothing_are_given_where_they_are_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    run("--rename", "--json", folder, tmp_path / "out")
    assert names(tmp_path / "out") == [
        "file-0001.jpg", "file-0004.jpg", "file-0006.jpg", "file-0007.mp4", "file-0008.txt",
        "file-0009.txt",
    ]  # fmt: skip


def test_two_results_never_share_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    video = phone_video(CANARY)
    for name in ("a.3gp", "a.3g2", "a.3gp.mp4", "b.mp4", "b.3gp", "clip.mov.d/x", "clip.3gp"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(video)
    (folder / "clip.mp4").mkdir()
    (folder / "clip.mp4" / "y.mp4").write_bytes(video)
    assert run(folder, tmp_path / "out")[0] == 0
    assert names(tmp_path / "out") == [
        "a.3g2.mp4", "a.3gp-2.mp4", "a.3gp.mp4", "b.3gp.mp4", "b.mp4", "clip-2.mp4",
        "clip.mov.d/x.mp4", "clip.mp4/y.mp4",
    ]  # fmt: skip


def test_a_folder_with_something_in_it_is_added_to_only_when_it_is_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo.JPG").write_bytes(b"older")
    (out / "sub").write_bytes(b"in the way")
    assert run(folder, out)[0] == 2
    assert names(out) == ["photo.JPG", "sub"]
    code, told, _ = run("--force", folder, out)
    assert code == 3
    assert (out / "photo.JPG").read_bytes() != b"older"
    assert (out / "sub").read_bytes() == b"in the way"
    assert told.count("the copy cannot have its name there") == 4
    (out / "sub").unlink()
    assert run("--force", folder, out)[0] == 3
    assert names(out) == CLEAN


def test_folders_within_each_other_are_not_understood(folder: Path) -> None:
    for one, other in (
        (folder, folder),
        (folder, folder / "out"),
        (folder / "sub", folder),
        (folder, folder / "sub" / ".." / "out"),
    ):
        code, _, err = run("--force", one, other)
        assert code == 2
        assert "inside the other" in err
    assert not (folder / "out").exists()


def test_what_cannot_be_read_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_scan, real_open = os.scandir, os.open

    def scan(place: Path) -> object:
        if place.name == "sub":
            raise PermissionError
        return real_scan(place)

    def opened(path: object, *arguments: int, **named: int) -> int:
        if str(path).endswith("in/photo.JPG"):
            raise PermissionError
        return real_open(path, *arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scan)
        patch.setattr(os, "open", opened)
        code, out, _ = run(folder, tmp_path / "out")
    assert code == 3
    assert names(tmp_path / "out") == [".secret.jpg"]
    assert "sub (the folder cannot be read)" in out
    assert "photo.JPG (the file cannot be read)" in out


def test_a_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\x1b]0;b\x07").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff\xfe")).write_bytes(b"")
    code, out, _ = run(tmp_path / "in", tmp_path / "out")
    assert code == 3
    assert all(line.isprintable() for line in out.splitlines())
    code, out, _ = run("--json", tmp_path / "in", tmp_path / "other")
    assert os.fsencode(json.loads(out.splitlines()[1])["path"]) == b"\xff\xfe"


def test_an_empty_folder_is_clean(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert run(tmp_path / "in", tmp_path / "out") == (
        0,
        f"0 of 0 files cleaned into {tmp_path}/out\n",
        "",
    )


def test_folders_of_any_depth_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("d")  # noqa: PTH102 - its whole name would be too long
        os.chdir("d")
    Path("photo.jpg").write_bytes(PHOTO)
    found = folders.walk(tmp_path)
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)
    assert [one.path.name for one in found] == ["photo.jpg"]
    assert len(found[0].path.parts) == 1201


def test_a_bar_is_shown_in_a_terminal_and_nowhere_else(folder: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        ["script", "-qec", f"{PROGRAM} {folder} {tmp_path}/out", "/dev/null"],
        capture_output=True,
        check=False,
        env={**os.environ, "TERM": "xterm"},
    )
    assert told.returncode == 3
    assert b"Cleaning" in told.stdout
    piped = subprocess.run([PROGRAM, folder, tmp_path / "piped"], capture_output=True, check=False)
    assert b"Cleaning" not in piped.stdout + piped.stderr


# --- Interrupted ---------------------------------------------------------------------------------


def long_sound(path: Path) -> None:
    """A WAV that takes seconds to clean, and next to nothing on the disk: it is one hole."""
    size = 1900 << 20
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16)
    head = struct.pack("<4sI4s", b"RIFF", 4 + len(form) + 8 + size, b"WAVE")
    with path.open("wb") as file:
        file.write(head + form + struct.pack("<4sI", b"data", size))
        file.truncate(file.tell() + size)


def stopped_halfway(command: Sequence[Path | str], out: Path) -> subprocess.Popen[bytes]:
    """The program, held still while it writes its first result."""
    program = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while not any(path.stat().st_size for path in out.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.002)
    program.send_signal(signal.SIGSTOP)
    # Not a whole one: its name is still one that says so.
    assert [name for name in names(out) if not name.startswith(".")] == []
    return program


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_no_half_file(
    tmp_path: Path,
    ending: signal.Signals,
    many: bool,  # noqa: FBT001 - parametrized
) -> None:
    source, out = tmp_path / "in" / "long.wav", tmp_path / "out"
    source.parent.mkdir()
    out.mkdir()
    long_sound(source)
    command = [PROGRAM, source.parent, out] if many else [PROGRAM, source, out / "clean.wav"]
    # Where tests run in the background, these signals are ignored, and so by whatever they start.
    before = signal.signal(ending, lambda _signal, _frame: None)
    with stopped_halfway(command, out) as program:
        signal.signal(ending, before)
        program.send_signal(ending)
        program.send_signal(signal.SIGCONT)
        err = program.communicate(timeout=60)[1]
    assert program.returncode == 130
    assert b"interrupted" in err
    assert names(out) == []


def test_what_ignores_the_end_of_its_terminal_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    usual = signal.getsignal(signal.SIGTERM)
    with cli._signals():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not usual
    assert signal.getsignal(signal.SIGTERM) is usual
    signal.signal(signal.SIGHUP, before)


def test_a_name_that_cannot_be_given_after_all_is_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty, target = tmp_path / "dirty.jpg", tmp_path / "clean.jpg"
    dirty.write_bytes(PHOTO)
    monkeypatch.setattr(Path, "replace", fails(OSError))
    assert files.clean_file(dirty, tmp_path, lambda _: [target]).reason == "unwritable"
    assert not target.exists()
