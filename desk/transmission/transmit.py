"""Hand a case over: build the package, sign it, seal it, and say so in the journal.

Rule: what may be done is asked of the rules before a byte is written (desk.work.allowed); the
journal never names a package that is not there, and no package stays that the journal does not
name.

```
(1) competence   service and legal basis, as whoever made the case ready wrote them
(2) allowed      by the rules, by another operator, not against the reporter's wish
(3) gather       what goes and what does not; the cover; the manifest; the operator's signature
(4) write        sealed to the service's key, or a folder in clear, under a name of quarantine
(5) say so       the entry, with the package's SHA-256
```
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.package import (
    NOBODY,
    PackageHead,
    PackageId,
    PackageSealer,
    new_package_id,
    package_statement,
)
from desk import acts, work
from desk.cases import Cases, iso
from desk.errors import ActRefused, TransmissionRefused
from desk.fold import Why
from desk.sentence import Sentence, Several
from desk.transmission import archive, proof, services
from desk.transmission.cover import Occasion, cover, print_cover
from desk.transmission.items import (
    LeftOut,
    Load,
    as_json,
    document,
    documents_of,
    files_of,
)
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import Kid
    from crypto.keys import ServicePublicKey
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.identity import OpenedIdentity

STATE = "transmitted"
HOLD = "legal_hold"
"""The mark that lets a case be handed over whose reporter asked that it be erased."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Competence:
    """Who is competent, and on which legal basis; ids of the rules."""

    service: str
    basis: str

    def to_facts(self) -> dict[str, Json]:
        """What the entry says, but for the package."""
        return {"state": STATE, "service": self.service, "basis": self.basis}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: a new file, or with `in_clear` a new or empty folder, to be printed.

    `identities` are what custodians agreed to open, for the annex; none otherwise.
    """

    target: Path
    to: Competence
    in_clear: bool = False
    identities: tuple[OpenedIdentity, ...] = ()


@dataclass(frozen=True, slots=True)
class Transmission:
    """What was handed over: where it lies, its SHA-256, and what it does not hold."""

    path: Path
    sha256: str
    files: int
    left_out: tuple[LeftOut, ...]
    sent: bool

    def to_json(self) -> dict[str, object]:
        """The stable shape of `transmit --json`."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "files": self.files,
            "left_out": [one.to_json() for one in self.left_out],
            "sent": self.sent,
        }


def competence(case: Case, service: str = "", basis: str = "") -> Competence:
    """Say who is competent: as the newest state says, or else as it is given (the fast lane).

    Raises:
        ActRefused: nobody said who is, or two said different things.
    """
    told = case.work.data(acts.STATUS)
    chosen = Competence(
        str(told.get("service", "")) or service, str(told.get("basis", "")) or basis
    )
    if (service or chosen.service, basis or chosen.basis) != (chosen.service, chosen.basis):
        raise ActRefused(
            "Whoever made this case ready named another service or basis. Set it back to "
            "assessment and make it ready anew. Nothing was written."
        )
    if not (chosen.service and chosen.basis):
        raise ActRefused(
            "Say who is competent and why: --service and --basis. Nothing was written."
        )
    return chosen


def reasons_against(desk: Desk, case: Case, chosen: Competence) -> tuple[Why, ...]:
    """Why this operator may not hand the case over now; empty where they may."""
    why = list(work.allowed(desk, case, chosen.to_facts()))
    if case.withdrawals and HOLD not in case.work.tags:
        said = Sentence(
            "the reporter asks that this be erased and passed on no further; where the law says "
            "otherwise, mark it {mark} first",
            mark=HOLD,
        )
        why.append(Why("withdrawn", said))
    if not case.readable or (case.report is None and not case.follow_ups):
        why.append(Why("unreadable", Sentence("nothing of it can be read on this desk")))
    return tuple(why)


def require_allowed(desk: Desk, case: Case, chosen: Competence) -> None:
    """Say why a case may not be handed over now, if it may not.

    Raises:
        StateUnknown: the rules know no such state.
        ActRefused: they, or the reporter's wish, do not allow it.
    """
    work.parse_state(STATE, desk.rules)
    known = desk.rules.services.get(chosen.service)
    if known is None or chosen.basis not in known.bases:
        raise ActRefused(
            "The rules know no such service, or not on that basis: `amana-desk rules` lists them. "
            "Nothing was written."
        )
    problems = reasons_against(desk, case, chosen)
    if problems:
        why = Several("; ", (one.words for one in problems), capital=True)
        raise ActRefused(Sentence("{why}. Nothing was written.", why=why))


def require_possible(desk: Desk, case: Case, order: Order) -> None:
    """Say what stands against an order before anything is opened or written for it.

    Raises:
        StateUnknown, ActRefused, ServiceKeyRefused, TransmissionRefused: as `transmit` does.
    """
    require_allowed(desk, case, order.to)
    if not order.in_clear:
        services.key_of(desk, order.to.service)
    files_of(desk, case)
    target = order.target
    free_folder = order.in_clear and target.is_dir() and not any(target.iterdir())
    if target.is_symlink() or (target.exists() and not free_folder):
        raise TransmissionRefused(
            Sentence(
                "{target} is not a new or empty folder. Nothing was written."
                if order.in_clear
                else "{target} is not a new file. Nothing was written.",
                target=str(target),
            )
        )


