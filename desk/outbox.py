"""Write into a case: answers to the reporter, and entries of the journal.

Rule: what is written is signed for this case and these readers, sealed, and kept here
before it is sent; an answer is sealed to the reply key of the *sealed report* and to no
other.  The server refuses what is sealed under an old roster or on another day, so what
waited too long is opened, signed and sealed anew before it goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.envelope import EnvelopeSealer, Operators, OperatorsAndReceipt
from crypto.header import Kind
from crypto.manifest import EntryBody, ReplyBody
from crypto.signed import SignedManifest
from desk.acts import is_shaped
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.errors import (
    ActRefused,
    AlreadySyncing,
    CaseMoved,
    EvidenceUnsound,
    NoSuchEvidence,
    NotAnswerable,
    NothingToSay,
    ServerMalformed,
    ServerRefused,
    ServerUnreachable,
)
from desk.evidence import open_evidence
from desk.locks import alone
from desk.order import Node, ordered
from desk.public_status import NEEDS_WORDS, parse_public
from desk.sentence import Sentence
from desk.store import Envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crypto.ids import CaseId, HeaderHash
    from crypto.keys import ReplyPublicKey
    from crypto.strict_json import Json
    from crypto.wrap import Recipients
    from desk.cases import Case
    from desk.desk import Desk

TEXT_MOST = 20_000
"""Characters of an answer at most: what the reporter's page can show."""

CONTENT_MOST = 5 * 1024 * 1024
"""Bytes of what an entry carries at most: sealed, it fits what the server takes at once."""

_OTHER_SECONDS = 10.0
_SERVER_FAILED = 500
_UNAUTHORIZED = 401
_SEAL_ANEW = {"roster", "day"}
_TAKEN, _WAITS, _REFUSED = "taken", "waits", "refused"


@dataclass(slots=True)
class Sent:
    """What went out, what still waits, and what was refused for good."""

    posted: int = 0
    waiting: int = 0
    alarms: list[Alarm] = field(default_factory=list)


def answer(desk: Desk, case: Case, text: str, untrusted_status: str = "") -> bool:
    """Seal an answer to the reporter, keep it, and send it.

    With a public status the text may be empty, but for a question and for closing.

    Returns:
        True when the server has it, False when it waits here for the next sync.

    Raises:
        NothingToSay: no text where one is needed, or too much of it.
        StateUnknown: the status is none of the five that a reporter sees.
        NotAnswerable: the case has no reply key that is certain.
        RosterNotTrusted: no roster is in force today to seal under.
        CaseMoved: something came to the case, or was written into it, since it was read.
    """
    _require_operator(desk)
    said = text.replace("\r\n", "\n").strip()
    status = parse_public(untrusted_status) if untrusted_status else None
    if not said and status in NEEDS_WORDS:
        lacking = Sentence(NEEDS_WORDS[status])
        raise NothingToSay(Sentence("{lacking} Nothing was sent.", lacking=lacking))
    if not said and status is None:
        raise NothingToSay("The answer is empty. Nothing was sent.")
    if len(said) > TEXT_MOST:
        raise NothingToSay(
            Sentence(
                "The answer has {count:,} characters, and {most:,} is the most. Nothing was sent.",
                count=len(said),
                most=TEXT_MOST,
            )
        )
    reply_key = _certain(case)
    body = ReplyBody(text=said, author_day=desk.today(), status=status).to_json()
    return _keep_and_send(
        desk,
        case,
        _sealed(desk, Kind.REPLY, case.id, body, parents=case.answers_to, reply_key=reply_key),
    )


def append(
    desk: Desk, case: Case, kind: str, data: Mapping[str, Json], content: bytes | None = None
) -> bool:
    """Append a signed entry of one type (desk.acts); returns and raises as `answer`.

    `content` goes into the entry's envelope as its one content part; the data says its digest.

    Raises:
        ActRefused: the data is not of the type's shape, the content is too long to be sent, or
            this is a custodian's desk.
    """
    return _keep_and_send(desk, case, drafted(desk, case, kind, data, content))


def drafted(
    desk: Desk, case: Case, kind: str, data: Mapping[str, Json], content: bytes | None = None
) -> Envelope:
    """Sign and seal what `append` would, and keep it nowhere yet; raises as `append`."""
    _require_operator(desk)
    if content is not None and len(content) > CONTENT_MOST:
        raise ActRefused("This is too long to be kept with an entry. Nothing was written.")
    if not is_shaped(kind, data):
        raise ActRefused("Something in this is too long, empty, or no date. Nothing was written.")
    body = EntryBody(type=kind, data=data).to_json()
    return _sealed(desk, Kind.ENTRY, case.id, body, parents=case.heads, content=content)


