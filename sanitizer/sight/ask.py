"""Have a file looked at: the asking end, in a process that holds secrets.

Rule: a worker looks at one file, once, and is killed.  What it answers is a width, a height and
that many pixels; where it is too slow, dies or is rude, there is nothing to see, and the pool
goes on.
"""

import atexit
import functools
import platform
import time
from dataclasses import replace
from pathlib import Path

from sanitizer.errors import JailUnavailable, Malformed, TooComplex, TooLarge
from sanitizer.jail import filters, wire
from sanitizer.jail.child import Child, Died, Overdue
from sanitizer.jail.pool import Pool
from sanitizer.jail.program import has_seccomp
from sanitizer.limits import Limits, MiB
from sanitizer.sight import order as orders
from sanitizer.sight import zygote
from sanitizer.sight.order import Order, Sight
from sanitizer.source import UntrustedSource

_TRIES = 2
_ZYGOTE = Path(zygote.__file__)
LIMITS = Limits(
    worker_seconds=30,
    child_cpu_seconds=30,
    worker_wait_seconds=60,
    worker_memory_bytes=1024 * MiB,
    file_bytes=256 * MiB,
    child_seconds=180,
)
"""How much looking at one file may ask for; ``file_bytes`` is for pictures and documents."""


@functools.cache
def looking() -> Pool | None:
    """Return this process's pool of workers that look, or None where none can be locked in."""
    is_linux = platform.system() == "Linux" and platform.machine() in filters.ARCHITECTURES
    if not (is_linux and has_seccomp()):
        return None
    pool = Pool(LIMITS, ready=1, program=_ZYGOTE)
    atexit.register(pool.close)
    return pool


def see(pool: Pool | None, source: UntrustedSource, order: Order, limits: Limits = LIMITS) -> Sight:
    """Return what is seen of a file; raises a leaf of Refused."""
    if pool is None:
        raise JailUnavailable("this machine cannot lock a worker in")
    if source.length > limits.file_bytes:
        raise TooLarge("longer than what is shown")
    if not pool.processors.acquire(timeout=limits.worker_wait_seconds):
        raise JailUnavailable("too many files are being looked at")
    try:
        for _ in range(_TRIES):
            made, child = pool.take()
            asked = _Asked(source, order)
            try:
                return asked.of(child, limits.worker_seconds)
            except Overdue:
                raise TooComplex("looking at it takes too long") from None
            except Died:
                # With its zygote, it was not the file's doing.
                if pool.is_alive(made):
                    raise Malformed("the file broke its reader") from None
            finally:
                pool.give_back(made, child)
        raise JailUnavailable("the jailed workers are being killed")
    finally:
        pool.processors.release()


class _Asked:
    """One file on its way through one worker."""

    def __init__(self, source: UntrustedSource, order: Order) -> None:
        self._source = source
        self._order = replace(order, length=source.length)

    def of(self, child: Child, seconds: float) -> Sight:
        """Serve a worker's wishes until it has answered; raises Died, Overdue, Refused."""
        child.until = time.monotonic() + seconds
        child.ask(self._source, lambda shared: replace(self._order, is_shared=shared).to_bytes())
        letter, payload = child.heard(self._source)
        if letter == b"E":
            raise wire.read_refusal(payload)
        if letter != orders.PICTURE_LETTER:
            raise Malformed("the worker's answer cannot be read")
        found = orders.read_sight(payload, child.take, self._order)
        child.require_end()
        return found
