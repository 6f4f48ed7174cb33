"""What the commands print: tables, one case, alarms, a progress bar.

Rule: a stranger's text is printed as text; it can neither move the cursor nor colour,
link or reorder what the desk says (desk.words.plain).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from desk import telling, words
from desk.cases import iso
from desk.evidence import views
from desk.identity import named
from desk.progress import Silence
from desk.public_status import public_words
from desk.summary import IDENTITY_LOCKED, all_alarms
from desk.verify import Entry, FollowUp, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from crypto.strict_json import Json
    from desk.alarms import Alarm
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.progress import Progress as Shown
    from desk.rules import Rules


def out() -> Console:
    """Standard output; as wide as the terminal, and 100 columns into a pipe."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=100)


def err() -> Console:
    """Standard error, for alarms and progress."""
    return Console(stderr=True, highlight=False)


@contextmanager
def showing(*, in_bytes: bool = False) -> Iterator[Shown]:
    """Show on standard error what is being done, as long as it is, where that is a terminal."""
    console = err()
    if not console.is_terminal:
        yield Silence()
        return
    with Bar(console, in_bytes=in_bytes) as bar:
        yield bar


class Bar:
    """Progress at a terminal: what is being done, and since when or how much of it is left."""

    def __init__(self, console: Console, *, in_bytes: bool = True) -> None:
        words_column = TextColumn("{task.description}", markup=False)
        columns = (
            (words_column, BarColumn(), DownloadColumn(), TimeRemainingColumn())
            if in_bytes
            else (SpinnerColumn(), words_column, TimeElapsedColumn())
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("Connecting" if in_bytes else "", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, words: str) -> None:
        """Say what is being done."""
        self._bar.update(self._task, description=words)

    def expect(self, amount: int) -> None:
        """So many bytes will come."""
        self._bar.update(self._task, total=amount)

    def advance(self, amount: int) -> None:
        """So many bytes came."""
        self._bar.advance(self._task, amount)


def print_alarms(console: Console, alarms: Sequence[Alarm], *, keys: bool = False) -> None:
    """Alarms, in red; with the beginning of each one's key, by which it can be cleared."""
    if not alarms:
        return
    lines = Text()
    for number, alarm in enumerate(alarms):
        where = " ".join(part[:8] for part in (alarm.case, alarm.envelope) if part)
        lines.append("\n" if number else "").append(str(alarm.sign), "bold")
        key = f"  [{alarm.key[:8]}]" if keys else ""
        lines.append((f"  {where}" if where else "") + f"{key}\n").append(f"  {alarm.words}")
    title = words.count(len(alarms), "alarm")
    console.print(Panel(lines, title=title, title_align="left", border_style="red", style="red"))


def print_case(console: Console, desk: Desk, case: Case) -> None:
    """One case, whole."""
    if desk.trust.rehearsal:
        console.print(Text(words.REHEARSAL, "yellow"))
    title = words.label(case.category) if case.readable else "Not readable on this desk"
    console.print(Text.assemble((words.cell(title), "bold"), "  ", (case.ref, "dim")))
    told = words.label(case.identity_mode) if case.identity_mode else "Unknown"
    lines = [f"Received {iso(case.day)}", desk.rules.state(case.state), words.cell(case.priority)]
    lines += [f"with {words.cell(case.assigned)}"] if case.assigned else []
    lines += [_tag(desk, one) for one in case.work.tags]
    lines += ["unanswered"] if case.unanswered and case.readable else []
    if case.report:
        lines += [f"written in {words.language(case.report.language)}"]
    console.print(Text(" · ".join(lines), "dim"))
    if case.danger:
        console.print(
            Text("Danger to life, a minor, or self-harm: look at this first.", "bold red")
        )
    if case.withdrawals:
        console.print(Text(words.WITHDRAWN, "bold red"))
    if case.public:
        since = iso(case.public.body.author_day)
        shown = public_words(case.public_status)
        console.print(Text(f"The reporter's page says \u201c{shown}\u201d since {since}", "dim"))
    for line in telling.contradictions(case, desk.rules):
        console.print(Text(words.plain(line), "yellow"))
    _print_clocks(console, desk, case)
    print_alarms(console, all_alarms(desk, case))
    _print_report(console, case)
    later = "".join(f", given later on {iso(one.node.day)}" for one in case.later_identities)
    console.print(
        Text.assemble(("Identity  ", "dim"), f"{words.cell(told)}{later}; {IDENTITY_LOCKED}")
    )
    for sealed in named(case):
        by = f"message {sealed.message}" if sealed.message else "the report"
        lost = "" if sealed.is_here else ", NOT on this machine as it was sealed"
        console.print(Text(f"          named by {by}, digest {sealed.digest}{lost}", "dim"))
    files = views(desk, case)
    _print_files(console, [one for one in files if one.named.by == case.report_id])
    _print_other_reports(console, case, files)
    for one in case.timeline:
        console.print()
        console.print(_said(case, one, desk.rules))
        if isinstance(one, FollowUp):
            _print_files(console, [two for two in files if two.named.by == one.envelope.id])


def _print_report(console: Console, case: Case) -> None:
    if case.origin.words:
        console.print(Text(case.origin.words, "bold red"))
    if case.origin.is_odd and case.report_id is not None:
        console.print(Text(f"Report {case.report_id.hex()[:8]}", "bold"))
    console.print(_fields(case.fields))


def _print_other_reports(console: Console, case: Case, files: Sequence[FileView]) -> None:
    for other in case.origin.others:
        name, day = other.envelope.id, iso(other.envelope.header.day)
        console.print(Text(f"Another report in this case, {name.hex()[:8]}  {day}", "bold"))
        console.print(_fields(other.manifest.fields))
        _print_files(console, [one for one in files if one.named.by == name])
    if case.origin.unshown:
        console.print(f"And {case.origin.unshown} more, which show --json has.")


def _tag(desk: Desk, name: str) -> str:
    known = desk.rules.tags.get(name)
    return f"#{known.said() if known else words.cell(name)}"


def _print_clocks(console: Console, desk: Desk, case: Case) -> None:
    today = desk.today()
    for one in case.clocks:
        verdict = one.verdict(today)
        if verdict in ("running", "overdue"):
            said = f"{one.clock.said()}: due {iso(one.due)}" + (
                ", OVERDUE" if verdict == "overdue" else ""
            )
            console.print(Text(said, "bold red" if verdict == "overdue" else "dim"))


def _fields(fields: Mapping[str, Json]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, max_width=words.CELL)
    table.add_column(overflow="fold")
    for name, lines in words.answers(fields):
        table.add_row(Text(words.cell(name)), Text(words.plain(words.cut("\n".join(lines)))))
    return Padding(table, (1, 0), expand=False)


def _print_files(console: Console, files: Sequence[FileView]) -> None:
    for one in files:
        if one.manifest is None or one.problem:
            console.print(Text(f"File {one.id[:8]}: {words.PROBLEMS[one.problem]}", "red"))
            continue
        known = one.manifest
        removed = words.cut(", ".join(words.removed(name) for name in known.removed)) or "nothing"
        told = f"removed before sealing: {removed}"
        if known.rebuilt:
            told += "; made anew from its picture or its pages"
        if one.is_original:
            told = "UNTOUCHED ORIGINAL: nobody cleaned it; it can show who the reporter is"
        console.print(
            Text.assemble(
                ("File  ", "dim"),
                one.name,
                (f"  {words.size(known.length)}  {words.cell(known.media_type)}", "dim"),
                (f"\n      {told}", "red" if one.is_original else "dim"),
            )
        )


def _said(case: Case, one: FollowUp | Reply | Entry, rules: Rules) -> RenderableType:
    waiting = "" if one.envelope.posted else "  (waiting to be sent)"
    day = iso(one.node.day)
    if isinstance(one, Entry):
        told = telling.act(one.body.type, one.body.data, rules)
        head_of_act = Text(words.plain(f"{one.signer.name} {told}  {day}{waiting}"), "dim")
        noted = telling.text(one.body.type, one.body.data)
        return Group(head_of_act, _indented(noted)) if noted else head_of_act
    if isinstance(one, Reply):
        head, text = f"{one.signer.name} {words.told(one)}", one.body.text
    else:
        head = f"{words.writer(case, one)} {words.said(one.body, case.number_of(one.envelope.id))}"
        text = words.defanged(one.body.text)
    withdrawal = isinstance(one, FollowUp) and one in case.withdrawals
    style = "bold red" if withdrawal else "bold"
    return Group(
        Text.assemble((words.plain(head), style), (f"  {day}{waiting}", "dim")),
        _indented(text),
    )


def _indented(text: str) -> RenderableType:
    return Padding(Text(words.plain(words.cut(text))), (0, 0, 0, 2), expand=False)
