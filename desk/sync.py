"""Bring this desk and its server to the same set of envelopes, and shout when that fails oddly.

Rule: ciphertext is stored as it was received; a file counts as received only when the
digests of all its envelope's parts give the root in the header; what this desk once
saw, it does not forget because the server does.

```
(1) roster    fetch, verify against the pinned root, never backwards; those before it, too
(2) index     page by page, ordered by random ids: keep what is new, compare what is not
              (what came wrong first is renewed: desk.renewal)
(3) missing   what was there and is not there any more
(4) post      what was written here while the server was away, sealed anew where it must be
(5) parts     of what opens, each from where it broke off; proven whole, then renamed
```
(2) and (5) leave the last of the disk alone, (2) far less of it than (5) (desk.disk): what there
was no room for is told.
A cut at any byte leaves a state from which the next sync goes on.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from crypto.errors import CryptoError, EnvelopeMalformed
from crypto.header import Header, Kind
from crypto.wrap import parse_wraps
from desk import unread
from desk.alarms import Alarm, Sign
from desk.asked_for import keep_beside
from desk.damage import noted_number
from desk.delivery import has_arrived
from desk.disk import Disk
from desk.errors import AlreadySyncing, ServerMalformed
from desk.fetching import Fetching
from desk.held import Outside
from desk.locks import alone
from desk.origins import pin
from desk.patience import SyncLimits
from desk.renewal import Renewal, is_sealed
from desk.sealed_for import late_after, left_out
from desk.sending import send_waiting
from desk.store import Envelope
from desk.sync_report import SyncReport
from desk.trust import HISTORY_SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crypto.ids import EnvelopeId
    from desk.client import UntrustedEnvelope, UntrustedPage
    from desk.desk import Desk
    from desk.progress import Progress

__all__ = ["SyncReport", "synchronise"]

_OF_FIRST_SIGHT = (
    Sign.CANNOT_OPEN, Sign.FILE_DAMAGED, Sign.MISSING, Sign.PARTS_REFUSED, Sign.ROSTER_OUTDATED,
    Sign.ROSTER_UNKNOWN, Sign.WRAP_LEFT_OUT,
)  # fmt: skip
_WALKED_EPOCH = "walked_epoch"
_JUDGED_BY = "judged_by"
PART_MOST = 16 * 1024 * 1024 * 1024
"""Bytes of one sealed part at most: a server may not fill this disk with one number."""


def synchronise(
    desk: Desk,
    progress: Progress,
    *,
    stamp: str = "",
    limits: SyncLimits | None = None,
) -> SyncReport:
    """Do steps (1) to (5).  `stamp` is kept as the time of the last whole sync.

    Raises:
        ServerUnreachable: the connection broke, or took too long; what came is kept.
        ServerRefused, ServerMalformed, ClockSkewed: the server answered otherwise.
        RosterNotTrusted, NotInRoster: (1) failed; nothing else was fetched.
        AlreadySyncing: another program of this desk is at it.
    """
    limits = limits or SyncLimits()
    with alone(desk.home.syncing, limits.other_seconds) as is_mine:
        if not is_mine:
            raise AlreadySyncing("A sync is under way already. Look again in a minute.")
        with desk.client.within(limits.seconds):
            return _Sync(desk, progress, limits).run(stamp)


class _Sync:
    def __init__(self, desk: Desk, progress: Progress, limits: SyncLimits) -> None:
        self._desk = desk
        self._limits = limits
        self._store = desk.store
        self._progress = progress
        self._report = SyncReport()
        self._said: set[Alarm] = set()
        self._full: set[Sign] = set()
        self._is_roster_unknown = False
        self._disk = Disk(desk.home.folder)
        self._renewal = Renewal(desk)
        self._refused: set[str] = set()

    def run(self, stamp: str) -> SyncReport:
        self._progress.step("Checking the rosters")
        within = self._desk.client.within
        with within(self._limits.rosters_seconds):
            self._check_rosters()
        no_room = self._told(Sign.NO_ROOM_FOR_WORDS, lambda: self._report.is_cut)
        with within(self._limits.index_seconds), self._store.held_open(), no_room:
            self._walk()
        if self._is_roster_unknown:  # it came into force between (1) and (2)
            with within(self._limits.rosters_seconds):
                self._check_rosters()
        self._progress.step("Sending what was written here")
        with within(self._limits.sending_seconds):
            # What the rest of the index would have shown here may be there, and is not said again.
            sent = send_waiting(self._desk, anew=not self._report.is_cut)
        self._report.posted, self._report.waiting = sent.posted, sent.waiting
        self._report.alarms += sent.alarms
        with self._told(Sign.DISK_TOO_FULL, lambda: bool(self._report.left)):
            Fetching(self._desk, self._progress, self._limits, self).run()
        if sent.broken is not None:
            # After the files: what cannot be sent does not keep away what can be fetched.
            raise sent.broken
        if not self._report.is_cut:
            self._store.note("last_sync", stamp)
        return self._report

    @contextmanager
    def _told(self, sign: Sign, is_so: Callable[[], bool]) -> Iterator[None]:
        """Say of this disk what a step found, however that and what follows end.

        It is taken back where the step came to its end without it: one that broke off saw less.
        """
        try:
            yield
        finally:
            if is_so():
                self._shout(sign)
        if not is_so():
            self._store.quieten(Alarm(sign))

    # --- what (5) says of each envelope

    def came(self, *, files: int = 0, amount: int = 0) -> None:
        """So many files, so many bytes."""
        self._report.files += files
        self._report.bytes += amount

    def refused(self, sign: Sign, one: Envelope) -> None:
        """Its parts were not kept, or not asked for."""
        self._shout(sign, one.case, one.id)

    def settled(self, one: Envelope) -> None:
        """Its parts are here, and whole."""
        for sign in (Sign.PARTS_REFUSED, Sign.FILE_DAMAGED):
            self._quieten(sign, one)

    def left(self, one: Envelope) -> None:
        """There was no room for its parts."""
        self._report.left.append(one)

    def _shout(self, sign: Sign, case: bytes = b"", envelope: bytes = b"") -> None:
        alarm = Alarm(sign, case.hex(), envelope.hex())
        if alarm in self._said or sign in self._full:
            return
        kept = self._store.shout(alarm)
        if kept != alarm:
            # A flood of them is not written down one by one, and does not take an hour of it.
            self._full.add(sign)
        if kept not in self._said:
            self._said.add(kept)
            self._report.alarms.append(kept)

    def _quieten(self, sign: Sign, one: Envelope) -> None:
        self._store.quieten(Alarm(sign, one.case.hex(), one.id.hex()))

    # --- (1) roster

    def _check_rosters(self) -> None:
        trust, client = self._desk.trust, self._desk.client
        trust.accept(client.roster(), self._desk.today(), self._desk.keyring, client.roster)
        # Whatever is still said of the server as a whole was said now, about an earlier roster.
        for sign in {one.sign for one in self._store.alarms()} & set(HISTORY_SIGNS):
            self._shout(sign)
        # Those, too, that another program accepted and never came to judge by.
        hashes, judged = trust.hashes, self._store.noted(_JUDGED_BY)
        learned = {one for one in hashes if one.hex() not in judged}
        for one in self._store.everything() if learned else ():
            if one.header.roster_hash in learned:
                self._judge_again(one)
        if learned:
            self._store.note(_JUDGED_BY, " ".join(one.hex() for one in hashes))

    def _judge_again(self, one: Envelope) -> None:
        """Say of an envelope what can be said now that its roster is known."""
        wrong = left_out(self._desk, one)
        for sign in (Sign.WRAP_LEFT_OUT, Sign.ROSTER_UNKNOWN, Sign.ROSTER_OUTDATED):
            if sign is wrong:
                self._shout(sign, one.case, one.id)
            else:
                self._quieten(sign, one)

    # --- (2) and (3): index

    def _walk(self) -> None:
        self._progress.step("Reading the index")
        before = self._store.outsides()
        # What another program accepts while this one reads was not in force when it began.
        epoch = self._desk.trust.epoch
        self._refused = {
            one.envelope for one in self._store.alarms() if one.sign is Sign.PARTS_REFUSED
        }
        walked = noted_number(self._store.noted(_WALKED_EPOCH))
        seen: set[EnvelopeId] = set()
        after: str | None = None
        for _ in range(self._limits.pages):
            page = self._page(after)
            if page.unreadable:
                self._shout(Sign.ENVELOPE_MALFORMED)
            fresh, odd = [], []
            for untrusted in page.envelopes:
                one = self._parsed(untrusted)
                if one is None:
                    continue
                seen.add(one.id)
                if one.id in before:
                    if not self._is_as_kept(one, before[one.id]):
                        odd.append(one)
                elif self._wanted(one):
                    fresh.append(one)
                    # A twin that comes with another page, or with this one, is compared with it.
                    before[one.id] = Outside(one.header.to_bytes(), one.digest, posted=True)
            if fresh and self._disk.left_for_words < sum(one.weight for one in fresh):
                # What is kept stays; of what was not read, nothing is said to be missing.
                self._report.is_cut = True
                return
            self._keep(fresh, walked)
            self._renew(odd, walked)
            after = page.next
            if after is None:
                break
        else:
            raise ServerMalformed("The server's index has no end.")
        self._store.note(_WALKED_EPOCH, str(epoch))
        pin(self._desk)
        unread.end(self._store)
        self._look_for_missing({name for name, known in before.items() if known.posted}, seen)

    def _page(self, after: str | None) -> UntrustedPage:
        page = self._desk.client.index(after)
        # A custodian is shown few of the rows that a page walks over; an operator all of them.
        empty = not page.envelopes and not page.unreadable and not self._desk.is_custodian
        if empty and page.next is not None:
            raise ServerMalformed("The server's index goes on and says nothing.")
        return page

    def _parsed(self, untrusted: UntrustedEnvelope) -> Envelope | None:
        try:
            header = Header.from_bytes(untrusted.header)
            parse_wraps(header, untrusted.wraps)
            if (
                len(untrusted.sizes) != header.parts - 1
                or max(untrusted.sizes, default=0) > PART_MOST
            ):
                raise EnvelopeMalformed("the sizes are not those of the parts")
        except CryptoError:
            self._shout(Sign.ENVELOPE_MALFORMED)
            return None
        if header.deployment != self._desk.trust.deployment:
            # Of the server, and said once: it can invent as many cases as it likes.
            self._shout(Sign.FOREIGN_DEPLOYMENT)
            return None
        return Envelope(
            header=header,
            wraps=untrusted.wraps,
            manifest=untrusted.manifest,
            sizes=untrusted.sizes,
            whole=False,
        )

    def _is_as_kept(self, one: Envelope, known: Outside) -> bool:
        if one.header.to_bytes() == known.header and not known.posted:
            # It had arrived, and the answer that said so was lost: sending it twice would show.
            has_arrived(self._desk, one)
        return one.digest == known.digest

    def _renew(self, odd: Sequence[Envelope], walked: int) -> None:
        """Take what is better than what was first seen; shout where it is another and no better."""
        kept = {one.id: one for one in self._store.some([one.id for one in odd])}
        for one in odd:
            known = kept.get(one.id)
            if known is None:
                continue  # its twin was refused, and that was said
            is_same = one.header == known.header
            late = known.late_after if is_same else late_after(self._desk, one, walked)
            better = self._renewal.better(known, replace(one, late_after=late))
            if better is None:
                if not is_same:
                    # Of the case that it has here: what else it says of itself is its own choice.
                    self._shout(Sign.ENVELOPE_CHANGED, known.case, one.id)
                    self._keep_beside(one)
            elif self._disk.left_for_words < better.weight:
                self._report.is_cut = True
            else:
                self._store.renew(known, better)
                kept[one.id] = better
                self._report.cases.add(better.case)
                signs = _OF_FIRST_SIGHT if is_same else (*_OF_FIRST_SIGHT, Sign.ENVELOPE_CHANGED)
                for sign in signs:
                    self._quieten(sign, known)
                if wrong := left_out(self._desk, better):
                    self._shout(wrong, better.case, better.id)

    def _keep_beside(self, one: Envelope) -> None:
        """At a custodian's desk, where nobody can tell which of two is the reporter's: both."""
        wanted = self._renewal.beside(one)
        if wanted is None:
            return
        if self._disk.left_for_words < wanted.weight:
            self._report.is_cut = True
        else:
            keep_beside(self._store, wanted)

    def _wanted(self, one: Envelope) -> bool:
        """A custodian keeps identities alone; an operator everything, their locked outsides too."""
        return one.kind is Kind.IDENTITY or not self._desk.is_custodian

    def _keep(self, fresh: Sequence[Envelope], walked: int) -> None:
        kept = []
        for one in fresh:
            if not is_sealed(one):
                self._shout(Sign.PARTS_REFUSED, one.case, one.id)
                continue
            if wrong := left_out(self._desk, one):
                self._shout(wrong, one.case, one.id)
            if one.id.hex() in self._refused:
                self._quieten(Sign.PARTS_REFUSED, one)
            self._is_roster_unknown |= self._desk.trust.named(one.header.roster_hash) is None
            late = late_after(self._desk, one, walked)
            kept.append(replace(one, whole=not one.sizes, late_after=late))
            self._report.envelopes += 1
            self._report.cases.add(one.case)
        if kept:
            unread.begin(self._store)
            self._store.keep(kept)

    def _look_for_missing(self, known: set[EnvelopeId], seen: set[EnvelopeId]) -> None:
        missing = known - seen
        alarmed = {one.envelope for one in self._store.alarms() if one.sign is Sign.MISSING}
        if not missing and not alarmed:
            return
        for one in self._store.everything():
            if one.id in missing:
                self._shout(Sign.MISSING, one.case, one.id)
            elif one.id.hex() in alarmed:
                self._quieten(Sign.MISSING, one)
