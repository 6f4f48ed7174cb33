"""The facts of every case on this desk, kept in memory from one look to the next.

Rule: a case is opened again when an envelope of it came, or a roster did; nothing that was opened
is written anywhere, and what is kept holds ids, days and counts alone (desk.room.fact).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.header import Header
from desk.cases import Cases
from desk.errors import AmbiguousCase, NoSuchCase
from desk.room.fact import fact_of

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.desk import Desk
    from desk.room.fact import Fact

ONE_BY_ONE_MOST = 40
"""More cases than these with news, and all are read at once: the store is asked less often."""


@dataclass(slots=True)
class Gatherer:
    """Gathers facts of one desk; safe to share between threads."""

    desk: Desk
    _known: dict[bytes, tuple[frozenset[bytes], Fact]] = field(default_factory=dict, repr=False)
    _case_of: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    _rosters: frozenset[bytes] = frozenset()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def facts(self) -> tuple[Fact, ...]:
        """Every case's, as its envelopes are now."""
        with self._lock:
            if self._rosters != self.desk.trust.hashes:
                # A roster that was missing may prove what nothing could prove before.
                self._known.clear()
                self._rosters = self.desk.trust.hashes
            present = self._present()
            for gone in self._known.keys() - present.keys():
                del self._known[gone]
            news = [
                case
                for case, ids in present.items()
                if case not in self._known or self._known[case][0] != ids
            ]
            for one in self._cases(news):
                if one.id in present:
                    fact = fact_of(one, self.desk.rules)
                    self._known[one.id] = (present[one.id], fact)
            return tuple(fact for _, fact in self._known.values())

    def _present(self) -> dict[bytes, frozenset[bytes]]:
        outsides = self.desk.store.outsides()
        for gone in self._case_of.keys() - outsides.keys():
            del self._case_of[gone]
        found: dict[bytes, set[bytes]] = {}
        for envelope, (header, _posted) in outsides.items():
            if envelope not in self._case_of:
                self._case_of[envelope] = Header.from_bytes(header).case
            found.setdefault(self._case_of[envelope], set()).add(envelope)
        return {case: frozenset(ids) for case, ids in found.items()}

    def _cases(self, news: list[bytes]) -> list[Case]:
        cases = Cases(self.desk)
        if len(news) > ONE_BY_ONE_MOST:
            return list(cases.all())
        found = []
        for case in news:
            try:
                found.append(cases.find(case.hex()))
            except (NoSuchCase, AmbiguousCase):  # it went between two looks
                continue
        return found
