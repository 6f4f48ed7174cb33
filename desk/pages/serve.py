"""Run the pages under gunicorn, on this machine alone, for as long as the operator works.

Rule: one worker, so that link and sessions are one; threads, so that a film and a page
are served together; no access log, for it would list which cases were read and when.
The address is ours before the link is printed: whoever else listens there must not be
handed the link's token by the operator's own browser.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from desk.errors import BindRefused
from desk.harden import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from desk.pages.door import Bind

_THREADS = 8
_SECONDS = 600
_WAITING = 64


@contextmanager
def listening(bind: Bind) -> Iterator[socket.socket]:
    """Listen on the address, before anybody is told of it.

    Raises:
        BindRefused: another program listens there, or this machine does not give it to us.
    """
    host = bind.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as taken:
        # What a desk left behind a minute ago does not count; who listens now does.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, bind.port))
            taken.listen(_WAITING)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BindRefused(
                    f"Another program listens on {bind.authority} already; perhaps a desk that is "
                    f"still open. Stop it, or choose another port: --bind {bind.host}:PORT"
                ) from None
            raise BindRefused(
                f"This machine does not let the desk listen on {bind.authority}: {error.strerror}."
            ) from None
        yield taken


class DeskServer(BaseApplication):  # type: ignore[misc]  # gunicorn is published without types
    """Gunicorn with settings of our own and no configuration file."""

    def __init__(
        self, app: WSGIApplication, listener: socket.socket, end: Callable[[], None] | None = None
    ) -> None:
        self._app = app
        self._end = end or (lambda: None)
        # gunicorn closes the number that it is given.
        self._listener = os.dup(listener.fileno())
        super().__init__()

    def load_config(self) -> None:
        """Settings; each has its reason."""
        settings: dict[str, Any] = {
            "bind": f"fd://{self._listener}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "timeout": _SECONDS,
            "graceful_timeout": 5,
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": "desk.pages.quiet.QuietLogger",
            "proc_name": "amana-desk",
            # Whoever could speak to it could reconfigure the server: there is none.
            "control_socket_disable": True,
            # What runs beside the requests runs in the worker, and ends with it.
            "worker_exit": lambda _server, _worker: self._end(),
            "forwarded_allow_ips": "",
            "umask": 0o077,
            # Its heartbeat file: memory, not the disk.
            "worker_tmp_dir": MEMORY if os.access(MEMORY, os.W_OK) else None,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """The application, built and unlocked before the fork."""
        return self._app
