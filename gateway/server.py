"""The two applications under gunicorn, which is told to keep quiet about whom it serves.

gunicorn by itself writes a client's address ("Invalid request from ip="), a request's path and its
query into its log, and echoes a bad request line in its answer.  Here its log is an allow-list of
messages about the server itself, and its own error answers are one fixed page.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import selectors
import sys
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    ParseException,
)
from gunicorn.workers.gthread import ThreadWorker

from gateway.headers import STRICT
from gateway.patience import Patience, PatientSocket
from gateway.quiet import describe, hush, report_failure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from flask import Flask

    from gateway.config import GatewayConfig

UMASK = 0o077
GRACE_SECONDS = 30
SILENCE_SECONDS = 120

_PR_SET_DUMPABLE = 4

# What gunicorn says about itself: a process's number, a signal, an address it cannot have.  All
# else may hold something of a client and is not written.
_SAYABLE = frozenset(
    {
        "Booting worker with pid: %s",
        "Can't connect to %s",
        "Connection in use: %s",
        "Handling signal: %s",
        "Invalid address: %s",
        "Shutting down: %s",
        "Starting gunicorn %s",
        "Using worker: %s",
        "WORKER TIMEOUT (pid:%s)",
        "Worker (pid:%s) exited with code %s.",
        "Worker (pid:%s) was sent %s!%s",
        "Worker exiting (pid: %s)",
    }
)


class QuietLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Writes gunicorn's own lifecycle and, of an error, its type and place; nothing of a client.

    Lines bear no time: whoever needs one has a journal that adds it.
    """

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 # gunicorn has no types
        """Configure nothing: no handler, no file, no syslog."""
        self.cfg = cfg
        self._access_log_enabled = False

    def _say(self, level: str, msg: object, args: tuple[Any, ...]) -> None:
        if isinstance(msg, str) and msg in _SAYABLE:
            self._write(level, msg % args if args else msg)

    def _write(self, level: str, text: str) -> None:
        print(f"amana [{os.getpid()}] {level}: {text}", file=sys.stderr, flush=True)  # noqa: T201 # this is the log

    def critical(self, msg: object, *args: Any, **_: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write what may be said."""
        self._say("critical", msg, args)

    def error(self, msg: object, *args: Any, exc_info: bool = False, **_: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write what may be said; with ``exc_info`` the error's type and place."""
        if exc_info:
            self.exception(msg)
        else:
            self._say("error", msg, args)

    def warning(self, msg: object, *args: Any, **_: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write what may be said."""
        self._say("warning", msg, args)

    def info(self, msg: object, *args: Any, **_: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write what may be said."""
        self._say("info", msg, args)

    def exception(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write the error's type and place, never the message."""
        error = sys.exc_info()[1]
        # SystemExit is how a worker ends.
        if error is not None and not isinstance(error, SystemExit):
            self._write("error", f"failed: {describe(error)}")

    def debug(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write nothing: gunicorn's debug lines name connections."""

    def log(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write nothing."""

    def access(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Write nothing: there is no access log."""


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


class QuietWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """A threaded worker that dumps no core, waits for nobody for ever, and echoes nothing.

    A thread is given to a connection once a byte of it is there, and taken away as Patience says.
    """

    def init_process(self) -> None:
        """Harden the process, then serve."""
        harden_process()
        hush()
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Give a connection to a thread; a new one waits for its first byte without one."""
        if isinstance(conn.sock, PatientSocket):
            super().enqueue_req(conn)
            return
        patience: Patience = self.app.patience
        conn.sock = PatientSocket(conn.sock, patience)
        conn.timeout = time.monotonic() + patience.first
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 # gunicorn's
        """Serve one request of a connection, in a thread."""
        conn.sock.begin_head()
        kept = super().handle(conn)
        if kept is False:
            # Here, and not where gunicorn does it: in the one loop that all connections share,
            # which would wait two seconds for each client that does not close its end.
            if conn.sock.gave_up:
                util.close(conn.sock)
            else:
                util.close_graceful(conn.sock)
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 # gunicorn's
        """The head is read: what follows is the body, and the answer."""
        conn.sock.begin_body(req.force_close)
        req.body.reader = _BodyReader(req.body.reader)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401 # gunicorn's
        """Keep a connection, or count one less that was closed by its thread."""
        if conn.sock.fileno() < 0:
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)

    def _cap_keepalive(self, deadline: float) -> None:
        # A worker that stops waits for no first byte either.
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

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


@dataclass(frozen=True, slots=True)
class Program:
    """One of the two programs: its name, where it listens, and how a worker makes its app."""

    name: str
    bind: str
    make: Callable[[], Flask]


class _Embedded(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn with settings of ours alone: no file, no environment, no command line."""

    def __init__(self, program: Program, config: GatewayConfig) -> None:
        self._program = program
        self._config = config
        self.patience = Patience.of(config.receive_seconds)
        super().__init__()

    def load_config(self) -> None:
        for name, value in settings(self._program, self._config).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # In the worker, after the fork: connections and threads are not for sharing.
        return self._program.make()


def settings(program: Program, config: GatewayConfig) -> dict[str, Any]:
    """Gunicorn's settings; what is not named keeps its default."""
    return {
        "bind": program.bind,
        "proc_name": f"amana-{program.name}",
        "worker_class": "gateway.server.QuietWorker",
        "workers": config.workers,
        "threads": config.threads,
        "timeout": SILENCE_SECONDS,
        "graceful_timeout": GRACE_SECONDS,
        "umask": UMASK,
        "logger_class": "gateway.server.QuietLogger",
        "when_ready": lambda _: _say_ready(program),
        "accesslog": None,
        "capture_output": False,
        # Whoever could speak to it could reconfigure the server: there is none.
        "control_socket_disable": True,
        # A forwarding header says who a client is.  None is believed, so that none is used.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        # The heartbeat's file: in memory where there is such a place.
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 # a heartbeat of no content
    }


def _say_ready(program: Program) -> None:
    # The port alone: an address in a log should mean one thing, that something is wrong.
    place = program.bind.rpartition(":")[2]
    print(f"amana [{os.getpid()}] info: {program.name} is ready on {place}", file=sys.stderr)  # noqa: T201 # this is the log


def serve(program: Program, config: GatewayConfig) -> None:
    """Serve until a signal ends it.  Raises SystemExit when gunicorn cannot begin."""
    harden_process()
    # gunicorn would read these into its settings.
    os.environ.pop("GUNICORN_CMD_ARGS", None)
    _Embedded(program, config).run()
