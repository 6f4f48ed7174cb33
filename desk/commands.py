"""The commands that read and work cases; desk.cli holds the group and the rest."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import words
from desk.cases import Cases, desk_alarms, iso
from desk.command_group import Refusal
from desk.console import out, print_alarms, print_case, showing
from desk.errors import NothingToSay
from desk.export import export_case
from desk.harden import MEMORY
from desk.identity import open_identities
from desk.outbox import answer
from desk.program import (
    SAID,
    Setting,
    end_with,
    json_shape,
    jsonable,
    main,
    print_json,
    unlocking,
)
from desk.public_status import NEEDS_WORDS, PUBLIC, parse_public
from desk.sentence import Sentence
from desk.summary import case_json, deep_alarms

if TYPE_CHECKING:
    from desk.alarms import Alarm
    from desk.cases import Case

_TEXT_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@main.command(
    short_help="Show one case: report, files, conversation, journal.",
    epilog=json_shape(
        '--json: the row of `list --json`, and {"rehearsal": bool, "language", "identity",',
        '  "state_conflict": [], "answerable": bool, "sealed_by", "cleaned_by",',
        '  "form_version": number, "fields": {id: value},',
        '  "files": [{"id", "name", "media_type", "length", "sha256", "removed": [kind],',
        '             "problem": ""|"missing"|"not-fetched"|"cannot-open", "named_by": id}],',
        '  "conversation": [{"kind": "reply"|"follow-up", "id", "day", "author", "text",',
        '                    "status": ""|id, "type": ""|"message"|"withdrawal"|"identity",',
        '                    "identity_mode", "files": [id], "waiting": bool}],',
        '  "journal": [{"id", "day", "author", "type", "data", "waiting"}]}',
    ),
)
@click.argument("case")
@jsonable
@unlocking
@click.pass_obj
def show(setting: Setting, case: str, *, as_json: bool, passphrase_file: Path | None) -> None:
    """Show one case: the report, its files, the conversation, the journal, the alarms."""
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    if as_json:
        print_json(case_json(desk, found))
    else:
        print_case(out(), desk, found)


@main.command(
    "open",
    short_help="Decrypt a case, with its files, into a folder.",
    epilog=json_shape(
        '--json: {"folder": path, "files": [path], "left_out": [id]}',
    ),
)
@click.argument("case")
@click.option("--to", "folder", required=True, type=_FOLDER, help="A new or empty folder.")
@jsonable
@unlocking
@click.pass_obj
def open_case(
    setting: Setting, case: str, folder: Path, *, as_json: bool, passphrase_file: Path | None
) -> None:
    """Decrypt a case into a folder: case.json, and the files under evidence/.

    Each file's length and SHA-256 are checked before it gets its name. This is the one command
    that puts what was entrusted on the disk in clear.
    """
    desk = setting.unlock(passphrase_file)
    with showing() as progress:
        done = export_case(desk, Cases(desk).find(case), folder, progress)
    if as_json:
        shape = {"folder": str(done.folder), "files": done.files, "left_out": done.left_out}
        print_json(shape)
    else:
        files = words.count(len(done.files), "file")
        click.echo(f"{folder}: case.json and {files}, in clear. Mind where it is.")
        for missing in done.left_out:
            click.echo(f"left out: {missing} (see `amana-desk verify {case}`)", err=True)


@main.command(short_help="Answer the reporter.")
@click.argument("case")
@click.option("--text", type=SAID, help="The answer; - reads it from standard input.")
@click.option("--text-file", type=_TEXT_FILE, help="Read it from a file; - is standard input.")
@click.option("--status", help="What the reporter's page says from now on: see below.")
@unlocking
@click.pass_obj
def reply(  # noqa: PLR0913 the command's options
    setting: Setting,
    case: str,
    *,
    text: str | None,
    text_file: Path | None,
    status: str | None,
    passphrase_file: Path | None,
) -> None:
    """Answer the reporter: signed by you, sealed to the receipt and to the operators.

    Without --text and --text-file, your editor opens; with a --status that needs no words, none
    are asked for.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    public = parse_public(status) if status else ""
    if text is not None:
        said = text
    elif text_file:
        said = _read(text_file)
    else:
        said = "" if public and public not in NEEDS_WORDS else _edited(found)
    if answer(desk, found, said, public):
        click.echo(f"{found.ref}: the answer was sealed and sent.")
    else:
        click.echo(f"{found.ref}: the answer is kept here and goes out with the next sync.")


# Not in the docstring, which click shows as it stands: the statuses are data.
reply.help = (
    f"{reply.help}\n\nThe statuses: {', '.join(PUBLIC)}. Closing needs the reason and the next "
    "steps in words, and a question needs its text. The reporter reads the status in their own "
    "language; the server learns neither."
)


