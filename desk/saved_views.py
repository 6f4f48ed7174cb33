"""Views of the list: a search and a sort under one name; the desk's, and the operator's own.

Rule: a view is a search (desk.search) and nothing else, so that whatever a view shows can be typed,
too.  The operator's own lie in one file, sealed as the index is: their words may be a reporter's.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crypto.errors import CannotOpen
from crypto.ids import Day
from crypto.local import LocalKey
from desk.config import write_private
from desk.errors import SearchRefused
from desk.search import Here, understood
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from desk.desk import Desk
    from desk.row import Row
    from desk.rules import Rules

PURPOSE = "views"
OWN_MOST = 50
NAME_MOST = 60

URGENCY, NEWEST, OLDEST, DUE, STATE, CATEGORY, ASSIGNED, REF = (
    "urgency", "newest", "oldest", "due", "state", "category", "assigned", "ref",
)  # fmt: skip
SORTS: dict[str, str] = {
    URGENCY: "Most urgent first",
    DUE: "Due first",
    NEWEST: "Newest first",
    OLDEST: "Oldest first",
    STATE: "By state",
    CATEGORY: "By category",
    ASSIGNED: "By operator",
    REF: "By reference",
}


@dataclass(frozen=True, slots=True)
class View:
    """One view: its id, how it reads, what it searches for, how it sorts."""

    id: str
    name: str
    search: str = ""
    sort: str = URGENCY
    own: bool = False


OURS: dict[str, View] = {
    one.id: one
    for one in (
        View("all", "All"),
        View("mine", "Mine", "is:mine is:open"),
        View("urgent", "Urgent", "is:urgent is:open"),
        View("due", "Due today", "due:today is:open", DUE),
        View("waiting", "Waiting for the reporter", "state:info_requested", DUE),
        View("unanswered", "Unanswered", "is:unanswered"),
        View("unchecked", "Anonymous, to be checked", "is:unchecked"),
        View("returned", "Returned", "state:returned"),
        View("danger", "Danger", "is:danger"),
        View("withdrawn", "Withdrawn", "is:withdrawn"),
        View("anonymous", "Anonymous", "is:anonymous"),
        View("alarms", "With alarms", "is:alarmed"),
    )
}


class Views:
    """The views of one unlocked desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._path = desk.home.views
        self._key = LocalKey.of(desk.keyring.key, PURPOSE)

    def all(self) -> tuple[View, ...]:
        """Ours, as far as the institution's rules have what they ask for; then the operator's."""
        return (*(one for one in OURS.values() if self._fits(one)), *self.own())

    def own(self) -> tuple[View, ...]:
        """The operator's own; none where the file is missing, or is not this desk's."""
        try:
            sealed = self._path.read_bytes()
            told = json.loads(self._key.open(PURPOSE.encode(), b"", sealed))
        except (FileNotFoundError, CannotOpen):
            return ()
        return tuple(
            View(one["id"], one["name"], one["search"], one["sort"], own=True) for one in told
        )

    def named(self, untrusted: str) -> View:
        """The view with this id or this name.

        Raises:
            SearchRefused: there is none; the message lists those there are.
        """
        wanted = untrusted.strip().casefold()
        for one in self.all():
            if wanted in (one.id, one.name.casefold()):
                return one
        known = Several(", ", (one.name if one.own else one.id for one in self.all()))
        raise SearchRefused(Sentence("There is no such view. There are: {known}.", known=known))

    def save(self, name: str, search: str, sort: str = URGENCY) -> View:
        """Keep a search under a name; one of the operator's own with that name is replaced.

        Raises:
            SearchRefused: the name is empty, too long or one of ours, the search or the sort is
                not understood, or there are too many.
        """
        said = " ".join(name.split())
        if not said or len(said) > NAME_MOST or not said.isprintable():
            raise SearchRefused(
                Sentence("A view's name has 1 to {most} characters.", most=NAME_MOST)
            )
        ours = {word.casefold() for one in OURS.values() for word in (one.id, one.name)}
        if said.casefold() in ours:
            raise SearchRefused("The desk has a view of that name already. Choose another.")
        understood(search, here(self._desk))
        _known_sort(sort)
        fresh = View(secrets.token_hex(8), said, search.strip(), sort, own=True)
        others = [one for one in self.own() if one.name.casefold() != said.casefold()]
        if len(others) >= OWN_MOST:
            raise SearchRefused(
                Sentence("There are {most} views already. Forget one first.", most=OWN_MOST)
            )
        self._write([*others, fresh])
        return fresh

    def forget(self, untrusted: str) -> View:
        """Forget one of the operator's own, by id or name; raises SearchRefused."""
        gone = self.named(untrusted)
        if not gone.own:
            raise SearchRefused("That view is the desk's own, and stays.")
        self._write([one for one in self.own() if one.id != gone.id])
        return gone

    def _fits(self, view: View) -> bool:
        try:
            understood(view.search, here(self._desk))
        except SearchRefused:
            # An institution may have renamed the states away that a view of ours names.
            return False
        return True

    def _write(self, views: Sequence[View]) -> None:
        told = [
            {"id": one.id, "name": one.name, "search": one.search, "sort": one.sort}
            for one in views
        ]
        sealed = self._key.seal(PURPOSE.encode(), b"", json.dumps(told).encode())
        write_private(self._path, sealed)


