"""Whether sealed parts on this machine are those that their envelope was sealed with.

Rule: the root in the header says so, and nothing else does; every byte is read for it.  What a
sync fetched is asked this before it counts as here (desk.fetching), and again whenever somebody
wants it proven (desk.soundness).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.body import PartsCheck
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from desk.store import Envelope

_READ_BYTES = 1024 * 1024


def are_as_sealed(
    one: Envelope, paths: Sequence[Path], read: Callable[[int], None] | None = None
) -> bool:
    """Whether these are parts 1 and up of an envelope; `read` is told of each piece's bytes.

    Raises:
        OSError: one of them cannot be read.
    """
    check = PartsCheck(one.header)
    try:
        check.add(0, [one.manifest])
        for part, path in enumerate(paths, 1):
            check.add(part, _pieces(path, read))
        check.conclude()
    except CryptoError:
        return False
    return True


def _pieces(path: Path, read: Callable[[int], None] | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            if read is not None:
                read(len(piece))
            yield piece
