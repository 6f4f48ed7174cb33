"""Seal a data key to those who may open an envelope.  Format: crypto/FORMAT.md, section 5.

Rule: this module can seal and parse, and cannot open: opening is `crypto.unwrap`'s, behind the
modules that hold private keys.  A wrap is bound to its envelope's header and to its reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nacl.bindings import crypto_box_seal

from crypto.body import DataKey
from crypto.custody import SHARES_MOST, split
from crypto.errors import EnvelopeMalformed, RecipientsRefused
from crypto.header import Header, Kind
from crypto.ids import ID_BYTES, KID_ZERO, HeaderHash, Kid
from crypto.keys import CustodianPublicKey, OperatorPublicKey, ReplyPublicKey

WRAP_BYTES = 148
SHARE_WRAP_BYTES = 164
WRAPS_MOST = 256

WRAP_MAGIC = b"AMW1"
SHARE_MAGIC = b"AMS1"


@dataclass(frozen=True, slots=True)
class Wrap:
    """One wrap as it stands beside an envelope: whom it is for, and what only they can open."""

    kid: Kid
    sealed: bytes

    def to_bytes(self) -> bytes:
        """Return kid ‖ sealed box: 148 bytes for a data key, 164 for a custodian's share."""
        return self.kid + self.sealed


class Recipients(Protocol):
    """Whom an envelope is sealed to; made by one of the three classes below."""

    @property
    def kids(self) -> tuple[Kid, ...]:
        """The readers' key ids, in order, as inner signatures name them."""
        ...

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of envelope that may be sealed to such recipients."""
        ...

    def wraps(self, data_key: DataKey, header_hash: HeaderHash) -> bytes:
        """Return the wraps, one after the other."""
        ...


@dataclass(frozen=True, slots=True)
class Operators:
    """Every operator of the roster: reports, evidence, follow-ups and entries.

    Raises `RecipientsRefused` for no key or a key twice.
    """

    keys: Sequence[OperatorPublicKey]

    def __post_init__(self) -> None:
        _require_distinct(self.kids)

    @property
    def kids(self) -> tuple[Kid, ...]:
        """The operators' key ids, in order."""
        return tuple(key.kid for key in self.keys)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Everything but identities and replies."""
        return frozenset({Kind.REPORT, Kind.EVIDENCE, Kind.FOLLOW_UP, Kind.ENTRY})

    def wraps(self, data_key: DataKey, header_hash: HeaderHash) -> bytes:
        """Return one wrap of 148 bytes per operator."""
        return b"".join(_wrap(key.raw, key.kid, data_key, header_hash) for key in self.keys)


@dataclass(frozen=True, slots=True)
class OperatorsAndReceipt:
    """A reply's readers: the holder of the receipt, and every operator.

    Raises `RecipientsRefused` for no operator or a key twice.
    """

    keys: Sequence[OperatorPublicKey]
    reply_key: ReplyPublicKey

    def __post_init__(self) -> None:
        _require_distinct(self.kids[1:])
        _require_distinct(self.kids)

    @property
    def kids(self) -> tuple[Kid, ...]:
        """The receipt's true key id first, then the operators'; for what is sealed inside."""
        return (self.reply_key.kid, *(key.kid for key in self.keys))

    @property
    def kinds(self) -> frozenset[Kind]:
        """Replies alone."""
        return frozenset({Kind.REPLY})

    def wraps(self, data_key: DataKey, header_hash: HeaderHash) -> bytes:
        """Return the receipt's wrap, its kid written as zeros, then one per operator."""
        # A receipt's key id in clear would let a stolen database be tested against guessed codes.
        reply = _wrap(self.reply_key.raw, self.reply_key.kid, data_key, header_hash)
        return KID_ZERO + reply[ID_BYTES:] + Operators(self.keys).wraps(data_key, header_hash)


@dataclass(frozen=True, slots=True)
class Custodians:
    """An identity's readers: any `quorum` of the custodians together, by shares.

    Raises `RecipientsRefused` for no key, a key twice, or a quorum that cannot be.
    """

    keys: Sequence[CustodianPublicKey]
    quorum: int

    def __post_init__(self) -> None:
        split(bytes(32), self.kids, self.quorum)

    @property
    def kids(self) -> tuple[Kid, ...]:
        """The custodians' key ids, in order."""
        return tuple(key.kid for key in self.keys)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Identities alone."""
        return frozenset({Kind.IDENTITY})

    def wraps(self, data_key: DataKey, header_hash: HeaderHash) -> bytes:
        """Return one wrap of 164 bytes per share, C(n, k) · k of them."""
        raw = {key.kid: key.raw for key in self.keys}
        return b"".join(
            share.holder
            + crypto_box_seal(
                SHARE_MAGIC + header_hash + share.holder + share.subset + share.value,
                raw[share.holder],
            )
            for share in split(data_key.raw, self.kids, self.quorum)
        )


def parse_wraps(header: Header, untrusted: bytes) -> tuple[Wrap, ...]:
    """Take wraps apart without opening them; the header says which of the two layouts they have.

    Accepts any selection of an envelope's wraps, none included, for a server sends each reader its
    own.  Raises `EnvelopeMalformed` for a length that does not divide, too many, or, where each
    reader has one wrap only, a key id twice.
    """
    identity = header.kind is Kind.IDENTITY
    size = SHARE_WRAP_BYTES if identity else WRAP_BYTES
    most = SHARES_MOST if identity else WRAPS_MOST
    if len(untrusted) % size or len(untrusted) > size * most:
        raise EnvelopeMalformed("wraps do not divide, or are too many")
    starts = range(0, len(untrusted), size)
    wraps = tuple(
        Wrap(Kid(untrusted[at : at + ID_BYTES]), untrusted[at + ID_BYTES : at + size])
        for at in starts
    )
    if not identity and len({wrap.kid for wrap in wraps}) != len(wraps):
        raise EnvelopeMalformed("two wraps for one reader")
    return wraps


def has_receipt_wrap(header: Header, wraps: bytes) -> bool:
    """Whether the holder of the receipt can still open this reply: its wrap stands first.

    Raises `EnvelopeMalformed`.
    """
    return [wrap.kid for wrap in parse_wraps(header, wraps)[:1]] == [KID_ZERO]


def without_receipt(header: Header, wraps: bytes) -> bytes:
    """Return a reply's wraps without the receipt's: nobody can make that one again from the rest.

    Where there is none any more, they come back as they are.  Raises `EnvelopeMalformed`.
    """
    return wraps[WRAP_BYTES:] if has_receipt_wrap(header, wraps) else wraps


def _wrap(public: bytes, kid: Kid, data_key: DataKey, header_hash: HeaderHash) -> bytes:
    return kid + crypto_box_seal(WRAP_MAGIC + header_hash + kid + data_key.raw, public)


def _require_distinct(kids: Sequence[Kid]) -> None:
    if not 1 <= len(kids) <= WRAPS_MOST or len(set(kids)) != len(kids):
        raise RecipientsRefused("no recipient, too many, or one twice")
