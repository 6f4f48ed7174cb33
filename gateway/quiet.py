"""What may be said when something fails: which kind of error, and where in the code.  No more.

A message, a local variable or a path may hold what a reporter wrote or who they are; a type and a
line of ours cannot.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from types import TracebackType


def describe(error: BaseException) -> str:
    """``KeyError at vault/rows.py:71 in to_case``, and so on for each error that caused it."""
    found = []
    current: BaseException | None = error
    while current is not None:
        found.append(f"{type(current).__name__}{_where(current)}")
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return ", from ".join(found)


def report_failure(error: BaseException) -> None:
    """Write one line about an error to stderr."""
    print(f"amana: failed: {describe(error)}", file=sys.stderr, flush=True)  # noqa: T201 # a program's own stderr


class QuietFlask(Flask):
    """An application that says of an error what may be said.

    Flask's own log would hold the path, the time and the whole traceback with its messages, and it
    is written where a handler of errors fails itself.
    """

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Write one line."""
        if exc_info[1] is not None:
            report_failure(exc_info[1])


def hush() -> None:
    """Let nothing in this process write a traceback, or a log of its own, to stderr."""
    logging.disable(logging.CRITICAL)
    threading.excepthook = _report_ended
    sys.unraisablehook = _report_ended


def _report_ended(ended: Any) -> None:  # noqa: ANN401 # two types of one shape, both made by the interpreter
    if ended.exc_value is not None:
        report_failure(ended.exc_value)


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    # The file's own name and its folder's: enough to find it, nothing of the machine.
    place = "/".join(last.filename.rsplit("/", 2)[-2:])
    return f" at {place}:{last.lineno} in {last.name}"
