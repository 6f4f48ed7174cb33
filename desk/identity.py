"""Open who reported, on a custodian's desk, where one custodian's share is enough.

Rule: an operator's desk cannot; where the roster asks for two custodians or more, this
desk cannot either, and says so. How an operator asks is desk.custody's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.header import Kind
from desk.cases import iso
from desk.errors import IdentityLocked
from desk.opening import Unopened
from desk.summary import IDENTITY_LOCKED

if TYPE_CHECKING:
    from crypto.ids import CaseId, Day
    from crypto.manifest import IdentityManifest
    from desk.desk import Desk


@dataclass(frozen=True, slots=True)
class OpenedIdentity:
    """One identity envelope, opened; a case has one per report and per message."""

    id: str
    day: Day
    manifest: IdentityManifest = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """The stable shape of `identity --json`."""
        return {
            "id": self.id,
            "day": iso(self.day),
            "identity_mode": self.manifest.identity_mode,
            "identity": dict(self.manifest.identity),
            "safe_contact": dict(self.manifest.safe_contact),
        }


def open_identities(desk: Desk, case: CaseId) -> tuple[OpenedIdentity, ...]:
    """Every identity of a case that this custodian can open alone.

    Raises:
        IdentityLocked: this is an operator's desk, or one share is not enough.
    """
    if not desk.is_custodian:
        raise IdentityLocked(
            f"The identity is {IDENTITY_LOCKED}. An operator's desk cannot open it."
        )
    if desk.trust.newest.quorum > 1:
        raise IdentityLocked(
            f"The roster asks for {desk.trust.newest.quorum} custodians together: no desk of one "
            "custodian opens it. Answer the operator's request: amana-desk custody read FILE"
        )
    opened = []
    for one in desk.store.of_case(case):
        if one.kind is Kind.IDENTITY:
            try:
                manifest = desk.opener.identity(one)
            except Unopened:
                raise IdentityLocked(
                    "This identity does not open with this custodian's key alone: it was sealed "
                    "to others, or changed."
                ) from None
            opened.append(OpenedIdentity(one.id.hex(), one.header.day, manifest))
    return tuple(opened)
