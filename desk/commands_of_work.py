"""The commands that work a case: each writes one signed entry, which the server cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desk import acts, rulebook, work
from desk.cases import Cases, iso
from desk.program import FILE, SAID, Setting, json_shape, jsonable, main, print_json, unlocking
from desk.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk


def _do(
    setting: Setting, ref: str, passphrase_file: Path | None, act: Callable[[Desk, Case], bool],
    said: Callable[[Desk, Case], str],
) -> None:  # fmt: skip
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(ref)
    sent = act(desk, found)
    now = said(desk, Cases(desk).find(found.id.hex()))
    click.echo(f"{found.ref}: {now}" + ("" if sent else " (waits for the next sync)"))


@main.command(short_help="Set a case's state by a signed entry.")
@click.argument("case")
@click.argument("state")
@click.option("--service", default="", help="Who is competent (ready, transmitted).")
@click.option("--basis", default="", help="On which legal basis.")
@click.option("--reason", default="", help="Why it is closed.")
@click.option("--instruction", default="", help="What the prosecutor instructed.")
@click.option("--court", default="", help="Which court.")
@click.option("--day", default="", help="On which day, as 2026-11-22.")
@click.option("--ref", default="", help="Their reference.")
@click.option("--text", type=SAID, default="", help="In words; - reads standard input.")
@unlocking
@click.pass_obj
def status(
    setting: Setting, /, case: str, state: str, passphrase_file: Path | None, **facts: str
) -> None:
    """Set a case's state by a signed entry that the server cannot read.

    Which state leads where, what each asks for and who may set it stands in the rules:
    `amana-desk rules`.
    """
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.set_state(desk, found, state, **facts),
        lambda desk, found: desk.rules.state(found.state),
    )  # fmt: skip


@main.command("priority", short_help="Say how soon a case must be looked at.")
@click.argument("case")
@click.argument("level")
@unlocking
@click.pass_obj
def priority(setting: Setting, case: str, level: str, passphrase_file: Path | None) -> None:
    """Set a case's priority: P1, the most urgent, to P4, or as the rules name them."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.set_priority(desk, found, level),
        lambda _desk, found: found.priority,
    )  # fmt: skip


@main.command(short_help="Confirm what a case is about.")
@click.argument("case")
@click.argument("name", type=click.Choice(acts.CATEGORIES))
@unlocking
@click.pass_obj
def category(setting: Setting, case: str, name: str, passphrase_file: Path | None) -> None:
    """Confirm a case's category, whatever the reporter chose; theirs stays readable."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.confirm_category(desk, found, name),
        lambda _desk, found: found.category,
    )  # fmt: skip


@main.command(short_help="Give a case to an operator.")
@click.argument("case")
@click.argument("operator", required=False, default="")
@unlocking
@click.pass_obj
def assign(setting: Setting, case: str, operator: str, passphrase_file: Path | None) -> None:
    """Give a case to an operator, by the roster's label for them; without one, to nobody."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.assign(desk, found, operator),
        lambda _desk, found: found.assigned or "nobody's",
    )  # fmt: skip


@main.command("tag", short_help="Put one of the institution's marks on a case.")
@click.argument("case")
@click.argument("name")
@click.option("--off", is_flag=True, help="Take it off.")
@unlocking
@click.pass_obj
def tag_case(
    setting: Setting, case: str, name: str, *, off: bool, passphrase_file: Path | None
) -> None:
    """Put a mark on a case, or take it off; the figures can count marks."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.mark(desk, found, name, on=not off),
        lambda _desk, found: ", ".join(found.work.tags) or "no marks",
    )  # fmt: skip


@main.command(short_help="Say how two cases belong together.")
@click.argument("case")
@click.argument("other")
@click.option("--kind", type=click.Choice(acts.LINKS), default=acts.RELATED, show_default=True)
@unlocking
@click.pass_obj
def link(setting: Setting, case: str, other: str, kind: str, passphrase_file: Path | None) -> None:
    """Link a case with another: it repeats that one (duplicate), belongs with it, or does not."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.link(desk, found, Cases(desk).find(other), kind),
        lambda _desk, found: f"{len(found.work.links)} links",
    )  # fmt: skip


