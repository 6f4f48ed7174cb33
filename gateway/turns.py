"""Who is served now, and who is told when: the budget of each source, and the queue of all.

Nobody is turned away for being one of many: whoever must wait gets a turn, which is a whole number
of monotonic milliseconds, sealed into the page that holds what they typed.  It works once.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from gateway.budgets import ASKING, UPLOADS, WORK, Budget
from gateway.errors import Busy
from gateway.places import LONGEST_SECONDS, REPORTS, VALID_SECONDS
from gateway.work import challenge, is_done

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.gate import Gate
    from gateway.places import Places

_MILLI = 1000
_USED_MOST = 50_000
# A report, or a code that was mistyped once or twice.
_FEW = 3
# As if one's turn were the very next.
_NEXT = -1e-6


class Turns:
    """The turns of one worker, before its gate.  Safe to share between threads."""

    def __init__(self, places: Places, gate: Gate, clock: Clock) -> None:
        self._places = places
        self._gate = gate
        self._clock = clock
        self._asking = Budget(ASKING, clock.monotonic)
        self._beginning = Budget(WORK, clock.monotonic)
        self._work = Budget(WORK, clock.monotonic)
        self.uploads = Budget(UPLOADS, clock.monotonic)
        self._lock = threading.Lock()
        self._used: OrderedDict[int, None] = OrderedDict()
        gate.told = places.served

    def may_ask(self, source: bytes | None) -> bool:
        """Whether a source may make one more request, of any kind."""
        return self._asking.take(source)

    def may_bring(self, source: bytes | None) -> bool:
        """Whether something written may still come of a source that asks for too much.

        A neighbour's flood of pages must not cost anybody their words.
        """
        return self._work.take(source)

    def place_to_ask(self, source: bytes | None) -> int | None:
        """Give a source that asks for too much a time; None where nothing can be promised."""
        own = None if source is None else self._work.book(source, LONGEST_SECONDS)
        return None if own is None else _whole(max(own, self._clock.monotonic()))

    def late_to_ask(self, turn: int, number: int) -> float | None:
        """How late somebody is for a time that was given for asking, as the gate has it.

        None before it, and where its ``number`` was used.
        """
        late = self._late(turn)
        return late if self._is_one(turn) and late >= 0 and self._use(number) else None

    def admit(
        self, source: bytes | None, turn: int | None, untrusted_work: str = ""
    ) -> float | None:
        """Let somebody on to the gate; returns how late they are, as the gate has it.

        Whoever did the work of their turn goes before all whose turn is still to come.  Raises
        Busy for a source that used up its budget and whose turn is still to come.
        """
        late = None if turn is None or not self._is_one(turn) else self._late(turn)
        in_turn = late is not None and late >= 0
        if not in_turn and not self._work.take(source):
            raise Busy
        if not in_turn and source is not None and self._work.used(source) <= _FEW:
            # Somebody who was hardly here before does not stand behind who is here all the time.
            return self._work.used(source) * WORK.seconds
        if turn is None or late is None or not self._use(turn):
            return None
        if late < 0 and is_done(self.challenge(turn), untrusted_work):
            return _NEXT
        return late

    def challenge(self, turn: int) -> str:
        """Return what the work of a turn is about."""
        return challenge(self._places.key, turn)

    def place(
        self, source: bytes | None, turn: int | None = None, lane: int = REPORTS
    ) -> int | None:
        """Give somebody who was not served a turn; None where nothing can be promised.

        One that they have is kept: asking early moves nobody back.
        """
        now = self._clock.monotonic()
        if turn is not None and self._is_one(turn):
            self._give_back(turn)
            return turn
        if source is not None and not self._work.is_left(source):
            own = self._work.book(source, LONGEST_SECONDS)
            return None if own is None else _whole(own)
        shared = self._places.take(now, lane)
        return None if shared is None else _whole(shared)

    def early(self, source: bytes | None) -> int | None:
        """Give a turn to somebody who begins to write, where others wait: writing is waiting."""
        crowded = self._gate.is_crowded or self._places.reach(REPORTS) > self._clock.monotonic()
        return self.place(source) if crowded and self._beginning.take(source) else None

    def seconds_until(self, turn: int) -> int:
        """How long it still is until a turn, in whole seconds, never less than one."""
        return max(1, math.ceil(turn / _MILLI - self._clock.monotonic()))

    def _late(self, turn: int) -> float:
        return self._clock.monotonic() - turn / _MILLI

    def _is_one(self, turn: int) -> bool:
        """Whether it can be used: not from before this machine began, nor long forgotten."""
        return -LONGEST_SECONDS <= self._late(turn) < VALID_SECONDS

    def _give_back(self, turn: int) -> None:
        with self._lock:
            self._used.pop(turn, None)

    def _use(self, turn: int) -> bool:
        """Use a turn, once; whoever is not served in the end gets it back."""
        with self._lock:
            if turn in self._used:
                return False
            self._used[turn] = None
            if len(self._used) > _USED_MOST:
                self._used.popitem(last=False)
            return True


def _whole(seconds: float) -> int:
    return math.ceil(seconds * _MILLI)
