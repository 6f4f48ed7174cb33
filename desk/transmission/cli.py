"""amana-package: what a receiving service needs; no desk, no server, no network.

Exit 0: all proven.  1: it could not be done, or something is wrong, and was named.  2: the command
line was not understood.  3: nothing is wrong, and who signed is not proven.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto.package import service_fingerprint
from desk.command_group import Group, Refusal
from desk.harden import harden_process
from desk.passphrase import ask
from desk.transmission import proof
from desk.transmission.receiving import make_key, open_sealed, read_key
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from crypto.keyfile import KeyFileCost

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ROOT_MOST = 4096
"""Characters; a root.pub is one line of some 70."""


class _Group(Group):
    program = "amana-package"
    errors = (*Group.errors, proof.Wrong)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="amana")
def main() -> None:
    """Open and verify what was handed over, on the receiving service's own machine."""
    harden_process()


@main.command()
@click.option("--to", "folder", required=True, type=_FOLDER, help="Where the two files go.")
@click.option("--name", required=True, help="The files' name: letters, digits, - and _.")
@click.option("--passphrase-file", type=_FILE, help="Read the passphrase from its first line.")
@click.pass_obj
def keygen(cost: KeyFileCost | None, folder: Path, name: str, passphrase_file: Path | None) -> None:
    """Make your key pair: NAME.key, under a passphrase, stays here; NAME.pub goes to the sender."""
    key = make_key(folder, name, _asked(passphrase_file, new=True), cost=cost)
    click.echo(f"{folder / name}.key: your private key; keep the passphrase elsewhere")
    click.echo(f"{folder / name}.pub: hand this to the sender, and read aloud:")
    click.echo(f"  {service_fingerprint(key.public)}")


@main.command("open")
@click.argument("file", type=_FILE)
@click.option("--key", "key_file", required=True, type=_FILE, help="Your NAME.key.")
@click.option("--root", required=True, type=_FILE, help="The sender's root.pub.")
@click.option("--to", "folder", required=True, type=_FOLDER, help="A new or empty folder.")
@click.option("--passphrase-file", type=_FILE, help="Read the passphrase from its first line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of a stable shape.")
def open_package(  # noqa: PLR0913  # the command's options
    *, file: Path, key_file: Path, root: Path, folder: Path, passphrase_file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Open a sealed package, prove all of it, and only then write it into a folder, in clear.

    Have root.pub from the sender by another way than the package: it is what proves who signed.
    """
    ledger = Ledger(key_file.parent / f"{key_file.name}.unfinished")
    for rest in ledger.rests():
        click.echo(f"amana-package: {rest.words}", err=True)
    key = read_key(key_file, _asked(passphrase_file))
    found = open_sealed(file, key, _root(root), folder, ledger)
    _say(found, as_json=as_json)
    if not found.findings and not as_json:
        click.echo(f"{folder}: in clear. Mind where it is.")
    raise click.exceptions.Exit(found.code)


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option("--root", type=_FILE, help="The sender's root.pub; without it, no signer is proven.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of a stable shape.")
def verify(*, folder: Path, root: Path | None, as_json: bool) -> None:
    """Verify a folder that was opened or handed over, as its own verify.py does."""
    try:
        found = proof.verify_folder(folder, _root(root) if root else None)
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}") from None
    _say(found, as_json=as_json)
    raise click.exceptions.Exit(found.code)


def _say(found: proof.Proof, *, as_json: bool) -> None:
    if not as_json:
        proof.report(found, click.echo)
        return
    shape = {
        "proven": found.code == 0,
        "case": found.manifest["case"],
        "package": found.manifest["package"],
        "signer": found.signer,
        "files": found.files,
        "acts": found.acts,
        "apart": list(found.apart),
        "findings": [one._asdict() for one in found.findings],
        "remarks": list(found.remarks),
    }
    click.echo(json.dumps(shape, indent=2))


def _asked(passphrase_file: Path | None, *, new: bool = False) -> str:
    return ask(None, passphrase_file, new=new)


def _root(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            return file.read(_ROOT_MOST)
    except (OSError, ValueError):
        raise Refusal(f"{path} cannot be read as a root's public key.") from None
