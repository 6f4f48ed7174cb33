"""Where whatever takes a while says what it is doing: a sync, an index, a comparison, an export.

Rule: what is said is ours: words, numbers and bytes, and nothing of a case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from desk.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable


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


class Stoppable(Doing):
    """Remembers it, too, and ends the work at its next step once somebody asked for that."""

    def __init__(self, is_asked: Callable[[], bool]) -> None:
        super().__init__()
        self._is_asked = is_asked

    def step(self, words: str) -> None:
        """A new step begins; raises Stopped."""
        self._go_on()
        super().step(words)

    def advance(self, amount: int) -> None:
        """So many bytes came; raises Stopped."""
        self._go_on()
        super().advance(amount)

    def _go_on(self) -> None:
        if self._is_asked():
            raise Stopped("It was stopped.")
