"""The command room's commands: figures of any period, and the public bulletin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table as Printed
from rich.text import Text

from desk.console import out, showing
from desk.program import Setting, json_shape, jsonable, main, print_json, unlocking
from desk.room import words
from desk.room.bulletin import Edition, check, draft, publish, published
from desk.room.figures import figures
from desk.room.gather import facts
from desk.room.output import to_csv, to_json
from desk.room.period import NAMES, Period, PeriodMalformed, between, parse_period
from desk.words import REHEARSAL

if TYPE_CHECKING:
    from rich.console import Console

    from crypto.ids import Day
    from desk.desk import Desk
    from desk.room.bulletin import Draft, Proven
    from desk.room.tables import Table
    from desk.rules import Rules

_FOLDER = click.Path(path_type=Path, file_okay=False)
_HOW = f"{', '.join(NAMES)}, 2024-06, 2024-Q3 or 2024-06-03..2024-09-02."


@main.command(
    short_help="Count what came and what became of it.",
    epilog=json_shape(
        '--json: {"v": 1, "rehearsal": bool, "from": day, "to": day, "days": n, "as_of": day,',
        '  "unreadable": n, "overview": {id: figure},',
        '  "tables": {id: [{"id", column: figure}]}}',
        'figure: n | {"count", "of", "percent"} | {"count", "of", "value"} |',
        '        {"median", "of"} | null',
    ),
)
@click.option("--period", default="", help=f"One of {_HOW}  [default: month]")
@click.option("--from", "first", default="", help="The first day, as 2024-06-03.")
@click.option("--to", "last", default="", help="The last day; today if left out.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line for each cell.")
@jsonable
@unlocking
@click.pass_obj
def stats(  # noqa: PLR0913  # the options of one command
    setting: Setting, *, period: str, first: str, last: str, as_csv: bool, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Count the reports of a period and what became of them, from the cases on this machine.

    A report counts on the day it came, an event on the day it happened. No percentage stands
    without its numerator and its denominator.
    """
    if as_csv and as_json:
        raise click.UsageError("Choose one of --json and --csv.")
    chosen = _chosen(setting.today(), period, first, last)
    desk = setting.unlock(passphrase_file)
    with showing() as progress:
        found = figures(facts(desk, progress), chosen, desk.rules, desk.today())
    if as_json:
        print_json(to_json(found, rehearsal=desk.trust.rehearsal))
        return
    if as_csv:
        click.echo(to_csv(found.tables, desk.rules), nl=False)
        return
    if desk.trust.rehearsal:
        click.echo(REHEARSAL)
    click.echo(chosen.text)
    if found.unreadable:
        click.echo(words.unreadable(found.unreadable))
    console = out()
    for table in found.tables:
        if table.id == "overview" or not table.is_empty:
            _print(console, table, desk.rules)


@main.command(
    short_help="Publish a period's figures: protected, rounded, signed.",
    epilog=json_shape(
        '--json: {"v": 1, "from": day, "to": day, "signer": label, "files": [name],',
        '  "kept_back": n or null}; with --preview what bulletin.json would hold',
    ),
)
@click.option("--period", default="", help="Days that are over: 2024-06, 2024-Q3, two with `..`.")
@click.option("--to", "folder", type=_FOLDER, help="A new folder for the files.")
@click.option("--tag", "tags", multiple=True, help="A mark to count among terrorism; repeat.")
@click.option("--overlapping", is_flag=True, help="Publish days that were published before.")
@click.option("--preview", is_flag=True, help="Show what would be public, and write nothing.")
@click.option("--check", "checked", type=_FOLDER, help="Prove a bulletin instead of making one.")
@jsonable
@unlocking
@click.pass_obj
def bulletin(  # noqa: PLR0913  # the options of one command
    setting: Setting, *, period: str, folder: Path | None, tags: tuple[str, ...],
    overlapping: bool, preview: bool, checked: Path | None, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Write a public bulletin (HTML, CSV, JSON) of days that are over, with a detached signature.

    Counts below ten are kept back, and so is every count that would tell one of them; the rest is
    rounded to a multiple of five. Two bulletins may not share days: their difference would tell
    what both keep back.
    """
    if checked is not None:
        if folder is not None or period or preview:
            raise click.UsageError("--check takes none of --period, --to and --preview.")
        _tell(check(setting.unlock(passphrase_file), checked), None, as_json=as_json)
        return
    if not period or (folder is None) != preview:
        raise click.UsageError("Say --period and --to, --period and --preview, or --check.")
    edition = Edition(parse_period(period, setting.today()), tags, overlapping)
    desk = setting.unlock(passphrase_file)
    with showing() as progress:
        counted = facts(desk, progress)
    if folder is None:
        _preview(desk, draft(desk, counted, edition), as_json=as_json)
        return
    found = publish(desk, counted, edition, folder)
    # What was written is read again, as a stranger would.
    _tell(check(desk, folder), sum(one.count is None for one in found), as_json=as_json)


def _preview(desk: Desk, made: Draft, *, as_json: bool) -> None:
    if as_json:
        click.echo(made.files["bulletin.json"], nl=False)
        return
    table = ""
    for one in made.lines:
        if one.table != table:
            table = one.table
            click.echo(words.public_title(table, desk.rules))
        click.echo(f"    {words.public_row(one.id)}: {words.number(one.count)}")
    click.echo(words.would_keep_back(made.kept_back))
    for period in published(desk):
        click.echo(f"Published from this desk before: {period.text}")


def _tell(proven: Proven, kept_back: int | None, *, as_json: bool) -> None:
    if as_json:
        print_json(proven.to_json() | {"kept_back": kept_back})
        return
    if kept_back is not None:
        click.echo(words.written(kept_back))
    click.echo(words.proven(proven.text, proven.signer))


def _chosen(today: Day, period: str, first: str, last: str) -> Period:
    if period and (first or last):
        raise PeriodMalformed("Choose one of --period and --from/--to.")
    if first or last:
        return between(first, last, today)
    return parse_period(period or "month", today)


def _print(console: Console, table: Table, rules: Rules) -> None:
    """One table at a terminal."""
    printed = Printed(box=None, pad_edge=False, header_style="dim", title_justify="left")
    printed.title = Text(words.TITLES[table.id], "bold")
    printed.add_column("")
    for name in table.columns:
        printed.add_column(words.COLUMNS[name], justify="right")
    for row in table.rows:
        said = Text(words.row(table.id, row.id, rules))
        printed.add_row(said, *(words.shown(cell) for cell in row.cells))
    console.print()
    console.print(printed)
