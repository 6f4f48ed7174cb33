"""Files that nobody may look at any more: child abuse material, put away by one signed act.

Rule: what is closed is closed on every desk that has the act, and so is any file with the same
SHA-256 in any case, the untouched original or the clean copy of it, and every copy made from it.
The one door that asks is `desk.evidence.open_evidence`, which everything that reads a file goes
through.  There is no act that opens again.  The sealed bytes stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk import acts
from desk.alarms import Alarm, Sign
from desk.errors import FileQuarantined
from desk.opening import Unopened
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crypto.ids import CaseId, Day
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView

_REF = 8
_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a file is closed: by which act, in which case; `custodian` answers for it."""

    case: CaseId
    file: str
    sha256: str
    custodian: str
    day: Day
    by: str

    @property
    def pointer(self) -> str:
        """The case and the file that the act names: `1a2b-3c4d / 5e6f7a8b`."""
        digits = self.case.hex()[:_REF]
        return f"{digits[:4]}-{digits[4:]} / {self.file[:_REF]}"

    @property
    def error(self) -> FileQuarantined:
        """What whoever wants the file is told."""
        return FileQuarantined(
            Sentence(
                "This file is in quarantine: nothing opens it any more. Its custodian is "
                "{custodian}. SHA-256 {sha256}, pointer {pointer}.",
                custodian=self.custodian,
                sha256=self.sha256,
                pointer=self.pointer,
            )
        )


def closings(desk: Desk, case: Case) -> Mapping[str, Closing]:
    """By SHA-256 in hex, and by file id in hex for those of this case: what is closed."""
    found: dict[str, Closing] = {}
    for row in desk.index.rows():
        for act in row.acts:
            if act.kind == acts.QUARANTINE:
                one = _closing(row.id, act.data, act.day, act.by)
                found.setdefault(one.sha256, one)
                if row.id == case.id:
                    found.setdefault(one.file, one)
    # Of the case in hand the newest word counts, whatever an index says.
    for entry in case.work.quarantined.values():
        one = _closing(case.id, entry.body.data, entry.node.day, entry.signer.name)
        found.setdefault(one.sha256, one)
        found.setdefault(one.file, one)
    return found


def unfounded(desk: Desk, case: Case) -> tuple[Alarm, ...]:
    """The case's closings that are not of a file of its own, as it is, for a person there is.

    They close all the same: what might be child abuse material is not opened so as to argue.
    """
    closing = case.work.of(acts.QUARANTINE)
    digests = _digests(desk, case) if closing else {}
    known = set(digests.values())
    return tuple(
        Alarm(Sign.QUARANTINE_UNFOUNDED, case.id.hex(), one.envelope.id.hex())
        for one in closing
        # By its digest, for a copy that waited is sealed anew under another id.
        if (
            digests.get(str(one.body.data["file"])) != _UNKNOWN
            and one.body.data["sha256"] not in known
        )
        or not desk.trust.names(str(one.body.data["custodian"]))
    )


def closed_from_elsewhere(desk: Desk, case: Case, closed: Iterable[Closing]) -> tuple[Alarm, ...]:
    """This case's share of such alarms: its files, closed from a case that has one."""
    others = {one.case for one in closed} - {case.id}
    return tuple(
        Alarm(Sign.QUARANTINE_UNFOUNDED, case.id.hex(), alarm.envelope)
        for row in (desk.index.rows() if others else ())
        if row.id in others
        for alarm in row.alarms
        if alarm.sign is Sign.QUARANTINE_UNFOUNDED
    )


def _digests(desk: Desk, case: Case) -> dict[str, str]:
    """By id in hex: the SHA-256 of each file and copy of the case, or that nobody can tell here."""
    found = {
        one.envelope.id.hex(): str(one.body.data["sha256"]) for one in case.work.of(acts.REDACTION)
    }
    for named in case.files:
        try:
            digest = (
                desk.opener.evidence(named.envelope).sha256.hex() if named.envelope else _UNKNOWN
            )
        except Unopened:
            digest = _UNKNOWN
        found[named.ref.id.hex()] = digest
    return found


def closed_among(files: Sequence[FileView], closing: Mapping[str, Closing]) -> dict[str, Closing]:
    """Which files of one case are closed, by id: named, of a named digest, or kin of such a one."""
    if not closing:
        return {}
    shut = {
        one.id: found
        for one in files
        if (found := closing.get(one.id) or closing.get(one.sha256)) is not None
    }
    kin = kin_of(files)
    for name in list(shut):
        for other in family(name, kin):
            shut.setdefault(other, shut[name])
    return shut


def _closing(case: CaseId, data: Mapping[str, Json], day: Day, by: str) -> Closing:
    return Closing(case, str(data["file"]), str(data["sha256"]), str(data["custodian"]), day, by)


def kin_of(files: Sequence[FileView]) -> dict[str, set[str]]:
    """By id of a case's files: the files that show the same, or a part of it.

    An original came with its clean copy, in one report or message: what another says to be the
    original of a file closes it for nobody.
    """
    kin: dict[str, set[str]] = {}
    said_by = {one.id: one.named.by for one in files if not one.copy_of}
    for one in files:
        for other in filter(None, (one.original_of, one.copy_of)):
            if other == one.original_of and said_by.get(other) != one.named.by:
                continue
            kin.setdefault(one.id, set()).add(other)
            kin.setdefault(other, set()).add(one.id)
    return kin


def family(name: str, kin: Mapping[str, set[str]]) -> set[str]:
    """A file's id, and those of all that show the same or a part of it."""
    found, waiting = {name}, [name]
    while waiting:
        fresh = kin.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found
