"""The commands that hand a case over: services' keys, and the package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto.package import service_fingerprint
from desk import words
from desk.cases import Cases
from desk.console import showing
from desk.custody import agreed_to, request_id
from desk.errors import ServiceKeyRefused
from desk.program import (
    FILE,
    Setting,
    json_shape,
    jsonable,
    main,
    print_json,
    read_text,
    unlocking,
)
from desk.sentence import Sentence
from desk.transmission import services
from desk.transmission.possible import Order, competence, require_possible
from desk.transmission.transmit import transmit

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.custody import Agreed
    from desk.desk import Desk

_FOLDER = click.Path(path_type=Path, file_okay=False)
_IN_CLEAR = "IN CLEAR: whoever opens this folder reads everything. Print it, and destroy it."


@main.command("service-key", short_help="Bring in the key of a service that can be competent.")
@click.argument("service")
@click.argument("file", type=FILE)
@click.option("--fingerprint", help="As it was read aloud, instead of being asked.")
@unlocking
@click.pass_obj
def service_key(
    setting: Setting,
    service: str,
    file: Path,
    fingerprint: str | None,
    passphrase_file: Path | None,
) -> None:
    """Bring in a service's public key, which they made with `amana-package keygen`.

    Ask them to read their fingerprint aloud, on a line that you know is theirs, and compare.
    """
    desk = setting.unlock(passphrase_file)
    key = services.read_key(file)
    digits = service_fingerprint(key)
    before = services.found(desk, service)
    services.require_free(desk, service, key)
    click.echo(f"{service}: {digits}")
    if before.key == key:
        click.echo("That is the key that this desk has already.", err=True)
    elif before.key is not None:
        click.echo(f"It takes the place of: {before.fingerprint}", err=True)
    if fingerprint is not None:
        agrees = fingerprint.split() == digits.split()
    else:
        agrees = click.confirm("Is this what they read aloud?", err=True)
    if not agrees:
        raise ServiceKeyRefused("That is another key than theirs. Nothing was written.")
    services.bind(desk, service, key, instead_of=before.fingerprint)
    click.echo(f"What goes to {service} is sealed to this key from now on.")


@main.command(
    "services",
    short_help="List the services that can be competent, and their keys.",
    epilog=json_shape('--json: {"services": [{"service", "words", "key", "fingerprint"}]}'),
)
@jsonable
@unlocking
@click.pass_obj
def list_services(setting: Setting, *, as_json: bool, passphrase_file: Path | None) -> None:
    """List the services of the rules, with the fingerprint of each one's key."""
    found = list(services.listed(setting.unlock(passphrase_file)))
    if as_json:
        print_json({"services": [one.to_json() for one in found]})
        return
    for one in found:
        lacking = "ITS KEY'S FILE WAS DAMAGED: bring it in again" if one.damaged else "no key yet"
        click.echo(f"{one.id}: {one.words}\n    {one.fingerprint or lacking}")


@main.command(
    "transmit",
    short_help="Hand a case over to the competent service.",
    epilog=json_shape(
        '--json: {"path", "sha256", "files": n, "sent": bool,',
        '         "left_out": [{"source", "why", "sha256", "custodian"}]}',
    ),
)
@click.argument("case")
@click.option("--to", "file", type=FILE, help="The sealed file to write, for the service alone.")
@click.option("--folder", type=_FOLDER, help="A readable folder instead, in clear, for print.")
@click.option("--service", default="", help="Who is competent, where nobody made it ready.")
@click.option("--basis", default="", help="On which legal basis, likewise.")
@click.option("--custody-request", type=FILE, help="Your request to the custodians.")
@click.option("--custody-answer", multiple=True, type=FILE, help="Their answers, one by one.")
@jsonable
@unlocking
@click.pass_obj
def transmit_case(  # noqa: PLR0913  # the command's options
    setting: Setting, /, case: str, *, file: Path | None, folder: Path | None, service: str,
    basis: str, custody_request: Path | None, custody_answer: tuple[Path, ...], as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Build a case's package, sign it, seal it to the competent service, and say so in the journal.

    By another operator than the one who made the case ready. The identity goes along, in an annex
    of its own, only with the custodians' answers. The service opens the file with amana-package.
    """
    if (file is None) == (folder is None):
        raise click.UsageError("Give --to FILE, or --folder DIR.")
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    order = Order(
        file or folder or Path(), competence(found, service, basis), in_clear=folder is not None
    )
    # Before the answers are looked at, whose refusals go into the journal.
    require_possible(desk, found, order)
    if custody_request is not None or custody_answer:
        agreed = _agreed(desk, found, custody_request, custody_answer)
        order, found = replace(order, agreed=agreed), agreed.case
    with showing() as progress:
        progress.step(Sentence("Building the package"))
        done = transmit(desk, found, order)
    if as_json:
        print_json(done.to_json())
        return
    if folder is not None:
        click.echo(_IN_CLEAR, err=True)
    click.echo(f"{done.path}: {words.count(done.files, 'file')} of evidence")
    click.echo(f"SHA-256 {done.sha256}")
    for one in done.left_out:
        click.echo(f"left out ({one.why}): {one.pointer}", err=True)
    later = "" if done.sent else " (the entry waits for the next sync)"
    click.echo(f"{found.ref}: transmitted to {order.to.service}{later}")


def _agreed(desk: Desk, case: Case, request: Path | None, answers: tuple[Path, ...]) -> Agreed:
    if request is None or not answers:
        raise click.UsageError("--custody-request and --custody-answer go together.")
    return agreed_to(
        desk, case, request_id(desk, _letter(request)), [_letter(one) for one in answers]
    )


def _letter(path: Path) -> str:
    return read_text(path, "a letter", "ascii")
