"""An upload that comes in pieces, while it waits on a disk: sealed chunks.  Format: section 16.

Each chunk of 64 KiB is sealed by itself under a fresh nonce and bound to its place, so that one
that was altered, moved, or brought from another upload does not open, and one that is written a
second time gives nothing away.  That the last ones are missing shows in the length alone: whoever
reads knows it from elsewhere.
"""

import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as PrimitiveRefused

from crypto.errors import CannotOpen

CHUNK_BYTES = 64 * 1024
OVERHEAD_BYTES = 40
SEALED_CHUNK_BYTES = CHUNK_BYTES + OVERHEAD_BYTES
KEY_BYTES = 32
_NONCE_BYTES = 24
_CHUNK = b"amana/v1/piece\0"
_NOTE = b"amana/v1/piece-note\0"
_RECENT = 16


@dataclass(frozen=True, slots=True)
class PiecesKey:
    """One upload's key, 32 bytes.  Raises ValueError for any other number."""

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise ValueError("the key of an upload is 32 bytes long")

    @classmethod
    def generate(cls) -> "PiecesKey":
        """Make the key of a new upload."""
        return cls(secrets.token_bytes(KEY_BYTES))


def sealed_length(length: int) -> int:
    """How long ``length`` bytes of plaintext are once they are sealed."""
    return length + -(-length // CHUNK_BYTES) * OVERHEAD_BYTES


def seal_chunks(key: PiecesKey, offset: int, plaintext: bytes) -> bytes:
    """Seal what begins at ``offset``, a multiple of 64 KiB; it lies at ``sealed_length(offset)``.

    Raises ValueError for another offset.
    """
    first, rest = divmod(offset, CHUNK_BYTES)
    if rest:
        raise ValueError("chunks begin at multiples of 64 KiB")
    starts = range(0, len(plaintext), CHUNK_BYTES)
    return b"".join(
        _sealed(key, _place(index), plaintext[at : at + CHUNK_BYTES])
        for index, at in enumerate(starts, first)
    )


def seal_note(key: PiecesKey, note: bytes) -> bytes:
    """Seal what became of an upload, for whoever still holds its key."""
    return _sealed(key, _NOTE, note)


def open_note(key: PiecesKey, untrusted: bytes) -> bytes:
    """Give a note back.  Raises CannotOpen."""
    return _opened(key, _NOTE, untrusted)


class PiecesReader:
    """Read any stretch of an upload of ``length`` bytes; ``fd`` is the caller's.

    Keeps the last chunks that it opened, up to 1 MiB.  One reader at a time.
    """

    def __init__(self, fd: int, length: int, key: PiecesKey) -> None:
        self.length = length
        self._fd = fd
        self._key = key
        self._recent: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, offset: int, length: int) -> bytes:
        """Give the plaintext from offset, at most length bytes, fewer only at the end.

        Raises CannotOpen where the file is not what was sealed, OSError when the disk fails,
        ValueError for a negative offset or length.
        """
        if offset < 0 or length < 0:
            raise ValueError("an offset and a length are never negative")
        end = min(offset + length, self.length)
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        found = b"".join(self._chunk(index) for index in range(first, last + 1))
        begins = first * CHUNK_BYTES
        return found[offset - begins : end - begins]

    def _chunk(self, index: int) -> bytes:
        chunk = self._recent.pop(index, None)
        if chunk is None:
            begins = index * CHUNK_BYTES
            wanted = min(CHUNK_BYTES, self.length - begins) + OVERHEAD_BYTES
            sealed = self._pread(index * SEALED_CHUNK_BYTES, wanted)
            chunk = _opened(self._key, _place(index), sealed)
        self._recent[index] = chunk
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return chunk

    def _pread(self, start: int, wanted: int) -> bytes:
        found: list[bytes] = []
        while wanted:
            piece = os.pread(self._fd, wanted, start)
            if not piece:
                raise CannotOpen
            found.append(piece)
            start += len(piece)
            wanted -= len(piece)
        return b"".join(found)


def _place(index: int) -> bytes:
    return _CHUNK + index.to_bytes(8, "big")


def _sealed(key: PiecesKey, context: bytes, plaintext: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, context, nonce, key.raw)


def _opened(key: PiecesKey, context: bytes, untrusted: bytes) -> bytes:
    if len(untrusted) < OVERHEAD_BYTES:
        raise CannotOpen
    nonce, sealed = untrusted[:_NONCE_BYTES], untrusted[_NONCE_BYTES:]
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, context, nonce, key.raw)
    except PrimitiveRefused:
        raise CannotOpen from None
