"""The seekable thing a file is read from; called untrusted until it has been cleaned.

Rule: the sanitizer is handed a source and knows no keys of its own. A source whose bytes lie
encrypted on a disk hands ffmpeg the key of that one spool; nobody else sees it.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class FfmpegInput:
    """What ffmpeg needs in order to read a source by itself.

    ``fd`` is an open, seekable file whose offset is 0; it stays the source's. With ``key_hex``
    and ``iv_hex`` it is AES-128-CBC ciphertext as ffmpeg's ``crypto:`` protocol reads it;
    without them (both None) it is the plain file.
    """

    fd: int
    key_hex: str | None = field(default=None, repr=False)
    iv_hex: str | None = field(default=None, repr=False)


class UntrustedSource(Protocol):
    """An untrusted file that can be read at any offset, by one reader at a time."""

    @property
    def length(self) -> int:
        """Bytes of plaintext."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` plaintext bytes, or fewer only where the file ends."""
        ...

    def ffmpeg_input(self) -> FfmpegInput:
        """Return how a child process reads the same bytes."""
        ...


class _DescriptorSource:
    """A source over one open file descriptor, closed with it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.length = os.fstat(descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end of the file."""
        wanted = max(0, min(length, self.length - offset))
        first = os.pread(self._descriptor, wanted, offset) if wanted else b""
        if len(first) in {wanted, 0}:
            return first
        return first + self.read_at(offset + len(first), wanted - len(first))

    def ffmpeg_input(self) -> FfmpegInput:
        """Return the descriptor itself, rewound."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return FfmpegInput(fd=self._descriptor)

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


class FileSource(_DescriptorSource):
    """A file on a disk, opened for reading: for the command line and for tests."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises OSError where it cannot be read."""
        super().__init__(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
