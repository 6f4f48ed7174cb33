"""What one source may ask for, in a worker's memory and under tags that live an hour.

A budget is one number: the time until which its source has used it up.  Nothing is counted of
those who cannot be told apart (``None``): they have the queue that all share (gateway.places).
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SOURCES_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then one in each ``seconds``."""

    burst: int
    seconds: float


# Per worker and source; many phones of one network share an address.
ASKING = Rate(burst=400, seconds=0.1)
"""Requests of any kind."""
WORK = Rate(burst=20, seconds=3.0)
"""Requests that cost Argon2id: a report, a code, a message."""


UPLOADS = Rate(burst=16, seconds=600.0)
"""Uploads in pieces that are under way; what arrived or was given up is given back."""


class Budget:
    """One kind of budget, for each source.  Safe to share between threads."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._now = monotonic
        self._lock = threading.Lock()
        self._used: OrderedDict[bytes, float] = OrderedDict()

    def take(self, source: bytes | None) -> bool:
        """Use it once; whether there was enough of it."""
        if source is None:
            return True
        with self._lock:
            until = self._until(source) + self._rate.seconds
            if until > self._now() + self._rate.burst * self._rate.seconds:
                return False
            self._keep(source, until)
            return True

    def give_back(self, source: bytes | None) -> None:
        """Take one use back."""
        if source is not None:
            with self._lock:
                self._keep(source, max(self._until(source) - self._rate.seconds, self._now()))

    def used(self, source: bytes) -> int:
        """How many uses are not made up for yet."""
        with self._lock:
            return math.ceil((self._until(source) - self._now()) / self._rate.seconds)

    def is_left(self, source: bytes) -> bool:
        """Whether it can be used once more."""
        with self._lock:
            until = self._until(source) + self._rate.seconds
            return until <= self._now() + self._rate.burst * self._rate.seconds

    def book(self, source: bytes, longest: float) -> float | None:
        """Use it ahead of time: the monotonic time at which there will be enough of it.

        None where that is more than ``longest`` seconds away.
        """
        with self._lock:
            until = self._until(source) + self._rate.seconds
            turn = until - self._rate.burst * self._rate.seconds
            if turn > self._now() + longest:
                return None
            self._keep(source, until)
            return turn

    def _until(self, source: bytes) -> float:
        return max(self._used.get(source, 0.0), self._now())

    def _keep(self, source: bytes, until: float) -> None:
        self._used[source] = until
        self._used.move_to_end(source)
        # The first was used longest ago; one whose time is over says nothing any more.
        while next(iter(self._used.values())) < self._now() or len(self._used) > _SOURCES_MOST:
            self._used.popitem(last=False)
