"""An operator's part of custody: ask who reported, and open it with the custodians' answers.

Rule: an identity opens on an operator's desk only when as many custodians as the rosters ask for
said yes to one request of this operator, which the case's journal has; that it was opened is
signed into the journal before anybody sees it (claim C-CUSTODY).  The letters travel by mail or on
a stick: no server is believed, and nothing that was opened touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.custody_letters import IDENTITIES_MOST, CustodyRequest
from crypto.letter import Letter, LetterKind, seal_letter, to_text
from crypto.manifest import EvidenceRef
from desk import acts, work
from desk.cases import Cases, iso
from desk.custodian import reasoned
from desk.custody_letters import DAYS_MOST, answer_of, is_late, opened
from desk.custody_words import Why, people, refusals, refused
from desk.errors import CaseMoved, Stopped
from desk.identity import OpenedIdentity, combined
from desk.outbox import append, drafted, keep, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crypto.custody_letters import CustodyAnswer
    from crypto.ids import Day, EnvelopeId
    from crypto.letter import Reader
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope
    from desk.verify import Entry

LETTER = "custody-request:"
"""What the facts begin with that keep this desk's own requests, sealed, by their ids."""
_GIVEN = ("contact_only", "full_identity")
_Name = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was written: its id, the letter, and whether the server has the entry."""

    id: bytes
    text: str = field(repr=False)
    sent: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A custodian's no: by whom, and on which day they wrote it (as `2026-11-22`), and why."""

    custodian: str
    day: str
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request in a case's journal that was not opened yet; `text` is its letter, or empty."""

    id: str
    day: Day
    by: str
    mine: bool
    late: bool
    reason: str = field(repr=False)
    text: str = field(repr=False)
    refusals: tuple[Refusal, ...] = ()
    """The custodians who said no to it, as far as the journal has it."""

    def to_json(self) -> dict[str, object]:
        """The stable shape of `custody list --json`."""
        return {
            "request": self.id,
            "day": iso(self.day),
            "operator": self.by,
            "mine": self.mine,
            "late": self.late,
            "reason": self.reason,
            "refused": [
                {"custodian": one.custodian, "day": one.day, "reason": one.reason}
                for one in self.refusals
            ],
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened, this once; on which request, why, and who agreed."""

    identities: tuple[OpenedIdentity, ...] = field(repr=False)
    request: str
    reason: str = field(repr=False)
    custodians: tuple[str, ...]
    sent: bool

    def to_json(self) -> dict[str, object]:
        """The stable shape of `custody open --json`."""
        return {
            "request": self.request,
            "reason": self.reason,
            "custodians": list(self.custodians),
            "identities": [one.to_json() for one in self.identities],
        }


@dataclass(frozen=True, slots=True)
class Agreed:
    """What custodians agreed to, proven and in memory; the journal does not say so yet.

    Whoever shows it, or writes it anywhere, writes `to_facts` into `case`'s journal first.
    """

    identities: tuple[OpenedIdentity, ...] = field(repr=False)
    request: str
    reason: str = field(repr=False)
    custodians: tuple[str, ...]
    case: Case = field(repr=False)

    def to_facts(self) -> dict[str, Json]:
        """What the act says that must come first."""
        said = list(self.custodians)
        return {"request": self.request, "custodians": said, "text": self.reason}


def ask(desk: Desk, case: Case, reason: str) -> Asked:
    """Write a request into the journal, and the letter that carries it to the custodians.

    Raises:
        CustodyRefused: nothing to open, no reason, or this is a custodian's desk.
        ActRefused, RosterNotTrusted: no act of this desk would hold today.
    """
    _require_operator(desk)
    said = reasoned(reason)
    wanted = _wanted(case)
    roster = desk.trust.in_force(desk.today())
    mine = work.myself(desk).operator
    request = CustodyRequest(
        case=case.id,
        identities=tuple(EvidenceRef(one.id, one.header.hash) for one in wanted),
        operator=mine.evidence.kid,
        label=mine.label,
        reason=said,
        day=desk.today(),
        roster_hash=roster.hash,
    )
    readers: list[Reader] = [*roster.custodian_keys(), mine.evidence]
    letter = Letter.write(
        LetterKind.REQUEST,
        desk.keyring.sign,
        deployment=desk.trust.deployment,
        recipients=[one.kid for one in readers],
        body=request.to_json(),
    )
    text = to_text(seal_letter(letter, readers))
    # Sealed to the custodians and to this desk's own key: so it may lie here, to be carried again.
    desk.store.note(LETTER + letter.id.hex(), text)
    return Asked(letter.id, text, work.ask_identity(desk, case, said, letter.id.hex()))


def pending(desk: Desk, case: Case) -> tuple[Pending, ...]:
    """The requests of a case that nobody opened yet, in order."""
    done, against = _already(case), _refusals(case)
    return tuple(
        Pending(
            id=name[1],
            day=one.node.day,
            by=one.signer.name,
            mine=name[0] == desk.keyring.sign.public.raw,
            late=is_late(desk, one.node.day),
            reason=str(one.body.data["text"]),
            text=desk.store.noted(LETTER + name[1]),
            refusals=against.get(name, ()),
        )
        for name, one in _requests(case).items()
        if name not in done
    )


def request_id(desk: Desk, untrusted_text: str) -> bytes:
    """The id of a request, from its letter; raises CustodyRefused."""
    return opened(desk, untrusted_text, LetterKind.REQUEST).id


def file_refusals(
    desk: Desk, case: Case, untrusted_answers: Sequence[str]
) -> tuple[tuple[Refusal, ...], bool]:
    """Write custodians' refusals of this operator's requests into the journal, each once.

    Returns:
        What they say, and whether the server has all of it.

    Raises:
        CustodyRefused: an answer is not what it must be, or says yes; nothing was written.
        ActRefused, RosterNotTrusted: the journal could not be written.
    """
    _require_operator(desk)
    answers = []
    for text in untrusted_answers:
        custodian, answer = answer_of(desk, text)
        if answer.case != case.id:
            raise refused(Why.OTHER_CASE, label=custodian.label)
        if (desk.keyring.sign.public.raw, answer.request.hex()) not in _requests(case):
            raise refused(Why.NO_REQUEST)
        if answer.agreed:
            raise refused(Why.NOT_A_REFUSAL, label=custodian.label)
        answers.append(answer)
    return tuple(map(_refusal, answers)), _file(desk, case, answers, is_last=True)


def open_identity(
    desk: Desk, case: Case, request: bytes, untrusted_answers: Sequence[str]
) -> Opened:
    """Open a case's identity with the custodians' answers, once, and say so in the journal.

    The refusals among the answers are written into the journal first, whatever becomes of it.

    Raises:
        CustodyRefused: too few agreed, or an answer or the request is not what it must be; nothing
            was opened, and nothing was written but refusals; or somebody stopped the program.
        CaseMoved: something came while the refusals were written; likewise.
        ActRefused, RosterNotTrusted: the journal could not be written; nothing is shown.
    """
    found = agreed_to(desk, case, request, untrusted_answers)
    # Before anybody sees it: whoever opens one has signed that they did.
    try:
        sent = append(desk, found.case, acts.IDENTITY_OPENED, found.to_facts(), is_last=False)
    except Stopped:
        # Whoever stops it here may have somebody behind them: no name comes on the screen now.
        raise refused(Why.STOPPED) from None
    return Opened(found.identities, found.request, found.reason, found.custodians, sent)


def agreed_to(desk: Desk, case: Case, request: bytes, untrusted_answers: Sequence[str]) -> Agreed:
    """Prove that custodians agreed to a request; uses nothing up.  Raises as `open_identity`."""
    entry = _own_request(desk, case, request)
    agreed, against = _sorted(desk, case, request, untrusted_answers)
    if against:
        _file(desk, case, list(against.values()), is_last=False)
        case = _unmoved(desk, case)
        _own_request(desk, case, request)  # another program may have opened it meanwhile
    envelopes = _named(case, agreed)
    quorums = [_sealed_quorum(desk, one) for one in envelopes]
    needed = max([desk.trust.in_force(desk.today()).quorum, *quorums])
    if len(agreed) < needed:
        said = [(label, one.reason) for label, one in against.items()]
        raise refused(
            Why.TOO_FEW, needed=needed, agreed=people(list(agreed)), refusals=refusals(said)
        )
    if not envelopes:
        raise refused(Why.NO_ANSWERS)
    identities = tuple(
        combined(one, list(agreed.values()), quorum)
        for one, quorum in zip(envelopes, quorums, strict=True)
    )
    reason, labels = str(entry.body.data["text"]), tuple(sorted(agreed))
    return Agreed(identities, request.hex(), reason, labels, case)


def _unmoved(desk: Desk, before: Case) -> Case:
    """A case as it is now; raises CaseMoved where more came than what this operator wrote.

    To file a refusal takes a server's time, in which a sync can bring what nobody has read.
    """
    now, me = Cases(desk).find(before.id.hex()), desk.keyring.sign.public.raw
    own = {one.envelope.id for one in now.work.entries if one.signer.key.raw == me}
    if now.known - before.known - own:
        raise CaseMoved(
            "Something came to this case while a custodian's refusal was written into its journal. "
            "Look at it again: the refusal stands there now, and no identity was opened."
        )
    return now


def _require_operator(desk: Desk) -> None:
    if desk.is_custodian:
        raise refused(Why.OPERATORS_ONLY)


def _wanted(case: Case) -> list[Envelope]:
    """The identities that hold a name or a contact, by the reporter's own word; the newest 32."""
    given: list[EnvelopeId] = []
    if case.report is not None and not case.origin.is_sure:
        raise refused(Why.UNSURE)
    if case.report is not None and case.report_id is not None:
        given += [case.report_id] if case.report.identity_mode in _GIVEN else []
    given += [one.envelope.id for one in case.later_identities]
    if not given:
        raise refused(Why.NOTHING)
    by = {one.by: one.envelope for one in case.identities}
    found = [one for one in (by.get(name) for name in given) if one is not None]
    if not found:
        raise refused(Why.MISSING)
    return found[-IDENTITIES_MOST:]


def _requests(case: Case) -> dict[_Name, Entry]:
    """The entries that say that a letter was written, each by its operator and the letter's id."""
    found: dict[_Name, Entry] = {}
    for one in case.work.of(acts.IDENTITY_REQUEST):
        if "request" in one.body.data:
            found.setdefault(_name(one), one)
    return found


def _already(case: Case) -> dict[_Name, Entry]:
    return {_name(one): one for one in case.work.of(acts.IDENTITY_OPENED)}


def _refusals(case: Case) -> dict[_Name, tuple[Refusal, ...]]:
    """By request: each custodian's first no, as the operator who asked filed it."""
    found: dict[_Name, dict[str, Refusal]] = {}
    for one in case.work.of(acts.IDENTITY_REFUSED):
        said = one.body.data
        refusal = Refusal(str(said["custodian"]), str(said["day"]), str(said["text"]))
        found.setdefault(_name(one), {}).setdefault(refusal.custodian, refusal)
    return {name: tuple(by.values()) for name, by in found.items()}


def _refusal(answer: CustodyAnswer) -> Refusal:
    return Refusal(answer.label, iso(answer.day), answer.reason)


def _file(desk: Desk, case: Case, answers: Sequence[CustodyAnswer], *, is_last: bool) -> bool:
    """Write refusals that the journal does not have yet, all before one is sent; as `send`."""
    last: Envelope | None = None
    for answer in answers:
        said, name = _refusal(answer), (desk.keyring.sign.public.raw, answer.request.hex())
        if said.custodian in [one.custodian for one in _refusals(case).get(name, ())]:
            continue
        data: dict[str, Json] = {
            "request": answer.request.hex(), "custodian": said.custodian, "day": said.day,
            "text": said.reason,
        }  # fmt: skip
        last = drafted(desk, case, acts.IDENTITY_REFUSED, data)
        keep(desk, case, last)
        case = Cases(desk).find(case.id.hex())
    return last is None or send(desk, last, is_last=is_last)


def _name(entry: Entry) -> _Name:
    # With the signer: nobody can use up, or pass for, a request that is somebody else's.
    return entry.signer.key.raw, str(entry.body.data["request"])


def _own_request(desk: Desk, case: Case, request: bytes) -> Entry:
    """The journal's entry of a request that this operator may open now."""
    _require_operator(desk)
    name = desk.keyring.sign.public.raw, request.hex()
    entry = _requests(case).get(name)
    if entry is None:
        raise refused(Why.NO_REQUEST)
    before = _already(case).get(name)
    if before is not None:
        raise refused(Why.ALREADY, day=iso(before.node.day))
    if is_late(desk, entry.node.day):
        raise refused(Why.LATE, day=iso(entry.node.day), most=DAYS_MOST)
    return entry


def _sorted(
    desk: Desk, case: Case, request: bytes, untrusted_answers: Sequence[str]
) -> tuple[dict[str, CustodyAnswer], dict[str, CustodyAnswer]]:
    """Those who said yes and those who said no to this request, each custodian once, by label."""
    sides: tuple[dict[str, CustodyAnswer], dict[str, CustodyAnswer]] = ({}, {})
    for text in untrusted_answers:
        custodian, answer = answer_of(desk, text)
        if answer.case != case.id:
            raise refused(Why.OTHER_CASE, label=custodian.label)
        if answer.request != request:
            raise refused(Why.OTHER_REQUEST, label=custodian.label)
        mine, other = sides if answer.agreed else sides[::-1]
        if custodian.label in other:
            raise refused(Why.BOTH, label=custodian.label)
        mine[custodian.label] = answer
    return sides


def _named(case: Case, agreed: Mapping[str, CustodyAnswer]) -> list[Envelope]:
    """The identities of this case that the answers hold shares of; whatever else they name, not."""
    refs = {one.ref for answer in agreed.values() for one in answer.identities}
    return [one.envelope for one in case.identities if one.envelope is not None and one.ref in refs]


def _sealed_quorum(desk: Desk, envelope: Envelope) -> int:
    roster = desk.trust.named(envelope.header.roster_hash)
    if roster is None:
        raise refused(Why.UNKNOWN_ROSTER)
    return roster.quorum