def keep(desk: Desk, case: Case, envelope: Envelope) -> None:
    """Keep a draft, durably, without sending it: the next sync does, if nobody does before.

    Raises:
        CaseMoved: something came to the case, or was written into it, since it was read.
    """
    if not desk.store.keep_after(case.known, envelope):
        desk.store.part_path(envelope.id, 1).unlink(missing_ok=True)
        raise CaseMoved(
            "Something has come to this case since it was read. Look at it again; nothing was "
            "written."
        )


def send_waiting(desk: Desk) -> Sent:
    """Send what waits, parents first; part of a sync.

    Raises:
        ServerUnreachable: the connection broke; the rest waits on.
        AlreadySyncing: another program of this desk is sending.
    """
    with alone(desk.home.sending, _OTHER_SECONDS) as is_mine:
        if not is_mine:
            raise AlreadySyncing("Another program of this desk is sending. Sync again in a minute.")
        return _send_waiting(desk)


def _send_waiting(desk: Desk) -> Sent:
    sent = Sent()
    ready = _made_ready(desk)
    held_up: set[CaseId] = set()
    for one, fresh in ready:
        if fresh is not one:
            desk.store.quieten(_refusal(one))
        outcome = _WAITS if one.case in held_up else _deliver(desk, fresh)
        if outcome == _WAITS:
            # It may be sealed anew: what answers it waits with it, and learns its new name.
            held_up.add(one.case)
        if outcome == _REFUSED:
            sent.alarms.append(_refusal(fresh))
        sent.posted += outcome == _TAKEN
        sent.waiting += outcome != _TAKEN
    return sent


def _made_ready(desk: Desk) -> list[tuple[Envelope, Envelope]]:
    """What waits, in its order, each with what is to be sent for it: itself, or sealed anew."""
    while True:
        renamed: dict[HeaderHash, HeaderHash] = {}
        waiting = _in_order(desk, desk.store.unposted())
        ready = [(one, _sealed_anew(desk, one, renamed)) for one in waiting]
        # All in one step, before any is sent: what answers another would otherwise be left, by a
        # desk that ends here, naming something that is nowhere any more.  So would what another
        # program wrote meanwhile: then all of it is made ready once more.
        pairs = [(one.id, fresh) for one, fresh in ready if fresh is not one]
        if desk.store.exchange(pairs, frozenset(one.id for one in waiting)):
            return ready
        for _, fresh in pairs:
            desk.store.part_path(fresh.id, 1).unlink(missing_ok=True)


def _require_operator(desk: Desk) -> None:
    if desk.is_custodian:
        raise ActRefused(
            "A custodian's desk answers requests and writes nothing into a case. Nothing was "
            "written."
        )


def _certain(case: Case) -> ReplyPublicKey:
    if case.reply_key is None:
        raise NotAnswerable(
            "This case has no reply key that is certain on this machine, so an answer might reach "
            "a forger. `amana-desk verify` says why."
        )
    return case.reply_key


def _sealed(  # noqa: PLR0913  # each argument is one thing that is sealed
    desk: Desk,
    kind: Kind,
    case: CaseId,
    body: bytes,
    *,
    parents: Sequence[HeaderHash],
    reply_key: ReplyPublicKey | None = None,
    content: bytes | None = None,
) -> Envelope:
    roster = desk.trust.in_force(desk.today())
    operators = roster.evidence_keys()
    recipients: Recipients = (
        OperatorsAndReceipt(operators, reply_key) if reply_key else Operators(operators)
    )
    sealer = EnvelopeSealer(
        kind=kind,
        deployment=desk.trust.deployment,
        case=case,
        roster_hash=roster.hash,
        day=desk.today(),
    )
    part = bytearray()
    if content is not None:
        sealing = sealer.part(part.extend)
        sealing.write(content)
        sealing.finish()
        # Sealed, so it may lie on the disk; before its envelope does, which names it.
        desk.store.keep_part(sealer.id, 1, bytes(part))
    signed = SignedManifest.sign(
        kind,
        desk.keyring.sign,
        deployment=desk.trust.deployment,
        case=case,
        envelope=sealer.id,
        recipients=recipients.kids,
        parents=parents,
        body=body,
    )
    sealed = sealer.seal(signed.to_json(), recipients)
    return Envelope(
        header=sealed.header,
        wraps=sealed.wraps,
        manifest=sealed.manifest,
        sizes=(len(part),) if part else (),
        posted=False,
    )


