"""What one code has to show: the answers that it opens and whose signature holds, and the status.

A code that has nothing to show (unknown, new, without an answer, withdrawn, expired) costs the same
work at every step, a write included.  Claim C-ALIKE.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from crypto.body import open_manifest
from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.ids import EnvelopeId, HeaderHash, date_of
from crypto.manifest import ReplyBody
from crypto.signed import SignedManifest
from crypto.wrap import has_receipt_wrap
from gateway.looking import look_at
from vault.errors import ThreadMoved

if TYPE_CHECKING:
    from crypto.ids import CaseId, Day, Kid, WordId
    from crypto.receipt import ReceiptKeys
    from crypto.roster import Roster
    from gateway.site.context import Site
    from vault.outside import StoredEnvelope

STATUS_WORDS = {
    "received": ("status.received", "status.received_means"),
    "examined": ("status.examined", "status.examined_means"),
    "question": ("status.question", "status.question_means"),
    "sent": ("status.sent", "status.sent_means"),
    "closed": ("status.closed", "status.closed_means"),
}


@dataclass(frozen=True, slots=True)
class ShownReply:
    """An operator's answer that was opened and whose signature holds; ``status`` may be empty."""

    day: str
    text: str = field(repr=False)
    hash: HeaderHash
    parents: tuple[HeaderHash, ...]
    author_day: Day
    status: str = field(default="", repr=False)
    word: tuple[Kid, WordId] | None = None
    """Its author's key id and its own id, which it keeps when it is sealed anew."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one code has to show; ``case`` is its own, or the one a first message would open.

    ``read`` are the answers that the page speaks of, those that could not be verified too.
    """

    case: CaseId
    replies: tuple[ShownReply, ...] = ()
    unproven: int = 0
    used: str = ""
    read: tuple[EnvelopeId, ...] = ()

    @property
    def status(self) -> ShownReply | None:
        """The newest status: of the highest day, and on one day the last in their order."""
        said = [one for one in self.replies if one.status]
        return (
            max(enumerate(said), key=lambda one: (one[1].author_day, one[0]))[1] if said else None
        )


def visit(site: Site, keys: ReceiptKeys) -> Visit:
    """Read what a code may see; the same work whether there is a case.  Raises NoValidRoster."""
    roster = site.roster()
    row = site.vault.case_by_locator(keys.locator)
    # All pages of one code agree on its case, also while there is none: were it drawn for each,
    # files of one page would be lost once another had sent, and only where a code is unknown.
    case = keys.first_case_id if row is None else row.case_id
    look = look_at(keys, row, site.clock.today())
    kept = site.vault.envelopes_of(case, {Kind.REPLY})
    readable = [one for one in kept if not look.before.withdrawn and _is_for_receipt(one)]
    replies = [_opened(one, keys, roster) for one in readable]
    proven = tuple(reply for reply in replies if reply is not None)
    used = date_of(look.before.last_used).isoformat() if proven else ""
    with suppress(ThreadMoved):  # another page of the same person was faster
        site.vault.touch_thread(
            None if row is None else case, old_state=look.old, new_state=look.new
        )
    return Visit(
        case,
        in_order(once(proven)),
        len(replies) - len(proven),
        used,
        tuple(one.id for one in readable),
    )


def _is_for_receipt(envelope: StoredEnvelope) -> bool:
    """Whether the reporter did not have their copy deleted; what is malformed was not."""
    try:
        return has_receipt_wrap(envelope.header, envelope.wraps)
    except CryptoError:
        return True


def _opened(envelope: StoredEnvelope, keys: ReceiptKeys, roster: Roster) -> ShownReply | None:
    """Open one reply and prove who wrote it; None where that cannot be proven.

    Or where it cannot be shown: one reply that makes no sense must not take the others, and the
    whole conversation, with it.
    """
    header = envelope.header
    try:
        data_key = keys.open_reply(header, envelope.wraps)
        signed = SignedManifest.from_json(open_manifest(data_key, header, envelope.manifest))
        author = roster.operator_of(signed.signer)
        if author is None:
            return None
        body = signed.verify(header, author.sign, keys.reply_public.kid)
        reply = ReplyBody.from_json(body)
        return ShownReply(
            date_of(reply.author_day).isoformat(),
            reply.text,
            header.hash,
            signed.parents,
            reply.author_day,
            reply.status or "",
            None if reply.word is None else (signed.signer, reply.word),
        )
    except Exception:  # noqa: BLE001 whatever is wrong in what another machine made
        return None


def once(replies: tuple[ShownReply, ...]) -> tuple[ShownReply, ...]:
    """Of an answer that was sealed anew and came twice, the last; whoever names one names that.

    The vault can have had the first and have said that it had not (crypto/FORMAT.md, section 8).
    """
    last: dict[object, ShownReply] = {}
    for one in sorted(replies, key=lambda one: (one.author_day, one.hash)):
        last[_words(one)] = one
    leads = {one.hash: last[_words(one)].hash for one in replies}
    return tuple(
        replace(one, parents=tuple(leads.get(parent, parent) for parent in one.parents))
        for one in last.values()
    )


def _words(one: ShownReply) -> object:
    """What two envelopes of one answer have in common; of one without an id, its own hash."""
    return one.hash if one.word is None else (one.word, one.text, one.status)


def in_order(replies: tuple[ShownReply, ...]) -> tuple[ShownReply, ...]:
    """Earlier days first; within a day, a reply after those that it names as its parents.

    Each is looked at once: a colleague who writes thousands to one code holds no thread with them.
    """
    waiting = {reply.hash: reply for reply in replies}
    before = {one.hash: waiting.keys() & one.parents for one in waiting.values()}
    after: dict[HeaderHash, list[HeaderHash]] = {}
    for name, parents in before.items():
        for parent in parents:
            after.setdefault(parent, []).append(name)
    by_day = sorted((one.author_day, one.hash) for one in waiting.values())
    free = [key for key in by_day if not before[key[1]]]  # sorted, and so a heap
    # Hashes cannot name each other in a circle, but one that came twice leads where its last does:
    # of those that wait for each other the earliest goes first, and all are shown all the same.
    stuck = iter(by_day)
    ordered: list[ShownReply] = []
    while waiting:
        _, name = heappop(free) if free else next(key for key in stuck if key[1] in waiting)
        ordered.append(waiting.pop(name))
        for child in after.get(name, ()):
            before[child].discard(name)
            if not before[child] and child in waiting:
                heappush(free, (waiting[child].author_day, child))
    return tuple(ordered)
