"""The room's wall at a terminal: the same numbers as the page's, refreshed each minute.

Rule: where nobody looks at a terminal, it is printed once and ends; nothing on it is anybody's
words but ours and the institution's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table as Printed
from rich.text import Text

from desk import words as engine_words
from desk.console import out, showing
from desk.desk import local_stamp
from desk.program import Setting, main, unlocking
from desk.room import wall as engine
from desk.room import words
from desk.room.period import PeriodMalformed, chosen
from desk.room.tables import size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType

    from desk.desk import Desk
    from desk.room.tables import Row, Table
    from desk.room.wall import Tile, Wall

_BAR = 12
_TILE = 26
_LEVELS = "▁▂▃▄▅▆▇█"
_LEVELS_ASCII = " .:-=+*#"


@main.command(
    "wall",
    short_help="Show the room's wall at this terminal, until Ctrl-C.",
)
@click.option("--period", default="", help="As in `stats`  [default: month]")
@click.option("--from", "first", default="", help="The first day, as 2024-06-03.")
@click.option("--to", "last", default="", help="The last day; today if left out.")
@click.option("--once", is_flag=True, help="Print it once; so it is, too, where nobody looks.")
@unlocking
@click.pass_obj
def show_wall(  # noqa: PLR0913  # the options of one command
    setting: Setting, *, period: str, first: str, last: str, once: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Show the figures of a period, large, for a terminal in the room; counted anew each minute.

    It reads what is on this machine and syncs nothing: let a timer run `amana-desk sync`.
    """
    if period and (first or last):
        raise PeriodMalformed("Choose one of --period and --from/--to.")
    asked = (period or "month", first, last)
    # Before anybody is asked for a passphrase.
    chosen(*asked, setting.today())
    desk = setting.unlock(passphrase_file)
    console = out()
    with showing() as progress:
        found = engine.wall(desk, chosen(*asked, desk.today()), local_stamp(), progress)
    if once or not console.is_terminal:
        console.print(drawn(console, desk, found))
        return
    try:
        with Live(
            drawn(console, desk, found), console=console, screen=True, auto_refresh=False
        ) as live:
            while True:
                time.sleep(engine.SECONDS)
                found = engine.wall(desk, chosen(*asked, desk.today()), local_stamp())
                live.update(drawn(console, desk, found), refresh=True)
    except KeyboardInterrupt:
        click.echo("The wall was taken down.", err=True)


def drawn(console: Console, desk: Desk, found: Wall) -> RenderableType:
    """All of it, as wide as the terminal is."""
    ascii_only = console.options.ascii_only
    trend = _titled(found.trend_words, _trend(found.trend, ascii_only=ascii_only))
    charts = [
        _titled(words.TITLES[one.id], _bars(desk, one, ascii_only=ascii_only))
        for one in found.charts
    ]
    rehearsal = [Text(engine_words.REHEARSAL, "yellow")] if desk.trust.rehearsal else []
    return Group(
        *rehearsal, _head(found), _tiles(found.now, "bold cyan"), _tiles(found.over, "bold"),
        trend, Columns(charts, padding=(0, 2)),
    )  # fmt: skip


def _head(found: Wall) -> Text:
    said = Text(f"{found.period.text}  ", "bold")
    said.append(f"{found.stamp} · ", "dim")
    said.append(f"last sync {found.last_sync}" if found.last_sync else "never synced", "dim")
    if found.age:
        said.append(f" · {found.age}", "bold red")
    if found.alarms:
        said.append(f" · {engine_words.count(found.alarms, 'alarm')}", "bold red")
    return said


def _tiles(tiles: Sequence[Tile], style: str) -> Columns:
    return Columns([Panel(_tile(one, style), width=_TILE) for one in tiles], padding=(0, 1))


def _tile(one: Tile, style: str) -> Text:
    number = words.parts(one.cell)
    return Text.assemble((number.head, style), (f" {number.rest}\n", "dim"), (one.words, "dim"))


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(f"\n{title}", "bold"), body)


def _trend(table: Table, *, ascii_only: bool) -> RenderableType:
    """A column for each day, week or month, of all reports; the first and the last are named."""
    levels = _LEVELS_ASCII if ascii_only else _LEVELS
    counts = [sum(size(cell) for cell in row.cells) for row in table.rows]
    most = max([1, *counts])
    marks = "".join(levels[(len(levels) - 1) * count // most] for count in counts)
    ends = f"{table.rows[0].id} .. {table.rows[-1].id}, the most {max(counts)}"
    return Group(Text(marks, "cyan"), Text(ends, "dim"))


def _bars(desk: Desk, table: Table, *, ascii_only: bool) -> RenderableType:
    if table.is_empty:
        return Text("-", "dim")
    printed = Printed(box=None, pad_edge=False, show_header=False)
    for how in ("left", "left", "right"):
        printed.add_column(justify="right" if how == "right" else "left", no_wrap=True)
    for row in table.rows:
        printed.add_row(
            Text(words.row(table.id, row.id, desk.rules)),
            Text(_bar(row, table.most, ascii_only=ascii_only), "cyan"),
            words.shown(row.cells[0]),
        )
    return printed


def _bar(row: Row, most: int, *, ascii_only: bool) -> str:
    # At least a sign where there is anything.
    return ("#" if ascii_only else "█") * -(-_BAR * row.size // most)
