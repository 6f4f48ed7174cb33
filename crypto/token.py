"""Tokens that a form carries and only the gateway can read.  Format: section 15.

XChaCha20-Poly1305 under a key of the gateway, bound to a purpose, so that a token of one page
opens nothing on another.  Expiry is the caller's: it stands inside the payload.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as PrimitiveRefused

from crypto.errors import KeyFileRefused, TokenInvalid

TOKEN_KEY_BYTES = 32
TOKEN_OVERHEAD_BYTES = 40
_NONCE_BYTES = 24
_LABEL = b"amana/v1/token\0"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The gateway's 32-byte token key.  Raises KeyFileRefused when it is not 32 bytes."""

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != TOKEN_KEY_BYTES:
            raise KeyFileRefused("a token key is 32 bytes long")

    @classmethod
    def generate(cls) -> "TokenKey":
        """Make a new one.  Every token under the old one is void from then on."""
        return cls(secrets.token_bytes(TOKEN_KEY_BYTES))


def seal_token_bytes(key: TokenKey, purpose: str, payload: bytes) -> bytes:
    """Seal a payload: 40 bytes longer (nonce 24, tag 16), indistinguishable from random bytes."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    aad = _LABEL + purpose.encode()
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(payload, aad, nonce, key.raw)


def open_token_bytes(key: TokenKey, purpose: str, untrusted: bytes) -> bytes:
    """Give the payload back.  Raises TokenInvalid for any other key, purpose or byte."""
    if len(untrusted) < TOKEN_OVERHEAD_BYTES:
        raise TokenInvalid
    nonce, sealed = untrusted[:_NONCE_BYTES], untrusted[_NONCE_BYTES:]
    aad = _LABEL + purpose.encode()
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, nonce, key.raw)
    except PrimitiveRefused:
        raise TokenInvalid from None


def seal_token(key: TokenKey, purpose: str, payload: bytes) -> str:
    """Seal a payload as base64url text without padding, for a hidden field of a form."""
    return base64.urlsafe_b64encode(seal_token_bytes(key, purpose, payload)).rstrip(b"=").decode()


def open_token(key: TokenKey, purpose: str, untrusted: str) -> bytes:
    """Give the payload of a token's text back.  Raises TokenInvalid for anything else."""
    try:
        padded = untrusted.encode("ascii") + b"=" * (-len(untrusted) % 4)
        sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise TokenInvalid from None
    if base64.urlsafe_b64encode(sealed) != padded:
        # One token, one spelling: the unused bits of the last letter are zero.
        raise TokenInvalid
    return open_token_bytes(key, purpose, sealed)
