"""A custodian's part: read what an operator asks, and say yes or no.

Rule: nothing is answered that was not proven first: an operator of the roster in force signed it,
for this desk, about identities that lie here as they were sealed.  Where another one lies here
under the same id, no yes is given before a person said that they compared (desk.asked_for).  A yes
gives this custodian's shares to that operator's key alone, for that one request.  What was answered
is remembered here, sealed under this desk's key: a second record beside the journal, which an
operator's desk writes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from crypto.custody_letters import REASON_MOST, CustodyAnswer, CustodyRequest, IdentityShares
from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.letter import Letter, LetterKind, seal_letter, to_text
from crypto.local import LocalKey
from crypto.manifest import EvidenceRef
from crypto.operator_opening import CustodianPrivateKey, open_shares
from desk.asked_for import identities_of, others_of, remember
from desk.cases import REF_DIGITS, iso
from desk.custody_letters import DAYS_MOST, is_late, request_of
from desk.custody_words import Why, digest_of, refused

if TYPE_CHECKING:
    from crypto.ids import HeaderHash
    from crypto.roster import Operator
    from desk.desk import Desk
    from desk.store import Envelope

_RECORD = "custody-answers"


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that this desk has read and found genuine."""

    id: bytes
    request: CustodyRequest = field(repr=False)
    operator: Operator
    envelopes: tuple[Envelope, ...] = field(repr=False)
    quorum: int
    custodians: int
    contested: tuple[tuple[HeaderHash, tuple[HeaderHash, ...]], ...] = ()
    """Of the identities of which this desk has another under the same id: each one's header that
    the request names, and those of the others."""

    @property
    def ref(self) -> str:
        """The case's reference, as operators say it."""
        digits = self.request.case.hex()[:REF_DIGITS]
        return f"{digits[:4]}-{digits[4:]}"

    def to_json(self) -> dict[str, object]:
        """The stable shape of `custody read --json`."""
        return {
            "request": self.id.hex(),
            "case": self.request.case.hex(),
            "ref": self.ref,
            "operator": self.operator.label,
            "day": iso(self.request.day),
            "reason": self.request.reason,
            "identities": [one.id.hex() for one in self.envelopes],
            "quorum": self.quorum,
            "custodians": self.custodians,
            "contested": [
                {"named": digest_of(named), "others": [digest_of(one) for one in others]}
                for named, others in self.contested
            ],
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that this custodian answered."""

    request: str
    case: str
    operator: str
    asked_on: str
    answered_on: str
    agreed: bool
    reason: str = field(repr=False)

    @property
    def ref(self) -> str:
        """The case's reference."""
        return f"{self.case[:4]}-{self.case[4:REF_DIGITS]}"


def read(desk: Desk, untrusted_text: str) -> Asking:
    """Read a request, and prove all that can be proven of it here.

    Raises:
        CustodyRefused: not a request, forged, out of date, or about what is not on this desk.
        RosterNotTrusted: no roster is in force today to judge it by.
    """
    letter, operator, request = request_of(desk, untrusted_text)
    if desk.trust.named(request.roster_hash) is None:
        raise refused(Why.ROSTER)
    if is_late(desk, request.day):
        raise refused(Why.LATE, day=iso(request.day), most=DAYS_MOST)
    roster = desk.trust.in_force(desk.today())
    envelopes = _held(desk, request)
    both = ((one, others_of(desk.store, one)) for one in envelopes)
    return Asking(
        id=letter.id,
        request=request,
        operator=operator,
        envelopes=envelopes,
        quorum=roster.quorum,
        custodians=len(roster.custodians),
        contested=tuple(
            (one.header.hash, tuple(other.header.hash for other in others))
            for one, others in both
            if others
        ),
    )


def agree(desk: Desk, asking: Asking, *, compared: bool = False) -> str:
    """Open this custodian's shares, and seal them to the operator who asked; returns the letter.

    Args:
        desk: the custodian's.
        asking: what was read.
        compared: whether the custodian says that they compared, as they were asked to where this
            desk holds another identity under the same id.

    Raises:
        CustodyRefused: this is no custodian's desk, it holds no share of what is asked for, or
            holds another under its id and nobody compared.
    """
    key = _key(desk)
    if asking.contested and not compared:
        raise refused(Why.COMPARE)
    given = []
    for one in asking.envelopes:
        try:
            shares = open_shares(key, one.header, one.wraps)
        except CryptoError:
            # Sealed before this custodian's time, perhaps: another of the same case may not be.
            continue
        given.append(IdentityShares(EvidenceRef(one.id, one.header.hash), shares))
    if not given:
        raise refused(Why.NO_SHARE)
    said = _answer(desk, asking, tuple(given), "")
    _remember(desk, asking, agreed=True)
    return said


def refuse(desk: Desk, asking: Asking, reason: str) -> str:
    """Say no, with the reason, to the operator who asked; returns the letter.

    Raises:
        CustodyRefused: no reason, or this is no custodian's desk.
    """
    _key(desk)
    said = _answer(desk, asking, (), reasoned(reason))
    _remember(desk, asking, agreed=False)
    return said


def answered(desk: Desk) -> tuple[Answered, ...]:
    """What this custodian answered, the oldest first; an auditor compares it with the journals.

    Raises:
        CustodyRefused: the record was changed on the disk, or this is no custodian's desk.
    """
    sealed = desk.store.noted(_RECORD)
    if not sealed:
        return ()
    try:
        kept = _record_key(desk).open(_RECORD.encode(), b"", bytes.fromhex(sealed))
    except (CryptoError, ValueError):
        raise refused(Why.RECORD) from None
    return tuple(Answered(**one) for one in json.loads(kept))


def reasoned(given: str) -> str:
    """A reason as it is signed; raises CustodyRefused for none and for too long a one."""
    said = given.replace("\r\n", "\n").strip()
    if not 0 < len(said) <= REASON_MOST:
        raise refused(Why.REASON, most=REASON_MOST)
    return said


def _remember(desk: Desk, asking: Asking, *, agreed: bool) -> None:
    record = Answered(
        request=asking.id.hex(),
        case=asking.request.case.hex(),
        operator=asking.operator.label,
        asked_on=iso(asking.request.day),
        answered_on=iso(desk.today()),
        agreed=agreed,
        reason=asking.request.reason,
    )
    known = [one for one in answered(desk) if (one.request, one.agreed) != (record.request, agreed)]
    rows = [asdict(one) for one in (*known, record)]
    sealed = _record_key(desk).seal(_RECORD.encode(), b"", json.dumps(rows).encode())
    desk.store.note(_RECORD, sealed.hex())


def _record_key(desk: Desk) -> LocalKey:
    return LocalKey.of(_key(desk), _RECORD)


def _key(desk: Desk) -> CustodianPrivateKey:
    if not isinstance(desk.keyring.key, CustodianPrivateKey):
        raise refused(Why.CUSTODIANS_ONLY)
    return desk.keyring.key


def _answer(desk: Desk, asking: Asking, identities: tuple[IdentityShares, ...], reason: str) -> str:
    key = _key(desk)
    answer = CustodyAnswer(
        case=asking.request.case,
        request=asking.id,
        custodian=key.public.kid,
        label=desk.keyring.label,
        day=desk.today(),
        reason=reason,
        identities=identities,
    )
    operator = asking.operator.evidence
    letter = Letter.write(
        LetterKind.ANSWER,
        desk.keyring.sign,
        deployment=desk.trust.deployment,
        recipients=[operator.kid],
        body=answer.to_json(),
    )
    return to_text(seal_letter(letter, [operator]))


def _held(desk: Desk, request: CustodyRequest) -> tuple[Envelope, ...]:
    """The identities that a request names, each here under the very header that it names."""
    here = identities_of(desk.store, request.case)
    if missing := [ref for ref in request.identities if ref not in here]:
        # Of whichever case the other one says it is: whoever showed it chose that, too.
        first = {one.id: one for one in desk.store.some([ref.id for ref in missing])}
        odd = [ref for ref in missing if ref.id in first and _is_another(first[ref.id], ref)]
        if odd:
            remember(desk.store, request.operator, odd)
        raise refused(Why.ANOTHER_HERE if odd else Why.NOT_HERE)
    return tuple(here[ref] for ref in request.identities)


def _is_another(one: Envelope, ref: EvidenceRef) -> bool:
    return one.kind is Kind.IDENTITY and one.header.hash != ref.header_hash
