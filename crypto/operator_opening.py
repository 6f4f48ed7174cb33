"""Open envelopes with an operator's or a custodian's private key.  FORMAT.md, sections 5 and 6.

Rule: gateway, vault and sanitizer never import this module, directly or through others: the server
cannot decrypt.  An import contract holds it.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from nacl.bindings import crypto_scalarmult_base

from crypto.body import DataKey
from crypto.custody import Share, subset_of, xor
from crypto.errors import KeyRefused, NotARecipient, SharesInsufficient
from crypto.header import Header, Kind
from crypto.ids import Kid
from crypto.keys import KEY_BYTES, CustodianPublicKey, OperatorPublicKey
from crypto.unwrap import unwrap_data_key, unwrap_share
from crypto.wrap import Wrap, parse_wraps


@dataclass(frozen=True, slots=True, eq=False)
class OperatorPrivateKey:
    """An operator's evidence key (32 raw bytes), which only their own machine has."""

    raw: bytes = field(repr=False)
    public: OperatorPublicKey = field(init=False)

    def __post_init__(self) -> None:
        # Once, and not per envelope: it costs as much as opening a wrap does.
        object.__setattr__(self, "public", OperatorPublicKey(_public_of(self.raw)))

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True, eq=False)
class CustodianPrivateKey:
    """A custodian's key (32 raw bytes), which opens shares and nothing else."""

    raw: bytes = field(repr=False)
    public: CustodianPublicKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "public", CustodianPublicKey(_public_of(self.raw)))

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(KEY_BYTES))


def open_data_key(private: OperatorPrivateKey, header: Header, wraps: bytes) -> DataKey:
    """Open the data key of an envelope that is sealed to operators.

    Raises `NotARecipient` if no wrap bears the key's id or the envelope is an identity,
    `EnvelopeMalformed` if the wraps do not parse, `CannotOpen` if the wrap does not open.
    """
    if header.kind is Kind.IDENTITY:
        raise NotARecipient
    wrap = _wraps_for(private.public.kid, header, wraps)[0]
    return unwrap_data_key(private.raw, private.public, header, wrap)


def open_shares(private: CustodianPrivateKey, header: Header, wraps: bytes) -> tuple[Share, ...]:
    """Open a custodian's shares of an identity envelope, one per subset they belong to.

    Raises `NotARecipient`, `EnvelopeMalformed` and `CannotOpen` as `open_data_key` does.
    """
    if header.kind is not Kind.IDENTITY:
        raise NotARecipient
    return tuple(
        unwrap_share(private.raw, private.public, header, wrap)
        for wrap in _wraps_for(private.public.kid, header, wraps)
    )


def combine_shares(shares: Iterable[Share]) -> DataKey:
    """Return the data key from the shares of any complete subset of the custodians.

    Raises `SharesInsufficient` if none is complete.  A false share gives a false key, which fails
    at the manifest's first byte.
    """
    subsets: dict[bytes, dict[Kid, Share]] = defaultdict(dict)
    for share in shares:
        subsets[share.subset][share.holder] = share
    for subset, members in subsets.items():
        if subset == subset_of(list(members)):
            return DataKey(xor([share.value for share in members.values()]))
    raise SharesInsufficient


def _public_of(private: bytes) -> bytes:
    if len(private) != KEY_BYTES:
        raise KeyRefused("a private key is 32 bytes")
    return crypto_scalarmult_base(private)


def _wraps_for(kid: Kid, header: Header, wraps: bytes) -> list[Wrap]:
    mine = [wrap for wrap in parse_wraps(header, wraps) if wrap.kid == kid]
    if not mine:
        raise NotARecipient
    return mine
