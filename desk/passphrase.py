"""Ask for a passphrase, or read it from a file; never from the command line.

Rule: a passphrase on a command line stands in every process list and shell history.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from desk.errors import PassphraseMissing

if TYPE_CHECKING:
    from pathlib import Path

    from desk.config import DeskHome

CHARACTERS_LEAST = 12
_LINE_MOST = 4096


def ask(home: DeskHome | None, option: Path | None, *, new: bool = False) -> str:
    """The first line of `--passphrase-file` (or the environment's file), else what is typed.

    Where there is no desk, the environment has no say either.

    Raises:
        PassphraseMissing: no file and no terminal, an unreadable or empty file, or a new
            passphrase that is too short.
    """
    path = option or (home.passphrase_file if home else None)
    if path is not None:
        passphrase = _first_line(path)
    elif sys.stdin.isatty():
        passphrase = click.prompt(
            "New passphrase" if new else "Passphrase",
            hide_input=True,
            confirmation_prompt="Once more" if new else False,
            err=True,
        )
    else:
        instead = ", or set AMANA_DESK_PASSPHRASE_FILE" if home else ""
        raise PassphraseMissing(
            "There is no terminal to ask for the passphrase at. Use --passphrase-file "
            f"FILE{instead}."
        )
    if new and len(passphrase) < CHARACTERS_LEAST:
        raise PassphraseMissing(
            f"A passphrase has {CHARACTERS_LEAST} characters or more: six words drawn by dice are "
            "good."
        )
    return str(passphrase)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            read = file.readline(_LINE_MOST + 1)
    except (OSError, UnicodeDecodeError):
        raise PassphraseMissing(f"The passphrase file {path} cannot be read.") from None
    if len(read) > _LINE_MOST:
        raise PassphraseMissing(f"The passphrase file {path} begins with no line but with a mass.")
    line = read.rstrip("\r\n")
    if not line:
        raise PassphraseMissing(
            f"The passphrase file {path} is empty: the passphrase is its first line."
        )
    return line
