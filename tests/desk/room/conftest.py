"""A desk that has a fiftieth of the quarter: sealed, synced, opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from crypto.pepper import Pepper
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.server import serving
from tests.desk.world import World, make_desk, row
from tests.quarter.plan import FIRST, SMALL, Planned, plan
from tests.quarter.seal import CaseSealer, Hands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desk.desk import Desk


@pytest.fixture(scope="module")
def reports() -> list[Planned]:
    return plan(SMALL)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory, reports: list[Planned]) -> Iterator[Desk]:
    """The desk, its server still answering."""
    world = World.make()
    first = world.renewed(epoch=1, previous=bytes(32), not_before=FIRST, not_after=Day(FIRST + 90))
    second = world.renewed(
        epoch=2, previous=first.hash, not_before=Day(FIRST + 91), not_after=Day(FIRST + 181)
    )
    world.roster = world.renewed(epoch=3, previous=second.hash)
    hands = Hands((first, second), [one.sign for one in world.operators], Pepper.generate())
    with serving(world) as server:
        server.history |= {1: first.note, 2: second.note}
        for one in reports:
            sealer = CaseSealer(hands, one)
            sealed = sealer.report()
            for said in one.history:
                sealed += sealer.later(said)
            server.put(*(row(each) for each in sealed))
        desk = make_desk(tmp_path_factory.mktemp("quarter") / "desk", world, server.url)
        synchronise(desk, Silence(), stamp="2026-11-22 09:40")
        yield desk
