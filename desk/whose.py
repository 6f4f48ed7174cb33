"""Whose a message of a case is, and what follows from that.

Rule: whoever sent a report that lies beside the case's own is heard, and decides nothing in it:
what they withdraw is not withdrawn, and a name that they give is not the reporter's.  Where nobody
here can tell which report is the one, a withdrawal of any counts, because what was passed on cannot
be called back; a name that was given later does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.manifest import IDENTITY_LATER, WITHDRAWAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crypto.manifest import ReportManifest
    from desk.origins import Origin
    from desk.verify import FollowUp

NAME_DIGITS = 8
_MODES = {"anonymous": 1, "contact_only": 2, "full_identity": 3}


def is_beside(origin: Origin, one: FollowUp) -> bool:
    """Whether it is known to come from somebody else than whoever began the case."""
    return origin.is_sure and not one.is_own


def in_turn(origin: Origin, follow_ups: Iterable[FollowUp]) -> tuple[FollowUp, ...]:
    """The messages as they are counted: no stranger's changes the number of one of the reporter."""
    return tuple(sorted(follow_ups, key=lambda one: is_beside(origin, one)))


def withdrawals(origin: Origin, follow_ups: Iterable[FollowUp]) -> Iterator[FollowUp]:
    """Those that ask that the case be erased, and may."""
    for one in follow_ups:
        if one.body.type == WITHDRAWAL and not is_beside(origin, one):
            yield one


def later_identities(follow_ups: Iterable[FollowUp]) -> Iterator[FollowUp]:
    """Those that brought the reporter's name or contact."""
    return (one for one in follow_ups if one.body.type == IDENTITY_LATER and one.is_own)


def identity_mode(report: ReportManifest | None, follow_ups: Iterable[FollowUp]) -> str:
    """The most that was given, with the report or later; empty where nothing says."""
    given = [report.identity_mode] if report else []
    given += [one.body.identity_mode for one in later_identities(follow_ups)]
    return max(given, key=lambda mode: _MODES.get(mode, 0), default="")


def sender(one: FollowUp) -> str:
    """The beginning of the id of its sender's report, or first message; empty for the reporter."""
    return "" if one.is_own or one.of is None else one.of.hex()[:NAME_DIGITS]
