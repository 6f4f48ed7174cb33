"""The quarter goes into a vault by the vault's own doors, each thing on its own day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.header import Kind
from crypto.ids import Day
from crypto.pepper import Pepper
from tests.desk.world import World
from tests.quarter.fill import Filler
from tests.quarter.plan import FIRST, LAST, SMALL, Said, plan
from tests.quarter.seal import Hands
from vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path


def test_the_vault_holds_each_case_as_the_gateway_would_have_left_it(tmp_path: Path) -> None:
    world = World.make()
    rosters = [
        world.renewed(not_before=first, not_after=Day(first + 90))
        for first in (FIRST, Day(FIRST + 91))
    ]
    hands = Hands(rosters, [one.sign for one in world.operators], Pepper.generate())
    (tmp_path / "blobs").mkdir()
    urls = (f"sqlite:///{tmp_path}/vault.db", f"file://{tmp_path}/blobs")
    Vault.migrate(urls[0])
    talked = [one for one in plan(SMALL) if any(isinstance(two, Said) for two in one.history)]
    reports = sorted([*talked[:2], *plan(SMALL)[:6]], key=lambda one: one.number)
    announced: list[str] = []
    filler = Filler(hands, lambda day: Vault.open(*urls, today=lambda: day))
    filler.fill(reports, announced.append)
    assert len(announced) == (LAST - FIRST + 1) // 10
    vault = Vault.open(*urls)
    kept = vault.index()
    assert len(kept) == filler.envelopes
    for one in reports:
        case = hands.case(one.number)
        row = vault.case(case)
        assert row is not None
        assert row.received_day == one.day
        said = sum(isinstance(two, Said) for two in one.history)
        kinds = [envelope.header.kind for envelope in kept if envelope.case == case]
        assert kinds.count(Kind.REPORT) == 1
        assert kinds.count(Kind.FOLLOW_UP) == said
        assert kinds.count(Kind.IDENTITY) == 1 + said
        assert len(kinds) == 2 + 2 * said + len(one.history) - said
    assert talked
    vault.close()
