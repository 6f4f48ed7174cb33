"""Whose keys this desk believes, and since when.

Rule: a roster is believed when the pinned root signed it, it is in force today, and it
is not older than the newest this desk has seen (claim C-ROSTER).  Every roster that was
believed once is kept: what operators signed under it stays provable, and only that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.roster import RootPublicKey, Roster, read_unverified, verify_roster
from desk.alarms import Alarm, Sign
from desk.errors import NotEnrolled, NotInRoster, RosterNotTrusted

if TYPE_CHECKING:
    from crypto.ids import Day, Deployment, Kid
    from crypto.keys import SigningPublicKey
    from crypto.roster import Operator
    from desk.config import DeskHome, Membership
    from desk.keyring import Keyring
    from desk.store import Store


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
    """The rosters this desk has believed; made from desk.json and the store."""

    def __init__(self, home: DeskHome, store: Store, membership: Membership) -> None:
        self._home = home
        self._store = store
        self._membership = membership
        self.root = RootPublicKey(bytes.fromhex(membership.root_public))
        self._believed = {one.hash: one for one in _reread(store, self.root)}

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
        found = self._believed.get(bytes.fromhex(self._membership.roster_hash))
        if found is None:
            raise NotEnrolled(
                "The roster this desk pinned is missing from its store. Enrol again: amana-desk "
                "enrol --server URL --root-public FILE"
            )
        return found

    def in_force(self, today: Day) -> Roster:
        """The newest roster, if one may seal to it today.

        Raises:
            RosterNotTrusted: it has expired, or has not begun.
        """
        newest = self.newest
        if not newest.not_before <= today <= newest.not_after:
            raise RosterNotTrusted(
                f"The newest roster here (epoch {newest.epoch}) is not in force today. Run "
                "amana-desk sync; if it stays, ask the keyholder of the root for a new one."
            )
        return newest

    def named(self, roster_hash: bytes) -> Roster | None:
        """The believed roster with this hash, or None."""
        return self._believed.get(roster_hash)

    def joined(self) -> Day:
        """The first day of the oldest roster believed: before it, nothing was sealed to us."""
        return min(one.not_before for one in self._believed.values())

    def signer(self, kid: Kid, roster_hash: bytes, day: Day) -> Signer | None:
        """The operator whose *signing* key has this id in that roster, if it was in force then."""
        roster = self._believed.get(roster_hash)
        if roster is None or not roster.not_before <= day <= roster.not_after:
            return None
        operator = roster.operator_of(kid)
        if operator is None or operator.sign.kid != kid:
            return None
        return Signer(operator)

    def accept(self, untrusted_note: bytes, today: Day, keyring: Keyring) -> Roster:
        """Believe a roster the server offers, and remember it as the newest.

        Raises:
            RosterNotTrusted: forged, rolled back, forked or out of force; an alarm is kept.
            NotInRoster: it is good, and these keys are not in it.
        """
        last_seen = (self._membership.epoch, bytes.fromhex(self._membership.roster_hash))
        try:
            roster = verify_roster(untrusted_note, self.root, today, last_seen)
        except CryptoError as refused:
            sign = _sign_of(untrusted_note, last_seen)
            alarm = Alarm(sign)
            self._store.shout(alarm)
            raise RosterNotTrusted(f"{alarm.words} ({refused})") from None
        for sign in (Sign.ROSTER_REFUSED, Sign.ROSTER_WENT_BACKWARDS):
            self._store.quieten(Alarm(sign))
        self._store.keep_roster(roster.hash, roster.epoch, roster.note)
        self._believed[roster.hash] = roster
        if (roster.epoch, roster.hash) != last_seen:
            self._membership = replace(
                self._membership, epoch=roster.epoch, roster_hash=roster.hash.hex()
            )
            self._membership.save(self._home.membership)
        if not keyring.stands_in(roster):
            raise NotInRoster(
                f"The roster in force (epoch {roster.epoch}) does not name this desk's keys: the "
                "keyholder of the root has to sign one that does."
            )
        return roster


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
            f"The server's roster is not one that this root signed, or is not in force: {refused}"
        ) from None
    if not keyring.stands_in(roster):
        raise NotInRoster(
            f"The roster (epoch {roster.epoch}) is good and does not name this desk's keys. Hand "
            "the file that keygen wrote to the keyholder of the root, and enrol again after the "
            "next roster."
        )
    return roster


def _reread(store: Store, root: RootPublicKey) -> list[Roster]:
    """The stored rosters, their signatures checked once more: the disk is not believed either."""
    believed = []
    for note in store.roster_notes():
        try:
            believed.append(verify_roster(note, root, read_unverified(note).not_before, None))
        except CryptoError:
            # A note that was altered on the disk proves nothing; what it signed will say so.
            continue
    return believed


def _sign_of(untrusted_note: bytes, last_seen: tuple[int, bytes]) -> Sign:
    """Name what is wrong: an old or forked list is a worse sign than an unreadable one."""
    try:
        epoch = read_unverified(untrusted_note).epoch
    except CryptoError:
        return Sign.ROSTER_REFUSED
    return Sign.ROSTER_WENT_BACKWARDS if epoch <= last_seen[0] else Sign.ROSTER_REFUSED
