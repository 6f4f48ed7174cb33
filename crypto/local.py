"""What an operator's own machine keeps for itself, sealed under its own key.  Format: section 20.

Rule: everything here can be made anew from what was received; it is bound to its place and to the
state of what it was made from, so that a row that was moved, or that outlived what it speaks of,
does not open.  The gateway never imports this module: it works with private keys.
"""

import secrets
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as PrimitiveRefused

from crypto.errors import CannotOpen
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.padding import padme

_KEY = b"amana/v1/local\0"
_ROW = b"amana/v1/local-row\0"
_KEY_BYTES = 32
_NONCE_BYTES = 24
_LENGTH = struct.Struct(">I")
_SHORT_MOST = 255


@dataclass(frozen=True, slots=True)
class LocalKey:
    """The key of one purpose on one person's machine; make it with `of`."""

    raw: bytes = field(repr=False)

    @classmethod
    def of(cls, private: OperatorPrivateKey | CustodianPrivateKey, purpose: str) -> "LocalKey":
        """Derive it from the private key that opens envelopes.

        Raises ValueError for a purpose that is empty or longer than 255 bytes.
        """
        info = _KEY + private.public.kid + _short("a purpose", purpose.encode())
        return cls(HKDFExpand(algorithm=SHA256(), length=_KEY_BYTES, info=info).derive(private.raw))

    def seal(self, place: bytes, state: bytes, content: bytes) -> bytes:
        """Seal a content for one place and one state of what it was made from.

        Its size tells Padmé(4 + length) and no more.  Raises ValueError for a place that is empty
        or longer than 255 bytes.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        framed = _LENGTH.pack(len(content)) + content
        padded = framed.ljust(padme(len(framed)), b"\0")
        return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(
            padded, _bound(place, state), nonce, self.raw
        )

    def open(self, place: bytes, state: bytes, untrusted: bytes) -> bytes:
        """Give the content back.  Raises CannotOpen for any other key, place, state or byte."""
        nonce, sealed = untrusted[:_NONCE_BYTES], untrusted[_NONCE_BYTES:]
        try:
            padded = crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, _bound(place, state), nonce, self.raw
            )
        except (PrimitiveRefused, ValueError):
            raise CannotOpen from None
        if len(padded) < _LENGTH.size:
            raise CannotOpen
        (length,) = _LENGTH.unpack_from(padded)
        end = _LENGTH.size + length
        if len(padded) != padme(end) or padded[end:].strip(b"\0"):
            raise CannotOpen
        return padded[_LENGTH.size : end]


def _bound(place: bytes, state: bytes) -> bytes:
    return _ROW + _short("a place", place) + state


def _short(what: str, value: bytes) -> bytes:
    if not 0 < len(value) <= _SHORT_MOST:
        raise ValueError(f"{what} has 1 to {_SHORT_MOST} bytes")
    return bytes([len(value)]) + value
