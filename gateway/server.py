"""The two applications under gunicorn, which is told to keep quiet about whom it serves.

gunicorn by itself writes a client's address ("Invalid request from ip="), a request's path and its
query into its log, and echoes a bad request line in its answer.  Here its log is an allow-list of
messages about the server itself, and its own error answers are one fixed page.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from gateway.patience import Patience
from gateway.quiet import describe
from gateway.sources import Sources
from gateway.worker import UMASK, harden_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from gateway.config import GatewayConfig

GRACE_SECONDS = 30
SILENCE_SECONDS = 120
CONNECTIONS = 1000

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
        self.sources = Sources(config.shared_sources)
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
        "worker_class": "gateway.worker.QuietWorker",
        "workers": config.workers,
        "threads": config.threads,
        "worker_connections": CONNECTIONS + config.threads,
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
