"""Store a report, over and over, killed one step later each time; run by test_kill.py.

``python -m tests.vault.killable FOLDER``: FOLDER/template is a vault.  For each step a copy of it
is made, a child is forked that stores one report in it and kills itself (SIGKILL) at that step, and
one JSON line says what the child had said by then.  The last line is of a child that lived.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import obstore
from sqlalchemy import event

from crypto.header import Kind
from tests.vault.builders import Calendar, envelope, new_case, urls
from vault.vault import Vault

CONTENT = b"sealed" * 100_000


class Steps:
    """Counts steps, and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self, *_: object, **__: object) -> None:
        """Count one step; die if it is the one."""
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def around(self, holder: Any, name: str) -> None:
        """A step before and after each call of ``holder.name``."""
        real = getattr(holder, name)

        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = real(*args, **kwargs)
            self.step()
            return result

        setattr(holder, name, stepped)


class SteppedWriter:
    """obstore's writer with a step before and after each call."""

    def __init__(self, steps: Steps, real: Any) -> None:
        self.write, self.close, self.closed = real.write, real.close, real.closed
        steps.around(self, "write")
        steps.around(self, "close")


def store_report(folder: Path, steps: Steps, told: int) -> None:
    vault = Vault.open(*urls(folder), today=Calendar().today)
    steps.around(os, "fsync")
    steps.around(os, "utime")
    opened = obstore.open_writer

    def open_stepped(*args: Any, **kwargs: Any) -> Any:
        return SteppedWriter(steps, opened(*args, **kwargs))

    obstore.open_writer = open_stepped
    for name in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(vault._database._reading, name, steps.step)
    case = new_case()

    def sealed(kind: Kind) -> Any:
        with vault.new_blob() as writer:
            writer.write(CONTENT)
            return envelope(case.case_id, kind, writer.commit())

    early = sealed(Kind.EVIDENCE)
    vault.stage(early)
    late = sealed(Kind.EVIDENCE)
    steps.step()
    vault.accept_report(
        case, [envelope(case.case_id), envelope(case.case_id, Kind.IDENTITY), late], [early.id]
    )
    steps.step()
    os.write(told, b"acknowledged")
    steps.step()


def main(folder: Path) -> None:
    step = 0
    while True:
        copy = folder / f"step{step}"
        shutil.copytree(folder / "template", copy)
        reading, telling = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                store_report(copy, Steps(step), telling)
                status = 0
            finally:
                os._exit(status)
        os.close(telling)
        status = os.waitpid(child, 0)[1]
        acknowledged = os.read(reading, 100) == b"acknowledged"
        os.close(reading)
        lived = os.WIFEXITED(status)
        line = {"step": step, "acknowledged": acknowledged, "status": status}
        sys.stdout.write(json.dumps(line) + "\n")
        if lived:
            return
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
