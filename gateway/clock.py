"""The one place where the gateway learns the time.

Times of day are for windows and floors in memory; what is kept is a day.
"""

import datetime as dt
import time
from typing import Protocol

from crypto.ids import Day, day_of


class Clock(Protocol):
    """What the gateway asks of a clock; tests hand in their own."""

    def now(self) -> int:
        """Unix time in whole seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for floors and deadlines."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def today(self) -> Day:
        """The day in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Unix time in whole seconds."""
        return int(time.time())

    def monotonic(self) -> float:
        """Seconds that never go back, for floors and deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def today(self) -> Day:
        """The day in UTC."""
        return day_of(dt.datetime.now(tz=dt.UTC).date())
