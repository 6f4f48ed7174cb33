"""What a server offers as its newest roster: ours, nobody's, out of force, or against us.

Rule: only what the root signed can accuse anybody, and only of what it says.  A list that ran out,
a clock that is wrong and what anybody can write are refused, and over with the next good list; a
list that contradicts those seen before is kept, and shouted about until an operator clears it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.ids import date_of
from crypto.roster import verify_past_roster, verify_roster
from desk.alarms import Alarm, Sign
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.ids import Day
    from crypto.roster import RootPublicKey, Roster


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a note is not believed: the sign, what an operator reads now, and what is kept of it."""

    sign: Sign
    said: str
    kept: tuple[bytes, ...] = ()

    @classmethod
    def accusing(cls, sign: Sign, *notes: bytes) -> Refusal:
        """Of notes that the root signed."""
        return cls(sign, Alarm(sign).words, notes)


def judge(
    untrusted_note: bytes,
    root: RootPublicKey,
    today: Day,
    last_seen: tuple[int, bytes],
    believed: Mapping[bytes, Roster],
) -> Roster | Refusal:
    """Whether a note may be the newest roster; never raises.

    `last_seen` are the number and the hash of the newest of those believed, which are by hash.
    Whether what lies before it leads back to them is asked elsewhere (desk.roster_history).
    """
    # (1) signed by the root  (2) of the line that was seen, whatever its days  (3) in force today
    try:
        offered = verify_past_roster(untrusted_note, root)
    except CryptoError as refused:
        words = Sentence(Alarm(Sign.ROSTER_REFUSED).words)
        said = Sentence("{alarm} ({why})", alarm=words, why=str(refused))
        return Refusal(Sign.ROSTER_REFUSED, said)
    sign = _against(offered, last_seen, believed)
    if sign is not None:
        return Refusal.accusing(sign, offered.note)
    try:
        return verify_roster(untrusted_note, root, today, last_seen)
    except CryptoError:
        return Refusal(Sign.ROSTER_REFUSED, _out_of_force(offered, today))


def _against(
    offered: Roster, last_seen: tuple[int, bytes], believed: Mapping[bytes, Roster]
) -> Sign | None:
    """What is proven against the root, or the server, by a roster that the root signed."""
    seen = {one.epoch: one.hash for one in believed.values()} | dict([last_seen])
    followed = {one.epoch - 1: one.previous for one in believed.values()}
    if (
        # Another of its own number, or of the one before it, or of the one that a later follows.
        seen.get(offered.epoch, offered.hash) != offered.hash
        or seen.get(offered.epoch - 1, offered.previous) != offered.previous
        or followed.get(offered.epoch, offered.hash) != offered.hash
    ):
        return Sign.ROSTER_FORKED
    return Sign.ROSTER_WENT_BACKWARDS if offered.epoch < last_seen[0] else None


def _out_of_force(roster: Roster, today: Day) -> Sentence:
    """What is to be done about a list of ours whose days are over, or have not begun."""
    if today < roster.not_before:
        return Sentence(
            "The server's list of keys (epoch {epoch}) begins on {day}, later than this machine's "
            "today. Check this machine's clock. If it is right, the list was published too early: "
            "ask the keyholder of the root.",
            epoch=roster.epoch,
            day=date_of(roster.not_before).isoformat(),
        )
    return Sentence(
        "The server's list of keys (epoch {epoch}) expired on {day}. Check this machine's clock. "
        "If it is right, the institution has to publish a new list: ask the keyholder of the root. "
        "If they have published one, ask who runs the server why it shows the old one.",
        epoch=roster.epoch,
        day=date_of(roster.not_after).isoformat(),
    )
