"""An upload while it waits on a disk: ciphertext that ffmpeg itself can read.  Format: section 14.

AES-128-CBC with PKCS #7 padding, because that is all that ffmpeg's `crypto:` protocol reads and
seeks; a fresh random key for each spool, held in memory only and worthless once the spool is gone.
It hides; it does not authenticate: what it gives back is as untrusted as the upload was.
"""

import os
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC

from crypto.errors import CannotOpen

BLOCK_BYTES = 16


@dataclass(frozen=True, slots=True)
class SpoolKey:
    """One spool's key and first IV, 16 bytes each, never used for a second spool."""

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "SpoolKey":
        """Make the key of a new spool."""
        return cls(secrets.token_bytes(BLOCK_BYTES), secrets.token_bytes(BLOCK_BYTES))

    def ffmpeg_key(self) -> tuple[str, str]:
        """Give key and IV as ffmpeg's options `-key` and `-iv` want them: hexadecimal."""
        return self.key.hex(), self.iv.hex()


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
        first = offset // BLOCK_BYTES
        after = -(-end // BLOCK_BYTES)
        # In CBC the block before the first is its IV; block 0 has the key's own.
        start = (first - 1) * BLOCK_BYTES if first else 0
        ciphertext = self._pread(start, after * BLOCK_BYTES - start)
        iv = self.key.iv
        if first:
            iv, ciphertext = ciphertext[:BLOCK_BYTES], ciphertext[BLOCK_BYTES:]
        plaintext = Cipher(AES128(self.key.key), CBC(iv)).decryptor().update(ciphertext)
        skipped = offset - first * BLOCK_BYTES
        return plaintext[skipped : skipped + end - offset]

    def ffmpeg_key(self) -> tuple[str, str]:
        """Give key and IV as ffmpeg's options `-key` and `-iv` want them: hexadecimal."""
        return self.key.ffmpeg_key()

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
        self._encryptor = Cipher(AES128(self.key.key), CBC(self.key.iv)).encryptor()

    def write(self, data: bytes) -> int:
        """Encrypt and append; gives len(data).  Raises OSError when the disk refuses."""
        self._append(self._encryptor.update(data))
        self.length += len(data)
        return len(data)

    def finish(self) -> SpoolReader:
        """Write the last block, rewind the descriptor to 0 and give a reader.

        Nothing may be written afterwards: the encryptor itself refuses.
        """
        missing = BLOCK_BYTES - self.length % BLOCK_BYTES
        self._append(self._encryptor.update(bytes([missing]) * missing))
        self._encryptor.finalize()
        os.lseek(self._fd, 0, os.SEEK_SET)
        return SpoolReader(self._fd, self.length, self.key)

    def _append(self, ciphertext: bytes) -> None:
        rest = memoryview(ciphertext)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
