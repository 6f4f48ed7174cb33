"""The commands that look at files and at nothing else: preview, redact, quarantine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import words
from desk.cases import Cases
from desk.command_group import Refusal
from desk.console import showing
from desk.export import export_file
from desk.program import SAID, Setting, json_shape, jsonable, main, print_json, unlocking
from desk.sentence import Sentence
from desk.sight.closing import close, custodians
from desk.sight.export import export_copy, export_previews, find_file
from desk.sight.redaction import (
    answer_of,
    blacked_out,
    make,
    message_named,
    parse_box,
    places_of,
    redact_answer,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desk.cases import Case
    from desk.desk import Desk
    from sanitizer.sight.boxes import Box

_FOLDER = click.Path(path_type=Path, file_okay=False)


@main.command(
    short_help="Write previews of a file, made anew from its pixels.",
    epilog=json_shape('--json: {"folder": path, "files": [name]}'),
)
@click.argument("case")
@click.argument("file")
@click.option("--to", "folder", required=True, type=_FOLDER, help="A new or empty folder.")
@jsonable
@unlocking
@click.pass_obj
def preview(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, file: str, folder: Path, *, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Write what can be seen of a file into a folder, and never the file itself.

    A picture, the pages of a PDF, a film's contact sheet and a small clip of its beginning, a
    sound's samples, a text's words: each made anew in a locked process. FILE is its name, or the
    first digits of its id.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    chosen = find_file(desk, found, file)
    with showing() as progress:
        progress.step(Sentence("Looking at {file}", file=chosen.name))
        names = export_previews(desk, found, chosen, folder)
    if as_json:
        print_json({"folder": str(folder), "files": list(names)})
        return
    for name in names:
        click.echo(f"{folder / name}")


@main.command(
    "file",
    short_help="Write one file as it is, with care.",
    epilog=json_shape('--json: {"file": path, "sha256": hex}'),
)
@click.argument("case")
@click.argument("file")
@click.option("--to", "folder", required=True, type=_FOLDER, help="A new or empty folder.")
@jsonable
@unlocking
@click.pass_obj
def one_file(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, file: str, folder: Path, *, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Write one file of a case into a folder, in clear, as it is: see `preview` for what is not.

    Whatever opens it on this machine meets what a stranger sent. FILE is its name, or the first
    digits of its id.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    chosen = find_file(desk, found, file)
    written = export_file(desk, found, chosen, folder)
    if as_json:
        print_json({"file": str(written), "sha256": chosen.sha256})
        return
    click.echo(f"{written}: in clear, and as a stranger sent it. Mind what opens it.")
    click.echo(f"SHA-256 {chosen.sha256}")


@main.command("redact", short_help="Make a copy with something blacked out.")
@click.argument("case")
@click.argument("file", required=False, default="")
@click.option("--box", "boxes", multiple=True, help="x,y,width,height in pixels of the preview.")
@click.option("--page", type=click.IntRange(1), help="Of a PDF; the first, unless it is given.")
@click.option("--to", "folder", type=_FOLDER, help="A new or empty folder, to look at the copy.")
@click.option("--answer", default="", help="The id of an answer instead of a file.")
@click.option("--message", type=click.IntRange(1), help="The number of a message instead.")
@click.option("--words", "phrases", multiple=True, help="To black out, wherever they stand; or -.")
@click.option("--span", "spans", multiple=True, help="From:to in its characters.")
@click.option("--yes", is_flag=True, help="Sign the copy without asking.")
@unlocking
@click.pass_obj
def redact_command(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, file: str, *, boxes: tuple[str, ...], page: int | None,
    folder: Path | None, answer: str, message: int | None, phrases: tuple[str, ...],
    spans: tuple[str, ...], yes: bool, passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Make a copy of a picture, a page, an answer or a message with something blacked out.

    The copy is a new item of the case, made anew from pixels or words: there is nothing under what
    is black. What it was made from stays as it is. `--box` counts in the pixels of what `preview`
    writes, and may be given several times. The copy is shown before it is signed: that of a
    picture is written into the folder of `--to`.

    `--words` finds what a search finds: capitals, accents, vowel signs and lines' ends do not
    matter. How often each was found is said. `-` asks for the words, a line each, up to an empty
    one: there they stand in no history of the shell. Words that are piped are read to their end,
    empty lines passed over: what comes of them is shown, and signed with `--yes` alone.
    """
    if [bool(file), bool(answer), message is not None].count(True) != 1:
        raise Refusal("Name a file, or an answer with --answer, or a message with --message.")
    # What would be passed over in silence is what somebody believes to be gone.
    if file and (phrases or spans):
        raise Refusal("--words and --span are for an answer or a message, not for a file.")
    if not file and (boxes or page is not None or folder is not None):
        raise Refusal("--box, --page and --to are for a file, not for an answer or a message.")
    if file and folder is None and not yes:
        raise Refusal("Look before you sign: --to FOLDER writes the copy there, and asks.")
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    if not file:
        name = answer or message_named(found, message or 0)
        text = answer_of(found, name)
        is_piped = "-" in phrases and not sys.stdin.isatty()
        if "-" in phrases:
            asked = _piped() if is_piped else _asked()
            phrases = (*(one for one in phrases if one != "-"), *asked)
        chosen = _look_at(text, phrases, [_span(one) for one in spans])
        if chosen and is_piped and not yes:
            raise Refusal("Nothing was signed: words that are piped are signed with --yes alone.")
        if chosen:
            _is_to_be_signed(yes=yes)
        sent = redact_answer(desk, found, name, chosen)
    else:
        parsed = [parse_box(one) for one in boxes]
        sent = _copy_file(desk, found, file, parsed, (page or 1) - 1, folder, yes=yes)
    _say(desk_case=found, said="a redacted copy was made", sent=sent)


