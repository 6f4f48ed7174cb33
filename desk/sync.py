"""Bring this desk and its server to the same set of envelopes, and shout when that fails oddly.

Rule: ciphertext is stored as it was received; a file counts as received only when the
digests of all its envelope's parts give the root in the header; what this desk once
saw, it does not forget because the server does.

```
(1) roster    fetch, verify against the pinned root, never backwards; those before it, too
(2) index     page by page, ordered by random ids: keep what is new, compare what is not
(3) missing   what was there and is not there any more
(4) post      what was written here while the server was away, sealed anew where it must be
(5) parts     each from where it broke off; proven whole, then renamed
```
A cut at any byte leaves a state from which the next sync goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.body import PartsCheck
from crypto.errors import CryptoError, EnvelopeMalformed
from crypto.header import Header, Kind
from crypto.wrap import parse_wraps
from desk.alarms import Alarm, Sign
from desk.errors import AlreadySyncing, ServerMalformed, ServerRefused
from desk.locks import alone
from desk.outbox import send_waiting
from desk.patience import SyncLimits
from desk.sentence import Sentence, Several
from desk.store import Envelope
from desk.trust import HISTORY_SIGNS
from desk.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crypto.ids import CaseId, EnvelopeId, Kid
    from desk.client import UntrustedEnvelope, UntrustedPage
    from desk.desk import Desk
    from desk.progress import Progress

_NOT_FOUND = 404
_READ_BYTES = 1024 * 1024
_SIGNED_BY_OPERATORS = (Kind.ENTRY, Kind.REPLY)
_WALKED_EPOCH = "walked_epoch"
PART_MOST = 16 * 1024 * 1024 * 1024
"""Bytes of one sealed part at most: a server may not fill this disk with one number."""


@dataclass(slots=True)
class SyncReport:
    """What one sync did."""

    envelopes: int = 0
    cases: set[CaseId] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    posted: int = 0
    waiting: int = 0
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What happened, in one sentence."""
        said: list[str] = []
        if self.cases:
            said.append(Sentence("{cases} with news", cases=count(len(self.cases), "case")))
        if self.files:
            said.append(Sentence("{files} fetched", files=count(self.files, "file")))
        if self.posted:
            said.append(Sentence("{number} sent", number=self.posted))
        if self.waiting:
            said.append(Sentence("{number} still waiting to be sent", number=self.waiting))
        if self.alarms:
            said.append(count(len(self.alarms), "alarm"))
        done = Several(", ", said or [Sentence("nothing new")], capital=True)
        return Sentence("{done}.", done=done)

    def to_json(self) -> dict[str, object]:
        """The stable shape of `sync --json`."""
        return {
            "envelopes": self.envelopes,
            "cases": sorted(case.hex() for case in self.cases),
            "files": self.files,
            "bytes": self.bytes,
            "posted": self.posted,
            "waiting": self.waiting,
            "alarms": [alarm.to_json() for alarm in self.alarms],
        }


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
        self._kid: Kid = desk.keyring.key.public.kid

    def run(self, stamp: str) -> SyncReport:
        self._progress.step("Checking the rosters")
        within = self._desk.client.within
        with within(self._limits.rosters_seconds):
            self._check_rosters()
        with within(self._limits.index_seconds), self._store.held_open():
            self._walk()
        self._progress.step("Sending what was written here")
        with within(self._limits.sending_seconds):
            sent = send_waiting(self._desk)
        self._report.posted, self._report.waiting = sent.posted, sent.waiting
        self._report.alarms += sent.alarms
        self._fetch()
        self._store.note("last_sync", stamp)
        return self._report

    def _shout(self, sign: Sign, case: bytes = b"", envelope: bytes = b"") -> None:
        alarm = Alarm(sign, case.hex(), envelope.hex())
        if alarm not in self._said:
            self._said.add(alarm)
            self._store.shout(alarm)
            self._report.alarms.append(alarm)

    def _quieten(self, sign: Sign, one: Envelope) -> None:
        self._store.quieten(Alarm(sign, one.case.hex(), one.id.hex()))

    # --- (1) roster

    def _check_rosters(self) -> None:
        trust, client = self._desk.trust, self._desk.client
        known = trust.hashes
        trust.accept(client.roster(), self._desk.today(), self._desk.keyring, client.roster)
        # Whatever is still said of the server as a whole was said now, about an earlier roster.
        self._report.alarms += [
            alarm for alarm in self._store.alarms() if alarm.sign in HISTORY_SIGNS
        ]
        learned = trust.hashes - known
        for one in self._store.everything() if learned else ():
            if one.header.roster_hash in learned:
                self._judge_again(one)

    def _judge_again(self, one: Envelope) -> None:
        """Say of an envelope what can be said now that its roster is known."""
        wrong = self._left_out(one)
        for sign in (Sign.WRAP_LEFT_OUT, Sign.ROSTER_UNKNOWN, Sign.ROSTER_OUTDATED):
            if sign is wrong:
                self._shout(sign, one.case, one.id)
            else:
                self._quieten(sign, one)

    # --- (2) and (3): index

    def _walk(self) -> None:
        self._progress.step("Reading the index")
        before = self._store.outsides()
        walked = int(self._store.noted(_WALKED_EPOCH) or 0)
        seen: set[EnvelopeId] = set()
        after: str | None = None
        for _ in range(self._limits.pages):
            page = self._page(after)
            if page.unreadable:
                self._shout(Sign.ENVELOPE_MALFORMED)
            fresh = []
            for untrusted in page.envelopes:
                one = self._parsed(untrusted)
                if one is None:
                    continue
                seen.add(one.id)
                if one.id in before:
                    self._compare(one, *before[one.id])
                elif self._wanted(one):
                    fresh.append(one)
                    # A twin that comes with another page, or with this one, is compared with it.
                    before[one.id] = one.header.to_bytes(), True
            self._keep(fresh, walked)
            after = page.next
            if after is None:
                break
        else:
            raise ServerMalformed("The server's index has no end.")
        self._store.note(_WALKED_EPOCH, str(self._desk.trust.epoch))
        self._store.pin_origins()
        self._look_for_missing({name for name, (_, posted) in before.items() if posted}, seen)

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

    def _compare(self, one: Envelope, known_header: bytes, posted: bool) -> None:  # noqa: FBT001  # a column
        if one.header.to_bytes() != known_header:
            self._shout(Sign.ENVELOPE_CHANGED, one.case, one.id)
        elif not posted:
            # It had arrived, and the answer that said so was lost: sending it twice would show.
            self._store.mark_posted(one.id)

    def _wanted(self, one: Envelope) -> bool:
        """A custodian keeps identities alone; an operator everything, their locked outsides too."""
        return one.kind is Kind.IDENTITY or not self._desk.is_custodian

    def _keep(self, fresh: Sequence[Envelope], walked: int) -> None:
        kept = []
        for one in fresh:
            if not self._manifest_is_sealed_one(one):
                self._shout(Sign.PARTS_REFUSED, one.case, one.id)
                continue
            if wrong := self._left_out(one):
                self._shout(wrong, one.case, one.id)
            kept.append(
                Envelope(
                    header=one.header,
                    wraps=one.wraps,
                    manifest=one.manifest,
                    sizes=one.sizes,
                    whole=not one.sizes,
                    late_after=walked if self._is_late(one, walked) else 0,
                )
            )
            self._report.envelopes += 1
            self._report.cases.add(one.case)
        self._store.keep(kept)

    def _manifest_is_sealed_one(self, one: Envelope) -> bool:
        """Where part 0 is all there is, the root proves it at once; else with the others in (5)."""
        if one.sizes:
            return True
        check = PartsCheck(one.header)
        try:
            check.add(0, [one.manifest])
            check.conclude()
        except CryptoError:
            return False
        return True

    def _is_mine(self, one: Envelope) -> bool:
        return any(wrap.kid == self._kid for wrap in parse_wraps(one.header, one.wraps))

    def _is_late(self, one: Envelope, walked: int) -> bool:
        """Whether it names an older roster than the one under which all was read before it came.

        The server takes entries and replies under the roster in force alone, so an honest one had
        this then.  Who signed it, and whether they still might, is desk.verify's to say.
        """
        roster = self._desk.trust.named(one.header.roster_hash)
        return one.kind in _SIGNED_BY_OPERATORS and (roster is None or roster.epoch < walked)

    def _left_out(self, one: Envelope) -> Sign | None:
        """What is wrong where we should have a wrap and have none."""
        mine_by_role = (one.kind is Kind.IDENTITY) is self._desk.is_custodian
        if not mine_by_role or self._is_mine(one):
            return None
        trust, keyring = self._desk.trust, self._desk.keyring
        roster = trust.named(one.header.roster_hash)
        if roster is None:
            # While a list is missing, one from before our time may be it, and cannot name us.
            trick = trust.complete or one.header.day >= trust.joined(keyring)
            return Sign.ROSTER_UNKNOWN if trick else None
        if keyring.stands_in(roster):
            return Sign.WRAP_LEFT_OUT
        # On the very day that the newer one begins, both are honest: it has yet to be installed.
        since = trust.joined(keyring, after=roster.epoch)
        return Sign.ROSTER_OUTDATED if one.header.day > since else None

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

    # --- (5) parts

    def _fetch(self) -> None:
        waiting = [one for one in self._store.unfinished() if self._is_mine(one)]
        expected = sum(sum(one.sizes) for one in waiting)
        self._progress.expect(expected)
        least = self._limits.files_seconds + expected / self._limits.least_bytes_a_second
        with self._desk.client.within(least):
            for number, one in enumerate(waiting, 1):
                self._progress.step(
                    Sentence("Fetching files ({number} of {all})", number=number, all=len(waiting))
                )
                self._fetch_one(one)

    def _fetch_one(self, one: Envelope) -> None:
        try:
            for part, size in enumerate(one.sizes, 1):
                self._grow(one, part, size)
        except ServerRefused as refused:
            if refused.status != _NOT_FOUND:
                raise
            self._shout(Sign.PARTS_REFUSED, one.case, one.id)
            return
        paths = [self._store.partial_path(one.id, part) for part in range(1, len(one.sizes) + 1)]
        if not _proven(one, paths):
            for path in paths:
                path.unlink()
            self._shout(Sign.PARTS_REFUSED, one.case, one.id)
            return
        for part, path in enumerate(paths, 1):
            path.replace(self._store.part_path(one.id, part))
        self._store.mark_whole(one.id)
        self._quieten(Sign.PARTS_REFUSED, one)
        self._report.files += len(paths)

    def _grow(self, one: Envelope, part: int, size: int) -> None:
        path = self._store.partial_path(one.id, part)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            offset = file.tell()
            if offset > size:
                file.truncate(0)
                offset = 0
            self._progress.advance(offset)
            for chunk in self._desk.client.part(one.id, part, offset, size):
                file.write(chunk)
                self._progress.advance(len(chunk))
                self._report.bytes += len(chunk)
            file.flush()
            os.fsync(file.fileno())


def _proven(one: Envelope, paths: Sequence[Path]) -> bool:
    check = PartsCheck(one.header)
    try:
        check.add(0, [one.manifest])
        for part, path in enumerate(paths, 1):
            check.add(part, _read(path))
        check.conclude()
    except CryptoError:
        return False
    return True


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            yield chunk
