"""A deployment without a gateway: a root, two operators, a custodian, reporters who seal.

And an attacker's hands: every envelope is a `Row` that a test may change, move or drop
before the simulated server (server.py) shows it.
"""

# ruff: noqa: D102, PLR0913 - the names say it, and a lie is an argument

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crypto.envelope import Custodians, EnvelopeSealer, Operators, OperatorsAndReceipt
from crypto.header import Kind
from crypto.ids import CaseId, Day, EnvelopeId, HeaderHash, new_case_id
from crypto.keyfile import KeyFileCost
from crypto.keys import CustodianPublicKey, OperatorPublicKey, ReplyPublicKey
from crypto.manifest import (
    EntryBody,
    EvidenceManifest,
    EvidenceRef,
    FollowUpBody,
    IdentityManifest,
    ReplyBody,
    ReportManifest,
)
from crypto.pepper import Pepper
from crypto.receipt import ReceiptKeys, ReceiptSecret, receipt_keys
from crypto.roster import Custodian, Operator, RootPublicKey, Roster, RosterDraft, sign_roster
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from desk.config import DeskHome
from desk.desk import Desk, enrol
from desk.keyring import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from crypto.envelope import SealedEnvelope
    from crypto.header import Header
    from desk.store import Envelope

TODAY = Day(20_779)
CHEAP = KeyFileCost(memory_kib=8 * 1024, passes=1, lanes=1)
PASSPHRASE = "rehearsal passphrase"
JPEG = b"\xff\xd8\xff\xe0" + b"clean picture" * 400 + b"\xff\xd9"


@dataclass(slots=True)
class Row:
    """An envelope as the server has it; an attacker writes wherever they like."""

    header: Header
    wraps: bytes
    manifest: bytes
    parts: list[bytes] = field(default_factory=list)

    @property
    def id(self) -> EnvelopeId:
        return self.header.envelope

    @property
    def ref(self) -> EvidenceRef:
        return EvidenceRef(self.header.envelope, self.header.hash)

    def copy(self) -> Row:
        return Row(self.header, self.wraps, self.manifest, list(self.parts))


@dataclass(slots=True)
class World:
    """Keys, the roster in force, and how things are sealed under it."""

    root: SigningPrivateKey
    operators: tuple[Keyring, ...]
    custodians: tuple[Keyring, ...]
    roster: Roster

    @classmethod
    def make(cls, *, operators: int = 2, custodians: int = 1, quorum: int = 1) -> World:
        root = SigningPrivateKey.generate()
        rings = tuple(Keyring.generate(f"operator {n}") for n in range(1, operators + 1))
        keepers = tuple(
            Keyring.generate(f"custodian {n}", custodian=True) for n in range(1, custodians + 1)
        )
        draft = _draft(root, rings, keepers, quorum)
        return cls(root, rings, keepers, sign_roster(draft, root))

    @property
    def root_public(self) -> RootPublicKey:
        return RootPublicKey(self.root.public.raw)

    def renewed(self, **changes: Any) -> Roster:
        """The next epoch, or whatever `changes` make of it."""
        usual = {"epoch": self.roster.epoch + 1, "previous": self.roster.hash}
        draft = _draft(self.root, self.operators, self.custodians, self.roster.quorum)
        return sign_roster(replace(draft, **{**usual, **changes}), self.root)

    def sealer(self, kind: Kind, case: CaseId, **changes: Any) -> EnvelopeSealer:
        usual: dict[str, Any] = {
            "deployment": self.root_public.deployment,
            "roster_hash": self.roster.hash,
            "day": TODAY,
        }
        return EnvelopeSealer(kind=kind, case=case, **{**usual, **changes})

    def everybody(self) -> Operators:
        return Operators(self.roster.evidence_keys())

    def by_operator(
        self,
        kind: Kind,
        case: CaseId,
        body: bytes,
        *,
        parents: Sequence[HeaderHash] = (),
        signer: SigningPrivateKey | None = None,
        reply_key: ReplyPublicKey | None = None,
        content: bytes = b"",
        **changes: Any,
    ) -> Row:
        """An entry or a reply as another operator's desk would seal it, or a forger."""
        sealer = self.sealer(kind, case, **changes)
        sealed = bytearray()
        if content:
            part = sealer.part(sealed.extend)
            part.write(content)
            part.finish()
        recipients = (
            OperatorsAndReceipt(self.roster.evidence_keys(), reply_key)
            if reply_key
            else self.everybody()
        )
        signed = SignedManifest.sign(
            kind,
            signer or self.operators[1].sign,
            deployment=self.root_public.deployment,
            case=case,
            envelope=sealer.id,
            recipients=recipients.kids,
            parents=parents,
            body=body,
        )
        return row(sealer.seal(signed.to_json(), recipients), [bytes(sealed)] if content else [])

    def entry(self, case: CaseId, state: str = "triage", **how: Any) -> Row:
        body = EntryBody(type="status", data={"state": state}).to_json()
        return self.by_operator(Kind.ENTRY, case, body, **how)

    def reply(self, case: CaseId, text: str, reply_key: ReplyPublicKey, **how: Any) -> Row:
        body = ReplyBody(text=text, author_day=TODAY).to_json()
        return self.by_operator(Kind.REPLY, case, body, reply_key=reply_key, **how)


