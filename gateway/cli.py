"""amana-gateway: make a gateway, serve it, renew its roster, check it, and forget what is old.

Exit 0: done.  1: something is wrong, said on stderr.  2: the command line was not understood.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from crypto.errors import CryptoError
from crypto.ids import date_of
from crypto.roster import RootPublicKey
from gateway import home
from gateway.check import check, jail_findings
from gateway.config import GatewayConfig, check_bind
from gateway.errors import AlreadyInitialised, ConfigRefused, GatewayError
from gateway.programs import (
    check_forms,
    close_left_windows,
    current_roster,
    open_vault,
    read_root,
    site_program,
    sync_program,
)
from gateway.server import serve
from gateway.worker import UMASK
from terminal.ending import to_its_end
from vault.errors import VaultError
from vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.roster import Roster

_FILE = click.Path(path_type=Path, dir_okay=False)
_ROOT_MOST = 4096  # characters; it is one line of some 70
_ERRORS = (GatewayError, VaultError, CryptoError)


def _config(chosen_home: Path | None) -> GatewayConfig:
    environment = dict(os.environ)
    if chosen_home is not None:
        environment["AMANA_HOME"] = str(chosen_home)
    return GatewayConfig.from_environment(environment)


def _home_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--home",
        "chosen_home",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where Amana keeps things; instead of AMANA_HOME (./.amana).",
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run the gateway that reports are sent to.  It holds no key that opens one."""


@cli.command(short_help="Make a gateway's folder.")
@click.option("--root-public", required=True, type=_FILE, help="The root's public key (root.pub).")
@click.option("--roster", "roster_path", required=True, type=_FILE, help="A roster that it signed.")
@_home_option
def init(root_public: Path, roster_path: Path, chosen_home: Path | None) -> None:
    """Make a gateway's folder: database, secrets, the pinned root and the roster."""
    config = _config(chosen_home)
    try:
        with root_public.open(encoding="ascii") as file:
            untrusted = file.read(_ROOT_MOST)
    except (OSError, ValueError):
        raise ConfigRefused(f"{root_public} cannot be read") from None
    root = RootPublicKey.from_text(untrusted)
    try:
        roster = home.initialise(config, root, home.read_note(roster_path))
    except AlreadyInitialised as already:
        if not already.same:
            raise
        click.echo(str(already))
        return
    click.echo(f"{config.home} is ready.")
    click.echo(f"The root's fingerprint, to compare with its keyholder's: {root.fingerprint}")
    click.echo(_in_words(roster))
    click.echo(
        f"Back up {config.pepper_path} apart from the database: no receipt works without it."
    )


@cli.command(name="serve", short_help="Serve the reporters' site, or the desks' sync.")
@click.argument("which", type=click.Choice(["site", "sync"]))
@click.option(
    "--bind", help="host:port or unix:/path; instead of AMANA_SITE_BIND, AMANA_SYNC_BIND."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Instead of AMANA_WORKERS.")
@click.option("--threads", type=click.IntRange(1, 256), help="Instead of AMANA_THREADS.")
@_home_option
def serve_command(
    which: str,
    bind: str | None,
    workers: int | None,
    threads: int | None,
    chosen_home: Path | None,
) -> None:
    """Serve the reporters' site, or the desks' sync, until a signal ends it."""
    config = _config(chosen_home)
    config = dataclasses.replace(
        config, workers=workers or config.workers, threads=threads or config.threads
    )
    program = {"site": site_program, "sync": sync_program}[which](config)
    if bind is not None:
        program = dataclasses.replace(program, bind=check_bind(bind, "--bind"))
    # What a worker would trip over is said here, once and in words.
    read_root(config)
    if which == "site":
        check_forms(config)
    Vault.migrate(config.database_url)
    vault = open_vault(config)
    try:
        current_roster(config, vault).get()
    finally:
        vault.close()
    serve(program, config)


@cli.command(short_help="Verify a new roster and put it in force.")
@click.argument("roster_path", metavar="FILE", type=_FILE)
@_home_option
def roster(roster_path: Path, chosen_home: Path | None) -> None:
    """Verify a new roster and put it in force; what serves picks it up without a restart."""
    config = _config(chosen_home)
    installed = home.install_roster(config, read_root(config), home.read_note(roster_path))
    click.echo(_in_words(installed))


@cli.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@_home_option
def check_command(*, as_json: bool, chosen_home: Path | None) -> None:
    """Say what protects this gateway; exit 1 when something is wrong."""
    findings = check(_config(chosen_home), jail_findings)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in findings], indent=2))
    else:
        for one in findings:
            click.echo(f"{one.state:5}  {one.what}: {one.found}")
    if any(one.state == "wrong" for one in findings):
        sys.exit(1)


@cli.command()
@_home_option
def expire(chosen_home: Path | None) -> None:
    """Forget abandoned uploads, old nonces and what crashes left.  Run it once a day."""
    config = _config(chosen_home)
    vault = open_vault(config)
    try:
        # Before the rest, which ends by emptying the log of what was there.
        windows = close_left_windows(config, vault)
        gone = vault.expire(staged_days=config.staged_days)
    finally:
        vault.close()
    spools = home.sweep_spool(config)
    click.echo(
        f"forgot {gone.staged} abandoned uploads, {gone.blobs} files, {gone.nonces} nonces, "
        f"{spools} spools, {windows} receipt windows"
    )


def _in_words(roster: Roster) -> str:
    kind = " (REHEARSAL keys: for trying, not for reports)" if roster.rehearsal else ""
    return (
        f"Roster of epoch {roster.epoch}, valid until {date_of(roster.not_after)}: "
        f"{len(roster.operators)} operators, {roster.quorum} of {len(roster.custodians)} "
        f"custodians{kind}."
    )


def main() -> None:
    """Run a command; every error of ours is one line without a traceback."""
    # Whatever is made from here on is for this user alone.
    os.umask(UMASK)
    to_its_end(_run, _refuse)


def _run() -> None:
    try:
        cli.main(prog_name="amana-gateway", standalone_mode=True)
    except _ERRORS as error:
        _refuse(str(error) or type(error).__name__)


def _refuse(why: str) -> NoReturn:
    print(f"amana-gateway: {why}", file=sys.stderr)
    sys.exit(1)
