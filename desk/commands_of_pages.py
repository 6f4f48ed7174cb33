"""The command that serves the desk's pages to one browser on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from desk.console import showing
from desk.news import Bell
from desk.pages.app import create_pages
from desk.pages.background import Background
from desk.pages.door import Bind, Mounted, OneTimeLink
from desk.pages.serve import DeskServer, listening
from desk.program import Setting, main, unlocking

if TYPE_CHECKING:
    from pathlib import Path

DAY_MINUTES = 24 * 60


@main.command(short_help="Serve the desk's pages to one browser here.")
@click.option(
    "--bind", default="127.0.0.1:8002", show_default=True,
    help="A loopback address; port 0 is any that is free.",
)  # fmt: skip
@click.option(
    "--sync-every",
    "minutes",
    type=click.IntRange(1, DAY_MINUTES),
    help="Sync by itself, from when a browser was let in, every so many minutes.",
)
@unlocking
@click.pass_obj
def serve(setting: Setting, bind: str, minutes: int | None, passphrase_file: Path | None) -> None:
    """Serve the desk's pages to one browser on this machine, until Ctrl-C.

    With --sync-every the pages fetch what is new by themselves, until Lock or Ctrl-C; one that
    fails is said on the list, and tried again at the next interval.
    """
    asked = Bind.parse(bind)
    with listening(asked) as listener:
        address = asked.at(listener.getsockname()[1])
        desk = setting.unlock(passphrase_file)
        link = OneTimeLink()
        bell = Bell.configured(setting.home, os.environ)
        beside = Background()
        app = create_pages(desk, address, link, bell, beside, sync_minutes=minutes or 0)
        click.echo("The desk is open. This link works once, in one browser:")
        click.echo(f"  {address.origin}{link.path}")
        sys.stdout.flush()
        with showing() as progress:
            # Here it can be said how far it is; a page that asks meanwhile is kept waiting.
            desk.index.rows(progress)
        DeskServer(Mounted(app, link.root), listener, beside.end).run()
