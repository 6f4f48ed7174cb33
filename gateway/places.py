"""Places in a queue that nobody stands in: a time at which it will be one's turn.

The workers of one gateway share a few numbers: until when the places that were given reach, and
how long one takes.  A place names its own time and is sealed into the page of whoever waits, so
that nothing is kept of anybody.  As many fall due in a second as this machine can serve, with a
reserve, so that the promise holds.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SECONDS = 3600.0
"""No place is given that is farther away; whoever comes then is told to try again."""
VALID_SECONDS = 3600.0
"""A place that was not used for so long is none any more."""
# Of what the machine can do, so much is promised: pages need the rest, and measures err.
_PROMISED = 0.5
LANES = REPORTS, CODES = range(2)
"""What is written, and what is only looked up: a flood of one does not put off the other."""
_KEY_BYTES = 32
_FIRST_GUESS = 0.1
_LEAST, _MOST = 0.005, 5.0
_WEIGHT = 0.1
_FORMAT = struct.Struct(f"<{len(LANES)}dd")


class Places:
    """What the workers share.  Made before they are; safe to share between threads as well.

    ``slots`` is how many are served at the same time, by all workers together.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        # For what belongs to a turn; all workers have the same, and nothing else has it.
        self.key = secrets.token_bytes(_KEY_BYTES)
        self._fd = os.memfd_create("amana-places", os.MFD_CLOEXEC)
        os.ftruncate(self._fd, _FORMAT.size)
        self._shared = mmap.mmap(self._fd, _FORMAT.size)
        self._threads = threading.Lock()
        _FORMAT.pack_into(self._shared, 0, *(0.0 for _ in LANES), _FIRST_GUESS)

    def take(self, now: float, lane: int) -> float | None:
        """Give the next place: the monotonic time of its turn, or None where that is too far."""
        with self._locked():
            *reach, each = _FORMAT.unpack_from(self._shared)
            turn = max(reach[lane], now) + each * len(LANES) / (self._slots * _PROMISED)
            if turn > now + LONGEST_SECONDS:
                return None
            reach[lane] = turn
            _FORMAT.pack_into(self._shared, 0, *reach, each)
            return float(turn)

    def reach(self, lane: int) -> float:
        """Until when places were given, in monotonic seconds."""
        with self._locked():
            return float(_FORMAT.unpack_from(self._shared)[lane])

    def served(self, seconds: float) -> None:
        """Learn how long one took."""
        with self._locked():
            *reach, each = _FORMAT.unpack_from(self._shared)
            seconds = min(max(seconds, _LEAST), _MOST)
            each += (seconds - each) * _WEIGHT
            _FORMAT.pack_into(self._shared, 0, *reach, each)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A lock of the kernel's, which a worker that is killed cannot keep.
        with self._threads:
            fcntl.lockf(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)
