"""The gateway's pepper: what makes a stolen database useless to a guesser.  Format: section 9.

This module alone computes the pepper's HMACs.  The pepper lives outside the database and is
backed up apart from it; without it no row, no wrap and no key tells a right code from a wrong one.
"""

import hmac
import secrets
from dataclasses import dataclass, field

from crypto.errors import KeyFileRefused

PEPPER_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pepper:
    """32 secret bytes of one deployment.  Raises KeyFileRefused when they are not 32."""

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != PEPPER_BYTES:
            raise KeyFileRefused("a pepper is 32 bytes long")

    @classmethod
    def generate(cls) -> "Pepper":
        """Make a new one, at a gateway's birth only: a new pepper orphans every receipt."""
        return cls(secrets.token_bytes(PEPPER_BYTES))

    def locator(self, lookup: bytes) -> bytes:
        """Give the 32-byte row id under which the vault keeps the case of this lookup."""
        return hmac.digest(self.raw, b"id\0" + lookup, "sha256")

    def receipt_part(self, lookup: bytes) -> bytes:
        """Give the pepper's 32-byte part of a receipt's keys, for any lookup, known or not."""
        return hmac.digest(self.raw, b"rk\0" + lookup, "sha256")
