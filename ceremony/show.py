"""What a roster says, for people (a table) and for programs (JSON)."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crypto.ids import Day, date_of
from crypto.roster import Custodian, Operator, RosterDraft

NOT_VERIFIED = "NOT VERIFIED: give --root-public to check the root's signature."
REHEARSAL = "REHEARSAL: keys for practice, not for reports."


def as_json(roster: RosterDraft, note_hash: bytes, *, verified: bool) -> str:
    """Give a roster as one JSON object; key ids in hexadecimal, days as YYYY-MM-DD."""
    document: dict[str, Any] = {
        "verified": verified,
        "rehearsal": roster.rehearsal,
        "deployment": roster.deployment.hex(),
        "epoch": roster.epoch,
        "not_before": str(date_of(roster.not_before)),
        "not_after": str(date_of(roster.not_after)),
        "hash": note_hash.hex(),
        "previous": roster.previous.hex(),
        "suite": roster.suite,
        "quorum": roster.quorum,
        "members": [_member(member) for member in roster.members],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def print_table(console: Console, roster: RosterDraft, *, verified: bool, today: Day) -> None:
    """Print a roster for people, with what to read aloud."""
    if roster.rehearsal:
        console.print(f"[bold]{REHEARSAL}[/bold]")
    if not verified:
        console.print(f"[bold]{NOT_VERIFIED}[/bold]")
    left = roster.not_after - today
    console.print(
        f"Epoch {roster.epoch}, valid {date_of(roster.not_before)} to {date_of(roster.not_after)}"
        f" ({f'{left} days left' if left >= 0 else 'expired'})"
    )
    console.print(
        f"An identity is opened by {roster.quorum} of {len(roster.custodians)} custodians"
    )
    table = Table("No.", "Role", "Label", box=None, pad_edge=False)
    table.add_column("Fingerprint, to be read aloud", no_wrap=True)
    for member in roster.members:
        role = "operator" if isinstance(member, Operator) else "custodian"
        table.add_row(str(member.number), role, escape(member.label), member.fingerprint)
    console.print(table)


def _member(member: Operator | Custodian) -> dict[str, Any]:
    if isinstance(member, Operator):
        role, first = "operator", {"evidence": member.evidence.kid.hex()}
    else:
        role, first = "custodian", {"custodian": member.custodian.kid.hex()}
    return {
        "number": member.number,
        "role": role,
        "label": member.label,
        "fingerprint": member.fingerprint,
        "kids": {**first, "sign": member.sign.kid.hex(), "api": member.api.kid.hex()},
    }
