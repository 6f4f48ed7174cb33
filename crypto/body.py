"""Seal and open an envelope's parts under a data key in hand.  Format: crypto/FORMAT.md, section 4.

Rule: this module knows no recipient and no private key.  Whoever opens a part writes to quarantine
until the iterator has ended without an error: what comes before the end is not yet proven whole.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.errors import CannotOpen
from crypto.header import Header, Kind, parts_root
from crypto.padding import SMALLEST, padme

DATA_KEY_BYTES = 32
FEED_BYTES = 256 * 1024
"""Bytes given to the cipher per call at least: below this the call costs more than the work."""

MANIFEST_MOST = 1024 * 1024
"""Bytes of a manifest's JSON at most."""

STREAM_HEAD = 56
"""Bytes before a sealed part's first chunk: salt and commitment."""

CHUNK = 16 * 1024
CHUNK_TAG = 16
"""Bytes of plaintext in every chunk but the last, and of the tag after each."""

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """The 32-byte key of one envelope.  Fresh for each, never used for another, never printed."""

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != DATA_KEY_BYTES:
            raise CannotOpen("a data key is 32 bytes")

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(DATA_KEY_BYTES))


def part_context(header: Header, index: int) -> bytes:
    """Return ctx_i, 67 bytes: the place that a part's key and stream are bound to.

    Only the deployment, case, envelope and kind of the header go in: a part is sealed before the
    rest of its header is known.
    """
    place = [header.deployment, header.case, header.envelope, bytes([header.kind])]
    return b"amana/v1/part\0" + b"".join(place) + index.to_bytes(4, "big")


def sealed_length(length: int) -> int:
    """Return the bytes of a sealed part whose true content is `length` bytes: padded, then sealed.

    A Cobblestone-256 stream is a head of 56 bytes and chunks of 16 KiB with a tag of 16 each; the
    last chunk is shorter than the others, and empty if need be.
    """
    padded = padme(length)
    return STREAM_HEAD + padded + CHUNK_TAG * (padded // CHUNK + 1)


def part_key(data_key: DataKey, context: bytes) -> bytes:
    """Return K_i, 32 bytes: the key of the one part whose context (ctx_i) this is."""
    info = b"amana/v1/part-key\0" + context
    return HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(data_key.raw)


def part_encryptor(data_key: DataKey, header: Header, index: int) -> Cobblestone256Encryptor:
    """Return the cipher that seals one part, for `crypto.envelope` alone."""
    context = part_context(header, index)
    return Cobblestone256Encryptor(part_key(data_key, context), context)


def open_manifest(data_key: DataKey, header: Header, sealed: bytes) -> bytes:
    """Open part 0 and return the manifest's JSON, its padding checked and taken off.

    Raises `CannotOpen` if a byte is missing, added or altered, or if the padding is not as it must.
    """
    if len(sealed) > sealed_length(_LENGTH_BYTES + MANIFEST_MOST):
        raise CannotOpen
    padded = b"".join(_decrypted(data_key, part_context(header, 0), [sealed]))
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    # Compared with what sealing would have made of it: a length beyond the end, a size of another
    # class and a byte after the JSON are all the same failure.
    if not hmac.compare_digest(padded, pad_manifest(header.kind, padded[_LENGTH_BYTES:end])):
        raise CannotOpen
    return padded[_LENGTH_BYTES:end]


def pad_manifest(kind: Kind, manifest: bytes) -> bytes:
    """Return u32 length ‖ JSON ‖ zeros; an identity's is always 4096 bytes.

    Raises `CannotOpen` if it is too large: `crypto.envelope` checks before, with a clearer name.
    """
    if not manifest_fits(kind, manifest):
        raise CannotOpen
    framed = len(manifest).to_bytes(_LENGTH_BYTES, "big") + manifest
    return framed.ljust(padme(len(framed)), b"\0")


def manifest_fits(kind: Kind, manifest: bytes) -> bool:
    """Say whether a manifest's JSON is within what its kind allows."""
    most = SMALLEST - _LENGTH_BYTES if kind is Kind.IDENTITY else MANIFEST_MOST
    return len(manifest) <= most


def open_part(
    data_key: DataKey, header: Header, index: int, sealed_chunks: Iterable[bytes], length: int
) -> Iterator[bytes]:
    """Open a content part (1 and up) and yield its `length` bytes in order, flat in memory.

    `length` is the true length, from the sealed manifest.  Raises `CannotOpen`, perhaps after much
    was yielded: nothing is proven whole until the iterator ends, so write to quarantine.
    """
    if not 1 <= index < header.parts or length < 0:
        raise CannotOpen
    padded = padme(length)
    seen = 0
    for plain in _decrypted(data_key, part_context(header, index), sealed_chunks):
        content = max(0, min(len(plain), length - seen))
        seen += len(plain)
        if seen > padded or plain.count(0, content) != len(plain) - content:
            raise CannotOpen
        if content:
            yield plain[:content]
    if seen != padded:
        raise CannotOpen


class PartsCheck:
    """Compare the SHA-256 of every sealed part with the root in the header.

    The parts' own keys already bind each to its place; the root binds all of them together, and
    lets whoever holds no key check that an envelope is whole.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._digests: dict[int, bytes] = {}

    def through(self, index: int, sealed_chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a part's sealed bytes on, and take their digest when they end.

        Raises `CannotOpen` for a part beyond the header's count.
        """
        if not 0 <= index < self._header.parts:
            raise CannotOpen
        digest = hashlib.sha256()
        for chunk in sealed_chunks:
            digest.update(chunk)
            yield chunk
        self._digests[index] = digest.digest()

    def add(self, index: int, sealed_chunks: Iterable[bytes]) -> None:
        """Take a part's digest without passing it on; raises as `through` does."""
        for _ in self.through(index, sealed_chunks):
            pass

    def conclude(self) -> None:
        """Raise `CannotOpen` unless every part ended and their root is the header's."""
        if len(self._digests) != self._header.parts:
            raise CannotOpen
        ordered = [self._digests[index] for index in range(self._header.parts)]
        if not hmac.compare_digest(parts_root(ordered), self._header.parts_root):
            raise CannotOpen


def _decrypted(
    data_key: DataKey, context: bytes, sealed_chunks: Iterable[bytes]
) -> Iterator[bytes]:
    cipher = Cobblestone256Decryptor(part_key(data_key, context), context)
    try:
        for feed in _fed(sealed_chunks):
            if plain := cipher.update(feed):
                yield plain
        yield cipher.finalize()
    except InvalidTag:
        raise CannotOpen from None


def _fed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Gather small chunks and cut large ones, so that the cipher is fed 256 KiB per call."""
    gathered = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            taken = view[: FEED_BYTES - len(gathered)]
            view = view[len(taken) :]
            gathered += taken
            if len(gathered) == FEED_BYTES:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)
