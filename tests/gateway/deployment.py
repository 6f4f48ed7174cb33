"""A deployment in a folder: a root, a roster of two operators and a custodian, a vault, a clock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.envelope import EnvelopeSealer
from crypto.header import Kind
from crypto.ids import CaseId, Day, new_case_id
from crypto.keys import CustodianPublicKey, OperatorPublicKey, ReplyPublicKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.roster import Custodian, Operator, RootPublicKey, Roster, RosterDraft, sign_roster
from crypto.signing import SigningPrivateKey
from crypto.transport import sign_request
from crypto.wrap import Custodians, Operators, OperatorsAndReceipt
from gateway.config import GatewayConfig
from gateway.home import initialise
from gateway.programs import open_vault
from gateway.roster_watch import CurrentRoster
from vault.outside import NewCase, StoredEnvelope
from vault.vault import Vault, utc_today

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from crypto.wrap import Recipients

HOST = "localhost"


@dataclass(slots=True)
class SetClock:
    """A clock that a test turns."""

    day: Day = field(default_factory=utc_today)
    seconds: int = 1_800_000_000

    def now(self) -> int:
        """Unix time, seconds."""
        return self.seconds

    def monotonic(self) -> float:
        """The same."""
        return float(self.seconds)

    def sleep(self, seconds: float) -> None:
        """Turn the clock."""
        self.seconds += int(seconds)

    def today(self) -> Day:
        """The day that was set."""
        return self.day


@dataclass(frozen=True, slots=True)
class Member:
    """An operator or a custodian with their private keys."""

    opens: OperatorPrivateKey | CustodianPrivateKey = field(repr=False)
    sign: SigningPrivateKey = field(default_factory=SigningPrivateKey.generate, repr=False)
    api: SigningPrivateKey = field(default_factory=SigningPrivateKey.generate, repr=False)


@dataclass(slots=True)
class Deployment:
    """Everything that a test of the gateway may hold."""

    config: GatewayConfig
    root: SigningPrivateKey
    operators: tuple[Member, Member]
    custodian: Member
    roster: Roster
    vault: Vault
    rosters: CurrentRoster
    clock: SetClock

    @property
    def root_public(self) -> RootPublicKey:
        """What the gateway pins."""
        return RootPublicKey(self.root.public.raw)

    def next_roster(self, **changes: object) -> Roster:
        """Sign the roster that follows this one."""
        fields = {name: getattr(self.roster, name) for name in RosterDraft.__dataclass_fields__}
        fields |= {"epoch": self.roster.epoch + 1, "previous": self.roster.hash, **changes}
        return sign_roster(RosterDraft(**fields), self.root)

    def case(self) -> CaseId:
        """A case with its report, evidence of one part, and identity, all truly sealed."""
        case = new_case_id()
        new = NewCase(case, secrets.token_bytes(32), bytes(92), secrets.token_bytes(48))
        kinds = (Kind.REPORT, Kind.EVIDENCE, Kind.IDENTITY)
        self.vault.accept_report(new, [self.sealed(kind, case) for kind in kinds])
        return case

    def sealed(
        self,
        kind: Kind,
        case: CaseId,
        *,
        recipients: Recipients | None = None,
        roster: Roster | None = None,
        day: Day | None = None,
    ) -> StoredEnvelope:
        """Seal an envelope as a gateway or a desk would; evidence gets a part of 100,000 bytes."""
        roster = roster or self.roster
        sealer = EnvelopeSealer(
            kind=kind,
            deployment=roster.deployment,
            case=case,
            roster_hash=roster.hash,
            day=self.clock.day if day is None else day,
        )
        parts = []
        if kind is Kind.EVIDENCE:
            with self.vault.new_blob() as blob:
                part = sealer.part(blob.write)
                part.write(secrets.token_bytes(100_000))
                part.finish()
                parts.append(blob.commit())
        sealed = sealer.seal(b'{"v":1}', recipients or _recipients(kind, roster))
        return StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest, tuple(parts))


def make_deployment(folder: Path) -> Deployment:
    """Hold a ceremony and initialise a gateway in a folder."""
    root = SigningPrivateKey.generate()
    operators = (Member(OperatorPrivateKey.generate()), Member(OperatorPrivateKey.generate()))
    custodian = Member(CustodianPrivateKey.generate())
    clock = SetClock()
    root_public = RootPublicKey(root.public.raw)
    draft = RosterDraft(
        deployment=root_public.deployment,
        epoch=1,
        not_before=Day(clock.day - 1),
        not_after=Day(clock.day + 30),
        previous=bytes(32),
        suite=1,
        quorum=1,
        rehearsal=True,
        operators=tuple(_operator(n, one) for n, one in enumerate(operators, start=1)),
        custodians=(_custodian(3, custodian),),
    )
    config = GatewayConfig.from_environment({"AMANA_HOME": str(folder)})
    roster = initialise(config, root_public, sign_roster(draft, root).note)
    vault = open_vault(config)
    return Deployment(
        config=config,
        root=root,
        operators=operators,
        custodian=custodian,
        roster=roster,
        vault=vault,
        rosters=CurrentRoster(config.roster_path, root_public, vault, clock),
        clock=clock,
    )


def _operator(number: int, one: Member) -> Operator:
    public = one.opens.public
    assert isinstance(public, OperatorPublicKey)
    return Operator(number, f"operator {number}", public, one.sign.public, one.api.public)


def _custodian(number: int, one: Member) -> Custodian:
    public = one.opens.public
    assert isinstance(public, CustodianPublicKey)
    return Custodian(number, f"custodian {number}", public, one.sign.public, one.api.public)


def _recipients(kind: Kind, roster: Roster) -> Recipients:
    if kind is Kind.IDENTITY:
        return Custodians(roster.custodian_keys(), roster.quorum)
    if kind is Kind.REPLY:
        throwaway = OperatorPrivateKey.generate().public
        return OperatorsAndReceipt(roster.evidence_keys(), ReplyPublicKey(throwaway.raw))
    return Operators(roster.evidence_keys())


@dataclass(frozen=True, slots=True)
class SignedClient:
    """A desk's side of the door: signs each request, then hands it to the application."""

    client: FlaskClient
    key: SigningPrivateKey
    clock: SetClock

    def signed(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """The headers of a signed request."""
        path, _, query = target.partition("?")
        return sign_request(
            self.key,
            method=method,
            authority=HOST,
            path=path,
            query=query,
            body=body,
            created=self.clock.seconds,
        )

    def get(self, target: str, **headers: str) -> TestResponse:
        """A signed GET."""
        return self.client.get(target, headers=self.signed("GET", target) | headers)

    def post(self, target: str, body: bytes) -> TestResponse:
        """A signed POST of JSON."""
        headers = self.signed("POST", target, body) | {"Content-Type": "application/json"}
        return self.client.post(target, data=body, headers=headers)

    def by(self, member: Member) -> SignedClient:
        """The same door, another person."""
        return replace(self, key=member.api)
