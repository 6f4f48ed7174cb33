"""Have a file looked at: the asking end, in a process that holds secrets.

Rule: a worker looks at one file, once, and is killed.  What it answers is a width, a height and
that many pixels; where it is too slow, dies or is rude, there is nothing to see, and the pool
goes on.
"""

import atexit
import functools
import platform
import time
from pathlib import Path

from sanitizer.errors import JailUnavailable, Malformed, TooComplex, TooLarge
from sanitizer.jail import filters, wire
from sanitizer.jail.pool import Child, Died, Overdue, Pool
from sanitizer.jail.program import has_seccomp
from sanitizer.limits import Limits, MiB
from sanitizer.pieces import HELD, read_exactly
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
        self._order = order

    def of(self, child: Child, seconds: float) -> Sight:
        """Serve a worker's wishes until it has answered; raises Died, Overdue, Refused."""
        child.until = time.monotonic() + seconds
        self._send(child)
        while True:
            letter, length = wire.HEAD.unpack(child.take(wire.HEAD.size))
            if length > wire.MOST_WORDS:
                raise Malformed("the worker's answer cannot be read")
            payload = child.take(length)
            if letter == b"R" and length == wire.WANTED.size:
                child.put(self._wanted(*wire.WANTED.unpack(payload)))
            elif letter == orders.PICTURE_LETTER:
                return self._sight(payload, child)
            elif letter == b"E":
                raise wire.read_refusal(payload)
            else:
                raise Malformed("the worker's answer cannot be read")

    def _sight(self, payload: bytes, child: Child) -> Sight:
        found = orders.read_sight(payload, child.take, self._order)
        if child.has_more:
            raise Malformed("the worker's answer goes on")
        return found

    def _send(self, child: Child) -> None:
        memory = child.memory if self._source.length <= HELD else None
        if memory is not None:
            memory.write(read_exactly(self._source, 0, self._source.length))
        told = Order(
            subject=self._order.subject,
            length=self._source.length,
            side=self._order.side,
            part=self._order.part,
            is_shared=memory is not None,
        )
        child.put(told.to_bytes())

    def _wanted(self, offset: int, count: int) -> bytes:
        if count > wire.MOST_WANTED or offset + count > self._source.length:
            raise Malformed("the worker wants bytes that are not there")
        return read_exactly(self._source, offset, count)