@main.command(short_help="Record what happened, to whom.")
@click.argument("case")
@click.argument("event")
@click.option("--day", required=True, help="On which day, as 2026-11-22.")
@click.option("--person", default="", help="The person's id, from an earlier event.")
@click.option("--label", type=SAID, default="", help="What operators call the person; or -.")
@click.option("--text", type=SAID, default="", help="In words; - reads standard input.")
@click.option("--off", is_flag=True, help="Take it back.")
@unlocking
@click.pass_obj
def outcome(
    setting: Setting, /, case: str, event: str, *, off: bool, passphrase_file: Path | None,
    **told: str,
) -> None:  # fmt: skip
    """Record an event about a person, or in a case; one id is one person in several cases."""
    _do(
        setting, case, passphrase_file,
        lambda desk, found: work.record_outcome(desk, found, event, on=not off, **told),
        lambda _desk, found: "; ".join(
            f"{one.body.data['event']} {one.body.data['person']}".strip()
            for one in found.work.outcomes
        ) or "no outcomes",
    )  # fmt: skip


def _saying(  # what a command says of itself, does, and tells
    name: str, short_help: str, told: str, act: Callable[[Desk, Case, str], bool], done: str
) -> None:
    """Add a command that writes one entry in the operator's own words."""

    @main.command(name, short_help=short_help, help=told)
    @click.argument("case")
    @click.argument("text", type=SAID)
    @unlocking
    @click.pass_obj
    def say(setting: Setting, case: str, text: str, passphrase_file: Path | None) -> None:
        _do(
            setting, case, passphrase_file,
            lambda desk, found: act(desk, found, text),
            lambda _desk, _found: done,
        )  # fmt: skip


_saying(
    "note", "Write a note that operators alone read.",
    "Write a note into a case's journal. `-` reads it from standard input.",
    work.write_note, "noted",
)  # fmt: skip
_saying(
    "second-look", "Look again at what went through the fast lane.",
    "Record the second look at a case of imminent danger, by another operator than the first. `-` "
    "reads its text from standard input.",
    work.look_again, "looked at a second time",
)  # fmt: skip
_saying(
    "erasure", "Ask that a case be erased, and why.",
    "Write into the journal that a case is to be erased, and why; it erases nothing by itself.",
    work.ask_erasure, "asked that it be erased",
)  # fmt: skip


@main.command(
    "rules",
    short_help="Print the rules by which cases are worked.",
    epilog=json_shape(
        '--json: {"digest": hex, "states": [{"id", "words", "leads_to", "asks",',
        '  "asks_if_known", "needs", "reporter", "fast": bool}], "priorities": [{"id", "words",',
        '  "usual": bool}], "clocks": [{"id", "words", "from", "until", "days": n, "priorities",',
        '  "only"}], "outcomes": [{"id", "words", "person": bool, "ends"}], "services": [{"id",',
        '  "words", "bases"}], "bases", "reasons", "instructions", "tags": [{"id", "words"}],',
        '  "answers": [{"id", "words", "text": {language: text}, "status"}]}',
    ),
)
@click.option("--file", "path", type=FILE, help="Another file.")
@jsonable
@click.pass_obj
def print_rules(setting: Setting, *, path: Path | None, as_json: bool) -> None:
    """Print the rules that this desk works by: states and what they lead to, clocks, services.

    They come from workflow.toml in the desk's folder, or are our own where there is none. All
    desks of an institution should print one digest.
    """
    own = setting.home.rules if setting.home.rules.exists() else None
    found = load(path or own)
    if as_json:
        print_json(rulebook.to_json(found))
        return
    for line in rulebook.lines(found):
        click.echo(line)
    click.echo(f"sha-256 {found.digest}")


@main.command(
    short_help="List what is due, the soonest first.",
    epilog=json_shape('--json: {"due": [{"case", "ref", "clock", "since", "due", "verdict"}]}'),
)
@click.option("--all", "every", is_flag=True, help="Those that stopped, too.")
@jsonable
@unlocking
@click.pass_obj
def due(setting: Setting, *, every: bool, as_json: bool, passphrase_file: Path | None) -> None:
    """List the clocks of all cases that still run, the soonest first."""
    desk = setting.unlock(passphrase_file)
    today = desk.today()
    found = [(case, one) for case in Cases(desk).all() for one in case.clocks]
    rows = sorted(
        ((case, one) for case, one in found if every or one.met is None),
        key=lambda row: (row[1].due, row[0].ref, row[1].clock.id),
    )
    if as_json:
        print_json({"due": [
            {"case": case.id.hex(), "ref": case.ref, "clock": one.clock.id,
             "since": iso(one.since), "due": iso(one.due), "verdict": one.verdict(today)}
            for case, one in rows
        ]})  # fmt: skip
        return
    for case, one in rows:
        click.echo(f"{iso(one.due)}  {case.ref}  {one.verdict(today):8}  {one.clock.said()}")
