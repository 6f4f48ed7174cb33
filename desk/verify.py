"""Decide what is genuine among the envelopes of one case (claim C-FORGED).

Rule: the server is not believed.  The reporter's keys come from the sealed report, and
from nowhere else; every later word is signed inside its envelope, for this case and
these readers; every file is named, with the hash of its header, by something genuine.
What fails becomes an alarm and is left out; nothing that fails stops the rest.

```
(1) open        each envelope, with this desk's key
(2) origin      the one report, or the message that began the case
(3) reporter    follow-ups, by the origin's follow-up key
(4) operators   replies and entries, by a signing key of the roster they name, which they
                still had when they came
(5) files       evidence and identities, by id and header hash
(6) parents     everything that was answered is here
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.manifest import EntryBody, EvidenceRef, FollowUpBody, ReplyBody
from desk.alarms import Alarm, Sign
from desk.opening import NotForUs, Unopened
from desk.order import Node
from desk.origins import Origin, origin_of
from desk.twins import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crypto.ids import CaseId, EnvelopeId
    from crypto.keys import ReplyPublicKey, SigningPublicKey
    from crypto.manifest import ReportManifest
    from crypto.signed import SignedManifest
    from desk.opening import Opener
    from desk.store import Envelope
    from desk.trust import Signer, Trust


_DAYS_APART = 1
"""Days between the one that an answer bears and its envelope's at most: midnight, and zones."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A proven message of the reporter."""

    envelope: Envelope
    node: Node
    body: FollowUpBody


@dataclass(frozen=True, slots=True)
class Reply:
    """A proven answer of an operator."""

    envelope: Envelope
    node: Node
    body: ReplyBody
    signer: Signer


@dataclass(frozen=True, slots=True)
class Entry:
    """A proven act of an operator."""

    envelope: Envelope
    node: Node
    body: EntryBody
    signer: Signer


@dataclass(frozen=True, slots=True)
class Named:
    """A file or identity that something genuine names; its envelope, if that is the true one."""

    ref: EvidenceRef
    by: EnvelopeId
    envelope: Envelope | None


@dataclass(slots=True)
class Genuine:
    """What is genuine in one case.  `reply_key` is None when an answer would have no sure reader.

    `readable` is false where nothing of the case was sealed to this desk.
    """

    case: CaseId
    origin: Origin = field(default_factory=Origin)
    reply_key: ReplyPublicKey | None = field(default=None, repr=False)
    follow_up_key: SigningPublicKey | None = field(default=None, repr=False)
    follow_ups: list[FollowUp] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    files: list[Named] = field(default_factory=list)
    identities: list[Named] = field(default_factory=list)
    alarms: set[Alarm] = field(default_factory=set)
    readable: bool = True

    @property
    def report(self) -> ReportManifest | None:
        """The report, or the one that is shown first where nobody can tell which it is."""
        return self.origin.told[0].manifest if self.origin.told else None

    def shout(self, sign: Sign, envelope: EnvelopeId | None = None) -> None:
        """Add an alarm about this case."""
        self.alarms.add(Alarm(sign, self.case.hex(), envelope.hex() if envelope else ""))


