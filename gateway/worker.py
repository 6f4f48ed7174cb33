"""A worker of gunicorn whose threads wait for nobody.

(1) a connection is accepted; its address becomes a tag (gateway.sources), seen by nothing else
(2) its request is waited for without a thread, until it is there (gateway.arrival)
(3) it waits for its turn at a thread (gateway.crew)  (4) a thread serves it
(5) its end is waited for without a thread, again
Of a client nothing is said or echoed, and the process dumps no core.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import math
import os
import resource
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    ParseException,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from gateway.arrival import Arrival, Stage
from gateway.crew import Crew, Job
from gateway.headers import STRICT
from gateway.patience import PatientSocket
from gateway.quiet import hush, report_failure

if TYPE_CHECKING:
    from gateway.patience import Patience
    from gateway.sources import Sources

UMASK = 0o077
SOURCE_CONNECTIONS = 100
"""Connections of one source at a time: a network of many phones has room, a flood has not."""
_PR_SET_DUMPABLE = 4
_FILES_MOST = 16 * 1024
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 128 * 1024
_READ_BYTES = 64 * 1024
# A whole page fits: whoever does not read it keeps the kernel waiting and no thread.
_SEND_BUFFER = 256 * 1024
_ACCEPT_MOST = 32
_LOOK_SECONDS = 0.25
_LINGER_SECONDS = 2.0
# In its place stands what is nobody's address; no forwarding header is believed from it either.
_NOBODY = ("0.0.0.0", 0)  # noqa: S104 # nothing is bound to it


class BrokenBody(ConnectionResetError):
    """A body that is no HTTP: for the application as if the client had gone in the middle."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the body is no HTTP")


class _BodyReader:
    """gunicorn's reader of a body; what it says of a bad chunk, bytes and all, ends here."""

    def __init__(self, reader: Any) -> None:  # noqa: ANN401 # gunicorn's
        self._reader = reader

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._reader.read(size))
        except ParseException:
            raise BrokenBody from None


@dataclass(slots=True)
class _Waiting:
    """A connection that holds no thread: a request is waited for or, where it ``lingers``, its end.

    Past ``ends``, in monotonic seconds, it is waited for no longer.
    """

    arrival: Arrival
    ends: float = math.inf
    lingers: bool = False

    def is_over(self, now: float, patience: Patience) -> bool:
        """Whether it was waited for long enough."""
        return now > self.ends or (not self.lingers and self.arrival.is_over(now, patience))


class QuietWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Serves as the module's docstring says; everything but ``handle`` runs in the one loop."""

    def init_process(self) -> None:
        """Harden the process, then serve."""
        harden_process()
        allow_open_files()
        give_back_memory()
        hush()
        self._patience: Patience = self.app.patience
        self._sources: Sources = self.app.sources
        self._crew: Crew[Any] = Crew(self.cfg.threads)
        self._waiting: dict[Any, _Waiting] = {}
        self._open: Counter[bytes] = Counter()
        self._looked = 0.0
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """(1) Take a connection, unless its source has enough of them."""
        for _ in range(_ACCEPT_MOST):
            try:
                taken, address = listener.accept()
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE}:
                    self._make_room()
                elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                    raise
                return
            source = self._sources.tag(address)
            del address
            self._take(taken, source, listener)

    def _take(self, taken: socket.socket, source: bytes | None, listener: socket.socket) -> None:
        if source is not None:
            if self._open[source] >= SOURCE_CONNECTIONS:
                taken.close()
                return
            self._open[source] += 1
        with contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        # Told in the loop: a thread may close it.
        closed = partial(self.method_queue.defer, self._closed, source)
        ours = PatientSocket(taken, self._patience, source=source, closed=closed)
        self.nr_conns += 1
        self.enqueue_req(TConn(self.cfg, ours, _NOBODY, listener.getsockname()))
        if self.nr_conns > self.worker_connections - self.cfg.threads:
            self._make_room()

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401 # gunicorn's
        """(2) Wait for a request of a connection, new or kept."""
        arrival = Arrival(time.monotonic())
        self._wait(conn, _Waiting(arrival))
        ahead = conn.sock.take_ahead()
        if conn.parser is not None:
            # Bytes of this request that came with the last one.
            ahead = conn.parser.unreader.take_buffered() + ahead
        if ahead:
            self._came(conn, ahead)
        elif conn.initialized:
            self._readable(conn, conn.sock)

    def _wait(self, conn: Any, waiting: _Waiting) -> None:  # noqa: ANN401 # gunicorn's
        conn.sock.settimeout(0)
        self._waiting[conn] = waiting
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._readable, conn))

    def _readable(self, conn: Any, _: object) -> None:  # noqa: ANN401 # gunicorn's
        waiting = self._waiting.get(conn)
        if waiting is None:  # it was ended a moment ago
            return
        try:
            data = conn.sock.receive_now(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._end(conn)
            return
        if waiting.lingers:
            # After the answer: read to throw away, so that the answer is not cut off by a reset.
            if not data:
                self._end(conn)
        elif data:
            self._came(conn, data)
        elif waiting.arrival.got:
            self._hand_on(conn, is_all=False)
        else:
            self._end(conn)

    def _came(self, conn: Any, data: bytes) -> None:  # noqa: ANN401 # gunicorn's
        stage = self._waiting[conn].arrival.add(data, time.monotonic())
        if stage is Stage.BAD:
            with contextlib.suppress(OSError):
                conn.sock.send(_bare_answer(HTTPStatus.BAD_REQUEST))
            self._linger(conn)
        elif stage in {Stage.WHOLE, Stage.LONG}:
            self._hand_on(conn, is_all=False)

    def _hand_on(self, conn: Any, *, is_all: bool) -> None:  # noqa: ANN401 # gunicorn's
        """(3) Let a request wait for a thread; what is not there of it, the thread reads."""
        arrival = self._leave(conn).arrival
        conn.sock.hand_on(bytes(arrival.got), is_all=is_all)
        conn.data_ready = True
        long = arrival.stage is Stage.LONG
        conn.job = Job(conn, conn.sock.source, arrival.kind, long)
        self._crew.put(conn.job)
        self._dispatch()

    def _dispatch(self) -> None:
        while (job := self._crew.next()) is not None:
            super().enqueue_req(job.item)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 # gunicorn's
        """(4) Serve one request of a connection, in a thread."""
        conn.sock.begin_head()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 # gunicorn's
        """The head is read: what follows is the body, and the answer."""
        conn.sock.begin_body(req.force_close)
        req.body.reader = _BodyReader(req.body.reader)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401 # gunicorn's
        """(5) Keep a connection, or end it, and give its thread to the next."""
        self._crew.done(conn.job)
        kept = not fs.cancelled() and fs.exception() is None and fs.result()
        if not kept:
            self._linger(conn)
        elif conn.sock.has_ahead:
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)
        self._dispatch()

    def _linger(self, conn: Any) -> None:  # noqa: ANN401 # gunicorn's
        """End a connection when the client has its answer, or after a while."""
        if conn in self._waiting:
            self._leave(conn)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            now = time.monotonic()
            self._wait(conn, _Waiting(Arrival(now), now + _LINGER_SECONDS, lingers=True))
        except OSError:
            self._close(conn)

    def _leave(self, conn: Any) -> _Waiting:  # noqa: ANN401 # gunicorn's
        with contextlib.suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        return self._waiting.pop(conn)

    def _end(self, conn: Any) -> None:  # noqa: ANN401 # gunicorn's
        self._leave(conn)
        self._close(conn)

    def _close(self, conn: Any) -> None:  # noqa: ANN401 # gunicorn's
        self.nr_conns -= 1
        util.close(conn.sock)

    def _closed(self, source: bytes | None) -> None:
        if source is not None:
            self._open[source] -= 1
            if self._open[source] <= 0:
                del self._open[source]

    def _make_room(self) -> None:
        """End who waits longest: with its answer, else of the source that has most connections."""
        ended = [one for one, waiting in self._waiting.items() if waiting.lingers]
        most = self._open.most_common(1)
        theirs = [one for one in self._waiting if most and one.sock.source == most[0][0]]
        nobodys = [one for one in self._waiting if one.sock.source is None]
        if len(nobodys) > len(theirs):
            theirs = nobodys
        for conn in (ended or theirs or list(self._waiting))[:1]:
            self._end(conn)

    def murder_pending(self) -> None:
        """End, or hand on as it is, what was waited for long enough."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        waiting = list(self._waiting.items())
        for conn in [one for one, its in waiting if its.is_over(now, self._patience)]:
            if self._waiting[conn].arrival.stage is Stage.BODY:
                # The application answers, as it does to whoever goes in the middle.
                self._hand_on(conn, is_all=True)
            else:
                self._end(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        # A worker that stops waits for no request either.
        super()._cap_keepalive(deadline)
        for waiting in self._waiting.values():
            waiting.ends = min(waiting.ends, deadline)

    def handle_error(
        self,
        req: Any,  # noqa: ANN401, ARG002 # gunicorn's
        client: socket.socket,
        addr: Any,  # noqa: ANN401, ARG002 # gunicorn's: the address that must not be kept
        exc: BaseException,
    ) -> None:
        """Answer what is no HTTP with a fixed 400, what is our fault with a fixed 500."""
        status = HTTPStatus.BAD_REQUEST
        ours = isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName)
        if ours or not isinstance(exc, ParseException):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            report_failure(exc)
        with contextlib.suppress(OSError):
            util.write(client, _bare_answer(status))


def _bare_answer(status: HTTPStatus) -> bytes:
    fields = [
        ("Connection", "close"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(status.phrase))),
        *STRICT,
    ]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{n}: {v}" for n, v in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n" + status.phrase).encode("ascii")


def harden_process() -> None:
    """No core file, no debugger of the same user, no file that others can read.

    Raises OSError when the kernel refuses: a worker that cannot be hardened does not serve.
    """
    os.umask(UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) was refused")


def allow_open_files() -> None:
    """Let this process have as many connections and files open as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, _FILES_MOST)), hard))


def give_back_memory() -> None:
    """Let the C library return a large block when it is freed, whatever was freed before.

    By itself glibc keeps blocks up to 32 MiB once it has seen such a one: after a flood of long
    texts a worker would stay as large as it was in the middle of it.
    """
    with contextlib.suppress(AttributeError):  # another C library, which has no such setting
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
