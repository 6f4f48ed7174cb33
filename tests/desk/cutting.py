"""A line that breaks: a proxy that lets so many bytes through, and no more."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Line:
    """What went through so far, in either direction, and after how many bytes it breaks."""

    url: str = ""
    answered: bytearray = field(default_factory=bytearray)
    asked: bytearray = field(default_factory=bytearray)
    answers_most: int | None = None
    asked_most: int | None = None
    is_cut: bool = False

    def let_through(self, piece: bytes, *, answer: bool) -> bytes:
        """The part of it that still goes through."""
        passed, most = (
            (self.answered, self.answers_most) if answer else (self.asked, self.asked_most)
        )
        kept = piece if most is None else piece[: max(0, most - len(passed))]
        passed += kept
        self.is_cut = self.is_cut or (most is not None and len(passed) >= most)
        return kept

    def mend(self) -> None:
        """From now on everything goes through."""
        self.answers_most, self.asked_most, self.is_cut = None, None, False


@contextmanager
def breaking(server: str) -> Iterator[Line]:
    """A line to a server on this machine."""
    line, listener = Line(), socket.create_server(("127.0.0.1", 0))
    line.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=_accept, args=(listener, urlsplit(server).port, line))
    thread.start()
    try:
        yield line
    finally:
        # A thread that accepts does not notice that its socket was closed.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _accept(listener: socket.socket, port: int | None, line: Line) -> None:
    with suppress(OSError):
        while True:
            here, _ = listener.accept()
            there = socket.create_connection(("127.0.0.1", port or 0))
            for one in (here, there):
                # A short piece does not wait for the other side to acknowledge the one before it.
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, answer in ((here, there, False), (there, here, True)):
                threading.Thread(
                    target=_pump, args=(source, target, line), kwargs={"answer": answer}
                ).start()


def _pump(source: socket.socket, target: socket.socket, line: Line, *, answer: bool) -> None:
    with suppress(OSError):
        while (piece := source.recv(65_536)) and not line.is_cut:
            target.sendall(line.let_through(piece, answer=answer))
            if line.is_cut:
                break
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
