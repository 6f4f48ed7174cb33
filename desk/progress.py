"""Where a sync says what it is doing.

Rule: what is said is ours: words, numbers and bytes, and nothing of a case.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Where a sync says what it is doing; the terminal's bar is one, silence another."""

    def step(self, words: str) -> None:
        """A new step begins."""
        ...

    def expect(self, amount: int) -> None:
        """So many bytes will come."""
        ...

    def advance(self, amount: int) -> None:
        """So many bytes came."""
        ...
