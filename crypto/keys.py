"""Public keys by role: whom one may seal to, and whose signature one may check.

Rule: a key of a role cannot be passed where another role's is wanted, and bytes that are no safe
key never become one.  Format: crypto/FORMAT.md, section 2.  No private key lives here.
"""

from dataclasses import dataclass
from typing import Self

import nacl.bindings
import nacl.exceptions

from crypto.errors import KeyRefused, SignatureInvalid
from crypto.ids import Kid, kid_of

KEY_BYTES = 32
SIGNATURE_BYTES = 64

SUITE_SEALED_BOX = 1
_SUITE_OF_SIGNING_KEYS = 0

_X25519_PRIME = 2**255 - 19
# Any scalar does: a point of low order gives the zero product with every clamped scalar.
_PROBE_SCALAR = bytes([1] * KEY_BYTES)


@dataclass(frozen=True, slots=True)
class _SealingPublicKey:
    """An X25519 public key (32 raw bytes); construction raises `KeyRefused` unless it is safe."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise KeyRefused("a public key is 32 bytes")
        # A second encoding of the same point would be the same key under another id.
        if int.from_bytes(self.raw, "little") >= _X25519_PRIME:
            raise KeyRefused("a public key is encoded in one way only")
        try:
            nacl.bindings.crypto_scalarmult(_PROBE_SCALAR, self.raw)
        except nacl.exceptions.RuntimeError:
            # Whatever is sealed to a point of low order, everybody can open.
            raise KeyRefused("a point of low order is no key") from None

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Return the key of 32 untrusted bytes; raise `KeyRefused` unless it is safe."""
        return cls(bytes(untrusted))

    @property
    def kid(self) -> Kid:
        """The key's 16-byte id under suite 1."""
        return kid_of(SUITE_SEALED_BOX, self.raw)


@dataclass(frozen=True, slots=True)
class OperatorPublicKey(_SealingPublicKey):
    """An operator's evidence key: reports, evidence, entries and replies are sealed to it."""


@dataclass(frozen=True, slots=True)
class CustodianPublicKey(_SealingPublicKey):
    """A custodian's key: shares of identity envelopes are sealed to it, and nothing else."""


@dataclass(frozen=True, slots=True)
class ReplyPublicKey(_SealingPublicKey):
    """A receipt's key, which only the code and the pepper together can rebuild."""


@dataclass(frozen=True, slots=True)
class ServicePublicKey(_SealingPublicKey):
    """A receiving service's key: packages are sealed to it, and no envelope ever is."""


@dataclass(frozen=True, slots=True)
class SigningPublicKey:
    """An Ed25519 public key (32 raw bytes): a signing, follow-up, api or root key.

    Construction raises `KeyRefused` unless the point is canonical and of the large order.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise KeyRefused("a public key is 32 bytes")
        if not nacl.bindings.crypto_core_ed25519_is_valid_point(self.raw):
            raise KeyRefused("not a point of the large order, canonically encoded")

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Return the key of 32 untrusted bytes; raise `KeyRefused` unless it is safe."""
        return cls(bytes(untrusted))

    @property
    def kid(self) -> Kid:
        """The key's 16-byte id (the suite byte of a signing key is 0)."""
        return kid_of(_SUITE_OF_SIGNING_KEYS, self.raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check 64 bytes of Ed25519 over the whole message; raise `SignatureInvalid`.

        The message must begin with a label of its own: see `crypto.signing`.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureInvalid("a signature is 64 bytes")
        try:
            nacl.bindings.crypto_sign_open(signature + message, self.raw)
        except nacl.exceptions.BadSignatureError:
            raise SignatureInvalid("the signature does not hold") from None
