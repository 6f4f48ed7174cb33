"""Open one wrap with a private key in hand.  Format: crypto/FORMAT.md, section 5.

Rule: this module knows neither roles nor files of keys.  `crypto.operator_opening` (operators and
custodians) and `crypto.receipt` (the holder of a code, while they are there) are its only callers.
"""

import hmac

from nacl.bindings import crypto_box_seal_open
from nacl.exceptions import CryptoError as NaclError

from crypto.body import DATA_KEY_BYTES, DataKey
from crypto.custody import SHARE_BYTES, Share
from crypto.errors import CannotOpen
from crypto.header import Header
from crypto.ids import ID_BYTES
from crypto.keys import CustodianPublicKey, OperatorPublicKey, ReplyPublicKey
from crypto.wrap import SHARE_MAGIC, WRAP_MAGIC, Wrap

SealingKey = OperatorPublicKey | ReplyPublicKey
"""Whoever may hold a data key whole; a custodian never does."""


def unwrap_data_key(private: bytes, public: SealingKey, header: Header, wrap: Wrap) -> DataKey:
    """Open a wrap with a raw X25519 private key (32 bytes) and its public counterpart.

    Raises `CannotOpen` unless the wrap was made for this key and for exactly this header.
    """
    bound = WRAP_MAGIC + header.hash + public.kid
    return DataKey(_opened(private, public, wrap, bound, DATA_KEY_BYTES))


def unwrap_share(private: bytes, public: CustodianPublicKey, header: Header, wrap: Wrap) -> Share:
    """Open a custodian's wrap, as above, and return the share and the subset it belongs to."""
    bound = SHARE_MAGIC + header.hash + public.kid
    plain = _opened(private, public, wrap, bound, ID_BYTES + SHARE_BYTES)
    return Share(holder=public.kid, subset=plain[:ID_BYTES], value=plain[ID_BYTES:])


def _opened(
    private: bytes,
    public: SealingKey | CustodianPublicKey,
    wrap: Wrap,
    bound: bytes,
    length: int,
) -> bytes:
    """Return what follows the bound bytes, which are compared in constant time."""
    try:
        plain = crypto_box_seal_open(wrap.sealed, public.raw, private)
    except (NaclError, TypeError):
        raise CannotOpen from None
    # A bare sealed box proves no context: without this, a wrap could be moved to another header.
    if len(plain) != len(bound) + length or not hmac.compare_digest(plain[: len(bound)], bound):
        raise CannotOpen
    return plain[len(bound) :]
