"""What one sync did, in one sentence and as data.

Rule: what did not come is told before anything is called new; a number counts what is on this disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desk.cases import REF_DIGITS
from desk.sentence import Sentence, Several
from desk.words import count, size

if TYPE_CHECKING:
    from crypto.ids import CaseId
    from desk.alarms import Alarm
    from desk.store import Envelope

_NAMED_MOST = 5


@dataclass(slots=True)
class SyncReport:
    """What one sync did."""

    envelopes: int = 0
    cases: set[CaseId] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    posted: int = 0
    waiting: int = 0
    left: list[Envelope] = field(default_factory=list)
    """Those whose parts this disk had no room for: the next sync asks for them again."""
    is_cut: bool = False
    """Whether there was not even room for the rest of the index."""
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What happened, in one sentence."""
        said: list[str] = []
        if self.cases:
            said.append(Sentence("{cases} with news", cases=count(len(self.cases), "case")))
        if self.files:
            said.append(Sentence("{files} fetched", files=count(self.files, "file")))
        if self.posted:
            said.append(Sentence("{number} sent", number=self.posted))
        if self.waiting:
            said.append(Sentence("{number} still waiting to be sent", number=self.waiting))
        if self.is_cut:
            said.append(
                Sentence(
                    "the list not read to its end, and new reports may be among what was not "
                    "read: this disk has too little room"
                )
            )
        if self.left:
            said.append(self._left_words)
        if self.alarms:
            said.append(count(len(self.alarms), "alarm"))
        done = Several(", ", said or [Sentence("nothing new")], capital=True)
        return Sentence("{done}.", done=done)

    @property
    def _left_words(self) -> Sentence:
        cases = dict.fromkeys(one.case.hex() for one in self.left)
        refs = [f"{case[:4]}-{case[4:REF_DIGITS]}" for case in cases]
        named = [*refs[:_NAMED_MOST], *(["…"] if len(refs) > _NAMED_MOST else [])]
        return Sentence(
            "{files} not fetched, as this disk has too little room ({size}; {cases})",
            files=count(len(self.left), "file"),
            size=size(sum(sum(one.sizes) for one in self.left)),
            cases=Several(", ", named),
        )

    def to_json(self) -> dict[str, object]:
        """The stable shape of `sync --json`."""
        return {
            "envelopes": self.envelopes,
            "cases": sorted(case.hex() for case in self.cases),
            "files": self.files,
            "bytes": self.bytes,
            "posted": self.posted,
            "waiting": self.waiting,
            "cut": self.is_cut,
            "left": [
                {"case": one.case.hex(), "envelope": one.id.hex(), "bytes": sum(one.sizes)}
                for one in self.left
            ],
            "alarms": [alarm.to_json() for alarm in self.alarms],
        }
