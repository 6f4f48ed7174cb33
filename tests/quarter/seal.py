"""Seal a planned case as the gateway and the desks do, each thing on its day.

Rule: the construction is the real one (crypto.envelope, crypto.signed) under the roster of the
day; what is left out is the stretching of a receipt code that nobody was ever shown.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.envelope import Custodians, EnvelopeSealer, Operators, OperatorsAndReceipt
from crypto.header import Kind
from crypto.ids import CaseId, Day, new_case_id
from crypto.manifest import (
    EntryBody,
    EvidenceRef,
    FollowUpBody,
    IdentityManifest,
    ReplyBody,
    ReportManifest,
)
from crypto.receipt import ReceiptKeys, ReceiptSecret, receipt_keys
from crypto.signed import SignedManifest
from tests.quarter.plan import ALONE, NAMED, Act, Answer, Planned, Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.envelope import SealedEnvelope
    from crypto.ids import HeaderHash
    from crypto.pepper import Pepper
    from crypto.roster import Roster
    from crypto.signing import SigningPrivateKey
    from crypto.wrap import Recipients

PHONE = "0600000000"


@dataclass(slots=True)
class Hands:
    """Who seals and signs: the rosters of the time, the operators' keys, the gateway's pepper."""

    rosters: Sequence[Roster]
    operators: Sequence[SigningPrivateKey]
    pepper: Pepper = field(repr=False)
    cases: dict[int, CaseId] = field(default_factory=dict)

    def case(self, number: int) -> CaseId:
        """The random id of a planned report's case."""
        return self.cases.setdefault(number, new_case_id())

    def roster(self, day: int) -> Roster:
        """The roster that was in force on a day."""
        return next(one for one in self.rosters if one.not_before <= day <= one.not_after)

    def keys(self) -> ReceiptKeys:
        """The keys of a receipt that nobody holds."""
        return receipt_keys(ReceiptSecret(secrets.token_bytes(32)), self.pepper)


@dataclass(slots=True)
class CaseSealer:
    """Seals one case, from its first envelope to its last."""

    hands: Hands
    planned: Planned
    keys: ReceiptKeys = field(init=False)
    case: CaseId = field(init=False)
    said: int = 0
    unnamed: tuple[HeaderHash, ...] = ()
    """What no operator's word names yet, as a desk would find it."""

    def __post_init__(self) -> None:
        self.keys = self.hands.keys()
        self.case = self.hands.case(self.planned.number)

    def report(self) -> list[SealedEnvelope]:
        """The report and its identity."""
        one = self.planned
        identity = self._identity(one.day, one.identity)
        manifest = ReportManifest(
            form_version=2,
            language=one.language,
            category=one.told,
            fields=one.fields,  # type: ignore[arg-type]  # JSON, by construction
            identity_mode=one.identity,
            evidence=(),
            identity=EvidenceRef(identity.header.envelope, identity.header_hash),
            reply_key=self.keys.reply_public,
            follow_up_key=self.keys.follow_up_public,
            sealed_by="gateway",
            cleaned_by="gateway",
        )
        sealer = self._sealer(Kind.REPORT, one.day)
        sealed = sealer.seal(manifest.to_json(), self._everybody(one.day))
        self.unnamed = (sealed.header_hash,)
        return [sealed, identity]

    def later(self, one: Act | Answer | Said) -> list[SealedEnvelope]:
        """One thing of the case's history."""
        if isinstance(one, Act):
            data = dict(one.data)
            if one.kind == "link":
                data["case"] = self.hands.case(int(str(data["case"]))).hex()
            body = EntryBody(type=one.kind, data=data).to_json()  # type: ignore[arg-type]  # JSON
            signer = self.hands.operators[one.by]
            return [self._signed(Kind.ENTRY, one.day, body, signer, self._everybody(one.day))]
        if isinstance(one, Answer):
            answer = ReplyBody(text=one.text, author_day=Day(one.day), status=one.status)
            readers = OperatorsAndReceipt(
                self.hands.roster(one.day).evidence_keys(), self.keys.reply_public
            )
            signer = self.hands.operators[one.by]
            return [self._signed(Kind.REPLY, one.day, answer.to_json(), signer, readers)]
        return self._follow_up(one)

    def _follow_up(self, one: Said) -> list[SealedEnvelope]:
        identity = self._identity(one.day, ALONE)
        body = FollowUpBody(
            text=one.text,
            evidence=(),
            identity=EvidenceRef(identity.header.envelope, identity.header_hash),
            reply_key=self.keys.reply_public,
            follow_up_key=self.keys.follow_up_public,
            language=self.planned.language,
        )
        self.said += 1
        readers = self._everybody(one.day)
        signer = self.keys.follow_up_signing
        return [self._signed(Kind.FOLLOW_UP, one.day, body.to_json(), signer, readers), identity]

    def _signed(
        self, kind: Kind, day: int, body: bytes, signer: SigningPrivateKey, readers: Recipients
    ) -> SealedEnvelope:
        sealer = self._sealer(kind, day)
        manifest = SignedManifest.sign(
            kind,
            signer,
            deployment=self.hands.roster(day).deployment,
            case=self.case,
            envelope=sealer.id,
            recipients=readers.kids,
            parents=tuple(sorted(self.unnamed)),
            body=body,
        )
        sealed = sealer.seal(manifest.to_json(), readers)
        # A message names what it answers, and whoever acts after it names that all the same.
        before = self.unnamed if kind is Kind.FOLLOW_UP else ()
        self.unnamed = (*before, sealed.header_hash)
        return sealed

    def _identity(self, day: int, mode: str) -> SealedEnvelope:
        name = {"name": f"Synthetic Person {self.planned.number:04d}"} if mode == NAMED else {}
        manifest = IdentityManifest(
            identity_mode=mode,
            identity={} if mode == ALONE else {**name, "phone": PHONE},
            safe_contact={},
        )
        roster = self.hands.roster(day)
        recipients = Custodians(roster.custodian_keys(), roster.quorum)
        return self._sealer(Kind.IDENTITY, day).seal(manifest.to_json(), recipients)

    def _everybody(self, day: int) -> Operators:
        return Operators(self.hands.roster(day).evidence_keys())

    def _sealer(self, kind: Kind, day: int) -> EnvelopeSealer:
        roster = self.hands.roster(day)
        return EnvelopeSealer(
            kind=kind,
            deployment=roster.deployment,
            case=self.case,
            roster_hash=roster.hash,
            day=Day(day),
        )
