"""What the vault can see of what it keeps: outsides, sizes, and days.

Nothing here can hold plaintext, a key, a name or a time of day.
"""

from dataclasses import dataclass, field

from crypto.header import Header
from crypto.ids import CaseId, Day, EnvelopeId


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A blob that is whole and durable: its random name and its size in bytes (ciphertext)."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """One sealed envelope: header, wraps as sealed, part 0 (ciphertext), and parts 1.. as blobs."""

    header: Header
    wraps: bytes
    manifest: bytes
    parts: tuple[BlobRef, ...] = ()

    @property
    def id(self) -> EnvelopeId:
        """The envelope's random id (16 bytes)."""
        return self.header.envelope

    @property
    def case(self) -> CaseId:
        """The id of the case that the envelope belongs to (16 bytes)."""
        return self.header.case


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be opened.

    ``locator`` is the 32-byte HMAC of a receipt code, ``thread_state`` the sealed state of its
    conversation (one size for all), ``receipt_window`` 48 opaque bytes: when the receipt was shown,
    sealed by the gateway, or random.
    """

    case_id: CaseId
    locator: bytes = field(repr=False)
    thread_state: bytes = field(repr=False)
    receipt_window: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case on the shelf; ``received_day`` is the vault's own day, never a time."""

    case_id: CaseId
    locator: bytes = field(repr=False)
    received_day: Day
    thread_state: bytes = field(repr=False)
    receipt_window: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A roster that was verified once: the highest epoch is what a later one must beat.

    The others are its history: desks judge by them what was signed in their time.
    """

    epoch: int
    hash: bytes
    note: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expired:
    """How much an expiry removed; counts alone."""

    staged: int
    blobs: int
    nonces: int