def _keep_and_send(desk: Desk, case: Case, envelope: Envelope) -> bool:
    keep(desk, case, envelope)
    outcome = _WAITS
    try:
        # Not while a sync seals anew what waits: one thing would be said in two envelopes.
        with alone(desk.home.sending, _OTHER_SECONDS) as is_mine:
            if is_mine:
                outcome = _deliver_in_turn(desk, envelope)
    except (ServerUnreachable, ServerMalformed, ServerRefused):
        # It is kept, so it was said: nobody is told that it was not, or they would say it again.
        # Why the server has not taken it is told by the next sync, or by an alarm in the case.
        return False
    return outcome == _TAKEN


def _deliver_in_turn(desk: Desk, envelope: Envelope) -> str:
    """Send what waits of the case, as it is and in its order, up to this envelope.

    What is not taken may be sealed anew by the next sync, under another hash: what names it waits
    until then, or it would be left, on every desk and for good, naming what is nowhere.
    """
    waiting = [one for one in desk.store.unposted() if one.case == envelope.case]
    for one in _in_order(desk, waiting):
        outcome = _deliver(desk, one)
        if one.id == envelope.id or outcome == _WAITS:
            return outcome
    return _WAITS


def _deliver(desk: Desk, envelope: Envelope) -> str:
    try:
        desk.client.post(envelope, _parts(desk, envelope))
    except ServerRefused as refused:
        if refused.status >= _SERVER_FAILED or refused.code in _SEAL_ANEW:
            # Not this envelope's fault: it waits, and is sealed anew under the next roster or day.
            return _WAITS
        if refused.status == _UNAUTHORIZED:
            raise
        desk.store.shout(_refusal(envelope))
        return _REFUSED
    desk.store.mark_posted(envelope.id)
    desk.store.quieten(_refusal(envelope))
    return _TAKEN


def _refusal(envelope: Envelope) -> Alarm:
    return Alarm(Sign.ANSWER_REFUSED, envelope.case.hex(), envelope.id.hex())


def _in_order(desk: Desk, waiting: Sequence[Envelope]) -> list[Envelope]:
    by_hash = {one.header.hash: one for one in waiting}
    nodes = [
        Node(name, one.header.day, desk.opener.signed(one).parents) for name, one in by_hash.items()
    ]
    return [by_hash[node.hash] for node in ordered(nodes)]


def _sealed_anew(desk: Desk, one: Envelope, renamed: dict[HeaderHash, HeaderHash]) -> Envelope:
    """The envelope itself while the server would take it, else the same words in a new one."""
    signed = desk.opener.signed(one)
    parents = tuple(renamed.get(parent, parent) for parent in signed.parents)
    roster = desk.trust.in_force(desk.today())
    header = one.header
    content = _content(desk, one)
    # A copy that was put in quarantine meanwhile, or was spoilt here, goes out without its bytes.
    is_whole = content is not None or not one.sizes
    same = (header.roster_hash, header.day, parents) == (roster.hash, desk.today(), signed.parents)
    if same and is_whole:
        return one
    reply_key = None
    if one.kind is Kind.REPLY:
        reply_key = _certain(Cases(desk).find(one.case.hex()))
    fresh = _sealed(
        desk, one.kind, one.case, _body(desk, one, signed), parents=parents, reply_key=reply_key,
        content=content,
    )  # fmt: skip
    renamed[header.hash] = fresh.header.hash
    return fresh


def _parts(desk: Desk, envelope: Envelope) -> list[bytes]:
    numbers = range(1, len(envelope.sizes) + 1)
    return [desk.store.part_path(envelope.id, number).read_bytes() for number in numbers]


def _content(desk: Desk, one: Envelope) -> bytes | None:
    """What an entry's envelope carries, opened to be sealed anew; None where nothing may be."""
    if not one.sizes:
        return None
    try:
        found = open_evidence(desk, Cases(desk).find(one.case.hex()), one.id.hex())
        return b"".join(found.whole())
    except (NoSuchEvidence, EvidenceUnsound):
        return None


def _body(desk: Desk, one: Envelope, signed: SignedManifest) -> bytes:
    """The same words; an answer bears the day on which it goes out, as its envelope does."""
    body = signed.body.encode()
    if one.kind is not Kind.REPLY:
        return body
    return replace(ReplyBody.from_json(body), author_day=desk.today()).to_json()
