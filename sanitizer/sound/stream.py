"""A sound on its way through: what the writer makes passes the checker before it leaves.

Rule: the checker is fed the result and nothing else; at the end it must have counted as many
frames as the writer wrote, and at least one.
"""

from collections.abc import Iterator
from typing import Protocol

from sanitizer.errors import Empty, MetadataSurvived
from sanitizer.streaming import through


class Writer(Protocol):
    """What makes a clean sound of an untrusted one."""

    kinds: set[str]
    frames: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the result; ``frames`` and ``kinds`` are complete after it."""
        ...


class Checker(Protocol):
    """What re-reads the result; raises MetadataSurvived for whatever is not on its list."""

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the result."""
        ...

    def finish(self) -> int:
        """Judge the end and return the number of frames seen."""
        ...


class Sound:
    """One sound, read at once as far as needed, cleaned while it is streamed."""

    def __init__(self, media_type: str, extension: str, writer: Writer, checker: Checker) -> None:
        """Take what makes the result and what re-reads it."""
        self.media_type = media_type
        self.extension = extension
        self._writer = writer
        self._checker = checker

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found; complete after the last chunk."""
        return self._writer.kinds

    def chunks(self) -> Iterator[bytes]:
        """Return the clean sound; raises a leaf of Refused, in the middle or at the end."""
        return through(self._writer.chunks(), self._checker.feed, self._judge)

    def _judge(self) -> None:
        if self._writer.frames == 0:
            raise Empty("no sound in it")
        if self._checker.finish() != self._writer.frames:
            raise MetadataSurvived("the result has lost or won frames")
