"""Which request gets the next thread: each source in its turn, and long bodies never all threads.

A source is who may be told apart from others (gateway.sources).  Those who cannot be are one
source together; there each kind of request has its turn, so that a flood of one kind does not
stand before the others.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = tuple[bytes | None, bytes, bool]


@dataclass(frozen=True, slots=True)
class Job(Generic[Item]):
    """One request that is there: whose it is, of which kind, and whether its body is long."""

    item: Item
    source: bytes | None
    kind: bytes
    long: bool

    @property
    def key(self) -> Key:
        """The queue it stands in."""
        return (self.source, b"" if self.source else self.kind, self.long)


class Crew(Generic[Item]):
    """The threads of one worker.  Not safe to share between threads: the one loop has it."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._long = max(1, threads // 2)
        self._running: dict[bytes | None, int] = {}
        self._running_long: dict[bytes | None, int] = {}
        self._queues: OrderedDict[Key, deque[Job[Item]]] = OrderedDict()

    def put(self, job: Job[Item]) -> None:
        """Let a request wait for a thread."""
        self._queues.setdefault(job.key, deque()).append(job)

    def next(self) -> Job[Item] | None:
        """Return the request that a thread is to serve now, or None."""
        if sum(self._running.values()) >= self._threads:
            return None
        for key, queue in self._queues.items():
            if not self._may_run(queue[0]):
                continue
            job = queue.popleft()
            if queue:
                self._queues.move_to_end(key)
            else:
                del self._queues[key]
            _count(self._running, job.source, 1)
            if job.long:
                _count(self._running_long, job.source, 1)
            return job
        return None

    def done(self, job: Job[Item]) -> None:
        """Its thread is free again."""
        _count(self._running, job.source, -1)
        if job.long:
            _count(self._running_long, job.source, -1)

    def _may_run(self, job: Job[Item]) -> bool:
        # One source never has all: half of the threads, half of those for long bodies.
        if job.source and self._running.get(job.source, 0) >= max(1, self._threads // 2):
            return False
        if not job.long:
            return True
        if job.source and self._running_long.get(job.source, 0) >= max(1, self._long // 2):
            return False
        return sum(self._running_long.values()) < self._long


def _count(counts: dict[bytes | None, int], source: bytes | None, by: int) -> None:
    """Add to one count; one that is nothing is not kept."""
    counts[source] = counts.get(source, 0) + by
    if not counts[source]:
        del counts[source]
