"""One person reports while others try to close the site: a small `make load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.deployment import make_deployment
from tests.gateway.served import start, stop
from tests.support.flood import Client, Told, drippers, flood, report

if TYPE_CHECKING:
    from pathlib import Path

DRIPS = 50
AT_ONCE = 4


def flooded(home: Path, person: str, flooder: str, guesser: str, drips: list[str]) -> list[Told]:
    """What a person met who reported twice meanwhile."""
    deployment = make_deployment(home)
    running = start(deployment, which="site")
    try:
        with flood(
            running.port, drips=drips, reports=flooder, codes=guesser, at_once=AT_ONCE
        ) as goes_on:
            goes_on.wait_for(DRIPS - 10, 2 * AT_ONCE)
            told = [report(Client(running.port, person)) for _ in range(2)]
            assert goes_on.codes.value > 0
    finally:
        stop(running)
        deployment.vault.close()
    return told


@pytest.mark.claim("C-TURN")
def test_a_report_is_through_in_time_while_one_address_floods_and_another_guesses(
    tmp_path: Path,
) -> None:
    told = flooded(tmp_path / "home", "127.0.0.4", "127.0.0.2", "127.0.0.3", drippers(DRIPS))
    assert all(one.received for one in told)
    assert max(one.whole for one in told) < 5


@pytest.mark.claim("C-TURN")
def test_where_all_come_from_one_address_a_report_is_received_when_it_was_promised(
    tmp_path: Path,
) -> None:
    here = "127.0.0.1"
    told = flooded(tmp_path / "home", here, here, here, drippers(DRIPS, here))
    assert all(one.received for one in told)
    for one in told:
        if one.promised:
            assert one.whole < one.promised + 1
