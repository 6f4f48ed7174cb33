"""The seekable thing a file is read from; called untrusted until it has been cleaned.

Rule: the sanitizer is handed a source and knows no keys. A source whose bytes lie encrypted on a
disk decrypts them in ``read_at``; ffmpeg is fed through a pipe and meets neither file nor key.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sanitizer.errors import TooComplex


class UntrustedSource(Protocol):
    """An untrusted file that can be read at any offset, by one reader at a time."""

    @property
    def length(self) -> int:
        """Bytes of plaintext."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` plaintext bytes, or fewer only where the file ends."""
        ...


class _DescriptorSource:
    """A source over one open file descriptor, closed with it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.length = os.fstat(descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end of the file."""
        wanted = max(0, min(length, self.length - offset))
        return os.pread(self._descriptor, wanted, offset)

    def close(self) -> None:
        """Close the descriptor; the source cannot be read any more."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class MemorySource(_DescriptorSource):
    """Bytes in an anonymous memory file: for small things and for tests."""

    def __init__(self, untrusted: bytes) -> None:
        """Copy ``untrusted`` into a memfd."""
        descriptor = os.memfd_create("amana", os.MFD_CLOEXEC)
        view = memoryview(untrusted)
        while view:
            view = view[os.write(descriptor, view) :]
        super().__init__(descriptor)


class BytesSource:
    """Bytes that are in this process already: for a part of a file, in a worker that opens nothing.

    ``read_at`` of the whole is no copy.
    """

    def __init__(self, untrusted: bytes) -> None:
        """Hold ``untrusted``."""
        self._untrusted = untrusted
        self.length = len(untrusted)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end."""
        return self._untrusted[offset : offset + length]

    def view_at(self, offset: int, length: int) -> memoryview:
        """Return what ``read_at`` returns, where it lies."""
        return memoryview(self._untrusted)[offset : offset + length]


class ClockedSource:
    """A source that cannot be read any more once its time is up.

    Every cleaner reads on and on, so a clock here is a clock in all of them. It stands still while
    it is paused: whoever takes the result may be slow, and that is not the file's doing.
    """

    def __init__(
        self,
        source: UntrustedSource,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow ``seconds`` from now on."""
        self._source = source
        self._left = seconds
        self._clock = clock
        self._since = clock()
        self.length = source.length

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; raises TooComplex when the time is up."""
        self.check()
        return self._source.read_at(offset, length)

    def check(self) -> None:
        """Raise TooComplex when the time is up."""
        if self._clock() - self._since > self._left:
            raise TooComplex("cleaning takes too long")

    def pause(self) -> None:
        """Stop the clock until ``go_on``."""
        now = self._clock()
        self._left -= now - self._since
        self._since = now

    def go_on(self) -> None:
        """Let the clock run again."""
        self._since = self._clock()


class FileSource(_DescriptorSource):
    """A file on a disk, opened for reading: for the command line and for tests."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises OSError where it cannot be read."""
        super().__init__(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
