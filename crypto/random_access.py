"""Open a stretch from the middle of a sealed part.  Format: crypto/FORMAT.md, section 4.1.

Rule: this proves that each chunk it opens is authentic and in its place, and not that the part is
complete: whoever reads at random has had the part's digest compared before (`PartsCheck`).
"""

import hmac
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.body import CHUNK, CHUNK_TAG, STREAM_HEAD, DataKey, part_context, part_key
from crypto.body import sealed_length as sealed_length_of
from crypto.errors import CannotOpen
from crypto.header import Header

CHUNKS_PER_READ = 16
"""Chunks asked of `read_at` at once at most: 256 KiB and their tags."""

_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_SALT = 24
_AEAD_KEY = 32
_NONCE = 12
_COMMITMENT = 32
CHUNK_STEP = CHUNK + CHUNK_TAG
"""Bytes from the beginning of one sealed chunk to the next."""


def open_range(  # noqa: PLR0913, PLR0917  # where the part is sealed, where it lies, and what of it
    data_key: DataKey,
    header: Header,
    index: int,
    read_at: Callable[[int, int], bytes],
    sealed_length: int,
    length: int,
    start: int,
    stop: int,
) -> Iterator[bytes]:
    """Open bytes `start` to `stop` (not included) of a content part; reads only their chunks.

    `read_at(offset, amount)` gives that many bytes of the sealed part, which is `sealed_length`
    long; `length` is the true length, from the sealed manifest.  Yields up to 256 KiB at a time,
    each of them authenticated.  Raises `CannotOpen`, perhaps after something was yielded.
    """
    if not 1 <= index < header.parts or not 0 <= start <= stop <= length:
        raise CannotOpen
    if sealed_length != sealed_length_of(length):
        # Cut short or grown, it would have another last chunk: refused before a byte is opened.
        raise CannotOpen
    head = _exactly(read_at, 0, STREAM_HEAD)
    aead, base = stream_of(data_key, part_context(header, index), head)
    end = -(-stop // CHUNK) if start < stop else 0
    for first in range(start // CHUNK, end, CHUNKS_PER_READ):
        at = STREAM_HEAD + first * CHUNK_STEP
        amount = min(min(CHUNKS_PER_READ, end - first) * CHUNK_STEP, sealed_length - at)
        plain = _opened(aead, base, first, _exactly(read_at, at, amount))
        begins = first * CHUNK
        content = min(len(plain), length - begins)
        if plain.count(0, content) != len(plain) - content:
            # The padding of the chunks that are opened must be zeros, as for a sequential reader.
            raise CannotOpen
        yield plain[max(start - begins, 0) : stop - begins]


def stream_of(data_key: DataKey, context: bytes, head: bytes) -> tuple[AESGCM, int]:
    """Return the cipher and the base nonce of a stream, once its commitment was compared.

    For readers of streams in this room alone.  Raises `CannotOpen`.
    """
    info = _LABEL + head[:_SALT] + context
    length = _AEAD_KEY + _NONCE + _COMMITMENT
    derived = HKDFExpand(algorithm=SHA512(), length=length, info=info).derive(
        part_key(data_key, context)
    )
    if not hmac.compare_digest(derived[_AEAD_KEY + _NONCE :], head[_SALT:]):
        raise CannotOpen
    base = int.from_bytes(derived[_AEAD_KEY : _AEAD_KEY + _NONCE], "big")
    return AESGCM(derived[:_AEAD_KEY]), base


def chunk_nonce(base: int, number: int) -> bytes:
    """Return the nonce of one chunk of a stream, counted from 0."""
    return (base ^ number).to_bytes(_NONCE, "big")


def _opened(aead: AESGCM, base: int, first: int, sealed: bytes) -> bytes:
    """The plaintext of consecutive chunks, the first of which is the part's `first`."""
    try:
        return b"".join(
            aead.decrypt(chunk_nonce(base, number), sealed[at : at + CHUNK_STEP], None)
            for number, at in enumerate(range(0, len(sealed), CHUNK_STEP), first)
        )
    except InvalidTag:
        raise CannotOpen from None


def _exactly(read_at: Callable[[int, int], bytes], offset: int, amount: int) -> bytes:
    sealed = read_at(offset, amount)
    if len(sealed) != amount:
        raise CannotOpen
    return sealed
