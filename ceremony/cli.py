"""`amana-root`: the offline root's program.  It opens no network connection.

Exit codes: 0 done, 2 a command line that makes no sense, 3 something was refused (said on stderr).
A passphrase is typed or stands in a file; never on the command line, where `ps` would show it.
"""

import datetime as dt
import getpass
import hashlib
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import click
from rich.console import Console

from ceremony.errors import CeremonyError, ForkRefused, MembersRefused, PassphraseRefused
from ceremony.files import PUBLIC, read_small, require_absent, require_folder, write_new
from ceremony.members import next_roster, renewed
from ceremony.root import Root, create_root, open_root, read_root_public, verify_past
from ceremony.show import REHEARSAL, as_json, print_table
from crypto.enrolment import Enrolment
from crypto.errors import CryptoError, EnrolmentRefused
from crypto.ids import Day, day_of
from crypto.keyfile import KeyFileCost
from crypto.keys import CustodianPublicKey
from crypto.roster import VALIDITY_DAYS_MOST, Roster, RosterDraft, read_unverified, verify_roster
from terminal.ending import to_its_end

PASSPHRASE_CHARACTERS_LEAST = 12


def _utc_today() -> Day:
    return day_of(dt.datetime.now(dt.UTC).date())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a test replaces: the calendar, and the cost of the passphrase."""

    today: Callable[[], Day] = _utc_today
    cost: KeyFileCost = field(default_factory=KeyFileCost)


class Refused(click.ClickException):
    """A refusal, as the command line says it."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reason on stderr."""
        click.echo(f"refused: {self.format_message()}", file=file, err=True)


class _Group(click.Group):
    """Turns the rooms' errors into exit code 3, in one place."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # as click declares it
        try:
            return super().invoke(ctx)
        except (CeremonyError, CryptoError) as error:
            raise Refused(str(error)) from None

    def main(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401  # as click declares it
        return to_its_end(lambda: super(_Group, self).main(*arguments, **extra), _unwritable)


def _unwritable(why: str) -> NoReturn:
    click.echo(f"refused: {why}", err=True)
    sys.exit(Refused.exit_code)


_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _passphrase_option(command: _Command) -> _Command:
    return click.option(
        "--passphrase-file", type=_FILE, help="Read the passphrase from this file's first line."
    )(command)


def _signing_options(command: _Command) -> _Command:
    """What `roster` and `renew` share."""
    options = (
        click.option("--root", "folder", type=_FOLDER, required=True, help="The root's folder."),
        click.option("--days", type=click.IntRange(1, VALIDITY_DAYS_MOST), required=True),
        click.option("--out", type=_FILE, required=True, help="The new roster."),
        click.option("--previous", type=_FILE, help="The roster in force now."),
        click.option(
            "--not-before", type=click.DateTime(["%Y-%m-%d"]), help="First day; today (UTC) if not."
        ),
        click.option("--yes", is_flag=True, help="Do not ask whether fingerprints were compared."),
    )
    for option in reversed(options):
        command = option(command)
    return _passphrase_option(command)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="amana")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Say whose keys a gateway may seal to.  Use this on a machine that is offline."""
    ctx.obj = ctx.obj or Settings()


@main.command(short_help="Make a root: a private key, and the public one.")
@click.option("--out", "folder", type=_FOLDER, required=True, help="The new root's folder.")
@click.option("--rehearsal", is_flag=True, help="For practice: every roster will say so.")
@_passphrase_option
@click.pass_obj
def init(
    settings: Settings, folder: Path, *, rehearsal: bool, passphrase_file: Path | None
) -> None:
    """Make a root: a private key behind a passphrase, and the public key to be pinned."""
    require_absent(folder / "root.key")
    passphrase = _passphrase(passphrase_file, new=True, short_allowed=rehearsal)
    root = create_root(folder, passphrase, rehearsal=rehearsal, cost=settings.cost)
    if rehearsal:
        click.echo(REHEARSAL)
    click.echo(f"{folder / 'root.key'}: keep this offline, and a copy in another place")
    click.echo(f"{folder / 'root.pub'}: give this to every gateway and desk; read aloud:")
    click.echo(f"  {root.public.fingerprint}")


@main.command()
@_signing_options
@click.option("--enrol", type=_FILE, multiple=True, required=True, help="An operator; repeat.")
@click.option("--custodian", type=_FILE, multiple=True, required=True, help="One; repeat.")
@click.option("--quorum", type=click.IntRange(1), help="Custodians needed; a majority if not.")
@click.pass_obj
def roster(
    settings: Settings,
    /,
    *,
    enrol: Sequence[Path],
    custodian: Sequence[Path],
    quorum: int | None,
    **signing: Any,  # noqa: ANN401  # the options that renew has too
) -> None:
    """Sign a roster of exactly these operators and custodians."""
    enrolments = _enrolments(enrol, custodian)

    def draft(root: Root, previous: Roster | None, first: Day) -> RosterDraft:
        return next_roster(
            enrolments,
            deployment=root.public.deployment,
            previous=previous,
            not_before=first,
            days=signing["days"],
            quorum=quorum,
            rehearsal=root.rehearsal,
        )

    _sign(settings, draft, **signing)


