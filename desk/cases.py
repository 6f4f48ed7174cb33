"""A case as an operator reads it: the report, what was said since, and what was done.

Rule: a case is made of what desk.verify found genuine, and of nothing else; its state is
the fold of its signed entries.  Nothing here is written to a disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.header import Kind
from crypto.ids import date_of
from desk import acts, unread, whose
from desk.alarms import Alarm, Sign
from desk.clocks import clocks, next_due
from desk.errors import AmbiguousCase, NoSuchCase
from desk.fold import FOUR_EYES, fold
from desk.next_word import next_word
from desk.order import Node, known_to, ordered
from desk.origins import pins
from desk.quarantine import unfounded
from desk.sentence import Sentence, Several
from desk.unread import reading
from desk.verify import Entry, FollowUp, Genuine, Judge, Named, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crypto.ids import CaseId, Day, EnvelopeId, HeaderHash
    from crypto.keys import ReplyPublicKey
    from crypto.manifest import ReportManifest
    from crypto.strict_json import Json
    from desk.clocks import Due
    from desk.desk import Desk
    from desk.fold import Work
    from desk.next_word import NextWord
    from desk.origins import Origin, Pin
    from desk.progress import Progress
    from desk.store import Envelope

REF_DIGITS = 8
_AT_A_TIME = 250
_NAMED = ("contact_only", "full_identity")
_WORDS = (Kind.ENTRY, Kind.REPLY)


@dataclass(frozen=True, slots=True)
class Case:
    """One case.  `alarms` holds those of the case alone; `timeline` is parents first."""

    id: CaseId
    day: Day
    origin: Origin
    timeline: tuple[FollowUp | Reply | Entry, ...]
    files: tuple[Named, ...]
    identities: tuple[Named, ...]
    alarms: tuple[Alarm, ...]
    work: Work
    priority: str
    clocks: tuple[Due, ...]
    unanswered: bool
    readable: bool
    next_word: NextWord
    reply_key: ReplyPublicKey | None = field(repr=False)
    known: frozenset[EnvelopeId] = field(repr=False)
    """All that this desk held of it when it was read."""

    @property
    def seen(self) -> str:
        """A name for all that was held and shown of it when it was read: its forms bear that.

        What was held and did not open may open later (desk.renewal): then it was not shown.
        """
        told = (*sorted(self.known), *sorted(one.node.hash for one in self.timeline))
        reports = (one.envelope.header.hash for one in self.origin.told)
        return hashlib.sha256(b"".join((*told, b"reports", *reports))).hexdigest()[:16]

    @property
    def report(self) -> ReportManifest | None:
        """The report; where nobody here can tell which is the one, the first of `origin`."""
        return self.origin.first.manifest if self.origin.first else None

    @property
    def report_id(self) -> EnvelopeId | None:
        """The envelope of that report."""
        return self.origin.first.envelope.id if self.origin.first else None

    @property
    def ref(self) -> str:
        """The first eight hex digits, in two groups: enough for a room, and easy to say."""
        digits = self.id.hex()[:REF_DIGITS]
        return f"{digits[:4]}-{digits[4:]}"

    @property
    def state(self) -> str:
        """Where the case stands, by the newest signed status."""
        return self.work.state

    @property
    def state_conflict(self) -> tuple[str, ...]:
        """The states that two desks set without knowing of each other, or none."""
        return self.work.states

    @property
    def told_category(self) -> str:
        """The category's id, by the reporter's own choice; empty without a report."""
        return self.report.category if self.report else ""

    @property
    def category(self) -> str:
        """The category's id as an operator confirmed it, or else by the reporter's choice."""
        return self.work.word(acts.CATEGORY) or self.told_category

    @property
    def assigned(self) -> str:
        """The operator whose case it is, or empty."""
        return self.work.word(acts.ASSIGNMENT)

    @property
    def due(self) -> Due | None:
        """The clock that runs out first of those that still run."""
        return next_due(self.clocks)

    @property
    def identity_mode(self) -> str:
        """`anonymous`, `contact_only`, `full_identity`, or empty without a report.

        The most that was given: with the report, or later from the conversation.
        """
        return whose.identity_mode(self.report, self.follow_ups)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody can be asked or called: no name and no contact was given."""
        return self.identity_mode not in _NAMED

    @property
    def later_identities(self) -> tuple[FollowUp, ...]:
        """The reporter's messages that brought a name or a contact, which custodians keep."""
        return tuple(whose.later_identities(self.follow_ups))

    @property
    def withdrawals(self) -> tuple[FollowUp, ...]:
        """The reporter's messages that ask that the case be erased."""
        return tuple(whose.withdrawals(self.origin, self.follow_ups))

    @property
    def follow_ups(self) -> tuple[FollowUp, ...]:
        """The messages of every type, the reporter's before those that lie beside (desk.whose)."""
        said = (one for one in self.timeline if isinstance(one, FollowUp))
        return whose.in_turn(self.origin, said)

    @property
    def public(self) -> Reply | None:
        """The answer whose status stands at the head of the reporter's page, as that page chooses.

        By its day; on one day, the one that comes last.
        """
        said = [one for one in self.replies if one.body.status]
        if not said:
            return None
        return max(enumerate(said), key=lambda one: (one[1].body.author_day, one[0]))[1]

    @property
    def public_status(self) -> str:
        """The status at the head of the reporter's page, or empty."""
        return (self.public.body.status or "") if self.public else ""

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The operators' answers that the reporter can read, parents first."""
        said = (one for one in self.timeline if isinstance(one, Reply))
        return tuple(one for one in said if not one.elsewhere)

    @property
    def heads(self) -> tuple[HeaderHash, ...]:
        """What the next entry names as its parents."""
        return self.next_word.heads

    @property
    def answers_to(self) -> tuple[HeaderHash, ...]:
        """What the next answer names as its parents."""
        return self.next_word.answers_to

    @property
    def fields(self) -> Mapping[str, Json]:
        """The form's answers by field id."""
        return self.report.fields if self.report else {}

    @property
    def danger(self) -> bool:
        """Whether any report of it speaks of danger to life, a minor, or self-harm."""
        return self.origin.in_danger

    @property
    def messages(self) -> tuple[FollowUp | Reply, ...]:
        """The conversation without the journal."""
        return tuple(one for one in self.timeline if not isinstance(one, Entry))

    def files_of(self, envelope: EnvelopeId | None) -> tuple[Named, ...]:
        """The files that one message (or the report) named."""
        return tuple(one for one in self.files if one.by == envelope)

    def number_of(self, envelope: EnvelopeId | None) -> int:
        """Which of the reporter's messages this is, from 1; 0 for the report itself."""
        asked = [one.envelope.id for one in self.follow_ups]
        return asked.index(envelope) + 1 if envelope in asked else 0


