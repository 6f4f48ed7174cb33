"""Sign what is inside an envelope, and check who signed it.  Format: crypto/FORMAT.md, section 7.

Rule: a signature is over a statement that names its kind, its place (deployment, case, envelope),
its readers, its parents and its body, so it can be moved to no other.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import nacl.bindings

from crypto.errors import KeyRefused, SignatureInvalid
from crypto.header import Kind
from crypto.ids import CaseId, Deployment, EnvelopeId, HeaderHash, Kid
from crypto.keys import SigningPublicKey

SEED_BYTES = 32
_COUNT_MOST = 0xFFFF

_LABELS = {
    Kind.FOLLOW_UP: b"amana/v1/sign/follow-up\0",
    Kind.ENTRY: b"amana/v1/sign/entry\0",
    Kind.REPLY: b"amana/v1/sign/reply\0",
}


@dataclass(frozen=True, slots=True, eq=False)
class SigningPrivateKey:
    """An Ed25519 private key, held as its 32-byte seed."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise KeyRefused("a signing seed is 32 bytes")

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key of a 32-byte seed; raise `KeyRefused` for another length."""
        return cls(bytes(seed))

    @property
    def public(self) -> SigningPublicKey:
        """The public counterpart."""
        return SigningPublicKey(nacl.bindings.crypto_sign_seed_keypair(self.seed)[0])

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes of Ed25519 over the message, which must begin with a label of its own."""
        _, secret = nacl.bindings.crypto_sign_seed_keypair(self.seed)
        return nacl.bindings.crypto_sign(message, secret)[:64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a signature inside an envelope is over: a follow-up's, an entry's or a reply's body.

    `recipients` are the true key ids of all readers; `body` is JSON, of which a hash is signed.
    """

    kind: Kind
    deployment: Deployment
    case: CaseId
    envelope: EnvelopeId
    recipients: Sequence[Kid]
    parents: Sequence[HeaderHash]
    body: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the bytes that are signed.

        Raises `SignatureInvalid` for a kind that is never signed or a statement that cannot be
        made.
        """
        if self.kind not in _LABELS:
            raise SignatureInvalid("this kind of envelope is never signed")
        return b"".join(
            [
                _LABELS[self.kind],
                _fixed([self.deployment, self.case, self.envelope], 16),
                _counted(self.recipients, 16),
                _counted(self.parents, 32),
                hashlib.sha256(self.body).digest(),
            ]
        )

    def sign(self, key: SigningPrivateKey) -> bytes:
        """Return the 64-byte signature; raises `SignatureInvalid` as `to_bytes` does."""
        return key.sign(self.to_bytes())

    def verify(self, public: SigningPublicKey, signature: bytes) -> None:
        """Check a signature against every field it is over; raise `SignatureInvalid`."""
        public.verify(signature, self.to_bytes())


def _counted(items: Sequence[bytes], length: int) -> bytes:
    """A u16 count, then the items: no item can be read as belonging to the next list."""
    if len(items) > _COUNT_MOST or len(set(items)) != len(items):
        raise SignatureInvalid("a list is too long or names something twice")
    return len(items).to_bytes(2, "big") + _fixed(items, length)


def _fixed(items: Sequence[bytes], length: int) -> bytes:
    if any(len(item) != length for item in items):
        raise SignatureInvalid("a field has the wrong length")
    return b"".join(items)
