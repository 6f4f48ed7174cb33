"""Decide what is genuine among the envelopes of one case (claim C-FORGED).

Rule: the server is not believed.  The reporter's keys come from the sealed report (or from the
message that began a case), and from nowhere else; every later word is signed inside its envelope,
for this case and these readers; every file is named, with the hash of its header, by something
genuine.
What fails becomes an alarm and is left out; nothing that fails stops the rest.

```
(1) open        each envelope, with this desk's key
(2) origin      the one report, or the message that began the case
(3) reporter    follow-ups, by the follow-up key of the origin, or of a report beside it
(4) operators   replies and entries, by a signing key of the roster they name, which they
                still had when they came
(5) files       evidence and identities, by id and header hash
(6) parents     everything that was answered is here
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.manifest import EntryBody, EvidenceRef, FollowUpBody, ReplyBody
from desk.alarms import Alarm, Sign
from desk.opening import NotForUs, Unopened
from desk.order import Node
from desk.origins import Keys, Origin, origin_of
from desk.twins import join
from desk.whose import is_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crypto.ids import CaseId, EnvelopeId, Kid
    from crypto.keys import ReplyPublicKey, SigningPublicKey
    from crypto.manifest import ReportManifest
    from crypto.signed import SignedManifest
    from desk.desk import Desk
    from desk.opening import Opener
    from desk.origins import Pin, Proof, Told
    from desk.store import Envelope
    from desk.trust import Signer, Trust

    _ByName: TypeAlias = dict[EnvelopeId, tuple[EvidenceRef, EnvelopeId]]


_DAYS_APART = 1
"""Days between the one that an answer bears and its envelope's at most: midnight, and zones."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message, proven to come from whoever sent a report of the case, or began it."""

    envelope: Envelope
    node: Node
    body: FollowUpBody
    of: EnvelopeId | None = None
    """That report, or the message that the case began with."""
    is_own: bool = False
    """Whether the case is known to be theirs (desk.whose)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A proven answer of an operator."""

    envelope: Envelope
    node: Node
    body: ReplyBody
    signer: Signer
    elsewhere: bool = False
    """Whether it is sealed to another receipt than the case's: it answers nobody here."""


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
        return self.origin.first.manifest if self.origin.first else None

    @property
    def proofs(self) -> dict[Kid, Proof]:
        """Who can have signed a message, by the key's id."""
        return {one.keys.follow_up.kid: one for one in reversed(self.origin.proofs)}

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

    @classmethod
    def of(cls, desk: Desk) -> Judge:
        """With the key of this desk, and whom it believes."""
        return cls(desk.opener, desk.trust)

    def judge(self, case: CaseId, envelopes: Sequence[Envelope], pinned: Pin | None) -> Genuine:
        """Sort a case's envelopes into what is genuine and what is an alarm; never raises.

        `pinned` is what this desk saw first in the case: a report, or the message it began with.
        """
        found = Genuine(case)
        of: dict[Kind, list[Envelope]] = {kind: [] for kind in Kind}
        for one in envelopes:
            of[one.kind].append(one)
        self._origin(found, of[Kind.REPORT], of[Kind.FOLLOW_UP], pinned)
        is_missing = not of[Kind.REPORT] or found.origin.message is not None
        if is_missing and any(
            one.kind is not Kind.IDENTITY and self.opener.is_for_us(one) for one in envelopes
        ):
            found.shout(Sign.REPORT_MISSING)
        proofs = found.proofs if of[Kind.FOLLOW_UP] else {}
        for one in of[Kind.FOLLOW_UP]:
            self._take(found, one, partial(self._follow_up, proofs))
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
        pinned: Pin | None,
    ) -> None:
        origin = found.origin = origin_of(self, reports, follow_ups, pinned)
        if origin.message is not None:
            # One that does not open may be the case's own.
            beside = [one.envelope for one in origin.told]
        else:
            sure = origin.first if origin.is_sure else None
            beside = [one for one in reports if sure is None or one is not sure.envelope]
            beside = beside if len(reports) > 1 else []
        for other in beside:
            found.shout(Sign.REPORT_TWICE, other.id)
        for name in origin.spoilt:
            found.shout(Sign.CANNOT_OPEN, name)
        if origin.keys is not None:
            found.follow_up_key, found.reply_key = origin.keys

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

    def _follow_up(self, proofs: Mapping[Kid, Proof], found: Genuine, envelope: Envelope) -> None:
        signed = self.opener.signed(envelope)
        proof = proofs.get(signed.signer)
        if proof is None:
            # Where none is the case's own for sure, it may be of one that does not open here.
            is_sure = found.origin.is_sure
            raise _Forged(Sign.FOLLOW_UP_FORGED if is_sure else Sign.FOLLOW_UP_UNPROVEN)
        try:
            raw = self._verified(envelope, signed, proof.keys.follow_up)
            body = FollowUpBody.from_json(raw)
        except CryptoError:
            raise _Forged(Sign.FOLLOW_UP_FORGED) from None
        if Keys(body.follow_up_key, body.reply_key) != proof.keys:
            found.shout(Sign.KEYS_CHANGED, envelope.id)
        node = _node(envelope, signed)
        found.follow_ups.append(FollowUp(envelope, node, body, proof.of, proof.is_own))

    def _reply(self, found: Genuine, envelope: Envelope) -> None:
        signed = self.opener.signed(envelope)
        raw, signer = self._by_operator(envelope, signed, Sign.REPLY_FORGED)
        try:
            body = ReplyBody.from_json(raw)
        except CryptoError:
            raise _Forged(Sign.REPLY_FORGED) from None
        if abs(body.author_day - envelope.header.day) > _DAYS_APART:
            found.shout(Sign.REPLY_MISDATED, envelope.id)
        # Its author's desk may have been shown another report first: then it is no forgery, and
        # who knew of what is told by it as by every word that an operator signed.
        key = found.reply_key
        elsewhere = key is not None and key.kid not in signed.recipients
        if elsewhere:
            found.shout(Sign.REPLY_ELSEWHERE, envelope.id)
        found.replies.append(Reply(envelope, _node(envelope, signed), body, signer, elsewhere))

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
    # Who is known to be another decides nothing in the case: no file of theirs is one of its own.
    told, others = found.origin.equal, found.origin.told[len(found.origin.equal) :]
    strangers = [one for one in found.follow_ups if is_beside(found.origin, one)]
    of_case = [one for one in found.follow_ups if not is_beside(found.origin, one)]
    named, locked = _named(here, told, of_case)
    theirs, also = _named(here, others, strangers)
    found.files = _matched(found, named, evidence, (Sign.EVIDENCE_MISSING, Sign.EVIDENCE_SWAPPED))
    # Custodians are asked for none but the case's own.
    found.identities = _matched(
        found, locked, identities, (Sign.IDENTITY_MISSING, Sign.IDENTITY_SWAPPED)
    )
    if found.report is None and not found.follow_ups:
        # Nothing of the case is readable here, so nothing can say which files belong to it.
        return
    for one_file in evidence:
        if one_file.id not in named.keys() | theirs.keys():
            found.shout(Sign.EVIDENCE_NOT_NAMED, one_file.id)
    for one_identity in identities:
        if one_identity.id not in locked.keys() | also.keys():
            found.shout(Sign.IDENTITY_NOT_NAMED, one_identity.id)


def _named(
    here: set[EvidenceRef], told: Iterable[Told], follow_ups: Sequence[FollowUp]
) -> tuple[_ByName, _ByName]:
    """The files and the identities that some reports and messages name."""
    reports = [(one.envelope.id, one.manifest) for one in told]
    files = [(by, one.evidence) for by, one in reports]
    files += [(one.envelope.id, one.body.evidence) for one in follow_ups]
    identities = [(by, (one.identity,)) for by, one in reports]
    identities += [(one.envelope.id, (one.body.identity,)) for one in follow_ups]
    return _first_here(here, files), _first_here(here, identities)


def _first_here(
    here: set[EvidenceRef], said: Iterable[tuple[EnvelopeId, Iterable[EvidenceRef]]]
) -> _ByName:
    """By id: what is named; of several, by its name what is here, if any of them has it so."""
    named: _ByName = {}
    for by, refs in said:
        for ref in refs:
            known = named.setdefault(ref.id, (ref, by))[0]
            if known not in here and ref in here:
                named[ref.id] = (ref, by)
    return named


def _matched(
    found: Genuine,
    named: _ByName,
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