@main.command("quarantine", short_help="Close a file for good: nothing opens it any more.")
@click.argument("case")
@click.argument("file")
@click.option("--custodian", default="", help="Who answers for it; the roster's first custodian.")
@click.option("--text", type=SAID, default="", help="Why, in words; - reads standard input.")
@unlocking
@click.pass_obj
def quarantine_command(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, file: str, *, custodian: str, text: str,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Put a file in quarantine: from then on no desk shows, opens, exports or transmits it.

    Nor any file with the same SHA-256, nor what was made from it. What stays is the digest, a
    pointer and the name of a custodian. There is no command that opens it again.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    whom = custodian or custodians(desk)[0]
    chosen = find_file(desk, found, file)
    sent = close(desk, found, chosen, whom, text)
    _say(desk_case=found, said=f"{chosen.sha256} is in quarantine; custodian: {whom}", sent=sent)


def _say(*, desk_case: Case, said: str, sent: bool) -> None:
    click.echo(f"{desk_case.ref}: {said}" + ("" if sent else " (waits for the next sync)"))


def _copy_file(  # noqa: PLR0913, PLR0917  # what is made, and where it is looked at
    desk: Desk, case: Case, name: str, boxes: list[Box], part: int, folder: Path | None, *,
    yes: bool,
) -> bool:  # fmt: skip
    """Make a copy, write it where it can be looked at, and sign the very bytes after a yes."""
    file = find_file(desk, case, name)
    with showing() as progress:
        progress.step(Sentence("Looking at {file}", file=file.name))
        copy = make(desk, case, file.id, boxes, part=part)
    if folder is not None:
        click.echo(f"{export_copy(desk, file, copy, folder)}: the copy, in clear. Look at it.")
    _is_to_be_signed(yes=yes)
    # As the case is now: a sync can have closed the file while somebody looked.
    return sign(desk, Cases(desk).find(case.id.hex()), copy)


def _is_to_be_signed(*, yes: bool) -> None:
    if not (yes or click.confirm("Is this the copy to sign?", err=True)):
        raise Refusal("Nothing was signed.")


def _asked() -> Iterator[str]:
    """The words that somebody types, a line each, up to an empty one."""
    while said := str(click.prompt("Words (an empty line ends)", "", show_default=False, err=True)):
        yield said


def _piped() -> list[str]:
    """The words that are piped, a line each, all of them.

    An empty line ends nothing: it stands between two names in any list, and what follows it would
    stay in a copy that is signed.  So nothing is left to answer a question with.
    """
    try:
        return [line for one in sys.stdin if (line := one.rstrip("\r\n")).strip()]
    except UnicodeDecodeError:
        raise Refusal("Standard input cannot be read as text.") from None


def _look_at(
    text: str, phrases: tuple[str, ...], spans: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Print the copy, and how often each phrase was found; returns all that is blacked out."""
    places = places_of(text, phrases)
    together = [*spans, *(one for several in places.values() for one in several)]
    if together:
        click.echo(words.plain(words.defanged(blacked_out(text, together))))
    for phrase, several in places.items():
        click.echo(f"{words.cell(phrase)}: found {words.count(len(several), 'time')}")
    return together


def _span(untrusted: str) -> tuple[int, int]:
    start, _, stop = untrusted.partition(":")
    if not (start.isascii() and start.isdigit() and stop.isascii() and stop.isdigit()):
        raise Refusal("A span is from:to in characters, like 10:16.")
    return int(start), int(stop)