def here(desk: Desk) -> Here:
    """What a search on this desk is asked on; `me` is how the newest roster names its operator."""
    operator = desk.trust.newest.operator_of(desk.keyring.sign.public.kid)
    return Here(desk.rules, operator.label if operator else "", desk.today())


def found(desk: Desk, view: View, rows: Iterable[Row]) -> list[Row]:
    """The rows that a view shows, in its order.

    Raises:
        SearchRefused: the search or the sort is not understood.
    """
    chosen = understood(view.search, here(desk)).chosen(rows)
    return sorted(chosen, key=_keys(desk.rules)[_known_sort(view.sort)])


def counted(desk: Desk, views: Iterable[View], rows: Sequence[Row]) -> dict[str, int]:
    """How many rows each view shows, by its id; a view that is no longer understood shows none."""
    counts = {}
    for view in views:
        try:
            counts[view.id] = len(understood(view.search, here(desk)).chosen(rows))
        except SearchRefused:
            counts[view.id] = 0
    return counts


def narrowed(view: View, search: str = "", sort: str = "") -> View:
    """A view, with what was typed in addition, and another sort where one was chosen."""
    both = " ".join(one for one in (view.search, search.strip()) if one)
    return replace(view, search=both, sort=sort or view.sort)


def _known_sort(untrusted: str) -> str:
    if untrusted not in SORTS:
        raise SearchRefused(
            Sentence("The list is sorted by one of: {known}.", known=Several(", ", SORTS))
        )
    return untrusted


def _keys(rules: Rules) -> dict[str, Callable[[Row], tuple[object, ...]]]:
    """By sort: the key of a row.  Cases alike come as their urgency has them."""
    ranks = {name: rank for rank, name in enumerate(rules.priorities)}
    states = {name: rank for rank, name in enumerate(rules.states)}
    usual, never = ranks[rules.usual], Day(2**32)

    def urgency(row: Row) -> tuple[object, ...]:
        rank = ranks.get(row.priority, usual)
        return (not row.danger, rank, not row.unanswered, -row.day, row.id)

    return {
        URGENCY: urgency,
        DUE: lambda row: (row.due.due if row.due else never, *urgency(row)),
        NEWEST: lambda row: (-row.day, *urgency(row)),
        OLDEST: lambda row: (row.day, *urgency(row)),
        STATE: lambda row: (states.get(row.state, -1), *urgency(row)),
        CATEGORY: lambda row: (row.category, *urgency(row)),
        ASSIGNED: lambda row: (not row.assigned, row.assigned, *urgency(row)),
        REF: lambda row: (row.id,),
    }
