"""The commands that read and work cases; desk.cli holds the group and the rest."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import words
from desk.cases import Cases, iso
from desk.console import out, print_case, showing
from desk.editor import written
from desk.evidence import views
from desk.export import export_case
from desk.identity import CLOSED, DIFFER, open_identities
from desk.outbox import say, send
from desk.program import (
    ALARMS,
    FILE,
    SAID,
    Setting,
    end_with,
    json_shape,
    jsonable,
    main,
    print_json,
    read_text,
    unlocking,
)
from desk.proving import prove
from desk.public_status import NEEDS_WORDS, PUBLIC, parse_public
from desk.ready_answers import begin
from desk.summary import case_json

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_TEXT_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_NO_SIGNATURE = "no signature proven, as nothing signed opens on this desk"


@main.command(
    short_help="Show one case: report, files, conversation, journal.",
    epilog=json_shape(
        '--json: the row of `list --json`, and {"rehearsal": bool, "language", "identity",',
        '  "state_conflict": [], "answerable": bool, "sealed_by", "cleaned_by",',
        '  "form_version": number, "fields": {id: value}, "report": id, "report_is_sure": bool,',
        '  "other_reports": [{"id", "day", "category", "language", "identity_mode", "fields"}],',
        '  "identities": [{"named_by": id, "digest", "here": bool}],',
        '  "files": [{"id", "name", "media_type", "length", "sha256", "removed": [kind],',
        '             "problem": ""|"missing"|"not-fetched"|"cannot-open", "named_by": id}],',
        '  "conversation": [{"kind": "reply"|"follow-up", "id", "day", "author", "text",',
        '                    "status": ""|id, "elsewhere": bool,',
        '                    "type": ""|"message"|"withdrawal"|"identity",',
        '                    "identity_mode", "of_report": ""|id, "files": [id],',
        '                    "waiting": bool}],',
        '  "journal": [{"id", "day", "author", "type", "data", "waiting"}]}',
        "of_report: the report, or first message, of a writer not known to be the reporter",
        "elsewhere: a reply to another receipt than this case's: it answers nobody here",
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
    that puts what was entrusted on the disk in clear. Exit 3 when a file was left
    out that is not in quarantine.
    """
    desk = setting.unlock(passphrase_file)
    with showing() as progress:
        found = Cases(desk).find(case)
        done = export_case(desk, found, folder, progress)
    # What is in quarantine is left out on purpose.
    closed = {one.id: one.closing for one in views(desk, found) if one.closing is not None}
    if as_json:
        shape = {"folder": str(done.folder), "files": done.files, "left_out": done.left_out}
        print_json(shape)
    else:
        files = words.count(len(done.files), "file")
        click.echo(f"{folder}: case.json and {files}, in clear. Mind where it is.")
        for missing in done.left_out:
            shut = closed.get(missing)
            why = (
                f"in quarantine, custodian: {words.cell(shut.custodian)}"
                if shut
                else f"see `amana-desk verify {case}`"
            )
            click.echo(f"left out: {missing} ({why})", err=True)
    if set(done.left_out) - set(closed):
        raise click.exceptions.Exit(ALARMS)


