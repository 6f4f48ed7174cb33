"""What an operator writes in their editor is in memory, and is not lost to what comes after."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from desk.config import write_private
from tests.desk.running import done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desk.desk import Desk
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

    Does = Callable[[str], None]

WORDS = "She is safe with her aunt"
KILLED = [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory of our own, to be looked into."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr("desk.editor.MEMORY", str(folder))
    return folder


@pytest.fixture
def does(tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> Does:
    """An editor that does one thing with the file."""
    assert memory.is_dir()

    def choose(what: str) -> None:
        program = tmp_path / "editor"
        program.write_text(f"#!/bin/sh\n{what}\n")
        program.chmod(0o700)
        monkeypatch.setenv("VISUAL", str(program))

    return choose


@pytest.fixture
def ref(run: Run, reporter: Reporter, server: FakeServer) -> str:
    server.put(*reporter.report())
    done(run("sync"))
    return reporter.case.hex()[:8]


@pytest.fixture
def said(run: Run, ref: str) -> Callable[[], list[str]]:
    """The answers that were sent."""
    return lambda: [
        one["text"] for one in json.loads(done(run("show", ref, "--json")))["conversation"]
    ]


def files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.is_file())


def holding(folder: Path) -> list[Path]:
    """The files anywhere below that hold the words in clear."""
    return [one for one in files(folder) if WORDS.encode() in one.read_bytes()]


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("number", KILLED, ids=[one.name for one in KILLED])
def test_an_answer_that_was_cut_off_does_not_lie_in_memory(
    run: Run, ref: str, does: Does, memory: Path, number: signal.Signals
) -> None:
    does(f'printf "{WORDS}" > "$1"; kill -{number.value} $PPID; exec sleep 30')
    child = os.fork()
    if child == 0:
        try:
            # A test's runner may have its own ways to end.
            for one in KILLED[1:]:
                signal.signal(one, signal.SIG_DFL)
            run("reply", ref)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    left = holding(memory)
    # Whoever is killed outright cannot clean up; whoever is asked to end, does.
    assert bool(left) == (number is signal.SIGKILL)
    assert all(ref not in one.name for one in memory.iterdir())
    told = run("list")
    assert ("has been removed: " + str(memory / "amana-answer") in told.stderr) == bool(left)
    assert list(memory.iterdir()) == []
    if number is not signal.SIGKILL:
        # And what was typed is there again.
        does("true")
        assert "opens with what was written before" in run("reply", ref).stderr


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ('printf "\\nOne\\n%s caf\\351" "$WORDS" > "$1"', "Line 3 was not saved as UTF-8"),
        ('printf "%s" "$WORDS" > "$1"; exit 1', "The editor ended with an error"),
        ('printf "%s" "$WORDS" > "$1"; kill -9 $$', "The editor ended with an error"),
        (
            'printf "%s" "$WORDS" > "$1"; head -c 30000 /dev/zero | tr "\\0" x >> "$1"',
            "is the most",
        ),
    ],
    ids=["another encoding", "it failed", "it crashed", "too long"],
)
def test_what_was_typed_is_kept_sealed_and_opened_again(  # noqa: PLR0913  # pytest's fixtures
    *,
    run: Run,
    ref: str,
    does: Does,
    desk: Desk,
    memory: Path,
    said: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    why: str,
) -> None:
    monkeypatch.setenv("WORDS", WORDS)
    does(what)
    refused = run("reply", ref)
    assert (refused.exit_code, why in refused.stderr) == (1, True)
    assert "is kept on this desk, sealed: `amana-desk reply " in refused.stderr
    (kept,) = files(desk.home.drafts)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert holding(desk.home.folder) == holding(memory) == []
    assert said() == []
    # Left at once, it is neither sent nor lost.
    does("true")
    left = run("reply", ref)
    assert "Save it in the editor to send it" in left.stderr or why in left.stderr
    assert list(files(desk.home.drafts)) == [kept]
    # Mended, it goes out; and nothing of it stays here.
    does('head -c 40 "$1" | tr -d "\\351" > "$1.new"; mv "$1.new" "$1"')
    assert "sealed and sent" in done(run("reply", ref))
    assert WORDS in said()[-1]
    assert list(files(desk.home.drafts)) == []


def test_what_was_kept_is_sent_as_it_is_once_it_was_saved(
    run: Run, ref: str, does: Does, said: Callable[[], list[str]]
) -> None:
    does(f'printf "{WORDS}" > "$1"; exit 1')
    assert run("reply", ref).exit_code == 1
    does('printf "%s" "$(cat "$1")" > "$1"')
    done(run("reply", ref))
    assert said() == [WORDS]


def test_a_ready_answer_comes_below_what_was_kept(
    run: Run, ref: str, does: Does, desk: Desk, said: Callable[[], list[str]]
) -> None:
    does(f'printf "{WORDS}" > "$1"; exit 1')
    assert run("reply", ref).exit_code == 1
    does('printf "\\nOne more line." >> "$1"')
    done(run("reply", ref, "--ready", "keep_evidence"))
    text = next(iter(desk.rules.answers["keep_evidence"].text.values()))
    assert said()[-1].startswith(f"{WORDS}\n\n")
    assert said()[-1].endswith("\nOne more line.")
    assert text


def test_what_was_emptied_is_thrown_away(run: Run, ref: str, does: Does, desk: Desk) -> None:
    does(f'printf "{WORDS}" > "$1"; exit 1')
    assert run("reply", ref).exit_code == 1
    does(': > "$1"')
    assert "The answer is empty" in run("reply", ref).stderr
    assert list(files(desk.home.drafts)) == []
    does('rm "$1"')
    assert "The answer is empty" in run("reply", ref).stderr


def test_what_another_desk_sealed_is_no_draft_of_ours(
    run: Run, ref: str, does: Does, desk: Desk, said: Callable[[], list[str]]
) -> None:
    does(f'printf "{WORDS}" > "$1"; exit 1')
    assert run("reply", ref).exit_code == 1
    (kept,) = files(desk.home.drafts)
    kept.write_bytes(b"x" * 100)
    does(f'cat "$1"; printf "{WORDS}" >> "$1"')
    done(run("reply", ref))
    assert said() == [WORDS]


def test_a_text_with_a_mark_of_its_encoding_is_a_text(
    run: Run, ref: str, does: Does, said: Callable[[], list[str]]
) -> None:
    does('printf "\\357\\273\\277caf\\303\\251" > "$1"')
    done(run("reply", ref))
    assert said() == ["café"]


def test_no_editor_opens_where_it_could_not_save(
    run: Run, ref: str, does: Does, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    does(f'printf "{WORDS}" > "$1"')
    usage = shutil.disk_usage(memory)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    refused = run("reply", ref)
    assert (refused.exit_code, "could not save there" in refused.stderr) == (1, True)
    assert list(memory.iterdir()) == []


def test_what_a_full_memory_may_have_cut_off_is_not_sent(  # noqa: PLR0913  # pytest's fixtures
    *, run: Run, ref: str, does: Does, memory: Path, said: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    does(f'printf "{WORDS}" > "$1"')
    usage = shutil.disk_usage(memory)
    free = iter([usage.free, 100])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(free)))
    refused = run("reply", ref)
    assert (refused.exit_code, "may be cut off" in refused.stderr) == (1, True)
    assert said() == []
    assert "is kept on this desk" in refused.stderr


def test_where_the_disk_is_full_somebody_at_a_terminal_can_make_room(
    run: Run, ref: str, does: Does, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    does(f'printf "{WORDS}" > "$1"; exit 1')
    full = [OSError(28, "No space left on device")]

    def write(path: Path, content: bytes) -> None:
        if full:
            raise full[0]
        write_private(path, content)

    monkeypatch.setattr("desk.editor.write_private", write)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    monkeypatch.setattr("click.pause", lambda *_, **__: full.clear())
    refused = run("reply", ref)
    assert "cannot be kept in" in refused.stderr
    assert "Make room there" in refused.stderr
    assert "is kept on this desk, sealed" in refused.stderr
    assert len(list(files(desk.home.drafts))) == 1


def test_where_nobody_is_what_cannot_be_kept_is_sent_all_the_same(
    run: Run, ref: str, does: Does, said: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    does(f'printf "{WORDS}" > "$1"')
    monkeypatch.setattr("desk.editor.write_private", refuse)
    assert "cannot be kept in" in run("reply", ref).stderr
    assert said() == [WORDS]


@pytest.mark.parametrize("editor", ["vi 'x", " ", "/nowhere/vi"])
def test_an_editor_that_is_none_is_said_in_one_line(
    run: Run, ref: str, memory: Path, monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    refused = run("reply", ref)
    assert refused.exit_code == 1
    assert "cannot be started" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(memory.iterdir()) == []
