"""Names of things that carry no meaning: random ids, key ids, hashes, days.

Rule: an id says nothing about what it names, and no time is finer than a day.
Format: crypto/FORMAT.md, section 2.  Standard library only: the vault may import this.
"""

import datetime as dt
import hashlib
import secrets
from typing import NewType

from crypto.errors import EnvelopeMalformed

ID_BYTES = 16
HASH_BYTES = 32

CaseId = NewType("CaseId", bytes)
"""16 bytes: one case.  Random, or derived from the code where a first message opens the case."""
EnvelopeId = NewType("EnvelopeId", bytes)
"""16 random bytes: one envelope."""
WordId = NewType("WordId", bytes)
"""16 random bytes: one thing that an operator said, in however many envelopes it was sealed."""
Deployment = NewType("Deployment", bytes)
"""16 bytes: one installation, derived from its first root public key."""
Kid = NewType("Kid", bytes)
"""16 bytes: a public key's id.  `KID_ZERO` stands for a receipt's key in wraps."""
HeaderHash = NewType("HeaderHash", bytes)
"""32 bytes: SHA-256 over an envelope's header, under its label."""
Day = NewType("Day", int)
"""Days since 1970-01-01, in UTC."""

KID_ZERO = Kid(bytes(ID_BYTES))

_EPOCH = dt.date(1970, 1, 1)


def new_case_id() -> CaseId:
    """Return 16 fresh random bytes that name a case."""
    return CaseId(secrets.token_bytes(ID_BYTES))


def new_envelope_id() -> EnvelopeId:
    """Return 16 fresh random bytes that name an envelope."""
    return EnvelopeId(secrets.token_bytes(ID_BYTES))


def new_word_id() -> WordId:
    """Return 16 fresh random bytes that name what an operator says."""
    return WordId(secrets.token_bytes(ID_BYTES))


def deployment_of(root_public: bytes) -> Deployment:
    """Return the 16-byte id of the installation whose first root public key (raw) this is."""
    return Deployment(hashlib.sha256(b"amana/v1/deployment\0" + root_public).digest()[:ID_BYTES])


def kid_of(suite: int, public: bytes) -> Kid:
    """Return the 16-byte id of a raw public key; `suite` is 0 for a signing key."""
    return Kid(hashlib.sha256(b"amana/v1/kid\0" + bytes([suite]) + public).digest()[:ID_BYTES])


def day_of(date: dt.date) -> Day:
    """Return the day number of a calendar date (UTC); 1970-01-01 is 0."""
    # A datetime is a date to isinstance, and would subtract with its hours: drop them here.
    return Day((dt.date(date.year, date.month, date.day) - _EPOCH).days)


def date_of(day: Day) -> dt.date:
    """Return the calendar date of a day number."""
    return _EPOCH + dt.timedelta(days=day)


def parse_case_id(untrusted: bytes) -> CaseId:
    """Return the case id if there are 16 bytes; raise `EnvelopeMalformed` otherwise."""
    return CaseId(_exactly(untrusted, ID_BYTES))


def parse_deployment(untrusted: bytes) -> Deployment:
    """Return the deployment id if there are 16 bytes; raise `EnvelopeMalformed` otherwise."""
    return Deployment(_exactly(untrusted, ID_BYTES))


def parse_envelope_id(untrusted: bytes) -> EnvelopeId:
    """Return the envelope id if there are 16 bytes; raise `EnvelopeMalformed` otherwise."""
    return EnvelopeId(_exactly(untrusted, ID_BYTES))


def parse_word_id(untrusted: bytes) -> WordId:
    """Return the id of words if there are 16 bytes; raise `EnvelopeMalformed` otherwise."""
    return WordId(_exactly(untrusted, ID_BYTES))


def parse_kid(untrusted: bytes) -> Kid:
    """Return the key id if there are 16 bytes; raise `EnvelopeMalformed` otherwise."""
    return Kid(_exactly(untrusted, ID_BYTES))


def parse_header_hash(untrusted: bytes) -> HeaderHash:
    """Return the header hash if there are 32 bytes; raise `EnvelopeMalformed` otherwise."""
    return HeaderHash(_exactly(untrusted, HASH_BYTES))


def parse_digest(untrusted: bytes) -> bytes:
    """Return a SHA-256 if there are 32 bytes; raise `EnvelopeMalformed` otherwise."""
    return _exactly(untrusted, HASH_BYTES)


def _exactly(untrusted: bytes, length: int) -> bytes:
    if len(untrusted) != length:
        raise EnvelopeMalformed(f"expected {length} bytes")
    return bytes(untrusted)
