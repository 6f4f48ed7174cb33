"""Run the pages under gunicorn, on this machine alone, for as long as the operator works.

Rule: one worker, so that link and sessions are one; threads, so that a film and a page
are served together; no access log, for it would list which cases were read and when.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from flask import Flask

    from desk.pages.door import Bind

MEMORY = "/dev/shm"  # noqa: S108  # an empty file, in memory
_THREADS = 8
_SECONDS = 600


class DeskServer(BaseApplication):  # type: ignore[misc]  # gunicorn is published without types
    """Gunicorn with settings of our own and no configuration file."""

    def __init__(self, app: Flask, bind: Bind) -> None:
        self._app = app
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Settings; each has its reason."""
        settings: dict[str, Any] = {
            "bind": self._bind.authority,
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "timeout": _SECONDS,
            "graceful_timeout": 5,
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "amana-desk",
            # Whoever could speak to it could reconfigure the server: there is none.
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            "umask": 0o077,
            # Its heartbeat file: memory, not the disk.
            "worker_tmp_dir": MEMORY if os.access(MEMORY, os.W_OK) else None,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, built and unlocked before the fork."""
        return self._app
