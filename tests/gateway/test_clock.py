"""The machine's clock, as the gateway asks it."""

from __future__ import annotations

import time

from crypto.ids import date_of
from gateway.clock import SystemClock


def test_the_clock_goes_forward_and_knows_the_utc_day() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() >= before + 0.001
    assert abs(clock.now() - time.time()) < 2
    assert date_of(clock.today()).isoformat() == time.strftime("%Y-%m-%d", time.gmtime())
