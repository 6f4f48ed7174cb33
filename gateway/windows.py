"""Receipt windows: when a report was acknowledged, sealed, for as long as its code may be shown.

A window is the only trace of a time finer than a day, and whoever has the token key can read it.
So it is a minute, not a second, and it is overwritten when it is over: by the worker that opened
it, and, where that one was killed, by a later scan.  Claims C-DAY, C-LOST-ANSWER.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from crypto.errors import TokenInvalid
from crypto.token import TokenKey, open_token_bytes, seal_token_bytes
from gateway.sweeper import Sweeper

if TYPE_CHECKING:
    from crypto.ids import CaseId
    from gateway.clock import Clock
    from vault.vault import Vault

WAKE_SECONDS = 15.0
_PURPOSE = "receipt-window"
_BYTES = 8
_MINUTE = 60


class ReceiptWindows:
    """The windows of one gateway, as one of its processes sees them.  Shared between threads."""

    def __init__(self, vault: Vault, key: TokenKey, clock: Clock) -> None:
        self._vault = vault
        self._key = key
        self._clock = clock
        # (case, monotonic time of its opening), the oldest first.
        self._opened: deque[tuple[CaseId, float]] = deque()

    def sealed_now(self) -> bytes:
        """The 48 bytes of a window that begins in this minute."""
        minute = self._clock.now() // _MINUTE * _MINUTE
        return seal_token_bytes(self._key, _PURPOSE, minute.to_bytes(_BYTES, "big"))

    def remember(self, case: CaseId) -> None:
        """Note that this process opened the window of a case, to close it in time."""
        self._opened.append((case, self._clock.monotonic()))

    def is_open(self, window: bytes, seconds: int) -> bool:
        """Whether a window began less than ``seconds`` (and up to a minute more) ago."""
        age = self._age(window)
        # The minute was rounded down; nobody is to lose a part of it by that.
        return age is not None and 0 <= age < seconds + _MINUTE

    def is_over(self, window: bytes, seconds: int) -> bool:
        """Whether 48 bytes still tell a time although the window is over.

        Random bytes do not, nor do those sealed under an earlier key: nobody here can read them.
        A time to come, left by a clock that was wrong, shows no receipt either.
        """
        return self._age(window) is not None and not self.is_open(window, seconds)

    def close_due(self, seconds: int) -> int:
        """Overwrite the windows that this process opened ``seconds`` ago; returns how many.

        Raises VaultError; then they are due again.
        """
        over = self._clock.monotonic() - seconds
        due = []
        while self._opened and self._opened[0][1] <= over:
            due.append(self._opened.popleft())
        try:
            self._vault.close_receipt_windows_of([case for case, _ in due])
        except BaseException:
            self._opened.extendleft(reversed(due))
            raise
        return len(due)

    def close_left(self, seconds: int) -> int:
        """Overwrite every window in the vault that is over; returns how many.  A scan of all."""
        return self._vault.close_receipt_windows(lambda window: self.is_over(window, seconds))

    def _age(self, window: bytes) -> int | None:
        try:
            opened = open_token_bytes(self._key, _PURPOSE, window)
        except TokenInvalid:
            return None  # confirmed, left, over, or sealed under an earlier key
        return self._clock.now() - int.from_bytes(opened, "big")


class WindowSweeper(Sweeper):
    """Closes windows once they are over.

    At first it also scans for those that a killed worker left, and scans again when even the
    youngest of those must be over.
    """

    def __init__(self, windows: ReceiptWindows, seconds: int, clock: Clock) -> None:
        super().__init__("amana-windows", WAKE_SECONDS)
        self._windows = windows
        self._seconds = seconds
        self._clock = clock
        start = clock.monotonic()
        self._scans = deque([start, start + seconds + _MINUTE])

    def _sweep(self) -> None:
        self._windows.close_due(self._seconds)
        if self._scans and self._scans[0] <= self._clock.monotonic():
            self._windows.close_left(self._seconds)
            self._scans.popleft()
