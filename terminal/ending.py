"""A program's last step: did all that it printed go out?

Python writes the rest of a program's output when the program has ended already, and a full disk
behind `>` would then be a traceback beside exit code 120, or nothing at all.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Ended = TypeVar("_Ended")


def to_its_end(run: Callable[[], _Ended], refuse: Callable[[str], NoReturn]) -> _Ended:
    """Run a program; call `refuse` with why not, where the machine would not take its output.

    What the machine refuses before a command runs, as an OSError, is told in the same way.  A
    program that has an end of its own to tell (a failure, alarms) keeps its exit code.
    """
    try:
        return run()
    except OSError as error:
        why = unwritten() or _said(error)
    except SystemExit as ended:
        why = unwritten()
        if why and ended.code:
            # Whoever reads half a report is told that it is half a one.
            with suppress(SystemExit):
                refuse(why)
        if ended.code or not why:
            raise
    return refuse(why)


def unwritten() -> str:
    """Why not all of the output went out, a full disk for one; Python does not try again then."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever closes a pipe has read what they wanted.
        return "" if isinstance(error, BrokenPipeError) else _said(error)
    return ""


def _said(error: OSError) -> str:
    """What happened to which file, without Python's number of it."""
    if not error.strerror:
        return str(error)
    return ": ".join(filter(None, (str(error.filename or ""), error.strerror)))
