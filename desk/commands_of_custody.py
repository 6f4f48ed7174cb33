"""The commands of custody: an operator asks and opens, a custodian reads and answers."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crypto.letter import TEXT_MOST
from desk import custodian, custody, words
from desk.cases import Cases, iso
from desk.custody_waiting import letter, requests_of, waiting_requests
from desk.custody_words import CONTESTED, LABEL_MOST, Why, digest_of, refused
from desk.errors import CustodyRefused
from desk.program import FILE, SAID, Setting, json_shape, jsonable, main, print_json, unlocking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.custodian import Asking
    from desk.custody import Refusal
    from desk.identity import OpenedIdentity

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_TO = click.option("--to", "path", required=True, type=FILE, help="A new file; - prints it.")


@main.group("custody", short_help="Ask the custodians who reported; answer them; open.")
def custody_group() -> None:
    """Open who reported, where as many custodians as the roster asks for agree to it.

    An operator asks (`ask`) and carries the file to the custodians, by mail or on a stick; each
    reads it on their own desk (`read`) and answers (`agree` or `refuse`); the operator opens with
    the answers (`open`). The files are sealed: whoever finds one reads nothing. `-` stands for
    standard input or output.
    """


@custody_group.command(
    short_help="Ask for a case's identity.",
    epilog=json_shape('--json: {"request": id, "case": id, "file": path, "sent": bool}'),
)
@click.argument("case")
@click.option("--reason", type=SAID, required=True, help="Why; the custodians decide by it.")
@_TO
@jsonable
@unlocking
@click.pass_obj
def ask(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, reason: str, path: Path, *, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Ask the custodians for a case's identity: an entry in its journal, and a file for them."""
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    _require_free(path)
    asked = custody.ask(desk, found, reason)
    _write(path, asked.text)
    if as_json:
        print_json(
            {
                "request": asked.id.hex(),
                "case": found.id.hex(),
                "file": str(path),
                "sent": asked.sent,
            }
        )
        return
    later = "" if asked.sent else " (the journal's entry waits for the next sync)"
    click.echo(
        f"{found.ref}: request {asked.id.hex()[:8]}. Carry {path} to the custodians{later}.",
        err=True,
    )


@custody_group.command(
    "list",
    short_help="List requests that were not opened yet.",
    epilog=json_shape(
        '--json: {"requests": [{"case", "request", "day", "operator", "mine": bool,',
        '         "late": bool, "reason", "refused": [{"custodian", "day", "reason"}]}]}',
    ),
)
@click.argument("case", required=False)
@jsonable
@unlocking
@click.pass_obj
def list_requests(
    setting: Setting, case: str | None, *, as_json: bool, passphrase_file: Path | None
) -> None:
    """List the requests of a case's journal that nobody opened yet; without a case, your own."""
    desk = setting.unlock(passphrase_file)
    rows = requests_of(desk, Cases(desk).find(case)) if case else waiting_requests(desk)
    if as_json:
        print_json({"requests": [one.to_json() for one in rows]})
        return
    for row in rows:
        one = row.request
        late = "  out of date: ask anew" if one.late else ""
        click.echo(
            f"{row.ref}  {one.id[:8]}  {iso(one.day)}  {words.cell(one.by, LABEL_MOST)}  "
            f"{words.cell(one.reason, 80)}{late}"
        )
        for said in one.refusals:
            _tell_refusal(said)
    if not rows:
        click.echo("No requests that wait.")


@custody_group.command("letter", short_help="Write a request's file once more.")
@click.argument("case")
@click.argument("request")
@_TO
@unlocking
@click.pass_obj
def letter_again(
    setting: Setting, case: str, request: str, path: Path, *, passphrase_file: Path | None
) -> None:
    """Write the file of a request of yours that waits, to be carried to the custodians again.

    REQUEST is its first digits, as `custody list` shows them.
    """
    desk = setting.unlock(passphrase_file)
    found = letter(desk, Cases(desk).find(case), request)
    _require_free(path)
    _write(path, found.text)
    click.echo(f"Request {found.id[:8]}. Carry {path} to the custodians.", err=True)


