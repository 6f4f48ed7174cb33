"""A whole rehearsal, run as a person would run it: `python -m demo`, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 120.0


@dataclass(slots=True)
class RunningDemo:
    """The three addresses of a running rehearsal, and what it has printed so far."""

    home: Path
    site: str
    sync: str
    desk: str
    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    @property
    def desk_link(self) -> str:
        """The desk's one-time link, as the demo printed it."""
        found = re.search(rf"{re.escape(self.desk)}/\S+", "".join(self.printed))
        assert found, "".join(self.printed)
        return found.group()

    def output(self) -> str:
        """All that the programs printed, on both streams."""
        return "".join(self.printed)

    def amana(self, *arguments: str, desk: str = "operator-1") -> str:
        """Run one of our programs as that operator would in a terminal."""
        environment = {
            **os.environ,
            "AMANA_HOME": str(self.home),
            "AMANA_DESK_HOME": str(self.home / "desks" / desk),
            "AMANA_DESK_PASSPHRASE_FILE": str(self.home / "rehearsal-passphrase"),
        }
        command = [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def amana_json(self, *arguments: str, desk: str = "operator-1") -> Any:
        """The same, for a command that prints JSON."""
        return json.loads(self.amana(*arguments, "--json", desk=desk))

    def worker_pids(self) -> list[int]:
        """Process ids of everything the demo started, itself included."""
        pids, unseen = [self.process.pid], [self.process.pid]
        while unseen:
            parent = unseen.pop()
            for task in Path(f"/proc/{parent}/task").glob("*/children"):
                children = [int(word) for word in task.read_text().split()]
                pids += children
                unseen += children
        return pids


@contextmanager
def running_demo(home: Path, **environment: str) -> Iterator[RunningDemo]:
    """Start the rehearsal below `home`; stop it with one SIGINT, as Ctrl-C would."""
    site, sync, desk = (f"127.0.0.1:{port}" for port in free_ports(3))
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        env={
            **os.environ,
            "AMANA_HOME": str(home),
            "AMANA_SITE_BIND": site,
            "AMANA_SYNC_BIND": sync,
            "AMANA_DESK_BIND": desk,
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    demo = RunningDemo(home, f"http://{site}", f"http://{sync}", f"http://{desk}", process)
    reader = threading.Thread(target=_listen, args=(demo,), daemon=True)
    reader.start()
    try:
        assert demo.ready.wait(START_SECONDS), demo.output()
        assert process.poll() is None, demo.output()
        yield demo
    finally:
        if process.poll() is None:
            # Whoever ran us in the background had us ignore SIGINT, and so does what we started.
            ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            process.send_signal(signal.SIGTERM if ignored else signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)


def _listen(demo: RunningDemo) -> None:
    """Keep what is printed, and notice the invitation's last line."""
    assert demo.process.stdout
    for line in demo.process.stdout:
        demo.printed.append(line)
        if "Ctrl-C stops it" in line:
            demo.ready.set()
    demo.ready.set()
