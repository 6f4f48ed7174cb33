"""Start the three programs, wait, and stop them cleanly.  It imports no room."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from demo.rehearsal import RehearsalFailed, program

if TYPE_CHECKING:
    from collections.abc import Mapping

START_SECONDS = 30.0
STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen, on this machine alone."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT`.

        Raises:
            RehearsalFailed: it is not of that form.
        """
        host, _, port = text.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise RehearsalFailed(f"an address is HOST:PORT, and {text!r} is not")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def is_free(self) -> bool:
        """Whether nobody listens there now."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return False
        return True

    def answers(self) -> bool:
        """Whether somebody listens there now."""
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


@dataclass(slots=True)
class Conductor:
    """The programs that were started, and their end."""

    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(
        self, arguments: list[str], environment: Mapping[str, str], *, listen: bool = False
    ) -> subprocess.Popen[str]:
        """Start one program; `listen` keeps what it prints for `line_with`.

        Its own session keeps the terminal's Ctrl-C away from it: the conductor stops the
        programs in their order, and each ends what it is doing first.
        """
        child = subprocess.Popen(  # noqa: S603  # our own programs
            [program(arguments[0]), *arguments[1:]],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if listen else None,
            text=True,
            start_new_session=True,
        )
        self.children.append(child)
        return child

    def wait_until_it_answers(self, child: subprocess.Popen[str], address: Address) -> None:
        """Wait until `child` listens.

        Raises:
            RehearsalFailed: it ended, or half a minute went by.
        """
        deadline = time.monotonic() + START_SECONDS
        while not address.answers():
            if child.poll() is not None:
                raise RehearsalFailed(f"{child.args!r} ended before it answered on {address}")
            if time.monotonic() > deadline:
                raise RehearsalFailed(f"nothing answered on {address} in time")
            time.sleep(0.1)

    def line_with(self, child: subprocess.Popen[str], word: str) -> str:
        """The first line that `child` prints with `word` in it.

        Raises:
            RehearsalFailed: it printed none in half a minute.
        """
        if child.stdout is None:
            raise RehearsalFailed("a program without an output cannot be read")
        # A program that says nothing is ended, and so the loop below ends too.
        watchdog = threading.Timer(START_SECONDS, child.terminate)
        watchdog.start()
        try:
            for line in child.stdout:
                if word in line:
                    return line.strip()
        finally:
            watchdog.cancel()
        raise RehearsalFailed(f"{child.args!r} did not say what was waited for")

    def watch(self) -> None:
        """Wait until one of the programs ends, which none should.

        Raises:
            RehearsalFailed: one did.
        """
        while all(child.poll() is None for child in self.children):
            time.sleep(0.3)
        raise RehearsalFailed("one of the programs ended by itself; see above")

    def stop(self) -> None:
        """End every program that was started, by its own process id, and wait for it."""
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in reversed(self.children):
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
