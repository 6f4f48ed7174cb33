"""Whose keys this desk believes, and since when.

Rule: a roster is believed when the pinned root signed it, it is in force today, and it
is not older than the newest this desk has seen (claim C-ROSTER).  Those before it, back to
the first, are fetched and kept (desk.roster_history): what was signed under one of them
stays provable, and only that.  "This desk" is all of its programs: what one of them accepted,
pages that stand open for days and a timer's sync alike believe from then on, and never less.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.roster import RootPublicKey, Roster, verify_past_roster, verify_roster
from desk import refused_rosters
from desk.alarms import Alarm, Sign
from desk.config import Membership
from desk.errors import AlreadySyncing, NotEnrolled, NotInRoster, RosterNotTrusted
from desk.locks import alone
from desk.offered_roster import Refusal, judge
from desk.roster_history import HistoryLimits, reaches_the_first, walk_back
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crypto.ids import Day, Deployment, Kid
    from crypto.keys import SigningPublicKey
    from crypto.roster import Operator
    from desk.config import DeskHome
    from desk.keyring import Keyring
    from desk.store import Store

HISTORY_SIGNS = (Sign.ROSTER_HISTORY_MISSING, Sign.ROSTER_HISTORY_REFUSED)
_PASSING_SIGNS = (Sign.ROSTER_REFUSED, *HISTORY_SIGNS)
"""What is over once a good roster came.  That the root signed two pasts, or that an older list was
shown, is so for good: only an operator clears it, and what was shown is kept."""
_OTHER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Signer:
    """An operator as one roster named them."""

    operator: Operator

    @property
    def name(self) -> str:
        """The label the root gave them."""
        return self.operator.label

    @property
    def key(self) -> SigningPublicKey:
        """What their signatures are checked against."""
        return self.operator.sign


class Trust:
    """The rosters this desk has believed; made from desk.json and the store.

    Safe to share between threads: what one of them is walking through is never changed.
    """

    def __init__(
        self,
        home: DeskHome,
        store: Store,
        membership: Membership,
        *,
        limits: HistoryLimits | None = None,
    ) -> None:
        self._home = home
        self._limits = limits or HistoryLimits()
        self._store = store
        self.root = RootPublicKey(bytes.fromhex(membership.root_public))
        self._turn = threading.Lock()
        self._believed: Mapping[bytes, Roster] = {}
        self._membership = membership
        self._take_over(membership)

    def renew(self) -> None:
        """Believe whatever any program of this desk has accepted by now, never less than before.

        One small file is read, and the hashes of the rosters that are kept.  Who judges envelopes
        reads those first: a sync keeps a roster before what was signed under it.

        Raises:
            NotEnrolled: desk.json is gone or damaged, or the desk was enrolled anew.
        """
        with self._turn:
            # This one first: whoever accepts a roster keeps it before it is named here.
            pinned = Membership.load(self._home.membership)
            mine = self._membership
            if (pinned.server, pinned.root_public) != (mine.server, mine.root_public):
                raise NotEnrolled(
                    "This desk was enrolled anew, with another server or root, while this program "
                    "ran. End it and start it again."
                )
            self._take_over(pinned)

    def _take_over(self, pinned: Membership) -> None:
        """Believe what the store has besides; the newest is the newest of all that was believed.

        A program that was killed may have kept it without naming it in desk.json, and a file that
        somebody put back is no reason to go back.
        """
        if fresh := verified_again(self._store, self.root, self._believed):
            self._believed = {**self._believed, **{one.hash: one for one in fresh}}
        newest = max(self._believed.values(), key=lambda one: one.epoch, default=None)
        if newest is not None and newest.epoch > pinned.epoch:
            pinned = replace(pinned, epoch=newest.epoch, roster_hash=newest.hash.hex())
        # After the rosters: what this names, every thread can look up.
        self._membership = pinned

    @property
    def deployment(self) -> Deployment:
        """The installation this desk belongs to."""
        return self.root.deployment

    @property
    def epoch(self) -> int:
        """The number of the newest roster believed."""
        return self._membership.epoch

    @property
    def newest(self) -> Roster:
        """The newest roster believed; it may have expired since.

        Raises:
            NotEnrolled: desk.json names a roster that the store has lost.
        """
        found = self._pinned()
        if found is None:
            raise NotEnrolled(
                "The roster this desk pinned is missing from its store. Enrol again: amana-desk "
                "enrol --server URL --root-public FILE"
            )
        return found

    def _pinned(self) -> Roster | None:
        # The pin first: another thread may be about to name a newer one.
        pinned = bytes.fromhex(self._membership.roster_hash)
        return self._believed.get(pinned)

    @property
    def rehearsal(self) -> bool:
        """Whether the newest roster says that its keys are for practice; never raises."""
        found = self._pinned()
        return found is not None and found.rehearsal

    def in_force(self, today: Day) -> Roster:
        """The newest roster that any program of this desk accepted, if one may seal to it today.

        Raises:
            RosterNotTrusted: it has expired, or has not begun.
            NotEnrolled: as `renew` and `newest`.
        """
        self.renew()
        newest = self.newest
        if not newest.not_before <= today <= newest.not_after:
            raise RosterNotTrusted(
                Sentence(
                    "The newest roster here (epoch {epoch}) is not in force today. Run amana-desk "
                    "sync; if it stays, ask the keyholder of the root for a new one.",
                    epoch=newest.epoch,
                )
            )
        return newest

    def named(self, roster_hash: bytes) -> Roster | None:
        """The believed roster with this hash, or None."""
        return self._believed.get(roster_hash)

    @property
    def hashes(self) -> frozenset[bytes]:
        """The hashes of all rosters believed."""
        return frozenset(self._believed)

    @property
    def complete(self) -> bool:
        """Whether every roster is believed, from the newest back to the first."""
        return reaches_the_first(self.newest, self._believed)

    def joined(self, keyring: Keyring, *, after: int = 0) -> Day:
        """The first day of the rosters beyond an epoch that name us, as the newest does."""
        return min(
            (
                one.not_before
                for one in self._believed.values()
                if one.epoch > after and keyring.stands_in(one)
            ),
            default=self.newest.not_before,
        )

    def signer(self, kid: Kid, roster_hash: bytes, day: Day) -> Signer | None:
        """The operator whose *signing* key has this id in that roster, if it was in force then."""
        roster = self._believed.get(roster_hash)
        if roster is None or not roster.not_before <= day <= roster.not_after:
            return None
        operator = _signing(roster, kid)
        return None if operator is None else Signer(operator)

    def names(self, label: str) -> bool:
        """Whether any believed roster has an operator or a custodian of this name."""
        return any(
            label in (*(one.label for one in roster.operators),
                      *(one.label for one in roster.custodians))
            for roster in self._believed.values()
        )  # fmt: skip

    def still_named(self, kid: Kid, epoch: int) -> bool:
        """Whether the believed roster of that epoch has an operator with that signing key."""
        return any(
            one.epoch == epoch and _signing(one, kid) is not None for one in self._believed.values()
        )

    def accept(
        self,
        untrusted_note: bytes,
        today: Day,
        keyring: Keyring,
        fetch_past: Callable[[int], bytes],
    ) -> Roster:
        """Believe a roster the server offers, and those before it; remember it as the newest.

        `fetch_past` gives the server's untrusted note of an epoch.  An earlier roster that is
        missing or refused is an alarm that is kept, and no reason to believe the newest less.

        Raises:
            RosterNotTrusted: forged, rolled back, forked or out of force; an alarm is kept.
            ServerUnreachable, ServerRefused, ServerMalformed: the way to the earlier ones broke.
            NotInRoster: it is good, and these keys are not in it.
            NotEnrolled: as `renew`.
            AlreadySyncing: another program of this desk is at it.
        """
        with _believing(self._home):
            self.renew()
            roster = self._accept(untrusted_note, today, fetch_past)
        if not keyring.stands_in(roster):
            raise NotInRoster(
                Sentence(
                    "The roster in force (epoch {epoch}) does not name this desk's keys: the "
                    "keyholder of the root has to sign one that does.",
                    epoch=roster.epoch,
                )
            )
        return roster

    def _accept(
        self, untrusted_note: bytes, today: Day, fetch_past: Callable[[int], bytes]
    ) -> Roster:
        """Compared with the newest of all programs, and with nobody beside."""
        last_seen = (self._membership.epoch, bytes.fromhex(self._membership.roster_hash))
        roster = judge(untrusted_note, self.root, today, last_seen, self._believed)
        if isinstance(roster, Refusal):
            raise self._refused(roster)
        walked = walk_back(roster, self._believed, self.root, fetch_past, self._limits)
        if walked.problem is Sign.ROSTER_FORKED:
            # The one that was offered, and the one that leaves the line that was believed.
            shown = dict.fromkeys((roster.note, *(one.note for one in walked.found[-1:])))
            raise self._refused(Refusal.accusing(walked.problem, *shown))
        for one in (*walked.found, roster):
            if one.hash not in self._believed:
                self._store.keep_roster(one.hash, one.epoch, one.note)
        _pin(
            self._home, replace(self._membership, epoch=roster.epoch, roster_hash=roster.hash.hex())
        )
        self.renew()
        # Not before: what was said of an older one counts until the desk has a newer one for good.
        for sign in _PASSING_SIGNS:
            self._store.quieten(Alarm(sign))
        if walked.problem is not None:
            self._store.shout(Alarm(walked.problem))
        return roster

    def _refused(self, refusal: Refusal) -> RosterNotTrusted:
        """What to raise; what is kept of it is kept, and it is shouted, before."""
        if refusal.kept:
            refused_rosters.keep(self._home.refused_rosters, refusal.sign, *refusal.kept)
        self._store.shout(Alarm(refusal.sign))
        return RosterNotTrusted(refusal.said)


def remember(home: DeskHome, wanted: Membership) -> None:
    """Write desk.json; under the same root, the newest roster that it names stays the newest.

    Raises:
        NotEnrolled: it is damaged.
        AlreadySyncing: another program of this desk is at it.
    """
    with _believing(home):
        _pin(home, wanted)


def _pin(home: DeskHome, wanted: Membership) -> None:
    """The same, by whoever has the lock."""
    there = Membership.load(home.membership) if home.membership.exists() else None
    if there is not None and there.root_public == wanted.root_public and there.epoch > wanted.epoch:
        wanted = replace(wanted, epoch=there.epoch, roster_hash=there.roster_hash)
    if wanted != there:
        wanted.save(home.membership)


@contextmanager
def _believing(home: DeskHome) -> Iterator[None]:
    with alone(home.believing, _OTHER_SECONDS) as is_mine:
        if not is_mine:
            raise AlreadySyncing(
                "Another program of this desk is reading the rosters. Try again in a minute."
            )
        yield


def first_roster(
    untrusted_note: bytes, root: RootPublicKey, today: Day, keyring: Keyring
) -> Roster:
    """Verify the roster that a desk is enrolled with.

    Raises:
        RosterNotTrusted: the root did not sign it, or it is not in force.
        NotInRoster: it does not name these keys.
    """
    try:
        roster = verify_roster(untrusted_note, root, today, None)
    except CryptoError as refused:
        raise RosterNotTrusted(
            Sentence(
                "The server's roster is not one that this root signed, or is not in force: {why}",
                why=str(refused),
            )
        ) from None
    if not keyring.stands_in(roster):
        raise NotInRoster(
            Sentence(
                "The roster (epoch {epoch}) is good and does not name this desk's keys. Hand the "
                "file that keygen wrote to the keyholder of the root, and enrol again after the "
                "next roster.",
                epoch=roster.epoch,
            )
        )
    return roster


def _signing(roster: Roster, kid: Kid) -> Operator | None:
    """The operator whose signing key, and no other key of theirs, has this id."""
    operator = roster.operator_of(kid)
    return operator if operator is not None and operator.sign.kid == kid else None


def verified_again(
    store: Store, root: RootPublicKey, known: Mapping[bytes, Roster]
) -> list[Roster]:
    """The other stored ones, their signatures checked once more: nor is the disk believed."""
    believed = []
    for note in store.roster_notes(known):
        try:
            believed.append(verify_past_roster(note, root))
        except CryptoError:
            # A note that was altered on the disk proves nothing; what it signed will say so.
            continue
    return believed
