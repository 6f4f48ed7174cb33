"""Read the files of a case that lie here to their end, and say which are not what was sealed.

Rule: every sealed part is compared with the root in its envelope's header, and what opens is opened
in memory and compared with the length and SHA-256 of its manifest: what `open` leaves out, this
names.  Nothing is opened that is in quarantine.  What was damaged on this machine counts as not
fetched from then on, so that the next sync fetches it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from crypto.header import Kind
from desk.alarms import Alarm, Sign
from desk.errors import EvidenceUnsound
from desk.evidence import opened, views
from desk.fetching import declared
from desk.opening import Unopened
from desk.parts import are_as_sealed
from desk.sentence import Sentence
from desk.words import size

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.progress import Progress
    from desk.store import Envelope

SIGNS = (Sign.FILE_DAMAGED, Sign.FILE_UNSOUND)
"""What can be wrong with a file that is here."""


class Read(NamedTuple):
    """What was read of one case: how many files, how many are not here yet, what is wrong.

    `closed` are in quarantine: what is here of them was compared as it is sealed.  `not_opened` are
    the envelopes that nothing here opens, identities among them; `healed` are remembered alarms
    whose cause is gone.
    """

    files: int
    lacking: int
    closed: int
    not_opened: int
    alarms: frozenset[Alarm]
    healed: frozenset[Alarm]


@dataclass(slots=True)
class Soundness:
    """The reading of one run; `remember` writes down what came of it, and is called at its end.

    Not after each file: whatever is written makes the desk look anew at all of its cases.
    """

    desk: Desk
    progress: Progress
    _damaged: list[Envelope] = field(default_factory=list)
    _wrong: list[Alarm] = field(default_factory=list)
    _healed: list[Alarm] = field(default_factory=list)

    def read(self, case: Case, start: int, among: int) -> Read:
        """Read the files of the case that is number `start` (from 0) of so many."""
        found: set[Alarm] = set()
        healed: set[Alarm] = set()
        held = self.desk.store.of_case(case.id)
        here = [one for one in held if one.sizes and one.whole]
        # Asked only where there is something: it looks at every quarantine of the desk.
        named = here or case.work.quarantined
        shown = {one.id: one for one in views(self.desk, case)} if named else {}
        for number, one in enumerate(here, 1):
            self.progress.step(
                Sentence(
                    "Proving the cases ({start} of {all}): file {number} of {files}, {size}",
                    start=start,
                    all=among,
                    number=number,
                    files=len(here),
                    size=size(sum(one.sizes)),
                )
            )
            wrong = self._wrong_with(one, shown.get(one.id.hex()))
            for sign in SIGNS:
                alarm = Alarm(sign, one.case.hex(), one.id.hex())
                if sign is wrong:
                    found.add(alarm)
                    self._wrong.append(alarm)
                elif alarm in case.alarms:
                    healed.add(alarm)
                    self._healed.append(alarm)
        # What has no parts is all in the index, for the locked identities, too.
        changed = [one for one in held if not one.sizes and not are_as_sealed(one, ())]
        opener = self.desk.opener
        locked = [one for one in held if one.kind is Kind.IDENTITY]
        # A custodian's shares are all that can be asked without looking at who it was.
        changed += [one for one in locked if opener.is_for_us(one) and not opener.strength(one)]
        found |= {Alarm(Sign.CANNOT_OPEN, one.case.hex(), one.id.hex()) for one in changed}
        lacking = sum(not one.whole and opener.is_for_us(one) for one in held)
        others = sum(one.kind is not Kind.IDENTITY and not opener.is_for_us(one) for one in held)
        closed = sum(one.closing is not None for one in shown.values())
        unopened = len(locked) + others
        return Read(len(here), lacking, closed, unopened, frozenset(found), frozenset(healed))

    def remember(self) -> None:
        """Keep the alarms, forget those whose cause is gone, and count the damaged as not here."""
        store = self.desk.store
        for one in self._damaged:
            store.mark_whole(one.id, is_so=False)
        for alarm in self._wrong:
            store.shout(alarm)
        if self._healed:
            store.quieten(*self._healed)

    def _wrong_with(self, one: Envelope, shown: FileView | None) -> Sign | None:
        store, progress = self.desk.store, self.progress
        try:
            declared(self.desk, one)
        except Unopened:
            # Its case says so; no sync could tell what to fetch for it.
            return None
        paths = [store.part_path(one.id, part) for part in range(1, len(one.sizes) + 1)]
        try:
            is_as_sealed = are_as_sealed(one, paths, progress.advance)
        except OSError:
            is_as_sealed = False
        if not is_as_sealed:
            # What waits may have been sealed anew meanwhile, or a sync may have begun it again.
            if not any(now.id == one.id and now.whole for now in store.of_case(one.case)):
                return None
            self._damaged.append(one)
            return Sign.FILE_DAMAGED
        if shown is None or shown.problem or shown.manifest is None:
            # Nobody opens it: it is named by nothing, closed, or what its case says already.
            return None
        try:
            opened(self.desk, shown).prove(lambda: progress.advance(0))
        except (EvidenceUnsound, OSError):
            return Sign.FILE_UNSOUND
        return None