@custody_group.command(
    "refused",
    short_help="File custodians' refusals in the case's journal.",
    epilog=json_shape(
        '--json: {"case": id, "refused": [{"custodian", "day", "reason"}], "sent": bool}',
    ),
)
@click.argument("case")
@click.argument("answers", type=FILE, nargs=-1, required=True)
@jsonable
@unlocking
@click.pass_obj
def refused_by(
    setting: Setting, case: str, answers: tuple[Path, ...], *, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Write into a case's journal that custodians said no to a request of yours, and why.

    `open` files those among its answers by itself; this is for a request that will not be opened.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    said, sent = custody.file_refusals(desk, found, [_read(one) for one in answers])
    if as_json:
        print_json({"case": found.id.hex(), "refused": [asdict(one) for one in said], "sent": sent})
        return
    for one in said:
        _tell_refusal(one)
    later = "" if sent else " (waits for the next sync)"
    click.echo(f"{found.ref}: in the journal{later}", err=True)


@custody_group.command(
    "read",
    short_help="Read a request, and prove who asks.",
    epilog=json_shape(
        '--json: {"request", "case", "ref", "operator", "day", "reason", "identities": [id],',
        '         "quorum": n, "custodians": n,',
        '         "contested": [{"named": digest, "others": [digest]}]}',
    ),
)
@click.argument("file", type=FILE)
@jsonable
@unlocking
@click.pass_obj
def read_request(
    setting: Setting, file: Path, *, as_json: bool, passphrase_file: Path | None
) -> None:
    """Read a request: who asks, why, about which case; and prove that it is genuine."""
    desk = setting.unlock(passphrase_file)
    asking = custodian.read(desk, _read(file))
    if as_json:
        print_json(asking.to_json())
    else:
        _tell(asking)


@custody_group.command(short_help="Say yes: your shares, for that operator alone.")
@click.argument("file", type=FILE)
@click.option(
    "--compared",
    is_flag=True,
    help="Where this desk has another identity under the same id: you compared, as `read` asks.",
)
@_TO
@unlocking
@click.pass_obj
def agree(
    setting: Setting, file: Path, path: Path, *, compared: bool, passphrase_file: Path | None
) -> None:
    """Agree to a request: seal this custodian's shares to the operator who asked, and to no other.

    Carry the file back. It serves for this one request.
    """
    desk = setting.unlock(passphrase_file)
    asking = custodian.read(desk, _read(file))
    _require_free(path)
    if not compared:
        _tell_of_another(asking)
    _write(path, custodian.agree(desk, asking, compared=compared))
    click.echo(f"{asking.ref}: yes, for {_who(asking)}. Carry {path} back to them.", err=True)


@custody_group.command(short_help="Say no, and why.")
@click.argument("file", type=FILE)
@click.option("--reason", type=SAID, required=True, help="Why not; the operator reads it.")
@_TO
@unlocking
@click.pass_obj
def refuse(
    setting: Setting, file: Path, reason: str, path: Path, *, passphrase_file: Path | None
) -> None:
    """Refuse a request, with the reason, to the operator who asked."""
    desk = setting.unlock(passphrase_file)
    asking = custodian.read(desk, _read(file))
    _require_free(path)
    _write(path, custodian.refuse(desk, asking, reason))
    click.echo(f"{asking.ref}: no, for {_who(asking)}. Carry {path} back to them.", err=True)


@custody_group.command(
    "answered",
    short_help="List what this custodian answered.",
    epilog=json_shape(
        '--json: {"answered": [{"request", "case", "operator", "asked_on", "answered_on",',
        '         "agreed": bool, "reason"}]}',
    ),
)
@jsonable
@unlocking
@click.pass_obj
def list_answered(setting: Setting, *, as_json: bool, passphrase_file: Path | None) -> None:
    """List the requests that this custodian answered, to be compared with the cases' journals."""
    rows = custodian.answered(setting.unlock(passphrase_file))
    if as_json:
        print_json({"answered": [asdict(one) for one in rows]})
        return
    for one in rows:
        click.echo(
            f"{one.answered_on}  {'yes' if one.agreed else 'no '}  {one.ref}  {one.request[:8]}  "
            f"{words.cell(one.operator, LABEL_MOST)}  {words.cell(one.reason, 80)}"
        )
    if not rows:
        click.echo("Nothing was answered here.")


@custody_group.command(
    "open",
    short_help="Open the identity with the custodians' answers, once.",
    epilog=json_shape(
        '--json: {"request": id, "reason", "custodians": [label], "identities": [{"id", "day",',
        '         "identity_mode", "identity": {}, "safe_contact": {}}]}',
    ),
)
@click.argument("case")
@click.argument("request_file", type=FILE, metavar="REQUEST")
@click.argument("answers", type=FILE, nargs=-1, required=True)
@jsonable
@unlocking
@click.pass_obj
def open_with(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, request_file: Path, answers: tuple[Path, ...], *, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Open a case's identity with a request and the custodians' answers to it.

    It is shown here, once, and the case's journal says so first. Nothing is written to the disk
    but what you redirect there. A request that was opened opens no second time.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    request = custody.request_id(desk, _read(request_file))
    opened = custody.open_identity(desk, found, request, [_read(one) for one in answers])
    if as_json:
        print_json({"case": found.id.hex(), **opened.to_json()})
        return
    said = ", ".join(words.cell(one, LABEL_MOST) for one in opened.custodians)
    click.echo(f"{found.ref}  request {opened.request[:8]}, agreed: {said}")
    for one in opened.identities:
        _show(one)
    if not opened.sent:
        click.echo("The journal's entry waits for the next sync.", err=True)


def _tell_refusal(said: Refusal) -> None:
    who, why = words.cell(said.custodian, LABEL_MOST), words.cell(said.reason, 80)
    click.echo(f"    refused by {who} on {said.day}: {why}")


def _tell(asking: Asking) -> None:
    click.echo(
        f"{_who(asking)} asked on {iso(asking.request.day)} who reported case {asking.ref} "
        f"({len(asking.envelopes)} sealed)."
    )
    click.echo(
        f"Signed by an operator of the roster in force. {asking.quorum} of {asking.custodians} "
        "custodians must agree. The reason:"
    )
    click.echo(words.plain(words.defanged(asking.request.reason)))
    _tell_of_another(asking)


def _tell_of_another(asking: Asking) -> None:
    if not asking.contested:
        return
    click.echo(CONTESTED, err=True)
    for named, others in asking.contested:
        here = "".join(f"\n  Here, too:             {digest_of(one)}" for one in others)
        click.echo(f"  The request names:     {digest_of(named)}{here}", err=True)


def _who(asking: Asking) -> str:
    return words.cell(asking.operator.label, LABEL_MOST)


def _show(one: OpenedIdentity) -> None:
    click.echo(f"{iso(one.day)}  {words.cell(words.label(one.manifest.identity_mode))}")
    parts: tuple[Mapping[str, Json], ...] = (one.manifest.identity, one.manifest.safe_contact)
    for name, lines in (row for part in parts for row in words.flat(part)):
        click.echo(f"  {words.cell(name)}: {words.plain(words.cut(', '.join(lines)))}")


def _read(path: Path) -> str:
    """A letter's text, of a bounded size; raises CustodyRefused."""
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(TEXT_MOST + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(TEXT_MOST + 1)
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise refused(Why.NOT_A_LETTER) from None
    except OSError as error:
        raise CustodyRefused(f"{path} cannot be read: {error.strerror}") from None


def _require_free(path: Path) -> None:
    """Before anything is signed: a file that is there stays as it is."""
    if str(path) == "-":
        return
    if path.exists() or path.is_symlink():
        raise CustodyRefused(f"{path} is there already. Name a new file.")
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        # What is asked stands in the journal, and its letter is written once.
        raise CustodyRefused(f"{path} cannot be written. Nothing was done.")


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    try:
        with os.fdopen(os.open(path, _NEW, 0o600), "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise CustodyRefused(
            f"{path} cannot be written: {error.strerror}. With --to - the letter is printed."
        ) from None
