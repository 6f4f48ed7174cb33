"""Send what was written here: as it is, or sealed anew where the server would not take it so.

Rule: what the server has not taken waits, and everything that its case has after it waits with it:
what names it would be left, on every desk and for good, naming what is nowhere.  The server refuses
what is sealed under an old roster or on another day, so what waited too long is opened, signed and
sealed anew, a case at a time: all of it or none.  Whatever is wrong with one is said in its case,
and keeps back no other case.  Small things go before large ones: what a line lets through, it gets.

What does not open here any more never goes out, nor what names it; what is written after that
names neither, and goes.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.header import Kind
from crypto.manifest import FollowUpBody, ReplyBody
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.delivery import (
    REFUSED,
    TAKEN,
    TROUBLES,
    WAITS,
    alarm_of,
    deliver,
    in_order,
    quieten,
    readable,
    shout,
)
from desk.errors import (
    AlreadySyncing,
    EvidenceUnsound,
    FileQuarantined,
    NoSuchEvidence,
    ServerMalformed,
    ServerRefused,
    ServerUnreachable,
)
from desk.evidence import open_evidence
from desk.locks import alone
from desk.opening import Unopened
from desk.sealing import discard, sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crypto.ids import CaseId, HeaderHash
    from crypto.keys import ReplyPublicKey
    from crypto.signed import SignedManifest
    from desk.desk import Desk
    from desk.store import Envelope

OTHER_SECONDS = 10.0
"""For another program of this desk that sends, one waits so long."""

_BREAKS_ASKED = 2
"""After so many breaks in a row something small is asked for: whether the line is there at all."""
_Broken = ServerUnreachable | ServerMalformed
_GONE = {errno.EIO, errno.EISDIR, errno.ENOENT, errno.ENOTDIR}


@dataclass(slots=True)
class Sent:
    """What went out, what still waits, and what is wrong with some of that.

    `broken` is how the connection broke, where not even something small came through it then.
    """

    posted: int = 0
    waiting: int = 0
    alarms: list[Alarm] = field(default_factory=list)
    broken: _Broken | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """What waits, and what is to be sent for it: itself, or sealed anew, or nothing today."""

    one: Envelope
    fresh: Envelope | None
    has_lost_copy: bool = False


def send_waiting(desk: Desk, *, anew: bool = True) -> Sent:
    """Send what waits, parents first; part of a sync.

    Args:
        desk: whose words wait.
        anew: whether anything may be sealed anew: not where this desk could not read to its end
            what the server has, for the server may have taken it, and would have it twice.

    Raises:
        ServerRefused: the server does not accept this desk's key.
        AlreadySyncing: another program of this desk is sending.
    """
    with alone(desk.home.sending, OTHER_SECONDS) as is_mine:
        if not is_mine:
            raise AlreadySyncing("Another program of this desk is sending. Sync again in a minute.")
        return _Round(desk, anew=anew).run()


@dataclass(slots=True)
class _Round:
    """One sending of all that waits."""

    desk: Desk
    anew: bool
    sent: Sent = field(default_factory=Sent)
    _held_up: set[CaseId] = field(default_factory=set)
    _never: set[HeaderHash] = field(default_factory=set)
    _broke: list[tuple[Envelope, _Broken]] = field(default_factory=list)
    """Those at which the connection broke, one after the other, and whose doing that is unknown."""

    def run(self) -> Sent:
        ready, lost = self._made_ready()
        for one in lost:
            self._never.add(one.header.hash)
            self.sent.waiting += 1
            self._say(Sign.WRITTEN_LOST, one)
        for each in _small_first(ready):
            outcome = self._outcome(each)
            self.sent.posted += outcome == TAKEN
            self.sent.waiting += outcome != TAKEN
        if self._broke and self.sent.broken is None:
            self._ask_for_the_line()
        return self.sent

    def _outcome(self, each: _Ready) -> str:
        fresh = each.fresh
        if fresh is None:
            self._held_up.add(each.one.case)
            return WAITS
        if fresh is not each.one:
            quieten(self.desk, each.one)
        if each.has_lost_copy:
            self._say(Sign.COPY_LOST, fresh)
        if not self._never.isdisjoint(self.desk.opener.signed(fresh).parents):
            self._never.add(fresh.header.hash)
            return WAITS
        if fresh.case in self._held_up or self.sent.broken:
            return WAITS
        outcome = self._tried(fresh)
        if outcome != TAKEN:
            # It may be sealed anew: what answers it waits with it, and learns its new name.
            self._held_up.add(fresh.case)
            self._repeat(fresh)
        return outcome

    def _tried(self, fresh: Envelope) -> str:
        try:
            outcome = deliver(self.desk, fresh)
        except (ServerUnreachable, ServerMalformed) as broken:
            # It may be this envelope's size, or somebody who lets this very one not through; and
            # another of the same size, or of the same desk, may be the next.
            self._broke.append((fresh, broken))
            if len(self._broke) >= _BREAKS_ASKED:
                self._ask_for_the_line()
            return WAITS
        if outcome in {TAKEN, REFUSED}:
            self._line_is_there()
        return outcome

    def _ask_for_the_line(self) -> None:
        """Whether it is the connection: then something small does not come, either."""
        try:
            self.desk.client.roster()
        except (ServerUnreachable, ServerMalformed, ServerRefused):
            _, self.sent.broken = self._broke[-1]
        else:
            self._line_is_there()

    def _line_is_there(self) -> None:
        """So those at which it broke are not let through, and their cases say it."""
        for one, _ in self._broke:
            self._say(Sign.NOT_LET_THROUGH, one)
        self._broke.clear()

    def _say(self, sign: Sign, one: Envelope) -> None:
        shout(self.desk, sign, one)
        self._repeat(one, sign)

    def _repeat(self, one: Envelope, sign: Sign | None = None) -> None:
        """Tell the sync, too, what stands in the case about an envelope."""
        signs = (sign,) if sign else TROUBLES
        about = {alarm_of(each, one) for each in signs}
        about -= set(self.sent.alarms)
        self.sent.alarms += [alarm for alarm in self.desk.store.alarms() if alarm in about]

    # --- what waits, made ready

    def _made_ready(self) -> tuple[list[_Ready], list[Envelope]]:
        while True:
            waiting = self.desk.store.unposted()
            opened, lost = readable(self.desk, waiting)
            by_case: dict[CaseId, list[Envelope]] = {}
            for one in in_order(self.desk, opened):
                by_case.setdefault(one.case, []).append(one)
            ready = [each for ones in by_case.values() for each in self._of_case(ones)]
            # All in one step, before any is sent: what answers another would otherwise be left, by
            # a desk that ends here, naming something that is nowhere any more.  So would what
            # another program wrote meanwhile: then all of it is made ready once more.
            pairs = [
                (each.one.id, each.fresh)
                for each in ready
                if each.fresh is not None and each.fresh is not each.one
            ]
            is_done = False
            try:
                is_done = self.desk.store.exchange(pairs, frozenset(one.id for one in waiting))
            finally:
                if not is_done:
                    discard(self.desk, _fresh(ready))
            if is_done:
                return ready, lost

    def _of_case(self, waiting: Sequence[Envelope]) -> list[_Ready]:
        """What waits in one case, in its order: sealed anew where it must be, all of it or none."""
        if self.anew:
            renamed: dict[HeaderHash, HeaderHash] = {}
            ready: list[_Ready] = []
            for one in waiting:
                try:
                    ready.append(_sealed_anew(self.desk, one, renamed))
                except Exception:  # noqa: BLE001  # whatever is wrong with one stays its own
                    discard(self.desk, _fresh(ready))
                    if not _is_of_today(self.desk, one):
                        self._say(Sign.SENDING_FAILED, one)
                    break
            else:
                return ready
        return [_Ready(one, one if _is_of_today(self.desk, one) else None) for one in waiting]


def _small_first(ready: Iterable[_Ready]) -> list[_Ready]:
    """By size, across cases; what comes after a large one in its own case waits for that."""
    largest: dict[CaseId, int] = {}
    sized: list[tuple[int, _Ready]] = []
    for each in ready:
        one = each.fresh or each.one
        size = max(largest.get(one.case, 0), one.weight + sum(one.sizes))
        largest[one.case] = size
        sized.append((size, each))
    return [each for _, each in sorted(sized, key=itemgetter(0))]


def _fresh(ready: Iterable[_Ready]) -> list[Envelope]:
    """Those that were sealed anew."""
    return [each.fresh for each in ready if each.fresh and each.fresh is not each.one]


# --- sealing anew


def _is_of_today(desk: Desk, one: Envelope) -> bool:
    """Whether the server takes it as it is, by its roster and its day."""
    roster = desk.trust.in_force(desk.today())
    return (one.header.roster_hash, one.header.day) == (roster.hash, desk.today())


def _sealed_anew(desk: Desk, one: Envelope, renamed: dict[HeaderHash, HeaderHash]) -> _Ready:
    """The envelope itself while the server would take it, else the same words in a new one."""
    signed = desk.opener.signed(one)
    parents = tuple(renamed.get(parent, parent) for parent in signed.parents)
    content, is_lost = _content(desk, one)
    # A copy that was put in quarantine meanwhile, or was spoilt here, goes out without its bytes.
    is_whole = content is not None or not one.sizes
    if _is_of_today(desk, one) and parents == signed.parents and is_whole:
        return _Ready(one, one)
    reply_key = _reply_key(desk, one, signed) if one.kind is Kind.REPLY else None
    fresh = sealed(
        desk, one.kind, one.case, _body(desk, one, signed), parents=parents, reply_key=reply_key,
        content=content,
    )  # fmt: skip
    renamed[one.header.hash] = fresh.header.hash
    return _Ready(one, fresh, is_lost)


def _reply_key(desk: Desk, one: Envelope, signed: SignedManifest) -> ReplyPublicKey:
    """The one that the answer was first sealed to, and never another.

    Whoever makes a case's key uncertain later, or another one, neither gets the answer, nor keeps
    it here.  An operator's own key, which is among the recipients, is no reporter's.
    """
    roster = desk.trust.named(one.header.roster_hash)
    operators = set() if roster is None else {key.kid for key in roster.evidence_keys()}
    for key in _keys_said(desk, one.case):
        if key.kid in signed.recipients and key.kid not in operators:
            return key
    raise Unopened


def _keys_said(desk: Desk, case: CaseId) -> Iterator[ReplyPublicKey]:
    for one in desk.store.of_case(case):
        with suppress(Unopened, CryptoError):
            if one.kind is Kind.REPORT:
                yield desk.opener.report(one).reply_key
            elif one.kind is Kind.FOLLOW_UP:
                yield FollowUpBody.from_json(desk.opener.signed(one).body.encode()).reply_key


def _content(desk: Desk, one: Envelope) -> tuple[bytes | None, bool]:
    """What an entry's envelope carries, opened to be sealed anew, and whether it is lost.

    None where it has nothing, or nothing that may be sealed: what is in quarantine is not lost.
    """
    if not one.sizes:
        return None, False
    try:
        found = open_evidence(desk, Cases(desk).find(one.case.hex()), one.id.hex())
        return b"".join(found.whole()), False
    except FileQuarantined:
        return None, False
    except (NoSuchEvidence, EvidenceUnsound):
        return None, True
    except OSError as trouble:
        if trouble.errno not in _GONE:
            raise
        return None, True


def _body(desk: Desk, one: Envelope, signed: SignedManifest) -> bytes:
    """The same words; an answer bears the day on which it goes out, as its envelope does."""
    body = signed.body.encode()
    if one.kind is not Kind.REPLY:
        return body
    return replace(ReplyBody.from_json(body), author_day=desk.today()).to_json()
