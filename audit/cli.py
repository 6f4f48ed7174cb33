"""amana-audit: check a deployment without any key.

Exit 0: all holds.  1: something does not.  2: it could not be looked at, or the command line was
not understood.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from audit.errors import AuditError, Unreachable
from audit.finding import Finding
from audit.shelf import audit_shelf
from audit.site import Site, audit_site
from crypto.errors import RosterRefused
from crypto.ids import day_of
from crypto.roster import RootPublicKey, verify_roster
from terminal.ending import to_its_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sized

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
EXISTING = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE_MOST = 256 * 1024
_UNUSABLE = 2


class _Group(click.Group):
    """Says in one line what the machine refuses, a full disk behind `>` among it."""

    def main(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401  # as click declares it
        return to_its_end(lambda: super(_Group, self).main(*arguments, **extra), _unusable)


def _unusable(why: str) -> NoReturn:
    click.echo(f"amana-audit: {why}", err=True)
    sys.exit(_UNUSABLE)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check what Amana promises, from outside, with no key."""


@main.command(short_help="Look at a live site from outside.")
@click.argument("address")
@AS_JSON
def site(address: str, *, as_json: bool) -> None:
    """Look at a live site: headers, scripts, cookies, codes that were never given."""
    _report(lambda: audit_site(Site(address)), as_json=as_json)


@main.command(short_help="Verify a signed roster, and say what it allows.")
@click.argument("note", type=FILE)
@click.option("--root-public", type=FILE, required=True, help="The root's public key.")
@AS_JSON
def roster(note: Path, root_public: Path, *, as_json: bool) -> None:
    """Verify a signed roster against the root's public key, and say what it allows."""
    _report(lambda: [_roster(note, root_public)], as_json=as_json)


@main.command(short_help="Look at a copy of a server's disk.")
@click.argument("database", type=EXISTING)
@click.argument("blobs", type=EXISTING)
@AS_JSON
def vault(database: Path, blobs: Path, *, as_json: bool) -> None:
    """Look at a copy of a server's disk: what do its tables tell without any key?"""
    _report(lambda: audit_shelf(database, blobs), as_json=as_json)


def _roster(note: Path, root_public: Path) -> Finding:
    today = day_of(dt.datetime.now(tz=dt.UTC).date())
    untrusted, line = _read(note), _read(root_public).decode("utf-8", "replace")
    try:
        valid = verify_roster(untrusted, RootPublicKey.from_text(line), today, None)
    except RosterRefused as refused:
        return Finding("the roster is the root's, and in force", holds=False, seen=str(refused))
    who = f"{_count(valid.operators, 'operator')}, {_count(valid.custodians, 'custodian')}"
    kind = "REHEARSAL" if valid.rehearsal else "in earnest"
    seen = f"epoch {valid.epoch}, {who}, {valid.not_after - today} days left, {kind}"
    return Finding("the roster is the root's, and in force", holds=True, seen=seen)


def _read(path: Path) -> bytes:
    """A file's bytes, as far as a roster can reach.  Raises Unreachable."""
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MOST + 1)
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror}") from None


def _count(members: Sized, one: str) -> str:
    number = len(members)
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _report(look: Callable[[], Iterable[Finding]], *, as_json: bool) -> None:
    """Print what was found and end with the exit code that says whether all holds."""
    try:
        findings = list(look())
    except AuditError as failure:
        click.echo(f"amana-audit: {failure}", err=True)
        sys.exit(_UNUSABLE)
    if as_json:
        rows = [{"check": f.check, "holds": f.holds, "seen": f.seen} for f in findings]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            click.echo(
                f"{'holds ' if finding.holds else 'BROKEN'}  {finding.check}: {finding.seen}"
            )
    sys.exit(0 if all(finding.holds for finding in findings) else 1)
