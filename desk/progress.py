"""Where whatever takes a while says what it is doing: a sync, an index, a comparison, an export.

Rule: what is said is ours: words, numbers and bytes, and nothing of a case.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Where work says what it is doing; the terminal's line is one, silence another."""

    def step(self, words: str) -> None:
        """A new step begins."""
        ...

    def expect(self, amount: int) -> None:
        """So many bytes will come."""
        ...

    def advance(self, amount: int) -> None:
        """So many bytes came."""
        ...


class Silence(Progress):
    """Says nothing."""

    def step(self, words: str) -> None:
        """Nothing."""

    def expect(self, amount: int) -> None:
        """Nothing."""

    def advance(self, amount: int) -> None:
        """Nothing."""


class Doing(Progress):
    """Remembers what it was told last, for a page that is looked at meanwhile."""

    def __init__(self) -> None:
        self.words = ""
        self.expected = 0
        self.come = 0

    def step(self, words: str) -> None:
        """A new step begins."""
        self.words = words

    def expect(self, amount: int) -> None:
        """So many bytes will come."""
        self.expected = amount

    def advance(self, amount: int) -> None:
        """So many bytes came."""
        self.come += amount
