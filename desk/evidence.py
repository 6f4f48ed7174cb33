"""Decrypt a file of a case, in memory, from the sealed parts that lie on this machine.

Rule: `open_evidence` is the one door to the bytes of a file, and it opens nothing that is in
quarantine (desk.quarantine).  Nothing here writes.  Whoever keeps what comes out (desk.export)
uses a name of its own until `whole` has ended; nobody is given a piece of a file that was not read
to its end once in this run of the program.  That its chunks are authentic does not say what they
are: whoever sealed them can name another SHA-256, and by that digest a quarantine holds.

After that a piece from the middle is opened from the chunks that hold it and from no others: a
seek costs the same wherever it goes, and memory stays flat.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.body import open_part, sealed_length
from crypto.errors import CryptoError
from crypto.manifest import EvidenceManifest, EvidenceRef
from crypto.random_access import open_range
from desk import acts
from desk.errors import EvidenceUnsound, NoSuchEvidence
from desk.names import Names
from desk.opening import Unopened
from desk.quarantine import closed_among, closings
from desk.verify import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crypto.body import DataKey
    from desk.cases import Case
    from desk.desk import Desk
    from desk.quarantine import Closing
    from desk.store import Envelope
    from desk.verify import Entry

_CONTENT = 1
_READ_BYTES = 1024 * 1024
_GONE = (
    "The file's sealed copy is gone from this machine. Prove the case (Proofs, or amana-desk "
    "verify): the next sync then fetches what was damaged."
)


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One openable file: what its sealed manifest says it is, and the way to its bytes."""

    envelope: Envelope
    manifest: EvidenceManifest
    _key: DataKey = field(repr=False)
    _desk: Desk = field(repr=False)

    def whole(self) -> Iterator[bytes]:
        """Yield the file and prove it at the end: length and SHA-256 of the manifest.

        Raises:
            EvidenceUnsound: perhaps after much was yielded; drop all of it then.
        """
        digest = hashlib.sha256()
        for chunk in self._opened():
            digest.update(chunk)
            yield chunk
        if not hmac.compare_digest(digest.digest(), self.manifest.sha256):
            raise EvidenceUnsound("The file does not have the SHA-256 that its manifest names.")
        self._desk.opener.proven.add(self._name)

    def prove(self, beat: Callable[[], None] | None = None) -> None:
        """Read it once to its end, unless that was done in this run; raises as `whole`.

        `beat` is called between two pieces, and may raise whatever ends it.
        """
        if self._name not in self._desk.opener.proven:
            for _ in self.whole():
                if beat is not None:
                    beat()

    def piece(self, first: int, last: int) -> Iterator[bytes]:
        """Yield bytes `first` to `last`, both included, of a file that is proven; flat in memory.

        Raises:
            EvidenceUnsound: it is not what its manifest says, or a chunk did not authenticate.
        """
        self.prove()
        try:
            with self._part().open("rb", buffering=0) as file:
                yield from open_range(
                    self._key,
                    self.envelope.header,
                    _CONTENT,
                    lambda offset, amount: os.pread(file.fileno(), amount, offset),
                    os.fstat(file.fileno()).st_size,
                    self.manifest.length,
                    first,
                    last + 1,
                )
        except CryptoError:
            raise EvidenceUnsound(
                "This piece of the file does not decrypt: its sealed copy on this machine was "
                "changed or cut short. Prove the case (Proofs, or amana-desk verify): the next "
                "sync then fetches what was damaged."
            ) from None
        except FileNotFoundError:
            raise EvidenceUnsound(_GONE) from None

    @property
    def _name(self) -> bytes:
        return self.envelope.header.hash + self.manifest.sha256

    def _opened(self) -> Iterator[bytes]:
        try:
            yield from open_part(
                self._key, self.envelope.header, _CONTENT, self._sealed(), self.manifest.length
            )
        except CryptoError:
            raise EvidenceUnsound(
                "The file does not decrypt to the end: its sealed copy on this machine was "
                "changed or cut short. Prove the case (Proofs, or amana-desk verify): the next "
                "sync then fetches what was damaged."
            ) from None

    def _sealed(self) -> Iterator[bytes]:
        try:
            with self._part().open("rb") as file:
                while chunk := file.read(_READ_BYTES):
                    yield chunk
        except FileNotFoundError:
            raise EvidenceUnsound(_GONE) from None

    def _part(self) -> Path:
        return self._desk.store.part_path(self.envelope.id, _CONTENT)


