"""`make load`: one person reports while others try to close the site.

Twice: where addresses can be told apart, and where all come from one (an onion service, a proxy).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from tests.gateway.deployment import make_deployment
from tests.gateway.served import Running, start, stop
from tests.support.flood import Client, Told, drippers, flood, report

APART = "127.0.0.4"
SHARED = "127.0.0.1"


def say(what: str) -> None:
    """Print a line at once."""
    print(what, flush=True)  # noqa: T201  # a benchmark prints


def seconds(values: list[float]) -> str:
    """Median and worst."""
    return f"{statistics.median(values):.2f} s, worst {max(values):.2f} s"


def measured(port: int, address: str, wanted: argparse.Namespace, drips: list[str]) -> list[Told]:
    """Reports of one person after another, while the flood goes on; until it sent enough.

    Each comes from an address of their own: somebody who reports for the fiftieth time is a flood.
    """
    shared = address == SHARED
    flooder, guesser = (SHARED, SHARED) if shared else ("127.0.0.2", "127.0.0.3")
    told: list[Told] = []
    at_once = wanted.at_once
    with flood(port, drips=drips, reports=flooder, codes=guesser, at_once=at_once) as goes_on:
        goes_on.wait_for(int(len(drips) * 0.9), at_once)
        while goes_on.reports.value < wanted.reports or len(told) < wanted.normal:
            person = address if shared or not told else f"127.0.2.{len(told) % 250}"
            told.append(report(Client(port, person)))
            if wanted.verbose:
                say(f"    {told[-1]} after {goes_on.reports.value} reports")
        say(
            f"  {goes_on.dripping.value} connections dripped, {goes_on.reports.value} reports and "
            f"{goes_on.codes.value} codes were sent against it, {2 * at_once} at a time"
        )
    return told


def apart(running: Running, wanted: argparse.Namespace) -> bool:
    """Addresses differ: a report is through in less than 5 s."""
    say("Addresses that can be told apart:")
    told = measured(running.port, APART, wanted, drippers(wanted.drips))
    whole = [one.whole for one in told]
    good = all(one.received for one in told) and max(whole) < 5
    say(f"  {len(told)} reports, from the first page to the receipt: {seconds(whole)}  (< 5 s)")
    return good


def together(running: Running, wanted: argparse.Namespace) -> bool:
    """All come from one address: a ticket in less than 1 s, and the report when it was promised."""
    say("Addresses that cannot be told apart:")
    told = measured(running.port, SHARED, wanted, drippers(wanted.drips, SHARED))
    waited = [one for one in told if one.promised]
    # A second for the page itself, on its way.
    broken = [one for one in waited if one.whole > one.promised + 1]
    at_once = [one for one in told if not one.promised]
    tickets = [one.pages[2] for one in waited]
    if at_once:
        say(f"  {len(at_once)} reports without a ticket: {seconds([one.whole for one in at_once])}")
    if waited:
        say(f"  {len(waited)} reports got a ticket, in {seconds(tickets)}  (< 1 s)")
        say(f"  promised at the latest in {seconds([one.promised for one in waited])}")
        say(f"  received after {seconds([one.whole for one in waited])}")
    say(f"  {len(broken)} promises not kept  (none)")
    return all(one.received for one in told) and not broken and max(tickets, default=0) < 1


def main() -> None:
    """Start a site, flood it, and say what one person met."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--drips", type=int, default=500)
    reader.add_argument("--reports", type=int, default=2000)
    reader.add_argument("--at-once", type=int, default=16)
    reader.add_argument("--verbose", action="store_true")
    reader.add_argument("--scene", choices=["apart", "together"])
    reader.add_argument("--normal", type=int, default=5)
    wanted = reader.parse_args()
    load = os.getloadavg()[0]
    say(f"{os.cpu_count()} processors, load before {load:.1f}; the flood runs on them, too.")
    good = True
    scenes = [apart, together] if wanted.scene is None else [globals()[wanted.scene]]
    for scene in scenes:
        with tempfile.TemporaryDirectory() as name:
            deployment = make_deployment(Path(name) / "home")
            running = start(deployment, which="site")
            try:
                good = scene(running, wanted) and good
            finally:
                stop(running)
                deployment.vault.close()
    say("kept" if good else "NOT KEPT")


if __name__ == "__main__":
    main()
