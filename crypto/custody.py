"""Split a data key among custodians, k of n.  Format: crypto/FORMAT.md, section 6.

Rule: for each subset of k custodians there are k shares whose XOR is the key, and any k - 1 of
them are random bytes.  No field arithmetic and no library: an auditor can read this in a minute.
"""

import hashlib
import itertools
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto.errors import RecipientsRefused
from crypto.ids import ID_BYTES, Kid

SHARES_MOST = 64
"""C(n, k) · k shares at most: 1 of 1 makes 1, 2 of 3 makes 6, 3 of 5 makes 30."""
SHARE_BYTES = 32


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One holder's share within one subset of the custodians."""

    holder: Kid
    subset: bytes
    value: bytes = field(repr=False)


def subset_of(holders: Sequence[Kid]) -> bytes:
    """Return the 16-byte id of a subset: whoever gathers shares knows from it who must be there."""
    ordered = sorted(holders)
    label = b"amana/v1/subset\0" + bytes([len(ordered)])
    return hashlib.sha256(label + b"".join(ordered)).digest()[:ID_BYTES]


def split(secret: bytes, holders: Sequence[Kid], quorum: int) -> tuple[Share, ...]:
    """Return the shares of 32 bytes: C(n, k) subsets in order, k shares each.

    Raises `RecipientsRefused` for no holders, a holder twice, a quorum that is not 1 to n, or more
    than 64 shares.
    """
    if not 1 <= quorum <= len(holders) or len(set(holders)) != len(holders):
        raise RecipientsRefused("a quorum is 1 to n of n different custodians")
    if math.comb(len(holders), quorum) * quorum > SHARES_MOST:
        raise RecipientsRefused(f"more than {SHARES_MOST} shares")
    return tuple(
        share
        for members in itertools.combinations(holders, quorum)
        for share in _split_among(secret, members)
    )


def xor(values: Sequence[bytes]) -> bytes:
    """Return the XOR of values of 32 bytes each."""
    total = 0
    for value in values:
        total ^= int.from_bytes(value, "big")
    return total.to_bytes(SHARE_BYTES, "big")


def _split_among(secret: bytes, members: Sequence[Kid]) -> tuple[Share, ...]:
    blinds = [secrets.token_bytes(SHARE_BYTES) for _ in members[1:]]
    subset = subset_of(members)
    values = [*blinds, xor([secret, *blinds])]
    return tuple(Share(m, subset, v) for m, v in zip(members, values, strict=True))
