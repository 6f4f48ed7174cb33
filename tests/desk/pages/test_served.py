"""The pages as a program: what runs beside the requests begins with the browser, ends with it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from desk.pages.background import Background
from desk.pages.serve import DeskServer
from tests.desk.pages.test_background import wait_for
from tests.desk.world import TODAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desk.desk import Desk
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

PROGRAM = """
import sys
from pathlib import Path
from crypto.ids import Day
from desk.cli import main
from desk.config import DeskHome
from desk.program import Setting

home, phrase, today = sys.argv[1:]
setting = Setting(DeskHome(Path(home), passphrase_file=Path(phrase)), today=lambda: Day(int(today)))
main(["serve", "--bind", "127.0.0.1:0", "--sync-every", "1"], obj=setting)
"""


@pytest.fixture
def served(desk: Desk, phrase: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """`amana-desk serve --bind 127.0.0.1:0 --sync-every 1`, its link, its port."""
    arguments = [str(desk.home.folder), str(phrase), str(int(TODAY))]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    said = child.stdout.readline() + child.stdout.readline()
    link = re.search(r"http://127\.0\.0\.1:(\d+)(/\S+)", said)
    assert link, child.communicate()
    yield child, link[2], int(link[1])
    child.kill()
    child.communicate()


def asked(port: int, path: str) -> int:
    """Open an address as a browser does; returns the status."""
    caller = HTTPConnection("127.0.0.1", port, timeout=20)
    caller.request("GET", path)
    status = caller.getresponse().status
    caller.close()
    return status


def test_it_syncs_once_somebody_is_in_and_ctrl_c_ends_it(
    served: tuple[subprocess.Popen[str], str, int], server: FakeServer, reporter: Reporter,
    desk: Desk,
) -> None:  # fmt: skip
    child, link, port = served
    server.put(*reporter.report())
    server.requests.clear()
    wait_for(lambda: asked(port, "/") == 404)
    assert server.requests == []
    assert asked(port, link) == 303
    wait_for(lambda: bool(desk.store.noted("last_sync")))
    assert desk.store.cases() == (reporter.case,)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert (child.returncode, err) == (0, "")


def test_the_server_ends_what_runs_beside_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(Background, "end", lambda _: ended.append(True))
    monkeypatch.setattr(
        DeskServer, "run", lambda self: self.cfg.settings["worker_exit"].get()(self, None)
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    assert run("serve", "--bind", f"127.0.0.1:{port}").exit_code == 0
    assert ended == [True]


@pytest.mark.parametrize("minutes", ["0", "1441", "often"])
def test_an_interval_is_some_minutes_and_a_day_at_most(run: Run, minutes: str) -> None:
    refused = run("serve", "--sync-every", minutes)
    assert refused.exit_code == 2
    assert "--sync-every" in refused.stderr
