"""amana-audit: check a deployment without any key.  Exit 0: all holds; 1: something does not."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.errors import AuditError
from audit.finding import Finding
from audit.shelf import audit_shelf
from audit.site import Site, audit_site
from crypto.errors import RosterRefused
from crypto.ids import day_of
from crypto.roster import RootPublicKey, verify_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sized

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
EXISTING = click.Path(exists=True, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check what Amana promises, from outside, with no key."""


@main.command(short_help="Look at a live site from outside.")
@click.argument("address")
@AS_JSON
def site(address: str, *, as_json: bool) -> None:
    """Look at a live site: headers, scripts, cookies, codes that were never given."""
    _report(lambda: audit_site(Site(address)), as_json=as_json)


@main.command(short_help="Verify a signed roster, and say what it allows.")
@click.argument("note", type=EXISTING)
@click.option("--root-public", type=EXISTING, required=True, help="The root's public key.")
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
    try:
        root = RootPublicKey.from_text(root_public.read_text(encoding="utf-8"))
        valid = verify_roster(note.read_bytes(), root, today, None)
    except (RosterRefused, UnicodeDecodeError) as refused:
        return Finding("the roster is the root's, and in force", holds=False, seen=str(refused))
    who = f"{_count(valid.operators, 'operator')}, {_count(valid.custodians, 'custodian')}"
    kind = "REHEARSAL" if valid.rehearsal else "in earnest"
    seen = f"epoch {valid.epoch}, {who}, {valid.not_after - today} days left, {kind}"
    return Finding("the roster is the root's, and in force", holds=True, seen=seen)


def _count(members: Sized, one: str) -> str:
    number = len(members)
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _report(look: Callable[[], Iterable[Finding]], *, as_json: bool) -> None:
    """Print what was found and end with the exit code that says whether all holds."""
    try:
        findings = list(look())
    except AuditError as failure:
        print(f"amana-audit: {failure}", file=sys.stderr)
        sys.exit(2)
    if as_json:
        rows = [{"check": f.check, "holds": f.holds, "seen": f.seen} for f in findings]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.check}: {finding.seen}")
    sys.exit(0 if all(finding.holds for finding in findings) else 1)
