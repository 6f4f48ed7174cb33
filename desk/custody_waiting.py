"""Requests to the custodians that wait: a case's, and all that this desk's operator asked.

Rule: a request waits until its case's journal says that it was opened; its letter lies here sealed
to the custodians and to this desk, and can be carried again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.custody_letters import CustodyRequest
from crypto.errors import CryptoError
from crypto.letter import LetterKind
from desk import custody
from desk.cases import Cases
from desk.custody_letters import opened
from desk.custody_words import Why, refused
from desk.errors import CustodyRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crypto.ids import CaseId
    from desk.cases import Case
    from desk.custody import Pending
    from desk.desk import Desk


@dataclass(frozen=True, slots=True)
class CaseRequest:
    """A request that waits, and the case that it is about: its id in hex, and its reference."""

    case: str
    ref: str
    request: Pending = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """The stable shape of `custody list --json`."""
        return {"case": self.case, **self.request.to_json()}


def requests_of(desk: Desk, case: Case) -> tuple[CaseRequest, ...]:
    """The requests of a case that nobody opened yet, in order."""
    return tuple(CaseRequest(case.id.hex(), case.ref, one) for one in custody.pending(desk, case))


def waiting_requests(desk: Desk) -> tuple[CaseRequest, ...]:
    """The requests of this desk's operator in all cases, the oldest first."""
    cases = Cases(desk).chosen(list(dict.fromkeys(_asked_about(desk))))
    mine = [one for case in cases for one in requests_of(desk, case) if one.request.mine]
    return tuple(sorted(mine, key=lambda one: (one.request.day, one.case, one.request.id)))


def letter(desk: Desk, case: Case, untrusted_id: str) -> Pending:
    """A request of this desk that waits, with its letter, by the first digits of its id.

    Raises:
        CustodyRefused: no one request of this desk's is called so, or its file is elsewhere.
    """
    wanted = untrusted_id.strip().lower()
    found = [
        one
        for one in custody.pending(desk, case)
        if wanted and one.mine and one.id.startswith(wanted)
    ]
    if len(found) != 1:
        raise refused(Why.NO_REQUEST)
    if not found[0].text:
        raise CustodyRefused("This request’s file was written elsewhere.")
    return found[0]


def _asked_about(desk: Desk) -> Iterator[CaseId]:
    for text in desk.store.noted_all(custody.LETTER):
        try:
            told = opened(desk, text, LetterKind.REQUEST)
            yield CustodyRequest.from_json(told.body.encode()).case
        except (CustodyRefused, CryptoError):
            # Changed on the disk: its entry in the journal tells of it all the same.
            continue
