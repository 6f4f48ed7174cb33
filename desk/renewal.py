"""What a server shows now, in the place of what it showed wrong before.

Rule: what was right is never replaced, and what is better proven replaces the rest.  An envelope
is first seen before anything of it is proven; a disk that flipped a bit, or a server that lied for
a minute, would blind a desk to it for good, and an honest server would be accused for ever.

```
same header    the header is what its wraps were sealed under.  Piece by piece, wraps, manifest and
               sizes: one that opens, or is what the sealed manifest gives, stays as it is
another one    an operator signed it, or the reporter's keys did, or the report names it by its
               header's hash: then it is the true one.  Else the first stays, unless that does not
               open here, and this one does, and nothing names it: no report or message that
               opens, no word that an operator signed
of another     whatever vouches for it there: it moves nothing that opens here, or is named in its
case or kind   own case
```
A custodian's desk reads nobody's word of which is true: what an operator's signed request names is
kept there beside the first, and replaces nothing (desk.asked_for).
Each step is up, and there are few: a server that alternates is met by the same envelope soon.

What this does not do: whoever has the roster can seal a report, and begin a case of their own with
it.  Of two that open, the first stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.manifest import FollowUpBody
from crypto.wrap import parse_wraps
from desk.asked_for import asked_for, beside, is_among
from desk.fetching import declared
from desk.opening import Unopened
from desk.origins import pins
from desk.parts import are_as_sealed
from desk.verify import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import CaseId, EnvelopeId, HeaderHash, Kid
    from crypto.manifest import EvidenceRef
    from desk.desk import Desk
    from desk.origins import Pin, Proof
    from desk.store import Envelope
    from desk.verify import Genuine

_OPENS = 2
"""Its manifest opens; one more where the sizes are those that it gives."""
_ANOTHERS, _OWN = 1, 2
"""How well the sender of a report beside the case's own vouches; its own reporter, an operator."""
_SIGNED = (Kind.FOLLOW_UP, Kind.ENTRY, Kind.REPLY)
_FILES = (Kind.EVIDENCE, Kind.IDENTITY)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the reports and messages of a case say; files and identities by id and header hash."""

    proofs: Mapping[Kid, Proof]
    """Whose a message is, by its key."""
    worth: Mapping[tuple[EnvelopeId, HeaderHash], int]
    """How well whoever names a file vouches for it, where it is known whose the case is."""
    named: frozenset[tuple[EnvelopeId, HeaderHash]]
    """By any of them, though nobody can tell whose the case is."""


@dataclass(slots=True)
class Renewal:
    """The comparing of one sync: a case is judged once, however often its envelopes change."""

    desk: Desk
    _pinned: dict[CaseId, Pin] | None = None
    _told: dict[CaseId, _Told] = field(default_factory=dict)
    _parents: dict[CaseId, frozenset[HeaderHash]] = field(default_factory=dict)
    _asked: frozenset[tuple[str, str]] | None = None

    def better(self, kept: Envelope, shown: Envelope) -> Envelope | None:
        """What is to be kept in the place of `kept`, or None where that stays."""
        if self._for_us(kept) == self._for_us(shown):
            return None
        if kept.header == shown.header:
            return self._mended(kept, shown)
        return shown if self._is_the_true_one(kept, shown) else None

    def beside(self, shown: Envelope) -> Envelope | None:
        """What a custodian's desk keeps beside the first, where a request names what is shown."""
        if not self.desk.is_custodian or shown.kind is not Kind.IDENTITY or shown.sizes:
            return None
        if self._asked is None:
            self._asked = asked_for(self.desk.store)
        if not is_among(self._asked, shown) or not is_sealed(shown):
            return None
        for kept in beside(self.desk.store, shown.id):
            if kept.header == shown.header:
                return self._mended(kept, shown)
        return shown

    def _for_us(self, one: Envelope) -> tuple[object, ...]:
        """All of it but the wraps of others: what was written here bears those, no index does."""
        kid = self.desk.opener.kid
        wraps = [wrap for wrap in parse_wraps(one.header, one.wraps) if wrap.kid == kid]
        return one.header, wraps, one.manifest, one.sizes

    # --- the same header

    def _mended(self, kept: Envelope, shown: Envelope) -> Envelope | None:
        made = [
            replace(kept, wraps=wraps, manifest=manifest, sizes=sizes)
            for wraps, manifest, sizes in product(
                (kept.wraps, shown.wraps),
                (kept.manifest, shown.manifest),
                (kept.sizes, shown.sizes),
            )
        ]
        # Of the best, the first: the one that leaves most as it was.
        best = max(made, key=self._worth)
        if self._worth(best) <= self._worth(kept):
            return None
        return replace(best, whole=not best.sizes, posted=True)

    def _worth(self, one: Envelope) -> tuple[bool, int, int]:
        """Whether the root holds, as far as it can be asked; what opens; and by how many shares."""
        return is_sealed(one), self._opened(one), self.desk.opener.strength(one)

    def _opened(self, one: Envelope) -> int:
        opener = self.desk.opener
        try:
            if one.kind is Kind.REPORT:
                opener.report(one)
            elif one.kind is Kind.IDENTITY:
                opener.identity(one)
            elif one.kind in _SIGNED:
                opener.signed(one)
            return _OPENS + (declared(self.desk, one) == one.sizes)
        except Unopened:
            return min(opener.strength(one), 1)

    # --- another header

    def _is_the_true_one(self, kept: Envelope, shown: Envelope) -> bool:
        if not is_sealed(shown) or self._began(kept):
            return False
        if (kept.case, kept.kind) != (shown.case, shown.kind) and self._stands(kept):
            # An id is nobody's secret: under it, whoever runs the server can seal a message into a
            # case that they began themselves, and be as good a witness there as any reporter.
            return False
        before, now = self._vouched(kept), self._vouched(shown)
        if before or now:
            return now > before
        # Whether it names this desk or not: a true one, of danger to life, may stand behind it.
        return not self._stands(kept) and self._reads(shown)

    def _stands(self, one: Envelope) -> bool:
        """Whether it opens here, or somebody of its own case says that it is there."""
        if self._reads(one) or one.header.hash in self._answered(one.case):
            return True
        return (one.id, one.header.hash) in self._telling(one.case).named

    def _reads(self, one: Envelope) -> bool:
        """Whether it opens here; of an identity, as far as one custodian's shares go."""
        opened = self._opened(one)
        return opened >= _OPENS or (one.kind is Kind.IDENTITY and opened > 0)

    def _vouched(self, one: Envelope) -> int:
        """How well somebody whose word is proven says that this header is the one; 0 for nobody.

        Whoever sent a report beside the case's own is believed of their own messages, and less; so
        is each writer of a case where nobody can tell whose it is.
        """
        if self.desk.is_custodian or one.kind is Kind.REPORT:
            return 0
        if one.kind in _FILES:
            return self._telling(one.case).worth.get((one.id, one.header.hash), 0)
        if one.kind is Kind.FOLLOW_UP:
            return self._written(one)
        found = self._judged(one.case, [one])
        return _OWN if found.entries or found.replies else 0

    def _written(self, one: Envelope) -> int:
        """How well the writer of a message vouches for it, by the proofs of its case."""
        opener = self.desk.opener
        try:
            signed = opener.signed(one)
            proof = self._telling(one.case).proofs.get(signed.signer)
            if proof is None:
                # One that vouches for its own keys vouches for nothing.
                return 0
            FollowUpBody.from_json(signed.verify(one.header, proof.keys.follow_up, opener.kid))
        except (Unopened, CryptoError):
            return 0
        return _OWN if proof.is_own else _ANOTHERS

    def _began(self, one: Envelope) -> bool:
        """Whether it is the message that began its case: of another header, none is that."""
        return one.kind is Kind.FOLLOW_UP and one.id == self._pin(one.case)

    def _pin(self, case: CaseId) -> EnvelopeId | None:
        if self._pinned is None:
            self._pinned = pins(self.desk.store)
        pin = self._pinned.get(case)
        return pin.envelope if pin else None

    def _judged(self, case: CaseId, envelopes: Sequence[Envelope]) -> Genuine:
        if self._pinned is None:
            self._pinned = pins(self.desk.store)
        judge = Judge.of(self.desk)
        return judge.judge(case, envelopes, self._pinned.get(case))

    def _answered(self, case: CaseId) -> frozenset[HeaderHash]:
        """What operators' words in a case name as read, by a desk on which it opened."""
        if case not in self._parents:
            found = self._judged(case, self.desk.store.of_case(case))
            nodes = [one.node for one in found.entries] + [one.node for one in found.replies]
            self._parents[case] = frozenset(parent for node in nodes for parent in node.parents)
        return self._parents[case]

    def _telling(self, case: CaseId) -> _Told:
        """Judged once: a server can seal any number of reports, and show any number of messages."""
        if case not in self._told:
            told = (Kind.REPORT, Kind.FOLLOW_UP)
            held = [one for one in self.desk.store.of_case(case) if one.kind in told]
            found = self._judged(case, held)
            # Where nobody can tell who is the reporter, nobody's word moves anything.
            named = (*found.files, *found.identities) if found.origin.is_sure else ()
            own = {one.envelope.id for one in found.follow_ups if one.is_own}
            own |= {one.envelope.id for one in found.origin.equal}
            self._told[case] = _Told(
                found.proofs,
                {_name(one.ref): _OWN if one.by in own else _ANOTHERS for one in named},
                frozenset(map(_name, _named_by_any(found))),
            )
        return self._told[case]


def _named_by_any(found: Genuine) -> Iterable[EvidenceRef]:
    """What the reports and messages of a case name, whoever wrote them."""
    for report in found.origin.told:
        yield from (*report.manifest.evidence, report.manifest.identity)
    for message in found.follow_ups:
        yield from (*message.body.evidence, message.body.identity)


def _name(ref: EvidenceRef) -> tuple[EnvelopeId, HeaderHash]:
    return ref.id, ref.header_hash


def is_sealed(one: Envelope) -> bool:
    """Where part 0 is all there is, the root proves it; else with the others (desk.fetching)."""
    return bool(one.sizes) or are_as_sealed(one, ())
