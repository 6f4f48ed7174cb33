"""`make quarter`: a fresh rehearsal that has E-Blagh's first quarter behind it.

The ceremony, the gateway and the desks are made by the programs that make them really; the
rosters of 2024 are signed by the rehearsal's root for days that are over. Every report says that
it is synthetic, every key that it is a rehearsal's.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.ids import date_of
from crypto.roster import RootPublicKey, Roster, verify_past_roster
from demo.__main__ import Setting, announce, enrol
from demo.conductor import Address, Conductor
from demo.rehearsal import (
    CUSTODIAN,
    OPERATORS,
    TERM,
    Places,
    RehearsalFailed,
    gateway_arguments,
    make_desk,
    phrase,
    roster_arguments,
    run,
    write_private,
)
from desk.config import DeskHome
from desk.keyring import Keyring
from gateway.config import GatewayConfig
from gateway.secrets import GatewaySecrets
from tests.quarter.fill import Filler
from tests.quarter.plan import FIRST, LAST, plan
from tests.quarter.seal import Hands
from vault.outside import RosterRow
from vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.ids import Day
    from tests.quarter.plan import Planned

PERIOD = f"{date_of(FIRST)}..{date_of(LAST)}"
_DAYS = 90


def hold_ceremony(places: Places) -> list[Roster]:
    """Root, keys, and the rosters: two for the quarter's days, one for today; oldest first."""
    places.home.mkdir(mode=0o700, parents=True)
    write_private(places.passphrase, f"rehearsal {os.urandom(8).hex()}\n")
    announce("making the offline root's key")
    run(["amana-root", "init", "--rehearsal", "--out", str(places.root), *phrase(places)])
    for name in (*OPERATORS, CUSTODIAN):
        make_desk(places, name, announce)
    announce("signing the rosters of 2024 and of today")
    past = [places.home / f"roster-{n}.note" for n in (1, 2)]
    first = roster_arguments(places)
    first[first.index("--out") + 1] = str(past[0])
    first[first.index("--days") + 1] = str(_DAYS)
    run(["amana-root", "roster", *first, "--not-before", str(date_of(FIRST))])
    after = date_of(FIRST) + dt.timedelta(days=_DAYS + 1)
    terms = (
        (past[0], past[1], ("--days", str(_DAYS), "--yes", "--not-before", str(after))),
        (past[1], places.roster, TERM),
    )
    for previous, new, term in terms:
        files = ["--root", str(places.root), "--previous", str(previous), "--out", str(new)]
        run(["amana-root", "renew", *files, *term, *phrase(places)])
    root = RootPublicKey.from_text((places.root / "root.pub").read_text(encoding="ascii"))
    return [verify_past_roster(one.read_bytes(), root) for one in (*past, places.roster)]


def prepare_gateway(places: Places, rosters: Sequence[Roster]) -> GatewayConfig:
    """A gateway that remembers the earlier rosters, as one that was there would."""
    announce("preparing the gateway")
    config = GatewayConfig.from_environment({"AMANA_HOME": str(places.home)})
    config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (config.blobs, config.spool, config.secrets):
        folder.mkdir(mode=0o700, exist_ok=True)
    Vault.migrate(config.database_url)
    vault = Vault.open(config.database_url, config.blobs_url)
    for one in rosters[:-1]:
        vault.save_roster(RosterRow(one.epoch, one.hash, one.note))
    vault.close()
    run(["amana-gateway", "init", *gateway_arguments(places)])
    return config


def hands_of(places: Places, config: GatewayConfig, rosters: Sequence[Roster]) -> Hands:
    """The rehearsal operators' signing keys, and the gateway's pepper."""
    passphrase = places.passphrase.read_text(encoding="utf-8").strip()
    rings = [Keyring.load(DeskHome(places.desk(name)), passphrase) for name in OPERATORS]
    pepper = GatewaySecrets.load(config).pepper
    return Hands(rosters[:-1], [one.sign for one in rings], pepper)


def synchronise(setting: Setting, conductor: Conductor) -> None:
    """Enrol every desk and fetch everything, through the real sync."""
    address = setting.sync
    serve = ["amana-gateway", "serve", "sync", "--bind", str(address)]
    child = conductor.start(serve, {"AMANA_HOME": str(setting.places.home)})
    conductor.wait_until_it_answers(child, address)
    for name in (*OPERATORS, CUSTODIAN):
        enrol(setting, name)
        announce(f"syncing the desk of {name}")
        home = str(setting.places.desk(name))
        run(["amana-desk", "sync", *phrase(setting.places)], AMANA_DESK_HOME=home)


def make(setting: Setting, reports: Sequence[Planned]) -> int:
    """Fill a fresh home with those reports; return the number of envelopes that are there then.

    Raises RehearsalFailed and OSError.
    """
    conductor = Conductor()
    try:
        rosters = hold_ceremony(setting.places)
        config = prepare_gateway(setting.places, rosters)
        hands = hands_of(setting.places, config, rosters)

        def on_day(day: Day) -> Vault:
            return Vault.open(config.database_url, config.blobs_url, today=lambda: day)

        announce(f"sealing {len(reports):,} synthetic reports and what became of them")
        filler = Filler(hands, on_day)
        filler.fill(reports, announce)
        synchronise(setting, conductor)
    finally:
        conductor.stop()
    return filler.envelopes


def main() -> int:
    """Fill a fresh home with the whole quarter.

    Returns:
        0 when it is there, 1 when something could not be done (said on stderr).
    """
    home = Path(os.environ.get("AMANA_HOME", ".amana-quarter")).absolute()
    if home.exists():
        sys.stderr.write(f"{home} is there already; remove it, or name another with AMANA_HOME.\n")
        return 1
    read = os.environ.get
    setting = Setting(
        places=Places(home),
        site=Address.parse(read("AMANA_SITE_BIND", "127.0.0.1:8000")),
        sync=Address.parse(read("AMANA_SYNC_BIND", "127.0.0.1:8001")),
        desk=Address.parse(read("AMANA_DESK_BIND", "127.0.0.1:8002")),
    )
    began = time.monotonic()
    try:
        envelopes = make(setting, plan())
    except (RehearsalFailed, OSError) as failure:
        sys.stderr.write(f"The quarter could not be made: {failure}\n")
        return 1
    seconds = time.monotonic() - began
    sys.stdout.write(f"""
The quarter is in {home}: {envelopes:,} envelopes, {seconds:.0f} seconds.

  AMANA_HOME={home} make demo        opens the site and a desk on it; then look at Room, {PERIOD}
  export AMANA_DESK_HOME={setting.places.desk(OPERATORS[0])}
  export AMANA_DESK_PASSPHRASE_FILE={setting.places.passphrase}
  .venv/bin/amana-desk stats --period {PERIOD}
""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
