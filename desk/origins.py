"""What began a case, where whoever runs the server can put others beside it.

Rule: whatever lies beside it, a report that opens here is shown, and the worst danger that one of
them tells of counts.  No more than one of them is answered, and only where this desk can tell it
from the others.  A message to an unused code begins a case, too, and is not taken away either.

```
pinned, and it opens     it is the one: it was here, alone, before any other was seen
the only one that opens  it is the one, and is pinned, unless one that does not open may be the
                         true one: the pinned one, spoilt since; one from before this desk's time;
                         or a message of other keys was here before it was pinned
several that open        none is answered, and those that tell of danger come first
a message, and no        its keys are the case's, and it is pinned: a report with the same two is
report that opens        the report, one with others is beside it, one that does not open is nothing
messages of several      all are shown, and none is answered
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.manifest import FollowUpBody
from desk.form_ids import DANGERS
from desk.opening import NotForUs, Unopened
from desk.order import Node
from desk.sealed_for import may_be_for_others
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crypto.ids import CaseId, EnvelopeId
    from crypto.keys import ReplyPublicKey, SigningPublicKey
    from crypto.manifest import ReportManifest
    from crypto.strict_json import Json
    from desk.desk import Desk
    from desk.opening import Opener
    from desk.sealed_for import Reader
    from desk.store import Envelope, Store

WRITERS_MOST = 500
"""Writers of one case whose messages are shown at most, where nobody can tell whose it is."""
SHOWN_MOST = 50
"""Reports of one case that are shown at most: whoever runs the server can seal any number."""
_AT_A_TIME = 250

BESIDE = Sentence(
    "More than one report opens in this case, and one of them was put here by somebody else. "
    "Answers go to the first alone: it was here, and could be opened, before any other. The others "
    "are shown, too, and their danger counts; files that they alone name are not shown. Ask a "
    "colleague which report their desk shows first."
)
UNSURE = Sentence(
    "More than one report opens in this case, and nobody here can say which is the reporter's: "
    "somebody else put the others here. All are shown, and the worst danger counts. None is "
    "answered from this desk, because the answer might reach a forger: ask a colleague whose desk "
    "had one of them before the others came to answer it."
)
DOUBTED = Sentence(
    "One report of this case opens here, and another one, which does not, may be the reporter's. "
    "None is answered from this desk, because the answer might reach a forger: ask a colleague "
    "whose desk opens both to answer it."
)
AFTER_A_MESSAGE = Sentence(
    "This case began with a message, before any report was here, and no report in it is known to "
    "come from whoever wrote that. Answers go to the writer of the message alone. The reports are "
    "shown, too, and their danger counts, but no files that they name: somebody else may have put "
    "them here. Ask a colleague what their desk shows first."
)
SEVERAL_WROTE = Sentence(
    "Several people wrote in this case, and nobody here can say which of them is the reporter: "
    "somebody else put something here. All of it is shown, and the worst danger counts. None is "
    "answered from this desk, because the answer might reach a forger: ask a colleague what their "
    "desk shows first."
)


class Pin(NamedTuple):
    """What was in a case before any other (a report, or a message), and whether it ever opened."""

    envelope: EnvelopeId
    has_opened: bool


class Keys(NamedTuple):
    """A receipt's two: its messages are signed with the one, its answers sealed to the other."""

    follow_up: SigningPublicKey
    reply: ReplyPublicKey


class Told(NamedTuple):
    """A report that opens here."""

    envelope: Envelope
    manifest: ReportManifest

    @property
    def keys(self) -> Keys:
        """From the sealed manifest, and from nowhere else."""
        return Keys(self.manifest.follow_up_key, self.manifest.reply_key)


class Message(NamedTuple):
    """A message that opens here, and is signed with the key that it names itself."""

    envelope: Envelope
    keys: Keys


