"""Open what was sealed to this desk, and say so plainly when it does not open.

Rule: what leaves this module was opened with this desk's own key and parsed to its last
byte; whether it is *true* (signed by whom it should be, named by the report) is
desk.verify's.  Opened things live in memory and nowhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from crypto.body import DataKey, open_manifest
from crypto.errors import CryptoError, NotARecipient
from crypto.header import Kind
from crypto.manifest import EvidenceManifest, IdentityManifest, ReportManifest
from crypto.operator_opening import (
    CustodianPrivateKey,
    combine_shares,
    open_data_key,
    open_shares,
)
from crypto.signed import SignedManifest
from crypto.wrap import parse_wraps

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import Kid
    from crypto.operator_opening import OperatorPrivateKey
    from desk.store import Envelope

_T = TypeVar("_T")
REMEMBERED_MOST = 50_000


class Unopened(Exception):  # never leaves the room: it becomes an alarm
    """It does not open with this desk's key, or what it holds is not a manifest of its kind."""


class NotForUs(Unopened):
    """No wrap of it bears this desk's key: sealed before we joined, or left out."""


@dataclass(slots=True)
class Opener:
    """Opens envelopes with one private key, and remembers in memory what it opened."""

    key: OperatorPrivateKey | CustodianPrivateKey = field(repr=False)
    kid: Kid = field(init=False)
    _opened: dict[bytes, object] = field(default_factory=dict, repr=False)
    proven: set[bytes] = field(default_factory=set, repr=False)
    """Files that were read to their end and are what their manifests say (desk.evidence)."""

    def __post_init__(self) -> None:
        self.kid = self.key.public.kid

    def is_for_us(self, envelope: Envelope) -> bool:
        """Whether one of its wraps bears our key id; proves nothing yet."""
        try:
            return any(
                wrap.kid == self.kid for wrap in parse_wraps(envelope.header, envelope.wraps)
            )
        except CryptoError:
            return False

    def report(self, envelope: Envelope) -> ReportManifest:
        """The report's manifest.  Raises Unopened, NotForUs."""
        return self._manifest(envelope, Kind.REPORT, ReportManifest.from_json)

    def evidence(self, envelope: Envelope) -> EvidenceManifest:
        """What a file is said to be.  Raises Unopened, NotForUs."""
        return self._manifest(envelope, Kind.EVIDENCE, EvidenceManifest.from_json)

    def signed(self, envelope: Envelope) -> SignedManifest:
        """A follow-up's, an entry's or a reply's body, its signature not yet looked at."""
        return self._manifest(envelope, envelope.kind, SignedManifest.from_json)

    def identity(self, envelope: Envelope) -> IdentityManifest:
        """Who reported, for a custodian whose share alone is enough.

        Raises:
            Unopened: this is no custodian's desk, or one share is not enough.
        """
        return self._manifest(envelope, Kind.IDENTITY, IdentityManifest.from_json)

    def data_key(self, envelope: Envelope) -> DataKey:
        """The envelope's key.  Raises Unopened, NotForUs."""
        try:
            if isinstance(self.key, CustodianPrivateKey):
                return combine_shares(open_shares(self.key, envelope.header, envelope.wraps))
            return open_data_key(self.key, envelope.header, envelope.wraps)
        except NotARecipient:
            raise NotForUs from None
        except CryptoError:
            raise Unopened from None

    def strength(self, envelope: Envelope) -> int:
        """How many keys or shares its wraps give us; 0 where one that names us does not open.

        Anybody can seal one to a public key: what they open is asked of the manifest.
        """
        try:
            if isinstance(self.key, CustodianPrivateKey):
                shares = open_shares(self.key, envelope.header, envelope.wraps)
                return len({one.subset for one in shares})
            open_data_key(self.key, envelope.header, envelope.wraps)
        except CryptoError:
            return 0
        return 1

    def _manifest(self, envelope: Envelope, kind: Kind, parse: Callable[[bytes], _T]) -> _T:
        if envelope.kind is not kind:
            raise Unopened
        name = hashlib.sha256(
            envelope.header.to_bytes() + hashlib.sha256(envelope.wraps).digest() + envelope.manifest
        ).digest()
        # Looked up once: another thread may clear it in between.
        opened = cast("_T | None", self._opened.get(name))
        if opened is None:
            data_key = self.data_key(envelope)
            try:
                opened = parse(open_manifest(data_key, envelope.header, envelope.manifest))
            except CryptoError:
                raise Unopened from None
            if len(self._opened) >= REMEMBERED_MOST:
                self._opened.clear()
            self._opened[name] = opened
        return opened
