"""Open a package with a receiving service's private key.  Format: crypto/FORMAT.md, section 19.

Rule: gateway, vault and sanitizer never import this module.  What comes out is not proven whole
until the iterator ends; and it is then whole and unaltered, and not yet proven to be anybody's:
the signature inside says whose.
"""

import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError as NaclError

from crypto.body import STREAM_HEAD, DataKey
from crypto.errors import CannotOpen, KeyRefused, NotARecipient, PackageUnsound
from crypto.keys import KEY_BYTES, ServicePublicKey
from crypto.package import (
    HEAD_BYTES,
    LENGTH_BYTES,
    WRAP_BYTES,
    WRAP_MAGIC,
    PackageHead,
    package_bytes,
)
from crypto.random_access import CHUNK_STEP, chunk_nonce, stream_of

_BODY = HEAD_BYTES + WRAP_BYTES
_CHUNKS = _BODY + STREAM_HEAD
_SMALLEST = package_bytes(0)


@dataclass(frozen=True, slots=True, eq=False)
class ServicePrivateKey:
    """A receiving service's key (32 raw bytes), which opens packages and nothing else."""

    raw: bytes = field(repr=False)
    public: ServicePublicKey = field(init=False)

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise KeyRefused("a private key is 32 bytes")
        public = ServicePublicKey(crypto_scalarmult_base(self.raw))
        object.__setattr__(self, "public", public)

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class SealedPackage:
    """A package whose head and wrap hold, for one key."""

    head: PackageHead
    _key: DataKey = field(repr=False)
    _read_at: Callable[[int, int], bytes] = field(repr=False)
    _size: int

    def content(self) -> Iterator[bytes]:
        """Yield the content, a chunk at a time.

        Raises `PackageUnsound`, perhaps after much was yielded: nothing is proven whole before the
        end.
        """
        aead, base = self._stream()
        plain = self._chunk(aead, base, 0)
        length = int.from_bytes(plain[:LENGTH_BYTES], "big")
        if package_bytes(length) != self._size:
            # Cut short at a chunk's border, or grown: every chunk that is there may yet open.
            whole = min(package_bytes(length), self._size)
            raise PackageUnsound(whole, max(package_bytes(length), self._size))
        left = LENGTH_BYTES + length
        for number in range(self._count):
            plain = plain if number == 0 else self._chunk(aead, base, number)
            content = min(left, len(plain))
            if plain.count(0, content) != len(plain) - content:
                raise PackageUnsound(*self._place(number))
            yield plain[LENGTH_BYTES if number == 0 else 0 : content]
            left -= content

    @property
    def _count(self) -> int:
        """How many chunks there are, the last one shorter than the others."""
        return -(-(self._size - _CHUNKS) // CHUNK_STEP)

    def _place(self, number: int) -> tuple[int, int]:
        start = _CHUNKS + number * CHUNK_STEP
        return start, min(start + CHUNK_STEP, self._size)

    def _stream(self) -> tuple[AESGCM, int]:
        head = self._read_at(_BODY, STREAM_HEAD)
        try:
            return stream_of(self._key, self.head.context, head)
        except CannotOpen:
            raise PackageUnsound(_BODY, _CHUNKS) from None

    def _chunk(self, aead: AESGCM, base: int, number: int) -> bytes:
        start, stop = self._place(number)
        try:
            return aead.decrypt(chunk_nonce(base, number), self._read_at(start, stop - start), None)
        except (InvalidTag, ValueError):
            raise PackageUnsound(start, stop) from None


def read_head(read_at: Callable[[int, int], bytes], size: int) -> PackageHead:
    """Read which key a package is for; `read_at(offset, amount)`, `size` in bytes.

    Raises `PackageUnsound` where it is no package, or shorter than any.
    """
    head = PackageHead.from_bytes(read_at(0, HEAD_BYTES)) if size >= _SMALLEST else None
    if head is None:
        raise PackageUnsound(0, max(1, min(size, HEAD_BYTES)))
    return head


def open_package(
    private: ServicePrivateKey, read_at: Callable[[int, int], bytes], size: int
) -> SealedPackage:
    """Open a package's wrap; its `content` opens the rest.

    Raises `PackageUnsound`, which names the bytes; `NotARecipient` for another service's package.
    """
    head = read_head(read_at, size)
    if head.service != private.public.kid:
        raise NotARecipient
    try:
        sealed = read_at(HEAD_BYTES, WRAP_BYTES)
        plain = crypto_box_seal_open(sealed, private.public.raw, private.raw)
    except (NaclError, TypeError):
        raise PackageUnsound(HEAD_BYTES, _BODY) from None
    bound = WRAP_MAGIC + head.hash
    if not hmac.compare_digest(plain[: len(bound)], bound):
        # The wrap opens, so it is whole: what it is bound to was changed.
        raise PackageUnsound(0, HEAD_BYTES)
    return SealedPackage(head, DataKey(plain[len(bound) :]), read_at, size)