@dataclass(frozen=True, slots=True)
class FileView:
    """One named file as it can be shown: its manifest where it opens, else why not.

    `problem` is empty, `missing`, `not-fetched`, `cannot-open`, or `quarantined`.  `name` is the
    one that the whole desk uses for the file (desk.names); empty where the manifest does not open.
    `copy_of` is the id of the file that this is a redacted copy of, `copy_of_answer` what the act
    calls the answer or the reporter's message (desk.acts).
    """

    named: Named
    manifest: EvidenceManifest | None
    problem: str
    name: str = ""
    copy_of: str = ""
    copy_of_answer: str = ""
    closing: Closing | None = None

    @property
    def id(self) -> str:
        """The envelope's id in hex."""
        return self.named.ref.id.hex()

    @property
    def is_original(self) -> bool:
        """Whether it came as it was and nobody cleaned it."""
        return self.manifest is not None and self.manifest.original_of is not None

    @property
    def is_copy(self) -> bool:
        """Whether an operator made it, of a file or of an answer, with something blacked out."""
        return bool(self.copy_of or self.copy_of_answer)

    @property
    def original_of(self) -> str:
        """The id of its clean copy, in hex, where it is an original that nobody cleaned."""
        known = self.manifest
        return known.original_of.hex() if known and known.original_of else ""

    @property
    def sha256(self) -> str:
        """The content's digest in hex; empty where the manifest does not open."""
        return self.manifest.sha256.hex() if self.manifest else ""

    def to_json(self) -> dict[str, object]:
        """The stable shape of a file in `show --json`."""
        known, shut = self.manifest, self.closing
        return {
            "id": self.id,
            "name": self.name if known else None,
            "media_type": known.media_type if known else None,
            "length": known.length if known else None,
            "sha256": known.sha256.hex() if known else None,
            "removed": list(known.removed) if known else [],
            "rebuilt": known.rebuilt if known else False,
            "original_of": self.original_of or None,
            "copy_of": self.copy_of or self.copy_of_answer or None,
            "problem": self.problem,
            "quarantine": {"custodian": shut.custodian, "pointer": shut.pointer} if shut else None,
        }


def view(desk: Desk, named: Named) -> FileView:
    """Say what is known of one named file; opens its manifest, never its content."""
    envelope = named.envelope
    if envelope is None:
        return FileView(named, None, "missing")
    try:
        manifest = desk.opener.evidence(envelope)
    except Unopened:
        return FileView(named, None, "cannot-open")
    if not _fits(envelope, manifest):
        return FileView(named, None, "cannot-open")
    return FileView(named, manifest, "" if envelope.whole else "not-fetched")


def views(desk: Desk, case: Case) -> tuple[FileView, ...]:
    """Every file of the case, each by a name of its own: message after message, then the copies."""
    names = Names()
    # What arrives later is said later: it changes no name that was given before.
    files = sorted(case.files, key=lambda one: case.number_of(one.by))
    shown = [
        replace(
            shown,
            name=names.of(
                shown.manifest.name,
                shown.manifest.media_type,
                number,
                case.number_of(shown.named.by),
                is_original=shown.is_original,
            ),
        )
        if shown.manifest
        else shown
        for number, shown in enumerate((view(desk, one) for one in files), 1)
    ]
    shown += [_copy(one) for one in case.work.of(acts.REDACTION)]
    shut = closed_among(shown, closings(desk, case))
    return tuple(
        replace(one, problem="quarantined", closing=shut[one.id]) if one.id in shut else one
        for one in shown
    )


def open_evidence(desk: Desk, case: Case, untrusted_id: str) -> EvidenceFile:
    """The file of this case with that envelope id (hex): the one door to its bytes.

    Raises:
        NoSuchEvidence: the case names no such file, or it is not whole on this machine.
        FileQuarantined: it is in quarantine, or shows the same as one that is.
    """
    shown = next((one for one in views(desk, case) if one.id == untrusted_id), None)
    if shown is None:
        raise NoSuchEvidence("This case has no such file.")
    return opened(desk, shown)


def opened(desk: Desk, shown: FileView) -> EvidenceFile:
    """The same door, for whoever holds the case's `views` in hand; raises as `open_evidence`."""
    if shown.closing is not None:
        raise shown.closing.error
    if shown.named.envelope is None:
        raise NoSuchEvidence("This case has no such file.")
    if shown.problem or shown.manifest is None:
        raise NoSuchEvidence("This file is not whole on this machine. Sync and try again.")
    envelope = shown.named.envelope
    return EvidenceFile(envelope, shown.manifest, desk.opener.data_key(envelope), desk)


def _copy(entry: Entry) -> FileView:
    """What an operator's act says of the redacted copy that its envelope carries."""
    data, envelope = entry.body.data, entry.envelope
    media_type = str(data["media_type"])
    # Of the entry's own id: neither what merges nor what comes later changes it.
    name = f"redacted-{envelope.id.hex()[:8]}{'.png' if media_type == 'image/png' else '.txt'}"
    manifest = EvidenceManifest(
        name=name,
        media_type=media_type,
        length=int(str(data["length"])),
        sha256=bytes.fromhex(str(data["sha256"])),
        removed=(),
        rebuilt=True,
    )
    problem = "" if envelope.whole else "not-fetched"
    return FileView(
        Named(EvidenceRef(envelope.id, envelope.header.hash), envelope.id, envelope),
        manifest,
        problem if _fits(envelope, manifest) else "missing",
        name,
        copy_of=str(data["file"]),
        copy_of_answer=str(data["answer"]),
    )


def _fits(envelope: Envelope, manifest: EvidenceManifest) -> bool:
    """Whether the size that was sealed is the size the manifest speaks of."""
    return bool(envelope.sizes) and envelope.sizes[0] == sealed_length(manifest.length)
