"""Packages that wait on this desk for download, and what they hold.

Rule: nobody here can open a sealed package again, so what it holds is remembered as it is made,
sealed under the desk's own key for its case.  One that holds what is in quarantine by now has not
left yet, and is given out no more; nor is one of which nobody can tell, while a file of its case is
closed.  A case has the packages that this desk's own operator signed into its journal: whatever a
colleague writes there, no case gives out another's.

What is remembered bears a name that only this desk can make of a package's SHA-256: whoever finds a
package and takes this disk, sees there how many were made here, and not which.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.errors import CannotOpen
from crypto.local import LocalKey
from desk import acts
from desk.errors import FileQuarantined
from desk.evidence import views
from desk.quarantine import closings
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crypto.ids import CaseId
    from desk.cases import Case
    from desk.desk import Desk
    from desk.quarantine import Closing
    from desk.transmission.items import Load

PURPOSE = "packages"
_NAMES = "package-names"
_FACT = "sealed-package:"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One package that this desk made of a case, and has; why it must stay, or None."""

    path: Path
    refusal: FileQuarantined | None


def path_of(desk: Desk, digest: str) -> Path:
    """Where a package waits, by its SHA-256 in hex."""
    return desk.home.packages / f"{digest}.amana"


def named_by(desk: Desk, case: Case) -> tuple[str, ...]:
    """The SHA-256 of every package that this desk's operator signed into a case's journal."""
    me = desk.keyring.sign.public.raw
    mine = (one for one in case.work.of(acts.STATUS) if one.signer.key.raw == me)
    named = (str(one.body.data.get("package", "")) for one in mine)
    return tuple(one for one in named if _SHA256.fullmatch(one))


def remember(desk: Desk, case: CaseId, digest: str, load: Load) -> None:
    """Keep which files a package of a case holds: by their ids, and by their SHA-256."""
    files = [one for one in load.items if one.source]
    told = sorted({name for one in files for name in (one.source, one.sha256)})
    sealed = _key(desk).seal(bytes.fromhex(digest), case, json.dumps(told).encode())
    desk.store.note(_fact(desk, digest), sealed.hex())


def waiting(desk: Desk, case: Case) -> dict[str, Waiting]:
    """The packages of a case that wait, by their SHA-256."""
    found = {digest: path_of(desk, digest) for digest in named_by(desk, case)}
    there = {digest: path for digest, path in found.items() if path.exists()}
    if not there:
        return {}
    shut = [(one, one.closing) for one in views(desk, case) if one.closing is not None]
    closed = dict(closings(desk, case))
    # What shows the same as something that an act names is closed, and named by none.
    closed |= {name: closing for one, closing in shut for name in (one.id, one.sha256) if name}
    has_closed = bool(shut or case.work.quarantined)
    return {
        digest: Waiting(path, refusal(path, held, closed, has_closed=has_closed))
        for digest, path in there.items()
        for held in [_held(desk, case.id, digest)]
    }


def refusal(
    path: Path, held: list[str] | None, closed: Mapping[str, Closing], *, has_closed: bool
) -> FileQuarantined | None:
    """Why a package must stay, by what it holds (None: nobody can tell) and what is closed."""
    why = [closed[name] for name in held or () if name in closed]
    if why:
        return FileQuarantined(
            Sentence(
                "{why} The package in {path} holds it, and is given out no more: destroy it, or "
                "let the custodian hand it over by the way that the law names.",
                why=reason(why[0].error),
                path=str(path),
            )
        )
    if held is None and has_closed:
        return FileQuarantined(
            Sentence(
                "A file of this case is in quarantine, and whether the package in {path} holds it "
                "cannot be told here any more. It is given out no more: destroy it, or let the "
                "custodian hand it over by the way that the law names.",
                path=str(path),
            )
        )
    return None


def _held(desk: Desk, case: CaseId, digest: str) -> list[str] | None:
    """What a package of a case holds; None where that was lost, or changed on the disk."""
    try:
        sealed = bytes.fromhex(desk.store.noted(_fact(desk, digest)))
        told = json.loads(_key(desk).open(bytes.fromhex(digest), case, sealed))
    except (CannotOpen, ValueError):
        return None
    return [str(one) for one in told]


def _fact(desk: Desk, digest: str) -> str:
    key = LocalKey.of(desk.keyring.key, _NAMES)
    return _FACT + hmac.digest(key.raw, bytes.fromhex(digest), "sha256").hex()


def _key(desk: Desk) -> LocalKey:
    return LocalKey.of(desk.keyring.key, PURPOSE)
