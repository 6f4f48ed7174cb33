"""What was drawn a moment ago, and how much an operator has looked at today.  In memory alone.

Rule: bounded, and gone with Lock and with the program; nothing here is written anywhere.  What is
being drawn while Lock is pressed, or while a file is closed, is not kept; after Lock it is not even
given to whoever asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from desk.errors import NothingToSee
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from crypto.ids import Day
    from desk.sight.shown import Shown

HELD_MOST = 128 * 1024 * 1024
"""Bytes of previews that are held at most."""
REASONS_MOST = 500
LOCKED = Sentence("The pages were locked meanwhile: nothing is shown any more.")
BREAK_EVERY = 20
"""Pictures after which a break is advised, and each time again."""


class Drawn:
    """The previews that were made last; of what has none, why.  Safe to share between threads."""

    def __init__(self, most: int = HELD_MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, Shown] = OrderedDict()
        self._reasons: OrderedDict[Hashable, Sentence] = OrderedDict()
        self._forgotten = 0
        self._is_over = False

    def get(self, key: Hashable, make: Callable[[], Shown]) -> Shown:
        """What was made for this key, or what `make` makes; raises what it raises."""
        with self._lock:
            self._require_open()
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            if key in self._reasons:
                raise NothingToSee(self._reasons[key])
            began = self._forgotten
        try:
            made = make()
        except NothingToSee as why:
            with self._lock:
                self._require_open()
                if began == self._forgotten:
                    self._keep_reason(key, reason(why))
            raise
        with self._lock:
            self._require_open()
            if began == self._forgotten:
                self._keep(key, made)
        return made

    def why_not(self, key: Hashable) -> str:
        """Why there is none, where that is known already."""
        with self._lock:
            return self._reasons.get(key, "")

    def forget(self) -> None:
        """Forget everything, and what is being drawn at this moment as soon as it was given."""
        with self._lock:
            self._forgotten += 1
            self._held.clear()
            self._reasons.clear()

    def end(self) -> None:
        """Forget everything for good: Lock was pressed."""
        with self._lock:
            self._is_over = True
        self.forget()

    def _require_open(self) -> None:
        if self._is_over:
            raise NothingToSee(LOCKED)

    def _keep(self, key: Hashable, made: Shown) -> None:
        self._held[key] = made
        while sum(len(one.content) for one in self._held.values()) > self._most:
            self._held.popitem(last=False)

    def _keep_reason(self, key: Hashable, why: Sentence) -> None:
        self._reasons[key] = why
        while len(self._reasons) > REASONS_MOST:
            self._reasons.popitem(last=False)


class Exposure:
    """How many pictures were opened today, each counted once; nobody else learns it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day: Day | None = None
        self._opened: set[Hashable] = set()

    def opened(self, what: Hashable, today: Day) -> None:
        """Count a picture, a page, a film that somebody asked to see."""
        with self._lock:
            self._turn(today)
            self._opened.add(what)

    def count(self, today: Day) -> int:
        """How many today."""
        with self._lock:
            self._turn(today)
            return len(self._opened)

    def is_time_for_a_break(self, today: Day) -> bool:
        """Whether so many were opened that a break is due."""
        return self.count(today) >= BREAK_EVERY

    def _turn(self, today: Day) -> None:
        if self._day != today:
            self._day, self._opened = today, set()
