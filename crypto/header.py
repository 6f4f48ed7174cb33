"""The outside of an envelope: 140 bytes anybody may read.  Format: crypto/FORMAT.md, section 3.

Rule: `Header.from_bytes` accounts for every byte or raises, and `to_bytes` gives back the very
bytes it was parsed from.  Standard library only: the vault may import this.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from crypto.errors import EnvelopeMalformed, SuiteUnavailable
from crypto.ids import HASH_BYTES, ID_BYTES, CaseId, Day, Deployment, EnvelopeId, HeaderHash

HEADER_BYTES = 140
PARTS_MOST = 16
"""Parts 0 (manifest), 1 (content) and 2 (a kept original) are in use; the rest is headroom."""

_MAGIC = b"AMANAENV"
_VERSION = 1
_LAYOUT = struct.Struct(">8sBBBB16s16s16s32sII32s8s")
_U32_MOST = 0xFFFFFFFF


class Kind(IntEnum):
    """What an envelope is, as the vault may know."""

    REPORT = 1
    EVIDENCE = 2
    IDENTITY = 3
    FOLLOW_UP = 4
    ENTRY = 5
    REPLY = 6


class Suite(IntEnum):
    """How data keys are wrapped; the signed roster chooses, and nothing falls back."""

    SEALED_BOX = 1
    HPKE_X_WING = 2


def require_available(suite: Suite) -> None:
    """Raise `SuiteUnavailable` unless this installation can do the suite."""
    if suite is not Suite.SEALED_BOX:
        raise SuiteUnavailable("suite 2 needs a library that is not here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An envelope's header; every field is in clear, and bound into every wrap by its hash."""

    kind: Kind
    deployment: Deployment
    case: CaseId
    envelope: EnvelopeId
    roster_hash: bytes
    day: Day
    parts: int
    parts_root: bytes
    suite: Suite = Suite.SEALED_BOX

    def __post_init__(self) -> None:
        ids = (self.deployment, self.case, self.envelope)
        hashes = (self.roster_hash, self.parts_root)
        if any(len(i) != ID_BYTES for i in ids) or any(len(h) != HASH_BYTES for h in hashes):
            raise EnvelopeMalformed("a field of the header has the wrong length")
        if not 1 <= self.parts <= PARTS_MOST or not 0 <= self.day <= _U32_MOST:
            raise EnvelopeMalformed("a number of the header is out of range")

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Parse exactly 140 bytes; raise `EnvelopeMalformed`, or `SuiteUnavailable` for suite 2."""
        if len(untrusted) != HEADER_BYTES:
            raise EnvelopeMalformed("a header is 140 bytes")
        fields = _LAYOUT.unpack(untrusted)
        magic, version, suite, kind, flags = fields[:5]
        if magic != _MAGIC or version != _VERSION or flags != 0 or fields[12] != bytes(8):
            raise EnvelopeMalformed("not an envelope of version 1")
        if kind not in set(Kind) or suite not in set(Suite):
            raise EnvelopeMalformed("a kind or a suite that does not exist")
        require_available(Suite(suite))
        return cls(
            suite=Suite(suite),
            kind=Kind(kind),
            deployment=Deployment(fields[5]),
            case=CaseId(fields[6]),
            envelope=EnvelopeId(fields[7]),
            roster_hash=fields[8],
            day=Day(fields[9]),
            parts=fields[10],
            parts_root=fields[11],
        )

    def to_bytes(self) -> bytes:
        """Return the 140 bytes."""
        return _LAYOUT.pack(
            _MAGIC,
            _VERSION,
            self.suite,
            self.kind,
            0,
            self.deployment,
            self.case,
            self.envelope,
            self.roster_hash,
            self.day,
            self.parts,
            self.parts_root,
            bytes(8),
        )

    @property
    def hash(self) -> HeaderHash:
        """HH, the 32 bytes that wraps, references and parents point with."""
        return HeaderHash(hashlib.sha256(b"amana/v1/header\0" + self.to_bytes()).digest())


def parts_root(digests: Sequence[bytes]) -> bytes:
    """Return the 32-byte root over the SHA-256 of each sealed part, part 0 first.

    Raises `EnvelopeMalformed` unless there are 1 to 16 digests of 32 bytes.
    """
    if not 1 <= len(digests) <= PARTS_MOST or any(len(d) != HASH_BYTES for d in digests):
        raise EnvelopeMalformed("a root is over 1 to 16 digests of 32 bytes")
    count = len(digests).to_bytes(4, "big")
    return hashlib.sha256(b"amana/v1/parts\0" + count + b"".join(digests)).digest()
