"""Envelopes that look right from outside and hold nothing: the vault cannot tell."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.header import Header, Kind, parts_root
from crypto.ids import CaseId, Day, Deployment, new_case_id, new_envelope_id
from vault.outside import BlobRef, NewCase, StoredEnvelope
from vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

DAY = Day(20_000)
STATE_BYTES = 92


@dataclass(slots=True)
class Calendar:
    """A day that a test may turn."""

    day: Day = DAY

    def today(self) -> Day:
        """What the vault asks."""
        return self.day


@dataclass(frozen=True, slots=True)
class Shelf:
    """A vault in a folder, and the calendar it looks at."""

    folder: Path
    vault: Vault
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def blobs(self) -> Path:
        """The folder of blobs."""
        return self.folder / "blobs"

    def blob(self, content: bytes = b"sealed content") -> BlobRef:
        """A blob that is committed."""
        with self.vault.new_blob() as writer:
            writer.write(content)
            return writer.commit()

    def blob_names(self) -> set[str]:
        """Every name in the folder of blobs, staging names too."""
        return {path.name for path in self.blobs.iterdir()}


def urls(folder: Path) -> tuple[str, str]:
    """The two addresses of a vault in a folder."""
    return f"sqlite:///{folder / 'vault.sqlite'}", f"file://{folder / 'blobs'}"


def make_shelf(folder: Path) -> Shelf:
    """A new vault in a folder."""
    (folder / "blobs").mkdir(parents=True)
    database_url, blobs_url = urls(folder)
    Vault.migrate(database_url)
    calendar = Calendar()
    return Shelf(folder, Vault.open(database_url, blobs_url, today=calendar.today), calendar)


def new_case(case_id: CaseId | None = None) -> NewCase:
    return NewCase(
        case_id or new_case_id(),
        secrets.token_bytes(32),
        secrets.token_bytes(STATE_BYTES),
        secrets.token_bytes(48),
    )


def envelope(
    case: CaseId,
    kind: Kind = Kind.REPORT,
    *blobs: BlobRef,
    day: Day = DAY,
    manifest: bytes | None = None,
) -> StoredEnvelope:
    """An envelope of a case, whose header fits its parts."""
    sealed = manifest or secrets.token_bytes(4128)
    digests = [hashlib.sha256(sealed).digest(), *(bytes(32) for _ in blobs)]
    header = Header(
        kind=kind,
        deployment=Deployment(bytes(16)),
        case=case,
        envelope=new_envelope_id(),
        roster_hash=bytes(32),
        day=day,
        parts=len(digests),
        parts_root=parts_root(digests),
    )
    return StoredEnvelope(header, secrets.token_bytes(2 * 148), sealed, blobs)
