"""An untouched original, which a reporter chose to have sealed beside its clean copy.

Rule: only of a file whose clean copy passed every check, so that nothing is kept here that would
have been refused; its type stays unsaid, so that no program opens it by its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sanitizer.clean import CleanFile
from sanitizer.pieces import WINDOW, read_exactly
from sanitizer.source import UntrustedSource

MEDIA_TYPE = "application/octet-stream"
"""What an original says it is: bytes."""


@dataclass(frozen=True, slots=True)
class KeptOriginal:
    """A file as it came, every hidden thing included.  Only ``beside`` makes one."""

    _source: UntrustedSource = field(repr=False)

    @classmethod
    def beside(cls, source: UntrustedSource, clean: CleanFile) -> "KeptOriginal":
        """Return the original of ``clean``, which was made from ``source``.

        Raises NotRead while the clean copy has not streamed through to its end.
        """
        _ = clean.facts
        return cls(source)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they came, in windows. Raises Malformed where the source is cut."""
        for at in range(0, self._source.length, WINDOW):
            yield read_exactly(self._source, at, min(WINDOW, self._source.length - at))
