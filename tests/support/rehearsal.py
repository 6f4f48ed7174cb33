"""A whole rehearsal deployment in a temporary folder: root, roster, vault, secrets, site.

Two operators and one custodian, whose private keys the test holds: they open what the site sealed,
as a desk would.  The answer floor is zero, so that tests need not wait.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crypto.body import open_manifest, open_part
from crypto.envelope import EnvelopeSealer
from crypto.header import Kind
from crypto.manifest import (
    EvidenceManifest,
    FollowUpBody,
    IdentityManifest,
    ReplyBody,
    ReportManifest,
)
from crypto.operator_opening import (
    CustodianPrivateKey,
    OperatorPrivateKey,
    combine_shares,
    open_data_key,
    open_shares,
)
from crypto.roster import Custodian, Operator, RootPublicKey, Roster, RosterDraft, sign_roster
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from crypto.wrap import OperatorsAndReceipt
from gateway.clock import SystemClock
from gateway.config import GatewayConfig, SiteTimes
from gateway.home import initialise
from gateway.intake import Intake
from gateway.programs import open_vault
from gateway.roster_watch import CurrentRoster
from gateway.secrets import GatewaySecrets
from gateway.site.app import create_site
from vault.outside import StoredEnvelope

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from crypto.ids import CaseId, Day, HeaderHash, WordId
    from crypto.keys import ReplyPublicKey
    from gateway.clock import Clock
    from vault.vault import Vault

_VALID_DAYS = 30


@dataclass(slots=True)
class TestClock:
    """A clock that stands still until a test moves it; sleeping moves it and takes no time."""

    __test__ = False

    seconds: int = field(default_factory=lambda: SystemClock().now())
    ticks: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        """Unix time in seconds."""
        return self.seconds

    def monotonic(self) -> float:
        """Seconds since the beginning of the test."""
        return self.ticks

    def sleep(self, seconds: float) -> None:
        """Note the wish."""
        self.slept.append(seconds)
        self.ticks += seconds

    def today(self) -> Day:
        """The real day: the vault has its own clock."""
        return SystemClock().today()


@dataclass(frozen=True, slots=True)
class RehearsalOperator:
    """One operator with all three private keys."""

    number: int
    label: str
    evidence: OperatorPrivateKey = field(repr=False)
    sign: SigningPrivateKey = field(repr=False)
    api: SigningPrivateKey = field(repr=False)

    def public(self) -> Operator:
        """The operator's lines of a roster."""
        return Operator(
            number=self.number,
            label=self.label,
            evidence=self.evidence.public,
            sign=self.sign.public,
            api=self.api.public,
        )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a test needs of a deployment."""

    config: GatewayConfig
    secrets: GatewaySecrets = field(repr=False)
    vault: Vault
    rosters: CurrentRoster
    roster: Roster
    root: SigningPrivateKey = field(repr=False)
    operators: tuple[RehearsalOperator, ...] = field(repr=False)
    custodian: CustodianPrivateKey = field(repr=False)
    clock: Clock

    @property
    def root_public(self) -> RootPublicKey:
        """What the gateway and the desks pin."""
        return RootPublicKey(self.root.public.raw)

    def site(self) -> Flask:
        """Return the site's application."""
        return create_site(
            config=self.config,
            secrets=self.secrets,
            deployment=self.root_public.deployment,
            vault=self.vault,
            rosters=self.rosters,
            clock=self.clock,
        )

    def intake(self, **how: Any) -> Intake:
        """A door into this vault, as the site makes one."""
        parts: dict[str, Any] = {
            "vault": self.vault,
            "rosters": self.rosters,
            "secrets": self.secrets,
            "clock": self.clock,
            "deployment": self.root_public.deployment,
            "stretchers": 1,
        }
        return Intake(**(parts | how))

    def site_client(self) -> FlaskClient:
        """Return a fresh test client of the site; it keeps no cookie."""
        return self.site().test_client(use_cookies=False)

    def stored(self) -> tuple[StoredEnvelope, ...]:
        """Every released envelope, in the order of random ids."""
        return self.vault.index()

    def envelopes(self, case: CaseId, kind: Kind) -> tuple[StoredEnvelope, ...]:
        """The released envelopes of a case and a kind."""
        return self.vault.envelopes_of(case, {kind})

    def manifest(self, envelope: StoredEnvelope, operator: int = 0) -> bytes:
        """Open an envelope's manifest with an operator's key, as a desk does."""
        private = self.operators[operator].evidence
        key = open_data_key(private, envelope.header, envelope.wraps)
        return open_manifest(key, envelope.header, envelope.manifest)

    def report(self, case: CaseId) -> ReportManifest:
        """Open the report of a case."""
        (envelope,) = self.envelopes(case, Kind.REPORT)
        return ReportManifest.from_json(self.manifest(envelope))

    def only_case(self) -> CaseId:
        """The id of the one case that there is."""
        (case,) = {envelope.case for envelope in self.stored()}
        return case

    def identity(self, envelope: StoredEnvelope) -> IdentityManifest:
        """Open an identity with the custodian's key."""
        shares = open_shares(self.custodian, envelope.header, envelope.wraps)
        key = combine_shares(shares)
        return IdentityManifest.from_json(open_manifest(key, envelope.header, envelope.manifest))

    def evidence(self, case: CaseId) -> list[tuple[EvidenceManifest, bytes]]:
        """Open all files of a case: (manifest, clean content)."""
        found = []
        for envelope in self.envelopes(case, Kind.EVIDENCE):
            private = self.operators[0].evidence
            key = open_data_key(private, envelope.header, envelope.wraps)
            manifest = EvidenceManifest.from_json(
                open_manifest(key, envelope.header, envelope.manifest)
            )
            sealed = self.vault.read_part(envelope.id, 1)
            content = b"".join(open_part(key, envelope.header, 1, sealed, manifest.length))
            found.append((manifest, content))
        return found

    def follow_ups(self, case: CaseId) -> list[FollowUpBody]:
        """Open and verify all messages of a case, in the order of random ids."""
        found = []
        for envelope in self.envelopes(case, Kind.FOLLOW_UP):
            signed = SignedManifest.from_json(self.manifest(envelope))
            body = FollowUpBody.from_json(signed.body.encode())
            reader = self.operators[0].evidence.public.kid
            signed.verify(envelope.header, body.follow_up_key, reader)
            found.append(body)
        return found

    def reply(  # noqa: PLR0913 each is something a forger would change
        self,
        case: CaseId,
        reply_key: ReplyPublicKey,
        text: str,
        *,
        signer: SigningPrivateKey | None = None,
        parents: tuple[HeaderHash, ...] = (),
        day: Day | None = None,
        status: str | None = None,
        word: WordId | None = None,
    ) -> StoredEnvelope:
        """Answer a case as an operator's desk does, and put the answer into the vault."""
        signer = signer or self.operators[0].sign
        sealer = EnvelopeSealer(
            kind=Kind.REPLY,
            deployment=self.roster.deployment,
            case=case,
            roster_hash=self.roster.hash,
            day=self.clock.today(),
        )
        readers = OperatorsAndReceipt(self.roster.evidence_keys(), reply_key)
        today = self.clock.today() if day is None else day
        body = ReplyBody(text=text, author_day=today, status=status, word=word)
        signed = SignedManifest.sign(
            Kind.REPLY,
            signer,
            deployment=self.roster.deployment,
            case=case,
            envelope=sealer.id,
            recipients=readers.kids,
            parents=parents,
            body=body.to_json(),
        )
        sealed = sealer.seal(signed.to_json(), readers)
        envelope = StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest)
        self.vault.append(envelope)
        return envelope