@main.command(short_help="Answer the reporter.")
@click.argument("case")
@click.option("--text", type=SAID, help="The answer; - reads it from standard input.")
@click.option("--text-file", type=_TEXT_FILE, help="Read it from a file; - is standard input.")
@click.option("--ready", default="", help="Begin with a ready answer: see `amana-desk rules`.")
@click.option("--unedited", is_flag=True, help="Send the ready answer as it is.")
@click.option("--status", help="What the reporter's page says from now on: see below.")
@unlocking
@click.pass_obj
def reply(  # noqa: PLR0913 the command's options
    setting: Setting,
    case: str,
    *,
    text: str | None,
    text_file: Path | None,
    ready: str,
    unedited: bool,
    status: str | None,
    passphrase_file: Path | None,
) -> None:
    """Answer the reporter: signed by you, sealed to the receipt and to the operators.

    Without --text and --text-file, your editor opens; with a --status that needs no words, none
    are asked for. What was written there and could not be sent is kept on this desk, sealed, and
    the editor opens with it the next time. A ready answer comes in the reporter's language, if it
    is written in that one, and with its status, unless you give another.
    """
    # Of two texts one would be sent, and the other passed over in silence.
    if [bool(ready), text is not None, text_file is not None].count(True) > 1:
        raise click.UsageError("Choose one of --ready, --text and --text-file.")
    if unedited and not ready:
        raise click.UsageError("--unedited is for a ready answer: --ready ID --unedited.")
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    if found.origin.words:
        # Which of several reports an answer goes to, or why to none.
        click.echo(found.origin.words, err=True)
    public = parse_public(status) if status else ""
    writing: AbstractContextManager[str]
    if ready:
        beginning = begin(desk.rules, found, ready)
        public = public or beginning.status
        begun = beginning.text
        writing = nullcontext(begun) if unedited else written(desk, found, begun)
    elif text is not None:
        writing = nullcontext(text)
    elif text_file:
        writing = nullcontext(read_text(text_file))
    elif public and public not in NEEDS_WORDS:
        writing = nullcontext("")
    else:
        writing = written(desk, found)
    with writing as said:
        reply_kept = say(desk, found, said, public)
    # After the draft was forgotten: a terminal that is closed now would leave what is said already.
    if send(desk, reply_kept):
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
        '         "files": n, "files_read": n, "files_not_here": n,',
        '         "files_in_quarantine": n,',
        '         "opens": bool, "not_opened": n, "alarms": [...]}],',
        '         "alarms": [...]}',
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
    with showing() as progress:
        done = prove(desk, progress, case or "")
    if as_json:
        print_json(
            {
                "cases": [one.to_json() for one in done.cases],
                "alarms": [alarm.to_json() for alarm in done.alarms],
            }
        )
    else:
        for one in done.cases:
            count = len(one.alarms)
            proven = "all signatures hold" if one.opens else _NO_SIGNATURE
            said = [words.count(count, "alarm") if count else proven]
            if one.files_read:
                said.append(f"{words.count(one.files_read, 'file')} read to the end")
            if one.files_not_here:
                said.append(f"{words.count(one.files_not_here, 'file')} not fetched yet")
            if one.files_in_quarantine:
                said.append(f"{words.count(one.files_in_quarantine, 'file')} in quarantine")
            if not one.opens:
                said.append(f"{words.count(one.not_opened, 'envelope')} not opened")
            click.echo(f"{one.ref}: {', '.join(said)}")
    end_with(list(done.all_alarms))


@main.command(
    short_help="Open the identity of a case, on a custodian's desk.",
    epilog=json_shape(
        '--json: {"case": id, "identities": [{"id", "day", "identity_mode",',
        '         "identity": {}, "safe_contact": {}, "digest"}], "closed": [digest],',
        '         "named_by": label or "", "differ": bool, "contested": bool}',
        "a digest is of what is sealed",
    ),
)
@click.argument("case")
@click.option("--request", type=FILE, help="An operator's request: open what it names alone.")
@jsonable
@unlocking
@click.pass_obj
def identity(
    setting: Setting, case: str, *, request: Path | None, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Open the identity of a case, on a custodian's desk where one custodian is enough.

    Whoever runs the server can seal one to you, into any case: with an operator's request, which
    names what the reporter gave, nothing else is opened. Without one, compare the digests with what
    `amana-desk show` says on an operator's desk.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    opened = open_identities(desk, found.id, read_text(request) if request else "")
    if as_json:
        print_json({"case": found.id.hex(), **opened.to_json()})
        return
    if opened.differ:
        click.echo(DIFFER, err=True)
    for one, digest in opened.identities:
        click.echo(
            f"{found.ref}  {iso(one.day)}  {words.cell(words.label(one.manifest.identity_mode))}"
        )
        click.echo(f"  {opened.standing}\n  Digest: {digest}")
        for name, lines in [
            *words.flat(one.manifest.identity),
            *words.flat(one.manifest.safe_contact),
        ]:
            click.echo(f"  {words.cell(name)}: {words.plain(words.cut(', '.join(lines)))}")
    if opened.closed:
        click.echo(f"{CLOSED} {', '.join(opened.closed)}", err=True)