@main.command(short_help="Sign the next roster with the same keys.")
@_signing_options
@click.pass_obj
def renew(settings: Settings, /, **signing: Any) -> None:  # noqa: ANN401  # as roster
    """Sign the next roster with the same keys, before the one in force expires."""

    def draft(_root: Root, previous: Roster | None, first: Day) -> RosterDraft:
        if previous is None:
            raise ForkRefused("there is no roster to renew: this root has signed none")
        return renewed(previous, not_before=first, days=signing["days"])

    _sign(settings, draft, **signing)


@main.command(short_help="Say what a roster says, and whether it holds.")
@click.argument("file", type=_FILE)
@click.option("--root-public", type=_FILE, help="Verify against this root.pub.")
@click.option("--json", "json_wanted", is_flag=True, help="For programs.")
@click.pass_obj
def show(settings: Settings, file: Path, root_public: Path | None, *, json_wanted: bool) -> None:
    """Say what a roster says, and with --root-public whether it holds today."""
    untrusted = read_small(file)
    today = settings.today()
    said: RosterDraft = read_unverified(untrusted)
    if root_public is not None:
        said = verify_roster(untrusted, read_root_public(root_public), today, None)
    verified = root_public is not None
    if json_wanted:
        note_hash = hashlib.sha256(untrusted).digest()
        click.echo(as_json(said, note_hash, verified=verified))
    else:
        print_table(_console(), said, verified=verified, today=today)


def _sign(  # noqa: PLR0913  # one for each option that roster and renew share
    settings: Settings,
    draft: Callable[[Root, Roster | None, Day], RosterDraft],
    *,
    folder: Path,
    days: int,
    out: Path,
    previous: Path | None,
    not_before: dt.datetime | None,
    yes: bool,
    passphrase_file: Path | None,
) -> None:
    """Draft, show, ask, sign, keep, write; refuse what can be refused before anything is signed."""
    require_absent(out)
    require_folder(out.parent)
    root = open_root(folder, _passphrase(passphrase_file, new=False, short_allowed=True))
    before = _previous(root, previous)
    first = _first_day(settings.today(), not_before, days, over=root.rehearsal)
    drafted = draft(root, before, first)
    print_table(_console(), drafted, verified=True, today=first)
    if not (yes or root.rehearsal) and sys.stdin.isatty():
        click.confirm("Was every fingerprint read aloud by its holder, and the same?", abort=True)
    signed = root.sign(drafted)
    write_new(out, signed.note, PUBLIC)
    click.echo(f"{out}: signed, epoch {signed.epoch}, hash {signed.hash.hex()}")


def _first_day(today: Day, chosen: dt.datetime | None, days: int, *, over: bool) -> Day:
    """The day that a roster begins; one that nobody could ever use is a slip of the hand.

    `over`: whether its days may be over already: a rehearsal may play what was.
    """
    if chosen is None:
        return today
    first = day_of(chosen.date())
    if (first + days < today and not over) or first < 0 or first + days > day_of(dt.date.max):
        raise click.BadParameter(
            f"a roster of {days} days from {chosen:%Y-%m-%d} is never in force",
            param_hint="--not-before",
        )
    return first


def _previous(root: Root, stated: Path | None) -> Roster | None:
    """The stated roster, or else the last that the root signed; Root.sign refuses a fork."""
    if stated is None:
        return root.last_signed()
    return verify_past(read_small(stated), root.public)


def _enrolments(operators: Sequence[Path], custodians: Sequence[Path]) -> list[Enrolment]:
    found = []
    for paths, role in ((operators, "operator"), (custodians, "custodian")):
        for path in paths:
            try:
                enrolment = Enrolment.from_json(read_small(path))
            except EnrolmentRefused as error:
                raise MembersRefused(f"{path}: {error}") from None
            theirs = "custodian" if isinstance(enrolment.key, CustodianPublicKey) else "operator"
            if theirs != role:
                raise MembersRefused(f"{path}: the enrolment of one {theirs}, not of one {role}")
            found.append(enrolment)
    return found


def _passphrase(path: Path | None, *, new: bool, short_allowed: bool) -> str:
    if path is None:
        typed = _typed(new=new)
    else:
        try:
            typed = read_small(path).decode().partition("\n")[0].removesuffix("\r")
        except UnicodeDecodeError:
            raise PassphraseRefused(f"{path}: the passphrase is not UTF-8 text") from None
    if not short_allowed and len(typed) < PASSPHRASE_CHARACTERS_LEAST:
        least = PASSPHRASE_CHARACTERS_LEAST
        raise PassphraseRefused(f"a passphrase of less than {least} characters protects too little")
    return typed


def _typed(*, new: bool) -> str:
    nowhere = "no passphrase was typed; where there is no terminal, use --passphrase-file FILE"
    if sys.stdin is None:
        raise PassphraseRefused(nowhere)
    try:
        with warnings.catch_warnings():
            # Where no terminal can be told not to show it, it is not asked for.
            warnings.simplefilter("error", getpass.GetPassWarning)
            typed: str = click.prompt(
                "Passphrase", hide_input=True, confirmation_prompt=new, err=True
            )
    except getpass.GetPassWarning:
        raise PassphraseRefused(nowhere) from None
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise PassphraseRefused(nowhere) from None
    return typed


def _console() -> Console:
    # Made when it is needed: it looks at the standard output of that moment.
    return Console(highlight=False, soft_wrap=True)
