"""What a format's cleaner hands back: a file known whole beforehand, or one that streams.

Rule: pictures and documents are planned, checked and only then passed on; video and sound, of any
length, are judged as they stream and may still be refused at the end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sanitizer.limits import Limits
from sanitizer.pieces import Plan
from sanitizer.source import UntrustedSource


@dataclass(frozen=True, slots=True)
class Planned:
    """A clean file that every check has passed before its first byte leaves.

    ``kinds`` are codes of sanitizer.kinds, ``extension`` is without a dot; ``is_rebuilt`` tells
    that it was made anew from its pixels or its pages, and not copied part by part.
    """

    plan: Plan
    kinds: set[str]
    media_type: str
    extension: str
    is_rebuilt: bool = False


Planner = Callable[[UntrustedSource, Limits], Planned]
"""A cleaner of one format; raises a leaf of Refused."""


class Streamed(Protocol):
    """A clean file that is made while it is read, once, in flat memory."""

    @property
    def media_type(self) -> str:
        """The type of the result, known before it streams."""
        ...

    @property
    def extension(self) -> str:
        """The usual extension of the result, without a dot."""
        ...

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found; complete after the last chunk."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean bytes; raises a leaf of Refused in the middle or at the end."""
        ...
