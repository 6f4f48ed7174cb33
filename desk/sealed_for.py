"""What the roster that an envelope names says of it, on this desk.

Rule: a roster that is known says who should have a wrap; what is odd is said by a sign, and where
both sides may be honest, by none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from crypto.header import Kind
from desk.alarms import Sign
from desk.errors import NotEnrolled

if TYPE_CHECKING:
    from crypto.header import Header
    from desk.desk import Desk
    from desk.opening import Opener
    from desk.store import Envelope
    from desk.trust import Trust

_SIGNED_BY_OPERATORS = (Kind.ENTRY, Kind.REPLY)


class Reader(Protocol):
    """Who reads: with which key, and believing whom.  A desk is one."""

    @property
    def opener(self) -> Opener:
        """What opens."""

    @property
    def trust(self) -> Trust:
        """The rosters that are believed."""


def may_be_for_others(reader: Reader, header: Header) -> bool:
    """Whether what has no wrap for us may be somebody's true one: its list need not name us.

    While a list is missing, one that is not known may be it, whatever day the header bears: else
    whoever holds the old ones back for one sync would have it that nothing came before us.
    """
    roster = reader.trust.named(header.roster_hash)
    if roster is not None:
        return roster.operator_of(reader.opener.kid) is None
    try:
        return not reader.trust.complete
    except NotEnrolled:
        # This machine lost the list that it pinned.
        return True


def left_out(desk: Desk, one: Envelope) -> Sign | None:
    """What is wrong where we should have a wrap and have none."""
    mine_by_role = (one.kind is Kind.IDENTITY) is desk.is_custodian
    if not mine_by_role or desk.opener.is_for_us(one):
        return None
    trust, keyring = desk.trust, desk.keyring
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


def late_after(desk: Desk, one: Envelope, walked: int) -> int:
    """The epoch `walked`, under which all was read before it came, if it may name an older; or 0.

    The server takes entries and replies under the roster in force alone, so an honest one had
    this then.  Whether one that is not known here is older, who signed it, and whether they still
    might, is desk.verify's to say, once it is known.
    """
    roster = desk.trust.named(one.header.roster_hash)
    is_late = roster is None or roster.epoch < walked
    return walked if one.kind in _SIGNED_BY_OPERATORS and is_late else 0
