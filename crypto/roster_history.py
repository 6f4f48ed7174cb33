"""Rosters that are no longer in force, each held in its place by the one after it.  Section 11.1.

Rule: what was signed and sealed in the past is judged by the roster of its time.  The newest roster
names the hash of the one before, and so on to the first: whoever believes the newest needs nobody's
word for the rest, and can be given no other.
"""

from crypto.errors import RosterRefused
from crypto.roster import RootPublicKey, Roster, verify_past_roster


def verify_roster_before(
    later: Roster, untrusted_note: bytes, root_public: RootPublicKey
) -> Roster:
    """Verify that a note is the roster just before `later`; its days may be long over.

    Starting at a roster in force and ending at epoch 1, every step so verified, the line is whole.
    Raises RosterRefused: forged, of another epoch (a gap), or not the one that `later` names.
    """
    roster = verify_past_roster(untrusted_note, root_public)
    if roster.epoch != later.epoch - 1:
        raise RosterRefused(f"it is of epoch {roster.epoch}, not the one before {later.epoch}")
    if roster.hash != later.previous:
        raise RosterRefused(
            f"it is another roster of epoch {roster.epoch} than the one that {later.epoch} follows"
        )
    return roster