@main.command(
    short_help="Prove every signature, name and digest.",
    epilog=json_shape(
        '--json: {"cases": [{"case", "ref", "entries": n, "replies_and_messages": n,',
        '         "files": n, "alarms": [...]}], "alarms": [...]}',
    ),
)
@click.argument("case", required=False)
@jsonable
@unlocking
@click.pass_obj
def verify(
    setting: Setting, case: str | None, *, as_json: bool, passphrase_file: Path | None
) -> None:
    """Prove every signature, name and digest of a case, or of all. Exit 3 when there are alarms."""
    desk = setting.unlock(passphrase_file)
    about_server, alarms = desk_alarms(desk), {}
    with showing() as progress:
        cases = (Cases(desk).find(case),) if case else Cases(desk).all(progress)
        for start, one in enumerate(cases):
            progress.step(
                Sentence("Proving the cases ({start} of {all})", start=start, all=len(cases))
            )
            alarms[one.id] = deep_alarms(desk, one)
    if as_json:
        print_json(
            {
                "cases": [_proof(one, alarms[one.id]) for one in cases],
                "alarms": [alarm.to_json() for alarm in about_server],
            }
        )
    else:
        for one in cases:
            count = len(alarms[one.id])
            click.echo(
                f"{one.ref}: {words.count(count, 'alarm') if count else 'all signatures hold'}"
            )
    end_with([*about_server, *(alarm for found in alarms.values() for alarm in found)])


def _proof(case: Case, alarms: tuple[Alarm, ...]) -> dict[str, object]:
    return {
        "case": case.id.hex(),
        "ref": case.ref,
        "entries": len(case.timeline) - len(case.messages),
        "replies_and_messages": len(case.messages),
        "files": len(case.files),
        "alarms": [alarm.to_json() for alarm in alarms],
    }


@main.command(
    epilog=json_shape(
        '--json: {"alarms": [{"sign", "case", "envelope", "words"}]}',
    )
)
@click.option("--clear", is_flag=True, help="Forget them, after they were read and seen to.")
@jsonable
@unlocking
@click.pass_obj
def alarms(setting: Setting, *, clear: bool, as_json: bool, passphrase_file: Path | None) -> None:
    """List what syncs shouted about. What a forged case shows comes from `verify`."""
    desk = setting.unlock(passphrase_file)
    found = sorted(desk.store.alarms())
    if as_json:
        print_json({"alarms": [one.to_json() for one in found]})
    else:
        print_alarms(out(), found)
        if not found:
            click.echo("No alarms.")
    for one in found if clear else ():
        desk.store.quieten(one)


@main.command(
    short_help="Open the identity of a case, on a custodian's desk.",
    epilog=json_shape(
        '--json: {"case": id, "identities": [{"id", "day", "identity_mode",',
        '         "identity": {}, "safe_contact": {}}]}',
    ),
)
@click.argument("case")
@jsonable
@unlocking
@click.pass_obj
def identity(setting: Setting, case: str, *, as_json: bool, passphrase_file: Path | None) -> None:
    """Open the identity of a case, on a custodian's desk where one custodian is enough."""
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    opened = open_identities(desk, found.id)
    if as_json:
        rows = [one.to_json() for one in opened]
        print_json({"case": found.id.hex(), "identities": rows})
        return
    for one in opened:
        click.echo(
            f"{found.ref}  {iso(one.day)}  {words.cell(words.label(one.manifest.identity_mode))}"
        )
        for name, lines in [
            *words.flat(one.manifest.identity),
            *words.flat(one.manifest.safe_contact),
        ]:
            click.echo(f"  {words.cell(name)}: {words.plain(words.cut(', '.join(lines)))}")


def _read(path: Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read()
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refusal(f"{path} cannot be read as text.") from None


def _edited(case: Case) -> str:
    """What was written in the operator's editor, in a file that lives in memory only.

    Raises:
        NothingToSay: there is no such memory, no editor, or it ended badly.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    if not os.access(MEMORY, os.W_OK):
        raise NothingToSay(
            "This machine has no place in memory for an editor's file. Use --text-file -."
        )
    with tempfile.TemporaryDirectory(prefix="amana-", dir=MEMORY) as folder:
        draft = Path(folder) / f"answer-{case.ref}.txt"
        draft.touch(mode=0o600)
        try:
            done = subprocess.run([*shlex.split(editor), str(draft)], check=False)  # noqa: S603  # the operator's own choice
        except OSError:
            raise NothingToSay(f"The editor {editor!r} cannot be started.") from None
        if done.returncode != 0:
            raise NothingToSay("The editor ended with an error. Nothing was sent.")
        return draft.read_text("utf-8")