class _Forged(Exception):  # never leaves the module: it becomes an alarm
    def __init__(self, sign: Sign) -> None:
        self.sign = sign


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges cases with one desk's keys and rosters."""

    opener: Opener
    trust: Trust

    def judge(
        self, case: CaseId, envelopes: Sequence[Envelope], pinned: EnvelopeId | None
    ) -> Genuine:
        """Sort a case's envelopes into what is genuine and what is an alarm; never raises.

        `pinned` is the report this desk saw first in the case, if it ever saw exactly one.
        """
        found = Genuine(case)
        of: dict[Kind, list[Envelope]] = {kind: [] for kind in Kind}
        for one in envelopes:
            of[one.kind].append(one)
        self._origin(found, of[Kind.REPORT], of[Kind.FOLLOW_UP], pinned)
        if not of[Kind.REPORT] and any(
            one.kind is not Kind.IDENTITY and self.opener.is_for_us(one) for one in envelopes
        ):
            found.shout(Sign.REPORT_MISSING)
        for one in of[Kind.FOLLOW_UP]:
            self._take(found, one, self._follow_up)
        for one in of[Kind.REPLY]:
            self._take(found, one, self._reply)
        for one in of[Kind.ENTRY]:
            self._take(found, one, self._entry)
        join(found, envelopes)
        _name_files(found, of[Kind.EVIDENCE], of[Kind.IDENTITY])
        _look_for_parents(found, envelopes)
        found.readable = bool(found.report or found.follow_ups or found.alarms)
        return found

    # --- (2) origin

    def _origin(
        self,
        found: Genuine,
        reports: list[Envelope],
        follow_ups: list[Envelope],
        pinned: EnvelopeId | None,
    ) -> None:
        origin = found.origin = origin_of(self.opener, self.trust, reports, pinned)
        sure = origin.told[0].envelope if origin.is_sure else None
        for other in reports if len(reports) > 1 else ():
            if other is not sure:
                found.shout(Sign.REPORT_TWICE, other.id)
        for name in origin.spoilt:
            found.shout(Sign.CANNOT_OPEN, name)
        if not reports:
            self._origin_without_report(found, follow_ups)
        elif sure is not None:
            # The sealed manifest is the only place these two keys are ever taken from.
            report = origin.told[0].manifest
            found.reply_key, found.follow_up_key = report.reply_key, report.follow_up_key

    def _origin_without_report(self, found: Genuine, follow_ups: list[Envelope]) -> None:
        """A message to an unused code begins a case: it vouches for its own keys, and says so."""
        claimed: dict[bytes, FollowUpBody] = {}
        for one in follow_ups:
            try:
                body = FollowUpBody.from_json(self.opener.signed(one).body.encode())
                self._verified(one, self.opener.signed(one), body.follow_up_key)
            except (Unopened, CryptoError):
                continue
            claimed[body.follow_up_key.raw + body.reply_key.raw] = body
        if len(claimed) == 1:
            (body,) = claimed.values()
            found.reply_key, found.follow_up_key = body.reply_key, body.follow_up_key

    # --- (3) and (4): whatever is signed

    def _take(
        self, found: Genuine, envelope: Envelope, prove: Callable[[Genuine, Envelope], None]
    ) -> None:
        try:
            prove(found, envelope)
        except NotForUs:
            return
        except Unopened:
            found.shout(Sign.CANNOT_OPEN, envelope.id)
        except _Forged as forged:
            found.shout(forged.sign, envelope.id)

    def _follow_up(self, found: Genuine, envelope: Envelope) -> None:
        signed = self.opener.signed(envelope)
        if found.follow_up_key is None:
            raise _Forged(Sign.FOLLOW_UP_UNPROVEN)
        try:
            raw = self._verified(envelope, signed, found.follow_up_key)
            body = FollowUpBody.from_json(raw)
        except CryptoError:
            raise _Forged(Sign.FOLLOW_UP_FORGED) from None
        if (body.reply_key, body.follow_up_key) != (found.reply_key, found.follow_up_key):
            found.shout(Sign.KEYS_CHANGED, envelope.id)
        found.follow_ups.append(FollowUp(envelope, _node(envelope, signed), body))

    def _reply(self, found: Genuine, envelope: Envelope) -> None:
        signed = self.opener.signed(envelope)
        raw, signer = self._by_operator(envelope, signed, Sign.REPLY_FORGED)
        # Sealed to another receipt than this case's: the reporter here could never read it.
        if found.reply_key is not None and found.reply_key.kid not in signed.recipients:
            raise _Forged(Sign.REPLY_FORGED)
        try:
            body = ReplyBody.from_json(raw)
        except CryptoError:
            raise _Forged(Sign.REPLY_FORGED) from None
        if abs(body.author_day - envelope.header.day) > _DAYS_APART:
            found.shout(Sign.REPLY_MISDATED, envelope.id)
        found.replies.append(Reply(envelope, _node(envelope, signed), body, signer))

    def _entry(self, found: Genuine, envelope: Envelope) -> None:
        signed = self.opener.signed(envelope)
        raw, signer = self._by_operator(envelope, signed, Sign.ENTRY_FORGED)
        try:
            body = EntryBody.from_json(raw)
        except CryptoError:
            raise _Forged(Sign.ENTRY_FORGED) from None
        found.entries.append(Entry(envelope, _node(envelope, signed), body, signer))

    def _by_operator(
        self, envelope: Envelope, signed: SignedManifest, sign: Sign
    ) -> tuple[bytes, Signer]:
        header = envelope.header
        roster = self.trust.named(header.roster_hash)
        if roster is None:
            raise _Forged(Sign.SIGNER_UNKNOWN)
        signer = self.trust.signer(signed.signer, header.roster_hash, header.day)
        if signer is None:
            raise _Forged(sign)
        # The day is not signed: whoever was removed could still write under the old roster.  What
        # came under one that was not known here yet is late only if that is an older one.
        late_after = envelope.late_after if roster.epoch < envelope.late_after else 0
        if late_after and not self.trust.still_named(signed.signer, late_after):
            raise _Forged(Sign.SIGNED_TOO_LATE)
        try:
            return self._verified(envelope, signed, signer.key), signer
        except CryptoError:
            raise _Forged(sign) from None

    def _verified(self, envelope: Envelope, signed: SignedManifest, key: SigningPublicKey) -> bytes:
        return signed.verify(envelope.header, key, self.opener.kid)