class Cases:
    """The cases on one desk.

    Envelopes are read first, and then what is believed by now: a sync that another program runs
    keeps a roster before what was signed under it, which so is never read without it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self, progress: Progress | None = None) -> tuple[Case, ...]:
        """Every case: urgent first, then unanswered, then the newest day."""
        read = reading(self._desk.store)
        by_case: dict[CaseId, list[Envelope]] = {}
        for one in self._desk.store.everything():
            by_case.setdefault(one.case, []).append(one)
        self._desk.trust.renew()
        stored = self._alarms()
        origins = pins(self._desk.store)
        half = unread.is_unread(self._desk.store, read)
        found: list[Case] = []
        for case, envelopes in by_case.items():
            if progress is not None and not len(found) % _AT_A_TIME:
                start, among = len(found), len(by_case)
                progress.step(
                    Sentence("Reading the cases ({start} of {all})", start=start, all=among)
                )
            of_case = origins.get(case), stored.get(case.hex(), ())
            found.append(self._case(case, envelopes, *of_case, half=half))
        return tuple(
            sorted(found, key=lambda one: (not one.danger, not one.unanswered, -one.day, one.id))
        )

    def chosen(self, cases: Sequence[CaseId]) -> Iterator[Case]:
        """These cases, as far as they are here, in no order; read some hundreds at a time."""
        stored, origins = self._alarms(), pins(self._desk.store)
        for start in range(0, len(cases), _AT_A_TIME):
            read = reading(self._desk.store)
            by_case: dict[CaseId, list[Envelope]] = {}
            for one in self._desk.store.of_cases(cases[start : start + _AT_A_TIME]):
                by_case.setdefault(one.case, []).append(one)
            self._desk.trust.renew()
            half = unread.is_unread(self._desk.store, read)
            for case, envelopes in by_case.items():
                of_case = origins.get(case), stored.get(case.hex(), ())
                yield self._case(case, envelopes, *of_case, half=half)

    def find(self, untrusted_ref: str) -> Case:
        """The case whose id begins so; dashes, spaces and capitals do not matter.

        Raises:
            NoSuchCase, AmbiguousCase: none, or several.
        """
        wanted = untrusted_ref.strip().lower().replace("-", "").replace(" ", "")
        matching = sorted(
            case for case in self._desk.store.cases() if wanted and case.hex().startswith(wanted)
        )
        if not matching:
            raise NoSuchCase(
                "No case here has that reference. `amana-desk list` shows those there are; "
                "`amana-desk sync` fetches what is new."
            )
        if len(matching) > 1:
            several = Several(", ", (case.hex()[:12] for case in matching[:5]))
            raise AmbiguousCase(
                Sentence("Several cases begin so: {cases}. Type more of it.", cases=several)
            )
        return self._one(matching[0])

    def with_draft(self, case: Case, draft: Envelope) -> Case:
        """A case as it will read once an envelope of this desk's own is kept in it."""
        return self._one(case.id, draft)

    def _one(self, case: CaseId, *drafts: Envelope) -> Case:
        read = reading(self._desk.store)
        envelopes = [*self._desk.store.of_case(case), *drafts]
        self._desk.trust.renew()
        pinned, stored = pins(self._desk.store).get(case), self._alarms()
        half = unread.is_unread(self._desk.store, read)
        return self._case(case, envelopes, pinned, stored.get(case.hex(), ()), half=half)

    def _alarms(self) -> dict[str, tuple[Alarm, ...]]:
        grouped: dict[str, list[Alarm]] = {}
        for alarm in self._desk.store.alarms():
            grouped.setdefault(alarm.case, []).append(alarm)
        return {case: tuple(alarms) for case, alarms in grouped.items()}

    def _case(
        self,
        case: CaseId,
        envelopes: Sequence[Envelope],
        pinned: Pin | None,
        stored: tuple[Alarm, ...],
        *,
        half: bool,
    ) -> Case:
        found = Judge.of(self._desk).judge(case, envelopes, pinned)
        read = _folded(found, envelopes, self._desk)
        odd = (*read.alarms, *unfounded(self._desk, read))
        told = unread.told(odd, half=half)
        return replace(read, alarms=tuple(sorted({*told, *stored})))


