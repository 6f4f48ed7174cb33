"""Commands of amana-desk, run in a test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from click.testing import CliRunner

from crypto.ids import Day
from desk.cli import main
from desk.config import DeskHome
from desk.program import Setting
from tests.desk.world import CHEAP, TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


class Run(Protocol):
    """Runs a command; `how` is what click's runner takes, such as `input`."""

    def __call__(
        self, *arguments: str, home: DeskHome | None = None, today: int = TODAY, **how: Any
    ) -> Result:
        """Run `amana-desk` with these arguments."""
        ...


def running(folder: Path, phrase: Path) -> Run:
    """Run commands on the desk in a folder, or in another."""

    def invoke(
        *arguments: str, home: DeskHome | None = None, today: int = TODAY, **how: Any
    ) -> Result:
        where = DeskHome(home.folder if home else folder, passphrase_file=phrase)
        setting = Setting(where, today=lambda: Day(today), cost=CHEAP)
        return CliRunner().invoke(main, list(arguments), obj=setting, **how)

    return invoke


def done(result: Result) -> str:
    """What a command that was to succeed printed."""
    assert result.exit_code == 0, result.output
    return result.stdout
