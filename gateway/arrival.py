"""What has come of a request so far, before a thread is given to it.

A thread costs much and a connection little: so a request is waited for without a thread until it
is there, its head and, where that is short, its body.  Whoever sends it a byte at a time holds
nothing that somebody else needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.patience import Patience

HEAD_MOST = 32 * 1024
"""Bytes of a request's head; browsers send a tenth of that."""
BODY_MOST = 64 * 1024
"""Bytes of a body that is waited for without a thread; a report without files has less."""
_END = b"\r\n\r\n"
# What reporters send; each is a queue of its own where senders cannot be told apart.
_KINDS = frozenset({b"write", b"send", b"thread", b"message"})


class Stage(Enum):
    """How far a request is."""

    IDLE = "nothing of it came"
    HEAD = "its head is not whole"
    BODY = "its body is short and not whole"
    WHOLE = "it is there"
    LONG = "its body is long: a thread must read it"
    BAD = "its head is too long to be one"


@dataclass(slots=True)
class Arrival:
    """The bytes of one request, until a thread takes them.  Times are monotonic seconds."""

    began: float
    got: bytearray = field(default_factory=bytearray)
    stage: Stage = Stage.IDLE
    kind: bytes = b""
    _last: float = 0.0
    _need: int = 0
    _searched: int = 0

    def add(self, data: bytes, now: float) -> Stage:
        """Take bytes that came; returns how far the request is now."""
        if self.stage is Stage.IDLE:
            # Empty lines before a request are none: with them, a head would seem to end.
            data = data.lstrip(b"\r\n")
            if not data:
                return self.stage
            self.stage, self.began = Stage.HEAD, now
        self._last = now
        self.got += data
        if self.stage is Stage.HEAD:
            self._look_for_end(now)
        if self.stage is Stage.BODY and len(self.got) >= self._need:
            self.stage = Stage.WHOLE
        return self.stage

    def is_over(self, now: float, patience: Patience) -> bool:
        """Whether it was waited for long enough."""
        waited = now - self.began
        if self.stage is Stage.IDLE:
            return waited > patience.first
        if self.stage is Stage.HEAD:
            return waited > patience.head
        slow = waited > patience.grace and len(self.got) < patience.rate * waited
        return slow or now - self._last > patience.silence

    def _look_for_end(self, now: float) -> None:
        end = self.got.find(_END, max(0, self._searched - len(_END)))
        self._searched = len(self.got)
        if end > HEAD_MOST or (end < 0 and len(self.got) > HEAD_MOST):
            self.stage = Stage.BAD
        elif end >= 0:
            lines = bytes(self.got[:end]).split(b"\r\n")
            self.kind = _kind(lines[0])
            length = _body_length(lines[1:])
            self._need = end + len(_END) + (length or 0)
            self.stage = Stage.LONG if length is None else Stage.BODY
            self.began = now


def _kind(line: bytes) -> bytes:
    """Return which of the reporters' forms it is, or nothing; from a request's first line."""
    method, _, rest = line.partition(b" ")
    last = rest.partition(b" ")[0].rpartition(b"/")[2]
    return last if method == b"POST" and last in _KINDS else b""


def _body_length(lines: list[bytes]) -> int | None:
    """Return the bytes of a short body; None where it is long, or its length is not said.

    What is wrong here is found by the parser that comes after: this only says who waits for it.
    """
    length = 0
    for line in lines:
        name, _, untrusted = line.partition(b":")
        name, untrusted = name.strip().lower(), untrusted.strip()
        if name in {b"transfer-encoding", b"expect"}:
            return None
        if name == b"content-length":
            if not untrusted.isdigit() or len(untrusted) > len(str(BODY_MOST)):
                return None
            length = max(length, int(untrusted))
    return length if length <= BODY_MOST else None