@dataclass(slots=True)
class Reporter:
    """Somebody with a receipt code: the keys that a code and the pepper would give."""

    world: World
    case: CaseId = field(default_factory=new_case_id)
    sign: SigningPrivateKey = field(default_factory=SigningPrivateKey.generate)
    receipt: ReceiptKeys = field(
        default_factory=lambda: receipt_keys(
            ReceiptSecret(secrets.token_bytes(32)), Pepper.generate()
        )
    )

    @property
    def reply_key(self) -> ReplyPublicKey:
        return self.receipt.reply_public

    def evidence(self, name: str, media_type: str, content: bytes, **changes: Any) -> Row:
        """One sealed file; `changes` are lies in its manifest, or a `sealer` of another id."""
        sealer = changes.pop("sealer", None) or self.world.sealer(Kind.EVIDENCE, self.case)
        parts: list[bytes] = []
        sealed = bytearray()
        part = sealer.part(sealed.extend)
        part.write(content)
        part.finish()
        parts.append(bytes(sealed))
        truth: dict[str, Any] = {
            "name": name,
            "media_type": media_type,
            "length": len(content),
            "sha256": hashlib.sha256(content).digest(),
            "removed": ("gps", "camera_serial"),
        }
        manifest = EvidenceManifest(**{**truth, **changes})
        return row(sealer.seal(manifest.to_json(), self.world.everybody()), parts)

    def identity(self, name: str = "") -> Row:
        keys = self.world.roster.custodian_keys()
        manifest = IdentityManifest(
            identity_mode="full_identity" if name else "anonymous",
            identity={"name": name} if name else {},
            safe_contact={},
        )
        sealer = self.world.sealer(Kind.IDENTITY, self.case)
        recipients = Custodians(keys, self.world.roster.quorum)
        return row(sealer.seal(manifest.to_json(), recipients))

    def report(
        self,
        files: Sequence[Row] = (),
        *,
        identity: Row | None = None,
        category: str = "fraud",
        day: Day = TODAY,
        sealer: EnvelopeSealer | None = None,
        form_version: int = 1,
        identity_mode: str = "anonymous",
        **fields: Any,
    ) -> list[Row]:
        """The report, its identity and its files, as the gateway would store them."""
        locked = identity or self.identity()
        answers = {"danger_now": "no", "description": "They took my money.", **fields}
        manifest = ReportManifest(
            form_version=form_version,
            language="fr",
            category=category,
            fields=answers,
            identity_mode=identity_mode,
            evidence=tuple(one.ref for one in files),
            identity=locked.ref,
            reply_key=self.reply_key,
            follow_up_key=self.sign.public,
            sealed_by="gateway",
            cleaned_by="gateway",
        )
        sealing = sealer or self.world.sealer(Kind.REPORT, self.case, day=day)
        return [row(sealing.seal(manifest.to_json(), self.world.everybody())), locked, *files]

    def follow_up(
        self,
        text: str,
        files: Sequence[Row] = (),
        *,
        parents: Sequence[HeaderHash] = (),
        signer: SigningPrivateKey | None = None,
        change: Callable[[SignedManifest], SignedManifest] = lambda signed: signed,
        body_changes: dict[str, Any] | None = None,
        **changes: Any,
    ) -> list[Row]:
        locked = self.identity()
        said: dict[str, Any] = {
            "text": text,
            "evidence": tuple(one.ref for one in files),
            "identity": locked.ref,
            "reply_key": self.reply_key,
            "follow_up_key": self.sign.public,
            "language": "fr",
        }
        body = FollowUpBody(**{**said, **(body_changes or {})}).to_json()
        sealer = self.world.sealer(Kind.FOLLOW_UP, self.case, **changes)
        recipients = self.world.everybody()
        signed = SignedManifest.sign(
            Kind.FOLLOW_UP,
            signer or self.sign,
            deployment=self.world.root_public.deployment,
            case=self.case,
            envelope=sealer.id,
            recipients=recipients.kids,
            parents=parents,
            body=body,
        )
        return [row(sealer.seal(change(signed).to_json(), recipients)), locked, *files]


def row(sealed: SealedEnvelope, parts: Sequence[bytes] = ()) -> Row:
    return Row(sealed.header, sealed.wraps, sealed.manifest, list(parts))


def of_kind(desk: Desk, kind: Kind) -> list[Envelope]:
    """Return what a desk holds of one kind."""
    return [one for one in desk.store.everything() if one.kind is kind]


def make_home(folder: Path, keyring: Keyring) -> DeskHome:
    """A desk's folder with its keys in it, not enrolled."""
    home = DeskHome(folder)
    keyring.save(home, PASSPHRASE, cost=CHEAP)
    return home


def make_desk(folder: Path, world: World, server: str, *, keyring: Keyring | None = None) -> Desk:
    """An enrolled, unlocked desk."""
    ring = keyring or world.operators[0]
    home = make_home(folder, ring)
    enrol(home, ring, server, world.root_public.to_text(), today=lambda: TODAY)
    return Desk.open(home, ring, today=lambda: TODAY)


def _draft(
    root: SigningPrivateKey,
    operators: Sequence[Keyring],
    custodians: Sequence[Keyring],
    quorum: int,
) -> RosterDraft:
    return RosterDraft(
        deployment=RootPublicKey(root.public.raw).deployment,
        epoch=1,
        not_before=Day(TODAY - 10),
        not_after=Day(TODAY + 20),
        previous=bytes(32),
        suite=1,
        quorum=quorum,
        rehearsal=True,
        operators=tuple(operator(n, ring) for n, ring in enumerate(operators, 1)),
        custodians=tuple(
            custodian(n, ring) for n, ring in enumerate(custodians, len(operators) + 1)
        ),
    )


def operator(number: int, ring: Keyring) -> Operator:
    key = ring.enrolment.key
    assert isinstance(key, OperatorPublicKey)
    return Operator(number, ring.label, key, ring.sign.public, ring.api.public)


def custodian(number: int, ring: Keyring) -> Custodian:
    key = ring.enrolment.key
    assert isinstance(key, CustodianPublicKey)
    return Custodian(number, ring.label, key, ring.sign.public, ring.api.public)
