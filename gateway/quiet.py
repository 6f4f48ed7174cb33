"""What may be said when something fails: which kind of error, and where in the code.  No more.

A message, a local variable or a path may hold what a reporter wrote or who they are; a type and a
line of ours cannot.
"""

from __future__ import annotations

import sys
import traceback


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


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    # The file's own name and its folder's: enough to find it, nothing of the machine.
    place = "/".join(last.filename.rsplit("/", 2)[-2:])
    return f" at {place}:{last.lineno} in {last.name}"
