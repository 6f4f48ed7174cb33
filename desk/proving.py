"""Prove every signature, name and digest of all cases here, or of one, and say what was proven.

Rule: what is proven is what this desk held when a case was read, each of its files read to its end
(desk.soundness).  What does not open here proves nothing to this desk, and is counted apart: of a
case of which nothing opens, no signature was proven.  A case that comes or grows while others are
proven is no fault, and is whole the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk.cases import Cases, desk_alarms
from desk.sentence import Sentence
from desk.soundness import Soundness
from desk.summary import deep_alarms

if TYPE_CHECKING:
    from crypto.ids import CaseId
    from desk.alarms import Alarm
    from desk.cases import Case
    from desk.desk import Desk
    from desk.progress import Progress
    from desk.soundness import Read


@dataclass(frozen=True, slots=True)
class Proof:
    """One case as it was proven: how much of each there was, and what is wrong with it.

    `files` are those that it names, `files_read` those that were read here to their end (redacted
    copies among them), `files_not_here` those that were not fetched yet, `files_in_quarantine`
    those that nothing opens any more.  `opens` is false where nothing opens here that could be
    signed, as on a custodian's desk; `not_opened` are the envelopes that were not opened for this:
    sealed to others, or to the custodians.
    """

    case: CaseId
    ref: str
    entries: int
    messages: int
    files: int
    files_read: int
    files_not_here: int
    files_in_quarantine: int
    opens: bool
    not_opened: int
    alarms: tuple[Alarm, ...]

    def to_json(self) -> dict[str, object]:
        """The stable shape of a case in `verify --json`."""
        return {
            "case": self.case.hex(),
            "ref": self.ref,
            "entries": self.entries,
            "replies_and_messages": self.messages,
            "files": self.files,
            "files_read": self.files_read,
            "files_not_here": self.files_not_here,
            "files_in_quarantine": self.files_in_quarantine,
            "opens": self.opens,
            "not_opened": self.not_opened,
            "alarms": [alarm.to_json() for alarm in self.alarms],
        }


@dataclass(frozen=True, slots=True)
class Proven:
    """What was proven: the cases with alarms first; `alarms` are of the server as a whole."""

    cases: tuple[Proof, ...]
    alarms: tuple[Alarm, ...]

    @property
    def odd(self) -> tuple[Proof, ...]:
        """The cases with alarms."""
        return tuple(one for one in self.cases if one.alarms)

    @property
    def closed(self) -> tuple[Proof, ...]:
        """The cases of which nothing opens here: no signature of theirs was proven."""
        return tuple(one for one in self.cases if not one.opens)

    @property
    def all_alarms(self) -> tuple[Alarm, ...]:
        """Every alarm, those about the server first."""
        return (*self.alarms, *(alarm for one in self.cases for alarm in one.alarms))

    @property
    def entries(self) -> int:
        """How many signed entries were proven."""
        return sum(one.entries for one in self.cases)

    @property
    def messages(self) -> int:
        """How many answers and messages were proven."""
        return sum(one.messages for one in self.cases)

    @property
    def files(self) -> int:
        """How many files are named by what was proven."""
        return sum(one.files for one in self.cases)

    @property
    def files_read(self) -> int:
        """How many were read to their end."""
        return sum(one.files_read for one in self.cases)

    @property
    def files_not_here(self) -> int:
        """How many could not be, as they were not fetched yet."""
        return sum(one.files_not_here for one in self.cases)

    @property
    def files_in_quarantine(self) -> int:
        """How many are in quarantine: compared as they are sealed, and opened by nothing."""
        return sum(one.files_in_quarantine for one in self.cases)


def prove(desk: Desk, progress: Progress, untrusted_ref: str = "") -> Proven:
    """Prove the case whose id begins so, or all of them.

    Raises:
        NoSuchCase, AmbiguousCase: no case here begins so, or several do.
    """
    cases = Cases(desk)
    wanted = (cases.find(untrusted_ref).id,) if untrusted_ref else desk.store.cases()
    proofs: list[Proof] = []
    soundness = Soundness(desk, progress)
    try:
        for case in cases.chosen(wanted):
            number, among = len(proofs), len(wanted)
            progress.step(Sentence("Proving the cases ({start} of {all})", start=number, all=among))
            proofs.append(
                _proof(case, deep_alarms(desk, case), soundness.read(case, number, among))
            )
    finally:
        # What was found until it was stopped, too.
        soundness.remember()
    proofs.sort(key=lambda one: (not one.alarms, one.case))
    return Proven(tuple(proofs), desk_alarms(desk))


def _proof(case: Case, alarms: tuple[Alarm, ...], read: Read) -> Proof:
    return Proof(
        case=case.id,
        ref=case.ref,
        entries=len(case.timeline) - len(case.messages),
        messages=len(case.messages),
        files=len(case.files),
        files_read=read.files,
        files_not_here=read.lacking,
        files_in_quarantine=read.closed,
        opens=case.report is not None or bool(case.timeline),
        not_opened=read.not_opened,
        alarms=tuple(sorted({*alarms, *read.alarms} - read.healed)),
    )
