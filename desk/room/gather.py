"""The facts of every case on this desk, from its sealed index (desk.index).

Rule: what is counted is never older than what is on this machine; a case is opened again only when
something of it came, or what it is judged by changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desk.desk import Desk
    from desk.progress import Progress
    from desk.room.fact import Fact


def facts(desk: Desk, progress: Progress | None = None) -> tuple[Fact, ...]:
    """Every case's, as its envelopes are now."""
    return tuple(row.fact for row in desk.index.rows(progress))
