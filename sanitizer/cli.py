"""``amana-sanitize IN OUT``: clean a file or a folder, alone.

Rule: exit 0 and everything is clean; exit 3 and what was refused has no copy, the reasons are told;
exit 2 for a command that cannot be understood; 130 for one that was interrupted. A copy appears
whole or not at all. One file is written where it is told to, like ``cp``, but never over IN; a
folder's results replace nothing without ``--force``.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sanitizer.advice import ADVICE
from sanitizer.files import CannotWrite, Outcome, clean_file
from sanitizer.folders import clean_folder, walk
from terminal.ending import to_its_end

REFUSED = 3
INTERRUPTED = 130
_PROCESSORS = len(os.sched_getaffinity(0))
_OF_THE_DISK = {"unreadable", "unwritable"}


def _print_formats(context: click.Context, _parameter: object, asked: bool) -> None:  # noqa: FBT001 - click's
    """Print the table of formats and end."""
    if asked:
        # A program of its own: it reads the lists of all cleaners, and so their parsers.
        table = [sys.executable, "-P", "-m", "sanitizer.described"]
        told = subprocess.run(table, check=False, stdout=subprocess.PIPE)  # noqa: S603 - our own program
        click.echo(told.stdout, nl=False)
        context.exit(told.returncode)


class _Command(click.Command):
    """Says in one line that its output finds no room, where it is not the copies'."""

    def main(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401 - as click declares it
        """Run the program."""
        return to_its_end(lambda: super(_Command, self).main(*arguments, **extra), _unwritable)


def _unwritable(why: str) -> NoReturn:
    print(f"Error: {why}", file=sys.stderr)
    sys.exit(2)


@click.command(
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
    Examples:
      amana-sanitize photo.jpg clean.jpg
      amana-sanitize holiday/ clean/            every file below holiday/
      amana-sanitize --rename holiday/ clean/   names like file-0001.jpg
      amana-sanitize --json film.mov clean.mov  what was found, for programs
    \b
    A name may tell as much as what is inside: IMG_20260102_1830.jpg is a time.
    Exit status: 0 all is clean, 3 something was refused, 2 the command makes no
    sense, 130 interrupted.""",
)
@click.argument("untrusted", metavar="IN", type=click.Path(exists=True, path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--rename", is_flag=True, help="Call results file-0001 and so on (folders only).")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, and replace.")
@click.option(
    "--jobs",
    type=click.IntRange(1, _PROCESSORS + 1, clamp=True),
    default=_PROCESSORS,
    metavar="N",
    show_default=False,
    help="Clean N files of a folder at a time; without it, one for each processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each file.")
@click.option(
    "--formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_formats,
    help="Print which formats are cleaned and what each keeps.",
)
def main(  # noqa: PLR0913 - a command's options
    *, untrusted: Path, out: Path, rename: bool, force: bool, jobs: int, as_json: bool
) -> None:
    """Write copies without their metadata: pictures, documents, video, sound.

    IN is a file, and OUT the clean copy; or IN is a folder, and OUT a new folder for the clean
    copies of everything in it. What cannot be cleaned is refused: it has no copy, and the reason
    is told. The files in IN are never changed.
    """
    try:
        with _signals():
            if untrusted.is_dir():
                _folder(untrusted, out, rename=rename, force=force, jobs=jobs, as_json=as_json)
            else:
                _file(untrusted, out, rename=rename, as_json=as_json)
    except CannotWrite:
        raise click.UsageError("OUT cannot be written") from None
    except KeyboardInterrupt:
        print("interrupted: what was not finished has no copy", file=sys.stderr)
        sys.exit(INTERRUPTED)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let a request to end, and the end of a terminal, be an interruption like Ctrl-C."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _file(untrusted: Path, out: Path, *, rename: bool, as_json: bool) -> None:
    if rename:
        raise click.UsageError("--rename is for folders")
    if not untrusted.is_file():
        raise click.UsageError("IN is neither a file nor a folder")
    if out.is_dir():
        raise click.UsageError("OUT is a folder: name the file in it")
    if out.exists() and not out.is_file():
        # A copy takes its place by its name: a device would be gone from this machine.
        raise click.UsageError("OUT is there, and is no plain file")
    if out.exists() and out.samefile(untrusted):
        raise click.UsageError("OUT is IN: an original is never overwritten")
    told = clean_file(untrusted, out.absolute().parent, lambda _: [out], replace=True)
    if told.reason in _OF_THE_DISK:
        raise click.UsageError("IN cannot be read or OUT cannot be written")
    if as_json:
        print(json.dumps(told.as_json()))
    if told.reason:
        print(f"refused: {told.reason}: {told.detail}", file=sys.stderr)
        print(f"  {ADVICE[told.reason]}", file=sys.stderr)
        sys.exit(REFUSED)


def _folder(  # noqa: PLR0913 - a command's options
    folder: Path, out: Path, *, rename: bool, force: bool, jobs: int, as_json: bool
) -> None:
    _check_apart(folder.resolve(), out.resolve())
    if not force and out.is_dir() and any(out.iterdir()):
        raise click.UsageError("OUT is not empty (--force adds to it and replaces)")
    try:
        out.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        raise click.UsageError("OUT is no folder and cannot be made one") from None
    found = walk(folder)
    # Where the lines of JSON go to the same terminal, a bar would stand between them.
    console = Console(stderr=True)
    is_shown = console.is_terminal and not (as_json and sys.stdout.isatty())
    columns = (TextColumn("Cleaning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    outcomes: list[Outcome] = []
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("", total=len(found))
        cleaning = clean_folder(
            folder,
            out,
            found,
            jobs=jobs,
            is_neutral=rename,
            replaces=force,
            tick=lambda: progress.advance(task),
        )
        with contextlib.closing(cleaning):
            for told in cleaning:
                outcomes.append(told)
                if as_json:
                    print(json.dumps(told.as_json()), flush=True)
    _sum_up(out, outcomes, file=sys.stderr if as_json else sys.stdout)
    if any(told.reason for told in outcomes):
        sys.exit(REFUSED)


def _check_apart(folder: Path, out: Path) -> None:
    if folder == out or folder in out.parents or out in folder.parents:
        raise click.UsageError("one of the two folders lies inside the other")


def _sum_up(out: Path, outcomes: list[Outcome], file: TextIO) -> None:
    refused: dict[str, list[Outcome]] = defaultdict(list)
    for told in outcomes:
        if told.reason:
            refused[told.reason].append(told)
    count = sum(map(len, refused.values()))
    clean = len(outcomes) - count
    print(f"{clean} of {len(outcomes)} files cleaned into {_shown(out)}", file=file)
    if count:
        print(f"{count} refused, without a copy:", file=file)
    for reason, those in sorted(refused.items()):
        print(f"  {reason}: {ADVICE[reason]}", file=file)
        for told in those:
            print(f"    {_shown(told.path)} ({told.detail})", file=file)


def _shown(path: Path) -> str:
    """Return a name as a terminal may have it: no escape sequence, nothing that is no letter."""
    name = str(path)
    return name if name.isprintable() else ascii(name)
