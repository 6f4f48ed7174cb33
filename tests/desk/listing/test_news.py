"""The bell: it rings when something came, is told numbers alone, and never stops a sync."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from desk.errors import BellRefused, RosterNotTrusted
from desk.news import Bell, News, sync_and_tell
from desk.progress import Silence
from tests.desk.world import JPEG, TODAY, Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from desk.desk import Desk
    from tests.desk.server import FakeServer

ENVIRONMENT = {**os.environ, "AMANA_DESK_PASSPHRASE_FILE": "/secret", "AMANA_DESK_HOME": "/desk"}

_WRITES_WHAT_IT_IS_TOLD = f"""#!{sys.executable}
import json, os, sys
with open({{told!r}}, "a") as told:
    ours = {{{{k: v for k, v in os.environ.items() if k.startswith("AMANA_")}}}}
    told.write(json.dumps([sys.argv[1:], ours, sys.stdin.read(), os.getcwd()]) + "\\n")
print("noise"); print("noise", file=sys.stderr)
"""


@dataclass(frozen=True)
class Program:
    """A bell that writes down what it was told."""

    folder: Path

    @property
    def line(self) -> str:
        """Its command line."""
        return f"'{self.folder / 'bell program'}'"

    @property
    def told(self) -> list[list[object]]:
        """Its arguments, what it found of ours in its environment, its input, and where it was."""
        path = self.folder / "told"
        return [json.loads(one) for one in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def program(tmp_path: Path) -> Program:
    path = tmp_path / "bell program"
    path.write_text(_WRITES_WHAT_IT_IS_TOLD.format(told=str(tmp_path / "told")))
    path.chmod(stat.S_IRWXU)
    return Program(tmp_path)


@pytest.mark.claim("C-BELL")
def test_the_bell_is_told_numbers_and_nothing_else(
    desk: Desk, reporter: Reporter, server: FakeServer, program: Program,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bell = Bell.of(f"{program.line} --title 'Something came' $HOME;echo *", ENVIRONMENT)
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.put(*reporter.report([photo]), *Reporter(server.world).report())
    done, complaint = sync_and_tell(desk, Silence(), bell, stamp="now")
    assert (done.files, complaint) == (1, "")
    numbers = {"AMANA_NEWS_CASES": "2", "AMANA_NEWS_FILES": "1", "AMANA_NEWS_ALARMS": "0"}
    # No shell: what it would have expanded arrives as it was written.
    assert program.told == [[["--title", "Something came", "$HOME;echo", "*"], numbers, "", "/"]]
    # Nothing came since, so nothing rings; and the index was read at the sync already.
    sync_and_tell(desk, Silence(), bell, stamp="now")
    assert len(program.told) == 1
    assert capfd.readouterr() == ("", "")
    assert len(desk.index.rows()) == 2


def test_an_alarm_rings_once_even_when_the_sync_fails(
    desk: Desk, server: FakeServer, program: Program
) -> None:
    bell = Bell.of(program.line, ENVIRONMENT)
    server.note = b"junk"
    for _ in range(2):
        with pytest.raises(RosterNotTrusted):
            sync_and_tell(desk, Silence(), bell, stamp="now")
    assert [one[1] for one in program.told] == [
        {"AMANA_NEWS_CASES": "0", "AMANA_NEWS_FILES": "0", "AMANA_NEWS_ALARMS": "1"}
    ]


@pytest.mark.parametrize(
    ("line", "seconds", "why"),
    [
        ("/no/such/program", 90.0, "cannot be started"),
        (f"'{sys.executable}' -c 'exit(7)'", 90.0, r"ended with an error \(7\)"),
        (f"'{sys.executable}' -c 'import time; time.sleep(60)'", 0.3, "did not end"),
    ],
    ids=["none", "an error", "no end"],
)
def test_a_bell_that_does_not_work_stops_no_sync(
    desk: Desk, server: FakeServer, line: str, seconds: float, why: str
) -> None:
    bell = Bell(Bell.of(line, ENVIRONMENT).command, ENVIRONMENT, seconds)
    with pytest.raises(BellRefused, match=why):
        bell.ring(News(cases=1))
    server.put(*Reporter(server.world).report())
    done, complaint = sync_and_tell(desk, Silence(), bell, stamp="now")
    assert done.envelopes == 2
    assert complaint.startswith("The command that runs on news")


@pytest.mark.parametrize(
    ("line", "is_there"),
    [
        ("no-such-program --title x", False),
        ("/no/such/program", False),
        ("sh -c true", True),
        ("/bin/sh -c true", True),
        ("bin/sh -c true", True),
        ("./no/such", False),
    ],
)
def test_a_command_that_is_not_there_is_said_before_there_is_news(
    desk: Desk, line: str, *, is_there: bool
) -> None:
    complaint = sync_and_tell(desk, Silence(), Bell.of(line, os.environ), stamp="now")[1]
    assert ("cannot be started" in complaint) is not is_there


def test_without_a_bell_nothing_rings(desk: Desk, reporter: Reporter, server: FakeServer) -> None:
    server.put(*reporter.report())
    assert sync_and_tell(desk, Silence(), None, stamp="now")[1] == ""
    assert Bell.configured(desk.home, ENVIRONMENT) is None
    assert desk.today() == TODAY


def test_the_bell_stands_in_the_desks_folder(desk: Desk) -> None:
    desk.home.on_news.write_text("notify-send 'Amana: news'\n")
    bell = Bell.configured(desk.home, ENVIRONMENT)
    assert bell is not None
    assert bell.command == ("notify-send", "Amana: news")
    assert not any(name.startswith("AMANA_") for name in bell.environment)
    assert "PATH" not in repr(bell)


@pytest.mark.parametrize(
    "line", ["", "  ", "'no end", "x" * 5000], ids=["empty", "spaces", "no end", "long"]
)
def test_a_line_that_is_no_command_is_refused(desk: Desk, line: str) -> None:
    with pytest.raises(BellRefused, match="cannot be read as a command line"):
        Bell.of(line, ENVIRONMENT)
    desk.home.on_news.write_text(line)
    with pytest.raises(BellRefused):
        Bell.configured(desk.home, ENVIRONMENT)


def test_a_bell_that_cannot_be_read_is_said_so(desk: Desk) -> None:
    desk.home.on_news.write_bytes(b"\xff\xfe")
    with pytest.raises(BellRefused, match="cannot be read"):
        Bell.configured(desk.home, ENVIRONMENT)
    desk.home.on_news.unlink()
    desk.home.on_news.mkdir()
    with pytest.raises(BellRefused, match="cannot be read"):
        Bell.configured(desk.home, ENVIRONMENT)
