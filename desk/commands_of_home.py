"""The commands about the desk itself: who works here, and what syncs shouted about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desk import words
from desk.about import about
from desk.cases import iso
from desk.command_group import Refusal
from desk.console import out, print_alarms
from desk.program import Setting, json_shape, jsonable, main, print_json, unlocking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from desk.alarms import Alarm


@main.command(
    "about",
    short_help="Say who works here, whom this desk believes, what waits.",
    epilog=json_shape(
        '--json: {"label", "role": "operator"|"custodian", "number": n, "fingerprint",',
        '  "deployment", "root_fingerprint", "server", "rehearsal": bool, "roster": {"epoch",',
        '  "first": day, "last": day, "in_force": bool, "operators": n, "custodians": n,',
        '  "quorum": n}, "last_sync", "waiting": [{"case", "number"}], "alarms": n,',
        '  "unfinished": [{"place", "gone": bool}]}',
    ),
)
@jsonable
@unlocking
@click.pass_obj
def about_desk(setting: Setting, *, as_json: bool, passphrase_file: Path | None) -> None:
    """Say who works here, which roster is in force and until when, and what waits to be sent."""
    found = about(setting.unlock(passphrase_file))
    if as_json:
        print_json(found.to_json())
        return
    if found.rehearsal:
        click.echo(words.REHEARSAL)
    number = f"number {found.number}" if found.number else "NOT IN THE ROSTER"
    click.echo(f"{found.role} {words.cell(found.label)!r}, {number}")
    click.echo(f"  keys        {found.fingerprint}")
    click.echo(f"  root        {found.root}")
    click.echo(f"  deployment  {found.deployment}")
    click.echo(f"  server      {found.server}")
    force = "" if found.in_force else "; NOT IN FORCE TODAY"
    click.echo(f"  roster      {found.epoch}, {iso(found.first)} to {iso(found.last)}{force}")
    click.echo(
        f"  it names    {words.count(found.operators, 'operator')}, "
        f"{words.count(found.custodians, 'custodian')}, of whom {found.quorum} open an identity"
    )
    click.echo(f"  last sync   {found.last_sync or 'never'}")
    for one in found.waiting:
        click.echo(f"  waiting to be sent: {one.ref} ({one.number})")
    if found.alarms:
        click.echo(f"  {words.count(found.alarms, 'alarm')}: amana-desk alarms")


@main.command(
    short_help="List what syncs shouted about, and clear it.",
    epilog=json_shape(
        '--json: {"alarms": [{"sign", "case", "envelope", "words", "key"}]}',
    ),
)
@click.option("--clear", is_flag=True, help="Forget them, after they were read and seen to.")
@click.option(
    "--only", metavar="KEY", multiple=True, help="With --clear: this one alone; its first digits."
)
@jsonable
@unlocking
@click.pass_obj
def alarms(
    setting: Setting, *, clear: bool, only: tuple[str, ...], as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """List what syncs shouted about. What a forged case shows comes from `verify`.

    What is cleared is what was printed: an alarm that came meanwhile stays.
    """
    if only and not clear:
        raise click.UsageError("--only goes with --clear.")
    desk = setting.unlock(passphrase_file)
    found: Sequence[Alarm] = sorted(desk.store.alarms())
    if only:
        found = [_named(found, key) for key in dict.fromkeys(only)]
    if as_json:
        print_json({"alarms": [one.to_json() | {"key": one.key} for one in found]})
    else:
        print_alarms(out(), found, keys=True)
        if not found:
            click.echo("No alarms.")
    if clear:
        desk.store.quieten(*found)


def _named(found: Sequence[Alarm], key: str) -> Alarm:
    chosen = [one for one in found if key and one.key.startswith(key.lower())]
    if len(chosen) != 1:
        raise Refusal(f"No one alarm here has a key that begins with {key!r}. Nothing was cleared.")
    return chosen[0]
