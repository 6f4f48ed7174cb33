"""The list of cases at a terminal, and its views; desk.pages.listing is the same in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from desk import words
from desk.cases import desk_alarms, iso
from desk.console import err, out, print_alarms, showing
from desk.program import Setting, json_shape, jsonable, main, print_json, read_text, unlocking
from desk.saved_views import OURS, SORTS, Views, counted, found, here, narrowed
from desk.search import is_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from crypto.ids import Day
    from desk.desk import Desk
    from desk.row import Row

_STYLES = ("bold white on red", "bold yellow", "bold", "dim")
"""By how urgent a priority is; its letters tell the same without a colour."""
ROWS_SHOWN = 200
"""A table of thousands takes longer to be laid out than all the rest, and nobody reads it."""


@main.command(
    "list",
    short_help="List the cases on this machine, the urgent first.",
    epilog=json_shape(
        '--json: {"v": 1, "rehearsal": bool, "last_sync": "2026-11-22 09:40", "total": n,',
        '         "cases": [',
        '          {"case": id, "ref": "1a2b-3c4d", "day": "2026-11-22", "category": id,',
        '           "identity_mode": "anonymous"|"contact_only"|"full_identity"|"",',
        '           "withdrawn": bool, "public_status": ""|"received"|"examined"|"question"|',
        '           "sent"|"closed", "danger": bool, "files": n, "messages": n,',
        '           "unanswered": bool,',
        '           "state": id, "readable": bool, "told_category": id, "priority": id,',
        '           "assigned": label, "tags": [id], "due": ""|day, "due_for": id,',
        '           "alarms": [...]}],',
        '         "alarms": [{"sign", "case", "envelope", "words"}]}',
        "",
        '--search: words that must all occur, however they are spelt; "words in quotes" follow',
        "one another; a minus means not; and filters, whose values may be several with commas:",
        "  is:mine,unassigned,open,closed,urgent,danger,unanswered,withdrawn,anonymous,unchecked,",
        "     alarmed,conflict,files,unreadable      due:today,overdue,week,none",
        "  state: priority: tag: category: assigned: who:anonymous,contact,name language: ref:",
        "  day:2026-11, day:2026-11-01..2026-11-15",
    ),
)
@click.option("--view", "view_name", default="all", help="A view: `amana-desk views` lists them.")
@click.option(
    "--search",
    default="",
    help="Search within the view, as below; - reads it from standard input, where no process list "
    "shows it.",
)
@click.option("--sort", type=click.Choice(list(SORTS)), help="Instead of the view's own order.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    help=f"The first so many  [default: {ROWS_SHOWN}, and all of them as JSON]",
)
@click.option("--unanswered", is_flag=True, help="Only where the reporter waits for an answer.")
@click.option("--danger", is_flag=True, help="Only where somebody may be in danger.")
@jsonable
@unlocking
@click.pass_obj
def list_cases(  # noqa: PLR0913  # the command's options
    setting: Setting,
    *,
    view_name: str,
    search: str,
    sort: str | None,
    limit: int | None,
    unanswered: bool,
    danger: bool,
    as_json: bool,
    passphrase_file: Path | None,
) -> None:
    """List the cases on this machine: the urgent first, then the unanswered, then the newest."""
    typed = _typed(search)
    desk = setting.unlock(passphrase_file)
    flags = [*(["is:unanswered"] if unanswered else []), *(["is:danger"] if danger else [])]
    view = narrowed(Views(desk).named(view_name), " ".join([*flags, typed]), sort or "")
    with showing() as progress:
        chosen = found(desk, view, desk.index.rows(progress))
    shown = chosen[: limit or (None if as_json else ROWS_SHOWN)]
    last = desk.store.noted("last_sync")
    if as_json:
        about_server = [alarm.to_json() for alarm in desk_alarms(desk)]
        print_json(
            {
                "v": 1,
                "rehearsal": desk.trust.rehearsal,
                "last_sync": last,
                "total": len(chosen),
                "cases": [one.to_json() for one in shown],
                "alarms": about_server,
            }
        )
        return
    if desk.trust.rehearsal:
        click.echo(words.REHEARSAL)
    print_alarms(err(), desk_alarms(desk))
    if shown:
        print_rows(out(), desk, shown)
    waiting = len(desk.store.unposted())
    click.echo(
        words.count(len(chosen), "case")
        + (f", the first {len(shown)} shown" if len(shown) < len(chosen) else "")
        + (f", last sync {last}" if last else ", never synced: amana-desk sync")
        + (f", {waiting} waiting to be sent" if waiting else "")
    )


@main.command(
    short_help="List, save or forget views of the list.",
    epilog=json_shape(
        '--json: {"views": [{"id", "name", "search", "sort", "own": bool, "cases": n}]}',
    ),
)
@click.option("--save", metavar="NAME", help="Keep --search and --sort as a view of your own.")
@click.option("--forget", metavar="NAME", help="Forget a view of your own.")
@click.option("--search", default="", help="As in `list`; - reads it from standard input.")
@click.option("--sort", type=click.Choice(list(SORTS)), default=OURS["all"].sort)
@jsonable
@unlocking
@click.pass_obj
def views(  # noqa: PLR0913  # the command's options
    setting: Setting,
    *,
    save: str | None,
    forget: str | None,
    search: str,
    sort: str,
    as_json: bool,
    passphrase_file: Path | None,
) -> None:
    """List the views and how many cases each shows.

    Those of your own are kept on this machine, sealed under your key.
    """
    if save is None and search:
        raise click.UsageError("--search goes with --save; to search once: amana-desk list.")
    typed = _typed(search)
    desk = setting.unlock(passphrase_file)
    ours = Views(desk)
    if forget is not None:
        ours.forget(forget)
    if save is not None:
        ours.save(save, typed, sort)
    every = ours.all()
    with showing() as progress:
        counts = counted(desk, every, desk.index.rows(progress))
    if as_json:
        rows = [
            {
                "id": one.id, "name": one.name, "search": one.search, "sort": one.sort,
                "own": one.own, "cases": counts[one.id],
            }
            for one in every
        ]  # fmt: skip
        print_json({"views": rows})
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("View", "", "Cases", "Search", "Sort"):
        table.add_column(name, justify="right" if name == "Cases" else "left")
    for one in every:
        table.add_row(
            Text("" if one.own else one.id, "bold"), Text(words.plain(one.name)),
            str(counts[one.id]), Text(words.plain(one.search), "dim"), Text(one.sort, "dim"),
        )  # fmt: skip
    out().print(table)


def _typed(search: str) -> str:
    return read_text(Path(search)).strip() if search == "-" else search


def print_rows(console: Console, desk: Desk, rows: Sequence[Row]) -> None:
    """The list; a line for each case, and two where it bears many marks."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "Case", "Day", "Category", "Who", "Files", "State", "Due", ""):
        table.add_column(
            name,
            no_wrap=name != "Category",
            # Whatever comes, no column takes another's place; the marks, which come last, wrap.
            max_width=words.CELL,
            overflow="ellipsis",
            justify="right" if name == "Files" else "left",
        )
    table.columns[-1].max_width, table.columns[-1].no_wrap = None, False
    ranks = {name: min(rank, len(_STYLES) - 1) for rank, name in enumerate(desk.rules.priorities)}
    me, today = here(desk).me, desk.today()
    for one in rows:
        style = _STYLES[ranks.get(one.priority, len(_STYLES) - 1)]
        table.add_row(
            Text(words.cell(one.priority), style),
            Text(one.ref, "bold"),
            iso(one.day),
            Text(words.cell(words.label(one.category)) if one.readable else "not readable here"),
            Text(words.cell(words.label(one.identity_mode)) if one.identity_mode else "–"),
            str(one.files),
            Text(desk.rules.state(one.state), "dim" if is_closed(one, desk.rules) else ""),
            _due(one, today),
            _marks(one, me),
        )
    console.print(table)


def _due(row: Row, today: Day) -> Text:
    if row.due is None:
        return Text("")
    style = "bold red" if row.due.due < today else "yellow" if row.due.due == today else ""
    return Text(iso(row.due.due), style)


def _marks(row: Row, me: str) -> Text:
    marks = Text("danger " if row.danger else "", "bold red")
    if row.withdrawn:
        marks.append("WITHDRAWN ", "bold red")
    if row.assigned:
        marks.append("mine " if row.assigned == me else f"with {words.cell(row.assigned)} ")
    if row.state_conflict:
        marks.append("two states ", "bold red")
    if row.unanswered and row.readable:
        marks.append("unanswered ", "yellow")
    if row.alarms:
        marks.append(words.count(len(row.alarms), "alarm"), "bold red")
    return marks
