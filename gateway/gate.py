"""The gate before Argon2id: 19 MiB and a core each, so few pass at a time.

Whoever's turn has come goes first, and of those, whoever is most on time: places that were hoarded
help nobody who comes with them later.  Then come those whose turn is still to come, the next one
first, and then whoever has none: what others do not use is theirs.  Few wait here, because each
holds a thread; all others are told when to come back.
"""

from __future__ import annotations

import heapq
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from gateway.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


EARLY_SECONDS = 0.2
_IN_TURN, _EARLY, _NEW = range(3)


@dataclass(slots=True, order=True)
class _Waiting:
    rank: int
    order: float
    number: int
    called: threading.Event = field(default_factory=threading.Event, compare=False)
    outdone: bool = field(default=False, compare=False)


def _nobody(_: float) -> None:
    pass


class Gate:
    """Lets ``slots`` through at a time; ``most`` of each rank wait.

    ``told`` hears how many seconds each took.
    """

    def __init__(self, slots: int, most: int) -> None:
        self._free = slots
        self._most = most
        self._lock = threading.Lock()
        self._heap: list[_Waiting] = []
        self._numbers = count()
        self.told: Callable[[float], None] = _nobody

    @property
    def is_crowded(self) -> bool:
        """Whether anybody waits."""
        return bool(self._heap)

    @contextmanager
    def through(self, late: float | None, seconds: float) -> Iterator[None]:
        """Pass, after ``seconds`` at most.  Raises Busy.

        ``late`` is how long ago one's turn came, negative before it, None without a turn.  Only
        whoever's turn has come waits long: for others, better an answer than a page that does not
        come.
        """
        mine = self._stand(late)
        if mine is not None:
            self._wait(mine, min(seconds, EARLY_SECONDS) if mine.rank else seconds)
        began = time.monotonic()
        try:
            yield
        finally:
            self._release()
            self.told(time.monotonic() - began)

    def _wait(self, mine: _Waiting, seconds: float) -> None:
        if not mine.called.wait(seconds):
            with self._lock:
                if not mine.called.is_set():
                    self._drop(mine)
                    raise Busy
        if mine.outdone:
            raise Busy

    def _drop(self, one: _Waiting) -> None:
        self._heap.remove(one)
        heapq.heapify(self._heap)

    def _stand(self, late: float | None) -> _Waiting | None:
        """Take a free slot, or wait for one; None where there was one."""
        rank = _NEW if late is None else _IN_TURN if late >= 0 else _EARLY
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            mine = _Waiting(rank, abs(late or 0.0), next(self._numbers))
            alike = [one for one in self._heap if one.rank == rank]
            if len(alike) >= self._most:
                last = max(alike)
                if last < mine:
                    raise Busy
                # Somebody more on time takes the place of whoever is latest.
                self._drop(last)
                last.outdone = True
                last.called.set()
            heapq.heappush(self._heap, mine)
            return mine

    def _release(self) -> None:
        with self._lock:
            if self._heap:
                # From hand to hand: nobody new comes in between.
                heapq.heappop(self._heap).called.set()
            else:
                self._free += 1
