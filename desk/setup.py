"""The commands that make a desk and keep it in step with its server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from crypto.ids import date_of
from desk import desk as engine
from desk import words
from desk.command_group import Refusal
from desk.console import showing
from desk.keyring import Keyring, require_none, require_some
from desk.news import Bell, sync_and_tell
from desk.passphrase import ask
from desk.program import (
    FILE,
    Setting,
    end_with,
    json_shape,
    jsonable,
    main,
    print_json,
    read_text,
    unlocking,
)

if TYPE_CHECKING:
    from pathlib import Path


@main.command(short_help="Make this desk's keys, sealed under a new passphrase.")
@click.option("--label", required=True, help="Who this is, as the roster will name them.")
@click.option("--out", required=True, type=FILE, help="The public keys, for the root's keyholder.")
@click.option("--custodian", is_flag=True, help="Keys that open identities, and nothing else.")
@unlocking
@click.pass_obj
def keygen(
    setting: Setting, label: str, out: Path, *, custodian: bool, passphrase_file: Path | None
) -> None:
    """Make this desk's keys, sealed under a new passphrase."""
    keyring = Keyring.generate(label, custodian=custodian)
    enrolment = keyring.enrolment
    require_none(setting.home)
    try:
        # First, for no command writes the public keys of a desk again.
        with out.open("xb") as file:
            try:
                passphrase = ask(setting.home, passphrase_file, new=True)
                keyring.save(setting.home, passphrase, cost=setting.cost)
                file.write(enrolment.to_json())
            except BaseException:
                out.unlink()
                raise
    except FileExistsError:
        raise Refusal(f"{out} is there already. Name a new file.") from None
    except OSError as error:
        raise Refusal(f"{error.filename or out} cannot be written: {error.strerror}") from None
    click.echo(f"{setting.home.keys}: the private keys; keep the passphrase elsewhere")
    click.echo(f"{out}: hand this to the keyholder of the root, and read aloud:")
    click.echo(f"  {enrolment.fingerprint}")


@main.command(short_help="Pin a server and a root, and verify the roster.")
@click.option("--server", required=True, help="The sync address, like https://sync.example.org")
@click.option("--root-public", required=True, type=FILE, help="The root's public key (root.pub).")
@unlocking
@click.pass_obj
def enrol(setting: Setting, server: str, root_public: Path, passphrase_file: Path | None) -> None:
    """Pin a server and a root: fetch the roster, verify it, and find this desk's keys in it."""
    untrusted = read_text(root_public, "a root's public key", "ascii")
    require_some(setting.home)
    keyring = Keyring.load(setting.home, ask(setting.home, passphrase_file))
    roster = engine.enrol(setting.home, keyring, server, untrusted, today=setting.today)
    if roster.rehearsal:
        click.echo(words.REHEARSAL)
    click.echo(
        f"Enrolled as {keyring.role} {keyring.label!r}: roster {roster.epoch}, "
        f"{words.count(len(roster.operators), 'operator')}, "
        f"{words.count(len(roster.custodians), 'custodian')}, valid until "
        f"{date_of(roster.not_after)}."
    )


@main.command(
    short_help="Fetch what is new, and send what waits.",
    epilog=json_shape(
        '--json: {"envelopes": n, "cases": [id], "files": n, "bytes": n, "posted": n,',
        '         "waiting": n, "cut": bool, "left": [{"case", "envelope", "bytes"}],',
        '         "alarms": [{"sign", "case", "envelope", "words"}]}',
    ),
)
@click.option(
    "--on-news",
    metavar="COMMAND",
    help="Run this when something came (a bell, a mail); else what stands in the file on-news of "
    "the desk's folder. No shell reads it; it is told AMANA_NEWS_CASES, _FILES and _ALARMS, which "
    "are numbers, and nothing else.",
)
@jsonable
@unlocking
@click.pass_obj
def sync(
    setting: Setting, *, on_news: str | None, as_json: bool, passphrase_file: Path | None
) -> None:
    """Fetch what is new, send what waits, and compare with what was there.

    A sync that was cut goes on where it was cut. Exit 3 when there are alarms.
    """
    bell = (
        Bell.configured(setting.home, os.environ)
        if on_news is None
        else Bell.of(on_news, os.environ)
    )
    desk = setting.unlock(passphrase_file)
    with showing(in_bytes=True) as progress:
        done, complaint = sync_and_tell(desk, progress, bell, stamp=engine.local_stamp())
    if complaint:
        click.echo(f"amana-desk: {complaint}", err=True)
    if as_json:
        print_json(done.to_json())
    else:
        click.echo(done.words)
    end_with(done.alarms)
