"""What goes into a package, and what is left out of it.

Rule: a file that is in quarantine, and an original that nobody cleaned, is named by its hash and
never opened; every other file of the case goes, or the transmission is refused.  No name from
inside an envelope is a path.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desk import acts
from desk.cases import iso
from desk.errors import TransmissionRefused
from desk.evidence import open_evidence, views
from desk.summary import case_json
from desk.transmission import proof, words
from desk.transmission.reading import report_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crypto.roster import Roster
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.identity import OpenedIdentity
    from desk.verify import Entry

ANNEX = "identity-annex.json"
_CASE_FIELDS = (
    "v", "rehearsal", "case", "ref", "day", "category", "form_version", "language",
    "identity_mode", "withdrawn", "danger", "sealed_by", "cleaned_by", "fields", "conversation",
    "report", "report_is_sure", "other_reports",
)  # fmt: skip
"""What of `show --json` a service is given: a field that is added there is not added here."""
_GOES = frozenset({"", "missing", "cannot-open"})


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a package; `source` is the envelope it came from, in hex, or empty."""

    path: str
    size: int
    sha256: str
    media_type: str
    role: str
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """How the manifest names it."""
        annex = {"annex": True} if self.role == "annex" else {}
        return {
            "path": self.path, "size": self.size, "sha256": self.sha256,
            "media_type": self.media_type, "role": self.role, "source": self.source, **annex,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the case names and the package does not hold: why, its hash, who keeps it."""

    source: str
    why: str
    sha256: str = ""
    custodian: str = ""

    @property
    def pointer(self) -> str:
        """One line: what there is to ask for it by."""
        return "  ".join(filter(None, (self.source, self.sha256, self.custodian)))

    def to_json(self) -> dict[str, object]:
        """How the manifest names it."""
        return {
            "source": self.source, "why": self.why, "sha256": self.sha256,
            "custodian": self.custodian,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """Files in the order in which a package holds them, and what it does not hold."""

    items: tuple[Item, ...]
    left: tuple[LeftOut, ...]

    @property
    def files(self) -> int:
        """How many of them are evidence."""
        return sum(one.role == "evidence" for one in self.items)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of what `sha256sum` would print of these files."""
        listed = "".join(f"{one.sha256}  {one.path}\n" for one in self.items)
        return hashlib.sha256(listed.encode()).hexdigest()


def document(path: str, content: bytes, media_type: str, role: str = "document") -> Item:
    """A file that was written here."""
    digest = hashlib.sha256(content).hexdigest()
    return Item(path, len(content), digest, media_type, role, lambda: iter([content]))


def as_json(content: object) -> bytes:
    """One spelling: sorted, in UTF-8, ending in a line's end."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def files_of(desk: Desk, case: Case) -> tuple[tuple[Item, ...], tuple[LeftOut, ...]]:
    """The case's files: those that go, and those that do not.

    Raises:
        TransmissionRefused: a file was not fetched yet.
    """
    going: list[Item] = []
    left: list[LeftOut] = []
    for one in views(desk, case):
        shut = one.closing
        if shut is not None:
            left.append(LeftOut(one.id, "quarantined", one.sha256 or shut.sha256, shut.custodian))
        elif one.problem not in _GOES:
            raise TransmissionRefused(
                "A file of this case was not fetched yet. Sync, and transmit it then: "
                "amana-desk sync"
            )
        elif one.manifest is None:
            left.append(LeftOut(one.id, one.problem))
        elif one.is_original:
            left.append(LeftOut(one.id, "original", one.manifest.sha256.hex()))
        else:
            going.append(_evidence(desk, case, one))
    return tuple(going), tuple(left)


def _evidence(desk: Desk, case: Case, one: FileView) -> Item:
    manifest = open_evidence(desk, case, one.id).manifest
    return Item(
        path=f"{'redacted' if one.is_copy else 'evidence'}/{one.name}",
        size=manifest.length,
        sha256=manifest.sha256.hex(),
        media_type=manifest.media_type,
        role="evidence",
        chunks=lambda: open_evidence(desk, case, one.id).whole(),
        source=one.id,
    )


def documents_of(  # noqa: PLR0913, PLR0917  # each argument is one thing that is written down
    desk: Desk, case: Case, files: Sequence[Item], package: str, roster: Roster,
    identities: Sequence[OpenedIdentity],
) -> tuple[Item, ...]:  # fmt: skip
    """Everything that is written here but for the cover, the manifest and the signature.

    `roster` is the one that the package is signed under.
    """
    told = _case(desk, case, files)
    entries = [one for one in case.work.entries if one.body.type != acts.NOTE]
    hashes = {one.envelope.header.roster_hash for one in entries}
    hashes.add(roster.hash)
    rosters = sorted(filter(None, map(desk.trust.named, hashes)), key=lambda one: one.epoch)
    readme = words.README.substitute(ref=case.ref, package=package, rlm="\N{RIGHT-TO-LEFT MARK}")
    annex = as_json({"v": 1, "case": case.id.hex(), "identities": [
        one.to_json() for one in identities
    ]})  # fmt: skip
    return (
        document("README.txt", readme.encode(), "text/plain"),
        document("verify.py", Path(proof.__file__).read_bytes(), "text/x-python", "verifier"),
        document("report.html", report_page(case, desk.rules, files), "text/html"),
        document("case.json", as_json(told), "application/json"),
        document("journal.json", as_json(_journal(desk, entries)), "application/json"),
        *(
            document(f"{proof.ROSTERS}/{one.epoch}.note", one.note, "text/plain", "roster")
            for one in rosters
        ),
        *([document(ANNEX, annex, "application/json", "annex")] if identities else []),
    )


def _case(desk: Desk, case: Case, files: Sequence[Item]) -> dict[str, object]:
    whole = case_json(desk, case)
    paths = {one.source: one.path for one in files}
    shown = [
        {**one.to_json(), "path": paths[one.id], "named_by": one.named.by.hex()}
        for one in views(desk, case)
        if one.id in paths
    ]
    return {
        **{name: whole[name] for name in _CASE_FIELDS},
        "told_category": case.told_category,
        "priority": case.priority,
        "tags": list(case.work.tags),
        "files": shown,
    }


def _journal(desk: Desk, entries: Sequence[Entry]) -> dict[str, object]:
    """The acts with all that their signatures are over, so that each proves itself."""
    return {"v": 1, "acts": [_act(desk, one) for one in entries]}


def _act(desk: Desk, one: Entry) -> dict[str, object]:
    signed = desk.opener.signed(one.envelope)
    return {
        "id": one.envelope.id.hex(),
        "day": iso(one.node.day),
        "author": one.signer.name,
        "signer": signed.signer.hex(),
        "roster": one.envelope.header.roster_hash.hex(),
        "recipients": [kid.hex() for kid in signed.recipients],
        "parents": [parent.hex() for parent in signed.parents],
        "body": signed.body,
        "signature": signed.signature.hex(),
    }
