"""Acts of one case, signed by whoever a test says, each knowing of what a test says it knew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crypto.header import Kind
from crypto.manifest import EntryBody
from tests.desk.world import TODAY

if TYPE_CHECKING:
    from crypto.ids import Day
    from tests.desk.world import Reporter, Row, World

READY: dict[str, Any] = {"service": "cyber_unit", "basis": "place_of_act"}


class Journal:
    """Writes acts of one case, each knowing of the one before unless told otherwise."""

    def __init__(self, world: World, reporter: Reporter, first: Row) -> None:
        self.world, self.reporter, self.last = world, reporter, first

    def act(  # what an act has
        self, kind: str, data: dict[str, Any], *, by: int = 1, after: Row | None = None,
        day: Day = TODAY,
    ) -> Row:  # fmt: skip
        """One act, by the operator of this place in the roster."""
        parent = after or self.last
        self.last = self.world.by_operator(
            Kind.ENTRY, self.reporter.case, EntryBody(type=kind, data=data).to_json(),
            parents=[parent.header.hash], signer=self.world.operators[by].sign, day=day,
        )  # fmt: skip
        return self.last

    def state(  # the same
        self, name: str, *, by: int = 1, after: Row | None = None, day: Day = TODAY, **facts: str
    ) -> Row:
        """One state."""
        return self.act("status", {"state": name, **facts}, by=by, after=after, day=day)