class Proof(NamedTuple):
    """Whose a message is that is signed with this key, and whether the case is theirs for sure."""

    of: EnvelopeId
    keys: Keys
    is_own: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What began a case; of its reports that open here, the reporter's is before all others."""

    told: tuple[Told, ...] = field(default=(), repr=False)
    is_sure: bool = False
    """Whether it is known whose keys are those of the case."""
    spoilt: tuple[EnvelopeId, ...] = ()
    """Those that name this desk and do not open."""
    message: Message | None = field(default=None, repr=False)
    """What began it in the place of a report, while none has the same keys."""
    claims: tuple[Message, ...] = field(default=(), repr=False)
    """The first of each writer's messages that no report here explains, where nothing is sure."""

    @property
    def first(self) -> Told | None:
        """The report; or the one that is shown first, where nobody can tell which it is."""
        return self.told[0] if self.told and self.message is None else None

    @property
    def keys(self) -> Keys | None:
        """The case's, where they are known."""
        if self.message is not None:
            return self.message.keys
        return self.told[0].keys if self.is_sure else None

    @property
    def equal(self) -> tuple[Told, ...]:
        """The one; or all of them, where nobody here can tell which it is."""
        if self.message is not None:
            return ()
        return self.told[:1] if self.is_sure else self.told

    @property
    def others(self) -> tuple[Told, ...]:
        """Those that are shown beside the first."""
        return self.told[self.first is not None : SHOWN_MOST]

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """By whom a message can be signed: as many as are shown, the case's own before others."""
        began = self.message
        own = () if began is None else (Proof(began.envelope.id, began.keys, is_own=True),)
        sure = self.first if self.is_sure else None
        beside: tuple[Told | Message, ...] = (*self.told[:SHOWN_MOST], *self.claims)
        others = (Proof(one.envelope.id, one.keys, is_own=one is sure) for one in beside)
        return (*own, *others)

    @property
    def unshown(self) -> int:
        """How many there are besides."""
        return max(0, len(self.told) - SHOWN_MOST)

    @property
    def words(self) -> Sentence | None:
        """What an operator must know of them before they act; None where there is nothing odd."""
        if self.message is not None:
            return AFTER_A_MESSAGE if self.told else None
        if self.is_sure:
            return BESIDE if len(self.told) > 1 else None
        if self.claims and len(self.told) + len(self.claims) > 1:
            return SEVERAL_WROTE
        return (UNSURE if len(self.told) > 1 else DOUBTED) if self.told else None

    @property
    def is_odd(self) -> bool:
        """Whether a report lies in it that is not known to be the reporter's."""
        return bool(self.told) and self.words is not None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What whoever reads the case has read of them, for what is written from then on."""
        headers = [one.envelope.header for one in self.told]
        return tuple(Node(one.hash, one.day, ()) for one in headers)

    @property
    def in_danger(self) -> bool:
        """Whether any of them speaks of danger."""
        return any(in_danger(one.manifest.fields) for one in self.told)


def origin_of(
    reader: Reader, reports: Sequence[Envelope], follow_ups: Sequence[Envelope], pin: Pin | None
) -> Origin:
    """Open a case's reports, and tell which of them is the one.

    Of `follow_ups` no more are opened than the one that is pinned, where what is pinned opens.
    """
    opener, pinned = reader.opener, pin.envelope if pin else None
    told: list[Told] = []
    spoilt: list[EnvelopeId] = []
    message, rivals = _pinned_message(opener, follow_ups, pinned)
    for one in reports:
        try:
            told.append(Told(one, opener.report(one)))
        except NotForUs:
            # It may be the true one, and not ours to read.
            rivals += may_be_for_others(reader, one.header)
        except Unopened:
            spoilt.append(one.id)
            # What never opened stands in nobody's way.
            rivals += pin is not None and pin.has_opened and one.id == pinned
    if message is not None:
        alike = [one.envelope.id for one in told if one.keys == message.keys]
        if len(alike) == 1:
            message, pinned = None, alike[0]
    told.sort(
        key=lambda one: (
            one.envelope.id != pinned, not in_danger(one.manifest.fields), one.envelope.id,
        )
    )  # fmt: skip
    if message or (told and told[0].envelope.id == pinned):
        return Origin(tuple(told), True, tuple(spoilt), message)  # noqa: FBT003  # is_sure
    claims = _claims(opener, follow_ups, {one.keys.follow_up.raw for one in told})
    if not told and len(claims) == 1 and not rivals:
        return Origin((), True, tuple(spoilt), claims[0])  # noqa: FBT003  # is_sure
    is_only = len(told) == 1 and not rivals and not claims
    return Origin(tuple(told), is_only, tuple(spoilt), claims=() if is_only else claims)


def _pinned_message(
    opener: Opener, follow_ups: Iterable[Envelope], pinned: EnvelopeId | None
) -> tuple[Message | None, int]:
    """The message that began a case; and 1 where one did, and does not open here any more."""
    of_pin = next((one for one in follow_ups if one.id == pinned), None)
    message = None if of_pin is None else _vouching(opener, of_pin)
    return message, int(of_pin is not None and message is None)


def _claims(
    opener: Opener, follow_ups: Iterable[Envelope], known: Collection[bytes]
) -> tuple[Message, ...]:
    """The first message of each writer whose key is none of those that are known."""
    found: dict[bytes, Message] = {}
    for one in sorted(follow_ups, key=lambda one: (one.header.day, one.id)):
        message = _vouching(opener, one)
        if message is not None and message.keys.follow_up.raw not in known:
            found.setdefault(message.keys.follow_up.raw, message)
    return tuple(found.values())[:WRITERS_MOST]


def _vouching(opener: Opener, one: Envelope) -> Message | None:
    try:
        signed = opener.signed(one)
        body = FollowUpBody.from_json(signed.body.encode())
        signed.verify(one.header, body.follow_up_key, opener.kid)
    except (Unopened, CryptoError):
        return None
    return Message(one, Keys(body.follow_up_key, body.reply_key))


def pins(store: Store) -> dict[CaseId, Pin]:
    """Of each case, what is known of the report or the message that began it."""
    alone = {case: Pin(one, has_opened=False) for case, one in store.firsts().items()}
    return alone | {case: Pin(one, has_opened=True) for case, one in store.origins().items()}


def pin(desk: Desk) -> None:
    """Remember what began each case, wherever this desk can tell: what comes later did not.

    A report that stands alone is noted, and opened by whoever reads its case: a sync of ten
    thousand takes no time for that.
    """
    store, known = desk.store, pins(desk.store)
    reports, messages = store.of_kind(Kind.REPORT), store.of_kind(Kind.FOLLOW_UP)
    alone = {
        case: ids[0]
        for case, ids in reports.items()
        if len(ids) == 1 and case not in known and case not in messages
    }
    store.note_firsts(alone)
    settled = {case for case, one in known.items() if reports.get(case, []) in ([], [one.envelope])}
    cases = [case for case in {**reports, **messages} if case not in settled and case not in alone]
    for start in range(0, len(cases), _AT_A_TIME):
        some = cases[start : start + _AT_A_TIME]
        names = {name for case in some for name in reports.get(case, ())}
        for case in some:
            # What is pinned may be a message: then that is opened, and no other.
            names.update([known[case].envelope] if case in known else messages.get(case, ()))
        origins = {
            case: origin_of(
                desk, [one for one in ones if one.kind is Kind.REPORT],
                [one for one in ones if one.kind is Kind.FOLLOW_UP], known.get(case),
            )
            for case, ones in _by_case(store.some(sorted(names))).items()
        }  # fmt: skip
        settle(desk, origins)


def _by_case(envelopes: Iterable[Envelope]) -> dict[CaseId, list[Envelope]]:
    found: dict[CaseId, list[Envelope]] = {}
    for one in envelopes:
        found.setdefault(one.case, []).append(one)
    return found


def settle(desk: Desk, read: Mapping[CaseId, Origin]) -> None:
    """Remember of cases that were read what began them, where this desk can tell."""
    began = {case: one.message or one.first for case, one in read.items() if one.is_sure}
    desk.store.pin_origins({case: one.envelope.id for case, one in began.items() if one})


def in_danger(fields: Mapping[str, Json]) -> bool:
    """Whether a report speaks of danger to life, a minor, or self-harm; unsure counts."""
    return any(_says(fields.get(name), values) for name, values in DANGERS.items())


def _says(answer: Json, values: frozenset[str]) -> bool:
    """Whether an answer, or one of several, is one of these."""
    several = answer if isinstance(answer, list) else [answer]
    return any(isinstance(one, str) and one in values for one in several)