def desk_alarms(desk: Desk) -> tuple[Alarm, ...]:
    """The remembered alarms that belong to no case: about the server itself."""
    return tuple(sorted(one for one in desk.store.alarms() if not one.case))


def _folded(found: Genuine, envelopes: Sequence[Envelope], desk: Desk) -> Case:
    rules = desk.rules
    everything: tuple[FollowUp | Reply | Entry, ...] = (
        *found.follow_ups,
        *found.replies,
        *found.entries,
    )
    said = {one.node.hash: one for one in everything}
    nodes = {name: one.node for name, one in said.items()}
    nodes |= {one.hash: one for one in found.origin.nodes}
    # What is no operator's word is not missing, though nobody here opens it.
    others = [one.header for one in envelopes if one.kind not in _WORDS]
    here = {one.hash: Node(one.hash, one.day, ()) for one in others}
    whole = {**here, **nodes}
    timeline = tuple(said[node.hash] for node in ordered(whole.values()) if node.hash in said)
    # The acts stand as they do on every desk that holds the same, whatever of it opens there.
    alike = ordered({**nodes, **here}.values())
    acted = (said.get(node.hash) for node in alike)
    entries = [one for one in acted if isinstance(one, Entry)]
    anonymous = whose.identity_mode(found.report, found.follow_ups) not in _NAMED
    work = fold(entries, whole, rules, anonymous=anonymous, replies=found.replies)
    usual = rules.urgent if found.origin.in_danger else rules.usual
    priority = work.word(acts.PRIORITY) or usual
    day = _day(found, envelopes)
    return Case(
        id=found.case,
        day=day,
        origin=found.origin,
        timeline=timeline,
        files=tuple(found.files),
        identities=tuple(found.identities),
        alarms=(*found.alarms, *_about_acts(work)),
        work=work,
        priority=priority,
        clocks=clocks(rules, day, timeline, work, priority=priority, anonymous=anonymous),
        unanswered=_unanswered(found, nodes),
        readable=found.readable,
        next_word=next_word(timeline, nodes, work, desk.keyring.sign.public),
        reply_key=found.reply_key,
        known=frozenset(one.id for one in envelopes),
    )


def _day(found: Genuine, envelopes: Sequence[Envelope]) -> Day:
    told = [one.envelope for one in found.origin.equal]
    if found.origin.message:
        told = [found.origin.message.envelope]
    return min(one.header.day for one in told or envelopes)


def _about_acts(work: Work) -> tuple[Alarm, ...]:
    odd = (
        *((Sign.STATE_UNKNOWN, one) for one in work.unknown_states),
        *((Sign.ACT_MALFORMED, one) for one in work.malformed),
        *((Sign.FOUR_EYES, one.entry) for one in work.irregular if one.broke(FOUR_EYES)),
        *((Sign.FOUR_EYES_UNTOLD, one.entry) for one in work.untold if one.broke(FOUR_EYES)),
    )
    return tuple(Alarm(sign, one.envelope.case.hex(), one.envelope.id.hex()) for sign, one in odd)


def _unanswered(found: Genuine, nodes: Mapping[HeaderHash, Node]) -> bool:
    """Whether the reporter said something that whoever answered in words had not read."""
    said = (*found.origin.nodes, *(one.node for one in found.follow_ups))
    asked = {one.hash for one in said}
    # A status alone tells where the case stands; it answers nobody.
    worded = [one.node.hash for one in found.replies if one.body.text and not one.elsewhere]
    return not asked <= known_to(worded, nodes)


def iso(day: Day) -> str:
    """A day as `2026-11-22`, or its bare number where a forger wrote one beyond the calendar."""
    try:
        return date_of(day).isoformat()
    except OverflowError:
        return str(day)
