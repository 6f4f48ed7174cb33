"""Whether the server's list was read to its end, and what of a case may be among the rest.

Rule: the list is ordered by random ids and kept page by page, so between its first page and its
last, and after a line that broke in between, a desk holds any half of a case.  What is missing then
is no sign against the server nor against whoever named it: it is said that the list was not read
to its end.  A number stands for it: odd while a list is being read, and another one after each, so
that whoever reads a case in between knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.alarms import Alarm, Sign
from desk.damage import noted_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desk.store import Store

_READING = "reading"

OF_WHAT_IS_MISSING = frozenset({
    Sign.REPORT_MISSING, Sign.EVIDENCE_MISSING, Sign.EVIDENCE_NOT_NAMED, Sign.IDENTITY_MISSING,
    Sign.IDENTITY_NOT_NAMED, Sign.FOLLOW_UP_UNPROVEN, Sign.PARENT_MISSING, Sign.FOUR_EYES_UNTOLD,
    Sign.QUARANTINE_UNFOUNDED,
})  # fmt: skip
"""The signs that the rest of a list may take away."""


def reading(store: Store) -> int:
    """The number; what was read of a case is all there was if it stays the same, and is even."""
    return noted_number(store.noted(_READING))


def begin(store: Store) -> None:
    """From now on this desk may hold a half of anything."""
    store.note(_READING, str(reading(store) | 1))


def end(store: Store) -> None:
    """The list was read to its end."""
    number = reading(store)
    if number & 1:
        store.note(_READING, str(number + 1))


def is_unread(store: Store, before: int) -> bool:
    """Whether a list was being read since the number was that, or one was not read to its end."""
    return bool(before & 1) or reading(store) != before


def told(alarms: Iterable[Alarm], *, half: bool) -> set[Alarm]:
    """The alarms of a case as they can be told by now: once, what the rest may explain."""
    return {
        Alarm(Sign.LIST_NOT_READ, one.case) if half and one.sign in OF_WHAT_IS_MISSING else one
        for one in alarms
    }
