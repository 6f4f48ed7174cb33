"""An upload while it waits on a disk: ciphertext, readable at any place.  Format: section 14.

AES-256-CTR under a fresh random key for each spool, held in memory only and worthless once the
spool is gone.  It hides; it does not authenticate: what it gives back is as untrusted as the upload
was.
"""

import os
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from crypto.errors import CannotOpen

BLOCK_BYTES = 16
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SpoolKey:
    """One spool's key, 32 bytes, never used for a second spool: its counter begins at zero."""

    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "SpoolKey":
        """Make the key of a new spool."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def cipher_at(self, block: int) -> Cipher[CTR]:
        """Give the cipher whose stream begins at a block of 16 bytes."""
        return Cipher(AES256(self.raw), CTR(block.to_bytes(BLOCK_BYTES, "big")))


class SpoolReader:
    """Read any stretch of a finished spool.  `.length` is the plaintext's; `.fd` the caller's."""

    def __init__(self, fd: int, length: int, key: SpoolKey) -> None:
        self.fd = fd
        self.length = length
        self.key = key

    def read_at(self, offset: int, length: int) -> bytes:
        """Give the plaintext from offset, at most length bytes, fewer only at the end.

        Keeps no position, so threads may share a reader.  Raises OSError when the disk fails,
        CannotOpen when the file became shorter, ValueError for a negative offset or length.
        """
        if offset < 0 or length < 0:
            raise ValueError("an offset and a length are never negative")
        end = min(offset + length, self.length)
        if offset >= end:
            return b""
        block, skipped = divmod(offset, BLOCK_BYTES)
        ciphertext = self._pread(offset - skipped, end - offset + skipped)
        return self.key.cipher_at(block).decryptor().update(ciphertext)[skipped:]

    def _pread(self, start: int, wanted: int) -> bytes:
        pieces: list[bytes] = []
        while wanted:
            piece = os.pread(self.fd, wanted, start)
            if not piece:
                raise CannotOpen
            pieces.append(piece)
            start += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)


class SpoolWriter:
    """Write an upload, encrypted, to a file descriptor that the caller owns.

    `.key` is the spool's SpoolKey; `.length` counts the plaintext written so far.
    """

    def __init__(self, fd: int) -> None:
        self.key = SpoolKey.generate()
        self.length = 0
        self._fd = fd
        self._encryptor = self.key.cipher_at(0).encryptor()

    def write(self, data: bytes) -> int:
        """Encrypt and append; gives len(data).  Raises OSError when the disk refuses."""
        rest = memoryview(self._encryptor.update(data))
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self.length += len(data)
        return len(data)

    def finish(self) -> SpoolReader:
        """Give a reader.  Nothing may be written afterwards: the encryptor itself refuses."""
        self._encryptor.finalize()
        return SpoolReader(self._fd, self.length, self.key)
