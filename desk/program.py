"""What every command of amana-desk shares: the group, its options, its ways to end."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from desk import desk as engine
from desk.command_group import Group, Refusal
from desk.config import DeskHome
from desk.console import err, print_alarms
from desk.harden import harden_process
from desk.keyring import Keyring, require_some
from desk.passphrase import ask
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import Day
    from crypto.keyfile import KeyFileCost
    from desk.alarms import Alarm

ALARMS = 3
FILE = click.Path(path_type=Path, dir_okay=False)
_TEXT_BYTES_MOST = 1024 * 1024
"""Of what is read as words: far above what is taken, and far below what fills a memory."""
_Command = TypeVar("_Command", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a command is given: the desk's folder; and what a test replaces."""

    home: DeskHome
    today: Callable[[], Day] = engine.utc_today
    cost: KeyFileCost | None = field(default=None)

    def unlock(self, passphrase_file: Path | None) -> engine.Desk:
        """Ask for the passphrase and open the desk."""
        require_some(self.home)
        keyring = Keyring.load(self.home, ask(self.home, passphrase_file))
        desk = engine.Desk.open(self.home, keyring, today=self.today)
        for rest in Ledger.of(desk).rests():
            click.echo(f"amana-desk: {rest.words}", err=True)
        return desk


def read_text(path: Path, what: str = "text", encoding: str = "utf-8") -> str:
    """A file's text, or for `-` what stands on standard input.

    Raises:
        Refusal: it cannot be read, is too long or no text; `what` it was to be.
    """
    name = "Standard input" if str(path) == "-" else path
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(_TEXT_BYTES_MOST + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(_TEXT_BYTES_MOST + 1)
        text = raw.decode(encoding)
    except (OSError, UnicodeDecodeError):
        raise Refusal(f"{name} cannot be read as {what}.") from None
    if len(raw) > _TEXT_BYTES_MOST:
        raise Refusal(f"{name} is too long to be read as {what}.")
    return text.replace("\r\n", "\n")


class Said(click.ParamType[str]):
    """Words of an operator; `-` reads them from standard input.

    What stands on a command line is read by other programs, and kept in the shell's history.
    """

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The words themselves."""
        if value == "-":
            return read_text(Path(value)).strip()
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("this is not UTF-8 text", param, ctx)
        return value


SAID = Said()


def unlocking(command: _Command) -> _Command:
    """The option of every command that opens the key file."""
    return click.option(
        "--passphrase-file",
        type=FILE,
        help="Read the passphrase from this file's first line instead of asking.",
    )(command)


def jsonable(command: _Command) -> _Command:
    """The option of every command that lists."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, of a stable shape.")(
        command
    )


def json_shape(*lines: str) -> str:
    """What `--help` says of `--json`, its lines kept as they are."""
    return "\x08\n" + "\n".join(lines)


def print_json(content: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(content, ensure_ascii=True, indent=2))


def end_with(alarms: list[Alarm] | tuple[Alarm, ...]) -> None:
    """Print alarms on stderr and leave with 3 if there are any."""
    if alarms:
        print_alarms(err(), alarms)
        raise click.exceptions.Exit(ALARMS)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="amana")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Read and answer what was entrusted, with keys that only this machine has.

    The desk keeps its things in AMANA_DESK_HOME (default ~/.amana-desk). A case is named by the
    first digits of its id, as `list` shows them.
    """
    harden_process()
    if ctx.obj is None:
        ctx.obj = Setting(DeskHome.from_environment(os.environ))
