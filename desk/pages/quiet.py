"""What the pages' server may say in the operator's terminal: what failed, and where in the code.

Rule: a request's line, a case's path, a message, a local variable or an address is never
written; a type and a line of code are enough to find a fault.  Whoever later reads the terminal
does not read there which cases were looked at.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from flask import Flask
from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from types import TracebackType


def describe(error: BaseException) -> str:
    """`KeyError at desk/cases.py:71`: of the error and of each one that it came from."""
    found: list[str] = []
    current: BaseException | None = error
    while current is not None:
        found.append(type(current).__name__ + _place(current.__traceback__))
        current = current.__cause__ or current.__context__
    return ", from ".join(found)


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    if not frames:
        return ""
    # The file's own name and its folder's: enough to find it, nothing of the machine.
    name = "/".join(frames[-1].filename.rsplit("/", 2)[-2:])
    return f" at {name}:{frames[-1].lineno}"


def report(error: BaseException | None) -> None:
    """One line about an error on stderr; none where a worker only ends."""
    if error is not None and not isinstance(error, SystemExit):
        print(f"amana-desk: failed: {describe(error)}", file=sys.stderr, flush=True)  # noqa: T201  # a program's own stderr


class QuietFlask(Flask):
    """Flask, whose own log would hold the path of the page and the whole traceback."""

    def log_exception(self, exc_info: Any) -> None:  # noqa: ANN401  # as Flask declares it
        """Write the error's type and place."""
        report(exc_info[1])


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn is published without types
    """gunicorn's log: silent, but for the type and place of an error of ours."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401  # gunicorn's
        """Configure nothing: no handler, no file, no syslog."""
        self.cfg = cfg

    def exception(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  # gunicorn's
        """Write the error's type and place, never the message."""
        report(sys.exc_info()[1])

    def error(self, *_: Any, exc_info: Any = False, **__: Any) -> None:  # noqa: ANN401  # gunicorn's
        """Write the error's type and place if there is one, never the message."""
        if exc_info:
            self.exception()

    def critical(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  # gunicorn's
        """Write nothing."""

    warning = info = debug = log = access = critical
