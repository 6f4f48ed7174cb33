"""`make quarter` with a fiftieth of it: every program that it runs is really run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from demo.__main__ import Setting
from demo.conductor import Address
from demo.rehearsal import OPERATORS, Places
from tests.quarter.__main__ import PERIOD, make
from tests.quarter.plan import SMALL, plan
from tests.support.ports import free_ports


def test_a_fresh_home_is_filled_and_the_desk_prints_the_figures_of_the_plan(
    tmp_path: Path,
) -> None:
    site, sync, desk = (Address("127.0.0.1", port) for port in free_ports(3))
    setting = Setting(places=Places(tmp_path / "home"), site=site, sync=sync, desk=desk)
    reports = plan(SMALL)
    envelopes = make(setting, reports)
    assert envelopes > 2 * len(reports)
    told = subprocess.run(
        [Path(sys.executable).with_name("amana-desk"), "stats", "--json", "--period", PERIOD],
        env={
            **os.environ,
            "AMANA_DESK_HOME": str(setting.places.desk(OPERATORS[0])),
            "AMANA_DESK_PASSPHRASE_FILE": str(setting.places.passphrase),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(told.stdout)["overview"]
    assert seen["received"] == len(reports)
    assert seen["terrorism"]["count"] == SMALL.categories["terrorism"]
    assert seen["full_identity"]["count"] == SMALL.named
    worked = (seen["identified"], seen["presented"], seen["wanted"])
    assert worked == (SMALL.identified, SMALL.presented, SMALL.wanted)
