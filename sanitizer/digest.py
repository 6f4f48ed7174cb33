"""Length and SHA-256 of a stream, counted beside what makes it.

For whoever seals or writes a stream and must say what it was.

Rule: of a long video, hashing takes more time than cleaning, and needs no Python: so it is done in
a thread, a batch behind. A thread has one batch for its whole life and is joined before the next
begins, before the digest is told, and where a stream ends in the middle: none is ever left behind,
and what is held does not grow. What is short, a photo, is hashed where it comes.
"""

import hashlib
from collections.abc import Iterable, Iterator
from threading import Thread

from sanitizer.errors import NotRead

_ALONE = 8 << 20
"""Bytes at the beginning that are hashed where they come."""
_TOGETHER = 4 << 20
_MOST_PIECES = 4096
"""A thread's batch: so many bytes, or so many pieces where they are very short."""


class Digest:
    """What is known of the bytes of one stream."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.length = 0
        """Bytes so far."""
        self._sha256 = hashlib.sha256()
        self._hashed = 0
        self._waiting: list[bytes] = []
        self._size = 0
        self._beside: Thread | None = None
        self._told: bytes | None = None

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks as they come; once all of them have, ``sha256`` is known."""
        try:
            for data in chunks:
                self._add(data)
                yield data
            self._told = self._finish()
        finally:
            self._join()

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of all, 32 raw bytes; raises NotRead before the last chunk."""
        if self._told is None:
            raise NotRead("the stream has not come to its end")
        return self._told

    def _add(self, data: bytes) -> None:
        self.length += len(data)
        if self.length <= _ALONE:
            self._take([data])
            return
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _TOGETHER or len(self._waiting) >= _MOST_PIECES:
            self._hand_over()

    def _finish(self) -> bytes:
        self._join()
        self._take(self._waiting)
        if self._hashed != self.length:
            raise RuntimeError("bytes that were not hashed")
        return self._sha256.digest()

    def _hand_over(self) -> None:
        self._join()
        batch, self._waiting, self._size = self._waiting, [], 0
        thread = Thread(target=self._take, args=(batch,), name="amana-digest")
        try:
            thread.start()
        except RuntimeError:
            # The system gives no more threads, or the program ends: it takes longer, and is right.
            self._take(batch)
        else:
            self._beside = thread

    def _take(self, batch: list[bytes]) -> None:
        for data in batch:
            self._sha256.update(data)
            self._hashed += len(data)

    def _join(self) -> None:
        if self._beside is not None:
            self._beside.join()
            self._beside = None
