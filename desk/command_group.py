"""The group that every program of this room is made of: errors in one place, imports when needed.

Rule: what could not be done is one calm line on stderr and exit code 1, in every program alike.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import click

from crypto.errors import CryptoError
from desk.damage import unusable
from desk.errors import DeskError
from terminal.ending import to_its_end, unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Refusal(click.ClickException):
    """What could not be done, as the command line says it; `program` is set by the group."""

    program = "amana-desk"

    def show(self, file: Any = None) -> None:  # noqa: ANN401  # as click declares it
        """One calm line on stderr."""
        click.echo(f"{self.program}: {self.format_message()}", file=file, err=True)


class Group(click.Group):
    """A program's commands."""

    program: ClassVar[str] = Refusal.program
    errors: ClassVar[tuple[type[Exception], ...]] = (DeskError, CryptoError)
    """What becomes a refusal; anything else is a fault of ours, and shows itself."""
    later: Mapping[str, Callable[[], object]] = {}
    """By command: what registers it, where importing it takes longer than others should wait."""

    def main(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401  # as click declares it
        """Run the program; what the machine refuses before a command runs is a line as well."""
        if sys.stdin is None:
            # Closed (`<&-`): whoever asks finds the end of it, and no terminal.
            sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115  # as long as the program
        return to_its_end(lambda: super(Group, self).main(*arguments, **extra), self._end)

    def _end(self, why: str) -> NoReturn:
        click.echo(f"{self.program}: {why}", err=True)
        sys.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, loaded or not."""
        return sorted({*super().list_commands(ctx), *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now if it was not."""
        if cmd_name in self.later and cmd_name not in self.commands:
            self.later[cmd_name]()
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # as click declares it
        """Run the command."""
        caught: tuple[type[Exception], ...] = (Refusal, *self.errors)
        try:
            return super().invoke(ctx)
        except caught as error:
            said = str(error)
        except sqlite3.Error as error:
            said = str(unusable(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            # A full disk, a folder that is not ours: no fault of the program.  Of its output it is
            # said here, and not once more at the end.
            unwritten()
            said = ": ".join(
                filter(None, (str(error.filename or ""), error.strerror or str(error)))
            )
        refusal = Refusal(said)
        refusal.program = self.program
        raise refusal from None
