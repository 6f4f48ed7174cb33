"""The folder inside a package, as one stream: ustar in one spelling.  FORMAT.md, section 19.

Rule: a header that we would not have written is refused, so nothing is hidden in an owner, a time
or a padding, and no name leads out of the folder.
"""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING

from desk.errors import PackageMalformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 512
END = bytes(2 * BLOCK)
NAME_MOST = 99
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_SIZE_MOST = 8**11 - 1


def header(name: str, size: int) -> bytes:
    """Return a file's header.

    Raises:
        PackageMalformed: no such name or size can stand in a package.
    """
    if len(name) > NAME_MOST or not _NAME.fullmatch(name) or not 0 <= size <= _SIZE_MOST:
        raise PackageMalformed("A file's name or size cannot stand in a package.")
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.USTAR_FORMAT)


def padding(size: int) -> bytes:
    """Return the zeros after a file's content."""
    return bytes(-size % BLOCK)


def length_of(sizes: Iterable[int]) -> int:
    """Return how long the archive of files of these sizes is."""
    return sum(BLOCK + size + len(padding(size)) for size in sizes) + len(END)


def members(chunks: Iterable[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each file's name and its content, which must be read to its end before the next.

    Raises:
        PackageMalformed: a byte is not as we would have written it.
    """
    stream = _Stream(chunks)
    seen: set[str] = set()
    while (block := stream.take(BLOCK)) != bytes(BLOCK):
        name, size = _parsed(block)
        if name.lower() in seen:
            raise PackageMalformed(f"{name} stands twice in the package.")
        seen.add(name.lower())
        yield name, stream.through(size)
        if stream.take(len(padding(size))).strip(b"\0"):
            raise PackageMalformed(f"Something is hidden behind {name}.")
    if stream.take(BLOCK) != bytes(BLOCK) or stream.rest():
        raise PackageMalformed("Something is hidden behind the package's end.")


def _parsed(block: bytes) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        same = header(info.name, info.size) == block
    except (tarfile.HeaderError, ValueError, PackageMalformed):
        same = False
    if not same:
        raise PackageMalformed("A file in the package is not written as a package's are.")
    return info.name, info.size


class _Stream:
    """Chunks of any size, read in the sizes that are asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def take(self, amount: int) -> bytes:
        return b"".join(self.through(amount))

    def through(self, amount: int) -> Iterator[bytes]:
        while amount:
            if not self._held:
                self._held = next(self._chunks, b"")
                if not self._held:
                    raise PackageMalformed("The package ends too early.")
            taken, self._held = self._held[:amount], self._held[amount:]
            amount -= len(taken)
            yield taken

    def rest(self) -> bool:
        return bool(self._held) or any(self._chunks)
