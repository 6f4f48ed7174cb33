"""Hand one envelope to the server, and say in its case what became of it.

Rule: what the server has waits no more.  What is wrong with an envelope itself is an alarm of its
case, under its own name, and ends when it arrives; what is wrong with the connection, or with this
desk's key, is raised, and is nobody's case.  Which go, and in what order, is desk.sending's.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from desk.alarms import Alarm, Sign
from desk.errors import ServerMalformed, ServerRefused, ServerUnreachable, Stopped
from desk.opening import Unopened
from desk.order import Node, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desk.desk import Desk
    from desk.store import Envelope

TAKEN, WAITS, REFUSED = "taken", "waits", "refused"
TROUBLES = (
    Sign.ANSWER_REFUSED, Sign.NOT_LET_THROUGH, Sign.SENDING_FAILED, Sign.WRITTEN_LOST,
)  # fmt: skip
"""What can be wrong with one that waits."""
_SERVER_FAILED = 500
_UNAUTHORIZED = 401
_SEAL_ANEW = {"roster", "day"}


def deliver(desk: Desk, envelope: Envelope) -> str:
    """Hand an envelope to the server, and say in its case what is wrong where that is its own.

    Raises:
        ServerUnreachable, ServerMalformed, ServerRefused: of the connection, or of this desk's key.
    """
    try:
        desk.client.post(envelope, _parts(desk, envelope))
        has_arrived(desk, envelope)
    except ServerRefused as refused:
        if refused.status >= _SERVER_FAILED or refused.code in _SEAL_ANEW:
            # Not this envelope's fault: it waits, and is sealed anew under the next roster or day.
            return WAITS
        if refused.status == _UNAUTHORIZED:
            raise
        shout(desk, Sign.ANSWER_REFUSED, envelope)
        return REFUSED
    except (ServerUnreachable, ServerMalformed, Stopped):
        raise
    except Exception:  # noqa: BLE001  # of this machine: a full disk, a part that cannot be read
        shout(desk, Sign.SENDING_FAILED, envelope)
        return WAITS
    return TAKEN


def deliver_in_turn(desk: Desk, envelope: Envelope) -> bool:
    """Send what waits of a case, as it is and in its order, up to this envelope; tell of it.

    Raises:
        ServerUnreachable, ServerMalformed, ServerRefused: of the connection, or of this desk's key.
    """
    of_case = [one for one in desk.store.unposted() if one.case == envelope.case]
    opened, lost = readable(desk, of_case)
    held_up = {one.header.hash for one in lost}
    for one in in_order(desk, opened):
        if not held_up.isdisjoint(desk.opener.signed(one).parents):
            held_up.add(one.header.hash)
        elif deliver(desk, one) != TAKEN:
            return False
        elif one.id == envelope.id:
            return True
    return False


def has_arrived(desk: Desk, envelope: Envelope) -> None:
    """The server has it: so it waits no more, and what was said of it meanwhile is taken back."""
    desk.store.mark_posted(envelope.id)
    quieten(desk, envelope)


def in_order(desk: Desk, waiting: Iterable[Envelope]) -> list[Envelope]:
    """Envelopes that open here, parents first."""
    by_hash = {one.header.hash: one for one in waiting}
    nodes = [
        Node(name, one.header.day, desk.opener.signed(one).parents) for name, one in by_hash.items()
    ]
    return [by_hash[node.hash] for node in ordered(nodes)]


def readable(desk: Desk, waiting: Iterable[Envelope]) -> tuple[list[Envelope], list[Envelope]]:
    """Those that open here, and those that do not, any more."""
    opened: list[Envelope] = []
    lost: list[Envelope] = []
    for one in waiting:
        try:
            desk.opener.signed(one)
        except Unopened:
            lost.append(one)
        else:
            opened.append(one)
    return opened, lost


def alarm_of(sign: Sign, one: Envelope) -> Alarm:
    """What is said of a sign of an envelope's, in its case."""
    return Alarm(sign, one.case.hex(), one.id.hex())


def shout(desk: Desk, sign: Sign, one: Envelope) -> None:
    """Say in its case what is wrong with an envelope."""
    with suppress(sqlite3.Error):
        # A disk that is full takes no alarm; what was kept is kept, and the next sync says it.
        desk.store.shout(alarm_of(sign, one))


def quieten(desk: Desk, one: Envelope) -> None:
    """Take back what was said of one that waits."""
    desk.store.quieten(*(alarm_of(sign, one) for sign in TROUBLES))


def _parts(desk: Desk, envelope: Envelope) -> list[bytes]:
    numbers = range(1, len(envelope.sizes) + 1)
    return [desk.store.part_path(envelope.id, number).read_bytes() for number in numbers]
