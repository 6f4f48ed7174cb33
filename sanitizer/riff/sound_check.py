"""Read a cleaned sound as it streams by: a head of few forms, then sound, then nothing.

Rule: what the checkers of WAV and AIFF have in common, and shares no code with any writer. The
head is matched byte by byte; each format's checker judges what the head says.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sanitizer.errors import MetadataSurvived

if TYPE_CHECKING:
    import re


class SoundChecker(ABC):
    """Takes the result in pieces of any size; ``finish`` judges the whole."""

    form: ClassVar["re.Pattern[bytes]"]
    """The head in all its forms, up to the first byte of sound."""
    most: ClassVar[int]
    """Bytes that the longest head takes at the most."""

    def __init__(self) -> None:
        """Wait for a head."""
        self._head = b""
        self._left = -1
        self._odd = 0

    def feed(self, data: bytes) -> None:
        """Take more of the result. Raises MetadataSurvived."""
        if self._left < 0:
            self._head += data
            match = self.form.match(self._head[: self.most])
            if match is None:
                if len(self._head) >= self.most:
                    raise MetadataSurvived("the result does not begin like a sound")
                return
            self._left = self.sound_after(match)
            self._odd = self._left & 1
            data, self._head = self._head[match.end() :], b""
        sound = min(self._left, len(data))
        self._left -= sound
        rest = data[sound:]
        if len(rest) > self._odd or any(rest):
            raise MetadataSurvived("bytes after the end of the result")
        self._odd -= len(rest)

    @abstractmethod
    def sound_after(self, head: "re.Match[bytes]") -> int:
        """Return how many bytes of sound follow; raises MetadataSurvived for a head that lies."""

    def finish(self) -> None:
        """Judge the whole once it is over. Raises MetadataSurvived."""
        if self._left or self._odd:
            raise MetadataSurvived("the result ends in the middle")