def _node(envelope: Envelope, signed: SignedManifest) -> Node:
    by_operator = envelope.kind is not Kind.FOLLOW_UP
    return Node(envelope.header.hash, envelope.header.day, signed.parents, by_operator)


# --- (5) files


def _name_files(found: Genuine, evidence: list[Envelope], identities: list[Envelope]) -> None:
    here = {EvidenceRef(one.id, one.header.hash) for one in (*evidence, *identities)}
    told = [(one.envelope.id, one.manifest) for one in found.origin.equal]
    named_files = _first_here(here, [(by, one.evidence) for by, one in told])
    named_identities = _first_here(here, [(by, (one.identity,)) for by, one in told])
    for one in found.follow_ups:
        for ref in one.body.evidence:
            named_files.setdefault(ref.id, (ref, one.envelope.id))
        named_identities.setdefault(one.body.identity.id, (one.body.identity, one.envelope.id))
    found.files = _matched(
        found, named_files, evidence, (Sign.EVIDENCE_MISSING, Sign.EVIDENCE_SWAPPED)
    )
    found.identities = _matched(
        found, named_identities, identities, (Sign.IDENTITY_MISSING, Sign.IDENTITY_SWAPPED)
    )
    if found.report is None and not found.follow_ups:
        # Nothing of the case is readable here, so nothing can say which files belong to it.
        return
    for one_file in evidence:
        if one_file.id not in named_files:
            found.shout(Sign.EVIDENCE_NOT_NAMED, one_file.id)
    for one_identity in identities:
        if one_identity.id not in named_identities:
            found.shout(Sign.IDENTITY_NOT_NAMED, one_identity.id)


def _first_here(
    here: set[EvidenceRef], told: Iterable[tuple[EnvelopeId, Iterable[EvidenceRef]]]
) -> dict[EnvelopeId, tuple[EvidenceRef, EnvelopeId]]:
    """By id: what reports name; of several, by its name what is here, if any of them has it so."""
    named: dict[EnvelopeId, tuple[EvidenceRef, EnvelopeId]] = {}
    for by, refs in told:
        for ref in refs:
            known = named.setdefault(ref.id, (ref, by))[0]
            if known not in here and ref in here:
                named[ref.id] = (ref, by)
    return named


def _matched(
    found: Genuine,
    named: dict[EnvelopeId, tuple[EvidenceRef, EnvelopeId]],
    present: Iterable[Envelope],
    signs: tuple[Sign, Sign],
) -> list[Named]:
    here = {one.id: one for one in present}
    matched = []
    for name, (ref, by) in named.items():
        envelope = here.get(name)
        if envelope is None:
            found.shout(signs[0], name)
        elif envelope.header.hash != ref.header_hash:
            found.shout(signs[1], name)
            envelope = None
        matched.append(Named(ref, by, envelope))
    return matched


# --- (6) parents


def _look_for_parents(found: Genuine, envelopes: Sequence[Envelope]) -> None:
    here = {one.header.hash for one in envelopes}
    said: tuple[FollowUp | Reply | Entry, ...] = (
        *found.follow_ups,
        *found.replies,
        *found.entries,
    )
    for one in said:
        if not here.issuperset(one.node.parents):
            found.shout(Sign.PARENT_MISSING, one.envelope.id)