def transmit(desk: Desk, case: Case, order: Order) -> Transmission:
    """Build the package of a case, write it, and append the entry.

    Raises:
        StateUnknown, ActRefused: the rules do not allow it now.
        ServiceKeyRefused: the service has no key here.
        TransmissionRefused: a file is missing, the target cannot be written, the cover not printed.
        EvidenceUnsound: a file is not what its manifest says.
        RosterNotTrusted: no roster is in force today.
        ServerRefused: the entry stands here and the server did not take it; the package stays.
    """
    require_possible(desk, case, order)
    key = None if order.in_clear else services.key_of(desk, order.to.service)
    package = new_package_id()
    load = _gather(desk, case, order, package, key.kid if key else NOBODY)
    if key is None:
        digest = _write_folder(order.target, load, Ledger.of(desk))
    else:
        head = PackageHead(deployment=desk.trust.deployment, package=package, service=key.kid)
        digest = _write_sealed(order.target, load, head, key)
    try:
        sent = work.set_state(
            desk, case, STATE, service=order.to.service, basis=order.to.basis, package=digest
        )
    except BaseException:
        # Where the entry is kept here and goes out later, what it names must stay.
        if not _is_named(desk, case, digest):
            _remove(order.target)
        raise
    return Transmission(order.target, digest, load.files, load.left, sent)


def _is_named(desk: Desk, case: Case, digest: str) -> bool:
    now = Cases(desk).find(case.id.hex())
    return any(one.body.data.get("package") == digest for one in now.work.of(acts.STATUS))


def _gather(desk: Desk, case: Case, order: Order, package: PackageId, service: Kid) -> Load:
    """Everything that will be written, in order; evidence is opened as it is written."""
    me = work.myself(desk)
    files, left = files_of(desk, case)
    written = documents_of(desk, case, files, package.hex(), order.identities)
    inside = Load((*written, *files), left)
    ready = case.work.settled.get(acts.STATUS)
    occasion = Occasion(
        package=package.hex(),
        service=order.to.service,
        basis=order.to.basis,
        operator=me.name,
        prepared=ready.signer.name if ready else "",
        day=iso(desk.today()),
        has_annex=bool(order.identities),
    )
    printed = print_cover(cover(desk, case, occasion, inside))
    sheet = document("cover.pdf", printed, "application/pdf", "cover")
    told = _manifest(desk, case, occasion, inside)
    told["service"] = {
        "id": order.to.service,
        "words": dict(desk.rules.services[order.to.service].words),
        "key": "" if service == NOBODY else service.hex(),
    }
    told["items"] = [one.to_json() for one in (sheet, *inside.items)]
    manifest = as_json(told)
    statement = package_statement(desk.trust.deployment, case.id, package, service, manifest)
    signature = as_json({
        "v": 1,
        "signer": desk.keyring.sign.public.kid.hex(),
        "roster": desk.trust.in_force(desk.today()).hash.hex(),
        "signature": desk.keyring.sign.sign(statement).hex(),
    })  # fmt: skip
    frame = (
        document(proof.MANIFEST, manifest, "application/json"),
        document(proof.SIGNATURE, signature, "application/json"),
    )
    return Load((*frame, sheet, *inside.items), left)


def _manifest(desk: Desk, case: Case, occasion: Occasion, inside: Load) -> dict[str, object]:
    rules = desk.rules
    return {
        "v": 1,
        "kind": "amana-package",
        "rehearsal": desk.trust.rehearsal,
        "deployment": desk.trust.deployment.hex(),
        "case": case.id.hex(),
        "ref": case.ref,
        "package": occasion.package,
        "day": occasion.day,
        "operator": occasion.operator,
        "basis": {"id": occasion.basis, "words": dict(rules.bases[occasion.basis].words)},
        "rules": rules.digest,
        "contents": inside.digest,
        "left_out": [one.to_json() for one in inside.left],
    }


def _write_sealed(target: Path, load: Load, head: PackageHead, key: ServicePublicKey) -> str:
    """Write the sealed file; return the SHA-256 of all of it."""
    unproven = target.with_name(f".{secrets.token_hex(16)}.unproven")
    try:
        with os.fdopen(os.open(unproven, _NEW, 0o600), "wb") as file:
            sealer = PackageSealer(
                deployment=head.deployment,
                package=head.package,
                service=key,
                length=archive.length_of(one.size for one in load.items),
                sink=file.write,
            )
            for one in load.items:
                sealer.write(archive.header(one.path, one.size))
                for chunk in one.chunks():
                    sealer.write(chunk)
                sealer.write(archive.padding(one.size))
            sealer.write(archive.END)
            digest = sealer.finish()
            file.flush()
            os.fsync(file.fileno())
        # The name is taken first, and only where it is free (a stick may know no hard links).
        os.close(os.open(target, _NEW, 0o600))
        unproven.replace(target)
        _settle(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        with suppress(OSError):
            unproven.unlink()
    return digest.hex()


def _unwritable(target: Path, error: OSError) -> TransmissionRefused:
    return TransmissionRefused(
        Sentence("{path} cannot be written: {why}.", path=str(target), why=str(error.strerror))
    )


def _write_folder(target: Path, load: Load, ledger: Ledger) -> str:
    """Write the readable folder; return the SHA-256 of its manifest."""
    # `.` has no name to put another one beside.
    target = target.absolute()
    try:
        with ledger.making(target) as unproven:
            for one in load.items:
                place = unproven / one.path
                place.parent.mkdir(mode=0o700, exist_ok=True)
                with os.fdopen(os.open(place, _NEW, 0o600), "wb") as file:
                    for chunk in one.chunks():
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
            found = proof.verify_folder(unproven)
            if found.findings:
                raise TransmissionRefused("What was written is not what was to be written.")
            unproven.rename(target)
            _settle(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from None
    return load.items[0].sha256


def _settle(folder: Path) -> None:
    """Have the folder's new name on the disk before the journal speaks of it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(target: Path) -> None:
    with suppress(OSError):
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
