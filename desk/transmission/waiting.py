"""Packages that wait on this desk for download, and what they hold.

Rule: nobody here can open a sealed package again, so what it holds is remembered as it is made,
sealed under the desk's own key.  One that holds what is in quarantine by now has not left yet, and
is given out no more; nor is one of which nobody can tell, while a file of its case is closed.
"""

from __future__ import annotations

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

    from desk.cases import Case
    from desk.desk import Desk
    from desk.quarantine import Closing
    from desk.transmission.items import Load

PURPOSE = "packages"
_FACT = "package:"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One package that the case's journal names and this desk has; why it must stay, or None."""

    path: Path
    refusal: FileQuarantined | None


def path_of(desk: Desk, digest: str) -> Path:
    """Where a package waits, by its SHA-256 in hex."""
    return desk.home.packages / f"{digest}.amana"


def named_by(case: Case) -> tuple[str, ...]:
    """The SHA-256 of every package that a case's journal names."""
    named = (str(one.body.data.get("package", "")) for one in case.work.of(acts.STATUS))
    return tuple(one for one in named if _SHA256.fullmatch(one))


def remember(desk: Desk, digest: str, load: Load) -> None:
    """Keep which files a package holds: by their ids, and by their SHA-256."""
    files = [one for one in load.items if one.source]
    told = sorted({name for one in files for name in (one.source, one.sha256)})
    sealed = _key(desk).seal(bytes.fromhex(digest), b"", json.dumps(told).encode())
    desk.store.note(_FACT + digest, sealed.hex())


def waiting(desk: Desk, case: Case) -> dict[str, Waiting]:
    """The packages that wait, by their SHA-256."""
    found = {digest: path_of(desk, digest) for digest in named_by(case)}
    there = {digest: path for digest, path in found.items() if path.exists()}
    if not there:
        return {}
    shut = [(one, one.closing) for one in views(desk, case) if one.closing is not None]
    closed = dict(closings(desk, case))
    # What shows the same as something that an act names is closed, and named by none.
    closed |= {name: closing for one, closing in shut for name in (one.id, one.sha256) if name}
    has_closed = bool(shut or case.work.quarantined)
    return {
        digest: Waiting(path, refusal(path, _held(desk, digest), closed, has_closed=has_closed))
        for digest, path in there.items()
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


def _held(desk: Desk, digest: str) -> list[str] | None:
    """What a package holds; None where that was lost, or changed on the disk."""
    try:
        sealed = bytes.fromhex(desk.store.noted(_FACT + digest))
        told = json.loads(_key(desk).open(bytes.fromhex(digest), b"", sealed))
    except (CannotOpen, ValueError):
        return None
    return [str(one) for one in told]


def _key(desk: Desk) -> LocalKey:
    return LocalKey.of(desk.keyring.key, PURPOSE)
