"""Who runs the cleaners of pictures and documents: a jailed worker, or this process itself.

Rule: a cleaner whose parsers are written in C runs in a jailed worker or not at all.  Where this
machine cannot lock a worker, only what is cleaned by Python code (and by zlib) is
cleaned, in this process; the rest is refused.
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, Self

from sanitizer import recheck
from sanitizer.detect import Format
from sanitizer.errors import JailUnavailable
from sanitizer.jail.pool import shared_pool
from sanitizer.limits import Limits
from sanitizer.result import Planned, Planner
from sanitizer.source import UntrustedSource
from sanitizer.unlocked import WITHOUT_JAIL


class Worker(Protocol):
    """Cleans the pictures and documents of one person, one after the other."""

    def clean(self, kind: Format, source: UntrustedSource, limits: Limits) -> Planned:
        """Return the clean file, which may name ranges of ``source``; raises a leaf of Refused."""
        ...


class Workers(Protocol):
    """Where workers come from."""

    def lease(self) -> AbstractContextManager[Worker]:
        """Hand out a worker for the files of one person; no other person's file meets it."""
        ...


class Here:
    """This process as a worker: for machines that can lock nothing, and for tests."""

    def __init__(self, planned: Mapping[Format, Planner]) -> None:
        """Clean with the cleaners of ``planned``, and refuse what they do not serve."""
        self._planned = planned

    @contextlib.contextmanager
    def lease(self) -> Iterator[Self]:
        """There is nothing to begin and nothing to end."""
        yield self

    def clean(self, kind: Format, source: UntrustedSource, limits: Limits) -> Planned:
        """Clean in this process; raises a leaf of Refused."""
        if kind not in self._planned:
            raise JailUnavailable("this machine cannot lock a worker in")
        planned = self._planned[kind](source, limits)
        recheck.check(kind, planned.plan)
        return planned


def workers() -> Workers:
    """Return what this machine has: the pool of this process, or Python code alone."""
    return shared_pool() or Here(WITHOUT_JAIL)


def make_ready() -> None:
    """Make this process's workers now, where it can have any, so that no file has to wait."""
    pool = shared_pool()
    if pool is not None:
        # Whoever sends a file is told the same then.
        with contextlib.suppress(JailUnavailable):
            pool.start()