def make_rehearsal(
    tmp_path: Path, *, rehearsal: bool = True, clock: Clock | None = None
) -> Rehearsal:
    """Hold a ceremony in ``tmp_path`` and return everything."""
    clock = clock or TestClock()
    root = SigningPrivateKey.generate()
    root_public = RootPublicKey(root.public.raw)
    operators = tuple(
        RehearsalOperator(
            number=number,
            label=f"operator-{number}",
            evidence=OperatorPrivateKey.generate(),
            sign=SigningPrivateKey.generate(),
            api=SigningPrivateKey.generate(),
        )
        for number in (1, 2)
    )
    custodian = CustodianPrivateKey.generate()
    draft = RosterDraft(
        deployment=root_public.deployment,
        epoch=1,
        not_before=clock.today(),
        not_after=type(clock.today())(clock.today() + _VALID_DAYS),
        previous=bytes(32),
        suite=1,
        quorum=1,
        rehearsal=rehearsal,
        operators=tuple(one.public() for one in operators),
        custodians=(
            Custodian(
                number=3,
                label="custodian-1",
                custodian=custodian.public,
                sign=SigningPrivateKey.generate().public,
                api=SigningPrivateKey.generate().public,
            ),
        ),
    )
    roster = sign_roster(draft, root)
    config = GatewayConfig.from_environment({"AMANA_HOME": str(tmp_path / "amana")})
    config = replace(config, times=replace(SiteTimes(), floor_ms=0))
    initialise(config, root_public, roster.note)
    vault = open_vault(config)
    return Rehearsal(
        config=config,
        secrets=GatewaySecrets.load(config),
        vault=vault,
        rosters=CurrentRoster(config.roster_path, root_public, vault, clock),
        roster=roster,
        root=root,
        operators=operators,
        custodian=custodian,
        clock=clock,
    )


def fields_of(report: ReportManifest) -> dict[str, object]:
    """Give a report's answers as plain JSON values."""
    answers: dict[str, object] = json.loads(json.dumps(dict(report.fields)))
    return answers
